/* SPDX-License-Identifier: ISC */
/*
 * addr: socket addresses as values: made, parsed, printed, compared, ordered.
 *
 * Pure functions, no system calls, no allocation. Ports are in host byte order
 * wherever they stand alone.
 */
#ifndef ADDR_H
#define ADDR_H

#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* "[" IPv6 "%" scope "]:" port NUL; the longest is shorter. */
#define ADDR_TEXT_MAX 80

/* Longest name of a host, RFC 1928's. */
#define ADDR_HOST_MAX 255

/* More addresses than any name in use has; a longer answer is cut here. */
#define ADDR_LIST_MAX 64

/* Something that can be connected to; of vsock, what a client may be. */
union addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_vm vm;
};

struct addr_list {
	size_t count;
	union addr at[ADDR_LIST_MAX];
};

/* A network in prefix form. An IPv4-mapped one is IPv4. */
struct addr_network {
	uint8_t bits[16]; /* network byte order; the first 4 for IPv4 */
	uint8_t prefix;   /* of how many bits, 0 to 32 or 128 */
	bool ipv6;
};

/*
 * Of AF_INET or AF_INET6, from the bytes of the host's address; an IPv4-mapped
 * one (::ffff:a.b.c.d) becomes the IPv4 address it is.
 */
void addr_set(
    sa_family_t family, const void *host, uint16_t port, union addr *out);

/*
 * An address literal as inet_pton(3) takes it ("192.0.2.1", "2001:db8::1"; no
 * brackets, no scope). 0, or -EINVAL when the text is none.
 */
int addr_parse(const char *text, uint16_t port, union addr *out);

/*
 * An address however a resolver may take it where a host is wanted, without
 * looking anything up: as inet_aton(3) does ("127.1", "0x7f.1", "2130706433"),
 * with a dot behind it, as inet_pton(3), in brackets, with a scope.
 * 0; 1 when there is a scope ("fe80::1%eth0"), which is left out; or -EINVAL
 * when the text, of at most ADDR_HOST_MAX bytes, is none.
 */
int addr_parse_host(const char *text, uint16_t port, union addr *out);

/*
 * "192.0.2.0/24", "2001:db8::/32", or an address alone, which is a network of
 * one; `text` needs no NUL. 0, or -EINVAL: no address in it; -ERANGE: the
 * prefix is no number, or too long; -EDOM: bits are set behind the prefix.
 */
int addr_network_parse(const char *text, size_t len, struct addr_network *out);

/* An IPv4-mapped address is IPv4, and in no IPv6 network. */
bool addr_network_has(
    const struct addr_network *network, const union addr *addr);

/* Every address of `other` is in it. */
bool addr_network_includes(
    const struct addr_network *network, const struct addr_network *other);

/* 127.0.0.0/8 or ::1, IPv4-mapped too. */
bool addr_is_loopback(const union addr *addr);

/* An IPv4-mapped address as the IPv4 one it is, any other as it stands. */
union addr addr_unmapped(const union addr *addr);

bool addr_is_inet(const union addr *addr);

/* The bytes of the host's address, 4 or 16 in network byte order. */
const void *addr_host(const union addr *addr);
size_t addr_host_len(const union addr *addr);

/* The port of either family, and another one in its place. */
uint16_t addr_port(const union addr *addr);
void addr_set_port(union addr *addr, uint16_t port);

/* For bind(2) and connect(2). */
socklen_t addr_len(const union addr *addr);

/* Same family, address, port and scope; an IPv4-mapped address is IPv4. */
bool addr_equal(const union addr *a, const union addr *b);

/* The same without the ports: the same host. */
bool addr_equal_host(const union addr *a, const union addr *b);

/*
 * "192.0.2.1:80" or "[2001:db8::1]:80", IPv4-mapped addresses as IPv4, a scope
 * as its index; "vsock:CID:PORT"; "" for any other family. Returns out.
 */
char *addr_format(const union addr *addr, char out[ADDR_TEXT_MAX]);

/*
 * Reorders a list that is sorted by preference: the families take turns,
 * beginning with the first entry's; within a family the order stays (RFC 8305
 * section 4, with a First Address Family Count of 1).
 */
void addr_interleave(struct addr_list *list);

/* The same, beginning with this family's first entry where there is one. */
void addr_prefer(struct addr_list *list, sa_family_t family);

#endif
