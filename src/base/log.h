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

/* Which side ended the session, and how: its name, and what end= says. */
/* clang-format off */
#define LOG_ENDS(row)                                                     \
	row(CLIENT_EOF, "client-eof") /* the client was the first to finish */ \
	row(TARGET_EOF, "target-eof") /* the target was */                \
	row(CLIENT_RESET, "client-reset") /* the client's connection broke */ \
	row(TARGET_RESET, "target-reset") /* the target's did */          \
	row(LIFETIME, "lifetime") /* --lifetime was over */               \
	row(IDLE, "idle") /* --idle-timeout was */                        \
	row(HANDSHAKE_TIMEOUT, "handshake-timeout")                       \
	row(CONNECT_TIMEOUT, "connect-timeout")                           \
	row(NO_METHOD, "no-method") /* 05 FF: no method in common */      \
	row(AUTH_FAILED, "auth-failed") /* 01 01: wrong name or password */ \
	row(MALFORMED, "malformed") /* the client's bytes are not SOCKS5 */ \
	row(REFUSED, "refused") /* a REP other than 00 */                 \
	row(UPSTREAM, "upstream") /* --upstream didn't do it */           \
	row(TERMINATED, "terminated") /* SIGTERM */                       \
	row(ANSWERED, "answered") /* a look-up: it was all there was to say */ \
	row(ERROR, "error") /* this process could not go on */
/* clang-format on */
#define LOG_END_NAME(name, words) LOG_END_##name,
enum log_end { LOG_ENDS(LOG_END_NAME) };

/* The longest words of our own, with their NUL. */
#define LOG_WORDS_MAX 256

/*
 * The fields of a record, in their order: the kind of the value, and the name,
 * which the journal has in capitals with SOCKS5_ in front. All else follows
 * from these rows, but for what the manual says.
 */
/* clang-format off */
#define LOG_FIELDS(field)                                              \
	field(BYTES,  client)                                          \
	field(BYTES,  user)         /* as the client gave it */        \
	field(BYTES,  ident)        /* a name that nobody checked */  \
	field(WORDS,  command)                                         \
	field(BYTES,  target)       /* as asked for */                 \
	field(WORDS,  address)      /* as dialled */                   \
	field(WORDS,  mptcp)        /* yes or no, if it was asked for */ \
	field(NUMBER, reply)        /* the REP that was sent */        \
	field(NUMBER, bytes_up)     /* payload, client to target */    \
	field(NUMBER, bytes_down)                                      \
	field(NUMBER, udp_up)       /* datagrams that were relayed */  \
	field(NUMBER, udp_down)                                        \
	field(WORDS,  dropped)      /* fragment:3,stranger:1 */        \
	field(NUMBER, handshake_ms)                                    \
	field(NUMBER, connect_ms)   /* look-up included */             \
	field(NUMBER, rtt_us)       /* of the target, at the end */    \
	field(NUMBER, duration_ms)                                     \
	field(END,    end)                                             \
	field(WORDS,  error)        /* what went wrong */
/* clang-format on */

/*
 * What struct log_record has of each kind. Bytes are escaped, for a peer may
 * have chosen them, and words are our own. NULL or < 0: not known.
 */
#define LOG_BYTES(name)   \
	const char *name; \
	size_t name##_len;
#define LOG_WORDS(name)        const char *name;
#define LOG_NUMBER(name)       int64_t name;
#define LOG_END(name)          enum log_end name;
#define LOG_MEMBER(kind, name) LOG_##kind(name)

struct log_record {
	LOG_FIELDS(LOG_MEMBER)
};

/* Nothing is known. */
extern const struct log_record log_nothing;

/* Where things go from now on; LOG_TO_AUTO before. */
void log_open(enum log_target target);

/* Descriptor 2 is the client, or closed: nothing may be written to it. */
void log_forbid_stderr(void);

/* Whether log_forbid_stderr() was called. */
bool log_stderr_forbidden(void);

/* Whether the record will go to descriptor 2: it is chosen, or nothing that
 * goes before it is there. */
bool log_needs_stderr(void);

/*
 * For a process that may not wait for anybody: what a target would have to take
 * later goes to the next. In other processes the journal has 3 seconds, and
 * each of the others one.
 */
void log_never_wait(bool never);

/*
 * Tells the administrator what is wrong with the set-up: to standard error
 * or, where that is forbidden, to the journal or syslog. A printf format
 * without a newline at its end. Returns -EINVAL, which that is.
 */
int log_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Says something else that an administrator wants to know, where records go. 0,
 * or -errno when it found no target that took it.
 */
int log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * How many sentences, of this process, found no target is said by
 * log_catch_up(), if there are any: 0, or -errno when it can't be said either.
 */
bool log_owes(void);
int log_catch_up(void);

/*
 * Loads what a record will need, for a process whose children write records: it
 * is paid once then.
 */
void log_prepare(void);

/*
 * Writes the record, to the first target from the chosen one on (in the order
 * of enum log_target) that takes it. 0, or -errno when none did. It counts on
 * signals_alarm_exit() to end it, and to wake it.
 */
int log_session(const struct log_record *record);

/*
 * Copies len bytes to out, a string of at most size bytes with its NUL. What
 * is not printable ASCII, or would end or split a value (space, quote,
 * backslash), becomes \xNN. Cut off where out is full.
 */
void log_escape(const char *text, size_t len, char *out, size_t size);

#endif
