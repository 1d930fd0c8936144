// SPDX-License-Identifier: GPL-2.0
/*
 * Upkeep of caches: sizing their magazines and reclaiming unused memory
 *
 * The zone's worker sizes the magazines. If the magazines of a cache are often empty, they grow to
 * the default size, provided that the limits for all caches together allow it. Caches that are not
 * used lose theirs. The worker also returns the empty slabs of caches that have not been used since
 * its last pass. A request that finds no block harvests at most RECLAIM_SLABS slabs, of any caches,
 * and reclaims from this CPU's magazines of RECLAIM_CACHES caches in turn.
 */
#include "env.h"
#include "object/limbo.h"
#include "object/object.h"
#include "object/slab.h"
#include "object/upkeep.h"
#include "page/drain.h"
#include "page/zone_report.h"

/* Slabs that a request without a block takes from limbo, and caches that it visits. */
#define RECLAIM_SLABS	16
#define RECLAIM_CACHES	32
/* Operations past its magazines between two passes of the worker that make a cache hungry. */
#define HUNGRY_OPS	64
/*
 * Passes of the worker after which an unused cache loses its magazines: ten seconds, less while
 * slabs pass through limbo.
 */
#define IDLE_RUNS	25

/*
 * Size of magazines: MAGAZINE objects, or fewer large ones, so that a magazine holds at most
 * MAGAZINE_BYTES. The memory of one cache's magazines themselves is at most 1/4096 of the zone's,
 * until they turn out to be empty often; the objects in them are at most 1/16 of it. The batch is
 * chosen so that the longest flush, in which each object is the last one of its slab, takes about
 * 3,000 instructions ('make bench-icount', worst/object).
 *
 * The magazines of all caches together hold objects of at most 1/ROOM_SHARE of the zone and occupy
 * at most 1/META_SHARE of its memory themselves, including their part for each possible CPU. A
 * cache gets at most half of the rest of either share, so that some is always left for the next
 * cache. If the creator of a cache asks for a number of objects, it is granted regardless, and
 * counted.
 *
 * Number of CPUs: a cache begins with places for MYALLOC_FIRST_PLACES, or without magazines if more
 * than half of either share is taken. If a CPU finds no place, the worker doubles their number
 * (drain.c). If the creator asks for a number of objects, every online CPU has a place from the
 * start.
 */
#define MAGAZINE	64
#define MAGAZINE_BYTES	262144
#define MAGAZINE_BATCH	12
#define DEPOT		16
#define ROOM_SHARE	8
#define META_SHARE	64

/* Bytes of objects that magazines of a shape hold; below, bytes that they occupy themselves. */
static u64 shape_room(const struct myalloc_cache *c, const struct myalloc_magazine_shape *s)
{
	return (u64)myalloc_magazine_shape_nr(s) * s->capacity * c->layout.slot_size;
}

static u64 shape_meta(const struct myalloc_magazine_shape *s)
{
	return s->capacity ? myalloc_magazine_shape_bytes(s) +
			     sizeof(struct myalloc_magazine_cpu) * num_possible_cpus() : 0;
}

/*
 * The part of a share available to a cache that already has @has of it, when all caches together
 * have @taken.
 */
static u64 share_left(u64 share, u64 taken, u64 has)
{
	return share > taken - has ? (share - (taken - has)) / 2 : 0;
}

static u32 get_batch(const struct myalloc_cache *cache, u32 capacity)
{
	u32 batch = MAGAZINE_BATCH;

	if (cache->flags & MYALLOC_RANDOM)	/* each object may scan all bits of a slab */
		batch = clamp_t(u32, MYALLOC_SCAN_MOST / cache->layout.objects, 1, MAGAZINE_BATCH);
	return min(capacity, batch);
}

/* caches_mutex held. Compute the shape of magazines, given the @capacity wanted for @cpus CPUs. */
static void get_shape(const struct myalloc_cache *cache, u32 capacity, u32 cpus,
		      struct myalloc_magazine_shape *shape)
{
	const struct myalloc_zone *zone = cache->zone;
	u64 bytes = (u64)zone->buddy.nr_frames << PAGE_SHIFT;
	u64 room = share_left(bytes / ROOM_SHARE, zone->magazine_room, cache->room);
	u64 meta = share_left(bytes / META_SHARE, zone->magazine_meta, cache->meta);
	u64 most = cache->hungry ? meta : bytes / 4096;

