/* SPDX-License-Identifier: ISC */
#include "policy/terms.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Whether the value is taken, from memory that ends with it. */
static bool
set(enum terms_key key, const char *value, struct terms *terms)
{
	size_t len = strlen(value);
	const char *wrong =
	    terms_set(key, (const char *)guarded(value, len), len, terms);

	if (wrong)
		assert_non_null(strstr(wrong, "; write "));
	return !wrong;
}

static const char *
example_of(enum terms_key key)
{
	return terms_rows[key].example + strlen(terms_rows[key].word) + 1;
}

/*
 * Each row is whole, and whatever it sets is noticed: it decides which
 * addresses are dialled together, and whether a datagram may leave.
 */
static void
every_row(void **state)
{
	const struct terms none = {0};

	(void)state;
	for (int key = 0; key < TERMS_KEYS; key++) {
		const struct terms_row *row = &terms_rows[key];
		size_t len = strlen(row->word);
		struct terms one = {0}, two = {0};
		char text[TERMS_TEXT_MAX];

		unit_row("%s", row->word);
		assert_int_equal(terms_key(row->word, len), key);
		assert_int_equal(terms_key(row->word, len - 1), -ENOENT);
		assert_memory_equal(row->example, row->word, len);
		assert_int_equal(row->example[len], '=');
		assert_true(set((enum terms_key)key, example_of(key), &one));
		assert_true(set((enum terms_key)key, example_of(key), &two));
		assert_false(terms_equal(&one, &none));
		assert_false(terms_equal(&none, &one));
		assert_true(terms_equal(&one, &two));
		/* Time and speed say nothing about the way. */
		assert_int_equal(terms_equal_sockets(&one, &none),
		    key == TERMS_LIFETIME || key == TERMS_IDLE ||
			key == TERMS_RATE);
		assert_true(terms_equal_sockets(&one, &two));
		terms_describe(&one, text);
		assert_int_equal(strcmp(text, "lifetime unlimited") != 0,
		    key != TERMS_SOURCE);
	}
	assert_true(terms_equal(&none, &none));
	assert_int_equal(terms_key("", 0), -ENOENT);
	assert_int_equal(terms_key("lifetimes", 9), -ENOENT);
	assert_int_equal(terms_key("Lifetime", 8), -ENOENT);
}

static void
what_is_printed(void **state)
{
	static const char *const most[TERMS_KEYS] = {
	    [TERMS_LIFETIME] = "315360000.001",
	    [TERMS_IDLE] = "0.5",
	    [TERMS_SOURCE] = "2001:db8::1",
	    [TERMS_INTERFACE] = "123456789012345",
	    [TERMS_MARK] = "0xffffffff",
	    [TERMS_RATE] = "1000000000000",
	};
	struct terms terms = {0};
	char text[TERMS_TEXT_MAX];

	(void)state;
	assert_string_equal(terms_describe(&terms, text), "lifetime unlimited");
	for (int key = 0; key < TERMS_KEYS; key++) {
		if (most[key])
			assert_true(
			    set((enum terms_key)key, most[key], &terms));
	}
	assert_string_equal(terms_describe(&terms, text),
	    "lifetime 315360000.001 s, idle-timeout 0.5 s, "
	    "interface 123456789012345, mark 4294967295, "
	    "rate 1000000000000 bytes/s");
}

static void
seconds(void **state)
{
	struct terms terms = {.lifetime_ms = 4711, .idle_ms = 4711};

	(void)state;
	assert_false(set(TERMS_LIFETIME, "3s", &terms));
	assert_false(set(TERMS_IDLE, "315360001", &terms));
	assert_int_equal(terms.lifetime_ms, 4711);
	assert_int_equal(terms.idle_ms, 4711);
	assert_true(set(TERMS_LIFETIME, "1.25", &terms));
	assert_true(set(TERMS_IDLE, "0.0001", &terms));
	assert_int_equal(terms.lifetime_ms, 1250);
	assert_int_equal(terms.idle_ms, 1);
	assert_true(set(TERMS_IDLE, "0", &terms));
	assert_int_equal(terms.idle_ms, 0);
}

static void
source(void **state)
{
	struct terms terms = {0};
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_true(set(TERMS_SOURCE, "2001:db8::7", &terms));
	assert_int_equal(terms.source.at[0].sa.sa_family, AF_UNSPEC);
	assert_string_equal(
	    addr_format(&terms.source.at[1], text), "[2001:db8::7]:0");
	assert_false(set(TERMS_SOURCE, "2001:db8::8", &terms));
	assert_false(set(TERMS_SOURCE, "same", &terms));
	assert_true(set(TERMS_SOURCE, "198.51.100.7", &terms));
	assert_string_equal(
	    addr_format(&terms.source.at[0], text), "198.51.100.7:0");
	assert_string_equal(
	    addr_format(&terms.source.at[1], text), "[2001:db8::7]:0");
	assert_false(set(TERMS_SOURCE, "::ffff:198.51.100.8", &terms));
	assert_false(terms.source.same);

	terms = (struct terms){0};
	assert_true(set(TERMS_SOURCE, "same", &terms));
	assert_true(terms.source.same);
	assert_false(set(TERMS_SOURCE, "198.51.100.7", &terms));
	assert_false(set(TERMS_SOURCE, "same", &terms));
	assert_int_equal(terms.source.at[0].sa.sa_family, AF_UNSPEC);
}

