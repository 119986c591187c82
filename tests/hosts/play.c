/* SPDX-License-Identifier: ISC */
/*
 * play: the steps of client and target; play.h says what each of them does.
 *
 * Promises that no step waits beyond the limit, reads more than it needs, or
 * fails without saying what came instead. The player's descriptors are made
 * non-blocking, which nobody else sees: the other end is another description.
 */
#include "play.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BYTES_MAX 8192 /* characters in the argument of a step */
#define CHUNK     65536
#define PATIENCE  400 /* of fill, in ms */
#define MOMENT    50  /* in ms: what comes so soon is shown with a failure */

/* What distinguishes steps that are otherwise alike. */
enum { HEX, TEXT, SPLIT, URGENT };
enum { END = 1, RESET = 2, SHOW = 4 };
enum { SEND = 1, CHECK = 2, FILL = 4 };

void
play_fail(const struct player *p, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", p->program);
	if (p->word)
		fprintf(stderr, "step %d '%s': ", p->step, p->word);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	if (p->cleanup)
		p->cleanup();
	exit(1);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
play_limit(struct player *p, unsigned seconds)
{
	p->deadline_ms = now_ms() + (int64_t)seconds * 1000;
	alarm(seconds + 5);
}

bool
play_poll(const struct player *p, int fd, short events, int ms)
{
	int64_t left = p->deadline_ms - now_ms();

	if (left < 0)
		left = 0;
	if (ms < 0 || ms > left)
		ms = (int)left;
	return poll(&(struct pollfd){fd, events, 0}, 1, ms) != 0;
}

bool
play_nap(const struct player *p, int ms)
{
	play_poll(p, -1, 0, ms);
	return now_ms() < p->deadline_ms;
}

uint64_t
play_number(const struct player *p, uint64_t most)
{
	char *end;
	uint64_t n = strtoull(p->arg, &end, 10);

	if (*end == 'K' || *end == 'M')
		n <<= *end++ == 'K' ? 10 : 20;
	if (*p->arg < '0' || *p->arg > '9' || *end || n > most)
		play_fail(p, "not a number, or too much");
	return n;
}

/* The byte that two digits make, or -1. */
static int
hex_byte(const char *hex)
{
	char digits[] = {hex[0], hex[0] ? hex[1] : '\0', '\0'};

	return strspn(digits, "0123456789abcdefABCDEF") == 2
		   ? (int)strtol(digits, NULL, 16)
		   : -1;
}

/* The bytes that the argument stands for. */
static size_t
bytes_of(const struct player *p, uint8_t *out)
{
	static const char names[] = "rn0\\", meant[] = "\r\n\0\\";
	const char *arg = p->arg;
	size_t len = 0;

	if (strlen(arg) > BYTES_MAX)
		play_fail(p, "too long");
	while (*arg) {
		const char *name = "";
		int byte = (uint8_t)*arg;
		bool hex = p->how != TEXT || strncmp(arg, "\\x", 2) == 0;

		if (hex) {
			arg += p->how == TEXT ? 2 : 0;
			byte = hex_byte(arg);
			arg += byte < 0 ? 0 : 1;
		} else if (byte == '\\') {
			name = arg[1] ? strchr(names, *++arg) : NULL;
			byte = name ? meant[name - names] : -1;
		}
		if (byte < 0)
			play_fail(p, hex ? "not hex" : "no such escape");
		out[len++] = (uint8_t)byte;
		arg++;
	}
	return len;
}

/* A byte of the pattern: no run of it repeats soon. */
static uint8_t
pattern_at(uint64_t offset)
{
	uint64_t x = (offset + 1) * 0x9e3779b97f4a7c15u;

	return (uint8_t)(x >> 56 ^ x >> 29);
}

/* Reads once: how many bytes, 0 at the end, -errno; -ETIME when nothing came
 * for so many ms, or (-1) until the time was over. */
static ssize_t
take(struct player *p, uint8_t *data, size_t len, int ms)
{
	ssize_t n;

	if (now_ms() >= p->deadline_ms)
		return -ETIME;
	while ((n = read(p->in, data, len)) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (!play_poll(p, p->in, POLLIN, ms))
			return -ETIME;
	}
	if (n > 0 && p->at_first_bytes)
		p->at_first_bytes(p);
	if (n > 0)
		p->at_first_bytes = NULL;
	return n;
}

static void
give(const struct player *p, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(p->out, data, len);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			play_fail(p, "can't send: %s", strerror(errno));
		if (n < 0 && !play_poll(p, p->out, POLLOUT, -1))
			play_fail(p, "nobody took it until the time was over");
		data += n < 0 ? 0 : n;
		len -= n < 0 ? 0 : (size_t)n;
	}
}

