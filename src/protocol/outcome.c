/* SPDX-License-Identifier: ISC */
#include "protocol/outcome.h"
#include "base/io.h"

#include <errno.h>
#include <stddef.h>

static const struct {
	enum wire_rep rep;
	enum log_end end;
	int telling;       /* see failure_keep_worse() */
	const char *words; /* NULL: strerror(3) of the cause has them */
} table[OUTCOMES] = {
    [OUTCOME_DONE] = {WIRE_REP_SUCCEEDED, LOG_END_ANSWERED, 0, NULL},
    [OUTCOME_CLIENT_EOF] = {WIRE_REP_FAILURE, LOG_END_CLIENT_EOF, 1,
	"no request came"},
    [OUTCOME_HANDSHAKE_TIMEOUT] = {WIRE_REP_FAILURE, LOG_END_HANDSHAKE_TIMEOUT,
	1, "no request came"},
    [OUTCOME_NO_PROXY_HEADER] = {WIRE_REP_FAILURE, LOG_END_MALFORMED, 1,
	"no PROXY header"},
    [OUTCOME_PROXY_HEADER_TOO_LONG] = {WIRE_REP_FAILURE, LOG_END_MALFORMED, 1,
	"PROXY header too long"},
    [OUTCOME_NOT_SOCKS] = {WIRE_REP_FAILURE, LOG_END_MALFORMED, 1,
	"not SOCKS5"},
    [OUTCOME_NO_METHOD] = {WIRE_REP_FAILURE, LOG_END_NO_METHOD, 1,
	"no method in common"},
    [OUTCOME_NO_USER_NAME] = {WIRE_REP_FAILURE, LOG_END_MALFORMED, 1,
	"no user name"},
    [OUTCOME_WRONG_PASSWORD] = {WIRE_REP_FAILURE, LOG_END_AUTH_FAILED, 1,
	"wrong name or password"},
    [OUTCOME_PASSWORD_UNCHECKED] = {WIRE_REP_FAILURE, LOG_END_ERROR, 1,
	"passwords can't be checked"},
    [OUTCOME_TOO_LONG] = {WIRE_REP_FAILURE, LOG_END_MALFORMED, 1, "too long"},
    [OUTCOME_UNKNOWN_ATYP] = {WIRE_REP_ATYP_UNSUPPORTED, LOG_END_MALFORMED, 1,
	"unknown ATYP"},
    [OUTCOME_BAD_NAME] = {WIRE_REP_FAILURE, LOG_END_MALFORMED, 1,
	"not a host name"},
    [OUTCOME_CLIENT_RESET] = {WIRE_REP_FAILURE, LOG_END_CLIENT_RESET, 1, NULL},
    [OUTCOME_CLIENT_LEFT] = {WIRE_REP_FAILURE, LOG_END_CLIENT_RESET, 1,
	"client left"},
    [OUTCOME_COMMAND_UNSUPPORTED] = {WIRE_REP_COMMAND_UNSUPPORTED,
	LOG_END_REFUSED, 1, "command not supported"},
    [OUTCOME_DENIED] = {WIRE_REP_NOT_ALLOWED, LOG_END_REFUSED, 1,
	"denied by the rules"},
    [OUTCOME_NO_SUCH_NAME] = {WIRE_REP_HOST_UNREACHABLE, LOG_END_REFUSED, 1,
	"name not found"},
    [OUTCOME_NO_NAME_SERVER] = {WIRE_REP_HOST_UNREACHABLE, LOG_END_REFUSED, 1,
	"name servers failed"},
    [OUTCOME_TERMS_UNMET] = {WIRE_REP_FAILURE, LOG_END_ERROR, 6, NULL},
    [OUTCOME_NO_SOURCE] = {WIRE_REP_FAILURE, LOG_END_ERROR, 1, NULL},
    [OUTCOME_UPSTREAM] = {WIRE_REP_FAILURE, LOG_END_UPSTREAM, 1, NULL},
    [OUTCOME_CONNECTION_REFUSED] = {WIRE_REP_REFUSED, LOG_END_REFUSED, 5, NULL},
    [OUTCOME_FILTERED] = {WIRE_REP_NOT_ALLOWED, LOG_END_REFUSED, 4, NULL},
    [OUTCOME_NETWORK_UNREACHABLE] = {WIRE_REP_NETWORK_UNREACHABLE,
	LOG_END_REFUSED, 3, NULL},
    [OUTCOME_HOST_UNREACHABLE] = {WIRE_REP_HOST_UNREACHABLE, LOG_END_REFUSED, 3,
	NULL},
    [OUTCOME_CONNECT_TIMEOUT] = {WIRE_REP_HOST_UNREACHABLE,
	LOG_END_CONNECT_TIMEOUT, 2, "Connection timed out"},
    [OUTCOME_FAMILY_UNSUPPORTED] = {WIRE_REP_ATYP_UNSUPPORTED, LOG_END_REFUSED,
	1, NULL},
    [OUTCOME_SYSTEM] = {WIRE_REP_FAILURE, LOG_END_REFUSED, 1, NULL},
    [OUTCOME_TERMINATED] = {WIRE_REP_FAILURE, LOG_END_TERMINATED, 1,
	"stopped by a signal"},
};

enum outcome
failure_set(struct failure *out, enum outcome outcome, int error,
    const char *format, ...)
{
	va_list args;

	out->outcome = outcome;
	out->rep = 0;
	va_start(args, format);
	fault_vset(&out->cause, error, format, args);
	va_end(args);
	return outcome;
}

enum outcome
failure_of_connect(struct failure *out, int error)
{
	switch (error) {
	case ECONNREFUSED:
		return failure_set(
		    out, OUTCOME_CONNECTION_REFUSED, error, NULL);
	case EACCES:
	case EPERM:
		return failure_set(out, OUTCOME_FILTERED, error, NULL);
	case ENETUNREACH:
		return failure_set(
		    out, OUTCOME_NETWORK_UNREACHABLE, error, NULL);
	case EHOSTUNREACH:
		return failure_set(out, OUTCOME_HOST_UNREACHABLE, error, NULL);
	case ETIMEDOUT:
		return failure_set(out, OUTCOME_CONNECT_TIMEOUT, error, NULL);
	default:
		return failure_of_system(out, error);
	}
}

enum outcome
failure_of_system(struct failure *out, int error)
{
	return failure_set(out,
	    error == EAFNOSUPPORT ? OUTCOME_FAMILY_UNSUPPORTED : OUTCOME_SYSTEM,
	    error, NULL);
}

enum outcome
failure_of_interruption(struct failure *out, enum outcome timeout)
{
	int rc = io_interrupted();

	if (rc == 0)
		return OUTCOME_DONE;
	return failure_set(
	    out, rc == -ETIMEDOUT ? timeout : OUTCOME_TERMINATED, 0, NULL);
}

void
failure_keep_worse(struct failure *worst, const struct failure *other)
{
	if (table[other->outcome].telling > table[worst->outcome].telling)
		*worst = *other;
}

uint8_t
failure_rep(const struct failure *failure)
{
	return failure->rep ? failure->rep
			    : (uint8_t)table[failure->outcome].rep;
}

enum log_end
failure_end(const struct failure *failure)
{
	return table[failure->outcome].end;
}

const char *
failure_words(const struct failure *failure)
{
	const char *words = table[failure->outcome].words;

	return words && !*failure->cause.words ? words
					       : fault_words(&failure->cause);
}
