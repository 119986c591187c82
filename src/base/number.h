/* SPDX-License-Identifier: ISC */
/*
 * number: whole numbers, times, ids and ports, read from `len` bytes of text
 * that have nothing else in them: no blank, no sign, no NUL. A number that is
 * too large is told from what is none.
 *
 * Pure functions but for the one that looks into the environment; no system
 * calls, no allocation. 0; -EINVAL: not a number; -ERANGE: not one of those
 * that may be.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* What a hexadecimal digit is worth; 16 for any other byte. */
unsigned number_digit(char c);

/* Decimal digits, of a number up to `max`, which is below 2^60. */
int number_read(const char *text, size_t len, uint64_t max, uint64_t *out);

/* The same, or hexadecimal digits behind 0x. */
int number_read_bits(const char *text, size_t len, uint64_t max, uint64_t *out);

/*
 * Seconds up to ten years, "30" or "0.5", as milliseconds; what is less than
 * one, and more than nothing, counts as one.
 */
int number_read_seconds(const char *text, size_t len, int64_t *out_ms);

/* Of a user or group. The highest number stands for none. */
int number_read_id(const char *text, size_t len, uint32_t *out);

/* From 1 to 65535. */
int number_read_port(const char *text, size_t len, uint16_t *out);

/* One port, "80", or a range of them, "8000-8999". */
int number_read_ports(
    const char *text, size_t len, uint16_t *first, uint16_t *last);

/* A variable of the environment that is such a number above 0; 0 for any other,
 * and where there is none. */
int64_t number_in_environment(const char *variable);

#endif
