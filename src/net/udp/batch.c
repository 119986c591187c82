/* SPDX-License-Identifier: ISC */
/*
 * Promises: never sleeps, and treats no datagram worse for its neighbour's
 * sake. Must not: look into one.
 */
#include "net/udp/batch.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <string.h>

/* What fits into a packet nearly everywhere, and what into the kernel. */
#define SEGMENT_MAX 1452
#define PIECE_MAX   65000

static void
prepare(struct batch *batch, size_t i)
{
	batch->places[i] = (struct iovec){
	    .iov_base = batch->room[i] + BATCH_HEADROOM,
	    .iov_len = BATCH_DATA_MAX,
	};
	batch->messages[i].msg_hdr = (struct msghdr){
	    .msg_name = &batch->at[i].from,
	    .msg_namelen = sizeof(batch->at[i].from),
	    .msg_iov = &batch->places[i],
	    .msg_iovlen = 1,
	};
}

int
batch_receive(struct batch *batch, int fd)
{
	int n;

	while (batch->prepared < BATCH_MAX)
		prepare(batch, batch->prepared++);
	batch->count = 0;
	n = recvmmsg(fd, batch->messages, BATCH_MAX, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	batch->count = (size_t)n;
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_datagram *datagram = &batch->at[i];

		datagram->data = batch->room[i] + BATCH_HEADROOM;
		datagram->len = batch->messages[i].msg_len;
		datagram->head = 0;
		datagram->fd = -1;
		datagram->error = 0;
		batch->messages[i].msg_hdr.msg_namelen = sizeof(datagram->from);
	}
	return n;
}

/* How many from the first on go out by the same socket, BATCH_MAX at most. */
static size_t
run_length(const struct batch_datagram *at, size_t count)
{
	size_t n = 1;

	while (n < count && n < BATCH_MAX && at[n].fd == at[0].fd)
		n++;
	return n;
}

/* How many from the first on the kernel can cut out of one piece: they go to
 * the same place and have the same size, where the last may be shorter. */
static size_t
piece_length(const struct batch_datagram *at, size_t count)
{
	size_t n = 1, total = at[0].len;

	if (total > SEGMENT_MAX)
		return 1;
	while (n < count && at[n - 1].len == at[0].len && at[n].len > 0 &&
	       at[n].len <= at[0].len && total + at[n].len <= PIECE_MAX &&
	       addr_equal(&at[n].to, &at[0].to))
		total += at[n++].len;
	return n;
}

/* The messages of one sendmmsg(2), and what they are made of. */
struct pieces {
	size_t count;
	struct mmsghdr messages[BATCH_MAX];
	size_t lengths[BATCH_MAX]; /* datagrams in each */
	struct iovec places[BATCH_MAX];
	_Alignas(struct cmsghdr)
	    uint8_t segments[BATCH_MAX][CMSG_SPACE(sizeof(uint16_t))];
};

/* One piece of so many datagrams more. */
static void
add_piece(struct pieces *pieces, struct iovec *places,
    struct batch_datagram *at, size_t count)
{
	size_t i = pieces->count++;
	struct msghdr *message = &pieces->messages[i].msg_hdr;
	struct cmsghdr *header;
	uint16_t size = (uint16_t)at->len;

	for (size_t j = 0; j < count; j++)
		places[j] = (struct iovec){at[j].data, at[j].len};
	pieces->lengths[i] = count;
	*message = (struct msghdr){
	    .msg_name = &at->to,
	    .msg_namelen = addr_len(&at->to),
	    .msg_iov = places,
	};
	/* A size_t here, an int with other C libraries. */
	message->msg_iovlen = (__typeof__(message->msg_iovlen))count;
	if (count == 1)
		return;
	message->msg_control = pieces->segments[i];
	message->msg_controllen = sizeof(pieces->segments[i]);
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = IPPROTO_UDP;
	header->cmsg_type = UDP_SEGMENT;
	header->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(header), &size, sizeof(size));
}

/* The pieces that these, for one socket, make. */
static void
make_pieces(struct pieces *pieces, struct batch_datagram *at, size_t count,
    bool together)
{
	size_t n;

	pieces->count = 0;
	for (size_t i = 0; i < count; i += n) {
		n = together ? piece_length(at + i, count - i) : 1;
		add_piece(pieces, pieces->places + i, at + i, n);
	}
}

/*
 * These, by one socket: how many from the first on have been dealt with. Where
 * the kernel has not taken a piece, for which there are reasons that don't
 * hold for a datagram by itself (the path's MTU, a device that computes no
 * checksums), *together is false, and nothing is lost.
 */
static size_t
send_run(struct batch_datagram *at, size_t count, bool *together)
{
	struct pieces pieces;
	size_t done = 0;
	int n, error;

	make_pieces(&pieces, at, count, *together);
	n = sendmmsg(at->fd, pieces.messages, (unsigned)pieces.count,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	error = n < 0 ? errno : 0;
	*together = true;
	for (int i = 0; i < n; i++)
		done += pieces.lengths[i];
	if (n >= 0 || error == EINTR)
		return done;
	if (pieces.lengths[0] > 1 && error != EAGAIN) {
		*together = false;
		return 0;
	}
	/* It may have been the network's word on an earlier one (ICMP), which
	 * is said once; of this one it is said again. */
	if (error != EAGAIN) {
		n = sendmmsg(
		    at->fd, pieces.messages, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == 1)
			return pieces.lengths[0];
		error = errno;
	}
	for (size_t i = 0; i < pieces.lengths[0]; i++)
		at[i].error = error;
	return pieces.lengths[0];
}

void
batch_send(struct batch_datagram *at, size_t count)
{
	bool together = true;

	for (size_t i = 0; i < count; i++)
		at[i].error = 0;
	while (count > 0) {
		size_t n = run_length(at, count);

		if (at->fd >= 0)
			n = send_run(at, n, &together);
		at += n;
		count -= n;
	}
}
