/* SPDX-License-Identifier: ISC */
/*
 * session: all that is known of one client's connection, and how it is spoken
 * to. Its phases are handshake and command; each of their steps takes the
 * session, returns OUTCOME_DONE or what it came to instead, and leaves the
 * reason in session.failure.
 */
#ifndef SESSION_H
#define SESSION_H

#include "base/addr.h"
#include "base/io.h"
#include "base/log.h"
#include "config/config.h"
#include "net/bind.h"
#include "net/relay.h"
#include "net/udp/udp.h"
#include "policy/permit.h"
#include "protocol/outcome.h"
#include "protocol/wire.h"
#include "protocol/wire4.h"
#include "session/egress.h"
#include "session/peer.h"

#include <stdbool.h>
#include <stdint.h>

/* For what is still to be said once there is nothing to be done. */
#define SESSION_LINGER_MS 2000

/* Of a session, in the protocol's order. */
enum phase {
	PHASE_PROXIED,  /* the PROXY header is awaited */
	PHASE_GREETING, /* version and methods */
	PHASE_LOGIN,    /* name and password, RFC 1929 */
	PHASE_REQUEST,
	PHASE_CONNECTING,
	PHASE_RELAYING, /* the reply was 00 */
};

/* What the rules say of a request, as far as they were asked. */
struct decision {
	enum rules_command command;  /* 0: they weren't asked */
	struct permit_answer answer; /* on what is asked for */
	struct permit_list list;     /* its addresses; none: not looked up */
};

/* Of BIND, from its first reply to its second. */
struct session_bind {
	bool anyone;
	struct addr_list expected;
	union addr reached;
	struct bind_options options;
	struct bind_listener listener;
};

/* Of UDP ASSOCIATE. */
struct session_associate {
	bool is_held; /* to the terms of the line that allowed a datagram */
	struct udp udp;
	struct failure failure; /* why datagrams couldn't go out */
};

struct session {
	const struct config *config;
	struct peer peer;
	struct io_buffer inbox; /* from the client, not consumed yet */
	struct io_buffer outbox;
	enum phase phase;
	bool socks4;             /* the client speaks SOCKS4 */
	bool hears_ends;         /* see WIRE_METHOD_HEARS_ENDS */
	struct auth_policy auth; /* what the method was chosen by */
	uint8_t method;          /* chosen */
	struct wire4_user ident; /* SOCKS4's, believed by nobody */
	struct permit permit;
	struct wire_request request;
	const struct command *command; /* the request's, once it is known */
	struct decision decision;
	struct egress egress;
	struct relay relay;
	union {
		struct session_bind bind;
		struct session_associate associate;
		char name[WIRE_NAME_SIZE]; /* an answer to RESOLVE_PTR */
	};
	int64_t started_ms, requested_ms;
	struct log_record record;
	char dropped[LOG_WORDS_MAX];        /* record.dropped */
	struct failure failure;             /* record.error */
	char user[AUTH_TEXT_MAX];           /* record.user, or ident */
	char asked[256 + sizeof(":65535")]; /* record.target */
	char address[ADDR_TEXT_MAX];        /* record.address */
};

/*
 * A client of whom nothing is known yet. *out is all zero; the buffers have
 * IO_BUFFER_SIZE bytes each.
 */
void session_init(const struct config *config, uint8_t *in, uint8_t *out_bytes,
    struct session *out);

/* The rules begin to be asked about the peer, as far as it is known by now. */
void session_identify(struct session *s);

/* What an errno of reading from, writing to, or waiting for the client comes
 * to; signals_interrupted()'s are among them. */
enum outcome session_broken(struct session *s, int error);

/*
 * More bytes into the inbox, as a message is not complete yet. The failure is
 * OUTCOME_CLIENT_EOF where the client left in the middle of one.
 */
enum outcome session_read_more(struct session *s);

/* Bytes for the client. */
enum outcome session_write(struct session *s, const uint8_t *data, size_t len);

/* The reply, in the client's version; bound may be NULL. */
enum outcome session_reply(
    struct session *s, uint8_t rep, const union addr *bound);

/* The reply 00, with the egress's BND; from here on the client is relayed. */
enum outcome session_reply_bound(struct session *s);

/* The same where session.relay carries bytes between the client and the
 * egress's target; see relay_init(). */
enum outcome session_reply_relayed(struct session *s);

/*
 * Whether the client is on pipes of which somebody else makes a connection:
 * ssh, or another handler, whose --upstream-command we are. No reset can be
 * seen there; that both end at once can, and how we end.
 */
bool session_is_remote(const struct session *s);

/* Whether what it carried was cut, in whatever way. */
bool session_was_cut(const struct session *s);

/*
 * Lingers until the client has read what it was told: to exit with bytes of the
 * client's unread would send a reset after the answer, which can destroy it
 * (RFC 1928 section 6 wants the connection closed within ten seconds). The
 * alarm is the caller's.
 */
void session_let_go(struct session *s);

/* Tells a client whose session failed, in the form that the phase allows. */
void session_refuse(struct session *s);

#endif
