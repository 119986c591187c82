/* SPDX-License-Identifier: ISC */
#include "protocol/wire4.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/un.h>

/* Room behind the longest message, to see that no byte of it is taken. */
#define BEHIND 8

struct both {
	struct wire_request request;
	struct wire4_user user;
};

static ssize_t
get(const uint8_t *message, size_t len, struct both *out)
{
	return wire4_get_request(
	    guarded(message, len), len, &out->request, &out->user);
}

/* Every prefix wants more and writes nothing; the whole takes its length. */
static void
walk(const uint8_t *message, size_t len, struct both *out)
{
	uint8_t longer[WIRE4_REQUEST_MAX + BEHIND];
	struct both untouched;

	memset(&untouched, 0xa5, sizeof(untouched));
	for (size_t n = 0; n < len; n++) {
		*out = untouched;
		assert_int_equal(get(message, n, out), 0);
		assert_memory_equal(out, &untouched, sizeof(untouched));
	}
	memset(longer, 4, sizeof(longer));
	memcpy(longer, message, len);
	for (size_t n = len; n <= len + BEHIND; n++)
		assert_int_equal(get(longer, n, out), len);
}

/* This verdict comes with byte `at`, and nothing is written for it. */
static void
fails_at(const uint8_t *message, size_t len, size_t at, int error)
{
	struct both out, untouched;

	memset(&untouched, 0xa5, sizeof(untouched));
	out = untouched;
	for (size_t n = 0; n <= len; n++)
		assert_int_equal(get(message, n, &out), n < at ? 0 : -error);
	assert_memory_equal(&out, &untouched, sizeof(untouched));
}

static void
request_by_ipv4(void **state)
{
	static const uint8_t message[] = "\4\1\x1f\x90\300\0\2\41fred";
	char text[WIRE_DESTINATION_MAX];
	struct both r;

	(void)state;
	walk(message, sizeof(message), &r);
	assert_int_equal(r.request.command, WIRE_CONNECT);
	assert_int_equal(r.request.dst.atyp, WIRE_ATYP_IPV4);
	assert_int_equal(r.request.dst.port, 8080);
	assert_memory_equal(&r.request.dst.ipv4, message + 4, 4);
	assert_int_equal(r.user.len, 4);
	assert_string_equal(r.user.id, "fred");
	assert_int_equal(wire_check_destination(&r.request.dst), 0);
	wire_print_destination(&r.request.dst, text);
	assert_string_equal(text, "192.0.2.33:8080");
}

static void
bind_without_a_user(void **state)
{
	static const uint8_t message[] = "\4\2\377\377\377\377\377\377";
	struct both r;

	(void)state;
	walk(message, sizeof(message), &r);
	assert_int_equal(r.request.command, WIRE_BIND);
	assert_int_equal(r.request.dst.atyp, WIRE_ATYP_IPV4);
	assert_int_equal(r.request.dst.port, 65535);
	assert_int_equal(r.user.len, 0);
	assert_string_equal(r.user.id, "");
}

static void
request_by_name(void **state)
{
	uint8_t message[WIRE4_REQUEST_MAX] = "\4\1\0\120\0\0\0\1me";
	char text[WIRE_DESTINATION_MAX];
	struct both r;

	(void)state;
	for (size_t len = 0; len <= WIRE4_NAME_MAX; len++) {
		memset(message + 11, 'a', len);
		message[11 + len] = '\0';
		walk(message, 12 + len, &r);
		assert_int_equal(r.request.dst.atyp, WIRE_ATYP_NAME);
		assert_int_equal(r.request.dst.name_len, len);
		assert_memory_equal(r.request.dst.name, message + 11, len + 1);
		assert_int_equal(r.request.dst.port, 80);
		assert_int_equal(r.user.len, 2);
		assert_int_equal(
		    wire_check_destination(&r.request.dst), len ? 0 : -EINVAL);
		assert_int_equal(
		    wire_print_destination(&r.request.dst, text), len + 3);
	}
}

/* All four bytes count. */
static void
what_announces_a_name(void **state)
{
	struct both r;

	(void)state;
	for (size_t place = 4; place < 8; place++) {
		for (int value = 0; value < 256; value++) {
			uint8_t message[] = "\4\1\0\120\0\0\0\1\0n";
			bool name = place == 7 ? value != 0 : value == 0;

			message[place] = (uint8_t)value;
			assert_int_equal(
			    get(message, sizeof(message), &r), name ? 11 : 9);
			assert_int_equal(r.request.dst.atyp,
			    name ? WIRE_ATYP_NAME : WIRE_ATYP_IPV4);
			if (!name)
				assert_memory_equal(
				    &r.request.dst.ipv4, message + 4, 4);
		}
	}
}

