// SPDX-License-Identifier: GPL-2.0
/* Tests of slab caches in NMI, with the lock held. */
#include "env.h"

#include <kunit/test.h>

#include "slab_fixture.h"

/* Free @nr objects as if an NMI arrived while this CPU holds the cache's lock. */
static void free_deferred(struct kunit *test, struct myalloc_cache *cache, void **objects, u32 nr)
{
	unsigned long lock_irq, irq;
	int err = 0;
	u32 i;

	raw_spin_lock_irqsave(&cache->lock, lock_irq);
	irq = fixture_nmi_enter();
	for (i = 0; i < nr; i++)
		err |= myalloc_cache_free(cache, objects[i]);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&cache->lock, lock_irq);
	KUNIT_EXPECT_EQ(test, err, 0);
}

/* A free is deferred, appears in the statistics, and is reaped, two at a time. */
static void slab_nmi_free(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "nmi", 100, MYALLOC_NO_MAGAZINE);
	void **o = object_array(test), *other;
	u32 i, frame;

	for (i = 0; i < 7; i++)
		o[i] = alloc_here(cache, 0);
	frame = myalloc_frame_idx(fx->zone, slab_of(cache, o[0]));
	free_deferred(test, cache, o, 7);
	KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 7);
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).frees, 0);
	KUNIT_EXPECT_EQ(test, *myalloc_object_state(cache, o[3]), MYALLOC_SLOT_DEFERRED);
	FIXTURE_EXPECT_VALID(fx);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(cache, o[3]), MYALLOC_BAD_FREE, TWICE, "nmi",
			       "nmi", frame, 3);
	other = alloc_here(cache, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 5);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, other), 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 3);
	KUNIT_EXPECT_EQ(test, stats_of(cache).frees, 5);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), 3);
	KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).frees, 8);
	KUNIT_EXPECT_EQ(test, stats_of(cache).corruptions, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static struct myalloc_cache *hooked;
static void *freed_meanwhile;
static u32 hook_calls;

static void hook_free_in_recovery(const char *where)
{
	unsigned long irq;

	if (strcmp(where, "deferred-emptied") || hook_calls++)
		return;
	irq = fixture_nmi_enter();
	myalloc_cache_free(hooked, freed_meanwhile);
	fixture_nmi_exit(irq);
}

/* Objects deferred during a recovery are in the list, and are not returned twice. */
static void slab_nmi_recover(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "recover", 100, MYALLOC_NO_MAGAZINE);
	void *lost = alloc_here(cache, 0);
	bool hooked_here;

	hooked = cache;
	freed_meanwhile = alloc_here(cache, 0);
	free_deferred(test, cache, &lost, 1);
	llist_del_all(&cache->deferred.list);	/* as after a damaged link */
	hook_calls = 0;
	hooked_here = fixture_set_step_hook(hook_free_in_recovery);
	KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), 1);
	fixture_set_step_hook(NULL);
	if (!hooked_here) {	/* in a kernel, only the recovery */
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, freed_meanwhile), 0);
	} else {
		KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 1);
		KUNIT_EXPECT_EQ(test, *myalloc_object_state(cache, freed_meanwhile),
				MYALLOC_SLOT_DEFERRED);
		KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), 1);
	}
	KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).corruptions, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* As if the deferring CPU were between its last two steps: all others see a free object. */
static void slab_nmi_free_half(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "half", 100, MYALLOC_NO_MAGAZINE);
	void *object = alloc_here(cache, 0), *other = alloc_here(cache, 0);
	u8 *state = myalloc_object_state(cache, object);
	u32 frame = myalloc_frame_idx(fx->zone, slab_of(cache, object));

	free_deferred(test, cache, &object, 1);
	KUNIT_EXPECT_EQ(test, *state, MYALLOC_SLOT_DEFERRED);
	*state = MYALLOC_SLOT_DEFERRING;
	FIXTURE_EXPECT_VALID(fx);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(cache, object), MYALLOC_BAD_FREE, TWICE,
			       "half", "half", frame, 0);
	/* A reaper that finds the object in the list leaves it there. */
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, other), 0);
	KUNIT_EXPECT_EQ(test, *state, MYALLOC_SLOT_DEFERRING);
	KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 1);
	KUNIT_EXPECT_EQ(test, stats_of(cache).frees, 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 1);
	*state = MYALLOC_SLOT_DEFERRED;
	KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), 1);
	KUNIT_EXPECT_EQ(test, *state, MYALLOC_SLOT_FREE);
	KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).frees, 2);
	KUNIT_EXPECT_EQ(test, stats_of(cache).corruptions, 0);
}

