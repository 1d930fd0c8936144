// SPDX-License-Identifier: GPL-2.0
/*
 * Heaps: memory of any size, freed by its address alone
 *
 * What it is: a cache for each size class, and extents for larger blocks. Nothing is recorded about
 * a block in addition to the descriptors of its slab or extent.
 *
 *	class	 1   2   3  ...  8   9   10   11   12   13   14  ...    44
 *	bytes	 8  16  24  ... 64  80   96  112  128  160  192  ... 32768
 *
 * Classes: from 64 bytes on four to a doubling (as in dlmalloc's large bins, jemalloc and
 * mimalloc). With last = size - 1 and top the number of its highest bit, but at least 5, the three
 * highest of last's bits from top on are a number from 4 to 7 (0 to 7 for the first eight
 * classes), and the class is 4 * top - 19 + that number: no table, no branch. (Sizes up to
 * MYALLOC_HEAP_SMALL, which most are, have a table all the same: half as many instructions.) A
 * class is at most a quarter larger than what was asked for, from 33 bytes on. Of all sizes from 1
 * to 32768 bytes, each once, 7.7 % of the objects' memory is unused, and at worst, above 64 bytes,
 * 20.0 % of an object's. With the unused ends of slabs (pages of 4 KiB) it is 13.4 %: that is why
 * slabs of the large classes may have up to 128 KiB here. heap_fragmentation in kunit counts all
 * three. For the requests of two programs (gcc: 300,000 requests, python3: 207,000), 6.4 % and
 * 11.2 % of the objects' memory is unused; for the 32 most frequent sizes of each, which
 * heap_recorded has, 4.3 % and 12.4 %.
 *
 * Caches are aligned to the largest power of two that divides their size, a page at most. So an
 * alignment of up to a page is a matter of the size alone: size, rounded up to a multiple of align,
 * leads to a class that is a multiple of align. For: let the classes around the rounded size be
 * multiples of q, a power of two. If align divides q, it divides the class. Else q divides
 * align, so the rounded size is a multiple of q and itself a class.
 *
 * From an address to its block: if the tag of its frame says slab, the slab begins there; the
 * states that lie in the descriptors behind the first one look like no type (frame.h). Else, slabs
 * have at most 64 frames, so a slab begins where the next bit of buddy.head at or below its frame
 * is set, and both bits lie in one word (blocks are aligned to their size). The word is read
 * without a lock: of a block that stays allocated the bits stand still (B1), whatever becomes of
 * its neighbours. The tag there has the number of a cache, and @at has the only one of the heap's
 * caches that can have this number, unless the numbers of two lie far apart. The fast path of a
 * free does not compare them: it is the one of that cache (object/fast.h), which compares the whole
 * tag, or the address with one in its magazine, where only its own objects are. So it refuses an
 * object of another cache, and the slow path then looks for the right one. The fast path begins at
 * the descriptor that has been found, and reads no lines of the cache that its own free would not.
 *
 * Cost of finding the cache: some 20 instructions. If a block is freed at once, and the next
 * allocation depends on that, it also waits for three more loads, one after the other: the
 * descriptor, @at, and the address of the magazines. It reads the lines of the descriptor, of @at
 * (1 KiB, shared by all blocks) and of the slot's state; behind the first page of a slab also a
 * word of buddy.head and the slab's first descriptor. An address that is not in a slab of the heap
 * takes the slow path.
 *
 * Largest block: a chunk. Blocks of joined chunks are larger, but their tag has an order and no
 * owner (frame.h), so that by its address alone a heap could not tell its own from another's.
 *
 * Heaps and zones: myalloc_free() frees memory of a heap, too, since it does not compare owners;
 * myalloc_pages_free_exact() refuses the heap's extents.
 *
 * Cost: an unused heap takes sizeof(struct myalloc_heap), and for each class sizeof(struct
 * myalloc_cache): 44 KiB in all, on any number of CPUs; no pages and no magazines. The worker
 * gives a class magazines when it is used (upkeep.c), from the kernel's memory; until then the
 * class works past them, under the cache's lock. Magazines in pages of the zone would be there at
 * once, in any context, but in the way of large blocks for as long as the heap lives.
 *
 * Statistics: the counts of the caches, extents found by a walk over the frames, and two counts of
 * requests for extents, which take a lock in any case. The requested size is not recorded, so the
 * unused rest of a block is known only as an upper bound (slack_bytes).
 *
 * Invariants
 *	K1  cache[0] is NULL, and classes 1 to nr_classes exist. at[i] is one of them, the last
 *	    whose number is i modulo MYALLOC_HEAP_IDS, or cache[1] if there is none. None of it
 *	    changes while the heap lives.
 *	K2  An object of cache[c] has myalloc_heap_class_size(c) bytes and is aligned to the largest
 *	    power of two in it, a page at most.
 *	K3  A block is an object of the heap's caches or an extent with the heap's number as its
 *	    owner. No other extent has that number: it is given back after the last extent (E1).
 *	K4  What was allocated with size (and an alignment of up to a page) has
 *	    myalloc_heap_good_size(size rounded up to the alignment) bytes, also after a realloc.
 *
 * Bounds: as of objects and extents; a realloc that moves copies the smaller of both sizes. A bulk
 * free takes one step for each block.
 */
