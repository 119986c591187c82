/* SPDX-License-Identifier: ISC */
#include "base/memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Below it, malloc(3) has pages that are in use anyway. */
#define LARGE 65536

/* Linux 5.14 has it, and the headers of an older libc may not. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

void *
memory_alloc(size_t size)
{
	char *memory = malloc(size);
	size_t page, skip, len;

	if (!memory || size < LARGE)
		return memory;
	page = (size_t)sysconf(_SC_PAGESIZE);
	skip = (size_t)(-(uintptr_t)memory % page);
	len = (size - skip) / page * page;
	/* An older kernel refuses, and does it the slow way later. */
	madvise(memory + skip, len, MADV_POPULATE_WRITE);
	return memory;
}

int
memory_grow(void *array, size_t size, size_t count, size_t *room)
{
	void **at = array;
	size_t more = *room + *room / 2 + 16;
	void *grown;

	if (count < *room)
		return 0;
	if (more > SIZE_MAX / size)
		return -ENOMEM;
	grown = memory_alloc(more * size);
	if (!grown)
		return -ENOMEM;
	if (count > 0)
		memcpy(grown, *at, count * size);
	free(*at);
	*at = grown;
	*room = more;
	return 0;
}

void
memory_forget(void *memory, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t skip = (size_t)(-(uintptr_t)memory % page);
	char *start = memory, *end = start + size;

	if (size >= LARGE) {
		char *last = end - (uintptr_t)end % page;

		if (madvise(start + skip, (size_t)(last - start) - skip,
			MADV_DONTNEED) == 0) {
			explicit_bzero(start, skip);
			start = last;
		}
	}
	if (start < end)
		explicit_bzero(start, (size_t)(end - start));
	free(memory);
}
