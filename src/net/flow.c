/* SPDX-License-Identifier: ISC */
/*
 * Promises: every byte read is written, in order. Must not: look at the bytes,
 * wait, allocate, or read while bytes wait to be written.
 *
 * A flow begins by copying through its buffer; one that proves to be bulk goes
 * on in the kernel.
 */
#include "net/flow.h"

#include <errno.h>
#include <unistd.h>

/*
 * One read of so much makes a flow bulk. Small messages are cheaper to copy,
 * and most flows never need a pipe.
 */
#ifndef FLOW_BULK_READ
#define FLOW_BULK_READ 16384
#endif

/* A read of what may still turn out to be small messages. */
#define COPY_SIZE 65536
/* A larger pipe would save CPU (a quarter at twice the size), and use up sooner
 * what a user may have of them (fs.pipe-user-pages-soft). */
#define PIPE_SIZE 262144

/*
 * What a rate allows in a second is read in so many pieces; a piece that came
 * late may be made good with the next one.
 */
#define RATE_PIECES  20
#define RATE_LATE_NS 50000000

void
flow_init(struct flow *flow, struct io_end *in, struct io_end *out,
    const struct io_buffer *buffer)
{
	*flow = (struct flow){.in = in, .out = out, .buffer = *buffer};
}

static bool
is_empty(const struct io_buffer *buffer)
{
	return buffer->start == buffer->end;
}

bool
flow_is_waiting(const struct flow *flow)
{
	return flow->piped > 0 || flow->blocked || !is_empty(&flow->buffer);
}

/* --- rate ----------------------------------------------------------------- */

static size_t
allowance(const struct flow *flow, size_t size)
{
	uint64_t piece = flow->rate / RATE_PIECES + 1;

	return flow->rate && piece < size ? (size_t)piece : size;
}

/* So many bytes were read. */
static void
charge(struct flow *flow, size_t len)
{
	int64_t now_ns;

	if (flow->rate == 0)
		return;
	now_ns = io_now_ms() * 1000000;
	if (flow->spent_ns < now_ns - RATE_LATE_NS)
		flow->spent_ns = now_ns - RATE_LATE_NS;
	flow->spent_ns += (int64_t)(len * UINT64_C(1000000000) / flow->rate);
	flow->due_ms =
	    flow->spent_ns > now_ns ? flow->spent_ns / 1000000 + 1 : 0;
}

void
flow_limit(struct flow *flow, uint64_t bytes_per_s)
{
	flow->rate = bytes_per_s;
	flow->spent_ns = io_now_ms() * 1000000;
	charge(flow, flow->buffer.end - flow->buffer.start);
}

/* --- moving --------------------------------------------------------------- */

void
flow_interest(const struct flow *flow, int64_t now_ms, struct pollfd *in,
    struct pollfd *out)
{
	bool waiting = flow_is_waiting(flow);

	*in = (struct pollfd){.fd = -1};
	*out = *in;
	if (flow->over)
		return;
	if (!flow->eof && !waiting && now_ms >= flow->due_ms)
		*in = (struct pollfd){.fd = flow->in->fd, .events = POLLIN};
	/* With no events asked for, poll still reports POLLERR, POLLHUP. */
	if (!flow->broken && (waiting || !flow->gone))
		*out = (struct pollfd){
		    .fd = flow->out->fd,
		    .events = waiting ? POLLOUT : 0,
		};
}

/* From now on by splice(2), or in larger pieces where there is no pipe. */
static void
turn_to_bulk(struct flow *flow)
{
	io_no_sleep(flow->in);
	io_no_sleep(flow->out);
	if (flow->in->kind == IO_PIPE || flow->out->kind == IO_PIPE)
		flow->way = FLOW_DIRECT;
	else if (io_pipe_open(flow->pipe, PIPE_SIZE) == 0)
		flow->way = FLOW_SPLICE;
	else
		flow->way = FLOW_COPY_BIG;
}

static void
leave_splicing(struct flow *flow)
{
	if (flow->way == FLOW_SPLICE) {
		close(flow->pipe[0]);
		close(flow->pipe[1]);
		flow->piped = 0;
	}
	flow->way = FLOW_COPY_BIG;
}

