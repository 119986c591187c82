/* SPDX-License-Identifier: ISC */
#include "policy/libcrypt.h"

#include <crypt.h>
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef __typeof__(&crypt_r) crypt_fn;

/* Debian has the first; distributions without glibc's past the second. */
static const char *const libraries[] = {"libcrypt.so.1", "libcrypt.so.2"};

static crypt_fn
load_crypt(void)
{
	const size_t count = sizeof(libraries) / sizeof(*libraries);
	void *library = NULL, *symbol;
	crypt_fn function;

	for (size_t i = 0; !library && i < count; i++)
		library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
	symbol = library ? dlsym(library, "crypt_r") : NULL;
	/* POSIX promises that this works, C that a cast might not. */
	memcpy(&function, &symbol, sizeof(function));
	return function;
}

/* What crypt(3) has left on the stack; for some schemes, the password. */
__attribute__((noinline)) static void
clear_stack(void)
{
	char below[65536];

	explicit_bzero(below, sizeof(below));
}

/* libxcrypt knows every scheme there is. */
bool
libcrypt_knows(const char *prefix)
{
	(void)prefix;
	return true;
}

int
libcrypt_hash(
    const char *password, const char *setting, char out[LIBCRYPT_HASH_MAX])
{
	crypt_fn crypt_function = load_crypt();
	struct crypt_data *data;
	const char *hash;
	int rc = 0;

	if (!crypt_function)
		return -ENOSYS;
	data = calloc(1, sizeof(*data));
	if (!data)
		return -ENOMEM;
	errno = 0;
	hash = crypt_function(password, setting, data);
	if (!hash || *hash == '*')
		rc = errno == ENOMEM ? -ENOMEM : -EINVAL;
	else if (strlen(hash) >= LIBCRYPT_HASH_MAX)
		rc = -EINVAL;
	else
		memcpy(out, hash, strlen(hash) + 1);
	clear_stack();
	explicit_bzero(data, sizeof(*data));
	free(data);
	return rc;
}
