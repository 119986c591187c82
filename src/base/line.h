/* SPDX-License-Identifier: ISC */
/*
 * line: a message as one line, to syslog or to standard error. Returns 0;
 * -EAGAIN when it wasn't taken until a time of io_now_ms(), which may be over;
 * or another -errno.
 */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

/* The longest message, with its NUL. */
#define LINE_MAX_LEN 8192

/*
 * As syslog(3) would, facility daemon; but that says nothing where there is no
 * reader, and in musl cuts off what is longer than 1023 bytes. -ENOENT where
 * nobody reads /dev/log.
 */
int line_to_syslog(int priority, const char *message, int64_t until_ms);

/* Whether anybody reads /dev/log. */
bool line_has_syslog(void);

/*
 * To descriptor 2, whose flags are not ours to change: what waits there, an
 * alarm has to wake. Where the time is over already nothing waits, and the
 * alarm is used for that.
 */
int line_to_stderr(const char *message, int64_t until_ms);

#endif
