/* SPDX-License-Identifier: ISC */
#include "net/sockopt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
apply_row(int fd, sa_family_t family, const struct terms *terms,
    enum terms_key key, struct fault *fault)
{
	const struct terms_row *row = &terms_rows[key];
	const void *value = (const char *)terms + row->offset;
	bool other = family == AF_INET6 && row->sockopt[1].name;
	int level = row->sockopt[other].level, name = row->sockopt[other].name;
	char text[TERMS_TEXT_MAX];
	int number, error;

	if (!name || !*terms_value(terms, key, text))
		return 0;
	if (row->kind == TERMS_NUMBER) {
		number = (int)*(const uint64_t *)value;
		value = &number;
	}
	if (setsockopt(fd, level, name, value,
		value == &number ? sizeof(number) : (socklen_t)strlen(text)) ==
	    0)
		return 0;
	error = errno;
	if (error == ENODEV)
		return fault_set(fault, error, "%s=%s: there is no such %s",
		    row->word, text, row->word);
	if (error == EPERM && row->needs)
		return fault_set(fault, error, "%s=%s needs %s", row->word,
		    text, row->needs);
	return fault_set(
	    fault, error, "%s=%s: %s", row->word, text, strerror(error));
}

static const char *
write_host(const union addr *addr, char out[INET6_ADDRSTRLEN])
{
	return inet_ntop(
	    addr->sa.sa_family, addr_host(addr), out, INET6_ADDRSTRLEN);
}

enum outcome
sockopt_check_family(
    const struct terms *terms, sa_family_t family, struct failure *failure)
{
	bool ipv6 = family == AF_INET6;
	const union addr *other = &terms->source.at[!ipv6];
	char text[INET6_ADDRSTRLEN];

	if (terms->source.at[ipv6].sa.sa_family != AF_UNSPEC ||
	    other->sa.sa_family == AF_UNSPEC)
		return OUTCOME_DONE;
	return failure_set(failure, OUTCOME_NO_SOURCE, 0,
	    "source=%s is no address to reach %s from", write_host(other, text),
	    ipv6 ? "IPv6" : "IPv4");
}

static int
bind_source(int fd, const union addr *source, struct fault *fault)
{
	const int on = 1;
	char text[INET6_ADDRSTRLEN];
	union addr own = *source;
	bool ipv6 = own.sa.sa_family == AF_INET6;
	int error;

	addr_set_port(&own, 0);
	/*
	 * connect() chooses the port then, and takes one that serves other
	 * targets too; bind() would give each away once only.
	 */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, &own.sa, addr_len(&own)) == 0)
		return 0;
	error = errno;
	write_host(&own, text);
	if (error == EADDRNOTAVAIL)
		return fault_set(fault, error,
		    "source=%s is no address of this machine", text);
	if (ipv6 && error == EINVAL &&
	    IN6_IS_ADDR_LINKLOCAL(&own.in6.sin6_addr))
		return fault_set(fault, error,
		    "source=%s is link-local and needs an interface", text);
	return fault_set(fault, error, "source=%s: %s", text, strerror(error));
}

/* A link-local source is looked for at the interface, which goes first. */
int
sockopt_apply(
    int fd, sa_family_t family, const struct terms *terms, struct fault *fault)
{
	const union addr *source = &terms->source.at[family == AF_INET6];
	int rc = 0;

	for (int key = 0; key < TERMS_KEYS && rc == 0; key++)
		rc = apply_row(fd, family, terms, (enum terms_key)key, fault);
	if (rc == 0 && source->sa.sa_family == family)
		rc = bind_source(fd, source, fault);
	return rc;
}

int
sockopt_open(const struct terms *terms, sa_family_t family, int type,
    int protocol, struct failure *failure)
{
	int fd;

	if (sockopt_check_family(terms, family, failure) != OUTCOME_DONE)
		return -1;
	fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd < 0) {
		failure_of_system(failure, errno);
		return -1;
	}
	failure_set(failure, OUTCOME_TERMS_UNMET, 0, NULL);
	if (sockopt_apply(fd, family, terms, &failure->cause) == 0)
		return fd;
	close(fd);
	return -1;
}

enum outcome
sockopt_find_own(const union addr *there, const struct terms *terms,
    union addr *out, struct failure *failure)
{
	union addr to = *there, own;
	socklen_t len = sizeof(own);
	int fd = sockopt_open(terms, to.sa.sa_family, SOCK_DGRAM, 0, failure);

	if (fd < 0)
		return failure->outcome;
	addr_set_port(&to, 9); /* any but 0 */
	failure->outcome = OUTCOME_DONE;
	if (connect(fd, &to.sa, addr_len(&to)) < 0 ||
	    getsockname(fd, &own.sa, &len) < 0)
		failure_of_connect(failure, errno);
	else
		*out = own;
	close(fd);
	return failure->outcome;
}
