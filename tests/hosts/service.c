/* SPDX-License-Identifier: ISC */
#include "service.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Whether a socket of this number is a SOCK_SEQPACKET one; true if in doubt. */
static bool
is_channel(ino_t inode)
{
	FILE *f = fopen("/proc/net/unix", "re");
	char line[512];
	bool found = !f;

	while (f && !found && fgets(line, sizeof(line), f)) {
		unsigned long number;

		found = sscanf(line, "%*x: %*x %*x %*x 0005 %*x %lu",
			    &number) == 1 &&
			number == inode;
	}
	if (f)
		fclose(f);
	return found;
}

ino_t
service_inode(pid_t pid, int fd)
{
	char path[64], line[256];
	unsigned long number = 0;
	FILE *f;

	/* /proc/PID/fd is root's, as the program is not dumpable. */
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	f = fopen(path, "re");
	while (f && number == 0 && fgets(line, sizeof(line), f))
		sscanf(line, "ino: %lu", &number);
	if (f)
		fclose(f);
	return number;
}

pid_t
service_session(pid_t service, int listener)
{
	struct stat listening;
	char path[64];
	pid_t child, session = 0;
	FILE *f;

	snprintf(
	    path, sizeof(path), "/proc/%d/task/%d/children", service, service);
	f = fopen(path, "re");
	if (!f || fstat(listener, &listening) < 0)
		listening = (struct stat){0};
	while (f && session == 0 && fscanf(f, "%d", &child) == 1) {
		ino_t zero = service_inode(child, 0);

		if (zero != 0 && zero != listening.st_ino && !is_channel(zero))
			session = child;
	}
	if (f)
		fclose(f);
	return session;
}

bool
service_ended(pid_t service, pid_t child, int *status)
{
	char path[64], line[1024] = "", state, *end, *last;
	pid_t parent;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", child);
	f = fopen(path, "re");
	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	end = strrchr(line, ')'); /* the name may contain anything */
	if (!end || sscanf(end, ") %c %d", &state, &parent) != 2 ||
	    parent != service)
		return true;
	last = strrchr(line, ' ');
	if (state == 'Z')
		sscanf(last, "%d", status);
	return state == 'Z';
}
