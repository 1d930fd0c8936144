/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The zone as a structure, so that every room above base/ can be given one. Internal to the
 * allocator and to those who show or check it; users include myalloc.h.
 *
 * Lock order of the whole project:
 *
 *	zone->walk_mutex	one walk over all caches at a time; sleeping
 *	  cpus_read_lock()	no CPU comes or goes; the kernel's, sleeping
 *	  zone->caches_mutex	list of caches; sleeping
 *	    cache->pin_mutex	the cache is looked at and must not be freed; sleeping
 *	    cache->lock		slabs of one cache
 *	      limbo.lock	slabs on their way back
 *	      zone->lock	buddy, statistics
 *		zone->reports.lock  texts of reports
 *
 * All but the first two are raw spinlocks, taken with interrupts off, from NMI only by
 * trylock, and held for bounded time. (Checks that walk everything, myalloc_zone_validate()
 * and the shows of debugfs, take them for one chunk or one slab at a time.)
 */
#ifndef MYALLOC_ZONE_TYPES_H
#define MYALLOC_ZONE_TYPES_H

#include "base/bad_free.h"
#include "base/deferred.h"
#include "base/drainer.h"
#include "base/lock.h"
#include "base/magazine.h"
#include "base/report.h"
#include "page/buddy.h"
#include "page/frame.h"

/* Orders with magazines: the small ones, and blocks of 2 MiB: order 9, 7 and 5. */
#define MYALLOC_PCP_SMALL	3
#define MYALLOC_PCP_HUGE	(21 - PAGE_SHIFT)
#define MYALLOC_PCP_LISTS	(MYALLOC_PCP_SMALL + 2)

/* Free memory under MYALLOC_POISON; POISON_FREE of include/linux/poison.h. */
#define MYALLOC_POISON_FREE	0x6b

#define MYALLOC_CACHES_MAX	1024	/* numbers of caches in one zone */

struct myalloc_cache;

/**
 * struct myalloc_limbo - slabs on their way from a cache to the zone; see limbo.c
 * @lock: protects the members, and the age of every cache's magazines
 * @open: first and last frame of the slabs that came lately, linked by next
 * @open_last: the last one
 * @waiting: slabs that wait for a grace period
 * @moment: of which that is
 * @nr: slabs in both
 * @caches: caches of the slabs in @open
 * @nr_caches: how many
 */
struct myalloc_limbo {
	raw_spinlock_t lock;
	u32 open;
	u32 open_last;
	u32 waiting;
	u64 moment;
	u32 nr;
	struct list_head caches;
	u32 nr_caches;
};

/**
 * struct myalloc_zone_ops - what a zone's maker wants to hear of; each may be NULL
 * @cache_added: a cache was made; under caches_mutex
 * @cache_removed: a cache, already empty, is about to be freed; not under caches_mutex
 */
struct myalloc_zone_ops {
	void (*cache_added)(struct myalloc_cache *cache);
	void (*cache_removed)(struct myalloc_cache *cache);
};

/**
 * struct myalloc_zone_args - what a zone is to be
 * @name: shown in reports, not copied
 * @chunks: addresses of the chunks, ascending, each a multiple of the chunk size
 *	away from the first
 * @nr_chunks: how many
 * @chunk_order: log2 of pages in a chunk, at most MYALLOC_TOP_ORDER
 * @nr_pages: frames in all; less than the chunks hold if the last is partial
 * @node: NUMA node for metadata, or NUMA_NO_NODE
 * @checks: MYALLOC_CHECKS, in force for pages and every cache
 * @policy: enum myalloc_policy
 * @no_magazines: no per-CPU page magazines
 * @no_worker: the worker of drain.c runs only when it is called
 * @simulated: there is no memory behind the addresses; never touch it
 * @ops: or NULL
 */
