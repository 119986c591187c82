/* SPDX-License-Identifier: ISC */
#include "policy/rules.h"
#include "policy/faces.h"

#include <string.h>

/*
 * Whether something matches, and MAYBE where the question leaves it open. A
 * list matches as its best item does, a line as its worst list does.
 */
enum match { NO, MAYBE, YES };

static enum match
certain(bool holds)
{
	return holds ? YES : NO;
}

/* A question, and what needs to be found out once only. */
struct view {
	const struct rules *rules;
	const struct rules_question *question;
	size_t name_len;     /* without the trailing dot */
	struct faces faces;  /* of the address, where it is known */
	enum match internal; /* MAYBE: not asked yet */
};

static struct view
look_at(const struct rules *rules, const struct rules_question *question)
{
	struct view view = {
	    .rules = rules,
	    .question = question,
	    .name_len = question->name_len,
	    .internal = MAYBE,
	};

	if (view.name_len > 0 && question->name[view.name_len - 1] == '.')
		view.name_len--;
	if (question->has_address)
		faces_of(&question->address, &view.faces);
	return view;
}

/* Of a known address; the host is asked when nothing else tells. */
static bool
is_internal(struct view *view)
{
	const struct rules_host *host = view->question->host;

	if (view->internal != MAYBE)
		return view->internal == YES;
	view->internal = certain(faces_are_internal(&view->faces));
	if (!host || !host->is_own)
		return view->internal == YES;
	for (size_t i = 0; i < view->faces.count; i++) {
		if (view->internal == NO &&
		    host->is_own(&view->faces.at[i], host->context))
			view->internal = YES;
	}
	return view->internal == YES;
}

static enum match
match_id(const struct view *view, const struct rules_line *line,
    const struct rules_item *item)
{
	const struct rules_client *client = view->question->client;
	const struct rules_host *host = view->question->host;
	bool group = item->clause == RULES_GID;
	uint32_t id = item->id;
	int rc = 1;

	if (!client->has_ids)
		return NO;
	if (item->kind == RULES_ID_NAME) {
		char name[RULES_NAME_MAX + 1];

		memcpy(name, view->rules->text + item->text.at, item->text.len);
		name[item->text.len] = '\0';
		rc = host && host->find_id
			 ? host->find_id(name, group, &id, host->context)
			 : -1;
	}
	if (rc < 0)
		return certain(!line->allows);
	if (rc == 0)
		return NO;
	if (!group)
		return certain(client->uid == id);
	for (size_t i = 0; i < client->gids_count; i++) {
		if (client->gids[i] == id)
			return YES;
	}
	return NO;
}

static enum match
match_user(const struct view *view, const struct rules_item *item)
{
	const struct rules_client *client = view->question->client;
	const char *name = view->rules->text + item->text.at;

	if (!client->user || item->kind == RULES_ANY)
		return certain(client->user != NULL);
	return certain(client->user_len == item->text.len &&
		       memcmp(client->user, name, item->text.len) == 0);
}

static enum match
match_from(const struct view *view, const struct rules_item *item)
{
	const struct rules_client *client = view->question->client;

	if (item->kind == RULES_LOCAL)
		return certain(client->local);
	return certain(client->has_address &&
		       addr_network_has(&item->network, &client->address));
}

/* ASCII letters in either case; any other byte as it is. */
static bool
same_name(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char x = (unsigned char)a[i], y = (unsigned char)b[i];

		if (x >= 'A' && x <= 'Z')
			x |= 0x20;
		if (y >= 'A' && y <= 'Z')
			y |= 0x20;
		if (x != y)
			return false;
	}
	return true;
}

static bool
has_name(const struct view *view, const struct rules_item *item)
{
	const char *name = view->question->name;
	size_t len = item->text.len, front;

	if (view->name_len == 0 || view->name_len < len)
		return false;
	front = view->name_len - len;
	if (front > 0 && (item->kind == RULES_HOST || name[front - 1] != '.'))
		return false;
	return same_name(name + front, view->rules->text + item->text.at, len);
}

/* What a line that allows has to say of an internal address. */
static bool
names_internal(const struct rules_item *item)
{
	return item->network.prefix == (item->network.ipv6 ? 128 : 32) ||
	       faces_network_is_internal(&item->network);
}

static enum match
match_network(struct view *view, const struct rules_line *line,
    const struct rules_item *item)
{
	const struct faces *faces = &view->faces;
	size_t count = line->allows ? faces->same : faces->count;

	if (!view->question->has_address)
		return MAYBE;
	for (size_t i = 0; i < count; i++) {
		if (!addr_network_has(&item->network, &faces->at[i]))
			continue;
		if (!line->allows || line->says_internal ||
		    names_internal(item) || !is_internal(view))
			return YES;
	}
	return NO;
}

