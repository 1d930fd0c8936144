// SPDX-License-Identifier: GPL-2.0
/*
 * Bounds: what one operation does at most, counted by what has come of it
 *
 * Each case makes a state in which an operation without its bound would do much more than the
 * theory comments of object.c and pages.c say, and counts. No clock is asked.
 */
#include "env.h"
#include "ktap.h"
#include "page/pages.h"
#include "object/cache.h"
#include "zone/zone.h"

#define CHUNK_ORDER	9
#define CHUNKS		8
#define ARENA_ORDER	(CHUNK_ORDER + 3)
#define MANY		512
/* slab.c: of MYALLOC_SCAN_MOST, what a slab counts; and what an operation takes along. */
#define SCAN_SLAB	32
#define REAP_MOST	2

static void *arena, *chunks[CHUNKS];
static struct myalloc_zone *zone;

static void make_zone(u32 nr_chunks)
{
	struct myalloc_zone_args args = {
		.name = "z", .chunks = chunks, .node = NUMA_NO_NODE, .chunk_order = CHUNK_ORDER,
		.nr_chunks = nr_chunks, .nr_pages = nr_chunks << CHUNK_ORDER,
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
			.name = "c", .object_size = size, .flags = flags,
			.magazine = flags & MYALLOC_NO_MAGAZINE ? 0 : MYALLOC_MAGAZINE_MAX,
		});

	if (IS_ERR(cache))
		host_fatal("no cache");
	return cache;
}

/* Slabs with one free slot each: a refill passes no more of them than it may. */
static void refill(void)
{
	static void *object[MANY * 4];
	struct myalloc_cache *cache;
	u32 per_slab, i, most = MYALLOC_SCAN_MOST / SCAN_SLAB, got;
	void *extra;

	make_zone(2);
	cache = make_cache(1000, 0);
	per_slab = cache->layout.objects;
	for (i = 0; i < MANY; i++)
		object[i] = myalloc_cache_alloc(cache, 0);
	/* Whatever magazines hold goes back; then one of each slab, past the magazines. */
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

/* An operation takes along at most two of many deferred objects. */
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

/* What magazines and depots of a zone can hold: a share of it, however many CPUs there are. */
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

	ktap_plan(4 + 2 * ARRAY_SIZE(cpus));
	refill();
	reap();
	for (i = 0; i < ARRAY_SIZE(cpus); i++) {
		share(cpus[i], 1);
		share(cpus[i], CHUNKS);
	}
	return ktap_end();
}
