// SPDX-License-Identifier: GPL-2.0
/* Tests of the buddy system. */
#include "env.h"

#include <kunit/test.h>

#include "page/buddy.h"
#include "fixture.h"

/* Upper bound of metadata per frame, in 1/100 bits, as buddy.c states it; small zones round up. */
#define META_BITS_MAX	304

struct system {
	struct kunit *test;
	struct myalloc_buddy buddy;
	struct myalloc_validation v;
	size_t size;
	void *meta;
	void *meta_copy;	/* as keep() saved it */
	struct myalloc_buddy copy;
	void *meta_new;		/* as make() saved it */
	struct myalloc_buddy new;
};

static struct system *make(struct kunit *test, u32 nr, unsigned int top,
			   enum myalloc_policy policy)
{
	struct system *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->test = test;
	s->size = myalloc_buddy_meta_size(nr, top);
	s->meta = fixture_zalloc(test, s->size);
	s->meta_copy = fixture_zalloc(test, s->size);
	s->meta_new = fixture_zalloc(test, s->size);
	if (!s->meta || !s->meta_copy || !s->meta_new)
		kunit_skip(test, "no %zu bytes of memory here", s->size);
	myalloc_buddy_init(&s->buddy, nr, top, policy, s->meta);
	s->new = s->buddy;
	memcpy(s->meta_new, s->meta, s->size);
	return s;
}

static void end(struct system *s)
{
	struct kunit *test = s->test;

	kunit_kfree(test, s->meta_new);
	kunit_kfree(test, s->meta_copy);
	kunit_kfree(test, s->meta);
	kunit_kfree(test, s);
}

static void keep(struct system *s)
{
	s->copy = s->buddy;
	memcpy(s->meta_copy, s->meta, s->size);
}

/* Is every byte the same as when keep() saved it? */
static bool kept(const struct system *s)
{
	return !memcmp(&s->copy, &s->buddy, sizeof(s->copy)) &&
	       !memcmp(s->meta_copy, s->meta, s->size);
}

/*
 * Is everything the same as when make() saved it, except for the counters of work? B3 demands it.
 * Only the summaries of a tree with a single bit may depend on how the state was reached (T1).
 */
static bool canonical(struct system *s)
{
	const struct myalloc_buddy *b = &s->buddy, *new = &s->new;
	unsigned int k;

	if (b->nr_free != new->nr_free || b->nonempty != new->nonempty ||
	    memcmp(b->nr_blocks, new->nr_blocks, sizeof(b->nr_blocks)) ||
	    memcmp(b->head, s->meta_new, DIV_ROUND_UP((size_t)b->nr_frames, 64) * sizeof(u64)))
		return false;
	for (k = 0; k <= b->top_order; k++) {
		const struct myalloc_bitmap_tree *tree = &b->free[k];
		size_t at = (char *)tree->level[0] - (char *)s->meta;

		if (tree->nr_bits && memcmp(tree->level[0], s->meta_new + at,
					    DIV_ROUND_UP((size_t)tree->nr_bits, 64) * sizeof(u64)))
			return false;
	}
	memset(&s->v, 0, sizeof(s->v));
	return myalloc_buddy_validate(b, &s->v);
}

static void check(struct system *s)
{
	memset(&s->v, 0, sizeof(s->v));
	KUNIT_EXPECT_TRUE_MSG(s->test, myalloc_buddy_validate(&s->buddy, &s->v), "%s", s->v.first);
	KUNIT_EXPECT_EQ(s->test, s->v.frames, s->buddy.nr_frames);
}

static bool is_free(const struct system *s, u32 idx)
{
	struct myalloc_block block;

	return myalloc_buddy_lookup(&s->buddy, idx, &block) && block.free;
}

static bool is_block(const struct system *s, u32 idx, unsigned int order, bool free)
{
	struct myalloc_block block;

	return myalloc_buddy_lookup(&s->buddy, idx, &block) && block.idx == idx &&
	       block.order == order && block.free == free;
}

/* Are all frames of an extent free? */
static bool run_free(const struct system *s, u32 idx, u32 nr)
{
	u32 i;

	if (idx + nr > s->buddy.nr_frames)
		return false;
	for (i = 0; i < nr; i++)
		if (!is_free(s, idx + i))
			return false;
	return true;
}

/* --- sizes ------------------------------------------------------------------ */

/* The size of the metadata, exactly, and in relation to the frames it manages. */
static void buddy_meta_size(struct kunit *test)
{
	static const u32 share[] = { 1u << 18, (1u << 20) + 1, 1u << 24, U32_MAX - 1024 };
	size_t i;

	KUNIT_EXPECT_EQ(test, myalloc_buddy_meta_size(1, 0), 8 * (1 + 1));
	/* head; 64, 32, ..., 1 bits */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_meta_size(64, 6), 8 * (1 + 7));
	/* head 2; order 0: 2 + 1, orders 1 to 6: one word each */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_meta_size(128, 6), 8 * (2 + 3 + 6));
	/* head 16; 16 + 1, 8 + 1, 4 + 1, 2 + 1, then 1 for orders 4 to 10 */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_meta_size(1024, 10), 8 * (16 + 17 + 9 + 5 + 3 + 7));
	/* no block of order 1 or above can exist */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_meta_size(1, 10), 8 * (1 + 1));
	for (i = 0; i < ARRAY_SIZE(share); i++)
		KUNIT_EXPECT_LE_MSG(test, (u64)myalloc_buddy_meta_size(share[i], 10) * 800,
				    (u64)share[i] * META_BITS_MAX, "%u frames", share[i]);
}

