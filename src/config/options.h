/* SPDX-License-Identifier: ISC */
/*
 * options: names and values, from the command line and from files that have one
 * to a line. What they mean is the caller's business.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/* Where a value stands, for the sentence that says what is wrong with it. */
struct options_place {
	const char *file; /* NULL: the command line */
	unsigned line;
};

/* One that may be given; an array of them ends with a name that is NULL. */
struct option_entry {
	const char *name;     /* without the dashes */
	const char *argument; /* what --help calls its value; NULL: it has none;
				 in [] with its =: it may be left out */
	const char *example;  /* of a value */
	const char *standard; /* its value if it isn't given; NULL: none */
	const char *help;     /* what it is, in a line of 49 bytes at most */
	int kind;             /* the caller's own, as the next */
	size_t offset;
	const char *section; /* of --help, that it begins; NULL: none */
	uint64_t max;        /* of a count; 0: SETTING_COUNT_MAX */
};

/* No array has more, its end included. */
#define OPTIONS_MAX 64

/*
 * Takes the value of an entry, "" where there is none: 0;
 * anything else ends the reading, and is what it returns then: -EINVAL after a
 * sentence.
 */
typedef int (*options_apply)(const struct option_entry *entry,
    const char *value, const struct options_place *place, void *context);

/*
 * The command line: 0, with the index of its first word that is no option in
 * *rest; -EINVAL, after a sentence; or what `apply` returned.
 */
int options_read(int argc, char **argv, const struct option_entry *entries,
    options_apply apply, void *context, int *rest);

/*
 * A file: a name without its dashes, blanks and a value to a line; # begins a
 * comment. It has to be one that textfile_read() trusts. `option` is what named
 * the file. Returns as above.
 */
int options_read_file(const char *option, const char *path,
    const struct option_entry *entries, options_apply apply, void *context);

/*
 * Says "--lifetime=x: WHAT" or "FILE:LINE: lifetime x: WHAT", with "; write for
 * example --lifetime=EXAMPLE" in the same form where there is one. -EINVAL.
 */
int options_complain(const struct options_place *place, const char *name,
    const char *value, const char *what, const char *example);

#endif
