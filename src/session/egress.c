/* SPDX-License-Identifier: ISC */
#include "session/egress.h"

void
egress_init(const struct terms *terms, struct egress *out)
{
	*out = (struct egress){
	    .target = {.fd = -1},
	    .from = {.fd = -1},
	    .terms = *terms,
	};
}

void
egress_close(struct egress *egress)
{
	program_stop(&egress->program);
	io_close(&egress->target);
	io_close(&egress->from);
}

enum outcome
egress_find_source(
    const struct peer *peer, struct terms *terms, struct failure *failure)
{
	union addr own;

	if (!terms->source.same)
		return OUTCOME_DONE;
	if (peer_own_address(peer, &own) < 0)
		return failure_set(failure, OUTCOME_TERMS_UNMET, 0,
		    "source=same needs a client that comes by TCP");
	terms->source.at[own.sa.sa_family == AF_INET6] = own;
	return OUTCOME_DONE;
}
