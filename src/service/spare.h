/* SPDX-License-Identifier: ISC */
/*
 * spare: processes that are there before their client is.
 *
 * A fork takes most of the time that a client would have to wait. A spare has
 * no socket but its channel to the parent, on which the client's connection
 * reaches it (SCM_RIGHTS, unix(7)); the channel is closed then.
 */
#ifndef SPARE_H
#define SPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct spare {
	pid_t pid;
	int channel;
};

#define SPARE_MAX 256

struct spares {
	size_t count;
	struct spare at[SPARE_MAX];
};

/* Makes this process one that has the descriptor on 0 and 1, and nothing from 3
 * on, nor anything of a parent's to do with signals. */
void spare_become(int fd);

/*
 * Forks a process for a client that is there: its pid, or -errno; 0 in the
 * child, which has the connection on 0 and 1, and no other descriptor from 3
 * on.
 */
pid_t spare_fork_for(int client);

/*
 * Forks one more spare, of SPARE_MAX at most: its pid, or -errno. It returns 0
 * as spare_fork_for() does in the child, but once a client has been handed to
 * it; with none, it ends when its channel does, or at SIGTERM.
 */
pid_t spares_add(struct spares *spares);

/* Hands the connection to one of them: its pid, or 0 when none took it. It
 * counts as a spare no more. */
pid_t spares_hand_over(struct spares *spares, int client);

/* It has ended: false when it is none of them. */
bool spares_remove(struct spares *spares, pid_t pid);

/* Lets them all go. */
void spares_dismiss(struct spares *spares);

#endif
