/* SPDX-License-Identifier: ISC */
#include "base/fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
fault_vset(struct fault *out, int error, const char *format, va_list args)
{
	out->error = error;
	out->line = out->column = 0;
	out->words[0] = '\0';
	if (format)
		vsnprintf(out->words, sizeof(out->words), format, args);
	return -error;
}

int
fault_set(struct fault *out, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fault_vset(out, error, format, args);
	va_end(args);
	return -error;
}

int
fault_set_at(
    struct fault *out, unsigned line, unsigned column, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fault_vset(out, EINVAL, format, args);
	va_end(args);
	out->line = line;
	out->column = column;
	return -EINVAL;
}

const char *
fault_words(const struct fault *fault)
{
	return *fault->words ? fault->words : strerror(fault->error);
}
