/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the suites of slab caches: zones and caches for them, access to internals. */
#ifndef MYALLOC_KUNIT_SLAB_FIXTURE_H
#define MYALLOC_KUNIT_SLAB_FIXTURE_H

#include "fixture.h"
#include "object/cache.h"

/* Objects of a few slabs of the smallest objects. */
#define OBJECTS_MAX	SCALED(4096)

/* The report of a double free: the cache twice, frame, slot. */
#define TWICE	"bad free as object of %s: already free (double free); cache %s, frame %u, slot %u"

static inline void **object_array(struct kunit *test)
{
	return fixture_array(test, OBJECTS_MAX);
}

/* 4 MiB of real memory. */
static inline struct fixture *large_zone(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 1024, .chunk_order = 10 };

	return fixture_zone(test, &args);
}

/* A few pages in chunks that are not adjacent; few enough to compare every byte. */
static inline struct fixture *small_zone(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 4, .stride = 2, .no_magazines = true,
	};

	return fixture_zone(test, &args);
}

static inline struct myalloc_cache *magazine_cache(struct fixture *fx, const char *name,
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

/* With magazines of 8, of a level of safety against wrong frees. */
static inline struct myalloc_cache *level_cache(struct fixture *fx, const char *name,
						unsigned int size, unsigned int flags)
{
	const struct myalloc_cache_args args = {
		.name = name, .object_size = size, .magazine = 8, .flags = flags,
	};
	struct myalloc_cache *cache = myalloc_cache_create(fx->zone, &args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, cache);
	return cache;
}

static inline struct myalloc_cache_stats stats_of(struct myalloc_cache *cache)
{
	struct myalloc_cache_stats stats;

	myalloc_cache_stats(cache, &stats);
	return stats;
}

/* The first frame of an object's slab. */
static inline struct myalloc_frame *slab_of(const struct myalloc_cache *cache, const void *object)
{
	struct myalloc_frame *frame = myalloc_map_frame(&cache->map, object);
	u32 idx = myalloc_frame_idx(cache->zone, frame);

	return frame - (idx & cache->frame_mask);
}

static inline u32 slot_of(const struct myalloc_cache *cache, const void *object)
{
	u32 idx = myalloc_frame_idx(cache->zone, slab_of(cache, object));

	return (object - myalloc_frame_addr(cache->zone, idx)) / cache->layout.slot_size;
}

static noinline __noclone __maybe_unused void *alloc_here(struct myalloc_cache *cache,
							  myalloc_flags_t flags)
{
	void *object = myalloc_cache_alloc(cache, flags);

	barrier();
	return object;
}

#endif /* MYALLOC_KUNIT_SLAB_FIXTURE_H */
