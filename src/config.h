/*
 * config: the command line and the file it may name, read into values that are
 * not changed afterwards.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "log.h"

#include <stdint.h>

#ifndef VERSION
#define VERSION "unknown"
#endif

struct config {
	/* Milliseconds; 0 is "no limit". */
	int64_t handshake_timeout_ms;
	int64_t connect_timeout_ms;
	int64_t lifetime_ms;
	int64_t idle_timeout_ms;
	enum log_target log;
	/* For a listening socket; see accept.h. */
	int64_t idle_exit_ms;
	int64_t max_clients; /* 0 is "no limit", here and below */
	int64_t max_per_source;
	int64_t spare; /* processes; 0 is none */
};

/*
 * 0: go on with *out. 1: --help or --version was asked for and has been
 * printed on standard output. -EINVAL: bad usage; a sentence in the log names
 * the option, or the file and line, what is wrong and what would be right.
 * May be called again, for a file that has changed.
 */
int config_read(int argc, char **argv, struct config *out);

#endif
