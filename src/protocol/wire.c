/* SPDX-License-Identifier: ISC */
#include "protocol/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

ssize_t
wire_get_greeting(const uint8_t *data, size_t len, struct wire_greeting *out)
{
	if (len > 0 && data[0] != WIRE_VERSION)
		return -EPROTO;
	if (len < 2 || len < 2U + data[1])
		return 0;
	out->methods = data + 2;
	out->methods_len = data[1];
	return 2 + data[1];
}

ssize_t
wire_get_password(const uint8_t *data, size_t len, struct wire_password *out)
{
	size_t password; /* where PLEN stands */

	if (len > 0 && data[0] != WIRE_PASSWORD_VERSION)
		return -EPROTO;
	if (len < 2)
		return 0;
	if (data[1] == 0)
		return -EINVAL;
	password = 2U + data[1];
	if (len <= password || len - password - 1 < data[password])
		return 0;
	out->name = (const char *)data + 2;
	out->name_len = data[1];
	out->password = (const char *)data + password + 1;
	out->password_len = data[password];
	return (ssize_t)(password + 1 + data[password]);
}

static uint16_t
get_port(const uint8_t *data)
{
	return (uint16_t)(data[0] << 8 | data[1]);
}

/* ATYP DST.ADDR DST.PORT, RFC 1928 section 5 */
static ssize_t
get_destination(const uint8_t *data, size_t len, struct wire_destination *out)
{
	size_t at = 1, host_len;

	if (len < 1)
		return 0;
	switch (data[0]) {
	case WIRE_ATYP_IPV4:
		host_len = sizeof(out->ipv4);
		break;
	case WIRE_ATYP_IPV6:
		host_len = sizeof(out->ipv6);
		break;
	case WIRE_ATYP_NAME:
		if (len < 2)
			return 0;
		at = 2;
		host_len = data[1];
		break;
	default:
		return -EAFNOSUPPORT;
	}
	if (len < at + host_len + 2)
		return 0;
	out->atyp = data[0];
	out->name_len = at == 2 ? data[1] : 0;
	memcpy(out->name, data + at, host_len);
	out->name[host_len] = '\0';
	out->port = get_port(data + at + host_len);
	return (ssize_t)(at + host_len + 2);
}

ssize_t
wire_get_request(const uint8_t *data, size_t len, struct wire_request *out)
{
	ssize_t n;

	if (len > 0 && data[0] != WIRE_VERSION)
		return -EPROTO;
	if (len < 3)
		return 0;
	n = get_destination(data + 3, len - 3, &out->dst);
	if (n <= 0)
		return n;
	out->command = data[1];
	return 3 + n;
}

ssize_t
wire_get_udp_header(
    const uint8_t *data, size_t len, struct wire_udp_header *out)
{
	ssize_t n;

	for (size_t i = 0; i < 2 && i < len; i++) {
		if (data[i] != 0x00) /* RSV */
			return -EPROTO;
	}
	if (len < 3)
		return 0;
	n = get_destination(data + 3, len - 3, &out->dst);
	if (n <= 0)
		return n;
	out->frag = data[2];
	return 3 + n;
}

int
wire_check_destination(const struct wire_destination *dst)
{
	if (dst->atyp != WIRE_ATYP_NAME)
		return 0;
	return wire_check_name(dst->name, dst->name_len);
}

int
wire_check_name(const char *name, size_t len)
{
	if (len == 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c == 0x7f || c == '\\')
			return -EINVAL;
	}
	return 0;
}

int
wire_literal(const struct wire_destination *dst, union addr *out)
{
	if (dst->atyp == WIRE_ATYP_IPV4)
		addr_set(AF_INET, &dst->ipv4, dst->port, out);
	else if (dst->atyp == WIRE_ATYP_IPV6)
		addr_set(AF_INET6, &dst->ipv6, dst->port, out);
	else
		return addr_parse_host(dst->name, dst->port, out);
	return 0;
}

struct wire_destination
wire_destination_of(const union addr *addr)
{
	struct wire_destination dst = {.port = addr_port(addr)};

	dst.atyp =
	    addr->sa.sa_family == AF_INET ? WIRE_ATYP_IPV4 : WIRE_ATYP_IPV6;
	memcpy(dst.name, addr_host(addr), addr_host_len(addr));
	return dst;
}

const char *
wire_command_name(uint8_t command)
{
	switch (command) {
	case WIRE_CONNECT:
		return "CONNECT";
	case WIRE_BIND:
		return "BIND";
	case WIRE_UDP_ASSOCIATE:
		return "UDP_ASSOCIATE";
	case WIRE_RESOLVE:
		return "RESOLVE";
	case WIRE_RESOLVE_PTR:
		return "RESOLVE_PTR";
	default:
		return "unknown";
	}
}

size_t
wire_print_destination(
    const struct wire_destination *dst, char out[WIRE_DESTINATION_MAX])
{
	char text[INET6_ADDRSTRLEN];
	size_t len = dst->name_len;

	memcpy(out, dst->name, len);
	if (dst->atyp == WIRE_ATYP_IPV4)
		len = (size_t)sprintf(out, "%s",
		    inet_ntop(AF_INET, &dst->ipv4, text, sizeof(text)));
	else if (dst->atyp == WIRE_ATYP_IPV6)
		len = (size_t)sprintf(out, "[%s]",
		    inet_ntop(AF_INET6, &dst->ipv6, text, sizeof(text)));
	return len + (size_t)sprintf(out + len, ":%u", dst->port);
}

