/* SPDX-License-Identifier: ISC */
/*
 * ruleword: one word of a list in the rules, read into an item.
 *
 * Pure functions, no system calls, no allocation.
 */
#ifndef RULEWORD_H
#define RULEWORD_H

#include "policy/rules.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Of a line: no NUL follows. At least one byte, no blank or control byte. */
struct ruleword {
	const char *at;
	size_t len;
};

static inline bool
ruleword_is(struct ruleword word, const char *text, size_t len)
{
	return word.len == len && memcmp(word.at, text, len) == 0;
}

/* The same for a string in the source, whose length is known. */
#define RULEWORD_IS(word, literal) \
	ruleword_is(word, literal, sizeof(literal) - 1)

/*
 * The clause that a word begins ("from", "user="), or -ENOENT. The terms stand
 * from RULES_TERM on, in the order of enum terms_key.
 */
int ruleword_clause(struct ruleword word);

/* What a clause looks like: "port 80,443,8000-8999". */
const char *ruleword_example(unsigned clause);

/* Whether its list may have more than one item. */
bool ruleword_may_list(unsigned clause);

/* "from, user=, ... or rate=": the words of all clauses. Returns out. */
#define RULEWORD_ALL_MAX 192
char *ruleword_all(char out[RULEWORD_ALL_MAX]);

/*
 * Reads a word of a clause's list; where the item points to text, it counts
 * from `text`. Of the terms, *terms is what the line has set so far.
 * NULL; or what is wrong with the word and what would be right: "not a port;
 * write ...".
 */
const char *ruleword_read(unsigned clause, struct ruleword word,
    const char *text, struct terms *terms, struct rules_item *out);

#endif
