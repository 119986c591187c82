/* SPDX-License-Identifier: ISC */
/*
 * What --explain prints, in a network where only loopback is.
 */
#include "base/log.h"
#include "network.h"
#include "session/explain.h"
#include "unit.h"

#include <fnmatch.h>
#include <stdlib.h>

#define RULES "--rules=/etc/rules"
#define USERS "--users=/etc/users", "--user=alice"
#define LOCAL "built in:1: allow from local to any, internal"

/* NULL ends the words; what is printed matches the pattern of fnmatch(3). */
static const struct {
	const char *words[8], *expected;
} table[] = {
    /* the built-in rules */
    {{"127.0.0.1", "80"},
	LOCAL "\n127.0.0.1:80: allowed, from 127.0.0.1, by " LOCAL
	      "\n*\nreply: 00, if it can be connected\n"},
    {{"--from=198.51.100.1", "203.0.113.8", "80"},
	"built in: no line allows anything to such a client without a "
	"password\nmethod: FF\n"},
    {{"--users=/etc/users", "203.0.113.8", "80"},
	"built in: no line allows anything to such a client without a "
	"password\nmethod: FF\n"},
    {{USERS, "127.0.0.1", "80"}, "built in:1: deny to internal\nreply: 02\n"},
    {{"--open", "127.0.0.1", "80"},
	"built in:1: deny to internal\nreply: 02\n"},
    {{"--from=198.51.100.1", USERS, "203.0.113.8", "80"},
	"built in:2: allow user=\\* to any\n203.0.113.8:80: allowed, "
	"from nowhere: Network is unreachable, by built in:2: *\nreply: 03\n"},
    /* names: each address, in the order in which it would be tried */
    {{"--from=198.51.100.1", USERS, "mixed.test", "80"},
	"127.0.0.1:80: denied, by built in:1: *\n203.0.113.7:80: allowed, "
	"from nowhere: *, by built in:2: *\nreply: 03\n"},
    {{"--from=198.51.100.1", USERS, "inside.test", "80"},
	"127.0.0.1:80: denied, by built in:1: *\nreply: 02\n"},
    {{"nosuch.test", "80"},
	LOCAL "\nnosuch.test: name servers failed\nreply: 04\n"},
    /* a file, and the terms of its lines */
    {{RULES, USERS, "203.0.113.9", "1"},
	"/etc/rules:1: deny to 203.0.113.9, \\*.bad.test\nreply: 02\n"},
    {{RULES, USERS, "127.0.0.1", "1"},
	"/etc/rules:2: *\n*\nlifetime unlimited, rate 5000 bytes/s\nreply: 00, "
	"if it can be connected\n"},
    {{RULES, "--uid=7", "www.good.test", "80"},
	"127.0.0.1:80: allowed, from 127.0.0.9, by /etc/rules:4: *\n*\n"
	"reply: 00, if it can be connected\n"},
    {{RULES, "--uid=7", "www.bad.test", "80"}, "/etc/rules:1: *\nreply: 02\n"},
    {{RULES, "--from=198.51.100.1", "203.0.113.8", "53"},
	"/etc/rules: no line matches, so it is denied\nreply: 02\n"},
    {{RULES, "--uid=8", "203.0.113.8", "80"},
	"/etc/rules: no line allows anything to such a client without a "
	"password\nmethod: FF\n"},
    /* the other commands */
    {{"--command=bind", "127.0.0.1", "0"},
	LOCAL "\n127.0.0.1:0: allowed, by " LOCAL "\n*\nlistens on 127.0.0.1\n"
	      "reply: 00, if it can listen there, and a second one when the "
	      "peer has come\n"},
    {{"--command=bind", "0.0.0.0", "0"},
	"reply: 00, and the rules are asked about whoever comes\n"},
    {{RULES, "--from=198.51.100.1", "--command=udp", "127.0.0.2", "53"},
	"/etc/rules:3: *\n127.0.0.2:53: allowed, from 127.0.0.1, by "
	"/etc/rules:3: *\nreply: 00, and the datagram is relayed, if it can "
	"be sent\n"},
    {{RULES, "--from=198.51.100.1", "--command=udp", "127.0.0.2", "54"},
	"/etc/rules: no line matches, so it is denied\nreply: 00, and the "
	"datagram is dropped\n"},
    {{RULES, USERS, "--command=udp", "127.0.0.2", "53"},
	"*\nlifetime unlimited\nreply: 00, and the datagram is relayed, *"},
    {{"--resolve", "--command=resolve", "mixed.test", "0"},
	LOCAL "\n127.0.0.1: allowed, by " LOCAL "\n203.0.113.7: allowed, by *\n"
	      "reply: 00, with 127.0.0.1\n"},
    {{"--resolve", "--command=resolve", "127.0.0.1", "0"},
	"*\nreply: 00, with 127.0.0.1; RESOLVE_PTR: with its name, if it has "
	"one\n"},
    {{"--command=resolve", "127.0.0.1", "0"},
	"reply: 07, command not supported without --resolve\n"},
    /* where it comes out */
    {{"--upstream=socks5://127.0.0.1:9", "mixed.test", "80"},
	LOCAL "\n*\nreply: the upstream's\n"},
    {{"--source=192.0.2.1", "127.0.0.1", "80"},
	LOCAL "\n127.0.0.1:80: allowed, from nowhere: *\nreply: 01\n"},
    {{"--source=same", "127.0.0.1", "80"},
	"*: allowed, from the address that the client has reached, by *"},
};