/* Any number of frames with any top order starts as the largest blocks that fit. */
static void buddy_every_size(struct kunit *test)
{
	u32 nr, idx, step = fixture_thorough() ? 1 : 9;
	unsigned int top, order;

	for (nr = 1; nr <= 70; nr += step)
		for (top = 0; top <= MYALLOC_CHUNK_MAX; top++) {
			struct system *s = make(test, nr, top, MYALLOC_BEST_FIT);

			check(s);
			KUNIT_EXPECT_EQ(test, s->buddy.nr_free, nr);
			for (idx = 0; idx < nr; idx += BIT(order)) {
				order = 0;
				while (order < top && !(idx & BIT(order)) &&
				       idx + BIT(order + 1) <= nr)
					order++;
				KUNIT_EXPECT_TRUE_MSG(test, is_block(s, idx, order, true),
						      "%u frames, top order %u: frame %u", nr, top,
						      idx);
			}
			KUNIT_EXPECT_EQ(test, myalloc_buddy_largest(&s->buddy),
					min_t(int, top, fls(nr) - 1));
			end(s);
		}
}

/* 64 GiB of pages and a few more (4 GiB in the kernel), without memory behind them. */
static void buddy_enormous(struct kunit *test)
{
	const u32 even = fixture_thorough() ? 1u << 24 : 1u << 20, nr = even + 37;
	struct system *s = make(test, nr, MYALLOC_CHUNK_MAX, MYALLOC_FIRST_FIT);
	struct myalloc_buddy *b = &s->buddy;
	u32 idx;

	KUNIT_EXPECT_EQ(test, b->nr_blocks[10], even >> 10);
	KUNIT_EXPECT_EQ(test, b->nr_blocks[5], 1);
	KUNIT_EXPECT_EQ(test, b->nr_blocks[2], 1);
	KUNIT_EXPECT_EQ(test, b->nr_blocks[0], 1);
	idx = myalloc_buddy_alloc(b, 0, true);
	KUNIT_EXPECT_EQ(test, idx, nr - 1);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(b, 0, true), nr - 2);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(b, 10, true), even - 1024);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(b, 10, false), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(b, 0, false), 1024);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, nr / 2, 3000), 0);
	KUNIT_EXPECT_EQ(test, b->nr_free, nr - 2 - 2048 - 1 - 3000);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, nr / 2, 3000), MYALLOC_OK);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 1024, 0), MYALLOC_OK);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 0, 10), MYALLOC_OK);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, even - 1024, 10), MYALLOC_OK);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, nr - 2, 0), MYALLOC_OK);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx, 0), MYALLOC_OK);
	KUNIT_EXPECT_TRUE(test, canonical(s));
	end(s);
}

/* --- alloc and free ------------------------------------------------------------ */

/* Take a block of each order from one of each larger order: the split-off rest, and the merge. */
static void buddy_every_order(struct kunit *test)
{
	unsigned int top, order, k;
	int topdown;

	for (top = 0; top <= MYALLOC_CHUNK_MAX; top++)
		for (order = 0; order <= top; order++)
			for (topdown = 0; topdown <= 1; topdown++) {
				struct system *s = make(test, BIT(top), top, MYALLOC_BEST_FIT);
				struct myalloc_buddy *b = &s->buddy;
				u32 idx = myalloc_buddy_alloc(b, order, topdown);

				KUNIT_EXPECT_EQ(test, idx, topdown ? BIT(top) - BIT(order) : 0);
				KUNIT_EXPECT_EQ(test, b->nr_free, BIT(top) - BIT(order));
				for (k = 0; k <= top; k++)
					KUNIT_EXPECT_EQ(test, b->nr_blocks[k],
							k >= order && k < top);
				KUNIT_EXPECT_EQ(test, b->nr_splits, top - order);
				check(s);
				KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx, order),
						MYALLOC_OK);
				KUNIT_EXPECT_EQ(test, b->nr_merges, top - order);
				KUNIT_EXPECT_TRUE(test, canonical(s));
				end(s);
			}
}

/* Any order above the top order is refused. */
static void buddy_order_too_large(struct kunit *test)
{
	static const unsigned int orders[] = { 6, 7, 10, 11, 31, 32, 33, 63, 64, 255, UINT_MAX };
	struct system *s = make(test, 64, 5, MYALLOC_FIRST_FIT);
	size_t i;

	keep(s);
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, orders[i], false),
				MYALLOC_NO_FRAME);
		KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, orders[i], true),
				MYALLOC_NO_FRAME);
		KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact(&s->buddy, 1, orders[i], false),
				MYALLOC_NO_FRAME);
	}
	KUNIT_EXPECT_TRUE(test, kept(s));
	end(s);
}

/* Allocate every frame, for every size and order; freeing all restores the initial state. */
static void buddy_exhaust(struct kunit *test)
{
	u32 nr, step = fixture_thorough() ? 1 : 9;
	struct myalloc_random random;
	u32 *taken = kunit_kcalloc(test, 71, sizeof(*taken), GFP_KERNEL);
	unsigned int order;

	KUNIT_ASSERT_NOT_NULL(test, taken);
	fixture_random(test, &random);
	for (nr = 1; nr <= 70; nr += step)
		for (order = 0; BIT(order) <= nr; order++) {
			struct system *s = make(test, nr, 6, nr % 2);
			u32 n = 0, i;

			while ((taken[n] = myalloc_buddy_alloc(&s->buddy, order, n % 3 == 0)) !=
			       MYALLOC_NO_FRAME) {
				KUNIT_EXPECT_EQ(test, taken[n] & (BIT(order) - 1), 0);
				KUNIT_EXPECT_LE(test, taken[n] + BIT(order), nr);
				for (i = 0; i < n; i++)
					KUNIT_EXPECT_NE(test, taken[i], taken[n]);
				n++;
				check(s);
			}
			KUNIT_EXPECT_EQ(test, n, nr >> order);
			KUNIT_EXPECT_EQ(test, s->buddy.nr_free, nr - (n << order));
			while (n) {
				i = myalloc_random_below(&random, n);
				KUNIT_EXPECT_EQ(test, myalloc_buddy_free(&s->buddy, taken[i],
									 order), MYALLOC_OK);
				taken[i] = taken[--n];
				check(s);
			}
			KUNIT_EXPECT_TRUE(test, canonical(s));
			end(s);
		}
}

