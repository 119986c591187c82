/* SPDX-License-Identifier: ISC */
#include "base/addr.h"
#include "base/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

void
addr_set(sa_family_t family, const void *host, uint16_t port, union addr *out)
{
	union addr addr = {.in6 = {.sin6_family = family}};

	if (family == AF_INET)
		memcpy(&addr.in.sin_addr, host, sizeof(addr.in.sin_addr));
	else
		memcpy(&addr.in6.sin6_addr, host, sizeof(addr.in6.sin6_addr));
	addr_set_port(&addr, port);
	*out = addr_unmapped(&addr);
}

bool
addr_is_inet(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET || addr->sa.sa_family == AF_INET6;
}

const void *
addr_host(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET
		   ? (const void *)&addr->in.sin_addr
		   : (const void *)&addr->in6.sin6_addr;
}

size_t
addr_host_len(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET ? sizeof(addr->in.sin_addr)
					     : sizeof(addr->in6.sin6_addr);
}

int
addr_parse(const char *text, uint16_t port, union addr *out)
{
	struct in6_addr host; /* or a struct in_addr */

	if (inet_pton(AF_INET, text, &host) == 1)
		addr_set(AF_INET, &host, port, out);
	else if (inet_pton(AF_INET6, text, &host) == 1)
		addr_set(AF_INET6, &host, port, out);
	else
		return -EINVAL;
	return 0;
}

/* IPv6, in brackets or not, with a scope or not: 0, 1 or -EINVAL. */
static int
parse_scoped(char *host, size_t len, struct in6_addr *out)
{
	char *scope;

	if (host[0] == '[') {
		if (host[len - 1] != ']')
			return -EINVAL;
		host[len - 1] = '\0';
		host++;
	}
	scope = strchr(host, '%');
	if (scope)
		*scope = '\0';
	if (inet_pton(AF_INET6, host, out) != 1)
		return -EINVAL;
	return scope ? 1 : 0;
}

int
addr_parse_host(const char *text, uint16_t port, union addr *out)
{
	char host[ADDR_HOST_MAX + 1];
	size_t len = strnlen(text, sizeof(host));
	struct in_addr ipv4;
	struct in6_addr ipv6;
	int rc;

	if (len == 0 || len == sizeof(host))
		return -EINVAL;
	memcpy(host, text, len + 1);
	rc = parse_scoped(host, len, &ipv6);
	if (rc >= 0) {
		addr_set(AF_INET6, &ipv6, port, out);
		return rc;
	}
	memcpy(host, text, len + 1);
	if (host[len - 1] == '.')
		host[len - 1] = '\0';
	if (!inet_aton(host, &ipv4))
		return -EINVAL;
	addr_set(AF_INET, &ipv4, port, out);
	return 0;
}

uint16_t
addr_port(const union addr *addr)
{
	return ntohs(addr->sa.sa_family == AF_INET ? addr->in.sin_port
						   : addr->in6.sin6_port);
}

void
addr_set_port(union addr *addr, uint16_t port)
{
	if (addr->sa.sa_family == AF_INET)
		addr->in.sin_port = htons(port);
	else
		addr->in6.sin6_port = htons(port);
}

socklen_t
addr_len(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET ? sizeof(addr->in)
					     : sizeof(addr->in6);
}

