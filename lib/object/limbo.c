// SPDX-License-Identifier: GPL-2.0
/*
 * Limbo: how a slab leaves its cache
 *
 * Frees read the tag of a slab and the state of a slot without a lock, and after two overlapping
 * frees a slot may still be in a magazine while its slab is empty. The pages of a slab must
 * therefore not be reused before
 *
 *	1. its tag says LIMBO (under cache->lock): from now on, everyone who finds the slab takes
 *	   the lock;
 *	2. the age of the cache's magazines has advanced: each CPU checks what its magazines say
 *	   about places again before it uses them (magazine.c, Stale slots);
 *	3. a grace period has passed: every section with preemption off that read the tag or
 *	   compared its guard before has ended, and its stores are visible;
 *	4. every state has been found FREE and every out bit clear, under cache->lock. Otherwise a
 *	   slot has an owner; this is reported, and the slab is put back in use.
 *
 *	cache	 [EMPTY list] --1--> [ open ] --2--> [ waiting ] --3, 4--> zone
 *					 once for all of them
 *
 * This also makes memory typesafe by RCU: a reader that found an object under rcu_read_lock() began
 * before the slab was tagged LIMBO, so the grace period of step 3 waits for it. What
 * MYALLOC_TYPESAFE_RCU adds is that nothing writes to a free object.
 *
 * The zone has two batches, so that the cost of advancing an age (each CPU renews its loaded
 * magazine) arises once per grace period and not once per slab, or, with slabs of more than
 * CLOSE_CACHES caches in a batch, a few times. Slabs join the open batch. When no batch is waiting
 * and few enough ages are to advance, the open one is closed and starts to wait. Giving up a slab
 * never blocks on a grace period: after it has passed, the next flush, request that finds no block,
 * drain or pass of the worker moves the slab on.
 *
 * Invariants
 *	R1  limbo.nr = slabs tagged LIMBO in the open and the waiting batch, and in the hands of a
 *	    harvest: whoever finds it 0 finds the pages of all slabs that have left in the zone.
 *	R2  For each cache, nr_limbo = its slabs in limbo and in the hands of a harvest.
 *
 * Locking: limbo.lock nests inside cache->lock; no lock is taken while it is held.
 *
 * Bounds: a hold of limbo.lock advances the ages of CLOSE_CACHES caches at most, however many have
 * slabs in the batch.
 */
#include "env.h"
#include "object/limbo.h"
#include "object/slab.h"
#include "page/worker.h"

/*
 * Caches whose ages advance under one hold of limbo.lock. A flush or request closes a batch of at
 * most so many; with more, that is left to the worker, which first advances the ages of most of
 * them, some at a time.
 */
#define CLOSE_CACHES	8
/* Holds of the lock for that, at most: others may add slabs of the same caches meanwhile. */
#define CLOSE_HOLDS	(2 * MYALLOC_CACHES_MAX / CLOSE_CACHES)
/*
 * Milliseconds after which the worker looks for the first time whether the grace period of a batch
 * has passed. It looks again when the batch has waited for twice as long, and so on: so a batch
 * that nobody else harvests leaves when it has waited for twice its grace period, or earlier, as
 * the worker comes every MYALLOC_WORK_MS at least.
 */
#define LIMBO_MS	20
/* Rounds of a drain while others add new slabs. */
#define FINISH_MOST	8
/* Empty slabs that go to limbo each time the lock is held. */
#define TRIM_MOST	16
/*
 * limbo.moment: a task has waited for a grace period itself. A snapshot may be any even number,
 * also 0: that of a kernel with CONFIG_TINY_RCU begins below 0.
 */
#define MOMENT_PASSED	U64_MAX

/* limbo.lock held. Advance the age of a cache for all of its slabs in the open batch. */
static void renew_first(struct myalloc_limbo *limbo)
{
	struct myalloc_cache *cache =
		list_first_entry(&limbo->caches, struct myalloc_cache, limbo_link);

	myalloc_magazines_next_epoch(&cache->mags);
	list_del_init(&cache->limbo_link);
	WRITE_ONCE(limbo->nr_caches, limbo->nr_caches - 1);
}

