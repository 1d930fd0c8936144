// SPDX-License-Identifier: GPL-2.0
/* Tests of plans, and of making contracts. lib/tests/contract_test.c checks all numbers. */
#include "env.h"

#include <kunit/test.h>

#include "client/plan.h"
#include "contract_fixture.h"
#include "object/upkeep.h"

/* --- plans ---------------------------------------------------------------------------------- */

/* A few numbers computed by hand; contract_test checks all others. */
static void contract_plan(struct kunit *test)
{
	static const u32 sizes[] = { 5, 3, 100 };
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_contract_line lines[3] = {
		pages_line(64, 0x1f),
		{ .kind = MYALLOC_CONTRACT_EXTENTS, .pages = 200, .sizes = sizes, .nr_sizes = 3 },
		objects_line(1000, 64, MYALLOC_NO_MAGAZINE),
	};
	const struct myalloc_contract_line_plan *l = plan->line;
	u32 objects;

	KUNIT_EXPECT_EQ(test, myalloc_plan_blocks(64, 0x1f), 64 * 3);
	KUNIT_EXPECT_EQ(test, myalloc_plan_blocks(64, 0x10), 64);
	KUNIT_EXPECT_EQ(test, myalloc_plan_blocks(U32_MAX, 0x3ff), U32_MAX);
	KUNIT_EXPECT_EQ(test, myalloc_plan_extents(63, (const u32[]){ 7 }, 1), 72);
	KUNIT_EXPECT_EQ(test, myalloc_plan_extents(6, (const u32[]){ 7 }, 1), 0);
	KUNIT_EXPECT_EQ(test, myalloc_plan_extents(63, (const u32[]){ 7, 5 }, 2),
			myalloc_plan_extents(63, (const u32[]){ 5, 7 }, 2));
	KUNIT_EXPECT_EQ(test, myalloc_plan_extents(6, (const u32[]){ 5, 7 }, 2), 8);
	KUNIT_EXPECT_EQ(test, myalloc_plan_blocks(3, 0x5), 3);
	KUNIT_EXPECT_EQ(test, myalloc_plan_blocks(5, 0x5), 8);

	fixture_note(fx);
	KUNIT_ASSERT_EQ(test, myalloc_contract_plan(fx->zone, lines, 3, plan), 0);
	KUNIT_EXPECT_TRUE(test, fixture_unchanged(fx));
	KUNIT_EXPECT_EQ(test, plan->nr_lines, 3);
	KUNIT_EXPECT_EQ(test, l[0].needed, 192);
	KUNIT_EXPECT_EQ(test, l[0].set_aside, 192);
	KUNIT_EXPECT_EQ(test, l[0].order, 4);
	KUNIT_EXPECT_EQ(test, l[0].blocks, 12);
	KUNIT_EXPECT_EQ(test, l[0].apart, 64);
	KUNIT_EXPECT_EQ(test, l[0].ends, myalloc_plan_blocks(64, 0x11));
	KUNIT_EXPECT_EQ(test, l[0].fewer, myalloc_plan_blocks(64, l[0].fewer_orders));
	KUNIT_EXPECT_LT(test, l[0].fewer, l[0].needed);
	KUNIT_EXPECT_EQ(test, hweight32(l[0].fewer_orders), 4);
	KUNIT_EXPECT_TRUE(test, l[0].fewer_orders & 0x10);
	KUNIT_EXPECT_EQ(test, l[1].needed, myalloc_plan_extents(200, sizes, 3));
	KUNIT_EXPECT_EQ(test, l[1].order, 7);
	KUNIT_EXPECT_EQ(test, l[1].set_aside, ALIGN(l[1].needed, 128));
	KUNIT_EXPECT_EQ(test, l[1].apart, 200 * 8 / 5);
	KUNIT_EXPECT_EQ(test, l[1].ends, myalloc_plan_extents(200, (const u32[]){ 3, 100 }, 2));
	objects = l[2].objects;
	KUNIT_EXPECT_EQ(test, l[2].held, 0);
	KUNIT_EXPECT_EQ(test, l[2].slabs, DIV_ROUND_UP(1000, objects));
	KUNIT_EXPECT_EQ(test, l[2].set_aside, l[2].slabs << l[2].order);
	KUNIT_EXPECT_EQ(test, plan->pages, l[0].set_aside + l[1].set_aside + l[2].set_aside);
	KUNIT_EXPECT_EQ(test, plan->largest_order, 7);
	KUNIT_EXPECT_EQ(test, plan->pages_short, 0);
	KUNIT_EXPECT_EQ(test, plan->blocks_short, 0);

	/* The blocks for NMIs are added, and two orders have no others between them. */
	lines[0] = pages_line(64, 0x4);
	lines[0].nmi = 3;
	lines[1] = pages_line(64, 0x5);
	lines[2] = objects_line(1000, 64, MYALLOC_NO_MAGAZINE);
	lines[2].nmi = 5;
	KUNIT_ASSERT_EQ(test, myalloc_contract_plan(fx->zone, lines, 3, plan), 0);
	KUNIT_EXPECT_EQ(test, l[0].needed, 64 + 24 * num_possible_cpus());
	KUNIT_EXPECT_EQ(test, l[0].apart, 0);
	KUNIT_EXPECT_EQ(test, l[1].apart, 64);
	KUNIT_EXPECT_EQ(test, l[1].ends, 0);
	KUNIT_EXPECT_EQ(test, l[1].fewer, 0);
	KUNIT_EXPECT_EQ(test, l[2].held, 10 * num_possible_cpus());

	/* Short of pages; short of blocks alone. */
	lines[0] = pages_line(3000, 0x1);
	KUNIT_ASSERT_EQ(test, myalloc_contract_plan(fx->zone, lines, 1, plan), 0);
	KUNIT_EXPECT_EQ(test, plan->pages_short, 3000 - 1024);
	KUNIT_EXPECT_EQ(test, plan->blocks_short, 3000 - 1024);
	KUNIT_EXPECT_EQ(test, plan->short_order, 0);
	lines[0] = pages_line(3000, 0x3ff & 0x1ff);
	KUNIT_ASSERT_EQ(test, myalloc_contract_plan(fx->zone, lines, 1, plan), 0);
	KUNIT_EXPECT_EQ(test, plan->blocks_short, l[0].blocks - 4);
	KUNIT_EXPECT_EQ(test, plan->short_order, 8);
	/* If two orders are short, the plan names the higher one. */
	lines[1] = pages_line(3000, 0x1);
	KUNIT_ASSERT_EQ(test, myalloc_contract_plan(fx->zone, lines, 2, plan), 0);
	KUNIT_EXPECT_EQ(test, plan->short_order, 8);
	fixture_end(fx);
}

