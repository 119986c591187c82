/* SPDX-License-Identifier: ISC */
#include "session/explain.h"
#include "base/number.h"
#include "net/sockopt.h"
#include "policy/ruleword.h"
#include "session/command.h"
#include "session/decision.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

/* --from is an address or "local"; --uid the user on a Unix socket. */
static int
read_client(const struct config *config, struct identity *out)
{
	const struct config_explain *ask = &config->explain;
	const struct passwd *user;

	*out = (struct identity){.local = true};
	if (ask->from && strcmp(ask->from, "local") != 0) {
		if (addr_parse(ask->from, 0, &out->address) < 0)
			return log_fault(
			    "--from=%s: not an address; write for example "
			    "--from=192.0.2.1, or --from=local",
			    ask->from);
		out->has_address = true;
		out->local = addr_is_loopback(&out->address);
	}
	if (ask->user && !config->has_users)
		return log_fault("--user=%s: nobody has a password without "
				 "--users=FILE; write that, too",
		    ask->user);
	if (!ask->uid)
		return 0;
	if (number_read_id(ask->uid, strlen(ask->uid), &out->uid) < 0)
		return log_fault(
		    "--uid=%s: not a number; write for example --uid=1000",
		    ask->uid);
	user = getpwuid(out->uid);
	out->has_ids = true;
	out->gid = user ? user->pw_gid : (gid_t)-1;
	return 0;
}

static int
read_command_name(const char *text, uint8_t *out)
{
	/* By the bits of enum rules_command. */
	static const enum wire_command commands[] = {
	    WIRE_CONNECT, WIRE_BIND, WIRE_UDP_ASSOCIATE, WIRE_RESOLVE};
	struct ruleword word = {text, text ? strlen(text) : 0};
	struct rules_item item = {.commands = RULES_CONNECT};
	const char *wrong = NULL;

	if (text)
		wrong = ruleword_read(RULES_COMMAND, word, text, NULL, &item);
	if (wrong)
		return log_fault("--command=%s: %s", text, wrong);
	*out = commands[ffs(item.commands) - 1];
	return 0;
}

static int
read_destination(const struct config_explain *ask, struct wire_destination *out)
{
	size_t len = strlen(ask->host);
	union addr addr;
	uint64_t port;

	if (number_read(ask->port, strlen(ask->port), UINT16_MAX, &port) < 0)
		return log_fault(
		    "%s: not a port; write for example 443", ask->port);
	*out = (struct wire_destination){.port = (uint16_t)port};
	if (addr_parse(ask->host, (uint16_t)port, &addr) == 0) {
		*out = wire_destination_of(&addr);
		return 0;
	}
	out->atyp = WIRE_ATYP_NAME;
	if (len < sizeof(out->name)) {
		memcpy(out->name, ask->host, len);
		out->name_len = (uint8_t)len;
	}
	if (wire_check_destination(out) < 0)
		return log_fault("%s: no name that a client may ask for; write "
				 "for example www.example.org",
		    ask->host);
	return 0;
}

/* --- the answer ----------------------------------------------------------- */

static void
print_line(const struct session *s, const struct permit_answer *answer)
{
	const struct rules *rules = &s->config->rules;
	const struct rules_line *line = answer->line;

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

	addr_format(addr, text);
	*strrchr(text, ':') = '\0';
	fputs(text, stdout);
}

/* "WHERE ADDRESS", where it would come out, or why not. Nothing is sent. */
static enum outcome
print_source(const union addr *to, const struct terms *terms, const char *where,
    struct failure *failure)
{
	union addr own;
	/* Of source=same nothing is set: nobody has come by an address. */
	enum outcome outcome = sockopt_find_own(to, terms, &own, failure);

	printf("%s ", where);
	if (outcome != OUTCOME_DONE)
		printf("nowhere: %s", failure_words(failure));
	else if (terms->source.same)
		printf("the address that the client has reached");
	else
		print_host(&own);
	return outcome;
}

static void
print_terms(const struct session *s, const struct terms *terms)
{
	struct terms held = *terms;
	char text[TERMS_TEXT_MAX];

	if (s->decision.command == RULES_UDP)
		held.rate = 0;
	puts(terms_describe(&held, text));
}

/*
 * Each address with its line, in the order in which they are tried. Where none
 * of those that are allowed can be, that becomes the session's failure.
 */
static enum outcome
print_addresses(struct session *s, enum outcome outcome)
{
	const struct decision *d = &s->decision;
	struct failure worst = {.outcome = OUTCOME_DONE}, failure;
	bool possible = outcome != OUTCOME_DONE || d->list.count == 0;

	for (size_t i = 0; i < d->list.count; i++) {
		const struct permit_address *each = &d->list.at[i];
		bool allowed = each->answer.verdict == RULES_ALLOWED;
		struct terms terms = s->config->terms;
		char text[ADDR_TEXT_MAX];

		if (d->command == RULES_RESOLVE)
			print_host(&each->addr);
		else
			fputs(addr_format(&each->addr, text), stdout);
		printf(": %s", allowed ? "allowed" : "denied");
		permit_terms(&s->permit, &each->answer, &terms);
		if (allowed && d->command & (RULES_CONNECT | RULES_UDP) &&
		    print_source(&each->addr, &terms, ", from", &failure) !=
			OUTCOME_DONE)
			failure_keep_worse(&worst, &failure);
		else if (allowed)
			possible = true;
		printf(", by ");
		print_line(s, &each->answer);
	}
	if (possible)
		return outcome;
	s->failure = worst;
	return worst.outcome;
}

