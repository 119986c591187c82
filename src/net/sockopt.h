/* SPDX-License-Identifier: ISC */
/*
 * sockopt: how a socket comes out.
 */
#ifndef SOCKOPT_H
#define SOCKOPT_H

#include "base/fault.h"
#include "policy/terms.h"

/*
 * Makes a new socket of that family come out as the terms want it, by the
 * options in their rows; a source of its family is bound, with a port still to
 * be chosen, and source=same means nothing here. 0, or -errno, and the fault
 * names term and reason ("mark=7 needs CAP_NET_ADMIN").
 */
int sockopt_apply(
    int fd, sa_family_t family, const struct terms *terms, struct fault *fault);

#endif
