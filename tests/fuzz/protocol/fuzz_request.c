/* SPDX-License-Identifier: ISC */
#include "base/addr.h"
#include "fuzz.h"
#include "protocol/wire.h"

#include <errno.h>
#include <string.h>

/* A reply about this destination, were it an address of ours. */
static void
check_reply(const struct wire_destination *dst)
{
	uint8_t reply[WIRE_REPLY_MAX];
	union addr addr;
	size_t n;

	if (dst->atyp == WIRE_ATYP_IPV4)
		addr_set(AF_INET, &dst->ipv4, dst->port, &addr);
	else if (dst->atyp == WIRE_ATYP_IPV6)
		addr_set(AF_INET6, &dst->ipv6, dst->port, &addr);
	else if (addr_parse(dst->name, dst->port, &addr) < 0)
		return;
	n = wire_put_reply(WIRE_REP_SUCCEEDED, &addr, reply);
	HOLD(n == (addr.sa.sa_family == AF_INET ? 10 : 22));
	HOLD(reply[3] == (n == 10 ? WIRE_ATYP_IPV4 : WIRE_ATYP_IPV6));
	HOLD((reply[n - 2] << 8 | reply[n - 1]) == dst->port);
}

static void
check_request(const struct wire_request *request)
{
	const struct wire_destination *dst = &request->dst;
	char *text = malloc(WIRE_DESTINATION_MAX);
	size_t n;

	HOLD(text);
	n = wire_print_destination(dst, text);
	HOLD(n < WIRE_DESTINATION_MAX && text[n] == '\0');
	free(text);
	HOLD(wire_command_name(request->command));
	if (dst->atyp == WIRE_ATYP_NAME) {
		HOLD(dst->name[dst->name_len] == '\0');
		/* What passes is what a resolver will see, to the last byte. */
		if (wire_check_destination(dst) == 0)
			HOLD(strlen(dst->name) == dst->name_len);
	} else {
		HOLD(wire_check_destination(dst) == 0);
	}
	check_reply(dst);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_request request, again;
	ssize_t n;

	memset(&request, 0, sizeof(request));
	n = wire_get_request(data, size, &request);
	HOLD(n == -EPROTO || n == -EAFNOSUPPORT || n >= 0);
	if (n <= 0) {
		/* The verdict comes as early as it can, and stays. */
		size_t decided = n == 0 ? size : n == -EPROTO ? 1 : 4;

		HOLD(size >= decided);
		for (size_t i = 0; i < size; i++)
			HOLD(wire_get_request(data, i, &again) ==
			     (i < decided ? 0 : n));
		HOLD(request.command == 0 && request.dst.atyp == 0);
		return 0;
	}
	HOLD((size_t)n <= size && n <= WIRE_REQUEST_MAX);
	check_request(&request);
	memset(&again, 0, sizeof(again));
	HOLD(wire_get_request(data, (size_t)n, &again) == n);
	HOLD(memcmp(&request, &again, sizeof(request)) == 0);
	for (size_t i = 0; i < (size_t)n; i++)
		HOLD(wire_get_request(data, i, &again) == 0);
	return 0;
}
