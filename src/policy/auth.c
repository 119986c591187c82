/* SPDX-License-Identifier: ISC */
#include "policy/auth.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/textfile.h"
#include "policy/hash.h"
#include "policy/libcrypt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint8_t
auth_choose_method(const struct wire_greeting *offer,
    const struct auth_policy *policy, struct failure *failure)
{
	size_t len = offer->methods_len;
	bool none =
	    policy->needs_none && memchr(offer->methods, WIRE_METHOD_NONE, len);
	bool password = memchr(offer->methods, WIRE_METHOD_PASSWORD, len);
	const char *words;

	if (none && !(policy->has_users && policy->names_users))
		return WIRE_METHOD_NONE;
	if (password && (policy->has_users || policy->needs_none))
		return WIRE_METHOD_PASSWORD;
	if (none)
		return WIRE_METHOD_NONE;
	if (policy->needs_none)
		words = NULL;
	else if (policy->has_users)
		words = "it offered no password";
	else if (policy->has_rules)
		words = "the rules allow it nothing without a password";
	else
		words = "only local clients may come in without --users=FILE, "
			"--rules=FILE or --open";
	failure_set(failure, OUTCOME_NO_METHOD, 0, words ? "%s" : NULL, words);
	return WIRE_METHOD_NO_ACCEPTABLE;
}

bool
auth_counts(const struct auth_policy *policy, const struct wire_password *login)
{
	return policy->has_users &&
	       (login->password_len > 0 || !policy->needs_none);
}

/* FNV-1a */
static uint64_t
digest(const char *text, size_t len)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)text[i]) * 0x100000001b3;
	return sum;
}

/* Each bit of x touches each of the result (the end of MurmurHash3). */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 33) * 0xff51afd7ed558ccd;
	x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53;
	return x ^ x >> 33;
}

/* Where the name stands in the table, or the free place where it would. */
static uint32_t *
find_place(const struct auth_users *users, const char *name, size_t name_len)
{
	uint32_t slot = (uint32_t)mix(digest(name, name_len));

	for (;; slot++) {
		uint32_t *place = &users->table[slot & users->table_mask];
		const struct auth_user *user;

		if (*place == 0)
			return place;
		user = &users->at[*place - 1];
		if (user->name_len == name_len &&
		    memcmp(user->name, name, name_len) == 0)
			return place;
	}
}

/*
 * The user who stands in for such a name, of all with the highest lot. Nobody
 * can foretell who: the lots are made of the hashes. And most names keep theirs
 * when a user is added or taken away.
 */
static const struct auth_user *
draw(const struct auth_users *users, const char *name, size_t name_len)
{
	uint64_t asked = digest(name, name_len), highest = 0;
	const struct auth_user *drawn = users->at;

	for (size_t i = 0; i < users->count; i++) {
		uint64_t lot = mix(users->at[i].lot ^ asked);

		if (lot > highest) {
			highest = lot;
			drawn = &users->at[i];
		}
	}
	return drawn;
}

static const char *
name_fault(const char *name, size_t len)
{
	if (len == 0)
		return "no name before the colon; write NAME:HASH";
	if (len > AUTH_TEXT_MAX)
		return "a name longer than 255 bytes, which no client could "
		       "send; shorten it";
	if (name[0] == ' ' || name[len - 1] == ' ')
		return "a blank at an end of the name; write NAME:HASH without "
		       "any";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c < ' ' || c == 0x7f)
			return "a tab or another control byte in the name; "
			       "write NAME:HASH without any";
	}
	return NULL;
}

/* One line, which is neither empty nor a comment. */
static int
add_user(char *line, size_t len, unsigned number, struct auth_users *users,
    struct fault *fault)
{
	char *colon = memchr(line, ':', len), *hash;
	struct auth_user *user = &users->at[users->count];
	size_t name_len, hash_len;
	const char *words;
	uint32_t *place;

	if (len && line[len - 1] == '\r')
		return fault_set_at(fault, number, 0,
		    "a carriage return at the end of the line; save the file "
		    "with line feeds alone");
	if (!colon)
		return fault_set_at(
		    fault, number, 0, "no colon; write NAME:HASH");
	hash = colon + 1;
	name_len = (size_t)(colon - line);
	hash_len = len - name_len - 1;
	words = name_fault(line, name_len);
	if (!words)
		words = hash_fault(hash, hash_len);
	if (words)
		return fault_set_at(fault, number, 0, "%s", words);
	place = find_place(users, line, name_len);
	if (*place)
		return fault_set_at(fault, number, 0,
		    "the same name as in line %u; leave one of the two",
		    users->at[*place - 1].line);
	hash[hash_len] = '\0';
	*user = (struct auth_user){
	    .name = line,
	    .hash = hash,
	    .lot = digest(hash, hash_len),
	    .line = number,
	    .name_len = (uint8_t)name_len,
	};
	*place = (uint32_t)++users->count;
	return 0;
}

