/* SPDX-License-Identifier: ISC */
#include "config/setting.h"
#include "base/addr.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/systemd.h"
#include "policy/terms.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* More processes than a kernel has numbers for. */
#define COUNT_MAX 4194304

static int
read_target(const struct option_entry *entry, const char *text,
    const struct options_place *place, enum log_target *out)
{
	if (log_target_parse(text, out) < 0)
		return options_complain(place, entry->name, text,
		    systemd_has_journal() ? "no such target; write auto, "
					    "journal, syslog, stderr or none"
					  : "no such target; write auto, "
					    "syslog, stderr or none",
		    NULL);
	if (*out == LOG_TO_JOURNAL && !systemd_has_journal())
		return options_complain(place, entry->name, text,
		    "the static build can't write to the journal; write auto, "
		    "syslog, stderr or none",
		    NULL);
	if (*out == LOG_TO_STDERR && log_stderr_forbidden())
		return options_complain(place, entry->name, text,
		    "standard error is the client here", entry->example);
	return 0;
}

static int
read_family(const struct option_entry *entry, const char *text,
    const struct options_place *place, sa_family_t *out)
{
	if (strcmp(text, "ipv4") == 0)
		*out = AF_INET;
	else if (strcmp(text, "ipv6") == 0)
		*out = AF_INET6;
	else
		return options_complain(place, entry->name, text,
		    "no such family; write ipv4 or ipv6", NULL);
	return 0;
}

/* Kept in a copy, for a line of a file is gone soon. */
static int
read_text(const struct option_entry *entry, const char *text,
    const struct options_place *place, char **out)
{
	if (!*text)
		return options_complain(
		    place, entry->name, text, "empty", entry->example);
	free(*out);
	*out = memory_copy(text);
	return *out ? 0 : -ENOMEM;
}

static int
apply_term(const struct option_entry *entry, const char *text,
    const struct options_place *place, struct terms *terms)
{
	const char *wrong;

	wrong =
	    terms_set((enum terms_key)entry->offset, text, strlen(text), terms);
	if (!wrong)
		return 0;
	return options_complain(place, entry->name, text, wrong, NULL);
}

static int
read_address(const struct option_entry *entry, const char *text,
    const struct options_place *place, union addr out[2])
{
	union addr addr;

	if (addr_parse(text, 0, &addr) < 0)
		return options_complain(
		    place, entry->name, text, "not an address", entry->example);
	out[addr.sa.sa_family == AF_INET6] = addr;
	return 0;
}

int
setting_read(const struct option_entry *entry, const char *text,
    const struct options_place *place, void *value)
{
	struct setting_ports *ports = value;
	size_t len = strlen(text);

	switch ((enum setting_kind)entry->kind) {
	case SETTING_SECONDS:
		if (number_read_seconds(text, len, value) == 0)
			return 0;
		return options_complain(place, entry->name, text,
		    "not a number of seconds", entry->example);
	case SETTING_COUNT:
		if (number_read(text, len, COUNT_MAX, value) == 0)
			return 0;
		return options_complain(place, entry->name, text,
		    "not a number up to 4194304", entry->example);
	case SETTING_TARGET:
		return read_target(entry, text, place, value);
	case SETTING_TERM:
		return apply_term(entry, text, place, value);
	case SETTING_FLAG:
		*(bool *)value = true;
		return 0;
	case SETTING_FAMILY:
		return read_family(entry, text, place, value);
	case SETTING_ADDRESS:
		return read_address(entry, text, place, value);
	case SETTING_PORTS:
		if (strchr(text, '-') && number_read_ports(text, len,
					     &ports->first, &ports->last) == 0)
			return 0;
		return options_complain(place, entry->name, text,
		    "not a range of ports", entry->example);
	default:
		return read_text(entry, text, place, value);
	}
}
