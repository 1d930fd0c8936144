// SPDX-License-Identifier: GPL-2.0
/* Tests of the random numbers. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "base/random.h"

/* The output of the reference implementation of SplitMix64 for 1234567. */
static void random_reference(struct kunit *test)
{
	static const u64 numbers[] = {
		6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL,
		4593380528125082431ULL, 16408922859458223821ULL,
	};
	struct myalloc_random random = { .state = 1234567 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		KUNIT_EXPECT_EQ(test, myalloc_random_next(&random), numbers[i]);
}

static void random_unmix(struct kunit *test)
{
	struct myalloc_random random;
	u32 i;

	fixture_random(test, &random);
	for (i = 0; i < 10000; i++) {
		u64 x = myalloc_random_next(&random) >> (i % 64);

		KUNIT_ASSERT_EQ(test, myalloc_unmix64(myalloc_mix64(x)), x);
		KUNIT_ASSERT_EQ(test, myalloc_mix64(myalloc_unmix64(x)), x);
	}
}

/* The same seed and stream repeat the sequence; a change of either changes it. */
static void random_streams(struct kunit *test)
{
	struct myalloc_random a, b, c, d;
	u32 i;

	myalloc_random_init(&a, 7, 0);
	myalloc_random_init(&b, 7, 0);
	myalloc_random_init(&c, 7, 1);
	myalloc_random_init(&d, 8, 0);
	for (i = 0; i < 1000; i++) {
		u64 x = myalloc_random_next(&a);

		KUNIT_ASSERT_EQ(test, x, myalloc_random_next(&b));
		KUNIT_ASSERT_NE(test, x, myalloc_random_next(&c));
		KUNIT_ASSERT_NE(test, x, myalloc_random_next(&d));
	}
}

static void random_below(struct kunit *test)
{
	struct myalloc_random random;
	u32 seen[10] = { }, i;

	fixture_random(test, &random);
	for (i = 0; i < 10000; i++) {
		u32 x = myalloc_random_below(&random, 10);

		KUNIT_ASSERT_LT(test, x, 10u);
		seen[x]++;
		KUNIT_ASSERT_EQ(test, myalloc_random_below(&random, 1), 0u);
		KUNIT_ASSERT_LT(test, myalloc_random_below(&random, U32_MAX), U32_MAX);
	}
	/* The mean is 1000, the standard deviation 30; 10 of these are exceeded once in 10^22. */
	for (i = 0; i < 10; i++) {
		KUNIT_EXPECT_GT(test, seen[i], 700u);
		KUNIT_EXPECT_LT(test, seen[i], 1300u);
	}
}

/* All limits must be ascending, and the last must be 2^32. */
static void check_choice(struct kunit *test, const u32 *weights, u32 nr)
{
	struct myalloc_choice choice;
	struct myalloc_random random;
	u64 total = 0, below = 0;
	u32 i;

	for (i = 0; i < nr; i++)
		total += weights[i];
	myalloc_choice_init(&choice, weights, nr);
	for (i = 0; i < nr; i++) {
		u64 share = choice.limit[i] - below;
		/* Shares of 2^32 and of the total, compared as products. */
		u64 is = share * total, ought = (u64)weights[i] << 32;

		KUNIT_ASSERT_GE(test, choice.limit[i], below);
		KUNIT_EXPECT_EQ(test, !share, !weights[i]);
		if (total <= U32_MAX)
			KUNIT_EXPECT_LE(test, is > ought ? is - ought : ought - is, total);
		below = choice.limit[i];
	}
	KUNIT_EXPECT_EQ(test, below, BIT_ULL(32));

	fixture_random(test, &random);
	for (i = 0; i < 1000; i++) {
		u32 chosen = myalloc_choose(&choice, &random);

		KUNIT_ASSERT_LT(test, chosen, nr);
		KUNIT_ASSERT_NE(test, weights[chosen], 0u);
	}
}

static void random_choice(struct kunit *test)
{
	static const u32 one[] = { 5 }, same[] = { 1, 1, 1 }, holes[] = { 0, 3, 0, 0, 1, 0 };
	static const u32 halving[] = { 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1 };
	static const u32 thousands[] = { 100000, 0, 200000, 300000 };
	u32 most[MYALLOC_CHOICE_MAX], i;

	for (i = 0; i < ARRAY_SIZE(most); i++)
		most[i] = U32_MAX;
	check_choice(test, one, ARRAY_SIZE(one));
	check_choice(test, same, ARRAY_SIZE(same));
	check_choice(test, holes, ARRAY_SIZE(holes));
	check_choice(test, halving, ARRAY_SIZE(halving));
	check_choice(test, thousands, ARRAY_SIZE(thousands));
	check_choice(test, most, ARRAY_SIZE(most));
	check_choice(test, most, 1);
}

/* The choice for a random number. */
static u32 choose_by(const struct myalloc_choice *choice, u32 number)
{
	struct myalloc_random random = {
		.state = myalloc_unmix64(number) - MYALLOC_GOLDEN64,
	};

	return myalloc_choose(choice, &random);
}

/* On both sides of every limit. */
static void random_choice_limits(struct kunit *test)
{
	static const u32 weights[] = { 0, 1, 2, 0, 5 };
	struct myalloc_choice choice;
	u32 second, third;

	myalloc_choice_init(&choice, weights, ARRAY_SIZE(weights));
	second = choice.limit[1];
	third = choice.limit[2];
	KUNIT_EXPECT_EQ(test, choose_by(&choice, 0), 1u);
	KUNIT_EXPECT_EQ(test, choose_by(&choice, second - 1), 1u);
	KUNIT_EXPECT_EQ(test, choose_by(&choice, second), 2u);
	KUNIT_EXPECT_EQ(test, choose_by(&choice, third - 1), 2u);
	KUNIT_EXPECT_EQ(test, choose_by(&choice, third), 4u);
	KUNIT_EXPECT_EQ(test, choose_by(&choice, U32_MAX), 4u);
}

/* Below 1,024 no doubling is rare, and nothing exceeds the largest size. */
static void random_size(struct kunit *test)
{
	struct myalloc_random random;
	u32 below[11] = { 0 }, i, size;

	myalloc_random_init(&random, 1, 0);
	for (i = 0; i < 11000; i++) {
		size = myalloc_random_size(myalloc_random_next(&random), 1024);
		KUNIT_ASSERT_LE(test, size, 1024u);
		below[size < 2 ? 0 : min(ilog2(size), 10)]++;
	}
	KUNIT_EXPECT_GT(test, below[0], 1500u);
	for (i = 1; i < 10; i++)
		KUNIT_EXPECT_GT(test, below[i], 500u);
	KUNIT_EXPECT_GT(test, below[10], 300u);
	KUNIT_EXPECT_LE(test, myalloc_random_size(U64_MAX, 1), 1u);
}

static struct kunit_case random_cases[] = {
	KUNIT_CASE(random_reference),
	KUNIT_CASE(random_unmix),
	KUNIT_CASE(random_streams),
	KUNIT_CASE(random_below),
	KUNIT_CASE(random_choice),
	KUNIT_CASE(random_choice_limits),
	KUNIT_CASE(random_size),
	{}
};

static struct kunit_suite random_suite = {
	.name = "myalloc_random",
	.test_cases = random_cases,
};

kunit_test_suite(random_suite);