/* Reads into the buffer: 0, or -errno when `in` broke. */
static int
copy_in(struct flow *flow)
{
	struct io_buffer *buffer = &flow->buffer;
	size_t size = flow->way == FLOW_COPY ? COPY_SIZE : IO_BUFFER_SIZE;
	ssize_t n = io_read_now(flow->in, buffer->data, allowance(flow, size));

	if (n == -EAGAIN || n == -EINTR)
		return 0;
	/* Who closes it with bytes unread causes that, behind his last byte. */
	if (n == -ECONNRESET && io_is_unix(flow->in))
		n = 0;
	if (n == 0 && flow->cut)
		n = -ECONNRESET;
	if (n < 0)
		return (int)n;
	charge(flow, (size_t)n);
	buffer->start = 0;
	buffer->end = (size_t)n;
	flow->eof = n == 0;
	if (n >= FLOW_BULK_READ && flow->way == FLOW_COPY)
		turn_to_bulk(flow);
	return 0;
}

/*
 * A read knows what splice(2) may mean by this: it stops before urgent data
 * for good, even with an end of file where one follows later.
 */
static bool
is_for_a_read(const struct flow *flow, ssize_t n)
{
	return n == 0 || n == -EAGAIN ||
	       (n == -ECONNRESET && io_is_unix(flow->in));
}

/* 0, or -errno when `in` broke. */
static int
take(struct flow *flow)
{
	ssize_t n;

	if (flow->way != FLOW_SPLICE)
		return copy_in(flow);
	n = io_splice_now(
	    flow->in->fd, flow->pipe[1], allowance(flow, PIPE_SIZE));
	if (n > 0) {
		flow->piped = (size_t)n;
		charge(flow, (size_t)n);
	} else if (n == -EINVAL) {
		leave_splicing(flow); /* not a kind that it knows */
	} else if (is_for_a_read(flow, n)) {
		return copy_in(flow);
	} else if (n != -EINTR) {
		return (int)n;
	}
	return 0;
}

static void
break_off(struct flow *flow, int error)
{
	flow->gone = true;
	flow->broken = error;
	flow->blocked = false;
	flow->buffer.start = flow->buffer.end = 0;
	leave_splicing(flow);
}

static void
give(struct flow *flow)
{
	struct io_buffer *buffer = &flow->buffer;
	ssize_t n;

	if (flow->piped > 0)
		n = io_splice_now(flow->pipe[0], flow->out->fd, flow->piped);
	else
		n = io_write_now(flow->out, buffer->data + buffer->start,
		    buffer->end - buffer->start);
	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n < 0) {
		break_off(flow, (int)-n);
		return;
	}
	flow->total += n;
	if (flow->piped > 0)
		flow->piped -= (size_t)n;
	else
		buffer->start += (size_t)n;
}

/*
 * From side to side, without a place in between. Nothing tells which of the two
 * could not: then it is `out` that is waited for first. 0, or -errno when `in`
 * broke.
 */
static int
pass(struct flow *flow, short in, short out)
{
	bool blocked = flow->blocked;
	ssize_t n;

	if (!in && !(blocked && out))
		return 0;
	n = io_splice_now(
	    flow->in->fd, flow->out->fd, allowance(flow, PIPE_SIZE));
	flow->blocked = n == -EAGAIN && !blocked;
	if (n > 0) {
		flow->total += n;
		charge(flow, (size_t)n);
	} else if (n == -EINVAL) {
		leave_splicing(flow);
	} else if (flow->blocked) {
		return 0;
	} else if (is_for_a_read(flow, n)) {
		return copy_in(flow);
	} else if (n == -EPIPE || flow->in->kind == IO_PIPE) {
		break_off(flow, (int)-n);
	} else if (n != -EINTR) {
		return (int)n;
	}
	return 0;
}

int
flow_move(struct flow *flow, short in, short out)
{
	bool direct = flow->way == FLOW_DIRECT && is_empty(&flow->buffer);
	int rc = 0;

	if (flow->over)
		return 0;
	if (direct)
		rc = pass(flow, in, out);
	else if (in)
		rc = take(flow);
	if (rc < 0)
		return rc;
	if (flow->broken)
		flow->buffer.start = flow->buffer.end = 0;
	else if (flow->piped > 0 || !is_empty(&flow->buffer)) {
		if (in || out)
			give(flow);
	} else if (out & (POLLERR | POLLHUP)) {
		flow->gone = true;
	}
	return 0;
}

bool
flow_is_to_end(const struct flow *flow)
{
	return flow->eof && !flow->over && !flow->broken &&
	       !flow_is_waiting(flow);
}

void
flow_end(struct flow *flow)
{
	io_shut_write(flow->out);
	flow->over = true;
}

void
flow_close(struct flow *flow)
{
	leave_splicing(flow);
}