struct myalloc_zone_args {
	const char *name;
	void *const *chunks;
	u32 nr_chunks;
	u32 chunk_order;
	u32 nr_pages;
	int node;
	myalloc_cache_flags_t checks;
	enum myalloc_policy policy;
	bool no_magazines;
	bool no_worker;
	bool simulated;
	const struct myalloc_zone_ops *ops;
};

/**
 * struct myalloc_zone - see block.c and zone.c for the theory
 * @linear: address to frame, for most; never changes
 * @map: address to frame, for all; never changes
 * @frames: descriptors, one for each frame of each chunk
 * @pcp: magazines of the orders that have them; the last ones, without capacity, are those of
 *	all other orders
 * @stock: of @pcp, in the stocks of @pages
 * @chunks: address of each chunk
 * @nr_chunks: how many
 * @chunk_order: log2 of frames in a chunk
 * @node: NUMA node for metadata
 * @checks: MYALLOC_CHECKS in force
 * @simulated: no memory behind the addresses
 * @abandoned: blocks freed from now on may still be used by others: not poisoned (page/shadow.h)
 * @ops: or NULL
 * @name: shown in reports
 * @meta_bytes: memory beside the chunks, without that of caches
 * @lock: protects the members from @buddy to @allocs
 * @buddy: the free blocks
 * @min_free: least frames that were ever free in the buddy
 * @quarantine: index + 1 of the next quarantined block to be looked at, or 0
 * @bad_seen: a bad page was found: gives look for more
 * @generation: grows with every change
 * @allocs: blocks handed to page users past the magazines, by order
 * @frees: blocks come back from page users past the magazines, by order
 * @fails: allocations that found no block, by order
 * @deferred: blocks freed where @lock could not be had; counts frames
 * @slab_pages: frames held by slabs
 * @deferred_frees: blocks that ever were in @deferred
 * @nmi_fails: allocations that failed because @lock could not be had
 * @quarantine_new: index + 1 of the quarantined block that came last, or 0
 * @nr_quarantined: frames of quarantined blocks
 * @quarantines: blocks that ever were in quarantine
 * @bad_cursor: frame that the next search for bad pages begins at
 * @nr_bad: bad pages taken out; changes under @lock
 * @bad: wrong frees refused, by enum myalloc_bad
 * @corruptions: damage found in free memory, red zones and metadata
 * @drains: calls of myalloc_zone_drain()
 * @told_wait: a request that may wait came from where it may not, and was reported
 * @reports: what was found wrong, in words
 * @drainers: the layers that keep memory back; never changes once the zone is made
 * @pages: drainer of page magazines
 * @objects: drainer of caches; its stocks are protected by @caches_mutex
 * @walk_mutex: one walk over all caches at a time; held for as long as it takes
 * @caches_mutex: protects @caches, @nr_caches and writes of @cache_by_id; not held while a whole zone
 *	is looked at, because a CPU that goes away needs it
 * @caches: all caches
 * @nr_caches: how many
 * @cache_by_id: the cache of each number; [0] is never used
 * @last_id: the highest number that a cache ever had
 * @reclaim_id: the last one that a request without a block looked at
 * @magazine_room: bytes of objects that the magazines of all caches may hold; under @caches_mutex
 * @magazine_meta: bytes of those magazines
 * @buddy_meta: memory of @buddy
 * @limbo: slabs on their way back
 * @work: the worker of drain.c
 * @no_worker: it is not posted
 * @want_drain: a request found no block: the worker is to drain
 * @want_magazines: a CPU found no magazines: the worker is to make some
 * @last_drain: when the worker last drained, ns
 * @seen_pages: moves of the page magazines when the worker was last here
 * @seen_cpu: moves of each CPU at that time
 */
struct myalloc_zone {
	struct myalloc_linear linear;
	struct myalloc_map map;
	struct myalloc_frame *frames;
	struct myalloc_magazines pcp[MYALLOC_PCP_LISTS + 1];
	struct myalloc_stock stock[MYALLOC_PCP_LISTS];
	unsigned long *chunks;
	u32 nr_chunks;
	u32 chunk_order;
	int node;
	myalloc_cache_flags_t checks;
	bool simulated;
	bool abandoned;
	const struct myalloc_zone_ops *ops;
	const char *name;
	size_t meta_bytes;

