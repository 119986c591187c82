/* SPDX-License-Identifier: ISC */
/*
 * notify: what a service manager that started us wants to be told, by the
 * protocol of sd_notify(3).
 *
 * Not by libsystemd: sd_notify() waits while the service manager has too much
 * to read, and the listening service waits for nobody.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>

/*
 * "READY=1" or other lines to NOTIFY_SOCKET: 0, also where none wants to be
 * told; -EAGAIN when it would have to wait; or another -errno.
 */
int notify_send(const char *state);

/* Half of the time in which WATCHDOG=1 is wanted, in ms; 0 where it isn't: what
 * sd_watchdog_enabled(3) says. */
int64_t notify_watchdog_ms(void);

#endif
