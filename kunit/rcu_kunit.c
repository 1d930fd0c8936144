// SPDX-License-Identifier: GPL-2.0
/* Tests of frees after a grace period of RCU: content that readers see, and wrong frees. */
#include "env.h"

#include <kunit/test.h>

#include <linux/rcupdate.h>

#include "fixture.h"
#include "myalloc_client.h"
#include "object/cache.h"

struct item {
	u64 value;
	struct myalloc_rcu head;
	u64 after;
};

static struct fixture *zone_of(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 64, .chunk_order = 4 };

	return fixture_zone(test, &args);
}

static struct item *item_of(struct kunit *test, struct myalloc_cache *cache)
{
	struct item *item = myalloc_cache_alloc(cache, 0);

	KUNIT_ASSERT_NOT_NULL(test, item);
	item->value = 1;
	item->after = 2;
	return item;
}

static u64 live(struct myalloc_cache *cache)
{
	struct myalloc_cache_stats stats;

	myalloc_cache_stats(cache, &stats);
	return stats.live_objects;
}

static void expect_end(struct fixture *fx, struct myalloc_cache *cache)
{
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(fx->test, live(cache), 0);
	KUNIT_EXPECT_EQ(fx->test, myalloc_cache_destroy(cache), 0);
}

/* An object does not change while it is read, even with checks that poison free objects. */
static void rcu_reader(struct kunit *test)
{
	const myalloc_cache_flags_t flags[] = {
		0, MYALLOC_CERTAIN, MYALLOC_TRUSTING, MYALLOC_ZERO_FREE,
		MYALLOC_POISON | MYALLOC_REDZONE | MYALLOC_OWNER,
	};
	struct fixture *fx = zone_of(test);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct myalloc_cache *cache =
			fixture_cache(fx, "items", sizeof(struct item), flags[i]);
		struct item *item = item_of(test, cache);

		rcu_read_lock();
		KUNIT_EXPECT_EQ(test, myalloc_cache_free_rcu(cache, item, &item->head), 0);
		KUNIT_EXPECT_EQ(test, item->value, 1);
		KUNIT_EXPECT_EQ(test, item->after, 2);
		KUNIT_EXPECT_EQ(test, live(cache), 1);
		rcu_read_unlock();
		rcu_barrier();
		expect_end(fx, cache);
	}
}

/* Of two frees of one object before the grace period has passed, the second is refused. */
static void rcu_twice(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_cache *cache = fixture_cache(fx, "items", sizeof(struct item), 0);
	struct item *item = item_of(test, cache);

	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_rcu(cache, item, &item->head), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_rcu(cache, item, &item->head), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, item), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, item), -EINVAL);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_FREE], 3);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_FREE], 3);
	KUNIT_EXPECT_EQ(test, fx->stats.corruptions, 0);
	expect_end(fx, cache);
}

/* A free of anything but an object of the cache is refused before the head is written to. */
static void rcu_foreign(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_cache *cache = fixture_cache(fx, "items", sizeof(struct item), 0);
	struct myalloc_cache *other = fixture_cache(fx, "other", sizeof(struct item), 0);
	struct item *theirs = item_of(test, other);
	struct item *none = fixture_zalloc(test, sizeof(*none));
	struct item *freed = item_of(test, cache);

	KUNIT_EXPECT_EQ(test, myalloc_cache_free_rcu(cache, none, &none->head), -EINVAL);
	KUNIT_EXPECT_NULL(test, memchr_inv(none, 0, sizeof(*none)));
	theirs->head.object = test;
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_rcu(cache, theirs, &theirs->head), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, theirs->head.object, test);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, freed), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_rcu(cache, freed, &freed->head), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_FOREIGN], 1);
	KUNIT_EXPECT_EQ(test, fx->stats.bad[MYALLOC_BAD_CACHE], 1);
	KUNIT_EXPECT_EQ(test, fx->stats.bad[MYALLOC_BAD_FREE], 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(other, theirs), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(other), 0);
	rcu_barrier();
	expect_end(fx, cache);
}

static struct kunit_case rcu_cases[] = {
	KUNIT_CASE(rcu_reader),
	KUNIT_CASE(rcu_twice),
	KUNIT_CASE(rcu_foreign),
	{}
};

static struct kunit_suite rcu_suite = {
	.name = "myalloc_rcu",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rcu_cases,
};

kunit_test_suite(rcu_suite);
