// SPDX-License-Identifier: GPL-2.0
/* Tests of object pools: guaranteed allocations, slabs set aside, refused requests. */
#include "env.h"

#include <kunit/test.h>

#include "front/pool.h"
#include "object/limbo.h"
#include "slab_fixture.h"

#define MANY	2048	/* objects or pages of a test at most */

static struct fixture *zone_of(struct kunit *test, myalloc_cache_flags_t checks)
{
	const struct fixture_args args = { .nr_pages = 512, .chunk_order = 8, .checks = checks };

	return fixture_zone(test, &args);
}

static void expect_invariants(struct kunit *test, const struct myalloc_pool *pool)
{
	const struct myalloc_cache *cache = pool->cache;
	u64 in = atomic64_read(&pool->spares.in);
	u32 i;

	/* O1, O2 */
	KUNIT_EXPECT_GE(test, (u64)cache->set_aside * cache->layout.objects,
			(u64)pool->nr + pool->held + 2 * pool->nmi);
	KUNIT_EXPECT_LT(test, (u64)(cache->set_aside - 1) * cache->layout.objects,
			(u64)pool->nr + pool->held + 2 * pool->nmi);
	KUNIT_EXPECT_EQ(test, pool->held, 2 * num_possible_cpus() * cache->mags.capacity);
	KUNIT_EXPECT_LE(test, 4 * pool->held, pool->nr);
	KUNIT_EXPECT_EQ(test, cache->mags.depot, 0);
	if (cache->mags.capacity)
		KUNIT_EXPECT_EQ(test, cache->mags.places, num_possible_cpus());
	for (i = 0; i < pool->nmi; i++)	/* O3 */
		KUNIT_EXPECT_EQ(test, *myalloc_object_state(cache, pool->spares.object[i]) ==
				MYALLOC_SLOT_MOVING, !!(in & BIT_ULL(i)));
}

static struct myalloc_pool *pool_of(struct fixture *fx, const struct myalloc_pool_args *args)
{
	struct myalloc_pool *pool = myalloc_pool_create(fx->zone, args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, pool);
	expect_invariants(fx->test, pool);
	return pool;
}

