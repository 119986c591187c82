/* SPDX-License-Identifier: ISC */
#include "load.h"

#include <stdio.h>
#include <string.h>

#define SPLIT_GAP_NS  300000
#define EXCHANGES     100000 /* at most */
#define EXCHANGES_MIN 20

/* The kernel may delay an acknowledgement for 40 ms. */
#define STALL_NS 30000000

static void
exchange(struct load *l, int fd, const uint8_t *sent, uint8_t *back)
{
	size_t first = l->split ? l->bytes / 2 : 0;

	if (first > 0) {
		tunnel_write(fd, sent, first);
		load_nap(SPLIT_GAP_NS);
	}
	l->took[l->count] = now_ns();
	tunnel_write(fd, sent + first, l->bytes - first);
	tunnel_read(fd, back, l->bytes);
	l->took[l->count] = now_ns() - l->took[l->count];
	l->count++;
	if (memcmp(sent, back, l->bytes) != 0)
		fail("another message came back");
}

static void
run(struct load *l)
{
	static uint8_t back[TARGET_MESSAGE_MAX];
	int64_t cpu, deadline;
	size_t stalls = 0, len;
	int fd;

	pattern_init();
	l->took = load_times(EXCHANGES);
	load_start_target(l, TARGET_ECHO);
	fd = tunnel_open(&l->route);
	cpu = measure_cpu_us(&l->proxy);
	deadline = now_ns() + l->ns;
	while (l->count < EXCHANGES &&
	       (l->count < EXCHANGES_MIN || now_ns() < deadline))
		exchange(l, fd, pattern_at(l->count, &len), back);
	load_print_cpu("cpu_us_per_exchange", cpu, measure_cpu_us(&l->proxy),
	    (double)l->count);
	tunnel_close(fd);
	load_check_served(l, 1);
	for (size_t i = 0; i < l->count; i++)
		stalls += l->took[i] >= STALL_NS;
	printf("exchanges %zu\nstalls %zu\n", l->count, stalls);
	measure_print("exchange", l->took, l->count);
}

static bool
read_numbers(struct load *l, int argc, char **argv)
{
	if (argc != 2)
		return false;
	l->bytes = load_number(argv[0], TARGET_MESSAGE_MAX);
	l->ns = load_ns(argv[1], 60000);
	return l->bytes > 0;
}

static void
run_split(struct load *l)
{
	l->split = true;
	run(l);
}

const struct test test_exchange = {"exchange", "BYTES MS", read_numbers, run};
const struct test test_split = {"split", "BYTES MS", read_numbers, run_split};
