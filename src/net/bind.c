/* SPDX-License-Identifier: ISC */
/*
 * Promises: lets in one peer, one that the client and the rules expect, and
 * tells an address that this peer can reach. Must not: listen where nobody in
 * particular could be told to come, or wait beyond the alarm.
 */
#include "net/bind.h"

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

/* A socket, whose interface and mark are as they have to be; its source too,
 * unless it is bound by the caller. Or -errno. */
static int
open_socket(const struct dial_options *wanted, sa_family_t family, int type,
    bool with_source, char fault[DIAL_FAULT_MAX])
{
	struct dial_options options;
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	if (!wanted)
		return fd;
	options = *wanted;
	options.rate = 0; /* of the relay's socket, and not of this one */
	if (!with_source)
		options.source[0] = options.source[1] = (union addr){0};
	rc = dial_set_up(fd, family, &options, fault);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

/* Our own address on the way there. No packet is sent. */
static int
route_to(const union addr *there, const struct dial_options *wanted,
    union addr *out, char fault[DIAL_FAULT_MAX])
{
	union addr to = *there;
	socklen_t len = sizeof(*out);
	int rc = 0, fd;

	addr_set_port(&to, 9);
	fd = open_socket(wanted, to.sa.sa_family, SOCK_DGRAM, true, fault);
	if (fd < 0)
		return fd;
	if (connect(fd, &to.sa, addr_len(&to)) < 0 ||
	    getsockname(fd, &out->sa, &len) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static bool
has_family(const union addr *addr, sa_family_t family)
{
	return family == AF_UNSPEC || addr->sa.sa_family == family;
}

/* For anyone: where the client has reached us, or the source of that family. */
static int
choose_reached(const struct bind_options *options, union addr *out)
{
	const struct dial_options *wanted = options->sockets;

	if (!options->reached)
		return -EOPNOTSUPP;
	*out = any_port_of(options->reached);
	for (size_t i = 0; wanted && i < 2; i++) {
		if (wanted->source[i].sa.sa_family == out->sa.sa_family) {
			*out = any_port_of(&wanted->source[i]);
			break;
		}
	}
	return has_family(out, options->family) ? 0 : -EAFNOSUPPORT;
}

/* Where to listen; port 0. */
static int
choose_address(const struct bind_options *options, union addr *out,
    char fault[DIAL_FAULT_MAX])
{
	const struct addr_list *expected = options->expected;
	int error = 0;

	if (!expected)
		return choose_reached(options, out);
	for (size_t i = 0; i < expected->count; i++) {
		union addr there = any_port_of(&expected->at[i]), here = {0};
		int rc;

		if (!has_family(&there, options->family))
			continue;
		rc = route_to(&there, options->sockets, &here, fault);
		if (rc == 0) {
			*out = any_port_of(&here);
			return 0;
		}
		error = dial_worse(error, -rc);
	}
	return error ? -error : -EAFNOSUPPORT;
}

int
bind_open(const struct bind_options *options, struct bind_listener *out,
    char fault[DIAL_FAULT_MAX])
{
	struct bind_listener listener = {.options = options};
	socklen_t len = sizeof(listener.bound);
	int rc = choose_address(options, &listener.bound, fault);

	if (rc < 0)
		return rc;
	listener.fd = open_socket(options->sockets, listener.bound.sa.sa_family,
	    SOCK_STREAM, false, fault);
	if (listener.fd < 0)
		return listener.fd;
	if (bind(listener.fd, &listener.bound.sa, addr_len(&listener.bound)) <
		0 ||
	    listen(listener.fd, BACKLOG) < 0 ||
	    getsockname(listener.fd, &listener.bound.sa, &len) < 0) {
		rc = -errno;
		close(listener.fd);
		return rc;
	}
	*out = listener;
	return 0;
}

static bool
is_expected(const struct bind_options *options, const union addr *from)
{
	const union addr host = any_port_of(from);
	bool expected = !options->expected;

	for (size_t i = 0; !expected && i < options->expected->count; i++) {
		const union addr other = any_port_of(&options->expected->at[i]);

		expected = addr_equal(&host, &other);
	}
	return expected &&
	       (!options->permits || options->permits(options->context, from));
}

/* A connection that broke before it was accepted is no fault of ours. */
static bool
may_go_on(int error)
{
	switch (error) {
	case EAGAIN:
	case EINTR:
	case ECONNABORTED:
	case ENETDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case ETIMEDOUT:
	case ECONNRESET:
	case EPERM: /* a packet filter */
		return true;
	default:
		return false;
	}
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
		return may_go_on(errno) ? 0 : -errno;
	if (is_expected(listener->options, &came.address)) {
		len = sizeof(came.bound);
		rc =
		    getsockname(came.fd, &came.bound.sa, &len) < 0 ? -errno : 1;
	}
	if (rc > 0) {
		*out = came;
	} else {
		io_reset_on_close(
		    &(struct io_end){.fd = came.fd, .kind = IO_TCP});
		close(came.fd);
		listener->strangers += rc == 0;
	}
	return rc;
}

int
bind_await(struct bind_listener *listener, const struct io_end *client,
    struct dial_result *out)
{
	struct pollfd fds[] = {
	    {.fd = listener->fd, .events = POLLIN},
	    {.fd = client->fd, .events = 0},
	};
	int rc;

	while ((rc = io_interrupted()) == 0) {
		if (poll(fds, 2, -1) < 0)
			continue; /* a signal */
		if (fds[1].revents)
			return -EPIPE;
		rc = take_next(listener, out);
		if (rc != 0)
			break;
	}
	return rc > 0 ? 0 : rc;
}

void
bind_close(struct bind_listener *listener)
{
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
}
