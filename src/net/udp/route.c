/* SPDX-License-Identifier: ISC */
/*
 * Promises: a datagram has a way only to an address that is permitted, and a
 * host may answer only when a datagram had a way to it. Must not: wait, send.
 */
#include "net/udp/route.h"
#include "net/resolve.h"
#include "net/udp/port.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The socket for this family, or -errno. */
static int
way_out(struct route *route, sa_family_t family)
{
	const struct route_options *options = &route->options;
	int *place = &route->out[family == AF_INET6];
	int fd, rc = 0;

	if (*place >= 0)
		return *place;
	fd = port_socket(family);
	if (fd < 0)
		return fd;
	if (options->set_up)
		rc = options->set_up(options->context, fd, family);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return *place = fd;
}

/* Directs it to the first of these addresses that it may and can go to. */
static int
direct(struct route *route, const struct wire_destination *asked,
    const union addr *addrs, size_t count, struct batch_datagram *datagram)
{
	const struct route_options *options = &route->options;
	int rc = -EACCES;

	for (size_t i = 0; i < count; i++) {
		union addr addr = addrs[i];
		int fd;

		addr_set_port(&addr, asked->port);
		if (options->permit &&
		    options->permit(options->context, asked, &addr) < 0)
			continue;
		fd = way_out(route, addr.sa.sa_family);
		if (fd >= 0) {
			datagram->addr = addr;
			datagram->fd = fd;
			contacts_add(&route->contacts, &addr);
			return 0;
		}
		rc = -ENETUNREACH;
	}
	return rc;
}

static int
direct_by_name(struct route *route, const struct wire_destination *asked,
    struct batch_datagram *datagram)
{
	const struct route_options *options = &route->options;
	struct names *names = &route->names;
	struct names_entry *entry;

	if (options->permit &&
	    options->permit(options->context, asked, NULL) < 0)
		return -EACCES;
	entry = names_find(names, asked, io_now_ms());
	if (!entry || entry->state == NAMES_FAILED)
		return -ENXIO;
	if (entry->state == NAMES_KNOWN)
		return direct(route, asked, entry->at, entry->count, datagram);
	return names_wait(
		   names, entry, asked->port, datagram->data, datagram->len) < 0
		   ? -ENXIO
		   : -EINPROGRESS;
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

int
route_datagram(struct route *route, struct batch_datagram *datagram)
{
	const uint8_t *start = datagram->data;
	struct wire_udp_header header;
	struct route_way *way;
	union addr addr;
	ssize_t n;
	int rc;

	n = wire_get_udp_header(datagram->data, datagram->len, &header);
	if (n <= 0 || wire_check_destination(&header.dst) < 0)
		return -EPROTO;
	if (header.frag != 0)
		return -EBADMSG;
	strip(datagram, (size_t)n);
	way = place_of(route, start, (size_t)n);
	if (is_known(way, start, (size_t)n)) {
		datagram->addr = way->addr;
		datagram->fd = route->out[way->addr.sa.sa_family == AF_INET6];
		contacts_add(&route->contacts, &way->addr);
		return 0;
	}
	if (wire_literal(&header.dst, &addr) == 0)
		rc = direct(route, &header.dst, &addr, 1, datagram);
	else
		rc = direct_by_name(route, &header.dst, datagram);
	if (rc < 0)
		return rc;
	way->len = (size_t)n;
	memcpy(way->header, start, (size_t)n);
	way->addr = datagram->addr;
	return 0;
}

bool
route_next(struct route *route, struct batch_datagram *out, int *error)
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
	*error = entry->state == NAMES_KNOWN
		     ? direct(route, &asked, entry->at, entry->count, out)
		     : -ENXIO;
	names_release(&route->names, waiting);
	return true;
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