static void expect_end(struct fixture *fx, struct myalloc_pool *pool)
{
	expect_invariants(fx->test, pool);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(fx->test, myalloc_pool_destroy(pool), 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(fx->test, fixture_pristine(fx));
}

static struct myalloc_pool_stats stats_now(struct myalloc_pool *pool)
{
	struct myalloc_pool_stats stats;

	myalloc_pool_stats(pool, &stats);
	return stats;
}

/* Let others take every page. Returns their number. */
static u32 take_all(struct fixture *fx, void **pages)
{
	u32 nr = 0;

	do
		KUNIT_ASSERT_LT(fx->test, nr, MANY);
	while ((pages[nr] = myalloc_pages_alloc(fx->zone, 0, MYALLOC_MAY_WAIT)) && ++nr);
	KUNIT_EXPECT_EQ(fx->test, fixture_stats(fx)->free_pages, 0);
	return nr;
}

static void give_all(struct fixture *fx, void **pages, u32 nr)
{
	while (nr)
		KUNIT_EXPECT_EQ(fx->test, myalloc_pages_free(fx->zone, pages[--nr], 0), 0);
}

/* Work of a CPU on a pool. */
struct work {
	struct myalloc_pool *pool;
	void **objects;
	u32 nr;
	u32 done;
};

static void alloc_work(void *arg)
{
	struct work *w = arg;

	for (w->done = 0; w->done < w->nr; w->done++) {
		w->objects[w->done] = myalloc_pool_alloc(w->pool, 0);
		if (!w->objects[w->done])
			break;
		memset(w->objects[w->done], 0x5a, w->pool->cache->layout.object_size);
	}
}

static void free_work(void *arg)
{
	struct work *w = arg;

	for (w->done = 0; w->done < w->nr; w->done++)
		if (myalloc_pool_free(w->pool, w->objects[w->done]))
			break;
}

/* Fill the magazines of all CPUs: other CPUs cannot get these objects. */
static void hoard(struct fixture *fx, struct myalloc_pool *pool, void **objects)
{
	u32 each = 2 * pool->cache->mags.capacity, cpus = fixture_nr_cpus(), cpu;
	struct work w = { .pool = pool, .objects = objects, .nr = each * cpus };

	alloc_work(&w);
	KUNIT_ASSERT_EQ(fx->test, w.done, each * cpus);
	myalloc_cache_drain(pool->cache);
	w.nr = each;
	for (cpu = 0; cpu < cpus; cpu++, w.objects += each) {
		fixture_on_cpu(cpu, free_work, &w);
		KUNIT_EXPECT_EQ(fx->test, w.done, each);
	}
	KUNIT_EXPECT_EQ(fx->test, stats_now(pool).cached_objects, each * cpus);
}

/* --- guaranteed allocations ---------------------------------------------------------- */

static void promise(struct kunit *test, u32 size, u32 nr, myalloc_cache_flags_t flags)
{
	const struct myalloc_pool_args args = {
		.name = "pool", .object_size = size, .nr = nr, .flags = flags,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);
	void **objects = fixture_array(test, MANY), **pages = fixture_array(test, MANY);
	struct work w = { .pool = pool, .objects = objects, .nr = nr };
	u32 cpus = fixture_nr_cpus(), cpu, others = take_all(fx, pages), capacity;

	capacity = pool->cache->mags.capacity;
	KUNIT_EXPECT_EQ(test, !capacity, nr < 8 * num_possible_cpus() ||
			flags & (MYALLOC_CHECKS | MYALLOC_NO_MAGAZINE));
	/* Each CPU in turn allocates all of them, while the magazines of the others are full. */
	for (cpu = 0; cpu < cpus; cpu++) {
		hoard(fx, pool, objects);
		fixture_on_cpu(cpu, alloc_work, &w);
		KUNIT_ASSERT_EQ_MSG(test, w.done, nr, "size %u, CPU %u", size, cpu);
		KUNIT_EXPECT_EQ(test, stats_now(pool).live_objects, nr);
		fixture_on_cpu(cpu + 1, free_work, &w);
		KUNIT_ASSERT_EQ(test, w.done, nr);
	}
	KUNIT_EXPECT_EQ(test, stats_now(pool).fails, 0);
	KUNIT_EXPECT_EQ(test, stats_now(pool).slabs, pool->cache->set_aside);
	KUNIT_EXPECT_EQ(test, stats_now(pool).allocs, stats_now(pool).frees);
	give_all(fx, pages, others);
	expect_end(fx, pool);
	fixture_end(fx);
	kunit_kfree(test, objects);
	kunit_kfree(test, pages);
}

/* With all other memory taken, each CPU gets nr objects, whatever others have in magazines. */
static void pool_promise(struct kunit *test)
{
	static const u32 sizes[] = { 8, 64, 200, 1000 };
	const u32 eighth = 8 * num_possible_cpus();
	const u32 nrs[] = { 1, 2, eighth - 1, eighth, eighth + 1, 5 * eighth / 2, 300 };
	u32 i, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (k = 0; k < ARRAY_SIZE(nrs); k++)
			promise(test, sizes[i], nrs[k], 0);
	promise(test, 5000, 70, 0);
	for (k = 0; k < ARRAY_SIZE(nrs); k++) {
		promise(test, 100, nrs[k], MYALLOC_POOL_HARD);
		promise(test, 100, nrs[k], MYALLOC_NO_MAGAZINE);
		promise(test, 100, nrs[k], MYALLOC_TRUSTING);
		promise(test, 100, nrs[k], MYALLOC_CERTAIN | MYALLOC_RANDOM);
		promise(test, 100, nrs[k], MYALLOC_CHECKS);
		promise(test, 100, nrs[k], MYALLOC_ZERO_FREE);
	}
}

/* Magazines have at most the default size; the set-aside is as pool.c states it. */
static void pool_size(struct kunit *test)
{
	const struct myalloc_pool_args args = { .name = "pool", .object_size = 8, .nr = 20000 };
	struct fixture *fx = zone_of(test, 0);
	u32 cpus = num_possible_cpus();
	struct myalloc_pool *pool = pool_of(fx, &args);
	struct myalloc_pool_stats stats = stats_now(pool);

	KUNIT_EXPECT_EQ(test, stats.magazine, min(64u, 20000 / (8 * cpus)));
	KUNIT_EXPECT_EQ(test, stats.held, 2 * cpus * stats.magazine);
	KUNIT_EXPECT_EQ(test, stats.nr, 20000);
	KUNIT_EXPECT_EQ(test, stats.nmi, 0);
	KUNIT_EXPECT_EQ(test, stats.object_size, 8);
	KUNIT_EXPECT_EQ(test, stats.align, 8);
	KUNIT_EXPECT_EQ(test, stats.flags, 0);
	KUNIT_EXPECT_EQ(test, stats.slabs, stats.slabs_set_aside);
	KUNIT_EXPECT_EQ(test, stats.slots, stats.slabs * pool->cache->layout.objects);
	KUNIT_EXPECT_EQ(test, stats.pages, stats.slabs << pool->cache->layout.order);
	KUNIT_EXPECT_EQ(test, stats.live_objects, 0);
	KUNIT_EXPECT_STREQ(test, stats.name, "pool");
	expect_end(fx, pool);
}

/* The worker does not change the magazines, and a CPU that comes online has some. */
static void pool_magazines(struct kunit *test)
{
	const u32 nr = 80 * num_possible_cpus();
	const struct myalloc_pool_args args = { .name = "pool", .object_size = 16, .nr = nr };
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);
	struct myalloc_cache *cache = pool->cache;
	u32 capacity = cache->mags.capacity, i;
	void **objects = fixture_array(test, MANY);

	KUNIT_EXPECT_EQ(test, capacity, 10);
	for (i = 0; i < 40; i++)
		fx->zone->objects.ops->tend(&fx->zone->objects);
	KUNIT_EXPECT_EQ(test, cache->mags.capacity, capacity);
	hoard(fx, pool, objects);
	KUNIT_EXPECT_FALSE(test, cache->mags.wanted);
	fx->zone->objects.ops->serve(&fx->zone->objects);
	KUNIT_EXPECT_EQ(test, cache->mags.capacity, capacity);
	expect_end(fx, pool);
}

