/* SPDX-License-Identifier: ISC */
/*
 * systemd: what the service manager has for us, and wants to be told.
 *
 * What sd_listen_fds(3), sd_notify(3) and sd_watchdog_enabled(3) say of the
 * environment and of the socket that it names. libsystemd, which also does
 * this, waits where this program may not, and takes longer to load than all
 * else that a connection needs.
 */
#ifndef SYSTEMD_H
#define SYSTEMD_H

#include <stdint.h>

/* The first descriptor that LISTEN_FDS passes. */
#define SYSTEMD_LISTEN_FDS_START 3

/*
 * How many descriptors LISTEN_FDS passes to this process, 0 where it is meant
 * for another one; no child will find the variables. They are closed on exec;
 * -EBADF where one isn't open.
 */
int systemd_listen_fds(void);

/*
 * Tells the service manager that started us, and does not wait for it: 0, also
 * where none wants to be told; -EAGAIN when it has too much to read; or another
 * -errno.
 */
int systemd_notify(const char *state);

/* Half of the time in which WATCHDOG=1 is wanted, in ms; 0 where it isn't. */
int64_t systemd_watchdog_ms(void);

#endif
