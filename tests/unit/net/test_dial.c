/* SPDX-License-Identifier: ISC */
/* On loopback alone; tests/connect.bats has it with names and replies. */
#include "base/tcp.h"
#include "client.h"
#include "net/dial.h"
#include "network.h"
#include "unit.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

/* A socket that has this address, whose port is now known. */
static int
bound_to(union addr *addr)
{
	socklen_t len = addr_len(addr);
	int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	HOLD(fd >= 0);
	HOLD(bind(fd, &addr->sa, len) == 0);
	HOLD(getsockname(fd, &addr->sa, &len) == 0);
	return fd;
}

/* Bound, and not listening: it refuses, and nobody else gets the port. */
static int
refuses(union addr *addr)
{
	return bound_to(addr);
}

static int
answers(union addr *addr)
{
	int fd = bound_to(addr);

	HOLD(listen(fd, 16) == 0);
	return fd;
}

struct hole {
	int listener, waiting[4];
};

/* Its queue is full, so that whoever connects next gets no answer at all. */
static struct hole
black_hole(union addr *addr)
{
	struct hole hole = {.listener = bound_to(addr)};
	struct pollfd last;

	HOLD(listen(hole.listener, 0) == 0);
	for (size_t i = 0; i < COUNT(hole.waiting); i++) {
		hole.waiting[i] = socket(addr->sa.sa_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		HOLD(hole.waiting[i] >= 0);
		connect(hole.waiting[i], &addr->sa, addr_len(addr));
		last =
		    (struct pollfd){.fd = hole.waiting[i], .events = POLLOUT};
		/* The first ones find room. */
		poll(&last, 1, i + 1 < COUNT(hole.waiting) ? 20 : 100);
	}
	HOLD(poll(&last, 1, 0) == 0); /* or it is none on this kernel */
	return hole;
}

static void
close_hole(const struct hole *hole)
{
	close(hole->listener);
	for (size_t i = 0; i < COUNT(hole->waiting); i++)
		close(hole->waiting[i]);
}

static const struct terms no_terms;
static struct failure failure;

/* dial(), with nothing written to *out unless it succeeds. */
static enum outcome
dials_with(const struct addr_list *list, const struct terms *terms,
    struct dial_result *out)
{
	struct io_end client = {.fd = pair[0], .kind = IO_SOCKET};
	struct dial_result untouched;
	int64_t before = io_now_ms();
	enum outcome outcome;

	memset(&untouched, 0xa5, sizeof(untouched));
	*out = untouched;
	outcome = dial(
	    list, terms ? terms : &no_terms, false, &client, out, &failure);
	assert_true(io_now_ms() - before < GENEROUS_MS);
	if (outcome != OUTCOME_DONE) {
		assert_int_equal(outcome, failure.outcome);
		assert_memory_equal(out, &untouched, sizeof(untouched));
	}
	return outcome;
}

static enum outcome
dials(const struct addr_list *list, struct dial_result *out)
{
	return dials_with(list, NULL, out);
}

/* Connected to this listener's address, as the result says; ends it. */
static void
connected(const struct dial_result *result, const union addr *addr, int fd)
{
	union addr peer;
	socklen_t len = sizeof(peer);
	int accepted = accept(fd, &peer.sa, &len);

	assert_true(accepted >= 0);
	assert_true(addr_equal(&result->address, addr));
	assert_true(addr_equal(&result->bound, &peer));
	assert_true(fcntl(result->fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(result->fd, F_GETFD) & FD_CLOEXEC);
	close(accepted);
	close(result->fd);
}

static void
the_first_that_answers(void **state)
{
	struct addr_list list = {
	    .count = 2, .at = {at("127.0.0.1", 0), at("127.0.0.1", 0)}};
	int first = answers(&list.at[0]), second = answers(&list.at[1]);
	struct dial_result result;

	(void)state;
	assert_int_equal(dials(&list, &result), 0);
	connected(&result, &list.at[0], first);
	/* And nobody knocked at the other. */
	fcntl(second, F_SETFL, O_NONBLOCK);
	assert_int_equal(accept(second, NULL, NULL), -1);
	close(first);
	close(second);
}

static void
one_refuses_and_the_next_answers(void **state)
{
	struct addr_list list = {
	    .count = 2, .at = {at("::1", 0), at("127.0.0.1", 0)}};
	int no = refuses(&list.at[0]), yes = answers(&list.at[1]);
	struct dial_result result;

	(void)state;
	assert_int_equal(dials(&list, &result), 0);
	connected(&result, &list.at[1], yes);
	close(no);
	close(yes);
}

static void
all_refuse(void **state)
{
	struct addr_list list = {.count = ADDR_LIST_MAX};
	int no[ADDR_LIST_MAX];
	struct dial_result result;

	(void)state;
	for (size_t i = 0; i < list.count; i++) {
		list.at[i] = at(i % 2 ? "127.0.0.1" : "::1", 0);
		no[i] = refuses(&list.at[i]);
	}
	assert_int_equal(dials(&list, &result), OUTCOME_CONNECTION_REFUSED);
	for (size_t i = 0; i < list.count; i++)
		close(no[i]);
}

static void
silence_delays_the_next_one_only_briefly(void **state)
{
	struct addr_list list = {
	    .count = 2, .at = {at("127.0.0.1", 0), at("127.0.0.1", 0)}};
	struct hole hole = black_hole(&list.at[0]);
	int yes = answers(&list.at[1]);
	int64_t before = io_now_ms();
	struct dial_result result;

	(void)state;
	assert_int_equal(dials(&list, &result), 0);
	assert_true(io_now_ms() - before >= 200);
	connected(&result, &list.at[1], yes);
	close(yes);
	close_hole(&hole);
}

/* The attempts that were begun go on while later ones fail. */
static void
an_early_attempt_may_still_win(void **state)
{
	struct addr_list list = {
	    .count = 2, .at = {at("127.0.0.1", 0), at("127.0.0.1", 0)}};
	struct hole hole = black_hole(&list.at[0]);
	int no = refuses(&list.at[1]), accepted;
	struct dial_result result;
	pid_t helper = fork_child();

	(void)state;
	if (helper == 0) {
		/* By now both are under way; the next SYN finds room. */
		poll(NULL, 0, 400);
		while ((accepted = accept(hole.listener, NULL, NULL)) >= 0)
			;
		_exit(0);
	}
	signals_alarm(GENEROUS_MS);
	assert_int_equal(dials(&list, &result), 0);
	assert_true(addr_equal(&result.address, &list.at[0]));
	signals_alarm(0);
	kill(helper, SIGKILL);
	waitpid(helper, NULL, 0);
	close(result.fd);
	close(no);
	close_hole(&hole);
}

static void
silence_until_the_alarm(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	struct hole hole = black_hole(&list.at[0]);
	int64_t before = io_now_ms();
	struct dial_result result;

	(void)state;
	signals_alarm(100);
	assert_int_equal(dials(&list, &result), OUTCOME_CONNECT_TIMEOUT);
	assert_true(io_now_ms() - before >= 100);
	close_hole(&hole);
}

/* Refused says more than that the time was over, whichever comes first. */
static void
refused_and_silence_until_the_alarm(void **state)
{
	(void)state;
	for (size_t silent = 0; silent < 2; silent++) {
		struct addr_list list = {
		    .count = 2, .at = {at("127.0.0.1", 0), at("127.0.0.1", 0)}};
		struct hole hole = black_hole(&list.at[silent]);
		int no = refuses(&list.at[!silent]);
		struct dial_result result;

		signals_alarm(600);
		assert_int_equal(
		    dials(&list, &result), OUTCOME_CONNECTION_REFUSED);
		signals_alarm(0);
		close(no);
		close_hole(&hole);
	}
}

static void
the_alarm_rang_before(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	int yes = answers(&list.at[0]);
	struct dial_result result;

	(void)state;
	signals_alarm(1);
	poll(NULL, 0, GENEROUS_MS);
	assert_int_equal(dials(&list, &result), OUTCOME_CONNECT_TIMEOUT);
	close(yes);
}

static void
a_client_that_left(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	struct hole hole = black_hole(&list.at[0]);
	struct dial_result result;
	int p[2];

	(void)state;
	close(pair[1]);
	assert_int_equal(dials(&list, &result), OUTCOME_CLIENT_LEFT);

	/* On a pipe it is the reader that has gone. */
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	close(p[0]);
	close(pair[0]);
	pair[0] = p[1];
	assert_int_equal(dials(&list, &result), OUTCOME_CLIENT_LEFT);
	pair[1] = -1;
	close_hole(&hole);
}

/* It has said all it wants to say, and waits for the answer. */
static void
a_client_that_only_half_closed(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	int yes = answers(&list.at[0]);
	struct dial_result result;

	(void)state;
	assert_int_equal(write(pair[1], "bytes", 5), 5);
	assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
	assert_int_equal(dials(&list, &result), 0);
	connected(&result, &list.at[0], yes);
	close(yes);
}

static void
sigterm(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	struct hole hole = black_hole(&list.at[0]);
	struct io_end client = {.fd = pair[0], .kind = IO_SOCKET};
	struct dial_result result;
	pid_t pid = fork_child();

	(void)state;
	if (pid == 0) {
		raise(SIGTERM); /* before: it has not been forgotten */
		HOLD(dial(&list, &no_terms, false, &client, &result,
			 &failure) == OUTCOME_TERMINATED);
		_exit(0);
	}
	child_held(pid);
	close_hole(&hole);
}

/* What can't even begin leaves its error, and the next one's turn has come. */
static void
no_way_to_most(void)
{
	struct addr_list list = {.count = ADDR_LIST_MAX};
	union addr *last = &list.at[ADDR_LIST_MAX - 2];
	struct io_end client = {.fd = pair[0], .kind = IO_SOCKET};
	struct dial_result result;
	int64_t before = io_now_ms();
	int fds, no, yes;

	for (size_t i = 0; i < list.count; i++)
		list.at[i] = at(i % 2 ? "2001:db8::1" : "192.0.2.1", 80);
	last[0] = last[1] = at("127.0.0.1", 0);
	no = refuses(&last[0]);
	yes = answers(&last[1]);
	fds = count_fds();
	HOLD(dial(&list, &no_terms, false, &client, &result, &failure) == 0);
	HOLD(addr_equal(&result.address, &last[1]));
	close(result.fd);
	list.count = ADDR_LIST_MAX - 1;
	HOLD(dial(&list, &no_terms, false, &client, &result, &failure) ==
	     OUTCOME_CONNECTION_REFUSED);
	list.count = ADDR_LIST_MAX - 2;
	HOLD(dial(&list, &no_terms, false, &client, &result, &failure) ==
	     OUTCOME_NETWORK_UNREACHABLE);
	HOLD(count_fds() == fds);
	/* With a wait in between it were a quarter of a minute, each time. */
	HOLD(io_now_ms() - before < GENEROUS_MS);
	close(no);
	close(yes);
}

static void
unreachable(void **state)
{
	(void)state;
	in_network("", no_way_to_most);
}

/* The kernel has one port to give away, and it is the one that we ask for. */
static void
one_port(void)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 7001)}};
	struct io_end client = {.fd = pair[0], .kind = IO_SOCKET};
	struct io_end self = {.kind = IO_TCP};
	struct dial_result result;

	network_write("/proc/sys/net/ipv4/ip_local_port_range", "7001 7001");
	/* So it would be: connected, and to itself. */
	self.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	HOLD(connect(self.fd, &list.at[0].sa, addr_len(&list.at[0])) == 0);
	tcp_reset_on_close(&self);
	io_close(&self);
	HOLD(dial(&list, &no_terms, false, &client, &result, &failure) ==
	     OUTCOME_CONNECTION_REFUSED);
}

