/* SPDX-License-Identifier: ISC */
#include "policy/rulefile.h"
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct rules
parsed(const char *text)
{
	struct fault error = {.words = ""};
	struct rules rules;
	size_t len = strlen(text);

	/* No byte behind the text is looked at. */
	int rc = rulefile_parse(
	    "rules", (const char *)guarded(text, len), len, &rules, &error);

	if (rc < 0)
		fail_msg("%u:%u: %s", error.line, error.column, error.words);
	return rules;
}

static void
nothing(void **state)
{
	static const char *const texts[] = {"", "\n", "\r\n", " \t\n", "#\n",
	    "  # allow to any\n", "\n\n# \x01\x7f\xff\r\n\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		unit_row("%s", texts[i]);
		struct rules rules = parsed(texts[i]);

		assert_int_equal(rules.lines_count, 0);
		assert_int_equal(rules.items_count, 0);
		assert_string_equal(rules.file, "rules");
		rulefile_free(&rules);
		assert_null(rules.lines);
	}
}

/* "ALLOW 3: the text", for each line. */
static void
check_lines(const char *text, const char *expected)
{
	struct rules rules = parsed(text);
	char found[1024] = "", line[256];

	unit_row("%s", text);
	for (size_t i = 0; i < rules.lines_count; i++) {
		snprintf(line, sizeof(line), "%s %u: %.*s\n",
		    rules.lines[i].allows ? "ALLOW" : "DENY",
		    rules.lines[i].number, (int)rules.lines[i].len,
		    rules.text + rules.lines[i].text);
		strcat(found, line);
	}
	assert_string_equal(found, expected);
	rulefile_free(&rules);
}

static void
lines(void **state)
{
	(void)state;
	check_lines("allow to any\n", "ALLOW 1: allow to any\n");
	check_lines("\tdeny  to\tinternal , any \t\n",
	    "DENY 1: deny  to\tinternal , any\n");
	check_lines("# first\n\nallow to any # all\n  deny to any\r\n\r\n",
	    "ALLOW 3: allow to any\nDENY 4: deny to any\n");
	check_lines("allow user=a#b to c\n", "ALLOW 1: allow user=a#b to c\n");
	check_lines(
	    rulefile_local, "ALLOW 1: allow from local to any, internal\n");
	check_lines(rulefile_users, "DENY 1: deny to internal\n"
				    "ALLOW 2: allow user=* to any\n");
	check_lines(
	    rulefile_open, "DENY 1: deny to internal\nALLOW 2: allow to any\n");
}

/* What an item holds, as one would write it. */
static void
print_item(const struct rules *rules, const struct rules_item *item, char *out,
    size_t size)
{
	static const char *const fixed[] = {
	    [RULES_ANY] = "*",
	    [RULES_LOCAL] = "local",
	    [RULES_INTERNAL] = "internal",
	};
	static const char *const kinds[] = {
	    [RULES_TEXT] = "text",
	    [RULES_ID_NAME] = "id",
	    [RULES_HOST] = "host",
	    [RULES_DOMAIN] = "domain",
	};
	const uint8_t *bits = item->network.bits;

	switch ((enum rules_kind)item->kind) {
	case RULES_ANY:
	case RULES_LOCAL:
	case RULES_INTERNAL:
		snprintf(out, size, "%s", fixed[item->kind]);
		break;
	case RULES_NETWORK:
		snprintf(out, size, "%s%02x%02x%02x%02x/%u",
		    item->network.ipv6 ? "ipv6:" : "", bits[0], bits[1],
		    bits[2], bits[3], item->network.prefix);
		break;
	case RULES_ID:
		snprintf(out, size, "%u", item->id);
		break;
	case RULES_PORTS:
		snprintf(
		    out, size, "%u-%u", item->ports.first, item->ports.last);
		break;
	default:
		snprintf(out, size, "%s:%.*s", kinds[item->kind],
		    (int)item->text.len, rules->text + item->text.at);
	}
}

