/* SPDX-License-Identifier: ISC */
/*
 * log: one record per session, and one sentence per mistake in the set-up.
 *
 * A record goes to the journal with a field for each value, or as one line of
 * key=value pairs to syslog or standard error. This is the only module that
 * writes to descriptor 2, and it doesn't when that is the client.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_target {
	LOG_TO_AUTO, /* the first of these three that is there: */
	LOG_TO_JOURNAL,
	LOG_TO_SYSLOG,
	LOG_TO_STDERR,
	LOG_TO_NONE,
};

/* Which side ended the session, and how. */
enum log_end {
	LOG_END_CLIENT_EOF,   /* the client was the first to finish */
	LOG_END_TARGET_EOF,   /* the target was */
	LOG_END_CLIENT_RESET, /* the client's connection broke */
	LOG_END_TARGET_RESET, /* the target's did */
	LOG_END_LIFETIME,     /* --lifetime was over */
	LOG_END_IDLE,         /* --idle-timeout was */
	LOG_END_HANDSHAKE_TIMEOUT,
	LOG_END_CONNECT_TIMEOUT,
	LOG_END_NO_METHOD,   /* 05 FF: no method in common */
	LOG_END_AUTH_FAILED, /* 01 01: wrong name or password */
	LOG_END_MALFORMED,   /* the client's bytes are not SOCKS5 */
	LOG_END_REFUSED,     /* a REP other than 00 */
	LOG_END_UPSTREAM,    /* --upstream didn't do it */
	LOG_END_TERMINATED,  /* SIGTERM */
	LOG_END_ANSWERED,    /* a look-up, and it was all there was to say */
	LOG_END_ERROR,       /* this process could not go on */
};

struct log_datagrams {
	int64_t up, down;  /* relayed */
	char dropped[256]; /* "fragment:3,stranger:1", "" for none */
};

/* Text is escaped here: a peer may have chosen it. NULL or < 0: not known. */
struct log_record {
	const char *client;
	const char *user; /* as the client gave it; user_len bytes */
	size_t user_len;
	const char *ident; /* SOCKS4's user id; ident_len bytes */
	size_t ident_len;
	const char *command;
	const char *target; /* as asked for; target_len bytes */
	size_t target_len;
	const char *address; /* as dialled */
	int reply;           /* the REP that was sent */
	int64_t bytes_up;    /* payload, client to target */
	int64_t bytes_down;
	const char *mptcp; /* "yes" or "no", if it was asked for */
	/* UDP ASSOCIATE; NULL for any other command. */
	const struct log_datagrams *datagrams;
	int64_t handshake_ms;
	int64_t connect_ms; /* look-up included */
	int64_t duration_ms;
	enum log_end end;
	const char *error; /* what went wrong, in words */
};

/* What --log= calls a target: 0, or -EINVAL. */
int log_target_parse(const char *text, enum log_target *out);

/* Where things go from now on; LOG_TO_AUTO before. */
void log_open(enum log_target target);

/* Descriptor 2 is the client, or closed: nothing may be written to it. */
void log_forbid_stderr(void);

/* Whether log_forbid_stderr() was called. */
bool log_stderr_forbidden(void);

/*
 * Tells the administrator what is wrong with the set-up: to standard error
 * or, where that is forbidden, to the journal or syslog. A printf format
 * without a newline at its end.
 */
void log_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says something else that an administrator wants to know, where records go. */
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Loads what a record will need, for a process whose children write records: it
 * is paid once then.
 */
void log_prepare(void);

/*
 * Writes the record, to the first target from the chosen one on (in the order
 * of enum log_target) that takes it. 0, or -errno when none did.
 */
int log_session(const struct log_record *record);

/*
 * Copies len bytes to out, a string of at most size bytes with its NUL. What
 * is not printable ASCII, or would end or split a value (space, quote,
 * backslash), becomes \xNN. Cut off where out is full.
 */
void log_escape(const char *text, size_t len, char *out, size_t size);

#endif
