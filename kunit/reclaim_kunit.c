// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of reclaim: unused memory is returned, in bounded steps, and never too early.
 */
#include <kunit/test.h>
#include "env.h"
#include "base/random.h"
#include "object/limbo.h"
#include "object/object.h"
#include "object/upkeep.h"
#include "page/drain.h"
#include "slab_fixture.h"

/* Default magazines of a cache in a zone of 64 MiB or more: 64 objects, at most 256 KiB. */
static struct myalloc_cache *default_cache(struct fixture *fx, const char *name, unsigned int size)
{
	return magazine_cache(fx, name, size, min(262144 / size, 64U));
}

static void shuffle(void **o, u32 nr, struct myalloc_random *random)
{
	for (; nr > 1; nr--) {
		u32 i = myalloc_random_below(random, nr);

		swap(o[nr - 1], o[i]);
	}
}

/* --- empty slabs ------------------------------------------------------------- */

static void empty_slabs(struct kunit *test, bool shuffled)
{
	static const unsigned int sizes[] = { 64, 256, 1024, 4096, 8192, 16384, 32768 };
	struct fixture *fx = large_zone(test);
	struct myalloc_random random;
	unsigned int s;

	fixture_random(test, &random);
	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct myalloc_cache *cache = default_cache(fx, "keep", sizes[s]);
		u32 nr = (2u << 20) / sizes[s], i;
		void **o = fixture_zalloc(test, nr * sizeof(*o));

		KUNIT_ASSERT_NOT_NULL(test, o);
		for (i = 0; i < nr; i++)
			KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(cache, 0));
		if (shuffled)
			shuffle(o, nr, &random);
		for (i = 0; i < nr; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		KUNIT_EXPECT_LE_MSG(test, stats_of(cache).slabs_empty, MYALLOC_EMPTY_KEEP,
				    "%u bytes", sizes[s]);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->slab_pages, 0);
	}
}

/* In whatever order objects are freed, a cache keeps only a few empty slabs. */
static void reclaim_empty_in_order(struct kunit *test)
{
	empty_slabs(test, false);
}

static void reclaim_empty_shuffled(struct kunit *test)
{
	empty_slabs(test, true);
}

/*
 * One cache after the other is filled to half the zone and emptied in random order. None is denied
 * memory by those before it, and pages can be allocated at the end.
 */
static void reclaim_caches(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	u32 nr = (2u << 20) / 64, i, c, n;
	void **o = fixture_zalloc(test, nr * sizeof(*o)), *page;
	struct myalloc_random random;

	fixture_random(test, &random);
	for (c = 0; c < 8; c++) {
		struct myalloc_cache *cache;
		char name[8];

		snprintf(name, sizeof(name), "c%u", c);
		cache = default_cache(fx, name, 64);
		fixture_let_pass(fx);
		for (n = 0; n < nr; n++) {
			o[n] = myalloc_cache_alloc(cache, 0);
			if (!o[n]) {	/* its slabs may need a grace period */
				fixture_let_pass(fx);
				o[n] = myalloc_cache_alloc(cache, 0);
			}
			if (!o[n])
				break;
		}
		KUNIT_EXPECT_EQ_MSG(test, n, nr, "cache %u", c);
		shuffle(o, n, &random);
		for (i = 0; i < n; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	}
	for (i = 0; i < 4; i++) {
		fixture_let_pass(fx);
		page = myalloc_pages_alloc(fx->zone, 0, 0);
		if (page)
			break;
	}
	KUNIT_EXPECT_NOT_NULL(test, page);
	if (page)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* W1: with no live memory, a request with MAY_WAIT gets every order. */
static void reclaim_every_order(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = default_cache(fx, "c", 200);
	void **o = object_array(test), *page;
	unsigned int order;
	u32 i;

	for (order = 0; order <= 10; order++) {
		for (i = 0; i < OBJECTS_MAX; i++)
			o[i] = i % 3 ? myalloc_cache_alloc(cache, 0) :
				       myalloc_pages_alloc(fx->zone, 0, 0);
		for (i = 0; i < OBJECTS_MAX; i++)
			if (o[i])
				KUNIT_EXPECT_EQ(test, i % 3 ? myalloc_cache_free(cache, o[i]) :
						myalloc_pages_free(fx->zone, o[i], 0), 0);
		page = myalloc_pages_alloc(fx->zone, order, MYALLOC_MAY_WAIT);
		KUNIT_EXPECT_NOT_NULL_MSG(test, page, "order %u", order);
		if (page)
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, order), 0);
		FIXTURE_EXPECT_VALID(fx);
	}
}

/* A request without MAY_WAIT reclaims locally and wakes the worker, which reclaims the rest. */
static void reclaim_atomic(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "c", 4096, 16);
	void *o[64], *page;
	u32 i;

	for (i = 0; i < 64; i++)
		KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(cache, 0));
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	KUNIT_EXPECT_FALSE(test, fx->zone->want_drain);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, 10, 0));
	KUNIT_EXPECT_TRUE(test, fx->zone->want_drain);
	fx->zone->work.fn(&fx->zone->work);
	KUNIT_EXPECT_FALSE(test, fx->zone->want_drain);
	page = myalloc_pages_alloc(fx->zone, 10, 0);
	KUNIT_EXPECT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 10), 0);
}

/* A request may reclaim directly from this CPU's page magazines. */
static void reclaim_pages_here(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	void *page[64];
	u32 i;

	for (i = 0; i < 64; i++)
		page[i] = myalloc_pages_alloc(fx->zone, 0, 0);
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page[i], 0), 0);
	KUNIT_EXPECT_GT(test, fixture_stats(fx)->cached_pages, 0);
	page[0] = myalloc_pages_alloc(fx->zone, 10, 0);
	KUNIT_EXPECT_NOT_NULL(test, page[0]);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->cached_pages, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page[0], 10), 0);
}

