/* SPDX-License-Identifier: ISC */
/*
 * Promises: takes any split of the client's bytes, and none that belong to what
 * follows. Must not: believe what a client says of itself.
 */
#include "session/handshake.h"
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

/* A PROXY header, where one is expected; RFC 1928 begins behind it. */
static int
read_proxy_header(struct session *s)
{
	struct proxy_header header;
	ssize_t n;
	int rc;

	if (!s->config->proxy_protocol)
		return 0;
	s->phase = PHASE_PROXIED;
	while ((n = proxy_get_header(unread(s), unread_len(s), &header)) == 0) {
		if ((rc = session_read_more(s)) < 0)
			return rc;
	}
	if (n < 0)
		return (int)n;
	s->inbox.start += (size_t)n;
	identity_replace(&s->peer.who, &header);
	s->phase = PHASE_GREETING;
	return 0;
}

/* What the client may do begins to count here: by now it is known who it is. */
static int
choose_method(struct session *s, const struct wire_greeting *offer)
{
	const struct config *config = s->config;
	struct auth_policy policy;

	permit_begin(&s->permit, config->rules_file ? &config->rules : NULL,
	    config->open, &s->peer.who, s->peer.in.fd);
	policy = (struct auth_policy){
	    .has_users = config->has_users,
	    .has_rules = config->rules_file != NULL,
	    .needs_none = permit_anonymous(&s->permit),
	};
	s->method = auth_choose_method(offer, &policy, &s->why);
	return s->method == WIRE_METHOD_NO_ACCEPTABLE ? -ENOPROTOOPT : 0;
}

/* Version and methods; SOCKS4 begins with the request. */
static int
greet(struct session *s)
{
	struct wire_greeting greeting;
	uint8_t message[WIRE_METHOD_LEN];
	ssize_t n;
	int rc;

	while (
	    (n = wire_get_greeting(unread(s), unread_len(s), &greeting)) == 0) {
		if ((rc = session_read_more(s)) < 0)
			return rc;
	}
	s->socks4 = n < 0 && *unread(s) == WIRE4_VERSION;
	if (s->socks4) {
		s->phase = PHASE_REQUEST;
		return 0;
	}
	if (n < 0)
		return (int)n;
	rc = choose_method(s, &greeting);
	if (rc < 0)
		return rc;
	s->inbox.start += (size_t)n;
	s->phase =
	    s->method == WIRE_METHOD_PASSWORD ? PHASE_LOGIN : PHASE_REQUEST;
	return io_write(
	    &s->peer.out, message, wire_put_method(message, s->method));
}

/* RFC 1929, where that method was chosen */
static int
authenticate(struct session *s)
{
	struct wire_password login;
	uint8_t message[WIRE_STATUS_LEN];
	ssize_t n;
	int rc;

	if (s->phase != PHASE_LOGIN)
		return 0;
	while ((n = wire_get_password(unread(s), unread_len(s), &login)) == 0) {
		if ((rc = session_read_more(s)) < 0)
			return rc;
	}
	if (n < 0)
		return (int)n;
	memcpy(s->user, login.name, login.name_len);
	s->record.user = s->user;
	s->record.user_len = login.name_len;
	rc = auth_check(&s->config->users, login.name, login.name_len,
	    login.password, login.password_len);
	explicit_bzero(s->inbox.data + s->inbox.start, (size_t)n);
	s->inbox.start += (size_t)n;
	if (rc < 0)
		return rc;
	permit_user(&s->permit, s->user, s->record.user_len);
	s->phase = PHASE_REQUEST;
	return io_write(&s->peer.out, message,
	    wire_put_status(message, WIRE_STATUS_SUCCESS));
}

static ssize_t
get_request(struct session *s)
{
	return s->socks4
		   ? wire4_get_request(
			 unread(s), unread_len(s), &s->request, &s->ident)
		   : wire_get_request(unread(s), unread_len(s), &s->request);
}

static int
read_request(struct session *s)
{
	static const uint8_t none = WIRE_METHOD_NONE;
	const struct wire_greeting socks4 = {
	    .methods = &none, .methods_len = 1};
	ssize_t n;
	int rc;

	while ((n = get_request(s)) == 0) {
		if ((rc = session_read_more(s)) < 0)
			return rc;
	}
	if (n == -EOPNOTSUPP)
		s->why = "command not supported";
	if (n < 0)
		return (int)n;
	s->inbox.start += (size_t)n;
	s->requested_ms = io_now_ms();
	s->record.handshake_ms = s->requested_ms - s->started_ms;
	s->record.command = wire_command_name(s->request.command);
	s->record.target = s->asked;
	s->record.target_len =
	    wire_print_destination(&s->request.dst, s->asked);
	if (!s->socks4)
		return 0;
	s->record.ident = s->ident.len ? s->ident.id : NULL;
	s->record.ident_len = s->ident.len;
	return choose_method(s, &socks4);
}

int
handshake_run(struct session *s)
{
	int rc;

	if ((rc = read_proxy_header(s)) < 0 || (rc = greet(s)) < 0 ||
	    (rc = authenticate(s)) < 0)
		return rc;
	return read_request(s);
}
