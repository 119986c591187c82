/* SPDX-License-Identifier: ISC */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH      32 /* datagrams in one system call, at most */
#define ROOM       65536
#define HEADER_LEN 10
#define NUMBER_LEN sizeof(uint64_t)

/* Pieces of the pattern begin before this, and are as long as they need be. */
#define PATTERN_STARTS 900000

/* Nothing comes any more of what hasn't come for so long. */
#define SILENCE_S 1

struct batch {
	struct mmsghdr at[BATCH];
	struct iovec places[BATCH];
	struct sockaddr_in senders[BATCH];
	uint8_t room[BATCH][ROOM];
};

struct echo {
	int fd;
	struct sockaddr_in address;
	pthread_t thread;
	atomic_ullong came; /* datagrams */
};

struct flow {
	int fd;
	uint8_t header[HEADER_LEN];
	size_t header_len; /* 0 without a proxy */
	size_t bytes;      /* after the header */
	/* A datagram has a number, from 1 on. In its place, the number's
	 * remainder, it stands from when it is sent to when it comes back. */
	uint64_t under_way[LOAD_WINDOW_MAX];
	size_t window, free;
	uint64_t number; /* of the last one */
	unsigned long long sent, back, lost;
	int64_t last_ns; /* when one came back */
};

/* On a free port of 127.0.0.1. */
static int
open_socket(struct sockaddr_in *own)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 4 << 20;
	socklen_t len = sizeof(*own);

	*own = (struct sockaddr_in){
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (fd < 0 || bind(fd, (struct sockaddr *)own, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)own, &len) < 0)
		fail("a socket for datagrams: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return fd;
}

/* How many have come; 0: none within the socket's time. */
static unsigned
receive(int fd, struct batch *batch)
{
	int n;

	for (size_t i = 0; i < BATCH; i++) {
		batch->places[i] = (struct iovec){batch->room[i], ROOM};
		batch->at[i].msg_hdr = (struct msghdr){
		    .msg_name = &batch->senders[i],
		    .msg_namelen = sizeof(batch->senders[i]),
		    .msg_iov = &batch->places[i],
		    .msg_iovlen = 1,
		};
	}
	n = recvmmsg(fd, batch->at, BATCH, MSG_WAITFORONE, NULL);
	if (n < 0 && errno != EAGAIN)
		fail("waiting for a datagram: %s", strerror(errno));
	return n < 0 ? 0 : (unsigned)n;
}

/* How many of them are gone, one at least. */
static unsigned
give_away(int fd, struct mmsghdr *at, unsigned count)
{
	int n = sendmmsg(fd, at, count, 0);

	if (n < 0)
		fail("sending a datagram: %s", strerror(errno));
	return (unsigned)n;
}

/* --- the target ---------------------------------------------------------- */

static void *
serve(void *arg)
{
	static struct batch batch;
	struct echo *echo = arg;

	for (;;) {
		unsigned count = receive(echo->fd, &batch), i;

		atomic_fetch_add(&echo->came, count);
		for (i = 0; i < count; i++)
			batch.places[i].iov_len = batch.at[i].msg_len;
		for (i = 0; i < count;)
			i += give_away(echo->fd, batch.at + i, count - i);
	}
	return NULL;
}

static void
start_echo(struct echo *echo)
{
	echo->fd = open_socket(&echo->address);
	errno = pthread_create(&echo->thread, NULL, serve, echo);
	if (errno != 0)
		fail("pthread_create: %s", strerror(errno));
}

/* Whatever came back has been there. */
static void
check_served(struct echo *echo, const struct flow *flow)
{
	unsigned long long came = atomic_load(&echo->came);

	if (came < flow->back || came > flow->sent)
		fail("%llu datagrams were sent, %llu came to the target, and "
		     "%llu came back",
		    flow->sent, came, flow->back);
}

/* --- the client ---------------------------------------------------------- */

static const uint8_t *
pattern_of(uint64_t number)
{
	size_t len;

	return pattern_at(number % PATTERN_STARTS, &len);
}

/* The next one, which has a place. */
static void
take_number(struct flow *flow)
{
	do
		flow->number++;
	while (flow->under_way[flow->number % flow->window] != 0);
	flow->under_way[flow->number % flow->window] = flow->number;
	flow->free--;
}

/* The header, the number, and a piece of the pattern. */
static size_t
compose(const struct flow *flow, uint64_t number, uint8_t *out)
{
	uint8_t *payload = out + flow->header_len;

	memcpy(out, flow->header, flow->header_len);
	memcpy(payload, &number, NUMBER_LEN);
	memcpy(
	    payload + NUMBER_LEN, pattern_of(number), flow->bytes - NUMBER_LEN);
	return flow->header_len + flow->bytes;
}

