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
#include "protocol/outcome.h"
#include "protocol/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What the rules say. */
struct permit_answer {
	enum rules_verdict verdict;
	/* That decided; NULL: none matched, or it depends on an address. */
	const struct rules_line *line;
};

/* Addresses of a target, in the order in which they are tried. */
struct permit_list {
	size_t count;
	struct permit_address {
		union addr addr;
		struct permit_answer answer;
	} at[ADDR_LIST_MAX];
};

/* To be read by this module only. */
struct permit {
	const struct rules *rules; /* NULL: those built in, which are: */
	struct rules own;
	bool allows_all; /* the first of them, and no other is needed */
	struct rules_client client;
	bool has_user;
	char user[RULES_NAME_MAX]; /* client.user */
	gid_t *groups;             /* client.gids */
};

/*
 * The client is as `identity` says; `fd` is what it is connected to, or -1. The
 * rules stay the caller's; NULL: `built_in` holds, one of the texts of
 * rulefile.h. permit_end() gives back what this takes.
 */
void permit_begin(const struct rules *rules, const char *built_in,
    const struct identity *identity, int fd, struct permit *out);
void permit_end(struct permit *permit);

/* Whether there is anything that this client may do, without a password. */
bool permit_anonymous(const struct permit *permit);

/* Whether a line asks who the user is. */
bool permit_names_users(const struct permit *permit);

/* It is this user, by a name of RULES_NAME_MAX bytes at most. */
void permit_user(struct permit *permit, const char *name, size_t len);

/* Whether this command may do anything at all. */
struct permit_answer permit_command(
    const struct permit *permit, enum rules_command command);

/*
 * What is asked for: denied whatever addresses a name has, allowed likewise, or
 * it depends on them. With `unresolved` nobody here will ever know them: lines
 * about addresses don't match a name then.
 */
struct permit_answer permit_target(const struct permit *permit,
    enum rules_command command, const struct wire_destination *dst,
    bool unresolved);

/* The same for an address of the target, of which the answer above is known. */
struct permit_answer permit_address(const struct permit *permit,
    enum rules_command command, const struct wire_destination *dst,
    const struct permit_answer *target, const union addr *addr);

/* For all of them: how many are allowed. */
size_t permit_addresses(const struct permit *permit, enum rules_command command,
    const struct wire_destination *dst, const struct permit_answer *target,
    const struct addr_list *addresses, struct permit_list *out);

/*
 * Those that are allowed may be so by different lines. Moves the first, and all
 * that are held to the same terms, from `list` to `out`: their number. `base`
 * is what holds without rules, *terms what holds for these.
 */
size_t permit_take(const struct permit *permit, const struct terms *base,
    struct permit_list *list, struct addr_list *out, struct terms *terms);

/* What the line of an answer sets, if it has one, on top of what *terms holds.
 */
void permit_terms(const struct permit *permit,
    const struct permit_answer *answer, struct terms *terms);

/* OUTCOME_DENIED, and which line it was. */
enum outcome permit_denied(const struct permit *permit,
    const struct permit_answer *answer, struct failure *failure);

#endif
