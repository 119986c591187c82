#include "explain.h"
#include "host.h"
#include "io.h"
#include "permit.h"
#include "resolve.h"

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
	char *end = NULL;
	unsigned long uid;

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
	uid = strtoul(ask->uid, &end, 10);
	if (*end || uid > UINT32_MAX)
		return refuse("--uid=", ask->uid,
		    "not a number; write for example --uid=1000");
	user = getpwuid((uid_t)uid);
	out->has_ids = true;
	out->uid = (uid_t)uid;
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
	char *end = NULL;
	unsigned long port = strtoul(ask->port, &end, 10);
	union addr addr;
	size_t len = strlen(ask->host);

	if (!*ask->port || *end || port > UINT16_MAX)
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

static void
print_line(const struct rules *rules, const struct rules_line *line)
{
	if (line)
		printf("%s:%u: %.*s\n", rules->file, line->number,
		    (int)line->len, rules->text + line->text);
	else
		printf("%s: no line matches, so it is denied\n", rules->file);
}

/* Where it would come from: what is set, or what the kernel would choose. */
static void
print_source(const union addr *to, const struct terms *terms)
{
	bool ipv6 = to->sa.sa_family == AF_INET6;
	union addr from = terms->source[ipv6];
	socklen_t len = sizeof(from);
	char text[ADDR_TEXT_MAX], *port;
	int fd;

	if (terms->source_same) {
		printf(", from the address that the client has reached");
		return;
	}
	fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (from.sa.sa_family == AF_UNSPEC &&
	    (connect(fd, &to->sa, addr_len(to)) < 0 ||
		getsockname(fd, &from.sa, &len) < 0)) {
		printf(", but: %s", strerror(errno));
	} else {
		addr_format(&from.sa, text);
		port = strrchr(text, ':');
		*port = '\0';
		printf(", from %s", text);
	}
	close(fd);
}

static void
print_terms(const struct terms *terms)
{
	printf("lifetime %g s", (double)terms->lifetime_ms / 1000);
	if (terms->idle_ms)
		printf(", idle-timeout %g s", (double)terms->idle_ms / 1000);
	if (*terms->interface)
		printf(", interface %s", terms->interface);
	if (terms->mark)
		printf(", mark %u", terms->mark);
	if (terms->rate)
		printf(", rate %ju bytes/s", (uintmax_t)terms->rate);
	putchar('\n');
}

static int
print_reply(uint8_t rep)
{
	if (rep == WIRE_REP_SUCCEEDED)
		puts("reply: 00, if it can be connected");
	else
		printf("reply: %02x\n", rep);
	return 0;
}

/* Each address with its line, in the order of dialling. */
static void
print_addresses(const struct config *config, const struct permit *permit,
    const struct addr_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct permit one = *permit;
		struct addr_list alone = {.count = 1, .at = {list->at[i]}};
		struct terms terms = config->terms;
		char text[ADDR_TEXT_MAX];
		bool allowed = permit_addresses(&one, &alone) == 0;

		printf("%s: %s", addr_format(&list->at[i].sa, text),
		    allowed ? "allowed" : "denied");
		if (allowed) {
			permit_terms(&one, &terms);
			print_source(&list->at[i], &terms);
		}
		printf(", by ");
		print_line(&config->rules, one.by[0]);
	}
}

static int
explain_addresses(const struct config *config, struct permit *permit,
    const struct wire_destination *dst)
{
	const struct io_end nobody = {.fd = -1};
	struct terms terms = config->terms;
	struct addr_list list, some;
	int rc;

	io_alarm(config->connect_timeout_ms);
	rc = resolve_destination(dst, &nobody, &list);
	if (rc < 0) {
		printf("%s: %s\n", dst->name,
		    rc == -ENXIO ? "name not found" : strerror(-rc));
		return print_reply(wire_rep_from_errno(-rc));
	}
	if (config->prefer != AF_UNSPEC)
		addr_prefer(&list, config->prefer);
	print_addresses(config, permit, &list);
	if (permit_addresses(permit, &list) < 0)
		return print_reply(WIRE_REP_NOT_ALLOWED);
	permit_take(permit, &list, &some, &terms);
	print_terms(&terms);
	return print_reply(WIRE_REP_SUCCEEDED);
}

static int
explain(const struct config *config, struct permit *permit,
    enum rules_command command, const struct wire_destination *dst)
{
	const char *user = config->explain.user;
	struct terms terms = config->terms;

	if (user)
		permit_user(permit, user, strlen(user));
	if (!user && !permit_anonymous(permit)) {
		printf("%s: no line allows anything to such a client without a "
		       "password\n",
		    config->rules.file);
		puts("method: FF");
		return 0;
	}
	if (permit_request(permit, command, dst, config->has_upstream) < 0) {
		print_line(&config->rules, permit->by[0]);
		return print_reply(WIRE_REP_NOT_ALLOWED);
	}
	if (permit->verdict == RULES_ALLOWED)
		print_line(&config->rules, permit->by[0]);
	if (!config->has_upstream)
		return explain_addresses(config, permit, dst);
	permit_terms(permit, &terms);
	print_terms(&terms);
	puts("reply: the upstream's");
	return 0;
}

int
explain_request(const struct config *config)
{
	enum rules_command command;
	struct wire_destination dst;
	struct identity who;
	struct permit permit;
	int rc;

	if ((rc = read_client(&config->explain, &who)) < 0 ||
	    (rc = read_command(config->explain.command, &command)) < 0 ||
	    (rc = read_target(&config->explain, &dst)) < 0)
		return rc;
	permit_begin(&permit, &config->rules, config->open, &who, -1);
	rc = explain(config, &permit, command, &dst);
	permit_end(&permit);
	return rc;
}