static void
a_connection_to_itself_is_none(void **state)
{
	(void)state;
	in_network("", one_port);
}

/* With these options the one candidate can't be dialled, for this reason. */
static void
faulty(const struct terms *terms, const char *text, const char *why)
{
	struct addr_list list = {.count = 1, .at = {at(text, 0)}};
	int yes = answers(&list.at[0]);
	struct dial_result result;

	assert_int_equal(
	    dials_with(&list, terms, &result), OUTCOME_TERMS_UNMET);
	assert_string_equal(failure.cause.words, why);
	/* Nobody knocked. */
	fcntl(yes, F_SETFL, O_NONBLOCK);
	assert_int_equal(accept(yes, NULL, NULL), -1);
	close(yes);
}

/* What the kernel says of an option of the socket that a dial brought. */
static void
socket_option(const struct terms *terms, int option, void *value, socklen_t len)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	struct io_end client = {.fd = pair[0], .kind = IO_SOCKET};
	int yes = answers(&list.at[0]);
	struct dial_result result;

	HOLD(dial(&list, terms, false, &client, &result, &failure) == 0);
	HOLD(getsockopt(result.fd, SOL_SOCKET, option, value, &len) == 0);
	close(result.fd);
	close(yes);
}

/* Each family comes from its own address, or from where the kernel wants. */
static void
sources(void **state)
{
	static const struct {
		const char *sources[2], *target, *from;
	} table[] = {
	    {{"127.0.0.5", "::1"}, "127.0.0.1", "127.0.0.5"},
	    {{"127.0.0.5", "::1"}, "::1", "::1"},
	    {{"127.0.0.5", NULL}, "127.0.0.1", "127.0.0.5"},
	    {{NULL, "::1"}, "::1", "::1"},
	    {{NULL, NULL}, "127.0.0.1", "127.0.0.1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s -> %s", table[i].target, table[i].from);
		struct addr_list list = {
		    .count = 1, .at = {at(table[i].target, 0)}};
		int yes = answers(&list.at[0]);
		struct terms terms = {0};
		struct dial_result result;
		union addr from;

		/* A port that is taken: it doesn't count. */
		for (size_t n = 0; n < 2; n++) {
			if (table[i].sources[n])
				terms.source.at[n] = at(table[i].sources[n],
				    ntohs(list.at[0].in.sin_port));
		}
		assert_int_equal(dials_with(&list, &terms, &result), 0);
		from = at(table[i].from, ntohs(result.bound.in.sin_port));
		assert_true(addr_equal(&result.bound, &from));
		assert_false(result.mptcp);
		connected(&result, &list.at[0], yes);
		close(yes);
	}
}

