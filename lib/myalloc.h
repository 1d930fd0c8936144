/* SPDX-License-Identifier: GPL-2.0 */
/*
 * myalloc: the public interface of the allocator
 *
 * A zone serves blocks of 2^order pages from memory that it was given when it was created. Slab
 * caches serve objects of one size from a zone. Users can rely on the following:
 *
 * - Allocation and free run in bounded time, take no sleeping lock, and may be called from task,
 *   softirq, hard interrupt and NMI context, and under a raw spinlock on PREEMPT_RT. A free never
 *   fails because a lock is held.
 * - A wrong free (foreign, misaligned, wrong order, wrong number of pages, wrong cache) is
 *   detected, reported with what is known about the owner of the memory, counted, refused with
 *   an error, and changes nothing. So is a double free of pages and extents, and of objects of
 *   caches that are certain. Of other caches, the default accepts two frees of an object that
 *   overlap, and MYALLOC_TRUSTING also a later one, which it reports when the slot is flushed.
 *   If the memory has been allocated again in between, a second free is a valid free of the new
 *   allocation, on every level.
 * - The allocator does not write to free memory and keeps no metadata between objects. Exceptions
 *   are the checks that ask for it, and a free that could not get its lock (see block.c, Deferred
 *   frees).
 * - Functions that take back memory cached by other CPUs, or make something (drain, shrink, create,
 *   resize, destroy) hold cpus_read_lock() meanwhile. They must not be called from a CPU hotplug
 *   callback, or with cpus_write_lock() held: they would deadlock, which lockdep reports.
 *   Allocation and free may be called there. There, and whenever a CPU takes long to come or go, a
 *   request with MYALLOC_MAY_WAIT that finds nothing else does not get what magazines hold.
 *
 * Passing memory to another CPU, on every architecture:
 *
 * - Publish an address as you publish any data: under a lock, or by a release that pairs with an
 *   acquire (smp_store_release() and smp_load_acquire(), a queue, a completion). An allocation
 *   stores the state of the memory without a barrier, and a free on another CPU must see that
 *   store; otherwise it may refuse a valid free as a double free. rcu_dereference() suffices to
 *   use memory but not to free it, because a free also reads data that is not reached through the
 *   address.
 * - The last access of every user must be ordered before the free, by a lock or by dropping the
 *   last reference (refcount_dec_and_test()). A free does not wait for other users. Neither a
 *   free nor an allocation, even one that zeroes, is a barrier that other code may rely on.
 * - Accesses before a free, in the order seen by the freeing CPU, happen before the same memory
 *   is allocated again, on whatever CPU. On one CPU this is program order. Memory moves to other
 *   CPUs through the depot by a compare-and-exchange that is a full barrier, through a slab or
 *   the zone under a lock, or through the list of deferred frees, whose exchange is a full
 *   barrier too. (Litmus tests: models/litmus.)
 *
 * Every object of the interface is an instance; zones share nothing. The creator of a zone or
 * cache must not destroy it while it is in use.
 */
#ifndef MYALLOC_H
#define MYALLOC_H

struct myalloc_zone;
struct myalloc_client;
struct myalloc_cache;
struct myalloc_heap;
struct myalloc_pool;
struct myalloc_arena;
struct myalloc_frames;
struct myalloc_contract;
struct myalloc_nodes;

struct myalloc_ring;

#define MYALLOC_TOP_ORDER	14	/* log2 of pages in the largest block */
#define MYALLOC_CHUNK_MAX	10	/* log2 of pages in the largest chunk and extent */
#define MYALLOC_NR_ORDERS	(MYALLOC_TOP_ORDER + 1)

/*
 * Flags of an allocation, and flags of a cache: two types that sparse distinguishes from each
 * other, from gfp_t and from other numbers. A request with an unknown flag is refused.
 */
typedef unsigned int __bitwise myalloc_flags_t;
typedef unsigned int __bitwise myalloc_cache_flags_t;

#define __MYALLOC_FLAG(bit)		((__force myalloc_flags_t)(bit))
#define __MYALLOC_CACHE_FLAG(bit)	((__force myalloc_cache_flags_t)(bit))

