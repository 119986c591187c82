/* SPDX-License-Identifier: ISC */
/*
 * Promises: no datagram ends the association, waits for another one's name, or
 * goes to anybody whom the client has nothing to do with. Must not: sleep but
 * in poll(2), answer a datagram, look into a payload.
 */
#include "net/udp/udp.h"
#include "net/resolve.h"
#include "net/udp/batch.h"
#include "net/udp/names.h"
#include "net/udp/port.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* The largest payload of a UDP datagram over IPv4 and over IPv6. */
#define PAYLOAD_MAX_IPV4 65507
#define PAYLOAD_MAX_IPV6 65527

enum {
	CONTROL = 0,
	INSIDE = 1,
	OUTSIDE = 2,
	LOOKUPS = OUTSIDE + 2,
	FDS = LOOKUPS + NAMES_FDS
};

struct udp_store {
	struct route route;
	struct batch batch;
};

static const char *const drop_names[] = {
    [UDP_FRAGMENT] = "fragment",
    [UDP_MALFORMED] = "malformed",
    [UDP_STRANGER] = "stranger",
    [UDP_DENIED] = "denied",
    [UDP_UNRESOLVED] = "unresolved",
    [UDP_OVERSIZE] = "oversize",
    [UDP_UNSENT] = "unsent",
};

void
udp_describe(const struct udp_counts *counts, char dropped[LOG_WORDS_MAX],
    struct log_record *out)
{
	size_t used = 0;

	out->udp_up = counts->up;
	out->udp_down = counts->down;
	out->bytes_up = counts->bytes_up;
	out->bytes_down = counts->bytes_down;
	out->dropped = dropped;
	dropped[0] = '\0';
	for (size_t i = 0; i < UDP_DROPS; i++) {
		if (counts->dropped[i] > 0)
			used += (size_t)snprintf(dropped + used,
			    LOG_WORDS_MAX - used, "%s%s:%" PRId64,
			    used ? "," : "", drop_names[i], counts->dropped[i]);
	}
}

/* The port that the client will send from, if it says so and is believed. */
static uint16_t
expected_port(const struct wire_destination *asked, const union addr *client)
{
	union addr addr;

	if (wire_literal(asked, &addr) < 0)
		return 0;
	/* No scope goes over the wire. */
	if (addr.sa.sa_family == AF_INET6 && client->sa.sa_family == AF_INET6)
		addr.in6.sin6_scope_id = client->in6.sin6_scope_id;
	return addr_equal_host(&addr, client) ? asked->port : 0;
}

int
udp_prepare(struct udp *udp, const struct io_end *control,
    const struct wire_destination *asked, const struct udp_options *options,
    union addr *bound, struct fault *fault)
{
	const union addr *told;
	struct port port;
	void *store;
	int rc;

