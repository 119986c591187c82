/* SPDX-License-Identifier: ISC */
/*
 * client: makes a connection, hands one end of it over to a program as a
 * super-server would, and plays the client at the other.
 *
 *   client [OPTION...] KIND STEP... -- PROGRAM...
 *   client [OPTION...] tcp:ADDRESS:PORT|unix:PATH STEP...
 *
 * KIND is what PROGRAM finds on descriptors 0 and 1: inet, inet6, mptcp (an
 * accepted connection of TCP, of Multipath TCP), unix (an accepted one),
 * socketpair, pipes, or one thing for each: pipe-socket, socket-pipe,
 * pipe-inet, inet-pipe. The second form connects to a service that runs
 * already.
 *
 * With LISTENING in the environment, PROGRAM finds the listening socket instead
 * where KIND is inet, inet6 or unix, and PROGRAM in the steps is the process
 * that serves the client. In the end the service gets a SIGTERM, and how it
 * ended is printed, if the client's process came to a good end.
 *
 * -2  descriptor 2 is the connection too, as under inetd
 * -s  leaves /dev/null open on 3, 7 and 20, and the end of a pipe on 9; prints
 *     "stray closed" if PROGRAM had none of that pipe when its first bytes
 *     came, or else "stray open"
 * -r  uses up this user's ration of memory for pipes; prints "ration gone"
 * -i, -b  leaves a signal (ALRM, CHLD, HUP, INT, PIPE, QUIT, TERM) ignored, or
 *     blocked
 * -a  connects from this address
 * -l  ends everything after so long (15 s)
 *
 * Steps: those of play.h and datagram.h, and
 *   kill:TERM       sends PROGRAM a signal
 *   wait            waits for PROGRAM's exit
 *   children:N      waits until PROGRAM has N children
 *   fds             prints "fds 0 1 2 ...", what PROGRAM has open
 *   stopped-cpu:MS  PROGRAM has to live, and sleep for nine tenths of this time
 *
 * Prints how PROGRAM ended, "exit N" or "signal N", in its last line. Exits
 * with 0 when all steps held, 1 when one failed, 2 for bad usage.
 */
#include "datagram.h"
#include "play.h"
#include "service.h"

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
	const char *from; /* or NULL */
	unsigned limit;
};

/* The program's ends and ours. */
struct ends {
	int in, out, our_in, our_out;
	bool listening; /* the program's has yet to be accepted */
};

#define FDS_MAX 256

static pid_t handler, service; /* service: where there is one, or 0 */
static int handler_status = -1;
static int stray = -1; /* read end of a pipe the handler should close */
static enum { UNSEEN, CLOSED, OPEN } stray_was;

static void
die(const char *what)
{
	fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void
end_handler(void)
{
	if (handler > 0 && handler_status < 0)
		kill(handler, SIGKILL);
	if (service > 0)
		kill(service, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* A listening socket, and a connection to it that has yet to be accepted. */
static void
make_inet(int family, int protocol, int *listener, int *ours)
{
	struct sockaddr_storage ss = {.ss_family = (sa_family_t)family};
	struct sockaddr *sa = (struct sockaddr *)&ss;
	socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in)
					  : sizeof(struct sockaddr_in6);
	int on = 1;

	*listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol);
	if (family == AF_INET)
		((struct sockaddr_in *)sa)->sin_addr.s_addr =
		    htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)sa)->sin6_addr = in6addr_loopback;
	*ours = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol);
	if (bind(*listener, sa, len) < 0 || listen(*listener, 1) < 0 ||
	    getsockname(*listener, sa, &len) < 0 || connect(*ours, sa, len) < 0)
		die("loopback");
	setsockopt(*ours, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void
make_unix(int *listener, int *ours)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	const char *tmp = getenv("TMPDIR");
	char dir[sizeof(un.sun_path) - sizeof("/s")];
	int len = snprintf(
	    dir, sizeof(dir), "%s/client.XXXXXX", tmp ? tmp : P_tmpdir);
	bool made;

	/* A path longer than an address can be goes elsewhere. */
	if (len < 0 || (size_t)len >= sizeof(dir))
		snprintf(dir, sizeof(dir), "%s/client.XXXXXX", P_tmpdir);
	if (!mkdtemp(dir))
		die(dir);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/s", dir);
	*listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*ours = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	made = bind(*listener, (struct sockaddr *)&un, sizeof(un)) == 0 &&
	       listen(*listener, 1) == 0 &&
	       connect(*ours, (struct sockaddr *)&un, sizeof(un)) == 0;
	unlink(un.sun_path);
	rmdir(dir);
	if (!made)
		die(un.sun_path);
}

