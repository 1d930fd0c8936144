// SPDX-License-Identifier: GPL-2.0
/* Commands about the reserve: statistics, grow, shrink */
#include "env.h"

#include <linux/uaccess.h>

#include "device/command.h"
#include "shrinker.h"
#include "zone/elastic.h"
#include "zone/zone.h"

static_assert(sizeof(struct myalloc_reserve_stat) == 12 * 8);
static_assert(sizeof(struct myalloc_reserve_change) == 16);

static int do_stat(struct myalloc_session *session, struct myalloc_zone *zone, void __user *user)
{
	struct myalloc_reserve_stat arg;
	struct myalloc_zone_stats *stats;
	int err = myalloc_copy_in(&arg, sizeof(arg), user);

	if (err)
		return err;
	stats = myalloc_env_zalloc(sizeof(*stats), NUMA_NO_NODE);
	if (!stats)
		return -ENOMEM;
	myalloc_zone_stats(zone, stats);
	arg.chunk_order = zone->chunk_order;
	arg.max_pages = zone->buddy.nr_frames;
	arg.nr_pages = stats->nr_pages;
	arg.free_pages = stats->free_pages;
	arg.grown = stats->grown;
	arg.shrunk = stats->shrunk;
	arg.decayed = stats->decayed;
	arg.grow_fails = stats->grow_fails;
	arg.floor_pages = arg.max_pages;
	arg.surplus_pages = 0;
	arg.low_pages = 0;
	if (zone->elastic) {
		arg.floor_pages = (u64)zone->nr_fixed << zone->chunk_order;
		arg.surplus_pages = (u64)myalloc_zone_surplus(zone) << zone->chunk_order;
		arg.low_pages = zone->elastic->low;
	}
	myalloc_decay_get(&arg.decay_ms, &arg.decay_mb);
	myalloc_env_free(stats);
	return myalloc_copy_out(user, &arg, sizeof(arg));
}

/* Copy the argument in, and set @chunks to the number of chunks. */
static int get_chunks(const struct myalloc_zone *zone, void __user *user,
		      struct myalloc_reserve_change *arg, u32 *chunks)
{
	if (copy_from_user(arg, user, sizeof(*arg)))
		return -EFAULT;
	if (arg->pad || !arg->pages)
		return -EINVAL;
	*chunks = min_t(u64, ((arg->pages - 1) >> zone->chunk_order) + 1, zone->nr_chunks);
	return 0;
}

static int do_grow(struct myalloc_session *session, struct myalloc_zone *zone, void __user *user)
{
	struct myalloc_reserve_change arg;
	u32 chunks, grown;
	int err = get_chunks(zone, user, &arg, &chunks);

	if (err)
		return err;
	err = myalloc_zone_grow(zone, chunks, &grown);
	if (err && !grown)
		return err == -ERANGE ? -ENOMEM : err;
	arg.pages = (u64)grown << zone->chunk_order;
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static int do_shrink(struct myalloc_session *session, struct myalloc_zone *zone, void __user *user)
{
	struct myalloc_reserve_change arg;
	u32 chunks;
	int err = get_chunks(zone, user, &arg, &chunks);

	if (err)
		return err;
	arg.pages = (u64)myalloc_zone_shrink(zone, chunks) << zone->chunk_order;
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}

const struct myalloc_command myalloc_reserve_commands[] = {
	{ MYALLOC_IOC_RESERVE_STAT, true, do_stat },
	{ MYALLOC_IOC_RESERVE_GROW, false, do_grow },
	{ MYALLOC_IOC_RESERVE_SHRINK, false, do_shrink },
	{ }
};
