// SPDX-License-Identifier: GPL-2.0
/*
 * Limbo: how a slab leaves its cache
 *
 * Frees look at the tag of a slab and at the state of a slot
 * without a lock, and a slot that was freed twice at the same moment may still be in a magazine
 * while its slab is empty. So the pages of a slab must not become anybody else's before
 *
 *	1. its tag says LIMBO (under cache->lock): who looks at it from now on takes the lock;
 *	2. the age of the cache's magazines has grown: each CPU looks again at what its
 *	   magazines say about places before it believes them (magazine.c, Stale slots);
 *	3. a grace period has passed: every section with preemption off that looked at the tag or
 *	   compared its guard before has ended, and what it stored is to be seen;
 *	4. every state has been found FREE and every out bit clear, under cache->lock. Otherwise
 *	   somebody has a slot of it: that is reported, and the slab is in use again.
 *
 *	cache	 [EMPTY list] --1--> [ open ] --2--> [ waiting ] --3, 4--> zone
 *					 once for all of them
 *
 * There are two batches for the whole zone, so that the cost of an age (each CPU's loaded magazine
 * is renewed) is paid once a grace period and not once a slab: slabs come into the open one, and
 * when none is waiting, it is closed and waits. Nobody waits for a grace period where a slab is
 * given up; the next flush, a request that finds no block, a drain or the worker takes the slab on
 * when it has passed.
 *
 * Invariants
 *	R1  limbo.nr = slabs tagged LIMBO in the open and the waiting batch.
 *	R2  Of each cache, nr_limbo = its slabs in limbo and in the hands of a harvest.
 *
 * Locking: limbo.lock is taken inside cache->lock and never held while anything else is taken.
 */
#include "env.h"
#include "object/limbo.h"
#include "object/slab.h"

/* Caches whose ages grow when a batch is closed on the way; more are left to the worker. */
#define CLOSE_CACHES	8
/* Milliseconds after which the worker looks again whether a grace period has passed. */
#define LIMBO_MS	20
/* Rounds that a drain makes while others bring new slabs. */
#define FINISH_MOST	8
/* Empty slabs that go to limbo under one hold of the lock. */
#define TRIM_MOST	16
/* limbo.moment: somebody has waited for a grace period himself. */
#define MOMENT_PASSED	U64_MAX

/* A slab that has left its cache, whose lock is held. */
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
		limbo->nr_caches++;
	}
	raw_spin_unlock(&limbo->lock);
}

/**
 * myalloc_limbo_retire() - empty slabs leave a cache
 * @cache: the cache; its lock is held
 * @keep: empty slabs that stay
 * @most: how many leave at most
 *
 * Context: any.
 */
void myalloc_limbo_retire(struct myalloc_cache *cache, u32 keep, u32 most)
{
	while (cache->nr[MYALLOC_SLABS_EMPTY] > keep && most--)
		add(cache->zone, cache, __myalloc_slab_retire(cache));
}

/**
 * myalloc_cache_trim() - empty slabs to limbo
 * @cache: the cache
 * @keep: how many stay
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
		more = cache->nr[MYALLOC_SLABS_EMPTY] > keep;
		raw_spin_unlock_irqrestore(&cache->lock, irq);
		cond_resched();
	} while (more);
}

/* limbo.lock held. The open batch begins to wait, if none does, and it is of few caches. */
static void close_batch(struct myalloc_zone *zone, u32 caches_most)
{
	struct myalloc_limbo *limbo = &zone->limbo;
	struct myalloc_cache *cache;

	if (limbo->waiting != MYALLOC_NO_FRAME || limbo->open == MYALLOC_NO_FRAME ||
	    limbo->nr_caches > caches_most)
		return;
	while (!list_empty(&limbo->caches)) {
		cache = list_first_entry(&limbo->caches, struct myalloc_cache, limbo_link);
		myalloc_magazines_next_epoch(&cache->mags);
		list_del_init(&cache->limbo_link);
	}
	limbo->nr_caches = 0;
	limbo->waiting = limbo->open;
	limbo->open = MYALLOC_NO_FRAME;
	limbo->moment = myalloc_env_gp_snapshot();
}

/* Closes the open batch if that may be; then the moment for which slabs wait, 0 if none do. */
static u64 limbo_moment(struct myalloc_zone *zone, u32 caches_most)
{
	struct myalloc_limbo *limbo = &zone->limbo;
	unsigned long irq;
	u64 moment = 0;

	raw_spin_lock_irqsave(&limbo->lock, irq);
	close_batch(zone, caches_most);
	if (limbo->waiting != MYALLOC_NO_FRAME)
		moment = limbo->moment;
	raw_spin_unlock_irqrestore(&limbo->lock, irq);
	return moment;
}