/* In each of its parts. */
static void
equal_sources(void **state)
{
	static const char *const texts[] = {
	    "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "same"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts) * COUNT(texts); i++) {
		struct terms a = {0}, b = {0};

		unit_row("%s and %s", texts[i % COUNT(texts)],
		    texts[i / COUNT(texts)]);
		assert_true(set(TERMS_SOURCE, texts[i % COUNT(texts)], &a));
		assert_true(set(TERMS_SOURCE, texts[i / COUNT(texts)], &b));
		assert_int_equal(
		    terms_equal(&a, &b), i % COUNT(texts) == i / COUNT(texts));
	}
}

static void
no_source(void **state)
{
	static const char *const texts[] = {"", "Same", "samee", "eth0",
	    "192.0.2.0/24", "192.0.2", "[::1]", "fe80::1%eth0",
	    "0000:0000:0000:0000:0000:0000:255.255.255.2555"};
	struct terms terms = {0}, none = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		unit_row("%s", texts[i]);
		assert_false(set(TERMS_SOURCE, texts[i], &terms));
	}
	assert_non_null(terms_set(TERMS_SOURCE, "::1\0", 4, &terms));
	assert_memory_equal(&terms, &none, sizeof(terms));
}

static void
interface(void **state)
{
	static const char *const good[] = {
	    "e", "eth0", "wg-home.7", "123456789012345", ".x", "..."};
	static const char *const bad[] = {"", ".", "..", "1234567890123456",
	    "a/b", "eth0:1", "a b", "a\tb", "a\177"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		unit_row("%s", good[i]);
		struct terms terms = {.interface = "longer-than-any"};

		assert_true(set(TERMS_INTERFACE, good[i], &terms));
		assert_string_equal(terms.interface, good[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		unit_row("%s", bad[i]);
		struct terms terms = {.interface = "before"};

		assert_false(set(TERMS_INTERFACE, bad[i], &terms));
		assert_string_equal(terms.interface, "before");
	}
}

static void
numbers(void **state)
{
	static const struct {
		enum terms_key key;
		const char *text;
		uint64_t number;
	} good[] = {
	    {TERMS_MARK, "0", 0},
	    {TERMS_MARK, "42", 42},
	    {TERMS_MARK, "0x2a", 42},
	    {TERMS_MARK, "0xFFFFFFFF", 0xffffffff},
	    {TERMS_MARK, "4294967295", 4294967295},
	    {TERMS_RATE, "0", 0},
	    {TERMS_RATE, "1000000000000", 1000000000000},
	};
	static const struct {
		enum terms_key key;
		const char *text;
	} bad[] = {
	    {TERMS_MARK, ""},
	    {TERMS_MARK, "0x"},
	    {TERMS_MARK, "x2a"},
	    {TERMS_MARK, "0X2a"},
	    {TERMS_MARK, "2a"},
	    {TERMS_MARK, "0x2g"},
	    {TERMS_MARK, "-1"},
	    {TERMS_MARK, "4294967296"},
	    {TERMS_MARK, "0x100000000"},
	    {TERMS_MARK, "0x10000000000000000"},
	    {TERMS_RATE, ""},
	    {TERMS_RATE, "1M"},
	    {TERMS_RATE, "1.5"},
	    {TERMS_RATE, "10x"},
	    {TERMS_RATE, "1000000000001"},
	    {TERMS_RATE, "18446744073709551617"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		unit_row("%s", good[i].text);
		struct terms terms = {.mark = 1, .rate = 1};

		assert_true(set(good[i].key, good[i].text, &terms));
		assert_int_equal(
		    good[i].key == TERMS_MARK ? terms.mark : terms.rate,
		    good[i].number);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		unit_row("%s", bad[i].text);
		struct terms terms = {.mark = 1, .rate = 1};

		assert_false(set(bad[i].key, bad[i].text, &terms));
		assert_int_equal(terms.mark, 1);
		assert_int_equal(terms.rate, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row),
	    cmocka_unit_test(what_is_printed),
	    cmocka_unit_test(seconds),
	    cmocka_unit_test(source),
	    cmocka_unit_test(equal_sources),
	    cmocka_unit_test(no_source),
	    cmocka_unit_test(interface),
	    cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
