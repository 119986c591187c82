/* SPDX-License-Identifier: ISC */
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

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/*
 * What a loop over a table is at: a test that fails says it. To be forgotten
 * behind the loop, if anything else can fail there: unit_row("").
 */
void unit_row(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *unit_row_text(void);

/* An assertion for a child, whose failure has nowhere to jump to. */
#define HOLD(condition)                                                        \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: %s  %s\n", __FILE__, __LINE__, \
			    #condition, unit_row_text());                      \
			_exit(1);                                              \
		}                                                              \
	} while (0)

/* fork() for such a child: what was printed is not printed twice. */
static inline pid_t
fork_child(void)
{
	fflush(NULL);
	return fork();
}

/* The child has come to its end, and all that had to hold did. */
static inline void
child_held(pid_t pid)
{
	int status = -1;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

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

static int unit_stderr, unit_pipe[2];

/* Between these two, what goes to standard error comes out at the end. */
static inline void
listen_to_stderr(void)
{
	unit_stderr = dup(STDERR_FILENO);
	assert_int_equal(pipe(unit_pipe), 0);
	dup2(unit_pipe[1], STDERR_FILENO);
}

static inline size_t
what_stderr_said(char *out, size_t size)
{
	ssize_t n;

	dup2(unit_stderr, STDERR_FILENO);
	close(unit_stderr);
	close(unit_pipe[1]);
	n = read(unit_pipe[0], out, size - 1);
	close(unit_pipe[0]);
	out[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

#endif
