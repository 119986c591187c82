/*
 * Promises: a session leaves one record, however it ended, and no byte of it
 * reaches the client. Must not: run before the client has been served, for the
 * journal's library takes longer to load than all the rest.
 */
#include "log.h"
#include "systemd.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET  "/dev/log"
/* How long the record may wait for journald before we leave it to its luck. */
#define JOURNALD_MS 500
#define IDENTIFIER  "socks5-handler"

/* A field is PREFIX NAME "=" value, as the journal takes it. */
#define PREFIX     "SOCKS5_"
#define FIELDS_MAX 18

/* The longest value: a 255-byte name, each byte escaped, and ":65535". */
#define VALUE_MAX 1032

/* CLIENT, USER, TARGET and ERROR at their longest; the rest; every name. */
#define TEXT_MAX (5 * VALUE_MAX + 1536)

/* All of it in one line, with quotes. */
#define RECORD_MAX (TEXT_MAX + 2 * FIELDS_MAX)

struct fields {
	size_t count;
	struct iovec at[FIELDS_MAX]; /* into text, a NUL behind each */
	size_t used;
	char text[TEXT_MAX];
};

static struct {
	enum log_target target;
	bool stderr_forbidden;
} state = {.target = LOG_TO_AUTO};

static const char *const target_names[] = {
    [LOG_TO_AUTO] = "auto",
    [LOG_TO_JOURNAL] = "journal",
    [LOG_TO_SYSLOG] = "syslog",
    [LOG_TO_STDERR] = "stderr",
    [LOG_TO_NONE] = "none",
};

static const char *const end_names[] = {
    [LOG_END_CLIENT_EOF] = "client-eof",
    [LOG_END_TARGET_EOF] = "target-eof",
    [LOG_END_CLIENT_RESET] = "client-reset",
    [LOG_END_TARGET_RESET] = "target-reset",
    [LOG_END_LIFETIME] = "lifetime",
    [LOG_END_IDLE] = "idle",
    [LOG_END_HANDSHAKE_TIMEOUT] = "handshake-timeout",
    [LOG_END_CONNECT_TIMEOUT] = "connect-timeout",
    [LOG_END_NO_METHOD] = "no-method",
    [LOG_END_AUTH_FAILED] = "auth-failed",
    [LOG_END_MALFORMED] = "malformed",
    [LOG_END_REFUSED] = "refused",
    [LOG_END_UPSTREAM] = "upstream",
    [LOG_END_TERMINATED] = "terminated",
    [LOG_END_ANSWERED] = "answered",
    [LOG_END_ERROR] = "error",
};

int
log_target_parse(const char *text, enum log_target *out)
{
	for (size_t i = 0; i < sizeof(target_names) / sizeof(*target_names);
	     i++) {
		if (strcmp(text, target_names[i]) == 0) {
			*out = (enum log_target)i;
			return 0;
		}
	}
	return -EINVAL;
}

void
log_open(enum log_target target)
{
	state.target = target;
}

void
log_forbid_stderr(void)
{
	state.stderr_forbidden = true;
}

bool
log_stderr_forbidden(void)
{
	return state.stderr_forbidden;
}

void
log_escape(const char *text, size_t len, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool plain = c > ' ' && c < 0x7f && c != '"' && c != '\\';

		if (size - used <= (plain ? 1U : 4U))
			break;
		if (plain)
			out[used++] = (char)c;
		else
			used += (size_t)snprintf(
			    out + used, size - used, "\\x%02x", c);
	}
	out[used] = '\0';
}

/* Begins a field; its value is to be written to the returned place. */
static char *
add_name(struct fields *fields, const char *name)
{
	char *start = fields->text + fields->used;

	fields->at[fields->count].iov_base = start;
	return stpcpy(stpcpy(stpcpy(start, PREFIX), name), "=");
}

static void
end_value(struct fields *fields)
{
	struct iovec *field = &fields->at[fields->count++];

	field->iov_len = strlen(field->iov_base);
	fields->used += field->iov_len + 1;
}

