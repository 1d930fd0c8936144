// SPDX-License-Identifier: GPL-2.0
/* Tests of places for CPUs in magazines: which CPU gets one, when they are made and freed. */
#include "env.h"

#include <kunit/test.h>

#include "object/upkeep.h"
#include "page/drain.h"
#include "slab_fixture.h"

/* --- the magazines alone -------------------------------------------------------- */

struct rack {
	struct kunit *test;
	struct myalloc_magazines none;	/* permanently without capacity */
	struct myalloc_magazines mags;
	unsigned int told, flushed;
	u32 entered;
};

static void told(void *owner)
{
	struct rack *r = owner;

	KUNIT_EXPECT_FALSE(r->test, preemptible());
	r->told++;
}

static void make_rack(struct kunit *test, struct rack *r, u32 capacity, u32 cpus)
{
	const struct myalloc_magazine_shape shape = {
		.capacity = capacity, .batch = 1, .depot = 2, .cpus = cpus,
	};

	memset(r, 0, sizeof(*r));
	r->test = test;
	KUNIT_ASSERT_EQ(test, myalloc_magazines_init(&r->none, 0, 0, 0, NUMA_NO_NODE), 0);
	KUNIT_ASSERT_EQ(test, myalloc_magazines_make(&r->mags, &shape, r->none.cpu, NUMA_NO_NODE),
			0);
	r->mags.missed = told;
	r->mags.owner = r;
}

static void end_rack(struct rack *r)
{
	myalloc_magazines_fini(&r->mags);
	myalloc_magazines_fini(&r->none);
}

static void flush(void *owner, struct myalloc_slot *slot, u32 nr)
{
	struct rack *r = owner;

	r->flushed += nr;
}

static int remake(struct rack *r, u32 capacity, u32 cpus)
{
	const struct myalloc_magazine_shape shape = {
		.capacity = capacity, .batch = 1, .depot = 2, .cpus = cpus,
	};
	int err;

	err = myalloc_magazines_remake(&r->mags, &shape, NUMA_NO_NODE, flush, r);
	if (!err)
		r->mags.epoch = r->mags.age;
	return err;
}

static u8 thing = 1;

/* Enter and leave, and leave an item there. */
static void come(void *arg)
{
	struct rack *r = arg;
	struct myalloc_magazine_cpu *cpu = myalloc_magazines_enter(&r->mags);

	if (!cpu)
		return;
	KUNIT_EXPECT_NOT_NULL(r->test, cpu->loaded);
	KUNIT_EXPECT_NOT_NULL(r->test, cpu->previous);
	KUNIT_EXPECT_PTR_NE(r->test, cpu->loaded, cpu->previous);
	cpu->top->addr = &thing;
	cpu->top->state = &thing;
	cpu->nr_gives++;
	myalloc_magazine_set_count(cpu, 1);
	myalloc_magazines_leave(cpu);
	r->entered++;
}

static u32 pairs(const struct rack *r)
{
	return (u64)atomic64_read(&r->mags.pairs) >> 16 & 0xffff;
}

