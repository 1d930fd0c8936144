// SPDX-License-Identifier: GPL-2.0
/*
 * The books in the words of uapi/myalloc.h
 *
 * The allocator keeps its own structs, which may change; those of the interface may not. So
 * they are copied member by member, here, once: debugfs shows what the ioctls return.
 */
#include "env.h"

#include "reserve.h"
#include "object/cache.h"
#include "stat.h"
#include "zone/zone.h"

/* What the interface promises about the allocator's constants. */
static_assert(MYALLOC_MAX_ORDER == MYALLOC_TOP_ORDER);
static_assert(MYALLOC_NAME_MAX == MYALLOC_CACHE_NAME);
static_assert(MYALLOC_OBJECT_MAX == MYALLOC_MAX_OBJECT);
static_assert(MYALLOC_CHECK_SANITY == (__force u32)MYALLOC_SANITY);
static_assert(MYALLOC_CHECK_REDZONE == (__force u32)MYALLOC_REDZONE);
static_assert(MYALLOC_CHECK_POISON == (__force u32)MYALLOC_POISON);
static_assert(MYALLOC_CHECK_OWNER == (__force u32)MYALLOC_OWNER);
static_assert(MYALLOC_CHECK_ALL == (__force u32)MYALLOC_CHECKS);
static_assert(MYALLOC_CACHE_ZERO_ALLOC == (__force u32)MYALLOC_ZERO_ALLOC);
static_assert(MYALLOC_CACHE_ZERO_FREE == (__force u32)MYALLOC_ZERO_FREE);
static_assert(MYALLOC_CACHE_RANDOM == (__force u32)MYALLOC_RANDOM);
static_assert(MYALLOC_CACHE_NO_MAGAZINE == (__force u32)MYALLOC_NO_MAGAZINE);
static_assert(MYALLOC_CACHE_CERTAIN == (__force u32)MYALLOC_CERTAIN);
static_assert(MYALLOC_CACHE_TRUSTING == (__force u32)MYALLOC_TRUSTING);
static_assert(MYALLOC_CACHE_FLAGS == (__force u32)MYALLOC_CACHE_FLAGS_ALL);

/**
 * myalloc_info_fill() - what does not change while the module is loaded
 * @info: out; its size member is left alone
 * @zone: the zone
 * @reserve: its pages
 */
void myalloc_info_fill(struct myalloc_info *info, const struct myalloc_zone *zone,
		       const struct myalloc_reserve *reserve)
{
	info->page_size = PAGE_SIZE;
	info->chunk_order = zone->chunk_order;
	info->max_order = zone->chunk_order;
	info->nr_pages = reserve->nr_pages;
	info->nr_chunks = reserve->nr_chunks;
	info->node = reserve->node;
	info->checks = (__force u32)zone->checks;
	info->meta_bytes = zone->meta_bytes + myalloc_reserve_meta(reserve);
	info->nr_cpus = num_possible_cpus();
	info->reserved = 0;
}

static void copy_orders(struct myalloc_stat *stat, const struct myalloc_zone_books *books)
{
	unsigned int k;

	for (k = 0; k < MYALLOC_ORDERS; k++) {
		stat->free_blocks[k] = books->free_blocks[k];
		stat->cached_blocks[k] = books->cached_blocks[k];
		stat->unusable[k] = books->unusable[k];
		stat->extfrag[k] = books->extfrag[k];
		stat->page_allocs[k] = books->page_allocs[k];
		stat->page_frees[k] = books->page_frees[k];
		stat->page_fails[k] = books->page_fails[k];
		stat->page_hits[k] = books->page_hits[k];
	}
}

/**
 * myalloc_stat_fill() - the zone's books
 * @stat: out; its size member is left alone
 * @zone: the zone
 *
 * Context: task, may sleep.
 * Return: 0, -ENOMEM.
 */
