// SPDX-License-Identifier: GPL-2.0
/* Tests of slab caches. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "slab.h"

#define OBJECTS_MAX	4096

static void **object_array(struct kunit *test)
{
	void **objects = kunit_kcalloc(test, OBJECTS_MAX, sizeof(*objects), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, objects);
	return objects;
}

/* 4 MiB of real memory. */
static struct fixture *large_zone(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 1024, .chunk_order = 10 };

	return fixture_zone(test, &args);
}

/* A few pages, in chunks that are not adjacent, so that every byte can be compared. */
static struct fixture *small_zone(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 4, .stride = 2, .no_magazines = true,
	};

	return fixture_zone(test, &args);
}

static struct myalloc_cache *magazine_cache(struct fixture *fx, const char *name,
					    unsigned int size, unsigned int magazine)
{
	const struct myalloc_cache_args args = {
		.name = name, .object_size = size, .magazine = magazine,
	};
	struct myalloc_cache *cache = myalloc_cache_create(fx->zone, &args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, cache);
	KUNIT_ASSERT_EQ(fx->test, cache->mags.capacity, magazine);
	return cache;
}

static struct myalloc_cache_books books_of(struct myalloc_cache *cache)
{
	struct myalloc_cache_books books;

	myalloc_cache_books(cache, &books);
	return books;
}

/* First frame of the slab of an object. */
static struct myalloc_frame *slab_of(const struct myalloc_cache *cache, const void *object)
{
	struct myalloc_frame *frame = myalloc_map_frame(&cache->map, object);
	u32 idx = myalloc_frame_idx(cache->zone, frame);

	return frame - (idx & cache->frame_mask);
}

static u32 slot_of(const struct myalloc_cache *cache, const void *object)
{
	u32 idx = myalloc_frame_idx(cache->zone, slab_of(cache, object));

	return (object - myalloc_frame_addr(cache->zone, idx)) / cache->layout.slot_size;
}

static noinline void *alloc_here(struct myalloc_cache *cache, unsigned int flags)
{
	void *object = myalloc_cache_alloc(cache, flags);

	barrier();
	return object;
}

/* --- making ---------------------------------------------------------------- */

static void nothing(void *object)
{
}

/* Each wrong argument, with its error and a word of its sentence. */
static void slab_args(struct kunit *test)
{
	static const struct {
		struct myalloc_cache_args args;
		int err;
		const char *text;
	} cases[] = {
		{ { .object_size = 8 }, -EINVAL, "a cache's name has 1 to 31" },
		{ { .name = "", .object_size = 8 }, -EINVAL, "a cache's name has" },
		{ { .name = ".", .object_size = 8 }, -EINVAL, "a cache's name has" },
		{ { .name = "..", .object_size = 8 }, -EINVAL, "a cache's name has" },
		{ { .name = "a/b", .object_size = 8 }, -EINVAL, "a cache's name has" },
		{ { .name = "a b", .object_size = 8 }, -EINVAL, "a cache's name has" },
		{ { .name = "a\n", .object_size = 8 }, -EINVAL, "a cache's name has" },
		{ { .name = "32-characters-are-one-too-many-x", .object_size = 8 }, -EINVAL,
		  "a cache's name has" },
		{ { .name = "a", .object_size = 8, .flags = 1u << 12 }, -EINVAL,
		  "cache a: unknown flags 0x1000" },
		{ { .name = "a", .object_size = 8, .flags = 1u << 31 | 1u << 4 }, -EINVAL,
		  "cache a: unknown flags 0x80000010" },
		{ { .name = "a", .object_size = 8, .magazine = 129 }, -EINVAL,
		  "cache a: magazine of 129 objects is above 128" },
		{ { .name = "a", .object_size = 8, .ctor = nothing, .flags = MYALLOC_POISON },
		  -EINVAL, "cache a: a constructor excludes poison and zeroing" },
		{ { .name = "a", .object_size = 8, .ctor = nothing, .flags = MYALLOC_ZERO_ALLOC },
		  -EINVAL, "cache a: a constructor excludes poison and zeroing" },
		{ { .name = "a", .object_size = 8, .ctor = nothing, .flags = MYALLOC_ZERO_FREE },
		  -EINVAL, "cache a: a constructor excludes poison and zeroing" },
		{ { .name = "a" }, -EINVAL, "cache a: objects of 0 bytes" },
		{ { .name = "a", .object_size = 32769 }, -EINVAL,
		  "cache a: objects of 32769 bytes" },
		{ { .name = "a", .object_size = 8, .align = 24 }, -EINVAL, "aligned to 24" },
		{ { .name = "a", .object_size = 8, .align = 2 * PAGE_SIZE }, -EINVAL,
		  "aligned to" },
		{ { .name = "a", .object_size = 4 * PAGE_SIZE + 1 }, -E2BIG,
		  "a slab of order 2 at most" },
		{ { .name = "there", .object_size = 8 }, -EEXIST, NULL },
	};
	const struct fixture_args args = { .nr_pages = 32, .chunk_order = 2 };
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_cache *cache;
	unsigned long live;
	size_t i;

	fixture_cache(fx, "there", 64, 0);
	live = fixture_live_allocs();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fixture_log_mark();
		cache = myalloc_cache_create(fx->zone, &cases[i].args);
		KUNIT_EXPECT_TRUE_MSG(test, IS_ERR(cache) && PTR_ERR(cache) == cases[i].err,
				      "case %zu", i);
		if (cases[i].text)
			KUNIT_EXPECT_EQ_MSG(test, fixture_log_count(cases[i].text), 1, "case %zu",
					    i);
		KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
	}
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->nr_caches, 1);
	/* The longest name, and every character that is allowed. */
	KUNIT_EXPECT_STREQ(test, fixture_cache(fx, "31-Characters_just.fit-here-xyz", 64, 0)->name,
			   "31-Characters_just.fit-here-xyz");
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(NULL), 0);
}

