/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The zone as a structure, which all rooms above base/ work on. Internal to the allocator and to
 * the code that shows or checks it; users include myalloc.h.
 *
 * Lock order of the whole project:
 *
 *	zone->clients->mutex	list of clients, and a walk over them; sleeping
 *	zone->fronts_mutex	list of fronts, and a visit of one; sleeping
 *	  pool->mutex		one resize of an object pool at a time; sleeping
 *	children->mutex		zones of contracts; the locks of these are taken inside; sleeping
 *	children->visit		a child is being validated and must not go; the locks of that zone
 *				are taken inside; never with children->mutex; sleeping
 *	zone->walk_mutex	one walk over all caches at a time; sleeping
 *	  cpus_read_lock()	no CPU comes online or goes offline; the kernel's, sleeping
 *	  zone->caches_mutex	list of caches; sleeping, but not for file systems or devices
 *	    cache->pin_mutex	the cache is being looked at and must not be freed; sleeping
 *	    cache->lock		slabs of one cache
 *	      limbo.lock	slabs on their way back
 *	      zone->lock	buddy, statistics
 *		zone->reports.lock  texts of reports
 *	arena->lock		links of the blocks of an arena; no other lock is taken inside
 *
 * Locks not marked as sleeping are raw spinlocks, taken with interrupts off, only tried in NMI,
 * and held for bounded time. (Checks that walk everything, myalloc_zone_validate() and the
 * debugfs files, take them for one chunk, one block or one slab at a time.)
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

/* Orders with magazines: 0 to MYALLOC_PCP_SMALL, and the order of 2 MiB: 9, 7 or 5. */
#define MYALLOC_PCP_SMALL	3
#define MYALLOC_PCP_HUGE	(21 - PAGE_SHIFT)
#define MYALLOC_PCP_LISTS	(MYALLOC_PCP_SMALL + 2)

/* Value of free bytes with MYALLOC_POISON: POISON_FREE of include/linux/poison.h */
#define MYALLOC_POISON_FREE	0x6b

#define MYALLOC_CACHES_MAX	1024	/* cache numbers of a zone; 0 is never used */

struct myalloc_cache;

#define MYALLOC_FRONT_NAME	32	/* bytes, with the NUL */

#define MYALLOC_CLIENT_NAME	32	/* bytes, with the NUL */
#define MYALLOC_CLIENT_OWNER	56	/* the same */
#define MYALLOC_CLIENT_DEPTH	8	/* clients above each other, at most */

struct myalloc_front;
struct myalloc_limit;
struct myalloc_validation;

/**
 * struct myalloc_client - an owner of memory; see client/client.c for the theory
 * @link: in zone->clients->list, by ascending @id
 * @zone: its zone
 * @parent: the client whose quota also counts, or NULL
 * @id: its number, which no other client of the zone ever has
 * @owner: a module, an open file or whatever else its creator names; never dereferenced
 * @caller: address of the code that created it
 * @number: number of the owner of its extents
 * @depth: number of clients above it
 * @children: number of clients directly below it; under clients->mutex
 * @gone: the owner no longer exists
 * @checks: MYALLOC_CHECKS of all its caches, beside those of the zone
 * @since: time of its creation, ns
 * @soft: pages above which charges are counted in @over
 * @hard: pages above which charges are refused
 * @pages: pages that it and the clients below it hold
 * @peak: largest value of @pages
 * @over: charges that ended above @soft
 * @refused: charges that @hard refused
 * @name: unique in the zone
 * @owner_name: the owner, in words
 */
struct myalloc_client {
	struct list_head link;
	struct myalloc_zone *zone;
	struct myalloc_client *parent;
	u64 id;
	const void *owner;
	unsigned long caller;
	u32 number;
	u32 depth;
	u32 children;
	bool gone;
	myalloc_cache_flags_t checks;
	u64 since;
	s64 soft;
	s64 hard;
	atomic64_t pages;
	atomic64_t peak;
	atomic64_t over;
	atomic64_t refused;
	char name[MYALLOC_CLIENT_NAME];
	char owner_name[MYALLOC_CLIENT_OWNER];
};

/**
 * struct myalloc_clients - the clients of a zone
 * @ending: held while a client and those below it are released; taken before @mutex
 * @mutex: protects @list and @last; held for a whole walk over the clients
 * @list: all clients
 * @last: number of the client created last
 * @of: client of each owner of extents, NULL if it has none
 */
