/* SPDX-License-Identifier: GPL-2.0 */
/* Caches as a whole: names, statistics, the walk over all of them. */
#ifndef MYALLOC_CACHE_H
#define MYALLOC_CACHE_H

#include "object/cache_types.h"
#include "object/track.h"

/* Statistics of a cache. The members are documented in uapi/myalloc.h, by the same names. */
struct myalloc_cache_stats {
	u32 id;
	u32 object_size;
	u32 slot_size;
	u32 align;
	u32 order;
	u32 objects_per_slab;
	u32 flags;
	u32 magazine;
	u64 slabs;
	u64 slabs_partial;
	u64 slabs_empty;
	u64 total_objects;
	u64 live_objects;
	u64 cached_objects;
	u64 deferred_objects;
	u64 allocs;
	u64 frees;
	u64 fails;
	u64 alloc_hits;
	u64 free_hits;
	u64 refills;
	u64 flushes;
	u64 bad_frees;
	u64 corruptions;
	u64 meta_bytes;
	u64 waste_bytes;
	char name[MYALLOC_CACHE_NAME];
};

struct myalloc_cache *myalloc_cache_create_lean(struct myalloc_zone *zone,
						const struct myalloc_cache_args *args);
struct myalloc_cache *myalloc_cache_create_bare(struct myalloc_zone *zone,
						const struct myalloc_cache_args *args);
int myalloc_cache_lay_out(struct myalloc_zone *zone, const struct myalloc_cache_args *args,
			  myalloc_cache_flags_t checks, struct myalloc_slab_layout *layout,
			  myalloc_cache_flags_t *flags);
void myalloc_caches_end(struct myalloc_cache **caches, unsigned int nr);
bool myalloc_cache_good_name(const char *name);
void myalloc_cache_stats(struct myalloc_cache *cache, struct myalloc_cache_stats *stats);

/* Called for each cache of a walk; false ends the walk. */
typedef bool (*myalloc_cache_fn)(struct myalloc_cache *cache, void *arg);
void myalloc_zone_walk_caches(struct myalloc_zone *zone, myalloc_cache_fn fn, void *arg);

#endif /* MYALLOC_CACHE_H */
