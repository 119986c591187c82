/* SPDX-License-Identifier: ISC */
#include "network.h"
#include "policy/host.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* No netlink from now on, as RestrictAddressFamilies= would have it. */
static void
forbid_netlink(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
	    BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {COUNT(code), code};

	HOLD(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	HOLD(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
	HOLD(socket(AF_NETLINK, SOCK_RAW, 0) < 0 && errno == EAFNOSUPPORT);
}

static bool
is_own(const char *text)
{
	union addr addr;

	HOLD(addr_parse(text, 80, &addr) == 0);
	return host_is_own(&addr, NULL);
}

/* Two addresses of one network on an interface, one of them the second. */
static void
own_and_others(void)
{
	HOLD(is_own("127.0.0.1"));
	HOLD(is_own("127.9.9.9"));
	HOLD(is_own("::1"));
	HOLD(is_own("192.0.2.1"));
	HOLD(is_own("192.0.2.2"));
	HOLD(is_own("192.0.2.255")); /* broadcast: we are among them */
	HOLD(is_own("224.0.0.1"));
	HOLD(is_own("2001:db8::1"));
	HOLD(is_own("2001:db8::2"));
	HOLD(!is_own("192.0.2.3"));
	HOLD(!is_own("2001:db8::3"));
	/* No route at all. */
	HOLD(!is_own("198.51.100.1"));
	HOLD(!is_own("2001:db8:1::1"));
}

static void
with_netlink_and_without(void)
{
	HOLD(system("ip link add v0 type veth peer name v1 &&"
		    "ip addr add 192.0.2.1/24 dev v0 &&"
		    "ip addr add 192.0.2.2/24 dev v0 &&"
		    "ip addr add 2001:db8::1/64 dev v0 nodad &&"
		    "ip addr add 2001:db8::2/64 dev v0 nodad &&"
		    "ip link set v0 up && ip link set v1 up &&"
		    "ip route add 224.0.0.0/4 dev v0") == 0);
	own_and_others();
	forbid_netlink();
	own_and_others();
	HOLD(is_own("fe80::1")); /* can't be told without an interface */
}

static void
own_addresses(void **state)
{
	(void)state;
	in_network("127.0.0.1 localhost\n", with_netlink_and_without);
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
