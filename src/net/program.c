/* SPDX-License-Identifier: ISC */
#include "net/program.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Not every libc has it. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* From SIGTERM to SIGKILL. */
#define STOP_MS 500

/* How often it is asked where there is nothing to poll. */
#define ASK_MS 10

/* In the child, where signals are blocked: our handlers would take one. */
static void
become(const char *command, pid_t parent, int in, int out)
{
	char *line;
	int null;

	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signals_unblock();
	if (getppid() != parent)
		_exit(127);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	null = log_stderr_forbidden() ? open("/dev/null", O_WRONLY | O_CLOEXEC)
				      : -1;
	if (null >= 0)
		dup2(null, STDERR_FILENO);
	io_close_from(STDERR_FILENO + 1);
	if (asprintf(&line, "exec %s", command) >= 0)
		execl("/bin/sh", "sh", "-c", line, (char *)NULL);
	_exit(127);
}

int
program_start(const char *command, struct program *out, struct io_end *to,
    struct io_end *from)
{
	int up[2], down[2], rc = 0;
	pid_t parent = getpid(), pid;
	sigset_t all;

	if (pipe2(up, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(down, O_CLOEXEC) < 0) {
		rc = -errno;
		close(up[0]);
		close(up[1]);
		return rc;
	}
	/* Left ignored, as a parent may have, it could not be waited for. */
	signal(SIGCHLD, SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	pid = fork();
	if (pid == 0)
		become(command, parent, up[0], down[1]);
	if (pid < 0)
		rc = -errno;
	signals_unblock();
	close(up[0]);
	close(down[1]);
	if (rc < 0) {
		close(up[1]);
		close(down[0]);
		return rc;
	}
	*out = (struct program){
	    .pid = pid,
	    .pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
	};
	*to = (struct io_end){.fd = up[1], .kind = IO_PIPE};
	*from = (struct io_end){.fd = down[0], .kind = IO_PIPE};
	io_no_wait(to);
	io_no_wait(from);
	return 0;
}

bool
program_has_ended(struct program *program)
{
	if (!program->ended && program->pid > 0 &&
	    waitpid(program->pid, &program->status, WNOHANG) == program->pid) {
		program->ended = true;
		if (program->pidfd >= 0)
			close(program->pidfd);
		program->pidfd = -1;
	}
	return program->ended;
}

bool
program_await(struct program *program, int64_t until_ms)
{
	while (!program_has_ended(program)) {
		struct pollfd ended = {
		    .fd = program->pidfd,
		    .events = POLLIN,
		};
		int64_t left = until_ms - io_now_ms();

		if (left <= 0)
			break;
		if (program->pidfd < 0 && left > ASK_MS)
			left = ASK_MS;
		if (poll(&ended, 1, (int)left) < 0 && errno != EINTR)
			break;
	}
	return program->ended;
}

void
program_stop(struct program *program)
{
	if (program->pid <= 0 || program_has_ended(program))
		return;
	kill(program->pid, SIGTERM);
	if (program_await(program, io_now_ms() + STOP_MS))
		return;
	kill(program->pid, SIGKILL);
	program_await(program, io_now_ms() + STOP_MS);
}

bool
program_failed(const struct program *program)
{
	return program->ended && program->status != 0;
}

char *
program_words(const struct program *program, char out[PROGRAM_WORDS_MAX])
{
	int status = program->status;

	if (WIFSIGNALED(status))
		snprintf(out, PROGRAM_WORDS_MAX, "was killed by signal %d",
		    WTERMSIG(status));
	else
		snprintf(out, PROGRAM_WORDS_MAX, "ended with status %d",
		    WEXITSTATUS(status));
	return out;
}