	shape->capacity = capacity;
	shape->depot = 0;
	shape->cpus = cpus;
	/* A number that the creator asked for is granted. */
	while (!cache->magazine && shape->capacity &&
	       (myalloc_magazine_shape_bytes(shape) > most || shape_meta(shape) > meta ||
		shape_room(cache, shape) > room))
		shape->capacity /= 2;
	if (shape->capacity)
		shape->depot = DEPOT;
	while (shape->depot &&
	       (myalloc_magazine_shape_bytes(shape) > most || shape_meta(shape) > meta ||
		shape_room(cache, shape) > room))
		shape->depot--;
	shape->batch = get_batch(cache, shape->capacity);
}

/*
 * caches_mutex held. Charge magazines of this shape to the zone's shares, and uncharge what the
 * cache had before.
 */
static void account(struct myalloc_cache *cache, const struct myalloc_magazine_shape *shape)
{
	struct myalloc_zone *zone = cache->zone;
	u64 room = shape_room(cache, shape), meta = shape_meta(shape);

	zone->magazine_room += room - cache->room;
	zone->magazine_meta += meta - cache->meta;
	cache->room = room;
	cache->meta = meta;
}

/**
 * myalloc_default_magazine() - capacity of magazines for objects of a size
 * @slot_size: bytes of a slot
 * @flags: flags of the cache
 *
 * Context: any.
 * Return: objects in a magazine; 0 if a cache with these flags has no magazines.
 */
u32 myalloc_default_magazine(u32 slot_size, myalloc_cache_flags_t flags)
{
	if (flags & (MYALLOC_CHECKS | MYALLOC_NO_MAGAZINE))
		return 0;
	/* At least 1: a slot is no larger than an object or a page. */
	return min_t(u32, MAGAZINE_BYTES / slot_size, MAGAZINE);
}

/**
 * myalloc_cache_default_magazine() - capacity of magazines if the shares allow it
 * @cache: the cache
 *
 * Context: any.
 * Return: objects in a magazine; 0 if the worker must not change its magazines.
 */
u32 myalloc_cache_default_magazine(const struct myalloc_cache *cache)
{
	if (cache->magazine || cache->resized)
		return 0;
	return myalloc_default_magazine(cache->layout.slot_size, cache->flags);
}

/**
 * myalloc_zone_magazines_short() - is more than half of either share of magazines taken?
 * @zone: the zone; its caches_mutex is held
 *
 * Context: task.
 * Return: true if a new cache is to begin without magazines.
 */
bool myalloc_zone_magazines_short(const struct myalloc_zone *zone)
{
	u64 bytes = (u64)zone->buddy.nr_frames << PAGE_SHIFT;

	return zone->magazine_room > bytes / ROOM_SHARE / 2 ||
	       zone->magazine_meta > bytes / META_SHARE / 2;
}

/**
 * myalloc_cache_slow_only() - does every operation of a cache take the slow path?
 * @cache: the cache
 *
 * Context: any.
 * Return: true if it zeroes objects, or is not of the default level.
 */
bool myalloc_cache_slow_only(const struct myalloc_cache *cache)
{
	return cache->level || cache->flags & (MYALLOC_ZERO_ALLOC | MYALLOC_ZERO_FREE);
}

/* A CPU found no magazines. Context: any, preemption off. */
static void missed(void *cache)
{
	struct myalloc_cache *c = cache;

	myalloc_zone_want_magazines(c->zone);
}

/* A CPU uses magazines that were unused. Context: any, preemption off. */
static void used(void *cache)
{
	struct myalloc_cache *c = cache;

	myalloc_zone_use(c->zone);
}

/* caches_mutex and cpus_read_lock held. The number of CPUs that the next magazines serve. */
static u32 more_places(const struct myalloc_cache *c)
{
	return c->magazine ? num_online_cpus() : myalloc_magazines_more_places(&c->mags);
}

/* May the cache have magazines at all? */
static bool may_have_magazines(const struct myalloc_cache *c)
{
	return !(c->flags & (MYALLOC_CHECKS | MYALLOC_NO_MAGAZINE));
}

/**
 * myalloc_upkeep_prepare() - allocate memory for myalloc_upkeep_begin(), which must not wait
 * @c: the cache
 * @lean: as for myalloc_upkeep_begin()
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM.
 */
