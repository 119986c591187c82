/* SPDX-License-Identifier: ISC */
/*
 * Linked with --wrap=libcrypt_hash: what auth asks of crypt(3) is counted, and
 * may be answered here.
 */
#include "policy/auth.h"
#include "policy/libcrypt.h"
#include "samples.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static struct {
	unsigned calls;
	char setting[LIBCRYPT_HASH_MAX]; /* of the last one */
	bool any_is_right;               /* crypt(3) isn't asked */
	int error;                       /* returned if not 0 */
} crypt_seen;

int __real_libcrypt_hash(
    const char *password, const char *setting, char out[LIBCRYPT_HASH_MAX]);
int __wrap_libcrypt_hash(
    const char *password, const char *setting, char out[LIBCRYPT_HASH_MAX]);

int
__wrap_libcrypt_hash(
    const char *password, const char *setting, char out[LIBCRYPT_HASH_MAX])
{
	crypt_seen.calls++;
	snprintf(crypt_seen.setting, sizeof(crypt_seen.setting), "%s", setting);
	if (crypt_seen.error)
		return crypt_seen.error;
	if (!crypt_seen.any_is_right)
		return __real_libcrypt_hash(password, setting, out);
	strcpy(out, setting);
	return 0;
}

static int
parse(const char *bytes, size_t len, struct auth_users *users,
    struct fault *fault)
{
	/* To the byte, so that a sanitizer sees one more. */
	char *text = malloc(len + 1);
	int rc;

	assert_non_null(text);
	memcpy(text, bytes, len);
	rc = auth_users_parse(text, len, users, fault);
	if (rc < 0)
		free(text);
	return rc;
}

static struct auth_users
users_of(const char *text)
{
	struct auth_users users;
	struct fault fault = {0};
	int rc = parse(text, strlen(text), &users, &fault);

	if (rc < 0)
		fail_msg("line %u: %s", fault.line, fault.words);
	users.path = "users";
	memset(&crypt_seen, 0, sizeof(crypt_seen));
	return users;
}

static int
check(const struct auth_users *users, const char *name, const char *password)
{
	return auth_check(
	    users, name, strlen(name), password, strlen(password));
}

static void
what_the_tools_make(void **state)
{
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		unit_row("%s", samples[i].tool);
		struct auth_users users;

		snprintf(text, sizeof(text), "alice:%s", samples[i].hash);
		users = users_of(text);
		assert_int_equal(check(&users, "alice", SAMPLE_PASSWORD), 0);
		assert_int_equal(check(&users, "alice", "Correct horse"),
		    OUTCOME_WRONG_PASSWORD);
		auth_users_free(&users);
	}
}

