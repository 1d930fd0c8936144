// SPDX-License-Identifier: GPL-2.0
/* Tests of contracts that serve NMI handlers. */
#include "env.h"

#include <kunit/test.h>

#include "contract_fixture.h"
#include "page/drain.h"

/* --- NMI ------------------------------------------------------------------------------------ */

static void contract_nmi_pages(struct kunit *test)
{
	struct myalloc_contract_line line = pages_line(18, 0x2);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c;
	struct myalloc_zone *zone;
	void *got[4], *more, *page[8];
	unsigned long off, lock_irq, irq;
	u32 i, round;
	u64 live;

	line.nmi = 3;
	c = contract_of(fx, &line, 1, 0);
	zone = myalloc_contract_zone(c, 0);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 0);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->nmi, 3);
	for (i = 0; i < 5; i++)
		page[i] = myalloc_pages_alloc(zone, 1, 0);
	for (round = 0; round < 4; round++) {
		local_irq_save(off);
		raw_spin_lock_irqsave(&zone->lock, lock_irq);
		irq = fixture_nmi_enter();
		for (i = 0; i < 3; i++)
			got[i] = myalloc_pages_alloc(zone, 1, MYALLOC_ZERO);
		more = myalloc_pages_alloc(zone, 1, 0);
		for (i = 0; i < 3; i++)
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[i], 1), 0);
		fixture_nmi_exit(irq);
		raw_spin_unlock_irqrestore(&zone->lock, lock_irq);
		live = line_stats(c, 0)->live;
		local_irq_restore(off);
		for (i = 0; i < 3; i++)
			KUNIT_ASSERT_NOT_NULL(test, got[i]);
		KUNIT_EXPECT_NULL(test, more);
		/* Frees that wait for the interrupt are not live. */
		KUNIT_EXPECT_EQ(test, live, 10);
		fixture_let_pass(fx);
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->nmi_allocs, 3 * (round + 1));
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->nmi_misses, round + 1);
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 10);
		KUNIT_EXPECT_EQ(test, atomic64_read(&zone->deferred.nr), 0);
		FIXTURE_EXPECT_VALID(fx);
		for (i = 0; i < 3; i++)
			page[i] = got[i];
	}
	KUNIT_EXPECT_GE(test, line_stats(c, 0)->refills, 4);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->nmi_frees_beyond, 0);
	/* A user cannot free a block kept for NMI handlers. */
	for (i = 0; i < zone->buddy.nr_frames; i++)
		if (zone->frames[i].type == MYALLOC_FRAME_KEPT)
			break;
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, myalloc_frame_addr(zone, i)), -EINVAL);
	myalloc_zone_last_report(zone, fx->text, sizeof(fx->text));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(fx->text, "kept for NMI handlers"), "%s", fx->text);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[i], 1), 0);
	expect_end(fx, c);
}

/* Frees of NMI handlers that find the lock taken. */
static void free_in_nmi(struct kunit *test, struct myalloc_zone *zone, void **addr, u32 pages)
{
	unsigned long lock_irq, irq;

	raw_spin_lock_irqsave(&zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(zone, *addr, pages), 0);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&zone->lock, lock_irq);
	*addr = NULL;
}

/*
 * A deferred extent of three pieces stays live as a whole until every piece is back. N is 16, so
 * there is room for seven more pages only if no piece is left behind.
 */
