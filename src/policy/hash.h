/* SPDX-License-Identifier: ISC */
/*
 * hash: which text is a password's hash that crypt(3) can check.
 *
 * Told by its form, so that a mistake in a file is found when it is read, and
 * crypt(3) itself, which is slow on purpose, is left alone.
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>

/*
 * NULL when these bytes are such a hash, whole and with nothing behind it.
 * Otherwise what is wrong and what would be right, in words that hold no byte
 * of it: it may be a password.
 */
const char *hash_fault(const char *hash, size_t len);

#endif
