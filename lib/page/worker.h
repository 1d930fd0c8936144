/* SPDX-License-Identifier: GPL-2.0 */
/* Functions that start the worker of a zone. The worker itself is in drain.c. */
#ifndef MYALLOC_WORKER_H
#define MYALLOC_WORKER_H

#include "zone_types.h"

/*
 * Milliseconds between two passes of the worker while something is cached. Two of them, and the
 * time that a pass takes, are less than a second: then an idle CPU is drained.
 */
#define MYALLOC_WORK_MS	400

/**
 * myalloc_now_ms() - the time, for short intervals
 *
 * Context: any.
 * Return: milliseconds, modulo 2^32.
 */
static inline u32 myalloc_now_ms(void)
{
	return div_u64(myalloc_env_now_ns(), 1000000);
}

/**
 * myalloc_zone_post() - have the worker run
 * @zone: the zone
 * @ms: delay in milliseconds, 0 for at once
 *
 * Context: any.
 */
static inline void myalloc_zone_post(struct myalloc_zone *zone, unsigned int ms)
{
	if (likely(!READ_ONCE(zone->no_worker)))
		myalloc_env_work_post(&zone->work, ms);
}

/**
 * myalloc_zone_settle() - have the worker look at what waits for a grace period
 * @zone: the zone
 * @ms: delay in milliseconds
 *
 * Such a run is a pass only if the next pass is due by then.
 *
 * Context: any.
 */
static inline void myalloc_zone_settle(struct myalloc_zone *zone, unsigned int ms)
{
	WRITE_ONCE(zone->settling, true);
	myalloc_zone_post(zone, ms);
}

/**
 * myalloc_zone_wake() - start the worker because something is cached
 * @zone: the zone
 *
 * Context: any.
 */
static inline void myalloc_zone_wake(struct myalloc_zone *zone)
{
	/* Pairs with myalloc_env_work_run(): models/litmus/worker-wake.litmus. */
	smp_mb();
	myalloc_zone_post(zone, MYALLOC_WORK_MS);
}

/**
 * myalloc_zone_use() - a CPU uses magazines that were unused
 * @zone: the zone
 *
 * Context: any.
 */
static inline void myalloc_zone_use(struct myalloc_zone *zone)
{
	if (!READ_ONCE(zone->used))
		WRITE_ONCE(zone->used, true);
	myalloc_zone_wake(zone);
}

/**
 * myalloc_zone_want_magazines() - have the worker make magazines for more CPUs
 * @zone: the zone
 *
 * Called when a CPU has found no magazines.
 *
 * Context: any.
 */
static inline void myalloc_zone_want_magazines(struct myalloc_zone *zone)
{
	WRITE_ONCE(zone->want_magazines, true);
	myalloc_zone_post(zone, 0);
}

#endif /* MYALLOC_WORKER_H */
