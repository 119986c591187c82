/* SPDX-License-Identifier: ISC */
#include "policy/ruleword.h"
#include "base/number.h"

#include <errno.h>
#include <stdio.h>

/* The = belongs to the word. */
static const struct {
	const char *word;
	size_t len;
	const char *example;
} clauses[RULES_TERM] = {
    [RULES_FROM] = {"from", 4, "from 192.0.2.0/24"},
    [RULES_USER] = {"user=", 5, "user=alice,bob"},
    [RULES_UID] = {"uid=", 4, "uid=1000"},
    [RULES_GID] = {"gid=", 4, "gid=100"},
    [RULES_COMMAND] = {"command=", 8, "command=connect"},
    [RULES_TO] = {"to", 2, "to *.example.org"},
    [RULES_PORT] = {"port", 4, "port 80,443,8000-8999"},
};

int
ruleword_clause(struct ruleword word)
{
	int key;

	for (int i = 0; i < RULES_TERM; i++) {
		if (ruleword_is(word, clauses[i].word, clauses[i].len))
			return i;
	}
	if (word.len == 0 || word.at[word.len - 1] != '=')
		return -ENOENT;
	key = terms_key(word.at, word.len - 1);
	return key < 0 ? key : RULES_TERM + key;
}

const char *
ruleword_example(unsigned clause)
{
	return clause < RULES_TERM ? clauses[clause].example
				   : terms_rows[clause - RULES_TERM].example;
}

bool
ruleword_may_list(unsigned clause)
{
	return clause < RULES_TERM || terms_rows[clause - RULES_TERM].several;
}

char *
ruleword_all(char out[RULEWORD_ALL_MAX])
{
	unsigned last = RULES_TERM + TERMS_KEYS - 1;
	size_t used = 0;

	for (unsigned i = 0; i <= last; i++) {
		bool term = i >= RULES_TERM;

		used += (size_t)snprintf(out + used, RULEWORD_ALL_MAX - used,
		    "%s%s%s",
		    i == 0      ? ""
		    : i == last ? " or "
				: ", ",
		    term ? terms_rows[i - RULES_TERM].word : clauses[i].word,
		    term ? "=" : "");
	}
	return out;
}

/* A part of the text, for the rules to point to. */
static const char *
keep(struct ruleword word, const char *text, enum rules_kind kind,
    struct rules_item *out)
{
	out->kind = (uint8_t)kind;
	out->text.at = (uint32_t)(word.at - text);
	out->text.len = (uint32_t)word.len;
	return NULL;
}

static const char *
read_user(struct ruleword word, const char *text, struct rules_item *out)
{
	if (RULEWORD_IS(word, "*")) {
		out->kind = RULES_ANY;
		return NULL;
	}
	if (word.len > RULES_NAME_MAX || memchr(word.at, '*', word.len))
		return "not a user; write a name of up to 255 bytes, or * "
		       "alone for any user with a password";
	return keep(word, text, RULES_TEXT, out);
}

static const char *
read_id(struct ruleword word, const char *text, struct rules_item *out)
{
	out->kind = RULES_ID;
	switch (number_read_id(word.at, word.len, &out->id)) {
	case 0:
		return NULL;
	case -ERANGE:
		return "not an id; write a number up to 4294967294";
	}
	if (word.len > RULES_NAME_MAX || memchr(word.at, '*', word.len))
		return "not an id; write a number, or a name that this host "
		       "knows";
	return keep(word, text, RULES_ID_NAME, out);
}

static const char *
read_rule_command(struct ruleword word, struct rules_item *out)
{
	/* By the bits of enum rules_command. */
	static const char *const commands[] = {
	    "connect", "bind", "udp", "resolve"};

	out->kind = RULES_COMMANDS;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		out->commands = (uint8_t)(1U << i);
		if (ruleword_is(word, commands[i], strlen(commands[i])))
			return NULL;
	}
	return "not a command; write connect, bind, udp or resolve";
}

static const char *
read_network(struct ruleword word, struct rules_item *out)
{
	out->kind = RULES_NETWORK;
	switch (addr_network_parse(word.at, word.len, &out->network)) {
	case 0:
		return NULL;
	case -ERANGE:
		return "not a prefix; write a number up to 32 behind the "
		       "slash, or up to 128 for IPv6";
	case -EDOM:
		return "bits are set behind the prefix; write the network's "
		       "first address, or no prefix for this address alone";
	default:
		return "not a network; write for example 192.0.2.0/24 or "
		       "2001:db8::/32";
	}
}

