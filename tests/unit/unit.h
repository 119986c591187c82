/*
 * unit: what the unit tests share: cmocka, and input flush against a page that
 * can't be read, so that a parser which looks one byte too far is caught.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A copy of these bytes whose end is the end of what can be read. */
static inline uint8_t *
guarded(const void *data, size_t len)
{
	static uint8_t *page;
	size_t size = (size_t)sysconf(_SC_PAGESIZE);

	if (!page) {
		page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_true(page != MAP_FAILED);
		assert_int_equal(mprotect(page + size, size, PROT_NONE), 0);
	}
	assert_true(len <= size);
	if (len)
		memcpy(page + size - len, data, len);
	return page + size - len;
}

#endif