/* --- the worker ------------------------------------------------------------------ */

/* Memory that was not used between two runs is returned without a request. */
static void reclaim_idle(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "idle", 100, 16);
	void **o = object_array(test), *page = myalloc_pages_alloc(fx->zone, 0, 0);
	u32 i;

	for (i = 0; i < 200; i++)
		o[i] = myalloc_cache_alloc(cache, 0);
	for (i = 0; i < 200; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
	KUNIT_EXPECT_GT(test, stats_of(cache).cached_objects, 0);
	/* At its first run, everything counts as used. */
	fx->zone->work.fn(&fx->zone->work);
	KUNIT_EXPECT_GT(test, stats_of(cache).cached_objects, 0);
	KUNIT_EXPECT_GT(test, fixture_stats(fx)->cached_pages, 0);
	/* Used since then. */
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, myalloc_cache_alloc(cache, 0)), 0);
	fx->zone->work.fn(&fx->zone->work);
	KUNIT_EXPECT_GT(test, stats_of(cache).cached_objects, 0);
	for (i = 0; i < 4; i++) {
		fx->zone->work.fn(&fx->zone->work);
		fixture_let_pass(fx);
	}
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).slabs, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->free_pages, 1024);
	FIXTURE_EXPECT_VALID(fx);
}

/* --- limbo -------------------------------------------------------------------------- */

static struct myalloc_cache *hooked;
static void *hooked_object;
static unsigned int hook_calls;
static int hook_err;

static void free_there(void *arg)
{
	hook_err = myalloc_cache_free(hooked, hooked_object);
}

static void hook_free(const char *where)
{
	if (strcmp(where, "object-checked") || hook_calls++)
		return;
	fixture_on_cpu(1, free_there, NULL);
}

/*
 * Free an object here and at the same moment on another CPU. Returns the number of successful
 * frees; -1 if there is no hook.
 */
static int free_twice(struct myalloc_cache *cache, void *object)
{
	int err;

	hooked = cache;
	hooked_object = object;
	hook_calls = 0;
	hook_err = -EINVAL;
	if (!fixture_set_hook(hook_free)) {
		myalloc_cache_free(cache, object);
		return -1;
	}
	err = myalloc_cache_free(cache, object);
	fixture_set_hook(NULL);
	return !err + !hook_err;
}

static void drain_here(void *arg)
{
	struct myalloc_cache *cache = arg;

	preempt_disable();
	myalloc_magazines_drain_here(&cache->mags, 1000, myalloc_cache_flush, cache);
	preempt_enable();
}

/*
 * After two overlapping frees, an object is in the magazines of two CPUs. One returns it, its slab
 * leaves, and a user gets its pages. The other CPU must not allocate it.
 */
static void limbo_duplicate(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "race", 1000, 4);
	void *object = myalloc_cache_alloc(cache, 0), *block, *again, *o[3];
	struct myalloc_frame *frame;
	u32 i;

	for (i = 0; i < 3; i++)		/* the objects of the refill */
		o[i] = myalloc_cache_alloc(cache, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, 0);
	if (free_twice(cache, object) < 0) {
		for (i = 0; i < 3; i++)
			myalloc_cache_free(cache, o[i]);
		kunit_skip(test, "no hook in the fast path here");
	}
	KUNIT_EXPECT_EQ(test, hook_err, 0);
	frame = myalloc_map_frame(&fx->zone->map, object);
	/* All other objects are flushed on the other CPU, and the slab leaves. */
	for (i = 0; i < 3; i++) {
		hooked_object = o[i];
		fixture_on_cpu(1, free_there, NULL);
		KUNIT_EXPECT_EQ(test, hook_err, 0);
	}
	fixture_on_cpu(1, drain_here, cache);
	myalloc_cache_trim(cache, 0);
	fixture_let_pass(fx);
	KUNIT_EXPECT_NE(test, frame->type, MYALLOC_FRAME_SLAB);
	block = myalloc_pages_alloc(fx->zone, 9, 0);
	KUNIT_ASSERT_NOT_NULL(test, block);
	KUNIT_EXPECT_TRUE(test, object >= block && object < block + (PAGE_SIZE << 9));
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, 1);
	memset(block, MYALLOC_SLOT_CACHED, PAGE_SIZE << 9);
	again = myalloc_cache_alloc(cache, 0);
	KUNIT_ASSERT_NOT_NULL(test, again);
	KUNIT_EXPECT_TRUE(test, again < block || again >= block + (PAGE_SIZE << 9));
	KUNIT_EXPECT_NULL(test, memchr_inv(block, MYALLOC_SLOT_CACHED, PAGE_SIZE << 9));
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, again), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, block, 9), 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* A filled slot whose slab has gone is dropped by the first user in the new epoch. */
static void limbo_stale(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "stale", 1000, 4);
	void *object = myalloc_cache_alloc(cache, 0), *other;
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot slot;

	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	cpu = per_cpu_ptr(cache->mags.cpu, fixture_cpu(0));
	slot = cpu->top[-1];
	KUNIT_EXPECT_PTR_EQ(test, slot.addr, object);
	KUNIT_EXPECT_TRUE(test, myalloc_cache_shrink(cache));
	/* As if it had been in the magazine twice. */
	*cpu->top = slot;
	cpu->top++;
	fixture_log_mark();
	other = myalloc_cache_alloc(cache, 0);
	KUNIT_EXPECT_EQ(test, fixture_log_count("was freed twice at once"), 1);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, myalloc_map_frame(&fx->zone->map, other)->type, MYALLOC_FRAME_SLAB);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, other), 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* A slab with a live slot is put back in use; when the slot is freed, the slab leaves. */