struct myalloc_clients {
	struct mutex ending;	/* releases */
	struct mutex mutex;	/* list of clients */
	struct list_head list;
	u64 last;
	struct myalloc_client *of[MYALLOC_OWNERS_MAX];
};

/**
 * struct myalloc_front_kind - what all fronts of a kind have in common
 * @name: of the kind, one word: "heap"
 * @name_size: bytes of the longest name of a front with its NUL, at most MYALLOC_FRONT_NAME
 * @validate: checks the invariants of a front and adds findings (myalloc_finding()); or NULL.
 *	Called under fronts_mutex
 * @pages: pages that a front holds which are neither in its caches nor in extents with the number
 *	of an owner; or NULL if there are none
 * @release: frees everything that is still allocated from a front, filled with
 *	MYALLOC_POISON_FREE if @poison is set, and destroys the front. Returns 0, or -EBUSY if
 *	damaged metadata, or a use that the front cannot end, prevents it
 */
struct myalloc_front_kind {
	const char *name;
	u32 name_size;
	void (*validate)(struct myalloc_front *front, struct myalloc_validation *v);
	u64 (*pages)(struct myalloc_front *front);
	int (*release)(struct myalloc_front *front, bool poison);
};

/**
 * struct myalloc_front - what a zone knows of a front (zone/front.c), which embeds it
 * @link: in zone->fronts, by ascending @id
 * @kind: its kind; NULL in an entry that keeps the place of a walk
 * @zone: its zone
 * @client: the client that it belongs to, or NULL
 * @maker: return address of the call that created it, 0 if unknown, for reports
 * @when: time of its creation, ns
 * @id: its number, which no other front of the zone ever has
 * @name: unique among the fronts of its kind in the zone
 */
struct myalloc_front {
	struct list_head link;
	const struct myalloc_front_kind *kind;
	struct myalloc_zone *zone;
	struct myalloc_client *client;
	unsigned long maker;
	u64 when;
	u64 id;
	char name[MYALLOC_FRONT_NAME];
};

/**
 * struct myalloc_limbo - slabs on their way from a cache to the zone; see limbo.c
 * @lock: protects the members below, and the age of the magazines of every cache
 * @open: first frame of the first of the slabs that arrived last; they are linked by next
 * @open_last: first frame of the last of these slabs
 * @waiting: slabs that wait for a grace period
 * @nr: number of slabs in both lists and in the hands of a harvest
 * @moment: the grace period that they wait for
 * @caches: caches with slabs that have joined @open since the ages of these caches last advanced
 * @nr_caches: number of these caches
 * @closed: time at which the batch that waits was closed, ms modulo 2^16
 * @batch: number of the batch that waits, or waited last
 */
struct myalloc_limbo {
	raw_spinlock_t lock;
	u32 open;
	u32 open_last;
	u32 waiting;
	u32 nr;
	u64 moment;
	struct list_head caches;
	u16 nr_caches;
	u16 closed;
	u32 batch;
};

#define MYALLOC_CHILDREN_MAX	1024	/* numbers of children of a zone */

/**
 * struct myalloc_children - the zones of contracts, whose chunks are blocks of another zone
 * @mutex: protects writes to @zone
 * @visit: held while a child is validated; a child that has left the table stays until then
 * @zone: by number; ERR_PTR(-EAGAIN) while one is under construction
 */
struct myalloc_children {
	struct mutex mutex;	/* writes to @zone */
	struct mutex visit;	/* one child at a time */
	struct myalloc_zone *zone[MYALLOC_CHILDREN_MAX];
};

/**
 * struct myalloc_zone_ops - notifications for the creator of a zone; each may be NULL
 * @cache_added: a cache was created; called without a lock
 * @cache_removed: a cache, already empty, is about to be freed; not called under caches_mutex
 * @client_quota: a client got @pages pages and is above its soft quota, or was refused them because
 *	of its hard quota; called in any context
 */
struct myalloc_zone_ops {
	void (*cache_added)(struct myalloc_cache *cache);
	void (*cache_removed)(struct myalloc_cache *cache);
	void (*client_quota)(struct myalloc_client *client, u32 pages, bool refused);
};

