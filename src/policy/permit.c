/* SPDX-License-Identifier: ISC */
#include "policy/permit.h"
#include "policy/host.h"
#include "policy/rulefile.h"

#include <stdlib.h>
#include <string.h>

static const struct rules_host host = {
    .is_own = host_is_own, .find_id = host_find_id};

/* The line built in that allows a local client anything. */
static const struct rules_line local_line = {
    .number = 1, .allows = true, .says_internal = true};

static const struct rules *
rules_of(const struct permit *permit)
{
	return permit->rules ? permit->rules : &permit->own;
}

/* A local client without options needs no lines to be read. */
static void
build_in(struct permit *permit, const char *text)
{
	struct fault error;

	permit->allows_all = text == rulefile_local && permit->client.local;
	/* No memory: nothing is allowed. */
	if (permit->allows_all || rulefile_parse(RULEFILE_BUILT_IN, text,
				      strlen(text), &permit->own, &error) < 0)
		permit->own = (struct rules){.file = RULEFILE_BUILT_IN};
}

void
permit_begin(const struct rules *rules, const char *built_in,
    const struct identity *identity, int fd, struct permit *out)
{
	ssize_t n;

	*out = (struct permit){
	    .rules = rules,
	    .client =
		{
		    .local = identity->local,
		    .has_address = identity->has_address,
		    .address = identity->address,
		    .has_ids = identity->has_ids,
		    .uid = identity->uid,
		},
	};
	if (!rules)
		build_in(out, built_in);
	/* Only then are groups worth a system call. */
	if (!identity->has_ids || !(rules_of(out)->clauses & 1U << RULES_GID))
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
	rulefile_free(&permit->own);
}

void
permit_user(struct permit *permit, const char *name, size_t len)
{
	memcpy(permit->user, name, len);
	permit->client.user_len = len;
	permit->has_user = true;
}

static struct permit_answer
ask_rules(const struct permit *permit, struct rules_question question)
{
	struct permit_answer answer = {RULES_ALLOWED, &local_line};
	struct rules_client client = permit->client;

	if (permit->allows_all)
		return answer;
	client.user = permit->has_user ? permit->user : NULL;
	question.client = &client;
	question.host = &host;
	answer.verdict = rules_ask(rules_of(permit), &question, &answer.line);
	return answer;
}

bool
permit_anonymous(const struct permit *permit)
{
	return permit_command(permit, 0).verdict != RULES_DENIED;
}

bool
permit_names_users(const struct permit *permit)
{
	return rules_of(permit)->clauses & 1U << RULES_USER;
}

struct permit_answer
permit_command(const struct permit *permit, enum rules_command command)
{
	struct rules_question question = {.command = command};

	return ask_rules(permit, question);
}

struct permit_answer
permit_target(const struct permit *permit, enum rules_command command,
    const struct wire_destination *dst, bool unresolved)
{
	struct rules_question question = {
	    .command = command, .unresolved = unresolved};

	rules_set_target(&question, dst);
	return ask_rules(permit, question);
}

struct permit_answer
permit_address(const struct permit *permit, enum rules_command command,
    const struct wire_destination *dst, const struct permit_answer *target,
    const union addr *addr)
{
	struct rules_question question = {.command = command};

	/* Decided by the name: by the same line for all of them. */
	if (target->verdict != RULES_DEPENDS)
		return *target;
	rules_set_target(&question, dst);
	question.has_address = true;
	question.address = *addr;
	return ask_rules(permit, question);
}

size_t
permit_addresses(const struct permit *permit, enum rules_command command,
    const struct wire_destination *dst, const struct permit_answer *target,
    const struct addr_list *addresses, struct permit_list *out)
{
	size_t allowed = 0;

	out->count = addresses->count;
	for (size_t i = 0; i < addresses->count; i++) {
		struct permit_address *each = &out->at[i];

		each->addr = addresses->at[i];
		each->answer =
		    permit_address(permit, command, dst, target, &each->addr);
		allowed += each->answer.verdict == RULES_ALLOWED;
	}
	return allowed;
}

void
permit_terms(const struct permit *permit, const struct permit_answer *answer,
    struct terms *terms)
{
	if (answer->line)
		rules_terms(rules_of(permit), answer->line, terms);
}

size_t
permit_take(const struct permit *permit, const struct terms *base,
    struct permit_list *list, struct addr_list *out, struct terms *terms)
{
	bool found = false;
	size_t left = 0;

	out->count = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct permit_address *each = &list->at[i];
		struct terms others = *base;

		if (each->answer.verdict != RULES_ALLOWED)
			continue;
		permit_terms(permit, &each->answer, &others);
		if (!found)
			*terms = others;
		found = true;
		if (terms_equal(&others, terms))
			out->at[out->count++] = each->addr;
		else
			list->at[left++] = *each;
	}
	list->count = left;
	return out->count;
}

enum outcome
permit_denied(const struct permit *permit, const struct permit_answer *answer,
    struct failure *failure)
{
	const struct rules *rules = rules_of(permit);
	const struct rules_line *line = answer->line;

	if (!line)
		return failure_set(failure, OUTCOME_DENIED, 0,
		    "no line of %s allows it", rules->file);
	/* Nobody can look that file up. */
	if (strcmp(rules->file, RULEFILE_BUILT_IN) == 0)
		return failure_set(failure, OUTCOME_DENIED, 0,
		    "denied by %s:%u (%.*s)", rules->file, line->number,
		    (int)line->len, rules->text + line->text);
	return failure_set(failure, OUTCOME_DENIED, 0, "denied by %s:%u",
	    rules->file, line->number);
}