/* Empty, of 255 bytes, in UTF-8, and with a NUL. */
static void
odd_passwords(void **state)
{
	static const char text[] =
	    "empty:$6$L9blzNHVx3Y3YQa/$k5.NWRm3PY4ccw7bVyzhgrcu3MIU5/DQeMpX75TX"
	    "h.gqSrA2UX5SKYueGOk3d1iABp05ev9jOpDq6NuEwe9fn0\n"
	    "blowfish-empty:"
	    "$2y$05$fzqRCqTLtz6v.SLLMIm6D.p5AzbOMjIbAoWJwwix.WuUNMzqooPqW\n"
	    "x255:$6$rIKeJuI4GXgQCZ.n$Fv5sC8LrhuQmFeOAHTmVtS0.POiThdrHYMT48d9Lz"
	    "7dMdl6OPrHXfdDzHVn946XFOSU1RQLip7kf6BKKx9ArG.\n"
	    "y255:$y$j9T$eP2.tEI2bstlnl542/F3/.$c0myIBL2Sow/hpR0utBgG3YZs5BgOJ."
	    "ZrtRHdSG9Zf7\n"
	    "utf8:$y$j9T$NnFGAsex2W0acy95fbTUB/$YnimG6ypsJcw48MFZazYVMpHhZz2HoY"
	    "0xygf6zFe2C0\n"
	    "nul:" SAMPLE_SHA512 "\n";
	struct auth_users users = users_of(text);
	char longest[AUTH_TEXT_MAX + 2];

	(void)state;
	assert_int_equal(check(&users, "empty", ""), 0);
	assert_int_equal(check(&users, "empty", " "), OUTCOME_WRONG_PASSWORD);
	assert_int_equal(
	    auth_check(&users, "empty", 5, "\0", 1), OUTCOME_WRONG_PASSWORD);
	assert_int_equal(check(&users, "blowfish-empty", ""), 0);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(auth_check(&users, "x255", 4, longest, 255), 0);
	assert_int_equal(auth_check(&users, "x255", 4, longest, 254),
	    OUTCOME_WRONG_PASSWORD);
	assert_int_equal(auth_check(&users, "x255", 4, longest, 256),
	    OUTCOME_WRONG_PASSWORD);
	assert_int_equal(auth_check(&users, "y255", 4, longest, 255), 0);
	assert_int_equal(auth_check(&users, "y255", 4, longest, 254),
	    OUTCOME_WRONG_PASSWORD);
	assert_int_equal(check(&users, "utf8", "пароль"), 0);
	assert_int_equal(
	    check(&users, "utf8", "пароли"), OUTCOME_WRONG_PASSWORD);
	/* As far as the NUL it is right, and costs as much. */
	crypt_seen.calls = 0;
	assert_int_equal(auth_check(&users, "nul", 3, SAMPLE_PASSWORD, 13), 0);
	assert_int_equal(auth_check(&users, "nul", 3, SAMPLE_PASSWORD, 14),
	    OUTCOME_WRONG_PASSWORD);
	assert_int_equal(
	    auth_check(&users, "nul", 3, SAMPLE_PASSWORD "\0and more", 22),
	    OUTCOME_WRONG_PASSWORD);
	assert_int_equal(crypt_seen.calls, 3);
	auth_users_free(&users);
}

/* Nobody's password opens the door to a name that isn't there. */
static void
unknown_names_cost_the_same(void **state)
{
	struct auth_users users = users_of("alice:" SAMPLE_SHA512 "\n");

	(void)state;
	assert_int_equal(
	    check(&users, "alice", "wrong"), OUTCOME_WRONG_PASSWORD);
	assert_int_equal(crypt_seen.calls, 1);
	assert_string_equal(crypt_seen.setting, SAMPLE_SHA512);
	assert_int_equal(
	    check(&users, "mallory", "wrong"), OUTCOME_WRONG_PASSWORD);
	assert_int_equal(crypt_seen.calls, 2);
	assert_string_equal(crypt_seen.setting, SAMPLE_SHA512);
	assert_int_equal(
	    check(&users, "mallory", SAMPLE_PASSWORD), OUTCOME_WRONG_PASSWORD);
	assert_int_equal(
	    check(&users, "", SAMPLE_PASSWORD), OUTCOME_WRONG_PASSWORD);
	assert_int_equal(auth_check(&users, "alice\0", 6, SAMPLE_PASSWORD, 13),
	    OUTCOME_WRONG_PASSWORD);
	assert_int_equal(crypt_seen.calls, 5);
	crypt_seen.any_is_right = true;
	assert_int_equal(check(&users, "alice", "whatever"), 0);
	assert_int_equal(
	    check(&users, "mallory", "whatever"), OUTCOME_WRONG_PASSWORD);
	assert_int_equal(auth_check(&users, "alice", 5, "what\0ever", 9),
	    OUTCOME_WRONG_PASSWORD);
	assert_int_equal(crypt_seen.calls, 8);
	auth_users_free(&users);
}

/* How many of these names are checked against each of the three. */
static void
draw_for(const struct auth_users *users, const char *const hashes[3],
    unsigned names, unsigned counts[3])
{
	char name[32];

	memset(counts, 0, 3 * sizeof(*counts));
	for (unsigned i = 0; i < names; i++) {
		snprintf(name, sizeof(name), "stranger%u", i);
		assert_int_equal(
		    check(users, name, "x"), OUTCOME_WRONG_PASSWORD);
		for (size_t k = 0; k < 3; k++)
			counts[k] += strcmp(crypt_seen.setting, hashes[k]) == 0;
	}
	assert_int_equal(counts[0] + counts[1] + counts[2], names);
}

