/* SPDX-License-Identifier: ISC */
#include "policy/identity.h"
#include "unit.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A TCP connection whose peer, for fd, is at this address. */
static int
tcp_from(const char *text, union addr *client, int *far)
{
	union addr addr;
	socklen_t len;
	int fd, near;

	assert_int_equal(addr_parse(text, 0, &addr), 0);
	fd = socket(addr.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, &addr.sa, addr_len(&addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	len = sizeof(addr);
	getsockname(fd, &addr.sa, &len);
	*far = socket(addr.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*far, &addr.sa, addr_len(&addr)), 0);
	near = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	len = sizeof(*client);
	getsockname(*far, &client->sa, &len);
	close(fd);
	return near;
}

static void
tcp(void **state)
{
	static const char *const texts[] = {"127.0.0.1", "127.9.9.9", "::1"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		unit_row("%s", texts[i]);
		struct identity who;
		union addr client;
		char text[ADDR_TEXT_MAX];
		int far, fd = tcp_from(texts[i], &client, &far);

		assert_int_equal(identity_of_socket(fd, &who), 0);
		assert_true(who.local && who.has_address && !who.has_ids);
		assert_true(addr_equal(&who.address, &client));
		assert_string_equal(who.text, addr_format(&client, text));
		close(fd);
		close(far);
	}
}

/* Accepted, and connected, by whoever runs this. */
static void
unix_sockets(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(at);
	struct identity who;
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ends[2];

	(void)state;
	/* A name of the kernel's choice. */
	assert_int_equal(
	    bind(listener, (struct sockaddr *)&at, sizeof(at.sun_family)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&at, &len), 0);
	ends[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(ends[0], (struct sockaddr *)&at, len), 0);
	ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	/* What is said of a pipe is not even looked at. */
	setenv("REMOTE_ADDR", "192.0.2.66", 1);
	for (size_t i = 0; i < COUNT(ends); i++) {
		assert_int_equal(identity_of_socket(ends[i], &who), 0);
		assert_true(who.local && !who.has_address && who.has_ids);
		assert_false(who.is_guess);
		assert_int_equal(who.uid, geteuid());
		assert_int_equal(who.gid, getegid());
		assert_memory_equal(who.text, "unix:uid=", 9);
		close(ends[i]);
	}
	unsetenv("REMOTE_ADDR");
	close(listener);
}

static void
nobody(void **state)
{
	struct identity who;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(identity_of_socket(fd, &who), -ENOTCONN);
	assert_false(who.local || who.has_address || who.has_ids);
	assert_string_equal(who.text, "unknown");
	close(fd);
}

static void
of_pair(struct identity *out)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(identity_of_socket(pair[0], out), 0);
	close(pair[0]);
	close(pair[1]);
}

