/* SPDX-License-Identifier: ISC */
/*
 * Each test plays a super-server: a child puts things on descriptors 0, 1 and
 * 2 and looks at what is made of them. Real ones are in tests/activation.bats.
 */
#include "base/addr.h"
#include "base/log.h"
#include "base/systemd.h"
#include "session/peer.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#define STRAY_FD 100

/* What stands on 0 and 1, and the other end of it. */
struct client {
	int in, out;
	int far_in, far_out;
};

static const char *const hints[] = {"SSH_CONNECTION", "TCPREMOTEIP",
    "TCPREMOTEPORT", "TCP6REMOTEIP", "TCP6REMOTEPORT", "SSLREMOTEIP",
    "SSLREMOTEPORT", "REMOTE_ADDR", "REMOTE_PORT", "REMOTE_HOST",
    "NCAT_REMOTE_ADDR", "NCAT_REMOTE_PORT", "SOCAT_PEERADDR", "SOCAT_PEERPORT",
    "JOURNAL_STREAM", "LISTEN_FDS", "LISTEN_PID"};

static int
listener(int family, const char *text, union addr *addr)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int off = 0;
	socklen_t len =
	    family == AF_INET ? sizeof(addr->in) : sizeof(addr->in6);

	assert_true(fd >= 0);
	*addr = (union addr){.sa.sa_family = (sa_family_t)family};
	/* Any address at all where it has to be both families'. */
	if (text)
		assert_int_equal(addr_parse(text, 0, addr), 0);
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	assert_int_equal(bind(fd, &addr->sa, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, &addr->sa, &len), 0);
	return fd;
}

/* A connection to it, and the client's address as the record has it. */
static struct client
tcp_client(int fd, const union addr *to, char expected[ADDR_TEXT_MAX])
{
	union addr own;
	socklen_t len = sizeof(own);
	int far = socket(to->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int near;

	assert_int_equal(connect(far, &to->sa, addr_len(to)), 0);
	near = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(near >= 0);
	assert_int_equal(getsockname(far, &own.sa, &len), 0);
	addr_format(&own, expected);
	return (struct client){near, near, far, far};
}

/* One that was accepted. */
static struct client
unix_client(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(at.sun_family);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int far = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), near;

	/* A name of the kernel's choice. */
	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	len = sizeof(at);
	getsockname(listener, (struct sockaddr *)&at, &len);
	assert_int_equal(connect(far, (struct sockaddr *)&at, len), 0);
	near = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(near >= 0);
	close(listener);
	return (struct client){near, near, far, far};
}

static struct client
pair_client(void)
{
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	return (struct client){pair[0], pair[0], pair[1], pair[1]};
}

static struct client
pipe_client(void)
{
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	return (struct client){in[0], out[1], out[0], in[1]};
}

static void
close_client(const struct client *client)
{
	close(client->in);
	close(client->far_in);
	if (client->out != client->in)
		close(client->out);
	if (client->far_out != client->far_in)
		close(client->far_out);
}

static void
put_on(int fd, int at)
{
	if (fd < 0)
		close(at);
	else
		HOLD(dup2(fd, at) == at);
}

/* In the child: takes over what it gets there. */
static int
take_over(int in, int out, struct peer *peer)
{
	put_on(in, STDIN_FILENO);
	put_on(out, STDOUT_FILENO);
	*peer = (struct peer){0};
	peer_guard_stderr(peer);
	return peer_take_over(peer);
}

struct expectation {
	enum io_kind in, out;
	bool one_socket;
	const char *text;
	const char *env[7]; /* names and values */
};