/* In a file of several schemes no cost tells which names are in it. */
static void
mixed_schemes(void **state)
{
	static const char *const hashes[] = {
	    SAMPLE_SHA512, SAMPLE_BCRYPT, SAMPLE_YESCRYPT};
	struct auth_users users = users_of(
	    "a:" SAMPLE_SHA512 "\nb:" SAMPLE_BCRYPT "\nc:" SAMPLE_YESCRYPT);
	unsigned counts[3], again[3];
	char name[32], first[LIBCRYPT_HASH_MAX];
	unsigned moved = 0;
	struct auth_users more;

	(void)state;
	crypt_seen.any_is_right = true;
	draw_for(&users, hashes, 3000, counts);
	for (size_t k = 0; k < 3; k++)
		assert_in_range(counts[k], 800, 1200);
	draw_for(&users, hashes, 3000, again);
	assert_memory_equal(counts, again, sizeof(counts));

	/* One more user takes a share; the rest stays as it was. */
	more = users_of("d:" SAMPLE_SHA512 "\na:" SAMPLE_SHA512
			"\nb:" SAMPLE_BCRYPT "\nc:" SAMPLE_YESCRYPT);
	crypt_seen.any_is_right = true;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "stranger%u", i);
		check(&users, name, "x");
		strcpy(first, crypt_seen.setting);
		check(&more, name, "x");
		moved += strcmp(first, crypt_seen.setting) != 0;
	}
	assert_in_range(moved, 0, 300);
	auth_users_free(&more);
	auth_users_free(&users);
}

/* Failed is not wrong, and the log says which line it was. */
static void
crypt_that_fails(void **state)
{
	struct auth_users users = users_of("# one\nalice:" SAMPLE_SHA512 "\n");
	static const int errors[] = {-ENOSYS, -EINVAL, -ENOMEM};
	char said[512];

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		unit_row("error %d", errors[i]);
		crypt_seen.error = errors[i];
		listen_to_stderr();
		assert_int_equal(check(&users, "alice", SAMPLE_PASSWORD),
		    OUTCOME_PASSWORD_UNCHECKED);
		assert_int_equal(
		    check(&users, "bob", "x"), OUTCOME_PASSWORD_UNCHECKED);
		what_stderr_said(said, sizeof(said));
		assert_non_null(strstr(said, "users:2: crypt(3) can't check"));
		assert_null(strstr(said, "$6$"));
		assert_null(strstr(said, SAMPLE_PASSWORD));
	}
	auth_users_free(&users);
}

static void
libcrypt_by_itself(void **state)
{
	char out[LIBCRYPT_HASH_MAX], untouched[LIBCRYPT_HASH_MAX];

	(void)state;
	assert_true(libcrypt_knows("$6$"));
	assert_int_equal(
	    __real_libcrypt_hash(SAMPLE_PASSWORD, SAMPLE_BCRYPT, out), 0);
	assert_string_equal(out, SAMPLE_BCRYPT);
	memset(untouched, 0xa5, sizeof(untouched));
	memcpy(out, untouched, sizeof(out));
	assert_int_equal(__real_libcrypt_hash("x", "$apr1$a$", out), -EINVAL);
	assert_int_equal(__real_libcrypt_hash("x", "*0", out), -EINVAL);
	assert_int_equal(__real_libcrypt_hash("x", "", out), -EINVAL);
	assert_memory_equal(out, untouched, sizeof(out));
}

#define H SAMPLE_BCRYPT

