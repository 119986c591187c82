/*
 * client: makes a connection, hands one end of it over to a program as a
 * super-server would, and plays the client at the other.
 *
 *   client [-2] [-s] [-i SIG] [-b SIG] [-l SECONDS] KIND STEP... -- PROGRAM...
 *   client [-l SECONDS] tcp:ADDRESS:PORT|unix:PATH STEP...
 *
 * KIND is what PROGRAM finds on descriptors 0 and 1: inet, inet6 (an accepted
 * TCP connection), unix (an accepted one), socketpair, pipes, or one thing for
 * each: pipe-socket, socket-pipe, pipe-inet, inet-pipe. The second form
 * connects to a service that runs already.
 *
 * -2  descriptor 2 is the connection too, as under inetd
 * -s  leaves stray descriptors open; prints "stray closed" or "stray open"
 * -i, -b  leaves a signal (ALRM, PIPE, CHLD, TERM) ignored, or blocked
 * -l  ends everything after so long (20 s)
 *
 * Steps: those of play.h, and
 *   kill:TERM       sends PROGRAM a signal
 *   wait            waits for PROGRAM's exit
 *   children:N      waits until PROGRAM has N children
 *   fds             prints "fds 0 1 2 ...", what PROGRAM has open
 *   stopped-cpu:MS  PROGRAM must sleep for nine tenths of this time
 *
 * Prints how PROGRAM ended, "exit N" or "signal N", in its last line. Exits
 * with 0 when all steps held, 1 when one failed, 2 for bad usage.
 */
#include "play.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct options {
	bool inetd, stray;
	sigset_t ignored, blocked;
	unsigned limit;
};

/* The program's ends and ours. */
struct ends {
	int in, out, our_in, our_out;
};

static pid_t handler;
static int handler_status = -1;
static int stray = -1; /* read end of a pipe the handler should close */

static void
die(const char *what)
{
	fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void
end_handler(void)
{
	if (handler > 0 && handler_status < 0) {
		kill(handler, SIGKILL);
		waitpid(handler, NULL, 0);
	}
}

static void
on_alarm(int signo)
{
	static const char message[] = "client: the time is over\n";

	(void)signo;
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(2);
	if (handler > 0 && handler_status < 0)
		kill(handler, SIGKILL);
	_exit(1);
}

static void
make_inet(int family, int *theirs, int *ours)
{
	struct sockaddr_storage ss = {.ss_family = (sa_family_t)family};
	struct sockaddr *sa = (struct sockaddr *)&ss;
	socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in)
					  : sizeof(struct sockaddr_in6);
	int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (family == AF_INET)
		((struct sockaddr_in *)sa)->sin_addr.s_addr =
		    htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)sa)->sin6_addr = in6addr_loopback;
	*ours = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, sa, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, sa, &len) < 0 || connect(*ours, sa, len) < 0)
		die("loopback");
	*theirs = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	setsockopt(*ours, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	close(listener);
}

static void
make_unix(int *theirs, int *ours)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char dir[] = "/tmp/client.XXXXXX";
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!mkdtemp(dir))
		die(dir);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/socket", dir);
	*ours = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    listen(listener, 1) < 0 ||
	    connect(*ours, (struct sockaddr *)&un, sizeof(un)) < 0)
		die(un.sun_path);
	*theirs = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	unlink(un.sun_path);
	rmdir(dir);
}

/* A two-way connection of this kind; false when there is no such kind. */
static bool
make_socket(const char *kind, int *theirs, int *ours)
{
	int pair[2];

	if (strcmp(kind, "inet") == 0) {
		make_inet(AF_INET, theirs, ours);
	} else if (strcmp(kind, "inet6") == 0) {
		make_inet(AF_INET6, theirs, ours);
	} else if (strcmp(kind, "unix") == 0) {
		make_unix(theirs, ours);
	} else if (strcmp(kind, "socketpair") == 0 ||
		   strcmp(kind, "socket") == 0) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) <
		    0)
			die("socketpair");
		*theirs = pair[0];
		*ours = pair[1];
	} else {
		return false;
	}
	return true;
}

