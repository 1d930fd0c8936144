/* SPDX-License-Identifier: GPL-2.0 */
/* Magazines of caches: creating, sizing, draining and freeing them. */
#ifndef MYALLOC_UPKEEP_H
#define MYALLOC_UPKEEP_H

#include "object/cache_types.h"

void myalloc_upkeep_init(struct myalloc_zone *zone);
int myalloc_upkeep_prepare(struct myalloc_cache *cache, bool lean);
int myalloc_upkeep_begin(struct myalloc_cache *cache, bool lean);
void myalloc_upkeep_stop(struct myalloc_cache *cache);
void myalloc_upkeep_end(struct myalloc_cache *cache);

int myalloc_cache_fix_magazines(struct myalloc_cache *cache, u32 capacity);
int myalloc_cache_set_aside(struct myalloc_cache *cache, u32 slabs);

u32 myalloc_default_magazine(u32 slot_size, myalloc_cache_flags_t flags);
u32 myalloc_cache_default_magazine(const struct myalloc_cache *cache);
bool myalloc_cache_slow_only(const struct myalloc_cache *cache);
bool myalloc_zone_magazines_short(const struct myalloc_zone *zone);

#endif /* MYALLOC_UPKEEP_H */
