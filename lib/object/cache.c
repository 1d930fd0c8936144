// SPDX-License-Identifier: GPL-2.0
/*
 * Caches as a whole: creating them, their statistics, walking over them, destroying them. Alloc and
 * free are in object.c.
 */
#include "env.h"
#include "object/cache.h"
#include "object/slab_layout.h"
#include "object/track.h"
#include "object/upkeep.h"
#include "page/drain.h"
#include "page/zone_report.h"

/* Largest order of a slab, unless an object needs a larger one. */
#define ORDER_MOST	3

/* --- make and end ----------------------------------------------------------------- */

/**
 * myalloc_cache_good_name() - check the name of a cache
 * @name: the name
 *
 * Only ASCII letters are allowed. The kernel's isalnum() also accepts those of Latin-1, which are
 * not valid in the UTF-8 that all other text here is.
 *
 * Context: any.
 * Return: true if the name has 1 to MYALLOC_CACHE_NAME - 1 bytes, all of them allowed, and can be
 * the name of a file.
 */
bool myalloc_cache_good_name(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strspn(name, allowed);

	return len && name[len] == '\0' && len < MYALLOC_CACHE_NAME &&
	       strcmp(name, ".") && strcmp(name, "..");
}

static int check_args(struct myalloc_zone *zone, const struct myalloc_cache_args *args)
{
	if (!args->name || !myalloc_cache_good_name(args->name)) {
		myalloc_zone_err(zone, "a cache's name has 1 to %d ASCII letters, digits, '-', '_', '.'",
				 MYALLOC_CACHE_NAME - 1);
		return -EINVAL;
	}
	if (args->flags & ~MYALLOC_CACHE_FLAGS_ALL) {
		myalloc_zone_err(zone, "cache %s: unknown flags 0x%x", args->name,
				 (__force u32)(args->flags & ~MYALLOC_CACHE_FLAGS_ALL));
		return -EINVAL;
	}
	if (args->magazine > MYALLOC_MAGAZINE_MAX) {
		myalloc_zone_err(zone, "cache %s: magazine of %u objects exceeds the maximum of %d",
				 args->name, args->magazine, MYALLOC_MAGAZINE_MAX);
		return -EINVAL;
	}
	if ((args->flags & MYALLOC_CERTAIN) && (args->flags & MYALLOC_TRUSTING)) {
		myalloc_zone_err(zone, "cache %s: certain and trusting exclude each other",
				 args->name);
		return -EINVAL;
	}
	if (args->flags & MYALLOC_TYPESAFE_RCU &&
	    args->flags & (MYALLOC_POISON | MYALLOC_ZERO_ALLOC | MYALLOC_ZERO_FREE)) {
		myalloc_zone_err(zone, "cache %s: typesafe by RCU excludes poison and zeroing",
				 args->name);
		return -EINVAL;
	}
	if (args->ctor && args->flags & (MYALLOC_POISON | MYALLOC_ZERO_ALLOC | MYALLOC_ZERO_FREE)) {
		myalloc_zone_err(zone, "cache %s: a constructor excludes poison and zeroing",
				 args->name);
		return -EINVAL;
	}
	if (args->client && args->client->zone != zone) {
		myalloc_zone_err(zone, "cache %s: client %s is one of zone %s", args->name,
				 args->client->name, args->client->zone->name);
		return -EINVAL;
	}
	return 0;
}

/* caches_mutex held. Report that the name is in use by @c, and who created @c. */
static void report_in_the_way(struct myalloc_cache *c)
{
	struct myalloc_reports *reports = &c->zone->reports;
	struct myalloc_cache_stats stats;
	struct myalloc_report *report;
	unsigned long irq;

	myalloc_cache_stats(c, &stats);
	report = myalloc_report_begin(reports, &irq);
	if (!report)
		return;
	myalloc_report_add(report, "cache %s: the name is already used by cache %u, ", c->name,
			   c->id);
	myalloc_report_add(report, "of objects of %u bytes, created ", c->layout.object_size);
	if (c->maker) {
		myalloc_report_add(report, "at ");
		myalloc_report_symbol(report, c->maker);
	} else {
		myalloc_report_add(report, "by a heap, object pool or contract");
	}
	if (c->client)
		myalloc_report_add(report, " for client %s of %s", c->client->name,
				   c->client->owner_name);
	myalloc_report_add(report, ", with %llu object%s in use", stats.live_objects,
			   myalloc_s(stats.live_objects));
	myalloc_report_end(reports, report, irq);
}