#include "env.h"
#include "zone/front.h"
#include "client/client.h"
#include "front/heap.h"
#include "object/cache.h"
#include "object/check.h"
#include "object/fast.h"
#include "object/object.h"
#include "object/upkeep.h"
#include "page/extent.h"
#include "page/flags.h"
#include "page/pages.h"
#include "page/zone_report.h"
#include "zone/finding.h"
#include "zone/zone.h"

static_assert(MYALLOC_SLAB_ORDER_MAX <= 6,
	      "a slab must begin in the word of buddy.head of its frames");

static inline struct myalloc_zone *zone_of(const struct myalloc_heap *h)
{
	return h->front.zone;
}

/* --- what an address is ------------------------------------------------------------- */

/*
 * Where an address of a slab lies: in bytes from @base on; the first frame of the slab and its tag;
 * the only cache of the heap that it can belong to, unless two have one place in @at.
 */
struct spot {
	unsigned long off;
	struct myalloc_frame *first;
	struct myalloc_cache *cache;
	u32 tag;
};

/* Find the slab of an address; false if there is none, or it takes more than arithmetic. */
static __always_inline bool find_spot(const struct myalloc_heap *h, const void *addr,
				      struct spot *spot)
{
	unsigned long off = (unsigned long)addr - h->base;
	struct myalloc_frame first, *frame;
	u64 heads;
	u32 idx;

	if (unlikely(off >= h->bytes))
		return false;
	/* &h->frames[off >> PAGE_SHIFT], by one instruction less */
	frame = (void *)h->frames +
		(off / (PAGE_SIZE / MYALLOC_FRAME_BYTES) & ~(MYALLOC_FRAME_BYTES - 1UL));
	first.tag = READ_ONCE(frame->tag);
	if (first.type != MYALLOC_FRAME_SLAB) {	/* not the first frame of its slab */
		idx = h->first + (off >> PAGE_SHIFT);
		heads = READ_ONCE(h->head[idx / 64]) << (63 - idx % 64);
		if (unlikely(!heads))
			return false;
		frame += fls64(heads) - 64;
		first.tag = READ_ONCE(frame->tag);
		if (unlikely(first.type != MYALLOC_FRAME_SLAB))
			return false;
	}
	spot->off = off;
	spot->first = frame;
	spot->tag = first.tag;
	spot->cache = h->at[first.cache % MYALLOC_HEAP_IDS];
	return true;
}

/* The heap's cache whose slab contains an address; NULL as above. */
static __always_inline struct myalloc_cache *cache_of(const struct myalloc_heap *h,
						      const void *addr)
{
	struct spot spot;

	return likely(find_spot(h, addr, &spot)) && likely(spot.tag == spot.cache->tag) ?
		spot.cache : NULL;
}

/* What a block of the heap is: one of the two. */
struct place {
	struct myalloc_cache *cache;
	u32 pages;
};

/*
 * Find the cache of the heap whose slab contains @addr, or the heap's extent that begins there;
 * false if there is neither.
 */
static bool find(const struct myalloc_heap *h, const void *addr, struct place *place)
{
	struct myalloc_lookup at;

	place->pages = 0;
	place->cache = cache_of(h, addr);
	if (likely(place->cache))
		return true;
	preempt_disable();	/* keeps a cache that is not the heap's from being freed */
	myalloc_lookup(zone_of(h), addr, &at);
	if (at.cache && myalloc_heap_has(h, at.cache))
		place->cache = at.cache;
	preempt_enable();
	if (myalloc_frame_owner(&at.first) == h->owner &&
	    myalloc_lookup_begins(zone_of(h), &at, addr))
		place->pages = myalloc_frame_pages(&at.first);
	return place->cache || place->pages;
}

/* Bytes of a block, whose place is *@place; 0 if none is allocated there. */
static size_t size_of(const struct myalloc_heap *h, const void *addr, struct place *place)
{
	size_t size = 0;
	const u8 *state;

	if (!find(h, addr, place))
		return 0;
	if (place->pages)
		return (size_t)place->pages << PAGE_SHIFT;
	preempt_disable();	/* keeps the slab */
	state = myalloc_object_state(place->cache, addr);
	if (likely(state && READ_ONCE(*state) == myalloc_user_state(place->cache)))
		size = place->cache->layout.object_size;
	preempt_enable();
	return size;
}

static size_t size_at(const struct myalloc_heap *h, const void *addr)
{
	struct place place;

	return size_of(h, addr, &place);
}

