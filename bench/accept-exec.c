/* SPDX-License-Identifier: ISC */
/*
 * accept-exec: a super-server that does as little as one can.
 *
 *   accept-exec [-w] PORT PROGRAM ARG...
 *
 * Listens on 127.0.0.1:PORT and starts PROGRAM for each connection, on its
 * descriptors 0 and 1. -w: starts it once, in its own place, on the listening
 * socket ("wait" in inetd's words).
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void
die(const char *what)
{
	fprintf(stderr, "accept-exec: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* They are waited for, so that their CPU time is counted. */
static void
on_child(int signo)
{
	int saved = errno;

	(void)signo;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	errno = saved;
}

static void
become(int fd, char **argv)
{
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	execv(argv[0], argv);
	_exit(127);
}

static void
accept_for_ever(int listener, char **argv)
{
	const struct sigaction action = {
	    .sa_handler = on_child,
	    .sa_flags = SA_RESTART | SA_NOCLDSTOP,
	};

	sigaction(SIGCHLD, &action, NULL);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			die("accept");
		/* It does nothing but what is allowed between the two. */
		if (vfork() == 0)
			become(fd, argv);
		close(fd);
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int wait = argc > 1 && strcmp(argv[1], "-w") == 0, on = 1, listener;

	argv += 1 + wait;
	argc -= 1 + wait;
	if (argc < 2) {
		fputs("usage: accept-exec [-w] PORT PROGRAM ARG...\n", stderr);
		return 2;
	}
	address.sin_port = htons((uint16_t)atoi(argv[0]));
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 4096) < 0)
		die("can't listen");
	if (wait)
		become(listener, argv + 1);
	accept_for_ever(listener, argv + 1);
}