static void
a_source_that_is_not_ours(void **state)
{
	struct terms terms = {
	    .source.at = {at("192.0.2.1", 0), at("2001:db8::1", 0)}};

	(void)state;
	faulty(&terms, "127.0.0.1",
	    "source=192.0.2.1 is no address of this machine");
	faulty(
	    &terms, "::1", "source=2001:db8::1 is no address of this machine");
}

/* A family without a source is left alone, where the other has one. */
static void
one_family_alone(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "::1"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct terms terms = {0};
		struct addr_list list = {.count = 2};
		struct dial_result result;
		int with, without;

		terms.source.at[i] = at(hosts[i], 0);
		/* The one that won't be used comes first, and answers. */
		list.at[0] = at(hosts[!i], 0);
		list.at[1] = at(hosts[i], 0);
		without = answers(&list.at[0]);
		with = answers(&list.at[1]);
		assert_int_equal(
		    dials_with(&list, &terms, &result), OUTCOME_DONE);
		connected(&result, &list.at[1], with);
		close(with);
		/* What the other said is more telling than that. */
		list.at[1] = at(hosts[i], 0);
		with = refuses(&list.at[1]);
		assert_int_equal(dials_with(&list, &terms, &result),
		    OUTCOME_CONNECTION_REFUSED);
		list.count = 1;
		assert_int_equal(
		    dials_with(&list, &terms, &result), OUTCOME_NO_SOURCE);
		assert_string_equal(failure.cause.words,
		    i ? "source=::1 is no address to reach IPv4 from"
		      : "source=127.0.0.1 is no address to reach IPv6 from");
		fcntl(without, F_SETFL, O_NONBLOCK);
		assert_int_equal(accept(without, NULL, NULL), -1);
		close(with);
		close(without);
	}
}

