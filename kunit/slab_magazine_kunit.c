// SPDX-License-Identifier: GPL-2.0
/* Tests of the magazines in front of slabs. */
#include "env.h"

#include <kunit/test.h>

#include "object/limbo.h"
#include "page/drain.h"
#include "slab_fixture.h"

/* Magazines of every capacity: hits, refills and flushes as expected, nothing lost. */
static void slab_magazines(struct kunit *test)
{
	static const unsigned int magazines[] = { 1, 2, 3, 5, 7, 16, 17, 33 };
	struct fixture *fx = large_zone(test);
	void **o = object_array(test);
	struct myalloc_cache_stats b;
	unsigned int m;
	u32 i, nr = 300;

	for (m = 0; m < ARRAY_SIZE(magazines); m++) {
		struct myalloc_cache *cache = magazine_cache(fx, "mags", 100, magazines[m]);
		u32 batch = cache->mags.batch;

		KUNIT_EXPECT_EQ(test, batch, min_t(u32, magazines[m], 12));
		for (i = 0; i < nr; i++)
			o[i] = alloc_here(cache, 0);
		b = stats_of(cache);
		KUNIT_EXPECT_EQ(test, b.allocs, nr);
		KUNIT_EXPECT_EQ(test, b.live_objects, nr);
		KUNIT_EXPECT_GE(test, b.refills * batch, nr);
		KUNIT_EXPECT_EQ(test, b.alloc_hits, nr - b.refills);
		KUNIT_EXPECT_EQ(test, b.flushes, 0);
		for (i = 0; i < nr; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		b = stats_of(cache);
		KUNIT_EXPECT_EQ(test, b.frees, nr);
		KUNIT_EXPECT_GE(test, b.flushes, magazines[m] <= 7);
		KUNIT_EXPECT_EQ(test, b.free_hits, nr - b.flushes);
		KUNIT_EXPECT_EQ(test, b.live_objects, 0);
		KUNIT_EXPECT_LE(test, b.cached_objects, cache->mags.nr_magazines * magazines[m]);
		FIXTURE_EXPECT_VALID(fx);
		/* Alternating alloc and free never leaves the magazines. */
		b = stats_of(cache);
		for (i = 0; i < 50; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, alloc_here(cache, 0)), 0);
		KUNIT_EXPECT_EQ(test, stats_of(cache).refills, b.refills);
		KUNIT_EXPECT_EQ(test, stats_of(cache).flushes, b.flushes);
		KUNIT_EXPECT_EQ(test, stats_of(cache).alloc_hits, b.alloc_hits + 50);
		KUNIT_EXPECT_EQ(test, stats_of(cache).free_hits, b.free_hits + 50);
		/* A drain flushes what nobody frees: it takes no hit away. */
		myalloc_zone_drain(fx->zone);
		KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, 0);
		KUNIT_EXPECT_GT(test, stats_of(cache).flushes, b.flushes);
		KUNIT_EXPECT_EQ(test, stats_of(cache).free_hits, b.free_hits + 50);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
}

/* Magazines and depot hold large objects of at most a 16th of the zone. */
static void slab_depot_share(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 8192, .chunk_order = 10, .simulated = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_cache *cache = fixture_cache(fx, "large", 32768, 0);
	u32 fits = 8192 * PAGE_SIZE / 16 / (8 * 32768), per_cpu = 2 * num_possible_cpus();

	if (per_cpu > fits)
		kunit_skip(test, "so many CPUs leave no room for a depot");
	KUNIT_EXPECT_EQ(test, cache->mags.capacity, 8);
	KUNIT_EXPECT_EQ(test, cache->mags.nr_magazines, min_t(u32, fits, per_cpu + 16));
}

struct on_cpu {
	struct myalloc_cache *cache;
	void **objects;
	u32 nr;
	u32 failed;
};

static void free_there(void *arg)
{
	struct on_cpu *job = arg;
	u32 i;

	for (i = 0; i < job->nr; i++)
		job->failed += !!myalloc_cache_free(job->cache, job->objects[i]);
}

