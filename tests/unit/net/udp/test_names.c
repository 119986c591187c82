/* SPDX-License-Identifier: ISC */
#include "net/udp/names.h"
#include "network.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>

static struct names names;

static struct wire_destination
named(const char *name)
{
	struct wire_destination dst = {.atyp = WIRE_ATYP_NAME, .port = 53};

	dst.name_len = (uint8_t)strlen(name);
	memcpy(dst.name, name, strlen(name) + 1);
	return dst;
}

static struct names_entry *
find(const char *name, int64_t now_ms)
{
	struct wire_destination dst = named(name);

	return names_find(&names, &dst, now_ms);
}

/* Until every look-up has ended; the clock of the test stands still. */
static void
harvest_all(int64_t now_ms)
{
	while (names.looking > 0) {
		struct pollfd fds[NAMES_FDS];
		size_t n = names_poll(&names, fds);

		HOLD(n >= names.looking && n <= NAMES_FDS);
		HOLD(poll(fds, n, 5000) > 0);
		names_harvest(&names, now_ms);
	}
}

static void
no_child_is_left(void)
{
	HOLD(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

/* A name server that takes questions and never answers. */
static int
silent_server(void)
{
	union addr addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	addr_parse("127.0.0.1", 53, &addr);
	HOLD(bind(fd, &addr.sa, addr_len(&addr)) == 0);
	return fd;
}

static void
look_up_known_and_unknown(void)
{
	struct names_entry *known = find("known.test", 0), *unknown, *again;

	HOLD(known && known->state == NAMES_LOOKING);
	unknown = find("unknown.test", 0);
	HOLD(unknown && unknown->state == NAMES_LOOKING && unknown != known);
	HOLD(find("known.test", 0) == known && names.looking == 2);
	HOLD(names_due(&names) == RESOLVE_PATIENCE_MS);
	harvest_all(100);
	no_child_is_left();
	HOLD(known->state == NAMES_KNOWN && known->count == 2);
	for (size_t i = 0; i < known->count; i++)
		HOLD(addr_port(&known->at[i]) == 0);
	HOLD(unknown->state == NAMES_FAILED);
	HOLD(names_due(&names) == 0);
	/* One is known for good, the other for a moment. */
	again = find("known.test", 1000000);
	HOLD(again == known && again->state == NAMES_KNOWN);
	again = find("unknown.test", 100 + NAMES_FAILED_MS - 1);
	HOLD(again == unknown && again->state == NAMES_FAILED);
	again = find("unknown.test", 100 + NAMES_FAILED_MS);
	HOLD(again == unknown && again->state == NAMES_LOOKING);
	/* Other bytes, another name. */
	again = find("known.tes", 0);
	HOLD(again != known && again->state == NAMES_LOOKING);
	harvest_all(0);
	no_child_is_left();
}

static void
names_are_known_and_failures_pass(void **state)
{
	(void)state;
	in_network("192.0.2.1 known.test\n2001:db8::1 known.test\n",
	    look_up_known_and_unknown);
}

/* How many are in this state. */
static size_t
count(enum names_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < NAMES_MAX; i++)
		n += names.at[i].state == state;
	return n;
}

/* More than can be looked up, or remembered, or wait. */
static void
ask_too_much(void)
{
	int server = silent_server();
	int64_t now = 0;
	char name[24];

	for (int i = 0; i < NAMES_MAX; i++) {
		struct names_entry *entry;

		snprintf(name, sizeof(name), "host%d.test", i);
		entry = find(name, 0);
		HOLD(entry->state ==
		     (i < NAMES_QUICK ? NAMES_LOOKING : NAMES_QUEUED));
	}
	HOLD(find("more.test", 0) == NULL);
	HOLD(names_due(&names) == RESOLVE_PATIENCE_MS);
	/* Those that take their time keep nobody from his turn, up to a bound.
	 */
	for (size_t n = 1; n <= NAMES_LOOKUPS / NAMES_QUICK; n++) {
		const size_t looking = n * NAMES_QUICK;

		HOLD(names.looking == looking);
		names_harvest(&names, now + RESOLVE_PATIENCE_MS - 1);
		HOLD(names.looking == looking);
		now += RESOLVE_PATIENCE_MS;
		names_harvest(&names, now);
	}
	HOLD(names.looking == NAMES_LOOKUPS);
	/* Nobody answers; at last the next ones have their turn. */
	names_harvest(&names, NAMES_LOOKUP_MS - 1);
	HOLD(count(NAMES_FAILED) == 0);
	names_harvest(&names, NAMES_LOOKUP_MS);
	HOLD(count(NAMES_FAILED) == NAMES_QUICK);
	HOLD(find("host0.test", NAMES_LOOKUP_MS)->state == NAMES_FAILED);
	HOLD(names.looking == NAMES_LOOKUPS);
	/* The place of one that failed, the one that was asked for longest ago,
	 * which is host1. */
	HOLD(find("more.test", NAMES_LOOKUP_MS)->state == NAMES_QUEUED);
	HOLD(find("host0.test", NAMES_LOOKUP_MS)->state == NAMES_FAILED);
	names_close(&names);
	HOLD(names.looking == 0);
	no_child_is_left();
	close(server);
}

static void
everything_is_bounded(void **state)
{
	(void)state;
	in_network("", ask_too_much);
}

/* Nobody's turn before the name is known; then the oldest first. */
static void
wait_for_names(void)
{
	struct names_entry *a = find("a.test", 0), *b = find("b.test", 0);
	static const uint8_t payload[] = "0123456789";
	struct names_waiting *waiting;
	char name[24];
	int kept = 0;

	for (int i = 0; i < 2 * NAMES_OF_ONE; i++) {
		int rc = names_wait(
		    &names, i % 2 ? b : a, (uint16_t)i, payload, (size_t)i);

		HOLD(rc == 0);
	}
	HOLD(names_wait(&names, a, 1, payload, 1) == -ENOBUFS);
	HOLD(names_next(&names) == NULL);
	harvest_all(0);
	HOLD(a->state == NAMES_KNOWN && b->state == NAMES_FAILED);
	/* Their places are nobody else's until then. */
	for (int i = 2; i < NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "host%d.test", i);
		HOLD(find(name, 0) != NULL);
	}
	HOLD(find("more.test", 0) == NULL);
	while ((waiting = names_next(&names)) != NULL) {
		HOLD(waiting->port == kept && waiting->len == (size_t)kept);
		HOLD(waiting->entry == (kept % 2 ? b : a));
		HOLD(memcmp(waiting->data, payload, waiting->len) == 0);
		names_release(&names, waiting);
		kept++;
	}
	HOLD(kept == 2 * NAMES_OF_ONE && names.waiting == 0);
	HOLD(find("more.test", 0) != NULL);
	names_close(&names);
}