/* What is done, and said, once it may go to these, all on the same terms. */
static void
print_success(const struct session *s)
{
	const struct decision *d = &s->decision;
	struct permit_list list = d->list;
	struct terms terms = s->config->terms;
	struct addr_list some;
	struct failure failure;

	if (permit_take(&s->permit, &s->config->terms, &list, &some, &terms) ==
	    0)
		permit_terms(&s->permit, &d->answer, &terms);
	if (d->command != RULES_RESOLVE)
		print_terms(s, &terms);
	if (s->config->has_upstream) {
		puts("reply: the upstream's");
	} else if (d->command == RULES_BIND) {
		if (print_source(&some.at[0], &terms, "listens on", &failure) ==
		    OUTCOME_DONE)
			puts(
			    "\nreply: 00, if it can listen there, and a second "
			    "one when the peer has come");
		else
			printf("\nreply: %02x\n", failure_rep(&failure));
	} else if (d->command == RULES_UDP) {
		puts("reply: 00, and the datagram is relayed, if it can be "
		     "sent");
	} else if (d->command == RULES_RESOLVE) {
		printf("reply: 00, with ");
		print_host(&some.at[0]);
		puts(s->request.dst.atyp == WIRE_ATYP_NAME
			 ? ""
			 : "; RESOLVE_PTR: with its name, if it has one");
	} else {
		puts("reply: 00, if it can be connected");
	}
}

/* Of a datagram nobody is told. */
static void
print_failure(const struct session *s, bool datagram)
{
	const struct failure *failure = &s->failure;
	const char *words = failure_words(failure);

	if (s->decision.command && s->decision.list.count == 0 &&
	    failure->outcome != OUTCOME_DENIED &&
	    failure->outcome != OUTCOME_COMMAND_UNSUPPORTED)
		printf("%s: %s\n", s->request.dst.name, words);
	if (datagram)
		puts("reply: 00, and the datagram is dropped");
	else if (failure->outcome == OUTCOME_COMMAND_UNSUPPORTED)
		printf("reply: %02x, %s\n", failure_rep(failure), words);
	else
		printf("reply: %02x\n", failure_rep(failure));
}

/* The session's own decisions, up to where it would open a socket. */
static void
explain(struct session *s)
{
	const struct config *config = s->config;
	const char *user = config->explain.user;
	enum outcome outcome;
	bool datagram;

	if (user && config->has_users &&
	    !auth_has_user(&config->users, user, strlen(user))) {
		printf("%s: no line has the name %s\nmethod: 02, status: 01\n",
		    config->users_file, user);
		return;
	}
	if (user)
		permit_user(&s->permit, user, strlen(user));
	if (!user && !permit_anonymous(&s->permit)) {
		printf("%s: no line allows anything to such a client without a "
		       "password\n",
		    config->rules.file);
		puts("method: FF");
		return;
	}
	outcome = command_decide(s);
	datagram =
	    outcome == OUTCOME_DONE && s->request.command == WIRE_UDP_ASSOCIATE;
	if (datagram)
		outcome = decision_of_target(s, RULES_UDP, AF_UNSPEC, false);
	else if (outcome == OUTCOME_DONE && s->decision.list.count == 0 &&
		 !config->has_upstream) {
		puts("reply: 00, and the rules are asked about whoever comes");
		return;
	}
	if (s->decision.command &&
	    s->decision.answer.verdict != RULES_DEPENDS &&
	    (outcome == OUTCOME_DONE ||
		s->failure.outcome != OUTCOME_COMMAND_UNSUPPORTED))
		print_line(s, &s->decision.answer);
	outcome = print_addresses(s, outcome);
	if (outcome == OUTCOME_DONE)
		print_success(s);
	else
		print_failure(s, datagram);
}

int
explain_request(const struct config *config)
{
	static struct session s;
	int rc;

	session_init(config, NULL, NULL, &s);
	s.peer.in.fd = s.peer.out.fd = -1;
	if ((rc = read_client(config, &s.peer.who)) < 0 ||
	    (rc = read_command_name(
		 config->explain.command, &s.request.command)) < 0 ||
	    (rc = read_destination(&config->explain, &s.request.dst)) < 0)
		return rc;
	/* On a Unix socket it has ids, and no address. */
	s.peer.in.kind = s.peer.who.has_ids ? IO_SOCKET : IO_TCP;
	permit_begin(
	    &config->rules, config->built_in, &s.peer.who, -1, &s.permit);
	explain(&s);
	permit_end(&s.permit);
	return 0;
}
