// SPDX-License-Identifier: GPL-2.0
/*
 * Validation of a buddy system: the head bits say where blocks begin, and so how large they are;
 * free bits, summaries of bitmap trees and counts are compared with that. See validate.c.
 */
#include "env.h"
#include "zone/validate_buddy.h"

/* Most words of a bitmap that are looked at under one hold of the zone's lock */
#define WORDS_MOST	1024

static u32 level_words(const struct myalloc_bitmap_tree *tree, u32 l)
{
	u32 words = tree->nr_bits;

	for (l++; l; l--)
		words = DIV_ROUND_UP((u64)words, 64);
	return words;
}

/* T1 for words of a level of a tree with a lone bit. */
static bool check_lone(const struct myalloc_bitmap_tree *tree, unsigned int order, u32 l, u32 from,
		       u32 end, struct myalloc_validation *v)
{
	u32 i;

	for (i = from; i < end; i++) {
		u64 bits = !l && i == tree->lone / 64 ? BIT_ULL(tree->lone % 64) : 0;

		if (tree->level[l][i] != bits)
			return myalloc_finding(v,
					       "T1: order %u, level %u, word %u: bit %u is not alone",
					       order, l, i, tree->lone);
	}
	return true;
}

/* T1, T2 for the words @from to @end - 1 of a level. */
static bool check_words(const struct myalloc_bitmap_tree *tree, unsigned int order, u32 l, u32 from,
			u32 end, struct myalloc_validation *v)
{
	u32 words = level_words(tree, l), i, bits = l ? level_words(tree, l - 1) : tree->nr_bits;

	if (end == words && bits % 64 && tree->level[l][words - 1] >> (bits % 64))
		return l ? myalloc_finding(v, "T2: order %u, level %u: a bit at or above %u is set",
					   order, l, bits) :
			   myalloc_finding(v, "T2: order %u: a bit at or above %u is set", order,
					   bits);
	if (tree->lone != MYALLOC_TREE_NONE)
		return check_lone(tree, order, l, from, end, v);
	if (l + 1 == tree->nr_levels)
		return true;
	for (i = from; i < end; i++) {
		bool up = tree->level[l + 1][i / 64] >> (i % 64) & 1;

		myalloc_env_point("validate-step");
		if (up != !!tree->level[l][i])
			return myalloc_finding(v,
					       "T1: order %u, level %u, word %u: summary differs",
					       order, l, i);
	}
	return true;
}

static bool check_tree(const struct myalloc_bitmap_tree *tree, unsigned int order,
		       struct myalloc_validation *v)
{
	u32 l;

	for (l = 0; l < tree->nr_levels; l++)
		if (!check_words(tree, order, l, 0, level_words(tree, l), v))
			return false;
	return true;
}

/**
 * myalloc_validate_tree() - check a bitmap tree of a zone while others are at work (T1, T2)
 * @zone: the zone, whose lock is held for WORDS_MOST words at a time
 * @tree: the tree
 * @order: for the text of a finding
 * @v: in and out: findings are added
 *
 * Context: task, may sleep.
 */
void myalloc_validate_tree(struct myalloc_zone *zone, const struct myalloc_bitmap_tree *tree,
			   unsigned int order, struct myalloc_validation *v)
{
	u32 l, from, end, words;
	unsigned long irq;
	bool good = true;

	for (l = 0; l < tree->nr_levels; l++) {
		words = level_words(tree, l);
		for (from = 0; from < words && good; from = end) {
			end = min(words, from + WORDS_MOST);
			raw_spin_lock_irqsave(&zone->lock, irq);
			good = check_words(tree, order, l, from, end, v);
			raw_spin_unlock_irqrestore(&zone->lock, irq);
			cond_resched();
		}
	}
}

/* Count the frames from @idx to the next block, without using order_at(). */
static u32 extent(const struct myalloc_buddy *b, u32 idx)
{
	u32 end = idx + 1;

	while (end < b->nr_frames && end - idx < BIT(b->top_order) &&
	       !myalloc_validate_head(b, end))
		end++;
	return end - idx;
}

/* Is a bit in [@from, @end) set? Does not use the summaries, which may be damaged. */
static bool any_bit(const struct myalloc_bitmap_tree *tree, u32 from, u32 end)
{
	for (; from < end; from++)
		if (myalloc_tree_test(tree, from))
			return true;
	return false;
}