static void alloc_there(void *arg)
{
	struct on_cpu *job = arg;
	u32 i;

	for (i = 0; i < job->nr; i++) {
		job->objects[i] = myalloc_cache_alloc(job->cache, 0);
		job->failed += !job->objects[i];
	}
}

/* Objects allocated on one CPU and freed on another, many times: memory does not grow. */
static void slab_cross_cpu(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "cross", 100, 7);
	struct on_cpu job = { .cache = cache, .objects = object_array(test), .nr = 200 };
	u64 slabs = 0;
	u32 round;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	for (round = 0; round < 20; round++) {
		fixture_on_cpu(0, alloc_there, &job);
		fixture_on_cpu(1, free_there, &job);
		KUNIT_EXPECT_EQ(test, job.failed, 0);
		if (round == 1)
			slabs = stats_of(cache).slabs;
		if (round > 1)
			KUNIT_EXPECT_LE(test, stats_of(cache).slabs, slabs + MYALLOC_EMPTY_KEEP);
	}
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* Of a bulk operation, the objects for which a magazine was filled or emptied are no hits. */
static void slab_bulk_hits(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "bulk", 100, 7);
	void **o = object_array(test);
	struct myalloc_cache_stats b;

	KUNIT_EXPECT_EQ(test, myalloc_cache_alloc_bulk(cache, 0, 300, o), 300);
	b = stats_of(cache);
	KUNIT_EXPECT_GE(test, b.refills, 300 / 7);
	KUNIT_EXPECT_EQ(test, b.alloc_hits, 300 - b.refills);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(cache, 300, o), 300);
	b = stats_of(cache);
	KUNIT_EXPECT_GT(test, b.flushes, 0);
	KUNIT_EXPECT_EQ(test, b.free_hits, 300 - b.flushes);
}

/* An allocation that fails is neither hit nor miss: a refill that finds no slot is not counted. */
static void slab_refill_empty(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "empty", PAGE_SIZE / 2, 4);
	void **o = object_array(test);
	struct myalloc_cache_stats b;
	u32 n;

	for (n = 0; (o[n] = alloc_here(cache, 0)); n++)
		;
	b = stats_of(cache);
	KUNIT_EXPECT_GT(test, b.alloc_hits, 0);
	KUNIT_EXPECT_NULL(test, alloc_here(cache, 0));
	KUNIT_EXPECT_EQ(test, stats_of(cache).alloc_hits, b.alloc_hits);
	KUNIT_EXPECT_EQ(test, stats_of(cache).refills, b.refills);
	KUNIT_EXPECT_EQ(test, stats_of(cache).allocs, n);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(cache, n, o), n);
}

/* Draining an offline CPU returns its objects, and only those. */
static void slab_drain_cpu(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "gone", 100, 16);
	struct on_cpu job = { .cache = cache, .objects = object_array(test), .nr = 1 };
	u64 here;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	fixture_on_cpu(0, alloc_there, &job);
	fixture_on_cpu(0, free_there, &job);
	here = stats_of(cache).cached_objects;
	fixture_on_cpu(1, alloc_there, &job);
	fixture_on_cpu(1, free_there, &job);
	KUNIT_EXPECT_GT(test, stats_of(cache).cached_objects, here);
	myalloc_zone_drain_cpu(fx->zone, fixture_cpu(1));
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, here);
	myalloc_zone_drain_cpu(fx->zone, fixture_cpu(0));
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* With MAY_WAIT, an allocation takes back pages and slabs cached by others. */
static void slab_may_wait(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "wants", 32768, 4);
	struct myalloc_cache *other = magazine_cache(fx, "has", 32768, 4);
	struct on_cpu job = { .cache = other, .objects = object_array(test) };
	void *object, *rest[9];
	u32 n, i;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	for (n = 0; (job.objects[n] = myalloc_cache_alloc(other, 0)); n++)
		;
	KUNIT_EXPECT_EQ(test, n, (1024 >> other->layout.order) * other->layout.objects);
	job.nr = 8;
	fixture_on_cpu(1, free_there, &job);
	KUNIT_EXPECT_EQ(test, job.failed, 0);
	KUNIT_EXPECT_EQ(test, stats_of(other).cached_objects, 8);
	KUNIT_EXPECT_NULL(test, alloc_here(cache, 0));
	object = alloc_here(cache, MYALLOC_MAY_WAIT);
	KUNIT_EXPECT_NOT_NULL(test, object);
	KUNIT_EXPECT_EQ(test, stats_of(other).cached_objects, 0);
	/* One more, for the magazine of the cache, and in bulk. */
	KUNIT_EXPECT_EQ(test, myalloc_cache_alloc_bulk(cache, MYALLOC_MAY_WAIT, 9, rest), 7);
	for (i = 0; i < 7; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, rest[i]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(other, n - 8, job.objects + 8), n - 8);
	FIXTURE_EXPECT_VALID(fx);
}

