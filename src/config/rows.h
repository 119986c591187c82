/* SPDX-License-Identifier: ISC */
/*
 * rows: an option is one row, and what it sets is a field of struct config.
 */
#ifndef ROWS_H
#define ROWS_H

#include "base/log.h"
#include "config/setting.h"
#include "policy/auth.h"
#include "policy/rules.h"
#include "policy/terms.h"
#include "protocol/url.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * What the units and services that come with the program name. It may be
 * missing, and then all options have their defaults; any other file that
 * --config= names has to be there.
 */
#define CONFIG_FILE "/etc/socks5-handler/handler.conf"

/* What --explain is asked about; as typed, NULL where it isn't given. */
struct config_explain {
	const char *from, *user, *uid, *command;
	const char *host, *port; /* NULL: --explain wasn't given */
};

/* Of --spare. */
#define CONFIG_SPARE_MAX 256

struct config {
	/* Milliseconds; 0 is "no limit". */
	int64_t handshake_timeout_ms;
	int64_t connect_timeout_ms;
	int64_t idle_exit_ms;   /* for a listening socket, as the next three */
	int64_t max_clients;    /* 0 is "no limit", here and below */
	int64_t max_per_source; /* -1: half of them, if not from here */
	int64_t spare;          /* processes; 0 is none */
	enum log_target log;

	bool proxy_protocol; /* a header stands in front of the greeting */
	bool has_users;
	struct auth_users users; /* that may log in */
	bool open;               /* --open */
	const char *rules_file;  /* NULL: those built in hold: */
	const char *built_in;    /* a text of rulefile.h */
	struct rules rules;      /* of the file; or built in, for --explain */

	struct terms terms; /* what the line that allows may change */
	sa_family_t prefer; /* goes first; AF_UNSPEC: as the system has it */
	bool mptcp;         /* to the target, where it can be had */
	bool resolve;       /* RESOLVE and RESOLVE_PTR are served */
	/* BND.ADDR for datagrams: for IPv4, for IPv6; AF_UNSPEC: our own. */
	union addr udp_advertise[2];
	struct setting_ports udp_ports; /* 0 and 0: any */
	bool has_upstream;              /* one of these: */
	const char *upstream_command;   /* or NULL, and then the URL's */
	struct url upstream;

	bool check; /* --check */
	struct config_explain explain;

	/* What the above points to, and nobody else looks at. */
	char *upstream_text;
	const char *users_file, *upstream_password_file;
	char *rules_text;
};

/* Beyond enum setting_kind; on the command line only. */
enum rows_kind {
	ROWS_FROM_FILE = SETTING_KINDS,
	ROWS_QUESTION, /* a text of struct config_explain */
	ROWS_EXPLAIN,
	ROWS_CHECK,
	ROWS_HELP,
	ROWS_VERSION,
};

/* Every option, the terms' own among them, in the order of --help. */
void rows_list(struct option_entry out[OPTIONS_MAX]);

#endif
