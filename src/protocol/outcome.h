/* SPDX-License-Identifier: ISC */
/*
 * outcome: what became of a session, or of a step of it. One table has for each
 * outcome the REP that a client is told (RFC 1928 section 6), what the record
 * says (end=), and words.
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "base/fault.h"
#include "base/log.h"
#include "protocol/wire.h"

#include <stdint.h>

enum outcome {
	OUTCOME_DONE, /* 0: it came to what it was meant to */

	/* Of a client whose request was not read to its end. */
	OUTCOME_CLIENT_EOF,
	OUTCOME_HANDSHAKE_TIMEOUT,
	OUTCOME_NO_PROXY_HEADER,
	OUTCOME_PROXY_HEADER_TOO_LONG,
	OUTCOME_NOT_SOCKS,
	OUTCOME_NO_METHOD, /* that both would take */
	OUTCOME_NO_USER_NAME,
	OUTCOME_WRONG_PASSWORD, /* or no such user */
	OUTCOME_PASSWORD_UNCHECKED,
	OUTCOME_TOO_LONG, /* SOCKS4: USERID or name */
	OUTCOME_UNKNOWN_ATYP,
	OUTCOME_BAD_NAME, /* that nobody may look up */

	/* Of a client, at any time. */
	OUTCOME_CLIENT_RESET, /* its connection broke */
	OUTCOME_CLIENT_LEFT,  /* while it waited for the reply */

	/* Of a request. */
	OUTCOME_COMMAND_UNSUPPORTED, /* here, or for this client */
	OUTCOME_DENIED,              /* by the rules */
	OUTCOME_NO_SUCH_NAME,        /* or no address for it */
	OUTCOME_NO_NAME_SERVER,      /* could tell */
	OUTCOME_TERMS_UNMET,         /* no socket comes out as they want it */
	OUTCOME_NO_SOURCE,           /* source= has no address of the family */
	OUTCOME_UPSTREAM,            /* --upstream didn't do it */

	/* Of connecting, as connect(2) has it. */
	OUTCOME_CONNECTION_REFUSED,
	OUTCOME_FILTERED, /* EACCES, EPERM: a packet filter's verdict */
	OUTCOME_NETWORK_UNREACHABLE,
	OUTCOME_HOST_UNREACHABLE,
	OUTCOME_CONNECT_TIMEOUT,
	OUTCOME_FAMILY_UNSUPPORTED, /* the kernel does without */

	OUTCOME_SYSTEM,     /* a system call failed; the errno says how */
	OUTCOME_TERMINATED, /* SIGTERM */
	OUTCOMES,
};

/* Why something came to nothing. */
struct failure {
	enum outcome outcome;
	uint8_t rep;        /* in place of the outcome's own; 0: that one */
	struct fault cause; /* its words in place of the outcome's */
};

/* Sets all of it; a NULL format leaves the words to the outcome, or else to the
 * errno, which is positive or 0. Returns the outcome. */
enum outcome failure_set(struct failure *out, enum outcome outcome, int error,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* For an errno of connect(2). */
enum outcome failure_of_connect(struct failure *out, int error);

/* For any other system call, socket(2) among them: an EACCES of theirs is no
 * packet filter's. */
enum outcome failure_of_system(struct failure *out, int error);

/*
 * After SIGTERM, or after the alarm, which means `timeout` then; otherwise
 * OUTCOME_DONE, and nothing is written. See io_interrupted().
 */
enum outcome failure_of_interruption(struct failure *out, enum outcome timeout);

/*
 * Of several candidates that failed, the client is told the most telling: terms
 * that can't be met, then refused, filtered, unreachable, timed out, anything
 * else. Copies `other` to *worst where it tells more; of equals the first
 * stays.
 */
void failure_keep_worse(struct failure *worst, const struct failure *other);

uint8_t failure_rep(const struct failure *failure);
enum log_end failure_end(const struct failure *failure);
const char *failure_words(const struct failure *failure);

#endif