/* Has the grace period passed for slabs that wait? Then *@moment is theirs. */
static bool limbo_ready(struct myalloc_zone *zone, u32 caches_most, u64 *moment)
{
	*moment = limbo_moment(zone, caches_most);
	return *moment && (*moment == MOMENT_PASSED || myalloc_env_gp_passed(*moment));
}

/* A slab that waited for that moment out of limbo, NULL if there is none any more. */
static struct myalloc_frame *limbo_take(struct myalloc_zone *zone, u64 moment)
{
	struct myalloc_limbo *limbo = &zone->limbo;
	struct myalloc_frame *frame = NULL;
	unsigned long irq;

	raw_spin_lock_irqsave(&limbo->lock, irq);
	if (limbo->waiting != MYALLOC_NO_FRAME && limbo->moment == moment) {
		frame = &zone->frames[limbo->waiting];
		limbo->waiting = frame->next;
		WRITE_ONCE(limbo->nr, limbo->nr - 1);
	}
	raw_spin_unlock_irqrestore(&limbo->lock, irq);
	return frame;
}

/* Returns how many slabs came out of limbo; *@pages grows by what went back to the zone. */
static u32 harvest(struct myalloc_zone *zone, u32 most, u32 caches_most, u32 *pages)
{
	u64 moment;
	u32 n;

	for (n = 0; n < most && limbo_ready(zone, caches_most, &moment); n++) {
		struct myalloc_frame *frame;

		preempt_disable();	/* who waits for the cache to end waits for us */
		frame = limbo_take(zone, moment);
		/* A cache with slabs in limbo does not end (R2). */
		if (frame)
			*pages += myalloc_cache_release(zone->cache_by_id[frame->cache], frame);
		preempt_enable();
		if (!frame)
			break;
	}
	return n;
}

/**
 * myalloc_limbo_harvest() - slabs whose grace period has passed back to the zone
 * @zone: the zone
 * @most: at most so many
 *
 * Context: any but NMI.
 * Return: pages that went back.
 */
u32 myalloc_limbo_harvest(struct myalloc_zone *zone, u32 most)
{
	u32 pages = 0;

	if (unlikely(READ_ONCE(zone->limbo.nr)))
		harvest(zone, most, CLOSE_CACHES, &pages);
	return pages;
}

/* Waits for the grace period of the batch that waits. */
static void pass_moment(struct myalloc_zone *zone)
{
	u64 moment = limbo_moment(zone, U32_MAX);
	struct myalloc_limbo *limbo = &zone->limbo;
	unsigned long irq;

	myalloc_env_gp_wait();
	raw_spin_lock_irqsave(&limbo->lock, irq);
	if (limbo->moment == moment)
		limbo->moment = MOMENT_PASSED;
	raw_spin_unlock_irqrestore(&limbo->lock, irq);
}

/**
 * myalloc_limbo_finish() - take everything out of limbo, back to the zone
 * @zone: the zone
 * @cache: a cache that nobody uses, or NULL. Others may add slabs meanwhile; those of @cache are
 *	all taken
 *
 * Context: task, may sleep.
 */
void myalloc_limbo_finish(struct myalloc_zone *zone, struct myalloc_cache *cache)
{
	u32 rounds, pages = 0;

	for (rounds = 0; cache ? READ_ONCE(cache->nr_limbo) :
	     rounds < FINISH_MOST && READ_ONCE(zone->limbo.nr); rounds++) {
		pass_moment(zone);
		while (harvest(zone, 1, U32_MAX, &pages))
			cond_resched();
	}
}

/**
 * myalloc_limbo_settle() - have what waits go on
 * @zone: the zone
 *
 * Context: task.
 * Return: milliseconds until another look is worth it, 0 if nothing waits.
 */
unsigned int myalloc_limbo_settle(struct myalloc_zone *zone)
{
	u32 pages = 0;

	if (limbo_moment(zone, U32_MAX))
		myalloc_env_gp_start();
	while (harvest(zone, 1, U32_MAX, &pages))
		cond_resched();
	return READ_ONCE(zone->limbo.nr) ? LIMBO_MS : 0;
}

/**
 * myalloc_limbo_init() - limbo of a zone that is being made
 * @zone: the zone
 */
void myalloc_limbo_init(struct myalloc_zone *zone)
{
	raw_spin_lock_init(&zone->limbo.lock);
	zone->limbo.open = MYALLOC_NO_FRAME;
	zone->limbo.waiting = MYALLOC_NO_FRAME;
	INIT_LIST_HEAD(&zone->limbo.caches);
}