/* How the stream went on: what take() returned, in words. */
static const char *
ending(ssize_t end)
{
	return end == 0             ? "end of file"
	       : end == -ETIME      ? "nothing until the time was over"
	       : end == -ECONNRESET ? "a reset"
				    : strerror((int)-end);
}

static void
print_hex(FILE *f, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fprintf(f, "%02x", data[i]);
}

/* Fails with what came instead: these bytes, and then what take() says, or
 * whatever else comes soon. */
__attribute__((noreturn)) static void
fail_got(struct player *p, const uint8_t *data, size_t len, ssize_t end)
{
	uint8_t got[BYTES_MAX + 256];
	char *text;
	size_t text_len;
	FILE *f = open_memstream(&text, &text_len);
	bool goes_on = end > 0;

	memcpy(got, data, len);
	while (end > 0 && len < sizeof(got)) {
		end = take(p, got + len, sizeof(got) - len, MOMENT);
		len += end > 0 ? (size_t)end : 0;
	}
	print_hex(f, got, len);
	if (end <= 0 && !(goes_on && end == -ETIME))
		fprintf(f, "%s%s", len ? " then " : "", ending(end));
	fclose(f);
	play_fail(p, "got %s", text);
}

/* Reads data[have] to data[len - 1]; `want` is what it must be, or NULL. */
static void
read_exactly(struct player *p, uint8_t *data, size_t have, size_t len,
    const uint8_t *want)
{
	while (have < len) {
		ssize_t n = take(p, data + have, len - have, -1);

		have += n > 0 ? (size_t)n : 0;
		if (n <= 0 || (want && memcmp(data, want, have) != 0))
			fail_got(p, data, have, n);
	}
}

/* Reads and checks some pattern: how many bytes. */
static size_t
check_some(struct player *p, uint64_t left)
{
	static uint8_t chunk[CHUNK];
	ssize_t n = take(p, chunk, left < CHUNK ? (size_t)left : CHUNK, 0);

	if (n == -ETIME)
		return 0;
	if (n <= 0)
		play_fail(p, "got %s with %" PRIu64 " bytes missing", ending(n),
		    left);
	for (ssize_t i = 0; i < n; i++, p->seen++) {
		if (chunk[i] != pattern_at(p->seen))
			play_fail(p,
			    "got %02x at %" PRIu64 ", where %02x belongs",
			    chunk[i], p->seen, pattern_at(p->seen));
	}
	return (size_t)n;
}

/* Sends some pattern without waiting: how many bytes. */
static size_t
send_some(struct player *p, uint64_t left)
{
	static uint8_t chunk[CHUNK];
	size_t len = left < CHUNK ? (size_t)left : CHUNK;
	ssize_t n;

	for (size_t i = 0; i < len; i++)
		chunk[i] = pattern_at(p->sent + i);
	n = write(p->out, chunk, len);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		play_fail(p, "can't send: %s with %" PRIu64 " bytes left",
		    strerror(errno), left);
	if (n < 0)
		return 0;
	p->sent += (uint64_t)n;
	return (size_t)n;
}

/* Both at once. Gives up when nothing moves for `patience` ms, or never (-1);
 * returns how much was not sent. */
static uint64_t
move(struct player *p, uint64_t to_send, uint64_t to_check, int patience)
{
	if ((to_send && p->out < 0) || (to_check && p->in < 0))
		play_fail(p, "it is closed already");
	while (to_send || to_check) {
		struct pollfd fds[] = {
		    {to_check ? p->in : -1, POLLIN, 0},
		    {to_send ? p->out : -1, POLLOUT, 0},
		};
		int64_t left = p->deadline_ms - now_ms();
		bool patient = patience < 0 || patience > left;

		if (left <= 0 ||
		    poll(fds, 2, patient ? (int)left : patience) == 0) {
			if (!patient)
				break;
			play_fail(p,
			    "the time is over, %" PRIu64 " bytes not taken, "
			    "%" PRIu64 " missing",
			    to_send, to_check);
		}
		if (fds[0].revents)
			to_check -= check_some(p, to_check);
		if (fds[1].revents)
			to_send -= send_some(p, to_send);
	}
	return to_send;
}

