/* SPDX-License-Identifier: ISC */
#include "protocol/proxy.h"
#include "base/number.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define V1_SIGNATURE     "PROXY "
#define V1_SIGNATURE_LEN (sizeof(V1_SIGNATURE) - 1)

static const uint8_t v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

/* Signature, version and command, family and transport, length. */
#define V2_FIXED 16

enum { V2_LOCAL = 0x20, V2_PROXY = 0x21 };
enum { V2_UNSPEC, V2_INET, V2_INET6, V2_UNIX };    /* upper four bits */
enum { V2_ANY_TRANSPORT, V2_STREAM, V2_DATAGRAM }; /* lower four */

/* An address and a port, two words of version 1's line. */
static int
get_v1_address(const char *host, const char *port, bool ipv6, union addr *out)
{
	uint64_t number;

	if ((strchr(host, ':') != NULL) != ipv6 || (*port == '0' && port[1]) ||
	    number_read(port, strlen(port), UINT16_MAX, &number) < 0)
		return -EPROTO;
	return addr_parse(host, (uint16_t)number, out);
}

/* What stands between the signature and CR LF. */
static int
get_line(const uint8_t *data, size_t len, struct proxy_header *out)
{
	static const char unknown[] = "UNKNOWN ";
	struct proxy_header header = {.client = PROXY_CLIENT_AT_ADDRESS};
	char line[PROXY_V1_MAX] = "", *rest = line, *words[6];
	size_t n = 0;
	bool ipv6;

	memcpy(line, data, len);
	line[len] = ' '; /* behind each word */
	if (memcmp(line, unknown, strlen(unknown)) == 0) {
		/* Whatever stands behind it. */
		*out = (struct proxy_header){.client = PROXY_CLIENT_UNKNOWN};
		return 0;
	}
	while (n < 6 && (words[n] = strsep(&rest, " ")) != NULL)
		n++;
	if (n != 6 || words[5] != line + len + 1)
		return -EPROTO;
	ipv6 = strcmp(words[0], "TCP6") == 0;
	if ((!ipv6 && strcmp(words[0], "TCP4") != 0) ||
	    get_v1_address(words[1], words[3], ipv6, &header.source) < 0 ||
	    get_v1_address(words[2], words[4], ipv6, &header.destination) < 0)
		return -EPROTO;
	*out = header;
	return 0;
}

/* Version 1; the signature is complete. */
static ssize_t
get_v1(const uint8_t *data, size_t len, struct proxy_header *out)
{
	size_t end = V1_SIGNATURE_LEN;

	if (len > PROXY_V1_MAX)
		len = PROXY_V1_MAX;
	while (end < len && data[end] != '\r' && data[end] != '\n')
		end++;
	/* A line that can't end in time any more is known one byte early. */
	if (end >= PROXY_V1_MAX - 1)
		return -EMSGSIZE;
	if (end < len && data[end] == '\n')
		return -EPROTO;
	if (len - end < 2)
		return 0;
	if (data[end + 1] != '\n')
		return -EPROTO;
	if (get_line(data + V1_SIGNATURE_LEN, end - V1_SIGNATURE_LEN, out) < 0)
		return -EPROTO;
	return (ssize_t)end + 2;
}

static uint16_t
get_header_port(const uint8_t *data)
{
	return (uint16_t)(data[0] << 8 | data[1]);
}

/* Source address, destination address, and their ports. */
static void
get_v2_addresses(
    const uint8_t *data, sa_family_t family, struct proxy_header *out)
{
	size_t len = family == AF_INET ? 4 : 16;
	const uint8_t *ports = data + 2 * len;

	out->client = PROXY_CLIENT_AT_ADDRESS;
	addr_set(family, data, get_header_port(ports), &out->source);
	addr_set(
	    family, data + len, get_header_port(ports + 2), &out->destination);
}

/* Version 2; the signature is complete. */
static ssize_t
get_v2(const uint8_t *data, size_t len, struct proxy_header *out)
{
	static const uint8_t addresses_len[] = {
	    [V2_UNSPEC] = 0,
	    [V2_INET] = 12,
	    [V2_INET6] = 36,
	    [V2_UNIX] = 216,
	};
	struct proxy_header header = {.client = PROXY_CLIENT_UNKNOWN};
	unsigned family, transport;
	size_t rest;

	if (len < 13)
		return 0;
	if (data[12] != V2_LOCAL && data[12] != V2_PROXY)
		return -EPROTO;
	if (len < V2_FIXED)
		return 0;
	family = data[13] >> 4;
	transport = data[13] & 0x0f;
	/* Of LOCAL, whatever the family. */
	if (data[12] == V2_LOCAL || family > V2_UNIX ||
	    transport == V2_ANY_TRANSPORT || transport > V2_DATAGRAM)
		family = V2_UNSPEC;
	rest = get_header_port(data + 14);
	if (rest < addresses_len[family])
		return -EPROTO;
	if (rest > PROXY_HEADER_MAX - V2_FIXED)
		return -EMSGSIZE;
	if (len - V2_FIXED < rest)
		return 0;

	if (family == V2_UNIX)
		header.client = PROXY_CLIENT_ON_UNIX_SOCKET;
	else if (family != V2_UNSPEC)
		get_v2_addresses(data + V2_FIXED,
		    family == V2_INET ? AF_INET : AF_INET6, &header);
	*out = header;
	return (ssize_t)(V2_FIXED + rest);
}

/* Whether all there is of these bytes agrees with a signature. */
static bool
has_signature(
    const uint8_t *data, size_t len, const void *signature, size_t size)
{
	return memcmp(data, signature, len < size ? len : size) == 0;
}

ssize_t
proxy_get_header(const uint8_t *data, size_t len, struct proxy_header *out)
{
	if (len == 0)
		return 0;
	if (has_signature(data, len, V1_SIGNATURE, V1_SIGNATURE_LEN))
		return len < V1_SIGNATURE_LEN ? 0 : get_v1(data, len, out);
	if (has_signature(data, len, v2_signature, sizeof(v2_signature)))
		return len < sizeof(v2_signature) ? 0 : get_v2(data, len, out);
	return -EPROTO;
}