union addr
addr_unmapped(const union addr *addr)
{
	const struct sockaddr_in6 *in6 = &addr->in6;
	union addr plain = {.in = {.sin_family = AF_INET}};

	if (addr->sa.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return *addr;
	memcpy(&plain.in.sin_addr, in6->sin6_addr.s6_addr + 12, 4);
	plain.in.sin_port = in6->sin6_port;
	return plain;
}

bool
addr_equal(const union addr *a, const union addr *b)
{
	return addr_port(a) == addr_port(b) && addr_equal_host(a, b);
}

bool
addr_equal_host(const union addr *a, const union addr *b)
{
	union addr x = addr_unmapped(a), y = addr_unmapped(b);

	if (x.sa.sa_family != y.sa.sa_family)
		return false;
	if (x.sa.sa_family == AF_INET)
		return x.in.sin_addr.s_addr == y.in.sin_addr.s_addr;
	return x.in6.sin6_scope_id == y.in6.sin6_scope_id &&
	       IN6_ARE_ADDR_EQUAL(&x.in6.sin6_addr, &y.in6.sin6_addr);
}

/* Whether a and b agree in their first `prefix` bits. */
static bool
share_prefix(const uint8_t *a, const uint8_t *b, size_t prefix)
{
	unsigned rest = prefix % 8;

	return memcmp(a, b, prefix / 8) == 0 &&
	       (rest == 0 ||
		   (a[prefix / 8] ^ b[prefix / 8]) >> (8 - rest) == 0);
}

/* Whether a bit is set from this one on, in an address of `len` bytes. */
static bool
is_set_behind(const uint8_t *address, size_t prefix, size_t len)
{
	unsigned mask = 0xff >> prefix % 8;

	for (size_t i = prefix / 8; i < len; i++, mask = 0xff) {
		if (address[i] & mask)
			return true;
	}
	return false;
}

int
addr_network_parse(const char *text, size_t len, struct addr_network *out)
{
	const char *slash = memchr(text, '/', len);
	size_t host_len = slash ? (size_t)(slash - text) : len;
	bool ipv6 = memchr(text, ':', host_len);
	uint64_t longest = ipv6 ? 128 : 32, prefix = longest;
	char host[INET6_ADDRSTRLEN] = "";
	struct in6_addr bits = {0};

	if (host_len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, host_len);
	if (strlen(host) != host_len ||
	    inet_pton(ipv6 ? AF_INET6 : AF_INET, host, &bits) != 1)
		return -EINVAL;
	len -= host_len + 1;
	if (slash && (number_read(slash + 1, len, longest, &prefix) < 0 ||
			 (len > 1 && slash[1] == '0')))
		return -ERANGE;
	if (is_set_behind(bits.s6_addr, prefix, longest / 8))
		return -EDOM;
	if (ipv6 && prefix >= 96 && IN6_IS_ADDR_V4MAPPED(&bits)) {
		ipv6 = false;
		prefix -= 96;
		bits = (struct in6_addr){.s6_addr32 = {bits.s6_addr32[3]}};
	}
	*out = (struct addr_network){.prefix = (uint8_t)prefix, .ipv6 = ipv6};
	memcpy(out->bits, &bits, sizeof(bits));
	return 0;
}

bool
addr_network_has(const struct addr_network *network, const union addr *addr)
{
	union addr plain = addr_unmapped(addr);

	if (plain.sa.sa_family != (network->ipv6 ? AF_INET6 : AF_INET))
		return false;
	return share_prefix(network->bits, addr_host(&plain), network->prefix);
}

bool
addr_network_includes(
    const struct addr_network *network, const struct addr_network *other)
{
	return network->ipv6 == other->ipv6 &&
	       network->prefix <= other->prefix &&
	       share_prefix(network->bits, other->bits, network->prefix);
}

bool
addr_is_loopback(const union addr *addr)
{
	union addr plain = addr_unmapped(addr);

	if (plain.sa.sa_family == AF_INET)
		return ntohl(plain.in.sin_addr.s_addr) >> 24 == 127;
	return plain.sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&plain.in6.sin6_addr);
}

char *
addr_format(const union addr *addr, char out[ADDR_TEXT_MAX])
{
	char text[INET6_ADDRSTRLEN], scope[16] = "";
	union addr plain;

	out[0] = '\0';
	if (addr->sa.sa_family == AF_VSOCK)
		snprintf(out, ADDR_TEXT_MAX, "vsock:%u:%u", addr->vm.svm_cid,
		    addr->vm.svm_port);
	if (!addr_is_inet(addr))
		return out;
	plain = addr_unmapped(addr);
	inet_ntop(plain.sa.sa_family, addr_host(&plain), text, sizeof(text));
	if (plain.sa.sa_family == AF_INET6 && plain.in6.sin6_scope_id)
		snprintf(scope, sizeof(scope), "%%%u", plain.in6.sin6_scope_id);
	snprintf(out, ADDR_TEXT_MAX,
	    plain.sa.sa_family == AF_INET6 ? "[%s%s]:%u" : "%s%s:%u", text,
	    scope, addr_port(&plain));
	return out;
}

void
addr_interleave(struct addr_list *list)
{
	struct addr_list sorted = *list;
	size_t next[2] = {0, 0}; /* of the first family, of the other */
	sa_family_t first;

	if (list->count == 0)
		return;
	first = sorted.at[0].sa.sa_family;
	for (size_t i = 0, turn = 0; i < list->count; turn = !turn) {
		size_t *n = &next[turn];

		while (*n < sorted.count &&
		       (sorted.at[*n].sa.sa_family != first) != (turn == 1))
			++*n;
		if (*n < sorted.count)
			list->at[i++] = sorted.at[(*n)++];
	}
}

void
addr_prefer(struct addr_list *list, sa_family_t family)
{
	size_t at = 0;
	union addr first;

	while (at < list->count && list->at[at].sa.sa_family != family)
		at++;
	if (at < list->count) {
		first = list->at[at];
		memmove(list->at + 1, list->at, at * sizeof(first));
		list->at[0] = first;
	}
	addr_interleave(list);
}
