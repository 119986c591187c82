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
#include <stdint.h>
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
 * line feeds become spaces. 0; -ENOENT where no journald reads; -EAGAIN when it
 * has taken nothing until then, a time of io_now_ms(); or another -errno.
 *
 * For an entry without fields that time may be over already. One with fields
 * counts on a signal to wake it, see signals_alarm_exit().
 *
 * What is sent before that time waits until journald has dealt with it, for a
 * second at most: it has to find the process.
 */
int journal_send(int priority, char *message, const struct iovec *fields,
    size_t count, int64_t until_ms);

/* Loads what an entry with fields will need, where a journald reads. */
void journal_prepare(void);

/* Whether there is a journald that reads. */
bool journal_is_there(void);

/*
 * A socket whose datagrams have a reader at that path, journald or another; it
 * is the caller's to close. -1 where there is none.
 */
int journal_connect(const char *path);

/* One datagram to such a socket; 0, -EAGAIN as above, or another -errno. */
int journal_put(int fd, const char *data, size_t len, int64_t until_ms);

#endif
