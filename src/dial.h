/*
 * dial: connects to the first of several addresses that answers.
 */
#ifndef DIAL_H
#define DIAL_H

#include "addr.h"
#include "io.h"

struct dial_result {
	int fd;             /* connected, non-blocking; the caller's to close */
	union addr address; /* what it is connected to */
	union addr bound;   /* its own end: BND.ADDR and BND.PORT */
};

/*
 * RFC 8305 section 5: one attempt after the other in the order given, the next
 * after 250 ms or as soon as one fails; the first to connect wins, the others
 * are closed.
 *
 * 0, or -errno of the most telling failure (refused, then forbidden by a
 * packet filter, then unreachable, then timed out, then anything else) when
 * none connected or the alarm rang; -EPIPE: `client` went away meanwhile;
 * -ECANCELED: SIGTERM.
 */
int dial(const struct addr_list *list, const struct io_end *client,
    struct dial_result *out);

/* The more telling of two errnos, as above; 0 is the least. */
int dial_worse(int a, int b);

#endif
