/* SPDX-License-Identifier: ISC */
/*
 * udp-target: answers datagrams.
 *
 *   udp-target [-a ADDRESS] [-p PORT] [-r LEN] [-c DIGITS] [-o] [-s ADDRESS]
 *       [-l SECONDS] PORTFILE
 *
 * Opens a UDP socket on ADDRESS (127.0.0.1) and a free port, writes the port to
 * PORTFILE once it does, and sends each datagram back to where it came from.
 * Prints "got ADDRESS PORT LEN" for each.
 *
 * -r  answers with LEN bytes instead, a pattern as in datagram.c; given twice,
 *     with the one and the other in turn
 * -c  how often it answers, a digit for each datagram in turn (1)
 * -o  answers from another port of the same address
 * -s  before each answer the same bytes come from this address
 * -l  ends after so long (30 s), as SIGTERM does
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_MAX 65536

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static void
die(const char *what)
{
	fprintf(stderr, "udp-target: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int
open_socket(const char *text, int port, in_port_t *bound)
{
	union address a = {0};
	socklen_t len = sizeof(a);
	int fd, size = 1 << 20;

	if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1) {
		a.sa.sa_family = AF_INET;
		len = sizeof(a.in);
	} else if (inet_pton(AF_INET6, text, &a.in6.sin6_addr) == 1) {
		a.sa.sa_family = AF_INET6;
	} else {
		errno = EINVAL;
		die(text);
	}
	a.in.sin_port = htons((uint16_t)port); /* where IPv6 has its port too */
	fd = socket(a.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, &a.sa, len) < 0 || getsockname(fd, &a.sa, &len) < 0)
		die(text);
	*bound = a.in.sin_port;
	return fd;
}

/* Complete when it appears. */
static void
write_port(const char *file, in_port_t port)
{
	char temporary[4096];
	FILE *f;

	snprintf(temporary, sizeof(temporary), "%s.new", file);
	f = fopen(temporary, "we");
	if (!f || fprintf(f, "%u\n", ntohs(port)) < 0 || fclose(f) != 0 ||
	    rename(temporary, file) < 0)
		die(file);
}

static void
print_got(const union address *from, ssize_t len)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(from->sa.sa_family,
	    from->sa.sa_family == AF_INET ? (const void *)&from->in.sin_addr
					  : (const void *)&from->in6.sin6_addr,
	    text, sizeof(text));
	printf("got %s %u %zd\n", text, ntohs(from->in.sin_port), len);
}

static int
usage(void)
{
	fputs("usage: udp-target [-a ADDRESS] [-p PORT] [-r LEN] "
	      "[-c DIGITS] [-o] [-s ADDRESS] [-l SECONDS] PORTFILE\n",
	    stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	static uint8_t data[DATAGRAM_MAX];
	const char *host = "127.0.0.1", *stranger = NULL, *times = "1";
	const char *turn;
	int opt, fd, out, other = -1, port = 0, answers[2] = {-1, -1};
	int lengths = 0, answered = 0, answer;
	bool from_other = false;
	unsigned limit = 30;
	in_port_t bound, ignored;

	while ((opt = getopt(argc, argv, "+a:p:r:c:os:l:")) != -1) {
		if (opt == 'a')
			host = optarg;
		else if (opt == 'p')
			port = atoi(optarg);
		else if (opt == 'r')
			answers[lengths++ % 2] = atoi(optarg);
		else if (opt == 'c')
			times = optarg;
		else if (opt == 'o')
			from_other = true;
		else if (opt == 's')
			stranger = optarg;
		else if (opt == 'l')
			limit = (unsigned)atoi(optarg);
		else
			return usage();
	}
	if (optind + 1 != argc || answers[0] > DATAGRAM_MAX ||
	    answers[1] > DATAGRAM_MAX || limit < 1 || !*times ||
	    times[strspn(times, "0123456789")])
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(limit);
	fd = out = open_socket(host, port, &bound);
	if (from_other)
		out = open_socket(host, 0, &ignored);
	if (stranger)
		other = open_socket(stranger, 0, &ignored);
	write_port(argv[optind], bound);
	for (turn = times;; turn = turn[1] ? turn + 1 : times) {
		union address from = {0};
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, data, sizeof(data), 0, &from.sa, &len);

		if (n < 0)
			die("can't receive");
		print_got(&from, n);
		answer = answers[lengths > 1 ? answered++ % 2 : 0];
		if (answer >= 0)
			n = answer;
		for (ssize_t i = 0; i < answer; i++)
			data[i] = (uint8_t)(i * 7 + i / 256);
		if (other >= 0)
			sendto(other, data, (size_t)n, 0, &from.sa, len);
		for (char i = '0'; i < *turn; i++)
			if (sendto(out, data, (size_t)n, 0, &from.sa, len) < 0)
				die("can't send");
	}
}
