/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The structure of a slab cache, and the lookup from an address to its slot. Internal to the
 * allocator and to the code that shows or checks it; users include myalloc.h.
 */
#ifndef MYALLOC_CACHE_TYPES_H
#define MYALLOC_CACHE_TYPES_H

#include "base/drainer.h"
#include "object/slab_layout.h"
#include "zone_types.h"

struct myalloc_spares;

/* The owner of a slot, in one byte for each slot; see magazine.c, The fast path. */
enum myalloc_slot_state {
	MYALLOC_SLOT_FREE = 0,		/* in its slab */
	MYALLOC_SLOT_CACHED = 1,	/* in a magazine or the depot */
	MYALLOC_SLOT_LIVE = 2,		/* with the user */
	MYALLOC_SLOT_DEFERRED = 3,	/* freed, on its way back */
	MYALLOC_SLOT_DEFERRING = 4,	/* about to be deferred: may not be in the list yet */
	MYALLOC_SLOT_MOVING = 5,	/* owned by an alloc or free that bypasses the magazines */
	MYALLOC_SLOT_RECOVERING = 6,	/* deferred, marked by the recovery of a damaged list */
};

static_assert((u8)MYALLOC_SLOT_RECOVERING < (u8)MYALLOC_FRAME_PAGE,
	      "a state in a descriptor must not look like a type");

/*
 * Lists of slabs. Partial slabs are sorted into quarters of fullness; objects are taken from the
 * fullest slabs, so that the emptiest ones drain.
 */
#define MYALLOC_SLAB_PARTIAL	4
enum {
	MYALLOC_SLABS_EMPTY = 0,
	MYALLOC_SLABS_FULL = MYALLOC_SLAB_PARTIAL + 1,
	MYALLOC_SLAB_LISTS
};

/* Empty slabs that a cache in use keeps; it gives up those above this number. */
#define MYALLOC_EMPTY_KEEP	2

/*
 * Budget of a refill, in units: each slab costs SCAN_SLAB and each word of its out bits SCAN_WORD
 * (slab.c). The last slab may exceed the budget.
 */
#define MYALLOC_SCAN_MOST	256

/**
 * struct myalloc_cache - a slab cache; see slab.c and object.c for the theory
 * @linear: copy of the zone's linear range
 * @head_mask: rounds an offset into the descriptors down to the slab's first descriptor
 * @bytes_mask: bytes in a slab - 1
 * @reciprocal: copy of the one in @layout
 * @state_offset: copy of the one in @layout
 * @tag: tag of the first frame of a slab in use by this cache
 * @no_object: constant 0, returned for an address that is no object
 * @level: of the fast path: 0, MYALLOC_CERTAIN or MYALLOC_TRUSTING; 0 also if objects are zeroed at
 *	free, which has no fast path
 * @mags: magazines of free objects
 * @stock: registers @mags in the stocks of zone->objects
 * @map: copy of the zone's map
 * @frame_mask: frames in a slab - 1
 * @limbo_tag: tag of the first frame of a slab of this cache that is in limbo
 * @layout: positions within a slab
 * @flags: the flags of MYALLOC_CACHE_FLAGS_ALL in force
 * @zone: the zone that supplies the slabs
 * @client: the client for which they count, or NULL
 * @ctor: called for each slot of a new slab, or NULL
 * @spares: objects that are kept for NMI handlers, see spare.c; NULL if it has none
 * @lock: protects the members from here to @flushes
 * @list: first slab of each list, MYALLOC_NO_FRAME if empty
 * @nr: slabs in each list
 * @free_slots: slots of all slabs whose out bit is clear
 * @nr_limbo: slabs in limbo, which are in no list; see limbo.c
 * @set_aside: slabs that never leave the lists
 * @generation: grows with every change
 * @allocs: objects allocated past the magazines
 * @frees: objects freed past the magazines
 * @flushes: batches moved from magazines to slabs
 * @deferred: objects freed while @lock could not be taken; counts objects
 * @fails: allocations that failed
 * @bad_frees: wrong frees refused
 * @corruptions: cases of damage found
 * @id: number in the zone
 * @shown_bytes: bytes of the files that show the cache, set by the creator of the zone
 * @link: in zone->caches
 * @limbo_link: in zone->limbo.caches while the open batch contains slabs of this cache that joined
 *	it since the age of its magazines last advanced
 * @magazine: objects in a magazine that the creator asked for, 0 for the default
 * @resized: the capacity was set after creation; the worker no longer changes it
 * @fixed_slabs: it takes no slabs from the zone but those set aside
 * @hungry: its magazines are often empty; they may grow beyond the usual share of one cache
 * @room: bytes of objects that its magazines may hold, part of zone->magazine_room
 * @meta: bytes of its magazines, part of zone->magazine_meta
 * @seen_slow: operations past the magazines at the worker's last pass
 * @idle: consecutive passes of the worker that found the cache unused
 * @seen: @generation plus the moves of @mags at the worker's last pass
 * @maker: return address of the call that created it, 0 if a front did, for reports
 * @pin_mutex: held while a walk looks at the cache without a lock on the list; destroy waits for it
 * @name: unique in the zone
 *
 * The members up to @no_object, in one cache line, are all that a free reads besides @mags.
 */
