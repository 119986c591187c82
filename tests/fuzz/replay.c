/* SPDX-License-Identifier: ISC */
/*
 * replay: runs a fuzz target over files it has seen before, as a regression
 * test, without a fuzzer. Prints TAP, a test for each file.
 *
 *   fuzz_TARGET FILE|DIRECTORY...
 *
 * Of a directory's files, only those that are meant (only.h).
 */
#include "fuzz.h"

#include "../only.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

/* Of the inputs, and of those that have been run. */
static int count, done;

/* In memory of exactly its size, so that a sanitizer sees one byte more. */
static void
replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	size_t size;
	long end;

	HOLD(file);
	HOLD(fseek(file, 0, SEEK_END) == 0);
	end = ftell(file);
	HOLD(end >= 0);
	rewind(file);
	size = (size_t)end;
	data = malloc(size);
	HOLD(data || size == 0);
	HOLD(fread(data, 1, size, file) == size);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

static void
replay_one(const char *path)
{
	const char *slash = strrchr(path, '/');

	/* Should it be the last, the reader knows which it was. */
	printf("# %s\n", path);
	fflush(stdout);
	replay(path);
	printf("ok %d - %s\n", ++done, slash ? slash + 1 : path);
}

static void
count_one(const char *path)
{
	(void)path;
	count++;
}

static int
is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && only_has(entry->d_name);
}

/* Calls `each` for a file, or for each file of a directory, by name. */
static void
visit(const char *path, void (*each)(const char *path))
{
	struct dirent **entries;
	char name[4096];
	struct stat st;
	int n;

	HOLD(stat(path, &st) == 0);
	if (!S_ISDIR(st.st_mode)) {
		each(path);
		return;
	}
	n = scandir(path, &entries, is_input, alphasort);
	HOLD(n >= 0);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		each(name);
		free(entries[i]);
	}
	free(entries);
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE|DIRECTORY...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		visit(argv[i], count_one);
	/* A target that aborts leaves fewer tests than it announced. */
	printf("1..%d\n", count);
	for (int i = 1; i < argc; i++)
		visit(argv[i], replay_one);
	return 0;
}