#define MYALLOC_ZERO		__MYALLOC_FLAG(0x001u)	/* memory reads as zero */
#define MYALLOC_TOPDOWN		__MYALLOC_FLAG(0x002u)	/* pages: highest address */
/* May sleep, and drains cached memory before failing. Task context. */
#define MYALLOC_MAY_WAIT	__MYALLOC_FLAG(0x004u)
#define MYALLOC_LENDABLE	__MYALLOC_FLAG(0x008u)	/* pages: the kernel may take references */
#define MYALLOC_THISNODE	__MYALLOC_FLAG(0x010u)	/* nodes: no other node's memory */
/* Flags allowed in requests for an extent, for a block of pages, and for an object */
#define MYALLOC_EXTENT_FLAGS_ALL	(MYALLOC_ZERO | MYALLOC_TOPDOWN | MYALLOC_MAY_WAIT)
#define MYALLOC_PAGES_FLAGS_ALL		(MYALLOC_EXTENT_FLAGS_ALL | MYALLOC_LENDABLE)
#define MYALLOC_OBJECT_FLAGS_ALL	(MYALLOC_ZERO | MYALLOC_MAY_WAIT)

/* Checks of one cache, or of all caches of a zone; letters as in SLUB's slab_debug= */
#define MYALLOC_SANITY		__MYALLOC_CACHE_FLAG(0x001u)	/* F: slab states */
#define MYALLOC_REDZONE		__MYALLOC_CACHE_FLAG(0x002u)	/* Z: red zones on both sides */
#define MYALLOC_POISON		__MYALLOC_CACHE_FLAG(0x004u)	/* P: poison free memory */
#define MYALLOC_OWNER		__MYALLOC_CACHE_FLAG(0x008u)	/* U: record call stacks */
#define MYALLOC_CHECKS		__MYALLOC_CACHE_FLAG(0xfu)
/* Other properties of a cache. */
#define MYALLOC_ZERO_ALLOC	__MYALLOC_CACHE_FLAG(0x100u)	/* zero objects at allocation */
#define MYALLOC_ZERO_FREE	__MYALLOC_CACHE_FLAG(0x200u)	/* zero objects at free */
#define MYALLOC_RANDOM		__MYALLOC_CACHE_FLAG(0x400u)	/* slots in random order */
#define MYALLOC_NO_MAGAZINE	__MYALLOC_CACHE_FLAG(0x800u)	/* no per-CPU magazines */
/*
 * How certainly a free detects that its object is not allocated; see object.c, Levels. ZERO_FREE
 * is always certain.
 */
#define MYALLOC_CERTAIN		__MYALLOC_CACHE_FLAG(0x1000u)	/* refuses one of racing frees */
#define MYALLOC_TRUSTING	__MYALLOC_CACHE_FLAG(0x2000u)	/* only: an object begins there */
/*
 * Under rcu_read_lock(), memory of an object stays an object of this cache, though it may be freed
 * and allocated again meanwhile (SLAB_TYPESAFE_BY_RCU). The allocator never writes to it while it
 * is free, not even in a zone with poison. Excludes POISON, ZERO_ALLOC, ZERO_FREE. Readers that
 * rely on the content of an object being valid at any moment need a constructor.
 */
#define MYALLOC_TYPESAFE_RCU	__MYALLOC_CACHE_FLAG(0x4000u)
#define MYALLOC_CACHE_FLAGS_ALL	(MYALLOC_CHECKS | MYALLOC_ZERO_ALLOC | MYALLOC_ZERO_FREE | \
				 MYALLOC_RANDOM | MYALLOC_NO_MAGAZINE | MYALLOC_CERTAIN | \
				 MYALLOC_TRUSTING | MYALLOC_TYPESAFE_RCU)

#define MYALLOC_MAX_OBJECT	32768	/* bytes */
#define MYALLOC_CACHE_NAME	32	/* bytes, with the NUL */

/* --- pages ------------------------------------------------------------ */

/*
 * Lending: pages of a block that was allocated with MYALLOC_LENDABLE may be passed to any code
 * that takes a reference to a page (get_page(), skb fragments, bios, pipes, vm_insert_page(), and
 * through that get_user_pages()). Free the block when you are done with it: while others hold
 * references it stays in quarantine, and it is allocated again only when they hold none. It is
 * identified by order and address like any other block, is never in a magazine, and its free has
 * to check each of its pages.
 *
 * No other block, no extent (exact, range) and no object may be lent: after it is freed, its
 * memory may be allocated again while the kernel still reads or writes it. A zone with checks
 * detects that.
 */
void *myalloc_pages_alloc(struct myalloc_zone *zone, unsigned int order,
			  myalloc_flags_t flags);
int myalloc_pages_free(struct myalloc_zone *zone, void *addr,
		       unsigned int order);
