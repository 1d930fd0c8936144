// SPDX-License-Identifier: GPL-2.0
/*
 * Deferred frees
 *
 * A list of things that were freed while the owner's lock could not be taken; in NMI context the
 * lock is only tried. The free adds the thing to a lock-free list, using a node inside the
 * thing's memory, and returns. Later holders of the lock free a few things from the list each.
 * Zones defer blocks, caches defer objects.
 *
 * Terms
 *	thing	a block or an object. It has a state byte outside its memory and a list node
 *		inside.
 *	owner	a zone or a cache. It has the lock, and provides the functions that find and free
 *		a thing.
 *	place	the unit in which a recovery looks for things: a frame of the zone, with the block
 *		or slab that begins there
 *	cut off	DEFERRED, but no longer reachable from the list
 *
 * Structures
 *
 *	free without the lock --> list --> chain --> freed	(lock held from here on)
 *	                            \        \
 *	               damaged link: cut off things --> found by a recovery --> freed
 *
 * States
 *
 *	in use --> DEFERRING --> DEFERRED --> free
 *	                            \--> RECOVERING --> free
 *
 * A thing stays DEFERRING until it is in the list and the deferring CPU has written its state for
 * the last time. The reaper stops at a DEFERRING thing and leaves it in the list: it could be
 * freed, allocated and freed again before the first CPU stores DEFERRED.
 *
 * Damage. The list node is the only data that is written to free memory, so a write after free
 * may hit it. Before the reaper reads a node, it checks that a DEFERRED thing has its node at
 * this address. If none has, the reaper reports the damage and drops the chain, which cuts off
 * the things behind it. A damaged link that reads as the end of the list cuts off things
 * unnoticed. In both cases nr still counts them.
 *
 * Recovery. A drain frees the list. If nr is not 0 afterwards, a recovery examines the states of
 * all things of the owner:
 *	1. MARKING: each DEFERRED thing becomes RECOVERING.
 *	2. The list and the chain are emptied under one hold of the lock.
 *	3. FREEING: each RECOVERING thing is freed.
 * One hold of the lock takes a number of units (Bounds); the lock is dropped in between.
 * All members that record the progress of the recovery are protected by the lock, so several
 * drains can continue the same recovery. This is safe because:
 *	- A thing that is RECOVERING when the list is emptied was linked before it was marked. So
 *	  it is in the list that is thrown away, or was cut off earlier, but never in the new
 *	  list. Step 3 therefore frees nothing that is still linked. This is why marking ends
 *	  before the list is emptied, and why step 3 does not free DEFERRED things.
 *	- Between two steps of MARKING the list may be reaped. A RECOVERING thing may still be in
 *	  the list then, and the reaper frees it as if it were DEFERRED. It is freed once, because
 *	  it leaves the list and the state RECOVERING under the same hold of the lock.
 *	- After MARKING no RECOVERING thing is linked. If the reaper finds one, the link is
 *	  damaged.
 *	- A thing that becomes DEFERRED behind the place that MARKING has reached, or that is
 *	  DEFERRING when the list is emptied, may be thrown away with the list without having been
 *	  marked. It is cut off, nr counts it, and the next recovery finds it.
 *	- A thing that was cut off before a recovery began stays DEFERRED until it is marked,
 *	  because nothing else reaches it. A recovery that is already under way may have passed
 *	  its place, so a drain that finds a recovery under way completes it and then runs another
 *	  one.
 * See models/defer.pml, which has the same steps.
 *
 * Lost things. Where two concurrent frees of one object are not told apart (object.c, Levels),
 * the other free may overwrite the state of a deferred thing. The thing then belongs to that
 * free, but nr still counts it. So MARKING counts the things it finds and the things that were
 * reaped before it reached them, and at its end the number of missing things is subtracted from
 * nr. Things that are deferred meanwhile can only make this number too small; the next recovery
 * corrects the rest.
 *
 * Invariants
 *	D1  nr = the sum of the counts of all things that are DEFERRING, DEFERRED or RECOVERING.
 *	D2  Each thing in the list or the chain is in one of these states and is there once.
 *	D3  RECOVERING exists only while a recovery is under way.
 *
 * Limits: a damaged link that leads to the node of another DEFERRED thing is not noticed at once,
 * but only when that thing is reached again and is no longer DEFERRED. Two concurrent frees of
 * one thing must be told apart before myalloc_defer_begin().
 *
 * Bounds: myalloc_defer_begin() and myalloc_defer_end() add to a lock-free list. A reap frees at
 * most @most things. One hold of the lock in a drain frees at most @most things from the list, or
 * takes as many units of a recovery as the freeing of @most things does, and no more than
 * MYALLOC_RECOVERY_MOST, the last of which may be the freeing of a thing. So a recovery frees at
 * most @most things as well.
 */
