/* SPDX-License-Identifier: ISC */
/*
 * names: what is known of host names, the look-ups that are under way, and the
 * datagrams that wait for them.
 */
#ifndef NAMES_H
#define NAMES_H

#include "base/addr.h"
#include "net/resolve.h"
#include "net/udp/batch.h"
#include "protocol/wire.h"

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#define NAMES_MAX       128 /* known at once; then the longest unused goes */
#define NAMES_LOOKUPS   16  /* under way at once; the others wait their turn */
#define NAMES_QUICK     4   /* of them for less than RESOLVE_PATIENCE_MS */
#define NAMES_ADDRESSES 8   /* of one name, the first ones */
#define NAMES_WAITING   128 /* datagrams that wait, */
#define NAMES_OF_ONE    4   /* and how many of them for one name */

/* Descriptors of look-ups. */
#define NAMES_FDS (NAMES_LOOKUPS * RESOLVE_CHILDREN)

#define NAMES_LOOKUP_MS 10000 /* after which a look-up has failed */
#define NAMES_FAILED_MS 5000  /* before a name that failed is tried again */

enum names_state {
	NAMES_UNUSED,
	NAMES_QUEUED, /* until another look-up has ended */
	NAMES_LOOKING,
	NAMES_KNOWN,
	NAMES_FAILED,
};

struct names_entry {
	enum names_state state;
	int64_t since_ms; /* in this state */
	uint64_t used;    /* the higher, the later */
	struct resolve lookup;
	size_t count;
	union addr at[NAMES_ADDRESSES]; /* the port is none */
	uint8_t len;
	char name[256];
};

/* A datagram whose destination's name is being looked up. */
struct names_waiting {
	struct names_entry *entry; /* NULL: the place is free */
	uint64_t order;
	uint16_t port;
	size_t len;
	uint8_t data[BATCH_DATA_MAX];
};

/*
 * All zero at the start, but for the family that goes first. More than 8 MiB,
 * of which a page costs memory from its first use on.
 */
struct names {
	sa_family_t prefer; /* AF_UNSPEC: as they come */
	uint64_t clock;     /* counts uses */
	size_t looking, waiting;
	struct names_entry at[NAMES_MAX];
	struct names_waiting queue[NAMES_WAITING];
};

/*
 * What is known of a name that wire_check_destination() lets pass, and that is
 * not the literal of an address. Begins a look-up where nothing is. NULL when
 * as many as can be are being looked up.
 * The entry stands until the next call.
 */
struct names_entry *names_find(
    struct names *names, const struct wire_destination *dst, int64_t now_ms);

/* Keeps a datagram until its name is known: 0, or -ENOBUFS. */
int names_wait(struct names *names, struct names_entry *entry, uint16_t port,
    const uint8_t *data, size_t len);

/*
 * A datagram that waits no longer, because its name is known or has failed;
 * the oldest first. NULL when there is none. Its place is free again after
 * names_release(), and what is in it stands until the next names_wait().
 */
struct names_waiting *names_next(struct names *names);
void names_release(struct names *names, struct names_waiting *waiting);

/* What to poll for look-ups to end: how many of fds were set. */
size_t names_poll(const struct names *names, struct pollfd fds[NAMES_FDS]);

/* When a look-up will have something to do; 0: never, there is none. */
int64_t names_due(const struct names *names);

/* Ends the look-ups that have an answer, or have taken too long, and begins
 * those that were queued. A slow one keeps no other from its turn. */
void names_harvest(struct names *names, int64_t now_ms);

/* This address of a name is of no use: its others go first from now on. */
void names_demote(struct names *names, const union addr *addr);

/* Ends every look-up. */
void names_close(struct names *names);

#endif
