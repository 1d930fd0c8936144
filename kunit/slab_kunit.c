// SPDX-License-Identifier: GPL-2.0
/* Tests of slabs: their objects, empty ones, random work. */
#include "env.h"

#include <kunit/test.h>

#include "slab_fixture.h"

/* --- objects ------------------------------------------------------------------- */

/* Objects of many sizes and alignments are aligned and do not overlap; all pages are returned. */
static void check_objects(struct fixture *fx, unsigned int size, unsigned int align,
			  myalloc_cache_flags_t flags, void **objects)
{
	const struct myalloc_cache_args args = {
		.name = "objects", .object_size = size, .align = align, .flags = flags,
		.magazine = size % 5,
	};
	struct myalloc_cache *cache = myalloc_cache_create(fx->zone, &args);
	struct kunit *test = fx->test;
	u32 nr, i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	nr = min_t(u32, 2 * cache->layout.objects + 1, 4096);
	for (i = 0; i < nr; i++) {
		objects[i] = myalloc_cache_alloc(cache, 0);
		KUNIT_ASSERT_NOT_NULL(test, objects[i]);
		KUNIT_EXPECT_EQ(test, (unsigned long)objects[i] % cache->layout.align, 0);
		memset(objects[i], i, size);
	}
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(objects[i], i, size));
		KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, objects[i]), size);
	}
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, nr);
	FIXTURE_EXPECT_VALID(fx);
	for (i = 0; i < nr; i++)
		if (i % 2)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, objects[i]), 0);
		else
			KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, objects[i]), 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions + fx->stats.bad_frees, 0);
}

static void slab_objects(struct kunit *test)
{
	static const unsigned int sizes[] = {
		1, 7, 8, 9, 24, 63, 64, 65, 100, 256, 292, 293, 500, 1000, 1024, 1025, 2048, 4000,
		4096, 4097, 8192, 12345, 16384, 32767, 32768,
	};
	static const unsigned int aligns[] = { 0, 1, 16, 64, 512, PAGE_SIZE };
	struct fixture *fx = large_zone(test);
	void **objects = object_array(test);
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (k = 0; k < ARRAY_SIZE(aligns); k++) {
			if (!fixture_thorough() && (i + k) % 9)
				continue;
			check_objects(fx, sizes[i], aligns[k], 0, objects);
			check_objects(fx, sizes[i], aligns[k], MYALLOC_NO_MAGAZINE, objects);
			check_objects(fx, sizes[i], aligns[k], MYALLOC_CHECKS | MYALLOC_RANDOM,
				      objects);
			check_objects(fx, sizes[i], aligns[k], MYALLOC_ZERO_ALLOC |
				      MYALLOC_ZERO_FREE, objects);
		}
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* In an exhausted zone an allocation fails, is counted, and succeeds after a free. */
static void slab_exhaust(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "all", SCALED(1000), MYALLOC_NO_MAGAZINE);
	void **objects = object_array(test);
	u32 nr, i;

	for (nr = 0; (objects[nr] = alloc_here(cache, 0)); nr++)
		;
	KUNIT_EXPECT_EQ(test, nr, 64 / 2 * 8);
	KUNIT_EXPECT_EQ(test, stats_of(cache).fails, 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->slab_pages, 64);
	KUNIT_EXPECT_EQ(test, fx->stats.free_pages, 0);
	KUNIT_EXPECT_NULL(test, alloc_here(cache, MYALLOC_MAY_WAIT));
	KUNIT_EXPECT_EQ(test, stats_of(cache).fails, 2);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, objects[100]), 0);
	KUNIT_EXPECT_PTR_EQ(test, alloc_here(cache, 0), objects[100]);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, objects[i]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(cache), 2 * MYALLOC_EMPTY_KEEP);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* Without magazines, the lowest free slot of the fullest partial slab is allocated next. */
