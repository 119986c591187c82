/* SPDX-License-Identifier: ISC */
#include "protocol/wire.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/un.h>

/* Every prefix wants more and writes nothing; the whole takes its length. */
static void
walk_greeting(const uint8_t *message, size_t len)
{
	struct wire_greeting out, untouched;
	uint8_t longer[WIRE_GREETING_MAX + 8];

	memset(&untouched, 0xa5, sizeof(untouched));
	for (size_t n = 0; n < len; n++) {
		out = untouched;
		assert_int_equal(
		    wire_get_greeting(guarded(message, n), n, &out), 0);
		assert_memory_equal(&out, &untouched, sizeof(out));
	}
	memset(longer, 5, sizeof(longer));
	memcpy(longer, message, len);
	for (size_t n = len; n < len + 8; n++)
		assert_int_equal(
		    wire_get_greeting(guarded(longer, n), n, &out), len);
	assert_int_equal(out.methods_len, message[1]);
	assert_memory_equal(out.methods, message + 2, message[1]);
}

static void
greeting(void **state)
{
	uint8_t message[WIRE_GREETING_MAX] = {5};

	(void)state;
	for (size_t i = 2; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	for (int n = 0; n <= 255; n++) {
		message[1] = (uint8_t)n;
		walk_greeting(message, 2 + (size_t)n);
	}
}

static void
greeting_of_another_version(void **state)
{
	struct wire_greeting out, untouched;

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	out = untouched;
	for (int version = 0; version < 256; version++) {
		uint8_t byte = (uint8_t)version;

		assert_int_equal(wire_get_greeting(guarded(&byte, 1), 1, &out),
		    version == 5 ? 0 : -EPROTO);
	}
	assert_memory_equal(&out, &untouched, sizeof(untouched));
}

static void
walk_password(size_t name_len, size_t password_len)
{
	uint8_t message[WIRE_PASSWORD_MAX + 8];
	struct wire_password out, untouched;
	size_t len = 3 + name_len + password_len;

	memset(message, 5, sizeof(message));
	message[0] = 1;
	message[1] = (uint8_t)name_len;
	memset(message + 2, 'n', name_len);
	message[2 + name_len] = (uint8_t)password_len;
	memset(message + 3 + name_len, 'p', password_len);
	memset(&untouched, 0xa5, sizeof(untouched));
	for (size_t n = 0; n < len; n++) {
		out = untouched;
		assert_int_equal(
		    wire_get_password(guarded(message, n), n, &out), 0);
		assert_memory_equal(&out, &untouched, sizeof(out));
	}
	for (size_t n = len; n < len + 8; n++)
		assert_int_equal(
		    wire_get_password(guarded(message, n), n, &out), len);
	assert_int_equal(out.name_len, name_len);
	assert_int_equal(out.password_len, password_len);
	assert_memory_equal(out.name, message + 2, name_len);
	assert_memory_equal(out.password, message + 3 + name_len, password_len);
}

static void
password(void **state)
{
	static const size_t lens[] = {0, 1, 2, 127, 128, 254, 255};

	(void)state;
	for (size_t i = 1; i < COUNT(lens); i++)
		for (size_t j = 0; j < COUNT(lens); j++) {
			unit_row("%zu and %zu bytes", lens[i], lens[j]);
			walk_password(lens[i], lens[j]);
		}
}

/* One byte of VER, one of ULEN, and it is clear. */
static void
password_that_is_none(void **state)
{
	struct wire_password out, untouched;

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	out = untouched;
	for (int value = 0; value < 256; value++) {
		uint8_t message[] = {(uint8_t)value, 0};

		assert_int_equal(
		    wire_get_password(guarded(message, 1), 1, &out),
		    value == 1 ? 0 : -EPROTO);
		assert_int_equal(
		    wire_get_password(guarded(message, 2), 2, &out),
		    value == 1 ? -EINVAL : -EPROTO);
	}
	assert_memory_equal(&out, &untouched, sizeof(untouched));
}

static void
walk_request(const uint8_t *message, size_t len, struct wire_request *out)
{
	struct wire_request untouched;
	uint8_t longer[WIRE_REQUEST_MAX + 8];

	memset(&untouched, 0xa5, sizeof(untouched));
	for (size_t n = 0; n < len; n++) {
		*out = untouched;
		assert_int_equal(
		    wire_get_request(guarded(message, n), n, out), 0);
		assert_memory_equal(out, &untouched, sizeof(untouched));
	}
	memset(longer, 5, sizeof(longer));
	memcpy(longer, message, len);
	for (size_t n = len; n < len + 8; n++)
		assert_int_equal(
		    wire_get_request(guarded(longer, n), n, out), len);
}

static void
request_by_ipv4(void **state)
{
	static const uint8_t message[] = {
	    5, 1, 0, 1, 192, 0, 2, 33, 0x1f, 0x90};
	struct wire_request r;
	char text[WIRE_DESTINATION_MAX];

	(void)state;
	walk_request(message, sizeof(message), &r);
	assert_int_equal(r.command, WIRE_CONNECT);
	assert_int_equal(r.dst.atyp, WIRE_ATYP_IPV4);
	assert_int_equal(r.dst.port, 8080);
	assert_memory_equal(&r.dst.ipv4, message + 4, 4);
	assert_int_equal(wire_check_destination(&r.dst), 0);
	assert_int_equal(wire_print_destination(&r.dst, text), 15);
	assert_string_equal(text, "192.0.2.33:8080");
}

static void
request_by_ipv6(void **state)
{
	uint8_t message[22] = {5, 2, 0, 4, 0x20, 0x01, 0x0d, 0xb8};
	struct wire_request r;
	char text[WIRE_DESTINATION_MAX];

	(void)state;
	message[19] = 1;
	message[20] = 0xff;
	message[21] = 0xff;
	walk_request(message, sizeof(message), &r);
	assert_int_equal(r.command, WIRE_BIND);
	assert_int_equal(r.dst.atyp, WIRE_ATYP_IPV6);
	assert_int_equal(r.dst.port, 65535);
	assert_memory_equal(&r.dst.ipv6, message + 4, 16);
	wire_print_destination(&r.dst, text);
	assert_string_equal(text, "[2001:db8::1]:65535");
}

static void
request_by_name(void **state)
{
	uint8_t message[WIRE_REQUEST_MAX] = {5, 1, 0, 3};
	char text[WIRE_DESTINATION_MAX];
	struct wire_request r;

	(void)state;
	for (size_t len = 0; len <= 255; len++) {
		message[4] = (uint8_t)len;
		memset(message + 5, 'a', len);
		message[5 + len] = 0xff;
		message[6 + len] = 0xff;
		walk_request(message, 7 + len, &r);
		assert_int_equal(r.dst.atyp, WIRE_ATYP_NAME);
		assert_int_equal(r.dst.name_len, len);
		assert_memory_equal(r.dst.name, message + 5, len);
		assert_int_equal(r.dst.name[len], 0);
		assert_int_equal(r.dst.port, 65535);
		assert_int_equal(wire_print_destination(&r.dst, text), len + 6);
		assert_string_equal(text + len, ":65535");
	}
}

static void
request_that_is_none(void **state)
{
	struct wire_request out, untouched;

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	out = untouched;
	for (int value = 0; value < 256; value++) {
		uint8_t message[] = {5, 1, 0, (uint8_t)value, 0};
		ssize_t expected =
		    value == 1 || value == 3 || value == 4 ? 0 : -EAFNOSUPPORT;

		/* One byte of ATYP is enough to tell. */
		assert_int_equal(
		    wire_get_request(guarded(message, 4), 4, &out), expected);
		message[0] = (uint8_t)value;
		assert_int_equal(wire_get_request(guarded(message, 1), 1, &out),
		    value == 5 ? 0 : -EPROTO);
	}
	assert_memory_equal(&out, &untouched, sizeof(untouched));
}

static void
rsv_and_cmd_are_taken_as_they_come(void **state)
{
	uint8_t message[] = {5, 0, 0, 1, 127, 0, 0, 1, 0, 80};
	struct wire_request out;

	(void)state;
	for (int value = 0; value < 256; value++) {
		message[1] = message[2] = (uint8_t)value;
		assert_int_equal(
		    wire_get_request(message, sizeof(message), &out),
		    sizeof(message));
		assert_int_equal(out.command, value);
	}
	assert_string_equal(wire_command_name(1), "CONNECT");
	assert_string_equal(wire_command_name(2), "BIND");
	assert_string_equal(wire_command_name(3), "UDP_ASSOCIATE");
	assert_string_equal(wire_command_name(0xf0), "RESOLVE");
	assert_string_equal(wire_command_name(0xf1), "RESOLVE_PTR");
	assert_string_equal(wire_command_name(0), "unknown");
	assert_string_equal(wire_command_name(255), "unknown");
}

static void
names_worth_a_lookup(void **state)
{
	struct wire_destination dst = {.atyp = WIRE_ATYP_NAME};

	(void)state;
	assert_int_equal(wire_check_destination(&dst), -EINVAL);
	for (int value = 0; value < 256; value++) {
		bool misread = value <= ' ' || value == 127 || value == '\\';
		int expected = misread ? -EINVAL : 0;

		for (size_t at = 0; at < 3; at++) {
			memcpy(dst.name, "abc", 4);
			dst.name_len = 3;
			dst.name[at] = (char)value;
			assert_int_equal(
			    wire_check_destination(&dst), expected);
		}
	}
}

/* Literals pass, whatever stands in the fields that don't hold. */
static void
literals_are_not_looked_up(void **state)
{
	struct wire_destination dst = {.atyp = WIRE_ATYP_IPV4};

	(void)state;
	assert_int_equal(wire_check_destination(&dst), 0);
	dst.atyp = WIRE_ATYP_IPV6;
	dst.name_len = 1;
	assert_int_equal(wire_check_destination(&dst), 0);
}

/* The longest of each kind, flush against what can't be written. */
static void
print_is_bounded(void **state)
{
	static const char zeros[WIRE_DESTINATION_MAX];
	char *text = (char *)guarded(zeros, sizeof(zeros));
	struct wire_destination dst = {
	    .atyp = WIRE_ATYP_NAME, .name_len = 255, .port = 65535};

	(void)state;
	for (size_t i = 0; i < 255; i++)
		dst.name[i] = (char)i; /* NULs and all */
	assert_int_equal(
	    wire_print_destination(&dst, text), WIRE_DESTINATION_MAX - 1);
	assert_memory_equal(text, dst.name, 255);
	assert_string_equal(text + 255, ":65535");

	dst.name_len = 0;
	assert_int_equal(wire_print_destination(&dst, text), 6);
	assert_string_equal(text, ":65535");

	dst.atyp = WIRE_ATYP_IPV6;
	memset(&dst.ipv6, 0xfe, sizeof(dst.ipv6));
	assert_int_equal(wire_print_destination(&dst, text), 47);
	assert_string_equal(
	    text, "[fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe]:65535");

	dst.atyp = WIRE_ATYP_IPV4;
	memset(&dst.ipv4, 0xff, sizeof(dst.ipv4));
	dst.port = 0;
	assert_int_equal(wire_print_destination(&dst, text), 17);
	assert_string_equal(text, "255.255.255.255:0");
}

static void
method(void **state)
{
	uint8_t out[WIRE_METHOD_LEN];

	(void)state;
	assert_int_equal(wire_put_method(WIRE_METHOD_NO_ACCEPTABLE, out), 2);
	assert_memory_equal(out, "\5\xff", 2);
	wire_put_method(WIRE_METHOD_NONE, out);
	assert_memory_equal(out, "\5\0", 2);
}

static void
status(void **state)
{
	uint8_t out[WIRE_STATUS_LEN];

	(void)state;
	assert_int_equal(wire_put_status(WIRE_STATUS_SUCCESS, out), 2);
	assert_memory_equal(out, "\x01\x00", 2);
	assert_int_equal(wire_put_status(WIRE_STATUS_FAILURE, out), 2);
	assert_memory_equal(out, "\x01\x01", 2);
}

static void
reply_without_address(void **state)
{
	union addr un = {.sa.sa_family = AF_UNIX};
	uint8_t out[WIRE_REPLY_MAX];

	(void)state;
	assert_int_equal(wire_put_reply(WIRE_REP_REFUSED, NULL, out), 10);
	assert_memory_equal(out, "\5\5\0\1\0\0\0\0\0\0", 10);
	assert_int_equal(wire_put_reply(1, &un, out), 10);
	assert_memory_equal(out, "\5\1\0\1\0\0\0\0\0\0", 10);
}

static void
reply_with_address(void **state)
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
	uint8_t out[WIRE_REPLY_MAX];

	(void)state;
	assert_int_equal(wire_put_reply(0, &in, out), 10);
	assert_memory_equal(out, "\5\0\0\1\xc0\0\2\x21\x12\x34", 10);

	inet_pton(AF_INET6, "::ffff:192.0.2.33", &in6.in6.sin6_addr);
	assert_int_equal(wire_put_reply(0, &in6, out), 10);
	assert_memory_equal(out, "\5\0\0\1\xc0\0\2\x21\x12\x34", 10);

	inet_pton(AF_INET6, "2001:db8::1", &in6.in6.sin6_addr);
	assert_int_equal(wire_put_reply(0, &in6, out), 22);
	assert_memory_equal(out, "\5\0\0\4\x20\x01\x0d\xb8", 8);
	assert_memory_equal(out + 19, "\1\x12\x34", 3);
}

