// SPDX-License-Identifier: GPL-2.0
/* Tests of wrong frees of objects and their reports. */
#include "env.h"

#include <kunit/test.h>

#include "object/object.h"
#include "slab_fixture.h"

/* Double frees: immediately, from a magazine, from the slab, and after the slab has left. */
static void slab_bad_twice(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *mags = magazine_cache(fx, "mags", 100, 4);
	struct myalloc_cache *none = fixture_cache(fx, "none", 100, MYALLOC_NO_MAGAZINE);
	void *a = alloc_here(mags, 0), *b = alloc_here(none, 0), *again;
	u32 frame_a = myalloc_frame_idx(fx->zone, slab_of(mags, a));
	u32 frame_b = myalloc_frame_idx(fx->zone, slab_of(none, b));

	KUNIT_EXPECT_EQ(test, myalloc_cache_free(mags, a), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(none, b), 0);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(mags, a), MYALLOC_BAD_FREE, TWICE, "mags",
			       "mags", frame_a, 0);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_free(fx->zone, a), MYALLOC_BAD_FREE, TWICE, "mags",
			       "mags", frame_a, 0);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(none, b), MYALLOC_BAD_FREE, TWICE, "none",
			       "none", frame_b, 0);
	KUNIT_EXPECT_EQ(test, stats_of(mags).bad_frees, 2);
	KUNIT_EXPECT_EQ(test, stats_of(none).bad_frees, 1);
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, a), 0);

	/* Freed, allocated again, freed by the new owner and by the old one. */
	again = alloc_here(mags, 0);
	KUNIT_EXPECT_PTR_EQ(test, again, a);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(mags, again), 0);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(mags, a), MYALLOC_BAD_FREE, TWICE, "mags",
			       "mags", frame_a, 0);
	/* A slot that was never allocated. */
	again = a + 3 * mags->layout.slot_size;
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(mags, again), MYALLOC_BAD_FREE, TWICE, "mags",
			       "mags", frame_a, 3);
	myalloc_cache_drain(mags);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(mags, a), MYALLOC_BAD_FREE, TWICE, "mags",
			       "mags", frame_a, 0);
	/* The slab is gone. */
	myalloc_cache_shrink(mags);
	myalloc_cache_shrink(none);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(mags, a), MYALLOC_BAD_FREE,
			       "bad free as object of mags: already free (double free); frame %u, order 4, free",
			       frame_a / 16 * 16);
}

/* Addresses outside the zone. */
static void slab_bad_foreign(struct kunit *test)
{
	struct fixture *fx = small_zone(test), *two = small_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "mine", 100, 4);
	struct myalloc_cache *theirs = magazine_cache(two, "theirs", 100, 4);
	void *object = alloc_here(theirs, 0), *foreign[5];
	size_t i;

	foreign[0] = NULL;
	foreign[1] = (void *)ULONG_MAX;
	foreign[2] = fx->chunks[0] - 100;
	foreign[3] = fx->chunks[1] + 16 * PAGE_SIZE;
	foreign[4] = object;
	for (i = 0; i < ARRAY_SIZE(foreign); i++)
		FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(cache, foreign[i]),
				       MYALLOC_BAD_FOREIGN,
				       "bad free as object of mine: not memory of this zone");
	KUNIT_EXPECT_EQ(test, stats_of(cache).bad_frees, 5);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(theirs, object), 0);
}

/* Addresses inside slots: every byte of two slots, the padding, the tail of the slab. */
static void slab_bad_place(struct kunit *test)
{
	static const myalloc_cache_flags_t flags[] = { 0, MYALLOC_REDZONE, MYALLOC_ZERO_FREE };
	struct fixture *fx = small_zone(test);
	unsigned int f;
	u32 off;

	for (f = 0; f < ARRAY_SIZE(flags); f++) {
		struct myalloc_cache *cache = fixture_cache(fx, "place", 100, flags[f]);
		void *object = alloc_here(cache, 0), *next = alloc_here(cache, 0), *slab;
		u32 frame = myalloc_frame_idx(fx->zone, slab_of(cache, object));
		u32 slot = cache->layout.slot_size;

		if (object > next)
			swap(object, next);
		slab = object - cache->layout.object_offset;
		KUNIT_EXPECT_PTR_EQ(test, next, object + slot);
		for (off = 0; off < 2 * slot; off += off % 8 == 7 ? 1 : 7) {
			if (slab + off == object || slab + off == next)
				continue;
			FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(cache, slab + off),
					       MYALLOC_BAD_INTERIOR,
					       "bad free as object of place: inside a block, not at its beginning; cache place, frame %u, slot %u",
					       frame, off / slot);
		}
		/* No object begins behind the last slot, even at a multiple of the slot size. */
		off = cache->layout.objects * slot + cache->layout.object_offset;
		for (; off < PAGE_SIZE << cache->layout.order; off += 4) {
			fixture_note(fx);
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, slab + off), -EINVAL);
			fx->noted.bad[MYALLOC_BAD_MISALIGNED]++;
			fx->noted.bad_frees++;
			KUNIT_EXPECT_TRUE_MSG(test, fixture_unchanged(fx), "offset %u", off);
		}
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, next), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
}

