/*
 * Promises: after peer_take_over() descriptors 0 and 1 are a client's
 * connection, 2 is not the client, and nothing else is open.
 * Must not: read a byte of the client's, or believe the environment where a
 * socket can be asked.
 */
#include "peer.h"
#include "addr.h"
#include "log.h"
#include "systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <systemd/sd-daemon.h>
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

void
peer_guard_stderr(void)
{
	struct stat in, out, err;
	int none[2];

	if (fstat(STDERR_FILENO, &err) == 0) {
		/* Without a connection on 0, whatever 1 is, it's no client. */
		if (fstat(STDIN_FILENO, &in) < 0 || !carries_bytes(&in))
			return;
		if (!same_file(&in, &err) &&
		    (fstat(STDOUT_FILENO, &out) < 0 || !same_file(&out, &err)))
			return;
	}
	log_forbid_stderr();
	/* A pipe that nobody reads: it needs no file system. */
	if (pipe2(none, O_CLOEXEC) < 0) {
		close(STDERR_FILENO);
		return;
	}
	if (none[1] != STDERR_FILENO) {
		dup2(none[1], STDERR_FILENO);
		close(none[1]);
	}
	/* Else it was 2 itself, and dup2() has closed it. */
	if (none[0] != STDERR_FILENO)
		close(none[0]);
}

/* Descriptor 3 is the connection: LISTEN_FDS, see sd_listen_fds(3). */
static int
adopt_listen_fd(void)
{
	__typeof__(&sd_listen_fds) listen_fds;
	int n;

	listen_fds = (__typeof__(listen_fds))systemd_function("sd_listen_fds");
	if (!listen_fds) {
		log_fault("LISTEN_FDS is set, but libsystemd.so.0 can't be "
			  "loaded: install libsystemd0, or set "
			  "StandardInput=socket in the service");
		return -ENOSYS;
	}
	n = listen_fds(1);
	if (n > 1) {
		log_fault("LISTEN_FDS passes %d sockets, and one process "
			  "serves one client: set Accept=yes in the socket "
			  "unit",
		    n);
		return -EINVAL;
	}
	/* None is for us: the variables were meant for an ancestor. */
	if (n < 1)
		return 0;
	dup2(SD_LISTEN_FDS_START, STDIN_FILENO);
	dup2(SD_LISTEN_FDS_START, STDOUT_FILENO);
	close(SD_LISTEN_FDS_START);
	peer_guard_stderr();
	return 0;
}

/* What stands on a descriptor that is neither a socket nor a pipe. */
static const char *
describe(int fd, const struct stat *st)
{
	if (isatty(fd))
		return "a terminal";
	if (S_ISREG(st->st_mode))
		return "a file";
	if (S_ISDIR(st->st_mode))
		return "a directory";
	return "a device such as /dev/null";
}

static int
check_type(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	if (type == SOCK_STREAM)
		return 0;
	log_fault("descriptor %d is not a stream socket: set socket_type = "
		  "stream (xinetd), \"stream tcp\" (inetd.conf) or "
		  "ListenStream= (systemd)",
	    fd);
	return -EINVAL;
}

/* Of a socket that has no peer: it may have been reset already. */
static int
check_listening(int fd)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len);
	if (!listening)
		return 0;
	log_fault("descriptor %d is a listening socket, not a client's "
		  "connection: set Accept=yes (systemd), wait = no (xinetd) "
		  "or nowait (inetd.conf)",
	    fd);
	return -EINVAL;
}

/* One of the two descriptors: can it carry a client's bytes? */
static int
check_end(int fd, struct stat *st, struct io_end *out)
{
	static const char advice[] =
	    "let a super-server hand the client's connection over on "
	    "descriptors 0 and 1 (StandardInput=socket in systemd), see "
	    "socks5-handler(8)";

	if (fstat(fd, st) < 0) {
		log_fault("descriptor %d is closed: %s", fd, advice);
		return -EINVAL;
	}
	if (S_ISCHR(st->st_mode) && isatty(fd)) {
		log_fault("descriptor %d is a terminal: %s; over ssh, leave "
			  "out -t",
		    fd, advice);
		return -EINVAL;
	}
	if (!carries_bytes(st)) {
		log_fault("descriptor %d is %s, not a connection: %s", fd,
		    describe(fd, st), advice);
		return -EINVAL;
	}
	*out = (struct io_end){.fd = fd, .kind = IO_PIPE};
	if (S_ISFIFO(st->st_mode))
		return 0;
	out->kind = IO_SOCKET;
	return check_type(fd);
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
	log_fault("descriptor 1 is the journal, not the client: leave "
		  "StandardOutput= out of the service, or set "
		  "StandardOutput=socket");
	return -EINVAL;
}