static void limbo_readmitted(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "kept", 1000, MYALLOC_NO_MAGAZINE);
	void *object = myalloc_cache_alloc(cache, 0);
	u8 *state = myalloc_object_state(cache, object);

	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	*state = MYALLOC_SLOT_LIVE;	/* as if another free had given it to this user */
	KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(cache), 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).slabs, 1);
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 1);
	KUNIT_EXPECT_EQ(test, stats_of(cache).corruptions, 1);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), -EBUSY);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_TRUE(test, myalloc_cache_shrink(cache));
}

/* The same with any of its slots. */
static void limbo_readmitted_each(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "each", 64, MYALLOC_NO_MAGAZINE);
	void **o = object_array(test);
	u32 all = cache->layout.objects, step = fixture_thorough() ? 1 : 7, k, i;

	for (k = 0; k < all; k += step) {
		for (i = 0; i < all; i++)
			o[i] = myalloc_cache_alloc(cache, 0);
		for (i = 0; i < all; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		*myalloc_object_state(cache, o[k]) = MYALLOC_SLOT_LIVE;
		KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(cache), 0);
		KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 1);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[k]), 0);
		KUNIT_EXPECT_TRUE(test, myalloc_cache_shrink(cache));
	}
}

/* Frees into a slab in limbo take the lock: wrong ones are refused, such a user's is accepted. */
static void limbo_free(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "out", 1000, MYALLOC_NO_MAGAZINE);
	void *object = myalloc_cache_alloc(cache, 0);
	u8 *state = myalloc_object_state(cache, object);
	unsigned long irq, nmi_irq;
	int err;

	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	myalloc_cache_trim(cache, 0);
	KUNIT_EXPECT_EQ(test, cache->nr_limbo, 1);
	FIXTURE_EXPECT_VALID(fx);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(cache, object), MYALLOC_BAD_FREE,
			       TWICE, "out", "out", 0, 0);
	*state = MYALLOC_SLOT_LIVE;
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, object), 0);
	/* In NMI this works only if the lock is free. */
	raw_spin_lock_irqsave(&cache->lock, irq);
	nmi_irq = fixture_nmi_enter();
	err = myalloc_cache_free(cache, object);
	fixture_nmi_exit(nmi_irq);
	raw_spin_unlock_irqrestore(&cache->lock, irq);
	KUNIT_EXPECT_EQ(test, err, -EINVAL);
	KUNIT_EXPECT_EQ(test, *state, MYALLOC_SLOT_LIVE);
	err = myalloc_free(fx->zone, object);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, *state, MYALLOC_SLOT_FREE);
	KUNIT_EXPECT_TRUE(test, myalloc_cache_shrink(cache) || !cache->nr_limbo);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->slab_pages, 0);
}

/* With slabs of many caches, closing the batch is left to the worker. */
static void limbo_many_caches(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache[12];
	char name[8];
	void *o[12];
	u32 i;

	for (i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		cache[i] = fixture_cache(fx, name, 1000, MYALLOC_NO_MAGAZINE);
		o[i] = myalloc_cache_alloc(cache[i], 0);
	}
	for (i = 0; i < 12; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache[i], o[i]), 0);
	/* One batch is waiting, so the others gather in the open one. */
	myalloc_cache_trim(cache[0], 0);
	preempt_disable();
	myalloc_limbo_harvest(fx->zone, 0);
	for (i = 0; i < 12; i++) {
		if (!i)
			myalloc_limbo_harvest(fx->zone, 1);
		o[i] = NULL;
	}
	preempt_enable();
	for (i = 1; i < 12; i++)
		myalloc_cache_trim(cache[i], 0);
	KUNIT_EXPECT_GE(test, fx->zone->limbo.nr_caches, 11);
	FIXTURE_EXPECT_VALID(fx);
	fx->zone->limbo.moment = U64_MAX;
	myalloc_limbo_harvest(fx->zone, U32_MAX);
	KUNIT_EXPECT_GE(test, fx->zone->limbo.nr, 11);
	for (i = 0; i < 4; i++) {
		fx->zone->work.fn(&fx->zone->work);
		fixture_let_pass(fx);
	}
	KUNIT_EXPECT_EQ(test, fx->zone->limbo.nr, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->slab_pages, 0);
}

/* A magazine's slot is checked when the slab is in use, in limbo, or gone. */
static void limbo_fresh(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "fresh", 1000, MYALLOC_NO_MAGAZINE);
	void *object = myalloc_cache_alloc(cache, 0);
	u8 *state = myalloc_object_state(cache, object);
	struct myalloc_slot slot = { .addr = object, .state = state }, wrong = slot;

	fixture_log_mark();
	preempt_disable();
	*state = MYALLOC_SLOT_CACHED;
	KUNIT_EXPECT_TRUE(test, myalloc_cache_fresh(cache, &slot));
	wrong.state++;
	KUNIT_EXPECT_FALSE(test, myalloc_cache_fresh(cache, &wrong));
	*state = MYALLOC_SLOT_LIVE;
	KUNIT_EXPECT_FALSE(test, myalloc_cache_fresh(cache, &slot));
	preempt_enable();
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	myalloc_cache_trim(cache, 0);
	KUNIT_EXPECT_EQ(test, cache->nr_limbo, 1);
	preempt_disable();
	KUNIT_EXPECT_FALSE(test, myalloc_cache_fresh(cache, &slot));
	*state = MYALLOC_SLOT_CACHED;
	KUNIT_EXPECT_FALSE(test, myalloc_cache_fresh(cache, &slot));
	KUNIT_EXPECT_EQ(test, *state, MYALLOC_SLOT_FREE);
	/* A flush of one object leaves the slab alone, and everything if the slab has gone. */
	*state = MYALLOC_SLOT_CACHED;
	cache->mags.batch = 1;
	myalloc_cache_flush(cache, &slot, 1);
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, myalloc_cache_shrink(cache) || !cache->nr_limbo);
	preempt_disable();
	myalloc_cache_flush(cache, &slot, 1);
	KUNIT_EXPECT_FALSE(test, myalloc_cache_fresh(cache, &slot));
	preempt_enable();
	cache->mags.batch = 0;
	KUNIT_EXPECT_EQ(test, stats_of(cache).corruptions, 7);
	KUNIT_EXPECT_EQ(test, stats_of(cache).slabs, 0);
	FIXTURE_EXPECT_VALID(fx);
}