static void
lines_that_are_taken(void **state)
{
	char text[1024], longest[AUTH_TEXT_MAX + 1];
	struct auth_users users;

	(void)state;
	users = users_of("# comment: no user\n"
			 "\n"
			 "alice:" H "\n"
			 "\n"
			 "Alice:" H "\n"
			 "alice smith:" H "\n"
			 "al#ice:" H "\n"
			 "$6$:" H "\n"
			 "\xc3\xa9ric:" H "\n"
			 "#bob:" H "\n"
			 "last:" H);
	crypt_seen.any_is_right = true;
	assert_int_equal(users.count, 7);
	assert_int_equal(check(&users, "alice", ""), 0);
	assert_int_equal(check(&users, "Alice", ""), 0);
	assert_int_equal(check(&users, "alice smith", ""), 0);
	assert_int_equal(check(&users, "al#ice", ""), 0);
	assert_int_equal(check(&users, "$6$", ""), 0);
	assert_int_equal(check(&users, "\xc3\xa9ric", ""), 0);
	assert_int_equal(check(&users, "last", ""), 0);
	assert_int_equal(check(&users, "#bob", ""), OUTCOME_WRONG_PASSWORD);
	assert_int_equal(check(&users, "bob", ""), OUTCOME_WRONG_PASSWORD);
	assert_int_equal(
	    check(&users, "# comment", ""), OUTCOME_WRONG_PASSWORD);
	assert_int_equal(check(&users, "ALICE", ""), OUTCOME_WRONG_PASSWORD);
	auth_users_free(&users);

	memset(longest, 'n', AUTH_TEXT_MAX);
	longest[AUTH_TEXT_MAX] = '\0';
	snprintf(text, sizeof(text), "%s:" H, longest);
	users = users_of(text);
	crypt_seen.any_is_right = true;
	assert_int_equal(check(&users, longest, ""), 0);
	assert_int_equal(
	    check(&users, longest + 1, ""), OUTCOME_WRONG_PASSWORD);
	auth_users_free(&users);
}

static void
lines_that_are_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *words;
	} table[] = {
	    {"", 1, "the file ends and there is no user in it; write"},
	    {"\n\n", 2, "the file ends and there is no user in it; "},
	    {"# alice:" H "\n", 1, "the file ends and there is no user in it"},
	    {"alice\n", 1, "no colon; write NAME:HASH"},
	    {"a:" H "\nalice", 2, "no colon; "},
	    {" \n", 1, "no colon; "},
	    {":" H "\n", 1, "no name before the colon; write NAME:HASH"},
	    {":", 1, "no name before the colon; "},
	    {" a:" H "\n", 1, "a blank at an end of the name; "},
	    {"a :" H "\n", 1, "a blank at an end of the name; "},
	    {"a\tb:" H "\n", 1, "a tab or another control byte in the name; "},
	    {"\x7f:" H "\n", 1, "a tab or another control byte in the name; "},
	    {"a: " H "\n", 1, "not a hash that crypt(3) can check; "},
	    {"a:" H " \n", 1, "the hash is not whole, or something stands "},
	    {"a:" H ":\n", 1, "the hash is not whole, or something stands "},
	    {"a:" H "\r\n", 1, "a carriage return at the end of the line; "},
	    {"\r\n", 1, "a carriage return at the end of the line; "},
	    {"a:\n", 1, "no hash behind the colon; make one with mkpasswd"},
	    {"a:secret\n", 1, "not a hash that crypt(3) can check; "},
	    {"a:$apr1$4oNDe.Cc$KwnpHe38IzBbwlpOhTmEV1\n", 1,
		"a hash that only Apache can check; make it anew with "},
	    {"#\na:" H "\n\nb:" H "\na:" H "\n", 5,
		"the same name as in line 2; leave one of the two"},
	    {"a:" H "\na:" SAMPLE_SHA512 "\nb\n", 2, "the same name as in "},
	};
	struct auth_users users, untouched;
	struct fault fault = {0};
	char text[1024];

	(void)state;
	memset(&untouched, 0xa5, sizeof(untouched));
	users = untouched;
	for (size_t i = 0; i < COUNT(table); i++) {
		int rc =
		    parse(table[i].text, strlen(table[i].text), &users, &fault);

		unit_row("%s -> %s", table[i].text, fault.words);
		assert_int_equal(rc, -EINVAL);
		assert_int_equal(fault.line, table[i].line);
		assert_ptr_equal(
		    strstr(fault.words, table[i].words), fault.words);
		/* What is right stands there too; and no secret. */
		assert_non_null(strstr(fault.words, "; "));
		assert_null(strstr(fault.words, "secret"));
		assert_null(strchr(fault.words, '$'));
		assert_in_range(
		    strlen(fault.words), 10, sizeof(fault.words) - 2);
	}
	/* A NUL, in the name and in the hash. */
	for (size_t at = 0; at < strlen("alice:" H); at++) {
		strcpy(text, "alice:" H);
		text[at] = '\0';
		assert_int_equal(
		    parse(text, strlen("alice:" H), &users, &fault), -EINVAL);
	}
	memset(text, 'n', AUTH_TEXT_MAX + 1);
	strcpy(text + AUTH_TEXT_MAX + 1, ":" H);
	assert_int_equal(parse(text, strlen(text), &users, &fault), -EINVAL);
	assert_non_null(strstr(fault.words, "longer than 255 bytes"));
	assert_memory_equal(&users, &untouched, sizeof(users));
}

