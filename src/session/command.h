/* SPDX-License-Identifier: ISC */
/*
 * command: what a client may ask for, RFC 1928 section 4 and Tor's two
 * look-ups: each is prepared, replied to, and carried to its end, as one table
 * says.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "session/session.h"

/*
 * What the request in s->request wants is permitted, done, and told to the
 * client: 0, and the phase is PHASE_RELAYING. Or -errno, and where the phase is
 * still the one before, no reply was sent; see ending.h.
 */
int command_begin(struct session *s);

/* The rest of the session, after that. The record gets its end. */
void command_carry(struct session *s);

#endif