static u32 meanwhile_tag;
static u8 *meanwhile_state;
static struct myalloc_frame *meanwhile_frame;
static const char *meanwhile_where;

/* As if another CPU acted after the object was found. */
static void hook_meanwhile(const char *where)
{
	if (!strcmp(where, "object-found"))
		hook_calls++;
	if (hook_calls != 1 || strcmp(where, meanwhile_where))
		return;
	hook_calls++;
	if (meanwhile_state)
		*meanwhile_state = MYALLOC_SLOT_CACHED;
	if (meanwhile_tag)
		meanwhile_frame->tag = meanwhile_tag;
}

static int free_meanwhile(struct myalloc_cache *cache, void *object, const char *where, u32 tag,
			  u8 *state)
{
	u32 before = slab_of(cache, object)->tag;
	int err;

	meanwhile_frame = slab_of(cache, object);
	meanwhile_where = where;
	meanwhile_tag = tag;
	meanwhile_state = state;
	hook_calls = 0;
	fixture_set_hook(hook_meanwhile);
	err = myalloc_cache_free(cache, object);
	fixture_set_hook(NULL);
	meanwhile_frame->tag = before;
	return err;
}

/* Frees past the fast path while the slab or the slot gets another owner. */
static void limbo_meanwhile(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "while", 1000, MYALLOC_NO_MAGAZINE);
	const struct myalloc_cache_args args = {
		.name = "zeroed", .object_size = 1000, .magazine = 4, .flags = MYALLOC_ZERO_FREE,
	};
	struct myalloc_cache *zeroed = myalloc_cache_create(fx->zone, &args);
	void *object = myalloc_cache_alloc(cache, 0), *other;
	u8 *state = myalloc_object_state(cache, object);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, zeroed);
	other = myalloc_cache_alloc(zeroed, 0);
	if (!fixture_set_hook(NULL)) {
		myalloc_cache_free(cache, object);
		myalloc_cache_free(zeroed, other);
		kunit_skip(test, "no hook in frees here");
	}
	/* The slab enters limbo: the slot does not go into a magazine. */
	KUNIT_EXPECT_EQ(test, free_meanwhile(zeroed, other, "magazine-busy", zeroed->limbo_tag,
					     NULL), 0);
	/* Another free, which has checked before, stores CACHED and owns the slot. */
	KUNIT_EXPECT_EQ(test, free_meanwhile(cache, object, "magazine-enter", 0, state), 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).corruptions, 1);
	KUNIT_EXPECT_EQ(test, *state, MYALLOC_SLOT_CACHED);
	*state = MYALLOC_SLOT_LIVE;
	/* The slab now belongs to another cache. */
	KUNIT_EXPECT_EQ(test, free_meanwhile(cache, object, "magazine-enter", 1, NULL), 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).corruptions, 2);
	KUNIT_EXPECT_EQ(test, *state, MYALLOC_SLOT_MOVING);
	*state = MYALLOC_SLOT_LIVE;
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	/* A slab in limbo is back in use, or has gone, before the lock is taken. */
	myalloc_cache_trim(cache, 0);
	*state = MYALLOC_SLOT_LIVE;
	KUNIT_EXPECT_EQ(test, free_meanwhile(cache, object, "object-found", cache->tag, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, free_meanwhile(cache, object, "object-found", 1, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, *state, MYALLOC_SLOT_LIVE);
	*state = MYALLOC_SLOT_FREE;
	myalloc_cache_shrink(cache);
	FIXTURE_EXPECT_VALID(fx);
}

/* A trim takes all empty slabs, however many accumulated where none could be given up. */
static void limbo_many_slabs(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "many", EIGHT_A_SLAB, MYALLOC_NO_MAGAZINE);
	u32 nr = 40 * cache->layout.objects, i;
	void **o = fixture_zalloc(test, nr * sizeof(*o));
	unsigned long irq;
	int err = 0;

	KUNIT_ASSERT_NOT_NULL(test, o);
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(cache, 0));
	irq = fixture_nmi_enter();
	for (i = 0; i < nr; i++)
		err |= myalloc_cache_free(cache, o[i]);
	fixture_nmi_exit(irq);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).slabs_empty, 40);
	myalloc_cache_trim(cache, 3);
	KUNIT_EXPECT_EQ(test, stats_of(cache).slabs_empty, 3);
	KUNIT_EXPECT_EQ(test, cache->nr_limbo, 37);
	FIXTURE_EXPECT_VALID(fx);
	fixture_let_pass(fx);
	KUNIT_EXPECT_EQ(test, cache->nr_limbo, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(cache), 3u << cache->layout.order);
	FIXTURE_EXPECT_VALID(fx);
}

/* A drain ends even if others add slabs as fast as it returns them. */
static void limbo_no_end(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_zone *zone = fx->zone;

	zone->limbo.nr++;	/* as if there always were another */
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(zone), 0);
	/* The worker returns for it. */
	zone->work.fn(&zone->work);
	zone->limbo.nr--;
	FIXTURE_EXPECT_VALID(fx);
}

/* --- drains ---------------------------------------------------------------------------- */

static void cache_there(void *arg)
{
	struct fixture *fx = arg;
	struct myalloc_cache *cache;
	void *o[24];
	u32 i;

	cache = list_first_entry(&fx->zone->caches, struct myalloc_cache, link);
	for (i = 0; i < 24; i++)
		o[i] = i % 2 ? myalloc_cache_alloc(cache, 0) : myalloc_pages_alloc(fx->zone, 0, 0);
	for (i = 0; i < 24; i++)
		if (i % 2)
			myalloc_cache_free(cache, o[i]);
		else
			myalloc_pages_free(fx->zone, o[i], 0);
}