int myalloc_upkeep_prepare(struct myalloc_cache *c, bool lean)
{
	if (lean || !may_have_magazines(c))
		return 0;
	c->mags.prepared = myalloc_magazines_prepare();
	return c->mags.prepared ? 0 : -ENOMEM;
}

/**
 * myalloc_upkeep_begin() - create the magazines of a new cache
 * @c: the cache, prepared; the zone's caches_mutex and cpus_read_lock() are held
 * @lean: no magazines until the worker sees that they are needed
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM.
 */
int myalloc_upkeep_begin(struct myalloc_cache *c, bool lean)
{
	bool may = may_have_magazines(c);
	u32 cpus = c->magazine ? num_online_cpus() : min(num_online_cpus(), MYALLOC_FIRST_PLACES);
	struct myalloc_magazine_shape shape = { 0 };
	int err;

	if (may && !lean && (c->magazine || !myalloc_zone_magazines_short(c->zone)))
		get_shape(c, c->magazine ?: myalloc_cache_default_magazine(c), cpus, &shape);
	/* The last magazines of pages never have any capacity. */
	err = myalloc_magazines_make(&c->mags, &shape, c->zone->pcp[MYALLOC_PCP_LISTS].cpu,
				     c->zone->node);
	if (err)
		return err;
	account(c, &shape);
	c->mags.fresh = myalloc_cache_fresh;
	c->mags.drop = myalloc_cache_drop;
	c->mags.missed = may ? missed : NULL;
	c->mags.used = used;
	c->mags.owner = c;
	if (shape.capacity)	/* the worker frees them if the cache is not used */
		myalloc_zone_wake(c->zone);
	if (myalloc_cache_slow_only(c))
		c->mags.epoch = MYALLOC_EPOCH_NEVER;
	c->stock.mags = &c->mags;
	c->stock.flush = myalloc_cache_flush;
	c->stock.owner = c;
	list_add_tail(&c->stock.link, &c->zone->objects.stocks);
	return 0;
}

/**
 * myalloc_upkeep_stop() - take the magazines of a cache out of the zone's drains
 * @cache: the cache; the zone's caches_mutex is held
 *
 * Context: task.
 */
void myalloc_upkeep_stop(struct myalloc_cache *cache)
{
	list_del(&cache->stock.link);
}

/**
 * myalloc_upkeep_end() - free the magazines of a cache
 * @c: the cache; the zone's caches_mutex is held
 *
 * Context: task, may sleep.
 */
void myalloc_upkeep_end(struct myalloc_cache *c)
{
	c->zone->magazine_room -= c->room;
	c->zone->magazine_meta -= c->meta;
	myalloc_magazines_fini(&c->mags);
}

/* caches_mutex and cpus_read_lock held. Replace the magazines of a cache by those of a shape. */
static int remake(struct myalloc_cache *c, const struct myalloc_magazine_shape *shape)
{
	struct myalloc_limbo *limbo = &c->zone->limbo;
	unsigned long irq;
	int err;

	err = myalloc_magazines_remake(&c->mags, shape, c->zone->node, myalloc_cache_flush, c);
	if (!err)
		account(c, shape);
	raw_spin_lock_irqsave(&limbo->lock, irq);	/* keeps the age constant */
	if (!myalloc_cache_slow_only(c))
		WRITE_ONCE(c->mags.epoch, c->mags.age);
	WRITE_ONCE(c->mags.inner_epoch, c->mags.age);
	raw_spin_unlock_irqrestore(&limbo->lock, irq);
	return err;
}

/* The same for a capacity and the number of CPUs that more_places() gives. */
static int remake_as(struct myalloc_cache *c, u32 capacity)
{
	struct myalloc_magazine_shape shape;

	get_shape(c, capacity, more_places(c), &shape);
	return remake(c, &shape);
}

/* A per-CPU part for magazines of that capacity, allocated before the mutex is taken. */
static int prepare(u32 capacity, struct myalloc_magazine_cpu __percpu **prepared)
{
	*prepared = capacity ? myalloc_magazines_prepare() : NULL;
	return capacity && !*prepared ? -ENOMEM : 0;
}

/**
 * myalloc_cache_resize() - change the capacity of a cache's magazines
 * @cache: the cache, which may be in use
 * @capacity: objects in a magazine, at most MYALLOC_MAGAZINE_MAX; 0 for no magazines. It is reduced
 *	if the magazines of all caches would exceed their shares, unless the creator of the cache
 *	asked for a number of objects.
 *
 * The worker does not change the capacity any more.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: 0; -EINVAL if the capacity is out of range or the cache cannot have magazines, or if it
 * is that of a contract, which is reported; -ENOMEM, in which case nothing has changed.
 */