/* The items of the only line, "/" before "to", "port" and the terms each. */
static void
check_items(const char *text, const char *expected)
{
	char found[1024] = "", item[300];
	char line[512];
	struct rules rules;

	snprintf(line, sizeof(line), "%s\n", text);
	rules = parsed(line);
	assert_int_equal(rules.lines_count, 1);
	assert_int_equal(rules.lines[0].end, rules.items_count);
	for (uint32_t i = 0; i < rules.lines[0].end; i++) {
		for (int part = 0; part < 3; part++)
			if (i == (&rules.lines[0].to)[part])
				strcat(found, "/");
		if (i > 0)
			strcat(found, " ");
		print_item(&rules, &rules.items[i], item, sizeof(item));
		strcat(found, item);
	}
	assert_string_equal(found, expected);
	rulefile_free(&rules);
}

static void
clients(void **state)
{
	(void)state;
	check_items("allow to any", "/*");
	check_items("allow from local, 192.0.2.0/24,2001:db8::/32 to any",
	    "local c0000200/24 ipv6:20010db8/32/ *");
	check_items("allow from 192.0.2.7 , ::ffff:192.0.2.8 to any",
	    "c0000207/32 c0000208/32/ *");
	check_items("allow user=alice,bob,\xc3\xbc, * to any",
	    "text:alice text:bob text:\xc3\xbc */ *");
	check_items("allow uid=0,1000,4294967294,alice,0day to any",
	    "0 1000 4294967294 id:alice id:0day/ *");
	check_items("allow gid=100,users uid=a user=b from local to any",
	    "100 id:users id:a text:b local/ *");
}

static void
commands(void **state)
{
	static const struct {
		const char *text;
		unsigned commands;
	} table[] = {
	    {"deny to any\n", 0},
	    {"deny command=connect to any\n", RULES_CONNECT},
	    {"deny command=bind,udp to any\n", RULES_BIND | RULES_UDP},
	    {"deny command=resolve, resolve to any\n", RULES_RESOLVE},
	    {"deny command=udp,bind,resolve,connect to any\n",
		RULES_CONNECT | RULES_BIND | RULES_UDP | RULES_RESOLVE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text);
		struct rules rules = parsed(table[i].text);

		assert_int_equal(rules.items_count, 1);
		assert_int_equal(rules.lines[0].commands, table[i].commands);
		rulefile_free(&rules);
	}
}

static void
targets(void **state)
{
	(void)state;
	check_items("deny to any, internal, any.", "/* internal host:any");
	check_items("deny to example.org,*.Example.ORG.,a_b-c.x",
	    "/host:example.org domain:Example.ORG host:a_b-c.x");
	check_items("deny to localhost,*.onion,xn--bcher-kva.example,1.a",
	    "/host:localhost domain:onion host:xn--bcher-kva.example host:1.a");
	check_items("deny to 0.0.0.0/0,::/0,127.0.0.1",
	    "/00000000/0 ipv6:00000000/0 7f000001/32");
	check_items("deny to any port 1,80 , 443,8000-8999,65535-65535",
	    "/*/ 1-1 80-80 443-443 8000-8999 65535-65535");
	/* Names that have words of the language in them. */
	check_items(
	    "deny to port,to,from port 7", "/host:port host:to host:from/ 7-7");
}

static void
terms(void **state)
{
	(void)state;
	check_items("allow to any lifetime=0", "/*// text:0");
	check_items("allow from local to a port 80 idle=1.5 lifetime=60 "
		    "source=192.0.2.1, 2001:db8::1 interface=eth0 mark=0x2a "
		    "rate=1000",
	    "local/ host:a/ 80-80/ text:1.5 text:60 text:192.0.2.1 "
	    "text:2001:db8::1 text:eth0 text:0x2a text:1000");
	check_items("allow to any source=same", "/*// text:same");
}

static void
check_error(const char *text, uint32_t line, uint32_t column, const char *words)
{
	struct rules rules, untouched;
	struct fault error = {.words = ""};
	size_t len = strlen(text);
	int rc;

	memset(&untouched, 0xa5, sizeof(untouched));
	rules = untouched;
	rc = rulefile_parse(
	    "rules", (const char *)guarded(text, len), len, &rules, &error);
	if (rc != -EINVAL || error.line != line || error.column != column ||
	    !strstr(error.words, words) || !strstr(error.words, "; "))
		fail_msg("%s: %d, %u:%u: %s", text, rc, error.line,
		    error.column, error.words);
	assert_memory_equal(&rules, &untouched, sizeof(rules));
}

