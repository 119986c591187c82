/* SPDX-License-Identifier: ISC */
#include "base/io.h"
#include "base/log.h"
#include "base/systemd.h"
#include "network.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

static void
escape_every_byte(void **state)
{
	(void)state;
	for (int value = 0; value < 256; value++) {
		char byte = (char)value, out[8], expected[8];

		if (value > ' ' && value < 127 && value != '"' && value != '\\')
			snprintf(expected, sizeof(expected), "%c", byte);
		else
			snprintf(expected, sizeof(expected), "\\x%02x", value);
		log_escape((char *)guarded(&byte, 1), 1, out, sizeof(out));
		assert_string_equal(out, expected);
	}
}

/* Cut between characters, never inside an escape, never past the end. */
static void
escape_is_bounded(void **state)
{
	static const char text[] = "ab\ncd\001";
	static const char *const expected[] = {NULL, "", "a", "ab", "ab", "ab",
	    "ab", "ab\\x0a", "ab\\x0ac", "ab\\x0acd", "ab\\x0acd", "ab\\x0acd",
	    "ab\\x0acd", "ab\\x0acd\\x01"};

	(void)state;
	for (size_t size = 1; size < COUNT(expected); size++) {
		char zeros[32] = {0};
		char *out = (char *)guarded(zeros, size);

		log_escape(text, sizeof(text) - 1, out, size);
		assert_string_equal(out, expected[size]);
	}
}

/* As much as there is room for, wherever the cut falls. */
static void
escape_of_any_length(void **state)
{
	static char zeros[64], plain[64], odd[64];

	(void)state;
	memset(plain, 'x', sizeof(plain));
	memset(odd, '"', sizeof(odd));
	for (size_t size = 1; size < sizeof(zeros); size++) {
		char *out = (char *)guarded(zeros, size);

		for (size_t len = 0; len <= sizeof(plain); len++) {
			size_t most = len < size - 1 ? len : size - 1;

			log_escape(plain, len, out, size);
			assert_int_equal(strnlen(out, size), most);
			most = 4 * len < size ? 4 * len : (size - 1) / 4 * 4;
			log_escape(odd, len, out, size);
			assert_int_equal(strnlen(out, size), most);
		}
	}
}

