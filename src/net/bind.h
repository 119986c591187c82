/* SPDX-License-Identifier: ISC */
/*
 * bind: waits, on a client's behalf, for one connection from outside: the BIND
 * command of RFC 1928 section 4, and SOCKS4's.
 */
#ifndef BIND_H
#define BIND_H

#include "base/addr.h"
#include "base/io.h"
#include "net/dial.h"
#include "protocol/wire.h"

struct bind_options {
	/*
	 * DST.ADDR: who may come, from any port, for nobody knows the port
	 * before. NULL: anyone may, as bind_from_anyone() says.
	 */
	const struct addr_list *expected;
	/* Where the client reached us, NULL where that has no address (a pipe,
	 * a Unix socket). An IPv4-mapped address is IPv4. */
	const union addr *reached;
	/* AF_INET or AF_INET6: that family alone; AF_UNSPEC: either. */
	sa_family_t family;
	/* What holds for the sockets: a source is where to listen, its family
	 * permitting. */
	struct terms terms;
	/* The rules' word on somebody who is expected; NULL: welcome. */
	bool (*permits)(void *context, const union addr *from);
	void *context;
};

struct bind_listener {
	int fd;
	union addr bound; /* the first reply's BND.ADDR and BND.PORT */
	size_t strangers; /* turned away so far */
	const struct bind_options *options;
};

/*
 * Whether DST.ADDR names nobody in particular: 0.0.0.0 or ::, as an address or
 * as a name. RFC 1928 leaves open what that means; here anyone may come whom
 * the rules let in. A name whose look-up says 0.0.0.0 is not meant.
 */
bool bind_from_anyone(const struct wire_destination *dst);

/*
 * Listens on a free port of the address that packets to the expected peer
 * leave from, the first of `expected` to which there is a way; for anyone, of
 * the address where the client reached us. That is what the peer can reach,
 * and never 0.0.0.0. `options` are kept until bind_close().
 *
 * OUTCOME_DONE; _COMMAND_UNSUPPORTED: there is no address to be reached at;
 * _FAMILY_UNSUPPORTED: none of this family; _NETWORK_UNREACHABLE and so on: no
 * way to any expected address; _TERMS_UNMET: sockopt_apply(); _SYSTEM.
 */
enum outcome bind_open(const struct bind_options *options,
    struct bind_listener *out, struct failure *failure);

/*
 * Waits for an expected peer. Others get a reset, and the wait goes on, until
 * the alarm at most; so it does when the client has shut down its own
 * direction.
 *
 * OUTCOME_DONE: out->fd is connected, `address` is the peer's, the second
 * reply's BND, and `bound` our end. _CONNECT_TIMEOUT: the alarm rang;
 * _TERMINATED; _CLIENT_LEFT: `client` went away meanwhile; _SYSTEM.
 */
enum outcome bind_await(struct bind_listener *listener,
    const struct io_end *client, struct dial_result *out,
    struct failure *failure);

/* Once the peer is there, or won't be: nobody else can come. */
void bind_close(struct bind_listener *listener);

#endif
