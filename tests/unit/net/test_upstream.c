/* SPDX-License-Identifier: ISC */
/* The server is at the other end of a pair, and has often spoken already. */
#include "base/tcp.h"
#include "net/upstream.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#define GENEROUS_MS 5000

#define A50    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A255   A50 A50 A50 A50 A50 "aaaaa"
#define IPV4   "\5\0\0\1\xc0\0\2\x21\x04\x38"
#define IPV6   "\5\0\0\4\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x04\x38"
#define NAME   "\5\0\0\3\7example\x04\x38"
#define ASKED  "\5\1\0\3\13example.org\1\xbb"
#define SECRET "\1\5alice\6secret"

/* A string literal's bytes, without its NUL. */
#define BYTES(text) (text), sizeof(text) - 1

static int server[2], client[2];

static const struct wire_password alice = {"alice", "secret", 5, 6};

static int
set_up(void **state)
{
	const int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

	(void)state;
	signals_alarm(GENEROUS_MS); /* what hangs, fails */
	return socketpair(AF_UNIX, type, 0, server) +
	       socketpair(AF_UNIX, type, 0, client);
}

static int
tear_down(void **state)
{
	(void)state;
	signals_alarm(0);
	for (size_t i = 0; i < 2; i++) {
		close(server[i]);
		close(client[i]);
	}
	return 0;
}

static struct wire_request
request(void)
{
	return (struct wire_request){
	    .command = WIRE_CONNECT,
	    .dst = {.atyp = WIRE_ATYP_NAME,
		.name_len = 11,
		.name = "example.org",
		.port = 443},
	};
}

static struct failure failure;
static bool hears_ends;

/* upstream_ask(), with nothing written to *out unless it succeeds. */
static int
asks(const struct wire_password *login, struct upstream_reply *out)
{
	const struct io_end to = {.fd = server[0], .kind = IO_SOCKET};
	const struct io_end from = {.fd = client[0], .kind = IO_SOCKET};
	const struct upstream upstream = {
	    .to = &to,
	    .from = &to,
	    .login = login,
	    .hears_ends = hears_ends,
	    .client = &from,
	};
	struct wire_request wanted = request();
	struct upstream_reply untouched;
	int64_t before = io_now_ms();
	int rc;

	memset(&untouched, 0xa5, sizeof(untouched));
	*out = untouched;
	rc = upstream_ask(&upstream, &wanted, out, &failure);
	assert_true(io_now_ms() - before < GENEROUS_MS);
	if (rc != OUTCOME_DONE)
		assert_memory_equal(out, &untouched, sizeof(untouched));
	return rc;
}

static void
fails(const struct wire_password *login, const char *words)
{
	struct upstream_reply reply;

	assert_int_equal(asks(login, &reply), OUTCOME_UPSTREAM);
	assert_memory_equal(failure.cause.words, "upstream: ", 10);
	assert_string_equal(failure.cause.words + 10, words);
	assert_int_equal(failure_rep(&failure), WIRE_REP_FAILURE);
}

static void
server_says(const void *data, size_t len)
{
	assert_int_equal(write(server[1], data, len), len);
}

/* These bytes and no others wait to be read here. */
static void
waiting(int fd, const void *expected, size_t len)
{
	uint8_t data[2048];

	assert_int_equal(
	    recv(fd, data, sizeof(data), MSG_DONTWAIT), len ? (int)len : -1);
	assert_memory_equal(data, expected, len);
}

static void
restart(void)
{
	tear_down(NULL);
	assert_int_equal(set_up(NULL), 0);
}