/* The objects of an offline CPU are returned by the hotplug callback or by any drain. */
static void drain_offline(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "gone", 100, 16);
	int cpu = fixture_cpu(1);
	u32 round;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	for (round = 0; round < 3; round++) {
		fixture_on_cpu(1, cache_there, fx);
		KUNIT_EXPECT_GT(test, stats_of(cache).cached_objects, 0);
		KUNIT_EXPECT_GT(test, fixture_stats(fx)->cached_pages, 0);
		if (!fixture_set_online(1, false)) {
			myalloc_zone_drain(fx->zone);
			kunit_skip(test, "no CPU can go here; see context_kunit.c");
		}
		if (!round) {
			myalloc_zone_drain_cpu(fx->zone, cpu);
		} else if (round == 1) {
			myalloc_cache_drain(cache);
			KUNIT_EXPECT_GT(test, fixture_stats(fx)->cached_pages, 0);
			myalloc_zone_drain(fx->zone);
		} else {	/* the worker visits online CPUs only; the others have nothing */
			myalloc_zone_drain_cpu(fx->zone, cpu);
			fx->zone->work.fn(&fx->zone->work);
		}
		KUNIT_EXPECT_EQ(test, myalloc_magazines_count_cpu(&cache->mags, cpu), 0);
		KUNIT_EXPECT_EQ(test, myalloc_magazines_count_cpu(&fx->zone->pcp[0], cpu), 0);
		fixture_set_online(1, true);
		FIXTURE_EXPECT_VALID(fx);
	}
}

static struct myalloc_magazine_cpu *busy_cpu;

/* The other CPU's operation ends between the drain's first and second attempt. */
static void hook_leave(const char *where)
{
	if (!strcmp(where, "magazine-enter") && this_cpu_ptr(hooked->mags.cpu) == busy_cpu &&
	    ++hook_calls == 2)
		busy_cpu->guard = busy_cpu->epoch;
}

/* A drain that finds a CPU's magazines busy tries again. */
static void drain_busy(struct kunit *test)
{
	struct fixture *fx = large_zone(test);

	hooked = magazine_cache(fx, "busy", 100, 16);
	hook_calls = 0;
	fixture_on_cpu(1, cache_there, fx);
	KUNIT_EXPECT_GT(test, stats_of(hooked).cached_objects, 0);
	if (!fixture_set_hook(hook_leave))
		kunit_skip(test, "no hook in the fast path here");
	busy_cpu = per_cpu_ptr(hooked->mags.cpu, fixture_cpu(1));
	busy_cpu->guard = MYALLOC_EPOCH_BUSY;
	myalloc_cache_drain(hooked);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, hook_calls, 2);
	KUNIT_EXPECT_EQ(test, stats_of(hooked).cached_objects, 0);
}

/* Allocate and free @nr objects, beginning with empty magazines. */
static void fill(struct kunit *test, struct myalloc_cache *cache, u32 nr)
{
	void **o = object_array(test);
	u32 i;

	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(cache, 0));
	myalloc_cache_drain(cache);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, nr);
}

/* A walk that has reached its limit continues in the next interrupt. */
static void drain_in_parts(struct kunit *test)
{
	static const u32 fills[] = { 256, 100, 200, 0, 1 };
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache[ARRAY_SIZE(fills)];
	char name[8];
	u32 i;

	/* Drain one kind only, and none. */
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain_kinds(fx->zone, MYALLOC_KIND_OBJECTS), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain_kinds(fx->zone, MYALLOC_KIND_PAGES), 0);
	for (i = 0; i < ARRAY_SIZE(fills); i++) {
		snprintf(name, sizeof(name), "c%u", i);
		cache[i] = magazine_cache(fx, name, 64, 128);
		fill(test, cache[i], fills[i]);
	}
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain_kinds(fx->zone, MYALLOC_KIND_PAGES), 0);
	for (i = 0; i < ARRAY_SIZE(fills); i++)
		KUNIT_EXPECT_EQ(test, stats_of(cache[i]).cached_objects, fills[i]);
	myalloc_zone_drain_kinds(fx->zone, MYALLOC_KIND_OBJECTS);
	for (i = 0; i < ARRAY_SIZE(fills); i++)
		KUNIT_EXPECT_EQ(test, stats_of(cache[i]).cached_objects, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* A request without MAY_WAIT reclaims as much as one interrupt may walk over, and no more. */
static void reclaim_bound(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "first", 64, 128);
	struct myalloc_cache *other = magazine_cache(fx, "other", 64, 128);

	fill(test, cache, 256);
	fill(test, other, 2);
	fx->zone->reclaim_id = 0;
	fx->zone->last_drain = myalloc_env_now_ns();
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, 10, 0));
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(other).cached_objects, 2);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, 10, 0));
	KUNIT_EXPECT_EQ(test, stats_of(other).cached_objects, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* The worker runs on while anything may become idle: objects beside live ones, a quarantine. */
static void worker_goes_on(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "on", 100, 16);
	void *live = myalloc_cache_alloc(cache, 0), *page;

	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, myalloc_cache_alloc(cache, 0)), 0);
	fx->zone->work.fn(&fx->zone->work);
	KUNIT_EXPECT_GT(test, stats_of(cache).cached_objects, 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).slabs_empty, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, live), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	myalloc_zone_drain(fx->zone);
	page = myalloc_pages_alloc(fx->zone, 0, MYALLOC_LENDABLE);
	KUNIT_ASSERT_NOT_NULL(test, page);
	fixture_set_referenced(page, true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
	fx->zone->work.fn(&fx->zone->work);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->quarantined_pages, 1);
	fixture_set_referenced(page, false);
	fx->zone->work.fn(&fx->zone->work);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->quarantined_pages, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* --- levels ---------------------------------------------------------------------------- */