/* In the line that ends with these words. */
static void
errors_of_a_line(void **state)
{
	static const struct {
		const char *text;
		uint32_t column;
		const char *words;
	} table[] = {
	    /* its first word */
	    {"permit to any", 1, "permit: neither allow nor deny"},
	    {"  Allow to any", 3, "Allow: neither allow nor deny"},
	    {"allow,deny to any", 1, "allow,deny: neither"},
	    {"allow#x to any", 1, "allow#x: neither"},
	    {"// to any", 1, "a comment begins with #"},
	    /* its order */
	    {"allow", 6, "no target; write for example to any"},
	    {"allow from local  # to any", 17, "no target"},
	    {"allow everything", 7, "everything: no such word; write from, "},
	    {"allow to:any", 7, "to:any: no such word"},
	    {"allow to=any", 7, "to=: no such word"},
	    {"allow user alice to any", 7, "user: no such word"},
	    {"allow name=x to any", 7, "name=: no such word"},
	    {"allow = to any", 7, "=: no such word"},
	    {"allow , to any", 7, ",: no such word"},
	    {"allow to any to any", 14, "to: stands in this line already"},
	    {"allow user=a user=b to any", 14, "user=: stands in this line"},
	    {"allow command=udp command=udp to any", 19, "command=: stands"},
	    {"allow to any port 1 port 2", 21, "port: stands in this line"},
	    {"allow to any user=a", 14,
		"user=: comes too late; write it "
		"before to"},
	    {"allow to any mark=1 from local", 21, "from: comes too late"},
	    {"allow to any mark=1 port 2", 21,
		"port: comes too late; write it "
		"behind the targets"},
	    {"allow port 80 to any", 7, "port: there is no target before it"},
	    {"allow mark=1 to any", 7, "mark=: there is no target before it"},
	    {"deny to any lifetime=0", 13, "lifetime=: this is for a session"},
	    {"allow to any, port 80", 20, "80: no such word"},
	    {"allow to any 80", 14, "80: no such word"},
	    /* lists */
	    {"allow from", 11, "missing here; write for example from "},
	    {"allow from # to any", 12, "missing here"},
	    {"allow user= to any", 12, "missing here"},
	    {"allow to any lifetime= 5", 23, "missing here"},
	    {"allow user=", 12, "missing here; write for example user=alice"},
	    {"allow user=a, to", 17, "no target"},
	    {"allow user=,a to any", 12, "missing here"},
	    {"allow user=a,,b to any", 14, "missing here"},
	    {"allow to any,", 14, "missing here; write for example to *."},
	    {"allow to any, # and more", 15, "missing here"},
	    {"allow to any port", 18, "missing here; write for example port"},
	    {"allow to any port ,80", 19, "missing here"},
	    {"allow to any lifetime=", 23,
		"missing here; write for example "
		"lifetime=30"},
	    {"allow to any lifetime=1,2", 24,
		"one value only; write for "
		"example lifetime=30"},
	    /* clients */
	    {"allow from any to any", 12, "any: not a client; write a network"},
	    {"allow from localhost to any", 12, "localhost: not a client"},
	    {"allow from a.example to any", 12, "a.example: not a network"},
	    {"allow from 192.0.2.0/33 to any", 12,
		"192.0.2.0/33: not a "
		"prefix; write a number up "
		"to 32"},
	    {"allow from local,192.0.2.1/24 to any", 18,
		"192.0.2.1/24: bits "
		"are set behind"},
	    {"allow from [::1] to any", 12, "[::1]: not a network"},
	    {"allow user=al* to any", 12, "al*: not a user"},
	    {"allow uid=4294967295 to any", 11,
		"4294967295: not an id; write "
		"a number up to 4294967294"},
	    {"allow uid=99999999999 to any", 11, "99999999999: not an id"},
	    {"allow gid=1,* to any", 13, "*: not an id"},
	    {"allow command=CONNECT to any", 15,
		"CONNECT: not a command; "
		"write connect, bind, udp or "
		"resolve"},
	    {"allow command=connect,* to any", 23, "*: not a command"},
	    /* targets */
	    {"allow to *", 10, "*: not a name; write any"},
	    {"allow to *.", 10, "*.: not a target; write example.org, "},
	    {"allow to .", 10, ".: not a target"},
	    {"allow to .example.org", 10, ".example.org: not a target"},
	    {"allow to a..b", 10, "a..b: not a target"},
	    {"allow to a.b..", 10, "a.b..: not a target"},
	    {"allow to *.*.example.org", 10, "not a target"},
	    {"allow to www.*.org", 10, "not a target"},
	    {"allow to ex*mple.org", 10, "not a target"},
	    {"allow to a,b!", 12, "b!: not a target"},
	    {"allow to a\\.b", 10, "not a target"},
	    {"allow to \"a\"", 10, "not a target"},
	    {"allow to a=b", 10, "a=b: not a target"},
	    {"allow to a lifetime=0,b", 22, "one value only"},
	    {"allow to 127.1", 10, "127.1: not a network"},
	    {"allow to 2130706433", 10, "2130706433: not a network"},
	    {"allow to 0x7f000001", 10, "0x7f000001: not a network"},
	    {"allow to 127.0.0.0X1", 10, "not a network"},
	    {"allow to 127.0.0.1.", 10, "not a network"},
	    {"allow to *.127.0.0.1", 10, "not a network"},
	    {"allow to all", 10, "all: would be a host of that name"},
	    {"allow to example.org:443", 10, "a port or a URL"},
	    {"allow to *.example.org:443", 10, "a port or a URL"},
	    {"allow to 192.0.2.1:443", 10, "a port or a URL"},
	    {"allow to [2001:db8::1]:443", 10, "a port or a URL"},
	    {"allow to http://example.org", 10, "a port or a URL"},
	    {"allow to https://example.org/", 10, "a port or a URL"},
	    {"allow to b\303\274cher.example", 10, "not ASCII"},
	    {"deny to *.\360\237\246\212.example", 9, "not ASCII"},
	    {"allow to 10.0.0.0/8/8", 10, "not a prefix"},
	    {"allow to ::1/64", 10, "bits are set behind the prefix"},
	    /* ports */
	    {"allow to any port http", 19, "http: not a port; write a number"},
	    {"allow to any port 0", 19, "0: not a port"},
	    {"allow to any port 80,65536", 22, "65536: not a port"},
	    {"allow to any port 80-79", 19, "80-79: not a port"},
	    {"allow to any port 0-79", 19, "0-79: not a port"},
	    {"allow to any port 80-", 19, "80-: not a port"},
	    {"allow to any port -80", 19, "-80: not a port"},
	    {"allow to any port 1-2-3", 19, "1-2-3: not a port"},
	    {"allow to any port 80 - 90", 22, "-: no such word"},
	    {"allow to any port *", 19, "*: not a port"},
	    {"allow to any port 4294967376", 19, "not a port"},
	    {"allow to any port 18446744073709551696", 19, "not a port"},
	    /* terms */
	    {"allow to any lifetime=soon", 23,
		"soon: not a number of seconds; write"},
	    {"allow to any idle=-1", 19, "-1: not a number of seconds"},
	    {"allow to any source=eth0", 21, "eth0: not an address"},
	    {"allow to any source=192.0.2.1,192.0.2.2", 31,
		"192.0.2.2: one too many"},
	    {"allow to any source=same,192.0.2.2", 26, "one too many"},
	    {"allow to any interface=a/b", 24, "a/b: not an interface"},
	    {"allow to any mark=4294967296", 19, "not a mark"},
	    {"allow to any rate=1M", 19, "1M: not a rate"},
	    /* bytes */
	    {"allow\001to any", 6, "a control byte (0x01); write"},
	    {"allow to any\r", 13, "a control byte (0x0d)"},
	    {"\rallow to any", 1, "a control byte (0x0d)"},
	    {"allow to a\177b", 11, "a control byte (0x7f)"},
	    {"allow user=a\033[31m to any", 13, "a control byte (0x1b)"},
	    {"allow to any\f", 13, "a control byte (0x0c)"},
	    {"\tallow\tto\tb!", 11, "b!: not a target"},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text);
		snprintf(text, sizeof(text), "%s\r\n", table[i].text);
		check_error(text, 1, table[i].column, table[i].words);
		snprintf(text, sizeof(text),
		    "# x\n\nallow to any\n%s\r\nnonsense\n", table[i].text);
		check_error(text, 4, table[i].column, table[i].words);
	}
}