static void contract_nmi_extent(struct kunit *test)
{
	static const u32 sizes[] = { 7 };
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_EXTENTS, .pages = 18, .sizes = sizes, .nr_sizes = 1,
	};
	struct fixture *fx = zone_of(test, MYALLOC_POISON);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_zone *zone = myalloc_contract_zone(c, 0);
	void *a, *b;
	u32 round;

	KUNIT_ASSERT_EQ(test, c->part[0].plan.needed, 16);
	for (round = 0; round < 3; round++) {
		a = myalloc_pages_alloc_exact(zone, 7, 0, 0);
		b = myalloc_pages_alloc_exact(zone, 7, 0, 0);
		KUNIT_ASSERT_TRUE(test, a && b);
		free_in_nmi(test, zone, &a, 7);
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 14);
		KUNIT_EXPECT_EQ(test, atomic64_read(&zone->deferred.nr), 7);
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->nmi_frees_beyond, round + 1);
		FIXTURE_EXPECT_VALID(fx);
		if (round == 1) {	/* its link is lost; a recovery finds it */
			llist_del_all(&zone->deferred.list);
			myalloc_zone_drain(zone);
			KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 7);
			FIXTURE_EXPECT_VALID(fx);
		}
		a = myalloc_pages_alloc_exact(zone, 7, 0, 0);
		KUNIT_ASSERT_NOT_NULL(test, a);
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 14);
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->peak, 14);
		KUNIT_EXPECT_EQ(test, atomic64_read(&zone->deferred.nr), 0);
		FIXTURE_EXPECT_VALID(fx);
		if (round == 2)
			free_in_nmi(test, zone, &a, 7);
		else
			KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(zone, a, 7), 0);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(zone, b, 7), 0);
	}
	myalloc_zone_drain(zone);
	expect_end(fx, c);
}

/* Every request that is within by the count succeeds, whatever frees are deferred. */
static void contract_nmi_extents(struct kunit *test)
{
	static const u32 sizes[] = { 7, 13 };
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_EXTENTS, .pages = 46, .sizes = sizes,
		.nr_sizes = ARRAY_SIZE(sizes),
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_zone *zone = myalloc_contract_zone(c, 0);
	void *addr[24] = { NULL };
	struct myalloc_random random;
	u32 pages[24], round, i;

	fixture_random(test, &random);
	for (round = 0; round < 20000; round++) {
		i = myalloc_random_below(&random, ARRAY_SIZE(addr));
		if (!addr[i]) {
			bool within;

			pages[i] = sizes[myalloc_random_below(&random, ARRAY_SIZE(sizes))];
			within = line_stats(c, 0)->live + pages[i] <= line.pages;
			addr[i] = myalloc_pages_alloc_exact(zone, pages[i], 0, 0);
			if (within)
				KUNIT_ASSERT_NOT_NULL(test, addr[i]);
		} else if (myalloc_random_below(&random, 4)) {
			free_in_nmi(test, zone, &addr[i], pages[i]);
		} else {
			KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(zone, addr[i], pages[i]), 0);
			addr[i] = NULL;
		}
		if (!(round % 512))
			FIXTURE_EXPECT_VALID(fx);
	}
	KUNIT_EXPECT_GT(test, line_stats(c, 0)->beyond, 0);
	for (i = 0; i < ARRAY_SIZE(addr); i++)
		if (addr[i])
			KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(zone, addr[i], pages[i]), 0);
	myalloc_zone_drain(zone);
	expect_end(fx, c);
}

static void *nmi_got[4];

/* Blocks of order 1, as NMI handlers ask for them while another CPU has the lock; how many. */
static noinline u32 alloc_in_nmi(struct myalloc_zone *zone)
{
	unsigned long lock_irq, irq;
	u32 i, nr = 0;

	raw_spin_lock_irqsave(&zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	for (i = 0; i < ARRAY_SIZE(nmi_got); i++) {
		nmi_got[i] = myalloc_pages_alloc(zone, 1, 0);
		nr += !!nmi_got[i];
	}
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&zone->lock, lock_irq);
	return nr;
}

