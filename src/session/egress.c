/* SPDX-License-Identifier: ISC */
#include "session/egress.h"
#include "protocol/wire.h"

#include <errno.h>
#include <stdio.h>

_Static_assert(EGRESS_WHY_MAX >= DIAL_FAULT_MAX, "dial() writes there");

void
egress_init(struct egress *out, const struct terms *terms)
{
	*out = (struct egress){
	    .target = {.fd = -1},
	    .rep = WIRE_REP_FAILURE,
	    .terms = *terms,
	};
}

int
egress_options(
    struct egress *egress, const struct peer *peer, struct dial_options *out)
{
	const struct terms *terms = &egress->terms;
	union addr own;

	*out = (struct dial_options){
	    .source = {terms->source.at[0], terms->source.at[1]},
	    .interface = *terms->interface ? terms->interface : NULL,
	    .mark = (uint32_t)terms->mark,
	    .rate = terms->rate,
	};
	if (!terms->source.same)
		return 0;
	if (peer_own_address(peer, &own) < 0) {
		snprintf(egress->why, sizeof(egress->why),
		    "source=same needs a client that comes by TCP");
		return -EBADFD;
	}
	out->source[own.sa.sa_family == AF_INET6] = own;
	return 0;
}
