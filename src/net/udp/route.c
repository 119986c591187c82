/* SPDX-License-Identifier: ISC */
/*
 * Promises: a datagram has a way only to an address that is permitted, and a
 * host may answer only when a datagram had a way to it. Must not: wait, send.
 */
#include "net/udp/route.h"
#include "net/resolve.h"
#include "net/udp/port.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More of them wait for the next turn. */
#define ERRORS_AT_ONCE 64

/* The socket for this family, or -errno. */
static int
way_out(struct route *route, sa_family_t family)
{
	const struct route_options *options = &route->options;
	int *place = &route->out[family == AF_INET6];
	const int on = 1;
	int fd, rc = 0;

	if (*place >= 0)
		return *place;
	fd = port_socket(family);
	if (fd < 0)
		return fd;
	/* What comes back by ICMP says which datagram it is about. */
	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	if (options->set_up)
		rc = options->set_up(options->context, fd, family);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return *place = fd;
}

/* Directs it to the first of these addresses that it may and can go to. */
static enum udp_fate
direct(struct route *route, const struct wire_destination *asked,
    const union addr *addrs, size_t count, struct batch_datagram *datagram)
{
	const struct route_options *options = &route->options;
	enum udp_fate fate = UDP_DENIED;

	for (size_t i = 0; i < count; i++) {
		union addr addr = addrs[i];
		int fd;

		addr_set_port(&addr, asked->port);
		if (options->permits &&
		    !options->permits(options->context, asked, &addr))
			continue;
		fd = way_out(route, addr.sa.sa_family);
		if (fd >= 0) {
			datagram->to = addr;
			datagram->fd = fd;
			contacts_add(&route->contacts, &addr);
			return UDP_GOES;
		}
		fate = UDP_UNSENT;
	}
	return fate;
}

static enum udp_fate
direct_by_name(struct route *route, const struct wire_destination *asked,
    struct batch_datagram *datagram)
{
	const struct route_options *options = &route->options;
	struct names *names = &route->names;
	struct names_entry *entry;

	if (options->permits &&
	    !options->permits(options->context, asked, NULL))
		return UDP_DENIED;
	entry = names_find(names, asked, io_now_ms());
	if (!entry || entry->state == NAMES_FAILED)
		return UDP_UNRESOLVED;
	if (entry->state == NAMES_KNOWN)
		return direct(route, asked, entry->at, entry->count, datagram);
	return names_wait(
		   names, entry, asked->port, datagram->data, datagram->len) < 0
		   ? UDP_UNRESOLVED
		   : UDP_WAITS;
}

static void
strip(struct batch_datagram *datagram, size_t len)
{
	datagram->data += len;
	datagram->len -= len;
}

/* The place of a header among the ways: FNV-1a of its bytes. */
static struct route_way *
place_of(struct route *route, const uint8_t *header, size_t len)
{
	uint32_t hash = 2166136261;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ header[i]) * 16777619;
	return &route->ways[hash % ROUTE_WAYS];
}

/* A header that is the same to the last byte leads to the same place. */
static bool
is_known(const struct route_way *way, const uint8_t *header, size_t len)
{
	return way->len == len && memcmp(way->header, header, len) == 0;
}

enum udp_fate
route_datagram(struct route *route, struct batch_datagram *datagram)
{
	const uint8_t *start = datagram->data;
	struct wire_udp_header header;
	struct route_way *way;
	enum udp_fate fate;
	union addr addr;
	ssize_t n;

	n = wire_get_udp_header(datagram->data, datagram->len, &header);
	if (n <= 0 || wire_check_destination(&header.dst) < 0)
		return UDP_MALFORMED;
	if (header.frag != 0)
		return UDP_FRAGMENT;
	strip(datagram, (size_t)n);
	way = place_of(route, start, (size_t)n);
	if (is_known(way, start, (size_t)n)) {
		datagram->to = way->addr;
		datagram->fd = route->out[way->addr.sa.sa_family == AF_INET6];
		contacts_add(&route->contacts, &way->addr);
		return UDP_GOES;
	}
	if (wire_literal(&header.dst, &addr) == 0)
		fate = direct(route, &header.dst, &addr, 1, datagram);
	else
		fate = direct_by_name(route, &header.dst, datagram);
	if (fate != UDP_GOES)
		return fate;
	way->len = (size_t)n;
	memcpy(way->header, start, (size_t)n);
	way->addr = datagram->to;
	return UDP_GOES;
}

bool
route_next(struct route *route, struct batch_datagram *out, enum udp_fate *fate)
{
	struct names_waiting *waiting = names_next(&route->names);
	struct wire_destination asked;
	const struct names_entry *entry;

	if (!waiting)
		return false;
	entry = waiting->entry;
	asked = (struct wire_destination){
	    .atyp = WIRE_ATYP_NAME,
	    .name_len = entry->len,
	    .port = waiting->port,
	};
	memcpy(asked.name, entry->name, sizeof(asked.name));
	*out = (struct batch_datagram){
	    .data = waiting->data,
	    .len = waiting->len,
	    .fd = -1,
	};
	*fate = entry->state == NAMES_KNOWN
		    ? direct(route, &asked, entry->at, entry->count, out)
		    : UDP_UNRESOLVED;
	names_release(&route->names, waiting);
	return true;
}

void
route_failed(struct route *route, const union addr *addr)
{
	for (size_t i = 0; i < ROUTE_WAYS; i++) {
		if (addr_equal(&route->ways[i].addr, addr))
			route->ways[i].len = 0;
	}
	names_demote(&route->names, addr);
}

void
route_errors(struct route *route, int fd)
{
	union addr addr;
	struct msghdr message = {.msg_name = &addr};

	for (int i = 0; i < ERRORS_AT_ONCE; i++) {
		message.msg_namelen = sizeof(addr);
		if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return;
		route_failed(route, &addr);
	}
}

bool
route_may_answer(const struct route *route, const union addr *sender)
{
	return contacts_has(&route->contacts, sender);
}

void
route_close(struct route *route)
{
	for (size_t i = 0; i < 2; i++) {
		if (route->out[i] >= 0)
			close(route->out[i]);
		route->out[i] = -1;
	}
	names_close(&route->names);
}