/* B1: may a block of this order begin at @idx? */
static bool may_begin(const struct myalloc_buddy *b, u32 idx, unsigned int order)
{
	if (order <= b->chunk_order)
		return !(idx & (BIT(order) - 1));
	return !(idx & (BIT(b->chunk_order) - 1)) &&
	       b->joined->limit[idx >> b->chunk_order] >= order;
}

/**
 * myalloc_validate_block() - check a block (B1, B2, B3), and count it
 * @b: the buddy system; the caller prevents concurrent changes
 * @idx: its first frame
 * @r: in and out: the counts
 * @v: in and out: findings are added
 *
 * Context: any.
 * Return: its size in frames; 0 if no block begins there.
 */
u32 myalloc_validate_block(const struct myalloc_buddy *b, u32 idx, struct myalloc_recount *r,
			   struct myalloc_validation *v)
{
	u32 size = extent(b, idx), other;
	unsigned int k, order = ilog2(size);

	if (!myalloc_validate_head(b, idx)) {
		myalloc_finding(v, "B1: frame %u belongs to no block", idx);
		return 0;
	}
	if (!is_power_of_2(size) || !may_begin(b, idx, order)) {
		myalloc_finding(v, "B1: block of %u frames at frame %u", size, idx);
		return 0;
	}
	for (k = 0; k <= b->top_order; k++) {
		u32 first = myalloc_buddy_bit(b, idx, k);
		u32 last = myalloc_buddy_bit(b, idx + size - 1, k);

		if (k == order)
			first++;	/* its own, which is tested below */
		if (any_bit(myalloc_buddy_tree(b, k), first, last + 1)) {
			myalloc_finding(v,
					"B2: block of order %u at frame %u is in the free bits of order %u",
					order, idx, k);
			return 0;
		}
	}
	if (!myalloc_buddy_is_free(b, idx, order))
		return size;
	r->free += size;
	r->blocks[order]++;
	if (order == b->top_order)
		return size;
	other = myalloc_buddy_other(b, idx, order);
	if (myalloc_buddy_is_free(b, other, order))
		myalloc_finding(v, "B3: both halves of the block of order %u at frame %u are free",
				order + 1, min(idx, other));
	return size;
}

/**
 * myalloc_validate_counts() - compare the counts of all blocks with those of the buddy system (B4)
 * @b: the buddy system; the caller prevents concurrent changes
 * @r: the counts
 * @v: in and out: findings are added
 *
 * Context: any.
 */
void myalloc_validate_counts(const struct myalloc_buddy *b, const struct myalloc_recount *r,
			     struct myalloc_validation *v)
{
	unsigned int k;

	if (r->free != b->nr_free)
		myalloc_finding(v, "B4: %u frames are free, counted %u", r->free, b->nr_free);
	for (k = 0; k <= b->top_order; k++) {
		if (r->blocks[k] != b->nr_blocks[k])
			myalloc_finding(v, "B4: %u blocks of order %u are free, counted %u",
					r->blocks[k], k, b->nr_blocks[k]);
		if (!!r->blocks[k] != (b->nonempty >> k & 1))
			myalloc_finding(v, "B4: nonempty is wrong for order %u", k);
	}
	if (b->nonempty >> b->top_order > 1)
		myalloc_finding(v, "B4: nonempty has orders above %u", b->top_order);
}

/**
 * myalloc_buddy_validate() - check every invariant of a buddy system
 * @buddy: the buddy system; the caller prevents concurrent changes
 * @v: in and out: findings are added
 *
 * Context: any.
 * Return: true if all invariants hold.
 */
bool myalloc_buddy_validate(const struct myalloc_buddy *buddy,
			    struct myalloc_validation *v)
{
	u64 before = v->errors;
	struct myalloc_recount r = { 0 };
	unsigned int k;
	u32 idx, size;

	for (k = 0; k <= buddy->top_order; k++)
		check_tree(myalloc_buddy_tree(buddy, k), k, v);
	for (idx = 0; idx < buddy->nr_frames; idx += size) {
		size = myalloc_validate_block(buddy, idx, &r, v);
		if (!size)
			return false;
		v->frames += size;
	}
	myalloc_validate_counts(buddy, &r, v);
	return v->errors == before;
}