/* --- slabs that stay, and slabs that are freed --------------------------------------- */

/* Slabs set aside stay, however memory is reclaimed. */
static void pool_keeps(struct kunit *test)
{
	const struct myalloc_pool_args args = { .name = "pool", .object_size = 500, .nr = 300 };
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);
	u32 slabs = pool->cache->set_aside, i, others;
	void **objects = fixture_array(test, MANY), **pages = fixture_array(test, MANY);
	struct work w = { .pool = pool, .objects = objects, .nr = 1000 };

	KUNIT_EXPECT_GT(test, slabs, MYALLOC_EMPTY_KEEP);
	KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(pool->cache), 0);
	myalloc_zone_drain(fx->zone);
	for (i = 0; i < 3; i++)
		fx->zone->objects.ops->tend(&fx->zone->objects);
	KUNIT_EXPECT_EQ(test, stats_now(pool).slabs, slabs);
	/* More objects are served while there is room; slabs beyond the set-aside do not stay. */
	alloc_work(&w);
	KUNIT_EXPECT_EQ(test, w.done, 1000);
	KUNIT_EXPECT_GT(test, stats_now(pool).slabs, slabs);
	KUNIT_EXPECT_EQ(test, stats_now(pool).live_objects, 1000);
	free_work(&w);
	KUNIT_EXPECT_EQ(test, w.done, 1000);
	KUNIT_EXPECT_GE(test, stats_now(pool).slabs, slabs);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_EQ(test, stats_now(pool).slabs, slabs);
	/* While a few slabs are in use, others may be empty, but those set aside stay. */
	alloc_work(&w);
	w.nr = 990;
	free_work(&w);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_EQ(test, stats_now(pool).slabs, slabs);
	others = take_all(fx, pages);
	KUNIT_EXPECT_EQ(test, stats_now(pool).slabs, slabs);
	w.nr = 290;
	alloc_work(&w);
	KUNIT_EXPECT_EQ(test, w.done, 290);
	give_all(fx, pages, others);
	free_work(&w);
	w.objects = objects + 990;
	w.nr = 10;
	free_work(&w);
	expect_end(fx, pool);
}

/* Expect that validation finds this damage, and nothing after its repair. */
#define DAMAGE(fx, what, value, text)						\
	do {									\
		struct fixture *__fx = (fx);					\
		typeof(what) *__what = &(what), __was = *__what;		\
										\
		*__what = (value);						\
		KUNIT_EXPECT_FALSE(__fx->test, fixture_valid(__fx));		\
		KUNIT_EXPECT_NOT_NULL_MSG(__fx->test, strstr(__fx->v.first, text), \
					  "%s", __fx->v.first);			\
		*__what = __was;						\
		FIXTURE_EXPECT_VALID(__fx);					\
	} while (0)

static struct myalloc_pool *hooked;
static u32 hook_calls;

/* The second spare is taken while validation looks at it. */
static void hook_take(const char *where)
{
	if (!strcmp(where, "pool-spare-seen") && ++hook_calls == 2)
		atomic64_set(&hooked->spares.in, 1);
}

/* Validation checks S8 and O1 to O3. */
static void pool_validate(struct kunit *test)
{
	const u32 nr = 16 * num_possible_cpus();
	const struct myalloc_pool_args args = {
		.name = "pool", .object_size = 500, .nr = nr, .nmi = 2,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);
	u8 *state;

	FIXTURE_EXPECT_VALID(fx);
	DAMAGE(fx, pool->cache->set_aside, pool->cache->set_aside + 1, "S8: cache pool has");
	DAMAGE(fx, pool->cache->set_aside, pool->cache->set_aside - 1, "O1: pool pool: ");
	DAMAGE(fx, pool->nr, pool->nr + pool->cache->layout.objects, "O1: pool pool: ");
	DAMAGE(fx, pool->held, pool->held - 1, "O2: pool pool: ");
	DAMAGE(fx, pool->nr, 4 * pool->held - 1, "O2: pool pool: ");
	DAMAGE(fx, pool->cache->mags.depot, 1, "O2: pool pool: ");
	state = myalloc_object_state(pool->cache, pool->spares.object[1]);
	DAMAGE(fx, *state, MYALLOC_SLOT_LIVE,
	       "O3: pool pool: spare 1 is in the pool, its state is 2");
	/* A spare that is being taken is still MOVING. */
	atomic64_set(&pool->spares.in, 1);
	FIXTURE_EXPECT_VALID(fx);
	*state = MYALLOC_SLOT_LIVE;
	FIXTURE_EXPECT_VALID(fx);
	atomic64_set(&pool->spares.in, 3);
	hooked = pool;
	hook_calls = 0;
	if (fixture_set_hook(hook_take))
		FIXTURE_EXPECT_VALID(fx);
	fixture_set_hook(NULL);
	atomic64_set(&pool->spares.in, 3);
	*state = MYALLOC_SLOT_MOVING;
	expect_end(fx, pool);
}

