// SPDX-License-Identifier: GPL-2.0
/* Tests of deferred frees in a zone: bounds while the lock is held, recovery in parts. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "zone/zone.h"

/* A frame in the middle of a recovery, and the action performed there. */
static struct {
	struct fixture *fx;
	unsigned int calls;
	u32 done;
	u32 most_looks;
	u32 most_reaped;
	u32 reaped;
	s64 nr;
	s64 most_given;
	bool locked;
	void *low;
	void *high;
	void *lost;
	u8 seen[2];
} hook;

/* A zone of 1024 pages, or a simulated one of 4096, where no links are written. */
static struct fixture *make_zone(struct kunit *test, bool simulated)
{
	const struct fixture_args args = {
		.nr_pages = simulated ? 4096 : 1024, .chunk_order = 10, .no_magazines = true,
		.simulated = simulated,
	};
	struct fixture *fx = fixture_zone(test, &args);

	memset(&hook, 0, sizeof(hook));
	hook.fx = fx;
	return fx;
}

/* @nr single pages, in ascending order. */
static void **take_pages(struct fixture *fx, u32 nr)
{
	void **pages = kunit_kcalloc(fx->test, nr, sizeof(*pages), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(fx->test, pages);
	KUNIT_ASSERT_EQ(fx->test, myalloc_pages_alloc_bulk(fx->zone, 0, 0, nr, pages), nr);
	return pages;
}

static u8 type_of(const void *page)
{
	return READ_ONCE(myalloc_map_frame(&hook.fx->zone->map, page)->type);
}

static s64 nr_deferred(void)
{
	return atomic64_read(&hook.fx->zone->deferred.nr);
}

/* Cut off the list of deferred frees, as a damaged link does. */
static void cut_off(void)
{
	struct myalloc_zone *zone = hook.fx->zone;
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->lock, irq);
	llist_del_all(&zone->deferred.list);
	zone->deferred.chain = NULL;
	raw_spin_unlock_irqrestore(&zone->lock, irq);
}

/* Every page has been freed exactly once. */
static void expect_back(struct fixture *fx, u64 frees)
{
	struct kunit *test = fx->test;

	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 0);
	KUNIT_EXPECT_EQ(test, fx->stats.page_frees[0], frees);
	KUNIT_EXPECT_EQ(test, fx->stats.corruptions, 0);
	KUNIT_EXPECT_EQ(test, fx->zone->deferred.recovery, MYALLOC_RECOVERY_NONE);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	FIXTURE_EXPECT_VALID(fx);
}

/* --- bounds ------------------------------------------------------------------------ */

/* Work of a drain while the lock is held once. */
static void measure(const char *where)
{
	const struct myalloc_deferred *d = &hook.fx->zone->deferred;
	u32 done;

	hook.reaped += !strcmp(where, "deferred-reap");
	if (strcmp(where, "deferred-between"))
		return;
	hook.calls++;
	hook.locked |= raw_spin_is_locked(&hook.fx->zone->lock);
	done = d->place + d->recovery * d->places;	/* NONE, MARKING, FREEING */
	if (d->recovery)
		hook.most_looks = max(hook.most_looks, done - hook.done);
	hook.done = done;
	hook.most_reaped = max(hook.most_reaped, hook.reaped);
	hook.reaped = 0;
	hook.most_given = max(hook.most_given, hook.nr - nr_deferred());
	hook.nr = nr_deferred();
}

/* A drain frees at most 64 blocks of the list each time it holds the lock. */
static void deferred_drain_bound(struct kunit *test)
{
	struct fixture *fx = make_zone(test, false);
	void **pages = take_pages(fx, 300);
	bool measured;

	fixture_free_deferred(fx, pages, 300, 0);
	hook.nr = 300;
	measured = fixture_set_step_hook(measure);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 300);
	fixture_set_step_hook(NULL);
	expect_back(fx, 300);
	if (!measured)
		kunit_skip(test, "no steps to be counted here");
	KUNIT_EXPECT_EQ(test, hook.most_reaped, 64);
	KUNIT_EXPECT_EQ(test, hook.most_given, 64);
	KUNIT_EXPECT_EQ(test, hook.calls, 5);
	KUNIT_EXPECT_FALSE(test, hook.locked);
}