size_t
wire_put_method(uint8_t method, uint8_t out[WIRE_METHOD_LEN])
{
	out[0] = WIRE_VERSION;
	out[1] = method;
	return WIRE_METHOD_LEN;
}

size_t
wire_put_status(uint8_t status, uint8_t out[WIRE_STATUS_LEN])
{
	out[0] = WIRE_PASSWORD_VERSION;
	out[1] = status;
	return WIRE_STATUS_LEN;
}

/* ATYP, the `len` bytes of an address or a name, and the port. */
static size_t
put_destination(uint8_t *out, enum wire_atyp atyp, const void *at, size_t len,
    uint16_t port)
{
	size_t n = 0;

	out[n++] = (uint8_t)atyp;
	if (atyp == WIRE_ATYP_NAME)
		out[n++] = (uint8_t)len;
	memcpy(out + n, at, len);
	n += len;
	out[n++] = (uint8_t)(port >> 8);
	out[n++] = (uint8_t)port;
	return n;
}

/* As a reply and a UDP header have it. */
static size_t
put_address(uint8_t out[1 + 16 + 2], const union addr *addr)
{
	union addr plain = {.in = {.sin_family = AF_INET}};

	if (addr && addr_is_inet(addr))
		plain = addr_unmapped(addr);
	return put_destination(out,
	    plain.sa.sa_family == AF_INET6 ? WIRE_ATYP_IPV6 : WIRE_ATYP_IPV4,
	    addr_host(&plain), addr_host_len(&plain), addr_port(&plain));
}

/* VER, CMD or REP, and RSV. */
static size_t
put_head(uint8_t out[3], uint8_t code)
{
	out[0] = WIRE_VERSION;
	out[1] = code;
	out[2] = 0x00;
	return 3;
}

size_t
wire_put_reply(
    uint8_t rep, const union addr *bound, uint8_t out[WIRE_REPLY_MAX])
{
	size_t n = put_head(out, rep);

	return n + put_address(out + n, bound);
}

size_t
wire_put_udp_header(
    const union addr *sender, uint8_t out[WIRE_UDP_HEADER_ADDRESS_MAX])
{
	memset(out, 0x00, 3); /* RSV and FRAG */
	return 3 + put_address(out + 3, sender);
}

size_t
wire_put_name_reply(
    uint8_t rep, const char *name, uint8_t out[WIRE_NAME_REPLY_MAX])
{
	size_t n = put_head(out, rep);

	return n + put_destination(out + n, WIRE_ATYP_NAME, name,
		       strnlen(name, WIRE_NAME_SIZE - 1), 0);
}

size_t
wire_put_greeting(
    const uint8_t *methods, size_t methods_len, uint8_t out[WIRE_GREETING_MAX])
{
	out[0] = WIRE_VERSION;
	out[1] = (uint8_t)methods_len;
	memcpy(out + 2, methods, methods_len);
	return 2 + methods_len;
}

size_t
wire_put_password(
    const struct wire_password *password, uint8_t out[WIRE_PASSWORD_MAX])
{
	size_t n = 2U + password->name_len;

	out[0] = WIRE_PASSWORD_VERSION;
	out[1] = password->name_len;
	memcpy(out + 2, password->name, password->name_len);
	out[n] = password->password_len;
	memcpy(out + n + 1, password->password, password->password_len);
	return n + 1 + password->password_len;
}

size_t
wire_put_request(
    const struct wire_request *request, uint8_t out[WIRE_REQUEST_MAX])
{
	const struct wire_destination *dst = &request->dst;
	size_t n = put_head(out, request->command), len = dst->name_len;

	if (dst->atyp == WIRE_ATYP_IPV4)
		len = sizeof(dst->ipv4);
	else if (dst->atyp == WIRE_ATYP_IPV6)
		len = sizeof(dst->ipv6);
	return n +
	       put_destination(out + n, dst->atyp, dst->name, len, dst->port);
}

ssize_t
wire_get_method(const uint8_t *data, size_t len, uint8_t *out)
{
	if (len > 0 && data[0] != WIRE_VERSION)
		return -EPROTO;
	return wire_get_status(data, len, out);
}

ssize_t
wire_get_status(const uint8_t *data, size_t len, uint8_t *out)
{
	if (len < 2)
		return 0;
	*out = data[1];
	return 2;
}

ssize_t
wire_get_reply(const uint8_t *data, size_t len, struct wire_reply *out)
{
	struct wire_request same; /* but for what CMD means */
	ssize_t n = wire_get_request(data, len, &same);

	if (n > 0)
		*out =
		    (struct wire_reply){.rep = same.command, .bound = same.dst};
	return n;
}

size_t
wire_reply_len(const uint8_t *data, size_t len)
{
	if (len >= 5 && data[3] == WIRE_ATYP_IPV4)
		return 4 + sizeof(struct in_addr) + 2;
	if (len >= 5 && data[3] == WIRE_ATYP_IPV6)
		return 4 + sizeof(struct in6_addr) + 2;
	if (len >= 5 && data[3] == WIRE_ATYP_NAME)
		return 4 + 1U + data[4] + 2;
	return 5;
}