/* Why an address is not what a user has of the heap. */
static noinline int bad_free(const struct myalloc_heap *h, const void *addr,
			     unsigned long caller)
{
	struct myalloc_lookup at;
	struct place place;
	char what[48];

	find(h, addr, &place);
	if (place.cache)
		return myalloc_cache_bad_free(place.cache, addr, caller);
	scnprintf(what, sizeof(what), "memory of heap %s", h->front.name);
	preempt_disable();	/* for the cache, which is not looked at */
	myalloc_lookup(zone_of(h), addr, &at);
	preempt_enable();
	if (at.first.type == MYALLOC_FRAME_SLAB)
		return myalloc_zone_bad_free(zone_of(h), addr, MYALLOC_BAD_CACHE, what, caller);
	return myalloc_pages_bad_free(zone_of(h), addr, MYALLOC_FRAME_EXTENT, h->owner, what,
				      caller);
}

static noinline int free_slow(struct myalloc_heap *h, void *addr, unsigned long caller)
{
	struct place place;

	if (!addr)
		return 0;
	if (unlikely(!find(h, addr, &place)))
		return bad_free(h, addr, caller);
	if (place.cache)
		return myalloc_cache_free_for(place.cache, addr, caller);
	return myalloc_extent_free(zone_of(h), addr, place.pages, h->owner, caller);
}

/* --- alloc and free ------------------------------------------------------------------- */

/* Pages of a block of @size bytes; 0 if that is more than the largest. */
static u32 pages_of(const struct myalloc_heap *h, size_t size)
{
	return size <= (size_t)h->max_pages << PAGE_SHIFT ? DIV_ROUND_UP(size, PAGE_SIZE) : 0;
}

/* An extent of at least @size bytes. */
static noinline void *alloc_pages_for(struct myalloc_heap *h, size_t size,
				      unsigned int align_order, myalloc_flags_t flags,
				      unsigned long caller)
{
	u32 nr = pages_of(h, size);
	void *addr = NULL;

	myalloc_flags_might_wait(flags);
	if (unlikely(!myalloc_flags_check(zone_of(h), &flags, MYALLOC_OBJECT_FLAGS_ALL, caller)))
		return NULL;
	atomic64_inc(&h->extent_requests);	/* first: see myalloc_heap_stats() */
	if (nr && align_order <= zone_of(h)->chunk_order)
		addr = myalloc_extent_alloc(zone_of(h), nr, align_order, flags, h->owner,
					    caller);
	else	/* more than the zone could ever have in a row */
		myalloc_env_trace(fail, .zone = zone_of(h)->name, .name = h->front.name,
				  .call_site = caller, .bytes = size,
				  .order = get_order(size),
				  .flags = (__force u32)flags, .node = zone_of(h)->node);
	if (!addr)
		atomic64_inc(&h->extent_fails);
	return addr;
}

/* Find the cache of a size; false if it takes pages. */
static __always_inline bool cache_for(const struct myalloc_heap *h, size_t size,
				      struct myalloc_cache **cache)
{
	if (likely(size <= h->max_small)) {
		*cache = h->small[(size + 7) / 8];
		return true;
	}
	if (size > h->max_object)
		return false;
	*cache = h->cache[myalloc_heap_class(size)];
	return true;
}

static void *alloc_for(struct myalloc_heap *h, size_t size, myalloc_flags_t flags,
		       unsigned long caller)
{
	struct myalloc_cache *cache;

	if (unlikely(!cache_for(h, size, &cache)))
		return alloc_pages_for(h, size, 0, flags, caller);
	return myalloc_cache_alloc_for(cache, flags, caller);
}

/* Record that a user has got memory. */
static noinline void *trace_alloc(struct myalloc_heap *h, void *addr, size_t size,
				  myalloc_flags_t flags, unsigned long caller)
{
	if (addr)
		__myalloc_env_trace(heap_alloc, .name = h->front.name, .ptr = addr,
				    .call_site = caller, .bytes_req = size,
				    .bytes = size_at(h, addr),
				    .flags = (__force u32)flags, .node = zone_of(h)->node);
	return addr;
}

static noinline void *alloc_traced(struct myalloc_heap *h, size_t size, myalloc_flags_t flags,
				   unsigned long caller)
{
	return trace_alloc(h, alloc_for(h, size, flags, caller), size, flags, caller);
}

/*
 * Record that a user frees memory; before it is done, as myalloc_pages_trace_free(). @size is 0 if
 * nothing is allocated there: the free is wrong.
 */
static noinline void trace_free(struct myalloc_heap *h, const void *addr, size_t size,
				unsigned long caller)
{
	if (addr)
		__myalloc_env_trace(heap_free, .name = h->front.name, .ptr = addr,
				    .call_site = caller, .bytes = size, .node = zone_of(h)->node);
}

/**
 * myalloc_heap_alloc() - allocate memory
 * @heap: the heap
 * @size: bytes, any number; 0 as 1
 * @flags: MYALLOC_ZERO, MYALLOC_MAY_WAIT
 *
 * The address is aligned to the largest power of two that divides myalloc_heap_good_size(), a page
 * at most; 8 at least.
 *
 * Context: any. With MYALLOC_MAY_WAIT: task context that may sleep. In NMI it may fail because a
 * lock is held by what was interrupted.
 * Return: the memory; NULL if the zone has not so much in a row, @size is above the largest block
 * (a chunk of the zone), or there is another flag: reported.
 */