int myalloc_cache_resize(struct myalloc_cache *cache, u32 capacity)
{
	unsigned int noio;
	struct myalloc_magazine_cpu __percpu *prepared;
	int err;

	if (capacity > MYALLOC_MAGAZINE_MAX ||
	    cache->flags & (MYALLOC_CHECKS | MYALLOC_NO_MAGAZINE))
		return -EINVAL;
	if (cache->zone->limit) {
		myalloc_zone_err(cache->zone, "cache %s: its magazines stay as the contract was planned, with %u objects each, not %u",
				 cache->name, cache->mags.capacity, capacity);
		return -EINVAL;
	}
	err = prepare(capacity, &prepared);
	if (err)
		return err;
	myalloc_env_cpus_read_lock();
	noio = myalloc_caches_lock(cache->zone);
	cache->mags.prepared = prepared;
	err = remake_as(cache, capacity);
	if (!err) {
		cache->resized = true;
		/* Without magazines no CPU asks for any. */
		WRITE_ONCE(cache->mags.missed, cache->mags.capacity ? missed : NULL);
		WRITE_ONCE(cache->mags.wanted, false);
	}
	myalloc_caches_unlock(cache->zone, noio);
	myalloc_env_cpus_read_unlock();
	return err;
}

/* --- setting slabs aside ------------------------------------------------------------- */

/**
 * myalloc_cache_fix_magazines() - give each possible CPU magazines of a constant capacity
 * @cache: the cache, which may be in use
 * @capacity: objects in a magazine, at most MYALLOC_MAGAZINE_MAX; 0 for no magazines. Not reduced
 *	if the magazines of all caches exceed their shares
 *
 * There is no depot, so the magazines never hold more than 2 * @capacity objects for each possible
 * CPU, also while they are replaced. Nothing but this function and myalloc_cache_resize(), which
 * refuses caches of contracts, changes them.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: 0; -ENOMEM, in which case nothing has changed.
 */
int myalloc_cache_fix_magazines(struct myalloc_cache *cache, u32 capacity)
{
	const struct myalloc_magazine_shape shape = {
		.capacity = capacity,
		.batch = get_batch(cache, capacity),
		.cpus = num_possible_cpus(),
	};
	struct myalloc_magazine_cpu __percpu *prepared;
	unsigned int noio;
	int err;

	err = prepare(capacity, &prepared);
	if (err)
		return err;
	myalloc_env_cpus_read_lock();
	noio = myalloc_caches_lock(cache->zone);
	cache->mags.prepared = prepared;
	if (capacity != cache->mags.capacity)
		err = remake(cache, &shape);
	else
		myalloc_magazines_unprepare(&cache->mags);
	if (!err) {
		cache->resized = true;
		WRITE_ONCE(cache->mags.missed, NULL);
	}
	myalloc_caches_unlock(cache->zone, noio);
	myalloc_env_cpus_read_unlock();
	return err;
}

/*
 * Add the new slab at @frame, if there is one, and set aside slabs that the lists hold, up to
 * @slabs. Returns true if that many are set aside now.
 */
static bool set_aside(struct myalloc_cache *cache, struct myalloc_frame *frame, u32 slabs)
{
	unsigned long irq;
	bool enough;

	raw_spin_lock_irqsave(&cache->lock, irq);
	if (frame)
		__myalloc_slab_add(cache, frame);
	cache->set_aside = min(slabs, myalloc_cache_slabs(cache));	/* S8 */
	enough = cache->set_aside == slabs;
	raw_spin_unlock_irqrestore(&cache->lock, irq);
	return enough;
}

/**
 * myalloc_cache_set_aside() - set the number of slabs that a cache keeps, in use or not
 * @cache: the cache, which may be in use; the caller excludes other calls for it
 * @slabs: their number
 *
 * Slabs that are missing are taken from the zone now. Those above the number go back when they are
 * empty, as in every cache.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: 0; -ENOMEM if the zone does not have so many, in which case nothing has changed.
 */