struct myalloc_cache {
	struct myalloc_linear linear;
	unsigned long head_mask;
	u32 bytes_mask;
	u32 reciprocal;
	u32 state_offset;
	u32 tag;
	u8 no_object;
	myalloc_cache_flags_t level;

	struct myalloc_magazines mags;
	struct myalloc_stock stock;
	struct myalloc_map map;
	u32 frame_mask;
	u32 limbo_tag;
	struct myalloc_slab_layout layout;
	myalloc_cache_flags_t flags;
	struct myalloc_zone *zone;
	struct myalloc_client *client;
	void (*ctor)(void *object);
	struct myalloc_spares *spares;

	raw_spinlock_t lock ____cacheline_aligned;
	u32 list[MYALLOC_SLAB_LISTS];
	u32 nr[MYALLOC_SLAB_LISTS];
	u64 free_slots;
	u32 nr_limbo;
	u32 set_aside;
	u64 generation;
	u64 allocs;
	u64 frees;
	u64 flushes;

	struct myalloc_deferred deferred ____cacheline_aligned;
	atomic64_t fails;
	atomic64_t bad_frees;
	atomic64_t corruptions;
	u32 id;
	u32 shown_bytes;
	struct list_head link;
	struct list_head limbo_link;
	u32 magazine;
	bool resized;
	bool fixed_slabs;
	bool hungry;
	u64 room;
	u64 meta;
	u64 seen_slow;
	u32 idle;
	u64 seen;
	unsigned long maker;
	struct mutex pin_mutex;	/* held during a visit of a walk */
	char name[MYALLOC_CACHE_NAME];
};

/**
 * myalloc_slab_addr() - the address of a slab
 * @cache: its cache
 * @frame: its first frame
 *
 * Context: any.
 * Return: the address of its first byte.
 */
static inline void *myalloc_slab_addr(const struct myalloc_cache *cache,
				      const struct myalloc_frame *frame)
{
	return myalloc_frame_addr(cache->zone, myalloc_frame_idx(cache->zone, frame));
}

/**
 * myalloc_cache_slabs() - the number of slabs in the lists of a cache
 * @cache: the cache
 *
 * Context: any.
 * Return: slabs, without those in limbo; exact under cache->lock.
 */
static inline u32 myalloc_cache_slabs(const struct myalloc_cache *cache)
{
	unsigned int list;
	u32 nr = 0;

	for (list = 0; list < MYALLOC_SLAB_LISTS; list++)
		nr += data_race(cache->nr[list]);	/* not one moment */
	return nr;
}

/**
 * myalloc_slab_states() - the states of the slots of a slab
 * @cache: its cache
 * @frame: its first frame
 * @slab: its address
 *
 * Context: any.
 * Return: one byte for each slot, aligned to 8.
 */
static __always_inline u8 *myalloc_slab_states(const struct myalloc_cache *cache,
					       struct myalloc_frame *frame, void *slab)
{
	return cache->layout.state_offset ? (u8 *)slab + cache->layout.state_offset :
					    (u8 *)(frame + 1);
}

