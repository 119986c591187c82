/* SPDX-License-Identifier: ISC */
/*
 * turn: who may check a password now.
 *
 * A check takes memory on purpose, 16 MiB for yescrypt, and a processor. So all
 * processes that have one users file stand in line, in the order of coming, and
 * as many check at once as there are processors, but not more than 8.
 *
 * The line is in the kernel: each of them has a read lock of fcntl(2) on one
 * byte of the file, whose offset is the time of its coming. It is gone with the
 * process, needs nothing but the right to read the file, and holds for
 * processes that have no common parent.
 */
#ifndef TURN_H
#define TURN_H

#include "base/io.h"

/*
 * Waits for a turn: 0; -EPIPE when the client has left meanwhile; or -errno of
 * signals_interrupted(). *out is to be given to turn_end() then. Where the file
 * can't be opened or locked there is no line, and it is everybody's turn.
 */
int turn_await(const char *users_file, const struct io_end *client, int *out);

void turn_end(int turn);

#endif