/* Those of all clauses, in one sentence that isn't cut. */
static void
the_words_that_there_are(void **state)
{
	char sentence[256] = "no such word; write from, user=, uid=, gid=, "
			     "command=, to, port";

	(void)state;
	for (int key = 0; key < TERMS_KEYS; key++)
		sprintf(strchr(sentence, '\0'),
		    "%s%s=", key < TERMS_KEYS - 1 ? ", " : " or ",
		    terms_rows[key].word);
	check_error("allow nonsense to any\n", 1, 7, sentence);
}

static void
errors_of_a_file(void **state)
{
	struct fault error;
	struct rules rules;
	char *large = malloc(RULEFILE_MAX + 1);

	(void)state;
	check_error("allow to any", 1, 13, "the last line has no end");
	check_error("allow to any\n#", 2, 2, "the last line has no end");
	check_error("\n ", 2, 2, "the last line has no end");
	check_error("\n\r", 2, 2, "the last line has no end");
	check_error("\xef\xbb\xbf"
		    "allow to any\n",
	    1, 1, "a byte order mark");
	assert_int_equal(
	    rulefile_parse("", "deny to a\0b\n", 12, &rules, &error), -EINVAL);
	assert_int_equal(error.column, 10);
	assert_string_equal(error.words,
	    "a control byte (0x00); write the rules as plain text");

	assert_non_null(large);
	memset(large, '\n', RULEFILE_MAX + 1);
	assert_int_equal(
	    rulefile_parse("", large, RULEFILE_MAX, &rules, &error), 0);
	rulefile_free(&rules);
	assert_int_equal(
	    rulefile_parse("", large, RULEFILE_MAX + 1, &rules, &error),
	    -EFBIG);
	assert_string_equal(
	    error.words, "more than 4194304 bytes; write fewer rules");
	free(large);
}

