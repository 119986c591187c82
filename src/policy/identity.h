/* SPDX-License-Identifier: ISC */
/*
 * identity: who is at the other end, as the kernel tells, or a proxy in front
 * of us that is believed; the environment can only take away from that.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "base/addr.h"
#include "protocol/proxy.h"

#include <stdbool.h>
#include <sys/types.h>

#define IDENTITY_TEXT_MAX 256

struct identity {
	/*
	 * On this machine, by all that is known: a loopback address, a Unix
	 * socket, or a pipe or socket pair of which nobody says otherwise.
	 */
	bool local;
	bool has_address; /* the one below, an IPv4-mapped one as IPv4 */
	union addr address;
	/*
	 * The kernel tells nothing, as it is a pipe or a socket pair. Ids are
	 * this process's own then.
	 */
	bool is_guess;
	bool has_ids; /* the two below */
	uid_t uid;
	gid_t gid;
	/*
	 * For the record: "192.0.2.1:50412", "[2001:db8::1]:50412",
	 * "unix:uid=1000,pid=4711", "vsock:3:1024"; "pipe" or "socketpair",
	 * with the address that the environment names behind a colon if it
	 * names one. Not escaped.
	 */
	char text[IDENTITY_TEXT_MAX];
};

/*
 * A pipe's other end, about which nobody but the environment says anything. A
 * super-server's hint there, TCPREMOTEIP and the like, can only lower what is
 * believed: an address elsewhere makes it a remote client with that address,
 * and anything that is neither an address nor a Unix socket's makes it one that
 * has none. SSH_CONNECTION alone says that it is the user who logged in, whom
 * this process runs as.
 */
void identity_of_pipe(struct identity *out);

/*
 * A socket's, and that of a pair of sockets (socketpair(2)) as a pipe's: 0, or
 * -errno and "unknown", where nobody is connected to it.
 */
int identity_of_socket(int fd, struct identity *out);

/*
 * The client has another end beside this one, as a socket and a pipe may be:
 * what the kernel tells goes before a guess, and what isn't local before what
 * is.
 */
void identity_add_end(struct identity *identity, const struct identity *other);

/*
 * The client that a proxy speaks for takes the place of the proxy; about one
 * that it doesn't name nothing is known.
 */
void identity_replace(
    struct identity *identity, const struct proxy_header *header);

/*
 * All groups of a client with ids, the first among them; `fd` is the socket or
 * pipe it is on. Returns their number, and in *out an array for free(3); or
 * -errno.
 */
ssize_t identity_groups(const struct identity *identity, int fd, gid_t **out);

#endif
