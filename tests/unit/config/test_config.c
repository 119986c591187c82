/* SPDX-License-Identifier: ISC */
#include "config/config.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char sentence[1024];

/* config_read() with these words, and what it says in `sentence`. */
static int
read_words(const char *first, const char *second, struct config *out)
{
	char words[3][128] = {"socks5-handler"};
	char *argv[] = {words[0], words[1], words[2], NULL};
	int argc = 1 + !!first + !!second, rc;

	for (int i = 1; i < argc; i++)
		snprintf(
		    words[i], sizeof(words[i]), "%s", i == 1 ? first : second);
	argv[argc] = NULL;
	listen_to_stderr();
	rc = config_read(argc, argv, out);
	what_stderr_said(sentence, sizeof(sentence));
	return rc;
}

static int
read_word(const char *word, struct config *out)
{
	return read_words(word, NULL, out);
}

/* Refused in one sentence that has these two in it; *out is as it was. */
static void
is_refused(
    const char *first, const char *second, const char *named, const char *right)
{
	struct config c, untouched;

	memset(&untouched, 0xa5, sizeof(untouched));
	c = untouched;
	unit_row("%s %s", first, second ? second : "");
	assert_int_equal(read_words(first, second, &c), -EINVAL);
	unit_row("%s", sentence);
	assert_memory_equal(&c, &untouched, sizeof(c));
	assert_non_null(strstr(sentence, named));
	assert_non_null(strstr(sentence, right));
	assert_ptr_equal(
	    strchr(sentence, '\n'), sentence + strlen(sentence) - 1);
}

static void
defaults(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(read_word(NULL, &c), 0);
	assert_int_equal(c.handshake_timeout_ms, 10000);
	assert_int_equal(c.connect_timeout_ms, 10000);
	assert_int_equal(c.terms.lifetime_ms, 30000);
	assert_int_equal(c.terms.idle_ms, 0);
	assert_int_equal(c.log, LOG_TO_AUTO);
	assert_int_equal(c.max_clients, 1000);
	assert_int_equal(c.max_per_source, -1);
	assert_int_equal(c.spare, 8);
	assert_int_equal(c.idle_exit_ms, 0);
	assert_false(c.mptcp);
	assert_false(c.resolve);
	assert_int_equal(c.udp_ports.first, 0);
	assert_int_equal(c.udp_ports.last, 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(c.udp_advertise[i].sa.sa_family, AF_UNSPEC);
}

static void
each_option_sets_its_own(void **state)
{
	struct config c;

	(void)state;
	read_word("--handshake-timeout=1", &c);
	assert_int_equal(c.handshake_timeout_ms, 1000);
	read_word("--connect-timeout=2", &c);
	assert_int_equal(c.connect_timeout_ms, 2000);
	read_word("--lifetime=3", &c);
	assert_int_equal(c.terms.lifetime_ms, 3000);
	read_word("--idle-timeout=4", &c);
	assert_int_equal(c.terms.idle_ms, 4000);
	assert_int_equal(c.terms.lifetime_ms, 30000);
	read_word("--log=none", &c);
	assert_int_equal(c.log, LOG_TO_NONE);
	read_word("--idle-exit=5", &c);
	assert_int_equal(c.idle_exit_ms, 5000);
	read_word("--max-clients=6", &c);
	assert_int_equal(c.max_clients, 6);
	read_word("--max-per-source=7", &c);
	assert_int_equal(c.max_per_source, 7);
	read_word("--max-per-source=auto", &c);
	assert_int_equal(c.max_per_source, -1);
	read_word("--proxy-protocol", &c);
	assert_int_equal(c.max_per_source, 0);
	is_refused("--proxy-protocol", "--max-per-source=7",
	    "--max-per-source=7 and --proxy-protocol", "leave out");
	read_word("--spare=9", &c);
	assert_int_equal(c.spare, 9);
	assert_int_equal(c.max_per_source, -1);
	read_word("--mptcp", &c);
	assert_true(c.mptcp && !c.resolve);
	read_word("--resolve", &c);
	assert_true(c.resolve && !c.mptcp);
	/* The value as a word of its own; of two the last. */
	assert_int_equal(read_words("--lifetime", "4", &c), 0);
	assert_int_equal(c.terms.lifetime_ms, 4000);
	assert_int_equal(read_words("--lifetime=5", "--lifetime=6", &c), 0);
	assert_int_equal(c.terms.lifetime_ms, 6000);
}

static void
log_targets(void **state)
{
	static const char *const words[] = {
	    [LOG_TO_AUTO] = "--log=auto",
	    [LOG_TO_JOURNAL] = "--log=journal",
	    [LOG_TO_SYSLOG] = "--log=syslog",
	    [LOG_TO_STDERR] = "--log=stderr",
	    [LOG_TO_NONE] = "--log=none",
	};
	struct config c;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		unit_row("%s", words[i]);
		assert_int_equal(read_word(words[i], &c), 0);
		assert_int_equal(c.log, i);
	}
	is_refused("--log=", NULL, "--log=: ", "journal");
	is_refused("--log=file", NULL, "--log=file: ", "journal");
	is_refused("--log=Journal", NULL, "--log=Journal: ", "journal");
	is_refused("--log=none ", NULL, "--log=none : ", "journal");
}

