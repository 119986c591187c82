/* SPDX-License-Identifier: ISC */
/*
 * lookup: one question to the system's resolver, in a child process: nothing in
 * this process could end a look-up that hangs (some NSS modules block SIGALRM
 * while they wait), and what it allocates and loads is gone with the child. The
 * child has neither the client nor any socket of ours, and its answer is
 * checked like a peer's bytes.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "base/addr.h"
#include "protocol/outcome.h"
#include "protocol/wire.h"

#include <stdbool.h>
#include <sys/types.h>

/* A name whose addresses are wanted, or else an address whose name is. */
struct lookup {
	const char *name; /* or NULL */
	sa_family_t family;
	uint16_t port;
	const union addr *addr;
};

struct lookup_child {
	pid_t pid;
	int fd; /* readable once there is an answer; -1: there is no child */
};

/* What the child reports, in one write, as far as it is used: addresses, at
 * least one, or a name that wire_check_name() passes. */
struct lookup_answer {
	enum outcome outcome;
	int error; /* its errno, or 0 */
	union {
		struct addr_list list;
		char name[WIRE_NAME_SIZE];
	};
};

/* Begins to ask, and does not wait: 0 or -errno. */
int lookup_start(const struct lookup *lookup, struct lookup_child *out);

/*
 * Takes the answer, and ends the child: false where there is none yet,
 * otherwise failure->outcome, OUTCOME_DONE among them, says what it was.
 * `named`: a name was asked for.
 */
bool lookup_answer(struct lookup_child *child, bool named,
    struct lookup_answer *out, struct failure *failure);

/* Ends the child, if there is one. */
void lookup_end(struct lookup_child *child);

/*
 * What a code of getaddrinfo(3) or getnameinfo(3) means; *error becomes the
 * errno that goes with it, or 0.
 */
enum outcome lookup_outcome(int eai, int system_errno, int *error);

#endif