/* As many caches as there are numbers; a number that is given back is used again. */
static void slab_numbers(struct kunit *test)
{
	struct myalloc_cache_args args = { .object_size = 64, .flags = MYALLOC_NO_MAGAZINE };
	struct fixture *fx = small_zone(test);
	struct myalloc_cache **caches = (struct myalloc_cache **)object_array(test), *more;
	char name[16];
	u32 i;

	args.name = name;
	for (i = 1; i < MYALLOC_CACHES_MAX; i++) {
		scnprintf(name, sizeof(name), "c%u", i);
		caches[i] = myalloc_cache_create(fx->zone, &args);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, caches[i]);
		KUNIT_EXPECT_EQ(test, caches[i]->id, i);
	}
	args.name = "one-more";
	more = myalloc_cache_create(fx->zone, &args);
	KUNIT_EXPECT_TRUE(test, IS_ERR(more) && PTR_ERR(more) == -ENOSPC);
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->nr_caches, MYALLOC_CACHES_MAX - 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(caches[77]), 0);
	more = myalloc_cache_create(fx->zone, &args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, more);
	KUNIT_EXPECT_EQ(test, more->id, 77);
	FIXTURE_EXPECT_VALID(fx);
}

/* Each internal allocation fails in turn; nothing stays behind. */
static void slab_no_memory(struct kunit *test)
{
	const struct myalloc_cache_args args = { .name = "failing", .object_size = 100 };
	struct fixture *fx = large_zone(test);
	unsigned long live = fixture_live_allocs();
	struct myalloc_cache *cache;
	unsigned int k;

	if (!fixture_fail_after(0))
		kunit_skip(test, "failures cannot be injected here");
	for (k = 1; ; k++) {
		fixture_fail_after(k);
		cache = myalloc_cache_create(fx->zone, &args);
		if (!fixture_fail_fired())
			break;
		KUNIT_EXPECT_TRUE(test, IS_ERR(cache) && PTR_ERR(cache) == -ENOMEM);
		KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
		KUNIT_EXPECT_EQ(test, fixture_books(fx)->nr_caches, 0);
		FIXTURE_EXPECT_VALID(fx);
	}
	fixture_fail_after(0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	/* The cache, the per-CPU part, the magazines. */
	KUNIT_EXPECT_EQ(test, k, 4);
}

static struct myalloc_cache *heard_added, *heard_removed;

static void hear_added(struct myalloc_cache *cache)
{
	heard_added = cache;
}

static void hear_removed(struct myalloc_cache *cache)
{
	heard_removed = cache;
}

static bool stop_at(struct myalloc_cache *cache, void *arg)
{
	u32 *left = arg;

	return --*left;
}

/* The zone's maker hears of caches; the walk sees each, and ends when told to. */
static void slab_ops(struct kunit *test)
{
	static const struct myalloc_zone_ops ops = { hear_added, hear_removed };
	const struct fixture_args args = { .nr_pages = 16, .chunk_order = 4, .ops = &ops };
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_cache *one = fixture_cache(fx, "one", 8, 0), *two;
	u32 left = 10;

	KUNIT_EXPECT_PTR_EQ(test, heard_added, one);
	two = fixture_cache(fx, "two", 8, 0);
	KUNIT_EXPECT_PTR_EQ(test, heard_added, two);
	myalloc_zone_walk_caches(fx->zone, stop_at, &left);
	KUNIT_EXPECT_EQ(test, left, 8);
	left = 1;
	myalloc_zone_walk_caches(fx->zone, stop_at, &left);
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(one), 0);
	KUNIT_EXPECT_PTR_EQ(test, heard_removed, one);
}

/* The maker may want to hear of nothing. */
static void slab_no_ops(struct kunit *test)
{
	static const struct myalloc_zone_ops ops;
	const struct fixture_args args = { .nr_pages = 16, .chunk_order = 4, .ops = &ops };
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_cache *cache = fixture_cache(fx, "unheard", 8, 0);

	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->nr_caches, 0);
}

/* --- objects ------------------------------------------------------------------- */

/* Objects of many sizes and alignments: aligned, apart, whole; and all pages back. */
static void check_objects(struct fixture *fx, unsigned int size, unsigned int align,
			  unsigned int flags, void **objects)
{
	const struct myalloc_cache_args args = {
		.name = "objects", .object_size = size, .align = align, .flags = flags,
		.magazine = size % 5,
	};
	struct myalloc_cache *cache = myalloc_cache_create(fx->zone, &args);
	struct kunit *test = fx->test;
	u32 nr, i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	nr = min_t(u32, 2 * cache->layout.objects + 1, OBJECTS_MAX);
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
	KUNIT_EXPECT_EQ(test, books_of(cache).live_objects, nr);
	FIXTURE_EXPECT_VALID(fx);
	for (i = 0; i < nr; i++)
		if (i % 2)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, objects[i]), 0);
		else
			KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, objects[i]), 0);
	KUNIT_EXPECT_EQ(test, books_of(cache).live_objects, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->corruptions + fx->books.bad_frees, 0);
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

