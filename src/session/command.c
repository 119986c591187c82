/* SPDX-License-Identifier: ISC */
#include "session/command.h"
#include "session/lookup.h"
#include "session/reach.h"

#include <errno.h>

struct command {
	uint8_t code; /* CMD */
	/* Does it, as the rules permit: 0 or -errno. */
	int (*prepare)(struct session *s);
	/* Tells the client, and from then on it is being relayed: the same. */
	int (*reply)(struct session *s);
	void (*carry)(struct session *s);
};

/* What can be told before any look-up; rc is permit's. */
static int
judge(struct session *s, int rc)
{
	if (rc < 0)
		s->why = permit_reason(&s->permit, s->reason);
	return rc;
}

/* --- CONNECT -------------------------------------------------------------- */

static int
prepare_connect(struct session *s)
{
	int rc = permit_request(&s->permit, RULES_CONNECT, &s->request.dst,
	    s->config->has_upstream);

	if (judge(s, rc) < 0)
		return rc;
	rc = reach_target(
	    s->config, &s->permit, &s->peer, &s->request, &s->egress);
	if (rc == 0 && s->config->mptcp)
		s->record.mptcp = s->egress.mptcp ? "yes" : "no";
	return rc;
}

static int
reply_bound(struct session *s)
{
	s->phase = PHASE_RELAYING;
	return session_reply(s, WIRE_REP_SUCCEEDED, &s->egress.bound);
}

static void
carry_bytes(struct session *s)
{
	struct io_end *target = &s->egress.target;
	const struct io_end *ends[] = {&s->peer.in, &s->peer.out, target};
	const struct terms *terms = &s->egress.terms;
	bool endless = terms->lifetime_ms == 0;

	io_alarm(terms->lifetime_ms);
	io_set_nodelay(target);
	/* Nothing else would ever notice that a side has vanished. */
	for (size_t i = s->peer.one_socket; i < 3 && endless; i++)
		io_set_keepalive(ends[i]);
	if (terms->rate)
		io_set_rate(&s->peer.out, terms->rate);
	relay_init(&s->relay, &s->peer.in, &s->peer.out, target, &s->inbox,
	    &s->outbox);
	s->record.end = relay_run(&s->relay, terms->idle_ms);
	s->record.bytes_up = s->relay.up.total;
	s->record.bytes_down = s->relay.down.total;
}

/* --- BIND ----------------------------------------------------------------- */

static int
prepare_bind(struct session *s)
{
	const struct wire_destination *dst = &s->request.dst;
	int rc = bind_from_anyone(dst)
		     ? permit_command(&s->permit, RULES_BIND)
		     : permit_request(&s->permit, RULES_BIND, dst, false);

	if (judge(s, rc) < 0)
		return rc;
	return admit_listen(s->config, &s->permit, &s->peer, &s->request,
	    s->socks4, &s->admit, &s->egress);
}

/* Two replies: where the peer may come, and who has come. */
static int
reply_bind(struct session *s)
{
	int rc = session_reply(s, WIRE_REP_SUCCEEDED, &s->egress.bound);

	if (rc == 0)
		rc = admit_await(&s->admit, &s->peer);
	else
		admit_close(&s->admit);
	if (rc < 0)
		return rc;
	if (s->egress.terms.rate)
		io_set_rate(&s->egress.target, s->egress.terms.rate);
	return reply_bound(s);
}

/* --- UDP ASSOCIATE -------------------------------------------------------- */

static int
prepare_udp(struct session *s)
{
	int rc = permit_command(&s->permit, RULES_UDP);

	if (judge(s, rc) < 0)
		return rc;
	return associate_open(s->config, &s->permit, &s->peer, &s->request,
	    &s->associate, &s->egress);
}

static void
carry_datagrams(struct session *s)
{
	io_alarm(s->egress.terms.lifetime_ms);
	io_set_keepalive(&s->peer.in);
	s->record.end = associate_run(&s->associate);
	udp_describe(&s->associate.udp.counts, s->dropped, &s->record);
	if (*s->egress.why)
		s->record.error = s->egress.why;
}

/* --- RESOLVE and RESOLVE_PTR ---------------------------------------------- */

static int
prepare_lookup(struct session *s)
{
	int rc;

	if (!s->config->resolve) {
		s->why = "command not supported without --resolve";
		return -EOPNOTSUPP;
	}
	s->request.dst.port = 0; /* it means nothing here */
	rc = permit_request(&s->permit, RULES_RESOLVE, &s->request.dst, false);
	if (judge(s, rc) < 0)
		return rc;
	return lookup_answer(
	    s->config, &s->permit, &s->peer, &s->request, s->name, &s->egress);
}

static int
reply_name(struct session *s)
{
	uint8_t message[WIRE_NAME_REPLY_MAX];

	s->phase = PHASE_RELAYING;
	s->record.reply = WIRE_REP_SUCCEEDED;
	return io_write(&s->peer.out, message,
	    wire_put_name_reply(message, WIRE_REP_SUCCEEDED, s->name));
}

/* The answer was all there is. */
static void
carry_nothing(struct session *s)
{
	s->record.end = LOG_END_ANSWERED;
	io_alarm(SESSION_LINGER_MS);
	session_let_go(s);
}

/* -------------------------------------------------------------------------- */

static const struct command commands[] = {
    {WIRE_CONNECT, prepare_connect, reply_bound, carry_bytes},
    {WIRE_BIND, prepare_bind, reply_bind, carry_bytes},
    {WIRE_UDP_ASSOCIATE, prepare_udp, reply_bound, carry_datagrams},
    {WIRE_RESOLVE, prepare_lookup, reply_bound, carry_nothing},
    {WIRE_RESOLVE_PTR, prepare_lookup, reply_name, carry_nothing},
};

static int
find(struct session *s)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (commands[i].code == s->request.command)
			s->command = &commands[i];
	}
	if (!s->command) {
		s->why = "command not supported";
		return -EOPNOTSUPP;
	}
	if (s->config->has_upstream && s->request.command != WIRE_CONNECT) {
		s->why = "--upstream is asked for CONNECT alone";
		return -EOPNOTSUPP;
	}
	return wire_check_destination(&s->request.dst);
}

/* For the record, whatever came of it. */
static void
note(struct session *s)
{
	s->record.connect_ms = io_now_ms() - s->requested_ms;
	if (s->egress.address.sa.sa_family != AF_UNSPEC)
		s->record.address =
		    addr_format(&s->egress.address.sa, s->address);
	if (*s->egress.why)
		s->why = s->egress.why;
}

int
command_begin(struct session *s)
{
	int rc = find(s);

	if (rc < 0)
		return rc;
	s->phase = PHASE_CONNECTING;
	io_alarm(s->config->connect_timeout_ms);
	egress_init(&s->egress, &s->config->terms);
	rc = s->command->prepare(s);
	if (rc == 0)
		rc = s->command->reply(s);
	note(s);
	return rc;
}

void
command_carry(struct session *s)
{
	s->command->carry(s);
}
