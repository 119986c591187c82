/* SPDX-License-Identifier: ISC */
/*
 * outcome: what became of a session, or of a step of it: the REP that a client
 * is told (RFC 1928 section 6), what the record says (end=), and words.
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "base/fault.h"
#include "base/log.h"
#include "protocol/wire.h"

#include <stdint.h>

/*
 * A row for each: its name, its REP, its end=, how telling it is (see
 * failure_keep_worse()), and its words; NULL: the cause's errno has them.
 */
/* clang-format off */
#define OUTCOME_ROWS(row) \
    row(DONE, SUCCEEDED, ANSWERED, 0, NULL) /* it is what was meant to be */ \
    /* Of a client whose request was not read to its end. */ \
    row(CLIENT_EOF, FAILURE, CLIENT_EOF, 1, "no request came") \
    row(HANDSHAKE_TIMEOUT, FAILURE, HANDSHAKE_TIMEOUT, 1, "no request came") \
    row(NO_PROXY_HEADER, FAILURE, MALFORMED, 1, "no PROXY header") \
    row(PROXY_HEADER_TOO_LONG, FAILURE, MALFORMED, 1, "PROXY header too long") \
    row(NOT_SOCKS, FAILURE, MALFORMED, 1, "not SOCKS5") \
    row(NO_METHOD, FAILURE, NO_METHOD, 1, "no method in common") \
    row(NO_USER_NAME, FAILURE, MALFORMED, 1, "no user name") \
    row(WRONG_PASSWORD, FAILURE, AUTH_FAILED, 1, "wrong name or password") \
    row(PASSWORD_UNCHECKED, FAILURE, ERROR, 1, "passwords can't be checked") \
    row(TOO_LONG, FAILURE, MALFORMED, 1, "too long") /* SOCKS4: ID or name */ \
    row(UNKNOWN_ATYP, ATYP_UNSUPPORTED, MALFORMED, 1, "unknown ATYP") \
    row(BAD_NAME, FAILURE, MALFORMED, 1, "not a host name") /* to look up */ \
    /* Of a client, at any time; it left while it waited for the reply. */ \
    row(CLIENT_RESET, FAILURE, CLIENT_RESET, 1, NULL) \
    row(CLIENT_LEFT, FAILURE, CLIENT_RESET, 1, "client left") \
    /* Of a request. */ \
    row(COMMAND_UNSUPPORTED, COMMAND_UNSUPPORTED, REFUSED, 1, \
	"command not supported") /* here, or for this client */ \
    row(DENIED, NOT_ALLOWED, REFUSED, 1, "denied by the rules") \
    row(NO_SUCH_NAME, HOST_UNREACHABLE, REFUSED, 1, "name not found") \
    row(NO_NAME_SERVER, HOST_UNREACHABLE, REFUSED, 1, "name servers failed") \
    row(TERMS_UNMET, FAILURE, ERROR, 6, NULL) /* by any socket */ \
    row(NO_SOURCE, FAILURE, ERROR, 1, NULL) /* source=, of the family */ \
    row(UPSTREAM, FAILURE, UPSTREAM, 1, NULL) /* didn't do it */ \
    /* Of connecting, as connect(2) has it. */ \
    row(CONNECTION_REFUSED, REFUSED, REFUSED, 5, NULL) \
    row(FILTERED, NOT_ALLOWED, REFUSED, 4, NULL) /* EACCES, EPERM */ \
    row(NETWORK_UNREACHABLE, NETWORK_UNREACHABLE, REFUSED, 3, NULL) \
    row(HOST_UNREACHABLE, HOST_UNREACHABLE, REFUSED, 3, NULL) \
    row(CONNECT_TIMEOUT, HOST_UNREACHABLE, CONNECT_TIMEOUT, 2, \
	"Connection timed out") \
    row(FAMILY_UNSUPPORTED, ATYP_UNSUPPORTED, REFUSED, 1, NULL) \
    row(SYSTEM, FAILURE, REFUSED, 1, NULL) /* a call failed, by the errno */ \
    row(TERMINATED, FAILURE, TERMINATED, 1, "stopped by a signal")
/* clang-format on */

#define OUTCOME_NAME(name, rep, end, telling, words) OUTCOME_##name,
enum outcome { OUTCOME_ROWS(OUTCOME_NAME) OUTCOMES };

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
 * OUTCOME_DONE, and nothing is written. See signals_interrupted().
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
