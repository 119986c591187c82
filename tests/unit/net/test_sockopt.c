/* SPDX-License-Identifier: ISC */
#include "net/sockopt.h"
#include "network.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static struct fault fault;

/* With a value that a socket of any family and kind can have. */
static const char *
value_of(enum terms_key key)
{
	const struct terms_row *row = &terms_rows[key];

	return key == TERMS_INTERFACE ? "lo"
				      : row->example + strlen(row->word) + 1;
}

/* What this row sets is what the socket has then; and nothing is, unasked. */
static void
holds(enum terms_key key, sa_family_t family, int type)
{
	const struct terms_row *row = &terms_rows[key];
	size_t i = family == AF_INET6 && row->sockopt[1].name;
	struct terms none = {0}, terms = {0};
	union {
		int number;
		char name[IF_NAMESIZE];
	} before = {0}, is = {0};
	socklen_t len = sizeof(is);
	int fd = socket(family, type | SOCK_CLOEXEC, 0);
	int level = row->sockopt[i].level, name = row->sockopt[i].name;

	unit_row("%s, family %d, type %d", row->word, family, type);
	HOLD(getsockopt(fd, level, name, &before, &len) == 0);
	HOLD(sockopt_apply(fd, family, &none, &fault) == 0);
	len = sizeof(is);
	HOLD(getsockopt(fd, level, name, &is, &len) == 0);
	HOLD(memcmp(&is, &before, sizeof(is)) == 0);

	HOLD(!terms_set(key, value_of(key), strlen(value_of(key)), &terms));
	HOLD(sockopt_apply(fd, family, &terms, &fault) == 0);
	len = sizeof(is);
	HOLD(getsockopt(fd, level, name, &is, &len) == 0);
	HOLD(memcmp(&is, &before, sizeof(is)) != 0);
	if (row->kind == TERMS_NUMBER)
		HOLD(is.number == (int)strtoul(value_of(key), NULL, 0));
	else
		HOLD(strcmp(is.name, value_of(key)) == 0);
	close(fd);
}

static void
each_row(void)
{
	static const sa_family_t families[] = {AF_INET, AF_INET6};
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	int rows = 0;

	for (int key = 0; key < TERMS_KEYS; key++) {
		if (!terms_rows[key].sockopt[0].name)
			continue;
		rows++;
		for (size_t i = 0; i < 4; i++)
			holds(
			    (enum terms_key)key, families[i % 2], types[i / 2]);
	}
	HOLD(rows >= 2);
}

static void
every_row(void **state)
{
	(void)state;
	in_network("", each_row);
}

/* Of the socket's family; its port doesn't count. */
static void
a_source(void **state)
{
	struct terms terms = {0};
	union addr four, is = {0};
	socklen_t len = sizeof(is);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int other = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(addr_parse("127.0.0.5", 1, &four), 0);
	terms.source.at[0] = four;
	assert_int_equal(sockopt_apply(fd, AF_INET, &terms, &fault), 0);
	assert_int_equal(getsockname(fd, &is.sa, &len), 0);
	assert_true(addr_equal_host(&is, &four));
	assert_int_not_equal(addr_port(&is), 1);
	assert_int_equal(sockopt_apply(other, AF_INET6, &terms, &fault), 0);
	assert_int_equal(addr_parse("192.0.2.1", 1, &terms.source.at[0]), 0);
	assert_int_equal(
	    sockopt_apply(fd, AF_INET, &terms, &fault), -EADDRNOTAVAIL);
	assert_string_equal(
	    fault.words, "source=192.0.2.1 is no address of this machine");
	close(fd);
	close(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row),
	    cmocka_unit_test(a_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
