/*
 * socks5-handler: the life of one SOCKS5 connection, in the protocol's order.
 *
 * A super-server started this process with a client's connection on
 * descriptors 0 and 1. Each phase returns 0 or -errno; the first failure goes
 * to refuse(), which answers in the form that the phase allows.
 */
#include "accept.h"
#include "addr.h"
#include "config.h"
#include "dial.h"
#include "io.h"
#include "log.h"
#include "peer.h"
#include "relay.h"
#include "resolve.h"
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

enum phase { GREETING, REQUEST, CONNECTING, RELAYING };

struct session {
	const struct config *config;
	struct peer peer;
	struct io_buffer inbox; /* from the client, not consumed yet */
	struct io_buffer outbox;
	enum phase phase;
	struct wire_request request;
	struct io_end target;
	struct relay relay;
	int64_t started_ms, requested_ms;
	struct log_record record;
	char asked[256 + sizeof(":65535")]; /* record.target */
	char dialled[ADDR_TEXT_MAX];        /* record.address */
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

/* Version and methods; we take "no authentication" if it is offered. */
static int
greet(struct session *s)
{
	struct wire_greeting greeting;
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
	if (!memchr(greeting.methods, WIRE_METHOD_NONE, greeting.methods_len))
		return -ENOPROTOOPT;
	s->inbox.start += (size_t)n;
	s->phase = REQUEST;
	return io_write(
	    &s->peer.out, message, wire_put_method(message, WIRE_METHOD_NONE));
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
		s->phase = CONNECTING;
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
	struct addr_list list;
	struct dial_result dialled;
	int rc;

	io_alarm(s->config->connect_timeout_ms);
	rc = resolve_destination(&s->request.dst, &s->peer.out, &list);
	if (rc == 0 && list.count == 1)
		s->record.address = addr_format(&list.at[0].sa, s->dialled);
	if (rc == 0)
		rc = dial(&list, &s->peer.out, &dialled);
	s->record.connect_ms = io_now_ms() - s->requested_ms;
	if (rc < 0)
		return rc;
	s->target = (struct io_end){.fd = dialled.fd, .kind = IO_TCP};
	s->record.address = addr_format(&dialled.address.sa, s->dialled);
	s->phase = RELAYING;
	return reply(s, WIRE_REP_SUCCEEDED, &dialled.bound);
}

static void
carry(struct session *s)
{
	const struct io_end *ends[] = {&s->peer.in, &s->peer.out, &s->target};
	bool endless = s->config->lifetime_ms == 0;

	io_alarm(s->config->lifetime_ms);
	io_set_nodelay(&s->target);
	/* Nothing else would ever notice that a side has vanished. */
	for (size_t i = s->peer.one_socket; i < 3 && endless; i++)
		io_set_keepalive(ends[i]);
	relay_init(&s->relay, &s->peer.in, &s->peer.out, &s->target, &s->inbox,
	    &s->outbox);
	s->record.end = relay_run(&s->relay, s->config->idle_timeout_ms);
	s->record.bytes_up = s->relay.up.total;
	s->record.bytes_down = s->relay.down.total;
}

/* How a session that failed in one of these phases ended; first match. */
static const struct failure {
	int error; /* 0: any */
	enum phase from, to;
	enum log_end end;
	const char *words; /* NULL: strerror(3) has them */
} failures[] = {
    {ECANCELED, GREETING, RELAYING, LOG_END_TERMINATED, "stopped by SIGTERM"},
    {ENOTCONN, GREETING, REQUEST, LOG_END_CLIENT_EOF, "no request came"},
    {ETIMEDOUT, GREETING, REQUEST, LOG_END_HANDSHAKE_TIMEOUT,
	"no request came"},
    {ENOPROTOOPT, GREETING, REQUEST, LOG_END_NO_METHOD, "no method in common"},
    {EPROTO, GREETING, REQUEST, LOG_END_MALFORMED, "not SOCKS5"},
    {EAFNOSUPPORT, GREETING, REQUEST, LOG_END_MALFORMED, "unknown ATYP"},
    {EINVAL, GREETING, REQUEST, LOG_END_MALFORMED, "not a host name"},
    {EOPNOTSUPP, GREETING, REQUEST, LOG_END_REFUSED, "command not supported"},
    {0, GREETING, REQUEST, LOG_END_CLIENT_RESET, NULL},
    {ETIMEDOUT, CONNECTING, CONNECTING, LOG_END_CONNECT_TIMEOUT, NULL},
    {EPIPE, CONNECTING, CONNECTING, LOG_END_CLIENT_RESET, "client left"},
    {ENXIO, CONNECTING, CONNECTING, LOG_END_REFUSED, "name not found"},
    {EREMOTEIO, CONNECTING, CONNECTING, LOG_END_REFUSED, "name servers failed"},
    {0, CONNECTING, CONNECTING, LOG_END_REFUSED, NULL},
    {0, RELAYING, RELAYING, LOG_END_CLIENT_RESET, NULL},
};

static void
note_failure(struct session *s, int error)
{
	const struct failure *f = failures;

	while (s->phase < f->from || s->phase > f->to ||
	       (f->error && f->error != error))
		f++;
	s->record.end = f->end;
	s->record.error = f->words ? f->words : strerror(error);
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

	note_failure(s, error);
	io_alarm(DRAIN_MS);
	if (s->phase == RELAYING) { /* the answer was 00, and did not arrive */
		io_reset_on_close(&s->target);
		io_reset_on_close(&s->peer.out);
		return;
	}
	if (s->record.end == LOG_END_CLIENT_RESET || s->inbox.end == 0)
		return; /* nobody is there to be told, or nobody asked */
	if (s->phase == GREETING)
		io_write(&s->peer.out, message,
		    wire_put_method(message, WIRE_METHOD_NO_ACCEPTABLE));
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
	if ((rc = greet(s)) < 0 || (rc = read_request(s)) < 0 ||
	    (rc = connect_out(s)) < 0)
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
	io_close(&s->target);
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
	    .target = {.fd = -1},
	    .record = {.reply = -1, .handshake_ms = -1, .connect_ms = -1},
	};
	int rc;

	io_signals_init();
	peer_guard_stderr(&s.peer);
	rc = config_read(argc, argv, &config);
	if (rc != 0)
		return rc < 0 ? EX_USAGE : EX_OK;
	log_open(config.log);
	rc = take_over(&s.peer, argc, argv, &config);
	if (rc < 0)
		return rc == -EINVAL ? EX_USAGE : EX_OSERR;
	if (rc > 0)
		return EX_OK;
	s.started_ms = io_now_ms();
	serve(&s);
	leave_record(&s);
	return EX_OK;
}