/* Magazines work while the lock is held; when they are full, frees are deferred. */
static void slab_nmi_magazines(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "nmi", 100, 4);
	u32 nr = cache->mags.nr_magazines * 4 + 5, i;
	void **o = object_array(test);
	u64 fits = (u64)(cache->mags.depot + 2) * 4;

	for (i = 0; i < nr; i++)
		o[i] = alloc_here(cache, 0);
	myalloc_cache_drain(cache);
	free_deferred(test, cache, o, nr);
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, fits);
	KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, nr - fits);
	FIXTURE_EXPECT_VALID(fx);
	myalloc_cache_drain(cache);
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).frees, nr);
}

/* An object wrongly marked by its user's second free stays allocated; the others are returned. */
static void slab_nmi_lost(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "lost", 100, MYALLOC_NO_MAGAZINE);
	void *o[2];

	o[0] = alloc_here(cache, 0);
	o[1] = alloc_here(cache, 0);
	free_deferred(test, cache, o, 2);
	*myalloc_object_state(cache, o[0]) = MYALLOC_SLOT_LIVE;
	llist_del_all(&cache->deferred.list);
	KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), 1);
	KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 1);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[0]), 0);
	/* A recovery begun by another drain is finished even if nothing is left for it. */
	cache->deferred.recovery = MYALLOC_RECOVERY_MARKING;
	cache->deferred.missing = 0;
	KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), 0);
	KUNIT_EXPECT_EQ(test, cache->deferred.recovery, MYALLOC_RECOVERY_NONE);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
}

/* With the lock taken and empty magazines, an allocation in NMI fails. */
static void slab_nmi_no_object(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "none", 100, MYALLOC_NO_MAGAZINE);
	unsigned long lock_irq, irq;
	void *object;

	raw_spin_lock_irqsave(&cache->lock, lock_irq);
	irq = fixture_nmi_enter();
	object = alloc_here(cache, 0);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&cache->lock, lock_irq);
	KUNIT_EXPECT_NULL(test, object);
	KUNIT_EXPECT_EQ(test, stats_of(cache).fails, 1);
	KUNIT_EXPECT_EQ(test, stats_of(cache).slabs, 0);
}

/* In bulk: the magazines take as many as they have room for; the others are deferred. */
static void slab_nmi_bulk(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "bulk", 100, 4);
	u32 nr = cache->mags.nr_magazines * 4 + 64, n;
	void **o = object_array(test);
	unsigned long lock_irq, irq;

	n = myalloc_cache_alloc_bulk(cache, 0, nr, o);
	KUNIT_ASSERT_EQ(test, n, nr);
	myalloc_cache_drain(cache);
	raw_spin_lock_irqsave(&cache->lock, lock_irq);
	irq = fixture_nmi_enter();
	n = myalloc_cache_free_bulk(cache, nr, o);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&cache->lock, lock_irq);
	KUNIT_EXPECT_EQ(test, n, nr);
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 0);
	KUNIT_EXPECT_GE(test, stats_of(cache).deferred_objects, 64);
	FIXTURE_EXPECT_VALID(fx);
	myalloc_zone_drain(fx->zone);

	n = myalloc_pages_alloc_bulk(fx->zone, 0, 0, 1000, o);
	KUNIT_ASSERT_EQ(test, n, 1000);
	irq = fixture_nmi_enter();
	n = myalloc_pages_free_bulk(fx->zone, 0, 1000, o);
	fixture_nmi_exit(irq);
	KUNIT_EXPECT_EQ(test, n, 1000);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, 0);
	FIXTURE_EXPECT_VALID(fx);
}

static u32 ctor_calls;

static void number(void *object)
{
	*(u32 *)object = ++ctor_calls;
}

