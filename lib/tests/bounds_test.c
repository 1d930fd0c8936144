// SPDX-License-Identifier: GPL-2.0
/*
 * Bounds: the most that one operation does, counted by its effects
 *
 * Each case prepares a state in which an operation without its bound would do much more than the
 * theory comments of object.c, pages.c and limbo.c say, and counts. No clock is involved. The work
 * under one hold of a lock is counted between the points where the outermost lock is taken and
 * dropped.
 */
#include "env.h"
#include "ktap.h"
#include "lock_points.h"
#include "client/contract.h"
#include "front/arena.h"
#include "front/ring.h"
#include "page/drain.h"
#include "page/extent.h"
#include "page/pages.h"
#include "object/cache.h"
#include "object/limbo.h"
#include "zone/validate.h"
#include "zone/zone.h"

#define CHUNK_ORDER	9
#define CHUNKS		8
#define ARENA_ORDER	(CHUNK_ORDER + 3)
#define MANY		512
/* slab.c: how much of MYALLOC_SCAN_MOST a slab counts; deferred work done by one operation. */
#define SCAN_SLAB	32
#define SCAN_WORD	8
#define REAP_MOST	2
#define HARVEST_MOST	4
#define HARVEST_FEW	2
#define FLUSH_MANY	8
#define TRIM_MOST	16
/* Slabs in limbo, more than any operation takes at once. */
#define SLABS		40
/* Objects of which a page has two, or four, whatever its size. */
#define HALF		(PAGE_SIZE / 2 - 48)
#define QUARTER		(PAGE_SIZE / 4 - 24)

static void *arena, *chunks[CHUNKS];
static struct myalloc_zone *zone;

static void make_zone_with(u32 nr_chunks, myalloc_cache_flags_t checks)
{
	struct myalloc_zone_args args = {
		.name = "z", .chunks = chunks, .node = NUMA_NO_NODE, .chunk_order = CHUNK_ORDER,
		.nr_chunks = nr_chunks, .nr_pages = nr_chunks << CHUNK_ORDER, .checks = checks,
	};
	u32 i;

	host_reset();
	arena = host_chunk_alloc(ARENA_ORDER);
	for (i = 0; i < nr_chunks; i++)
		chunks[i] = arena + i * (PAGE_SIZE << CHUNK_ORDER);
	zone = myalloc_zone_create(&args);
	if (IS_ERR(zone))
		host_fatal("no zone");
}

static void make_zone(u32 nr_chunks)
{
	make_zone_with(nr_chunks, 0);
}

static void end_zone(void)
{
	if (myalloc_zone_destroy(zone))
		host_fatal("the zone does not end");
	host_chunk_free(arena, ARENA_ORDER);
}

static struct myalloc_cache *make_cache(u32 size, unsigned int flags)
{
	struct myalloc_cache *cache =
		myalloc_cache_create(zone, &(struct myalloc_cache_args) {
			.name = flags ? "none" : "c", .object_size = size, .flags = flags,
			.magazine = flags & MYALLOC_NO_MAGAZINE ? 0 : MYALLOC_MAGAZINE_MAX,
		});

	if (IS_ERR(cache))
		host_fatal("no cache");
	return cache;
}

/* --- work under one hold --------------------------------------------------------- */

/* The cache that is watched, its counts when the lock was taken, and the maximum of all holds. */
static struct myalloc_cache *watched;
static u64 had_slots, most_slots;
static u32 had_limbo, most_limbo, depth;
/* The limbo that is watched, its caches when the lock was taken, and the most that left it. */
static struct myalloc_limbo *watched_limbo;
static u32 had_caches, most_renewed;
/* Memory that is watched, and whether it was poisoned while the outermost lock was held. */
static const u8 *watched_byte;
static bool poisoned_inside;
static u8 byte_before;
/* Locks taken so far. */
static u32 holds;
/* Steps of a validation since the last of them, and the most. */
static u32 steps, most_steps;

/* A byte of memory that may be free. */
static u8 look_at(const u8 *byte)
{
	return *(const u8 *)host_touch(byte, 1);
}

static void at_lock(const char *where)
{
	if (!strcmp(where, "locked")) {
		holds++;
		steps = 0;
	}
	if (watched_limbo && !strcmp(where, "locked"))
		had_caches = watched_limbo->nr_caches;
	else if (watched_limbo && !strcmp(where, "before an unlock") &&
		 had_caches > watched_limbo->nr_caches)
		most_renewed = max(most_renewed, had_caches - watched_limbo->nr_caches);
	if (watched_byte && !strcmp(where, "locked"))
		byte_before = look_at(watched_byte);
	else if (watched_byte && !strcmp(where, "before an unlock"))
		poisoned_inside |= look_at(watched_byte) != byte_before;
	if (!watched)
		return;
	if (!strcmp(where, "locked")) {
		if (depth++)
			return;
		had_slots = watched->free_slots;
		had_limbo = watched->nr_limbo;
	} else if (!strcmp(where, "before an unlock")) {
		if (--depth)
			return;
		if (watched->free_slots > had_slots)
			most_slots = max(most_slots, watched->free_slots - had_slots);
		if (watched->nr_limbo > had_limbo)
			most_limbo = max(most_limbo, watched->nr_limbo - had_limbo);
	}
}

static void watch(struct myalloc_cache *cache)
{
	watched = cache;
	most_slots = 0;
	most_limbo = 0;
	depth = 0;
}

/* Fill the magazines of this CPU with exactly @nr objects. */
static void fill(struct myalloc_cache *cache, u32 nr)
{
	static void *object[MANY];
	u32 i;

	for (i = 0; i < nr; i++)
		object[i] = myalloc_cache_alloc(cache, 0);
	myalloc_cache_drain(cache);
	for (i = 0; i < nr; i++)
		myalloc_cache_free(cache, object[i]);
	if (myalloc_magazines_count(&cache->mags) != nr)
		host_fatal("the magazines hold %llu instead of %u",
			   (u64)myalloc_magazines_count(&cache->mags), nr);
}

