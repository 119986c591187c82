/* SPDX-License-Identifier: ISC */
#include "net/udp/contacts.h"
#include "unit.h"

#include <arpa/inet.h>

static struct contacts contacts;

static union addr
host(uint32_t ipv4)
{
	union addr addr;

	addr_set(AF_INET, &(uint32_t){htonl(ipv4)}, 53, &addr);
	return addr;
}

static void
a_host_whatever_its_port(void **state)
{
	union addr four = host(0xc0000201), six, scoped;
	union addr mapped = {.in6 = {.sin6_family = AF_INET6}};

	(void)state;
	memset(&contacts, 0, sizeof(contacts));
	addr_parse("fe80::1", 53, &six);
	scoped = six;
	scoped.in6.sin6_scope_id = 2;
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &mapped.in6.sin6_addr);
	assert_false(contacts_has(&contacts, &four));
	assert_false(contacts_has(&contacts, &six));
	contacts_add(&contacts, &four);
	addr_set_port(&four, 54);
	assert_true(contacts_has(&contacts, &four));
	assert_true(contacts_has(&contacts, &mapped));
	assert_false(contacts_has(&contacts, &six));
	contacts_add(&contacts, &scoped);
	assert_true(contacts_has(&contacts, &scoped));
	assert_false(contacts_has(&contacts, &six));
	addr_parse("::", 53, &six);
	assert_false(contacts_has(&contacts, &six));
	four = host(0);
	assert_false(contacts_has(&contacts, &four));
}

/* However many there are, the last ones are remembered, and one in use is. */
static void
the_unused_are_forgotten_first(void **state)
{
	union addr used = host(0x0a000001);
	size_t known = 0;

	(void)state;
	memset(&contacts, 0, sizeof(contacts));
	for (uint32_t i = 0; i < 1000; i++) {
		union addr addr = host(0xc0000000 + i);

		contacts_add(&contacts, &addr);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		union addr addr = host(0xc0000000 + i);

		known += contacts_has(&contacts, &addr);
	}
	/* A quarter of the places: few sets have more than theirs. */
	assert_true(known > 950);
	for (uint32_t i = 0; i < 100000; i++) {
		union addr addr = host(0xc0000000 + i);

		contacts_add(&contacts, &used);
		contacts_add(&contacts, &addr);
		assert_true(contacts_has(&contacts, &addr));
		assert_true(contacts_has(&contacts, &used));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_host_whatever_its_port),
	    cmocka_unit_test(the_unused_are_forgotten_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
