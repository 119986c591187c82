/* SPDX-License-Identifier: ISC */
#include "target.h"
#include "tunnel.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK         262144
#define CHECKED_WHOLE (UINT64_C(8) << 20)
#define CHECK_STRIDE  4096

struct guest {
	int fd;
	uint64_t offset; /* of the stream, or in the message */
	size_t pending;  /* of the answer */
	uint8_t *message;
};

/* It is repeated; its length is no power of two, so that what is lost in whole
 * buffers shows. */
#define PATTERN_WORDS 131071
static uint64_t pattern[PATTERN_WORDS];

void
pattern_init(void)
{
	uint64_t x = 1;

	for (size_t i = 0; i < PATTERN_WORDS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		pattern[i] = x;
	}
}

const uint8_t *
pattern_at(uint64_t offset, size_t *len)
{
	size_t at = offset % sizeof(pattern);

	*len = sizeof(pattern) - at;
	return (const uint8_t *)pattern + at;
}

static void
check_piece(uint64_t offset, const uint8_t *data, size_t len)
{
	while (len > 0) {
		size_t n;
		const uint8_t *right = pattern_at(offset, &n);

		if (n > len)
			n = len;
		if (memcmp(data, right, n) != 0)
			fail("a wrong byte came between offsets %llu and %llu",
			    (unsigned long long)offset,
			    (unsigned long long)offset + n);
		offset += n;
		data += n;
		len -= n;
	}
}

void
pattern_check(uint64_t offset, const uint8_t *data, size_t len)
{
	size_t done = 0;

	if (offset < CHECKED_WHOLE) {
		check_piece(offset, data, len);
		return;
	}
	for (; len - done >= 8; done += CHECK_STRIDE) {
		check_piece(offset + done, data + done, 8);
		if (len - done < CHECK_STRIDE)
			break;
	}
}

/* Gone, when the other side has ended or will not take more. */
static void
bid_farewell(struct target *t, struct guest *g)
{
	if (t->kind != TARGET_ECHO)
		atomic_fetch_add(&t->bytes, g->offset);
	close(g->fd);
	free(g->message);
	free(g);
	atomic_fetch_add(&t->ended, 1);
}

static void
want(struct target *t, struct guest *g, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = g};

	epoll_ctl(t->epoll, EPOLL_CTL_MOD, g->fd, &event);
}

static void
receive(struct target *t)
{
	int fd = accept4(t->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct guest *g = calloc(1, sizeof(*g));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = g};
	const int on = 1;

	if (fd < 0 || !g)
		fail("the target can't accept: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	g->fd = fd;
	if (t->kind == TARGET_ECHO && !(g->message = malloc(t->message_len)))
		fail("no memory for a message");
	if (t->kind == TARGET_SOURCE)
		event.events |= EPOLLOUT;
	if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		fail("epoll_ctl: %s", strerror(errno));
	atomic_fetch_add(&t->accepted, 1);
}

/* false: it is over. */
static bool
answer(struct target *t, struct guest *g)
{
	ssize_t n = send(g->fd, g->message + (t->message_len - g->pending),
	    g->pending, MSG_NOSIGNAL);

	if (n < 0 && errno == EAGAIN)
		n = 0;
	if (n < 0)
		return false;
	g->pending -= (size_t)n;
	want(t, g, g->pending > 0 ? EPOLLOUT : EPOLLIN);
	return true;
}

static bool
echo(struct target *t, struct guest *g)
{
	ssize_t n;

	if (g->pending > 0)
		return answer(t, g);
	n = read(g->fd, g->message + g->offset, t->message_len - g->offset);
	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	g->offset += (uint64_t)n;
	if (g->offset < t->message_len)
		return true;
	g->offset = 0;
	n = send(g->fd, g->message, t->message_len, MSG_NOSIGNAL);
	if (n == (ssize_t)t->message_len)
		return true;
	if (n < 0 && errno != EAGAIN)
		return false;
	g->pending = t->message_len - (n < 0 ? 0 : (size_t)n);
	want(t, g, EPOLLOUT);
	return true;
}

static bool
sink(struct guest *g)
{
	static uint8_t buffer[CHUNK];
	ssize_t n = read(g->fd, buffer, sizeof(buffer));

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	pattern_check(g->offset, buffer, (size_t)n);
	g->offset += (uint64_t)n;
	return true;
}

static bool
source(struct target *t, struct guest *g, uint32_t events)
{
	const uint8_t *data;
	uint8_t scrap;
	size_t len;
	ssize_t n;

	if (events & EPOLLOUT && !atomic_load(&t->stop)) {
		data = pattern_at(g->offset, &len);
		n = send(g->fd, data, len < CHUNK ? len : CHUNK, MSG_NOSIGNAL);
		if (n > 0)
			g->offset += (uint64_t)n;
		return n > 0 || errno == EAGAIN;
	}
	if (events & EPOLLOUT) {
		shutdown(g->fd, SHUT_WR);
		want(t, g, EPOLLIN);
		return true;
	}
	n = read(g->fd, &scrap, 1);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static bool
attend(struct target *t, struct guest *g, uint32_t events)
{
	switch (t->kind) {
	case TARGET_ECHO:
		return echo(t, g);
	case TARGET_SINK:
		return sink(g);
	default:
		return source(t, g, events);
	}
}

static void *
serve(void *arg)
{
	struct target *t = arg;
	struct epoll_event events[64];

	for (;;) {
		int n = epoll_wait(t->epoll, events, 64, -1);

		for (int i = 0; i < n; i++) {
			struct guest *g = events[i].data.ptr;

			if (!g)
				receive(t);
			else if (!attend(t, g, events[i].events))
				bid_farewell(t, g);
		}
	}
	return NULL;
}

void
target_start(struct target *t)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	socklen_t len = sizeof(t->address);

	t->address = (struct sockaddr_in){
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	t->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (t->listener < 0 || t->epoll < 0 ||
	    bind(t->listener, (struct sockaddr *)&t->address, len) < 0 ||
	    listen(t->listener, 4096) < 0 ||
	    getsockname(t->listener, (struct sockaddr *)&t->address, &len) <
		0 ||
	    epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->listener, &event) < 0 ||
	    (errno = pthread_create(&t->thread, NULL, serve, t)) != 0)
		fail("the target can't listen: %s", strerror(errno));
}

void
target_wait_ended(struct target *t, unsigned long count)
{
	int64_t deadline = now_ns() + TUNNEL_PATIENCE_S * INT64_C(1000000000);

	while (atomic_load(&t->ended) < count) {
		if (now_ns() > deadline)
			fail("the target has seen the end of %lu connections, "
			     "not of %lu",
			    atomic_load(&t->ended), count);
		usleep(1000);
	}
}
