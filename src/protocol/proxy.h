/* SPDX-License-Identifier: ISC */
/*
 * proxy: the PROXY protocol's header, by which a proxy in front of us says who
 * its client is; versions 1 and 2, as HAProxy's proxy-protocol.txt has them.
 *
 * Pure functions: no system calls, no allocation, no logging. Where a header
 * is expected it is mandatory, and only then may it be believed: whoever can
 * connect can write one.
 */
#ifndef PROXY_H
#define PROXY_H

#include "base/addr.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROXY_V1_MAX 107 /* the line with its CR and LF */

/* The 16 bytes that version 2 begins with, addresses and TLVs. */
#define PROXY_HEADER_MAX 4096

enum proxy_client {
	/*
	 * Nobody is named: version 1 UNKNOWN, version 2 LOCAL, UNSPEC, or a
	 * family or transport that it hasn't. The proxy's own address says
	 * nothing about whom it speaks for.
	 */
	PROXY_CLIENT_UNKNOWN,
	/* It has an address. */
	PROXY_CLIENT_AT_ADDRESS,
	/*
	 * It came by a unix socket of the proxy's machine. Not a local client
	 * of ours: who it is there, nobody tells us.
	 */
	PROXY_CLIENT_ON_UNIX_SOCKET,
};

struct proxy_header {
	enum proxy_client client;
	/*
	 * Only with PROXY_CLIENT_AT_ADDRESS: who the client is, and where it
	 * reached the proxy. An IPv4-mapped address is IPv4.
	 */
	union addr source, destination;
};

/*
 * Looks at `len` bytes. Returns how many of them the header took, so that all
 * that follows is the client's; 0 when it is not complete yet; or -errno when
 * it never will be: -EPROTO for what is no header, -EMSGSIZE for one that is
 * longer than the limits above. `out` is written only when it is complete.
 *
 * Version 1 is taken to the letter: one space, no leading zeros, CR and LF.
 * TLVs of version 2 are skipped unread. A transport of version 2 other than
 * TCP doesn't matter here: its addresses are the client's all the same.
 */
ssize_t proxy_get_header(
    const uint8_t *data, size_t len, struct proxy_header *out);

#endif
