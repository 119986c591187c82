/* SPDX-License-Identifier: ISC */
#include "policy/faces.h"
#include "unit.h"

#include <arpa/inet.h>

static union addr
parsed(const char *text)
{
	union addr addr;

	assert_int_equal(addr_parse(text, 80, &addr), 0);
	return addr;
}

/* All the faces of an address but its own, "~" before the first other host. */
static void
check_faces(const char *text, const char *expected)
{
	union addr addr = parsed(text);
	char found[FACES_MAX * ADDR_TEXT_MAX] = "", face[ADDR_TEXT_MAX];
	struct faces faces;

	unit_row("%s", text);
	faces_of(&addr, &faces);
	assert_in_range(faces.count, 1, FACES_MAX);
	assert_in_range(faces.same, 1, faces.count);
	assert_true(addr_equal(&faces.at[0], &addr));
	for (size_t i = 1; i < faces.count; i++) {
		if (i == faces.same)
			strcat(found, "~");
		assert_int_equal(faces.at[i].sa.sa_family, AF_INET);
		assert_int_equal(ntohs(faces.at[i].in.sin_port), 80);
		addr_format(&faces.at[i], face);
		face[strlen(face) - strlen(":80")] = ' ';
		face[strlen(face) - strlen("80")] = '\0';
		strcat(found, face);
	}
	assert_string_equal(found, expected);
}

static void
carried(void **state)
{
	(void)state;
	check_faces("192.0.2.1", "");
	check_faces("2001:db8::1", "");
	check_faces("::ffff:192.0.2.1", "");
	check_faces("::192.0.2.1", "~192.0.2.1 ");
	check_faces("::", "");
	check_faces("::1", "");
	check_faces("::2", "~0.0.0.2 ");
	check_faces("::ffff:0:192.0.2.1", "~192.0.2.1 ");
	check_faces("64:ff9b::192.0.2.1", "192.0.2.1 ");
	check_faces("64:ff9b::1:192.0.2.1", "");
	check_faces("64:ff9b:1::192.0.2.1", "~192.0.2.1 ");
	check_faces(
	    "64:ff9b:1:fffe::192.0.2.1", "~192.0.2.1 255.254.0.0 254.0.0.0 ");
	check_faces("64:ff9b:2::192.0.2.1", "");
	/* Of each length of prefix; the byte in the middle is no part of it. */
	check_faces("64:ff9b:1:c000:2:100::", "~0.0.0.0 192.0.2.1 2.1.0.0 ");
	check_faces(
	    "64:ff9b:1:fcc0:0:201::", "~0.0.0.0 252.192.0.2 192.0.2.1 ");
	check_faces("64:ff9b:1:a:c0:2:100:0", "~1.0.0.0 10.192.0.2 192.0.2.1 ");
	check_faces(
	    "64:ff9b:1:c000:ff02:103:405:607", "~4.5.6.7 192.0.2.1 2.1.3.4 ");
	check_faces("2002:c000:201::1", "~192.0.2.1 ");
	check_faces(
	    "2001:0:c000:201:8000:1:3fff:fdfe", "~192.0.2.1 192.0.2.1 ");
	check_faces("2001:db8::5efe:192.0.2.1", "~192.0.2.1 ");
	check_faces("2001:db8::200:5efe:192.0.2.1", "~192.0.2.1 ");
	check_faces("2001:db8::100:5efe:192.0.2.1", "");
	check_faces(
	    "2002:c000:201::5efe:198.51.100.7", "~192.0.2.1 198.51.100.7 ");
	/* As many as there can be. */
	check_faces(
	    "64:ff9b:1:102:3:405:607:809", "~6.7.8.9 1.2.3.4 2.3.4.5 3.4.5.6 ");
	check_faces("64:ff9b:1:102:200:5efe:c000:201",
	    "~192.0.2.1 1.2.0.94 2.0.94.254 192.0.2.1 ");
	check_faces("2001:0:c000:201:0:5efe:3fff:fdfe",
	    "~192.0.2.1 192.0.2.1 63.255.253.254 ");
}

static bool
is_internal(const char *text)
{
	union addr addr = parsed(text);
	struct faces faces;

	faces_of(&addr, &faces);
	return faces_are_internal(&faces);
}

static void
internal(void **state)
{
	static const char *const yes[] = {"127.0.0.1", "127.255.255.255",
	    "0.0.0.0", "0.255.255.255", "100.64.0.0", "100.127.255.255",
	    "169.254.169.254", "224.0.0.1", "239.255.255.255",
	    "255.255.255.255", "168.63.129.16", "::", "::1", "fe80::1",
	    "febf:ffff::1", "ff02::1", "fd00:ec2::254", "fd20:ce::254",
	    "fd00:c1::a9fe:a9fe", "fd00:42::42", "fd00:a9fe:a9fe::1",
	    "fd00:100::100:200", "192.0.0.192", "64:ff9b::192.0.0.192"};
	static const char *const no[] = {"1.0.0.0", "126.255.255.255",
	    "128.0.0.0", "10.0.0.1", "100.63.255.255", "100.128.0.0",
	    "169.253.255.255", "169.255.0.0", "192.168.0.1", "223.255.255.255",
	    "240.0.0.0", "255.255.255.254", "168.63.129.17", "2001:db8::1",
	    "fe7f::1", "fec0::1", "fd00::1", "2606:4700::1111",
	    "fd00:c1::a9fe:a9ff", "fd00:42::43", "fd00:a9fe:a9fe::2",
	    "fd00:100::100:201", "192.0.0.191", "192.0.0.193",
	    "64:ff9b::8.8.8.8", "64:ff9b:1::8.8.8.8", "2002:808:808::1",
	    "2001:0:808:808::f7f7:f7f7"};

	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++) {
		unit_row("%s", yes[i]);
		assert_true(is_internal(yes[i]));
	}
	for (size_t i = 0; i < COUNT(no); i++) {
		unit_row("%s", no[i]);
		assert_false(is_internal(no[i]));
	}
}

