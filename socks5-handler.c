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
#include "session/check.h"
#include "session/command.h"
#include "session/explain.h"
#include "session/handshake.h"
#include "session/peer.h"
#include "session/session.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

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

/*
 * The client is served, and let go before the log gets a word. 0, or -errno
 * when the log didn't take it. A service that made this process for the client
 * is told when that takes long; 0 for none.
 */
static int
leave_record(struct session *s, pid_t service)
{
	s->record.client = s->peer.who.text;
	s->record.client_len = strlen(s->peer.who.text);
	s->record.duration_ms = io_now_ms() - s->started_ms;
	peer_close(&s->peer);
	egress_close(&s->egress);
	io_alarm_exit(RECORD_MS, EX_OSERR, service);
	return log_session(&s->record);
}

static int
exit_status(int rc)
{
	if (rc == 0)
		return EX_OK;
	if (rc == -ENOMEM)
		log_fault("not enough memory");
	return rc == -EINVAL ? EX_USAGE : EX_OSERR;
}

/* The connection has been taken over. The exit status. */
static int
serve_client(struct session *s, pid_t service)
{
	int rc;

	s->started_ms = io_now_ms();
	serve(s);
	rc = leave_record(s, service);
	permit_end(&s->permit);
	if (rc < 0)
		return EX_OSERR;
	/* Pipes have no reset: the status is what can tell. */
	return session_is_remote(s) && session_was_cut(s) ? EX_IOERR : EX_OK;
}

struct accepted {
	struct session *session;
	pid_t service;
};

/* The same in a process that the listening service has made for a client. */
static int
serve_accepted(void *accepted)
{
	const struct accepted *a = accepted;
	struct peer *peer = &a->session->peer;
	int rc;

	log_never_wait(false);
	peer_guard_stderr(peer);
	rc = peer_take_over(peer);
	return rc == 0 ? serve_client(a->session, a->service) : exit_status(rc);
}

/* The exit status. */
static int
run(int argc, char **argv, struct session *s, struct config *config)
{
	struct accepted accepted = {.session = s};
	const struct spare_work work = {serve_accepted, &accepted};
	struct accept_sockets sockets;
	int rc;

	if (config->check)
		return check_config(config) < 0 ? EX_USAGE : EX_OK;
	if (config->explain.host)
		return explain_request(config) < 0 ? EX_USAGE : EX_OK;
	rc = peer_take_over(&s->peer);
	if (rc == 0)
		return serve_client(s, 0);
	if (rc < 0)
		return exit_status(rc);
	sockets = (struct accept_sockets){
	    .first = s->peer.first_listener,
	    .count = (size_t)rc,
	};
	accepted.service = getpid();
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
