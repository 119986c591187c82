/* SPDX-License-Identifier: ISC */
/*
 * permit: the rules, asked at each step of a session, about one client and with
 * what this host knows.
 */
#ifndef PERMIT_H
#define PERMIT_H

#include "policy/identity.h"
#include "policy/rules.h"
#include "policy/terms.h"
#include "protocol/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Longest that permit_reason() writes, with its NUL. */
#define PERMIT_REASON_MAX 256

struct permit {
	const struct rules *rules;
	struct rules_client client;
	struct rules_host host;
	struct rules_question question;
	enum rules_verdict verdict; /* on what is asked for */
	/* Those built in, where no file has them. */
	struct rules own;
	struct rules_line anything;
	/* The lines that allow the addresses left; by[0] is also the one that
	 * decided last, NULL where no line matched. */
	const struct rules_line *by[ADDR_LIST_MAX];
	gid_t *groups;
};

/*
 * The client is as `identity` says; `fd` is what it is connected to, or -1. The
 * rules stay the caller's; NULL: those built in hold, and with `open` those of
 * --open. *out has to stay where it is. permit_end() gives back what this
 * takes.
 */
void permit_begin(struct permit *out, const struct rules *rules, bool open,
    const struct identity *identity, int fd);
void permit_end(struct permit *permit);

/* Whether there is anything that this client may do, without a password. */
bool permit_anonymous(const struct permit *permit);

/* It is this user. The name has to stay where it is. */
void permit_user(struct permit *permit, const char *name, size_t len);

/* Whether this command may do anything at all: 0, or -EACCES. */
int permit_command(struct permit *permit, enum rules_command command);

/*
 * What is asked for: 0, or -EACCES when it is denied, whatever addresses a name
 * has. With `unresolved` nobody here will ever know them: lines about addresses
 * don't match a name then. The destination has to stay where it is.
 */
int permit_request(struct permit *permit, enum rules_command command,
    const struct wire_destination *dst, bool unresolved);

/*
 * Takes those addresses out of the list that are denied, after
 * permit_request(): 0, or -EACCES where none is left.
 */
int permit_addresses(struct permit *permit, struct addr_list *list);

/*
 * The addresses that are left may have been allowed by different lines. Moves
 * the first, and all that are held to the same terms, from `list` to `out`:
 * their number. *terms are to hold what holds without rules.
 */
size_t permit_take(struct permit *permit, struct addr_list *list,
    struct addr_list *out, struct terms *terms);

/* What the line that allowed the request, before any look-up, sets. */
void permit_terms(const struct permit *permit, struct terms *terms);

/* Why it was denied, in words: "denied by FILE:LINE". Returns out. */
char *permit_reason(const struct permit *permit, char out[PERMIT_REASON_MAX]);

#endif