/* An object of another cache: as large, larger, with and without magazines. */
static void slab_bad_cache(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *one = magazine_cache(fx, "one", 100, 4);
	struct myalloc_cache *two = magazine_cache(fx, "two", 100, 4);
	struct myalloc_cache *big = fixture_cache(fx, "big", 1000, MYALLOC_NO_MAGAZINE);
	void *a = alloc_here(one, 0), *b = alloc_here(big, 0);
	u32 frame_a = myalloc_frame_idx(fx->zone, slab_of(one, a));
	u32 frame_b = myalloc_frame_idx(fx->zone, slab_of(big, b));

	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(two, a), MYALLOC_BAD_CACHE,
			       "bad free as object of two: an object of another cache; cache one, frame %u, slot 0",
			       frame_a);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(big, a), MYALLOC_BAD_CACHE,
			       "bad free as object of big: an object of another cache; cache one, frame %u, slot 0",
			       frame_a);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(one, b), MYALLOC_BAD_CACHE,
			       "bad free as object of one: an object of another cache; cache big, frame %u, slot 0",
			       frame_b);
	KUNIT_EXPECT_EQ(test, stats_of(two).bad_frees, 1);
	KUNIT_EXPECT_EQ(test, stats_of(one).bad_frees, 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(one, a), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(big, b), 0);
}

/* A page as an object, an object as a page, a free page as an object. */
static void slab_bad_kind(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "objects", 100, 4);
	void *object = alloc_here(cache, 0), *page = myalloc_pages_alloc(fx->zone, 1, 0);
	struct myalloc_frame *frame = myalloc_map_frame(&fx->zone->map, page);
	u32 slab = myalloc_frame_idx(fx->zone, slab_of(cache, object));
	u32 idx = myalloc_frame_idx(fx->zone, frame);
	char holder[64];

	fixture_symbol(frame->caller, holder, sizeof(holder));
	/* Filled with the state of a live object. */
	memset(page, MYALLOC_SLOT_LIVE, 2 * PAGE_SIZE);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(cache, page), MYALLOC_BAD_KIND,
			       "bad free as object of objects: not what it was allocated as; frame %u, order 1, held by %s",
			       idx, holder);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(cache, page + PAGE_SIZE), MYALLOC_BAD_KIND,
			       "bad free as object of objects: not what it was allocated as; frame %u, order 1, held by %s",
			       idx, holder);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, object, 0), MYALLOC_BAD_KIND,
			       "bad free as pages of order 0: not what it was allocated as; frame %u, order 0, a slab",
			       slab);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free_exact(fx->zone, object, 1), MYALLOC_BAD_KIND,
			       "bad free as 1 page: not what it was allocated as; frame %u, order 0, a slab",
			       slab);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 1), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, page), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_FREE], 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_KIND], 4);
}

/* If the tag of a slab names an impossible cache, none of its objects can be looked up or freed. */
static void slab_bad_tag(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "tagged", 100, MYALLOC_NO_MAGAZINE);
	void *object = alloc_here(cache, 0);
	struct myalloc_frame *frame = slab_of(cache, object);
	const u16 wrong[] = { MYALLOC_CACHES_MAX, U16_MAX, 77 };
	u16 right = frame->cache;
	size_t i;

	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, object), 100);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		frame->cache = wrong[i];
		KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, object), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), -EINVAL);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_FREE], i + 1);
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, object), -EINVAL);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_KIND], i + 1);
	}
	frame->cache = right;
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, object), 0);
}

/* A free page, in a magazine or not, has no usable size. */
static void slab_usable_cached(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	void *page = myalloc_pages_alloc(fx->zone, 1, 0);

	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, page), 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, page + PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 1), 0);
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, page), 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, page), 0);
}

/*
 * Memory outside of slabs that looks like a slab full of live objects, to caches with and without a
 * fast path: every free there is refused.
 */
