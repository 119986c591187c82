/* SPDX-License-Identifier: ISC */
#include "protocol/url.h"
#include "unit.h"

#include <errno.h>

#define A50  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A255 A50 A50 A50 A50 A50 "aaaaa"

/* A copy whose NUL is the last byte that can be read. */
static char *
flush(const char *text)
{
	return (char *)guarded(text, strlen(text) + 1);
}

static struct url
parsed(const char *text)
{
	struct fault fault = {0};
	struct url url;
	int rc = url_parse(flush(text), &url, &fault);

	if (rc < 0)
		fail_msg("%s: %s", text, fault.words);
	assert_string_equal(fault.words, "");
	return url;
}

static void
servers(void **state)
{
	static const struct {
		const char *text, *server;
		uint8_t atyp;
	} table[] = {
	    {"socks5://proxy.example", "proxy.example:1080", WIRE_ATYP_NAME},
	    {"socks5://proxy.example/", "proxy.example:1080", WIRE_ATYP_NAME},
	    {"SOCKS5://p:1", "p:1", WIRE_ATYP_NAME},
	    {"socks5://p:65535", "p:65535", WIRE_ATYP_NAME},
	    {"socks5://p:00080/", "p:80", WIRE_ATYP_NAME},
	    {"socks5://192.0.2.1:9050", "192.0.2.1:9050", WIRE_ATYP_NAME},
	    {"socks5://[2001:db8::1]", "[2001:db8::1]:1080", WIRE_ATYP_IPV6},
	    {"socks5://[::1]:1081/", "[::1]:1081", WIRE_ATYP_IPV6},
	    {"socks5://[1111:2222:3333:4444:5555:6666:255.255.255.255]:1",
		"[1111:2222:3333:4444:5555:6666:ffff:ffff]:1", WIRE_ATYP_IPV6},
	    {"socks5://u@[::1]", "[::1]:1080", WIRE_ATYP_IPV6},
	    {"socks5://u:p@p.example:1", "p.example:1", WIRE_ATYP_NAME},
	    {"socks5://\xc3\xbc.example", "\xc3\xbc.example:1080",
		WIRE_ATYP_NAME},
	    {"socks5://" A255, A255 ":1080", WIRE_ATYP_NAME},
	};
	char text[WIRE_DESTINATION_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s -> %s", table[i].text, table[i].server);
		struct url url = parsed(table[i].text);

		assert_int_equal(url.server.atyp, table[i].atyp);
		wire_print_destination(&url.server, text);
		assert_string_equal(text, table[i].server);
		assert_int_equal(wire_check_destination(&url.server), 0);
	}
}

static void
logins(void **state)
{
	static const struct {
		const char *text, *user, *password;
	} table[] = {
	    {"socks5://alice:secret@p", "alice", "secret"},
	    {"socks5://alice@p", "alice", ""},
	    {"socks5://alice:@p", "alice", ""},
	    {"socks5://a:b:c@p:1080", "a", "b:c"},
	    {"socks5://a%3ab:%40%2F%3F%23%5b%5D%25%20@p", "a:b", "@/?#[]% "},
	    {"socks5://%ff%C3%bc:\xc3\xbc@p", "\xff\xc3\xbc", "\xc3\xbc"},
	    {"socks5://!$&'()*+,;=-._~:\"<>\\^`{|}@p", "!$&'()*+,;=-._~",
		"\"<>\\^`{|}"},
	    {"socks5://" A255 ":" A255 "@p", A255, A255},
	};
	struct wire_password login, untouched;
	struct url url;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s -> %s", table[i].text, table[i].user);
		url = parsed(table[i].text);
		assert_true(url_login(&url, &login));
		assert_int_equal(login.name_len, strlen(table[i].user));
		assert_string_equal(login.name, table[i].user);
		assert_int_equal(login.password_len, strlen(table[i].password));
		assert_string_equal(login.password, table[i].password);
	}
	/* A NUL is a byte of it like any other. */
	url = parsed("socks5://%00a:b%00@p");
	assert_true(url_login(&url, &login));
	assert_int_equal(login.name_len, 2);
	assert_memory_equal(login.name, "\0a", 3);
	assert_int_equal(login.password_len, 2);
	assert_memory_equal(login.password, "b\0", 3);

	memset(&untouched, 0xa5, sizeof(untouched));
	login = untouched;
	url = parsed("socks5://p");
	assert_false(url_login(&url, &login));
	assert_memory_equal(&login, &untouched, sizeof(login));
}