/* A two-way connection of this kind, which is accepted if theirs is not to
 * listen; false when there is no such kind. */
static bool
make_socket(const char *kind, bool listening, int *theirs, int *ours)
{
	int pair[2], listener;

	if (strcmp(kind, "inet") == 0) {
		make_inet(AF_INET, 0, &listener, ours);
	} else if (strcmp(kind, "inet6") == 0) {
		make_inet(AF_INET6, 0, &listener, ours);
	} else if (strcmp(kind, "mptcp") == 0) {
		make_inet(AF_INET, IPPROTO_MPTCP, &listener, ours);
	} else if (strcmp(kind, "unix") == 0) {
		make_unix(&listener, ours);
	} else if (strcmp(kind, "socketpair") == 0 ||
		   strcmp(kind, "socket") == 0) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) <
		    0)
			die("socketpair");
		*theirs = pair[0];
		*ours = pair[1];
		return true;
	} else {
		return false;
	}
	*theirs = listener;
	if (listening)
		return true;
	*theirs = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (*theirs < 0)
		die("accept");
	close(listener);
	return true;
}

static bool
make_ends(const char *kind, struct ends *out)
{
	int up[2], down[2];

	out->listening =
	    getenv("LISTENING") &&
	    (strncmp(kind, "inet", 4) == 0 || strcmp(kind, "unix") == 0);
	if (make_socket(kind, out->listening, &out->in, &out->our_in)) {
		out->out = out->in;
		out->our_out = out->our_in;
		return true;
	}
	out->listening = false;
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
		return make_socket(kind + 5, false, &out->out, &out->our_in);
	}
	if (strlen(kind) > 5 && strcmp(kind + strlen(kind) - 5, "-pipe") == 0) {
		char first[16];

		close(up[0]);
		close(up[1]);
		snprintf(
		    first, sizeof(first), "%.*s", (int)strlen(kind) - 5, kind);
		return make_socket(first, false, &out->in, &out->our_out);
	}
	return false;
}

/* A copy out of the way of those that PROGRAM gets. */
static int
aside(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 60);

	if (copy < 0)
		die("fcntl");
	return copy;
}