void *myalloc_heap_alloc(struct myalloc_heap *heap, size_t size, myalloc_flags_t flags)
{
	struct myalloc_cache *cache;
	void *object;

	if (unlikely(myalloc_env_trace_on(heap_alloc)))
		return alloc_traced(heap, size, flags, _RET_IP_);
	if (unlikely(!cache_for(heap, size, &cache)))
		return alloc_pages_for(heap, size, 0, flags, _RET_IP_);
	if (likely(myalloc_cache_alloc_fast(cache, flags, &object)))
		return object;
	return myalloc_cache_alloc_slow(cache, flags, _RET_IP_);
}

static __always_inline void *aligned_for(struct myalloc_heap *heap, size_t size, size_t align,
					 myalloc_flags_t flags, unsigned long caller)
{
	const size_t most = (size_t)heap->max_pages << PAGE_SHIFT;
	unsigned int order = 0;

	if (unlikely(!is_power_of_2(align))) {
		myalloc_zone_err(zone_of(heap), "heap %s: an alignment of %zu is not a power of two",
				 heap->front.name, align);
		return NULL;
	}
	if (align > PAGE_SIZE)
		order = ilog2(align) - PAGE_SHIFT;
	if (order || size > most)
		return alloc_pages_for(heap, size ?: 1, order, flags, caller);
	return alloc_for(heap, ALIGN(size ?: 1, align), flags, caller);
}

static noinline void *aligned_traced(struct myalloc_heap *h, size_t size, size_t align,
				     myalloc_flags_t flags, unsigned long caller)
{
	return trace_alloc(h, aligned_for(h, size, align, flags, caller), size, flags, caller);
}

/**
 * myalloc_heap_alloc_aligned() - allocate memory at a multiple of a power of two
 * @heap: the heap
 * @size: bytes, any number; 0 as 1
 * @align: bytes, a power of two. Above a page it counts from the beginning of the chunk, as the
 *	alignment of pages does, and the block has whole pages
 * @flags: as for myalloc_heap_alloc()
 *
 * A realloc does not keep an alignment above that of myalloc_heap_alloc().
 *
 * Context: as for myalloc_heap_alloc().
 * Return: the same; also NULL if @align is not a power of two, which is reported, or above a chunk.
 */
void *myalloc_heap_alloc_aligned(struct myalloc_heap *heap, size_t size, size_t align,
				 myalloc_flags_t flags)
{
	if (unlikely(myalloc_env_trace_on(heap_alloc)))
		return aligned_traced(heap, size, align, flags, _RET_IP_);
	return aligned_for(heap, size, align, flags, _RET_IP_);
}

/* What the fast path does not free. */
static noinline int free_rest(struct myalloc_heap *h, void *addr, unsigned long caller)
{
	struct myalloc_cache *cache = cache_of(h, addr);

	return likely(cache) ? myalloc_cache_free_slow(cache, addr, caller) :
			       free_slow(h, addr, caller);
}

static noinline int free_traced(struct myalloc_heap *h, void *addr, unsigned long caller)
{
	trace_free(h, addr, size_at(h, addr), caller);
	return free_slow(h, addr, caller);
}

/**
 * myalloc_heap_free() - free memory
 * @heap: the heap that it was allocated from
 * @addr: its address, any value; NULL does nothing
 *
 * Context: any.
 * Return: 0; -EINVAL if nothing that is allocated from this heap begins there: reported, counted,
 * and nothing has changed.
 */
int myalloc_heap_free(struct myalloc_heap *heap, void *addr)
{
	struct spot spot;

	if (unlikely(myalloc_env_trace_on(heap_free)))
		return free_traced(heap, addr, _RET_IP_);
	if (likely(find_spot(heap, addr, &spot)) &&
	    likely(myalloc_cache_free_found(spot.cache, addr, spot.first, spot.off)))
		return 0;
	return free_rest(heap, addr, _RET_IP_);
}

static __always_inline int free_sized_for(struct myalloc_heap *heap, void *addr, size_t size,
					  unsigned long caller)
{
	struct myalloc_cache *cache;

	if (unlikely(!addr))
		return 0;
	if (unlikely(!cache_for(heap, size, &cache)))
		return myalloc_extent_free(zone_of(heap), addr, pages_of(heap, size), heap->owner,
					   caller);
	return likely(myalloc_cache_free_fast(cache, addr)) ? 0 :
		myalloc_cache_free_slow(cache, addr, caller);
}

static noinline int free_sized_traced(struct myalloc_heap *h, void *addr, size_t size,
				      unsigned long caller)
{
	trace_free(h, addr, size_at(h, addr), caller);
	return free_sized_for(h, addr, size, caller);
}