static void slab_bad_lookalike(struct kunit *test)
{
	static const struct {
		unsigned int size;
		myalloc_cache_flags_t flags;
	} kinds[] = {
		{ 64, 0 }, { 64, MYALLOC_ZERO_FREE }, { 100, MYALLOC_ZERO_FREE }, { 8, 0 },
		{ 24, MYALLOC_ZERO_FREE }, { 1000, MYALLOC_ZERO_FREE }, { 64, MYALLOC_REDZONE },
		{ 56, 0 }, { 88, 0 }, { 4096, MYALLOC_ZERO_FREE },
	};
	const struct fixture_args args = { .nr_pages = 64, .chunk_order = 6, .no_magazines = true };
	struct fixture *fx = fixture_zone(test, &args);
	void *pages = myalloc_pages_alloc(fx->zone, 5, 0);
	size_t i;
	u32 off;

	memset(pages, MYALLOC_SLOT_LIVE, 32 * PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct myalloc_cache *cache = fixture_cache(fx, "real", kinds[i].size,
							    kinds[i].flags);

		fixture_note(fx);
		for (off = 0; off < 32 * PAGE_SIZE; off += off % PAGE_SIZE ? 3 * PAGE_SIZE : 64) {
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, pages + off), -EINVAL);
			fixture_print_pass(fx);		/* or some may be suppressed */
			fx->noted.bad[MYALLOC_BAD_KIND]++;
			fx->noted.bad_frees++;
		}
		KUNIT_EXPECT_TRUE_MSG(test, fixture_unchanged(fx), "%u bytes, flags %u: %s",
				      kinds[i].size, kinds[i].flags, fx->v.first);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
	/* The same pages when they are free. */
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, pages, 5), 0);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct myalloc_cache *cache = fixture_cache(fx, "real", kinds[i].size,
							    kinds[i].flags);

		for (off = 0; off < 32 * PAGE_SIZE; off += PAGE_SIZE)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, pages + off), -EINVAL);
		KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
	FIXTURE_EXPECT_VALID(fx);
}

/* A frame beyond a partial chunk: the map knows its address, but nothing is allocated there. */
static void slab_bad_behind(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 60, .chunk_order = 4, .no_magazines = true };
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_cache *cache = fixture_cache(fx, "behind", 100, 0);

	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(cache, fx->chunks[3] + 13 * PAGE_SIZE),
			       MYALLOC_BAD_FOREIGN,
			       "bad free as object of behind: not memory of this zone");
}

/* A free after a grace period: the object keeps its content until then, and is freed once. */
static void slab_claimed(struct kunit *test)
{
	const myalloc_cache_flags_t flags[] = {
		0, MYALLOC_CERTAIN, MYALLOC_TRUSTING, MYALLOC_ZERO_FREE, MYALLOC_NO_MAGAZINE,
		MYALLOC_POISON | MYALLOC_REDZONE | MYALLOC_OWNER,
	};
	struct fixture *fx = small_zone(test);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct myalloc_cache *cache = fixture_cache(fx, "c", 100, flags[i]);
		u8 *object = alloc_here(cache, 0);

		memset(object, i, 100);
		KUNIT_EXPECT_EQ(test, myalloc_object_claim(cache, object, _THIS_IP_), 0);
		KUNIT_EXPECT_NULL(test, memchr_inv(object, i, 100));
		KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 1);
		FIXTURE_EXPECT_VALID(fx);
		KUNIT_EXPECT_EQ(test, myalloc_object_claim(cache, object, _THIS_IP_), -EINVAL);
		if (flags[i] != MYALLOC_TRUSTING)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), -EINVAL);
		KUNIT_EXPECT_EQ(test, myalloc_object_claim(cache, object + 8, _THIS_IP_), -EINVAL);
		myalloc_object_free_claimed(cache, object, _THIS_IP_);
		KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 0);
		if (flags[i] != MYALLOC_TRUSTING)
			KUNIT_EXPECT_EQ(test, myalloc_object_claim(cache, object, _THIS_IP_),
					-EINVAL);
		FIXTURE_EXPECT_VALID(fx);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
}

static struct kunit_case slab_free_cases[] = {
	KUNIT_CASE(slab_bad_twice),
	KUNIT_CASE(slab_bad_behind),
	KUNIT_CASE(slab_bad_foreign),
	KUNIT_CASE(slab_bad_place),
	KUNIT_CASE(slab_bad_cache),
	KUNIT_CASE(slab_bad_kind),
	KUNIT_CASE(slab_bad_tag),
	KUNIT_CASE(slab_usable_cached),
	KUNIT_CASE(slab_bad_lookalike),
	KUNIT_CASE(slab_claimed),
	{}
};

static struct kunit_suite slab_free_suite = {
	.name = "myalloc_slab_free",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = slab_free_cases,
};

kunit_test_suite(slab_free_suite);
