/* SPDX-License-Identifier: ISC */
/*
 * identity: who is at the other end, as the kernel tells, or a proxy in front
 * of us that is believed, or for want of both the environment.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "base/addr.h"
#include "protocol/proxy.h"

#include <stdbool.h>
#include <sys/types.h>

#define IDENTITY_TEXT_MAX 256

struct identity {
	bool local;       /* a pipe, a Unix socket or a loopback address */
	bool has_address; /* the one below, an IPv4-mapped one as IPv4 */
	union addr address;
	bool has_ids; /* the two below, from the kernel */
	uid_t uid;
	gid_t gid;
	/*
	 * For the record: "192.0.2.1:50412", "[2001:db8::1]:50412",
	 * "unix:uid=1000,pid=4711", "vsock:3:1024", or "pipe", with the
	 * address that the environment names behind a colon if it names one.
	 * Not escaped.
	 */
	char text[IDENTITY_TEXT_MAX];
};

/*
 * A pipe's other end, which nothing but the environment names. Over ssh the
 * user is the one who logged in, whom this process runs as.
 */
void identity_of_pipe(struct identity *out);

/* A socket's: 0, or -errno and "unknown", where nobody is connected to it. */
int identity_of_socket(int fd, struct identity *out);

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
