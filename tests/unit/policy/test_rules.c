/* SPDX-License-Identifier: ISC */
#include "policy/rulefile.h"
#include "policy/rules.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* 192.0.2.77 and 2001:db8::77 are this host's own. Counts how often asked. */
static bool
is_own(const union addr *address, void *context)
{
	char text[ADDR_TEXT_MAX];

	(*(int *)context)++;
	addr_format(address, text);
	return strncmp(text, "192.0.2.77:", 11) == 0 ||
	       strncmp(text, "[2001:db8::77]:", 15) == 0;
}

/* alice is 1000, wheel is 10; what begins with "?" can't be told. */
static int
find_id(const char *name, bool group, uint32_t *out, void *context)
{
	(*(int *)context)++;
	if (name[0] == '?')
		return -EIO;
	if (strcmp(name, group ? "wheel" : "alice") != 0)
		return 0;
	*out = group ? 10 : 1000;
	return 1;
}

static int asked; /* of the host, in the last question */
static const struct rules_host host = {
    .is_own = is_own, .find_id = find_id, .context = &asked};

static union addr
address(const char *text)
{
	union addr addr;

	assert_int_equal(addr_parse(text, 0, &addr), 0);
	return addr;
}

static const struct rules_client nobody;
static char target_text[256]; /* of the last question */

/*
 * What `text` says, as "allow 3" or "deny 3" for its third line, "deny" where
 * no line matches, "depends".
 */
static const char *
verdict(const char *text, const struct rules_question *question)
{
	static char out[24];
	struct fault error;
	struct rules rules;
	const struct rules_line *by = (const void *)&error;
	enum rules_verdict verdict;

	if (rulefile_parse("", text, strlen(text), &rules, &error) < 0)
		fail_msg("%u:%u: %s", error.line, error.column, error.words);
	unit_row("%s for %s", text, target_text);
	asked = 0;
	verdict = rules_ask(&rules, question, &by);
	if (verdict == RULES_DEPENDS) {
		assert_null(by);
		strcpy(out, "depends");
	} else {
		strcpy(out, verdict == RULES_ALLOWED ? "allow" : "deny");
		if (by) {
			assert_int_equal(by->allows, verdict == RULES_ALLOWED);
			sprintf(out + strlen(out), " %u", by->number);
		} else {
			assert_int_equal(verdict, RULES_DENIED);
		}
	}
	rulefile_free(&rules);
	return out;
}

/* CONNECT to "192.0.2.1 80", "example.org 80" or "example.org=192.0.2.1 80" */
static struct rules_question
to(const char *target)
{
	struct rules_question question = {
	    .client = &nobody,
	    .host = &host,
	    .command = RULES_CONNECT,
	};
	static struct wire_destination dst;
	char name[256] = "", resolved[64] = "";
	unsigned port = 0;

	snprintf(target_text, sizeof(target_text), "%s", target);
	if (sscanf(target, "%255[^ =]=%63s %u", name, resolved, &port) != 3)
		assert_int_equal(sscanf(target, "%255s %u", name, &port), 2);
	dst.atyp = WIRE_ATYP_NAME;
	dst.port = (uint16_t)port;
	dst.name_len = (uint8_t)strlen(name);
	strcpy(dst.name, name);
	rules_set_target(&question, &dst);
	if (resolved[0]) {
		assert_false(question.has_address);
		question.address = address(resolved);
		question.has_address = true;
	}
	return question;
}

/* The verdict for a client that is nobody, and one target. */
static const char *
reach(const char *text, const char *target)
{
	struct rules_question question = to(target);

	return verdict(text, &question);
}

static const char *
ask_as(const char *text, const struct rules_client *client)
{
	struct rules_question question = to("198.51.100.9 80");

	question.client = client;
	return verdict(text, &question);
}

static void
first_match_decides(void **state)
{
	static const char rules[] = "allow to 198.51.100.0/28\n"
				    "deny to 198.51.100.0/24\n"
				    "# nobody gets here\n"
				    "allow to 198.51.100.0/25\n"
				    "allow to 203.0.113.0/24 port 80\n";

	(void)state;
	assert_string_equal(reach(rules, "198.51.100.1 80"), "allow 1");
	assert_string_equal(reach(rules, "198.51.100.17 80"), "deny 2");
	assert_string_equal(reach(rules, "203.0.113.1 80"), "allow 5");
	assert_string_equal(reach(rules, "203.0.113.1 81"), "deny");
	assert_string_equal(reach(rules, "203.0.114.1 80"), "deny");
	assert_string_equal(reach("", "203.0.114.1 80"), "deny");
}

static void
from(void **state)
{
	static const char rules[] =
	    "allow from 203.0.113.0/24, 2001:db8::/32 to any\n"
	    "allow from local to any\n";
	struct rules_client client = {.has_address = true};

	(void)state;
	client.address = address("203.0.113.7");
	assert_string_equal(ask_as(rules, &client), "allow 1");
	client.address = address("2001:db8:1::7");
	assert_string_equal(ask_as(rules, &client), "allow 1");
	/* As a socket for both families has it. */
	client.address = (union addr){.in6 = {.sin6_family = AF_INET6}};
	inet_pton(
	    AF_INET6, "::ffff:203.0.113.7", &client.address.in6.sin6_addr);
	assert_string_equal(ask_as(rules, &client), "allow 1");
	client.address = address("203.0.114.7");
	assert_string_equal(ask_as(rules, &client), "deny");
	client.local = true;
	assert_string_equal(ask_as(rules, &client), "allow 2");
	client.has_address = false;
	assert_string_equal(ask_as(rules, &client), "allow 2");
	client.local = false;
	assert_string_equal(
	    ask_as("allow from 0.0.0.0/0,::/0 to any\n", &client), "deny");
}

