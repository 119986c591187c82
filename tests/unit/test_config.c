#include "config.h"
#include "unit.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

static char sentence[1024];

/* config_read() with this word, and what it says in `sentence`. */
static int
read_word(char *word, struct config *out)
{
	char name[] = "socks5-handler";
	char *argv[] = {name, word, NULL};
	int rc;

	listen_to_stderr();
	optind = 0; /* getopt starts anew */
	rc = config_read(word ? 2 : 1, argv, out);
	what_stderr_said(sentence, sizeof(sentence));
	return rc;
}

static void
defaults(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(read_word(NULL, &c), 0);
	assert_int_equal(c.handshake_timeout_ms, 10000);
	assert_int_equal(c.connect_timeout_ms, 10000);
	assert_int_equal(c.lifetime_ms, 30000);
	assert_int_equal(c.idle_timeout_ms, 0);
	assert_int_equal(c.log, LOG_TO_AUTO);
}

static void
each_option_sets_its_own(void **state)
{
	struct config c;
	char handshake[] = "--handshake-timeout=1";
	char connecting[] = "--connect-timeout=2";
	char lifetime[] = "--lifetime=3";
	char idle[] = "--idle-timeout=4";
	char log[] = "--log=none";

	(void)state;
	read_word(handshake, &c);
	assert_int_equal(c.handshake_timeout_ms, 1000);
	read_word(connecting, &c);
	assert_int_equal(c.connect_timeout_ms, 2000);
	read_word(lifetime, &c);
	assert_int_equal(c.lifetime_ms, 3000);
	read_word(idle, &c);
	assert_int_equal(c.idle_timeout_ms, 4000);
	assert_int_equal(c.lifetime_ms, 30000);
	read_word(log, &c);
	assert_int_equal(c.log, LOG_TO_NONE);
}

static void
seconds(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} table[] = {
	    {"0", 0},
	    {"30", 30000},
	    {"007", 7000},
	    {"0.5", 500},
	    {"0.25", 250},
	    {"1.0005", 1000},
	    {"0.0004", 1}, /* next to nothing is not "no limit" */
	    {"0.000", 0},
	    {"315360000", 315360000000},
	};
	struct config c;
	char word[64];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		snprintf(word, sizeof(word), "--lifetime=%s", table[i].text);
		assert_int_equal(read_word(word, &c), 0);
		assert_int_equal(c.lifetime_ms, table[i].ms);
		assert_string_equal(sentence, "");
	}
}

static void
no_seconds(void **state)
{
	static const char *const values[] = {"", "x", "3x", "-1", "+1", "1e3",
	    "0x10", " 3", "3 ", "1.", ".5", "1.5.5", "1,5", "nan", "inf",
	    "315360001", "9999999999", "99999999999999999999999"};
	struct config c, untouched;
	char word[64];

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	for (size_t i = 0; i < COUNT(values); i++) {
		c = untouched;
		snprintf(word, sizeof(word), "--idle-timeout=%s", values[i]);
		assert_int_equal(read_word(word, &c), -EINVAL);
		assert_memory_equal(&c, &untouched, sizeof(c));
		assert_non_null(strstr(sentence, word));
		assert_non_null(strstr(sentence, "--idle-timeout=30"));
		assert_ptr_equal(
		    strchr(sentence, '\n'), sentence + strlen(sentence) - 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults),
	    cmocka_unit_test(each_option_sets_its_own),
	    cmocka_unit_test(seconds),
	    cmocka_unit_test(no_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
