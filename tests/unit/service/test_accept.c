/* SPDX-License-Identifier: ISC */
#include "base/io.h"
#include "service/accept.h"
#include "service/clients.h"
#include "service/listeners.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>

/* Sockets from here on, where the service looks for them. */
#define FIRST 100

/* Linked with --wrap=clients_reserve: of the calls, these fail. */
static int reserve_calls, fails_from, fails_to;

int __real_clients_reserve(struct clients *clients);
int __wrap_clients_reserve(struct clients *clients);

int
__wrap_clients_reserve(struct clients *clients)
{
	reserve_calls++;
	if (reserve_calls >= fails_from && reserve_calls < fails_to)
		return -ENOMEM;
	return __real_clients_reserve(clients);
}

static char program[] = "socks5-handler";
static char *no_options[] = {program, NULL};

/* On 127.0.0.1 and a port of the kernel's choice. */
static struct sockaddr_in
open_listener(int fd, int flags)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	int listener = socket(AF_INET, SOCK_STREAM | flags, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(listener, 128), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&in, &len), 0);
	assert_int_equal(dup2(listener, fd), fd);
	close(listener);
	return in;
}

/* In a client's process: says "hello", and exits with 0 at its "x". */
static int
serve(void *context)
{
	const struct config *config = context;
	char byte = 0;

	for (int fd = STDERR_FILENO + 1; fd < FIRST + 8; fd++)
		HOLD(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
	HOLD(config->terms.lifetime_ms == 1234);
	HOLD(write(STDOUT_FILENO, "hello", 5) == 5);
	HOLD(read(STDIN_FILENO, &byte, 1) == 1 && byte == 'x');
	return 0;
}

/* A service on the descriptors from FIRST on. */
static pid_t
start(size_t count, struct config config)
{
	struct accept_sockets sockets = {.first = FIRST, .count = count};
	struct spare_work work = {serve, &config, NULL};
	pid_t pid = fork_child();

	if (pid != 0)
		return pid;
	config.terms.lifetime_ms = 1234;
	config.log = LOG_TO_STDERR;
	signals_init();
	_exit(accept_clients(&sockets, 1, no_options, &config, &work) ? 99 : 0);
}

/* A connection to the service, which has greeted us. */
static int
enter(const struct sockaddr_in *in)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char said[5] = "";

	assert_int_equal(
	    connect(fd, (const struct sockaddr *)in, sizeof(*in)), 0);
	assert_int_equal(recv(fd, said, 5, MSG_WAITALL), 5);
	assert_memory_equal(said, "hello", 5);
	return fd;
}

static void
leave(int fd)
{
	char byte;

	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
}

/* Ten at a time, three times over, with so many spares. */
static void
clients_are_served(int spare)
{
	struct sockaddr_in in = open_listener(FIRST, 0);
	pid_t pid = start(1, (struct config){.spare = spare});
	int fds[10];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 10; i++)
			fds[i] = enter(&in);
		for (int i = 0; i < 10; i++)
			leave(fds[i]);
	}
	kill(pid, SIGTERM);
	child_held(pid);
	close(FIRST);
}

static void
with_spares_and_without(void **state)
{
	(void)state;
	clients_are_served(0);
	clients_are_served(1);
	clients_are_served(8);
	clients_are_served(100000); /* SPARE_MAX of them */
}

static void
several_sockets(void **state)
{
	struct sockaddr_in in[3];
	pid_t pid;

	(void)state;
	for (int i = 0; i < 3; i++)
		in[i] = open_listener(FIRST + i, 0);
	pid = start(3, (struct config){.spare = 2});
	for (int i = 0; i < 3; i++)
		leave(enter(&in[2 - i]));
	kill(pid, SIGTERM);
	child_held(pid);
	for (int i = 0; i < 3; i++)
		close(FIRST + i);
}

static void
more_sockets_than_it_takes(void **state)
{
	struct accept_sockets sockets = {
	    .first = FIRST,
	    .count = LISTENERS_MAX + 1,
	};
	struct config config = {0};
	struct spare_work work = {serve, &config, NULL};
	char said[512];
	pid_t pid;

	(void)state;
	listen_to_stderr();
	pid = fork_child();
	if (pid == 0) {
		HOLD(accept_clients(&sockets, 1, no_options, &config, &work) ==
		     -EINVAL);
		_exit(0);
	}
	child_held(pid);
	what_stderr_said(said, sizeof(said));
	assert_non_null(strstr(said, "LISTEN_FDS passes 65 sockets"));
	assert_non_null(strstr(said, "64 at most"));
}

