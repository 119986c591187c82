/* SPDX-License-Identifier: ISC */
/*
 * The module and what stands in for it in the static build: both have to hold
 * what libsystemd promises.
 */
#include "base/systemd.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

static const char *const variables[] = {
    "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"};

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
	    cmocka_unit_test(journal),
	};

	for (size_t i = 0; i < COUNT(variables); i++)
		unsetenv(variables[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
