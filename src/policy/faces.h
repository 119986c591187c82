/* SPDX-License-Identifier: ISC */
/*
 * faces: what an address is, which others it carries, and which of them are
 * internal.
 *
 * Pure functions, no system calls, no allocation.
 */
#ifndef FACES_H
#define FACES_H

#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>

/* An address and at most five IPv4 addresses in it. */
#define FACES_MAX 6

/*
 * What an address is, and what it carries. at[0] is the address itself, an
 * IPv4-mapped one as IPv4; up to at[same] stand other spellings of the same
 * host (the IPv4 address in 64:ff9b::/96, RFC 6052), and behind them the IPv4
 * addresses that a tunnel or a translator may take its packets to:
 * IPv4-compatible (RFC 4291 section 2.5.5.1), IPv4-translated (RFC 2765),
 * local-use NAT64 (RFC 8215, by each length of prefix that RFC 6052 has), 6to4
 * (RFC 3056), Teredo's server and client (RFC 4380), ISATAP (RFC 5214). Ports
 * and scopes as in the address.
 */
struct faces {
	size_t count, same;
	union addr at[FACES_MAX];
};

void faces_of(const union addr *addr, struct faces *out);

/*
 * One of them is this host or its link, or a cloud's metadata, on any host:
 * loopback, unspecified (0.0.0.0/8 and :: reach loopback on Linux), link-local,
 * shared (100.64.0.0/10), multicast, broadcast. Which other addresses are this
 * host's own, only the host knows.
 */
bool faces_are_internal(const struct faces *faces);

/* Every address in it is internal, as above. */
bool faces_network_is_internal(const struct addr_network *network);

#endif
