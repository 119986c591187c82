/* SPDX-License-Identifier: ISC */
#include "base/addr.h"
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
		unit_row("%s -> %s", table[i].text, table[i].printed);
		union addr addr = parsed(table[i].text);

		assert_int_equal(addr.sa.sa_family, table[i].family);
		assert_int_equal(addr_len(&addr), table[i].family == AF_INET
						      ? sizeof(addr.in)
						      : sizeof(addr.in6));
		assert_string_equal(addr_format(&addr, text), table[i].printed);
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
	for (size_t i = 0; i < COUNT(texts); i++) {
		unit_row("%s", texts[i]);
		assert_int_equal(addr_parse(texts[i], 80, &addr), -EINVAL);
	}
	assert_memory_equal(&addr, &untouched, sizeof(untouched));
}

/* What a name is that needs no look-up, as getaddrinfo(3) would have it. */
static void
hosts(void **state)
{
	static const struct {
		const char *text, *printed;
		int rc;
	} table[] = {
	    {"192.0.2.1", "192.0.2.1:80", 0},
	    {"127.1", "127.0.0.1:80", 0},
	    {"127.0.1", "127.0.0.1:80", 0},
	    {"0x7f.1", "127.0.0.1:80", 0},
	    {"0X7F000001", "127.0.0.1:80", 0},
	    {"2130706433", "127.0.0.1:80", 0},
	    {"0177.0.0.01", "127.0.0.1:80", 0},
	    {"0xa9fea9fe", "169.254.169.254:80", 0},
	    {"010.0.0.1", "8.0.0.1:80", 0},
	    {"0", "0.0.0.0:80", 0},
	    {"127.0.0.1.", "127.0.0.1:80", 0},
	    {"2130706433.", "127.0.0.1:80", 0},
	    {"2001:DB8:0::1", "[2001:db8::1]:80", 0},
	    {"::ffff:192.0.2.1", "192.0.2.1:80", 0},
	    {"[2001:db8::1]", "[2001:db8::1]:80", 0},
	    {"::1%lo", "[::1]:80", 1},
	    {"fe80::1%eth0", "[fe80::1]:80", 1},
	    {"[fe80::1%25]", "[fe80::1]:80", 1},
	};
	static const char *const names[] = {"", ".", "..", "localhost", "a.1",
	    "127.0.0.1..", "127..1", ".127.1", "256.1.1.1", "1.2.3.4.5",
	    "4294967296", "0x100000000", "08", "1.2.3.4a", "-1", "[127.0.0.1]",
	    "[::1", "::1]", "[]", "[", "]", "%", "127.0.0.1%lo", "::g%lo",
	    "::1.", "[::1]."};
	char text[ADDR_TEXT_MAX];
	union addr addr, untouched;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s -> %s", table[i].text, table[i].printed);
		assert_int_equal(
		    addr_parse_host(table[i].text, 80, &addr), table[i].rc);
		assert_string_equal(addr_format(&addr, text), table[i].printed);
	}
	memset(&untouched, 0xa5, sizeof(untouched));
	addr = untouched;
	for (size_t i = 0; i < COUNT(names); i++) {
		unit_row("%s", names[i]);
		assert_int_equal(addr_parse_host(names[i], 80, &addr), -EINVAL);
	}
	assert_memory_equal(&addr, &untouched, sizeof(untouched));
}

