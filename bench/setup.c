/* SPDX-License-Identifier: ISC */
#include "load.h"

#include <stdio.h>

static void *
set_up(void *arg)
{
	struct load *l = arg;
	size_t i;

	while (now_ns() < l->deadline_ns &&
	       (i = atomic_fetch_add(&l->next, 1)) < l->count) {
		int64_t began = now_ns();
		int fd = tunnel_open(&l->route);

		l->took[i] = now_ns() - began;
		tunnel_close(fd);
		if (l->ns > 0)
			load_nap(l->ns);
	}
	return NULL;
}

static void
run(struct load *l)
{
	int64_t cpu, began, ended;

	l->bytes = 1;
	l->took = load_times(l->count);
	load_start_target(l, TARGET_ECHO);
	cpu = measure_cpu_us(&l->proxy);
	began = now_ns();
	l->deadline_ns = l->most_ns > 0 ? began + l->most_ns : INT64_MAX;
	load_run_clients(l, set_up);
	ended = now_ns();
	if (atomic_load(&l->next) < l->count)
		l->count = atomic_load(&l->next);
	load_check_served(l, l->count);
	measure_print("setup", l->took, l->count);
	printf("per_second %.1f\n",
	    (double)l->count * 1e9 / (double)(ended - began));
	load_print_cpu("cpu_us_per_connection", cpu, measure_cpu_us(&l->proxy),
	    (double)l->count);
}

static bool
read_numbers(struct load *l, int argc, char **argv)
{
	if (argc != 2 && argc != 3)
		return false;
	l->clients = load_number(argv[0], LOAD_CLIENTS_MAX);
	l->count = load_number(argv[1], 1000000);
	l->ns = argc == 3 ? load_ns(argv[2], 10000) : 0;
	return l->clients > 0 && l->count > 0;
}

const struct test test_setup = {
    "setup", "CLIENTS COUNT [PAUSE_MS]", read_numbers, run};
