/* SPDX-License-Identifier: ISC */
#include "session/cmd_associate.h"
#include "base/tcp.h"
#include "net/sockopt.h"
#include "session/decision.h"

#include <errno.h>

enum outcome
cmd_associate_decide(struct session *s)
{
	return decision_of_command(s, RULES_UDP);
}

/* See struct route_options: the rules' word on a datagram. */
static bool
permits(
    void *context, const struct wire_destination *asked, const union addr *addr)
{
	struct session *s = context;
	struct terms terms = s->config->terms;
	struct permit_answer answer =
	    permit_target(&s->permit, RULES_UDP, asked, false);

	if (!addr || answer.verdict == RULES_DENIED)
		return answer.verdict != RULES_DENIED;
	answer = permit_address(&s->permit, RULES_UDP, asked, &answer, addr);
	if (answer.verdict != RULES_ALLOWED)
		return false;
	permit_terms(&s->permit, &answer, &terms);
	if (s->associate.is_held)
		return terms_equal_sockets(&s->egress.terms, &terms);
	if (terms.lifetime_ms != s->egress.terms.lifetime_ms)
		signals_alarm(terms.lifetime_ms);
	s->egress.terms = terms;
	s->associate.udp.idle_ms = terms.idle_ms;
	s->associate.is_held = true;
	return true;
}

/* See there: a socket that comes out as the terms want it. */
static int
set_up(void *context, int fd, sa_family_t family)
{
	struct session *s = context;
	struct failure *failure = &s->associate.failure;
	struct terms terms = s->egress.terms;

	if (egress_find_source(&s->peer, &terms, failure) != OUTCOME_DONE ||
	    sockopt_check_family(&terms, family, failure) != OUTCOME_DONE)
		return -EADDRNOTAVAIL;
	return sockopt_apply(fd, family, &terms, &failure->cause);
}

enum outcome
cmd_associate_prepare(struct session *s)
{
	const struct config *config = s->config;
	struct udp_options options = {
	    .advertise = {config->udp_advertise[0], config->udp_advertise[1]},
	    .first_port = config->udp_ports.first,
	    .last_port = config->udp_ports.last,
	    .route = {permits, set_up, s, config->prefer},
	};
	struct fault fault;
	int rc;

	if (config->proxy_protocol && s->peer.who.has_address)
		options.client = s->peer.who.address;
	s->associate.is_held = false;
	s->associate.failure.cause = (struct fault){0};
	rc = udp_prepare(&s->associate.udp, &s->peer.in, &s->request.dst,
	    &options, &s->egress.bound, &fault);
	s->associate.udp.idle_ms = s->egress.terms.idle_ms;
	if (rc == 0)
		return OUTCOME_DONE;
	return failure_set(&s->failure,
	    rc == -EOPNOTSUPP ? OUTCOME_COMMAND_UNSUPPORTED : OUTCOME_SYSTEM,
	    -rc, "%s", fault_words(&fault));
}

void
cmd_associate_carry(struct session *s)
{
	struct udp *udp = &s->associate.udp;

	signals_alarm(s->egress.terms.lifetime_ms);
	tcp_set_keepalive(&s->peer.in);
	s->record.end = udp_run(udp);
	udp_close(udp);
	udp_describe(&udp->counts, s->dropped, &s->record);
	if (udp->counts.dropped[UDP_UNSENT] > 0 &&
	    *s->associate.failure.cause.words)
		s->record.error = s->associate.failure.cause.words;
}