	rc = port_open(
	    control->fd, options->first_port, options->last_port, &port, fault);
	if (rc < 0)
		return rc;
	if (options->client.sa.sa_family != AF_UNSPEC)
		port.client = addr_unmapped(&options->client);
	if (port.client.sa.sa_family != port.own.sa.sa_family) {
		close(port.fd);
		return fault_set(fault, EOPNOTSUPP,
		    "UDP needs a proxy that is reached as it reaches us, by "
		    "IPv4 or IPv6");
	}
	store = mmap(NULL, sizeof(struct udp_store), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (store == MAP_FAILED) {
		fault_set(fault, errno, NULL);
		close(port.fd);
		return -fault->error;
	}
	*udp = (struct udp){
	    .control = *control,
	    .client = port.client,
	    .inside = port.fd,
	    .store = store,
	};
	udp->store->route.options = options->route;
	udp->store->route.out[0] = udp->store->route.out[1] = -1;
	udp->store->route.names.prefer = options->route.prefer;
	addr_set_port(&udp->client, expected_port(asked, &port.client));
	*bound = port.own;
	told = &options->advertise[port.own.sa.sa_family == AF_INET6];
	if (told->sa.sa_family != AF_UNSPEC) {
		*bound = *told;
		addr_set_port(bound, addr_port(&port.own));
	}
	return 0;
}

void
udp_close(struct udp *udp)
{
	close(udp->inside);
	route_close(&udp->store->route);
	munmap(udp->store, sizeof(*udp->store));
	udp->store = NULL;
}

static void
drop(struct udp *udp, struct batch_datagram *datagram, enum udp_fate fate)
{
	datagram->fd = -1;
	udp->counts.dropped[fate]++;
}

/* Sends what is to be sent, and counts it in one of these two ways. */
static void
send_all(struct udp *udp, struct batch_datagram *at, size_t count,
    int64_t *datagrams, int64_t *bytes)
{
	batch_send(at, count);
	for (size_t i = 0; i < count; i++) {
		if (at[i].fd < 0)
			continue;
		if (at[i].error) {
			if (at[i].fd != udp->inside &&
			    at[i].error != EMSGSIZE && at[i].error != EAGAIN)
				route_failed(&udp->store->route, &at[i].to);
			drop(udp, &at[i],
			    at[i].error == EMSGSIZE ? UDP_OVERSIZE
						    : UDP_UNSENT);
		} else {
			++*datagrams;
			*bytes += (int64_t)(at[i].len - at[i].head);
		}
	}
}

/* --- from the client ----------------------------------------------------- */

static bool
is_client(const struct udp *udp, const union addr *sender)
{
	return addr_equal_host(sender, &udp->client) &&
	       (addr_port(&udp->client) == 0 ||
		   addr_port(&udp->client) == addr_port(sender));
}

static void
take_up(struct udp *udp, struct batch_datagram *datagram)
{
	uint16_t port = addr_port(&datagram->from);
	enum udp_fate fate;

	if (!is_client(udp, &datagram->from)) {
		drop(udp, datagram, UDP_STRANGER);
		return;
	}
	fate = route_datagram(&udp->store->route, datagram);
	/* Junk tells nothing about who sent it; from anything else on, no other
	 * port is the client's. */
	if (fate != UDP_MALFORMED && fate != UDP_FRAGMENT)
		addr_set_port(&udp->client, port);
	if (fate < UDP_DROPS)
		drop(udp, datagram, fate);
}

static void
relay_up(struct udp *udp)
{
	struct batch *batch = &udp->store->batch;
	struct udp_counts *counts = &udp->counts;

	if (batch_receive(batch, udp->inside) <= 0)
		return;
	for (size_t i = 0; i < batch->count; i++)
		take_up(udp, &batch->at[i]);
	send_all(udp, batch->at, batch->count, &counts->up, &counts->bytes_up);
}

/* What waited for a name, and the name is known or has failed. */
static void
relay_waiting(struct udp *udp)
{
	struct udp_counts *counts = &udp->counts;
	struct batch_datagram datagram;
	enum udp_fate fate;

	names_harvest(&udp->store->route.names, io_now_ms());
	while (route_next(&udp->store->route, &datagram, &fate)) {
		if (fate < UDP_DROPS)
			drop(udp, &datagram, fate);
		send_all(udp, &datagram, 1, &counts->up, &counts->bytes_up);
	}
}

/* --- to the client ------------------------------------------------------- */

static void
take_down(struct udp *udp, struct batch_datagram *datagram)
{
	uint8_t header[WIRE_UDP_HEADER_ADDRESS_MAX];
	size_t most = udp->client.sa.sa_family == AF_INET ? PAYLOAD_MAX_IPV4
							  : PAYLOAD_MAX_IPV6;

	if (!route_may_answer(&udp->store->route, &datagram->from)) {
		drop(udp, datagram, UDP_STRANGER);
		return;
	}
	datagram->head = wire_put_udp_header(&datagram->from, header);
	if (datagram->len + datagram->head > most) {
		drop(udp, datagram, UDP_OVERSIZE);
		return;
	}
	datagram->data -= datagram->head;
	datagram->len += datagram->head;
	memcpy(datagram->data, header, datagram->head);
	datagram->to = udp->client;
	datagram->fd = udp->inside;
}

static void
relay_down(struct udp *udp, int outside)
{
	struct batch *batch = &udp->store->batch;
	struct udp_counts *counts = &udp->counts;

	if (batch_receive(batch, outside) <= 0)
		return;
	for (size_t i = 0; i < batch->count; i++)
		take_down(udp, &batch->at[i]);
	send_all(
	    udp, batch->at, batch->count, &counts->down, &counts->bytes_down);
}

/* --- the association ----------------------------------------------------- */

/* Whether the TCP connection has ended, and *end says how. */
static bool
has_ended(struct udp *udp, short revents, enum log_end *end)
{
	uint8_t scrap[4096];
	ssize_t n = 1;

	if (revents & POLLERR)
		n = -ECONNRESET;
	else if (revents & (POLLRDHUP | POLLHUP))
		n = 0;
	else if (revents & POLLIN)
		n = io_read_now(&udp->control, scrap, sizeof(scrap));
	if (n > 0 || n == -EAGAIN || n == -EINTR)
		return false;
	*end = n == 0 ? LOG_END_CLIENT_EOF : LOG_END_CLIENT_RESET;
	return true;
}

/* How many descriptors there are to wait for. */
static size_t
list_descriptors(const struct udp *udp, struct pollfd fds[FDS])
{
	fds[CONTROL] = (struct pollfd){
	    .fd = udp->control.fd,
	    .events = POLLIN | POLLRDHUP,
	};
	fds[INSIDE] = (struct pollfd){.fd = udp->inside, .events = POLLIN};
	for (size_t i = 0; i < 2; i++)
		fds[OUTSIDE + i] = (struct pollfd){
		    .fd = udp->store->route.out[i],
		    .events = POLLIN,
		};
	return LOOKUPS + names_poll(&udp->store->route.names, fds + LOOKUPS);
}

/* For poll: until the association has been idle for too long, or a look-up has
 * taken too long. */
static int
timeout(const struct udp *udp, int64_t since_ms)
{
	int64_t due = names_due(&udp->store->route.names);

	if (udp->idle_ms)
		due = io_earlier(due, since_ms + udp->idle_ms);
	return due ? io_time_left(due, io_now_ms()) : -1;
}

/* Looks at what poll reported; false when the association has ended. */
static bool
serve_descriptors(
    struct udp *udp, const struct pollfd fds[FDS], enum log_end *end)
{
	const struct names *names = &udp->store->route.names;

