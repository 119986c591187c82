/* SPDX-License-Identifier: ISC */
/*
 * tunnel: a connection to a target, through a SOCKS5 proxy or without one.
 */
#ifndef TUNNEL_H
#define TUNNEL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nobody waits for a single read or write longer than this. */
#define TUNNEL_PATIENCE_S 15

struct route {
	bool direct; /* there is no proxy */
	struct sockaddr_in proxy;
	struct sockaddr_in target;
};

/*
 * Connects; through a proxy it offers "no authentication" and asks for CONNECT,
 * each only after the answer to what went before (RFC 1928 sections 3 to 6).
 * The descriptor is blocking, and Nagle's algorithm off. A failure says in a
 * sentence what the proxy did, and ends the program with 1.
 */
int tunnel_open(const struct route *route);

/*
 * The same with UDP ASSOCIATE, for datagrams from *own: *relay is where they
 * are to be sent to, for as long as the connection lasts (section 7).
 */
int tunnel_associate(const struct route *route, const struct sockaddr_in *own,
    struct sockaddr_in *relay);

/* Sends no more, waits until the other side has ended too, and closes. */
void tunnel_close(int fd);

/* All of it; a failure ends the program with 1. */
void tunnel_write(int fd, const void *data, size_t len);
void tunnel_read(int fd, void *data, size_t len);

/* Says "load: ..." on standard error, and ends the program with 1. */
_Noreturn void fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* CLOCK_MONOTONIC, in nanoseconds. */
int64_t now_ns(void);

#endif