/* Room for as many users as there are lines, and a table half empty. */
static int
allocate(const char *text, size_t len, struct auth_users *users)
{
	size_t lines = 1, size = 4;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	while (size < 2 * lines)
		size *= 2;
	users->at = calloc(lines, sizeof(*users->at));
	users->table = calloc(size, sizeof(*users->table));
	users->table_mask = (uint32_t)(size - 1);
	return users->at && users->table ? 0 : -ENOMEM;
}

int
auth_users_parse(
    char *text, size_t text_len, struct auth_users *out, struct fault *fault)
{
	struct auth_users users = {.text = text, .text_len = text_len};
	char *line = text, *end = text + text_len;
	unsigned number = 0;
	int rc = allocate(text, text_len, &users);

	if (rc < 0)
		fault_set(fault, -rc, NULL);
	while (rc == 0 && line < end) {
		char *feed = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((feed ? feed : end) - line);

		number++;
		if (len && *line != '#')
			rc = add_user(line, len, number, &users, fault);
		line += len + 1;
	}
	if (rc == 0 && users.count == 0)
		rc = fault_set_at(fault, number ? number : 1, 0,
		    "the file ends and there is no user in it; write NAME:HASH "
		    "for each");
	if (rc < 0) {
		free(users.at);
		free(users.table);
		return rc;
	}
	*out = users;
	return 0;
}

int
auth_users_load(const char *path, struct auth_users *out)
{
	struct auth_users users;
	struct fault fault;
	char *text = NULL;
	size_t len = 0;
	int rc;

	rc = textfile_read(path, AUTH_FILE_MAX, &text, &len, &fault);
	if (rc == 0)
		rc = auth_users_parse(text, len, &users, &fault);
	if (rc < 0) {
		if (fault.line)
			log_fault("%s:%u: %s", path, fault.line, fault.words);
		else
			log_fault("--users=%s: %s", path, fault_words(&fault));
		memory_forget(text, len);
		return rc == -ENOMEM ? rc : -EINVAL;
	}
	users.path = path;
	*out = users;
	return 0;
}

void
auth_users_free(struct auth_users *users)
{
	memory_forget(users->text, users->text_len);
	memory_forget(users->at, users->count * sizeof(*users->at));
	free(users->table);
	*users = (struct auth_users){0};
}

/* In a time that says nothing about where they differ. */
static bool
equal(const char *a, const char *b)
{
	size_t len = strlen(a);
	unsigned differ = 0;

	if (strlen(b) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		differ |= (unsigned)(a[i] ^ b[i]);
	return differ == 0;
}

bool
auth_has_user(const struct auth_users *users, const char *name, size_t name_len)
{
	return *find_place(users, name, name_len) != 0;
}

enum outcome
auth_check(const struct auth_users *users, const char *name, size_t name_len,
    const char *password, size_t password_len)
{
	/* Both are always looked for, whichever is needed. */
	uint32_t place = *find_place(users, name, name_len);
	const struct auth_user *user = draw(users, name, name_len);
	char phrase[AUTH_TEXT_MAX + 1], computed[LIBCRYPT_HASH_MAX];
	bool known = place != 0, whole, right;
	int rc;

	if (password_len > AUTH_TEXT_MAX)
		return OUTCOME_WRONG_PASSWORD;
	if (known)
		user = &users->at[place - 1];
	memcpy(phrase, password, password_len);
	phrase[password_len] = '\0';
	whole = strlen(phrase) == password_len;
	rc = libcrypt_hash(phrase, user->hash, computed);
	explicit_bzero(phrase, sizeof(phrase));
	if (rc < 0) {
		log_fault(
		    "%s:%u: crypt(3) can't check this hash (%s); it needs "
		    "libcrypt.so.1 and a scheme that it knows",
		    users->path, user->line, strerror(-rc));
		return OUTCOME_PASSWORD_UNCHECKED;
	}
	right = equal(computed, user->hash);
	explicit_bzero(computed, sizeof(computed));
	return right && known && whole ? OUTCOME_DONE : OUTCOME_WRONG_PASSWORD;
}