static void
dialogues(void **state)
{
	static const struct {
		const struct wire_password *login;
		const char *said; /* by the server */
		size_t said_len;
		const char *asked; /* by us */
		size_t asked_len;
		uint8_t rep;
		const char *bound; /* "": none */
	} table[] = {
	    {NULL, BYTES("\5\0" IPV4), BYTES("\5\1\0" ASKED), 0,
		"192.0.2.33:1080"},
	    {NULL, BYTES("\5\0" IPV6), BYTES("\5\1\0" ASKED), 0,
		"[2001:db8::1]:1080"},
	    {NULL,
		BYTES("\5\0\5\0\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1\0\1"),
		BYTES("\5\1\0" ASKED), 0, "127.0.0.1:1"},
	    {NULL, BYTES("\5\0" NAME), BYTES("\5\1\0" ASKED), 0, ""},
	    {NULL, BYTES("\5\0\5\0\0\3\0\0\0"), BYTES("\5\1\0" ASKED), 0, ""},
	    {NULL, BYTES("\5\0\5\0\0\3\011127.0.0.1\0\1"),
		BYTES("\5\1\0" ASKED), 0, "127.0.0.1:1"},
	    {NULL, BYTES("\5\0\5\0\0\3\012127.0.0.1\0\0\1"),
		BYTES("\5\1\0" ASKED), 0, ""},
	    {NULL, BYTES("\5\0\5\0\0\3\xff" A255 "\0\1"), BYTES("\5\1\0" ASKED),
		0, ""},
	    {&alice, BYTES("\5\2\1\0" IPV4), BYTES("\5\2\2\0" SECRET ASKED), 0,
		"192.0.2.33:1080"},
	    {&alice, BYTES("\5\2\5\0" IPV4), BYTES("\5\2\2\0" SECRET ASKED), 0,
		"192.0.2.33:1080"},
	    {&alice, BYTES("\5\0" IPV4), BYTES("\5\2\2\0" ASKED), 0,
		"192.0.2.33:1080"},
	    {&alice, BYTES("\5\2\1\0\5\5\0\1\0\0\0\0\0\0"),
		BYTES("\5\2\2\0" SECRET ASKED), 5, ""},
	};
	struct upstream_reply reply;
	char text[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s -> %s", table[i].said, table[i].asked);
		restart();
		server_says(table[i].said, table[i].said_len);
		if (table[i].rep == 0)
			server_says(BYTES("behind it"));
		assert_int_equal(asks(table[i].login, &reply), 0);
		assert_int_equal(reply.rep, table[i].rep);
		assert_string_equal(
		    addr_format(&reply.bound, text), table[i].bound);
		waiting(server[1], table[i].asked, table[i].asked_len);
		if (table[i].rep == 0)
			waiting(server[0], BYTES("behind it"));
	}
}

/* As it came, and from its second byte on; who waits for more may hang. */
static void
refusals(void **state)
{
	static const char *const rests[] = {
	    "", "\1", "\1\1", "\1\1\1\1\1\1\1\1", "\1\xff"};
	struct upstream_reply reply;

	(void)state;
	for (int rep = 1; rep < 256; rep++) {
		for (size_t i = 0; i < COUNT(rests); i++) {
			unit_row("rest %zu", i);
			uint8_t message[] = {5, 0, 5, (uint8_t)rep};

			restart();
			server_says(message, sizeof(message));
			server_says(rests[i], strlen(rests[i]));
			assert_int_equal(asks(NULL, &reply), 0);
			assert_int_equal(reply.rep, rep);
			assert_int_equal(reply.bound.sa.sa_family, AF_UNSPEC);
		}
	}
}

/* Whatever comes behind them, it is not waited for. */
static void
faults(void **state)
{
	static const struct {
		const struct wire_password *login;
		const char *said;
		size_t said_len;
		const char *words;
	} table[] = {
	    {NULL, BYTES("\4"), "it doesn't speak SOCKS5"},
	    {NULL, BYTES("HTTP/1.1 400 Bad Request\r\n"),
		"it doesn't speak SOCKS5"},
	    {NULL, BYTES("SSH-2.0-OpenSSH_9.2\r\n"), "it doesn't speak SOCKS5"},
	    {NULL, BYTES("\5\2"),
		"it doesn't speak SOCKS5"}, /* it was not offered */
	    {NULL, BYTES("\5\1"), "it doesn't speak SOCKS5"},
	    {&alice, BYTES("\5\1"), "it doesn't speak SOCKS5"},
	    {&alice, BYTES("\5\xfe"), "it doesn't speak SOCKS5"},
	    {NULL, BYTES("\5\xff"),
		"it wants another method of authentication"},
	    {&alice, BYTES("\5\xff"),
		"it wants another method of authentication"},
	    {&alice, BYTES("\5\2\1\1"),
		"it doesn't take the user and password"},
	    {&alice, BYTES("\5\2\1\xff"),
		"it doesn't take the user and password"},
	    {NULL, BYTES("\5\0\4\0"), "it doesn't speak SOCKS5"},
	    {NULL, BYTES("\5\0\4\5"), "it doesn't speak SOCKS5"},
	    {NULL, BYTES("\5\0\5\0\0\2"), "it doesn't speak SOCKS5"},
	    {NULL, BYTES("\5\0\5\0\0\0\0\0\0\0\0\0"),
		"it doesn't speak SOCKS5"},
	    {&alice, BYTES("\5\2\1\0\0\x5a"), "it doesn't speak SOCKS5"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].said);
		restart();
		server_says(table[i].said, table[i].said_len);
		fails(table[i].login, table[i].words);
	}
}

