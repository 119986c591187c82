/* SPDX-License-Identifier: ISC */
/*
 * measure: what a proxy's processes have used, and what came of a test.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where the proxy's processes are to be found; both empty: nobody knows. */
struct proxy {
	const char *cgroup; /* a cgroup2 directory with these alone, or NULL */
	pid_t root;         /* or the ancestor of all, or 0 */
};

/*
 * CPU time of all of them in microseconds, of those that have ended too: by
 * cgroup exactly; by /proc in steps of a clock tick, and only if their parents
 * wait for them. -1 where nobody knows.
 */
int64_t measure_cpu_us(const struct proxy *proxy);

/* How many processes there are, and how much memory is theirs alone (private)
 * or in proportion (PSS), in KiB. All -1 where nobody knows. */
struct memory {
	int64_t processes, private_kib, pss_kib;
};
void measure_memory(const struct proxy *proxy, struct memory *out);

/* MemAvailable of the machine in KiB. */
int64_t measure_available_kib(void);

/* Sorts them, and prints "NAME_p50_us", "NAME_p99_us" and "NAME_max_us". */
void measure_print(const char *name, int64_t *ns, size_t count);

#endif