static void plan_refused(struct fixture *fx, const struct myalloc_contract_line *line,
			 const char *why)
{
	struct myalloc_contract_plan *plan = fixture_zalloc(fx->test, sizeof(*plan));

	fixture_log_mark();
	KUNIT_EXPECT_EQ(fx->test, myalloc_contract_plan(fx->zone, line, 1, plan), -EINVAL);
	KUNIT_EXPECT_EQ_MSG(fx->test, fixture_log_count(why), 1, "%s", why);
}

/* Impossible lines are refused with a reason. */
static void contract_lines(struct kunit *test)
{
	static const u32 sizes[] = { 5, 300 }, none[] = { 5, 0 };
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract_line line;

	line = pages_line(64, 0);
	plan_refused(fx, &line, "states at least one");
	line = pages_line(1024, 0x200);
	plan_refused(fx, &line, "none above 8");
	line = pages_line(15, 0x10);
	plan_refused(fx, &line, "15 pages do not hold one block of order 4");
	line = pages_line(64, 0x5);
	line.nmi = 1;
	plan_refused(fx, &line, "a line with blocks for NMIs states one order");
	line = pages_line(64, 0x4);
	line.nmi = MYALLOC_CONTRACT_NMI_MAX + 1;
	plan_refused(fx, &line, "a CPU has at most 64");
	line = pages_line(U32_MAX, 0x4);
	line.nmi = 1;
	plan_refused(fx, &line, "with those for NMIs are more than");
	line = (struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_EXTENTS, .pages = 400, .sizes = sizes,
	};
	plan_refused(fx, &line, "a line of extents states 1 to 256");
	line.nr_sizes = 257;
	plan_refused(fx, &line, "a line of extents states 1 to 256");
	line.nr_sizes = 2;
	plan_refused(fx, &line, "an extent has 1 to 256 pages, a chunk, not 300");
	line.sizes = none;
	plan_refused(fx, &line, "an extent has 1 to 256 pages, a chunk, not 0");
	line.nr_sizes = 1;
	line.pages = 4;
	plan_refused(fx, &line, "4 pages do not hold one extent of 5");
	line.pages = 5;
	line.nmi = 1;
	plan_refused(fx, &line, "a line of extents has none for NMIs");
	line = objects_line(0, 64, 0);
	plan_refused(fx, &line, "a line of objects states at least 1");
	line = objects_line(1, 64, 0);
	line.cache.magazine = 3;
	plan_refused(fx, &line, "state 0, not 3");
	line = objects_line(1, 64, 0);
	line.cache.client = myalloc_client_create(fx->zone,
						  &(struct myalloc_client_args){ .name = "who" });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, line.cache.client);
	plan_refused(fx, &line, "a contract belong to no client: state NULL, not who");
	KUNIT_EXPECT_EQ(test, myalloc_client_end(line.cache.client, 0), 0);
	line = objects_line(1, 0, 0);
	plan_refused(fx, &line, "cannot lay out objects of 0 bytes");
	line = objects_line(1, 64, MYALLOC_CERTAIN | MYALLOC_TRUSTING);
	plan_refused(fx, &line, "exclude each other");
	line.kind = MYALLOC_NR_CONTRACT_KINDS;
	plan_refused(fx, &line, "a line is of pages, extents or objects (0, 1, 2), not 3");
	fixture_end(fx);
}

