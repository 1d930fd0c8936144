// SPDX-License-Identifier: GPL-2.0
/* Tests of rings that a module shares with user space: which ring a process opens. */
#include "env.h"

#include <kunit/test.h>

#include <linux/module.h>

#include "fixture.h"
#include "myalloc_client.h"
#include "shared_ring.h"

#define CHUNK_ORDER	4U
#define NR_ZONES	2U

static struct fixture *zone_of(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 4 << CHUNK_ORDER, .chunk_order = CHUNK_ORDER, .no_magazines = true,
	};

	return fixture_zone(test, &args);
}

static struct myalloc_ring *ring_of(struct fixture *fx)
{
	struct myalloc_ring *ring = myalloc_ring_create(fx->zone, &(struct myalloc_ring_args){
		.name = "r", .mode = MYALLOC_RING_MANY, .size = PAGE_SIZE });

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, ring);
	return ring;
}

static void expect_error(struct kunit *test, struct fixture *fx, u64 id, int err)
{
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(myalloc_shared_ring_open(fx->zone, id)), err);
}

static void expect_none(struct kunit *test, struct fixture *fx, u64 id)
{
	expect_error(test, fx, id, -ENOENT);
}

/* Each zone numbers its own rings: of two with the same number, the ring of the zone is opened. */
static void shared_ring_zones(struct kunit *test)
{
	struct myalloc_shared_ring *s[NR_ZONES];
	struct myalloc_ring *ring[NR_ZONES];
	struct fixture *fx[NR_ZONES];
	u32 i;

	for (i = 0; i < NR_ZONES; i++) {
		fx[i] = zone_of(test);
		ring[i] = ring_of(fx[i]);
	}
	KUNIT_ASSERT_EQ(test, ring[0]->front.id, ring[1]->front.id);
	KUNIT_ASSERT_EQ(test, __myalloc_ring_share(ring[0], THIS_MODULE), 0);
	expect_none(test, fx[1], ring[1]->front.id);
	KUNIT_ASSERT_EQ(test, __myalloc_ring_share(ring[1], THIS_MODULE), 0);
	for (i = 0; i < NR_ZONES; i++) {
		expect_none(test, fx[i], ring[i]->front.id + 1);
		s[i] = myalloc_shared_ring_open(fx[i]->zone, ring[i]->front.id);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s[i]);
		KUNIT_EXPECT_PTR_EQ(test, s[i]->ring, ring[i]);
		expect_error(test, fx[i], ring[i]->front.id, -EBUSY);
	}
	for (i = 0; i < NR_ZONES; i++) {
		KUNIT_EXPECT_EQ(test, myalloc_ring_unshare(ring[i]), -EBUSY);
		myalloc_shared_ring_close(s[i]);
		KUNIT_EXPECT_EQ(test, myalloc_ring_unshare(ring[i]), 0);
		expect_none(test, fx[i], ring[i]->front.id);
		KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(ring[i]), 0);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx[i]));
	}
}

static struct kunit_case shared_ring_cases[] = {
	KUNIT_CASE(shared_ring_zones),
	{}
};

static struct kunit_suite shared_ring_suite = {
	.name = "myalloc_shared_ring",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = shared_ring_cases,
};

kunit_test_suite(shared_ring_suite);
