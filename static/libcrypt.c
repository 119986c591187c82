/* SPDX-License-Identifier: ISC */
/*
 * The libcrypt module without libcrypt: Debian's musl has no crypt(3), so that
 * this build checks no passwords, and says so when it reads a users file.
 */
#include "policy/libcrypt.h"

#include <errno.h>

bool
libcrypt_knows(const char *prefix)
{
	(void)prefix;
	return false;
}

/* As it is declared. NOLINTBEGIN(readability-non-const-parameter) */
int
libcrypt_hash(
    const char *password, const char *setting, char out[LIBCRYPT_HASH_MAX])
{
	(void)password;
	(void)setting;
	(void)out;
	return -ENOSYS;
}
/* NOLINTEND(readability-non-const-parameter) */