/* Any REP, any family: whole, and never with a name. */
static void
every_reply_is_complete(void **state)
{
	static const char zeros[WIRE_REPLY_MAX];
	union addr addr;

	(void)state;
	for (int rep = 0; rep < 256; rep++) {
		for (int family = 0; family < 64; family++) {
			size_t len = family == AF_INET6 ? 22 : 10;
			uint8_t *out = guarded(zeros, len);

			memset(&addr, 0x20, sizeof(addr));
			addr.sa.sa_family = (sa_family_t)family;
			assert_int_equal(
			    wire_put_reply((uint8_t)rep, &addr, out), len);
			assert_int_equal(out[0], 5);
			assert_int_equal(out[1], rep);
			assert_int_equal(out[2], 0);
			assert_int_equal(out[3], family == AF_INET6 ? 4 : 1);
			if (family != AF_INET && family != AF_INET6)
				assert_memory_equal(out + 4, zeros, 6);
		}
	}
}

static void
name_reply(void **state)
{
	static const char zeros[WIRE_NAME_REPLY_MAX];
	char name[WIRE_NAME_SIZE];

	(void)state;
	for (size_t len = 1; len <= 255; len++) {
		uint8_t *out = guarded(zeros, 7 + len);

		memset(name, 'n', len);
		name[len] = '\0';
		assert_int_equal(wire_put_name_reply(0, name, out), 7 + len);
		assert_memory_equal(out, "\5\0\0\3", 4);
		assert_int_equal(out[4], len);
		assert_memory_equal(out + 5, name, len);
		assert_memory_equal(out + 5 + len, "\0\0", 2);
	}
}

