/* SPDX-License-Identifier: ISC */
/*
 * upstream: asks another SOCKS5 server to do what a client asked of us.
 */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include "base/addr.h"
#include "base/io.h"
#include "protocol/wire.h"

struct upstream_reply {
	uint8_t rep;      /* REP as it came, known or not */
	union addr bound; /* AF_UNSPEC: it named no address, or refused */
};

/*
 * Greets `server`, which is connected and may be non-blocking, logs in where
 * it wants that (RFC 1929; `login` may be NULL, and is offered in front of "no
 * authentication"), and sends it the request: names go there as they came, but
 * for those that are an address (wire_literal()). No byte behind its reply is
 * read. The alarm is the caller's.
 *
 * 0: it has answered, with whatever REP. Or -errno, each for one cause:
 * -EPROTO        what it says isn't SOCKS5
 * -ENOPROTOOPT   it wants another method: a password, where there is no login
 * -EKEYREJECTED  it doesn't take the user and password
 * -ECONNRESET    it hung up before it had answered
 * -ETIME         it was silent until the alarm rang
 * -EPIPE         `client` went away meanwhile
 * -ECANCELED     SIGTERM
 * None of these says anything about the target: the REP that
 * wire_rep_from_errno() makes of the first five is 01.
 */
int upstream_ask(const struct io_end *server, const struct wire_password *login,
    const struct wire_request *request, const struct io_end *client,
    struct upstream_reply *out);

#endif
