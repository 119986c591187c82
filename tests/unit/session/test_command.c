/* SPDX-License-Identifier: ISC */
/*
 * Each command from the greeting to the record, as main() goes through it. The
 * client, which is the target or the peer too, is a child process.
 */
#include "network.h"
#include "session/command.h"
#include "session/handshake.h"
#include "unit.h"

#include <netinet/in.h>

static uint8_t in[IO_BUFFER_SIZE], out[IO_BUFFER_SIZE];
static struct config config;
static int client; /* the child's end */

/* --- for the client ------------------------------------------------------- */

static void
say(int fd, const void *data, size_t len)
{
	HOLD(write(fd, data, len) == (ssize_t)len);
}

static void
hear(int fd, const void *data, size_t len)
{
	uint8_t heard[64];

	HOLD(recv(fd, heard, len, MSG_WAITALL) == (ssize_t)len);
	HOLD(memcmp(heard, data, len) == 0);
}

static void
hear_end(int fd)
{
	char byte;

	HOLD(read(fd, &byte, 1) == 0);
}

#define SAY(fd, text)  say(fd, text, sizeof(text) - 1)
#define HEAR(fd, text) hear(fd, text, sizeof(text) - 1)

/* Greeting and request, in one piece: CMD, and 127.0.0.1 with a port. */
static void
ask(uint8_t command, uint16_t port)
{
	uint8_t message[] = {5, 1, 0, 5, command, 0, 1, 127, 0, 0, 1,
	    (uint8_t)(port >> 8), (uint8_t)port};

	say(client, message, sizeof(message));
	HEAR(client, "\5\0");
}

/* A reply with an IPv4 address on loopback: its port. */
static uint16_t
reply(uint8_t rep)
{
	uint8_t heard[10];

	HOLD(recv(client, heard, sizeof(heard), MSG_WAITALL) == sizeof(heard));
	HOLD(heard[0] == 5 && heard[1] == rep && heard[3] == 1);
	HOLD(rep != 0 || heard[4] == 127);
	return (uint16_t)(heard[8] << 8 | heard[9]);
}

static struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static int
socket_at(int type, struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, type, 0);

	*at = loopback(0);
	HOLD(bind(fd, (struct sockaddr *)at, len) == 0);
	HOLD(getsockname(fd, (struct sockaddr *)at, &len) == 0);
	return fd;
}

static void
connects(void)
{
	struct sockaddr_in at;
	int listener = socket_at(SOCK_STREAM, &at), target;

	HOLD(listen(listener, 1) == 0);
	ask(1, ntohs(at.sin_port));
	HOLD(reply(0) != 0);
	target = accept(listener, NULL, NULL);
	SAY(client, "up");
	HEAR(target, "up");
	SAY(target, "down");
	close(target);
	HEAR(client, "down");
	hear_end(client);
}

static void
binds(void)
{
	struct sockaddr_in at = loopback(0), own;
	int peer = socket_at(SOCK_STREAM, &own);

	ask(2, 0);
	at.sin_port = htons(reply(0));
	HOLD(connect(peer, (struct sockaddr *)&at, sizeof(at)) == 0);
	HOLD(reply(0) == ntohs(own.sin_port));
	SAY(peer, "down");
	HEAR(client, "down");
	shutdown(client, SHUT_WR);
	hear_end(peer);
	close(peer);
	hear_end(client);
}

static void
associates(void)
{
	struct sockaddr_in at = loopback(0), own, to;
	int fd = socket_at(SOCK_DGRAM, &own),
	    target = socket_at(SOCK_DGRAM, &to);
	uint8_t data[] = {0, 0, 0, 1, 127, 0, 0, 1, 0, 0, '!'};

	memcpy(data + 8, &to.sin_port, 2);
	ask(3, 0);
	at.sin_port = htons(reply(0));
	HOLD(sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&at,
		 sizeof(at)) == sizeof(data));
	HEAR(target, "!");
}

/* By IPv4, though it has IPv6, too; and without a port. */
static void
resolves(void)
{
	SAY(client, "\5\1\0\5\xf0\0\3\11here.test\0\120");
	HEAR(client, "\5\0\5\0\0\1\177\0\0\1\0\0");
	hear_end(client);
}

static void
names(void)
{
	ask(0xf1, 0);
	HEAR(client, "\5\0\0\3\11here.test\0\0");
	hear_end(client);
}

static void
is_unsupported(void)
{
	ask(0x04, 80);
	reply(7);
	hear_end(client);
}

static void
is_unsupported_resolve(void)
{
	ask(0xf0, 80);
	reply(7);
	hear_end(client);
}

static void
is_unsupported_bind(void)
{
	ask(2, 80);
	reply(7);
	hear_end(client);
}

static void
has_no_method(void)
{
	SAY(client, "\5\1\1");
	HEAR(client, "\5\xff");
	hear_end(client);
}

