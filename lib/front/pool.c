// SPDX-License-Identifier: GPL-2.0
/*
 * Object pools: a number of objects that an allocation cannot miss
 *
 * What it is: a cache whose slabs for nr objects are made when the pool is created and stay until
 * it is destroyed. The kernel's mempool keeps elements in reserve behind another allocator, and an
 * allocation that may not sleep fails when both are empty; its objpool serves a constant number
 * from per-CPU rings. Here the promise is a number of live objects, the fast path is that of every
 * cache, and what lies in the magazines of other CPUs is set aside in addition.
 *
 * Terms
 *	live	from the call of the allocation to the return of the free. A free in NMI context
 *		that could not get the cache's lock lasts until its object is back in the slab;
 *		the next holder of the lock puts two such objects back before it does its own work
 *	P	number of possible CPUs
 *	held	2 * P * capacity, the most that all magazines hold. There is no depot
 *	spare	an object that only allocations in NMI context get, if the cache has none for them
 *
 * Capacity of a magazine: nr / 8P, the default of the size at most, so held <= nr / 4. Below 8P
 * objects there are no magazines: every operation takes the cache's lock.
 *
 * The set-aside. With s slots in a slab, S = (nr + held + 2 * nmi) / s slabs, rounded up, never
 * leave the cache.
 *
 *	What an allocation needs: outside NMI context it gets an object from its CPU's magazines or,
 *	under the cache's lock, a FREE slot. Suppose it finds no FREE slot while at most nr - 1
 *	other objects are live. Each slot is live, in a magazine, a spare, or DEFERRED. Live ones
 *	are at most nr - 1, magazines hold at most held, spares are nmi. So more than nmi slots
 *	are DEFERRED. But the allocation itself puts deferred objects back first, so these are
 *	behind a free that another CPU is deferring at that very moment. So:
 *
 *	Outside NMI context, no allocation fails while fewer than nr objects are live and at most
 *	nmi frees made in NMI context without the lock are waiting. It does not depend on the zone,
 *	on other caches, or on the magazines of other CPUs.
 *
 *	In NMI context the lock may be held by the interrupted code or by another CPU, and the NMI
 *	cannot wait for it. If this CPU's magazines are empty too, the allocation takes a spare: one
 *	compare-and-exchange of a word of bits. Each spare that is not in the pool is live and was
 *	allocated in NMI context. So:
 *
 *	In NMI context, no allocation fails while fewer than nmi objects that were allocated in NMI
 *	context are live. With nmi = 0 it may fail while the lock is held, as in every cache.
 *
 * Beyond nr objects the cache takes slabs from the zone as any other, and gives back those above
 * the set-aside when they are empty. With MYALLOC_POOL_HARD it takes none: an allocation fails when
 * no slot of the set-aside is left, which is somewhere between nr and @slots of the statistics. A
 * limit of exactly nr would need a counter that all CPUs write.
 *
 * Spares are kept by the cache (object/spare.c), so that one that is freed by its address alone
 * comes back to the pool, too.
 *
 * Resizing upwards first sets slabs aside, then enlarges the magazines; downwards, first replaces
 * the magazines, then releases slabs. Magazines hold at most @held of the larger size meanwhile,
 * because they are drained before new ones are filled. The promise is for the smaller number until
 * the call returns.
 *
 * What breaks the promise: two overlapping frees of one object at the default level, or a slab that
 * is set aside because of damage. Both are reported; each costs its slots.
 *
 * Invariants
 *	O1  slots of the slabs set aside >= nr + held + 2 * nmi.
 *	O2  held = 2 * P * capacity <= nr / 4.
 *	O3  Spare i is MOVING while bit i of @spares.in is set, and belongs to the pool; otherwise
 *	    it is with a user, or MOVING on its way from or to one.
 *
 * Bounds: as for objects, without the zone's part: an allocation within nr takes at most one hold
 * of the cache's lock for a magazine and one for a single slot, each of at most MYALLOC_SCAN_MOST
 * units. A spare costs one compare-and-exchange, repeated only if another CPU has changed the word;
 * while spares are out, a free compares at most nmi addresses.
 *
 * Cost: an unused pool takes sizeof(struct myalloc_pool) + 8 * nmi, sizeof(struct myalloc_cache),
 * S slabs, and 16 * held bytes of magazines, with 64 bytes and four guard slots for each possible
 * CPU.
 */