static enum match
match_to(struct view *view, const struct rules_line *line,
    const struct rules_item *item)
{
	const struct rules_question *question = view->question;

	if (item->kind == RULES_ANY && (!line->allows || line->says_internal))
		return YES;
	if (!question->has_target)
		return MAYBE;
	if (question->unresolved && !question->has_address)
		return certain(item->kind == RULES_ANY || has_name(view, item));
	if (item->kind == RULES_NETWORK)
		return match_network(view, line, item);
	if (item->kind == RULES_HOST || item->kind == RULES_DOMAIN) {
		if (!has_name(view, item))
			return NO;
		if (!line->allows || line->says_internal)
			return YES;
	}
	if (!question->has_address)
		return MAYBE;
	if (item->kind == RULES_INTERNAL)
		return certain(is_internal(view));
	return certain(!is_internal(view));
}

static enum match
match_port(const struct view *view, const struct rules_item *item)
{
	uint16_t port = view->question->port;

	if (!view->question->has_target)
		return MAYBE;
	return certain(port >= item->ports.first && port <= item->ports.last);
}

static enum match
match_item(struct view *view, const struct rules_line *line,
    const struct rules_item *item)
{
	switch ((enum rules_clause)item->clause) {
	case RULES_FROM:
		return match_from(view, item);
	case RULES_USER:
		return match_user(view, item);
	case RULES_UID:
	case RULES_GID:
		return match_id(view, line, item);
	case RULES_PORT:
		return match_port(view, item);
	case RULES_TO:
		return match_to(view, line, item);
	default:
		return NO;
	}
}

/* The lists in a row of items; `so_far` when there are none. */
static enum match
match_items(struct view *view, const struct rules_line *line, uint32_t from,
    uint32_t to, enum match so_far)
{
	const struct rules_item *item = view->rules->items + from;
	const struct rules_item *end = view->rules->items + to;

	while (item < end && so_far != NO) {
		uint8_t clause = item->clause;
		enum match best = NO;

		for (; item < end && item->clause == clause; item++) {
			enum match match;

			if (best == YES)
				continue;
			match = match_item(view, line, item);
			if (match > best)
				best = match;
		}
		if (best < so_far)
			so_far = best;
	}
	return so_far;
}

/* What is cheap to tell comes first. */
static enum match
match_line(struct view *view, const struct rules_line *line)
{
	enum rules_command command = view->question->command;
	enum match match = YES;

	if (line->commands && !command)
		match = MAYBE;
	else if (line->commands && !(line->commands & command))
		return NO;
	match = match_items(view, line, line->port, line->terms, match);
	match = match_items(view, line, line->who, line->to, match);
	return match_items(view, line, line->to, line->port, match);
}

enum rules_verdict
rules_ask(const struct rules *rules, const struct rules_question *question,
    const struct rules_line **by)
{
	struct view view = look_at(rules, question);
	bool maybe_denied = false;

	*by = NULL;
	for (size_t i = 0; i < rules->lines_count; i++) {
		const struct rules_line *line = &rules->lines[i];
		enum match match = match_line(&view, line);

		if (match == NO)
			continue;
		if (line->allows && (match == MAYBE || maybe_denied))
			return RULES_DEPENDS;
		if (match == YES) {
			*by = line;
			return line->allows ? RULES_ALLOWED : RULES_DENIED;
		}
		maybe_denied = true;
	}
	return RULES_DENIED;
}

void
rules_set_target(
    struct rules_question *question, const struct wire_destination *dst)
{
	question->has_target = true;
	question->port = dst->port;
	question->name_len = 0;
	question->has_address = wire_literal(dst, &question->address) >= 0;
	if (!question->has_address) {
		question->name_len = dst->name_len;
		memcpy(question->name, dst->name, dst->name_len);
	}
}

void
rules_terms(const struct rules *rules, const struct rules_line *line,
    struct terms *terms)
{
	unsigned fresh = 0;

	for (uint32_t i = line->terms; i < line->end; i++) {
		const struct rules_item *item = &rules->items[i];
		unsigned key = item->clause - (unsigned)RULES_TERM;

		if (key == TERMS_SOURCE && !(fresh & 1U << key)) {
			terms->source = (struct terms_source){0};
		}
		fresh |= 1U << key;
		/* It has been read before, with the same outcome. */
		terms_set((enum terms_key)key, rules->text + item->text.at,
		    item->text.len, terms);
	}
}
