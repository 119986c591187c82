/* SPDX-License-Identifier: ISC */
/*
 * associate: an association of a client's datagrams, each of which the rules
 * are asked about: UDP ASSOCIATE, RFC 1928 sections 4, 6 and 7.
 */
#ifndef ASSOCIATE_H
#define ASSOCIATE_H

#include "base/log.h"
#include "config/config.h"
#include "net/udp/udp.h"
#include "policy/permit.h"
#include "protocol/wire.h"
#include "session/egress.h"
#include "session/peer.h"

#include <stdbool.h>

/* To be read by this module only, but for the counts; has to stay where it is.
 */
struct associate {
	const struct config *config;
	struct permit *permit;
	const struct peer *peer;
	struct egress *egress;
	bool is_held; /* to the terms of the line that allowed a datagram */
	struct udp udp;
};

/*
 * Opens the port for the client, once permit_command() has let it pass.
 * *egress is as egress_init() left it; bound is for the reply. 0, or -errno of
 * udp_prepare().
 */
int associate_open(const struct config *config, struct permit *permit,
    const struct peer *peer, const struct wire_request *request,
    struct associate *out, struct egress *egress);

/*
 * Relays, as udp_run() says, and closes the port. The association is held to
 * the terms of the line that allowed its first datagram, from then on; a
 * datagram that would have to come out by another source, interface or mark is
 * denied.
 */
enum log_end associate_run(struct associate *associate);

#endif