/* Terms that can't be had say more than what the other family got to hear. */
static void
half_a_fault(void **state)
{
	struct terms terms = {
	    .source.at = {at("127.0.0.1", 0), at("2001:db8::1", 0)}};

	(void)state;
	for (size_t six = 0; six < 2; six++) {
		struct addr_list list = {.count = 2};
		union addr *four = &list.at[!six];
		struct dial_result result;
		int no, yes;

		list.at[six] = at("::1", 80);
		*four = at("127.0.0.1", 0);
		no = refuses(four);
		assert_int_equal(
		    dials_with(&list, &terms, &result), OUTCOME_TERMS_UNMET);
		assert_non_null(strstr(failure.cause.words, "2001:db8::1"));
		close(no);

		*four = at("127.0.0.1", 0);
		yes = answers(four);
		assert_int_equal(dials_with(&list, &terms, &result), 0);
		connected(&result, four, yes);
		close(yes);
	}
}

/* The kernel has one port to give away, and it serves for each target. */
static void
one_port_for_many(void)
{
	struct terms terms = {.source.at = {at("127.0.0.5", 0)}};
	struct io_end client = {.fd = pair[0], .kind = IO_SOCKET};
	struct dial_result result;

	network_write("/proc/sys/net/ipv4/ip_local_port_range", "7001 7001");
	for (uint16_t port = 8001; port < 8009; port++) {
		struct addr_list list = {
		    .count = 1, .at = {at("127.0.0.1", port)}};

		answers(&list.at[0]);
		if (dial(&list, &terms, false, &client, &result, &failure))
			unit_row("port %u: %s", port, failure_words(&failure));
		HOLD(result.fd >= 0);
		HOLD(addr_equal(&result.address, &list.at[0]));
		HOLD(ntohs(result.bound.in.sin_port) == 7001);
	}
}

