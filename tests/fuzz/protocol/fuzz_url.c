/* SPDX-License-Identifier: ISC */
#include "fuzz.h"
#include "protocol/url.h"

#include <errno.h>
#include <string.h>

/* The same again, with every byte of the login percent-encoded. */
static void
check_spelled_out(const struct url *url)
{
	char text[sizeof("socks5://:@[]") + 6 * 255 + WIRE_DESTINATION_MAX];
	char server[WIRE_DESTINATION_MAX];
	struct fault fault = {0};
	struct url again;
	size_t n = (size_t)sprintf(text, "socks5://");

	for (size_t i = 0; i < url->user_len; i++)
		n += (size_t)sprintf(
		    text + n, "%%%02X", (unsigned char)url->user[i]);
	for (size_t i = 0; i < url->password_len; i++)
		n += (size_t)sprintf(text + n, "%s%%%02x", i ? "" : ":",
		    (unsigned char)url->password[i]);
	wire_print_destination(&url->server, server);
	sprintf(text + n, "%s%s", url->user_len ? "@" : "", server);
	HOLD(url_parse(text, &again, &fault) == 0);
	HOLD(memcmp(url, &again, sizeof(again)) == 0);
}

static void
check_url(const struct url *url)
{
	struct wire_password login;
	uint8_t message[WIRE_PASSWORD_MAX];

	HOLD(url->server.port != 0);
	HOLD(url->server.atyp == WIRE_ATYP_NAME ||
	     url->server.atyp == WIRE_ATYP_IPV6);
	HOLD(wire_check_destination(&url->server) == 0);
	HOLD(url->user[url->user_len] == '\0');
	HOLD(url->password[url->password_len] == '\0');
	HOLD(url_login(url, &login) == (url->user_len > 0));
	if (url->user_len > 0)
		HOLD(wire_put_password(&login, message) ==
		     3U + url->user_len + url->password_len);
	else
		HOLD(url->password_len == 0);
	check_spelled_out(url);
}

/* The input is the text, and where it is one line, a password as well. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct url url, untouched;
	struct fault fault = {0};
	int rc;

	HOLD(text);
	memcpy(text, data, size);
	text[size] = '\0';
	memset(&untouched, 0xa5, sizeof(untouched));
	url = untouched;
	rc = url_parse(text, &url, &fault);
	HOLD(rc == 0 || rc == -EINVAL);
	HOLD((rc == 0) == !*fault.words);
	if (rc == 0)
		check_url(&url);
	else
		HOLD(memcmp(&url, &untouched, sizeof(url)) == 0);

	fault = (struct fault){0};
	HOLD(url_parse((char[]){"socks5://u@p"}, &url, &fault) == 0);
	rc = url_set_password(&url, (const char *)data, size, &fault);
	HOLD(rc == 0 || rc == -EINVAL);
	HOLD((rc == 0) == !*fault.words);
	HOLD((rc == 0) == (url.password_len > 0));
	if (rc == 0)
		check_url(&url);
	free(text);
	return 0;
}
