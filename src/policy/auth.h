/* SPDX-License-Identifier: ISC */
/*
 * auth: who may come in by name and password (RFC 1929), from a users file:
 * lines of NAME:HASH; see socks5-handler.users(5).
 *
 * Promises: a name that isn't there costs a client the same time as a wrong
 * password. No password and no hash reaches the log. Must not: run crypt(3), or
 * load it, before there is a password to check.
 */
#ifndef AUTH_H
#define AUTH_H

#include "protocol/outcome.h"
#include "protocol/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of UNAME and of PASSWD. */
#define AUTH_TEXT_MAX 255

/* Of a users file, in bytes; that of 100,000 users is smaller. */
#define AUTH_FILE_MAX 16777216

struct auth_user {
	const char *name; /* name_len bytes */
	const char *hash; /* a string */
	uint64_t lot;     /* its hash, hashed: what the stand-in is drawn by */
	uint32_t line;
	uint8_t name_len;
};

/* To be read by this module only. */
struct auth_users {
	const char *path;
	char *text; /* the file, with a NUL behind each hash */
	size_t text_len;
	struct auth_user *at;
	size_t count;
	uint32_t *table; /* place in `at` from 1, by name; 0 is free */
	uint32_t table_mask;
};

/* What a method is chosen by. */
struct auth_policy {
	bool has_users;   /* there are passwords to check */
	bool has_rules;   /* of an administrator's own */
	bool needs_none;  /* a client without a password may do something */
	bool names_users; /* some may do what others may not */
};

/*
 * The METHOD for what a client offers, RFC 1928 section 3: none where it needs
 * none and nobody cares who it is; else a password, for who offers one means to
 * be somebody, and some clients offer nothing but that; else none, where that
 * will do. Otherwise WIRE_METHOD_NO_ACCEPTABLE, and OUTCOME_NO_METHOD in words.
 */
uint8_t auth_choose_method(const struct wire_greeting *offer,
    const struct auth_policy *policy, struct failure *failure);

/*
 * Whether a login has to be right. Where the client needs none, an empty
 * password is none, and where there are no users, no password can be wrong: the
 * name is no more than a claim then.
 */
bool auth_counts(
    const struct auth_policy *policy, const struct wire_password *login);

/*
 * Reads and checks the users file. 0; or -EINVAL, after a sentence in the log
 * that names the file and the line, says what is wrong and what would be
 * right; or -ENOMEM, after a sentence. `path` has to outlive the users.
 *
 * A file is trusted when it is a regular one that belongs to root or to this
 * user, and when nobody else can write to it.
 *
 * May be called again, for a file that has changed. A process that forks may
 * load once and let its children check.
 */
int auth_users_load(const char *path, struct auth_users *out);

/*
 * The same for the file's bytes, without a look at the file: text has room for
 * text_len + 1 bytes and comes from malloc(3); the users own it on success.
 * 0, or -EINVAL or -ENOMEM and a fault, with the line that is wrong.
 */
int auth_users_parse(
    char *text, size_t text_len, struct auth_users *out, struct fault *fault);

/* Clears all of it from memory. Nothing happens to users that are all zero. */
void auth_users_free(struct auth_users *users);

/* Whether a line of the file has that name. */
bool auth_has_user(
    const struct auth_users *users, const char *name, size_t name_len);

/*
 * OUTCOME_DONE when that is the user's password. _WRONG_PASSWORD when it isn't,
 * or there is no such user. _PASSWORD_UNCHECKED, after a sentence in the log,
 * when crypt(3) is missing or failed: nobody can tell whether it was right.
 *
 * Both are bytes as they came, up to AUTH_TEXT_MAX of them. A password with a
 * NUL in it is wrong. The caller clears its own copy; here none is left.
 *
 * A name that isn't there is checked against a user who is, drawn by the name:
 * the same one each time, and each user for as many names as any other. So
 * unknown names take as long as known ones do, also where hashes of several
 * schemes and costs are in one file.
 */
enum outcome auth_check(const struct auth_users *users, const char *name,
    size_t name_len, const char *password, size_t password_len);

#endif
