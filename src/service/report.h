/* SPDX-License-Identifier: ISC */
/*
 * report: what the listening service says of itself, to the service manager
 * (sd_notify(3)) and to the log. What is said of many clients is said once a
 * second at most.
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

	uint64_t unsaid; /* refused since the last sentence about it */
	int64_t say_again_ms;
	bool told; /* STATUS= is what is so */
	int64_t tell_again_ms;
	int64_t watchdog_ms, feed_ms;
	bool tired; /* report_tired() has been said */
};

/* READY=1; a sentence where it can't be said. */
void report_ready(struct report *report);

/* STATUS=, behind `line`: another of sd_notify(3)'s with its newline, or "". */
void report_tell(struct report *report, const char *line);

/* RELOADING=1; report_tell() with READY=1 has to follow. */
void report_reloading(struct report *report);

/* The numbers, to the log. */
void report_log(const struct report *report);

/* One client more is there; so many are there now. */
void report_served(struct report *report);
void report_clients(struct report *report, size_t clients);

/* A client was refused, for this option's sake. */
void report_refused(
    struct report *report, const char *client, const char *option);

/* Something is used up: said once, until report_rested(). */
void report_tired(struct report *report, const char *what, int error);
void report_rested(struct report *report);

/* Says what is due, WATCHDOG=1 among it. */
void report_due(struct report *report, int64_t now);

/* When report_due() will have something to say; 0: never. */
int64_t report_next(const struct report *report);

#endif