/* NMI handlers get no more than M either; the stacks stay full until a request is within again. */
static void contract_nmi_beyond(struct kunit *test)
{
	struct myalloc_contract_line line = pages_line(16, 0x2);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c;
	struct myalloc_zone *zone;
	u32 i, free, beyond = 0;
	void *page[8];

	line.nmi = 3;
	c = contract_of(fx, &line, 1, 0);
	zone = myalloc_contract_zone(c, 0);
	for (i = 0; i < 8; i++)
		page[i] = myalloc_pages_alloc(zone, 1, 0);
	KUNIT_ASSERT_NOT_NULL(test, page[7]);
	for (free = 0; free < 8; free++) {
		u32 get = min(free, 3u);

		for (i = 0; i < free; i++)
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[i], 1), 0);
		KUNIT_EXPECT_EQ(test, alloc_in_nmi(zone), get);
		fixture_let_pass(fx);
		beyond += free < 4 ? 4 - free : 0;
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 16 - 2 * (free - get));
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->peak, 16);
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, beyond);
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->nmi_misses, free > 3 ? free - 3 : 0);
		KUNIT_EXPECT_EQ(test, atomic64_read(&c->part[0].limit.kept),
				3 * num_possible_cpus());
		FIXTURE_EXPECT_VALID(fx);
		for (i = 0; i < free; i++)
			page[i] = i < get ? nmi_got[i] : myalloc_pages_alloc(zone, 1, 0);
	}
	KUNIT_EXPECT_TRUE(test, fixture_called_by(line_stats(c, 0)->sites[0].caller,
						  alloc_in_nmi));
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->sites[0].count, beyond);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[i], 1), 0);
	expect_end(fx, c);
}

/* The parent serves requests beyond in NMI handlers, too. */
static void contract_nmi_best_effort(struct kunit *test)
{
	struct myalloc_contract_line line = pages_line(4, 0x2);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c;
	struct myalloc_zone *zone;
	u32 i;

	line.nmi = 3;
	c = contract_of(fx, &line, 1, MYALLOC_CONTRACT_BEST_EFFORT);
	zone = myalloc_contract_zone(c, 0);
	KUNIT_EXPECT_EQ(test, alloc_in_nmi(zone), 4);
	fixture_let_pass(fx);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 4);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 2);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->best_effort, 2);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->nmi_allocs, 2);
	FIXTURE_EXPECT_VALID(fx);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, nmi_got[i], 1), 0);
	expect_end(fx, c);
}

/* A block taken from the stack is tagged as requested: as lendable, or as an extent. */
static void contract_nmi_tags(struct kunit *test)
{
	struct myalloc_contract_line line = pages_line(16, 0x2);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_client *client;
	struct myalloc_contract *c;
	struct myalloc_zone *zone;
	void *lent, *exact, *owned, *again;
	unsigned long lock_irq, irq;
	u32 i;

	line.nmi = 3;
	c = contract_of(fx, &line, 1, 0);
	zone = myalloc_contract_zone(c, 0);
	client = myalloc_client_create(zone, &(struct myalloc_client_args){ .name = "client" });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, client);
	for (i = 0; i < zone->buddy.nr_frames; i++)
		zone->frames[i].stack = U32_MAX;
	raw_spin_lock_irqsave(&zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	lent = myalloc_pages_alloc(zone, 1, MYALLOC_LENDABLE);
	exact = myalloc_pages_alloc_exact(zone, 2, 0, 0);
	owned = myalloc_client_pages_alloc(client, 2, 0, 0);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&zone->lock, lock_irq);
	again = myalloc_client_pages_alloc(client, 2, 0, 0);
	KUNIT_ASSERT_TRUE(test, lent && exact && owned && again);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->nmi_allocs, 3);
	FIXTURE_EXPECT_VALID(fx);

	/* A lent block that is referenced goes into quarantine. */
	KUNIT_EXPECT_EQ(test, myalloc_map_frame(&zone->map, lent)->type, MYALLOC_FRAME_LENT);
	fixture_set_referenced(lent, true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, lent, 1), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&zone->nr_quarantined), 2);
	fixture_set_referenced(lent, false);
	/* An extent is freed as one, and by its owner. */
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, exact, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(zone, exact, 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(zone, owned, 2), -EINVAL);
	KUNIT_EXPECT_NE(test, myalloc_map_frame(&zone->map, owned)->stack, U32_MAX);
	KUNIT_EXPECT_NE(test, myalloc_map_frame(&zone->map, again)->stack, U32_MAX);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(client, owned, 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(client, again, 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), 0);
	myalloc_zone_drain(zone);
	expect_end(fx, c);
}

