/* SPDX-License-Identifier: ISC */
/*
 * Promises: every byte read is written, in order, or the cut is made visible;
 * sleeps whenever nothing can move.
 *
 * Four ends and two flows, each of which waits for its `in` while it has
 * nothing, and for its `out` while it has something.
 */
#include "net/relay.h"
#include "base/tcp.h"

#include <errno.h>
#include <poll.h>

/*
 * One direction is over and has arrived, and nobody reads the other one: its
 * sender has so long to end by itself. A reset could keep it from reading.
 */
#define SETTLE_MS 2000

/* Of struct relay_pipes: how long an end of file is doubted. */
#define VANISH_MS 100

/* How often it is looked whether bytes have arrived, which nothing reports. */
#define ARRIVE_MS 50

/*
 * Of a program: how long after its end of file it may still turn out to have
 * been killed; and how long it may take to leave once it has nothing to do.
 */
#define PROGRAM_MS 500
#define LEAVE_MS   10000

/* Two descriptors to poll for each flow, and the program's end. */
enum { UP_IN, UP_OUT, DOWN_IN, DOWN_OUT, PROGRAM, FDS };

void
relay_init(struct relay *relay, const struct relay_ends *ends,
    const struct io_buffer *up, const struct io_buffer *down)
{
	*relay = (struct relay){.end = LOG_END_ERROR};
	flow_init(&relay->up, ends->client_in, ends->target_out, up);
	flow_init(&relay->down, ends->target_in, ends->client_out, down);
	tcp_reset_on_close(ends->target_out);
	tcp_reset_on_close(ends->client_out);
	if (ends->client_out->kind != IO_TCP)
		tcp_reset_on_close(ends->client_in);
}

/* Who reads it has reset the connection, and not only ended before. */
static bool
was_reset(const struct flow *flow)
{
	return flow->out->kind == IO_TCP && flow->broken &&
	       flow->broken != EPIPE;
}

/*
 * A client that reset its connection wants nothing delivered any more; don't
 * wait for a target that takes nothing. What a target sent before its reset
 * may be the whole answer, so a client is given the time to take it.
 */
static bool
is_abandoned(const struct relay *relay, short out)
{
	const struct flow *down = &relay->down;
	int error = 0;

	if (relay->pipes.vanish && down->gone)
		return !relay->up.over;
	if (!was_reset(down) && out & POLLERR && down->out->kind == IO_TCP)
		error = io_error(down->out);
	return was_reset(down) || (error && error != EPIPE);
}

/* One round of moving; false: it was the last, and relay->end says why. */
static bool
move(struct relay *relay, const struct pollfd fds[FDS])
{
	struct flow *up = &relay->up, *down = &relay->down;
	bool first = !up->eof && !down->eof;

	if (flow_move(up, fds[UP_IN].revents, fds[UP_OUT].revents) < 0) {
		relay->end = LOG_END_CLIENT_RESET;
		return false;
	}
	if (first && up->eof)
		relay->end = LOG_END_CLIENT_EOF;
	/* A write was told of the reset; a read would see an end of file. */
	down->cut = was_reset(up);
	if (flow_move(down, fds[DOWN_IN].revents, fds[DOWN_OUT].revents) < 0) {
		relay->end = LOG_END_TARGET_RESET;
		return false;
	}
	if (first && !up->eof && down->eof)
		relay->end = LOG_END_TARGET_EOF;
	if (is_abandoned(relay, fds[DOWN_OUT].revents)) {
		relay->end = LOG_END_CLIENT_RESET;
		return false;
	}
	return true;
}

/* When an end of file is believed; 0: at once. */
static int64_t
doubt_until(const struct relay *relay, const struct flow *flow)
{
	const struct program *program = relay->program;
	bool is_up = flow == &relay->up;

	if (!flow->eof || flow->over)
		return 0;
	if (is_up && relay->pipes.vanish && !relay->down.over)
		return flow->eof_ms + VANISH_MS;
	if (!is_up && program && program_failed(program))
		return INT64_MAX;
	if (!is_up && program && !program->ended)
		return flow->eof_ms + PROGRAM_MS;
	return 0;
}