/* A message of two bytes that says one thing. */
static void
walk_two(ssize_t (*get)(const uint8_t *, size_t, uint8_t *), uint8_t version)
{
	for (int value = 0; value < 256; value++) {
		uint8_t message[] = {version, (uint8_t)value, 5, 5}, out = 0xa5;

		for (size_t n = 0; n < 2; n++)
			assert_int_equal(get(guarded(message, n), n, &out), 0);
		assert_int_equal(out, 0xa5);
		for (size_t n = 2; n <= 4; n++)
			assert_int_equal(get(guarded(message, n), n, &out), 2);
		assert_int_equal(out, value);
	}
}

static void
method_and_status_of_another_server(void **state)
{
	uint8_t out;

	(void)state;
	walk_two(wire_get_method, 5);
	for (int version = 0; version < 256; version++) {
		uint8_t byte = (uint8_t)version;

		assert_int_equal(wire_get_method(guarded(&byte, 1), 1, &out),
		    version == 5 ? 0 : -EPROTO);
		walk_two(wire_get_status, byte);
	}
}

static void
put_greeting(void **state)
{
	uint8_t methods[255], *out;
	struct wire_greeting again;

	(void)state;
	for (size_t i = 0; i < sizeof(methods); i++)
		methods[i] = (uint8_t)i;
	for (size_t n = 0; n <= sizeof(methods); n++) {
		out = guarded(methods, n); /* room for n */
		out -= 2;
		assert_int_equal(wire_put_greeting(methods, n, out), 2 + n);
		assert_int_equal(wire_get_greeting(out, 2 + n, &again), 2 + n);
		assert_int_equal(again.methods_len, n);
		assert_memory_equal(again.methods, methods, n);
	}
	out = guarded(methods, 4);
	wire_put_greeting((const uint8_t *)"\2\0", 2, out);
	assert_memory_equal(out, "\5\2\2\0", 4);
}