/* Add a slab that has left its cache to the open batch. The cache's lock is held. */
static void add(struct myalloc_zone *zone, struct myalloc_cache *cache,
		struct myalloc_frame *frame)
{
	struct myalloc_limbo *limbo = &zone->limbo;
	u32 idx = myalloc_frame_idx(zone, frame);

	lockdep_assert_held(&cache->lock);
	raw_spin_lock(&limbo->lock);
	frame->next = MYALLOC_NO_FRAME;
	if (limbo->open == MYALLOC_NO_FRAME)
		limbo->open = idx;
	else
		zone->frames[limbo->open_last].next = idx;
	limbo->open_last = idx;
	WRITE_ONCE(limbo->nr, limbo->nr + 1);
	if (list_empty(&cache->limbo_link)) {
		list_add_tail(&cache->limbo_link, &limbo->caches);
		WRITE_ONCE(limbo->nr_caches, limbo->nr_caches + 1);
	}
	raw_spin_unlock(&limbo->lock);
}

/* Lock held. Does a cache have an empty slab above @keep that is not set aside? */
static bool has_surplus(const struct myalloc_cache *cache, u32 keep)
{
	return cache->nr[MYALLOC_SLABS_EMPTY] > keep &&
	       myalloc_cache_slabs(cache) > cache->set_aside;	/* S8 */
}

/**
 * myalloc_limbo_retire() - move empty slabs from a cache to limbo
 * @cache: the cache; its lock is held
 * @keep: number of empty slabs that stay, beside those set aside
 * @most: maximum number of slabs to move
 *
 * Context: any but NMI.
 */
void myalloc_limbo_retire(struct myalloc_cache *cache, u32 keep, u32 most)
{
	while (has_surplus(cache, keep) && most--)
		add(cache->zone, cache, __myalloc_slab_retire(cache));
}

/**
 * myalloc_cache_trim() - move all but some empty slabs to limbo
 * @cache: the cache
 * @keep: number of empty slabs that stay
 *
 * Context: task, may sleep.
 */
void myalloc_cache_trim(struct myalloc_cache *cache, u32 keep)
{
	unsigned long irq;
	bool more;

	do {
		raw_spin_lock_irqsave(&cache->lock, irq);
		myalloc_limbo_retire(cache, keep, TRIM_MOST);
		more = has_surplus(cache, keep);
		raw_spin_unlock_irqrestore(&cache->lock, irq);
		cond_resched();
	} while (more);
}

/*
 * limbo.lock held. Close the open batch, so that it waits for a grace period, unless another one is
 * waiting or slabs of more than CLOSE_CACHES caches have joined it. Returns true if it was closed.
 */
static bool close_batch(struct myalloc_zone *zone)
{
	struct myalloc_limbo *limbo = &zone->limbo;

	if (limbo->waiting != MYALLOC_NO_FRAME || limbo->open == MYALLOC_NO_FRAME ||
	    limbo->nr_caches > CLOSE_CACHES)
		return false;
	while (limbo->nr_caches)
		renew_first(limbo);
	limbo->waiting = limbo->open;
	limbo->open = MYALLOC_NO_FRAME;
	limbo->closed = myalloc_now_ms();
	limbo->batch++;
	limbo->moment = myalloc_env_gp_snapshot();
	return true;
}

/* Advance the ages of some caches. Returns true if others must follow. */
static bool renew_some(struct myalloc_limbo *limbo)
{
	unsigned long irq;
	u32 n = 0;
	bool more;

	raw_spin_lock_irqsave(&limbo->lock, irq);
	more = limbo->waiting == MYALLOC_NO_FRAME;
	while (more && n++ < CLOSE_CACHES && limbo->nr_caches > CLOSE_CACHES)
		renew_first(limbo);
	more &= limbo->nr_caches > CLOSE_CACHES;
	raw_spin_unlock_irqrestore(&limbo->lock, irq);
	return more;
}