/* The content is kept in caches whose users rely on it. */
static void slab_nmi_content(struct kunit *test)
{
	const struct myalloc_cache_args with_ctor = {
		.name = "with-ctor", .object_size = 16, .ctor = number,
		.flags = MYALLOC_NO_MAGAZINE,
	};
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *ctor = myalloc_cache_create(fx->zone, &with_ctor);
	struct myalloc_cache *zero = fixture_cache(fx, "zero", 16, MYALLOC_ZERO_FREE |
						   MYALLOC_NO_MAGAZINE);
	struct myalloc_cache *checked = fixture_cache(fx, "checked", 4, MYALLOC_CHECKS);
	void *o[3], *again;
	u32 i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctor);
	ctor_calls = 0;
	for (i = 0; i < 3; i++) {
		o[i] = alloc_here(ctor, 0);
		KUNIT_EXPECT_EQ(test, *(u32 *)o[i], i + 1);
	}
	free_deferred(test, ctor, o, 3);
	myalloc_cache_drain(ctor);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, *(u32 *)fixture_touch(o[i], 4), i + 1);

	for (i = 0; i < 3; i++) {
		o[i] = alloc_here(zero, 0);
		memset(o[i], 0x99, 16);
	}
	free_deferred(test, zero, o, 3);
	myalloc_cache_drain(zero);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(fixture_touch(o[i], 16), 0, 16));

	for (i = 0; i < 3; i++)
		o[i] = alloc_here(checked, 0);
	free_deferred(test, checked, o, 3);
	FIXTURE_EXPECT_VALID(fx);
	myalloc_cache_drain(checked);
	FIXTURE_EXPECT_VALID(fx);
	for (i = 0; i < 3; i++) {
		again = alloc_here(checked, 0);
		KUNIT_EXPECT_PTR_EQ(test, again, o[i]);
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(checked, o[i]), 0);
}

/* An overwritten link is detected and not followed; the objects behind it are recovered. */
static void slab_nmi_link_damaged(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	unsigned long wrong[6];
	u32 k, i;

	for (k = 0; k < 2 * ARRAY_SIZE(wrong); k++) {
		myalloc_cache_flags_t clear = k % 2 ? MYALLOC_ZERO_FREE : 0;
		struct myalloc_cache *cache = fixture_cache(fx, "links", 100,
							    MYALLOC_NO_MAGAZINE | clear);
		u64 before = fixture_stats(fx)->corruptions;
		void **o = object_array(test);

		for (i = 0; i < 2 * cache->layout.objects; i++)
			o[i] = alloc_here(cache, 0);
		/* Foreign, inside an object, one in use, a gap, another page, the end. */
		wrong[0] = 0x42424242;
		wrong[1] = (unsigned long)o[1] + 1;
		wrong[2] = (unsigned long)o[20];
		wrong[3] = (unsigned long)fx->chunks[0] + 16 * PAGE_SIZE;
		wrong[4] = (unsigned long)fx->chunks[3];
		wrong[5] = 0;
		free_deferred(test, cache, o, 6);
		*(unsigned long *)(o[4] + cache->layout.link_offset) = wrong[k / 2];
		/* Reaps o[5] and o[4]; the next reap finds the damage. */
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[7]), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[8]), 0);
		if (k / 2 < 5) {
			KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, before + 1);
			KUNIT_EXPECT_EQ(test, stats_of(cache).corruptions, 1);
			KUNIT_EXPECT_STREQ(test, fixture_report(fx),
					   "cache links: a freed object was written to: its link is damaged");
		}
		KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 4);
		myalloc_cache_drain(cache);
		KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 0);
		KUNIT_EXPECT_EQ(test, stats_of(cache).frees, 8);
		for (i = 0; i < 6 && clear; i++)
			KUNIT_EXPECT_NULL(test, memchr_inv(fixture_touch(o[i], 100), 0, 100));
		FIXTURE_EXPECT_VALID(fx);
		for (i = 6; i < 2 * cache->layout.objects; i++)
			if (i != 7 && i != 8)
				KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static void drain_hooked(void *arg)
{
	myalloc_cache_drain(hooked);
}

