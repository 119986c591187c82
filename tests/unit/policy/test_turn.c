/* SPDX-License-Identifier: ISC */
#include "policy/turn.h"
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#define WAITERS 12

static char path[] = "/tmp/test_turn.XXXXXX";

/* Shared by the processes of a test. */
struct seen {
	atomic_int now, most, begun, order[WAITERS];
};
static struct seen *seen;

static struct io_end client, its_other_end;

static int
set_up(void **state)
{
	int fd = mkstemp(path), pair[2];

	(void)state;
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || seen == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return -1;
	client.fd = pair[0];
	its_other_end.fd = pair[1];
	signals_init();
	return close(fd);
}

static int
tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static unsigned
processors(void)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	return (unsigned)CPU_COUNT(&set);
}

/* The nth to come: has its turn for so long. */
static pid_t
come(int n, int ms)
{
	pid_t pid = fork_child();
	int turn, now, pair[2];

	if (pid != 0) {
		poll(NULL, 0, 5);
		return pid;
	}
	close(its_other_end.fd);
	HOLD(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	client.fd = pair[0];
	HOLD(turn_await(path, &client, &turn) == 0);
	HOLD(turn >= 0);
	seen->order[seen->begun++] = n;
	now = ++seen->now;
	if (now > seen->most)
		seen->most = now;
	poll(NULL, 0, ms);
	seen->now--;
	turn_end(turn);
	_exit(0);
}

static void
as_many_as_processors_in_their_order(void **state)
{
	pid_t pids[WAITERS];
	unsigned most = processors();

	(void)state;
	*seen = (__typeof__(*seen)){0};
	for (int i = 0; i < WAITERS; i++)
		pids[i] = come(i, 100);
	for (int i = 0; i < WAITERS; i++)
		child_held(pids[i]);
	assert_in_range(seen->most, 1, most < 8 ? most : 8);
	/* Those who begin at once may pass each other. */
	for (int i = 0; i < WAITERS; i++)
		assert_in_range(seen->order[i] + 8, i, i + 16);
}

/* As many as there can be, for ever; their number. */
static unsigned
hold_all(pid_t *pids)
{
	unsigned n = 0;

	*seen = (__typeof__(*seen)){0};
	while (n < processors() && n < 8) {
		pids[n] = come((int)n, 60000);
		n++;
		while (seen->begun < (int)n)
			poll(NULL, 0, 5);
	}
	return n;
}

static void
let_all_go(pid_t *pids, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		kill(pids[i], SIGKILL);
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
	}
}

static void
one_that_is_killed_has_no_turn(void **state)
{
	pid_t pids[8];
	unsigned n = hold_all(pids);
	pid_t next = come(8, 0);

	(void)state;
	poll(NULL, 0, 100);
	assert_int_equal(seen->begun, n);
	let_all_go(pids, 1);
	child_held(next);
	let_all_go(pids + 1, n - 1);
}

static void
the_alarm_ends_it(void **state)
{
	pid_t pids[8];
	unsigned n = hold_all(pids);
	int turn;

	(void)state;
	signals_alarm(50);
	assert_int_equal(turn_await(path, &client, &turn), -ETIMEDOUT);
	signals_alarm(0);
	let_all_go(pids, n);
}

static void
a_client_that_leaves_waits_no_more(void **state)
{
	pid_t pids[8];
	unsigned n = hold_all(pids);
	int turn;

	(void)state;
	/* Who has said all it has to say is there still. */
	shutdown(its_other_end.fd, SHUT_WR);
	signals_alarm(50);
	assert_int_equal(turn_await(path, &client, &turn), -ETIMEDOUT);
	signals_alarm(0);
	close(its_other_end.fd);
	assert_int_equal(turn_await(path, &client, &turn), -EPIPE);
	let_all_go(pids, n);
}

static void
without_a_file_there_is_no_line(void **state)
{
	int turn = -2;

	(void)state;
	assert_int_equal(turn_await("/nowhere", &client, &turn), 0);
	assert_int_equal(turn, -1);
	turn_end(turn);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(as_many_as_processors_in_their_order),
	    cmocka_unit_test(one_that_is_killed_has_no_turn),
	    cmocka_unit_test(the_alarm_ends_it),
	    cmocka_unit_test(a_client_that_leaves_waits_no_more),
	    cmocka_unit_test(without_a_file_there_is_no_line),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
