/* SPDX-License-Identifier: ISC */
#include "protocol/proxy.h"
#include "unit.h"

#include <errno.h>
#include <stdbool.h>

#define V2 "\r\n\r\n\0\r\nQUIT\n"

/* A string literal's bytes, NULs and all. */
#define BYTES(literal) (const uint8_t *)(literal), sizeof(literal) - 1

/* Every prefix wants more and writes nothing; what follows is left alone. */
static void
walk(const uint8_t *header, size_t len, struct proxy_header *out)
{
	static uint8_t longer[PROXY_HEADER_MAX + 8];
	struct proxy_header untouched;

	assert_in_range(len, 1, PROXY_HEADER_MAX);
	memset(&untouched, 0xa5, sizeof(untouched));
	*out = untouched;
	for (size_t n = 0; n < len; n++)
		assert_int_equal(
		    proxy_get_header(guarded(header, n), n, out), 0);
	assert_memory_equal(out, &untouched, sizeof(untouched));
	memset(longer, '\n', sizeof(longer));
	memcpy(longer, header, len);
	for (size_t n = len; n < len + 8; n++) {
		/* A page holds no more than the longest. */
		const uint8_t *data =
		    n <= PROXY_HEADER_MAX ? guarded(longer, n) : longer;

		assert_int_equal(proxy_get_header(data, n, out), len);
	}
}

static void
holds(const struct proxy_header *header, const char *source,
    const char *destination)
{
	char text[ADDR_TEXT_MAX];

	assert_int_equal(header->client, PROXY_CLIENT_AT_ADDRESS);
	assert_string_equal(addr_format(&header->source, text), source);
	assert_string_equal(
	    addr_format(&header->destination, text), destination);
}

static void
v1_lines(void **state)
{
	static const struct {
		const char *line, *source, *destination;
	} table[] = {
	    {"PROXY TCP4 192.0.2.1 198.51.100.2 50412 443\r\n",
		"192.0.2.1:50412", "198.51.100.2:443"},
	    {"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0:0",
		"255.255.255.255:65535"},
	    {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
		"255.255.255.255:65535", "255.255.255.255:65535"},
	    {"PROXY TCP6 2001:db8::1 2001:DB8::A 1 2\r\n", "[2001:db8::1]:1",
		"[2001:db8::a]:2"},
	    {"PROXY TCP6 :: ::1 10 20\r\n", "[::]:10", "[::1]:20"},
	    {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
	    /* What HAProxy makes of a pair of mixed families. */
	    {"PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n", "192.0.2.1:1",
		"[2001:db8::2]:2"},
	};
	struct proxy_header header;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s -> %s", table[i].line, table[i].source);
		walk((const uint8_t *)table[i].line, strlen(table[i].line),
		    &header);
		holds(&header, table[i].source, table[i].destination);
	}
}

static void
v1_unknown(void **state)
{
	uint8_t longest[PROXY_V1_MAX + 1] = "PROXY UNKNOWN ";
	struct proxy_header header;

	(void)state;
	walk(BYTES("PROXY UNKNOWN\r\n"), &header);
	assert_int_equal(header.client, PROXY_CLIENT_UNKNOWN);
	walk(BYTES("PROXY UNKNOWN \r\n"), &header);
	assert_int_equal(header.client, PROXY_CLIENT_UNKNOWN);
	walk(BYTES("PROXY UNKNOWN 192.0.2.1 192.0.2.2 1 2\r\n"), &header);
	assert_int_equal(header.client, PROXY_CLIENT_UNKNOWN);
	walk(BYTES("PROXY UNKNOWN any\0thing, \xff\r\n"), &header);
	assert_int_equal(header.client, PROXY_CLIENT_UNKNOWN);
	memset(longest + 14, 0xff, PROXY_V1_MAX - 14 - 2);
	memcpy(longest + PROXY_V1_MAX - 2, "\r\n", 2);
	walk(longest, PROXY_V1_MAX, &header);
	assert_int_equal(header.client, PROXY_CLIENT_UNKNOWN);
}

/* One byte more than may be, and it is over before the line's end. */
static void
v1_too_long(void **state)
{
	uint8_t line[PROXY_V1_MAX + 9] = "PROXY UNKNOWN ";
	struct proxy_header header;

	(void)state;
	memset(line + 14, 'x', sizeof(line) - 14);
	for (size_t n = 0; n < sizeof(line); n++)
		assert_int_equal(proxy_get_header(guarded(line, n), n, &header),
		    n < PROXY_V1_MAX - 1 ? 0 : -EMSGSIZE);
	memcpy(line + PROXY_V1_MAX - 1, "\r\n", 2);
	for (size_t n = 0; n < sizeof(line); n++)
		assert_int_equal(proxy_get_header(guarded(line, n), n, &header),
		    n < PROXY_V1_MAX - 1 ? 0 : -EMSGSIZE);
}

