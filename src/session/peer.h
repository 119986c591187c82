/* SPDX-License-Identifier: ISC */
/*
 * peer: what descriptors 0 and 1 are, and who is at their other end.
 */
#ifndef PEER_H
#define PEER_H

#include "base/addr.h"
#include "base/io.h"
#include "policy/identity.h"

#include <stdbool.h>
#include <sys/stat.h>

struct peer {
	struct io_end in;  /* descriptor 0 */
	struct io_end out; /* descriptor 1, often the same socket */
	bool one_socket;   /* in and out are the same open socket */
	bool ssh;          /* they are the pipes of an sshd */
	/* What fstat(2) says of 0, 1 and 2; st_mode is 0 for a closed one. */
	struct stat stdio[3];
	int first_listener; /* see peer_take_over() */
	struct identity who;
};

/*
 * Whether listening sockets may have been handed over: 0 is one, or LISTEN_FDS
 * is for this process.
 */
bool peer_may_listen(void);

/*
 * To be called next: when descriptor 2 is the client, as under inetd, or is
 * closed, nothing may be written there. Puts a pipe that nobody reads in its
 * place, for the sake of libraries, and tells the log.
 */
void peer_guard_stderr(struct peer *peer);

/*
 * Takes over the connection, on descriptors 0 and 1 or, where systemd passed
 * it by LISTEN_FDS, on descriptor 3, which moves to 0 and 1. Every other
 * descriptor from 3 on is closed. TCP_NODELAY is set.
 * A client that has gone already is no error here. 0, or -errno, after a
 * sentence in the log that says what to change, when there is no connection to
 * serve: -EINVAL for a mistake in the set-up, -ENOSYS where LISTEN_FDS is set
 * and libsystemd can't be loaded.
 *
 * 1 or more: so many listening sockets were handed over instead. They stand on
 * descriptors peer->first_listener and following, and nothing was closed.
 */
int peer_take_over(struct peer *peer);

/*
 * Where the client is on a pipe and the log isn't on descriptor 2, /dev/null
 * takes its place: sshd passes no end of file on while 2 is open.
 */
void peer_release_stderr(const struct peer *peer);

/*
 * Whether the process that started us has descriptor 1 open as well, as a shell
 * that waits for us: then to close it tells the client nothing.
 */
bool peer_out_is_held(const struct peer *peer);

/*
 * The address and port on this machine that the client reached us on; an
 * IPv4-mapped address as IPv4. 0, or -EADDRNOTAVAIL: it came by something else
 * than TCP.
 */
int peer_own_address(const struct peer *peer, union addr *out);

/* Closes both ends, and thereby the connection. */
void peer_close(struct peer *peer);

#endif
