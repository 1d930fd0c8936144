// SPDX-License-Identifier: GPL-2.0
/* Tests of reclaim: unused memory is returned, in bounded steps, and never too early. */
#include "env.h"

#include <kunit/test.h>

#include "base/random.h"
#include "object/limbo.h"
#include "object/upkeep.h"
#include "page/drain.h"
#include "slab_fixture.h"

/* Default magazines of a cache in a zone of 64 MiB or more: 64 objects, at most 256 KiB. */
static struct myalloc_cache *default_cache(struct fixture *fx, const char *name, unsigned int size)
{
	return magazine_cache(fx, name, size, min(262144 / size, 64U));
}

static void shuffle(void **o, u32 nr, struct myalloc_random *random)
{
	for (; nr > 1; nr--) {
		u32 i = myalloc_random_below(random, nr);

		swap(o[nr - 1], o[i]);
	}
}

/* --- empty slabs ------------------------------------------------------------- */

static void empty_slabs(struct kunit *test, bool shuffled)
{
	static const unsigned int sizes[] = { 64, 256, 1024, 4096, 8192, 16384, 32768 };
	struct fixture *fx = large_zone(test);
	struct myalloc_random random;
	unsigned int s;

	fixture_random(test, &random);
	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct myalloc_cache *cache = default_cache(fx, "keep", sizes[s]);
		u32 nr = (2u << 20) / sizes[s], i;
		void **o = fixture_zalloc(test, nr * sizeof(*o));

		KUNIT_ASSERT_NOT_NULL(test, o);
		for (i = 0; i < nr; i++)
			KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(cache, 0));
		if (shuffled)
			shuffle(o, nr, &random);
		for (i = 0; i < nr; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		KUNIT_EXPECT_LE_MSG(test, stats_of(cache).slabs_empty, MYALLOC_EMPTY_KEEP,
				    "%u bytes", sizes[s]);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->slab_pages, 0);
	}
}

/* In whatever order objects are freed, a cache keeps only a few empty slabs. */
static void reclaim_empty_in_order(struct kunit *test)
{
	empty_slabs(test, false);
}

static void reclaim_empty_shuffled(struct kunit *test)
{
	empty_slabs(test, true);
}

/*
 * One cache after the other is filled to half the zone and emptied in random order. None is denied
 * memory by those before it, and pages can be allocated at the end.
 */
static void reclaim_caches(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	u32 nr = (2u << 20) / 64, i, c, n;
	void **o = fixture_zalloc(test, nr * sizeof(*o)), *page;
	struct myalloc_random random;

	fixture_random(test, &random);
	for (c = 0; c < 8; c++) {
		struct myalloc_cache *cache;
		char name[8];

		snprintf(name, sizeof(name), "c%u", c);
		cache = default_cache(fx, name, 64);
		fixture_let_pass(fx);
		for (n = 0; n < nr; n++) {
			o[n] = myalloc_cache_alloc(cache, 0);
			if (!o[n]) {	/* its slabs may need a grace period */
				fixture_let_pass(fx);
				o[n] = myalloc_cache_alloc(cache, 0);
			}
			if (!o[n])
				break;
		}
		KUNIT_EXPECT_EQ_MSG(test, n, nr, "cache %u", c);
		shuffle(o, n, &random);
		for (i = 0; i < n; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	}
	for (i = 0; i < 4; i++) {
		fixture_let_pass(fx);
		page = myalloc_pages_alloc(fx->zone, 0, 0);
		if (page)
			break;
	}
	KUNIT_EXPECT_NOT_NULL(test, page);
	if (page)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* W1: with no live memory, a request with MAY_WAIT gets every order. */
static void reclaim_every_order(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = default_cache(fx, "c", 200);
	void **o = object_array(test), *page;
	unsigned int order;
	u32 i;

	for (order = 0; order <= 10; order++) {
		for (i = 0; i < OBJECTS_MAX; i++)
			o[i] = i % 3 ? myalloc_cache_alloc(cache, 0) :
				       myalloc_pages_alloc(fx->zone, 0, 0);
		for (i = 0; i < OBJECTS_MAX; i++)
			if (o[i])
				KUNIT_EXPECT_EQ(test, i % 3 ? myalloc_cache_free(cache, o[i]) :
						myalloc_pages_free(fx->zone, o[i], 0), 0);
		page = myalloc_pages_alloc(fx->zone, order, MYALLOC_MAY_WAIT);
		KUNIT_EXPECT_NOT_NULL_MSG(test, page, "order %u", order);
		if (page)
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, order), 0);
		FIXTURE_EXPECT_VALID(fx);
	}
}

