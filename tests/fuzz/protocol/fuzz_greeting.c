/* SPDX-License-Identifier: ISC */
#include "fuzz.h"
#include "protocol/wire.h"

#include <errno.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_greeting greeting, again;
	ssize_t n = wire_get_greeting(data, size, &greeting);

	HOLD(n == -EPROTO || n >= 0);
	HOLD((n == -EPROTO) == (size > 0 && data[0] != WIRE_VERSION));
	if (n <= 0) {
		/* Not complete: no shorter piece is, nor is any piece valid. */
		for (size_t i = 1; i < size; i++)
			HOLD(wire_get_greeting(data, i, &again) == n);
		return 0;
	}
	HOLD((size_t)n <= size && n <= WIRE_GREETING_MAX);
	HOLD(n == 2 + greeting.methods_len);
	HOLD(greeting.methods == data + 2);
	/* What stands behind it doesn't matter; what is missing does. */
	HOLD(wire_get_greeting(data, (size_t)n, &again) == n);
	HOLD(again.methods == greeting.methods);
	HOLD(again.methods_len == greeting.methods_len);
	for (size_t i = 0; i < (size_t)n; i++)
		HOLD(wire_get_greeting(data, i, &again) == 0);
	return 0;
}
