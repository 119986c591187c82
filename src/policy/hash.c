/* SPDX-License-Identifier: ISC */
#include "policy/hash.h"
#include "base/number.h"
#include "policy/libcrypt.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What a salt may be made of besides, where the scheme doesn't care. */
#define SALT_SET "\"#%&'()+,-<=>?@[]^_`{|}~"

enum part_kind {
	NOTHING, /* there is no such part */
	BASE64,  /* so many characters */
	SALT,    /* so many characters */
	NUMBER,  /* a decimal number in that range */
	COST,    /* one of two digits */
};

struct part {
	enum part_kind kind;
	uint32_t min, max;
};

/* A hash is a prefix and some parts with $ between; see crypt(5). */
#define PARTS_MAX 4
static const struct scheme {
	const char *prefix;
	struct part parts[PARTS_MAX];
} schemes[] = {
    /* yescrypt and its relatives: parameters, salt, digest */
    {"$y$", {{BASE64, 1, 64}, {BASE64, 0, 86}, {BASE64, 43, 43}}},
    {"$gy$", {{BASE64, 1, 64}, {BASE64, 0, 86}, {BASE64, 43, 43}}},
    {"$7$", {{BASE64, 11, 97}, {BASE64, 43, 43}}},
    /* bcrypt: salt and digest are one */
    {"$2b$", {{COST, 4, 31}, {BASE64, 53, 53}}},
    {"$2y$", {{COST, 4, 31}, {BASE64, 53, 53}}},
    {"$2a$", {{COST, 4, 31}, {BASE64, 53, 53}}},
    {"$2x$", {{COST, 4, 31}, {BASE64, 53, 53}}},
    /* SHA-512 and SHA-256 */
    {"$6$rounds=",
	{{NUMBER, 1000, 999999999}, {SALT, 0, 16}, {BASE64, 86, 86}}},
    {"$6$", {{SALT, 0, 16}, {BASE64, 86, 86}}},
    {"$5$rounds=",
	{{NUMBER, 1000, 999999999}, {SALT, 0, 16}, {BASE64, 43, 43}}},
    {"$5$", {{SALT, 0, 16}, {BASE64, 43, 43}}},
    /* SHA-1, Sun's MD5, MD5, NT, BSDI's DES, DES */
    {"$sha1$", {{NUMBER, 4, UINT32_MAX}, {BASE64, 1, 64}, {BASE64, 28, 28}}},
    {"$md5,rounds=", {{NUMBER, 1, UINT32_MAX}, {BASE64, 8, 8}, {BASE64, 0, 0},
			 {BASE64, 22, 22}}},
    {"$md5$", {{BASE64, 8, 8}, {BASE64, 0, 0}, {BASE64, 22, 22}}},
    {"$1$", {{SALT, 0, 8}, {BASE64, 22, 22}}},
    {"$3$", {{BASE64, 0, 0}, {BASE64, 32, 32}}},
    {"_", {{BASE64, 19, 19}}},
    {"", {{BASE64, 13, 13}}},
};

#define MAKE_ONE "make one with mkpasswd, htpasswd -B or openssl passwd -6"

/* What stands in such files and is no hash of crypt(3)'s; the last is "any". */
static const struct stranger {
	const char *prefix;
	const char *fault;
} strangers[] = {
    {"$apr1$",
	"a hash that only Apache can check; make it anew with htpasswd -B"},
    {"{SHA}",
	"a hash that only Apache can check; make it anew with htpasswd -B"},
    {"{", "a hash of an LDAP server's, which crypt(3) can't check; " MAKE_ONE},
    {"$argon2", "crypt(3) can't check Argon2; " MAKE_ONE},
    {"!", "no password can match that; to lock a user out, take the line out"},
    {"*", "no password can match that; to lock a user out, take the line out"},
    {"", "not a hash that crypt(3) can check; " MAKE_ONE},
};

static bool
begins_with(const char *text, size_t len, const char *prefix)
{
	size_t prefix_len = strlen(prefix);

	return len >= prefix_len && memcmp(text, prefix, prefix_len) == 0;
}

/* The alphabet of salts and digests; "./" stand before the digits. */
static bool
is_base64(char c)
{
	return (c >= '.' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

static bool
is_salt(char c)
{
	return is_base64(c) || (c && strchr(SALT_SET, c));
}

/* From min to max characters, each such a one. */
static bool
is_made_of(const char *text, size_t len, const struct part *part,
    bool (*is_right)(char c))
{
	if (len < part->min || len > part->max)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_right(text[i]))
			return false;
	return true;
}

static bool
is_number(const char *text, size_t len, const struct part *part)
{
	uint64_t number;

	return number_read(text, len, part->max, &number) == 0 &&
	       number >= part->min;
}

static bool
is_part(const char *text, size_t len, const struct part *part)
{
	switch (part->kind) {
	case BASE64:
		return is_made_of(text, len, part, is_base64);
	case SALT:
		return is_made_of(text, len, part, is_salt);
	case COST:
		return len == 2 && is_number(text, len, part);
	case NUMBER:
		return len && *text != '0' && is_number(text, len, part);
	case NOTHING:
		break;
	}
	return false;
}

/* All the scheme's parts, and nothing behind the last. */
static bool
has_parts(const char *text, size_t len, const struct scheme *scheme)
{
	const struct part *part = scheme->parts, *end = part + PARTS_MAX;

	for (;;) {
		const char *dollar = len ? memchr(text, '$', len) : NULL;
		size_t part_len = dollar ? (size_t)(dollar - text) : len;

		if (!is_part(text, part_len, part))
			return false;
		part++;
		if (part == end || part->kind == NOTHING)
			return !dollar;
		if (!dollar)
			return false;
		text += part_len + 1;
		len -= part_len + 1;
	}
}

const char *
hash_fault(const char *hash, size_t len)
{
	const struct scheme *scheme = schemes;
	const struct stranger *stranger = strangers;

	if (len == 0)
		return "no hash behind the colon; " MAKE_ONE;
	/* The last prefix is that of any text. */
	while (!begins_with(hash, len, scheme->prefix))
		scheme++;
	if (has_parts(hash + strlen(scheme->prefix),
		len - strlen(scheme->prefix), scheme))
		return libcrypt_knows(scheme->prefix)
			   ? NULL
			   : "this build can't check such a hash; the "
			     "ordinary one, which has libcrypt, can";
	if (*scheme->prefix)
		return "the hash is not whole, or something stands behind it; "
		       "copy all that the tool printed, and nothing else";
	while (!begins_with(hash, len, stranger->prefix))
		stranger++;
	return stranger->fault;
}