/* Buddies merge; neighbours that are not buddies do not. */
static void buddy_merge(struct kunit *test)
{
	struct system *s = make(test, 8, 3, MYALLOC_BEST_FIT);
	struct myalloc_buddy *b = &s->buddy;
	u32 i;

	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(b, 0, false), i);
	myalloc_buddy_free(b, 1, 0);
	myalloc_buddy_free(b, 2, 0);
	KUNIT_EXPECT_EQ(test, b->nr_blocks[0], 2);
	KUNIT_EXPECT_EQ(test, b->nr_merges, 0);
	myalloc_buddy_free(b, 0, 0);
	KUNIT_EXPECT_TRUE(test, is_block(s, 0, 1, true));
	KUNIT_EXPECT_TRUE(test, is_block(s, 2, 0, true));
	KUNIT_EXPECT_EQ(test, b->nr_merges, 1);
	myalloc_buddy_free(b, 3, 0);
	KUNIT_EXPECT_TRUE(test, is_block(s, 0, 2, true));
	KUNIT_EXPECT_EQ(test, b->nr_merges, 3);
	for (i = 4; i < 8; i++)
		myalloc_buddy_free(b, i, 0);
	KUNIT_EXPECT_EQ(test, b->nr_merges, 7);
	KUNIT_EXPECT_TRUE(test, canonical(s));
	end(s);
}

/* Blocks of the top order never merge. */
static void buddy_top_order(struct kunit *test)
{
	struct system *s = make(test, 32, 3, MYALLOC_FIRST_FIT);
	u32 i;

	KUNIT_EXPECT_EQ(test, s->buddy.nr_blocks[3], 4);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, 3, false), i * 8);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, myalloc_buddy_free(&s->buddy, i * 8, 3), MYALLOC_OK);
	KUNIT_EXPECT_EQ(test, s->buddy.nr_merges, 0);
	KUNIT_EXPECT_TRUE(test, canonical(s));
	end(s);
}

/* --- placement -------------------------------------------------------------------- */

/* Find the free block that the rules of buddy.h select, by examining every frame. */
static u32 should_choose(const struct system *s, unsigned int order, bool topdown, u32 *split)
{
	const struct myalloc_buddy *b = &s->buddy;
	unsigned int best_order = 0;
	u32 idx, best = MYALLOC_NO_FRAME;
	struct myalloc_block block;

	for (idx = 0; idx < b->nr_frames; idx = block.idx + BIT(block.order)) {
		if (!myalloc_buddy_lookup(b, idx, &block))
			return MYALLOC_NO_FRAME;
		if (!block.free || block.order < order)
			continue;
		if (best != MYALLOC_NO_FRAME && topdown ? block.order > best_order :
		    best != MYALLOC_NO_FRAME &&
		    (b->policy == MYALLOC_FIRST_FIT || block.order >= best_order))
			continue;
		best = block.idx;
		best_order = block.order;
	}
	*split = best_order - order;
	if (best != MYALLOC_NO_FRAME && topdown)
		best += BIT(best_order) - BIT(order);
	return best;
}

/* Random holes: each policy takes the block it promises, for every order. */
static void check_placement(struct kunit *test, enum myalloc_policy policy)
{
	u32 round, i, rounds = fixture_thorough() ? 300 : 20;
	struct myalloc_random random;

	fixture_random(test, &random);
	for (round = 0; round < rounds; round++) {
		u32 nr = 1 + myalloc_random_below(&random, 300);
		unsigned int order, top = myalloc_random_below(&random, 9);
		struct system *s = make(test, nr, top, policy);

		for (i = 0; i < nr; i++)
			if (myalloc_random_one_in(&random, 3))
				myalloc_buddy_alloc_range(&s->buddy, i, 1);
		for (order = 0; order <= top; order++) {
			bool topdown = myalloc_random_one_in(&random, 2);
			u64 splits = s->buddy.nr_splits;
			u32 cuts, best = should_choose(s, order, topdown, &cuts);

			KUNIT_EXPECT_EQ_MSG(test, myalloc_buddy_alloc(&s->buddy, order, topdown),
					    best, "%u frames, order %u, topdown %d", nr, order,
					    topdown);
			if (best != MYALLOC_NO_FRAME)
				KUNIT_EXPECT_EQ(test, s->buddy.nr_splits - splits, cuts);
		}
		check(s);
		end(s);
	}
}

static void buddy_best_fit(struct kunit *test)
{
	struct system *s = make(test, 32, 4, MYALLOC_BEST_FIT);

	/* Holes: order 1 at 4, order 0 at 9, order 0 at 13; then order 4 at 16. */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(&s->buddy, 0, 4), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(&s->buddy, 6, 3), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(&s->buddy, 10, 3), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(&s->buddy, 14, 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, 0, false), 9);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, 0, false), 13);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, 0, false), 4);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, 1, false), 16);
	end(s);
	check_placement(test, MYALLOC_BEST_FIT);
}

