/* SPDX-License-Identifier: ISC */
/*
 * dial: connects to the first of several addresses that answers.
 */
#ifndef DIAL_H
#define DIAL_H

#include "base/addr.h"
#include "base/fault.h"
#include "base/io.h"
#include "protocol/outcome.h"

/* How a socket comes out; all zero: as the kernel chooses. */
struct dial_options {
	/*
	 * The address to come from, for each family one at most; AF_UNSPEC:
	 * none. A port in it doesn't count. It says nothing about candidates
	 * of the other family.
	 */
	union addr source[2];
	const char *interface; /* SO_BINDTODEVICE; NULL: any */
	uint32_t mark;         /* SO_MARK; 0: none */
	uint64_t rate;         /* bytes a second to the target; 0: no limit */
	/*
	 * Multipath TCP where kernel and target have it, otherwise TCP. Not
	 * together with a rate, which the kernel keeps for TCP alone.
	 */
	bool mptcp;
};

struct dial_result {
	int fd;             /* connected, non-blocking; the caller's to close */
	union addr address; /* what it is connected to */
	union addr bound;   /* its own end: BND.ADDR and BND.PORT */
	bool mptcp;         /* both ends speak Multipath TCP */
};

/*
 * RFC 8305 section 5: one attempt after the other in the order given, the next
 * after 250 ms or as soon as one fails; the first to connect wins, the others
 * are closed.
 *
 * OUTCOME_DONE; or, when none connected or the alarm rang, the most telling
 * failure as failure_keep_worse() has it, OUTCOME_TERMS_UNMET for a socket that
 * couldn't be made as the options want it. OUTCOME_CLIENT_LEFT: `client` went
 * away meanwhile; OUTCOME_TERMINATED.
 */
enum outcome dial(const struct addr_list *list,
    const struct dial_options *options, const struct io_end *client,
    struct dial_result *out, struct failure *failure);

/*
 * Makes a new socket of that family come out as the options want it: the
 * source is bound, with a port still to be chosen. 0, or -errno, and the fault
 * names option and reason ("mark=7 needs CAP_NET_ADMIN").
 */
int dial_set_up(int fd, sa_family_t family, const struct dial_options *options,
    struct fault *fault);

#endif