/* "allow user=xxx to any" with so many x. */
static char *
with_name(const char *before, int len, const char *behind)
{
	static char text[400];
	char name[300];

	memset(name, 'x', sizeof(name));
	snprintf(text, sizeof(text), "%s%.*s%s\n", before, len, name, behind);
	return text;
}

/* Each name has its bound, and of a longer one its beginning is shown. */
static void
long_words(void **state)
{
	static const struct {
		const char *before, *behind;
		int longest;
	} table[] = {
	    {"allow user=", " to any", 255},
	    {"allow uid=", " to any", 255},
	    {"allow to ", "", 63},
	    {"allow to *.a.", ".b", 63},
	};
	char shown[80];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s -> %s", table[i].before, table[i].behind);
		const char *before = table[i].before;
		uint32_t column = (uint32_t)strcspn(before, "=*") + 1;
		struct rules rules = parsed(
		    with_name(before, table[i].longest, table[i].behind));

		rulefile_free(&rules);
		memset(shown, 'x', sizeof(shown));
		snprintf(shown + 64, sizeof(shown) - 64, "...: not a");
		check_error(
		    with_name(before, table[i].longest + 1, table[i].behind), 1,
		    table[i].longest == 255 ? column + 1 : 10,
		    table[i].longest == 255 ? shown : "not a target");
	}
}

/* 253 bytes, a trailing dot not counted. */
static void
long_names(void **state)
{
	char text[300] = "deny to ";
	char *name = text + strlen(text);
	struct rules rules;

	(void)state;
	for (int i = 0; i < 127; i++)
		strcat(text, i ? ".a" : "a");
	assert_int_equal(strlen(name), 253);
	strcat(text, ".\n");
	rules = parsed(text);
	assert_int_equal(rules.items[0].text.len, 253);
	rulefile_free(&rules);
	memcpy(strchr(text, '\0') - 2, "b\n", 2);
	check_error(text, 1, 9, "...: not a target");
}

