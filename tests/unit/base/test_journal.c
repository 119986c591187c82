/* SPDX-License-Identifier: ISC */
/*
 * Against a socket in journald's place, in a /run of the test's own.
 */
#include "base/io.h"
#include "base/journal.h"
#include "base/systemd.h"
#include "network.h"

#include <dlfcn.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>

#define JOURNALD "/run/systemd/journal/socket"

/* A time that is over: what has to wait isn't done. */
#define NO_TIME 0

/* As journald's native protocol has a record's first four fields. */
#define RECORD                                                             \
	"MESSAGE=in words\nPRIORITY=6\nSYSLOG_IDENTIFIER=socks5-handler\n" \
	"MESSAGE_ID=2f62bec659de4328a56333ca27f72940\n"

static int
bind_journald(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = JOURNALD};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	HOLD(mount("none", "/run", "tmpfs", 0, NULL) == 0);
	HOLD(mkdir("/run/systemd", 0755) == 0);
	HOLD(mkdir("/run/systemd/journal", 0755) == 0);
	HOLD(fd >= 0);
	HOLD(bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0);
	return fd;
}

/* The next datagram is this, whole. */
static void
got(int fd, const char *text)
{
	static char data[JOURNAL_MESSAGE_MAX + 256];
	ssize_t n = recv(fd, data, sizeof(data), 0);

	HOLD(n == (ssize_t)strlen(text));
	HOLD(memcmp(data, text, strlen(text)) == 0);
}