#include "env.h"
#include "front/pool.h"
#include "object/cache.h"
#include "object/check.h"
#include "object/object.h"
#include "object/upkeep.h"
#include "page/zone_report.h"
#include "zone/finding.h"

/* A magazine of each CPU holds at most this part of nr. */
#define MAGAZINE_PART	8

/* --- size ---------------------------------------------------------------------------- */

/*
 * mutex held, or the pool is new. Set slabs aside for @nr objects, and give each CPU magazines of a
 * capacity that suits them.
 */
static int set_size(struct myalloc_pool *pool, u32 nr)
{
	struct myalloc_cache *cache = pool->cache;
	const struct myalloc_zone *zone = cache->zone;
	u32 cpus = num_possible_cpus(), before = cache->set_aside;
	u32 capacity = min(pool->most, nr / (MAGAZINE_PART * cpus));
	u32 held = 2 * cpus * capacity;
	u64 slabs = DIV_ROUND_UP_ULL((u64)nr + held + 2 * pool->nmi, cache->layout.objects);
	int err;

	if (slabs << cache->layout.order > zone->buddy.nr_frames)
		return -ENOMEM;
	err = myalloc_cache_set_aside(cache, max_t(u32, slabs, before));
	if (err)
		return err;
	err = myalloc_cache_fix_magazines(cache, capacity);
	myalloc_cache_set_aside(cache, err ? before : slabs);	/* no more than there are */
	if (err)
		return err;
	WRITE_ONCE(pool->nr, nr);
	WRITE_ONCE(pool->held, held);
	return 0;
}

/**
 * myalloc_pool_resize() - change the number of objects that an allocation cannot miss
 * @pool: the pool, which may be in use
 * @nr: their number, at least 1; fewer may be live than that, or more
 *
 * Until it returns, the smaller of the old and the new number holds. Slabs that are no longer set
 * aside return to the zone when they are empty.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: 0; -EINVAL if @nr is 0; -ENOMEM if the zone does not have so much, or there is no memory
 * for magazines; then nothing has changed.
 */
int myalloc_pool_resize(struct myalloc_pool *pool, unsigned int nr)
{
	int err;

	if (!nr)
		return -EINVAL;
	mutex_lock(&pool->mutex);
	err = set_size(pool, nr);
	mutex_unlock(&pool->mutex);
	return err;
}

/* O3 */
static void validate_spare(const struct myalloc_pool *pool, u32 i, struct myalloc_validation *v)
{
	const struct myalloc_cache *cache = pool->cache;
	/* Pairs with myalloc_spare_free(). */
	s64 before = atomic64_read_acquire(&pool->spares.in);
	u8 state = READ_ONCE(*myalloc_object_state(cache, pool->spares.object[i]));
	bool in = before & BIT_ULL(i);

	myalloc_env_point("pool-spare-seen");
	if (state == MYALLOC_SLOT_MOVING || (!in && state == myalloc_user_state(cache)))
		return;
	/* Unless it was taken or freed meanwhile. */
	if (atomic64_read(&pool->spares.in) == before)
		myalloc_finding(v, "O3: pool %s: spare %u is %s, its state is %u",
				pool->front.name, i, in ? "in the pool" : "out", state);
}

/* O1 to O3. */
static void validate(struct myalloc_front *front, struct myalloc_validation *v)
{
	struct myalloc_pool *pool = myalloc_pool_of(front);
	const struct myalloc_cache *cache = pool->cache;
	u64 slots, needed;
	u32 i;

	mutex_lock(&pool->mutex);
	slots = (u64)cache->set_aside * cache->layout.objects;
	needed = (u64)pool->nr + pool->held + 2 * pool->nmi;
	if (slots < needed)
		myalloc_finding(v, "O1: pool %s: %llu slots are set aside, %llu are needed",
				front->name, (unsigned long long)slots,
				(unsigned long long)needed);
	if (pool->held != 2 * num_possible_cpus() * cache->mags.capacity ||
	    pool->held > pool->nr / 4 || cache->mags.depot)
		myalloc_finding(v, "O2: pool %s: %u of %u slots are for magazines of %u",
				front->name, pool->held, pool->nr, cache->mags.capacity);
	mutex_unlock(&pool->mutex);
	for (i = 0; i < pool->nmi; i++)
		validate_spare(pool, i, v);
}

