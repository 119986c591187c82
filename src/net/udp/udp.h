/* SPDX-License-Identifier: ISC */
/*
 * udp: UDP ASSOCIATE, RFC 1928 sections 4, 6 and 7.
 *
 * A datagram is taken from the client alone, and from the hosts that the client
 * has sent to, whatever their port; it goes out with the sender's address in
 * front. What can't be relayed is dropped and counted. Nothing but the TCP
 * connection's end, or the time, ends the association.
 */
#ifndef UDP_H
#define UDP_H

#include "base/addr.h"
#include "base/io.h"
#include "base/log.h"
#include "net/udp/route.h"
#include "protocol/wire.h"

#include <stdint.h>

struct udp_counts {
	int64_t up, down;             /* datagrams relayed */
	int64_t bytes_up, bytes_down; /* payload of these */
	int64_t dropped[UDP_DROPS];
};

struct udp_options {
	/* Who sends the datagrams, where a proxy speaks for the client;
	 * AF_UNSPEC: the other end of the TCP connection. */
	union addr client;
	/* What a client that came by IPv4, or else by IPv6, is told as
	 * BND.ADDR; AF_UNSPEC: the truth. */
	union addr advertise[2];
	/* BND.PORT is one of these; 0 and 0: any. */
	uint16_t first_port, last_port;
	struct route_options route; /* what is permitted, and by which way */
};

struct udp_store;

struct udp {
	struct io_end control; /* the TCP connection; the caller's to close */
	union addr client;     /* its port is 0 until the client has sent */
	int inside;            /* the socket that the client sends to */
	int64_t idle_ms;       /* see udp_run(); may change while it runs */
	struct udp_counts counts;
	struct udp_store *store; /* buffers */
};

/*
 * Opens the socket for the client of this TCP connection, on the address that
 * the client reached us on. `asked` is the request's DST.ADDR and DST.PORT:
 * where the client will send from, if the address is the connection's own, and
 * otherwise not believed. *bound is for the reply.
 *
 * 0, or -errno and a fault: -EOPNOTSUPP: the client has no IP address, or one
 * of another family than we were reached by, or is in another network
 * namespace; -EADDRINUSE: every port is taken. Nothing is left open then.
 */
int udp_prepare(struct udp *udp, const struct io_end *control,
    const struct wire_destination *asked, const struct udp_options *options,
    union addr *bound, struct fault *fault);

/*
 * Relays datagrams until the TCP connection ends, the alarm rings, SIGTERM
 * comes, or none was relayed for udp->idle_ms (0: no limit). What comes by the
 * TCP connection is not looked at.
 */
enum log_end udp_run(struct udp *udp);

/* Closes what udp_prepare() and udp_run() opened; the counts stay. */
void udp_close(struct udp *udp);

/* What the record says of these counts; its `dropped` is kept there. */
void udp_describe(const struct udp_counts *counts, char dropped[LOG_WORDS_MAX],
    struct log_record *out);

#endif
