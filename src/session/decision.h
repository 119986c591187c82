/* SPDX-License-Identifier: ISC */
/*
 * decision: what the rules make of a session's request, up to the first socket
 * for it. --explain asks the same.
 */
#ifndef DECISION_H
#define DECISION_H

#include "session/session.h"

/*
 * Whether this command, which BIND for anyone or UDP is, may do anything at
 * all: OUTCOME_DONE; _DENIED; or _COMMAND_UNSUPPORTED, as the client has no
 * address to be sent to. s->decision has the answer.
 */
enum outcome decision_of_command(struct session *s, enum rules_command command);

/*
 * Whether it may reach the request's destination, and which of its addresses:
 * they are looked up, unless that decides nothing, and stand in s->decision,
 * those of the family `first` at the head (AF_UNSPEC: as they come). With
 * `unresolved` somebody else looks them up, and none are there.
 *
 * OUTCOME_DONE; _DENIED, where each is denied; or what resolve_destination()
 * says. The egress has the address where there is one alone.
 */
enum outcome decision_of_target(struct session *s, enum rules_command command,
    sa_family_t first, bool unresolved);

#endif
