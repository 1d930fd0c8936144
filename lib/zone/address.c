// SPDX-License-Identifier: GPL-2.0
/*
 * Free and size by address alone, for blocks of pages, extents and objects, and for those in the
 * zone of a contract, which is found by the tag of the block that is its chunk. That zone has no
 * children itself.
 */
#include "env.h"
#include "object/object.h"
#include "page/extent.h"
#include "page/pages.h"
#include "zone/zone.h"

/* Find the block or slab that contains @addr; NULL if none that is in use does. */
static struct myalloc_frame *find(struct myalloc_zone *zone, const void *addr,
				  struct myalloc_cache **cache)
{
	struct myalloc_block block;

	*cache = NULL;
	if (!myalloc_zone_block(zone, addr, &block))
		return NULL;
	*cache = myalloc_frame_cache(zone, &zone->frames[block.idx]);
	return &zone->frames[block.idx];
}

/* The owner for whom an extent is freed by its address; 0, which is refused, for fronts' own. */
static u32 owner_of(const struct myalloc_frame *first)
{
	u32 owner = myalloc_frame_owner(first);

	return owner < MYALLOC_OWNERS_KINDS ? owner : 0;
}

/**
 * myalloc_free_for() - free a block, an extent or an object on behalf of other code
 * @zone: the zone
 * @addr: as for myalloc_free()
 * @caller: code address of the user, which a report and the trace event name
 *
 * Context: any.
 * Return: as myalloc_free().
 */
int myalloc_free_for(struct myalloc_zone *zone, void *addr, unsigned long caller)
{
	struct myalloc_cache *cache;
	struct myalloc_frame *frame, first = { .tag = 0 };
	int err;

	preempt_disable();	/* keeps the cache from being freed */
	frame = find(zone, addr, &cache);
	if (frame)
		first.tag = READ_ONCE(frame->tag);
	if (cache)
		err = unlikely(myalloc_env_trace_on(cache_free)) ?
			myalloc_cache_free_traced(cache, addr, caller) :
			myalloc_cache_free_for(cache, addr, caller);
	else if (first.type == MYALLOC_FRAME_EXTENT)
		err = myalloc_extent_free(zone, addr, myalloc_frame_pages(&first),
					  owner_of(&first), caller);
	else if (unlikely(myalloc_zone_child(zone, &first)))
		err = myalloc_free_for(myalloc_zone_child(zone, &first), addr, caller);
	else
		err = myalloc_pages_free_for(zone, addr, first.order, caller);
	preempt_enable();
	return err;
}

/**
 * myalloc_free() - free a block of pages, an extent or an object
 * @zone: the zone
 * @addr: its address; any value is safe
 *
 * Context: any.
 * Return: 0; -EINVAL if nothing allocated begins at @addr. The wrong free is reported and counted,
 * and changes nothing.
 */
int myalloc_free(struct myalloc_zone *zone, void *addr)
{
	return myalloc_free_for(zone, addr, _RET_IP_);
}

/**
 * myalloc_usable_size() - usable bytes at an address
 * @zone: the zone
 * @addr: address of a block of pages, an extent or an object; any value is safe
 *
 * Context: any.
 * Return: bytes; 0 if nothing allocated begins at @addr.
 */
unsigned long myalloc_usable_size(struct myalloc_zone *zone, const void *addr)
{
	struct myalloc_cache *cache;
	struct myalloc_frame *frame, first = { .tag = 0 };
	unsigned long size = 0;
	const u8 *state;

	preempt_disable();	/* as above */
	frame = find(zone, addr, &cache);
	if (cache) {
		state = myalloc_object_state(cache, addr);
		if (state && READ_ONCE(*state) == myalloc_user_state(cache))
			size = cache->layout.object_size;
	} else if (frame && unlikely(myalloc_zone_child(zone, frame))) {
		size = myalloc_usable_size(myalloc_zone_child(zone, frame), addr);
	} else if (frame && myalloc_frame_addr(zone, myalloc_frame_idx(zone, frame)) == addr) {
		first.tag = READ_ONCE(frame->tag);
	}
	if (first.type == MYALLOC_FRAME_PAGE || first.type == MYALLOC_FRAME_LENT ||
	    (first.type == MYALLOC_FRAME_EXTENT &&
	     owner_of(&first) == myalloc_frame_owner(&first)))
		size = (unsigned long)myalloc_frame_pages(&first) << PAGE_SHIFT;
	preempt_enable();
	return size;
}

/**
 * myalloc_zone_child_at() - the zone of a contract that an address belongs to
 * @zone: the parent zone
 * @addr: any value
 *
 * Context: preemption off, or no contract ends meanwhile.
 * Return: the child; NULL if no contract has a chunk there.
 */
struct myalloc_zone *myalloc_zone_child_at(struct myalloc_zone *zone, const void *addr)
{
	struct myalloc_cache *cache;
	struct myalloc_frame *frame = find(zone, addr, &cache);

	return frame ? myalloc_zone_child(zone, frame) : NULL;
}
