// SPDX-License-Identifier: GPL-2.0
/* Tests of pages that the machine reports as bad (memory failure). */
#include "env.h"

#include <kunit/test.h>

#include "page/bad_page.h"
#include "page/extent.h"
#include "fixture.h"

#define NR_PAGES	64

static struct fixture *bad_zone(struct kunit *test, bool simulated)
{
	const struct fixture_args args = {
		.nr_pages = NR_PAGES, .chunk_order = 5, .no_magazines = true,
		.simulated = simulated,
	};

	if (!fixture_set_bad(NULL, false))
		kunit_skip(test, "no page can be made bad here");
	return fixture_zone(test, &args);
}

static void *page_of(struct fixture *fx, u32 idx)
{
	return myalloc_frame_addr(fx->zone, idx);
}

static u8 type_of(struct fixture *fx, u32 idx)
{
	return fx->zone->frames[idx].type;
}

/* All remaining pages can be allocated, and none of them is bad. */
static void expect_taken_out(struct fixture *fx, u32 nr_bad)
{
	struct kunit *test = fx->test;
	void *addr[NR_PAGES];
	u32 n, i;

	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_pages, nr_bad);
	KUNIT_EXPECT_EQ(test, fx->stats.free_pages, NR_PAGES - nr_bad);
	KUNIT_EXPECT_EQ(test, fx->stats.page_pages, 0);
	FIXTURE_EXPECT_VALID(fx);
	for (n = 0; n < NR_PAGES; n++) {
		addr[n] = myalloc_pages_alloc(fx->zone, 0, MYALLOC_MAY_WAIT);
		if (!addr[n])
			break;
		KUNIT_EXPECT_FALSE(test, myalloc_env_page_bad(addr[n]));
	}
	KUNIT_EXPECT_EQ(test, n, NR_PAGES - nr_bad);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr[i], 0), 0);
}

/* Bad free pages are taken out in place, however few frames one walk visits. */
static void bad_free_pages(struct kunit *test)
{
	struct fixture *fx = bad_zone(test, false);
	u32 i, taken = 0;

	KUNIT_EXPECT_EQ(test, myalloc_bad_poll(fx->zone, U32_MAX), 0);
	fixture_set_bad(page_of(fx, 5), true);
	fixture_set_bad(page_of(fx, 63), true);
	KUNIT_EXPECT_EQ(test, myalloc_bad_poll(fx->zone, 5), 0);
	KUNIT_EXPECT_EQ(test, myalloc_bad_poll(fx->zone, 1), 1);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), "frame 5 is bad memory: taken out");
	KUNIT_EXPECT_EQ(test, type_of(fx, 5), MYALLOC_FRAME_BAD);
	for (i = 6; i < NR_PAGES; i += 2)
		taken += myalloc_bad_poll(fx->zone, 2);
	KUNIT_EXPECT_EQ(test, taken, 1);
	expect_taken_out(fx, 2);
	KUNIT_EXPECT_EQ(test, myalloc_bad_poll(fx->zone, U32_MAX), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page_of(fx, 5), 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_FREE], 1);
}

/* A bad page in a block in use is taken out when the block is freed; the rest is free again. */
static void bad_used_pages(struct kunit *test)
{
	struct fixture *fx = bad_zone(test, false);
	u8 *addr = myalloc_pages_alloc(fx->zone, 3, 0);

	fixture_set_bad(addr + 2 * PAGE_SIZE, true);
	fixture_set_bad(addr + 7 * PAGE_SIZE, true);
	KUNIT_EXPECT_EQ(test, myalloc_bad_poll(fx->zone, U32_MAX), 0);
	KUNIT_EXPECT_EQ(test, type_of(fx, 0), MYALLOC_FRAME_LENT);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, 8);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 3), 0);
	KUNIT_EXPECT_EQ(test, type_of(fx, 2), MYALLOC_FRAME_BAD);
	KUNIT_EXPECT_EQ(test, type_of(fx, 7), MYALLOC_FRAME_BAD);
	expect_taken_out(fx, 2);
}

