// SPDX-License-Identifier: GPL-2.0
/*
 * The way back: limbo, drains, and the zone's worker
 *
 * Limbo: how a slab leaves its cache. Frees look at the tag of a slab and at the state of a slot
 * without a lock, and a slot that was freed twice at the same moment may still be in a magazine
 * while its slab is empty. So the pages of a slab must not become anybody else's before
 *
 *	1. its tag says LIMBO (under cache->lock): who looks at it from now on takes the lock;
 *	2. the age of the cache's magazines has grown: each CPU looks again at what its
 *	   magazines say about places before it believes them (magazine.c, Used slots);
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
 * Requests that find no block: one that may wait drains everything, and fails only if that did not
 * help. One that may not wait harvests at most RECLAIM_SLABS slabs of whatever caches, takes back
 * at most DRAIN_MOST of what this CPU has in magazines, of pages and of RECLAIM_CACHES caches in
 * turn, and then fails and posts a drain for the worker. So what it does does not depend on the
 * number of caches or CPUs.
 *
 * Invariants
 *	R1  limbo.nr = slabs tagged LIMBO in the open and the waiting batch.
 *	R2  Of each cache, nr_limbo = its slabs in limbo and in the hands of a harvest.
 *	R3  With nothing live, a drain gives every frame back to the buddy.
 *
 * Drains: each online CPU empties its own magazines in interrupts of at most DRAIN_MOST objects,
 * whatever number of caches they are from.
 *
 * The worker runs every MYALLOC_WORK_MS while anything is cached: it drains CPUs that have done
 * nothing since its last run, gives back the empty slabs of caches that nobody has used since, and
 * has limbo go on. It also sizes magazines: those of a cache whose users often find nothing in them
 * grow to the default size, if all caches together leave room for that, and where room is short,
 * caches that nobody uses lose theirs. When nothing is cached any more, it stops until something
 * is.
 *
 * Locking: limbo.lock is taken inside cache->lock and never held while anything else is taken.
 */
#include "env.h"
#include "page/bad_page.h"
#include "page/lend.h"
#include "page/pages.h"
#include "zone/reclaim.h"
#include "object/slab.h"

/* Objects and magazines that one interrupt of a drain passes. */
#define DRAIN_MOST	256U
/* Slabs that a request without a block takes from limbo, and caches that it looks at. */
#define RECLAIM_SLABS	16
#define RECLAIM_CACHES	32
/* Caches whose ages grow when a batch is closed on the way; more are left to the worker. */
#define CLOSE_CACHES	8
/* Blocks in quarantine that one run of the worker looks at. */
#define QUARANTINE_MOST	64
/* Frames that a drain, or one run of the worker, looks at for pages reported as bad. */
#define BAD_MOST	4096
/* Milliseconds between two drains that failing requests ask for. */
#define DRAIN_MS	100
/* Milliseconds after which the worker looks again whether a grace period has passed. */
#define LIMBO_MS	20
/* Rounds that a drain makes while others bring new slabs. */
#define FINISH_MOST	8
/* Operations past its magazines, between two runs of the worker, that make a cache hungry. */
#define HUNGRY_OPS	64
/* Runs of the worker after which a cache that nobody uses may lose its magazines. */
#define IDLE_RUNS	20
/* limbo.moment: somebody has waited for a grace period himself. */
#define MOMENT_PASSED	U64_MAX

/* --- limbo ----------------------------------------------------------------- */

/**
 * myalloc_limbo_add() - a slab has left its cache
 * @zone: the zone
 * @cache: the cache; its lock is held
 * @frame: first frame of the slab, tagged LIMBO
 *
 * Context: any.
 */