static void buddy_first_fit(struct kunit *test)
{
	struct system *s = make(test, 32, 4, MYALLOC_FIRST_FIT);

	/* The same holes. */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(&s->buddy, 0, 4), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(&s->buddy, 6, 3), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(&s->buddy, 10, 3), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(&s->buddy, 14, 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, 0, false), 4);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, 1, false), 16);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, 0, false), 5);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, 0, false), 9);
	end(s);
	check_placement(test, MYALLOC_FIRST_FIT);
}

/* --- exact sizes and ranges ----------------------------------------------------------- */

/* Does an extent consist of allocated blocks cut as myalloc_buddy_piece() says? */
static bool cut_right(const struct system *s, u32 idx, u32 nr)
{
	u32 end = idx + nr;

	while (idx < end) {
		unsigned int order = myalloc_buddy_piece(&s->buddy, idx, end - idx);

		if (!is_block(s, idx, order, false))
			return false;
		idx += BIT(order);
	}
	return true;
}

/* Every exact size at every alignment: its beginning, its frames, and the remaining free ones. */
static void buddy_exact(struct kunit *test)
{
	const unsigned int top = 6, step = fixture_thorough() ? 1 : 5;
	unsigned int align, order;
	u32 nr, idx;

	for (nr = 1; nr <= BIT(top); nr += step)
		for (align = 0; align <= top; align++) {
			struct system *s = make(test, 2 * BIT(top), top, align % 2);
			struct myalloc_buddy *b = &s->buddy;
			bool topdown = nr % 2;

			order = max_t(unsigned int, fls(nr - 1), align);
			idx = myalloc_buddy_alloc_exact(b, nr, align, topdown);
			KUNIT_EXPECT_EQ(test, idx, topdown ? 2 * BIT(top) - BIT(order) : 0);
			KUNIT_EXPECT_EQ(test, b->nr_free, 2 * BIT(top) - nr);
			KUNIT_EXPECT_TRUE(test, cut_right(s, idx, nr));
			KUNIT_EXPECT_TRUE(test, run_free(s, idx + nr, BIT(order) - nr));
			check(s);
			KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, idx, nr), MYALLOC_OK);
			KUNIT_EXPECT_TRUE(test, canonical(s));
			KUNIT_EXPECT_EQ(test, b->nr_splits, b->nr_merges);
			end(s);
		}
}

/* The pieces of an exact allocation may be freed one by one, in any order. */
static void buddy_exact_pieces(struct kunit *test)
{
	struct system *s = make(test, 16, 4, MYALLOC_BEST_FIT);
	struct myalloc_buddy *b = &s->buddy;

	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact(b, 11, 0, false), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 8, 1), MYALLOC_OK);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 10, 0), MYALLOC_OK);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 0, 3), MYALLOC_OK);
	KUNIT_EXPECT_TRUE(test, canonical(s));
	end(s);
}

/* Exact allocation fails only if no suitable block is free, and then changes nothing. */
static void buddy_exact_refused(struct kunit *test)
{
	struct system *s = make(test, 48, 4, MYALLOC_BEST_FIT);
	struct myalloc_buddy *b = &s->buddy;
	u32 i;

	keep(s);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact(b, 0, 0, false), MYALLOC_NO_FRAME);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact(b, 17, 0, false), MYALLOC_NO_FRAME);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact(b, U32_MAX, 0, false), MYALLOC_NO_FRAME);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact(b, 1, 5, false), MYALLOC_NO_FRAME);
	KUNIT_EXPECT_TRUE(test, kept(s));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, i * 16 + 7, 1), 0);
	keep(s);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact(b, 9, 0, false), MYALLOC_NO_FRAME);
	KUNIT_EXPECT_TRUE(test, kept(s));
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact(b, 7, 3, false), 8);
	check(s);
	end(s);
}

/* A length that no single block holds: extents of several blocks, holes at multiples of 16. */
static void buddy_exact_in(struct kunit *test)
{
	struct system *s = make(test, 1024 + 48, 10, MYALLOC_BEST_FIT);
	struct myalloc_buddy *b = &s->buddy;
	u32 i;

	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 0, 3), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 8, 1024 + 40), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact(b, 5, 0, false), MYALLOC_NO_FRAME);
	KUNIT_EXPECT_TRUE(test, myalloc_buddy_may_hold(b, 5, 0));
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact_in(b, 1, 5, 0, false), MYALLOC_NO_FRAME);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact_in(b, 0, 5, 0, false), 3);
	KUNIT_EXPECT_TRUE(test, cut_right(s, 3, 5));
	check(s);
	KUNIT_EXPECT_FALSE(test, myalloc_buddy_may_hold(b, 1, 0));
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 3, 5), MYALLOC_OK);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 8, 1024 + 40), MYALLOC_OK);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 0, 3), MYALLOC_OK);

	for (i = 0; i < 1024 + 48; i += 16)
		KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, i + 2, 14), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact(b, 2, 4, false), MYALLOC_NO_FRAME);
	/* Lengths above the largest hole, unavailable alignments, and length 0 fail. */
	KUNIT_EXPECT_FALSE(test, myalloc_buddy_may_hold(b, 7, 0));
	KUNIT_EXPECT_FALSE(test, myalloc_buddy_may_hold(b, 4, 2));
	KUNIT_EXPECT_FALSE(test, myalloc_buddy_may_hold(b, 0, 0));
	KUNIT_EXPECT_FALSE(test, myalloc_buddy_may_hold(b, 1025, 0));
	KUNIT_EXPECT_FALSE(test, myalloc_buddy_may_hold(b, 2, 11));
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact_in(b, 0, 3, 0, false), MYALLOC_NO_FRAME);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact_in(b, 0, 3, 0, true), MYALLOC_NO_FRAME);
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact_in(b, 0, 2, 4, false), 16 * i);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact_in(b, 0, 2, 4, false), MYALLOC_NO_FRAME);
	for (i = 3; i--; )
		KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact_in(b, 1, 2, 4, true),
				1024 + 16 * i);
	check(s);
	end(s);
}

