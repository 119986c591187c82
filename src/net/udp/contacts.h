/* SPDX-License-Identifier: ISC */
/*
 * contacts: the hosts that an association has sent to, and that may answer.
 */
#ifndef CONTACTS_H
#define CONTACTS_H

#include "base/addr.h"

#include <stdbool.h>
#include <stdint.h>

/* Hosts that are remembered: sets of so many each, chosen by the address. */
#define CONTACTS_SETS 1024
#define CONTACTS_WAYS 4

struct contacts_host {
	uint32_t used; /* 0: nobody */
	uint32_t scope;
	struct in6_addr address; /* IPv4 as IPv4-mapped */
};

/*
 * All zero at the start. About 100 KiB, of which a page costs memory from its
 * first use on.
 */
struct contacts {
	struct contacts_host at[CONTACTS_SETS][CONTACTS_WAYS];
};

/* The host of this address, whatever the port; one that has not been added for
 * longest may be forgotten for it. */
void contacts_add(struct contacts *contacts, const union addr *addr);

bool contacts_has(const struct contacts *contacts, const union addr *addr);

#endif