/* A hard pool fails only when its slots are used up, and then even if the zone has pages. */
static void pool_hard(struct kunit *test)
{
	const struct myalloc_pool_args args = {
		.name = "pool", .object_size = 500, .nr = 300, .nmi = 3,
		.flags = MYALLOC_POOL_HARD,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);
	struct myalloc_pool_stats stats = stats_now(pool);
	void **objects = fixture_array(test, MANY);
	struct work w = { .pool = pool, .objects = objects, .nr = MANY };

	KUNIT_EXPECT_EQ(test, stats.flags, (__force u32)MYALLOC_POOL_HARD);
	alloc_work(&w);
	KUNIT_EXPECT_EQ(test, w.done, stats.slots - 3);	/* spares are for NMIs only */
	stats = stats_now(pool);
	KUNIT_EXPECT_EQ(test, stats.slabs, stats.slabs_set_aside);
	KUNIT_EXPECT_EQ(test, stats.fails, 1);
	/* A request that may wait fails too: other CPUs hold nothing back. */
	KUNIT_EXPECT_NULL(test, myalloc_pool_alloc(pool, MYALLOC_MAY_WAIT));
	KUNIT_EXPECT_EQ(test, stats_now(pool).slabs, stats.slabs_set_aside);
	w.nr = w.done;
	free_work(&w);
	expect_end(fx, pool);
}

/* --- NMI ----------------------------------------------------------------------------- */

struct nmi {
	struct myalloc_pool *pool;
	unsigned long lock_irq;
	unsigned long irq;
};

/* As if an NMI arrived while this CPU holds the cache's lock and is at work on its magazines. */
static void nmi_begin(struct nmi *nmi, struct myalloc_pool *pool)
{
	nmi->pool = pool;
	raw_spin_lock_irqsave(&pool->cache->lock, nmi->lock_irq);
	nmi->irq = fixture_nmi_enter();
}

static void nmi_end(struct nmi *nmi)
{
	fixture_nmi_exit(nmi->irq);
	raw_spin_unlock_irqrestore(&nmi->pool->cache->lock, nmi->lock_irq);
}

static void nmi_round(struct kunit *test, u32 nr, u32 spares, myalloc_cache_flags_t flags)
{
	const struct myalloc_pool_args args = {
		.name = "pool", .object_size = 100, .nr = nr, .nmi = spares, .flags = flags,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);
	void *got[MYALLOC_POOL_NMI_MAX + 1], **objects = fixture_array(test, MANY), *more, *bad;
	void *last = pool->spares.object[spares - 1];
	struct work w = { .pool = pool, .objects = objects, .nr = nr };
	struct nmi nmi;
	u32 i;

	myalloc_cache_drain(pool->cache);	/* magazines are empty */
	nmi_begin(&nmi, pool);
	bad = myalloc_pool_alloc(pool, MYALLOC_TOPDOWN);
	for (i = 0; i < spares; i++)
		got[i] = myalloc_pool_alloc(pool, i % 2 ? MYALLOC_ZERO : 0);
	more = myalloc_pool_alloc(pool, 0);
	nmi_end(&nmi);
	KUNIT_EXPECT_NULL(test, bad);
	KUNIT_EXPECT_NULL(test, more);
	for (i = 0; i < spares; i++) {
		KUNIT_ASSERT_NOT_NULL(test, got[i]);
		if (i % 2)
			KUNIT_EXPECT_NULL(test, memchr_inv(got[i], 0, 100));
		memset(got[i], 0x77, 100);
	}
	KUNIT_EXPECT_EQ(test, stats_now(pool).spares, 0);
	KUNIT_EXPECT_EQ(test, stats_now(pool).live_objects, spares);
	KUNIT_EXPECT_EQ(test, stats_now(pool).allocs, spares);
	KUNIT_EXPECT_EQ(test, stats_now(pool).frees, 0);
	KUNIT_EXPECT_EQ(test, stats_now(pool).fails, 1);
	expect_invariants(test, pool);
	FIXTURE_EXPECT_VALID(fx);
	/* Outside of NMI no spare is used: nr - spares other objects are served, as always. */
	w.nr = nr - spares;
	alloc_work(&w);
	KUNIT_EXPECT_EQ(test, w.done, w.nr);
	/* A freed spare returns to the pool, any other object to the cache, also from NMI. */
	free_work(&w);
	KUNIT_EXPECT_EQ(test, stats_now(pool).spares, 0);
	for (i = 0; i < spares / 2; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, got[i]), 0);
	myalloc_cache_drain(pool->cache);
	nmi_begin(&nmi, pool);
	for (; i < spares; i++)
		if (myalloc_pool_free(pool, got[i]))
			break;
	more = myalloc_pool_alloc(pool, 0);
	nmi_end(&nmi);
	KUNIT_EXPECT_EQ(test, i, spares);
	KUNIT_EXPECT_PTR_EQ(test, more, pool->spares.object[0]);
	if (flags & MYALLOC_ZERO_FREE)
		KUNIT_EXPECT_NULL(test, memchr_inv(fixture_touch(last, 100), 0, 100));
	KUNIT_EXPECT_EQ(test, stats_now(pool).spares, spares - 1);
	KUNIT_EXPECT_EQ(test, stats_now(pool).deferred_objects, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, more), 0);
	KUNIT_EXPECT_EQ(test, stats_now(pool).allocs, stats_now(pool).frees);
	KUNIT_EXPECT_EQ(test, stats_now(pool).live_objects, 0);
	expect_end(fx, pool);
	fixture_end(fx);
	kunit_kfree(test, objects);
}