/* Find the extent that a search must find, by examining one frame after the other. */
static u32 find_run(const struct system *s, u32 first, u32 nr, unsigned int align, bool topdown)
{
	u32 end = min_t(u32, first + BIT(s->buddy.top_order), s->buddy.nr_frames), idx, found, i;

	found = MYALLOC_NO_FRAME;
	for (idx = first; idx + nr <= end; idx += BIT(align)) {
		for (i = 0; i < nr && is_free(s, idx + i); i++)
			;
		if (i == nr && (topdown || found == MYALLOC_NO_FRAME))
			found = idx;
	}
	return found;
}

/* Random holes, random lengths and alignments, in slots of every order, the last one in part. */
static void buddy_exact_in_random(struct kunit *test)
{
	u32 rounds = fixture_thorough() ? 300 : 20, i, k;
	struct myalloc_random random;

	fixture_random(test, &random);
	while (rounds--) {
		unsigned int top = myalloc_random_below(&random, MYALLOC_CHUNK_MAX + 1);
		u32 frames = BIT(top) + 1 + myalloc_random_below(&random, 2 * BIT(top));
		struct system *s = make(test, frames, top, MYALLOC_BEST_FIT);
		u32 hole = 1 + myalloc_random_below(&random, 70);

		for (k = 0; k < frames; k += 1 + myalloc_random_below(&random, hole))
			myalloc_buddy_alloc_range(&s->buddy, k, 1);
		for (i = 0; i < 30; i++) {
			unsigned int align = myalloc_random_below(&random, top + 1) / 2;
			u32 nr = 1 + myalloc_random_below(&random, min_t(u32, BIT(top), hole + 5));
			bool topdown = myalloc_random_one_in(&random, 2);
			u32 slot = myalloc_random_below(&random, DIV_ROUND_UP(frames, BIT(top)));
			u32 right = find_run(s, slot << top, nr, align, topdown), got;

			KUNIT_EXPECT_TRUE(test, right == MYALLOC_NO_FRAME ||
					  myalloc_buddy_may_hold(&s->buddy, nr, align));
			keep(s);
			got = myalloc_buddy_alloc_exact_in(&s->buddy, slot, nr, align, topdown);
			KUNIT_EXPECT_EQ_MSG(test, got, right,
					    "%u frames at 2^%u in slot %u of order %u, topdown %u",
					    nr, align, slot, top, topdown);
			if (got == MYALLOC_NO_FRAME)
				KUNIT_EXPECT_TRUE(test, kept(s));
			else
				KUNIT_EXPECT_TRUE(test, cut_right(s, got, nr));
		}
		check(s);
		end(s);
	}
}

static u32 nr_words;

static void count_words(const char *where)
{
	nr_words += !strcmp(where, "buddy-word");
}

/* A search visits each group of 64 frames of a slot once, however fragmented they are. */
static void buddy_exact_in_bounded(struct kunit *test)
{
	u32 step, k, got;

	for (step = 2; step <= 65; step++) {
		struct system *s = make(test, 1024, 10, MYALLOC_BEST_FIT);

		for (k = 0; k < 1024; k += step)
			myalloc_buddy_alloc_range(&s->buddy, k, 1);
		for (k = 0; k < 2; k++) {
			nr_words = 0;
			if (!fixture_set_hook(count_words)) {
				end(s);
				kunit_skip(test, "words are not counted here");
			}
			got = myalloc_buddy_alloc_exact_in(&s->buddy, 0, step, 0, k);
			fixture_set_hook(NULL);
			KUNIT_EXPECT_EQ(test, got, MYALLOC_NO_FRAME);
			KUNIT_EXPECT_LE(test, nr_words, 1024 / 64);
		}
		/* If no free block has about half the length, no slot is searched. */
		nr_words = 0;
		fixture_set_hook(count_words);
		got = myalloc_buddy_alloc_exact_in(&s->buddy, 0, 4 * step, 0, false);
		fixture_set_hook(NULL);
		KUNIT_EXPECT_EQ(test, got, MYALLOC_NO_FRAME);
		KUNIT_EXPECT_EQ(test, nr_words, 0);
		end(s);
	}
}

/* Every range of zones of every size up to 24 frames, also with one of its frames in use. */
static void buddy_range(struct kunit *test)
{
	u32 nr, idx, count, busy, step = fixture_thorough() ? 1 : 11;

	for (nr = 1; nr <= 24; nr += step)
		for (idx = 0; idx < nr; idx++)
			for (count = 1; count <= nr - idx; count++) {
				struct system *s = make(test, nr, 4, MYALLOC_BEST_FIT);
				struct myalloc_buddy *b = &s->buddy;

				KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, idx, count), 0);
				KUNIT_EXPECT_EQ(test, b->nr_free, nr - count);
				KUNIT_EXPECT_TRUE(test, cut_right(s, idx, count));
				check(s);
				keep(s);
				for (busy = idx; busy < idx + count; busy++)
					KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, busy, 1),
							-EBUSY);
				KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 0, nr), -EBUSY);
				KUNIT_EXPECT_TRUE(test, kept(s));
				KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, idx, count),
						MYALLOC_OK);
				KUNIT_EXPECT_TRUE(test, canonical(s));
				end(s);
			}
}

static void buddy_range_refused(struct kunit *test)
{
	struct system *s = make(test, 24, 4, MYALLOC_BEST_FIT);
	struct myalloc_buddy *b = &s->buddy;

	keep(s);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 24, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 23, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 0, 25), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 1, U32_MAX), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, U32_MAX, 1), -EINVAL);
	KUNIT_EXPECT_TRUE(test, kept(s));
	end(s);
}

