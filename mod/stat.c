// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics in the structs of the interface
 *
 * The allocator's own structs may change, those of the interface may not. This file copies the
 * numbers from one to the other, and debugfs shows the values that the ioctls return. The list of
 * numbers is uapi/stat_fields.h.
 */
#include "env.h"

#include <linux/io.h>

#include "client/client.h"
#include "client/contract.h"
#include "front/arena.h"
#include "front/heap.h"
#include "front/pool.h"
#include "front/ring.h"
#include "object/cache.h"
#include "stat.h"
#include "zone/front.h"
#include "zone/zone.h"

/* The interface's promises about the allocator's constants. */
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
static_assert(MYALLOC_CACHE_TYPESAFE_RCU == (__force u32)MYALLOC_TYPESAFE_RCU);
static_assert(MYALLOC_CACHE_FLAGS == (__force u32)MYALLOC_CACHE_FLAGS_ALL);
static_assert(MYALLOC_LINES_MAX == MYALLOC_CONTRACT_LINES);
static_assert(MYALLOC_LINE_PAGES == MYALLOC_CONTRACT_PAGES);
static_assert(MYALLOC_LINE_EXTENTS == MYALLOC_CONTRACT_EXTENTS);
static_assert(MYALLOC_LINE_OBJECTS == MYALLOC_CONTRACT_OBJECTS);
static_assert(MYALLOC_CONTRACT_IS_BEST_EFFORT == MYALLOC_CONTRACT_BEST_EFFORT);
static_assert(MYALLOC_CONTRACT_IS_SHORT == MYALLOC_CONTRACT_SHORT);
static_assert(MYALLOC_CONTRACT_IS_FLAGS == MYALLOC_CONTRACT_FLAGS_ALL);
static_assert(sizeof_field(struct myalloc_contract_part, name) <= MYALLOC_NAME_MAX);

/**
 * myalloc_info_fill() - fill in the properties that are constant while the module is loaded, and
 * the size of the reserve
 * @info: out; its size member is left unchanged
 * @zone: the zone
 *
 * Context: any.
 */
void myalloc_info_fill(struct myalloc_info *info, const struct myalloc_zone *zone)
{
	info->page_size = PAGE_SIZE;
	info->chunk_order = zone->chunk_order;
	info->max_order = zone->buddy.top_order;
	info->nr_pages = myalloc_zone_present(zone);
	info->nr_chunks = zone->nr_chunks - READ_ONCE(zone->nr_holes);
	info->node = zone->node;
	info->checks = (__force u32)zone->checks;
	/* The list of chunks is there twice: mod/reserve.c has one. */
	info->meta_bytes = zone->meta_bytes + zone->nr_fixed * sizeof(*zone->chunks);
	if (zone->elastic)
		info->meta_bytes += atomic64_read(&zone->elastic->map_bytes);
	info->nr_cpus = num_possible_cpus();
	info->reserved = 0;
	info->last_phys = virt_to_phys(myalloc_zone_last(zone));
}

/**
 * myalloc_stat_fill() - fill in the zone's statistics
 * @stat: out; its size member is left unchanged
 * @zone: the zone
 *
 * Context: task, may sleep.
 * Return: 0, -ENOMEM.
 */
int myalloc_stat_fill(struct myalloc_stat *stat, struct myalloc_zone *zone)
{
	struct myalloc_zone_stats *from;
	unsigned int k;

	/* Both structs together are too large for the stack. */
	from = myalloc_env_zalloc(sizeof(*from), NUMA_NO_NODE);
	if (!from)
		return -ENOMEM;
	myalloc_zone_stats(zone, from);
	MYALLOC_ZONE_FIELDS(MYALLOC_STAT_COPY, MYALLOC_STAT_COPY_ARRAY)
	stat->max_order = zone->buddy.top_order;
	stat->reserved = 0;
	myalloc_env_free(from);
	return 0;
}

/**
 * myalloc_cache_stat_fill() - fill in a cache's statistics
 * @stat: out; the members that select the cache are left unchanged
 * @cache: the cache
 *
 * Context: task.
 */