static void
fill_window(struct flow *flow)
{
	static struct batch batch;
	unsigned count = 0, i = 0;

	for (; flow->free > 0 && count < BATCH; count++) {
		take_number(flow);
		batch.places[count] = (struct iovec){
		    .iov_base = batch.room[count],
		    .iov_len = compose(flow, flow->number, batch.room[count]),
		};
		batch.at[count].msg_hdr = (struct msghdr){
		    .msg_iov = &batch.places[count],
		    .msg_iovlen = 1,
		};
	}
	while (i < count)
		i += give_away(flow->fd, batch.at + i, count - i);
	flow->sent += count;
}

static void
check(struct flow *flow, const uint8_t *data, size_t len)
{
	const uint8_t *payload = data + flow->header_len;
	uint64_t number = 0, *place;

	if (len == flow->header_len + flow->bytes)
		memcpy(&number, payload, NUMBER_LEN);
	if (number == 0 || number > flow->number ||
	    memcmp(data, flow->header, flow->header_len) != 0 ||
	    memcmp(payload + NUMBER_LEN, pattern_of(number),
		flow->bytes - NUMBER_LEN) != 0)
		fail("another datagram came back");
	place = &flow->under_way[number % flow->window];
	if (*place == number) {
		*place = 0;
		flow->free++;
		flow->back++;
	} else if (flow->lost == 0) {
		fail("a datagram came back twice");
	}
}

static void
take_back(struct flow *flow)
{
	static struct batch batch;
	unsigned count = receive(flow->fd, &batch);

	for (unsigned i = 0; i < count; i++)
		check(flow, batch.room[i], batch.at[i].msg_len);
	if (count > 0) {
		flow->last_ns = now_ns();
		return;
	}
	flow->lost += flow->window - flow->free;
	flow->free = flow->window;
	memset(flow->under_way, 0, sizeof(flow->under_way));
}

/* Always as many under way as the window has, and in the end none. */
static void
send_for(struct flow *flow, int64_t ns)
{
	int64_t deadline = now_ns() + ns;

	while (now_ns() < deadline) {
		fill_window(flow);
		take_back(flow);
	}
	while (flow->free < flow->window)
		take_back(flow);
	if (flow->back == 0)
		fail("no datagram came back");
}

/* The connection that the association has for its life, or -1. */
static int
open_flow(struct flow *flow, const struct load *l, const struct echo *echo)
{
	const struct timeval patience = {.tv_sec = SILENCE_S};
	struct sockaddr_in own, relay = echo->address;
	int tcp = -1;

	flow->bytes = l->bytes;
	flow->window = flow->free = l->window;
	flow->fd = open_socket(&own);
	setsockopt(
	    flow->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (!l->route.direct) {
		tcp = tunnel_associate(&l->route, &own, &relay);
		flow->header_len = HEADER_LEN;
		flow->header[3] = 1;
		memcpy(flow->header + 4, &echo->address.sin_addr, 4);
		memcpy(flow->header + 8, &echo->address.sin_port, 2);
	}
	if (connect(flow->fd, (struct sockaddr *)&relay, sizeof(relay)) < 0)
		fail("the relay's address: %s", strerror(errno));
	return tcp;
}

static void
run(struct load *l)
{
	static struct echo echo;
	static struct flow flow;
	unsigned long long before;
	double relayed;
	int64_t cpu, used, began;
	int tcp;

	pattern_init();
	start_echo(&echo);
	tcp = open_flow(&flow, l, &echo);
	/* Buffers come to their memory. */
	send_for(&flow, l->ns / 10);
	before = flow.back;
	cpu = measure_cpu_us(&l->proxy);
	began = now_ns();
	send_for(&flow, l->ns);
	used = measure_cpu_us(&l->proxy);
	check_served(&echo, &flow);
	if (tcp >= 0)
		tunnel_close(tcp);
	/* There and back. */
	relayed = 2 * (double)(flow.back - before);
	printf("datagrams %llu\nlost %llu\nper_second %.0f\n", flow.sent,
	    flow.lost, relayed * 1e9 / (double)(flow.last_ns - began));
	load_print_cpu("cpu_us_per_datagram", cpu, used, relayed);
}

static bool
read_numbers(struct load *l, int argc, char **argv)
{
	if (argc != 3)
		return false;
	l->bytes = load_number(argv[0], LOAD_UDP_MAX);
	l->window = load_number(argv[1], LOAD_WINDOW_MAX);
	l->ns = load_ns(argv[2], 60000);
	return l->bytes >= 8 && l->window > 0;
}

const struct test test_udp = {"udp", "BYTES WINDOW MS", read_numbers, run};