/* Text that a peer may have chosen. */
static void
add_text(struct fields *fields, const char *name, const char *text, size_t len)
{
	if (!text)
		return;
	log_escape(text, len, add_name(fields, name), VALUE_MAX);
	end_value(fields);
}

/* Words of our own, which need no escape. */
static void
add_words(struct fields *fields, const char *name, const char *words)
{
	if (!words || !*words)
		return;
	snprintf(add_name(fields, name), VALUE_MAX, "%s", words);
	end_value(fields);
}

static void
add_number(struct fields *fields, const char *name, int64_t number)
{
	if (number < 0)
		return;
	snprintf(add_name(fields, name), VALUE_MAX, "%" PRId64, number);
	end_value(fields);
}

static void
collect(const struct log_record *record, struct fields *out)
{
	out->count = 0;
	out->used = 0;
	add_text(out, "CLIENT", record->client,
	    record->client ? strlen(record->client) : 0);
	add_text(out, "USER", record->user, record->user_len);
	add_text(out, "IDENT", record->ident, record->ident_len);
	add_words(out, "COMMAND", record->command);
	add_text(out, "TARGET", record->target, record->target_len);
	add_words(out, "ADDRESS", record->address);
	add_words(out, "MPTCP", record->mptcp);
	add_number(out, "REPLY", record->reply);
	add_number(out, "BYTES_UP", record->bytes_up);
	add_number(out, "BYTES_DOWN", record->bytes_down);
	if (record->datagrams) {
		add_number(out, "UDP_UP", record->datagrams->up);
		add_number(out, "UDP_DOWN", record->datagrams->down);
		add_words(out, "DROPPED", record->datagrams->dropped);
	}
	add_number(out, "HANDSHAKE_MS", record->handshake_ms);
	add_number(out, "CONNECT_MS", record->connect_ms);
	add_number(out, "DURATION_MS", record->duration_ms);
	add_words(out, "END", end_names[record->end]);
	add_words(out, "ERROR", record->error);
}

/*
 * The fields as key=value pairs, keys in small letters, a value of several
 * words in quotes. `out` has room for every field and its quotes.
 */
static void
format_line(const struct fields *fields, char *out)
{
	for (size_t i = 0; i < fields->count; i++) {
		const char *key =
		    (char *)fields->at[i].iov_base + strlen(PREFIX);
		const char *value = strchr(key, '=') + 1;
		const char *quote = strchr(value, ' ') ? "\"" : "";

		if (i)
			*out++ = ' ';
		while (key < value)
			*out++ = (char)tolower((unsigned char)*key++);
		out = stpcpy(stpcpy(stpcpy(out, quote), value), quote);
	}
	*out = '\0';
}

/* A socket whose datagrams have a reader there, or -1. */
static int
connect_to(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	strncpy(un.sun_path, path, sizeof(un.sun_path) - 1);
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	close(fd);
	return -1;
}

/*
 * journald asks /proc which unit a record came from, and finds nothing when
 * the process has gone: then `journalctl -u` doesn't show it. It works off one
 * datagram after the other, and passes over an empty one; so when such a one,
 * sent behind the record, is no longer waiting, the record has been dealt with.
 */
