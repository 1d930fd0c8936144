// SPDX-License-Identifier: GPL-2.0
/* Tests of lendable blocks: quarantine, what must not be lent, wrong frees. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "page/extent.h"
#include "page/lend.h"

#define NR_PAGES	64

static struct fixture *lend_zone(struct kunit *test, unsigned int checks)
{
	const struct fixture_args args = {
		.nr_pages = NR_PAGES, .chunk_order = 5, .checks = checks, .no_magazines = true,
	};

	return fixture_zone(test, &args);
}

static struct myalloc_frame *frame_of(const struct fixture *fx, const void *addr)
{
	return myalloc_map_frame(&fx->zone->map, addr);
}

/* The tests know their callers. */
static noinline __noclone void *lend_here(struct fixture *fx, unsigned int order)
{
	void *addr = myalloc_pages_alloc(fx->zone, order, MYALLOC_LENDABLE);

	barrier();
	KUNIT_EXPECT_NOT_NULL(fx->test, addr);
	return addr;
}

static const char *holder(struct fixture *fx, const void *addr, char *buf, size_t size)
{
	KUNIT_EXPECT_TRUE(fx->test, fixture_called_by(frame_of(fx, addr)->caller, lend_here));
	return fixture_symbol(frame_of(fx, addr)->caller, buf, size);
}

/* A lendable block is like any other block, but bypasses the magazines. */
static void lend_blocks(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 1024, .chunk_order = 10 };
	struct fixture *fx = fixture_zone(test, &args);
	void *many[20], *addr;
	unsigned int order, n;
	u64 cached, hits;

	for (order = 0; order <= 10; order++) {
		size_t size = PAGE_SIZE << order;

		/* The magazines are not empty, and do not change. */
		addr = myalloc_pages_alloc(fx->zone, order, 0);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, order), 0);
		cached = fixture_stats(fx)->cached_pages;
		hits = fx->stats.page_hits[order];
		if (order == 10)
			myalloc_zone_drain(fx->zone);
		addr = lend_here(fx, order);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->cached_pages, order == 10 ? 0 : cached);
		KUNIT_EXPECT_EQ(test, frame_of(fx, addr)->tag, myalloc_lent_tag(order));
		KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, addr), size);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, BIT(order));
		memset(addr, 0x55, size);
		FIXTURE_EXPECT_VALID(fx);
		KUNIT_EXPECT_EQ(test, order & 1 ? myalloc_free(fx->zone, addr) :
				      myalloc_pages_free(fx->zone, addr, order), 0);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->cached_pages, order == 10 ? 0 : cached);
		myalloc_zone_drain(fx->zone);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
		addr = myalloc_pages_alloc(fx->zone, order, MYALLOC_LENDABLE | MYALLOC_ZERO |
					   MYALLOC_TOPDOWN | MYALLOC_MAY_WAIT);
		KUNIT_ASSERT_NOT_NULL(test, addr);
		KUNIT_EXPECT_NULL(test, memchr_inv(addr, 0, size));
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, order), 0);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_allocs[order], 3);
		KUNIT_EXPECT_EQ(test, fx->stats.page_frees[order], 3);
		KUNIT_EXPECT_EQ(test, fx->stats.page_hits[order], hits);
	}
	n = myalloc_pages_alloc_bulk(fx->zone, 1, MYALLOC_LENDABLE, ARRAY_SIZE(many), many);
	KUNIT_EXPECT_EQ(test, n, ARRAY_SIZE(many));
	KUNIT_EXPECT_EQ(test, frame_of(fx, many[7])->tag, myalloc_lent_tag(1));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_allocs[1], n + 3);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(fx->zone, 1, n, many), n);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_frees + fx->stats.quarantines, 0);
}

/* An extent cannot be lendable: the flag is refused. */
static void lend_no_runs(struct kunit *test)
{
	struct fixture *fx = lend_zone(test, 0);

	fixture_note(fx);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, 3, 0, MYALLOC_LENDABLE));
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, fx->chunks[0], 3,
							MYALLOC_LENDABLE), -EINVAL);
	KUNIT_EXPECT_TRUE(test, fixture_unchanged(fx));
}

