/* SPDX-License-Identifier: ISC */
#include "net/lookup.h"
#include "network.h"
#include "unit.h"

#include <netdb.h>
#include <poll.h>
#include <signal.h>

#define GENEROUS_MS 5000

static struct failure failure;

/* Every code that getaddrinfo(3) names, and what it comes to. */
static void
eai_codes(void **state)
{
	static const struct {
		int eai, system_errno;
		enum outcome outcome;
		int error;
	} table[] = {
	    {0, 0, OUTCOME_DONE, 0},
	    {EAI_ADDRFAMILY, 0, OUTCOME_NO_SUCH_NAME, 0},
	    {EAI_AGAIN, 0, OUTCOME_NO_NAME_SERVER, 0},
	    {EAI_BADFLAGS, 0, OUTCOME_SYSTEM, EINVAL},
	    {EAI_FAIL, 0, OUTCOME_NO_NAME_SERVER, 0},
	    {EAI_FAMILY, 0, OUTCOME_SYSTEM, EINVAL},
	    {EAI_MEMORY, 0, OUTCOME_SYSTEM, ENOMEM},
	    {EAI_NODATA, 0, OUTCOME_NO_SUCH_NAME, 0},
	    {EAI_NONAME, 0, OUTCOME_NO_SUCH_NAME, 0},
	    {EAI_SERVICE, 0, OUTCOME_SYSTEM, EINVAL},
	    {EAI_SOCKTYPE, 0, OUTCOME_SYSTEM, EINVAL},
	    {EAI_SYSTEM, EMFILE, OUTCOME_SYSTEM, EMFILE},
	    {EAI_SYSTEM, 0, OUTCOME_SYSTEM, EIO},
	    {EAI_OVERFLOW, 0, OUTCOME_SYSTEM, EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row(
		    "EAI %d, errno %d", table[i].eai, table[i].system_errno);
		int error = -1;
		enum outcome outcome =
		    lookup_outcome(table[i].eai, table[i].system_errno, &error);

		if (outcome != table[i].outcome || error != table[i].error)
			fail_msg("%s, %d: outcome %d, errno %d",
			    gai_strerror(table[i].eai), table[i].system_errno,
			    outcome, error);
	}
}

/* Waits for what a child says, after which there is none. */
static enum outcome
asks(const struct lookup *lookup, struct lookup_answer *out)
{
	struct lookup_child child = {.fd = -1};
	struct pollfd ready;

	HOLD(lookup_start(lookup, &child) == 0);
	ready = (struct pollfd){.fd = child.fd, .events = POLLIN};
	HOLD(poll(&ready, 1, GENEROUS_MS) == 1);
	HOLD(lookup_answer(&child, !lookup->name, out, &failure));
	HOLD(child.fd == -1);
	HOLD(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	return failure.outcome;
}

static void
look_up_each_family(void)
{
	struct lookup lookup = {.name = "both.test", .port = 443};
	static const sa_family_t families[] = {AF_UNSPEC, AF_INET, AF_INET6};
	struct lookup_answer answer;

	for (size_t i = 0; i < COUNT(families); i++) {
		lookup.family = families[i];
		HOLD(asks(&lookup, &answer) == OUTCOME_DONE);
		HOLD(answer.list.count == (i ? 1 : 2));
		HOLD(addr_port(&answer.list.at[0]) == 443);
		HOLD(i == 0 || answer.list.at[0].sa.sa_family == families[i]);
	}
	lookup.name = "four.test";
	HOLD(asks(&lookup, &answer) != OUTCOME_DONE);
}

static void
each_family_by_itself(void **state)
{
	(void)state;
	in_network("192.0.2.1 both.test four.test\n2001:db8::1 both.test\n",
	    look_up_each_family);
}

/* Leaves a trace of itself wherever a child's answer may come to lie. */
static __attribute__((noinline)) void
soil_stack(void)
{
	volatile uint8_t soil[65536];

	for (size_t i = 0; i < sizeof(soil); i++)
		soil[i] = 0xa5;
}

static void
say_only_what_was_found(void)
{
	const struct lookup lookup = {
	    .name = "both.test", .family = AF_INET, .port = 443};
	struct lookup_answer answer;
	const uint8_t *bytes = (const uint8_t *)&answer.list.at[0];
	struct lookup_child child;
	struct pollfd ready;

	soil_stack();
	HOLD(lookup_start(&lookup, &child) == 0);
	ready = (struct pollfd){.fd = child.fd, .events = POLLIN};
	HOLD(poll(&ready, 1, GENEROUS_MS) == 1);
	HOLD(read(child.fd, &answer, sizeof(answer)) ==
	     offsetof(struct lookup_answer, list.at[1]));
	HOLD(answer.list.count == 1);
	for (size_t i = sizeof(union addr); i > addr_len(&answer.list.at[0]);)
		HOLD(bytes[--i] == 0);
	lookup_end(&child);
}

static void
an_answer_has_nothing_else_of_the_childs_memory(void **state)
{
	(void)state;
	in_network("192.0.2.1 both.test\n", say_only_what_was_found);
}

/* What a child that was broken into may say; the answer is no answer then. */
static void
says(const void *data, size_t len, bool named, bool good)
{
	struct lookup_child child;
	struct lookup_answer answer;
	struct pollfd ready;
	int report[2];

	HOLD(pipe2(report, O_CLOEXEC | O_NONBLOCK) == 0);
	child = (struct lookup_child){.fd = report[0], .pid = fork_child()};
	if (child.pid == 0) {
		close(report[1]);
		pause();
		_exit(0);
	}
	HOLD(len == 0 || write(report[1], data, len) == (ssize_t)len);
	close(report[1]);
	ready = (struct pollfd){.fd = report[0], .events = POLLIN};
	HOLD(poll(&ready, 1, GENEROUS_MS) == 1);
	HOLD(lookup_answer(&child, named, &answer, &failure));
	if ((failure.outcome == OUTCOME_DONE) != good)
		fail_msg("%zu bytes: outcome %d", len, failure.outcome);
	if (!good)
		assert_int_equal(failure.cause.error, EIO);
}

static void
an_answer_is_checked(void **state)
{
	const size_t head = offsetof(struct lookup_answer, list.at);
	struct lookup_answer one = {.list.count = 1};
	struct lookup_answer name = {.name = "a.test"}, bad;

	(void)state;
	assert_int_equal(addr_parse("192.0.2.1", 80, &one.list.at[0]), 0);
	says(&one, head + sizeof(union addr), false, true);
	says(NULL, 0, false, false);
	says(&one, 3, false, false);
	says(&one, head + sizeof(union addr) - 1, false, false);
	bad = one;
	bad.list.count = 0;
	says(&bad, sizeof(bad), false, false);
	bad.list.count = ADDR_LIST_MAX + 1;
	says(&bad, sizeof(bad), false, false);
	bad.list.count = SIZE_MAX;
	says(&bad, sizeof(bad), false, false);
	bad.list.count = 2; /* the second of no family */
	says(&bad, sizeof(bad), false, false);
	bad = one;
	bad.list.at[0].sa.sa_family = AF_UNIX;
	says(&bad, sizeof(bad), false, false);
	for (int i = OUTCOME_DONE + 1; i <= OUTCOMES; i++) {
		if (i == OUTCOME_NO_SUCH_NAME || i == OUTCOME_NO_NAME_SERVER)
			continue;
		bad = one;
		bad.outcome = (enum outcome)i;
		says(&bad, sizeof(bad), false, false);
	}
	says(&name, offsetof(struct lookup_answer, name) + 7, true, true);
	says(&name, offsetof(struct lookup_answer, name) + 6, true, false);
	says(&name, offsetof(struct lookup_answer, name), true, false);
	strcpy(name.name, "a b");
	says(&name, sizeof(name), true, false);
	memset(name.name, 'a', sizeof(name.name));
	says(&name, sizeof(name), true, false);
}

/* Descriptors of a child: nothing but what it was started with as 2, and the
 * way back. */
static void
hold_open(void)
{
	struct lookup lookup = {.name = "slow.example"};
	struct lookup_child child;
	char path[64], target[256], error[256];
	ssize_t n;
	union addr addr;
	int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ours[2];
	struct pollfd question = {.fd = server, .events = POLLIN};

	HOLD(addr_parse("127.0.0.1", 53, &addr) == 0);
	HOLD(bind(server, &addr.sa, addr_len(&addr)) == 0);
	HOLD(pipe(ours) == 0);
	HOLD(dup2(ours[0], 0) == 0 && dup2(ours[1], 1) == 1);
	HOLD((n = readlink("/proc/self/fd/2", error, sizeof(error) - 1)) > 0);
	error[n] = '\0';
	HOLD(lookup_start(&lookup, &child) == 0);
	HOLD(poll(&question, 1, GENEROUS_MS) == 1); /* it is at work */
	for (int fd = 0; fd < 3; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", child.pid, fd);
		n = readlink(path, target, sizeof(target) - 1);
		HOLD(n > 0);
		target[n] = '\0';
		HOLD(strcmp(target, error) == 0);
	}
	for (int fd = 5; fd < 64; fd++) { /* 4: to the name server */
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", child.pid, fd);
		HOLD(readlink(path, target, sizeof(target) - 1) < 0);
	}
	lookup_end(&child);
	lookup_end(&child);
}

static void
a_child_has_nothing_of_ours(void **state)
{
	(void)state;
	in_network("", hold_open);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(eai_codes),
	    cmocka_unit_test(each_family_by_itself),
	    cmocka_unit_test(an_answer_has_nothing_else_of_the_childs_memory),
	    cmocka_unit_test(an_answer_is_checked),
	    cmocka_unit_test(a_child_has_nothing_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
