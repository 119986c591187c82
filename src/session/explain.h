/* SPDX-License-Identifier: ISC */
/*
 * explain: --explain, which says what would become of a request, and connects
 * to nothing.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "config/config.h"

/*
 * Prints what config->explain asks about: the line that decides, the addresses
 * in the order in which they would be tried with each one's verdict, where it
 * would come out, and the REP that the client would see. 0; or -EINVAL, after a
 * sentence, for a question that makes no sense.
 */
int explain_request(const struct config *config);

#endif
