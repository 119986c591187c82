/* SPDX-License-Identifier: ISC */
#include "base/process.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* A core with a sanitizer's shadow takes the kernel minutes. */
#ifdef __SANITIZE_ADDRESS__
#define CORE_IS_HUGE 1
#else
#define CORE_IS_HUGE 0
#endif

/* Whether a child, or the child of one, that is protected or not leaves one. */
static bool
leaves_core(bool is_protected)
{
	char directory[] = "/tmp/test_process.XXXXXX", core[64];
	pid_t pid;
	int status;

	assert_non_null(mkdtemp(directory));
	snprintf(core, sizeof(core), "%s/core", directory);
	pid = fork_child();
	if (pid == 0) {
		struct rlimit limit;

		HOLD(chdir(directory) == 0);
		HOLD(getrlimit(RLIMIT_CORE, &limit) == 0);
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_CORE, &limit);
		if (is_protected)
			process_protect();
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unlink(core);
	rmdir(directory);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	return WCOREDUMP(status);
}

static void
no_core(void **state)
{
	(void)state;
	assert_false(leaves_core(true));
	/* Where there would be none anyway, that says nothing. */
	if (!CORE_IS_HUGE && !leaves_core(false))
		skip();
}

static void
children_are_protected_too(void **state)
{
	pid_t pid = fork_child();

	(void)state;
	if (pid == 0) {
		process_protect();
		pid = fork();
		HOLD(prctl(PR_GET_DUMPABLE) == 0);
		HOLD(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
		if (pid > 0)
			child_held(pid);
		_exit(0);
	}
	child_held(pid);
}

static int
oom_score(void)
{
	char text[16] = "";
	int fd = open("/proc/self/oom_score_adj", O_RDONLY);

	HOLD(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return (int)strtol(text, NULL, 10);
}

/* Though the child's file is root's. */
static void
a_child_goes_before_its_parent(void **state)
{
	struct process_oom oom = {.fd = -1};
	int score = oom_score();
	pid_t pid = fork_child();

	(void)state;
	if (pid == 0) {
		if (geteuid() == 0)
			HOLD(setuid(65534) == 0);
		HOLD(prctl(PR_SET_DUMPABLE, 1) == 0);
		process_open_oom(&oom);
		HOLD(oom.fd > STDERR_FILENO && oom.score == score);
		process_protect();
		pid = process_fork(&oom);
		HOLD(pid >= 0);
		HOLD(oom_score() == score + (pid == 0));
		if (pid > 0)
			child_held(pid);
		_exit(0);
	}
	child_held(pid);
	pid = process_fork(NULL);
	if (pid == 0) {
		HOLD(oom_score() == score);
		_exit(0);
	}
	child_held(pid);
}

static void
a_descriptor_that_was_closed_stays_so(void **state)
{
	struct process_oom oom;
	pid_t pid = fork_child();

	(void)state;
	if (pid == 0) {
		close(STDIN_FILENO);
		process_open_oom(&oom);
		HOLD(oom.fd == -1);
		HOLD(fcntl(STDIN_FILENO, F_GETFD) < 0);
		_exit(0);
	}
	child_held(pid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_core),
	    cmocka_unit_test(children_are_protected_too),
	    cmocka_unit_test(a_child_goes_before_its_parent),
	    cmocka_unit_test(a_descriptor_that_was_closed_stays_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