/* Until the zone has no page left; the next fails, is counted, and after a free succeeds. */
static void slab_exhaust(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "all", 1000, MYALLOC_NO_MAGAZINE);
	void **objects = object_array(test);
	u32 nr, i;

	for (nr = 0; (objects[nr] = alloc_here(cache, 0)); nr++)
		;
	KUNIT_EXPECT_EQ(test, nr, 64 / 2 * 8);
	KUNIT_EXPECT_EQ(test, books_of(cache).fails, 1);
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->slab_pages, 64);
	KUNIT_EXPECT_EQ(test, fx->books.free_pages, 0);
	KUNIT_EXPECT_NULL(test, alloc_here(cache, MYALLOC_MAY_WAIT));
	KUNIT_EXPECT_EQ(test, books_of(cache).fails, 2);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, objects[100]), 0);
	KUNIT_EXPECT_PTR_EQ(test, alloc_here(cache, 0), objects[100]);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, objects[i]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(cache), 2 * MYALLOC_EMPTY_KEEP);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* Without magazines the lowest free slot of the fullest partial slab is next. */
static void slab_order_of_slots(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "order", 1000, MYALLOC_NO_MAGAZINE);
	void **o = object_array(test);
	u32 i;

	for (i = 0; i < 24; i++) {
		o[i] = alloc_here(cache, 0);
		KUNIT_EXPECT_EQ(test, slot_of(cache, o[i]), i % 8);
		KUNIT_EXPECT_PTR_EQ(test, slab_of(cache, o[i]), slab_of(cache, o[i / 8 * 8]));
	}
	/* In use of the three slabs: 2, 7, 5. */
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

/* The states: in the descriptors or at the end of the slab; what each says when. */
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
	/* Z7: nothing of it stays in the descriptors. */
	FIXTURE_EXPECT_VALID(fx);
}

static void slab_states(struct kunit *test)
{
	struct fixture *fx = small_zone(test);

	check_states(fx, 8, false);
	check_states(fx, 64, false);
	check_states(fx, 256, false);
	check_states(fx, 1024, true);
	check_states(fx, 4096, true);
	check_states(fx, 32768, true);
}

static u32 ctor_calls;

/* Each object has a number of its own from its constructor on. */
static void number(void *object)
{
	*(u32 *)object = ++ctor_calls;
}

/* Called once for each slot of a slab that is made, and never again while it exists. */
static void slab_ctor(struct kunit *test)
{
	struct myalloc_cache_args args = {
		.name = "ctor", .object_size = 200, .ctor = number, .magazine = 5,
	};
	struct fixture *fx = small_zone(test);
	void **o = object_array(test);
	u8 *seen = kunit_kzalloc(test, 1000, GFP_KERNEL);
	struct myalloc_cache *cache;
	u32 i, round, per_slab;

	KUNIT_ASSERT_NOT_NULL(test, seen);
	for (args.flags = 0; args.flags <= MYALLOC_REDZONE; args.flags += MYALLOC_REDZONE) {
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
				memset(o[i] + 4, 0xee, 196);
			}
			for (i = 0; i < 3 * per_slab; i++)
				KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
			/* Some slabs may have gone in between; none that stayed was made again. */
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

/* Zeroing: of one allocation, of every one, and at free; all of the object and no more. */
static void slab_zero(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	unsigned int magazine;
	u8 *o, *bulk[3];
	unsigned int i;

	for (magazine = 0; magazine <= MYALLOC_NO_MAGAZINE; magazine += MYALLOC_NO_MAGAZINE) {
		struct myalloc_cache *plain = fixture_cache(fx, "plain", 300, magazine);
		struct myalloc_cache *za = fixture_cache(fx, "zalloc", 300,
							 MYALLOC_ZERO_ALLOC | magazine);
		struct myalloc_cache *zf = fixture_cache(fx, "zfree", 300,
							 MYALLOC_ZERO_FREE | magazine);

		for (i = 0; i < 3; i++) {
			o = alloc_here(plain, MYALLOC_ZERO);
			KUNIT_EXPECT_NULL(test, memchr_inv(o, 0, 300));
			memset(o, 0x99, 304);	/* also the padding */
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(plain, o), 0);
			KUNIT_EXPECT_EQ(test, o[299], 0x99);

			o = alloc_here(za, 0);
			KUNIT_EXPECT_NULL(test, memchr_inv(o, 0, 300));
			memset(o, 0x99, 304);
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(za, o), 0);
			KUNIT_EXPECT_EQ(test, o[299], 0x99);

			o = alloc_here(zf, 0);
			memset(o, 0x99, 304);
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(zf, o), 0);
			KUNIT_EXPECT_NULL(test, memchr_inv(o, 0, 300));
			KUNIT_EXPECT_EQ(test, o[300], 0x99);
		}
		o = alloc_here(plain, MYALLOC_ZERO);
		KUNIT_EXPECT_EQ(test, o[300], 0x99);
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
			KUNIT_EXPECT_NULL(test, memchr_inv(bulk[i], 0, 300));
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(plain), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(za), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(zf), 0);
	}
}

/* How many of @nr objects, in the order they come, are not above the one before. */
static u32 disorder(struct myalloc_cache *cache, void **objects, u32 nr)
{
	u32 i, wrong = 0;

	for (i = 0; i < nr; i++)
		objects[i] = myalloc_cache_alloc(cache, 0);
	for (i = 1; i < nr; i++)
		wrong += objects[i] < objects[i - 1];
	return wrong;
}

