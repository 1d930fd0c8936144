/* SPDX-License-Identifier: GPL-2.0 */
/* Deferred frees: what was freed where a lock could not be taken. See deferred.c. */
#ifndef MYALLOC_DEFERRED_H
#define MYALLOC_DEFERRED_H

/**
 * struct myalloc_deferred_ops - what is deferred, and how it is freed
 * @deferring: state: the free has begun, the thing may not be in the list yet
 * @deferred: state: in the list, or cut off by a damaged link
 * @recovering: state: marked by a recovery
 * @find: state byte of the thing whose node lies at an address; NULL if none can lie there.
 *	The address is any number.
 * @give: frees a thing; returns what it counts in &myalloc_deferred.nr
 * @states: how many things there are at a place, with the state byte of the first one in
 *	@state; those of the others follow it
 * @node: where the node of a thing lies, by place and number
 * @damaged: reports a damaged link
 * @may_lose: the state of a thing may be written over while it is deferred, by another free of it
 *	at the same moment; each thing counts 1
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

/* What a recovery does. */
enum myalloc_recovery {
	MYALLOC_RECOVERY_NONE = 0,
	MYALLOC_RECOVERY_MARKING,	/* DEFERRED becomes RECOVERING */
	MYALLOC_RECOVERY_FREEING,	/* what is RECOVERING is freed */
};

/* Steps that one hold of the lock may take in a recovery: a unit for each state, ... */
#define MYALLOC_RECOVERY_MOST	256
/* ... and some for each thing that is freed. */
#define MYALLOC_RECOVERY_GIVE	16

/**
 * struct myalloc_deferred - things freed where the lock could not be taken
 * @chain: taken off @list, not yet freed
 * @places: places that a recovery looks at
 * @place: where the recovery is
 * @at: number of the thing that it looks at next
 * @rounds: recoveries that came to their end
 * @recovery: enum myalloc_recovery
 * @missing: of @nr when the marking began, those that nothing has been found for
 * @list: of nodes in the things; any context adds to it without a lock
 * @nr: things in @list and @chain, on their way there, and cut off, in units of the owner
 *
 * The owner's lock protects the members from @chain to @recovery.
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
			    void *owner, raw_spinlock_t *lock);

/* Lock held. Is anything in the list? */
static __always_inline bool myalloc_deferred_empty(const struct myalloc_deferred *d)
{
	return !d->chain && llist_empty(&d->list);
}

/**
 * myalloc_deferred_reap() - free some of the list
 * @d: the list; its lock is held
 * @ops: how
 * @owner: argument of @ops
 * @most: things to free at most
 */
static __always_inline void
myalloc_deferred_reap(struct myalloc_deferred *d, const struct myalloc_deferred_ops *ops,
		      void *owner, unsigned int most)
{
	if (unlikely(!myalloc_deferred_empty(d)))
		__myalloc_deferred_reap(d, ops, owner, most);
}

#endif /* MYALLOC_DEFERRED_H */