/* Make that many slabs of @cache empty, none of which could be given up in between. */
static void empty_slabs(struct myalloc_cache *cache, u32 nr)
{
	static void *object[MANY];
	u32 i;

	nr *= cache->layout.objects;
	if (nr > MANY)
		host_fatal("too many objects");
	for (i = 0; i < nr; i++)
		object[i] = myalloc_cache_alloc(cache, 0);
	host_enter_nmi();
	for (i = 0; i < nr; i++)
		myalloc_cache_free(cache, object[i]);
	host_exit_nmi();
}

/* A magazine is flushed batch by batch, and the worker is notified. */
static void flush_hold(void)
{
	struct myalloc_cache *cache;
	u32 nr;

	make_zone(2);
	cache = make_cache(200, 0);
	nr = 4 * cache->mags.batch + 1;
	if (nr > cache->mags.capacity)
		host_fatal("the magazines are too small");
	fill(cache, nr);
	zone->work.posted = 0;
	watch(cache);
	myalloc_cache_drain(cache);
	watched = NULL;
	ktap_result(most_slots == cache->mags.batch && !myalloc_magazines_count(&cache->mags),
		    "a flush of %u gives back a batch of %u under one hold: %llu", nr,
		    cache->mags.batch, most_slots);
	ktap_result(zone->work.posted, "a flush wakes the worker");
	if (myalloc_cache_destroy(cache))
		host_fatal("the cache does not end");
	end_zone();
}

/* A flush also harvests a few waiting slabs, fewer if it has much work of its own. */
static void flush_harvest(void)
{
	struct myalloc_cache *cache, *slabs;
	u32 left;

	make_zone(2);
	cache = make_cache(200, 0);
	slabs = make_cache(HALF, MYALLOC_NO_MAGAZINE);
	empty_slabs(slabs, SLABS);
	fill(cache, 1);		/* its flushes find no slab in limbo until then */
	myalloc_cache_trim(slabs, 0);
	ktap_result(zone->limbo.nr == SLABS && slabs->nr_limbo == SLABS,
		    "%u slabs are in limbo: %u, of their cache %u", SLABS, zone->limbo.nr,
		    slabs->nr_limbo);
	myalloc_limbo_harvest(zone, 1);		/* their grace period has passed */
	left = zone->limbo.nr;
	myalloc_cache_drain(cache);
	ktap_result(left == SLABS - 1 && left - zone->limbo.nr == HARVEST_MOST,
		    "a flush of one gives %u slabs of %u back: %u", HARVEST_MOST, left,
		    left - zone->limbo.nr);
	fill(cache, FLUSH_MANY + 1);
	left = zone->limbo.nr;
	myalloc_cache_drain(cache);
	ktap_result(left - zone->limbo.nr == HARVEST_FEW,
		    "a flush of %u gives %u slabs of %u back: %u", FLUSH_MANY + 1, HARVEST_FEW,
		    left, left - zone->limbo.nr);
	myalloc_zone_drain(zone);
	ktap_result(!zone->limbo.nr && !slabs->nr_limbo, "nothing is left in limbo: %u, %u",
		    zone->limbo.nr, slabs->nr_limbo);
	if (myalloc_cache_destroy(cache) || myalloc_cache_destroy(slabs))
		host_fatal("a cache does not end");
	end_zone();
}

/* Empty slabs enter limbo a few at a time under each hold; in the end all of them. */
static void trim_hold(void)
{
	struct myalloc_cache *cache;

	make_zone(2);
	cache = make_cache(HALF, MYALLOC_NO_MAGAZINE);
	empty_slabs(cache, SLABS);
	watch(cache);
	myalloc_cache_trim(cache, 1);
	watched = NULL;
	ktap_result(most_limbo == TRIM_MOST && cache->nr_limbo == SLABS - 1,
		    "a trim of %u slabs moves %u under one hold: %u", SLABS - 1, TRIM_MOST,
		    most_limbo);
	if (myalloc_cache_destroy(cache))
		host_fatal("the cache does not end");
	end_zone();
}

#define MANY_CACHES	40
/* limbo.c: caches whose ages advance under one hold. */
#define CLOSE_CACHES	8

/* A batch with slabs of many caches is closed a few caches at a time. */
static void many_ages(void)
{
	static struct myalloc_cache *cache[MANY_CACHES];
	struct myalloc_cache_args args = { .object_size = HALF, .magazine = 1 };
	u32 i, kept, grown = 0;
	char name[8];
	u64 age[MANY_CACHES];

	make_zone(2);
	for (i = 0; i < MANY_CACHES; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		args.name = name;
		cache[i] = myalloc_cache_create(zone, &args);
		if (IS_ERR(cache[i]))
			host_fatal("no cache");
		myalloc_cache_free(cache[i], myalloc_cache_alloc(cache[i], 0));
		myalloc_cache_drain(cache[i]);
		age[i] = cache[i]->mags.age;
	}
	for (i = 0; i < MANY_CACHES; i++)
		myalloc_cache_trim(cache[i], 0);
	myalloc_limbo_harvest(zone, 1);		/* a request leaves this to the worker */
	kept = zone->limbo.nr_caches;
	watched_limbo = &zone->limbo;
	most_renewed = 0;
	myalloc_limbo_settle(zone);
	watched_limbo = NULL;
	for (i = 0; i < MANY_CACHES; i++)
		grown += cache[i]->mags.age - age[i];
	ktap_result(kept == MANY_CACHES && grown == MANY_CACHES && most_renewed == CLOSE_CACHES &&
		    !zone->limbo.nr,
		    "the worker advances the ages of %d of %u caches under one hold: %u, %u in all",
		    CLOSE_CACHES, kept, most_renewed, grown);
	for (i = 0; i < MANY_CACHES; i++)
		if (myalloc_cache_destroy(cache[i]))
			host_fatal("a cache does not end");
	end_zone();
}

