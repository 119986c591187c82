#include "systemd.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

systemd_fn
systemd_function(const char *name)
{
	void *library = dlopen("libsystemd.so.0", RTLD_LAZY | RTLD_LOCAL);
	void *symbol = library ? dlsym(library, name) : NULL;
	systemd_fn function;

	/* POSIX promises that this works, C that a cast might not. */
	memcpy(&function, &symbol, sizeof(function));
	return function;
}

int
systemd_notify(const char *state)
{
	__typeof__(&sd_notify) notify;
	int rc;

	if (!getenv("NOTIFY_SOCKET"))
		return 0;
	notify = (__typeof__(notify))systemd_function("sd_notify");
	if (!notify)
		return -ENOSYS;
	rc = notify(0, state);
	return rc < 0 ? rc : 0;
}

int64_t
systemd_watchdog_ms(void)
{
	__typeof__(&sd_watchdog_enabled) enabled;
	uint64_t us = 0;

	if (!getenv("WATCHDOG_USEC"))
		return 0;
	enabled = (__typeof__(enabled))systemd_function("sd_watchdog_enabled");
	if (!enabled || enabled(0, &us) <= 0)
		return 0;
	return us < 2000 ? 1 : (int64_t)(us / 2000);
}
