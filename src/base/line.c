/* SPDX-License-Identifier: ISC */
#include "base/line.h"
#include "base/io.h"
#include "base/journal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#define SYSLOG_SOCKET "/dev/log"

/* Another process that writes to the same pipe may be quicker to fill it, and
 * hold us up for so long. */
#define RACE_MS 10

int
line_to_syslog(int priority, const char *message, int64_t until_ms)
{
	char line[LINE_MAX_LEN + 64];
	int fd = journal_connect(SYSLOG_SOCKET), len, rc;

	if (fd < 0)
		return -ENOENT;
	/* The time is the reader's to add (RFC 3164 section 4.3.2). */
	len = snprintf(line, sizeof(line), "<%d>" JOURNAL_IDENTIFIER "[%d]: %s",
	    LOG_DAEMON | priority, getpid(), message);
	rc = journal_put(fd, line, (size_t)len, until_ms);
	close(fd);
	return rc;
}

static int
write_all(const char *line, size_t len, int64_t until_ms)
{
	int rc = 0;

	while (rc == 0 && len > 0) {
		/* In one piece, so that many handlers can share a terminal. */
		ssize_t n = write(STDERR_FILENO, line, len);

		if (n >= 0) {
			line += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			rc = io_await(STDERR_FILENO, POLLOUT, until_ms);
		} else if (errno != EINTR) {
			rc = -errno;
		} else if (io_now_ms() >= until_ms) {
			rc = -EAGAIN;
		}
	}
	return rc;
}

bool
line_has_syslog(void)
{
	int fd = journal_connect(SYSLOG_SOCKET);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int
line_to_stderr(const char *message, int64_t until_ms)
{
	char line[LINE_MAX_LEN + 64];
	struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
	size_t len = (size_t)snprintf(
	    line, sizeof(line), JOURNAL_IDENTIFIER ": %s\n", message);
	int rc;

	if (until_ms > io_now_ms())
		return write_all(line, len, until_ms);
	if (poll(&ready, 1, 0) == 0)
		return -EAGAIN;
	signals_alarm(RACE_MS);
	rc = write_all(line, len, until_ms);
	signals_alarm(0);
	return rc;
}
