/* SPDX-License-Identifier: ISC */
#include "base/log.h"
#include "fuzz.h"

#include <string.h>

/* The bytes that an escaped text stands for; each piece is well-formed. */
static size_t
unescape(const char *text, size_t len, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char hex[3] = "";

		HOLD(text[i] > ' ' && text[i] < 0x7f && text[i] != '"');
		if (text[i] != '\\') {
			out[n++] = (uint8_t)text[i];
			continue;
		}
		HOLD(i + 3 < len && text[i + 1] == 'x');
		memcpy(hex, text + i + 2, 2);
		HOLD(strspn(hex, "0123456789abcdef") == 2);
		out[n++] = (uint8_t)strtoul(hex, NULL, 16);
		i += 3;
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The first byte is how much room there is. */
	size_t room = size ? data[0] + 1U : 1, len, n;
	const uint8_t *bytes = size ? data + 1 : (const uint8_t *)"";
	size_t bytes_len = size ? size - 1 : 0;
	char *out = malloc(room);
	uint8_t back[256];

	HOLD(out);
	log_escape((const char *)bytes, bytes_len, out, room);
	len = strnlen(out, room);
	HOLD(len < room);
	/* A beginning of the text, all of it if there was room. */
	n = unescape(out, len, back);
	HOLD(n <= bytes_len && memcmp(back, bytes, n) == 0);
	HOLD(n == bytes_len || room - len <= 4);
	free(out);
	return 0;
}
