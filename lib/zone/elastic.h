/* SPDX-License-Identifier: GPL-2.0 */
/* Elastic zones: chunks that are taken from the system when they are needed, and given back */
#ifndef MYALLOC_ELASTIC_H
#define MYALLOC_ELASTIC_H

#include "zone_types.h"

int myalloc_elastic_init(struct myalloc_zone *zone, const struct myalloc_zone_args *args);
void myalloc_elastic_end(struct myalloc_zone *zone);

int myalloc_zone_grow(struct myalloc_zone *zone, u32 chunks, u32 *grown);
u32 myalloc_zone_shrink(struct myalloc_zone *zone, u32 chunks);
u32 myalloc_zone_surplus(const struct myalloc_zone *zone);
void myalloc_zone_set_decay(struct myalloc_zone *zone, u32 half_life_ms, u32 most);

/* Half-life of the surplus and chunks given back at most at a time, unless set otherwise */
#define MYALLOC_DECAY_MS	10000
#define MYALLOC_DECAY_MOST	16

#endif /* MYALLOC_ELASTIC_H */