/* --- wrong frees ------------------------------------------------------------------------ */

/* One wrong free of each kind, constructed by hand. */
static void buddy_bad_kinds(struct kunit *test)
{
	struct system *s = make(test, 24, 4, MYALLOC_BEST_FIT);
	struct myalloc_buddy *b = &s->buddy;

	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 0, 4), 0);	/* order 2 */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 6, 1), 0);	/* order 0 */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 4, 1), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 4, 0), MYALLOC_OK);
	keep(s);
	/* Twice: it begins a free block, and lies inside one. */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 4, 0), MYALLOC_BAD_FREE);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 5, 0), MYALLOC_BAD_FREE);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 16, 3), MYALLOC_BAD_FREE);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 17, 0), MYALLOC_BAD_FREE);
	/* Foreign. */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 24, 0), MYALLOC_BAD_FOREIGN);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, U32_MAX, 0), MYALLOC_BAD_FOREIGN);
	/* Inside. */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 1, 0), MYALLOC_BAD_INTERIOR);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 2, 1), MYALLOC_BAD_INTERIOR);
	/* Another order. */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 0, 1), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 0, 3), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 6, 1), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 0, 64), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 0, UINT_MAX), MYALLOC_BAD_ORDER);
	/* Another order, at which no block can begin there. */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 6, 2), MYALLOC_BAD_MISALIGNED);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 6, 31), MYALLOC_BAD_MISALIGNED);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 6, 32), MYALLOC_BAD_MISALIGNED);
	KUNIT_EXPECT_TRUE(test, kept(s));
	end(s);
}

/* Blocks that span more than one word of heads, freed with every order. */
static void buddy_bad_large(struct kunit *test)
{
	struct system *s = make(test, 1024, 10, MYALLOC_BEST_FIT);
	struct myalloc_buddy *b = &s->buddy;
	unsigned int is, order;

	for (is = 4; is <= 10; is++) {
		KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(b, is, false), 0);
		if (is < 10)	/* its buddy is not a free block */
			KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(b, is, false), BIT(is));
		keep(s);
		for (order = 0; order <= 10; order++) {
			if (order == is)
				continue;
			KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 0, order), MYALLOC_BAD_ORDER);
			KUNIT_EXPECT_TRUE(test, kept(s));
		}
		KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 0, is), MYALLOC_OK);
		if (is < 10)
			KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, BIT(is), is), MYALLOC_OK);
		check(s);
	}
	end(s);
}

/* Single frames, also where a larger block would extend into the next word of heads. */
static void buddy_bad_singles(struct kunit *test)
{
	struct system *s = make(test, 192, 7, MYALLOC_BEST_FIT);
	struct myalloc_buddy *b = &s->buddy;
	unsigned int order;
	u32 idx;

	for (idx = 0; idx < 192; idx++)
		KUNIT_EXPECT_NE(test, myalloc_buddy_alloc(b, 0, false), MYALLOC_NO_FRAME);
	keep(s);
	for (idx = 0; idx < 192; idx++)
		for (order = 1; order <= 7; order++)
			KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx, order),
					idx % BIT(order) ? MYALLOC_BAD_MISALIGNED :
							   MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_TRUE(test, kept(s));
	for (idx = 0; idx < 192; idx++)
		KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx, 0), MYALLOC_OK);
	check(s);
	end(s);
}

/* Of all (frame, order) pairs in random states, only live blocks are accepted. */
static void buddy_bad_all(struct kunit *test)
{
	u32 round, rounds = fixture_thorough() ? 100 : 8, i;
	struct myalloc_random random;

	fixture_random(test, &random);
	for (round = 0; round < rounds; round++) {
		u32 nr = 1 + myalloc_random_below(&random, 40);
		struct system *s = make(test, nr, 4, round % 2);
		unsigned int order;
		u32 idx;

		for (i = 0; i < nr / 3; i++)
			myalloc_buddy_alloc_exact(&s->buddy, 1 + myalloc_random_below(&random, 6),
						  0, myalloc_random_one_in(&random, 2));
		for (idx = 0; idx < nr + 3; idx++)
			for (order = 0; order < 7; order++) {
				bool live = is_block(s, idx, order, false);
				enum myalloc_bad bad;

				keep(s);
				bad = myalloc_buddy_free(&s->buddy, idx, order);
				KUNIT_EXPECT_EQ(test, bad == MYALLOC_OK, live);
				if (bad) {
					KUNIT_EXPECT_TRUE(test, kept(s));
				} else {
					check(s);
					KUNIT_EXPECT_EQ(test, myalloc_buddy_free(&s->buddy, idx,
										 order),
							MYALLOC_BAD_FREE);
				}
			}
		KUNIT_EXPECT_TRUE(test, canonical(s));
		end(s);
	}
}

/* An exact free with another number of pages is refused as a whole. */
static void buddy_bad_exact(struct kunit *test)
{
	struct system *s = make(test, 24, 4, MYALLOC_BEST_FIT);
	struct myalloc_buddy *b = &s->buddy;

	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 1, 7), 0);	/* 1, 2 + 3, 4 to 7 */
	keep(s);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 1, 0), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 1, 2), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 1, 6), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 1, 8), MYALLOC_BAD_FREE);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 0, 8), MYALLOC_BAD_FREE);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 3, 5), MYALLOC_BAD_INTERIOR);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 1, 24), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 1, U32_MAX), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 24, 1), MYALLOC_BAD_FOREIGN);
	KUNIT_EXPECT_TRUE(test, kept(s));
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 1, 7), MYALLOC_OK);
	keep(s);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 1, 7), MYALLOC_BAD_FREE);
	KUNIT_EXPECT_TRUE(test, kept(s));
	end(s);
}