#include "env.h"
#include "base/deferred.h"

/**
 * myalloc_deferred_init() - initialise an empty list
 * @d: the list
 * @places: number of places that a recovery examines
 *
 * Context: any.
 */
void myalloc_deferred_init(struct myalloc_deferred *d, u32 places)
{
	memset(d, 0, sizeof(*d));
	init_llist_head(&d->list);
	d->places = places;
}

/**
 * myalloc_defer_begin() - begin to defer a free
 * @d: the list
 * @ops: operations of the owner
 * @state: state byte of the thing; the caller owns it
 * @count: the number by which the thing raises d->nr, in units of the owner
 *
 * The caller then updates its own counters and calls myalloc_defer_end().
 *
 * Context: any.
 */
void myalloc_defer_begin(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
			 u8 *state, u32 count)
{
	WRITE_ONCE(*state, ops->deferring);
	atomic64_fetch_add_release(count, &d->nr);	/* pairs with recover_some() */
}

/**
 * myalloc_defer_end() - leave a thing to later holders of the lock
 * @d: the list
 * @ops: operations of the owner
 * @state: state byte of the thing, after myalloc_defer_begin()
 * @node: list node inside the thing; NULL if the thing has no memory, then only a recovery finds
 *	it
 *
 * Context: any.
 */
void myalloc_defer_end(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
		       u8 *state, struct llist_node *node)
{
	if (node)
		llist_add(node, &d->list);
	myalloc_env_point("deferred-linked");
	smp_store_release(state, ops->deferred);	/* pairs with reap and recovery */
}

/* May a thing in this state, found in the list, be freed? */
static bool may_free(const struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
		     u8 state)
{
	return state == ops->deferred ||
	       (state == ops->recovering && d->recovery == MYALLOC_RECOVERY_MARKING);
}

/**
 * __myalloc_deferred_reap() - the slow part of myalloc_deferred_reap()
 * @d: the list, not empty; its lock is held
 * @ops: operations of the owner
 * @owner: argument of @ops
 * @most: number of things to free at most
 *
 * Context: any, interrupts off.
 */
void __myalloc_deferred_reap(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
			     void *owner, unsigned int most)
{
	for (; most; most--) {
		struct llist_node *node;
		u8 *state, found = 0;

		if (!d->chain)
			d->chain = llist_del_all(&d->list);
		node = d->chain;
		if (!node)
			return;
		myalloc_env_step("deferred-reap");
		state = ops->find(owner, node);
		if (likely(state))
			found = smp_load_acquire(state);	/* pairs with defer_end() */
		if (unlikely(found == ops->deferring))
			return;
		if (unlikely(!may_free(d, ops, found))) {
			ops->damaged(owner);
			d->chain = NULL;
			return;
		}
		d->chain = READ_ONCE(node->next);
		if (unlikely(d->recovery == MYALLOC_RECOVERY_MARKING && found == ops->deferred))
			d->missing--;	/* not marked and never will be */
		atomic64_sub(ops->give(owner, node, state), &d->nr);
	}
}