unsigned int myalloc_pages_alloc_bulk(struct myalloc_zone *zone,
				      unsigned int order, myalloc_flags_t flags,
				      unsigned int nr, void **addrs);
unsigned int myalloc_pages_free_bulk(struct myalloc_zone *zone,
				     unsigned int order, unsigned int nr,
				     void **addrs);
void *myalloc_pages_alloc_exact(struct myalloc_zone *zone,
				unsigned int nr_pages, unsigned int align_order,
				myalloc_flags_t flags);
int myalloc_pages_free_exact(struct myalloc_zone *zone, void *addr,
			     unsigned int nr_pages);
int myalloc_pages_alloc_range(struct myalloc_zone *zone, void *addr,
			      unsigned int nr_pages, myalloc_flags_t flags);

/* --- objects ---------------------------------------------------------- */

/**
 * struct myalloc_cache_args - properties of a new cache
 * @name: letters, digits, '-', '_', '.'; shorter than MYALLOC_CACHE_NAME; unique in the zone;
 *	copied
 * @object_size: size of an object in bytes, 1 to MYALLOC_MAX_OBJECT
 * @align: alignment in bytes, a power of two up to the page size; 0 for 8
 * @flags: MYALLOC_SANITY ... MYALLOC_TRUSTING; the zone's checks are added
 * @magazine: objects per magazine, at most MYALLOC_MAGAZINE_MAX; 0 for a default that depends on
 *	the size
 * @ctor: called once for each slot when its slab is created, in the context of the allocation
 *	that needed the slab; or NULL. The user must free objects in constructed state. Excludes
 *	POISON, ZERO_ALLOC, ZERO_FREE.
 * @client: the client that the cache belongs to, or NULL; its checks are added
 */
struct myalloc_cache_args {
	const char *name;
	unsigned int object_size;
	unsigned int align;
	myalloc_cache_flags_t flags;
	unsigned int magazine;
	void (*ctor)(void *object);
	struct myalloc_client *client;
};

#define MYALLOC_MAGAZINE_MAX	128

struct myalloc_cache *
myalloc_cache_create(struct myalloc_zone *zone,
		     const struct myalloc_cache_args *args);
int myalloc_cache_destroy(struct myalloc_cache *cache);

void *myalloc_cache_alloc(struct myalloc_cache *cache, myalloc_flags_t flags);
int myalloc_cache_free(struct myalloc_cache *cache, void *object);
unsigned int myalloc_cache_alloc_bulk(struct myalloc_cache *cache,
				      myalloc_flags_t flags, unsigned int nr,
				      void **objects);
unsigned int myalloc_cache_free_bulk(struct myalloc_cache *cache,
				     unsigned int nr, void **objects);

unsigned long myalloc_cache_drain(struct myalloc_cache *cache);
unsigned long myalloc_cache_shrink(struct myalloc_cache *cache);
int myalloc_cache_resize(struct myalloc_cache *cache, unsigned int magazine);

/**
 * struct myalloc_prefill - objects allocated in advance for one user
 * @cache: their cache
 * @nr: how many are left
 * @objects: array that holds them
 *
 * The counterpart of a prefilled sheaf of kmem_cache (Linux 6.18). The objects belong to the holder
 * of this structure, not to a CPU: whoever takes one may have moved to another CPU, or be another
 * task, as long as only one uses the structure at a time. They count as live.
 */
struct myalloc_prefill {
	struct myalloc_cache *cache;
	unsigned int nr;
	void **objects;
};

int myalloc_cache_prefill(struct myalloc_cache *cache, myalloc_flags_t flags, unsigned int nr,
			  void **objects, struct myalloc_prefill *prefill);
int myalloc_prefill_return(struct myalloc_prefill *prefill);

/**
 * myalloc_prefill_alloc() - take an object that was allocated in advance
 * @prefill: from myalloc_cache_prefill()
 *
 * Free it like any object of the cache.
 *
 * Context: any.
 * Return: the object; NULL only if all of them have been taken.
 */
static inline void *myalloc_prefill_alloc(struct myalloc_prefill *prefill)
{
	return prefill->nr ? prefill->objects[--prefill->nr] : NULL;
}

/* --- pages or objects, found by address ----------------------------------- */

int myalloc_free(struct myalloc_zone *zone, void *addr);
unsigned long myalloc_usable_size(struct myalloc_zone *zone, const void *addr);

/* --- heaps: any size, freed by address ---------------------------------- */

