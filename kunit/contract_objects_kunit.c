// SPDX-License-Identifier: GPL-2.0
/* Tests of lines of objects: slabs, slots, magazines. */
#include "env.h"

#include <kunit/test.h>

#include "contract_fixture.h"
#include "object/upkeep.h"
#include "page/drain.h"

/* K objects for each CPU in turn, while the magazines of all others are full. */
static void promise(struct kunit *test, u32 size, u32 count, myalloc_cache_flags_t flags)
{
	const struct myalloc_contract_line line = objects_line(count, size, flags);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_cache *cache = myalloc_contract_cache(c, 0);
	void **objects = fixture_array(test, MANY), **pages = fixture_array(test, MANY);
	struct work w = { .cache = cache, .objects = objects };
	u32 others = take_all(fx, pages), slots, each = 2 * cache->mags.capacity, cpu;
	struct myalloc_contract_stats *stats;

	slots = c->part[0].plan.slabs * c->part[0].plan.objects;
	KUNIT_EXPECT_EQ(test, each * num_possible_cpus(), c->part[0].plan.held);
	for (cpu = 0; cpu < fixture_nr_cpus(); cpu++) {
		u32 k;

		for (k = 0; k < fixture_nr_cpus(); k++) {
			w.nr = each;
			alloc_work(&w);
			myalloc_cache_drain(cache);
			fixture_on_cpu(k, free_work, &w);
		}
		w.nr = count;
		fixture_on_cpu(cpu, alloc_work, &w);
		KUNIT_ASSERT_EQ_MSG(test, w.done, count, "size %u, CPU %u", size, cpu);
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, count);
		fixture_on_cpu(cpu + 1, free_work, &w);
		KUNIT_ASSERT_EQ(test, w.done, count);
	}
	/* No more objects than slots are served; all slabs stay, however short memory is. */
	myalloc_cache_drain(cache);
	w.nr = slots + 1;
	alloc_work(&w);
	stats = line_stats(c, 0);
	KUNIT_EXPECT_EQ(test, w.done, slots);
	KUNIT_EXPECT_EQ(test, stats->kind, MYALLOC_CONTRACT_OBJECTS);
	KUNIT_EXPECT_EQ(test, stats->declared, count);
	KUNIT_EXPECT_EQ(test, stats->live, slots);
	KUNIT_EXPECT_EQ(test, stats->beyond, 1);
	KUNIT_EXPECT_EQ(test, stats->sites[0].count, 1);
	KUNIT_EXPECT_GE(test, stats->peak, count);
	KUNIT_EXPECT_EQ(test, stats->failed_within, 0);
	w.nr = slots;
	free_work(&w);
	KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(cache), 0);
	myalloc_zone_drain(c->part[0].zone);
	KUNIT_EXPECT_EQ(test, myalloc_cache_slabs(cache), c->part[0].plan.slabs);
	objects[0] = myalloc_cache_alloc(cache, 0);
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, objects[0]), size);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, objects[0]), 0);
	give_all(fx, pages, others);
	expect_end(fx, c);
	fixture_end(fx);
	kunit_kfree(test, objects);
	kunit_kfree(test, pages);
}

static void contract_objects(struct kunit *test)
{
	u32 eighth = 8 * num_possible_cpus();

	promise(test, 64, 1, 0);
	promise(test, 64, eighth - 1, 0);
	promise(test, 64, eighth, 0);
	promise(test, 200, 5 * eighth, 0);
	promise(test, 1000, 300, MYALLOC_TRUSTING);
	promise(test, 100, 300, MYALLOC_CERTAIN | MYALLOC_RANDOM);
	promise(test, 100, 300, MYALLOC_CHECKS);
	promise(test, 5000, 30, MYALLOC_ZERO_FREE);
	promise(test, MYALLOC_MAX_OBJECT, 3, 0);
}

/* The first request that finds no slot detects a missing slab or slot. */
static void contract_slots(struct kunit *test)
{
	const struct myalloc_contract_line line = objects_line(300, 500, MYALLOC_NO_MAGAZINE);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	u32 slots = c->part[0].plan.slabs * c->part[0].plan.objects;
	struct work w = {
		.cache = myalloc_contract_cache(c, 0),
		.objects = fixture_array(test, MANY),
		.nr = slots,
	};

	alloc_work(&w);
	KUNIT_ASSERT_EQ(test, w.done, slots);
	c->part[0].declared = slots + 1;
	KUNIT_EXPECT_NULL(test, myalloc_cache_alloc(w.cache, 0));
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->failed_within, 1);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 0);
	c->part[0].declared = 300;
	/* As if all objects but K had been freed and their slots lost; then one more. */
	KUNIT_ASSERT_GE(test, slots, 300);
	w.cache->frees += slots - 300;
	KUNIT_EXPECT_NULL(test, myalloc_cache_alloc(w.cache, 0));
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->failed_within, 1);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 1);
	w.cache->frees++;
	KUNIT_EXPECT_NULL(test, myalloc_cache_alloc(w.cache, 0));
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->failed_within, 2);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 1);
	/* Detected damage voids the contract. */
	atomic64_inc(&w.cache->corruptions);
	KUNIT_EXPECT_NULL(test, myalloc_cache_alloc(w.cache, 0));
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->failed_within, 2);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 2);
	atomic64_dec(&w.cache->corruptions);
	w.cache->frees -= slots - 299;
	free_work(&w);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* The magazines are those of the plan: larger ones would hold more slots than it has for them. */
static void contract_magazines(struct kunit *test)
{
	const struct myalloc_contract_line line = objects_line(300, 64, 0);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_cache *cache = myalloc_contract_cache(c, 0);
	u32 capacity = cache->mags.capacity;

	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_cache_resize(cache, capacity + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_cache_resize(cache, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_log_count("its magazines stay as the contract was planned"),
			2);
	KUNIT_EXPECT_EQ(test, cache->mags.capacity, capacity);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_ASSERT_EQ(test, myalloc_cache_fix_magazines(cache, capacity + 1), 0);
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(fx->v.first, "J3: frob.0: magazines "), "%s",
				  fx->v.first);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), -EBUSY);
	KUNIT_ASSERT_EQ(test, myalloc_cache_fix_magazines(cache, capacity), 0);
	cache->mags.depot++;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(fx->v.first, "J3: frob.0: magazines "), "%s",
				  fx->v.first);
	cache->mags.depot--;
	expect_end(fx, c);
}

static struct kunit_case contract_objects_cases[] = {
	KUNIT_CASE(contract_objects),
	KUNIT_CASE(contract_slots),
	KUNIT_CASE(contract_magazines),
	{}
};

static struct kunit_suite contract_objects_suite = {
	.name = "myalloc_contract_objects",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = contract_objects_cases,
};

kunit_test_suite(contract_objects_suite);
