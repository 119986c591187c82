/* SPDX-License-Identifier: ISC */
/*
 * egress: where a session comes out, and on what terms.
 */
#ifndef EGRESS_H
#define EGRESS_H

#include "base/addr.h"
#include "base/io.h"
#include "net/program.h"
#include "policy/terms.h"
#include "protocol/outcome.h"
#include "session/peer.h"

#include <stdbool.h>

struct egress {
	/*
	 * Connected, fd -1 if not. Of a program it is what we write to, and
	 * `from` what we read; fd -1: the target is both.
	 */
	struct io_end target, from;
	struct program program;
	union addr address; /* of the other side; AF_UNSPEC: nobody, or many */
	union addr bound;   /* BND.ADDR and BND.PORT; AF_UNSPEC: not known */
	bool mptcp;         /* the target speaks Multipath TCP */
	struct terms terms; /* what the session is held to */
};

/* Nothing is known yet but the terms. */
void egress_init(const struct terms *terms, struct egress *out);

/* Ends a program, if there is one, and closes what is open. */
void egress_close(struct egress *egress);

/*
 * For source=same, the source becomes the address that this client has reached:
 * OUTCOME_DONE; or OUTCOME_TERMS_UNMET, as there is none.
 */
enum outcome egress_find_source(
    const struct peer *peer, struct terms *terms, struct failure *failure);

#endif
