// SPDX-License-Identifier: GPL-2.0
/* Tests of contracts: their end, validation, and failures. */
#include "env.h"

#include <kunit/test.h>

#include "contract_fixture.h"
#include "page/drain.h"

/* A contract whose pages are used by a ring does not end before the ring. */
static void expect_busy_ring(struct fixture *fx, struct myalloc_contract *c)
{
	const struct myalloc_ring_args args = {
		.name = "r", .size = 4 * PAGE_SIZE, .mode = MYALLOC_RING_MANY,
	};
	struct myalloc_zone *zone = myalloc_contract_zone(c, 0);
	struct myalloc_ring *ring = myalloc_ring_create(zone, &args);

	if (IS_ERR(ring))	/* pages cannot be mapped twice here */
		return;
	KUNIT_EXPECT_EQ(fx->test, myalloc_contract_end(c, MYALLOC_CONTRACT_RELEASE), -EBUSY);
	myalloc_zone_last_report(zone, fx->text, sizeof(fx->text));
	KUNIT_EXPECT_NOT_NULL_MSG(fx->test, strstr(fx->text, "cannot end: ring r still exists"),
				  "%s", fx->text);
	KUNIT_EXPECT_EQ(fx->test, myalloc_ring_destroy(ring), 0);
}

static void contract_busy(struct kunit *test)
{
	static const u32 sizes[] = { 3 };
	const struct myalloc_contract_line lines[] = {
		pages_line(64, 0x5), objects_line(30, 100, 0),
		{ .kind = MYALLOC_CONTRACT_EXTENTS, .pages = 9, .sizes = sizes, .nr_sizes = 1 },
		objects_line(30, 100, MYALLOC_TRUSTING),
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, lines, 4, 0);
	struct myalloc_zone *zone = myalloc_contract_zone(c, 0);
	void *page = myalloc_pages_alloc(zone, 2, 0);

	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "cannot be destroyed: contract frob still exists");
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), -EBUSY);
	myalloc_zone_last_report(zone, fx->text, sizeof(fx->text));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(fx->text, "4 pages in use, first: frame 0, "), "%s",
				  fx->text);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page, 2), 0);
	KUNIT_EXPECT_NOT_NULL(test, myalloc_cache_alloc(myalloc_contract_cache(c, 1), 0));
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, myalloc_cache_alloc(myalloc_contract_cache(c, 1), 0));
	KUNIT_EXPECT_NOT_NULL(test, myalloc_cache_alloc(myalloc_contract_cache(c, 3), 0));
	KUNIT_EXPECT_NOT_NULL(test, myalloc_pages_alloc(zone, 2, 0));
	KUNIT_EXPECT_NOT_NULL(test, myalloc_pages_alloc(zone, 0, 0));
	page = myalloc_pages_alloc_exact(myalloc_contract_zone(c, 2), 3, 0, 0);
	KUNIT_EXPECT_NOT_NULL(test, page);
	expect_busy_ring(fx, c);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, MYALLOC_CONTRACT_RELEASE), 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
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

static struct myalloc_contract *hooked;
static unsigned int hooked_calls;

static void hook_refill(const char *where)
{
	if (!strcmp(where, "contract-stacks"))
		atomic64_inc(&hooked->part[0].limit.refills);
}

/* An NMI handler ends after validation has read the count once. */
static void hook_nmi(const char *where)
{
	if (!strcmp(where, "contract-count"))
		atomic64_inc(&hooked->part[0].limit.nmi_misses);
}

/* An interrupt is in progress at the first look, and has ended at the second. */
static void hook_under_way(const char *where)
{
	if (!strcmp(where, "contract-stacks") && ++hooked_calls == 2)
		atomic64_dec(&hooked->part[0].limit.kept);
}

