/* SPDX-License-Identifier: ISC */
#include "net/upstream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

struct talk {
	const struct io_end *server, *client;
	size_t len; /* bytes of a message that has begun */
	uint8_t data[WIRE_ANSWER_MAX];
};

static int
say(const struct talk *talk, const uint8_t *data, size_t len)
{
	int rc = io_write(talk->server, data, len);

	if (rc == 0 || rc == -ECANCELED)
		return rc;
	return rc == -ETIMEDOUT ? -ETIME : -ECONNRESET;
}

/* Waits for more of a message that has at least so many bytes. */
static int
read_more(struct talk *talk, size_t least)
{
	struct pollfd fds[] = {
	    {.fd = talk->client->fd, .events = 0},
	    {.fd = talk->server->fd, .events = POLLIN},
	};
	int rc;

	while ((rc = io_interrupted()) == 0) {
		ssize_t n;

		if (poll(fds, 2, -1) < 0)
			continue; /* a signal */
		if (fds[0].revents)
			return -EPIPE;
		n = io_read_now(
		    talk->server, talk->data + talk->len, least - talk->len);
		if (n == -EAGAIN)
			continue;
		if (n <= 0)
			return -ECONNRESET;
		talk->len += (size_t)n;
		return 0;
	}
	return rc == -ETIMEDOUT ? -ETIME : rc;
}

/* RFC 1929 */
static int
log_in(struct talk *talk, const struct wire_password *login)
{
	uint8_t message[WIRE_PASSWORD_MAX], status;
	int rc = say(talk, message, wire_put_password(message, login));

	explicit_bzero(message, sizeof(message));
	talk->len = 0;
	if (rc < 0)
		return rc;
	while (wire_get_status(talk->data, talk->len, &status) == 0) {
		if ((rc = read_more(talk, WIRE_STATUS_LEN)) < 0)
			return rc;
	}
	return status == WIRE_STATUS_SUCCESS ? 0 : -EKEYREJECTED;
}

static int
greet(struct talk *talk, const struct wire_password *login)
{
	/* Whoever gave us a password wants it to be used. */
	static const uint8_t methods[] = {
	    WIRE_METHOD_PASSWORD, WIRE_METHOD_NONE};
	size_t first = login ? 0 : 1;
	uint8_t message[WIRE_GREETING_MAX], method;
	ssize_t n;
	int rc = say(talk, message,
	    wire_put_greeting(
		message, methods + first, sizeof(methods) - first));

	if (rc < 0)
		return rc;
	while ((n = wire_get_method(talk->data, talk->len, &method)) == 0) {
		if ((rc = read_more(talk, WIRE_METHOD_LEN)) < 0)
			return rc;
	}
	if (n < 0)
		return (int)n;
	if (method == WIRE_METHOD_NO_ACCEPTABLE)
		return -ENOPROTOOPT;
	if (method == WIRE_METHOD_PASSWORD && login)
		return log_in(talk, login);
	return method == WIRE_METHOD_NONE ? 0 : -EPROTO;
}

static union addr
bound_address(const struct wire_destination *bound)
{
	union addr addr = {.sa.sa_family = AF_UNSPEC};

	if (wire_check_destination(bound) == 0)
		wire_literal(bound, &addr);
	return addr;
}

/*
 * A refusal is one from its second byte on. There are servers that send no
 * more than two or three of it, or an ATYP that is none.
 */
static bool
is_refusal(const struct talk *talk)
{
	return talk->len >= 2 && talk->data[0] == WIRE_VERSION &&
	       talk->data[1] != WIRE_REP_SUCCEEDED;
}

static int
ask(struct talk *talk, const struct wire_request *request,
    struct upstream_reply *out)
{
	struct wire_request plain = *request;
	uint8_t message[WIRE_REQUEST_MAX];
	struct wire_reply reply;
	union addr addr;
	ssize_t n;
	int rc;

	/* Another server may read 010.0.0.1 in another way. */
	if (wire_literal(&request->dst, &addr) >= 0)
		plain.dst = wire_destination_of(&addr);
	rc = say(talk, message, wire_put_request(message, &plain));
	if (rc < 0)
		return rc;
	talk->len = 0;
	while ((n = wire_get_reply(talk->data, talk->len, &reply)) == 0 &&
	       !is_refusal(talk)) {
		rc = read_more(talk, wire_reply_len(talk->data, talk->len));
		if (rc < 0)
			return rc;
	}
	if (is_refusal(talk)) {
		*out = (struct upstream_reply){.rep = talk->data[1]};
		return 0;
	}
	if (n < 0)
		return -EPROTO;
	*out = (struct upstream_reply){
	    .rep = reply.rep,
	    .bound = bound_address(&reply.bound),
	};
	return 0;
}

int
upstream_ask(const struct io_end *server, const struct wire_password *login,
    const struct wire_request *request, const struct io_end *client,
    struct upstream_reply *out)
{
	struct talk talk = {.server = server, .client = client};
	int rc = greet(&talk, login);

	return rc < 0 ? rc : ask(&talk, request, out);
}