static const char *
read_from(struct ruleword word, struct rules_item *out)
{
	if (RULEWORD_IS(word, "local")) {
		out->kind = RULES_LOCAL;
		return NULL;
	}
	if (!memchr(word.at, '.', word.len) && !memchr(word.at, ':', word.len))
		return "not a client; write a network such as 192.0.2.0/24, "
		       "or local";
	return read_network(word, out);
}

/* Whether a resolver could take it for an address: 127.1, 0x7f000001. */
static bool
ends_in_number(struct ruleword name)
{
	const char *dot = memrchr(name.at, '.', name.len);
	struct ruleword last = name;
	uint64_t scrap;

	if (dot) {
		last.at = dot + 1;
		last.len = name.len - (size_t)(last.at - name.at);
	}
	return number_read(last.at, last.len, 0, &scrap) != -EINVAL ||
	       (last.len >= 2 && last.at[0] == '0' &&
		   (last.at[1] == 'x' || last.at[1] == 'X'));
}

static bool
is_ascii(struct ruleword word)
{
	for (size_t i = 0; i < word.len; i++) {
		if ((unsigned char)word.at[i] >= 0x80)
			return false;
	}
	return true;
}

/* "example.org:443", "[2001:db8::1]:443" or "https://example.org/". */
static bool
has_port(struct ruleword word)
{
	const char *first = memchr(word.at, ':', word.len);

	return first &&
	       (word.at[0] == '[' || first == memrchr(word.at, ':', word.len));
}

static bool
is_name_byte(unsigned char c)
{
	return c == '-' || c == '_' || (c >= '0' && c <= '9') ||
	       (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Labels of letters, digits, - and _. */
static bool
is_name(struct ruleword name)
{
	size_t label = 0;

	for (size_t i = 0; i < name.len; i++) {
		bool dot = name.at[i] == '.';

		if (dot ? label == 0 : !is_name_byte((unsigned char)name.at[i]))
			return false;
		label = dot ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0 && name.len <= 253;
}

static const char *
read_to(struct ruleword word, const char *text, struct rules_item *out)
{
	struct ruleword name = word;

	if (RULEWORD_IS(word, "any") || RULEWORD_IS(word, "internal")) {
		out->kind = word.at[0] == 'a' ? RULES_ANY : RULES_INTERNAL;
		return NULL;
	}
	if (RULEWORD_IS(word, "*"))
		return "not a name; write any for whatever there is";
	if (RULEWORD_IS(word, "all"))
		return "would be a host of that name; write any for whatever "
		       "there is, or all. for the host";
	if (has_port(word))
		return "a port or a URL, which can't stand here; write the "
		       "host alone, and behind the targets port 443 for "
		       "example";
	if (!is_ascii(word))
		return "not ASCII; write the name as clients send it, which "
		       "begins with xn-- (idn2(1) prints that)";
	if (name.len > 2 && memcmp(name.at, "*.", 2) == 0) {
		name.at += 2;
		name.len -= 2;
	}
	if (name.len > 1 && name.at[name.len - 1] == '.')
		name.len--;
	if (memchr(word.at, ':', word.len) || memchr(word.at, '/', word.len) ||
	    ends_in_number(name))
		return read_network(word, out);
	if (!is_name(name))
		return "not a target; write example.org, *.example.org, a "
		       "network such as 192.0.2.0/24, internal or any";
	return keep(
	    name, text, name.at == word.at ? RULES_HOST : RULES_DOMAIN, out);
}

static const char *
read_port(struct ruleword word, struct rules_item *out)
{
	out->kind = RULES_PORTS;
	if (number_read_ports(
		word.at, word.len, &out->ports.first, &out->ports.last) < 0)
		return "not a port; write a number from 1 to 65535, or a "
		       "range such as 8000-8999";
	return NULL;
}

const char *
ruleword_read(unsigned clause, struct ruleword word, const char *text,
    struct terms *terms, struct rules_item *out)
{
	switch (clause) {
	case RULES_FROM:
		return read_from(word, out);
	case RULES_USER:
		return read_user(word, text, out);
	case RULES_UID:
	case RULES_GID:
		return read_id(word, text, out);
	case RULES_COMMAND:
		return read_rule_command(word, out);
	case RULES_TO:
		return read_to(word, text, out);
	case RULES_PORT:
		return read_port(word, out);
	default:
		keep(word, text, RULES_TEXT, out);
		return terms_set((enum terms_key)(clause - RULES_TERM), word.at,
		    word.len, terms);
	}
}
