// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of wrong frees that are detected late: limbo, where the states of a slab are checked before
 * its pages are returned, the levels of safety, and damage.
 */
#include "env.h"

#include <kunit/test.h>

#include "object/limbo.h"
#include "object/object.h"
#include "object/upkeep.h"
#include "slab_fixture.h"

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

/*
 * In NMI a magazine that would lose a slot is left alone: a slot of a slab in limbo that was
 * dropped while the cache's lock is taken would be lost, and with it the slab.
 */
static void limbo_nmi(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "nmi", 1000, 4);
	void *object = myalloc_cache_alloc(cache, 0), *other;
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot slot;
	unsigned long irq, lock_irq;

	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	cpu = per_cpu_ptr(cache->mags.cpu, fixture_cpu(0));
	slot = cpu->top[-1];
	KUNIT_EXPECT_PTR_EQ(test, slot.addr, object);
	drain_here(cache);
	myalloc_cache_trim(cache, 0);
	KUNIT_EXPECT_EQ(test, cache->nr_limbo, 1);
	/* As if it had been in the magazine twice. */
	*slot.state = MYALLOC_SLOT_CACHED;
	*cpu->top = slot;
	cpu->top++;
	myalloc_magazines_next_epoch(&cache->mags);
	raw_spin_lock_irqsave(&cache->lock, lock_irq);
	irq = fixture_nmi_enter();
	other = myalloc_cache_alloc(cache, 0);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&cache->lock, lock_irq);
	KUNIT_EXPECT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, stats_of(cache).cached_objects, 1);
	KUNIT_EXPECT_EQ(test, *slot.state, MYALLOC_SLOT_CACHED);
	fixture_log_mark();
	other = myalloc_cache_alloc(cache, 0);
	KUNIT_EXPECT_EQ(test, fixture_log_count("was freed twice at once"), 1);
	KUNIT_EXPECT_EQ(test, *slot.state, MYALLOC_SLOT_FREE);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, other), 0);
	KUNIT_EXPECT_TRUE(test, myalloc_cache_shrink(cache));
	KUNIT_EXPECT_EQ(test, stats_of(cache).slabs, 0);
	FIXTURE_EXPECT_VALID(fx);
}

static bool never_fresh(void *owner, const struct myalloc_slot *slot)
{
	return false;
}

/* In NMI a magazine that would lose slots is not loaded, and one that loses none is. */
static void limbo_nmi_load(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = magazine_cache(fx, "load", 1000, 4);
	struct myalloc_magazines *mags = &cache->mags;
	u32 n, nr = 3 * mags->capacity;
	struct myalloc_magazine_cpu *cpu;
	unsigned long irq;
	void **o;

	o = kunit_kcalloc(test, nr, sizeof(*o), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, o);
	for (n = 0; n < nr; n++)
		o[n] = myalloc_cache_alloc(cache, 0);
	for (n = 0; n < nr; n++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[n]), 0);
	cpu = per_cpu_ptr(mags->cpu, fixture_cpu(0));
	while (myalloc_magazine_count(cpu))
		KUNIT_ASSERT_NOT_NULL(test, o[--n] = myalloc_cache_alloc(cache, 0));
	KUNIT_ASSERT_EQ(test, cpu->previous->count, mags->capacity);
	myalloc_magazines_next_epoch(mags);
	mags->fresh = never_fresh;
	irq = fixture_nmi_enter();
	KUNIT_EXPECT_PTR_EQ(test, myalloc_magazines_enter(mags), cpu);
	KUNIT_EXPECT_FALSE(test, myalloc_magazines_load(mags, cpu));
	cpu->previous->count = 0;		/* so that the depot is asked */
	KUNIT_EXPECT_FALSE(test, myalloc_magazines_load(mags, cpu));
	cpu->previous->count = mags->capacity;
	mags->fresh = myalloc_cache_fresh;
	KUNIT_EXPECT_TRUE(test, myalloc_magazines_load(mags, cpu));
	KUNIT_EXPECT_EQ(test, myalloc_magazine_count(cpu), mags->capacity);
	myalloc_magazines_leave(cpu);
	fixture_nmi_exit(irq);
	for (; n < nr; n++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, o[n]), 0);
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
	*state = MYALLOC_SLOT_LIVE;	/* as if allocated to a user after a second free */
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

