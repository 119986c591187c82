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
	return signals_interrupted();
}

ssize_t
io_read(const struct io_end *end, void *data, size_t len)
{
	int rc = signals_interrupted();

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
