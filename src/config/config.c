/* SPDX-License-Identifier: ISC */
#include "config/config.h"
#include "base/textfile.h"
#include "config/options.h"
#include "config/setting.h"
#include "config/usage.h"
#include "policy/host.h"
#include "policy/rulefile.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Beyond enum setting_kind; on the command line only. */
enum kind {
	FROM_FILE = SETTING_KINDS,
	QUESTION, /* a text of struct config_explain */
	EXPLAIN,
	CHECK,
	HELP,
	PRINT_VERSION,
};

#define AT(field) offsetof(struct config, field)

static const struct option_entry settings[] = {
    {"handshake-timeout", "30", SETTING_SECONDS, AT(handshake_timeout_ms)},
    {"connect-timeout", "30", SETTING_SECONDS, AT(connect_timeout_ms)},
    {"lifetime", "30", SETTING_SECONDS, AT(terms.lifetime_ms)},
    {"idle-timeout", "30", SETTING_SECONDS, AT(terms.idle_ms)},
    {"users", "/etc/socks5-handler/users", SETTING_TEXT, AT(users_file)},
    {"rules", "/etc/socks5-handler/rules", SETTING_TEXT, AT(rules_file)},
    {"open", NULL, SETTING_FLAG, AT(open)},
    {"proxy-protocol", NULL, SETTING_FLAG, AT(proxy_protocol)},
    {"source", "192.0.2.1", SETTING_TERM, TERMS_SOURCE},
    {"interface", "eth0", SETTING_TERM, TERMS_INTERFACE},
    {"mark", "42", SETTING_TERM, TERMS_MARK},
    {"rate", "1000000", SETTING_TERM, TERMS_RATE},
    {"mptcp", NULL, SETTING_FLAG, AT(mptcp)},
    {"prefer", "ipv4", SETTING_FAMILY, AT(prefer)},
    {"upstream", "socks5://proxy.example.org:1080", SETTING_TEXT,
	AT(upstream_text)},
    {"upstream-password", "/etc/socks5-handler/password", SETTING_TEXT,
	AT(upstream_password_file)},
    {"udp-advertise", "192.0.2.1", SETTING_ADDRESS, AT(udp_advertise)},
    {"udp-ports", "40000-40999", SETTING_PORTS, AT(udp_ports)},
    {"resolve", NULL, SETTING_FLAG, AT(resolve)},
    {"max-clients", "1000", SETTING_COUNT, AT(max_clients)},
    {"max-per-source", "100", SETTING_COUNT, AT(max_per_source)},
    {"spare", "8", SETTING_COUNT, AT(spare)},
    {"idle-exit", "60", SETTING_SECONDS, AT(idle_exit_ms)},
    {"log", "syslog", SETTING_TARGET, AT(log)},
    {"config", CONFIG_FILE, FROM_FILE, 0},
    {"from", "192.0.2.1", QUESTION, AT(explain.from)},
    {"user", "alice", QUESTION, AT(explain.user)},
    {"uid", "1000", QUESTION, AT(explain.uid)},
    {"command", "connect", QUESTION, AT(explain.command)},
    {"explain", NULL, EXPLAIN, 0},
    {"check", NULL, CHECK, 0},
    {"help", NULL, HELP, 0},
    {"version", NULL, PRINT_VERSION, 0},
    {0},
};

static const struct config defaults = {
    .handshake_timeout_ms = 10000,
    .connect_timeout_ms = 10000,
    .max_clients = 1000,
    .spare = 8,
    .log = LOG_TO_AUTO,
    .terms = {.lifetime_ms = 30000},
    .prefer = AF_UNSPEC,
};

/* What is being read. */
struct reading {
	struct config *config;
	bool asks, checks; /* --explain, --check */
};

/* Whether there is nothing by that name, not even a link to nowhere. */
static bool
is_missing(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 && errno == ENOENT;
}

