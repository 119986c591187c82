/* SPDX-License-Identifier: ISC */
/*
 * egress: where a session comes out, and on what terms.
 */
#ifndef EGRESS_H
#define EGRESS_H

#include "base/addr.h"
#include "base/io.h"
#include "net/dial.h"
#include "policy/terms.h"
#include "session/peer.h"

#include <stdint.h>

/* Longest sentence of those that say why it came to nothing, with its NUL. */
#define EGRESS_WHY_MAX 256

struct egress {
	struct io_end
	    target;         /* connected, fd -1 if not; the caller's to close */
	union addr address; /* of the other side; AF_UNSPEC: nobody, or many */
	union addr bound;   /* BND.ADDR and BND.PORT; AF_UNSPEC: not known */
	uint8_t rep;        /* what to answer where -EREMOTE is returned */
	bool mptcp;         /* the target speaks Multipath TCP */
	struct terms terms; /* what the session is held to */
	char why[EGRESS_WHY_MAX]; /* "" where the errno says it all */
};

/* Nothing is known yet but the terms. */
void egress_init(struct egress *out, const struct terms *terms);

/*
 * How the terms look to a socket, for this client: 0; or -EBADFD, and the
 * sentence is in egress->why. The options point into the egress.
 */
int egress_options(
    struct egress *egress, const struct peer *peer, struct dial_options *out);

#endif
