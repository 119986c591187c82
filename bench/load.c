/* SPDX-License-Identifier: ISC */
/*
 * load: measures a SOCKS5 proxy with clients and targets of its own, all in
 * this process; on 127.0.0.1.
 *
 *   load [-p PORT] [-g CGROUP | -P PID] [-l SECONDS] [-t MS] TEST
 *
 * TEST is one of
 *   setup CLIENTS COUNT [PAUSE_MS]  COUNT connections, by CLIENTS at once, each
 *                                   of whom waits for PAUSE_MS in between
 *   bulk down|up STREAMS MS         as much as goes through in this time
 *   exchange BYTES MS               a message there, and the same back
 *   split BYTES MS                  ... whose halves are written 300 us apart
 *   idle COUNT                      tunnels held, and each used at the end
 *   udp BYTES WINDOW MS             datagrams there, and the same back, so many
 *                                   under way at once (UDP ASSOCIATE)
 *
 * -p  the proxy's port; without it, targets are connected to directly
 * -g  the cgroup2 directory that has the proxy's processes and no other
 * -P  or their common ancestor; without either, CPU and memory are left out
 * -t  begins no connection of "setup" after so long
 * -l  ends everything after so long (60 s), as a failure
 *
 * Prints lines "name value". Every connection is counted at the target, and
 * every byte there and here; exits with 1, and a sentence, if one is missing or
 * wrong or anything fails, with 2 for bad usage. Of datagrams some may be lost,
 * which are counted, but none may be wrong.
 */
#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

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

static int
usage(void)
{
	fputs("usage: load [-p PORT] [-g CGROUP | -P PID] [-l SECONDS] [-t MS] "
	      "TEST\n"
	      "TEST: setup CLIENTS COUNT [PAUSE_MS] | bulk down|up STREAMS MS "
	      "|\n"
	      "      exchange BYTES MS | split BYTES MS | idle COUNT |\n"
	      "      udp BYTES WINDOW MS\n",
	    stderr);
	return 2;
}

static size_t
number(const char *text, size_t most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > most) {
		fprintf(
		    stderr, "load: %s is not a number up to %zu\n", text, most);
		exit(usage());
	}
	return n;
}

static void
read_options(struct load *l, int argc, char **argv)
{
	unsigned limit = 60;
	int opt;

	l->route.direct = true;
	while ((opt = getopt(argc, argv, "+p:g:P:l:t:")) != -1) {
		if (opt == 'p') {
			l->route.direct = false;
			l->route.proxy = (struct sockaddr_in){
			    .sin_family = AF_INET,
			    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
			    .sin_port = htons((uint16_t)number(optarg, 65535)),
			};
		} else if (opt == 'g') {
			l->proxy.cgroup = optarg;
		} else if (opt == 'P') {
			l->proxy.root = (pid_t)number(optarg, 4194304);
		} else if (opt == 't') {
			l->most_ns = (int64_t)number(optarg, 60000) * 1000000;
		} else if (opt == 'l') {
			limit = (unsigned)number(optarg, 86400);
		} else {
			exit(usage());
		}
	}
	alarm(limit);
}

/* The tests' own words; false: there is no such test. */
static bool
run_test(struct load *l, int argc, char **argv)
{
	const char *test = argc > 0 ? argv[0] : "";

	if (strcmp(test, "setup") == 0 && (argc == 3 || argc == 4)) {
		l->clients = number(argv[1], LOAD_CLIENTS_MAX);
		l->count = number(argv[2], 1000000);
		l->ns =
		    argc == 4 ? (int64_t)number(argv[3], 10000) * 1000000 : 0;
		if (l->clients == 0 || l->count == 0)
			return false;
		test_setup(l);
	} else if (strcmp(test, "bulk") == 0 && argc == 4 &&
		   (strcmp(argv[1], "up") == 0 ||
		       strcmp(argv[1], "down") == 0)) {
		l->up = argv[1][0] == 'u';
		l->clients = number(argv[2], LOAD_CLIENTS_MAX);
		l->ns = (int64_t)number(argv[3], 60000) * 1000000;
		if (l->clients == 0)
			return false;
		test_bulk(l);
	} else if ((strcmp(test, "exchange") == 0 ||
		       strcmp(test, "split") == 0) &&
		   argc == 3) {
		l->split = test[0] == 's';
		l->bytes = number(argv[1], TARGET_MESSAGE_MAX);
		l->ns = (int64_t)number(argv[2], 60000) * 1000000;
		if (l->bytes == 0)
			return false;
		test_exchange(l);
	} else if (strcmp(test, "idle") == 0 && argc == 2) {
		l->count = number(argv[1], 100000);
		if (l->count == 0)
			return false;
		test_idle(l);
	} else if (strcmp(test, "udp") == 0 && argc == 4) {
		l->bytes = number(argv[1], LOAD_UDP_MAX);
		l->window = number(argv[2], LOAD_WINDOW_MAX);
		l->ns = (int64_t)number(argv[3], 60000) * 1000000;
		if (l->bytes < 8 || l->window == 0)
			return false;
		test_udp(l);
	} else {
		return false;
	}
	return true;
}

static void
on_alarm(int signo)
{
	static const char words[] = "load: it took longer than -l allows\n";

	(void)signo;
	_exit(write(STDERR_FILENO, words, sizeof(words) - 1) < 0 ? 3 : 1);
}

int
main(int argc, char **argv)
{
	static struct load l;
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, on_alarm);
	/* The soft limit is there for those who call select(2). */
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	read_options(&l, argc, argv);
	if (!run_test(&l, argc - optind, argv + optind))
		return usage();
	return 0;
}