static struct myalloc_cache *level_cache(struct fixture *fx, const char *name, unsigned int size,
					 unsigned int flags)
{
	const struct myalloc_cache_args args = {
		.name = name, .object_size = size, .magazine = 8, .flags = flags,
	};
	struct myalloc_cache *cache = myalloc_cache_create(fx->zone, &args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, cache);
	return cache;
}

/* All operations of a cache, at each level. */
static void level_use(struct kunit *test)
{
	static const unsigned int levels[] = { 0, MYALLOC_CERTAIN, MYALLOC_TRUSTING };
	struct fixture *fx = large_zone(test);
	void **o = object_array(test);
	u32 l, i, n;

	for (l = 0; l < ARRAY_SIZE(levels); l++) {
		struct myalloc_cache *cache = level_cache(fx, "level", 72, levels[l]);

		/* Its magazines were never used. */
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, NULL), -EINVAL);
		for (i = 0; i < 1000; i++)
			KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(cache, 0));
		n = myalloc_cache_alloc_bulk(cache, MYALLOC_ZERO, 500, o + 1000);
		KUNIT_EXPECT_EQ(test, n, 500);
		for (i = 0; i < 1500; i++)
			memset(o[i], i, 72);
		KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 1500);
		KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, o[0]), 72);
		FIXTURE_EXPECT_VALID(fx);
		for (i = 0; i < 1500; i++)
			KUNIT_EXPECT_NULL(test, memchr_inv(o[i], i, 72));
		KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(cache, 400, o + 1100), 400);
		for (i = 0; i < 1100; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 0);
		FIXTURE_EXPECT_VALID(fx);
		/* Addresses that are no objects. */
		o[0] = myalloc_cache_alloc(cache, 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, NULL), -EINVAL);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[0] + 8), -EINVAL);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[0] - 1), -EINVAL);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, fx), -EINVAL);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[0]), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
}

/* The certain level refuses one of two overlapping frees. */
static void level_certain(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = level_cache(fx, "certain", 100, MYALLOC_CERTAIN);
	void *object, *a, *b;
	u32 round;

	for (round = 0; round < 3; round++) {
		object = myalloc_cache_alloc(cache, 0);
		/* In the second round the object is not from the top of the magazine. */
		a = round == 1 ? myalloc_cache_alloc(cache, 0) : NULL;
		switch (free_twice(cache, object)) {
		case -1:
			myalloc_cache_free(cache, a);
			kunit_skip(test, "no hook in the fast path here");
			break;
		case 1:
			break;
		default:
			KUNIT_FAIL(test, "both frees were taken");
		}
		if (a)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, a), 0);
	}
	KUNIT_EXPECT_EQ(test, stats_of(cache).bad_frees, 3);
	a = myalloc_cache_alloc(cache, 0);
	b = myalloc_cache_alloc(cache, 0);
	KUNIT_EXPECT_PTR_NE(test, a, b);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, a), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, b), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* The trusting level accepts a second free, and detects it at the flush. */
static void level_trusting(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = level_cache(fx, "trust", 100, MYALLOC_TRUSTING);
	void *object = myalloc_cache_alloc(cache, 0), *other = myalloc_cache_alloc(cache, 0);

	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, stats_of(cache).corruptions, 0);
	fixture_log_mark();
	myalloc_cache_drain(cache);
	scnprintf(fx->expected, sizeof(fx->expected),
		  "cache %s: slot 0 of the slab at frame 0 was freed twice at once", cache->name);
	KUNIT_EXPECT_EQ(test, fixture_log_count(fx->expected), 1);
	KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 1);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, other), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
}

static void count_live(struct myalloc_cache *cache, void *object,
		       const struct myalloc_track *track, void *arg)
{
	u32 *nr = arg;

	++*nr;
}

/* A walk over the live objects of a trusting cache finds exactly those. */
static void level_trusting_leaks(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = level_cache(fx, "trust", 100, MYALLOC_TRUSTING);
	void *o[20];
	u32 i, nr = 0;

	for (i = 0; i < 20; i++)
		o[i] = myalloc_cache_alloc(cache, 0);
	for (i = 3; i < 20; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
	myalloc_cache_walk_live(cache, count_live, &nr);
	KUNIT_EXPECT_EQ(test, nr, 3);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), -EBUSY);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
}

/* --- damage ---------------------------------------------------------------------------- */

/* Zeroes written beyond the last object: no object gets two users. */
static void overrun_last(struct kunit *test)
{
	static const unsigned int lengths[] = { 1, 8, 9, 16, 64, 70 };
	struct fixture *fx = small_zone(test);
	void **o = object_array(test);
	u32 k, i, all;

	for (k = 0; k < ARRAY_SIZE(lengths); k++) {
		struct myalloc_cache *cache = fixture_cache(fx, "over", 8, MYALLOC_NO_MAGAZINE);
		u8 saved[70], *end;
		void *more;

		/* The last one is live, the three before it are free. */
		all = cache->layout.objects;
		for (i = 0; i < all; i++)
			o[i] = myalloc_cache_alloc(cache, 0);
		for (i = 1; i <= 3; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[all - 1 - i]), 0);
		end = o[all - 1] + 8;
		KUNIT_EXPECT_PTR_EQ(test, (void *)end, o[0] + cache->layout.out_offset);
		memcpy(saved, end, sizeof(saved));
		memset(end, 0, lengths[k]);
		fixture_log_mark();
		more = myalloc_cache_alloc(cache, 0);
		KUNIT_EXPECT_NOT_NULL(test, more);
		KUNIT_EXPECT_PTR_NE(test, slab_of(cache, more), slab_of(cache, o[0]));
		KUNIT_EXPECT_EQ(test, fixture_log_count("overrun at its end?"), 1);
		/* After the repair, the slab is as before. */
		memcpy(end, saved, sizeof(saved));
		slab_of(cache, o[0])->hint = 0;
		for (i = 1; i <= 3; i++) {
			end[(all - 1 - i) / 8] |= BIT((all - 1 - i) % 8);
			*myalloc_object_state(cache, o[all - 1 - i]) = MYALLOC_SLOT_LIVE;
		}
		for (i = 0; i < all; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, more), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
}