/**
 * myalloc_heap_free_sized() - free memory of a known size
 * @heap: the heap that it was allocated from
 * @addr: its address, any value; NULL does nothing
 * @size: the size last asked for, or another with the same myalloc_heap_good_size(); with
 *	myalloc_heap_alloc_aligned(), @size rounded up to the alignment; not for an alignment above
 *	a page
 *
 * Looks for nothing: the size tells the cache.
 *
 * Context: any.
 * Return: 0; -EINVAL if no block of the heap with that size begins there: reported, counted, and
 * nothing has changed.
 */
int myalloc_heap_free_sized(struct myalloc_heap *heap, void *addr, size_t size)
{
	if (unlikely(myalloc_env_trace_on(heap_free)))
		return free_sized_traced(heap, addr, size, _RET_IP_);
	return free_sized_for(heap, addr, size, _RET_IP_);
}

/**
 * myalloc_heap_realloc() - memory of another size with the same content
 * @heap: the heap
 * @addr: what has been allocated from it; NULL as myalloc_heap_alloc()
 * @size: bytes, any number; 0 as 1: the memory is not freed
 * @flags: as for myalloc_heap_alloc(). With MYALLOC_ZERO, bytes beyond myalloc_heap_usable_size()
 *	of the old block read as zero; those below are as they were
 *
 * Stays where it is if myalloc_heap_good_size() does not change, unless it has an alignment above a
 * page. Whole pages give their end back where they lie, and take free pages behind them; all else
 * is copied. The lower of both sizes keeps its content.
 *
 * Context: as for myalloc_heap_alloc().
 * Return: the memory; NULL as myalloc_heap_alloc(), also if it was to become smaller, or @addr is
 * not the heap's (reported, counted); then the old one is as it was.
 */
void *myalloc_heap_realloc(struct myalloc_heap *heap, void *addr, size_t size,
			   myalloc_flags_t flags)
{
	struct place place;
	size_t old, pages;
	void *to;

	if (!addr)
		return myalloc_env_trace_on(heap_alloc) ?
			alloc_traced(heap, size, flags, _RET_IP_) :
			alloc_for(heap, size, flags, _RET_IP_);
	myalloc_flags_might_wait(flags);
	if (unlikely(!myalloc_flags_check(zone_of(heap), &flags, MYALLOC_OBJECT_FLAGS_ALL,
					  _RET_IP_)))
		return NULL;
	old = size_of(heap, addr, &place);
	if (unlikely(!old)) {
		bad_free(heap, addr, _RET_IP_);
		return NULL;
	}
	/* Whole pages for an alignment become an object if the new size has a class. */
	if (myalloc_heap_good_size(heap, size) == old &&
	    (place.cache || size > heap->max_object))
		return addr;
	pages = size > heap->max_object ? pages_of(heap, size) : 0;
	if (pages && old > heap->max_object &&
	    myalloc_extent_resize(zone_of(heap), addr, old >> PAGE_SHIFT, pages, flags, heap->owner,
				  _RET_IP_)) {
		to = addr;
	} else {
		to = alloc_for(heap, size, flags, _RET_IP_);
		if (!to)
			return NULL;
		memcpy(to, addr, min(old, size));
	}
	if (myalloc_env_trace_on(heap_free))
		trace_free(heap, addr, old, _RET_IP_);
	if (myalloc_env_trace_on(heap_alloc))
		trace_alloc(heap, to, size, flags, _RET_IP_);
	if (to != addr)
		free_slow(heap, addr, _RET_IP_);
	return to;
}

/*
 * The heap's caches would record events of their own in a bulk operation; so one block after the
 * other.
 */
static noinline unsigned int alloc_bulk_traced(struct myalloc_heap *h, size_t size,
					       myalloc_flags_t flags, unsigned int nr,
					       void **addrs, unsigned long caller)
{
	unsigned int n;

	for (n = 0; n < nr; n++) {
		addrs[n] = alloc_for(h, size, flags, caller);
		if (!addrs[n])
			break;
		if (myalloc_env_trace_on(heap_alloc))
			trace_alloc(h, addrs[n], size, flags, caller);
	}
	return n;
}

static noinline unsigned int free_bulk_traced(struct myalloc_heap *h, unsigned int nr,
					      void **addrs, unsigned long caller)
{
	unsigned int freed = 0;

	while (nr--) {
		if (myalloc_env_trace_on(heap_free))
			trace_free(h, addrs[nr], size_at(h, addrs[nr]), caller);
		freed += !free_slow(h, addrs[nr], caller);
	}
	return freed;
}

/**
 * myalloc_heap_alloc_bulk() - allocate several blocks of one size
 * @heap: the heap
 * @size: of each, as for myalloc_heap_alloc()
 * @flags: as for myalloc_heap_alloc()
 * @nr: how many
 * @addrs: out: their addresses
 *
 * Context: as for myalloc_heap_alloc().
 * Return: how many were allocated; fewer than @nr if the zone has no more.
 */
