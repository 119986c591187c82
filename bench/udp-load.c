/*
 * udp-load: datagrams through a SOCKS5 server's UDP ASSOCIATE to an echo
 * target and back, and what they cost the server.
 *
 *   udp-load [OPTION...] -- PROGRAM...   hands a connection over to PROGRAM
 *   udp-load [OPTION...] -p PORT -P PID  asks a server on 127.0.0.1:PORT, whose
 *                                        processes are PID and its descendants
 *   udp-load [OPTION...] -d              the echo target without any server
 *
 * -s SIZE     payload in bytes (64), 16 at least
 * -w WINDOW   datagrams under way at once (32)
 * -t SECONDS  how long (2), after a warm-up of a tenth of it
 *
 * Prints one line:
 *
 *   size 64 window 32 packets 812345 pps 406172 lost 0 cpu_us 1.234
 *
 * A packet is a datagram that the server relayed, so each echo that came back
 * is two; cpu_us is the server's own time on a processor for one of them, from
 * /proc/PID/schedstat. Exits with 1 when nothing came back.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH      32
#define SIZE_MAX_  65000
#define HEADER_LEN 10
/* A window that made no move for so long has lost what is missing. */
#define LOST_MS 50

struct options {
	size_t size;
	unsigned window;
	double seconds;
	int port;
	pid_t server;
	bool direct;
	char **program;
};

/* A batch of equal buffers for sendmmsg(2) and recvmmsg(2). */
struct batch {
	struct mmsghdr at[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in from[BATCH];
	uint8_t data[BATCH][SIZE_MAX_ + HEADER_LEN];
};

static struct batch batch;

static void
die(const char *what)
{
	fprintf(stderr, "udp-load: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
prepare(struct batch *b, size_t len, bool addressed)
{
	for (int i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){b->data[i], len};
		b->at[i].msg_hdr = (struct msghdr){
		    .msg_iov = &b->iov[i],
		    .msg_iovlen = 1,
		    .msg_name = addressed ? &b->from[i] : NULL,
		    .msg_namelen = addressed ? sizeof(b->from[i]) : 0,
		};
	}
}

/* A UDP socket on loopback and a port that the kernel chooses. */
static int
udp_socket(struct sockaddr_in *out)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 4 << 20;
	socklen_t len = sizeof(*out);

	*out = (struct sockaddr_in){
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (fd < 0 || bind(fd, (struct sockaddr *)out, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)out, &len) < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

static pid_t
start_echo(struct sockaddr_in *out)
{
	int fd = udp_socket(out);
	pid_t pid = fork();

	if (pid != 0) {
		close(fd);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int n;

		prepare(&batch, SIZE_MAX_, true);
		n = recvmmsg(fd, batch.at, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++)
			batch.iov[i].iov_len = batch.at[i].msg_len;
		for (int sent = 0, k; sent<n; sent += k> 0 ? k : 1)
			k = sendmmsg(
			    fd, batch.at + sent, (unsigned)(n - sent), 0);
	}
}

/* --- the server ---------------------------------------------------------- */

/* Nanoseconds on a processor of this process; -1 when it is gone. */
static int64_t
cpu_of(pid_t pid)
{
	char path[64], name[32];
	DIR *tasks;
	int64_t total = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return 0;
	for (struct dirent *e; (e = readdir(tasks));) {
		long long ns = 0;
		FILE *f;

		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%.20s", e->d_name);
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid,
		    name);
		f = fopen(path, "re");
		if (f && fscanf(f, "%lld", &ns) == 1)
			total += ns;
		if (f)
			fclose(f);
	}
	closedir(tasks);
	return total;
}

static pid_t
parent_of(pid_t pid)
{
	char path[64], line[512], *end;
	FILE *f;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f) && (end = strrchr(line, ')')))
		parent = atoi(end + 4);
	fclose(f);
	return parent;
}

/* Of the server and its descendants together. */
static int64_t
cpu_of_server(pid_t server)
{
	DIR *proc = opendir("/proc");
	int64_t total = 0;

	if (!proc)
		die("/proc");
	for (struct dirent *e; (e = readdir(proc));) {
		pid_t pid = atoi(e->d_name), p = pid;

		for (int i = 0; i < 16 && p > 1 && p != server; i++)
			p = parent_of(p);
		if (pid > 0 && p == server)
			total += cpu_of(pid);
	}
	closedir(proc);
	return total;
}

static int
connect_tcp(int port)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&in, sizeof(in)) < 0)
		die("connect");
	return fd;
}

/* Starts the program with one end of a connection on 0 and 1. */
static int
hand_over(struct options *o)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(in);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ours;

	if (bind(listener, (struct sockaddr *)&in, len) < 0 ||
	    listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&in, &len) < 0)
		die("listen");
	ours = connect_tcp(ntohs(in.sin_port));
	o->server = fork();
	if (o->server == 0) {
		int theirs = accept(listener, NULL, NULL);

		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(theirs, 0);
		dup2(theirs, 1);
		execvp(o->program[0], o->program);
		die(o->program[0]);
	}
	close(listener);
	return ours;
}

static void
exactly(int fd, uint8_t *data, size_t len)
{
	for (size_t n = 0; n < len;) {
		ssize_t got = read(fd, data + n, len - n);

		if (got <= 0)
			die("the server's answer");
		n += (size_t)got;
	}
}