/* In NMI with the lock held, an allocation gets a spare while there is one; each comes back. */
static void pool_nmi(struct kunit *test)
{
	const u32 nr = 16 * num_possible_cpus();

	nmi_round(test, 2, 1, 0);
	nmi_round(test, nr, 1, 0);
	nmi_round(test, nr, 2, 0);
	nmi_round(test, nr, 7, MYALLOC_POOL_HARD);
	nmi_round(test, 2 * nr + 64, MYALLOC_POOL_NMI_MAX, 0);
	nmi_round(test, nr, 4, MYALLOC_TRUSTING);
	nmi_round(test, nr, 4, MYALLOC_CERTAIN);
	nmi_round(test, nr, 4, MYALLOC_CHECKS);
	nmi_round(test, nr, 4, MYALLOC_ZERO_FREE);
	nmi_round(test, nr, 4, MYALLOC_ZERO_FREE | MYALLOC_TRUSTING);
	nmi_round(test, nr, 4, MYALLOC_ZERO_ALLOC);
	nmi_round(test, nr, 4, MYALLOC_NO_MAGAZINE);
}

/* Without spares, an allocation in NMI may fail, but only while the lock is held. */
static void pool_nmi_none(struct kunit *test)
{
	const struct myalloc_pool_args args = { .name = "pool", .object_size = 100, .nr = 4 };
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);
	unsigned long irq;
	struct nmi nmi;
	void *object;

	nmi_begin(&nmi, pool);
	object = myalloc_pool_alloc(pool, 0);
	nmi_end(&nmi);
	KUNIT_EXPECT_NULL(test, object);
	irq = fixture_nmi_enter();
	object = myalloc_pool_alloc(pool, 0);
	fixture_nmi_exit(irq);
	KUNIT_EXPECT_NOT_NULL(test, object);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, object), 0);
	expect_end(fx, pool);
}

/* Frees deferred in NMI behind one that another CPU is deferring: nmi of them are covered. */
static void pool_nmi_frees(struct kunit *test)
{
	const struct myalloc_pool_args args = {
		.name = "pool", .object_size = min_t(u32, PAGE_SIZE, MYALLOC_MAX_OBJECT),
		.nr = 12, .nmi = 5, .flags = MYALLOC_POOL_HARD,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);
	void **objects = fixture_array(test, MANY);
	struct work w = { .pool = pool, .objects = objects, .nr = 12 };
	u8 *state;
	struct nmi nmi;
	int err = 0;
	u32 i;

	alloc_work(&w);
	KUNIT_ASSERT_EQ(test, w.done, 12);
	nmi_begin(&nmi, pool);
	for (i = 0; i < 5; i++)
		err |= myalloc_pool_free(pool, objects[i]);
	nmi_end(&nmi);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, stats_now(pool).deferred_objects, 5);
	state = myalloc_object_state(pool->cache, objects[4]);	/* the head of the list */
	*state = MYALLOC_SLOT_DEFERRING;
	w.nr = 5;
	alloc_work(&w);
	KUNIT_EXPECT_EQ(test, w.done, 5);
	KUNIT_EXPECT_EQ(test, stats_now(pool).deferred_objects, 5);
	*state = MYALLOC_SLOT_DEFERRED;
	w.nr = 12;
	free_work(&w);
	KUNIT_EXPECT_EQ(test, w.done, 12);
	KUNIT_EXPECT_EQ(test, stats_now(pool).bad_frees, 0);
	expect_end(fx, pool);
}

static void *hook_got;

static void hook_alloc_spare(const char *where)
{
	if (strcmp(where, "pool-spare") || hook_got)
		return;
	hook_got = (void *)1;
	hook_got = myalloc_pool_alloc(hooked, 0);
}