unsigned int myalloc_heap_alloc_bulk(struct myalloc_heap *heap, size_t size,
				     myalloc_flags_t flags, unsigned int nr, void **addrs)
{
	struct myalloc_cache *cache;
	unsigned int n;

	if (unlikely(myalloc_env_trace_on(heap_alloc) || myalloc_env_trace_on(cache_alloc)))
		return alloc_bulk_traced(heap, size, flags, nr, addrs, _RET_IP_);
	if (cache_for(heap, size, &cache))
		return myalloc_cache_alloc_bulk(cache, flags, nr, addrs);
	for (n = 0; n < nr; n++) {
		addrs[n] = alloc_pages_for(heap, size, 0, flags, _RET_IP_);
		if (!addrs[n])
			break;
	}
	return n;
}

/**
 * myalloc_heap_free_bulk() - free several blocks of any sizes
 * @heap: the heap that they were allocated from
 * @nr: how many
 * @addrs: their addresses, any values; NULL does nothing
 *
 * They go back from the end of @addrs on. Those of one class that follow one another go back
 * together. Each wrong one is treated as by myalloc_heap_free().
 *
 * Context: any.
 * Return: how many were freed, with those that are NULL; @nr if none was wrong.
 */
unsigned int myalloc_heap_free_bulk(struct myalloc_heap *heap, unsigned int nr, void **addrs)
{
	unsigned int freed = 0, n;

	if (unlikely(myalloc_env_trace_on(heap_free) || myalloc_env_trace_on(cache_free)))
		return free_bulk_traced(heap, nr, addrs, _RET_IP_);
	while (nr) {
		struct myalloc_cache *cache = cache_of(heap, addrs[nr - 1]);

		if (!cache) {
			freed += !free_slow(heap, addrs[--nr], _RET_IP_);
			continue;
		}
		for (n = 1; n < nr && cache_of(heap, addrs[nr - 1 - n]) == cache; n++)
			;
		nr -= n;
		freed += myalloc_cache_free_bulk(cache, n, addrs + nr);
	}
	return freed;
}

/**
 * myalloc_heap_usable_size() - bytes that may be used at an address
 * @heap: the heap
 * @addr: any value
 *
 * Context: any.
 * Return: bytes; 0 if nothing that is allocated from this heap begins there.
 */
size_t myalloc_heap_usable_size(struct myalloc_heap *heap, const void *addr)
{
	return size_at(heap, addr);
}

/**
 * myalloc_heap_good_size() - bytes of the block that a request gets
 * @heap: the heap
 * @size: bytes, any number; 0 as 1
 *
 * Context: any.
 * Return: bytes, all of which may be used; 0 if @size is above the largest block.
 */
size_t myalloc_heap_good_size(const struct myalloc_heap *heap, size_t size)
{
	if (size <= heap->max_object)
		return myalloc_heap_class_size(myalloc_heap_class(size));
	return (size_t)pages_of(heap, size) << PAGE_SHIFT;
}

/* --- make and end ------------------------------------------------------------------------ */

/*
 * Make the cache of the next class. Returns -E2BIG, without a message, if no slab can hold an
 * object.
 */
static int add_class(struct myalloc_heap *h, myalloc_cache_flags_t flags)
{
	u32 class = h->nr_classes + 1, size = myalloc_heap_class_size(class);
	struct myalloc_slab_layout layout;
	struct myalloc_cache *cache;
	char name[MYALLOC_CACHE_NAME];
	u32 at, i;
	const struct myalloc_cache_args args = {
		.name = name,
		.object_size = size,
		.align = min_t(u32, size & -size, PAGE_SIZE),
		.flags = h->front.client ? flags | h->front.client->checks : flags,
		.client = h->front.client,
	};

	if (myalloc_slab_layout(&layout, size, args.align, args.flags | zone_of(h)->checks, false,
				zone_of(h)->chunk_order))
		return -E2BIG;
	scnprintf(name, sizeof(name), "%s-%u", h->front.name, size);
	cache = myalloc_cache_create_lean(zone_of(h), &args);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	h->cache[class] = cache;
	for (i = 0; class == 1 && i < MYALLOC_HEAP_IDS; i++)
		WRITE_ONCE(h->at[i], cache);
	smp_store_release(&h->at[cache->id % MYALLOC_HEAP_IDS], cache);	/* pairs with validate() */
	smp_store_release(&h->nr_classes, class);	/* pairs with validate() */
	WRITE_ONCE(h->max_object, size);
	h->max_small = min_t(u32, size, MYALLOC_HEAP_SMALL);
	for (at = 0; at <= h->max_small / 8; at++)
		if (myalloc_heap_class(at * 8) == class)
			h->small[at] = cache;
	return 0;
}

/* The class of which the cache at a place must be: the last with such a number, or the first. */
static u32 class_at(const struct myalloc_heap *h, u32 nr_classes, u32 place)
{
	u32 class;

	for (class = nr_classes; class > 1; class--)
		if (h->cache[class]->id % MYALLOC_HEAP_IDS == place)
			return class;
	return 1;
}

