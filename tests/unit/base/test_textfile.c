/* SPDX-License-Identifier: ISC */
#include "base/memory.h"
#include "base/textfile.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Linked with --wrap=malloc. */
static bool malloc_fails;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
	return malloc_fails ? NULL : __real_malloc(size);
}

/* A directory of its own for each test, with a file "rules" in it. */
static char directory[64], path[80];

static int
set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/textfile.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/rules", directory);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	rmdir(path);
	return rmdir(directory);
}

static void
write_file(const void *data, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	/* Whatever the umask is. */
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
refused(size_t max, int rc, const char *expected)
{
	char *text = (char *)&text;
	struct fault fault;
	size_t len = 4711;

	assert_int_equal(textfile_read(path, max, &text, &len, &fault), rc);
	assert_non_null(strstr(fault_words(&fault), expected));
	assert_ptr_equal(text, &text);
	assert_int_equal(len, 4711);
}

static void
read_whole(const void *data, size_t data_len, size_t max)
{
	struct fault fault;
	char *text;
	size_t len;

	assert_int_equal(textfile_read(path, max, &text, &len, &fault), 0);
	assert_int_equal(len, data_len);
	assert_memory_equal(text, data, len);
	assert_int_equal(text[len], '\0');
	free(text);
}

static void
whole(void **state)
{
	size_t large = 300001;
	char *data = memory_alloc(large);

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < large; i++)
		data[i] = (char)(i * 7);
	write_file("", 0, 0644);
	read_whole("", 0, 0);
	write_file("a\0b\n", 4, 0444);
	read_whole("a\0b\n", 4, 4);
	write_file(data, large, 0600);
	read_whole(data, large, large);
	free(data);
}

static void
bounded(void **state)
{
	(void)state;
	write_file("deny to any\n", 12, 0644);
	read_whole("deny to any\n", 12, 12);
	refused(11, -EFBIG, "too long");
}

static void
writable_by_others(void **state)
{
	static const mode_t good[] = {0400, 0600, 0644, 0755, 0711};
	static const mode_t bad[] = {0620, 0602, 0666, 0664, 0777};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		unit_row("mode %o", good[i]);
		write_file("x", 1, good[i]);
		if (geteuid() == 0 || good[i] & 0400)
			read_whole("x", 1, 1);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		unit_row("mode %o", bad[i]);
		write_file("x", 1, bad[i]);
		refused(1, -EPERM, "chmod go-w");
		unlink(path);
	}
}

static void
no_file(void **state)
{
	char other[128];

	(void)state;
	refused(1, -ENOENT, "No such file");
	assert_int_equal(mkdir(path, 0755), 0);
	refused(1, -EINVAL, "not a regular file");
	rmdir(path);
	/* Nobody writes to it, and nobody waits for that. */
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(1, -EINVAL, "not a regular file");
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	refused(1, -EINVAL, "not a regular file");
	unlink(path);

	/* A link to a file is that file. */
	write_file("x", 1, 0600);
	snprintf(other, sizeof(other), "%s/other", directory);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink("other", path), 0);
	read_whole("x", 1, 1);
	unlink(other);
	refused(1, -ENOENT, "No such file");
}

static void
grows(void **state)
{
	uint64_t *array = NULL;
	size_t room = 0;

	(void)state;
	for (size_t i = 0; i < 50000; i++) {
		assert_int_equal(
		    memory_grow(&array, sizeof(*array), i, &room), 0);
		assert_true(room > i);
		array[i] = i;
	}
	for (size_t i = 0; i < 50000; i++)
		assert_int_equal(array[i], i);
	free(array);
}

/* No descriptor is left open, and nothing is written. */
static void
no_memory_for_a_file(void **state)
{
	int next = dup(0), again;

	(void)state;
	close(next);
	write_file("deny to any\n", 12, 0644);
	malloc_fails = true;
	refused(12, -ENOMEM, "Cannot allocate memory");
	malloc_fails = false;
	again = dup(0);
	close(again);
	assert_int_equal(again, next);
}

/* Nothing is lost. */
static void
no_memory(void **state)
{
	char *array = memory_alloc(1);
	char *before = array;
	size_t room = 1;

	(void)state;
	assert_non_null(array);
	assert_int_equal(
	    memory_grow(&array, SIZE_MAX / 16, room, &room), -ENOMEM);
	malloc_fails = true;
	assert_int_equal(memory_grow(&array, 1, room, &room), -ENOMEM);
	malloc_fails = false;
	assert_ptr_equal(array, before);
	assert_int_equal(room, 1);
	free(array);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(whole, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(bounded, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		writable_by_others, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(no_file, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		no_memory_for_a_file, set_up, tear_down),
	    cmocka_unit_test(grows),
	    cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
