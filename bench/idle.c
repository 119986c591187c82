/* SPDX-License-Identifier: ISC */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Whatever follows a reply is over by then. */
#define SETTLE_NS 200000000

static void
print_memory(const struct load *l, const struct memory *before,
    const struct memory *now, int64_t taken_kib)
{
	double count = (double)l->count;

	printf("available_kib_per_tunnel %.1f\n", (double)taken_kib / count);
	if (now->processes < 0)
		return;
	printf("processes %lld\nprivate_kib_per_tunnel %.1f\n"
	       "pss_kib_per_tunnel %.1f\n",
	    (long long)now->processes,
	    (double)(now->private_kib - before->private_kib) / count,
	    (double)(now->pss_kib - before->pss_kib) / count);
}

static void
run(struct load *l)
{
	struct memory before, now;
	int64_t available, cpu, cpu_held;
	int *held = calloc(l->count, sizeof(*held));
	uint8_t byte = 'x';

	if (!held)
		fail("no memory");
	l->bytes = 1;
	load_start_target(l, TARGET_ECHO);
	measure_memory(&l->proxy, &before);
	available = measure_available_kib();
	cpu = measure_cpu_us(&l->proxy);
	for (size_t i = 0; i < l->count; i++)
		held[i] = tunnel_open(&l->route);
	load_nap(SETTLE_NS);
	cpu_held = measure_cpu_us(&l->proxy);
	available -= measure_available_kib();
	measure_memory(&l->proxy, &now);
	for (size_t i = 0; i < l->count; i++) {
		tunnel_write(held[i], &byte, 1);
		tunnel_read(held[i], &byte, 1);
	}
	for (size_t i = 0; i < l->count; i++)
		shutdown(held[i], SHUT_WR);
	for (size_t i = 0; i < l->count; i++)
		tunnel_close(held[i]);
	free(held);
	load_check_served(l, l->count);
	print_memory(l, &before, &now, available);
	load_print_cpu(
	    "cpu_us_per_connection", cpu, cpu_held, (double)l->count);
}

static bool
read_numbers(struct load *l, int argc, char **argv)
{
	if (argc != 1)
		return false;
	l->count = load_number(argv[0], 100000);
	return l->count > 0;
}

const struct test test_idle = {"idle", "COUNT", read_numbers, run};