static void
format_the_rest(void **state)
{
	union addr vm = {
	    .vm = {.svm_family = AF_VSOCK, .svm_cid = 3, .svm_port = 1024}};
	union addr un = {.sa.sa_family = AF_UNIX};
	union addr in6 = {.in6 = {
			      .sin6_family = AF_INET6,
			      .sin6_port = htons(65535),
			      .sin6_scope_id = 4294967295u,
			  }};
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_string_equal(addr_format(&vm, text), "vsock:3:1024");
	assert_string_equal(addr_format(&un, text), "");
	in6.in6.sin6_addr = in6addr_loopback;
	assert_string_equal(addr_format(&in6, text), "[::1%4294967295]:65535");
	/* Nothing but what belongs to this family is read. */
	assert_string_equal(addr_format((const union addr *)guarded(
					    &(sa_family_t[2]){AF_UNIX}, 4),
				text),
	    "");
	memset(&in6.in6.sin6_addr, 0xfe, sizeof(in6.in6.sin6_addr));
	assert_string_equal(addr_format(&in6, text),
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

/*
 * "46" is an IPv4 address, then an IPv6 one; the port tells them apart. With a
 * family that is preferred, or AF_UNSPEC.
 */
static void
check_order(const char *families, sa_family_t prefer, const char *expected)
{
	struct addr_list list = {.count = strlen(families)};
	uint16_t last[2] = {0, 0};

	unit_row("%s, first %d", families, prefer);
	for (size_t i = 0; i < list.count; i++) {
		list.at[i] = parsed(families[i] == '4' ? "192.0.2.1" : "::1");
		list.at[i].in.sin_port = htons((uint16_t)(i + 1));
	}
	if (prefer == AF_UNSPEC)
		addr_interleave(&list);
	else
		addr_prefer(&list, prefer);
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
check_interleave(const char *families, const char *expected)
{
	check_order(families, AF_UNSPEC, expected);
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

static struct addr_network
network(const char *text)
{
	size_t len = strlen(text);
	struct addr_network out;

	/* No byte behind it is looked at. */
	assert_int_equal(
	    addr_network_parse((const char *)guarded(text, len), len, &out), 0);
	return out;
}

static void
networks(void **state)
{
	static const struct {
		const char *network, *in, *out;
	} table[] = {
	    {"192.0.2.0/24", "192.0.2.255", "192.0.3.0"},
	    {"192.0.2.0/24", "::ffff:192.0.2.255", "::192.0.2.255"},
	    {"192.0.2.128/25", "192.0.2.128", "192.0.2.127"},
	    {"192.0.2.6/31", "192.0.2.7", "192.0.2.5"},
	    {"192.0.2.7/32", "192.0.2.7", "192.0.2.6"},
	    {"192.0.2.7", "192.0.2.7", "192.0.2.6"},
	    {"128.0.0.0/1", "255.255.255.255", "127.255.255.255"},
	    {"0.0.0.0/0", "255.255.255.255", "::"},
	    {"2001:db8::/32", "2001:db8:ffff::", "2001:db9::"},
	    {"2001:db8:8000::/33", "2001:db8:8000::1", "2001:db8:7fff::1"},
	    {"2001:db8::1", "2001:db8::1", "2001:db8::"},
	    {"2001:db8::2/127", "2001:db8::3", "2001:db8::4"},
	    {"8000::/1", "8000::", "7fff::"},
	    /* IPv6 has no IPv4-mapped addresses: they are IPv4. */
	    {"::/0", "64:ff9b::192.0.2.1", "::ffff:192.0.2.1"},
	    {"::/0", "::", "0.0.0.0"},
	    {"::ffff:192.0.2.0/120", "192.0.2.255", "192.0.3.0"},
	    {"::ffff:0.0.0.0/96", "192.0.2.1", "2001:db8::1"},
	    {"::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s -> %s", table[i].network, table[i].in);
		struct addr_network net = network(table[i].network);
		union addr in = parsed(table[i].in);
		union addr out = parsed(table[i].out);

		assert_true(addr_network_has(&net, &in));
		assert_false(addr_network_has(&net, &out));
	}
}

/* One that a socket has, which addr_parse() would not make. */
static union addr
mapped_socket(const char *text)
{
	union addr addr = {.in6 = {.sin6_family = AF_INET6}};

	assert_int_equal(inet_pton(AF_INET6, text, &addr.in6.sin6_addr), 1);
	return addr;
}

static void
mapped_is_ipv4(void **state)
{
	struct addr_network ipv4 = network("127.0.0.0/8");
	struct addr_network all = network("::/0");
	union addr mapped = mapped_socket("::ffff:127.1.2.3");
	union addr path = {.sa = {.sa_family = AF_UNIX}};

	(void)state;
	assert_true(addr_network_has(&ipv4, &mapped));
	assert_false(addr_network_has(&all, &mapped));
	assert_true(addr_is_loopback(&mapped));

	assert_false(addr_network_has(&all, &path));
	assert_false(addr_network_has(&ipv4, &path));
	assert_false(addr_is_loopback(&path));
}

static void
no_networks(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} table[] = {
	    {"", -EINVAL},
	    {"/", -EINVAL},
	    {"/24", -EINVAL},
	    {"example.org", -EINVAL},
	    {"192.0.2/24", -EINVAL},
	    {"192.0.2.01", -EINVAL},
	    {"[::1]", -EINVAL},
	    {"fe80::1%lo/64", -EINVAL},
	    {"192.0.2.0/24/24", -ERANGE},
	    {"192.0.2.0/", -ERANGE},
	    {"192.0.2.0/33", -ERANGE},
	    {"192.0.2.0/024", -ERANGE},
	    {"192.0.2.0/+24", -ERANGE},
	    {"192.0.2.0/255.255.255.0", -ERANGE},
	    {"2001:db8::/129", -ERANGE},
	    {"2001:db8::/1000", -ERANGE},
	    {"192.0.2.1/24", -EDOM},
	    {"192.0.2.0/22", -EDOM},
	    {"0.0.0.1/0", -EDOM},
	    {"128.0.0.0/0", -EDOM},
	    {"2001:db8::1/64", -EDOM},
	    {"2001:db8::1/127", -EDOM},
	    {"2001:db8:8000::/32", -EDOM},
	    {"8000::/0", -EDOM},
	    /* As long as one may be, and longer. */
	    {"0000:0000:0000:0000:0000:0000:255.255.255.255", 0},
	    {"0000:0000:0000:0000:0000:0000:255.255.255.2555", -EINVAL},
	    {"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", -EINVAL},
	};
	struct addr_network out, untouched;

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text);
		out = untouched;
		assert_int_equal(addr_network_parse(table[i].text,
				     strlen(table[i].text), &out),
		    table[i].rc);
		if (table[i].rc < 0)
			assert_memory_equal(&out, &untouched, sizeof(out));
	}
	assert_int_equal(addr_network_parse("::1\0", 4, &out), -EINVAL);
}

static void
loopback(void **state)
{
	static const char *const yes[] = {
	    "127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"};
	static const char *const no[] = {"126.0.0.1", "128.0.0.1", "0.0.0.0",
	    "::", "::2", "::127.0.0.1", "64:ff9b::127.0.0.1", "7f00::1"};

	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++) {
		unit_row("%s", yes[i]);
		union addr addr = parsed(yes[i]);

		assert_true(addr_is_loopback(&addr));
	}
	for (size_t i = 0; i < COUNT(no); i++) {
		unit_row("%s", no[i]);
		union addr addr = parsed(no[i]);

		assert_false(addr_is_loopback(&addr));
	}
}