void myalloc_limbo_add(struct myalloc_zone *zone, struct myalloc_cache *cache,
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
		myalloc_magazines_next_era(&cache->mags);
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

/*
 * Takes everything out of limbo, back to the zone. Others may add slabs meanwhile; those of @cache,
 * which nobody uses, are all taken. Context: task, may sleep.
 */
static void finish_limbo(struct myalloc_zone *zone, struct myalloc_cache *cache)
{
	u32 rounds, pages = 0;

	for (rounds = 0; cache ? READ_ONCE(cache->nr_limbo) :
	     rounds < FINISH_MOST && READ_ONCE(zone->limbo.nr); rounds++) {
		pass_moment(zone);
		while (harvest(zone, 1, U32_MAX, &pages))
			cond_resched();
	}
}

/* --- drains ------------------------------------------------------------------ */

/**
 * struct sweep - a walk over the magazines of a zone, or of one cache, on one CPU
 * @zone: the zone
 * @only: the cache, or NULL for what @kinds says
 * @kinds: MYALLOC_SWEEP_PAGES, MYALLOC_SWEEP_OBJECTS
 * @list: of the page magazines, the next one
 * @cache: the next one; NULL at the end
 * @done: the walk has come to its end
 */
struct sweep {
	struct myalloc_zone *zone;
	struct myalloc_cache *only;
	unsigned int kinds;
	unsigned int list;
	struct myalloc_cache *cache;
	bool done;
};

#define SWEEP_ALL	(MYALLOC_SWEEP_PAGES | MYALLOC_SWEEP_OBJECTS)

/* caches_mutex held, or one cache only. */
static void sweep_begin(struct sweep *s)
{
	s->list = s->kinds & MYALLOC_SWEEP_PAGES ? 0 : MYALLOC_PCP_LISTS;
	s->cache = s->only;
	if (s->kinds & MYALLOC_SWEEP_OBJECTS && !list_empty(&s->zone->caches))
		s->cache = list_first_entry(&s->zone->caches, struct myalloc_cache, link);
	s->done = s->list == MYALLOC_PCP_LISTS && !s->cache;
}

static void sweep_next(struct sweep *s)
{
	if (s->list < MYALLOC_PCP_LISTS)
		s->list++;
	else if (s->only || list_is_last(&s->cache->link, &s->zone->caches))
		s->cache = NULL;
	else
		s->cache = list_next_entry(s->cache, link);
	s->done = s->list == MYALLOC_PCP_LISTS && !s->cache;
}

static struct myalloc_magazines *sweep_at(const struct sweep *s, myalloc_flush_fn *flush,
					  void **owner)
{
	bool pages = s->list < MYALLOC_PCP_LISTS;

	*flush = pages ? myalloc_pcp_flush : myalloc_cache_flush;
	*owner = pages ? (void *)s->zone : s->cache;
	return pages ? &s->zone->pcp[s->list] : &s->cache->mags;
}

/* On the CPU whose magazines they are, interrupts off. Goes on where it was. */
static void sweep_here(void *arg)
{
	struct sweep *s = arg;
	u32 used = 0;

	while (!s->done && used < DRAIN_MOST) {
		u32 most = used ? DRAIN_MOST - used : MYALLOC_DRAIN_BUSY - 1, nr;
		struct myalloc_magazines *mags;
		myalloc_flush_fn flush;
		void *owner;

		mags = sweep_at(s, &flush, &owner);
		nr = myalloc_magazines_drain_here(mags, most, flush, owner);
		if (nr > most)	/* for the next interrupt; also if it is in use just now */
			break;
		used += nr + 1;
		sweep_next(s);
	}
}

/* Does the CPU have anything? Looks from where the walk is. */
static bool sweep_finds(const struct sweep *s, int cpu)
{
	struct sweep look = *s;
	myalloc_flush_fn flush;
	void *owner;

	for (; !look.done; sweep_next(&look)) {
		const struct myalloc_magazines *mags = sweep_at(&look, &flush, &owner);

		if (mags->capacity && myalloc_magazines_count_cpu(mags, cpu))
			return true;
	}
	return false;
}

static void sweep_cpu(struct sweep *s, int cpu)
{
	myalloc_flush_fn flush;
	void *owner;

	sweep_begin(s);
	if (!sweep_finds(s, cpu))
		return;
	if (cpu_online(cpu)) {
		for (; !s->done; cond_resched())
			if (myalloc_env_call_on_cpu(cpu, sweep_here, s))
				break;
		return;
	}
	for (; !s->done; sweep_next(s)) {
		struct myalloc_magazines *mags = sweep_at(s, &flush, &owner);

		myalloc_magazines_drain_cpu(mags, cpu, flush, owner);
	}
}

static void sweep_depots(struct sweep *s)
{
	myalloc_flush_fn flush;
	void *owner;

	for (sweep_begin(s); !s->done; sweep_next(s)) {
		struct myalloc_magazines *mags = sweep_at(s, &flush, &owner);

		myalloc_magazines_drain_depot(mags, flush, owner);
	}
}

/* On every CPU; caches_mutex and cpus_read_lock held. */
static void sweep(struct sweep *s)
{
	int cpu;

	for_each_possible_cpu(cpu)
		sweep_cpu(s, cpu);
	sweep_depots(s);
}

/**
 * myalloc_cache_drain() - magazines and deferred frees back to the slabs
 * @cache: the cache
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: objects that went back.
 */
unsigned long myalloc_cache_drain(struct myalloc_cache *cache)
{
	u64 before = data_race(cache->free_slots), after;	/* a sum of moments */
	struct sweep s = { .zone = cache->zone, .only = cache };

	myalloc_env_cpus_read_lock();
	mutex_lock(&cache->zone->caches_mutex);
	sweep(&s);
	mutex_unlock(&cache->zone->caches_mutex);
	myalloc_env_cpus_read_unlock();
	myalloc_cache_reap(cache);
	after = data_race(cache->free_slots);	/* a sum of moments */
	return after > before ? after - before : 0;
}

/**
 * myalloc_cache_shrink() - drain, and empty slabs back to the zone
 * @cache: the cache
 *
 * Waits for a grace period.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: pages that went back.
 */
unsigned long myalloc_cache_shrink(struct myalloc_cache *cache)
{
	u32 before = myalloc_cache_slabs(cache), after;

	myalloc_cache_drain(cache);
	myalloc_cache_trim(cache, 0);
	finish_limbo(cache->zone, cache);
	after = myalloc_cache_slabs(cache);
	return after < before ? (unsigned long)(before - after) << cache->layout.order : 0;
}

/**
 * myalloc_zone_sweep() - give back to the buddy what is cached of some kinds
 * @zone: the zone
 * @kinds: MYALLOC_SWEEP_PAGES, MYALLOC_SWEEP_OBJECTS
 *
 * Waits for a grace period if there are empty slabs.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: pages that the buddy has more than before.
 */
unsigned long myalloc_zone_sweep(struct myalloc_zone *zone, unsigned int kinds)
{
	u32 before = data_race(zone->buddy.nr_free), after;	/* a sum of moments */
	struct sweep s = { .zone = zone, .kinds = kinds };
	struct myalloc_cache *cache;

	atomic64_inc(&zone->drains);
	myalloc_env_cpus_read_lock();
	mutex_lock(&zone->caches_mutex);
	sweep(&s);
	if (kinds & MYALLOC_SWEEP_OBJECTS)
		list_for_each_entry(cache, &zone->caches, link) {
			myalloc_cache_reap(cache);
			myalloc_cache_trim(cache, 0);
		}
	mutex_unlock(&zone->caches_mutex);
	myalloc_env_cpus_read_unlock();
	if (kinds & MYALLOC_SWEEP_OBJECTS)
		finish_limbo(zone, NULL);
	after = data_race(zone->buddy.nr_free);	/* a sum of moments */
	return after > before ? after - before : 0;
}

/**
 * myalloc_zone_drain() - give back to the buddy whatever is cached
 * @zone: the zone
 *
 * Magazines of every cache and of pages on every CPU, empty slabs, deferred frees, and quarantined
 * blocks that nobody refers to any more. Waits for a grace period if there are empty slabs.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks, which have
 * myalloc_zone_drain_cpu().
 * Return: pages that the buddy has more than before.
 */
unsigned long myalloc_zone_drain(struct myalloc_zone *zone)
{
	u32 before = data_race(zone->buddy.nr_free), after;	/* a sum of moments */

	myalloc_zone_sweep(zone, SWEEP_ALL);
	myalloc_quarantine_drain(zone);
	myalloc_bad_poll(zone, BAD_MOST);
	myalloc_zone_reap_all(zone);
	after = data_race(zone->buddy.nr_free);	/* a sum of moments */
	return after > before ? after - before : 0;
}

/**
 * myalloc_zone_drain_cpu() - give back what a CPU that is gone has cached
 * @zone: the zone
 * @cpu: its number; it is offline and stays so meanwhile
 *
 * Context: task, may sleep.
 */
void myalloc_zone_drain_cpu(struct myalloc_zone *zone, int cpu)
{
	struct sweep s = { .zone = zone, .kinds = SWEEP_ALL };

	mutex_lock(&zone->caches_mutex);
	sweep_cpu(&s, cpu);
	mutex_unlock(&zone->caches_mutex);
}

/* --- requests that find no block ------------------------------------------------- */

/* What this CPU has in one set of magazines, if it is at most @most. Preemption off. */
static u32 reclaim_here(struct myalloc_magazines *mags, u32 most, myalloc_flush_fn flush,
			void *owner)
{
	u32 nr = myalloc_magazines_drain_here(mags, most, flush, owner);

	return nr <= most ? nr : 0;
}

/* The caches of the zone in turn; NULL for a number that none has. Preemption off. */
static struct myalloc_cache *next_cache(struct myalloc_zone *zone)
{
	u32 id = READ_ONCE(zone->reclaim_id) + 1;	/* it need not be exact */

	if (id > READ_ONCE(zone->last_id))
		id = 1;
	WRITE_ONCE(zone->reclaim_id, id);
	return READ_ONCE(zone->cache_by_id[id]);
}

/**
 * myalloc_zone_reclaim() - a request has found no block
 * @zone: the zone
 *
 * Takes back what can be had at once and in bounded time; has the worker take back the rest.
 *
 * Context: any; in NMI only the worker is told.
 * Return: true if something came back, so that it is worth another try.
 */
bool myalloc_zone_reclaim(struct myalloc_zone *zone)
{
	struct myalloc_cache *cache;
	u32 pages, used = 0;
	unsigned int i;

	WRITE_ONCE(zone->want_drain, true);
	myalloc_zone_post(zone, myalloc_env_now_ns() - READ_ONCE(zone->last_drain) <
			  DRAIN_MS * 1000000ULL ? DRAIN_MS : 0);
	if (in_nmi())
		return false;
	pages = myalloc_limbo_harvest(zone, RECLAIM_SLABS);
	preempt_disable();	/* also keeps the caches: they end after a grace period */
	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		used += reclaim_here(&zone->pcp[i], DRAIN_MOST - used, myalloc_pcp_flush, zone);
	for (i = 0; i < RECLAIM_CACHES && used < DRAIN_MOST; i++) {
		cache = next_cache(zone);
		if (cache)
			used += reclaim_here(&cache->mags, DRAIN_MOST - used,
					     myalloc_cache_flush, cache);
	}
	preempt_enable();
	if (used)
		pages += myalloc_limbo_harvest(zone, RECLAIM_SLABS);
	return pages || used;
}

/* --- magazines of another size ------------------------------------------------------ */

/* caches_mutex held, and cpus_read_lock, or in a hotplug callback. */
static int remake(struct myalloc_cache *c, u32 capacity, int coming)
{
	struct myalloc_limbo *limbo = &c->zone->limbo;
	struct myalloc_magazine_shape shape;
	unsigned long irq;
	int err;

	myalloc_cache_magazine_shape(c, capacity, coming, &shape);
	err = myalloc_magazines_remake(&c->mags, shape.capacity, shape.batch, shape.depot,
				       c->zone->node, coming, myalloc_cache_flush, c);
	raw_spin_lock_irqsave(&limbo->lock, irq);	/* the age stands still */
	if (!myalloc_cache_slow_only(c))
		WRITE_ONCE(c->mags.era, c->mags.age);
	raw_spin_unlock_irqrestore(&limbo->lock, irq);
	return err;
}

/**
 * myalloc_cache_resize() - magazines of another capacity
 * @cache: the cache, which others may use meanwhile
 * @capacity: objects in a magazine, at most MYALLOC_MAGAZINE_MAX; 0 for no magazines. It may
 *	become less, if the magazines of all caches would hold more than they may.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: 0; -EINVAL if the capacity is out of range, or the cache is one without magazines;
 * -ENOMEM: then it is as before.
 */
int myalloc_cache_resize(struct myalloc_cache *cache, u32 capacity)
{
	int err;

	if (capacity > MYALLOC_MAGAZINE_MAX ||
	    cache->flags & (MYALLOC_CHECKS | MYALLOC_NO_MAGAZINE))
		return -EINVAL;
	myalloc_env_cpus_read_lock();
	mutex_lock(&cache->zone->caches_mutex);
	err = remake(cache, capacity, -1);
	mutex_unlock(&cache->zone->caches_mutex);
	myalloc_env_cpus_read_unlock();
	return err;
}

/* Does this CPU have its magazines? */
static bool served_on(const struct myalloc_magazines *mags, int cpu)
{
	return !mags->capacity || per_cpu_ptr(mags->cpu, cpu)->loaded;
}

/**
 * myalloc_zone_cpu_coming() - a CPU is about to come online
 * @zone: the zone
 * @cpu: its number
 *
 * Makes magazines for it where it has none. It can do without, so what fails is left out.
 *
 * Context: task, may sleep; a CPU hotplug callback.
 * Return: 0.
 */
int myalloc_zone_cpu_coming(struct myalloc_zone *zone, int cpu)
{
	struct myalloc_cache *cache;
	unsigned int i;

	mutex_lock(&zone->caches_mutex);
	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		if (!served_on(&zone->pcp[i], cpu))
			myalloc_pcp_remake(zone, i, cpu);
	list_for_each_entry(cache, &zone->caches, link)
		if (!served_on(&cache->mags, cpu))
			remake(cache, cache->mags.capacity, cpu);
	mutex_unlock(&zone->caches_mutex);
	return 0;
}

/* --- the worker ------------------------------------------------------------------ */

/* caches_mutex held. Grows with what the CPU does. */
static u64 cpu_moves(struct myalloc_zone *zone, int cpu)
{
	struct sweep s = { .zone = zone, .kinds = SWEEP_ALL };
	myalloc_flush_fn flush;
	void *owner;
	u64 moves = 0;

	for (sweep_begin(&s); !s.done; sweep_next(&s))
		moves += myalloc_magazines_moves_cpu(sweep_at(&s, &flush, &owner), cpu);
	return moves;
}

/* caches_mutex and cpus_read_lock held. Drains CPUs that did nothing. */
static void drain_idle_cpus(struct myalloc_zone *zone)
{
	struct sweep s = { .zone = zone, .kinds = SWEEP_ALL };
	int cpu;

	for_each_online_cpu(cpu) {
		u64 *seen = per_cpu_ptr(zone->seen_cpu, cpu);
		u64 moves = cpu_moves(zone, cpu);

		if (moves == *seen)
			sweep_cpu(&s, cpu);
		*seen = moves;
		cond_resched();
	}
}

/* caches_mutex held. Is there anything left that may become idle? */
static bool trim_cache(struct myalloc_cache *c)
{
	u64 now = myalloc_magazines_moves(&c->mags) + data_race(c->generation);
	bool idle = now == c->seen;

	c->idle = idle ? c->idle + 1 : 0;
	if (idle)
		myalloc_magazines_drain_depot(&c->mags, myalloc_cache_flush, c);
	myalloc_cache_trim(c, idle ? 0 : MYALLOC_EMPTY_KEEP);
	/* What this has done itself is nobody's use. */
	c->seen = myalloc_magazines_moves(&c->mags) + data_race(c->generation);
	return data_race(c->nr[MYALLOC_SLABS_EMPTY]) || myalloc_magazines_count(&c->mags);
}

/*
 * caches_mutex and cpus_read_lock held. One cache whose users often find nothing in its magazines
 * gets larger ones, if there is room; caches that nobody has used for long give theirs up, if room
 * is short. Is there anything left to give up?
 */
static bool resize_caches(struct myalloc_zone *zone)
{
	struct myalloc_cache *cache, *hungry = NULL;
	u64 most = HUNGRY_OPS;
	bool any = false;

	list_for_each_entry(cache, &zone->caches, link) {
		u64 slow = data_race(cache->refills + cache->flushes + cache->allocs +
				     cache->frees);
		u32 want = myalloc_cache_default_magazine(cache);

		if (cache->mags.capacity < want && slow - cache->seen_slow > most) {
			most = slow - cache->seen_slow;
			hungry = cache;
		}
		cache->seen_slow = slow;
		if (!want || !cache->mags.capacity || !myalloc_zone_magazines_short(zone))
			continue;
		if (cache->idle >= IDLE_RUNS)
			remake(cache, 0, -1);
		else
			any = true;
	}
	if (hungry)
		remake(hungry, myalloc_cache_default_magazine(hungry), -1);
	return any;
}

/* caches_mutex held. Depots of pages whose magazines nobody has used. Is anything cached? */
static bool trim_pages(struct myalloc_zone *zone)
{
	bool any = false;
	unsigned int i;
	u64 moves = 0;

	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		moves += myalloc_magazines_moves(&zone->pcp[i]);
	for (i = 0; i < MYALLOC_PCP_LISTS; i++) {
		if (moves == zone->seen_pages)
			myalloc_magazines_drain_depot(&zone->pcp[i], myalloc_pcp_flush, zone);
		any |= myalloc_magazines_count(&zone->pcp[i]);
	}
	zone->seen_pages = 0;
	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		zone->seen_pages += myalloc_magazines_moves(&zone->pcp[i]);
	return any;
}

static bool look_after(struct myalloc_zone *zone)
{
	struct myalloc_cache *cache;
	u32 pages = 0;
	bool any;

	myalloc_env_cpus_read_lock();
	mutex_lock(&zone->caches_mutex);
	drain_idle_cpus(zone);
	any = trim_pages(zone);
	list_for_each_entry(cache, &zone->caches, link)
		any |= trim_cache(cache);
	any |= resize_caches(zone);
	mutex_unlock(&zone->caches_mutex);
	myalloc_env_cpus_read_unlock();

	myalloc_quarantine_poll(zone, QUARANTINE_MOST);
	myalloc_bad_poll(zone, BAD_MOST);
	if (limbo_moment(zone, U32_MAX))
		myalloc_env_gp_start();
	while (harvest(zone, 1, U32_MAX, &pages))
		cond_resched();
	return any || atomic64_read(&zone->nr_quarantined);
}

static void work(struct myalloc_env_work *w)
{
	struct myalloc_zone *zone = container_of(w, struct myalloc_zone, work);
	bool any = true;

	if (READ_ONCE(zone->want_drain)) {
		WRITE_ONCE(zone->want_drain, false);
		WRITE_ONCE(zone->last_drain, myalloc_env_now_ns());
		myalloc_zone_drain(zone);
	} else {
		any = look_after(zone);
	}
	if (READ_ONCE(zone->limbo.nr))
		myalloc_zone_post(zone, LIMBO_MS);
	else if (any)
		myalloc_zone_post(zone, MYALLOC_WORK_MS);
}

/**
 * myalloc_reclaim_init() - the worker of a zone that is being made
 * @zone: the zone
 */
void myalloc_reclaim_init(struct myalloc_zone *zone)
{
	raw_spin_lock_init(&zone->limbo.lock);
	zone->limbo.open = MYALLOC_NO_FRAME;
	zone->limbo.waiting = MYALLOC_NO_FRAME;
	INIT_LIST_HEAD(&zone->limbo.caches);
	myalloc_env_work_init(&zone->work, work);
}

/**
 * myalloc_reclaim_stop() - the worker will not run again
 * @zone: the zone, which nobody uses any more
 *
 * Context: task, may sleep.
 */
void myalloc_reclaim_stop(struct myalloc_zone *zone)
{
	/* It posts itself; so from the next run on it must not, or it would escape the stop. */
	WRITE_ONCE(zone->no_worker, true);
	myalloc_env_work_stop(&zone->work);
}