static void
got_nothing_more(int fd)
{
	char byte;

	HOLD(recv(fd, &byte, 1, 0) < 0 && errno == EAGAIN);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int
send_record(int64_t until_ms)
{
	char message[] = "in words";
	char up[] = "SOCKS5_BYTES_UP=3", end[] = "SOCKS5_END=client-eof";
	const struct iovec fields[] = {
	    {up, strlen(up)},
	    {end, strlen(end)},
	};

	return journal_send(LOG_INFO, message, fields, COUNT(fields), until_ms);
}

static void
sentence_steps(void)
{
	static char longest[JOURNAL_MESSAGE_MAX];
	static char expected[JOURNAL_MESSAGE_MAX + 256];
	char message[] = "two\nlines\n";
	int fd = bind_journald();

	HOLD(journal_send(LOG_NOTICE, message, NULL, 0, NO_TIME) == 0);
	got(fd, "MESSAGE=two lines \nPRIORITY=5\n"
		"SYSLOG_IDENTIFIER=socks5-handler\n");
	memset(longest, 'x', sizeof(longest) - 1);
	HOLD(journal_send(LOG_DEBUG, longest, NULL, 0, NO_TIME) == 0);
	snprintf(expected, sizeof(expected),
	    "MESSAGE=%s\nPRIORITY=7\nSYSLOG_IDENTIFIER=socks5-handler\n",
	    longest);
	got(fd, expected);
	got_nothing_more(fd);
}

static void
record_steps(void)
{
	int fd = bind_journald();

	HOLD(send_record(NO_TIME) >= 0);
	got(fd, RECORD "SOCKS5_BYTES_UP=3\nSOCKS5_END=client-eof\n");
	got_nothing_more(fd);
}

static void
most_fields_steps(void)
{
	static char expected[1024];
	char message[] = "in words", field[] = "A=b";
	struct iovec fields[JOURNAL_FIELDS_MAX];
	int fd = bind_journald();

	strcpy(expected, RECORD);
	for (size_t i = 0; i < COUNT(fields); i++) {
		fields[i] = (struct iovec){field, strlen(field)};
		strcat(expected, "A=b\n");
	}
	HOLD(journal_send(LOG_INFO, message, fields, COUNT(fields), NO_TIME) >=
	     0);
	got(fd, expected);
}

/* Until it takes no more; how many those were. */
static int
fill(void)
{
	char message[] = "full";
	int n = 0;

	while (journal_send(LOG_INFO, message, NULL, 0, NO_TIME) == 0)
		n++;
	HOLD(journal_send(LOG_INFO, message, NULL, 0, NO_TIME) == -EAGAIN);
	return n;
}

/* Takes n datagrams after so long. */
static pid_t
take_later(int fd, int n, int ms)
{
	char data[4096];
	pid_t pid = fork_child();

	if (pid != 0)
		return pid;
	poll(NULL, 0, ms);
	while (n-- > 0) {
		HOLD(poll(&(struct pollfd){fd, POLLIN, 0}, 1, 10000) == 1);
		HOLD(recv(fd, data, sizeof(data), 0) >= 0);
	}
	_exit(0);
}

/* What waits, waits no longer than it may; signals or not. */
static void
full_steps(void)
{
	char message[] = "in words";
	int fd = bind_journald(), n = fill();
	int64_t started = now_ms();
	pid_t pid;

	signals_init();
	signals_alarm(20);
	HOLD(
	    journal_send(LOG_INFO, message, NULL, 0, started + 300) == -EAGAIN);
	HOLD(now_ms() - started >= 300);
	started = now_ms();
	HOLD(send_record(started + 300) == -EAGAIN);
	HOLD(now_ms() - started >= 300 && now_ms() - started < 4000);
	raise(SIGTERM);
	pid = take_later(fd, n + 2, 200);
	started = now_ms();
	HOLD(send_record(started + 5000) == 0);
	HOLD(now_ms() - started >= 200 && now_ms() - started < 4000);
	child_held(pid);
}

/* There is room for the record, and none for what stands behind it. */
static void
full_marker_steps(void)
{
	char data[4096];
	int fd = bind_journald(), n = fill();
	int64_t started = now_ms();
	pid_t pid;

	HOLD(recv(fd, data, sizeof(data), 0) > 0);
	pid = take_later(fd, n + 1, 200);
	HOLD(send_record(started + 5000) == 0);
	HOLD(now_ms() - started >= 200);
	child_held(pid);
}

/* Reads two datagrams as they come. */
static pid_t
start_reader(int fd)
{
	pid_t pid = fork_child();

	if (pid != 0)
		return pid;
	HOLD(poll(&(struct pollfd){fd, POLLIN, 0}, 1, 10000) == 1);
	got(fd, RECORD "SOCKS5_BYTES_UP=3\nSOCKS5_END=client-eof\n");
	HOLD(poll(&(struct pollfd){fd, POLLIN, 0}, 1, 10000) == 1);
	got(fd, "");
	_exit(0);
}

/*
 * Who leaves waits until the entry has been read, but not for long. A busy
 * machine may keep the reader from it now and then, not always.
 */
static void
leaving_steps(void)
{
	int fd = bind_journald();
	int64_t started = now_ms(), took = 0;

	HOLD(send_record(started + 5000) >= 0);
	HOLD(now_ms() - started >= 400);
	got(fd, RECORD "SOCKS5_BYTES_UP=3\nSOCKS5_END=client-eof\n");
	got(fd, "");
	got_nothing_more(fd);
	for (int i = 0; i == 0 || (took >= 400 && i < 10); i++) {
		pid_t pid = start_reader(fd);

		HOLD(pid > 0);
		started = now_ms();
		HOLD(send_record(started + 5000) >= 0);
		took = now_ms() - started;
		child_held(pid);
	}
	HOLD(took < 400);
}

/* Nobody reads, or has ever read: said, and libsystemd isn't loaded. */
static void
nobody_steps(void)
{
	char message[] = "in words";
	int fd = bind_journald();

	close(fd);
	HOLD(send_record(NO_TIME) == -ENOENT);
	HOLD(journal_send(LOG_ERR, message, NULL, 0, NO_TIME) == -ENOENT);
	HOLD(journal_connect(JOURNALD) < 0);
	HOLD(unlink(JOURNALD) == 0);
	HOLD(send_record(NO_TIME) == -ENOENT);
	HOLD(journal_send(LOG_ERR, message, NULL, 0, NO_TIME) == -ENOENT);
	HOLD(journal_connect(JOURNALD) < 0);
	journal_prepare();
	HOLD(!dlopen("libsystemd.so.0", RTLD_LAZY | RTLD_NOLOAD));
}

static void
prepare_steps(void)
{
	int fd = bind_journald(), journal;

	journal_prepare();
	got_nothing_more(fd);
	HOLD(dlopen("libsystemd.so.0", RTLD_LAZY | RTLD_NOLOAD));
	/* Nothing was left open. */
	journal = journal_connect(JOURNALD);
	HOLD(journal == fd + 1);
	HOLD(fcntl(journal, F_GETFD) == FD_CLOEXEC);
}

/* Skips the test where there is no libsystemd. */
static void
with_library(void (*steps)(void))
{
	pid_t pid = fork_child();
	int status = -1;

	/* In a child: the steps find it as it is at start. */
	if (pid == 0)
		_exit(systemd_journal_load() < 0);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0) {
		fprintf(stderr, "skipped: no libsystemd.so.0 here\n");
		skip();
	}
	in_network("", steps);
}

static void
sentence(void **state)
{
	(void)state;
	in_network("", sentence_steps);
}

static void
record(void **state)
{
	(void)state;
	with_library(record_steps);
}

static void
most_fields(void **state)
{
	(void)state;
	with_library(most_fields_steps);
}

static void
full(void **state)
{
	(void)state;
	with_library(full_steps);
	with_library(full_marker_steps);
}

static void
leaving(void **state)
{
	(void)state;
	with_library(leaving_steps);
}

static void
nobody(void **state)
{
	(void)state;
	in_network("", nobody_steps);
}

static void
prepare(void **state)
{
	(void)state;
	with_library(prepare_steps);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sentence),
	    cmocka_unit_test(record),
	    cmocka_unit_test(most_fields),
	    cmocka_unit_test(full),
	    cmocka_unit_test(leaving),
	    cmocka_unit_test(nobody),
	    cmocka_unit_test(prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
