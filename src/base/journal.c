/* SPDX-License-Identifier: ISC */
/*
 * Promises: an entry is whole, and is the unit's even when the process leaves
 * behind it.
 */
#include "base/journal.h"

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

int
journal_send(int priority, char *message, const struct iovec *fields,
    size_t count, bool leaving)
{
	char head[JOURNAL_MESSAGE_MAX + 128], feed[] = "\n";
	struct iovec iov[1 + 2 * JOURNAL_FIELDS_MAX] = {{.iov_base = head}};
	int journal = journal_connect(JOURNAL_SOCKET), rc = 0;

	if (journal < 0)
		return -ENOENT;
	for (char *c = message; (c = strchr(c, '\n')); c++)
		*c = ' ';
	iov->iov_len = (size_t)snprintf(head, sizeof(head),
	    "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=" JOURNAL_IDENTIFIER
	    "\n%s",
	    message, priority,
	    count ? "MESSAGE_ID=" JOURNAL_RECORD_ID "\n" : "");
	for (size_t i = 0; i < count; i++) {
		iov[1 + 2 * i] = fields[i];
		iov[2 + 2 * i] = (struct iovec){feed, 1};
	}
	if (writev(journal, iov, 1 + 2 * (int)count) < 0)
		rc = -errno;
	else if (leaving)
		await_journald(journal);
	close(journal);
	return rc;
}
