/* SPDX-License-Identifier: ISC */
/*
 * relay: carries bytes both ways until both ways have ended.
 */
#ifndef RELAY_H
#define RELAY_H

#include "base/io.h"
#include "base/log.h"
#include "net/flow.h"

struct relay {
	struct flow up;   /* client to target */
	struct flow down; /* target to client */

	enum log_end end; /* who was first to end, and what broke since */
	int64_t now_ms, moved_ms;     /* kept where a time is to be watched */
	int64_t idle_ms, idle_end_ms; /* 0: it doesn't end that way */
	int64_t left;                 /* what is over and under way, in bytes */
	int64_t
	    settled_ms; /* it has arrived, and this is the end; 0: not yet */
};

/*
 * `client_in` and `client_out` may be one socket; `target` is one. All stay
 * the caller's to close; a pipe that had its end of file is closed already.
 *
 * From here on a side is reset when its last descriptor is closed, by whomever
 * and for whatever reason: a process that is killed cuts what it carried, and
 * no cut may look like an end. So it comes before the reply that begins the
 * relay.
 */
void relay_init(struct relay *relay, struct io_end *client_in,
    struct io_end *client_out, struct io_end *target,
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