/* Another context takes the spare that an allocation is about to take. */
static void pool_nmi_race(struct kunit *test)
{
	const struct myalloc_pool_args args = {
		.name = "pool", .object_size = 100, .nr = 4, .nmi = 2,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool;
	struct nmi nmi;
	void *got;

	if (!fixture_set_hook(NULL))
		kunit_skip(test, "needs hooks");
	pool = pool_of(fx, &args);
	hooked = pool;
	hook_got = NULL;
	fixture_set_hook(hook_alloc_spare);
	nmi_begin(&nmi, pool);
	got = myalloc_pool_alloc(pool, 0);
	nmi_end(&nmi);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_PTR_EQ(test, hook_got, pool->spares.object[0]);
	KUNIT_EXPECT_PTR_EQ(test, got, pool->spares.object[1]);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, got), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, hook_got), 0);
	expect_end(fx, pool);
}

/* --- wrong frees --------------------------------------------------------------------- */

static void pool_wrong_frees(struct kunit *test)
{
	const struct myalloc_pool_args args = {
		.name = "pool", .object_size = 100, .nr = 40, .nmi = 2,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);
	struct myalloc_cache *cache = pool->cache, *other = fixture_cache(fx, "other", 100, 0);
	void *object = myalloc_pool_alloc(pool, 0), *theirs = myalloc_cache_alloc(other, 0), *spare;
	u32 frame = myalloc_frame_idx(fx->zone, slab_of(cache, pool->spares.object[0]));
	u32 slot = slot_of(cache, pool->spares.object[0]);
	struct nmi nmi;

	/* A spare in the pool has no user, so its free is refused. */
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pool_free(pool, pool->spares.object[0]),
			       MYALLOC_BAD_FREE, TWICE, "pool", "pool", frame, slot);
	myalloc_cache_drain(cache);
	nmi_begin(&nmi, pool);
	spare = myalloc_pool_alloc(pool, 0);
	nmi_end(&nmi);
	KUNIT_ASSERT_PTR_EQ(test, spare, pool->spares.object[0]);
	/* While one spare is in use. */
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, &nmi), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, theirs), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, spare + 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, pool->spares.object[1]), -EINVAL);
	KUNIT_EXPECT_EQ(test, stats_now(pool).spares, 1);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, object), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, spare), 0);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pool_free(pool, spare), MYALLOC_BAD_FREE, TWICE,
			       "pool", "pool", frame, slot);
	KUNIT_EXPECT_EQ(test, stats_now(pool).bad_frees, 8);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(other, theirs), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(other), 0);
	expect_end(fx, pool);
}

/* --- resize -------------------------------------------------------------------------- */

static void pool_resize(struct kunit *test)
{
	const u32 cpus = num_possible_cpus();
	const struct myalloc_pool_args args = {
		.name = "pool", .object_size = 200, .nr = 8 * cpus, .nmi = 3,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);
	void **objects = fixture_array(test, MANY), **pages = fixture_array(test, MANY);
	struct work w = { .pool = pool, .objects = objects };
	u32 sizes[] = { 40 * cpus, 1, 8 * cpus - 1, 8 * cpus, 33 * cpus, 33 * cpus, 2 }, i, others;
	struct myalloc_pool_stats before;

	KUNIT_EXPECT_EQ(test, myalloc_pool_resize(pool, 0), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* Live objects are not affected. */
		w.nr = 5;
		alloc_work(&w);
		KUNIT_EXPECT_EQ(test, myalloc_pool_resize(pool, sizes[i]), 0);
		KUNIT_EXPECT_EQ(test, stats_now(pool).nr, sizes[i]);
		expect_invariants(test, pool);
		FIXTURE_EXPECT_VALID(fx);
		free_work(&w);
		KUNIT_EXPECT_EQ(test, w.done, 5);
		myalloc_zone_drain(fx->zone);
		KUNIT_EXPECT_EQ(test, stats_now(pool).slabs, pool->cache->set_aside);
		others = take_all(fx, pages);
		hoard(fx, pool, objects);
		w.nr = sizes[i];
		alloc_work(&w);
		KUNIT_EXPECT_EQ(test, w.done, w.nr);
		free_work(&w);
		/* A size for which the zone has no memory is refused, and nothing changes. */
		before = stats_now(pool);
		KUNIT_EXPECT_EQ(test, myalloc_pool_resize(pool, 100 * cpus), -ENOMEM);
		KUNIT_EXPECT_EQ(test, myalloc_pool_resize(pool, UINT_MAX), -ENOMEM);
		KUNIT_EXPECT_EQ(test, stats_now(pool).nr, before.nr);
		KUNIT_EXPECT_EQ(test, stats_now(pool).held, before.held);
		KUNIT_EXPECT_EQ(test, stats_now(pool).magazine, before.magazine);
		KUNIT_EXPECT_EQ(test, stats_now(pool).slabs_set_aside, before.slabs_set_aside);
		give_all(fx, pages, others);
	}
	expect_end(fx, pool);
}