/* Random order is one, hands out each slot once, and differs from slab to slab. */
static void slab_random_order(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	const struct myalloc_cache_args args = {
		.name = "random", .object_size = 64, .flags = MYALLOC_RANDOM, .magazine = 64,
	};
	struct myalloc_cache *ordered = magazine_cache(fx, "ordered", 64, 64), *random;
	void **objects = object_array(test);
	u8 *seen = kunit_kzalloc(test, 1024 * 64, GFP_KERNEL);
	u32 i, k, nr = ordered->layout.objects;

	KUNIT_ASSERT_NOT_NULL(test, seen);
	KUNIT_EXPECT_EQ(test, disorder(ordered, objects, nr), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(ordered, nr, objects), nr);
	random = myalloc_cache_create(fx->zone, &args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, random);
	/* 16 in order have a chance of 1 in 16!; most have about half of the pairs wrong. */
	KUNIT_EXPECT_GE(test, disorder(random, objects, 10 * nr), nr);
	for (i = 0; i < 10 * nr; i++) {
		k = (objects[i] - fx->chunks[0]) / 64;
		KUNIT_EXPECT_EQ(test, seen[k], 0);
		seen[k]++;
	}
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(random, 10 * nr, objects), 10 * nr);
}

/* Random order without magazines, and together with checks, is random as well. */
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

/* Any number in bulk, from caches of any magazine size: all different, and all back. */
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
			KUNIT_EXPECT_EQ(test, books_of(cache).live_objects, nr);
			KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(cache, nr, objects), nr);
			KUNIT_EXPECT_EQ(test, books_of(cache).live_objects, 0);
		}
		FIXTURE_EXPECT_VALID(fx);
		KUNIT_EXPECT_EQ(test, books_of(cache).allocs, books_of(cache).frees);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->bad_frees + fx->books.corruptions, 0);
}

/* More than there are: what could be had; wrong ones among right ones: the others are freed. */
static void slab_bulk_limits(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "bulk", 1000, 7);
	struct myalloc_cache *other = fixture_cache(fx, "other", 1000, 0);
	void **o = object_array(test), *give[9], *page;
	unsigned int nr;

	nr = myalloc_cache_alloc_bulk(cache, 0, 1000, o);
	KUNIT_EXPECT_EQ(test, nr, 64 / 2 * 8);
	KUNIT_EXPECT_EQ(test, books_of(cache).fails, 1);
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
	fixture_books(fx);
	KUNIT_EXPECT_EQ(test, fx->books.bad_frees, 6);
	KUNIT_EXPECT_EQ(test, fx->books.bad[MYALLOC_BAD_FREE], 2);
	KUNIT_EXPECT_EQ(test, fx->books.bad[MYALLOC_BAD_CACHE], 1);
	KUNIT_EXPECT_EQ(test, fx->books.bad[MYALLOC_BAD_KIND], 1);
	KUNIT_EXPECT_EQ(test, fx->books.bad[MYALLOC_BAD_FOREIGN], 1);
	KUNIT_EXPECT_EQ(test, fx->books.bad[MYALLOC_BAD_INTERIOR], 1);
	KUNIT_EXPECT_EQ(test, books_of(cache).bad_frees, 6);
	KUNIT_EXPECT_EQ(test, books_of(cache).live_objects, 0);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(other, o[3]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
}

/* --- empty slabs, drain, shrink, the end -------------------------------------------- */

/* Frees objects of ten slabs; how many slabs stay empty. */
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
	return books_of(cache).slabs_empty;
}

/* A cache keeps so many empty slabs, no more, and uses them again before it asks for one. */
static void slab_empty_keep(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "empty", 500, MYALLOC_NO_MAGAZINE);
	void **objects = object_array(test);
	u64 pages;

	KUNIT_EXPECT_EQ(test, empty_after(fx, cache, objects), MYALLOC_EMPTY_KEEP);
	pages = fixture_books(fx)->slab_pages;
	KUNIT_EXPECT_EQ(test, pages, MYALLOC_EMPTY_KEEP << cache->layout.order);
	objects[0] = alloc_here(cache, 0);
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->slab_pages, pages);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, objects[0]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(cache), pages);
	KUNIT_EXPECT_EQ(test, books_of(cache).slabs, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(cache), 0);
}

/* The same with magazines, small objects and large, of which one flush empties several. */
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

/* Drain empties the magazines, shrink also gives slabs back; live objects stay as they are. */
static void slab_shrink(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "shrink", 500, 16);
	void **o = object_array(test);
	struct myalloc_cache_books b;
	u32 i, nr = 4 * cache->layout.objects;

	for (i = 0; i < nr; i++) {
		o[i] = alloc_here(cache, 0);
		memset(o[i], i, 500);
	}
	for (i = 0; i < nr; i++)
		if (i % cache->layout.objects != 3)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	b = books_of(cache);
	KUNIT_EXPECT_GT(test, b.cached_objects, 0);
	KUNIT_EXPECT_EQ(test, b.live_objects, 4);
	KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), b.cached_objects);
	b = books_of(cache);
	KUNIT_EXPECT_EQ(test, b.cached_objects, 0);
	KUNIT_EXPECT_EQ(test, b.slabs_partial, 4);
	KUNIT_EXPECT_EQ(test, b.total_objects - b.live_objects, cache->free_slots);
	myalloc_cache_shrink(cache);
	KUNIT_EXPECT_EQ(test, books_of(cache).slabs, 4);
	FIXTURE_EXPECT_VALID(fx);
	for (i = 3; i < nr; i += cache->layout.objects) {
		KUNIT_EXPECT_NULL(test, memchr_inv(o[i], i, 500));
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	}
	KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(cache), 4u << cache->layout.order);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* A cache with live objects stays and is in use as before; cached ones do not keep it. */
