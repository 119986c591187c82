/* SPDX-License-Identifier: ISC */
/*
 * listeners: the listening sockets, and the descriptor that signals come by.
 */
#ifndef LISTENERS_H
#define LISTENERS_H

#include "base/addr.h"
#include "base/io.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define LISTENERS_MAX 64

struct listeners {
	size_t count;
	/* Of each socket, and behind them the signalfd's. */
	struct pollfd fds[LISTENERS_MAX + 1];
	struct io_end ends[LISTENERS_MAX]; /* for their O_NONBLOCK */
	unsigned gone; /* who had left when they were accepted, in a row */
};

/*
 * Takes the sockets on `count` descriptors from `first` on, makes them
 * non-blocking, and has signals come by a descriptor, see signals_open(). Of
 * all others from 3 on, `kept` stays open, if it isn't -1. 0; or after a
 * sentence, -EINVAL for more than LISTENERS_MAX, or another -errno.
 */
int listeners_open(
    struct listeners *listeners, int first, size_t count, int kept);

/* The super-server finds its sockets as they were; signals come no more. */
void listeners_restore(struct listeners *listeners);

/*
 * Waits ms milliseconds, or for ever (-1), for signals and, unless it rests,
 * for clients. 0, or -errno when it could not wait.
 */
int listeners_wait(struct listeners *listeners, bool resting, int ms);

/* Whether listeners_wait() saw somebody at this socket. */
bool listeners_has_client(const struct listeners *listeners, size_t i);

/* The next signal, and who sent it; 0 when there is none. */
int listeners_signal(const struct listeners *listeners, pid_t *sender);

/*
 * accept(2): the connection, which is the caller's, and where it comes from.
 * -EAGAIN when there is none, or when the one there was has gone; another
 * -errno is no one client's fault, and would come again at once.
 */
int listeners_accept(struct listeners *listeners, size_t i, union addr *from);

#endif