static void contract_args(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_zone *zone = fx->zone;
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_contract_line line, *many;
	struct myalloc_contract *c;
	u32 i;

	many = fixture_zalloc(test, (MYALLOC_CONTRACT_LINES + 1) * sizeof(*many));
	for (i = 0; i <= MYALLOC_CONTRACT_LINES; i++)
		many[i] = pages_line(1, 1);
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_contract_plan(zone, many, 0, plan), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_contract_plan(zone, many, MYALLOC_CONTRACT_LINES + 1, plan),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_log_count("a contract has 1 to 16 lines"), 2);

	fixture_log_mark();
	line = pages_line(64, 1);
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_contract_create(zone, NULL, &line, 1, 0, plan)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_contract_create(zone, "a b", &line, 1, 0, plan)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_contract_create(zone, "abcdefghijklmnopqrstuvwxyz",
							      &line, 1, 0, plan)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_contract_create(zone, "a", &line, 1, 4, plan)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_log_count("a name has 1 to 25 ASCII letters"), 4);
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_contract_create(zone, "a", &line, 0, 0, plan)),
			-EINVAL);
	c = contract_of(fx, many, MYALLOC_CONTRACT_LINES, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_contract_create(zone, "frob", &line, 1, 0,
							      plan)), -EEXIST);
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_contract_plan(myalloc_contract_zone(c, 0), &line, 1, plan),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_log_count("a contract has no contracts itself"), 1);
	KUNIT_EXPECT_NULL(test, myalloc_contract_zone(c, MYALLOC_CONTRACT_LINES));
	KUNIT_EXPECT_NULL(test, myalloc_contract_cache(c, MYALLOC_CONTRACT_LINES));
	KUNIT_EXPECT_NULL(test, myalloc_contract_cache(c, 0));
	KUNIT_EXPECT_EQ(test, myalloc_contract_stats(c, MYALLOC_CONTRACT_LINES,
						     fixture_zalloc(test, 1024)), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(NULL, 0), 0);
	expect_end(fx, c);
}