static void slab_destroy_busy(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "busy", 100, 8);
	void *one = alloc_here(cache, 0), *two = alloc_here(cache, 0), *three;

	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), -EBUSY);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "cache busy cannot end: 2 objects are still out (check U records who has them)");
	scnprintf(fx->expected, sizeof(fx->expected), "cache busy: still out: frame %u, slot %u",
		  myalloc_frame_idx(fx->zone, slab_of(cache, one)), slot_of(cache, one));
	KUNIT_EXPECT_EQ(test, fixture_log_count(fx->expected), 1);
	FIXTURE_EXPECT_VALID(fx);
	three = alloc_here(cache, 0);
	KUNIT_EXPECT_NOT_NULL(test, three);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, one), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, two), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, three), 0);
	KUNIT_EXPECT_GT(test, books_of(cache).cached_objects, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->nr_caches, 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* --- wrong frees ------------------------------------------------------------------------ */

#define TWICE	"bad free as object of %s: already free (double free); cache %s, frame %u, slot %u"

/* At once, when it went to a magazine, to its slab, and when the slab went to the zone. */
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
	KUNIT_EXPECT_EQ(test, books_of(mags).bad_frees, 2);
	KUNIT_EXPECT_EQ(test, books_of(none).bad_frees, 1);
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, a), 0);

	/* Freed, handed out again, freed by the new owner and by the old one. */
	again = alloc_here(mags, 0);
	KUNIT_EXPECT_PTR_EQ(test, again, a);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(mags, again), 0);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(mags, a), MYALLOC_BAD_FREE, TWICE, "mags",
			       "mags", frame_a, 0);
	/* A slot that was never out. */
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

/* What is no memory of the zone. */
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
	KUNIT_EXPECT_EQ(test, books_of(cache).bad_frees, 5);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(theirs, object), 0);
}

/* Not where an object begins: every byte of two slots, the padding, the tail of the slab. */
static void slab_bad_place(struct kunit *test)
{
	static const unsigned int flags[] = { 0, MYALLOC_REDZONE, MYALLOC_ZERO_FREE };
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
		/* Behind the last slot nothing begins, not even at a multiple of the slot size. */
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
	KUNIT_EXPECT_EQ(test, books_of(two).bad_frees, 1);
	KUNIT_EXPECT_EQ(test, books_of(one).bad_frees, 1);
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
	/* Filled with what the state of a live object looks like. */
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
			       "bad free as 1 pages: not what it was allocated as; frame %u, order 0, a slab",
			       slab);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 1), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, page), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->bad[MYALLOC_BAD_FREE], 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->bad[MYALLOC_BAD_KIND], 4);
}

/* A slab whose tag names a cache that cannot be: nothing in it is known, or freed. */
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
		KUNIT_EXPECT_EQ(test, fixture_books(fx)->bad[MYALLOC_BAD_FREE], i + 1);
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, object), -EINVAL);
		KUNIT_EXPECT_EQ(test, fixture_books(fx)->bad[MYALLOC_BAD_KIND], i + 1);
	}
	frame->cache = right;
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, object), 0);
}

/* A page that is free, in a magazine or not, has no bytes to be used. */
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
 * Memory that is in no slab and looks like one full of live objects, to caches with and
 * without a fast path: whatever is freed there is refused.
 */
