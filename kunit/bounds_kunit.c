// SPDX-License-Identifier: GPL-2.0
/* Tests of bounds: the work of one operation under the zone's lock, counted in steps. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "zone/zone.h"

/*
 * WORK_MOST of pages.c: blocks, splits and merges while the lock is held, except those of the last
 * block.
 */
#define WORK_MOST	16
/* REAP_MOST of block.c. */
#define REAP_MOST	2

/* The number of deferred frees that one operation reaps does not depend on the list's length. */
static void bounds_reap(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 1024, .chunk_order = 10, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void *pages[64], *block;
	u32 i;

	KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_bulk(fx->zone, 0, 0, 64, pages), 64);
	fixture_free_deferred(fx, pages, 64, 0);
	if (!fixture_count_steps("deferred-reap")) {
		myalloc_zone_drain(fx->zone);
		kunit_skip(test, "no steps to be counted here");
	}
	for (i = 0; i < 8; i++) {
		block = myalloc_pages_alloc(fx->zone, i, 0);
		KUNIT_EXPECT_EQ(test, fixture_steps(), REAP_MOST);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, block, i), 0);
		KUNIT_EXPECT_EQ(test, fixture_steps(), REAP_MOST);
	}
	fixture_count_steps(NULL);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 64 - 8 * 2 * REAP_MOST);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* An extent freed from NMI is returned piece by piece. */
static void nmi_free_exact(struct fixture *fx, void *run, u32 nr)
{
	unsigned long lock_irq, irq;
	int err;

	raw_spin_lock_irqsave(&fx->zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	err = myalloc_pages_free_exact(fx->zone, run, nr);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&fx->zone->lock, lock_irq);
	KUNIT_EXPECT_EQ(fx->test, err, 0);
}

/* The same bound for a refill of a magazine. */
static void bounds_reap_refill(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 1024, .chunk_order = 10 };
	struct fixture *fx = fixture_zone(test, &args);
	void *block, *page;

	block = myalloc_pages_alloc(fx->zone, 5, 0);
	KUNIT_ASSERT_NOT_NULL(test, block);
	fixture_free_deferred(fx, &block, 1, 5);
	block = myalloc_pages_alloc_exact(fx->zone, 63, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, block);
	nmi_free_exact(fx, block, 63);
	if (!fixture_count_steps("deferred-reap")) {
		myalloc_zone_drain(fx->zone);
		kunit_skip(test, "no steps to be counted here");
	}
	page = myalloc_pages_alloc(fx->zone, 0, 0);
	KUNIT_EXPECT_EQ(test, fixture_steps(), 1);
	fixture_count_steps(NULL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static u64 work(const struct fixture *fx)
{
	return fx->zone->buddy.nr_splits + fx->zone->buddy.nr_merges;
}

/* A refill from large blocks stops after the permitted number of splits. */
static void bounds_refill(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 4096, .chunk_order = 10, .simulated = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	u32 free = fx->zone->buddy.nr_free;
	u64 before = work(fx), units;
	void *page = myalloc_pages_alloc(fx->zone, 0, 0);

	KUNIT_ASSERT_NOT_NULL(test, page);
	units = work(fx) - before + (free - fx->zone->buddy.nr_free);
	KUNIT_EXPECT_GE(test, units, WORK_MOST);
	KUNIT_EXPECT_LE(test, units, WORK_MOST + 10);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
}

/* A flush of blocks that all merge stops after the permitted number of merges. */
static void bounds_flush(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 4096, .chunk_order = 4, .simulated = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void **pages = kunit_kcalloc(test, 4096, sizeof(*pages), GFP_KERNEL);
	u64 most = 0;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_bulk(fx->zone, 0, 0, 4096, pages), 4096);
	for (i = 0; i < 4096; i++)
		if (myalloc_frame_idx(fx->zone, myalloc_map_frame(&fx->zone->map, pages[i])) % 16)
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, pages[i], 0), 0);
	myalloc_zone_drain(fx->zone);
	/* One page of each chunk is in use: freeing it merges four times. */
	for (i = 0; i < 4096; i++) {
		u32 free = fx->zone->buddy.nr_free;
		u64 before = work(fx);

		if (myalloc_frame_idx(fx->zone, myalloc_map_frame(&fx->zone->map, pages[i])) % 16)
			continue;
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, pages[i], 0), 0);
		most = max(most, work(fx) - before + (fx->zone->buddy.nr_free - free));
	}
	KUNIT_EXPECT_GE(test, most, WORK_MOST);
	KUNIT_EXPECT_LE(test, most, WORK_MOST + 4);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static struct kunit_case bounds_cases[] = {
	KUNIT_CASE(bounds_reap),
	KUNIT_CASE(bounds_reap_refill),
	KUNIT_CASE(bounds_refill),
	KUNIT_CASE(bounds_flush),
	{}
};

static struct kunit_suite bounds_suite = {
	.name = "myalloc_bounds",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = bounds_cases,
};

kunit_test_suite(bounds_suite);
