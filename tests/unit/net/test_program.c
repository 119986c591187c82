/* SPDX-License-Identifier: ISC */
#include "net/program.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#define GENEROUS_MS 20000

static struct program program;
static struct io_end to, from;

static void
start(const char *command)
{
	assert_int_equal(program_start(command, &program, &to, &from), 0);
	assert_true(program.pid > 0);
}

static void
close_both(void)
{
	io_close(&to);
	io_close(&from);
}

static void
ends(const char *words)
{
	char text[PROGRAM_WORDS_MAX];

	assert_true(program_await(&program, io_now_ms() + GENEROUS_MS));
	assert_true(program_has_ended(&program));
	assert_int_equal(program.pidfd, -1);
	assert_string_equal(program_words(&program, text), words);
	assert_int_equal(program_failed(&program),
	    strcmp(words, "ended with status 0") != 0);
	/* Nothing more happens to whoever has its number now. */
	program_stop(&program);
	close_both();
}

static void
how_it_ends(void **state)
{
	static const struct {
		const char *command, *words;
	} table[] = {
	    {"true", "ended with status 0"},
	    {"sh -c 'exit 7'", "ended with status 7"},
	    {"no-such-command 2>/dev/null", "ended with status 127"},
	    {"sh -c 'kill -KILL $$'", "was killed by signal 9"},
	    {"cat & wait", "ended with status 0"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].command);
		start(table[i].command);
		io_close(&to);
		ends(table[i].words);
	}
	unit_row("%s", "");
}

static void
its_pipes(void **state)
{
	char got[8];

	(void)state;
	start("cat");
	/* Nothing is there yet, and nobody waits. */
	assert_int_equal(io_read_now(&from, got, sizeof(got)), -EAGAIN);
	assert_int_equal(io_write(&to, "bytes", 5), 0);
	assert_int_equal(io_read(&from, got, sizeof(got)), 5);
	assert_memory_equal(got, "bytes", 5);
	assert_false(program_has_ended(&program));
	assert_false(program_await(&program, io_now_ms() + 20));
	io_close(&to);
	assert_int_equal(io_read(&from, got, sizeof(got)), 0);
	ends("ended with status 0");
}

static void
it_is_stopped(void **state)
{
	char text[PROGRAM_WORDS_MAX], got;

	(void)state;
	start("cat");
	program_stop(&program);
	assert_string_equal(
	    program_words(&program, text), "was killed by signal 15");
	close_both();
	/* One that doesn't listen. */
	start("sh -c 'trap : TERM; echo; while :; do read line; done'");
	assert_int_equal(io_read(&from, &got, 1), 1);
	program_stop(&program);
	assert_string_equal(
	    program_words(&program, text), "was killed by signal 9");
	close_both();
	/* None was started. */
	program = (struct program){0};
	program_stop(&program);
	assert_false(program_failed(&program));
}

/* However this process ends, the command isn't left behind. */
static void
it_ends_with_us(void **state)
{
	int told[2], status;
	pid_t pid, command;

	(void)state;
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = fork_child();
	if (pid == 0) {
		char got;

		HOLD(program_start("sh -c 'echo; exec sleep 60'", &program, &to,
			 &from) == 0);
		HOLD(io_read(&from, &got, 1) == 1);
		HOLD(write(told[1], &program.pid, sizeof(pid)) == sizeof(pid));
		raise(SIGKILL);
	}
	assert_int_equal(
	    read(told[0], &command, sizeof(command)), sizeof(command));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	alarm(15); /* it may not be there any more to be waited for */
	assert_int_equal(waitpid(command, &status, 0), command);
	alarm(0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	close(told[0]);
	close(told[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(how_it_ends),
	    cmocka_unit_test(its_pipes),
	    cmocka_unit_test(it_is_stopped),
	    cmocka_unit_test(it_ends_with_us),
	};

	signals_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
