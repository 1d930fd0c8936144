// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the annotations for sanitizers: which bytes are marked as accessible. In a kernel a
 * report would fail the run; misuse_test tests that the host's sanitizer reports.
 */
#include "env.h"

#include <kunit/test.h>

#include "object/shadow.h"
#include "page/lend.h"
#include "slab_fixture.h"

static int shadow_init(struct kunit *test)
{
	if (!MYALLOC_ENV_SHADOW)
		kunit_skip(test, "no sanitizer that keeps marks");
	return fixture_init(test);
}

/* Number of bytes from @addr on that are marked, or not marked, up to @most. */
static u32 extent(const void *addr, bool poisoned, u32 most)
{
	u32 n = 0;

	while (n < most && myalloc_env_is_poisoned(addr + n) == poisoned)
		n++;
	return n;
}

static void expect_may(struct kunit *test, const void *addr, u32 size, bool may, int line)
{
	KUNIT_EXPECT_EQ_MSG(test, extent(addr, !may, size), size, "line %d", line);
}

#define EXPECT_MAY(test, addr, size) expect_may(test, addr, size, true, __LINE__)
#define EXPECT_MAY_NOT(test, addr, size) expect_may(test, addr, size, false, __LINE__)

/* A block is accessible from its allocation to its free, for every way to allocate and free. */
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

/* In NMI with the lock held, the block is returned later and marked then. */
static void shadow_pages_deferred(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 64, .chunk_order = 6, .no_magazines = true };
	struct fixture *fx = fixture_zone(test, &args);
	void *addr = myalloc_pages_alloc(fx->zone, 2, 0);
	unsigned long lock_irq, irq;

	KUNIT_ASSERT_NOT_NULL(test, addr);
	raw_spin_lock_irqsave(&fx->zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 2), 0);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&fx->zone->lock, lock_irq);
	myalloc_zone_drain(fx->zone);
	EXPECT_MAY_NOT(test, fx->chunks[0], PAGE_SIZE << 6);
}

/* Exactly the object of a live slot may be accessed, to the byte. */
static void check_object(struct kunit *test, struct myalloc_cache *cache)
{
	const struct myalloc_slab_layout *l = &cache->layout;
	u32 size = l->object_size, left = l->object_offset;
	u32 right = l->slot_size - left - size;
	void *bulk[40], *object;
	u32 i;

	object = myalloc_cache_alloc(cache, 0);
	KUNIT_ASSERT_NOT_NULL(test, object);
	EXPECT_MAY(test, object, size);
	EXPECT_MAY_NOT(test, object - left, left);
	EXPECT_MAY_NOT(test, object + size, right);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	EXPECT_MAY_NOT(test, object - left, l->slot_size);
	/* The next object from the magazine, if there is one. */
	object = myalloc_cache_alloc(cache, 0);
	KUNIT_ASSERT_NOT_NULL(test, object);
	EXPECT_MAY(test, object, size);
	EXPECT_MAY_NOT(test, object + size, right);
	KUNIT_EXPECT_EQ(test, myalloc_free(cache->zone, object), 0);
	EXPECT_MAY_NOT(test, object - left, l->slot_size);

	KUNIT_ASSERT_EQ(test, myalloc_cache_alloc_bulk(cache, 0, 40, bulk), 40);
	for (i = 0; i < 40; i++) {
		EXPECT_MAY(test, bulk[i], size);
		EXPECT_MAY_NOT(test, bulk[i] + size, right);
	}
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(cache, 40, bulk), 40);
	for (i = 0; i < 40; i++)
		EXPECT_MAY_NOT(test, bulk[i] - left, l->slot_size);
}

static void shadow_objects(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 8, 13, 64, 100, 700 };
	static const myalloc_cache_flags_t kinds[] = {
		0, MYALLOC_NO_MAGAZINE, MYALLOC_ZERO_FREE, MYALLOC_ZERO_ALLOC, MYALLOC_RANDOM,
		MYALLOC_REDZONE, MYALLOC_POISON, MYALLOC_CHECKS, MYALLOC_CERTAIN, MYALLOC_TRUSTING,
	};
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (k = 0; k < ARRAY_SIZE(kinds); k++) {
			cache = fixture_cache(fx, "shadow", sizes[i], kinds[k]);
			check_object(test, cache);
			KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
		}
	/* The pages of the slabs are free again. */
	myalloc_zone_drain(fx->zone);
	EXPECT_MAY_NOT(test, fx->chunks[0], PAGE_SIZE << 10);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
}

/* The link of a deferred free, in or behind the object, is marked when the free is complete. */
static void shadow_objects_deferred(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 8, 13, 100 };
	static const myalloc_cache_flags_t kinds[] = {
		MYALLOC_NO_MAGAZINE, MYALLOC_ZERO_FREE | MYALLOC_NO_MAGAZINE, MYALLOC_REDZONE,
		MYALLOC_POISON, MYALLOC_CHECKS,
	};
	struct fixture *fx = large_zone(test);
	unsigned long lock_irq, irq;
	struct myalloc_cache *cache;
	unsigned int i, k;
	void *object;
	int err;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (k = 0; k < ARRAY_SIZE(kinds); k++) {
			cache = fixture_cache(fx, "shadow", sizes[i], kinds[k]);
			object = myalloc_cache_alloc(cache, 0);
			KUNIT_ASSERT_NOT_NULL(test, object);
			raw_spin_lock_irqsave(&cache->lock, lock_irq);
			irq = fixture_nmi_enter();
			err = myalloc_cache_free(cache, object);
			fixture_nmi_exit(irq);
			raw_spin_unlock_irqrestore(&cache->lock, lock_irq);
			KUNIT_EXPECT_EQ(test, err, 0);
			KUNIT_EXPECT_EQ(test, myalloc_cache_drain(cache), 1);
			EXPECT_MAY_NOT(test, object - cache->layout.object_offset,
				       cache->layout.slot_size);
			KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
		}
}

/* A lent block may be accessed by others until it is returned or the zone has ended. */
static void shadow_lent(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	void *addr = myalloc_pages_alloc(fx->zone, 2, MYALLOC_LENDABLE);

	KUNIT_ASSERT_NOT_NULL(test, addr);
	fixture_set_referenced(addr + PAGE_SIZE, true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 2), 0);
	EXPECT_MAY(test, addr, 4 * PAGE_SIZE);
	fixture_set_referenced(addr + PAGE_SIZE, false);
	KUNIT_EXPECT_EQ(test, myalloc_quarantine_poll(fx->zone, 1), 1);
	EXPECT_MAY_NOT(test, addr, 4 * PAGE_SIZE);
	addr = myalloc_pages_alloc(fx->zone, 2, MYALLOC_LENDABLE);
	KUNIT_ASSERT_NOT_NULL(test, addr);
	fixture_set_referenced(addr, true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_quarantine_abandon(fx->zone), 4);
	EXPECT_MAY(test, addr, 4 * PAGE_SIZE);
	fixture_set_referenced(addr, false);
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
	KUNIT_CASE(shadow_objects),
	KUNIT_CASE(shadow_objects_deferred),
	KUNIT_CASE(shadow_lent),
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
