/* SPDX-License-Identifier: ISC */
/*
 * The systemd module without libsystemd: what sd_listen_fds(3) promises of the
 * environment.
 */
#include "base/systemd.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
systemd_listen_fds(void)
{
	int64_t count = 0;

	if (number_in_environment("LISTEN_PID") == getpid())
		count = number_in_environment("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (int i = 0; i < count; i++) {
		if (fcntl(SYSTEMD_LISTEN_FDS_START + i, F_SETFD, FD_CLOEXEC) <
		    0)
			return -errno;
	}
	return (int)count;
}

bool
systemd_has_journal(void)
{
	return false;
}

int
systemd_journal_load(void)
{
	return -ENOSYS;
}

int
systemd_journal_sendv(const struct iovec *iov, int count)
{
	(void)iov;
	(void)count;
	return -ENOSYS;
}