/* A free finds its out bit clear although inuse counts it: the slab is set aside. */
static void overrun_bits(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "bits", 64, MYALLOC_NO_MAGAZINE);
	u8 *object = myalloc_cache_alloc(cache, 0), *slab = object;
	u32 all = cache->layout.objects, i;

	*(u64 *)(slab + cache->layout.out_offset) = 0;
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, fixture_log_count("overrun at its end?"), 1);
	KUNIT_EXPECT_EQ(test, slab_of(cache, object)->inuse, all);
	/* After the repair, all of it is returned. */
	for (i = 0; i < all; i++) {
		*myalloc_object_state(cache, slab + i * 64) = MYALLOC_SLOT_LIVE;
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, slab + i * 64), 0);
	}
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
}

static void free_one(void *arg)
{
	hook_err = myalloc_cache_free(hooked, arg);
}

/* In bulk, an object that another CPU has freed is refused. */
static void bulk_freed_elsewhere(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	void *o[8];

	hooked = magazine_cache(fx, "bulk", 100, 8);
	KUNIT_ASSERT_EQ(test, myalloc_cache_alloc_bulk(hooked, 0, 8, o), 8);
	fixture_on_cpu(1, free_one, o[6]);
	KUNIT_EXPECT_EQ(test, hook_err, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free_bulk(hooked, 8, o), 7);
	KUNIT_EXPECT_EQ(test, stats_of(hooked).bad_frees, 1);
	FIXTURE_EXPECT_VALID(fx);
}

/* --- sizes of magazines ------------------------------------------------------------------ */

static void resize(struct kunit *test)
{
	static const u32 sizes[] = { 0, 1, 5, 128, 16 };
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "size", 100, 16);
	struct myalloc_cache *checked = fixture_cache(fx, "checked", 100, MYALLOC_SANITY);
	struct myalloc_cache *certain = level_cache(fx, "certain", 100, MYALLOC_CERTAIN);
	void **o = object_array(test);
	u32 s, i;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (i = 0; i < 300; i++)
			o[i] = myalloc_cache_alloc(cache, 0);
		for (i = 0; i < 150; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_resize(cache, sizes[s]), 0);
		KUNIT_EXPECT_EQ(test, cache->mags.capacity, sizes[s]);
		KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, 0);
		FIXTURE_EXPECT_VALID(fx);
		for (; i < 300; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[i]), 0);
		KUNIT_EXPECT_EQ(test, !!stats_of(cache).cached_objects, !!sizes[s]);
		KUNIT_EXPECT_EQ(test, stats_of(cache).live_objects, 0);
	}
	KUNIT_EXPECT_EQ(test, myalloc_cache_resize(cache, MYALLOC_MAGAZINE_MAX + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_cache_resize(checked, 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_cache_resize(certain, 8), 0);
	KUNIT_EXPECT_EQ(test, certain->mags.epoch, MYALLOC_EPOCH_NEVER);
	KUNIT_EXPECT_EQ(test, cache->mags.capacity, 16);
	if (fixture_fail_after(1)) {
		KUNIT_EXPECT_EQ(test, myalloc_cache_resize(cache, 8), -ENOMEM);
		fixture_fail_after(0);
		KUNIT_EXPECT_EQ(test, cache->mags.capacity, 16);
		KUNIT_EXPECT_EQ(test, cache->mags.epoch, cache->mags.age);
	}
	FIXTURE_EXPECT_VALID(fx);
}

/* All caches together stay within their share of the zone, and the last one is served as well. */
static void resize_share(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 4096, .chunk_order = 10, .simulated = true };
	struct fixture *fx = fixture_zone(test, &args);
	u64 room = 0, meta = 0;
	u32 i;

	for (i = 0; i < 60; i++) {
		struct myalloc_cache_args c = { .object_size = 64 + i * 32 };
		struct myalloc_cache *cache;
		char name[8];

		snprintf(name, sizeof(name), "c%u", i);
		c.name = name;
		cache = myalloc_cache_create(fx->zone, &c);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
		room += cache->room;
		meta += cache->meta;
	}
	KUNIT_EXPECT_LE(test, room, 4096 * PAGE_SIZE / 8);
	KUNIT_EXPECT_LE(test, meta, 4096 * PAGE_SIZE / 64);
	KUNIT_EXPECT_EQ(test, room, fx->zone->magazine_room);
	KUNIT_EXPECT_EQ(test, meta, fx->zone->magazine_meta);
}

/* Magazines stay within their own share of memory, whatever is left for objects. */
static void resize_meta(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 4096, .chunk_order = 10, .simulated = true };
	const struct myalloc_cache_args c = { .name = "meta", .object_size = 64 };
	static const s64 left[] = { -1, 0, 512 };
	struct fixture *fx = fixture_zone(test, &args);
	u64 most = 4096 * PAGE_SIZE / 64, others;
	struct myalloc_cache *cache;
	u32 i;

	KUNIT_EXPECT_FALSE(test, myalloc_zone_magazines_short(fx->zone));
	for (i = 0; i < ARRAY_SIZE(left); i++) {
		others = most - left[i];
		fx->zone->magazine_meta = others;	/* as if other caches had it */
		KUNIT_EXPECT_TRUE(test, myalloc_zone_magazines_short(fx->zone));
		cache = myalloc_cache_create(fx->zone, &c);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
		KUNIT_EXPECT_LE(test, cache->meta, max(left[i], 0LL) / 2);
		KUNIT_EXPECT_EQ(test, cache->mags.capacity, 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
		KUNIT_EXPECT_EQ(test, fx->zone->magazine_meta, others);
	}
	fx->zone->magazine_meta = 0;
}