static int release(struct myalloc_front *front, bool poison)
{
	struct myalloc_pool *pool = myalloc_pool_of(front);
	u32 i;

	/* Spares that are out are LIVE; they go back to the pool, and not to the cache. */
	for (i = 0; i < pool->nmi; i++)
		if (~atomic64_read(&pool->spares.in) & BIT_ULL(i))
			myalloc_pool_free(pool, pool->spares.object[i]);
	myalloc_cache_empty(pool->cache, poison);
	return myalloc_pool_destroy(pool);
}

const struct myalloc_front_kind myalloc_pool_kind = {
	.name = "pool",
	.name_size = MYALLOC_CACHE_NAME,
	.validate = validate,
	.release = release,
};

/* --- create and destroy -------------------------------------------------------------- */

/**
 * myalloc_pool_create() - create an object pool
 * @zone: the zone that supplies its slabs
 * @args: name, size, alignment, number of objects, flags and constructor of the pool
 *
 * Takes all pages for @args->nr objects now, and some for those that magazines hold back: see
 * pool.c, The set-aside.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: the pool; ERR_PTR(-EINVAL) if the arguments are out of range or contradict each other,
 * which is reported, or as for myalloc_cache_create(); ERR_PTR(-ENOMEM) if the zone does not have
 * so much, or there is no memory for the pool or its magazines.
 */
struct myalloc_pool *myalloc_pool_create(struct myalloc_zone *zone,
					 const struct myalloc_pool_args *args)
{
	const struct myalloc_cache_args cache_args = {
		.name = args->name,
		.object_size = args->object_size,
		.align = args->align,
		.flags = args->flags & ~MYALLOC_POOL_HARD,
		.ctor = args->ctor,
		.client = args->client,
	};
	struct myalloc_cache *cache;
	struct myalloc_pool *pool;
	int err;

	if (!args->nr || args->nmi > MYALLOC_POOL_NMI_MAX) {
		myalloc_zone_err(zone, "an object pool has at least 1 object, not %u, and at most %d for NMIs, not %u",
				 args->nr, MYALLOC_POOL_NMI_MAX, args->nmi);
		return ERR_PTR(-EINVAL);
	}
	pool = myalloc_env_zalloc_charged(struct_size(pool, spares.object, args->nmi), zone->node);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	cache = myalloc_cache_create_bare(zone, &cache_args);
	if (IS_ERR(cache)) {
		myalloc_env_free(pool);
		return ERR_CAST(cache);
	}
	pool->cache = cache;
	pool->most = myalloc_cache_default_magazine(cache);
	pool->nmi = args->nmi;
	pool->flags = args->flags & MYALLOC_POOL_HARD;
	cache->fixed_slabs = pool->flags & MYALLOC_POOL_HARD;
	mutex_init(&pool->mutex);
	err = set_size(pool, args->nr);
	if (err) {
		myalloc_cache_destroy(cache);
		mutex_destroy(&pool->mutex);
		myalloc_env_free(pool);
		return ERR_PTR(err);
	}
	myalloc_spares_init(&pool->spares, cache, args->nmi, _RET_IP_);	/* from the set-aside */
	pool->front.client = args->client;
	pool->front.maker = _RET_IP_;
	/* The name was checked by the cache, which carries it. */
	myalloc_front_add(zone, &pool->front, &myalloc_pool_kind, args->name);
	return pool;
}

/**
 * myalloc_pool_destroy() - destroy an object pool
 * @pool: the pool, which is no longer in use; NULL is allowed
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: 0; -EBUSY if objects are still live. They are reported, with their owners if known, and
 * the pool remains usable, with all that it has set aside.
 */
int myalloc_pool_destroy(struct myalloc_pool *pool)
{
	struct myalloc_pool_stats stats;
	struct myalloc_cache *cache;

	if (!pool)
		return 0;
	cache = pool->cache;
	myalloc_cache_drain(cache);
	myalloc_pool_stats(pool, &stats);
	if (stats.live_objects) {
		myalloc_debug_report_live(cache);
		return -EBUSY;
	}
	myalloc_front_remove(&pool->front);
	myalloc_spares_fini(&pool->spares, cache, _RET_IP_);
	myalloc_cache_set_aside(cache, 0);
	myalloc_cache_destroy(cache);
	mutex_destroy(&pool->mutex);
	myalloc_env_free(pool);
	return 0;
}

/* --- alloc and free ------------------------------------------------------------------ */

