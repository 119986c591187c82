/* SPDX-License-Identifier: ISC */
/*
 * fuzz: a target is LLVMFuzzerTestOneInput(). It checks what has to hold for
 * any input at all, and aborts when it doesn't.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLD(condition)                                                    \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
			    #condition);                                   \
			abort();                                           \
		}                                                          \
	} while (0)

#endif
