/* SPDX-License-Identifier: ISC */
/*
 * hear: receives datagrams on a Unix socket, as a service manager does, and
 * prints each as a line, with | for the newlines in it. Until SIGTERM.
 *
 *   hear PATH
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char data[4096];
	ssize_t n;
	int fd;

	if (argc != 2 || strlen(argv[1]) >= sizeof(un.sun_path)) {
		fputs("usage: hear PATH\n", stderr);
		return 2;
	}
	memcpy(un.sun_path, argv[1], strlen(argv[1]));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
		fprintf(stderr, "hear: %s: %s\n", argv[1], strerror(errno));
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((n = recv(fd, data, sizeof(data) - 1, 0)) >= 0) {
		data[n] = '\0';
		for (char *c = data; *c; c++)
			*c = *c == '\n' ? '|' : *c;
		puts(data);
	}
	return 0;
}