/* Each disguise of each kind of internal IPv4 address, and of another. */
static void
internal_in_disguise(void **state)
{
	static const struct {
		const char *plain, *hex, *inverted;
		bool internal;
	} addresses[] = {
	    {"127.0.0.1", "7f00:1", "80ff:fffe", true},
	    {"0.0.0.0", "0:0", "ffff:ffff", true},
	    {"169.254.169.254", "a9fe:a9fe", "5601:5601", true},
	    {"100.100.100.200", "6464:64c8", "9b9b:9b37", true},
	    {"224.0.0.1", "e000:1", "1fff:fffe", true},
	    {"255.255.255.255", "ffff:ffff", "0:0", true},
	    {"192.0.2.1", "c000:201", "3fff:fdfe", false},
	};
	static const char *const disguises[] = {"",
	    "::ffff:", "::", "::ffff:0:", "64:ff9b::", "64:ff9b:1::",
	    "64:ff9b:1:2:3::", "2001:db8::5efe:", "2001:db8::200:5efe:"};
	char text[80];

	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		unit_row("%s", addresses[i].plain);
		bool expected = addresses[i].internal;

		for (size_t j = 0; j < COUNT(disguises); j++) {
			snprintf(text, sizeof(text), "%s%s", disguises[j],
			    addresses[i].plain);
			assert_int_equal(is_internal(text), expected);
		}
		snprintf(text, sizeof(text), "2002:%s::1", addresses[i].hex);
		assert_int_equal(is_internal(text), expected);
		snprintf(text, sizeof(text), "2001:0:%s:8000:1:3fff:fdfe",
		    addresses[i].hex);
		assert_int_equal(is_internal(text), expected);
		snprintf(text, sizeof(text), "2001:0:c000:201:8000:1:%s",
		    addresses[i].inverted);
		assert_int_equal(is_internal(text), expected);
	}
	/* RFC 6052 below 64:ff9b:1::/48, by the length of the prefix, without
	 * and with something behind the address. */
	assert_true(is_internal("64:ff9b:1:7f00:0:100::"));
	assert_true(is_internal("64:ff9b:1:a9fe:a9:fe00::"));
	assert_true(is_internal("64:ff9b:1:a9fe:a9:fe00:101:101"));
	assert_true(is_internal("64:ff9b:1:aa9:fe:a9fe::"));
	assert_true(is_internal("64:ff9b:1:aa9:fe:a9fe:101:101"));
	assert_true(is_internal("64:ff9b:1:a:7f:0:100:0"));
	assert_true(is_internal("64:ff9b:1:a:a9:fea9:fe01:101"));
	assert_true(is_internal("64:ff9b:1:102:304:506:a9fe:a9fe"));
	assert_false(is_internal("64:ff9b:1:a:c0:2:100:0"));
	assert_false(is_internal("64:ff9b:1:c000:2:101:101:101"));
}

static void
internal_networks(void **state)
{
	static const struct {
		const char *text;
		bool internal;
	} table[] = {
	    {"127.0.0.0/8", true},
	    {"127.0.0.1", true},
	    {"126.0.0.0/7", false},
	    {"169.254.0.0/16", true},
	    {"::ffff:127.0.0.0/104", true},
	    {"192.0.2.0/24", false},
	    {"0.0.0.0/0", false},
	    {"0.0.0.0/8", true},
	    {"::/0", false},
	    {"::1", true},
	    {"::/127", false},
	    {"fe80::/10", true},
	    {"fe00::/9", false},
	    {"ff02::/16", true},
	    /* The first bytes of 127.0.0.0/8 are not it. */
	    {"7f00::/8", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		unit_row("%s", table[i].text);
		struct addr_network net;

		assert_int_equal(addr_network_parse(table[i].text,
				     strlen(table[i].text), &net),
		    0);

		assert_int_equal(
		    faces_network_is_internal(&net), table[i].internal);
	}
}

/* As a socket that is for both families has it. */
static void
mapped(void **state)
{
	union addr addr = {.in6 = {.sin6_family = AF_INET6}};
	struct faces faces;

	(void)state;
	inet_pton(AF_INET6, "::ffff:127.1.2.3", &addr.in6.sin6_addr);
	faces_of(&addr, &faces);
	assert_int_equal(faces.count, 1);
	assert_int_equal(faces.at[0].sa.sa_family, AF_INET);
	assert_true(faces_are_internal(&faces));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(carried),
	    cmocka_unit_test(internal),
	    cmocka_unit_test(internal_in_disguise),
	    cmocka_unit_test(internal_networks),
	    cmocka_unit_test(mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
