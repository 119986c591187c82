/* SPDX-License-Identifier: ISC */
#include "session/decision.h"
#include "net/resolve.h"

enum outcome
decision_of_command(struct session *s, enum rules_command command)
{
	struct decision *d = &s->decision;

	d->command = command;
	d->answer = permit_command(&s->permit, command);
	if (d->answer.verdict == RULES_DENIED)
		return permit_denied(&s->permit, &d->answer, &s->failure);
	if (s->peer.in.kind == IO_TCP)
		return OUTCOME_DONE;
	return failure_set(&s->failure, OUTCOME_COMMAND_UNSUPPORTED, 0,
	    "%s needs a client with an IP address",
	    command == RULES_BIND ? "BIND" : "UDP");
}

enum outcome
decision_of_target(struct session *s, enum rules_command command,
    sa_family_t first, bool unresolved)
{
	const struct wire_destination *dst = &s->request.dst;
	struct decision *d = &s->decision;
	struct addr_list addresses;
	enum outcome outcome;

	d->command = command;
	d->answer = permit_target(&s->permit, command, dst, unresolved);
	if (d->answer.verdict == RULES_DENIED)
		return permit_denied(&s->permit, &d->answer, &s->failure);
	if (unresolved)
		return OUTCOME_DONE;
	outcome =
	    resolve_destination(dst, &s->peer.out, &addresses, &s->failure);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (first != AF_UNSPEC)
		addr_prefer(&addresses, first);
	if (addresses.count == 1)
		s->egress.address = addresses.at[0];
	if (permit_addresses(&s->permit, command, dst, &d->answer, &addresses,
		&d->list) == 0)
		return permit_denied(
		    &s->permit, &d->list.at[0].answer, &s->failure);
	return OUTCOME_DONE;
}
