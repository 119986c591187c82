/* SPDX-License-Identifier: ISC */
/*
 * accept: the listening service, "wait" in inetd's words and Accept=no in
 * systemd's: one child process for each client.
 */
#ifndef ACCEPT_H
#define ACCEPT_H

#include "config/config.h"
#include "service/spare.h"

#include <stddef.h>

/* Listening stream sockets, on descriptors `first` and following. */
struct accept_sockets {
	int first;
	size_t count;
};

/*
 * Accepts clients until SIGTERM, SIGINT or SIGQUIT, or idle_exit_ms without
 * any, and has the work done for each in a process of its own, with *config as
 * it was when that was made. 0 at the end, when clients' processes live on; or
 * -errno when it couldn't begin: -EINVAL, after a sentence, for more than
 * LISTENERS_MAX. A client that no process could be had for until the end
 * is served by this one, and then nothing returns.
 *
 * A client that would be one more than config->max_clients, or than
 * config->max_per_source from one place, is closed at once. SIGHUP reads argv
 * and the file it names again, to *config; SIGUSR1 logs the numbers of clients.
 * The service manager is told what sd_notify(3) has for it.
 */
int accept_clients(const struct accept_sockets *sockets, int argc, char **argv,
    struct config *config, const struct spare_work *work);

#endif
