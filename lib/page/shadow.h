/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What KASAN and ASan are told of pages: which memory nobody may touch
 *
 * A kernel with generic KASAN and a host program with ASan keep a shadow of memory (env.h). In it
 * are poisoned: the pages of a zone while they are free, also those in magazines; the objects of a
 * slab while they are free; and in each slot of a slab the bytes around the object, always. The
 * sanitizer itself then reports a use after free, and an access beyond an object into memory that
 * is not live. Without a sanitizer the environment's functions are empty, and the compiler drops
 * what follows.
 *
 * Order: a block or object is poisoned before anybody else can allocate it, and unpoisoned by the
 * allocation that returns it. A deferred free (deferred.c) keeps its link in the memory, so that
 * memory is poisoned when it is taken from the list. Blocks in quarantine (lend.c) are still used
 * by others and are not poisoned, nor is anything that a zone frees after it has abandoned such
 * blocks.
 *
 * The allocator touches poisoned memory by myalloc_env_raw_...() only: red zones, and the patterns
 * of free objects.
 *
 * Limits: an overflow from one object into the next is reported if a gap lies between them (the
 * size is no multiple of 8, or the cache has red zones) or if the next one is free. States, out
 * bits and owners behind the last slot of a slab are not poisoned. At the default and the trusting
 * level two frees of one object that overlap in time may leave the object poisoned for its next
 * user, whose accesses are then reported.
 */
#ifndef MYALLOC_PAGE_SHADOW_H
#define MYALLOC_PAGE_SHADOW_H

#include "zone_types.h"

/* @addr may be NULL. */
static __always_inline void myalloc_shadow_extent_alloc(const struct myalloc_zone *zone,
							const void *addr, u32 nr_pages)
{
	if (addr && !zone->simulated)
		myalloc_env_unpoison(addr, (size_t)nr_pages << PAGE_SHIFT);
}

static __always_inline void myalloc_shadow_extent_free(const struct myalloc_zone *zone,
						       const void *addr, u32 nr_pages)
{
	if (!zone->simulated && !zone->abandoned)
		myalloc_env_poison_as(addr, (size_t)nr_pages << PAGE_SHIFT,
				      MYALLOC_ENV_FREE_PAGE);
}

/* A block. @addr may be NULL; @order is then not looked at. */
static __always_inline void myalloc_shadow_pages_alloc(const struct myalloc_zone *zone,
						       const void *addr, unsigned int order)
{
	if (addr)
		myalloc_shadow_extent_alloc(zone, addr, BIT(order));
}

static __always_inline void myalloc_shadow_pages_free(const struct myalloc_zone *zone,
						      const void *addr, unsigned int order)
{
	myalloc_shadow_extent_free(zone, addr, BIT(order));
}

/* The block that begins at a frame; NULL is allowed. */
static __always_inline void myalloc_shadow_block_alloc(const struct myalloc_zone *zone,
						       const struct myalloc_frame *frame,
						       unsigned int order)
{
	if (frame)
		myalloc_shadow_pages_alloc(zone,
					   myalloc_frame_addr(zone, myalloc_frame_idx(zone, frame)),
					   order);
}

static __always_inline void myalloc_shadow_block_free(const struct myalloc_zone *zone,
						      const struct myalloc_frame *frame,
						      unsigned int order)
{
	myalloc_shadow_pages_free(zone,
				  myalloc_frame_addr(zone, myalloc_frame_idx(zone, frame)),
				  order);
}

/* All pages of a zone that begins. */
static inline void myalloc_shadow_zone_begin(const struct myalloc_zone *zone)
{
	u32 i;

	for (i = 0; i < zone->buddy.nr_frames; i++)
		myalloc_shadow_pages_free(zone, myalloc_frame_addr(zone, i), 0);
}

/* All pages of a zone that ends. */
static inline void myalloc_shadow_zone_end(const struct myalloc_zone *zone)
{
	u32 i;

	for (i = 0; i < zone->buddy.nr_frames; i++)
		myalloc_shadow_pages_alloc(zone, myalloc_frame_addr(zone, i), 0);
}

#endif /* MYALLOC_PAGE_SHADOW_H */
