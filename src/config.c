#include "config.h"
#include "systemd.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ten years; what a timer can hold, and a typing error cannot reach. */
#define SECONDS_MAX 315360000

/* More processes than a kernel has numbers for. */
#define COUNT_MAX 4194304

enum kind { SECONDS, COUNT, TARGET, FROM_FILE, HELP, PRINT_VERSION };

/* In the order of --help; getopt_long(3) knows them by their place from 1. */
static const struct setting {
	const char *name;
	enum kind kind;
	size_t offset; /* in struct config */
	const char *example;
} settings[] = {
    {"handshake-timeout", SECONDS,
	offsetof(struct config, handshake_timeout_ms), "30"},
    {"connect-timeout", SECONDS, offsetof(struct config, connect_timeout_ms),
	"30"},
    {"lifetime", SECONDS, offsetof(struct config, lifetime_ms), "30"},
    {"idle-timeout", SECONDS, offsetof(struct config, idle_timeout_ms), "30"},
    {"log", TARGET, offsetof(struct config, log), "syslog"},
    {"config", FROM_FILE, 0, "/etc/socks5-handler.conf"},
    {"max-clients", COUNT, offsetof(struct config, max_clients), "1000"},
    {"max-per-source", COUNT, offsetof(struct config, max_per_source), "100"},
    {"spare", COUNT, offsetof(struct config, spare), "8"},
    {"idle-exit", SECONDS, offsetof(struct config, idle_exit_ms), "60"},
    {"help", HELP, 0, NULL},
    {"version", PRINT_VERSION, 0, NULL},
};
#define SETTINGS (sizeof(settings) / sizeof(*settings))

static const struct config defaults = {
    .handshake_timeout_ms = 10000,
    .connect_timeout_ms = 10000,
    .lifetime_ms = 30000,
    .idle_timeout_ms = 0,
    .log = LOG_TO_AUTO,
    .idle_exit_ms = 0,
    .max_clients = 1000,
    .max_per_source = 0,
    .spare = 8,
};

static const char help[] =
    "Usage: socks5-handler [OPTION]...\n"
    "Serves one SOCKS5 client, whose connection a super-server (systemd, "
    "xinetd,\n"
    "inetd, tcpserver, ssh) hands over on descriptors 0 and 1. Given a "
    "listening\n"
    "socket instead, it serves each client in a process of its own.\n"
    "\n"
    "  --handshake-timeout=SECONDS  until the request is read (default 10)\n"
    "  --connect-timeout=SECONDS    to look up and connect (default 10)\n"
    "  --lifetime=SECONDS           of the relay (default 30)\n"
    "  --idle-timeout=SECONDS       without a byte either way (default 0)\n"
    "  --log=TARGET                 journal (not if static), syslog, stderr, "
    "none;\n"
    "                               auto (default): the first that is there\n"
    "  --config=FILE                options, \"lifetime 60\" for example to a "
    "line\n"
    "  --help, --version            print this, or the version, and exit\n"
    "For a listening socket:\n"
    "  --max-clients=N              served at once (default 1000)\n"
    "  --max-per-source=N           of one address, IPv6 /64 or user (default "
    "0)\n"
    "  --spare=N                    processes that wait for a client (default "
    "8)\n"
    "  --idle-exit=SECONDS          exit after so long without any (default "
    "0)\n"
    "\n"
    "SECONDS may have a fraction (0.5). 0 is no limit.\n"
    "Exit status: 0 the connection was handled, refusals included; 64 bad\n"
    "usage or nothing to serve; 71 the machinery failed.\n"
    "More in socks5-handler(8).\n";

/* Where a value stands, for the sentence that says what is wrong with it. */
struct place {
	const char *file; /* NULL: the command line */
	unsigned line;
};

/* Says "--lifetime=x: ..." or "FILE:LINE: lifetime x: ..."; -EINVAL. */
static int
complain(const struct place *place, const char *name, const char *text,
    const char *what)
{
	if (place->file)
		log_fault("%s:%u: %s %s: %s", place->file, place->line, name,
		    text, what);
	else
		log_fault("--%s=%s: %s", name, text, what);
	return -EINVAL;
}

/* "30" or "0.5" seconds as milliseconds; -EINVAL for anything else. */
static int
parse_seconds(const char *text, int64_t *out)
{
	int64_t seconds = 0, ms = 0;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 9)
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		seconds = seconds * 10 + (*text++ - '0');
	if (*text == '.') {
		digits = strspn(++text, "0123456789");
		if (digits == 0)
			return -EINVAL;
		for (size_t i = 0; i < 3; i++)
			ms = ms * 10 + (i < digits ? text[i] - '0' : 0);
		/* What is left below a millisecond is not "no limit". */
		if (seconds == 0 && ms == 0 && strspn(text, "0") < digits)
			ms = 1;
		text += digits;
	}
	if (*text || seconds > SECONDS_MAX)
		return -EINVAL;
	*out = seconds * 1000 + ms;
	return 0;
}

static int
parse_count(const char *text, int64_t *out)
{
	size_t digits = strspn(text, "0123456789");
	int64_t count;

	if (digits == 0 || digits > 9 || text[digits])
		return -EINVAL;
	count = strtol(text, NULL, 10);
	if (count > COUNT_MAX)
		return -EINVAL;
	*out = count;
	return 0;
}

