/* SPDX-License-Identifier: ISC */
#include "policy/terms.h"
#include "base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What the kernel would take. */
static int
set_name(const char *text, size_t len, char out[IF_NAMESIZE])
{
	if (len == 0 || len >= IF_NAMESIZE ||
	    (len <= 2 && memcmp(text, "..", len) == 0))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c == '/' || c == ':' || c == 0x7f)
			return -EINVAL;
	}
	memset(out, 0, IF_NAMESIZE);
	memcpy(out, text, len);
	return 0;
}

/* 0, -EINVAL, or -EEXIST: one value too many. */
static int
set_source(const char *text, size_t len, struct terms_source *source)
{
	bool had = source->same || source->at[0].sa.sa_family != AF_UNSPEC ||
		   source->at[1].sa.sa_family != AF_UNSPEC;
	char address[INET6_ADDRSTRLEN];
	union addr addr, *place;

	if (len == 4 && memcmp(text, "same", len) == 0) {
		if (had)
			return -EEXIST;
		source->same = true;
		return 0;
	}
	if (len >= sizeof(address) || memchr(text, '\0', len))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (addr_parse(address, 0, &addr) < 0)
		return -EINVAL;
	place = &source->at[addr.sa.sa_family == AF_INET6];
	if (source->same || place->sa.sa_family != AF_UNSPEC)
		return -EEXIST;
	*place = addr;
	return 0;
}

static bool
equal_sources(const struct terms_source *a, const struct terms_source *b)
{
	return a->same == b->same && addr_equal(&a->at[0], &b->at[0]) &&
	       addr_equal(&a->at[1], &b->at[1]);
}

#define AT(field) \
	offsetof(struct terms, field), sizeof(((struct terms *)NULL)->field)

/* --- the rows ------------------------------------------------------------- */

const struct terms_row terms_rows[TERMS_KEYS] = {
    [TERMS_LIFETIME] = {"lifetime", "lifetime=30",
	"not a number of seconds; write for example 30, or 0 for no limit",
	{"lifetime", "SECONDS", "30", "how long a tunnel may last"},
	AT(lifetime_ms), TERMS_SECONDS, .unit = " s"},
    [TERMS_IDLE] = {"idle", "idle=60",
	"not a number of seconds; write for example 60, or 0 for no limit",
	{"idle-timeout", "SECONDS", "0", "without a byte in either direction"},
	AT(idle_ms), TERMS_SECONDS, .unit = " s"},
    [TERMS_SOURCE] = {"source", "source=192.0.2.1",
	"not an address; write one of this host's, or same for the one that "
	"the client has reached",
	{"source", "ADDRESS|same", NULL,
	    "connect from it; same: the one the client chose"},
	AT(source), TERMS_ADDRESSES, .several = true},
    [TERMS_INTERFACE] = {"interface", "interface=eth0",
	"not an interface; write its name, up to 15 bytes",
	{"interface", "NAME", NULL, "connect through this network interface"},
	AT(interface), TERMS_NAME, .sockopt = {{SOL_SOCKET, SO_BINDTODEVICE}},
	.needs = "CAP_NET_RAW"},
    [TERMS_MARK] = {"mark", "mark=42",
	"not a mark; write a number of 32 bits, such as 42 or 0x2a",
	{"mark", "N", NULL, "set this mark on packets, for a firewall"},
	AT(mark), TERMS_NUMBER, .max = UINT32_MAX,
	.sockopt = {{SOL_SOCKET, SO_MARK}}, .needs = "CAP_NET_ADMIN"},
    [TERMS_TOS] = {"tos", "tos=0x10",
	"not a TOS; write a number up to 255, such as 16 or 0x10",
	{"tos", "N", NULL, "set this TOS, or traffic class, on packets"},
	AT(tos), TERMS_NUMBER, .max = UINT8_MAX,
	.sockopt = {{IPPROTO_IP, IP_TOS}, {IPPROTO_IPV6, IPV6_TCLASS}}},
    /* More than a network carries; a typing error may reach it. */
    [TERMS_RATE] = {"rate", "rate=1000000",
	"not a rate; write bytes a second up to 1000000000000, or 0 for no "
	"limit",
	{"rate", "BYTES", NULL, "at most so many a second in each direction"},
	AT(rate), TERMS_NUMBER, .max = 1000000000000, .unit = " bytes/s"},
};

int
terms_key(const char *word, size_t len)
{
	for (int key = 0; key < TERMS_KEYS; key++) {
		if (strlen(terms_rows[key].word) == len &&
		    memcmp(terms_rows[key].word, word, len) == 0)
			return key;
	}
	return -ENOENT;
}

const char *
terms_set(
    enum terms_key key, const char *value, size_t len, struct terms *terms)
{
	const struct terms_row *row = &terms_rows[key];
	void *place = (char *)terms + row->offset;
	int rc = -EINVAL;

	switch (row->kind) {
	case TERMS_SECONDS:
		rc = number_read_seconds(value, len, place);
		break;
	case TERMS_NUMBER:
		rc = number_read_bits(value, len, row->max, place);
		break;
	case TERMS_NAME:
		rc = set_name(value, len, place);
		break;
	case TERMS_ADDRESSES:
		rc = set_source(value, len, place);
	}
	if (rc == -EEXIST)
		return "one too many; write an address for each family, or "
		       "same alone";
	return rc < 0 ? row->wrong : NULL;
}

static bool
rows_agree(const struct terms *a, const struct terms *b, bool sockets_alone)
{
	for (int key = 0; key < TERMS_KEYS; key++) {
		const struct terms_row *row = &terms_rows[key];
		bool addresses = row->kind == TERMS_ADDRESSES;

		if (sockets_alone && !addresses && !row->sockopt[0].name)
			continue;
		if (addresses
			? !equal_sources(&a->source, &b->source)
			: memcmp((const char *)a + row->offset,
			      (const char *)b + row->offset, row->size) != 0)
			return false;
	}
	return true;
}

bool
terms_equal(const struct terms *a, const struct terms *b)
{
	return rows_agree(a, b, false);
}

bool
terms_equal_sockets(const struct terms *a, const struct terms *b)
{
	return rows_agree(a, b, true);
}

char *
terms_value(
    const struct terms *terms, enum terms_key key, char out[TERMS_TEXT_MAX])
{
	const struct terms_row *row = &terms_rows[key];
	const void *value = (const char *)terms + row->offset;
	const int64_t *ms = value;
	const uint64_t *number = value;

	*out = '\0';
	if (row->kind == TERMS_SECONDS && *ms)
		snprintf(out, TERMS_TEXT_MAX, "%.15g", (double)*ms / 1000);
	else if (row->kind == TERMS_NUMBER && *number)
		snprintf(out, TERMS_TEXT_MAX, "%" PRIu64, *number);
	else if (row->kind == TERMS_NAME)
		snprintf(out, TERMS_TEXT_MAX, "%s", (const char *)value);
	return out;
}

char *
terms_describe(const struct terms *terms, char out[TERMS_TEXT_MAX])
{
	size_t used = 0;

	if (terms->lifetime_ms == 0)
		used = (size_t)sprintf(out, "lifetime unlimited");
	for (int key = 0; key < TERMS_KEYS; key++) {
		const struct terms_row *row = &terms_rows[key];
		char text[TERMS_TEXT_MAX];

		terms_value(terms, (enum terms_key)key, text);
		if (*text)
			used +=
			    (size_t)snprintf(out + used, TERMS_TEXT_MAX - used,
				"%s%s %s%s", used ? ", " : "", row->option.name,
				text, row->unit ? row->unit : "");
	}
	return out;
}