static void
seconds(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} table[] = {
	    {"0", 0},
	    {"30", 30000},
	    {"007", 7000},
	    {"0.5", 500},
	    {"0.25", 250},
	    {"1.0005", 1000},
	    {"0.0004", 1}, /* next to nothing is not "no limit" */
	    {"0.000", 0},
	    {"315360000", 315360000000},
	};
	struct config c;
	char word[64];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text);
		snprintf(word, sizeof(word), "--lifetime=%s", table[i].text);
		assert_int_equal(read_word(word, &c), 0);
		assert_int_equal(c.terms.lifetime_ms, table[i].ms);
		assert_string_equal(sentence, "");
	}
}

static void
no_seconds(void **state)
{
	static const char *const values[] = {"", "x", "3x", "-1", "+1", "1e3",
	    "0x10", " 3", "3 ", "1.", ".5", "1.5.5", "1,5", "nan", "inf",
	    "315360001", "999999999999", "99999999999999999999999"};
	static const char *const options[] = {"--handshake-timeout",
	    "--connect-timeout", "--lifetime", "--idle-timeout"};
	char word[64];

	(void)state;
	for (size_t i = 0; i < COUNT(values) * COUNT(options); i++) {
		const char *option = options[i % COUNT(options)];

		snprintf(word, sizeof(word), "%s=%s", option,
		    values[i / COUNT(options)]);
		is_refused(word, NULL, word, "; write for example ");
	}
}

static void
counts(void **state)
{
	static const char *const wrong[] = {
	    "", "x", "-1", "+1", "1.5", " 3", "3 ", "4194305", "9999999999"};
	static const char *const options[] = {
	    "--max-clients", "--max-per-source", "--spare"};
	struct config c;
	char word[64];

	(void)state;
	assert_int_equal(read_word("--max-clients=0", &c), 0);
	assert_int_equal(c.max_clients, 0);
	assert_int_equal(read_word("--max-clients=4194304", &c), 0);
	assert_int_equal(c.max_clients, 4194304);
	for (size_t i = 0; i < COUNT(wrong) * COUNT(options); i++) {
		const char *option = options[i % COUNT(options)];

		snprintf(word, sizeof(word), "%s=%s", option,
		    wrong[i / COUNT(options)]);
		is_refused(word, NULL, word, "write for example --");
	}
}

static void
ports(void **state)
{
	static const struct {
		const char *text;
		uint16_t first, last;
	} table[] = {
	    {"40000-40999", 40000, 40999},
	    {"1-65535", 1, 65535},
	    {"7-7", 7, 7},
	};
	static const char *const wrong[] = {"", "-", "7", "7-", "-7", "0-7",
	    "8-7", "1-65536", "65536-65537", "7-8-9", "7--8", " 7-8", "7-8 ",
	    "7 -8", "0x7-0x8", "+7-8", "a-b", "99999999999999999999-7"};
	struct config c;
	char word[64];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text);
		snprintf(word, sizeof(word), "--udp-ports=%s", table[i].text);
		assert_int_equal(read_word(word, &c), 0);
		assert_int_equal(c.udp_ports.first, table[i].first);
		assert_int_equal(c.udp_ports.last, table[i].last);
	}
	assert_int_equal(
	    read_words("--udp-ports=1-2", "--udp-ports=3-4", &c), 0);
	assert_int_equal(c.udp_ports.first, 3);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		unit_row("%s", wrong[i]);
		snprintf(word, sizeof(word), "--udp-ports=%s", wrong[i]);
		is_refused(word, NULL, word, "=40000-40999");
	}
}

