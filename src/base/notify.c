/* SPDX-License-Identifier: ISC */
#include "base/notify.h"
#include "base/number.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
notify_send(const char *state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name ? strlen(name) : 0;
	int fd, rc = 0;

	if (!name)
		return 0;
	if ((*name != '/' && *name != '@') || len > sizeof(un.sun_path))
		return -EINVAL;
	memcpy(un.sun_path, name, len);
	if (*name == '@') /* an abstract one */
		*un.sun_path = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_DONTWAIT | MSG_NOSIGNAL,
		(const struct sockaddr *)&un,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

int64_t
notify_watchdog_ms(void)
{
	int64_t us = number_in_environment("WATCHDOG_USEC");

	/* Where a process is named, it is the one that is watched. */
	if (getenv("WATCHDOG_PID") &&
	    number_in_environment("WATCHDOG_PID") != getpid())
		return 0;
	return us > 0 && us < 2000 ? 1 : us / 2000;
}
