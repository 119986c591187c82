/* SPDX-License-Identifier: ISC */
#include "policy/host.h"

#include <errno.h>
#include <grp.h>
#include <linux/rtnetlink.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A request for the route to an IPv4 or IPv6 address, rtnetlink(7). */
struct netlink_request {
	struct nlmsghdr header;
	struct rtmsg route;
	struct rtattr attribute;
	uint8_t address[16];
};

union answer {
	struct nlmsghdr header;
	uint8_t bytes[4096];
};

static size_t
ask_for(const union addr *address, struct netlink_request *out)
{
	size_t len = addr_host_len(address);

	*out = (struct netlink_request){
	    .route = {.rtm_family = (uint8_t)address->sa.sa_family,
		.rtm_dst_len = (uint8_t)(8 * len)},
	    .attribute = {.rta_type = RTA_DST,
		.rta_len = (uint16_t)RTA_LENGTH(len)},
	};
	memcpy(out->address, addr_host(address), len);
	out->header = (struct nlmsghdr){
	    .nlmsg_len =
		(uint32_t)(offsetof(struct netlink_request, address) + len),
	    .nlmsg_type = RTM_GETROUTE,
	    .nlmsg_flags = NLM_F_REQUEST,
	};
	return out->header.nlmsg_len;
}

/* The type of the route there: RTN_LOCAL and so on; -ENETUNREACH where there is
 * none, or another -errno. */
static int
route_type(const union addr *address)
{
	struct netlink_request request;
	union answer answer;
	size_t len = ask_for(address, &request);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	const struct rtmsg *route = NLMSG_DATA(&answer.header);
	const struct nlmsgerr *error = NLMSG_DATA(&answer.header);
	ssize_t n = -1;

	if (fd < 0)
		return -errno;
	if (send(fd, &request, len, 0) == (ssize_t)len)
		n = recv(fd, &answer, sizeof(answer), 0);
	close(fd);
	if (n < (ssize_t)NLMSG_SPACE(sizeof(*route)) ||
	    !NLMSG_OK(&answer.header, (uint32_t)n))
		return -EIO;
	if (answer.header.nlmsg_type == RTM_NEWROUTE)
		return route->rtm_type;
	if (answer.header.nlmsg_type == NLMSG_ERROR && error->error < 0)
		return error->error;
	return -EIO;
}

/* Where there is no netlink: whether a socket may have it. The kernel lets it
 * have any, where sysctls say so. */
static bool
may_be_bound(const union addr *address)
{
	union addr own = *address;
	int fd = socket(own.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool may;

	if (fd < 0)
		return true;
	addr_set_port(&own, 0);
	may = bind(fd, &own.sa, addr_len(&own)) == 0 || errno != EADDRNOTAVAIL;
	close(fd);
	return may;
}

bool
host_is_own(const union addr *address, void *context)
{
	int type = route_type(address);

	(void)context;
	if (type == -ENETUNREACH || type == -EHOSTUNREACH)
		return false;
	if (type < 0)
		return may_be_bound(address);
	return type == RTN_LOCAL || type == RTN_ANYCAST ||
	       type == RTN_BROADCAST || type == RTN_MULTICAST;
}

int
host_find_id(const char *name, bool group, uint32_t *out, void *context)
{
	const struct passwd *user;
	const struct group *users;

	(void)context;
	errno = 0;
	user = group ? NULL : getpwnam(name);
	users = group ? getgrnam(name) : NULL;
	if (user || users) {
		*out = user ? user->pw_uid : users->gr_gid;
		return 1;
	}
	/* What getpwnam(3) says where there is none, in its own words. */
	if (errno == 0 || errno == ENOENT || errno == ESRCH || errno == EBADF ||
	    errno == EPERM)
		return 0;
	return -errno;
}
