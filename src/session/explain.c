/* SPDX-License-Identifier: ISC */
#include "session/explain.h"
#include "base/io.h"
#include "base/number.h"
#include "net/bind.h"
#include "net/resolve.h"
#include "policy/host.h"
#include "policy/permit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
refuse(const char *option, const char *text, const char *what)
{
	log_fault("%s%s: %s", option, text, what);
	return -EINVAL;
}

/* --from is an address or "local"; --uid the user on a Unix socket. */
static int
read_client(const struct config_explain *ask, struct identity *out)
{
	const struct passwd *user;

	*out = (struct identity){.local = true};
	if (ask->from && strcmp(ask->from, "local") != 0) {
		if (addr_parse(ask->from, 0, &out->address) < 0)
			return refuse("--from=", ask->from,
			    "not an address; write for example "
			    "--from=192.0.2.1, or --from=local");
		out->has_address = true;
		out->local = addr_is_loopback(&out->address);
	}
	if (!ask->uid)
		return 0;
	if (number_read_id(ask->uid, strlen(ask->uid), &out->uid) < 0)
		return refuse("--uid=", ask->uid,
		    "not a number; write for example --uid=1000");
	user = getpwuid(out->uid);
	out->has_ids = true;
	out->gid = user ? user->pw_gid : (gid_t)-1;
	return 0;
}

static int
read_command(const char *text, enum rules_command *out)
{
	static const struct {
		const char *name;
		enum rules_command command;
	} commands[] = {
	    {"connect", RULES_CONNECT},
	    {"bind", RULES_BIND},
	    {"udp", RULES_UDP},
	    {"resolve", RULES_RESOLVE},
	};

	*out = RULES_CONNECT;
	if (!text)
		return 0;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(commands[i].name, text) == 0) {
			*out = commands[i].command;
			return 0;
		}
	}
	return refuse("--command=", text,
	    "no such command; write connect, bind, udp or resolve");
}

static int
read_target(const struct config_explain *ask, struct wire_destination *out)
{
	size_t len = strlen(ask->host);
	union addr addr;
	uint64_t port;

	if (number_read(ask->port, strlen(ask->port), UINT16_MAX, &port) < 0)
		return refuse(
		    "", ask->port, "not a port; write for example 443");
	*out = (struct wire_destination){.port = (uint16_t)port};
	if (addr_parse(ask->host, 0, &addr) == 0 &&
	    addr.sa.sa_family == AF_INET) {
		out->atyp = WIRE_ATYP_IPV4;
		out->ipv4 = addr.in.sin_addr;
		return 0;
	}
	if (inet_pton(AF_INET6, ask->host, &out->ipv6) == 1) {
		out->atyp = WIRE_ATYP_IPV6;
		return 0;
	}
	out->atyp = WIRE_ATYP_NAME;
	if (len < sizeof(out->name)) {
		memcpy(out->name, ask->host, len);
		out->name_len = (uint8_t)len;
	}
	if (wire_check_destination(out) < 0)
		return refuse("", ask->host,
		    "no name that a client may ask "
		    "for; write for example "
		    "www.example.org");
	return 0;
}

/* --- the answer ----------------------------------------------------------- */

/* Who asks for what. */
struct question {
	const struct config *config;
	struct identity who;
	enum rules_command command;
	struct wire_destination dst;
	struct permit permit;
};

static void
print_line(const struct rules *rules, const struct rules_line *line)
{
	if (line)
		printf("%s:%u: %.*s\n", rules->file, line->number,
		    (int)line->len, rules->text + line->text);
	else
		printf("%s: no line matches, so it is denied\n", rules->file);
}

/* Without the port. */
static void
print_host(const union addr *addr)
{
	char text[ADDR_TEXT_MAX];

	addr_format(&addr->sa, text);
	*strrchr(text, ':') = '\0';
	fputs(text, stdout);
}

/* Our own address on the way there: what is set, or what the kernel would
 * choose. */
static void
print_source(const union addr *to, const struct terms *terms, const char *where)
{
	bool ipv6 = to->sa.sa_family == AF_INET6;
	union addr own = terms->source.at[ipv6];
	socklen_t len = sizeof(own);
	int fd;

	if (terms->source.same) {
		printf("%s the address that the client has reached", where);
		return;
	}
	fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (own.sa.sa_family == AF_UNSPEC &&
	    (fd < 0 || connect(fd, &to->sa, addr_len(to)) < 0 ||
		getsockname(fd, &own.sa, &len) < 0)) {
		printf("%s nowhere: %s", where, strerror(errno));
	} else {
		printf("%s ", where);
		print_host(&own);
	}
	close(fd);
}

static void
print_terms(const struct question *q, const struct terms *terms)
{
	struct terms held = *terms;
	char text[TERMS_TEXT_MAX];

	if (q->command == RULES_UDP)
		held.rate = 0;
	puts(terms_describe(&held, text));
}

/* Where it is not 00; of a datagram nobody is told. */
static void
print_refusal(const struct question *q, uint8_t rep)
{
	if (q->command == RULES_UDP)
		puts("reply: 00, and the datagram is dropped");
	else
		printf("reply: %02x\n", rep);
}