/* caches_mutex held. Give the cache a number and add it to the list. */
static int enlist(struct myalloc_cache *c)
{
	struct myalloc_zone *zone = c->zone;
	struct myalloc_cache *other;
	u32 id;

	list_for_each_entry(other, &zone->caches, link) {
		if (strcmp(other->name, c->name))
			continue;
		report_in_the_way(other);
		return -EEXIST;
	}
	for (id = 1; id < MYALLOC_CACHES_MAX; id++)
		if (!zone->cache_by_id[id])
			break;
	if (id == MYALLOC_CACHES_MAX) {
		myalloc_zone_err(zone, "cache %s: the limit of %d caches is reached", c->name,
				 MYALLOC_CACHES_MAX - 1);
		return -ENOSPC;
	}
	c->id = id;
	c->tag = myalloc_frame_tag(MYALLOC_FRAME_SLAB, c->layout.order, id);
	c->limbo_tag = myalloc_frame_tag(MYALLOC_FRAME_LIMBO, c->layout.order, id);
	/* The cache is complete: a reclaim may use it from now on. Pairs with next_cache(). */
	smp_store_release(&zone->cache_by_id[id], c);
	WRITE_ONCE(zone->last_id, max(zone->last_id, id));
	list_add_tail(&c->link, &zone->caches);
	WRITE_ONCE(zone->nr_caches, zone->nr_caches + 1);
	return 0;
}

/* Is more than an eighth of each slab in no slot? */
static bool loses_much(const struct myalloc_slab_layout *l)
{
	u32 bytes = PAGE_SIZE << l->order;

	return bytes - l->objects * l->slot_size > bytes / 8;
}

static bool keeps_content(const struct myalloc_cache_args *args)
{
	return args->ctor || args->flags & MYALLOC_TYPESAFE_RCU;
}

/* @checks: beside the zone's. @roomy: slabs may be larger where small ones would lose much. */
static int lay_out(struct myalloc_zone *zone, const struct myalloc_cache_args *args,
		   myalloc_cache_flags_t checks, bool roomy, struct myalloc_slab_layout *layout,
		   myalloc_cache_flags_t *flags)
{
	unsigned int max_order = min_t(unsigned int, ORDER_MOST, zone->chunk_order);
	bool keeps = keeps_content(args);
	int err;

	err = check_args(zone, args);
	if (err)
		return err;
	*flags = args->flags | zone->checks | checks;
	if (keeps)	/* overrides the zone's poison */
		*flags &= ~MYALLOC_POISON;
	err = myalloc_slab_layout(layout, args->object_size, args->align, *flags, keeps,
				  max_order);
	if (err == -E2BIG || (roomy && loses_much(layout)))
		err = myalloc_slab_layout(layout, args->object_size, args->align, *flags, keeps,
					  zone->chunk_order);
	if (err)
		myalloc_zone_err(zone, "cache %s: cannot lay out objects of %u bytes aligned to %u: the size must be 1 to %d, the alignment a power of two up to a page, the slab at most of order %u",
				 args->name, args->object_size, args->align, MYALLOC_MAX_OBJECT,
				 zone->chunk_order);
	return err;
}

/**
 * myalloc_cache_lay_out() - compute the layout of the slabs of a cache that is not created
 * @zone: the zone that would supply them
 * @args: as for myalloc_cache_create_bare()
 * @checks: checks that it would have beside those of @args and of @zone
 * @layout: out
 * @flags: out: the flags that would be in force
 *
 * Context: any but NMI.
 * Return: 0; -EINVAL or -E2BIG as for myalloc_cache_create(), which prints a message.
 */