/* The refusal says how many pages and blocks are short, after a drain. */
static void contract_short(struct kunit *test)
{
	static const char short_text[] =
		"c refused: it takes 1024 pages; 1 page and 1 block of order 0 are short";
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_contract_line line[2] = { pages_line(256, 0x1), pages_line(768, 0x100) };
	void **pages = fixture_array(test, MANY), *one;
	struct myalloc_contract *c;

	one = myalloc_pages_alloc(fx->zone, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, one);
	fixture_log_mark();
	c = myalloc_contract_create(fx->zone, "c", line, 2, 0, plan);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(c), -ENOSPC);
	KUNIT_EXPECT_EQ(test, plan->pages_short, 1);
	KUNIT_EXPECT_EQ(test, plan->blocks_short, 1);
	KUNIT_EXPECT_EQ(test, plan->short_order, 0);
	KUNIT_EXPECT_EQ(test, fixture_log_count(short_text), 1);
	/* Enough pages, too few blocks. */
	line[0] = pages_line(255, 0x1);
	line[1] = pages_line(512, 0x100);
	c = myalloc_contract_create(fx->zone, "c", line, 2, 0, plan);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), 0);
	line[1].pages = 1024;
	c = myalloc_contract_create(fx->zone, "c", line + 1, 1, 0, plan);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(c), -ENOSPC);
	KUNIT_EXPECT_EQ(test, plan->pages_short, 1);
	KUNIT_EXPECT_EQ(test, plan->blocks_short, 1);
	KUNIT_EXPECT_EQ(test, plan->short_order, 8);
	/* The contract takes the whole zone once magazines are empty, largest blocks first. */
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, one, 0), 0);
	line[0] = pages_line(256, 0x1);
	line[1] = pages_line(768, 0x100);
	c = contract_of(fx, line, 2, 0);
	KUNIT_EXPECT_EQ(test, take_all(fx, pages), 0);
	expect_end(fx, c);
}

static struct fixture *hook_fx;
static void **hook_pages;
static u32 hook_nr;

/* Others take everything while a contract takes its blocks. */
static void hook_take(const char *where)
{
	if (!strcmp(where, "contract-take") && !hook_nr)
		hook_nr = take_all(hook_fx, hook_pages);
}

static void contract_taken(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(100, 1);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_contract *c;

	hook_fx = fx;
	hook_pages = fixture_array(test, MANY);
	hook_nr = 0;
	if (!fixture_set_hook(hook_take))
		kunit_skip(test, "no hooks here");
	c = myalloc_contract_create(fx->zone, "c", &line, 1, 0, plan);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(c), -ENOSPC);
	KUNIT_EXPECT_EQ(test, plan->pages_short, 100);
	give_all(fx, hook_pages, hook_nr);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static struct myalloc_contract *hook_contract;

/* Meanwhile another contract becomes the first one. */
static void hook_table(const char *where)
{
	const struct myalloc_contract_line line = pages_line(1, 1);
	struct myalloc_contract_plan plan;

	if (strcmp(where, "contract-table") || hook_nr++)
		return;
	hook_contract = myalloc_contract_create(hook_fx->zone, "first", &line, 1, 0, &plan);
}

static void contract_table(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(1, 1);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c;

	hook_fx = fx;
	hook_nr = 0;
	if (!fixture_set_hook(hook_table))
		kunit_skip(test, "no hooks here");
	c = contract_of(fx, &line, 1, 0);
	fixture_set_hook(NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, hook_contract);
	KUNIT_EXPECT_NE(test, c->part[0].id, hook_contract->part[0].id);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(hook_contract, 0), 0);
	expect_end(fx, c);
}

/* With all checks; the missing page does not affect the objects. */
static void contract_checks(struct kunit *test)
{
	const struct myalloc_contract_line lines[] = {
		pages_line(10, 0x3), objects_line(10, 100, 0),
	};
	struct fixture *fx = zone_of(test, MYALLOC_CHECKS);
	struct myalloc_contract *c = contract_of(fx, lines, 2, MYALLOC_CONTRACT_SHORT);
	void *page = myalloc_pages_alloc(myalloc_contract_zone(c, 0), 1, 0);
	void *object = myalloc_cache_alloc(myalloc_contract_cache(c, 1), 0);

	KUNIT_EXPECT_NOT_NULL(test, page);
	KUNIT_EXPECT_NOT_NULL(test, object);
	KUNIT_EXPECT_EQ(test, c->part[1].zone->buddy.nr_frames, c->part[1].plan.needed);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, page), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, object), 0);
	expect_end(fx, c);
}

/* Copy the sizes of a line whose class is in @classes. */
static u32 sizes_in(const u32 *sizes, u32 nr, u32 classes, u32 *in)
{
	u32 i, n = 0;

	for (i = 0; i < nr; i++)
		if (classes & BIT(fls(sizes[i] - 1)))
			in[n++] = sizes[i];
	return n;
}

