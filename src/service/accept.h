/* SPDX-License-Identifier: ISC */
/*
 * accept: the listening service, "wait" in inetd's words and Accept=no in
 * systemd's: one child process for each client.
 */
#ifndef ACCEPT_H
#define ACCEPT_H

#include "config/config.h"

#include <stddef.h>

#define ACCEPT_SOCKETS_MAX 64

/* Listening stream sockets, on descriptors `first` and following. */
struct accept_sockets {
	int first;
	size_t count;
};

/*
 * Accepts clients until SIGTERM, SIGINT or SIGQUIT, or idle_exit_ms without
 * any.
 *
 * Returns 1 in each client's process, which has the connection on descriptors
 * 0 and 1, none from 3 on, and *config as it was when the process was made.
 * In the service's own process it returns 0 at the end, or -errno when it
 * couldn't begin: -EINVAL, after a sentence, for more than ACCEPT_SOCKETS_MAX.
 * Clients' processes live on.
 *
 * A client that would be one more than config->max_clients, or than
 * config->max_per_source from one place, is closed at once. SIGHUP reads argv
 * and the file it names again, to *config; SIGUSR1 logs the numbers of clients.
 * The service manager is told what sd_notify(3) has for it.
 */
int accept_clients(const struct accept_sockets *sockets, int argc, char **argv,
    struct config *config);

#endif
