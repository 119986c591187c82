/* SPDX-License-Identifier: ISC */
/*
 * Promises: after peer_take_over() descriptors 0 and 1 are a client's
 * connection, 2 is not the client, and nothing else is open. Or it has found
 * listening sockets, and leaves all as it is.
 * Must not: read a byte of the client's, or believe the environment, but where
 * it makes less of a client about whom the kernel tells nothing.
 */
#include "session/peer.h"
#include "base/log.h"
#include "base/number.h"
#include "base/systemd.h"
#include "base/tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool
carries_bytes(const struct stat *st)
{
	return S_ISSOCK(st->st_mode) || S_ISFIFO(st->st_mode);
}

static bool
is_listening(int fd)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len);
	return listening;
}

/* LISTEN_FDS is for this process, see sd_listen_fds(3). */
static bool
has_listen_fds(void)
{
	const char *text = getenv("LISTEN_PID");
	uint32_t pid;

	return text && number_read_id(text, strlen(text), &pid) == 0 &&
	       (pid_t)pid == getpid();
}

bool
peer_may_listen(void)
{
	return has_listen_fds() || is_listening(STDIN_FILENO);
}

/*
 * Whether 2 is the client. Where 0 is no connection, or not a client's yet, it
 * isn't, whatever 1 is; but it may be the listening socket on 0.
 */
static bool
stderr_is_client(const struct stat stdio[3])
{
	bool same = same_file(&stdio[0], &stdio[2]);

	if (!carries_bytes(&stdio[0]) ||
	    (!same && !same_file(&stdio[1], &stdio[2])) || has_listen_fds())
		return false;
	return same || !is_listening(STDIN_FILENO);
}

void
peer_guard_stderr(struct peer *peer)
{
	int none[2];

	for (int fd = 0; fd < 3; fd++) {
		if (fstat(fd, &peer->stdio[fd]) < 0)
			peer->stdio[fd] = (struct stat){0};
	}
	if (peer->stdio[2].st_mode && !stderr_is_client(peer->stdio))
		return;
	log_forbid_stderr();
	/* Taken, so that the pipe gets other descriptors. */
	if (!peer->stdio[2].st_mode)
		dup2(STDIN_FILENO, STDERR_FILENO);
	/* A pipe that nobody reads: it needs no file system. */
	if (pipe2(none, O_CLOEXEC) < 0) {
		close(STDERR_FILENO);
		return;
	}
	dup2(none[1], STDERR_FILENO);
	close(none[1]);
	close(none[0]);
}

/* What stands on a descriptor that is neither a socket nor a pipe. */
static const char *
describe(int fd, const struct stat *st)
{
	if (!st->st_mode)
		return "closed";
	if (isatty(fd))
		return "a terminal";
	if (S_ISREG(st->st_mode))
		return "a file, not a connection";
	if (S_ISDIR(st->st_mode))
		return "a directory, not a connection";
	return "a device such as /dev/null, not a connection";
}

static int
check_type(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	if (type == SOCK_STREAM)
		return 0;
	return log_fault(
	    "descriptor %d is not a stream socket: set socket_type = stream "
	    "(xinetd), \"stream tcp\" (inetd.conf) or ListenStream= (systemd)",
	    fd);
}

/* One of the two descriptors: can it carry a client's bytes? */
static int
check_end(int fd, const struct stat *st, struct io_end *out)
{
	static const char advice[] =
	    "let a super-server hand the client's connection over on "
	    "descriptors 0 and 1 (StandardInput=socket in systemd), see "
	    "socks5-handler(8)";

	if (!carries_bytes(st))
		return log_fault("descriptor %d is %s: %s%s", fd,
		    describe(fd, st), advice,
		    isatty(fd) ? "; over ssh, leave out -t" : "");
	*out = (struct io_end){
	    .fd = fd,
	    .kind = S_ISFIFO(st->st_mode) ? IO_PIPE : IO_SOCKET,
	};
	return 0;
}

/* With StandardInput=socket alone, 1 is the socket; set otherwise, it isn't. */
static int
check_journal(const struct stat *st)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char this[48];

	snprintf(this, sizeof(this), "%ju:%ju", (uintmax_t)st->st_dev,
	    (uintmax_t)st->st_ino);
	if (!stream || strcmp(stream, this) != 0)
		return 0;
	return log_fault(
	    "descriptor 1 is the journal, not the client: leave "
	    "StandardOutput= out of the service, or set StandardOutput=socket");
}

/*
 * Asks a socket who is at its other end, and notes what kind it is. 1: it is a
 * listening one. -EINVAL, after a sentence: not a stream.
 */
static int
identify(struct io_end *end, struct identity *out)
{
	/* A connection that was reset already has no peer either. */
	if (identity_of_socket(end->fd, out) < 0)
		return check_type(end->fd) < 0 ? -EINVAL
					       : is_listening(end->fd);
	/* It is wanted in any case, and TCP alone takes it. */
	if (out->has_address)
		end->kind = IO_TCP;
	if (end->kind == IO_TCP && tcp_set_nodelay(end) == 0) {
		tcp_set_oobinline(end);
		return 0;
	}
	end->kind = IO_SOCKET;
	return check_type(end->fd);
}

