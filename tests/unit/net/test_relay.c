/* SPDX-License-Identifier: ISC */
/*
 * The relay between two processes that play client and target. What takes more
 * than these (strace, stopped peers, bulk) is in tests/relay.bats.
 */
#include "net/relay.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#define BULK 1000003 /* several buffers, and not a round number */

enum client { TCP, UNIX, PIPES };

/* A side as its player sees it: one socket twice, or two pipes. */
struct side {
	int in, out;
};

typedef void (*player)(const struct side *side);

static uint8_t up_data[IO_BUFFER_SIZE], down_data[IO_BUFFER_SIZE];
static struct io_buffer up = {.data = up_data}, down = {.data = down_data};
static struct io_end client_in, client_out, target;
static struct side client_side, target_side;
static struct relay relay;
static const struct relay_ends ends = {
    &client_in, &client_out, &target, &target};

static void
tcp_pair(int pair[2])
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(in);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	HOLD(bind(listener, (const struct sockaddr *)&in, len) == 0);
	HOLD(listen(listener, 1) == 0);
	HOLD(getsockname(listener, (struct sockaddr *)&in, &len) == 0);
	HOLD(connect(pair[0], (const struct sockaddr *)&in, len) == 0);
	pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	HOLD(pair[1] >= 0);
	close(listener);
}

static void
connect_client(enum client kind)
{
	int in[2], out[2];

	if (kind == PIPES) {
		HOLD(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
		client_in = (struct io_end){.fd = in[0], .kind = IO_PIPE};
		client_out = (struct io_end){.fd = out[1], .kind = IO_PIPE};
		client_side = (struct side){.in = out[0], .out = in[1]};
		return;
	}
	if (kind == TCP)
		tcp_pair(in);
	else
		HOLD(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) ==
		     0);
	client_in = (struct io_end){
	    .fd = in[0],
	    .kind = kind == TCP ? IO_TCP : IO_SOCKET,
	};
	/* As in the program, where 0 and 1 are one socket. */
	client_out = client_in;
	client_out.fd = fcntl(in[0], F_DUPFD_CLOEXEC, 0);
	client_side = (struct side){.in = in[1], .out = in[1]};
}

static void
connect_both(enum client kind)
{
	int pair[2];

	connect_client(kind);
	tcp_pair(pair);
	target = (struct io_end){.fd = pair[0], .kind = IO_TCP};
	target_side = (struct side){.in = pair[1], .out = pair[1]};
	relay_init(&relay, &ends, &up, &down);
}

static void
close_side(const struct side *side)
{
	close(side->in);
	if (side->out != side->in)
		close(side->out);
}

static void
close_ours(void)
{
	io_close(&client_in);
	io_close(&client_out);
	io_close(&target);
}

static pid_t
start(player play, const struct side *side, const struct side *other)
{
	pid_t pid = fork_child();

	if (pid == 0) {
		signals_alarm(0);
		alarm(20);
		signal(SIGALRM, SIG_DFL);
		close_ours();
		close_side(other);
		play(side);
		_exit(0);
	}
	return pid;
}

/* Lets the two play, and carries; closes everything as the program does. */
static enum log_end
carry(player client, player server, int64_t idle_ms)
{
	pid_t c = start(client, &client_side, &target_side);
	pid_t t = start(server, &target_side, &client_side);
	enum log_end end;

	close_side(&client_side);
	close_side(&target_side);
	end = relay_run(&relay, idle_ms);
	signals_alarm(0);
	close_ours();
	child_held(c);
	child_held(t);
	return end;
}

/* --- what players do ------------------------------------------------------ */

static void
say(const struct side *side, const char *text)
{
	HOLD(write(side->out, text, strlen(text)) == (ssize_t)strlen(text));
}

static void
hear(const struct side *side, const char *text)
{
	char heard[64];
	size_t len = strlen(text), got = 0;
	ssize_t n = 1;

	for (; got < len && n > 0; got += n > 0 ? (size_t)n : 0)
		n = read(side->in, heard + got, len - got);
	HOLD(got == len);
	HOLD(memcmp(heard, text, len) == 0);
}

static void
hear_end(const struct side *side)
{
	char byte;

	HOLD(read(side->in, &byte, 1) == 0);
}

static void
hear_reset(const struct side *side)
{
	char byte;

	HOLD(read(side->in, &byte, 1) == -1);
	HOLD(errno == ECONNRESET);
}

