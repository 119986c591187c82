/* SPDX-License-Identifier: ISC */
/*
 * route: where a client's datagrams are to go, and whom they let answer.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "base/addr.h"
#include "net/udp/batch.h"
#include "net/udp/contacts.h"
#include "net/udp/names.h"
#include "protocol/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What becomes of a datagram; those up to UDP_DROPS are why it is dropped. */
enum udp_fate {
	UDP_FRAGMENT,   /* FRAG is not 0 */
	UDP_MALFORMED,  /* its header is none, or has no host name */
	UDP_STRANGER,   /* neither the client's nor of a host it has sent to */
	UDP_DENIED,     /* route_options.permits said no */
	UDP_UNRESOLVED, /* no such name, or too many that are looked up */
	UDP_OVERSIZE,   /* with its header, or without, it is too large */
	UDP_UNSENT,     /* the kernel did not take it */
	UDP_DROPS,
	UDP_GOES = UDP_DROPS,
	UDP_WAITS, /* for its name: it has been copied for later */
};

struct route_options {
	/*
	 * Whether a datagram may go to this address, which `asked` led to.
	 * Asked before a name is looked up, with NULL for addr: whether it may
	 * go to any address that might be found. NULL: all may.
	 */
	bool (*permits)(void *context, const struct wire_destination *asked,
	    const union addr *addr);
	/*
	 * Called with a new socket of this family, not bound yet: 0, or -errno,
	 * and then nothing goes to that family. NULL: all is well.
	 */
	int (*set_up)(void *context, int fd, sa_family_t family);
	void *context; /* of these two */
	sa_family_t
	    prefer; /* of a name's addresses goes first; AF_UNSPEC: any */
};

/* Destinations that are remembered, each in the place that its header gives. */
#define ROUTE_WAYS 64

/* Where the datagrams with this header go. */
struct route_way {
	size_t len; /* of the header; 0: nothing is known */
	uint8_t header[WIRE_UDP_HEADER_MAX];
	union addr addr;
};

/*
 * All zero, but for out[], which is -1 and -1, and the options, at the start.
 * Of its more than 1 MiB a page costs memory from its first use on.
 */
struct route {
	struct route_options options;
	int out[2]; /* sockets for IPv4 and IPv6, once they are needed */
	struct route_way ways[ROUTE_WAYS];
	struct contacts contacts;
	struct names names;
};

/*
 * Takes the header off and gives the datagram its address and socket: UDP_GOES,
 * UDP_WAITS, or why it goes nowhere. Nothing is sent.
 */
enum udp_fate route_datagram(
    struct route *route, struct batch_datagram *datagram);

/*
 * The next one that waited and waits no longer: false when there is none.
 * *fate is as above. `out` stands until the next call.
 */
bool route_next(
    struct route *route, struct batch_datagram *out, enum udp_fate *fate);

/*
 * Nobody is there, as the network says or the kernel: the ways to this address
 * are forgotten, and a name that has others leads to the next of them.
 */
void route_failed(struct route *route, const union addr *addr);

/* Takes what the network has said of datagrams that went out by this socket. */
void route_errors(struct route *route, int fd);

/* Whether something was sent to that host, whatever its port. */
bool route_may_answer(const struct route *route, const union addr *sender);

void route_close(struct route *route);

#endif