/* Frees deferred beyond E on a CPU are counted, and stay live until they are completed. */
static void contract_nmi_frees(struct kunit *test)
{
	struct myalloc_contract_line lines[2] = {
		pages_line(128, 0x2), objects_line(64, 100, MYALLOC_NO_MAGAZINE),
	};
	u32 i, most = 2 * num_possible_cpus();
	struct fixture *fx = zone_of(test, 0);
	unsigned long off, lock_irq, irq;
	struct myalloc_contract *c;
	struct myalloc_cache *cache;
	struct myalloc_zone *zone;
	void *page[64], *object[64];
	u64 live;

	if (most > 60)
		kunit_skip(test, "too many CPUs");
	lines[0].nmi = 2;
	lines[1].nmi = 2;
	c = contract_of(fx, lines, 2, 0);
	zone = myalloc_contract_zone(c, 0);
	cache = myalloc_contract_cache(c, 1);
	for (i = 0; i < most + 3; i++) {
		page[i] = myalloc_pages_alloc(zone, 1, 0);
		object[i] = myalloc_cache_alloc(cache, 0);
		KUNIT_ASSERT_TRUE(test, page[i] && object[i]);
	}
	local_irq_save(off);
	raw_spin_lock_irqsave(&zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	for (i = 0; i < most + 3; i++)
		myalloc_pages_free(zone, page[i], 1);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&zone->lock, lock_irq);
	live = line_stats(c, 0)->live;
	raw_spin_lock_irqsave(&cache->lock, lock_irq);
	irq = fixture_nmi_enter();
	for (i = 0; i < most + 3; i++)
		myalloc_cache_free(cache, object[i]);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&cache->lock, lock_irq);
	local_irq_restore(off);
	KUNIT_EXPECT_EQ(test, live, 6);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, line_stats(c, i)->nmi_frees_beyond, 3);
	fixture_let_pass(fx);
	myalloc_zone_drain(zone);
	myalloc_cache_drain(cache);
	expect_end(fx, c);
}

static void contract_nmi_objects(struct kunit *test)
{
	struct myalloc_contract_line line = objects_line(20, 100, MYALLOC_NO_MAGAZINE);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c;
	struct myalloc_cache *cache;
	void *got[4], *more, *object[8];
	unsigned long lock_irq, irq;
	u32 i, round;

	line.nmi = 3;
	c = contract_of(fx, &line, 1, 0);
	cache = myalloc_contract_cache(c, 0);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 0);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->peak, 0);
	for (i = 0; i < 5; i++)
		object[i] = myalloc_cache_alloc(cache, 0);
	for (round = 0; round < 4; round++) {
		raw_spin_lock_irqsave(&cache->lock, lock_irq);
		irq = fixture_nmi_enter();
		for (i = 0; i < 3; i++)
			got[i] = myalloc_cache_alloc(cache, MYALLOC_ZERO);
		more = myalloc_cache_alloc(cache, 0);
		for (i = 0; i < 3; i++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object[i]), 0);
		fixture_nmi_exit(irq);
		raw_spin_unlock_irqrestore(&cache->lock, lock_irq);
		for (i = 0; i < 3; i++) {
			KUNIT_ASSERT_NOT_NULL(test, got[i]);
			KUNIT_EXPECT_NULL(test, memchr_inv(got[i], 0, 100));
		}
		KUNIT_EXPECT_NULL(test, more);
		fixture_let_pass(fx);
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->nmi_allocs, 3 * (round + 1));
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 5);
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->peak, 8);
		KUNIT_EXPECT_EQ(test, atomic64_read(&cache->deferred.nr), 0);
		FIXTURE_EXPECT_VALID(fx);
		for (i = 0; i < 3; i++)
			object[i] = got[i];
	}
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object[i]), 0);
	expect_end(fx, c);
}

/*
 * One of three is taken; the others stay. With no slot left, the stack stays as it is until a slot
 * is freed.
 */
