/* SPDX-License-Identifier: ISC */
#include "policy/identity.h"
#include "base/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What super-servers call a client's address and its port. */
static const struct hint {
	const char *address, *port;
} hints[] = {
    {"TCPREMOTEIP", "TCPREMOTEPORT"}, /* tcpserver, tcpsvd, s6 */
    {"TCP6REMOTEIP", "TCP6REMOTEPORT"},
    {"SSLREMOTEIP", "SSLREMOTEPORT"}, /* sslserver */
    {"REMOTE_ADDR", "REMOTE_PORT"},   /* systemd */
    {"REMOTE_HOST", "REMOTE_PORT"},   /* xinetd, stunnel */
    {"NCAT_REMOTE_ADDR", "NCAT_REMOTE_PORT"},
    {"SOCAT_PEERADDR", "SOCAT_PEERPORT"},
};

/* A client on a Unix socket, as systemd, ncat and socat put it. */
static bool
is_unix_peer(const char *address)
{
	return *address == '/' || *address == '@' ||
	       strcmp(address, "localhost") == 0 ||
	       strcmp(address, "<anon>") == 0;
}

static void
print_hint(const char *kind, const char *address, const char *port,
    char out[IDENTITY_TEXT_MAX])
{
	char text[ADDR_TEXT_MAX];
	uint64_t number = 0;
	union addr addr;

	number_read(port, strlen(port), UINT16_MAX, &number);
	if (addr_parse_host(address, (uint16_t)number, &addr) >= 0)
		snprintf(out, IDENTITY_TEXT_MAX, "%s:%s", kind,
		    addr_format(&addr, text));
	else
		snprintf(out, IDENTITY_TEXT_MAX, "%s:%.127s:%.7s", kind,
		    address, port);
}

/*
 * A hint can only lower what is believed: a client elsewhere is not here, and
 * one that is in two places has no address.
 */
static void
believe_less(const char *address, const char *port, const char *kind,
    struct identity *out)
{
	union addr addr;
	bool known = addr_parse_host(address, 0, &addr) >= 0;

	if (is_unix_peer(address) || (known && addr_is_loopback(&addr)))
		return;
	if (out->local) {
		print_hint(kind, address, port, out->text);
		out->local = false;
		out->has_address = known;
		if (known)
			out->address = addr;
	} else if (!known || !addr_equal_host(&addr, &out->address)) {
		out->has_address = false;
	}
}

/* Whom nothing but the environment tells of. */
static void
ask_environment(const char *kind, struct identity *out)
{
	const char *ssh = getenv("SSH_CONNECTION");
	char address[64] = "", port[8] = "";
	bool hinted = false;

	*out = (struct identity){.local = true, .is_guess = true};
	snprintf(out->text, sizeof(out->text), "%s", kind);
	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++) {
		const char *a = getenv(hints[i].address);
		const char *p = getenv(hints[i].port);

		if (!a || !*a)
			continue;
		if (!hinted)
			print_hint(kind, a, p ? p : "", out->text);
		hinted = true;
		believe_less(a, p ? p : "", kind, out);
	}
	/* A whole session and what it starts inherits this one. */
	if (hinted || !ssh || sscanf(ssh, "%63s %7s", address, port) < 1)
		return;
	print_hint(kind, address, port, out->text);
	out->has_ids = true;
	out->uid = getuid();
	out->gid = getgid();
}

void
identity_of_pipe(struct identity *out)
{
	ask_environment("pipe", out);
}

/*
 * Of socketpair(2): neither end has a name. One that was accepted has the
 * listener's, and one that connected has it for its peer.
 */
static bool
is_pair(int fd, socklen_t peer_len)
{
	struct sockaddr_un own;
	socklen_t len = sizeof(own);

	return peer_len <= sizeof(own.sun_family) &&
	       getsockname(fd, (struct sockaddr *)&own, &len) == 0 &&
	       len <= sizeof(own.sun_family);
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
	union addr addr = {.sa.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(addr);
	char text[ADDR_TEXT_MAX];

	*out = (struct identity){.text = "unknown"};
	if (getpeername(fd, &addr.sa, &len) < 0)
		return -errno;
	/* Of a pair the kernel knows who made it, not who has the other end. */
	if (addr.sa.sa_family == AF_UNIX) {
		if (is_pair(fd, len))
			ask_environment("socketpair", out);
		else
			ask_for_ids(fd, out);
		return 0;
	}
	if (addr_is_inet(&addr)) {
		out->address = addr_unmapped(&addr);
		out->has_address = true;
		out->local = addr_is_loopback(&out->address);
	}
	snprintf(out->text, sizeof(out->text), "%s", addr_format(&addr, text));
	return 0;
}

void
identity_add_end(struct identity *identity, const struct identity *other)
{
	if (identity->local &&
	    (!other->local || (identity->is_guess && !other->is_guess)))
		*identity = *other;
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
	    addr_format(&header->source, text));
}

ssize_t
identity_groups(const struct identity *identity, int fd, gid_t **out)
{
	socklen_t len = 0;
	gid_t *groups;
	int n = 0;

	if (identity->is_guess) {
		n = getgroups(0, NULL);
		len = n > 0 ? (socklen_t)n * sizeof(*groups) : 0;
	} else {
		/* ERANGE, and the length. */
		getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, &n, &len);
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
