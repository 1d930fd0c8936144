// SPDX-License-Identifier: GPL-2.0
/* Tests of the set of handles. */
#include "env.h"

#include <kunit/test.h>

#include "base/handle_set.h"

static struct myalloc_handle_set *make(struct kunit *test)
{
	struct myalloc_handle_set *set = kunit_kzalloc(test, sizeof(*set), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, set);
	return set;
}

static void handle_set_knows_its_own(struct kunit *test)
{
	struct myalloc_handle_set *set = make(test);
	u32 i;

	KUNIT_EXPECT_FALSE(test, myalloc_handle_set_has(set, 0));
	for (i = 1; i <= 1000; i++) {
		KUNIT_EXPECT_FALSE(test, myalloc_handle_set_has(set, i * 3));
		KUNIT_EXPECT_TRUE(test, myalloc_handle_set_add(set, i * 3));
		KUNIT_EXPECT_TRUE(test, myalloc_handle_set_add(set, i * 3));
	}
	for (i = 1; i <= 3000; i++)
		KUNIT_EXPECT_EQ(test, myalloc_handle_set_has(set, i), i % 3 == 0);
	KUNIT_EXPECT_FALSE(test, myalloc_handle_set_has(set, 0));
}

/* Full: the new ones are refused, the old ones stay. */
static void handle_set_full(struct kunit *test)
{
	struct myalloc_handle_set *set = make(test);
	u32 taken = 0, i;

	for (i = 1; i <= BIT(MYALLOC_HANDLES_BITS + 2); i++)
		taken += myalloc_handle_set_add(set, i);
	KUNIT_EXPECT_LE(test, taken, (u32)BIT(MYALLOC_HANDLES_BITS));
	KUNIT_EXPECT_GT(test, taken, (u32)BIT(MYALLOC_HANDLES_BITS) / 2);
	for (i = 1; i <= BIT(MYALLOC_HANDLES_BITS + 2); i++)
		taken -= myalloc_handle_set_has(set, i);
	KUNIT_EXPECT_EQ(test, taken, 0U);
}

static struct kunit_case handle_set_cases[] = {
	KUNIT_CASE(handle_set_knows_its_own),
	KUNIT_CASE(handle_set_full),
	{}
};

static struct kunit_suite handle_set_suite = {
	.name = "myalloc_handle_set",
	.test_cases = handle_set_cases,
};

kunit_test_suite(handle_set_suite);
