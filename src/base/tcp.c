/* SPDX-License-Identifier: ISC */
#include "base/tcp.h"

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Keep-alive begins after so long without a byte; by default it is 2 hours. */
#define KEEPALIVE_S 60

static void
set_linger(const struct io_end *end, int on)
{
	const struct linger linger = {.l_onoff = on, .l_linger = 0};

	if (end->kind == IO_TCP && end->fd >= 0)
		setsockopt(
		    end->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

void
tcp_reset_on_close(const struct io_end *end)
{
	set_linger(end, 1);
}

void
tcp_close_in_order(const struct io_end *end)
{
	set_linger(end, 0);
}

int
tcp_unsent(const struct io_end *end)
{
	struct tcp_info info = {.tcpi_state = TCP_CLOSE};
	socklen_t len = sizeof(info);
	int left = 0;

	/* What a reset left behind is counted for ever. */
	if (end->kind != IO_TCP || end->fd < 0 ||
	    getsockopt(end->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
	    info.tcpi_state == TCP_CLOSE || ioctl(end->fd, SIOCOUTQ, &left) < 0)
		return 0;
	return left;
}

int64_t
tcp_rtt_us(const struct io_end *end)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	if (end->kind != IO_TCP ||
	    getsockopt(end->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
	    info.tcpi_rtt == 0)
		return -1;
	return info.tcpi_rtt;
}

static int
set_option(const struct io_end *end, int level, int option, int value)
{
	if (end->kind != IO_TCP ||
	    setsockopt(end->fd, level, option, &value, sizeof(value)) == 0)
		return 0;
	return -errno;
}

int
tcp_set_nodelay(const struct io_end *end)
{
	return set_option(end, IPPROTO_TCP, TCP_NODELAY, 1);
}

int
tcp_set_keepalive(const struct io_end *end)
{
	int rc = set_option(end, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S);

	return rc < 0 ? rc : set_option(end, SOL_SOCKET, SO_KEEPALIVE, 1);
}

int
tcp_set_rate(const struct io_end *end, uint64_t bytes_per_s)
{
	unsigned long rate =
	    bytes_per_s < ULONG_MAX ? (unsigned long)bytes_per_s : ULONG_MAX;

	if (end->kind != IO_TCP)
		return -EOPNOTSUPP;
	if (setsockopt(end->fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate,
		sizeof(rate)) == 0)
		return 0;
	return -errno;
}

int
tcp_set_oobinline(const struct io_end *end)
{
	return set_option(end, SOL_SOCKET, SO_OOBINLINE, 1);
}

bool
tcp_is_gone(int error)
{
	/* The last is a packet filter's. */
	static const int errors[] = {ECONNABORTED, ECONNRESET, EPROTO,
	    ENOPROTOOPT, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET,
	    EOPNOTSUPP, ETIMEDOUT, EINTR, EPERM};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (error == errors[i])
			return true;
	}
	return false;
}