/* Every field at its longest, each of which is there, in one piece. */
static void
longest_record(void **state)
{
	static char bytes[255 + 6], words[LOG_WORDS_MAX];
	static char line[16384];
	struct log_record record;
	size_t n;

	(void)state;
	memset(bytes, '\n', sizeof(bytes));
	memset(words, 'x', sizeof(words) - 1);
	words[7] = ' ';
#define MOST_BYTES(name)     \
	record.name = bytes; \
	record.name##_len = sizeof(bytes);
#define MOST_WORDS(name)  record.name = words;
#define MOST_NUMBER(name) record.name = INT64_MAX;
#define MOST_END(name)    record.name = LOG_END_HANDSHAKE_TIMEOUT;
#define MOST(kind, name)  MOST_##kind(name)
	LOG_FIELDS(MOST)
	listen_to_stderr();
	log_open(LOG_TO_STDERR);
	assert_int_equal(log_session(&record), 0);
	n = what_stderr_said(line, sizeof(line));
	assert_ptr_equal(strchr(line, '\n'), line + n - 1);
#define SEEN_BYTES(name) assert_non_null(strstr(line, #name "=\\x0a\\x0a"));
#define SEEN_WORDS(name) \
	assert_non_null(strstr(line, " " #name "=\"xxxxxxx x"));
#define SEEN_NUMBER(name) \
	assert_non_null(strstr(line, " " #name "=9223372036854775807 "));
#define SEEN_END(name) \
	assert_non_null(strstr(line, " " #name "=handshake-timeout "));
#define SEEN(kind, name) SEEN_##kind(name)
	LOG_FIELDS(SEEN)
}

/*
 * What a filter for failed logins relies on: nothing that a client can send
 * looks like another field.
 */
static void
failed_login(void **state)
{
	static const char user[] =
	    "x client=192.0.2.9:1 end=\"auth-failed\"\nend=refused";
	struct log_record record = log_nothing;
	char line[512] = "";

	(void)state;
	record.client = "[2001:db8::1]:50412";
	record.client_len = strlen(record.client);
	record.user = user;
	record.user_len = sizeof(user) - 1;
	record.bytes_up = record.bytes_down = 0;
	record.duration_ms = 12;
	record.end = LOG_END_AUTH_FAILED;
	record.error = "wrong name or password";
	listen_to_stderr();
	log_open(LOG_TO_STDERR);
	assert_int_equal(log_session(&record), 0);
	what_stderr_said(line, sizeof(line));
	assert_string_equal(line,
	    "socks5-handler: client=[2001:db8::1]:50412 "
	    "user=x\\x20client=192.0.2.9:1\\x20end=\\x22auth-failed\\x22"
	    "\\x0aend=refused bytes_up=0 bytes_down=0 duration_ms=12 "
	    "end=auth-failed error=\"wrong name or password\"\n");
}

/* What is not known is left out. */
static void
shortest_record(void **state)
{
	struct log_record record = log_nothing;
	char line[128] = "";

	(void)state;
	record.end = LOG_END_ERROR;
	listen_to_stderr();
	log_open(LOG_TO_STDERR);
	assert_int_equal(log_session(&record), 0);
	what_stderr_said(line, sizeof(line));
	assert_string_equal(line, "socks5-handler: end=error\n");
}

/* Nowhere to go: an error, and nothing written. */
static void
forbidden_stderr(void **state)
{
	struct log_record record = {.end = LOG_END_ERROR};

	(void)state;
	assert_false(log_stderr_forbidden());
	log_forbid_stderr();
	assert_true(log_stderr_forbidden());
	log_open(LOG_TO_STDERR);
	assert_int_equal(log_session(&record), -EBADF);
	log_open(LOG_TO_NONE);
	assert_int_equal(log_session(&record), 0);
}

/* Standard error is a pipe that takes no more, until one end reads. */
static void
a_log_that_takes_nothing(void **state)
{
	static char scrap[1 << 20];
	int64_t started = io_now_ms();
	char said[1024] = "";
	int flags;

	(void)state;
	log_open(LOG_TO_STDERR);
	listen_to_stderr();
	flags = fcntl(STDERR_FILENO, F_GETFL);
	fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
	while (write(STDERR_FILENO, scrap, 1) > 0)
		;
	fcntl(STDERR_FILENO, F_SETFL, flags);
	log_never_wait(true);
	assert_false(log_owes());
	assert_int_equal(log_catch_up(), 0);
	assert_int_equal(log_notice("one"), -EAGAIN);
	assert_int_equal(log_notice("two"), -EAGAIN);
	assert_true(log_owes());
	assert_int_equal(log_catch_up(), -EAGAIN);
	assert_int_equal(log_catch_up(), -EAGAIN);
	assert_true(io_now_ms() - started < 1000);
	assert_true(read(unit_pipe[0], scrap, sizeof(scrap)) > 0);
	assert_int_equal(log_catch_up(), 0);
	assert_false(log_owes());
	assert_int_equal(log_notice("three"), 0);
	log_never_wait(false);
	what_stderr_said(said, sizeof(said));
	assert_non_null(
	    strstr(said, "before this, sentences that no log took: 2\n"
			 "socks5-handler: three\n"));
}

/* A socket in the place of journald's, or of syslogd's. */
static int
bind_log(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(un.sun_path, path);
	HOLD(bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0);
	return fd;
}

/* Empty datagrams only ask whether it reads. */
static bool
took(int fd)
{
	char data[1024];
	bool any = false;
	ssize_t n;

	while ((n = recv(fd, data, sizeof(data), 0)) >= 0)
		any = any || n > 0;
	return any;
}

/* Which of the three had the record: "j", "s", "e"; or nobody, or several. */
static const char *
taken_by(enum log_target target, int journald, int syslogd)
{
	static char names[4];
	struct log_record record = log_nothing;
	char said[512];

	record.end = LOG_END_REFUSED;
	log_open(target);
	listen_to_stderr();
	log_session(&record);
	snprintf(names, sizeof(names), "%s%s%s",
	    what_stderr_said(said, sizeof(said)) > 0 ? "e" : "",
	    took(journald) ? "j" : "", took(syslogd) ? "s" : "");
	unit_row("to %d: %s", target, names);
	return names;
}

#define JOURNALD "/run/systemd/journal/socket"

static void
places_for_a_record(void)
{
	int journald, syslogd;

	HOLD(mount("none", "/run", "tmpfs", 0, NULL) == 0);
	HOLD(mount("none", "/dev", "tmpfs", 0, NULL) == 0);
	HOLD(mkdir("/run/systemd", 0755) == 0);
	HOLD(mkdir("/run/systemd/journal", 0755) == 0);
	journald = bind_log(JOURNALD);
	syslogd = bind_log("/dev/log");
	HOLD(strcmp(taken_by(LOG_TO_AUTO, journald, syslogd), "j") == 0);
	HOLD(strcmp(taken_by(LOG_TO_JOURNAL, journald, syslogd), "j") == 0);
	HOLD(strcmp(taken_by(LOG_TO_SYSLOG, journald, syslogd), "s") == 0);
	HOLD(strcmp(taken_by(LOG_TO_STDERR, journald, syslogd), "e") == 0);
	HOLD(strcmp(taken_by(LOG_TO_NONE, journald, syslogd), "") == 0);
	unlink(JOURNALD);
	HOLD(strcmp(taken_by(LOG_TO_AUTO, journald, syslogd), "s") == 0);
	HOLD(strcmp(taken_by(LOG_TO_JOURNAL, journald, syslogd), "s") == 0);
	unlink("/dev/log");
	HOLD(strcmp(taken_by(LOG_TO_AUTO, journald, syslogd), "e") == 0);
	HOLD(strcmp(taken_by(LOG_TO_SYSLOG, journald, syslogd), "e") == 0);
}

/* The first from the chosen one on that is there, and no other. */
static void
where_a_record_goes(void **state)
{
	(void)state;
	if (systemd_journal_load() < 0) {
		fprintf(stderr, "skipped: no libsystemd.so.0 here\n");
		skip();
	}
	in_network("", places_for_a_record);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(escape_every_byte),
	    cmocka_unit_test(escape_is_bounded),
	    cmocka_unit_test(escape_of_any_length),
	    cmocka_unit_test(a_log_that_takes_nothing),
	    cmocka_unit_test(where_a_record_goes),
	    cmocka_unit_test(longest_record),
	    cmocka_unit_test(failed_login),
	    cmocka_unit_test(shortest_record),
	    cmocka_unit_test(forbidden_stderr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
