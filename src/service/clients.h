/* SPDX-License-Identifier: ISC */
/*
 * clients: the processes that serve somebody now, and where their clients come
 * from.
 */
#ifndef CLIENTS_H
#define CLIENTS_H

#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/*
 * What --max-per-source counts as one: an IPv4 address, an IPv6 /64, a user on
 * a Unix socket, a machine on vsock.
 */
struct clients_source {
	sa_family_t family;
	bool is_here; /* on this machine */
	uint8_t bytes[8];
};

struct clients_entry {
	pid_t pid;
	bool let_go;
	struct clients_source source;
};

/* All zero at the start. */
struct clients {
	size_t count, size; /* of processes */
	size_t let_go;      /* of these, those that have no client any more */
	struct clients_entry *at;
};

/* The source of a connection that was accepted from this address; a Unix
 * socket is asked for its user. A client is on this machine when it comes from
 * a loopback address, from the very one that it has reached, or by a Unix
 * socket. */
void clients_source(int fd, const union addr *from, struct clients_source *out);

/* For the log: "192.0.2.1:50412", "unix:uid=1000". */
void clients_source_name(const struct clients_source *source,
    const union addr *from, char out[ADDR_TEXT_MAX]);

/* So that the next clients_add() can't fail: 0 or -ENOMEM. */
int clients_reserve(struct clients *clients);

void clients_add(
    struct clients *clients, pid_t pid, const struct clients_source *source);

/*
 * The process has let its client go, and counts for no limit any more: how many
 * such there are now.
 */
size_t clients_let_go(struct clients *clients, pid_t pid);

/* What became of a process is known; false when it is none of them. */
bool clients_remove(struct clients *clients, pid_t pid);

/*
 * The limit that one more from there would be above, of the option's name
 * without its dashes; NULL: none. 0 is no limit; -1 from one source is half of
 * max_clients, but none for clients on this machine.
 */
const char *clients_limit(const struct clients *clients,
    const struct clients_source *source, int64_t max_clients,
    int64_t max_per_source);

#endif
