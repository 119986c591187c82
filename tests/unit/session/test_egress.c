/* SPDX-License-Identifier: ISC */
#include "session/egress.h"
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

static struct egress egress;
static struct failure failure;

static union addr
at(const char *host, uint16_t port)
{
	union addr addr;

	assert_int_equal(addr_parse(host, port, &addr), 0);
	return addr;
}

static struct terms
terms(enum terms_key key, const char *value, struct terms base)
{
	assert_null(terms_set(key, value, strlen(value), &base));
	return base;
}

/* Nothing is known, and nothing is wanted. */
static void
at_the_start(void **state)
{
	const struct peer nobody = {.in = {.fd = -1}};
	const struct terms none = {0};

	(void)state;
	memset(&egress, 0xa5, sizeof(egress));
	egress_init(&none, &egress);
	assert_int_equal(egress.target.fd, -1);
	assert_int_equal(egress.address.sa.sa_family, AF_UNSPEC);
	assert_int_equal(egress.bound.sa.sa_family, AF_UNSPEC);
	assert_false(egress.mptcp);
	assert_true(terms_equal(&egress.terms, &none));
	/* What isn't asked for is left alone. */
	assert_int_equal(
	    egress_find_source(&nobody, &egress.terms, &failure), 0);
	assert_true(terms_equal(&egress.terms, &none));
}

/* A client that has come by TCP to this address, the handler's side of it. */
static int
connected_to(const char *host, struct peer *out)
{
	union addr addr = at(host, 0);
	socklen_t len = addr_len(&addr);
	int type = SOCK_STREAM | SOCK_CLOEXEC;
	int listener = socket(addr.sa.sa_family, type, 0);
	int client = socket(addr.sa.sa_family, type, 0);

	assert_int_equal(bind(listener, &addr.sa, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, &addr.sa, &len), 0);
	assert_int_equal(connect(client, &addr.sa, len), 0);
	*out = (struct peer){
	    .in = {.fd = accept(listener, NULL, NULL), .kind = IO_TCP}};
	assert_true(out->in.fd >= 0);
	close(listener);
	return client;
}

/* Of the family that it has; the other's stays without. */
static void
the_same_as_reached(void **state)
{
	static const char *const hosts[] = {"127.0.0.7", "::1"};
	const struct terms none = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		unit_row("%s", hosts[i]);
		struct terms t = terms(TERMS_SOURCE, "same", none);
		union addr host = at(hosts[i], 0);
		struct peer peer;
		int client = connected_to(hosts[i], &peer);

		assert_int_equal(egress_find_source(&peer, &t, &failure), 0);
		assert_true(addr_equal_host(&t.source.at[i], &host));
		assert_int_equal(t.source.at[!i].sa.sa_family, AF_UNSPEC);
		close(client);
		close(peer.in.fd);
	}
}

static void
nothing_was_reached(void **state)
{
	const struct terms none = {0};
	struct terms t = terms(TERMS_SOURCE, "same", none);
	struct peer peer = {0};
	int pair[2];

	(void)state;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	peer.in = (struct io_end){.fd = pair[0], .kind = IO_SOCKET};
	assert_int_equal(
	    egress_find_source(&peer, &t, &failure), OUTCOME_TERMS_UNMET);
	assert_string_equal(failure.cause.words,
	    "source=same needs a client that comes by TCP");
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(at_the_start),
	    cmocka_unit_test(the_same_as_reached),
	    cmocka_unit_test(nothing_was_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
