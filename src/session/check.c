/* SPDX-License-Identifier: ISC */
#include "session/check.h"
#include "base/log.h"
#include "net/sockopt.h"
#include "policy/auth.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Each family that is used; one that is left out is said. `where` is "--", or
 * "FILE:LINE: ", and begins the sentences. */
static int
check_terms(const struct terms *terms, const char *where)
{
	static const sa_family_t families[] = {AF_INET, AF_INET6};
	struct failure failure;

	for (size_t i = 0; i < 2; i++) {
		int fd =
		    sockopt_open(terms, families[i], SOCK_DGRAM, 0, &failure);

		if (fd >= 0)
			close(fd);
		else if (failure.outcome == OUTCOME_TERMS_UNMET)
			return log_fault(
			    "%s%s", where, failure_words(&failure));
		else if (failure.outcome == OUTCOME_NO_SOURCE)
			printf("%s%s, and so that family is not used\n", where,
			    failure_words(&failure));
	}
	return 0;
}

/* A name in user= that nobody can log in with: the line never matches. */
static int
check_user(const struct config *config, const struct rules_item *item,
    const char *where)
{
	const char *name = config->rules.text + item->text.at;

	if (!config->has_users)
		return log_fault("%suser= matches nobody, as no password is "
				 "checked; write --users=FILE as well",
		    where);
	if (item->kind == RULES_ANY ||
	    auth_has_user(&config->users, name, item->text.len))
		return 0;
	return log_fault("%suser=%.*s: no line of the users file has that "
			 "name; write one of those, or add it there",
	    where, (int)item->text.len, name);
}

static int
check_line(const struct config *config, const struct rules_line *line)
{
	const struct rules *rules = &config->rules;
	struct terms terms = config->terms;
	char where[PATH_MAX + 16];
	int rc = 0;

	snprintf(where, sizeof(where), "%s:%u: ", rules->file, line->number);
	for (uint32_t i = line->who; i < line->to; i++) {
		if (rules->items[i].clause == RULES_USER)
			rc |= check_user(config, &rules->items[i], where);
	}
	if (line->terms == line->end)
		return rc;
	rules_terms(rules, line, &terms);
	return rc | check_terms(&terms, where);
}

int
check_config(const struct config *config)
{
	size_t lines = config->rules_file ? config->rules.lines_count : 0;
	int rc = check_terms(&config->terms, "--");

	for (size_t i = 0; i < lines; i++)
		rc |= check_line(config, &config->rules.lines[i]);
	return rc ? -EINVAL : 0;
}
