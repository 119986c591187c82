/* SPDX-License-Identifier: ISC */
#include "base/log.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>

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

static void
targets(void **state)
{
	enum log_target target = LOG_TO_NONE;

	(void)state;
	assert_int_equal(log_target_parse("auto", &target), 0);
	assert_int_equal(target, LOG_TO_AUTO);
	assert_int_equal(log_target_parse("journal", &target), 0);
	assert_int_equal(target, LOG_TO_JOURNAL);
	assert_int_equal(log_target_parse("syslog", &target), 0);
	assert_int_equal(target, LOG_TO_SYSLOG);
	assert_int_equal(log_target_parse("stderr", &target), 0);
	assert_int_equal(target, LOG_TO_STDERR);
	assert_int_equal(log_target_parse("none", &target), 0);
	assert_int_equal(target, LOG_TO_NONE);
	assert_int_equal(log_target_parse("", &target), -EINVAL);
	assert_int_equal(log_target_parse("Auto", &target), -EINVAL);
	assert_int_equal(log_target_parse("stderr ", &target), -EINVAL);
	assert_int_equal(target, LOG_TO_NONE);
}

/* The longest record that there can be, in one piece. */
static void
longest_record(void **state)
{
	static char client[256], user[255], ident[255], name[255 + 6];
	static char line[8192];
	static struct log_datagrams datagrams = {INT64_MAX, INT64_MAX, ""};
	struct log_record record = {
	    .client = client,
	    .user = user,
	    .user_len = sizeof(user),
	    .ident = ident,
	    .ident_len = sizeof(ident),
	    .mptcp = "yes",
	    .command = "UDP_ASSOCIATE",
	    .target = name,
	    .target_len = sizeof(name),
	    .address = "[fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe%4294967295]"
		       ":65535",
	    .reply = 255,
	    .bytes_up = INT64_MAX,
	    .bytes_down = INT64_MAX,
	    .datagrams = &datagrams,
	    .handshake_ms = INT64_MAX,
	    .connect_ms = INT64_MAX,
	    .duration_ms = INT64_MAX,
	    .end = LOG_END_HANDSHAKE_TIMEOUT,
	    .error = "Invalid or incomplete multibyte or wide character",
	};
	size_t n;

	(void)state;
	memset(client, '\n', sizeof(client) - 1);
	memset(ident, '"', sizeof(ident));
	memset(name, 0xff, sizeof(name));
	memset(datagrams.dropped, 'x', sizeof(datagrams.dropped) - 1);
	listen_to_stderr();
	log_open(LOG_TO_STDERR);
	assert_int_equal(log_session(&record), 0);
	n = what_stderr_said(line, sizeof(line));
	assert_true(n > 4000);
	assert_non_null(strstr(line, " ident=\\x22\\x22"));
	assert_non_null(strstr(line, " mptcp=yes "));
	assert_ptr_equal(strchr(line, '\n'), line + n - 1);
	assert_non_null(strstr(line, " user=\\x00\\x00"));
	assert_non_null(strstr(line, " command=UDP_ASSOCIATE target=\\xff"));
	assert_non_null(strstr(line, " udp_up=9223372036854775807 "
				     "udp_down=9223372036854775807 "
				     "dropped=xxx"));
	assert_non_null(strstr(line, " end=handshake-timeout error=\"Inv"));
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
	struct log_record record = {
	    .client = "[2001:db8::1]:50412",
	    .user = user,
	    .user_len = sizeof(user) - 1,
	    .reply = -1,
	    .handshake_ms = -1,
	    .connect_ms = -1,
	    .duration_ms = 12,
	    .end = LOG_END_AUTH_FAILED,
	    .error = "wrong name or password",
	};
	char line[512] = "";

	(void)state;
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
	struct log_record record = {
	    .reply = -1,
	    .bytes_up = -1,
	    .bytes_down = -1,
	    .handshake_ms = -1,
	    .connect_ms = -1,
	    .duration_ms = -1,
	    .end = LOG_END_ERROR,
	};
	char line[128] = "";

	(void)state;
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(escape_every_byte),
	    cmocka_unit_test(escape_is_bounded),
	    cmocka_unit_test(escape_of_any_length),
	    cmocka_unit_test(targets),
	    cmocka_unit_test(longest_record),
	    cmocka_unit_test(failed_login),
	    cmocka_unit_test(shortest_record),
	    cmocka_unit_test(forbidden_stderr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
