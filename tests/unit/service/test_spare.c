/* SPDX-License-Identifier: ISC */
#include "base/io.h"
#include "service/spare.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

/* What a client's process exits with. */
#define STATUS 7

static int given; /* its address is the context */

/* A client's connection: [0] is to be served, [1] the client's own. */
static void
make_client(int pair[2])
{
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

/* In a client's process: answers its byte with the next one, if all is as
 * promised there. */
static int
serve(void *context)
{
	sigset_t blocked;
	char byte = 0;

	HOLD(context == &given);
	HOLD(read(STDIN_FILENO, &byte, 1) == 1);
	for (int fd = STDERR_FILENO + 1; fd < 256; fd++)
		HOLD(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
	HOLD(sigprocmask(SIG_SETMASK, NULL, &blocked) == 0);
	HOLD(!sigismember(&blocked, SIGTERM) && !sigismember(&blocked, SIGHUP));
	byte++;
	HOLD(write(STDOUT_FILENO, &byte, 1) == 1);
	return STATUS;
}

static const struct spare_work work = {serve, &given, NULL};

/* The process has done its work. */
static void
child_served(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), STATUS);
}

static pid_t
add(struct spares *spares)
{
	pid_t pid;

	fflush(NULL);
	pid = spares_add(spares, &work);
	assert_true(pid > 0);
	return pid;
}

/* The process at the other end of our client's connection served it. */
static void
is_served(const int client[2], pid_t pid)
{
	struct pollfd ready = {.fd = client[1], .events = POLLIN};
	char byte = 'a';

	close(client[0]);
	assert_int_equal(write(client[1], &byte, 1), 1);
	assert_int_equal(poll(&ready, 1, 10000), 1);
	assert_int_equal(read(client[1], &byte, 1), 1);
	assert_int_equal(byte, 'b');
	assert_int_equal(read(client[1], &byte, 1), 0);
	close(client[1]);
	child_served(pid);
}

static void
a_fork_has_the_client_and_nothing_else(void **state)
{
	int client[2];
	sigset_t set, old;
	pid_t pid;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &old);
	make_client(client);
	fflush(NULL);
	pid = spare_fork_for(client[0], &work);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_true(pid > 0);
	is_served(client, pid);
}

static void
a_spare_has_the_client_and_nothing_else(void **state)
{
	struct spares spares = {0};
	int client[2];
	pid_t pid;

	(void)state;
	pid = add(&spares);
	assert_int_equal(spares.count, 1);
	make_client(client);
	assert_int_equal(spares_hand_over(&spares, client[0]), pid);
	assert_int_equal(spares.count, 0);
	is_served(client, pid);
}

static void
each_spare_gets_one_client(void **state)
{
	struct spares spares = {0};
	int clients[8][2], late[2];
	pid_t served[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		add(&spares);
	for (int i = 0; i < 8; i++) {
		make_client(clients[i]);
		served[i] = spares_hand_over(&spares, clients[i][0]);
		for (int j = 0; j < i; j++)
			assert_int_not_equal(served[i], served[j]);
	}
	make_client(late);
	assert_int_equal(spares_hand_over(&spares, late[0]), 0);
	close(late[0]);
	close(late[1]);
	for (int i = 0; i < 8; i++)
		is_served(clients[i], served[i]);
}

static void
none_takes_a_client_where_there_is_none(void **state)
{
	struct spares spares = {0};
	int client[2];

	(void)state;
	make_client(client);
	assert_int_equal(spares_hand_over(&spares, client[0]), 0);
	assert_int_not_equal(fcntl(client[0], F_GETFD), -1);
	close(client[0]);
	close(client[1]);
}

static void
one_that_has_died_is_passed_over(void **state)
{
	struct spares spares = {0};
	int client[2];
	pid_t left = add(&spares), last = add(&spares);

	(void)state;
	/* The one that would be taken. */
	kill(last, SIGKILL);
	assert_int_equal(waitpid(last, NULL, 0), last);
	make_client(client);
	assert_int_equal(spares_hand_over(&spares, client[0]), left);
	assert_int_equal(spares.count, 0);
	is_served(client, left);
}

static void
those_let_go_end_by_themselves(void **state)
{
	struct spares spares = {0};
	pid_t first = add(&spares), second = add(&spares);

	(void)state;
	spares_dismiss(&spares);
	assert_int_equal(spares.count, 0);
	child_held(first);
	child_held(second);
}

static void
sigterm_ends_a_spare(void **state)
{
	struct spares spares = {0};
	pid_t pid = add(&spares);

	(void)state;
	kill(pid, SIGTERM);
	child_held(pid);
	assert_true(spares_remove(&spares, pid));
	assert_int_equal(spares.count, 0);
}

static void
one_that_has_ended_is_removed_once(void **state)
{
	struct spares spares = {0};
	pid_t first = add(&spares), second = add(&spares), third = add(&spares);

	(void)state;
	assert_true(spares_remove(&spares, first));
	assert_false(spares_remove(&spares, first));
	assert_int_equal(spares.count, 2);
	child_held(first); /* its channel was closed */
	assert_true(spares_remove(&spares, third));
	child_held(third);
	assert_int_equal(spares.count, 1);
	assert_int_equal(spares.at[0].pid, second);
	spares_dismiss(&spares);
	child_held(second);
}

static void
this_process_may_do_the_work(void **state)
{
	int client[2];
	pid_t pid;

	(void)state;
	make_client(client);
	pid = fork_child();
	if (pid == 0)
		spare_serve(client[0], &work);
	assert_true(pid > 0);
	is_served(client, pid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_fork_has_the_client_and_nothing_else),
	    cmocka_unit_test(a_spare_has_the_client_and_nothing_else),
	    cmocka_unit_test(each_spare_gets_one_client),
	    cmocka_unit_test(none_takes_a_client_where_there_is_none),
	    cmocka_unit_test(one_that_has_died_is_passed_over),
	    cmocka_unit_test(those_let_go_end_by_themselves),
	    cmocka_unit_test(sigterm_ends_a_spare),
	    cmocka_unit_test(one_that_has_ended_is_removed_once),
	    cmocka_unit_test(this_process_may_do_the_work),
	};

	/* As main() does; a spare has them from its parent. */
	signals_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
