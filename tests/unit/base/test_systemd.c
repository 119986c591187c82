/* SPDX-License-Identifier: ISC */
/*
 * The module and what stands in for it in the static build: both have to hold
 * what libsystemd promises.
 */
#include "base/systemd.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char *const variables[] = {"LISTEN_PID", "LISTEN_FDS",
    "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"};

/* Skips the test where the module has no library to ask. */
static void
need_library(void)
{
	if (systemd_listen_fds() == -ENOSYS) {
		fprintf(stderr, "skipped: no libsystemd.so.0 here\n");
		skip();
	}
}

static void
set_pid(const char *variable, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	setenv(variable, text, 1);
}

/* In a child, where descriptors 3 and 4 are pipes and no more are open. */
static int
listen_fds_of(pid_t pid, const char *fds)
{
	int pipes[2], rc;

	HOLD(pipe(pipes) == 0);
	HOLD(dup2(pipes[0], 100) == 100 && dup2(pipes[1], 101) == 101);
	for (int fd = 3; fd < 100; fd++)
		close(fd);
	HOLD(dup2(100, 3) == 3 && dup2(101, 4) == 4);
	set_pid("LISTEN_PID", pid ? pid : getpid());
	setenv("LISTEN_FDS", fds, 1);
	setenv("LISTEN_FDNAMES", "a:b", 1);
	rc = systemd_listen_fds();
	for (size_t i = 0; i < 3; i++)
		HOLD(!getenv(variables[i]));
	return rc;
}

static void
listen_fds(void **state)
{
	pid_t pid;

	(void)state;
	need_library();
	assert_int_equal(systemd_listen_fds(), 0);
	pid = fork_child();
	if (pid == 0) {
		HOLD(listen_fds_of(0, "2") == 2);
		HOLD(fcntl(3, F_GETFD) == FD_CLOEXEC);
		HOLD(fcntl(4, F_GETFD) == FD_CLOEXEC);
		_exit(0);
	}
	child_held(pid);
	pid = fork_child();
	if (pid == 0) {
		HOLD(listen_fds_of(0, "1") == 1);
		HOLD(fcntl(4, F_GETFD) == 0);
		_exit(0);
	}
	child_held(pid);
}

/* Meant for another process, or no number, or more than there are. */
static void
listen_fds_of_others(void **state)
{
	static const char *const wrong[] = {"", "x", "0", "-1", "2x", "3",
	    "99999999999999999999", "9999999999", "2147483647"};
	pid_t pid;

	(void)state;
	need_library();
	pid = fork_child();
	if (pid == 0) {
		HOLD(listen_fds_of(getppid(), "2") == 0);
		HOLD(fcntl(3, F_GETFD) == 0);
		_exit(0);
	}
	child_held(pid);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		unit_row("%s", wrong[i]);
		pid = fork_child();
		if (pid == 0) {
			HOLD(listen_fds_of(0, wrong[i]) <= 0);
			_exit(0);
		}
		child_held(pid);
	}
}

/* A socket for datagrams; its name, from `name` on, is in the environment. */
static int
notify_socket(const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_true(strlen(name) <= sizeof(un.sun_path));
	memcpy(un.sun_path, name, strlen(name));
	if (*name == '@')
		un.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&un, len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

/* What came is this, in one piece. */
static void
got(int fd, const char *text)
{
	char data[256];
	ssize_t n = recv(fd, data, sizeof(data), 0);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(data, text, strlen(text));
	/* And nothing else. */
	assert_int_equal(recv(fd, data, sizeof(data), 0), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
notify(void **state)
{
	char directory[] = "/tmp/test_systemd.XXXXXX", path[64], abstract[108];
	int fd;

	(void)state;
	need_library();
	assert_int_equal(systemd_notify("READY=1"), 0);

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/notify", directory);
	fd = notify_socket(path);
	assert_int_equal(systemd_notify("READY=1"), 0);
	got(fd, "READY=1");
	assert_int_equal(systemd_notify("STOPPING=1\nSTATUS=0 clients"), 0);
	got(fd, "STOPPING=1\nSTATUS=0 clients");
	assert_non_null(getenv("NOTIFY_SOCKET"));
	close(fd);
	/* Nobody reads it, or it isn't there: an error, and no signal. */
	assert_true(systemd_notify("READY=1") < 0);
	unlink(path);
	assert_true(systemd_notify("READY=1") < 0);
	rmdir(directory);

	snprintf(abstract, sizeof(abstract), "@test_systemd.%d", getpid());
	fd = notify_socket(abstract);
	assert_int_equal(systemd_notify("READY=1"), 0);
	got(fd, "READY=1");
	close(fd);
	/* Up to the longest that there can be. */
	memset(abstract + strlen(abstract), 'x',
	    sizeof(abstract) - 1 - strlen(abstract));
	abstract[sizeof(abstract) - 1] = '\0';
	fd = notify_socket(abstract);
	assert_int_equal(systemd_notify("READY=1"), 0);
	got(fd, "READY=1");
	close(fd);
	unsetenv("NOTIFY_SOCKET");
}

static void
notify_nobody(void **state)
{
	char longer[256];
	const char *names[] = {longer, "relative", "x"};

	(void)state;
	need_library();
	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i < COUNT(names); i++) {
		unit_row("%s", names[i]);
		setenv("NOTIFY_SOCKET", names[i], 1);
		assert_true(systemd_notify("READY=1") < 0);
	}
	unsetenv("NOTIFY_SOCKET");
}

static void
watchdog(void **state)
{
	static const struct {
		const char *usec;
		int64_t ms;
	} table[] = {
	    {"30000000", 15000},
	    {"3000000", 1500},
	    {"2000", 1},
	    {"1", 1},
	    {"", 0},
	    {"0", 0},
	    {"x", 0},
	    {"1s", 0},
	    {"-1", 0},
	    {"18446744073709551615", 0},
	    {"99999999999999999999", 0},
	};

	(void)state;
	need_library();
	assert_int_equal(systemd_watchdog_ms(), 0);
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].usec);
		setenv("WATCHDOG_USEC", table[i].usec, 1);
		assert_int_equal(systemd_watchdog_ms(), table[i].ms);
		set_pid("WATCHDOG_PID", getpid());
		assert_int_equal(systemd_watchdog_ms(), table[i].ms);
		set_pid("WATCHDOG_PID", getppid());
		assert_int_equal(systemd_watchdog_ms(), 0);
		unsetenv("WATCHDOG_PID");
	}
	unsetenv("WATCHDOG_USEC");
}

static void
journal(void **state)
{
	(void)state;
	need_library();
	assert_int_equal(
	    systemd_journal_load(), systemd_has_journal() ? 0 : -ENOSYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(listen_fds),
	    cmocka_unit_test(listen_fds_of_others),
	    cmocka_unit_test(notify),
	    cmocka_unit_test(notify_nobody),
	    cmocka_unit_test(watchdog),
	    cmocka_unit_test(journal),
	};

	for (size_t i = 0; i < COUNT(variables); i++)
		unsetenv(variables[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
