/* SPDX-License-Identifier: ISC */
/*
 * Theory of operation
 *
 * The parent polls the listening sockets and a signalfd, and does nothing that
 * could wait: it accepts, hands the connection to a spare process or to one
 * forked on the spot, and closes its own copy. It reads no byte of a client's.
 *
 * Spares are forked while nobody comes: just then a fork takes no processor
 * away from the clients that are being served. A client that was accepted when
 * no process could be had is kept, and gets the first that can; no other is
 * accepted meanwhile.
 */
#include "service/accept.h"
#include "base/addr.h"
#include "base/io.h"
#include "base/log.h"
#include "service/clients.h"
#include "service/listeners.h"
#include "service/report.h"
#include "service/spare.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* After so long without a client it is quiet, and spares are made. */
#define QUIET_MS 3

/*
 * Processes that have ended are looked for after so long or so many clients,
 * and when it matters. To be woken by each would cost too much.
 */
#define REAP_MS      500
#define REAP_CLIENTS 32

/*
 * When clients can't be accepted or given a process: the time until the next
 * try, and that without a failure after which it is said that they are again.
 */
#define REST_MS   200
#define ENOUGH_MS 1000

/*
 * So many processes that have no client any more may wait for the log: twice as
 * many as there may be clients, and the first; or the second, without a limit.
 * A journal takes some hundred records a second on a busy machine, and in a
 * burst of short sessions all of them wait at once.
 */
#define RECORDS_MIN 16
#define RECORDS_MAX 2000

struct service {
	struct config *config;
	int argc;
	char **argv;
	const struct spare_work *work;
	struct listeners listeners;
	struct clients clients;
	struct spares spares;
	size_t children; /* clients, spares, and spares that were let go */

	int waiting; /* accepted, and without a process yet; -1: none */
	struct clients_source waiting_source;
	int64_t rest_until_ms;  /* 0: there is enough of everything */
	int64_t spare_again_ms; /* none could be made */

	struct report report;
	int64_t reap_ms;
	int64_t busy_ms; /* the last time there was a client */
	bool leaving;
};

static void
update_clients(struct service *s)
{
	report_clients(&s->report, s->clients.count - s->clients.let_go);
}

static void
note_end(struct service *s, pid_t pid, int status)
{
	bool client = clients_remove(&s->clients, pid);

	s->children--;
	if (client)
		s->busy_ms = io_now_ms();
	else if (!spares_remove(&s->spares, pid))
		return; /* nobody's any more */
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_OSERR)
		report_lost(&s->report);
	if (WIFSIGNALED(status))
		log_notice("process %d%s ended by signal %d", pid,
		    client ? ", and its client," : ", a spare,",
		    WTERMSIG(status));
}

static void
reap(struct service *s)
{
	int status;
	pid_t pid;

	s->reap_ms = io_now_ms() + REAP_MS;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		note_end(s, pid, status);
	update_clients(s);
}

/*
 * A process has let its client go, and waits for the log. When there are too
 * many of them, its record is given up.
 */
static void
note_let_go(struct service *s, pid_t pid)
{
	int64_t clients = s->config->max_clients;
	size_t most = clients ? 2 * (size_t)clients + RECORDS_MIN : RECORDS_MAX;

	if (clients_let_go(&s->clients, pid) > most &&
	    clients_remove(&s->clients, pid)) {
		kill(pid, SIGKILL);
		report_lost(&s->report);
	}
	update_clients(s);
}

/* Accepts nobody for a while. */
static void
rest(struct service *s, const char *what, int error)
{
	report_resting(&s->report, what, error);
	s->rest_until_ms = io_now_ms() + REST_MS;
}

/* To the client that waits for one; where none can be had, it waits on. */
static void
give_process(struct service *s)
{
	pid_t pid;

	if (clients_reserve(&s->clients) < 0) {
		rest(s, "no memory for another client", ENOMEM);
		return;
	}
	pid = spares_hand_over(&s->spares, s->waiting);
	if (pid == 0) {
		pid = spare_fork_for(s->waiting, s->work);
		s->children += pid > 0;
	}
	if (pid < 0) {
		reap(s); /* they count as processes until then */
		rest(s, "no process for another client", -pid);
		return;
	}
	close(s->waiting);
	s->waiting = -1;
	clients_add(&s->clients, pid, &s->waiting_source);
	report_served(&s->report);
	if (s->report.served % REAP_CLIENTS == 0)
		reap(s);
}

/* NULL, or the option that forbids it. */
static const char *
limit_reached(const struct service *s)
{
	return clients_limit(&s->clients, &s->waiting_source,
	    s->config->max_clients, s->config->max_per_source);
}

static void
turn_away(struct service *s, const union addr *from, const char *option)
{
	char text[ADDR_TEXT_MAX];

	close(s->waiting);
	s->waiting = -1;
	clients_source_name(&s->waiting_source, from, text);
	report_refused(&s->report, text, option);
}

static void
accept_one(struct service *s, size_t listener)
{
	union addr from;
	const char *option;
	int fd = listeners_accept(&s->listeners, listener, &from);

	if (fd == -EAGAIN)
		return;
	if (fd < 0) {
		rest(s, "can't accept", -fd);
		return;
	}
	s->waiting = fd;
	s->busy_ms = io_now_ms();
	clients_source(fd, &from, &s->waiting_source);
	if (limit_reached(s))
		reap(s);
	if ((option = limit_reached(s)) != NULL)
		turn_away(s, &from, option);
	else
		give_process(s);
}

