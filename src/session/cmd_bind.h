/* SPDX-License-Identifier: ISC */
/*
 * cmd_bind: BIND, RFC 1928 section 4, and SOCKS4's: lets in the one whom the
 * client expects and the rules permit. Bytes are carried as for CONNECT.
 */
#ifndef CMD_BIND_H
#define CMD_BIND_H

#include "session/session.h"

/* See struct command. Two replies: where the peer may come, and who came. */
enum outcome cmd_bind_decide(struct session *s);
enum outcome cmd_bind_prepare(struct session *s);
enum outcome cmd_bind_reply(struct session *s);

#endif
