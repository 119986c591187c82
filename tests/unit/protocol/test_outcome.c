/* SPDX-License-Identifier: ISC */
#include "base/io.h"
#include "protocol/outcome.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>

static struct failure failure;

/* Point by point: what connect(2) names. */
static void
of_connect(void **state)
{
	static const struct {
		int error;
		uint8_t rep;
	} table[] = {
	    {EACCES, 0x02},
	    {EPERM, 0x02},
	    {EADDRINUSE, 0x01},
	    {EADDRNOTAVAIL, 0x01},
	    {EAFNOSUPPORT, 0x08},
	    {EAGAIN, 0x01},
	    {EALREADY, 0x01},
	    {EBADF, 0x01},
	    {ECONNREFUSED, 0x05},
	    {EFAULT, 0x01},
	    {EINPROGRESS, 0x01},
	    {EINTR, 0x01},
	    {EISCONN, 0x01},
	    {ENETUNREACH, 0x03},
	    {ENOTSOCK, 0x01},
	    {EPROTOTYPE, 0x01},
	    {ETIMEDOUT, 0x04},
	    {EHOSTUNREACH, 0x04},
	    {EHOSTDOWN, 0x01},
	    {ENETDOWN, 0x01},
	    {ECONNRESET, 0x01},
	    {ECONNABORTED, 0x01},
	    {ENOBUFS, 0x01},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("errno %d", table[i].error);
		enum outcome outcome =
		    failure_of_connect(&failure, table[i].error);

		assert_int_equal(failure_rep(&failure), table[i].rep);
		assert_int_equal(outcome, failure.outcome);
		assert_int_equal(failure.cause.error, table[i].error);
		assert_string_equal(
		    failure_words(&failure), strerror(table[i].error));
	}
	/* 00 for no error at all, and 06 for none that there is. */
	for (int error = 1; error < 4096; error++) {
		failure_of_connect(&failure, error);
		assert_in_range(failure_rep(&failure), WIRE_REP_FAILURE, 8);
		assert_int_not_equal(
		    failure_rep(&failure), WIRE_REP_TTL_EXPIRED);
	}
}

/* What says no there is this machine, and no packet filter's rule. */
static void
of_other_system_calls(void **state)
{
	static const int errors[] = {
	    EACCES, EPERM, EMFILE, ENFILE, ENOMEM, EIO, ECONNREFUSED};

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		unit_row("errno %d", errors[i]);
		assert_int_equal(
		    failure_of_system(&failure, errors[i]), OUTCOME_SYSTEM);
		assert_int_equal(failure_rep(&failure), WIRE_REP_FAILURE);
		assert_int_equal(failure_end(&failure), LOG_END_REFUSED);
	}
	assert_int_equal(failure_of_system(&failure, EAFNOSUPPORT),
	    OUTCOME_FAMILY_UNSUPPORTED);
	assert_int_equal(failure_rep(&failure), 8);
}

/* Each has a row of its own: a REP that says no, and words. */
static void
every_outcome_has_its_row(void **state)
{
	(void)state;
	for (int i = OUTCOME_DONE + 1; i < OUTCOMES; i++) {
		failure_set(&failure, (enum outcome)i, EIO, NULL);
		if (failure_rep(&failure) == WIRE_REP_SUCCEEDED ||
		    failure_rep(&failure) > 8 || !*failure_words(&failure))
			fail_msg("outcome %d has no row", i);
		failure_set(&failure, (enum outcome)i, EIO, "%s", "words");
		assert_string_equal(failure_words(&failure), "words");
		failure.rep = 6;
		assert_int_equal(failure_rep(&failure), 6);
	}
	failure.outcome = OUTCOME_DONE;
	failure.rep = 0;
	assert_int_equal(failure_rep(&failure), WIRE_REP_SUCCEEDED);
}

/* Each is more telling than all after it; of equals the first stays. */
static void
the_most_telling(void **state)
{
	static const enum outcome order[] = {OUTCOME_TERMS_UNMET,
	    OUTCOME_CONNECTION_REFUSED, OUTCOME_FILTERED,
	    OUTCOME_HOST_UNREACHABLE, OUTCOME_CONNECT_TIMEOUT, OUTCOME_SYSTEM,
	    OUTCOME_DONE};

	(void)state;
	for (size_t i = 0; i < COUNT(order); i++) {
		for (size_t j = 0; j < COUNT(order); j++) {
			struct failure worst = {.outcome = order[i]};
			struct failure other = {
			    .outcome = order[j], .cause.error = 1};

			failure_keep_worse(&worst, &other);
			if (worst.outcome != order[i < j ? i : j] ||
			    worst.cause.error != (j < i))
				fail_msg("of %d and %d: %d", order[i], order[j],
				    worst.outcome);
		}
	}
}

static void
interruptions(void **state)
{
	(void)state;
	assert_int_equal(
	    failure_of_interruption(&failure, OUTCOME_CONNECT_TIMEOUT), 0);
	signals_alarm(1);
	while (signals_interrupted() == 0)
		;
	assert_int_equal(
	    failure_of_interruption(&failure, OUTCOME_HANDSHAKE_TIMEOUT),
	    OUTCOME_HANDSHAKE_TIMEOUT);
	raise(SIGTERM);
	assert_int_equal(
	    failure_of_interruption(&failure, OUTCOME_HANDSHAKE_TIMEOUT),
	    OUTCOME_TERMINATED);
	assert_string_equal(failure_words(&failure), "stopped by a signal");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(of_connect),
	    cmocka_unit_test(of_other_system_calls),
	    cmocka_unit_test(every_outcome_has_its_row),
	    cmocka_unit_test(the_most_telling),
	    cmocka_unit_test(interruptions),
	};

	signals_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
