/*
 * socks5-handler: the life of one SOCKS5 connection, in the protocol's order.
 *
 * A super-server started this process with a client's connection on
 * descriptors 0 and 1. Each phase returns 0 or -errno; the first failure goes
 * to refuse(), which answers in the form that the phase allows.
 */
#include "accept.h"
#include "addr.h"
#include "auth.h"
#include "config.h"
#include "ending.h"
#include "explain.h"
#include "io.h"
#include "log.h"
#include "peer.h"
#include "permit.h"
#include "proxy.h"
#include "reach.h"
#include "relay.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* After a refusal, what the client has under way is read, up to this. */
#define DRAIN_MS    2000
#define DRAIN_BYTES 262144

/* The journal has this long to take the record. */
#define RECORD_MS 5000

struct session {
	const struct config *config;
	struct peer peer;
	struct io_buffer inbox; /* from the client, not consumed yet */
	struct io_buffer outbox;
	enum phase phase;
	uint8_t method; /* chosen */
	struct permit permit;
	struct wire_request request;
	struct reach reach;
	struct relay relay;
	int64_t started_ms, requested_ms;
	struct log_record record;
	const char *why;                    /* record.error, if it failed now */
	char user[AUTH_TEXT_MAX];           /* record.user */
	char asked[256 + sizeof(":65535")]; /* record.target */
	char dialled[ADDR_TEXT_MAX];        /* record.address */
	char reason[PERMIT_REASON_MAX];     /* record.error */
};

/* The message in the inbox is not complete yet. */
static int
read_more(struct session *s)
{
	struct io_buffer *inbox = &s->inbox;
	ssize_t n = io_read(
	    &s->peer.in, inbox->data + inbox->end, IO_BUFFER_SIZE - inbox->end);

	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ENOTCONN; /* it left in the middle of a message */
	inbox->end += (size_t)n;
	return 0;
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
	while ((n = proxy_get_header(s->inbox.data + s->inbox.start,
		    s->inbox.end - s->inbox.start, &header)) == 0) {
		if ((rc = read_more(s)) < 0)
			return rc;
	}
	if (n < 0)
		return (int)n;
	s->inbox.start += (size_t)n;
	identity_replace(&s->peer.who, &header);
	s->phase = PHASE_GREETING;
	return 0;
}

/* Version and methods */
static int
greet(struct session *s)
{
	struct wire_greeting greeting;
	struct auth_policy policy;
	uint8_t message[WIRE_METHOD_LEN];
	ssize_t n;
	int rc;

	while ((n = wire_get_greeting(s->inbox.data + s->inbox.start,
		    s->inbox.end - s->inbox.start, &greeting)) == 0) {
		if ((rc = read_more(s)) < 0)
			return rc;
	}
	if (n < 0)
		return (int)n;
	permit_begin(&s->permit,
	    s->config->rules_file ? &s->config->rules : NULL, s->config->open,
	    &s->peer.who, s->peer.in.fd);
	policy = (struct auth_policy){
	    .has_users = s->config->has_users,
	    .has_rules = s->config->rules_file != NULL,
	    .needs_none = permit_anonymous(&s->permit),
	};
	s->method = auth_choose_method(&greeting, &policy, &s->why);
	if (s->method == WIRE_METHOD_NO_ACCEPTABLE)
		return -ENOPROTOOPT;
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
	uint8_t *start = s->inbox.data + s->inbox.start;
	ssize_t n;
	int rc;

	if (s->method != WIRE_METHOD_PASSWORD)
		return 0;
	while ((n = wire_get_password(
		    start, s->inbox.end - s->inbox.start, &login)) == 0) {
		if ((rc = read_more(s)) < 0)
			return rc;
	}
	if (n < 0)
		return (int)n;
	memcpy(s->user, login.name, login.name_len);
	s->record.user = s->user;
	s->record.user_len = login.name_len;
	rc = auth_check(&s->config->users, login.name, login.name_len,
	    login.password, login.password_len);
	explicit_bzero(start, (size_t)n);
	s->inbox.start += (size_t)n;
	if (rc < 0)
		return rc;
	permit_user(&s->permit, s->user, s->record.user_len);
	s->phase = PHASE_REQUEST;
	return io_write(&s->peer.out, message,
	    wire_put_status(message, WIRE_STATUS_SUCCESS));
}

static int
read_request(struct session *s)
{
	ssize_t n;
	int rc;

	while ((n = wire_get_request(s->inbox.data + s->inbox.start,
		    s->inbox.end - s->inbox.start, &s->request)) == 0) {
		if ((rc = read_more(s)) < 0)
			return rc;
	}
	if (n < 0)
		return (int)n;
	s->inbox.start += (size_t)n;
	s->requested_ms = io_now_ms();
	s->record.handshake_ms = s->requested_ms - s->started_ms;
	s->record.command = wire_command_name(s->request.command);
	s->record.target = s->asked;
	s->record.target_len =
	    wire_print_destination(&s->request.dst, s->asked);
	if (s->request.command != WIRE_CONNECT)
		return -EOPNOTSUPP;
	rc = wire_check_destination(&s->request.dst);
	if (rc == 0)
		s->phase = PHASE_CONNECTING;
	return rc;
}

/* What can be told before any look-up. */
static int
check_rules(struct session *s)
{
	int rc = permit_request(&s->permit, RULES_CONNECT, &s->request.dst,
	    s->config->has_upstream);

	if (rc < 0)
		s->why = permit_reason(&s->permit, s->reason);
	return rc;
}

static int
reply(struct session *s, uint8_t rep, const union addr *bound)
{
	uint8_t message[WIRE_REPLY_MAX];

	s->record.reply = rep;
	return io_write(&s->peer.out, message,
	    wire_put_reply(message, rep, bound ? &bound->sa : NULL));
}

