/* SPDX-License-Identifier: ISC */
/*
 * admit: lets in, for a client, the one that it expects and the rules permit:
 * the BIND command of RFC 1928 section 4, and SOCKS4's.
 */
#ifndef ADMIT_H
#define ADMIT_H

#include "config/config.h"
#include "net/bind.h"
#include "policy/permit.h"
#include "protocol/wire.h"
#include "session/egress.h"
#include "session/peer.h"

#include <stdbool.h>

/* To be read by this module only; has to stay where it is. */
struct admit {
	const struct config *config;
	struct permit *permit;
	struct egress *egress;
	bool anyone;
	struct addr_list expected;
	union addr reached;
	struct dial_options sockets;
	struct bind_options options;
	struct bind_listener listener;
};

/*
 * Listens for the peer, once permit_request() or, for anyone, permit_command()
 * has let it pass. *egress is as egress_init() left it; address and bound
 * become where this listens, for the first reply. With ipv4 no other will do.
 *
 * 0, or -errno of resolve_destination() and bind_open(); -EACCES: the rules
 * deny each address.
 */
int admit_listen(const struct config *config, struct permit *permit,
    const struct peer *peer, const struct wire_request *request, bool ipv4,
    struct admit *out, struct egress *egress);

/*
 * Waits for the peer, and listens no longer: 0, and egress has the target, with
 * its address for the second reply in address and bound, and the terms of the
 * line that let it in. Or -errno of bind_await().
 */
int admit_await(struct admit *admit, const struct peer *peer);

/* Listens no longer. */
void admit_close(struct admit *admit);

#endif
