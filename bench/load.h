/* SPDX-License-Identifier: ISC */
/*
 * load: what the tests share, each of which is in a file of its own; the table
 * of them is in main.c.
 */
#ifndef LOAD_H
#define LOAD_H

#include "measure.h"
#include "target.h"
#include "tunnel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_CLIENTS_MAX 256
#define LOAD_WINDOW_MAX  4096
#define LOAD_UDP_MAX     65497  /* and the header, in a datagram of IPv4 */
#define LOAD_CHUNK       262144 /* of bulk, in one call */

struct load {
	struct route route;
	struct proxy proxy;
	struct target target;
	/* The test's numbers */
	size_t clients, count, bytes, window;
	int64_t ns;      /* its time, or the pause of a client */
	int64_t most_ns; /* setup's time, or 0 */
	bool up, split;
	/* How far it is */
	int64_t deadline_ns;
	atomic_size_t next;
	atomic_bool stop;
	atomic_ullong moved;
	int64_t *took; /* nanoseconds, one for each connection or exchange */
};

/* A test: its name, and its arguments as the usage names them. */
struct test {
	const char *name, *arguments;
	/* The arguments, to *load; false: these are none. */
	bool (*read)(struct load *load, int argc, char **argv);
	/* Runs it with the numbers in *load, and prints its lines. */
	void (*run)(struct load *load);
};

extern const struct test test_setup, test_bulk, test_exchange, test_split,
    test_idle, test_udp;

/* The target of that kind is where the route leads. */
void load_start_target(struct load *load, enum target_kind kind);

/*
 * load->clients threads, to their end. Where load->count is 0, load->stop and
 * the target's are set after load->ns.
 */
void load_run_clients(struct load *load, void *(*client)(void *));

/*
 * Exactly `count` connections have come to the target and ended there: prints
 * how many, or fails.
 */
void load_check_served(struct load *load, size_t count);

/* What the proxy used between two measure_cpu_us(), divided; or nothing. */
void load_print_cpu(
    const char *name, int64_t before, int64_t after, double divisor);

/* Sleeps. */
void load_nap(int64_t ns);

/* A number from 0 to `most`; else a sentence, and the program ends with 2. */
size_t load_number(const char *text, size_t most);

/* A time in milliseconds, in nanoseconds. */
int64_t load_ns(const char *ms, size_t most_ms);

/* Zeroed, of so many; fails where there is no memory. */
int64_t *load_times(size_t count);

#endif
