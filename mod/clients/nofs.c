// SPDX-License-Identifier: GPL-2.0
/*
 * A test client that needs memory where the kernel may not wait for file systems or devices
 *
 * Like a file system or block driver, it holds a lock that the kernel also takes during reclaim,
 * and has entered memalloc_nofs_save() or memalloc_noio_save(). With MYALLOC_MAY_WAIT it then
 * allocates all memory of the zone, so that an elastic zone grows in that context. If the zone
 * ignored the context in its request to the system, the kernel could reclaim and wait for the lock
 * that the caller holds. A kernel with lockdep reports this whether or not it reclaims.
 *
 * Everything happens at load, in the context of the loading task. The parameters nofs and noio
 * report how many pages were allocated in each context.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

#include "myalloc_client.h"

#define ORDER	4	/* log2 of pages of a block */

enum promise { NOFS, NOIO, PROMISES };

static unsigned int pages[PROMISES];
module_param_array(pages, uint, NULL, 0444);
MODULE_PARM_DESC(pages, "pages allocated under the promises nofs, noio (result)");

static DEFINE_MUTEX(lock_nofs);
static DEFINE_MUTEX(lock_noio);

/* Tell lockdep that this lock is taken while the kernel reclaims memory. */
static void __init reclaim_takes(struct mutex *lock)
{
	fs_reclaim_acquire(GFP_KERNEL);
	mutex_lock(lock);
	mutex_unlock(lock);
	fs_reclaim_release(GFP_KERNEL);
}

/* Blocks are linked through their first word. */
static unsigned int __init take_all(struct myalloc_zone *zone)
{
	void **block, *taken = NULL;
	unsigned int nr = 0;

	while ((block = myalloc_pages_alloc(zone, ORDER, MYALLOC_MAY_WAIT))) {
		*block = taken;
		taken = block;
		nr += BIT(ORDER);
	}
	while ((block = taken)) {
		taken = *block;
		myalloc_pages_free(zone, block, ORDER);
	}
	return nr;
}

static void __init with_promise(struct myalloc_zone *zone, enum promise promise, struct mutex *lock)
{
	unsigned int flags;

	reclaim_takes(lock);
	mutex_lock(lock);
	flags = promise == NOFS ? memalloc_nofs_save() : memalloc_noio_save();
	pages[promise] = take_all(zone);
	if (promise == NOFS)
		memalloc_nofs_restore(flags);
	else
		memalloc_noio_restore(flags);
	mutex_unlock(lock);
}

static int __init nofs_init(void)
{
	struct myalloc_zone *zone = myalloc_zone_get();

	if (!zone)
		return -ENODEV;
	with_promise(zone, NOFS, &lock_nofs);
	with_promise(zone, NOIO, &lock_noio);
	myalloc_zone_put(zone);
	return 0;
}

static void __exit nofs_exit(void)
{
}

module_init(nofs_init);
module_exit(nofs_exit);

MODULE_DESCRIPTION("Test client of myalloc: allocates where the kernel may not wait");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
