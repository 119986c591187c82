/* SPDX-License-Identifier: ISC */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void
load_nap(int64_t ns)
{
	const struct timespec t = {ns / 1000000000, ns % 1000000000};

	nanosleep(&t, NULL);
}

void
load_start_target(struct load *l, enum target_kind kind)
{
	l->target.kind = kind;
	l->target.message_len = l->bytes;
	target_start(&l->target);
	l->route.target = l->target.address;
}

/* All that were asked for have come, have been served, and no other. */
void
load_check_served(struct load *l, size_t count)
{
	target_wait_ended(&l->target, count);
	if (atomic_load(&l->target.accepted) != count)
		fail("%lu connections came to the target, not %zu",
		    atomic_load(&l->target.accepted), count);
	printf("connections %zu\n", count);
}

void
load_run_clients(struct load *l, void *(*work)(void *))
{
	pthread_t threads[LOAD_CLIENTS_MAX];

	for (size_t i = 0; i < l->clients; i++) {
		if ((errno = pthread_create(&threads[i], NULL, work, l)) != 0)
			fail("pthread_create: %s", strerror(errno));
	}
	/* The test's time, where its work doesn't end by itself. */
	if (l->count == 0) {
		load_nap(l->ns);
		atomic_store(&l->stop, true);
		atomic_store(&l->target.stop, true);
	}
	for (size_t i = 0; i < l->clients; i++)
		pthread_join(threads[i], NULL);
}

void
load_print_cpu(const char *name, int64_t before, int64_t after, double per)
{
	if (before >= 0)
		printf("%s %.6g\n", name, (double)(after - before) / per);
}

int64_t *
load_times(size_t count)
{
	int64_t *times = calloc(count, sizeof(*times));

	if (!times)
		fail("no memory for %zu times", count);
	return times;
}

size_t
load_number(const char *text, size_t most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > most) {
		fprintf(
		    stderr, "load: %s is not a number up to %zu\n", text, most);
		exit(2);
	}
	return n;
}

int64_t
load_ns(const char *ms, size_t most_ms)
{
	return (int64_t)load_number(ms, most_ms) * 1000000;
}