static void contract_validate(struct kunit *test)
{
	struct myalloc_contract_line lines[] = {
		pages_line(64, 0x4), objects_line(30, 100, 0),
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_frame *frames = fx->zone->frames;
	struct myalloc_contract_part *part;
	struct myalloc_contract *c;
	unsigned long kept;

	lines[0].nmi = 2;
	lines[1].nmi = 2;
	c = contract_of(fx, lines, 2, 0);
	part = c->part;
	KUNIT_ASSERT_EQ(test, frames[0].type, MYALLOC_FRAME_CONTRACT);
	DAMAGE(fx, frames[0].cache, 1023, "Z1: frame 0: a chunk of child 1023, which does");
	DAMAGE(fx, frames[0].cache, 1024, "Z1: frame 0: a chunk of child 1024, which does");
	DAMAGE(fx, frames[0].cache, frames[0].cache ^ 1,
	       "J1: frob.0: chunk 0 is not one of its blocks");
	DAMAGE(fx, part[0].blocks[1], part[0].blocks[0],
	       "J1: frob.0: chunk 1 is not one of its blocks");
	DAMAGE(fx, part[0].blocks[1], NULL, "J1: frob.0: chunk 1 is not one of its blocks");
	DAMAGE(fx, fx->zone->children->zone[part[0].id], part[1].zone,
	       "J1: frob.0: child 0 of its parent is another zone");
	DAMAGE(fx, part[0].limit.peak, 65, "J2: frob.0: 65 pages were live of 64");
	DAMAGE(fx, part[0].limit.count.counter, 65, "J2: frob.0: 65 pages were live of 64");
	DAMAGE(fx, part[0].limit.count.counter, 4, "J6: frob.0: counted are 4 pages taken, 0 ");
	DAMAGE(fx, part[0].limit.count.counter, 4ULL << 32,
	       "J6: frob.0: counted are 0 pages taken, 4 waiting, not 0 and 0");
	DAMAGE(fx, part[0].limit.highest_end, part[0].plan.needed + 1, "J2: frob.0: ");
	DAMAGE(fx, part[1].plan.slabs, part[1].plan.slabs - 1, "J5: frob.1: ");
	DAMAGE(fx, part[1].cache->set_aside, part[1].plan.slabs - 1, "J3: frob.1: ");
	kept = part[0].limit.stack[0];
	DAMAGE(fx, part[0].limit.stack[0], 0, "J4: frob.0: ");
	DAMAGE(fx, part[0].zone->frames[kept - 1].type, MYALLOC_FRAME_PAGE, "J4: frob.0: ");
	DAMAGE(fx, part[0].limit.stack[0], 1ul << 40, "J4: frob.0: ");
	kept = part[1].limit.stack[0];
	DAMAGE(fx, part[1].limit.stack[0], kept + 1, "J4: frob.1: ");
	DAMAGE(fx, *myalloc_object_state(part[1].cache, (void *)kept), MYALLOC_SLOT_LIVE,
	       "J4: frob.1: ");
	kept = part[0].limit.stack[0];
	DAMAGE(fx, part[0].zone->limit, &part[1].limit, "J5: frob.0: ");
	DAMAGE(fx, part[0].zone->buddy.nr_free, 0, "J6: frob.0: ");
	DAMAGE(fx, part[0].zone->nr_bad.counter, 1, "P1: ");
	hooked = c;
	/* A difference is no finding while an NMI handler is in the middle of a request. */
	if (fixture_set_hook(hook_nmi)) {
		atomic64_inc(&part[0].limit.count);
		FIXTURE_EXPECT_VALID(fx);
		atomic64_dec(&part[0].limit.count);
	}
	/* Nor is one while the stack is being filled. */
	part[0].limit.stack[0] = 0;
	if (fixture_set_hook(hook_refill))
		FIXTURE_EXPECT_VALID(fx);
	hooked_calls = 0;
	if (fixture_set_hook(hook_under_way)) {
		FIXTURE_EXPECT_VALID(fx);
		atomic64_inc(&part[0].limit.kept);
	}
	fixture_set_hook(NULL);
	part[0].limit.stack[0] = kept;
	expect_end(fx, c);
}

/* Each allocation of metadata fails in turn. */
static void contract_fault(struct kunit *test)
{
	const u32 sizes[] = { 3 };
	struct myalloc_contract_line lines[] = {
		pages_line(64, 0x4), objects_line(2000, 16, 0),
		{ .kind = MYALLOC_CONTRACT_EXTENTS, .pages = 9, .sizes = sizes, .nr_sizes = 1 },
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_contract *c;
	unsigned long k;

	lines[0].nmi = 2;
	lines[1].nmi = 2;
	for (k = 1; fixture_fail_after(k); k++) {
		c = myalloc_contract_create(fx->zone, "c", lines, 3, 0, plan);
		if (!fixture_fail_fired()) {
			fixture_fail_after(0);
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
			KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), 0);
			break;
		}
		KUNIT_ASSERT_EQ_MSG(test, PTR_ERR_OR_ZERO(c), -ENOMEM, "allocation %lu", k);
		FIXTURE_EXPECT_VALID(fx);
	}
	fixture_fail_after(0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* All numbers of children are in use. */
static void contract_children(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(1, 1);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_zone **child = fx->zone->children->zone;
	u32 i;

	for (i = 0; i < MYALLOC_CHILDREN_MAX; i++)
		if (!child[i])
			child[i] = ERR_PTR(-EAGAIN);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(myalloc_contract_create(fx->zone, "d", &line, 1, 0,
								      plan)), -ENOMEM);
	for (i = 0; i < MYALLOC_CHILDREN_MAX; i++)
		if (IS_ERR(child[i]))
			child[i] = NULL;
	expect_end(fx, c);
}

/* While a child is validated, another contract is made. */
static struct {
	struct fixture *fx;
	struct myalloc_contract_plan *plan;
	struct myalloc_contract *other;
	u32 points;
	int err;
} visit;

static void make_another(const char *where)
{
	const struct myalloc_contract_line line = pages_line(1, 1);
	struct myalloc_children *children = visit.fx->zone->children;

	if (strcmp(where, "validate-child") || visit.points++)
		return;
	/* Only the end of a contract may wait. */
	visit.err = mutex_trylock(&children->visit) ? -EPERM : 0;
	if (!visit.err && !mutex_trylock(&children->mutex))
		visit.err = -EBUSY;
	if (visit.err)
		return;
	mutex_unlock(&children->mutex);
	visit.other = myalloc_contract_create(visit.fx->zone, "another", &line, 1, 0, visit.plan);
	visit.err = PTR_ERR_OR_ZERO(visit.other);
}

/* A contract can be made in the middle of the validation of another one. */
static void contract_validate_waits(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(8, 1);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);

	visit.fx = fx;
	visit.plan = fixture_zalloc(test, sizeof(*visit.plan));
	visit.points = 0;
	if (fixture_set_hook(make_another)) {
		FIXTURE_EXPECT_VALID(fx);
		fixture_set_hook(NULL);
		KUNIT_EXPECT_EQ(test, visit.err, 0);
		KUNIT_EXPECT_EQ(test, visit.points, 2);
		FIXTURE_EXPECT_VALID(fx);
		if (!visit.err)
			KUNIT_EXPECT_EQ(test, myalloc_contract_end(visit.other, 0), 0);
	}
	expect_end(fx, c);
}

static struct kunit_case contract_end_cases[] = {
	KUNIT_CASE(contract_busy),
	KUNIT_CASE(contract_validate),
	KUNIT_CASE(contract_fault),
	KUNIT_CASE(contract_children),
	KUNIT_CASE(contract_validate_waits),
	{}
};

static struct kunit_suite contract_end_suite = {
	.name = "myalloc_contract_end",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = contract_end_cases,
};

kunit_test_suite(contract_end_suite);