static bool
is_address(const union addr *addr, const char *text)
{
	char is[ADDR_TEXT_MAX];

	return strcmp(addr_format(addr, is), text) == 0;
}

/* One of each family, in either order; of two of one family, the last. */
static void
addresses(void **state)
{
	static const char four[] = "--udp-advertise=192.0.2.1";
	static const char six[] = "--udp-advertise=2001:db8::1";
	static const char *const wrong[] = {"", "x", "192.0.2", "192.0.2.1 ",
	    "192.0.2.1:80", "192.0.2.0/24", "[2001:db8::1]",
	    "2001:db8::1::", "example.org", "same"};
	struct config c;
	char word[64];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    read_words(i ? six : four, i ? four : six, &c), 0);
		assert_true(is_address(&c.udp_advertise[0], "192.0.2.1:0"));
		assert_true(is_address(&c.udp_advertise[1], "[2001:db8::1]:0"));
	}
	assert_int_equal(read_word(six, &c), 0);
	assert_int_equal(c.udp_advertise[0].sa.sa_family, AF_UNSPEC);
	assert_int_equal(read_words("--udp-advertise=192.0.2.9", four, &c), 0);
	assert_true(is_address(&c.udp_advertise[0], "192.0.2.1:0"));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		unit_row("%s", wrong[i]);
		snprintf(word, sizeof(word), "--udp-advertise=%s", wrong[i]);
		is_refused(word, NULL, word, "=192.0.2.1");
	}
}

static char file_word[] = "--config=/tmp/socks5-handler-XXXXXX";