static void contract_nmi_few(struct kunit *test)
{
	struct myalloc_contract_line line = objects_line(20, 100, MYALLOC_NO_MAGAZINE);
	struct fixture *fx = zone_of(test, 0);
	struct work w = { .objects = fixture_array(test, MANY), .nr = MANY };
	struct myalloc_contract *c;
	unsigned long lock_irq, irq;
	void *got[2];
	u32 i;

	line.nmi = 3;
	c = contract_of(fx, &line, 1, 0);
	w.cache = myalloc_contract_cache(c, 0);
	for (i = 0; i < 2; i++) {
		raw_spin_lock_irqsave(&w.cache->lock, lock_irq);
		irq = fixture_nmi_enter();
		got[i] = myalloc_cache_alloc(w.cache, 0);
		fixture_nmi_exit(irq);
		raw_spin_unlock_irqrestore(&w.cache->lock, lock_irq);
		KUNIT_EXPECT_NOT_NULL(test, got[i]);
		fixture_let_pass(fx);
		KUNIT_EXPECT_EQ(test, atomic64_read(&c->part[0].limit.kept),
				3 * num_possible_cpus() - i);
		if (!i)
			alloc_work(&w);
		FIXTURE_EXPECT_VALID(fx);
	}
	/* One request of the user was beyond; refills that found nothing do not count. */
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 1);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->sites[0].count, 1);
	KUNIT_EXPECT_TRUE(test, fixture_called_by(line_stats(c, 0)->sites[0].caller, alloc_work));
	KUNIT_EXPECT_EQ(test, atomic64_read(&w.cache->fails), 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, got[0]), 0);
	fixture_let_pass(fx);
	KUNIT_EXPECT_EQ(test, atomic64_read(&c->part[0].limit.kept), 3 * num_possible_cpus());
	KUNIT_EXPECT_FALSE(test, c->part[0].limit.starved);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, got[1]), 0);
	w.nr = w.done;
	free_work(&w);
	expect_end(fx, c);
}

struct nmi_objects {
	struct myalloc_cache *cache;
	void *got[2];
	u32 nr;
};

static void objects_in_nmi(void *arg)
{
	struct nmi_objects *o = arg;
	unsigned long lock_irq, irq;
	u32 i;

	o->nr = 0;
	raw_spin_lock_irqsave(&o->cache->lock, lock_irq);
	irq = fixture_nmi_enter();
	for (i = 0; i < ARRAY_SIZE(o->got); i++) {
		o->got[i] = myalloc_cache_alloc(o->cache, 0);
		o->nr += !!o->got[i];
	}
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&o->cache->lock, lock_irq);
}

static void free_object_in_nmi(struct kunit *test, struct myalloc_cache *cache, void *object)
{
	unsigned long lock_irq, irq;

	raw_spin_lock_irqsave(&cache->lock, lock_irq);
	irq = fixture_nmi_enter();
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&cache->lock, lock_irq);
}

/*
 * Users hold all slots, far more than K objects, when CPUs take from their stacks. Freed slots
 * refill all these stacks, on whatever CPU and by whatever path they are freed.
 */
static void starve(struct kunit *test, struct myalloc_contract_line line)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_limit *limit = &c->part[0].limit;
	struct work w = { .objects = fixture_array(test, MANY), .nr = MANY };
	u32 full = line.nmi * num_possible_cpus(), cpus = min(fixture_nr_cpus(), 3u), i, k;
	struct nmi_objects nmi[3] = {};

	w.cache = myalloc_contract_cache(c, 0);
	alloc_work(&w);
	for (i = 0; i < cpus; i++) {
		nmi[i].cache = w.cache;
		fixture_on_cpu(i, objects_in_nmi, &nmi[i]);
		KUNIT_EXPECT_EQ(test, nmi[i].nr, 2);
	}
	fixture_let_pass(fx);
	KUNIT_EXPECT_EQ(test, atomic64_read(&limit->kept), full - 2 * cpus);
	KUNIT_EXPECT_TRUE(test, limit->starved);
	if (line.cache.flags & MYALLOC_NO_MAGAZINE) {
		free_object_in_nmi(test, w.cache, w.objects[--w.done]);
		fixture_let_pass(fx);
		KUNIT_EXPECT_EQ(test, atomic64_read(&limit->kept), full - 2 * cpus + 1);
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, w.objects[--w.done]), 0);
		fixture_let_pass(fx);
		KUNIT_EXPECT_EQ(test, atomic64_read(&limit->kept), full - 2 * cpus + 2);
	}
	free_work(&w);
	myalloc_cache_drain(w.cache);
	fixture_let_pass(fx);
	KUNIT_EXPECT_EQ(test, atomic64_read(&limit->kept), full);
	KUNIT_EXPECT_FALSE(test, limit->starved);
	for (i = 0; i < cpus; i++)
		for (k = 0; k < nmi[i].nr; k++)
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, nmi[i].got[k]), 0);
	expect_end(fx, c);
}

