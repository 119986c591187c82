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

struct route_options {
	/*
	 * Whether a datagram may go to this address, which `asked` led to: 0,
	 * or -errno. Asked before a name is looked up, with NULL for addr:
	 * whether it may go to any address that might be found. NULL: all may.
	 */
	int (*permit)(void *context, const struct wire_destination *asked,
	    const union addr *addr);
	/*
	 * Called with a new socket of this family, not bound yet: 0, or -errno,
	 * and then nothing goes to that family. NULL: all is well.
	 */
	int (*set_up)(void *context, int fd, sa_family_t family);
	void *context; /* of these two */
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
 * Takes the header off and gives the datagram its address and socket: 0, or
 * -EINPROGRESS: its name is being looked up, and it has been copied for later;
 * -EPROTO: it has no good header; -EBADMSG: it is a fragment; -ENXIO: its name
 * is not known, or too much waits already; -EACCES: not permitted;
 * -ENETUNREACH: there is no socket for it. Nothing is sent.
 */
int route_datagram(struct route *route, struct batch_datagram *datagram);

/*
 * The next one that waited and waits no longer: false when there is none.
 * *error is 0, or as above. `out` stands until the next call.
 */
bool route_next(struct route *route, struct batch_datagram *out, int *error);

/* Whether something was sent to that host, whatever its port. */
bool route_may_answer(const struct route *route, const union addr *sender);

void route_close(struct route *route);

#endif
