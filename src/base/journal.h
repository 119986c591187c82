/* SPDX-License-Identifier: ISC */
/*
 * journal: entries in systemd's journal.
 *
 * An entry with fields is written by libsystemd, which is loaded for it; one
 * without, by journald's own protocol. A build without the journal has no
 * journald to write to.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* Every entry's SYSLOG_IDENTIFIER. */
#define JOURNAL_IDENTIFIER "socks5-handler"

/* journalctl MESSAGE_ID=... finds every entry with fields. */
#define JOURNAL_RECORD_ID "2f62bec659de4328a56333ca27f72940"

/* The longest message, with its NUL, and the most fields of an entry. */
#define JOURNAL_MESSAGE_MAX 8192
#define JOURNAL_FIELDS_MAX  32

/*
 * Writes an entry: the message, its priority as syslog(3) has it, and `count`
 * fields, each "NAME=value"; NULL for an entry without any, in whose message
 * line feeds become spaces. Where the process is `leaving`, journald is given
 * half a second to deal with the entry: it has to find the process. 0; -ENOENT
 * where no journald reads; or another -errno.
 */
int journal_send(int priority, char *message, const struct iovec *fields,
    size_t count, bool leaving);

/* Loads what an entry with fields will need, where a journald reads. */
void journal_prepare(void);

/*
 * A socket whose datagrams have a reader at that path, journald or another; it
 * is the caller's to close. -1 where there is none.
 */
int journal_connect(const char *path);

#endif
