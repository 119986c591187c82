/* SPDX-License-Identifier: ISC */
/*
 * Promises: everything here is bounded, the look-ups, the names, what waits
 * for them and how long, whatever a client asks for. Must not: wait.
 */
#include "net/udp/names.h"

#include <errno.h>
#include <string.h>

static bool
is_pending(const struct names_entry *entry)
{
	return entry->state == NAMES_QUEUED || entry->state == NAMES_LOOKING;
}

static void
set_state(struct names_entry *entry, enum names_state state, int64_t now_ms)
{
	entry->state = state;
	entry->since_ms = now_ms;
}

/* Whether another look-up may begin. Those that take their time don't count for
 * long, or a few names that nobody answers for would hold up all others. */
static bool
has_turn(const struct names *names, int64_t now_ms)
{
	size_t quick = 0;

	if (names->looking == NAMES_LOOKUPS)
		return false;
	for (size_t i = 0; i < NAMES_MAX; i++)
		quick += names->at[i].state == NAMES_LOOKING &&
			 now_ms - names->at[i].since_ms < RESOLVE_PATIENCE_MS;
	return quick < NAMES_QUICK;
}

/* Begins the look-up, or leaves it for later. */
static void
begin_lookup(struct names *names, struct names_entry *entry, int64_t now_ms)
{
	set_state(entry, NAMES_QUEUED, now_ms);
	if (!has_turn(names, now_ms))
		return;
	if (resolve_start(entry->name, 0, now_ms, &entry->lookup) < 0) {
		set_state(entry, NAMES_FAILED, now_ms);
		return;
	}
	set_state(entry, NAMES_LOOKING, now_ms);
	names->looking++;
}

static struct names_entry *
find_name(struct names *names, const char *name, size_t len)
{
	for (size_t i = 0; i < NAMES_MAX; i++) {
		struct names_entry *entry = &names->at[i];

		if (entry->state != NAMES_UNUSED && entry->len == len &&
		    memcmp(entry->name, name, len) == 0)
			return entry;
	}
	return NULL;
}

/* Whether a datagram waits for it, or will be taken with what came of it. */
static bool
is_awaited(const struct names *names, const struct names_entry *entry)
{
	for (size_t i = 0; i < NAMES_WAITING && names->waiting > 0; i++) {
		if (names->queue[i].entry == entry)
			return true;
	}
	return false;
}

/* A free entry, or the one that nobody has used for longest. */
static struct names_entry *
choose_entry(struct names *names)
{
	struct names_entry *oldest = NULL;

	for (size_t i = 0; i < NAMES_MAX; i++) {
		struct names_entry *entry = &names->at[i];

		if (entry->state == NAMES_UNUSED)
			return entry;
		if (!is_pending(entry) && !is_awaited(names, entry) &&
		    (!oldest || entry->used < oldest->used))
			oldest = entry;
	}
	return oldest;
}

struct names_entry *
names_find(
    struct names *names, const struct wire_destination *dst, int64_t now_ms)
{
	struct names_entry *entry = find_name(names, dst->name, dst->name_len);

	if (!entry) {
		entry = choose_entry(names);
		if (!entry)
			return NULL;
		entry->len = dst->name_len;
		memcpy(entry->name, dst->name, entry->len);
		entry->name[entry->len] = '\0';
		begin_lookup(names, entry, now_ms);
	} else if (entry->state == NAMES_FAILED &&
		   now_ms - entry->since_ms >= NAMES_FAILED_MS) {
		begin_lookup(names, entry, now_ms);
	}
	entry->used = ++names->clock;
	return entry;
}

int
names_wait(struct names *names, struct names_entry *entry, uint16_t port,
    const uint8_t *data, size_t len)
{
	struct names_waiting *place = NULL;
	size_t of_one = 0;

	for (size_t i = 0; i < NAMES_WAITING; i++) {
		if (!names->queue[i].entry)
			place = &names->queue[i];
		else if (names->queue[i].entry == entry)
			of_one++;
	}
	if (!place || of_one >= NAMES_OF_ONE || len > sizeof(place->data))
		return -ENOBUFS;
	place->entry = entry;
	place->order = ++names->clock;
	place->port = port;
	place->len = len;
	memcpy(place->data, data, len);
	names->waiting++;
	return 0;
}

