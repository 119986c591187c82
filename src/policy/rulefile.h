/* SPDX-License-Identifier: ISC */
/*
 * rulefile: the text of rules, read into what rules.h asks. The language is
 * described in socks5-handler.rules(5).
 *
 * Pure but for the memory it allocates: what is read comes from the caller.
 */
#ifndef RULEFILE_H
#define RULEFILE_H

#include "base/fault.h"
#include "policy/rules.h"

#include <stddef.h>

/* A longer text is refused: nobody means to read so much for each client. */
#define RULEFILE_MAX 4194304

/*
 * What holds without a file of rules: clients on this machine may reach
 * anything. With --users nobody may do anything without a password, and one
 * opens anything but what is internal; with --open nobody needs one for that.
 */
extern const char rulefile_local[], rulefile_users[], rulefile_open[];

/* What stands for the file's name then. */
#define RULEFILE_BUILT_IN "built in"

/*
 * Reads the rules in `len` bytes of text, lines that end with \n or \r\n. Both
 * `file`, the name of the text, and the text have to stay until the rules are
 * freed.
 * 0, or with a fault and its place: -EINVAL for the first mistake, -EFBIG for
 * more than RULEFILE_MAX bytes, -ENOMEM.
 */
int rulefile_parse(const char *file, const char *text, size_t len,
    struct rules *out, struct fault *fault);

void rulefile_free(struct rules *rules);

/*
 * Looks for a user or group that a line names and this host doesn't know,
 * which is most likely a typing error: such a line never matches. 0, or
 * -ENOENT with a fault; or what find_id failed with, and the fault names that.
 */
int rulefile_check_ids(const struct rules *rules, const struct rules_host *host,
    struct fault *fault);

#endif
