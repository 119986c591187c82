/* SPDX-License-Identifier: ISC */
#include "service/clients.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/un.h>

static struct clients_source
from_v4(const char *text)
{
	union addr in = {.in = {.sin_family = AF_INET, .sin_port = 1}};
	struct clients_source source;

	assert_int_equal(inet_pton(AF_INET, text, &in.in.sin_addr), 1);
	clients_source(-1, &in, &source);
	return source;
}

static struct clients_source
from_v6(const char *text)
{
	union addr in6 = {.in6 = {.sin6_family = AF_INET6, .sin6_port = 2}};
	struct clients_source source;

	assert_int_equal(inet_pton(AF_INET6, text, &in6.in6.sin6_addr), 1);
	clients_source(-1, &in6, &source);
	return source;
}

static struct clients_source
from_machine(unsigned cid)
{
	union addr vm = {.vm = {.svm_family = AF_VSOCK, .svm_cid = cid}};
	struct clients_source source;

	clients_source(-1, &vm, &source);
	return source;
}

static bool
same(struct clients_source a, struct clients_source b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static void
ipv4_counts_by_address(void **state)
{
	(void)state;
	assert_true(same(from_v4("192.0.2.1"), from_v4("192.0.2.1")));
	assert_false(same(from_v4("192.0.2.1"), from_v4("192.0.2.2")));
	assert_false(same(from_v4("192.0.2.1"), from_v4("193.0.2.1")));
}

static void
ipv6_counts_by_64(void **state)
{
	(void)state;
	assert_true(same(from_v6("2001:db8::1"), from_v6("2001:db8::2")));
	assert_true(
	    same(from_v6("2001:db8::1"), from_v6("2001:db8::ffff:0:0:1")));
	assert_false(same(from_v6("2001:db8::1"), from_v6("2001:db8:0:1::1")));
	assert_false(same(from_v6("::"), from_v4("0.0.0.0")));
}

static void
loopback_is_here(void **state)
{
	union addr in = {.in = {.sin_family = AF_INET}};
	struct sockaddr *sa = &in.sa;
	struct clients_source source;
	socklen_t len = sizeof(in);
	int listener, client, fd;

	(void)state;
	assert_true(from_v4("127.0.0.1").is_here);
	assert_true(from_v4("127.1.2.3").is_here);
	assert_true(from_v6("::1").is_here);
	assert_true(from_v6("::ffff:127.0.0.1").is_here);
	assert_false(from_v4("192.0.2.1").is_here);
	assert_false(from_v6("2001:db8::1").is_here);
	assert_false(from_machine(3).is_here);
	/* It has reached another address than it says it comes from. */
	listener = socket(AF_INET, SOCK_STREAM, 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	in.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, sa, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, sa, &len), 0);
	assert_int_equal(connect(client, sa, len), 0);
	fd = accept(listener, NULL, NULL);
	in.in.sin_addr.s_addr = htonl(0xc0000201);
	clients_source(fd, &in, &source);
	assert_false(source.is_here);
	close(listener);
	close(client);
	close(fd);
}

static void
mapped_ipv4_counts_as_ipv4(void **state)
{
	(void)state;
	assert_true(same(from_v6("::ffff:192.0.2.1"), from_v4("192.0.2.1")));
	assert_false(
	    same(from_v6("::ffff:192.0.2.1"), from_v6("::ffff:192.0.2.2")));
	/* Not mapped, and so an address of ::/64. */
	assert_true(same(from_v6("::192.0.2.1"), from_v6("::192.0.2.2")));
}

static void
vsock_counts_by_machine(void **state)
{
	(void)state;
	assert_true(same(from_machine(3), from_machine(3)));
	assert_false(same(from_machine(3), from_machine(4)));
}

static void
unix_counts_by_user(void **state)
{
	union addr un = {.sa.sa_family = AF_UNIX};
	struct clients_source source;
	uid_t uid = (uid_t)-2;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	clients_source(pair[0], &un, &source);
	memcpy(&uid, source.bytes, sizeof(uid));
	assert_int_equal(source.family, AF_UNIX);
	assert_int_equal(uid, getuid());
	close(pair[0]);
	close(pair[1]);
	/* One that can't be asked is nobody's, and not root's. */
	clients_source(-1, &un, &source);
	memcpy(&uid, source.bytes, sizeof(uid));
	assert_int_equal(uid, (uid_t)-1);
}

static void
add(struct clients *clients, pid_t pid, struct clients_source source)
{
	assert_int_equal(clients_reserve(clients), 0);
	clients_add(clients, pid, &source);
}

/* More than fit in the first array, and in the second. */
/* Just so many come from there: with one more allowed, one more may come. */
static bool
there_are(const struct clients *clients, const struct clients_source *source,
    int64_t count)
{
	const char *limit = clients_limit(clients, source, 0, count);

	return clients_limit(clients, source, 0, count + 1) == NULL &&
	       (count == 0 || (limit && !strcmp(limit, "max-per-source")));
}

