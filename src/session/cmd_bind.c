/* SPDX-License-Identifier: ISC */
#include "session/cmd_bind.h"
#include "base/tcp.h"
#include "session/decision.h"

enum outcome
cmd_bind_decide(struct session *s)
{
	if (bind_from_anyone(&s->request.dst))
		return decision_of_command(s, RULES_BIND);
	return decision_of_target(s, RULES_BIND, AF_UNSPEC, false);
}

/* Whether the one who has come may; its line's terms hold from here on. */
static bool
is_welcome(void *context, const union addr *from)
{
	struct session *s = context;
	union addr plain = addr_unmapped(from);
	struct wire_destination dst = s->request.dst;
	struct permit_answer answer = s->decision.answer;

	if (s->bind.anyone) {
		dst = wire_destination_of(&plain);
		answer = permit_target(&s->permit, RULES_BIND, &dst, false);
	}
	answer = permit_address(&s->permit, RULES_BIND, &dst, &answer, &plain);
	if (answer.verdict != RULES_ALLOWED)
		return false;
	s->egress.terms = s->config->terms;
	permit_terms(&s->permit, &answer, &s->egress.terms);
	return true;
}

enum outcome
cmd_bind_prepare(struct session *s)
{
	struct session_bind *b = &s->bind;
	const struct permit_list *list = &s->decision.list;
	const struct permit_answer *by = &s->decision.answer;
	enum outcome outcome;

	b->anyone = list->count == 0;
	b->listener.fd = -1;
	b->options = (struct bind_options){
	    .family = s->socks4 ? AF_INET : AF_UNSPEC,
	    .permits = is_welcome,
	    .context = s,
	};
	if (peer_own_address(&s->peer, &b->reached) == 0)
		b->options.reached = &b->reached;
	b->expected.count = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (list->at[i].answer.verdict != RULES_ALLOWED)
			continue;
		if (b->expected.count == 0)
			by = &list->at[i].answer;
		b->expected.at[b->expected.count++] = list->at[i].addr;
	}
	if (!b->anyone)
		b->options.expected = &b->expected;
	permit_terms(&s->permit, by, &s->egress.terms);
	b->options.terms = s->egress.terms;
	outcome = egress_find_source(&s->peer, &b->options.terms, &s->failure);
	if (outcome == OUTCOME_DONE)
		outcome = bind_open(&b->options, &b->listener, &s->failure);
	if (outcome == OUTCOME_DONE)
		s->egress.address = s->egress.bound = b->listener.bound;
	return outcome;
}

enum outcome
cmd_bind_reply(struct session *s)
{
	struct egress *egress = &s->egress;
	struct dial_result came;
	enum outcome outcome =
	    session_reply(s, WIRE_REP_SUCCEEDED, &egress->bound);

	if (outcome == OUTCOME_DONE)
		outcome = bind_await(
		    &s->bind.listener, &s->peer.out, &came, &s->failure);
	bind_close(&s->bind.listener);
	if (outcome != OUTCOME_DONE)
		return outcome;
	egress->target = (struct io_end){.fd = came.fd, .kind = IO_TCP};
	egress->address = egress->bound = came.address;
	if (egress->terms.rate)
		tcp_set_rate(&egress->target, egress->terms.rate);
	return session_reply_relayed(s);
}