/* Each of them is found, and nobody else. */
static void
ten_thousand_users(void **state)
{
	enum { USERS = 10000 };
	size_t size = USERS * (sizeof("user00000:" SAMPLE_SHA512)) + 1, len = 0;
	char *text = malloc(size), name[16];
	struct auth_users users;
	struct fault fault;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < USERS; i++)
		len += (size_t)snprintf(
		    text + len, size - len, "user%05d:" SAMPLE_SHA512 "\n", i);
	users = users_of(text);
	crypt_seen.any_is_right = true;
	assert_int_equal(users.count, USERS);
	for (int i = 0; i < USERS; i++) {
		if (i % 100)
			continue;
		snprintf(name, sizeof(name), "user%05d", i);
		assert_int_equal(check(&users, name, ""), 0);
		snprintf(name, sizeof(name), "User%05d", i);
		assert_int_equal(
		    check(&users, name, ""), OUTCOME_WRONG_PASSWORD);
	}
	auth_users_free(&users);
	/* The very last repeats the very first. */
	memcpy(text + len - sizeof("user00000:" SAMPLE_SHA512), "user00000", 9);
	assert_int_equal(parse(text, len, &users, &fault), -EINVAL);
	assert_int_equal(fault.line, USERS);
	assert_string_equal(
	    fault.words, "the same name as in line 1; leave one of the two");
	free(text);
}

static char directory[64], file[96];

static int
make_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_auth.XXXXXX");
	if (!mkdtemp(directory) || chmod(directory, 0755) < 0)
		return -1;
	snprintf(file, sizeof(file), "%s/users", directory);
	return 0;
}

static int
remove_directory(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(directory);
}

static void
write_file(const char *text, mode_t mode)
{
	int fd;

	unlink(file);
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Refused with one sentence, which begins with the file. */
static void
load_complains(const char *words)
{
	struct auth_users users, untouched;
	char said[1024];

	memset(&untouched, 0xa5, sizeof(untouched));
	users = untouched;
	listen_to_stderr();
	assert_int_equal(auth_users_load(file, &users), -EINVAL);
	what_stderr_said(said, sizeof(said));
	unit_row("%s", said);
	assert_non_null(strstr(said, words));
	assert_non_null(strstr(said, file));
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	assert_memory_equal(&users, &untouched, sizeof(users));
}

static void
files(void **state)
{
	static const mode_t good[] = {0400, 0600, 0640, 0644, 0444, 0440};
	static const mode_t bad[] = {0620, 0602, 0666, 0660, 0646, 0664};
	struct auth_users users;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		unit_row("mode %o", good[i]);
		write_file("alice:" H "\n", good[i]);
		assert_int_equal(auth_users_load(file, &users), 0);
		assert_string_equal(users.path, file);
		assert_int_equal(users.count, 1);
		assert_int_equal(check(&users, "alice", SAMPLE_PASSWORD), 0);
		auth_users_free(&users);
		auth_users_free(&users);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		unit_row("mode %o", bad[i]);
		write_file("alice:" H "\n", bad[i]);
		load_complains("others can write to it; chmod go-w");
	}
	write_file("alice:" H "\n\nbob\n", 0600);
	load_complains("users:3: no colon; write NAME:HASH");
	write_file("", 0600);
	load_complains("users:1: the file ends and there is no user in it; ");
	write_file("alice:" H "\n", 0600);
	assert_int_equal(truncate(file, AUTH_FILE_MAX + 1), 0);
	load_complains("too long; make it shorter");
	if (chown(file, 4711, 0) == 0)
		load_complains("it belongs to a user who could change it");
	unlink(file);
	load_complains("No such file or directory");
	assert_int_equal(mkdir(file, 0700), 0);
	load_complains("not a regular file; name one");
	rmdir(file);
	assert_int_equal(mkfifo(file, 0600), 0);
	load_complains("not a regular file; name one");
}