/* Without memory for magazines: nothing has changed, and no slab is left over. */
static void pool_resize_fault(struct kunit *test)
{
	const u32 cpus = num_possible_cpus();
	const struct myalloc_pool_args args = {
		.name = "pool", .object_size = 200, .nr = 40 * cpus, .nmi = 1,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool;
	u32 slabs, i;

	if (!fixture_fail_after(0))
		kunit_skip(test, "needs fault injection");
	pool = pool_of(fx, &args);
	slabs = pool->cache->set_aside;
	for (i = 0; i < 2; i++) {
		fixture_fail_after(1);
		KUNIT_EXPECT_EQ(test, myalloc_pool_resize(pool, (i ? 16 : 80) * cpus), -ENOMEM);
		fixture_fail_after(0);
		KUNIT_EXPECT_EQ(test, stats_now(pool).nr, 40 * cpus);
		KUNIT_EXPECT_EQ(test, stats_now(pool).magazine, 5);
		expect_invariants(test, pool);
		myalloc_zone_drain(fx->zone);
		KUNIT_EXPECT_EQ(test, stats_now(pool).slabs, slabs);
	}
	expect_end(fx, pool);
}

/* --- create and destroy -------------------------------------------------------------- */

static void pool_args(struct kunit *test)
{
	static const struct {
		struct myalloc_pool_args args;
		int err;
		const char *text;
	} cases[] = {
		{ { .name = "p", .object_size = 8 }, -EINVAL, "at least 1 object, not 0" },
		{ { .name = "p", .object_size = 8, .nr = 100, .nmi = 65 }, -EINVAL,
		  "at most 64 for NMIs, not 65" },
		{ { .name = "p/q", .object_size = 8, .nr = 1 }, -EINVAL, "a cache's name has" },
		{ { .name = "p", .nr = 1 }, -EINVAL, "cannot lay out objects" },
		{ { .name = "p", .object_size = 8, .nr = 1,
		    .flags = __MYALLOC_CACHE_FLAG(0x20000) }, -EINVAL, "unknown flags 0x20000" },
		{ { .name = "used", .object_size = 8, .nr = 1 }, -EEXIST, "already used" },
		{ { .name = "p", .object_size = 8, .nr = UINT_MAX }, -ENOMEM, NULL },
		/* The arithmetic allows the pool, but other users have taken the pages. */
		{ { .name = "p", .object_size = PAGE_SIZE / 4, .nr = 1200,
		    .flags = MYALLOC_NO_MAGAZINE }, -ENOMEM, NULL },
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_cache *used = fixture_cache(fx, "used", 8, 0);
	void **pages = fixture_array(test, MANY);
	unsigned long live;
	struct myalloc_pool *pool;
	u32 i, k;

	for (i = 0; i < 300; i++)
		pages[i] = myalloc_pages_alloc(fx->zone, 0, 0);
	live = fixture_live_allocs();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fixture_log_mark();
		pool = myalloc_pool_create(fx->zone, &cases[i].args);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(pool), cases[i].err, "case %u", i);
		if (cases[i].text)
			KUNIT_EXPECT_EQ_MSG(test, fixture_log_count(cases[i].text), 1, "case %u",
					    i);
		KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
	}
	give_all(fx, pages, 300);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(used), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pool_destroy(NULL), 0);
	/* Without memory for the pool, its cache, its magazines. */
	for (k = 1; fixture_fail_after(k); k++) {
		const struct myalloc_pool_args args = {
			.name = "p", .object_size = 8, .nr = 1000, .nmi = 2,
		};

		pool = myalloc_pool_create(fx->zone, &args);
		if (!fixture_fail_fired())
			break;
		KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -ENOMEM);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nr_caches, 0);
	}
	fixture_fail_after(0);
	if (k > 1) {
		KUNIT_EXPECT_GE(test, k, 4);
		expect_end(fx, pool);
	}
}

/* The cache of a pool has the pool's name, and no module as its creator. */
static void pool_in_the_way(struct kunit *test)
{
	const struct myalloc_pool_args args = { .name = "pool", .object_size = 64, .nr = 4 };
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);

	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_cache_create(fx->zone, &(struct myalloc_cache_args){
		.name = "pool", .object_size = 8 })), -EEXIST);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "cache pool: the name is already used by cache 1, of objects of 64 bytes, created by a heap, object pool or contract, with 0 objects in use");
	expect_end(fx, pool);
}

/* A pool with live objects is not destroyed, reports them, and keeps its set-aside. */
static void pool_busy(struct kunit *test)
{
	const struct myalloc_pool_args args = {
		.name = "pool", .object_size = 100, .nr = 400, .nmi = 2,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);
	void *object = myalloc_pool_alloc(pool, 0);
	struct nmi nmi;
	void *spare;

	myalloc_cache_drain(pool->cache);
	nmi_begin(&nmi, pool);
	spare = myalloc_pool_alloc(pool, 0);
	nmi_end(&nmi);
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_pool_destroy(pool), -EBUSY);
	KUNIT_EXPECT_EQ(test, fixture_log_count("cache pool cannot be destroyed: 2 objects"), 1);
	KUNIT_EXPECT_EQ(test, stats_now(pool).spares, 1);
	expect_invariants(test, pool);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, object), 0);
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_pool_destroy(pool), -EBUSY);
	KUNIT_EXPECT_EQ(test, fixture_log_count("cache pool cannot be destroyed: 1 object is"), 1);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, spare), 0);
	KUNIT_EXPECT_EQ(test, stats_now(pool).live_objects, 0);
	expect_end(fx, pool);
}