static void
put_password(void **state)
{
	static const char zeros[WIRE_PASSWORD_MAX];
	static const uint8_t lengths[] = {1, 2, 254, 255, 0};
	char name[255], word[255];
	struct wire_password again;

	(void)state;
	for (size_t i = 0; i < sizeof(name); i++) {
		name[i] = (char)i;
		word[i] = (char)~i;
	}
	for (size_t i = 0; i < COUNT(lengths) - 1; i++) {
		for (size_t j = 0; j < COUNT(lengths); j++) {
			unit_row("%u and %u bytes", lengths[i], lengths[j]);
			struct wire_password password = {
			    name, word, lengths[i], lengths[j]};
			size_t len = 3U + lengths[i] + lengths[j];
			uint8_t *out = guarded(zeros, len);

			assert_int_equal(
			    wire_put_password(&password, out), len);
			assert_int_equal(out[0], 1);
			assert_int_equal(
			    wire_get_password(out, len, &again), len);
			assert_int_equal(again.name_len, lengths[i]);
			assert_memory_equal(again.name, name, lengths[i]);
			assert_int_equal(again.password_len, lengths[j]);
			assert_memory_equal(again.password, word, lengths[j]);
		}
	}
}

/* What is put is what was got, to the byte. */
static void
put_request(void **state)
{
	static const uint8_t first[] = {WIRE_ATYP_IPV4, WIRE_ATYP_IPV6};
	uint8_t message[WIRE_REQUEST_MAX] = {5, 1, 0}, *out;
	struct wire_request request;
	size_t len;

	(void)state;
	for (size_t i = 3; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < COUNT(first); i++) {
		unit_row("ATYP %u", first[i]);
		message[3] = first[i];
		len = first[i] == WIRE_ATYP_IPV4 ? 10 : 22;
		assert_int_equal(wire_get_request(message, len, &request), len);
		out = guarded(message, len);
		memset(out, 0xa5, len);
		assert_int_equal(wire_put_request(&request, out), len);
		assert_memory_equal(out, message, len);
	}
	message[3] = WIRE_ATYP_NAME;
	for (size_t n = 0; n < 256; n++) {
		message[4] = (uint8_t)n;
		len = 7 + n;
		assert_int_equal(wire_get_request(message, len, &request), len);
		out = guarded(message, len);
		memset(out, 0xa5, len);
		assert_int_equal(wire_put_request(&request, out), len);
		assert_memory_equal(out, message, len);
	}
}