#define MYALLOC_HEAP_NAME	26	/* bytes, with the NUL: "-32768" makes it that of a cache */

/* Flags of the caches of a heap. Blocks above the largest object have the zone's checks only. */
#define MYALLOC_HEAP_FLAGS_ALL	(MYALLOC_CHECKS | MYALLOC_RANDOM | MYALLOC_NO_MAGAZINE | \
				 MYALLOC_CERTAIN | MYALLOC_TRUSTING)

/**
 * struct myalloc_heap_args - properties of a new heap
 * @name: like the name of a cache, shorter than MYALLOC_HEAP_NAME; copied. Its caches are called
 *	<name>-<bytes of an object>
 * @flags: of MYALLOC_HEAP_FLAGS_ALL; the zone's checks are added
 * @client: the client that the heap belongs to, or NULL; its checks are added
 */
struct myalloc_heap_args {
	const char *name;
	myalloc_cache_flags_t flags;
	struct myalloc_client *client;
};

/*
 * A block of n bytes is an object of the smallest class that holds them: 8, 16, 24, ... 64 bytes,
 * then four classes to a doubling (80, 96, 112, 128, 160, ...) up to MYALLOC_MAX_OBJECT or what a
 * slab of the zone holds; or else whole pages, up to a chunk of the zone. All of it may be used.
 * See heap.c.
 */
struct myalloc_heap *myalloc_heap_create(struct myalloc_zone *zone,
					 const struct myalloc_heap_args *args);
int myalloc_heap_destroy(struct myalloc_heap *heap);

void *myalloc_heap_alloc(struct myalloc_heap *heap, size_t size, myalloc_flags_t flags);
void *myalloc_heap_alloc_aligned(struct myalloc_heap *heap, size_t size, size_t align,
				 myalloc_flags_t flags);
void *myalloc_heap_realloc(struct myalloc_heap *heap, void *addr, size_t size,
			   myalloc_flags_t flags);
int myalloc_heap_free(struct myalloc_heap *heap, void *addr);
int myalloc_heap_free_sized(struct myalloc_heap *heap, void *addr, size_t size);
unsigned int myalloc_heap_alloc_bulk(struct myalloc_heap *heap, size_t size,
				     myalloc_flags_t flags, unsigned int nr, void **addrs);
unsigned int myalloc_heap_free_bulk(struct myalloc_heap *heap, unsigned int nr, void **addrs);
size_t myalloc_heap_usable_size(struct myalloc_heap *heap, const void *addr);
size_t myalloc_heap_good_size(const struct myalloc_heap *heap, size_t size);

/**
 * myalloc_heap_zalloc() - allocate memory that reads as zero
 * @heap: as for myalloc_heap_alloc()
 * @size: the same
 * @flags: the same
 *
 * Context: as for myalloc_heap_alloc().
 * Return: the same.
 */
static inline void *myalloc_heap_zalloc(struct myalloc_heap *heap, size_t size,
					myalloc_flags_t flags)
{
	return myalloc_heap_alloc(heap, size, flags | MYALLOC_ZERO);
}

/* --- object pools: no allocation of up to a number of objects fails -------- */

/* Take no pages from the zone but those set aside: an allocation fails when they are used up. */
#define MYALLOC_POOL_HARD	__MYALLOC_CACHE_FLAG(0x10000u)
#define MYALLOC_POOL_FLAGS_ALL	(MYALLOC_CACHE_FLAGS_ALL | MYALLOC_POOL_HARD)

#define MYALLOC_POOL_NMI_MAX	64

/**
 * struct myalloc_pool_args - properties of a new object pool
 * @name: name of its cache, as in &struct myalloc_cache_args
 * @object_size: as in &struct myalloc_cache_args
 * @align: as in &struct myalloc_cache_args
 * @nr: while fewer than this many objects are live, no allocation outside NMI context fails; at
 *	least 1
 * @nmi: while fewer than this many objects that were allocated in NMI context are live, no
 *	allocation in NMI context fails; at most MYALLOC_POOL_NMI_MAX. If it is 0, such an
 *	allocation may fail because a lock is held
 * @flags: MYALLOC_POOL_HARD, and those of a cache
 * @ctor: as in &struct myalloc_cache_args
 * @client: as in &struct myalloc_cache_args
 */
struct myalloc_pool_args {
	const char *name;
	unsigned int object_size;
	unsigned int align;
	unsigned int nr;
	unsigned int nmi;
	myalloc_cache_flags_t flags;
	void (*ctor)(void *object);
	struct myalloc_client *client;
};

