/* SPDX-License-Identifier: ISC */
/*
 * wire: bytes <-> structs for every SOCKS message.
 *
 * Pure functions: no system calls, no allocation, no logging. A get function
 * looks at `len` bytes and returns how many of them the message took, 0 when
 * it is not complete yet, or -errno when no further byte can make it valid.
 * `out` is written only when the message is complete.
 */
#ifndef WIRE_H
#define WIRE_H

#include "base/addr.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define WIRE_VERSION          5 /* VER, RFC 1928 section 3 */
#define WIRE_PASSWORD_VERSION 1 /* VER, RFC 1929 section 2 */
#define WIRE_GREETING_MAX     257
#define WIRE_PASSWORD_MAX     513
#define WIRE_REQUEST_MAX      262
#define WIRE_METHOD_LEN       2
#define WIRE_STATUS_LEN       2
#define WIRE_REPLY_MAX        22

/* A reply as others send it: there may be a name in it. */
#define WIRE_ANSWER_MAX 262

/* A UDP request header with the longest name, and with the longest address. */
#define WIRE_UDP_HEADER_MAX         262
#define WIRE_UDP_HEADER_ADDRESS_MAX 22

/* A name of 255 bytes, and a NUL. */
#define WIRE_NAME_SIZE      256
#define WIRE_NAME_REPLY_MAX (4 + 1 + 255 + 2)

/* A 255-byte name, \":65535\" and a NUL. */
#define WIRE_DESTINATION_MAX (255 + 6 + 1)

/* METHOD, RFC 1928 section 3 */
enum wire_method {
	WIRE_METHOD_NONE = 0x00,     /* no authentication required */
	WIRE_METHOD_GSSAPI = 0x01,   /* never chosen: RFC 1961 is not here */
	WIRE_METHOD_PASSWORD = 0x02, /* username/password, RFC 1929 */
	/*
	 * One of the private ones, never chosen. Who offers it, behind those
	 * that it means, hears of each end of file that it is sent, and passes
	 * it on; ssh on a socket, for one, doesn't.
	 */
	WIRE_METHOD_HEARS_ENDS = 0xe5,
	WIRE_METHOD_NO_ACCEPTABLE = 0xff,
};

/* STATUS, RFC 1929 section 2; any value but 0 is a failure. */
enum wire_status {
	WIRE_STATUS_SUCCESS = 0x00,
	WIRE_STATUS_FAILURE = 0x01,
};

/* CMD, RFC 1928 section 4; the last two are Tor's (socks-extensions.txt) */
enum wire_command {
	WIRE_CONNECT = 0x01,
	WIRE_BIND = 0x02,
	WIRE_UDP_ASSOCIATE = 0x03,
	WIRE_RESOLVE = 0xf0,     /* name -> address; DST.PORT is nothing */
	WIRE_RESOLVE_PTR = 0xf1, /* address -> name */
};

/* ATYP, RFC 1928 section 5 */
enum wire_atyp {
	WIRE_ATYP_IPV4 = 0x01,
	WIRE_ATYP_NAME = 0x03,
	WIRE_ATYP_IPV6 = 0x04,
};

/* REP, RFC 1928 section 6 */
enum wire_rep {
	WIRE_REP_SUCCEEDED = 0x00,
	WIRE_REP_FAILURE = 0x01,
	WIRE_REP_NOT_ALLOWED = 0x02,
	WIRE_REP_NETWORK_UNREACHABLE = 0x03,
	WIRE_REP_HOST_UNREACHABLE = 0x04,
	WIRE_REP_REFUSED = 0x05,
	WIRE_REP_TTL_EXPIRED = 0x06,
	WIRE_REP_COMMAND_UNSUPPORTED = 0x07,
	WIRE_REP_ATYP_UNSUPPORTED = 0x08,
};

struct wire_greeting {
	const uint8_t *methods; /* points into the bytes parsed */
	uint8_t methods_len;    /* NMETHODS, may be 0 */
};

/*
 * UNAME and PASSWD, with the bytes they came with, NULs and all. Both point
 * into the bytes parsed: whoever takes those as consumed also clears them.
 */
struct wire_password {
	const char *name;
	const char *password;
	uint8_t name_len;     /* ULEN, 1 to 255 */
	uint8_t password_len; /* PLEN, may be 0 */
};

/* Where a request wants to go: DST.ADDR and DST.PORT. */
struct wire_destination {
	uint8_t atyp;     /* which of the three below it is */
	uint8_t name_len; /* bytes in name, 0 to 255; 0 of an address */
	uint16_t port;    /* host byte order */
	union {
		struct in_addr ipv4;
		struct in6_addr ipv6;
		char name[256]; /* as sent, NULs and all, and a NUL behind */
	};
};

struct wire_request {
	uint8_t command; /* CMD as sent, known or not */
	struct wire_destination dst;
};

/* What another server answered to a request. */
struct wire_reply {
	uint8_t rep; /* REP as sent, known or not */
	struct wire_destination bound;
};

/* What stands in front of each datagram. */
struct wire_udp_header {
	uint8_t frag; /* FRAG as sent; 0: it is a whole one */
	struct wire_destination dst;
};

/*
 * Version identifier and method selection message, RFC 1928 section 3.
 * -EPROTO: the first byte is not 5.
 */
