/* SPDX-License-Identifier: ISC */
/*
 * session: all that is known of one client's connection, and how it is spoken
 * to. The phases, each in a module of its own, are handshake and command.
 */
#ifndef SESSION_H
#define SESSION_H

#include "base/addr.h"
#include "base/io.h"
#include "base/log.h"
#include "config/config.h"
#include "net/relay.h"
#include "policy/auth.h"
#include "policy/permit.h"
#include "protocol/wire.h"
#include "protocol/wire4.h"
#include "session/admit.h"
#include "session/associate.h"
#include "session/egress.h"
#include "session/ending.h"
#include "session/peer.h"

#include <stdbool.h>
#include <stdint.h>

/* For what is still to be said once there is nothing to be done. */
#define SESSION_LINGER_MS 2000

struct session {
	const struct config *config;
	struct peer peer;
	struct io_buffer inbox; /* from the client, not consumed yet */
	struct io_buffer outbox;
	enum phase phase;
	bool socks4;             /* the client speaks SOCKS4 */
	uint8_t method;          /* chosen */
	struct wire4_user ident; /* SOCKS4's, believed by nobody */
	struct permit permit;
	struct wire_request request;
	const struct command *command; /* the request's, once it is known */
	struct egress egress;
	struct relay relay;
	union {
		struct admit admit;
		struct associate associate;
		char name[WIRE_NAME_SIZE]; /* an answer to RESOLVE_PTR */
	};
	int64_t started_ms, requested_ms;
	struct log_record record;
	char dropped[LOG_WORDS_MAX];        /* record.dropped */
	const char *why;                    /* record.error, if it failed now */
	char user[AUTH_TEXT_MAX];           /* record.user */
	char asked[256 + sizeof(":65535")]; /* record.target */
	char address[ADDR_TEXT_MAX];        /* record.address */
	char reason[PERMIT_REASON_MAX];     /* record.error */
};

/*
 * More bytes into the inbox, as a message is not complete yet: 0; -ENOTCONN
 * when the client left in the middle of one; or -errno of io_read().
 */
int session_read_more(struct session *s);

/* The reply, in the client's version; bound may be NULL. As io_write(). */
int session_reply(struct session *s, uint8_t rep, const union addr *bound);

/*
 * Lingers until the client has read what it was told: to exit with bytes of the
 * client's unread would send a reset after the answer, which can destroy it
 * (RFC 1928 section 6 wants the connection closed within ten seconds). The
 * alarm is the caller's.
 */
void session_let_go(struct session *s);

#endif
