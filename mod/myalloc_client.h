/* SPDX-License-Identifier: GPL-2.0 */
/*
 * myalloc for other modules
 *
 *	#include "myalloc_client.h"
 *
 *	MYALLOC_IMPORT_NS(MYALLOC);
 *
 *	zone = myalloc_zone_get();
 *	if (!zone)
 *		return -ENODEV;
 *	cache = myalloc_cache_create(zone, &(struct myalloc_cache_args) {
 *		.name = "frob-request",
 *		.object_size = sizeof(struct frob_request),
 *	});
 *	if (IS_ERR(cache)) {
 *		myalloc_zone_put(zone);
 *		return PTR_ERR(cache);
 *	}
 *	...
 *	myalloc_cache_destroy(cache);
 *	myalloc_zone_put(zone);
 *
 * Build with the Module.symvers of myalloc in KBUILD_EXTRA_SYMBOLS. myalloc.ko cannot be
 * removed while a module that uses it is loaded. mod/clients/frob is a minimal client with its
 * Kbuild file; mod/clients/example.c is a larger one.
 */
#ifndef MYALLOC_CLIENT_H
#define MYALLOC_CLIENT_H

#include "../lib/myalloc.h"
#include "compat.h"
#include "stat.h"

struct myalloc_zone *myalloc_zone_get(void);
void myalloc_zone_put(struct myalloc_zone *zone);

/*
 * Statistics, the same as ioctls return and debugfs shows: myalloc_stat_fill() for a zone,
 * myalloc_cache_stat_fill() for a cache, myalloc_heap_stat_fill() for a heap,
 * myalloc_ring_stat_fill() for a ring; see stat.h and uapi/myalloc.h. Constant properties:
 */

/**
 * struct myalloc_zone_info - constant properties of a zone
 * @nr_pages: number of pages
 * @chunk_order: log2 of pages in a chunk
 * @max_order: order of the largest block; above @chunk_order where chunks are adjacent
 * @checks: MYALLOC_CHECKS in force for pages and every cache
 * @meta_bytes: memory used in addition to the pages, without that of caches
 * @buddy_bytes: the part of @meta_bytes that the buddy's bitmaps use
 */
struct myalloc_zone_info {
	u64 nr_pages;
	u32 chunk_order;
	u32 max_order;
	myalloc_cache_flags_t checks;
	u64 meta_bytes;
	u64 buddy_bytes;
};

/**
 * struct myalloc_magazine_info - how much a CPU can keep
 * @capacity: objects, or blocks, in a magazine; 0: no magazines
 * @batch: number moved at once between magazines and the layer below
 * @magazines: magazines that one CPU can fill before it must flush
 */
struct myalloc_magazine_info {
	u32 capacity;
	u32 batch;
	u32 magazines;
};

void myalloc_zone_info(const struct myalloc_zone *zone, struct myalloc_zone_info *info);
void myalloc_pages_magazines(const struct myalloc_zone *zone, unsigned int order,
			     struct myalloc_magazine_info *info);
void myalloc_cache_magazines(const struct myalloc_cache *cache,
			     struct myalloc_magazine_info *info);

#endif /* MYALLOC_CLIENT_H */
