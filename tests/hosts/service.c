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

pid_t
service_session(pid_t service, int listener)
{
	struct stat listening, zero;
	char path[64];
	pid_t child, session = 0;
	FILE *f;

	snprintf(
	    path, sizeof(path), "/proc/%d/task/%d/children", service, service);
	f = fopen(path, "re");
	if (!f || fstat(listener, &listening) < 0)
		listening = (struct stat){0};
	while (f && session == 0 && fscanf(f, "%d", &child) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/fd/0", child);
		if (stat(path, &zero) == 0 && S_ISSOCK(zero.st_mode) &&
		    zero.st_ino != listening.st_ino && !is_channel(zero.st_ino))
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
