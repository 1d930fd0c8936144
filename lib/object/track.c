// SPDX-License-Identifier: GPL-2.0
/*
 * Tracking: a walk over the live objects of a cache, the report of why it cannot be destroyed, and
 * the release of everything
 */
#include "env.h"
#include "object/object.h"
#include "object/site_table.h"
#include "object/track.h"
#include "object/upkeep.h"
#include "page/zone_report.h"

#define REPORT_MOST	8	/* sites or objects listed when a cache cannot be destroyed */

/* Slots looked at, and live objects visited, under one hold of the lock. */
#define LOOK_MOST	128
#define VISIT_MOST	8

/* Lock held. Visits live objects from slot @i on. Returns the slot to go on with. */
static u32 visit_slots(struct myalloc_cache *c, struct myalloc_frame *frame, u32 i,
		       myalloc_object_fn fn, void *arg)
{
	void *slab = myalloc_slab_addr(c, frame);
	const u8 *states = myalloc_slab_states(c, frame, slab);
	u32 end = min(c->layout.objects, i + LOOK_MOST), visits = 0;

	for (; i < end && visits < VISIT_MOST; i++) {
		if (READ_ONCE(states[i]) != myalloc_user_state(c))
			continue;
		fn(c, myalloc_slab_object(c, slab, i),
		   myalloc_track(c, slab, i, MYALLOC_TRACK_ALLOC), arg);
		visits++;
	}
	return i;
}

/* If another slab takes the place of the one that begins there, its later slots are visited. */
static void visit_slab(struct myalloc_cache *c, struct myalloc_frame *frame,
		       myalloc_object_fn fn, void *arg)
{
	unsigned long irq;
	u32 next = 0;

	while (next < c->layout.objects &&
	       data_race(frame->tag) == c->tag) {	/* or state bytes */
		raw_spin_lock_irqsave(&c->lock, irq);
		if (frame->tag == c->tag)
			next = visit_slots(c, frame, next, fn, arg);
		raw_spin_unlock_irqrestore(&c->lock, irq);
	}
}

/**
 * myalloc_cache_walk_part() - visit the live objects of a cache in some frames of its zone
 * @cache: the cache
 * @from: first frame
 * @to: the frame after the last one; slabs that begin before it are visited
 * @fn: as for __myalloc_cache_walk_live()
 * @arg: argument for @fn
 *
 * Context: any but NMI.
 */
void myalloc_cache_walk_part(struct myalloc_cache *cache, u32 from, u32 to, myalloc_object_fn fn,
			     void *arg)
{
	u32 idx;

	/* By frame and not by list: a list may change while the lock is dropped. */
	for (idx = from; idx < to; idx++)
		visit_slab(cache, &cache->zone->frames[idx], fn, arg);
}

/**
 * __myalloc_cache_walk_live() - visit every live object of a cache, as it is
 * @cache: the cache
 * @fn: called under the cache's lock, which is dropped every few objects
 * @arg: argument for @fn
 *
 * Objects that are allocated or freed meanwhile may or may not be visited. In a trusting cache,
 * objects in magazines look like live ones: it has to be drained before.
 *
 * Context: task, may sleep; also inside myalloc_zone_walk_caches(), where nothing may be drained.
 */
void __myalloc_cache_walk_live(struct myalloc_cache *cache, myalloc_object_fn fn, void *arg)
{
	u32 nr = cache->zone->buddy.nr_frames, idx, end;

	for (idx = 0; idx < nr; idx = end) {
		end = idx + min_t(u32, nr - idx, MYALLOC_WALK_PART);
		cond_resched();
		myalloc_cache_walk_part(cache, idx, end, fn, arg);
	}
}

/**
 * myalloc_cache_walk_live() - visit every live object of a cache, which is drained first if it
 *	needs to be
 * @cache: the cache
 * @fn: as for __myalloc_cache_walk_live()
 * @arg: argument for @fn
 *
 * Context: task, may sleep; not inside myalloc_zone_walk_caches().
 */
void myalloc_cache_walk_live(struct myalloc_cache *cache, myalloc_object_fn fn, void *arg)
{
	if (cache->level == MYALLOC_TRUSTING)
		myalloc_cache_drain(cache);
	__myalloc_cache_walk_live(cache, fn, arg);
}

#define EMPTY_BATCH	32	/* objects freed at a time */

/*
 * Lock held. Collects live objects of a slab from slot *@next on, at most EMPTY_BATCH, and moves
 * *@next behind them. Returns their number.
 */