/* The longest there are, with every byte. */
static void
long_words(void **state)
{
	char name[255], word[255];
	struct wire_password login = {name, word, 255, 255}, seen;
	struct upstream_reply reply;
	uint8_t data[1024];
	ssize_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(name); i++) {
		name[i] = (char)i;
		word[i] = (char)~i;
	}
	server_says(BYTES("\5\2\1\0" IPV4));
	assert_int_equal(asks(&login, &reply), 0);
	n = read(server[1], data, sizeof(data));
	assert_int_equal(n, 4 + 513 + sizeof(ASKED) - 1);
	assert_int_equal(wire_get_password(data + 4, 513, &seen), 513);
	assert_memory_equal(seen.name, name, 255);
	assert_memory_equal(seen.password, word, 255);
}

/* A byte, and the next when it was taken. */
static void
one_byte_after_the_other(void **state)
{
	static const char said[] = "\5\2\1\0" IPV6;
	struct upstream_reply reply;
	pid_t pid = fork_child();

	(void)state;
	if (pid == 0) {
		for (size_t i = 0; i < sizeof(said) - 1; i++) {
			struct pollfd taken = {server[1], POLLOUT, 0};

			HOLD(poll(&taken, 1, GENEROUS_MS) == 1);
			HOLD(write(server[1], said + i, 1) == 1);
			poll(NULL, 0, 1);
		}
		_exit(0);
	}
	assert_int_equal(asks(&alice, &reply), 0);
	child_held(pid);
	assert_int_equal(reply.bound.sa.sa_family, AF_INET6);
	waiting(server[0], "", 0);
}

static const char whole[] = "\5\2\1\0" NAME;

static void
silence(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		restart();
		server_says(whole, n);
		signals_alarm(5);
		fails(&alice, "it is silent");
	}
}

static void
hanging_up(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		restart();
		server_says(whole, n);
		shutdown(server[1], SHUT_WR);
		fails(&alice, "it hung up");
	}
	/* It doesn't even listen. That is not the client's having left. */
	restart();
	close(server[1]);
	server[1] = -1;
	fails(&alice, "it hung up");
}

static void
reset_by_the_server(void **state)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	struct io_end far = {.kind = IO_TCP};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	close(server[0]);
	server[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(server[0], (struct sockaddr *)&addr, len), 0);
	far.fd = accept(fd, NULL, NULL);
	assert_true(far.fd >= 0);
	tcp_reset_on_close(&far);
	io_close(&far);
	fails(NULL, "it hung up");
	close(fd);
}

static void
a_client_that_left(void **state)
{
	struct upstream_reply reply;

	(void)state;
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		restart();
		server_says(whole, n);
		close(client[1]);
		client[1] = -1;
		assert_int_equal(asks(&alice, &reply), OUTCOME_CLIENT_LEFT);
	}
}

/* It has said all it wants to say, and waits for the answer. */
static void
a_client_that_only_half_closed(void **state)
{
	struct upstream_reply reply;

	(void)state;
	server_says(whole, sizeof(whole) - 1);
	assert_int_equal(write(client[1], "bytes", 5), 5);
	assert_int_equal(shutdown(client[1], SHUT_WR), 0);
	assert_int_equal(asks(&alice, &reply), 0);
	waiting(client[0], BYTES("bytes"));
}

/* A private method is offered last, and only where that is so. */
static void
one_that_hears_ends(void **state)
{
	struct upstream_reply reply;

	(void)state;
	hears_ends = true;
	server_says(BYTES("\5\0" IPV4));
	assert_int_equal(asks(NULL, &reply), OUTCOME_DONE);
	hears_ends = false;
	waiting(server[1], BYTES("\5\2\0\xe5" ASKED));
}

static void
sigterm(void **state)
{
	pid_t pid = fork_child();

	(void)state;
	if (pid == 0) {
		const struct io_end to = {.fd = server[0], .kind = IO_SOCKET};
		const struct io_end from = {.fd = client[0], .kind = IO_SOCKET};
		const struct upstream upstream = {
		    .to = &to, .from = &to, .client = &from};
		struct wire_request wanted = request();
		struct upstream_reply reply;

		raise(SIGTERM);
		HOLD(upstream_ask(&upstream, &wanted, &reply, &failure) ==
		     OUTCOME_TERMINATED);
		_exit(0);
	}
	child_held(pid);
}

#define UPSTREAM_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    UPSTREAM_TEST(dialogues),
	    UPSTREAM_TEST(refusals),
	    UPSTREAM_TEST(faults),
	    UPSTREAM_TEST(long_words),
	    UPSTREAM_TEST(one_byte_after_the_other),
	    UPSTREAM_TEST(silence),
	    UPSTREAM_TEST(hanging_up),
	    UPSTREAM_TEST(reset_by_the_server),
	    UPSTREAM_TEST(a_client_that_left),
	    UPSTREAM_TEST(a_client_that_only_half_closed),
	    UPSTREAM_TEST(one_that_hears_ends),
	    UPSTREAM_TEST(sigterm),
	};

	signals_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