/* Frees into a slab in limbo take the lock: wrong ones are refused, that user's is accepted. */
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
static void expect_dropped(struct kunit *test, struct myalloc_cache *cache,
			   const struct myalloc_slot *slot)
{
	KUNIT_EXPECT_FALSE(test, myalloc_cache_fresh(cache, slot));
	KUNIT_EXPECT_TRUE(test, myalloc_cache_drop(cache, slot));
}

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
	/* As if its slab had been in limbo at the check, and was then put back in use. */
	KUNIT_EXPECT_FALSE(test, myalloc_cache_drop(cache, &slot));
	KUNIT_EXPECT_EQ(test, *state, MYALLOC_SLOT_CACHED);
	wrong.state++;
	expect_dropped(test, cache, &wrong);
	*state = MYALLOC_SLOT_LIVE;
	expect_dropped(test, cache, &slot);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	myalloc_cache_trim(cache, 0);
	KUNIT_EXPECT_EQ(test, cache->nr_limbo, 1);
	preempt_disable();
	expect_dropped(test, cache, &slot);
	*state = MYALLOC_SLOT_CACHED;
	expect_dropped(test, cache, &slot);
	KUNIT_EXPECT_EQ(test, *state, MYALLOC_SLOT_FREE);
	/* A flush of one object leaves the slab alone; if the slab has gone, it changes nothing. */
	*state = MYALLOC_SLOT_CACHED;
	cache->mags.batch = 1;
	myalloc_cache_flush(cache, &slot, 1);
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, myalloc_cache_shrink(cache) || !cache->nr_limbo);
	preempt_disable();
	myalloc_cache_flush(cache, &slot, 1);
	expect_dropped(test, cache, &slot);
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

/* A trim takes all empty slabs, however many accumulated while none could be given up. */
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

/*
 * If all objects of a zone are freed at once, all slabs but those kept are in limbo, out of reach
 * of requests. After two grace periods, each followed by a pass of the worker, none is.
 */
static void limbo_of_all(struct kunit *test)
{
	struct fixture *fx = large_zone(test);
	struct myalloc_cache *cache = fixture_cache(fx, "all", EIGHT_A_SLAB, MYALLOC_NO_MAGAZINE);
	u32 slabs = 1024 >> cache->layout.order, nr = slabs * cache->layout.objects, i;
	void **o = fixture_zalloc(test, nr * sizeof(*o)), *page;
	u32 limbo, free;
	int err = 0;

	KUNIT_ASSERT_NOT_NULL(test, o);
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_NOT_NULL(test, o[i] = myalloc_cache_alloc(cache, 0));
	preempt_disable();	/* no grace period passes */
	for (i = 0; i < nr; i++)
		err |= myalloc_cache_free(cache, o[i]);
	limbo = fx->zone->limbo.nr;
	free = fx->zone->buddy.nr_free;
	preempt_enable();
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, free, 0);
	KUNIT_EXPECT_EQ(test, limbo, slabs - MYALLOC_EMPTY_KEEP);
	fx->zone->work.fn(&fx->zone->work);
	for (i = 0; i < 2; i++) {
		fixture_gp_wait();
		fx->zone->work.fn(&fx->zone->work);
	}
	KUNIT_EXPECT_EQ(test, fx->zone->limbo.nr, 0);
	page = myalloc_pages_alloc(fx->zone, 9, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 9), 0);
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

/* --- levels ---------------------------------------------------------------------------- */

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

static struct kunit_case limbo_cases[] = {
	KUNIT_CASE(limbo_duplicate),
	KUNIT_CASE(limbo_stale),
	KUNIT_CASE(limbo_nmi),
	KUNIT_CASE(limbo_nmi_load),
	KUNIT_CASE(limbo_readmitted),
	KUNIT_CASE(limbo_readmitted_each),
	KUNIT_CASE(limbo_free),
	KUNIT_CASE(limbo_many_caches),
	KUNIT_CASE(limbo_fresh),
	KUNIT_CASE(limbo_meanwhile),
	KUNIT_CASE(limbo_many_slabs),
	KUNIT_CASE(limbo_of_all),
	KUNIT_CASE(limbo_no_end),
	KUNIT_CASE(level_use),
	KUNIT_CASE(level_certain),
	KUNIT_CASE(level_trusting),
	KUNIT_CASE(level_trusting_leaks),
	KUNIT_CASE(overrun_last),
	KUNIT_CASE(overrun_bits),
	KUNIT_CASE(bulk_freed_elsewhere),
	{}
};

static struct kunit_suite limbo_suite = {
	.name = "myalloc_limbo",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = limbo_cases,
};

kunit_test_suite(limbo_suite);
