/* SPDX-License-Identifier: ISC */
#include "protocol/url.h"
#include "base/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* A piece of the text. */
struct piece {
	const char *at;
	size_t len;
};

/* What is in front of the byte at `at`, and what is behind it. */
static struct piece
before(struct piece whole, const char *at)
{
	return (struct piece){whole.at, (size_t)(at - whole.at)};
}

static struct piece
behind(struct piece whole, const char *at)
{
	return (struct piece){at + 1, whole.len - (size_t)(at + 1 - whole.at)};
}

/* One that would end a part of a URL, or nobody can see. */
static bool
is_reserved(unsigned char c)
{
	return c <= ' ' || c == 0x7f || strchr("/?#[]@", c);
}

/* Percent-encoded bytes, as they are meant; 255 at most. */
static int
decode(struct piece text, char out[256], uint8_t *out_len, struct fault *fault)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		const char *at = text.at + i;
		char c = *at;

		if (c == '%') {
			if (text.len - i < 3 || number_digit(at[1]) > 15 ||
			    number_digit(at[2]) > 15)
				return fault_set(fault, EINVAL,
				    "in the user or password a %% has to be "
				    "followed by two hexadecimal digits; "
				    "written %%25 it is itself");
			c = (char)(number_digit(at[1]) << 4 |
				   number_digit(at[2]));
			i += 2;
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
parse_userinfo(struct piece text, struct url *out, struct fault *fault)
{
	const char *colon = memchr(text.at, ':', text.len);
	int rc = decode(colon ? before(text, colon) : text, out->user,
	    &out->user_len, fault);

	if (rc == 0 && colon)
		rc = decode(behind(text, colon), out->password,
		    &out->password_len, fault);
	if (rc == 0 && out->user_len == 0)
		return fault_set(
		    fault, EINVAL, "there has to be a user in front of the @");
	return rc;
}

/* What follows the host: nothing, or a colon and a number. */
static int
parse_port(struct piece text, uint16_t *out, struct fault *fault)
{
	static const char wanted[] =
	    "behind the host there may be a colon and a port from 1 to 65535, "
	    "and nothing else";

	*out = URL_PORT;
	if (text.len == 0)
		return 0;
	if (text.at[0] != ':' ||
	    number_read_port(text.at + 1, text.len - 1, out) < 0)
		return fault_set(fault, EINVAL, "%s", wanted);
	return 0;
}

/* "[2001:db8::1]" and what follows it. */
static int
parse_literal(
    struct piece text, struct wire_destination *out, struct fault *fault)
{
	static const char wanted[] =
	    "in brackets there has to be an IPv6 address";
	char address[INET6_ADDRSTRLEN] = "";
	const char *end = memchr(text.at, ']', text.len);
	struct piece inside;

	if (!end)
		return fault_set(fault, EINVAL, "%s", wanted);
	inside = behind(before(text, end), text.at);
	if (inside.len >= sizeof(address))
		return fault_set(fault, EINVAL, "%s", wanted);
	memcpy(address, inside.at, inside.len);
	if (inet_pton(AF_INET6, address, &out->ipv6) != 1)
		return fault_set(fault, EINVAL, "%s", wanted);
	out->atyp = WIRE_ATYP_IPV6;
	return parse_port(behind(text, end), &out->port, fault);
}

/* A name that can be asked for, and nothing that means something in a URL. */
static bool
may_be_host(struct piece text)
{
	bool plain = wire_check_name(text.at, text.len) == 0;

	for (size_t i = 0; plain && i < text.len; i++)
		plain = !is_reserved((unsigned char)text.at[i]) &&
			text.at[i] != '%';
	return plain;
}

static int
parse_host(struct piece text, struct wire_destination *out, struct fault *fault)
{
	const char *colon = memchr(text.at, ':', text.len);
	struct piece host = colon ? before(text, colon) : text;
	struct piece port = {text.at + host.len, text.len - host.len};

	if (text.len > 0 && text.at[0] == '[')
		return parse_literal(text, out, fault);
	if (port.len > 1 && memchr(port.at + 1, ':', port.len - 1))
		return fault_set(fault, EINVAL,
		    "an IPv6 address has to be put in brackets: [::1]");
	if (host.len < 1 || host.len > 255)
		return fault_set(fault, EINVAL,
		    "a host has to be named, by an address or by a name of 255 "
		    "bytes at most");
	if (!may_be_host(host))
		return fault_set(fault, EINVAL,
		    "the host has to be a name, an IPv4 address, or an IPv6 "
		    "address in brackets, with nothing but a port behind it");
	out->atyp = WIRE_ATYP_NAME;
	out->name_len = (uint8_t)host.len;
	memcpy(out->name, host.at, host.len);
	return parse_port(port, &out->port, fault);
}

int
url_parse(const char *text, struct url *out, struct fault *fault)
{
	static const char scheme[] = "socks5://";
	struct url url = {0};
	struct piece rest;
	const char *at;
	int rc = 0;

	if (strncasecmp(text, scheme, strlen(scheme)) != 0)
		return fault_set(fault, EINVAL,
		    "it has to be socks5://[USER[:PASSWORD]@]HOST[:PORT]");
	rest.at = text + strlen(scheme);
	rest.len = strlen(rest.at);
	at = memrchr(rest.at, '@', rest.len);
	if (at) {
		rc = parse_userinfo(before(rest, at), &url, fault);
		rest = behind(rest, at);
	}
	if (rest.len > 0 && rest.at[rest.len - 1] == '/')
		rest.len--;
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
