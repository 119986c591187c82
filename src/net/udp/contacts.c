/* SPDX-License-Identifier: ISC */
#include "net/udp/contacts.h"

#include <string.h>

static void
set_host(struct contacts_host *out, const union addr *addr)
{
	*out = (struct contacts_host){.used = 1};
	if (addr->sa.sa_family == AF_INET) {
		out->address.s6_addr[10] = out->address.s6_addr[11] = 0xff;
		memcpy(out->address.s6_addr + 12, &addr->in.sin_addr, 4);
	} else {
		out->address = addr->in6.sin6_addr;
		out->scope = addr->in6.sin6_scope_id;
	}
}

static size_t
set_of(const struct contacts_host *host)
{
	uint32_t hash = host->scope;

	for (size_t i = 0; i < sizeof(host->address); i++)
		hash = (hash ^ host->address.s6_addr[i]) * 0x01000193U;
	return (hash ^ hash >> 16) % CONTACTS_SETS;
}

/* Its place in the set, or CONTACTS_WAYS. */
static size_t
find_host(const struct contacts_host set[CONTACTS_WAYS],
    const struct contacts_host *host)
{
	size_t i = 0;

	while (i < CONTACTS_WAYS && memcmp(&set[i], host, sizeof(*host)) != 0)
		i++;
	return i;
}

void
contacts_add(struct contacts *contacts, const union addr *addr)
{
	struct contacts_host host, *set;
	size_t i;

	set_host(&host, addr);
	set = contacts->at[set_of(&host)];
	i = find_host(set, &host);
	if (i == CONTACTS_WAYS)
		i--;
	/* The set is in the order of last use. */
	memmove(set + 1, set, i * sizeof(*set));
	set[0] = host;
}

bool
contacts_has(const struct contacts *contacts, const union addr *addr)
{
	struct contacts_host host;

	set_host(&host, addr);
	return find_host(contacts->at[set_of(&host)], &host) < CONTACTS_WAYS;
}