static void slab_order_of_slots(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "order", SCALED(1000),
						    MYALLOC_NO_MAGAZINE);
	void **o = object_array(test);
	u32 i;

	for (i = 0; i < 24; i++) {
		o[i] = alloc_here(cache, 0);
		KUNIT_EXPECT_EQ(test, slot_of(cache, o[i]), i % 8);
		KUNIT_EXPECT_PTR_EQ(test, slab_of(cache, o[i]), slab_of(cache, o[i / 8 * 8]));
	}
	/* Objects in use of the three slabs: 2, 7, 5. */
	for (i = 1; i < 7; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[8 + 5]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[16 + 6]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[16 + 2]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[16 + 4]), 0);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_PTR_EQ(test, alloc_here(cache, 0), o[8 + 5]);
	KUNIT_EXPECT_PTR_EQ(test, alloc_here(cache, 0), o[16 + 2]);
	KUNIT_EXPECT_PTR_EQ(test, alloc_here(cache, 0), o[16 + 4]);
	KUNIT_EXPECT_PTR_EQ(test, alloc_here(cache, 0), o[16 + 6]);
	for (i = 1; i < 7; i++)
		KUNIT_EXPECT_PTR_EQ(test, alloc_here(cache, 0), o[i]);
	for (i = 0; i < 24; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
}

/* The states, in the descriptors or at the end of the slab, throughout an object's life. */
static void check_states(struct fixture *fx, unsigned int size, bool in_frames)
{
	struct myalloc_cache *cache = magazine_cache(fx, "states", size, 4);
	void *object = myalloc_cache_alloc(cache, 0);
	struct myalloc_frame *frame = slab_of(cache, object);
	struct kunit *test = fx->test;
	void *slab = myalloc_frame_addr(fx->zone, myalloc_frame_idx(fx->zone, frame));
	u8 *states = in_frames ? (u8 *)(frame + 1) : slab + cache->layout.state_offset;
	u32 i, cached = 0;

	KUNIT_EXPECT_EQ(test, !cache->layout.state_offset, in_frames);
	KUNIT_EXPECT_PTR_EQ(test, myalloc_slab_states(cache, frame, slab), states);
	KUNIT_EXPECT_PTR_EQ(test, myalloc_object_state(cache, object),
			    states + slot_of(cache, object));
	KUNIT_EXPECT_EQ(test, states[slot_of(cache, object)], MYALLOC_SLOT_LIVE);
	for (i = 0; i < cache->layout.objects; i++)
		cached += states[i] == MYALLOC_SLOT_CACHED;
	KUNIT_EXPECT_EQ(test, cached, min_t(u32, cache->layout.objects, 4) - 1);
	KUNIT_EXPECT_EQ(test, frame->inuse, cached + 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, states[slot_of(cache, object)], MYALLOC_SLOT_CACHED);
	myalloc_cache_drain(cache);
	for (i = 0; i < cache->layout.states; i++)
		KUNIT_EXPECT_EQ(test, states[i], MYALLOC_SLOT_FREE);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	/* Z6: nothing of the states remains in the descriptors. */
	FIXTURE_EXPECT_VALID(fx);
}

static void slab_states(struct kunit *test)
{
	struct fixture *fx = small_zone(test);

	check_states(fx, 8, false);
	check_states(fx, 64, false);
	check_states(fx, 256, false);
	check_states(fx, SCALED(1024), true);
	check_states(fx, min_t(u32, SCALED(4096), MYALLOC_MAX_OBJECT), true);
	check_states(fx, 32768, true);
}

static u32 ctor_calls;

/* The constructor gives each object a number of its own. */
static void number(void *object)
{
	*(u32 *)object = ++ctor_calls;
}

