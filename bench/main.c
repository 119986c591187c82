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

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct test *const tests[] = {&test_setup, &test_bulk,
    &test_exchange, &test_split, &test_idle, &test_udp};

#define TESTS (sizeof(tests) / sizeof(*tests))

static int
usage(void)
{
	fputs("usage: load [-p PORT] [-g CGROUP | -P PID] [-l SECONDS] [-t MS] "
	      "TEST\nTEST:\n",
	    stderr);
	for (size_t i = 0; i < TESTS; i++)
		fprintf(stderr, "      %s %s\n", tests[i]->name,
		    tests[i]->arguments);
	return 2;
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
			    .sin_port =
				htons((uint16_t)load_number(optarg, 65535)),
			};
		} else if (opt == 'g') {
			l->proxy.cgroup = optarg;
		} else if (opt == 'P') {
			l->proxy.root = (pid_t)load_number(optarg, 4194304);
		} else if (opt == 't') {
			l->most_ns =
			    (int64_t)load_number(optarg, 60000) * 1000000;
		} else if (opt == 'l') {
			limit = (unsigned)load_number(optarg, 86400);
		} else {
			exit(usage());
		}
	}
	alarm(limit);
}

/* false: there is no such test. */
static bool
run_test(struct load *l, int argc, char **argv)
{
	for (size_t i = 0; argc > 0 && i < TESTS; i++) {
		const struct test *test = tests[i];

		if (strcmp(argv[0], test->name) != 0)
			continue;
		if (!test->read(l, argc - 1, argv + 1))
			return false;
		test->run(l);
		return true;
	}
	return false;
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