static void
longest_user_and_name(void **state)
{
	uint8_t message[WIRE4_REQUEST_MAX] = "\4\2\0\120\0\0\0\377";
	struct both r;

	(void)state;
	memset(message + 8, 'u', WIRE4_USER_MAX);
	memset(message + 8 + WIRE4_USER_MAX + 1, 'n', WIRE4_NAME_MAX);
	walk(message, sizeof(message), &r);
	assert_int_equal(r.user.len, WIRE4_USER_MAX);
	assert_int_equal(strlen(r.user.id), WIRE4_USER_MAX);
	assert_int_equal(strlen(r.request.dst.name), WIRE4_NAME_MAX);
}

/* One byte more than fits is enough to tell. */
static void
no_end_in_sight(void **state)
{
	uint8_t message[WIRE4_REQUEST_MAX + 2];
	size_t name = 8 + WIRE4_USER_MAX + 1;

	(void)state;
	memset(message, 'x', sizeof(message));
	memcpy(message, "\4\1\0\120\0\0\0\1", 8);
	fails_at(message, sizeof(message), 8 + WIRE4_USER_MAX + 1, EMSGSIZE);
	message[8 + WIRE4_USER_MAX + 1] = '\0';
	fails_at(message, sizeof(message), 8 + WIRE4_USER_MAX + 1, EMSGSIZE);
	message[name - 1] = '\0';
	message[name] = 'x';
	fails_at(message, sizeof(message), name + WIRE4_NAME_MAX + 1, EMSGSIZE);
	/* Where no name is announced, what follows is not one. */
	message[4] = 1;
	walk(message, name, &(struct both){0});
}

static void
what_is_no_request(void **state)
{
	struct both out, untouched;

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	out = untouched;
	for (int value = 0; value < 256; value++) {
		uint8_t message[2] = {(uint8_t)value, 1};

		assert_int_equal(
		    get(message, 1, &out), value == 4 ? 0 : -EPROTO);
		message[0] = 4;
		message[1] = (uint8_t)value;
		assert_int_equal(get(message, 2, &out),
		    value == 1 || value == 2 || value == 0xf0 ? 0
							      : -EOPNOTSUPP);
	}
	assert_memory_equal(&out, &untouched, sizeof(untouched));
}

/* A user id is any bytes but a NUL. */
static void
user_is_taken_as_it_comes(void **state)
{
	uint8_t message[8 + WIRE4_USER_MAX + 1] = "\4\1\0\120\177\0\0\1";
	struct both r;

	(void)state;
	for (size_t i = 0; i < WIRE4_USER_MAX; i++)
		message[8 + i] = (uint8_t)(i + 1);
	walk(message, sizeof(message), &r);
	assert_int_equal(r.user.len, WIRE4_USER_MAX);
	assert_memory_equal(r.user.id, message + 8, WIRE4_USER_MAX + 1);
}

static void
replies(const union addr *bound, uint8_t rep, const char *expected)
{
	static const char zeros[WIRE4_REPLY_LEN];
	uint8_t *out = guarded(zeros, sizeof(zeros));

	assert_int_equal(wire4_put_reply(rep, bound, out), WIRE4_REPLY_LEN);
	assert_memory_equal(out, expected, WIRE4_REPLY_LEN);
}

static void
reply(void **state)
{
	union addr in = {.in = {
			     .sin_family = AF_INET,
			     .sin_port = htons(0x1234),
			     .sin_addr.s_addr = htonl(0xc0000221),
			 }};
	union addr in6 = {.in6 = {
			      .sin6_family = AF_INET6,
			      .sin6_port = htons(0x1234),
			  }};
	union addr un = {.sa.sa_family = AF_UNIX};

	(void)state;
	replies(&in, 0, "\0\x5a\x12\x34\xc0\0\2\x21");
	inet_pton(AF_INET6, "::ffff:192.0.2.33", &in6.in6.sin6_addr);
	replies(&in6, 0, "\0\x5a\x12\x34\xc0\0\2\x21");
	inet_pton(AF_INET6, "2001:db8::1", &in6.in6.sin6_addr);
	replies(&in6, 0, "\0\x5a\0\0\0\0\0\0");
	replies(&un, 0, "\0\x5a\0\0\0\0\0\0");
	replies(NULL, 0, "\0\x5a\0\0\0\0\0\0");
	for (int rep = 1; rep < 256; rep++)
		replies(NULL, (uint8_t)rep, "\0\x5b\0\0\0\0\0\0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_by_ipv4),
	    cmocka_unit_test(bind_without_a_user),
	    cmocka_unit_test(request_by_name),
	    cmocka_unit_test(what_announces_a_name),
	    cmocka_unit_test(longest_user_and_name),
	    cmocka_unit_test(no_end_in_sight),
	    cmocka_unit_test(what_is_no_request),
	    cmocka_unit_test(user_is_taken_as_it_comes),
	    cmocka_unit_test(reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