static void slab_bad_lookalike(struct kunit *test)
{
	static const struct {
		unsigned int size;
		unsigned int flags;
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
		KUNIT_EXPECT_EQ(test, books_of(cache).cached_objects, 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
	FIXTURE_EXPECT_VALID(fx);
}

/* --- magazines --------------------------------------------------------------------------- */

/* Of every capacity: hits, refills and flushes as they must be, nothing lost. */
static void slab_magazines(struct kunit *test)
{
	static const unsigned int magazines[] = { 1, 2, 3, 5, 7, 16, 17, 33 };
	struct fixture *fx = large_zone(test);
	void **o = object_array(test);
	struct myalloc_cache_books b;
	unsigned int m;
	u32 i, nr = 300;

	for (m = 0; m < ARRAY_SIZE(magazines); m++) {
		struct myalloc_cache *cache = magazine_cache(fx, "mags", 100, magazines[m]);
		u32 batch = cache->mags.batch;

		KUNIT_EXPECT_EQ(test, batch, min_t(u32, magazines[m], 12));
		for (i = 0; i < nr; i++)
			o[i] = alloc_here(cache, 0);
		b = books_of(cache);
		KUNIT_EXPECT_EQ(test, b.allocs, nr);
		KUNIT_EXPECT_EQ(test, b.live_objects, nr);
		KUNIT_EXPECT_GE(test, b.refills * batch, nr);
		KUNIT_EXPECT_EQ(test, b.alloc_hits, nr);
		KUNIT_EXPECT_EQ(test, b.flushes, 0);
		for (i = 0; i < nr; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		b = books_of(cache);
		KUNIT_EXPECT_EQ(test, b.frees, nr);
		KUNIT_EXPECT_EQ(test, b.free_hits, nr);
		KUNIT_EXPECT_EQ(test, b.live_objects, 0);
		KUNIT_EXPECT_LE(test, b.cached_objects, cache->mags.nr_magazines * magazines[m]);
		FIXTURE_EXPECT_VALID(fx);
		/* Back and forth at one place never leaves the magazines. */
		b = books_of(cache);
		for (i = 0; i < 50; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, alloc_here(cache, 0)), 0);
		KUNIT_EXPECT_EQ(test, books_of(cache).refills, b.refills);
		KUNIT_EXPECT_EQ(test, books_of(cache).flushes, b.flushes);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
}

/* What magazines and depot can hold of large objects is at most a 16th of the zone. */
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

/* Allocated here, freed there, many times over: memory does not grow. */
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
			slabs = books_of(cache).slabs;
		if (round > 1)
			KUNIT_EXPECT_LE(test, books_of(cache).slabs, slabs + MYALLOC_EMPTY_KEEP);
	}
	KUNIT_EXPECT_EQ(test, books_of(cache).live_objects, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* What a CPU that is gone had, and only that. */
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
	here = books_of(cache).cached_objects;
	fixture_on_cpu(1, alloc_there, &job);
	fixture_on_cpu(1, free_there, &job);
	KUNIT_EXPECT_GT(test, books_of(cache).cached_objects, here);
	myalloc_zone_drain_cpu(fx->zone, fixture_cpu(1));
	KUNIT_EXPECT_EQ(test, books_of(cache).cached_objects, here);
	myalloc_cache_drain_cpu(cache, fixture_cpu(0));
	KUNIT_EXPECT_EQ(test, books_of(cache).cached_objects, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* With MAY_WAIT an object takes back pages and slabs that others cache. */
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
	KUNIT_EXPECT_EQ(test, n, 1024 / 8);
	job.nr = 8;
	fixture_on_cpu(1, free_there, &job);
	KUNIT_EXPECT_EQ(test, job.failed, 0);
	KUNIT_EXPECT_EQ(test, books_of(other).cached_objects, 8);
	KUNIT_EXPECT_NULL(test, alloc_here(cache, 0));
	object = alloc_here(cache, MYALLOC_MAY_WAIT);
	KUNIT_EXPECT_NOT_NULL(test, object);
	KUNIT_EXPECT_EQ(test, books_of(other).cached_objects, 0);
	/* One more for the magazine of the cache, and in bulk. */
	KUNIT_EXPECT_EQ(test, myalloc_cache_alloc_bulk(cache, MYALLOC_MAY_WAIT, 9, rest), 7);
	for (i = 0; i < 7; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, rest[i]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(other, n - 8, job.objects + 8), n - 8);
	FIXTURE_EXPECT_VALID(fx);
}

/* In the middle of somebody's work on the magazines, requests go past them. */
static void slab_busy(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "busy", 100, 8);
	void *before = alloc_here(cache, 0), *object, *bulk[3];
	struct myalloc_cache_books b = books_of(cache), after;
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
	after = books_of(cache);
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

/* Interrupted anywhere in alloc and free: nothing is lost and nobody gets the same object. */
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
	KUNIT_EXPECT_EQ(test, books_of(cache).live_objects, 0);
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->corruptions + fx->books.bad_frees, 0);
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

/* The same object freed on two CPUs at the same moment: found when it would go out twice. */
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
	KUNIT_EXPECT_EQ(test, fixture_log_count("cache race: a cached object is not cached"), 1);
	KUNIT_EXPECT_EQ(test, books_of(cache).corruptions, 1);
	KUNIT_EXPECT_EQ(test, books_of(cache).live_objects, 1);
	FIXTURE_EXPECT_VALID(fx);
	other = alloc_here(cache, 0);
	KUNIT_EXPECT_PTR_NE(test, other, again);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, again), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, other), 0);
}

/* A slot in a magazine that is not tagged so is reported and left alone. */
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
			   "cache damaged: a cached object is not cached: freed twice at once?");
	KUNIT_EXPECT_EQ(test, books_of(cache).corruptions, 1);
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->corruptions, 1);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, a), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, b), 0);
}

/* A slab that counts a free slot too many: nothing beside its slots is handed out for it. */
static void slab_counts_too_many(struct kunit *test)
{
	static const unsigned int flags[] = { 0, MYALLOC_RANDOM };
	struct fixture *fx = small_zone(test);
	void **o = object_array(test), *other;
	size_t k;
	u32 i, n;

	for (k = 0; k < ARRAY_SIZE(flags); k++) {
		struct myalloc_cache *cache = fixture_cache(fx, "counts", 112,
							    flags[k] | MYALLOC_NO_MAGAZINE);
		struct myalloc_frame *frame;

		/* The states behind the last slot's, in the same 8, read as free. */
		n = cache->layout.objects;
		KUNIT_ASSERT_NE(test, n % 8, 0);
		for (i = 0; i < n; i++)
			o[i] = alloc_here(cache, 0);
		frame = slab_of(cache, o[0]);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[0]), 0);
		*myalloc_object_state(cache, o[0]) = MYALLOC_SLOT_LIVE;
		other = alloc_here(cache, 0);
		KUNIT_EXPECT_PTR_NE(test, slab_of(cache, other), frame);
		KUNIT_EXPECT_EQ(test, fixture_books(fx)->corruptions, k + 1);
		FIXTURE_EXPECT_VALID(fx);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, other), 0);
		for (i = 0; i < n; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
}