/* The ages of all caches whose slabs are in a batch grow when it is closed, not of others. */
static void ages(void)
{
	struct myalloc_cache *cache[3];
	u64 age[ARRAY_SIZE(cache)];
	u32 i, grown = 0;

	make_zone(2);
	for (i = 0; i < ARRAY_SIZE(cache); i++) {
		char name[4] = { 'c', '0' + i };

		cache[i] = myalloc_cache_create(zone, &(struct myalloc_cache_args) {
			.name = name, .object_size = HALF, .magazine = 4,
		});
		if (IS_ERR(cache[i]))
			host_fatal("no cache");
		myalloc_cache_free(cache[i], myalloc_cache_alloc(cache[i], 0));
		myalloc_cache_drain(cache[i]);
		age[i] = cache[i]->mags.age;
	}
	/* All of these in one batch, which the first harvest closes. */
	for (i = 0; i < ARRAY_SIZE(cache); i += 2)
		myalloc_cache_trim(cache[i], 0);
	myalloc_limbo_harvest(zone, 1);
	for (i = 0; i < ARRAY_SIZE(cache); i++)
		grown |= (cache[i]->mags.age - age[i]) << (i * 4);
	ktap_result(grown == 0x101, "each cache of a closed batch is of a new age: %#x", grown);
	for (i = 0; i < ARRAY_SIZE(cache); i++)
		if (myalloc_cache_destroy(cache[i]))
			host_fatal("a cache does not end");
	end_zone();
}

/* --- the worker --------------------------------------------------------------------- */

#define PASSES_MOST	20
#define MS		1000000ULL

/* Have the worker run until it stops. Returns the number of its passes. */
static u32 rest(void)
{
	u32 passes = 0;

	while (zone->work.posted) {
		if (++passes > PASSES_MOST)
			host_fatal("the worker does not stop");
		host_work_run(&zone->work);
	}
	return passes;
}

static bool all_free(void)
{
	return zone->buddy.nr_free == zone->buddy.nr_frames;
}

/* Does @use wake the resting worker, which returns everything and rests again? */
static void wakes(const char *what, void (*use)(void *arg), void *arg)
{
	bool woken;

	use(arg);
	woken = zone->work.posted;
	rest();
	ktap_result(woken && all_free(), "%s wakes the worker, which gives them back: %s, %u of %u",
		    what, woken ? "woken" : "not woken", zone->buddy.nr_free, zone->buddy.nr_frames);
	myalloc_zone_drain(zone);
	rest();
}

static void use_pages(void *unused)
{
	myalloc_pages_free(zone, myalloc_pages_alloc(zone, 0, 0), 0);
}

/* The page comes from no magazine, so that only the free uses them. */
static void put_page(void *unused)
{
	myalloc_pages_free(zone, myalloc_pages_alloc(zone, 0, MYALLOC_TOPDOWN), 0);
}

static void use_object(void *cache)
{
	myalloc_cache_free(cache, myalloc_cache_alloc(cache, 0));
}

/* A block of an order without magazines, freed in an NMI while the zone's lock is held. */
static void defer_page(void *unused)
{
	void *page = myalloc_pages_alloc(zone, MYALLOC_PCP_SMALL + 1, 0);
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->lock, irq);
	host_enter_nmi();
	myalloc_pages_free(zone, page, MYALLOC_PCP_SMALL + 1);
	host_exit_nmi();
	raw_spin_unlock_irqrestore(&zone->lock, irq);
}

static void defer_one(void *arg)
{
	struct myalloc_cache *cache = arg;
	void *object = myalloc_cache_alloc(cache, 0);
	unsigned long irq;

	raw_spin_lock_irqsave(&cache->lock, irq);
	host_enter_nmi();
	myalloc_cache_free(cache, object);
	host_exit_nmi();
	raw_spin_unlock_irqrestore(&cache->lock, irq);
}

/*
 * Memory that is cached or deferred while the worker rests wakes it, also if one CPU takes and
 * another one gives it, and if it passes the fast path.
 */
static void worker(void)
{
	struct myalloc_cache *fixed, *none;
	u32 i;

	make_zone(2);
	fixed = make_cache(200, 0);
	none = make_cache(1000, MYALLOC_NO_MAGAZINE);
	for (i = 0; i < 2; i++) {	/* the first time to get magazines */
		use_pages(NULL);
		use_object(fixed);
		rest();
	}
	ktap_result(!zone->work.posted && all_free(), "the worker rests when nothing is cached");
	wakes("a page that is allocated and freed", use_pages, NULL);
	wakes("a page that is only freed", put_page, NULL);
	wakes("an object", use_object, fixed);
	wakes("an object of a cache without magazines", use_object, none);
	wakes("a block whose free is deferred", defer_page, NULL);
	wakes("an object whose free is deferred", defer_one, none);
	use_pages(NULL);
	while (!zone->resting)
		host_work_run(&zone->work);
	put_page(NULL);		/* the new epoch of this CPU begins before the worker rests, */
	myalloc_zone_drain(zone);
	host_work_run(&zone->work);
	put_page(NULL);		/* and this takes the fast path */
	ktap_result(zone->work.posted, "the worker does not rest while magazines are used");
	ktap_result(rest() <= 4 && all_free(), "the worker rests soon");
	if (myalloc_cache_destroy(fixed) || myalloc_cache_destroy(none))
		host_fatal("a cache does not end");
	end_zone();
}

/* A run that was posted keeps its time, unless the new one is earlier. */
static void posts(void)
{
	static const struct {
		unsigned int ms, then;
	} post[] = { { 400, 400 }, { 20, 20 }, { 400, 20 }, { 0, 0 }, { 20, 0 }, { 0, 0 } };
	unsigned long posted = 0;
	bool right = true;
	u32 i;

	make_zone(2);
	zone->work.posted = 0;
	for (i = 0; i < ARRAY_SIZE(post); i++) {
		myalloc_zone_post(zone, post[i].ms);
		posted = zone->work.posted;
		right &= posted == post[i].then + 1;
	}
	ktap_result(right, "of two posts the earlier one counts: %lu", posted);
	end_zone();
}

/* A run of the worker for a batch. Returns the ms until its next run. */
static u32 look(void)
{
	zone->work.posted = 0;
	zone->work.fn(&zone->work);
	return zone->work.posted - 1;
}

