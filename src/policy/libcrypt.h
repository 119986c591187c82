/* SPDX-License-Identifier: ISC */
/*
 * libcrypt: crypt(3), loaded when a password is checked and not before.
 *
 * Most connections never check one, and linking the library would cost each of
 * them; and the program has to run where there is none. All that depends on
 * which crypt(3) it is stands in this module, so that a build with another one
 * replaces libcrypt.c and nothing else.
 */
#ifndef LIBCRYPT_H
#define LIBCRYPT_H

#include <stdbool.h>

/* The longest hash there is, and its NUL. */
#define LIBCRYPT_HASH_MAX 384

/*
 * Whether this crypt(3) can check hashes with that prefix, one of those in
 * hash.c, as far as can be told without loading it.
 */
bool libcrypt_knows(const char *prefix);

/*
 * What becomes of this password with the scheme, the cost and the salt of
 * `setting`, which is a hash. 0; -ENOSYS where there is no crypt(3); -EINVAL
 * when this one can't do that; -ENOMEM. Takes as long as the hash wants it to,
 * 0.1 s for example; no alarm cuts it short. Leaves no copy of the password.
 */
int libcrypt_hash(
    const char *password, const char *setting, char out[LIBCRYPT_HASH_MAX]);

#endif
