// SPDX-License-Identifier: GPL-2.0
/*
 * Within: a walk over the memory in use within the contracts of a zone
 *
 * A contract must not end while it is looked at, and whoever ends one must not wait for a walk over
 * all of it. So the walk is made of parts of PART frames. Each of them finds the zone of the line
 * anew by its number, with preemption off, which keeps the zone from being freed (the end of a
 * contract waits for a grace period). If another contract has taken the number meanwhile, the walk
 * goes on in that one: what begins or ends meanwhile may or may not be visited.
 *
 * Trusting caches are drained first, as only that tells live objects from those in magazines. This
 * needs the mutex of the children, for one drain of one cache at a time.
 */
#include "env.h"
#include "client/contract.h"
#include "client/within.h"
#include "object/cache.h"

#define PART	64	/* frames */

/* Preemption off, or the mutex held. NULL if there is none, or it is under construction. */
static struct myalloc_zone *child_of(const struct myalloc_children *children, u32 id)
{
	/* Pairs with set_child() of client/contract.c. */
	struct myalloc_zone *child = smp_load_acquire(&children->zone[id]);

	return IS_ERR(child) ? NULL : child;
}

static void drain_trusting(struct myalloc_children *children, u32 id)
{
	struct myalloc_cache *cache;
	struct myalloc_zone *child;

	mutex_lock(&children->mutex);
	child = child_of(children, id);
	cache = child ? myalloc_contract_part_of(child->limit)->cache : NULL;
	if (cache && cache->level == MYALLOC_TRUSTING)
		myalloc_cache_drain(cache);
	mutex_unlock(&children->mutex);
}

/* Preemption off. */
static void walk_frames(struct myalloc_zone *child, u32 from, const struct myalloc_within *w)
{
	struct myalloc_cache *cache = myalloc_contract_part_of(child->limit)->cache;
	u32 to = from + min_t(u32, child->buddy.nr_frames - from, PART);

	if (cache && w->object)
		myalloc_cache_walk_part(cache, from, to, w->object, w->arg);
	else if (!cache && w->block)
		myalloc_zone_walk_part(child, from, to, w->block, w->arg);
}

/* Returns false behind the last frame. */
static bool walk_part(const struct myalloc_children *children, u32 id, u32 from,
		      const struct myalloc_within *w)
{
	struct myalloc_zone *child;
	bool more;

	preempt_disable();	/* keeps the child from being freed */
	child = child_of(children, id);
	more = child && from < child->buddy.nr_frames;
	if (more)
		walk_frames(child, from, w);
	preempt_enable();
	myalloc_env_point("within-part");
	return more;
}

/**
 * myalloc_within_walk() - visit the memory in use within the contracts of a zone
 * @zone: the zone that the contracts were made in
 * @within: what is called
 *
 * What is allocated or freed meanwhile may or may not be visited.
 *
 * Context: task, may sleep; not under the mutex of the children.
 */
void myalloc_within_walk(struct myalloc_zone *zone, const struct myalloc_within *within)
{
	struct myalloc_children *children;
	u32 id, from;

	/* Pairs with children_of() of client/contract.c. */
	children = smp_load_acquire(&zone->children);
	if (!children)
		return;
	for (id = 0; id < MYALLOC_CHILDREN_MAX; id++) {
		if (!READ_ONCE(children->zone[id]))
			continue;
		drain_trusting(children, id);
		for (from = 0; walk_part(children, id, from, within); from += PART)
			cond_resched();
	}
}

/**
 * myalloc_within_name() - the name of a line of a contract
 * @zone: the zone that the contract was made in
 * @id: number of the line, less than MYALLOC_CHILDREN_MAX
 * @name: out: NUL-terminated; "-" if it has ended
 * @size: bytes there
 *
 * Context: any.
 */
void myalloc_within_name(struct myalloc_zone *zone, u32 id, char *name, size_t size)
{
	struct myalloc_children *children = smp_load_acquire(&zone->children);	/* as above */
	const struct myalloc_zone *child;

	preempt_disable();	/* as above */
	child = children ? child_of(children, id) : NULL;
	strscpy(name, child ? child->name : "-", size);
	preempt_enable();
}