/* Requests in the middle of an operation on the magazines bypass them. */
static void slab_busy(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "busy", 100, 8);
	void *before = alloc_here(cache, 0), *object, *bulk[3];
	struct myalloc_cache_stats b = stats_of(cache), after;
	struct myalloc_magazine_cpu *cpu;
	unsigned int nr, freed;
	int err, err2;

	cpu = myalloc_magazines_enter(&cache->mags);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	object = alloc_here(cache, MYALLOC_ZERO);
	nr = myalloc_cache_alloc_bulk(cache, 0, 3, bulk);
	err = myalloc_cache_free(cache, object);
	err2 = myalloc_cache_free(cache, before);
	freed = myalloc_cache_free_bulk(cache, nr, bulk);
	myalloc_magazines_leave(cpu);
	KUNIT_EXPECT_NOT_NULL(test, object);
	KUNIT_EXPECT_EQ(test, nr, 3);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, err2, 0);
	KUNIT_EXPECT_EQ(test, freed, 3);
	after = stats_of(cache);
	KUNIT_EXPECT_EQ(test, after.alloc_hits, b.alloc_hits);
	KUNIT_EXPECT_EQ(test, after.free_hits, b.free_hits);
	KUNIT_EXPECT_EQ(test, after.allocs, b.allocs + 4);
	KUNIT_EXPECT_EQ(test, after.frees, b.frees + 5);
	KUNIT_EXPECT_EQ(test, after.cached_objects, b.cached_objects);
	FIXTURE_EXPECT_VALID(fx);
}

static struct myalloc_cache *hooked;
static struct kunit *hooked_test;
static void *hook_object;
static unsigned int hook_calls;

/* An interrupt that allocates and frees at every point of the fast path. */
static void hook_alloc_free(const char *where)
{
	unsigned long irq;
	void *object;

	if (strncmp(where, "magazine-", 9))
		return;
	irq = fixture_nmi_enter();
	object = myalloc_cache_alloc(hooked, 0);
	if (object)
		KUNIT_EXPECT_EQ(hooked_test, myalloc_cache_free(hooked, object), 0);
	hook_calls++;
	fixture_nmi_exit(irq);
}

/* With an interrupt anywhere in alloc and free, nothing is lost and no object gets two users. */
static void slab_interrupted(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "hooked", 100, 3);
	void **o = object_array(test);
	u32 i;

	hooked = cache;
	hooked_test = test;
	hook_calls = 0;
	if (!fixture_set_hook(hook_alloc_free))
		kunit_skip(test, "no hook in the fast path here");
	for (i = 0; i < 200; i++) {
		o[i] = alloc_here(cache, 0);
		KUNIT_ASSERT_NOT_NULL(test, o[i]);
		memset(o[i], i, 100);
	}
	for (i = 0; i < 200; i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(o[i], i, 100));
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	}
	fixture_set_hook(NULL);
	KUNIT_EXPECT_GE(test, hook_calls, 1200);
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions + fx->stats.bad_frees, 0);
	FIXTURE_EXPECT_VALID(fx);
}

static void free_hooked(void *arg)
{
	KUNIT_EXPECT_EQ(hooked_test, myalloc_cache_free(hooked, hook_object), 0);
}

static void hook_free_there(const char *where)
{
	if (strcmp(where, "object-checked") || hook_calls++)
		return;
	fixture_on_cpu(1, free_hooked, NULL);
}

