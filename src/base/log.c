/* SPDX-License-Identifier: ISC */
/*
 * Promises: a session leaves one record, however it ended, and no byte of it
 * reaches the client. Must not: run before the client has been served, for the
 * journal's library takes longer to load than all the rest.
 */
#include "base/log.h"
#include "base/io.h"
#include "base/journal.h"
#include "base/line.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>

/* A field is PREFIX NAME "=" value, as the journal takes it. */
#define PREFIX "SOCKS5_"

/* The longest value of each kind: a 255-byte name, each byte escaped, and
 * ":65535"; words; 64 bits. */
#define BYTES_MAX  1032
#define WORDS_MAX  LOG_WORDS_MAX
#define NUMBER_MAX sizeof("9223372036854775807")
#define END_MAX    WORDS_MAX

/* How many, room for all of them, and for all in one line, with quotes. */
#define INDEX(kind, name) INDEX_##name,
#define ROOM(kind, name)  char name[sizeof(PREFIX #name "=") + kind##_MAX];
enum { LOG_FIELDS(INDEX) FIELDS_MAX };
struct room {
	LOG_FIELDS(ROOM)
};
enum { TEXT_MAX = sizeof(struct room), RECORD_MAX = TEXT_MAX + 2 * FIELDS_MAX };

_Static_assert(
    RECORD_MAX <= JOURNAL_MESSAGE_MAX && FIELDS_MAX <= JOURNAL_FIELDS_MAX,
    "the journal takes every record");
_Static_assert(RECORD_MAX <= LINE_MAX_LEN, "and so do the others");

/* So long a target may take; then it is the next one's turn. The journal works
 * off what a thousand clients leave at once. */
#define JOURNAL_MS 3000
#define LINE_MS    1000

struct fields {
	size_t count;
	struct iovec at[FIELDS_MAX]; /* into text, a NUL behind each */
	size_t used;
	char text[TEXT_MAX];
};

#define UNKNOWN_BYTES(name)
#define UNKNOWN_WORDS(name)
#define UNKNOWN_NUMBER(name) .name = -1,
#define UNKNOWN_END(name)
#define UNKNOWN(kind, name) UNKNOWN_##kind(name)

const struct log_record log_nothing = {LOG_FIELDS(UNKNOWN)};

static struct {
	enum log_target target;
	bool stderr_forbidden;
	bool never_waits;
	size_t unsaid; /* sentences */
} state = {.target = LOG_TO_AUTO};

#define END_WORDS(name, words) words,
static const char *const end_names[] = {LOG_ENDS(END_WORDS)};

void
log_open(enum log_target target)
{
	state.target = target;
}

void
log_never_wait(bool never)
{
	state.never_waits = never;
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

bool
log_needs_stderr(void)
{
	if (state.target != LOG_TO_AUTO)
		return state.target == LOG_TO_STDERR;
	return !journal_is_there() && !line_has_syslog();
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
begin(struct fields *fields, const char *name)
{
	char *at = stpcpy(fields->text + fields->used, PREFIX);

	fields->at[fields->count].iov_base = fields->text + fields->used;
	while (*name)
		*at++ = (char)toupper((unsigned char)*name++);
	*at++ = '=';
	return at;
}

static void
end(struct fields *fields)
{
	struct iovec *field = &fields->at[fields->count++];

	field->iov_len = strlen(field->iov_base);
	fields->used += field->iov_len + 1;
}

static void
add_bytes(struct fields *fields, const char *name, const char *text, size_t len)
{
	if (!text)
		return;
	log_escape(text, len, begin(fields, name), BYTES_MAX);
	end(fields);
}

static void
add_words(struct fields *fields, const char *name, const char *words)
{
	if (!words || !*words)
		return;
	snprintf(begin(fields, name), WORDS_MAX, "%s", words);
	end(fields);
}

static void
add_number(struct fields *fields, const char *name, int64_t number)
{
	if (number < 0)
		return;
	snprintf(begin(fields, name), NUMBER_MAX, "%" PRId64, number);
	end(fields);
}

#define ADD_BYTES(name)  add_bytes(out, #name, record->name, record->name##_len);
#define ADD_WORDS(name)  add_words(out, #name, record->name);
#define ADD_NUMBER(name) add_number(out, #name, record->name);
#define ADD_END(name)    add_words(out, #name, end_names[record->name]);
#define ADD(kind, name)  ADD_##kind(name)

static void
collect(const struct log_record *record, struct fields *out)
{
	out->count = 0;
	out->used = 0;
	LOG_FIELDS(ADD)
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

static int64_t
deadline(int64_t ms)
{
	return state.never_waits ? 0 : io_now_ms() + ms;
}

static int
to_stderr(const char *message)
{
	return state.stderr_forbidden
		   ? -EBADF
		   : line_to_stderr(message, deadline(LINE_MS));
}

/* From this target on, the first that takes it. */
static int
emit(enum log_target target, int priority, char *message,
    const struct fields *fields)
{
	int rc = -ENOENT;

	if (target <= LOG_TO_JOURNAL)
		rc = journal_send(priority, message, fields ? fields->at : NULL,
		    fields ? fields->count : 0, deadline(JOURNAL_MS));
	if (rc < 0 && target <= LOG_TO_SYSLOG)
		rc = line_to_syslog(priority, message, deadline(LINE_MS));
	if (rc < 0 && target <= LOG_TO_STDERR)
		rc = to_stderr(message);
	return rc;
}

int
log_fault(const char *format, ...)
{
	char message[RECORD_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (to_stderr(message) < 0 &&
	    emit(LOG_TO_JOURNAL, LOG_ERR, message, NULL) < 0)
		state.unsaid++;
	return -EINVAL;
}

int
log_notice(const char *format, ...)
{
	char message[RECORD_MAX];
	va_list args;
	int rc;

	if (state.target == LOG_TO_NONE)
		return 0;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	rc = emit(state.target, LOG_NOTICE, message, NULL);
	state.unsaid += rc < 0;
	return rc;
}

bool
log_owes(void)
{
	return state.unsaid > 0;
}

int
log_catch_up(void)
{
	size_t unsaid = state.unsaid;
	int rc = 0;

	if (unsaid > 0)
		rc = log_notice(
		    "before this, sentences that no log took: %zu", unsaid);
	state.unsaid = rc < 0 ? unsaid : 0;
	return rc;
}

void
log_prepare(void)
{
	if (state.target <= LOG_TO_JOURNAL)
		journal_prepare();
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
	return emit(
	    state.target, expected ? LOG_INFO : LOG_NOTICE, line, &fields);
}
