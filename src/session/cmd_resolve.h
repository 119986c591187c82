/* SPDX-License-Identifier: ISC */
/*
 * cmd_resolve: the address of a name and the name of an address, for a client:
 * Tor's commands RESOLVE and RESOLVE_PTR, with --resolve.
 */
#ifndef CMD_RESOLVE_H
#define CMD_RESOLVE_H

#include "session/session.h"

/* See struct command. */
enum outcome cmd_resolve_decide(struct session *s);
enum outcome cmd_resolve_prepare(struct session *s);
enum outcome cmd_resolve_reply_name(struct session *s);
void cmd_resolve_carry(struct session *s);

#endif
