/* SPDX-License-Identifier: ISC */
/*
 * only: the tests that are meant. TEST in the environment is an extended
 * regular expression, which the name of a test has to match; without it all do.
 */
#ifndef ONLY_H
#define ONLY_H

#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline bool
only_has(const char *name)
{
	const char *pattern = getenv("TEST");
	regex_t regex;
	bool has;

	if (!pattern || !*pattern)
		return true;
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
		fprintf(stderr, "TEST=%s: no regular expression\n", pattern);
		exit(2);
	}
	has = regexec(&regex, name, 0, NULL, 0) == 0;
	regfree(&regex);
	return has;
}

#endif
