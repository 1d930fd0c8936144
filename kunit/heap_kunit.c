// SPDX-License-Identifier: GPL-2.0
/* Tests of heaps: sizes and alignments, realloc, wrong frees, cost, destruction. */
#include "env.h"

#include <kunit/test.h>

#include "front/heap.h"
#include "object/limbo.h"
#include "page/extent.h"
#include "slab_fixture.h"

#define CHUNK_ORDER	7U
#define CHUNK_PAGES	BIT(CHUNK_ORDER)
#define LARGEST		((size_t)CHUNK_PAGES << PAGE_SHIFT)

static struct myalloc_heap *heap_of(struct fixture *fx, const char *name,
				    myalloc_cache_flags_t flags)
{
	const struct myalloc_heap_args args = { .name = name, .flags = flags };
	struct myalloc_heap *heap = myalloc_heap_create(fx->zone, &args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, heap);
	return heap;
}

/* Three chunks, the last one partial, and a gap before it: not all of it is one linear range. */
static struct fixture *zone_with_gap(struct kunit *test, myalloc_cache_flags_t checks)
{
	const struct fixture_args args = {
		.nr_pages = 2 * CHUNK_PAGES + 100, .chunk_order = CHUNK_ORDER, .stride = 2,
		.checks = checks,
	};

	return fixture_zone(test, &args);
}

static struct fixture *zone_of(struct kunit *test, myalloc_cache_flags_t checks)
{
	const struct fixture_args args = {
		.nr_pages = 2 * CHUNK_PAGES + 3, .chunk_order = CHUNK_ORDER, .no_magazines = true,
		.checks = checks,
	};

	return fixture_zone(test, &args);
}

/* K1, K2, and that every block is of one kind. */
static void expect_invariants(struct kunit *test, const struct myalloc_heap *heap)
{
	u32 id, class;

	KUNIT_EXPECT_NULL(test, heap->cache[0]);
	for (class = 1; class <= heap->nr_classes; class++) {
		const struct myalloc_cache *cache = heap->cache[class];

		KUNIT_EXPECT_EQ(test, heap->at[cache->id % MYALLOC_HEAP_IDS]->id % MYALLOC_HEAP_IDS,
				cache->id % MYALLOC_HEAP_IDS);
		KUNIT_EXPECT_TRUE(test, myalloc_heap_has(heap, cache));
		KUNIT_EXPECT_EQ(test, cache->layout.object_size, myalloc_heap_class_size(class));
		KUNIT_EXPECT_EQ(test, cache->layout.align,
				min_t(u32, BIT(__ffs(cache->layout.object_size)), PAGE_SIZE));
	}
	for (id = 0; id <= heap->max_small; id++)
		KUNIT_EXPECT_PTR_EQ(test, heap->small[(id + 7) / 8],
				    heap->cache[myalloc_heap_class(id)]);
	for (id = 0; id < MYALLOC_HEAP_IDS; id++)
		KUNIT_EXPECT_TRUE(test, myalloc_heap_has(heap, heap->at[id]));
}

static void expect_end(struct fixture *fx, struct myalloc_heap *heap)
{
	expect_invariants(fx->test, heap);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(fx->test, myalloc_heap_destroy(heap), 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(fx->test, fixture_pristine(fx));
	KUNIT_EXPECT_EQ(fx->test, fx->zone->owners, 0);
}

/* Validation finds a number that leads to the wrong cache, and a cache that is not the class. */
static void heap_validate(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	struct myalloc_cache *cache = heap->cache[3], *foreign = fixture_cache(fx, "f", 24, 0);
	const u32 at = cache->id % MYALLOC_HEAP_IDS, none = MYALLOC_HEAP_IDS - 1;
	char text[80];

	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_PTR_EQ(test, heap->at[none], heap->cache[1]);
	heap->at[at] = heap->cache[2];
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_EQ(test, fx->v.errors, 1);
	scnprintf(text, sizeof(text), "K1: heap h: cache h-24 is not at %u", at);
	KUNIT_EXPECT_STREQ(test, fx->v.first, text);
	heap->at[at] = foreign;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	heap->at[at] = cache;
	heap->at[none] = cache;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	heap->at[none] = heap->cache[1];
	/* A class that validation does not know yet: the heap is being created. */
	heap->nr_classes--;
	FIXTURE_EXPECT_VALID(fx);
	heap->nr_classes = 0;
	FIXTURE_EXPECT_VALID(fx);
	heap->nr_classes = MYALLOC_HEAP_CLASSES;
	cache->layout.object_size = 16;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_STREQ(test, fx->v.first,
			   "K2: heap h: class 3 has 16 bytes, aligned to 8");
	cache->layout.object_size = 24;
	cache->layout.align = 16;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_STREQ(test, fx->v.first,
			   "K2: heap h: class 3 has 24 bytes, aligned to 16");
	cache->layout.align = 8;
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(foreign), 0);
	expect_end(fx, heap);
}

/* --- sizes ------------------------------------------------------------------------------ */

/* Every size has the smallest class that holds it. */
static void heap_classes(struct kunit *test)
{
	u32 class, last = 0, size;

	KUNIT_EXPECT_EQ(test, myalloc_heap_class(0), 1);
	for (size = 1; size <= MYALLOC_MAX_OBJECT; size++) {
		class = myalloc_heap_class(size);
		KUNIT_ASSERT_LE(test, size, myalloc_heap_class_size(class));
		KUNIT_ASSERT_GT(test, size, class > 1 ? myalloc_heap_class_size(class - 1) : 0);
		if (size > 32)	/* at most a quarter above what was asked for */
			KUNIT_ASSERT_LE(test, 4 * myalloc_heap_class_size(class), 5 * size + 3);
		last = class;
	}
	KUNIT_EXPECT_EQ(test, last, MYALLOC_HEAP_CLASSES);
	KUNIT_EXPECT_EQ(test, myalloc_heap_class_size(last), MYALLOC_MAX_OBJECT);
}

/* Unused memory for the sizes 1 to 32768, each once, in 1/10,000, as heap.c states it. */
static void heap_fragmentation(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	u64 asked = 0, objects = 0, slabs = 0, worst = 0, share;
	u32 size;

	KUNIT_ASSERT_EQ(test, heap->nr_classes, MYALLOC_HEAP_CLASSES);
	for (size = 1; size <= MYALLOC_MAX_OBJECT; size++) {
		u32 class = myalloc_heap_class(size), bytes = myalloc_heap_class_size(class);
		const struct myalloc_slab_layout *l = &heap->cache[class]->layout;

		asked += size;
		objects += bytes;
		slabs += (PAGE_SIZE << l->order) / l->objects;
		share = 10000 * (bytes - size) / bytes;
		if (size > 64 && share > worst)
			worst = share;
	}
	KUNIT_EXPECT_EQ(test, 10000 * (objects - asked) / objects, 768);
	KUNIT_EXPECT_EQ(test, worst, 1999);
	/* Including the memory of slabs beside their objects. */
	if (PAGE_SHIFT == 12)
		KUNIT_EXPECT_EQ(test, 10000 * (slabs - asked) / slabs, 1340);
	expect_end(fx, heap);
}

