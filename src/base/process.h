/* SPDX-License-Identifier: ISC */
/*
 * process: what other processes, and the kernel, may do to this one.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <sys/types.h>

/*
 * To be called first of all. No other process of the same user may read or
 * write this one's memory or open its files, and it leaves no core (it isn't
 * dumpable, see prctl(2)); and nothing that is executed gains a privilege.
 * Children are as their parent.
 *
 * It has its price: the files in /proc/self belong to root.
 */
void process_protect(void);

/* For process_fork(): the file, or -1, and this process's own value of it. */
struct process_oom {
	int fd;
	int score;
};

/* Opens oom_score_adj of proc(5), which process_protect() makes root's. */
void process_open_oom(struct process_oom *out);

/*
 * fork(2) of a child that the kernel ends before its parent, when there is no
 * memory left; of one like the parent for NULL. -errno.
 */
pid_t process_fork(const struct process_oom *oom);

#endif