/* A CPU takes a pair at its first use; one that finds none is reported once; more places help. */
static void places_taken(struct kunit *test)
{
	struct rack r;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	make_rack(test, &r, 3, 1);
	KUNIT_EXPECT_EQ(test, r.mags.nr_magazines, 4);
	KUNIT_EXPECT_EQ(test, pairs(&r), 1);
	KUNIT_EXPECT_TRUE(test, myalloc_magazines_places_left(&r.mags));
	KUNIT_EXPECT_TRUE(test, myalloc_magazines_idle(&r.mags));
	fixture_on_cpu(0, come, &r);
	fixture_on_cpu(0, come, &r);
	KUNIT_EXPECT_EQ(test, r.entered, 2);
	KUNIT_EXPECT_EQ(test, pairs(&r), 0);
	KUNIT_EXPECT_FALSE(test, r.mags.wanted);
	KUNIT_EXPECT_FALSE(test, myalloc_magazines_places_left(&r.mags));
	fixture_on_cpu(1, come, &r);
	fixture_on_cpu(1, come, &r);
	KUNIT_EXPECT_EQ(test, r.entered, 2);
	KUNIT_EXPECT_TRUE(test, r.mags.wanted);
	KUNIT_EXPECT_EQ(test, r.told, 1);
	KUNIT_EXPECT_TRUE(test, myalloc_magazines_idle(&r.mags));
	KUNIT_EXPECT_EQ(test, remake(&r, 2, 2), 0);
	KUNIT_EXPECT_EQ(test, r.flushed, 1);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r.mags), 0);
	fixture_on_cpu(1, come, &r);
	fixture_on_cpu(0, come, &r);
	KUNIT_EXPECT_EQ(test, r.entered, 4);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r.mags), 2);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_passed(&r.mags).gives, 4);
	KUNIT_EXPECT_EQ(test, remake(&r, 2, 2), 0);
	end_rack(&r);
}

/* Magazines without capacity use no memory, and write no shared data. */
static void places_none(struct kunit *test)
{
	struct rack r;
	unsigned int i;

	make_rack(test, &r, 0, 0);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_bytes(&r.mags), 0);
	for (i = 0; i < fixture_nr_cpus(); i++)
		fixture_on_cpu(i, come, &r);
	KUNIT_EXPECT_EQ(test, r.entered, 0);
	KUNIT_EXPECT_EQ(test, r.told, 1);
	for (i = 0; i < fixture_nr_cpus(); i++)
		KUNIT_EXPECT_EQ(test, per_cpu_ptr(r.none.cpu, fixture_cpu(i))->guard,
				MYALLOC_EPOCH_BUSY);
	/* Magazines that never have capacity call no callback. */
	r.mags.wanted = false;
	r.mags.missed = NULL;
	fixture_on_cpu(0, come, &r);
	KUNIT_EXPECT_FALSE(test, r.mags.wanted);
	/* Magazines removed and made again keep their counters. */
	KUNIT_EXPECT_EQ(test, remake(&r, 2, 1), 0);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_bytes(&r.mags),
			4 * myalloc_magazine_bytes(2) +
			sizeof(*r.mags.cpu) * num_possible_cpus());
	fixture_on_cpu(0, come, &r);
	KUNIT_EXPECT_EQ(test, r.entered, 1);
	KUNIT_EXPECT_EQ(test, remake(&r, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, r.flushed, 1);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_bytes(&r.mags), 0);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_passed(&r.mags).gives, 1);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_passed(&r.mags).takes, 0);
	KUNIT_EXPECT_EQ(test, remake(&r, 0, 0), 0);
	end_rack(&r);
}

/* Each internal allocation fails in turn: nothing changes. */
static void places_no_memory(struct kunit *test)
{
	const struct myalloc_magazine_shape shape = { .capacity = 2, .batch = 1, .cpus = 1 };
	unsigned long live;
	struct rack r;
	unsigned int k;

	make_rack(test, &r, 0, 0);
	live = fixture_live_allocs();
	KUNIT_EXPECT_EQ(test, remake(&r, 1, 65536), -EINVAL);
	if (!fixture_fail_after(0)) {
		end_rack(&r);
		kunit_skip(test, "failures cannot be injected here");
	}
	for (k = 1; ; k++) {
		fixture_fail_after(k);
		if (!remake(&r, 2, 1))
			break;
		fixture_fail_after(0);
		KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
		KUNIT_EXPECT_EQ(test, r.mags.capacity, 0);
		KUNIT_EXPECT_NULL(test, myalloc_magazines_enter(&r.mags));
	}
	fixture_fail_after(0);
	KUNIT_EXPECT_EQ(test, k, 3);
	fixture_on_cpu(0, come, &r);
	KUNIT_EXPECT_EQ(test, r.entered, 1);
	myalloc_magazines_fini(&r.mags);
	live = fixture_live_allocs();
	for (k = 1; k <= 2; k++) {
		fixture_fail_after(k);
		KUNIT_EXPECT_EQ(test, myalloc_magazines_make(&r.mags, &shape, r.none.cpu,
							     NUMA_NO_NODE), -ENOMEM);
		fixture_fail_after(0);
		KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
		myalloc_magazines_fini(&r.mags);
	}
	end_rack(&r);
}