/* --- from NMI, with the lock held ----------------------------------------------------------- */

/* Frees @nr objects as if an NMI came in while this CPU holds the cache's lock. */
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

/* A free is deferred, seen in the books, and taken along two at a time. */
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
	KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, 7);
	KUNIT_EXPECT_EQ(test, books_of(cache).live_objects, 0);
	KUNIT_EXPECT_EQ(test, books_of(cache).frees, 0);
	KUNIT_EXPECT_EQ(test, *myalloc_object_state(cache, o[3]), MYALLOC_SLOT_DEFERRED);
	FIXTURE_EXPECT_VALID(fx);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(cache, o[3]), MYALLOC_BAD_FREE, TWICE, "nmi",
			       "nmi", frame, 3);
	other = alloc_here(cache, 0);
	KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, 5);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, other), 0);
	KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, 3);
	KUNIT_EXPECT_EQ(test, books_of(cache).frees, 5);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), 3);
	KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, 0);
	KUNIT_EXPECT_EQ(test, books_of(cache).frees, 8);
	KUNIT_EXPECT_EQ(test, books_of(cache).corruptions, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static struct myalloc_cache *recovered;
static void *freed_meanwhile;

static void hook_free_in_recovery(const char *where)
{
	unsigned long irq;

	if (strcmp(where, "slab-recovering") || hook_calls++)
		return;
	irq = fixture_nmi_enter();
	myalloc_cache_free(recovered, freed_meanwhile);
	fixture_nmi_exit(irq);
}

/* What is deferred while others are recovered is in the list, and does not come back twice. */
static void slab_nmi_recover(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "recover", 100, MYALLOC_NO_MAGAZINE);
	void *lost = alloc_here(cache, 0);
	bool hooked_here;

	recovered = cache;
	freed_meanwhile = alloc_here(cache, 0);
	free_deferred(test, cache, &lost, 1);
	llist_del_all(&cache->deferred);	/* as after a damaged link */
	hook_calls = 0;
	hooked_here = fixture_set_hook(hook_free_in_recovery);
	KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), 1);
	fixture_set_hook(NULL);
	if (!hooked_here) {	/* in a kernel: the recovery alone */
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, freed_meanwhile), 0);
	} else {
		KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, 1);
		KUNIT_EXPECT_EQ(test, *myalloc_object_state(cache, freed_meanwhile),
				MYALLOC_SLOT_DEFERRED);
		KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), 1);
	}
	KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, 0);
	KUNIT_EXPECT_EQ(test, books_of(cache).corruptions, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* As if the CPU that defers were between its two last steps: all see an object that is free. */
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
	/* Who meets it in the list leaves it there. */
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, other), 0);
	KUNIT_EXPECT_EQ(test, *state, MYALLOC_SLOT_DEFERRING);
	KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, 1);
	KUNIT_EXPECT_EQ(test, books_of(cache).frees, 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), 0);
	KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, 1);
	*state = MYALLOC_SLOT_DEFERRED;
	KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), 1);
	KUNIT_EXPECT_EQ(test, *state, MYALLOC_SLOT_FREE);
	KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, 0);
	KUNIT_EXPECT_EQ(test, books_of(cache).frees, 2);
	KUNIT_EXPECT_EQ(test, books_of(cache).corruptions, 0);
}

/* With magazines: they work under the lock; when they are full, frees are deferred. */
static void slab_nmi_magazines(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "nmi", 100, 4);
	u32 nr = cache->mags.nr_magazines * 4 + 5, i;
	void **o = object_array(test);
	u64 fits = (u64)(cache->mags.nr_magazines - 2 * num_possible_cpus() + 2) * 4;

	for (i = 0; i < nr; i++)
		o[i] = alloc_here(cache, 0);
	myalloc_cache_drain(cache);
	free_deferred(test, cache, o, nr);
	KUNIT_EXPECT_EQ(test, books_of(cache).cached_objects, fits);
	KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, nr - fits);
	FIXTURE_EXPECT_VALID(fx);
	myalloc_cache_drain(cache);
	KUNIT_EXPECT_EQ(test, books_of(cache).cached_objects, 0);
	KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, 0);
	KUNIT_EXPECT_EQ(test, books_of(cache).frees, nr);
}

/* The content is kept where somebody relies on it. */
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
		KUNIT_EXPECT_EQ(test, *(u32 *)o[i], i + 1);

	for (i = 0; i < 3; i++) {
		o[i] = alloc_here(zero, 0);
		memset(o[i], 0x99, 16);
	}
	free_deferred(test, zero, o, 3);
	myalloc_cache_drain(zero);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(o[i], 0, 16));

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
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->corruptions, 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(checked, o[i]), 0);
}

/* A link that was written over is noticed, not followed; the objects behind it come back. */
static void slab_nmi_link_damaged(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	unsigned long wrong[6];
	u32 k, i;

	for (k = 0; k < 2 * ARRAY_SIZE(wrong); k++) {
		u32 clear = k % 2 ? MYALLOC_ZERO_FREE : 0;
		struct myalloc_cache *cache = fixture_cache(fx, "links", 100,
							    MYALLOC_NO_MAGAZINE | clear);
		u64 before = fixture_books(fx)->corruptions;
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
		/* Takes o[5] and o[4] along, and the next one finds the damage. */
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[7]), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[8]), 0);
		if (k / 2 < 5) {
			KUNIT_EXPECT_EQ(test, fixture_books(fx)->corruptions, before + 1);
			KUNIT_EXPECT_EQ(test, books_of(cache).corruptions, 1);
			KUNIT_EXPECT_STREQ(test, fixture_report(fx),
					   "cache links: a freed object was written to: its link is damaged");
		}
		KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, 4);
		myalloc_cache_drain(cache);
		KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, 0);
		KUNIT_EXPECT_EQ(test, books_of(cache).frees, 8);
		for (i = 0; i < 6 && clear; i++)
			KUNIT_EXPECT_NULL(test, memchr_inv(o[i], 0, 100));
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