struct myalloc_pool *myalloc_pool_create(struct myalloc_zone *zone,
					 const struct myalloc_pool_args *args);
int myalloc_pool_destroy(struct myalloc_pool *pool);
int myalloc_pool_resize(struct myalloc_pool *pool, unsigned int nr);
void *myalloc_pool_alloc(struct myalloc_pool *pool, myalloc_flags_t flags);
int myalloc_pool_free(struct myalloc_pool *pool, void *object);

/* --- arenas: pieces of any size, thrown away at once --------------------- */

#define MYALLOC_ARENA_NAME	25	/* bytes, with the NUL; a cache has it and "-blocks" */
#define MYALLOC_ARENA_MARKS	16	/* marks of one context at a time */

#define MYALLOC_ARENA_FLAGS_ALL	MYALLOC_POISON

/**
 * struct myalloc_arena_args - properties of a new arena
 * @name: like the name of a cache, shorter than MYALLOC_ARENA_NAME; unique among the arenas of the
 *	zone; copied
 * @block_size: bytes that the arena asks of the zone at a time, rounded up to pages, at most a
 *	chunk; 0 for 64 KiB, or a chunk if that is less
 * @limit: most bytes of all blocks, rounded down to pages; 0 for none
 * @flags: MYALLOC_POISON: fill memory that is thrown away with a pattern, and report writes to it
 *	before it is allocated again; the zone's check P is added
 * @percpu: one set of blocks for each context of each CPU, for use by any number of contexts
 *	at a time
 * @client: the client that the arena belongs to, or NULL; the descriptions of its blocks, a few
 *	bytes for each, are not counted
 */
struct myalloc_arena_args {
	const char *name;
	size_t block_size;
	size_t limit;
	myalloc_cache_flags_t flags;
	bool percpu;
	struct myalloc_client *client;
};

/**
 * struct myalloc_arena_mark - a place in an arena to which a rewind returns
 * @lane: internal, like the other members
 * @stamp: identifies the mark
 * @depth: number of marks made before it that were in force
 */
struct myalloc_arena_mark {
	const void *lane;
	u64 stamp;
	u32 depth;
};

/*
 * A piece cannot be freed by itself; myalloc_free() refuses it. A rewind throws away all pieces
 * allocated since a mark, a reset all pieces. The memory stays with the arena: work that repeats
 * takes nothing from the zone after its first rounds. See arena.c.
 */
struct myalloc_arena *myalloc_arena_create(struct myalloc_zone *zone,
					   const struct myalloc_arena_args *args);
void myalloc_arena_destroy(struct myalloc_arena *arena);

void *myalloc_arena_alloc(struct myalloc_arena *arena, size_t size, size_t align);
void *myalloc_arena_zalloc(struct myalloc_arena *arena, size_t size, size_t align);
int myalloc_arena_mark(struct myalloc_arena *arena, struct myalloc_arena_mark *mark);
int myalloc_arena_rewind(struct myalloc_arena *arena, const struct myalloc_arena_mark *mark);
int myalloc_arena_keep(struct myalloc_arena *arena, const struct myalloc_arena_mark *mark);
void myalloc_arena_reset(struct myalloc_arena *arena);
unsigned long myalloc_arena_shrink(struct myalloc_arena *arena);

/* Two arenas that take turns: what a frame allocates lives until the next frame ends. */
struct myalloc_frames *myalloc_frames_create(struct myalloc_zone *zone,
					     const struct myalloc_arena_args *args);
void myalloc_frames_destroy(struct myalloc_frames *frames);

void *myalloc_frames_alloc(struct myalloc_frames *frames, size_t size, size_t align);
void *myalloc_frames_zalloc(struct myalloc_frames *frames, size_t size, size_t align);
void myalloc_frames_swap(struct myalloc_frames *frames);
struct myalloc_arena *myalloc_frames_now(struct myalloc_frames *frames);

/* --- rings: records of any length, in order ------------------------------ */

#define MYALLOC_RING_NAME	32	/* bytes, with the NUL */

enum myalloc_ring_mode {
	MYALLOC_RING_ONE,	/* one producer at a time, which takes no lock */
	MYALLOC_RING_MANY,	/* several producers, in turn under a raw lock */
	MYALLOC_RING_OVERWRITE,	/* a part for each CPU; new records overwrite the oldest */
};

