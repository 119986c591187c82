/* SPDX-License-Identifier: ISC */
#include "session/admit.h"
#include "net/resolve.h"

#include <errno.h>

static struct wire_destination
destination_of(const union addr *addr)
{
	struct wire_destination dst = {.port = addr_port(addr)};

	if (addr->sa.sa_family == AF_INET) {
		dst.atyp = WIRE_ATYP_IPV4;
		dst.ipv4 = addr->in.sin_addr;
	} else {
		dst.atyp = WIRE_ATYP_IPV6;
		dst.ipv6 = addr->in6.sin6_addr;
	}
	return dst;
}

/* Whether the one who has come may; its line's terms hold from here on. */
static bool
is_welcome(void *context, const union addr *from)
{
	struct admit *admit = context;
	union addr plain = addr_unmapped(from);
	struct addr_list one = {.count = 1, .at = {plain}};
	struct wire_destination dst;

	if (admit->anyone) {
		dst = destination_of(&plain);
		if (permit_request(admit->permit, RULES_BIND, &dst, false) < 0)
			return false;
	}
	if (permit_addresses(admit->permit, &one) < 0)
		return false;
	admit->egress->terms = admit->config->terms;
	permit_terms(admit->permit, &admit->egress->terms);
	return true;
}

/* The addresses that may come, by their name or as they are. */
static int
expect(struct admit *admit, const struct peer *peer,
    const struct wire_request *request)
{
	struct egress *egress = admit->egress;
	int rc =
	    resolve_destination(&request->dst, &peer->out, &admit->expected);

	if (rc < 0)
		return rc;
	rc = permit_addresses(admit->permit, &admit->expected);
	if (rc < 0)
		permit_reason(admit->permit, egress->why);
	admit->options.expected = &admit->expected;
	return rc;
}

int
admit_listen(const struct config *config, struct permit *permit,
    const struct peer *peer, const struct wire_request *request, bool ipv4,
    struct admit *out, struct egress *egress)
{
	int rc = 0;

	out->config = config;
	out->permit = permit;
	out->egress = egress;
	out->anyone = bind_from_anyone(&request->dst);
	out->listener.fd = -1;
	out->options = (struct bind_options){
	    .family = ipv4 ? AF_INET : AF_UNSPEC,
	    .sockets = &out->sockets,
	    .permits = is_welcome,
	    .context = out,
	};
	if (peer_own_address(peer, &out->reached) == 0)
		out->options.reached = &out->reached;
	if (!out->anyone)
		rc = expect(out, peer, request);
	if (rc < 0)
		return rc;
	permit_terms(permit, &egress->terms);
	rc = egress_options(egress, peer, &out->sockets);
	if (rc == 0)
		rc = bind_open(&out->options, &out->listener, egress->why);
	if (rc < 0)
		return rc;
	egress->address = egress->bound = out->listener.bound;
	return 0;
}

int
admit_await(struct admit *admit, const struct peer *peer)
{
	struct egress *egress = admit->egress;
	struct dial_result came;
	int rc = bind_await(&admit->listener, &peer->out, &came);

	admit_close(admit);
	if (rc < 0)
		return rc;
	egress->target = (struct io_end){.fd = came.fd, .kind = IO_TCP};
	egress->address = egress->bound = came.address;
	return 0;
}

void
admit_close(struct admit *admit)
{
	bind_close(&admit->listener);
}