/* Wrong frees of a lendable block. */
static void lend_bad_frees(struct kunit *test)
{
	struct fixture *fx = lend_zone(test, 0);
	struct myalloc_cache *cache = fixture_cache(fx, "c", 100, 0);
	void *addr = lend_here(fx, 2);
	char who[64];

	holder(fx, addr, who, sizeof(who));
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, addr, 1), MYALLOC_BAD_ORDER,
			       "bad free as pages of order 1: allocated with another order; frame 0, order 2, held by %s",
			       who);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, addr + PAGE_SIZE, 0),
			       MYALLOC_BAD_INTERIOR,
			       "bad free as pages of order 0: inside a block, not at its beginning; frame 0, order 2, held by %s",
			       who);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(cache, addr), MYALLOC_BAD_KIND,
			       "bad free as object of c: not what it was allocated as; frame 0, order 2, held by %s",
			       who);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 4), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 2), 0);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, addr, 2), MYALLOC_BAD_FREE,
			       "bad free as pages of order 2: already free (double free); frame 0, order 5, free, last allocated at %s",
			       who);
}

/* A block with any referenced page is kept until it has none, and is not written to. */
static void lend_quarantine(struct kunit *test)
{
	struct fixture *fx = lend_zone(test, MYALLOC_POISON);
	unsigned int order, at;
	char who[64];
	u8 *addr;

	for (order = 0; order <= 3; order++)
		for (at = 0; at < BIT(order); at++) {
			void *page;

			addr = lend_here(fx, order);
			page = addr + at * PAGE_SIZE;
			holder(fx, addr, who, sizeof(who));
			memset(addr, 0x22, PAGE_SIZE << order);
			fixture_set_referenced(page, true);
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, order), 0);
			KUNIT_EXPECT_EQ(test, fixture_stats(fx)->quarantined_pages, BIT(order));
			KUNIT_EXPECT_EQ(test, fx->stats.page_pages, 0);
			KUNIT_EXPECT_EQ(test, fx->stats.free_pages, NR_PAGES - BIT(order));
			KUNIT_EXPECT_EQ(test, frame_of(fx, addr)->type,
					MYALLOC_FRAME_QUARANTINE);
			KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, addr), 0);
			FIXTURE_EXPECT_VALID(fx);
			/* The allocating caller is still known. */
			holder(fx, addr, who, sizeof(who));
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, order), -EINVAL);
			KUNIT_EXPECT_EQ(test, myalloc_quarantine_poll(fx->zone, 10), 0);
			KUNIT_EXPECT_NULL(test, memchr_inv(addr, 0x22, PAGE_SIZE << order));
			fixture_set_referenced(page, false);
			KUNIT_EXPECT_EQ(test, myalloc_quarantine_poll(fx->zone, 0), 0);
			KUNIT_EXPECT_EQ(test, myalloc_quarantine_poll(fx->zone, 10), 1);
			KUNIT_EXPECT_EQ(test, fixture_stats(fx)->quarantined_pages, 0);
			fixture_touch(addr, PAGE_SIZE << order);
			KUNIT_EXPECT_NULL(test, memchr_inv(addr, MYALLOC_POISON_FREE,
							   PAGE_SIZE << order));
			KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
		}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->quarantines, 15);
	KUNIT_EXPECT_EQ(test, fx->stats.bad[MYALLOC_BAD_FREE], 15);
	KUNIT_EXPECT_EQ(test, fx->stats.corruptions, 0);
	KUNIT_EXPECT_EQ(test, fx->stats.page_frees[0], fx->stats.page_allocs[0]);
}

#define MANY	10

/* However few blocks one poll visits, each gets its turn, and none is visited twice in one poll. */
static void lend_poll_turns(struct kunit *test)
{
	struct fixture *fx = lend_zone(test, 0);
	void *addr[MANY];
	unsigned int i, most, polls;

	for (most = 1; most <= MANY + 1; most++) {
		for (i = 0; i < MANY; i++) {
			addr[i] = lend_here(fx, 0);
			fixture_set_referenced(addr[i], true);
		}
		for (i = 0; i < MANY; i++)
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr[i], 0), 0);
		for (i = 0; i < MANY; i++) {
			KUNIT_EXPECT_EQ(test, myalloc_quarantine_poll(fx->zone, UINT_MAX), 0);
			fixture_set_referenced(addr[i], false);
			for (polls = 0; polls < 2 * MANY; polls++)
				if (myalloc_quarantine_poll(fx->zone, most))
					break;
			KUNIT_EXPECT_LE(test, polls * most, 2 * (MANY + most));
			KUNIT_EXPECT_EQ(test, fixture_stats(fx)->quarantined_pages, MANY - 1 - i);
			FIXTURE_EXPECT_VALID(fx);
		}
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	}
}

