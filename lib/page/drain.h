/* SPDX-License-Identifier: GPL-2.0 */
/* The way of memory back to the buddy: drains, requests that find no block, the zone's worker. */
#ifndef MYALLOC_DRAIN_H
#define MYALLOC_DRAIN_H

#include "zone_types.h"

/* when a request finds no block */
bool myalloc_zone_reclaim(struct myalloc_zone *zone);
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

/* A CPU has come to magazines that have none for it. Context: any. */
static inline void myalloc_zone_want_magazines(struct myalloc_zone *zone)
{
	WRITE_ONCE(zone->want_magazines, true);
	myalloc_zone_post(zone, 0);
}

#endif /* MYALLOC_DRAIN_H */
