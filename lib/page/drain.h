/* SPDX-License-Identifier: GPL-2.0 */
/* Draining: cached memory returns to the buddy; requests that find no block; the zone's worker */
#ifndef MYALLOC_DRAIN_H
#define MYALLOC_DRAIN_H

#include "zone_types.h"

/* when a request finds no block */
bool myalloc_zone_reclaim(struct myalloc_zone *zone);
void myalloc_zone_make_room(struct myalloc_zone *zone, unsigned int order);
u32 myalloc_stock_reclaim(struct myalloc_stock *stock, u32 *most);

/* some kinds, one stock, one CPU */
unsigned long myalloc_zone_drain_kinds(struct myalloc_zone *zone, unsigned int kinds);
void myalloc_stock_drain(struct myalloc_zone *zone, struct myalloc_stock *stock);
void myalloc_zone_drain_cpu(struct myalloc_zone *zone, int cpu);

/* drainers and the worker */
void myalloc_drainer_add(struct myalloc_zone *zone, struct myalloc_drainer *drainer,
			 unsigned int kind, const struct myalloc_drainer_ops *ops);
int myalloc_drain_init(struct myalloc_zone *zone);
void myalloc_drain_stop(struct myalloc_zone *zone);
void myalloc_drain_fini(struct myalloc_zone *zone);

/* Milliseconds between two runs of the worker while something is cached. */
#define MYALLOC_WORK_MS	500

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
 * myalloc_zone_wake() - start the worker because something is cached
 * @zone: the zone
 *
 * Context: any.
 */
static inline void myalloc_zone_wake(struct myalloc_zone *zone)
{
	myalloc_zone_post(zone, MYALLOC_WORK_MS);
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

#endif /* MYALLOC_DRAIN_H */
