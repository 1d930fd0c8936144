/* SPDX-License-Identifier: GPL-2.0 */
/*
 * myalloc: the public interface of the allocator
 *
 * A zone serves blocks of 2^order pages from memory given to it once, and slab
 * caches serve objects of one size from a zone. What a user can rely on:
 *
 *  - Allocation and free run in bounded time, take no sleeping lock and may be
 *    called from task, softirq, hard interrupt and NMI context, and under a
 *    raw spinlock on PREEMPT_RT. A free never fails for lack of a lock.
 *  - A wrong free (twice, foreign, misaligned, wrong order, wrong number of
 *    pages, wrong cache) is found, reported with what is known of the owner,
 *    counted, refused with an error and changes nothing.
 *  - Nothing is written into free memory and no metadata lies between objects,
 *    except by the checking levels that ask for it and by a free that could
 *    not get its lock (see block.c, Deferred frees).
 *
 *  - What takes back memory that other CPUs cache (MYALLOC_MAY_WAIT, drain, shrink,
 *    destroy) keeps CPUs from coming and going meanwhile. So none of it may be called
 *    from a CPU hotplug callback, or with cpus_write_lock() held: it would wait for itself.
 *    Allocation without MYALLOC_MAY_WAIT and free may be called there.
 * Passing memory on, on every architecture:
 *
 *  - Give an address to another CPU as you give any data: under a lock, or by a release that
 *    pairs with an acquire (smp_store_release() and smp_load_acquire(), a queue, a completion).
 *    An allocation stores the state of the memory without a barrier of its own, and the free
 *    on the other CPU must see that store; otherwise it may refuse a right free as a double
 *    free. rcu_dereference() is enough to use memory, not to free it: a free also reads what
 *    the address does not lead to.
 *  - Everybody's last access must be ordered before the free, by a lock or by the last
 *    reference (refcount_dec_and_test()). A free waits for nobody, and is no barrier that other
 *    code may rely on; nor is an allocation, also where it zeroes.
 *  - What was done before a free, in the order that the freeing CPU sees, has happened before
 *    the same memory is handed out again, on whichever CPU. It stays on a CPU in program
 *    order; it leaves one through the depot by a compare-and-exchange that is a full barrier, or
 *    through a slab or the zone under a lock, or by the list of deferred frees, whose exchange
 *    is a full barrier too. (Litmus tests: models/litmus.)
 *
 * Every object of the interface is an instance; zones share nothing.
 * Whoever creates a zone or cache must not destroy it while others use it.
 */
#ifndef MYALLOC_H
#define MYALLOC_H

struct myalloc_zone;
struct myalloc_cache;

#define MYALLOC_TOP_ORDER	10	/* log2 of pages in the largest block */
#define MYALLOC_NR_ORDERS	(MYALLOC_TOP_ORDER + 1)

/*
 * Flags of one allocation, and flags of a cache: two types that sparse tells from each other,
 * from gfp_t and from other numbers. A request with a bit that does not belong to it is refused.
 */
typedef unsigned int __bitwise myalloc_flags_t;
typedef unsigned int __bitwise myalloc_cache_flags_t;

#define __MYALLOC_FLAG(bit)		((__force myalloc_flags_t)(bit))
#define __MYALLOC_CACHE_FLAG(bit)	((__force myalloc_cache_flags_t)(bit))

#define MYALLOC_ZERO		__MYALLOC_FLAG(0x001u)	/* memory reads as zero */
#define MYALLOC_TOPDOWN		__MYALLOC_FLAG(0x002u)	/* pages: highest address, no magazines */
/* Task, no hotplug callback: may sleep, take back what CPUs cache before failing. */
#define MYALLOC_MAY_WAIT	__MYALLOC_FLAG(0x004u)
#define MYALLOC_LENDABLE	__MYALLOC_FLAG(0x008u)	/* pages: the kernel may take references */
/* Those of a request for an extent, for a block of pages, and for an object. */
#define MYALLOC_EXTENT_FLAGS_ALL	(MYALLOC_ZERO | MYALLOC_TOPDOWN | MYALLOC_MAY_WAIT)
#define MYALLOC_PAGES_FLAGS_ALL		(MYALLOC_EXTENT_FLAGS_ALL | MYALLOC_LENDABLE)
#define MYALLOC_OBJECT_FLAGS_ALL	(MYALLOC_ZERO | MYALLOC_MAY_WAIT)

