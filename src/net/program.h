/* SPDX-License-Identifier: ISC */
/*
 * program: a command that stands for a connection, as ssh's ProxyCommand does:
 * what is written to its standard input goes out somewhere, and what comes back
 * is its standard output.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "base/io.h"

#include <stdbool.h>
#include <sys/types.h>

/* All zero: none was started. */
struct program {
	pid_t pid;
	int pidfd;  /* to poll: readable once it has ended; -1: can't be had */
	bool ended; /* and was waited for */
	int status; /* then, as of waitpid(2) */
};

/* Longest text of program_words(), with its NUL. */
#define PROGRAM_WORDS_MAX 64

/*
 * Runs `/bin/sh -c 'exec COMMAND'` with a pipe on 0 and on 1, nothing from 3
 * on, and our own 2; the signals have their defaults. It gets a SIGTERM when
 * this process ends, however that comes. *to is its standard input, *from its
 * standard output; both don't wait, and are the caller's to close. 0 or -errno.
 */
int program_start(const char *command, struct program *out, struct io_end *to,
    struct io_end *from);

/* Whether it has ended; asked without waiting. */
bool program_has_ended(struct program *program);

/* Waits for its end until then, a time of io_now_ms(): whether it has ended. */
bool program_await(struct program *program, int64_t until_ms);

/*
 * Ends it, if it lives: by SIGTERM, and after a moment by SIGKILL. To be called
 * before its pipes are closed, where it may not take that for an end. Nothing
 * where none was started.
 */
void program_stop(struct program *program);

/* Whether it has ended, and not with status 0. */
bool program_failed(const struct program *program);

/* How it ended, "ended with status 255" for example. Returns out. */
char *program_words(const struct program *program, char out[PROGRAM_WORDS_MAX]);

#endif