/* K1, K2. The heap may still be growing. */
static void validate(struct myalloc_front *front, struct myalloc_validation *v)
{
	const struct myalloc_heap *h = myalloc_heap_of(front);
	u32 nr = smp_load_acquire(&h->nr_classes);	/* pairs with add_class() */
	u32 class, i;

	for (class = 1; class <= nr; class++) {
		const struct myalloc_slab_layout *l = &h->cache[class]->layout;
		u32 size = myalloc_heap_class_size(class);

		if (l->object_size != size || l->align != min_t(u32, size & -size, PAGE_SIZE))
			myalloc_finding(v, "K2: heap %s: class %u has %u bytes, aligned to %u",
					front->name, class, l->object_size, l->align);
	}
	for (i = 0; nr && i < MYALLOC_HEAP_IDS; i++) {
		/* pairs with add_class() */
		const struct myalloc_cache *cache = smp_load_acquire(&h->at[i]);

		class = class_at(h, nr, i);
		/* A class that was added meanwhile may be there already. */
		if (cache != h->cache[class] &&
		    (!myalloc_heap_has(h, cache) ||
		     myalloc_heap_class(cache->layout.object_size) <= nr))
			myalloc_finding(v, "K1: heap %s: cache %s is not at %u", front->name,
					h->cache[class]->name, i);
	}
}

static int release(struct myalloc_front *front, bool poison)
{
	struct myalloc_heap *h = myalloc_heap_of(front);
	u32 class;

	myalloc_client_free_extents(zone_of(h), h->owner, poison);
	for (class = 1; class <= h->nr_classes; class++)
		myalloc_cache_empty(h->cache[class], poison);
	return myalloc_heap_destroy(h);
}

const struct myalloc_front_kind myalloc_heap_kind = {
	.name = "heap",
	.name_size = MYALLOC_HEAP_NAME,
	.validate = validate,
	.release = release,
};

/* Everything of a heap that must be given back: its number and its caches. */
static int add_parts(struct myalloc_heap *h, myalloc_cache_flags_t flags)
{
	int err = 0;

	if (flags & ~MYALLOC_HEAP_FLAGS_ALL) {
		myalloc_zone_err(zone_of(h), "heap %s: unknown flags 0x%x", h->front.name,
				 (__force u32)(flags & ~MYALLOC_HEAP_FLAGS_ALL));
		return -EINVAL;
	}
	h->owner = myalloc_owner_add(zone_of(h));
	if (!h->owner) {
		myalloc_zone_err(zone_of(h), "heap %s: there are %lu heaps and clients already, which is the most",
				 h->front.name, MYALLOC_OWNERS_KINDS - 1);
		return -ENOSPC;
	}
	myalloc_owner_counts_for(zone_of(h), h->owner, h->front.client);
	while (!err && h->nr_classes < MYALLOC_HEAP_CLASSES)
		err = add_class(h, flags);
	return err == -E2BIG ? 0 : err;
}

static void free_heap(struct myalloc_heap *h)
{
	myalloc_front_remove(&h->front);
	if (h->nr_classes)
		myalloc_caches_end(h->cache + 1, h->nr_classes);
	if (h->owner)
		myalloc_owner_remove(zone_of(h), h->owner);
	myalloc_env_free(h);
}

/**
 * myalloc_heap_create() - make a heap
 * @zone: where its memory comes from
 * @args: parameters
 *
 * Context: task, may sleep.
 * Return: the heap; ERR_PTR(-EINVAL) if the arguments are out of range or contradict each other,
 * -EEXIST if a heap has the name or a cache has that of one of the heap's, -ENOSPC if the zone has
 * too many caches or MYALLOC_OWNERS_KINDS - 1 heaps and clients (a sentence was printed for each),
 * -ENOMEM.
 */
struct myalloc_heap *myalloc_heap_create(struct myalloc_zone *zone,
					 const struct myalloc_heap_args *args)
{
	const struct myalloc_linear *linear = &zone->linear;
	struct myalloc_heap *h;
	int err;

	h = myalloc_env_zalloc_charged(sizeof(*h), zone->node);
	if (!h)
		return ERR_PTR(-ENOMEM);
	h->front.client = args->client;
	h->front.maker = _RET_IP_;
	err = myalloc_front_add(zone, &h->front, &myalloc_heap_kind, args->name);
	if (err) {
		myalloc_env_free(h);
		return ERR_PTR(err);
	}
	h->head = zone->buddy.head;
	h->frames = linear->frames;
	h->base = linear->base;
	h->first = myalloc_frame_idx(zone, linear->frames);
	/* The last chunk may be partial: heads end where frames do. */
	h->bytes = min_t(unsigned long, linear->bytes,
			 (unsigned long)(zone->buddy.nr_frames - h->first) << PAGE_SHIFT);
	h->max_pages = BIT(zone->chunk_order);
	err = add_parts(h, args->flags);
	if (err) {
		free_heap(h);
		return ERR_PTR(err);
	}
	return h;
}

/* The extents of a heap. */
struct extents {
	const struct myalloc_heap *heap;
	u32 nr;
	u32 pages;
	u32 first;
	unsigned long caller;
};