/* No more from here; the other direction stays open. */
static void
hang_up(const struct side *side)
{
	if (side->in == side->out)
		HOLD(shutdown(side->out, SHUT_WR) == 0);
	else
		HOLD(close(side->out) == 0);
}

static void
reset(const struct side *side)
{
	const struct linger now = {.l_onoff = 1};

	HOLD(setsockopt(side->out, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) ==
	     0);
	close(side->out);
}

/* --- ends of file --------------------------------------------------------- */

static void
asks(const struct side *side)
{
	say(side, "question");
	hang_up(side);
	hear(side, "the answer");
	hear_end(side);
}

static void
replies(const struct side *side)
{
	hear(side, "question");
	hear_end(side);
	say(side, "the answer");
	hang_up(side);
}

static bool
is_to_be_reset(const struct io_end *end)
{
	struct linger linger = {0};
	socklen_t len = sizeof(linger);

	getsockopt(end->fd, SOL_SOCKET, SO_LINGER, &linger, &len);
	return linger.l_onoff && linger.l_linger == 0;
}

static void
the_client_ends_first(void **state)
{
	(void)state;
	for (enum client kind = TCP; kind <= PIPES; kind++) {
		connect_both(kind);
		assert_int_equal(carry(asks, replies, 0), LOG_END_CLIENT_EOF);
		assert_int_equal(relay.up.total, strlen("question"));
		assert_int_equal(relay.down.total, strlen("the answer"));
	}
}

static void
the_target_ends_first(void **state)
{
	(void)state;
	for (enum client kind = TCP; kind <= PIPES; kind++) {
		connect_both(kind);
		assert_int_equal(carry(replies, asks, 0), LOG_END_TARGET_EOF);
		assert_int_equal(relay.up.total, strlen("the answer"));
		assert_int_equal(relay.down.total, strlen("question"));
	}
}

/* Nobody has to play: everything is there, and the end of it. */
static void
both_have_ended_already(void **state)
{
	(void)state;
	for (enum client kind = TCP; kind <= PIPES; kind++) {
		connect_both(kind);
		say(&client_side, "up");
		hang_up(&client_side);
		say(&target_side, "down");
		hang_up(&target_side);
		assert_int_equal(relay_run(&relay, 0), LOG_END_CLIENT_EOF);
		assert_int_equal(relay.up.total, 2);
		assert_int_equal(relay.down.total, 4);
		/* A pipe can say so only by being closed. */
		assert_int_equal(client_out.fd == -1, kind == PIPES);
		assert_true(client_in.fd >= 0 && target.fd >= 0);
		assert_false(is_to_be_reset(&target));
		if (kind == TCP)
			assert_false(is_to_be_reset(&client_out));
		hear(&client_side, "down");
		hear_end(&client_side);
		hear(&target_side, "up");
		hear_end(&target_side);
		close(client_side.in);
		close(target_side.in);
		close_ours();
	}
}

/* --- bytes ---------------------------------------------------------------- */

static void
hears_early_and_late(const struct side *side)
{
	hear(side, "earlylate");
	hear_end(side);
	hang_up(side);
}

static void
says_late(const struct side *side)
{
	say(side, "late");
	hang_up(side);
	hear_end(side);
}

static void
says_nothing(const struct side *side)
{
	hang_up(side);
	hear_end(side);
}

static void
hears_early(const struct side *side)
{
	hear(side, "early");
	hear_end(side);
	hang_up(side);
}

/* What came with the request goes out first, and is counted. */
static void
early_bytes(void **state)
{
	(void)state;
	for (enum client kind = TCP; kind <= PIPES; kind++) {
		connect_both(kind);
		memcpy(up.data, "usedearly", 9);
		relay.up.buffer.start = 4;
		relay.up.buffer.end = 9;
		assert_int_equal(carry(says_late, hears_early_and_late, 0),
		    LOG_END_CLIENT_EOF);
		assert_int_equal(relay.up.total, 9);

		connect_both(kind);
		memcpy(up.data, "early", 5);
		relay.up.buffer.end = 5;
		assert_int_equal(
		    carry(says_nothing, hears_early, 0), LOG_END_CLIENT_EOF);
		assert_int_equal(relay.up.total, 5);
	}
}

