/* SPDX-License-Identifier: ISC */
/*
 * Promises: an entry is whole, and is the unit's even when the process leaves
 * behind it. Must not: load libsystemd where journald doesn't read.
 */
#include "base/journal.h"
#include "base/io.h"
#include "base/systemd.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
/* How long the record may wait for journald before we leave it to its luck. */
#define JOURNALD_MS 1000

/* The longest pause between two looks at whether journald has read it. */
#define PAUSE_MAX_MS 50

int
journal_connect(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	strncpy(un.sun_path, path, sizeof(un.sun_path) - 1);
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	close(fd);
	return -1;
}

int
journal_put(int fd, const char *data, size_t len, int64_t until_ms)
{
	int64_t left;

	/* Not by poll(2): of a thousand who wait, it would wake all for each
	 * one who may go on. */
	do {
		left = until_ms - io_now_ms();
		if (left > 0)
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO,
			    &(struct timeval){left / 1000, left % 1000 * 1000},
			    sizeof(struct timeval));
		if (send(fd, data, len,
			MSG_NOSIGNAL | (left > 0 ? 0 : MSG_DONTWAIT)) >= 0)
			return 0;
	} while (errno == EINTR && left > 0);
	return errno == EINTR ? -EAGAIN : -errno;
}

static int
connect_to_journald(void)
{
	return systemd_has_journal() ? journal_connect(JOURNAL_SOCKET) : -1;
}

bool
journal_is_there(void)
{
	int fd = connect_to_journald();

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * journald asks /proc which unit a record came from, and finds nothing when
 * the process has gone: then `journalctl -u` doesn't show it. It works off one
 * datagram after the other, and passes over an empty one; so when such a one,
 * sent behind the record, is no longer waiting, the record has been dealt with.
 */
static void
await_journald(int fd, int64_t until_ms)
{
	int64_t now = io_now_ms();
	int waiting = 1;

	if (until_ms > now + JOURNALD_MS)
		until_ms = now + JOURNALD_MS;
	if (until_ms <= now || journal_put(fd, "", 0, until_ms) < 0)
		return;
	/* Less and less often, or a thousand of them would take all of a
	 * processor's time. */
	for (int ms = 1; waiting > 0 && io_now_ms() < until_ms; ms++) {
		poll(NULL, 0, ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS);
		if (ioctl(fd, SIOCOUTQ, &waiting) < 0)
			return;
	}
}

/*
 * A sentence, by journald's own protocol: the socket that sd_journal_sendv(3)
 * opens stays for the process's life, and a child that has closed it would
 * write to whatever has its number then.
 */
static int
send_sentence(int journal, int priority, char *message, int64_t until_ms)
{
	char entry[JOURNAL_MESSAGE_MAX + 64];
	int n;

	for (char *c = message; (c = strchr(c, '\n')); c++)
		*c = ' ';
	n = snprintf(entry, sizeof(entry),
	    "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=" JOURNAL_IDENTIFIER
	    "\n",
	    message, priority);
	return journal_put(journal, entry, (size_t)n, until_ms);
}

static int
send_record(int priority, const char *message, const struct iovec *fields,
    size_t count, int64_t until_ms)
{
	char text[sizeof("MESSAGE=") + JOURNAL_MESSAGE_MAX];
	char level[sizeof("PRIORITY=7")];
	char identifier[] = "SYSLOG_IDENTIFIER=" JOURNAL_IDENTIFIER;
	char id[] = "MESSAGE_ID=" JOURNAL_RECORD_ID;
	struct iovec iov[4 + JOURNAL_FIELDS_MAX] = {
	    {text, (size_t)sprintf(text, "MESSAGE=%s", message)},
	    {level, (size_t)sprintf(level, "PRIORITY=%d", priority)},
	    {identifier, strlen(identifier)},
	    {id, strlen(id)},
	};

	int rc;

	memcpy(iov + 4, fields, count * sizeof(*iov));
	/* The library waits for as long as it takes; signals wake it. */
	do
		rc = systemd_journal_sendv(iov, 4 + (int)count);
	while (rc == -EINTR && io_now_ms() < until_ms);
	return rc == -EINTR ? -EAGAIN : rc;
}

int
journal_send(int priority, char *message, const struct iovec *fields,
    size_t count, int64_t until_ms)
{
	/* sd_journal_sendv() says nothing where there is no journal. */
	int journal = connect_to_journald(), rc;

	if (journal < 0)
		return -ENOENT;
	rc = fields ? send_record(priority, message, fields, count, until_ms)
		    : send_sentence(journal, priority, message, until_ms);
	if (rc >= 0)
		await_journald(journal, until_ms);
	close(journal);
	return rc;
}

void
journal_prepare(void)
{
	int journal = connect_to_journald();

	if (journal < 0)
		return;
	close(journal);
	systemd_journal_load();
}