static bool
make_ends(const char *kind, struct ends *out)
{
	int up[2], down[2];

	if (make_socket(kind, &out->in, &out->our_in)) {
		out->out = out->in;
		out->our_out = out->our_in;
		return true;
	}
	if (pipe2(up, O_CLOEXEC) < 0 || pipe2(down, O_CLOEXEC) < 0)
		die("pipe");
	out->in = up[0];
	out->our_out = up[1];
	out->our_in = down[0];
	out->out = down[1];
	if (strcmp(kind, "pipes") == 0)
		return true;
	if (strncmp(kind, "pipe-", 5) == 0) {
		close(down[0]);
		close(down[1]);
		return make_socket(kind + 5, &out->out, &out->our_in);
	}
	if (strlen(kind) > 5 && strcmp(kind + strlen(kind) - 5, "-pipe") == 0) {
		char first[16];

		close(up[0]);
		close(up[1]);
		snprintf(
		    first, sizeof(first), "%.*s", (int)strlen(kind) - 5, kind);
		return make_socket(first, &out->in, &out->our_out);
	}
	return false;
}

/* Descriptors that nobody asked for; the last one is seen to be closed. */
static void
leave_strays(int watched)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, 3) < 0 || dup2(null, 30) < 0 ||
	    dup2(watched, 47) < 0)
		die("strays");
}

/* In the child: the descriptors and signals as a super-server leaves them. */
static void
become(const struct options *o, const struct ends *ends, int watched,
    char **program)
{
	int in = fcntl(ends->in, F_DUPFD, 60);
	int out = fcntl(ends->out, F_DUPFD, 60);

	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	if (o->inetd)
		dup2(out, STDERR_FILENO);
	close(in);
	close(out);
	signal(SIGPIPE, SIG_DFL);
	for (int s = 1; s < NSIG; s++) {
		if (sigismember(&o->ignored, s) == 1)
			signal(s, SIG_IGN);
	}
	sigprocmask(SIG_SETMASK, &o->blocked, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (o->stray)
		leave_strays(watched);
	execvp(program[0], program);
	die(program[0]);
}

/* The stray pipe's write end has to be closed while the program lives. */
static void
check_stray(void)
{
	struct pollfd fd = {stray, POLLIN, 0};
	char byte;

	if (stray < 0)
		return;
	poll(&fd, 1, 2000);
	printf("stray %s\n",
	    fd.revents && read(stray, &byte, 1) == 0 ? "closed" : "open");
	close(stray);
	stray = -1;
}

static void
start(const struct options *o, struct ends *ends, char **program)
{
	int watched[2];

	fflush(NULL);
	if (pipe2(watched, O_CLOEXEC) < 0)
		die("pipe");
	handler = fork();
	if (handler == 0)
		become(o, ends, watched[1], program);
	close(watched[1]);
	if (o->stray)
		stray = watched[0];
	else
		close(watched[0]);
	close(ends->in);
	if (ends->out != ends->in)
		close(ends->out);
}

static int
wait_handler(void)
{
	if (handler_status < 0 && waitpid(handler, &handler_status, 0) < 0)
		die("waitpid");
	return handler_status;
}

static int
signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} known[] = {{"ALRM", SIGALRM}, {"PIPE", SIGPIPE}, {"CHLD", SIGCHLD},
	    {"TERM", SIGTERM}, {"INT", SIGINT}, {"STOP", SIGSTOP},
	    {"CONT", SIGCONT}, {"KILL", SIGKILL}};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(known[i].name, name) == 0)
			return known[i].number;
	}
	fprintf(stderr, "client: no signal %s\n", name);
	exit(2);
}

static void
nap_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Clock ticks of user and system time together. */
static unsigned long
cpu_ticks(void)
{
	unsigned long user = 0, sys = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", handler);
	f = fopen(path, "re");
	if (!f || fscanf(f,
		      "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
		      "%lu %lu",
		      &user, &sys) != 2)
		user = sys = 0;
	if (f)
		fclose(f);
	return user + sys;
}

static void
stopped_cpu(const struct player *p, const char *arg)
{
	long ms = atol(arg), hz = sysconf(_SC_CLK_TCK);
	unsigned long before, used;

	nap_ms(30); /* for what was under way */
	before = cpu_ticks();
	nap_ms(ms);
	used = (cpu_ticks() - before) * 1000 / (unsigned long)hz;
	/* A tick more, for it may have been nearly full before. */
	if (used > (unsigned long)(ms / 10 + 1000 / hz))
		play_fail(p, "it was busy for %lu ms", used);
}

static void
await_children(const char *arg)
{
	char path[64], line[256];

	snprintf(
	    path, sizeof(path), "/proc/%d/task/%d/children", handler, handler);
	for (;;) {
		FILE *f = fopen(path, "re");
		int n = 0;

		if (f && fgets(line, sizeof(line), f)) {
			for (char *c = line; *c; c++)
				n += *c == ' ';
		}
		if (f)
			fclose(f);
		if (n == atoi(arg))
			return;
		nap_ms(2);
	}
}

