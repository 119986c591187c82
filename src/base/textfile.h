/* SPDX-License-Identifier: ISC */
/*
 * textfile: a file that an administrator writes, read as a whole.
 */
#ifndef TEXTFILE_H
#define TEXTFILE_H

#include "base/fault.h"

#include <stddef.h>

/*
 * Reads a regular file of at most `max` bytes that belongs to root or to this
 * user, and that nobody but its owner can write. *text is the caller's to free,
 * of *len bytes and a NUL behind them. 0; or -errno and a fault, which says
 * what to do: -EINVAL: not a regular file; -EPERM: somebody else can write to
 * it; -EFBIG: longer; or that of a system call.
 */
int textfile_read(const char *path, size_t max, char **text, size_t *len,
    struct fault *fault);

#endif
