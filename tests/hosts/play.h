/* SPDX-License-Identifier: ISC */
/*
 * play: a player at one end of a connection, and the steps it can take. The
 * programs client and target share it. A step is a word, "verb" or "verb:arg":
 *
 *   send:HEX       send these bytes in one write
 *   text:STRING    send these; \r \n \0 \\ \xNN are understood
 *   split:HEX      send one byte at a time, each a segment of its own
 *   urgent:HEX     send as urgent data (TCP)
 *   recv:HEX       read as many bytes as these, which they must be
 *   expect:STRING  the same as text
 *   reply:REP      read one complete SOCKS5 reply with this REP, and print
 *                  "bnd ADDRESS PORT"
 *   dump           read until the end of file, and print it as a line of hex
 *   eof            the next thing to come is the end of file
 *   reset          ... ECONNRESET
 *   closed         ... one or the other
 *   drain-eof      read whatever comes until the end of file, and print
 *                  "drained N"
 *   drain-reset    ... until ECONNRESET
 *   quiet:MS       nothing comes for so many milliseconds
 *   shut           send no more (shutdown, or close of the pipe)
 *   close          close everything
 *   abort          close with a reset (TCP)
 *   fill:N         send until N bytes are gone, or nobody has taken any for
 *                  400 ms; print "filled N"
 *   flood          send zeros until the connection is reset
 *   pattern:N      send N bytes, each of which depends on its offset
 *   check:N        read N bytes of such, from the other side's offset 0 on
 *   exchange:N     both at once
 *   echo           send back what comes until the end of file, then shut
 *   touch:FILE     make this file
 *   await:FILE     wait for it
 *   hold:MS        sleep
 *
 * N may end in K or M. Bytes sent by fill are pattern as well. Offsets go on
 * from step to step. No step reads a byte more than it has to; what follows a
 * wrong byte is read to be shown. No step waits beyond the limit.
 */
#ifndef PLAY_H
#define PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct player {
	const char *program; /* for messages */
	int in, out;         /* -1 once closed; often the same */
	uint64_t sent, seen; /* offsets of the pattern */
	/* Steps of the program's own: false when it doesn't know the verb. */
	bool (*other)(struct player *, const char *verb);
	/* Called once, when the first bytes have come, or NULL. */
	void (*at_first_bytes)(struct player *);
	/* Called before a failure ends the program, or NULL. */
	void (*cleanup)(void);
	int64_t deadline_ms;
	int step;
	/* The current step: NULL outside, its argument, or "", its variant. */
	const char *word, *arg;
	int how;
};

/* Starts the clock. Once the time is over nothing here waits any more, and
 * play_nap() and play_poll() return false. An alarm is the last resort. */
void play_limit(struct player *player, unsigned seconds);

/* Takes one step after the other; a step that fails ends the program. */
void play(struct player *player, int count, char **steps);

/* Says what went wrong, in the current step if any; exits with 1. */
void play_fail(const struct player *player, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* The argument as a number up to `most`, where K and M are understood; or the
 * step fails. */
uint64_t play_number(const struct player *player, uint64_t most);

/* Sleeps so long: false when the time was over before. */
bool play_nap(const struct player *player, int ms);

/* Waits for events, for so many ms or (-1) until the time is over: false when
 * none came. */
bool play_poll(const struct player *player, int fd, short events, int ms);

void play_close(struct player *player);

#endif
