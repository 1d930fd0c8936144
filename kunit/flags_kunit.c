// SPDX-License-Identifier: GPL-2.0
/* Tests of requests whose flags are wrong, or not permitted in their context. */
#include "env.h"

#include <kunit/test.h>

#include "page/flags.h"
#include "slab_fixture.h"

#define LIVE	8

/* Call every allocation function. Returns true if none has allocated anything. */
static bool pages_refused(struct fixture *fx, myalloc_flags_t flags)
{
	void *addrs[LIVE];

	return !myalloc_pages_alloc(fx->zone, 0, flags) &&
	       !myalloc_pages_alloc(fx->zone, 4, flags) &&
	       !myalloc_pages_alloc_bulk(fx->zone, 0, flags, LIVE, addrs) &&
	       !myalloc_pages_alloc_exact(fx->zone, 3, 0, flags) &&
	       myalloc_pages_alloc_range(fx->zone, fx->chunks[0], 3, flags) == -EINVAL;
}

static bool objects_refused(struct myalloc_cache *cache, myalloc_flags_t flags)
{
	void *addrs[LIVE];

	return !myalloc_cache_alloc(cache, flags) &&
	       !myalloc_cache_alloc_bulk(cache, flags, LIVE, addrs);
}

/* The end of some recent reports of refusals. */
static void said(struct fixture *fx, u32 unknown, myalloc_flags_t known, unsigned int times)
{
	struct kunit *test = fx->test;

	scnprintf(fx->expected, sizeof(fx->expected),
		  "unknown flags 0x%x, allowed are 0x%x (GFP flags are not)", unknown,
		  (__force u32)known);
	KUNIT_EXPECT_EQ_MSG(test, fixture_log_count(fx->expected), times, "%s", fx->expected);
	KUNIT_EXPECT_EQ(test, strncmp(fixture_report(fx), "request from ", 13), 0);
}

/* An unknown bit, alone and with others, with empty and with filled magazines. */
static void flags_unknown(struct kunit *test)
{
	static const myalloc_flags_t others[] = {
		0, MYALLOC_ZERO, MYALLOC_MAY_WAIT, MYALLOC_ZERO | MYALLOC_MAY_WAIT,
	};
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "c", 64, 8);
	unsigned int warm, bit, i;
	void *page, *object;

	for (warm = 0; warm < 2; warm++) {
		for (i = 0; i < ARRAY_SIZE(others); i++) {
			bit = 16 + i;
			fixture_note(fx);
			KUNIT_EXPECT_TRUE(test, pages_refused(fx, __MYALLOC_FLAG(BIT(bit)) |
								  others[i]));
			said(fx, BIT(bit), MYALLOC_PAGES_FLAGS_ALL, 3);
			said(fx, BIT(bit), MYALLOC_EXTENT_FLAGS_ALL, 2);
			KUNIT_EXPECT_TRUE(test, objects_refused(cache,
								__MYALLOC_FLAG(BIT(31)) |
								others[i]));
			said(fx, BIT(31), MYALLOC_OBJECT_FLAGS_ALL, 2);
			KUNIT_EXPECT_TRUE(test, fixture_unchanged(fx));
		}
		page = myalloc_pages_alloc(fx->zone, 0, 0);
		object = myalloc_cache_alloc(cache, 0);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	}
}

/* GFP_KERNEL | __GFP_ZERO (those of 6.12) must not return memory that is not zeroed. */
static void flags_gfp(struct kunit *test)
{
	const myalloc_flags_t gfp = __MYALLOC_FLAG(0xdc0);
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "c", 64, 8);

	fixture_note(fx);
	KUNIT_EXPECT_TRUE(test, pages_refused(fx, gfp));
	KUNIT_EXPECT_TRUE(test, objects_refused(cache, gfp));
	KUNIT_EXPECT_EQ(test, fixture_log_count("GFP flags are not"), 7);
	KUNIT_EXPECT_TRUE(test, fixture_unchanged(fx));
}

