// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of drainers, and an example of a layer: a shelf of pages in front of the zone
 *
 * All of the layer is struct shelf and the operations that it registers. No file of the allocator
 * refers to it.
 */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "page/drain.h"
#include "page/pages.h"

#define ROOM	8U

/**
 * struct shelf - pages that are kept to be allocated again
 * @drainer: registers it with the zone
 * @zone: the zone
 * @lock: protects @nr and @page
 * @nr: pages on the shelf
 * @page: the pages
 * @tended: calls of its tend function
 * @finished: calls of its finish function
 * @ended: the zone has ended
 * @cpu: CPU of the last call of its drain_cpu function
 */
struct shelf {
	struct myalloc_drainer drainer;
	struct myalloc_zone *zone;
	raw_spinlock_t lock;
	u32 nr;
	void *page[ROOM];
	u32 tended;
	u32 finished;
	bool ended;
	int cpu;
};

static struct shelf *shelf_of(struct myalloc_drainer *drainer)
{
	return container_of(drainer, struct shelf, drainer);
}

static void *shelf_pop(struct shelf *s)
{
	unsigned long irq;
	void *page = NULL;

	raw_spin_lock_irqsave(&s->lock, irq);
	if (s->nr)
		page = s->page[--s->nr];
	raw_spin_unlock_irqrestore(&s->lock, irq);
	return page;
}

static void *shelf_alloc(struct shelf *s, myalloc_flags_t flags)
{
	return shelf_pop(s) ?: myalloc_pages_alloc(s->zone, 0, flags);
}

static int shelf_free(struct shelf *s, void *page)
{
	unsigned long irq;
	bool room;

	raw_spin_lock_irqsave(&s->lock, irq);
	room = s->nr < ROOM;
	if (room)
		s->page[s->nr++] = page;
	raw_spin_unlock_irqrestore(&s->lock, irq);
	if (!room)
		return myalloc_pages_free(s->zone, page, 0);
	myalloc_zone_wake(s->zone);
	return 0;
}

/* Return at most @most pages to the zone. Returns their number. */
static u32 give_back(struct shelf *s, u32 most)
{
	void *page;
	u32 nr;

	for (nr = 0; nr < most; nr++) {
		page = shelf_pop(s);
		if (!page)
			break;
		myalloc_pages_free(s->zone, page, 0);
	}
	return nr;
}

static bool shelf_reclaim(struct myalloc_drainer *drainer, u32 *most)
{
	u32 nr = give_back(shelf_of(drainer), min(*most, 2U));

	*most -= nr;
	return nr;
}

static void shelf_drain(struct myalloc_drainer *drainer)
{
	give_back(shelf_of(drainer), ROOM);
}

static void shelf_drain_cpu(struct myalloc_drainer *drainer, int cpu)
{
	shelf_of(drainer)->cpu = cpu;
}

static void shelf_finish(struct myalloc_drainer *drainer)
{
	shelf_of(drainer)->finished++;
}

static bool shelf_tend(struct myalloc_drainer *drainer)
{
	struct shelf *s = shelf_of(drainer);

	s->tended++;
	give_back(s, 1);
	return READ_ONCE(s->nr);
}

static void shelf_fini(struct myalloc_drainer *drainer)
{
	shelf_of(drainer)->ended = true;
}

static const struct myalloc_drainer_ops shelf_ops = {
	.reclaim = shelf_reclaim,
	.drain = shelf_drain,
	.drain_cpu = shelf_drain_cpu,
	.finish = shelf_finish,
	.tend = shelf_tend,
	.fini = shelf_fini,
};

/* A layer that has no operation of its own. */
static const struct myalloc_drainer_ops no_ops;