static void
many_are_kept_and_found(void **state)
{
	struct clients clients = {0};
	struct clients_source even = from_v4("192.0.2.2");
	struct clients_source odd = from_v4("192.0.2.1");

	(void)state;
	for (pid_t pid = 1; pid <= 1000; pid++)
		add(&clients, pid, pid % 2 ? odd : even);
	assert_int_equal(clients.count, 1000);
	assert_true(there_are(&clients, &even, 500));
	assert_true(there_are(&clients, &odd, 500));
	/* The first, the last, one from the middle; each once. */
	assert_true(clients_remove(&clients, 1));
	assert_true(clients_remove(&clients, 1000));
	assert_true(clients_remove(&clients, 501));
	assert_false(clients_remove(&clients, 1));
	assert_false(clients_remove(&clients, 1000));
	assert_false(clients_remove(&clients, 1001));
	assert_int_equal(clients.count, 997);
	assert_true(there_are(&clients, &even, 499));
	assert_true(there_are(&clients, &odd, 498));
	for (pid_t pid = 2; pid < 1000; pid++)
		assert_int_equal(clients_remove(&clients, pid), pid != 501);
	assert_int_equal(clients.count, 0);
	assert_true(there_are(&clients, &even, 0));
	assert_false(clients_remove(&clients, 2));
	munmap(clients.at, clients.size * sizeof(*clients.at));
}

/* They are kept, and count for nothing. */
static void
let_go(void **state)
{
	struct clients clients = {0};
	struct clients_source source = from_v4("192.0.2.1");

	(void)state;
	assert_int_equal(clients_let_go(&clients, 1), 0);
	for (pid_t pid = 1; pid <= 3; pid++)
		add(&clients, pid, source);
	assert_true(there_are(&clients, &source, 3));
	assert_int_equal(clients_let_go(&clients, 2), 1);
	assert_int_equal(clients_let_go(&clients, 2), 1);
	assert_int_equal(clients_let_go(&clients, 4), 1);
	assert_int_equal(clients_let_go(&clients, 3), 2);
	assert_true(there_are(&clients, &source, 1));
	assert_null(clients_limit(&clients, &source, 2, 0));
	assert_string_equal(
	    clients_limit(&clients, &source, 1, 0), "max-clients");
	assert_int_equal(clients.count, 3);
	assert_true(clients_remove(&clients, 1));
	assert_int_equal(clients.let_go, 2);
	assert_true(clients_remove(&clients, 3));
	assert_int_equal(clients.let_go, 1);
	assert_true(clients_remove(&clients, 2));
	assert_int_equal(clients.let_go, 0);
	munmap(clients.at, clients.size * sizeof(*clients.at));
}

static void
half_of_the_clients_from_one_source(void **state)
{
	struct clients clients = {0};
	struct clients_source far = from_v4("192.0.2.1");
	struct clients_source here = from_v4("127.0.0.1");

	(void)state;
	for (pid_t pid = 1; pid <= 3; pid++) {
		assert_null(clients_limit(&clients, &far, 6, -1));
		add(&clients, pid, far);
	}
	assert_string_equal(
	    clients_limit(&clients, &far, 6, -1), "max-per-source");
	assert_null(clients_limit(&clients, &far, 7, -1));
	assert_null(clients_limit(&clients, &far, 0, -1));
	for (pid_t pid = 4; pid <= 6; pid++) {
		assert_null(clients_limit(&clients, &here, 6, -1));
		add(&clients, pid, here);
	}
	assert_string_equal(
	    clients_limit(&clients, &here, 6, -1), "max-clients");
	munmap(clients.at, clients.size * sizeof(*clients.at));
}

static void
none_are_in_one_that_is_all_zero(void **state)
{
	struct clients clients = {0};
	struct clients_source source = from_v4("192.0.2.1");

	(void)state;
	assert_false(clients_remove(&clients, 1));
	assert_true(there_are(&clients, &source, 0));
}

static void
no_child_inherits_them(void **state)
{
	struct clients clients = {0};
	unsigned char there;
	pid_t pid;

	(void)state;
	add(&clients, 1, from_v4("192.0.2.1"));
	assert_int_equal(mincore(clients.at, 1, &there), 0);
	pid = fork_child();
	if (pid == 0) {
		HOLD(mincore(clients.at, 1, &there) < 0 && errno == ENOMEM);
		_exit(0);
	}
	child_held(pid);
	munmap(clients.at, clients.size * sizeof(*clients.at));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ipv4_counts_by_address),
	    cmocka_unit_test(ipv6_counts_by_64),
	    cmocka_unit_test(loopback_is_here),
	    cmocka_unit_test(half_of_the_clients_from_one_source),
	    cmocka_unit_test(mapped_ipv4_counts_as_ipv4),
	    cmocka_unit_test(vsock_counts_by_machine),
	    cmocka_unit_test(unix_counts_by_user),
	    cmocka_unit_test(many_are_kept_and_found),
	    cmocka_unit_test(let_go),
	    cmocka_unit_test(none_are_in_one_that_is_all_zero),
	    cmocka_unit_test(no_child_inherits_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
