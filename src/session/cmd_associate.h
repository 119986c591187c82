/* SPDX-License-Identifier: ISC */
/*
 * cmd_associate: UDP ASSOCIATE, RFC 1928 sections 4, 6 and 7: an association of
 * a client's datagrams, each of which the rules are asked about.
 *
 * It is held to the terms of the line that allowed its first datagram, from
 * then on; a datagram that would have to come out by another source, interface
 * or mark is denied.
 */
#ifndef CMD_ASSOCIATE_H
#define CMD_ASSOCIATE_H

#include "session/session.h"

/* See struct command. */
enum outcome cmd_associate_decide(struct session *s);
enum outcome cmd_associate_prepare(struct session *s);
void cmd_associate_carry(struct session *s);

#endif