int myalloc_cache_lay_out(struct myalloc_zone *zone, const struct myalloc_cache_args *args,
			  myalloc_cache_flags_t checks, struct myalloc_slab_layout *layout,
			  myalloc_cache_flags_t *flags)
{
	return lay_out(zone, args, checks, false, layout, flags);
}

/*
 * @lean: no magazines at first. @roomy: as above. @maker: return address of the call that creates
 * it, 0 for a front.
 */
static struct myalloc_cache *create(struct myalloc_zone *zone,
				    const struct myalloc_cache_args *args, bool lean, bool roomy,
				    unsigned long maker)
{
	struct myalloc_slab_layout layout;
	myalloc_cache_flags_t flags;
	struct myalloc_cache *c;
	unsigned int noio, i;
	int err;

	err = lay_out(zone, args, args->client ? args->client->checks : 0, roomy, &layout, &flags);
	if (err)
		return ERR_PTR(err);
	if (zone->limit) {
		myalloc_zone_err(zone, "cache %s: the zone of a contract serves what its line states, and no caches: state a line of objects",
				 args->name);
		return ERR_PTR(-EINVAL);
	}
	if (flags & MYALLOC_OWNER)
		myalloc_env_stack_init();	/* if this fails, every stack handle is 0 */
	c = myalloc_env_zalloc_charged(sizeof(*c), zone->node);
	if (!c)
		return ERR_PTR(-ENOMEM);
	c->layout = layout;
	strscpy(c->name, args->name, sizeof(c->name));
	c->zone = zone;
	c->client = args->client;
	c->maker = maker;
	c->map = zone->map;
	c->flags = flags;
	c->ctor = args->ctor;
	c->frame_mask = BIT(c->layout.order) - 1;
	c->bytes_mask = (PAGE_SIZE << c->layout.order) - 1;
	c->linear = zone->linear;
	c->head_mask = ~(BIT(c->layout.order) * MYALLOC_FRAME_BYTES - 1);
	c->reciprocal = c->layout.reciprocal;
	c->state_offset = c->layout.state_offset;
	raw_spin_lock_init(&c->lock);
	mutex_init(&c->pin_mutex);
	myalloc_deferred_init(&c->deferred, zone->buddy.nr_frames);
	for (i = 0; i < MYALLOC_SLAB_LISTS; i++)
		c->list[i] = MYALLOC_NO_FRAME;

	c->magazine = args->magazine;
	/* A cache that zeroes at free claims each slot and zeroes it past the fast path. */
	c->level = flags & MYALLOC_ZERO_FREE ? 0 : flags & (MYALLOC_CERTAIN | MYALLOC_TRUSTING);
	INIT_LIST_HEAD(&c->limbo_link);

	err = myalloc_upkeep_prepare(c, lean);
	if (err)
		goto err_free;
	myalloc_env_cpus_read_lock();
	noio = myalloc_caches_lock(zone);
	err = myalloc_upkeep_begin(c, lean);
	if (!err) {
		err = enlist(c);
		if (err) {
			myalloc_upkeep_stop(c);
			myalloc_upkeep_end(c);
		}
	}
	myalloc_caches_unlock(zone, noio);
	myalloc_env_cpus_read_unlock();
	if (err)
		goto err_free;
	if (zone->ops && zone->ops->cache_added)
		zone->ops->cache_added(c);
	return c;

err_free:
	myalloc_env_free(c);
	return ERR_PTR(err);
}

/**
 * myalloc_cache_create() - create a slab cache
 * @zone: the zone that supplies its slabs
 * @args: name, size, alignment, flags, constructor and magazine of the cache
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: the cache; ERR_PTR(-EINVAL) if the arguments are out of range or contradict each other,
 * ERR_PTR(-E2BIG) if the object does not fit into the zone's largest slab, ERR_PTR(-EEXIST) if the
 * name is in use, ERR_PTR(-ENOSPC) if there are MYALLOC_CACHES_MAX - 1 caches (each of these also
 * prints a message), ERR_PTR(-ENOMEM).
 */
