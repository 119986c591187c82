/* SPDX-License-Identifier: ISC */
#include "service/report.h"
#include "base/io.h"
#include "base/log.h"
#include "base/systemd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* STATUS= and sentences about single clients come no faster. */
#define PACE_MS 1000

static void
summarize(const struct report *r, char *out, size_t size)
{
	snprintf(out, size,
	    "%zu clients, %" PRIu64 " refused, %" PRIu64 " in all", r->clients,
	    r->refused, r->served);
}

/* What systemd_notify() says. */
static int
tell(struct report *r, const char *line)
{
	char summary[96], state[192];

	summarize(r, summary, sizeof(summary));
	snprintf(state, sizeof(state), "%sSTATUS=%s", line, summary);
	r->told = true;
	r->tell_again_ms = io_now_ms() + PACE_MS;
	return systemd_notify(state);
}

void
report_ready(struct report *r)
{
	r->watchdog_ms = systemd_watchdog_ms();
	r->feed_ms = io_now_ms() + r->watchdog_ms;
	if (tell(r, "READY=1\n") == -ENOSYS)
		log_fault("NOTIFY_SOCKET is set, but libsystemd.so.0 can't be "
			  "loaded: install libsystemd0, or set Type=exec in "
			  "the service");
}

void
report_tell(struct report *r, const char *line)
{
	tell(r, line);
}

void
report_reloading(struct report *r)
{
	struct timespec now;
	char line[64];

	/* To the microsecond: systemd wants none before it sent SIGHUP. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(line, sizeof(line),
	    "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n",
	    (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	report_tell(r, line);
}

void
report_log(const struct report *r)
{
	char summary[96];

	summarize(r, summary, sizeof(summary));
	log_notice("%s", summary);
}

void
report_served(struct report *r)
{
	r->served++;
	report_clients(r, r->clients + 1);
}

void
report_clients(struct report *r, size_t clients)
{
	r->told = r->told && clients == r->clients;
	r->clients = clients;
}

void
report_refused(struct report *r, const char *client, const char *option)
{
	int64_t now = io_now_ms();

	r->refused++;
	r->told = false;
	if (now < r->say_again_ms) {
		r->unsaid++;
		return;
	}
	log_notice("%s was refused: as many clients as --%s permits are served "
		   "already",
	    client, option);
	r->say_again_ms = now + PACE_MS;
}

void
report_tired(struct report *r, const char *what, int error)
{
	if (!r->tired)
		log_notice("%s: %s; clients wait until there are more", what,
		    strerror(error));
	r->tired = true;
}

void
report_rested(struct report *r)
{
	if (r->tired)
		log_notice("there are enough descriptors, memory and "
			   "processes again");
	r->tired = false;
}

void
report_due(struct report *r, int64_t now)
{
	if (r->watchdog_ms && now >= r->feed_ms) {
		systemd_notify("WATCHDOG=1");
		r->feed_ms = now + r->watchdog_ms;
	}
	if (!r->told && now >= r->tell_again_ms)
		report_tell(r, "");
	if (r->unsaid && now >= r->say_again_ms) {
		log_notice("%" PRIu64 " more clients were refused", r->unsaid);
		r->unsaid = 0;
		r->say_again_ms = now + PACE_MS;
	}
}

int64_t
report_next(const struct report *r)
{
	int64_t next = r->watchdog_ms ? r->feed_ms : 0;

	if (!r->told)
		next = io_earlier(next, r->tell_again_ms);
	if (r->unsaid)
		next = io_earlier(next, r->say_again_ms);
	return next;
}
