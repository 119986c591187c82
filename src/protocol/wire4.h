/* SPDX-License-Identifier: ISC */
/*
 * wire4: bytes <-> structs for SOCKS4 and SOCKS4a, as wire does it for SOCKS5.
 *
 * Pure functions, with wire's rules: a get function returns how many bytes the
 * message took, 0 when it is not complete yet, or -errno when no further byte
 * can make it valid, and writes its outputs only when the message is complete.
 */
#ifndef WIRE4_H
#define WIRE4_H

#include "protocol/wire.h"

#define WIRE4_VERSION   4 /* VN */
#define WIRE4_USER_MAX  255
#define WIRE4_NAME_MAX  255
#define WIRE4_REPLY_LEN 8

/* VN CD DSTPORT DSTIP, USERID and a NUL, a name and a NUL. */
#define WIRE4_REQUEST_MAX (8 + WIRE4_USER_MAX + 1 + WIRE4_NAME_MAX + 1)

/* USERID: what the client says of itself. Nothing vouches for it. */
struct wire4_user {
	uint8_t len;
	char id[WIRE4_USER_MAX + 1]; /* a NUL follows the last byte */
};

/*
 * CONNECT or BIND request, or Tor's RESOLVE. A DSTIP of 0.0.0.x with x not 0
 * says that a name follows the USERID (SOCKS4a); 0.0.0.0 is the address that it
 * is. The name may be empty: wire_check_destination() judges it. -EPROTO: VN is
 * not 4. -EOPNOTSUPP: a CD other than these. -EMSGSIZE: a USERID or a name
 * without an end within its bounds.
 */
ssize_t wire4_get_request(const uint8_t *data, size_t len,
    struct wire_request *out, struct wire4_user *user);

/*
 * Reply: CD is 5A for WIRE_REP_SUCCEEDED and 5B for any other REP. `bound` as
 * for wire_put_reply(), but IPv6 can't be said here either: it is 0.0.0.0:0.
 * Always WIRE4_REPLY_LEN.
 */
size_t wire4_put_reply(
    uint8_t rep, const union addr *bound, uint8_t out[WIRE4_REPLY_LEN]);

#endif
