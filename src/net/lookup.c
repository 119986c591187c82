/* SPDX-License-Identifier: ISC */
/*
 * Promises: leaves no child behind. Must not: wait, or look anything up in this
 * process.
 */
#include "net/lookup.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(
    sizeof(struct lookup_answer) <= PIPE_BUF, "written in one piece");

enum outcome
lookup_outcome(int eai, int system_errno, int *error)
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
look_up_addresses(const struct lookup *lookup, struct lookup_answer *out)
{
	const struct addrinfo hints = {
	    .ai_family = lookup->family,
	    .ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found = NULL;

	errno = 0;
	out->outcome =
	    lookup_outcome(getaddrinfo(lookup->name, NULL, &hints, &found),
		errno, &out->error);
	out->list.count = 0;
	for (struct addrinfo *ai = found; ai; ai = ai->ai_next) {
		union addr *addr = &out->list.at[out->list.count];

		if (out->list.count == ADDR_LIST_MAX)
			break;
		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		memcpy(addr, ai->ai_addr, ai->ai_addrlen);
		addr_set_port(addr, lookup->port);
		out->list.count++;
	}
	if (out->outcome == OUTCOME_DONE && out->list.count == 0)
		out->outcome = OUTCOME_NO_SUCH_NAME;
}

/* Whoever owns the address says what its name is: any bytes may come. */
static void
look_up_name(const union addr *addr, struct lookup_answer *out)
{
	char name[NI_MAXHOST];
	size_t len;

	errno = 0;
	out->name[0] = '\0';
	out->outcome =
	    lookup_outcome(getnameinfo(&addr->sa, addr_len(addr), name,
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

/* Nothing of the session is left open: neither the client nor a target. */
static int
keep_alone(int report)
{
	int alone = STDERR_FILENO + 1;

	dup2(STDERR_FILENO, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	if (report != alone)
		dup3(report, alone, O_CLOEXEC);
	io_close_from(alone + 1);
	return alone;
}

/* The child: looks up, reports, is gone. */
static void
run_child(const struct lookup *lookup, int report)
{
	struct lookup_answer answer;
	size_t len;

	memset(&answer, 0, sizeof(answer));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	report = keep_alone(report);
	if (lookup->name) {
		look_up_addresses(lookup, &answer);
		len = offsetof(struct lookup_answer, list.at) +
		      answer.list.count * sizeof(answer.list.at[0]);
	} else {
		look_up_name(lookup->addr, &answer);
		len = offsetof(struct lookup_answer, name) +
		      strlen(answer.name) + 1;
	}
	_exit(write(report, &answer, len) == (ssize_t)len ? 0 : 1);
}

int
lookup_start(const struct lookup *lookup, struct lookup_child *out)
{
	int report[2], rc = 0;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	/* Left ignored, as a parent may have, no child could be waited for. */
	signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (pid == 0)
		run_child(lookup, report[1]);
	if (pid < 0)
		rc = -errno;
	close(report[1]);
	if (rc < 0)
		close(report[0]);
	else
		*out = (struct lookup_child){.pid = pid, .fd = report[0]};
	return rc;
}

void
lookup_end(struct lookup_child *child)
{
	if (child->fd < 0)
		return;
	close(child->fd);
	child->fd = -1;
	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static bool
is_list(const struct lookup_answer *answer, size_t len)
{
	const struct addr_list *list = &answer->list;

	if (len < offsetof(struct lookup_answer, list.at) || list->count == 0 ||
	    list->count > ADDR_LIST_MAX ||
	    len < offsetof(struct lookup_answer, list.at) +
		      list->count * sizeof(list->at[0]))
		return false;
	for (size_t i = 0; i < list->count; i++) {
		if (!addr_is_inet(&list->at[i]))
			return false;
	}
	return true;
}

static bool
is_name_answer(const struct lookup_answer *answer, size_t len)
{
	const size_t at = offsetof(struct lookup_answer, name);

	return len > at &&
	       memchr(answer->name, '\0',
		   len - at < WIRE_NAME_SIZE ? len - at : WIRE_NAME_SIZE) &&
	       wire_check_name(answer->name, strlen(answer->name)) == 0;
}

/* An answer is what a child may say, who has read what a server says. */
static bool
is_good(const struct lookup_answer *answer, size_t len, bool named)
{
	if (len < offsetof(struct lookup_answer, list))
		return false;
	if (answer->outcome != OUTCOME_DONE)
		return answer->outcome == OUTCOME_NO_SUCH_NAME ||
		       answer->outcome == OUTCOME_NO_NAME_SERVER ||
		       (answer->outcome == OUTCOME_SYSTEM && answer->error > 0);
	return named ? is_name_answer(answer, len) : is_list(answer, len);
}

bool
lookup_answer(struct lookup_child *child, bool named, struct lookup_answer *out,
    struct failure *failure)
{
	ssize_t n = read(child->fd, out, sizeof(*out));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	lookup_end(child);
	if (n <= 0 || !is_good(out, (size_t)n, named))
		failure_of_system(failure, EIO);
	else
		failure_set(failure, out->outcome, out->error, NULL);
	return true;
}
