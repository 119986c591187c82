/*
 * reach: connects to what a client asked for, as the rules permit: directly, or
 * through an upstream server.
 */
#ifndef REACH_H
#define REACH_H

#include "config.h"
#include "io.h"
#include "peer.h"
#include "permit.h"
#include "wire.h"

#define REACH_WHY_MAX PERMIT_REASON_MAX

struct reach {
	struct io_end target; /* connected; the caller's to close */
	union addr address; /* what was dialled; AF_UNSPEC: nothing, or many */
	union addr bound;   /* BND.ADDR and BND.PORT; AF_UNSPEC: not known */
	uint8_t rep;        /* what to answer where -EREMOTE is returned */
	struct terms terms; /* what the session is held to */
	char why[REACH_WHY_MAX]; /* "" where the errno says it all */
};

/*
 * CONNECT, RFC 1928 section 6, once permit_request() has let it pass. The alarm
 * is the caller's. *out is written in any case, its target only on success.
 *
 * 0, or -errno of resolve_destination() and dial_with(); -EACCES: the rules
 * deny each address; -EREMOTE: the upstream didn't do it.
 */
int reach_target(const struct config *config, struct permit *permit,
    const struct peer *peer, const struct wire_request *request,
    struct reach *out);

#endif