/* Who held the lock lets go of it, and another CPU drains the cache. */
static void hook_drain(const char *where)
{
	if (strcmp(where, "slab-defer") || hook_calls++)
		return;
	raw_spin_unlock(&hooked->lock);
	fixture_on_cpu(1, drain_hooked, NULL);
	while (!raw_spin_trylock(&hooked->lock))
		;
}

/* A drain in the middle of a deferred free takes nothing that is not in the list yet. */
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
	KUNIT_EXPECT_EQ(test, books_of(cache).corruptions, 0);
	KUNIT_EXPECT_EQ(test, books_of(cache).deferred_objects, 0);
	KUNIT_EXPECT_EQ(test, books_of(cache).frees, 2);
	if (!hook_calls)
		kunit_skip(test, "there is no point slab-defer before the list is touched");
}

static struct fixture *taken_fixture;
static struct myalloc_cache *taken_cache;
static bool took_cache, took_zone;

/* While the slab is made somebody else takes both locks. */
static void take_locks(void *object)
{
	if (!took_cache)
		took_cache = raw_spin_trylock(&taken_cache->lock);
	if (!took_zone)
		took_zone = raw_spin_trylock(&taken_fixture->zone->lock);
}

/* A slab that an NMI has made and cannot give to the cache goes back to the zone, later. */
static void slab_nmi_slab_deferred(struct kunit *test)
{
	const struct myalloc_cache_args args = {
		.name = "slabs", .object_size = 1000, .ctor = take_locks,
		.flags = MYALLOC_NO_MAGAZINE,
	};
	struct fixture *fx = small_zone(test);
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
	KUNIT_EXPECT_EQ(test, books_of(cache).fails, 1);
	KUNIT_EXPECT_EQ(test, books_of(cache).slabs, 0);
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->deferred_pages, 2);
	KUNIT_EXPECT_EQ(test, fx->books.slab_pages, 0);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 2);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	/* They were no page user's. */
	KUNIT_EXPECT_EQ(test, fixture_books(fx)->page_frees[1], 0);
	FIXTURE_EXPECT_VALID(fx);
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

/* Several CPUs and caches: the books agree with the model and with a recount. */
static void slab_random(struct kunit *test)
{
	static const struct {
		unsigned int size;
		unsigned int flags;
	} kinds[CACHES] = {
		{ 24, 0 }, { 100, MYALLOC_RANDOM }, { 700, MYALLOC_ZERO_FREE },
		{ 2000, MYALLOC_CHECKS }, { 9000, MYALLOC_NO_MAGAZINE },
	};
	struct random_work *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	u32 turn, turns = fixture_thorough() ? 150 : 12, i;
	struct myalloc_cache_books b;

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
			b = books_of(w->cache[i]);
			KUNIT_EXPECT_EQ(test, b.live_objects, w->live_of[i]);
			KUNIT_EXPECT_EQ(test, b.allocs - b.frees, b.live_objects);
		}
		FIXTURE_EXPECT_VALID(w->fx);
	}
	while (w->nr)
		work_free(w, 0);
	myalloc_zone_drain(w->fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(w->fx));
	KUNIT_EXPECT_EQ(test, fixture_books(w->fx)->bad_frees + w->fx->books.corruptions, 0);
}

static struct kunit_case slab_cases[] = {
	KUNIT_CASE(slab_args),
	KUNIT_CASE(slab_numbers),
	KUNIT_CASE(slab_no_memory),
	KUNIT_CASE(slab_ops),
	KUNIT_CASE(slab_no_ops),
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
	KUNIT_CASE(slab_bad_twice),
	KUNIT_CASE(slab_bad_foreign),
	KUNIT_CASE(slab_bad_place),
	KUNIT_CASE(slab_bad_cache),
	KUNIT_CASE(slab_bad_kind),
	KUNIT_CASE(slab_bad_tag),
	KUNIT_CASE(slab_usable_cached),
	KUNIT_CASE(slab_bad_lookalike),
	KUNIT_CASE(slab_magazines),
	KUNIT_CASE(slab_depot_share),
	KUNIT_CASE(slab_cross_cpu),
	KUNIT_CASE(slab_drain_cpu),
	KUNIT_CASE(slab_may_wait),
	KUNIT_CASE(slab_busy),
	KUNIT_CASE(slab_interrupted),
	KUNIT_CASE(slab_free_race),
	KUNIT_CASE(slab_cached_damaged),
	KUNIT_CASE(slab_counts_too_many),
	KUNIT_CASE(slab_nmi_free),
	KUNIT_CASE(slab_nmi_recover),
	KUNIT_CASE(slab_nmi_free_half),
	KUNIT_CASE(slab_nmi_magazines),
	KUNIT_CASE(slab_nmi_content),
	KUNIT_CASE(slab_nmi_link_damaged),
	KUNIT_CASE(slab_nmi_free_drained),
	KUNIT_CASE(slab_nmi_slab_deferred),
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
