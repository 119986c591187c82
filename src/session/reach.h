/* SPDX-License-Identifier: ISC */
/*
 * reach: connects to what a client asked for, as the rules permit: directly, or
 * through an upstream server.
 */
#ifndef REACH_H
#define REACH_H

#include "config/config.h"
#include "policy/permit.h"
#include "protocol/wire.h"
#include "session/egress.h"
#include "session/peer.h"

/*
 * CONNECT, RFC 1928 section 6, once permit_request() has let it pass. The alarm
 * is the caller's. *out is as egress_init() left it, and what is found out is
 * written there in any case; its target only on success.
 *
 * 0, or -errno of resolve_destination() and dial(); -EACCES: the rules
 * deny each address; -EREMOTE: the upstream didn't do it.
 */
int reach_target(const struct config *config, struct permit *permit,
    const struct peer *peer, const struct wire_request *request,
    struct egress *out);

#endif
