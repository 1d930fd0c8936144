// SPDX-License-Identifier: GPL-2.0
/* Tests of the patterns that identify the owner of memory. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "base/pattern.h"

#define SEED		0x1234567890abcdefULL
#define ROOM		256	/* bytes of memory under test */
#define CANARY		0x5a

static u8 *make(struct kunit *test)
{
	u8 *mem = kunit_kzalloc(test, ROOM, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	return mem;
}

static void pattern_keys(struct kunit *test)
{
	struct myalloc_random random;
	u32 i;

	fixture_random(test, &random);
	for (i = 0; i < 1000; i++) {
		u64 seed = myalloc_random_next(&random), identity = myalloc_random_next(&random);
		u64 key = myalloc_pattern_key(seed, identity);

		KUNIT_ASSERT_EQ(test, myalloc_pattern_identity(seed, key), identity);
		KUNIT_ASSERT_NE(test, myalloc_pattern_key(seed + 1, identity), key);
		KUNIT_ASSERT_NE(test, myalloc_pattern_key(seed, identity + 1), key);
	}
}

/* For every size, all bytes are written and none beside them. */
static void pattern_sizes(struct kunit *test)
{
	struct myalloc_damage damage;
	u8 *mem = make(test);
	u64 key = myalloc_pattern_key(SEED, 1);
	size_t size, i;

	for (size = 0; size < ROOM - 8; size++) {
		memset(mem, CANARY, ROOM);
		myalloc_pattern_fill(mem, size, key);
		KUNIT_ASSERT_TRUE(test, myalloc_pattern_check(mem, size, key, &damage));
		KUNIT_ASSERT_EQ(test, damage.words, (size_t)0);
		KUNIT_ASSERT_EQ(test, damage.of, (size + 7) / 8);
		for (i = size; i < ROOM; i++)
			KUNIT_ASSERT_EQ(test, mem[i], CANARY);
		/* Bytes beyond the size are not compared. */
		memset(mem + size, 0, ROOM - size);
		KUNIT_ASSERT_TRUE(test, myalloc_pattern_check(mem, size, key, &damage));
	}
}

/* Every single changed bit is found, at its position. */
static void pattern_every_bit(struct kunit *test)
{
	struct myalloc_damage damage;
	u8 *mem = make(test);
	u64 key = myalloc_pattern_key(SEED, 2);
	size_t size, bit;

	for (size = 1; size <= 41; size++) {
		myalloc_pattern_fill(mem, size, key);
		for (bit = 0; bit < 8 * size; bit++) {
			mem[bit / 8] ^= 1 << bit % 8;
			KUNIT_ASSERT_FALSE(test, myalloc_pattern_check(mem, size, key, &damage));
			KUNIT_ASSERT_EQ(test, damage.words, (size_t)1);
			KUNIT_ASSERT_EQ(test, damage.offset, bit / 64 * 8);
			KUNIT_ASSERT_EQ(test, hweight64(damage.found ^ damage.expected), 1);
			mem[bit / 8] ^= 1 << bit % 8;
		}
		KUNIT_ASSERT_TRUE(test, myalloc_pattern_check(mem, size, key, &damage));
	}
}

/* The first wrong word is reported and all are counted. */
static void pattern_counts(struct kunit *test)
{
	struct myalloc_damage damage;
	u8 *mem = make(test);
	u64 key = myalloc_pattern_key(SEED, 3), other = myalloc_pattern_key(SEED, 4);

	myalloc_pattern_fill(mem, ROOM, key);
	myalloc_pattern_fill(mem + 64, 80, other);
	KUNIT_EXPECT_FALSE(test, myalloc_pattern_check(mem, ROOM, key, &damage));
	KUNIT_EXPECT_EQ(test, damage.offset, (size_t)64);
	KUNIT_EXPECT_EQ(test, damage.words, (size_t)10);
	KUNIT_EXPECT_EQ(test, damage.of, (size_t)ROOM / 8);
	KUNIT_EXPECT_EQ(test, damage.found, other);
	KUNIT_EXPECT_EQ(test, damage.expected, key + 8 * MYALLOC_GOLDEN64);

	/* A copy of the right content at the wrong address. */
	myalloc_pattern_fill(mem, ROOM, key);
	memmove(mem + 8, mem, 8);
	KUNIT_EXPECT_FALSE(test, myalloc_pattern_check(mem, ROOM, key, &damage));
	KUNIT_EXPECT_EQ(test, damage.offset, (size_t)8);
	KUNIT_EXPECT_EQ(test, damage.words, (size_t)1);
}

static void pattern_zero(struct kunit *test)
{
	struct myalloc_damage damage;
	u8 *mem = make(test);
	size_t size, i;

	for (size = 0; size <= 33; size++) {
		memset(mem, 0, size);
		memset(mem + size, CANARY, ROOM - size);
		KUNIT_ASSERT_TRUE(test, myalloc_pattern_check_zero(mem, size, &damage));
		for (i = 0; i < size; i++) {
			mem[i] = 0x80;
			KUNIT_ASSERT_FALSE(test, myalloc_pattern_check_zero(mem, size, &damage));
			KUNIT_ASSERT_EQ(test, damage.offset, i / 8 * 8);
			KUNIT_ASSERT_EQ(test, damage.expected, 0ULL);
			mem[i] = 0;
		}
	}
}

/* Identities 1 to 100, each of 1000 words. */
static bool known(u64 identity, size_t index, const void *arg)
{
	return identity && identity <= 100 && index < 1000;
}

static void pattern_trace(struct kunit *test)
{
	u64 identity, found, word;
	size_t index, at;

	for (identity = 1; identity <= 100; identity++)
		for (index = 0; index < 1000; index += 37) {
			word = myalloc_pattern_key(SEED, identity) + index * MYALLOC_GOLDEN64;
			KUNIT_ASSERT_TRUE(test, myalloc_pattern_trace(word, SEED, 1000, known, NULL,
								      &found, &at));
			KUNIT_ASSERT_EQ(test, found, identity);
			KUNIT_ASSERT_EQ(test, at, index);
		}
}

/* Memory that was not written, or written by another owner, or in another run. */
static void pattern_trace_nobody(struct kunit *test)
{
	static const u64 words[] = { 0, U64_MAX, 0x6b6b6b6b6b6b6b6bULL, 0x5a5a5a5a5a5a5a5aULL };
	u64 found;
	size_t at;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		KUNIT_EXPECT_FALSE(test, myalloc_pattern_trace(words[i], SEED, 1000, known, NULL,
							       &found, &at));
	KUNIT_EXPECT_FALSE(test, myalloc_pattern_trace(myalloc_pattern_key(SEED, 101), SEED, 1000,
						       known, NULL, &found, &at));
	KUNIT_EXPECT_FALSE(test, myalloc_pattern_trace(myalloc_pattern_key(SEED + 1, 1), SEED,
						       1000, known, NULL, &found, &at));
	KUNIT_EXPECT_FALSE(test, myalloc_pattern_trace(myalloc_pattern_key(SEED, 1), SEED, 0,
						       known, NULL, &found, &at));
}

static struct kunit_case pattern_cases[] = {
	KUNIT_CASE(pattern_keys),
	KUNIT_CASE(pattern_sizes),
	KUNIT_CASE(pattern_every_bit),
	KUNIT_CASE(pattern_counts),
	KUNIT_CASE(pattern_zero),
	KUNIT_CASE(pattern_trace),
	KUNIT_CASE(pattern_trace_nobody),
	{}
};

static struct kunit_suite pattern_suite = {
	.name = "myalloc_pattern",
	.test_cases = pattern_cases,
};

kunit_test_suite(pattern_suite);
