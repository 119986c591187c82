/* SPDX-License-Identifier: ISC */
/*
 * unit: stands between a unit test's main() and cmocka. Of the tests it runs
 * those that are meant (only.h), and says of one that fails in which row of its
 * table it did (unit.h).
 */
#include "unit.h"

#include "../only.h"

#include <stdarg.h>

#define TESTS_MAX 128

int __real__cmocka_run_group_tests(const char *name,
    const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
    CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *name,
    const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
    CMFixtureFunction teardown);

/* Those that are meant, the one that is being run, and how many have been. */
static struct CMUnitTest meant[TESTS_MAX];
static const struct CMUnitTest *current;
static size_t begun;

static char row[1024];

void
unit_row(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(row, sizeof(row), format, args);
	va_end(args);
	/* In one line, which no TAP is in. */
	for (char *c = row; *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = '|';
}

const char *
unit_row_text(void)
{
	return row;
}

static int
set_up_one(void **state)
{
	current = &meant[begun++];
	row[0] = '\0';
	return current->setup_func ? current->setup_func(state) : 0;
}

/* A test that fails doesn't come back. */
static void
run_one(void **state)
{
	current->test_func(state);
	row[0] = '\0';
}

static int
tear_down_one(void **state)
{
	if (row[0])
		print_message("# with: %s\n", row);
	return current->teardown_func ? current->teardown_func(state) : 0;
}

int
__wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests,
    size_t count, CMFixtureFunction setup, CMFixtureFunction teardown)
{
	struct CMUnitTest wrapped[TESTS_MAX];
	size_t n = 0;

	assert_true(count <= TESTS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (!only_has(tests[i].name))
			continue;
		wrapped[n] = meant[n] = tests[i];
		wrapped[n].setup_func = set_up_one;
		wrapped[n].test_func = run_one;
		wrapped[n++].teardown_func = tear_down_one;
	}
	if (n == 0) {
		puts("1..0");
		return 0;
	}
	begun = 0;
	return __real__cmocka_run_group_tests(
	    name, wrapped, n, setup, teardown);
}
