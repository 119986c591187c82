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

static void
keys(void **state)
{
	static const char *const words[] = {
	    "lifetime", "idle", "source", "interface", "mark", "rate"};

	(void)state;
	for (int i = 0; i < (int)COUNT(words); i++) {
		const char *example = terms_example((enum terms_key)i);
		size_t len = strlen(words[i]);
		struct terms terms = {0};

		assert_int_equal(terms_key(words[i], len), i);
		assert_int_equal(terms_key(words[i], len - 1), -ENOENT);
		/* The example is one. */
		assert_memory_equal(example, words[i], len);
		assert_int_equal(example[len], '=');
		assert_true(set((enum terms_key)i, example + len + 1, &terms));
		assert_int_equal(terms.set, 1U << i);
	}
	assert_int_equal(terms_key("", 0), -ENOENT);
	assert_int_equal(terms_key("lifetimes", 9), -ENOENT);
	assert_int_equal(terms_key("Lifetime", 8), -ENOENT);
}

static void
seconds(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: none */
	} table[] = {
	    {"0", 0},
	    {"30", 30000},
	    {"0.5", 500},
	    {"1.25", 1250},
	    {"0.001", 1},
	    {"0.0001", 1},
	    {"0.0000", 0},
	    {"1.0009", 1000},
	    {"007", 7000},
	    {"315360000", 315360000000},
	    {"315360001", -1},
	    {"99999999999999999999", -1},
	    {"", -1},
	    {".", -1},
	    {"1.", -1},
	    {".5", -1},
	    {"1.2.3", -1},
	    {"1.2345x", -1},
	    {"-1", -1},
	    {"+1", -1},
	    {"1e3", -1},
	    {"0x10", -1},
	    {"nan", -1},
	    {" 3", -1},
	    {"3s", -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct terms terms = {.lifetime_ms = 4711, .idle_ms = 4711};
		bool good = table[i].ms >= 0;

		assert_int_equal(
		    set(TERMS_LIFETIME, table[i].text, &terms), good);
		assert_int_equal(terms.lifetime_ms, good ? table[i].ms : 4711);
		assert_int_equal(terms.idle_ms, 4711);
		assert_int_equal(terms.set, good ? 1U << TERMS_LIFETIME : 0);
		assert_int_equal(set(TERMS_IDLE, table[i].text, &terms), good);
		assert_int_equal(terms.idle_ms, good ? table[i].ms : 4711);
	}
}

static void
source(void **state)
{
	struct terms terms = {0};
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_true(set(TERMS_SOURCE, "2001:db8::7", &terms));
	assert_int_equal(terms.source[0].sa.sa_family, AF_UNSPEC);
	assert_string_equal(
	    addr_format(&terms.source[1].sa, text), "[2001:db8::7]:0");
	assert_false(set(TERMS_SOURCE, "2001:db8::8", &terms));
	assert_false(set(TERMS_SOURCE, "same", &terms));
	assert_true(set(TERMS_SOURCE, "198.51.100.7", &terms));
	assert_string_equal(
	    addr_format(&terms.source[0].sa, text), "198.51.100.7:0");
	assert_string_equal(
	    addr_format(&terms.source[1].sa, text), "[2001:db8::7]:0");
	assert_false(set(TERMS_SOURCE, "::ffff:198.51.100.8", &terms));
	assert_false(terms.source_same);

	terms = (struct terms){0};
	assert_true(set(TERMS_SOURCE, "same", &terms));
	assert_true(terms.source_same);
	assert_false(set(TERMS_SOURCE, "198.51.100.7", &terms));
	assert_false(set(TERMS_SOURCE, "same", &terms));
	assert_int_equal(terms.source[0].sa.sa_family, AF_UNSPEC);
}

static void
no_source(void **state)
{
	static const char *const texts[] = {"", "Same", "samee", "eth0",
	    "192.0.2.0/24", "192.0.2", "[::1]", "fe80::1%eth0",
	    "0000:0000:0000:0000:0000:0000:255.255.255.2555"};
	struct terms terms = {0}, none = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_false(set(TERMS_SOURCE, texts[i], &terms));
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
		struct terms terms = {.interface = "longer-than-any"};

		assert_true(set(TERMS_INTERFACE, good[i], &terms));
		assert_string_equal(terms.interface, good[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
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
	    {TERMS_RATE, "0x10"},
	    {TERMS_RATE, "1000000000001"},
	    {TERMS_RATE, "18446744073709551617"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct terms terms = {.mark = 1, .rate = 1};

		assert_true(set(good[i].key, good[i].text, &terms));
		assert_int_equal(
		    good[i].key == TERMS_MARK ? terms.mark : terms.rate,
		    good[i].number);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct terms terms = {.mark = 1, .rate = 1};

		assert_false(set(bad[i].key, bad[i].text, &terms));
		assert_int_equal(terms.mark, 1);
		assert_int_equal(terms.rate, 1);
		assert_int_equal(terms.set, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys),
	    cmocka_unit_test(seconds),
	    cmocka_unit_test(source),
	    cmocka_unit_test(no_source),
	    cmocka_unit_test(interface),
	    cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
