/* SPDX-License-Identifier: ISC */
#include "protocol/outcome.h"
#include "base/io.h"

#include <errno.h>
#include <stddef.h>

#define ROW(name, rep, end, telling, words) \
	{WIRE_REP_##rep, LOG_END_##end, telling, words},
static const struct {
	enum wire_rep rep;
	enum log_end end;
	int telling;
	const char *words;
} table[] = {OUTCOME_ROWS(ROW)};

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
	static const struct {
		int error;
		enum outcome outcome;
	} known[] = {
	    {ECONNREFUSED, OUTCOME_CONNECTION_REFUSED},
	    {EACCES, OUTCOME_FILTERED},
	    {EPERM, OUTCOME_FILTERED},
	    {ENETUNREACH, OUTCOME_NETWORK_UNREACHABLE},
	    {EHOSTUNREACH, OUTCOME_HOST_UNREACHABLE},
	    {ETIMEDOUT, OUTCOME_CONNECT_TIMEOUT},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (known[i].error == error)
			return failure_set(out, known[i].outcome, error, NULL);
	}
	return failure_of_system(out, error);
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
	int rc = signals_interrupted();

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
