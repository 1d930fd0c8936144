/* SPDX-License-Identifier: GPL-2.0 */
/* Deferred frees: things freed while the owner's lock could not be taken. See deferred.c. */
#ifndef MYALLOC_DEFERRED_H
#define MYALLOC_DEFERRED_H

/**
 * struct myalloc_deferred_ops - states and functions of an owner of deferred things
 * @deferring: state: the free has begun, the thing may not be in the list yet
 * @deferred: state: in the list, or cut off by a damaged link
 * @recovering: state: marked by a recovery
 * @find: returns the state byte of the thing whose node is at this address, or NULL if no node
 *	can be there. The address may have any value.
 * @give: frees a thing; returns its count in &myalloc_deferred.nr
 * @states: returns the number of things at a place, and in @state the state byte of the first;
 *	those of the others follow it
 * @node: returns the address of the node of a thing, given its place and number
 * @damaged: reports a damaged link
 * @may_lose: a concurrent second free may overwrite the state of a deferred thing; each thing
 *	then counts 1
 *
 * All functions are called with the lock held.
 */
struct myalloc_deferred_ops {
	u8 deferring;
	u8 deferred;
	u8 recovering;
	u8 *(*find)(void *owner, struct llist_node *node);
	u32 (*give)(void *owner, struct llist_node *node, u8 *state);
	u32 (*states)(void *owner, u32 place, u8 **state);
	struct llist_node *(*node)(void *owner, u32 place, u32 nr);
	void (*damaged)(void *owner);
	bool may_lose;
};

/* Things that a drain frees under one hold of the lock, unless others may wait for less */
#define MYALLOC_DRAIN_MOST	64

/* Phases of a recovery */
enum myalloc_recovery {
	MYALLOC_RECOVERY_NONE = 0,
	MYALLOC_RECOVERY_MARKING,	/* DEFERRED becomes RECOVERING */
	MYALLOC_RECOVERY_FREEING,	/* RECOVERING things are freed */
};

/* Units that one hold of the lock uses in a recovery at most: one for each state examined, ... */
#define MYALLOC_RECOVERY_MOST	256
/* ... and this many for each thing freed */
#define MYALLOC_RECOVERY_GIVE	16

/**
 * struct myalloc_deferred - things freed while the lock could not be taken
 * @chain: things taken off @list but not yet freed
 * @places: number of places that a recovery examines
 * @place: the place that the recovery has reached
 * @at: number of the thing to examine next at that place
 * @rounds: recoveries completed
 * @recovery: enum myalloc_recovery
 * @missing: the part of @nr at the beginning of MARKING for which no thing has been found yet
 * @list: nodes in the things; any context adds to it without a lock
 * @nr: things in @list and @chain, on their way there, and cut off; in units of the owner
 *
 * The owner's lock protects the members from @chain to @missing.
 */
struct myalloc_deferred {
	struct llist_node *chain;
	u32 places;
	u32 place;
	u32 at;
	u32 rounds;
	u8 recovery;
	s64 missing;
	struct llist_head list;
	atomic64_t nr;
};

void myalloc_deferred_init(struct myalloc_deferred *d, u32 places);
void myalloc_defer_begin(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
			 u8 *state, u32 count);
void myalloc_defer_end(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
		       u8 *state, struct llist_node *node);
void __myalloc_deferred_reap(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
			     void *owner, unsigned int most);
void myalloc_deferred_drain(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
			    void *owner, raw_spinlock_t *lock, u32 most);

/**
 * myalloc_deferred_empty() - is the list empty?
 * @d: the list; its lock is held
 *
 * Context: any.
 * Return: true if nothing is in the list or the chain. Things that are cut off do not count.
 */
static __always_inline bool myalloc_deferred_empty(const struct myalloc_deferred *d)
{
	return !d->chain && llist_empty(&d->list);
}

/**
 * myalloc_deferred_reap() - free some things from the list
 * @d: the list; its lock is held
 * @ops: operations of the owner
 * @owner: argument of @ops
 * @most: number of things to free at most
 *
 * Context: any, interrupts off.
 */
static __always_inline void
myalloc_deferred_reap(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
		      void *owner, unsigned int most)
{
	if (unlikely(!myalloc_deferred_empty(d)))
		__myalloc_deferred_reap(d, ops, owner, most);
}

#endif /* MYALLOC_DEFERRED_H */
