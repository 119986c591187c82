/* SPDX-License-Identifier: ISC */
#include "net/udp/port.h"
#include "network.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* A TCP connection from one address to another: pair[0] is the server's. */
static void
connect_pair(const char *client, const char *server, bool mapped, int pair[2])
{
	union addr to, from;
	socklen_t len = sizeof(to);
	int listener, off = 0;

	addr_parse(server, 0, &to);
	addr_parse(client, 0, &from);
	if (mapped) { /* a dual-stack listener, as systemd's are */
		to = (union addr){.in6 = {.sin6_family = AF_INET6}};
		listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(
		    listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	} else {
		listener =
		    socket(to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	}
	HOLD(bind(listener, &to.sa, addr_len(&to)) == 0);
	HOLD(listen(listener, 1) == 0);
	HOLD(getsockname(listener, &to.sa, &len) == 0);
	if (mapped) {
		uint16_t port = addr_port(&to);

		addr_parse(server, port, &to);
	}
	pair[1] = socket(from.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	HOLD(bind(pair[1], &from.sa, addr_len(&from)) == 0);
	HOLD(connect(pair[1], &to.sa, addr_len(&to)) == 0);
	pair[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	HOLD(pair[0] >= 0);
	close(listener);
}

static void
close_pair(const int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

static void
opens(const char *client, const char *server, bool mapped)
{
	struct fault fault = {0};
	struct port port;
	union addr expected;
	int pair[2];

	connect_pair(client, server, mapped, pair);
	assert_int_equal(port_open(pair[0], 0, 0, &port, &fault), 0);
	assert_string_equal(fault.words, "");
	addr_parse(server, 0, &expected);
	assert_true(addr_equal_host(&port.own, &expected));
	assert_int_equal(port.own.sa.sa_family, expected.sa.sa_family);
	assert_int_not_equal(addr_port(&port.own), 0);
	addr_parse(client, 0, &expected);
	assert_true(addr_equal_host(&port.client, &expected));
	assert_int_equal(port.client.sa.sa_family, expected.sa.sa_family);
	close(port.fd);
	close_pair(pair);
}

static void
the_address_that_the_client_reached(void **state)
{
	(void)state;
	opens("127.0.0.1", "127.0.0.1", false);
	opens("127.0.0.3", "127.0.0.2", false);
	opens("127.0.0.3", "127.0.0.2", true);
	opens("::1", "::1", false);
}

/* In a network of our own, where these ports are free. */
static void
use_up_a_range(void)
{
	struct port ports[4], one_more;
	struct fault fault = {0};
	unsigned seen = 0;
	int pair[2];

	connect_pair("127.0.0.1", "127.0.0.1", false, pair);
	for (size_t i = 0; i < 4; i++) {
		HOLD(port_open(pair[0], 4000, 4003, &ports[i], &fault) == 0);
		HOLD(addr_port(&ports[i].own) >= 4000);
		HOLD(addr_port(&ports[i].own) <= 4003);
		seen |= 1U << (addr_port(&ports[i].own) - 4000);
	}
	HOLD(seen == 0xf && !*fault.words);
	HOLD(port_open(pair[0], 4000, 4003, &one_more, &fault) == -EADDRINUSE);
	HOLD(strstr(fault.words, "taken"));
	close(ports[2].fd);
	HOLD(port_open(pair[0], 4000, 4003, &one_more, &fault) == 0);
	HOLD(addr_equal(&one_more.own, &ports[2].own));
	/* The ends of what can be a port. */
	HOLD(port_open(pair[0], 65535, 65535, &ports[2], &fault) == 0);
	HOLD(addr_port(&ports[2].own) == 65535);
	HOLD(port_open(pair[0], 1, 65535, &ports[2], &fault) == 0);
}

static void
a_range_of_ports(void **state)
{
	(void)state;
	in_network("", use_up_a_range);
}

static void
no_ip_address(void **state)
{
	struct fault fault = {0};
	struct port port;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(port_open(pair[0], 0, 0, &port, &fault), -EOPNOTSUPP);
	assert_string_equal(
	    fault.words, "UDP needs a client with an IP address");
	close_pair(pair);
	assert_int_equal(pipe(pair), 0);
	fault = (struct fault){0};
	assert_int_equal(port_open(pair[0], 0, 0, &port, &fault), -EOPNOTSUPP);
	assert_true(*fault.words);
	close_pair(pair);
	/* One that has gone has no address any more. */
	connect_pair("127.0.0.1", "127.0.0.1", false, pair);
	setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
	    sizeof(struct linger));
	close(pair[1]);
	while (recv(pair[0], &(char){0}, 1, 0) > 0)
		;
	assert_int_equal(port_open(pair[0], 0, 0, &port, &fault), -EOPNOTSUPP);
	close(pair[0]);
}

static void
one_family_alone(void **state)
{
	int four = port_socket(AF_INET), six = port_socket(AF_INET6), only = 0;
	union addr any = {.in = {.sin_family = AF_INET}};
	union addr any6 = {.in6 = {.sin6_family = AF_INET6}};
	socklen_t len = sizeof(any);

	(void)state;
	assert_int_equal(bind(four, &any.sa, addr_len(&any)), 0);
	assert_int_equal(getsockname(four, &any.sa, &len), 0);
	/* Side by side: the one for IPv6 takes no IPv4. */
	addr_set_port(&any6, addr_port(&any));
	assert_int_equal(bind(six, &any6.sa, addr_len(&any6)), 0);
	len = sizeof(only);
	getsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len);
	assert_int_equal(only, 1);
	assert_true(fcntl(six, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(six, F_GETFD) & FD_CLOEXEC);
	close(four);
	close(six);
	assert_int_equal(port_socket(AF_MAX), -EAFNOSUPPORT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_address_that_the_client_reached),
	    cmocka_unit_test(a_range_of_ports),
	    cmocka_unit_test(no_ip_address),
	    cmocka_unit_test(one_family_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