struct myalloc_cache *
myalloc_cache_create(struct myalloc_zone *zone,
		     const struct myalloc_cache_args *args)
{
	return create(zone, args, false, false, _RET_IP_);
}

/**
 * myalloc_cache_create_lean() - make a slab cache that has no magazines at first
 * @zone: as for myalloc_cache_create()
 * @args: the same
 *
 * The worker gives it magazines when it is used (upkeep.c). As it is for whatever objects have that
 * size, and not for a few particular ones, its slabs may be larger where those of ORDER_MOST would
 * lose more than an eighth.
 *
 * Context: as for myalloc_cache_create().
 * Return: the same.
 */
struct myalloc_cache *myalloc_cache_create_lean(struct myalloc_zone *zone,
						const struct myalloc_cache_args *args)
{
	return create(zone, args, true, true, 0);
}

/**
 * myalloc_cache_create_bare() - create a slab cache without magazines and with slabs of usual size
 * @zone: as for myalloc_cache_create()
 * @args: the same
 *
 * Unless myalloc_cache_fix_magazines() is called before the cache is used, the worker gives it
 * magazines.
 *
 * Context: as for myalloc_cache_create().
 * Return: the same.
 */
struct myalloc_cache *myalloc_cache_create_bare(struct myalloc_zone *zone,
						const struct myalloc_cache_args *args)
{
	return create(zone, args, true, false, 0);
}

/* Remove the cache from the list and the table, and wait for walks that have pinned it. */
static void unlist(struct myalloc_cache *cache)
{
	struct myalloc_zone *zone = cache->zone;
	unsigned int noio;

	if (zone->ops && zone->ops->cache_removed)
		zone->ops->cache_removed(cache);
	noio = myalloc_caches_lock(zone);
	WRITE_ONCE(zone->cache_by_id[cache->id], NULL);
	list_del(&cache->link);
	myalloc_upkeep_stop(cache);
	WRITE_ONCE(zone->nr_caches, zone->nr_caches - 1);
	myalloc_caches_unlock(zone, noio);
	/* Wait for a walk that has already pinned the cache; no new walk finds it. */
	mutex_lock(&cache->pin_mutex);
	mutex_unlock(&cache->pin_mutex);
}

/**
 * myalloc_caches_end() - end several caches that have no slabs
 * @caches: shrunk, with no slabs left; nobody uses them any more
 * @nr: how many
 *
 * Context: task, may sleep; not from CPU hotplug callbacks. Waits for one grace period.
 */
void myalloc_caches_end(struct myalloc_cache **caches, unsigned int nr)
{
	struct myalloc_zone *zone = caches[0]->zone;
	unsigned int noio, i;

	for (i = 0; i < nr; i++)
		unlist(caches[i]);
	/* Reclaim and reports look up caches by number with preemption off. */
	myalloc_env_gp_wait();
	for (i = 0; i < nr; i++) {
		mutex_destroy(&caches[i]->pin_mutex);
		noio = myalloc_caches_lock(zone);
		myalloc_upkeep_end(caches[i]);
		myalloc_caches_unlock(zone, noio);
		myalloc_env_free(caches[i]);
	}
}

/**
 * myalloc_cache_destroy() - destroy a cache
 * @cache: the cache, which is no longer in use; NULL is allowed
 *
 * Waits until a walk over the caches, such as myalloc_zone_validate(), has finished with this one.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: 0; -EBUSY if objects are still allocated. They are reported, with their owners if known,
 * and the cache remains usable.
 */
int myalloc_cache_destroy(struct myalloc_cache *cache)
{
	if (!cache)
		return 0;
	myalloc_cache_shrink(cache);
	if (myalloc_cache_slabs(cache)) {	/* and none is in limbo any more */
		myalloc_debug_report_live(cache);
		return -EBUSY;
	}
	myalloc_caches_end(&cache, 1);
	return 0;
}

/* --- look ---------------------------------------------------------------------------- */

/**
 * myalloc_cache_stats() - read the statistics of a cache
 * @cache: the cache
 * @stats: out; exact while no operation is in progress
 *
 * Context: task.
 */
