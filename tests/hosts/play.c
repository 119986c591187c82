#include "play.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
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

#define BYTES_MAX 4096
#define CHUNK     65536
#define PATIENCE  400 /* of fill, in ms */

void (*play_cleanup)(void);

void
play_fail(const struct player *player, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: step %d '%s': ", player->program, player->step,
	    player->word);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	if (play_cleanup)
		play_cleanup();
	exit(1);
}

/* A byte of the pattern: no run of it repeats soon. */
static uint8_t
pattern_at(uint64_t offset)
{
	uint64_t x = (offset + 1) * 0x9e3779b97f4a7c15u;

	return (uint8_t)(x >> 56 ^ x >> 29);
}

static size_t
from_hex(const struct player *p, const char *hex, uint8_t *out)
{
	size_t len = strlen(hex) / 2;

	if (strlen(hex) % 2 || len > BYTES_MAX ||
	    strspn(hex, "0123456789abcdefABCDEF") != strlen(hex))
		play_fail(p, "not hex");
	for (size_t i = 0; i < len; i++) {
		char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};

		out[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return len;
}

static uint64_t
number(const struct player *p, const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*end == 'K' || *end == 'M')
		n <<= *end++ == 'K' ? 10 : 20;
	if (end == text || *end)
		play_fail(p, "not a number");
	return n;
}

static void
nap(uint64_t ms)
{
	struct timespec t = {
	    .tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000 * 1000000),
	};

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

static void
write_all(const struct player *p, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(p->out, data, len);

		if (n < 0 && errno == EAGAIN) {
			poll(&(struct pollfd){p->out, POLLOUT, 0}, 1, -1);
			continue;
		}
		if (n < 0)
			play_fail(p, "can't send: %s", strerror(errno));
		data += n;
		len -= (size_t)n;
	}
}

