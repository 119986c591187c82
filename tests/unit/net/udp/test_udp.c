/* SPDX-License-Identifier: ISC */
/*
 * An association whose client and target are a child process. What takes the
 * whole program is in tests/udp.bats.
 */
#include "net/udp/udp.h"
#include "network.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>

/* The TCP connection: ours, and the client's. */
static struct io_end control;
static int client_tcp;
static struct udp udp;
static union addr bound;

/* By IPv4 to a listener that serves both families: mapped on our side. */
static void
connect_client(bool mapped)
{
	union addr to = {.in6 = {.sin6_family = AF_INET6}};
	socklen_t len = sizeof(to);
	int listener, off = 0;

	if (!mapped)
		addr_parse("127.0.0.1", 0, &to);
	listener = socket(to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (mapped)
		setsockopt(
		    listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	assert_int_equal(bind(listener, &to.sa, addr_len(&to)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, &to.sa, &len), 0);
	addr_parse("127.0.0.1", addr_port(&to), &to);
	client_tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client_tcp, &to.sa, addr_len(&to)), 0);
	control = (struct io_end){
	    .fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC),
	    .kind = IO_TCP,
	};
	close(listener);
}

static void
prepare(const struct udp_options *options, const char *asked, uint16_t port)
{
	struct wire_destination dst = {.atyp = WIRE_ATYP_IPV4, .port = port};
	struct fault fault = {0};

	inet_pton(AF_INET, asked, &dst.ipv4);
	assert_int_equal(
	    udp_prepare(&udp, &control, &dst, options, &bound, &fault), 0);
	assert_string_equal(fault.words, "");
}

static void
finish(void)
{
	udp_close(&udp);
	close(control.fd);
	close(client_tcp);
}

/* --- for the child --- */

static int
udp_socket(union addr *out)
{
	socklen_t len = sizeof(*out);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	addr_parse("127.0.0.1", 0, out);
	HOLD(bind(fd, &out->sa, addr_len(out)) == 0);
	HOLD(getsockname(fd, &out->sa, &len) == 0);
	return fd;
}

static size_t
datagram_to(const union addr *to, uint8_t out[64])
{
	size_t n = wire_put_udp_header(to, out);

	out[n] = '!';
	return n + 1;
}

static void
put(int fd, const union addr *to)
{
	uint8_t data[64];
	size_t n = datagram_to(to, data);

	HOLD(sendto(fd, data, n, 0, &bound.sa, addr_len(&bound)) == (ssize_t)n);
}

/* The next datagram; where it came from. */
static union addr
get(int fd, const void *data, size_t len)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	union addr from;
	socklen_t from_len = sizeof(from);
	uint8_t got[64];

	HOLD(poll(&ready, 1, 5000) == 1);
	HOLD(recvfrom(fd, got, sizeof(got), 0, &from.sa, &from_len) ==
	     (ssize_t)len);
	HOLD(memcmp(got, data, len) == 0);
	return from;
}

/* To a target and back. */
static void
echo_once(int fd)
{
	uint8_t data[64];
	union addr at, from;
	int target = udp_socket(&at);
	size_t n = datagram_to(&at, data);

	put(fd, &at);
	from = get(target, "!", 1);
	HOLD(sendto(target, "!", 1, 0, &from.sa, addr_len(&from)) == 1);
	from = get(fd, data, n);
	HOLD(addr_equal(&from, &bound));
	close(target);
}

/* Runs the association for such a client, who leaves at the end. */
static enum log_end
run_for(void (*play)(void))
{
	pid_t pid = fork_child();
	enum log_end end;

	if (pid == 0) {
		close(control.fd);
		alarm(20);
		play();
		_exit(0);
	}
	close(client_tcp);
	client_tcp = -1;
	end = udp_run(&udp);
	child_held(pid);
	return end;
}

static void
play_one(void)
{
	union addr at;
	int fd = udp_socket(&at);

	for (int i = 0; i < 3; i++)
		echo_once(fd);
}

static void
a_client_who_came_by_a_mapped_address(void **state)
{
	const struct udp_options options = {0};

	(void)state;
	connect_client(true);
	prepare(&options, "0.0.0.0", 0);
	assert_int_equal(bound.sa.sa_family, AF_INET);
	assert_int_equal(run_for(play_one), LOG_END_CLIENT_EOF);
	assert_int_equal(udp.counts.up, 3);
	assert_int_equal(udp.counts.down, 3);
	assert_int_equal(udp.counts.bytes_up, 3);
	assert_int_equal(udp.counts.bytes_down, 3);
	for (size_t i = 0; i < UDP_DROPS; i++)
		assert_int_equal(udp.counts.dropped[i], 0);
	finish();
}

static union addr forbidden;

static bool
permit(
    void *context, const struct wire_destination *asked, const union addr *addr)
{
	(void)asked;
	++*(int *)context;
	return !addr_equal(addr, &forbidden);
}