/**
 * myalloc_slab_out() - the out bits of a slab
 * @cache: its cache
 * @frame: its first frame
 * @slab: its address
 *
 * Context: any.
 * Return: words with one bit for each slot; written only under cache->lock.
 */
static __always_inline u64 *myalloc_slab_out(const struct myalloc_cache *cache,
					     struct myalloc_frame *frame, void *slab)
{
	return cache->layout.out_offset ? slab + cache->layout.out_offset :
					  (u64 *)(frame + cache->frame_mask + 1) - 1;
}

/**
 * myalloc_out_words() - the size of the out bits of a slab
 * @cache: its cache
 *
 * Context: any.
 * Return: number of 64-bit words.
 */
static inline u32 myalloc_out_words(const struct myalloc_cache *cache)
{
	return DIV_ROUND_UP(cache->layout.objects, 64);
}

/**
 * myalloc_out_test() - test the out bit of a slot
 * @out: the out bits of its slab
 * @index: number of the slot
 *
 * Context: any; exact under cache->lock.
 * Return: true if the slot is out of its slab.
 */
static inline bool myalloc_out_test(const u64 *out, u32 index)
{
	return out[index / 64] >> (index % 64) & 1;
}

/* The cache that a slab belongs to whose first tag is that of @first, a copy; see below. */
static inline struct myalloc_cache *__myalloc_frame_cache(const struct myalloc_zone *zone,
							  const struct myalloc_frame *first)
{
	if ((first->type != MYALLOC_FRAME_SLAB && first->type != MYALLOC_FRAME_LIMBO) ||
	    first->cache >= MYALLOC_CACHES_MAX)
		return NULL;
	return READ_ONCE(zone->cache_by_id[first->cache]);
}

/**
 * myalloc_frame_cache() - the cache that a slab belongs to
 * @zone: the zone
 * @frame: first frame of a block
 *
 * Context: preemption off, which keeps the cache from being freed, though not from being destroyed.
 * Return: the cache; NULL if the block is not a slab, or its cache no longer exists.
 */
static inline struct myalloc_cache *myalloc_frame_cache(const struct myalloc_zone *zone,
							const struct myalloc_frame *frame)
{
	/* Read at once: with another type, the number means something else. */
	const struct myalloc_frame now = { .tag = READ_ONCE(frame->tag) };

	return __myalloc_frame_cache(zone, &now);
}

/**
 * struct myalloc_lookup - the block that contains an address
 * @frame: its first frame
 * @first: a copy of the tag of @frame; the other members are 0
 * @cache: if the block is a slab, the cache that it belongs to; otherwise NULL
 */
struct myalloc_lookup {
	struct myalloc_frame *frame;
	struct myalloc_frame first;
	struct myalloc_cache *cache;
};

/**
 * myalloc_lookup() - find the block that contains an address, its tag and its cache
 * @zone: the zone
 * @addr: any value
 * @at: out: the block, which may be free
 *
 * The tag is read once, so @at is consistent, but concurrent allocations and frees may be seen or
 * not.
 *
 * Context: preemption off, which keeps the cache from being freed, though not from being destroyed.
 * Return: false if the address is not in the zone, or (while others allocate and free) no block
 * was found there; @at->cache is NULL then, and @at->first has no type.
 */
static inline bool myalloc_lookup(const struct myalloc_zone *zone, const void *addr,
				  struct myalloc_lookup *at)
{
	at->frame = myalloc_zone_first(zone, addr);
	at->first = (struct myalloc_frame){ .tag = at->frame ? READ_ONCE(at->frame->tag) : 0 };
	at->cache = __myalloc_frame_cache(zone, &at->first);
	return at->frame;
}

/**
 * myalloc_lookup_begins() - does a block begin at an address?
 * @zone: the zone
 * @at: the block, found by myalloc_lookup()
 * @addr: the address
 *
 * Context: any.
 * Return: true if it does.
 */