/* Whether a page has bytes that are given inverted, so as not to find them. */
static bool
has_bytes(
    const unsigned char *page, size_t size, const char *inverted, size_t len)
{
	const unsigned char *at = page, *end = page + size - len + 1;

	while (at < end && (at = memchr(at, (unsigned char)~*inverted,
				(size_t)(end - at)))) {
		size_t k = 1;

		while (k < len && ((at[k] ^ inverted[k]) & 0xff) == 0xff)
			k++;
		if (k == len)
			return true;
		at++;
	}
	return false;
}

/* How many pages of writable memory have them. */
static unsigned
copies_in_memory(const char *inverted, size_t len)
{
	static unsigned char present[65536];
	FILE *maps = fopen("/proc/self/maps", "re");
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char page[4096 + 32];
	char line[512], mode[8];
	uintptr_t start, end;
	unsigned found = 0;

	assert_non_null(maps);
	assert_true(memory >= 0);
	while (fgets(line, sizeof(line), maps)) {
		/* Not a sanitizer's shadow. */
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &start, &end,
			mode) != 3 ||
		    mode[1] != 'w' || end - start > sizeof(present) * size ||
		    mincore((void *)start, end - start, present) < 0)
			continue;
		for (size_t i = 0; i < (end - start) / size; i++) {
			off_t at = (off_t)(start + i * size);
			ssize_t n = present[i] & 1
					? pread(memory, page, sizeof(page), at)
					: 0;

			found += n >= (ssize_t)len &&
				 has_bytes(page, (size_t)n, inverted, len);
		}
	}
	close(memory);
	fclose(maps);
	return found;
}

/* As far down the stack that nothing writes over what it leaves there. */
static enum outcome
check_below(const struct auth_users *users, const char *password, size_t len)
{
	volatile char space[65536];

	space[0] = 0;
	return space[0] ? OUTCOMES
			: auth_check(users, "alice", 5, password, len);
}

/* Of a password that was checked, whole or its first twelve bytes. */
static void
no_copy_is_left(void **state)
{
	static const char inverted[] = {~'S', ~'e', ~'s', ~'a', ~'m', ~'e',
	    ~'O', ~'p', ~'e', ~'n', ~'8', ~'7'};
	static char password[sizeof(inverted)];
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		unit_row("%s", samples[i].tool);
		struct auth_users users;

		snprintf(text, sizeof(text), "alice:%s", samples[i].hash);
		users = users_of(text);
		for (size_t k = 0; k < sizeof(inverted); k++)
			password[k] = (char)~inverted[k];
		assert_int_not_equal(
		    copies_in_memory(inverted, sizeof(inverted)), 0);
		assert_int_equal(
		    check_below(&users, password, sizeof(password)),
		    OUTCOME_WRONG_PASSWORD);
		explicit_bzero(password, sizeof(password));
		assert_int_equal(
		    copies_in_memory(inverted, sizeof(inverted)), 0);
		auth_users_free(&users);
	}
}

/*
 * A line whose hash ends in the bytes that are given inverted: where free(3)
 * would not write over them.
 */
static void
write_hash(const char *inverted, size_t len)
{
	char line[] = "a:" SAMPLE_BCRYPT;

	for (size_t k = 0; k < len; k++)
		line[sizeof(line) - 1 - len + k] = (char)~inverted[k];
	write_file(line, 0600);
	explicit_bzero(line, sizeof(line));
}

