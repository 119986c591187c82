/* SPDX-License-Identifier: ISC */
#include "fuzz.h"
#include "protocol/proxy.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* What the client's address may be, and what is left zero where it is none. */
static void
check_header(const struct proxy_header *header)
{
	static const union addr none;
	sa_family_t source = header->source.sa.sa_family;
	sa_family_t destination = header->destination.sa.sa_family;
	char text[ADDR_TEXT_MAX];

	if (header->client == PROXY_CLIENT_AT_ADDRESS) {
		HOLD(source == AF_INET || source == AF_INET6);
		HOLD(destination == AF_INET || destination == AF_INET6);
		HOLD(*addr_format(&header->source, text));
		HOLD(*addr_format(&header->destination, text));
		return;
	}
	HOLD(header->client == PROXY_CLIENT_UNKNOWN ||
	     header->client == PROXY_CLIENT_ON_UNIX_SOCKET);
	HOLD(memcmp(&header->source, &none, sizeof(none)) == 0);
	HOLD(memcmp(&header->destination, &none, sizeof(none)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header header, again;
	ssize_t n;

	memset(&header, 0xa5, sizeof(header));
	again = header;
	n = proxy_get_header(data, size, &header);
	HOLD(n == -EPROTO || n == -EMSGSIZE || n >= 0);
	if (n <= 0) {
		/* Once it is refused it stays so, and is never taken. */
		bool refused = false;

		HOLD(n != 0 || size < PROXY_HEADER_MAX);
		HOLD(memcmp(&header, &again, sizeof(header)) == 0);
		for (size_t i = 0; i < size; i++) {
			ssize_t m = proxy_get_header(data, i, &again);

			HOLD(m == 0 || m == n);
			HOLD(m < 0 || !refused);
			refused = m < 0;
		}
		return 0;
	}
	HOLD((size_t)n <= size && n <= PROXY_HEADER_MAX);
	HOLD(data[0] != 'P' || n <= PROXY_V1_MAX);
	check_header(&header);
	/* What stands behind it doesn't matter; what is missing does. */
	memset(&again, 0xa5, sizeof(again));
	HOLD(proxy_get_header(data, (size_t)n, &again) == n);
	HOLD(again.client == header.client);
	HOLD(memcmp(&again.source, &header.source, sizeof(again.source)) == 0);
	for (size_t i = 0; i < (size_t)n; i++)
		HOLD(proxy_get_header(data, i, &again) == 0);
	return 0;
}
