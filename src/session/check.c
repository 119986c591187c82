/* SPDX-License-Identifier: ISC */
#include "session/check.h"
#include "base/log.h"
#include "net/sockopt.h"
#include "policy/auth.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the sentences begin with: "--", or "FILE:LINE: ". */
struct place {
	const char *file; /* NULL: an option */
	unsigned line;
};

static int
say_so(const struct place *place, const char *words)
{
	if (place->file)
		log_fault("%s:%u: %s", place->file, place->line, words);
	else
		log_fault("--%s", words);
	return -EINVAL;
}

/* Whether a socket of that family can be had on these terms. */
static int
check_socket(
    const struct terms *terms, sa_family_t family, const struct place *place)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = 0;
	struct fault fault;

	if (fd < 0)
		return 0; /* a kernel without that family */
	if (sockopt_apply(fd, family, terms, &fault) < 0)
		rc = say_so(place, fault_words(&fault));
	close(fd);
	return rc;
}

/* Each family that is used; one that is left out is said. */
static int
check_terms(const struct terms *terms, const struct place *place)
{
	static const sa_family_t families[] = {AF_INET, AF_INET6};
	struct failure failure;
	int rc = 0;

	for (size_t i = 0; i < 2 && rc == 0; i++) {
		if (sockopt_check_family(terms, families[i], &failure) ==
		    OUTCOME_DONE)
			rc = check_socket(terms, families[i], place);
		else if (place->file)
			printf("%s:%u: %s, and so that family is not used\n",
			    place->file, place->line, failure_words(&failure));
		else
			printf("--%s, and so that family is not used\n",
			    failure_words(&failure));
	}
	return rc;
}

/* A name in user= that nobody can log in with: the line never matches. */
static int
check_user(const struct config *config, const struct rules_item *item,
    const struct place *place)
{
	const char *name = config->rules.text + item->text.at;
	char words[RULES_NAME_MAX + 128];

	if (!config->has_users)
		return say_so(place,
		    "user= matches nobody, as no password is checked; write "
		    "--users=FILE as well");
	if (item->kind == RULES_ANY ||
	    auth_has_user(&config->users, name, item->text.len))
		return 0;
	snprintf(words, sizeof(words),
	    "user=%.*s: no line of the users file has that name; write one "
	    "of those, or add it there",
	    (int)item->text.len, name);
	return say_so(place, words);
}

static int
check_line(const struct config *config, const struct rules_line *line)
{
	const struct rules *rules = &config->rules;
	const struct place place = {rules->file, line->number};
	struct terms terms = config->terms;
	int rc = 0;

	for (uint32_t i = line->who; i < line->to; i++) {
		if (rules->items[i].clause == RULES_USER)
			rc |= check_user(config, &rules->items[i], &place);
	}
	if (line->terms == line->end)
		return rc;
	rules_terms(rules, line, &terms);
	return rc | check_terms(&terms, &place);
}

int
check_config(const struct config *config)
{
	const struct place options = {.file = NULL};
	int rc = check_terms(&config->terms, &options);

	for (size_t i = 0; config->rules_file && i < config->rules.lines_count;
	     i++)
		rc |= check_line(config, &config->rules.lines[i]);
	return rc ? -EINVAL : 0;
}
