/* SPDX-License-Identifier: ISC */
#include "fuzz.h"
#include "protocol/wire.h"

#include <errno.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_password login, again;
	ssize_t n;

	memset(&login, 0, sizeof(login));
	n = wire_get_password(data, size, &login);
	HOLD(n == -EPROTO || n == -EINVAL || n >= 0);
	HOLD((n == -EPROTO) == (size > 0 && data[0] != WIRE_PASSWORD_VERSION));
	if (n <= 0) {
		/* The verdict comes as early as it can, and stays. */
		size_t decided = n == 0 ? size : n == -EPROTO ? 1 : 2;

		HOLD(size >= decided);
		for (size_t i = 0; i < size; i++)
			HOLD(wire_get_password(data, i, &again) ==
			     (i < decided ? 0 : n));
		HOLD(!login.name && !login.password);
		return 0;
	}
	HOLD((size_t)n <= size && n <= WIRE_PASSWORD_MAX);
	HOLD(login.name_len > 0);
	HOLD(n == 3 + login.name_len + login.password_len);
	HOLD(login.name == (const char *)data + 2);
	HOLD(login.password + login.password_len == (const char *)data + n);
	/* What stands behind it doesn't matter; what is missing does. */
	HOLD(wire_get_password(data, (size_t)n, &again) == n);
	HOLD(again.name == login.name && again.name_len == login.name_len);
	HOLD(again.password == login.password);
	HOLD(again.password_len == login.password_len);
	for (size_t i = 0; i < (size_t)n; i++)
		HOLD(wire_get_password(data, i, &again) == 0);
	return 0;
}