static void
pass_end_on(const struct relay *relay, struct flow *flow)
{
	if (flow->eof && flow->eof_ms == 0)
		flow->eof_ms = relay->now_ms;
	if (flow_is_to_end(flow) && relay->now_ms >= doubt_until(relay, flow))
		flow_end(flow);
}

/*
 * The target has ended, and the client can only be told by our end: when that
 * is due, unless it says something; 0: it isn't so.
 */
static int64_t
last_word_until(const struct relay *relay)
{
	const struct flow *up = &relay->up, *down = &relay->down;

	if (!relay->pipes.patience_ms || !down->over || up->over ||
	    flow_is_waiting(up))
		return 0;
	return (relay->quiet_ms > down->eof_ms ? relay->quiet_ms
					       : down->eof_ms) +
	       relay->pipes.patience_ms;
}

/* It has ended; what it wrote is in its pipe, which others may hold open. */
static bool
has_program_left(const struct relay *relay)
{
	const struct flow *down = &relay->down;

	return relay->program && relay->program->ended && !down->eof &&
	       !flow_is_waiting(down) && relay->now_ms >= down->due_ms;
}

/* Bytes of a direction that is over which are still under way. */
static int64_t
under_way(const struct relay *relay)
{
	const struct flow *up = &relay->up, *down = &relay->down;

	return (up->over ? tcp_unsent(up->out) : 0) +
	       (down->over ? tcp_unsent(down->out) : 0);
}

/* One direction is over, and nobody reads the other one any more. */
static bool
is_settling(const struct relay *relay)
{
	const struct flow *up = &relay->up, *down = &relay->down;

	return (up->over && !down->over && down->gone) ||
	       (down->over && !up->over && up->gone);
}

/* Of a direction that is over, and nobody reads the other one. */
static bool
has_settled(struct relay *relay)
{
	int64_t left = under_way(relay);

	relay->now_ms = io_now_ms();
	if (left != relay->left)
		relay->moved_ms = relay->now_ms;
	relay->left = left;
	if (left > 0)
		return false;
	if (relay->settled_ms == 0)
		relay->settled_ms = relay->now_ms + SETTLE_MS;
	return (relay->up.eof && relay->down.eof) ||
	       relay->now_ms >= relay->settled_ms;
}

/* Whether nothing more can come of it; relay->end says what it came to. */
static bool
is_finished(struct relay *relay)
{
	const struct flow *up = &relay->up, *down = &relay->down;
	struct program *program = relay->program;

	if (program && program_failed(program) && down->eof &&
	    !flow_is_waiting(down)) {
		relay->end = LOG_END_UPSTREAM;
		return true;
	}
	if (is_settling(relay)
		? !has_settled(relay)
		: !(up->over || up->broken) || !(down->over || down->broken))
		return false;
	if (down->broken)
		relay->end = LOG_END_CLIENT_RESET;
	else if (up->broken)
		relay->end = LOG_END_TARGET_RESET;
	else if (program && !program->ended && up->over && down->over) {
		if (relay->over_ms == 0)
			relay->over_ms = relay->now_ms;
		return relay->now_ms >= relay->over_ms + LEAVE_MS;
	}
	return true;
}

/*
 * When the next thing is due that no descriptor reports; 0: never. To be held
 * back by a rate is not to be idle.
 */
static int64_t
next_ms(struct relay *relay)
{
	int64_t now = relay->now_ms;
	int64_t up = relay->up.due_ms, down = relay->down.due_ms, next;

	next = io_earlier(up > now ? up : 0, down > now ? down : 0);
	relay->idle_end_ms = 0;
	if (next != 0)
		relay->moved_ms = now;
	else if (relay->idle_ms)
		relay->idle_end_ms = relay->moved_ms + relay->idle_ms;
	next = io_earlier(next, doubt_until(relay, &relay->up));
	next = io_earlier(next, doubt_until(relay, &relay->down));
	next = io_earlier(next, last_word_until(relay));
	if (has_program_left(relay))
		next = now;
	else if (relay->program && relay->program->pidfd < 0)
		next = io_earlier(next, now + ARRIVE_MS);
	if (relay->over_ms)
		next = io_earlier(next, relay->over_ms + LEAVE_MS);
	if (is_settling(relay))
		next = io_earlier(next,
		    relay->settled_ms ? relay->settled_ms : now + ARRIVE_MS);
	return io_earlier(next, relay->idle_end_ms);
}

