/* SPDX-License-Identifier: ISC */
/* usage: what there is to know of the options, as text on standard output. */
#ifndef USAGE_H
#define USAGE_H

#include "config/options.h"

/* For --help. */
void usage_print(const struct option_entry *entries);

/* The same as a file for --config, with each of them commented out. */
void usage_print_file(const struct option_entry *entries);

#endif
