/* SPDX-License-Identifier: ISC */
#include "service/report.h"
#include "base/io.h"
#include "base/log.h"
#include "base/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* STATUS= and sentences about single clients come no faster. */
#define PACE_MS 1000

/* Until WATCHDOG=1 is tried again. */
#define FEED_AGAIN_MS 100

static void
summarize(const struct report *r, char *out, size_t size)
{
	snprintf(out, size,
	    "%zu clients, %" PRIu64 " refused, %" PRIu64 " in all", r->clients,
	    r->refused, r->served);
}

/* `line` is one of sd_notify(3)'s with its newline, or "". */
static int
tell(struct report *r, const char *line)
{
	char summary[96], state[192];

	summarize(r, summary, sizeof(summary));
	snprintf(state, sizeof(state), "%sSTATUS=%s", line, summary);
	r->tell_again_ms = io_now_ms() + PACE_MS;
	r->told = notify_send(state) != -EAGAIN;
	return r->told ? 0 : -EAGAIN;
}

/* What the service manager doesn't know yet, in its order. */
static void
tell_all(struct report *r)
{
	char line[64];

	if (r->reloading_us) {
		snprintf(line, sizeof(line),
		    "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n",
		    r->reloading_us);
		if (tell(r, line) < 0)
			return;
		r->reloading_us = 0;
		if (r->ready) /* and isn't again until report_ready() */
			return;
	}
	if (tell(r, r->ready ? "" : "READY=1\n") == 0)
		r->ready = true;
}

void
report_ready(struct report *r)
{
	if (r->watchdog_ms == 0) {
		r->watchdog_ms = notify_watchdog_ms();
		r->feed_ms = io_now_ms() + r->watchdog_ms;
	}
	r->ready = false;
	tell_all(r);
}

void
report_reloading(struct report *r)
{
	struct timespec now;

	/* To the microsecond: systemd wants none before it sent SIGHUP. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	r->reloading_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	tell_all(r);
}

void
report_stopping(struct report *r)
{
	tell(r, "STOPPING=1\n");
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
report_lost(struct report *r)
{
	r->lost++;
}

void
report_resting(struct report *r, const char *what, int error)
{
	if (!r->resting)
		log_notice("%s: %s; clients wait", what, strerror(error));
	r->resting = true;
}

void
report_rested(struct report *r)
{
	if (r->resting)
		log_notice("clients are served again");
	r->resting = false;
}

static bool
has_to_say(const struct report *r)
{
	return r->unsaid > 0 || r->lost > 0 || log_owes();
}

/* What was saved up. While the log takes nothing, the first stays the only one
 * that is tried. */
static void
say_all(struct report *r)
{
	if (log_catch_up() < 0)
		return;
	if (r->lost &&
	    log_notice("records that no log took: %" PRIu64, r->lost) == 0)
		r->lost = 0;
	if (r->unsaid && log_notice("clients refused beyond these: %" PRIu64,
			     r->unsaid) == 0)
		r->unsaid = 0;
}

void
report_due(struct report *r, int64_t now)
{
	if (r->watchdog_ms && now >= r->feed_ms) {
		bool fed = notify_send("WATCHDOG=1") != -EAGAIN;

		r->feed_ms = now + (fed ? r->watchdog_ms : FEED_AGAIN_MS);
	}
	if (!r->told && now >= r->tell_again_ms)
		tell_all(r);
	if (has_to_say(r) && now >= r->say_again_ms) {
		say_all(r);
		r->say_again_ms = now + PACE_MS;
	}
}

int64_t
report_next(const struct report *r)
{
	int64_t next = r->watchdog_ms ? r->feed_ms : 0;

	if (!r->told)
		next = io_earlier(next, r->tell_again_ms);
	if (has_to_say(r)) /* at once, where nothing was said before */
		next = io_earlier(next, r->say_again_ms ? r->say_again_ms : 1);
	return next;
}
