#include "addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <string.h>

void
addr_set_ipv4(union addr *out, struct in_addr ipv4, uint16_t port)
{
	*out = (union addr){.in = {
				.sin_family = AF_INET,
				.sin_port = htons(port),
				.sin_addr = ipv4,
			    }};
}

void
addr_set_ipv6(union addr *out, const struct in6_addr *ipv6, uint16_t port)
{
	if (IN6_IS_ADDR_V4MAPPED(ipv6)) {
		struct in_addr ipv4;

		memcpy(&ipv4, ipv6->s6_addr + 12, sizeof(ipv4));
		addr_set_ipv4(out, ipv4, port);
		return;
	}
	*out = (union addr){.in6 = {
				.sin6_family = AF_INET6,
				.sin6_port = htons(port),
				.sin6_addr = *ipv6,
			    }};
}

int
addr_parse(const char *text, uint16_t port, union addr *out)
{
	struct in_addr ipv4;
	struct in6_addr ipv6;

	if (inet_pton(AF_INET, text, &ipv4) == 1)
		addr_set_ipv4(out, ipv4, port);
	else if (inet_pton(AF_INET6, text, &ipv6) == 1)
		addr_set_ipv6(out, &ipv6, port);
	else
		return -EINVAL;
	return 0;
}

socklen_t
addr_len(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET ? sizeof(addr->in)
					     : sizeof(addr->in6);
}

/* IPv4-mapped becomes IPv4, anything else stays as it is. */
static union addr
unmapped(const union addr *addr)
{
	union addr plain = *addr;

	if (addr->sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr))
		addr_set_ipv6(
		    &plain, &addr->in6.sin6_addr, ntohs(addr->in6.sin6_port));
	return plain;
}

bool
addr_equal(const union addr *a, const union addr *b)
{
	union addr x = unmapped(a), y = unmapped(b);

	if (x.sa.sa_family != y.sa.sa_family)
		return false;
	if (x.sa.sa_family == AF_INET)
		return x.in.sin_port == y.in.sin_port &&
		       x.in.sin_addr.s_addr == y.in.sin_addr.s_addr;
	return x.in6.sin6_port == y.in6.sin6_port &&
	       x.in6.sin6_scope_id == y.in6.sin6_scope_id &&
	       IN6_ARE_ADDR_EQUAL(&x.in6.sin6_addr, &y.in6.sin6_addr);
}

char *
addr_format(const struct sockaddr *sa, char out[ADDR_TEXT_MAX])
{
	char text[INET6_ADDRSTRLEN], scope[16] = "";
	union addr addr = {0};

	out[0] = '\0';
	if (sa->sa_family == AF_VSOCK) {
		const struct sockaddr_vm *vm = (const void *)sa;

		snprintf(out, ADDR_TEXT_MAX, "vsock:%u:%u", vm->svm_cid,
		    vm->svm_port);
		return out;
	}
	if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)
		return out;

	memcpy(&addr, sa, addr_len((const void *)sa));
	addr = unmapped(&addr);
	if (addr.sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &addr.in.sin_addr, text, sizeof(text));
		snprintf(
		    out, ADDR_TEXT_MAX, "%s:%u", text, ntohs(addr.in.sin_port));
	} else {
		inet_ntop(AF_INET6, &addr.in6.sin6_addr, text, sizeof(text));
		if (addr.in6.sin6_scope_id)
			snprintf(scope, sizeof(scope), "%%%u",
			    addr.in6.sin6_scope_id);
		snprintf(out, ADDR_TEXT_MAX, "[%s%s]:%u", text, scope,
		    ntohs(addr.in6.sin6_port));
	}
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
