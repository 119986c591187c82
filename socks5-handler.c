/* SPDX-License-Identifier: ISC */
/*
 * socks5-handler: the life of one SOCKS5 connection, in the protocol's order.
 *
 * A super-server started this process with a client's connection on
 * descriptors 0 and 1. Each phase returns OUTCOME_DONE or why not; the first
 * failure goes to session_refuse(), which answers in the form that the phase
 * allows.
 */
#include "base/io.h"
#include "base/log.h"
#include "config/config.h"
#include "policy/permit.h"
#include "service/accept.h"
#include "session/command.h"
#include "session/explain.h"
#include "session/handshake.h"
#include "session/peer.h"
#include "session/session.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

/* The journal has this long to take the record. */
#define RECORD_MS 5000

static void
serve(struct session *s)
{
	io_alarm(s->config->handshake_timeout_ms);
	if (handshake_run(s) == OUTCOME_DONE &&
	    command_begin(s) == OUTCOME_DONE)
		command_carry(s);
	else
		session_refuse(s);
}

/* The client is served, and let go before the log gets a word. */
static void
leave_record(struct session *s)
{
	s->record.client = s->peer.who.text;
	s->record.client_len = strlen(s->peer.who.text);
	s->record.duration_ms = io_now_ms() - s->started_ms;
	peer_close(&s->peer);
	io_close(&s->egress.target);
	io_alarm_exit(RECORD_MS, EX_OSERR);
	log_session(&s->record);
}

static int
exit_status(int rc)
{
	if (rc == 0)
		return EX_OK;
	return rc == -EINVAL ? EX_USAGE : EX_OSERR;
}

/* The connection has been taken over. The exit status. */
static int
serve_client(struct session *s)
{
	s->started_ms = io_now_ms();
	serve(s);
	leave_record(s);
	permit_end(&s->permit);
	return EX_OK;
}

/* The same in a process that the listening service has made for a client. */
static int
serve_accepted(void *session)
{
	struct session *s = session;
	int rc;

	peer_guard_stderr(&s->peer);
	rc = peer_take_over(&s->peer);
	return rc == 0 ? serve_client(s) : exit_status(rc);
}

/* The exit status. */
static int
run(int argc, char **argv, struct session *s, struct config *config)
{
	const struct spare_work work = {serve_accepted, s};
	struct accept_sockets sockets;
	int rc;

	if (config->explain.host)
		return explain_request(config) < 0 ? EX_USAGE : EX_OK;
	rc = peer_take_over(&s->peer);
	if (rc == 0)
		return serve_client(s);
	if (rc < 0)
		return exit_status(rc);
	sockets = (struct accept_sockets){
	    .first = s->peer.first_listener,
	    .count = (size_t)rc,
	};
	return exit_status(accept_clients(&sockets, argc, argv, config, &work));
}

int
main(int argc, char **argv)
{
	/* Not on the stack: a page of these costs nothing until it is used. */
	static uint8_t in[IO_BUFFER_SIZE], out[IO_BUFFER_SIZE];
	static struct session s;
	static struct config config;
	int rc;

	session_init(&config, in, out, &s);
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
