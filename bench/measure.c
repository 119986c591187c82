/* SPDX-License-Identifier: ISC */
#include "measure.h"
#include "tunnel.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct process {
	pid_t pid, parent;
	uint64_t ticks; /* its own, and of children that it waited for */
	bool ours;
};

struct processes {
	struct process *at;
	size_t count;
};

static void
add(struct processes *list, struct process process)
{
	if (list->count % 256 == 0)
		list->at =
		    realloc(list->at, (list->count + 256) * sizeof(*list->at));
	if (!list->at)
		fail("no memory for a list of processes");
	list->at[list->count++] = process;
}

/* false: it has gone. */
static bool
read_stat(pid_t pid, struct process *out)
{
	unsigned long long times[4];
	char path[64], line[1024], *end;
	FILE *f;
	bool read;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	read = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	/* The name stands in brackets, and may hold any byte. */
	end = read ? strrchr(line, ')') : NULL;
	if (!end ||
	    sscanf(end + 1,
		" %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu "
		"%llu",
		&out->parent, &times[0], &times[1], &times[2], &times[3]) != 5)
		return false;
	out->pid = pid;
	out->ticks = times[0] + times[1] + times[2] + times[3];
	return true;
}

/* Those of /proc of whom root is an ancestor, and itself. */
static void
find_descendants(pid_t root, struct processes *out)
{
	struct processes all = {0};
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	bool more = true;

	while (proc && (entry = readdir(proc))) {
		struct process p = {0};

		if (isdigit((unsigned char)entry->d_name[0]) &&
		    read_stat((pid_t)atoi(entry->d_name), &p)) {
			p.ours = p.pid == root;
			add(&all, p);
		}
	}
	if (proc)
		closedir(proc);
	while (more) {
		more = false;
		for (size_t i = 0; i < all.count; i++) {
			struct process *p = &all.at[i];

			for (size_t j = 0; !p->ours && j < all.count; j++)
				more |= p->ours = all.at[j].ours &&
						  all.at[j].pid == p->parent;
		}
	}
	for (size_t i = 0; i < all.count; i++) {
		if (all.at[i].ours)
			add(out, all.at[i]);
	}
	free(all.at);
}

static FILE *
open_in(const char *directory, const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "re");
	if (!f)
		fail("%s can't be read", path);
	return f;
}

static void
find_members(const char *cgroup, struct processes *out)
{
	FILE *f = open_in(cgroup, "cgroup.procs");
	struct process p = {0};

	while (fscanf(f, "%d", &p.pid) == 1)
		add(out, p);
	fclose(f);
}

int64_t
measure_cpu_us(const struct proxy *proxy)
{
	struct processes list = {0};
	long long us = -1;
	uint64_t ticks = 0;
	FILE *f;

	if (proxy->cgroup) {
		f = open_in(proxy->cgroup, "cpu.stat");
		if (fscanf(f, "usage_usec %lld", &us) != 1)
			fail("%s/cpu.stat has no usage_usec", proxy->cgroup);
		fclose(f);
	} else if (proxy->root > 0) {
		find_descendants(proxy->root, &list);
		for (size_t i = 0; i < list.count; i++)
			ticks += list.at[i].ticks;
		us = (long long)(ticks * 1000000 /
				 (uint64_t)sysconf(_SC_CLK_TCK));
		free(list.at);
	}
	return us;
}

/* A process that ends just now counts with nothing. */
static void
add_memory(pid_t pid, struct memory *sum)
{
	char path[64], line[256];
	long long kib;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "re");
	if (!f)
		return;
	sum->processes++;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Private_Clean: %lld", &kib) == 1 ||
		    sscanf(line, "Private_Dirty: %lld", &kib) == 1)
			sum->private_kib += kib;
		else if (sscanf(line, "Pss: %lld", &kib) == 1)
			sum->pss_kib += kib;
	}
	fclose(f);
}

void
measure_memory(const struct proxy *proxy, struct memory *out)
{
	struct processes list = {0};

	*out = (struct memory){-1, -1, -1};
	if (proxy->cgroup)
		find_members(proxy->cgroup, &list);
	else if (proxy->root > 0)
		find_descendants(proxy->root, &list);
	else
		return;
	*out = (struct memory){0};
	for (size_t i = 0; i < list.count; i++)
		add_memory(list.at[i].pid, out);
	free(list.at);
}

int64_t
measure_available_kib(void)
{
	FILE *f = open_in("/proc", "meminfo");
	char line[256];
	long long kib = -1;

	while (kib < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "MemAvailable: %lld", &kib);
	fclose(f);
	return kib;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void
measure_print(const char *name, int64_t *ns, size_t count)
{
	qsort(ns, count, sizeof(*ns), compare);
	printf("%s_p50_us %.1f\n%s_p99_us %.1f\n%s_max_us %.1f\n", name,
	    (double)ns[(count - 1) / 2] / 1000, name,
	    (double)ns[(count - 1) * 99 / 100] / 1000, name,
	    (double)ns[count - 1] / 1000);
}
