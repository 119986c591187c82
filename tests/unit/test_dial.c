/* tests/connect.bats has the rest, on real networks. */
#include "dial.h"
#include "unit.h"

#include <errno.h>

/* Each errno is more telling than all after it. */
static void
most_telling(void **state)
{
	static const int order[] = {
	    ECONNREFUSED, EACCES, EHOSTUNREACH, ETIMEDOUT, EMFILE, 0};

	(void)state;
	for (size_t i = 0; i < COUNT(order); i++) {
		for (size_t j = i; j < COUNT(order); j++) {
			assert_int_equal(
			    dial_worse(order[i], order[j]), order[i]);
			assert_int_equal(
			    dial_worse(order[j], order[i]), order[i]);
		}
	}
	/* Of equals the first stays. */
	assert_int_equal(dial_worse(EACCES, EPERM), EACCES);
	assert_int_equal(dial_worse(ENETUNREACH, EHOSTUNREACH), ENETUNREACH);
	assert_int_equal(dial_worse(EMFILE, EADDRNOTAVAIL), EMFILE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(most_telling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