static void
prefer(void **state)
{
	(void)state;
	check_order("", AF_INET, "");
	check_order("4", AF_INET6, "4");
	check_order("6", AF_INET6, "6");
	check_order("64", AF_INET, "46");
	check_order("64", AF_INET6, "64");
	check_order("646464", AF_INET, "464646");
	check_order("464646", AF_INET6, "646464");
	check_order("66664", AF_INET, "46666");
	check_order("64666", AF_INET, "46666");
	check_order("4466", AF_INET6, "6464");
	check_order("444", AF_INET6, "444");
	check_order("6664", AF_INET6, "6466");
}

/* Whether a list has taken its turns before or not; and twice is as once. */
static void
prefer_any(void **state)
{
	static const sa_family_t families[] = {AF_INET, AF_INET6};
	struct addr_list list, again;

	(void)state;
	for (unsigned i = 0; i < 2U << 10; i++) {
		sa_family_t family = families[i & 1];

		list.count = 10;
		for (size_t n = 0; n < list.count; n++) {
			list.at[n] =
			    parsed(i >> (n + 1) & 1 ? "192.0.2.1" : "::1");
			list.at[n].in.sin_port = htons((uint16_t)n);
		}
		again = list;
		addr_prefer(&list, family);
		addr_interleave(&again);
		for (size_t times = 0; times < 2; times++) {
			addr_prefer(&again, family);
			for (size_t n = 0; n < list.count; n++)
				assert_true(
				    addr_equal(&list.at[n], &again.at[n]));
		}
	}
}

static void
ports(void **state)
{
	union addr four, six;

	(void)state;
	assert_int_equal(addr_parse("192.0.2.1", 80, &four), 0);
	assert_int_equal(addr_parse("2001:db8::1", 80, &six), 0);
	assert_int_equal(addr_port(&four), 80);
	assert_int_equal(addr_port(&six), 80);
	addr_set_port(&four, 65535);
	addr_set_port(&six, 65535);
	assert_int_equal(ntohs(four.in.sin_port), 65535);
	assert_int_equal(ntohs(six.in6.sin6_port), 65535);
}

static void
hosts_without_ports(void **state)
{
	union addr a, b, mapped = {.in6 = {.sin6_family = AF_INET6}};

	(void)state;
	assert_int_equal(addr_parse("192.0.2.1", 80, &a), 0);
	assert_int_equal(addr_parse("192.0.2.1", 81, &b), 0);
	assert_true(addr_equal_host(&a, &b));
	assert_false(addr_equal(&a, &b));
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &mapped.in6.sin6_addr);
	mapped.in6.sin6_port = htons(80);
	assert_true(addr_equal_host(&a, &mapped));
	assert_true(addr_equal(&a, &mapped));
	mapped = addr_unmapped(&mapped);
	assert_int_equal(mapped.sa.sa_family, AF_INET);
	assert_int_equal(addr_port(&mapped), 80);
	assert_int_equal(addr_parse("192.0.2.2", 80, &b), 0);
	assert_false(addr_equal_host(&a, &b));
	assert_int_equal(addr_parse("fe80::1", 80, &a), 0);
	b = a;
	assert_true(addr_equal_host(&a, &b));
	b.in6.sin6_scope_id = 2;
	assert_false(addr_equal_host(&a, &b));
	assert_int_equal(addr_unmapped(&b).in6.sin6_scope_id, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ports),
	    cmocka_unit_test(hosts_without_ports),
	    cmocka_unit_test(parse_and_format),
	    cmocka_unit_test(parse_refuses),
	    cmocka_unit_test(hosts),
	    cmocka_unit_test(format_the_rest),
	    cmocka_unit_test(equal),
	    cmocka_unit_test(interleave),
	    cmocka_unit_test(interleave_any),
	    cmocka_unit_test(networks),
	    cmocka_unit_test(mapped_is_ipv4),
	    cmocka_unit_test(no_networks),
	    cmocka_unit_test(loopback),
	    cmocka_unit_test(prefer),
	    cmocka_unit_test(prefer_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