static void
is_taken_for(const struct client *client, const struct expectation *e)
{
	pid_t pid = fork_child();
	struct peer peer;

	if (pid == 0) {
		for (size_t i = 0; i + 1 < COUNT(e->env) && e->env[i]; i += 2)
			HOLD(setenv(e->env[i], e->env[i + 1], 1) == 0);
		HOLD(dup2(client->in, STRAY_FD) == STRAY_FD);
		HOLD(take_over(client->in, client->out, &peer) == 0);
		HOLD(peer.in.fd == STDIN_FILENO);
		HOLD(peer.out.fd == STDOUT_FILENO);
		if (strcmp(peer.who.text, e->text) != 0)
			fprintf(
			    stderr, "not %s, but %s\n", e->text, peer.who.text);
		HOLD(strcmp(peer.who.text, e->text) == 0);
		HOLD(peer.in.kind == e->in && peer.out.kind == e->out);
		HOLD(peer.one_socket == e->one_socket);
		HOLD(fcntl(STRAY_FD, F_GETFD) < 0 && errno == EBADF);
		HOLD(fcntl(STDERR_FILENO + 1, F_GETFD) < 0 && errno == EBADF);
		peer_close(&peer);
		HOLD(fcntl(STDIN_FILENO, F_GETFD) < 0);
		HOLD(fcntl(STDOUT_FILENO, F_GETFD) < 0);
		_exit(0);
	}
	child_held(pid);
}

static void
tcp(void **state)
{
	static const struct {
		int family;
		const char *text;
	} table[] = {{AF_INET, "127.0.0.1"}, {AF_INET6, "::1"}};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text);
		char text[ADDR_TEXT_MAX];
		struct expectation e = {
		    IO_TCP, IO_TCP, true, text, {"REMOTE_ADDR", "192.0.2.66"}};
		union addr addr;
		int fd = listener(table[i].family, table[i].text, &addr);
		struct client client = tcp_client(fd, &addr, text);

		/* The hint is not even looked at. */
		is_taken_for(&client, &e);
		close_client(&client);
		close(fd);
	}
}

/* IPv4 to a listener for both families is IPv4 in the record. */
static void
tcp_mapped(void **state)
{
	char text[ADDR_TEXT_MAX];
	struct expectation e = {IO_TCP, IO_TCP, true, text, {NULL}};
	struct client client;
	union addr addr, to;
	int fd = listener(AF_INET6, NULL, &addr);

	(void)state;
	assert_int_equal(
	    addr_parse("127.0.0.1", ntohs(addr.in6.sin6_port), &to), 0);
	client = tcp_client(fd, &to, text);
	assert_memory_equal(text, "127.0.0.1:", 10);
	is_taken_for(&client, &e);
	close_client(&client);
	close(fd);
}

static void
unix_socket(void **state)
{
	char text[64];
	struct expectation e = {IO_SOCKET, IO_SOCKET, true, text, {NULL}};
	struct client client = unix_client();

	(void)state;
	/* Both ends are this process's own. */
	snprintf(text, sizeof(text), "unix:uid=%u,pid=%d", geteuid(), getpid());
	is_taken_for(&client, &e);
	close_client(&client);
}

static void
socket_pair(void **state)
{
	static const struct expectation table[] = {
	    {IO_SOCKET, IO_SOCKET, true, "socketpair", {NULL}},
	    {IO_SOCKET, IO_SOCKET, true, "socketpair:192.0.2.1:4711",
		{"SOCAT_PEERADDR", "192.0.2.1", "SOCAT_PEERPORT", "4711"}},
	};
	struct client client = pair_client();

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		is_taken_for(&client, &table[i]);
	close_client(&client);
}