/*
 * The same for sizes that programs have asked for: the 32 most frequent ones of gcc 12 (cc1 -O2 of
 * buddy.c) and of python3.11 (json and regular expressions, with malloc() for its objects), and how
 * often. They are 83 % and 90 % of all requests.
 */
static void heap_recorded(struct kunit *test)
{
	static const struct asked { u32 size, times; } gcc[] = {
		{ 8, 13898 }, { 12, 3134 }, { 16, 35504 }, { 20, 1940 }, { 24, 16530 },
		{ 28, 1565 }, { 32, 7514 }, { 36, 1970 }, { 40, 24629 }, { 44, 2343 },
		{ 48, 12712 }, { 52, 1204 }, { 56, 8042 }, { 64, 5944 }, { 72, 13479 },
		{ 80, 10805 }, { 88, 4998 }, { 96, 1690 }, { 104, 28237 }, { 112, 4736 },
		{ 120, 1598 }, { 136, 5611 }, { 152, 1311 }, { 168, 4658 }, { 192, 1195 },
		{ 200, 4602 }, { 208, 12325 }, { 232, 2462 }, { 248, 2026 }, { 256, 1694 },
		{ 344, 7204 }, { 4064, 3089 },
	}, python[] = {
		{ 8, 878 }, { 16, 2506 }, { 28, 26205 }, { 32, 25564 }, { 34, 14687 },
		{ 35, 4847 }, { 36, 715 }, { 40, 1156 }, { 48, 10322 }, { 50, 14527 },
		{ 51, 9927 }, { 52, 3739 }, { 53, 3763 }, { 54, 2825 }, { 55, 2245 },
		{ 56, 8939 }, { 57, 1608 }, { 58, 843 }, { 59, 1147 }, { 60, 783 },
		{ 61, 660 }, { 64, 9805 }, { 72, 4637 }, { 80, 1202 }, { 104, 617 },
		{ 120, 4516 }, { 128, 1508 }, { 152, 4136 }, { 192, 702 }, { 208, 670 },
		{ 288, 560 }, { 1094, 21007 },
	};
	static const struct {
		const struct asked *asked;
		u32 nr, unused;
	} recorded[] = {
		{ gcc, ARRAY_SIZE(gcc), 434 },
		{ python, ARRAY_SIZE(python), 1243 },
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	u64 all_asked = 0, all_objects = 0;
	u32 i, k;

	for (i = 0; i < ARRAY_SIZE(recorded); i++) {
		u64 asked = 0, objects = 0;

		for (k = 0; k < recorded[i].nr; k++) {
			const struct asked *a = &recorded[i].asked[k];

			asked += (u64)a->times * a->size;
			objects += (u64)a->times * myalloc_heap_good_size(heap, a->size);
		}
		KUNIT_EXPECT_EQ(test, div64_u64(10000 * (objects - asked), objects),
				recorded[i].unused);
		all_asked += asked;
		all_objects += objects;
	}
	/* Under 12 % on average over both programs. */
	KUNIT_EXPECT_LT(test, div64_u64(10000 * (all_objects - all_asked), all_objects), 1200);
	expect_end(fx, heap);
}

/* An unused heap takes no pages, no magazines, and this many bytes. */
static void heap_cost(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	unsigned long live = fixture_live_allocs();
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	u64 bytes = sizeof(*heap);
	u32 class;

	for (class = 1; class <= heap->nr_classes; class++) {
		struct myalloc_cache_stats stats = stats_of(heap->cache[class]);

		KUNIT_EXPECT_EQ(test, stats.magazine, 0);
		KUNIT_EXPECT_EQ(test, stats.slabs, 0);
		bytes += stats.meta_bytes;
	}
	KUNIT_EXPECT_EQ(test, bytes, sizeof(*heap) +
			MYALLOC_HEAP_CLASSES * sizeof(struct myalloc_cache));
	KUNIT_EXPECT_LE(test, sizeof(*heap), 2600);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->free_pages, fx->zone->buddy.nr_frames);
	KUNIT_EXPECT_EQ(test, fx->zone->magazine_meta, 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(heap), 0);
	KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
}

/* The worker gives magazines to the classes that are used, and to no others. */
static void heap_magazines(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	u32 i, class, with = 0;
	void *a, *b;

	for (i = 0; i < 200; i++) {
		a = myalloc_heap_alloc(heap, 100, 0);
		b = myalloc_heap_alloc(heap, 1000, 0);
		KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, a), 0);
		KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, b), 0);
	}
	KUNIT_EXPECT_EQ(test, heap->cache[myalloc_heap_class(100)]->mags.capacity, 0);
	for (i = 0; i < 200; i++) {
		if (i == 100)
			fixture_worker_pass(fx);
		a = myalloc_heap_alloc(heap, 100, 0);
		b = myalloc_heap_alloc(heap, 1000, 0);
		KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, a), 0);
		KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, b), 0);
	}
	fixture_worker_pass(fx);
	for (class = 1; class <= heap->nr_classes; class++)
		with += !!heap->cache[class]->mags.capacity;
	KUNIT_EXPECT_EQ(test, with, 2);
	KUNIT_EXPECT_GT(test, heap->cache[myalloc_heap_class(100)]->mags.capacity, 0);
	KUNIT_EXPECT_GT(test, heap->cache[myalloc_heap_class(1000)]->mags.capacity, 0);
	expect_end(fx, heap);
}

/* Many classes that come into use together all get them in one run. */
static void heap_magazines_many(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	u32 last = myalloc_heap_class(1024), class;
	void *addr;

	KUNIT_ASSERT_EQ(test, last, 24);
	for (class = 1; class <= last; class++) {
		addr = myalloc_heap_alloc(heap, myalloc_heap_class_size(class), 0);
		KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, addr), 0);
	}
	fixture_worker_pass(fx);
	for (class = 1; class <= heap->nr_classes; class++)
		KUNIT_EXPECT_EQ(test, !!heap->cache[class]->mags.capacity, class <= last);
	expect_end(fx, heap);
}

static bool holds(const u8 *addr, size_t size, u8 byte)
{
	return !memchr_inv(addr, byte, size);
}

/* Blocks of every kind of size and alignment have both, and do not overlap. */
static void blocks_of(struct kunit *test, struct fixture *fx, myalloc_cache_flags_t flags)
{
	struct myalloc_heap *heap = heap_of(fx, "h", flags);
	const size_t share = fixture_thorough() ? 11 : 2;
	size_t size, align, good;
	u32 nr = 0;
	u8 *addr;

	for (size = 0; size <= 3 * PAGE_SIZE + MYALLOC_MAX_OBJECT; size += 1 + size / share) {
		for (align = 1; align <= LARGEST; align *= 2) {
			size_t whole = align <= PAGE_SIZE ? ALIGN(size ?: 1, align) : size ?: 1;

			good = myalloc_heap_good_size(heap, whole);
			if (align > PAGE_SIZE)
				good = ALIGN(whole, PAGE_SIZE);
			addr = myalloc_heap_alloc_aligned(heap, size, align,
							  MYALLOC_ZERO | MYALLOC_MAY_WAIT);
			KUNIT_ASSERT_NOT_NULL(test, addr);
			KUNIT_ASSERT_TRUE(test, IS_ALIGNED((unsigned long)addr - fx->zone->map.base,
							   align));
			KUNIT_ASSERT_EQ(test, myalloc_heap_usable_size(heap, addr), good);
			KUNIT_ASSERT_EQ(test, myalloc_usable_size(fx->zone, addr), good);
			KUNIT_ASSERT_TRUE(test, holds(addr, good, 0));
			memset(addr, 0xff, good);
			if (align > PAGE_SIZE || nr++ % 2)
				KUNIT_ASSERT_EQ(test, myalloc_heap_free(heap, addr), 0);
			else
				KUNIT_ASSERT_EQ(test, myalloc_heap_free_sized(heap, addr, whole),
						0);
		}
		addr = myalloc_heap_alloc(heap, size, MYALLOC_MAY_WAIT);
		KUNIT_ASSERT_EQ(test, myalloc_heap_usable_size(heap, addr),
				myalloc_heap_good_size(heap, size));
		KUNIT_ASSERT_EQ(test, nr % 2 ? myalloc_free(fx->zone, addr) :
					       myalloc_heap_free_sized(heap, addr, size), 0);
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_frees, 0);
	expect_end(fx, heap);
}

