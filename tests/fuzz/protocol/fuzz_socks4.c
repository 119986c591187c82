/* SPDX-License-Identifier: ISC */
#include "fuzz.h"
#include "protocol/wire4.h"

#include <errno.h>
#include <string.h>

struct both {
	struct wire_request request;
	struct wire4_user user;
};

static ssize_t
get(const uint8_t *data, size_t size, struct both *out)
{
	return wire4_get_request(data, size, &out->request, &out->user);
}

static void
check(const uint8_t *data, size_t size, const struct both *got)
{
	const struct wire_destination *dst = &got->request.dst;
	char text[WIRE_DESTINATION_MAX];

	HOLD(got->request.command == data[1]);
	HOLD(dst->port == (data[2] << 8 | data[3]));
	HOLD(strlen(got->user.id) == got->user.len);
	if (dst->atyp == WIRE_ATYP_NAME) {
		HOLD(strlen(dst->name) == dst->name_len);
		HOLD(size == 8U + got->user.len + 1 + dst->name_len + 1);
		HOLD(memcmp(data + 4, "\0\0\0", 3) == 0 && data[7] != 0);
	} else {
		HOLD(dst->atyp == WIRE_ATYP_IPV4);
		HOLD(size == 8U + got->user.len + 1);
		HOLD(memcmp(&dst->ipv4, data + 4, 4) == 0);
		HOLD(wire_check_destination(dst) == 0);
	}
	HOLD(wire_print_destination(dst, text) < WIRE_DESTINATION_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct both got, again;
	size_t decided = 0;
	ssize_t n;

	memset(&got, 0, sizeof(got));
	n = get(data, size, &got);
	HOLD(n >= 0 || n == -EPROTO || n == -EOPNOTSUPP || n == -EMSGSIZE);
	if (n <= 0) {
		/* The verdict comes once, at its byte, and stays. */
		while (decided < size && get(data, decided, &again) == 0)
			decided++;
		for (size_t i = decided; i < size; i++)
			HOLD(get(data, i, &again) == n);
		HOLD(n != 0 || size < WIRE4_REQUEST_MAX);
		HOLD(got.request.command == 0 && got.user.len == 0);
		return 0;
	}
	HOLD((size_t)n <= size && n <= WIRE4_REQUEST_MAX);
	check(data, (size_t)n, &got);
	memset(&again, 0, sizeof(again));
	HOLD(get(data, (size_t)n, &again) == n);
	HOLD(memcmp(&got, &again, sizeof(got)) == 0);
	for (size_t i = 0; i < (size_t)n; i++)
		HOLD(get(data, i, &again) == 0);
	return 0;
}