/* Two overlapping frees of an object on two CPUs are found when it would be allocated twice. */
static void slab_free_race(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "race", 100, 4);
	void *again, *other;

	hooked = cache;
	hooked_test = test;
	hook_calls = 0;
	hook_object = alloc_here(cache, 0);
	if (!fixture_set_hook(hook_free_there)) {
		myalloc_cache_free(cache, hook_object);
		kunit_skip(test, "no hook in the fast path here");
	}
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, hook_object), 0);
	fixture_set_hook(NULL);
	again = alloc_here(cache, 0);
	KUNIT_EXPECT_PTR_EQ(test, again, hook_object);
	fixture_log_mark();
	myalloc_cache_drain(cache);
	scnprintf(fx->expected, sizeof(fx->expected),
		  "cache %s: slot 0 of the slab at frame 0 was freed twice at once", cache->name);
	KUNIT_EXPECT_EQ(test, fixture_log_count(fx->expected), 1);
	KUNIT_EXPECT_EQ(test, stats_of(cache).corruptions, 1);
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 1);
	FIXTURE_EXPECT_VALID(fx);
	other = alloc_here(cache, 0);
	KUNIT_EXPECT_PTR_NE(test, other, again);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, again), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, other), 0);
}

/* A slot in a magazine with a wrong state is reported and left alone. */
static void slab_cached_damaged(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "damaged", 100, 4);
	void *a = alloc_here(cache, 0), *b = alloc_here(cache, 0);

	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, b), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, a), 0);
	*myalloc_object_state(cache, a) = MYALLOC_SLOT_LIVE;
	KUNIT_EXPECT_PTR_EQ(test, alloc_here(cache, 0), b);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "cache damaged: slot 0 of the slab at frame 0 was freed twice at once");
	KUNIT_EXPECT_EQ(test, stats_of(cache).corruptions, 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, a), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, b), 0);
}

/* If a slab counts one free slot too many, still only its own slots are allocated from it. */
static void slab_counts_too_many(struct kunit *test)
{
	static const myalloc_cache_flags_t flags[] = { 0, MYALLOC_RANDOM };
	struct fixture *fx = small_zone(test);
	void **o = object_array(test), *other;
	size_t k;
	u32 i, n;

	for (k = 0; k < ARRAY_SIZE(flags); k++) {
		struct myalloc_cache *cache = fixture_cache(fx, "counts", SCALED(112),
							    flags[k] | MYALLOC_NO_MAGAZINE);
		struct myalloc_frame *frame;

		/* The states behind the last slot's, in the same 8 bytes, are FREE. */
		n = cache->layout.objects;
		KUNIT_ASSERT_NE(test, n % 8, 0);
		for (i = 0; i < n; i++)
			o[i] = alloc_here(cache, 0);
		frame = slab_of(cache, o[0]);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[0]), 0);
		*myalloc_object_state(cache, o[0]) = MYALLOC_SLOT_LIVE;
		other = alloc_here(cache, 0);
		KUNIT_EXPECT_PTR_NE(test, slab_of(cache, other), frame);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, k + 1);
		FIXTURE_EXPECT_VALID(fx);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, other), 0);
		for (i = 0; i < n; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
}

static struct kunit_case slab_magazine_cases[] = {
	KUNIT_CASE(slab_magazines),
	KUNIT_CASE(slab_depot_share),
	KUNIT_CASE(slab_cross_cpu),
	KUNIT_CASE(slab_bulk_hits),
	KUNIT_CASE(slab_refill_empty),
	KUNIT_CASE(slab_drain_cpu),
	KUNIT_CASE(slab_may_wait),
	KUNIT_CASE(slab_busy),
	KUNIT_CASE(slab_interrupted),
	KUNIT_CASE(slab_free_race),
	KUNIT_CASE(slab_cached_damaged),
	KUNIT_CASE(slab_counts_too_many),
	{}
};

static struct kunit_suite slab_magazine_suite = {
	.name = "myalloc_slab_magazine",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = slab_magazine_cases,
};

kunit_test_suite(slab_magazine_suite);