/* A recovery visits 256 states or frees 16 blocks each time it holds the lock. */
static void deferred_recovery_bound(struct kunit *test)
{
	struct fixture *fx = make_zone(test, true);
	void **pages = take_pages(fx, 3000);
	bool measured;

	fixture_free_deferred(fx, pages, 3000, 0);
	hook.nr = 3000;
	hook.done = 4096;
	measured = fixture_set_step_hook(measure);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 3000);
	fixture_set_step_hook(NULL);
	expect_back(fx, 3000);
	if (!measured)
		kunit_skip(test, "no steps to be counted here");
	KUNIT_EXPECT_EQ(test, hook.most_looks, MYALLOC_RECOVERY_MOST);
	KUNIT_EXPECT_EQ(test, hook.most_given,
			MYALLOC_RECOVERY_MOST / MYALLOC_RECOVERY_GIVE);
	KUNIT_EXPECT_EQ(test, hook.most_reaped, 0);
	KUNIT_EXPECT_GT(test, hook.calls, 4096 / MYALLOC_RECOVERY_MOST + 3000 / 16);
	KUNIT_EXPECT_FALSE(test, hook.locked);
}

/* --- concurrent operations while a recovery has dropped the lock ------------------- */

static bool marking(const char *where)
{
	return !strcmp(where, "deferred-between") &&
	       hook.fx->zone->deferred.recovery == MYALLOC_RECOVERY_MARKING;
}

/* Defer a page before and one behind the position; take them when both are in the list. */
static void defer_and_reap(const char *where)
{
	struct fixture *fx = hook.fx;
	void *pages[2];

	if (!marking(where) || hook.calls >= 3)
		return;
	if (++hook.calls == 1) {
		pages[0] = hook.high;
		pages[1] = hook.low;
		fixture_free_deferred(fx, pages, 2, 0);
	} else if (hook.calls == 3) {
		hook.seen[0] = type_of(hook.low);
		hook.seen[1] = type_of(hook.high);
		FIXTURE_EXPECT_VALID(fx);
		pages[0] = myalloc_pages_alloc(fx->zone, 8, 0);
		KUNIT_EXPECT_EQ(fx->test, myalloc_pages_free(fx->zone, pages[0], 8), 0);
		hook.nr = nr_deferred();
	}
}

/* Marked pages that are still in the list are freed from there, once. */
static void deferred_marked_reaped(struct kunit *test)
{
	struct fixture *fx = make_zone(test, false);
	void **pages = take_pages(fx, 700);

	hook.low = pages[10];
	hook.high = pages[600];
	hook.lost = pages[20];
	fixture_free_deferred(fx, &hook.lost, 1, 0);
	cut_off();
	if (!fixture_set_step_hook(defer_and_reap))
		fixture_free_deferred(fx, &pages[10], 1, 0);
	myalloc_zone_drain(fx->zone);
	fixture_set_step_hook(NULL);
	if (hook.calls) {
		KUNIT_EXPECT_EQ(test, hook.calls, 3);
		KUNIT_EXPECT_EQ(test, hook.seen[0], MYALLOC_FRAME_DEFERRED);
		KUNIT_EXPECT_EQ(test, hook.seen[1], MYALLOC_FRAME_RECOVERING);
		KUNIT_EXPECT_EQ(test, hook.nr, 1);
		KUNIT_EXPECT_EQ(test, type_of(hook.high), MYALLOC_FRAME_NONE);
	} else {
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, hook.high, 0), 0);
	}
	KUNIT_EXPECT_EQ(test, type_of(hook.low), MYALLOC_FRAME_NONE);
	KUNIT_EXPECT_EQ(test, type_of(hook.lost), MYALLOC_FRAME_NONE);
	swap(pages[10], pages[699]);
	swap(pages[600], pages[698]);
	swap(pages[20], pages[697]);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(fx->zone, 0, 697, pages), 697);
	expect_back(fx, 700);
}

static void drain_there(void *arg)
{
	myalloc_zone_drain(hook.fx->zone);
}

/* Cut off a page behind the position; then another CPU drains. */
static void cut_and_drain(const char *where)
{
	if (!marking(where) || hook.calls++)
		return;
	fixture_free_deferred(hook.fx, &hook.low, 1, 0);
	cut_off();
	fixture_on_cpu(1, drain_there, NULL);
	hook.nr = nr_deferred();
	hook.seen[0] = type_of(hook.low);
}

