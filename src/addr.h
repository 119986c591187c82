/*
 * addr: socket addresses as values: made, parsed, printed, compared, ordered.
 *
 * Pure functions, no system calls, no allocation. Ports are in host byte order
 * wherever they stand alone.
 */
#ifndef ADDR_H
#define ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* "[" IPv6 "%" scope "]:" port NUL; the longest is shorter. */
#define ADDR_TEXT_MAX 80

/* More addresses than any name in use has; a longer answer is cut here. */
#define ADDR_LIST_MAX 64

/* Something that can be connected to. */
union addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct addr_list {
	size_t count;
	union addr at[ADDR_LIST_MAX];
};

void addr_set_ipv4(union addr *out, struct in_addr ipv4, uint16_t port);

/* An IPv4-mapped address (::ffff:a.b.c.d) becomes the IPv4 address it is. */
void addr_set_ipv6(union addr *out, const struct in6_addr *ipv6, uint16_t port);

/*
 * An address literal as inet_pton(3) takes it ("192.0.2.1", "2001:db8::1"; no
 * brackets, no scope). 0, or -EINVAL when the text is none.
 */
int addr_parse(const char *text, uint16_t port, union addr *out);

/* For bind(2) and connect(2). */
socklen_t addr_len(const union addr *addr);

/* Same family, address, port and scope; an IPv4-mapped address is IPv4. */
bool addr_equal(const union addr *a, const union addr *b);

/*
 * "192.0.2.1:80" or "[2001:db8::1]:80", IPv4-mapped addresses as IPv4, a scope
 * as its index; "vsock:CID:PORT"; "" for any other family. Returns out.
 */
char *addr_format(const struct sockaddr *sa, char out[ADDR_TEXT_MAX]);

/*
 * Reorders a list that is sorted by preference: the families take turns,
 * beginning with the first entry's; within a family the order stays (RFC 8305
 * section 4, with a First Address Family Count of 1).
 */
void addr_interleave(struct addr_list *list);

#endif
