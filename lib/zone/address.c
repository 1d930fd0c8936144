// SPDX-License-Identifier: GPL-2.0
/*
 * Free and size by address alone, for blocks of pages, extents and objects, and for those in the
 * zone of a contract, which is found by the tag of the block that is its chunk. That zone has no
 * children itself.
 */
#include "env.h"
#include "object/spare.h"
#include "page/extent.h"
#include "page/pages.h"
#include "zone/zone.h"

/* The owner for whom an extent is freed by its address; 0, which is refused, for fronts' own. */
static u32 owner_of(const struct myalloc_frame *first)
{
	u32 owner = myalloc_frame_owner(first);

	return owner < MYALLOC_OWNERS_KINDS ? owner : 0;
}

/* Is this the first tag of a block or an extent that is freed by its address? */
static bool is_for_users(const struct myalloc_frame *first)
{
	return first->type == MYALLOC_FRAME_PAGE || first->type == MYALLOC_FRAME_LENT ||
	       (first->type == MYALLOC_FRAME_EXTENT &&
		owner_of(first) == myalloc_frame_owner(first));
}

/*
 * Preemption off. Free a block of pages whose first tag is @first, or one of the zone of a contract
 * that has it as a chunk.
 */
static int free_block(struct myalloc_zone *zone, void *addr, const struct myalloc_frame *first,
		      unsigned long caller)
{
	struct myalloc_zone *child = myalloc_zone_child(zone, first);	/* once: it may end */

	if (unlikely(child))
		return myalloc_free_for(child, addr, caller);
	return myalloc_pages_free_for(zone, addr, first->order, caller);
}

static int free_object(struct myalloc_cache *cache, void *object, unsigned long caller)
{
	struct myalloc_spares *spares = READ_ONCE(cache->spares);

	if (unlikely(myalloc_env_trace_on(cache_free)))
		myalloc_cache_trace_free(cache, object, caller);
	return spares ? myalloc_spares_free(spares, cache, object, caller) :
			myalloc_cache_free_for(cache, object, caller);
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
	struct myalloc_lookup at;
	int err;

	preempt_disable();	/* keeps the cache, and the zone of a contract, from being freed */
	myalloc_lookup(zone, addr, &at);
	if (at.cache)
		err = free_object(at.cache, addr, caller);
	else if (at.first.type == MYALLOC_FRAME_EXTENT)
		err = myalloc_extent_free(zone, addr, myalloc_frame_pages(&at.first),
					  owner_of(&at.first), caller);
	else
		err = free_block(zone, addr, &at.first, caller);
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
	struct myalloc_lookup at;
	struct myalloc_zone *child;
	unsigned long size = 0;
	const u8 *state;

	preempt_disable();	/* as above */
	myalloc_lookup(zone, addr, &at);
	child = myalloc_zone_child(zone, &at.first);
	if (at.cache) {
		state = myalloc_object_state(at.cache, addr);
		if (state && READ_ONCE(*state) == myalloc_user_state(at.cache))
			size = at.cache->layout.object_size;
	} else if (unlikely(child)) {
		size = myalloc_usable_size(child, addr);
	} else if (is_for_users(&at.first) && myalloc_lookup_begins(zone, &at, addr)) {
		size = (unsigned long)myalloc_frame_pages(&at.first) << PAGE_SHIFT;
	}
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
	struct myalloc_lookup at;

	return myalloc_lookup(zone, addr, &at) ? myalloc_zone_child(zone, &at.first) : NULL;
}
