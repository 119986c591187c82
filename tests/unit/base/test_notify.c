/* SPDX-License-Identifier: ISC */
#include "base/notify.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

static void
set_pid(const char *variable, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	setenv(variable, text, 1);
}

/* A socket for datagrams; its name, from `name` on, is in the environment. */
static int
notify_socket(const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_true(strlen(name) <= sizeof(un.sun_path));
	memcpy(un.sun_path, name, strlen(name));
	if (*name == '@')
		un.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&un, len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

/* What came is this, in one piece. */
static void
got(int fd, const char *text)
{
	char data[256];
	ssize_t n = recv(fd, data, sizeof(data), 0);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(data, text, strlen(text));
	/* And nothing else. */
	assert_int_equal(recv(fd, data, sizeof(data), 0), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
notify(void **state)
{
	char directory[] = "/tmp/test_notify.XXXXXX", path[64], abstract[108];
	int fd, rc = 0;

	(void)state;
	assert_int_equal(notify_send("READY=1"), 0);

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/notify", directory);
	fd = notify_socket(path);
	assert_int_equal(notify_send("READY=1"), 0);
	got(fd, "READY=1");
	assert_int_equal(notify_send("STOPPING=1\nSTATUS=0 clients"), 0);
	got(fd, "STOPPING=1\nSTATUS=0 clients");
	assert_non_null(getenv("NOTIFY_SOCKET"));
	/* One that doesn't read is not waited for. */
	for (int i = 0; rc == 0 && i < 100000; i++)
		rc = notify_send("WATCHDOG=1");
	assert_int_equal(rc, -EAGAIN);
	close(fd);
	/* Nobody reads it, or it isn't there: an error, and no signal. */
	assert_true(notify_send("READY=1") < 0);
	unlink(path);
	assert_true(notify_send("READY=1") < 0);
	rmdir(directory);

	snprintf(abstract, sizeof(abstract), "@test_notify.%d", getpid());
	fd = notify_socket(abstract);
	assert_int_equal(notify_send("READY=1"), 0);
	got(fd, "READY=1");
	close(fd);
	/* Up to the longest that there can be. */
	memset(abstract + strlen(abstract), 'x',
	    sizeof(abstract) - 1 - strlen(abstract));
	abstract[sizeof(abstract) - 1] = '\0';
	fd = notify_socket(abstract);
	assert_int_equal(notify_send("READY=1"), 0);
	got(fd, "READY=1");
	close(fd);
	unsetenv("NOTIFY_SOCKET");
}

static void
notify_nobody(void **state)
{
	char longer[256];
	const char *names[] = {longer, "relative", "x"};

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i < COUNT(names); i++) {
		unit_row("%s", names[i]);
		setenv("NOTIFY_SOCKET", names[i], 1);
		assert_true(notify_send("READY=1") < 0);
	}
	unsetenv("NOTIFY_SOCKET");
}

static void
watchdog(void **state)
{
	static const struct {
		const char *usec;
		int64_t ms;
	} table[] = {
	    {"30000000", 15000},
	    {"3000000", 1500},
	    {"2000", 1},
	    {"1", 1},
	    {"", 0},
	    {"0", 0},
	    {"x", 0},
	    {"1s", 0},
	    {"-1", 0},
	    {"18446744073709551615", 0},
	    {"99999999999999999999", 0},
	};

	(void)state;
	assert_int_equal(notify_watchdog_ms(), 0);
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].usec);
		setenv("WATCHDOG_USEC", table[i].usec, 1);
		assert_int_equal(notify_watchdog_ms(), table[i].ms);
		set_pid("WATCHDOG_PID", getpid());
		assert_int_equal(notify_watchdog_ms(), table[i].ms);
		set_pid("WATCHDOG_PID", getppid());
		assert_int_equal(notify_watchdog_ms(), 0);
		unsetenv("WATCHDOG_PID");
	}
	unsetenv("WATCHDOG_USEC");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(notify),
	    cmocka_unit_test(notify_nobody),
	    cmocka_unit_test(watchdog),
	};

	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