static void
pipes(void **state)
{
	static const struct expectation table[] = {
	    {IO_PIPE, IO_PIPE, false, "pipe", {NULL}},
	    {IO_PIPE, IO_PIPE, false, "pipe:192.0.2.1:4711",
		{"TCPREMOTEIP", "192.0.2.1", "TCPREMOTEPORT", "4711"}},
	    {IO_PIPE, IO_PIPE, false, "pipe:[2001:db8::1]:4711",
		{"REMOTE_ADDR", "2001:db8::1", "REMOTE_PORT", "4711"}},
	    {IO_PIPE, IO_PIPE, false, "pipe:192.0.2.1:4711",
		{"REMOTE_ADDR", "::ffff:192.0.2.1", "REMOTE_PORT", "4711"}},
	    {IO_PIPE, IO_PIPE, false, "pipe:host.example:4711",
		{"REMOTE_HOST", "host.example", "REMOTE_PORT", "4711"}},
	    {IO_PIPE, IO_PIPE, false, "pipe:192.0.2.1:4711",
		{"NCAT_REMOTE_ADDR", "192.0.2.1", "NCAT_REMOTE_PORT", "4711"}},
	    {IO_PIPE, IO_PIPE, false, "pipe:192.0.2.1:4711",
		{"SOCAT_PEERADDR", "192.0.2.1", "SOCAT_PEERPORT", "4711"}},
	    {IO_PIPE, IO_PIPE, false, "pipe:192.0.2.1:50123",
		{"SSH_CONNECTION", "192.0.2.1 50123 192.0.2.2 22"}},
	    /* The one that isn't here counts. */
	    {IO_PIPE, IO_PIPE, false, "pipe:192.0.2.1:4711",
		{"REMOTE_ADDR", "127.0.0.1", "SOCAT_PEERADDR", "192.0.2.1",
		    "SOCAT_PEERPORT", "4711"}},
	    /* That of a whole session says less than a nearer one. */
	    {IO_PIPE, IO_PIPE, false, "pipe:192.0.2.66:4711",
		{"SSH_CONNECTION", "192.0.2.1 50123 192.0.2.2 22",
		    "REMOTE_ADDR", "192.0.2.66", "REMOTE_PORT", "4711"}},
	    {IO_PIPE, IO_PIPE, false, "pipe",
		{"SSH_CONNECTION", "", "REMOTE_ADDR", ""}},
	};
	struct client client = pipe_client();

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text);
		is_taken_for(&client, &table[i]);
	}
	close_client(&client);
}

/* Longer than there is room for: cut, and ended. */
static void
long_hints(void **state)
{
	static char value[4096];
	struct client client = pipe_client();
	pid_t pid;

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	for (size_t i = 0; i < 14; i++) {
		pid = fork_child();
		if (pid == 0) {
			struct peer peer;

			memset(&peer, 'y', sizeof(peer));
			setenv(hints[i], value, 1);
			setenv("REMOTE_PORT", value, 1);
			HOLD(take_over(client.in, client.out, &peer) == 0);
			HOLD(
			    memchr(peer.who.text, '\0', sizeof(peer.who.text)));
			HOLD(memcmp(peer.who.text, "pipe", 4) == 0);
			_exit(0);
		}
		child_held(pid);
	}
	close_client(&client);
}

/* One way by a pipe, the other by a socket, which is believed on either. */
static void
mixed(void **state)
{
	char text[ADDR_TEXT_MAX];
	struct expectation in = {
	    IO_TCP, IO_PIPE, false, text, {"REMOTE_ADDR", "192.0.2.66"}};
	struct expectation out = {IO_PIPE, IO_TCP, false, text, {NULL}};
	union addr addr;
	int fd = listener(AF_INET, "127.0.0.1", &addr);
	struct client socket = tcp_client(fd, &addr, text);
	struct client pipes = pipe_client();
	struct client client = {.in = socket.in, .out = pipes.out};

	(void)state;
	is_taken_for(&client, &in);
	client = (struct client){.in = pipes.in, .out = socket.out};
	is_taken_for(&client, &out);
	close_client(&socket);
	close_client(&pipes);
	close(fd);
}

