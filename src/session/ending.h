/* SPDX-License-Identifier: ISC */
/*
 * ending: how a session that failed ended, in the log's words.
 */
#ifndef ENDING_H
#define ENDING_H

#include "base/log.h"

/* Of a session, in the protocol's order. */
enum phase {
	PHASE_PROXIED,  /* the PROXY header is awaited */
	PHASE_GREETING, /* version and methods */
	PHASE_LOGIN,    /* name and password, RFC 1929 */
	PHASE_REQUEST,
	PHASE_CONNECTING,
	PHASE_RELAYING, /* the reply was 00 */
};

/*
 * For an errno that this phase failed with. *why becomes what the errno means
 * there; where it has more than one meaning it stays, or is strerror(3) of it
 * where it was NULL.
 */
enum log_end ending_of(enum phase phase, int error, const char **why);

#endif