/*
 * While a batch waits, the worker runs for it less and less often, however often it runs for other
 * reasons, and still makes its passes when they are due. For a batch closed by a flush or a request
 * it runs soon.
 */
static void limbo_looks(void)
{
	static const u32 right[] = { 20, 20, 40, 80, 160, 80, 400, 400 };
	u32 i, delay, wrong = 0, passes = 0, looked;
	struct myalloc_cache *cache;
	u64 ms = 1000;

	make_zone(2);
	cache = make_cache(HALF, MYALLOC_NO_MAGAZINE);
	host_set_clock(ms * MS);
	look();			/* a pass */
	empty_slabs(cache, 2);
	zone->work.posted = 0;
	myalloc_cache_trim(cache, 0);
	host_gp_hold(true);
	myalloc_limbo_harvest(zone, 1);
	ktap_result(zone->limbo.waiting != MYALLOC_NO_FRAME && zone->work.posted == 20 + 1,
		    "a request that closes a batch has the worker look at it soon: %lu",
		    zone->work.posted);
	for (i = 0; i < ARRAY_SIZE(right); i++) {
		looked = zone->last_look;
		delay = look();
		passes += zone->last_look != looked;
		myalloc_zone_settle(zone, 0);
		wrong += delay != right[i] || look() != delay;
		ms += delay;
		host_set_clock(ms * MS);
	}
	ktap_result(!wrong && passes == 2,
		    "the worker comes less and less often while slabs wait: %u times not, %u passes",
		    wrong, passes);
	host_gp_hold(false);
	look();
	ktap_result(!zone->limbo.nr, "then they leave: %u have not", zone->limbo.nr);
	if (myalloc_cache_destroy(cache))
		host_fatal("a cache does not end");
	end_zone();
}

static unsigned int settles_soon(struct myalloc_drainer *drainer)
{
	return 7;
}

static unsigned int settles_late(struct myalloc_drainer *drainer)
{
	return MYALLOC_WORK_MS + 1;
}

static bool tends_nothing(struct myalloc_drainer *drainer)
{
	return false;
}

static bool reclaims_nothing(struct myalloc_drainer *drainer, u32 *most)
{
	return false;
}

/* The worker runs again when the first of its drainers has something to do. */
static void settle(void)
{
	static const struct myalloc_drainer_ops soon = {
		.settle = settles_soon, .tend = tends_nothing, .reclaim = reclaims_nothing,
	}, late = {
		.settle = settles_late, .tend = tends_nothing, .reclaim = reclaims_nothing,
	};
	static struct myalloc_drainer first, last;

	make_zone(2);
	myalloc_drainer_add(zone, &first, MYALLOC_KIND_OBJECTS, &soon);
	myalloc_drainer_add(zone, &last, MYALLOC_KIND_OBJECTS, &late);
	zone->work.posted = 0;
	zone->work.fn(&zone->work);
	ktap_result(zone->work.posted == 7 + 1, "of several times the worker chooses the first: %lu",
		    zone->work.posted);
	list_del(&first.link);
	list_del(&last.link);
	end_zone();
}

/* --- requests that find no block ------------------------------------------------------ */

#define RECLAIM_CACHES	32
#define RECLAIM_SLABS	16

/* The work of a request that may not wait is bounded, however many caches there are. */
static void reclaim(void)
{
	static struct myalloc_cache *cache[MYALLOC_CACHES_MAX - 1];
	struct myalloc_cache_args args = { .object_size = 64, .flags = MYALLOC_NO_MAGAZINE };
	u32 nr = ARRAY_SIZE(cache), i, id, visited;
	char name[16];
	void *block;

	make_zone(2);
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		args.name = name;
		args.object_size = i ? 64 : HALF;
		cache[i] = myalloc_cache_create(zone, &args);
		if (IS_ERR(cache[i]))
			host_fatal("no cache");
	}
	empty_slabs(cache[0], SLABS);
	myalloc_cache_trim(cache[0], 0);
	block = myalloc_pages_alloc(zone, CHUNK_ORDER, 0);
	if (!block || zone->limbo.nr != SLABS)
		host_fatal("not as it should be");
	id = zone->reclaim_id;
	if (myalloc_pages_alloc(zone, CHUNK_ORDER, 0))
		host_fatal("a second block");
	visited = (zone->reclaim_id + nr - id) % nr;
	ktap_result(visited == RECLAIM_CACHES, "a request without a block visits %u of %u caches: %u",
		    RECLAIM_CACHES, nr, visited);
	ktap_result(SLABS - zone->limbo.nr == RECLAIM_SLABS,
		    "it takes %u slabs out of limbo at most: %u", RECLAIM_SLABS,
		    SLABS - zone->limbo.nr);
	myalloc_pages_free(zone, block, CHUNK_ORDER);
	for (i = 0; i < nr; i++)
		if (myalloc_cache_destroy(cache[i]))
			host_fatal("a cache does not end");
	end_zone();
}

/*
 * CPUs without magazines ask again and again: a CPU that is idle is drained in the second pass
 * after its last operation, not before, and not much later than a second.
 */
static void asked_passes(void)
{
	u32 ms, kept = 0, early = 0;

	host_set_nr_cpus(2);
	make_zone(2);
	host_set_clock(1000 * MS);
	zone->work.fn(&zone->work);
	host_run_on_cpu(1, put_page, NULL);
	for (ms = 100; ms <= 1000; ms += 100) {
		zone->want_magazines = true;
		zone->work.posted = 0;
		host_set_clock((1000 + ms) * MS);
		zone->work.fn(&zone->work);
		early += zone->work.posted != (400 - ms % 400) + 1;
		if (myalloc_magazines_count_cpu(&zone->pcp[0], 1))
			kept = ms;
	}
	ktap_result(kept == 700, "an idle CPU is drained within 800 ms, whoever asks: after %u", kept);
	ktap_result(!early, "the next pass is due at its time: %u times not", early);
	end_zone();
}

/* --- validation --------------------------------------------------------------------- */