/* Whole at this length only, and wire_reply_len() never says more. */
static void
walk_reply(const uint8_t *message, size_t len, struct wire_reply *out)
{
	struct wire_reply untouched;
	uint8_t longer[WIRE_ANSWER_MAX + 8];

	memset(&untouched, 0xa5, sizeof(untouched));
	for (size_t n = 0; n < len; n++) {
		const uint8_t *data = guarded(message, n);

		*out = untouched;
		assert_int_equal(wire_get_reply(data, n, out), 0);
		assert_memory_equal(out, &untouched, sizeof(untouched));
		assert_int_equal(wire_reply_len(data, n), n < 5 ? 5 : len);
	}
	memset(longer, 5, sizeof(longer));
	memcpy(longer, message, len);
	for (size_t n = len; n < len + 8; n++) {
		const uint8_t *data = guarded(longer, n);

		assert_int_equal(wire_get_reply(data, n, out), len);
		assert_int_equal(wire_reply_len(data, n), len);
	}
}

static void
reply_of_another_server(void **state)
{
	uint8_t message[WIRE_ANSWER_MAX] = {5, 0, 0, 1, 192, 0, 2, 33, 0, 80};
	struct wire_reply reply;

	(void)state;
	for (int rep = 0; rep < 256; rep++) {
		message[1] = message[2] = (uint8_t)rep;
		walk_reply(message, 10, &reply);
		assert_int_equal(reply.rep, rep);
	}
	assert_int_equal(reply.bound.atyp, WIRE_ATYP_IPV4);
	assert_memory_equal(&reply.bound.ipv4, message + 4, 4);
	assert_int_equal(reply.bound.port, 80);

	message[3] = WIRE_ATYP_IPV6;
	walk_reply(message, 22, &reply);
	assert_int_equal(reply.bound.atyp, WIRE_ATYP_IPV6);
	assert_memory_equal(&reply.bound.ipv6, message + 4, 16);

	message[3] = WIRE_ATYP_NAME;
	for (size_t n = 0; n < 256; n++) {
		message[4] = (uint8_t)n;
		walk_reply(message, 7 + n, &reply);
		assert_int_equal(reply.bound.name_len, n);
	}
	for (int atyp = 0; atyp < 256; atyp++) {
		ssize_t expected =
		    atyp == 1 || atyp == 3 || atyp == 4 ? 0 : -EAFNOSUPPORT;

		message[3] = (uint8_t)atyp;
		assert_int_equal(
		    wire_get_reply(guarded(message, 4), 4, &reply), expected);
	}
	message[0] = 4;
	assert_int_equal(
	    wire_get_reply(guarded(message, 1), 1, &reply), -EPROTO);
}