static void
reload(struct service *s)
{
	struct config fresh;

	report_reloading(&s->report);
	if (config_read(s->argc, s->argv, &fresh) != 0) {
		log_notice("the configuration stays as it was");
	} else {
		config_free(s->config);
		*s->config = fresh;
		log_open(s->config->log);
		log_notice("the configuration was read again, for the clients "
			   "that come next");
		/* These know the old one. */
		spares_dismiss(&s->spares);
	}
	report_ready(&s->report);
}

static void
read_signals(struct service *s)
{
	pid_t sender;
	int signo;

	while ((signo = listeners_signal(&s->listeners, &sender)) > 0) {
		if (signo == signals_late()) {
			note_let_go(s, sender);
		} else if (signo == SIGHUP) {
			reload(s);
		} else if (signo == SIGUSR1) {
			reap(s);
			report_log(&s->report);
		} else {
			s->leaving = true;
		}
	}
}

static bool
wants_spare(const struct service *s)
{
	return s->spares.count < (size_t)s->config->spare &&
	       s->spares.count < SPARE_MAX;
}

/* No client is accepted, and no process made. */
static bool
is_resting(const struct service *s, int64_t now)
{
	return s->waiting >= 0 || now < s->rest_until_ms;
}

/* When the next spare is due, if one is wanted; 0: none. */
static int64_t
spare_due(const struct service *s)
{
	int64_t due = s->busy_ms + QUIET_MS;

	if (!wants_spare(s) || s->waiting >= 0)
		return 0;
	if (due < s->rest_until_ms)
		due = s->rest_until_ms;
	return due < s->spare_again_ms ? s->spare_again_ms : due;
}

/* For poll: until the next thing to do that nothing reports. */
static int
poll_timeout(const struct service *s, int64_t now)
{
	const struct config *config = s->config;
	int64_t next = s->rest_until_ms;

	if (next != 0 && !is_resting(s, now))
		next += ENOUGH_MS;
	next = io_earlier(next, report_next(&s->report));
	if (s->children > s->spares.count)
		next = io_earlier(next, s->reap_ms);
	if (config->idle_exit_ms && s->clients.count == 0)
		next = io_earlier(next, s->busy_ms + config->idle_exit_ms);
	return io_time_left(io_earlier(next, spare_due(s)), now);
}

static void
do_what_is_due(struct service *s)
{
	int64_t now = io_now_ms(), due;
	pid_t pid;

	if (s->children > s->spares.count && now >= s->reap_ms)
		reap(s);
	report_due(&s->report, now);
	if (s->waiting >= 0) {
		if (now >= s->rest_until_ms)
			give_process(s);
		return;
	}
	if (s->rest_until_ms != 0 && now >= s->rest_until_ms + ENOUGH_MS) {
		report_rested(&s->report);
		s->rest_until_ms = 0;
	}
	if (s->config->idle_exit_ms && s->clients.count == 0 &&
	    now >= s->busy_ms + s->config->idle_exit_ms)
		s->leaving = true;
	/* One at a time, and then a look at who has come. */
	due = spare_due(s);
	if (s->leaving || due == 0 || now < due)
		return;
	/* Without it, clients are served all the same. */
	pid = spares_add(&s->spares, s->work);
	if (pid < 0)
		s->spare_again_ms = now + REST_MS;
	s->children += pid > 0;
}

static void
accept_until_told_to_leave(struct service *s)
{
	const struct timespec nap = {.tv_nsec = REST_MS * 1000000L};

	while (!s->leaving) {
		int64_t now = io_now_ms();
		bool resting = is_resting(s, now);
		int rc = listeners_wait(
		    &s->listeners, resting, poll_timeout(s, now));

		if (rc < 0) {
			rest(s, "can't wait for clients", -rc);
			nanosleep(&nap, NULL);
		}
		read_signals(s);
		for (size_t i = 0; !resting && i < s->listeners.count; i++) {
			if (s->waiting < 0 && !s->leaving &&
			    listeners_has_client(&s->listeners, i))
				accept_one(s, i);
		}
		do_what_is_due(s);
	}
}

int
accept_clients(const struct accept_sockets *sockets, int argc, char **argv,
    struct config *config, const struct spare_work *work)
{
	struct service s = {
	    .config = config,
	    .argc = argc,
	    .argv = argv,
	    .work = work,
	    .waiting = -1,
	    .busy_ms = io_now_ms(),
	};
	int rc = listeners_open(&s.listeners, sockets->first, sockets->count,
	    work->oom ? work->oom->fd : -1);

	if (rc == 0)
		rc = clients_reserve(&s.clients);
	if (rc < 0)
		return rc;
	log_prepare();
	log_never_wait(true);
	report_ready(&s.report);
	accept_until_told_to_leave(&s);
	reap(&s);
	report_stopping(&s.report);
	spares_dismiss(&s.spares);
	listeners_restore(&s.listeners);
	/* No process could be had for it: this one is free now. */
	if (s.waiting >= 0)
		spare_serve(s.waiting, work);
	return 0;
}
