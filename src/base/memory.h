/* SPDX-License-Identifier: ISC */
/*
 * memory: allocated for what is about to be filled.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/*
 * malloc(3) with the pages of a large piece there already. To have the kernel
 * hand them out one by one, as each is touched, takes longer than to read a
 * file into them and parse it. For free(3); NULL where malloc(3) gives that.
 */
void *memory_alloc(size_t size);

/*
 * `array` is the address of a pointer to `count` elements of `size` bytes, in
 * memory for *room of them; both are changed where another one has no room. 0,
 * or -ENOMEM with nothing changed.
 */
int memory_grow(void *array, size_t size, size_t count, size_t *room);

/*
 * Gives back memory of malloc(3), or NULL, of which `size` bytes hold a secret.
 * A large piece is handed to the kernel: to write to what a parent filled would
 * make a copy first, of each page.
 */
void memory_forget(void *memory, size_t size);

#endif
