/* SPDX-License-Identifier: ISC */
/*
 * command: what a client may ask for, RFC 1928 section 4 and Tor's two
 * look-ups: each is decided, prepared, replied to and carried to its end by a
 * module of its own, as one table says.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "session/session.h"

struct command {
	uint8_t code; /* CMD */
	/* What the rules make of it: look-ups, but no socket for it yet. */
	enum outcome (*decide)(struct session *s);
	/* Does it, as that permits. */
	enum outcome (*prepare)(struct session *s);
	/* Tells the client, and from then on it is being relayed. */
	enum outcome (*reply)(struct session *s);
	/* The rest of the session; the record gets its end. */
	void (*carry)(struct session *s);
};

/*
 * Finds the command of the request in s->request, and decides it. The phase is
 * PHASE_CONNECTING where the request itself was good.
 */
enum outcome command_decide(struct session *s);

/*
 * What the request wants is decided, done, and told to the client: the phase is
 * PHASE_RELAYING. Or not, and where the phase is still the one before, no reply
 * was sent.
 */
enum outcome command_begin(struct session *s);

/* The rest of the session, after that. The record gets its end. */
void command_carry(struct session *s);

#endif