/**
 * struct myalloc_chunk_ops - where an elastic zone takes chunks from (zone/elastic.c)
 * @take: takes a chunk from the system; returns its address, aligned as those of the other chunks,
 *	or NULL. Context: task, may sleep, no lock of the zone held; the task's limits on what an
 *	allocation may wait for apply
 * @give: gives such a chunk back. Context: task, no lock of the zone held, also while the system
 *	reclaims memory
 */
struct myalloc_chunk_ops {
	void *(*take)(struct myalloc_zone *zone);
	void (*give)(struct myalloc_zone *zone, void *chunk);
};

/**
 * struct myalloc_elastic - the chunks of a zone that come and go; see zone/elastic.c
 * @zone: the zone
 * @drainer: its part in the worker's tasks
 * @ops: where they come from; constant
 * @low: frames; with fewer free ones the zone grows; constant
 * @holes: bit i is set if chunk i is a hole; this and the members to @moment change under the
 *	lock of the zone
 * @peak: most frames in use at once
 * @grown: chunks ever taken from the system
 * @shrunk: chunks ever given back to it
 * @stale: a chunk was given back since the page magazines' last epoch began
 * @moment: when that was
 * @failed: the system had no chunk the last time
 * @refused: number of times the system had none
 * @want: the worker is to grow the zone
 * @half_life_ms: time in which half of the surplus is given back; 0 for never
 * @decay_most: chunks given back at most in an eighth of that time
 * @decayed: chunks given back because nobody used them
 * @decay_at: time up to which the surplus has been given back, ns; 0 if there was none
 * @decay_part: what is left of a chunk, 1/1024
 * @map_bytes: memory of the map's leaves added since
 * @words: memory of @holes
 */
struct myalloc_elastic {
	struct myalloc_zone *zone;
	struct myalloc_drainer drainer;
	const struct myalloc_chunk_ops *ops;
	u32 low;
	struct myalloc_bitmap_tree holes;
	u32 peak;
	u64 grown;
	u64 shrunk;
	bool stale;
	u64 moment;
	bool failed;
	atomic64_t refused;
	bool want;
	u32 half_life_ms;
	u32 decay_most;
	atomic64_t decayed;
	u64 decay_at;
	u32 decay_part;
	atomic64_t map_bytes;
	u64 words[];
};

/**
 * struct myalloc_zone_args - properties of a new zone
 * @name: shown in reports, not copied
 * @chunks: addresses of the chunks, ascending; the distance of each from the first is a multiple
 *	of the chunk size
 * @nr_chunks: number of chunks
 * @chunk_order: log2 of pages in a chunk, at most MYALLOC_CHUNK_MAX
 * @max_order: where chunks are adjacent, largest order of a block, at most MYALLOC_TOP_ORDER; up to
 *	@chunk_order no chunks are joined
 * @nr_pages: number of frames; less than the chunks hold if the last chunk is partial
 * @node: NUMA node for metadata, or NUMA_NO_NODE
 * @checks: MYALLOC_CHECKS, in force for pages and every cache
 * @policy: enum myalloc_policy
 * @no_magazines: no per-CPU page magazines
 * @charged: the memory for its metadata is charged to the caller's cgroup
 * @no_worker: the worker of drain.c runs only when it is called
 * @simulated: there is no memory behind the addresses, and it is never accessed
 * @ops: notifications, or NULL
 * @max_chunks: number of chunks that an elastic zone may have, more than @nr_chunks; then all of
 *	those are whole. Otherwise 0
 * @chunk_ops: where an elastic zone takes chunks from
 * @span: the addresses at which chunks of an elastic zone may lie
 */
struct myalloc_zone_args {
	const char *name;
	void *const *chunks;
	u32 nr_chunks;
	u32 chunk_order;
	u32 max_order;
	u32 nr_pages;
	int node;
	myalloc_cache_flags_t checks;
	enum myalloc_policy policy;
	bool no_magazines;
	bool charged;
	bool no_worker;
	bool simulated;
	const struct myalloc_zone_ops *ops;
	u32 max_chunks;
	const struct myalloc_chunk_ops *chunk_ops;
	struct myalloc_map_span span;
};

