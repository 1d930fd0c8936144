// SPDX-License-Identifier: GPL-2.0
/* What the commands about heaps, pools, rings and arenas have in common. */
#include "env.h"

#include "device/command.h"
#include "stat.h"

#define STAT_MOST	512	/* bytes of the statistics of a front */

/* How the statistics of every kind of front begin. */
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

/**
 * myalloc_front_stat_command() - do a command that reads the statistics of a front
 * @view: the kind of front
 * @zone: the zone
 * @user: the argument, a struct of @view->bytes in this version
 *
 * Context: task, may sleep.
 * Return: 0; -EINVAL if it is not said how to find the front; -ENOENT if there is none; the errors
 * of myalloc_copy_in() and myalloc_copy_out().
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
 * myalloc_test_error() - count an error of a test, and keep the first in words
 * @errors: in and out: errors so far
 * @first: out: the first one, in words
 * @size: bytes of @first
 * @fmt: the words
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