/* A request without MAY_WAIT reclaims locally and wakes the worker, which reclaims the rest. */
static void reclaim_atomic(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "c", 4096, 16);
	void *o[64], *page;
	u32 i;

	for (i = 0; i < 64; i++)
		KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(cache, 0));
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	KUNIT_EXPECT_FALSE(test, fx->zone->want_drain);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, 10, 0));
	KUNIT_EXPECT_TRUE(test, fx->zone->want_drain);
	fixture_worker_pass(fx);
	KUNIT_EXPECT_FALSE(test, fx->zone->want_drain);
	page = myalloc_pages_alloc(fx->zone, 10, 0);
	KUNIT_EXPECT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 10), 0);
}

enum reclaim_context { RECLAIM_TASK, RECLAIM_IRQS_OFF, RECLAIM_NMI, RECLAIM_CONTEXTS };

static void *alloc_in(struct fixture *fx, enum reclaim_context context, unsigned int order)
{
	unsigned long irq = 0;
	void *page;

	if (context == RECLAIM_IRQS_OFF)
		local_irq_save(irq);
	else if (context == RECLAIM_NMI)
		irq = fixture_nmi_enter();
	page = myalloc_pages_alloc(fx->zone, order, 0);
	if (context == RECLAIM_IRQS_OFF)
		local_irq_restore(irq);
	else if (context == RECLAIM_NMI)
		fixture_nmi_exit(irq);
	return page;
}

struct some {
	struct fixture *fx;
	struct myalloc_cache *cache;
	void **objects;
	u32 nr;
};

/* Free objects and leave pages of each small order in the magazines of the current CPU. */
static void free_some(void *arg)
{
	const struct some *some = arg;
	struct kunit *test = some->fx->test;
	unsigned int order;
	void *page;
	u32 i;

	for (i = 0; i < some->nr; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(some->cache, some->objects[i]), 0);
	for (order = 0; order <= MYALLOC_PCP_SMALL; order++) {
		page = myalloc_pages_alloc(some->fx->zone, order, 0);
		if (page)
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(some->fx->zone, page, order), 0);
	}
}

/*
 * With no live memory, a request without MAY_WAIT gets every order in every context, even if
 * another CPU caches part of it: at once, or after the worker pass that the request posted.
 */
static void reclaim_atomic_orders(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	const unsigned int size = min_t(unsigned int, PAGE_SIZE, MYALLOC_MAX_OBJECT);
	struct myalloc_cache *cache = magazine_cache(fx, "c", size, 16);
	void **o = object_array(test), *page;
	enum reclaim_context context;
	unsigned int order;
	u32 nr, asked = 0;

	for (order = 0; order <= 10; order++)
		for (context = RECLAIM_TASK; context < RECLAIM_CONTEXTS; context++) {
			for (nr = 0; nr < OBJECTS_MAX; nr++) {
				o[nr] = myalloc_cache_alloc(cache, 0);
				if (!o[nr])
					break;
			}
			KUNIT_EXPECT_EQ(test, nr, 1024 * (PAGE_SIZE / size));	/* the zone */
			fixture_on_cpu(1, free_some, &(struct some){ fx, cache, o, nr / 2 });
			free_some(&(struct some){ fx, cache, o + nr / 2, nr - nr / 2 });
			WRITE_ONCE(fx->zone->want_drain, false);
			page = alloc_in(fx, context, order);
			if (!page) {
				asked++;
				KUNIT_EXPECT_TRUE(test, READ_ONCE(fx->zone->want_drain));
				fixture_worker_pass(fx);
				page = alloc_in(fx, context, order);
			}
			KUNIT_EXPECT_NOT_NULL_MSG(test, page, "order %u, context %u", order,
						  context);
			if (page)
				KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, order), 0);
			myalloc_zone_drain(fx->zone);
		}
	KUNIT_EXPECT_GE(test, asked, RECLAIM_CONTEXTS);	/* at least for the largest order */
	FIXTURE_EXPECT_VALID(fx);
}