/* UDP ASSOCIATE: where to send to. */
static struct sockaddr_in
associate(int tcp, const struct sockaddr_in *ours)
{
	uint8_t greeting[] = {5, 1, 0}, request[10] = {5, 3, 0, 1}, answer[10];
	struct sockaddr_in relay = {.sin_family = AF_INET};

	memcpy(request + 4, &ours->sin_addr, 4);
	memcpy(request + 8, &ours->sin_port, 2);
	if (write(tcp, greeting, 3) != 3)
		die("greeting");
	exactly(tcp, answer, 2);
	if (write(tcp, request, 10) != 10)
		die("request");
	exactly(tcp, answer, 10);
	if (answer[1] != 0 || answer[3] != 1) {
		fprintf(stderr, "udp-load: refused with %02x\n", answer[1]);
		exit(2);
	}
	memcpy(&relay.sin_addr, answer + 4, 4);
	memcpy(&relay.sin_port, answer + 8, 2);
	return relay;
}

/* --- the load ------------------------------------------------------------ */

struct load {
	int fd;
	size_t len; /* header included */
	unsigned window, under_way;
	int64_t back, lost;
};

static void
send_some(struct load *l)
{
	while (l->under_way < l->window) {
		unsigned n = l->window - l->under_way;
		int sent;

		if (n > BATCH)
			n = BATCH;
		for (unsigned i = 0; i < n; i++)
			batch.iov[i].iov_len = l->len;
		sent = sendmmsg(l->fd, batch.at, n, 0);
		if (sent < 0)
			die("send");
		l->under_way += (unsigned)sent;
	}
}

static void
run(struct load *l, double seconds)
{
	int64_t end = now_ns() + (int64_t)(seconds * 1e9);

	while (now_ns() < end) {
		struct pollfd p = {.fd = l->fd, .events = POLLIN};
		int n;

		send_some(l);
		if (poll(&p, 1, LOST_MS) == 0) {
			l->lost += l->under_way;
			l->under_way = 0;
			continue;
		}
		for (int i = 0; i < BATCH; i++)
			batch.iov[i].iov_len = sizeof(batch.data[i]);
		n = recvmmsg(l->fd, batch.at, BATCH, MSG_DONTWAIT, NULL);
		if (n < 0)
			continue;
		l->back += n;
		l->under_way -=
		    (unsigned)n < l->under_way ? (unsigned)n : l->under_way;
	}
}

static void
measure(const struct options *o, struct load *l)
{
	int64_t cpu, started;
	double seconds, packets;

	run(l, o->seconds / 10);
	l->back = l->lost = 0;
	cpu = o->direct ? 0 : cpu_of_server(o->server);
	started = now_ns();
	run(l, o->seconds);
	seconds = (double)(now_ns() - started) / 1e9;
	cpu = o->direct ? 0 : cpu_of_server(o->server) - cpu;
	packets = 2.0 * (double)l->back;
	printf("size %zu window %u packets %.0f pps %.0f lost %" PRId64
	       " cpu_us %.3f\n",
	    o->size, o->window, packets, packets / seconds, l->lost,
	    packets > 0 ? (double)cpu / 1e3 / packets : 0.0);
}

static int
usage(void)
{
	fputs("usage: udp-load [-s SIZE] [-w WINDOW] [-t SECONDS] "
	      "-- PROGRAM... | -p PORT -P PID | -d\n",
	    stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	struct options o = {.size = 64, .window = 32, .seconds = 2};
	struct sockaddr_in target, ours, relay;
	struct load load = {0};
	int tcp = -1, opt;
	pid_t echo;

	while ((opt = getopt(argc, argv, "+s:w:t:p:P:d")) != -1) {
		if (opt == 's')
			o.size = (size_t)atol(optarg);
		else if (opt == 'w')
			o.window = (unsigned)atoi(optarg);
		else if (opt == 't')
			o.seconds = atof(optarg);
		else if (opt == 'p')
			o.port = atoi(optarg);
		else if (opt == 'P')
			o.server = atoi(optarg);
		else if (opt == 'd')
			o.direct = true;
		else
			return usage();
	}
	o.program = argv + optind;
	if (o.size < 16 || o.size > SIZE_MAX_ || o.window < 1 ||
	    o.seconds <= 0 ||
	    (!o.direct && !*o.program && (o.port < 1 || o.server < 1)))
		return usage();
	signal(SIGPIPE, SIG_IGN);
	echo = start_echo(&target);
	load.fd = udp_socket(&ours);
	load.window = o.window;
	load.len = o.size + (o.direct ? 0 : HEADER_LEN);
	relay = target;
	if (!o.direct) {
		tcp = *o.program ? hand_over(&o) : connect_tcp(o.port);
		relay = associate(tcp, &ours);
	}
	if (connect(load.fd, (struct sockaddr *)&relay, sizeof(relay)) < 0)
		die("connect");
	prepare(&batch, load.len, false);
	for (int i = 0; i < BATCH && !o.direct; i++) {
		uint8_t *header = batch.data[i];

		memcpy(header, (uint8_t[]){0, 0, 0, 1}, 4);
		memcpy(header + 4, &target.sin_addr, 4);
		memcpy(header + 8, &target.sin_port, 2);
	}
	measure(&o, &load);
	if (tcp >= 0)
		close(tcp);
	kill(echo, SIGKILL);
	waitpid(echo, NULL, 0);
	if (*o.program && !o.direct)
		waitpid(o.server, NULL, 0);
	return load.back > 0 ? 0 : 1;
}
