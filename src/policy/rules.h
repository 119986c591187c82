/* SPDX-License-Identifier: ISC */
/*
 * rules: may this client reach that? Lines that allow or deny are asked from
 * the top, and the first that matches decides; where none matches, the answer
 * is no.
 *
 * Pure functions: no system calls, no allocation, no logging. What only the
 * running host can tell is asked through struct rules_host, when a line
 * depends on it and not before. rulefile.h reads the lines.
 */
#ifndef RULES_H
#define RULES_H

#include "base/addr.h"
#include "policy/terms.h"
#include "protocol/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bits, for a line may name several; RESOLVE is CMD F0. */
enum rules_command {
	RULES_CONNECT = 1 << 0,
	RULES_BIND = 1 << 1,
	RULES_UDP = 1 << 2,
	RULES_RESOLVE = 1 << 3,
};

enum rules_verdict {
	RULES_DENIED,
	RULES_DEPENDS, /* on what the question leaves open */
	RULES_ALLOWED,
};

struct rules_client {
	bool local;         /* a pipe, a Unix socket or a loopback peer */
	bool has_address;   /* the one below */
	union addr address; /* its port doesn't matter */
	const char *user;   /* whose password was right; NULL: nobody's */
	size_t user_len;    /* bytes; there may be NULs among them */
	bool has_ids;       /* the three below, as the kernel has them */
	uid_t uid;
	const gid_t *gids; /* all that the client is in */
	size_t gids_count;
};

/* What the rules can't know; any of these may be NULL. */
struct rules_host {
	/*
	 * Whether the address is one of this host's own; when in doubt, true.
	 * NULL: none is. Called for each face of an address (faces.h).
	 */
	bool (*is_own)(const union addr *address, void *context);
	/*
	 * The number of the user, or else of the group, with this name. 1; 0
	 * when there is none; or -errno when that can't be told (NULL: it
	 * never can), and then a line that denies matches, and one that allows
	 * does not.
	 */
	int (*find_id)(
	    const char *name, bool group, uint32_t *out, void *context);
	void *context;
};

/*
 * May `client` do this? What is not known yet stays open: the command (0), the
 * target (has_target), the address of a name (has_address).
 */
struct rules_question {
	const struct rules_client *client;
	const struct rules_host *host;
	enum rules_command command;
	bool has_target; /* port, and a name or an address */
	uint16_t port;   /* DST.PORT */
	/* As asked for, with a trailing dot if it has one; name_len is 0 where
	 * an address was. */
	size_t name_len;
	char name[WIRE_NAME_SIZE];
	bool unresolved;    /* a name's address will never be known */
	bool has_address;   /* the one below; it may be one of the name's */
	union addr address; /* what would be dialled; its port is not used */
};

/* What an item of a line is about; in a list, one that matches will do. */
enum rules_clause {
	RULES_FROM,
	RULES_USER,
	RULES_UID,
	RULES_GID,
	RULES_COMMAND,
	RULES_TO,
	RULES_PORT,
	RULES_TERM, /* and those of the other enum terms_key behind it */
};

enum rules_kind {
	RULES_ANY, /* of "to" and of "user=" */
	RULES_LOCAL,
	RULES_INTERNAL,
	RULES_NETWORK,
	RULES_TEXT, /* a user's name, or the value of a term */
	RULES_ID,
	RULES_ID_NAME,
	RULES_HOST,   /* one name */
	RULES_DOMAIN, /* a name and all below it */
	RULES_PORTS,
	RULES_COMMANDS, /* never kept: struct rules_line has them */
};

/* Longest name of a user or group, in bytes (RFC 1929: UNAME). */
#define RULES_NAME_MAX 255

struct rules_item {
	uint8_t clause, kind;
	union {
		struct addr_network network;
		struct {
			uint32_t at, len; /* in the text; no trailing dot */
		} text;
		uint32_t id;
		struct {
			uint16_t first, last;
		} ports;
		uint8_t commands; /* enum rules_command */
	};
};

/*
 * A line. Its items stand together by clause, first those about the client,
 * and from to, port and terms on those of "to", of "port" and the terms.
 */
struct rules_line {
	uint32_t number;    /* in the file, from 1 */
	uint32_t text, len; /* from its first word to its last */
	uint32_t who, to, port, terms, end;
	uint8_t commands; /* enum rules_command; 0 is any */
	bool allows;
	bool says_internal; /* "internal" is among its targets */
};

struct rules {
	const char *file; /* its name, or "built in" */
	const char *text; /* what was read, with all that the lines point to */
	struct rules_line *lines;
	struct rules_item *items;
	size_t lines_count, items_count;
	unsigned clauses; /* a bit for each that some line has */
};

/*
 * Names the target: an address, or a name; a name that is an address for
 * wire_literal() counts as that address. `dst` has passed
 * wire_check_destination().
 */
void rules_set_target(
    struct rules_question *question, const struct wire_destination *dst);

/*
 * The verdict, and the line that decided: NULL where none matches, or where
 * the verdict is RULES_DEPENDS. That one comes for incomplete questions only,
 * and means that it may be RULES_ALLOWED once they are complete. So a name
 * needn't be looked up when the verdict is RULES_DENIED, and when it is
 * RULES_ALLOWED it holds for whatever address is found, by the same line.
 *
 * A line that denies matches all that it names, and an address also by what it
 * carries (faces.h). A line that allows matches an internal address
 * only by "internal", by a network of internal addresses alone, or by the very
 * address; "any", a name or another network doesn't do. Internal is what
 * faces_are_internal() says, and this host's own addresses.
 *
 * Where a name is unresolved, because somebody else looks it up, lines about
 * networks or internal addresses don't match it, and "any" does.
 */
enum rules_verdict rules_ask(const struct rules *rules,
    const struct rules_question *question, const struct rules_line **by);

/*
 * What a line that allows sets, on top of what *terms holds already; its
 * source= takes the place of both sources there.
 */
void rules_terms(const struct rules *rules, const struct rules_line *line,
    struct terms *terms);

#endif
