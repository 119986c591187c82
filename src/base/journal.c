/* SPDX-License-Identifier: ISC */
/*
 * Promises: an entry is whole, and is the unit's even when the process leaves
 * behind it. Must not: load libsystemd where journald doesn't read.
 */
#include "base/journal.h"
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
#define JOURNALD_MS 500

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

static int
connect_to_journald(void)
{
	return systemd_has_journal() ? journal_connect(JOURNAL_SOCKET) : -1;
}

/*
 * journald asks /proc which unit a record came from, and finds nothing when
 * the process has gone: then `journalctl -u` doesn't show it. It works off one
 * datagram after the other, and passes over an empty one; so when such a one,
 * sent behind the record, is no longer waiting, the record has been dealt with.
 */
static void
await_journald(int fd)
{
	int waiting = 1;

	if (send(fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
	for (int i = 0; i < JOURNALD_MS && waiting > 0; i++) {
		poll(NULL, 0, 1);
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
send_sentence(int journal, int priority, char *message)
{
	char entry[JOURNAL_MESSAGE_MAX + 64];
	int n;

	for (char *c = message; (c = strchr(c, '\n')); c++)
		*c = ' ';
	n = snprintf(entry, sizeof(entry),
	    "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=" JOURNAL_IDENTIFIER
	    "\n",
	    message, priority);
	return send(journal, entry, (size_t)n, MSG_NOSIGNAL) == n ? 0 : -EIO;
}

static int
send_record(
    int priority, const char *message, const struct iovec *fields, size_t count)
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

	memcpy(iov + 4, fields, count * sizeof(*iov));
	return systemd_journal_sendv(iov, 4 + (int)count);
}

int
journal_send(int priority, char *message, const struct iovec *fields,
    size_t count, bool leaving)
{
	/* sd_journal_sendv() says nothing where there is no journal. */
	int journal = connect_to_journald(), rc;

	if (journal < 0)
		return -ENOENT;
	rc = fields ? send_record(priority, message, fields, count)
		    : send_sentence(journal, priority, message);
	if (rc >= 0 && leaving)
		await_journald(journal);
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
