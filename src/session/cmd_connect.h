/* SPDX-License-Identifier: ISC */
/*
 * cmd_connect: CONNECT, RFC 1928 section 4: to the target, directly or through
 * an upstream server, as the rules permit.
 */
#ifndef CMD_CONNECT_H
#define CMD_CONNECT_H

#include "session/session.h"

/* See struct command. */
enum outcome cmd_connect_decide(struct session *s);
enum outcome cmd_connect_prepare(struct session *s);
void cmd_connect_carry(struct session *s);

#endif