static struct rack *hooked;
static const char *hooked_at;
static unsigned int hook_nr, hook_calls;

static void come_between(const char *where)
{
	unsigned long irq;

	if (strcmp(where, hooked_at) || hook_calls++)
		return;
	if (hook_nr) {
		fixture_on_cpu(hook_nr, come, hooked);
		return;
	}
	irq = fixture_nmi_enter();
	come(hooked);
	fixture_nmi_exit(irq);
}

/*
 * An interrupt at each point of a CPU's first use, or another CPU that takes the last pair: the
 * pair is taken once, and nothing is lost.
 */
static void places_interrupted(struct kunit *test)
{
	static const struct {
		const char *at;
		unsigned int nr;	/* 0: an interrupt on this CPU */
		u32 entered;
		u32 pairs;
	} cases[] = {
		{ "magazine-enter", 0, 2, 1 },
		{ "magazine-not-busy", 0, 2, 1 },
		{ "magazine-busy", 0, 1, 1 },
		{ "depot-pop", 0, 1, 1 },
		{ "magazine-leave", 0, 1, 1 },
		{ "depot-pop", 1, 2, 0 },
	};
	struct rack r;
	u32 i;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		make_rack(test, &r, 3, 2);
		hooked = &r;
		hooked_at = cases[i].at;
		hook_nr = cases[i].nr;
		hook_calls = 0;
		if (!fixture_set_hook(come_between)) {
			end_rack(&r);
			kunit_skip(test, "no hook in the fast path here");
		}
		fixture_on_cpu(0, come, &r);
		fixture_set_hook(NULL);
		KUNIT_EXPECT_EQ_MSG(test, r.entered, cases[i].entered, "%s", hooked_at);
		KUNIT_EXPECT_EQ_MSG(test, pairs(&r), cases[i].pairs, "%s", hooked_at);
		KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r.mags), cases[i].nr + 1);
		end_rack(&r);
	}
	/* Another CPU takes the last pair at that moment. */
	make_rack(test, &r, 3, 1);
	hook_calls = 0;
	fixture_set_hook(come_between);
	fixture_on_cpu(0, come, &r);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, r.entered, 1);
	KUNIT_EXPECT_EQ(test, r.told, 1);
	KUNIT_EXPECT_EQ(test, per_cpu_ptr(r.mags.cpu, fixture_cpu(0))->guard, MYALLOC_EPOCH_ABSENT);
	KUNIT_EXPECT_EQ(test, remake(&r, 3, 2), 0);
	KUNIT_EXPECT_EQ(test, r.flushed, 1);
	fixture_on_cpu(0, come, &r);
	KUNIT_EXPECT_EQ(test, r.entered, 2);
	end_rack(&r);
}

/* --- caches ------------------------------------------------------------------------- */

static void run_worker(struct fixture *fx, unsigned int runs)
{
	while (runs--) {
		/* No pass is due, unless nobody asks. */
		fx->zone->last_look = div_u64(myalloc_env_now_ns(), 1000000);
		fixture_worker_pass(fx);
	}
}

static void use(struct kunit *test, struct myalloc_cache *cache)
{
	void *object = myalloc_cache_alloc(cache, 0);

	KUNIT_ASSERT_NOT_NULL(test, object);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
}