/* A bad page in a slab is taken out when the slab returns to the zone. */
static void bad_slab(struct kunit *test)
{
	struct fixture *fx = bad_zone(test, false);
	struct myalloc_cache *cache = fixture_cache(fx, "c", 1000, 0);
	void *object = myalloc_cache_alloc(cache, 0);

	fixture_set_bad((void *)((unsigned long)object & PAGE_MASK), true);
	KUNIT_EXPECT_EQ(test, myalloc_bad_poll(fx->zone, U32_MAX), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_pages, 0);
	myalloc_cache_drain(cache);
	myalloc_cache_shrink(cache);
	expect_taken_out(fx, 1);
}

/* Bad pages in an extent are taken out when they return to the zone. */
static void bad_extent(struct kunit *test)
{
	struct fixture *fx = bad_zone(test, false);
	u8 *addr = myalloc_pages_alloc_exact(fx->zone, 7, 0, 0);

	KUNIT_ASSERT_NOT_NULL(test, addr);
	fixture_set_bad(addr + PAGE_SIZE, true);
	fixture_set_bad(addr + 5 * PAGE_SIZE, true);
	KUNIT_EXPECT_EQ(test, myalloc_bad_poll(fx->zone, U32_MAX), 0);
	KUNIT_EXPECT_TRUE(test, myalloc_extent_resize(fx->zone, addr, 7, 5, 0, 0, 1));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_pages, 1);
	KUNIT_EXPECT_EQ(test, type_of(fx, 5), MYALLOC_FRAME_BAD);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 5), 0);
	KUNIT_EXPECT_EQ(test, type_of(fx, 1), MYALLOC_FRAME_BAD);
	expect_taken_out(fx, 2);
}

/* A bad page in a magazine is taken out when the magazine is drained. */
static void bad_cached(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 1024, .chunk_order = 10 };
	struct fixture *fx;
	void *addr;

	if (!fixture_set_bad(NULL, false))
		kunit_skip(test, "no page can be made bad here");
	fx = fixture_zone(test, &args);
	if (!fx->zone->pcp[0].capacity)
		kunit_skip(test, "too many CPUs for magazines");
	addr = myalloc_pages_alloc(fx->zone, 0, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 0), 0);
	fixture_set_bad(addr, true);
	KUNIT_EXPECT_EQ(test, myalloc_bad_poll(fx->zone, U32_MAX), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_pages, 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_pages, 1);
	KUNIT_EXPECT_EQ(test, fx->stats.free_pages, 1023);
	FIXTURE_EXPECT_VALID(fx);
}

/* P1; and a simulated zone has no bad pages. */
static void bad_validate(struct kunit *test)
{
	struct fixture *fx = bad_zone(test, false), *simulated = bad_zone(test, true);

	fixture_set_bad(page_of(simulated, 3), true);
	KUNIT_EXPECT_EQ(test, myalloc_bad_poll(simulated->zone, U32_MAX), 0);
	fixture_set_bad(page_of(fx, 3), true);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_pages, 1);
	atomic64_inc(&fx->zone->nr_bad);
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_STREQ(test, fx->v.first, "P1: 1 frames are bad, counted 2");
	atomic64_dec(&fx->zone->nr_bad);
	FIXTURE_EXPECT_VALID(fx);
}

static struct kunit_case bad_page_cases[] = {
	KUNIT_CASE(bad_free_pages),
	KUNIT_CASE(bad_used_pages),
	KUNIT_CASE(bad_slab),
	KUNIT_CASE(bad_extent),
	KUNIT_CASE(bad_cached),
	KUNIT_CASE(bad_validate),
	{}
};

static struct kunit_suite bad_page_suite = {
	.name = "myalloc_bad_page",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = bad_page_cases,
};

kunit_test_suite(bad_page_suite);
