/* SPDX-License-Identifier: ISC */
/*
 * Promises: returns when the alarm rings, whatever the resolver is doing, and
 * leaves no child behind. Must not: look up a name in this process.
 */
#include "net/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A name whose addresses are wanted, or else an address whose name is. */
struct lookup {
	const char *name; /* or NULL */
	uint16_t port;
	const union addr *addr;
};

/* What the child reports, in one write, as far as it is used. */
struct answer {
	enum outcome outcome;
	int error; /* its errno, or 0 */
	union {
		struct addr_list list;
		char name[WIRE_NAME_SIZE];
	};
};

_Static_assert(sizeof(struct answer) <= PIPE_BUF, "written in one piece");

enum outcome
resolve_outcome(int eai, int system_errno, int *error)
{
	*error = 0;
	switch (eai) {
	case 0:
		return OUTCOME_DONE;
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		return OUTCOME_NO_SUCH_NAME;
	case EAI_AGAIN:
	case EAI_FAIL:
		return OUTCOME_NO_NAME_SERVER;
	case EAI_MEMORY:
		*error = ENOMEM;
		return OUTCOME_SYSTEM;
	case EAI_SYSTEM:
		*error = system_errno ? system_errno : EIO;
		return OUTCOME_SYSTEM;
	default: /* our own arguments were wrong */
		*error = EINVAL;
		return OUTCOME_SYSTEM;
	}
}

static void
look_up_addresses(const char *name, uint16_t port, struct answer *out)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found = NULL;

	errno = 0;
	out->outcome = resolve_outcome(
	    getaddrinfo(name, NULL, &hints, &found), errno, &out->error);
	out->list.count = 0;
	for (struct addrinfo *ai = found; ai; ai = ai->ai_next) {
		union addr *addr = &out->list.at[out->list.count];

		if (out->list.count == ADDR_LIST_MAX)
			break;
		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		memcpy(addr, ai->ai_addr, ai->ai_addrlen);
		if (ai->ai_family == AF_INET)
			addr->in.sin_port = htons(port);
		else
			addr->in6.sin6_port = htons(port);
		out->list.count++;
	}
	if (out->outcome == OUTCOME_DONE && out->list.count == 0)
		out->outcome = OUTCOME_NO_SUCH_NAME;
}

/* Whoever owns the address says what its name is: any bytes may come. */
static void
look_up_name(const union addr *addr, struct answer *out)
{
	char name[NI_MAXHOST];
	size_t len;

	errno = 0;
	out->name[0] = '\0';
	out->outcome =
	    resolve_outcome(getnameinfo(&addr->sa, addr_len(addr), name,
				sizeof(name), NULL, 0, NI_NAMEREQD),
		errno, &out->error);
	if (out->outcome != OUTCOME_DONE)
		return;
	len = strlen(name);
	if (len < sizeof(out->name) && wire_check_name(name, len) == 0)
		memcpy(out->name, name, len + 1);
	else
		out->outcome = OUTCOME_NO_SUCH_NAME;
}

/* The child: looks up, reports, is gone. */
static void
child(const struct lookup *lookup, int report)
{
	struct answer answer;
	size_t len;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	if (lookup->name) {
		look_up_addresses(lookup->name, lookup->port, &answer);
		len = offsetof(struct answer, list.at) +
		      answer.list.count * sizeof(answer.list.at[0]);
	} else {
		look_up_name(lookup->addr, &answer);
		len = offsetof(struct answer, name) + strlen(answer.name) + 1;
	}
	_exit(write(report, &answer, len) == (ssize_t)len ? 0 : 1);
}

/* Begins to ask, and does not wait. */
static int
start_child(const struct lookup *lookup, struct resolve *out)
{
	int report[2], rc = 0;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	/* Left ignored, as a parent may have, no child could be waited for. */
	signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (pid == 0)
		child(lookup, report[1]);
	if (pid < 0)
		rc = -errno;
	close(report[1]);
	if (rc < 0)
		close(report[0]);
	else
		*out = (struct resolve){.pid = pid, .fd = report[0]};
	return rc;
}

/* Takes the answer there is, and ends the child. */
static enum outcome
end_child(struct resolve *resolve, struct answer *out, struct failure *failure)
{
	ssize_t n = read(resolve->fd, out, sizeof(*out));
	int error = n < 0 ? errno : EIO;

	close(resolve->fd);
	resolve->fd = -1;
	kill(resolve->pid, SIGKILL);
	while (waitpid(resolve->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n <= 0)
		return failure_of_system(failure, error);
	if (out->outcome == OUTCOME_DONE)
		return OUTCOME_DONE;
	return failure_set(failure, out->outcome, out->error, NULL);
}

int
resolve_start(const char *name, uint16_t port, struct resolve *out)
{
	const struct lookup lookup = {.name = name, .port = port};

	return start_child(&lookup, out);
}

enum outcome
resolve_finish(
    struct resolve *resolve, struct addr_list *out, struct failure *failure)
{
	struct answer answer;
	enum outcome outcome = end_child(resolve, &answer, failure);

	if (outcome == OUTCOME_DONE)
		*out = answer.list;
	return outcome;
}

/* Waits for the answer, the alarm, or the client's leaving. */
static enum outcome
await(int answer, const struct io_end *client, struct failure *failure)
{
	struct pollfd fds[] = {
	    {.fd = answer, .events = POLLIN},
	    {.fd = client->fd, .events = 0},
	};
	enum outcome outcome;

	while ((outcome = failure_of_interruption(
		    failure, OUTCOME_CONNECT_TIMEOUT)) == OUTCOME_DONE &&
	       !fds[0].revents) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return failure_of_system(failure, errno);
		if (fds[1].revents)
			return failure_set(
			    failure, OUTCOME_CLIENT_LEFT, 0, NULL);
	}
	return outcome;
}

static enum outcome
ask_and_wait(const struct lookup *lookup, const struct io_end *client,
    struct answer *out, struct failure *failure)
{
	struct resolve resolve = {.fd = -1};
	struct failure unused;
	int rc = start_child(lookup, &resolve);

	if (rc < 0)
		return failure_of_system(failure, -rc);
	if (await(resolve.fd, client, failure) == OUTCOME_DONE)
		return end_child(&resolve, out, failure);
	end_child(&resolve, out, &unused);
	return failure->outcome;
}

enum outcome
resolve_name_of(const union addr *addr, const struct io_end *client,
    char out[WIRE_NAME_SIZE], struct failure *failure)
{
	const struct lookup lookup = {.addr = addr};
	struct answer answer;
	enum outcome outcome = ask_and_wait(&lookup, client, &answer, failure);

	if (outcome == OUTCOME_DONE)
		memcpy(out, answer.name, strlen(answer.name) + 1);
	return outcome;
}

enum outcome
resolve_destination(const struct wire_destination *dst,
    const struct io_end *client, struct addr_list *out, struct failure *failure)
{
	const struct lookup lookup = {.name = dst->name, .port = dst->port};
	enum outcome outcome = OUTCOME_DONE;
	struct answer answer;

	answer.list.count = 1;
	if (wire_literal(dst, &answer.list.at[0]) != 0)
		outcome = ask_and_wait(&lookup, client, &answer, failure);
	if (outcome != OUTCOME_DONE)
		return outcome;
	*out = answer.list;
	addr_interleave(out);
	return OUTCOME_DONE;
}
