/* SPDX-License-Identifier: ISC */
#include "policy/rulefile.h"
#include "base/memory.h"
#include "policy/ruleword.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So much of a word is shown in an error. */
#define SHOWN_MAX 64

const char rulefile_local[] = "allow from local to any, internal\n";
const char rulefile_users[] = "deny to internal\n"
			      "allow user=* to any\n";
const char rulefile_open[] = "deny to internal\n"
			     "allow to any\n";

/* The parts of a line, in their order. */
enum part { WHO, TO, PORT, TERMS };

struct parser {
	const char *text;
	const char *start, *at, *end; /* of the line: first, next, behind */
	const char *last;             /* behind the last word read */
	enum part part;
	unsigned seen; /* a bit for each clause in the line */
	struct terms terms;
	struct rules_line line;
	struct rules rules;
	size_t lines_room, items_room;
	struct fault *fault;
};

static int complain(struct parser *p, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int
complain(struct parser *p, const char *at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fault_vset(p->fault, EINVAL, format, args);
	va_end(args);
	p->fault->line = p->line.number;
	p->fault->column = (unsigned)(at - p->start) + 1;
	return -EINVAL;
}

static int
complain_of(struct parser *p, struct ruleword word, const char *what)
{
	bool whole = word.len <= SHOWN_MAX;

	return complain(p, word.at, "%.*s%s: %s",
	    whole ? (int)word.len : SHOWN_MAX, word.at, whole ? "" : "...",
	    what);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Whether a word follows; blanks are behind us then. Here and below the line's
 * end needs no looking at: there is a newline, or \r before it.
 */
static bool
has_more(struct parser *p)
{
	const char *at = p->at;

	while (is_blank(*at))
		at++;
	p->at = at;
	return at < p->end && *at != '#';
}

/* Up to a blank, or this byte. */
static int
read_word(struct parser *p, char stop, struct ruleword *out)
{
	const char *at = p->at;

	while ((unsigned char)*at > ' ' && *at != stop && *at != 0x7f)
		at++;
	if (at < p->end && !is_blank(*at) && *at != stop) {
		complain(p, at,
		    "a control byte (0x%02x); write the rules as plain text",
		    (unsigned char)*at);
		return -EINVAL;
	}
	*out = (struct ruleword){.at = p->at, .len = (size_t)(at - p->at)};
	p->at = p->last = at;
	return 0;
}

static int
complain_missing(struct parser *p, unsigned clause)
{
	return complain(p, p->at,
	    "something is missing here; write for example %s",
	    ruleword_example(clause));
}

static int
read_item(struct parser *p, unsigned clause)
{
	struct rules_item item = {.clause = (uint8_t)clause};
	struct ruleword word;
	const char *wrong;
	int rc;

	if (!has_more(p) || *p->at == ',')
		return complain_missing(p, clause);
	if ((rc = read_word(p, ',', &word)) < 0)
		return rc;
	wrong = ruleword_read(clause, word, p->text, &p->terms, &item);
	if (wrong)
		return complain_of(p, word, wrong);
	if (item.kind == RULES_COMMANDS) {
		p->line.commands |= item.commands;
		return 0;
	}
	p->line.says_internal |= item.kind == RULES_INTERNAL;
	rc = memory_grow(&p->rules.items, sizeof(item), p->rules.items_count,
	    &p->items_room);
	if (rc == 0)
		p->rules.items[p->rules.items_count++] = item;
	return rc;
}

/* Items with a comma between each two, and blanks around it as one likes. */
static int
read_list(struct parser *p, unsigned clause)
{
	int rc;

	while (
	    (rc = read_item(p, clause)) == 0 && has_more(p) && *p->at == ',') {
		if (!ruleword_may_list(clause))
			return complain(p, p->at,
			    "there is one value only; write for example %s",
			    ruleword_example(clause));
		p->at++;
	}
	return rc;
}

static enum part
part_of(int clause)
{
	if (clause == RULES_TO)
		return TO;
	if (clause == RULES_PORT)
		return PORT;
	return clause < RULES_TO ? WHO : TERMS;
}

/* From here on the line's items are of this part. */
static void
begin_part(struct parser *p, enum part part)
{
	uint32_t *const marks[] = {
	    [WHO] = &p->line.who,
	    [TO] = &p->line.to,
	    [PORT] = &p->line.port,
	    [TERMS] = &p->line.terms,
	};

	while (p->part < part)
		*marks[++p->part] = (uint32_t)p->rules.items_count;
}

/* Whether the clause may stand here. */
static int
check_order(struct parser *p, struct ruleword word, int clause)
{
	enum part part = part_of(clause);

	if (part == TERMS && !p->line.allows)
		return complain_of(p, word,
		    "this is for a session, and deny begins none; leave it "
		    "out");
	if (p->seen & 1U << clause)
		return complain_of(p, word,
		    "stands in this line already; write one list with commas");
	if (part > TO && p->part < TO)
		return complain_of(p, word,
		    "there is no target before it; write for example to any");
	if (part < p->part)
		return complain_of(p, word,
		    part == WHO
			? "comes too late; write it before to"
			: "comes too late; write it behind the targets");
	return 0;
}

/* A word that begins a list, and the list. */
static int
read_clause(struct parser *p)
{
	char words[RULEWORD_ALL_MAX], what[RULEWORD_ALL_MAX + 32];
	struct ruleword word;
	int clause, rc;

	if ((rc = read_word(p, '=', &word)) < 0)
		return rc;
	if (p->at < p->end && *p->at == '=') {
		word.len++;
		p->last = ++p->at;
	}
	clause = ruleword_clause(word);
	if (clause < 0) {
		snprintf(what, sizeof(what), "no such word; write %s",
		    ruleword_all(words));
		return complain_of(p, word, what);
	}
	if ((rc = check_order(p, word, clause)) < 0)
		return rc;
	begin_part(p, part_of(clause));
	p->seen |= 1U << clause;
	p->rules.clauses |= p->seen;
	/* A blank behind = would make a value of the next word. */
	if (word.at[word.len - 1] == '=' && is_blank(*p->at))
		return complain_missing(p, (unsigned)clause);
	return read_list(p, (unsigned)clause);
}

/* A line with a word in it. */
static int
read_rule(struct parser *p)
{
	struct ruleword word;
	int rc;

	p->line = (struct rules_line){
	    .number = p->line.number,
	    .text = (uint32_t)(p->at - p->text),
	    .who = (uint32_t)p->rules.items_count,
	};
	p->part = WHO;
	p->seen = 0;
	p->terms = (struct terms){0};
	if ((rc = read_word(p, ' ', &word)) < 0)
		return rc;
	p->line.allows = RULEWORD_IS(word, "allow");
	if (!p->line.allows && !RULEWORD_IS(word, "deny"))
		return complain_of(p, word,
		    "neither allow nor deny, one of which begins a line; a "
		    "comment begins with #");
	while (has_more(p)) {
		if ((rc = read_clause(p)) < 0)
			return rc;
	}
	if (p->part < TO)
		return complain(
		    p, p->last, "there is no target; write for example to any");
	begin_part(p, TERMS);
	p->line.end = (uint32_t)p->rules.items_count;
	p->line.len = (uint32_t)(p->last - p->text) - p->line.text;
	rc = memory_grow(&p->rules.lines, sizeof(p->line), p->rules.lines_count,
	    &p->lines_room);
	if (rc == 0)
		p->rules.lines[p->rules.lines_count++] = p->line;
	return rc;
}

/*
 * Every line has its newline: of a file that is being written, the beginning is
 * no danger as long as no line is cut, for it allows less than the whole.
 */
static int
read_lines(struct parser *p, const char *end)
{
	int rc = 0;

	while (rc == 0 && p->start < end) {
		const char *newline =
		    memchr(p->start, '\n', (size_t)(end - p->start));

		p->line.number++;
		p->at = p->start;
		if (!newline)
			return complain(p, end,
			    "the last line has no end, as if the file had been "
			    "cut; write a newline behind it");
		p->end = newline;
		if (p->end > p->start && p->end[-1] == '\r')
			p->end--;
		if (has_more(p))
			rc = read_rule(p);
		if (rc == 0)
			p->start = newline + 1;
	}
	return rc;
}

int
rulefile_parse(const char *file, const char *text, size_t len,
    struct rules *out, struct fault *fault)
{
	struct parser p = {
	    .text = text,
	    .start = text,
	    .rules = {.file = file, .text = text},
	    .line = {.number = 1},
	    /* Of the lines that people write, more than enough. */
	    .lines_room = 16 + len / 48,
	    .items_room = 64 + len / 16,
	    .fault = fault,
	};
	int rc;

	if (len > RULEFILE_MAX) {
		complain(&p, text, "more than %d bytes; write fewer rules",
		    RULEFILE_MAX);
		return -EFBIG;
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return complain(&p, text,
		    "a byte order mark; write the rules as plain text");
	p.line.number = 0;
	p.rules.lines = memory_alloc(p.lines_room * sizeof(*p.rules.lines));
	p.rules.items = memory_alloc(p.items_room * sizeof(*p.rules.items));
	rc = p.rules.lines && p.rules.items ? read_lines(&p, text + len)
					    : -ENOMEM;
	if (rc == -ENOMEM)
		complain(&p, p.start, "out of memory; write fewer rules");
	if (rc == 0)
		*out = p.rules;
	else
		rulefile_free(&p.rules);
	return rc;
}

void
rulefile_free(struct rules *rules)
{
	free(rules->lines);
	free(rules->items);
	*rules = (struct rules){0};
}

/* 0, or what is wrong with the name in this item. */
static int
check_id(const struct rules *rules, const struct rules_host *host,
    const struct rules_line *line, const struct rules_item *item,
    struct fault *fault)
{
	bool group = item->clause == RULES_GID;
	const char *at = rules->text + item->text.at;
	const char *start = rules->text + line->text;
	char name[RULES_NAME_MAX + 1];
	uint32_t id;
	int rc;

	memcpy(name, at, item->text.len);
	name[item->text.len] = '\0';
	rc = host->find_id(name, group, &id, host->context);
	if (rc > 0)
		return 0;
	while (start > rules->text && start[-1] != '\n')
		start--;
	fault_set_at(fault, line->number, (unsigned)(at - start) + 1,
	    rc == 0 ? "%.*s: no such %s on this host; write another name, or "
		      "its number"
		    : "%.*s: nobody can tell which %s that is; write its "
		      "number",
	    SHOWN_MAX, name, group ? "group" : "user");
	return rc == 0 ? -ENOENT : rc;
}

int
rulefile_check_ids(const struct rules *rules, const struct rules_host *host,
    struct fault *fault)
{
	int rc = 0;

	for (size_t i = 0; i < rules->lines_count; i++) {
		const struct rules_line *line = &rules->lines[i];

		for (uint32_t j = line->who; j < line->to && rc == 0; j++) {
			const struct rules_item *item = &rules->items[j];

			if (item->kind == RULES_ID_NAME)
				rc = check_id(rules, host, line, item, fault);
		}
	}
	return rc;
}
