// SPDX-License-Identifier: GPL-2.0
/* Tests of the summarised bitmap. */
#include "env.h"

#include <kunit/test.h>

#include "base/bitmap_tree.h"
#include "fixture.h"

#define CANARY		0x5ca1ab1e5ca1ab1eULL
#define MODEL_BITS	4500

struct tree {
	struct myalloc_bitmap_tree tree;
	u64 *memory;
	size_t words;
};

/* Sizes around every boundary of a word and of a level. */
static const u32 sizes[] = {
	1, 2, 7, 63, 64, 65, 127, 128, 129, 4032, 4095, 4096, 4097, 4160, 262143, 262144, 262145,
};

static void make_tree(struct kunit *test, struct tree *t, u32 nr_bits)
{
	t->words = myalloc_tree_words(nr_bits);
	t->memory = fixture_zalloc(test, (t->words + 2) * sizeof(u64));
	if (!t->memory)
		kunit_skip(test, "no %zu words of memory here", t->words);
	t->memory[0] = CANARY;
	t->memory[t->words + 1] = CANARY;
	myalloc_tree_init(&t->tree, nr_bits, t->memory + 1);
}

static void end_tree(struct kunit *test, struct tree *t)
{
	KUNIT_EXPECT_EQ(test, t->memory[0], CANARY);
	KUNIT_EXPECT_EQ(test, t->memory[t->words + 1], CANARY);
	kunit_kfree(test, t->memory);
}

static bool all_zero(const struct tree *t)
{
	size_t i;

	for (i = 0; i < t->words; i++)
		if (t->memory[1 + i])
			return false;
	return true;
}

/* Checks T1 and T2 as bitmap_tree.c states them. */
static bool sound(const struct myalloc_bitmap_tree *tree)
{
	u64 bits = tree->nr_bits, words, i;
	bool lone = tree->lone != MYALLOC_TREE_NONE;
	u32 l;

	for (i = 0; lone && i < (bits + 63) / 64; i++)
		if (tree->level[0][i] !=
		    (i == tree->lone / 64 ? BIT_ULL(tree->lone % 64) : 0))
			return false;
	for (l = 0; l < tree->nr_levels; l++, bits = words) {
		words = (bits + 63) / 64;
		if (bits % 64 && tree->level[l][words - 1] >> (bits % 64))
			return false;
		if (l + 1 == tree->nr_levels)
			return words == 1;
		for (i = 0; i < words; i++)
			if ((tree->level[l + 1][i / 64] >> (i % 64) & 1) !=
			    (!lone && tree->level[l][i]))
				return false;
	}
	return true;
}

