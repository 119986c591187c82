/* SPDX-License-Identifier: ISC */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int streams[LOAD_CLIENTS_MAX];

static void
upload(struct load *l, int fd)
{
	uint64_t offset = 0;

	while (!atomic_load(&l->stop)) {
		size_t len;
		const uint8_t *data = pattern_at(offset, &len);

		if (len > LOAD_CHUNK)
			len = LOAD_CHUNK;
		tunnel_write(fd, data, len);
		offset += len;
	}
	atomic_fetch_add(&l->moved, offset);
	tunnel_close(fd);
}

static void
download(struct load *l, int fd)
{
	uint8_t *buffer = malloc(LOAD_CHUNK);
	uint64_t offset = 0;
	ssize_t n;

	if (!buffer)
		fail("no memory for a buffer");
	while ((n = read(fd, buffer, LOAD_CHUNK)) > 0) {
		pattern_check(offset, buffer, (size_t)n);
		offset += (uint64_t)n;
	}
	if (n < 0)
		fail("the download broke off: %s", strerror(errno));
	free(buffer);
	atomic_fetch_add(&l->moved, offset);
	close(fd);
}

static void *
stream(void *arg)
{
	struct load *l = arg;
	int fd = streams[atomic_fetch_add(&l->next, 1)];

	(l->up ? upload : download)(l, fd);
	return NULL;
}

static void
run(struct load *l)
{
	unsigned long long moved, seen;
	int64_t cpu, began, ended;

	pattern_init();
	load_start_target(l, l->up ? TARGET_SINK : TARGET_SOURCE);
	for (size_t i = 0; i < l->clients; i++)
		streams[i] = tunnel_open(&l->route);
	cpu = measure_cpu_us(&l->proxy);
	began = now_ns();
	load_run_clients(l, stream);
	ended = now_ns();
	load_check_served(l, l->clients);
	moved = atomic_load(&l->moved);
	seen = atomic_load(&l->target.bytes);
	if (moved != seen)
		fail("%llu bytes here, and %llu at the target", moved, seen);
	printf("bytes %llu\ngb_per_second %.4f\n", moved,
	    (double)moved / (double)(ended - began));
	load_print_cpu("cpu_s_per_gb", cpu, measure_cpu_us(&l->proxy),
	    (double)moved / 1000);
}

static bool
read_numbers(struct load *l, int argc, char **argv)
{
	if (argc != 3)
		return false;
	l->up = strcmp(argv[0], "up") == 0;
	l->clients = load_number(argv[1], LOAD_CLIENTS_MAX);
	l->ns = load_ns(argv[2], 60000);
	return (l->up || strcmp(argv[0], "down") == 0) && l->clients > 0;
}

const struct test test_bulk = {"bulk", "down|up STREAMS MS", read_numbers, run};
