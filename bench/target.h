/* SPDX-License-Identifier: ISC */
/*
 * target: the servers that the load generator connects to, in a thread of its
 * own process.
 */
#ifndef TARGET_H
#define TARGET_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum target_kind {
	TARGET_ECHO, /* answers each message of message_len bytes with itself */
	TARGET_SINK, /* takes the pattern, and checks it */
	TARGET_SOURCE, /* sends the pattern until it is stopped */
};

#define TARGET_MESSAGE_MAX 65536

struct target {
	enum target_kind kind;
	size_t message_len; /* TARGET_ECHO */
	struct sockaddr_in address;
	int listener, epoll;
	pthread_t thread;
	atomic_bool stop;      /* TARGET_SOURCE sends no more */
	atomic_ulong accepted; /* connections */
	atomic_ulong ended;    /* of these */
	atomic_ullong bytes;   /* sent or taken, by connections that ended */
};

/*
 * Listens on a free port of 127.0.0.1, target->address, and serves whoever
 * comes for as long as the process lives: it ends a connection when the other
 * side has. Whatever it can't do, or a wrong byte, ends the program with 1.
 */
void target_start(struct target *target);

/* Until so many have ended; the wait is bounded as those of tunnel.h are. */
void target_wait_ended(struct target *target, unsigned long count);

/*
 * The bulk of a stream: what stands at an offset depends on the offset alone.
 * pattern_at() has *len bytes from there on, 1 or more.
 */
void pattern_init(void);
const uint8_t *pattern_at(uint64_t offset, size_t *len);

/*
 * Every byte of a stream's first 8 MiB, later eight of each 4 KiB: a wrong one
 * ends the program with 1.
 */
void pattern_check(uint64_t offset, const uint8_t *data, size_t len);

#endif