/* Create caches until the zone has no magazines for more; returns the last one. */
static struct myalloc_cache *fill_share(struct fixture *fx)
{
	struct myalloc_cache *cache;
	char name[16];
	u32 i = 0;

	do {
		snprintf(name, sizeof(name), "c%u", i++);
		cache = fixture_cache(fx, name, 64, 0);
	} while (cache->mags.capacity && i < 500);
	KUNIT_EXPECT_EQ(fx->test, cache->mags.capacity, 0);
	KUNIT_EXPECT_TRUE(fx->test, myalloc_zone_magazines_short(fx->zone));
	return cache;
}

/* If more than half is taken, a cache begins without magazines, and gets some at its first use. */
static void places_first_use(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = fill_share(fx);

	KUNIT_EXPECT_EQ(test, stats_of(cache).meta_bytes, sizeof(*cache));
	KUNIT_EXPECT_EQ(test, cache->meta, 0);
	use(test, cache);
	KUNIT_EXPECT_EQ(test, stats_of(cache).alloc_hits, 0);
	KUNIT_EXPECT_TRUE(test, fx->zone->want_magazines);
	run_worker(fx, 1);
	KUNIT_EXPECT_FALSE(test, cache->mags.wanted);
	KUNIT_EXPECT_GT(test, cache->mags.capacity, 0);
	KUNIT_EXPECT_EQ(test, cache->mags.epoch, cache->mags.age);
	use(test, cache);
	use(test, cache);
	KUNIT_EXPECT_EQ(test, stats_of(cache).alloc_hits, 1);
	/* A request although there are places; see places_pages(). */
	if (myalloc_magazines_places_left(&cache->mags)) {
		cache->mags.wanted = true;
		myalloc_zone_want_magazines(fx->zone);
		run_worker(fx, 1);
		KUNIT_EXPECT_FALSE(test, cache->mags.wanted);
		KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, cache->mags.batch);
	}
	KUNIT_EXPECT_LE(test, fx->zone->magazine_meta, 1024 * PAGE_SIZE / 64);
	FIXTURE_EXPECT_VALID(fx);
}

/* A cache that is unused for long costs no magazines until it is used again. */
static void places_idle(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "idle", 64, 0);
	struct myalloc_cache *kept = magazine_cache(fx, "kept", 64, 4);
	struct myalloc_cache_stats stats;

	use(test, cache);
	use(test, cache);
	KUNIT_EXPECT_EQ(test, stats_of(cache).alloc_hits, 1);
	/* A slab that leaves limbo between the runs would count as use. */
	myalloc_cache_shrink(cache);
	run_worker(fx, 30);
	stats = stats_of(cache);
	KUNIT_EXPECT_EQ(test, cache->mags.capacity, 0);
	KUNIT_EXPECT_EQ(test, stats.meta_bytes, sizeof(*cache));
	KUNIT_EXPECT_EQ(test, stats.alloc_hits, 1);
	KUNIT_EXPECT_EQ(test, stats.free_hits, 2);
	KUNIT_EXPECT_EQ(test, stats.refills, 1);
	KUNIT_EXPECT_EQ(test, kept->mags.capacity, 4);
	KUNIT_EXPECT_EQ(test, fx->zone->magazine_meta, kept->meta);
	use(test, cache);
	run_worker(fx, 1);
	KUNIT_EXPECT_GT(test, cache->mags.capacity, 0);
	use(test, cache);
	use(test, cache);
	KUNIT_EXPECT_EQ(test, stats_of(cache).alloc_hits, 2);
	FIXTURE_EXPECT_VALID(fx);
}