static int
apply(size_t index, const char *text, const struct options_place *place,
    void *context)
{
	const struct option_entry *entry = &settings[index];
	struct reading *reading = context;
	struct config *config = reading->config;
	void *value = (char *)config + entry->offset;

	if (place->file && entry->kind >= FROM_FILE)
		return options_complain(place, entry->name, text,
		    "for the command line only; leave out this line", NULL);
	switch (entry->kind) {
	case SETTING_TERM:
		value = &config->terms;
		break;
	case FROM_FILE:
		if (strcmp(text, CONFIG_FILE) == 0 && is_missing(text))
			return 0;
		return options_read_file(
		    entry->name, text, settings, apply, reading);
	case EXPLAIN:
		reading->asks = true;
		return 0;
	case CHECK:
		reading->checks = true;
		return 0;
	case HELP:
		usage_print();
		return 1;
	case PRINT_VERSION:
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
	log_fault("--%s=%s: %s", option, path, fault_words(&fault));
	return -EINVAL;
}

static int
load_rules(struct config *config, const struct reading *reading)
{
	const struct rules_host host = {.find_id = host_find_id};
	const char *text = config->open ? rulefile_open : rulefile_default;
	const char *name = RULEFILE_BUILT_IN;
	struct rulefile_error error;
	size_t len = strlen(text);
	int rc;

	if (config->rules_file && config->open) {
		log_fault("--open and --rules=%s: the rules say who needs no "
			  "password; leave out --open, and write \"allow to "
			  "any\" as their last line",
		    config->rules_file);
		return -EINVAL;
	}
	/* A session reads those built in when it needs them. */
	if (!config->rules_file && !reading->asks)
		return 0;
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
	if (rc == 0 && reading->checks)
		rc = rulefile_check_ids(&config->rules, &host, &error);
	if (rc < 0)
		log_fault(
		    "%s:%u:%u: %s", name, error.line, error.column, error.text);
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

	if (!config->upstream_text && file) {
		log_fault("--upstream-password=%s: there is no --upstream; "
			  "write for example --upstream=socks5://"
			  "user@proxy.example.org:1080",
		    file);
		return -EINVAL;
	}
	if (!config->upstream_text)
		return 0;
	/* The text may hold a password: it isn't repeated. */
	if (url_parse(config->upstream_text, &config->upstream, &fault) < 0) {
		log_fault("--upstream: %s; write for example "
			  "--upstream=socks5://user@proxy.example.org:1080",
		    fault.words);
		return -EINVAL;
	}
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
	const char *const options[] = {
	    ask->from, ask->user, ask->uid, ask->command};

	if (reading->asks) {
		if (argc - first != 2) {
			log_fault("--explain: needs a host and a port; write "
				  "for example --explain www.example.org 443");
			return -EINVAL;
		}
		ask->host = argv[first];
		ask->port = argv[first + 1];
		return 0;
	}
	if (first < argc) {
		log_fault("%s: not an option; socks5-handler --help lists them",
		    argv[first]);
		return -EINVAL;
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (!options[i])
			continue;
		log_fault("--from, --user, --uid and --command go with "
			  "--explain HOST PORT; write that, or leave them out");
		return -EINVAL;
	}
	return 0;
}

int
config_read(int argc, char **argv, struct config *out)
{
	struct config config = defaults;
	struct reading reading = {.config = &config};
	int rest, rc;

	rc = options_read(argc, argv, settings, apply, &reading, &rest);
	if (rc == 0)
		rc = read_operands(argc, argv, rest, &reading);
	if (rc == 0 && (rc = load_rules(&config, &reading)) == 0 &&
	    (rc = load_users(&config)) == 0)
		rc = load_upstream(&config);
	if (rc == 0 && !reading.checks) {
		*out = config;
		return 0;
	}
	config_free(&config);
	return rc == 0 ? 1 : rc;
}

void
config_free(struct config *config)
{
	rulefile_free(&config->rules);
	auth_users_free(&config->users);
	explicit_bzero(&config->upstream, sizeof(config->upstream));
	free(config->rules_text);
	for (size_t i = 0; settings[i].name; i++) {
		if (settings[i].kind == SETTING_TEXT ||
		    settings[i].kind == QUESTION)
			free(*(char **)((char *)config + settings[i].offset));
	}
	*config = defaults;
}