/**
 * struct myalloc_zone - see block.c and zone.c for the theory
 * @linear: maps most addresses to frames; never changes; empty if the zone is elastic
 * @map: maps all addresses to frames
 * @frames: descriptors, one for each frame of each chunk
 * @pcp: magazines of the orders that have them; the last entry, without capacity, serves all
 *	other orders
 * @stock: stocks of @pcp, in the list of @pages
 * @chunks: address of each chunk, 0 for a hole; changes under @lock
 * @nr_chunks: number of chunks, with holes
 * @chunk_order: log2 of frames in a chunk
 * @node: NUMA node for metadata
 * @checks: MYALLOC_CHECKS in force
 * @simulated: there is no memory behind the addresses
 * @abandoned: blocks freed from now on may still be used by others and are not poisoned
 *	(page/shadow.h)
 * @bad_seen: a bad page was found: gives check for more; written under @lock
 * @ops: notifications, or NULL
 * @name: shown in reports
 * @meta_bytes: memory used besides the chunks, without that of caches
 * @lock: protects the members from @buddy to @fails
 * @buddy: the free blocks
 * @min_free: smallest number of free frames in the buddy so far; in an elastic zone the number
 *	below which __myalloc_zone_account() calls __myalloc_elastic_below()
 * @quarantine: index + 1 of the next quarantined block to check, or 0
 * @generation: grows with every change
 * @allocs: blocks allocated to page users past the magazines, by order
 * @frees: blocks freed by page users past the magazines, by order
 * @fails: requests of page users that found no block, each once, by order
 * @deferred: blocks freed while @lock could not be taken; counts frames
 * @slab_pages: number of frames in slabs
 * @deferred_frees: number of frees deferred since the zone was created
 * @nmi_fails: allocations that failed in NMI because @lock was held
 * @quarantine_new: index + 1 of the block quarantined last, or 0
 * @bad_cursor: frame at which the next scan for bad pages begins
 * @nr_quarantined: number of frames in quarantined blocks
 * @quarantines: number of blocks quarantined since the zone was created
 * @nr_bad: number of bad pages taken out; changes under @lock
 * @bad: wrong frees refused, by enum myalloc_bad
 * @corruptions: damage found in free memory, red zones and metadata
 * @drains: number of drains begun
 * @owners: bit i is set while i is the number of an owner of extents; changes under @lock
 * @clients: its clients; NULL until there has been one; written once, under fronts_mutex
 * @told_wait: a request with MYALLOC_MAY_WAIT from a context that may not sleep was reported
 * @limit: what may be asked of the zone of a contract (page/limit.h); NULL for others
 * @children: the zones of contracts; NULL until there is one, then never changes. Blocks of chunks
 *	of theirs are tagged CONTRACT, with the number in place of a cache
 * @reports: reports of errors
 * @drainers: the layers that hold back memory; constant once the zone exists
 * @pages: drainer of page magazines
 * @objects: drainer of caches; its stocks are protected by @caches_mutex
 * @fronts_mutex: protects @fronts and @last_front; a walk over the fronts holds it for one visit at
 *	a time
 * @fronts: heaps and other fronts
 * @last_front: number of the front created last
 * @walk_mutex: one walk over all caches at a time; held for the whole walk
 * @caches_mutex: protects @caches, @nr_caches and writes of @cache_by_id; taken by
 *	myalloc_caches_lock(). Not held for a whole walk over the zone, because a CPU that goes
 *	offline needs it
 * @caches: all caches
 * @nr_caches: number of caches
 * @cache_by_id: cache of each number; [0] is never used
 * @last_id: highest number that a cache has had so far
 * @reclaim_id: the last cache from which a request without a block has reclaimed
 * @magazine_room: bytes of objects that the magazines of all caches may hold; under @caches_mutex
 * @magazine_meta: bytes of those magazines
 * @buddy_meta: memory of @buddy
 * @nr_fixed: number of chunks that never go, the first ones
 * @nr_holes: number of chunks that have no memory; changes under @lock
 * @elastic: what an elastic zone has in addition, or NULL
 * @limbo: slabs on their way back
 * @work: the worker of drain.c
 * @no_worker: the worker is not posted
 * @want_drain: a request found no block: the worker is to drain
 * @want_magazines: a CPU found no magazines: the worker is to make some
 * @used: a CPU has used magazines that were unused since this was cleared
 * @settling: the worker was posted before its next pass is due, for what waits for a grace period
 * @resting: nothing was cached in the worker's last pass
 * @rest_moment: if @resting, the moment of a grace period after which the worker stops, unless
 *	@used is set or something is cached
 * @last_look: time of the worker's last pass, ms modulo 2^32
 * @last_drain: time of the worker's last drain, likewise
 * @seen_pages: number of moves of the page magazines at the worker's last pass
 * @seen_cpu: number of moves of each CPU at the worker's last pass
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
	bool bad_seen;
	bool resting;
	u32 nr_fixed;
	const struct myalloc_zone_ops *ops;
	const char *name;
	size_t meta_bytes;

	raw_spinlock_t lock ____cacheline_aligned;
	struct myalloc_buddy buddy;
	u32 min_free;
	u32 quarantine;
	u64 generation;
	u64 allocs[MYALLOC_NR_ORDERS];
	u64 frees[MYALLOC_NR_ORDERS];
	u64 fails[MYALLOC_NR_ORDERS];

	struct myalloc_deferred deferred ____cacheline_aligned;
	atomic64_t slab_pages;
	atomic64_t deferred_frees;
	atomic64_t nmi_fails;
	u32 quarantine_new;
	u32 bad_cursor;
	atomic64_t nr_quarantined;
	atomic64_t quarantines;
	atomic64_t nr_bad;
	atomic64_t bad[MYALLOC_NR_BAD];
	atomic64_t corruptions;
	atomic64_t drains;
	u64 owners;
	struct myalloc_clients *clients;
	bool told_wait;
	bool settling;
	u32 last_id;

	struct myalloc_limit *limit;
	struct myalloc_children *children;

	struct myalloc_reports reports;

	struct list_head drainers;
	struct myalloc_drainer pages;
	struct myalloc_drainer objects;
	struct mutex fronts_mutex;	/* list of fronts */
	struct list_head fronts;
	u64 last_front;
	struct mutex walk_mutex;	/* one walk at a time */
	struct mutex caches_mutex;	/* list of caches */
	struct list_head caches;
	u32 nr_caches;
	u32 nr_holes;
	struct myalloc_cache *cache_by_id[MYALLOC_CACHES_MAX];
	u64 magazine_room;
	u64 magazine_meta;
	void *buddy_meta;

	struct myalloc_elastic *elastic;
	struct myalloc_limbo limbo ____cacheline_aligned;
	struct myalloc_env_work work;
	u32 reclaim_id;
	bool no_worker;
	bool want_drain;
	bool want_magazines;
	bool used;
	u64 rest_moment;
	u32 last_look;
	u32 last_drain;
	u64 seen_pages;
	u64 __percpu *seen_cpu;
};