static void
datagrams_wait_in_order(void **state)
{
	(void)state;
	in_network("192.0.2.1 a.test\n", wait_for_names);
}

/* All the places there are, and none of them lost. */
static void
fill_the_queue(void)
{
	int server = silent_server();
	uint8_t byte = 7;
	char name[24];
	int kept = 0;

	for (int i = 0; i < NAMES_WAITING / 2; i++) {
		struct names_entry *entry;

		snprintf(name, sizeof(name), "host%d.test", i);
		entry = find(name, 0);
		for (int j = 0; j < 3; j++)
			kept += names_wait(&names, entry, 1, &byte, 1) == 0;
	}
	HOLD(kept == NAMES_WAITING && names.waiting == NAMES_WAITING);
	names_close(&names);
	no_child_is_left();
	close(server);
}

static void
the_queue_is_bounded(void **state)
{
	(void)state;
	in_network("", fill_the_queue);
}

/* Whoever is of no use goes to the end, and the family that is wanted first. */
static void
look_up_both(void)
{
	struct names_entry *entry;
	union addr four, six;

	HOLD(addr_parse("192.0.2.1", 0, &four) == 0);
	HOLD(addr_parse("2001:db8::1", 0, &six) == 0);
	names.prefer = AF_INET;
	entry = find("both.test", 0);
	harvest_all(0);
	HOLD(entry->count == 2 && addr_equal(&entry->at[0], &four));
	addr_set_port(&four, 53);
	names_demote(&names, &four);
	HOLD(addr_equal(&entry->at[0], &six));
	names_demote(&names, &four); /* it is no longer the first */
	HOLD(addr_equal(&entry->at[0], &six));
	names_demote(&names, &six);
	HOLD(addr_equal_host(&entry->at[0], &four));
	HOLD(addr_port(&entry->at[0]) == 0);
	names.prefer = AF_INET6;
	entry = find("other.test", 0);
	harvest_all(0);
	HOLD(entry->count == 2 && addr_equal(&entry->at[0], &six));
}

static void
the_order_of_addresses(void **state)
{
	(void)state;
	in_network("192.0.2.1 both.test other.test\n"
		   "2001:db8::1 both.test other.test\n",
	    look_up_both);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_known_and_failures_pass),
	    cmocka_unit_test(everything_is_bounded),
	    cmocka_unit_test(datagrams_wait_in_order),
	    cmocka_unit_test(the_queue_is_bounded),
	    cmocka_unit_test(the_order_of_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
