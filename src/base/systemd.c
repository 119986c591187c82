/* SPDX-License-Identifier: ISC */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "base/systemd.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

/* Any function; to be cast to what it is. */
typedef void (*any_function)(void);

/* It stays for the process's life; NULL where there is no such one. */
static any_function
load_symbol(const char *name)
{
	void *library = dlopen("libsystemd.so.0", RTLD_LAZY | RTLD_LOCAL);
	void *symbol = library ? dlsym(library, name) : NULL;
	any_function function;

	/* POSIX promises that this works, C that a cast might not. */
	memcpy(&function, &symbol, sizeof(function));
	return function;
}

int
systemd_listen_fds(void)
{
	__typeof__(&sd_listen_fds) listen_fds;

	listen_fds = (__typeof__(listen_fds))load_symbol("sd_listen_fds");
	return listen_fds ? listen_fds(1) : -ENOSYS;
}

bool
systemd_has_journal(void)
{
	return true;
}

int
systemd_journal_load(void)
{
	return load_symbol("sd_journal_sendv") ? 0 : -ENOSYS;
}

int
systemd_journal_sendv(const struct iovec *iov, int count)
{
	__typeof__(&sd_journal_sendv) sendv;

	sendv = (__typeof__(sendv))load_symbol("sd_journal_sendv");
	return sendv ? sendv(iov, count) : -ENOSYS;
}