void myalloc_cache_stat_fill(struct myalloc_cache_stat *stat, struct myalloc_cache *cache)
{
	struct myalloc_cache_stats stats, *from = &stats;

	myalloc_cache_stats(cache, from);
	MYALLOC_CACHE_FIELDS(MYALLOC_STAT_COPY)
	stat->flags = from->flags;
	memcpy(stat->name, from->name, sizeof(stat->name));
}

struct find {
	struct myalloc_cache_stat *stat;
	u32 from;
	u32 to;
	bool found;
};

/* Keep the cache with the lowest number. */
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
 * myalloc_cache_stat_find() - fill in the statistics of the cache with a given number
 * @stat: out
 * @zone: the zone
 * @id: number of the cache
 * @or_next: if true, take the next higher number if @id does not exist
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

/**
 * myalloc_heap_stat_fill() - fill in a heap's statistics
 * @stat: out; the members that select the heap are left unchanged
 * @heap: the heap
 *
 * Context: task, may sleep.
 */
void myalloc_heap_stat_fill(struct myalloc_heap_stat *stat, struct myalloc_heap *heap)
{
	struct myalloc_heap_stats stats, *from = &stats;

	myalloc_heap_stats(heap, from);
	MYALLOC_HEAP_FIELDS(MYALLOC_STAT_COPY)
	strscpy(stat->name, heap->front.name, sizeof(stat->name));
}

struct find_front {
	const struct myalloc_front_view *view;
	void *stat;
	u64 to;
	bool found;
};

static bool found_front(struct myalloc_front *front, void *arg)
{
	struct find_front *find = arg;

	find->found = front->id <= find->to;
	if (find->found)
		find->view->fill(find->stat, front);
	return false;
}

/**
 * myalloc_front_stat_find() - fill in the statistics of the front with a given number
 * @stat: out; of the type that @view fills in
 * @view: the kind of front
 * @zone: the zone
 * @id: number of the front
 * @or_next: if true, take the next higher number if @id does not exist
 *
 * Context: task, may sleep.
 * Return: 0, -ENOENT if there is none.
 */
int myalloc_front_stat_find(void *stat, const struct myalloc_front_view *view,
			    struct myalloc_zone *zone, u64 id, bool or_next)
{
	struct find_front find = {
		.view = view,
		.stat = stat,
		.to = or_next ? U64_MAX : id,
	};

	myalloc_front_walk_from(zone, view->kind, id, found_front, &find);
	return find.found ? 0 : -ENOENT;
}

static void fill_heap(void *stat, struct myalloc_front *front)
{
	myalloc_heap_stat_fill(stat, myalloc_heap_of(front));
}

const struct myalloc_front_view myalloc_heap_view = {
	.kind = &myalloc_heap_kind,
	.bytes = sizeof(struct myalloc_heap_stat),
	.fill = fill_heap,
};

/**
 * myalloc_ring_stat_fill() - fill in a ring's statistics
 * @stat: out; the members that select the ring are left unchanged
 * @ring: the ring
 *
 * Context: task, may sleep.
 */
void myalloc_ring_stat_fill(struct myalloc_ring_stat *stat, struct myalloc_ring *ring)
{
	struct myalloc_ring_stats stats, *from = &stats;

	myalloc_ring_stats(ring, from);
	MYALLOC_RING_FIELDS(MYALLOC_STAT_COPY)
	strscpy(stat->name, ring->front.name, sizeof(stat->name));
}

static void fill_ring(void *stat, struct myalloc_front *front)
{
	myalloc_ring_stat_fill(stat, myalloc_ring_of(front));
}

const struct myalloc_front_view myalloc_ring_view = {
	.kind = &myalloc_ring_kind,
	.bytes = sizeof(struct myalloc_ring_stat),
	.fill = fill_ring,
};

/**
 * myalloc_arena_stat_fill() - fill in an arena's statistics
 * @stat: out; the members that select the arena are left unchanged
 * @arena: the arena
 *
 * Context: task, may sleep.
 */
void myalloc_arena_stat_fill(struct myalloc_arena_stat *stat, struct myalloc_arena *arena)
{
	struct myalloc_arena_stats stats, *from = &stats;

	myalloc_arena_stats(arena, from);
	MYALLOC_ARENA_FIELDS(MYALLOC_STAT_COPY)
	strscpy(stat->name, arena->front.name, sizeof(stat->name));
}

