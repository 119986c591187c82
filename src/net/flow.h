/* SPDX-License-Identifier: ISC */
/*
 * flow: one direction of a relay, from where it comes in to where it goes out.
 */
#ifndef FLOW_H
#define FLOW_H

#include "base/io.h"

#include <poll.h>

/* How a flow moves its bytes. */
enum flow_way {
	FLOW_COPY,     /* read and write */
	FLOW_COPY_BIG, /* the same in larger pieces: no pipe was to be had */
	FLOW_SPLICE,   /* through a pipe of our own */
	FLOW_DIRECT,   /* a side is a pipe already */
};

struct flow {
	struct io_end *in, *out;
	struct io_buffer buffer; /* what is in it at the start goes out first */
	int64_t total;           /* bytes that went out */
	uint64_t rate;           /* bytes a second that are read; 0: any */
	int64_t due_ms;          /* no read before this; 0: at once */
	int64_t spent_ns;        /* what the rate allows is used up to here */
	enum flow_way way;
	int pipe[2];    /* FLOW_SPLICE */
	size_t piped;   /* bytes in the pipe; then the buffer is empty */
	bool blocked;   /* FLOW_DIRECT: `in` has bytes, `out` took none */
	bool cut;       /* `in` was reset: no end of file there is believed */
	bool eof;       /* `in` has ended */
	int64_t eof_ms; /* since when, where the relay looks at the clock */
	bool over;      /* so `out` was told, behind the last byte */
	bool gone;      /* nobody reads `out` any more, as far as is known */
	int broken;     /* `out` failed, with this errno, and bytes are lost */
};

/* Both ends stay the caller's; the buffer's memory does, too. */
void flow_init(struct flow *flow, struct io_end *in, struct io_end *out,
    const struct io_buffer *buffer);

/* From now on so many bytes a second are read, what is buffered included. */
void flow_limit(struct flow *flow, uint64_t bytes_per_s);

/*
 * What to wait for, at this time, which counts where there is a rate. A
 * descriptor that has nothing to say is left out (-1).
 */
void flow_interest(const struct flow *flow, int64_t now_ms, struct pollfd *in,
    struct pollfd *out);

/* Whether `out` has still to take something that was read. */
bool flow_is_waiting(const struct flow *flow);

/*
 * Moves what can be moved, after poll(2) has reported this. 0, or -errno when
 * `in` broke. When it is `out` that broke, the flow goes on reading, and throws
 * away what comes: a side that is closed with bytes unread is reset, and what
 * it was sent before is lost with it.
 */
int flow_move(struct flow *flow, short in, short out);

/* Whether `in` has ended, all of it is out, and `out` wasn't told yet. */
bool flow_is_to_end(const struct flow *flow);

/* Tells `out` that there is no more. */
void flow_end(struct flow *flow);

/* Gives back what it holds beyond the two ends. */
void flow_close(struct flow *flow);

#endif
