/* SPDX-License-Identifier: ISC */
#include "protocol/wire4.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* VN CD DSTPORT DSTIP, which USERID follows. */
#define FIXED_LEN 8

/* CD of a reply */
#define GRANTED  0x5a
#define REJECTED 0x5b

/* A string of at most `most` bytes and its NUL: the NUL's place + 1. */
static ssize_t
get_string(const uint8_t *data, size_t len, size_t most)
{
	const uint8_t *end = len ? memchr(data, '\0', len) : NULL;

	if (end)
		len = (size_t)(end - data);
	if (len > most)
		return -EMSGSIZE;
	return end ? (ssize_t)len + 1 : 0;
}

/* 0.0.0.x, x not 0 */
static bool
announces_name(const uint8_t ip[4])
{
	return ip[0] == 0 && ip[1] == 0 && ip[2] == 0 && ip[3] != 0;
}

ssize_t
wire4_get_request(const uint8_t *data, size_t len, struct wire_request *out,
    struct wire4_user *user)
{
	struct wire_destination *dst = &out->dst;
	ssize_t user_size, name_size = 0;
	const uint8_t *id, *name;

	if (len > 0 && data[0] != WIRE4_VERSION)
		return -EPROTO;
	if (len < 2)
		return 0;
	if (data[1] != WIRE_CONNECT && data[1] != WIRE_BIND &&
	    data[1] != WIRE_RESOLVE)
		return -EOPNOTSUPP;
	if (len < FIXED_LEN)
		return 0;
	id = data + FIXED_LEN;
	user_size = get_string(id, len - FIXED_LEN, WIRE4_USER_MAX);
	if (user_size <= 0)
		return user_size;
	name = id + user_size;
	if (announces_name(data + 4)) {
		name_size = get_string(
		    name, len - (size_t)(name - data), WIRE4_NAME_MAX);
		if (name_size <= 0)
			return name_size;
	}

	out->command = data[1];
	dst->port = (uint16_t)(data[2] << 8 | data[3]);
	dst->name_len = 0;
	if (name_size > 0) {
		dst->atyp = WIRE_ATYP_NAME;
		dst->name_len = (uint8_t)(name_size - 1);
		memcpy(dst->name, name, (size_t)name_size);
	} else {
		dst->atyp = WIRE_ATYP_IPV4;
		memcpy(&dst->ipv4, data + 4, sizeof(dst->ipv4));
	}
	user->len = (uint8_t)(user_size - 1);
	memcpy(user->id, id, (size_t)user_size);
	return FIXED_LEN + user_size + name_size;
}

size_t
wire4_put_reply(
    uint8_t rep, const union addr *bound, uint8_t out[WIRE4_REPLY_LEN])
{
	uint8_t reply[WIRE_REPLY_MAX];
	size_t len = wire_put_reply(rep, bound, reply);

	memset(out, 0, WIRE4_REPLY_LEN);
	out[1] = rep == WIRE_REP_SUCCEEDED ? GRANTED : REJECTED;
	if (reply[3] == WIRE_ATYP_IPV4) {
		memcpy(out + 2, reply + len - 2, 2);
		memcpy(out + 4, reply + 4, 4);
	}
	return WIRE4_REPLY_LEN;
}
