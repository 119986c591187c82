/* SPDX-License-Identifier: ISC */
#include "session/lookup.h"
#include "net/resolve.h"

#include <errno.h>

/* Clients that ask for IPv4 can't use anything else, and don't say so. */
static const union addr *
choose(const struct config *config, const struct addr_list *list)
{
	sa_family_t family = config->prefer == AF_INET6 ? AF_INET6 : AF_INET;

	for (size_t i = 0; i < list->count; i++) {
		if (list->at[i].sa.sa_family == family)
			return &list->at[i];
	}
	return &list->at[0];
}

int
lookup_answer(const struct config *config, struct permit *permit,
    const struct peer *peer, const struct wire_request *request,
    char name[WIRE_NAME_SIZE], struct egress *egress)
{
	bool ptr = request->command == WIRE_RESOLVE_PTR;
	struct addr_list list;
	union addr literal;
	int rc;

	if (ptr && wire_literal(&request->dst, &literal) < 0)
		return -EAFNOSUPPORT;
	rc = resolve_destination(&request->dst, &peer->out, &list);
	if (rc < 0)
		return rc;
	rc = permit_addresses(permit, &list);
	if (rc < 0) {
		permit_reason(permit, egress->why);
		return rc;
	}
	egress->address = egress->bound = *choose(config, &list);
	return ptr ? resolve_name_of(&egress->bound, &peer->out, name) : 0;
}
