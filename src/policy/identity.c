/* SPDX-License-Identifier: ISC */
#include "policy/identity.h"
#include "base/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where no socket can be asked, the environment may name the client. */
static void
hint(char out[IDENTITY_TEXT_MAX])
{
	static const struct {
		const char *address, *port;
	} names[] = {
	    {"TCPREMOTEIP", "TCPREMOTEPORT"}, /* tcpserver, tcpsvd */
	    {"REMOTE_ADDR", "REMOTE_PORT"},   /* systemd */
	    {"REMOTE_HOST", "REMOTE_PORT"},   /* xinetd */
	    {"NCAT_REMOTE_ADDR", "NCAT_REMOTE_PORT"},
	    {"SOCAT_PEERADDR", "SOCAT_PEERPORT"},
	};
	const size_t count = sizeof(names) / sizeof(*names);
	const char *ssh = getenv("SSH_CONNECTION");
	char address[IDENTITY_TEXT_MAX / 2] = "", port[8] = "";
	char text[ADDR_TEXT_MAX];
	uint64_t number = 0;
	union addr addr;

	for (size_t i = 0; !*address && i < count; i++) {
		const char *a = getenv(names[i].address);
		const char *p = getenv(names[i].port);

		snprintf(address, sizeof(address), "%s", a ? a : "");
		snprintf(port, sizeof(port), "%s", p ? p : "");
	}
	/* Last, for a whole session and what it starts inherits this one. */
	if (!*address && ssh)
		sscanf(ssh, "%127s %7s", address, port);
	number_read(port, strlen(port), UINT16_MAX, &number);
	if (!*address)
		snprintf(out, IDENTITY_TEXT_MAX, "pipe");
	else if (addr_parse(address, (uint16_t)number, &addr) == 0)
		snprintf(out, IDENTITY_TEXT_MAX, "pipe:%s",
		    addr_format(&addr.sa, text));
	else
		snprintf(out, IDENTITY_TEXT_MAX, "pipe:%s:%s", address, port);
}

void
identity_of_pipe(struct identity *out)
{
	*out = (struct identity){.local = true};
	hint(out->text);
	if (getenv("SSH_CONNECTION")) {
		out->has_ids = true;
		out->uid = getuid();
		out->gid = getgid();
	}
}

static void
ask_for_ids(int fd, struct identity *out)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	out->local = true;
	snprintf(out->text, sizeof(out->text), "unix");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return;
	out->has_ids = true;
	out->uid = cred.uid;
	out->gid = cred.gid;
	snprintf(out->text, sizeof(out->text), "unix:uid=%u,pid=%d", cred.uid,
	    cred.pid);
}

int
identity_of_socket(int fd, struct identity *out)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	struct sockaddr *sa = (struct sockaddr *)&ss;
	socklen_t len = sizeof(ss);
	char text[ADDR_TEXT_MAX];

	*out = (struct identity){.text = "unknown"};
	if (getpeername(fd, sa, &len) < 0)
		return -errno;
	if (ss.ss_family == AF_UNIX) {
		ask_for_ids(fd, out);
		return 0;
	}
	if (ss.ss_family == AF_INET || ss.ss_family == AF_INET6) {
		memcpy(&out->address, &ss, sizeof(out->address));
		out->address = addr_unmapped(&out->address);
		out->has_address = true;
		out->local = addr_is_loopback(&out->address);
	}
	snprintf(out->text, sizeof(out->text), "%s", addr_format(sa, text));
	return 0;
}

void
identity_replace(struct identity *identity, const struct proxy_header *header)
{
	bool here = identity->local;
	char text[ADDR_TEXT_MAX];

	*identity = (struct identity){.text = "proxied:unknown"};
	if (header->client == PROXY_CLIENT_ON_UNIX_SOCKET)
		strcpy(identity->text, "proxied:unix");
	if (header->client != PROXY_CLIENT_AT_ADDRESS)
		return;
	identity->has_address = true;
	identity->address = header->source;
	/* Another machine's loopback is not ours. */
	identity->local = here && addr_is_loopback(&header->source);
	snprintf(identity->text, sizeof(identity->text), "%s",
	    addr_format(&header->source.sa, text));
}

ssize_t
identity_groups(const struct identity *identity, int fd, gid_t **out)
{
	socklen_t len = 0;
	gid_t *groups;
	int n = 0;

	/* Those of a socket's peer, of which ERANGE tells the number. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, &n, &len) < 0 &&
	    errno == ENOTSOCK) {
		n = getgroups(0, NULL);
		len = n > 0 ? (socklen_t)n * sizeof(*groups) : 0;
	}
	groups = malloc(len + sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	groups[0] = identity->gid;
	if (n > 0)
		n = getgroups(n, groups + 1);
	else if (len > 0 && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS,
				groups + 1, &len) == 0)
		n = (int)(len / sizeof(*groups));
	*out = groups;
	return 1 + (n > 0 ? n : 0);
}
