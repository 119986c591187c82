/* SPDX-License-Identifier: ISC */
#include "policy/permit.h"
#include "policy/rulefile.h"
#include "unit.h"

#include <errno.h>

static struct permit permit;
static struct rules rules;
static struct wire_destination dst;
static struct permit_answer answer; /* the last */

static const struct identity pipe_end = {.local = true};

static union addr
address(const char *text)
{
	union addr addr;

	assert_int_equal(addr_parse(text, 0, &addr), 0);
	return addr;
}

static struct identity
remote(const char *text)
{
	return (struct identity){.has_address = true, .address = address(text)};
}

/* Without a file of rules. */
static void
begin_built_in(const char *text, struct identity who)
{
	permit_begin(NULL, text, &who, -1, &permit);
}

/* With a file of rules that says `text`. */
static void
begin(const char *text, struct identity who)
{
	struct fault error;

	if (rulefile_parse("FILE", text, strlen(text), &rules, &error))
		fail_msg("%u:%u: %s", error.line, error.column, error.words);
	permit_begin(&rules, NULL, &who, -1, &permit);
}

static void
end(void)
{
	permit_end(&permit);
	rulefile_free(&rules);
	memset(&rules, 0, sizeof(rules));
}

static int
verdict(struct permit_answer said)
{
	answer = said;
	return said.verdict == RULES_DENIED ? -EACCES : 0;
}

static int
of_command(enum rules_command command)
{
	unit_row("command %d", command);
	return verdict(permit_command(&permit, command));
}

/* What is said of a host, by its address or its name, and port 80. */
static int
request(enum rules_command command, const char *host)
{
	union addr addr;

	unit_row("command %d, %s", command, host);
	dst = (struct wire_destination){.port = 80};
	if (addr_parse(host, 0, &addr) == 0 && addr.sa.sa_family == AF_INET) {
		dst.atyp = WIRE_ATYP_IPV4;
		dst.ipv4 = addr.in.sin_addr;
	} else {
		dst.atyp = WIRE_ATYP_NAME;
		dst.name_len = (uint8_t)strlen(host);
		memcpy(dst.name, host, strlen(host) + 1);
	}
	return verdict(permit_target(&permit, command, &dst, false));
}

static const char *
reason(void)
{
	static struct failure failure;

	assert_int_equal(
	    permit_denied(&permit, &answer, &failure), OUTCOME_DENIED);
	return failure_words(&failure);
}

static const enum rules_command all[] = {
    RULES_CONNECT, RULES_BIND, RULES_UDP, RULES_RESOLVE};

/* Each command by itself, elsewhere, and to this host, by address and name. */
static void
may(bool elsewhere, bool here)
{
	int far = elsewhere ? 0 : -EACCES, near = here ? 0 : -EACCES;

	for (size_t i = 0; i < COUNT(all); i++) {
		assert_int_equal(of_command(all[i]), far);
		assert_int_equal(request(all[i], "203.0.113.1"), far);
		assert_int_equal(request(all[i], "a.test"), far);
		assert_int_equal(request(all[i], "127.0.0.1"), near);
		assert_int_equal(request(all[i], "127.1"), near);
	}
}