static struct shelf *make_shelf(struct kunit *test, struct fixture **fx)
{
	const struct fixture_args args = {
		.nr_pages = 16, .chunk_order = 4, .no_magazines = true };
	struct shelf *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct myalloc_drainer *nothing = kunit_kzalloc(test, sizeof(*nothing), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_ASSERT_NOT_NULL(test, nothing);
	*fx = fixture_zone(test, &args);
	s->zone = (*fx)->zone;
	s->cpu = -1;
	raw_spin_lock_init(&s->lock);
	/* Layers register while the zone is under construction, when there is no worker yet. */
	myalloc_drain_stop(s->zone);
	myalloc_drainer_add(s->zone, &s->drainer, MYALLOC_KIND_OTHER, &shelf_ops);
	myalloc_drainer_add(s->zone, nothing, MYALLOC_KIND_OTHER, &no_ops);
	return s;
}

/* Put @nr pages on the shelf. */
static void fill(struct kunit *test, struct shelf *s, u32 nr)
{
	void *page[16];
	u32 i;

	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_NOT_NULL(test, page[i] = shelf_alloc(s, 0));
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, shelf_free(s, page[i]), 0);
	KUNIT_ASSERT_EQ(test, s->nr, min(nr, ROOM));
}

/* A drain of everything empties it, one of other kinds does not. */
static void drainer_drain(struct kunit *test)
{
	struct fixture *fx;
	struct shelf *s = make_shelf(test, &fx);

	fill(test, s, 12);
	KUNIT_EXPECT_EQ(test, s->zone->buddy.nr_free, 8);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain_kinds(s->zone, MYALLOC_KIND_PAGES), 0);
	KUNIT_EXPECT_EQ(test, s->nr, ROOM);
	KUNIT_EXPECT_EQ(test, s->finished, 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain_kinds(s->zone, MYALLOC_KIND_OTHER), ROOM);
	KUNIT_EXPECT_EQ(test, s->finished, 1);
	fill(test, s, 12);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(s->zone), ROOM);
	KUNIT_EXPECT_EQ(test, s->finished, 2);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	FIXTURE_EXPECT_VALID(fx);
}

/* When no block is free, a request that may not wait gets only what can be freed at once. */
static void drainer_reclaim(struct kunit *test)
{
	struct fixture *fx;
	struct shelf *s = make_shelf(test, &fx);
	void *page, *all;

	fill(test, s, 8);
	all = myalloc_pages_alloc(s->zone, 3, 0);
	KUNIT_ASSERT_NOT_NULL(test, all);
	page = myalloc_pages_alloc(s->zone, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, s->nr, ROOM - 2);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(s->zone, page, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(s->zone, all, 3), 0);
	all = myalloc_pages_alloc(s->zone, 4, MYALLOC_MAY_WAIT);
	KUNIT_ASSERT_NOT_NULL(test, all);
	KUNIT_EXPECT_EQ(test, s->nr, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(s->zone, all, 4), 0);
}

/* The worker tends the shelf until it is empty. It is notified when a CPU goes offline. */
static void drainer_worker(struct kunit *test)
{
	struct fixture *fx;
	struct shelf *s = make_shelf(test, &fx);
	u32 i;

	fill(test, s, 3);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, s->nr, 3 - i);
		s->zone->work.fn(&s->zone->work);
	}
	KUNIT_EXPECT_EQ(test, s->nr, 0);
	KUNIT_EXPECT_EQ(test, s->tended, 3);
	myalloc_zone_drain_cpu(s->zone, fixture_cpu(0));
	KUNIT_EXPECT_EQ(test, s->cpu, fixture_cpu(0));
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* It ends with its zone. */
static void drainer_end(struct kunit *test)
{
	struct fixture *fx;
	struct shelf *s = make_shelf(test, &fx);

	fill(test, s, 3);
	myalloc_zone_drain(s->zone);
	KUNIT_EXPECT_FALSE(test, s->ended);
	fixture_end(fx);
	KUNIT_EXPECT_TRUE(test, s->ended);
}

static struct kunit_case drainer_cases[] = {
	KUNIT_CASE(drainer_drain),
	KUNIT_CASE(drainer_reclaim),
	KUNIT_CASE(drainer_worker),
	KUNIT_CASE(drainer_end),
	{ }
};

static struct kunit_suite drainer_suite = {
	.name = "myalloc_drainer",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = drainer_cases,
};

kunit_test_suite(drainer_suite);
