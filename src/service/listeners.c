/* SPDX-License-Identifier: ISC */
#include "service/listeners.h"
#include "base/log.h"
#include "base/tcp.h"

#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* So many in a row are no coincidence. */
#define GONE_MAX 32

int
listeners_open(struct listeners *l, int first, size_t count, int kept)
{
	struct pollfd *signals = &l->fds[count];

	/* What a parent left open is no business of ours or a client's. */
	io_close_from_but(
	    first == STDIN_FILENO ? STDERR_FILENO + 1 : first + (int)count,
	    kept);
	if (count > LISTENERS_MAX)
		return log_fault(
		    "LISTEN_FDS passes %zu sockets, and one service takes %d "
		    "at most: give each part of them a service",
		    count, LISTENERS_MAX);
	*signals = (struct pollfd){.fd = signals_open(), .events = POLLIN};
	if (signals->fd < 0) {
		log_fault(
		    "no descriptor for signals: %s", strerror(-signals->fd));
		return signals->fd;
	}
	l->count = count;
	for (size_t i = 0; i < count; i++) {
		int fd = first + (int)i;

		l->fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
		l->ends[i] = (struct io_end){.fd = fd, .kind = IO_SOCKET};
		io_no_sleep(&l->ends[i]);
	}
	return 0;
}

void
listeners_restore(struct listeners *l)
{
	for (size_t i = 0; i < l->count; i++)
		io_restore(&l->ends[i]);
	close(l->fds[l->count].fd);
}

int
listeners_wait(struct listeners *l, bool resting, int ms)
{
	size_t first = resting ? l->count : 0;

	for (size_t i = 0; i <= l->count; i++)
		l->fds[i].revents = 0;
	/* The signals stand last, and are looked at in any case. */
	if (poll(l->fds + first, l->count + 1 - first, ms) >= 0 ||
	    errno == EINTR)
		return 0;
	l->fds[l->count].revents = POLLERR; /* to be read in any case */
	return -errno;
}

bool
listeners_has_client(const struct listeners *l, size_t i)
{
	return l->fds[i].revents != 0;
}

int
listeners_signal(const struct listeners *l, pid_t *sender)
{
	struct signalfd_siginfo info;

	if (!l->fds[l->count].revents ||
	    read(l->fds[l->count].fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	*sender = (pid_t)info.ssi_pid;
	return (int)info.ssi_signo;
}

int
listeners_accept(struct listeners *l, size_t i, union addr *from)
{
	socklen_t len = sizeof(*from);
	int fd;

	*from = (union addr){.sa.sa_family = AF_UNSPEC};
	fd = accept4(l->fds[i].fd, &from->sa, &len, SOCK_CLOEXEC);
	if (fd >= 0) {
		l->gone = 0;
		return fd;
	}
	if (!tcp_is_gone(errno) || l->gone == GONE_MAX)
		return -errno;
	l->gone++;
	return -EAGAIN;
}