#define SLABS_MOST	256	/* validate.c: slabs of a list under one hold, */
#define WORDS_MOST	1024	/* and words of a bitmap */
#define BLOCKS_MOST	256	/* arena.c: blocks of a chain */

static void at_step(const char *where)
{
	if (!strcmp(where, "validate-step"))
		most_steps = max(most_steps, ++steps);
}

static u32 most_validated(void (*fn)(void))
{
	void (*before)(const char *where) = host_preempt_point;

	host_preempt_point = at_step;
	most_steps = 0;
	fn();
	host_preempt_point = before;
	return most_steps;
}

static struct myalloc_cache *long_lists;

static void validate_cache(void)
{
	struct myalloc_validation v = { 0 };

	if (!myalloc_cache_validate(long_lists, &v))
		host_fatal("%s", v.first);
}

static void validate_zone(void)
{
	struct myalloc_validation v = { 0 };

	if (!myalloc_zone_validate(zone, &v))
		host_fatal("%s", v.first);
}

/* Blocks of an arena, too. */
static void validate_arena(void)
{
	const struct myalloc_arena_args args = { .name = "a", .block_size = PAGE_SIZE };
	struct myalloc_arena *arena;
	u32 i, most;

	make_zone(CHUNKS);
	arena = myalloc_arena_create(zone, &args);
	if (IS_ERR(arena))
		host_fatal("no arena");
	for (i = 0; i < 2 * BLOCKS_MOST; i++)
		if (!myalloc_arena_alloc(arena, PAGE_SIZE / 2 + 1, 8))
			host_fatal("no block");
	most = most_validated(validate_zone);
	ktap_result(most == BLOCKS_MOST,
		    "a validation looks at %u blocks of an arena under one hold: %u", BLOCKS_MOST,
		    most);
	myalloc_arena_destroy(arena);
	end_zone();
}

