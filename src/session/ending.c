/* SPDX-License-Identifier: ISC */
#include "session/ending.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* The first that matches. */
static const struct ending {
	int error; /* 0: any */
	enum phase from, to;
	enum log_end end;
	const char *words; /* NULL: the caller or strerror(3) has them */
} endings[] = {
    {ECANCELED, PHASE_PROXIED, PHASE_RELAYING, LOG_END_TERMINATED,
	"stopped by a signal"},
    {ENOTCONN, PHASE_PROXIED, PHASE_REQUEST, LOG_END_CLIENT_EOF,
	"no request came"},
    {ETIMEDOUT, PHASE_PROXIED, PHASE_REQUEST, LOG_END_HANDSHAKE_TIMEOUT,
	"no request came"},
    {EPROTO, PHASE_PROXIED, PHASE_PROXIED, LOG_END_MALFORMED,
	"no PROXY header"},
    {EMSGSIZE, PHASE_PROXIED, PHASE_PROXIED, LOG_END_MALFORMED,
	"PROXY header too long"},
    {ENOPROTOOPT, PHASE_GREETING, PHASE_REQUEST, LOG_END_NO_METHOD, NULL},
    {EPROTO, PHASE_GREETING, PHASE_REQUEST, LOG_END_MALFORMED, "not SOCKS5"},
    {EINVAL, PHASE_LOGIN, PHASE_LOGIN, LOG_END_MALFORMED, "no user name"},
    {EACCES, PHASE_LOGIN, PHASE_LOGIN, LOG_END_AUTH_FAILED,
	"wrong name or password"},
    {ENOSYS, PHASE_LOGIN, PHASE_LOGIN, LOG_END_ERROR,
	"passwords can't be checked"},
    {ENOMEM, PHASE_LOGIN, PHASE_LOGIN, LOG_END_ERROR,
	"passwords can't be checked"},
    {EMSGSIZE, PHASE_REQUEST, PHASE_REQUEST, LOG_END_MALFORMED, "too long"},
    {EAFNOSUPPORT, PHASE_REQUEST, PHASE_REQUEST, LOG_END_MALFORMED,
	"unknown ATYP"},
    {EINVAL, PHASE_REQUEST, PHASE_REQUEST, LOG_END_MALFORMED,
	"not a host name"},
    {EOPNOTSUPP, PHASE_REQUEST, PHASE_REQUEST, LOG_END_REFUSED, NULL},
    {0, PHASE_PROXIED, PHASE_REQUEST, LOG_END_CLIENT_RESET, NULL},
    {ETIMEDOUT, PHASE_CONNECTING, PHASE_CONNECTING, LOG_END_CONNECT_TIMEOUT,
	NULL},
    {EPIPE, PHASE_CONNECTING, PHASE_CONNECTING, LOG_END_CLIENT_RESET,
	"client left"},
    {ENXIO, PHASE_CONNECTING, PHASE_CONNECTING, LOG_END_REFUSED,
	"name not found"},
    {EREMOTEIO, PHASE_CONNECTING, PHASE_CONNECTING, LOG_END_REFUSED,
	"name servers failed"},
    {EREMOTE, PHASE_CONNECTING, PHASE_CONNECTING, LOG_END_UPSTREAM, NULL},
    {EBADFD, PHASE_CONNECTING, PHASE_CONNECTING, LOG_END_ERROR, NULL},
    {0, PHASE_CONNECTING, PHASE_CONNECTING, LOG_END_REFUSED, NULL},
    {0, PHASE_RELAYING, PHASE_RELAYING, LOG_END_CLIENT_RESET, NULL},
};

enum log_end
ending_of(enum phase phase, int error, const char **why)
{
	const struct ending *e = endings;

	while (
	    phase < e->from || phase > e->to || (e->error && e->error != error))
		e++;
	if (e->words)
		*why = e->words;
	else if (!*why)
		*why = strerror(error);
	return e->end;
}
