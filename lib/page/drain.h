/* SPDX-License-Identifier: GPL-2.0 */
/* Draining: cached memory returns to the buddy; requests that find no block; the zone's worker */
#ifndef MYALLOC_DRAIN_H
#define MYALLOC_DRAIN_H

#include "page/worker.h"

/* when a request finds no block */
bool myalloc_zone_reclaim(struct myalloc_zone *zone);
void myalloc_zone_make_room(struct myalloc_zone *zone, unsigned int order);
u32 myalloc_stock_reclaim(struct myalloc_stock *stock, u32 *most);

/* some kinds, one stock, one CPU */
void myalloc_zone_drain_request(struct myalloc_zone *zone);
unsigned long myalloc_zone_drain_kinds(struct myalloc_zone *zone, unsigned int kinds);
void myalloc_stock_drain(struct myalloc_zone *zone, struct myalloc_stock *stock);
void myalloc_zone_drain_cpu(struct myalloc_zone *zone, int cpu);

/**
 * myalloc_caches_lock() - lock the list of caches and the state of drains of all CPUs
 * @zone: the zone
 *
 * A request that may wait drains the zone, and may then wait for this mutex although it may not
 * wait for file systems or devices (memalloc_nofs_save()). So nobody does while holding it.
 *
 * Context: task, may sleep.
 * Return: for myalloc_caches_unlock().
 */
static inline unsigned int myalloc_caches_lock(struct myalloc_zone *zone)
{
	mutex_lock(&zone->caches_mutex);
	return myalloc_env_noio_save();
}

/**
 * myalloc_caches_unlock() - end a section of myalloc_caches_lock()
 * @zone: the zone
 * @noio: the value that myalloc_caches_lock() has returned
 *
 * Context: task.
 */
static inline void myalloc_caches_unlock(struct myalloc_zone *zone, unsigned int noio)
{
	myalloc_env_noio_restore(noio);
	mutex_unlock(&zone->caches_mutex);
}

/* drainers and the worker */
void myalloc_drainer_add(struct myalloc_zone *zone, struct myalloc_drainer *drainer,
			 unsigned int kind, const struct myalloc_drainer_ops *ops);
void myalloc_drainers_fini(struct myalloc_zone *zone);
int myalloc_drain_init(struct myalloc_zone *zone);
void myalloc_drain_stop(struct myalloc_zone *zone);
void myalloc_drain_fini(struct myalloc_zone *zone);

#endif /* MYALLOC_DRAIN_H */