static void contract_nmi_starved(struct kunit *test)
{
	struct myalloc_contract_line line = objects_line(20, 100, 0);

	line.nmi = 3;
	starve(test, line);
	line.cache.flags = MYALLOC_NO_MAGAZINE;
	starve(test, line);
}

static struct myalloc_limit *hook_limit;
static u32 hook_nr;

/* Another context fills the same stack. */
static void hook_fill(const char *where)
{
	if (!strcmp(where, "stack-word") && !hook_nr++)
		myalloc_limit_fill(hook_limit);
}

/* A refill of another CPU notes that a stack is short, for a moment. */
static void hook_starved(const char *where)
{
	if (!strcmp(where, "object-found"))
		hook_limit->starved = true;
}

/* Blocks freed by the end of a contract itself go to no stack. */
static void contract_nmi_end_starved(struct kunit *test)
{
	struct myalloc_contract_line line = objects_line(20, 100, MYALLOC_NO_MAGAZINE);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c;

	line.nmi = 3;
	c = contract_of(fx, &line, 1, 0);
	hook_limit = &c->part[0].limit;
	hook_limit->starved = true;
	fixture_set_hook(hook_starved);
	expect_end(fx, c);
	fixture_set_hook(NULL);
}

/* Two contexts fill the stack at once; it is filled only while there are free blocks. */
static void contract_nmi_fill(struct kunit *test)
{
	struct myalloc_contract_line line = pages_line(16, 0x2);
	struct fixture *fx = zone_of(test, 0);
	unsigned long *things = fixture_zalloc(test, MANY * sizeof(*things));
	struct myalloc_contract *c;
	u32 nr = 0;

	line.nmi = 2;
	c = contract_of(fx, &line, 1, 0);
	hook_limit = &c->part[0].limit;
	hook_nr = 0;
	myalloc_limit_empty(hook_limit);
	KUNIT_EXPECT_EQ(test, atomic64_read(&hook_limit->kept), 0);
	fixture_set_hook(hook_fill);
	myalloc_limit_fill(hook_limit);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, atomic64_read(&hook_limit->kept), 2 * num_possible_cpus());
	FIXTURE_EXPECT_VALID(fx);

	while (nr < MANY && (things[nr] = hook_limit->ops->fill(hook_limit)))
		nr++;
	KUNIT_EXPECT_EQ(test, nr, (c->part[0].plan.needed >> 1) - 2 * num_possible_cpus());
	while (nr) {
		hook_limit->ops->drop(hook_limit, things[--nr]);
		atomic64_dec(&hook_limit->kept);
	}
	expect_end(fx, c);
}

static struct kunit_case contract_nmi_cases[] = {
	KUNIT_CASE(contract_nmi_pages),
	KUNIT_CASE(contract_nmi_extent),
	KUNIT_CASE(contract_nmi_extents),
	KUNIT_CASE(contract_nmi_beyond),
	KUNIT_CASE(contract_nmi_best_effort),
	KUNIT_CASE(contract_nmi_tags),
	KUNIT_CASE(contract_nmi_frees),
	KUNIT_CASE(contract_nmi_objects),
	KUNIT_CASE(contract_nmi_few),
	KUNIT_CASE(contract_nmi_starved),
	KUNIT_CASE(contract_nmi_end_starved),
	KUNIT_CASE(contract_nmi_fill),
	{}
};

static struct kunit_suite contract_nmi_suite = {
	.name = "myalloc_contract_nmi",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = contract_nmi_cases,
};

kunit_test_suite(contract_nmi_suite);
