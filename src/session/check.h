/* SPDX-License-Identifier: ISC */
/*
 * check: --check, beyond what reading the files finds: whether this host can do
 * what options and rules want, so that yes means yes.
 */
#ifndef CHECK_H
#define CHECK_H

#include "config/config.h"

/*
 * 0; or -EINVAL, after a sentence in the log for each option or line of the
 * rules that can't be had here. What is no mistake, but may surprise, is
 * printed. Sockets are made, and nothing is sent.
 */
int check_config(const struct config *config);

#endif