/* A client that has reset its connection is no mistake in the set-up. */
static void
gone_already(void **state)
{
	const struct linger now = {.l_onoff = 1};
	char text[ADDR_TEXT_MAX];
	struct expectation e = {IO_SOCKET, IO_SOCKET, true, "unknown", {NULL}};
	union addr addr;
	int fd = listener(AF_INET, "127.0.0.1", &addr);
	struct client client = tcp_client(fd, &addr, text);

	(void)state;
	setsockopt(client.far_in, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(client.far_in);
	is_taken_for(&client, &e);
	close(client.in);
	close(fd);
}

/* Refused, with one sentence that has both of these in it. */
static void
is_refused(int in, int out, const char *what, const char *advice)
{
	char sentence[1024];
	pid_t pid;

	listen_to_stderr();
	pid = fork_child();
	if (pid == 0) {
		struct peer peer;

		_exit(take_over(in, out, &peer) == -EINVAL ? 0 : 1);
	}
	what_stderr_said(sentence, sizeof(sentence));
	child_held(pid);
	assert_non_null(strstr(sentence, what));
	assert_non_null(strstr(sentence, advice));
	assert_ptr_equal(
	    strchr(sentence, '\n'), sentence + strlen(sentence) - 1);
}

static void
mistakes(void **state)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct client client = pipe_client();
	union addr addr;
	int fd = listener(AF_INET, "127.0.0.1", &addr);
	int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	is_refused(-1, client.out, "descriptor 0 is closed", "super-server");
	is_refused(client.in, -1, "descriptor 1 is closed", "super-server");
	is_refused(file, file, "descriptor 0 is a file", "super-server");
	is_refused(directory, client.out, "0 is a directory", "super-server");
	is_refused(null, null, "0 is a device", "StandardInput=socket");
	is_refused(client.in, null, "1 is a device", "StandardInput=socket");
	is_refused(client.in, fd, "1 is a listening socket", "StandardOutput=");
	is_refused(datagrams, datagrams, "0 is not a stream", "socket_type");
	close_client(&client);
	close(file);
	close(directory);
	close(null);
	close(fd);
	close(datagrams);
}

/* Descriptor 2 is left alone, or is the client and forbidden from now on. */
static void
guards_stderr(int in, int out, int err, bool forbidden)
{
	pid_t pid = fork_child();

	if (pid == 0) {
		struct stat before = {0}, after;
		struct peer peer;

		put_on(in, STDIN_FILENO);
		put_on(out, STDOUT_FILENO);
		put_on(err, STDERR_FILENO);
		fstat(STDERR_FILENO, &before);
		peer_guard_stderr(&peer);
		if (log_stderr_forbidden() != forbidden ||
		    fstat(STDERR_FILENO, &after) < 0)
			_exit(2);
		if ((before.st_ino != after.st_ino) != forbidden)
			_exit(3);
		/* Whoever writes there reaches nobody, and gets an error. */
		signal(SIGPIPE, SIG_IGN);
		_exit(forbidden && write(STDERR_FILENO, "x", 1) >= 0 ? 4 : 0);
	}
	child_held(pid);
}

static void
standard_error(void **state)
{
	struct client unix_ = unix_client(), pipes = pipe_client();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char byte;

	(void)state;
	guards_stderr(unix_.in, unix_.in, unix_.in, true);
	guards_stderr(pipes.in, pipes.out, pipes.out, true);
	guards_stderr(unix_.in, unix_.in, null, false);
	guards_stderr(pipes.in, pipes.out, null, false);
	/* Started by hand, all three the same: no client is there. */
	guards_stderr(null, null, null, false);
	/* No byte has reached either. */
	assert_int_equal(recv(unix_.far_in, &byte, 1, MSG_DONTWAIT), -1);
	fcntl(pipes.far_in, F_SETFL, O_NONBLOCK);
	assert_int_equal(read(pipes.far_in, &byte, 1), -1);
	close_client(&unix_);
	close_client(&pipes);
	close(null);
}

