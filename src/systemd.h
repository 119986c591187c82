/*
 * systemd: libsystemd, loaded when it is needed and not before.
 *
 * Linking it would cost every connection more than all else the process does;
 * and the program has to run where there is none.
 */
#ifndef SYSTEMD_H
#define SYSTEMD_H

#include <stdint.h>

/* Any function; to be cast to what it is. */
typedef void (*systemd_fn)(void);

/*
 * A function of libsystemd.so.0, there for the process's life; NULL where
 * there is no such library or function.
 */
systemd_fn systemd_function(const char *name);

/*
 * Tells the service manager that started us, as sd_notify(3). 0 also where none
 * wants to be told; -ENOSYS where libsystemd is missing.
 */
int systemd_notify(const char *state);

/* Half of the time in which WATCHDOG=1 is wanted, in ms; 0 where it isn't. */
int64_t systemd_watchdog_ms(void);

#endif
