/* SPDX-License-Identifier: ISC */
/* On loopback alone; tests/bind.bats has it with replies and real clients. */
#include "client.h"
#include "net/bind.h"
#include "network.h"
#include "unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

/* As many as can wait in a queue, so that none of them has to come twice. */
#define STRANGERS 100

/* As a dual-stack listener shows an IPv4 address. */
static union addr
mapped(const char *text)
{
	union addr addr = {.in6 = {.sin6_family = AF_INET6}};

	HOLD(inet_pton(AF_INET6, text, &addr.in6.sin6_addr) == 1);
	return addr;
}

/* Where it listens: this address, on a port that it has, and nobody else. */
static void
listens_at(const struct bind_listener *listener, const char *text)
{
	union addr name;
	socklen_t len = sizeof(name);
	int listening = 0;
	socklen_t size = sizeof(listening);

	HOLD(getsockname(listener->fd, &name.sa, &len) == 0);
	HOLD(addr_equal(&name, &listener->bound));
	name = at(text, ntohs(name.in.sin_port));
	HOLD(name.in.sin_port != 0);
	HOLD(addr_equal(&name, &listener->bound));
	HOLD(name.sa.sa_family == listener->bound.sa.sa_family);
	HOLD(getsockopt(listener->fd, SOL_SOCKET, SO_ACCEPTCONN, &listening,
		 &size) == 0);
	HOLD(listening);
}

static struct failure failure;

static void
opens_at(const struct bind_options *options, const char *text)
{
	struct bind_listener listener;

	HOLD(bind_open(options, &listener, &failure) == 0);
	listens_at(&listener, text);
	bind_close(&listener);
	HOLD(listener.fd == -1);
}

/* Nothing is written to the output of a failure. */
static void
does_not_open(const struct bind_options *options, enum outcome outcome)
{
	struct bind_listener listener, untouched;

	memset(&untouched, 0xa5, sizeof(untouched));
	listener = untouched;
	HOLD(bind_open(options, &listener, &failure) == outcome);
	HOLD(memcmp(&listener, &untouched, sizeof(untouched)) == 0);
}

/* Connected or not yet, from this address (NULL: as the kernel likes). */
static int
comes_from(const char *from, const struct bind_listener *listener)
{
	const union addr *to = &listener->bound;
	int fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	union addr source;

	HOLD(fd >= 0);
	if (from) {
		source = at(from, 0);
		HOLD(bind(fd, &source.sa, addr_len(&source)) == 0);
	}
	/* Somebody quick may have reset it already. */
	HOLD(connect(fd, &to->sa, addr_len(to)) == 0 || errno == ECONNRESET ||
	     errno == ECONNABORTED);
	return fd;
}

