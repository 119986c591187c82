/* SPDX-License-Identifier: ISC */
#include "datagram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS_MAX  8
#define DATAGRAM_MAX 65536

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* The sockets that were opened, and where their datagrams go. */
static int sockets[SOCKETS_MAX], count, current;
static union address relay;

static socklen_t
length(const union address *a)
{
	return a->sa.sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
}

static in_port_t *
port_of(union address *a)
{
	return a->sa.sa_family == AF_INET ? &a->in.sin_port : &a->in6.sin6_port;
}

static void
print_address(const char *what, union address *a)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(a->sa.sa_family,
	    a->sa.sa_family == AF_INET ? (void *)&a->in.sin_addr
				       : (void *)&a->in6.sin6_addr,
	    text, sizeof(text));
	printf("%s %s %u\n", what, text, ntohs(*port_of(a)));
}

static union address
parse(const struct player *p, const char *text)
{
	union address a = {0};

	if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1)
		a.sa.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &a.in6.sin6_addr) == 1)
		a.sa.sa_family = AF_INET6;
	else
		play_fail(p, "not an address");
	return a;
}

/* A socket on this address, and a port that is free. */
static void
open_socket(const struct player *p, union address *a)
{
	socklen_t len = length(a);
	int size = 1 << 20;

	if (count == SOCKETS_MAX)
		play_fail(p, "too many sockets");
	*port_of(a) = 0;
	sockets[count] = socket(
	    a->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(sockets[count], &a->sa, len) < 0 ||
	    getsockname(sockets[count], &a->sa, &len) < 0)
		play_fail(p, "%s", strerror(errno));
	setsockopt(sockets[count], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	current = count++;
}

/* The socket in use, and its port. */
static int
socket_in_use(const struct player *p, in_port_t *port)
{
	union address a = {0};
	socklen_t len = sizeof(a);

	if (count == 0) {
		if (getsockname(p->in, &a.sa, &len) < 0)
			play_fail(p, "%s", strerror(errno));
		open_socket(p, &a);
	}
	len = sizeof(a);
	if (port && getsockname(sockets[current], &a.sa, &len) == 0)
		*port = *port_of(&a);
	return sockets[current];
}

/* Two digits to a byte, up to `end`: how many bytes. */
static size_t
hex(const struct player *p, const char *text, const char *end, uint8_t *out)
{
	size_t len = (size_t)(end - text) / 2;

	for (size_t i = 0; i < len; i++) {
		char digits[] = {text[2 * i], text[2 * i + 1], '\0'}, *rest;

		out[i] = (uint8_t)strtoul(digits, &rest, 16);
		if (*rest)
			play_fail(p, "not hex");
	}
	if ((size_t)(end - text) != 2 * len)
		play_fail(p, "half a byte");
	return len;
}

/* HEX[+N]: the bytes of HEX; *n is N or 0. */
static size_t
argument(const struct player *p, uint8_t *out, size_t *n)
{
	const char *plus = strchr(p->arg, '+');
	const char *end = plus ? plus : p->arg + strlen(p->arg);

	*n = plus ? (size_t)strtoul(plus + 1, NULL, 10) : 0;
	if ((size_t)(end - p->arg) > 2048 || *n >= DATAGRAM_MAX)
		play_fail(p, "too much");
	return hex(p, p->arg, end, out);
}

/* The datagram that HEX[+N] stands for. */
static size_t
datagram(const struct player *p, uint8_t *out)
{
	size_t n, len = argument(p, out, &n);

	for (size_t i = 0; i < n; i++)
		out[len + i] = (uint8_t)(i * 7 + i / 256);
	return len + n;
}

static void
put(const struct player *p, const uint8_t *data, size_t len)
{
	int fd = socket_in_use(p, NULL);

	if (sendto(fd, data, len, 0, &relay.sa, length(&relay)) < 0)
		play_fail(p, "can't send: %s", strerror(errno));
}

/* What comes within so many ms, or (-1) before the time is over: -1 if
 * nothing does. */
static ssize_t
take(const struct player *p, uint8_t *data, int ms)
{
	int fd = socket_in_use(p, NULL);
	union address from = {0};
	socklen_t len = sizeof(from);
	ssize_t n;

	if (!play_poll(p, fd, POLLIN, ms))
		return -1;
	n = recvfrom(fd, data, DATAGRAM_MAX, 0, &from.sa, &len);
	if (n < 0)
		play_fail(p, "can't receive: %s", strerror(errno));
	if (*port_of(&from) != *port_of(&relay))
		play_fail(p, "it came from port %u", ntohs(*port_of(&from)));
	return n;
}

__attribute__((noreturn)) static void
fail_got(const struct player *p, const uint8_t *data, ssize_t len)
{
	char text[129] = "";

	for (ssize_t i = 0; i < len && i < 64; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	if (len < 0)
		play_fail(p, "none came until the time was over");
	play_fail(p, "got %zd bytes: %s", len, text);
}

static void
get(const struct player *p, const uint8_t *want, size_t len)
{
	static uint8_t got[DATAGRAM_MAX];
	ssize_t n = take(p, got, -1);

	if (n != (ssize_t)len || memcmp(got, want, len) != 0)
		fail_got(p, got, n);
}

static void
step_udp(struct player *p)
{
	union address a = parse(p, p->arg);

	open_socket(p, &a);
	print_address("udp", &a);
}

static void
step_use(struct player *p)
{
	uint64_t n = play_number(p, (uint64_t)count);

	if (n < 1)
		play_fail(p, "no such socket");
	current = (int)n - 1;
}

static void
step_ask(struct player *p)
{
	uint8_t request[3 + 1024 + 2] = {5, 3, 0};
	in_port_t port = 0;
	size_t n, len = 3 + argument(p, request + 3, &n);

	socket_in_use(p, &port);
	memcpy(request + len, &port, sizeof(port));
	len += sizeof(port);
	if (write(p->out, request, len) != (ssize_t)len)
		play_fail(p, "can't send: %s", strerror(errno));
}

/* So many bytes of the TCP connection. */
static void
read_exactly(const struct player *p, uint8_t *out, size_t len)
{
	for (size_t have = 0; have < len;) {
		ssize_t n = play_poll(p, p->in, POLLIN, -1)
				? read(p->in, out + have, len - have)
				: 0;

		if (n <= 0)
			play_fail(p, "the reply ends after %zu bytes", have);
		have += (size_t)n;
	}
}

static void
step_associated(struct player *p)
{
	uint8_t reply[22];

	read_exactly(p, reply, 4);
	if (memcmp(reply, "\5\0\0", 3) != 0 || (reply[3] != 1 && reply[3] != 4))
		fail_got(p, reply, 4);
	relay = (union address){0};
	relay.sa.sa_family = reply[3] == 1 ? AF_INET : AF_INET6;
	read_exactly(p, reply + 4, reply[3] == 1 ? 6 : 18);
	if (reply[3] == 1)
		memcpy(&relay.in.sin_addr, reply + 4, 4);
	else
		memcpy(&relay.in6.sin6_addr, reply + 4, 16);
	memcpy(port_of(&relay), reply + (reply[3] == 1 ? 8 : 20), 2);
	print_address("bnd", &relay);
}

static void
step_relay(struct player *p)
{
	union address a = parse(p, p->arg);

	*port_of(&a) = *port_of(&relay);
	relay = a;
}

static void
step_put(struct player *p)
{
	static uint8_t data[2 * DATAGRAM_MAX];

	put(p, data, datagram(p, data));
}

static void
step_get(struct player *p)
{
	static uint8_t want[2 * DATAGRAM_MAX];

	get(p, want, datagram(p, want));
}

/* HEX+N, where a number follows HEX in each; how: whether they come. */
static void
step_many(struct player *p, bool come)
{
	uint8_t data[1024 + 4];
	size_t n, len = argument(p, data, &n);

	for (size_t i = 0; i < n; i++) {
		uint32_t number = htonl((uint32_t)i);

		memcpy(data + len, &number, sizeof(number));
		if (come)
			get(p, data, len + sizeof(number));
		else
			put(p, data, len + sizeof(number));
	}
}

static void
step_puts(struct player *p)
{
	step_many(p, false);
}

static void
step_gets(struct player *p)
{
	step_many(p, true);
}

static void
step_silent(struct player *p)
{
	static uint8_t got[DATAGRAM_MAX];
	ssize_t n = take(p, got, (int)play_number(p, INT32_MAX));

	if (n >= 0)
		fail_got(p, got, n);
}

bool
datagram_step(struct player *p, const char *verb)
{
	static const struct {
		const char *verb;
		void (*take)(struct player *);
	} steps[] = {
	    {"udp", step_udp},
	    {"use", step_use},
	    {"ask", step_ask},
	    {"associated", step_associated},
	    {"relay", step_relay},
	    {"put", step_put},
	    {"get", step_get},
	    {"puts", step_puts},
	    {"gets", step_gets},
	    {"silent", step_silent},
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (strcmp(steps[i].verb, verb) == 0) {
			steps[i].take(p);
			return true;
		}
	}
	return false;
}
