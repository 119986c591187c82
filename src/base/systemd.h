/* SPDX-License-Identifier: ISC */
/*
 * systemd: what the service manager has for us, and its journal.
 *
 * src/base/systemd.c asks libsystemd, which is loaded when it is needed and not
 * before: linking it would cost every connection more than all else the process
 * does; and the program has to run where there is none. static/systemd.c, which
 * stands in for it in the static build, does without libsystemd and without the
 * journal.
 */
#ifndef SYSTEMD_H
#define SYSTEMD_H

#include <stdbool.h>
#include <sys/uio.h>

/* The first descriptor that LISTEN_FDS passes. */
#define SYSTEMD_LISTEN_FDS_START 3

/*
 * How many descriptors LISTEN_FDS passes to this process, as sd_listen_fds(3);
 * no child will find the variables. -ENOSYS where libsystemd is missing.
 */
int systemd_listen_fds(void);

/* Whether this build can write to the journal. */
bool systemd_has_journal(void);

/* Loads what the next one needs, once and for all: 0, or -ENOSYS. */
int systemd_journal_load(void);

/* As sd_journal_sendv(3); -ENOSYS where libsystemd is missing. */
int systemd_journal_sendv(const struct iovec *iov, int count);

#endif
