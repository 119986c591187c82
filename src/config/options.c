/* SPDX-License-Identifier: ISC */
#include "config/options.h"
#include "base/log.h"
#include "base/textfile.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 48

/* A longer file is refused: one of options is nowhere near. */
#define FILE_MAX 65536

int
options_complain(const struct options_place *place, const char *name,
    const char *value, const char *what, const char *example)
{
	char advice[128] = "";

	if (example && place->file)
		snprintf(advice, sizeof(advice), "; write for example %s %s",
		    name, example);
	else if (example)
		snprintf(advice, sizeof(advice), "; write for example --%s=%s",
		    name, example);
	if (place->file)
		log_fault("%s:%u: %s %s: %s%s", place->file, place->line, name,
		    value, what, advice);
	else
		log_fault("--%s=%s: %s%s", name, value, what, advice);
	return -EINVAL;
}

/* --- the command line ----------------------------------------------------- */

/* What getopt_long(3) could not take; it leaves the reason in optopt. */
static int
refuse_option(
    int kind, char **argv, const struct option_entry *entries, size_t count)
{
	const char *word = argv[optind - 1];
	const struct option_entry *entry =
	    optopt > 0 && optopt <= (int)count ? &entries[optopt - 1] : NULL;

	if (kind == ':' && entry)
		log_fault("%s: needs a value; write for example %s=%s", word,
		    word, entry->example);
	else if (entry)
		log_fault(
		    "%s: takes no value; leave out what follows the =", word);
	else if (optopt > 0)
		log_fault("-%c: no such option; socks5-handler --help lists "
			  "them",
		    optopt);
	else
		log_fault(
		    "%s: no such option; socks5-handler --help lists them",
		    word);
	return -EINVAL;
}

/* getopt_long(3)'s view of them, known by their place from 1; their number. */
static size_t
list(const struct option_entry *entries, struct option out[ENTRIES_MAX + 1])
{
	size_t n = 0;

	for (; n < ENTRIES_MAX && entries[n].name; n++)
		out[n] = (struct option){
		    .name = entries[n].name,
		    .has_arg =
			entries[n].example ? required_argument : no_argument,
		    .val = (int)n + 1, /* below any letter */
		};
	out[n] = (struct option){0};
	return n;
}

int
options_read(int argc, char **argv, const struct option_entry *entries,
    options_apply apply, void *context, int *rest)
{
	const struct options_place command_line = {0};
	struct option options[ENTRIES_MAX + 1];
	size_t count = list(entries, options);
	int opt, rc = 0;

	optind = 0; /* from the start, also at the second time */
	while (rc == 0 &&
	       (opt = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		if (opt > (int)count)
			rc = refuse_option(opt, argv, entries, count);
		else
			rc = apply((size_t)opt - 1, optarg ? optarg : "",
			    &command_line, context);
	}
	if (rc == 0)
		*rest = optind;
	return rc;
}

/* --- a file --------------------------------------------------------------- */

/* A name, blanks, a value. The line is changed here. */
static int
read_line(char *line, const struct options_place *place,
    const struct option_entry *entries, options_apply apply, void *context)
{
	const char *name, *value;
	char *rest = line, *end;

	line[strcspn(line, "#")] = '\0';
	end = line + strlen(line);
	while (end > line && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	while ((name = strsep(&rest, " \t")) && !*name)
		;
	if (!name)
		return 0;
	value = rest ? rest + strspn(rest, " \t") : "";
	for (size_t i = 0; entries[i].name; i++) {
		if (strcmp(entries[i].name, name) != 0)
			continue;
		if (!entries[i].example && *value)
			return options_complain(place, name, value,
			    "takes no value; leave out what follows it", NULL);
		return apply(i, value, place, context);
	}
	return options_complain(place, name, value,
	    "no such option; a line is one of socks5-handler --help without "
	    "its dashes, a blank, and a value, such as lifetime 60",
	    NULL);
}

int
options_read_file(const char *option, const char *path,
    const struct option_entry *entries, options_apply apply, void *context)
{
	struct options_place place = {.file = path};
	struct fault fault;
	char *text = NULL, *next, *line;
	size_t len = 0;
	bool whole;
	int rc = textfile_read(path, FILE_MAX, &text, &len, &fault);

	if (rc < 0) {
		log_fault("--%s=%s: %s%s", option, path, fault_words(&fault),
		    *fault.words
			? ""
			: "; it has to be a file that this user can read");
		return -EINVAL;
	}
	whole = strlen(text) == len;
	next = text;
	while (rc == 0 && (line = strsep(&next, "\n"))) {
		place.line++;
		rc = read_line(line, &place, entries, apply, context);
	}
	if (rc == 0 && !whole) {
		log_fault("%s:%u: a NUL byte; write the options as plain text",
		    path, place.line);
		rc = -EINVAL;
	}
	explicit_bzero(text, len); /* there may be a password in it */
	free(text);
	return rc;
}