/* A request may reclaim directly from this CPU's page magazines. */
static void reclaim_pages_here(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	void *page[64];
	u32 i;

	for (i = 0; i < 64; i++)
		page[i] = myalloc_pages_alloc(fx->zone, 0, 0);
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page[i], 0), 0);
	KUNIT_EXPECT_GT(test, fixture_stats(fx)->cached_pages, 0);
	page[0] = myalloc_pages_alloc(fx->zone, 10, 0);
	KUNIT_EXPECT_NOT_NULL(test, page[0]);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->cached_pages, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page[0], 10), 0);
}

/* --- the worker ------------------------------------------------------------------ */

/* Memory that was not used between two runs is returned without a request. */
static void reclaim_idle(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "idle", 100, 16);
	void **o = object_array(test), *page = myalloc_pages_alloc(fx->zone, 0, 0);
	u32 i;

	for (i = 0; i < 200; i++)
		o[i] = myalloc_cache_alloc(cache, 0);
	for (i = 0; i < 200; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
	KUNIT_EXPECT_GT(test, stats_of(cache).cached_objects, 0);
	/* At its first run, everything counts as used. */
	fixture_worker_pass(fx);
	KUNIT_EXPECT_GT(test, stats_of(cache).cached_objects, 0);
	KUNIT_EXPECT_GT(test, fixture_stats(fx)->cached_pages, 0);
	/* Used since then. */
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, myalloc_cache_alloc(cache, 0)), 0);
	fixture_worker_pass(fx);
	KUNIT_EXPECT_GT(test, stats_of(cache).cached_objects, 0);
	for (i = 0; i < 4; i++) {
		fixture_worker_pass(fx);
		fixture_let_pass(fx);
	}
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).slabs, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->free_pages, 1024);
	FIXTURE_EXPECT_VALID(fx);
}

/* --- drains ---------------------------------------------------------------------------- */

static void cache_there(void *arg)
{
	struct fixture *fx = arg;
	struct myalloc_cache *cache;
	void *o[24];
	u32 i;

	cache = list_first_entry(&fx->zone->caches, struct myalloc_cache, link);
	for (i = 0; i < 24; i++)
		o[i] = i % 2 ? myalloc_cache_alloc(cache, 0) : myalloc_pages_alloc(fx->zone, 0, 0);
	for (i = 0; i < 24; i++)
		if (i % 2)
			myalloc_cache_free(cache, o[i]);
		else
			myalloc_pages_free(fx->zone, o[i], 0);
}

/* The objects of an offline CPU are returned by the hotplug callback or by any drain. */
static void drain_offline(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "gone", 100, 16);
	int cpu = fixture_cpu(1);
	u32 round;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	for (round = 0; round < 3; round++) {
		fixture_on_cpu(1, cache_there, fx);
		KUNIT_EXPECT_GT(test, stats_of(cache).cached_objects, 0);
		KUNIT_EXPECT_GT(test, fixture_stats(fx)->cached_pages, 0);
		if (!fixture_set_online(1, false)) {
			myalloc_zone_drain(fx->zone);
			kunit_skip(test, "no CPU can go here; see context_kunit.c");
		}
		if (!round) {
			myalloc_zone_drain_cpu(fx->zone, cpu);
		} else if (round == 1) {
			myalloc_cache_drain(cache);
			KUNIT_EXPECT_GT(test, fixture_stats(fx)->cached_pages, 0);
			myalloc_zone_drain(fx->zone);
		} else {	/* the worker visits online CPUs only; the others have nothing */
			myalloc_zone_drain_cpu(fx->zone, cpu);
			fixture_worker_pass(fx);
		}
		KUNIT_EXPECT_EQ(test, myalloc_magazines_count_cpu(&cache->mags, cpu), 0);
		KUNIT_EXPECT_EQ(test, myalloc_magazines_count_cpu(&fx->zone->pcp[0], cpu), 0);
		fixture_set_online(1, true);
		FIXTURE_EXPECT_VALID(fx);
	}
}

static struct myalloc_cache *hooked;
static struct myalloc_magazine_cpu *busy_cpu;
static unsigned int hook_calls;

/* The other CPU's operation ends between the drain's first and second attempt. */
static void hook_leave(const char *where)
{
	if (!strcmp(where, "magazine-enter") && this_cpu_ptr(hooked->mags.cpu) == busy_cpu &&
	    ++hook_calls == 2)
		busy_cpu->guard = busy_cpu->epoch;
}

