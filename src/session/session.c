/* SPDX-License-Identifier: ISC */
#include "session/session.h"

#include <errno.h>
#include <stddef.h>

/* Of what the client has under way, no more is read. */
#define DRAIN_BYTES 262144

int
session_read_more(struct session *s)
{
	struct io_buffer *inbox = &s->inbox;
	ssize_t n = io_read(
	    &s->peer.in, inbox->data + inbox->end, IO_BUFFER_SIZE - inbox->end);

	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ENOTCONN;
	inbox->end += (size_t)n;
	return 0;
}

int
session_reply(struct session *s, uint8_t rep, const union addr *bound)
{
	const struct sockaddr *sa = bound ? &bound->sa : NULL;
	uint8_t message[WIRE_REPLY_MAX];

	s->record.reply = rep;
	return io_write(&s->peer.out, message,
	    s->socks4 ? wire4_put_reply(message, rep, sa)
		      : wire_put_reply(message, rep, sa));
}

void
session_let_go(struct session *s)
{
	io_shut_write(&s->peer.out);
	io_drain(&s->peer.in, DRAIN_BYTES);
}