/* Magazines that are often empty grow; unused caches give theirs up for that. */
static void resize_by_use(struct kunit *test)
{
	const u32 nr = fixture_nr_cpus() * 24;
	struct fixture *fx = large_zone(test);
	struct myalloc_cache **cache = fixture_zalloc(test, nr * sizeof(*cache)), *last;
	void **o = object_array(test);
	u32 i, run, capacity;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	for (i = 0; i < nr; i++) {
		struct myalloc_cache_args c = { .object_size = 512 };
		char name[16];

		snprintf(name, sizeof(name), "c%u", i);
		c.name = name;
		cache[i] = myalloc_cache_create(fx->zone, &c);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache[i]);
	}
	last = cache[nr - 1];
	capacity = last->mags.capacity;
	KUNIT_EXPECT_LT(test, capacity, myalloc_cache_default_magazine(last));
	KUNIT_EXPECT_TRUE(test, myalloc_zone_magazines_short(fx->zone));
	for (run = 0; run < 24; run++) {
		for (i = 0; i < 256; i++)
			KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(last, 0));
		for (i = 0; i < 256; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(last, o[i]), 0);
		fx->zone->work.fn(&fx->zone->work);
	}
	KUNIT_EXPECT_GT(test, last->mags.capacity, capacity);
	KUNIT_EXPECT_EQ(test, cache[0]->mags.capacity, 0);
	/* A cache without magazines still works. */
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache[0], myalloc_cache_alloc(cache[0], 0)), 0);
	FIXTURE_EXPECT_VALID(fx);
}

static void use_there(void *arg)
{
	struct myalloc_cache *cache = arg;

	hook_err = myalloc_cache_free(cache, myalloc_cache_alloc(cache, 0));
}

/* A CPU that came online after the magazines were made gets its own at its first use. */
static void cpu_comes(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache, *none;
	int cpu = fixture_cpu(1);
	unsigned int i;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	if (!fixture_set_online(1, false))
		kunit_skip(test, "no CPU can go here; see context_kunit.c");
	cache = magazine_cache(fx, "late", 100, 8);
	none = fixture_cache(fx, "none", 100, MYALLOC_NO_MAGAZINE);
	KUNIT_EXPECT_NULL(test, per_cpu_ptr(cache->mags.cpu, cpu)->loaded);
	FIXTURE_EXPECT_VALID(fx);
	fixture_set_online(1, true);
	for (i = 0; i < fixture_nr_cpus(); i++) {
		fixture_on_cpu(i, use_there, cache);
		fixture_on_cpu(i, use_there, none);
		KUNIT_EXPECT_EQ(test, hook_err, 0);
	}
	/* The last CPU found no place; all others have theirs. */
	KUNIT_EXPECT_TRUE(test, fx->zone->want_magazines);
	KUNIT_EXPECT_TRUE(test, cache->mags.wanted);
	KUNIT_EXPECT_FALSE(test, myalloc_magazines_places_left(&cache->mags));
	fx->zone->work.fn(&fx->zone->work);
	KUNIT_EXPECT_FALSE(test, fx->zone->want_magazines);
	KUNIT_EXPECT_FALSE(test, cache->mags.wanted);
	KUNIT_EXPECT_TRUE(test, myalloc_magazines_places_left(&cache->mags));
	for (i = 0; i < fixture_nr_cpus(); i++) {
		fixture_on_cpu(i, use_there, cache);
		KUNIT_EXPECT_NOT_NULL(test, per_cpu_ptr(cache->mags.cpu, fixture_cpu(i))->loaded);
	}
	KUNIT_EXPECT_NULL(test, per_cpu_ptr(none->mags.cpu, cpu)->loaded);
	KUNIT_EXPECT_EQ(test, cache->room, (u64)cache->mags.nr_magazines *
					   cache->mags.capacity * cache->layout.slot_size);
	FIXTURE_EXPECT_VALID(fx);
}

static struct kunit_case reclaim_cases[] = {
	KUNIT_CASE(reclaim_empty_in_order),
	KUNIT_CASE(reclaim_empty_shuffled),
	KUNIT_CASE(reclaim_caches),
	KUNIT_CASE(reclaim_every_order),
	KUNIT_CASE(reclaim_atomic),
	KUNIT_CASE(reclaim_pages_here),
	KUNIT_CASE(reclaim_idle),
	KUNIT_CASE(limbo_duplicate),
	KUNIT_CASE(limbo_stale),
	KUNIT_CASE(limbo_readmitted),
	KUNIT_CASE(limbo_readmitted_each),
	KUNIT_CASE(limbo_free),
	KUNIT_CASE(limbo_many_caches),
	KUNIT_CASE(limbo_fresh),
	KUNIT_CASE(limbo_meanwhile),
	KUNIT_CASE(limbo_many_slabs),
	KUNIT_CASE(limbo_no_end),
	KUNIT_CASE(drain_offline),
	KUNIT_CASE(drain_busy),
	KUNIT_CASE(drain_in_parts),
	KUNIT_CASE(reclaim_bound),
	KUNIT_CASE(worker_goes_on),
	KUNIT_CASE(level_use),
	KUNIT_CASE(level_certain),
	KUNIT_CASE(level_trusting),
	KUNIT_CASE(level_trusting_leaks),
	KUNIT_CASE(overrun_last),
	KUNIT_CASE(overrun_bits),
	KUNIT_CASE(bulk_freed_elsewhere),
	KUNIT_CASE(resize),
	KUNIT_CASE(resize_share),
	KUNIT_CASE(resize_meta),
	KUNIT_CASE(resize_by_use),
	KUNIT_CASE(cpu_comes),
	{}
};

static struct kunit_suite reclaim_suite = {
	.name = "myalloc_reclaim",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = reclaim_cases,
};

kunit_test_suite(reclaim_suite);