static void heap_blocks(struct kunit *test)
{
	blocks_of(test, zone_of(test, 0), 0);
	blocks_of(test, zone_with_gap(test, 0), 0);
	blocks_of(test, zone_of(test, 0), MYALLOC_CERTAIN | MYALLOC_RANDOM);
	blocks_of(test, zone_of(test, 0), MYALLOC_TRUSTING);
	blocks_of(test, zone_of(test, 0), MYALLOC_NO_MAGAZINE);
	blocks_of(test, zone_of(test, MYALLOC_CHECKS), 0);
	blocks_of(test, zone_of(test, 0), MYALLOC_REDZONE);
}

/* Fill the zone with blocks of one size, wherever they lie. */
static void heap_all_of_zone(struct kunit *test)
{
	static const size_t sizes[] = { 4096, 3000, 5 * PAGE_SIZE + MYALLOC_MAX_OBJECT };
	struct fixture *fx = zone_with_gap(test, 0);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	void **objects = object_array(test);
	u32 i, nr, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (nr = 0; nr < OBJECTS_MAX; nr++) {
			objects[nr] = myalloc_heap_alloc(heap, sizes[i], 0);
			if (!objects[nr])
				break;
			memset(objects[nr], nr, sizes[i]);
		}
		KUNIT_EXPECT_GT(test, nr, 3);
		for (k = 0; k < nr; k++) {
			KUNIT_ASSERT_TRUE(test, holds(objects[k], sizes[i], k));
			KUNIT_ASSERT_EQ(test, myalloc_heap_free(heap, objects[k]), 0);
		}
		myalloc_zone_drain(fx->zone);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	}
	expect_end(fx, heap);
}

/* Sizes of 0, too large ones, and products that overflow. */
static void heap_limits(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	static const size_t wrong[] = { 0, 3, 24, SIZE_MAX, SIZE_MAX / 2 };
	static const size_t large[] = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1, LARGEST + 1 };
	void *a, *b;
	u32 i;

	a = myalloc_heap_alloc(heap, 0, 0);
	b = myalloc_heap_zalloc(heap, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_PTR_NE(test, a, b);
	KUNIT_EXPECT_EQ(test, myalloc_heap_usable_size(heap, a), 8);
	KUNIT_EXPECT_EQ(test, myalloc_heap_good_size(heap, 0), 8);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, a), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free_sized(heap, b, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, NULL), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free_sized(heap, NULL, 77), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_usable_size(heap, NULL), 0);

	for (i = 0; i < ARRAY_SIZE(large); i++) {
		KUNIT_EXPECT_NULL(test, myalloc_heap_alloc(heap, large[i], 0));
		KUNIT_EXPECT_NULL(test, myalloc_heap_alloc_aligned(heap, large[i], 16, 0));
		KUNIT_EXPECT_NULL(test, myalloc_heap_alloc_aligned(heap, large[i], LARGEST, 0));
		KUNIT_EXPECT_EQ(test, myalloc_heap_good_size(heap, large[i]), 0);
	}
	KUNIT_EXPECT_NULL(test, myalloc_heap_alloc_aligned(heap, 8, 2 * LARGEST, 0));
	KUNIT_EXPECT_NULL(test, myalloc_heap_alloc_aligned(heap, 8, SIZE_MAX / 2 + 1, 0));
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		fixture_log_mark();
		KUNIT_EXPECT_NULL(test, myalloc_heap_alloc_aligned(heap, 8, wrong[i], 0));
		KUNIT_EXPECT_EQ(test, fixture_log_count("heap h: an alignment of"), 1);
	}
	KUNIT_EXPECT_NULL(test, myalloc_heap_alloc(heap, 8, MYALLOC_TOPDOWN));
	KUNIT_EXPECT_NULL(test, myalloc_heap_alloc(heap, LARGEST, MYALLOC_TOPDOWN));
	a = myalloc_heap_alloc(heap, 8, 0);
	KUNIT_EXPECT_NULL(test, myalloc_heap_realloc(heap, a, 8, MYALLOC_LENDABLE));
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, a), 0);

	a = myalloc_heap_alloc(heap, LARGEST, MYALLOC_MAY_WAIT);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_EXPECT_EQ(test, myalloc_heap_usable_size(heap, a), LARGEST);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, a), 0);
	expect_end(fx, heap);
}

static void heap_bulk(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap = heap_of(fx, "h", 0), *other = heap_of(fx, "o", 0);
	void **p = object_array(test), *foreign = myalloc_heap_alloc(other, 8, 0);
	const size_t large = ALIGN(MYALLOC_MAX_OBJECT, PAGE_SIZE) + PAGE_SIZE;
	unsigned int nr;

	KUNIT_EXPECT_EQ(test, myalloc_heap_alloc_bulk(heap, 100, 0, 30, p), 30);
	KUNIT_EXPECT_EQ(test, myalloc_heap_alloc_bulk(heap, 8, MYALLOC_ZERO, 20, p + 30), 20);
	KUNIT_EXPECT_EQ(test, myalloc_heap_alloc_bulk(heap, large, 0, 3, p + 50), 3);
	p[53] = NULL;
	p[54] = foreign;
	KUNIT_EXPECT_EQ(test, myalloc_heap_alloc_bulk(heap, 8, 0, 10, p + 55), 10);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free_bulk(heap, 65, p), 64);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_CACHE], 1);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free_bulk(heap, 0, p), 0);
	/* A bulk request gets as many as there are. */
	nr = myalloc_heap_alloc_bulk(heap, large, 0, OBJECTS_MAX, p);
	KUNIT_EXPECT_GT(test, nr, 4);
	KUNIT_EXPECT_LT(test, nr, OBJECTS_MAX);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free_bulk(heap, nr, p), nr);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(other, foreign), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(other), 0);
	expect_end(fx, heap);
}

