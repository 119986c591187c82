/*
 * config: the command line, read once and not changed afterwards.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "log.h"

#include <stdint.h>

#ifndef VERSION
#define VERSION "unknown"
#endif

/* Milliseconds; 0 is "no limit". */
struct config {
	int64_t handshake_timeout_ms;
	int64_t connect_timeout_ms;
	int64_t lifetime_ms;
	int64_t idle_timeout_ms;
	enum log_target log;
};

/*
 * 0: go on with *out. 1: --help or --version was asked for and has been
 * printed on standard output. -EINVAL: bad usage; a sentence in the log names
 * the option, what is wrong with it and what would be right.
 */
int config_read(int argc, char **argv, struct config *out);

#endif