/* The free of another lendable block polls two of them; a drain polls all. */
static void lend_others_poll(struct kunit *test)
{
	struct fixture *fx = lend_zone(test, 0);
	void *addr[8];
	unsigned int i;

	for (i = 0; i < 8; i++)
		addr[i] = lend_here(fx, 0);
	for (i = 0; i < 7; i++) {
		fixture_set_referenced(addr[i], true);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr[i], 0), 0);
	}
	for (i = 0; i < 7; i++)
		fixture_set_referenced(addr[i], false);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr[7], 0), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->quarantined_pages, 5);
	/* The free of any other block polls none. */
	addr[0] = myalloc_pages_alloc(fx->zone, 0, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr[0], 0), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->quarantined_pages, 5);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 5);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* More than one step of a drain. */
static void lend_drain_many(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 128, .chunk_order = 7, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void *addr[40];
	unsigned int i;

	for (i = 0; i < 40; i++) {
		addr[i] = lend_here(fx, 1);
		fixture_set_referenced(addr[i] + PAGE_SIZE, true);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr[i], 1), 0);
	}
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 0);
	for (i = 0; i < 40; i++)
		fixture_set_referenced(addr[i] + PAGE_SIZE, false);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 80);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* Freed in NMI with the lock held: kept if referenced, otherwise deferred. */
static void lend_nmi(struct kunit *test)
{
	struct fixture *fx = lend_zone(test, 0);
	void *kept = lend_here(fx, 1), *plain = lend_here(fx, 1);
	unsigned long lock_irq, irq;
	int err;

	fixture_set_referenced(kept, true);
	raw_spin_lock_irqsave(&fx->zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	err = myalloc_pages_free(fx->zone, kept, 1) ?: myalloc_pages_free(fx->zone, plain, 1);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&fx->zone->lock, lock_irq);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->quarantined_pages, 2);
	KUNIT_EXPECT_EQ(test, fx->stats.deferred_pages, 2);
	FIXTURE_EXPECT_VALID(fx);
	fixture_set_referenced(kept, false);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 4);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* A zone with a lent block cannot be destroyed, and reports who allocated it. */
static void lend_destroy(struct kunit *test)
{
	struct fixture *fx = lend_zone(test, 0);
	void *addr = lend_here(fx, 2), *held = lend_here(fx, 0);
	char who[64], held_by[64];

	holder(fx, addr, who, sizeof(who));
	holder(fx, held, held_by, sizeof(held_by));
	fixture_set_referenced(addr + PAGE_SIZE, true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	scnprintf(fx->expected, sizeof(fx->expected),
		  "cannot be destroyed: 5 pages in use, first: frame 4, 1 page, held by %s",
		  held_by);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), fx->expected);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, held, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	scnprintf(fx->expected, sizeof(fx->expected),
		  "cannot be destroyed: 4 pages still lent to the kernel, first: frame 0, 4 pages, allocated by %s",
		  who);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), fx->expected);
	FIXTURE_EXPECT_VALID(fx);
	fixture_set_referenced(addr + PAGE_SIZE, false);
}

/* A user may drop the pages themselves and end the zone all the same; nothing is written then. */
static void lend_abandon(struct kunit *test)
{
	struct fixture *fx = lend_zone(test, MYALLOC_POISON);
	u8 *addr = lend_here(fx, 2), *done = lend_here(fx, 0);

	memset(addr, 0x22, 4 * PAGE_SIZE);
	fixture_set_referenced(addr, true);
	fixture_set_referenced(done, true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, done, 0), 0);
	fixture_set_referenced(done, false);
	KUNIT_EXPECT_EQ(test, myalloc_quarantine_abandon(fx->zone), 4);
	KUNIT_EXPECT_NULL(test, memchr_inv(addr, 0x22, 4 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, myalloc_quarantine_abandon(fx->zone), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	fixture_set_referenced(addr, false);
}

/* An ordinary block must not be lent: a zone with checks detects it and keeps the block. */
static void lend_not_lendable(struct kunit *test)
{
	struct fixture *fx = lend_zone(test, MYALLOC_SANITY), *plain = lend_zone(test, 0);
	void *addr = myalloc_pages_alloc(fx->zone, 1, 0);
	void *other = myalloc_pages_alloc(plain->zone, 1, 0);
	char who[64];

	fixture_symbol(frame_of(fx, addr)->caller, who, sizeof(who));
	fixture_set_referenced(addr + PAGE_SIZE, true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 1), 0);
	scnprintf(fx->expected, sizeof(fx->expected),
		  "frame 0, order 1, was freed while lent, and is not lendable; allocated by %s",
		  who);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), fx->expected);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	KUNIT_EXPECT_EQ(test, fx->stats.quarantined_pages, 2);
	FIXTURE_EXPECT_VALID(fx);
	fixture_set_referenced(addr + PAGE_SIZE, false);
	KUNIT_EXPECT_EQ(test, myalloc_quarantine_poll(fx->zone, 1), 1);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));

	/* Without checks this is not detected. */
	fixture_set_referenced(other, true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(plain->zone, other, 1), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(plain)->quarantines + plain->stats.corruptions, 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(plain));
	fixture_set_referenced(other, false);
}