static uint8_t
pattern(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

static void
say_bulk(const struct side *side)
{
	static uint8_t block[BULK];
	size_t done = 0;

	for (size_t i = 0; i < BULK; i++)
		block[i] = pattern(i);
	while (done < BULK) {
		ssize_t n = write(side->out, block + done, BULK - done);

		HOLD(n > 0);
		done += (size_t)n;
	}
	hang_up(side);
}

static void
hear_bulk(const struct side *side)
{
	static uint8_t block[4096];
	size_t done = 0;
	ssize_t n;

	while ((n = read(side->in, block, sizeof(block))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			HOLD(block[i] == pattern(done++));
	}
	HOLD(n == 0 && done == BULK);
}

static void
says_then_hears_bulk(const struct side *side)
{
	say_bulk(side);
	hear_bulk(side);
}

static void
hears_then_says_bulk(const struct side *side)
{
	poll(NULL, 0, 50); /* meanwhile everything fills up */
	hear_bulk(side);
	say_bulk(side);
}

static void
bulk_is_whole_and_in_order(void **state)
{
	(void)state;
	for (enum client kind = TCP; kind <= PIPES; kind++) {
		connect_both(kind);
		assert_int_equal(
		    carry(says_then_hears_bulk, hears_then_says_bulk, 0),
		    LOG_END_CLIENT_EOF);
		assert_int_equal(relay.up.total, BULK);
		assert_int_equal(relay.down.total, BULK);
	}
}

/* From an end, not from the pipe in between: so many are let through. */
static int splices_left = -1, splices_refused;

ssize_t __real_splice(int in, off64_t *in_at, int out, off64_t *out_at,
    size_t len, unsigned flags);
ssize_t __wrap_splice(int in, off64_t *in_at, int out, off64_t *out_at,
    size_t len, unsigned flags);

ssize_t
__wrap_splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t len,
    unsigned flags)
{
	bool from_end = in != relay.up.pipe[0] && in != relay.down.pipe[0];

	if (from_end && splices_left == 0) {
		splices_refused++;
		errno = EINVAL;
		return -1;
	}
	splices_left -= from_end && splices_left > 0;
	return __real_splice(in, in_at, out, out_at, len, flags);
}

static int
count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 100; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* A kind of file that splice(2) doesn't know, from the start or from some call
 * on: the bytes are copied. */
static void
splice_refuses(void **state)
{
	int fds = count_fds();

	(void)state;
	for (enum client kind = TCP; kind <= PIPES; kind++) {
		for (int left = 0; left < 3; left++) {
			unit_row("kind %d, %d calls", kind, left);
			splices_left = left;
			splices_refused = 0;
			connect_both(kind);
			signals_alarm(10000); /* should it never end */
			assert_int_equal(carry(says_then_hears_bulk,
					     hears_then_says_bulk, 0),
			    LOG_END_CLIENT_EOF);
			assert_int_equal(relay.up.total, BULK);
			assert_int_equal(relay.down.total, BULK);
			assert_in_range(splices_refused, 1, 2);
			assert_int_equal(count_fds(), fds);
		}
	}
	splices_left = -1;
}

/* --- cuts ----------------------------------------------------------------- */

static void
hears_reset(const struct side *side)
{
	hear_reset(side);
}

/* What can't be reset just ends. */
static void
hears_end(const struct side *side)
{
	hear_end(side);
}

static void
idle(void **state)
{
	(void)state;
	for (enum client kind = TCP; kind <= PIPES; kind++) {
		int64_t before = io_now_ms();

		connect_both(kind);
		assert_int_equal(carry(kind == TCP ? hears_reset : hears_end,
				     hears_reset, 60),
		    LOG_END_IDLE);
		assert_true(io_now_ms() - before >= 60);
	}
}

static void
asks_and_hears_reset(const struct side *side)
{
	say(side, "question");
	hang_up(side);
	hear_reset(side);
}

/* After an end of file a read has nothing to tell any more. */
static void
hears_end_and_then_reset(const struct side *side)
{
	struct pollfd reset = {.fd = side->in, .events = 0};

	hear(side, "question");
	hear_end(side);
	HOLD(poll(&reset, 1, -1) == 1 && reset.revents & POLLERR);
}

/* Also where one direction has had its end, the other one is cut visibly. */
static void
lifetime_after_one_end(void **state)
{
	(void)state;
	connect_both(TCP);
	signals_alarm(200);
	assert_int_equal(
	    carry(asks_and_hears_reset, hears_end_and_then_reset, 0),
	    LOG_END_LIFETIME);
}

static void
lifetime(void **state)
{
	(void)state;
	for (enum client kind = TCP; kind <= PIPES; kind++) {
		connect_both(kind);
		signals_alarm(60);
		assert_int_equal(carry(kind == TCP ? hears_reset : hears_end,
				     hears_reset, 10000),
		    LOG_END_LIFETIME);
	}
}

static void
sigterm(void **state)
{
	pid_t pid;

	(void)state;
	connect_both(TCP);
	pid = fork_child();
	if (pid == 0) {
		raise(SIGTERM);
		HOLD(relay_run(&relay, 0) == LOG_END_TERMINATED);
		HOLD(is_to_be_reset(&client_out) && is_to_be_reset(&target));
		_exit(0);
	}
	child_held(pid);
	close_side(&client_side);
	close_side(&target_side);
	close_ours();
}

static void
resets(const struct side *side)
{
	reset(side);
}

static void
the_client_resets(void **state)
{
	(void)state;
	connect_both(TCP);
	assert_int_equal(carry(resets, hears_reset, 0), LOG_END_CLIENT_RESET);
}

static void
the_target_resets(void **state)
{
	(void)state;
	for (enum client kind = TCP; kind <= PIPES; kind++) {
		connect_both(kind);
		assert_int_equal(
		    carry(kind == TCP ? hears_reset : hears_end, resets, 0),
		    LOG_END_TARGET_RESET);
	}
}

/* The bytes before a reset arrive, and so does the reset. */
static void
answers_and_resets(const struct side *side)
{
	say(side, "the answer");
	hear(side, "heard"); /* or our kernel might throw it away */
	reset(side);
}

static void
hears_and_is_reset(const struct side *side)
{
	hear(side, "the answer");
	say(side, "heard");
	hear_reset(side);
}

static void
bytes_before_a_reset(void **state)
{
	(void)state;
	connect_both(TCP);
	assert_int_equal(carry(hears_and_is_reset, answers_and_resets, 0),
	    LOG_END_TARGET_RESET);
	connect_both(TCP);
	assert_int_equal(carry(answers_and_resets, hears_and_is_reset, 0),
	    LOG_END_CLIENT_RESET);
}

/* Its two pipes close together, and what the target sent is lost. */
static void
a_client_that_vanished_from_its_pipes(void **state)
{
	(void)state;
	connect_both(PIPES);
	close_side(&client_side);
	say(&target_side, "bytes");
	assert_int_equal(relay_run(&relay, 0), LOG_END_CLIENT_RESET);
	assert_int_equal(relay.down.total, 0);
	assert_true(is_to_be_reset(&target));
	close_ours();
	close_side(&target_side);
}

/* A parent may go on with the pipe that it gave us. */
static void
pipes_get_their_flags_back(void **state)
{
	int kept[2];

	(void)state;
	connect_both(PIPES);
	kept[0] = fcntl(client_in.fd, F_DUPFD_CLOEXEC, 0);
	kept[1] = fcntl(client_out.fd, F_DUPFD_CLOEXEC, 0);
	signals_alarm(30);
	assert_int_equal(relay_run(&relay, 0), LOG_END_LIFETIME);
	signals_alarm(0);
	for (int i = 0; i < 2; i++)
		assert_true(fcntl(kept[i], F_GETFL) & O_NONBLOCK);
	close_ours();
	for (int i = 0; i < 2; i++) {
		assert_false(fcntl(kept[i], F_GETFL) & O_NONBLOCK);
		close(kept[i]);
	}
	close_side(&client_side);
	close_side(&target_side);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_client_ends_first),
	    cmocka_unit_test(the_target_ends_first),
	    cmocka_unit_test(both_have_ended_already),
	    cmocka_unit_test(early_bytes),
	    cmocka_unit_test(bulk_is_whole_and_in_order),
	    cmocka_unit_test(splice_refuses),
	    cmocka_unit_test(idle),
	    cmocka_unit_test(lifetime),
	    cmocka_unit_test(lifetime_after_one_end),
	    cmocka_unit_test(sigterm),
	    cmocka_unit_test(the_client_resets),
	    cmocka_unit_test(the_target_resets),
	    cmocka_unit_test(bytes_before_a_reset),
	    cmocka_unit_test(a_client_that_vanished_from_its_pipes),
	    cmocka_unit_test(pipes_get_their_flags_back),
	};

	signals_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
