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
#include <limits.h>
#include <poll.h>

/*
 * Once a direction is over and has arrived, and nobody reads the other one, who
 * wrote that is given so long to end: to be reset may keep him from reading.
 */
#define SETTLE_MS 2000

/* Of struct relay_ssh: how long to wait for the sign, and for a client's word.
 */
#define VANISH_MS 100
#define QUIET_MS  100

/* How often it is looked whether bytes have arrived, which nothing reports. */
#define ARRIVE_MS 50

/* Two descriptors to poll for each flow. */
enum { UP_IN, UP_OUT, DOWN_IN, DOWN_OUT, FDS };

void
relay_init(struct relay *relay, struct io_end *client_in,
    struct io_end *client_out, struct io_end *target,
    const struct io_buffer *up, const struct io_buffer *down)
{
	*relay = (struct relay){.end = LOG_END_ERROR};
	flow_init(&relay->up, client_in, target, up);
	flow_init(&relay->down, target, client_out, down);
	tcp_reset_on_close(target);
	tcp_reset_on_close(client_out);
	if (client_out->kind != IO_TCP)
		tcp_reset_on_close(client_in);
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

	if (relay->ssh.vanishes && down->gone)
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

/* When an end of file of the client's is believed; 0: at once. */
static int64_t
doubt_until(const struct relay *relay)
{
	const struct flow *up = &relay->up;

	if (!relay->ssh.vanishes || !up->eof || up->over || relay->down.over)
		return 0;
	return relay->eof_ms + VANISH_MS;
}

static void
pass_ends_on(struct relay *relay)
{
	struct flow *up = &relay->up, *down = &relay->down;

	if (up->eof && relay->eof_ms == 0)
		relay->eof_ms = relay->now_ms;
	if (flow_is_to_end(up) && relay->now_ms >= doubt_until(relay))
		flow_end(up);
	if (flow_is_to_end(down)) {
		flow_end(down);
		relay->quiet_ms = relay->now_ms;
	}
}

/* The target has ended, and the client can only be told by our end. */
static bool
is_at_last_words(const struct relay *relay)
{
	return relay->ssh.needs_exit && relay->down.over && !relay->up.over &&
	       !flow_is_waiting(&relay->up);
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

/* Whether nothing more can come of it. */
static bool
is_finished(struct relay *relay)
{
	const struct flow *up = &relay->up, *down = &relay->down;
	int64_t left;

	if (is_at_last_words(relay) &&
	    relay->now_ms >= relay->quiet_ms + QUIET_MS)
		flow_end(&relay->up);
	if (!is_settling(relay))
		return (up->over || up->broken) && (down->over || down->broken);
	left = under_way(relay);
	relay->now_ms = io_now_ms();
	if (left != relay->left)
		relay->moved_ms = relay->now_ms;
	relay->left = left;
	if (left > 0)
		return false;
	if (relay->settled_ms == 0)
		relay->settled_ms = relay->now_ms + SETTLE_MS;
	return (up->eof && down->eof) || relay->now_ms >= relay->settled_ms;
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
	next = io_earlier(next, doubt_until(relay));
	if (is_at_last_words(relay))
		next = io_earlier(next, relay->quiet_ms + QUIET_MS);
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
	    relay->ssh.vanishes || is_settling(relay))
		relay->now_ms = io_now_ms();
}

/* For poll. */
static int
time_left(struct relay *relay)
{
	int64_t left = next_ms(relay);

	if (left == 0)
		return -1;
	left -= relay->now_ms;
	return left < 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

/* Waits, and moves what can be moved; false: relay->end says why no more. */
static bool
take_turn(struct relay *relay)
{
	struct flow *up = &relay->up, *down = &relay->down;
	struct pollfd fds[FDS];
	int n;

	look_at_clock(relay);
	flow_interest(up, relay->now_ms, &fds[UP_IN], &fds[UP_OUT]);
	flow_interest(down, relay->now_ms, &fds[DOWN_IN], &fds[DOWN_OUT]);
	n = poll(fds, FDS, time_left(relay));
	look_at_clock(relay);
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
	int rc;

	while ((rc = io_interrupted()) == 0 && take_turn(relay)) {
		pass_ends_on(relay);
		if (!is_finished(relay))
			continue;
		if (relay->down.broken)
			relay->end = LOG_END_CLIENT_RESET;
		else if (relay->up.broken)
			relay->end = LOG_END_TARGET_RESET;
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
		until = io_now_ms() + SETTLE_MS;
		while (under_way(relay) > 0 && io_now_ms() < until)
			poll(NULL, 0, ARRIVE_MS);
	}
	flow_close(up);
	flow_close(down);
	return relay->end;
}
