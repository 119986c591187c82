/* SPDX-License-Identifier: ISC */
#include "session/associate.h"

#include <errno.h>
#include <stdio.h>

/* See struct route_options: the rules' word on a datagram. */
static int
permit_datagram(
    void *context, const struct wire_destination *asked, const union addr *addr)
{
	struct associate *associate = context;
	struct egress *egress = associate->egress;
	struct permit *permit = associate->permit;
	struct addr_list one = {.count = 1};
	struct terms terms = associate->config->terms;

	if (permit_request(permit, RULES_UDP, asked, false) < 0)
		return -EACCES;
	if (!addr)
		return 0;
	one.at[0] = *addr;
	if (permit_addresses(permit, &one) < 0)
		return -EACCES;
	permit_terms(permit, &terms);
	if (associate->is_held)
		return terms_equal_way(&egress->terms, &terms) ? 0 : -EACCES;
	if (terms.lifetime_ms != egress->terms.lifetime_ms)
		io_alarm(terms.lifetime_ms);
	egress->terms = terms;
	associate->udp.idle_ms = terms.idle_ms;
	associate->is_held = true;
	return 0;
}

/* See there: a socket that comes out as the terms want it. */
static int
set_up(void *context, int fd, sa_family_t family)
{
	struct associate *associate = context;
	struct egress *egress = associate->egress;
	struct dial_options options;
	int rc = egress_options(egress, associate->peer, &options);

	return rc < 0 ? rc : dial_set_up(fd, family, &options, egress->why);
}

int
associate_open(const struct config *config, struct permit *permit,
    const struct peer *peer, const struct wire_request *request,
    struct associate *out, struct egress *egress)
{
	struct udp_options options = {
	    .advertise = {config->udp_advertise[0], config->udp_advertise[1]},
	    .first_port = config->udp_ports.first,
	    .last_port = config->udp_ports.last,
	    .route = {permit_datagram, set_up, out},
	};
	const char *why;
	int rc;

	if (config->proxy_protocol && peer->who.has_address)
		options.client = peer->who.address;
	out->config = config;
	out->permit = permit;
	out->peer = peer;
	out->egress = egress;
	out->is_held = false;
	rc = udp_prepare(&out->udp, &peer->in, &request->dst, &options,
	    &egress->bound, &why);
	if (rc < 0 && why)
		snprintf(egress->why, sizeof(egress->why), "%s", why);
	out->udp.idle_ms = egress->terms.idle_ms;
	return rc;
}

enum log_end
associate_run(struct associate *associate)
{
	enum log_end end = udp_run(&associate->udp);

	udp_close(&associate->udp);
	return end;
}