static void
has_no_name(void)
{
	SAY(client, "\5\1\0\5\1\0\3\3a b\0\120");
	HEAR(client, "\5\0");
	reply(1);
	hear_end(client);
}

/* --- the session ---------------------------------------------------------- */

static void
connect_client(struct session *s)
{
	struct sockaddr_in at;
	int listener = socket_at(SOCK_STREAM, &at);

	HOLD(listen(listener, 1) == 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	HOLD(connect(client, (struct sockaddr *)&at, sizeof(at)) == 0);
	session_init(&config, in, out, s);
	s->peer.in.fd = accept(listener, NULL, NULL);
	s->peer.in.kind = IO_TCP;
	s->peer.out = s->peer.in;
	s->peer.out.fd = dup(s->peer.in.fd);
	s->peer.one_socket = true;
	HOLD(identity_of_socket(s->peer.in.fd, &s->peer.who) == 0);
	close(listener);
}

/* What main() does between a client and its record. */
static void
serve(struct session *s)
{
	signals_alarm(5000);
	if (handshake_run(s) == OUTCOME_DONE &&
	    command_begin(s) == OUTCOME_DONE)
		command_carry(s);
	else
		session_refuse(s);
	peer_close(&s->peer);
	io_close(&s->egress.target);
	signals_alarm(0);
}

static const struct row {
	const char *option;
	void (*play)(void);
	const char *command;       /* in the record; "": it wasn't read */
	enum rules_command judged; /* by the rules; 0: it didn't come to that */
	int64_t rep;
	enum log_end end;
	int64_t up, down;
} table[] = {
    {NULL, connects, "CONNECT", RULES_CONNECT, 0, LOG_END_TARGET_EOF, 2, 4},
    {NULL, binds, "BIND", RULES_BIND, 0, LOG_END_CLIENT_EOF, 0, 4},
    {NULL, associates, "UDP_ASSOCIATE", RULES_UDP, 0, LOG_END_CLIENT_EOF, 1, 0},
    {"--resolve", resolves, "RESOLVE", RULES_RESOLVE, 0, LOG_END_ANSWERED, 0,
	0},
    {"--resolve", names, "RESOLVE_PTR", RULES_RESOLVE, 0, LOG_END_ANSWERED, 0,
	0},
    {NULL, is_unsupported_resolve, "RESOLVE", 0, 7, LOG_END_REFUSED, 0, 0},
    {NULL, is_unsupported, "unknown", 0, 7, LOG_END_REFUSED, 0, 0},
    {"--upstream=socks5://127.0.0.1:9", is_unsupported_bind, "BIND", 0, 7,
	LOG_END_REFUSED, 0, 0},
    {NULL, has_no_name, "CONNECT", 0, 1, LOG_END_MALFORMED, 0, 0},
    {NULL, has_no_method, "", 0, -1, LOG_END_NO_METHOD, 0, 0},
};

static void
go_through(const struct row *row)
{
	static struct session s;
	char *argv[] = {(char[]){"socks5-handler"}, NULL};
	char option[64];
	pid_t pid;
	int status;

	snprintf(option, sizeof(option), "%s", row->option ? row->option : "");
	argv[1] = option;
	HOLD(config_read(row->option ? 2 : 1, argv, &config) == 0);
	memset(&s, 0, sizeof(s));
	connect_client(&s);
	pid = fork_child();
	if (pid == 0) {
		peer_close(&s.peer);
		alarm(5);
		row->play();
		_exit(0);
	}
	close(client);
	serve(&s);
	HOLD(waitpid(pid, &status, 0) == pid && status == 0);
	HOLD(strcmp(s.record.command ? s.record.command : "", row->command) ==
	     0);
	HOLD(s.decision.command == row->judged);
	HOLD(s.record.reply == row->rep);
	HOLD(s.record.end == row->end);
	HOLD(s.record.bytes_up == row->up);
	HOLD(s.record.bytes_down == row->down);
	HOLD((s.record.connect_ms >= 0) == (s.phase >= PHASE_CONNECTING));
	HOLD(
	    row->play != is_unsupported_resolve || s.phase == PHASE_CONNECTING);
	HOLD((s.phase == PHASE_RELAYING) == (row->rep == 0));
	HOLD(row->rep != 0 ||
	     s.egress.terms.lifetime_ms == config.terms.lifetime_ms);
	permit_end(&s.permit);
	config_free(&config);
}

static void
all_of_them(void)
{
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("row %zu, %s", i, table[i].command);
		go_through(&table[i]);
	}
}

static void
from_greeting_to_record(void **state)
{
	(void)state;
	in_network("::1 here.test\n127.0.0.1 here.test\n", all_of_them);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(from_greeting_to_record),
	};

	signals_init();
	log_open(LOG_TO_STDERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