static int
compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void
print_fds(const struct player *p)
{
	char path[64];
	struct dirent *entry;
	int fds[256], n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", handler);
	dir = opendir(path);
	if (!dir)
		play_fail(p, "%s", strerror(errno));
	while ((entry = readdir(dir)) && n < 256) {
		if (entry->d_name[0] != '.')
			fds[n++] = atoi(entry->d_name);
	}
	closedir(dir);
	qsort(fds, (size_t)n, sizeof(*fds), compare);
	printf("fds");
	for (int i = 0; i < n; i++)
		printf(" %d", fds[i]);
	printf("\n");
}

static bool
steps_of_ours(struct player *p, const char *verb, const char *arg)
{
	if (strcmp(verb, "kill") == 0)
		kill(handler, signal_number(arg));
	else if (strcmp(verb, "wait") == 0)
		wait_handler();
	else if (strcmp(verb, "children") == 0)
		await_children(arg);
	else if (strcmp(verb, "stopped-cpu") == 0)
		stopped_cpu(p, arg);
	else if (strcmp(verb, "fds") == 0)
		print_fds(p);
	else
		return false;
	return true;
}

/* A service that runs already: tcp:ADDRESS:PORT or unix:PATH. */
static int
connect_to(const char *where)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} a = {0};
	char host[64] = "";
	unsigned port;
	int fd, on = 1;
	socklen_t len;

	if (strncmp(where, "unix:", 5) == 0) {
		a.un.sun_family = AF_UNIX;
		strncpy(a.un.sun_path, where + 5, sizeof(a.un.sun_path) - 1);
		len = sizeof(a.un);
	} else if (sscanf(where, "tcp:[%63[0-9a-f:]]:%u", host, &port) == 2 &&
		   inet_pton(AF_INET6, host, &a.in6.sin6_addr) == 1) {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons((uint16_t)port);
		len = sizeof(a.in6);
	} else if (sscanf(where, "tcp:%63[0-9.]:%u", host, &port) == 2 &&
		   inet_pton(AF_INET, host, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons((uint16_t)port);
		len = sizeof(a.in);
	} else {
		return -1;
	}
	fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, &a.sa, len) < 0) {
		fprintf(stderr, "client: %s: %s\n", where, strerror(errno));
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static int
usage(void)
{
	fputs("usage: client [-2s] [-i SIG] [-b SIG] [-l SECONDS] KIND STEP... "
	      "-- PROGRAM...\n",
	    stderr);
	return 2;
}

static void
read_options(int argc, char **argv, struct options *o)
{
	int opt;

	sigemptyset(&o->ignored);
	sigemptyset(&o->blocked);
	while ((opt = getopt(argc, argv, "+2si:b:l:")) != -1) {
		if (opt == '2')
			o->inetd = true;
		else if (opt == 's')
			o->stray = true;
		else if (opt == 'i')
			sigaddset(&o->ignored, signal_number(optarg));
		else if (opt == 'b')
			sigaddset(&o->blocked, signal_number(optarg));
		else if (opt == 'l')
			o->limit = (unsigned)atoi(optarg);
		else
			exit(usage());
	}
}

int
main(int argc, char **argv)
{
	struct options o = {.limit = 20};
	struct player player = {.program = "client", .other = steps_of_ours};
	struct ends ends;
	char **program = NULL;
	int count, status;

	read_options(argc, argv, &o);
	if (optind >= argc)
		return usage();
	argv += optind;
	for (count = 1; argv[count]; count++) {
		if (strcmp(argv[count], "--") == 0) {
			program = argv + count + 1;
			break;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, on_alarm);
	alarm(o.limit);
	play_cleanup = end_handler;
	if (program) {
		if (!*program || !make_ends(argv[0], &ends))
			return usage();
		start(&o, &ends, program);
		player.in = ends.our_in;
		player.out = ends.our_out;
	} else {
		player.in = player.out = connect_to(argv[0]);
		if (player.in < 0)
			return usage();
	}

	play(&player, count - 1, argv + 1);
	check_stray();
	play_close(&player);
	if (!program)
		return 0;
	status = wait_handler();
	if (WIFEXITED(status))
		printf("exit %d\n", WEXITSTATUS(status));
	else
		printf("signal %d\n", WTERMSIG(status));
	return 0;
}