/* Each address with its line, in the order in which they are tried. */
static void
print_addresses(const struct question *q, const struct addr_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct permit one = q->permit;
		struct addr_list alone = {.count = 1, .at = {list->at[i]}};
		struct terms terms = q->config->terms;
		char text[ADDR_TEXT_MAX];
		bool allowed = permit_addresses(&one, &alone) == 0;

		if (q->command == RULES_RESOLVE)
			print_host(&list->at[i]);
		else
			fputs(addr_format(&list->at[i].sa, text), stdout);
		printf(": %s", allowed ? "allowed" : "denied");
		permit_terms(&one, &terms);
		if (allowed && q->command & (RULES_CONNECT | RULES_UDP))
			print_source(&list->at[i], &terms, ", from");
		printf(", by ");
		print_line(&q->config->rules, one.by[0]);
	}
}

/* What is done, and said, once it may go to any of these. */
static void
print_success(struct question *q, struct addr_list *list)
{
	struct terms terms = q->config->terms;
	const union addr first = list->at[0];
	struct addr_list some;

	permit_take(&q->permit, list, &some, &terms);
	print_terms(q, &terms);
	if (q->command == RULES_BIND) {
		print_source(&first, &terms, "listens on");
		puts("\nreply: 00, if it can listen there, and a second one "
		     "when the peer has come");
	} else if (q->command == RULES_UDP) {
		puts("reply: 00, and the datagram is relayed, if it can be "
		     "sent");
	} else {
		puts("reply: 00, if it can be connected");
	}
}

/* The same for a look-up, whose answer is the first of these. */
static void
print_answer(const struct question *q, const struct addr_list *list)
{
	printf("reply: 00, with ");
	print_host(&list->at[0]);
	puts(q->dst.atyp == WIRE_ATYP_NAME
		 ? ""
		 : "; RESOLVE_PTR: with its name, if it has one");
}

static const char *
lookup_words(int error)
{
	switch (error) {
	case ENXIO:
		return "name not found";
	case EREMOTEIO:
		return "name servers failed";
	default:
		return strerror(error);
	}
}

static void
explain_addresses(struct question *q)
{
	const struct io_end nobody = {.fd = -1};
	sa_family_t first = q->config->prefer;
	struct addr_list list;
	int rc;

	io_alarm(q->config->connect_timeout_ms);
	rc = resolve_destination(&q->dst, &nobody, &list);
	if (rc < 0) {
		printf("%s: %s\n", q->dst.name, lookup_words(-rc));
		print_refusal(q, wire_rep_from_errno(-rc));
		return;
	}
	if (q->command == RULES_RESOLVE && first == AF_UNSPEC)
		first = AF_INET;
	if (q->command & (RULES_CONNECT | RULES_RESOLVE) && first != AF_UNSPEC)
		addr_prefer(&list, first);
	print_addresses(q, &list);
	if (permit_addresses(&q->permit, &list) < 0) {
		print_refusal(q, WIRE_REP_NOT_ALLOWED);
	} else if (q->command == RULES_RESOLVE) {
		addr_prefer(&list, first);
		print_answer(q, &list);
	} else {
		print_success(q, &list);
	}
}

/* The words of a reply that the target has no part in, or NULL. */
static const char *
explain_command(struct question *q)
{
	const struct config *config = q->config;
	bool anyone = q->command == RULES_BIND && bind_from_anyone(&q->dst);

	if (config->has_upstream && q->command != RULES_CONNECT)
		return "07, as --upstream is asked for CONNECT alone";
	if (q->command == RULES_RESOLVE && !config->resolve)
		return "07, without --resolve";
	if (!anyone && q->command != RULES_UDP)
		return NULL;
	if (permit_command(&q->permit, q->command) < 0) {
		print_line(&config->rules, q->permit.by[0]);
		return "02";
	}
	if (q->who.has_ids)
		return "07, as it needs a client with an IP address";
	return anyone ? "00, and the rules are asked about whoever comes"
		      : NULL;
}

static void
explain(struct question *q)
{
	const struct config *config = q->config;
	const char *user = config->explain.user, *told;
	struct permit *permit = &q->permit;
	struct terms terms = config->terms;

	if (user)
		permit_user(permit, user, strlen(user));
	if (!user && !permit_anonymous(permit)) {
		printf("%s: no line allows anything to such a client without a "
		       "password\n",
		    config->rules.file);
		puts("method: FF");
		return;
	}
	told = explain_command(q);
	if (told) {
		printf("reply: %s\n", told);
		return;
	}
	if (permit_request(permit, q->command, &q->dst, config->has_upstream) <
	    0) {
		print_line(&config->rules, permit->by[0]);
		print_refusal(q, WIRE_REP_NOT_ALLOWED);
		return;
	}
	if (permit->verdict == RULES_ALLOWED)
		print_line(&config->rules, permit->by[0]);
	if (!config->has_upstream) {
		explain_addresses(q);
		return;
	}
	permit_terms(permit, &terms);
	print_terms(q, &terms);
	puts("reply: the upstream's");
}

int
explain_request(const struct config *config)
{
	struct question q = {.config = config};
	int rc;

	if ((rc = read_client(&config->explain, &q.who)) < 0 ||
	    (rc = read_command(config->explain.command, &q.command)) < 0 ||
	    (rc = read_target(&config->explain, &q.dst)) < 0)
		return rc;
	if (q.command == RULES_RESOLVE)
		q.dst.port = 0; /* it means nothing there */
	permit_begin(&q.permit, &config->rules, config->open, &q.who, -1);
	explain(&q);
	permit_end(&q.permit);
	return 0;
}
