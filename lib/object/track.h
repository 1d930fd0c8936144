/* SPDX-License-Identifier: GPL-2.0 */
/* The live objects of a cache. */
#ifndef MYALLOC_TRACK_H
#define MYALLOC_TRACK_H

#include "object/check.h"

/*
 * Called for each live object of a cache, under cache->lock, which is dropped between slabs.
 * @track is NULL without MYALLOC_OWNER.
 */
typedef void (*myalloc_object_fn)(struct myalloc_cache *cache, void *object,
				  const struct myalloc_track *track, void *arg);
void myalloc_cache_walk_part(struct myalloc_cache *cache, u32 from, u32 to, myalloc_object_fn fn,
			     void *arg);
void __myalloc_cache_walk_live(struct myalloc_cache *cache, myalloc_object_fn fn, void *arg);
void myalloc_cache_walk_live(struct myalloc_cache *cache, myalloc_object_fn fn, void *arg);
void myalloc_cache_empty(struct myalloc_cache *cache, bool poison);
void myalloc_debug_report_live(struct myalloc_cache *cache);

#endif /* MYALLOC_TRACK_H */
