/* SPDX-License-Identifier: ISC */
#include "policy/terms.h"
#include "base/number.h"

#include <errno.h>
#include <string.h>

/* More than a network carries; what a typing error in a rate may reach. */
#define RATE_MAX 1000000000000

static const struct {
	const char *word, *example, *wrong;
} keys[TERMS_KEYS] = {
    [TERMS_LIFETIME] = {"lifetime", "lifetime=30",
	"not a lifetime; write a number of seconds, or 0 for no limit"},
    [TERMS_IDLE] = {"idle", "idle=60",
	"not a time; write a number of seconds, or 0 for no limit"},
    [TERMS_SOURCE] = {"source", "source=192.0.2.1",
	"not an address; write one of this host's, or same for the one that "
	"the client has reached"},
    [TERMS_INTERFACE] = {"interface", "interface=eth0",
	"not an interface; write its name, up to 15 bytes"},
    [TERMS_MARK] = {"mark", "mark=42",
	"not a mark; write a number of 32 bits, such as 42 or 0x2a"},
    [TERMS_RATE] = {"rate", "rate=1000000",
	"not a rate; write bytes a second up to 1000000000000, or 0 for no "
	"limit"},
};

int
terms_key(const char *word, size_t len)
{
	for (int key = 0; key < TERMS_KEYS; key++) {
		if (strlen(keys[key].word) == len &&
		    memcmp(keys[key].word, word, len) == 0)
			return key;
	}
	return -ENOENT;
}

const char *
terms_example(enum terms_key key)
{
	return keys[key].example;
}

static int
read_source(const char *text, size_t len, struct terms *terms)
{
	bool had = terms->set & 1U << TERMS_SOURCE;
	char address[INET6_ADDRSTRLEN];
	union addr addr, *place;

	if (len == 4 && memcmp(text, "same", len) == 0) {
		if (had)
			return -EEXIST;
		terms->source_same = true;
		return 0;
	}
	if (len >= sizeof(address) || memchr(text, '\0', len))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (addr_parse(address, 0, &addr) < 0)
		return -EINVAL;
	place = &terms->source[addr.sa.sa_family == AF_INET6];
	if (had && (terms->source_same || place->sa.sa_family != AF_UNSPEC))
		return -EEXIST;
	*place = addr;
	return 0;
}

/* What the kernel would take. */
static int
read_interface(const char *text, size_t len, char out[IF_NAMESIZE])
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

const char *
terms_set(
    enum terms_key key, const char *value, size_t len, struct terms *terms)
{
	uint64_t mark = terms->mark;
	int rc = -EINVAL;

	switch (key) {
	case TERMS_LIFETIME:
		rc = number_read_seconds(value, len, &terms->lifetime_ms);
		break;
	case TERMS_IDLE:
		rc = number_read_seconds(value, len, &terms->idle_ms);
		break;
	case TERMS_SOURCE:
		rc = read_source(value, len, terms);
		break;
	case TERMS_INTERFACE:
		rc = read_interface(value, len, terms->interface);
		break;
	case TERMS_MARK:
		rc = number_read_bits(value, len, UINT32_MAX, &mark);
		terms->mark = (uint32_t)mark;
		break;
	case TERMS_RATE:
		rc = number_read(value, len, RATE_MAX, &terms->rate);
		break;
	}
	if (rc == -EEXIST)
		return "one too many; write an address for each family, or "
		       "same alone";
	if (rc < 0)
		return keys[key].wrong;
	terms->set |= 1U << key;
	return NULL;
}

bool
terms_equal(const struct terms *a, const struct terms *b)
{
	return a->lifetime_ms == b->lifetime_ms && a->idle_ms == b->idle_ms &&
	       addr_equal(&a->source[0], &b->source[0]) &&
	       addr_equal(&a->source[1], &b->source[1]) &&
	       a->source_same == b->source_same &&
	       strncmp(a->interface, b->interface, IF_NAMESIZE) == 0 &&
	       a->mark == b->mark && a->rate == b->rate;
}
