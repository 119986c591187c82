/* SPDX-License-Identifier: ISC */
/*
 * sockopt: how a socket comes out.
 */
#ifndef SOCKOPT_H
#define SOCKOPT_H

#include "base/fault.h"
#include "policy/terms.h"
#include "protocol/outcome.h"

/*
 * OUTCOME_DONE where the terms' sources leave this family to be used, which is
 * so where it has one, or neither family has; or OUTCOME_NO_SOURCE.
 */
enum outcome sockopt_check_family(
    const struct terms *terms, sa_family_t family, struct failure *failure);

/*
 * Makes a new socket of that family come out as the terms want it, by the
 * options in their rows; a source of its family is bound, with a port still to
 * be chosen, and source=same means nothing here. 0, or -errno, and the fault
 * names term and reason ("mark=7 needs CAP_NET_ADMIN").
 */
int sockopt_apply(
    int fd, sa_family_t family, const struct terms *terms, struct fault *fault);

/*
 * A non-blocking one that is so: the descriptor, the caller's to close; or -1
 * and OUTCOME_NO_SOURCE, _TERMS_UNMET, _FAMILY_UNSUPPORTED or _SYSTEM.
 */
int sockopt_open(const struct terms *terms, sa_family_t family, int type,
    int protocol, struct failure *failure);

/*
 * The address that packets there would come from, with some port; none is sent.
 * OUTCOME_DONE, or as above, or as connect(2) has it.
 */
enum outcome sockopt_find_own(const union addr *there,
    const struct terms *terms, union addr *out, struct failure *failure);

#endif
