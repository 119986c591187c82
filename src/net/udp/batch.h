/* SPDX-License-Identifier: ISC */
/*
 * batch: datagrams by the dozen. One system call takes what has come, one
 * sends what is to go.
 */
#ifndef BATCH_H
#define BATCH_H

#include "base/addr.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define BATCH_MAX 32

/* The largest UDP payload, and what may be put in front of it. */
#define BATCH_DATA_MAX 65536
#define BATCH_HEADROOM 32

struct batch_datagram {
	union addr from; /* its sender */
	union addr to;   /* where it is to go */
	uint8_t *data;
	size_t len;
	size_t head; /* how much of it is a header of ours, for the caller */
	int fd;      /* the socket by which it is to go out, -1: it is not */
	int error;   /* why it did not go out, as a positive errno, or 0 */
};

/*
 * All zero at the start. Some 2 MiB, of which a page costs memory from its
 * first use on.
 */
struct batch {
	size_t count;
	struct batch_datagram at[BATCH_MAX];
	size_t prepared; /* of `messages`, from the first on */
	struct mmsghdr messages[BATCH_MAX];
	struct iovec places[BATCH_MAX];
	uint8_t room[BATCH_MAX][BATCH_HEADROOM + BATCH_DATA_MAX];
};

/*
 * Takes what has come by this socket, without waiting. at[0] to at[count - 1]
 * are set, with BATCH_HEADROOM bytes free in front of the data, and fd -1, head
 * 0. The number of datagrams, 0 for none, or -errno.
 */
int batch_receive(struct batch *batch, int fd);

/*
 * Sends each of `count` datagrams that has a socket, without waiting, in their
 * order. Their errors are set; one that can't go out doesn't stop the others.
 */
void batch_send(struct batch_datagram *at, size_t count);

#endif