/* Who may do what without a file of rules, with a password and without. */
static void
built_in(void **state)
{
	const struct identity far = remote("198.51.100.1"), nobody = {0};
	const struct {
		const char *text;
		const struct identity *who;
		bool anonymous, user, here;
	} table[] = {
	    {rulefile_local, &pipe_end, true, true, true},
	    {rulefile_local, &far, false, false, false},
	    {rulefile_local, &nobody, false, false, false},
	    {rulefile_users, &pipe_end, false, true, false},
	    {rulefile_users, &far, false, true, false},
	    {rulefile_users, &nobody, false, true, false},
	    {rulefile_open, &pipe_end, true, true, false},
	    {rulefile_open, &far, true, true, false},
	    {rulefile_open, &nobody, true, true, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		begin_built_in(table[i].text, *table[i].who);
		assert_int_equal(permit_anonymous(&permit), table[i].anonymous);
		may(table[i].anonymous, table[i].here);
		permit_user(&permit, "alice", 5);
		may(table[i].user, table[i].here);
		assert_int_equal(permit_names_users(&permit),
		    table[i].text == rulefile_users);
		end();
	}
	begin_built_in(rulefile_users, pipe_end);
	assert_int_equal(request(RULES_CONNECT, "127.0.0.1"), -EACCES);
	assert_string_equal(
	    reason(), "denied by built in:1 (deny to internal)");
	end();
	begin_built_in(rulefile_local, far);
	assert_int_equal(request(RULES_CONNECT, "127.0.0.1"), -EACCES);
	assert_string_equal(reason(), "no line of built in allows it");
	end();
}

static void
users_in_lines(void **state)
{
	static const struct {
		const char *text;
		bool named;
	} table[] = {
	    {"allow to any\n", false},
	    {"allow uid=1 gid=2 from local to any port 80 rate=1\n", false},
	    {"deny to internal\nallow user=alice to a\nallow to any\n", true},
	    {"deny user=* to any\nallow to any\n", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		begin(table[i].text, pipe_end);
		assert_int_equal(permit_names_users(&permit), table[i].named);
		end();
	}
}

/* Whether it may do anything at all, somewhere, is what a command asks. */
static void
a_command_by_itself(void **state)
{
	(void)state;
	begin("deny command=bind to any\n"
	      "deny command=connect to 203.0.113.0/24\n"
	      "allow command=udp to 203.0.113.0/24 port 53 lifetime=7\n"
	      "allow user=alice command=resolve to any\n"
	      "allow command=bind,connect to any\n",
	    remote("198.51.100.1"));
	assert_int_equal(of_command(RULES_BIND), -EACCES);
	assert_string_equal(reason(), "denied by FILE:1");
	assert_int_equal(of_command(RULES_UDP), 0);
	assert_int_equal(of_command(RULES_CONNECT), 0);
	assert_int_equal(of_command(RULES_RESOLVE), -EACCES);
	assert_string_equal(reason(), "no line of FILE allows it");
	permit_user(&permit, "bob", 3);
	assert_int_equal(of_command(RULES_RESOLVE), -EACCES);
	permit_user(&permit, "alice", 5);
	assert_int_equal(of_command(RULES_RESOLVE), 0);
	/* The one for a request says nothing about another. */
	assert_int_equal(request(RULES_UDP, "203.0.113.1"), -EACCES);
	assert_int_equal(request(RULES_CONNECT, "203.0.113.1"), -EACCES);
	assert_string_equal(reason(), "denied by FILE:2");
	assert_int_equal(request(RULES_CONNECT, "203.0.114.1"), 0);
	end();
}

/* The answers for these, as the last one about a target leads to. */
static size_t
addresses(enum rules_command command, const char *const *texts, size_t count,
    struct permit_list *out)
{
	struct addr_list list = {.count = count};

	for (size_t i = 0; i < count; i++)
		list.at[i] = address(texts[i]);
	return permit_addresses(&permit, command, &dst, &answer, &list, out);
}

/* Takes those that are held to the same terms: these. */
static void
takes(struct permit_list *list, const char *const *texts, size_t count,
    int64_t lifetime_ms)
{
	const struct terms base = {.lifetime_ms = 30000};
	struct terms terms;
	struct addr_list some;

	assert_int_equal(
	    permit_take(&permit, &base, list, &some, &terms), count);
	assert_int_equal(some.count, count);
	for (size_t i = 0; i < count; i++) {
		union addr addr = address(texts[i]);

		assert_true(addr_equal(&some.at[i], &addr));
	}
	if (count)
		assert_int_equal(terms.lifetime_ms, lifetime_ms);
}

#define LIST(...)                             \
	((const char *const[]){__VA_ARGS__}), \
	    COUNT(((const char *const[]){__VA_ARGS__}))

/* Each address of a name has its line, and what that line sets. */
static void
addresses_of_a_name(void **state)
{
	struct terms terms = {0};
	struct permit_list list, copy;

	(void)state;
	begin("deny to 203.0.113.4\n"
	      "allow to 203.0.113.1 lifetime=1\n"
	      "allow to 203.0.113.2 lifetime=2\n"
	      "allow to 203.0.113.3 lifetime=1\n",
	    pipe_end);
	assert_int_equal(request(RULES_CONNECT, "a.test"), 0);
	assert_int_equal(answer.verdict, RULES_DEPENDS);
	assert_int_equal(addresses(RULES_CONNECT,
			     LIST("203.0.113.9", "203.0.113.1", "203.0.113.2",
				 "203.0.113.4", "203.0.113.3"),
			     &list),
	    3);
	assert_int_equal(list.count, 5);
	assert_null(list.at[0].answer.line);
	assert_int_equal(list.at[0].answer.verdict, RULES_DENIED);
	assert_int_equal(list.at[3].answer.line->number, 1);
	assert_int_equal(list.at[3].answer.verdict, RULES_DENIED);
	permit_terms(&permit, &list.at[2].answer, &terms);
	assert_int_equal(terms.lifetime_ms, 2000);

	/* A copy is one: what is taken from it stays in the other. */
	copy = list;
	takes(&copy, LIST("203.0.113.1", "203.0.113.3"), 1000);
	takes(&copy, LIST("203.0.113.2"), 2000);
	takes(&copy, NULL, 0, 0);
	takes(&list, LIST("203.0.113.1", "203.0.113.3"), 1000);

	assert_int_equal(
	    addresses(RULES_CONNECT, LIST("203.0.113.4", "203.0.113.9"), &list),
	    0);
	answer = list.at[0].answer;
	assert_string_equal(reason(), "denied by FILE:1");
	answer = list.at[1].answer;
	assert_string_equal(reason(), "no line of FILE allows it");
	takes(&list, NULL, 0, 0);
	end();
}

/* Where the name's line decides, it does so for all of them. */
static void
a_name_that_is_allowed(void **state)
{
	struct permit_list list;

	(void)state;
	begin("allow to a.test, internal lifetime=7\n", pipe_end);
	assert_int_equal(request(RULES_UDP, "a.test"), 0);
	assert_int_equal(answer.verdict, RULES_ALLOWED);
	assert_int_equal(
	    addresses(RULES_UDP, LIST("127.0.0.1", "203.0.113.9"), &list), 2);
	takes(&list, LIST("127.0.0.1", "203.0.113.9"), 7000);
	assert_int_equal(request(RULES_UDP, "b.test"), 0);
	assert_int_equal(
	    addresses(RULES_UDP, LIST("203.0.113.9", "127.0.0.1"), &list), 1);
	takes(&list, LIST("127.0.0.1"), 7000);
	/* Where somebody else looks it up, nobody can say. */
	assert_int_equal(
	    verdict(permit_target(&permit, RULES_CONNECT, &dst, true)),
	    -EACCES);
	end();
}

/* As many as there can be. */
static void
many_addresses(void **state)
{
	struct addr_list all_of_them = {.count = ADDR_LIST_MAX};
	struct permit_list list;
	size_t allowed;

	(void)state;
	begin("deny to 198.51.100.0/25\nallow to any\n", pipe_end);
	assert_int_equal(request(RULES_CONNECT, "a.test"), 0);
	for (uint32_t i = 0; i < ADDR_LIST_MAX; i++)
		addr_set(AF_INET,
		    &(uint32_t){htonl((uint32_t)(0xc6336460 + i))}, 443,
		    &all_of_them.at[i]);
	allowed = permit_addresses(
	    &permit, RULES_CONNECT, &dst, &answer, &all_of_them, &list);
	assert_int_equal(allowed, ADDR_LIST_MAX - 32);
	for (size_t i = 0; i < ADDR_LIST_MAX; i++)
		assert_int_equal(
		    list.at[i].answer.line->number, i < 32 ? 1 : 2);
	end();
}

/* What is asked, and who asks, may be gone when the answer is used. */
static void
a_copy_answers_like_the_first(void **state)
{
	struct permit other;
	char name[] = "alice";

	(void)state;
	begin("allow user=alice to any\n", remote("198.51.100.1"));
	permit_user(&permit, name, 5);
	memset(name, 'x', 5);
	other = permit;
	memset(&permit, 0xa5, sizeof(permit));
	assert_int_equal(
	    permit_command(&other, RULES_CONNECT).verdict, RULES_DEPENDS);
	permit_end(&other);
	rulefile_free(&rules);
}

/* Of the process itself, whatever they are: looked for as they are needed. */
static void
groups(void **state)
{
	const struct identity who = {
	    .local = true, .has_ids = true, .uid = getuid(), .gid = getgid()};
	char text[128];

	(void)state;
	snprintf(text, sizeof(text), "allow gid=%u to any\n", getgid());
	begin(text, who);
	assert_true(permit.groups && permit.client.gids_count >= 1);
	assert_int_equal(request(RULES_CONNECT, "203.0.113.1"), 0);
	end();
	assert_null(permit.groups);
	begin("allow gid=4294967294 to any\n", who);
	assert_int_equal(request(RULES_CONNECT, "203.0.113.1"), -EACCES);
	end();
	snprintf(text, sizeof(text), "allow uid=%u to any\n", getuid());
	begin(text, who);
	assert_null(permit.groups);
	assert_int_equal(request(RULES_CONNECT, "203.0.113.1"), 0);
	end();
	begin(text, pipe_end);
	assert_int_equal(request(RULES_CONNECT, "203.0.113.1"), -EACCES);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(built_in),
	    cmocka_unit_test(users_in_lines),
	    cmocka_unit_test(a_command_by_itself),
	    cmocka_unit_test(addresses_of_a_name),
	    cmocka_unit_test(a_name_that_is_allowed),
	    cmocka_unit_test(many_addresses),
	    cmocka_unit_test(a_copy_answers_like_the_first),
	    cmocka_unit_test(groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
