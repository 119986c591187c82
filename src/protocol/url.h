/* SPDX-License-Identifier: ISC */
/*
 * url: where an upstream server is, and who we are to it, in one line of text.
 *
 * Pure functions: no system calls, no allocation, no logging. There may be a
 * password in that line: whoever is told what is wrong with it must not be
 * told the line.
 */
#ifndef URL_H
#define URL_H

#include "base/fault.h"
#include "protocol/wire.h"

#include <stdbool.h>

#define URL_PORT 1080 /* where none is given */

struct url {
	struct wire_destination server; /* not looked up */
	/* Decoded, NULs and all; one NUL follows. No user: no login. */
	uint8_t user_len, password_len;
	char user[256], password[256];
};

/*
 * "socks5://[USER[:PASSWORD]@]HOST[:PORT]", a "/" behind it or not; USER and
 * PASSWORD percent-encoded (RFC 3986), an IPv6 address in brackets. The text is
 * cut up. 0, or -EINVAL and what is wrong, without a byte of it.
 */
int url_parse(char *text, struct url *out, struct fault *fault);

/*
 * The password from elsewhere: one line, whose newline is no part of it. 0, or
 * -EINVAL as above.
 */
int url_set_password(
    struct url *url, const char *line, size_t len, struct fault *fault);

/* What RFC 1929 wants, pointing into `url`; false: there is no user. */
bool url_login(const struct url *url, struct wire_password *out);

#endif