static void
a_source_has_ports_enough(void **state)
{
	(void)state;
	in_network("", one_port_for_many);
}

static void
interfaces(void **state)
{
	struct terms terms = {.interface = "lo"};
	char name[IFNAMSIZ] = "";

	(void)state;
	socket_option(&terms, SO_BINDTODEVICE, name, sizeof(name));
	assert_string_equal(name, "lo");
	strcpy(terms.interface, "nosuch0");
	faulty(&terms, "127.0.0.1",
	    "interface=nosuch0: there is no such interface");
}

/* One of each interface, and no address of this machine before we say which. */
static void
source_fe80(void)
{
	/* As in <linux/ipv6.h>, which doesn't go with <netinet/in.h>. */
	struct {
		struct in6_addr address;
		uint32_t prefix_len;
		int index;
	} request = {.prefix_len = 64, .index = (int)if_nametoindex("lo")};
	struct terms terms = {.source.at[1] = at("fe80::7", 0)};
	struct addr_list list = {.count = 1, .at = {at("fe80::7", 80)}};
	struct io_end client = {.fd = pair[0], .kind = IO_SOCKET};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct dial_result result;
	int waited = 0;

	request.address = terms.source.at[1].in6.sin6_addr;
	HOLD(fd >= 0 && ioctl(fd, SIOCSIFADDR, &request) == 0);
	close(fd);
	list.at[0].in6.sin6_scope_id = (uint32_t)request.index;
	/* The kernel takes a moment to make it an address. */
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	while (bind(fd, &list.at[0].sa, addr_len(&list.at[0])) < 0) {
		HOLD(waited++ < GENEROUS_MS / 20);
		poll(NULL, 0, 20);
	}
	HOLD(listen(fd, 1) == 0);
	HOLD(dial(&list, &terms, false, &client, &result, &failure) ==
	     OUTCOME_TERMS_UNMET);
	HOLD(strcmp(failure.cause.words,
		 "source=fe80::7 is link-local and needs an "
		 "interface") == 0);
	strcpy(terms.interface, "lo");
	HOLD(dial(&list, &terms, false, &client, &result, &failure) == 0);
}

static void
a_link_local_source(void **state)
{
	(void)state;
	in_network("", source_fe80);
}

static void
marked(void)
{
	struct terms terms = {.mark = UINT32_MAX - 1};
	uint32_t mark = 0;

	socket_option(&terms, SO_MARK, &mark, sizeof(mark));
	HOLD(mark == UINT32_MAX - 1);
}

static void
marks(void **state)
{
	(void)state;
	in_network("", marked);
}

static void
a_mark_needs_a_capability(void **state)
{
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 80)}};
	struct terms terms = {.mark = 4294967295};
	struct io_end client = {.fd = pair[0], .kind = IO_SOCKET};
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	pid_t pid = fork_child();

	(void)state;
	if (pid == 0) {
		struct dial_result result;

		HOLD(syscall(SYS_capset, &header, none) == 0);
		HOLD(dial(&list, &terms, false, &client, &result, &failure) ==
		     OUTCOME_TERMS_UNMET);
		HOLD(strcmp(failure.cause.words,
			 "mark=4294967295 needs CAP_NET_ADMIN") == 0);
		_exit(0);
	}
	child_held(pid);
}

