/* SPDX-License-Identifier: ISC */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* The alarm rings again after this, until it is set anew. */
#define REPEAT_MS 100L

/* Set by the handlers below and by nobody else. */
static volatile sig_atomic_t alarmed, terminated;

/* For io_alarm_exit(): how often the alarm has still to ring, 0 before. */
static volatile sig_atomic_t rings_left, exit_status, late_parent;

int64_t
io_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
io_earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

int
io_time_left(int64_t until_ms, int64_t now_ms)
{
	int64_t left = until_ms - now_ms;

	if (until_ms == 0)
		return -1;
	return left < 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

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
		kill(late_parent, io_signal_late());
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
io_signals_init(void)
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
	io_signals_unblock();
}

void
io_signals_unblock(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int
io_signals_open(void)
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
	sigaddset(&set, io_signal_late());
	sigprocmask(SIG_SETMASK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int
io_signal_late(void)
{
	return SIGRTMIN; /* of these each is kept that comes */
}

void
io_alarm(int64_t ms)
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
io_alarm_exit(int64_t ms, int status, pid_t parent)
{
	exit_status = status;
	late_parent = parent;
	rings_left = (int)(ms / REPEAT_MS) + 1;
	/* SIGTERM has had its effect, and takes none of the time. */
	terminated = 0;
	io_alarm(REPEAT_MS);
}

int
io_await(int fd, short events, int64_t until_ms)
{
	struct pollfd ready = {.fd = fd, .events = events};
	int64_t left;
	int n = 0;

	while (n == 0 && (left = until_ms - io_now_ms()) > 0) {
		n = poll(&ready, 1, left < INT_MAX ? (int)left : INT_MAX);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n < 0)
			n = 0;
	}
	return n > 0 ? 0 : -EAGAIN;
}

int
io_interrupted(void)
{
	if (terminated)
		return -ECANCELED;
	return alarmed ? -ETIMEDOUT : 0;
}

/*
 * After a call failed: 0 to try again, or -errno to give up. A descriptor that
 * came to us non-blocking is waited for.
 */
static int
retry(int fd, short events)
{
	struct pollfd ready = {.fd = fd, .events = events};

	if (errno == EAGAIN)
		poll(&ready, 1, -1);
	else if (errno != EINTR)
		return -errno;
	return io_interrupted();
}

ssize_t
io_read(const struct io_end *end, void *data, size_t len)
{
	int rc = io_interrupted();

	while (rc == 0) {
		ssize_t n = read(end->fd, data, len);

		if (n >= 0)
			return n;
		rc = retry(end->fd, POLLIN);
	}
	return rc;
}

int
io_write(const struct io_end *end, const void *data, size_t len)
{
	const uint8_t *next = data;
	int rc = 0;

	while (rc == 0 && len > 0) {
		ssize_t n = write(end->fd, next, len);

		if (n >= 0) {
			next += n;
			len -= (size_t)n;
		} else {
			rc = retry(end->fd, POLLOUT);
		}
	}
	return rc;
}

void
io_no_wait(struct io_end *end)
{
	if (end->kind == IO_PIPE)
		io_no_sleep(end);
}

void
io_no_sleep(struct io_end *end)
{
	int flags = fcntl(end->fd, F_GETFL);

	if (flags >= 0 && !(flags & O_NONBLOCK))
		end->was_blocking =
		    fcntl(end->fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

void
io_restore(struct io_end *end)
{
	int flags;

	if (!end->was_blocking || end->fd < 0)
		return;
	flags = fcntl(end->fd, F_GETFL);
	if (flags >= 0)
		fcntl(end->fd, F_SETFL, flags & ~O_NONBLOCK);
	end->was_blocking = false;
}

ssize_t
io_read_now(const struct io_end *end, void *data, size_t len)
{
	ssize_t n = end->kind == IO_PIPE
			? read(end->fd, data, len)
			: recv(end->fd, data, len, MSG_DONTWAIT);

	return n < 0 ? -errno : n;
}

ssize_t
io_write_now(const struct io_end *end, const void *data, size_t len)
{
	ssize_t n = end->kind == IO_PIPE
			? write(end->fd, data, len)
			: send(end->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	return n < 0 ? -errno : n;
}

ssize_t
io_splice_now(int from, int to, size_t len)
{
	ssize_t n = splice(from, NULL, to, NULL, len, SPLICE_F_NONBLOCK);

	return n < 0 ? -errno : n;
}

int
io_pipe_open(int pipe[2], int size)
{
	int rc = 0;

	if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	if (fcntl(pipe[1], F_SETPIPE_SZ, size) < size) {
		rc = -EPERM;
		close(pipe[0]);
		close(pipe[1]);
	}
	return rc;
}

void
io_shut_write(struct io_end *end)
{
	if (end->kind == IO_PIPE)
		io_close(end);
	else
		shutdown(end->fd, SHUT_WR);
}

int
io_error(const struct io_end *end)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(end->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

bool
io_is_unix(const struct io_end *end)
{
	int domain = AF_UNSPEC;
	socklen_t len = sizeof(domain);

	if (end->kind == IO_SOCKET)
		getsockopt(end->fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	return domain == AF_UNIX;
}

void
io_drain(const struct io_end *end, size_t most)
{
	uint8_t scrap[4096];
	ssize_t n = 1;

	for (size_t done = 0; n > 0 && done < most; done += (size_t)n)
		n = io_read(end, scrap, sizeof(scrap));
}

void
io_close(struct io_end *end)
{
	if (end->fd < 0)
		return;
	io_restore(end);
	close(end->fd);
	end->fd = -1;
}

static void
close_range_of(int first, int last)
{
	struct rlimit limit = {.rlim_cur = 1024};

	/* A kernel before 5.9, or a sandbox, may not know it. */
	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur > 65536)
		limit.rlim_cur = 65536;
	for (int fd = first; fd <= last && fd < (int)limit.rlim_cur; fd++)
		close(fd);
}

void
io_close_from(int first)
{
	close_range_of(first, INT_MAX);
}

void
io_close_from_but(int first, int kept)
{
	if (kept < first) {
		io_close_from(first);
		return;
	}
	close_range_of(first, kept - 1);
	close_range_of(kept + 1, INT_MAX);
}
