/* SPDX-License-Identifier: ISC */
/*
 * resolve: a request's destination -> the addresses to try, in order; and an
 * address -> its name.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "base/addr.h"
#include "base/io.h"
#include "net/lookup.h"
#include "protocol/outcome.h"
#include "protocol/wire.h"

#include <poll.h>
#include <stdbool.h>

/*
 * An address, or a name that is one without a scope (wire_literal()), is taken
 * as it is. Any other name is looked up (lookup.h). Families take turns in the
 * result (RFC 8305 section 4).
 *
 * OUTCOME_DONE; _NO_SUCH_NAME; _NO_NAME_SERVER; _CLIENT_LEFT: `client` went
 * away meanwhile; _CONNECT_TIMEOUT: the alarm rang; _TERMINATED; _SYSTEM, with
 * EIO where the child died.
 */
enum outcome resolve_destination(const struct wire_destination *dst,
    const struct io_end *client, struct addr_list *out,
    struct failure *failure);

/*
 * A look-up under way: of both families by one child, and where that has no
 * answer after RESOLVE_PATIENCE_MS, of each by one more. Then the first that is
 * answered will do, the other one being waited for RESOLVE_DELAY_MS longer (RFC
 * 8305 section 3): a server that never answers for AAAA holds up nobody.
 */
#define RESOLVE_PATIENCE_MS 200
#define RESOLVE_DELAY_MS    50
#define RESOLVE_CHILDREN    3

struct resolve {
	const char *name;
	uint16_t port;
	int64_t again_ms;  /* when each family is asked for; 0: it was */
	int64_t settle_ms; /* when one family will do; 0: none has an answer */
	struct lookup_child children[RESOLVE_CHILDREN];
	struct addr_list found;
	struct failure failure; /* of a family by itself */
};

/*
 * Begins to look a name up, and does not wait; the name, a NUL at its end, has
 * to stay until the end. Times are milliseconds of io_now_ms(). 0 or -errno.
 */
int resolve_start(
    const char *name, uint16_t port, int64_t now_ms, struct resolve *out);

/* What to poll for: how many of fds were set. */
size_t resolve_poll(
    const struct resolve *resolve, struct pollfd fds[RESOLVE_CHILDREN]);

/* When to call the next one at the latest; 0: when poll says so. */
int64_t resolve_due(const struct resolve *resolve);

/*
 * Takes what answers there are, without waiting: true when the look-up is over,
 * and failure->outcome, OUTCOME_DONE among them, says how.
 */
bool resolve_harvest(struct resolve *resolve, int64_t now_ms,
    struct addr_list *out, struct failure *failure);

/* Gives up, and ends the children. */
void resolve_end(struct resolve *resolve);

/*
 * The name that an address has (PTR), from getnameinfo(3), in a child process
 * as above. Whether the name has this address is not looked at.
 * OUTCOME_NO_SUCH_NAME: it has none, or none that wire_check_destination()
 * would pass; the rest as above.
 */
enum outcome resolve_name_of(const union addr *addr,
    const struct io_end *client, char out[WIRE_NAME_SIZE],
    struct failure *failure);

#endif
