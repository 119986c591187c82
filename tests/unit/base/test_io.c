/* SPDX-License-Identifier: ISC */
#include "base/io.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int pair[2];

static int
set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int
tear_down(void **state)
{
	(void)state;
	signals_alarm(0);
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static void
signals_are_set_right(void **state)
{
	static const int signals[] = {SIGPIPE, SIGALRM, SIGTERM};
	struct sigaction action;
	sigset_t all, mask;

	(void)state;
	for (size_t i = 0; i < COUNT(signals); i++)
		signal(signals[i], signals[i] == SIGPIPE ? SIG_DFL : SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signals_init();
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int s = 1; s < SIGRTMIN; s++)
		assert_int_equal(sigismember(&mask, s), 0);
	sigaction(SIGPIPE, NULL, &action);
	assert_true(action.sa_handler == SIG_IGN);
	for (size_t i = 1; i < COUNT(signals); i++) {
		sigaction(signals[i], NULL, &action);
		assert_true(action.sa_handler != SIG_IGN);
		assert_true(action.sa_handler != SIG_DFL);
		assert_int_equal(action.sa_flags & SA_RESTART, 0);
	}
}

static void
the_alarm_ends_a_read(void **state)
{
	struct io_end end = {.fd = pair[0], .kind = IO_SOCKET};
	int64_t before = io_now_ms();
	char byte;

	(void)state;
	signals_alarm(60);
	assert_int_equal(io_read(&end, &byte, 1), -ETIMEDOUT);
	assert_true(io_now_ms() - before >= 60);
	/* Also where the descriptor came to us non-blocking. */
	signals_alarm(60);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	assert_int_equal(io_read(&end, &byte, 1), -ETIMEDOUT);
	signals_alarm(0);
	assert_int_equal(signals_interrupted(), 0);
}

/* One that rings before a call goes to sleep rings again. */
static void
the_alarm_rings_again(void **state)
{
	(void)state;
	signals_alarm(1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(poll(NULL, 0, 5000), -1);
	assert_int_equal(signals_interrupted(), -ETIMEDOUT);
}

static void
the_alarm_ends_a_write(void **state)
{
	static char block[4 << 20];
	struct io_end end = {.fd = pair[0], .kind = IO_SOCKET};

	(void)state;
	signals_alarm(60);
	assert_int_equal(io_write(&end, block, sizeof(block)), -ETIMEDOUT);
}

static void
a_short_answer_goes_out_after_the_alarm(void **state)
{
	struct io_end end = {.fd = pair[0], .kind = IO_SOCKET};
	char answer[4];

	(void)state;
	signals_alarm(1);
	assert_int_equal(poll(NULL, 0, 5000), -1);
	assert_int_equal(signals_interrupted(), -ETIMEDOUT);
	assert_int_equal(io_write(&end, "late", 4), 0);
	assert_int_equal(read(pair[1], answer, 4), 4);
	assert_memory_equal(answer, "late", 4);
}

static void
now_does_not_wait(void **state)
{
	struct io_end end = {.fd = pair[0], .kind = IO_SOCKET};
	static char block[4 << 20];
	char byte;
	ssize_t n;

	(void)state;
	assert_int_equal(io_read_now(&end, &byte, 1), -EAGAIN);
	n = io_write_now(&end, block, sizeof(block));
	assert_true(n > 0 && (size_t)n < sizeof(block));
	assert_int_equal(io_write_now(&end, block, 1), -EAGAIN);
	/* And the flags are as they were: a parent may share them. */
	assert_int_equal(fcntl(pair[0], F_GETFL) & O_NONBLOCK, 0);
	close(pair[1]);
	assert_int_equal(io_write_now(&end, block, 1), -EPIPE);
}

static void
a_pipe_gets_its_flags_back(void **state)
{
	int p[2];

	(void)state;
	for (int was = 0; was < 2; was++) {
		struct io_end end = {.kind = IO_PIPE};

		assert_int_equal(pipe2(p, was ? O_NONBLOCK : 0), 0);
		end.fd = p[0];
		io_no_wait(&end);
		assert_true(fcntl(p[0], F_GETFL) & O_NONBLOCK);
		io_restore(&end);
		assert_int_equal(!!(fcntl(p[0], F_GETFL) & O_NONBLOCK), was);
		/* Closing does it too, for whoever shares the pipe. */
		end.fd = fcntl(p[0], F_DUPFD_CLOEXEC, 0);
		io_no_wait(&end);
		io_close(&end);
		assert_int_equal(end.fd, -1);
		assert_int_equal(!!(fcntl(p[0], F_GETFL) & O_NONBLOCK), was);
		close(p[0]);
		close(p[1]);
	}
}

static void
draining_is_bounded(void **state)
{
	struct io_end end = {.fd = pair[0], .kind = IO_SOCKET};
	static char block[65536];
	char byte;

	(void)state;
	assert_int_equal(write(pair[1], block, sizeof(block)), sizeof(block));
	signals_alarm(2000);
	io_drain(&end, 8192);
	assert_int_equal(signals_interrupted(), 0);
	assert_int_equal(io_read_now(&end, &byte, 1), 1);
}

/* Nothing is lost, and no byte comes twice, however small the bites. */
static void
a_slow_reader_gets_all(void **state)
{
	enum { LEN = 1 << 20, BITE = 1009 };
	static uint8_t block[LEN];
	struct io_end end = {.fd = pair[0], .kind = IO_SOCKET};
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		block[i] = (uint8_t)(i * 31 + i / 251);
	for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
		fcntl(pair[0], F_SETFL, nonblocking ? O_NONBLOCK : 0);
		pid = fork_child();
		if (pid == 0) {
			uint8_t bite[BITE];
			size_t done = 0;

			poll(NULL, 0, 50); /* it fills up, and waits */
			while (done < LEN) {
				ssize_t n = read(pair[1], bite, BITE);

				HOLD(n > 0);
				HOLD(
				    memcmp(bite, block + done, (size_t)n) == 0);
				done += (size_t)n;
			}
			HOLD(recv(pair[1], bite, 1, MSG_DONTWAIT) == -1);
			_exit(0);
		}
		signals_alarm(20000);
		assert_int_equal(io_write(&end, block, LEN), 0);
		child_held(pid);
	}
}

static void
ends_of_file_and_errors(void **state)
{
	struct io_end end = {.fd = pair[0], .kind = IO_SOCKET}, none;
	struct io_end closed = {.fd = -1, .kind = IO_PIPE};
	char byte;
	int p[2];

	(void)state;
	signals_alarm(20000);
	shutdown(pair[1], SHUT_WR);
	assert_int_equal(io_read(&end, &byte, 1), 0);
	assert_int_equal(io_read_now(&end, &byte, 1), 0);
	io_drain(&end, 8192);
	close(pair[1]);
	pair[1] = -1;
	/* An error, and not SIGPIPE. */
	assert_int_equal(io_write(&end, "x", 1), -EPIPE);
	assert_int_equal(pipe(p), 0);
	close(p[0]);
	none = (struct io_end){.fd = p[1], .kind = IO_PIPE};
	assert_int_equal(io_write(&none, "x", 1), -EPIPE);
	assert_int_equal(io_write_now(&none, "x", 1), -EPIPE);
	assert_int_equal(io_read(&none, &byte, 1), -EBADF);
	io_close(&none);
	assert_int_equal(io_read(&closed, &byte, 1), -EBADF);
	/* Once closed, there is nothing to close or to put back. */
	io_close(&closed);
	io_restore(&closed);
	assert_int_equal(closed.fd, -1);
	assert_int_equal(io_write(&end, "", 0), 0);
}

/* A socket is shut one way, a pipe is closed: it has no other way. */
static void
no_more_this_way(void **state)
{
	struct io_end end = {.fd = pair[0], .kind = IO_SOCKET}, out;
	char byte;
	int p[2];

	(void)state;
	signals_alarm(20000);
	io_shut_write(&end);
	assert_int_equal(end.fd, pair[0]);
	assert_int_equal(read(pair[1], &byte, 1), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(io_read(&end, &byte, 1), 1);
	assert_int_equal(pipe(p), 0);
	out = (struct io_end){.fd = p[1], .kind = IO_PIPE};
	io_shut_write(&out);
	assert_int_equal(out.fd, -1);
	assert_int_equal(read(p[0], &byte, 1), 0);
	close(p[0]);
}

/* An alarm that rang is forgotten when the next phase sets it anew. */
static void
each_phase_has_its_own_alarm(void **state)
{
	struct io_end end = {.fd = pair[0], .kind = IO_SOCKET};
	char byte;

	(void)state;
	signals_alarm(1);
	poll(NULL, 0, 5000);
	assert_int_equal(signals_interrupted(), -ETIMEDOUT);
	/* What has come is not read any more. */
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(io_read(&end, &byte, 1), -ETIMEDOUT);
	signals_alarm(20000);
	assert_int_equal(signals_interrupted(), 0);
	assert_int_equal(io_read(&end, &byte, 1), 1);
	/* 0 is never: it would have rung in between. */
	signals_alarm(20);
	signals_alarm(0);
	assert_int_equal(poll(NULL, 0, 60), 0);
	assert_int_equal(signals_interrupted(), 0);
}

/* It wakes who sleeps, at once, and not only when the alarm does. */
static void
sigterm_ends_a_read(void **state)
{
	struct io_end end = {.fd = pair[0], .kind = IO_SOCKET};
	pid_t reader = fork_child(), helper;
	char byte;

	(void)state;
	if (reader == 0) {
		int64_t before = io_now_ms();

		helper = fork_child();
		if (helper == 0) {
			poll(NULL, 0, 50);
			kill(getppid(), SIGTERM);
			_exit(0);
		}
		HOLD(io_read(&end, &byte, 1) == -ECANCELED);
		HOLD(io_now_ms() - before < 20000);
		/* From now on nothing waits; what needs no waiting goes out. */
		HOLD(io_read(&end, &byte, 1) == -ECANCELED);
		HOLD(io_write(&end, "bye", 3) == 0);
		_exit(0);
	}
	child_held(reader);
}

/* In a child, for there is no way back from it. */
static void
sigterm_is_not_forgotten(void **state)
{
	struct io_end end = {.fd = pair[0], .kind = IO_SOCKET};
	pid_t pid = fork();
	int status;
	char byte;

	(void)state;
	if (pid == 0) {
		raise(SIGTERM);
		/* The next phase begins, and goes to sleep unaware. */
		signals_alarm(20000);
		poll(NULL, 0, 15000);
		_exit(signals_interrupted() == -ECANCELED &&
			      io_read(&end, &byte, 1) == -ECANCELED
			  ? 0
			  : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
the_last_alarm_ends_the_process(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		signals_alarm_exit(20, 71, 0);
		for (;;)
			pause();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 71);
}

/* Told once, by whom; unless the process has another parent by now. */
static void
the_last_alarm_tells_the_parent(void **state)
{
	sigset_t late, old;
	siginfo_t info = {0};
	const struct timespec second = {1, 0}, none = {0};

	(void)state;
	sigemptyset(&late);
	sigaddset(&late, signals_late());
	sigprocmask(SIG_BLOCK, &late, &old);
	for (int ours = 0; ours < 2; ours++) {
		pid_t us = getpid(), pid = fork();

		if (pid == 0) {
			signals_alarm_exit(300, 71, ours ? us : us + 1);
			for (;;)
				pause();
		}
		if (ours) {
			assert_int_equal(sigtimedwait(&late, &info, &second),
			    signals_late());
			assert_int_equal(info.si_pid, pid);
		}
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(sigtimedwait(&late, &info, &none), -1);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/* SIGTERM, before or after, takes nothing of the time for the record. */
static void
the_last_alarm_keeps_its_time(void **state)
{
	(void)state;
	for (int after = 0; after < 2; after++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			if (!after)
				raise(SIGTERM);
			signals_alarm_exit(20000, 71, 0);
			if (after)
				raise(SIGTERM);
			poll(NULL, 0, 1300);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signals_are_set_right),
	    cmocka_unit_test_setup_teardown(
		the_alarm_ends_a_read, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		the_alarm_rings_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		the_alarm_ends_a_write, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_short_answer_goes_out_after_the_alarm, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		now_does_not_wait, set_up, tear_down),
	    cmocka_unit_test(a_pipe_gets_its_flags_back),
	    cmocka_unit_test_setup_teardown(
		a_slow_reader_gets_all, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		ends_of_file_and_errors, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		no_more_this_way, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		each_phase_has_its_own_alarm, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		sigterm_ends_a_read, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		draining_is_bounded, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		sigterm_is_not_forgotten, set_up, tear_down),
	    cmocka_unit_test(the_last_alarm_ends_the_process),
	    cmocka_unit_test(the_last_alarm_tells_the_parent),
	    cmocka_unit_test(the_last_alarm_keeps_its_time),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