/* In the child: the descriptors and signals as a super-server leaves them. */
static void
become(
    const struct options *o, const struct ends *ends, int pipe_end, char **argv)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int in = aside(ends->in), out = aside(ends->out);
	int sources[] = {
	    aside(null), aside(null), aside(null), aside(pipe_end)};
	static const int strays[] = {3, 7, 20, 9};
	static const int defaults[] = {
	    SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM};

	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	if (o->inetd)
		dup2(out, STDERR_FILENO);
	for (int i = 0; o->stray && i < 4; i++)
		dup2(sources[i], strays[i]);
	for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
		signal(defaults[i], sigismember(&o->ignored, defaults[i]) == 1
					? SIG_IGN
					: SIG_DFL);
	sigprocmask(SIG_SETMASK, &o->blocked, NULL);
	execvp(argv[0], argv);
	fprintf(stderr, "client: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void
start(const struct options *o, struct ends *ends, char **program)
{
	pid_t client = getpid();
	int ends_of_pipe[2];

	fflush(NULL);
	if (pipe2(ends_of_pipe, O_CLOEXEC) < 0 || (handler = fork()) < 0)
		die("starting");
	if (handler == 0) {
		/* Whatever becomes of the client, nothing is left behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != client)
			_exit(127);
		become(o, ends, ends_of_pipe[1], program);
	}
	stray = ends_of_pipe[0];
	close(ends_of_pipe[1]);
}

/* From here on the handler is the service's child that has our connection. */
static void
find_session(const struct player *p, int listener)
{
	service = handler;
	while ((handler = service_session(service, listener)) == 0) {
		if (waitpid(service, &handler_status, WNOHANG) != 0) {
			service = 0;
			play_fail(p, "PROGRAM has ended");
		}
		if (!play_nap(p, 1))
			play_fail(p, "PROGRAM accepts nobody");
	}
}

static bool
handler_lives(void)
{
	siginfo_t info = {0};
	int status = 0;

	if (service > 0)
		return handler_status < 0 &&
		       !service_ended(service, handler, &status);
	return handler > 0 && handler_status < 0 &&
	       waitid(P_PID, (id_t)handler, &info,
		   WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

static int
wait_handler(const struct player *p)
{
	int status = 0;

	while (handler_status < 0) {
		pid_t ended = handler;

		if (service == 0)
			ended = waitpid(handler, &status, WNOHANG);
		else if (!service_ended(service, handler, &status))
			ended = 0;
		if (ended < 0)
			die("waitpid");
		if (ended > 0)
			handler_status = status;
		if (ended == 0 && !play_nap(p, 1))
			play_fail(
			    p, "PROGRAM still ran when the time was over");
	}
	return handler_status;
}

/* Ends the service, whose client has been served. */
static int
wait_service(const struct player *p)
{
	int status = 0;

	kill(service, SIGTERM);
	while (waitpid(service, &status, WNOHANG) == 0) {
		if (!play_nap(p, 1))
			play_fail(p, "the service stayed after SIGTERM");
	}
	service = 0;
	return status;
}

static int
compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* What PROGRAM has open, in order: how many, or -1. */
static int
list_fds(int fds[FDS_MAX])
{
	char path[64];
	struct dirent *entry;
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", handler);
	dir = opendir(path);
	if (!dir)
		return -1;
	while (n < FDS_MAX && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			fds[n++] = atoi(entry->d_name);
	}
	closedir(dir);
	qsort(fds, (size_t)n, sizeof(*fds), compare);
	return n;
}

/* Whether PROGRAM, alive, has none of the pipe. The pipe's end of file would
 * not do: a tracer of PROGRAM inherits the pipe as well. */
static void
see_stray(struct player *p)
{
	struct stat ours;
	int fds[FDS_MAX], n = list_fds(fds);

	(void)p;
	stray_was = n < 0 || fstat(stray, &ours) < 0 ? OPEN : CLOSED;
	for (int i = 0; i < n; i++) {
		if (service_inode(handler, fds[i]) == ours.st_ino)
			stray_was = OPEN;
	}
	if (!handler_lives())
		stray_was = OPEN;
}

static int
signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} known[] = {{"ALRM", SIGALRM}, {"PIPE", SIGPIPE}, {"CHLD", SIGCHLD},
	    {"TERM", SIGTERM}, {"INT", SIGINT}, {"STOP", SIGSTOP},
	    {"CONT", SIGCONT}, {"KILL", SIGKILL}, {"HUP", SIGHUP},
	    {"QUIT", SIGQUIT}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
	    {"XFSZ", SIGXFSZ}, {"SEGV", SIGSEGV}};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(known[i].name, name) == 0)
			return known[i].number;
	}
	fprintf(stderr, "client: no signal %s\n", name);
	exit(2);
}

/* Clock ticks of user and system time together. */
static long
cpu_ticks(const struct player *p)
{
	unsigned long user, sys;
	char path[64], line[1024] = "", *end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", handler);
	f = fopen(path, "re");
	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	end = strrchr(line, ')'); /* the name may contain anything */
	if (!handler_lives() || !end ||
	    sscanf(end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		&user, &sys) != 2)
		play_fail(p, "PROGRAM has ended");
	return (long)(user + sys);
}

static void
stopped_cpu(const struct player *p)
{
	int ms = (int)play_number(p, INT32_MAX);
	long before, used;

	play_nap(p, 30); /* for what was under way */
	before = cpu_ticks(p);
	if (!play_nap(p, ms))
		play_fail(p, "the time is over");
	used = (cpu_ticks(p) - before) * 1000 / sysconf(_SC_CLK_TCK);
	/* A tick more, for one may have been nearly full before. Never a larger
	 * share: on a busy machine even a loop doesn't get it. */
	if (used > ms / 10 + 1000 / sysconf(_SC_CLK_TCK))
		play_fail(p, "PROGRAM was busy for %ld ms", used);
}

static void
await_children(const struct player *p)
{
	uint64_t wanted = play_number(p, INT32_MAX), n;
	char path[64];
	int child;

	snprintf(
	    path, sizeof(path), "/proc/%d/task/%d/children", handler, handler);
	for (;;) {
		FILE *f = fopen(path, "re");

		for (n = 0; f && fscanf(f, "%d", &child) == 1; n++)
			;
		if (f)
			fclose(f);
		if (n == wanted)
			return;
		if (!play_nap(p, 2))
			play_fail(p, "there were %ju when the time was over",
			    (uintmax_t)n);
	}
}

static void
print_fds(const struct player *p)
{
	int fds[FDS_MAX], n = list_fds(fds);

	if (n < 0 || !handler_lives())
		play_fail(p, "PROGRAM has ended");
	printf("fds");
	for (int i = 0; i < n; i++)
		printf(" %d", fds[i]);
	printf("\n");
}

static bool
steps_of_ours(struct player *p, const char *verb)
{
	static const char *const verbs[] = {
	    "kill", "wait", "children", "stopped-cpu", "fds"};
	size_t i = 0;

	while (i < 5 && strcmp(verbs[i], verb) != 0)
		i++;
	if (i < 5 && handler <= 0)
		play_fail(p, "there is no PROGRAM");
	if (i == 0 && handler_status >= 0)
		play_fail(p, "PROGRAM has ended");
	if (i == 0)
		kill(handler, signal_number(p->arg));
	else if (i == 1)
		wait_handler(p);
	else if (i == 2)
		await_children(p);
	else if (i == 3)
		stopped_cpu(p);
	else if (i == 4)
		print_fds(p);
	return i < 5 || datagram_step(p, verb);
}

/* Some port of this address. */
static void
bind_to(int fd, sa_family_t family, const char *address)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a = {.sa.sa_family = family};
	bool v4 = family == AF_INET;

	if (inet_pton(family, address,
		v4 ? (void *)&a.in.sin_addr : (void *)&a.in6.sin6_addr) != 1 ||
	    bind(fd, &a.sa, v4 ? sizeof(a.in) : sizeof(a.in6)) < 0)
		die(address);
}