int myalloc_stat_fill(struct myalloc_stat *stat, struct myalloc_zone *zone)
{
	struct myalloc_zone_books *books;

	/* Both structs together are too much for the stack. */
	books = myalloc_env_zalloc(sizeof(*books), NUMA_NO_NODE);
	if (!books)
		return -ENOMEM;
	myalloc_zone_books(zone, books);
	copy_orders(stat, books);
	stat->max_order = zone->chunk_order;
	stat->nr_pages = books->nr_pages;
	stat->free_pages = books->free_pages;
	stat->cached_pages = books->cached_pages;
	stat->page_pages = books->page_pages;
	stat->slab_pages = books->slab_pages;
	stat->deferred_pages = books->deferred_pages;
	stat->largest_order = books->largest_order;
	stat->reserved = 0;
	stat->nmi_fails = books->nmi_fails;
	stat->splits = books->splits;
	stat->merges = books->merges;
	stat->bad_frees = books->bad_frees;
	stat->corruptions = books->corruptions;
	stat->deferred_frees = books->deferred_frees;
	stat->drains = books->drains;
	stat->peak_pages = books->peak_pages;
	stat->nr_caches = books->nr_caches;
	stat->reports_suppressed = books->reports_suppressed;
	stat->quarantined_pages = books->quarantined_pages;
	stat->quarantines = books->quarantines;
	stat->bad_pages = books->bad_pages;
	myalloc_env_free(books);
	return 0;
}

/**
 * myalloc_cache_stat_fill() - a cache's books
 * @stat: out; what the caller put in to choose the cache is left alone
 * @cache: the cache
 *
 * Context: task.
 */
void myalloc_cache_stat_fill(struct myalloc_cache_stat *stat, struct myalloc_cache *cache)
{
	struct myalloc_cache_books books;

	myalloc_cache_books(cache, &books);
	stat->id = books.id;
	stat->object_size = books.object_size;
	stat->slot_size = books.slot_size;
	stat->align = books.align;
	stat->order = books.order;
	stat->objects_per_slab = books.objects_per_slab;
	stat->flags = books.flags;
	stat->magazine = books.magazine;
	stat->slabs = books.slabs;
	stat->slabs_partial = books.slabs_partial;
	stat->slabs_empty = books.slabs_empty;
	stat->total_objects = books.total_objects;
	stat->live_objects = books.live_objects;
	stat->cached_objects = books.cached_objects;
	stat->deferred_objects = books.deferred_objects;
	stat->allocs = books.allocs;
	stat->frees = books.frees;
	stat->fails = books.fails;
	stat->alloc_hits = books.alloc_hits;
	stat->free_hits = books.free_hits;
	stat->refills = books.refills;
	stat->flushes = books.flushes;
	stat->bad_frees = books.bad_frees;
	stat->corruptions = books.corruptions;
	stat->meta_bytes = books.meta_bytes;
	stat->waste_bytes = books.waste_bytes;
	memcpy(stat->name, books.name, sizeof(stat->name));
}

struct find {
	struct myalloc_cache_stat *stat;
	u32 from;
	u32 to;
	bool found;
};

/* Keeps the one with the lowest number. */
static bool find_cache(struct myalloc_cache *cache, void *arg)
{
	struct find *find = arg;

	if (cache->id < find->from || cache->id > find->to)
		return true;
	myalloc_cache_stat_fill(find->stat, cache);
	find->found = true;
	find->to = cache->id;
	return find->from != find->to;
}

/**
 * myalloc_cache_stat_find() - the books of a cache by its number
 * @stat: out
 * @zone: the zone
 * @id: its number
 * @or_next: or the first one after it
 *
 * Context: task, may sleep.
 * Return: 0, -ENOENT if there is none.
 */
int myalloc_cache_stat_find(struct myalloc_cache_stat *stat, struct myalloc_zone *zone,
			    u32 id, bool or_next)
{
	struct find find = {
		.stat = stat,
		.from = id,
		.to = or_next ? U32_MAX : id,
	};

	myalloc_zone_walk_caches(zone, find_cache, &find);
	return find.found ? 0 : -ENOENT;
}
