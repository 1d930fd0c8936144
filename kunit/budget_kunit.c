// SPDX-License-Identifier: GPL-2.0
/* Tests of the arithmetic of bounds: the budget of the system's memory, the quota of a session. */
#include "env.h"

#include <kunit/test.h>

#include "../mod/budget.h"
#include "../mod/device/quota.h"

#define MIB(n)	((u64)(n) * MYALLOC_BUDGET_MIB_PAGES)

static void budget_leaves_a_margin(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, myalloc_budget_margin(MIB(1024)), MIB(40));
	KUNIT_EXPECT_EQ(test, myalloc_budget_pages(MIB(100), MIB(1024)), MIB(60));
	KUNIT_EXPECT_EQ(test, myalloc_budget_pages(MIB(41), MIB(1024)), MIB(1));
}

/* si_mem_available() is never negative today, but its type is signed. */
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

/* The largest value still exceeds the memory of any machine. */
static void budget_does_not_overflow(struct kunit *test)
{
	KUNIT_EXPECT_GT(test, myalloc_budget_need(U64_MAX), U64_MAX >> PAGE_SHIFT);
	KUNIT_EXPECT_GT(test, myalloc_budget_need(SIZE_MAX), myalloc_budget_need(SIZE_MAX / 2));
}

static void quota_of_a_zone(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, myalloc_quota_bytes(16384, 100), (u64)16384 << PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, myalloc_quota_bytes(16384, 50), (u64)8192 << PAGE_SHIFT);
	/* Rounded down, but never to 0. */
	KUNIT_EXPECT_EQ(test, myalloc_quota_bytes(199, 1), (u64)PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, myalloc_quota_bytes(16, 1), (u64)PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, myalloc_quota_bytes(U32_MAX, 100), (u64)U32_MAX << PAGE_SHIFT);
}

static struct kunit_case budget_cases[] = {
	KUNIT_CASE(budget_leaves_a_margin),
	KUNIT_CASE(budget_is_never_negative),
	KUNIT_CASE(budget_rounds_up),
	KUNIT_CASE(budget_does_not_overflow),
	KUNIT_CASE(quota_of_a_zone),
	{}
};

static struct kunit_suite budget_suite = {
	.name = "myalloc_budget",
	.test_cases = budget_cases,
};

kunit_test_suite(budget_suite);