static void
step_send(struct player *p)
{
	uint8_t bytes[BYTES_MAX];
	size_t len = bytes_of(p, bytes);

	if (p->how == URGENT &&
	    send(p->out, bytes, len, MSG_OOB) != (ssize_t)len)
		play_fail(p, "can't send: %s", strerror(errno));
	if (p->how == HEX || p->how == TEXT)
		give(p, bytes, len);
	for (size_t i = 0; p->how == SPLIT && i < len; i++) {
		give(p, bytes + i, 1);
		play_nap(p, 1);
	}
}

static void
step_receive(struct player *p)
{
	uint8_t want[BYTES_MAX], got[BYTES_MAX];

	read_exactly(p, got, 0, bytes_of(p, want), want);
}

static void
step_reply(struct player *p)
{
	uint8_t rep[BYTES_MAX], got[22];
	char text[INET6_ADDRSTRLEN];
	size_t len;

	if (bytes_of(p, rep) != 1)
		play_fail(p, "not one byte");
	read_exactly(p, got, 0, 4, NULL);
	if (got[0] != 5 || got[1] != rep[0] || got[2] != 0 ||
	    (got[3] != 1 && got[3] != 4))
		fail_got(p, got, 4, 1);
	len = got[3] == 1 ? 10 : 22;
	read_exactly(p, got, 4, len, NULL);
	printf("bnd %s %d\n",
	    inet_ntop(
		got[3] == 1 ? AF_INET : AF_INET6, got + 4, text, sizeof(text)),
	    got[len - 2] << 8 | got[len - 1]);
}

/* Whether what take() returned is an end that was wanted. */
static bool
is_end(const struct player *p, ssize_t n)
{
	return (n == 0 && p->how & END) || (n == -ECONNRESET && p->how & RESET);
}

static void
step_end(struct player *p)
{
	uint8_t got[64];
	ssize_t n = take(p, got, sizeof(got), -1);

	if (!is_end(p, n))
		fail_got(p, got, n > 0 ? (size_t)n : 0, n);
}

static void
step_drain(struct player *p)
{
	static uint8_t scrap[CHUNK];
	uint64_t total = 0;
	ssize_t n;

	while ((n = take(p, scrap, sizeof(scrap), -1)) > 0) {
		total += (uint64_t)n;
		if (p->how & SHOW)
			print_hex(stdout, scrap, (size_t)n);
	}
	if (p->how & SHOW)
		putchar('\n');
	if (!is_end(p, n))
		play_fail(p, "got %" PRIu64 " bytes then %s", total, ending(n));
	if (!(p->how & SHOW))
		printf("drained %" PRIu64 "\n", total);
}

static void
step_quiet(struct player *p)
{
	int ms = (int)play_number(p, INT32_MAX);
	uint8_t got[64];
	ssize_t n = take(p, got, sizeof(got), ms);

	if (n != -ETIME)
		fail_got(p, got, n > 0 ? (size_t)n : 0, n);
	if (now_ms() >= p->deadline_ms)
		play_fail(p, "the time is over");
}

static void
step_move(struct player *p)
{
	uint64_t n = play_number(p, INT64_MAX);
	uint64_t left = move(p, p->how & SEND ? n : 0, p->how & CHECK ? n : 0,
	    p->how & FILL ? PATIENCE : -1);

	if (p->how & FILL)
		printf("filled %" PRIu64 "\n", n - left);
}

static void
step_flood(struct player *p)
{
	static const uint8_t chunk[CHUNK];

	for (;;) {
		ssize_t n = write(p->out, chunk, sizeof(chunk));

		if (n < 0 && (errno == ECONNRESET || errno == EPIPE))
			return;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			play_fail(p, "can't send: %s", strerror(errno));
		if (n < 0 && !play_poll(p, p->out, POLLOUT, -1))
			play_fail(p, "nobody took it until the time was over");
		if (now_ms() >= p->deadline_ms)
			play_fail(p, "it went on until the time was over");
	}
}

