/* SPDX-License-Identifier: ISC */
#include "fuzz.h"
#include "net/upstream.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What was left unread is what stood behind the `used` first bytes. */
static void
check_rest(int fd, const uint8_t *data, size_t size, size_t *used)
{
	uint8_t *rest = malloc(size + 1);
	ssize_t n;

	HOLD(rest);
	n = recv(fd, rest, size + 1, MSG_DONTWAIT);
	HOLD(n >= 0 && (size_t)n <= size);
	*used = size - (size_t)n;
	HOLD(n == 0 || memcmp(rest, data + *used, (size_t)n) == 0);
	free(rest);
}

/* "": it has answered; or what went wrong, in words. */
static const char *
converse(const uint8_t *data, size_t size, const struct wire_password *login,
    struct upstream_reply *reply, size_t *used)
{
	static const struct wire_request request = {
	    .command = WIRE_CONNECT,
	    .dst = {.atyp = WIRE_ATYP_NAME, .name_len = 1, .name = "x"},
	};
	const struct io_end nobody = {.fd = -1, .kind = IO_SOCKET};
	struct io_end server = {.kind = IO_SOCKET};
	const struct upstream upstream = {
	    .to = &server,
	    .from = &server,
	    .login = login,
	    .client = &nobody,
	};
	static struct failure failure;
	enum outcome outcome;
	int pair[2];

	HOLD(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	HOLD(size == 0 || write(pair[1], data, size) == (ssize_t)size);
	HOLD(shutdown(pair[1], SHUT_WR) == 0);
	server.fd = pair[0];
	outcome = upstream_ask(&upstream, &request, reply, &failure);
	HOLD(outcome == OUTCOME_DONE || outcome == OUTCOME_UPSTREAM);
	check_rest(pair[0], data, size, used);
	close(pair[0]);
	close(pair[1]);
	return outcome == OUTCOME_DONE ? "" : failure.cause.words;
}

/* The length of the reply at the end of what was used, by its ATYP. */
static void
check_accepted(const uint8_t *data, size_t used, size_t greeted)
{
	struct wire_reply reply;
	ssize_t n = wire_get_reply(data + greeted, used - greeted, &reply);

	HOLD(n == (ssize_t)(used - greeted));
	HOLD(reply.rep == WIRE_REP_SUCCEEDED);
	HOLD(wire_reply_len(data + greeted, (size_t)n) == (size_t)n);
	for (size_t i = 0; i < (size_t)n; i++)
		HOLD(wire_reply_len(data + greeted, i) <= (size_t)n);
}

/* The input is what a server says; to one who has a password, and who not. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct wire_password login = {"user", "word", 4, 4};

	if (size > 4096)
		return 0;
	for (size_t with = 0; with < 2; with++) {
		struct upstream_reply reply = {.rep = 0xa5}, again;
		size_t used, used_again, greeted;
		char said[FAULT_WORDS_MAX];

		strcpy(said,
		    converse(data, size, with ? &login : NULL, &reply, &used));

		/* Nothing further could have made another answer of it. */
		if (strcmp(said, "upstream: it hung up") != 0) {
			HOLD(strcmp(converse(data, used, with ? &login : NULL,
					&again, &used_again),
				 said) == 0);
			HOLD(used_again == used);
		}
		if (*said) {
			HOLD(reply.rep == 0xa5);
			continue;
		}
		greeted = data[1] == WIRE_METHOD_PASSWORD ? 4 : 2;
		HOLD(data[0] == WIRE_VERSION && (with || greeted == 2));
		HOLD(reply.rep == data[greeted + 1]);
		if (reply.rep == WIRE_REP_SUCCEEDED)
			check_accepted(data, used, greeted);
		else
			HOLD(used <= greeted + 5 &&
			     reply.bound.sa.sa_family == AF_UNSPEC);
	}
	return 0;
}
