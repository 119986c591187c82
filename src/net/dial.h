/* SPDX-License-Identifier: ISC */
/*
 * dial: connects to the first of several addresses that answers.
 */
#ifndef DIAL_H
#define DIAL_H

#include "base/addr.h"
#include "base/io.h"
#include "policy/terms.h"
#include "protocol/outcome.h"

struct dial_result {
	int fd;             /* connected, non-blocking; the caller's to close */
	union addr address; /* what it is connected to */
	union addr bound;   /* its own end: BND.ADDR and BND.PORT */
	bool mptcp;         /* both ends speak Multipath TCP */
};

/*
 * RFC 8305 section 5: one attempt after the other in the order given, the next
 * after 250 ms or as soon as one fails; the first to connect wins, the others
 * are closed. Each socket is as the terms want it, and `mptcp` is for Multipath
 * TCP where kernel and target have it, otherwise TCP; not together with a rate,
 * which the kernel keeps for TCP alone.
 *
 * OUTCOME_DONE; or, when none connected or the alarm rang, the most telling
 * failure as failure_keep_worse() has it, OUTCOME_TERMS_UNMET for a socket that
 * couldn't be made so, OUTCOME_NO_SOURCE for a family that the terms leave out.
 * OUTCOME_CLIENT_LEFT: `client` went away meanwhile; OUTCOME_TERMINATED.
 */
enum outcome dial(const struct addr_list *list, const struct terms *terms,
    bool mptcp, const struct io_end *client, struct dial_result *out,
    struct failure *failure);

#endif