/**
 * myalloc_client_of() - the client for which the extents of an owner count
 * @zone: the zone
 * @owner: number of the owner
 *
 * Context: any.
 * Return: the client, or NULL.
 */
static inline struct myalloc_client *myalloc_client_of(const struct myalloc_zone *zone, u32 owner)
{
	const struct myalloc_clients *clients = READ_ONCE(zone->clients);

	return unlikely(clients) ? READ_ONCE(clients->of[owner]) : NULL;
}

/**
 * myalloc_frame_idx() - index of a frame
 * @zone: the zone
 * @frame: its descriptor
 *
 * Context: any.
 * Return: the index of the frame in the zone.
 */
static inline u32 myalloc_frame_idx(const struct myalloc_zone *zone,
				    const struct myalloc_frame *frame)
{
	return frame - zone->frames;
}

/**
 * myalloc_zone_present() - frames of a zone that have memory
 * @zone: the zone; its lock is held, or a snapshot is enough
 *
 * Context: any.
 * Return: the number of frames, without those of holes.
 */
static inline u32 myalloc_zone_present(const struct myalloc_zone *zone)
{
	return zone->buddy.nr_frames - (READ_ONCE(zone->nr_holes) << zone->chunk_order);
}

/**
 * myalloc_frame_addr() - address of a frame
 * @zone: the zone
 * @idx: index of a frame that is not in a hole, less than the zone's number of frames
 *
 * Context: any.
 * Return: the address.
 */
static inline void *myalloc_frame_addr(const struct myalloc_zone *zone, u32 idx)
{
	return (void *)(zone->chunks[idx >> zone->chunk_order] +
			((unsigned long)(idx & (BIT(zone->chunk_order) - 1)) << PAGE_SHIFT));
}