static void
users(void **state)
{
	static const char rules[] = "deny user=mallory to any\n"
				    "allow user=alice,bob to any\n"
				    "deny user=* to any\n"
				    "allow to any\n";
	struct rules_client client = {.user = "alice", .user_len = 5};

	(void)state;
	assert_string_equal(ask_as(rules, &nobody), "allow 4");
	assert_string_equal(ask_as(rules, &client), "allow 2");
	client.user = "bob";
	client.user_len = 3;
	assert_string_equal(ask_as(rules, &client), "allow 2");
	client.user_len = 2;
	assert_string_equal(ask_as(rules, &client), "deny 3");
	client.user = "Bob";
	client.user_len = 3;
	assert_string_equal(ask_as(rules, &client), "deny 3");
	client.user = "bob\0x";
	client.user_len = 5;
	assert_string_equal(ask_as(rules, &client), "deny 3");
	client.user = "";
	client.user_len = 0;
	assert_string_equal(ask_as(rules, &client), "deny 3");
	client.user = "mallory";
	client.user_len = 7;
	assert_string_equal(ask_as(rules, &client), "deny 1");
}

static void
ids(void **state)
{
	static const gid_t gids[] = {4, 10};
	struct rules_client client = {
	    .has_ids = true, .uid = 1000, .gids = gids, .gids_count = 2};
	static const struct {
		const char *rules, *expected;
		int asked;
	} table[] = {
	    {"allow uid=7,1000 to any\n", "allow 1", 0},
	    {"allow uid=7 to any\n", "deny", 0},
	    {"allow uid=alice to any\n", "allow 1", 1},
	    {"allow uid=wheel to any\n", "deny", 1},
	    {"allow gid=10 to any\n", "allow 1", 0},
	    {"allow gid=1000 to any\n", "deny", 0},
	    {"allow gid=7,wheel to any\n", "allow 1", 1},
	    {"allow gid=alice to any\n", "deny", 1},
	    {"allow uid=1000 gid=11 to any\n", "deny", 0},
	    {"allow uid=1000 gid=4 to any\n", "allow 1", 0},
	    /* Whoever can't be told is not let in, and kept out. */
	    {"allow uid=?x to any\n", "deny", 1},
	    {"deny uid=?x to any\nallow to any\n", "deny 1", 1},
	    {"deny gid=?x to any\nallow to any\n", "deny 1", 1},
	    {"deny uid=nobody to any\nallow to any\n", "allow 2", 1},
	    /* Nobody is asked for what doesn't matter. */
	    {"allow uid=alice to any port 81\n", "deny", 0},
	    {"allow user=x uid=alice to any\n", "deny", 0},
	    {"allow uid=1000,alice to any\n", "allow 1", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		int rest = table[i].expected[0] == 'a'; /* of "any" */

		assert_string_equal(
		    ask_as(table[i].rules, &client), table[i].expected);
		assert_int_equal(asked, table[i].asked + rest);
	}
	assert_string_equal(
	    ask_as("allow uid=1000,alice to any\n", &nobody), "deny");
	assert_int_equal(asked, 0);
	client.gids_count = 0;
	assert_string_equal(ask_as("allow gid=4 to any\n", &client), "deny");
}

/* 7 is who has a name of 255 bytes, "aa...ab". */
static int
find_long_id(const char *name, bool group, uint32_t *out, void *context)
{
	(void)group;
	(*(int *)context)++;
	*out = 7;
	return strlen(name) == RULES_NAME_MAX &&
	       strspn(name, "a") == RULES_NAME_MAX - 1 &&
	       name[RULES_NAME_MAX - 1] == 'b';
}

/* The longest name is looked up whole, with what follows it left out. */
static void
long_id(void **state)
{
	static const gid_t gids[] = {7};
	static const struct rules_host by_length = {
	    .find_id = find_long_id, .context = &asked};
	struct rules_client client = {
	    .has_ids = true, .uid = 7, .gids = gids, .gids_count = 1};
	struct rules_question question = to("198.51.100.9 80");
	char text[300], name[RULES_NAME_MAX + 1];

	(void)state;
	memset(name, 'a', RULES_NAME_MAX);
	name[RULES_NAME_MAX] = '\0';
	question.client = &client;
	question.host = &by_length;
	for (int i = 0; i < 4; i++) {
		/* The others differ in the last byte alone. */
		name[RULES_NAME_MAX - 1] = i < 2 ? 'b' : 'c';
		sprintf(
		    text, "deny %s=%s to any\n", i % 2 ? "gid" : "uid", name);
		assert_string_equal(
		    verdict(text, &question), i < 2 ? "deny 1" : "deny");
		assert_int_equal(asked, 1);
	}
}

/* Names that nobody can look up, and addresses that nobody knows. */
static void
no_host(void **state)
{
	struct rules_client client = {.has_ids = true, .uid = 1000};
	struct rules_question question = to("192.0.2.77 80");
	struct rules_host empty = {.is_own = NULL};

	(void)state;
	question.client = &client;
	for (int i = 0; i < 2; i++) {
		question.host = i ? &empty : NULL;
		assert_string_equal(
		    verdict("allow uid=alice to any\n", &question), "deny");
		assert_string_equal(
		    verdict("deny uid=alice to any\nallow to any\n", &question),
		    "deny 1");
		assert_string_equal(
		    verdict("deny to internal\nallow to any\n", &question),
		    "allow 2");
	}
}

static void
commands(void **state)
{
	static const char rules[] = "deny command=bind to any\n"
				    "allow command=udp,resolve to any\n"
				    "allow command=connect to any\n";
	struct rules_question question = to("198.51.100.9 80");

	(void)state;
	assert_string_equal(verdict(rules, &question), "allow 3");
	question.command = RULES_BIND;
	assert_string_equal(verdict(rules, &question), "deny 1");
	question.command = RULES_UDP;
	assert_string_equal(verdict(rules, &question), "allow 2");
	question.command = RULES_RESOLVE;
	assert_string_equal(verdict(rules, &question), "allow 2");
	for (unsigned command = 1; command <= RULES_RESOLVE; command <<= 1) {
		question.command = (enum rules_command)command;
		assert_string_equal(
		    verdict("allow to any\n", &question), "allow 1");
	}
	question.command = 0;
	assert_string_equal(verdict(rules, &question), "depends");
	assert_string_equal(verdict("allow to any\n", &question), "allow 1");
	assert_string_equal(
	    verdict("deny command=udp to any\nallow to any\n", &question),
	    "depends");
	assert_string_equal(
	    verdict("deny command=udp to any\n", &question), "deny");
}

static void
ports(void **state)
{
	static const char rules[] =
	    "allow to any port 80,443,8000-8999,65535\n";
	static const struct {
		const char *target, *expected;
	} table[] = {
	    {"198.51.100.9 80", "allow 1"},
	    {"198.51.100.9 443", "allow 1"},
	    {"198.51.100.9 8000", "allow 1"},
	    {"198.51.100.9 8999", "allow 1"},
	    {"198.51.100.9 65535", "allow 1"},
	    {"198.51.100.9 0", "deny"},
	    {"198.51.100.9 79", "deny"},
	    {"198.51.100.9 81", "deny"},
	    {"198.51.100.9 7999", "deny"},
	    {"198.51.100.9 9000", "deny"},
	    {"198.51.100.9 65534", "deny"},
	    {"example.org 79", "deny"},
	    {"example.org 80", "depends"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_string_equal(
		    reach(rules, table[i].target), table[i].expected);
	assert_string_equal(
	    reach("allow to any port 1-65535\n", "198.51.100.9 0"), "deny");
	assert_string_equal(
	    reach("allow to any\n", "198.51.100.9 0"), "allow 1");
}

static void
names(void **state)
{
	static const char rules[] = "deny to example.org\n"
				    "deny to *.Example.NET\n"
				    "deny to xn--bcher-kva.example.\n"
				    "deny to AZ.example,za.example\n"
				    "allow to any, internal\n";
	static const struct {
		const char *name, *expected;
	} table[] = {
	    {"example.org", "deny 1"},
	    {"EXAMPLE.org", "deny 1"},
	    {"example.org.", "deny 1"},
	    {"example.org..", "allow 5"},
	    {"az.example", "deny 4"},
	    {"AZ.example", "deny 4"},
	    {"zA.EXAMPLE", "deny 4"},
	    {".example.org", "allow 5"},
	    {"www.example.org", "allow 5"},
	    {"xexample.org", "allow 5"},
	    {"xample.org", "allow 5"},
	    {"example.orgx", "allow 5"},
	    {"example.net", "deny 2"},
	    {"Example.Net.", "deny 2"},
	    {"www.example.net", "deny 2"},
	    {"a.b.example.net", "deny 2"},
	    {"wwwexample.net", "allow 5"},
	    {"www-example.net", "allow 5"},
	    {"example.net.x", "allow 5"},
	    {"net", "allow 5"},
	    {"xn--bcher-kva.example", "deny 3"},
	    {"XN--BCHER-KVA.example", "deny 3"},
	    /* Other bytes are a name that no line has. */
	    {"b\xc3\xbc"
	     "cher.example",
		"allow 5"},
	    {".", "allow 5"},
	    /* @ and [, beside the letters, are nobody's lower case. */
	    {"ex\x01mple.org", "allow 5"},
	};
	char target[300];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		snprintf(target, sizeof(target), "%s 80", table[i].name);
		assert_string_equal(reach(rules, target), table[i].expected);
	}
}

/* A name rule is about the name asked for, and a literal is no name. */
static void
names_are_asked_for(void **state)
{
	(void)state;
	assert_string_equal(
	    reach("allow to *.example.org\n", "198.51.100.9 80"), "deny");
	assert_string_equal(reach("deny to 198.51.100.0/24\n"
				  "allow to *.example.org\n",
				"www.example.org=198.51.100.9 80"),
	    "deny 1");
	assert_string_equal(reach("allow to 198.51.100.0/24\n",
				"www.example.org=198.51.100.9 80"),
	    "allow 1");
	assert_string_equal(reach("deny to www.example.org\nallow to any\n",
				"www.example.org=198.51.100.9 80"),
	    "deny 1");
	/* What a resolver takes for an address is that address. */
	assert_string_equal(
	    reach("allow to ::/0\n", "2001:DB8::1 80"), "allow 1");
	assert_string_equal(
	    reach("allow to 192.0.2.0/24\n", "::ffff:192.0.2.1 80"), "allow 1");
	assert_string_equal(
	    reach("allow to 127.0.0.0/8\n", "127.1 80"), "allow 1");
	assert_string_equal(
	    reach("allow to 127.0.0.0/8\n", "127.0.0.256 80"), "depends");
}

static void
set_target(void **state)
{
	struct wire_destination dst = {
	    .atyp = WIRE_ATYP_IPV4,
	    .port = 443,
	    .ipv4 = {htonl(0xc0000201)},
	};
	struct rules_question question = {.name = "before", .name_len = 6};
	union addr expected = address("192.0.2.1");

	(void)state;
	expected.in.sin_port = htons(443);
	rules_set_target(&question, &dst);
	assert_true(question.has_target && question.has_address);
	assert_int_equal(question.name_len, 0);
	assert_int_equal(question.port, 443);
	assert_true(addr_equal(&question.address, &expected));

	dst.atyp = WIRE_ATYP_IPV6;
	dst.ipv6 = in6addr_loopback;
	expected = address("::1");
	expected.in6.sin6_port = htons(443);
	rules_set_target(&question, &dst);
	assert_true(question.has_address);
	assert_int_equal(question.name_len, 0);
	assert_true(addr_equal(&question.address, &expected));

	dst.atyp = WIRE_ATYP_NAME;
	strcpy(dst.name, "example.org.");
	dst.name_len = 12;
	rules_set_target(&question, &dst);
	assert_true(question.has_target);
	assert_false(question.has_address);
	assert_memory_equal(question.name, dst.name, 12);
	assert_int_equal(question.name_len, 12);
}

/* Whatever it is called, no line that doesn't say so reaches this host. */
static void
internal_has_to_be_said(void **state)
{
	static const char *const targets[] = {"127.0.0.1", "::1", "0.0.0.0",
	    "::", "169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1",
	    "100.64.0.1", "::ffff:127.0.0.1", "::127.0.0.1",
	    "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b:1::127.0.0.1",
	    "2002:7f00:1::", "2001:0:7f00:1::", "2001::80ff:fffe",
	    "2001:db8::5efe:127.0.0.1", "2001:db8::200:5efe:127.0.0.1",
	    "fd00:ec2::254",
	    /* its own */
	    "192.0.2.77", "2001:db8::77", "::ffff:192.0.2.77",
	    "64:ff9b::192.0.2.77", "2002:c000:24d::1", "::192.0.2.77"};
	static const char *const silent[] = {"allow to any\n",
	    "allow to 0.0.0.0/0,::/0\n", "allow to *.example.org\n",
	    "allow to www.example.org\n", "allow to 192.0.2.0/24,2001::/16\n",
	    "allow to ::/1, 0.0.0.0/1, 128.0.0.0/1\n",
	    "deny to internal\nallow to any\n"};
	static const char *const saying[] = {"allow to internal\n",
	    "allow to any,internal\n", "allow to internal, 10.0.0.0/8\n",
	    "allow to www.example.org, internal\n",
	    "allow to 10.0.0.0/8\nallow to internal\ndeny to any\n"};
	char literal[80], name[80];

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		snprintf(literal, sizeof(literal), "%s 80", targets[i]);
		snprintf(
		    name, sizeof(name), "www.example.org=%s 80", targets[i]);
		for (size_t j = 0; j < COUNT(silent); j++) {
			assert_memory_equal(
			    reach(silent[j], literal), "deny", 4);
			assert_memory_equal(reach(silent[j], name), "deny", 4);
		}
		for (size_t j = 0; j < COUNT(saying); j++) {
			assert_memory_equal(
			    reach(saying[j], literal), "allow", 5);
			assert_memory_equal(reach(saying[j], name), "allow", 5);
		}
	}
}

/* What is no internal address is none to "internal" either. */
static void
external(void **state)
{
	static const char *const targets[] = {"198.51.100.9 80", "10.0.0.1 80",
	    "2001:db8::1 80", "64:ff9b::198.51.100.9 80",
	    "2002:c633:6409::1 80", "www.example.org=198.51.100.9 80"};

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		assert_string_equal(
		    reach("allow to internal\n", targets[i]), "deny");
		assert_string_equal(
		    reach("deny to internal\nallow to any\n", targets[i]),
		    "allow 2");
	}
}