ssize_t wire_get_greeting(
    const uint8_t *data, size_t len, struct wire_greeting *out);

/*
 * Username/password request, RFC 1929 section 2. The RFC wants a PLEN of 1 at
 * least, but there are clients that send an empty password: 0 is taken too.
 * -EPROTO: VER is not 1. -EINVAL: ULEN is 0.
 */
ssize_t wire_get_password(
    const uint8_t *data, size_t len, struct wire_password *out);

/*
 * Request, RFC 1928 section 4. RSV is not looked at. CMD and the bytes of a
 * name are for the caller to judge.
 * -EPROTO: VER is not 5. -EAFNOSUPPORT: an ATYP we don't know, so that nobody
 * can tell where the request ends.
 */
ssize_t wire_get_request(
    const uint8_t *data, size_t len, struct wire_request *out);

/*
 * 0 when the name may be looked up; -EINVAL when it is empty or has a NUL, a
 * control byte, a space or a backslash in it: what a resolver would cut short
 * or misread (it takes "ex\097mple" for "example"), while the log and the rules
 * saw another name. Literals always pass.
 */
int wire_check_destination(const struct wire_destination *dst);

/* The same for a name of `len` bytes that has come from elsewhere. */
int wire_check_name(const char *name, size_t len);

/*
 * The address that a destination is, by its ATYP or as a name that
 * addr_parse_host() takes for one: 0, 1 without its scope, or -EINVAL.
 */
int wire_literal(const struct wire_destination *dst, union addr *out);

/* An address as a destination. */
struct wire_destination wire_destination_of(const union addr *addr);

/* "CONNECT", "BIND", "UDP_ASSOCIATE", "RESOLVE", ... or "unknown". */
const char *wire_command_name(uint8_t command);

/*
 * "192.0.2.1:80", "[2001:db8::1]:80" or "example.org:80", a name with the
 * bytes it came with. Returns how many bytes of out are used; a NUL follows.
 */
size_t wire_print_destination(
    const struct wire_destination *dst, char out[WIRE_DESTINATION_MAX]);

/* METHOD selection message, RFC 1928 section 3: always WIRE_METHOD_LEN. */
size_t wire_put_method(uint8_t method, uint8_t out[WIRE_METHOD_LEN]);

/* Username/password response, RFC 1929 section 2: always WIRE_STATUS_LEN. */
size_t wire_put_status(uint8_t status, uint8_t out[WIRE_STATUS_LEN]);

/*
 * Reply, RFC 1928 section 6: 10 bytes, or 22 with an IPv6 address. `bound` is
 * BND.ADDR and BND.PORT (AF_INET or AF_INET6; an IPv4-mapped one goes out as
 * IPv4), NULL or any other family for 0.0.0.0:0. ATYP 3 is never used: common
 * clients abort on it.
 */
size_t wire_put_reply(
    uint8_t rep, const union addr *bound, uint8_t out[WIRE_REPLY_MAX]);

/*
 * UDP request header, RFC 1928 section 7. FRAG and the bytes of a name are for
 * the caller to judge. 0: the datagram ends before its header does.
 * -EPROTO: RSV is not 0. -EAFNOSUPPORT: an ATYP we don't know.
 */
ssize_t wire_get_udp_header(
    const uint8_t *data, size_t len, struct wire_udp_header *out);

/*
 * The same header in front of a datagram from this sender: 10 bytes, or 22
 * with an IPv6 address; addresses as in wire_put_reply().
 */
size_t wire_put_udp_header(
    const union addr *sender, uint8_t out[WIRE_UDP_HEADER_ADDRESS_MAX]);

/*
 * The reply to RESOLVE_PTR, with ATYP 3 and port 0: those who ask for a name
 * expect it. The name has 1 to 255 bytes.
 */
size_t wire_put_name_reply(
    uint8_t rep, const char *name, uint8_t out[WIRE_NAME_REPLY_MAX]);

/*
 * The client's side, for talking to another server. What is put has the length
 * that is returned. wire_put_greeting() takes 255 methods at most.
 */
size_t wire_put_greeting(
    const uint8_t *methods, size_t methods_len, uint8_t out[WIRE_GREETING_MAX]);
size_t wire_put_password(
    const struct wire_password *password, uint8_t out[WIRE_PASSWORD_MAX]);
size_t wire_put_request(
    const struct wire_request *request, uint8_t out[WIRE_REQUEST_MAX]);

/* METHOD selection message. -EPROTO: VER is not 5. */
ssize_t wire_get_method(const uint8_t *data, size_t len, uint8_t *out);

/* STATUS. VER is not looked at: there are servers that put a 5 there. */
ssize_t wire_get_status(const uint8_t *data, size_t len, uint8_t *out);

/*
 * Reply, RFC 1928 section 6. RSV is not looked at.
 * -EPROTO: VER is not 5. -EAFNOSUPPORT: an ATYP we don't know.
 */
ssize_t wire_get_reply(const uint8_t *data, size_t len, struct wire_reply *out);

/*
 * The length that a reply with these first bytes has at least: nothing up to
 * there belongs to what comes behind it. From five bytes on it is exact.
 */
size_t wire_reply_len(const uint8_t *data, size_t len);

#endif