/* Closed is forbidden too; and what is opened next must not be 2. */
static void
closed_standard_error(void **state)
{
	struct client client = unix_client(), pipes = pipe_client();

	(void)state;
	guards_stderr(client.in, client.in, -1, true);
	guards_stderr(pipes.in, pipes.out, -1, true);
	guards_stderr(-1, -1, -1, true);
	close_client(&client);
	close_client(&pipes);
}

static void
the_journal_on_1(void **state)
{
	struct client client = pipe_client();
	char stream[64];
	struct stat st;

	(void)state;
	fstat(client.out, &st);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	is_refused(
	    client.in, client.out, "1 is the journal", "StandardOutput=socket");
	unsetenv("JOURNAL_STREAM");
	close_client(&client);
}

/* LISTEN_FDS for this process: descriptor 3 moves to 0 and 1. */
static void
listen_fds(void **state)
{
	struct client client = unix_client();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char text[32];
	pid_t pid;

	(void)state;
	if (systemd_listen_fds() == -ENOSYS) {
		fprintf(stderr, "skipped: no libsystemd.so.0 here\n");
		skip();
	}
	pid = fork_child();
	if (pid == 0) {
		struct peer peer;

		snprintf(text, sizeof(text), "%d", getpid());
		setenv("LISTEN_PID", text, 1);
		setenv("LISTEN_FDS", "1", 1);
		put_on(client.in, 3);
		HOLD(take_over(null, null, &peer) == 0);
		HOLD(peer.one_socket && peer.in.kind == IO_SOCKET);
		HOLD(fcntl(3, F_GETFD) < 0);
		HOLD(!getenv("LISTEN_FDS")); /* for nobody else */
		_exit(0);
	}
	child_held(pid);
	/* For some other process: 0 and 1 are what counts. */
	pid = fork_child();
	if (pid == 0) {
		struct peer peer;

		setenv("LISTEN_PID", "1", 1);
		setenv("LISTEN_FDS", "1", 1);
		HOLD(take_over(client.in, client.in, &peer) == 0);
		_exit(0);
	}
	child_held(pid);
	close_client(&client);
	close(null);
}

/* In a child: sets LISTEN_FDS for this process, and takes over. */
static int
take_over_passed(size_t count, const int fds[], struct peer *peer)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char text[32];

	snprintf(text, sizeof(text), "%d", getpid());
	setenv("LISTEN_PID", text, 1);
	snprintf(text, sizeof(text), "%zu", count);
	setenv("LISTEN_FDS", text, 1);
	/* Out of the way of those that are put there. */
	null = fcntl(null, F_DUPFD_CLOEXEC, STRAY_FD + 1);
	for (size_t i = 0; i < count; i++)
		put_on(fds[i], STRAY_FD + 2 + (int)i);
	for (size_t i = 0; i < count; i++)
		put_on(STRAY_FD + 2 + (int)i, 3 + (int)i);
	return take_over(null, null, peer);
}

/* Nothing is closed, and none of it is a client's. */
static void
listening_sockets(void **state)
{
	union addr addr;
	int fds[] = {listener(AF_INET, "127.0.0.1", &addr),
	    listener(AF_INET6, "::1", &addr)};
	struct peer peer;
	pid_t pid = fork_child();

	(void)state;
	if (pid == 0) {
		HOLD(dup2(fds[0], STRAY_FD) == STRAY_FD);
		HOLD(take_over(fds[0], fds[0], &peer) == 1);
		HOLD(peer.first_listener == STDIN_FILENO);
		HOLD(fcntl(STRAY_FD, F_GETFD) >= 0);
		_exit(0);
	}
	child_held(pid);
	if (systemd_listen_fds() == -ENOSYS) {
		fprintf(stderr, "skipped: no libsystemd.so.0 here\n");
		skip();
	}
	for (size_t count = 1; count <= COUNT(fds); count++) {
		pid = fork_child();
		if (pid == 0) {
			HOLD(take_over_passed(count, fds, &peer) == (int)count);
			HOLD(peer.first_listener == 3);
			HOLD(!getenv("LISTEN_FDS"));
			_exit(0);
		}
		child_held(pid);
	}
	close(fds[0]);
	close(fds[1]);
}