/* A network may say it too. */
static void
internal_by_network(void **state)
{
	static const struct {
		const char *rules, *target, *expected;
	} table[] = {
	    {"allow to 127.0.0.1 port 5432\n", "127.0.0.1 5432", "allow 1"},
	    {"allow to 127.0.0.1 port 5432\n", "db.example=127.0.0.1 5432",
		"allow 1"},
	    {"allow to 127.0.0.1 port 5432\n", "127.0.0.2 5432", "deny"},
	    {"allow to 127.0.0.0/8\n", "127.0.0.2 5432", "allow 1"},
	    {"allow to 126.0.0.0/7\n", "127.0.0.2 5432", "deny"},
	    {"allow to 100.64.0.0/10\n", "100.100.1.1 80", "allow 1"},
	    {"allow to fe80::/64\n", "fe80::1 80", "allow 1"},
	    /* its own, which no prefix can name but the longest */
	    {"allow to 192.0.2.77\n", "192.0.2.77 80", "allow 1"},
	    {"allow to 192.0.2.76/31\n", "192.0.2.77 80", "deny"},
	    {"allow to 192.0.2.76/31\n", "192.0.2.76 80", "allow 1"},
	    {"allow to 2001:db8::77\n", "2001:db8::77 80", "allow 1"},
	    {"allow to 2001:db8::76/127\n", "2001:db8::77 80", "deny"},
	    /* One item that may is enough. */
	    {"allow to 126.0.0.0/7, 127.0.0.1\n", "127.0.0.1 80", "allow 1"},
	    {"allow to 127.0.0.1, 126.0.0.0/7\n", "127.0.0.1 80", "allow 1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_string_equal(
		    reach(table[i].rules, table[i].target), table[i].expected);
}

/* A network to deny is found behind each disguise; one to allow is not. */
static void
disguises(void **state)
{
	static const struct {
		const char *target;
		bool same; /* the host itself, by another spelling */
	} table[] = {
	    {"198.51.100.9 80", true},
	    {"::ffff:198.51.100.9 80", true},
	    {"64:ff9b::198.51.100.9 80", true},
	    {"64:ff9b:1::198.51.100.9 80", false},
	    {"::198.51.100.9 80", false},
	    {"::ffff:0:198.51.100.9 80", false},
	    {"2002:c633:6409::1 80", false},
	    {"2001:0:c633:6409:8000:1:3fff:fdfe 80", false},
	    {"2001:0:c000:201:8000:1:39cc:9bf6 80", false},
	    {"2001:db8::5efe:198.51.100.9 80", false},
	    {"www.example.org=2002:c633:6409::1 80", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		assert_string_equal(reach("deny to 198.51.100.0/24\n"
					  "allow to any\n",
					table[i].target),
		    "deny 1");
		assert_string_equal(
		    reach("allow to 198.51.100.0/24\n", table[i].target),
		    table[i].same ? "allow 1" : "deny");
		assert_string_equal(reach("deny to 203.0.113.0/24\n"
					  "allow to any\n",
					table[i].target),
		    "allow 2");
	}
	/* As it is written, it may be allowed. */
	assert_string_equal(
	    reach("allow to 2002::/16\n", "2002:c633:6409::1 80"), "allow 1");
	assert_string_equal(
	    reach("allow to ::/0\n", "64:ff9b::198.51.100.9 80"), "allow 1");
	assert_string_equal(reach("deny to 64:ff9b::/96\nallow to any\n",
				"64:ff9b::198.51.100.9 80"),
	    "deny 1");
}

/* "deny to any" is about everything, "allow to any" isn't. */
static void
any(void **state)
{
	static const char *const targets[] = {"127.0.0.1 80", "192.0.2.77 80",
	    "198.51.100.9 80", "example.org 80", "example.org=127.0.0.1 80"};

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		assert_string_equal(reach("deny to any\n"
					  "allow to any,internal\n",
					targets[i]),
		    "deny 1");
		assert_int_equal(asked, 0);
		assert_string_equal(reach("allow to any,internal\n"
					  "deny to any\n",
					targets[i]),
		    "allow 1");
		assert_int_equal(asked, 0);
	}
}

/* The host is asked once for each face, and only if nothing else tells. */
static void
host_is_asked_late(void **state)
{
	(void)state;
	reach("deny to internal\ndeny to internal\nallow to any\n",
	    "198.51.100.9 80");
	assert_int_equal(asked, 1);
	reach("deny to internal\nallow to any\n", "2002:c633:6409::1 80");
	assert_int_equal(asked, 2);
	reach("deny to internal\nallow to any\n", "127.0.0.1 80");
	assert_int_equal(asked, 0);
	reach("allow to 203.0.113.0/24\n", "198.51.100.9 80");
	assert_int_equal(asked, 0);
	reach("deny to internal\nallow to any\n", "example.org 80");
	assert_int_equal(asked, 0);
}

/* Before a name is looked up. */
static void
before_the_lookup(void **state)
{
	static const struct {
		const char *rules, *expected;
	} table[] = {
	    {"allow to any\n", "depends"},
	    {"allow to any, internal\n", "allow 1"},
	    {"allow to internal\n", "depends"},
	    {"allow to www.example.org\n", "depends"},
	    {"allow to www.example.org, internal\n", "allow 1"},
	    {"allow to other.example\n", "deny"},
	    {"allow to other.example, internal\n", "depends"},
	    {"allow to 192.0.2.0/24\n", "depends"},
	    {"allow to 192.0.2.0/24 port 81\n", "deny"},
	    {"allow user=x to any\n", "deny"},
	    {"allow command=udp to any\n", "deny"},
	    {"deny to any\nallow to any\n", "deny 1"},
	    {"deny to *.example.org\nallow to any\n", "deny 1"},
	    {"deny to internal\nallow to any\n", "depends"},
	    {"deny to internal\nallow to any, internal\n", "depends"},
	    {"deny to 192.0.2.0/24\nallow to any, internal\n", "depends"},
	    {"deny to other.example\nallow to any, internal\n", "allow 2"},
	    {"deny to 192.0.2.0/24\ndeny to any\nallow to any\n", "deny 2"},
	    {"deny to 192.0.2.0/24\n", "deny"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_string_equal(reach(table[i].rules, "www.example.org 80"),
		    table[i].expected);
}

/* Names that somebody else looks up: no address is waited for. */
static void
unresolved(void **state)
{
	static const struct {
		const char *rules, *expected;
	} table[] = {
	    {"allow to any\n", "allow 1"},
	    {"allow to internal\n", "deny"},
	    {"allow to 0.0.0.0/0, ::/0\n", "deny"},
	    {"allow to www.example.org\n", "allow 1"},
	    {"allow to 0.0.0.0/0, *.example.org\n", "allow 1"},
	    {"allow to other.example, internal\n", "deny"},
	    {"allow to any port 81\n", "deny"},
	    {"deny to any\nallow to any\n", "deny 1"},
	    {"deny to internal\nallow to any\n", "allow 2"},
	    {"deny to 0.0.0.0/0, ::/0\nallow to any\n", "allow 2"},
	    {"deny to internal, *.example.org\nallow to any\n", "deny 1"},
	};
	static const char *const numbers[] = {"127.0.0.1 80", "127.1 80",
	    "0x7f.1 80", "2130706433 80", "127.0.0.1. 80", "::1%lo 80",
	    "[::1] 80", "::ffff:127.0.0.1 80"};
	struct rules_question name = to("www.example.org 80");

	(void)state;
	name.unresolved = true;
	for (size_t i = 0; i < COUNT(table); i++) {
		assert_string_equal(
		    verdict(table[i].rules, &name), table[i].expected);
		assert_int_equal(asked, 0);
	}
	/* An address is known all the same, however it is written. */
	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct rules_question number = to(numbers[i]);

		number.unresolved = true;
		assert_string_equal(
		    verdict("deny to internal\nallow to any\n", &number),
		    "deny 1");
		assert_string_equal(verdict("allow to any\n", &number), "deny");
		assert_string_equal(
		    verdict("allow to 127.0.0.0/8, ::1\n", &number), "allow 1");
	}
}

/* Before anything is known but the client: does it pay to go on? */
static void
before_the_request(void **state)
{
	struct rules_client client = {.has_address = true};
	struct rules_question question = {.client = &client, .host = &host};

	(void)state;
	client.address = address("203.0.113.7");
	assert_string_equal(verdict(rulefile_local, &question), "deny");
	assert_string_equal(verdict(rulefile_users, &question), "deny");
	assert_string_equal(verdict(rulefile_open, &question), "depends");
	assert_string_equal(
	    verdict("allow from 203.0.113.0/24 command=udp to a port 53\n",
		&question),
	    "depends");
	assert_string_equal(
	    verdict("deny from 203.0.113.7 to any\nallow to any\n", &question),
	    "deny 1");
	assert_string_equal(
	    verdict("deny from 203.0.113.7 to any port 25\nallow to any\n",
		&question),
	    "depends");
	client.user = "alice";
	client.user_len = 5;
	assert_string_equal(verdict(rulefile_users, &question), "depends");
	client = (struct rules_client){.local = true};
	assert_string_equal(verdict(rulefile_local, &question), "allow 1");
	assert_string_equal(verdict(rulefile_users, &question), "deny");
	/* The command is known, the target of a datagram isn't. */
	question.command = RULES_UDP;
	assert_string_equal(
	    verdict("allow command=udp to any port 53\n", &question),
	    "depends");
	assert_string_equal(
	    verdict("allow command=connect to any\n", &question), "deny");
}

/* Without a file: what may be reached by whom. */
static void
built_in(void **state)
{
	static const char *const inside[] = {"127.0.0.1 80", "192.0.2.77 80",
	    "64:ff9b::a9fe:a9fe 80", "fd00:c1::a9fe:a9fe 80",
	    "example.org=127.0.0.1 80"};
	static const char *const outside[] = {
	    "198.51.100.9 80", "10.0.0.1 80", "example.org=198.51.100.9 80"};
	const struct rules_client local = {.local = true}, remote = {0},
				  user = {.user = "alice", .user_len = 5};
	const struct {
		const char *text;
		const struct rules_client *client;
		const char *inside, *outside, *name;
	} table[] = {
	    {rulefile_local, &local, "allow 1", "allow 1", "allow 1"},
	    {rulefile_local, &remote, "deny", "deny", "deny"},
	    {rulefile_local, &user, "deny", "deny", "deny"},
	    {rulefile_users, &local, "deny 1", "deny", "deny"},
	    {rulefile_users, &remote, "deny 1", "deny", "deny"},
	    {rulefile_users, &user, "deny 1", "allow 2", "depends"},
	    {rulefile_open, &local, "deny 1", "allow 2", "depends"},
	    {rulefile_open, &remote, "deny 1", "allow 2", "depends"},
	    {rulefile_open, &user, "deny 1", "allow 2", "depends"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct rules_question question = to("example.org 80");

		question.client = table[i].client;
		assert_string_equal(
		    verdict(table[i].text, &question), table[i].name);
		for (size_t j = 0; j < COUNT(inside); j++) {
			question = to(inside[j]);
			question.client = table[i].client;
			assert_string_equal(
			    verdict(table[i].text, &question), table[i].inside);
		}
		for (size_t j = 0; j < COUNT(outside); j++) {
			question = to(outside[j]);
			question.client = table[i].client;
			assert_string_equal(verdict(table[i].text, &question),
			    table[i].outside);
		}
	}
}

/*
 * Which of the addresses of www.example.org are left, and by which lines; "-"
 * and the line that denies the first one when none is.
 */
static const char *
filter(const char *text, const char *const *addresses)
{
	static char out[512];
	struct rules_question question = to("www.example.org 443");
	const struct rules_line *line, *first = NULL;
	struct fault error;
	struct rules rules;
	char address_text[ADDR_TEXT_MAX];

	unit_row("%s", text);
	assert_int_equal(
	    rulefile_parse("", text, strlen(text), &rules, &error), 0);
	out[0] = '\0';
	question.has_address = true;
	for (size_t i = 0; addresses[i]; i++) {
		assert_int_equal(
		    addr_parse(addresses[i], 443, &question.address), 0);
		if (rules_ask(&rules, &question, &line) == RULES_ALLOWED)
			sprintf(out + strlen(out), "%s%s %u", *out ? ", " : "",
			    addr_format(&question.address, address_text),
			    line->number);
		else if (i == 0)
			first = line;
	}
	if (!*out)
		sprintf(out, "- %u", first ? first->number : 0);
	rulefile_free(&rules);
	return out;
}

static void
candidates(void **state)
{
	static const char *const mixed[] = {"2001:db8::1", "198.51.100.9",
	    "::1", "127.0.0.1", "64:ff9b::192.0.2.77", "203.0.113.5", NULL};
	static const char *const rebound[] = {
	    "198.51.100.9", "127.0.0.1", NULL};
	static const char *const none[] = {NULL};
	static const char *const inside[] = {"::1", "127.0.0.1", NULL};

	(void)state;
	assert_string_equal(filter("allow to any\n", mixed),
	    "[2001:db8::1]:443 1, 198.51.100.9:443 1, 203.0.113.5:443 1");
	assert_string_equal(filter("allow to 203.0.113.0/24\n"
				   "deny to 0.0.0.0/0\n"
				   "allow to *.example.org\n"
				   "allow to internal\n",
				mixed),
	    "[2001:db8::1]:443 3, [::1]:443 4, 203.0.113.5:443 1");
	assert_string_equal(
	    filter("allow to *.example.org\n", rebound), "198.51.100.9:443 1");
	assert_string_equal(
	    filter("allow to *.example.org\nallow to internal\n", rebound),
	    "198.51.100.9:443 1, 127.0.0.1:443 2");
	assert_string_equal(filter("allow to *.example.org\n", inside), "- 0");
	assert_string_equal(
	    filter("deny to 127.0.0.0/8\ndeny to any\n", inside), "- 2");
	assert_string_equal(filter("allow to any\n", none), "- 0");
}

static struct terms
terms_of(const char *text, const struct terms *before)
{
	struct fault error;
	struct terms terms = *before;
	struct rules rules;

	assert_int_equal(
	    rulefile_parse("", text, strlen(text), &rules, &error), 0);
	assert_int_equal(rules.lines_count, 1);
	rules_terms(&rules, &rules.lines[0], &terms);
	rulefile_free(&rules);
	return terms;
}

static void
terms(void **state)
{
	struct terms before = {
	    .lifetime_ms = 30000,
	    .idle_ms = 7000,
	    .source.at = {address("203.0.113.1"), address("2001:db8::1")},
	};
	struct terms after = terms_of("allow to any port 1\n", &before);

	(void)state;
	assert_memory_equal(&after, &before, sizeof(after));
	after = terms_of("allow to a lifetime=0 interface=wg0 mark=0x10 "
			 "rate=5000\n",
	    &before);
	assert_int_equal(after.lifetime_ms, 0);
	assert_int_equal(after.idle_ms, 7000);
	assert_string_equal(after.interface, "wg0");
	assert_int_equal(after.mark, 16);
	assert_int_equal(after.rate, 5000);
	assert_true(addr_equal(&after.source.at[0], &before.source.at[0]));

	/* The source of a line takes the place of both. */
	after = terms_of("allow to a source=198.51.100.7 idle=1\n", &before);
	assert_int_equal(after.idle_ms, 1000);
	assert_int_equal(
	    after.source.at[0].in.sin_addr.s_addr, htonl(0xc6336407));
	assert_int_equal(after.source.at[1].sa.sa_family, AF_UNSPEC);
	after =
	    terms_of("allow to a source=2001:db8::7, 198.51.100.7\n", &before);
	assert_int_equal(
	    after.source.at[0].in.sin_addr.s_addr, htonl(0xc6336407));
	assert_int_equal(after.source.at[1].in6.sin6_addr.s6_addr[15], 7);
	after = terms_of("allow to a source=same\n", &before);
	assert_true(after.source.same);
	assert_int_equal(after.source.at[0].sa.sa_family, AF_UNSPEC);
	assert_int_equal(after.source.at[1].sa.sa_family, AF_UNSPEC);
	after = terms_of("allow to a source=203.0.113.9\n", &after);
	assert_false(after.source.same);
	assert_int_equal(
	    after.source.at[0].in.sin_addr.s_addr, htonl(0xcb007109));
}

/* The lines that the manual shows, and what they are there for. */
static void
example(void **state)
{
	static const char rules[] =
	    "allow  user=alice,bob            to *.example.org port 443\n"
	    "allow  uid=1000                  to any     lifetime=0\n"
	    "deny                             to internal\n"
	    "allow  from 192.0.2.0/24         to 0.0.0.0/0, ::/0 "
	    "port 80,443,8000-8999   source=198.51.100.7\n"
	    "allow  from local  command=udp   to any port 53\n";
	struct rules_client alice = {.has_address = true,
	    .user = "alice",
	    .user_len = 5,
	    .address = address("203.0.113.7")};
	struct rules_client uid = {.local = true, .has_ids = true, .uid = 1000};
	struct rules_client lan = {
	    .has_address = true, .address = address("192.0.2.9")};
	const struct {
		const struct rules_client *client;
		enum rules_command command;
		const char *target, *expected;
	} table[] = {
	    {&alice, RULES_CONNECT, "www.example.org=198.51.100.9 443",
		"allow 1"},
	    {&alice, RULES_CONNECT, "www.example.org=198.51.100.9 80", "deny"},
	    {&alice, RULES_CONNECT, "www.example.org=127.0.0.1 443", "deny 3"},
	    {&alice, RULES_CONNECT, "198.51.100.9 443", "deny"},
	    {&uid, RULES_BIND, "198.51.100.9 1", "allow 2"},
	    {&uid, RULES_CONNECT, "127.0.0.1 80", "deny 3"},
	    {&lan, RULES_CONNECT, "198.51.100.9 8080", "allow 4"},
	    {&lan, RULES_CONNECT, "2001:db8::1 80", "allow 4"},
	    {&lan, RULES_CONNECT, "198.51.100.9 25", "deny"},
	    {&lan, RULES_CONNECT, "::ffff:169.254.169.254 80", "deny 3"},
	    {&uid, RULES_UDP, "198.51.100.9 53", "allow 2"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct rules_question question = to(table[i].target);

		question.client = table[i].client;
		question.command = table[i].command;
		assert_string_equal(
		    verdict(rules, &question), table[i].expected);
	}
	uid.uid = 1001;
	for (size_t i = 0; i < 2; i++) {
		struct rules_question question = to("198.51.100.9 53");

		question.client = &uid;
		question.command = i ? RULES_UDP : RULES_CONNECT;
		assert_string_equal(
		    verdict(rules, &question), i ? "allow 5" : "deny");
	}
}

/* The last of very many decides as surely as the first. */
static void
ten_thousand(void **state)
{
	enum { LINES = 10000, LEN = 64 };
	char *text = malloc(LINES * LEN), *at = text;
	struct rules_question question;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < LINES; i++)
		at += sprintf(at, "allow to 10.%u.%u.0/24, *.site%u.example\n",
		    i >> 8, i & 255, i);
	question = to("10.39.15.9 80");
	assert_string_equal(verdict(text, &question), "allow 10000");
	question = to("10.39.16.9 80");
	assert_string_equal(verdict(text, &question), "deny");
	question = to("www.site9999.example=198.51.100.9 80");
	assert_string_equal(verdict(text, &question), "allow 10000");
	question = to("www.site9999.example=127.0.0.1 80");
	assert_string_equal(verdict(text, &question), "deny");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_match_decides),
	    cmocka_unit_test(from),
	    cmocka_unit_test(users),
	    cmocka_unit_test(ids),
	    cmocka_unit_test(long_id),
	    cmocka_unit_test(no_host),
	    cmocka_unit_test(commands),
	    cmocka_unit_test(ports),
	    cmocka_unit_test(names),
	    cmocka_unit_test(names_are_asked_for),
	    cmocka_unit_test(set_target),
	    cmocka_unit_test(internal_has_to_be_said),
	    cmocka_unit_test(external),
	    cmocka_unit_test(internal_by_network),
	    cmocka_unit_test(disguises),
	    cmocka_unit_test(any),
	    cmocka_unit_test(host_is_asked_late),
	    cmocka_unit_test(before_the_lookup),
	    cmocka_unit_test(unresolved),
	    cmocka_unit_test(before_the_request),
	    cmocka_unit_test(built_in),
	    cmocka_unit_test(candidates),
	    cmocka_unit_test(terms),
	    cmocka_unit_test(example),
	    cmocka_unit_test(ten_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