/* A drain that finds a CPU's magazines busy tries again. */
static void drain_busy(struct kunit *test)
{
	struct fixture *fx = large_zone(test);

	hooked = magazine_cache(fx, "busy", 100, 16);
	hook_calls = 0;
	fixture_on_cpu(1, cache_there, fx);
	KUNIT_EXPECT_GT(test, stats_of(hooked).cached_objects, 0);
	if (!fixture_set_hook(hook_leave))
		kunit_skip(test, "no hook in the fast path here");
	busy_cpu = per_cpu_ptr(hooked->mags.cpu, fixture_cpu(1));
	busy_cpu->guard = MYALLOC_EPOCH_BUSY;
	myalloc_cache_drain(hooked);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, hook_calls, 2);
	KUNIT_EXPECT_EQ(test, stats_of(hooked).cached_objects, 0);
}

/* Allocate and free @nr objects, beginning with empty magazines. */
static void fill(struct kunit *test, struct myalloc_cache *cache, u32 nr)
{
	void **o = object_array(test);
	u32 i;

	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(cache, 0));
	myalloc_cache_drain(cache);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, nr);
}

/* A walk that has reached its limit continues in the next interrupt. */
static void drain_in_parts(struct kunit *test)
{
	static const u32 fills[] = { 256, 100, 200, 0, 1 };
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache[ARRAY_SIZE(fills)];
	char name[8];
	u32 i;

	/* Drain one kind only, and none. */
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain_kinds(fx->zone, MYALLOC_KIND_OBJECTS), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain_kinds(fx->zone, MYALLOC_KIND_PAGES), 0);
	for (i = 0; i < ARRAY_SIZE(fills); i++) {
		snprintf(name, sizeof(name), "c%u", i);
		cache[i] = magazine_cache(fx, name, 64, 128);
		fill(test, cache[i], fills[i]);
	}
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain_kinds(fx->zone, MYALLOC_KIND_PAGES), 0);
	for (i = 0; i < ARRAY_SIZE(fills); i++)
		KUNIT_EXPECT_EQ(test, stats_of(cache[i]).cached_objects, fills[i]);
	myalloc_zone_drain_kinds(fx->zone, MYALLOC_KIND_OBJECTS);
	for (i = 0; i < ARRAY_SIZE(fills); i++)
		KUNIT_EXPECT_EQ(test, stats_of(cache[i]).cached_objects, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* A request without MAY_WAIT reclaims as much as one interrupt may walk over, and no more. */
static void reclaim_bound(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "first", 64, 128);
	struct myalloc_cache *other = magazine_cache(fx, "other", 64, 128);

	fill(test, cache, 256);
	fill(test, other, 2);
	fx->zone->reclaim_id = 0;
	fx->zone->last_drain = div_u64(myalloc_env_now_ns(), 1000000);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, 10, 0));
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(other).cached_objects, 2);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, 10, 0));
	KUNIT_EXPECT_EQ(test, stats_of(other).cached_objects, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* The worker runs on while anything may become idle: objects beside live ones, a quarantine. */
static void worker_goes_on(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "on", 100, 16);
	void *live = myalloc_cache_alloc(cache, 0), *page;

	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, myalloc_cache_alloc(cache, 0)), 0);
	fixture_worker_pass(fx);
	KUNIT_EXPECT_GT(test, stats_of(cache).cached_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).slabs_empty, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, live), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	myalloc_zone_drain(fx->zone);
	page = myalloc_pages_alloc(fx->zone, 0, MYALLOC_LENDABLE);
	KUNIT_ASSERT_NOT_NULL(test, page);
	fixture_set_referenced(page, true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
	fixture_worker_pass(fx);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->quarantined_pages, 1);
	fixture_set_referenced(page, false);
	fixture_worker_pass(fx);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->quarantined_pages, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* --- sizes of magazines ------------------------------------------------------------------ */

