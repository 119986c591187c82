/* SPDX-License-Identifier: ISC */
/*
 * peek: what one process can do to another's memory.
 *
 *   peek PID           tries to read and to open it, as a process that was
 *                      broken into would; prints "denied" or "open"
 *   peek PID TEXT...   looks for each text in all of it, and prints those that
 *                      are there, a line each
 *
 * Exits with 2 when it can't look.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define TEXTS_MAX 16
#define RANGE_MAX (1UL << 30)

static void
die(const char *what)
{
	fprintf(stderr, "peek: %s: %s\n", what, strerror(errno));
	exit(2);
}

static FILE *
open_of(pid_t pid, const char *name, const char *mode)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return fopen(path, mode);
}

/* The next range of its memory that it can read itself, and that is no
 * sanitizer's shadow. */
static bool
next_range(FILE *maps, unsigned long *start, unsigned long *end)
{
	char line[512], read;

	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %c", start, end, &read) == 3 &&
		    read == 'r' && *end - *start < RANGE_MAX &&
		    !strstr(line, "[vvar") && !strstr(line, "[vsyscall"))
			return true;
	}
	return false;
}

/* Any way in is enough. */
static bool
gets_in(pid_t pid)
{
	unsigned long start = 4096, end;
	FILE *maps = open_of(pid, "maps", "re");
	FILE *mem = open_of(pid, "mem", "r+e");
	char byte;
	struct iovec here = {&byte, 1}, there = {.iov_len = 1};
	ssize_t n;

	if (maps && next_range(maps, &start, &end))
		printf("it maps %lx\n", start);
	there.iov_base = (void *)start;
	n = process_vm_readv(pid, &here, 1, &there, 1, 0);
	/* EFAULT: it was let in, and there was nothing. */
	return mem || n == 1 || errno == EFAULT;
}

static void
search(pid_t pid, int count, char **texts)
{
	bool found[TEXTS_MAX] = {false};
	FILE *maps = open_of(pid, "maps", "re");
	unsigned long start, end;

	if (!maps)
		die("maps");
	while (next_range(maps, &start, &end)) {
		size_t len = end - start;
		char *copy = malloc(len);
		struct iovec here = {copy, len}, there = {(void *)start, len};
		ssize_t n =
		    copy ? process_vm_readv(pid, &here, 1, &there, 1, 0) : -1;

		for (int i = 0; n > 0 && i < count; i++)
			found[i] |= memmem(copy, (size_t)n, texts[i],
					strlen(texts[i])) != NULL;
		if (n < 0 && errno == EPERM)
			die("process_vm_readv");
		free(copy);
	}
	fclose(maps);
	for (int i = 0; i < count; i++) {
		if (found[i])
			puts(texts[i]);
	}
}

int
main(int argc, char **argv)
{
	pid_t pid = argc > 1 ? (pid_t)strtol(argv[1], NULL, 10) : 0;

	if (pid <= 0 || argc - 2 > TEXTS_MAX) {
		fputs("usage: peek PID [TEXT...]\n", stderr);
		return 2;
	}
	if (argc > 2)
		search(pid, argc - 2, argv + 2);
	else
		puts(gets_in(pid) ? "open" : "denied");
	return 0;
}
