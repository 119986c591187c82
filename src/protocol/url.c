/* SPDX-License-Identifier: ISC */
#include "protocol/url.h"
#include "base/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* What would end a part of a URL; as what nobody can see, it is encoded. */
#define RESERVED "/?#[]@"

static bool
is_reserved(unsigned char c)
{
	return c <= ' ' || c == 0x7f || strchr(RESERVED, c);
}

/* Percent-encoded bytes, as they are meant; 255 at most. */
static int
decode(const char *text, char out[256], uint8_t *out_len, struct fault *fault)
{
	size_t n = 0;

	for (const char *at = text; *at; at++) {
		char c = *at;

		if (c == '%') {
			if (number_digit(at[1]) > 15 ||
			    number_digit(at[2]) > 15)
				return fault_set(fault, EINVAL,
				    "in the user or password a %% has to be "
				    "followed by two hexadecimal digits; "
				    "written %%25 it is itself");
			c = (char)(number_digit(at[1]) << 4 |
				   number_digit(at[2]));
			at += 2;
		} else if (is_reserved((unsigned char)c)) {
			return fault_set(fault, EINVAL,
			    "in the user or password each of / ? # [ ] @, "
			    "spaces and control characters has to be written "
			    "as %% and its two hexadecimal digits");
		}
		if (n == 255)
			return fault_set(fault, EINVAL,
			    "a user or password has 255 bytes at most");
		out[n++] = c;
	}
	out[n] = '\0';
	*out_len = (uint8_t)n;
	return 0;
}

static int
parse_userinfo(char *text, struct url *out, struct fault *fault)
{
	const char *user = strsep(&text, ":"), *password = text;
	int rc = decode(user, out->user, &out->user_len, fault);

	if (rc == 0 && password)
		rc = decode(password, out->password, &out->password_len, fault);
	if (rc == 0 && out->user_len == 0)
		return fault_set(
		    fault, EINVAL, "there has to be a user in front of the @");
	return rc;
}

/* What follows the host: nothing, or a colon and a number. */
static int
parse_port(const char *text, uint16_t *out, struct fault *fault)
{
	*out = URL_PORT;
	if (*text && (*text != ':' ||
			 number_read_port(text + 1, strlen(text + 1), out) < 0))
		return fault_set(fault, EINVAL,
		    "behind the host there may be a colon and a port from 1 to "
		    "65535, and nothing else");
	return 0;
}

/* "[2001:db8::1]" and what follows it. */
static int
parse_literal(char *text, struct wire_destination *out, struct fault *fault)
{
	char *end = strchr(text, ']');

	if (end)
		*end = '\0';
	if (!end || inet_pton(AF_INET6, text + 1, &out->ipv6) != 1)
		return fault_set(fault, EINVAL,
		    "in brackets there has to be an IPv6 address");
	out->atyp = WIRE_ATYP_IPV6;
	return parse_port(end + 1, &out->port, fault);
}

static int
parse_host(char *text, struct wire_destination *out, struct fault *fault)
{
	size_t len = strcspn(text, ":");
	const char *port = text + len;

	if (*text == '[')
		return parse_literal(text, out, fault);
	if (*port && strchr(port + 1, ':'))
		return fault_set(fault, EINVAL,
		    "an IPv6 address has to be put in brackets: [::1]");
	if (len < 1 || len > 255)
		return fault_set(fault, EINVAL,
		    "a host has to be named, by an address or by a name of 255 "
		    "bytes at most");
	memcpy(out->name, text, len);
	/* A name that can be asked for, and has no meaning in a URL. */
	if (wire_check_name(out->name, len) < 0 ||
	    strpbrk(out->name, RESERVED "%"))
		return fault_set(fault, EINVAL,
		    "the host has to be a name, an IPv4 address, or an IPv6 "
		    "address in brackets, with nothing but a port behind it");
	out->atyp = WIRE_ATYP_NAME;
	out->name_len = (uint8_t)len;
	return parse_port(port, &out->port, fault);
}

int
url_parse(char *text, struct url *out, struct fault *fault)
{
	static const char scheme[] = "socks5://";
	struct url url = {0};
	char *rest, *at;
	size_t len;
	int rc = 0;

	if (strncasecmp(text, scheme, strlen(scheme)) != 0)
		return fault_set(fault, EINVAL,
		    "it has to be socks5://[USER[:PASSWORD]@]HOST[:PORT]");
	rest = text + strlen(scheme);
	at = strrchr(rest, '@');
	if (at) {
		*at = '\0';
		rc = parse_userinfo(rest, &url, fault);
		rest = at + 1;
	}
	len = strlen(rest);
	if (len > 0 && rest[len - 1] == '/')
		rest[len - 1] = '\0';
	if (rc == 0)
		rc = parse_host(rest, &url.server, fault);
	if (rc == 0)
		*out = url;
	return rc;
}

int
url_set_password(
    struct url *url, const char *line, size_t len, struct fault *fault)
{
	if (url->user_len == 0)
		return fault_set(fault, EINVAL,
		    "there is no user in the URL who could have one");
	if (url->password_len > 0)
		return fault_set(
		    fault, EINVAL, "there is a password in the URL already");
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len < 1 || len > 255)
		return fault_set(
		    fault, EINVAL, "a password of 1 to 255 bytes is wanted");
	if (memchr(line, '\n', len) || memchr(line, '\0', len))
		return fault_set(
		    fault, EINVAL, "one line is wanted, and no NUL in it");
	memcpy(url->password, line, len);
	url->password[len] = '\0';
	url->password_len = (uint8_t)len;
	return 0;
}

bool
url_login(const struct url *url, struct wire_password *out)
{
	if (url->user_len == 0)
		return false;
	*out = (struct wire_password){
	    .name = url->user,
	    .name_len = url->user_len,
	    .password = url->password,
	    .password_len = url->password_len,
	};
	return true;
}
