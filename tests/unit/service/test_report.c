/* SPDX-License-Identifier: ISC */
/*
 * What the listening service says of itself: to a service manager that is a
 * socket of this test, and on standard error.
 */
#include "base/io.h"
#include "base/log.h"
#include "service/report.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PACE_MS 1000

static int manager;
static struct report report;

static int
set_up(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@test_report.%d", getpid());
	memcpy(un.sun_path + 1, name + 1, strlen(name) - 1);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(manager, (struct sockaddr *)&un,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			    strlen(name))) < 0)
		return -1;
	setenv("NOTIFY_SOCKET", name, 1);
	unsetenv("WATCHDOG_USEC");
	report = (struct report){0};
	log_open(LOG_TO_STDERR);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	return close(manager);
}

/* The next that the manager was told; "" where that was all. */
static const char *
told(void)
{
	static char text[256];
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* What came to standard error since listen_to_stderr(). */
static const char *
said(void)
{
	static char text[1024];

	what_stderr_said(text, sizeof(text));
	return text;
}

static void
ready_then_what_is_so(void **state)
{
	(void)state;
	report_ready(&report);
	assert_string_equal(
	    told(), "READY=1\nSTATUS=0 clients, 0 refused, 0 in all");
	assert_string_equal(told(), "");
	report_served(&report);
	report_served(&report);
	report_clients(&report, 1);
	report_stopping(&report);
	assert_string_equal(
	    told(), "STOPPING=1\nSTATUS=1 clients, 0 refused, 2 in all");
	/* There is no watchdog, and nothing is new. */
	assert_int_equal(report_next(&report), 0);
	report_clients(&report, 1);
	assert_int_equal(report_next(&report), 0);
	report_due(&report, INT64_MAX);
	assert_string_equal(told(), "");
}

static void
status_once_a_second(void **state)
{
	int64_t before = io_now_ms(), next;

	(void)state;
	report_ready(&report);
	told();
	for (int i = 0; i < 100; i++)
		report_served(&report);
	next = report_next(&report);
	assert_in_range(next, before + PACE_MS, io_now_ms() + PACE_MS);
	report_due(&report, next - 1);
	assert_string_equal(told(), "");
	report_due(&report, next);
	assert_string_equal(
	    told(), "STATUS=100 clients, 0 refused, 100 in all");
	assert_string_equal(told(), "");
	assert_int_equal(report_next(&report), 0);
	/* One less is something new, and so is one that was refused. */
	report_clients(&report, 99);
	assert_int_not_equal(report_next(&report), 0);
	report_due(&report, report_next(&report));
	assert_string_equal(told(), "STATUS=99 clients, 0 refused, 100 in all");
}

static void
refusals_once_a_second(void **state)
{
	int64_t before = io_now_ms(), next;

	(void)state;
	report_ready(&report);
	listen_to_stderr();
	for (int i = 0; i < 4; i++)
		report_refused(
		    &report, i ? "others" : "192.0.2.1:5", "max-clients");
	assert_string_equal(said(),
	    "socks5-handler: 192.0.2.1:5 was refused: as many clients as "
	    "--max-clients permits are served already\n");
	assert_false(report.told);
	report.told = true; /* from here on, refusals alone */
	next = report_next(&report);
	assert_in_range(next, before + PACE_MS, io_now_ms() + PACE_MS);
	listen_to_stderr();
	report_due(&report, next - 1);
	report_due(&report, next);
	report_due(&report, next);
	assert_string_equal(
	    said(), "socks5-handler: clients refused beyond these: 3\n");
	assert_int_equal(report_next(&report), 0);
	/* Which was a sentence, too. */
	assert_int_equal(report.say_again_ms, next + PACE_MS);
	listen_to_stderr();
	report_refused(&report, "192.0.2.2:5", "max-clients");
	assert_string_equal(said(), "");
	report.say_again_ms = io_now_ms();
	listen_to_stderr();
	report_refused(&report, "192.0.2.3:5", "max-per-source");
	report_log(&report);
	assert_string_equal(said(),
	    "socks5-handler: 192.0.2.3:5 was refused: as many clients as "
	    "--max-per-source permits are served already\n"
	    "socks5-handler: 0 clients, 6 refused, 0 in all\n");
}

static void
a_rest_is_said_once(void **state)
{
	(void)state;
	listen_to_stderr();
	report_rested(&report);
	report_resting(&report, "accept", EMFILE);
	report_resting(&report, "fork", EAGAIN);
	report_rested(&report);
	report_rested(&report);
	report_resting(&report, "fork", EAGAIN);
	assert_string_equal(said(),
	    "socks5-handler: accept: Too many open files; clients wait\n"
	    "socks5-handler: clients are served again\n"
	    "socks5-handler: fork: Resource temporarily unavailable; clients "
	    "wait\n");
}

/* In half the time that the manager would wait. */
static void
the_watchdog_is_fed(void **state)
{
	int64_t before = io_now_ms(), next;

	(void)state;
	setenv("WATCHDOG_USEC", "4000000", 1);
	report_ready(&report);
	told();
	next = report_next(&report);
	assert_in_range(next, before + 2000, io_now_ms() + 2000);
	report_due(&report, next - 1);
	assert_string_equal(told(), "");
	report_due(&report, next + 5);
	assert_string_equal(told(), "WATCHDOG=1");
	assert_string_equal(told(), "");
	assert_int_equal(report_next(&report), next + 5 + 2000);
	/* What comes earlier is done earlier. */
	report_served(&report);
	assert_true(report_next(&report) < next);
}

static void
reloading(void **state)
{
	unsigned long long usec = 0, before = (unsigned long long)io_now_ms();
	int len = 0;

	(void)state;
	report_ready(&report);
	told();
	report_reloading(&report);
	assert_int_equal(sscanf(told(),
			     "RELOADING=1\nMONOTONIC_USEC=%llu\n"
			     "STATUS=0 clients, 0 refused, 0 in all%n",
			     &usec, &len),
	    1);
	assert_int_not_equal(len, 0);
	assert_in_range(usec / 1000, before, (unsigned long long)io_now_ms());
}

/* Its queue is full, and then isn't any more. */
static void
fill_queue(void)
{
	report.ready = report.told = true;
	while (report.told) {
		report_served(&report);
		report.tell_again_ms = 0;
		report_due(&report, io_now_ms());
	}
	report = (struct report){0};
}

static void
drain_queue(void)
{
	while (*told())
		;
}

static void
ready_in_the_end(void **state)
{
	(void)state;
	fill_queue();
	report_ready(&report);
	drain_queue();
	report_due(&report, report_next(&report));
	assert_string_equal(
	    told(), "READY=1\nSTATUS=0 clients, 0 refused, 0 in all");
	assert_int_equal(report_next(&report), 0);
}

static void
reloading_before_ready(void **state)
{
	(void)state;
	fill_queue();
	report.ready = true;
	report_reloading(&report);
	report_ready(&report);
	drain_queue();
	report_due(&report, report_next(&report));
	assert_memory_equal(told(), "RELOADING=1\nMONOTONIC_USEC=", 27);
	assert_memory_equal(told(), "READY=1\nSTATUS=", 15);
	assert_string_equal(told(), "");
}

static void
the_watchdog_is_fed_in_the_end(void **state)
{
	int64_t next;

	(void)state;
	setenv("WATCHDOG_USEC", "4000000", 1);
	report_ready(&report);
	next = report_next(&report);
	while (
	    report_due(&report, report.feed_ms), report.feed_ms == next + 2000)
		next += 2000;
	drain_queue();
	next = report.feed_ms;
	report_due(&report, next);
	assert_string_equal(told(), "WATCHDOG=1");
	assert_int_equal(report.feed_ms, next + 2000);
}

static void
lost_records_once_a_second(void **state)
{
	(void)state;
	report_ready(&report);
	listen_to_stderr();
	for (int i = 0; i < 3; i++)
		report_lost(&report);
	assert_in_range(report_next(&report), 1, io_now_ms());
	report_due(&report, io_now_ms());
	report_lost(&report);
	report_due(&report, io_now_ms());
	assert_string_equal(
	    said(), "socks5-handler: records that no log took: 3\n");
	assert_int_not_equal(report_next(&report), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		ready_then_what_is_so, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		status_once_a_second, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		refusals_once_a_second, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_rest_is_said_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		the_watchdog_is_fed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(reloading, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		ready_in_the_end, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		reloading_before_ready, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		the_watchdog_is_fed_in_the_end, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		lost_records_once_a_second, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
