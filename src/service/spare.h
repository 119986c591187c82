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

#include "config/config.h"

#include "base/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * What is done for a client: called in its process, which has the connection on
 * descriptors 0 and 1 and none open from 3 on. The exit status of the process.
 */
struct spare_work {
	int (*serve)(void *context);
	void *context;
	const struct process_oom *oom; /* or NULL */
};

struct spare {
	pid_t pid;
	int channel;
};

#define SPARE_MAX CONFIG_SPARE_MAX

struct spares {
	size_t count;
	struct spare at[SPARE_MAX];
};

/* Does the work in this process, which ends with it. */
_Noreturn void spare_serve(int client, const struct spare_work *work);

/* Forks a process that does the work for a client: its pid, or -errno. */
pid_t spare_fork_for(int client, const struct spare_work *work);

/*
 * Forks one more spare, of SPARE_MAX at most: its pid, or -errno. It does the
 * work once a client has been handed to it; with none, it ends when its channel
 * does, or at SIGTERM.
 */
pid_t spares_add(struct spares *spares, const struct spare_work *work);

/* Hands the connection to one of them: its pid, or 0 when none took it. It
 * counts as a spare no more. */
pid_t spares_hand_over(struct spares *spares, int client);

/* It has ended: false when it is none of them. */
bool spares_remove(struct spares *spares, pid_t pid);

/* Lets them all go. */
void spares_dismiss(struct spares *spares);

#endif
