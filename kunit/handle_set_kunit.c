// SPDX-License-Identifier: GPL-2.0
/* Tests of the set of handles. */
#include "env.h"

#include <kunit/test.h>

#include "env/kernel/handle_set.h"
#include "fixture.h"

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

/* When full, new handles are refused and old ones stay. */
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

static struct myalloc_handle_set *taken_set;
static u32 taken_by;

static void take_place(const char *where)
{
	u32 by = taken_by;

	if (strcmp(where, "handle-place") || !by)
		return;
	taken_by = 0;
	myalloc_handle_set_add(taken_set, by);
}

/* Another CPU takes the place that was just found free, for another handle or the same one. */
static void handle_set_taken(struct kunit *test)
{
	struct myalloc_handle_set *set = make(test);
	u32 handle = 5, other;

	other = handle + 1;
	while (myalloc_handle_at(other, 0) != myalloc_handle_at(handle, 0))
		other++;
	if (!fixture_set_hook(take_place))
		kunit_skip(test, "no hook here");
	taken_set = set;
	taken_by = other;
	KUNIT_EXPECT_TRUE(test, myalloc_handle_set_add(set, handle));
	KUNIT_EXPECT_EQ(test, taken_by, 0U);
	KUNIT_EXPECT_TRUE(test, myalloc_handle_set_has(set, handle));
	KUNIT_EXPECT_TRUE(test, myalloc_handle_set_has(set, other));
	KUNIT_EXPECT_EQ(test, set->slot[myalloc_handle_at(handle, 0)], other);
	KUNIT_EXPECT_EQ(test, set->slot[myalloc_handle_at(handle, 1)], handle);
	taken_by = handle + 1;
	KUNIT_EXPECT_TRUE(test, myalloc_handle_set_add(set, handle + 1));
	KUNIT_EXPECT_EQ(test, taken_by, 0U);
	KUNIT_EXPECT_TRUE(test, myalloc_handle_set_has(set, handle + 1));
	fixture_set_hook(NULL);
}

static struct kunit_case handle_set_cases[] = {
	KUNIT_CASE(handle_set_knows_its_own),
	KUNIT_CASE(handle_set_full),
	KUNIT_CASE(handle_set_taken),
	{}
};

static struct kunit_suite handle_set_suite = {
	.name = "myalloc_handle_set",
	.test_cases = handle_set_cases,
};

kunit_test_suite(handle_set_suite);
