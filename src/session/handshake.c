/* SPDX-License-Identifier: ISC */
/*
 * Promises: takes any split of the client's bytes, and none that belong to what
 * follows. Must not: believe what a client says of itself.
 */
#include "session/handshake.h"
#include "policy/turn.h"
#include "protocol/proxy.h"

#include <errno.h>
#include <string.h>

static const uint8_t *
unread(const struct session *s)
{
	return s->inbox.data + s->inbox.start;
}

static size_t
unread_len(const struct session *s)
{
	return s->inbox.end - s->inbox.start;
}

static enum outcome
fail_as(struct session *s, enum outcome outcome)
{
	return failure_set(&s->failure, outcome, 0, NULL);
}

/* A PROXY header, where one is expected; RFC 1928 begins behind it. */
static enum outcome
read_proxy_header(struct session *s)
{
	struct proxy_header header;
	ssize_t n;

	if (!s->config->proxy_protocol)
		return OUTCOME_DONE;
	s->phase = PHASE_PROXIED;
	while ((n = proxy_get_header(unread(s), unread_len(s), &header)) == 0) {
		if (session_read_more(s) != OUTCOME_DONE)
			return s->failure.outcome;
	}
	if (n < 0)
		return fail_as(s, n == -EMSGSIZE ? OUTCOME_PROXY_HEADER_TOO_LONG
						 : OUTCOME_NO_PROXY_HEADER);
	s->inbox.start += (size_t)n;
	identity_replace(&s->peer.who, &header);
	s->phase = PHASE_GREETING;
	return OUTCOME_DONE;
}

/* By now it is known who the client is, and what it may do. */
static enum outcome
choose_method(struct session *s, const struct wire_greeting *offer)
{
	const struct config *config = s->config;

	session_identify(s);
	s->auth = (struct auth_policy){
	    .has_users = config->has_users,
	    .has_rules = config->rules_file != NULL,
	    .needs_none = permit_anonymous(&s->permit),
	    .names_users = permit_names_users(&s->permit),
	};
	s->method = auth_choose_method(offer, &s->auth, &s->failure);
	return s->method == WIRE_METHOD_NO_ACCEPTABLE ? OUTCOME_NO_METHOD
						      : OUTCOME_DONE;
}

/* Version and methods; SOCKS4 begins with the request. */
static enum outcome
read_greeting(struct session *s)
{
	struct wire_greeting greeting;
	uint8_t message[WIRE_METHOD_LEN];
	enum outcome outcome;
	ssize_t n;

	while (
	    (n = wire_get_greeting(unread(s), unread_len(s), &greeting)) == 0) {
		if ((outcome = session_read_more(s)) != OUTCOME_DONE)
			return outcome;
	}
	s->socks4 = n < 0 && *unread(s) == WIRE4_VERSION;
	if (s->socks4) {
		s->phase = PHASE_REQUEST;
		return OUTCOME_DONE;
	}
	if (n < 0)
		return fail_as(s, OUTCOME_NOT_SOCKS);
	outcome = choose_method(s, &greeting);
	if (outcome != OUTCOME_DONE)
		return outcome;
	s->hears_ends = memchr(greeting.methods, WIRE_METHOD_HEARS_ENDS,
			    greeting.methods_len) != NULL;
	s->inbox.start += (size_t)n;
	s->phase =
	    s->method == WIRE_METHOD_PASSWORD ? PHASE_LOGIN : PHASE_REQUEST;
	return session_write(s, message, wire_put_method(s->method, message));
}

/* A name and a password that count, or a name that is claimed. */
static enum outcome
check_login(struct session *s, const struct wire_password *login)
{
	enum outcome outcome;
	int turn, rc;

	memcpy(s->user, login->name, login->name_len);
	if (!auth_counts(&s->auth, login)) {
		s->record.ident = s->user;
		s->record.ident_len = login->name_len;
		return OUTCOME_DONE;
	}
	s->record.user = s->user;
	s->record.user_len = login->name_len;
	rc = turn_await(s->config->users_file, &s->peer.in, &turn);
	if (rc < 0)
		return session_broken(s, -rc);
	outcome = auth_check(&s->config->users, login->name, login->name_len,
	    login->password, login->password_len);
	turn_end(turn);
	if (outcome != OUTCOME_DONE)
		return fail_as(s, outcome);
	permit_user(&s->permit, login->name, login->name_len);
	return OUTCOME_DONE;
}

/* RFC 1929, where that method was chosen */
static enum outcome
authenticate(struct session *s)
{
	struct wire_password login;
	uint8_t message[WIRE_STATUS_LEN];
	enum outcome outcome;
	ssize_t n;

	if (s->phase != PHASE_LOGIN)
		return OUTCOME_DONE;
	while ((n = wire_get_password(unread(s), unread_len(s), &login)) == 0) {
		if ((outcome = session_read_more(s)) != OUTCOME_DONE)
			return outcome;
	}
	if (n < 0)
		return fail_as(
		    s, n == -EINVAL ? OUTCOME_NO_USER_NAME : OUTCOME_NOT_SOCKS);
	outcome = check_login(s, &login);
	explicit_bzero(s->inbox.data + s->inbox.start, (size_t)n);
	s->inbox.start += (size_t)n;
	if (outcome != OUTCOME_DONE)
		return outcome;
	s->phase = PHASE_REQUEST;
	return session_write(
	    s, message, wire_put_status(WIRE_STATUS_SUCCESS, message));
}

static ssize_t
get_request(struct session *s)
{
	return s->socks4
		   ? wire4_get_request(
			 unread(s), unread_len(s), &s->request, &s->ident)
		   : wire_get_request(unread(s), unread_len(s), &s->request);
}

/* What is wrong with a request, by the errno of wire.h or wire4.h. */
static enum outcome
malformed(int error)
{
	switch (error) {
	case EOPNOTSUPP:
		return OUTCOME_COMMAND_UNSUPPORTED;
	case EAFNOSUPPORT:
		return OUTCOME_UNKNOWN_ATYP;
	case EMSGSIZE:
		return OUTCOME_TOO_LONG;
	case EINVAL:
		return OUTCOME_BAD_NAME;
	default:
		return OUTCOME_NOT_SOCKS;
	}
}

static enum outcome
read_request(struct session *s)
{
	static const uint8_t none = WIRE_METHOD_NONE;
	const struct wire_greeting socks4 = {
	    .methods = &none, .methods_len = 1};
	ssize_t n;

	while ((n = get_request(s)) == 0) {
		if (session_read_more(s) != OUTCOME_DONE)
			return s->failure.outcome;
	}
	if (n < 0)
		return fail_as(s, malformed((int)-n));
	s->inbox.start += (size_t)n;
	s->requested_ms = io_now_ms();
	s->record.handshake_ms = s->requested_ms - s->started_ms;
	s->record.command = wire_command_name(s->request.command);
	s->record.target = s->asked;
	s->record.target_len =
	    wire_print_destination(&s->request.dst, s->asked);
	if (!s->socks4)
		return OUTCOME_DONE;
	s->record.ident = s->ident.len ? s->ident.id : NULL;
	s->record.ident_len = s->ident.len;
	return choose_method(s, &socks4);
}

enum outcome
handshake_run(struct session *s)
{
	enum outcome outcome;

	if ((outcome = read_proxy_header(s)) != OUTCOME_DONE ||
	    (outcome = read_greeting(s)) != OUTCOME_DONE ||
	    (outcome = authenticate(s)) != OUTCOME_DONE)
		return outcome;
	return read_request(s);
}