/* The saving stated for each cheaper line agrees with a plan of that line. */
static void cheaper_ways(struct kunit *test, u32 pages, const u32 *sizes, u32 nr)
{
	struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_EXTENTS, .pages = pages, .sizes = sizes, .nr_sizes = nr,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	u32 part, sum, ends[2] = { U32_MAX, 0 }, fewer[8], others = 0, least = U32_MAX;
	u32 found = 0, i;
	struct myalloc_contract_line_plan l;

	KUNIT_ASSERT_EQ(test, myalloc_contract_plan(fx->zone, &line, 1, plan), 0);
	l = plan->line[0];
	for (i = 0; i < nr; i++) {
		ends[0] = min(ends[0], sizes[i]);
		ends[1] = max(ends[1], sizes[i]);
		others |= BIT(fls(sizes[i] - 1));
	}
	KUNIT_EXPECT_LE(test, l.apart, l.needed);
	/* All of one size; half of the first, and the rest of another one. */
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_LE(test, myalloc_plan_extents(pages, &sizes[i], 1), l.apart);
		part = myalloc_plan_extents(pages / 2, &sizes[0], 1);
		sum = part + myalloc_plan_extents(pages - pages / 2, &sizes[i], 1);
		KUNIT_EXPECT_LE(test, sum, l.apart);
	}
	line.sizes = ends;
	line.nr_sizes = 2;
	KUNIT_ASSERT_EQ(test, myalloc_contract_plan(fx->zone, &line, 1, plan), 0);
	KUNIT_EXPECT_EQ(test, l.ends, nr > 2 ? plan->line[0].needed : 0);
	KUNIT_EXPECT_LE(test, l.ends, l.needed);
	/* Leaving out any other class saves no more than the one that is named. */
	for (i = 0; i < 32; i++) {
		u32 classes = others & ~BIT(i);

		if (classes == others || i == (u32)fls(ends[1] - 1) || nr == 2)
			continue;
		line.sizes = fewer;
		line.nr_sizes = sizes_in(sizes, nr, classes, fewer);
		KUNIT_ASSERT_EQ(test, myalloc_contract_plan(fx->zone, &line, 1, plan), 0);
		if (classes == l.fewer_orders) {
			KUNIT_EXPECT_EQ(test, l.fewer, plan->line[0].needed);
			found++;
		}
		least = min(least, plan->line[0].needed);
	}
	KUNIT_EXPECT_EQ(test, l.fewer, least == U32_MAX ? 0 : least);
	KUNIT_EXPECT_EQ(test, found, least != U32_MAX);
	KUNIT_EXPECT_EQ(test, !l.fewer_orders, least == U32_MAX);
}

static void contract_cheaper_extents(struct kunit *test)
{
	const u32 one[] = { 7, 7 };
	struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_EXTENTS, .pages = 63, .sizes = one, .nr_sizes = 2,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));

	KUNIT_ASSERT_EQ(test, myalloc_contract_plan(fx->zone, &line, 1, plan), 0);
	KUNIT_EXPECT_EQ(test, plan->line[0].apart, 0);
	KUNIT_EXPECT_EQ(test, plan->line[0].ends, 0);
	KUNIT_EXPECT_EQ(test, plan->line[0].fewer, 0);

	cheaper_ways(test, 64, (const u32[]){ 5, 3, 12 }, 3);
	cheaper_ways(test, 100, (const u32[]){ 1, 3, 9, 27, 81 }, 5);
	cheaper_ways(test, 101, (const u32[]){ 17, 2, 5, 33, 100, 6 }, 6);
	cheaper_ways(test, 40, (const u32[]){ 5, 6, 8 }, 3);
	cheaper_ways(test, 77, (const u32[]){ 12, 5 }, 2);
}

static struct kunit_case contract_plan_cases[] = {
	KUNIT_CASE(contract_plan),
	KUNIT_CASE(contract_cheaper_extents),
	KUNIT_CASE(contract_lines),
	KUNIT_CASE(contract_args),
	KUNIT_CASE(contract_short),
	KUNIT_CASE(contract_taken),
	KUNIT_CASE(contract_table),
	KUNIT_CASE(contract_checks),
	{}
};

static struct kunit_suite contract_plan_suite = {
	.name = "myalloc_contract_plan",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = contract_plan_cases,
};

kunit_test_suite(contract_plan_suite);