/* Statistics of live blocks, their memory, and failed requests. */
static void heap_stats(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap = heap_of(fx, "h", 0), *other = heap_of(fx, "o", 0);
	const size_t large = MYALLOC_MAX_OBJECT + 1;
	const size_t pages = ALIGN(large, PAGE_SIZE);
	void *foreign = myalloc_heap_alloc(other, large, 0);
	struct myalloc_heap_stats s;
	void *p[5];
	u64 meta;
	u32 i;

	myalloc_heap_stats(heap, &s);
	meta = sizeof(*heap) + MYALLOC_HEAP_CLASSES * sizeof(struct myalloc_cache);
	KUNIT_EXPECT_EQ(test, s.id, 1);
	KUNIT_EXPECT_EQ(test, s.classes, MYALLOC_HEAP_CLASSES);
	KUNIT_EXPECT_EQ(test, s.max_object, MYALLOC_MAX_OBJECT);
	KUNIT_EXPECT_EQ(test, s.meta_bytes, meta);
	s.id = 0;
	s.classes = 0;
	s.max_object = 0;
	s.meta_bytes = 0;
	KUNIT_EXPECT_TRUE(test, holds((u8 *)&s, sizeof(s), 0));

	p[0] = myalloc_heap_alloc(heap, 1, 0);
	p[1] = myalloc_heap_alloc(heap, 100, 0);
	p[2] = myalloc_heap_alloc(heap, 112, 0);
	p[3] = myalloc_heap_alloc(heap, large, 0);
	p[4] = myalloc_heap_alloc_aligned(heap, 1, 2 * PAGE_SIZE, 0);
	KUNIT_EXPECT_NULL(test, myalloc_heap_alloc(heap, LARGEST + 1, 0));
	KUNIT_EXPECT_NULL(test, myalloc_heap_alloc_aligned(heap, LARGEST + 1, 8, 0));
	KUNIT_EXPECT_NULL(test, myalloc_heap_alloc_aligned(heap, 1, 2 * LARGEST, 0));
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, p[1] + 8), -EINVAL);
	myalloc_heap_stats(heap, &s);
	KUNIT_EXPECT_EQ(test, s.live_objects, 3);
	KUNIT_EXPECT_EQ(test, s.object_bytes, 8 + 2 * 112);
	KUNIT_EXPECT_EQ(test, s.live_extents, 2);
	KUNIT_EXPECT_EQ(test, s.extent_bytes, pages + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, s.slack_bytes, 7 + 2 * 15 + 2 * (PAGE_SIZE - 1));
	KUNIT_EXPECT_EQ(test, s.held_bytes, s.extent_bytes +
			((u64)fixture_stats(fx)->slab_pages << PAGE_SHIFT));
	KUNIT_EXPECT_EQ(test, s.waste_bytes,
			stats_of(heap->cache[1]).waste_bytes +
			stats_of(heap->cache[myalloc_heap_class(112)]).waste_bytes);
	KUNIT_EXPECT_EQ(test, s.cached_bytes, 0);
	KUNIT_EXPECT_EQ(test, s.allocs, 5);
	KUNIT_EXPECT_EQ(test, s.frees, 0);
	KUNIT_EXPECT_EQ(test, s.fails, 3);
	KUNIT_EXPECT_EQ(test, s.bad_frees, 1);
	KUNIT_EXPECT_EQ(test, s.corruptions, 0);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, p[i]), 0);
	myalloc_heap_stats(heap, &s);
	KUNIT_EXPECT_EQ(test, s.live_objects + s.live_extents + s.slack_bytes, 0);
	KUNIT_EXPECT_EQ(test, s.frees, 5);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(other, foreign), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(other), 0);
	expect_end(fx, heap);
}

/* Statistics of the magazines. */
static void heap_stats_magazines(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	struct myalloc_heap_stats s;
	struct myalloc_cache *class;
	u32 i;

	for (i = 0; i < 400; i++) {
		if (!(i % 100))
			fixture_worker_pass(fx);
		KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, myalloc_heap_alloc(heap, 100, 0)),
				0);
	}
	myalloc_heap_stats(heap, &s);
	KUNIT_EXPECT_EQ(test, s.allocs, 400);
	KUNIT_EXPECT_EQ(test, s.frees, 400);
	class = heap->cache[myalloc_heap_class(112)];
	KUNIT_EXPECT_GT(test, stats_of(class).refills, 0);
	KUNIT_EXPECT_GT(test, s.alloc_hits, 0);
	KUNIT_EXPECT_EQ(test, s.alloc_hits + stats_of(class).refills,
			myalloc_magazines_passed(&class->mags).takes);
	KUNIT_EXPECT_GT(test, s.free_hits, 0);
	KUNIT_EXPECT_EQ(test, s.cached_bytes, 112 * stats_of(class).cached_objects);
	KUNIT_EXPECT_GT(test, s.cached_bytes, 0);
	expect_end(fx, heap);
}

/* --- realloc ------------------------------------------------------------------------------ */

/*
 * A block with an alignment above a page is whole pages, even if its size has a class. After a
 * realloc it is freed by its size like any other.
 */
static void heap_realloc_aligned(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	u32 tried = 0;
	size_t size;

	for (size = PAGE_SIZE; size <= 8 * PAGE_SIZE; size += PAGE_SIZE) {
		u8 *addr = myalloc_heap_alloc_aligned(heap, size, 2 * PAGE_SIZE, 0);

		KUNIT_ASSERT_NOT_NULL(test, addr);
		memset(addr, 0x31, size);
		if (myalloc_heap_good_size(heap, size - 1) == size)
			tried++;
		addr = myalloc_heap_realloc(heap, addr, size - 1, 0);
		KUNIT_ASSERT_NOT_NULL(test, addr);
		KUNIT_EXPECT_NULL(test, memchr_inv(addr, 0x31, size - 1));
		KUNIT_EXPECT_EQ_MSG(test, myalloc_heap_free_sized(heap, addr, size - 1), 0,
				    "%zu bytes", size);
	}
	KUNIT_EXPECT_GT(test, tried, 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(heap), 0);
}

/* From every size to every other: common content is kept, and a block that suits does not move. */
static void realloc_all(struct kunit *test, myalloc_cache_flags_t checks)
{
	static const size_t sizes[] = {
		0, 1, 8, 9, 100, 112, 113, 3000, 4096, 32768, 32769, 36864, 36865,
		9 * PAGE_SIZE + 1, 20 * PAGE_SIZE, LARGEST,
	};
	struct fixture *fx = zone_of(test, checks);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	size_t i, j, both;
	u8 *from, *to;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			size_t old = myalloc_heap_good_size(heap, sizes[i]);
			size_t new = myalloc_heap_good_size(heap, sizes[j]);

			from = myalloc_heap_realloc(heap, NULL, sizes[i], 0);
			KUNIT_ASSERT_NOT_NULL(test, from);
			memset(from, 0x17, old);
			to = myalloc_heap_realloc(heap, from, sizes[j], MYALLOC_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, to);
			if (old == new)
				KUNIT_EXPECT_PTR_EQ(test, from, to);
			both = min(old, sizes[j]);
			KUNIT_ASSERT_TRUE(test, holds(to, both, 0x17));
			if (new > old)
				KUNIT_ASSERT_TRUE(test, holds(to + old, new - old, 0));
			KUNIT_ASSERT_EQ(test, myalloc_heap_usable_size(heap, to), new);
			memset(to, 0xff, new);
			KUNIT_ASSERT_EQ(test, myalloc_heap_free_sized(heap, to, sizes[j]), 0);
		}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_frees, 0);
	KUNIT_EXPECT_EQ(test, fx->stats.corruptions, 0);
	expect_end(fx, heap);
}

