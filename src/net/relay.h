/* SPDX-License-Identifier: ISC */
/*
 * relay: carries bytes both ways until both ways have ended.
 */
#ifndef RELAY_H
#define RELAY_H

#include "base/io.h"
#include "base/log.h"
#include "net/flow.h"
#include "net/program.h"

/* Of a client on two pipes that stand for a connection. Zero for any other. */
struct relay_pipes {
	/*
	 * Nobody reads the one any more as the other one ends: then whoever
	 * made the connection was killed, and its client's bytes are cut. So an
	 * end of file is only passed on when that has not happened for a
	 * moment.
	 */
	bool vanish;
	/*
	 * The client may hear of the target's end only by ours: ssh can't tell
	 * it on a socket, nor where somebody else holds the pipe open. So once
	 * it has said nothing for so long after that, it is over; 0: never.
	 */
	int64_t patience_ms;
};

struct relay {
	struct flow up;   /* client to target */
	struct flow down; /* target to client */

	/* The caller's to set, after relay_init(). */
	struct relay_pipes pipes;
	/*
	 * The target is its two pipes; NULL: no program is. A process that is
	 * killed closes them as one that has finished, so that an end of file
	 * there is passed on when it has ended with status 0, or lives on.
	 * After any end but a clean one it is stopped, with its pipes still
	 * open.
	 */
	struct program *program;

	enum log_end end; /* who was first to end, and what broke since */
	int64_t idle_ms, idle_end_ms; /* 0: it doesn't end that way */
	/* Times, kept where something is to be timed. */
	int64_t now_ms, moved_ms;
	int64_t quiet_ms;   /* its last word, or the target's end */
	int64_t over_ms;    /* both directions were over */
	int64_t settled_ms; /* the end: what was over has arrived; 0: not yet */
	int64_t left;       /* of that, in bytes */
};

/* What is read from and written to; a side's two may be one socket. */
struct relay_ends {
	struct io_end *client_in, *client_out, *target_in, *target_out;
};

/*
 * The ends stay the caller's to close; a pipe that had its end of file is
 * closed already. `up` and `down` are buffers, of which the first may have
 * something in it.
 *
 * From here on a side is reset when its last descriptor is closed, by whomever
 * and for whatever reason: a process that is killed cuts what it carried, and
 * no cut may look like an end. So it comes before the reply that begins the
 * relay.
 */
void relay_init(struct relay *relay, const struct relay_ends *ends,
    const struct io_buffer *up, const struct io_buffer *down);

/*
 * Carries until both directions have had their end of file, one side broke,
 * the alarm rang, a signal came, or no byte moved for idle_ms (0: no limit).
 * An end of file is passed on (half-close) once the bytes before it are out;
 * the other direction goes on. A flow that turns out to be bulk goes over to
 * splice(2), where what was promised here holds all the same.
 *
 * After a clean end the sides are closed in order again. After any other they
 * stay to be reset; but a direction that is over, with its end of file read
 * and its last byte passed on, is given the time to arrive first, for a reset
 * takes away what is under way. Pipes and Unix sockets have no reset: a client
 * there who closes all has ended, and only doesn't read any more.
 *
 * Memory is bounded by the two buffers and pipes: nothing is read from one side
 * while the other has bytes waiting.
 */
enum log_end relay_run(struct relay *relay, int64_t idle_ms);

#endif
