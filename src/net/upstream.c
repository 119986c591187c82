/* SPDX-License-Identifier: ISC */
#include "net/upstream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

struct talk {
	const struct upstream *with;
	struct failure *failure;
	size_t len; /* bytes of a message that has begun */
	uint8_t data[WIRE_ANSWER_MAX];
};

/* The server did this instead of what it was asked for. */
static enum outcome
server_failed(struct talk *talk, const char *words)
{
	return failure_set(
	    talk->failure, OUTCOME_UPSTREAM, 0, "upstream: %s", words);
}

static enum outcome
server_left(struct talk *talk)
{
	return failure_set(talk->failure, OUTCOME_UPSTREAM, ECONNRESET,
	    "upstream: it hung up");
}

/* The alarm, SIGTERM, or neither. */
static enum outcome
interruption(struct talk *talk)
{
	enum outcome outcome =
	    failure_of_interruption(talk->failure, OUTCOME_UPSTREAM);

	return outcome == OUTCOME_UPSTREAM ? server_failed(talk, "it is silent")
					   : outcome;
}

static enum outcome
say(struct talk *talk, const uint8_t *data, size_t len)
{
	enum outcome outcome;

	if (io_write(talk->with->to, data, len) == 0)
		return OUTCOME_DONE;
	outcome = interruption(talk);
	return outcome == OUTCOME_DONE ? server_left(talk) : outcome;
}

/* Waits for more of a message that has at least so many bytes. */
static enum outcome
read_more(struct talk *talk, size_t least)
{
	struct pollfd fds[] = {
	    {.fd = talk->with->client->fd, .events = 0},
	    {.fd = talk->with->from->fd, .events = POLLIN},
	};
	enum outcome outcome;

	while ((outcome = interruption(talk)) == OUTCOME_DONE) {
		ssize_t n;

		if (poll(fds, 2, -1) < 0)
			continue; /* a signal */
		if (fds[0].revents)
			return failure_set(
			    talk->failure, OUTCOME_CLIENT_LEFT, 0, NULL);
		n = io_read_now(talk->with->from, talk->data + talk->len,
		    least - talk->len);
		if (n == -EAGAIN)
			continue;
		if (n <= 0)
			return server_left(talk);
		talk->len += (size_t)n;
		return OUTCOME_DONE;
	}
	return outcome;
}

/* RFC 1929 */
static enum outcome
log_in(struct talk *talk)
{
	uint8_t message[WIRE_PASSWORD_MAX], status;
	enum outcome outcome =
	    say(talk, message, wire_put_password(talk->with->login, message));

	explicit_bzero(message, sizeof(message));
	talk->len = 0;
	while (outcome == OUTCOME_DONE &&
	       wire_get_status(talk->data, talk->len, &status) == 0)
		outcome = read_more(talk, WIRE_STATUS_LEN);
	if (outcome == OUTCOME_DONE && status != WIRE_STATUS_SUCCESS)
		return server_failed(
		    talk, "it doesn't take the user and password");
	return outcome;
}

static enum outcome
negotiate_method(struct talk *talk)
{
	/* Whoever gave us a password wants it to be used. */
	static const uint8_t methods[] = {
	    WIRE_METHOD_PASSWORD, WIRE_METHOD_NONE, WIRE_METHOD_HEARS_ENDS};
	const struct wire_password *login = talk->with->login;
	size_t first = login ? 0 : 1;
	size_t end = talk->with->hears_ends ? 3 : 2;
	uint8_t message[WIRE_GREETING_MAX], method;
	ssize_t n = 0;
	enum outcome outcome = say(talk, message,
	    wire_put_greeting(methods + first, end - first, message));

	while (outcome == OUTCOME_DONE &&
	       (n = wire_get_method(talk->data, talk->len, &method)) == 0)
		outcome = read_more(talk, WIRE_METHOD_LEN);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (n > 0 && method == WIRE_METHOD_NO_ACCEPTABLE)
		return server_failed(
		    talk, "it wants another method of authentication");
	if (n > 0 && method == WIRE_METHOD_PASSWORD && login)
		return log_in(talk);
	return n > 0 && method == WIRE_METHOD_NONE
		   ? OUTCOME_DONE
		   : server_failed(talk, "it doesn't speak SOCKS5");
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

static enum outcome
send_request(struct talk *talk, const struct wire_request *request,
    struct upstream_reply *out)
{
	struct wire_request plain = *request;
	uint8_t message[WIRE_REQUEST_MAX];
	struct wire_reply reply;
	union addr addr;
	ssize_t n = 0;
	enum outcome outcome;

	/* Another server may read 010.0.0.1 in another way. */
	if (wire_literal(&request->dst, &addr) >= 0)
		plain.dst = wire_destination_of(&addr);
	outcome = say(talk, message, wire_put_request(&plain, message));
	talk->len = 0;
	while (outcome == OUTCOME_DONE &&
	       (n = wire_get_reply(talk->data, talk->len, &reply)) == 0 &&
	       !is_refusal(talk))
		outcome =
		    read_more(talk, wire_reply_len(talk->data, talk->len));
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (is_refusal(talk)) {
		*out = (struct upstream_reply){.rep = talk->data[1]};
		return OUTCOME_DONE;
	}
	if (n < 0)
		return server_failed(talk, "it doesn't speak SOCKS5");
	*out = (struct upstream_reply){
	    .rep = reply.rep,
	    .bound = bound_address(&reply.bound),
	};
	return OUTCOME_DONE;
}

enum outcome
upstream_ask(const struct upstream *upstream,
    const struct wire_request *request, struct upstream_reply *out,
    struct failure *failure)
{
	struct talk talk = {.with = upstream, .failure = failure};
	enum outcome outcome = negotiate_method(&talk);

	return outcome == OUTCOME_DONE ? send_request(&talk, request, out)
				       : outcome;
}