/* What the environment says, and what is believed of a pipe or a pair then. */
static const struct {
	const char *env[7]; /* names and values */
	const char *address;
	bool local, has_ids;
} claims[] = {
    {{NULL}, NULL, true, false},
    {{"SSH_CONNECTION", "192.0.2.1 50123 192.0.2.2 22"}, NULL, true, true},
    {{"SSH_CONNECTION", " "}, NULL, true, false},
    /* Off this machine. */
    {{"TCPREMOTEIP", "192.0.2.7"}, "192.0.2.7", false, false},
    {{"TCP6REMOTEIP", "2001:db8::7"}, "2001:db8::7", false, false},
    {{"SSLREMOTEIP", "192.0.2.7"}, "192.0.2.7", false, false},
    {{"REMOTE_ADDR", "::ffff:192.0.2.7"}, "192.0.2.7", false, false},
    {{"REMOTE_HOST", "192.0.2.7"}, "192.0.2.7", false, false},
    {{"NCAT_REMOTE_ADDR", "fe80::7%eth0"}, "fe80::7", false, false},
    {{"SOCAT_PEERADDR", "[2001:0db8:0000:0000:0000:0000:0000:0007]"},
	"2001:db8::7", false, false},
    /* Nobody knows where. */
    {{"REMOTE_HOST", "host.example"}, NULL, false, false},
    {{"REMOTE_ADDR", "?"}, NULL, false, false},
    /* Here; but a login of ours says nothing about whom a server accepted. */
    {{"NCAT_REMOTE_ADDR", "127.0.0.1"}, NULL, true, false},
    {{"SOCAT_PEERADDR", "[0000:0000:0000:0000:0000:0000:0000:0001]"}, NULL,
	true, false},
    {{"SOCAT_PEERADDR", "<anon>"}, NULL, true, false},
    {{"SOCAT_PEERADDR", "/run/client"}, NULL, true, false},
    {{"REMOTE_ADDR", "@client"}, NULL, true, false},
    {{"NCAT_REMOTE_ADDR", "localhost"}, NULL, true, false},
    {{"REMOTE_ADDR", "::1", "SSH_CONNECTION", "192.0.2.1 50123 192.0.2.2 22"},
	NULL, true, false},
    {{"REMOTE_ADDR", "", "SSH_CONNECTION", "192.0.2.1 50123 192.0.2.2 22"},
	NULL, true, true},
    /* The worst that is said holds, and of two addresses neither. */
    {{"NCAT_REMOTE_ADDR", "192.0.2.7", "SSH_CONNECTION",
	 "192.0.2.1 50123 192.0.2.2 22"},
	"192.0.2.7", false, false},
    {{"TCPREMOTEIP", "127.0.0.1", "SOCAT_PEERADDR", "192.0.2.7"}, "192.0.2.7",
	false, false},
    {{"REMOTE_ADDR", "192.0.2.7", "NCAT_REMOTE_ADDR", "127.0.0.1"}, "192.0.2.7",
	false, false},
    {{"TCPREMOTEIP", "192.0.2.7", "REMOTE_HOST", "192.0.2.7"}, "192.0.2.7",
	false, false},
    {{"REMOTE_ADDR", "192.0.2.7", "SOCAT_PEERADDR", "192.0.2.8"}, NULL, false,
	false},
    {{"TCPREMOTEIP", "192.0.2.7", "REMOTE_ADDR", "192.0.2.8", "SOCAT_PEERADDR",
	 "192.0.2.7"},
	NULL, false, false},
    {{"TCPREMOTEIP", "192.0.2.7", "REMOTE_HOST", "host.example"}, NULL, false,
	false},
    {{"TCPREMOTEIP", "host.example", "REMOTE_HOST", "192.0.2.7"}, NULL, false,
	false},
};

static void
is_believed(const struct identity *who, size_t i)
{
	bool address = claims[i].address != NULL;
	union addr expected = {0};

	if (who->local != claims[i].local ||
	    who->has_ids != claims[i].has_ids || who->has_address != address)
		fail_msg("%s=%s: local %d, ids %d, address %d",
		    claims[i].env[0], claims[i].env[1], who->local,
		    who->has_ids, who->has_address);
	if (address) {
		assert_int_equal(
		    addr_parse(claims[i].address, 0, &expected), 0);
		assert_true(addr_equal_host(&who->address, &expected));
	}
	assert_true(who->is_guess);
	if (!who->has_ids)
		return;
	assert_int_equal(who->uid, getuid());
	assert_int_equal(who->gid, getgid());
}

static void
pipes_and_pairs(void **state)
{
	struct identity who;

	(void)state;
	for (size_t i = 0; i < COUNT(claims); i++) {
		const char *const *env = claims[i].env;

		for (size_t j = 0; env[j]; j += 2)
			setenv(env[j], env[j + 1], 1);
		identity_of_pipe(&who);
		is_believed(&who, i);
		of_pair(&who);
		is_believed(&who, i);
		for (size_t j = 0; env[j]; j += 2)
			unsetenv(env[j]);
	}
}