/* In NMI context the cache has no object that is within reach. */
static noinline void *alloc_spare(struct myalloc_pool *pool, myalloc_flags_t flags,
				  unsigned long caller)
{
	if (flags & ~MYALLOC_OBJECT_FLAGS_ALL)	/* already reported */
		return NULL;
	return myalloc_spare_alloc(&pool->spares, pool->cache, flags, caller);
}

static __always_inline void *alloc_for(struct myalloc_pool *pool, myalloc_flags_t flags,
				       unsigned long caller)
{
	void *object = myalloc_cache_alloc_for(pool->cache, flags, caller);

	if (unlikely(!object) && in_nmi())
		object = alloc_spare(pool, flags, caller);
	return object;
}

static noinline void *alloc_traced(struct myalloc_pool *pool, myalloc_flags_t flags,
				   unsigned long caller)
{
	void *object = alloc_for(pool, flags, caller);

	if (object)
		myalloc_cache_trace_alloc(pool->cache, flags, object, caller);
	return object;
}

/**
 * myalloc_pool_alloc() - allocate an object
 * @pool: the pool
 * @flags: MYALLOC_ZERO, MYALLOC_MAY_WAIT
 *
 * Context: any. With MYALLOC_MAY_WAIT: task context that may sleep.
 * Return: the object; NULL if as many objects are live as the pool was made for (see &struct
 * myalloc_pool_args) and no further one is available, or if another flag is set, which is reported.
 */
void *myalloc_pool_alloc(struct myalloc_pool *pool, myalloc_flags_t flags)
{
	if (unlikely(myalloc_env_trace_on(cache_alloc)))
		return alloc_traced(pool, flags, _RET_IP_);
	return alloc_for(pool, flags, _RET_IP_);
}

static noinline int free_traced(struct myalloc_pool *pool, void *object, unsigned long caller)
{
	myalloc_cache_trace_free(pool->cache, object, caller);
	return myalloc_spares_free(&pool->spares, pool->cache, object, caller);
}

/**
 * myalloc_pool_free() - free an object
 * @pool: the pool it was allocated from
 * @object: its address; any value is safe
 *
 * myalloc_free() does the same.
 *
 * Context: any.
 * Return: 0; -EINVAL if no allocated object of this pool begins at @object. The wrong free is
 * reported and counted, and changes nothing.
 */
int myalloc_pool_free(struct myalloc_pool *pool, void *object)
{
	if (unlikely(myalloc_env_trace_on(cache_free)))
		return free_traced(pool, object, _RET_IP_);
	return myalloc_spares_free(&pool->spares, pool->cache, object, _RET_IP_);
}

/* --- look ---------------------------------------------------------------------------- */

/**
 * myalloc_pool_stats() - read the statistics of a pool
 * @pool: the pool
 * @stats: out; exact while no operation is in progress
 *
 * Context: task.
 */
void myalloc_pool_stats(struct myalloc_pool *pool, struct myalloc_pool_stats *stats)
{
	u64 spares = hweight64(atomic64_read(&pool->spares.in));
	struct myalloc_cache_stats c;

	memset(stats, 0, sizeof(*stats));
	myalloc_cache_stats(pool->cache, &c);
	stats->id = pool->front.id;
	stats->object_size = c.object_size;
	stats->align = c.align;
	stats->flags = c.flags | (__force u32)pool->flags;
	stats->nmi = pool->nmi;
	stats->magazine = c.magazine;
	stats->nr = READ_ONCE(pool->nr);
	stats->held = READ_ONCE(pool->held);
	stats->slabs_set_aside = data_race(pool->cache->set_aside);	/* a snapshot */
	stats->slots = stats->slabs_set_aside * c.objects_per_slab;
	stats->slabs = c.slabs;
	stats->pages = c.slabs << c.order;
	stats->live_objects = c.live_objects > spares ? c.live_objects - spares : 0;
	stats->cached_objects = c.cached_objects;
	stats->deferred_objects = c.deferred_objects;
	stats->spares = spares;
	stats->spare_allocs = atomic64_read(&pool->spares.allocs);	/* after @in was read */
	/* The spares were allocated once by the pool itself; their way back passes the cache by. */
	stats->allocs = c.allocs - pool->nmi + stats->spare_allocs;
	stats->frees = c.frees + stats->spare_allocs - (pool->nmi - spares);
	stats->fails = c.fails > stats->spare_allocs ? c.fails - stats->spare_allocs : 0;
	stats->bad_frees = c.bad_frees;
	strscpy(stats->name, c.name, sizeof(stats->name));
}