/* A drain that finds a recovery in progress also frees the pages that it has passed. */
static void deferred_two_drains(struct kunit *test)
{
	struct fixture *fx = make_zone(test, false);
	void **pages = take_pages(fx, 2);

	hook.low = pages[0];
	hook.lost = pages[1];
	fixture_free_deferred(fx, &hook.lost, 1, 0);
	cut_off();
	if (!fixture_set_step_hook(cut_and_drain)) {
		fixture_free_deferred(fx, &hook.low, 1, 0);
		cut_off();
	}
	myalloc_zone_drain(fx->zone);
	fixture_set_step_hook(NULL);
	KUNIT_EXPECT_EQ(test, hook.nr, 0);
	KUNIT_EXPECT_EQ(test, hook.seen[0], MYALLOC_FRAME_NONE);
	expect_back(fx, 2);
}

static void defer_when_emptied(const char *where)
{
	bool marked = !strcmp(where, "deferred-marked");
	unsigned long irq;
	int err;

	if (!marked && strcmp(where, "deferred-emptied"))
		return;
	/* With the lock held, as in an NMI on this CPU. */
	hook.calls++;
	irq = fixture_nmi_enter();
	err = myalloc_pages_free(hook.fx->zone, marked ? hook.low : hook.high, 0);
	fixture_nmi_exit(irq);
	KUNIT_EXPECT_EQ(hook.fx->test, err, 0);
}

/* A free deferred just before the list is emptied is reaped as soon as it is in the list. */
static void deferred_when_emptied(struct kunit *test)
{
	struct fixture *fx = make_zone(test, false);
	void **pages = take_pages(fx, 3);

	hook.low = pages[0];
	hook.high = pages[2];
	hook.lost = pages[1];
	fixture_free_deferred(fx, &hook.lost, 1, 0);
	cut_off();
	if (!fixture_set_step_hook(defer_when_emptied)) {
		fixture_free_deferred(fx, &hook.low, 1, 0);
		fixture_free_deferred(fx, &hook.high, 1, 0);
	}
	myalloc_zone_drain(fx->zone);
	fixture_set_step_hook(NULL);
	if (hook.calls) {
		KUNIT_EXPECT_EQ(test, hook.calls, 2);
		KUNIT_EXPECT_EQ(test, nr_deferred(), 2);
		KUNIT_EXPECT_EQ(test, type_of(hook.low), MYALLOC_FRAME_DEFERRED);
		KUNIT_EXPECT_EQ(test, type_of(hook.high), MYALLOC_FRAME_DEFERRED);
		FIXTURE_EXPECT_VALID(fx);
		KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 2);
	}
	expect_back(fx, 3);
}

/* A marked page may be in the list only while marking is in progress; later its link is damage. */
static void deferred_marked_linked(struct kunit *test)
{
	struct fixture *fx = make_zone(test, false);
	struct myalloc_zone *zone = fx->zone;
	void **pages = take_pages(fx, 2);
	struct myalloc_frame *frame = myalloc_map_frame(&zone->map, pages[0]);

	fixture_free_deferred(fx, pages, 1, 0);
	frame->type = MYALLOC_FRAME_RECOVERING;
	zone->deferred.recovery = MYALLOC_RECOVERY_FREEING;
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, pages[1], 0), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	KUNIT_EXPECT_EQ(test, fx->stats.deferred_pages, 1);
	zone->deferred.recovery = MYALLOC_RECOVERY_NONE;
	frame->type = MYALLOC_FRAME_DEFERRED;
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(zone), 1);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	FIXTURE_EXPECT_VALID(fx);
}

static struct kunit_case deferred_cases[] = {
	KUNIT_CASE(deferred_drain_bound),
	KUNIT_CASE(deferred_recovery_bound),
	KUNIT_CASE(deferred_marked_reaped),
	KUNIT_CASE(deferred_two_drains),
	KUNIT_CASE(deferred_when_emptied),
	KUNIT_CASE(deferred_marked_linked),
	{}
};

static struct kunit_suite deferred_suite = {
	.name = "myalloc_deferred",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = deferred_cases,
};

kunit_test_suite(deferred_suite);
