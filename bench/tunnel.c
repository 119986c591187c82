/* SPDX-License-Identifier: ISC */
#include "tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void
fail(const char *format, ...)
{
	va_list args;

	flockfile(stderr);
	fputs("load: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(1);
}

int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void
tunnel_write(int fd, const void *data, size_t len)
{
	const uint8_t *next = data;

	while (len > 0) {
		ssize_t n = send(fd, next, len, MSG_NOSIGNAL);

		if (n < 0)
			fail("sending: %s", strerror(errno));
		next += n;
		len -= (size_t)n;
	}
}

/* How many of them came before the end of file. */
static size_t
read_most(int fd, void *data, size_t len, const char *what)
{
	uint8_t *next = data;
	size_t left = len;

	while (left > 0) {
		ssize_t n = read(fd, next, left);

		if (n < 0)
			fail("waiting for %s: %s", what, strerror(errno));
		if (n == 0)
			break;
		next += n;
		left -= (size_t)n;
	}
	return len - left;
}

static void
read_all(int fd, void *data, size_t len, const char *what)
{
	if (read_most(fd, data, len, what) < len)
		fail("the connection was closed instead of %s", what);
}

void
tunnel_read(int fd, void *data, size_t len)
{
	read_all(fd, data, len, "the target's bytes");
}

static int
connect_to(const struct sockaddr_in *address, const char *who)
{
	const struct timeval patience = {.tv_sec = TUNNEL_PATIENCE_S};
	const int on = 1;
	char text[INET_ADDRSTRLEN];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		fail("the %s at %s:%u: %s", who,
		    inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text)),
		    ntohs(address->sin_port), strerror(errno));
	return fd;
}

/* BND.ADDR and BND.PORT are in *bound, whose family is 0 where they are none
 * of IPv4. */
static void
ask_for(int fd, uint8_t command, const struct sockaddr_in *target,
    struct sockaddr_in *bound)
{
	uint8_t request[10] = {5, command, 0, 1};
	uint8_t reply[4 + 256 + 2];
	size_t rest = 0;

	tunnel_write(fd, "\5\1\0", 3);
	read_all(fd, reply, 2, "an answer to the greeting");
	if (reply[0] != 5 || reply[1] != 0)
		fail("the proxy answered the greeting with %02x %02x, not "
		     "05 00",
		    reply[0], reply[1]);
	memcpy(request + 4, &target->sin_addr, 4);
	memcpy(request + 8, &target->sin_port, 2);
	tunnel_write(fd, request, sizeof(request));
	read_all(fd, reply, 4, "a reply to the request");
	if (reply[0] != 5 || reply[1] != 0)
		fail("the proxy refused: version %u, REP %u", reply[0],
		    reply[1]);
	if (reply[3] == 1)
		rest = 4 + 2;
	else if (reply[3] == 4)
		rest = 16 + 2;
	else
		fail("the proxy's reply has ATYP %u", reply[3]);
	read_all(fd, reply + 4, rest, "the end of the reply");
	*bound = (struct sockaddr_in){0};
	if (reply[3] != 1)
		return;
	bound->sin_family = AF_INET;
	memcpy(&bound->sin_addr, reply + 4, 4);
	memcpy(&bound->sin_port, reply + 8, 2);
}

int
tunnel_open(const struct route *route)
{
	struct sockaddr_in bound;
	int fd;

	if (route->direct)
		return connect_to(&route->target, "target");
	fd = connect_to(&route->proxy, "proxy");
	ask_for(fd, 1, &route->target, &bound);
	return fd;
}

int
tunnel_associate(const struct route *route, const struct sockaddr_in *own,
    struct sockaddr_in *relay)
{
	int fd = connect_to(&route->proxy, "proxy");

	ask_for(fd, 3, own, relay);
	if (relay->sin_family != AF_INET)
		fail("the proxy's relay has no IPv4 address");
	return fd;
}

void
tunnel_close(int fd)
{
	uint8_t more;

	shutdown(fd, SHUT_WR);
	if (read_most(fd, &more, 1, "the end of the connection") > 0)
		fail("a byte came that nobody had sent");
	close(fd);
}
