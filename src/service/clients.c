/* SPDX-License-Identifier: ISC */
/*
 * An array that is searched from end to end: at the thousands of processes that
 * a machine bears, that is a fraction of what each of them costs. No child
 * inherits it: who else is served is none of a client's business, and a fork is
 * cheaper without.
 */
#include "service/clients.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* The client has reached the very address that it comes from. */
static bool
is_own_address(int fd, const union addr *from)
{
	union addr reached = {0};
	socklen_t len = sizeof(reached);

	return getsockname(fd, &reached.sa, &len) == 0 &&
	       addr_equal_host(from, &reached);
}

static void
inet_source(int fd, const union addr *addr, struct clients_source *out)
{
	union addr from = addr_unmapped(addr);

	out->family = from.sa.sa_family;
	/* Of IPv6, the /64. */
	memcpy(
	    out->bytes, addr_host(&from), from.sa.sa_family == AF_INET ? 4 : 8);
	out->is_here = addr_is_loopback(&from) || is_own_address(fd, &from);
}

void
clients_source(int fd, const union addr *from, struct clients_source *out)
{
	struct ucred cred = {.uid = (uid_t)-1};
	socklen_t len = sizeof(cred);

	memset(out, 0, sizeof(*out));
	out->family = from->sa.sa_family;
	if (addr_is_inet(from)) {
		inet_source(fd, from, out);
	} else if (out->family == AF_UNIX) {
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
		memcpy(out->bytes, &cred.uid, sizeof(cred.uid));
		out->is_here = true;
	} else if (out->family == AF_VSOCK) {
		memcpy(out->bytes, &from->vm.svm_cid, sizeof(from->vm.svm_cid));
	}
}

void
clients_source_name(const struct clients_source *source, const union addr *from,
    char out[ADDR_TEXT_MAX])
{
	uid_t uid;

	addr_format(from, out);
	if (source->family != AF_UNIX)
		return;
	memcpy(&uid, source->bytes, sizeof(uid));
	snprintf(out, ADDR_TEXT_MAX, "unix:uid=%u", uid);
}

int
clients_reserve(struct clients *clients)
{
	size_t size = clients->size ? 2 * clients->size : 256;
	size_t bytes = size * sizeof(*clients->at);
	struct clients_entry *at;

	if (clients->count < clients->size)
		return 0;
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return -ENOMEM;
	madvise(at, bytes, MADV_DONTFORK);
	if (clients->size > 0) {
		memcpy(at, clients->at, clients->count * sizeof(*at));
		munmap(clients->at, clients->size * sizeof(*at));
	}
	clients->at = at;
	clients->size = size;
	return 0;
}

void
clients_add(
    struct clients *clients, pid_t pid, const struct clients_source *source)
{
	clients->at[clients->count++] =
	    (struct clients_entry){.pid = pid, .source = *source};
}

/* Or NULL. */
static struct clients_entry *
find_process(const struct clients *clients, pid_t pid)
{
	for (size_t i = 0; i < clients->count; i++) {
		if (clients->at[i].pid == pid)
			return &clients->at[i];
	}
	return NULL;
}

size_t
clients_let_go(struct clients *clients, pid_t pid)
{
	struct clients_entry *entry = find_process(clients, pid);

	if (entry && !entry->let_go) {
		entry->let_go = true;
		clients->let_go++;
	}
	return clients->let_go;
}

bool
clients_remove(struct clients *clients, pid_t pid)
{
	struct clients_entry *entry = find_process(clients, pid);

	if (!entry)
		return false;
	clients->let_go -= entry->let_go;
	*entry = clients->at[--clients->count];
	return true;
}

static bool
is_same(const struct clients_source *a, const struct clients_source *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static int64_t
count_from(const struct clients *clients, const struct clients_source *source)
{
	int64_t n = 0;

	for (size_t i = 0; i < clients->count; i++) {
		const struct clients_entry *entry = &clients->at[i];

		n += !entry->let_go && is_same(&entry->source, source);
	}
	return n;
}

const char *
clients_limit(const struct clients *clients,
    const struct clients_source *source, int64_t max_clients,
    int64_t max_per_source)
{
	if (max_clients > 0 &&
	    (int64_t)(clients->count - clients->let_go) >= max_clients)
		return "max-clients";
	if (max_per_source < 0 && (source->is_here || max_clients == 0))
		return NULL;
	if (max_per_source < 0)
		max_per_source = (max_clients + 1) / 2;
	if (max_per_source > 0 && count_from(clients, source) >= max_per_source)
		return "max-per-source";
	return NULL;
}