/* What is sent takes its time, as the rate has it. */
static void
rates(void **state)
{
	enum { RATE = 400000, BYTES = 200000 };
	static uint8_t data[BYTES];
	struct terms terms = {.rate = RATE};
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	int yes = answers(&list.at[0]), accepted;
	struct dial_result result;
	struct io_end end = {.kind = IO_TCP};
	const int segment = 1400;
	int64_t before;
	size_t got = 0;
	pid_t pid;

	(void)state;
	/* The kernel lets the first ten go, and loopback's are large. */
	assert_int_equal(
	    setsockopt(yes, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)),
	    0);
	assert_int_equal(dials_with(&list, &terms, &result), 0);
	accepted = accept4(yes, NULL, NULL, SOCK_CLOEXEC);
	assert_true(accepted >= 0);
	before = io_now_ms();
	pid = fork_child();
	if (pid == 0) {
		end.fd = result.fd;
		close(accepted);
		HOLD(io_write(&end, data, sizeof(data)) == 0);
		_exit(0);
	}
	close(result.fd);
	signals_alarm(GENEROUS_MS);
	end.fd = accepted;
	while (got < BYTES) {
		ssize_t n = io_read(&end, data, sizeof(data));

		assert_true(n > 0);
		got += (size_t)n;
	}
	/* Half a second, but for what goes out at once. */
	assert_true(io_now_ms() - before >= 250);
	child_held(pid);
	close(accepted);
	close(yes);
}

/* At the far end Multipath TCP, or not; whether the result says so. */
static void
multipath(bool wanted, bool there, uint64_t rate, bool expected)
{
	struct terms terms = {.rate = rate};
	struct addr_list list = {.count = 1, .at = {at("127.0.0.1", 0)}};
	struct io_end client = {.fd = pair[0], .kind = IO_SOCKET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC,
	    there ? IPPROTO_MPTCP : IPPROTO_TCP);
	socklen_t len = addr_len(&list.at[0]);
	struct dial_result result;
	char byte = 0;
	int accepted;

	HOLD(fd >= 0 && bind(fd, &list.at[0].sa, len) == 0);
	HOLD(listen(fd, 1) == 0);
	HOLD(getsockname(fd, &list.at[0].sa, &len) == 0);
	HOLD(dial(&list, &terms, wanted, &client, &result, &failure) == 0);
	HOLD(result.mptcp == expected);
	accepted = accept(fd, NULL, NULL);
	HOLD(write(accepted, "x", 1) == 1);
	HOLD(poll(&(struct pollfd){.fd = result.fd, .events = POLLIN}, 1,
		 GENEROUS_MS) == 1);
	HOLD(read(result.fd, &byte, 1) == 1 && byte == 'x');
	close(accepted);
	close(result.fd);
	close(fd);
}

static void
with_multipath(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	if (fd < 0) {
		fprintf(stderr, "skipped: a kernel without MPTCP\n");
		_exit(NETWORK_NOT_PERMITTED);
	}
	close(fd);
	multipath(true, true, 0, true);
	multipath(true, false, 0, false);
	multipath(false, true, 0, false);
	/* The limit holds, whatever else was asked for. */
	multipath(true, true, 100000, false);
	network_write("/proc/sys/net/mptcp/enabled", "0");
	multipath(true, false, 0, false);
}

static void
multipath_tcp(void **state)
{
	(void)state;
	in_network("", with_multipath);
}

#define DIAL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    DIAL_TEST(the_first_that_answers),
	    DIAL_TEST(one_refuses_and_the_next_answers),
	    DIAL_TEST(all_refuse),
	    DIAL_TEST(silence_delays_the_next_one_only_briefly),
	    DIAL_TEST(an_early_attempt_may_still_win),
	    DIAL_TEST(silence_until_the_alarm),
	    DIAL_TEST(refused_and_silence_until_the_alarm),
	    DIAL_TEST(the_alarm_rang_before),
	    DIAL_TEST(a_client_that_left),
	    DIAL_TEST(a_client_that_only_half_closed),
	    DIAL_TEST(sigterm),
	    DIAL_TEST(unreachable),
	    DIAL_TEST(a_connection_to_itself_is_none),
	    DIAL_TEST(sources),
	    DIAL_TEST(a_source_that_is_not_ours),
	    DIAL_TEST(one_family_alone),
	    DIAL_TEST(half_a_fault),
	    DIAL_TEST(a_source_has_ports_enough),
	    DIAL_TEST(interfaces),
	    DIAL_TEST(a_link_local_source),
	    DIAL_TEST(marks),
	    DIAL_TEST(a_mark_needs_a_capability),
	    DIAL_TEST(rates),
	    DIAL_TEST(multipath_tcp),
	};

	signals_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