	raw_spinlock_t lock ____cacheline_aligned;
	struct myalloc_buddy buddy;
	u32 min_free;
	u32 quarantine;
	bool bad_seen;
	u64 generation;
	u64 allocs[MYALLOC_NR_ORDERS];
	u64 frees[MYALLOC_NR_ORDERS];
	u64 fails[MYALLOC_NR_ORDERS];

	struct myalloc_deferred deferred ____cacheline_aligned;
	atomic64_t slab_pages;
	atomic64_t deferred_frees;
	atomic64_t nmi_fails;
	u32 quarantine_new;
	atomic64_t nr_quarantined;
	atomic64_t quarantines;
	u32 bad_cursor;
	atomic64_t nr_bad;
	atomic64_t bad[MYALLOC_NR_BAD];
	atomic64_t corruptions;
	atomic64_t drains;
	u32 told_wait;

	struct myalloc_reports reports;

	struct list_head drainers;
	struct myalloc_drainer pages;
	struct myalloc_drainer objects;
	struct mutex walk_mutex;	/* one walk at a time */
	struct mutex caches_mutex;	/* list of caches */
	struct list_head caches;
	u32 nr_caches;
	struct myalloc_cache *cache_by_id[MYALLOC_CACHES_MAX];
	u32 last_id;
	u32 reclaim_id;
	u64 magazine_room;
	u64 magazine_meta;
	void *buddy_meta;

	struct myalloc_limbo limbo ____cacheline_aligned;
	struct myalloc_env_work work;
	bool no_worker;
	bool want_drain;
	bool want_magazines;
	u64 last_drain;
	u64 seen_pages;
	u64 __percpu *seen_cpu;
};

static inline u32 myalloc_frame_idx(const struct myalloc_zone *zone,
				    const struct myalloc_frame *frame)
{
	return frame - zone->frames;
}

/**
 * myalloc_frame_addr() - address of a frame
 * @zone: the zone
 * @idx: index, below the zone's number of frames
 */
static inline void *myalloc_frame_addr(const struct myalloc_zone *zone, u32 idx)
{
	return (void *)(zone->chunks[idx >> zone->chunk_order] +
			((unsigned long)(idx & (BIT(zone->chunk_order) - 1)) << PAGE_SHIFT));
}

/**
 * myalloc_zone_block() - the block that contains an address
 * @zone: the zone
 * @addr: any value
 * @block: out, if there is one
 *
 * Looks without a lock: what others take or give meanwhile may be seen before or after.
 *
 * Context: any.
 * Return: false if the address is not in the zone.
 */
static inline bool myalloc_zone_block(const struct myalloc_zone *zone, const void *addr,
				      struct myalloc_block *block)
{
	const struct myalloc_frame *frame = myalloc_map_frame(&zone->map, addr);

	return frame && myalloc_buddy_lookup(&zone->buddy, myalloc_frame_idx(zone, frame), block);
}

/* The magazines of an order; without capacity if it has none. */
static __always_inline struct myalloc_magazines *
myalloc_zone_pcp(struct myalloc_zone *zone, unsigned int order)
{
	if (likely(order <= MYALLOC_PCP_SMALL))
		return &zone->pcp[order];
	return order == MYALLOC_PCP_HUGE ? &zone->pcp[MYALLOC_PCP_SMALL + 1] :
					   &zone->pcp[MYALLOC_PCP_LISTS];
}

static inline unsigned int myalloc_pcp_order(unsigned int list)
{
	return list <= MYALLOC_PCP_SMALL ? list : MYALLOC_PCP_HUGE;
}

#endif /* MYALLOC_ZONE_TYPES_H */