/**
 * myalloc_zone_block() - find the block that contains an address
 * @zone: the zone
 * @addr: any value
 * @block: out: the block, if there is one
 *
 * Takes no lock: concurrent allocations and frees may be seen or not.
 *
 * Context: any.
 * Return: false if the address is not in the zone, or (while others allocate and free) no block
 * was found there.
 */
static inline bool myalloc_zone_block(const struct myalloc_zone *zone, const void *addr,
				      struct myalloc_block *block)
{
	const struct myalloc_frame *frame = myalloc_map_frame(&zone->map, addr);

	return frame && myalloc_buddy_lookup(&zone->buddy, myalloc_frame_idx(zone, frame), block);
}

/**
 * myalloc_zone_first() - the first frame of the block that contains an address
 * @zone: the zone
 * @addr: any value
 *
 * As myalloc_zone_block(), without the order, in most cases by one look at the descriptor of the
 * page, or one more at its word of the bits that tell where blocks begin. The descriptor of a page
 * where no block begins has no type: if anything is in its place, then states of a slab's objects
 * (slab_layout.c), which are less than any type.
 *
 * Context: any.
 * Return: the frame; NULL if the address is not in the zone, or (while others allocate and free) no
 * block was found there.
 */
static inline struct myalloc_frame *myalloc_zone_first(const struct myalloc_zone *zone,
						       const void *addr)
{
	struct myalloc_frame *frame = myalloc_map_frame(&zone->map, addr);
	struct myalloc_block block;
	u64 heads;
	u32 idx;

	if (unlikely(!frame))
		return NULL;
	idx = myalloc_frame_idx(zone, frame);
	if (unlikely(idx >= zone->buddy.nr_frames))	/* the rest of the last chunk */
		return NULL;
	if (READ_ONCE(frame->type) >= MYALLOC_FRAME_PAGE)
		return frame;
	heads = READ_ONCE(zone->buddy.head[idx / 64]) << (63 - idx % 64);
	if (likely(heads))
		return frame + fls64(heads) - 64;
	return myalloc_buddy_lookup(&zone->buddy, idx, &block) ? &zone->frames[block.idx] : NULL;
}

/**
 * myalloc_zone_child() - the zone of a contract that a block belongs to
 * @zone: the zone
 * @frame: first frame of the block, with its tag or a copy of it
 *
 * Context: preemption off, which keeps the child from being freed.
 * Return: the child; NULL if the block belongs to none, or to one under construction.
 */
static inline struct myalloc_zone *myalloc_zone_child(const struct myalloc_zone *zone,
						      const struct myalloc_frame *frame)
{
	struct myalloc_zone *child;

	if (frame->type != MYALLOC_FRAME_CONTRACT || frame->cache >= MYALLOC_CHILDREN_MAX)
		return NULL;
	/* Pairs with set_child() of client/contract.c. */
	child = smp_load_acquire(&zone->children->zone[frame->cache]);
	myalloc_env_point("zone-child");
	return IS_ERR(child) ? NULL : child;
}

/**
 * myalloc_zone_pcp() - the magazines of an order
 * @zone: the zone
 * @order: log2 of pages, any value
 *
 * Context: any.
 * Return: the magazines; they have no capacity if the order has no magazines.
 */
static __always_inline struct myalloc_magazines *
myalloc_zone_pcp(struct myalloc_zone *zone, unsigned int order)
{
	if (likely(order <= MYALLOC_PCP_SMALL))
		return &zone->pcp[order];
	return order == MYALLOC_PCP_HUGE ? &zone->pcp[MYALLOC_PCP_SMALL + 1] :
					   &zone->pcp[MYALLOC_PCP_LISTS];
}

/**
 * myalloc_pcp_order() - the order of a list of page magazines
 * @list: index in &myalloc_zone.pcp, less than MYALLOC_PCP_LISTS
 *
 * Context: any.
 * Return: log2 of pages.
 */
static inline unsigned int myalloc_pcp_order(unsigned int list)
{
	return list <= MYALLOC_PCP_SMALL ? list : MYALLOC_PCP_HUGE;
}

#endif /* MYALLOC_ZONE_TYPES_H */
