/* SPDX-License-Identifier: GPL-2.0 */
/* Checks of objects: red zones, poison, owners' records. */
#ifndef MYALLOC_SLAB_DEBUG_H
#define MYALLOC_SLAB_DEBUG_H

#include "object/cache_types.h"

/* The patterns of include/linux/poison.h, so that a dump reads as it does with SLUB. */
#define MYALLOC_RED_INACTIVE	0xbb	/* red zone of a free object */
#define MYALLOC_RED_ACTIVE	0xcc	/* red zone of a live object */
#define MYALLOC_POISON_END	0xa5	/* last byte of a free object */

struct myalloc_track *myalloc_track(const struct myalloc_cache *cache, void *slab,
				    u32 index, unsigned int which);
void myalloc_debug_init_slot(struct myalloc_cache *cache, void *slab, u32 index);
void myalloc_debug_alloc(struct myalloc_cache *cache, void *object, unsigned long caller);
void myalloc_debug_free(struct myalloc_cache *cache, void *object, unsigned long caller);
bool myalloc_debug_check(struct myalloc_cache *cache, void *slab, u32 index, bool live,
			 char *text, size_t size);
void myalloc_debug_slab(struct myalloc_cache *cache, struct myalloc_frame *frame, void *slab);
int myalloc_cache_bad_free(struct myalloc_cache *cache, const void *object,
			   unsigned long caller);

#endif /* MYALLOC_SLAB_DEBUG_H */
