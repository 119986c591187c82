/* SPDX-License-Identifier: ISC */
#include "fuzz.h"
#include "policy/auth.h"
#include "policy/hash.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Whether one line may stand there, said once more and more simply. */
static bool
is_right(const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t name_len;

	if (len == 0 || *line == '#')
		return true;
	if (!colon)
		return false;
	name_len = (size_t)(colon - line);
	if (name_len < 1 || name_len > 255 || *line == ' ' || colon[-1] == ' ')
		return false;
	for (size_t i = 0; i < name_len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			return false;
	return !hash_fault(colon + 1, len - name_len - 1);
}

/* The number of the first line that may not stand there; 0: all may. */
static unsigned
first_wrong(const char *text, size_t size, unsigned *lines)
{
	unsigned number = 0, wrong = 0;

	for (size_t i = 0; i < size;) {
		const char *feed = memchr(text + i, '\n', size - i);
		size_t len = feed ? (size_t)(feed - text) - i : size - i;

		number++;
		if (!wrong && !is_right(text + i, len))
			wrong = number;
		i += len + 1;
	}
	*lines = number;
	return wrong;
}

static void
check_users(const struct auth_users *users, const char *text, unsigned lines)
{
	HOLD(users->count > 0 && users->count <= lines);
	for (size_t i = 0; i < users->count; i++) {
		const struct auth_user *user = &users->at[i];
		size_t at = (size_t)(user->name - users->text);

		HOLD(user->line <= lines);
		HOLD(i == 0 || user->line > user[-1].line);
		/* They point into the text, where they were. */
		HOLD(at + user->name_len < users->text_len);
		HOLD(user->hash == user->name + user->name_len + 1);
		HOLD(memcmp(user->name, text + at, user->name_len) == 0);
		HOLD(!hash_fault(user->hash, strlen(user->hash)));
		for (size_t k = 0; k < i; k++)
			HOLD(users->at[k].name_len != user->name_len ||
			     memcmp(users->at[k].name, user->name,
				 user->name_len) != 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = size ? (const char *)data : "";
	struct auth_users users = {0};
	struct fault fault = {0};
	unsigned lines, wrong = first_wrong(bytes, size, &lines);
	char *text = malloc(size + 1);
	int rc;

	HOLD(text);
	memcpy(text, bytes, size);
	rc = auth_users_parse(text, size, &users, &fault);
	if (rc == 0) {
		HOLD(!wrong);
		check_users(&users, bytes, lines);
		auth_users_free(&users);
		return 0;
	}
	HOLD(rc == -EINVAL);
	HOLD(!users.text && !users.at && !users.table);
	HOLD(fault.line >= 1 && fault.line <= (lines ? lines : 1));
	HOLD(strstr(fault.words, "; "));
	HOLD(strlen(fault.words) < sizeof(fault.words) - 1);
	/* Each line is right by itself only where a name is there twice. */
	if (strncmp(fault.words, "the same name", 13) == 0)
		HOLD(!wrong || fault.line < wrong);
	else if (strncmp(fault.words, "the file ends", 13) == 0)
		HOLD(!wrong);
	else
		HOLD(fault.line == wrong);
	free(text);
	return 0;
}
