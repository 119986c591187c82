#include "resolve.h"
#include "unit.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int pair[2];

static struct io_end
client(void)
{
	return (struct io_end){.fd = pair[0], .kind = IO_SOCKET};
}

/* Every code that getaddrinfo(3) names, and the REP that it leads to. */
static void
eai_codes(void **state)
{
	static const struct {
		int eai, system_errno, error;
		uint8_t rep;
	} table[] = {
	    {0, 0, 0, 0x00},
	    {EAI_ADDRFAMILY, 0, -ENXIO, 0x04},
	    {EAI_AGAIN, 0, -EREMOTEIO, 0x04},
	    {EAI_BADFLAGS, 0, -EINVAL, 0x01},
	    {EAI_FAIL, 0, -EREMOTEIO, 0x04},
	    {EAI_FAMILY, 0, -EINVAL, 0x01},
	    {EAI_MEMORY, 0, -ENOMEM, 0x01},
	    {EAI_NODATA, 0, -ENXIO, 0x04},
	    {EAI_NONAME, 0, -ENXIO, 0x04},
	    {EAI_SERVICE, 0, -EINVAL, 0x01},
	    {EAI_SOCKTYPE, 0, -EINVAL, 0x01},
	    {EAI_SYSTEM, EMFILE, -EMFILE, 0x01},
	    {EAI_SYSTEM, ENETUNREACH, -ENETUNREACH, 0x03},
	    {EAI_SYSTEM, 0, -EIO, 0x01},
	    {EAI_OVERFLOW, 0, -EINVAL, 0x01},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		int rc = resolve_errno(table[i].eai, table[i].system_errno);

		assert_int_equal(rc, table[i].error);
		assert_int_equal(wire_rep_from_errno(-rc), table[i].rep);
	}
}

static struct wire_destination
named(const char *name)
{
	struct wire_destination dst = {.atyp = WIRE_ATYP_NAME, .port = 80};

	dst.name_len = (uint8_t)strlen(name);
	memcpy(dst.name, name, strlen(name) + 1);
	return dst;
}

static void
resolves_to(const struct wire_destination *dst, const char *expected)
{
	struct addr_list list;
	struct io_end end = client();
	char text[ADDR_TEXT_MAX];

	assert_int_equal(resolve_destination(dst, &end, &list), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(addr_format(&list.at[0].sa, text), expected);
}

/* No look-up, and so no child: PID 1 could not tell us more. */
static void
literals(void **state)
{
	struct wire_destination dst = {.atyp = WIRE_ATYP_IPV4, .port = 80};

	(void)state;
	dst.ipv4.s_addr = htonl(0xc0000201);
	resolves_to(&dst, "192.0.2.1:80");
	dst.atyp = WIRE_ATYP_IPV6;
	dst.ipv6 = in6addr_loopback;
	resolves_to(&dst, "[::1]:80");
	dst.ipv6.s6_addr[10] = dst.ipv6.s6_addr[11] = 0xff;
	resolves_to(&dst, "0.0.0.1:80");
	dst = named("192.0.2.1");
	resolves_to(&dst, "192.0.2.1:80");
	dst = named("::ffff:192.0.2.1");
	resolves_to(&dst, "192.0.2.1:80");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
names_leave_no_child(void **state)
{
	struct wire_destination dst = named("localhost");
	struct io_end end = client();
	struct addr_list list;

	(void)state;
	assert_int_equal(resolve_destination(&dst, &end, &list), 0);
	assert_true(list.count >= 1);
	for (size_t i = 0; i < list.count; i++)
		assert_int_equal(ntohs(list.at[i].in.sin_port), 80);
	dst = named("no-such-name.invalid");
	assert_int_equal(
	    wire_rep_from_errno(-resolve_destination(&dst, &end, &list)),
	    WIRE_REP_HOST_UNREACHABLE);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
the_alarm_and_the_client_end_it(void **state)
{
	struct wire_destination dst = named("localhost");
	struct io_end end = client();
	struct addr_list list;

	(void)state;
	io_alarm(1);
	while (io_interrupted() == 0)
		;
	assert_int_equal(resolve_destination(&dst, &end, &list), -ETIMEDOUT);
	io_alarm(0);
	close(pair[1]);
	assert_int_equal(resolve_destination(&dst, &end, &list), -EPIPE);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(eai_codes),
	    cmocka_unit_test(literals),
	    cmocka_unit_test(names_leave_no_child),
	    cmocka_unit_test(the_alarm_and_the_client_end_it),
	};

	io_signals_init();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