/* Checks of a cache or of every cache of a zone; letters as in SLUB's slab_debug=. */
#define MYALLOC_SANITY		__MYALLOC_CACHE_FLAG(0x001u)	/* F: the states of a slab */
#define MYALLOC_REDZONE		__MYALLOC_CACHE_FLAG(0x002u)	/* Z: red zones on both sides */
#define MYALLOC_POISON		__MYALLOC_CACHE_FLAG(0x004u)	/* P: free memory holds a pattern */
#define MYALLOC_OWNER		__MYALLOC_CACHE_FLAG(0x008u)	/* U: stacks of alloc and free */
#define MYALLOC_CHECKS		__MYALLOC_CACHE_FLAG(0xfu)
/* Other properties of a cache. */
#define MYALLOC_ZERO_ALLOC	__MYALLOC_CACHE_FLAG(0x100u)	/* objects read as zero at first */
#define MYALLOC_ZERO_FREE	__MYALLOC_CACHE_FLAG(0x200u)	/* objects are cleared when freed */
#define MYALLOC_RANDOM		__MYALLOC_CACHE_FLAG(0x400u)	/* slots in random order */
#define MYALLOC_NO_MAGAZINE	__MYALLOC_CACHE_FLAG(0x800u)	/* no per-CPU magazines */
/* How sure a free is that its object is a user's; see object.c, Levels. */
#define MYALLOC_CERTAIN		__MYALLOC_CACHE_FLAG(0x1000u)	/* of two racing frees one is refused */
#define MYALLOC_TRUSTING	__MYALLOC_CACHE_FLAG(0x2000u)	/* does an object begin there, no more */
#define MYALLOC_CACHE_FLAGS_ALL	(MYALLOC_CHECKS | MYALLOC_ZERO_ALLOC | MYALLOC_ZERO_FREE | \
				 MYALLOC_RANDOM | MYALLOC_NO_MAGAZINE | MYALLOC_CERTAIN | \
				 MYALLOC_TRUSTING)

#define MYALLOC_MAX_OBJECT	32768	/* bytes */
#define MYALLOC_CACHE_NAME	32	/* bytes, with the NUL */

/* --- pages ------------------------------------------------------------ */

/*
 * Lending: pages of a block allocated with MYALLOC_LENDABLE may be given to whatever takes a
 * reference to a page (get_page(), skb fragments, bios, pipes, vm_insert_page(), and through
 * that get_user_pages()). Free the block when your own work with it is done: while others have
 * references it is in quarantine, and used again when they have none. It belongs to order and
 * address like any other, passes no magazine, and costs a look at each page when freed.
 *
 * No other block, no run (exact, range) and no object may be lent: freed, its memory may be
 * handed out while the kernel still reads or writes it. A zone with checks finds that.
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
 * struct myalloc_cache_args - what a cache is to be
 * @name: letters, digits, '-', '_', '.'; shorter than MYALLOC_CACHE_NAME;
 *	unique in the zone; copied
 * @object_size: bytes the user asks for, 1 to MYALLOC_MAX_OBJECT
 * @align: bytes, a power of two up to the page size; 0 for 8
 * @flags: MYALLOC_SANITY ... MYALLOC_NO_MAGAZINE; the zone's checks are added
 * @magazine: objects in a magazine, at most MYALLOC_MAGAZINE_MAX; 0 for a
 *	number derived from the size
 * @ctor: called once for each slot when its slab is made, in the context of
 *	the allocation that needed the slab, or NULL. Objects come back from
 *	the user in constructed state. Excludes POISON, ZERO_ALLOC, ZERO_FREE.
 */
struct myalloc_cache_args {
	const char *name;
	unsigned int object_size;
	unsigned int align;
	myalloc_cache_flags_t flags;
	unsigned int magazine;
	void (*ctor)(void *object);
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

/* --- either, found by address ------------------------------------------ */

int myalloc_free(struct myalloc_zone *zone, void *addr);
unsigned long myalloc_usable_size(struct myalloc_zone *zone, const void *addr);

/* --- the whole zone ----------------------------------------------------- */

unsigned long myalloc_zone_drain(struct myalloc_zone *zone);

#endif /* MYALLOC_H */