/* It had a connection, and now has a reset. */
static void
is_turned_away(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	char byte;

	assert_int_equal(poll(&ready, 1, GENEROUS_MS), 1);
	assert_int_equal(read(fd, &byte, 1), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
}

/* bind_await() with nothing written to *out unless it succeeds. */
static int
awaits(struct bind_listener *listener, struct dial_result *out)
{
	struct io_end client = {.fd = pair[0], .kind = IO_SOCKET};
	struct dial_result untouched;
	int64_t before = io_now_ms();
	int rc;

	memset(&untouched, 0xa5, sizeof(untouched));
	*out = untouched;
	rc = bind_await(listener, &client, out, &failure);
	assert_true(io_now_ms() - before < GENEROUS_MS);
	if (rc != OUTCOME_DONE)
		assert_memory_equal(out, &untouched, sizeof(untouched));
	return rc;
}

/* The two are each other's end; closes them. */
static void
are_connected(const struct dial_result *result, int peer)
{
	union addr name;
	socklen_t len = sizeof(name);
	char byte = 'x';

	assert_int_equal(getsockname(peer, &name.sa, &len), 0);
	assert_true(addr_equal(&result->address, &name));
	len = sizeof(name);
	assert_int_equal(getpeername(peer, &name.sa, &len), 0);
	assert_true(addr_equal(&result->bound, &name));
	assert_true(fcntl(result->fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(result->fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(result->fd, &byte, 1), 1);
	byte = 0;
	assert_int_equal(read(peer, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(result->fd);
	close(peer);
}

static void
who_is_anyone(void **state)
{
	static const struct {
		const char *text;
		bool anyone;
	} table[] = {
	    {"0.0.0.0", true},
	    {"::", true},
	    {"::ffff:0.0.0.0", true},
	    {"0.0.0.1", false},
	    {"1.0.0.0", false},
	    {"::1", false},
	    {"::ffff:127.0.0.1", false},
	    {"64:ff9b::", false},
	    {"localhost", false},
	    {"0", true},
	    {"", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text);
		struct wire_destination dst = {.atyp = WIRE_ATYP_NAME};

		dst.name_len = (uint8_t)strlen(table[i].text);
		memcpy(dst.name, table[i].text, dst.name_len + 1U);
		assert_int_equal(bind_from_anyone(&dst), table[i].anyone);
		dst.atyp = WIRE_ATYP_IPV4;
		if (inet_pton(AF_INET, table[i].text, &dst.ipv4) == 1)
			assert_int_equal(
			    bind_from_anyone(&dst), table[i].anyone);
		dst.atyp = WIRE_ATYP_IPV6;
		if (inet_pton(AF_INET6, table[i].text, &dst.ipv6) == 1)
			assert_int_equal(
			    bind_from_anyone(&dst), table[i].anyone);
	}
}

static void
the_address_that_the_peer_can_reach(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 21)}};
	union addr elsewhere = at("127.0.0.9", 1080);
	struct bind_options options = {
	    .expected = &list, .reached = &elsewhere};

	(void)state;
	opens_at(&options, "127.0.0.1");
	list.at[0] = at("::1", 0);
	opens_at(&options, "::1");
	list.at[0] = mapped("::ffff:127.0.0.1");
	opens_at(&options, "127.0.0.1");
	/* A pipe will do where it is known who comes. */
	options.reached = NULL;
	opens_at(&options, "127.0.0.1");
}

static void
for_anyone_where_the_client_reached_us(void **state)
{
	union addr reached = at("127.0.0.9", 1080);
	struct bind_options options = {.reached = &reached};

	(void)state;
	opens_at(&options, "127.0.0.9");
	reached = at("::1", 1080);
	opens_at(&options, "::1");
	reached = mapped("::ffff:127.0.0.8");
	opens_at(&options, "127.0.0.8");
	/* With a source it is that, and no other family. */
	options.terms.source.at[0] = at("127.0.0.7", 0);
	opens_at(&options, "127.0.0.7");
	reached = at("::1", 1080);
	does_not_open(&options, OUTCOME_NO_SOURCE);
	options.reached = NULL;
	does_not_open(&options, OUTCOME_COMMAND_UNSUPPORTED);
}

static void
one_family_alone(void **state)
{
	struct addr_list list = {
	    .count = 2, .at = {at("::1", 21), at("127.0.0.1", 21)}};
	union addr reached = at("::1", 1080);
	struct bind_options options = {.expected = &list, .reached = &reached};

	(void)state;
	opens_at(&options, "::1");
	options.family = AF_INET;
	opens_at(&options, "127.0.0.1");
	list.count = 1;
	does_not_open(&options, OUTCOME_FAMILY_UNSUPPORTED);
	list.at[0] = mapped("::ffff:127.0.0.1");
	opens_at(&options, "127.0.0.1");
	options.expected = NULL;
	does_not_open(&options, OUTCOME_FAMILY_UNSUPPORTED);
	reached = mapped("::ffff:127.0.0.1");
	opens_at(&options, "127.0.0.1");
	options.family = AF_INET6;
	does_not_open(&options, OUTCOME_FAMILY_UNSUPPORTED);
}

static void
no_way_to_some(void)
{
	struct addr_list list = {
	    .count = 3,
	    .at = {at("2001:db8::1", 21), at("192.0.2.1", 21),
		at("127.0.0.1", 21)},
	};
	struct bind_options options = {.expected = &list};

	opens_at(&options, "127.0.0.1");
	list.count = 2;
	does_not_open(&options, OUTCOME_NETWORK_UNREACHABLE);
	list.count = 0;
	does_not_open(&options, OUTCOME_FAMILY_UNSUPPORTED);
}

static void
the_first_with_a_way(void **state)
{
	(void)state;
	in_network("", no_way_to_some);
}

/* Every spelling of the address, any port; before the wait, and in it. */
static void
the_expected_peer(void **state)
{
	union addr spellings[] = {
	    at("127.0.0.1", 1), at("127.0.0.1", 0), mapped("::ffff:127.0.0.1")};
	struct dial_result result;

	(void)state;
	signals_alarm(GENEROUS_MS);
	for (size_t i = 0; i < COUNT(spellings); i++) {
		unit_row("spelling %zu", i);
		struct addr_list list = {.count = 1, .at = {spellings[i]}};
		struct bind_options options = {.expected = &list};
		struct bind_listener listener;
		int peer;

		assert_int_equal(bind_open(&options, &listener, &failure), 0);
		peer = comes_from(NULL, &listener);
		assert_int_equal(awaits(&listener, &result), 0);
		assert_int_equal(listener.strangers, 0);
		bind_close(&listener);
		are_connected(&result, peer);
	}
}

/* Whoever comes second finds nobody. */
static void
one_connection(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	struct bind_options options = {.expected = &list};
	struct bind_listener listener;
	struct dial_result result;
	int first, second, late;

	(void)state;
	signals_alarm(GENEROUS_MS);
	assert_int_equal(bind_open(&options, &listener, &failure), 0);
	first = comes_from(NULL, &listener);
	second = comes_from(NULL, &listener);
	assert_int_equal(awaits(&listener, &result), 0);
	bind_close(&listener);
	is_turned_away(second);
	late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    connect(late, &listener.bound.sa, addr_len(&listener.bound)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(late);
	are_connected(&result, first);
}

static void
strangers_are_turned_away(void **state)
{
	struct addr_list list = {
	    .count = 3,
	    .at = {at("127.0.0.3", 21), at("::1", 0), at("127.0.0.4", 21)},
	};
	struct bind_options options = {.expected = &list};
	struct bind_listener listener;
	struct dial_result result;
	int strangers[3], peer;

	(void)state;
	signals_alarm(GENEROUS_MS);
	assert_int_equal(bind_open(&options, &listener, &failure), 0);
	listens_at(&listener, "127.0.0.1");
	strangers[0] = comes_from(NULL, &listener);
	strangers[1] = comes_from("127.0.0.2", &listener);
	strangers[2] = comes_from("127.0.0.5", &listener);
	peer = comes_from("127.0.0.4", &listener);
	assert_int_equal(awaits(&listener, &result), 0);
	assert_int_equal(listener.strangers, 3);
	bind_close(&listener);
	for (size_t i = 0; i < COUNT(strangers); i++)
		is_turned_away(strangers[i]);
	are_connected(&result, peer);
}

/* The wait goes on for as long as they come. */
static void
many_strangers(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.3", 0)}};
	struct io_end client = {.fd = pair[0], .kind = IO_SOCKET};
	struct bind_options options = {.expected = &list};
	struct bind_listener listener;
	struct dial_result result;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(bind_open(&options, &listener, &failure), 0);
	pid = fork_child();
	if (pid == 0) {
		alarm(GENEROUS_MS / 1000);
		for (int i = 0; i < STRANGERS; i++)
			close(comes_from("127.0.0.2", &listener));
		HOLD(read(comes_from("127.0.0.3", &listener), &byte, 1) == 1);
		_exit(0);
	}
	signals_alarm(GENEROUS_MS);
	assert_int_equal(bind_await(&listener, &client, &result, &failure), 0);
	assert_int_equal(listener.strangers, STRANGERS);
	bind_close(&listener);
	assert_int_equal(write(result.fd, "x", 1), 1);
	close(result.fd);
	signals_alarm(0);
	child_held(pid);
}

/* The rules know whom to ask about, and are asked about nobody else. */
static bool
not_from_this_port(void *context, const union addr *from)
{
	const in_port_t *port = context;

	HOLD(from->in.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	return from->in.sin_port != *port;
}

static void
what_the_rules_say(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	union addr reached = at("127.0.0.1", 0), name;
	socklen_t len = sizeof(name);
	in_port_t unwelcome = 0;
	struct bind_options options = {
	    .expected = &list,
	    .permits = not_from_this_port,
	    .context = &unwelcome,
	};
	struct bind_listener listener;
	struct dial_result result;

	(void)state;
	signals_alarm(GENEROUS_MS);
	for (int anyone = 0; anyone < 2; anyone++) {
		int stranger, denied, peer;

		assert_int_equal(bind_open(&options, &listener, &failure), 0);
		stranger = anyone ? -1 : comes_from("127.0.0.2", &listener);
		denied = comes_from(NULL, &listener);
		assert_int_equal(getsockname(denied, &name.sa, &len), 0);
		unwelcome = name.in.sin_port;
		peer = comes_from(NULL, &listener);
		assert_int_equal(awaits(&listener, &result), 0);
		assert_int_equal(listener.strangers, anyone ? 1 : 2);
		bind_close(&listener);
		if (!anyone)
			is_turned_away(stranger);
		is_turned_away(denied);
		are_connected(&result, peer);
		options.expected = NULL;
		options.reached = &reached;
	}
}

static void
nobody_until_the_alarm(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.3", 0)}};
	struct bind_options options = {.expected = &list};
	struct bind_listener listener;
	struct dial_result result;
	int64_t before = io_now_ms();
	int stranger;

	(void)state;
	assert_int_equal(bind_open(&options, &listener, &failure), 0);
	stranger = comes_from(NULL, &listener);
	signals_alarm(100);
	assert_int_equal(awaits(&listener, &result), OUTCOME_CONNECT_TIMEOUT);
	assert_true(io_now_ms() - before >= 100);
	is_turned_away(stranger);
	/* It has rung: even who is there already comes too late. */
	stranger = comes_from("127.0.0.3", &listener);
	assert_int_equal(awaits(&listener, &result), OUTCOME_CONNECT_TIMEOUT);
	bind_close(&listener);
	is_turned_away(stranger);
}

static void
a_client_that_left(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	struct bind_options options = {.expected = &list};
	struct bind_listener listener;
	struct dial_result result;
	int p[2];

	(void)state;
	signals_alarm(GENEROUS_MS);
	assert_int_equal(bind_open(&options, &listener, &failure), 0);
	close(pair[1]);
	assert_int_equal(awaits(&listener, &result), OUTCOME_CLIENT_LEFT);

	/* On a pipe it is the reader that has gone. */
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	close(p[0]);
	close(pair[0]);
	pair[0] = p[1];
	assert_int_equal(awaits(&listener, &result), OUTCOME_CLIENT_LEFT);
	pair[1] = -1;
	bind_close(&listener);
}

static void
a_client_that_only_half_closed(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	struct bind_options options = {.expected = &list};
	struct bind_listener listener;
	struct dial_result result;
	int peer;

	(void)state;
	signals_alarm(GENEROUS_MS);
	assert_int_equal(bind_open(&options, &listener, &failure), 0);
	assert_int_equal(write(pair[1], "bytes", 5), 5);
	assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
	peer = comes_from(NULL, &listener);
	assert_int_equal(awaits(&listener, &result), 0);
	bind_close(&listener);
	are_connected(&result, peer);
}

static void
sigterm(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	struct io_end client = {.fd = pair[0], .kind = IO_SOCKET};
	struct bind_options options = {.expected = &list};
	struct bind_listener listener;
	struct dial_result result;
	pid_t pid = fork_child();

	(void)state;
	if (pid == 0) {
		HOLD(bind_open(&options, &listener, &failure) == 0);
		raise(SIGTERM); /* before: it has not been forgotten */
		HOLD(bind_await(&listener, &client, &result, &failure) ==
		     OUTCOME_TERMINATED);
		_exit(0);
	}
	child_held(pid);
}

/* To try again at once, without end, would not help. */
static void
no_descriptors_left(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	struct io_end client = {.fd = pair[0], .kind = IO_SOCKET};
	struct bind_options options = {.expected = &list};
	struct bind_listener listener;
	struct dial_result result;
	struct rlimit limit;
	pid_t pid = fork_child();
	int peer;

	(void)state;
	if (pid == 0) {
		HOLD(bind_open(&options, &listener, &failure) == 0);
		peer = comes_from(NULL, &listener);
		limit = (struct rlimit){
		    .rlim_cur = (rlim_t)peer + 1, .rlim_max = (rlim_t)peer + 1};
		HOLD(setrlimit(RLIMIT_NOFILE, &limit) == 0);
		while (dup(peer) >= 0)
			;
		signals_alarm(GENEROUS_MS);
		HOLD(bind_await(&listener, &client, &result, &failure) ==
			 OUTCOME_SYSTEM &&
		     failure.cause.error == EMFILE);
		bind_close(&listener);
		_exit(0);
	}
	child_held(pid);
}

#define BIND_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_is_anyone),
	    BIND_TEST(the_address_that_the_peer_can_reach),
	    BIND_TEST(for_anyone_where_the_client_reached_us),
	    BIND_TEST(one_family_alone),
	    BIND_TEST(the_first_with_a_way),
	    BIND_TEST(the_expected_peer),
	    BIND_TEST(one_connection),
	    BIND_TEST(strangers_are_turned_away),
	    BIND_TEST(many_strangers),
	    BIND_TEST(what_the_rules_say),
	    BIND_TEST(nobody_until_the_alarm),
	    BIND_TEST(a_client_that_left),
	    BIND_TEST(a_client_that_only_half_closed),
	    BIND_TEST(sigterm),
	    BIND_TEST(no_descriptors_left),
	};

	signals_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