/* The longest list and the largest bitmap are validated in parts. */
static void validation(void)
{
	static void *object[12 * SLABS_MOST];
	struct myalloc_zone_args args = {
		.name = "z", .chunks = chunks, .node = NUMA_NO_NODE, .chunk_order = CHUNK_ORDER,
		.simulated = true, .no_magazines = true,
	};
	static void *many[4 * WORDS_MOST * 64 >> CHUNK_ORDER];
	u32 i, nr, most;

	make_zone(CHUNKS);
	long_lists = make_cache(HALF, MYALLOC_NO_MAGAZINE);
	nr = min_t(u32, ARRAY_SIZE(object), 2 * SLABS_MOST * long_lists->layout.objects);
	for (i = 0; i < nr; i++)
		object[i] = myalloc_cache_alloc(long_lists, 0);
	most = most_validated(validate_cache);
	ktap_result(most == SLABS_MOST && long_lists->nr[MYALLOC_SLABS_FULL] > SLABS_MOST,
		    "a validation follows %u links of %u under one hold: %u", SLABS_MOST,
		    long_lists->nr[MYALLOC_SLABS_FULL], most);
	for (i = 0; i < nr; i++)
		myalloc_cache_free(long_lists, object[i]);
	if (myalloc_cache_destroy(long_lists))
		host_fatal("the cache does not end");
	end_zone();

	host_reset();
	for (i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (void *)(0x100000000 + i * (PAGE_SIZE << CHUNK_ORDER));
	args.chunks = many;
	args.nr_chunks = ARRAY_SIZE(many);
	args.nr_pages = ARRAY_SIZE(many) << CHUNK_ORDER;
	zone = myalloc_zone_create(&args);
	if (IS_ERR(zone))
		host_fatal("no zone");
	most = most_validated(validate_zone);
	ktap_result(most == WORDS_MOST, "a validation looks at %u words of a bitmap under one hold: %u",
		    WORDS_MOST, most);
	if (myalloc_zone_destroy(zone))
		host_fatal("the zone does not end");
}

/* --- rings -------------------------------------------------------------------------- */

#define PASS_MOST	64	/* ring.c: records passed over under one hold */
#define RING_PAGES	4

static u32 passed, passed_at, most_passed, all_passed;

static void at_pass(const char *where)
{
	if (strcmp(where, "ring-pass"))
		return;
	if (passed_at != holds)
		passed = 0;
	passed_at = holds;
	all_passed++;
	most_passed = max(most_passed, ++passed);
}

/* A long record takes the place of many short ones, which it passes over a few at a time. */
static void ring_passes(void)
{
	const struct myalloc_ring_args args = {
		.name = "r", .size = RING_PAGES * PAGE_SIZE, .mode = MYALLOC_RING_OVERWRITE,
	};
	struct myalloc_ring *ring;
	void *record;
	u32 i, nr = RING_PAGES * PAGE_SIZE / 16;

	make_zone(2);
	ring = myalloc_ring_create(zone, &args);
	if (IS_ERR(ring))
		host_fatal("no ring");
	for (i = 0; i < nr; i++)
		myalloc_ring_commit(ring, myalloc_ring_reserve(ring, 0));
	host_step_hook = at_pass;
	record = myalloc_ring_reserve(ring, RING_PAGES * PAGE_SIZE - 16);
	host_step_hook = NULL;
	ktap_result(record && most_passed == PASS_MOST && all_passed == nr,
		    "a record that takes the place of %u passes over %u under one hold: %u, %u in all",
		    nr, PASS_MOST, most_passed, all_passed);
	myalloc_ring_commit(ring, record);
	myalloc_ring_destroy(ring);
	end_zone();
}

/* --- extents ------------------------------------------------------------------------ */

/* Pages that an extent gives up are poisoned without holding the lock. */
static void resize_poison(void)
{
	const u32 nr = 300, to = 7;
	u8 *extent, *tail;
	bool done;

	make_zone_with(1, MYALLOC_POISON);
	extent = myalloc_pages_alloc_exact(zone, nr, 0, 0);
	if (!extent)
		host_fatal("no extent");
	memset(extent, 1, nr * PAGE_SIZE);
	tail = extent + (nr - 1) * PAGE_SIZE;
	poisoned_inside = false;
	watched_byte = tail;
	done = myalloc_extent_resize(zone, extent, nr, to, 0, 0, 1);
	watched_byte = NULL;
	ktap_result(done && !poisoned_inside && look_at(tail) == MYALLOC_POISON_FREE &&
		    look_at(extent + to * PAGE_SIZE) == MYALLOC_POISON_FREE &&
		    extent[to * PAGE_SIZE - 1] == 1,
		    "an extent that gives up %u pages poisons them without the lock", nr - to);
	ktap_result(zone->buddy.nr_frames - zone->buddy.nr_free == to &&
		    !myalloc_pages_free_exact(zone, extent, to),
		    "it has %u pages left", to);
	end_zone();
}

/* --- one operation ----------------------------------------------------------------- */

/* Slabs with one free slot each: a refill passes at most the permitted number of them. */
static void refill(void)
{
	static void *object[MANY * 4];
	struct myalloc_cache *cache;
	u32 per_slab, i, most = DIV_ROUND_UP(MYALLOC_SCAN_MOST, SCAN_SLAB + SCAN_WORD), got;
	void *extra;

	make_zone(2);
	cache = make_cache(QUARTER, 0);
	per_slab = cache->layout.objects;
	for (i = 0; i < MANY; i++)
		object[i] = myalloc_cache_alloc(cache, 0);
	/* Return everything in magazines; then one object of each slab, past the magazines. */
	myalloc_cache_drain(cache);
	for (i = 0; i < MANY; i += per_slab) {
		myalloc_cache_free(cache, object[i]);
		object[i] = NULL;
	}
	myalloc_cache_drain(cache);
	extra = myalloc_cache_alloc(cache, 0);
	got = 1 + myalloc_magazines_count(&cache->mags);
	ktap_result(extra && got <= most && got < cache->mags.batch,
		    "a refill passes at most %u slabs: %u objects", most, got);
	myalloc_cache_free(cache, extra);
	for (i = 0; i < MANY; i++)
		if (object[i])
			myalloc_cache_free(cache, object[i]);
	if (myalloc_cache_destroy(cache))
		host_fatal("the cache does not end");
	end_zone();
}

/* An operation reaps at most two of many deferred objects. */
static void reap(void)
{
	struct myalloc_cache *cache;
	void *object[MANY / 8], *extra;
	unsigned long irq;
	u64 left;
	u32 i;

	make_zone(1);
	cache = make_cache(200, MYALLOC_NO_MAGAZINE);
	for (i = 0; i < ARRAY_SIZE(object); i++)
		object[i] = myalloc_cache_alloc(cache, 0);
	raw_spin_lock_irqsave(&cache->lock, irq);
	host_enter_nmi();
	for (i = 0; i < ARRAY_SIZE(object); i++)
		myalloc_cache_free(cache, object[i]);
	host_exit_nmi();
	raw_spin_unlock_irqrestore(&cache->lock, irq);
	ktap_result(atomic64_read(&cache->deferred.nr) == ARRAY_SIZE(object),
		    "%zu frees are deferred", ARRAY_SIZE(object));
	extra = myalloc_cache_alloc(cache, 0);
	left = atomic64_read(&cache->deferred.nr);
	ktap_result(left >= ARRAY_SIZE(object) - REAP_MOST && left < ARRAY_SIZE(object),
		    "an alloc takes along at most %u: %llu are left", REAP_MOST, left);
	myalloc_cache_free(cache, extra);
	ktap_result(atomic64_read(&cache->deferred.nr) >= (s64)left - REAP_MOST &&
		    atomic64_read(&cache->deferred.nr) < (s64)left,
		    "a free takes along at most %u", REAP_MOST);
	if (myalloc_cache_destroy(cache))
		host_fatal("the cache does not end");
	end_zone();
}

/* --- walks ------------------------------------------------------------------------ */

#define LOOK_MOST	128	/* track.c: slots looked at, */
#define VISIT_MOST	8	/* and objects visited, under one hold */

static u32 visits;

static void visit(struct myalloc_cache *cache, void *object, const struct myalloc_track *track,
		  void *arg)
{
	visits++;
	most_steps = max(most_steps, ++steps);
}

/* Returns the holds of a walk over the live objects. */
static u32 walk_holds(struct myalloc_cache *cache)
{
	u32 at = holds;

	visits = 0;
	most_steps = 0;
	__myalloc_cache_walk_live(cache, visit, NULL);
	return holds - at;
}

/* A walk holds the lock for some slots of a slab of many small objects. */
static void walk_live(void)
{
	static void *object[PAGE_SIZE / 8];
	struct myalloc_cache *cache;
	u32 slots, i, took;

	make_zone(1);
	cache = make_cache(8, MYALLOC_NO_MAGAZINE);
	slots = cache->layout.objects;
	if (slots > ARRAY_SIZE(object) || slots < 2 * LOOK_MOST)
		host_fatal("a slab of %u objects", slots);
	for (i = 0; i < slots; i++)
		object[i] = myalloc_cache_alloc(cache, 0);
	walk_holds(cache);
	ktap_result(visits == slots && most_steps == VISIT_MOST,
		    "a walk visits %u live objects of %u under one hold: %u, %u in all",
		    VISIT_MOST, slots, most_steps, visits);
	for (i = 0; i < slots; i++)
		if (myalloc_cache_free(cache, object[i]))
			host_fatal("a free fails");
	object[0] = myalloc_cache_alloc(cache, 0);	/* its slab stays */
	took = walk_holds(cache);
	ktap_result(visits == 1 && took == DIV_ROUND_UP(slots, LOOK_MOST),
		    "a walk looks at %u slots of %u under one hold: %u holds", LOOK_MOST, slots,
		    took);
	if (myalloc_cache_free(cache, object[0]) || myalloc_cache_destroy(cache))
		host_fatal("the cache does not end");
	end_zone();
}

/* Splits and merges of a buddy so far. */
static u64 moves(const struct myalloc_zone *child)
{
	return child->buddy.nr_splits + child->buddy.nr_merges;
}

/*
 * A request within a contract holds the child's lock once. In this hold it does at most as many
 * splits or merges as there are lower orders, and as many for each of two deferred frees.
 */
static void contract(void)
{
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_PAGES, .pages = 512, .orders = 0x3ff,
	};
	struct myalloc_contract_plan plan;
	struct myalloc_contract *c;
	struct myalloc_zone *child;
	void *block[64], *extra;
	u64 most_moves = 0, before;
	u32 most_holds = 0, i, at;
	unsigned long irq;

	make_zone(CHUNKS);
	c = myalloc_contract_create(zone, "c", &line, 1, 0, &plan);
	if (IS_ERR(c))
		host_fatal("no contract");
	child = myalloc_contract_zone(c, 0);
	for (i = 0; i < ARRAY_SIZE(block); i++) {
		before = moves(child);
		at = holds;
		block[i] = myalloc_pages_alloc(child, 0, 0);
		most_moves = max(most_moves, moves(child) - before);
		most_holds = max(most_holds, holds - at);
	}
	ktap_result(most_moves == CHUNK_ORDER && most_holds == 1,
		    "an alloc within a contract splits %u times at most, in 1 hold: %llu, %u",
		    CHUNK_ORDER, most_moves, most_holds);
	most_moves = 0;
	most_holds = 0;
	for (i = 3; i < ARRAY_SIZE(block); i++) {
		before = moves(child);
		at = holds;
		myalloc_pages_free(child, block[i], 0);
		most_moves = max(most_moves, moves(child) - before);
		most_holds = max(most_holds, holds - at);
	}
	raw_spin_lock_irqsave(&child->lock, irq);
	host_enter_nmi();
	for (i = 0; i < 2; i++)
		myalloc_pages_free(child, block[i], 0);
	host_exit_nmi();
	raw_spin_unlock_irqrestore(&child->lock, irq);
	before = moves(child);
	at = holds;
	myalloc_pages_free(child, block[2], 0);
	most_moves = max(most_moves, moves(child) - before);
	most_holds = max(most_holds, holds - at);
	ktap_result(most_moves >= CHUNK_ORDER && most_moves <= 3 * CHUNK_ORDER && most_holds == 1,
		    "a free within a contract merges %u times at most, in 1 hold: %llu, %u",
		    3 * CHUNK_ORDER, most_moves, most_holds);
	extra = myalloc_pages_alloc(child, CHUNK_ORDER, 0);
	at = holds;
	before = moves(child);
	if (!extra || myalloc_pages_alloc(child, 0, 0))
		host_fatal("M is not what it was");
	ktap_result(moves(child) == before && holds - at == 2,
		    "an alloc beyond a contract takes another hold, to count: %u", holds - at);
	myalloc_pages_free(child, extra, CHUNK_ORDER);
	if (myalloc_contract_end(c, 0))
		host_fatal("the contract does not end");
	end_zone();
}

