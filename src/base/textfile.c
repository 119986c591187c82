/* SPDX-License-Identifier: ISC */
#include "base/textfile.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int
unreadable(int error, struct fault *fault)
{
	if (error != EACCES)
		return fault_set(fault, error, NULL);
	return fault_set(fault, error,
	    "this process may not read it; user %u, who runs it, has to be "
	    "able to, and to search the directories above it",
	    geteuid());
}

/* 0, or why it is not to be read. */
static int
check(int fd, size_t max, size_t *size, struct fault *fault)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fault_set(fault, errno, NULL);
	if (!S_ISREG(st.st_mode))
		return fault_set(fault, EINVAL, "not a regular file; name one");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fault_set(fault, EPERM,
		    "it belongs to a user who could change it; chown it to "
		    "root, or to the user who reads it");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return fault_set(fault, EPERM,
		    "others can write to it; chmod go-w takes that away");
	if ((size_t)st.st_size > max)
		return fault_set(fault, EFBIG, "too long; make it shorter");
	*size = (size_t)st.st_size;
	return 0;
}

/* All there is, into room for `size` bytes and one more: it may have grown. */
static ssize_t
read_all(int fd, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len <= size) {
		n = read(fd, out + len, size + 1 - len);
		if (n == 0)
			return (ssize_t)len;
		if (n > 0)
			len += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int
textfile_read(
    const char *path, size_t max, char **text, size_t *len, struct fault *fault)
{
	/* Not to wait for anybody at the other end of a pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *buffer = NULL;
	size_t size = 0;
	ssize_t n = 0;
	int rc = fd < 0 ? unreadable(errno, fault) : 0;

	if (rc == 0)
		rc = check(fd, max, &size, fault);
	if (rc == 0 && !(buffer = memory_alloc(size + 1)))
		rc = fault_set(fault, ENOMEM, NULL);
	if (rc == 0 && (n = read_all(fd, buffer, size)) < 0)
		rc = fault_set(fault, (int)-n,
		    n == -EAGAIN ? "it grows while it is read; write another "
				   "file and rename it"
				 : NULL);
	if (fd >= 0)
		close(fd);
	if (rc < 0 || !buffer) {
		free(buffer);
		return rc;
	}
	buffer[n] = '\0';
	*text = buffer;
	*len = (size_t)n;
	return 0;
}