/*
 * Nor may an extent. Its piece with the lent page goes to quarantine, the others are freed. The
 * extent cannot be shortened by pages that are lent.
 */
static void lend_extent(struct kunit *test)
{
	struct fixture *fx = lend_zone(test, MYALLOC_POISON);
	u8 *addr = myalloc_pages_alloc_exact(fx->zone, 7, 0, 0);	/* pieces of 4, 2 and 1 */
	unsigned long caller = 1;
	char who[64];

	KUNIT_ASSERT_NOT_NULL(test, addr);
	fixture_symbol(frame_of(fx, addr)->caller, who, sizeof(who));
	memset(addr, 0x22, 7 * PAGE_SIZE);
	fixture_set_referenced(addr + 5 * PAGE_SIZE, true);
	KUNIT_EXPECT_FALSE(test, myalloc_extent_resize(fx->zone, addr, 7, 5, 0, 0, caller));
	KUNIT_EXPECT_TRUE(test, myalloc_extent_resize(fx->zone, addr, 7, 6, 0, 0,
						      frame_of(fx, addr)->caller));
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 6), 0);
	scnprintf(fx->expected, sizeof(fx->expected),
		  "frame 4, order 1, was freed while lent, and is not lendable; allocated by %s",
		  who);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), fx->expected);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	KUNIT_EXPECT_EQ(test, fx->stats.quarantined_pages, 2);
	KUNIT_EXPECT_EQ(test, fx->stats.free_pages, NR_PAGES - 2);
	KUNIT_EXPECT_NULL(test, memchr_inv(addr + 4 * PAGE_SIZE, 0x22, 2 * PAGE_SIZE));
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 6), -EINVAL);
	fixture_set_referenced(addr + 5 * PAGE_SIZE, false);
	KUNIT_EXPECT_EQ(test, myalloc_quarantine_poll(fx->zone, 1), 1);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* Nor may an object: detected when its slab returns to the zone. */
static void lend_object(struct kunit *test)
{
	struct fixture *fx = lend_zone(test, MYALLOC_SANITY);
	struct myalloc_cache *cache = fixture_cache(fx, "c", 1000, 0);
	void *object = myalloc_cache_alloc(cache, 0), *page;
	u32 nr = BIT(cache->layout.order);

	KUNIT_ASSERT_NOT_NULL(test, object);
	page = (void *)((unsigned long)object & PAGE_MASK);
	fixture_set_referenced(page, true);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	myalloc_cache_shrink(cache);
	scnprintf(fx->expected, sizeof(fx->expected),
		  "frame 0, order %u: an object of cache %u was freed while lent, and objects are not lendable",
		  cache->layout.order, cache->id);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), fx->expected);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	KUNIT_EXPECT_EQ(test, fx->stats.quarantined_pages, nr);
	KUNIT_EXPECT_EQ(test, fx->stats.slab_pages, 0);
	FIXTURE_EXPECT_VALID(fx);
	fixture_set_referenced(page, false);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), nr);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* A simulated zone has no struct pages, so a freed lendable block has no references. */
static void lend_simulated(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 6, .no_magazines = true, .simulated = true,
		.checks = MYALLOC_POISON,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void *addr = myalloc_pages_alloc(fx->zone, 2, 0), *lent = lend_here(fx, 2);

	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, lent, 2), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* Z1, Q1 */
static void lend_validate(struct kunit *test)
{
	struct fixture *fx = lend_zone(test, 0);
	void *addr = lend_here(fx, 1), *lent = lend_here(fx, 0);
	u16 *const cache[] = { &frame_of(fx, addr)->cache, &frame_of(fx, lent)->cache };
	unsigned int i;

	fixture_set_referenced(addr, true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 1), 0);
	atomic64_inc(&fx->zone->nr_quarantined);
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_STREQ(test, fx->v.first, "Q1: 2 frames are in quarantine, counted 3");
	/* Not compared while a free is in progress. */
	frame_of(fx, lent)->type = MYALLOC_FRAME_FREEING;
	FIXTURE_EXPECT_VALID(fx);
	frame_of(fx, lent)->cache = 1;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	frame_of(fx, lent)->cache = 0;
	frame_of(fx, lent)->type = MYALLOC_FRAME_LENT;
	atomic64_dec(&fx->zone->nr_quarantined);
	FIXTURE_EXPECT_VALID(fx);
	for (i = 0; i < 2; i++) {
		*cache[i] = 7;
		KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
		KUNIT_EXPECT_EQ(test, strncmp(fx->v.first, "Z1:", 3), 0);
		*cache[i] = 0;
	}
	fixture_set_referenced(addr, false);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, lent, 0), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static struct fixture *hooked;