	/* First: an error that waits fails the next call on its socket. */
	for (size_t i = 0; i < 2; i++) {
		if (fds[OUTSIDE + i].revents & POLLERR)
			route_errors(&udp->store->route, fds[OUTSIDE + i].fd);
	}
	if (fds[INSIDE].revents)
		relay_up(udp);
	for (size_t i = 0; i < 2; i++) {
		if (fds[OUTSIDE + i].revents & POLLIN)
			relay_down(udp, fds[OUTSIDE + i].fd);
	}
	if (names->looking > 0 || names->waiting > 0)
		relay_waiting(udp);
	/* Last: what was sent before it goes out. */
	return !fds[CONTROL].revents ||
	       !has_ended(udp, fds[CONTROL].revents, end);
}

enum log_end
udp_run(struct udp *udp)
{
	const struct udp_counts *counts = &udp->counts;
	int64_t since_ms = io_now_ms(); /* nothing was relayed */
	enum log_end end = LOG_END_ERROR;
	struct pollfd fds[FDS];
	int rc;

	while ((rc = signals_interrupted()) == 0) {
		int64_t before = counts->up + counts->down;
		size_t count = list_descriptors(udp, fds);
		int n = poll(fds, count, timeout(udp, since_ms));

		if (n < 0 && errno != EINTR)
			break;
		if (n >= 0 && !serve_descriptors(udp, fds, &end))
			break;
		if (udp->idle_ms == 0)
			continue;
		if (counts->up + counts->down > before) {
			since_ms = io_now_ms();
		} else if (io_now_ms() >= since_ms + udp->idle_ms) {
			end = LOG_END_IDLE;
			break;
		}
	}
	if (rc < 0)
		end = rc == -ETIMEDOUT ? LOG_END_LIFETIME : LOG_END_TERMINATED;
	udp->counts.dropped[UDP_UNRESOLVED] +=
	    (int64_t)udp->store->route.names.waiting;
	return end;
}
