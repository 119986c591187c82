/* SPDX-License-Identifier: ISC */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

void
process_protect(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void
process_open_oom(struct process_oom *out)
{
	char text[16];
	ssize_t n;

	*out = (struct process_oom){
	    .fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC),
	};
	/* Where one of the first three was closed, it stays so. */
	if (out->fd >= 0 && out->fd <= STDERR_FILENO) {
		close(out->fd);
		out->fd = -1;
	}
	if (out->fd < 0 || (n = read(out->fd, text, sizeof(text) - 1)) <= 0)
		return;
	text[n] = '\0';
	out->score = (int)strtol(text, NULL, 10);
}

static void
set_oom_score(const struct process_oom *oom, int score)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", score);

	if (pwrite(oom->fd, text, (size_t)len, 0) < 0)
		return; /* then they are alike */
}

/*
 * A child inherits the value, and can't change its own: the file is root's. So
 * the parent has it for a moment. One above is enough: it stands for a
 * thousandth of all memory, and a child uses what its parent does and more.
 */
pid_t
process_fork(const struct process_oom *oom)
{
	pid_t pid;

	if (oom && oom->fd >= 0)
		set_oom_score(oom, oom->score + 1);
	pid = fork();
	if (oom && oom->fd >= 0 && pid != 0)
		set_oom_score(oom, oom->score);
	return pid < 0 ? -errno : pid;
}
