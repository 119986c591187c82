#include "addr.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <sys/un.h>

static union addr
parsed(const char *text)
{
	union addr addr;

	assert_int_equal(addr_parse(text, 80, &addr), 0);
	return addr;
}

static void
parse_and_format(void **state)
{
	static const struct {
		const char *text, *printed;
		sa_family_t family;
	} table[] = {
	    {"192.0.2.1", "192.0.2.1:80", AF_INET},
	    {"0.0.0.0", "0.0.0.0:80", AF_INET},
	    {"::1", "[::1]:80", AF_INET6},
	    {"2001:DB8:0:0::1", "[2001:db8::1]:80", AF_INET6},
	    {"::ffff:192.0.2.1", "192.0.2.1:80", AF_INET},
	};
	char text[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		union addr addr = parsed(table[i].text);

		assert_int_equal(addr.sa.sa_family, table[i].family);
		assert_int_equal(addr_len(&addr), table[i].family == AF_INET
						      ? sizeof(addr.in)
						      : sizeof(addr.in6));
		assert_string_equal(
		    addr_format(&addr.sa, text), table[i].printed);
	}
}

static void
parse_refuses(void **state)
{
	static const char *const texts[] = {"", "localhost", "1.2.3",
	    "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "0x7f000001", "2130706433",
	    "[::1]", "::1%lo", "::g", ":::", "1.2.3.4 ", " ::1", "::1:80%"};
	union addr addr, untouched;

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	addr = untouched;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_int_equal(addr_parse(texts[i], 80, &addr), -EINVAL);
	assert_memory_equal(&addr, &untouched, sizeof(untouched));
}

static void
format_the_rest(void **state)
{
	struct sockaddr_vm vm = {
	    .svm_family = AF_VSOCK, .svm_cid = 3, .svm_port = 1024};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6,
	    .sin6_port = htons(65535),
	    .sin6_scope_id = 4294967295u,
	};
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_string_equal(
	    addr_format((struct sockaddr *)&vm, text), "vsock:3:1024");
	assert_string_equal(addr_format((struct sockaddr *)&un, text), "");
	in6.sin6_addr = in6addr_loopback;
	assert_string_equal(addr_format((struct sockaddr *)&in6, text),
	    "[::1%4294967295]:65535");
	/* Nothing but what belongs to this family is read. */
	assert_string_equal(
	    addr_format((struct sockaddr *)guarded(
			    &(sa_family_t){AF_UNIX}, sizeof(sa_family_t)),
		text),
	    "");
	memset(&in6.sin6_addr, 0xfe, sizeof(in6.sin6_addr));
	assert_string_equal(addr_format((struct sockaddr *)&in6, text),
	    "[fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe%4294967295]:65535");
}

static void
equal(void **state)
{
	union addr a = parsed("192.0.2.1"), b = a, mapped;
	union addr c = parsed("2001:db8::1"), d = c;

	(void)state;
	assert_true(addr_equal(&a, &b));
	b.in.sin_port = htons(81);
	assert_false(addr_equal(&a, &b));
	b = parsed("192.0.2.2");
	assert_false(addr_equal(&a, &b));

	mapped = (union addr){
	    .in6 = {.sin6_family = AF_INET6, .sin6_port = htons(80)}};
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &mapped.in6.sin6_addr);
	assert_true(addr_equal(&a, &mapped));
	assert_true(addr_equal(&mapped, &mapped));
	assert_true(addr_equal(&mapped, &a));
	assert_false(addr_equal(&c, &a));

	assert_true(addr_equal(&c, &d));
	d.in6.sin6_scope_id = 2;
	assert_false(addr_equal(&c, &d));
	d = c;
	d.in6.sin6_port = htons(81);
	assert_false(addr_equal(&c, &d));
}

/* "46" is an IPv4 address, then an IPv6 one; the port tells them apart. */
static void
check_interleave(const char *families, const char *expected)
{
	struct addr_list list = {.count = strlen(families)};
	uint16_t last[2] = {0, 0};

	for (size_t i = 0; i < list.count; i++) {
		list.at[i] = parsed(families[i] == '4' ? "192.0.2.1" : "::1");
		list.at[i].in.sin_port = htons((uint16_t)(i + 1));
	}
	addr_interleave(&list);
	assert_int_equal(list.count, strlen(expected));
	for (size_t i = 0; i < list.count; i++) {
		bool six = list.at[i].sa.sa_family == AF_INET6;
		uint16_t port = ntohs(list.at[i].in.sin_port);

		assert_int_equal(six ? '6' : '4', expected[i]);
		/* Within a family the order stays. */
		assert_true(port > last[six]);
		last[six] = port;
	}
}

static void
interleave(void **state)
{
	char many[ADDR_LIST_MAX + 1] = "", turns[ADDR_LIST_MAX + 1] = "";

	(void)state;
	check_interleave("", "");
	check_interleave("4", "4");
	check_interleave("44", "44");
	check_interleave("64", "64");
	check_interleave("6644", "6464");
	check_interleave("66664", "64666");
	check_interleave("4666", "4666");
	check_interleave("44466", "46464");
	check_interleave("6466444", "6464644");
	for (size_t i = 0; i < ADDR_LIST_MAX; i++) {
		many[i] = i < ADDR_LIST_MAX / 2 ? '6' : '4';
		turns[i] = i % 2 ? '4' : '6';
	}
	check_interleave(many, turns);
}

/* All patterns up to a length, by what has to hold for any. */
static void
interleave_any(void **state)
{
	(void)state;
	for (uint16_t len = 1; len <= 10; len++) {
		for (unsigned bits = 0; bits < 1U << len; bits++) {
			char families[11] = "", expected[11] = "";
			size_t left[2] = {0, 0};
			bool six = bits & 1;

			for (uint16_t i = 0; i < len; i++) {
				families[i] = bits >> i & 1 ? '6' : '4';
				left[bits >> i & 1]++;
			}
			/* Turns, from the first one's on, while there are. */
			for (uint16_t i = 0; i < len; i++, six = !six) {
				if (left[six] == 0)
					six = !six;
				left[six]--;
				expected[i] = six ? '6' : '4';
			}
			check_interleave(families, expected);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse_and_format),
	    cmocka_unit_test(parse_refuses),
	    cmocka_unit_test(format_the_rest),
	    cmocka_unit_test(equal),
	    cmocka_unit_test(interleave),
	    cmocka_unit_test(interleave_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
