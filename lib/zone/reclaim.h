/* SPDX-License-Identifier: GPL-2.0 */
/* The way of memory back to the buddy: limbo, drains, the zone's worker. */
#ifndef MYALLOC_RECLAIM_H
#define MYALLOC_RECLAIM_H

#include "zone/zone.h"

struct myalloc_cache;

/* limbo; cache->lock held for the first */
void myalloc_limbo_add(struct myalloc_zone *zone, struct myalloc_cache *cache,
		       struct myalloc_frame *frame);
u32 myalloc_limbo_harvest(struct myalloc_zone *zone, u32 most);

/* when a request finds no block */
bool myalloc_zone_reclaim(struct myalloc_zone *zone);

/* whole caches and zones */
#define MYALLOC_SWEEP_PAGES	1u	/* page magazines */
#define MYALLOC_SWEEP_OBJECTS	2u	/* magazines and empty slabs of caches */
unsigned long myalloc_zone_sweep(struct myalloc_zone *zone, unsigned int kinds);
void myalloc_zone_drain_cpu(struct myalloc_zone *zone, int cpu);
int myalloc_zone_cpu_coming(struct myalloc_zone *zone, int cpu);

/* the worker */
void myalloc_reclaim_init(struct myalloc_zone *zone);
void myalloc_reclaim_stop(struct myalloc_zone *zone);

/* Milliseconds between two runs of the worker while something is cached. */
#define MYALLOC_WORK_MS	500

/* The worker is to run in @ms milliseconds. Context: any. */
static inline void myalloc_zone_post(struct myalloc_zone *zone, unsigned int ms)
{
	if (likely(!READ_ONCE(zone->no_worker)))
		myalloc_env_work_post(&zone->work, ms);
}

/* Something is cached: the worker will look after it. Context: any. */
static inline void myalloc_zone_wake(struct myalloc_zone *zone)
{
	myalloc_zone_post(zone, MYALLOC_WORK_MS);
}

#endif /* MYALLOC_RECLAIM_H */
