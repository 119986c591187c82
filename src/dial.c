#include "dial.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connection Attempt Delay, RFC 8305 section 5 */
#define ATTEMPT_DELAY_MS 250

/* fds[0] is the client; fds[1 + i] the attempt at address i, -1 if none. */
struct attempts {
	const struct addr_list *list;
	size_t started, pending;
	int error; /* the most telling so far, as a positive errno */
	struct pollfd fds[1 + ADDR_LIST_MAX];
};

static int
weight(int error)
{
	switch (error) {
	case 0:
		return 0;
	case ECONNREFUSED:
		return 5;
	case EACCES:
	case EPERM:
		return 4;
	case EHOSTUNREACH:
	case ENETUNREACH:
		return 3;
	case ETIMEDOUT:
		return 2;
	default:
		return 1;
	}
}

int
dial_worse(int a, int b)
{
	return weight(b) > weight(a) ? b : a;
}

/* Begins the next attempt; one that fails at once only leaves its error. */
static void
start_next(struct attempts *try)
{
	const union addr *addr = &try->list->at[try->started];
	struct pollfd *slot = &try->fds[1 + try->started++];
	int fd;

	*slot = (struct pollfd){.fd = -1, .events = POLLOUT};
	fd = socket(
	    addr->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		try->error = dial_worse(try->error, errno);
		return;
	}
	if (connect(fd, &addr->sa, addr_len(addr)) < 0 &&
	    errno != EINPROGRESS) {
		try->error = dial_worse(try->error, errno);
		close(fd);
		return;
	}
	slot->fd = fd;
	try->pending++;
}

/* Why an attempt that is decided failed; 0 when it is connected. */
static int
outcome(const struct pollfd *slot, const union addr *addr, union addr *bound)
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

/* Looks at the attempts that poll reported; true when one has won. */
static bool
harvest(struct attempts *try, struct dial_result *out)
{
	for (size_t i = 0; i < try->started; i++) {
		struct pollfd *slot = &try->fds[1 + i];
		union addr bound;
		int error;

		if (slot->fd < 0 || !slot->revents)
			continue;
		error = outcome(slot, &try->list->at[i], &bound);
		if (error == 0) {
			*out = (struct dial_result){
			    .fd = slot->fd,
			    .address = try->list->at[i],
			    .bound = bound,
			};
			slot->fd = -1;
			return true;
		}
		try->error = dial_worse(try->error, error);
		close(slot->fd);
		slot->fd = -1;
		try->pending--;
	}
	return false;
}

/* One round: 0 to go on, 1 connected, or -errno. */
static int
take_turn(struct attempts *try, bool *start, struct dial_result *out)
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
		return -try->error;

	n = poll(try->fds, 1 + try->started, more ? ATTEMPT_DELAY_MS : -1);
	if (n < 0)
		return 0; /* a signal; the caller looks */
	if (try->fds[0].revents)
		return -EPIPE;
	pending = try->pending;
	if (harvest(try, out))
		return 1;
	*start = n == 0 || try->pending < pending;
	return 0;
}

int
dial(const struct addr_list *list, const struct io_end *client,
    struct dial_result *out)
{
	struct attempts try;
	bool start = true;
	int rc;

	try.list = list;
	try.started = try.pending = 0;
	try.error = 0;
	try.fds[0] = (struct pollfd){.fd = client->fd, .events = 0};

	while ((rc = io_interrupted()) == 0) {
		rc = take_turn(&try, &start, out);
		if (rc != 0)
			break;
	}
	for (size_t i = 0; i < try.started; i++) {
		if (try.fds[1 + i].fd >= 0)
			close(try.fds[1 + i].fd);
	}
	if (rc == -ETIMEDOUT)
		return -dial_worse(try.error, ETIMEDOUT);
	return rc > 0 ? 0 : rc;
}