/* If nothing is left, a request is not served and not repeated before the worker's next pass. */
static void places_denied(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache, *all[8 << (PAGE_SHIFT - 12)];
	void **o = object_array(test);
	char name[16];
	u32 i;

	/* A capacity that the creator asks for is granted and counted: these use up the share. */
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		snprintf(name, sizeof(name), "all%u", i);
		all[i] = magazine_cache(fx, name, 64, MYALLOC_MAGAZINE_MAX);
	}
	cache = fixture_cache(fx, "denied", 64, 0);
	KUNIT_EXPECT_EQ(test, cache->mags.capacity, 0);
	use(test, cache);
	KUNIT_EXPECT_TRUE(test, fx->zone->want_magazines);
	run_worker(fx, 1);
	KUNIT_EXPECT_EQ(test, cache->mags.capacity, 0);
	KUNIT_EXPECT_TRUE(test, cache->mags.wanted);
	/* Frequent misses change nothing for it, and do not wake the worker. */
	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(cache, 0));
	KUNIT_EXPECT_FALSE(test, fx->zone->want_magazines);
	run_worker(fx, 1);
	KUNIT_EXPECT_EQ(test, cache->mags.capacity, 0);
	KUNIT_EXPECT_FALSE(test, cache->mags.wanted);
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	KUNIT_EXPECT_TRUE(test, fx->zone->want_magazines);
	/* When the other caches give up their magazines, some are available again. */
	for (i = 0; i < ARRAY_SIZE(all); i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_resize(all[i], 0), 0);
	run_worker(fx, 1);
	KUNIT_EXPECT_GT(test, cache->mags.capacity, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* Without memory the cache and the shares do not change. */
static void places_worker_no_memory(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = fill_share(fx);
	u64 meta = fx->zone->magazine_meta, room = fx->zone->magazine_room;

	if (!fixture_fail_after(0))
		kunit_skip(test, "failures cannot be injected here");
	use(test, cache);
	fixture_fail_after(1);
	run_worker(fx, 1);
	fixture_fail_after(0);
	KUNIT_EXPECT_EQ(test, cache->mags.capacity, 0);
	KUNIT_EXPECT_EQ(test, fx->zone->magazine_meta, meta);
	KUNIT_EXPECT_EQ(test, fx->zone->magazine_room, room);
	run_worker(fx, 1);	/* requests are allowed again */
	use(test, cache);
	run_worker(fx, 1);
	KUNIT_EXPECT_GT(test, cache->mags.capacity, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* A capacity set at run time stays, however much or little the cache is used. */
static void places_resized(struct kunit *test)
{
	static const u32 sizes[] = { 3, 0 };
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "set", 64, 0);
	void **o = object_array(test);
	u32 s, i, run;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		KUNIT_EXPECT_EQ(test, myalloc_cache_resize(cache, sizes[s]), 0);
		fx->zone->want_magazines = false;
		for (run = 0; run < 30; run++) {
			for (i = 0; i < 300 && run < 3; i++)
				KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(cache, 0));
			while (i)
				KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[--i]), 0);
			/* A cache without permission for magazines never asks for any. */
			if (!sizes[s]) {
				KUNIT_EXPECT_FALSE(test, fx->zone->want_magazines);
				KUNIT_EXPECT_FALSE(test, cache->mags.wanted);
			}
			run_worker(fx, 1);
			KUNIT_EXPECT_EQ(test, cache->mags.capacity, sizes[s]);
		}
	}
	FIXTURE_EXPECT_VALID(fx);
}

static void pages_there(void *arg)
{
	struct fixture *fx = arg;
	void *page = myalloc_pages_alloc(fx->zone, 0, 0);

	KUNIT_ASSERT_NOT_NULL(fx->test, page);
	KUNIT_EXPECT_EQ(fx->test, myalloc_pages_free(fx->zone, page, 0), 0);
}