/* The holder drops the lock, and another CPU drains the cache. */
static void hook_drain(const char *where)
{
	if (strcmp(where, "slab-defer") || hook_calls++)
		return;
	raw_spin_unlock(&hooked->lock);
	fixture_on_cpu(1, drain_hooked, NULL);
	while (!raw_spin_trylock(&hooked->lock))
		;
}

/* A drain during a deferred free does not take an object that is not in the list yet. */
static void slab_nmi_free_drained(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "drained", 100, MYALLOC_NO_MAGAZINE);
	void *object = alloc_here(cache, 0), *other = alloc_here(cache, 0);

	hooked = cache;
	hook_calls = 0;
	if (!fixture_set_hook(hook_drain)) {
		myalloc_cache_free(cache, object);
		myalloc_cache_free(cache, other);
		kunit_skip(test, "no hook in deferred frees here");
	}
	free_deferred(test, cache, &object, 1);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, other), 0);
	myalloc_cache_drain(cache);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, stats_of(cache).corruptions, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).deferred_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).frees, 2);
	if (!hook_calls)
		kunit_skip(test, "there is no point slab-defer before the list is touched");
}

static struct fixture *taken_fixture;
static struct myalloc_cache *taken_cache;
static bool took_cache, took_zone;

/* While the slab is being made, another CPU takes both locks. */
static void take_locks(void *object)
{
	if (!took_cache)
		took_cache = raw_spin_trylock(&taken_cache->lock);
	if (!took_zone)
		took_zone = raw_spin_trylock(&taken_fixture->zone->lock);
}

static void slab_deferred(struct kunit *test, myalloc_cache_flags_t checks)
{
	const struct fixture_args zone_args = {
		.nr_pages = 64, .chunk_order = 4, .stride = 2, .no_magazines = true,
		.checks = checks,
	};
	const struct myalloc_cache_args args = {
		.name = "slabs", .object_size = SCALED(1000), .ctor = take_locks,
		.flags = MYALLOC_NO_MAGAZINE,
	};
	struct fixture *fx = fixture_zone(test, &zone_args);
	struct myalloc_cache *cache = myalloc_cache_create(fx->zone, &args);
	unsigned long irq;
	void *object;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	taken_fixture = fx;
	taken_cache = cache;
	took_cache = false;
	took_zone = false;
	irq = fixture_nmi_enter();
	object = alloc_here(cache, 0);
	if (took_zone)
		raw_spin_unlock(&fx->zone->lock);
	if (took_cache)
		raw_spin_unlock(&cache->lock);
	fixture_nmi_exit(irq);
	KUNIT_EXPECT_TRUE(test, took_cache && took_zone);
	KUNIT_EXPECT_NULL(test, object);
	KUNIT_EXPECT_EQ(test, stats_of(cache).fails, 1);
	KUNIT_EXPECT_EQ(test, stats_of(cache).slabs, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 2);
	KUNIT_EXPECT_EQ(test, fx->stats.slab_pages, 0);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 2);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	/* They were not counted as frees by a user of pages. */
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_frees[1], 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* A slab made in NMI that cannot be added to the cache returns to the zone later. */
static void slab_nmi_slab_deferred(struct kunit *test)
{
	slab_deferred(test, 0);
	slab_deferred(test, MYALLOC_SANITY);
}

static struct kunit_case slab_nmi_cases[] = {
	KUNIT_CASE(slab_nmi_free),
	KUNIT_CASE(slab_nmi_recover),
	KUNIT_CASE(slab_nmi_free_half),
	KUNIT_CASE(slab_nmi_lost),
	KUNIT_CASE(slab_nmi_no_object),
	KUNIT_CASE(slab_nmi_bulk),
	KUNIT_CASE(slab_nmi_magazines),
	KUNIT_CASE(slab_nmi_content),
	KUNIT_CASE(slab_nmi_link_damaged),
	KUNIT_CASE(slab_nmi_free_drained),
	KUNIT_CASE(slab_nmi_slab_deferred),
	{}
};

static struct kunit_suite slab_nmi_suite = {
	.name = "myalloc_slab_nmi",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = slab_nmi_cases,
};

kunit_test_suite(slab_nmi_suite);