static void
await_journald(int fd)
{
	int waiting = 1;

	if (send(fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
	for (int i = 0; i < JOURNALD_MS && waiting > 0; i++) {
		poll(NULL, 0, 1);
		if (ioctl(fd, SIOCOUTQ, &waiting) < 0)
			return;
	}
}

/*
 * A sentence, by journald's own protocol: the socket that sd_journal_sendv(3)
 * opens stays for the process's life, and a child that has closed it would
 * write to whatever has its number then.
 */
static int
send_sentence(int journal, int priority, char *message)
{
	char entry[RECORD_MAX + 64];
	int n;

	for (char *c = message; (c = strchr(c, '\n')); c++)
		*c = ' ';
	n = snprintf(entry, sizeof(entry),
	    "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=" IDENTIFIER "\n",
	    message, priority);
	return send(journal, entry, (size_t)n, MSG_NOSIGNAL) == n ? 0 : -EIO;
}

static int
send_record(int priority, const char *message, const struct fields *fields)
{
	char text[sizeof("MESSAGE=") + RECORD_MAX], level[sizeof("PRIORITY=7")];
	char identifier[] = "SYSLOG_IDENTIFIER=" IDENTIFIER;
	char id[] = "MESSAGE_ID=" LOG_MESSAGE_ID;
	struct iovec iov[4 + FIELDS_MAX] = {
	    {text, (size_t)sprintf(text, "MESSAGE=%s", message)},
	    {level, (size_t)sprintf(level, "PRIORITY=%d", priority)},
	    {identifier, strlen(identifier)},
	    {id, strlen(id)},
	};

	memcpy(iov + 4, fields->at, fields->count * sizeof(*iov));
	return systemd_journal_sendv(iov, 4 + (int)fields->count);
}

/* A process that is about to leave waits for journald. */
static int
to_journal(
    int priority, char *message, const struct fields *fields, bool leaving)
{
	/* sd_journal_sendv() says nothing where there is no journal. */
	int journal = connect_to(JOURNAL_SOCKET), rc;

	if (journal < 0)
		return -ENOENT;
	rc = fields ? send_record(priority, message, fields)
		    : send_sentence(journal, priority, message);
	if (rc >= 0 && leaving)
		await_journald(journal);
	close(journal);
	return rc;
}

/*
 * As syslog(3) would, which says nothing where there is no reader, and in musl
 * cuts off what is longer than 1023 bytes: a client's long name would take the
 * rest of the record away. The time is the reader's to add (RFC 3164 section
 * 4.3.2).
 */
static int
to_syslog(int priority, const char *message)
{
	char line[sizeof("<191>" IDENTIFIER "[2147483647]: ") + RECORD_MAX];
	int fd = connect_to(SYSLOG_SOCKET), n, rc;

	if (fd < 0)
		return -ENOENT;
	n = snprintf(line, sizeof(line), "<%d>" IDENTIFIER "[%d]: %s",
	    LOG_DAEMON | priority, getpid(), message);
	rc = send(fd, line, (size_t)n, MSG_NOSIGNAL) == n ? 0 : -EIO;
	close(fd);
	return rc;
}

static int
to_stderr(const char *message)
{
	char line[sizeof(IDENTIFIER ": \n") + RECORD_MAX];
	int n;

	if (state.stderr_forbidden)
		return -EBADF;
	n = snprintf(line, sizeof(line), IDENTIFIER ": %s\n", message);
	/* In one piece, so that many handlers can share a terminal. */
	return write(STDERR_FILENO, line, (size_t)n) == n ? 0 : -EIO;
}

/* From this target on, the first that takes it. */
static int
emit(enum log_target target, int priority, char *message,
    const struct fields *fields, bool leaving)
{
	int rc = -ENOENT;

	if (target <= LOG_TO_JOURNAL && systemd_has_journal())
		rc = to_journal(priority, message, fields, leaving);
	if (rc < 0 && target <= LOG_TO_SYSLOG)
		rc = to_syslog(priority, message);
	if (rc < 0 && target <= LOG_TO_STDERR)
		rc = to_stderr(message);
	return rc;
}

void
log_fault(const char *format, ...)
{
	char message[RECORD_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (to_stderr(message) < 0)
		emit(LOG_TO_JOURNAL, LOG_ERR, message, NULL, true);
}

void
log_notice(const char *format, ...)
{
	char message[RECORD_MAX];
	va_list args;

	if (state.target == LOG_TO_NONE)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	emit(state.target, LOG_NOTICE, message, NULL, false);
}

void
log_prepare(void)
{
	int journal = -1;

	if (state.target <= LOG_TO_JOURNAL && systemd_has_journal())
		journal = connect_to(JOURNAL_SOCKET);
	if (journal < 0)
		return;
	close(journal);
	systemd_journal_load();
}

int
log_session(const struct log_record *record)
{
	struct fields fields;
	char line[RECORD_MAX];
	bool expected = record->reply == 0;

	if (state.target == LOG_TO_NONE)
		return 0;
	collect(record, &fields);
	format_line(&fields, line);
	return emit(state.target, expected ? LOG_INFO : LOG_NOTICE, line,
	    &fields, true);
}