static void resize(struct kunit *test)
{
	static const u32 sizes[] = { 0, 1, 5, 128, 16 };
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "size", 100, 16);
	struct myalloc_cache *checked = fixture_cache(fx, "checked", 100, MYALLOC_SANITY);
	struct myalloc_cache *certain = level_cache(fx, "certain", 100, MYALLOC_CERTAIN);
	void **o = object_array(test);
	u32 s, i;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (i = 0; i < 300; i++)
			o[i] = myalloc_cache_alloc(cache, 0);
		for (i = 0; i < 150; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_resize(cache, sizes[s]), 0);
		KUNIT_EXPECT_EQ(test, cache->mags.capacity, sizes[s]);
		KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, 0);
		FIXTURE_EXPECT_VALID(fx);
		for (; i < 300; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		KUNIT_EXPECT_EQ(test, !!stats_of(cache).cached_objects, !!sizes[s]);
		KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 0);
	}
	KUNIT_EXPECT_EQ(test, myalloc_cache_resize(cache, MYALLOC_MAGAZINE_MAX + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_cache_resize(checked, 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_cache_resize(certain, 8), 0);
	KUNIT_EXPECT_EQ(test, certain->mags.epoch, MYALLOC_EPOCH_NEVER);
	KUNIT_EXPECT_EQ(test, cache->mags.capacity, 16);
	if (fixture_fail_after(1)) {
		KUNIT_EXPECT_EQ(test, myalloc_cache_resize(cache, 8), -ENOMEM);
		fixture_fail_after(0);
		KUNIT_EXPECT_EQ(test, cache->mags.capacity, 16);
		KUNIT_EXPECT_EQ(test, cache->mags.epoch, cache->mags.age);
	}
	FIXTURE_EXPECT_VALID(fx);
}

/* All caches together stay within their share of the zone, and the last one is served as well. */
static void resize_share(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 4096, .chunk_order = 10, .simulated = true };
	struct fixture *fx = fixture_zone(test, &args);
	u64 room = 0, meta = 0;
	u32 i;

	for (i = 0; i < 60; i++) {
		struct myalloc_cache_args c = { .object_size = 64 + i * 32 };
		struct myalloc_cache *cache;
		char name[8];

		snprintf(name, sizeof(name), "c%u", i);
		c.name = name;
		cache = myalloc_cache_create(fx->zone, &c);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
		room += cache->room;
		meta += cache->meta;
	}
	KUNIT_EXPECT_LE(test, room, 4096 * PAGE_SIZE / 8);
	KUNIT_EXPECT_LE(test, meta, 4096 * PAGE_SIZE / 64);
	KUNIT_EXPECT_EQ(test, room, fx->zone->magazine_room);
	KUNIT_EXPECT_EQ(test, meta, fx->zone->magazine_meta);
}

/* Magazines stay within their own share of memory, whatever is left for objects. */
static void resize_meta(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 4096, .chunk_order = 10, .simulated = true };
	const struct myalloc_cache_args c = { .name = "meta", .object_size = 64 };
	static const s64 left[] = { -1, 0, 512 };
	struct fixture *fx = fixture_zone(test, &args);
	u64 most = 4096 * PAGE_SIZE / 64, others;
	struct myalloc_cache *cache;
	u32 i;

	KUNIT_EXPECT_FALSE(test, myalloc_zone_magazines_short(fx->zone));
	for (i = 0; i < ARRAY_SIZE(left); i++) {
		others = most - left[i];
		fx->zone->magazine_meta = others;	/* as if used by other caches */
		KUNIT_EXPECT_TRUE(test, myalloc_zone_magazines_short(fx->zone));
		cache = myalloc_cache_create(fx->zone, &c);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
		KUNIT_EXPECT_LE(test, cache->meta, max(left[i], 0LL) / 2);
		KUNIT_EXPECT_EQ(test, cache->mags.capacity, 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
		KUNIT_EXPECT_EQ(test, fx->zone->magazine_meta, others);
	}
	fx->zone->magazine_meta = 0;
}

