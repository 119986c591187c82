/* SPDX-License-Identifier: ISC */
#include "net/dial.h"
#include "base/tcp.h"
#include "net/sockopt.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Not every libc has these, nor goes together with <linux/mptcp.h>. */
#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif
#ifndef MPTCP_INFO
#define MPTCP_INFO 1
#endif

/* Connection Attempt Delay, RFC 8305 section 5 */
#define ATTEMPT_DELAY_MS 250

/* fds[0] is the client; fds[1 + i] the attempt at address i, -1 if none. */
struct attempts {
	const struct addr_list *list;
	const struct terms *terms;
	bool mptcp; /* still to be asked for */
	size_t started, pending;
	struct failure worst; /* so far */
	struct pollfd fds[1 + ADDR_LIST_MAX];
};

/* Whether the kernel knows no Multipath TCP, or is told to do without. */
static bool
lacks_mptcp(const struct failure *failure)
{
	int error = failure->cause.error;

	return failure->outcome == OUTCOME_SYSTEM &&
	       (error == EPROTONOSUPPORT || error == ENOPROTOOPT ||
		   error == EINVAL);
}

/* A socket as the terms want it, or -1 and a failure. */
static int
open_attempt(struct attempts *try, sa_family_t family, struct failure *failure)
{
	struct io_end end = {.fd = -1, .kind = IO_TCP};

	if (try->mptcp) {
		end.fd = sockopt_open(
		    try->terms, family, SOCK_STREAM, IPPROTO_MPTCP, failure);
		try->mptcp = end.fd >= 0 || !lacks_mptcp(failure);
	}
	if (!try->mptcp)
		end.fd =
		    sockopt_open(try->terms, family, SOCK_STREAM, 0, failure);
	if (end.fd < 0)
		return -1;
	tcp_set_oobinline(&end);
	if (try->terms->rate)
		tcp_set_rate(&end, try->terms->rate);
	return end.fd;
}

/* Begins the next attempt; one that fails at once only leaves its failure. */
static void
start_next(struct attempts *try)
{
	const union addr *addr = &try->list->at[try->started];
	struct pollfd *slot = &try->fds[1 + try->started++];
	struct failure failure;
	int fd;

	*slot = (struct pollfd){.fd = -1, .events = POLLOUT};
	fd = open_attempt(try, addr->sa.sa_family, &failure);
	if (fd >= 0 && (connect(fd, &addr->sa, addr_len(addr)) == 0 ||
			   errno == EINPROGRESS)) {
		slot->fd = fd;
		try->pending++;
		return;
	}
	if (fd >= 0) {
		failure_of_connect(&failure, errno);
		close(fd);
	}
	failure_keep_worse(&try->worst, &failure);
}

/* Why an attempt that is decided failed; 0 when it is connected. */
static int
error_of(const struct pollfd *slot, const union addr *addr, union addr *bound)
{
	int fd = slot->fd, error = 0;
	socklen_t len = sizeof(error);

	/* Where it failed, poll has reported POLLERR as well. */
	if (slot->revents != POLLOUT &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error)
		return error;
	len = sizeof(*bound);
	if (getsockname(fd, &bound->sa, &len) < 0)
		return errno;
	/*
	 * Nobody listens on a port of ours, and the kernel happened to choose
	 * just that one for us: we are connected to ourselves.
	 */
	return addr_equal(addr, bound) ? ECONNREFUSED : 0;
}

/* No such option where the kernel went back to TCP. */
static bool
is_multipath(int fd)
{
	uint8_t scrap;
	socklen_t len = sizeof(scrap);

	return getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &scrap, &len) == 0;
}

/* Looks at the attempts that poll reported; true when one has won. */
static bool
harvest(struct attempts *try, struct dial_result *out)
{
	for (size_t i = 0; i < try->started; i++) {
		struct pollfd *slot = &try->fds[1 + i];
		struct failure failure;
		union addr bound;
		int error;

		if (slot->fd < 0 || !slot->revents)
			continue;
		error = error_of(slot, &try->list->at[i], &bound);
		if (error == 0) {
			*out = (struct dial_result){
			    .fd = slot->fd,
			    .address = try->list->at[i],
			    .bound = bound,
			    .mptcp = try->mptcp && is_multipath(slot->fd),
			};
			slot->fd = -1;
			return true;
		}
		failure_of_connect(&failure, error);
		failure_keep_worse(&try->worst, &failure);
		close(slot->fd);
		slot->fd = -1;
		try->pending--;
	}
	return false;
}

/* One round: 1 connected, 0 to go on, -1 all have failed or the client left. */
static int
await_attempts(struct attempts *try, bool *start, struct dial_result *out)
{
	bool more = try->started < try->list->count;
	size_t pending;
	int n;

	while (more && (*start || try->pending == 0)) {
		size_t before = try->pending;

		start_next(try);
		*start = try->pending == before;
		more = try->started < try->list->count;
	}
	if (try->pending == 0)
		return -1;

	n = poll(try->fds, 1 + try->started, more ? ATTEMPT_DELAY_MS : -1);
	if (n < 0)
		return 0; /* a signal; the caller looks */
	if (try->fds[0].revents) {
		failure_set(&try->worst, OUTCOME_CLIENT_LEFT, 0, NULL);
		return -1;
	}
	pending = try->pending;
	if (harvest(try, out))
		return 1;
	*start = n == 0 || try->pending < pending;
	return 0;
}

enum outcome
dial(const struct addr_list *list, const struct terms *terms, bool mptcp,
    const struct io_end *client, struct dial_result *out,
    struct failure *failure)
{
	struct attempts try;
	struct failure interruption;
	bool start = true;
	int rc = 0;

	try.list = list;
	try.terms = terms;
	try.mptcp = mptcp && terms->rate == 0;
	try.started = try.pending = 0;
	try.worst.outcome = OUTCOME_DONE;
	try.fds[0] = (struct pollfd){.fd = client->fd, .events = 0};

	while (rc == 0 && failure_of_interruption(&interruption,
			      OUTCOME_CONNECT_TIMEOUT) == OUTCOME_DONE)
		rc = await_attempts(&try, &start, out);
	for (size_t i = 0; i < try.started; i++) {
		if (try.fds[1 + i].fd >= 0)
			close(try.fds[1 + i].fd);
	}
	if (rc > 0)
		return OUTCOME_DONE;
	if (rc == 0 && interruption.outcome == OUTCOME_TERMINATED)
		try.worst = interruption;
	else if (rc == 0)
		failure_keep_worse(&try.worst, &interruption);
	else if (list->count == 0)
		failure_set(&try.worst, OUTCOME_NO_SUCH_NAME, 0, NULL);
	*failure = try.worst;
	return failure->outcome;
}
