// SPDX-License-Identifier: GPL-2.0
/*
 * Deferred frees
 *
 * What it is: a list of things that were freed where their owner's lock could not be taken: in
 * NMI context it is only tried. The free links the thing, by a node inside it, into a lock-free
 * list and is done; later holders of the lock free a few things of the list each. Zones defer
 * blocks, caches objects.
 *
 * Terms
 *	thing	what is deferred. It has a state byte outside its memory, and a node inside.
 *	owner	a zone or a cache: it has the lock, and says how a thing is found and freed
 *	place	where a recovery looks for things: a frame of the zone, with the block or slab
 *		that begins there
 *	cut off	DEFERRED, but no longer reached from the list
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
 * A thing is DEFERRING until it is in the list and the CPU that defers it has written its state
 * for the last time. The reaper leaves it in the list until then: freed at once, it could be
 * allocated and freed again before the first CPU stores DEFERRED.
 *
 * Damage. The node is the only write to free memory, so a write after free may hit it. Each
 * step of the reaper checks that a DEFERRED thing has its node at this address before it reads
 * the node. If not, it reports the damage and drops the chain: the things behind are cut off.
 * A damaged link that reads as the end of the list cuts things off unnoticed. Either way nr
 * still counts them.
 *
 * Recovery. A drain frees the list; if nr is not 0 then, a recovery looks at the states of all
 * things of the owner:
 *	1. MARKING: what is DEFERRED becomes RECOVERING.
 *	2. The list and the chain are emptied, in one hold of the lock.
 *	3. FREEING: what is RECOVERING is freed.
 * Each hold of the lock takes at most MYALLOC_RECOVERY_MOST units; it is let go in between, and
 * all members that say how far the recovery is are protected by it, so several drains continue
 * the same recovery. Why that is safe:
 *	- What is RECOVERING when the list is emptied was linked before it was marked, so it is
 *	  in the list that is thrown away or was cut off before, never in the new list. Step 3
 *	  therefore frees nothing that is still linked. This is why marking ends before the
 *	  list is emptied, and why step 3 does not free what is DEFERRED.
 *	- Between steps of MARKING others reap. What is RECOVERING may still be in the list
 *	  then; the reaper frees it as if it were DEFERRED. It is freed once, because it leaves
 *	  the list and the state RECOVERING under the same hold of the lock.
 *	- After MARKING nothing RECOVERING is linked: if the reaper finds such a thing, the link
 *	  is damaged.
 *	- What becomes DEFERRED behind the place that MARKING has reached, and what is DEFERRING
 *	  when the list is emptied, may be thrown away with the list unmarked: it is cut off, nr
 *	  counts it, and the next recovery finds it.
 *	- What was cut off when a recovery began is DEFERRED until it is marked, since nobody
 *	  else reaches it. A recovery that others have begun may have passed it already, so a
 *	  drain that finds one under way completes that one and another one.
 * See models/defer.pml, which has the same steps.
 *
 * Things that are lost. Where two frees of one thing at the same moment are not told apart
 * (object.c, Levels), the other free may write over the state of a thing that is deferred. The
 * thing is that free's then; here only nr counts it still. So MARKING counts what it finds, and what
 * was reaped before it came there; what is missing at its end, nr loses. What is deferred
 * meanwhile can only make that too small, and then the next recovery goes on.
 *
 * Invariants
 *	D1  nr = the sum of what the things count that are DEFERRING, DEFERRED or RECOVERING.
 *	D2  A thing in the list or the chain is in one of these states and is there once.
 *	D3  RECOVERING exists only while a recovery is under way.
 *
 * Limits: a damaged link that leads to the node of another DEFERRED thing is not noticed there,
 * but later, when that thing is met again and is not DEFERRED any more. Two frees of one thing
 * at the same time must be told apart before myalloc_defer_begin().
 *
 * Bounds: myalloc_defer_begin() and _end() add to a lock-free list; a reap frees at most @most
 * things; one hold of the lock in a drain frees at most DRAIN_MOST things of the list, or takes
 * MYALLOC_RECOVERY_MOST units of a recovery, the last of which may be the freeing of a thing.
 */
#include "env.h"
#include "base/deferred.h"

/* What a drain frees in one hold of the lock. */
#define DRAIN_MOST	64

/**
 * myalloc_deferred_init() - prepare an empty list
 * @d: the list
 * @places: places that a recovery looks at
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
 * @ops: of the owner
 * @state: state byte of the thing, which the caller owns
 * @count: what the thing counts in d->nr
 *
 * The caller has what else it counts under way, then calls myalloc_defer_end().
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
 * @ops: of the owner
 * @state: state byte of the thing, after myalloc_defer_begin()
 * @node: inside the thing; NULL if it has no memory: then only a recovery finds it
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

/* May what is linked be freed? */
static bool may_free(const struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
		     u8 state)
{
	return state == ops->deferred ||
	       (state == ops->recovering && d->recovery == MYALLOC_RECOVERY_MARKING);
}

/* As myalloc_deferred_reap(). */
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
			d->missing--;	/* not marked, and never will be */
		atomic64_sub(ops->give(owner, node, state), &d->nr);
	}
}

/* Lock held. Looks at one thing; returns the units of that. */
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

/* Lock held. A bounded part of a recovery. */
static void recover_some(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
			 void *owner)
{
	u32 units = 0;
	bool freed;

	if (d->recovery == MYALLOC_RECOVERY_NONE) {
		d->recovery = MYALLOC_RECOVERY_MARKING;
		d->missing = atomic64_read_acquire(&d->nr);	/* pairs with defer_begin() */
	}
	while (units < MYALLOC_RECOVERY_MOST && d->place < d->places) {
		u8 *state;
		u32 nr = ops->states(owner, d->place, &state);

		units += d->at < nr ? look(d, ops, owner, state + d->at) : 1;
		if (++d->at >= nr) {
			d->at = 0;
			d->place++;
		}
	}
	freed = d->recovery == MYALLOC_RECOVERY_FREEING && d->place == d->places;
	if (freed || !atomic64_read(&d->nr)) {	/* then nothing is marked any more (D1) */
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
 * myalloc_deferred_drain() - free everything deferred
 * @d: the list
 * @ops: how
 * @owner: argument of @ops
 * @lock: protects @d; not held
 *
 * What others defer meanwhile may stay, and what they have not come to an end with.
 *
 * Context: task, may sleep.
 */
void myalloc_deferred_drain(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
			    void *owner, raw_spinlock_t *lock)
{
	unsigned long irq;
	u32 end;

	raw_spin_lock_irqsave(lock, irq);
	while (!myalloc_deferred_empty(d)) {
		s64 nr = atomic64_read(&d->nr);

		__myalloc_deferred_reap(d, ops, owner, DRAIN_MOST);
		if (unlikely(nr == atomic64_read(&d->nr)))
			break;	/* the first one is DEFERRING, or damaged */
		raw_spin_unlock_irqrestore(lock, irq);
		myalloc_env_step("deferred-between");
		cond_resched();
		raw_spin_lock_irqsave(lock, irq);
	}
	/* One that is under way may have passed what was cut off since. */
	end = d->rounds + 1 + (d->recovery != MYALLOC_RECOVERY_NONE);
	while (unlikely(atomic64_read(&d->nr) || d->recovery) && (s32)(end - d->rounds) > 0) {
		recover_some(d, ops, owner);
		raw_spin_unlock_irqrestore(lock, irq);
		myalloc_env_step("deferred-between");
		cond_resched();
		raw_spin_lock_irqsave(lock, irq);
	}
	raw_spin_unlock_irqrestore(lock, irq);
}