/* explain_request() for these words, in a process of its own as it is meant
 * for, and what it prints. */
static int
explained(const char *const *words, char *out, size_t size)
{
	char *argv[12] = {(char[]){"socks5-handler"}, (char[]){"--explain"}};
	int argc = 2, fd = memfd_create("", MFD_CLOEXEC), status = -1;
	pid_t pid = fork_child();
	struct config config;
	ssize_t n;

	if (pid == 0) {
		for (; *words; words++)
			argv[argc++] = strdup(*words);
		HOLD(dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
		HOLD(config_read(argc, argv, &config) == 0);
		status = explain_request(&config);
		fflush(stdout);
		_exit(-status);
	}
	HOLD(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	n = pread(fd, out, size - 1, 0);
	HOLD(n >= 0);
	out[n] = '\0';
	close(fd);
	return -WEXITSTATUS(status);
}

static void
explain_all(void)
{
	char out[2048];

	network_write("/etc/rules",
	    "deny to 203.0.113.9, *.bad.test\n"
	    "allow user=alice to any, internal lifetime=0 rate=5000\n"
	    "allow from 198.51.100.0/24 command=udp to internal port 53\n"
	    "allow uid=7 to internal source=127.0.0.9\n");
	network_write("/etc/users",
	    "alice:$5$salt$"
	    "eC8iHMk0B/acxRGi4idWiCK/.xXHLUsxovn4V591t3.\n");
	for (size_t i = 0; i < COUNT(table); i++) {
		int rc = explained(table[i].words, out, sizeof(out));

		unit_row("row %zu: %s", i, out);
		HOLD(rc == 0);
		HOLD(fnmatch(table[i].expected, out, 0) == 0);
	}
}

static void
what_becomes_of_a_request(void **state)
{
	(void)state;
	in_network("127.0.0.1 mixed.test inside.test www.good.test\n"
		   "203.0.113.7 mixed.test\n",
	    explain_all);
}

static void
questions_that_make_no_sense(void **state)
{
	static const struct {
		const char *words[5], *said;
	} wrong[] = {
	    {{"--from=nowhere", "127.0.0.1", "80"},
		"--from=nowhere: not an address; "},
	    {{"--uid=x", "127.0.0.1", "80"}, "--uid=x: not a number; "},
	    {{"--command=fly", "127.0.0.1", "80"},
		"--command=fly: not a command; "},
	    {{"127.0.0.1", "65536"}, "65536: not a port; "},
	    {{"127.0.0.1", "http"}, "http: not a port; "},
	    {{"a b", "80"}, "a b: no name that a client may ask for; "},
	};
	char out[2048], said[512];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		unit_row("%s %s", wrong[i].words[0], wrong[i].words[1]);
		listen_to_stderr();
		assert_int_equal(
		    explained(wrong[i].words, out, sizeof(out)), -EINVAL);
		what_stderr_said(said, sizeof(said));
		assert_non_null(strstr(said, wrong[i].said));
		assert_string_equal(out, "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_becomes_of_a_request),
	    cmocka_unit_test(questions_that_make_no_sense),
	};

	log_open(LOG_TO_STDERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
