/* SPDX-License-Identifier: ISC */
/*
 * terms: what a session is held to: how long it lasts, how fast it is, and
 * where it comes out. A line of the rules sets them for the sessions it allows.
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
	TERMS_RATE,
};
#define TERMS_KEYS 6

struct terms {
	unsigned set;        /* 1U << key, for each that holds below */
	int64_t lifetime_ms; /* of the relay; 0 is no limit */
	int64_t idle_ms;     /* without a byte either way; 0 is no limit */
	/*
	 * Addresses to connect from, with port 0, [0] of IPv4 and [1] of IPv6;
	 * AF_UNSPEC where none is set. source_same: the one that the client
	 * has reached instead.
	 */
	union addr source[2];
	bool source_same;
	char interface[IF_NAMESIZE]; /* its name, for SO_BINDTODEVICE */
	uint32_t mark;               /* for SO_MARK */
	uint64_t rate;               /* bytes/s each way; 0 is no limit */
};

/* "lifetime", "idle", and so on: its key, or -ENOENT. No NUL is needed. */
int terms_key(const char *word, size_t len);

/* What a key looks like with a value: "lifetime=30". */
const char *terms_example(enum terms_key key);

/*
 * Sets one of the terms from the `len` bytes of its value:
 *   lifetime, idle  seconds, "30" or "0.5"; what is below a millisecond counts
 *                   as one
 *   source          an address literal, or "same"; a second call may add that
 *                   of the other family
 *   interface       a name that the kernel would take
 *   mark            "42" or "0x2a", 32 bits
 *   rate            bytes a second, up to 10^12
 * NULL; or, with nothing set, what is wrong with the value and what would be
 * right: "not a lifetime; write ...".
 */
const char *terms_set(
    enum terms_key key, const char *value, size_t len, struct terms *terms);

/* Whether a session would notice no difference. */
bool terms_equal(const struct terms *a, const struct terms *b);

#endif