/* Asks for the time only where there is something to be timed. */
static void
look_at_clock(struct relay *relay)
{
	if (relay->idle_ms || relay->up.rate || relay->down.rate ||
	    relay->pipes.vanish || relay->program || is_settling(relay))
		relay->now_ms = io_now_ms();
}

/* `empty`: there was nothing in its pipe just now. */
static void
look_at_program(struct relay *relay, bool empty)
{
	if (has_program_left(relay) && empty) {
		relay->down.eof = true;
		if (!relay->up.eof)
			relay->end = LOG_END_TARGET_EOF;
	}
	program_has_ended(relay->program);
}

/* Waits, and moves what can be moved; false: relay->end says why no more. */
static bool
take_turn(struct relay *relay)
{
	struct flow *up = &relay->up, *down = &relay->down;
	struct pollfd fds[FDS] = {
	    [PROGRAM] = {.fd = -1, .events = POLLIN},
	};
	int n;

	look_at_clock(relay);
	flow_interest(up, relay->now_ms, &fds[UP_IN], &fds[UP_OUT]);
	flow_interest(down, relay->now_ms, &fds[DOWN_IN], &fds[DOWN_OUT]);
	if (relay->program)
		fds[PROGRAM].fd = relay->program->pidfd;
	n = poll(fds, FDS, io_time_left(next_ms(relay), relay->now_ms));
	look_at_clock(relay);
	if (relay->program &&
	    (fds[PROGRAM].revents || relay->program->pidfd < 0))
		look_at_program(relay,
		    n >= 0 && fds[DOWN_IN].fd >= 0 && !fds[DOWN_IN].revents);
	if (n > 0) {
		relay->moved_ms = relay->now_ms;
		if (fds[UP_IN].revents)
			relay->quiet_ms = relay->now_ms;
		return move(relay, fds);
	}
	if (n < 0 && errno != EINTR)
		relay->end = LOG_END_ERROR;
	else if (n == 0 && relay->idle_end_ms &&
		 relay->now_ms >= relay->idle_end_ms)
		relay->end = LOG_END_IDLE;
	else
		return true;
	return false;
}

/* Until there is nothing more to be done; relay->end says why. */
static void
carry(struct relay *relay)
{
	int64_t last;
	int rc;

	while ((rc = signals_interrupted()) == 0 && take_turn(relay)) {
		last = last_word_until(relay);
		/* Where the target has ended, a client's end is believed. */
		pass_end_on(relay, &relay->down);
		pass_end_on(relay, &relay->up);
		if (last && relay->now_ms >= last)
			flow_end(&relay->up);
		if (is_finished(relay))
			return;
	}
	if (rc < 0)
		relay->end =
		    rc == -ETIMEDOUT ? LOG_END_LIFETIME : LOG_END_TERMINATED;
}

enum log_end
relay_run(struct relay *relay, int64_t idle_ms)
{
	struct flow *up = &relay->up, *down = &relay->down;
	int64_t until;

	relay->idle_ms = idle_ms;
	look_at_clock(relay);
	relay->moved_ms = relay->now_ms;
	io_no_wait(up->in);
	io_no_wait(down->out);
	carry(relay);
	if (relay->end == LOG_END_CLIENT_EOF ||
	    relay->end == LOG_END_TARGET_EOF) {
		tcp_close_in_order(up->out);
		tcp_close_in_order(down->out);
		if (down->out->kind != IO_TCP)
			tcp_close_in_order(up->in);
	} else {
		if (relay->program)
			program_stop(relay->program);
		until = io_now_ms() + SETTLE_MS;
		while (under_way(relay) > 0 && io_now_ms() < until)
			poll(NULL, 0, ARRIVE_MS);
	}
	flow_close(up);
	flow_close(down);
	return relay->end;
}