struct names_waiting *
names_next(struct names *names)
{
	struct names_waiting *first = NULL;

	for (size_t i = 0; i < NAMES_WAITING && names->waiting > 0; i++) {
		struct names_waiting *waiting = &names->queue[i];

		if (waiting->entry && !is_pending(waiting->entry) &&
		    (!first || waiting->order < first->order))
			first = waiting;
	}
	return first;
}

void
names_release(struct names *names, struct names_waiting *waiting)
{
	waiting->entry = NULL;
	names->waiting--;
}

size_t
names_poll(const struct names *names, struct pollfd fds[NAMES_FDS])
{
	size_t n = 0;

	for (size_t i = 0; i < NAMES_MAX && names->looking > 0; i++) {
		if (names->at[i].state == NAMES_LOOKING)
			n += resolve_poll(&names->at[i].lookup, fds + n);
	}
	return n;
}

int64_t
names_due(const struct names *names)
{
	int64_t due = 0;

	for (size_t i = 0; i < NAMES_MAX && names->looking > 0; i++) {
		const struct names_entry *entry = &names->at[i];

		if (entry->state != NAMES_LOOKING)
			continue;
		due = io_earlier(due, entry->since_ms + NAMES_LOOKUP_MS);
		due = io_earlier(due, resolve_due(&entry->lookup));
	}
	return due;
}

/* Whether the look-up is over, by an answer or by the time it took. */
static bool
is_over(struct names *names, struct names_entry *entry, int64_t now_ms)
{
	struct addr_list list;
	struct failure failure;

	if (now_ms - entry->since_ms >= NAMES_LOOKUP_MS) {
		resolve_end(&entry->lookup);
		set_state(entry, NAMES_FAILED, now_ms);
		return true;
	}
	if (!resolve_harvest(&entry->lookup, now_ms, &list, &failure))
		return false;
	if (failure.outcome != OUTCOME_DONE) {
		set_state(entry, NAMES_FAILED, now_ms);
		return true;
	}
	if (names->prefer != AF_UNSPEC)
		addr_prefer(&list, names->prefer);
	entry->count =
	    list.count < NAMES_ADDRESSES ? list.count : NAMES_ADDRESSES;
	for (size_t i = 0; i < entry->count; i++)
		entry->at[i] = list.at[i];
	set_state(entry, NAMES_KNOWN, now_ms);
	return true;
}

/* The one that has been waiting its turn for longest, or NULL. */
static struct names_entry *
first_queued(struct names *names)
{
	struct names_entry *first = NULL;

	for (size_t i = 0; i < NAMES_MAX; i++) {
		struct names_entry *entry = &names->at[i];

		if (entry->state == NAMES_QUEUED &&
		    (!first || entry->since_ms < first->since_ms))
			first = entry;
	}
	return first;
}

void
names_harvest(struct names *names, int64_t now_ms)
{
	struct names_entry *queued;

	for (size_t i = 0; i < NAMES_MAX && names->looking > 0; i++) {
		if (names->at[i].state == NAMES_LOOKING &&
		    is_over(names, &names->at[i], now_ms))
			names->looking--;
	}
	while (
	    has_turn(names, now_ms) && (queued = first_queued(names)) != NULL)
		begin_lookup(names, queued, now_ms);
}

void
names_demote(struct names *names, const union addr *addr)
{
	for (size_t i = 0; i < NAMES_MAX; i++) {
		struct names_entry *entry = &names->at[i];
		size_t last = entry->count - 1;

		if (entry->state != NAMES_KNOWN || entry->count < 2 ||
		    !addr_equal_host(&entry->at[0], addr))
			continue;
		memmove(entry->at, entry->at + 1, last * sizeof(*entry->at));
		entry->at[last] = *addr;
		addr_set_port(&entry->at[last], 0);
	}
}

void
names_close(struct names *names)
{
	for (size_t i = 0; i < NAMES_MAX && names->looking > 0; i++) {
		if (names->at[i].state != NAMES_LOOKING)
			continue;
		resolve_end(&names->at[i].lookup);
		names->at[i].state = NAMES_UNUSED;
		names->looking--;
	}
}