/* The same for pages: a late CPU is served, and the size of the metadata includes it. */
static void pages_come_late(struct kunit *test, myalloc_cache_flags_t checks)
{
	const struct fixture_args args = {
		.nr_pages = 1024, .chunk_order = 10, .checks = checks,
	};
	struct myalloc_magazine_cpu __percpu *made;
	struct myalloc_magazines *mags;
	struct fixture *fx;
	unsigned int i;
	size_t others;

	if (!fixture_set_online(1, false))
		kunit_skip(test, "no CPU can go here; see context_kunit.c");
	fx = fixture_zone(test, &args);
	fixture_set_online(1, true);
	mags = &fx->zone->pcp[0];
	others = fx->zone->meta_bytes - myalloc_magazines_bytes(mags);
	for (i = 0; i < fixture_nr_cpus(); i++)
		fixture_on_cpu(i, pages_there, fx);
	KUNIT_EXPECT_TRUE(test, mags->wanted);
	if (fixture_fail_after(1)) {
		run_worker(fx, 1);
		fixture_fail_after(0);
		KUNIT_EXPECT_TRUE(test, mags->wanted);
		KUNIT_EXPECT_FALSE(test, fx->zone->want_magazines);
		/* A request is not served either if the magazines are empty. */
		KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&fx->zone->pcp[1]), 0);
		fx->zone->pcp[1].wanted = true;
		run_worker(fx, 1);	/* requests are allowed again */
		KUNIT_EXPECT_FALSE(test, mags->wanted);
		KUNIT_EXPECT_FALSE(test, fx->zone->pcp[1].wanted);
		fixture_on_cpu(fixture_nr_cpus() - 1, pages_there, fx);
	}
	KUNIT_EXPECT_TRUE(test, fx->zone->want_magazines);
	run_worker(fx, 1);
	KUNIT_EXPECT_FALSE(test, mags->wanted);
	for (i = 0; i < fixture_nr_cpus(); i++) {
		fixture_on_cpu(i, pages_there, fx);
		KUNIT_EXPECT_NOT_NULL(test, per_cpu_ptr(mags->cpu, fixture_cpu(i))->loaded);
	}
	KUNIT_EXPECT_EQ(test, fx->zone->meta_bytes, others + myalloc_magazines_bytes(mags));
	KUNIT_EXPECT_EQ(test, mags->epoch, checks ? MYALLOC_EPOCH_NEVER : mags->age);
	/* A CPU that asks although there are places, interrupted while taking its pair, has one. */
	KUNIT_EXPECT_TRUE(test, myalloc_magazines_places_left(&fx->zone->pcp[1]));
	made = fx->zone->pcp[1].cpu;
	fx->zone->pcp[1].wanted = true;
	myalloc_zone_want_magazines(fx->zone);
	run_worker(fx, 1);
	KUNIT_EXPECT_FALSE(test, fx->zone->pcp[1].wanted);
	KUNIT_EXPECT_PTR_EQ(test, fx->zone->pcp[1].cpu, made);
	/* Fewer places are made while a CPU is away. */
	fixture_set_online(1, false);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_more_places(mags), num_online_cpus());
	fixture_set_online(1, true);
	FIXTURE_EXPECT_VALID(fx);
}

static void places_pages(struct kunit *test)
{
	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	pages_come_late(test, 0);
	pages_come_late(test, MYALLOC_SANITY);
}

static void use_there(void *arg)
{
	struct myalloc_cache *cache = arg;

	myalloc_cache_free(cache, myalloc_cache_alloc(cache, 0));
}

static struct myalloc_cache *remade;
static void *remade_object;

static void free_there(void *arg)
{
	struct kunit *test = arg;

	KUNIT_EXPECT_EQ(test, myalloc_cache_free(remade, remade_object), 0);
}

static struct kunit *remade_test;

/* The magazines of CPUs are empty already, and about to be freed. */
static void free_meanwhile(const char *where)
{
	if (strcmp(where, "depot-pop") || hook_calls++)
		return;
	fixture_on_cpu(1, free_there, remade_test);
}

