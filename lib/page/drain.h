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
unsigned long myalloc_zone_drain_kinds(struct myalloc_zone *zone, unsigned int kinds);
void myalloc_stock_drain(struct myalloc_zone *zone, struct myalloc_stock *stock);
void myalloc_zone_drain_cpu(struct myalloc_zone *zone, int cpu);

/* drainers and the worker */
void myalloc_drainer_add(struct myalloc_zone *zone, struct myalloc_drainer *drainer,
			 unsigned int kind, const struct myalloc_drainer_ops *ops);
int myalloc_drain_init(struct myalloc_zone *zone);
void myalloc_drain_stop(struct myalloc_zone *zone);
void myalloc_drain_fini(struct myalloc_zone *zone);

#endif /* MYALLOC_DRAIN_H */
