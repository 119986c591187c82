/* SPDX-License-Identifier: ISC */
#include "network.h"
#include "policy/host.h"

#include <stdlib.h>

static bool
is_own(const char *text)
{
	union addr addr;

	HOLD(addr_parse(text, 80, &addr) == 0);
	return host_is_own(&addr, NULL);
}

/* Two addresses of one network on an interface, one of them the second. */
static void
own_addresses(void **state)
{
	pid_t pid = fork_child();

	(void)state;
	if (pid == 0) {
		if (!network_unshare())
			_exit(NETWORK_NOT_PERMITTED);
		network_up("127.0.0.1 localhost\n");
		HOLD(system("ip link add v0 type veth peer name v1 &&"
			    "ip addr add 192.0.2.1/24 dev v0 &&"
			    "ip addr add 192.0.2.2/24 dev v0 &&"
			    "ip addr add 2001:db8::1/64 dev v0 nodad &&"
			    "ip link set v0 up && ip link set v1 up") == 0);
		HOLD(is_own("127.0.0.1"));
		HOLD(is_own("127.9.9.9"));
		HOLD(is_own("::1"));
		HOLD(is_own("192.0.2.1"));
		HOLD(is_own("192.0.2.2"));
		HOLD(is_own("192.0.2.255")); /* broadcast: we are among them */
		HOLD(is_own("2001:db8::1"));
		HOLD(!is_own("192.0.2.3"));
		HOLD(!is_own("2001:db8::2"));
		/* No route at all. */
		HOLD(!is_own("198.51.100.1"));
		HOLD(!is_own("2001:db8:1::1"));
		_exit(0);
	}
	child_held(pid);
}

static void
ids(void **state)
{
	uint32_t id = 99;

	(void)state;
	assert_int_equal(host_find_id("root", false, &id, NULL), 1);
	assert_int_equal(id, 0);
	id = 99;
	assert_int_equal(host_find_id("root", true, &id, NULL), 1);
	assert_int_equal(id, 0);
	id = 99;
	assert_int_equal(
	    host_find_id("nobody-of-that-name", false, &id, NULL), 0);
	assert_int_equal(
	    host_find_id("nobody-of-that-name", true, &id, NULL), 0);
	assert_int_equal(id, 99);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(own_addresses),
	    cmocka_unit_test(ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
