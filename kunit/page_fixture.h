/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the suites of pages: zones for them, access to internals. */
#ifndef MYALLOC_KUNIT_PAGE_FIXTURE_H
#define MYALLOC_KUNIT_PAGE_FIXTURE_H

#include "fixture.h"
#include "page/frame.h"

#define PAGES_MAX	1100

static inline void **page_array(struct kunit *test)
{
	return fixture_array(test, PAGES_MAX);
}

static inline struct myalloc_frame *frame_of(const struct fixture *fx, const void *addr)
{
	return myalloc_map_frame(&fx->zone->map, addr);
}

static inline u32 index_of(const struct fixture *fx, const void *addr)
{
	return myalloc_frame_idx(fx->zone, frame_of(fx, addr));
}

/* The tests know their callers. */
static noinline __noclone void *alloc_here(struct fixture *fx, unsigned int order,
					   myalloc_flags_t flags)
{
	void *addr = myalloc_pages_alloc(fx->zone, order, flags);

	barrier();
	return addr;
}

/* A zone of one chunk of 1 MiB to 4 MiB: large enough for magazines on a few CPUs. */
static inline struct fixture *large_zone(struct kunit *test, myalloc_cache_flags_t checks)
{
	const struct fixture_args args = {
		.nr_pages = 1024, .chunk_order = 10, .checks = checks,
	};
	struct fixture *fx = fixture_zone(test, &args);

	if (!fx->zone->pcp[0].capacity)
		kunit_skip(test, "too many CPUs for magazines in a zone of 4 MiB");
	return fx;
}

static inline struct fixture *small_zone(struct kunit *test, myalloc_cache_flags_t checks)
{
	const struct fixture_args args = {
		.nr_pages = 60, .chunk_order = 4, .stride = 2, .checks = checks,
		.no_magazines = true,
	};

	return fixture_zone(test, &args);
}

#endif /* MYALLOC_KUNIT_PAGE_FIXTURE_H */
