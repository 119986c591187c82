/* SPDX-License-Identifier: ISC */
#include "base/number.h"
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* From memory that ends with the text. */
#define FLUSH(text) (const char *)guarded(text, strlen(text)), strlen(text)

static void
digits(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int rc, bits_rc; /* of number_read(), of number_read_bits() */
		uint64_t number;
	} table[] = {
	    {"0", 0, 0, 0, 0},
	    {"42", 42, 0, 0, 42},
	    {"007", 9, 0, 0, 7},
	    {"42", 41, -ERANGE, -ERANGE, 0},
	    {"99999999999999999999999999999999", 9, -ERANGE, -ERANGE, 0},
	    {"18446744073709551617", (uint64_t)1 << 59, -ERANGE, -ERANGE, 0},
	    {"1152921504606846975", ((uint64_t)1 << 60) - 1, 0, 0,
		((uint64_t)1 << 60) - 1},
	    {"0x2a", 42, -EINVAL, 0, 42},
	    {"0xfFaA", 65535, -EINVAL, 0, 0xffaa},
	    {"0x2b", 42, -EINVAL, -ERANGE, 0},
	    {"0x10000000000000000", 42, -EINVAL, -ERANGE, 0},
	    {"", 9, -EINVAL, -EINVAL, 0},
	    {"0x", 9, -EINVAL, -EINVAL, 0},
	    {"x1", 9, -EINVAL, -EINVAL, 0},
	    {"0X1", 9, -EINVAL, -EINVAL, 0},
	    {"0x1g", 99, -EINVAL, -EINVAL, 0},
	    {"a", 99, -EINVAL, -EINVAL, 0},
	    {"-1", 9, -EINVAL, -EINVAL, 0},
	    {"+1", 9, -EINVAL, -EINVAL, 0},
	    {" 1", 9, -EINVAL, -EINVAL, 0},
	    {"1 ", 9, -EINVAL, -EINVAL, 0},
	    {"1.5", 9, -EINVAL, -EINVAL, 0},
	    {"1e3", 9999, -EINVAL, -EINVAL, 0},
	    /* Not a number, however large. */
	    {"99999999999999999999x", 9, -EINVAL, -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text);
		uint64_t number = 4711, bits = 4711;

		unit_row("%s", table[i].text);
		assert_int_equal(
		    number_read(FLUSH(table[i].text), table[i].max, &number),
		    table[i].rc);
		assert_int_equal(
		    number, table[i].rc < 0 ? 4711 : table[i].number);
		assert_int_equal(
		    number_read_bits(FLUSH(table[i].text), table[i].max, &bits),
		    table[i].bits_rc);
		assert_int_equal(
		    bits, table[i].bits_rc < 0 ? 4711 : table[i].number);
	}
	for (int c = 0; c < 256; c++) {
		unsigned worth = 16;

		sscanf((char[]){(char)c, '\0'}, "%1x", &worth);
		assert_int_equal(number_digit((char)c), worth);
	}
}

static void
seconds(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* < 0: the error */
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
	    {"315360001", -ERANGE},
	    {"99999999999999999999", -ERANGE},
	    {"", -EINVAL},
	    {".", -EINVAL},
	    {"1.", -EINVAL},
	    {".5", -EINVAL},
	    {"1.2.3", -EINVAL},
	    {"1.2345x", -EINVAL},
	    {"-1", -EINVAL},
	    {"+1", -EINVAL},
	    {"1e3", -EINVAL},
	    {"0x10", -EINVAL},
	    {"nan", -EINVAL},
	    {" 3", -EINVAL},
	    {"3s", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text);
		bool good = table[i].ms >= 0;
		int64_t ms = 4711;

		unit_row("%s", table[i].text);
		assert_int_equal(number_read_seconds(FLUSH(table[i].text), &ms),
		    good ? 0 : table[i].ms);
		assert_int_equal(ms, good ? table[i].ms : 4711);
	}
}

static void
ids(void **state)
{
	uint32_t id = 4711;

	(void)state;
	assert_int_equal(number_read_id(FLUSH("0"), &id), 0);
	assert_int_equal(id, 0);
	assert_int_equal(number_read_id(FLUSH("4294967294"), &id), 0);
	assert_int_equal(id, 4294967294);
	assert_int_equal(number_read_id(FLUSH("4294967295"), &id), -ERANGE);
	assert_int_equal(number_read_id(FLUSH("4294967296"), &id), -ERANGE);
	assert_int_equal(number_read_id(FLUSH("alice"), &id), -EINVAL);
	assert_int_equal(number_read_id(FLUSH("1000x"), &id), -EINVAL);
	assert_int_equal(number_read_id(FLUSH(""), &id), -EINVAL);
	assert_int_equal(id, 4294967294);
}

static void
ports(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint16_t first, last;
	} table[] = {
	    {"1", 0, 1, 1},
	    {"65535", 0, 65535, 65535},
	    {"8000-8999", 0, 8000, 8999},
	    {"7-7", 0, 7, 7},
	    {"0", -ERANGE, 0, 0},
	    {"65536", -ERANGE, 0, 0},
	    {"0-7", -ERANGE, 0, 0},
	    {"8-7", -ERANGE, 0, 0},
	    {"1-65536", -ERANGE, 0, 0},
	    {"", -EINVAL, 0, 0},
	    {"-", -EINVAL, 0, 0},
	    {"7-", -EINVAL, 0, 0},
	    {"-7", -EINVAL, 0, 0},
	    {"7--8", -EINVAL, 0, 0},
	    {"7-8-9", -EINVAL, 0, 0},
	    {"7:8", -EINVAL, 0, 0},
	    {"http", -EINVAL, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text);
		bool good = table[i].rc == 0;
		uint16_t first = 4711, last = 4711, port = 4711;

		unit_row("%s", table[i].text);
		assert_int_equal(
		    number_read_ports(FLUSH(table[i].text), &first, &last),
		    table[i].rc);
		assert_int_equal(first, good ? table[i].first : 4711);
		assert_int_equal(last, good ? table[i].last : 4711);
		assert_int_equal(number_read_port(FLUSH(table[i].text), &port),
		    strchr(table[i].text, '-') ? -EINVAL : table[i].rc);
	}
}

/* What is no number above 0 is none. */
static void
in_the_environment(void **state)
{
	static const struct {
		const char *text;
		int64_t number;
	} table[] = {
	    {NULL, 0},
	    {"", 0},
	    {"1", 1},
	    {"30000000", 30000000},
	    {"0", 0},
	    {"-1", 0},
	    {"1 ", 0},
	    {"0x1", 0},
	    {"99999999999999999999", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text ? table[i].text : "(none)");
		if (table[i].text)
			setenv("NUMBER", table[i].text, 1);
		else
			unsetenv("NUMBER");
		assert_int_equal(
		    number_in_environment("NUMBER"), table[i].number);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digits),
	    cmocka_unit_test(seconds),
	    cmocka_unit_test(ids),
	    cmocka_unit_test(ports),
	    cmocka_unit_test(in_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
