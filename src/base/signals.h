/* SPDX-License-Identifier: ISC */
/*
 * signals: what a process makes of them, and the alarm, which is its deadline:
 * SIGALRM interrupts whatever sleeps. It rings again and again until the next
 * signals_alarm(), so that one which comes just before a call goes to sleep is
 * not lost.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Whatever a parent may have left ignored or blocked: SIGALRM is noticed;
 * SIGTERM, SIGHUP, SIGINT and SIGQUIT are, and all mean the same; SIGPIPE,
 * SIGUSR1, SIGUSR2 and SIGXFSZ are ignored; none is blocked.
 */
void signals_init(void);

/* In a child: none is blocked again; the rest it has from its parent. */
void signals_unblock(void);

/*
 * For a process that polls: SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1 and
 * signals_late() come as bytes to read, struct signalfd_siginfo of
 * signalfd(2), from this descriptor. SIGCHLD has its default. -errno.
 */
int signals_open(void);

/* What signals_alarm_exit() sends, with the sender's pid. */
int signals_late(void);

/* Lets the alarm ring ms milliseconds from now; 0: not at all. */
void signals_alarm(int64_t ms);

/*
 * For what comes after the client has been served: ends the process with this
 * status ms milliseconds from now. Whatever sleeps is woken every 100 ms until
 * then. Where `parent` isn't 0, that process, if it is still this one's parent,
 * is sent signals_late() the first time.
 */
void signals_alarm_exit(int64_t ms, int status, pid_t parent);

/* -ETIMEDOUT after the alarm, -ECANCELED after SIGTERM and its like, or 0. */
int signals_interrupted(void);

#endif
