/* SPDX-License-Identifier: ISC */
#include "config/config.h"
#include "base/memory.h"
#include "base/textfile.h"
#include "config/usage.h"
#include "policy/host.h"
#include "policy/rulefile.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What is being read. */
struct reading {
	struct config *config;
	struct option_entry entries[OPTIONS_MAX];
	bool asks; /* --explain */
};

/* Whether there is nothing by that name, not even a link to nowhere. */
static bool
is_missing(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 && errno == ENOENT;
}

static int
apply(const struct option_entry *entry, const char *text,
    const struct options_place *place, void *context)
{
	struct reading *reading = context;
	struct config *config = reading->config;
	void *value = (char *)config + entry->offset;

	if (place->file && entry->kind >= ROWS_FROM_FILE)
		return options_complain(place, entry->name, text,
		    "for the command line only; leave out this line", NULL);
	switch (entry->kind) {
	case SETTING_TERM:
		value = &config->terms;
		break;
	case ROWS_FROM_FILE:
		if (strcmp(text, CONFIG_FILE) == 0 && is_missing(text))
			return 0;
		return options_read_file(
		    entry->name, text, reading->entries, apply, reading);
	case ROWS_EXPLAIN:
		reading->asks = true;
		return 0;
	case ROWS_CHECK:
		config->check = true;
		return 0;
	case ROWS_HELP:
		if (*text && strcmp(text, "conf") != 0)
			return options_complain(place, entry->name, text,
			    "no such form; write conf, or nothing", NULL);
		(*text ? usage_print_file : usage_print)(reading->entries);
		return 1;
	case ROWS_VERSION:
		puts("socks5-handler " VERSION);
		return 1;
	}
	return setting_read(entry, text, place, value);
}

/* --- the files that they name --------------------------------------------- */

/* As a whole; -EINVAL after a sentence. */
static int
read_whole(
    const char *option, const char *path, size_t max, char **text, size_t *len)
{
	struct fault fault;

	if (textfile_read(path, max, text, len, &fault) == 0)
		return 0;
	return log_fault("--%s=%s: %s", option, path, fault_words(&fault));
}

static int
load_rules(struct config *config, const struct reading *reading)
{
	const struct rules_host host = {.find_id = host_find_id};
	const char *name = RULEFILE_BUILT_IN, *text;
	struct fault error;
	size_t len;
	int rc;

	config->built_in = config->open         ? rulefile_open
			   : config->users_file ? rulefile_users
						: rulefile_local;
	if (config->rules_file && config->open)
		return log_fault("--open and --rules=%s: the rules say who "
				 "needs no password; leave out --open, and "
				 "write \"allow to any\" as their last line",
		    config->rules_file);
	if (config->users_file && config->open)
		return log_fault(
		    "--open and --users=%s: nobody needs a password with "
		    "--open, and everybody with --users; leave out one, or "
		    "write --rules=FILE that says who needs one",
		    config->users_file);
	/* A session reads those built in when it needs them. */
	if (!config->rules_file && !reading->asks)
		return 0;
	text = config->built_in;
	len = strlen(text);
	if (config->rules_file) {
		rc = read_whole("rules", config->rules_file, RULEFILE_MAX,
		    &config->rules_text, &len);
		if (rc < 0)
			return rc;
		text = config->rules_text;
		name = config->rules_file;
	}
	rc = rulefile_parse(name, text, len, &config->rules, &error);
	/* Names of users cost each session a look-up: here, only to check. */
	if (rc == 0 && config->check)
		rc = rulefile_check_ids(&config->rules, &host, &error);
	if (rc < 0)
		log_fault("%s:%u:%u: %s", name, error.line, error.column,
		    error.words);
	return rc;
}

static int
load_users(struct config *config)
{
	int rc;

	if (!config->users_file)
		return 0;
	rc = auth_users_load(config->users_file, &config->users);
	config->has_users = rc == 0;
	return rc;
}

