/* SPDX-License-Identifier: ISC */
#include "service/spare.h"
#include "base/io.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of Linux 5.14, and not in every libc. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

/* Room for one descriptor, aligned as a control message has to be. */
union rights {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

/* Of one byte, with that room. */
static struct msghdr
make_message(struct iovec *byte, union rights *rights)
{
	memset(rights, 0, sizeof(*rights));
	return (struct msghdr){
	    .msg_iov = byte,
	    .msg_iovlen = 1,
	    .msg_control = rights,
	    .msg_controllen = sizeof(*rights),
	};
}

/* On 0 and 1, and nothing from 3 on. */
static void
keep_only(int fd)
{
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	io_close_from(STDERR_FILENO + 1);
}

void
spare_serve(int client, const struct spare_work *work)
{
	keep_only(client);
	signals_unblock();
	exit(work->serve(work->context));
}

pid_t
spare_fork_for(int client, const struct spare_work *work)
{
	pid_t pid = process_fork(work->oom);

	if (pid == 0)
		spare_serve(client, work);
	return pid;
}

/* The descriptor that comes over the channel on 0, or -1 when none does. */
static int
receive_client(void)
{
	char data;
	struct iovec byte = {&data, 1};
	union rights rights;
	struct msghdr msg = make_message(&byte, &rights);
	struct cmsghdr *c;
	ssize_t n;
	int fd = -1;

	do
		n = recvmsg(STDIN_FILENO, &msg, 0);
	while (n < 0 && errno == EINTR && signals_interrupted() == 0);
	c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* The pages of code and constants of one object, as dl_iterate_phdr(3) has it.
 */
static int
map_code(struct dl_phdr_info *object, size_t size, void *page_size)
{
	uintptr_t mask = *(uintptr_t *)page_size - 1;

	(void)size;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t at = object->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD || segment->p_flags & PF_W)
			continue;
		/* NOLINTNEXTLINE(performance-no-int-to-ptr): it has numbers */
		madvise((void *)(at & ~mask), (at & mask) + segment->p_memsz,
		    MADV_POPULATE_READ);
	}
	return 0;
}

/*
 * A fork leaves a process without most of its pages, and it meets a fault at
 * each: what a client would wait for is done before there is one. Where the
 * kernel doesn't know how (before 5.14), nothing is lost.
 */
static void
warm_up(void)
{
	uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	char *here = (char *)&page_size;

	dl_iterate_phdr(map_code, &page_size);
	/* What a session takes of the stack. */
	here -= (uintptr_t)here % page_size;
	madvise(here - 3 * page_size, 4 * page_size, MADV_POPULATE_WRITE);
}

/* The spare's process. */
static _Noreturn void
wait_for_client(int channel, const struct spare_work *work)
{
	int client;

	keep_only(channel);
	signals_unblock();
	warm_up();
	client = receive_client();
	if (client < 0)
		_exit(0);
	spare_serve(client, work);
}

pid_t
spares_add(struct spares *spares, const struct spare_work *work)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = process_fork(work->oom);
	if (pid == 0)
		wait_for_client(pair[1], work);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return pid;
	}
	spares->at[spares->count++] = (struct spare){pid, pair[0]};
	return pid;
}

pid_t
spares_hand_over(struct spares *spares, int client)
{
	char data = 0;
	struct iovec byte = {&data, 1};
	union rights rights;
	struct msghdr msg = make_message(&byte, &rights);

	rights.header = (struct cmsghdr){
	    .cmsg_len = CMSG_LEN(sizeof(int)),
	    .cmsg_level = SOL_SOCKET,
	    .cmsg_type = SCM_RIGHTS,
	};
	memcpy(CMSG_DATA(&rights.header), &client, sizeof(client));
	/* One that has died is passed over. */
	while (spares->count > 0) {
		struct spare *last = &spares->at[--spares->count];
		ssize_t n =
		    sendmsg(last->channel, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);

		close(last->channel);
		if (n > 0)
			return last->pid;
	}
	return 0;
}

bool
spares_remove(struct spares *spares, pid_t pid)
{
	for (size_t i = 0; i < spares->count; i++) {
		if (spares->at[i].pid == pid) {
			close(spares->at[i].channel);
			spares->at[i] = spares->at[--spares->count];
			return true;
		}
	}
	return false;
}

void
spares_dismiss(struct spares *spares)
{
	while (spares->count > 0)
		close(spares->at[--spares->count].channel);
}
