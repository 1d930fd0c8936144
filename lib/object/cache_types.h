/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A slab cache as a structure, and the way from an address to its slot. Internal to the allocator
 * and to those who show or check it; users include myalloc.h.
 */
#ifndef MYALLOC_CACHE_TYPES_H
#define MYALLOC_CACHE_TYPES_H

#include "base/drainer.h"
#include "object/slab_layout.h"
#include "zone_types.h"

/* Who has a slot. One byte each; see magazine.c, The fast path. */
enum myalloc_slot_state {
	MYALLOC_SLOT_FREE = 0,		/* in its slab */
	MYALLOC_SLOT_CACHED = 1,	/* in a magazine or the depot */
	MYALLOC_SLOT_LIVE = 2,		/* with the user */
	MYALLOC_SLOT_DEFERRED = 3,	/* freed, on its way back */
	MYALLOC_SLOT_DEFERRING = 4,	/* about to be: perhaps not in the list yet */
	MYALLOC_SLOT_MOVING = 5,	/* an alloc or free past the magazines is at work on it */
	MYALLOC_SLOT_RECOVERING = 6,	/* deferred, marked by a recovery */
};

/*
 * Lists of slabs. Partial slabs are sorted into quarters of fullness; objects are
 * taken from the fullest, so that the emptiest drain.
 */
#define MYALLOC_SLAB_PARTIAL	4
enum {
	MYALLOC_SLABS_EMPTY = 0,
	MYALLOC_SLABS_FULL = MYALLOC_SLAB_PARTIAL + 1,
	MYALLOC_SLAB_LISTS
};

/* Empty slabs a cache in use keeps; those above it leave. */
#define MYALLOC_EMPTY_KEEP	2

/*
 * What a refill may do: a unit for each word of out bits that it passes, and some for each slab.
 * The last slab may go beyond it by its words.
 */
#define MYALLOC_SCAN_MOST	256

/**
 * struct myalloc_cache - see slab.c and object.c for the theory
 * @linear: copy of the zone's
 * @head_mask: clears, in an offset into the descriptors, what leads past the slab's first
 * @bytes_mask: bytes in a slab - 1
 * @reciprocal: of @layout
 * @state_offset: of @layout
 * @tag: what the tag of a frame must be to begin a slab of this cache
 * @nothing: constant 0, the state returned for an address that is no object
 * @level: 0, MYALLOC_CERTAIN or MYALLOC_TRUSTING
 * @map: copy of the zone's
 * @frame_mask: frames in a slab - 1
 * @layout: where things lie in a slab
 * @mags: magazines of free objects
 * @stock: of @mags, in the stocks of zone->objects
 * @flags: MYALLOC_CACHE_FLAGS_ALL in force
 * @limbo_tag: the tag of a slab of this cache that is on its way out
 * @zone: where slabs come from
 * @ctor: called for each slot of a new slab, or NULL
 * @lock: protects the members below
 * @list: first slab of each list, MYALLOC_NO_FRAME if empty
 * @nr: slabs in each list
 * @free_slots: slots of all slabs whose out bit is clear
 * @nr_limbo: slabs on their way out, in no list; see limbo.c
 * @generation: grows with every change
 * @allocs: objects handed out past the magazines
 * @frees: objects come back past the magazines
 * @refills: batches moved from slabs to magazines
 * @flushes: batches moved from magazines to slabs
 * @deferred: objects freed where @lock could not be had; counts objects
 * @fails: allocations that failed
 * @bad_frees: wrong frees refused
 * @corruptions: damage found
 * @id: number in the zone
 * @link: in zone->caches
 * @limbo_link: in zone->limbo.caches while slabs of it are in the open batch
 * @magazine: objects in a magazine that its maker asked for, 0 if he left it to us
 * @room: bytes of objects that its magazines may hold, part of zone->magazine_room
 * @meta: bytes of its magazines, part of zone->magazine_meta
 * @resized: that was set later: the worker leaves it
 * @hungry: its users often found nothing in its magazines: they may grow beyond the usual
 * @seen_slow: operations past the magazines when the worker was last here
 * @idle: runs of the worker since somebody used the cache
 * @seen: @generation and moves when the zone's worker was last here
 * @pin_mutex: held by who looks at the cache without a lock on the list; destroy waits for it
 * @name: unique in the zone
 *
 * The members up to @nothing are all that a free reads besides @mags, in one cache line.
 */
struct myalloc_cache {
	struct myalloc_linear linear;
	unsigned long head_mask;
	u32 bytes_mask;
	u32 reciprocal;
	u32 state_offset;
	u32 tag;
	u8 nothing;
	myalloc_cache_flags_t level;

	struct myalloc_magazines mags;
	struct myalloc_stock stock;
	struct myalloc_map map;
	u32 frame_mask;
	u32 limbo_tag;
	struct myalloc_slab_layout layout;
	myalloc_cache_flags_t flags;
	struct myalloc_zone *zone;
	void (*ctor)(void *object);

	raw_spinlock_t lock ____cacheline_aligned;
	u32 list[MYALLOC_SLAB_LISTS];
	u32 nr[MYALLOC_SLAB_LISTS];
	u64 free_slots;
	u32 nr_limbo;
	u64 generation;
	u64 allocs;
	u64 frees;
	u64 refills;
	u64 flushes;