/* Where no socket can be asked, the environment may name the client. */
static void
hint(char out[PEER_TEXT_MAX])
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
	const char *ssh = getenv("SSH_CONNECTION");
	char address[PEER_TEXT_MAX / 2] = "", port[8] = "";
	char text[ADDR_TEXT_MAX];
	union addr addr;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !*address;
	     i++) {
		const char *a = getenv(names[i].address);
		const char *p = getenv(names[i].port);

		snprintf(address, sizeof(address), "%s", a ? a : "");
		snprintf(port, sizeof(port), "%s", p ? p : "");
	}
	/* Last, for a whole session and what it starts inherits this one. */
	if (!*address && ssh)
		sscanf(ssh, "%127s %7s", address, port);
	if (!*address)
		snprintf(out, PEER_TEXT_MAX, "pipe");
	else if (addr_parse(
		     address, (uint16_t)strtoul(port, NULL, 10), &addr) == 0)
		snprintf(
		    out, PEER_TEXT_MAX, "pipe:%s", addr_format(&addr.sa, text));
	else
		snprintf(out, PEER_TEXT_MAX, "pipe:%s:%s", address, port);
}

/*
 * Asks a socket who is at its other end, and notes what kind it is. -EINVAL,
 * after a sentence, when it is a listening one.
 */
static int
identify(struct io_end *end, char out[PEER_TEXT_MAX])
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(ss);
	struct ucred cred;
	char text[ADDR_TEXT_MAX];

	if (getpeername(end->fd, (struct sockaddr *)&ss, &len) < 0) {
		snprintf(out, PEER_TEXT_MAX, "unknown");
		return check_listening(end->fd);
	}
	if (ss.ss_family == AF_UNIX) {
		len = sizeof(cred);
		if (getsockopt(end->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) <
		    0)
			snprintf(out, PEER_TEXT_MAX, "unix");
		else
			snprintf(out, PEER_TEXT_MAX, "unix:uid=%u,pid=%d",
			    cred.uid, cred.pid);
		return 0;
	}
	if (ss.ss_family == AF_INET || ss.ss_family == AF_INET6)
		end->kind = IO_TCP;
	snprintf(out, PEER_TEXT_MAX, "%s",
	    addr_format((struct sockaddr *)&ss, text));
	return 0;
}

/* A kernel before 5.9, or a sandbox, may not know close_range(2). */
static void
close_strays(void)
{
	struct rlimit limit = {.rlim_cur = 1024};

	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0)
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur > 65536)
		limit.rlim_cur = 65536;
	for (int fd = STDERR_FILENO + 1; fd < (int)limit.rlim_cur; fd++)
		close(fd);
}

int
peer_take_over(struct peer *out)
{
	struct stat in_st, out_st;
	char scrap[PEER_TEXT_MAX];
	int rc;

	if (getenv("LISTEN_FDS") && (rc = adopt_listen_fd()) < 0)
		return rc;
	if ((rc = check_end(STDIN_FILENO, &in_st, &out->in)) < 0)
		return rc;
	if (out->in.kind == IO_PIPE)
		hint(out->text);
	else if ((rc = identify(&out->in, out->text)) < 0)
		return rc;

	out->one_socket = fstat(STDOUT_FILENO, &out_st) == 0 &&
			  same_file(&in_st, &out_st) && S_ISSOCK(in_st.st_mode);
	if (out->one_socket) {
		out->out = out->in;
		out->out.fd = STDOUT_FILENO;
	} else if ((rc = check_end(STDOUT_FILENO, &out_st, &out->out)) < 0 ||
		   (rc = check_journal(&out_st)) < 0 ||
		   (out->out.kind != IO_PIPE &&
		       (rc = identify(&out->out, scrap)) < 0)) {
		return rc;
	}
	close_strays();
	return 0;
}

void
peer_close(struct peer *peer)
{
	io_close(&peer->in);
	io_close(&peer->out);
}
