/* SPDX-License-Identifier: ISC */
/*
 * report: what the listening service says of itself, to the service manager
 * (sd_notify(3)) and to the log. What is said of many clients is said once a
 * second at most. Nothing waits for a reader: what can't be said now is said
 * later, or how much of it there was.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero at the start. Times are those of io_now_ms(). */
struct report {
	size_t clients;           /* now */
	uint64_t served, refused; /* since the start, the first with those */

	uint64_t unsaid, lost; /* refused, records, since the last sentence */
	int64_t say_again_ms;

	bool ready, told;     /* READY=1 and STATUS= have been told, and hold */
	int64_t reloading_us; /* RELOADING=1 has to be told, since then; or 0 */
	int64_t tell_again_ms;
	int64_t watchdog_ms, feed_ms;
	bool resting; /* report_resting() has been said */
};

/* READY=1, at the start and after report_reloading(). */
void report_ready(struct report *report);
void report_reloading(struct report *report);
void report_stopping(struct report *report);

/* The numbers, to the log. */
void report_log(const struct report *report);

/* One client more is there; so many are there now. */
void report_served(struct report *report);
void report_clients(struct report *report, size_t clients);

/* A client was refused, for this option's sake. */
void report_refused(
    struct report *report, const char *client, const char *option);

/* A client's process could not leave its record. */
void report_lost(struct report *report);

/* Clients wait, for this error: said once, until report_rested(). */
void report_resting(struct report *report, const char *what, int error);
void report_rested(struct report *report);

/* Says what is due, WATCHDOG=1 among it. */
void report_due(struct report *report, int64_t now);

/* When report_due() will have something to say; 0: never. */
int64_t report_next(const struct report *report);

#endif