/* A tree needs exactly the number of words that its size implies. */
static void tree_words(struct kunit *test)
{
	static const struct {
		u32 bits;
		size_t words;
	} known[] = {
		{ 0, 0 }, { 1, 1 }, { 64, 1 }, { 65, 2 + 1 }, { 128, 2 + 1 }, { 4096, 64 + 1 },
		{ 4097, 65 + 2 + 1 }, { 262144, 4096 + 64 + 1 }, { 262145, 4097 + 65 + 2 + 1 },
		{ U32_MAX, (1u << 26) + (1u << 20) + (1u << 14) + (1u << 8) + 4 + 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		KUNIT_EXPECT_EQ_MSG(test, myalloc_tree_words(known[i].bits), known[i].words,
				    "%u bits", known[i].bits);
}

/* A tree of no bits has no bit set, and every query on it is safe. */
static void tree_none(struct kunit *test)
{
	struct myalloc_bitmap_tree tree;
	u64 nothing = CANARY;

	myalloc_tree_init(&tree, 0, &nothing);
	KUNIT_EXPECT_EQ(test, tree.nr_levels, 0);
	KUNIT_EXPECT_EQ(test, myalloc_tree_first(&tree), MYALLOC_TREE_NONE);
	KUNIT_EXPECT_EQ(test, myalloc_tree_last(&tree), MYALLOC_TREE_NONE);
	KUNIT_EXPECT_EQ(test, myalloc_tree_next(&tree, 0), MYALLOC_TREE_NONE);
	KUNIT_EXPECT_EQ(test, myalloc_tree_next(&tree, U32_MAX), MYALLOC_TREE_NONE);
	KUNIT_EXPECT_FALSE(test, myalloc_tree_test(&tree, 0));
	KUNIT_EXPECT_FALSE(test, myalloc_tree_test(&tree, U32_MAX));
	KUNIT_EXPECT_EQ(test, nothing, CANARY);
}

/* An empty tree of any size finds nothing, even when asked beyond its end. */
static void tree_empty(struct kunit *test)
{
	struct tree t;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		make_tree(test, &t, sizes[i]);
		KUNIT_EXPECT_EQ(test, myalloc_tree_first(&t.tree), MYALLOC_TREE_NONE);
		KUNIT_EXPECT_EQ(test, myalloc_tree_last(&t.tree), MYALLOC_TREE_NONE);
		KUNIT_EXPECT_EQ(test, myalloc_tree_next(&t.tree, 0), MYALLOC_TREE_NONE);
		KUNIT_EXPECT_EQ(test, myalloc_tree_next(&t.tree, sizes[i] - 1), MYALLOC_TREE_NONE);
		KUNIT_EXPECT_EQ(test, myalloc_tree_next(&t.tree, sizes[i]), MYALLOC_TREE_NONE);
		KUNIT_EXPECT_EQ(test, myalloc_tree_next(&t.tree, U32_MAX), MYALLOC_TREE_NONE);
		end_tree(test, &t);
	}
}

static void check_single(struct kunit *test, struct tree *t, u32 bit)
{
	const struct myalloc_bitmap_tree *tree = &t->tree;

	myalloc_tree_set(&t->tree, bit);
	KUNIT_EXPECT_TRUE(test, sound(tree));
	KUNIT_EXPECT_TRUE(test, myalloc_tree_test(tree, bit));
	KUNIT_EXPECT_FALSE(test, bit && myalloc_tree_test(tree, bit - 1));
	KUNIT_EXPECT_FALSE(test, myalloc_tree_test(tree, bit + 1));
	KUNIT_EXPECT_EQ(test, myalloc_tree_first(tree), bit);
	KUNIT_EXPECT_EQ(test, myalloc_tree_last(tree), bit);
	KUNIT_EXPECT_EQ(test, myalloc_tree_next(tree, 0), bit);
	KUNIT_EXPECT_EQ(test, myalloc_tree_next(tree, bit), bit);
	KUNIT_EXPECT_EQ(test, myalloc_tree_next(tree, bit + 1), MYALLOC_TREE_NONE);
	myalloc_tree_clear(&t->tree, bit);
	KUNIT_EXPECT_FALSE(test, myalloc_tree_test(tree, bit));
}

/* A single set bit, in every tree of up to 130 bits and in samples of larger ones. */
static void tree_single(struct kunit *test)
{
	struct myalloc_random random;
	struct tree t;
	u32 bit, nr;
	size_t i;

	fixture_random(test, &random);
	for (nr = 1; nr <= 130; nr += fixture_thorough() ? 1 : 13) {
		make_tree(test, &t, nr);
		for (bit = 0; bit < nr; bit++)
			check_single(test, &t, bit);
		KUNIT_EXPECT_TRUE(test, all_zero(&t));
		end_tree(test, &t);
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		make_tree(test, &t, sizes[i]);
		check_single(test, &t, 0);
		check_single(test, &t, sizes[i] - 1);
		for (nr = 0; nr < (fixture_thorough() ? 40 : 4); nr++)
			check_single(test, &t, myalloc_random_below(&random, sizes[i]));
		KUNIT_EXPECT_TRUE(test, all_zero(&t));
		end_tree(test, &t);
	}
}

/* Any two bits of a tree with two words: the next bit from every position. */
static void tree_pairs(struct kunit *test)
{
	const u32 nr = 67, step = fixture_thorough() ? 1 : 7;
	struct tree t;
	u32 a, b, from;

	make_tree(test, &t, nr);
	for (a = 0; a < nr; a += step)
		for (b = a; b < nr; b += step) {
			myalloc_tree_set(&t.tree, a);
			myalloc_tree_set(&t.tree, b);
			KUNIT_EXPECT_EQ(test, myalloc_tree_first(&t.tree), a);
			KUNIT_EXPECT_EQ(test, myalloc_tree_last(&t.tree), b);
			for (from = 0; from <= nr; from++)
				KUNIT_EXPECT_EQ(test, myalloc_tree_next(&t.tree, from),
						from <= a ? a : from <= b ? b : MYALLOC_TREE_NONE);
			myalloc_tree_clear(&t.tree, a);
			KUNIT_EXPECT_EQ(test, myalloc_tree_first(&t.tree),
					a == b ? MYALLOC_TREE_NONE : b);
			myalloc_tree_clear(&t.tree, b);
		}
	KUNIT_EXPECT_TRUE(test, all_zero(&t));
	end_tree(test, &t);
}

/* Setting a set bit and clearing a clear one change nothing. */
static void tree_again(struct kunit *test)
{
	struct tree t;

	make_tree(test, &t, 4097);
	myalloc_tree_set(&t.tree, 4096);
	myalloc_tree_set(&t.tree, 4096);
	myalloc_tree_set(&t.tree, 70);
	KUNIT_EXPECT_TRUE(test, sound(&t.tree));
	myalloc_tree_clear(&t.tree, 71);
	KUNIT_EXPECT_TRUE(test, sound(&t.tree));
	KUNIT_EXPECT_EQ(test, myalloc_tree_first(&t.tree), 70);
	myalloc_tree_clear(&t.tree, 70);
	myalloc_tree_clear(&t.tree, 70);
	KUNIT_EXPECT_EQ(test, myalloc_tree_first(&t.tree), 4096);
	myalloc_tree_clear(&t.tree, 4096);
	myalloc_tree_clear(&t.tree, 0);
	KUNIT_EXPECT_TRUE(test, all_zero(&t));
	end_tree(test, &t);
}

/* The model: a plain array of bools and the same queries. */
static void check_model(struct kunit *test, const struct tree *t, const bool *model, u32 nr,
			u32 from)
{
	u32 first = 0, last = nr, next = from;

	while (first < nr && !model[first])
		first++;
	while (last && !model[last - 1])
		last--;
	while (next < nr && !model[next])
		next++;
	KUNIT_EXPECT_EQ(test, myalloc_tree_first(&t->tree), first < nr ? first : MYALLOC_TREE_NONE);
	KUNIT_EXPECT_EQ(test, myalloc_tree_last(&t->tree), last ? last - 1 : MYALLOC_TREE_NONE);
	KUNIT_EXPECT_EQ(test, myalloc_tree_next(&t->tree, from),
			next < nr ? next : MYALLOC_TREE_NONE);
}

/* Random sets and clears against the model, with many and with few set bits. */
static void tree_random(struct kunit *test)
{
	u32 round, step, steps = fixture_thorough() ? 4000 : 200, nr, bit;
	bool *model = fixture_zalloc(test, MODEL_BITS);
	struct myalloc_random random;
	struct tree t;

	KUNIT_ASSERT_NOT_NULL(test, model);
	fixture_random(test, &random);
	for (round = 0; round < 8; round++) {
		nr = 1 + myalloc_random_below(&random, MODEL_BITS);
		memset(model, 0, nr);
		make_tree(test, &t, nr);
		for (step = 0; step < steps; step++) {
			bit = myalloc_random_below(&random, nr);
			if (myalloc_random_below(&random, 8) < round) {
				myalloc_tree_set(&t.tree, bit);
				model[bit] = true;
			} else {
				myalloc_tree_clear(&t.tree, bit);
				model[bit] = false;
			}
			KUNIT_EXPECT_EQ(test, myalloc_tree_test(&t.tree, bit), model[bit]);
			check_model(test, &t, model, nr, myalloc_random_below(&random, nr + 2));
			if (!(step % 64))
				KUNIT_EXPECT_TRUE(test, sound(&t.tree));
		}
		for (bit = 0; bit < nr; bit++)
			myalloc_tree_clear(&t.tree, bit);
		KUNIT_EXPECT_TRUE(test, all_zero(&t));
		end_tree(test, &t);
	}
}

/* All bits set: each is its own next bit, and clearing from below moves the first bit. */
static void tree_full(struct kunit *test)
{
	const u32 nr = fixture_thorough() ? 262145 : 4161;
	struct tree t;
	u32 bit;

	make_tree(test, &t, nr);
	for (bit = 0; bit < nr; bit++)
		myalloc_tree_set(&t.tree, bit);
	KUNIT_EXPECT_TRUE(test, sound(&t.tree));
	for (bit = 0; bit < nr; bit++)
		KUNIT_EXPECT_EQ(test, myalloc_tree_next(&t.tree, bit), bit);
	KUNIT_EXPECT_EQ(test, myalloc_tree_last(&t.tree), nr - 1);
	for (bit = 0; bit < nr; bit++) {
		KUNIT_EXPECT_EQ(test, myalloc_tree_first(&t.tree), bit);
		myalloc_tree_clear(&t.tree, bit);
	}
	KUNIT_EXPECT_TRUE(test, all_zero(&t));
	end_tree(test, &t);
}

static void check_deep(struct kunit *test, u32 nr, u32 levels)
{
	struct tree t;
	u32 bit;

	make_tree(test, &t, nr);
	KUNIT_EXPECT_EQ(test, t.tree.nr_levels, levels);
	check_single(test, &t, 0);
	check_single(test, &t, nr - 1);
	myalloc_tree_set(&t.tree, nr - 1);
	for (bit = 1; bit < nr - 1; bit = bit * 63 + 1)
		myalloc_tree_set(&t.tree, bit);
	KUNIT_EXPECT_EQ(test, myalloc_tree_first(&t.tree), 1);
	for (bit = 1; bit < nr - 1; bit = bit * 63 + 1) {
		KUNIT_EXPECT_EQ(test, myalloc_tree_next(&t.tree, bit), bit);
		KUNIT_EXPECT_EQ(test, myalloc_tree_next(&t.tree, bit + 1),
				(u64)bit * 63 + 1 < nr - 1 ? bit * 63 + 1 : nr - 1);
	}
	end_tree(test, &t);
}

/* Five levels. */
static void tree_levels_5(struct kunit *test)
{
	check_deep(test, (1u << 24) + 1, 5);
}

/* All six levels, 128 MiB of bits. */
static void tree_levels_6(struct kunit *test)
{
	check_deep(test, (1u << 30) + 1, MYALLOC_TREE_LEVELS);
}

static struct kunit_case bitmap_tree_cases[] = {
	KUNIT_CASE(tree_words),
	KUNIT_CASE(tree_none),
	KUNIT_CASE(tree_empty),
	KUNIT_CASE(tree_single),
	KUNIT_CASE(tree_pairs),
	KUNIT_CASE(tree_again),
	KUNIT_CASE(tree_random),
	KUNIT_CASE(tree_full),
	KUNIT_CASE(tree_levels_5),
	KUNIT_CASE(tree_levels_6),
	{}
};

static struct kunit_suite bitmap_tree_suite = {
	.name = "myalloc_bitmap_tree",
	.test_cases = bitmap_tree_cases,
};

kunit_test_suite(bitmap_tree_suite);