/* --- queries ------------------------------------------------------------------------------ */

/* In random states, every frame is found in its block, and no frame beyond the end is. */
static void buddy_lookup(struct kunit *test)
{
	u32 round, rounds = fixture_thorough() ? 60 : 6, idx, i;
	struct myalloc_block block;
	struct myalloc_random random;

	fixture_random(test, &random);
	for (round = 0; round < rounds; round++) {
		u32 nr = 1 + myalloc_random_below(&random, 2500), begin = 0, next = 0;
		struct system *s = make(test, nr, MYALLOC_CHUNK_MAX, round % 2);

		for (i = 0; i < 30; i++)
			myalloc_buddy_alloc(&s->buddy, myalloc_random_below(&random, 8), i % 2);
		for (idx = 0; idx < nr; idx++) {
			KUNIT_ASSERT_TRUE(test, myalloc_buddy_lookup(&s->buddy, idx, &block));
			if (idx == next) {
				begin = idx;
				next = idx + BIT(block.order);
			}
			KUNIT_EXPECT_EQ(test, block.idx, begin);
			KUNIT_EXPECT_EQ(test, block.idx + BIT(block.order), next);
			KUNIT_EXPECT_EQ(test, block.free,
					myalloc_tree_test(&s->buddy.free[block.order],
							  begin >> block.order));
		}
		KUNIT_EXPECT_FALSE(test, myalloc_buddy_lookup(&s->buddy, nr, &block));
		KUNIT_EXPECT_FALSE(test, myalloc_buddy_lookup(&s->buddy, U32_MAX, &block));
		end(s);
	}
}

/* With damaged metadata, a query answers no and reads no further than a block extends. */
static void buddy_lookup_damaged(struct kunit *test)
{
	struct system *s = make(test, 4096, MYALLOC_CHUNK_MAX, MYALLOC_BEST_FIT);
	struct myalloc_block block;

	KUNIT_EXPECT_TRUE(test, myalloc_buddy_lookup(&s->buddy, 3000, &block));
	KUNIT_EXPECT_EQ(test, block.idx, 2048);
	s->buddy.head[2048 / 64] = 0;
	KUNIT_EXPECT_FALSE(test, myalloc_buddy_lookup(&s->buddy, 3000, &block));
	memset(s->buddy.head, 0, 4096 / 8);
	KUNIT_EXPECT_FALSE(test, myalloc_buddy_lookup(&s->buddy, 10, &block));
	KUNIT_EXPECT_FALSE(test, myalloc_buddy_lookup(&s->buddy, 4095, &block));
	end(s);
}

/* The largest free block. */
static void buddy_largest(struct kunit *test)
{
	struct system *s = make(test, 11, 3, MYALLOC_BEST_FIT);	/* 8 + 2 + 1 */

	KUNIT_EXPECT_EQ(test, myalloc_buddy_largest(&s->buddy), 3);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, 3, false), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_largest(&s->buddy), 1);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, 1, false), 8);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_largest(&s->buddy), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(&s->buddy, 0, false), 10);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_largest(&s->buddy), -1);
	end(s);
}

/* The two indices of mm/vmstat.c, computed by hand. */
static void buddy_fragmentation(struct kunit *test)
{
	struct system *s = make(test, 64, 6, MYALLOC_BEST_FIT);
	struct myalloc_buddy *b = &s->buddy;
	unsigned int k;
	u32 i;

	for (k = 0; k <= 6; k++) {
		KUNIT_EXPECT_EQ(test, myalloc_buddy_unusable(b, k), 0);
		KUNIT_EXPECT_EQ(test, myalloc_buddy_extfrag(b, k), -1000);
	}
	/* Still free: order 4 at 0, orders 3, 2, 1 after it, frame 30, and 33, 35, ..., 63. */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 31, 1), 0);
	for (i = 32; i < 64; i += 2)
		KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, i, 1), 0);
	KUNIT_EXPECT_EQ(test, b->nr_free, 47);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_unusable(b, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_unusable(b, 1), 17 * 1000 / 47);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_unusable(b, 2), 19 * 1000 / 47);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_unusable(b, 4), 31 * 1000 / 47);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_unusable(b, 5), 1000);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_extfrag(b, 4), -1000);
	/* 21 blocks; 1000 - (1000 + 1000 * 47 / 32) / 21 */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_extfrag(b, 5), 1000 - (1000 + 1468) / 21);
	/* 1000 - (1000 + 1000 * 47 / 64) / 21 */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_extfrag(b, 6), 1000 - (1000 + 734) / 21);
	while (myalloc_buddy_alloc(b, 0, false) != MYALLOC_NO_FRAME)
		;
	KUNIT_EXPECT_EQ(test, myalloc_buddy_unusable(b, 0), 1000);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_extfrag(b, 0), 0);
	end(s);
}

/* --- random work ---------------------------------------------------------------------------- */

#define LIVE_MAX	200

struct live {
	u32 idx;
	u32 nr;		/* frames of an exact allocation or range; 0 for a block */
	unsigned int order;
};