#define ALONE	3	/* chunks; more than the deferred frees that a request reaps */

static void *take(struct myalloc_zone *child, u32 pages)
{
	void *addr = is_power_of_2(pages) ? myalloc_pages_alloc(child, fls(pages) - 1, 0) :
					    myalloc_pages_alloc_exact(child, pages, 0, 0);

	if (!addr)
		host_fatal("no %u pages", pages);
	return addr;
}

/* Leave one allocation in each of the first chunks, and free these while the lock is held. */
static void defer_alone(struct myalloc_zone *child, u32 pages)
{
	static void *rest[ALONE][BIT(CHUNK_ORDER)];
	unsigned long irq;
	u32 i, j, nr = BIT(CHUNK_ORDER) - pages + 1;

	for (i = 0; i < ALONE; i++)
		for (j = 0; j < nr; j++)
			rest[i][j] = take(child, j ? 1 : pages);
	for (i = 0; i < ALONE; i++)
		for (j = 1; j < nr; j++)
			myalloc_free(child, rest[i][j]);
	raw_spin_lock_irqsave(&child->lock, irq);
	host_enter_nmi();
	for (i = ALONE; i--; )		/* the last one is reaped first */
		myalloc_free(child, rest[i][0]);
	host_exit_nmi();
	raw_spin_unlock_irqrestore(&child->lock, irq);
}

/*
 * The same for a request of @pages after more deferred frees, of @waits pages each, than the @reaps
 * of them that it reaps.
 */
static void contract_deferred(const struct myalloc_contract_line *line, u32 pages, u32 waits,
			      u32 reaps)
{
	struct myalloc_contract_plan plan;
	struct myalloc_contract *c;
	struct myalloc_zone *child;
	u64 before, alloc_moves, free_moves;
	u32 at, alloc_holds, free_holds;
	void *addr;

	make_zone(CHUNKS);
	c = myalloc_contract_create(zone, "c", line, 1, 0, &plan);
	if (IS_ERR(c))
		host_fatal("no contract");
	child = myalloc_contract_zone(c, 0);
	defer_alone(child, waits);
	before = moves(child);
	at = holds;
	addr = take(child, pages);
	alloc_moves = moves(child) - before;
	alloc_holds = holds - at;
	myalloc_zone_drain(child);
	before = moves(child);
	at = holds;
	if (myalloc_free(child, addr))
		host_fatal("a free is refused");
	free_moves = moves(child) - before;
	free_holds = holds - at;
	ktap_result(alloc_moves > reaps * CHUNK_ORDER &&
		    alloc_moves <= (reaps + 1) * CHUNK_ORDER && alloc_holds == 1,
		    "an alloc of %u pages after %d deferred frees of %u splits and merges %u times at most, in 1 hold: %llu, %u",
		    pages, ALONE, waits, (reaps + 1) * CHUNK_ORDER, alloc_moves, alloc_holds);
	ktap_result(free_moves && free_moves <= CHUNK_ORDER && free_holds == 1,
		    "a free of these %u pages after %u merges %d times at most, in 1 hold: %llu, %u",
		    pages, waits, CHUNK_ORDER, free_moves, free_holds);
	if (myalloc_contract_end(c, 0))
		host_fatal("the contract does not end");
	end_zone();
}