static void heap_realloc(struct kunit *test)
{
	realloc_all(test, 0);
	realloc_all(test, MYALLOC_CHECKS);
}

/* Pages grow in place if the pages behind them are free, and shrink in place. */
static void heap_realloc_pages(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	const u32 most = max(8, (int)(MYALLOC_MAX_OBJECT / PAGE_SIZE));
	u32 free = fx->zone->buddy.nr_frames, step = fixture_thorough() ? 1 : 5, nr, to;
	u8 *addr, *behind;

	for (nr = most + 1; nr <= most + 40; nr += step)
		for (to = most + 1; to <= most + 40; to += step) {
			addr = myalloc_heap_alloc(heap, (size_t)nr << PAGE_SHIFT, 0);
			memset(addr, 0x17, (size_t)nr << PAGE_SHIFT);
			KUNIT_ASSERT_PTR_EQ(test, addr,
					    myalloc_heap_realloc(heap, addr,
								 (size_t)to << PAGE_SHIFT, 0));
			KUNIT_ASSERT_TRUE(test, holds(addr, (size_t)min(nr, to) << PAGE_SHIFT,
						      0x17));
			KUNIT_ASSERT_EQ(test, fixture_stats(fx)->free_pages, free - to);
			KUNIT_ASSERT_EQ(test, fx->stats.page_pages, to);
			FIXTURE_EXPECT_VALID(fx);
			KUNIT_ASSERT_EQ(test, myalloc_heap_free(heap, addr), 0);
		}
	/* Another user's page is in the way and there is no room elsewhere: nothing changes. */
	addr = myalloc_heap_alloc(heap, LARGEST / 2, 0);
	memset(addr, 0x17, LARGEST / 2);
	behind = addr + LARGEST / 2 + 3 * PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_range(fx->zone, behind, 1, 0), 0);
	KUNIT_ASSERT_PTR_EQ(test, addr, myalloc_heap_realloc(heap, addr, LARGEST / 2 +
							     3 * PAGE_SIZE, 0));
	KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_range(fx->zone, addr + LARGEST, 1, 0), 0);
	fixture_note(fx);
	KUNIT_EXPECT_NULL(test, myalloc_heap_realloc(heap, addr, LARGEST, 0));
	KUNIT_EXPECT_NULL(test, myalloc_heap_realloc(heap, addr, LARGEST + 1, 0));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, LARGEST / 2 / PAGE_SIZE + 5);
	KUNIT_EXPECT_TRUE(test, holds(addr, LARGEST / 2, 0x17));
	FIXTURE_EXPECT_VALID(fx);
	/* With room elsewhere the block moves. */
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr + LARGEST, 1), 0);
	behind = myalloc_heap_realloc(heap, addr, LARGEST, 0);
	KUNIT_ASSERT_NOT_NULL(test, behind);
	KUNIT_EXPECT_PTR_NE(test, behind, addr);
	KUNIT_EXPECT_TRUE(test, holds(behind, LARGEST / 2, 0x17));
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, behind), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr + LARGEST / 2 + 3 * PAGE_SIZE), 0);
	expect_end(fx, heap);
}

/* In place, a shrink poisons the pages that it frees; a grow checks the poison of those it adds. */
static void heap_realloc_poison(struct kunit *test)
{
	struct fixture *fx = zone_of(test, MYALLOC_POISON);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	size_t less = MYALLOC_MAX_OBJECT + PAGE_SIZE, more = less + 3 * PAGE_SIZE;
	u8 *addr = myalloc_heap_alloc(heap, more, 0);

	memset(addr, 0x17, more);
	KUNIT_EXPECT_PTR_EQ(test, myalloc_heap_realloc(heap, addr, less, 0), addr);
	less = ALIGN(less, PAGE_SIZE);
	more = ALIGN(more, PAGE_SIZE);
	KUNIT_EXPECT_NULL(test, myalloc_env_raw_memchr_inv(addr + less, MYALLOC_POISON_FREE,
							   more - less));
	KUNIT_EXPECT_EQ(test, myalloc_env_is_poisoned(addr + less), MYALLOC_ENV_SHADOW);
	KUNIT_EXPECT_EQ(test, myalloc_env_is_poisoned(addr + more - 1), MYALLOC_ENV_SHADOW);
	myalloc_env_raw_memset(addr + less + 5, 1, 1);
	KUNIT_EXPECT_PTR_EQ(test, myalloc_heap_realloc(heap, addr, more, 0), addr);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, addr), 0);
	expect_end(fx, heap);
}

/* Nothing grows in an NMI that interrupted the lock's holder, or if metadata is damaged. */
static void heap_realloc_refused(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	const u32 nr = MYALLOC_MAX_OBJECT / PAGE_SIZE + 7;
	void *addr = myalloc_heap_alloc(heap, (size_t)nr << PAGE_SHIFT, 0), *got;
	u32 idx = myalloc_frame_idx(fx->zone, myalloc_map_frame(&fx->zone->map, addr)), last;
	unsigned long lock_irq, irq;
	char text[80];
	u64 *head;
	u32 right;

	last = idx + nr - 1;
	fixture_note(fx);
	raw_spin_lock_irqsave(&fx->zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	got = myalloc_heap_realloc(heap, addr, (size_t)(nr + 1) << PAGE_SHIFT, 0);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&fx->zone->lock, lock_irq);
	KUNIT_EXPECT_NULL(test, got);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nmi_fails, 1);
	FIXTURE_EXPECT_VALID(fx);

	right = fx->zone->frames[last].tag;
	KUNIT_ASSERT_EQ(test, right, myalloc_frame_tag(MYALLOC_FRAME_PIECE, 0, 0));
	fx->zone->frames[last].tag = 0;
	KUNIT_EXPECT_FALSE(test, myalloc_extent_resize(fx->zone, addr, nr, nr + 1, 0, heap->owner,
						       0));
	fx->zone->frames[last].tag = right;
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	head = &fx->zone->buddy.head[last / 64];
	*head &= ~BIT_ULL(last % 64);
	KUNIT_EXPECT_FALSE(test, myalloc_extent_resize(fx->zone, addr, nr, nr + 1, 0, heap->owner,
						       0));
	*head |= BIT_ULL(last % 64);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 2);
	/* No owner, a wrong length, an address outside the zone. */
	KUNIT_EXPECT_FALSE(test, myalloc_extent_resize(fx->zone, addr, nr, nr + 1, 0, 0, 0));
	KUNIT_EXPECT_FALSE(test, myalloc_extent_resize(fx->zone, addr, nr + 1, nr, 0, heap->owner,
						       0));
	KUNIT_EXPECT_FALSE(test, myalloc_extent_resize(fx->zone, addr + 1, nr, nr + 1, 0,
						       heap->owner, 0));
	KUNIT_EXPECT_FALSE(test, myalloc_extent_resize(fx->zone, NULL, nr, nr + 1, 0, heap->owner,
						       0));
	FIXTURE_EXPECT_VALID(fx);
	/* Validation checks the owners of extents. */
	fx->zone->owners = 0;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	scnprintf(text, sizeof(text), "E1: frame %u: an extent of owner %u, which does not exist",
		  idx, heap->owner);
	KUNIT_EXPECT_STREQ(test, fx->v.first, text);
	fx->zone->owners = BIT_ULL(heap->owner);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, addr), 0);
	expect_end(fx, heap);
}

