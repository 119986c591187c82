/* SPDX-License-Identifier: ISC */
/*
 * Promises: lets in one peer, one that the client and the rules expect, and
 * tells an address that this peer can reach. Must not: listen where nobody in
 * particular could be told to come, or wait beyond the alarm.
 */
#include "net/bind.h"
#include "base/tcp.h"
#include "net/sockopt.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

/* The peer, and strangers who come before it: more would wait for a second. */
#define BACKLOG 128

/* IPv4-mapped becomes IPv4; the port is for the kernel to choose. */
static union addr
any_port_of(const union addr *addr)
{
	union addr plain = addr_unmapped(addr);

	addr_set_port(&plain, 0);
	return plain;
}

bool
bind_from_anyone(const struct wire_destination *dst)
{
	union addr addr;

	if (wire_literal(dst, &addr) < 0)
		return false;
	if (addr.sa.sa_family == AF_INET)
		return addr.in.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&addr.in6.sin6_addr);
}

static bool
has_family(const union addr *addr, sa_family_t family)
{
	return family == AF_UNSPEC || addr->sa.sa_family == family;
}

/* For anyone: where the client has reached us, or the source of that family. */
static enum outcome
choose_reached(const struct bind_options *options, union addr *out,
    struct failure *failure)
{
	const union addr *source;

	if (!options->reached)
		return failure_set(failure, OUTCOME_COMMAND_UNSUPPORTED, 0,
		    "BIND needs a client with an IP address");
	*out = any_port_of(options->reached);
	if (sockopt_check_family(&options->terms, out->sa.sa_family, failure) !=
	    OUTCOME_DONE)
		return failure->outcome;
	source = &options->terms.source.at[out->sa.sa_family == AF_INET6];
	if (source->sa.sa_family == out->sa.sa_family)
		*out = any_port_of(source);
	if (has_family(out, options->family))
		return OUTCOME_DONE;
	return failure_of_system(failure, EAFNOSUPPORT);
}

/* Where to listen; port 0. */
static enum outcome
choose_address(const struct bind_options *options, union addr *out,
    struct failure *failure)
{
	const struct addr_list *expected = options->expected;
	struct failure worst = {.outcome = OUTCOME_DONE};

	if (!expected)
		return choose_reached(options, out, failure);
	for (size_t i = 0; i < expected->count; i++) {
		union addr there = addr_unmapped(&expected->at[i]), here;

		if (!has_family(&there, options->family))
			continue;
		if (sockopt_find_own(&there, &options->terms, &here, failure) ==
		    OUTCOME_DONE) {
			*out = any_port_of(&here);
			return OUTCOME_DONE;
		}
		failure_keep_worse(&worst, failure);
	}
	if (worst.outcome == OUTCOME_DONE)
		return failure_of_system(failure, EAFNOSUPPORT);
	*failure = worst;
	return worst.outcome;
}

enum outcome
bind_open(const struct bind_options *options, struct bind_listener *out,
    struct failure *failure)
{
	struct bind_listener listener = {.options = options};
	struct terms terms = options->terms;
	socklen_t len = sizeof(listener.bound);
	enum outcome outcome =
	    choose_address(options, &listener.bound, failure);

	if (outcome != OUTCOME_DONE)
		return outcome;
	/* The source has been looked at, and stands in `bound`. */
	terms.source = (struct terms_source){0};
	listener.fd = sockopt_open(
	    &terms, listener.bound.sa.sa_family, SOCK_STREAM, 0, failure);
	if (listener.fd < 0)
		return failure->outcome;
	/* Who is accepted has it from here. */
	tcp_set_oobinline(&(struct io_end){.fd = listener.fd, .kind = IO_TCP});
	if (bind(listener.fd, &listener.bound.sa, addr_len(&listener.bound)) <
		0 ||
	    listen(listener.fd, BACKLOG) < 0 ||
	    getsockname(listener.fd, &listener.bound.sa, &len) < 0) {
		outcome = failure_of_system(failure, errno);
		close(listener.fd);
		return outcome;
	}
	*out = listener;
	return OUTCOME_DONE;
}

static bool
is_expected(const struct bind_options *options, const union addr *from)
{
	bool expected = !options->expected;

	for (size_t i = 0; !expected && i < options->expected->count; i++)
		expected = addr_equal_host(from, &options->expected->at[i]);
	return expected &&
	       (!options->permits || options->permits(options->context, from));
}

/* The next one who waits: 1 it is the peer, 0 it was not, or -errno. */
static int
take_next(struct bind_listener *listener, struct dial_result *out)
{
	struct dial_result came = {0};
	socklen_t len = sizeof(came.address);
	int rc = 0;

	came.fd = accept4(
	    listener->fd, &came.address.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (came.fd < 0)
		return errno == EAGAIN || tcp_is_gone(errno) ? 0 : -errno;
	if (is_expected(listener->options, &came.address)) {
		len = sizeof(came.bound);
		rc =
		    getsockname(came.fd, &came.bound.sa, &len) < 0 ? -errno : 1;
	}
	if (rc > 0) {
		*out = came;
	} else {
		tcp_reset_on_close(
		    &(struct io_end){.fd = came.fd, .kind = IO_TCP});
		close(came.fd);
		listener->strangers += rc == 0;
	}
	return rc;
}

enum outcome
bind_await(struct bind_listener *listener, const struct io_end *client,
    struct dial_result *out, struct failure *failure)
{
	struct pollfd fds[] = {
	    {.fd = listener->fd, .events = POLLIN},
	    {.fd = client->fd, .events = 0},
	};

	while (failure_of_interruption(failure, OUTCOME_CONNECT_TIMEOUT) ==
	       OUTCOME_DONE) {
		int rc;

		if (poll(fds, 2, -1) < 0)
			continue; /* a signal */
		if (fds[1].revents)
			return failure_set(
			    failure, OUTCOME_CLIENT_LEFT, 0, NULL);
		rc = take_next(listener, out);
		if (rc > 0)
			return OUTCOME_DONE;
		if (rc < 0)
			return failure_of_system(failure, -rc);
	}
	return failure->outcome;
}

void
bind_close(struct bind_listener *listener)
{
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
}