static void
play_forbidden(void)
{
	union addr at;
	int fd = udp_socket(&at);

	/* The first of all is one that is denied; the port is the client's. */
	put(fd, &forbidden);
	put(udp_socket(&at), &forbidden);
	echo_once(fd);
	put(fd, &forbidden);
	echo_once(fd);
}

static void
what_is_denied_is_dropped_and_counted(void **state)
{
	int asked = 0;
	const struct udp_options options = {
	    .route = {.permits = permit, .context = &asked},
	};
	struct log_record record = log_nothing;
	char dropped[LOG_WORDS_MAX];
	struct pollfd silence;

	(void)state;
	silence = (struct pollfd){
	    .fd = udp_socket(&forbidden),
	    .events = POLLIN,
	};
	connect_client(false);
	prepare(&options, "0.0.0.0", 0);
	assert_int_equal(run_for(play_forbidden), LOG_END_CLIENT_EOF);
	assert_int_equal(poll(&silence, 1, 0), 0);
	udp_describe(&udp.counts, dropped, &record);
	assert_int_equal(record.udp_up, 2);
	assert_int_equal(record.udp_down, 2);
	assert_string_equal(record.dropped, "stranger:1,denied:2");
	assert_int_equal(asked, 4);
	close(silence.fd);
	finish();
}

static void
what_the_client_is_told(void **state)
{
	struct udp_options options = {0};
	uint16_t port;

	(void)state;
	connect_client(false);
	/* Of the other family: no word to a client that came by IPv4. */
	addr_parse("2001:db8::1", 0, &options.advertise[1]);
	prepare(&options, "0.0.0.0", 0);
	port = addr_port(&bound);
	assert_int_not_equal(port, 0);
	assert_int_equal(bound.in.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	udp_close(&udp);
	/* The port that was free just now, as a range of one. */
	addr_parse("192.0.2.1", 0, &options.advertise[0]);
	options.first_port = options.last_port = port;
	prepare(&options, "0.0.0.0", 0);
	assert_int_equal(addr_port(&bound), port);
	assert_int_equal(bound.in.sin_addr.s_addr, htonl(0xc0000201));
	finish();
}

static void
a_port_that_is_believed(void **state)
{
	const struct udp_options options = {0};

	(void)state;
	connect_client(true);
	prepare(&options, "127.0.0.1", 4711);
	assert_int_equal(addr_port(&udp.client), 4711);
	udp_close(&udp);
	prepare(&options, "127.0.0.2", 4711);
	assert_int_equal(addr_port(&udp.client), 0);
	udp_close(&udp);
	prepare(&options, "127.0.0.1", 0);
	assert_int_equal(addr_port(&udp.client), 0);
	finish();
}

static void
refused_with_words(void **state)
{
	const struct udp_options options = {0};
	const struct wire_destination dst = {.atyp = WIRE_ATYP_IPV4};
	struct fault fault = {0};
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	control = (struct io_end){.fd = pair[0], .kind = IO_SOCKET};
	assert_int_equal(
	    udp_prepare(&udp, &control, &dst, &options, &bound, &fault),
	    -EOPNOTSUPP);
	assert_true(*fault.words);
	close(pair[0]);
	close(pair[1]);
}

static void
the_time_and_sigterm_end_it(void **state)
{
	const struct udp_options options = {0};

	(void)state;
	connect_client(false);
	prepare(&options, "0.0.0.0", 0);
	udp.idle_ms = 100;
	assert_int_equal(udp_run(&udp), LOG_END_IDLE);
	udp.idle_ms = 0;
	signals_alarm(100);
	assert_int_equal(udp_run(&udp), LOG_END_LIFETIME);
	signals_alarm(0);
	kill(getpid(), SIGTERM);
	assert_int_equal(udp_run(&udp), LOG_END_TERMINATED);
	finish();
}

/* Every reason at its largest fits. */
static void
describe_the_most(void **state)
{
	struct udp_counts counts = {.up = 1};
	struct log_record record = log_nothing;
	char dropped[LOG_WORDS_MAX];

	(void)state;
	udp_describe(&counts, dropped, &record);
	assert_string_equal(record.dropped, "");
	for (size_t i = 0; i < UDP_DROPS; i++)
		counts.dropped[i] = INT64_MAX;
	udp_describe(&counts, dropped, &record);
	assert_string_equal(record.dropped,
	    "fragment:9223372036854775807,malformed:9223372036854775807,"
	    "stranger:9223372036854775807,denied:9223372036854775807,"
	    "unresolved:9223372036854775807,oversize:9223372036854775807,"
	    "unsent:9223372036854775807");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_client_who_came_by_a_mapped_address),
	    cmocka_unit_test(what_is_denied_is_dropped_and_counted),
	    cmocka_unit_test(what_the_client_is_told),
	    cmocka_unit_test(a_port_that_is_believed),
	    cmocka_unit_test(refused_with_words),
	    cmocka_unit_test(describe_the_most),
	    cmocka_unit_test(the_time_and_sigterm_end_it), /* for good */
	};

	signals_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