/* Reads up to len bytes: how many until the end, or -errno. */
static ssize_t
read_up_to(const struct player *p, uint8_t *data, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = read(p->in, data + have, len - have);

		if (n < 0 && errno == EAGAIN) {
			poll(&(struct pollfd){p->in, POLLIN, 0}, 1, -1);
			continue;
		}
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static const char *
as_hex(const uint8_t *data, size_t len)
{
	static char text[2 * BYTES_MAX + 1];

	text[0] = '\0';
	for (size_t i = 0; i < len && i < BYTES_MAX; i++)
		sprintf(text + 2 * i, "%02x", data[i]);
	return text;
}

static void
read_exactly(const struct player *p, uint8_t *data, size_t len)
{
	ssize_t n = read_up_to(p, data, len);

	if (n < 0)
		play_fail(p, "got %s", strerror((int)-n));
	if ((size_t)n < len)
		play_fail(
		    p, "got %s and the end of file", as_hex(data, (size_t)n));
}

static void
receive(const struct player *p, const uint8_t *want, size_t len)
{
	uint8_t got[BYTES_MAX];

	read_exactly(p, got, len);
	if (memcmp(got, want, len) != 0)
		play_fail(p, "got %s", as_hex(got, len));
}

static void
reply(const struct player *p, const char *arg)
{
	uint8_t message[22], rep;
	char text[INET6_ADDRSTRLEN];
	size_t len;
	uint16_t port;

	from_hex(p, arg, &rep);
	read_exactly(p, message, 4);
	if (message[0] != 5 || message[1] != rep || message[2] != 0 ||
	    (message[3] != 1 && message[3] != 4))
		play_fail(p, "got %s", as_hex(message, 4));
	len = message[3] == 1 ? 4 : 16;
	read_exactly(p, message + 4, len + 2);
	memcpy(&port, message + 4 + len, 2);
	printf("bnd %s %u\n",
	    inet_ntop(message[3] == 1 ? AF_INET : AF_INET6, message + 4, text,
		sizeof(text)),
	    ntohs(port));
}

/* Reads until the end or an error: how many bytes, and 0 or the errno. */
static int
drain(const struct player *p, uint64_t *total)
{
	static uint8_t scrap[CHUNK];
	ssize_t n;

	*total = 0;
	while ((n = read(p->in, scrap, sizeof(scrap))) > 0)
		*total += (uint64_t)n;
	return n < 0 ? errno : 0;
}

/* How the stream ends: what is wanted is 0, ECONNRESET, or -1 for either. */
static void
ending(const struct player *p, int wanted, bool may_drain)
{
	uint64_t total;
	int error = drain(p, &total);

	if (total && !may_drain)
		play_fail(p, "%llu bytes came", (unsigned long long)total);
	if (error != 0 && error != ECONNRESET)
		play_fail(p, "got %s", strerror(error));
	if (wanted != -1 && error != wanted)
		play_fail(p, "after %llu bytes came %s",
		    (unsigned long long)total,
		    error ? "a reset" : "the end of file");
	if (may_drain)
		printf("drained %llu\n", (unsigned long long)total);
}

static size_t
make_pattern(uint64_t offset, uint64_t left, uint8_t out[CHUNK])
{
	size_t len = left < CHUNK ? (size_t)left : CHUNK;

	for (size_t i = 0; i < len; i++)
		out[i] = pattern_at(offset + i);
	return len;
}

/* Sends some pattern without waiting: how many bytes. */
static size_t
send_some(struct player *p, uint64_t left)
{
	static uint8_t chunk[CHUNK];
	size_t len = make_pattern(p->sent, left, chunk);
	ssize_t n = write(p->out, chunk, len);

	if (n < 0 && errno != EAGAIN)
		play_fail(p, "can't send: %s", strerror(errno));
	if (n < 0)
		return 0;
	p->sent += (uint64_t)n;
	return (size_t)n;
}

/* Reads and checks some: how many bytes. */
static size_t
check_some(struct player *p, uint64_t left)
{
	static uint8_t chunk[CHUNK];
	size_t len = left < CHUNK ? (size_t)left : CHUNK;
	ssize_t n = read(p->in, chunk, len);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		play_fail(p, "%s with %llu bytes missing",
		    n < 0 ? strerror(errno) : "the end of file",
		    (unsigned long long)left);
	for (ssize_t i = 0; i < n; i++) {
		if (chunk[i] != pattern_at(p->seen + (uint64_t)i))
			play_fail(p, "byte %llu is wrong",
			    (unsigned long long)p->seen + (uint64_t)i);
	}
	p->seen += (uint64_t)n;
	return (size_t)n;
}

static void
set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

/* Both at once; `patience` in ms, -1 for ever. Returns what was not sent. */
static uint64_t
move(struct player *p, uint64_t to_send, uint64_t to_check, int patience)
{
	set_nonblock(p->out, true);
	set_nonblock(p->in, true);
	while (to_send || to_check) {
		struct pollfd fds[] = {
		    {to_check ? p->in : -1, POLLIN, 0},
		    {to_send ? p->out : -1, POLLOUT, 0},
		};

		if (poll(fds, 2, patience) == 0)
			break;
		if (fds[0].revents)
			to_check -= check_some(p, to_check);
		if (fds[1].revents)
			to_send -= send_some(p, to_send);
	}
	set_nonblock(p->out, false);
	set_nonblock(p->in, false);
	return to_send;
}

static void
fill(struct player *p, uint64_t most)
{
	uint64_t left = move(p, most, 0, PATIENCE);

	printf("filled %llu\n", (unsigned long long)(most - left));
	fflush(stdout);
}

static void
quiet(const struct player *p, int ms)
{
	struct pollfd fd = {p->in, POLLIN, 0};
	uint8_t got[64];
	ssize_t n;

	if (poll(&fd, 1, ms) == 0)
		return;
	n = read(p->in, got, sizeof(got));
	play_fail(p, "%s came",
	    n > 0    ? as_hex(got, (size_t)n)
	    : n == 0 ? "the end of file"
		     : strerror(errno));
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
shut(struct player *p)
{
	if (p->in != p->out) {
		/* A pipe, or a socket of its own. */
		if (shutdown(p->out, SHUT_WR) < 0) {
			close(p->out);
			p->out = -1;
		}
	} else if (shutdown(p->out, SHUT_WR) < 0) {
		play_fail(p, "%s", strerror(errno));
	}
}

static void
await_file(const struct player *p, const char *file)
{
	struct stat st;

	(void)p;
	while (stat(file, &st) < 0)
		nap(2);
}

/* Steps that send. */
static bool
play_sending(struct player *p, const char *verb, const char *arg)
{
	uint8_t bytes[BYTES_MAX];
	size_t len;

	if (strcmp(verb, "text") == 0) {
		write_all(p, (const uint8_t *)arg, strlen(arg));
	} else if (strcmp(verb, "send") == 0) {
		write_all(p, bytes, from_hex(p, arg, bytes));
	} else if (strcmp(verb, "split") == 0) {
		len = from_hex(p, arg, bytes);
		for (size_t i = 0; i < len; i++) {
			write_all(p, bytes + i, 1);
			nap(1);
		}
	} else if (strcmp(verb, "urgent") == 0) {
		len = from_hex(p, arg, bytes);
		if (send(p->out, bytes, len, MSG_OOB) != (ssize_t)len)
			play_fail(p, "%s", strerror(errno));
	} else if (strcmp(verb, "fill") == 0) {
		fill(p, number(p, arg));
	} else if (strcmp(verb, "pattern") == 0) {
		move(p, number(p, arg), 0, -1);
	} else if (strcmp(verb, "exchange") == 0) {
		move(p, number(p, arg), number(p, arg), -1);
	} else if (strcmp(verb, "shut") == 0) {
		shut(p);
	} else if (strcmp(verb, "close") == 0) {
		play_close(p);
	} else if (strcmp(verb, "abort") == 0) {
		struct linger now = {1, 0};

		setsockopt(p->in, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		setsockopt(p->out, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		play_close(p);
	} else {
		return false;
	}
	return true;
}

/* Steps that read, and the rest. */
static bool
play_reading(struct player *p, const char *verb, const char *arg)
{
	uint8_t bytes[BYTES_MAX];

	if (strcmp(verb, "recv") == 0)
		receive(p, bytes, from_hex(p, arg, bytes));
	else if (strcmp(verb, "expect") == 0)
		receive(p, (const uint8_t *)arg, strlen(arg));
	else if (strcmp(verb, "reply") == 0)
		reply(p, arg);
	else if (strcmp(verb, "check") == 0)
		move(p, 0, number(p, arg), -1);
	else if (strcmp(verb, "eof") == 0)
		ending(p, 0, false);
	else if (strcmp(verb, "reset") == 0)
		ending(p, ECONNRESET, false);
	else if (strcmp(verb, "closed") == 0)
		ending(p, -1, false);
	else if (strcmp(verb, "drain-eof") == 0)
		ending(p, 0, true);
	else if (strcmp(verb, "drain-reset") == 0)
		ending(p, ECONNRESET, true);
	else if (strcmp(verb, "quiet") == 0)
		quiet(p, (int)number(p, arg));
	else if (strcmp(verb, "hold") == 0)
		nap(number(p, arg));
	else if (strcmp(verb, "touch") == 0)
		close(open(arg, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
	else if (strcmp(verb, "await") == 0)
		await_file(p, arg);
	else
		return false;
	return true;
}

void
play(struct player *p, int count, char **steps)
{
	for (int i = 0; i < count; i++) {
		char *verb = strdup(steps[i]);
		char *arg = strchr(verb, ':');

		if (arg)
			*arg++ = '\0';
		p->step = i + 1;
		p->word = steps[i];
		if (!play_sending(p, verb, arg ? arg : "") &&
		    !play_reading(p, verb, arg ? arg : "") &&
		    !(p->other && p->other(p, verb, arg ? arg : "")))
			play_fail(p, "no such step");
		free(verb);
	}
}
