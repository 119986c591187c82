/* SPDX-License-Identifier: ISC */
#include "config/setting.h"
#include "base/addr.h"
#include "base/log.h"
#include "base/number.h"
#include "base/systemd.h"
#include "policy/terms.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Which of "a|b|c" it is, from 0; -1: none. */
static int
find_choice(const char *choices, const char *text)
{
	for (int i = 0;; i++) {
		size_t n = strcspn(choices, "|");

		if (n == strlen(text) && memcmp(choices, text, n) == 0)
			return i;
		if (!choices[n])
			return -1;
		choices += n + 1;
	}
}

/* What is wrong with a value; NULL: nothing. An example is put behind it. */
static const char *
set_target(enum log_target target, enum log_target *out)
{
	if (target == LOG_TO_JOURNAL && !systemd_has_journal())
		return "the static build can't write to the journal; write "
		       "auto, syslog, stderr or none";
	if (target == LOG_TO_STDERR && log_stderr_forbidden())
		return "standard error is the client here";
	*out = target;
	return NULL;
}

static const char *
read_address(const char *text, union addr out[2])
{
	union addr addr;

	if (addr_parse(text, 0, &addr) < 0)
		return "not an address";
	out[addr.sa.sa_family == AF_INET6] = addr;
	return NULL;
}

static const char *
read_ports(const char *text, struct setting_ports *out)
{
	if (!strchr(text, '-') ||
	    number_read_ports(text, strlen(text), &out->first, &out->last) < 0)
		return "not a range of ports";
	return NULL;
}

/* Kept in a copy, for a line of a file is gone soon. */
static const char *
read_text(const char *text, char **out)
{
	if (!*text)
		return "empty";
	free(*out);
	*out = strdup(text);
	return *out ? NULL : "out of memory";
}

int
setting_read(const struct option_entry *entry, const char *text,
    const struct options_place *place, void *value)
{
	uint64_t max = entry->max ? entry->max : SETTING_COUNT_MAX;
	const char *wrong = NULL;
	size_t len = strlen(text);
	char words[128];
	int choice;

	switch ((enum setting_kind)entry->kind) {
	case SETTING_SECONDS:
		if (number_read_seconds(text, len, value) < 0)
			wrong = "not a number of seconds";
		break;
	case SETTING_LIMIT:
		if (strcmp(text, "auto") == 0) {
			*(int64_t *)value = -1;
			break;
		}
		/* fallthrough */
	case SETTING_COUNT:
		if (number_read(text, len, max, value) < 0) {
			snprintf(words, sizeof(words), "not a number up to %ju",
			    (uintmax_t)max);
			wrong = words;
		}
		break;
	case SETTING_TARGET:
	case SETTING_FAMILY:
		choice = find_choice(entry->argument, text);
		snprintf(
		    words, sizeof(words), "not one of %s", entry->argument);
		if (choice < 0)
			wrong = words;
		else if (entry->kind == SETTING_TARGET)
			wrong = set_target((enum log_target)choice, value);
		else
			*(sa_family_t *)value = choice ? AF_INET6 : AF_INET;
		break;
	case SETTING_TERM:
		wrong =
		    terms_set((enum terms_key)entry->offset, text, len, value);
		break;
	case SETTING_FLAG:
		*(bool *)value = true;
		break;
	case SETTING_ADDRESS:
		wrong = read_address(text, value);
		break;
	case SETTING_PORTS:
		wrong = read_ports(text, value);
		break;
	default:
		wrong = read_text(text, value);
	}
	if (!wrong)
		return 0;
	return options_complain(place, entry->name, text, wrong,
	    strchr(wrong, ';') ? NULL : entry->example);
}
