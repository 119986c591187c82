/* SPDX-License-Identifier: ISC */
#include "policy/identity.h"
#include "unit.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/socket.h>

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
		struct identity who;
		union addr client;
		char text[ADDR_TEXT_MAX];
		int far, fd = tcp_from(texts[i], &client, &far);

		assert_int_equal(identity_of_socket(fd, &who), 0);
		assert_true(who.local && who.has_address && !who.has_ids);
		assert_true(addr_equal(&who.address, &client));
		assert_string_equal(who.text, addr_format(&client.sa, text));
		close(fd);
		close(far);
	}
}

static void
unix_sockets(void **state)
{
	struct identity who;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(identity_of_socket(pair[0], &who), 0);
	assert_true(who.local && !who.has_address && who.has_ids);
	assert_int_equal(who.uid, geteuid());
	assert_int_equal(who.gid, getegid());
	close(pair[0]);
	close(pair[1]);
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

/* Of a pipe nothing is known, but over ssh whom this process runs as. */
static void
pipes(void **state)
{
	struct identity who;

	(void)state;
	unsetenv("SSH_CONNECTION");
	identity_of_pipe(&who);
	assert_true(who.local && !who.has_address && !who.has_ids);
	setenv("SSH_CONNECTION", "192.0.2.1 50123 192.0.2.2 22", 1);
	identity_of_pipe(&who);
	assert_true(who.local && !who.has_address && who.has_ids);
	assert_int_equal(who.uid, getuid());
	assert_int_equal(who.gid, getgid());
	unsetenv("SSH_CONNECTION");
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
has_our_groups(int fd)
{
	const struct identity who = {.has_ids = true, .gid = getegid()};
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
	has_our_groups(pair[0]);
	has_our_groups(ends[0]);
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
	    cmocka_unit_test(pipes),
	    cmocka_unit_test(proxies),
	    cmocka_unit_test(groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
