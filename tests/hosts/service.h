/* SPDX-License-Identifier: ISC */
/*
 * service: looks at a listening service, as anybody can through /proc: which of
 * its children serves the client, and how that one ended.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdbool.h>
#include <sys/types.h>

/* The inode of what a process has on a descriptor, for comparison; or 0. */
ino_t service_inode(pid_t pid, int fd);

/* The child that has a connection on descriptor 0, neither the listening
 * socket, which is `listener` here, nor a spare's channel; 0: none yet. */
pid_t service_session(pid_t service, int listener);

/*
 * Whether this child of the service has ended. *status, as of waitpid(2), is
 * only written while the service has not waited for it yet.
 */
bool service_ended(pid_t service, pid_t child, int *status);

#endif