/*
 * Task. If the open batch could be closed but for the number of its caches, advance the ages of
 * most of them. A slab that joins meanwhile brings its cache in again.
 */
static void renew_most(struct myalloc_zone *zone)
{
	u32 holds = CLOSE_HOLDS;

	while (READ_ONCE(zone->limbo.nr_caches) > CLOSE_CACHES && renew_some(&zone->limbo) &&
	       --holds)
		cond_resched();
}

/*
 * Close the open batch if possible; @task: a task may sleep. Returns false if no batch is waiting;
 * otherwise *@moment is the snapshot of the one that is, any value.
 */
static bool limbo_moment(struct myalloc_zone *zone, bool task, u64 *moment)
{
	struct myalloc_limbo *limbo = &zone->limbo;
	bool waiting, closed;
	unsigned long irq;

	if (task)
		renew_most(zone);
	raw_spin_lock_irqsave(&limbo->lock, irq);
	closed = close_batch(zone);
	waiting = limbo->waiting != MYALLOC_NO_FRAME;
	*moment = limbo->moment;
	raw_spin_unlock_irqrestore(&limbo->lock, irq);
	if (closed)
		myalloc_zone_settle(zone, LIMBO_MS);
	return waiting;
}

/* Has the grace period of the waiting batch passed? *@moment is set to its snapshot. */
static bool limbo_ready(struct myalloc_zone *zone, bool task, u64 *moment)
{
	return limbo_moment(zone, task, moment) &&
	       (*moment == MOMENT_PASSED || myalloc_env_gp_passed(*moment));
}

/* Take a slab that waited for @moment out of limbo; NULL if none is left. */
static struct myalloc_frame *limbo_take(struct myalloc_zone *zone, u64 moment)
{
	struct myalloc_limbo *limbo = &zone->limbo;
	struct myalloc_frame *frame = NULL;
	unsigned long irq;

	raw_spin_lock_irqsave(&limbo->lock, irq);
	if (limbo->waiting != MYALLOC_NO_FRAME && limbo->moment == moment) {
		frame = &zone->frames[limbo->waiting];
		limbo->waiting = frame->next;
	}
	raw_spin_unlock_irqrestore(&limbo->lock, irq);
	return frame;
}

/* What limbo_take() has returned is not in its hands any more. */
static void limbo_taken(struct myalloc_zone *zone)
{
	struct myalloc_limbo *limbo = &zone->limbo;
	unsigned long irq;

	raw_spin_lock_irqsave(&limbo->lock, irq);
	smp_store_release(&limbo->nr, limbo->nr - 1);	/* pairs with limbo_is_empty() */
	raw_spin_unlock_irqrestore(&limbo->lock, irq);
}

/* Have all slabs that left their caches gone back? */
static bool limbo_is_empty(struct myalloc_zone *zone)
{
	return !smp_load_acquire(&zone->limbo.nr);	/* pairs with limbo_taken() */
}

/*
 * Take up to @most slabs out of limbo; @task: a task may sleep. Returns their number; adds the
 * pages returned to the zone to *@pages.
 */
static u32 harvest(struct myalloc_zone *zone, u32 most, bool task, u32 *pages)
{
	u64 moment;
	u32 n;

	for (n = 0; n < most && limbo_ready(zone, task, &moment); n++) {
		struct myalloc_frame *frame;

		preempt_disable();	/* destroying the cache and a drain wait for this section */
		frame = limbo_take(zone, moment);
		/* A cache with slabs in limbo is not destroyed (R2). */
		if (frame) {
			*pages += myalloc_cache_release(zone->cache_by_id[frame->cache], frame);
			limbo_taken(zone);
		}
		preempt_enable();
		if (!frame)
			break;
	}
	return n;
}

