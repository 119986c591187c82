#include "systemd.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

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