/* A service that runs already: tcp:ADDRESS:PORT or unix:PATH. */
static int
connect_to(const struct player *p, const char *where, const char *from)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} a = {0};
	char host[64] = "";
	unsigned port;
	int fd, on = 1, error = 0;
	socklen_t len, error_len = sizeof(error);

	if (strncmp(where, "unix:", 5) == 0 &&
	    strlen(where + 5) < sizeof(a.un.sun_path)) {
		a.un.sun_family = AF_UNIX;
		memcpy(a.un.sun_path, where + 5, strlen(where + 5));
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
	fd = socket(
	    a.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (from)
		bind_to(fd, a.sa.sa_family, from);
	if (connect(fd, &a.sa, len) < 0)
		error = errno;
	if (error == EINPROGRESS) {
		if (!play_poll(p, fd, POLLOUT, -1))
			play_fail(p, "%s: no answer", where);
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len);
	}
	if (error)
		play_fail(p, "%s: %s", where, strerror(error));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* The pipes stay open until the end. Root has no ration. */
static void
use_up_ration(void)
{
	int pair[2];

	for (int i = 0; i < 400; i++) {
		if (pipe2(pair, O_CLOEXEC) < 0)
			die("pipe");
		fcntl(pair[0], F_SETPIPE_SZ, 1024 * 1024);
		if (fcntl(pair[0], F_GETPIPE_SZ) < 16 * 4096) {
			printf("ration gone\n");
			return;
		}
	}
	fputs("client: this user's pipes are not rationed\n", stderr);
	exit(2);
}

static int
usage(void)
{
	fputs(
	    "usage: client [-2sr] [-i SIG] [-b SIG] [-a ADDRESS] [-l SECONDS] "
	    "KIND STEP... "
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
	while ((opt = getopt(argc, argv, "+2sri:b:l:a:")) != -1) {
		if (opt == '2')
			o->inetd = true;
		else if (opt == 's')
			o->stray = true;
		else if (opt == 'r')
			use_up_ration();
		else if (opt == 'i')
			sigaddset(&o->ignored, signal_number(optarg));
		else if (opt == 'b')
			sigaddset(&o->blocked, signal_number(optarg));
		else if (opt == 'a')
			o->from = optarg;
		else if (opt == 'l')
			o->limit = (unsigned)atoi(optarg);
		else
			exit(usage());
		if (o->limit < 1 || o->limit > 86400)
			exit(usage());
	}
}

int
main(int argc, char **argv)
{
	struct options o = {.limit = 15};
	struct player player = {
	    .program = "client",
	    .other = steps_of_ours,
	    .cleanup = end_handler,
	};
	struct ends ends;
	char **program = NULL;
	int count, status, service_status;

	setvbuf(stdout, NULL, _IOLBF, 0);
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
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	play_limit(&player, o.limit);
	if (program) {
		if (!*program || !make_ends(argv[0], &ends))
			return usage();
		start(&o, &ends, program);
		if (ends.listening)
			find_session(&player, ends.in);
		close(ends.in);
		if (ends.out != ends.in)
			close(ends.out);
		if (o.stray)
			player.at_first_bytes = see_stray;
		player.in = ends.our_in;
		player.out = ends.our_out;
	} else {
		player.in = player.out = connect_to(&player, argv[0], o.from);
		if (player.in < 0)
			return usage();
	}

	play(&player, count - 1, argv + 1);
	if (o.stray && stray_was == UNSEEN && program)
		see_stray(&player);
	if (o.stray && program)
		printf("stray %s\n", stray_was == CLOSED ? "closed" : "open");
	play_close(&player);
	if (!program)
		return 0;
	status = wait_handler(&player);
	service_status = service > 0 ? wait_service(&player) : 0;
	if (status == 0)
		status = service_status;
	if (WIFEXITED(status))
		printf("exit %d\n", WEXITSTATUS(status));
	else
		printf("signal %d\n", WTERMSIG(status));
	return 0;
}
