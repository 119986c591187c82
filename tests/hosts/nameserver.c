/* SPDX-License-Identifier: ISC */
/*
 * nameserver: a name server that changes its mind.
 *
 *   nameserver [-4] [-a ADDRESS] [-l SECONDS] READYFILE ANSWER...
 *
 * Listens on port 53 (UDP) of ADDRESS (127.0.0.1), makes READYFILE once it
 * does, and answers whatever name it is asked for. An ANSWER is a list of IPv4
 * and IPv6 addresses with commas between them: to a query for A goes what is
 * IPv4 in it, to one for AAAA what is IPv6, in their order, with a TTL of 0.
 * The first query of each kind gets the first ANSWER, the second the second
 * one, and so on; the last one holds from then on. A name that begins with
 * "silent" gets no answer, and with -4 no query for AAAA does. Prints "A NAME
 * ADDRESS..." or "AAAA NAME ADDRESS..." for each, before it is sent.
 *
 * Until SIGTERM, or for so long (60 s). Exits with 2 for bad usage.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* RFC 1035, RFC 3596 */
#define HEADER_LEN   12
#define NAME_LEN_MAX 255
#define TYPE_A       1
#define TYPE_AAAA    28

#define ANSWERS_MAX   16
#define ADDRESSES_MAX 16

struct address {
	uint8_t bytes[16];
	uint16_t len;
	char text[INET6_ADDRSTRLEN];
};

struct answer {
	struct address at[ADDRESSES_MAX];
	size_t count;
};

struct query {
	char name[NAME_LEN_MAX + 1];
	uint16_t type;
	size_t len; /* of the header and the question */
};

static void
die(const char *what)
{
	fprintf(stderr, "nameserver: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
usage(void)
{
	fputs("usage: nameserver [-4] [-a ADDRESS] [-l SECONDS] READYFILE "
	      "ANSWER...\n",
	    stderr);
	exit(2);
}

static void
read_answer(char *words, struct answer *out)
{
	for (char *word = strtok(words, ","); word; word = strtok(NULL, ",")) {
		struct address *address = &out->at[out->count++];

		if (out->count > ADDRESSES_MAX ||
		    strlen(word) >= sizeof(address->text))
			usage();
		strcpy(address->text, word);
		if (inet_pton(AF_INET, word, address->bytes) == 1)
			address->len = 4;
		else if (inet_pton(AF_INET6, word, address->bytes) == 1)
			address->len = 16;
		else
			usage();
	}
}

/* One question, whose name isn't compressed: what a resolver asks. */
static bool
read_query(const uint8_t *data, size_t len, struct query *out)
{
	size_t at = HEADER_LEN, used = 0;

	if (len < HEADER_LEN || (data[2] & 0x80) || data[4] != 0 ||
	    data[5] != 1)
		return false;
	while (at < len && data[at] != 0) {
		size_t label = data[at++];

		if (label > 63 || label > len - at ||
		    used + label + 1 > NAME_LEN_MAX)
			return false;
		if (used > 0)
			out->name[used++] = '.';
		memcpy(out->name + used, data + at, label);
		used += label;
		at += label;
	}
	if (len < at + 5)
		return false;
	out->name[used] = '\0';
	out->type = (uint16_t)(data[at + 1] << 8 | data[at + 2]);
	out->len = at + 5;
	return true;
}

static void
put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Behind the question, which stays where it was; returns the length of all. */
static size_t
write_reply(uint8_t *data, const struct query *query,
    const struct answer *answer, uint16_t address_len)
{
	size_t len = query->len, count = 0;

	for (size_t i = 0; i < answer->count; i++) {
		const struct address *address = &answer->at[i];

		if (address->len != address_len)
			continue;
		printf(" %s", address->text);
		put16(data + len, 0xc000 | HEADER_LEN); /* the same name */
		put16(data + len + 2, query->type);
		put16(data + len + 4, 1);     /* IN */
		memset(data + len + 6, 0, 4); /* TTL */
		put16(data + len + 10, address_len);
		memcpy(data + len + 12, address->bytes, address_len);
		len += 12U + address_len;
		count++;
	}
	data[2] = (uint8_t)(0x84 | (data[2] & 1)); /* QR, AA, RD */
	data[3] = 0x80;                            /* RA, NOERROR */
	put16(data + 6, count);
	memset(data + 8, 0, 4);
	return len;
}

static void
serve(int fd, const struct answer *answers, size_t count, bool only_ipv4)
{
	size_t asked[2] = {0};

	for (;;) {
		uint8_t data[2048];
		struct sockaddr_in from;
		socklen_t from_len = sizeof(from);
		struct query query;
		ssize_t n = recvfrom(
		    fd, data, 512, 0, (struct sockaddr *)&from, &from_len);
		size_t len, which;
		bool six;

		if (n < 0)
			die("recvfrom");
		if (!read_query(data, (size_t)n, &query))
			continue;
		six = query.type == TYPE_AAAA;
		if (!six && query.type != TYPE_A)
			continue;
		if ((six && only_ipv4) || strncmp(query.name, "silent", 6) == 0)
			continue;
		which = asked[six]++;
		if (which >= count)
			which = count - 1;
		printf("%s %s", six ? "AAAA" : "A", query.name);
		len = write_reply(data, &query, &answers[which], six ? 16 : 4);
		printf("\n");
		if (sendto(fd, data, len, 0, (struct sockaddr *)&from,
			from_len) < 0)
			die("sendto");
	}
}

int
main(int argc, char **argv)
{
	static struct answer answers[ANSWERS_MAX];
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons(53),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd, ready, opt, limit = 60;
	bool only_ipv4 = false;
	size_t count = 0;

	while ((opt = getopt(argc, argv, "+4a:l:")) != -1) {
		if (opt == 'l')
			limit = atoi(optarg);
		else if (opt == '4')
			only_ipv4 = true;
		else if (opt != 'a' ||
			 inet_pton(AF_INET, optarg, &address.sin_addr) != 1)
			usage();
	}
	if (limit < 1 || argc - optind < 2 || argc - optind - 1 > ANSWERS_MAX)
		usage();
	for (int i = optind + 1; i < argc; i++)
		read_answer(argv[i], &answers[count++]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm((unsigned)limit);

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("can't listen on port 53");
	ready = open(argv[optind], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (ready < 0)
		die(argv[optind]);
	close(ready);
	serve(fd, answers, count, only_ipv4);
}