/* Writes the file that file_word names. */
static void
write_file(const char *text, size_t len)
{
	FILE *file = fopen(strchr(file_word, '/'), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static int
make_file(void **state)
{
	int fd;

	(void)state;
	strcpy(strchr(file_word, '/'), "/tmp/socks5-handler-XXXXXX");
	fd = mkstemp(strchr(file_word, '/'));
	return fd < 0 ? -1 : close(fd);
}

static int
remove_file(void **state)
{
	(void)state;
	return unlink(strchr(file_word, '/'));
}

static void
a_file(void **state)
{
	static const char text[] = "# what everybody gets\n"
				   "\n"
				   "lifetime 600\n"
				   "\tidle-timeout \t 0.5 # a comment\r\n"
				   "log none\n"
				   "  #\n"
				   "resolve\n"
				   "mptcp # where it can be had\n"
				   "udp-ports 40000-40099\n"
				   "udp-advertise 192.0.2.7\n"
				   "udp-advertise 2001:db8::7\n"
				   "max-clients 7\n"
				   "max-clients 5";
	struct config c;

	(void)state;
	write_file(text, sizeof(text) - 1);
	assert_int_equal(read_word(file_word, &c), 0);
	assert_int_equal(c.terms.lifetime_ms, 600000);
	assert_int_equal(c.terms.idle_ms, 500);
	assert_int_equal(c.log, LOG_TO_NONE);
	assert_int_equal(c.max_clients, 5);
	assert_true(c.resolve && c.mptcp);
	assert_int_equal(c.udp_ports.first, 40000);
	assert_int_equal(c.udp_ports.last, 40099);
	assert_true(is_address(&c.udp_advertise[0], "192.0.2.7:0"));
	assert_true(is_address(&c.udp_advertise[1], "[2001:db8::7]:0"));
	assert_int_equal(c.connect_timeout_ms, 10000);
	/* What comes later counts, wherever it stands. */
	assert_int_equal(read_words("--lifetime=3", file_word, &c), 0);
	assert_int_equal(c.terms.lifetime_ms, 600000);
	assert_int_equal(read_words(file_word, "--lifetime=3", &c), 0);
	assert_int_equal(c.terms.lifetime_ms, 3000);
	write_file("", 0);
	assert_int_equal(read_word(file_word, &c), 0);
	assert_int_equal(c.terms.lifetime_ms, 30000);
}

/* Each names the file and the line, and what would be right. */
static void
mistakes_in_a_file(void **state)
{
	static const struct {
		const char *text, *named, *right;
	} table[] = {
	    {"lifetime x\n", ":1: lifetime x: ", "example 30"},
	    {"\n\nlifetime\n", ":3: lifetime : ", "example 30"},
	    {"lifetime 30 40\n", ":1: lifetime 30 40: ", "example 30"},
	    {"lifetime=30\n", ":1: lifetime=30 : no such", "lifetime 60"},
	    {"log none\n--lifetime 30\n", ":2: --lifetime 30: no such",
		"without its dashes"},
	    {"log file\n", ":1: log file: not one of auto|", "log syslog"},
	    {"spare 1.5\n", ":1: spare 1.5: ", "spare 8"},
	    {"help\n", ":1: help : for the command line", "leave out"},
	    {"config other\n", ":1: config other: for the command line",
		"leave out"},
	    {"open yes\n", ":1: open yes: takes no value", "leave out"},
	    {"resolve yes\n", ":1: resolve yes: takes no value", "leave out"},
	    {"udp-ports 40000\n", ":1: udp-ports 40000: not a range",
		"udp-ports 40000-40999"},
	    {"udp-ports 40000 - 40999\n",
		":1: udp-ports 40000 - 40999: ", "udp-ports 40000-40999"},
	    {"udp-advertise here\n", ":1: udp-advertise here: not an address",
		"udp-advertise 192.0.2.1"},
	    {"mark\n", ":1: mark : not a mark", "such as 42"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s -> %s", table[i].text, table[i].named);
		write_file(table[i].text, strlen(table[i].text));
		is_refused(file_word, NULL, table[i].named, table[i].right);
		assert_non_null(strstr(sentence, strchr(file_word, '/')));
	}
	write_file("log none\nlifetime 3\0000\n", 22);
	is_refused(file_word, NULL, ":2: a NUL byte", "plain text");
	is_refused("--config=/nonexistent", NULL,
	    "--config=/nonexistent: No such file", "can read");
	is_refused("--config=/", NULL, "--config=/: ", "file");
	is_refused("--config=", NULL, "--config=: ", "file");
}

/* It says who may come in: nobody but its owner may write to it. */
static void
a_file_of_others(void **state)
{
	static const mode_t wrong[] = {0620, 0602, 0664, 0666};
	const char *path = strchr(file_word, '/');
	struct config c;

	(void)state;
	write_file("lifetime 3\n", 11);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		unit_row("mode %o", wrong[i]);
		assert_int_equal(chmod(path, wrong[i]), 0);
		is_refused(
		    file_word, NULL, ": others can write to it", "chmod go-w");
		assert_non_null(strstr(sentence, file_word));
	}
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(read_word(file_word, &c), 0);
	assert_int_equal(c.terms.lifetime_ms, 3000);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(path, 1, 0), 0);
	is_refused(
	    file_word, NULL, ": it belongs to a user who could", "chown");
}

/* Each is whole, and what its row shows as a value is one. */
static void
every_row(void **state)
{
	struct option_entry entries[OPTIONS_MAX];
	int terms = 0;

	(void)state;
	rows_list(entries);
	assert_non_null(entries[0].section);
	for (const struct option_entry *e = entries; e->name; e++) {
		char left[128], word[128];
		struct config c;

		unit_row("%s", e->name);
		snprintf(left, sizeof(left), "%s (default %s)", e->help,
		    e->standard ? e->standard : "");
		assert_in_range(
		    e->standard ? strlen(left) : strlen(e->help), 1, 49);
		assert_int_equal(!e->argument, !e->example);
		terms += e->kind == SETTING_TERM;
		if (e->kind >= SETTING_KINDS ||
		    strchr(e->example ? e->example : "", '/'))
			continue;
		snprintf(word, sizeof(word), e->argument ? "--%s=%s" : "--%s",
		    e->name, e->example);
		assert_int_equal(read_word(word, &c), 0);
		config_free(&c);
	}
	assert_int_equal(terms, TERMS_KEYS);
}

/* What is no option at all, or is not complete, or says too much. */
static void
bad_usage(void **state)
{
	(void)state;
	is_refused("--nonsense", NULL, "--nonsense: no such", "--help");
	is_refused("--nonsense=3", NULL, "--nonsense=3: no such", "--help");
	is_refused("-x", NULL, "-x: no such", "--help");
	is_refused("--lifetime=3", "-x", "-x: no such", "--help");
	is_refused("--l=3", NULL, "--l=3: no such", "--help"); /* which? */
	is_refused("--lifetime", NULL, "--lifetime: needs", "--lifetime=30");
	is_refused("--log", NULL, "--log: needs", "--log=syslog");
	is_refused("--lifetime", "--log=none",
	    "--lifetime=--log=none: ", "example 30");
	is_refused("--help=3", NULL, "--help=3: no such form", "write conf");
	is_refused("--version=3", NULL, "--version=3: takes no", "leave out");
	is_refused("word", NULL, "word: not an option", "--help");
	is_refused("", NULL, ": not an option", "--help");
	is_refused("--lifetime=3", "word", "word: not an option", "--help");
	is_refused("word", "--lifetime=3", "word: not an option", "--help");
	is_refused("--", "word", "word: not an option", "--help");
	is_refused("-", NULL, "-: not an option", "--help");
	/* The first mistake is the one that is named. */
	is_refused("--lifetime=x", "--nonsense", "--lifetime=x", " 30");
	is_refused("word", "--nonsense", "word: not an option", "--help");
	is_refused("--nonsense", "--lifetime=x", "--nonsense", "--help");
}

static void
help_and_version(void **state)
{
	static const char *const words[] = {
	    "--help", "--help=conf", "--version"};
	int out = dup(STDOUT_FILENO);

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		unit_row("%s", words[i]);
		struct config c, untouched;
		char said[4096];
		int rc, p[2];
		ssize_t n;

		memset(&untouched, 0xa5, sizeof(untouched));
		c = untouched;
		assert_int_equal(pipe(p), 0);
		fflush(stdout);
		dup2(p[1], STDOUT_FILENO);
		rc = read_word(words[i], &c);
		fflush(stdout);
		dup2(out, STDOUT_FILENO);
		close(p[1]);
		n = read(p[0], said, sizeof(said) - 1);
		close(p[0]);
		assert_int_equal(rc, 1);
		assert_memory_equal(&c, &untouched, sizeof(c));
		assert_string_equal(sentence, "");
		assert_true(n > 0);
		said[n] = '\0';
		assert_non_null(strstr(said, "socks5-handler"));
	}
	close(out);
}

/* Under inetd descriptor 2 is the client; the sentence goes elsewhere. */
static void
forbidden_stderr(void **state)
{
	struct config c;
	pid_t pid = fork_child();

	(void)state;
	if (pid == 0) {
		log_forbid_stderr();
		HOLD(read_word("--log=stderr", &c) == -EINVAL);
		HOLD(read_word("--log=none", &c) == 0);
		HOLD(*sentence == '\0');
		_exit(0);
	}
	child_held(pid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults),
	    cmocka_unit_test(each_option_sets_its_own),
	    cmocka_unit_test(seconds),
	    cmocka_unit_test(no_seconds),
	    cmocka_unit_test(log_targets),
	    cmocka_unit_test(counts),
	    cmocka_unit_test(ports),
	    cmocka_unit_test(addresses),
	    cmocka_unit_test_setup_teardown(a_file, make_file, remove_file),
	    cmocka_unit_test_setup_teardown(
		mistakes_in_a_file, make_file, remove_file),
	    cmocka_unit_test_setup_teardown(
		a_file_of_others, make_file, remove_file),
	    cmocka_unit_test(every_row),
	    cmocka_unit_test(bad_usage),
	    cmocka_unit_test(help_and_version),
	    cmocka_unit_test(forbidden_stderr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