/* Lock held. Examines one thing; returns the units used. */
static u32 look(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops, void *owner,
		u8 *state)
{
	u8 found = smp_load_acquire(state);	/* pairs with defer_end() */

	if (d->recovery == MYALLOC_RECOVERY_MARKING) {
		if (found == ops->deferred)
			WRITE_ONCE(*state, ops->recovering);
		d->missing -= found == ops->deferred || found == ops->deferring;
		return 1;
	}
	if (found != ops->recovering)
		return 1;
	atomic64_sub(ops->give(owner, ops->node(owner, d->place, d->at), state), &d->nr);
	return MYALLOC_RECOVERY_GIVE;
}

/* Lock held. Does a bounded part of a recovery: at most as much as freeing @most things. */
static void recover_some(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
			 void *owner, u32 most)
{
	u32 units = 0, end = min_t(u32, MYALLOC_RECOVERY_MOST, most * MYALLOC_RECOVERY_GIVE);
	bool freed;

	if (d->recovery == MYALLOC_RECOVERY_NONE) {
		d->recovery = MYALLOC_RECOVERY_MARKING;
		d->missing = atomic64_read_acquire(&d->nr);	/* pairs with defer_begin() */
	}
	while (units < end && d->place < d->places) {
		u8 *state;
		u32 nr = ops->states(owner, d->place, &state);

		units += d->at < nr ? look(d, ops, owner, state + d->at) : 1;
		if (++d->at >= nr) {
			d->at = 0;
			d->place++;
		}
	}
	freed = d->recovery == MYALLOC_RECOVERY_FREEING && d->place == d->places;
	if (freed || !atomic64_read(&d->nr)) {	/* then nothing is marked (D1) */
		d->recovery = MYALLOC_RECOVERY_NONE;
		d->place = 0;
		d->at = 0;
		d->rounds++;
		return;
	}
	if (d->place < d->places)
		return;
	d->place = 0;
	if (unlikely(ops->may_lose && d->missing > 0))
		atomic64_sub(d->missing, &d->nr);
	myalloc_env_step("deferred-marked");
	d->chain = NULL;
	llist_del_all(&d->list);
	d->recovery = MYALLOC_RECOVERY_FREEING;
	myalloc_env_step("deferred-emptied");
}

/**
 * myalloc_deferred_drain() - free everything in the list and everything cut off
 * @d: the list
 * @ops: operations of the owner
 * @owner: argument of @ops
 * @lock: the lock that protects @d; not held by the caller
 * @most: number of things to free at most under one hold of the lock, at least 1
 *
 * Things that are deferred meanwhile, or are still DEFERRING, may remain.
 *
 * Context: task, may sleep.
 */
void myalloc_deferred_drain(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
			    void *owner, raw_spinlock_t *lock, u32 most)
{
	unsigned long irq;
	u32 end;

	raw_spin_lock_irqsave(lock, irq);
	while (!myalloc_deferred_empty(d)) {
		s64 nr = atomic64_read(&d->nr);

		__myalloc_deferred_reap(d, ops, owner, most);
		if (unlikely(nr == atomic64_read(&d->nr)))
			break;	/* the first thing is DEFERRING or damaged */
		raw_spin_unlock_irqrestore(lock, irq);
		myalloc_env_step("deferred-between");
		cond_resched();
		raw_spin_lock_irqsave(lock, irq);
	}
	/* A recovery already under way may have passed things that were cut off since. */
	end = d->rounds + 1 + (d->recovery != MYALLOC_RECOVERY_NONE);
	while (unlikely(atomic64_read(&d->nr) || d->recovery) && (s32)(end - d->rounds) > 0) {
		recover_some(d, ops, owner, most);
		raw_spin_unlock_irqrestore(lock, irq);
		myalloc_env_step("deferred-between");
		cond_resched();
		raw_spin_lock_irqsave(lock, irq);
	}
	raw_spin_unlock_irqrestore(lock, irq);
}
