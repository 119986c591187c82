/* SPDX-License-Identifier: ISC */
/*
 * host: what only this host can tell: which addresses are its own, and what
 * numbers its users and groups have. Both functions have the form that struct
 * rules_host wants (rules.h); neither looks at the context.
 */
#ifndef HOST_H
#define HOST_H

#include "base/addr.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether packets to this address stay here, whatever interface has it: the
 * kernel's routes are asked, not every interface. True where that can't be
 * told.
 */
bool host_is_own(const union addr *address, void *context);

/*
 * The number of the user, or else of the group, with this name: 1; 0 where
 * there is none; -errno where that can't be told.
 */
int host_find_id(const char *name, bool group, uint32_t *out, void *context);

#endif