/* Of several that are passed, each has to listen. */
static void
listening_and_not(void **state)
{
	struct client client = unix_client();
	union addr addr;
	int fds[] = {listener(AF_INET, "127.0.0.1", &addr), client.in};
	char sentence[1024];
	struct peer peer;
	pid_t pid;

	(void)state;
	if (systemd_listen_fds() == -ENOSYS) {
		fprintf(stderr, "skipped: no libsystemd.so.0 here\n");
		skip();
	}
	listen_to_stderr();
	pid = fork_child();
	if (pid == 0)
		_exit(take_over_passed(2, fds, &peer) == -EINVAL ? 0 : 1);
	what_stderr_said(sentence, sizeof(sentence));
	child_held(pid);
	assert_non_null(strstr(sentence, "descriptor 4 is not a listening"));
	assert_non_null(strstr(sentence, "Accept=yes"));
	close_client(&client);
	close(fds[0]);
}

/* What the client dialled is what peer_own_address() says. */
static void
reached_us_on(const struct client *client, const union addr *dialled)
{
	pid_t pid = fork_child();

	if (pid == 0) {
		union addr own, untouched;
		struct peer peer;

		HOLD(take_over(client->in, client->out, &peer) == 0);
		memset(&untouched, 0xa5, sizeof(untouched));
		own = untouched;
		if (dialled) {
			HOLD(peer_own_address(&peer, &own) == 0);
			HOLD(own.sa.sa_family == dialled->sa.sa_family);
			HOLD(addr_equal(&own, dialled));
		} else {
			HOLD(peer_own_address(&peer, &own) == -EADDRNOTAVAIL);
			HOLD(memcmp(&own, &untouched, sizeof(own)) == 0);
		}
		_exit(0);
	}
	child_held(pid);
}

static void
own_address(void **state)
{
	/* One of 127.0.0.0/8 that is not what anything else would say. */
	static const struct {
		int family;
		const char *listens, *dialled;
	} table[] = {
	    {AF_INET, "127.0.0.7", "127.0.0.7"},
	    {AF_INET, "0.0.0.0", "127.0.0.8"},
	    {AF_INET6, "::1", "::1"},
	    {AF_INET6, NULL, "::1"},
	    {AF_INET6, NULL, "127.0.0.9"},
	};
	struct client others[] = {unix_client(), pipe_client()};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s -> %s", table[i].listens, table[i].dialled);
		char text[ADDR_TEXT_MAX];
		union addr addr, to;
		int fd = listener(table[i].family, table[i].listens, &addr);
		struct client client;

		assert_int_equal(
		    addr_parse(table[i].dialled, ntohs(addr.in.sin_port), &to),
		    0);
		client = tcp_client(fd, &to, text);
		reached_us_on(&client, &to);
		close_client(&client);
		close(fd);
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		reached_us_on(&others[i], NULL);
		close_client(&others[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tcp),
	    cmocka_unit_test(tcp_mapped),
	    cmocka_unit_test(unix_socket),
	    cmocka_unit_test(socket_pair),
	    cmocka_unit_test(pipes),
	    cmocka_unit_test(long_hints),
	    cmocka_unit_test(mixed),
	    cmocka_unit_test(gone_already),
	    cmocka_unit_test(mistakes),
	    cmocka_unit_test(standard_error),
	    cmocka_unit_test(closed_standard_error),
	    cmocka_unit_test(the_journal_on_1),
	    cmocka_unit_test(listen_fds),
	    cmocka_unit_test(listening_sockets),
	    cmocka_unit_test(listening_and_not),
	    cmocka_unit_test(own_address),
	};

	for (size_t i = 0; i < COUNT(hints); i++)
		unsetenv(hints[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