/* Of two ends, by what is known of each. */
static void
two_ends(void **state)
{
	static const struct identity guess = {.local = true,
					 .is_guess = true,
					 .has_ids = true,
					 .text = "guess"},
				     here = {.local = true, .text = "here"},
				     away = {.text = "away"},
				     hinted = {
					 .is_guess = true, .text = "hinted"};
	static const struct {
		const struct identity *in, *out, *both;
	} table[] = {
	    {&guess, &guess, &guess},
	    {&guess, &here, &here},
	    {&guess, &away, &away},
	    {&guess, &hinted, &hinted},
	    {&here, &guess, &here},
	    {&here, &away, &away},
	    {&here, &hinted, &hinted},
	    {&away, &guess, &away},
	    {&away, &here, &away},
	    {&away, &hinted, &away},
	    {&hinted, &guess, &hinted},
	    {&hinted, &here, &hinted},
	    {&hinted, &away, &hinted},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct identity who = *table[i].in;

		identity_add_end(&who, table[i].out);
		assert_string_equal(who.text, table[i].both->text);
		assert_int_equal(who.local, table[i].both->local);
		assert_int_equal(who.has_ids, table[i].both->has_ids);
	}
}

/* What a proxy says, to a server that it reached from `from`. */
static struct identity
replaced(bool local, enum proxy_client client, const char *source)
{
	struct identity who = {.local = local, .has_ids = true, .uid = 7};
	struct proxy_header header = {.client = client};

	snprintf(who.text, sizeof(who.text), "as it was");
	if (source)
		assert_int_equal(addr_parse(source, 99, &header.source), 0);
	identity_replace(&who, &header);
	return who;
}

static void
proxies(void **state)
{
	struct identity who;

	(void)state;
	/* Whom it doesn't name may be anybody, whoever the proxy is. */
	who = replaced(true, PROXY_CLIENT_UNKNOWN, NULL);
	assert_false(who.local || who.has_address || who.has_ids);
	assert_string_equal(who.text, "proxied:unknown");
	who = replaced(true, PROXY_CLIENT_AT_ADDRESS, "192.0.2.1");
	assert_true(who.has_address && !who.local && !who.has_ids);
	assert_string_equal(who.text, "192.0.2.1:99");
	/* Its loopback is ours only where it is on this machine. */
	who = replaced(true, PROXY_CLIENT_AT_ADDRESS, "::1");
	assert_true(who.local);
	who = replaced(false, PROXY_CLIENT_AT_ADDRESS, "127.0.0.1");
	assert_true(who.has_address && !who.local);
	who = replaced(true, PROXY_CLIENT_ON_UNIX_SOCKET, NULL);
	assert_false(who.local || who.has_address || who.has_ids);
	assert_string_equal(who.text, "proxied:unix");
}

static bool
is_among(gid_t gid, const gid_t *groups, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

static void
has_our_groups(int fd, bool over_ssh)
{
	const struct identity who = {
	    .has_ids = true, .is_guess = over_ssh, .gid = getegid()};
	gid_t ours[1024], *groups = NULL;
	int n = getgroups(COUNT(ours), ours);
	ssize_t found = identity_groups(&who, fd, &groups);

	assert_true(n >= 0);
	assert_int_equal(found, 1 + n);
	assert_int_equal(groups[0], getegid());
	for (int i = 0; i < n; i++)
		assert_true(is_among(ours[i], groups, found));
	free(groups);
}

static void
groups(void **state)
{
	static const gid_t some[] = {4711, 4712, 4713};
	int pair[2], ends[2];

	(void)state;
	/* Where it is permitted, so that there are any. */
	if (setgroups(COUNT(some), some) < 0)
		assert_int_equal(errno, EPERM);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(pipe(ends), 0);
	has_our_groups(pair[0], false);
	has_our_groups(ends[0], true);
	close(pair[0]);
	close(pair[1]);
	close(ends[0]);
	close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tcp),
	    cmocka_unit_test(unix_sockets),
	    cmocka_unit_test(nobody),
	    cmocka_unit_test(pipes_and_pairs),
	    cmocka_unit_test(two_ends),
	    cmocka_unit_test(proxies),
	    cmocka_unit_test(groups),
	};

	unsetenv("SSH_CONNECTION");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