static int
load_upstream(struct config *config)
{
	const char *file = config->upstream_password_file;
	struct fault fault;
	char *text = NULL;
	size_t len;
	int rc;

	if (!config->upstream_text && file)
		return log_fault(
		    "--upstream-password=%s: there is no --upstream; write for "
		    "example --upstream=socks5://user@proxy.example.org:1080",
		    file);
	if (config->upstream_text && config->upstream_command)
		return log_fault("--upstream and --upstream-command: there is "
				 "one way out; leave out one of them");
	if (config->upstream_command && !*config->upstream_command)
		return log_fault(
		    "--upstream-command: no command; write for example "
		    "--upstream-command='ssh -T gateway exec socks5-handler'");
	config->has_upstream = config->upstream_command != NULL;
	if (!config->upstream_text)
		return 0;
	/* The text may hold a password: it is neither repeated nor kept. */
	len = strlen(config->upstream_text);
	rc = url_parse(config->upstream_text, &config->upstream, &fault);
	memory_forget(config->upstream_text, len);
	config->upstream_text = NULL;
	if (rc < 0)
		return log_fault(
		    "--upstream: %s; write for example "
		    "--upstream=socks5://user@proxy.example.org:1080",
		    fault.words);
	config->has_upstream = true;
	if (!file)
		return 0;
	rc = read_whole("upstream-password", file, 4096, &text, &len);
	if (rc < 0)
		return rc;
	rc = url_set_password(&config->upstream, text, len, &fault);
	if (rc < 0)
		log_fault("--upstream-password=%s: %s", file, fault.words);
	explicit_bzero(text, len);
	free(text);
	return rc;
}

/* --- all of it ------------------------------------------------------------ */

static int
read_operands(int argc, char **argv, int first, struct reading *reading)
{
	struct config_explain *ask = &reading->config->explain;

	if (reading->asks) {
		if (argc - first != 2)
			return log_fault(
			    "--explain: needs a host and a port; write for "
			    "example --explain www.example.org 443");
		ask->host = argv[first];
		ask->port = argv[first + 1];
		return 0;
	}
	if (first < argc)
		return log_fault(
		    "%s: not an option; socks5-handler --help lists them",
		    argv[first]);
	if (ask->from || ask->user || ask->uid || ask->command)
		return log_fault(
		    "--from, --user, --uid and --command go with --explain "
		    "HOST PORT; write that, or leave them out");
	return 0;
}

/* Behind a proxy there is one source, the proxy. */
static int
apply_proxy_limit(struct config *config)
{
	if (!config->proxy_protocol || config->max_per_source == 0)
		return 0;
	if (config->max_per_source > 0)
		return log_fault("--max-per-source=%" PRId64
				 " and --proxy-protocol: every client comes "
				 "from the proxy; leave "
				 "out --max-per-source, and have the proxy "
				 "count its clients",
		    config->max_per_source);
	config->max_per_source = 0;
	return 0;
}

/* What holds for those that aren't given. */
static int
read_standard(struct reading *reading)
{
	const struct options_place nowhere = {0};
	int rc = 0;

	rows_list(reading->entries);
	for (const struct option_entry *e = reading->entries; e->name; e++) {
		if (rc == 0 && e->standard)
			rc = apply(e, e->standard, &nowhere, reading);
	}
	return rc;
}

int
config_read(int argc, char **argv, struct config *out)
{
	struct config config = {0};
	struct reading reading = {.config = &config};
	int rest, rc = read_standard(&reading);

	if (rc == 0)
		rc = options_read(
		    argc, argv, reading.entries, apply, &reading, &rest);
	if (rc == 0)
		rc = read_operands(argc, argv, rest, &reading);
	if (rc == 0)
		rc = apply_proxy_limit(&config);
	if (rc == 0 && (rc = load_rules(&config, &reading)) == 0 &&
	    (rc = load_users(&config)) == 0)
		rc = load_upstream(&config);
	if (rc == 0)
		*out = config;
	else
		config_free(&config);
	return rc;
}

void
config_forget_users(struct config *config)
{
	auth_users_free(&config->users);
}

void
config_forget_upstream(struct config *config, char **argv)
{
	for (char *url; *argv; argv++) {
		if ((url = strstr(*argv, "://")))
			memset(url + 3, '*', strlen(url + 3));
	}
	explicit_bzero(&config->upstream, sizeof(config->upstream));
}

void
config_free(struct config *config)
{
	struct option_entry entries[OPTIONS_MAX];

	rulefile_free(&config->rules);
	auth_users_free(&config->users);
	explicit_bzero(&config->upstream, sizeof(config->upstream));
	free(config->rules_text);
	rows_list(entries);
	for (const struct option_entry *e = entries; e->name; e++) {
		if (e->kind == SETTING_TEXT || e->kind == ROWS_QUESTION)
			free(*(char **)((char *)config + e->offset));
	}
	*config = (struct config){0};
}