static bool random_alloc(struct system *s, struct myalloc_random *random, struct live *live)
{
	struct myalloc_buddy *b = &s->buddy;
	bool topdown = myalloc_random_one_in(random, 4);

	live->nr = 0;
	switch (myalloc_random_below(random, 4)) {
	case 0:
		live->nr = 1 + myalloc_random_below(random, BIT(b->top_order));
		live->idx = myalloc_buddy_alloc_exact(b, live->nr, myalloc_random_below(random, 4),
						      topdown);
		return live->idx != MYALLOC_NO_FRAME;
	case 1:
		live->idx = myalloc_random_below(random, b->nr_frames);
		live->nr = 1 + myalloc_random_below(random, 20);
		return !myalloc_buddy_alloc_range(b, live->idx, live->nr);
	default:
		live->order = myalloc_random_below(random, b->top_order + 1);
		live->idx = myalloc_buddy_alloc(b, live->order, topdown);
		return live->idx != MYALLOC_NO_FRAME;
	}
}

static enum myalloc_bad live_free(struct system *s, const struct live *live)
{
	return live->nr ? myalloc_buddy_free_exact(&s->buddy, live->idx, live->nr) :
			  myalloc_buddy_free(&s->buddy, live->idx, live->order);
}

/* All operations in random order: valid throughout, and at the end the initial state. */
static void buddy_random(struct kunit *test)
{
	u32 round, step, steps = fixture_thorough() ? 3000 : 200, i, n;
	struct live *live = kunit_kcalloc(test, LIVE_MAX, sizeof(*live), GFP_KERNEL);
	struct myalloc_random random;

	KUNIT_ASSERT_NOT_NULL(test, live);
	fixture_random(test, &random);
	for (round = 0; round < 6; round++) {
		struct system *s = make(test, 1 + myalloc_random_below(&random, 3000),
					myalloc_random_below(&random, MYALLOC_CHUNK_MAX + 1),
					round % 2);

		for (n = 0, step = 0; step < steps; step++) {
			if (n < LIVE_MAX && myalloc_random_below(&random, 5) < 3) {
				n += random_alloc(s, &random, &live[n]);
			} else if (n) {
				i = myalloc_random_below(&random, n);
				KUNIT_ASSERT_EQ(test, live_free(s, &live[i]), MYALLOC_OK);
				live[i] = live[--n];
			}
			if (!(step % 100))
				check(s);
		}
		while (n)
			KUNIT_ASSERT_EQ(test, live_free(s, &live[--n]), MYALLOC_OK);
		check(s);
		KUNIT_EXPECT_TRUE(test, canonical(s));
		end(s);
	}
}

/* The same frames allocated in two different ways give exactly the same state (B3). */
static void buddy_canonical(struct kunit *test)
{
	u32 round, rounds = fixture_thorough() ? 100 : 10, i;
	struct myalloc_random random;

	fixture_random(test, &random);
	for (round = 0; round < rounds; round++) {
		u32 nr = 1 + myalloc_random_below(&random, 200);
		struct system *one = make(test, nr, 5, MYALLOC_BEST_FIT);
		struct system *two = make(test, nr, 5, MYALLOC_BEST_FIT);
		u64 out[4] = { 0 };

		for (i = 0; i < nr; i++)
			if (myalloc_random_one_in(&random, 2))
				out[i / 64] |= BIT_ULL(i % 64);
		/* One takes the frames that shall be in use; the other takes all, frees some. */
		for (i = 0; i < nr; i++)
			if (out[i / 64] >> (i % 64) & 1)
				KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(&one->buddy, i, 1),
						0);
		while (myalloc_buddy_alloc(&two->buddy, 0, false) != MYALLOC_NO_FRAME)
			;
		for (i = nr; i--; )
			if (!(out[i / 64] >> (i % 64) & 1))
				KUNIT_EXPECT_EQ(test, myalloc_buddy_free(&two->buddy, i, 0),
						MYALLOC_OK);
		KUNIT_EXPECT_EQ(test, memcmp(one->meta, two->meta, one->size), 0);
		KUNIT_EXPECT_EQ(test, one->buddy.nonempty, two->buddy.nonempty);
		KUNIT_EXPECT_EQ(test, memcmp(one->buddy.nr_blocks, two->buddy.nr_blocks,
					     sizeof(one->buddy.nr_blocks)), 0);
		end(two);
		end(one);
	}
}

static struct kunit_case buddy_cases[] = {
	KUNIT_CASE(buddy_meta_size),
	KUNIT_CASE(buddy_every_size),
	KUNIT_CASE(buddy_enormous),
	KUNIT_CASE(buddy_every_order),
	KUNIT_CASE(buddy_order_too_large),
	KUNIT_CASE(buddy_exhaust),
	KUNIT_CASE(buddy_merge),
	KUNIT_CASE(buddy_top_order),
	KUNIT_CASE(buddy_best_fit),
	KUNIT_CASE(buddy_first_fit),
	KUNIT_CASE(buddy_exact),
	KUNIT_CASE(buddy_exact_pieces),
	KUNIT_CASE(buddy_exact_refused),
	KUNIT_CASE(buddy_exact_in),
	KUNIT_CASE(buddy_exact_in_random),
	KUNIT_CASE(buddy_exact_in_bounded),
	KUNIT_CASE(buddy_range),
	KUNIT_CASE(buddy_range_refused),
	KUNIT_CASE(buddy_bad_kinds),
	KUNIT_CASE(buddy_bad_large),
	KUNIT_CASE(buddy_bad_singles),
	KUNIT_CASE(buddy_bad_all),
	KUNIT_CASE(buddy_bad_exact),
	KUNIT_CASE(buddy_lookup),
	KUNIT_CASE(buddy_lookup_damaged),
	KUNIT_CASE(buddy_largest),
	KUNIT_CASE(buddy_fragmentation),
	KUNIT_CASE(buddy_random),
	KUNIT_CASE(buddy_canonical),
	{}
};

static struct kunit_suite buddy_suite = {
	.name = "myalloc_buddy",
	.test_cases = buddy_cases,
};

kunit_test_suite(buddy_suite);