/* It is called once for each slot of a new slab, and never again while the slab exists. */
static void slab_ctor(struct kunit *test)
{
	struct myalloc_cache_args args = {
		.name = "ctor", .object_size = SCALED(200), .ctor = number, .magazine = 5,
	};
	struct fixture *fx = small_zone(test);
	void **o = object_array(test);
	u8 *seen = kunit_kzalloc(test, 1000, GFP_KERNEL);
	struct myalloc_cache *cache;
	u32 i, red, round, per_slab;

	KUNIT_ASSERT_NOT_NULL(test, seen);
	for (red = 0; red < 2; red++) {
		args.flags = red ? MYALLOC_REDZONE : 0;
		ctor_calls = 0;
		memset(seen, 0, 1000);
		cache = myalloc_cache_create(fx->zone, &args);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
		KUNIT_EXPECT_EQ(test, ctor_calls, 0);
		per_slab = cache->layout.objects;
		o[0] = alloc_here(cache, 0);
		KUNIT_EXPECT_EQ(test, ctor_calls, per_slab);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[0]), 0);
		for (round = 0; round < 5; round++) {
			for (i = 0; i < 3 * per_slab; i++) {
				o[i] = alloc_here(cache, 0);
				KUNIT_ASSERT_NOT_NULL(test, o[i]);
				KUNIT_EXPECT_LE(test, *(u32 *)o[i], ctor_calls);
				seen[*(u32 *)o[i]]++;
				memset(o[i] + 4, 0xee, SCALED(200) - 4);
			}
			for (i = 0; i < 3 * per_slab; i++)
				KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
			/* Some slabs may have left; the others were not constructed again. */
			KUNIT_EXPECT_EQ(test, ctor_calls % per_slab, 0);
			KUNIT_EXPECT_LE(test, seen[0], 0);
			if (!round)
				for (i = 1; i <= 3 * per_slab; i++)
					KUNIT_EXPECT_EQ(test, seen[i], 1);
		}
		for (i = 0; i < 3 * per_slab; i++)
			o[i] = alloc_here(cache, 0);
		FIXTURE_EXPECT_VALID(fx);
		for (i = 0; i < 3 * per_slab; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
}

/* A cache of objects of 300 bytes that pass through magazines, unless @flags say otherwise. */
static struct myalloc_cache *cache_of_300(struct fixture *fx, const char *name,
					  myalloc_cache_flags_t flags)
{
	const struct myalloc_cache_args args = {
		.name = name, .object_size = 300, .magazine = 8, .flags = flags,
	};
	struct myalloc_cache *cache = myalloc_cache_create(fx->zone, &args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, cache);
	return cache;
}

/* Zeroing of one allocation, of every one, and at free: exactly the whole object. */
static void slab_zero(struct kunit *test)
{
	static const myalloc_cache_flags_t kinds[] = {
		0, MYALLOC_NO_MAGAZINE, MYALLOC_CERTAIN, MYALLOC_TRUSTING,
	};
	struct fixture *fx = small_zone(test);
	unsigned int kind, i;
	u8 *o, *bulk[3];

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		struct myalloc_cache *plain = cache_of_300(fx, "plain", kinds[kind]);
		struct myalloc_cache *za = cache_of_300(fx, "zalloc",
							MYALLOC_ZERO_ALLOC | kinds[kind]);
		struct myalloc_cache *zf = cache_of_300(fx, "zfree",
							MYALLOC_ZERO_FREE | kinds[kind]);

		for (i = 0; i < 3; i++) {
			o = alloc_here(plain, MYALLOC_ZERO);
			KUNIT_EXPECT_NULL(test, memchr_inv(o, 0, 300));
			memset(fixture_touch(o, 304), 0x99, 304);	/* also the padding */
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(plain, o), 0);
			KUNIT_EXPECT_EQ(test, *(u8 *)fixture_touch(&o[299], 1), 0x99);

			o = alloc_here(za, 0);
			KUNIT_EXPECT_NULL(test, memchr_inv(o, 0, 300));
			memset(fixture_touch(o, 304), 0x99, 304);
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(za, o), 0);
			KUNIT_EXPECT_EQ(test, *(u8 *)fixture_touch(&o[299], 1), 0x99);

			o = alloc_here(zf, 0);
			memset(fixture_touch(o, 304), 0x99, 304);
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(zf, o), 0);
			KUNIT_EXPECT_NULL(test, memchr_inv(fixture_touch(o, 304), 0, 300));
			KUNIT_EXPECT_EQ(test, o[300], 0x99);
			/* A late free by the first user clears nothing of the second one. */
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(zf, o), -EINVAL);
		}
		o = alloc_here(plain, MYALLOC_ZERO);
		KUNIT_EXPECT_EQ(test, *(u8 *)fixture_touch(&o[300], 1), 0x99);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(plain, o), 0);
		/* In bulk. */
		KUNIT_EXPECT_EQ(test, myalloc_cache_alloc_bulk(plain, MYALLOC_ZERO, 3,
							       (void **)bulk), 3);
		for (i = 0; i < 3; i++)
			KUNIT_EXPECT_NULL(test, memchr_inv(bulk[i], 0, 300));
		KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(plain, 3, (void **)bulk), 3);
		KUNIT_EXPECT_EQ(test, myalloc_cache_alloc_bulk(za, 0, 3, (void **)bulk), 3);
		for (i = 0; i < 3; i++)
			KUNIT_EXPECT_NULL(test, memchr_inv(bulk[i], 0, 300));
		KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(za, 3, (void **)bulk), 3);
		KUNIT_EXPECT_EQ(test, myalloc_cache_alloc_bulk(zf, 0, 3, (void **)bulk), 3);
		for (i = 0; i < 3; i++)
			memset(bulk[i], 0x99, 300);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(zf, 3, (void **)bulk), 3);
		for (i = 0; i < 3; i++)
			KUNIT_EXPECT_NULL(test, memchr_inv(fixture_touch(bulk[i], 300), 0, 300));
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(plain), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(za), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(zf), 0);
	}
}

