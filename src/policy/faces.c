/* SPDX-License-Identifier: ISC */
#include "policy/faces.h"

#include <string.h>

/* Where IPv6 addresses carry IPv4 ones, and at which byte. */
static const struct disguise {
	struct addr_network network;
	uint8_t at;
	bool inverted;
} disguises[] = {
    {{{0}, 96, true}, 12, false},                            /* compatible */
    {{{[8] = 0xff, 0xff}, 96, true}, 12, false},             /* translated */
    {{{0x00, 0x64, 0xff, 0x9b, 0, 1}, 48, true}, 12, false}, /* local NAT64 */
    {{{0x20, 0x02}, 16, true}, 2, false},                    /* 6to4 */
    {{{0x20, 0x01, 0, 0}, 32, true}, 4, false},              /* Teredo server */
    {{{0x20, 0x01, 0, 0}, 32, true}, 12, true},              /* Teredo client */
};

/* The same host, and one that may be anywhere. */
static const struct addr_network nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96, true};
static const struct addr_network nat64_local = {
    {0x00, 0x64, 0xff, 0x9b, 0, 1}, 48, true};

/* :: and ::1 look IPv4-compatible, and are not. */
static const struct addr_network unspecified_or_loopback = {{0}, 127, true};

static void
add_face(struct faces *faces, const uint8_t ipv4[4], bool inverted)
{
	union addr *face = &faces->at[faces->count++];

	addr_set(AF_INET, ipv4, addr_port(&faces->at[0]), face);
	if (inverted)
		face->in.sin_addr.s_addr = ~face->in.sin_addr.s_addr;
}

/*
 * RFC 6052 section 2.2: what begins at byte `at`, where a shorter prefix ends,
 * and leaves byte 8 out. Nobody can tell which prefix a network uses; but a
 * zero in front belongs to a longer one: to 0.0.0.0/8 nothing is translated.
 */
static void
add_embedded(struct faces *faces, const uint8_t ipv6[16], size_t at)
{
	uint8_t ipv4[4];

	for (size_t i = 0; i < sizeof(ipv4); i++, at++) {
		if (at == 8)
			at++;
		ipv4[i] = ipv6[at];
	}
	if (ipv4[0])
		add_face(faces, ipv4, false);
}

void
faces_of(const union addr *addr, struct faces *out)
{
	static const uint8_t isatap[] = {0x00, 0x5e, 0xfe};
	const union addr *self = &out->at[0];
	const uint8_t *ipv6 = self->in6.sin6_addr.s6_addr;

	out->at[0] = addr_unmapped(addr);
	out->count = out->same = 1;
	if (self->sa.sa_family != AF_INET6 ||
	    addr_network_has(&unspecified_or_loopback, self))
		return;
	if (addr_network_has(&nat64, self)) {
		add_face(out, ipv6 + 12, false);
		out->same = out->count;
	}
	for (size_t i = 0; i < sizeof(disguises) / sizeof(*disguises); i++) {
		const struct disguise *d = &disguises[i];

		if (addr_network_has(&d->network, self))
			add_face(out, ipv6 + d->at, d->inverted);
	}
	if (addr_network_has(&nat64_local, self)) {
		add_embedded(out, ipv6, 6);
		add_embedded(out, ipv6, 7);
		add_embedded(out, ipv6, 9);
	}
	/* The universal bit in front of it may be set or not. */
	if ((ipv6[8] & ~0x02) == 0 &&
	    memcmp(ipv6 + 9, isatap, sizeof(isatap)) == 0)
		add_face(out, ipv6 + 12, false);
}

static const struct addr_network internal[] = {
    {{0}, 8, false},                      /* "this network" */
    {{100, 64}, 10, false},               /* shared, RFC 6598 */
    {{127}, 8, false},                    /* loopback */
    {{168, 63, 129, 16}, 32, false},      /* Azure's platform */
    {{169, 254}, 16, false},              /* link-local */
    {{192, 0, 0, 192}, 32, false},        /* Oracle's metadata */
    {{224}, 4, false},                    /* multicast */
    {{255, 255, 255, 255}, 32, false},    /* broadcast */
    {{0}, 128, true},                     /* unspecified */
    {{[15] = 1}, 128, true},              /* loopback */
    {{0xfd, 0x00, 0x0e, 0xc2}, 32, true}, /* EC2's metadata */
    {{0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54}, 128, true}, /* Google's */
    {{0xfd, 0x00, 0x00, 0xc1, [12] = 0xa9, 0xfe, 0xa9, 0xfe}, 128,
	true},                                          /* Oracle's */
    {{0xfd, 0x00, 0x00, 0x42, [15] = 0x42}, 128, true}, /* Scaleway's */
    {{0xfd, 0x00, 0xa9, 0xfe, 0xa9, 0xfe, [15] = 1}, 128, true}, /* Akamai's */
    {{0xfd, 0x00, 0x01, 0x00, [12] = 0x01, 0x00, 0x02}, 128,
	true},                /* Alibaba's */
    {{0xfe, 0x80}, 10, true}, /* link-local */
    {{0xff}, 8, true},        /* multicast */
};
#define INTERNAL (sizeof(internal) / sizeof(*internal))

bool
faces_are_internal(const struct faces *faces)
{
	for (size_t i = 0; i < faces->count; i++) {
		for (size_t j = 0; j < INTERNAL; j++) {
			if (addr_network_has(&internal[j], &faces->at[i]))
				return true;
		}
	}
	return false;
}

bool
faces_network_is_internal(const struct addr_network *network)
{
	for (size_t i = 0; i < INTERNAL; i++) {
		if (addr_network_includes(&internal[i], network))
			return true;
	}
	return false;
}