int myalloc_cache_set_aside(struct myalloc_cache *cache, u32 slabs)
{
	u32 before = cache->set_aside;
	struct myalloc_frame *frame = NULL;
	int err = 0;

	while (!set_aside(cache, frame, slabs)) {
		frame = myalloc_slab_make(cache);
		if (!frame) {
			myalloc_zone_make_room(cache->zone, cache->layout.order);
			frame = myalloc_slab_make(cache);
		}
		if (!frame) {
			set_aside(cache, NULL, before);
			err = -ENOMEM;
			break;
		}
		cond_resched();
	}
	if (cache->set_aside <= before)
		myalloc_cache_trim(cache, 0);
	return err;
}

/* --- whole caches -------------------------------------------------------------------- */

/**
 * myalloc_cache_drain() - return the objects in magazines and deferred frees to their slabs
 * @cache: the cache
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: number of objects returned.
 */
unsigned long myalloc_cache_drain(struct myalloc_cache *cache)
{
	u64 before = data_race(cache->free_slots), after;	/* a sum of moments */

	myalloc_stock_drain(cache->zone, &cache->stock);
	myalloc_cache_reap(cache);
	after = data_race(cache->free_slots);	/* a sum of moments */
	return after > before ? after - before : 0;
}

/**
 * myalloc_cache_shrink() - drain a cache and return its empty slabs to the zone
 * @cache: the cache
 *
 * Waits for a grace period.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: pages returned.
 */
unsigned long myalloc_cache_shrink(struct myalloc_cache *cache)
{
	u32 before = myalloc_cache_slabs(cache), after;

	myalloc_cache_drain(cache);
	myalloc_cache_trim(cache, 0);
	myalloc_limbo_finish(cache->zone, cache);
	after = myalloc_cache_slabs(cache);
	return after < before ? (unsigned long)(before - after) << cache->layout.order : 0;
}

/* --- the worker ----------------------------------------------------------------------- */

/* caches_mutex held. Trim an idle cache. Returns true if it has more that may become idle. */
static bool trim_cache(struct myalloc_cache *c)
{
	u64 now = myalloc_magazines_moves(&c->mags) + data_race(c->generation);	/* a hint */
	bool idle = now == c->seen;

	if (atomic64_read(&c->deferred.nr))
		myalloc_cache_reap(c);
	c->idle = idle ? c->idle + 1 : 0;
	if (idle)
		myalloc_magazines_drain_depot(&c->mags, myalloc_cache_flush, c);
	myalloc_cache_trim(c, idle ? 0 : MYALLOC_EMPTY_KEEP);
	/* The changes made here do not count as use. */
	c->seen = myalloc_magazines_moves(&c->mags) + data_race(c->generation);	/* a hint */
	return data_race(c->nr[MYALLOC_SLABS_EMPTY]) || myalloc_magazines_count(&c->mags);
}

/* caches_mutex and cpus_read_lock held. Give a cache larger magazines, if the shares allow it. */
static void feed(struct myalloc_cache *c)
{
	struct myalloc_magazine_shape shape;

	c->hungry = true;
	get_shape(c, myalloc_cache_default_magazine(c), more_places(c), &shape);
	if (shape.capacity > c->mags.capacity)
		remake(c, &shape);
}

/*
 * caches_mutex and cpus_read_lock held. Enlarge the magazines of the hungriest cache, if the shares
 * allow it, and free those of caches that have been idle for IDLE_RUNS. Returns true if there are
 * magazines left to free, or a CPU that found none may ask again.
 */
static bool resize_caches(struct myalloc_zone *zone)
{
	struct myalloc_cache *cache, *hungry = NULL;
	u64 most = HUNGRY_OPS;
	bool any = false;

	list_for_each_entry(cache, &zone->caches, link) {
		u32 want = myalloc_cache_default_magazine(cache);
		u64 slow = atomic64_read(&cache->mags.refills);

		/* A hint, so it need not be exact. */
		slow += data_race(cache->flushes + cache->allocs + cache->frees);
		if (cache->mags.capacity < want && slow - cache->seen_slow > most) {
			most = slow - cache->seen_slow;
			hungry = cache;
		}
		cache->seen_slow = slow;
		any |= READ_ONCE(cache->mags.wanted);
		WRITE_ONCE(cache->mags.wanted, false);
		if (!want || !cache->mags.capacity)
			continue;
		any = true;
		if (cache->idle >= IDLE_RUNS) {
			cache->hungry = false;
			remake_as(cache, 0);
		}
	}
	if (hungry)
		feed(hungry);
	return any;
}

/* --- callbacks of the zone; see base/drainer.h ------------------------------------------ */