/* Number of objects, in order of allocation, whose address is not above the previous one. */
static u32 disorder(struct myalloc_cache *cache, void **objects, u32 nr)
{
	u32 i, wrong = 0;

	for (i = 0; i < nr; i++)
		objects[i] = myalloc_cache_alloc(cache, 0);
	for (i = 1; i < nr; i++)
		wrong += objects[i] < objects[i - 1];
	return wrong;
}

/* Random order is random, allocates each slot once, and differs between slabs. */
static void slab_random_order(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	const struct myalloc_cache_args args = {
		.name = "random", .object_size = SCALED(64), .magazine = 64,
		.flags = MYALLOC_RANDOM,
	};
	struct myalloc_cache *ordered = magazine_cache(fx, "ordered", SCALED(64), 64), *random;
	void **objects = object_array(test);
	u8 *seen = kunit_kzalloc(test, 1024 * 64, GFP_KERNEL);
	u32 i, k, nr = ordered->layout.objects;

	KUNIT_ASSERT_NOT_NULL(test, seen);
	KUNIT_EXPECT_EQ(test, disorder(ordered, objects, nr), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(ordered, nr, objects), nr);
	random = myalloc_cache_create(fx->zone, &args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, random);
	/* 16 in order have a chance of 1 in 16!; usually half of the pairs are out of order. */
	KUNIT_EXPECT_GE(test, disorder(random, objects, 10 * nr), nr);
	for (i = 0; i < 10 * nr; i++) {
		k = (objects[i] - fx->chunks[0]) / SCALED(64);
		KUNIT_EXPECT_EQ(test, seen[k], 0);
		seen[k]++;
	}
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(random, 10 * nr, objects), 10 * nr);
}

/* Random order also works without magazines and with checks. */
static void slab_random_no_magazine(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "random", 64,
						    MYALLOC_RANDOM | MYALLOC_NO_MAGAZINE);
	u32 nr = 4 * cache->layout.objects;
	void **objects = object_array(test);

	KUNIT_EXPECT_GE(test, disorder(cache, objects, nr), nr / 8);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(cache, nr, objects), nr);
	cache = fixture_cache(fx, "random-checked", 64, MYALLOC_RANDOM | MYALLOC_REDZONE);
	KUNIT_EXPECT_GE(test, disorder(cache, objects, nr), nr / 8);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(cache, nr, objects), nr);
}

