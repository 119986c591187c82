/*
 * replay: runs a fuzz target over files it has seen before, as a regression
 * test, without a fuzzer. Prints TAP, a test for each file.
 *
 *   fuzz_TARGET DIRECTORY
 */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

/* In memory of exactly its size, so that a sanitizer sees one byte more. */
static void
replay(const char *directory, const char *name)
{
	char path[4096];
	uint8_t *data;
	size_t size;
	FILE *file;
	long end;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "rb");
	HOLD(file);
	HOLD(fseek(file, 0, SEEK_END) == 0);
	end = ftell(file);
	HOLD(end >= 0);
	rewind(file);
	size = (size_t)end;
	data = malloc(size ? size : 1);
	HOLD(data);
	HOLD(fread(data, 1, size, file) == size);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

static int
is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int
main(int argc, char **argv)
{
	struct dirent **entries;
	int count =
	    argc == 2 ? scandir(argv[1], &entries, is_input, alphasort) : -1;

	if (count < 0) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	/* A target that aborts leaves fewer tests than it announced. */
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		fflush(stdout);
		replay(argv[1], entries[i]->d_name);
		printf("ok %d - %s\n", i + 1, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}
