/* SPDX-License-Identifier: ISC */
#include "config/rows.h"

#include <stddef.h>
#include <string.h>

#define AT(field) .offset = offsetof(struct config, field)

/* In the order of --help. */
static const struct option_entry rows[] = {
    {"handshake-timeout", "SECONDS", "30", "10", "until the request is read",
	SETTING_SECONDS, AT(handshake_timeout_ms),
	.section = "Time, in seconds, which may have a fraction (0.5); 0 is no "
		   "limit"},
    {"connect-timeout", "SECONDS", "30", "10", "to look up and connect",
	SETTING_SECONDS, AT(connect_timeout_ms)},
    {.kind = SETTING_TERM, /* all of them, by their own rows */
	.section = "For each session, unless a line of the rules says "
		   "otherwise"},
    {"users", "FILE", "/etc/socks5-handler/users", NULL,
	"everybody needs a password of these", SETTING_TEXT, AT(users_file),
	.section = "Who may reach what"},
    {"rules", "FILE", "/etc/socks5-handler/rules", NULL,
	"what is allowed and denied", SETTING_TEXT, AT(rules_file)},
    {"open", NULL, NULL, NULL, "no password is needed", SETTING_FLAG, AT(open)},
    {"proxy-protocol", NULL, NULL, NULL, "a PROXY header names the client",
	SETTING_FLAG, AT(proxy_protocol)},
    {"prefer", "ipv4|ipv6", "ipv4", NULL,
	"which of a name's addresses are tried first", SETTING_FAMILY,
	AT(prefer), .section = "How it connects"},
    {"mptcp", NULL, NULL, NULL, "by Multipath TCP where the target has it",
	SETTING_FLAG, AT(mptcp)},
    {"upstream", "URL", "socks5://proxy.example.org:1080", NULL,
	"through socks5://[USER[:PASSWORD]@]HOST[:PORT]", SETTING_TEXT,
	AT(upstream_text)},
    {"upstream-password", "FILE", "/etc/socks5-handler/password", NULL,
	"the upstream's password", SETTING_TEXT, AT(upstream_password_file)},
    {"upstream-command", "COMMAND", "ssh -T gateway exec socks5-handler", NULL,
	"through this, run for each client", SETTING_TEXT,
	AT(upstream_command)},
    {"udp-advertise", "ADDRESS", "192.0.2.1", NULL,
	"where clients send datagrams, if through a NAT", SETTING_ADDRESS,
	AT(udp_advertise), .section = "Beyond CONNECT"},
    {"udp-ports", "A-B", "40000-40999", NULL,
	"the ports for their datagrams (default any)", SETTING_PORTS,
	AT(udp_ports)},
    {"resolve", NULL, NULL, NULL, "serve Tor's look-ups, for torsocks",
	SETTING_FLAG, AT(resolve)},
    {"max-clients", "N", "1000", "1000", "how many are served at once",
	SETTING_COUNT, AT(max_clients), .section = "For a listening socket"},
    {"max-per-source", "N|auto", "100", "auto",
	"from an address, IPv6 /64 or user", SETTING_LIMIT, AT(max_per_source)},
    {"spare", "N", "8", "8", "processes that wait for a client", SETTING_COUNT,
	AT(spare), .max = CONFIG_SPARE_MAX},
    {"idle-exit", "SECONDS", "60", "0", "exit after so long without a client",
	SETTING_SECONDS, AT(idle_exit_ms)},
    {"log", "auto|journal|syslog|stderr|none", "syslog", "auto",
	"auto is the first that is there", SETTING_TARGET, AT(log),
	.section = "Else"},
    {"config", "FILE", CONFIG_FILE, NULL,
	"options, \"lifetime 60\" for example to a line",
	.kind = ROWS_FROM_FILE},
    {"check", NULL, NULL, NULL, "read options and files; exit with 0 or 64",
	.kind = ROWS_CHECK},
    {"help", "[=conf]", "conf", NULL, "print this, or a file for --config",
	.kind = ROWS_HELP},
    {"version", NULL, NULL, NULL, "print the version", .kind = ROWS_VERSION},
    {"explain", NULL, NULL, NULL, "print what would become of it",
	.kind = ROWS_EXPLAIN,
	.section = "To try a request for HOST and PORT, without connecting"},
    {"from", "ADDRESS|local", "192.0.2.1", NULL,
	"where its client is (default local)", ROWS_QUESTION, AT(explain.from)},
    {"user", "NAME", "alice", NULL, "its client has the password of this user",
	ROWS_QUESTION, AT(explain.user)},
    {"uid", "N", "1000", NULL, "its client is this user, on a Unix socket",
	ROWS_QUESTION, AT(explain.uid)},
    {"command", "connect|bind|udp|resolve", "connect", NULL,
	"what it asks for (default connect)", ROWS_QUESTION,
	AT(explain.command)},
};
#define ROWS (sizeof(rows) / sizeof(*rows))

_Static_assert(ROWS + TERMS_KEYS <= OPTIONS_MAX, "there is room for all");

void
rows_list(struct option_entry out[OPTIONS_MAX])
{
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].kind != SETTING_TERM) {
			*out++ = rows[i];
			continue;
		}
		for (size_t key = 0; key < TERMS_KEYS; key++) {
			const struct terms_row *term = &terms_rows[key];

			*out++ = (struct option_entry){
			    .name = term->option.name,
			    .argument = term->option.argument,
			    .example = term->example + strlen(term->word) + 1,
			    .standard = term->option.standard,
			    .help = term->option.help,
			    .kind = SETTING_TERM,
			    .offset = key,
			    .section = key == 0 ? rows[i].section : NULL,
			};
		}
	}
	*out = (struct option_entry){0};
}