/* Bulk allocations of any number, with any size of magazine: all differ, all can be freed. */
static void slab_bulk(struct kunit *test)
{
	static const unsigned int numbers[] = { 0, 1, 2, 3, 15, 16, 17, 63, 64, 65, 127, 500 };
	static const unsigned int magazines[] = { 1, 2, 3, 7, 16, 64, 128 };
	struct fixture *fx = large_zone(test);
	void **objects = object_array(test);
	unsigned int m, i, k;

	for (m = 0; m <= ARRAY_SIZE(magazines); m++) {
		struct myalloc_cache *cache = m < ARRAY_SIZE(magazines) ?
			magazine_cache(fx, "bulk", 104, magazines[m]) :
			fixture_cache(fx, "bulk", 104, MYALLOC_REDZONE | MYALLOC_SANITY);

		for (i = 0; i < ARRAY_SIZE(numbers); i++) {
			unsigned int nr = numbers[i];

			KUNIT_ASSERT_EQ(test, myalloc_cache_alloc_bulk(cache, 0, nr, objects), nr);
			for (k = 0; k < nr; k++)
				memset(objects[k], k, 104);
			for (k = 0; k < nr; k++)
				KUNIT_EXPECT_NULL(test, memchr_inv(objects[k], k, 104));
			KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, nr);
			KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(cache, nr, objects), nr);
			KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 0);
		}
		FIXTURE_EXPECT_VALID(fx);
		KUNIT_EXPECT_EQ(test, stats_of(cache).allocs, stats_of(cache).frees);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_frees + fx->stats.corruptions, 0);
}

/* A request for too many gets the rest; wrong addresses among right ones are refused alone. */
static void slab_bulk_limits(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "bulk", SCALED(1000), 7);
	struct myalloc_cache *other = fixture_cache(fx, "other", SCALED(1000), 0);
	void **o = object_array(test), *give[9], *page;
	unsigned int nr;

	nr = myalloc_cache_alloc_bulk(cache, 0, 1000, o);
	KUNIT_EXPECT_EQ(test, nr, 64 / 2 * 8);
	KUNIT_EXPECT_EQ(test, stats_of(cache).fails, 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(cache, nr, o), nr);
	myalloc_cache_shrink(cache);

	KUNIT_EXPECT_EQ(test, myalloc_cache_alloc_bulk(cache, 0, 3, o), 3);
	o[3] = alloc_here(other, 0);
	page = myalloc_pages_alloc(fx->zone, 0, 0);
	give[0] = o[0];
	give[1] = NULL;
	give[2] = o[1];
	give[3] = o[0];		/* twice */
	give[4] = o[3];		/* of another cache */
	give[5] = page;
	give[6] = o[2] + 1;
	give[7] = o[2];
	give[8] = o[2];		/* twice */
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(cache, 9, give), 3);
	fixture_stats(fx);
	KUNIT_EXPECT_EQ(test, fx->stats.bad_frees, 6);
	KUNIT_EXPECT_EQ(test, fx->stats.bad[MYALLOC_BAD_FREE], 2);
	KUNIT_EXPECT_EQ(test, fx->stats.bad[MYALLOC_BAD_CACHE], 1);
	KUNIT_EXPECT_EQ(test, fx->stats.bad[MYALLOC_BAD_KIND], 1);
	KUNIT_EXPECT_EQ(test, fx->stats.bad[MYALLOC_BAD_FOREIGN], 1);
	KUNIT_EXPECT_EQ(test, fx->stats.bad[MYALLOC_BAD_INTERIOR], 1);
	KUNIT_EXPECT_EQ(test, stats_of(cache).bad_frees, 6);
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 0);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(other, o[3]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
}

/* --- empty slabs, drain, shrink, destroy -------------------------------------------- */

/* Free the objects of ten slabs; returns the number of slabs that stay empty. */
static u64 empty_after(struct fixture *fx, struct myalloc_cache *cache, void **objects)
{
	u32 nr = 10 * cache->layout.objects, i;

	for (i = 0; i < nr; i++) {
		objects[i] = myalloc_cache_alloc(cache, 0);
		KUNIT_ASSERT_NOT_NULL(fx->test, objects[i]);
	}
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(fx->test, myalloc_cache_free(cache, objects[i]), 0);
	FIXTURE_EXPECT_VALID(fx);
	return stats_of(cache).slabs_empty;
}

