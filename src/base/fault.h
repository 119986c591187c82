/* SPDX-License-Identifier: ISC */
/*
 * fault: what went wrong, in words, and where: the one way in which a function
 * tells its caller more than an errno does.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdarg.h>

/* The longest sentence, with its NUL; a longer one is cut. */
#define FAULT_WORDS_MAX 256

struct fault {
	int error;                   /* the cause's errno, positive; 0: none */
	unsigned line, column;       /* of a file, from 1; 0: not of one */
	char words[FAULT_WORDS_MAX]; /* no full stop; "": strerror(3) has it */
};

/* Sets all of it, the place to none; a NULL format is "". Returns -error. */
int fault_set(struct fault *out, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int fault_vset(struct fault *out, int error, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* The same for a mistake in a file; -EINVAL. */
int fault_set_at(struct fault *out, unsigned line, unsigned column,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The words, or what the errno means. */
const char *fault_words(const struct fault *fault);

#endif
