// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what a sanitizer is told: which bytes may be touched, by its own marks. A report would
 * fail the run in a kernel; that the host's sanitizer reports is tested by misuse_test.
 */
#include "env.h"

#include <kunit/test.h>

#include "page/shadow.h"
#include "slab_fixture.h"

static int shadow_init(struct kunit *test)
{
	if (!MYALLOC_ENV_SHADOW)
		kunit_skip(test, "no sanitizer that keeps marks");
	return fixture_init(test);
}

/* Bytes from @addr on that are marked, or not, up to @most. */
static u32 extent(const void *addr, bool poisoned, u32 most)
{
	u32 n = 0;

	while (n < most && myalloc_env_is_poisoned(addr + n) == poisoned)
		n++;
	return n;
}

#define EXPECT_MAY(test, addr, size) KUNIT_EXPECT_EQ(test, extent(addr, false, size), size)
#define EXPECT_MAY_NOT(test, addr, size) KUNIT_EXPECT_EQ(test, extent(addr, true, size), size)

/* A block is open from its allocation to its free, at each way to ask and to give back. */
static void shadow_pages(struct kunit *test)
{
	static const unsigned int orders[] = { 0, 3, 4, 9 };
	struct fixture *fx = large_zone(test);
	void *addr, *bulk[10];
	unsigned int i, k;
	u32 size;

	EXPECT_MAY_NOT(test, fx->chunks[0], PAGE_SIZE << 10);
	for (i = 0; i < ARRAY_SIZE(orders); i++)
		for (k = 0; k < 4; k++) {
			size = PAGE_SIZE << orders[i];
			addr = myalloc_pages_alloc(fx->zone, orders[i],
						   k % 2 ? MYALLOC_TOPDOWN : MYALLOC_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, addr);
			EXPECT_MAY(test, addr, size);
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, orders[i]), 0);
			EXPECT_MAY_NOT(test, addr, size);
			addr = myalloc_pages_alloc(fx->zone, orders[i], 0);
			KUNIT_ASSERT_NOT_NULL(test, addr);
			EXPECT_MAY(test, addr, size);
			KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr), 0);
			EXPECT_MAY_NOT(test, addr, size);
		}
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_bulk(fx->zone, 1, 0, 10, bulk), 10);
	for (i = 0; i < 10; i++)
		EXPECT_MAY(test, bulk[i], 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(fx->zone, 1, 10, bulk), 10);
	for (i = 0; i < 10; i++)
		EXPECT_MAY_NOT(test, bulk[i], 2 * PAGE_SIZE);
	addr = myalloc_pages_alloc_exact(fx->zone, 5, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, addr);
	EXPECT_MAY(test, addr, 5 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 5), 0);
	EXPECT_MAY_NOT(test, addr, 5 * PAGE_SIZE);
	myalloc_zone_drain(fx->zone);
	addr = fx->chunks[0] + 7 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, addr, 3, 0), 0);
	EXPECT_MAY(test, addr, 3 * PAGE_SIZE);
	EXPECT_MAY_NOT(test, addr + 3 * PAGE_SIZE, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 3), 0);
	EXPECT_MAY_NOT(test, fx->chunks[0], PAGE_SIZE << 10);
}

/* From NMI with the lock held the block goes back later: then it is marked. */
static void shadow_pages_deferred(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 64, .chunk_order = 6, .no_magazines = true };
	struct fixture *fx = fixture_zone(test, &args);
	void *addr = myalloc_pages_alloc(fx->zone, 2, 0);
	unsigned long irq;

	KUNIT_ASSERT_NOT_NULL(test, addr);
	raw_spin_lock(&fx->zone->lock);
	irq = fixture_nmi_enter();
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 2), 0);
	fixture_nmi_exit(irq);
	raw_spin_unlock(&fx->zone->lock);
	myalloc_zone_drain(fx->zone);
	EXPECT_MAY_NOT(test, fx->chunks[0], PAGE_SIZE << 6);
}

/* A wrong free changes no mark. */
static void shadow_refused(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "a", 64, 8);
	struct myalloc_cache *other = magazine_cache(fx, "b", 64, 8);
	u8 *object = myalloc_cache_alloc(cache, 0);
	u8 *page = myalloc_pages_alloc(fx->zone, 1, 0);

	KUNIT_ASSERT_NOT_NULL(test, object);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(other, object), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object + 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page + PAGE_SIZE, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, page, 3), -EINVAL);
	EXPECT_MAY(test, object, 64);
	EXPECT_MAY(test, page, 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 1), 0);
}

static struct kunit_case shadow_cases[] = {
	KUNIT_CASE(shadow_pages),
	KUNIT_CASE(shadow_pages_deferred),
	KUNIT_CASE(shadow_refused),
	{}
};

static struct kunit_suite shadow_suite = {
	.name = "myalloc_shadow",
	.init = shadow_init,
	.exit = fixture_exit,
	.test_cases = shadow_cases,
};

kunit_test_suite(shadow_suite);
