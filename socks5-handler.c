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
#include "base/process.h"
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

/* What main() holds. */
struct handler {
	int argc;
	char **argv;
	struct config config;
	struct session session;
	struct process_oom oom;
	pid_t service; /* whose child serves the client; or 0 */
};

static void
serve(struct handler *h)
{
	struct session *s = &h->session;

	signals_alarm(s->config->handshake_timeout_ms);
	if (handshake_run(s) != OUTCOME_DONE) {
		session_refuse(s);
		return;
	}
	config_forget_users(&h->config);
	if (command_begin(s) != OUTCOME_DONE) {
		session_refuse(s);
		return;
	}
	config_forget_upstream(&h->config, h->argv);
	command_carry(s);
}

/*
 * The client is served, and let go before the log gets a word. 0, or -errno
 * when the log didn't take it. The service is told when that takes long.
 */
static int
leave_record(struct session *s, pid_t service)
{
	s->record.client = s->peer.who.text;
	s->record.client_len = strlen(s->peer.who.text);
	s->record.duration_ms = io_now_ms() - s->started_ms;
	peer_close(&s->peer);
	egress_close(&s->egress);
	signals_alarm_exit(RECORD_MS, EX_OSERR, service);
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
serve_client(struct handler *h)
{
	struct session *s = &h->session;
	int rc;

	s->started_ms = io_now_ms();
	serve(h);
	rc = leave_record(s, h->service);
	permit_end(&s->permit);
	if (rc < 0)
		return EX_OSERR;
	/* Pipes have no reset: the status is what can tell. */
	return session_is_remote(s) && session_was_cut(s) ? EX_IOERR : EX_OK;
}

/* The same in a process that the listening service has made for a client. */
static int
serve_accepted(void *handler)
{
	struct handler *h = handler;
	struct peer *peer = &h->session.peer;
	int rc;

	log_never_wait(false);
	peer_guard_stderr(peer);
	rc = peer_take_over(peer);
	return rc == 0 ? serve_client(h) : exit_status(rc);
}

/* The exit status. */
static int
run(struct handler *h)
{
	const struct spare_work work = {serve_accepted, h, &h->oom};
	struct peer *peer = &h->session.peer;
	struct accept_sockets sockets;
	int rc;

	if (h->config.check)
		return check_config(&h->config) < 0 ? EX_USAGE : EX_OK;
	if (h->config.explain.host)
		return explain_request(&h->config) < 0 ? EX_USAGE : EX_OK;
	rc = peer_take_over(peer);
	if (rc == 0)
		return serve_client(h);
	if (rc < 0)
		return exit_status(rc);
	h->service = getpid();
	sockets = (struct accept_sockets){
	    .first = peer->first_listener,
	    .count = (size_t)rc,
	};
	return exit_status(
	    accept_clients(&sockets, h->argc, h->argv, &h->config, &work));
}

int
main(int argc, char **argv)
{
	/* Not on the stack: a page of these costs nothing until it is used. */
	static uint8_t in[IO_BUFFER_SIZE], out[IO_BUFFER_SIZE];
	static struct handler h;
	int rc;

	h.oom.fd = -1;
	if (peer_may_listen())
		process_open_oom(&h.oom);
	process_protect();
	h.argc = argc;
	h.argv = argv;
	session_init(&h.config, in, out, &h.session);
	signals_init();
	peer_guard_stderr(&h.session.peer);
	rc = config_read(argc, argv, &h.config);
	if (rc != 0)
		return rc < 0 ? EX_USAGE : EX_OK;
	log_open(h.config.log);
	rc = run(&h);
	config_free(&h.config);
	return rc;
}
