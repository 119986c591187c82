/* SPDX-License-Identifier: ISC */
/*
 * datagram: steps of a client that has asked, or will ask, for UDP ASSOCIATE.
 * The program client takes them beside those of play.h:
 *
 *   udp:ADDRESS     opens one more UDP socket, on this address and a free port,
 *                   and uses it from now on; prints "udp ADDRESS PORT". Without
 *                   this step there is one on the TCP connection's own address.
 *   use:N           uses the Nth socket again, from 1
 *   ask:HEX         the request UDP ASSOCIATE, where HEX is ATYP and DST.ADDR
 *                   and the socket's port is DST.PORT
 *   associated      reads the reply, which has to be 00, and prints
 *                   "bnd ADDRESS PORT", where datagrams are sent to from now on
 *   relay:ADDRESS   they go to this address instead, and the same port
 *   put:HEX[+N]     sends a datagram: these bytes, and N of a pattern behind
 *   get:HEX[+N]     the next one to come is this one
 *   puts:HEX+N      sends N datagrams of these bytes and a number each (four
 *                   bytes), as fast as it can
 *   gets:HEX+N      these come, in their order
 *   silent:MS       none comes for so many milliseconds
 */
#ifndef DATAGRAM_H
#define DATAGRAM_H

#include "play.h"

/* False when it isn't one of these. */
bool datagram_step(struct player *player, const char *verb);

#endif
