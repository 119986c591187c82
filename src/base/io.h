/* SPDX-License-Identifier: ISC */
/*
 * io: descriptors, and reading and writing under the deadline of the alarm.
 */
#ifndef IO_H
#define IO_H

#include "base/signals.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What can be done with a descriptor beyond read(2) and write(2). */
enum io_kind {
	IO_PIPE,   /* nothing */
	IO_SOCKET, /* shutdown, flags for each call */
	IO_TCP,    /* and a reset */
};

/* One end of a flow; fd is -1 once it is closed. */
struct io_end {
	int fd;
	enum io_kind kind;
	bool was_blocking; /* before io_no_wait(), io_no_sleep() */
};

#define IO_BUFFER_SIZE 262144

/*
 * Bytes read and not yet used: data[start] to data[end - 1]. `data` has room
 * for IO_BUFFER_SIZE; a page of it costs memory from its first use on, and so
 * nothing else stands there.
 */
struct io_buffer {
	size_t start, end;
	uint8_t *data;
};

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t io_now_ms(void);

/* The earlier of two times, where 0 is never. */
int64_t io_earlier(int64_t a, int64_t b);

/* For poll(2): how long until such a time, 0 once it is over, -1 for never. */
int io_time_left(int64_t until_ms, int64_t now_ms);

/* Waits for these events of poll(2) until then, a time of io_now_ms(), whatever
 * signals come: 0, -EAGAIN when none came, or another -errno. */
int io_await(int fd, short events, int64_t until_ms);

/*
 * Reads at least one byte, waiting for it. The number of bytes, 0 at the end
 * of file, or -errno; those of signals_interrupted() included.
 */
ssize_t io_read(const struct io_end *end, void *data, size_t len);

/*
 * Writes all of it, waiting. 0 or -errno, as above; but what needs no waiting
 * goes out even then, so that a phase that was cut short can still say so.
 */
int io_write(const struct io_end *end, const void *data, size_t len);

/*
 * From here on the two calls below may be used on this end. O_NONBLOCK belongs
 * to the open file description, which a parent may share: sockets go without
 * it, and what is changed on a pipe io_restore() puts back.
 */
void io_no_wait(struct io_end *end);
void io_restore(struct io_end *end);

/* One read or write without waiting: the number of bytes or -errno. */
ssize_t io_read_now(const struct io_end *end, void *data, size_t len);
ssize_t io_write_now(const struct io_end *end, const void *data, size_t len);

/*
 * From here on this end may be spliced. No flag keeps splice(2) from sleeping
 * in a TCP socket: sockets need O_NONBLOCK too, and get it back.
 */
void io_no_sleep(struct io_end *end);

/* One splice(2) without waiting: the number of bytes, 0 at the end of file of
 * `from`, or -errno. One of the two is a pipe. */
ssize_t io_splice_now(int from, int to, size_t len);

/*
 * A pipe that holds `size` bytes at least. 0, or -errno, with EPERM where this
 * user has no more of the memory that is rationed for pipes
 * (fs.pipe-user-pages-soft): then a new pipe holds 8 KiB and can't grow.
 */
int io_pipe_open(int pipe[2], int size);

/* No more bytes this way: shutdown(2) on a socket, close(2) on a pipe. */
void io_shut_write(struct io_end *end);

/* Takes the error that poll(2) reported with POLLERR from a socket; 0: none. */
int io_error(const struct io_end *end);

bool io_is_unix(const struct io_end *end);

/* Reads and forgets until the end of file, an error, or `most` bytes. */
void io_drain(const struct io_end *end, size_t most);

/* Closes the descriptor, putting its flags back. */
void io_close(struct io_end *end);

/* Closes every descriptor from this one on. */
void io_close_from(int first);

/* The same but for one, which may be -1. */
void io_close_from_but(int first, int kept);

#endif