/* Several of LISTEN_FDS, or one that listens: how many, or -EINVAL. */
static int
check_listeners(int count)
{
	for (int i = 0; i < count; i++) {
		int fd = SYSTEMD_LISTEN_FDS_START + i;

		if (check_type(fd) < 0)
			return -EINVAL;
		if (is_listening(fd))
			continue;
		return log_fault(
		    "LISTEN_FDS passes %d sockets, and descriptor %d is not a "
		    "listening one: set Accept=yes in the socket unit for a "
		    "connection to each process, or leave it out for listening "
		    "sockets",
		    count, fd);
	}
	return count;
}

/*
 * Descriptor 3 is the connection: LISTEN_FDS, see sd_listen_fds(3). 0 when it
 * is on 0 and 1 now, or when the variable wasn't for us; the number of sockets
 * when they are listening ones.
 */
static int
adopt_listen_fds(struct peer *peer)
{
	int n = systemd_listen_fds();

	if (n == -ENOSYS) {
		log_fault("LISTEN_FDS is set, but libsystemd.so.0 can't be "
			  "loaded: install libsystemd0, or set "
			  "StandardInput=socket in the service");
		return -ENOSYS;
	}
	if (n > 1 || (n == 1 && is_listening(SYSTEMD_LISTEN_FDS_START))) {
		peer->first_listener = SYSTEMD_LISTEN_FDS_START;
		return check_listeners(n);
	}
	/* None is for us: the variables were meant for an ancestor. */
	if (n == 1) {
		dup2(SYSTEMD_LISTEN_FDS_START, STDIN_FILENO);
		dup2(SYSTEMD_LISTEN_FDS_START, STDOUT_FILENO);
		close(SYSTEMD_LISTEN_FDS_START);
	}
	peer_guard_stderr(peer);
	return 0;
}

/* Descriptor 1, where it is not the same socket as 0. */
static int
take_over_out(struct peer *peer)
{
	const struct stat *st = &peer->stdio[STDOUT_FILENO];
	struct identity who;
	int rc;

	if ((rc = check_end(STDOUT_FILENO, st, &peer->out)) < 0 ||
	    (rc = check_journal(st)) < 0 || peer->out.kind == IO_PIPE)
		return rc;
	rc = identify(&peer->out, &who);
	if (rc == 0)
		identity_add_end(&peer->who, &who);
	if (rc <= 0)
		return rc;
	return log_fault("descriptor 1 is a listening socket, and 0 is not the "
			 "same: leave StandardOutput= out of the service");
}

int
peer_take_over(struct peer *peer)
{
	const struct stat *in = &peer->stdio[STDIN_FILENO];
	int rc;

	if (getenv("LISTEN_FDS") && (rc = adopt_listen_fds(peer)) != 0)
		return rc;
	if ((rc = check_end(STDIN_FILENO, in, &peer->in)) < 0)
		return rc;
	peer->first_listener = STDIN_FILENO;
	if (peer->in.kind == IO_PIPE)
		identity_of_pipe(&peer->who);
	else if ((rc = identify(&peer->in, &peer->who)) != 0)
		return rc;

	peer->one_socket = peer->in.kind != IO_PIPE &&
			   same_file(in, &peer->stdio[STDOUT_FILENO]);
	if (peer->one_socket) {
		peer->out = peer->in;
		peer->out.fd = STDOUT_FILENO;
	} else if ((rc = take_over_out(peer)) < 0) {
		return rc;
	}
	peer->ssh = peer->in.kind == IO_PIPE && peer->out.kind == IO_PIPE &&
		    peer->who.is_guess && peer->who.has_ids;
	io_close_from(STDERR_FILENO + 1);
	return 0;
}

void
peer_release_stderr(const struct peer *peer)
{
	int null;

	if (peer->out.kind != IO_PIPE || log_stderr_forbidden() ||
	    log_needs_stderr())
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return;
	log_forbid_stderr();
	dup2(null, STDERR_FILENO);
	close(null);
}

bool
peer_out_is_held(const struct peer *peer)
{
	const struct stat *out = &peer->stdio[STDOUT_FILENO];
	char path[sizeof("/proc/2147483647/fd/2147483647")];
	bool held = false;
	struct stat st;

	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", getppid(), fd);
		held = held || (stat(path, &st) == 0 && same_file(&st, out));
	}
	return held;
}

int
peer_own_address(const struct peer *peer, union addr *out)
{
	union addr own = {.sa.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(own);

	if (peer->in.kind == IO_PIPE ||
	    getsockname(peer->in.fd, &own.sa, &len) < 0 || !addr_is_inet(&own))
		return -EADDRNOTAVAIL;
	*out = addr_unmapped(&own);
	return 0;
}

void
peer_close(struct peer *peer)
{
	io_close(&peer->in);
	io_close(&peer->out);
}
