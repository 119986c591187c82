/* SPDX-License-Identifier: ISC */
/*
 * start: how long programs take from the exec to their exit.
 *
 *   start COUNT PROGRAM ARG... [-- PROGRAM ARG...]...
 *   start -m
 *
 * Starts each of them COUNT times, in turn, with a TCP connection on
 * descriptors 0 and 1 whose other side has ended already: a server that reads
 * from it is at the end with its first read. Prints the median for each, in
 * microseconds, as a line; exits with 1 if one ended with another status than
 * 0.
 *
 * -m: how long it takes to use a page of memory for the first time.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAMS_MAX 16
#define COUNT_MAX    10000

static void
die(const char *what)
{
	fprintf(stderr, "start: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int
listen_somewhere(struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (bind(fd, (struct sockaddr *)address, len) < 0 ||
	    listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)address, &len) < 0)
		die("can't listen");
	return fd;
}

/* A connection whose other side, *client, sends no more. */
static int
ended_connection(int listener, const struct sockaddr_in *address, int *client)
{
	int fd;

	*client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(*client, (const struct sockaddr *)address,
		sizeof(*address)) < 0 ||
	    (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0 ||
	    shutdown(*client, SHUT_WR) < 0)
		die("can't connect");
	return fd;
}

static int64_t
time_program(char **argv, int connection)
{
	const int64_t began = now_ns();
	int64_t ended;
	int status = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		dup2(connection, STDIN_FILENO);
		dup2(connection, STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		die(argv[0]);
	ended = now_ns();
	if (status != 0) {
		fprintf(stderr, "start: %s ended with status %d\n", argv[0],
		    status);
		exit(1);
	}
	return ended - began;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int
time_page(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = 4000;
	volatile char *memory = mmap(NULL, pages * page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int64_t began;

	if (memory == MAP_FAILED)
		die("mmap");
	madvise((void *)(uintptr_t)memory, pages * page, MADV_NOHUGEPAGE);
	began = now_ns();
	for (size_t i = 0; i < pages; i++)
		memory[i * page] = 1;
	printf("%.2f\n", (double)(now_ns() - began) / 1000 / (double)pages);
	return 0;
}

int
main(int argc, char **argv)
{
	static int64_t took[PROGRAMS_MAX][COUNT_MAX];
	char **programs[PROGRAMS_MAX];
	size_t many = 0;
	int count = argc > 2 ? atoi(argv[1]) : 0, listener, client;
	struct sockaddr_in address;

	if (argc == 2 && strcmp(argv[1], "-m") == 0)
		return time_page();
	for (int i = 2; i < argc && many < PROGRAMS_MAX; i++) {
		programs[many++] = &argv[i];
		while (i < argc && strcmp(argv[i], "--") != 0)
			i++;
		argv[i] = NULL;
	}
	if (count < 1 || count > COUNT_MAX) {
		fputs("usage: start COUNT PROGRAM ARG... [-- PROGRAM "
		      "ARG...]...\n",
		    stderr);
		return 2;
	}
	listener = listen_somewhere(&address);
	for (int i = 0; i < count; i++) {
		for (size_t p = 0; p < many; p++) {
			int fd = ended_connection(listener, &address, &client);

			took[p][i] = time_program(programs[p], fd);
			close(fd);
			close(client);
		}
	}
	for (size_t p = 0; p < many; p++) {
		qsort(took[p], (size_t)count, sizeof(**took), compare);
		printf("%.1f\n", (double)took[p][(count - 1) / 2] / 1000);
	}
	return 0;
}
