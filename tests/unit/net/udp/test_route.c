/* SPDX-License-Identifier: ISC */
#include "net/udp/route.h"
#include "network.h"
#include "unit.h"

#include <arpa/inet.h>
#include <poll.h>

static struct route route;
static uint8_t room[1024];

/* What permit() and set_up() were asked, and what they say. */
static struct {
	int permits, set_ups;
	bool no_name; /* is to be looked up */
	sa_family_t forbidden, impossible;
	char asked[WIRE_DESTINATION_MAX];
	char address[ADDR_TEXT_MAX];
} world;

static bool
permit(
    void *context, const struct wire_destination *asked, const union addr *addr)
{
	HOLD(context == &world);
	world.permits++;
	wire_print_destination(asked, world.asked);
	if (!addr)
		return !world.no_name;
	addr_format(addr, world.address);
	return addr->sa.sa_family != world.forbidden;
}

static int
set_up(void *context, int fd, sa_family_t family)
{
	HOLD(context == &world && fd >= 0);
	world.set_ups++;
	return family == world.impossible ? -EPERM : 0;
}

static void
begin(void)
{
	memset(&route, 0, sizeof(route));
	memset(&world, 0, sizeof(world));
	route.options = (struct route_options){
	    .permits = permit, .set_up = set_up, .context = &world};
	route.out[0] = route.out[1] = -1;
}

static enum udp_fate
judge(const void *header, size_t len, struct batch_datagram *out)
{
	memcpy(room, header, len);
	*out = (struct batch_datagram){.data = room, .len = len, .fd = -1};
	return route_datagram(&route, out);
}

static const uint8_t to_ipv4[] = "\0\0\0\1\x7f\0\0\1\0\x35payload";
static const uint8_t to_ipv6[] =
    "\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\x35payload";
static const uint8_t to_name[] = "\0\0\0\3\11both.test\0\x35payload";

#define BYTES(header) header, sizeof(header) - 1

static void
goes_to(const struct batch_datagram *datagram, const char *address)
{
	char text[ADDR_TEXT_MAX];

	HOLD(datagram->fd >= 0 && datagram->len == 7);
	HOLD(memcmp(datagram->data, "payload", 7) == 0);
	HOLD(strcmp(addr_format(&datagram->to, text), address) == 0);
	HOLD(route_may_answer(&route, &datagram->to));
}

static void
one_socket_for_each_family(void **state)
{
	struct batch_datagram d;
	int four, six;

	(void)state;
	begin();
	assert_int_equal(judge(BYTES(to_ipv4), &d), UDP_GOES);
	goes_to(&d, "127.0.0.1:53");
	four = d.fd;
	assert_string_equal(world.asked, "127.0.0.1:53");
	assert_string_equal(world.address, "127.0.0.1:53");
	assert_int_equal(judge(BYTES(to_ipv6), &d), UDP_GOES);
	goes_to(&d, "[::1]:53");
	six = d.fd;
	assert_int_not_equal(four, six);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(judge(BYTES(to_ipv4), &d), UDP_GOES);
		goes_to(&d, "127.0.0.1:53");
		assert_int_equal(d.fd, four);
		assert_int_equal(judge(BYTES(to_ipv6), &d), UDP_GOES);
		assert_int_equal(judge(BYTES(to_ipv6), &d), UDP_GOES);
		goes_to(&d, "[::1]:53");
		assert_int_equal(d.fd, six);
	}
	assert_int_equal(world.set_ups, 2);
	route_close(&route);
	assert_int_equal(route.out[0], -1);
	assert_true(fcntl(four, F_GETFD) < 0 && fcntl(six, F_GETFD) < 0);
}

/* IPv4-mapped is IPv4, in the rules too. */
static void
mapped(void **state)
{
	static const uint8_t header[] = "\0\0\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff"
					"\x7f\0\0\1\0\x35payload";
	struct batch_datagram d;

	(void)state;
	begin();
	assert_int_equal(judge(BYTES(header), &d), UDP_GOES);
	goes_to(&d, "127.0.0.1:53");
	assert_int_equal(route.out[1], -1);
	world.forbidden = AF_INET;
	memset(route.ways, 0, sizeof(route.ways));
	assert_int_equal(judge(BYTES(header), &d), UDP_DENIED);
	route_close(&route);
}

static void
what_is_no_datagram(void **state)
{
	static const uint8_t fragment[] = "\0\0\1\1\x7f\0\0\1\0\x35payload";
	static const uint8_t nobody[] = "\0\0\0\3\0\0\x35payload";
	static const uint8_t blank[] = "\0\0\0\3\3a b\0\x35payload";
	struct batch_datagram d;

	(void)state;
	begin();
	for (size_t n = 0; n < 10; n++)
		assert_int_equal(judge(to_ipv4, n, &d), UDP_MALFORMED);
	assert_int_equal(judge("\1\2\3", 3, &d), UDP_MALFORMED);
	assert_int_equal(judge(BYTES(fragment), &d), UDP_FRAGMENT);
	assert_int_equal(judge(BYTES(nobody), &d), UDP_MALFORMED);
	assert_int_equal(judge(BYTES(blank), &d), UDP_MALFORMED);
	assert_int_equal(world.permits + world.set_ups, 0);
	/* And what follows one is judged by itself. */
	assert_int_equal(judge(BYTES(to_ipv4), &d), UDP_GOES);
	assert_int_equal(judge(BYTES(fragment), &d), UDP_FRAGMENT);
	assert_int_equal(judge(to_ipv4, 9, &d), UDP_MALFORMED);
	assert_int_equal(judge(to_ipv4, 10, &d), UDP_GOES);
	assert_int_equal(d.len, 0);
	route_close(&route);
}

