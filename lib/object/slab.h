/* SPDX-License-Identifier: GPL-2.0 */
/* Making, filling and emptying slabs. The caller of a function with __ holds cache->lock. */
#ifndef MYALLOC_SLAB_H
#define MYALLOC_SLAB_H

#include "object/cache_types.h"

struct myalloc_frame *myalloc_slab_make(struct myalloc_cache *cache);
void __myalloc_slab_add(struct myalloc_cache *cache, struct myalloc_frame *frame);
void myalloc_slab_drop(struct myalloc_cache *cache, struct myalloc_frame *frame);
struct myalloc_frame *__myalloc_slab_retire(struct myalloc_cache *cache);
u32 myalloc_cache_release(struct myalloc_cache *cache, struct myalloc_frame *frame);

u32 __myalloc_slab_take(struct myalloc_cache *cache, struct myalloc_slot *end, u32 most,
			u8 state);
bool __myalloc_slab_give(struct myalloc_cache *cache, const struct myalloc_place *place, u8 from);
void __myalloc_slab_flush(struct myalloc_cache *cache, const struct myalloc_slot *slot, u32 nr);
void myalloc_slab_twice(struct myalloc_cache *cache, const void *object);

void myalloc_slab_defer(struct myalloc_cache *cache, void *object, u8 *state);
void __myalloc_slab_reap(struct myalloc_cache *cache, unsigned int most);
void myalloc_cache_reap(struct myalloc_cache *cache);

#endif /* MYALLOC_SLAB_H */