/* A number, or an example of one. */
static int
read_number(const struct setting *setting, const char *text,
    const struct place *place, int64_t *out)
{
	char what[128];

	if ((setting->kind == SECONDS ? parse_seconds(text, out)
				      : parse_count(text, out)) == 0)
		return 0;
	snprintf(what, sizeof(what),
	    "not a number%s; write for example %s%s%c%s%s",
	    setting->kind == SECONDS ? " of seconds" : " up to 4194304",
	    place->file ? "" : "--", setting->name, place->file ? ' ' : '=',
	    setting->example,
	    strcmp(setting->name, "spare") == 0 ? "" : ", or 0 for no limit");
	return complain(place, setting->name, text, what);
}

static int
read_target(const struct setting *setting, const char *text,
    const struct place *place, enum log_target *out)
{
	if (log_target_parse(text, out) < 0)
		return complain(place, setting->name, text,
		    systemd_has_journal() ? "no such target; write auto, "
					    "journal, syslog, stderr or none"
					  : "no such target; write auto, "
					    "syslog, stderr or none");
	if (*out == LOG_TO_JOURNAL && !systemd_has_journal())
		return complain(place, setting->name, text,
		    "the static build can't write to the journal; write auto, "
		    "syslog, stderr or none");
	if (*out == LOG_TO_STDERR && log_stderr_forbidden())
		return complain(place, setting->name, text,
		    place->file ? "standard error is the client here; write "
				  "log syslog or log auto"
				: "standard error is the client here; write "
				  "--log=syslog or --log=auto");
	return 0;
}

static int
apply(const struct setting *setting, const char *text,
    const struct place *place, struct config *config)
{
	void *value = (char *)config + setting->offset;

	if (setting->kind == TARGET)
		return read_target(setting, text, place, value);
	return read_number(setting, text, place, value);
}

/* One line of a file: a name, blanks, a value. Changed here. */
static int
apply_line(char *line, const struct place *place, struct config *config)
{
	const char *name, *value;
	char *rest = line, *end;

	line[strcspn(line, "#")] = '\0';
	for (end = line + strlen(line);
	     end > line && isspace((unsigned char)end[-1]); end--)
		;
	*end = '\0';
	while ((name = strsep(&rest, " \t")) && !*name)
		;
	if (!name)
		return 0;
	value = rest ? rest + strspn(rest, " \t") : "";
	for (size_t i = 0; i < SETTINGS; i++) {
		if (settings[i].kind < FROM_FILE &&
		    strcmp(settings[i].name, name) == 0)
			return apply(&settings[i], value, place, config);
	}
	return complain(place, name, value,
	    "no such option; a line is one of socks5-handler --help without "
	    "its dashes, a blank, and a value, such as lifetime 60");
}

static int
read_file(const char *path, struct config *config)
{
	struct place place = {.file = path};
	char *line = NULL;
	size_t size = 0;
	FILE *file = fopen(path, "re");
	int rc = 0;

	if (!file) {
		log_fault("--config=%s: %s; it has to be a file that this "
			  "user can read",
		    path, strerror(errno));
		return -EINVAL;
	}
	while (rc == 0 && getline(&line, &size, file) >= 0) {
		place.line++;
		rc = apply_line(line, &place, config);
	}
	if (rc == 0 && ferror(file)) {
		log_fault("--config=%s: it can't be read (%s); it has to be a "
			  "file",
		    path, strerror(errno));
		rc = -EINVAL;
	}
	free(line);
	fclose(file);
	return rc;
}

/* What getopt_long(3) could not take; it leaves the reason in optopt. */
static int
refuse(int kind, char **argv)
{
	const char *word = argv[optind - 1];
	const struct setting *setting = optopt > 0 && optopt <= (int)SETTINGS
					    ? &settings[optopt - 1]
					    : NULL;

	if (kind == ':' && setting)
		log_fault("%s: needs a value; write for example %s=%s", word,
		    word, setting->example);
	else if (setting)
		log_fault(
		    "%s: takes no value; leave out what follows the =", word);
	else if (optopt > 0)
		log_fault("-%c: no such option; socks5-handler --help lists "
			  "them",
		    optopt);
	else
		log_fault("%s: no such option; socks5-handler --help lists "
			  "them",
		    word);
	return -EINVAL;
}

/* getopt_long(3)'s view of the settings. */
static void
list_options(struct option out[SETTINGS + 1])
{
	for (size_t i = 0; i < SETTINGS; i++)
		out[i] = (struct option){
		    .name = settings[i].name,
		    .has_arg = settings[i].kind < HELP ? required_argument
						       : no_argument,
		    .val = (int)i + 1, /* below any letter */
		};
	out[SETTINGS] = (struct option){0};
}

int
config_read(int argc, char **argv, struct config *out)
{
	const struct place command_line = {0};
	struct config config = defaults;
	struct option options[SETTINGS + 1];
	int opt, rc = 0;

	list_options(options);
	optind = 0; /* from the start, also at the second time */
	while (rc == 0 &&
	       (opt = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		const struct setting *setting =
		    opt > (int)SETTINGS ? NULL : &settings[opt - 1];

		if (!setting) {
			rc = refuse(opt, argv);
		} else if (setting->kind == HELP) {
			fputs(help, stdout);
			return 1;
		} else if (setting->kind == PRINT_VERSION) {
			puts("socks5-handler " VERSION);
			return 1;
		} else if (setting->kind == FROM_FILE) {
			rc = read_file(optarg, &config);
		} else {
			rc = apply(setting, optarg, &command_line, &config);
		}
	}
	if (rc == 0 && optind < argc) {
		log_fault("%s: not an option, and there is nothing else to "
			  "say; socks5-handler --help lists the options",
		    argv[optind]);
		rc = -EINVAL;
	}
	if (rc == 0)
		*out = config;
	return rc;
}
