/* SPDX-License-Identifier: ISC */
#include "fuzz.h"
#include "policy/rulefile.h"

#include <errno.h>
#include <string.h>

/* What the host says depends on the name or address alone. */
static bool
is_own(const union addr *address, void *context)
{
	(void)context;
	return address->sa.sa_family == AF_INET
		   ? ntohl(address->in.sin_addr.s_addr) % 7 == 3
		   : address->in6.sin6_addr.s6_addr[15] % 7 == 3;
}

static int
find_id(const char *name, bool group, uint32_t *out, void *context)
{
	size_t len = strlen(name);

	(void)context;
	HOLD(len > 0 && len <= RULES_NAME_MAX);
	*out = (uint32_t)len + group;
	return len % 3 == 0 ? -EIO : (int)(len % 3 - 1);
}

static const struct rules_host host = {.is_own = is_own, .find_id = find_id};

/* Where the items of a line point to is in the line. */
static void
check_line(const struct rules *rules, size_t i, size_t len)
{
	const struct rules_line *line = &rules->lines[i];
	uint32_t begin = i ? rules->lines[i - 1].end : 0;

	HOLD(line->number > (i ? rules->lines[i - 1].number : 0));
	HOLD(line->text + line->len <= len && line->len > 0);
	HOLD(!memchr(rules->text + line->text, '\n', line->len));
	HOLD(line->who == begin && line->who <= line->to);
	HOLD(line->to < line->port && line->port <= line->terms);
	HOLD(line->terms <= line->end && line->end <= rules->items_count);
	HOLD(line->allows || line->terms == line->end);
	for (uint32_t j = line->who; j < line->end; j++) {
		const struct rules_item *item = &rules->items[j];

		if (item->kind != RULES_TEXT && item->kind != RULES_ID_NAME &&
		    item->kind != RULES_HOST && item->kind != RULES_DOMAIN)
			continue;
		HOLD(item->text.len > 0 && item->text.at > line->text);
		HOLD(item->text.at + item->text.len <= line->text + line->len);
	}
}

/* The line alone, with a newline, is the same line. */
static void
check_again(const struct rules *rules, const struct rules_line *line)
{
	struct fault error;
	struct rules again;
	char *text = malloc(line->len + 1);

	HOLD(text);
	memcpy(text, rules->text + line->text, line->len);
	text[line->len] = '\n';
	HOLD(rulefile_parse("", text, line->len + 1, &again, &error) == 0);
	HOLD(again.lines_count == 1 && again.lines[0].len == line->len);
	HOLD(again.items_count == line->end - line->who);
	HOLD(again.lines[0].allows == line->allows);
	HOLD(again.lines[0].commands == line->commands);
	rulefile_free(&again);
	free(text);
}

/*
 * What is known of the question changes nothing but RULES_DEPENDS; nor does any
 * address of a name change what its verdict was without one.
 */
static void
check_verdicts(const struct rules *rules, const struct rules_question *whole)
{
	struct rules_question part = *whole;
	const struct rules_line *by, *part_by;
	enum rules_verdict verdict = rules_ask(rules, whole, &by), early;

	HOLD(verdict != RULES_DEPENDS);
	HOLD(verdict == RULES_DENIED || by->allows);
	HOLD(verdict == RULES_ALLOWED || !by || !by->allows);
	for (int less = 0; less < 3; less++) {
		if (less == 0)
			part.has_address = false;
		else if (less == 1)
			part.has_target = false;
		else
			part.command = 0;
		early = rules_ask(rules, &part, &part_by);
		HOLD(early == RULES_DEPENDS || early == verdict);
		HOLD(early != RULES_DEPENDS || !part_by);
		HOLD(early != RULES_ALLOWED || part_by == by);
	}
	if (verdict == RULES_ALLOWED) {
		struct terms terms = {0}, none = {0};

		rules_terms(rules, by, &terms);
		HOLD(by->terms < by->end || terms_equal(&terms, &none));
	}
}

static void
ask(const struct rules *rules)
{
	static const char *const addresses[] = {"127.0.0.1", "192.0.2.1", "::1",
	    "2001:db8::1", "64:ff9b::c000:201",
	    "2002:7f00:1::", "198.51.100.7"};
	static const char *const names[] = {
	    "", "www.example.org", "EXAMPLE.ORG.", "."};
	static const gid_t gids[] = {4, 100};
	struct rules_client client = {.uid = 1000, .gids = gids};
	struct rules_question question = {.client = &client, .host = &host};

	question.has_target = question.has_address = true;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		size_t n = i % (sizeof(names) / sizeof(*names));

		client.local = i & 1;
		client.has_ids = i & 2;
		client.gids_count = i % 3;
		client.has_address = i > 2;
		client.user = i & 4 ? "alice" : NULL;
		client.user_len = 5;
		HOLD(addr_parse(addresses[i], 0, &question.address) == 0);
		client.address = question.address;
		strcpy(question.name, names[n]);
		question.name_len = strlen(names[n]);
		question.port = (uint16_t)(i * 443);
		question.command = (enum rules_command)(1U << i % 4);
		check_verdicts(rules, &question);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	struct fault error = {.line = 0};
	struct rules rules;

	if (rulefile_parse("", text, size, &rules, &error) < 0) {
		HOLD(error.line > 0 && error.column > 0);
		HOLD(error.column <= size + 1 && error.line <= size + 1);
		HOLD(
		    strstr(error.words, "; ") || strstr(error.words, "write "));
		for (const char *c = error.words; *c; c++)
			HOLD((unsigned char)*c >= ' ' && *c != 0x7f);
		return 0;
	}
	HOLD(size == 0 || text[size - 1] == '\n');
	for (size_t i = 0; i < rules.lines_count; i++) {
		check_line(&rules, i, size);
		check_again(&rules, &rules.lines[i]);
	}
	ask(&rules);
	rulefile_free(&rules);
	return 0;
}
