/* SPDX-License-Identifier: ISC */
/*
 * resolve: a request's destination -> the addresses to try, in order; and an
 * address -> its name.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "base/addr.h"
#include "base/io.h"
#include "protocol/outcome.h"
#include "protocol/wire.h"

#include <sys/types.h>

/*
 * An address, or a name that is one without a scope (wire_literal()), is taken
 * as it is. Any other name is looked up with getaddrinfo(3), in a child
 * process: nothing in this process could end a look-up that hangs (some NSS
 * modules block SIGALRM while they wait), and what it allocates and loads is
 * gone with the child. Families take turns in the result (RFC 8305 section 4).
 *
 * OUTCOME_DONE; _NO_SUCH_NAME; _NO_NAME_SERVER; _CLIENT_LEFT: `client` went
 * away meanwhile; _CONNECT_TIMEOUT: the alarm rang; _TERMINATED; _SYSTEM, with
 * EIO where the child died.
 */
enum outcome resolve_destination(const struct wire_destination *dst,
    const struct io_end *client, struct addr_list *out,
    struct failure *failure);

/* A look-up under way. */
struct resolve {
	pid_t pid;
	int fd; /* readable once there is an answer */
};

/*
 * Begins to look a name up, a NUL at its end, and does not wait. 0 or -errno.
 */
int resolve_start(const char *name, uint16_t port, struct resolve *out);

/*
 * Ends the look-up, and its child with it. Does not wait for an answer: where
 * there was none yet, that is OUTCOME_SYSTEM with EAGAIN. The rest as above.
 */
enum outcome resolve_finish(
    struct resolve *resolve, struct addr_list *out, struct failure *failure);

/*
 * The name that an address has (PTR), from getnameinfo(3), in a child process
 * as above. Whether the name has this address is not looked at.
 * OUTCOME_NO_SUCH_NAME: it has none, or none that wire_check_destination()
 * would pass; the rest as above.
 */
enum outcome resolve_name_of(const union addr *addr,
    const struct io_end *client, char out[WIRE_NAME_SIZE],
    struct failure *failure);

/*
 * What a code of getaddrinfo(3) or getnameinfo(3) means; *error becomes the
 * errno that goes with it, or 0.
 */
enum outcome resolve_outcome(int eai, int system_errno, int *error);

#endif