static bool note_extent(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame,
			void *arg)
{
	struct extents *e = arg;

	if (myalloc_frame_owner(frame) != e->heap->owner)
		return true;
	if (!e->nr++) {
		e->first = idx;
		e->caller = frame->caller;
	}
	e->pages += myalloc_frame_pages(frame);
	return true;
}

/* Adds the statistics of a class. */
static void add_stats(struct myalloc_heap_stats *to, struct myalloc_cache *cache, u32 class)
{
	u32 size = myalloc_heap_class_size(class);
	u32 below = class > 1 ? myalloc_heap_class_size(class - 1) : 0;
	struct myalloc_cache_stats from;

	myalloc_cache_stats(cache, &from);
	to->live_objects += from.live_objects;
	to->object_bytes += from.live_objects * size;
	to->slack_bytes += from.live_objects * (size - below - 1);
	to->held_bytes += from.slabs * (PAGE_SIZE << from.order);
	to->cached_bytes += from.cached_objects * size;
	to->waste_bytes += from.waste_bytes;
	to->meta_bytes += from.meta_bytes;
	to->allocs += from.allocs;
	to->frees += from.frees;
	to->fails += from.fails;
	to->alloc_hits += from.alloc_hits;
	to->free_hits += from.free_hits;
	to->bad_frees += from.bad_frees;
	to->corruptions += from.corruptions;
}

/**
 * myalloc_heap_stats() - read the statistics of a heap
 * @heap: the heap
 * @stats: out; exact while no operation is in progress
 *
 * Nothing is counted for it when memory is allocated or freed: caches have the numbers of objects,
 * and extents are looked for among the frames of the zone, each of which is visited.
 *
 * Context: task, may sleep.
 */
void myalloc_heap_stats(struct myalloc_heap *heap, struct myalloc_heap_stats *stats)
{
	u32 class, nr = smp_load_acquire(&heap->nr_classes);	/* pairs with add_class() */
	struct extents e = { .heap = heap };
	u64 allocs, fails;

	memset(stats, 0, sizeof(*stats));
	stats->id = heap->front.id;
	stats->classes = nr;
	stats->max_object = READ_ONCE(heap->max_object);
	stats->meta_bytes = sizeof(*heap);
	for (class = 1; class <= nr; class++)
		add_stats(stats, heap->cache[class], class);
	myalloc_zone_walk_blocks(zone_of(heap), note_extent, &e);
	/* In this order, so that requests are at least what failed and what is live. */
	fails = atomic64_read_acquire(&heap->extent_fails);
	allocs = atomic64_read(&heap->extent_requests) - fails;
	stats->live_extents = e.nr;
	stats->extent_bytes = (u64)e.pages << PAGE_SHIFT;
	stats->slack_bytes += e.nr * (PAGE_SIZE - 1);
	stats->held_bytes += stats->extent_bytes;
	stats->allocs += allocs;
	stats->frees += allocs - e.nr;
	stats->fails += fails;
}

/* Reports the extents that are out; false if there is none. */
static bool has_extents(struct myalloc_heap *h)
{
	struct extents e = { .heap = h };
	struct myalloc_report *report;
	unsigned long irq;

	myalloc_zone_walk_blocks(zone_of(h), note_extent, &e);
	if (!e.nr)
		return false;
	report = myalloc_report_begin(&zone_of(h)->reports, &irq);
	if (report) {
		myalloc_report_add(report, "heap %s cannot be destroyed: %u block%s of %u page%s ",
				   h->front.name, e.nr, myalloc_s(e.nr), e.pages,
				   myalloc_s(e.pages));
		myalloc_report_add(report, "%s still allocated", myalloc_are(e.nr));
		myalloc_report_add(report, ", first: frame %u, held by ", e.first);
		myalloc_report_symbol(report, e.caller);
		myalloc_report_end(&zone_of(h)->reports, report, irq);
	}
	return true;
}

/* Shrinks a cache; reports the objects that are out, false if there is none. */
static bool has_objects(struct myalloc_cache *cache)
{
	/* One that was not used has nothing to wait for. */
	if (!myalloc_cache_slabs(cache) && !data_race(cache->nr_limbo))
		return false;
	myalloc_cache_shrink(cache);
	if (!myalloc_cache_slabs(cache))
		return false;
	myalloc_debug_report_live(cache);
	return true;
}

/**
 * myalloc_heap_destroy() - end a heap
 * @heap: the heap, which nobody uses any more; NULL is allowed
 *
 * Waits for grace periods: one, and some for each class that was used.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: 0; -EBUSY if memory is still allocated, which is reported with its owner, and the heap
 * stays as it is.
 */
int myalloc_heap_destroy(struct myalloc_heap *heap)
{
	bool busy;
	u32 class;

	if (!heap)
		return 0;
	busy = has_extents(heap);
	for (class = 1; class <= heap->nr_classes; class++)
		busy |= has_objects(heap->cache[class]);
	if (busy)
		return -EBUSY;
	free_heap(heap);
	return 0;
}
