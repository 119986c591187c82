/* SPDX-License-Identifier: ISC */
/*
 * listen: hands listening sockets over to a program, as a super-server that
 * waits would, and becomes that program.
 *
 *   listen [-i] [-2] FILE PLACE... -- PROGRAM...
 *
 * A PLACE is 4 or 6 (a free port of 127.0.0.1 or ::1), any (one of :: for both
 * families), or a path. When all of them listen, FILE has them one a line, as
 * the program client takes them. They are passed by LISTEN_FDS.
 *
 * -i  the one socket stands on descriptors 0 and 1 instead, as under inetd
 * -2  and on 2
 *
 * Exits with 2 when that fails.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST     3
#define COUNT_MAX 100

static void
die(const char *what)
{
	fprintf(stderr, "listen: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void
usage(void)
{
	fputs("usage: listen [-i] [-2] FILE PLACE... -- PROGRAM...\n", stderr);
	exit(2);
}

/* Out of the way of the descriptors that they are to have. */
static int
aside(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, FIRST + COUNT_MAX);

	if (copy < 0)
		die("fcntl");
	close(fd);
	return copy;
}

static int
open_inet(const char *place, FILE *out)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a = {0};
	int fd, off = 0;
	socklen_t len = sizeof(a.in6);

	a.sa.sa_family = AF_INET6;
	if (strcmp(place, "4") == 0) {
		len = sizeof(a.in);
		a.in.sin_family = AF_INET;
		a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else if (strcmp(place, "6") == 0) {
		a.in6.sin6_addr = in6addr_loopback;
	} else if (strcmp(place, "any") != 0) {
		usage();
	}
	fd = socket(a.sa.sa_family, SOCK_STREAM, 0);
	if (strcmp(place, "any") == 0)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, &a.sa, len) < 0 || getsockname(fd, &a.sa, &len) < 0)
		die(place);
	if (a.sa.sa_family == AF_INET)
		fprintf(out, "tcp:127.0.0.1:%u\n", ntohs(a.in.sin_port));
	else
		fprintf(out, "tcp:[::1]:%u\n", ntohs(a.in6.sin6_port));
	return fd;
}

static int
open_unix(const char *path, FILE *out)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(un.sun_path))
		usage();
	memcpy(un.sun_path, path, strlen(path));
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    chmod(path, 0777) < 0)
		die(path);
	fprintf(out, "unix:%s\n", path);
	return fd;
}

/* Puts them where the program looks for them. */
static void
hand_over(const int *fds, int count, bool as_inetd, bool error_too)
{
	char number[16];

	for (int i = 0; i < count && !as_inetd; i++)
		dup2(fds[i], FIRST + i);
	if (as_inetd) {
		dup2(fds[0], STDIN_FILENO);
		dup2(fds[0], STDOUT_FILENO);
		if (error_too)
			dup2(fds[0], STDERR_FILENO);
		return;
	}
	snprintf(number, sizeof(number), "%d", count);
	setenv("LISTEN_FDS", number, 1);
	snprintf(number, sizeof(number), "%d", getpid());
	setenv("LISTEN_PID", number, 1);
}

int
main(int argc, char **argv)
{
	char temporary[4096];
	bool as_inetd = false, error_too = false;
	int opt, fds[COUNT_MAX], count = 0;
	const char *file;
	FILE *out;

	while ((opt = getopt(argc, argv, "+i2")) != -1) {
		as_inetd |= opt == 'i';
		error_too |= opt == '2';
		if (opt == '?')
			usage();
	}
	argv += optind;
	file = *argv ? *argv++ : "";
	snprintf(temporary, sizeof(temporary), "%s.new", file);
	out = fopen(temporary, "we");
	if (!out)
		die(temporary);
	for (; *argv && strcmp(*argv, "--") != 0; argv++) {
		if (count == COUNT_MAX)
			usage();
		fds[count] = aside(**argv == '/' ? open_unix(*argv, out)
						 : open_inet(*argv, out));
		if (listen(fds[count++], 128) < 0)
			die(*argv);
	}
	if (count == 0 || !argv[0] || !argv[1])
		usage();
	if (fclose(out) != 0 || rename(temporary, file) < 0)
		die(file);
	hand_over(fds, count, as_inetd, error_too);
	execvp(argv[1], argv + 1);
	die(argv[1]);
}
