/* SPDX-License-Identifier: ISC */
/*
 * port: a UDP port for the client of a TCP connection.
 */
#ifndef PORT_H
#define PORT_H

#include "base/addr.h"
#include "base/fault.h"

#include <stdint.h>

struct port {
	int fd;            /* non-blocking; the caller's to close */
	union addr own;    /* what it is bound to */
	union addr client; /* the TCP connection's other end */
};

/*
 * A socket for datagrams of this family and of no other, which takes bursts:
 * the descriptor or -errno.
 */
int port_socket(sa_family_t family);

/*
 * Opens one on the address that the client of this TCP connection reached us
 * on, and a port from `first` to `last`; 0 and 0: any. IPv4-mapped addresses
 * are taken as IPv4.
 *
 * 0, or -errno and a fault: -EOPNOTSUPP: the client has no IP address, or is in
 * another network namespace; -EADDRINUSE: every port is taken.
 */
int port_open(int control, uint16_t first, uint16_t last, struct port *out,
    struct fault *fault);

#endif