/* --- wrong frees ----------------------------------------------------------------------------- */

#define REFUSED(fx, call, bad)							\
	do {									\
		struct fixture *__fx = fixture_note(fx);			\
										\
		refused(__fx, __LINE__, call, bad);				\
	} while (0)

static void refused(struct fixture *fx, int line, int err, enum myalloc_bad bad)
{
	KUNIT_EXPECT_EQ_MSG(fx->test, err, -EINVAL, "line %d", line);
	fx->noted.bad[bad]++;
	fx->noted.bad_frees++;
	KUNIT_EXPECT_EQ_MSG(fx->test, fixture_stats(fx)->bad[bad], fx->noted.bad[bad],
			    "line %d: not counted as \"%s\": %s", line, myalloc_bad_name(bad),
			    fixture_report(fx));
	KUNIT_EXPECT_TRUE_MSG(fx->test, fixture_unchanged(fx), "line %d: something changed", line);
}

/* Frees of memory that does not belong to the heap are refused and reported, and change nothing. */
static void heap_wrong_frees(struct kunit *test)
{
	struct fixture *fx = zone_with_gap(test, 0);
	struct myalloc_heap *heap = heap_of(fx, "web", 0), *other = heap_of(fx, "other", 0);
	struct myalloc_cache *cache = fixture_cache(fx, "c", 64, 0);
	void *object = myalloc_cache_alloc(cache, 0), *block = myalloc_pages_alloc(fx->zone, 2, 0);
	const size_t large = ALIGN(MYALLOC_MAX_OBJECT, PAGE_SIZE) + PAGE_SIZE;
	void *exact = myalloc_pages_alloc_exact(fx->zone, large / PAGE_SIZE, 0, 0);
	void *theirs = myalloc_heap_alloc(other, 64, 0);
	void *pages = myalloc_heap_alloc(other, large, 0);
	void *mine = myalloc_heap_alloc(heap, 64, 0);
	void *more = myalloc_heap_alloc(heap, large, 0);
	u32 nr = large / PAGE_SIZE;

	REFUSED(fx, myalloc_heap_free(heap, &nr), MYALLOC_BAD_FOREIGN);
	REFUSED(fx, myalloc_heap_free(heap, (void *)8), MYALLOC_BAD_FOREIGN);
	REFUSED(fx, myalloc_heap_free(heap, object), MYALLOC_BAD_CACHE);
	KUNIT_EXPECT_EQ(test, fixture_log_count("memory of heap web: an object of another cache"),
			1);
	REFUSED(fx, myalloc_heap_free(heap, theirs), MYALLOC_BAD_CACHE);
	REFUSED(fx, myalloc_heap_free(heap, block), MYALLOC_BAD_KIND);
	KUNIT_EXPECT_EQ(test, fixture_log_count("memory of heap web: not what it was allocated"),
			1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, block, 2), 0);
	REFUSED(fx, myalloc_heap_free(heap, exact), MYALLOC_BAD_KIND);
	REFUSED(fx, myalloc_heap_free(heap, pages), MYALLOC_BAD_KIND);
	REFUSED(fx, myalloc_heap_free(heap, mine + 8), MYALLOC_BAD_INTERIOR);
	REFUSED(fx, myalloc_heap_free(heap, more + 8), MYALLOC_BAD_MISALIGNED);
	REFUSED(fx, myalloc_heap_free(heap, more + PAGE_SIZE), MYALLOC_BAD_INTERIOR);
	/* Far from where a block begins. */
	block = myalloc_heap_alloc(heap, LARGEST, 0);
	KUNIT_ASSERT_NOT_NULL(test, block);
	REFUSED(fx, myalloc_heap_free(heap, block + 80 * PAGE_SIZE), MYALLOC_BAD_INTERIOR);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, block), 0);
	block = myalloc_pages_alloc(fx->zone, 2, 0);
	/* A wrong size. */
	REFUSED(fx, myalloc_heap_free_sized(heap, mine, 65), MYALLOC_BAD_CACHE);
	REFUSED(fx, myalloc_heap_free_sized(heap, more, large + 1), MYALLOC_BAD_LENGTH);
	REFUSED(fx, myalloc_heap_free_sized(heap, more, SIZE_MAX), MYALLOC_BAD_LENGTH);
	REFUSED(fx, myalloc_heap_free_sized(heap, more, 64), MYALLOC_BAD_KIND);
	REFUSED(fx, myalloc_heap_free_sized(heap, mine, large), MYALLOC_BAD_KIND);
	REFUSED(fx, myalloc_heap_free_sized(heap, exact, large), MYALLOC_BAD_KIND);
	/* By the right kind of call, of a cache or zone that does not own it. */
	REFUSED(fx, myalloc_pages_free_exact(fx->zone, more, nr), MYALLOC_BAD_KIND);
	REFUSED(fx, myalloc_cache_free(cache, mine), MYALLOC_BAD_CACHE);
	/* A realloc reports what a free would. */
	KUNIT_EXPECT_NULL(test, myalloc_heap_realloc(heap, theirs, 8, 0));
	KUNIT_EXPECT_NULL(test, myalloc_heap_realloc(heap, pages, 8, 0));
	KUNIT_EXPECT_NULL(test, myalloc_heap_realloc(heap, mine + 8, 8, 0));
	KUNIT_EXPECT_NULL(test, myalloc_heap_realloc(heap, more + 8, 8, 0));
	KUNIT_EXPECT_EQ(test, myalloc_heap_usable_size(heap, theirs), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_usable_size(heap, mine + 8), 0);
	/* Twice, also after its slab or extent is gone. */
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, mine), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, more), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_usable_size(heap, mine), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_usable_size(heap, more), 0);
	KUNIT_EXPECT_NULL(test, myalloc_heap_realloc(heap, mine, 8, 0));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_FREE], 1);
	REFUSED(fx, myalloc_heap_free(heap, mine), MYALLOC_BAD_FREE);
	REFUSED(fx, myalloc_heap_free(heap, more), MYALLOC_BAD_FREE);
	myalloc_zone_drain(fx->zone);
	REFUSED(fx, myalloc_heap_free(heap, more), MYALLOC_BAD_FREE);

	KUNIT_EXPECT_EQ(test, myalloc_heap_free(other, theirs), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, pages), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, block, 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, exact, nr), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(other), 0);
	expect_end(fx, heap);
}

/* A slab in limbo still belongs to the heap; frees of its objects are refused. */
static void heap_limbo(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap = heap_of(fx, "h", MYALLOC_NO_MAGAZINE);
	struct myalloc_cache *cache = heap->cache[myalloc_heap_class(1000)];
	void *p = myalloc_heap_alloc(heap, 1000, 0);

	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, p), 0);
	myalloc_cache_trim(cache, 0);
	KUNIT_EXPECT_EQ(test, cache->nr_limbo, 1);
	REFUSED(fx, myalloc_heap_free(heap, p), MYALLOC_BAD_FREE);
	KUNIT_EXPECT_EQ(test, myalloc_heap_usable_size(heap, p), 0);
	KUNIT_EXPECT_NULL(test, myalloc_heap_realloc(heap, p, 1000, 0));
	expect_end(fx, heap);
}