/* Magazines that are often empty grow, at the expense of unused caches. */
static void resize_by_use(struct kunit *test)
{
	const u32 nr = fixture_nr_cpus() * 24;
	struct fixture *fx = large_zone(test);
	struct myalloc_cache **cache = fixture_zalloc(test, nr * sizeof(*cache)), *last;
	void **o = object_array(test);
	u32 i, run, capacity;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	for (i = 0; i < nr; i++) {
		struct myalloc_cache_args c = { .object_size = 512 };
		char name[16];

		snprintf(name, sizeof(name), "c%u", i);
		c.name = name;
		cache[i] = myalloc_cache_create(fx->zone, &c);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache[i]);
	}
	last = cache[nr - 1];
	capacity = last->mags.capacity;
	KUNIT_EXPECT_LT(test, capacity, myalloc_cache_default_magazine(last));
	KUNIT_EXPECT_TRUE(test, myalloc_zone_magazines_short(fx->zone));
	for (run = 0; run < 30; run++) {
		for (i = 0; i < 256; i++)
			KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(last, 0));
		for (i = 0; i < 256; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(last, o[i]), 0);
		fixture_worker_pass(fx);
	}
	KUNIT_EXPECT_GT(test, last->mags.capacity, capacity);
	KUNIT_EXPECT_EQ(test, cache[0]->mags.capacity, 0);
	/* A cache without magazines still works. */
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache[0], myalloc_cache_alloc(cache[0], 0)), 0);
	FIXTURE_EXPECT_VALID(fx);
}

static int use_err;

static void use_there(void *arg)
{
	struct myalloc_cache *cache = arg;

	use_err = myalloc_cache_free(cache, myalloc_cache_alloc(cache, 0));
}

/* A CPU that came online after the magazines were made gets its own at its first use. */
static void cpu_comes(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache, *none;
	int cpu = fixture_cpu(1);
	unsigned int i;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	if (!fixture_set_online(1, false))
		kunit_skip(test, "no CPU can go here; see context_kunit.c");
	cache = magazine_cache(fx, "late", 100, 8);
	none = fixture_cache(fx, "none", 100, MYALLOC_NO_MAGAZINE);
	KUNIT_EXPECT_NULL(test, per_cpu_ptr(cache->mags.cpu, cpu)->loaded);
	FIXTURE_EXPECT_VALID(fx);
	fixture_set_online(1, true);
	for (i = 0; i < fixture_nr_cpus(); i++) {
		fixture_on_cpu(i, use_there, cache);
		fixture_on_cpu(i, use_there, none);
		KUNIT_EXPECT_EQ(test, use_err, 0);
	}
	/* The last CPU found no place; all others have theirs. */
	KUNIT_EXPECT_TRUE(test, fx->zone->want_magazines);
	KUNIT_EXPECT_TRUE(test, cache->mags.wanted);
	KUNIT_EXPECT_FALSE(test, myalloc_magazines_places_left(&cache->mags));
	fixture_worker_pass(fx);
	KUNIT_EXPECT_FALSE(test, fx->zone->want_magazines);
	KUNIT_EXPECT_FALSE(test, cache->mags.wanted);
	KUNIT_EXPECT_TRUE(test, myalloc_magazines_places_left(&cache->mags));
	for (i = 0; i < fixture_nr_cpus(); i++) {
		fixture_on_cpu(i, use_there, cache);
		KUNIT_EXPECT_NOT_NULL(test, per_cpu_ptr(cache->mags.cpu, fixture_cpu(i))->loaded);
	}
	KUNIT_EXPECT_NULL(test, per_cpu_ptr(none->mags.cpu, cpu)->loaded);
	KUNIT_EXPECT_EQ(test, cache->room, (u64)cache->mags.nr_magazines *
					   cache->mags.capacity * cache->layout.slot_size);
	FIXTURE_EXPECT_VALID(fx);
}

static struct kunit_case reclaim_cases[] = {
	KUNIT_CASE(reclaim_empty_in_order),
	KUNIT_CASE(reclaim_empty_shuffled),
	KUNIT_CASE(reclaim_caches),
	KUNIT_CASE(reclaim_every_order),
	KUNIT_CASE(reclaim_atomic),
	KUNIT_CASE(reclaim_atomic_orders),
	KUNIT_CASE(reclaim_pages_here),
	KUNIT_CASE(reclaim_idle),
	KUNIT_CASE(drain_offline),
	KUNIT_CASE(drain_busy),
	KUNIT_CASE(drain_in_parts),
	KUNIT_CASE(reclaim_bound),
	KUNIT_CASE(worker_goes_on),
	KUNIT_CASE(resize),
	KUNIT_CASE(resize_share),
	KUNIT_CASE(resize_meta),
	KUNIT_CASE(resize_by_use),
	KUNIT_CASE(cpu_comes),
	{}
};

static struct kunit_suite reclaim_suite = {
	.name = "myalloc_reclaim",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = reclaim_cases,
};

kunit_test_suite(reclaim_suite);