/* A cache keeps MYALLOC_EMPTY_KEEP empty slabs, and reuses them before it asks for a new one. */
static void slab_empty_keep(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "empty", 500, MYALLOC_NO_MAGAZINE);
	void **objects = object_array(test);
	u64 pages;

	KUNIT_EXPECT_EQ(test, empty_after(fx, cache, objects), MYALLOC_EMPTY_KEEP);
	fixture_let_pass(fx);	/* the other slabs wait for it */
	pages = fixture_stats(fx)->slab_pages;
	KUNIT_EXPECT_EQ(test, pages, MYALLOC_EMPTY_KEEP << cache->layout.order);
	objects[0] = alloc_here(cache, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->slab_pages, pages);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, objects[0]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(cache), pages);
	KUNIT_EXPECT_EQ(test, stats_of(cache).slabs, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(cache), 0);
}

/* The same with magazines; a flush of large objects empties several slabs. */
static void slab_empty_keep_magazines(struct kunit *test)
{
	static const unsigned int sizes[] = { 64, 500, 1000, 4096, 32768 };
	struct fixture *fx = large_zone(test);
	void **objects = object_array(test);
	struct myalloc_cache *cache;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		cache = magazine_cache(fx, "empty", sizes[i], sizes[i] > 4096 ? 4 : 16);
		KUNIT_EXPECT_LE_MSG(test, empty_after(fx, cache, objects), MYALLOC_EMPTY_KEEP,
				    "objects of %u bytes", sizes[i]);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
}

/* Drain empties the magazines; shrink also returns slabs; live objects are not affected. */
static void slab_shrink(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "shrink", 500, 16);
	void **o = object_array(test);
	struct myalloc_cache_stats b;
	u32 i, nr = 4 * cache->layout.objects;

	for (i = 0; i < nr; i++) {
		o[i] = alloc_here(cache, 0);
		memset(o[i], i, 500);
	}
	for (i = 0; i < nr; i++)
		if (i % cache->layout.objects != 3)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	b = stats_of(cache);
	KUNIT_EXPECT_GT(test, b.cached_objects, 0);
	KUNIT_EXPECT_EQ(test, b.live_objects, 4);
	KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), b.cached_objects);
	b = stats_of(cache);
	KUNIT_EXPECT_EQ(test, b.cached_objects, 0);
	KUNIT_EXPECT_EQ(test, b.slabs_partial, 4);
	KUNIT_EXPECT_EQ(test, b.total_objects - b.live_objects, cache->free_slots);
	myalloc_cache_shrink(cache);
	KUNIT_EXPECT_EQ(test, stats_of(cache).slabs, 4);
	FIXTURE_EXPECT_VALID(fx);
	for (i = 3; i < nr; i += cache->layout.objects) {
		KUNIT_EXPECT_NULL(test, memchr_inv(o[i], i, 500));
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	}
	KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(cache), 4u << cache->layout.order);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* A cache with live objects is not destroyed and remains usable; cached ones do not prevent it. */
static void slab_destroy_busy(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "busy", 100, 8);
	void *one = alloc_here(cache, 0), *two = alloc_here(cache, 0), *three;

	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), -EBUSY);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "cache busy cannot be destroyed: 2 objects are still allocated (check U records their owners)");
	scnprintf(fx->expected, sizeof(fx->expected),
		  "cache busy: still allocated: frame %u, slot %u",
		  myalloc_frame_idx(fx->zone, slab_of(cache, one)), slot_of(cache, one));
	KUNIT_EXPECT_EQ(test, fixture_log_count(fx->expected), 1);
	FIXTURE_EXPECT_VALID(fx);
	three = alloc_here(cache, 0);
	KUNIT_EXPECT_NOT_NULL(test, three);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, one), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, two), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, three), 0);
	KUNIT_EXPECT_GT(test, stats_of(cache).cached_objects, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nr_caches, 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* --- random work ------------------------------------------------------------------------------ */

#define CACHES	5
#define LIVE	400

struct random_work {
	struct fixture *fx;
	struct myalloc_random random;
	struct myalloc_cache *cache[CACHES];
	struct {
		void *object;
		u8 cache;
		u8 fill;
	} live[LIVE];
	u32 live_of[CACHES];
	u32 nr;
	u32 steps;
};

static void work_alloc(struct random_work *w)
{
	u32 which = myalloc_random_below(&w->random, CACHES);
	struct myalloc_cache *cache = w->cache[which];
	void *object = myalloc_cache_alloc(cache, 0);

	if (!object)
		return;
	w->live[w->nr].object = object;
	w->live[w->nr].cache = which;
	w->live[w->nr].fill = myalloc_random_next(&w->random);
	memset(object, w->live[w->nr].fill, cache->layout.object_size);
	w->live_of[which]++;
	w->nr++;
}

static void work_free(struct random_work *w, u32 i)
{
	struct myalloc_cache *cache = w->cache[w->live[i].cache];
	struct kunit *test = w->fx->test;

	KUNIT_EXPECT_NULL(test, memchr_inv(w->live[i].object, w->live[i].fill,
					   cache->layout.object_size));
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, w->live[i].object), 0);
	w->live_of[w->live[i].cache]--;
	w->live[i] = w->live[--w->nr];
}