/**
 * struct myalloc_ring_args - properties of a new ring
 * @name: like the name of a cache, shorter than MYALLOC_RING_NAME; copied
 * @size: bytes for records and their headers, rounded up to a power of two of pages, at most a
 *	chunk; for each possible CPU in rings that overwrite
 * @mode: how many producers there are, and what a reservation does when the ring is full
 * @client: the client that the ring belongs to, or NULL
 */
struct myalloc_ring_args {
	const char *name;
	size_t size;
	enum myalloc_ring_mode mode;
	struct myalloc_client *client;
};

/*
 * A record of n bytes takes 8 bytes more (16 in rings that overwrite), rounded up to a multiple
 * of 8. See ring.c.
 */
struct myalloc_ring *myalloc_ring_create(struct myalloc_zone *zone,
					 const struct myalloc_ring_args *args);
int myalloc_ring_destroy(struct myalloc_ring *ring);

/* Producers. */
void *myalloc_ring_reserve(struct myalloc_ring *ring, size_t size);
int myalloc_ring_commit(struct myalloc_ring *ring, void *record);
int myalloc_ring_discard(struct myalloc_ring *ring, void *record);
/* One consumer: without a copy, or, of rings that overwrite, with one. */
void *myalloc_ring_peek(struct myalloc_ring *ring, size_t *size);
int myalloc_ring_release(struct myalloc_ring *ring, const void *record);
long myalloc_ring_copy(struct myalloc_ring *ring, unsigned int cpu, void *to, size_t size);

/* --- contracts: memory set aside for the amounts that a client states ------ */

#define MYALLOC_CONTRACT_NAME	26	/* bytes, with the NUL */
#define MYALLOC_CONTRACT_LINES	16	/* lines of one contract */
#define MYALLOC_CONTRACT_NMI_MAX 64	/* blocks or objects for NMIs, for each CPU */

/* Flags of a contract */
#define MYALLOC_CONTRACT_BEST_EFFORT	0x1u	/* pages beyond M: of the parent, not to lend */
#define MYALLOC_CONTRACT_SHORT		0x2u	/* for tests: a page less than the plan says */
#define MYALLOC_CONTRACT_FLAGS_ALL	0x3u

/* Flags of its end */
#define MYALLOC_CONTRACT_RELEASE	0x1u	/* free what is still held */

enum myalloc_contract_kind {
	MYALLOC_CONTRACT_PAGES,		/* blocks of 2^order pages */
	MYALLOC_CONTRACT_EXTENTS,	/* any numbers of pages, freed whole */
	MYALLOC_CONTRACT_OBJECTS,	/* objects of a cache */
	MYALLOC_NR_CONTRACT_KINDS
};

/**
 * struct myalloc_contract_line - the amount of one kind that a client states
 * @kind: enum myalloc_contract_kind
 * @pages: PAGES, EXTENTS: pages that are live at most, M
 * @orders: PAGES: bit k is set if the client will request blocks of order k. No order above a
 *	chunk of the zone
 * @sizes: EXTENTS: the numbers of pages that the client will request, at most a chunk of the zone
 * @nr_sizes: entries of @sizes
 * @count: OBJECTS: objects that are live at most, K
 * @nmi: blocks (of a line with one order) or objects that each CPU has for NMI handlers, E: so many
 *	allocations and frees of a CPU succeed between two interrupts of that CPU; at most
 *	MYALLOC_CONTRACT_NMI_MAX. If it is 0, an allocation in NMI may fail because a lock is held
 * @cache: OBJECTS: the cache. Its name is copied; @magazine must be 0
 *
 * A line with one order sets aside just M. Blocks of several orders need more, see plan.c: the
 * fewer orders a line has, the less it costs. If the number of live blocks of an order is known,
 * state that order in a line of its own.
 */
struct myalloc_contract_line {
	enum myalloc_contract_kind kind;
	u32 pages;
	u32 orders;
	const u32 *sizes;
	u32 nr_sizes;
	u32 count;
	u32 nmi;
	struct myalloc_cache_args cache;
};

