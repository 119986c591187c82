/* SPDX-License-Identifier: ISC */
/*
 * lookup: the address of a name and the name of an address, for a client: Tor's
 * commands RESOLVE and RESOLVE_PTR.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "config/config.h"
#include "policy/permit.h"
#include "protocol/wire.h"
#include "session/egress.h"
#include "session/peer.h"

/*
 * Once permit_request() has let it pass, with 0 for the port. *egress is as
 * egress_init() left it; address and bound become the address, and for
 * RESOLVE_PTR `name` its name.
 *
 * 0, or -errno of resolve_destination() and resolve_name_of(); -EACCES: the
 * rules deny each address; -EAFNOSUPPORT: it wants the name of a name.
 */
int lookup_answer(const struct config *config, struct permit *permit,
    const struct peer *peer, const struct wire_request *request,
    char name[WIRE_NAME_SIZE], struct egress *egress);

#endif
