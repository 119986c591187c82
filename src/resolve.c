/*
 * Promises: returns when the alarm rings, whatever the resolver is doing, and
 * leaves no child behind. Must not: look up a name in this process.
 */
#include "resolve.h"

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

/* What the child reports; as many addresses as there are, in one write. */
struct answer {
	int rc;
	struct addr_list list;
};

_Static_assert(sizeof(struct answer) <= PIPE_BUF, "written in one piece");

int
resolve_errno(int eai, int system_errno)
{
	switch (eai) {
	case 0:
		return 0;
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		return -ENXIO;
	case EAI_AGAIN:
	case EAI_FAIL:
		return -EREMOTEIO;
	case EAI_MEMORY:
		return -ENOMEM;
	case EAI_SYSTEM:
		return system_errno ? -system_errno : -EIO;
	default: /* our own arguments were wrong */
		return -EINVAL;
	}
}

static void
look_up(const char *name, uint16_t port, struct answer *out)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found = NULL;

	errno = 0;
	out->rc = resolve_errno(getaddrinfo(name, NULL, &hints, &found), errno);
	out->list.count = 0;
	for (struct addrinfo *ai = found; ai && out->list.count < ADDR_LIST_MAX;
	     ai = ai->ai_next) {
		union addr *addr = &out->list.at[out->list.count];

		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		memcpy(addr, ai->ai_addr, ai->ai_addrlen);
		if (ai->ai_family == AF_INET)
			addr->in.sin_port = htons(port);
		else
			addr->in6.sin6_port = htons(port);
		out->list.count++;
	}
	if (out->rc == 0 && out->list.count == 0)
		out->rc = -ENXIO;
}

/* The child: looks up, reports, is gone. */
static void
child(const char *name, uint16_t port, int report)
{
	struct answer answer;
	size_t len;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	look_up(name, port, &answer);
	len = offsetof(struct answer, list.at) +
	      answer.list.count * sizeof(answer.list.at[0]);
	_exit(write(report, &answer, len) == (ssize_t)len ? 0 : 1);
}

int
resolve_start(const char *name, uint16_t port, struct resolve *out)
{
	int report[2], rc = 0;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	/* Left ignored, as a parent may have, no child could be waited for. */
	signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (pid == 0)
		child(name, port, report[1]);
	if (pid < 0)
		rc = -errno;
	close(report[1]);
	if (rc < 0)
		close(report[0]);
	else
		*out = (struct resolve){.pid = pid, .fd = report[0]};
	return rc;
}

int
resolve_finish(struct resolve *resolve, struct addr_list *out)
{
	struct answer answer = {.rc = -EIO};
	ssize_t n = read(resolve->fd, &answer, sizeof(answer));

	if (n < 0)
		answer.rc = -errno;
	else if (n > 0 && answer.rc == 0)
		*out = answer.list;
	close(resolve->fd);
	resolve->fd = -1;
	kill(resolve->pid, SIGKILL);
	while (waitpid(resolve->pid, NULL, 0) < 0 && errno == EINTR)
		;
	return answer.rc;
}

/* Waits for the answer, the alarm, or the client's leaving. */
static int
await(int answer, const struct io_end *client)
{
	struct pollfd fds[] = {
	    {.fd = answer, .events = POLLIN},
	    {.fd = client->fd, .events = 0},
	};
	int rc;

	while ((rc = io_interrupted()) == 0 && !fds[0].revents) {
		if (poll(fds, 2, -1) < 0)
			fds[0].revents = fds[1].revents = 0;
		if (fds[1].revents)
			return -EPIPE;
	}
	return rc;
}

static int
look_up_and_wait(const char *name, uint16_t port, const struct io_end *client,
    struct addr_list *out)
{
	struct addr_list list;
	struct resolve resolve = {.fd = -1};
	int ended, rc = resolve_start(name, port, &resolve);

	if (rc < 0)
		return rc;
	ended = await(resolve.fd, client);
	rc = resolve_finish(&resolve, &list);
	if (ended < 0)
		return ended;
	if (rc == 0)
		*out = list;
	return rc;
}

int
resolve_literal(const struct wire_destination *dst, union addr *out)
{
	if (dst->atyp == WIRE_ATYP_IPV4)
		addr_set_ipv4(out, dst->ipv4, dst->port);
	else if (dst->atyp == WIRE_ATYP_IPV6)
		addr_set_ipv6(out, &dst->ipv6, dst->port);
	else
		return addr_parse(dst->name, dst->port, out);
	return 0;
}

int
resolve_destination(const struct wire_destination *dst,
    const struct io_end *client, struct addr_list *out)
{
	int rc = 0;

	out->count = 1;
	if (resolve_literal(dst, &out->at[0]) < 0)
		rc = look_up_and_wait(dst->name, dst->port, client, out);
	if (rc == 0)
		addr_interleave(out);
	return rc;
}
