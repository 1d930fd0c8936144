// SPDX-License-Identifier: GPL-2.0
/* Tests of dividing long work: the arithmetic of slices, and the sort. */
#include "env.h"

#include <kunit/test.h>

#include "base/random.h"
#include "base/sort.h"
#include "fixture.h"
#include "../mod/slice.h"

/* The first slice is one batch: nothing is known yet. */
static void slice_begins_small(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, myalloc_slice_next(0, 0, 1), 1U);
	KUNIT_EXPECT_EQ(test, myalloc_slice_next(0, 0, 1000), 1000U);
}

static void slice_grows_to_its_time(struct kunit *test)
{
	/* A slice of the target duration: the same number again. */
	KUNIT_EXPECT_EQ(test, myalloc_slice_next(500, MYALLOC_SLICE_NS, 1), 500U);
	KUNIT_EXPECT_EQ(test, myalloc_slice_next(500, MYALLOC_SLICE_NS / 2, 1), 1000U);
	KUNIT_EXPECT_EQ(test, myalloc_slice_next(500, MYALLOC_SLICE_NS * 10, 1), 50U);
	/* Growth is gradual, even if the clock stood still. */
	KUNIT_EXPECT_EQ(test, myalloc_slice_next(500, 1, 1), 500U * MYALLOC_SLICE_GROWTH);
	KUNIT_EXPECT_EQ(test, myalloc_slice_next(500, 0, 1), 500U * MYALLOC_SLICE_GROWTH);
}

static void slice_is_whole_batches(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, myalloc_slice_next(64, MYALLOC_SLICE_NS / 3, 64), 192U);
	KUNIT_EXPECT_EQ(test, myalloc_slice_next(64, MYALLOC_SLICE_NS * 2 / 3, 64), 64U);
	/* A single batch is not divided, however long it takes. */
	KUNIT_EXPECT_EQ(test, myalloc_slice_next(64, U64_MAX, 64), 64U);
	KUNIT_EXPECT_EQ(test, myalloc_slice_next(U32_MAX, 1, 1), U32_MAX);
}

/* Only the first slice takes much longer than the target, whatever an operation costs. */
static void slice_keeps_its_time(struct kunit *test)
{
	static const u64 costs[] = { 1, 5, 80, 1300, 50000, 4000000 };
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(costs); i++) {
		u32 ops = 0;
		u64 ns = 0;

		for (n = 0; n < 20; n++) {
			ops = myalloc_slice_next(ops, ns, 1);
			ns = ops * costs[i];
			KUNIT_EXPECT_LE(test, ns, (u64)MYALLOC_SLICE_NS);
		}
		KUNIT_EXPECT_GT(test, 2 * ns, (u64)MYALLOC_SLICE_NS);
	}
}

static void slice_of_zeroed_blocks(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, myalloc_slice_blocks(1, 64), 64U);
	KUNIT_EXPECT_EQ(test, myalloc_slice_blocks(1024, 64), 4U);
	KUNIT_EXPECT_EQ(test, myalloc_slice_blocks(U32_MAX, 64), 1U);
}

struct element {
	u32 key;
	u8 tail[9];	/* an odd size */
};

static int compare(const void *a, const void *b)
{
	const struct element *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static void sort_check(struct kunit *test, struct element *e, u32 nr, u64 sum)
{
	u32 i;

	myalloc_sort(e, nr, sizeof(*e), compare);
	for (i = 0; i < nr; i++) {
		if (i)
			KUNIT_ASSERT_LE(test, e[i - 1].key, e[i].key);
		KUNIT_ASSERT_EQ(test, e[i].tail[8], (u8)e[i].key);
		sum -= e[i].key;
	}
	KUNIT_EXPECT_EQ(test, sum, 0ULL);
}

static void sort_sorts(struct kunit *test)
{
	const u32 most = 3000;
	struct element *e = kunit_kzalloc(test, most * sizeof(*e), GFP_KERNEL);
	u32 nr, i, range;
	struct myalloc_random random;

	KUNIT_ASSERT_NOT_NULL(test, e);
	myalloc_random_init(&random, 1, 0);
	for (nr = 0; nr <= most; nr = nr < 20 ? nr + 1 : nr * 3 / 2) {
		for (range = 1; range <= most; range *= 30) {
			u64 sum = 0;

			for (i = 0; i < nr; i++) {
				e[i].key = myalloc_random_below(&random, range);
				e[i].tail[8] = e[i].key;
				sum += e[i].key;
			}
			sort_check(test, e, nr, sum);
			sort_check(test, e, nr, sum);	/* sorted input stays as it is */
		}
	}
}

static struct kunit_case slice_cases[] = {
	KUNIT_CASE(slice_begins_small),
	KUNIT_CASE(slice_grows_to_its_time),
	KUNIT_CASE(slice_is_whole_batches),
	KUNIT_CASE(slice_keeps_its_time),
	KUNIT_CASE(slice_of_zeroed_blocks),
	KUNIT_CASE(sort_sorts),
	{}
};

static struct kunit_suite slice_suite = {
	.name = "myalloc_slice",
	.test_cases = slice_cases,
};

kunit_test_suite(slice_suite);
