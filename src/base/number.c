/* SPDX-License-Identifier: ISC */
#include "base/number.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What a timer can hold, and a typing error can't reach. */
#define SECONDS_MAX 315360000

unsigned
number_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

static int
read_digits(
    const char *text, size_t len, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t number = 0;

	if (len == 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (number_digit(text[i]) >= base)
			return -EINVAL;
		if (number <= max)
			number = number * base + number_digit(text[i]);
	}
	if (number > max)
		return -ERANGE;
	*out = number;
	return 0;
}

int
number_read(const char *text, size_t len, uint64_t max, uint64_t *out)
{
	return read_digits(text, len, 10, max, out);
}

int
number_read_bits(const char *text, size_t len, uint64_t max, uint64_t *out)
{
	if (len >= 2 && memcmp(text, "0x", 2) == 0)
		return read_digits(text + 2, len - 2, 16, max, out);
	return read_digits(text, len, 10, max, out);
}

int
number_read_seconds(const char *text, size_t len, int64_t *out_ms)
{
	const char *point = memchr(text, '.', len);
	size_t whole_len = point ? (size_t)(point - text) : len;
	size_t digits = point ? len - whole_len - 1 : 0;
	uint64_t seconds, ms = 0;
	bool more = false;
	int rc = number_read(text, whole_len, SECONDS_MAX, &seconds);

	if (rc < 0)
		return rc;
	if (point && digits == 0)
		return -EINVAL;
	for (size_t i = 0; point && (i < digits || i < 3); i++) {
		unsigned d = i < digits ? number_digit(point[1 + i]) : 0;

		if (d > 9)
			return -EINVAL;
		if (i < 3)
			ms = ms * 10 + d;
		else
			more |= d > 0;
	}
	/* What is left below a millisecond is not "no limit". */
	if (seconds == 0 && ms == 0 && more)
		ms = 1;
	*out_ms = (int64_t)(seconds * 1000 + ms);
	return 0;
}

int
number_read_id(const char *text, size_t len, uint32_t *out)
{
	uint64_t id;
	int rc = number_read(text, len, UINT32_MAX - 1, &id);

	if (rc == 0)
		*out = (uint32_t)id;
	return rc;
}

int
number_read_port(const char *text, size_t len, uint16_t *out)
{
	uint64_t port;
	int rc = number_read(text, len, UINT16_MAX, &port);

	if (rc == 0 && port == 0)
		return -ERANGE;
	if (rc == 0)
		*out = (uint16_t)port;
	return rc;
}

int
number_read_ports(const char *text, size_t len, uint16_t *first, uint16_t *last)
{
	const char *dash = memchr(text, '-', len);
	size_t first_len = dash ? (size_t)(dash - text) : len;
	uint16_t from = 0, to;
	int rc = number_read_port(text, first_len, &from);

	to = from;
	if (rc == 0 && dash)
		rc = number_read_port(dash + 1, len - first_len - 1, &to);
	if (rc < 0)
		return rc;
	if (from > to)
		return -ERANGE;
	*first = from;
	*last = to;
	return 0;
}

int64_t
number_in_environment(const char *variable)
{
	const char *text = getenv(variable);
	uint64_t number = 0;

	if (text)
		number_read(text, strlen(text), INT64_MAX / 16, &number);
	return (int64_t)number;
}
