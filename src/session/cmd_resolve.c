/* SPDX-License-Identifier: ISC */
#include "session/cmd_resolve.h"
#include "net/resolve.h"
#include "session/decision.h"

#include <errno.h>

enum outcome
cmd_resolve_decide(struct session *s)
{
	sa_family_t first = s->config->prefer;
	union addr literal;

	if (!s->config->resolve)
		return failure_set(&s->failure, OUTCOME_COMMAND_UNSUPPORTED, 0,
		    "command not supported without --resolve");
	s->request.dst.port = 0; /* it means nothing here */
	/* Clients that ask for IPv4 can't use anything else, and don't say so.
	 */
	if (first == AF_UNSPEC || s->socks4)
		first = AF_INET;
	if (s->request.command == WIRE_RESOLVE_PTR &&
	    wire_literal(&s->request.dst, &literal) < 0)
		return failure_of_system(&s->failure, EAFNOSUPPORT);
	return decision_of_target(s, RULES_RESOLVE, first, false);
}

enum outcome
cmd_resolve_prepare(struct session *s)
{
	struct permit_list *list = &s->decision.list;
	struct addr_list allowed;
	struct terms unused;

	permit_take(&s->permit, &s->config->terms, list, &allowed, &unused);
	s->egress.address = s->egress.bound = allowed.at[0];
	if (s->socks4 && allowed.at[0].sa.sa_family != AF_INET)
		return failure_set(&s->failure, OUTCOME_FAMILY_UNSUPPORTED, 0,
		    "SOCKS4 has no room for an IPv6 address");
	if (s->request.command != WIRE_RESOLVE_PTR)
		return OUTCOME_DONE;
	return resolve_name_of(
	    &s->egress.bound, &s->peer.out, s->name, &s->failure);
}

enum outcome
cmd_resolve_reply_name(struct session *s)
{
	uint8_t message[WIRE_NAME_REPLY_MAX];

	s->phase = PHASE_RELAYING;
	s->record.reply = WIRE_REP_SUCCEEDED;
	return session_write(s, message,
	    wire_put_name_reply(WIRE_REP_SUCCEEDED, s->name, message));
}

/* The answer was all there is. */
void
cmd_resolve_carry(struct session *s)
{
	s->record.end = LOG_END_ANSWERED;
	signals_alarm(SESSION_LINGER_MS);
	session_let_go(s);
}