static void
mistakes(void **state)
{
	static const char *const scheme = "socks5://[USER[:PASSWORD]@]HOST",
				 *const host = "a host has to be named",
				 *const port = "a port from 1 to 65535",
				 *const brackets = "an IPv6 address";
	const struct {
		const char *text, *part;
	} table[] = {
	    {"", scheme},
	    {"socks5:/", scheme},
	    {"proxy.example:1080", scheme},
	    {"http://p:8080", scheme},
	    {"socks4://p", scheme},
	    {" socks5://p", scheme},
	    {"socks5://", host},
	    {"socks5:///", host},
	    {"socks5://:1080", host},
	    {"socks5://u:p@", host},
	    {"socks5://" A255 "a", host},
	    {"socks5://p:", port},
	    {"socks5://p:0", port},
	    {"socks5://p:65536", port},
	    {"socks5://p:4294967297", port},
	    {"socks5://p:18446744073709551617", port},
	    {"socks5://p:-1", port},
	    {"socks5://p:80a", port},
	    {"socks5://p:1080//", port},
	    {"socks5://p:1080/x", port},
	    {"socks5://[::1]1080", port},
	    {"socks5://[::1]]", port},
	    {"socks5://2001:db8::1", brackets},
	    {"socks5://::1", brackets},
	    {"socks5://[::1", brackets},
	    {"socks5://[", brackets},
	    {"socks5://[]", brackets},
	    {"socks5://[192.0.2.1]", brackets},
	    {"socks5://[p.example]", brackets},
	    {"socks5://[fe80::1%eth0]", brackets},
	    {"socks5://[" A255 "]", brackets},
	    {"socks5://p/x", "the host has to be"},
	    {"socks5://p?x", "the host has to be"},
	    {"socks5://p#", "the host has to be"},
	    {"socks5://p q", "the host has to be"},
	    {"socks5://p%41", "the host has to be"},
	    {"socks5://p]", "the host has to be"},
	    {"socks5://p\\q", "the host has to be"},
	    {"socks5://@p", "a user in front of the @"},
	    {"socks5://:secret@p", "a user in front of the @"},
	    {"socks5://u:se@cret@p", "/ ? # [ ] @"},
	    {"socks5://u:se/cret@p", "/ ? # [ ] @"},
	    {"socks5://u:se cret@p", "/ ? # [ ] @"},
	    {"socks5://u:se\ncret@p", "/ ? # [ ] @"},
	    {"socks5://u:%@p", "%25"},
	    {"socks5://u:%4@p", "%25"},
	    {"socks5://u:%4g@p", "%25"},
	    {"socks5://%zz@p", "%25"},
	    {"socks5://" A255 "a@p", "255 bytes"},
	    {"socks5://u:%61" A255 "@p", "255 bytes"},
	};
	struct url url, untouched;

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	url = untouched;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct fault fault = {0};

		assert_int_equal(
		    url_parse(flush(table[i].text), &url, &fault), -EINVAL);
		unit_row("%s -> %s", table[i].text, fault.words);
		assert_true(*fault.words);
		assert_non_null(strstr(fault.words, table[i].part));
		assert_null(strstr(fault.words, "cret"));
	}
	assert_memory_equal(&url, &untouched, sizeof(url));
}

static void
sets(const char *line, size_t len, const char *password)
{
	struct url url = parsed("socks5://u@p");
	struct fault fault = {0};

	assert_int_equal(url_set_password(&url,
			     (const char *)guarded(line, len), len, &fault),
	    0);
	assert_string_equal(fault.words, "");
	assert_int_equal(url.password_len, strlen(password));
	assert_string_equal(url.password, password);
}

static void
sets_not(const char *text, const char *line, size_t len, const char *part)
{
	struct url url = parsed(text), before = url;
	struct fault fault = {0};

	assert_int_equal(url_set_password(&url,
			     (const char *)guarded(line, len), len, &fault),
	    -EINVAL);
	assert_true(*fault.words);
	assert_non_null(strstr(fault.words, part));
	assert_memory_equal(&url, &before, sizeof(url));
}

static void
password_from_elsewhere(void **state)
{
	(void)state;
	sets("secret", 6, "secret");
	sets("secret\n", 7, "secret");
	sets("secret\r\n", 8, "secret");
	sets(" s%41 \n", 7, " s%41 ");
	sets(A255 "\r\n", 257, A255);
	sets_not("socks5://u@p", "", 0, "1 to 255");
	sets_not("socks5://u@p", "\n", 1, "1 to 255");
	sets_not("socks5://u@p", "\r\n", 2, "1 to 255");
	sets_not("socks5://u@p", A255 "a\n", 257, "1 to 255");
	sets_not("socks5://u@p", "one\ntwo\n", 8, "one line");
	sets_not("socks5://u@p", "a\0b", 3, "NUL");
	sets_not("socks5://u:p@p", "secret", 6, "already");
	sets_not("socks5://p", "secret", 6, "no user");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(servers),
	    cmocka_unit_test(logins),
	    cmocka_unit_test(mistakes),
	    cmocka_unit_test(password_from_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
