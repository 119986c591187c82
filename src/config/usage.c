/* SPDX-License-Identifier: ISC */
#include "config/usage.h"
#include "config/setting.h"

#include <stdio.h>
#include <string.h>

static const char head[] =
    "Usage: socks5-handler [OPTION]...\n"
    "       socks5-handler [OPTION]... --check\n"
    "       socks5-handler [OPTION]... --explain HOST PORT\n"
    "Serves one SOCKS5 client, whose connection a super-server (systemd, "
    "xinetd,\n"
    "inetd, tcpserver, ssh) hands over on descriptors 0 and 1. Given a "
    "listening\n"
    "socket instead, it serves each client in a process of its own.\n"
    "\n";

static const char foot[] =
    "\n"
    "Exit status: 0 the connection was handled, refusals included; 64 bad\n"
    "usage or nothing to serve; 71 the machinery failed, or no log took the\n"
    "record; 74 what went over pipes was cut.\n"
    "More in socks5-handler(8).\n";

static const char file_head[] =
    "# Options for socks5-handler, one to a line: its name and its value. Each "
    "is\n"
    "# here with its default, or an example where it has none. See "
    "socks5-handler(8).\n";

/* What it is, and what holds without it. */
static void
print_help(const struct option_entry *entry)
{
	fputs(entry->help, stdout);
	if (entry->standard)
		printf(" (default %s)", entry->standard);
	putchar('\n');
}

void
usage_print(const struct option_entry *entries)
{
	fputs(head, stdout);
	for (const struct option_entry *e = entries; e->name; e++) {
		const char *argument = e->argument ? e->argument : "";
		char option[80];

		if (e->section)
			printf("%s:\n", e->section);
		snprintf(option, sizeof(option), "  --%s%s%s", e->name,
		    *argument && *argument != '[' ? "=" : "", argument);
		if (strlen(option) > 29) {
			puts(option);
			*option = '\0';
		}
		printf("%-31s", option);
		print_help(e);
	}
	fputs(foot, stdout);
}

void
usage_print_file(const struct option_entry *entries)
{
	fputs(file_head, stdout);
	for (const struct option_entry *e = entries; e->name; e++) {
		const char *value = e->standard ? e->standard : e->example;

		if (e->kind >= SETTING_KINDS)
			continue;
		if (e->section)
			printf("\n# --- %s\n", e->section);
		printf("\n# %s%s", e->argument ? e->argument : "",
		    e->argument ? ": " : "");
		print_help(e);
		printf(
		    "#%s%s%s\n", e->name, value ? " " : "", value ? value : "");
	}
}
