/* SPDX-License-Identifier: ISC */
#include "session/egress.h"

void
egress_init(struct egress *out, const struct terms *terms)
{
	*out = (struct egress){.target = {.fd = -1}, .terms = *terms};
}

enum outcome
egress_options(const struct terms *terms, const struct peer *peer,
    struct dial_options *out, struct failure *failure)
{
	union addr own;

	*out = (struct dial_options){
	    .source = {terms->source.at[0], terms->source.at[1]},
	    .interface = *terms->interface ? terms->interface : NULL,
	    .mark = (uint32_t)terms->mark,
	    .rate = terms->rate,
	};
	if (!terms->source.same)
		return OUTCOME_DONE;
	if (peer_own_address(peer, &own) < 0)
		return failure_set(failure, OUTCOME_TERMS_UNMET, 0,
		    "source=same needs a client that comes by TCP");
	out->source[own.sa.sa_family == AF_INET6] = own;
	return OUTCOME_DONE;
}
