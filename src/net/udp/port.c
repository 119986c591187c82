/* SPDX-License-Identifier: ISC */
#include "net/udp/port.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE /* musl's headers are older than Linux 5.14 */
#define SO_NETNS_COOKIE 71
#endif

/* Asked of the kernel, which may give less (net.core.rmem_max). */
#define RECEIVE_BUFFER (1 << 20)

int
port_socket(sa_family_t family)
{
	const int on = 1, size = RECEIVE_BUFFER;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	return fd;
}

/* Binds to a port of the range, or to any: 0 or -errno. */
static int
bind_port(int fd, union addr *addr, uint16_t first, uint16_t last)
{
	uint32_t count = first ? (uint32_t)(last - first) + 1 : 1;
	/* Those who come at the same time don't all try the same ports. */
	uint32_t start = (uint32_t)getpid() % count;

	for (uint32_t i = 0; i < count; i++) {
		addr_set_port(addr, (uint16_t)(first + (start + i) % count));
		if (bind(fd, &addr->sa, addr_len(addr)) == 0)
			return 0;
		if (errno != EADDRINUSE)
			return -errno;
	}
	return -EADDRINUSE;
}

/* Whether two sockets are in one network namespace, as far as is known. */
static bool
is_same_network(int a, int b)
{
	uint64_t x = 0, y = 0;
	socklen_t len = sizeof(x);

	if (getsockopt(a, SOL_SOCKET, SO_NETNS_COOKIE, &x, &len) < 0 ||
	    getsockopt(b, SOL_SOCKET, SO_NETNS_COOKIE, &y, &len) < 0)
		return true;
	return x == y;
}

/* The addresses of the TCP connection; IPv4-mapped ones become IPv4. */
static bool
get_addresses(int control, union addr *own, union addr *client)
{
	socklen_t own_len = sizeof(*own), client_len = sizeof(*client);

	if (getsockname(control, &own->sa, &own_len) < 0 ||
	    getpeername(control, &client->sa, &client_len) < 0 ||
	    !addr_is_inet(own) || !addr_is_inet(client))
		return false;
	*own = addr_unmapped(own);
	*client = addr_unmapped(client);
	return true;
}

int
port_open(int control, uint16_t first, uint16_t last, struct port *out,
    struct fault *fault)
{
	struct port port;
	socklen_t len = sizeof(port.own);
	int rc;

	if (!get_addresses(control, &port.own, &port.client))
		return fault_set(
		    fault, EOPNOTSUPP, "UDP needs a client with an IP address");
	port.fd = port_socket(port.own.sa.sa_family);
	if (port.fd < 0)
		return fault_set(fault, -port.fd, NULL);
	if (!is_same_network(port.fd, control)) {
		close(port.fd);
		return fault_set(fault, EOPNOTSUPP,
		    "UDP can't reach a client in another network namespace");
	}
	rc = bind_port(port.fd, &port.own, first, last);
	if (rc == 0 && getsockname(port.fd, &port.own.sa, &len) < 0)
		rc = -errno;
	if (rc < 0) {
		close(port.fd);
		return fault_set(fault, -rc,
		    rc == -EADDRINUSE ? "every port that UDP may use is taken"
				      : NULL);
	}
	*out = port;
	return 0;
}
