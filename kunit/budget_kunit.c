// SPDX-License-Identifier: GPL-2.0
/* Tests of the budget's arithmetic. */
#include "env.h"

#include <kunit/test.h>

#include "../mod/budget.h"

#define MIB(n)	((u64)(n) * MYALLOC_BUDGET_MIB_PAGES)

static void budget_leaves_a_margin(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, myalloc_budget_margin(MIB(1024)), MIB(40));
	KUNIT_EXPECT_EQ(test, myalloc_budget_pages(MIB(100), MIB(1024)), MIB(60));
	KUNIT_EXPECT_EQ(test, myalloc_budget_pages(MIB(41), MIB(1024)), MIB(1));
}

/* si_mem_available() is never negative today; it is a signed number all the same. */
static void budget_is_never_negative(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, myalloc_budget_pages(MIB(40), MIB(1024)), 0ULL);
	KUNIT_EXPECT_EQ(test, myalloc_budget_pages(MIB(39), MIB(1024)), 0ULL);
	KUNIT_EXPECT_EQ(test, myalloc_budget_pages(0, MIB(1024)), 0ULL);
	KUNIT_EXPECT_EQ(test, myalloc_budget_pages(-1, MIB(1024)), 0ULL);
	KUNIT_EXPECT_EQ(test, myalloc_budget_pages(S64_MIN, 0), 0ULL);
}

static void budget_rounds_up(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, myalloc_budget_need(0), 0ULL);
	KUNIT_EXPECT_EQ(test, myalloc_budget_need(1), 1ULL);
	KUNIT_EXPECT_EQ(test, myalloc_budget_need(PAGE_SIZE), 1ULL);
	KUNIT_EXPECT_EQ(test, myalloc_budget_need(PAGE_SIZE + 1), 2ULL);
	/* Page tables. */
	KUNIT_EXPECT_EQ(test, myalloc_budget_need(PAGE_SIZE * 512), 513ULL);
}

/* The largest number is still more than any machine has. */
static void budget_does_not_overflow(struct kunit *test)
{
	KUNIT_EXPECT_GT(test, myalloc_budget_need(U64_MAX), U64_MAX >> PAGE_SHIFT);
	KUNIT_EXPECT_GT(test, myalloc_budget_need(SIZE_MAX), myalloc_budget_need(SIZE_MAX / 2));
}

static struct kunit_case budget_cases[] = {
	KUNIT_CASE(budget_leaves_a_margin),
	KUNIT_CASE(budget_is_never_negative),
	KUNIT_CASE(budget_rounds_up),
	KUNIT_CASE(budget_does_not_overflow),
	{}
};

static struct kunit_suite budget_suite = {
	.name = "myalloc_budget",
	.test_cases = budget_cases,
};

kunit_test_suite(budget_suite);