static void
what_is_not_permitted_may_not_answer(void **state)
{
	struct batch_datagram d;
	union addr addr;

	(void)state;
	begin();
	addr_parse("127.0.0.1", 53, &addr);
	world.forbidden = AF_INET;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(judge(BYTES(to_ipv4), &d), UDP_DENIED);
		assert_int_equal(d.fd, -1);
		assert_int_equal(judge(BYTES(to_ipv6), &d), UDP_GOES);
	}
	assert_false(route_may_answer(&route, &addr));
	assert_int_equal(route.out[0], -1);
	route_close(&route);
}

static void
a_family_without_a_socket(void **state)
{
	struct batch_datagram d;
	int probe;

	(void)state;
	begin();
	world.impossible = AF_INET6;
	assert_int_equal(judge(BYTES(to_ipv6), &d), UDP_UNSENT);
	assert_int_equal(judge(BYTES(to_ipv4), &d), UDP_GOES);
	assert_int_equal(judge(BYTES(to_ipv6), &d), UDP_UNSENT);
	assert_int_equal(world.set_ups, 3);
	assert_int_equal(route.out[1], -1);
	/* Nothing that was opened for it is left: the next place is free. */
	probe = dup(STDIN_FILENO);
	assert_int_equal(probe, route.out[0] + 1);
	close(probe);
	route_close(&route);
}

/* Waits for the look-up; what waited for it comes out. */
static enum udp_fate
next(struct batch_datagram *out)
{
	enum udp_fate fate = UDP_WAITS;

	for (int i = 0; i < 1000 && !route_next(&route, out, &fate); i++) {
		HOLD(i < 999);
		poll(NULL, 0, 5);
		names_harvest(&route.names, io_now_ms());
	}
	return fate;
}

/* Each of its addresses is judged, and the first that may be is taken. */
static void
name_of_both_families(void)
{
	struct batch_datagram d;

	begin();
	world.forbidden = AF_INET6;
	HOLD(judge(BYTES(to_name), &d) == UDP_WAITS && d.fd == -1);
	HOLD(world.permits == 1 && *world.address == '\0');
	memset(room, 0xff, sizeof(room)); /* it has been copied */
	HOLD(next(&d) == UDP_GOES);
	goes_to(&d, "192.0.2.1:53");
	HOLD(strcmp(world.asked, "both.test:53") == 0);
	world.forbidden = AF_UNSPEC;
	HOLD(judge(BYTES(to_name), &d) == UDP_GOES);
	goes_to(&d, "[2001:db8::1]:53");
	HOLD(judge(BYTES(to_name), &d) == UDP_GOES);
	goes_to(&d, "[2001:db8::1]:53");
	route_close(&route);
}

static void
name_that_is_forbidden(void)
{
	struct batch_datagram d;

	begin();
	world.forbidden = AF_INET;
	world.impossible = AF_INET6;
	HOLD(judge(BYTES(to_name), &d) == UDP_WAITS);
	HOLD(next(&d) == UDP_UNSENT && d.fd == -1);
	world.forbidden = AF_INET6;
	world.impossible = AF_INET;
	HOLD(judge(BYTES(to_name), &d) == UDP_UNSENT);
	route_close(&route);
	/* Not looked up at all, if no address would do. */
	begin();
	world.no_name = true;
	HOLD(judge(BYTES(to_name), &d) == UDP_DENIED && d.fd == -1);
	HOLD(route.names.looking == 0 && route.names.waiting == 0);
	HOLD(strcmp(world.asked, "both.test:53") == 0);
	route_close(&route);
}

static void
name_that_is_none(void)
{
	struct batch_datagram d;

	begin();
	HOLD(judge(BYTES("\0\0\0\3\6a.test\0\x35x"), &d) == UDP_WAITS);
	HOLD(next(&d) == UDP_UNRESOLVED);
	HOLD(judge(BYTES("\0\0\0\3\6a.test\0\x35x"), &d) == UDP_UNRESOLVED);
	/* A name that is the literal of an address waits for nothing. */
	HOLD(judge(BYTES("\0\0\0\3\x09"
			 "127.0.0.1\0\x35payload"),
		 &d) == UDP_GOES);
	goes_to(&d, "127.0.0.1:53");
	route_close(&route);
}

static void
names(void **state)
{
	/* The rule of RFC 6724 puts IPv6 first where there is neither. */
	const char *hosts = "2001:db8::1 both.test\n192.0.2.1 both.test\n";

	(void)state;
	in_network(hosts, name_of_both_families);
	in_network(hosts, name_that_is_forbidden);
	in_network(hosts, name_that_is_none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_socket_for_each_family),
	    cmocka_unit_test(mapped),
	    cmocka_unit_test(what_is_no_datagram),
	    cmocka_unit_test(what_is_not_permitted_may_not_answer),
	    cmocka_unit_test(a_family_without_a_socket),
	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
