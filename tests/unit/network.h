/* SPDX-License-Identifier: ISC */
/*
 * network: for a test that needs a network of its own, with nothing in it but
 * loopback, and an /etc of its own, which says how names are looked up.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#define NETWORK_NOT_PERMITTED 77

static inline void
network_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	HOLD(fd >= 0);
	HOLD(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* Namespaces, by a user namespace where it takes one; false: not permitted. */
static inline bool
network_unshare(void)
{
	char map[2][32];

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) == 0)
		return true;
	snprintf(map[0], sizeof(map[0]), "0 %u 1", geteuid());
	snprintf(map[1], sizeof(map[1]), "0 %u 1", getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0)
		return false;
	network_write("/proc/self/setgroups", "deny");
	network_write("/proc/self/uid_map", map[0]);
	network_write("/proc/self/gid_map", map[1]);
	return true;
}

static inline void
network_up(const char *hosts)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	HOLD(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0);
	close(fd);
	HOLD(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	HOLD(mount("none", "/etc", "tmpfs", 0, NULL) == 0);
	network_write("/etc/hosts", hosts);
	network_write("/etc/host.conf", "multi on\n");
	network_write("/etc/nsswitch.conf", "hosts: files dns\n");
	network_write("/etc/resolv.conf", "nameserver 127.0.0.1\n");
}

/*
 * Takes the steps in a child that is in such a network, where /etc/hosts has
 * these lines. The test is skipped where that is not permitted.
 */
static inline void
in_network(const char *hosts, void (*steps)(void))
{
	pid_t pid = fork_child();
	int status = -1;

	if (pid == 0) {
		if (!network_unshare())
			_exit(NETWORK_NOT_PERMITTED);
		network_up(hosts);
		steps();
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NETWORK_NOT_PERMITTED) {
		fprintf(stderr, "skipped: unshare(2) is not permitted here\n");
		skip();
	}
	assert_int_equal(status, 0);
}

#endif