/* Each is refused when the line is complete at the latest. */
static void
v1_to_the_letter(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} table[] = {
#define LINE(literal) {literal, sizeof(literal) - 1}
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rx"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2\r\n"),
	    LINE("PROXY TCP4 192.0.2.1\r\n"),
	    LINE("PROXY TCP4 \r\n"),
	    LINE("PROXY TCP4\r\n"),
	    LINE("PROXY \r\n"),
	    LINE("PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2  1 2\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1  2\r\n"),
	    LINE("PROXY\tTCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4\t192.0.2.1 192.0.2.2 1 2\r\n"),
	    LINE("proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP 192.0.2.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP44 192.0.2.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4\0 192.0.2.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY UNKNOWNS\r\n"),
	    LINE("PROXY UNKNOW\r\n"),
	    LINE("PROXY UNKNOWN a\nb\r\n"),
	    LINE("PROXY UNKNOWN a\rb\r\n"),
	    /* addresses */
	    LINE("PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.00.2.2 1 2\r\n"),
	    LINE("PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4 192.0.2.1. 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4 192..2.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4 0x7f.0.0.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4 3221225985 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4 -1.0.2.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"),
	    LINE("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP6 2001:db8::1 192.0.2.2 1 2\r\n"),
	    LINE("PROXY TCP6 2001:db8::1::2 2001:db8::2 1 2\r\n"),
	    LINE("PROXY TCP6 2001:db8:::1 2001:db8::2 1 2\r\n"),
	    LINE("PROXY TCP6 2001:db8:1 2001:db8::2 1 2\r\n"),
	    LINE("PROXY TCP6 1:2:3:4:5:6:7:8:9 2001:db8::2 1 2\r\n"),
	    LINE("PROXY TCP6 00001:: 2001:db8::2 1 2\r\n"),
	    LINE("PROXY TCP6 [2001:db8::1] 2001:db8::2 1 2\r\n"),
	    LINE("PROXY TCP6 fe80::1%lo fe80::2 1 2\r\n"),
	    LINE("PROXY TCP6 g:: 2001:db8::2 1 2\r\n"),
	    /* ports */
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 99999\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 100000\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 00\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 0x2\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\0\r\n"),
	    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 http 2\r\n"),
#undef LINE
	};
	struct proxy_header out, untouched;

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	out = untouched;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].bytes);
		size_t len = table[i].len;
		ssize_t n =
		    proxy_get_header(guarded(table[i].bytes, len), len, &out);

		assert_int_equal(n, -EPROTO);
		/* Before that it is refused or waited for, never taken. */
		for (size_t k = 0; k < len; k++) {
			n = proxy_get_header(
			    guarded(table[i].bytes, k), k, &out);
			assert_true(n == 0 || n == -EPROTO);
		}
	}
	assert_memory_equal(&out, &untouched, sizeof(untouched));
}

/* The first byte that agrees with neither signature is the last one read. */
static void
neither_version(void **state)
{
	static const struct {
		const uint8_t *bytes;
		size_t len;
	} signatures[] = {
	    {BYTES("PROXY ")},
	    {BYTES(V2)},
	};
	struct proxy_header out;
	uint8_t bytes[16];

	(void)state;
	for (size_t i = 0; i < COUNT(signatures); i++) {
		unit_row("signature %zu", i);
		for (size_t at = 0; at < signatures[i].len; at++) {
			memcpy(bytes, signatures[i].bytes, at);
			for (int value = 0; value < 256; value++) {
				bytes[at] = (uint8_t)value;
				assert_int_equal(
				    proxy_get_header(
					guarded(bytes, at + 1), at + 1, &out),
				    value == signatures[i].bytes[at] ||
					    (at == 0 &&
						(value == 'P' || value == '\r'))
					? 0
					: -EPROTO);
			}
		}
	}
}

static void
v2_addresses(void **state)
{
	struct proxy_header header;

	(void)state;
	for (uint8_t transport = 1; transport <= 2; transport++) {
		uint8_t inet[] = V2 "\x21\x10\x00\x0c"
				    "\xc0\x00\x02\x01\xc6\x33\x64\x02"
				    "\xc4\xec\x01\xbb";
		uint8_t inet6[] = V2 "\x21\x20\x00\x24"
				     "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
				     "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
				     "\xff\xff\x00\x00";
		uint8_t mapped[] = V2 "\x21\x20\x00\x24"
				      "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1"
				      "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\2"
				      "\x00\x01\x00\x02";

		inet[13] |= transport;
		inet6[13] |= transport;
		mapped[13] |= transport;
		walk(inet, sizeof(inet) - 1, &header);
		holds(&header, "192.0.2.1:50412", "198.51.100.2:443");
		walk(inet6, sizeof(inet6) - 1, &header);
		holds(&header, "[2001:db8::1]:65535", "[2001:db8::2]:0");
		walk(mapped, sizeof(mapped) - 1, &header);
		holds(&header, "127.0.0.1:1", "127.0.0.2:2");
		assert_int_equal(header.source.sa.sa_family, AF_INET);
	}
}