/* And of the hashes, once the users are freed; of a refused file at once. */
static void
no_hash_is_left(void **state)
{
	struct auth_users users;
	char inverted[31];

	(void)state;
	for (size_t k = 0; k < sizeof(inverted); k++)
		inverted[k] = (char)~("./09AZaz"[k * 7 / 3 % 8]);
	write_hash(inverted, sizeof(inverted));
	assert_int_equal(auth_users_load(file, &users), 0);
	assert_int_not_equal(copies_in_memory(inverted, sizeof(inverted)), 0);
	auth_users_free(&users);
	assert_int_equal(copies_in_memory(inverted, sizeof(inverted)), 0);

	assert_int_equal(
	    truncate(file, (off_t)strlen("a:" SAMPLE_BCRYPT) - 1), 0);
	load_complains("users:1: the hash is not whole");
	assert_int_equal(copies_in_memory(inverted, sizeof(inverted) - 1), 0);
}

/* What is chosen of each offer: N for none, P for a password, - for FF. */
static void
methods(void **state)
{
	static const struct {
		uint8_t at[2], len;
	} offers[] = {
	    {{WIRE_METHOD_NONE}, 1},
	    {{WIRE_METHOD_PASSWORD}, 1},
	    {{WIRE_METHOD_NONE, WIRE_METHOD_PASSWORD}, 2},
	    {{WIRE_METHOD_PASSWORD, WIRE_METHOD_NONE}, 2},
	    {{WIRE_METHOD_GSSAPI}, 1},
	    {{0}, 0},
	};
	static const struct {
		struct auth_policy policy;
		const char *chosen;
	} table[] = {
	    {{.has_users = false}, "------"},
	    {{.names_users = true}, "------"},
	    {{.has_users = true}, "-PPP--"},
	    {{.has_users = true, .names_users = true}, "-PPP--"},
	    {{.needs_none = true}, "NPNN--"},
	    {{.needs_none = true, .names_users = true}, "NPNN--"},
	    {{.needs_none = true, .has_users = true}, "NPNN--"},
	    {{.needs_none = true, .has_users = true, .names_users = true},
		"NPPP--"},
	};
	struct failure failure;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		char chosen[COUNT(offers) + 1] = "";

		for (size_t j = 0; j < COUNT(offers); j++) {
			const struct wire_greeting greeting = {
			    offers[j].at, offers[j].len};
			uint8_t method = auth_choose_method(
			    &greeting, &table[i].policy, &failure);

			chosen[j] = method == WIRE_METHOD_NONE       ? 'N'
				    : method == WIRE_METHOD_PASSWORD ? 'P'
								     : '-';
		}
		assert_string_equal(chosen, table[i].chosen);
	}
}

/* Which logins may be wrong. */
static void
logins_that_count(void **state)
{
	struct auth_policy policy = {0};
	const struct wire_password empty = {"root", "", 4, 0},
				   nul = {"root", "", 4, 1},
				   whole = {"root", "x", 4, 1};

	(void)state;
	for (int needs_none = 0; needs_none < 2; needs_none++) {
		policy.needs_none = needs_none;
		policy.has_users = false;
		assert_false(auth_counts(&policy, &empty));
		assert_false(auth_counts(&policy, &whole));
		policy.has_users = true;
		assert_int_equal(auth_counts(&policy, &empty), !needs_none);
		assert_true(auth_counts(&policy, &nul));
		assert_true(auth_counts(&policy, &whole));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(methods),
	    cmocka_unit_test(logins_that_count),
	    cmocka_unit_test(what_the_tools_make),
	    cmocka_unit_test(odd_passwords),
	    cmocka_unit_test(unknown_names_cost_the_same),
	    cmocka_unit_test(mixed_schemes),
	    cmocka_unit_test(crypt_that_fails),
	    cmocka_unit_test(libcrypt_by_itself),
	    cmocka_unit_test(lines_that_are_taken),
	    cmocka_unit_test(lines_that_are_refused),
	    cmocka_unit_test(ten_thousand_users),
	    cmocka_unit_test(no_copy_is_left),
	    cmocka_unit_test(no_hash_is_left),
	    cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
