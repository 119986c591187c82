/* SPDX-License-Identifier: ISC */
/*
 * target: listens where the handler is told to connect to, and plays the
 * server.
 *
 *   target [-6] [-u PATH] [-a ADDRESS] [-p PORT] [-n COUNT] [-l SECONDS] [-m]
 *       [-x] PORTFILE STEP...
 *
 * Listens on 127.0.0.1 (-6: ::1) and a free port, writes the port to PORTFILE
 * once it does, accepts COUNT connections (1), one after the other, prints
 * "peer ADDRESS PORT", and plays the steps of play.h on each.
 *
 * -m  speaks Multipath TCP with who does
 * -x  a black hole: nobody who connects gets an answer, until SIGTERM ends it
 * -l  ends everything after so long (15 s)
 *
 * Exits with 0 when all steps held, 1 when one failed, 2 for bad usage.
 */
#include "play.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static void
die(const char *what)
{
	fprintf(stderr, "target: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void
on_terminate(int signo)
{
	(void)signo;
	_exit(0);
}

/* Complete when it appears. */
static void
write_port(const char *file, const union address *a)
{
	char temporary[4096];
	unsigned port = 0;
	FILE *f;

	if (a->sa.sa_family == AF_INET)
		port = ntohs(a->in.sin_port);
	else if (a->sa.sa_family == AF_INET6)
		port = ntohs(a->in6.sin6_port);
	snprintf(temporary, sizeof(temporary), "%s.new", file);
	f = fopen(temporary, "we");
	if (!f || fprintf(f, "%u\n", port) < 0 || fclose(f) != 0 ||
	    rename(temporary, file) < 0)
		die(file);
}

/* Once the queue is full, the kernel drops every further SYN. */
static void
fill_queue(
    const struct player *p, int listener, const union address *a, socklen_t len)
{
	struct tcp_info info = {0};
	socklen_t info_len = sizeof(info);

	for (int i = 0; i < 4; i++) {
		int fd = socket(a->sa.sa_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (connect(fd, &a->sa, len) < 0 && errno != EINPROGRESS)
			die("filling the queue");
	}
	/* Of a listener these two are the queue's length and its limit. */
	while (
	    getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &info_len) < 0 ||
	    info.tcpi_unacked <= info.tcpi_sacked) {
		if (!play_nap(p, 1))
			play_fail(p, "the queue did not fill");
	}
}

static void
print_peer(int fd)
{
	union address a = {0};
	socklen_t len = sizeof(a);
	char text[INET6_ADDRSTRLEN];

	if (getpeername(fd, &a.sa, &len) < 0)
		printf("peer gone\n");
	else if (a.sa.sa_family == AF_INET)
		printf("peer %s %u\n",
		    inet_ntop(AF_INET, &a.in.sin_addr, text, sizeof(text)),
		    ntohs(a.in.sin_port));
	else if (a.sa.sa_family == AF_INET6)
		printf("peer %s %u\n",
		    inet_ntop(AF_INET6, &a.in6.sin6_addr, text, sizeof(text)),
		    ntohs(a.in6.sin6_port));
	else
		printf("peer unix\n");
}

static int
usage(void)
{
	fputs(
	    "usage: target [-6mx] [-u PATH] [-a ADDRESS] [-p PORT] [-n COUNT] "
	    "[-l SECONDS] PORTFILE STEP...\n",
	    stderr);
	return 2;
}

struct options {
	union address address;
	socklen_t len;
	int count;
	bool hole, multipath;
	unsigned limit;
};

static void
read_options(int argc, char **argv, struct options *o)
{
	const char *host = NULL, *path = NULL;
	int opt, port = 0, six = 0;

	while ((opt = getopt(argc, argv, "+6mxu:a:p:n:l:")) != -1) {
		if (opt == '6')
			six = 1;
		else if (opt == 'm')
			o->multipath = true;
		else if (opt == 'x')
			o->hole = true;
		else if (opt == 'u')
			path = optarg;
		else if (opt == 'a')
			host = optarg;
		else if (opt == 'p')
			port = atoi(optarg);
		else if (opt == 'n')
			o->count = atoi(optarg);
		else if (opt == 'l')
			o->limit = (unsigned)atoi(optarg);
		else
			exit(usage());
	}
	if (o->count < 1 || o->limit < 1 || o->limit > 86400 || port < 0 ||
	    port > 65535)
		exit(usage());
	if (!host)
		host = six ? "::1" : "127.0.0.1";
	if (path && strlen(path) >= sizeof(o->address.un.sun_path))
		exit(usage());
	if (path) {
		o->address.un.sun_family = AF_UNIX;
		memcpy(o->address.un.sun_path, path, strlen(path));
		o->len = sizeof(o->address.un);
	} else if (inet_pton(AF_INET, host, &o->address.in.sin_addr) == 1) {
		o->address.in.sin_family = AF_INET;
		o->address.in.sin_port = htons((uint16_t)port);
		o->len = sizeof(o->address.in);
	} else if (inet_pton(AF_INET6, host, &o->address.in6.sin6_addr) == 1) {
		o->address.in6.sin6_family = AF_INET6;
		o->address.in6.sin6_port = htons((uint16_t)port);
		o->len = sizeof(o->address.in6);
	} else {
		exit(usage());
	}
}

int
main(int argc, char **argv)
{
	struct options o = {.count = 1, .limit = 15};
	struct player player = {.program = "target"};
	int listener, on = 1;

	read_options(argc, argv, &o);
	if (optind >= argc)
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	play_limit(&player, o.limit);

	listener = socket(o.address.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC,
	    o.multipath ? IPPROTO_MPTCP : 0);
	if (listener < 0)
		die("can't make a socket");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, &o.address.sa, o.len) < 0 ||
	    listen(listener, o.hole ? 0 : 16) < 0 ||
	    getsockname(listener, &o.address.sa, &o.len) < 0)
		die("can't listen");
	if (o.hole) {
		signal(SIGTERM, on_terminate);
		fill_queue(&player, listener, &o.address, o.len);
	}
	write_port(argv[optind], &o.address);
	while (o.hole && play_nap(&player, 1000))
		;
	if (o.hole)
		play_fail(&player, "nobody ended it before the time was over");

	for (int i = 0; i < o.count; i++) {
		int fd = -1;

		if (!play_poll(&player, listener, POLLIN, -1))
			play_fail(&player,
			    "%d of %d had connected when the time was over", i,
			    o.count);
		if ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
			die("accept");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		print_peer(fd);
		player.in = player.out = fd;
		player.sent = player.seen = 0;
		play(&player, argc - optind - 1, argv + optind + 1);
		play_close(&player);
	}
	return 0;
}