static void
step_shut(struct player *p)
{
	if (shutdown(p->out, SHUT_WR) == 0)
		return;
	if (p->in == p->out)
		play_fail(p, "can't shut: %s", strerror(errno));
	close(p->out); /* a pipe */
	p->out = -1;
}

static void
step_echo(struct player *p)
{
	static uint8_t chunk[CHUNK];
	ssize_t n;

	while ((n = take(p, chunk, sizeof(chunk), -1)) > 0)
		give(p, chunk, (size_t)n);
	if (n < 0)
		play_fail(p, "got %s", ending(n));
	step_shut(p);
}

void
play_close(struct player *p)
{
	if (p->in >= 0)
		close(p->in);
	if (p->out >= 0 && p->out != p->in)
		close(p->out);
	p->in = p->out = -1;
}

static void
step_close(struct player *p)
{
	struct linger now = {1, 0};

	if (p->how & RESET) {
		setsockopt(p->in, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		setsockopt(p->out, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	}
	play_close(p);
}

static void
step_touch(struct player *p)
{
	int fd = open(p->arg, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);

	if (fd < 0)
		play_fail(p, "%s", strerror(errno));
	close(fd);
}

static void
step_await(struct player *p)
{
	struct stat st;

	while (stat(p->arg, &st) < 0) {
		if (!play_nap(p, 2))
			play_fail(p, "not there when the time was over");
	}
}

static void
step_hold(struct player *p)
{
	if (!play_nap(p, (int)play_number(p, INT32_MAX)))
		play_fail(p, "the time is over");
}

static const struct {
	const char *verb;
	void (*take)(struct player *);
	int how;
} steps[] = {
    {"send", step_send, HEX},
    {"text", step_send, TEXT},
    {"split", step_send, SPLIT},
    {"urgent", step_send, URGENT},
    {"recv", step_receive, HEX},
    {"expect", step_receive, TEXT},
    {"reply", step_reply, HEX},
    {"dump", step_drain, END | SHOW},
    {"eof", step_end, END},
    {"reset", step_end, RESET},
    {"closed", step_end, END | RESET},
    {"drain-eof", step_drain, END},
    {"drain-reset", step_drain, RESET},
    {"quiet", step_quiet, 0},
    {"shut", step_shut, 0},
    {"close", step_close, END},
    {"abort", step_close, RESET},
    {"fill", step_move, SEND | FILL},
    {"flood", step_flood, 0},
    {"pattern", step_move, SEND},
    {"check", step_move, CHECK},
    {"exchange", step_move, SEND | CHECK},
    {"echo", step_echo, 0},
    {"touch", step_touch, 0},
    {"await", step_await, 0},
    {"hold", step_hold, 0},
};

/* Takes a step that play.h lists: false when it isn't one. */
static bool
take_step(struct player *p, const char *verb)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (strcmp(steps[i].verb, verb) == 0) {
			p->how = steps[i].how;
			steps[i].take(p);
			return true;
		}
	}
	return p->other && p->other(p, verb);
}

void
play(struct player *p, int count, char **words)
{
	fcntl(p->in, F_SETFL, fcntl(p->in, F_GETFL) | O_NONBLOCK);
	fcntl(p->out, F_SETFL, fcntl(p->out, F_GETFL) | O_NONBLOCK);
	for (int i = 0; i < count; i++) {
		char *verb = strdup(words[i]);
		char *colon = verb ? strchr(verb, ':') : NULL;

		p->step = i + 1;
		p->word = words[i];
		if (!verb)
			play_fail(p, "%s", strerror(errno));
		if (colon)
			*colon = '\0';
		p->arg = colon ? colon + 1 : "";
		if (!take_step(p, verb))
			play_fail(p, "no such step");
		free(verb);
	}
	p->word = NULL;
}

/*
 * The leak sanitizer asks. What these programs hold they hold until they end,
 * and to look for it would take longer than all that most of them do.
 */
int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return 1;
}