static void work_here(void *arg)
{
	struct random_work *w = arg;
	u32 i;

	for (i = 0; i < w->steps; i++)
		if (w->nr < LIVE && myalloc_random_below(&w->random, 9) < 5)
			work_alloc(w);
		else if (w->nr)
			work_free(w, myalloc_random_below(&w->random, w->nr));
}

/* Several CPUs and caches: the statistics agree with the model and with a recount. */
static void slab_random(struct kunit *test)
{
	static const struct {
		unsigned int size;
		myalloc_cache_flags_t flags;
	} kinds[CACHES] = {
		{ 24, 0 }, { 100, MYALLOC_RANDOM }, { 700, MYALLOC_ZERO_FREE },
		{ 2000, MYALLOC_CHECKS }, { 9000, MYALLOC_NO_MAGAZINE },
	};
	struct random_work *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	u32 turn, turns = fixture_thorough() ? 150 : 12, i;
	struct myalloc_cache_stats b;

	KUNIT_ASSERT_NOT_NULL(test, w);
	fixture_random(test, &w->random);
	w->fx = large_zone(test);
	for (i = 0; i < CACHES; i++) {
		char name[8];

		scnprintf(name, sizeof(name), "r%u", i);
		w->cache[i] = fixture_cache(w->fx, name, kinds[i].size, kinds[i].flags);
	}
	w->steps = 100;
	for (turn = 0; turn < turns; turn++) {
		fixture_on_cpu(turn, work_here, w);
		for (i = 0; i < CACHES; i++) {
			b = stats_of(w->cache[i]);
			KUNIT_EXPECT_EQ(test, b.live_objects, w->live_of[i]);
			KUNIT_EXPECT_EQ(test, b.allocs - b.frees, b.live_objects);
		}
		FIXTURE_EXPECT_VALID(w->fx);
	}
	while (w->nr)
		work_free(w, 0);
	myalloc_zone_drain(w->fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(w->fx));
	KUNIT_EXPECT_EQ(test, fixture_stats(w->fx)->bad_frees + w->fx->stats.corruptions, 0);
}

static struct kunit_case slab_cases[] = {
	KUNIT_CASE(slab_objects),
	KUNIT_CASE(slab_exhaust),
	KUNIT_CASE(slab_order_of_slots),
	KUNIT_CASE(slab_states),
	KUNIT_CASE(slab_ctor),
	KUNIT_CASE(slab_zero),
	KUNIT_CASE(slab_random_order),
	KUNIT_CASE(slab_random_no_magazine),
	KUNIT_CASE(slab_bulk),
	KUNIT_CASE(slab_bulk_limits),
	KUNIT_CASE(slab_empty_keep),
	KUNIT_CASE(slab_empty_keep_magazines),
	KUNIT_CASE(slab_shrink),
	KUNIT_CASE(slab_destroy_busy),
	KUNIT_CASE(slab_random),
	{}
};

static struct kunit_suite slab_suite = {
	.name = "myalloc_slab",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = slab_cases,
};

kunit_test_suite(slab_suite);