/* A datagram's header: whatever stands behind it is payload. */
static void
walk_udp_header(const uint8_t *header, size_t len, struct wire_udp_header *out)
{
	struct wire_udp_header untouched;
	uint8_t longer[WIRE_UDP_HEADER_MAX + 8];

	memset(&untouched, 0xa5, sizeof(untouched));
	for (size_t n = 0; n < len; n++) {
		*out = untouched;
		assert_int_equal(
		    wire_get_udp_header(guarded(header, n), n, out), 0);
		assert_memory_equal(out, &untouched, sizeof(untouched));
	}
	memset(longer, 5, sizeof(longer));
	memcpy(longer, header, len);
	for (size_t n = len; n < len + 8; n++)
		assert_int_equal(
		    wire_get_udp_header(guarded(longer, n), n, out), len);
}

static void
udp_header(void **state)
{
	static const uint8_t ipv4[] = {0, 0, 7, 1, 192, 0, 2, 33, 0, 53};
	uint8_t ipv6[22] = {0, 0, 0, 4, 0x20, 0x01, 0x0d, 0xb8};
	uint8_t name[WIRE_UDP_HEADER_MAX] = {0, 0, 0, 3};
	struct wire_udp_header h;

	(void)state;
	walk_udp_header(ipv4, sizeof(ipv4), &h);
	assert_int_equal(h.frag, 7);
	assert_int_equal(h.dst.atyp, WIRE_ATYP_IPV4);
	assert_memory_equal(&h.dst.ipv4, ipv4 + 4, 4);
	assert_int_equal(h.dst.port, 53);
	ipv6[20] = ipv6[21] = 0xff;
	walk_udp_header(ipv6, sizeof(ipv6), &h);
	assert_int_equal(h.frag, 0);
	assert_memory_equal(&h.dst.ipv6, ipv6 + 4, 16);
	assert_int_equal(h.dst.port, 65535);
	memset(name + 5, 'x', 255);
	for (size_t n = 0; n <= 255; n += 51) {
		name[4] = (uint8_t)n;
		walk_udp_header(name, 4 + 1 + n + 2, &h);
		assert_int_equal(h.dst.name_len, n);
		assert_int_equal(strlen(h.dst.name), n);
	}
}

