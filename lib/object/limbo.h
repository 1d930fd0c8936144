/* SPDX-License-Identifier: GPL-2.0 */
/* Limbo: slabs that have left a cache but not yet returned to the zone. */
#ifndef MYALLOC_LIMBO_H
#define MYALLOC_LIMBO_H

#include "object/cache_types.h"

void myalloc_limbo_init(struct myalloc_zone *zone);
void myalloc_limbo_retire(struct myalloc_cache *cache, u32 keep, u32 most);
void myalloc_cache_trim(struct myalloc_cache *cache, u32 keep);
u32 myalloc_limbo_harvest(struct myalloc_zone *zone, u32 most);
void myalloc_limbo_finish(struct myalloc_zone *zone, struct myalloc_cache *cache);
unsigned int myalloc_limbo_settle(struct myalloc_zone *zone);

#endif /* MYALLOC_LIMBO_H */
