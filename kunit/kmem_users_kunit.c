// SPDX-License-Identifier: GPL-2.0
/* Tests of kmem_cache features beside alloc and free: prefill, memory typesafe by RCU. */
#include "env.h"

#include <kunit/test.h>

#include "object/limbo.h"
#include "slab_fixture.h"

/* --- prefill ---------------------------------------------------------------------------- */

/* A prefill always serves all of its objects, on whatever CPU its holder runs. */
static void prefill_holds(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "c", EIGHT_A_SLAB, 0);
	void **o = object_array(test), *got[10], *array[10], *p;
	struct myalloc_prefill prefill;
	u32 nr = 0, i;

	KUNIT_EXPECT_EQ(test, myalloc_cache_prefill(cache, MYALLOC_ZERO, 10, array, &prefill), 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 10);
	while ((p = myalloc_cache_alloc(cache, 0)))	/* others take all the rest */
		o[nr++] = p;
	for (i = 0; i < 10; i++) {
		got[i] = myalloc_prefill_alloc(&prefill);
		KUNIT_ASSERT_NOT_NULL(test, got[i]);
		KUNIT_EXPECT_NULL(test, memchr_inv(got[i], 0, EIGHT_A_SLAB));
	}
	KUNIT_EXPECT_NULL(test, myalloc_prefill_alloc(&prefill));
	KUNIT_EXPECT_EQ(test, myalloc_prefill_return(&prefill), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(cache, 10, got), 10);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(cache, nr, o), nr);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* A prefill gets all objects or none; those not taken are returned, once. */
static void prefill_all_or_none(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "c", EIGHT_A_SLAB, 0);
	void **o = object_array(test), *p;
	struct myalloc_prefill prefill;

	KUNIT_EXPECT_EQ(test, myalloc_cache_prefill(cache, 0, OBJECTS_MAX, o, &prefill), -ENOMEM);
	KUNIT_EXPECT_NULL(test, myalloc_prefill_alloc(&prefill));
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_prefill(cache, MYALLOC_TOPDOWN, 1, o, &prefill),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, myalloc_cache_prefill(cache, 0, 5, o, &prefill), 0);
	p = myalloc_prefill_alloc(&prefill);
	KUNIT_EXPECT_EQ(test, myalloc_prefill_return(&prefill), 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 1);
	KUNIT_EXPECT_EQ(test, myalloc_prefill_return(&prefill), 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, p), 0);
	/* The free of an object that was never taken is detected. */
	KUNIT_EXPECT_EQ(test, myalloc_cache_prefill(cache, 0, 2, o, &prefill), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[0]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_prefill_return(&prefill), -EINVAL);
	KUNIT_EXPECT_EQ(test, stats_of(cache).bad_frees, 1);
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
}

/* --- typesafe by RCU ------------------------------------------------------------------------ */

struct item {
	u64 key;
	u64 magic;
	u64 other[6];
};

#define MAGIC	0x6d616769636b6579ULL

static void make_item(void *object)
{
	struct item *item = object;

	item->key = 0;
	item->magic = MAGIC;
}

static void typesafe(struct kunit *test, myalloc_cache_flags_t checks,
		     myalloc_cache_flags_t flags)
{
	const struct fixture_args zone_args = {
		.nr_pages = 64, .chunk_order = 6, .checks = checks,
	};
	const struct myalloc_cache_args args = {
		.name = "nodes", .object_size = sizeof(struct item), .ctor = make_item,
		.flags = MYALLOC_TYPESAFE_RCU | flags,
	};
	struct fixture *fx = fixture_zone(test, &zone_args);
	struct myalloc_cache *cache = myalloc_cache_create(fx->zone, &args);
	void **o = object_array(test);
	const u32 nr = 500;
	unsigned long lock_irq, irq;
	u32 i, same = 0, limbo;
	int err = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	for (i = 0; i < nr; i++) {
		o[i] = myalloc_cache_alloc(cache, 0);
		((struct item *)o[i])->key = i;
	}
	/* A reader has found objects; meanwhile they are freed, and their slabs leave. */
	preempt_disable();
	raw_spin_lock_irqsave(&cache->lock, lock_irq);
	irq = fixture_nmi_enter();
	for (i = 0; i < 100; i++)
		err |= myalloc_cache_free(cache, o[i]);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&cache->lock, lock_irq);
	for (; i < nr; i++)
		err |= myalloc_cache_free(cache, o[i]);
	limbo = cache->nr_limbo;
	myalloc_limbo_harvest(fx->zone, U32_MAX);
	for (i = 0; i < nr; i++) {
		same += ((struct item *)o[i])->key == i;
		same += ((struct item *)o[i])->magic == MAGIC;
	}
	preempt_enable();
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, same, 2 * nr);
	if (PAGE_SHIFT == 12 && flags & MYALLOC_NO_MAGAZINE)
		KUNIT_EXPECT_GT(test, limbo, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).corruptions, 0);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	fixture_end(fx);
}

/* A freed object keeps its content for readers, wherever it lies, with checks too. */
static void typesafe_content(struct kunit *test)
{
	typesafe(test, 0, 0);
	typesafe(test, 0, MYALLOC_NO_MAGAZINE);
	typesafe(test, 0, MYALLOC_CERTAIN);
	typesafe(test, 0, MYALLOC_REDZONE | MYALLOC_OWNER | MYALLOC_SANITY);
	typesafe(test, MYALLOC_POISON, 0);
}

/* Without a constructor as well. */
static void typesafe_plain(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "c", 64, MYALLOC_TYPESAFE_RCU);
	u64 *object = myalloc_cache_alloc(cache, 0);
	unsigned long lock_irq, irq;

	memset(object, 0x5a, 64);
	raw_spin_lock_irqsave(&cache->lock, lock_irq);
	irq = fixture_nmi_enter();
	myalloc_cache_free(cache, object);	/* deferred, or in a magazine */
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&cache->lock, lock_irq);
	KUNIT_EXPECT_NULL(test, memchr_inv(object, 0x5a, 64));
	myalloc_cache_drain(cache);
	KUNIT_EXPECT_NULL(test, memchr_inv(object, 0x5a, 64));
	KUNIT_EXPECT_GE(test, cache->layout.link_offset, 64);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
}

static void typesafe_args(struct kunit *test)
{
	static const myalloc_cache_flags_t bad[] = {
		MYALLOC_POISON, MYALLOC_ZERO_ALLOC, MYALLOC_ZERO_FREE,
	};
	struct fixture *fx = small_zone(test);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct myalloc_cache_args args = {
			.name = "c", .object_size = 8, .flags = MYALLOC_TYPESAFE_RCU | bad[i],
		};

		fixture_log_mark();
		KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_cache_create(fx->zone, &args)), -EINVAL);
		KUNIT_EXPECT_EQ(test, fixture_log_count("cache c: typesafe by RCU excludes poison"),
				1);
	}
}

static struct kunit_case kmem_users_cases[] = {
	KUNIT_CASE(prefill_holds),
	KUNIT_CASE(prefill_all_or_none),
	KUNIT_CASE(typesafe_content),
	KUNIT_CASE(typesafe_plain),
	KUNIT_CASE(typesafe_args),
	{}
};

static struct kunit_suite kmem_users_suite = {
	.name = "myalloc_kmem_users",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = kmem_users_cases,
};

kunit_test_suite(kmem_users_suite);