static void contracts_deferred(void)
{
	static const u32 sizes[] = { 1, 257, 511, 512 };
	const struct myalloc_contract_line blocks = {
		.kind = MYALLOC_CONTRACT_PAGES, .pages = ALONE << CHUNK_ORDER, .orders = 0x201,
	}, extents = {
		.kind = MYALLOC_CONTRACT_EXTENTS, .pages = ALONE << CHUNK_ORDER, .sizes = sizes,
		.nr_sizes = ARRAY_SIZE(sizes),
	};

	contract_deferred(&blocks, 1, 1, 2);
	contract_deferred(&extents, 257, 1, 1);
	contract_deferred(&extents, 511, 1, 1);
	contract_deferred(&extents, 257, 511, 1);
}

/* A free of a block reaps as many deferred frees as a request of the line does. */
static void contract_block_reaps(void)
{
	static const u32 sizes[] = { 1, 3 };
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_EXTENTS, .pages = 4 * ALONE, .sizes = sizes,
		.nr_sizes = ARRAY_SIZE(sizes),
	};
	struct myalloc_contract_plan plan;
	void *extent[ALONE], *block;
	struct myalloc_contract *c;
	struct myalloc_zone *child;
	unsigned long irq;
	s64 left;
	u32 i;

	make_zone(CHUNKS);
	c = myalloc_contract_create(zone, "c", &line, 1, 0, &plan);
	if (IS_ERR(c))
		host_fatal("no contract");
	child = myalloc_contract_zone(c, 0);
	block = take(child, 1);
	for (i = 0; i < ALONE; i++)
		extent[i] = take(child, 3);
	raw_spin_lock_irqsave(&child->lock, irq);
	host_enter_nmi();
	for (i = 0; i < ALONE; i++)
		myalloc_free(child, extent[i]);
	host_exit_nmi();
	raw_spin_unlock_irqrestore(&child->lock, irq);
	myalloc_free(child, block);
	left = atomic64_read(&child->deferred.nr);
	ktap_result(left == 3 * (ALONE - 1),
		    "a free of a block in a line of extents completes 1 deferred free of %d: %lld pages are left",
		    ALONE, left);
	if (myalloc_contract_end(c, 0))
		host_fatal("the contract does not end");
	end_zone();
}

#define EACH	3	/* blocks for NMI handlers of a CPU */

/* A contract with blocks for NMI handlers, and the number that handlers of a CPU have got. */
struct nmi_client {
	struct myalloc_zone *child;
	u32 rounds;
	u32 got;
};

/* In each round the handlers find the lock taken; an interrupt may follow. */
static void nmi_rounds(void *arg)
{
	struct nmi_client *client = arg;
	void *block[EACH];
	unsigned long irq;
	u32 i, round;

	for (round = 0; round < client->rounds; round++) {
		raw_spin_lock_irqsave(&client->child->lock, irq);
		host_enter_nmi();
		for (i = 0; i < EACH; i++) {
			block[i] = myalloc_pages_alloc(client->child, 0, 0);
			client->got += !!block[i];
		}
		host_exit_nmi();
		raw_spin_unlock_irqrestore(&client->child->lock, irq);
		for (i = 0; i < EACH; i++)
			if (block[i])
				myalloc_pages_free(client->child, block[i], 0);
	}
}

/* While the interrupt of a CPU waits, that of another one fills its stack. */
static void contract_cpus(void)
{
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_PAGES, .pages = 2 * EACH, .orders = 0x1, .nmi = EACH,
	};
	struct nmi_client first = { .rounds = 1 }, second = { .rounds = 4 };
	struct myalloc_contract_plan plan;
	struct myalloc_contract *c;
	unsigned long irq;

	host_set_nr_cpus(2);
	make_zone(CHUNKS);
	c = myalloc_contract_create(zone, "c", &line, 1, 0, &plan);
	if (IS_ERR(c))
		host_fatal("no contract");
	first.child = myalloc_contract_zone(c, 0);
	second.child = first.child;
	local_irq_save(irq);
	nmi_rounds(&first);
	host_run_on_cpu(1, nmi_rounds, &second);
	local_irq_restore(irq);
	ktap_result(first.got == EACH && second.got == 4 * EACH,
		    "NMI handlers of a CPU get %d blocks in each of 4 rounds while the interrupt of another CPU waits: %u",
		    EACH, second.got);
	if (myalloc_contract_end(c, 0))
		host_fatal("the contract does not end");
	end_zone();
}

/* The capacity of a zone's magazines and depots: a share of it, for any number of CPUs. */
static void share(u32 cpus, u32 nr_chunks)
{
	u64 pages = 0, frames = (u64)nr_chunks << CHUNK_ORDER;
	u32 i;

	host_set_nr_cpus(cpus);
	make_zone(nr_chunks);
	for (i = 0; i < MYALLOC_PCP_LISTS; i++) {
		const struct myalloc_magazines *mags = &zone->pcp[i];

		pages += ((u64)mags->nr_magazines * mags->capacity) << myalloc_pcp_order(i);
	}
	ktap_result(pages * 8 <= frames * 3,
		    "%u CPUs, %llu pages: magazines hold %llu at most, of which 3/8 are %llu",
		    cpus, frames, pages, frames * 3 / 8);
	end_zone();
}

int main(void)
{
	static const u32 cpus[] = { 1, 2, 7, 32 };
	u32 i;

	ktap_plan(52 + 2 * ARRAY_SIZE(cpus));
	worker();
	posts();
	settle();
	asked_passes();
	limbo_looks();
	reclaim();
	flush_hold();
	flush_harvest();
	trim_hold();
	ages();
	many_ages();
	refill();
	reap();
	walk_live();
	validation();
	validate_arena();
	ring_passes();
	resize_poison();
	contract();
	contracts_deferred();
	contract_block_reaps();
	contract_cpus();
	for (i = 0; i < ARRAY_SIZE(cpus); i++) {
		share(cpus[i], 1);
		share(cpus[i], CHUNKS);
	}
	return ktap_end();
}