static noinline __noclone void *get_here(struct myalloc_heap *heap, size_t size)
{
	void *addr = myalloc_heap_alloc(heap, size, 0);

	barrier();
	return addr;
}

static noinline __noclone int free_here(struct myalloc_heap *heap, void *addr)
{
	int err = myalloc_heap_free(heap, addr);

	barrier();
	return err;
}

/* The owner of memory is the caller of the heap's function. */
static void heap_callers(struct kunit *test)
{
	struct fixture *fx = zone_of(test, MYALLOC_OWNER);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	void *pages = get_here(heap, MYALLOC_MAX_OBJECT + 1);
	void *object = get_here(heap, 100), *slab;
	struct myalloc_cache *cache = heap->cache[myalloc_heap_class(100)];
	u32 index = myalloc_slab_locate(cache, object, &slab);

	KUNIT_EXPECT_TRUE(test, fixture_called_by(myalloc_map_frame(&fx->zone->map, pages)->caller,
						  get_here));
	KUNIT_EXPECT_TRUE(test, fixture_called_by(myalloc_track(cache, slab, index,
								MYALLOC_TRACK_ALLOC)->caller,
						  get_here));
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, pages), 0);
	KUNIT_EXPECT_EQ(test, free_here(heap, object), 0);
	KUNIT_EXPECT_TRUE(test, fixture_called_by(myalloc_track(cache, slab, index,
								MYALLOC_TRACK_FREE)->caller,
						  free_here));
	expect_end(fx, heap);
}

/* --- create and destroy ---------------------------------------------------------------------- */

static void heap_args(struct kunit *test)
{
	static const struct {
		struct myalloc_heap_args args;
		const char *text;
	} cases[] = {
		{ { .name = NULL }, "the name of a new heap must have 1 to 25" },
		{ { .name = "" }, "the name of a new heap" },
		{ { .name = "a/b" }, "the name of a new heap" },
		{ { .name = "26-characters-are-too-many" }, "the name of a new heap" },
		{ { .name = "a", .flags = MYALLOC_ZERO_FREE }, "heap a: unknown flags 0x200" },
		{ { .name = "a", .flags = MYALLOC_CERTAIN | MYALLOC_TRUSTING },
		  "cache a-8: certain and trusting exclude each other" },
	};
	const struct myalloc_heap_args again = { .name = "25-characters-just-fit-it" };
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap;
	unsigned long live;
	u32 i, owner;

	heap = heap_of(fx, again.name, 0);
	live = fixture_live_allocs();
	KUNIT_EXPECT_STREQ(test, heap->cache[MYALLOC_HEAP_CLASSES]->name,
			   "25-characters-just-fit-it-32768");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fixture_log_mark();
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(myalloc_heap_create(fx->zone, &cases[i].args)),
				    -EINVAL, "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, fixture_log_count(cases[i].text), 1, "case %u", i);
		KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
	}
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_heap_create(fx->zone, &again)), -EEXIST);
	KUNIT_EXPECT_EQ(test, fixture_log_count("the name is already used by another heap"), 1);
	/* The name of a class is in use: the caches made before it are destroyed. */
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(heap), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(NULL), 0);
	fixture_cache(fx, "25-characters-just-fit-it-40", 8, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_heap_create(fx->zone, &again)), -EEXIST);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nr_caches, 1);
	KUNIT_EXPECT_EQ(test, fx->zone->owners, 0);
	/* No number is left. */
	for (owner = 1; owner < MYALLOC_OWNERS_KINDS; owner++)
		KUNIT_EXPECT_EQ(test, myalloc_owner_add(fx->zone), owner);
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_heap_create(fx->zone, &again)), -ENOSPC);
	KUNIT_EXPECT_EQ(test, fixture_log_count("there are 61 heaps and clients already"), 1);
	for (owner = 1; owner < MYALLOC_OWNERS_KINDS; owner++)
		myalloc_owner_remove(fx->zone, owner);
	KUNIT_EXPECT_EQ(test, fx->zone->owners, 0);
}

/*
 * The numbers of a heap's caches lie so far apart that two share a place in its table. Frees still
 * find the right cache, and wrong ones are refused.
 */
static void heap_same_place(struct kunit *test)
{
	enum { FIRST = 20 };
	/* Leaves the numbers from 1 to FIRST free, and those from MYALLOC_HEAP_IDS + 1 on. */
	const u32 between = MYALLOC_HEAP_IDS - FIRST - 2 * MYALLOC_HEAP_CLASSES;
	struct myalloc_cache *first[FIRST], *more[MYALLOC_HEAP_IDS];
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap, *one, *two;
	void *p[2 * MYALLOC_HEAP_CLASSES];
	char name[16];
	u32 i, class;

	for (i = 0; i < FIRST; i++) {
		scnprintf(name, sizeof(name), "first-%u", i);
		first[i] = fixture_cache(fx, name, 64, 0);
	}
	one = heap_of(fx, "one", 0);
	two = heap_of(fx, "two", 0);
	for (i = 0; i < between; i++) {
		scnprintf(name, sizeof(name), "more-%u", i);
		more[i] = fixture_cache(fx, name, 64, 0);
	}
	for (i = 0; i < FIRST; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(first[i]), 0);
	heap = heap_of(fx, "h", 0);
	KUNIT_EXPECT_EQ(test, heap->cache[1]->id, 1);
	KUNIT_EXPECT_EQ(test, heap->cache[FIRST + 1]->id, MYALLOC_HEAP_IDS + 1);
	expect_invariants(test, heap);
	FIXTURE_EXPECT_VALID(fx);

	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = myalloc_heap_alloc(heap, myalloc_heap_class_size(i / 2 + 1), 0);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	for (class = 1; class <= MYALLOC_HEAP_CLASSES; class++) {
		i = 2 * (class - 1);
		KUNIT_EXPECT_EQ(test, myalloc_heap_usable_size(heap, p[i]),
				myalloc_heap_class_size(class));
		REFUSED(fx, myalloc_heap_free(heap, p[i] + 4), MYALLOC_BAD_INTERIOR);
		REFUSED(fx, myalloc_heap_free(one, p[i]), MYALLOC_BAD_CACHE);
		KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, p[i]), 0);
		REFUSED(fx, myalloc_heap_free(heap, p[i]), MYALLOC_BAD_FREE);
		p[class - 1] = p[i + 1];
	}
	KUNIT_EXPECT_EQ(test, myalloc_heap_free_bulk(heap, MYALLOC_HEAP_CLASSES, p),
			MYALLOC_HEAP_CLASSES);
	/* Caches of the other heap whose numbers share these places. */
	p[0] = myalloc_heap_alloc(two, 64, 0);
	REFUSED(fx, myalloc_heap_free(heap, p[0]), MYALLOC_BAD_CACHE);
	KUNIT_EXPECT_EQ(test, myalloc_heap_usable_size(heap, p[0]), 0);
	/* As if its cache were being destroyed. */
	fx->zone->cache_by_id[two->cache[8]->id] = NULL;
	KUNIT_EXPECT_EQ(test, myalloc_heap_usable_size(heap, p[0]), 0);
	fx->zone->cache_by_id[two->cache[8]->id] = two->cache[8];
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(two, p[0]), 0);

	for (i = 0; i < between; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(more[i]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(one), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(two), 0);
	expect_end(fx, heap);
}