	struct myalloc_deferred deferred ____cacheline_aligned;
	atomic64_t fails;
	atomic64_t bad_frees;
	atomic64_t corruptions;
	u32 id;
	struct list_head link;
	struct list_head limbo_link;
	u32 magazine;
	bool resized;
	bool hungry;
	u64 room;
	u64 meta;
	u64 seen_slow;
	u32 idle;
	u64 seen;
	struct mutex pin_mutex;
	char name[MYALLOC_CACHE_NAME];
};

/* The address of the slab that begins at a frame. */
static inline void *myalloc_slab_addr(const struct myalloc_cache *cache,
				      const struct myalloc_frame *frame)
{
	return myalloc_frame_addr(cache->zone, myalloc_frame_idx(cache->zone, frame));
}

/* Slabs that a cache has; exact under its lock. */
static inline u32 myalloc_cache_slabs(const struct myalloc_cache *cache)
{
	unsigned int list;
	u32 nr = 0;

	for (list = 0; list < MYALLOC_SLAB_LISTS; list++)
		nr += data_race(cache->nr[list]);	/* a sum of moments */
	return nr;
}

/**
 * myalloc_slab_states() - the states of the slots of a slab
 * @cache: its cache
 * @frame: its first frame
 * @slab: its address
 *
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
 * Return: words of one bit for each slot; written only under cache->lock.
 */
static __always_inline u64 *myalloc_slab_out(const struct myalloc_cache *cache,
					     struct myalloc_frame *frame, void *slab)
{
	return cache->layout.out_offset ? slab + cache->layout.out_offset :
					  (u64 *)(frame + cache->frame_mask + 1) - 1;
}

/* Words of out bits. */
static inline u32 myalloc_out_words(const struct myalloc_cache *cache)
{
	return DIV_ROUND_UP(cache->layout.objects, 64);
}

static inline bool myalloc_out_test(const u64 *out, u32 index)
{
	return out[index / 64] >> (index % 64) & 1;
}

/**
 * myalloc_frame_cache() - the cache that a slab belongs to
 * @zone: the zone
 * @frame: first frame of a block
 *
 * Context: preemption off: the cache may be destroyed, but is not freed meanwhile.
 * Return: NULL if the block is no slab.
 */
static inline struct myalloc_cache *myalloc_frame_cache(const struct myalloc_zone *zone,
							const struct myalloc_frame *frame)
{
	u8 type = READ_ONCE(frame->type);

	if ((type != MYALLOC_FRAME_SLAB && type != MYALLOC_FRAME_LIMBO) ||
	    frame->cache >= MYALLOC_CACHES_MAX)
		return NULL;
	return READ_ONCE(zone->cache_by_id[frame->cache]);
}

/**
 * struct myalloc_place - a slot, as found from an address
 * @frame: first frame of its slab
 * @slab: address of the slab
 * @state: of the slot
 * @index: number of the slot
 * @tag: of @frame when it was found; the rest means something only if it is one of the cache's
 */
struct myalloc_place {
	struct myalloc_frame *frame;
	void *slab;
	u8 *state;
	u32 index;
	u32 tag;
};

/**
 * myalloc_place_find() - the slot of an object
 * @cache: the cache that it is thought to belong to
 * @object: any address
 * @place: out
 *
 * A slab leaves only after a grace period, so what is found stays for as long as preemption is
 * off, or cache->lock held, from before this call.
 *
 * Return: true if a slot begins there and its slab has one of the cache's two tags.
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
 * myalloc_object_state() - the state of an object
 * @cache: the cache that it is thought to belong to
 * @object: any address
 *
 * Return: its state byte; NULL if it is not the beginning of a slot of a slab in use.
 */
static inline u8 *myalloc_object_state(const struct myalloc_cache *cache, const void *object)
{
	struct myalloc_place place;

	return myalloc_place_find(cache, object, &place) && place.tag == cache->tag ?
		place.state : NULL;
}

static inline void *myalloc_slab_object(const struct myalloc_cache *cache, void *slab,
					u32 index)
{
	return (char *)slab + index * cache->layout.slot_size + cache->layout.object_offset;
}

/**
 * myalloc_slab_locate() - the slot that contains an address
 * @cache: the cache
 * @addr: in a slab of it, also inside a slot
 * @slab: out: address of the slab
 *
 * Return: number of the slot, U32_MAX if it lies behind the last one.
 */
static inline u32 myalloc_slab_locate(const struct myalloc_cache *cache, const void *addr,
				      void **slab)
{
	u32 off = ((unsigned long)addr - cache->map.base) & cache->bytes_mask;
	u32 index = off / cache->layout.slot_size;

	*slab = (char *)addr - off;
	return index < cache->layout.objects ? index : U32_MAX;
}

/* The number of the first frame of the slab at an address. */
static inline u32 myalloc_slab_frame(const struct myalloc_cache *cache, const void *slab)
{
	return myalloc_frame_idx(cache->zone, myalloc_map_frame(&cache->map, slab));
}

#endif /* MYALLOC_CACHE_TYPES_H */
