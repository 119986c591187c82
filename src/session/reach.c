/* SPDX-License-Identifier: ISC */
#include "session/reach.h"
#include "net/resolve.h"
#include "net/upstream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
prefer(const struct config *config, struct addr_list *list)
{
	if (config->prefer != AF_UNSPEC)
		addr_prefer(list, config->prefer);
}

static void
have(const struct dial_result *dialled, struct egress *out)
{
	out->target = (struct io_end){.fd = dialled->fd, .kind = IO_TCP};
	out->address = dialled->address;
	out->mptcp = dialled->mptcp;
}

/* The addresses of the list, those that are held to the same terms together. */
static int
dial_each(const struct config *config, struct permit *permit,
    const struct peer *peer, struct addr_list *list, struct egress *out)
{
	struct dial_options options;
	struct dial_result dialled;
	struct addr_list some;
	int worst = 0, rc = -EACCES;

	while (out->terms = config->terms,
	    permit_take(permit, list, &some, &out->terms) > 0) {
		rc = egress_options(out, peer, &options);
		options.mptcp = config->mptcp;
		if (rc == 0)
			rc = dial(
			    &some, &options, &peer->out, &dialled, out->why);
		if (rc == 0) {
			have(&dialled, out);
			out->bound = dialled.bound;
			return 0;
		}
		if (rc != -EBADFD)
			*out->why = '\0';
		if (rc == -EPIPE || io_interrupted() < 0)
			return rc;
		worst = dial_worse(worst, -rc);
	}
	return worst ? -worst : rc;
}

static int
reach_directly(const struct config *config, struct permit *permit,
    const struct peer *peer, const struct wire_request *request,
    struct egress *out)
{
	struct addr_list list;
	int rc = resolve_destination(&request->dst, &peer->out, &list);

	if (rc < 0)
		return rc;
	prefer(config, &list);
	if (list.count == 1)
		out->address = list.at[0];
	rc = permit_addresses(permit, &list);
	if (rc < 0) {
		permit_reason(permit, out->why);
		return rc;
	}
	return dial_each(config, permit, peer, &list, out);
}

/* --- through an upstream -------------------------------------------------- */

static const char *
upstream_words(int error)
{
	switch (error) {
	case EPROTO:
		return "it doesn't speak SOCKS5";
	case ENOPROTOOPT:
		return "it wants another method of authentication";
	case EKEYREJECTED:
		return "it doesn't take the user and password";
	case ECONNRESET:
		return "it hung up";
	case ETIME:
		return "it is silent";
	case ENXIO:
		return "its name was not found";
	case EREMOTEIO:
		return "the name servers failed";
	default:
		return strerror(error);
	}
}

static int
connect_to_upstream(
    const struct config *config, const struct peer *peer, struct egress *out)
{
	struct dial_options options;
	struct dial_result dialled;
	struct addr_list list;
	int rc = egress_options(out, peer, &options);

	options.mptcp = config->mptcp;
	if (rc == 0)
		rc = resolve_destination(
		    &config->upstream.server, &peer->out, &list);
	if (rc < 0)
		return rc;
	prefer(config, &list);
	rc = dial(&list, &options, &peer->out, &dialled, out->why);
	if (rc == 0)
		have(&dialled, out);
	return rc;
}

static int
reach_through(const struct config *config, const struct permit *permit,
    const struct peer *peer, const struct wire_request *request,
    struct egress *out)
{
	struct wire_password login;
	struct upstream_reply reply;
	bool known = url_login(&config->upstream, &login);
	int rc;

	permit_terms(permit, &out->terms);
	rc = connect_to_upstream(config, peer, out);
	if (rc == 0)
		rc = upstream_ask(&out->target, known ? &login : NULL, request,
		    &peer->out, &reply);
	if (rc == -EPIPE || rc == -ECANCELED)
		return rc;
	if (rc == 0 && reply.rep == WIRE_REP_SUCCEEDED) {
		out->bound = reply.bound;
		return 0;
	}
	out->rep = rc == 0 ? reply.rep : WIRE_REP_FAILURE;
	if (rc == 0)
		snprintf(out->why, EGRESS_WHY_MAX, "upstream: it answered %u",
		    reply.rep);
	else if (rc != -EBADFD)
		snprintf(out->why, EGRESS_WHY_MAX, "upstream: %s",
		    upstream_words(-rc));
	return -EREMOTE;
}

int
reach_target(const struct config *config, struct permit *permit,
    const struct peer *peer, const struct wire_request *request,
    struct egress *out)
{
	int rc;

	if (!config->has_upstream)
		return reach_directly(config, permit, peer, request, out);
	rc = reach_through(config, permit, peer, request, out);
	if (rc < 0)
		io_close(&out->target);
	return rc;
}