/* CONNECT, RFC 1928 section 6 */
static int
connect_out(struct session *s)
{
	struct reach *reach = &s->reach;
	int rc;

	io_alarm(s->config->connect_timeout_ms);
	rc = reach_target(s->config, &s->permit, &s->peer, &s->request, reach);
	s->record.connect_ms = io_now_ms() - s->requested_ms;
	if (reach->address.sa.sa_family != AF_UNSPEC)
		s->record.address = addr_format(&reach->address.sa, s->dialled);
	if (*reach->why)
		s->why = reach->why;
	if (rc < 0)
		return rc;
	s->phase = PHASE_RELAYING;
	return reply(s, WIRE_REP_SUCCEEDED, &reach->bound);
}

static void
carry(struct session *s)
{
	struct io_end *target = &s->reach.target;
	const struct io_end *ends[] = {&s->peer.in, &s->peer.out, target};
	const struct terms *terms = &s->reach.terms;
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

/*
 * Answers in the form that the phase allows, and lingers until the client has
 * read it: to exit with bytes of the client's unread would send a reset after
 * the answer, which can destroy it (RFC 1928 section 6 wants the connection
 * closed within ten seconds).
 */
static void
refuse(struct session *s, int rc)
{
	uint8_t message[WIRE_METHOD_LEN];
	int error = -rc;

	s->record.end = ending_of(s->phase, error, &s->why);
	s->record.error = s->why;
	io_alarm(DRAIN_MS);
	if (s->phase ==
	    PHASE_RELAYING) { /* the answer was 00, and did not arrive */
		io_reset_on_close(&s->reach.target);
		io_reset_on_close(&s->peer.out);
		return;
	}
	if (s->record.end == LOG_END_CLIENT_RESET || s->inbox.end == 0)
		return; /* nobody is there to be told, or nobody asked */
	if (s->phase == PHASE_PROXIED)
		return; /* whoever it is, it doesn't wait for our words */
	if (s->phase == PHASE_GREETING)
		io_write(&s->peer.out, message,
		    wire_put_method(message, WIRE_METHOD_NO_ACCEPTABLE));
	else if (s->phase == PHASE_LOGIN)
		io_write(&s->peer.out, message,
		    wire_put_status(message, WIRE_STATUS_FAILURE));
	else if (error == EREMOTE)
		reply(s, s->reach.rep, NULL);
	else if (s->record.end == LOG_END_HANDSHAKE_TIMEOUT)
		reply(s, WIRE_REP_FAILURE, NULL);
	else
		reply(s, wire_rep_from_errno(error), NULL);
	io_shut_write(&s->peer.out);
	io_drain(&s->peer.in, DRAIN_BYTES);
}

static void
serve(struct session *s)
{
	int rc;

	io_alarm(s->config->handshake_timeout_ms);
	if ((rc = read_proxy_header(s)) < 0 || (rc = greet(s)) < 0 ||
	    (rc = authenticate(s)) < 0 || (rc = read_request(s)) < 0 ||
	    (rc = check_rules(s)) < 0 || (rc = connect_out(s)) < 0)
		refuse(s, rc);
	else
		carry(s);
}

/* The client is served and let go before the log gets a word. */
static void
leave_record(struct session *s)
{
	s->record.client = s->peer.who.text;
	s->record.duration_ms = io_now_ms() - s->started_ms;
	peer_close(&s->peer);
	io_close(&s->reach.target);
	io_alarm_exit(RECORD_MS, EX_OSERR);
	log_session(&s->record);
}

/*
 * 0 when the client's connection is on descriptors 0 and 1; that of a listening
 * socket is only so in a process of its own. 1: the listening service has
 * ended. Or -errno.
 */
static int
take_over(struct peer *peer, int argc, char **argv, struct config *config)
{
	struct accept_sockets sockets;
	int rc = peer_take_over(peer);

	if (rc <= 0)
		return rc;
	sockets = (struct accept_sockets){
	    .first = peer->first_listener,
	    .count = (size_t)rc,
	};
	rc = accept_clients(&sockets, argc, argv, config);
	if (rc <= 0)
		return rc < 0 ? rc : 1;
	peer_guard_stderr(peer);
	return peer_take_over(peer);
}

/* The exit status. */
static int
run(int argc, char **argv, struct session *s, struct config *config)
{
	int rc;

	if (config->explain.host)
		return explain_request(config) < 0 ? EX_USAGE : EX_OK;
	rc = take_over(&s->peer, argc, argv, config);
	if (rc < 0)
		return rc == -EINVAL ? EX_USAGE : EX_OSERR;
	if (rc > 0)
		return EX_OK;
	s->started_ms = io_now_ms();
	serve(s);
	leave_record(s);
	permit_end(&s->permit);
	return EX_OK;
}

int
main(int argc, char **argv)
{
	/* Not on the stack: a page of these costs nothing until it is used. */
	static uint8_t in[IO_BUFFER_SIZE], out[IO_BUFFER_SIZE];
	struct config config;
	struct session s = {
	    .config = &config,
	    .inbox = {.data = in},
	    .outbox = {.data = out},
	    .phase = PHASE_GREETING,
	    .reach = {.target = {.fd = -1}},
	    .record = {.reply = -1, .handshake_ms = -1, .connect_ms = -1},
	};
	int rc;

	io_signals_init();
	peer_guard_stderr(&s.peer);
	rc = config_read(argc, argv, &config);
	if (rc != 0)
		return rc < 0 ? EX_USAGE : EX_OK;
	log_open(config.log);
	rc = run(argc, argv, &s, &config);
	config_free(&config);
	return rc;
}
