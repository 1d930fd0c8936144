// SPDX-License-Identifier: GPL-2.0
/* Tests of the histogram. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "base/histogram.h"

#define VALUES	1000

static struct myalloc_histogram *make(struct kunit *test)
{
	struct myalloc_histogram *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, h);
	myalloc_histogram_init(h);
	return h;
}

/* Checks H1 and H2 as histogram.c states them. */
static void check_value(struct kunit *test, u64 value)
{
	u32 bucket = myalloc_histogram_bucket(value);
	u64 upper;

	KUNIT_ASSERT_LT(test, bucket, (u32)MYALLOC_HISTOGRAM_BUCKETS);
	upper = myalloc_histogram_upper(bucket);
	KUNIT_ASSERT_GE(test, upper, value);
	KUNIT_ASSERT_LE(test, upper - value, value / 16);
	if (bucket)
		KUNIT_ASSERT_LT(test, myalloc_histogram_upper(bucket - 1), value);
}

/* All small values, and those around every power of two and every step. */
static void histogram_buckets(struct kunit *test)
{
	u32 bit, step;
	u64 value;

	for (value = 0; value < 5000; value++)
		check_value(test, value);
	for (bit = 4; bit < 64; bit++)
		for (step = 16; step < 32; step++) {
			value = (u64)step << (bit - 4);
			check_value(test, value - 1);
			check_value(test, value);
			check_value(test, value + 1);
		}
	check_value(test, U64_MAX);
}

/* Every bucket begins right behind the previous one and contains its own upper end. */
static void histogram_partition(struct kunit *test)
{
	u32 i;

	for (i = 0; i < MYALLOC_HISTOGRAM_BUCKETS; i++) {
		u64 upper = myalloc_histogram_upper(i);

		KUNIT_ASSERT_EQ(test, myalloc_histogram_bucket(upper), i);
		if (upper != U64_MAX)
			KUNIT_ASSERT_EQ(test, myalloc_histogram_bucket(upper + 1), i + 1);
	}
	KUNIT_EXPECT_EQ(test, myalloc_histogram_upper(MYALLOC_HISTOGRAM_BUCKETS - 1), U64_MAX);
}

static void histogram_empty(struct kunit *test)
{
	struct myalloc_histogram *h = make(test);

	KUNIT_EXPECT_EQ(test, myalloc_histogram_count(h), 0ULL);
	KUNIT_EXPECT_EQ(test, myalloc_histogram_quantile(h, 500), 0ULL);
	KUNIT_EXPECT_EQ(test, h->min, U64_MAX);
	KUNIT_EXPECT_EQ(test, h->max, 0ULL);
}

/* With a single value, every quantile is exactly that value. */
static void histogram_single(struct kunit *test)
{
	static const u64 values[] = { 0, 1, 15, 16, 17, 12345, U64_MAX };
	struct myalloc_histogram *h = make(test);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		myalloc_histogram_init(h);
		myalloc_histogram_add(h, values[i]);
		KUNIT_EXPECT_EQ(test, myalloc_histogram_count(h), 1ULL);
		KUNIT_EXPECT_EQ(test, h->min, values[i]);
		KUNIT_EXPECT_EQ(test, h->max, values[i]);
		KUNIT_EXPECT_EQ(test, myalloc_histogram_quantile(h, 0), values[i]);
		KUNIT_EXPECT_EQ(test, myalloc_histogram_quantile(h, 500), values[i]);
		KUNIT_EXPECT_EQ(test, myalloc_histogram_quantile(h, 1000), values[i]);
	}
}

static void sort_values(u64 *value, u32 nr)
{
	u32 i, k;

	for (i = 1; i < nr; i++) {
		u64 v = value[i];

		for (k = i; k && value[k - 1] > v; k--)
			value[k] = value[k - 1];
		value[k] = v;
	}
}

/* The value that ceil(nr * permille / 1000) of the sorted values do not exceed. */
static u64 exact_quantile(const u64 *sorted, u32 nr, u32 permille)
{
	u32 rank = (nr * permille + 999) / 1000;

	return sorted[rank ? rank - 1 : 0];
}

