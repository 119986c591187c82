/* SPDX-License-Identifier: ISC */
/*
 * Promises: every byte read is written, in order, or the cut is made visible;
 * sleeps whenever nothing can move. Must not: look at the bytes, allocate.
 *
 * Four ends and two flows, each of which waits for its `in` while it has
 * nothing, and for its `out` while it has something. A flow begins by copying
 * through its buffer; one that proves to be bulk goes on in the kernel.
 */
#include "net/relay.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

/*
 * One read of so much makes a flow bulk. Small messages are cheaper to copy,
 * and most flows never need a pipe.
 */
#ifndef RELAY_BULK_READ
#define RELAY_BULK_READ 16384
#endif

/* A read of what may still turn out to be small messages. */
#define COPY_SIZE 65536
/* A larger pipe would save CPU (a quarter at twice the size), and use up sooner
 * what a user may have of them (fs.pipe-user-pages-soft). */
#define PIPE_SIZE 262144

/* Two descriptors to poll for each flow. */
enum { UP_IN, UP_OUT, DOWN_IN, DOWN_OUT, FDS };

void
relay_init(struct relay *relay, struct io_end *client_in,
    struct io_end *client_out, struct io_end *target,
    const struct io_buffer *up, const struct io_buffer *down)
{
	*relay = (struct relay){
	    .up = {.in = client_in, .out = target, .buffer = *up},
	    .down = {.in = target, .out = client_out, .buffer = *down},
	};
}

static bool
is_empty(const struct io_buffer *buffer)
{
	return buffer->start == buffer->end;
}

/* Whether the next thing to happen is that `out` takes something. */
static bool
is_waiting(const struct relay_flow *flow)
{
	return flow->piped > 0 || flow->blocked || !is_empty(&flow->buffer);
}

/* What to wait for; a descriptor that has nothing to say is left out. */
static void
set_poll_events(
    const struct relay_flow *flow, struct pollfd *in, struct pollfd *out)
{
	bool waiting = is_waiting(flow);

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

/* From now on by splice(2), or in larger pieces where there is no pipe. */
static void
turn_to_bulk(struct relay_flow *flow)
{
	io_no_sleep(flow->in);
	io_no_sleep(flow->out);
	if (flow->in->kind == IO_PIPE || flow->out->kind == IO_PIPE)
		flow->way = RELAY_DIRECT;
	else if (io_pipe_open(flow->pipe, PIPE_SIZE) == 0)
		flow->way = RELAY_SPLICE;
	else
		flow->way = RELAY_COPY_BIG;
}

static void
leave_splicing(struct relay_flow *flow)
{
	if (flow->way == RELAY_SPLICE) {
		close(flow->pipe[0]);
		close(flow->pipe[1]);
		flow->piped = 0;
	}
	flow->way = RELAY_COPY_BIG;
}

/* Reads into the buffer: 0, or -errno when `in` broke. */
static int
copy_in(struct relay_flow *flow)
{
	struct io_buffer *buffer = &flow->buffer;
	size_t size = flow->way == RELAY_COPY ? COPY_SIZE : IO_BUFFER_SIZE;
	ssize_t n = io_read_now(flow->in, buffer->data, size);

	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0)
		return (int)n;
	buffer->start = 0;
	buffer->end = (size_t)n;
	flow->eof = n == 0;
	if (n >= RELAY_BULK_READ && flow->way == RELAY_COPY)
		turn_to_bulk(flow);
	return 0;
}

/* 0, or -errno when `in` broke. */
static int
take(struct relay_flow *flow, short revents)
{
	ssize_t n;

	if (revents & POLLPRI)
		io_set_oobinline(flow->in);
	if (flow->way != RELAY_SPLICE)
		return copy_in(flow);
	n = io_splice_now(flow->in->fd, flow->pipe[1], PIPE_SIZE);
	if (n > 0)
		flow->piped = (size_t)n;
	/*
	 * It stops before urgent data for good, even with an end of file where
	 * one follows later. A read knows.
	 */
	else if (n == 0 || n == -EAGAIN)
		return copy_in(flow);
	else if (n == -EINVAL)
		leave_splicing(flow); /* not a kind that it knows */
	else if (n != -EINTR)
		return (int)n;
	return 0;
}

/* 0, or -errno when `out` broke. */
static int
give(struct relay_flow *flow)
{
	struct io_buffer *buffer = &flow->buffer;
	ssize_t n;

	if (flow->piped > 0)
		n = io_splice_now(flow->pipe[0], flow->out->fd, flow->piped);
	else
		n = io_write_now(flow->out, buffer->data + buffer->start,
		    buffer->end - buffer->start);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0)
		return (int)n;
	flow->total += n;
	if (flow->piped > 0)
		flow->piped -= (size_t)n;
	else
		buffer->start += (size_t)n;
	return 0;
}

static void
break_off(struct relay_flow *flow)
{
	flow->broken = flow->done = true;
}

/*
 * From side to side, without a place in between. Nothing tells which of the two
 * could not: then it is `out` that is waited for first. 0, or -errno when `in`
 * broke.
 */
static int
pass(struct relay_flow *flow, short in, short out)
{
	bool blocked = flow->blocked;
	ssize_t n;

	if (!in && !(blocked && out))
		return 0;
	if (in & POLLPRI)
		io_set_oobinline(flow->in);
	n = io_splice_now(flow->in->fd, flow->out->fd, PIPE_SIZE);
	flow->blocked = n == -EAGAIN && !blocked;
	if (n > 0) {
		flow->total += n;
	} else if (n == 0 || (n == -EAGAIN && blocked)) {
		return copy_in(flow); /* see take() */
	} else if (n == -EAGAIN) {
		return 0;
	} else if (n == -EINVAL) {
		leave_splicing(flow);
	} else if (n == -EPIPE || flow->in->kind == IO_PIPE) {
		break_off(flow);
	} else if (n != -EINTR) {
		return (int)n;
	}
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
	bool direct = flow->way == RELAY_DIRECT && is_empty(&flow->buffer);
	int rc = 0;

	if (flow->done)
		return 0;
	if (direct)
		rc = pass(flow, in, out);
	else if (in)
		rc = take(flow, in);
	if (rc < 0)
		return rc;
	if (flow->piped > 0 || !is_empty(&flow->buffer)) {
		if ((in || out) && give(flow) < 0)
			break_off(flow);
	} else if (out & POLLERR) {
		break_off(flow);
	} else if (out & POLLHUP) {
		flow->hung = true;
	}
	if (flow->eof && !flow->done && !is_waiting(flow)) {
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
	       is_waiting(&relay->up);
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
		set_poll_events(up, &fds[UP_IN], &fds[UP_OUT]);
		set_poll_events(down, &fds[DOWN_IN], &fds[DOWN_OUT]);
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
	leave_splicing(up);
	leave_splicing(down);
	return end;
}