static void
v2_unix(void **state)
{
	uint8_t header[16 + 216] = V2 "\x21\x31\x00\xd8/run/client";
	struct proxy_header out;

	(void)state;
	walk(header, sizeof(header), &out);
	assert_int_equal(out.client, PROXY_CLIENT_ON_UNIX_SOCKET);
	assert_int_equal(out.source.sa.sa_family, AF_UNSPEC);
	header[13] = 0x32;
	walk(header, sizeof(header), &out);
	assert_int_equal(out.client, PROXY_CLIENT_ON_UNIX_SOCKET);
}

/* LOCAL, with whatever family it says; and PROXY for nobody in particular, or
 * for somebody of a family that we don't know. */
static void
v2_unknown(void **state)
{
	uint8_t local[] = V2 "\x20\x00\x00\x00";
	uint8_t block[] = V2 "\x20\x00\x00\x0c"
			     "\xc0\x00\x02\x01\xc6\x33\x64\x02"
			     "\xc4\xec\x01\xbb";
	struct proxy_header header;

	(void)state;
	for (int family = 0; family < 256; family++) {
		local[13] = block[13] = (uint8_t)family;
		walk(local, sizeof(local) - 1, &header);
		assert_int_equal(header.client, PROXY_CLIENT_UNKNOWN);
		walk(block, sizeof(block) - 1, &header);
		assert_int_equal(header.client, PROXY_CLIENT_UNKNOWN);
	}
	local[12] = block[12] = 0x21;
	for (int value = 0; value < 256; value++) {
		if (value >> 4 >= 1 && value >> 4 <= 3 && (value & 15) >= 1 &&
		    (value & 15) <= 2)
			continue;
		local[13] = block[13] = (uint8_t)value;
		walk(local, sizeof(local) - 1, &header);
		assert_int_equal(header.client, PROXY_CLIENT_UNKNOWN);
		walk(block, sizeof(block) - 1, &header);
		assert_int_equal(header.client, PROXY_CLIENT_UNKNOWN);
	}
}

/* Whatever stands in them; up to the limit, and not a byte more. */
static void
v2_tlvs(void **state)
{
	static uint8_t header[PROXY_HEADER_MAX + 1] = V2
	    "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\xc4\xec\x01\xbb";
	static const size_t lens[] = {12, 13, 15, 100, 255, 256, 257, 1000,
	    PROXY_HEADER_MAX - 17, PROXY_HEADER_MAX - 16};
	struct proxy_header out;

	(void)state;
	memset(header + 28, 0xff, sizeof(header) - 28);
	for (size_t i = 0; i < COUNT(lens); i++) {
		unit_row("%zu bytes", lens[i]);
		header[14] = (uint8_t)(lens[i] >> 8);
		header[15] = (uint8_t)lens[i];
		walk(header, 16 + lens[i], &out);
		holds(&out, "192.0.2.1:50412", "198.51.100.2:443");
	}
	for (size_t len = PROXY_HEADER_MAX - 15; len < 65536; len++) {
		header[14] = (uint8_t)(len >> 8);
		header[15] = (uint8_t)len;
		assert_int_equal(proxy_get_header(header, 15, &out), 0);
		assert_int_equal(
		    proxy_get_header(guarded(header, 16), 16, &out), -EMSGSIZE);
	}
}

/* The byte that is wrong is the last one that has to come. */
static void
v2_that_is_none(void **state)
{
	uint8_t header[16 + 216] = V2;
	struct proxy_header out, untouched;

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	out = untouched;
	for (int value = 0; value < 256; value++) {
		header[12] = (uint8_t)value;
		assert_int_equal(
		    proxy_get_header(guarded(header, 13), 13, &out),
		    value == 0x20 || value == 0x21 ? 0 : -EPROTO);
	}
	header[12] = 0x21;
	/* Too short for the addresses. */
	for (uint8_t family = 1; family <= 3; family++) {
		static const uint8_t needed[] = {0, 12, 36, 216};

		header[13] = (uint8_t)(family << 4 | 1);
		for (uint8_t len = 0; len < needed[family]; len++) {
			header[15] = len;
			assert_int_equal(
			    proxy_get_header(guarded(header, 16), 16, &out),
			    -EPROTO);
		}
	}
	assert_memory_equal(&out, &untouched, sizeof(untouched));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(v1_lines),
	    cmocka_unit_test(v1_unknown),
	    cmocka_unit_test(v1_too_long),
	    cmocka_unit_test(v1_to_the_letter),
	    cmocka_unit_test(neither_version),
	    cmocka_unit_test(v2_addresses),
	    cmocka_unit_test(v2_unix),
	    cmocka_unit_test(v2_unknown),
	    cmocka_unit_test(v2_tlvs),
	    cmocka_unit_test(v2_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