/* Flags that are valid for pages but not for objects. */
static void flags_of_pages(struct kunit *test)
{
	const myalloc_flags_t pages = MYALLOC_PAGES_FLAGS_ALL & ~MYALLOC_OBJECT_FLAGS_ALL;
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "c", 64, 8);
	u32 left = (__force u32)pages;

	KUNIT_EXPECT_NE(test, left, 0);
	for (; left; left &= left - 1) {
		u32 bit = left & -left;

		fixture_note(fx);
		KUNIT_EXPECT_TRUE(test, objects_refused(cache, __MYALLOC_FLAG(bit)));
		said(fx, bit, MYALLOC_OBJECT_FLAGS_ALL, 2);
	}
	KUNIT_EXPECT_TRUE(test, fixture_unchanged(fx));
}

/* A request with MAY_WAIT where waiting is not allowed, here with interrupts off. */
struct waiter {
	struct fixture *fx;
	struct myalloc_cache *cache;
};

static noinline void *wait_for_page(const struct waiter *w)
{
	void *addr = myalloc_pages_alloc(w->fx->zone, 0, MYALLOC_ZERO | MYALLOC_MAY_WAIT);

	barrier();
	return addr;
}

static u64 drains(struct fixture *fx)
{
	return fixture_stats(fx)->drains;
}

/*
 * It is served as far as possible without waiting, reported once, and never asks other CPUs, even
 * when the zone is full.
 */
static void flags_wait_atomic(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct waiter w = { .fx = fx, .cache = magazine_cache(fx, "c", 64, 8) };
	void **held = kunit_kcalloc(test, 1024, sizeof(*held), GFP_KERNEL);
	void *page, *object, *others[LIVE];
	unsigned int nr, n;
	unsigned long irq;
	u64 before;

	KUNIT_ASSERT_NOT_NULL(test, held);
	if (!fixture_unchecked_wait(true))
		kunit_skip(test, "this kernel reports it itself");
	object = myalloc_cache_alloc(w.cache, 0);
	fixture_log_mark();
	before = drains(fx);
	local_irq_save(irq);
	page = wait_for_page(&w);
	local_irq_restore(irq);
	KUNIT_EXPECT_NOT_NULL(test, page);
	KUNIT_EXPECT_NOT_NULL(test, strstr(fixture_report(fx),
					   ", which may not sleep: ignored"));
	KUNIT_EXPECT_EQ(test, fixture_log_count("which may not sleep"), 1);

	nr = myalloc_pages_alloc_bulk(fx->zone, 0, 0, 1024, held);
	local_irq_save(irq);
	KUNIT_EXPECT_NULL(test, wait_for_page(&w));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, 3, 0, MYALLOC_MAY_WAIT));
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_bulk(fx->zone, 0, MYALLOC_MAY_WAIT, LIVE,
						       others), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, fx->chunks[0], 1,
							MYALLOC_MAY_WAIT), -EBUSY);
	n = myalloc_cache_alloc_bulk(w.cache, MYALLOC_MAY_WAIT, LIVE, others);
	local_irq_restore(irq);
	KUNIT_EXPECT_EQ(test, drains(fx), before);
	KUNIT_EXPECT_EQ(test, fixture_log_count("which may not sleep"), 1);

	/* Where waiting is allowed, it waits. */
	KUNIT_EXPECT_NULL(test, wait_for_page(&w));
	KUNIT_EXPECT_GT(test, drains(fx), before);
	fixture_unchecked_wait(false);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(w.cache, n, others), n);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(fx->zone, 0, nr, held), nr);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
	FIXTURE_EXPECT_VALID(fx);
}

static struct kunit_case flags_cases[] = {
	KUNIT_CASE(flags_unknown),
	KUNIT_CASE(flags_gfp),
	KUNIT_CASE(flags_of_pages),
	KUNIT_CASE(flags_wait_atomic),
	{}
};

static struct kunit_suite flags_suite = {
	.name = "myalloc_flags",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = flags_cases,
};

kunit_test_suite(flags_suite);
