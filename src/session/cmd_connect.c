/* SPDX-License-Identifier: ISC */
#include "session/cmd_connect.h"
#include "base/tcp.h"
#include "net/dial.h"
#include "net/resolve.h"
#include "net/upstream.h"
#include "session/decision.h"

#include <errno.h>

/*
 * Of a client on pipes, after the target's end: how long somebody may take to
 * hear of that, and to go on all the same; and how long where he can't hear.
 */
#define PATIENCE_MS 1000
#define QUIET_MS    100

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
		    signals_interrupted() < 0)
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

/* Its command stands for a connection, which no term can say anything of. */
static enum outcome
start_upstream(struct session *s)
{
	const struct terms nothing = {0};
	struct egress *egress = &s->egress;
	int rc;

	if (!terms_equal_sockets(&egress->terms, &nothing))
		return failure_set(&s->failure, OUTCOME_TERMS_UNMET, 0,
		    "source, interface, mark and tos mean nothing to an "
		    "--upstream-command");
	rc = program_start(s->config->upstream_command, &egress->program,
	    &egress->target, &egress->from);
	return rc < 0 ? failure_of_system(&s->failure, -rc) : OUTCOME_DONE;
}

static enum outcome
dial_upstream(struct session *s)
{
	struct addr_list list;
	union addr bound;
	enum outcome outcome = resolve_destination(
	    &s->config->upstream.server, &s->peer.out, &list, &s->failure);

	if (outcome != OUTCOME_DONE)
		return outcome;
	if (s->config->prefer != AF_UNSPEC)
		addr_prefer(&list, s->config->prefer);
	return dial_some(s, &list, &bound);
}

static void
command_failed(struct session *s)
{
	char words[PROGRAM_WORDS_MAX];

	failure_set(&s->failure, OUTCOME_UPSTREAM, 0,
	    "upstream: the command %s",
	    program_words(&s->egress.program, words));
}

static enum outcome
ask_upstream(struct session *s, struct upstream_reply *out)
{
	struct egress *egress = &s->egress;
	bool is_program = egress->program.pid > 0;
	struct wire_password login;
	const struct upstream upstream = {
	    .to = &egress->target,
	    .from = is_program ? &egress->from : &egress->target,
	    .login = url_login(&s->config->upstream, &login) ? &login : NULL,
	    .hears_ends = is_program,
	    .client = &s->peer.out,
	};
	enum outcome outcome;

	outcome = upstream_ask(&upstream, &s->request, out, &s->failure);
	/* A command that hangs up has ended, and its status says more. */
	if (outcome == OUTCOME_UPSTREAM && is_program &&
	    s->failure.cause.error == ECONNRESET &&
	    program_await(&egress->program, io_now_ms() + SESSION_LINGER_MS))
		command_failed(s);
	return outcome;
}

static enum outcome
connect_through(struct session *s)
{
	struct upstream_reply reply;
	enum outcome outcome;

	permit_terms(&s->permit, &s->decision.answer, &s->egress.terms);
	outcome =
	    s->config->upstream_command ? start_upstream(s) : dial_upstream(s);
	if (outcome == OUTCOME_DONE)
		outcome = ask_upstream(s, &reply);
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
		egress_close(&s->egress);
	else if (s->config->mptcp)
		s->record.mptcp = s->egress.mptcp ? "yes" : "no";
	return outcome;
}

/* What can be told through pipes, and what they tell. */
static void
prepare_pipes(struct session *s)
{
	struct relay_pipes *pipes = &s->relay.pipes;

	peer_release_stderr(&s->peer);
	pipes->vanish = session_is_remote(s);
	if (pipes->vanish)
		pipes->patience_ms =
		    s->hears_ends && !peer_out_is_held(&s->peer) ? PATIENCE_MS
								 : QUIET_MS;
}

void
cmd_connect_carry(struct session *s)
{
	struct io_end *target = &s->egress.target;
	const struct io_end *ends[] = {&s->peer.in, &s->peer.out, target};
	const struct terms *terms = &s->egress.terms;
	bool endless = terms->lifetime_ms == 0;

	signals_alarm(terms->lifetime_ms);
	tcp_set_nodelay(target);
	/* Nothing else would ever notice that a side has vanished. */
	for (size_t i = s->peer.one_socket; i < 3 && endless; i++)
		tcp_set_keepalive(ends[i]);
	/* To the target the kernel holds it, see dial(); what it can't hold is
	 * read no faster. */
	if (terms->rate && tcp_set_rate(&s->peer.out, terms->rate) < 0)
		flow_limit(&s->relay.down, terms->rate);
	if (terms->rate && target->kind != IO_TCP)
		flow_limit(&s->relay.up, terms->rate);
	if (s->peer.out.kind == IO_PIPE)
		prepare_pipes(s);
	s->record.end = relay_run(&s->relay, terms->idle_ms);
	s->record.rtt_us = tcp_rtt_us(target);
	if (s->record.end == LOG_END_UPSTREAM) {
		command_failed(s);
		s->record.error = failure_words(&s->failure);
	}
	s->record.bytes_up = s->relay.up.total;
	s->record.bytes_down = s->relay.down.total;
}
