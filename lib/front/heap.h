/* SPDX-License-Identifier: GPL-2.0 */
/* A heap as a structure, for those who check it. Users include myalloc.h. */
#ifndef MYALLOC_HEAP_H
#define MYALLOC_HEAP_H

#include "object/cache_types.h"
#include "zone_types.h"

/* Classes, counted from 1: eight up to 64 bytes, four for each of the nine doublings above. */
#define MYALLOC_HEAP_CLASSES	44U

/* Sizes up to this one find their cache in a table, by multiples of 8 bytes. */
#define MYALLOC_HEAP_SMALL	1024U

/*
 * Places for the heap's caches, by their numbers modulo this: a power of two, more than twice as
 * many as classes, so that numbers with some gaps have a place each.
 */
#define MYALLOC_HEAP_IDS	128U

/**
 * struct myalloc_heap - see heap.c for the theory
 * @base: address of the zone's linear range
 * @bytes: of it that have frames
 * @first: index of its first frame
 * @head: where blocks begin, a bit for each frame; of the zone's buddy
 * @frames: descriptors from @base on
 * @max_small: sizes up to this one are in @small
 * @max_object: bytes of an object of the last class
 * @cache: of each class; [0] is NULL, as those behind the last class
 * @front: its zone and name
 * @max_pages: pages of the largest block
 * @nr_classes: how many it has
 * @owner: number of its extents
 * @small: the cache of each size, rounded up and divided by 8; that of 0 is that of 1
 * @extent_requests: requests for an extent
 * @extent_fails: those that failed
 * @at: the cache with a number, at that number modulo MYALLOC_HEAP_IDS; see K1
 *
 * The members up to @frames are all that a free reads of it besides one of @at. Only the two counts
 * change once the heap is made.
 */
struct myalloc_heap {
	unsigned long base;
	unsigned long bytes;
	u32 first;
	const u64 *head;
	struct myalloc_frame *frames;
	size_t max_small;
	size_t max_object;
	struct myalloc_cache *cache[MYALLOC_HEAP_CLASSES + 1];
	struct myalloc_front front;
	u32 max_pages;
	u32 nr_classes;
	u32 owner;
	struct myalloc_cache *small[MYALLOC_HEAP_SMALL / 8 + 1];
	atomic64_t extent_requests;
	atomic64_t extent_fails;
	struct myalloc_cache *at[MYALLOC_HEAP_IDS];
};

/* Statistics of a heap. The members are documented in uapi/stat_fields.h, by the same names. */
struct myalloc_heap_stats {
	u64 id;
	u32 classes;
	u32 max_object;
	u64 live_objects;
	u64 live_extents;
	u64 object_bytes;
	u64 extent_bytes;
	u64 slack_bytes;
	u64 held_bytes;
	u64 cached_bytes;
	u64 waste_bytes;
	u64 meta_bytes;
	u64 allocs;
	u64 frees;
	u64 fails;
	u64 alloc_hits;
	u64 free_hits;
	u64 bad_frees;
	u64 corruptions;
};

/* For walks over the fronts of a zone. */
extern const struct myalloc_front_kind myalloc_heap_kind;

/**
 * myalloc_heap_of() - the heap that a front is part of
 * @front: the front, of the kind myalloc_heap_kind
 *
 * Context: any.
 * Return: the heap.
 */
static inline struct myalloc_heap *myalloc_heap_of(struct myalloc_front *front)
{
	return container_of(front, struct myalloc_heap, front);
}

void myalloc_heap_stats(struct myalloc_heap *heap, struct myalloc_heap_stats *stats);

/**
 * myalloc_heap_class() - the smallest size class for a size
 * @size: bytes, at most MYALLOC_MAX_OBJECT
 *
 * See heap.c for the classes.
 *
 * Context: any.
 * Return: the class, from 1 on.
 */
static __always_inline u32 myalloc_heap_class(size_t size)
{
	u32 last = size ? size - 1 : 0;
	u32 top = fls(last | 32) - 1;

	return 4 * top - 19 + (last >> (top - 2));
}

/**
 * myalloc_heap_class_size() - the size of the objects of a class
 * @class: the class
 *
 * Context: any.
 * Return: bytes.
 */
static inline u32 myalloc_heap_class_size(u32 class)
{
	return class <= 8 ? class * 8 : (5 + (class - 9) % 4) << ((class - 9) / 4 + 4);
}

/**
 * myalloc_heap_has() - does a cache belong to a heap?
 * @heap: the heap
 * @cache: a cache of the same zone
 *
 * Context: any; the caller keeps @cache from being freed.
 * Return: true if it does.
 */
static inline bool myalloc_heap_has(const struct myalloc_heap *heap,
				    const struct myalloc_cache *cache)
{
	return heap->cache[myalloc_heap_class(cache->layout.object_size)] == cache;
}

#endif /* MYALLOC_HEAP_H */
