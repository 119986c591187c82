/* SPDX-License-Identifier: ISC */
/*
 * setting: the value of an option, from its text.
 */
#ifndef SETTING_H
#define SETTING_H

#include "config/options.h"

#include <stdint.h>

/* What an option's value is, and what its text is put into. */
enum setting_kind {
	SETTING_SECONDS, /* int64_t, in milliseconds */
	SETTING_COUNT,   /* int64_t */
	SETTING_LIMIT,   /* int64_t; -1 for "auto" */
	SETTING_TARGET,  /* enum log_target: the a|b|c of its argument */
	SETTING_TERM,    /* struct terms; the entry's offset is the key */
	SETTING_FLAG,    /* bool */
	SETTING_TEXT,    /* char *, a copy, to be given back with free(3) */
	SETTING_FAMILY,  /* sa_family_t: IPv4 first there */
	SETTING_ADDRESS, /* union addr[2]: IPv4, IPv6 */
	SETTING_PORTS,   /* struct setting_ports */
	SETTING_KINDS,
};

/* More processes than a kernel has numbers for. */
#define SETTING_COUNT_MAX 4194304

struct setting_ports {
	uint16_t first, last;
};

/*
 * Reads the text of an entry of such a kind into `value`: 0; or -EINVAL, after
 * a sentence that says what is wrong and what would be right.
 */
int setting_read(const struct option_entry *entry, const char *text,
    const struct options_place *place, void *value);

#endif
