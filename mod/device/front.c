// SPDX-License-Identifier: GPL-2.0
/* Common parts of the commands about heaps, pools, rings and arenas. */
#include "env.h"

#include "base/random.h"
#include "device/command.h"
#include "stat.h"

#define STAT_MOST	512	/* bytes of the statistics of a front */
#define TEST_MOST	256	/* bytes of the argument of a test */

/* The first members of the statistics of every kind of front. */
struct stat_head {
	u32 size;
	u32 how;
	char name[MYALLOC_NAME_MAX];
	u64 id;
};

#define CHECK_HEAD(type)							\
	static_assert(offsetof(type, how) == offsetof(struct stat_head, how) &&	\
		      offsetof(type, id) == offsetof(struct stat_head, id) &&	\
		      sizeof(type) <= STAT_MOST)

CHECK_HEAD(struct myalloc_heap_stat);
CHECK_HEAD(struct myalloc_pool_stat);
CHECK_HEAD(struct myalloc_ring_stat);
CHECK_HEAD(struct myalloc_arena_stat);

/* The first members of the argument of every test; results follow. */
struct test_head {
	u32 size;
	u32 option;
	u64 seed;
	u64 ops;
	u64 what;
};

#define CHECK_TEST(type, result)						\
	static_assert(offsetof(type, seed) == offsetof(struct test_head, seed) &&	\
		      offsetof(type, result) == sizeof(struct test_head) &&	\
		      sizeof(type) <= TEST_MOST)

CHECK_TEST(struct myalloc_heap_test, allocs);
CHECK_TEST(struct myalloc_pool_test, allocs);
CHECK_TEST(struct myalloc_ring_test, records);
CHECK_TEST(struct myalloc_arena_test, allocs);

/**
 * myalloc_front_stat_command() - run a command that reads the statistics of a front
 * @view: the kind of front
 * @zone: the zone
 * @user: the argument, a struct of @view->bytes in this version
 *
 * Context: task, may sleep.
 * Return: 0; -EINVAL if the argument does not select a front by its number; -ENOENT if there is
 * none; the errors of myalloc_copy_in() and myalloc_copy_out().
 */
int myalloc_front_stat_command(const struct myalloc_front_view *view, struct myalloc_zone *zone,
			       void __user *user)
{
	u64 stat[STAT_MOST / sizeof(u64)];
	const struct stat_head *head = (const struct stat_head *)stat;
	int err = myalloc_copy_in(stat, view->bytes, user);

	if (err)
		return err;
	if (head->how != MYALLOC_BY_ID && head->how != MYALLOC_NEXT_ID)
		return -EINVAL;
	err = myalloc_front_stat_find(stat, view, zone, head->id, head->how == MYALLOC_NEXT_ID);
	return err ?: myalloc_copy_out(user, stat, view->bytes);
}

/**
 * myalloc_front_test_command() - run a command that tests a kind of front
 * @test: the test
 * @zone: the zone
 * @user: the argument, a struct of @test->bytes in this version
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM; the errors of @test, myalloc_copy_in() and myalloc_copy_out().
 */
int myalloc_front_test_command(const struct myalloc_front_test *test, struct myalloc_zone *zone,
			       void __user *user)
{
	u64 arg[TEST_MOST / sizeof(u64)];
	struct test_head *head = (struct test_head *)arg;
	int err = myalloc_copy_in(arg, test->bytes, user);
	ssize_t bytes;
	void *state;

	if (err)
		return err;
	bytes = test->check(arg, zone);
	if (bytes < 0)
		return bytes;
	state = myalloc_env_zalloc_charged(bytes, NUMA_NO_NODE);
	if (!state)
		return -ENOMEM;
	head->seed = head->seed ?: myalloc_env_seed() | 1;
	memset(head + 1, 0, test->bytes - sizeof(*head));
	err = test->run(state, arg, zone);
	myalloc_env_free(state);
	return err ?: myalloc_copy_out(user, arg, test->bytes);
}

/**
 * myalloc_test_error() - count an error of a test, and keep the message of the first
 * @errors: in and out: errors so far
 * @first: out: message of the first error
 * @size: bytes of @first
 * @fmt: format of the message
 *
 * Context: any.
 */
void myalloc_test_error(__u64 *errors, char *first, size_t size, const char *fmt, ...)
{
	va_list args;

	if ((*errors)++)
		return;
	va_start(args, fmt);
	vscnprintf(first, size, fmt, args);
	va_end(args);
}