void myalloc_cache_stats(struct myalloc_cache *cache, struct myalloc_cache_stats *stats)
{
	const struct myalloc_slab_layout *l = &cache->layout;
	struct myalloc_magazine_passed passed, hits;
	unsigned long irq;
	u64 out;

	memset(stats, 0, sizeof(*stats));
	stats->id = cache->id;
	stats->object_size = l->object_size;
	stats->slot_size = l->slot_size;
	stats->align = l->align;
	stats->order = l->order;
	stats->objects_per_slab = l->objects;
	stats->flags = (__force u32)cache->flags;
	stats->magazine = cache->mags.capacity;
	strscpy(stats->name, cache->name, sizeof(stats->name));

	stats->cached_objects = myalloc_magazines_count(&cache->mags);
	stats->deferred_objects = atomic64_read(&cache->deferred.nr);
	passed = myalloc_magazines_passed(&cache->mags);
	hits = myalloc_magazines_hits(&cache->mags, &passed);
	stats->alloc_hits = hits.takes;
	stats->free_hits = hits.gives;
	stats->refills = atomic64_read(&cache->mags.refills);
	raw_spin_lock_irqsave(&cache->lock, irq);
	stats->slabs = myalloc_cache_slabs(cache);
	stats->slabs_empty = cache->nr[MYALLOC_SLABS_EMPTY];
	stats->slabs_partial = stats->slabs - stats->slabs_empty -
			       cache->nr[MYALLOC_SLABS_FULL];
	stats->total_objects = stats->slabs * l->objects;
	out = stats->total_objects - cache->free_slots;
	stats->allocs = cache->allocs + passed.takes;
	stats->frees = cache->frees + passed.gives;
	stats->flushes = cache->flushes;
	raw_spin_unlock_irqrestore(&cache->lock, irq);
	if (out > stats->cached_objects + stats->deferred_objects)
		stats->live_objects = out - stats->cached_objects - stats->deferred_objects;
	stats->fails = atomic64_read(&cache->fails);
	stats->bad_frees = atomic64_read(&cache->bad_frees);
	stats->corruptions = atomic64_read(&cache->corruptions);
	stats->meta_bytes = sizeof(*cache) + myalloc_magazines_bytes(&cache->mags) +
			    READ_ONCE(cache->shown_bytes);
	stats->waste_bytes = stats->slabs * l->waste;
}

/*
 * Find and pin the first cache whose number is at least *@id, and set *@id to the number after it.
 * Returns NULL if there is none. pin_mutex is free: walks run one at a time, and a destroy that
 * waits for pin_mutex has already removed its cache from the table. It is not waited for, because
 * walks allocate memory while they hold it.
 */
static struct myalloc_cache *pin_next(struct myalloc_zone *zone, u32 *id)
{
	struct myalloc_cache *cache = NULL;
	unsigned int noio = myalloc_caches_lock(zone);

	while (*id < MYALLOC_CACHES_MAX && !cache) {
		cache = zone->cache_by_id[(*id)++];
		if (cache && WARN_ON_ONCE(!mutex_trylock(&cache->pin_mutex)))
			cache = NULL;
	}
	myalloc_caches_unlock(zone, noio);
	return cache;
}

/**
 * myalloc_zone_walk_caches() - visit every cache of a zone
 * @zone: the zone
 * @fn: called with the cache pinned, so that destroying it waits. No lock on the list is held, so
 *	@fn may take long; it must not start another walk nor destroy this cache. False ends the
 *	walk
 * @arg: argument for @fn
 *
 * The order is by number. Caches that are created or destroyed meanwhile may or may not be visited.
 *
 * Context: task, may sleep.
 */
void myalloc_zone_walk_caches(struct myalloc_zone *zone, myalloc_cache_fn fn, void *arg)
{
	struct myalloc_cache *cache;
	bool more = true;
	u32 id = 0;

	mutex_lock(&zone->walk_mutex);
	while (more && (cache = pin_next(zone, &id))) {
		more = fn(cache, arg);
		mutex_unlock(&cache->pin_mutex);
		cond_resched();
	}
	mutex_unlock(&zone->walk_mutex);
}
