/* SPDX-License-Identifier: ISC */
#include "protocol/proxy.h"
#include "base/number.h"

#include <arpa/inet.h>
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

/* Bytes of version 1's line that are still to be read. */
struct line {
	const char *at;
	size_t len;
};

/*
 * The next word into out, a string of less than size bytes: it ends at the
 * line's end, or at a space, which is taken too when more has to follow.
 */
static int
next_word(struct line *line, bool last, char *out, size_t size)
{
	const char *space = memchr(line->at, ' ', line->len);
	size_t len = space ? (size_t)(space - line->at) : line->len;

	if (len == 0 || len >= size || !space != last ||
	    memchr(line->at, '\0', len))
		return -EPROTO;
	memcpy(out, line->at, len);
	out[len] = '\0';
	line->at += len + !last;
	line->len -= len + !last;
	return 0;
}

static int
next_address(struct line *line, int family, union addr *out)
{
	char word[INET6_ADDRSTRLEN];
	struct in6_addr ipv6 = {0};
	struct in_addr ipv4 = {0};
	int rc = next_word(line, false, word, sizeof(word));

	if (rc < 0)
		return rc;
	if (inet_pton(family, word,
		family == AF_INET ? (void *)&ipv4 : (void *)&ipv6) != 1)
		return -EPROTO;
	if (family == AF_INET)
		addr_set_ipv4(out, ipv4, 0);
	else
		addr_set_ipv6(out, &ipv6, 0);
	return 0;
}

static int
next_port(struct line *line, bool last, union addr *addr)
{
	char word[sizeof("65535")];
	uint64_t port;
	int rc = next_word(line, last, word, sizeof(word));

	if (rc < 0)
		return rc;
	if ((word[0] == '0' && word[1]) ||
	    number_read(word, strlen(word), UINT16_MAX, &port) < 0)
		return -EPROTO;
	addr_set_port(addr, (uint16_t)port);
	return 0;
}

/* What stands between the signature and CR LF. */
static int
get_line(struct line line, struct proxy_header *out)
{
	static const char unknown[] = "UNKNOWN";
	struct proxy_header header = {.client = PROXY_CLIENT_AT_ADDRESS};
	char word[sizeof("TCP6")];
	int family;

	/* Whatever stands behind it. */
	if (line.len >= strlen(unknown) &&
	    memcmp(line.at, unknown, strlen(unknown)) == 0 &&
	    (line.len == strlen(unknown) || line.at[strlen(unknown)] == ' ')) {
		*out = (struct proxy_header){.client = PROXY_CLIENT_UNKNOWN};
		return 0;
	}
	if (next_word(&line, false, word, sizeof(word)) < 0)
		return -EPROTO;
	if (strcmp(word, "TCP4") == 0)
		family = AF_INET;
	else if (strcmp(word, "TCP6") == 0)
		family = AF_INET6;
	else
		return -EPROTO;
	if (next_address(&line, family, &header.source) < 0 ||
	    next_address(&line, family, &header.destination) < 0 ||
	    next_port(&line, false, &header.source) < 0 ||
	    next_port(&line, true, &header.destination) < 0)
		return -EPROTO;
	*out = header;
	return 0;
}

/* Version 1; the signature is complete. */
static ssize_t
get_v1(const uint8_t *data, size_t len, struct proxy_header *out)
{
	size_t end = V1_SIGNATURE_LEN;
	struct line line = {.at = (const char *)data + V1_SIGNATURE_LEN};

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
	line.len = end - V1_SIGNATURE_LEN;
	if (get_line(line, out) < 0)
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
get_v2_addresses(const uint8_t *data, unsigned family, struct proxy_header *out)
{
	struct in6_addr ipv6[2];
	struct in_addr ipv4[2];

	out->client = PROXY_CLIENT_AT_ADDRESS;
	if (family == V2_INET) {
		memcpy(ipv4, data, sizeof(ipv4));
		data += sizeof(ipv4);
		addr_set_ipv4(&out->source, ipv4[0], get_header_port(data));
		addr_set_ipv4(
		    &out->destination, ipv4[1], get_header_port(data + 2));
	} else {
		memcpy(ipv6, data, sizeof(ipv6));
		data += sizeof(ipv6);
		addr_set_ipv6(&out->source, &ipv6[0], get_header_port(data));
		addr_set_ipv6(
		    &out->destination, &ipv6[1], get_header_port(data + 2));
	}
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
		get_v2_addresses(data + V2_FIXED, family, &header);
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