static void set_magic(void *object)
{
	*(u64 *)object = 0x1234;
}

/* Constructed objects, including spares, are allocated in the state in which they were freed. */
static void pool_ctor(struct kunit *test)
{
	const struct myalloc_pool_args args = {
		.name = "pool", .object_size = 64, .align = 64, .nr = 100, .nmi = 1,
		.ctor = set_magic,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);
	u64 *object = myalloc_pool_alloc(pool, 0), *spare;
	struct nmi nmi;

	myalloc_cache_drain(pool->cache);
	nmi_begin(&nmi, pool);
	spare = myalloc_pool_alloc(pool, 0);
	nmi_end(&nmi);
	KUNIT_EXPECT_EQ(test, *object, 0x1234);
	KUNIT_EXPECT_EQ(test, *spare, 0x1234);
	KUNIT_EXPECT_EQ(test, (unsigned long)spare % 64, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, spare), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pool_free(pool, object), 0);
	expect_end(fx, pool);
}

/* Random users on all CPUs, while others take all pages and return them: no failure within nr. */
static void pool_random(struct kunit *test)
{
	const u32 nr = 24 * num_possible_cpus();
	const struct myalloc_pool_args args = {
		.name = "pool", .object_size = 72, .nr = nr, .nmi = 4,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_pool *pool = pool_of(fx, &args);
	void **objects = fixture_array(test, MANY), **pages = fixture_array(test, MANY);
	struct work w = { .pool = pool };
	u32 n, live = 0, others = 0, in_nmi_live;
	struct myalloc_random random;
	struct nmi nmi;
	void *spare[4];

	KUNIT_ASSERT_LE(test, nr, MANY);
	fixture_random(test, &random);
	for (n = 0; n < (fixture_thorough() ? 20000 : 4000); n++) {
		u32 cpu = myalloc_random_below(&random, fixture_nr_cpus());

		w.nr = 1 + myalloc_random_below(&random, 12);
		switch (myalloc_random_below(&random, 8)) {
		case 0 ... 2:
			w.nr = min(w.nr, nr - live);
			w.objects = objects + live;
			fixture_on_cpu(cpu, alloc_work, &w);
			KUNIT_ASSERT_EQ(test, w.done, w.nr);
			live += w.nr;
			break;
		case 3 ... 5:
			w.nr = min(w.nr, live);
			live -= w.nr;
			w.objects = objects + live;
			fixture_on_cpu(cpu, free_work, &w);
			KUNIT_ASSERT_EQ(test, w.done, w.nr);
			break;
		case 6:
			for (in_nmi_live = 0; in_nmi_live < min(4u, nr - live); in_nmi_live++) {
				nmi_begin(&nmi, pool);
				spare[in_nmi_live] = myalloc_pool_alloc(pool, 0);
				nmi_end(&nmi);
				KUNIT_ASSERT_NOT_NULL(test, spare[in_nmi_live]);
			}
			w.objects = spare;
			w.nr = in_nmi_live;
			fixture_on_cpu(cpu, free_work, &w);
			KUNIT_ASSERT_EQ(test, w.done, w.nr);
			break;
		default:
			if (others)
				give_all(fx, pages, others);
			others = others ? 0 : take_all(fx, pages);
		}
		if (!(n % 500)) {
			FIXTURE_EXPECT_VALID(fx);
			expect_invariants(test, pool);
		}
	}
	KUNIT_EXPECT_EQ(test, stats_now(pool).fails, 0);
	KUNIT_EXPECT_EQ(test, stats_now(pool).live_objects, live);
	give_all(fx, pages, others);
	w.objects = objects;
	w.nr = live;
	free_work(&w);
	KUNIT_EXPECT_EQ(test, stats_now(pool).allocs, stats_now(pool).frees);
	expect_end(fx, pool);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(pool_promise),
	KUNIT_CASE(pool_size),
	KUNIT_CASE(pool_magazines),
	KUNIT_CASE(pool_keeps),
	KUNIT_CASE(pool_validate),
	KUNIT_CASE(pool_hard),
	KUNIT_CASE(pool_nmi),
	KUNIT_CASE(pool_nmi_none),
	KUNIT_CASE(pool_nmi_frees),
	KUNIT_CASE(pool_nmi_race),
	KUNIT_CASE(pool_wrong_frees),
	KUNIT_CASE(pool_resize),
	KUNIT_CASE(pool_resize_fault),
	KUNIT_CASE(pool_args),
	KUNIT_CASE(pool_in_the_way),
	KUNIT_CASE(pool_busy),
	KUNIT_CASE(pool_ctor),
	KUNIT_CASE(pool_random),
	{}
};

static struct kunit_suite pool_suite = {
	.name = "myalloc_pool",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = pool_cases,
};

kunit_test_suite(pool_suite);