/* As many heaps as the numbers of caches allow. */
static void heap_many(struct kunit *test)
{
	const u32 most = (MYALLOC_CACHES_MAX - 1) / MYALLOC_HEAP_CLASSES;
	struct myalloc_heap *heaps[(MYALLOC_CACHES_MAX - 1) / MYALLOC_HEAP_CLASSES];
	const struct myalloc_heap_args args = { .name = "more" };
	struct fixture *fx = zone_of(test, 0);
	char name[16];
	u32 i;

	for (i = 0; i < most; i++) {
		scnprintf(name, sizeof(name), "h%u", i);
		heaps[i] = heap_of(fx, name, 0);
	}
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_heap_create(fx->zone, &args)), -ENOSPC);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nr_caches, most * MYALLOC_HEAP_CLASSES);
	for (i = 0; i < most; i++) {
		expect_invariants(test, heaps[i]);
		KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(heaps[i]), 0);
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nr_caches, 0);
}

/* Chunks of a page: fewer classes, and the largest block is a page. */
static void heap_small_chunks(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 128, .chunk_order = 0 };
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_heap *heap = heap_of(fx, "h", 0);
	size_t size;
	void *p;

	if (PAGE_SHIFT == 12)
		KUNIT_EXPECT_EQ(test, heap->max_object, 3584);
	for (size = 1; size <= PAGE_SIZE; size += 1 + size / 13) {
		p = myalloc_heap_zalloc(heap, size, 0);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, p), 0);
	}
	KUNIT_EXPECT_NULL(test, myalloc_heap_alloc(heap, PAGE_SIZE + 1, 0));
	p = myalloc_heap_alloc_aligned(heap, 1, PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_usable_size(heap, p), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, p), 0);
	expect_end(fx, heap);
}

/* A heap with live memory is not destroyed, reports the memory, and remains usable. */
static void heap_busy(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap = heap_of(fx, "h", 0), *other = heap_of(fx, "o", 0);
	const size_t large = MYALLOC_MAX_OBJECT + 1;
	const u32 nr = DIV_ROUND_UP(large, PAGE_SIZE);
	void *theirs = myalloc_heap_alloc(other, large, 0);
	void *object = myalloc_heap_alloc(heap, 100, 0), *pages, *more;
	char expected[128];
	u32 i;

	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(heap), -EBUSY);
	KUNIT_EXPECT_EQ(test, fixture_log_count("cache h-112 cannot be destroyed: 1 object is"), 1);
	KUNIT_EXPECT_EQ(test, fixture_log_count("blocks of"), 0);
	pages = myalloc_heap_alloc(heap, large, 0);
	more = myalloc_heap_alloc(heap, large, 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(heap), -EBUSY);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, object), 0);
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(heap), -EBUSY);
	scnprintf(expected, sizeof(expected),
		  "heap h cannot be destroyed: 2 blocks of %u pages are still allocated", 2 * nr);
	KUNIT_EXPECT_EQ(test, fixture_log_count(expected), 1);
	/* Nor if no entry for a report is free. */
	for (i = 0; i < MYALLOC_REPORTS; i++)
		fx->zone->reports.report[i].state = MYALLOC_REPORT_PRINTING;
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(heap), -EBUSY);
	for (i = 0; i < MYALLOC_REPORTS; i++)
		fx->zone->reports.report[i].state = MYALLOC_REPORT_FREE;
	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	object = myalloc_heap_alloc(heap, 100, 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free_bulk(heap, 2, (void *[]){ pages, more }), 2);
	KUNIT_EXPECT_EQ(test, myalloc_heap_free(other, theirs), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(other), 0);
	expect_end(fx, heap);
}

/* Allocate each size from one heap and then from another, in random order. */
static void heap_random(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_heap *heap[2] = { heap_of(fx, "h0", 0), heap_of(fx, "h1", 0) };
	struct { u8 *addr; size_t size; u32 of; u8 byte; } *b;
	const u32 nr = 64;
	struct myalloc_random random;
	u32 i, n;

	fixture_random(test, &random);
	b = kunit_kcalloc(test, nr, sizeof(*b), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b);
	for (n = 0; n < (fixture_thorough() ? 20000 : 5000); n++) {
		u32 limit = 1u << myalloc_random_below(&random, 18);
		size_t size = myalloc_random_below(&random, limit);
		u8 *addr;

		i = myalloc_random_below(&random, nr);
		if (b[i].addr)
			KUNIT_ASSERT_TRUE(test, holds(b[i].addr, b[i].size, b[i].byte));
		switch (myalloc_random_below(&random, 4)) {
		case 0:
			KUNIT_ASSERT_EQ(test, myalloc_heap_free(heap[b[i].of], b[i].addr), 0);
			b[i].addr = NULL;
			break;
		case 1:
			KUNIT_ASSERT_EQ(test, myalloc_heap_free_sized(heap[b[i].of], b[i].addr,
								      b[i].size), 0);
			b[i].addr = NULL;
			break;
		default:
			if (!b[i].addr)
				b[i].of = n % 2;
			addr = myalloc_heap_realloc(heap[b[i].of], b[i].addr, size, 0);
			if (!addr)
				break;
			if (b[i].addr)
				KUNIT_ASSERT_TRUE(test, holds(addr, min(size, b[i].size),
							      b[i].byte));
			b[i].addr = addr;
			b[i].size = size;
			b[i].byte = n;
			memset(addr, b[i].byte, size);
		}
		if (!(n % 1000))
			FIXTURE_EXPECT_VALID(fx);
	}
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap[b[i].of], b[i].addr), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_frees, 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(heap[1]), 0);
	expect_end(fx, heap[0]);
}

static struct kunit_case heap_cases[] = {
	KUNIT_CASE(heap_validate),
	KUNIT_CASE(heap_classes),
	KUNIT_CASE(heap_fragmentation),
	KUNIT_CASE(heap_recorded),
	KUNIT_CASE(heap_cost),
	KUNIT_CASE(heap_magazines),
	KUNIT_CASE(heap_magazines_many),
	KUNIT_CASE(heap_blocks),
	KUNIT_CASE(heap_all_of_zone),
	KUNIT_CASE(heap_limits),
	KUNIT_CASE(heap_bulk),
	KUNIT_CASE(heap_stats),
	KUNIT_CASE(heap_stats_magazines),
	KUNIT_CASE(heap_realloc),
	KUNIT_CASE(heap_realloc_aligned),
	KUNIT_CASE(heap_realloc_pages),
	KUNIT_CASE(heap_realloc_poison),
	KUNIT_CASE(heap_realloc_refused),
	KUNIT_CASE(heap_wrong_frees),
	KUNIT_CASE(heap_limbo),
	KUNIT_CASE(heap_callers),
	KUNIT_CASE(heap_args),
	KUNIT_CASE(heap_same_place),
	KUNIT_CASE(heap_many),
	KUNIT_CASE(heap_small_chunks),
	KUNIT_CASE(heap_busy),
	KUNIT_CASE(heap_random),
	{}
};

static struct kunit_suite heap_suite = {
	.name = "myalloc_heap",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = heap_cases,
};

kunit_test_suite(heap_suite);