/**
 * myalloc_limbo_harvest() - return slabs whose grace period has passed to the zone
 * @zone: the zone
 * @most: maximum number of slabs
 *
 * Context: any but NMI.
 * Return: pages returned.
 */
u32 myalloc_limbo_harvest(struct myalloc_zone *zone, u32 most)
{
	u32 pages = 0;

	if (unlikely(READ_ONCE(zone->limbo.nr)))
		harvest(zone, most, false, &pages);
	return pages;
}

/*
 * Wait for the grace period of the waiting batch. When it has passed, that batch may be gone and
 * another one wait, whose snapshot can be the same number: an expedited grace period ends one that
 * is under way, and the next snapshot asks for the same as one taken before. So the batches are
 * told apart by numbers of their own.
 */
static void pass_moment(struct myalloc_zone *zone)
{
	struct myalloc_limbo *limbo = &zone->limbo;
	unsigned long irq;
	u32 batch;

	renew_most(zone);
	raw_spin_lock_irqsave(&limbo->lock, irq);
	close_batch(zone);
	batch = limbo->batch;
	raw_spin_unlock_irqrestore(&limbo->lock, irq);
	myalloc_env_gp_wait();
	raw_spin_lock_irqsave(&limbo->lock, irq);
	if (limbo->batch == batch)
		limbo->moment = MOMENT_PASSED;
	raw_spin_unlock_irqrestore(&limbo->lock, irq);
}

/**
 * myalloc_limbo_finish() - return all slabs in limbo to the zone
 * @zone: the zone
 * @cache: a cache that is no longer in use, or NULL. Other caches may add slabs meanwhile; the
 *	slabs of @cache are all returned
 *
 * Context: task, may sleep.
 */
void myalloc_limbo_finish(struct myalloc_zone *zone, struct myalloc_cache *cache)
{
	u32 rounds, pages = 0;

	/* Pairs with myalloc_cache_release(): its harvest has found the cache. */
	for (rounds = 0; cache ? smp_load_acquire(&cache->nr_limbo) :
	     rounds < FINISH_MOST && !limbo_is_empty(zone); rounds++) {
		pass_moment(zone);
		while (harvest(zone, 1, true, &pages))
			cond_resched();
	}
}

/* The time until the worker looks again: as long as the batch has waited by now. */
static unsigned int next_look(struct myalloc_limbo *limbo)
{
	unsigned long irq;
	u16 waited = 0;

	raw_spin_lock_irqsave(&limbo->lock, irq);
	if (limbo->waiting != MYALLOC_NO_FRAME)
		waited = myalloc_now_ms() - limbo->closed;	/* both modulo 2^16 */
	raw_spin_unlock_irqrestore(&limbo->lock, irq);
	return clamp_t(unsigned int, waited, LIMBO_MS, MYALLOC_WORK_MS);
}

/**
 * myalloc_limbo_settle() - advance the slabs in limbo as far as possible without waiting
 * @zone: the zone
 *
 * Context: task, may sleep.
 * Return: milliseconds until the next call is worthwhile, 0 if limbo is empty.
 */
unsigned int myalloc_limbo_settle(struct myalloc_zone *zone)
{
	u32 pages = 0;
	u64 moment;

	if (limbo_moment(zone, true, &moment))
		myalloc_env_gp_start();
	while (harvest(zone, 1, true, &pages))
		cond_resched();
	return READ_ONCE(zone->limbo.nr) ? next_look(&zone->limbo) : 0;
}

/**
 * myalloc_limbo_init() - initialise the limbo of a new zone
 * @zone: the zone
 *
 * Context: any; the caller is the only user of the zone.
 */
void myalloc_limbo_init(struct myalloc_zone *zone)
{
	raw_spin_lock_init(&zone->limbo.lock);
	zone->limbo.open = MYALLOC_NO_FRAME;
	zone->limbo.waiting = MYALLOC_NO_FRAME;
	INIT_LIST_HEAD(&zone->limbo.caches);
}