static struct myalloc_zone *zone_of(struct myalloc_drainer *drainer)
{
	return container_of(drainer, struct myalloc_zone, objects);
}

/* Preemption off. Return the zone's caches in turn; NULL for a number that is not in use. */
static struct myalloc_cache *next_cache(struct myalloc_zone *zone)
{
	u32 id = READ_ONCE(zone->reclaim_id) + 1;	/* races are harmless */

	if (id > READ_ONCE(zone->last_id))
		id = 1;
	WRITE_ONCE(zone->reclaim_id, id);
	return smp_load_acquire(&zone->cache_by_id[id]);	/* pairs with enlist() of cache.c */
}

/* Reclaim slabs from limbo and objects from this CPU's magazines of some caches. */
static bool reclaim_objects(struct myalloc_drainer *drainer, u32 *most)
{
	struct myalloc_zone *zone = zone_of(drainer);
	u32 pages = myalloc_limbo_harvest(zone, RECLAIM_SLABS), used = 0, i;
	struct myalloc_cache *cache;

	preempt_disable();	/* keeps the caches, too: they are freed after a grace period */
	for (i = 0; i < RECLAIM_CACHES && *most; i++) {
		cache = next_cache(zone);
		if (cache)
			used += myalloc_stock_reclaim(&cache->stock, most);
	}
	preempt_enable();
	if (used)
		pages += myalloc_limbo_harvest(zone, RECLAIM_SLABS);
	return pages || used;
}

static void drain_objects(struct myalloc_drainer *drainer)
{
	struct myalloc_cache *cache;

	list_for_each_entry(cache, &zone_of(drainer)->caches, link) {
		myalloc_cache_reap(cache);
		myalloc_cache_trim(cache, 0);
	}
}

static void finish_objects(struct myalloc_drainer *drainer)
{
	myalloc_limbo_finish(zone_of(drainer), NULL);
}

static bool tend_objects(struct myalloc_drainer *drainer)
{
	struct myalloc_zone *zone = zone_of(drainer);
	struct myalloc_cache *cache;
	bool any = false;

	list_for_each_entry(cache, &zone->caches, link)
		any |= trim_cache(cache);
	return resize_caches(zone) || any;
}

static void renew_objects(struct myalloc_drainer *drainer)
{
	struct myalloc_zone *zone = zone_of(drainer);
	struct myalloc_cache *cache;
	unsigned long irq;

	list_for_each_entry(cache, &zone->caches, link) {
		raw_spin_lock_irqsave(&zone->limbo.lock, irq);
		myalloc_magazines_next_epoch(&cache->mags);
		raw_spin_unlock_irqrestore(&zone->limbo.lock, irq);
	}
}

static unsigned int settle_objects(struct myalloc_drainer *drainer)
{
	return myalloc_limbo_settle(zone_of(drainer));
}

/* Make magazines for more CPUs, unless the shares would then leave no capacity at all. */
static void serve_cache(struct myalloc_cache *c)
{
	u32 want = myalloc_cache_default_magazine(c) ?: c->mags.capacity;
	struct myalloc_magazine_shape shape;

	if (!myalloc_magazines_places_left(&c->mags)) {
		get_shape(c, want, more_places(c), &shape);
		if (!shape.capacity || remake(c, &shape))
			return;
	}
	WRITE_ONCE(c->mags.wanted, false);
}

static void serve_objects(struct myalloc_drainer *drainer)
{
	struct myalloc_cache *cache;

	list_for_each_entry(cache, &zone_of(drainer)->caches, link)
		if (READ_ONCE(cache->mags.wanted))
			serve_cache(cache);
}

static const struct myalloc_drainer_ops drainer_ops = {
	.reclaim = reclaim_objects,
	.drain = drain_objects,
	.finish = finish_objects,
	.tend = tend_objects,
	.settle = settle_objects,
	.renew = renew_objects,
	.serve = serve_objects,
};

/**
 * myalloc_upkeep_init() - initialise the caches of a new zone
 * @zone: the zone
 *
 * Context: task; the caller is the only user of the zone.
 */
void myalloc_upkeep_init(struct myalloc_zone *zone)
{
	INIT_LIST_HEAD(&zone->caches);
	myalloc_limbo_init(zone);
	myalloc_drainer_add(zone, &zone->objects, MYALLOC_KIND_OBJECTS, &drainer_ops);
}