/**
 * struct myalloc_contract_line_plan - what one line costs
 * @needed: pages within which no request of the line fails, N
 * @set_aside: pages taken from the zone for it: @needed in whole blocks
 * @order: log2 of pages of each of these blocks
 * @blocks: number of these blocks
 * @held: OBJECTS: slots that magazines and the stacks for NMIs hold back at most
 * @slabs: OBJECTS: slabs that are made beforehand
 * @objects: OBJECTS: slots of a slab
 * @apart: PAGES, EXTENTS: pages that would be needed if the most live blocks of each order, or
 *	extents of each size, were known and each had a line of its own (for extents no more than
 *	this, as it depends on those numbers); 0 if the line has one order or size
 * @ends: pages that would be needed with no orders or sizes but the lowest and the highest; 0 if
 *	the line has no others
 * @fewer: pages that would be needed with @fewer_orders; 0 if there are none
 * @fewer_orders: PAGES: the orders without the one that saves most. EXTENTS: bit k: the sizes above
 *	2^(k-1) up to 2^k stay, all but those that save most when they are left out together; 0 if
 *	the line has two sizes, or no such group but one
 *
 * @apart, @ends and @fewer are for the same M. Rounding requests up to a higher order or size may
 * need a larger one.
 */
struct myalloc_contract_line_plan {
	u32 needed;
	u32 set_aside;
	u32 order;
	u32 blocks;
	u32 held;
	u32 slabs;
	u32 objects;
	u32 apart;
	u32 ends;
	u32 fewer;
	u32 fewer_orders;
};

/**
 * struct myalloc_contract_plan - what a contract costs
 * @pages: pages taken from the zone, for all lines
 * @largest_order: order of the largest block that is taken
 * @pages_short: pages that the zone lacks; 0 if it has enough
 * @blocks_short: blocks of @short_order that the zone lacks; 0 if it has enough
 * @short_order: the highest order of which blocks are missing
 * @nr_lines: number of lines
 * @line: the cost of each line
 *
 * Both numbers are 0 if and only if the contract could be created at that moment. Free memory in
 * magazines and empty slabs counts as free only after a drain; myalloc_contract_create() drains
 * first.
 */
struct myalloc_contract_plan {
	u32 pages;
	u32 largest_order;
	u32 pages_short;
	u32 blocks_short;
	u32 short_order;
	u32 nr_lines;
	struct myalloc_contract_line_plan line[MYALLOC_CONTRACT_LINES];
};

#define MYALLOC_CONTRACT_SITES	8

/* A code address, and the number of requests beyond the declared amount that it made. */
struct myalloc_contract_site {
	u64 caller;
	u64 count;
};

/**
 * struct myalloc_contract_stats - statistics of one line of a contract
 * @kind: enum myalloc_contract_kind
 * @nmi: E of the line
 * @declared: M in pages, or K in objects
 * @live: pages or objects that users hold; pages that wait in quarantine or for a lock count
 * @peak: the most that were live
 * @needed: pages, as in the plan
 * @set_aside: pages taken from the zone for it
 * @highest_end: pages up to the end of the highest block that was ever allocated; never more than
 *	@needed
 * @beyond: requests that exceeded the declared amount
 * @best_effort: requests beyond that the parent has served
 * @refused: requests of a size or kind that was not declared, or for a particular place
 * @failed_within: requests that failed and were certainly within the declared amount; each is a
 *	bug. A failed request for an object counts as @beyond while magazines change, and one in NMI
 *	as @nmi_misses
 * @nmi_allocs: allocations served by the stack of a CPU in NMI
 * @nmi_misses: allocations in NMI that found neither the lock nor anything in the stack
 * @refills: times that stacks were filled up
 * @nmi_frees_beyond: frees in NMI that found the lock taken while as many frees waited as the
 *	stacks of all CPUs have places; their memory counts as live until they are complete
 * @sites: the first code addresses that made requests beyond, with their numbers; the last entry
 *	counts all others and has address 0
 */
struct myalloc_contract_stats {
	u32 kind;
	u32 nmi;
	u64 declared;
	u64 live;
	u64 peak;
	u64 needed;
	u64 set_aside;
	u64 highest_end;
	u64 beyond;
	u64 best_effort;
	u64 refused;
	u64 failed_within;
	u64 nmi_allocs;
	u64 nmi_misses;
	u64 refills;
	u64 nmi_frees_beyond;
	struct myalloc_contract_site sites[MYALLOC_CONTRACT_SITES];
};

/*
 * No request within the amounts that the lines state fails, whatever other users of the zone do.
 * Request pages and extents from the zone of their line, and objects from its cache, by the
 * ordinary calls. myalloc_free() with the parent zone frees them, too. See contract.c.
 */
int myalloc_contract_plan(struct myalloc_zone *zone, const struct myalloc_contract_line *lines,
			  unsigned int nr, struct myalloc_contract_plan *plan);
