/*
 * Promises: every byte read is written, in order, or the cut is made visible;
 * sleeps whenever nothing can move. Must not: look at the bytes, allocate.
 */
#include "relay.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

/* Two descriptors to poll for each flow. */
enum { UP_IN, UP_OUT, DOWN_IN, DOWN_OUT, FDS };

void
relay_init(struct relay *relay, struct io_end *client_in,
    struct io_end *client_out, struct io_end *target, struct io_buffer *up,
    struct io_buffer *down)
{
	*relay = (struct relay){
	    .up = {.in = client_in, .out = target, .buffer = up},
	    .down = {.in = target, .out = client_out, .buffer = down},
	};
}

static bool
is_empty(const struct io_buffer *buffer)
{
	return buffer->start == buffer->end;
}

/* What to wait for; a descriptor that has nothing to say is left out. */
static void
set_interest(
    const struct relay_flow *flow, struct pollfd *in, struct pollfd *out)
{
	bool waiting = !is_empty(flow->buffer);

	*in = (struct pollfd){.fd = -1};
	*out = *in;
	if (flow->done)
		return;
	if (!flow->eof && !waiting)
		*in = (struct pollfd){
		    .fd = flow->in->fd,
		    .events = POLLIN | POLLPRI,
		};
	/* With no events asked for, poll still reports POLLERR, POLLHUP. */
	if (waiting || !flow->hung)
		*out = (struct pollfd){
		    .fd = flow->out->fd,
		    .events = waiting ? POLLOUT : 0,
		};
}

/* 0, or -errno when `in` broke. */
static int
take(struct relay_flow *flow, short revents)
{
	struct io_buffer *buffer = flow->buffer;
	ssize_t n;

	if (revents & POLLPRI)
		io_set_oobinline(flow->in);
	n = io_read_now(flow->in, buffer->data, sizeof(buffer->data));
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0)
		return (int)n;
	buffer->start = 0;
	buffer->end = (size_t)n;
	flow->eof = n == 0;
	return 0;
}

/* 0, or -errno when `out` broke. */
static int
give(struct relay_flow *flow)
{
	struct io_buffer *buffer = flow->buffer;
	ssize_t n;

	n = io_write_now(flow->out, buffer->data + buffer->start,
	    buffer->end - buffer->start);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0)
		return (int)n;
	buffer->start += (size_t)n;
	flow->total += n;
	return 0;
}

/*
 * Moves what can be moved. 0, or -errno when `in` broke. When it is `out` that
 * broke, the flow is done and marked; whether the other one can still bring
 * something, a last answer for example, is for the caller to see.
 */
static int
pump(struct relay_flow *flow, short in, short out)
{
	int rc;

	if (flow->done)
		return 0;
	if (in && (rc = take(flow, in)) < 0)
		return rc;
	if (!is_empty(flow->buffer)) {
		if ((in || out) && give(flow) < 0)
			flow->broken = flow->done = true;
	} else if (out & POLLERR) {
		flow->broken = flow->done = true;
	} else if (out & POLLHUP) {
		flow->hung = true;
	}
	if (flow->eof && !flow->done && is_empty(flow->buffer)) {
		io_shut_write(flow->out);
		flow->done = true;
	}
	return 0;
}

/*
 * A client that reset its connection wants nothing delivered any more; don't
 * wait for a target that takes nothing. What a target sent before its reset
 * may be the whole answer, so a client is given the time to take it.
 */
static bool
is_abandoned(const struct relay *relay)
{
	return relay->down.broken && relay->down.out->kind == IO_TCP &&
	       !is_empty(relay->up.buffer);
}

/* One round of moving; false when it was the last, and *end says why. */
static bool
move(struct relay *relay, const struct pollfd fds[FDS], enum log_end *end)
{
	struct relay_flow *up = &relay->up, *down = &relay->down;
	bool first = !up->eof && !down->eof;

	if (pump(up, fds[UP_IN].revents, fds[UP_OUT].revents) < 0) {
		*end = LOG_END_CLIENT_RESET;
		return false;
	}
	if (first && up->eof)
		*end = LOG_END_CLIENT_EOF;
	if (pump(down, fds[DOWN_IN].revents, fds[DOWN_OUT].revents) < 0) {
		*end = LOG_END_TARGET_RESET;
		return false;
	}
	if (first && !up->eof && down->eof)
		*end = LOG_END_TARGET_EOF;

	if ((!up->done || !down->done) && !is_abandoned(relay))
		return true;
	if (down->broken)
		*end = LOG_END_CLIENT_RESET;
	else if (up->broken)
		*end = LOG_END_TARGET_RESET;
	return false;
}

static int
poll_timeout(int64_t idle_ms)
{
	if (idle_ms == 0)
		return -1;
	return idle_ms < INT_MAX ? (int)idle_ms : INT_MAX;
}

enum log_end
relay_run(struct relay *relay, int64_t idle_ms)
{
	struct relay_flow *up = &relay->up, *down = &relay->down;
	int timeout = poll_timeout(idle_ms);
	enum log_end end = LOG_END_ERROR;
	struct pollfd fds[FDS];
	int n, rc;

	io_no_wait(up->in);
	io_no_wait(down->out);
	while ((rc = io_interrupted()) == 0) {
		set_interest(up, &fds[UP_IN], &fds[UP_OUT]);
		set_interest(down, &fds[DOWN_IN], &fds[DOWN_OUT]);
		n = poll(fds, FDS, timeout);
		if (n > 0 && !move(relay, fds, &end))
			break;
		if (n == 0) {
			end = LOG_END_IDLE;
			break;
		}
		if (n < 0 && errno != EINTR) {
			end = LOG_END_ERROR;
			break;
		}
	}
	if (rc < 0)
		end = rc == -ETIMEDOUT ? LOG_END_LIFETIME : LOG_END_TERMINATED;

	if (end != LOG_END_CLIENT_EOF && end != LOG_END_TARGET_EOF) {
		io_reset_on_close(down->out);
		io_reset_on_close(up->in);
		io_reset_on_close(up->out);
	}
	return end;
}
