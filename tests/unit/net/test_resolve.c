/* SPDX-License-Identifier: ISC */
#include "net/resolve.h"
#include "network.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

static int pair[2];

static struct io_end
client(void)
{
	return (struct io_end){.fd = pair[0], .kind = IO_SOCKET};
}

static struct failure failure;

static struct wire_destination
named(const char *name)
{
	struct wire_destination dst = {.atyp = WIRE_ATYP_NAME, .port = 80};

	dst.name_len = (uint8_t)strlen(name);
	memcpy(dst.name, name, strlen(name) + 1);
	return dst;
}

static void
resolves_to(const struct wire_destination *dst, const char *expected)
{
	struct addr_list list;
	struct io_end end = client();
	char text[ADDR_TEXT_MAX];

	assert_int_equal(resolve_destination(dst, &end, &list, &failure), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(addr_format(&list.at[0], text), expected);
}

/* Of the children there were: a process can't begin without one. */
static long
faults_of_children(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
	return usage.ru_minflt;
}

/* No look-up, and so no child, not even one that is gone. */
static void
literals(void **state)
{
	struct wire_destination dst = {.atyp = WIRE_ATYP_IPV4, .port = 80};
	long before = faults_of_children();
	pid_t pid;

	(void)state;
	dst.ipv4.s_addr = htonl(0xc0000201);
	resolves_to(&dst, "192.0.2.1:80");
	dst.atyp = WIRE_ATYP_IPV6;
	dst.ipv6 = in6addr_loopback;
	resolves_to(&dst, "[::1]:80");
	dst.ipv6.s6_addr[10] = dst.ipv6.s6_addr[11] = 0xff;
	resolves_to(&dst, "0.0.0.1:80");
	dst = named("192.0.2.1");
	resolves_to(&dst, "192.0.2.1:80");
	dst = named("::ffff:192.0.2.1");
	resolves_to(&dst, "192.0.2.1:80");
	dst = named("2001:DB8:0::1");
	resolves_to(&dst, "[2001:db8::1]:80");
	dst = named("0x7f.1.");
	resolves_to(&dst, "127.0.0.1:80");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(faults_of_children(), before);
	/* And that is a way to notice one. */
	pid = fork_child();
	if (pid == 0)
		_exit(0);
	child_held(pid);
	assert_true(faults_of_children() > before);
}

static void
names_leave_no_child(void **state)
{
	struct wire_destination dst = named("localhost");
	struct io_end end = client();
	struct addr_list list;

	(void)state;
	assert_int_equal(resolve_destination(&dst, &end, &list, &failure), 0);
	assert_true(list.count >= 1);
	for (size_t i = 0; i < list.count; i++)
		assert_int_equal(ntohs(list.at[i].in.sin_port), 80);
	dst = named("no-such-name.invalid");
	assert_int_not_equal(
	    resolve_destination(&dst, &end, &list, &failure), OUTCOME_DONE);
	assert_int_equal(failure_rep(&failure), WIRE_REP_HOST_UNREACHABLE);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
the_alarm_and_the_client_end_it(void **state)
{
	struct wire_destination dst = named("localhost");
	struct io_end end = client();
	struct addr_list list;

	(void)state;
	signals_alarm(1);
	while (signals_interrupted() == 0)
		;
	assert_int_equal(resolve_destination(&dst, &end, &list, &failure),
	    OUTCOME_CONNECT_TIMEOUT);
	signals_alarm(0);
	close(pair[1]);
	assert_int_equal(resolve_destination(&dst, &end, &list, &failure),
	    OUTCOME_CLIENT_LEFT);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* A name server on 127.0.0.1 that takes questions and never answers. */
static int
silent_server(void)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET,
	    .sin_port = htons(53),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	HOLD(fd >= 0);
	HOLD(bind(fd, (const struct sockaddr *)&in, sizeof(in)) == 0);
	return fd;
}

static bool
was_asked(int server, int wait_ms)
{
	struct pollfd question = {.fd = server, .events = POLLIN};

	return poll(&question, 1, wait_ms) == 1;
}

static void
no_child_is_left(void)
{
	HOLD(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

/* The resolver alone would take 10 s, two attempts of 5 s each. */
#define BOUND_MS 4000

static void
wait_for_nobody(void)
{
	struct wire_destination dst = named("slow.example");
	struct io_end end = client();
	struct addr_list list;
	int server = silent_server();
	int64_t before = io_now_ms();

	signals_alarm(300);
	HOLD(resolve_destination(&dst, &end, &list, &failure) ==
	     OUTCOME_CONNECT_TIMEOUT);
	HOLD(was_asked(server, 0));
	HOLD(io_now_ms() - before >= 300);
	HOLD(io_now_ms() - before < BOUND_MS);
	no_child_is_left();
}

static void
the_alarm_ends_a_look_up_that_hangs(void **state)
{
	(void)state;
	in_network("", wait_for_nobody);
}

/*
 * Looks up a name while a helper, as soon as the question has been asked, does
 * something; returns what came of it.
 */
static int
disturbed(void (*disturb)(void))
{
	struct wire_destination dst = named("slow.example");
	struct addr_list list;
	struct io_end end;
	int server = silent_server(), rc, status;
	int64_t before = io_now_ms();
	pid_t helper, reaped;

	/* The test's own pair is open in its parent too. */
	HOLD(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	end = client();
	helper = fork_child();
	if (helper == 0) {
		HOLD(was_asked(server, BOUND_MS));
		disturb();
		_exit(0);
	}
	close(pair[1]); /* the helper's alone */
	signals_alarm(BOUND_MS);
	rc = resolve_destination(&dst, &end, &list, &failure);
	signals_alarm(0);
	HOLD(io_now_ms() - before < BOUND_MS);
	while ((reaped = waitpid(helper, &status, 0)) < 0 && errno == EINTR)
		;
	HOLD(reaped == helper && status == 0);
	no_child_is_left();
	return rc;
}

static void
leave(void)
{
	close(pair[1]);
}

static void
client_leaves(void)
{
	HOLD(disturbed(leave) == OUTCOME_CLIENT_LEFT);
}

static void
a_client_that_leaves_ends_it(void **state)
{
	(void)state;
	in_network("", client_leaves);
}

/* The client stays meanwhile: nothing else ends the look-up. */
static void
stay(void)
{
	sleep(1);
}

static void
terminate(void)
{
	kill(getppid(), SIGTERM);
	stay();
}

static void
sigterm_comes(void)
{
	HOLD(disturbed(terminate) == OUTCOME_TERMINATED);
}

static void
sigterm_ends_it(void **state)
{
	(void)state;
	in_network("", sigterm_comes);
}

static void
kill_sibling(void)
{
	char path[64], line[64] = "", *next = line;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", getppid(),
	    getppid());
	file = fopen(path, "re");
	HOLD(file && fgets(line, sizeof(line), file));
	fclose(file);
	for (long pid; (pid = strtol(next, &next, 10)) > 0;) {
		if (pid != getpid())
			kill((pid_t)pid, SIGKILL);
	}
	stay();
}

static void
child_dies(void)
{
	HOLD(disturbed(kill_sibling) == OUTCOME_SYSTEM &&
	     failure.cause.error == EIO);
}

static void
a_child_that_dies_is_an_error(void **state)
{
	(void)state;
	in_network("", child_dies);
}

/* Families take turns, and each address comes once, with the port. */
static void
mixed_families(void)
{
	struct wire_destination dst = named("mixed.test");
	struct io_end end = client();
	struct addr_list list;

	dst.port = 8080;
	HOLD(resolve_destination(&dst, &end, &list, &failure) == 0);
	HOLD(list.count == 4);
	for (size_t i = 0; i < list.count; i++) {
		HOLD(ntohs(list.at[i].in.sin_port) == 8080);
		HOLD(i == 0 ||
		     list.at[i].sa.sa_family != list.at[i - 1].sa.sa_family);
		for (size_t j = 0; j < i; j++)
			HOLD(!addr_equal(&list.at[i], &list.at[j]));
	}
}

static void
families_take_turns(void **state)
{
	(void)state;
	in_network("::1 mixed.test\n2001:db8::1 mixed.test\n"
		   "127.0.1.1 mixed.test\n127.0.1.2 mixed.test\n",
	    mixed_families);
}

static void
many_addresses(void)
{
	struct wire_destination dst = named("many.test");
	struct io_end end = client();
	struct addr_list list;

	HOLD(resolve_destination(&dst, &end, &list, &failure) == 0);
	HOLD(list.count == ADDR_LIST_MAX);
}

static void
a_longer_answer_is_cut(void **state)
{
	char hosts[8192] = "";
	size_t used = 0;

	(void)state;
	for (int i = 1; i <= 2 * ADDR_LIST_MAX; i++)
		used += (size_t)snprintf(hosts + used, sizeof(hosts) - used,
		    "127.0.2.%d many.test\n", i);
	in_network(hosts, many_addresses);
}

/* Until it is over, by a clock that stands still; what came of it. */
static enum outcome
finished(struct resolve *resolve, int64_t now_ms, struct addr_list *list)
{
	int64_t before = io_now_ms();

	while (!resolve_harvest(resolve, now_ms, list, &failure)) {
		struct pollfd fds[RESOLVE_CHILDREN];
		size_t count = resolve_poll(resolve, fds);

		HOLD(io_now_ms() - before < BOUND_MS);
		HOLD(poll(fds, count, BOUND_MS) > 0);
	}
	return failure.outcome;
}

static void
look_up_several(void)
{
	struct resolve known, unknown, slow;
	struct pollfd fds[RESOLVE_CHILDREN];
	struct addr_list list = {0};
	int server = silent_server();
	int64_t before = io_now_ms();

	HOLD(resolve_start("slow.example", 80, 0, &slow) == 0);
	HOLD(resolve_start("known.test", 0, 0, &known) == 0);
	HOLD(finished(&known, 0, &list) == OUTCOME_DONE);
	HOLD(list.count == 1 && list.at[0].in.sin_port == 0);
	HOLD(list.at[0].in.sin_addr.s_addr == htonl(0xc0000201));
	HOLD(resolve_poll(&known, fds) == 0);
	/* No answer yet: no wait, and the answer's place untouched. */
	HOLD(was_asked(server, BOUND_MS));
	HOLD(!resolve_harvest(&slow, RESOLVE_PATIENCE_MS - 1, &list, &failure));
	HOLD(resolve_poll(&slow, fds) == 1);
	HOLD(resolve_due(&slow) == RESOLVE_PATIENCE_MS);
	/* From now on for each family by itself as well. */
	HOLD(!resolve_harvest(&slow, RESOLVE_PATIENCE_MS, &list, &failure));
	HOLD(resolve_poll(&slow, fds) == RESOLVE_CHILDREN);
	HOLD(resolve_due(&slow) == 0);
	HOLD(list.count == 1);
	/* Given up: no child. */
	resolve_end(&slow);
	HOLD(resolve_poll(&slow, fds) == 0);
	no_child_is_left();
	HOLD(io_now_ms() - before < BOUND_MS);
	/* One whose child dies. */
	HOLD(resolve_start("slow.example", 80, 0, &unknown) == 0);
	kill(unknown.children[0].pid, SIGKILL);
	HOLD(finished(&unknown, 0, &list) == OUTCOME_SYSTEM);
	HOLD(failure.cause.error == EIO);
	no_child_is_left();
}

static void
several_at_once_without_waiting(void **state)
{
	(void)state;
	in_network("192.0.2.1 known.test\n", look_up_several);
}

static union addr
address(const char *text)
{
	union addr addr;

	HOLD(addr_parse(text, 0, &addr) == 0);
	return addr;
}

/* resolve_name_of() with nothing written unless it succeeds. */
static int
name_of(const char *text, char out[WIRE_NAME_SIZE])
{
	union addr addr = address(text);
	struct io_end end = client();
	char untouched[WIRE_NAME_SIZE];
	int rc;

	memset(untouched, 0xa5, sizeof(untouched));
	memcpy(out, untouched, sizeof(untouched));
	rc = resolve_name_of(&addr, &end, out, &failure);
	HOLD(rc == 0 || memcmp(out, untouched, sizeof(untouched)) == 0);
	no_child_is_left();
	return rc;
}

static void
names_of_addresses(void)
{
	char name[WIRE_NAME_SIZE];

	HOLD(name_of("192.0.2.1", name) == 0);
	HOLD(strcmp(name, "four.test") == 0);
	HOLD(name_of("2001:db8::1", name) == 0);
	HOLD(strcmp(name, "six.test") == 0);
	/* What no client could be told, or would misread. */
	HOLD(name_of("192.0.2.2", name) == OUTCOME_NO_SUCH_NAME);
	HOLD(name_of("192.0.2.255", name) == 0);
	HOLD(strlen(name) == 255);
	HOLD(name_of("192.0.2.254", name) == OUTCOME_NO_SUCH_NAME);
}

static void
an_address_has_a_name(void **state)
{
	char hosts[1024], longest[257];

	(void)state;
	memset(longest, 'n', 256);
	longest[256] = '\0';
	snprintf(hosts, sizeof(hosts),
	    "192.0.2.1 four.test alias.test\n2001:db8::1 six.test\n"
	    "192.0.2.2 b\177d.test\n192.0.2.255 %s\n192.0.2.254 %s\n",
	    longest + 1, longest);
	in_network(hosts, names_of_addresses);
}

/* A name server that refuses, for nobody listens there. */
static void
no_name(void)
{
	char name[WIRE_NAME_SIZE];

	HOLD(name_of("192.0.2.1", name) != OUTCOME_DONE);
	HOLD(failure_rep(&failure) == WIRE_REP_HOST_UNREACHABLE);
}

static void
an_address_without_a_name(void **state)
{
	(void)state;
	in_network("", no_name);
}

static void
wait_for_no_name(void)
{
	int server = silent_server();
	int64_t before = io_now_ms();
	char name[WIRE_NAME_SIZE];

	signals_alarm(300);
	HOLD(name_of("192.0.2.1", name) == OUTCOME_CONNECT_TIMEOUT);
	HOLD(was_asked(server, 0));
	HOLD(io_now_ms() - before < BOUND_MS);
	signals_alarm(0);
	HOLD(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	close(pair[1]);
	HOLD(name_of("192.0.2.1", name) == OUTCOME_CLIENT_LEFT);
}

static void
the_alarm_and_the_client_end_it_there_too(void **state)
{
	(void)state;
	in_network("", wait_for_no_name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(literals),
	    cmocka_unit_test(names_leave_no_child),
	    cmocka_unit_test(the_alarm_ends_a_look_up_that_hangs),
	    cmocka_unit_test(a_client_that_leaves_ends_it),
	    cmocka_unit_test(sigterm_ends_it),
	    cmocka_unit_test(a_child_that_dies_is_an_error),
	    cmocka_unit_test(families_take_turns),
	    cmocka_unit_test(a_longer_answer_is_cut),
	    cmocka_unit_test(several_at_once_without_waiting),
	    cmocka_unit_test(an_address_has_a_name),
	    cmocka_unit_test(an_address_without_a_name),
	    cmocka_unit_test(the_alarm_and_the_client_end_it_there_too),
	    cmocka_unit_test(the_alarm_and_the_client_end_it),
	};

	signals_init();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