static inline bool myalloc_lookup_begins(const struct myalloc_zone *zone,
					 const struct myalloc_lookup *at, const void *addr)
{
	return myalloc_frame_addr(zone, myalloc_frame_idx(zone, at->frame)) == addr;
}

/**
 * struct myalloc_place - a slot, as found from an address
 * @frame: first frame of its slab
 * @slab: address of the slab
 * @state: the slot's state byte
 * @index: number of the slot
 * @tag: tag of @frame at the time of the lookup; the other members are valid only if it is the
 *	cache's tag or limbo_tag
 */
struct myalloc_place {
	struct myalloc_frame *frame;
	void *slab;
	u8 *state;
	u32 index;
	u32 tag;
};

/**
 * myalloc_place_find() - find the slot of an object
 * @cache: the cache that the object is assumed to belong to
 * @object: any address
 * @place: out: the slot
 *
 * A slab leaves its cache only after a grace period. The result therefore stays valid for as long
 * as the caller keeps preemption off, or holds cache->lock, from before this call.
 *
 * Context: any.
 * Return: true if a slot begins at @object and its slab has one of the cache's two tags.
 */
static __always_inline bool myalloc_place_find(const struct myalloc_cache *cache,
					       const void *object, struct myalloc_place *place)
{
	struct myalloc_frame *frame = myalloc_map_frame(&cache->map, object);
	unsigned long off;

	if (unlikely(!frame))
		return false;
	frame -= myalloc_frame_idx(cache->zone, frame) & cache->frame_mask;
	place->frame = frame;
	place->tag = READ_ONCE(frame->tag);
	if (unlikely(place->tag != cache->tag && place->tag != cache->limbo_tag))
		return false;
	/* Chunks are aligned to more than a slab. */
	off = ((unsigned long)object - cache->map.base) & cache->bytes_mask;
	place->index = myalloc_slot_index(&cache->layout, off - cache->layout.object_offset);
	if (unlikely(place->index == U32_MAX))
		return false;
	place->slab = (char *)object - off;
	place->state = myalloc_slab_states(cache, frame, place->slab) + place->index;
	return true;
}

/**
 * myalloc_object_state() - the state byte of an object
 * @cache: the cache that the object is assumed to belong to
 * @object: any address
 *
 * Context: preemption off, or cache->lock held; see myalloc_place_find().
 * Return: the address of the state byte; NULL if no slot of a slab in use begins at @object.
 */
static inline u8 *myalloc_object_state(const struct myalloc_cache *cache, const void *object)
{
	struct myalloc_place place;

	return myalloc_place_find(cache, object, &place) && place.tag == cache->tag ?
		place.state : NULL;
}

/**
 * myalloc_slab_object() - the address of an object
 * @cache: the cache
 * @slab: address of the slab
 * @index: number of the slot
 *
 * Context: any.
 * Return: the address.
 */
static inline void *myalloc_slab_object(const struct myalloc_cache *cache, void *slab,
					u32 index)
{
	return (char *)slab + index * cache->layout.slot_size + cache->layout.object_offset;
}

/**
 * myalloc_slab_locate() - the slot that contains an address
 * @cache: the cache
 * @addr: an address in one of its slabs, possibly inside a slot
 * @slab: out: address of the slab
 *
 * Context: any.
 * Return: number of the slot; U32_MAX if the address lies behind the last one.
 */
static inline u32 myalloc_slab_locate(const struct myalloc_cache *cache, const void *addr,
				      void **slab)
{
	u32 off = ((unsigned long)addr - cache->map.base) & cache->bytes_mask;
	u32 index = off / cache->layout.slot_size;

	*slab = (char *)addr - off;
	return index < cache->layout.objects ? index : U32_MAX;
}

/**
 * myalloc_slab_frame() - the first frame of a slab
 * @cache: its cache
 * @slab: its address
 *
 * Context: any.
 * Return: index of the frame in the zone.
 */
static inline u32 myalloc_slab_frame(const struct myalloc_cache *cache, const void *slab)
{
	return myalloc_frame_idx(cache->zone, myalloc_map_frame(&cache->map, slab));
}

#endif /* MYALLOC_CACHE_TYPES_H */
