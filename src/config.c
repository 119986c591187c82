#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* Ten years; what a timer can hold, and a typing error cannot reach. */
#define SECONDS_MAX 315360000

enum {
	OPT_HANDSHAKE_TIMEOUT = 1, /* below any letter */
	OPT_CONNECT_TIMEOUT,
	OPT_LIFETIME,
	OPT_IDLE_TIMEOUT,
	OPT_LOG,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option options[] = {
    {"handshake-timeout", required_argument, NULL, OPT_HANDSHAKE_TIMEOUT},
    {"connect-timeout", required_argument, NULL, OPT_CONNECT_TIMEOUT},
    {"lifetime", required_argument, NULL, OPT_LIFETIME},
    {"idle-timeout", required_argument, NULL, OPT_IDLE_TIMEOUT},
    {"log", required_argument, NULL, OPT_LOG},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {0},
};

static const char help[] =
    "Usage: socks5-handler [OPTION]...\n"
    "Serves one SOCKS5 client, whose connection a super-server (systemd with\n"
    "Accept=yes, xinetd, inetd, tcpserver, ssh) hands over on descriptors 0\n"
    "and 1.\n"
    "\n"
    "  --handshake-timeout=SECONDS  until the request is read (default 10)\n"
    "  --connect-timeout=SECONDS    to look up and connect (default 10)\n"
    "  --lifetime=SECONDS           of the relay (default 30)\n"
    "  --idle-timeout=SECONDS       without a byte either way (default 0)\n"
    "  --log=TARGET                 journal, syslog, stderr or none; auto is\n"
    "                               the first of these that is there "
    "(default)\n"
    "  --help                       print this and exit\n"
    "  --version                    print the version and exit\n"
    "\n"
    "SECONDS may have a fraction (0.5); 0 is no limit.\n"
    "Exit status: 0 the connection was handled, refusals included; 64 bad\n"
    "usage or nothing to serve; 71 the machinery failed.\n"
    "More in socks5-handler(8).\n";

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
read_seconds(const char *name, const char *text, int64_t *out)
{
	if (parse_seconds(text, out) == 0)
		return 0;
	log_fault("--%s=%s: not a number of seconds; write for example "
		  "--%s=30, or 0 for no limit",
	    name, text, name);
	return -EINVAL;
}

static int
read_log(const char *text, enum log_target *out)
{
	if (log_target_parse(text, out) < 0) {
		log_fault("--log=%s: no such target; write auto, journal, "
			  "syslog, stderr or none",
		    text);
		return -EINVAL;
	}
	if (*out == LOG_TO_STDERR && log_stderr_forbidden()) {
		log_fault("--log=stderr: standard error is the client here; "
			  "write --log=syslog or --log=journal");
		return -EINVAL;
	}
	return 0;
}

/* What getopt_long(3) could not take; it leaves the reason in optopt. */
static int
refuse(int kind, char **argv)
{
	const char *word = argv[optind - 1];

	if (kind == ':')
		log_fault("%s: needs a value; write for example %s=%s", word,
		    word, optopt == OPT_LOG ? "syslog" : "30");
	else if (optopt == OPT_HELP || optopt == OPT_VERSION)
		log_fault(
		    "%s: takes no value; leave out what follows the =", word);
	else if (optopt > OPT_VERSION)
		log_fault("-%c: no such option; socks5-handler --help lists "
			  "them",
		    optopt);
	else
		log_fault("%s: no such option; socks5-handler --help lists "
			  "them",
		    word);
	return -EINVAL;
}

int
config_read(int argc, char **argv, struct config *out)
{
	struct config config = {
	    .handshake_timeout_ms = 10000,
	    .connect_timeout_ms = 10000,
	    .lifetime_ms = 30000,
	    .idle_timeout_ms = 0,
	    .log = LOG_TO_AUTO,
	};
	int64_t *const seconds[] = {
	    [OPT_HANDSHAKE_TIMEOUT] = &config.handshake_timeout_ms,
	    [OPT_CONNECT_TIMEOUT] = &config.connect_timeout_ms,
	    [OPT_LIFETIME] = &config.lifetime_ms,
	    [OPT_IDLE_TIMEOUT] = &config.idle_timeout_ms,
	};
	int opt, index = 0, rc = 0;

	while (rc == 0 &&
	       (opt = getopt_long(argc, argv, "+:", options, &index)) != -1) {
		switch (opt) {
		case OPT_HANDSHAKE_TIMEOUT:
		case OPT_CONNECT_TIMEOUT:
		case OPT_LIFETIME:
		case OPT_IDLE_TIMEOUT:
			rc = read_seconds(
			    options[index].name, optarg, seconds[opt]);
			break;
		case OPT_LOG:
			rc = read_log(optarg, &config.log);
			break;
		case OPT_HELP:
			fputs(help, stdout);
			return 1;
		case OPT_VERSION:
			puts("socks5-handler " VERSION);
			return 1;
		default:
			rc = refuse(opt, argv);
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
