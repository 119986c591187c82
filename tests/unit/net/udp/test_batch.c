/* SPDX-License-Identifier: ISC */
#include "net/udp/batch.h"
#include "network.h"
#include "unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>

static struct batch batch, got;

/* A socket on loopback, and where it is. */
static int
open_socket(int family, union addr *out)
{
	socklen_t len = sizeof(*out);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	addr_parse(family == AF_INET ? "127.0.0.1" : "::1", 0, out);
	HOLD(bind(fd, &out->sa, addr_len(out)) == 0);
	HOLD(getsockname(fd, &out->sa, &len) == 0);
	return fd;
}

/* The i-th datagram of a batch: so many bytes, each of them i. */
static void
compose(size_t i, size_t len, int fd, const union addr *to)
{
	struct batch_datagram *datagram = &batch.at[i];

	datagram->data = batch.room[i];
	datagram->len = len;
	datagram->fd = fd;
	datagram->to = *to;
	datagram->error = -1;
	memset(datagram->data, (int)i, len);
}

/* What comes next by this socket is these, each by itself. */
static void
arrive(int fd, const size_t *which, const size_t *lens, size_t count)
{
	static uint8_t data[BATCH_DATA_MAX];

	for (size_t i = 0; i < count; i++) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		size_t len = lens[which[i]];

		HOLD(poll(&ready, 1, 5000) == 1);
		HOLD(recv(fd, data, sizeof(data), 0) == (ssize_t)len);
		for (size_t j = 0; j < len; j++)
			HOLD(data[j] == which[i]);
	}
	HOLD(recv(fd, data, 1, MSG_DONTWAIT) == -1);
}

static void
takes_what_has_come(void **state)
{
	union addr to, from;
	int in = open_socket(AF_INET, &to), out = open_socket(AF_INET, &from);

	(void)state;
	assert_int_equal(batch_receive(&got, in), 0);
	/* Three times, so that what one left is no matter to the next. */
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < BATCH_MAX + 3; i++)
			assert_int_equal(sendto(out, batch.room[0], i, 0,
					     &to.sa, addr_len(&to)),
			    i);
		for (size_t i = 0; i < BATCH_MAX; i++)
			got.at[i].from = (union addr){0};
		assert_int_equal(batch_receive(&got, in), BATCH_MAX);
		assert_int_equal(got.count, BATCH_MAX);
		for (size_t i = 0; i < BATCH_MAX; i++) {
			assert_int_equal(got.at[i].len, i);
			assert_true(addr_equal(&got.at[i].from, &from));
			assert_int_equal(got.at[i].fd, -1);
			assert_int_equal(got.at[i].head, 0);
			/* There is room for a header. */
			memset(got.at[i].data - BATCH_HEADROOM, 0xff,
			    BATCH_HEADROOM);
		}
		assert_int_equal(batch_receive(&got, in), 3);
		assert_int_equal(batch_receive(&got, in), 0);
	}
	close(in);
	assert_true(batch_receive(&got, in) < 0);
	close(out);
}

/* Equal and unequal sizes, empty ones, two sockets, those that stay here. */
static void
sends_to_everybody_in_order(void **state)
{
	static const size_t lens[BATCH_MAX] = {100, 100, 100, 100, 40, 100, 0,
	    9, 9, 5000, 5000, 1452, 1452, 1453, 1453, 1, 1, 1, 1, 1, 1, 1, 2};
	size_t for_four[BATCH_MAX], for_six[BATCH_MAX], n4 = 0, n6 = 0;
	union addr four, six, ignored;
	int in4 = open_socket(AF_INET, &four),
	    in6 = open_socket(AF_INET6, &six);
	int out4 = open_socket(AF_INET, &ignored);
	int out6 = open_socket(AF_INET6, &ignored);

	(void)state;
	for (size_t i = 0; i < 23; i++) {
		bool to_six = i == 2 || i == 12 || i > 20;

		compose(i, lens[i],
		    i == 17  ? -1
		    : to_six ? out6
			     : out4,
		    to_six ? &six : &four);
		if (i == 17)
			continue;
		if (to_six)
			for_six[n6++] = i;
		else
			for_four[n4++] = i;
	}
	batch_send(batch.at, 23);
	for (size_t i = 0; i < 23; i++)
		assert_int_equal(batch.at[i].error, 0);
	arrive(in4, for_four, lens, n4);
	arrive(in6, for_six, lens, n6);
	close(in4);
	close(in6);
	close(out4);
	close(out6);
}

static void
one_that_fails_stops_no_other(void **state)
{
	static const size_t lens[] = {8, 65508, 8, 8, 8, 8};
	static const size_t left[] = {0, 2, 3, 5};
	union addr to, nowhere, ignored;
	int in = open_socket(AF_INET, &to),
	    out = open_socket(AF_INET, &ignored);

	(void)state;
	nowhere = to;
	addr_set_port(&nowhere, 0);
	for (size_t i = 0; i < COUNT(lens); i++)
		compose(i, lens[i], out, i == 4 ? &nowhere : &to);
	batch_send(batch.at, COUNT(lens));
	assert_int_equal(batch.at[1].error, EMSGSIZE);
	assert_int_equal(batch.at[4].error, EINVAL);
	for (size_t i = 0; i < COUNT(left); i++)
		assert_int_equal(batch.at[left[i]].error, 0);
	arrive(in, left, lens, COUNT(left));
	/* All of them fail. */
	for (size_t i = 0; i < BATCH_MAX; i++)
		compose(i, 8, out, &nowhere);
	batch_send(batch.at, BATCH_MAX);
	for (size_t i = 0; i < BATCH_MAX; i++)
		assert_int_equal(batch.at[i].error, EINVAL);
	close(in);
	close(out);
}

/* A path too narrow for what the kernel is to cut out of one piece. */
static void
narrow_path(void)
{
	static const size_t lens[] = {1000, 1000, 1000, 1000, 300};
	static const size_t all[] = {0, 1, 2, 3, 4};
	struct ifreq lo = {.ifr_name = "lo", .ifr_mtu = 600};
	union addr to, ignored;
	int in = open_socket(AF_INET, &to),
	    out = open_socket(AF_INET, &ignored);

	HOLD(ioctl(out, SIOCSIFMTU, &lo) == 0);
	for (size_t i = 0; i < COUNT(lens); i++)
		compose(i, lens[i], out, &to);
	batch_send(batch.at, COUNT(lens));
	for (size_t i = 0; i < COUNT(lens); i++)
		HOLD(batch.at[i].error == 0);
	arrive(in, all, lens, COUNT(lens));
}

static void
what_cannot_go_together_goes_alone(void **state)
{
	(void)state;
	in_network("", narrow_path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_what_has_come),
	    cmocka_unit_test(sends_to_everybody_in_order),
	    cmocka_unit_test(one_that_fails_stops_no_other),
	    cmocka_unit_test(what_cannot_go_together_goes_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
