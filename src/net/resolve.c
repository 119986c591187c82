/* SPDX-License-Identifier: ISC */
/*
 * Promises: returns when the alarm rings, whatever the resolver is doing, and
 * leaves no child behind.
 */
#include "net/resolve.h"

#include <errno.h>
#include <string.h>

/* The children of a look-up, by what they ask for. */
enum { BOTH, IPV4, IPV6 };

static int
start_family(struct resolve *resolve, size_t i)
{
	static const sa_family_t families[] = {
	    [BOTH] = AF_UNSPEC, [IPV4] = AF_INET, [IPV6] = AF_INET6};
	const struct lookup lookup = {
	    .name = resolve->name,
	    .family = families[i],
	    .port = resolve->port,
	};

	return lookup_start(&lookup, &resolve->children[i]);
}

int
resolve_start(
    const char *name, uint16_t port, int64_t now_ms, struct resolve *out)
{
	out->name = name;
	out->port = port;
	out->again_ms = now_ms + RESOLVE_PATIENCE_MS;
	out->settle_ms = 0;
	out->found.count = 0;
	for (size_t i = 0; i < RESOLVE_CHILDREN; i++)
		out->children[i].fd = -1;
	return start_family(out, BOTH);
}

size_t
resolve_poll(const struct resolve *resolve, struct pollfd fds[RESOLVE_CHILDREN])
{
	size_t n = 0;

	for (size_t i = 0; i < RESOLVE_CHILDREN; i++) {
		if (resolve->children[i].fd >= 0)
			fds[n++] = (struct pollfd){
			    .fd = resolve->children[i].fd,
			    .events = POLLIN,
			};
	}
	return n;
}

int64_t
resolve_due(const struct resolve *resolve)
{
	return io_earlier(resolve->again_ms, resolve->settle_ms);
}

void
resolve_end(struct resolve *resolve)
{
	for (size_t i = 0; i < RESOLVE_CHILDREN; i++)
		lookup_end(&resolve->children[i]);
}

/* The answer for one family by itself. */
static void
add_family(struct resolve *resolve, const struct lookup_answer *answer,
    const struct failure *failure, int64_t now_ms)
{
	struct addr_list *found = &resolve->found;

	if (failure->outcome != OUTCOME_DONE) {
		resolve->failure = *failure;
		return;
	}
	for (size_t i = 0; i < answer->list.count; i++) {
		if (found->count < ADDR_LIST_MAX)
			found->at[found->count++] = answer->list.at[i];
	}
	if (resolve->settle_ms == 0)
		resolve->settle_ms = now_ms + RESOLVE_DELAY_MS;
}

/* Whether what the families have by themselves will do; it is never too late
 * for an answer for both. */
static bool
is_settled(const struct resolve *resolve, int64_t now_ms)
{
	if (resolve->again_ms != 0)
		return false;
	if (resolve->found.count > 0 && now_ms >= resolve->settle_ms)
		return true;
	return resolve->children[IPV4].fd < 0 && resolve->children[IPV6].fd < 0;
}

bool
resolve_harvest(struct resolve *resolve, int64_t now_ms, struct addr_list *out,
    struct failure *failure)
{
	struct lookup_child *children = resolve->children;
	struct lookup_answer answer;

	if (lookup_answer(&children[BOTH], false, &answer, failure)) {
		resolve_end(resolve);
		if (failure->outcome == OUTCOME_DONE)
			*out = answer.list;
		return true;
	}
	/* The first failure stands where no child can be had for either. */
	for (size_t i = IPV4; i <= IPV6; i++) {
		if (children[i].fd >= 0 &&
		    lookup_answer(&children[i], false, &answer, failure))
			add_family(resolve, &answer, failure, now_ms);
	}
	if (resolve->again_ms != 0 && now_ms >= resolve->again_ms) {
		resolve->again_ms = 0;
		if (start_family(resolve, IPV4) < 0 ||
		    start_family(resolve, IPV6) < 0)
			resolve->again_ms = now_ms + RESOLVE_PATIENCE_MS;
	}
	if (!is_settled(resolve, now_ms))
		return false;
	resolve_end(resolve);
	if (resolve->found.count > 0) {
		*out = resolve->found;
		failure_set(failure, OUTCOME_DONE, 0, NULL);
	} else {
		*failure = resolve->failure;
	}
	return true;
}

/* Waits for a child, the client's leaving, or this time (0: never), unless the
 * alarm or a signal has ended that. */
static enum outcome
await(struct pollfd *fds, size_t count, const struct io_end *client,
    int64_t until_ms, struct failure *failure)
{
	int left = until_ms ? io_time_left(until_ms, io_now_ms()) : -1;

	if (failure_of_interruption(failure, OUTCOME_CONNECT_TIMEOUT) !=
	    OUTCOME_DONE)
		return failure->outcome;
	fds[count] = (struct pollfd){.fd = client->fd, .events = 0};
	if (poll(fds, count + 1, left) < 0 && errno != EINTR)
		return failure_of_system(failure, errno);
	if (fds[count].revents)
		return failure_set(failure, OUTCOME_CLIENT_LEFT, 0, NULL);
	return OUTCOME_DONE;
}

enum outcome
resolve_name_of(const union addr *addr, const struct io_end *client,
    char out[WIRE_NAME_SIZE], struct failure *failure)
{
	const struct lookup lookup = {.addr = addr};
	struct lookup_child child;
	struct lookup_answer answer;
	struct pollfd fds[2];
	int rc = lookup_start(&lookup, &child);

	if (rc < 0)
		return failure_of_system(failure, -rc);
	fds[0] = (struct pollfd){.fd = child.fd, .events = POLLIN};
	while (await(fds, 1, client, 0, failure) == OUTCOME_DONE) {
		if (!lookup_answer(&child, true, &answer, failure))
			continue;
		if (failure->outcome == OUTCOME_DONE)
			memcpy(out, answer.name, strlen(answer.name) + 1);
		return failure->outcome;
	}
	lookup_end(&child);
	return failure->outcome;
}

static enum outcome
look_up_and_wait(const struct wire_destination *dst,
    const struct io_end *client, struct addr_list *out, struct failure *failure)
{
	struct pollfd fds[RESOLVE_CHILDREN + 1];
	struct resolve resolve;
	int rc = resolve_start(dst->name, dst->port, io_now_ms(), &resolve);

	if (rc < 0)
		return failure_of_system(failure, -rc);
	while (await(fds, resolve_poll(&resolve, fds), client,
		   resolve_due(&resolve), failure) == OUTCOME_DONE) {
		if (resolve_harvest(&resolve, io_now_ms(), out, failure))
			return failure->outcome;
	}
	resolve_end(&resolve);
	return failure->outcome;
}

enum outcome
resolve_destination(const struct wire_destination *dst,
    const struct io_end *client, struct addr_list *out, struct failure *failure)
{
	struct addr_list list = {.count = 1};
	enum outcome outcome = OUTCOME_DONE;

	if (wire_literal(dst, &list.at[0]) != 0)
		outcome = look_up_and_wait(dst, client, &list, failure);
	if (outcome != OUTCOME_DONE)
		return outcome;
	*out = list;
	addr_interleave(out);
	return OUTCOME_DONE;
}
