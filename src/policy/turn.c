/* SPDX-License-Identifier: ISC */
#include "policy/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#define CHECKS_MAX 8

/* Whoever waits looks again after so long. */
#define LOOK_MS 10

struct range {
	off_t start, end;
};

static unsigned
checks_at_once(void)
{
	cpu_set_t set;
	int n = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	return n < CHECKS_MAX ? (unsigned)n : CHECKS_MAX;
}

/*
 * How many others have a lock in front of this offset; counted up to `most`.
 * The kernel names one of those in a range, and the rest is in front of that
 * one or behind it.
 */
static unsigned
count_ahead(int fd, off_t end, unsigned most)
{
	struct range ranges[CHECKS_MAX + 2] = {{0, end}};
	unsigned left = 1, found = 0;

	while (left > 0 && found < most) {
		struct range range = ranges[--left];
		struct flock lock = {
		    .l_type = F_WRLCK,
		    .l_whence = SEEK_SET,
		    .l_start = range.start,
		    .l_len = range.end - range.start,
		};

		if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
			continue;
		found++;
		if (lock.l_start > range.start)
			ranges[left++] =
			    (struct range){range.start, lock.l_start};
		/* A length of 0 reaches to the end of any file. */
		if (lock.l_len > 0 && lock.l_start + lock.l_len < range.end)
			ranges[left++] = (struct range){
			    lock.l_start + lock.l_len, range.end};
	}
	return found;
}

int
turn_await(const char *users_file, const struct io_end *client, int *out)
{
	struct pollfd left = {.fd = client->fd, .events = 0};
	unsigned most = checks_at_once();
	struct flock place = {.l_type = F_RDLCK, .l_len = 1};
	struct timespec now;
	int rc = 0;

	*out = open(users_file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	clock_gettime(CLOCK_MONOTONIC, &now);
	place.l_start = (off_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (*out < 0 || fcntl(*out, F_SETLK, &place) < 0)
		return 0;
	while (rc == 0 && count_ahead(*out, place.l_start, most) == most) {
		if (poll(&left, 1, LOOK_MS) > 0)
			rc = -EPIPE;
		else
			rc = signals_interrupted();
	}
	if (rc < 0)
		turn_end(*out);
	return rc;
}

void
turn_end(int turn)
{
	if (turn >= 0)
		close(turn);
}
