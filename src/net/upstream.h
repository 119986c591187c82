/* SPDX-License-Identifier: ISC */
/*
 * upstream: asks another SOCKS5 server to do what a client asked of us.
 */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include "base/addr.h"
#include "base/io.h"
#include "protocol/outcome.h"
#include "protocol/wire.h"

struct upstream_reply {
	uint8_t rep;      /* REP as it came, known or not */
	union addr bound; /* AF_UNSPEC: it named no address, or refused */
};

/* Whom to ask, and on whose behalf. */
struct upstream {
	/* Connected, may be non-blocking; the two may be one socket. */
	const struct io_end *to, *from;
	const struct wire_password *login; /* NULL: none */
	/* An end of file that it passes on is passed on to the client. */
	bool hears_ends;
	const struct io_end *client;
};

/*
 * Greets the server, logs in where it wants that (RFC 1929; the login is
 * offered in front of "no authentication"), and sends it the request: names go
 * there as they came, but for those that are an address (wire_literal()). No
 * byte behind its reply is read. The alarm is the caller's.
 *
 * OUTCOME_DONE: it has answered, with whatever REP. _UPSTREAM, in words: what
 * it says isn't SOCKS5, it wants another method or another password, it hung
 * up (the cause is ECONNRESET), or it was silent until the alarm rang.
 * _CLIENT_LEFT: the client went away meanwhile; _TERMINATED.
 */
enum outcome upstream_ask(const struct upstream *upstream,
    const struct wire_request *request, struct upstream_reply *out,
    struct failure *failure);

#endif