/* Compared with a sorted array, for values of all sizes and counts that do not divide evenly. */
static void histogram_quantiles(struct kunit *test)
{
	static const u32 permille[] = { 0, 1, 10, 333, 500, 900, 990, 999, 1000 };
	static const u32 numbers[] = { 1, 2, 3, 7, 99, 100, 101, 997, VALUES };
	u64 *value = kunit_kzalloc(test, VALUES * sizeof(*value), GFP_KERNEL);
	struct myalloc_histogram *h = make(test);
	struct myalloc_random random;
	u32 n, i;

	KUNIT_ASSERT_NOT_NULL(test, value);
	fixture_random(test, &random);
	for (n = 0; n < ARRAY_SIZE(numbers); n++) {
		u32 nr = numbers[n];

		myalloc_histogram_init(h);
		for (i = 0; i < nr; i++) {
			value[i] = myalloc_random_next(&random) >>
				   myalloc_random_below(&random, 64);
			myalloc_histogram_add(h, value[i]);
		}
		sort_values(value, nr);
		KUNIT_EXPECT_EQ(test, myalloc_histogram_count(h), (u64)nr);
		KUNIT_EXPECT_EQ(test, h->min, value[0]);
		KUNIT_EXPECT_EQ(test, h->max, value[nr - 1]);
		for (i = 0; i < ARRAY_SIZE(permille); i++) {
			u64 exact = exact_quantile(value, nr, permille[i]);
			u64 found = myalloc_histogram_quantile(h, permille[i]);

			KUNIT_EXPECT_GE(test, found, exact);
			KUNIT_EXPECT_LE(test, found - exact, exact / 16);
		}
	}
}

/* Merging partial counts gives the same result as counting at once. */
static void histogram_merge(struct kunit *test)
{
	struct myalloc_histogram *whole = make(test), *sum = make(test), *part = make(test);
	struct myalloc_random random;
	u32 i;

	fixture_random(test, &random);
	for (i = 0; i < VALUES; i++) {
		u64 value = myalloc_random_next(&random) >> (i % 64);

		myalloc_histogram_add(whole, value);
		myalloc_histogram_add(part, value);
		if (!(i % 300) || i == VALUES - 1) {
			myalloc_histogram_merge(sum, part);
			myalloc_histogram_init(part);
		}
	}
	myalloc_histogram_merge(sum, part);
	KUNIT_EXPECT_EQ(test, memcmp(sum, whole, sizeof(*sum)), 0);
}

/* Counts near the limit of their type. */
static void histogram_large_counts(struct kunit *test)
{
	struct myalloc_histogram *h = make(test);

	myalloc_histogram_add(h, 1);
	myalloc_histogram_add(h, 9);
	h->bucket[1] = (1ULL << 63) - 1;
	h->bucket[9] = 1ULL << 62;
	KUNIT_EXPECT_EQ(test, myalloc_histogram_quantile(h, 500), 1ULL);
	KUNIT_EXPECT_EQ(test, myalloc_histogram_quantile(h, 666), 1ULL);
	KUNIT_EXPECT_EQ(test, myalloc_histogram_quantile(h, 667), 9ULL);
	KUNIT_EXPECT_EQ(test, myalloc_histogram_quantile(h, 1000), 9ULL);
}

static struct kunit_case histogram_cases[] = {
	KUNIT_CASE(histogram_buckets),
	KUNIT_CASE(histogram_partition),
	KUNIT_CASE(histogram_empty),
	KUNIT_CASE(histogram_single),
	KUNIT_CASE(histogram_quantiles),
	KUNIT_CASE(histogram_merge),
	KUNIT_CASE(histogram_large_counts),
	{}
};

static struct kunit_suite histogram_suite = {
	.name = "myalloc_histogram",
	.test_cases = histogram_cases,
};

kunit_test_suite(histogram_suite);
