/* SPDX-License-Identifier: ISC */
/*
 * config: the command line and the files it names, read into values that are
 * not changed afterwards.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "config/rows.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

/*
 * 0: go on with *out. 1: what was asked for, --help or --version, is
 * done. -EINVAL: bad usage; a sentence in the log names the option, or the file
 * and line, what is wrong and what would be right.
 * May be called again, for files that have changed.
 */
int config_read(int argc, char **argv, struct config *out);

/*
 * Once nobody logs in any more: nothing of the users file is left in memory.
 * has_users and the file's name stay.
 */
void config_forget_users(struct config *config);

/* Once the upstream has been asked: nothing of its password is left, nor of a
 * URL in the words of the command line. */
void config_forget_upstream(struct config *config, char **argv);

/* Gives back what it holds. */
void config_free(struct config *config);

#endif
