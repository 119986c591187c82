/* SPDX-License-Identifier: ISC */
#include "policy/permit.h"
#include "policy/host.h"
#include "policy/rulefile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_own(const union addr *address, void *context)
{
	(void)context;
	return host_is_own(address);
}

static int
find_id(const char *name, bool group, uint32_t *out, void *context)
{
	(void)context;
	return host_find_id(name, group, out);
}

/* Only then are they worth a system call. */
static bool
mention_groups(const struct rules *rules)
{
	for (size_t i = 0; i < rules->items_count; i++) {
		if (rules->items[i].clause == RULES_GID)
			return true;
	}
	return false;
}

/*
 * The rules built in. A local client is allowed anything by the first of them,
 * and for most it isn't worth the memory to read the others.
 */
static void
build_in(struct permit *permit, bool open, bool local)
{
	const char *text = open ? rulefile_open : rulefile_default;
	struct rulefile_error error;

	permit->rules = &permit->own;
	if (local) {
		permit->anything = (struct rules_line){
		    .number = 1, .allows = true, .says_internal = true};
		permit->own = (struct rules){.file = RULEFILE_BUILT_IN,
		    .text = text,
		    .lines = &permit->anything,
		    .lines_count = 1};
	} else if (rulefile_parse(RULEFILE_BUILT_IN, text, strlen(text),
		       &permit->own, &error) < 0) {
		/* No memory: nothing is allowed. */
		permit->own = (struct rules){.file = RULEFILE_BUILT_IN};
	}
}

void
permit_begin(struct permit *out, const struct rules *rules, bool open,
    const struct identity *identity, int fd)
{
	ssize_t n;

	*out = (struct permit){
	    .rules = rules,
	    .host = {.is_own = is_own, .find_id = find_id},
	};
	if (!rules)
		build_in(out, open, identity->local);
	out->client = (struct rules_client){
	    .local = identity->local,
	    .has_address = identity->has_address,
	    .address = identity->address,
	    .has_ids = identity->has_ids,
	    .uid = identity->uid,
	};
	if (!identity->has_ids || !mention_groups(out->rules))
		return;
	n = identity_groups(identity, fd, &out->groups);
	if (n > 0) {
		out->client.gids = out->groups;
		out->client.gids_count = (size_t)n;
	}
}

void
permit_end(struct permit *permit)
{
	free(permit->groups);
	permit->groups = NULL;
	if (permit->own.lines != &permit->anything)
		rulefile_free(&permit->own);
}

bool
permit_anonymous(const struct permit *permit)
{
	const struct rules_question question = {
	    .client = &permit->client,
	    .host = &permit->host,
	};
	const struct rules_line *by;

	return rules_ask(permit->rules, &question, &by) != RULES_DENIED;
}

void
permit_user(struct permit *permit, const char *name, size_t len)
{
	permit->client.user = name;
	permit->client.user_len = len;
}

static int
ask(struct permit *permit)
{
	permit->verdict =
	    rules_ask(permit->rules, &permit->question, &permit->by[0]);
	return permit->verdict == RULES_DENIED ? -EACCES : 0;
}

int
permit_command(struct permit *permit, enum rules_command command)
{
	permit->question = (struct rules_question){
	    .client = &permit->client,
	    .host = &permit->host,
	    .command = command,
	};
	return ask(permit);
}

int
permit_request(struct permit *permit, enum rules_command command,
    const struct wire_destination *dst, bool unresolved)
{
	permit->question = (struct rules_question){
	    .client = &permit->client,
	    .host = &permit->host,
	    .command = command,
	};
	rules_set_target(&permit->question, dst);
	permit->question.unresolved = unresolved;
	return ask(permit);
}

int
permit_addresses(struct permit *permit, struct addr_list *list)
{
	if (permit->verdict == RULES_ALLOWED) {
		/* By the same line for all of them. */
		for (size_t i = 1; i < list->count; i++)
			permit->by[i] = permit->by[0];
		return 0;
	}
	return rules_filter(
		   permit->rules, &permit->question, list, permit->by) > 0
		   ? 0
		   : -EACCES;
}

/* Whether this line makes the same of `base`. */
static bool
makes(const struct rules *rules, const struct rules_line *line,
    const struct terms *base, const struct terms *terms)
{
	struct terms others = *base;

	rules_terms(rules, line, &others);
	return terms_equal(&others, terms);
}

size_t
permit_take(struct permit *permit, struct addr_list *list,
    struct addr_list *out, struct terms *terms)
{
	const struct rules_line *first = permit->by[0];
	const struct terms base = *terms;
	size_t left = 0;

	out->count = 0;
	if (list->count == 0)
		return 0;
	rules_terms(permit->rules, first, terms);
	for (size_t i = 0; i < list->count; i++) {
		const struct rules_line *by = permit->by[i];

		if (by == first || makes(permit->rules, by, &base, terms)) {
			out->at[out->count++] = list->at[i];
		} else {
			permit->by[left] = by;
			list->at[left++] = list->at[i];
		}
	}
	list->count = left;
	return out->count;
}

void
permit_terms(const struct permit *permit, struct terms *terms)
{
	if (permit->by[0])
		rules_terms(permit->rules, permit->by[0], terms);
}

char *
permit_reason(const struct permit *permit, char out[PERMIT_REASON_MAX])
{
	const struct rules *rules = permit->rules;
	const struct rules_line *line = permit->by[0];

	if (line)
		snprintf(out, PERMIT_REASON_MAX, "denied by %s:%u", rules->file,
		    line->number);
	else
		snprintf(out, PERMIT_REASON_MAX, "no line of %s allows it",
		    rules->file);
	return out;
}
