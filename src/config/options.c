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

/* A longer file is refused: one of options is nowhere near. */
#define FILE_MAX 65536

int
options_complain(const struct options_place *place, const char *name,
    const char *value, const char *what, const char *example)
{
	const char *dashes = place->file ? "" : "--";
	char is = place->file ? ' ' : '=', advice[128] = "";

	if (example)
		snprintf(advice, sizeof(advice), "; write for example %s%s%c%s",
		    dashes, name, is, example);
	if (place->file)
		return log_fault("%s:%u: %s %s: %s%s", place->file, place->line,
		    name, value, what, advice);
	return log_fault("--%s=%s: %s%s", name, value, what, advice);
}

/* --- the command line ----------------------------------------------------- */

/* The number by which getopt_long(3) knows the first; letters are below. */
#define FIRST 256

/* What somebody may have meant who wrote this, in words. */
static const char *
advice(const char *word)
{
	static const struct {
		const char *begins, *words;
	} others[] = {
	    {"h", "write --help"},
	    {"V", "write --version"},
	    {"v", "write --version"},
	    {"p", NULL},
	    {"l", NULL},
	    {"i", NULL},
	    {"b", NULL},
	    {"port", NULL},
	    {"listen", NULL},
	    {"bind", NULL},
	    {"address", NULL},
	    {"daemon", NULL},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		size_t len = strlen(others[i].begins);

		if (strncmp(word, others[i].begins, len) != 0 ||
		    (len == 1 && word[1]) ||
		    (len > 1 && word[len] && !strchr("=-", word[len])))
			continue;
		return others[i].words
			   ? others[i].words
			   : "this program doesn't listen, a super-server "
			     "does: "
			     "write the port in its configuration, such as "
			     "systemd's socks5-handler.socket; make run tries "
			     "it out";
	}
	return "socks5-handler --help lists them";
}

/* What getopt_long(3) could not take; it leaves the reason in optopt. */
static int
refuse_option(int kind, char **argv, const struct option_entry *entries)
{
	const char *word = argv[optind - 1];

	if (kind == ':')
		return log_fault("%s: needs a value; write for example %s=%s",
		    word, word, entries[optopt - FIRST].example);
	if (optopt >= FIRST)
		return log_fault(
		    "%s: takes no value; leave out what follows the =", word);
	if (optopt > 0)
		return log_fault("-%c: no such option; %s", optopt,
		    advice((char[]){(char)optopt, '\0'}));
	return log_fault(
	    "%s: no such option; %s", word, advice(word + strspn(word, "-")));
}

/* getopt_long(3)'s view of them. */
static void
list(const struct option_entry *entries, struct option out[OPTIONS_MAX])
{
	int n = 0;

	for (; entries[n].name; n++) {
		const char *argument = entries[n].argument;

		out[n] = (struct option){
		    .name = entries[n].name,
		    .has_arg = required_argument,
		    .val = FIRST + n,
		};
		if (!argument || *argument == '[')
			out[n].has_arg =
			    argument ? optional_argument : no_argument;
	}
	out[n] = (struct option){0};
}

int
options_read(int argc, char **argv, const struct option_entry *entries,
    options_apply apply, void *context, int *rest)
{
	const struct options_place command_line = {0};
	struct option options[OPTIONS_MAX];
	int opt, rc = 0;

	list(entries, options);
	optind = 0; /* from the start, also at the second time */
	while (rc == 0 &&
	       (opt = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		if (opt < FIRST)
			rc = refuse_option(opt, argv, entries);
		else
			rc = apply(&entries[opt - FIRST], optarg ? optarg : "",
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
		if (!entries[i].argument && *value)
			return options_complain(place, name, value,
			    "takes no value; leave out what follows it", NULL);
		return apply(&entries[i], value, place, context);
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

	if (rc < 0)
		return log_fault("--%s=%s: %s%s", option, path,
		    fault_words(&fault),
		    *fault.words
			? ""
			: "; it has to be a file that this user can read");
	whole = strlen(text) == len;
	next = text;
	while (rc == 0 && (line = strsep(&next, "\n"))) {
		place.line++;
		rc = read_line(line, &place, entries, apply, context);
	}
	if (rc == 0 && !whole)
		rc = log_fault(
		    "%s:%u: a NUL byte; write the options as plain text", path,
		    place.line);
	explicit_bzero(text, len); /* there may be a password in it */
	free(text);
	return rc;
}
