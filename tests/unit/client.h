/* SPDX-License-Identifier: ISC */
/*
 * client: a client at the other end of a pair of sockets, for a module
 * that watches it, and the count of descriptors that it must not change.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "base/addr.h"
#include "base/io.h"
#include "unit.h"

#include <dirent.h>
#include <sys/socket.h>

/* What nothing here takes, unless something hangs. */
#define GENEROUS_MS 5000

static int pair[2], fds_before;

static inline int
count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

static inline int
set_up(void **state)
{
	(void)state;
	fds_before = count_fds();
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
}

/* The test has closed what was its own; more was left by the module. */
static inline int
tear_down(void **state)
{
	(void)state;
	signals_alarm(0);
	close(pair[0]);
	close(pair[1]);
	return count_fds() == fds_before ? 0 : -1;
}

static inline union addr
at(const char *text, uint16_t port)
{
	union addr addr;

	HOLD(addr_parse(text, port, &addr) == 0);
	return addr;
}

#endif
