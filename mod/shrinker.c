// SPDX-License-Identifier: GPL-2.0
/*
 * The elastic part of the reserve under memory pressure
 *
 * The kernel calls a shrinker when it reclaims memory, also during an allocation by this module or
 * by a task that holds any mutex. So this one takes no mutex, waits for nothing and allocates
 * nothing: lib/zone/elastic.c gives free chunks back under the zone's raw spinlock alone. Memory in
 * magazines and slabs stays; their users want it back soon.
 *
 * That spinlock is taken, not tried. Whoever holds it neither allocates from the system nor sleeps,
 * so the kernel never reclaims on top of a holder, and holds it for a bounded number of steps with
 * interrupts off. So the wait cannot deadlock and is bounded. A shrinker that gave up would have
 * the kernel reclaim elsewhere although there are free chunks.
 */
#include "env.h"

#include "budget.h"
#include "compat.h"
#include "shrinker.h"
#include "zone/elastic.h"

static struct myalloc_compat_shrinker shrinker;

/* Protects the members below; never taken while the kernel reclaims memory. */
static DEFINE_MUTEX(mutex);
static struct myalloc_zone *zone;	/* NULL unless it is elastic and the module is loaded */
static u32 decay_ms = MYALLOC_DECAY_MS;
static u32 decay_mb = 64;

static unsigned long count(struct shrinker *unused, struct shrink_control *control)
{
	unsigned long pages = (unsigned long)myalloc_zone_surplus(zone) << zone->chunk_order;

	return pages ?: SHRINK_EMPTY;
}

static unsigned long scan(struct shrinker *unused, struct shrink_control *control)
{
	u32 chunks = DIV_ROUND_UP(control->nr_to_scan, BIT(zone->chunk_order)), done;

	done = myalloc_zone_shrink(zone, chunks);
	control->nr_scanned = (unsigned long)done << zone->chunk_order;
	return done ? control->nr_scanned : SHRINK_STOP;
}

/* mutex held. */
static void apply(void)
{
	u64 chunks;

	if (!zone)
		return;
	chunks = (u64)decay_mb * MYALLOC_BUDGET_MIB_PAGES >> zone->chunk_order;
	myalloc_zone_set_decay(zone, decay_ms, clamp_t(u64, chunks, 1, U32_MAX));
}

/**
 * myalloc_shrinker_init() - let the kernel shrink an elastic zone
 * @for_zone: the zone; nothing happens if it is not elastic
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM if out of memory.
 */
int myalloc_shrinker_init(struct myalloc_zone *for_zone)
{
	int err = 0;

	if (!for_zone->elastic)
		return 0;
	mutex_lock(&mutex);
	zone = for_zone;
	apply();
	mutex_unlock(&mutex);
	if (!myalloc_env_should_fail())
		err = myalloc_compat_shrinker_begin(&shrinker, "myalloc", count, scan,
						    BIT(for_zone->chunk_order));
	else
		err = -ENOMEM;
	if (err) {
		pr_err("cannot register a shrinker: error %d\n", err);
		mutex_lock(&mutex);
		zone = NULL;
		mutex_unlock(&mutex);
	}
	return err;
}

/**
 * myalloc_shrinker_exit() - unregister the shrinker
 *
 * Waits for calls of the shrinker that are under way.
 *
 * Context: task, may sleep.
 */
void myalloc_shrinker_exit(void)
{
	if (!zone)
		return;
	myalloc_compat_shrinker_end(&shrinker);
	mutex_lock(&mutex);
	zone = NULL;
	mutex_unlock(&mutex);
}

/**
 * myalloc_decay_set() - set how fast the reserve gives back unused memory
 * @half_life_ms: time in which half of the surplus is given back, 0 for never
 * @most_mb: MiB given back at most in an eighth of that time
 *
 * Context: task, may sleep.
 * Return: 0; -EINVAL if @most_mb is 0.
 */
int myalloc_decay_set(u32 half_life_ms, u32 most_mb)
{
	if (!most_mb)
		return -EINVAL;
	mutex_lock(&mutex);
	decay_ms = half_life_ms;
	decay_mb = most_mb;
	apply();
	mutex_unlock(&mutex);
	return 0;
}

/**
 * myalloc_decay_get() - read the values that myalloc_decay_set() has set
 * @half_life_ms: out
 * @most_mb: out
 *
 * Context: any.
 */
void myalloc_decay_get(u32 *half_life_ms, u32 *most_mb)
{
	*half_life_ms = READ_ONCE(decay_ms);
	*most_mb = READ_ONCE(decay_mb);
}