/* More items and lines than were counted on, and each where it belongs. */
static void
many(void **state)
{
	enum { LINES = 10000, LEN = 80 };
	char *text = malloc(LINES * LEN + 1), *at = text;
	struct fault error;
	struct rules rules;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < LINES; i++)
		at += sprintf(
		    at, "allow uid=%u to a,b,c,d port %u,7,8,9\n", i, i + 1);
	/* And shorter ones than one would think. */
	for (unsigned i = 0; i < LINES; i++)
		at += sprintf(at, "deny to a\n");
	assert_int_equal(
	    rulefile_parse("", text, (size_t)(at - text), &rules, &error), 0);
	assert_int_equal(rules.lines_count, 2 * LINES);
	assert_int_equal(rules.items_count, 10 * LINES);
	for (uint32_t i = 0; i < LINES; i++) {
		const struct rules_line *line = &rules.lines[i];

		assert_int_equal(line->number, i + 1);
		assert_int_equal(rules.items[line->who].id, i);
		assert_int_equal(line->to - line->who, 1);
		assert_int_equal(line->port - line->to, 4);
		assert_int_equal(rules.items[line->port].ports.first, i + 1);
		assert_int_equal(line->terms, line->end);
	}
	rulefile_free(&rules);
	free(text);
}

/* Knows alice and wheel, and can't tell about others that begin with "?". */
static int
find_id(const char *name, bool group, uint32_t *out, void *context)
{
	(*(int *)context)++;
	*out = 1000;
	if (name[0] == '?')
		return -EIO;
	return strcmp(name, group ? "wheel" : "alice") == 0;
}

static void
ids(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint32_t line, column;
		const char *words;
		int asked;
	} table[] = {
	    {"allow to any\n", 0, 0, 0, "", 0},
	    {"deny user=x uid=7 gid=8 to uid.example\n", 0, 0, 0, "", 0},
	    {"deny uid=alice,9 gid=wheel to any\n", 0, 0, 0, "", 2},
	    {"# x\ndeny to a\n\tdeny uid=alice,wheel to any\ndeny gid=a to b\n",
		-ENOENT, 3, 17, "wheel: no such user on this host; write ", 2},
	    {"deny gid=alice to any\n", -ENOENT, 1, 10,
		"alice: no such group on this host; write ", 1},
	    {"deny gid=?x to any\n", -EIO, 1, 10,
		"?x: nobody can tell which group that is; write ", 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text);
		int asked = 0;
		struct rules_host host = {
		    .find_id = find_id, .context = &asked};
		struct rules rules = parsed(table[i].text);
		struct fault error = {.words = ""};

		assert_int_equal(
		    rulefile_check_ids(&rules, &host, &error), table[i].rc);
		assert_int_equal(error.line, table[i].line);
		assert_int_equal(error.column, table[i].column);
		assert_non_null(strstr(error.words, table[i].words));
		assert_int_equal(asked, table[i].asked);
		rulefile_free(&rules);
	}
}

/* Keeps the name that is looked up. */
static int
keep_name(const char *name, bool group, uint32_t *out, void *context)
{
	(void)group;
	*out = 1000;
	strcpy(context, name);
	return 1;
}

/* The longest comes whole to whoever looks it up, and ends where it ends. */
static void
long_ids(void **state)
{
	static const char *const words[] = {"deny uid=", "deny gid="};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		unit_row("%s", words[i]);
		char name[600] = "";
		struct rules_host host = {
		    .find_id = keep_name, .context = name};
		struct fault error = {.words = ""};
		struct rules rules =
		    parsed(with_name(words[i], RULES_NAME_MAX, " to any"));

		assert_int_equal(rulefile_check_ids(&rules, &host, &error), 0);
		assert_int_equal(strlen(name), RULES_NAME_MAX);
		assert_int_equal(strspn(name, "x"), RULES_NAME_MAX);
		rulefile_free(&rules);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing),
	    cmocka_unit_test(lines),
	    cmocka_unit_test(clients),
	    cmocka_unit_test(commands),
	    cmocka_unit_test(targets),
	    cmocka_unit_test(terms),
	    cmocka_unit_test(errors_of_a_line),
	    cmocka_unit_test(the_words_that_there_are),
	    cmocka_unit_test(errors_of_a_file),
	    cmocka_unit_test(long_words),
	    cmocka_unit_test(long_names),
	    cmocka_unit_test(many),
	    cmocka_unit_test(ids),
	    cmocka_unit_test(long_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