static void fill_arena(void *stat, struct myalloc_front *front)
{
	myalloc_arena_stat_fill(stat, myalloc_arena_of(front));
}

const struct myalloc_front_view myalloc_arena_view = {
	.kind = &myalloc_arena_kind,
	.bytes = sizeof(struct myalloc_arena_stat),
	.fill = fill_arena,
};

/**
 * myalloc_pool_stat_fill() - fill in the statistics of an object pool
 * @stat: out; the members that select the pool are left unchanged
 * @pool: the pool
 *
 * Context: task.
 */
void myalloc_pool_stat_fill(struct myalloc_pool_stat *stat, struct myalloc_pool *pool)
{
	struct myalloc_pool_stats stats, *from = &stats;

	myalloc_pool_stats(pool, from);
	MYALLOC_POOL_FIELDS(MYALLOC_STAT_COPY)
	memcpy(stat->name, from->name, sizeof(stat->name));
}

static void fill_pool(void *stat, struct myalloc_front *front)
{
	myalloc_pool_stat_fill(stat, myalloc_pool_of(front));
}

const struct myalloc_front_view myalloc_pool_view = {
	.kind = &myalloc_pool_kind,
	.bytes = sizeof(struct myalloc_pool_stat),
	.fill = fill_pool,
};

/**
 * myalloc_contract_stat_fill() - fill in the statistics of a line of a contract
 * @stat: out; the members that select the line are left unchanged
 * @contract: the contract
 * @line: number of the line
 *
 * Context: task, may sleep.
 */
void myalloc_contract_stat_fill(struct myalloc_contract_stat *stat,
				struct myalloc_contract *contract, unsigned int line)
{
	struct myalloc_contract_stats stats, *from = &stats;

	myalloc_contract_stats(contract, line, from);
	MYALLOC_CONTRACT_FIELDS_OWN(MYALLOC_STAT_COPY)
	stat->id = contract->front.id * MYALLOC_LINES_MAX + line;
	strscpy(stat->name, contract->part[line].name, sizeof(stat->name));
}

struct find_line {
	struct myalloc_contract_stat *stat;
	u64 from;
	bool or_next;
	bool found;
};

static bool found_line(struct myalloc_front *front, void *arg)
{
	struct myalloc_contract *contract = myalloc_contract_of(front);
	struct find_line *find = arg;
	u64 first = front->id * MYALLOC_LINES_MAX;
	u64 line = find->from > first ? find->from - first : 0;

	if (line >= contract->nr)
		return true;
	find->found = find->or_next || find->from >= first;
	if (find->found)
		myalloc_contract_stat_fill(find->stat, contract, line);
	return false;
}

/**
 * myalloc_contract_stat_find() - fill in the statistics of the line with a given number
 * @stat: out
 * @zone: the zone
 * @id: number of the contract times MYALLOC_LINES_MAX, and that of the line
 * @or_next: if true, take the next higher number if @id does not exist
 *
 * Context: task, may sleep.
 * Return: 0, -ENOENT if there is none.
 */
int myalloc_contract_stat_find(struct myalloc_contract_stat *stat, struct myalloc_zone *zone,
			       u64 id, bool or_next)
{
	struct find_line find = { .stat = stat, .from = id, .or_next = or_next };

	myalloc_front_walk_from(zone, &myalloc_contract_kind, id / MYALLOC_LINES_MAX, found_line,
				&find);
	return find.found ? 0 : -ENOENT;
}

/**
 * myalloc_client_stat_fill() - fill in the statistics of a client
 * @stat: out; @size and @how are left unchanged
 * @client: the client; clients->mutex is held
 * @extents: those of all clients, from myalloc_client_extents()
 *
 * Context: task, may sleep.
 */
void myalloc_client_stat_fill(struct myalloc_client_stat *stat, struct myalloc_client *client,
			      const struct myalloc_client_extents *extents)
{
	struct myalloc_client_stats stats, *from = &stats;

	myalloc_client_stats(client, extents, from);
	MYALLOC_CLIENT_FIELDS(MYALLOC_STAT_COPY)
	memcpy(stat->name, client->name, sizeof(stat->name));
	memcpy(stat->owner, client->owner_name, sizeof(stat->owner));
}
