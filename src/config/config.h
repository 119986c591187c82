/* SPDX-License-Identifier: ISC */
/*
 * config: the command line and the files it names, read into values that are
 * not changed afterwards.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "base/log.h"
#include "config/setting.h"
#include "policy/auth.h"
#include "policy/rules.h"
#include "policy/terms.h"
#include "protocol/url.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#ifndef VERSION
#define VERSION "unknown"
#endif

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
	const char *users_file, *upstream_text, *upstream_password_file;
	char *rules_text;
};

/* Every option, the terms' own among them, in the order of --help. */
void config_options(struct option_entry out[OPTIONS_MAX]);

/*
 * 0: go on with *out. 1: what was asked for, --help or --version, is
 * done. -EINVAL: bad usage; a sentence in the log names the option, or the file
 * and line, what is wrong and what would be right.
 * May be called again, for files that have changed.
 */
int config_read(int argc, char **argv, struct config *out);

/* Gives back what it holds. */
void config_free(struct config *config);

#endif