static const char *hook_where;
static void *hook_page;
static unsigned int hook_calls;
static int hook_err;
static bool hook_poll;

static void come_in(void *arg)
{
	if (hook_page)
		hook_err = myalloc_pages_free(hooked->zone, hook_page, 0);
	if (hook_poll)
		myalloc_quarantine_poll(hooked->zone, UINT_MAX);
	FIXTURE_EXPECT_VALID(hooked);
}

static void hook_there(const char *where)
{
	if (!strcmp(where, hook_where) && !hook_calls++)
		fixture_on_cpu(1, come_in, NULL);
}

/* During the free another block enters quarantine, or another task polls and validates. */
static void lend_race(struct kunit *test)
{
	static const char * const points[] = {
		"page-checked", "quarantine-counted", "quarantine-push",
	};
	unsigned int i, k;

	if (!fixture_set_hook(NULL))
		kunit_skip(test, "no hook here");
	for (i = 0; i < ARRAY_SIZE(points); i++)
		for (k = 0; k < 4; k++) {
			struct fixture *fx = lend_zone(test, 0);
			void *addr = lend_here(fx, 0);

			hooked = fx;
			hook_where = points[i];
			hook_calls = 0;
			hook_err = 0;
			hook_page = k & 1 ? lend_here(fx, 0) : NULL;
			hook_poll = k & 2;
			fixture_set_referenced(addr, true);
			if (hook_page)
				fixture_set_referenced(hook_page, true);
			fixture_set_hook(hook_there);
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 0), 0);
			fixture_set_hook(NULL);
			KUNIT_EXPECT_GE(test, hook_calls, 1);
			KUNIT_EXPECT_EQ(test, hook_err, 0);
			KUNIT_EXPECT_EQ(test, fixture_stats(fx)->quarantined_pages,
					hook_page ? 2 : 1);
			FIXTURE_EXPECT_VALID(fx);
			fixture_set_referenced(addr, false);
			if (hook_page)
				fixture_set_referenced(hook_page, false);
			KUNIT_EXPECT_EQ(test, myalloc_quarantine_poll(fx->zone, UINT_MAX),
					hook_page ? 2 : 1);
			KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
		}
}

/* Two overlapping frees of the same block. */
static void lend_free_race(struct kunit *test)
{
	struct fixture *fx = lend_zone(test, 0);

	if (!fixture_set_hook(NULL))
		kunit_skip(test, "no hook here");
	hooked = fx;
	hook_where = "page-checked";
	hook_calls = 0;
	hook_poll = false;
	hook_page = lend_here(fx, 0);
	fixture_set_referenced(hook_page, true);
	fixture_set_hook(hook_there);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, hook_page, 0), -EINVAL);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, hook_err, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_FREE], 1);
	KUNIT_EXPECT_EQ(test, fx->stats.quarantined_pages, 1);
	fixture_set_referenced(hook_page, false);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 1);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static struct kunit_case lend_cases[] = {
	KUNIT_CASE(lend_blocks),
	KUNIT_CASE(lend_no_runs),
	KUNIT_CASE(lend_bad_frees),
	KUNIT_CASE(lend_quarantine),
	KUNIT_CASE(lend_poll_turns),
	KUNIT_CASE(lend_others_poll),
	KUNIT_CASE(lend_drain_many),
	KUNIT_CASE(lend_nmi),
	KUNIT_CASE(lend_destroy),
	KUNIT_CASE(lend_abandon),
	KUNIT_CASE(lend_not_lendable),
	KUNIT_CASE(lend_extent),
	KUNIT_CASE(lend_object),
	KUNIT_CASE(lend_simulated),
	KUNIT_CASE(lend_validate),
	KUNIT_CASE(lend_race),
	KUNIT_CASE(lend_free_race),
	{}
};

static struct kunit_suite lend_suite = {
	.name = "myalloc_lend",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = lend_cases,
};

kunit_test_suite(lend_suite);
