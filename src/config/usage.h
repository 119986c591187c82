/* SPDX-License-Identifier: ISC */
/* usage: what --help says. */
#ifndef USAGE_H
#define USAGE_H

void usage_print(void);

#endif
