/* SPDX-License-Identifier: ISC */
/*
 * handshake: from the first byte to the end of the request: a PROXY header,
 * version and methods (RFC 1928 section 3), name and password (RFC 1929), the
 * request (section 4), or SOCKS4's.
 */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include "session/session.h"

/*
 * OUTCOME_DONE: the request is in s->request, its bytes out of the inbox, and
 * what stands behind it is still there; the phase is PHASE_REQUEST. Otherwise
 * the phase is the one that failed. The alarm is the caller's.
 */
enum outcome handshake_run(struct session *s);

#endif
