/* SPDX-License-Identifier: ISC */
#include "session/session.h"

#include <errno.h>
#include <stddef.h>

/* Of what the client has under way, no more is read. */
#define DRAIN_BYTES 262144

void
session_init(const struct config *config, uint8_t *in, uint8_t *out_bytes,
    struct session *out)
{
	out->config = config;
	out->inbox.data = in;
	out->outbox.data = out_bytes;
	out->phase = PHASE_GREETING;
	out->egress.target.fd = out->egress.from.fd = -1;
	out->record = log_nothing;
	out->record.bytes_up = out->record.bytes_down = 0;
}

void
session_identify(struct session *s)
{
	const struct config *config = s->config;

	permit_begin(config->rules_file ? &config->rules : NULL,
	    config->built_in, &s->peer.who, s->peer.in.fd, &s->permit);
}

enum outcome
session_broken(struct session *s, int error)
{
	enum outcome timeout = s->phase <= PHASE_REQUEST
				   ? OUTCOME_HANDSHAKE_TIMEOUT
				   : OUTCOME_CONNECT_TIMEOUT;

	if (error == ECANCELED ||
	    (error == ETIMEDOUT && s->phase < PHASE_RELAYING &&
		signals_interrupted() < 0))
		return failure_of_interruption(&s->failure, timeout);
	return failure_set(&s->failure, OUTCOME_CLIENT_RESET, error, NULL);
}

enum outcome
session_read_more(struct session *s)
{
	struct io_buffer *inbox = &s->inbox;
	ssize_t n = io_read(
	    &s->peer.in, inbox->data + inbox->end, IO_BUFFER_SIZE - inbox->end);

	if (n < 0)
		return session_broken(s, (int)-n);
	if (n == 0)
		return failure_set(&s->failure, OUTCOME_CLIENT_EOF, 0, NULL);
	inbox->end += (size_t)n;
	return OUTCOME_DONE;
}

enum outcome
session_write(struct session *s, const uint8_t *data, size_t len)
{
	int rc = io_write(&s->peer.out, data, len);

	return rc < 0 ? session_broken(s, -rc) : OUTCOME_DONE;
}

enum outcome
session_reply(struct session *s, uint8_t rep, const union addr *bound)
{
	uint8_t message[WIRE_REPLY_MAX];

	s->record.reply = rep;
	return session_write(s, message,
	    s->socks4 ? wire4_put_reply(rep, bound, message)
		      : wire_put_reply(rep, bound, message));
}

enum outcome
session_reply_bound(struct session *s)
{
	s->phase = PHASE_RELAYING;
	return session_reply(s, WIRE_REP_SUCCEEDED, &s->egress.bound);
}

enum outcome
session_reply_relayed(struct session *s)
{
	struct egress *egress = &s->egress;
	const struct relay_ends ends = {
	    .client_in = &s->peer.in,
	    .client_out = &s->peer.out,
	    .target_in = egress->from.fd < 0 ? &egress->target : &egress->from,
	    .target_out = &egress->target,
	};

	relay_init(&s->relay, &ends, &s->inbox, &s->outbox);
	if (egress->program.pid > 0)
		s->relay.program = &egress->program;
	return session_reply_bound(s);
}

bool
session_is_remote(const struct session *s)
{
	return s->peer.in.kind == IO_PIPE && s->peer.out.kind == IO_PIPE &&
	       (s->peer.ssh || s->hears_ends);
}

bool
session_was_cut(const struct session *s)
{
	enum log_end end = s->record.end;

	return s->phase == PHASE_RELAYING && end != LOG_END_CLIENT_EOF &&
	       end != LOG_END_TARGET_EOF && end != LOG_END_ANSWERED;
}

void
session_let_go(struct session *s)
{
	io_shut_write(&s->peer.out);
	io_drain(&s->peer.in, DRAIN_BYTES);
}

void
session_refuse(struct session *s)
{
	struct failure failure = s->failure;
	uint8_t message[WIRE_METHOD_LEN];

	s->record.end = failure_end(&failure);
	signals_alarm(SESSION_LINGER_MS);
	if (s->phase != PHASE_RELAYING &&
	    s->record.end != LOG_END_CLIENT_RESET && s->inbox.end > 0 &&
	    s->phase != PHASE_PROXIED) {
		/* Somebody has asked, is there, and was told nothing yet. */
		if (s->phase == PHASE_GREETING)
			session_write(s, message,
			    wire_put_method(
				WIRE_METHOD_NO_ACCEPTABLE, message));
		else if (s->phase == PHASE_LOGIN)
			session_write(s, message,
			    wire_put_status(WIRE_STATUS_FAILURE, message));
		else
			session_reply(s, failure_rep(&failure), NULL);
		session_let_go(s);
	}
	s->failure = failure; /* and not that of telling it */
	s->record.error = failure_words(&s->failure);
}