static void
udp_header_of_no_kind(void **state)
{
	struct wire_udp_header out, untouched;

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	out = untouched;
	for (int i = 1; i < 256; i++) {
		uint8_t first[] = {(uint8_t)i}, second[] = {0, (uint8_t)i};
		uint8_t atyp[] = {0, 0, 0, (uint8_t)i};
		bool known = i == 1 || i == 3 || i == 4;

		assert_int_equal(
		    wire_get_udp_header(guarded(first, 1), 1, &out), -EPROTO);
		assert_int_equal(
		    wire_get_udp_header(guarded(second, 2), 2, &out), -EPROTO);
		assert_int_equal(wire_get_udp_header(guarded(atyp, 4), 4, &out),
		    known ? 0 : -EAFNOSUPPORT);
	}
	assert_memory_equal(&out, &untouched, sizeof(untouched));
}

/* What is put in front of an answer is what a client would have sent. */
static void
udp_header_of_a_sender(void **state)
{
	static const struct {
		const char *address;
		uint8_t header[22];
		size_t len;
	} table[] = {
	    {"192.0.2.1", {0, 0, 0, 1, 192, 0, 2, 1, 0x1f, 0x90}, 10},
	    {"::ffff:192.0.2.1", {0, 0, 0, 1, 192, 0, 2, 1, 0x1f, 0x90}, 10},
	    {"2001:db8::1",
		{0, 0, 0, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		    0, 1, 0x1f, 0x90},
		22},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].address);
		uint8_t out[WIRE_UDP_HEADER_ADDRESS_MAX];
		union addr in = {.in = {.sin_family = AF_INET}};
		union addr in6 = {.in6 = {.sin6_family = AF_INET6}};
		const union addr *sa = &in6;

		in.in.sin_port = in6.in6.sin6_port = htons(8080);
		if (inet_pton(AF_INET, table[i].address, &in.in.sin_addr) == 1)
			sa = &in;
		else
			inet_pton(
			    AF_INET6, table[i].address, &in6.in6.sin6_addr);
		assert_int_equal(wire_put_udp_header(sa, out), table[i].len);
		assert_memory_equal(out, table[i].header, table[i].len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(udp_header),
	    cmocka_unit_test(udp_header_of_no_kind),
	    cmocka_unit_test(udp_header_of_a_sender),
	    cmocka_unit_test(greeting),
	    cmocka_unit_test(greeting_of_another_version),
	    cmocka_unit_test(password),
	    cmocka_unit_test(password_that_is_none),
	    cmocka_unit_test(request_by_ipv4),
	    cmocka_unit_test(request_by_ipv6),
	    cmocka_unit_test(request_by_name),
	    cmocka_unit_test(request_that_is_none),
	    cmocka_unit_test(rsv_and_cmd_are_taken_as_they_come),
	    cmocka_unit_test(names_worth_a_lookup),
	    cmocka_unit_test(literals_are_not_looked_up),
	    cmocka_unit_test(print_is_bounded),
	    cmocka_unit_test(method),
	    cmocka_unit_test(status),
	    cmocka_unit_test(reply_without_address),
	    cmocka_unit_test(reply_with_address),
	    cmocka_unit_test(every_reply_is_complete),
	    cmocka_unit_test(name_reply),
	    cmocka_unit_test(method_and_status_of_another_server),
	    cmocka_unit_test(put_greeting),
	    cmocka_unit_test(put_password),
	    cmocka_unit_test(put_request),
	    cmocka_unit_test(reply_of_another_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
