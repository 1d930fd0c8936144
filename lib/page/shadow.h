/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sanitizer support for pages: memory that nobody may access is poisoned
 *
 * A kernel with generic KASAN and a host program with ASan keep a shadow of memory (env.h). The
 * allocator poisons in it: the pages of a zone while they are free, including those in magazines;
 * the objects of a slab while they are free; and in each slot of a slab the bytes around the
 * object, always. The sanitizer then reports a use after free, and an access beyond an object
 * into memory that is not allocated. Without a sanitizer the environment's functions are empty,
 * and the compiler removes the functions below.
 *
 * Order: a block or object is poisoned before anybody else can allocate it, and is unpoisoned by
 * the allocation that returns it. A deferred free (deferred.c) keeps its list node in the memory,
 * so that memory is poisoned when it is taken from the list. Blocks in quarantine (lend.c) are
 * still used by others and are not poisoned, nor is anything that a zone frees after it has
 * abandoned such blocks.
 *
 * The allocator accesses poisoned memory only by myalloc_env_raw_...(): red zones, and the
 * patterns of free objects.
 *
 * Limits: an overflow from one object into the next is reported if a gap lies between them (the
 * size is not a multiple of 8, or the cache has red zones) or if the next object is free. States,
 * out bits and owners behind the last slot of a slab are not poisoned. At the default and the
 * trusting level, two frees of one object that overlap in time may leave the object poisoned for
 * its next user, whose accesses are then reported.
 */
#ifndef MYALLOC_PAGE_SHADOW_H
#define MYALLOC_PAGE_SHADOW_H

#include "zone_types.h"

/**
 * myalloc_shadow_extent_alloc() - unpoison pages that were allocated
 * @zone: the zone
 * @addr: address of the first page; may be NULL
 * @nr_pages: number of pages
 *
 * Context: any.
 */
static __always_inline void myalloc_shadow_extent_alloc(const struct myalloc_zone *zone,
							const void *addr, u32 nr_pages)
{
	if (addr && !zone->simulated)
		myalloc_env_unpoison(addr, (size_t)nr_pages << PAGE_SHIFT);
}

/**
 * myalloc_shadow_extent_free() - poison pages that were freed
 * @zone: the zone
 * @addr: address of the first page
 * @nr_pages: number of pages
 *
 * Context: any.
 */
static __always_inline void myalloc_shadow_extent_free(const struct myalloc_zone *zone,
						       const void *addr, u32 nr_pages)
{
	if (!zone->simulated && !zone->abandoned)
		myalloc_env_poison_as(addr, (size_t)nr_pages << PAGE_SHIFT,
				      MYALLOC_ENV_FREE_PAGE);
}

/**
 * myalloc_shadow_pages_alloc() - unpoison a block that was allocated
 * @zone: the zone
 * @addr: address of the block; may be NULL
 * @order: log2 of pages; not used if @addr is NULL
 *
 * Context: any.
 */
static __always_inline void myalloc_shadow_pages_alloc(const struct myalloc_zone *zone,
						       const void *addr, unsigned int order)
{
	if (addr)
		myalloc_shadow_extent_alloc(zone, addr, BIT(order));
}

/**
 * myalloc_shadow_pages_free() - poison a block that was freed
 * @zone: the zone
 * @addr: address of the block
 * @order: log2 of pages
 *
 * Context: any.
 */
static __always_inline void myalloc_shadow_pages_free(const struct myalloc_zone *zone,
						      const void *addr, unsigned int order)
{
	myalloc_shadow_extent_free(zone, addr, BIT(order));
}

/**
 * myalloc_shadow_block_alloc() - unpoison the block that begins at a frame
 * @zone: the zone
 * @frame: the first frame; may be NULL
 * @order: log2 of pages; not used if @frame is NULL
 *
 * Context: any.
 */
static __always_inline void myalloc_shadow_block_alloc(const struct myalloc_zone *zone,
						       const struct myalloc_frame *frame,
						       unsigned int order)
{
	if (frame)
		myalloc_shadow_pages_alloc(zone,
					   myalloc_frame_addr(zone, myalloc_frame_idx(zone, frame)),
					   order);
}

/**
 * myalloc_shadow_block_free() - poison the block that begins at a frame
 * @zone: the zone
 * @frame: the first frame
 * @order: log2 of pages
 *
 * Context: any.
 */
static __always_inline void myalloc_shadow_block_free(const struct myalloc_zone *zone,
						      const struct myalloc_frame *frame,
						      unsigned int order)
{
	myalloc_shadow_pages_free(zone,
				  myalloc_frame_addr(zone, myalloc_frame_idx(zone, frame)),
				  order);
}

/**
 * myalloc_shadow_zone_begin() - poison all pages of a new zone
 * @zone: the zone
 *
 * Context: any.
 */
static inline void myalloc_shadow_zone_begin(const struct myalloc_zone *zone)
{
	u32 i;

	for (i = 0; i < zone->buddy.nr_frames; i++)
		if (zone->chunks[i >> zone->chunk_order])
			myalloc_shadow_pages_free(zone, myalloc_frame_addr(zone, i), 0);
}

/**
 * myalloc_shadow_zone_end() - unpoison all pages of a zone that is being destroyed
 * @zone: the zone
 *
 * Context: any.
 */
static inline void myalloc_shadow_zone_end(const struct myalloc_zone *zone)
{
	u32 i;

	for (i = 0; i < zone->buddy.nr_frames; i++)
		if (zone->chunks[i >> zone->chunk_order])
			myalloc_shadow_pages_alloc(zone, myalloc_frame_addr(zone, i), 0);
}

#endif /* MYALLOC_PAGE_SHADOW_H */
