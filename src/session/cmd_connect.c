/* SPDX-License-Identifier: ISC */
#include "session/cmd_connect.h"
#include "base/tcp.h"
#include "net/dial.h"
#include "net/resolve.h"
#include "net/upstream.h"
#include "session/decision.h"

enum outcome
cmd_connect_decide(struct session *s)
{
	return decision_of_target(
	    s, RULES_CONNECT, s->config->prefer, s->config->has_upstream);
}

/* Dials these, on the egress's terms. */
static enum outcome
dial_some(struct session *s, const struct addr_list *some, union addr *bound)
{
	struct egress *egress = &s->egress;
	struct terms terms = egress->terms;
	struct dial_result dialled;
	enum outcome outcome =
	    egress_find_source(&s->peer, &terms, &s->failure);

	if (outcome == OUTCOME_DONE)
		outcome = dial(some, &terms, s->config->mptcp, &s->peer.out,
		    &dialled, &s->failure);
	if (outcome != OUTCOME_DONE)
		return outcome;
	egress->target = (struct io_end){.fd = dialled.fd, .kind = IO_TCP};
	egress->address = dialled.address;
	egress->mptcp = dialled.mptcp;
	*bound = dialled.bound;
	return OUTCOME_DONE;
}

/* The addresses that are held to the same terms together. */
static enum outcome
connect_directly(struct session *s)
{
	struct failure worst = {.outcome = OUTCOME_DONE};
	struct permit_list list = s->decision.list;
	struct addr_list some;

	while (permit_take(&s->permit, &s->config->terms, &list, &some,
		   &s->egress.terms) > 0) {
		enum outcome outcome = dial_some(s, &some, &s->egress.bound);

		if (outcome == OUTCOME_DONE || outcome == OUTCOME_CLIENT_LEFT ||
		    io_interrupted() < 0)
			return outcome;
		failure_keep_worse(&worst, &s->failure);
	}
	s->failure = worst;
	return worst.outcome;
}

/* --- through an upstream -------------------------------------------------- */

/* That it failed says nothing about the target. */
static enum outcome
upstream_failed(struct session *s, enum outcome outcome)
{
	struct failure failure = s->failure;

	if (outcome == OUTCOME_CLIENT_LEFT || outcome == OUTCOME_TERMINATED ||
	    outcome == OUTCOME_UPSTREAM)
		return outcome;
	return failure_set(&s->failure, OUTCOME_UPSTREAM, 0,
	    outcome == OUTCOME_TERMS_UNMET ? "%s" : "upstream: %s",
	    failure_words(&failure));
}

static enum outcome
connect_to_upstream(struct session *s)
{
	struct addr_list list;
	union addr bound;
	enum outcome outcome;

	permit_terms(&s->permit, &s->decision.answer, &s->egress.terms);
	outcome = resolve_destination(
	    &s->config->upstream.server, &s->peer.out, &list, &s->failure);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (s->config->prefer != AF_UNSPEC)
		addr_prefer(&list, s->config->prefer);
	return dial_some(s, &list, &bound);
}

static enum outcome
connect_through(struct session *s)
{
	struct wire_password login;
	struct upstream_reply reply;
	bool known = url_login(&s->config->upstream, &login);
	enum outcome outcome = connect_to_upstream(s);

	if (outcome == OUTCOME_DONE)
		outcome = upstream_ask(&s->egress.target, known ? &login : NULL,
		    &s->request, &s->peer.out, &reply, &s->failure);
	if (outcome != OUTCOME_DONE)
		return upstream_failed(s, outcome);
	if (reply.rep == WIRE_REP_SUCCEEDED) {
		s->egress.bound = reply.bound;
		return OUTCOME_DONE;
	}
	failure_set(&s->failure, OUTCOME_UPSTREAM, 0,
	    "upstream: it answered %u", reply.rep);
	s->failure.rep = reply.rep;
	return OUTCOME_UPSTREAM;
}

/* -------------------------------------------------------------------------- */

enum outcome
cmd_connect_prepare(struct session *s)
{
	enum outcome outcome =
	    s->config->has_upstream ? connect_through(s) : connect_directly(s);

	if (outcome != OUTCOME_DONE)
		io_close(&s->egress.target);
	else if (s->config->mptcp)
		s->record.mptcp = s->egress.mptcp ? "yes" : "no";
	return outcome;
}

/* What ssh can tell the client, and what it tells us. */
static void
prepare_for_ssh(struct session *s)
{
	const struct peer *peer = &s->peer;

	peer_release_stderr(peer);
	s->relay.ssh.vanishes = peer->ssh;
	s->relay.ssh.needs_exit =
	    peer->ssh && (!s->hears_ends || peer_out_is_held(peer));
}

void
cmd_connect_carry(struct session *s)
{
	struct io_end *target = &s->egress.target;
	const struct io_end *ends[] = {&s->peer.in, &s->peer.out, target};
	const struct terms *terms = &s->egress.terms;
	bool endless = terms->lifetime_ms == 0;

	io_alarm(terms->lifetime_ms);
	tcp_set_nodelay(target);
	/* Nothing else would ever notice that a side has vanished. */
	for (size_t i = s->peer.one_socket; i < 3 && endless; i++)
		tcp_set_keepalive(ends[i]);
	/* To the target the kernel holds it, see dial(). */
	if (terms->rate && tcp_set_rate(&s->peer.out, terms->rate) < 0)
		flow_limit(&s->relay.down, terms->rate);
	if (s->peer.out.kind == IO_PIPE)
		prepare_for_ssh(s);
	s->record.end = relay_run(&s->relay, terms->idle_ms);
	s->record.rtt_us = tcp_rtt_us(target);
	s->record.bytes_up = s->relay.up.total;
	s->record.bytes_down = s->relay.down.total;
}
