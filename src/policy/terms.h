/* SPDX-License-Identifier: ISC */
/*
 * terms: what a session is held to: how long it lasts, how fast it is, and
 * where it comes out. An option sets a term for all sessions, and a line of the
 * rules for those that it allows. All that is to be known of one stands in its
 * row.
 *
 * Pure functions, no system calls, no allocation.
 */
#ifndef TERMS_H
#define TERMS_H

#include "base/addr.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum terms_key {
	TERMS_LIFETIME,
	TERMS_IDLE,
	TERMS_SOURCE,
	TERMS_INTERFACE,
	TERMS_MARK,
	TERMS_TOS,
	TERMS_RATE,
	TERMS_KEYS,
};

/* All zero: no limits, and it comes out as the kernel chooses. */
struct terms {
	int64_t lifetime_ms; /* of the relay */
	int64_t idle_ms;     /* without a byte either way */
	struct terms_source {
		/* With port 0; of IPv4 and of IPv6. AF_UNSPEC: not set. */
		union addr at[2];
		bool same; /* the one that the client has reached instead */
	} source;
	char interface[IF_NAMESIZE]; /* its name, for SO_BINDTODEVICE */
	uint64_t mark;               /* for SO_MARK, 32 bits */
	uint64_t tos;                /* for IP_TOS and IPV6_TCLASS, 8 bits */
	uint64_t rate;               /* bytes/s each way */
};

/* What a value is, and what has it in struct terms. */
enum terms_kind {
	TERMS_SECONDS,   /* int64_t, in milliseconds */
	TERMS_NUMBER,    /* uint64_t */
	TERMS_NAME,      /* char[IF_NAMESIZE] */
	TERMS_ADDRESSES, /* struct terms_source */
};

struct terms_row {
	const char *word;    /* of a rule, without the = */
	const char *example; /* of that: "idle=60" */
	const char *wrong;   /* with any other value, and what would be right */
	struct {
		const char *name;     /* without its dashes */
		const char *argument; /* what --help calls its value */
		const char *standard; /* its value without it; NULL: none */
		const char *help;
	} option;            /* the same for all sessions */
	size_t offset, size; /* in struct terms */
	enum terms_kind kind;
	bool several; /* values, with commas between */
	/* Its option of a socket, and of one of IPv6 if that is another. */
	struct {
		int level, name;
	} sockopt[2];
	const char *needs; /* the capability for that, where one is needed */
	const char *unit;  /* what --explain puts behind it */
	uint64_t max;      /* of a number */
};

extern const struct terms_row terms_rows[TERMS_KEYS];

/* Longest text of terms_describe(), with its NUL. */
#define TERMS_TEXT_MAX 512

/* "lifetime", "idle", and so on: its key, or -ENOENT. No NUL is needed. */
int terms_key(const char *word, size_t len);

/*
 * Sets one of the terms from the `len` bytes of its value:
 * seconds, "30" or "0.5"; a number, "42" or "0x2a"; a name that the kernel
 * would take; an address literal, or "same", and a second call may add that of
 * the other family. NULL; or, with nothing set, what is wrong with the value
 * and what would be right: "not a lifetime; write ...".
 */
const char *terms_set(
    enum terms_key key, const char *value, size_t len, struct terms *terms);

/* Whether a session would notice no difference. */
bool terms_equal(const struct terms *a, const struct terms *b);

/* Whether sockets come out the same: but for how long and how fast. */
bool terms_equal_sockets(const struct terms *a, const struct terms *b);

/* The value as it is written, "" where nothing is set. Returns out. The
 * source's isn't told. */
char *terms_value(
    const struct terms *terms, enum terms_key key, char out[TERMS_TEXT_MAX]);

/* "lifetime 30 s, mark 42": all that terms_value() tells. Returns out. */
char *terms_describe(const struct terms *terms, char out[TERMS_TEXT_MAX]);

#endif
