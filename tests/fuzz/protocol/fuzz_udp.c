/* SPDX-License-Identifier: ISC */
#include "base/addr.h"
#include "fuzz.h"
#include "protocol/wire.h"

#include <errno.h>
#include <string.h>

/* The address of a sender who is where this goes. */
static void
check_answer(const struct wire_udp_header *header)
{
	uint8_t out[WIRE_UDP_HEADER_ADDRESS_MAX];
	const struct wire_destination *dst = &header->dst;
	struct wire_udp_header again;
	union addr addr, back;
	size_t n;

	if (dst->atyp == WIRE_ATYP_IPV4)
		addr_set(AF_INET, &dst->ipv4, dst->port, &addr);
	else if (dst->atyp == WIRE_ATYP_IPV6)
		addr_set(AF_INET6, &dst->ipv6, dst->port, &addr);
	else
		return;
	HOLD(addr_port(&addr) == dst->port);
	n = wire_put_udp_header(&addr, out);
	HOLD(n == (addr.sa.sa_family == AF_INET ? 10 : 22));
	/* It is a header in its turn, and leads back. */
	HOLD(wire_get_udp_header(out, n, &again) == (ssize_t)n);
	HOLD(again.frag == 0);
	if (n == 10)
		addr_set(AF_INET, &again.dst.ipv4, again.dst.port, &back);
	else
		addr_set(AF_INET6, &again.dst.ipv6, again.dst.port, &back);
	HOLD(addr_equal(&addr, &back));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_udp_header header, again;
	ssize_t n;

	memset(&header, 0, sizeof(header));
	n = wire_get_udp_header(data, size, &header);
	HOLD(n == -EPROTO || n == -EAFNOSUPPORT || n >= 0);
	if (n <= 0) {
		HOLD(header.frag == 0 && header.dst.atyp == 0);
		return 0;
	}
	HOLD((size_t)n <= size && n <= WIRE_UDP_HEADER_MAX);
	HOLD(data[0] == 0 && data[1] == 0 && header.frag == data[2]);
	HOLD(header.dst.port == (data[n - 2] << 8 | data[n - 1]));
	/* The payload has no part in it, and nothing less is a header. */
	memset(&again, 0, sizeof(again));
	HOLD(wire_get_udp_header(data, (size_t)n, &again) == n);
	HOLD(memcmp(&header, &again, sizeof(header)) == 0);
	for (size_t i = 0; i < (size_t)n; i++)
		HOLD(wire_get_udp_header(data, i, &again) == 0);
	check_answer(&header);
	return 0;
}