/* While the magazines of a cache of any level are replaced, no CPU takes the fast path. */
static void places_levels(struct kunit *test)
{
	static const myalloc_cache_flags_t levels[] = { 0, MYALLOC_CERTAIN, MYALLOC_TRUSTING };
	struct fixture *fx = large_zone(test);
	void *o[16];
	u32 l, i;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	remade_test = test;
	for (l = 0; l < ARRAY_SIZE(levels); l++) {
		const struct myalloc_cache_args args = {
			.name = "level", .object_size = 64, .magazine = 2, .flags = levels[l],
		};
		struct myalloc_cache *cache = myalloc_cache_create(fx->zone, &args);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
		/* Makes a depot in so small a zone. */
		cache->hungry = true;
		KUNIT_ASSERT_EQ(test, myalloc_cache_resize(cache, 2), 0);
		fixture_on_cpu(1, use_there, cache);
		for (i = 0; i < ARRAY_SIZE(o); i++)
			KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(cache, 0));
		for (i = 1; i < ARRAY_SIZE(o); i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		remade = cache;
		remade_object = o[0];
		hook_calls = 0;
		if (!fixture_set_hook(free_meanwhile)) {
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[0]), 0);
			kunit_skip(test, "no hook in the depot here");
		}
		KUNIT_EXPECT_EQ(test, myalloc_cache_resize(cache, 6), 0);
		fixture_set_hook(NULL);
		KUNIT_EXPECT_GT(test, hook_calls, 0);
		KUNIT_EXPECT_EQ_MSG(test, stats_of(cache).cached_objects, 0, "level %u", l);
		FIXTURE_EXPECT_VALID(fx);
		/* Afterwards they do. */
		use(test, cache);
		use(test, cache);
		KUNIT_EXPECT_EQ(test, per_cpu_ptr(cache->mags.cpu, fixture_cpu(0))->guard,
				levels[l] ? cache->mags.inner_epoch : cache->mags.epoch);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
}

/* An offline CPU keeps its place until another one needs it; its items are not lost. */
static void places_gone(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache;
	unsigned int i;
	int gone;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	if (!fixture_set_online(1, false))
		kunit_skip(test, "no CPU can go here; see context_kunit.c");
	gone = fixture_cpu(1);
	cache = magazine_cache(fx, "gone", 64, 4);	/* places for all CPUs but one */
	fixture_set_online(1, true);
	fixture_on_cpu(1, use_there, cache);
	fixture_set_online(1, false);
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, cache->mags.batch);
	for (i = 0; i < fixture_nr_cpus() + 1; i++)
		if (i != 1)
			fixture_on_cpu(i, use_there, cache);
	KUNIT_EXPECT_NOT_NULL(test, per_cpu_ptr(cache->mags.cpu, gone)->loaded);
	KUNIT_EXPECT_FALSE(test, myalloc_magazines_places_left(&cache->mags));
	KUNIT_EXPECT_TRUE(test, cache->mags.wanted);
	run_worker(fx, 1);
	KUNIT_EXPECT_FALSE(test, cache->mags.wanted);
	KUNIT_EXPECT_NULL(test, per_cpu_ptr(cache->mags.cpu, gone)->loaded);
	FIXTURE_EXPECT_VALID(fx);
	fixture_set_online(1, true);
	fixture_on_cpu(1, use_there, cache);
	FIXTURE_EXPECT_VALID(fx);
}

static struct kunit_case places_cases[] = {
	KUNIT_CASE(places_taken),
	KUNIT_CASE(places_none),
	KUNIT_CASE(places_no_memory),
	KUNIT_CASE(places_interrupted),
	KUNIT_CASE(places_first_use),
	KUNIT_CASE(places_idle),
	KUNIT_CASE(places_denied),
	KUNIT_CASE(places_worker_no_memory),
	KUNIT_CASE(places_resized),
	KUNIT_CASE(places_pages),
	KUNIT_CASE(places_levels),
	KUNIT_CASE(places_gone),
	{}
};

static struct kunit_suite places_suite = {
	.name = "myalloc_places",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = places_cases,
};

kunit_test_suite(places_suite);