struct myalloc_contract *
myalloc_contract_create(struct myalloc_zone *zone, const char *name,
			const struct myalloc_contract_line *lines, unsigned int nr,
			unsigned int flags, struct myalloc_contract_plan *plan);
struct myalloc_contract *
myalloc_client_contract_create(struct myalloc_client *client, const char *name,
			       const struct myalloc_contract_line *lines, unsigned int nr,
			       unsigned int flags, struct myalloc_contract_plan *plan);
int myalloc_contract_end(struct myalloc_contract *contract, unsigned int flags);
struct myalloc_zone *myalloc_contract_zone(struct myalloc_contract *contract, unsigned int line);
struct myalloc_cache *myalloc_contract_cache(struct myalloc_contract *contract,
					     unsigned int line);
int myalloc_contract_stats(struct myalloc_contract *contract, unsigned int line,
			   struct myalloc_contract_stats *stats);

/* --- clients: owners of memory, with quotas -------------------------------- */

/**
 * struct myalloc_client_args - properties of a new client
 * @name: as of a cache, shorter than MYALLOC_CLIENT_NAME of zone_types.h; unique in the zone;
 *	copied
 * @owner: the owner: a module, an open file or anything else; only compared. If it is NULL, the
 *	owner is the module whose code creates the client
 * @owner_name: the owner in words, truncated if it is too long; NULL for @name; copied
 * @parent: a client whose quota counts too, or NULL; at most MYALLOC_CLIENT_DEPTH in a chain
 * @soft_pages: pages above which requests for pages are counted and traced; 0 for no such quota
 * @hard_pages: pages above which requests for pages fail; 0 for no such quota
 * @checks: checks of all its caches, in addition to those of the zone. MYALLOC_OWNER records the
 *	caller and the time of the allocation of each object
 */
struct myalloc_client_args {
	const char *name;
	const void *owner;
	const char *owner_name;
	struct myalloc_client *parent;
	unsigned int soft_pages;
	unsigned int hard_pages;
	myalloc_cache_flags_t checks;
};

/* Free everything that a client holds, and the clients below it; with poison, fill it first. */
#define MYALLOC_RELEASE_ALL	0x1u
#define MYALLOC_RELEASE_POISON	0x2u

/*
 * A client creates caches, heaps, object pools, arenas and rings by the usual calls, with itself as
 * @client of their arguments, and contracts by myalloc_client_contract_create(). It requests pages
 * by the calls below: extents of at most a chunk, under the zone's lock, which cannot be lent.
 * (Blocks of an order, and lendable ones, come from a contract of the client, or from the zone and
 * count for nobody.) All these pages count for it: its slabs, empty ones included, its extents, and
 * the pages that its contracts have set aside. See client.c.
 */
struct myalloc_client *myalloc_client_create(struct myalloc_zone *zone,
					     const struct myalloc_client_args *args);
int myalloc_client_end(struct myalloc_client *client, unsigned int flags);
void *myalloc_client_pages_alloc(struct myalloc_client *client, unsigned int nr_pages,
				 unsigned int align_order, myalloc_flags_t flags);
int myalloc_client_pages_free(struct myalloc_client *client, void *addr, unsigned int nr_pages);

/* --- NUMA nodes ------------------------------------------------------------ */

/*
 * A set has a zone for each node, or one zone for all of them: the calls are the same. A page comes
 * from the zone of the node that is asked for or, unless MYALLOC_THISNODE forbids it, from the next
 * one in the kernel's order of distance. Caches, heaps, contracts and everything else that is
 * created in a zone have memory of that zone's node. To have them near each CPU, create one in each
 * zone. See nodes.c.
 */
void *myalloc_nodes_pages_alloc(struct myalloc_nodes *nodes, int node, unsigned int order,
				myalloc_flags_t flags);
int myalloc_nodes_pages_free(struct myalloc_nodes *nodes, void *addr, unsigned int order);
int myalloc_nodes_free(struct myalloc_nodes *nodes, void *addr);
struct myalloc_zone *myalloc_nodes_zone(struct myalloc_nodes *nodes, int node,
					myalloc_flags_t flags);
struct myalloc_zone *myalloc_nodes_zone_at(struct myalloc_nodes *nodes, const void *addr);

/* --- the whole zone ----------------------------------------------------- */

unsigned long myalloc_zone_drain(struct myalloc_zone *zone);

#endif /* MYALLOC_H */
