/* SPDX-License-Identifier: ISC */
#include "base/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <unistd.h>

/* The alarm rings again after this, until it is set anew. */
#define REPEAT_MS 100L

/* Set by the handlers below and by nobody else. */
static volatile sig_atomic_t alarmed, terminated;

/* For signals_alarm_exit(): how often the alarm has still to ring, 0 before. */
static volatile sig_atomic_t rings_left, exit_status, late_parent;

static void
on_alarm(int signo)
{
	int saved = errno;

	(void)signo;
	alarmed = 1;
	if (rings_left == 0)
		return;
	if (--rings_left == 0)
		_exit(exit_status);
	/* Another process may have the number of a parent that has gone. */
	if (late_parent && getppid() == late_parent)
		kill(late_parent, signals_late());
	late_parent = 0;
	errno = saved;
}

static void
on_terminate(int signo)
{
	(void)signo;
	terminated = 1;
	/* If it came just before a call goes to sleep, this wakes it. */
	if (rings_left == 0)
		alarm(1);
}

/* Ignored; but signalfd(2) would never tell of one that is SIG_IGN. */
static void
on_nothing(int signo)
{
	(void)signo;
}

void
signals_init(void)
{
	static const struct {
		int signo, flags;
		void (*handler)(int);
	} all[] = {
	    {SIGPIPE, 0, SIG_IGN},
	    /* Without SA_RESTART: whatever sleeps has to return. */
	    {SIGALRM, 0, on_alarm},
	    {SIGTERM, 0, on_terminate},
	    {SIGHUP, 0, on_terminate},
	    {SIGINT, 0, on_terminate},
	    {SIGQUIT, 0, on_terminate},
	    {SIGUSR1, SA_RESTART, on_nothing},
	    {SIGUSR2, 0, SIG_IGN},
	    {SIGXFSZ, 0, SIG_IGN},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct sigaction action = {
		    .sa_handler = all[i].handler,
		    .sa_flags = all[i].flags,
		};

		sigaction(all[i].signo, &action, NULL);
	}
	signals_unblock();
}

void
signals_unblock(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int
signals_open(void)
{
	sigset_t set;
	int fd;

	/* Left ignored, as a parent may have, no child could be waited for. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, signals_late());
	sigprocmask(SIG_SETMASK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int
signals_late(void)
{
	return SIGRTMIN; /* of these each is kept that comes */
}

void
signals_alarm(int64_t ms)
{
	struct itimerval timer = {0};

	if (ms > 0) {
		timer.it_value.tv_sec = ms / 1000;
		timer.it_value.tv_usec = ms % 1000 * 1000;
		timer.it_interval.tv_usec = REPEAT_MS * 1000L;
	}
	setitimer(ITIMER_REAL, &timer, NULL);
	/* What the old one left; a new one that rang already rings again. */
	alarmed = 0;
	/* on_terminate()'s alarm was just replaced. */
	if (terminated)
		alarm(1);
}

void
signals_alarm_exit(int64_t ms, int status, pid_t parent)
{
	exit_status = status;
	late_parent = parent;
	rings_left = (int)(ms / REPEAT_MS) + 1;
	/* SIGTERM has had its effect, and takes none of the time. */
	terminated = 0;
	signals_alarm(REPEAT_MS);
}

int
signals_interrupted(void)
{
	if (terminated)
		return -ECANCELED;
	return alarmed ? -ETIMEDOUT : 0;
}