static void
no_memory_at_the_start(void **state)
{
	struct accept_sockets sockets = {.first = FIRST, .count = 1};
	struct config config = {0};
	struct spare_work work = {serve, &config, NULL};
	pid_t pid;

	(void)state;
	open_listener(FIRST, 0);
	fails_from = 1;
	fails_to = 2;
	pid = fork_child();
	if (pid == 0) {
		alarm(5);
		HOLD(accept_clients(&sockets, 1, no_options, &config, &work) ==
		     -ENOMEM);
		_exit(0);
	}
	fails_from = fails_to = 0;
	child_held(pid);
	close(FIRST);
}

/* It rests, and says so once; then the client is served. */
static void
no_memory_for_a_client(void **state)
{
	struct sockaddr_in in = open_listener(FIRST, 0);
	char said[512];
	int64_t before;
	pid_t pid;

	(void)state;
	fails_from = 2;
	fails_to = 4;
	listen_to_stderr();
	pid = start(1, (struct config){.spare = 0});
	fails_from = fails_to = 0;
	before = io_now_ms();
	leave(enter(&in));
	assert_true(io_now_ms() - before >= 400); /* two rests */
	kill(pid, SIGTERM);
	child_held(pid);
	what_stderr_said(said, sizeof(said));
	assert_string_equal(said,
	    "socks5-handler: no memory for another client: Cannot allocate "
	    "memory; clients wait\n");
	close(FIRST);
}

/* The super-server has the same open sockets, and may sleep in accept(2). */
static void
sockets_are_left_as_they_were(void **state)
{
	struct sockaddr_in in[2];
	pid_t pid;

	(void)state;
	in[0] = open_listener(FIRST, 0);
	in[1] = open_listener(FIRST + 1, SOCK_NONBLOCK);
	pid = start(2, (struct config){.spare = 1});
	leave(enter(&in[0]));
	leave(enter(&in[1]));
	assert_true(fcntl(FIRST, F_GETFL) & O_NONBLOCK);
	kill(pid, SIGTERM);
	child_held(pid);
	assert_false(fcntl(FIRST, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(FIRST + 1, F_GETFL) & O_NONBLOCK);
	close(FIRST);
	close(FIRST + 1);
}

/* Somebody who has the socket too shuts it down: nothing spins. */
static void
a_socket_that_listens_no_more(void **state)
{
	struct sockaddr_in in = open_listener(FIRST, 0);
	pid_t pid = start(1, (struct config){.spare = 1});
	struct timespec before, after;
	clockid_t clock;

	(void)state;
	leave(enter(&in));
	shutdown(FIRST, SHUT_RDWR);
	assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
	assert_int_equal(clock_gettime(clock, &before), 0);
	poll(NULL, 0, 700);
	assert_int_equal(clock_gettime(clock, &after), 0);
	assert_true((after.tv_sec - before.tv_sec) * 1000 +
			(after.tv_nsec - before.tv_nsec) / 1000000 <
		    100);
	kill(pid, SIGTERM);
	child_held(pid);
	close(FIRST);
}

static void
idle_exit(void **state)
{
	struct sockaddr_in in = open_listener(FIRST, 0);
	pid_t pid = start(1, (struct config){.idle_exit_ms = 800, .spare = 1});
	int fd = enter(&in);

	(void)state;
	poll(NULL, 0, 1200);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	leave(fd);
	child_held(pid);
	close(FIRST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(with_spares_and_without),
	    cmocka_unit_test(several_sockets),
	    cmocka_unit_test(more_sockets_than_it_takes),
	    cmocka_unit_test(no_memory_at_the_start),
	    cmocka_unit_test(no_memory_for_a_client),
	    cmocka_unit_test(sockets_are_left_as_they_were),
	    cmocka_unit_test(a_socket_that_listens_no_more),
	    cmocka_unit_test(idle_exit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
