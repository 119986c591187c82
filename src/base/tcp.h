/* SPDX-License-Identifier: ISC */
/*
 * tcp: what TCP alone can do, Multipath TCP included. None of it means anything
 * to an end of another kind, and is left undone there.
 */
#ifndef TCP_H
#define TCP_H

#include "base/io.h"

/*
 * When the last descriptor of it is closed, by whomever, what is under way is
 * thrown away and the connection reset (SO_LINGER with no time).
 */
void tcp_reset_on_close(const struct io_end *end);

/* Takes that back: what is under way arrives, and then the end. */
void tcp_close_in_order(const struct io_end *end);

/*
 * Bytes that were written and that the other side's kernel has not confirmed, a
 * half-close among them; 0 where TCP doesn't tell, and after a reset.
 */
int tcp_unsent(const struct io_end *end);

/* The round-trip time to the other side as it is now, smoothed, in
 * microseconds; -1 where TCP doesn't tell. */
int64_t tcp_rtt_us(const struct io_end *end);

/* Options. 0 or -errno. */
int tcp_set_nodelay(const struct io_end *end);
/* Probes begin after a minute without a byte. */
int tcp_set_keepalive(const struct io_end *end);
/* Urgent data stays where it is in the stream. To be set before any comes: of
 * two urgent bytes in a row, the kernel would drop the first. */
int tcp_set_oobinline(const struct io_end *end);

/*
 * No more bytes a second than these are sent this way (SO_MAX_PACING_RATE). 0;
 * -EOPNOTSUPP on what isn't TCP; or -errno.
 */
int tcp_set_rate(const struct io_end *end, uint64_t bytes_per_s);

/* Whether an error of accept(2) is of one connection, which broke before it was
 * accepted: no fault of ours. */
bool tcp_is_gone(int error);

#endif
