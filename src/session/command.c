/* SPDX-License-Identifier: ISC */
#include "session/command.h"
#include "session/cmd_associate.h"
#include "session/cmd_bind.h"
#include "session/cmd_connect.h"
#include "session/cmd_resolve.h"

static const struct command commands[] = {
    {WIRE_CONNECT, cmd_connect_decide, cmd_connect_prepare,
	session_reply_relayed, cmd_connect_carry},
    {WIRE_BIND, cmd_bind_decide, cmd_bind_prepare, cmd_bind_reply,
	cmd_connect_carry},
    {WIRE_UDP_ASSOCIATE, cmd_associate_decide, cmd_associate_prepare,
	session_reply_bound, cmd_associate_carry},
    {WIRE_RESOLVE, cmd_resolve_decide, cmd_resolve_prepare, session_reply_bound,
	cmd_resolve_carry},
    {WIRE_RESOLVE_PTR, cmd_resolve_decide, cmd_resolve_prepare,
	cmd_resolve_reply_name, cmd_resolve_carry},
};

static enum outcome
find_command(struct session *s)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (commands[i].code == s->request.command)
			s->command = &commands[i];
	}
	if (!s->command)
		return failure_set(
		    &s->failure, OUTCOME_COMMAND_UNSUPPORTED, 0, NULL);
	if (s->config->has_upstream && s->request.command != WIRE_CONNECT)
		return failure_set(&s->failure, OUTCOME_COMMAND_UNSUPPORTED, 0,
		    "--upstream is asked for CONNECT alone");
	if (wire_check_destination(&s->request.dst) < 0)
		return failure_set(&s->failure, OUTCOME_BAD_NAME, 0, NULL);
	return OUTCOME_DONE;
}

enum outcome
command_decide(struct session *s)
{
	enum outcome outcome = find_command(s);

	if (outcome != OUTCOME_DONE)
		return outcome;
	s->phase = PHASE_CONNECTING;
	signals_alarm(s->config->connect_timeout_ms);
	egress_init(&s->config->terms, &s->egress);
	return s->command->decide(s);
}

enum outcome
command_begin(struct session *s)
{
	enum outcome outcome = command_decide(s);

	if (outcome == OUTCOME_DONE)
		outcome = s->command->prepare(s);
	if (outcome == OUTCOME_DONE)
		outcome = s->command->reply(s);
	/* For the record, whatever came of it. */
	if (s->phase >= PHASE_CONNECTING)
		s->record.connect_ms = io_now_ms() - s->requested_ms;
	if (s->egress.address.sa.sa_family != AF_UNSPEC)
		s->record.address = addr_format(&s->egress.address, s->address);
	return outcome;
}

void
command_carry(struct session *s)
{
	s->command->carry(s);
}
