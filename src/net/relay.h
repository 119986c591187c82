/* SPDX-License-Identifier: ISC */
/*
 * relay: carries bytes both ways until both ways have ended.
 */
#ifndef RELAY_H
#define RELAY_H

#include "base/io.h"
#include "base/log.h"

/* How a flow moves its bytes. */
enum relay_way {
	RELAY_COPY,     /* read and write */
	RELAY_COPY_BIG, /* the same in larger pieces: no pipe was to be had */
	RELAY_SPLICE,   /* through a pipe of our own */
	RELAY_DIRECT,   /* a side is a pipe already */
};

/* One direction. */
struct relay_flow {
	struct io_end *in, *out;
	struct io_buffer buffer; /* what is in it at the start goes out first */
	int64_t total;           /* bytes that went out */
	enum relay_way way;
	int pipe[2];  /* RELAY_SPLICE */
	size_t piped; /* bytes in the pipe; then the buffer is empty */
	bool blocked; /* RELAY_DIRECT: `in` has bytes, `out` took none */
	bool eof;     /* `in` has ended */
	bool broken;  /* nobody reads `out` any more */
	bool done;    /* nothing more will be carried */
	bool hung;    /* `out` hung up while it had nothing to do */
};

struct relay {
	struct relay_flow up;   /* client to target */
	struct relay_flow down; /* target to client */
};

/*
 * `client_in` and `client_out` may be one socket; `target` is one. All stay
 * the caller's to close; a pipe that had its end of file is closed already.
 */
void relay_init(struct relay *relay, struct io_end *client_in,
    struct io_end *client_out, struct io_end *target,
    const struct io_buffer *up, const struct io_buffer *down);

/*
 * Carries until both directions have had their end of file, one side broke,
 * the alarm rang, SIGTERM came, or no byte moved for idle_ms (0: no limit).
 * An end of file is passed on (half-close) once the bytes before it are out;
 * the other direction goes on. A flow that turns out to be bulk goes over to
 * splice(2), where what was promised here holds all the same.
 * Where the end was not a clean one, the sides
 * that can express it are set to be reset when they are closed, so that what
 * was cut never looks whole. Memory is bounded by the two buffers and pipes:
 * nothing is read from one side while the other has bytes waiting.
 */
enum log_end relay_run(struct relay *relay, int64_t idle_ms);

#endif
