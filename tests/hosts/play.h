/*
 * play: a player at one end of a connection, and the steps it can take. The
 * programs client and target share it. A step is a word, "verb" or "verb:arg":
 *
 *   send:HEX       send these bytes in one write
 *   text:STRING    send these
 *   split:HEX      send one byte at a time, each a segment of its own
 *   urgent:HEX     send as urgent data (TCP)
 *   recv:HEX       read as many bytes as these, which they must be
 *   expect:STRING  the same as text
 *   reply:REP      read one complete SOCKS5 reply with this REP, and print
 *                  "bnd ADDRESS PORT"
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
 *   pattern:N      send N bytes, each of which depends on its offset
 *   check:N        read N bytes of such, from the other side's offset 0 on
 *   exchange:N     both at once
 *   touch:FILE     make this file
 *   await:FILE     wait for it
 *   hold:MS        sleep
 *
 * N may end in K or M. Bytes sent by fill are pattern as well. Nothing waits
 * for ever: the programs have an alarm.
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
	bool (*other)(struct player *, const char *verb, const char *arg);
	int step;
	const char *word;
};

/* Takes one step after the other; a step that fails ends the program. */
void play(struct player *player, int count, char **steps);

/* Says what went wrong in the current step, and ends the program with 1. */
void play_fail(const struct player *player, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Called by play_fail() before it exits. */
extern void (*play_cleanup)(void);

void play_close(struct player *player);

#endif
