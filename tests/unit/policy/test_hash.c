/* SPDX-License-Identifier: ISC */
#include "policy/hash.h"
#include "samples.h"
#include "unit.h"

#include <crypt.h>
#include <dlfcn.h>
#include <stdbool.h>

static const char *
fault(const char *text, size_t len)
{
	return hash_fault((char *)guarded(text, len), len);
}

/* Whole or not at all: no prefix is taken, nor anything behind. */
static void
what_the_tools_make(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		unit_row("%s", samples[i].tool);
		size_t len = strlen(samples[i].hash);
		char longer[256];

		assert_null(fault(samples[i].hash, len));
		for (size_t n = 0; n < len; n++)
			assert_non_null(fault(samples[i].hash, n));
		for (int value = 0; value < 256; value++) {
			snprintf(longer, sizeof(longer), "%s%c",
			    samples[i].hash, value);
			assert_non_null(fault(longer, len + 1));
		}
	}
}

/* No byte of a digest may be another than of its alphabet. */
static void
alphabet(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		unit_row("%s", samples[i].tool);
		size_t len = strlen(samples[i].hash);
		char copy[256];

		memcpy(copy, samples[i].hash, len);
		for (int value = 0; value < 256; value++) {
			bool good =
			    value && strchr("./0123456789"
					    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					    "abcdefghijklmnopqrstuvwxyz",
					 value);

			copy[len - 3] = (char)value;
			assert_int_equal(!fault(copy, len), good);
		}
	}
}

static int
checksalt(const char *setting)
{
	void *library = dlopen("libcrypt.so.1", RTLD_NOW);
	int (*function)(const char *);
	void *symbol;

	assert_non_null(library);
	symbol = dlsym(library, "crypt_checksalt");
	assert_non_null(symbol);
	memcpy(&function, &symbol, sizeof(function));
	return function(setting);
}

/* What is taken here, crypt(3) takes too, whatever stands in one place. */
static void
never_more_than_crypt(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		unit_row("%s", samples[i].tool);
		size_t len = strlen(samples[i].hash);
		char copy[256];

		for (size_t at = 0; at < len; at++) {
			memcpy(copy, samples[i].hash, len + 1);
			for (int value = 1; value < 256; value++) {
				copy[at] = (char)value;
				if (fault(copy, len))
					continue;
				unit_row("%s", copy);
				assert_int_not_equal(
				    checksalt(copy), CRYPT_SALT_INVALID);
			}
		}
	}
}

#define DIGEST_22 "2222222222222222222222"
#define DIGEST_43 DIGEST_22 "444444444444444444444"
#define DIGEST_53 DIGEST_43 "5555555555"
#define DIGEST_86 DIGEST_43 DIGEST_43

static void
costs_and_salts(void **state)
{
	static const char *const good[] = {
	    "$6$$" DIGEST_86,
	    "$6$0123456789abcdef$" DIGEST_86,
	    "$6$a-b_c@d$" DIGEST_86,
	    "$6$rounds=1000$s$" DIGEST_86,
	    "$6$rounds=999999999$s$" DIGEST_86,
	    "$5$0123456789abcdef$" DIGEST_43,
	    "$1$01234567$" DIGEST_22,
	    "$2b$04$" DIGEST_53,
	    "$2y$31$" DIGEST_53,
	    "$md5$01234567$$" DIGEST_22,
	};
	static const char *const bad[] = {
	    "$6$0123456789abcdefg$" DIGEST_86,
	    "$6$a b$" DIGEST_86,
	    "$6$a!b$" DIGEST_86,
	    "$6$a*b$" DIGEST_86,
	    "$6$a;b$" DIGEST_86,
	    "$6$a\\b$" DIGEST_86,
	    "$6$\xc3\xa9$" DIGEST_86,
	    "$6$" DIGEST_86,
	    "$6$s$s$" DIGEST_86,
	    "$6$s$" DIGEST_43,
	    "$6$rounds=999$s$" DIGEST_86,
	    "$6$rounds=01000$s$" DIGEST_86,
	    "$6$rounds=1000000000$s$" DIGEST_86,
	    "$6$rounds=18446744073709552616$s$" DIGEST_86,
	    "$6$rounds=$s$" DIGEST_86,
	    "$6$rounds=-1000$s$" DIGEST_86,
	    "$6$rounds=1000$" DIGEST_86,
	    "$5$0123456789abcdefg$" DIGEST_43,
	    "$5$s$" DIGEST_86,
	    "$1$012345678$" DIGEST_22,
	    "$2b$03$" DIGEST_53,
	    "$2b$32$" DIGEST_53,
	    "$2b$5$" DIGEST_53,
	    "$2b$005$" DIGEST_53,
	    "$2b$0a$" DIGEST_53,
	    "$2c$05$" DIGEST_53,
	    "$2$05$" DIGEST_53,
	    "$md5$01234567$" DIGEST_22,
	    "$Y$j9T$s$" DIGEST_43,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		unit_row("%s", good[i]);
		assert_null(fault(good[i], strlen(good[i])));
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		unit_row("%s", bad[i]);
		assert_non_null(fault(bad[i], strlen(bad[i])));
	}
}

/* Each is told what it is, and what would be right. */
static void
strangers(void **state)
{
	static const struct {
		const char *text, *words;
	} table[] = {
	    {"", "no hash behind the colon; "},
	    {"$apr1$4oNDe.Cc$KwnpHe38IzBbwlpOhTmEV1",
		"a hash that only Apache can check; make it anew with htpasswd "
		"-B"},
	    {"{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=",
		"a hash that only Apache can check; make it anew with htpasswd "
		"-B"},
	    {"{SSHA}x", "a hash of an LDAP server's"},
	    {"$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
		"crypt(3) can't check Argon2; make one with mkpasswd"},
	    {"*", "no password can match that; to lock a user out, take"},
	    {"!", "no password can match that"},
	    {"!$6$s$" DIGEST_86, "no password can match that"},
	    {"x", "not a hash that crypt(3) can check; make one with mkpasswd"},
	    {SAMPLE_PASSWORD, "not a hash that crypt(3) can check; "},
	    {"$6$salt$short", "the hash is not whole, or something stands"},
	    {SAMPLE_BCRYPT ":1000:1000", "the hash is not whole, or something"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const char *words = fault(table[i].text, strlen(table[i].text));

		unit_row("%s -> %s", table[i].text, words ? words : "");
		assert_non_null(words);
		assert_ptr_equal(strstr(words, table[i].words), words);
		assert_non_null(strstr(words, "; "));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_the_tools_make),
	    cmocka_unit_test(alphabet),
	    cmocka_unit_test(never_more_than_crypt),
	    cmocka_unit_test(costs_and_salts),
	    cmocka_unit_test(strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