static u32 collect(struct myalloc_cache *c, struct myalloc_frame *frame, u32 *next, void **objects)
{
	void *slab = myalloc_slab_addr(c, frame);
	const u8 *states = myalloc_slab_states(c, frame, slab);
	u32 nr = 0;

	for (; *next < c->layout.objects && nr < EMPTY_BATCH; (*next)++)
		if (READ_ONCE(states[*next]) == myalloc_user_state(c))
			objects[nr++] = myalloc_slab_object(c, slab, *next);
	return nr;
}

/* Frees the live objects of a slab. No slot is looked at twice. */
static void empty_slab(struct myalloc_cache *c, struct myalloc_frame *frame, bool poison)
{
	void *objects[EMPTY_BATCH];
	u32 nr, i, next = 0;
	unsigned long irq;

	do {
		raw_spin_lock_irqsave(&c->lock, irq);
		nr = frame->tag == c->tag ? collect(c, frame, &next, objects) : 0;
		raw_spin_unlock_irqrestore(&c->lock, irq);
		for (i = 0; poison && i < nr; i++)
			memset(objects[i], MYALLOC_POISON_FREE, c->layout.object_size);
		myalloc_cache_free_bulk(c, nr, objects);
	} while (nr == EMPTY_BATCH);
}

/**
 * myalloc_cache_empty() - free every live object of a cache
 * @cache: the cache, which nobody uses any more
 * @poison: fill them with MYALLOC_POISON_FREE first, unless objects of this cache keep their
 *	content
 *
 * Context: task, may sleep.
 */
void myalloc_cache_empty(struct myalloc_cache *cache, bool poison)
{
	struct myalloc_zone *zone = cache->zone;
	u32 idx;

	if (cache->ctor || cache->flags & MYALLOC_TYPESAFE_RCU)
		poison = false;
	if (cache->level == MYALLOC_TRUSTING)	/* objects in magazines look like live ones */
		myalloc_cache_drain(cache);
	for (idx = 0; idx < zone->buddy.nr_frames; idx++) {
		if (!(idx % 1024))
			cond_resched();
		if (data_race(zone->frames[idx].tag) == cache->tag)	/* or state bytes */
			empty_slab(cache, &zone->frames[idx], poison);
	}
}

/* The first live objects of a cache that cannot be destroyed. */
struct live {
	u64 nr;
	struct {
		u32 frame;
		u32 slot;
	} first[REPORT_MOST];
};

/* Runs under the cache's lock, so it only records what to print. */
static void note_one(struct myalloc_cache *c, void *object, const struct myalloc_track *track,
		     void *arg)
{
	struct live *live = arg;
	u64 nr = live->nr++;
	void *slab;

	if (nr >= REPORT_MOST)
		return;
	live->first[nr].slot = myalloc_slab_locate(c, object, &slab);
	live->first[nr].frame = myalloc_slab_frame(c, slab);
}

static void add_one(struct myalloc_cache *c, void *object, const struct myalloc_track *track,
		    void *arg)
{
	struct myalloc_held h = myalloc_held_object(c, track);

	myalloc_sites_add(arg, &h);
}

static void walk_sites(struct myalloc_sites *sites, void *cache)
{
	myalloc_cache_walk_live(cache, add_one, sites);
}

/* By call site, the largest first. Returns false if owners are not recorded, or memory is short. */
static bool print_sites(struct myalloc_cache *c)
{
	struct myalloc_sites sites = { .zone = c->zone, .before = MYALLOC_SITE_UNKNOWN };

	if (!(c->flags & MYALLOC_OWNER) || myalloc_sites_fill(&sites, walk_sites, c))
		return false;
	myalloc_sites_print(&sites, "cache", c->name, REPORT_MOST);
	myalloc_sites_free(&sites);
	return true;
}

/**
 * myalloc_debug_report_live() - report why a cache cannot be destroyed
 * @cache: the cache
 *
 * Then lists what each call site holds, or the places of the first objects if owners are not
 * recorded. The report comes first and the list counts as one, so that a limit on reports leaves
 * out the list and not the reason.
 *
 * Context: task, may sleep.
 */
void myalloc_debug_report_live(struct myalloc_cache *cache)
{
	struct myalloc_zone *zone = cache->zone;
	struct live live = { 0 };
	u32 i;

	myalloc_cache_walk_live(cache, note_one, &live);
	myalloc_zone_err(zone, "cache %s cannot be destroyed: %llu object%s %s still allocated%s",
			 cache->name, (unsigned long long)live.nr, myalloc_s(live.nr),
			 myalloc_are(live.nr),
			 cache->flags & MYALLOC_OWNER ? "" :
			 " (check U records their owners)");
	if (!myalloc_report_may(&zone->reports) || print_sites(cache))
		return;
	for (i = 0; i < live.nr && i < REPORT_MOST; i++)
		pr_err("%s: cache %s: still allocated: frame %u, slot %u\n", zone->name,
		       cache->name, live.first[i].frame, live.first[i].slot);
}
