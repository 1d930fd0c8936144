// SPDX-License-Identifier: GPL-2.0
/*
 * Validation: recount everything from the lowest-level facts
 *
 * What it is: a walk over all frames and slots that trusts only the lowest-level facts (head bits,
 * tags, states) and compares every summary, list, count and link with them. Each check cites the
 * invariant that it tests; lib/DESIGN.md lists the file that owns each letter.
 *
 * What it cannot prove: while others allocate and free, magazines change without a lock, and so
 * does everything that is freed without one. Checks that compare a sum of such numbers are made
 * only if nothing changed and no operation on magazines (Z4, S4) or deferred free (Z3, Z5, S4) was
 * in progress meanwhile. A state that its owner may change at any time is only checked for being a
 * legal state. Damage that is consistent (a block tagged as allocated that has no user) is a leak;
 * the owners' records reveal it, this file does not.
 *
 * Locking: zone->lock for one chunk or WORDS_MOST words of a bitmap at a time, cache->lock for one
 * slab, or SLABS_MOST links of a list, at a time, and no lock on the list of caches while a cache
 * is checked. So nobody waits for long, except a task that destroys the cache being checked. A walk
 * over the lists of a cache begins anew if a slab has changed lists; after RETRIES times the lists
 * count for nothing. The totals are compared while the lock is held once, if generation shows that
 * nothing has changed since the walk began. After RETRIES disturbed walks, only the checks of
 * single chunks count.
 */
#include "env.h"
#include "object/check.h"
#include "page/block.h"
#include "page/zone_report.h"
#include "zone/validate.h"

#define RETRIES	3

/* Most words of a bitmap, or slabs of a list, that are looked at under one hold of a lock */
#define WORDS_MOST	1024
#define SLABS_MOST	256

__printf(2, 0)
static void v_verr(struct myalloc_validation *v, const char *fmt, va_list args)
{
	if (!v->errors++)
		vscnprintf(v->first, sizeof(v->first), fmt, args);
}

__printf(2, 3)
static bool v_err(struct myalloc_validation *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	v_verr(v, fmt, args);
	va_end(args);
	return false;
}

/**
 * myalloc_finding() - add a finding of a front to the result of a validation
 * @v: in and out: the text of the first finding is kept, the others are counted
 * @fmt: format of the text, which begins with the name of the invariant
 *
 * Context: any.
 */
void myalloc_finding(struct myalloc_validation *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	v_verr(v, fmt, args);
	va_end(args);
}

/* --- the buddy -------------------------------------------------------------- */

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
			return v_err(v, "T1: order %u, level %u, word %u: bit %u is not alone",
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
		return l ? v_err(v, "T2: order %u, level %u: a bit at or above %u is set", order, l,
				 bits) :
			   v_err(v, "T2: order %u: a bit at or above %u is set", order, bits);
	if (tree->lone != MYALLOC_TREE_NONE)
		return check_lone(tree, order, l, from, end, v);
	if (l + 1 == tree->nr_levels)
		return true;
	for (i = from; i < end; i++) {
		bool up = tree->level[l + 1][i / 64] >> (i % 64) & 1;

		myalloc_env_point("validate-step");
		if (up != !!tree->level[l][i])
			return v_err(v, "T1: order %u, level %u, word %u: summary differs",
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

/* The same with others at work: each part under the lock. */
static void check_tree_parts(struct myalloc_zone *zone, const struct myalloc_bitmap_tree *tree,
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

struct recount {
	u32 free;
	u32 blocks[MYALLOC_NR_ORDERS];
};

static bool head_at(const struct myalloc_buddy *b, u32 idx)
{
	return b->head[idx / 64] >> (idx % 64) & 1;
}

/* Count the frames from @idx to the next block, without using order_at(). */
static u32 extent(const struct myalloc_buddy *b, u32 idx)
{
	u32 end = idx + 1;

	while (end < b->nr_frames && end - idx < BIT(b->top_order) && !head_at(b, end))
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

/* B1, B2, B3 for the block at @idx. Returns its size in frames, 0 if no block begins there. */
static u32 check_block(const struct myalloc_buddy *b, u32 idx, struct recount *r,
		       struct myalloc_validation *v)
{
	u32 size = extent(b, idx), other;
	unsigned int k, order = ilog2(size);

	if (!head_at(b, idx)) {
		v_err(v, "B1: frame %u belongs to no block", idx);
		return 0;
	}
	if (!is_power_of_2(size) || !may_begin(b, idx, order)) {
		v_err(v, "B1: block of %u frames at frame %u", size, idx);
		return 0;
	}
	for (k = 0; k <= b->top_order; k++) {
		u32 first = myalloc_buddy_bit(b, idx, k);
		u32 last = myalloc_buddy_bit(b, idx + size - 1, k);

		if (k == order)
			first++;	/* its own, which is tested below */
		if (any_bit(myalloc_buddy_tree(b, k), first, last + 1)) {
			v_err(v, "B2: block of order %u at frame %u is in the free bits of order %u",
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
		v_err(v, "B3: both halves of the block of order %u at frame %u are free",
		      order + 1, min(idx, other));
	return size;
}

/* B4 */
static void check_counts(const struct myalloc_buddy *b, const struct recount *r,
			 struct myalloc_validation *v)
{
	unsigned int k;

	if (r->free != b->nr_free)
		v_err(v, "B4: %u frames are free, counted %u", r->free, b->nr_free);
	for (k = 0; k <= b->top_order; k++) {
		if (r->blocks[k] != b->nr_blocks[k])
			v_err(v, "B4: %u blocks of order %u are free, counted %u", r->blocks[k],
			      k, b->nr_blocks[k]);
		if (!!r->blocks[k] != (b->nonempty >> k & 1))
			v_err(v, "B4: nonempty is wrong for order %u", k);
	}
	if (b->nonempty >> b->top_order > 1)
		v_err(v, "B4: nonempty has orders above %u", b->top_order);
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
	struct recount r = { 0 };
	unsigned int k;
	u32 idx, size;

	for (k = 0; k <= buddy->top_order; k++)
		check_tree(myalloc_buddy_tree(buddy, k), k, v);
	for (idx = 0; idx < buddy->nr_frames; idx += size) {
		size = check_block(buddy, idx, &r, v);
		if (!size)
			return false;
		v->frames += size;
	}
	check_counts(buddy, &r, v);
	return v->errors == before;
}

/* --- the zone ------------------------------------------------------------------ */

/* Counts of a walk over the zone's frames, in frames unless noted. */
struct walk {
	struct recount buddy;
	u64 page;
	u64 cached;
	u64 cached_blocks[MYALLOC_NR_ORDERS];
	u64 slab;
	u64 deferred;
	u64 deferring;
	/* E1: the extent that the walk is inside of */
	u32 extent;		/* its first frame */
	u32 extent_tag;		/* tag of its first frame */
	u32 extent_end;		/* frame behind its last one; 0 if the walk is in none */
	bool being_freed;	/* the preceding blocks belong to an extent being freed */
	u64 freeing;
	u64 kept;
	u64 quarantined;
	u64 bad;
	u64 holes;
};

/* E1: check the beginning of an extent at @idx, whose tag says that it has @nr pages and @owner. */
static void begin_extent(const struct myalloc_zone *zone, u32 idx, u32 nr, u32 owner, u32 tag,
			 struct walk *w, struct myalloc_validation *v)
{
	u32 end = min_t(u32, (idx | (BIT(zone->chunk_order) - 1)) + 1, zone->buddy.nr_frames);
	unsigned int order = myalloc_buddy_piece(&zone->buddy, idx, nr);

	if (nr > end - idx || tag != myalloc_frame_tag(MYALLOC_FRAME_EXTENT, order,
						       myalloc_extent_mark(nr, owner))) {
		v_err(v, "E1: frame %u: tagged 0x%08x, an extent of %u pages cannot begin like that",
		      idx, tag, nr);
		return;
	}
	if (owner && owner < MYALLOC_OWNERS_KINDS && !(READ_ONCE(zone->owners) & BIT_ULL(owner)))
		v_err(v, "E1: frame %u: an extent of owner %u, which does not exist", idx, owner);
	w->extent = idx;
	w->extent_tag = tag;
	w->extent_end = nr == BIT(order) ? 0 : idx + nr;
}

/*
 * E1 for the block at @idx, which has the tag @tag, or 0 if it is free. An extent is freed without
 * the lock: first its first block changes, then its pieces, from the last one backwards.
 */
static void check_extent(const struct myalloc_zone *zone, u32 idx, u32 tag, struct walk *w,
			 struct myalloc_validation *v)
{
	const struct myalloc_frame frame = { .tag = tag };
	bool piece = frame.type == MYALLOC_FRAME_PIECE;

	if (w->extent_end) {
		unsigned int order = myalloc_buddy_piece(&zone->buddy, idx, w->extent_end - idx);

		if (tag == myalloc_frame_tag(MYALLOC_FRAME_PIECE, order, 0)) {
			if (idx + BIT(order) == w->extent_end)
				w->extent_end = 0;
			return;
		}
		w->extent_end = 0;
		w->being_freed = READ_ONCE(zone->frames[w->extent].tag) != w->extent_tag;
		if (!w->being_freed)
			v_err(v, "E1: frame %u: tagged 0x%08x, not as a piece of the extent at frame %u",
			      idx, tag, w->extent);
	}
	if (piece && !w->being_freed)
		v_err(v, "E1: frame %u: a piece of no extent", idx);
	w->being_freed = frame.type == MYALLOC_FRAME_DEFERRING || (piece && w->being_freed);
	if (frame.type == MYALLOC_FRAME_EXTENT)
		begin_extent(zone, idx, myalloc_frame_pages(&frame), myalloc_frame_owner(&frame),
			     tag, w, v);
}

/* Z1, Z2 for one allocated block. */
static void check_tag(const struct myalloc_zone *zone, u32 idx, u32 size, struct walk *w,
		      struct myalloc_validation *v)
{
	const struct myalloc_frame *frame = &zone->frames[idx];
	unsigned int order = ilog2(size);
	u8 type = READ_ONCE(frame->type);

	if (frame->order != order)
		v_err(v, "Z1: frame %u: tagged as order %u, is of order %u", idx, frame->order,
		      order);
	if (frame->cache && (type == MYALLOC_FRAME_PAGE || type == MYALLOC_FRAME_PIECE ||
			     type == MYALLOC_FRAME_CACHED || type == MYALLOC_FRAME_FREEING ||
			     type == MYALLOC_FRAME_LENT || type == MYALLOC_FRAME_QUARANTINE))
		v_err(v, "Z1: frame %u: a block of pages is tagged with cache %u", idx,
		      frame->cache);
	switch (type) {
	case MYALLOC_FRAME_FREEING:
		w->freeing += size;
		fallthrough;
	case MYALLOC_FRAME_PAGE:
	case MYALLOC_FRAME_LENT:
	case MYALLOC_FRAME_EXTENT:
	case MYALLOC_FRAME_PIECE:
		w->page += size;
		break;
	case MYALLOC_FRAME_KEPT:
		w->kept += size;
		w->page += size;
		break;
	case MYALLOC_FRAME_CONTRACT:
		w->page += size;
		if (!zone->children || frame->cache >= MYALLOC_CHILDREN_MAX ||
		    !READ_ONCE(zone->children->zone[frame->cache]))
			v_err(v, "Z1: frame %u: a chunk of child %u, which does not exist", idx,
			      frame->cache);
		break;
	case MYALLOC_FRAME_QUARANTINE:
		w->quarantined += size;
		break;
	case MYALLOC_FRAME_BAD:
		w->bad += size;
		break;
	case MYALLOC_FRAME_HOLE:
		w->holes += size;
		break;
	case MYALLOC_FRAME_CACHED:
		w->cached += size;
		w->cached_blocks[order]++;
		break;
	case MYALLOC_FRAME_DEFERRING:
		w->deferring++;
		fallthrough;
	case MYALLOC_FRAME_DEFERRED:
	case MYALLOC_FRAME_RECOVERING:
		w->deferred += size;
		break;
	case MYALLOC_FRAME_SLAB:
	case MYALLOC_FRAME_NEW:
	case MYALLOC_FRAME_LIMBO:
		w->slab += size;
		if (!frame->cache || frame->cache >= MYALLOC_CACHES_MAX ||
		    !zone->cache_by_id[frame->cache])
			v_err(v, "Z1: frame %u: slab of cache %u, which does not exist", idx,
			      frame->cache);
		break;
	default:
		v_err(v, "Z1: frame %u: allocated block of order %u is tagged 0x%02x", idx,
		      order, type);
	}
}

/* A1 for an address just outside a chunk of an elastic zone: foreign, or in another chunk. */
static void check_outside(const struct myalloc_zone *zone, unsigned long addr,
			  struct myalloc_validation *v)
{
	const struct myalloc_frame *frame = myalloc_map_frame(&zone->map, (void *)addr);
	u32 idx = frame ? myalloc_frame_idx(zone, frame) : 0;

	if (frame && (!zone->chunks[idx >> zone->chunk_order] ||
		      addr - (unsigned long)myalloc_frame_addr(zone, idx) >= PAGE_SIZE))
		v_err(v, "A1: the map finds frame %u beside a chunk", idx);
}

/* A1 for the addresses just outside a chunk. */
static void check_borders(const struct myalloc_zone *zone, u32 chunk,
			  struct myalloc_validation *v)
{
	unsigned long size = PAGE_SIZE << zone->chunk_order, begin = zone->chunks[chunk];
	bool follows = chunk && zone->chunks[chunk - 1] + size == begin;
	bool followed = chunk + 1 < zone->nr_chunks && zone->chunks[chunk + 1] == begin + size;

	if (zone->map.has_leaves) {
		check_outside(zone, begin - 1, v);
		check_outside(zone, begin + size, v);
		follows = true;		/* as far as the checks below go */
		followed = true;
	}
	if (!follows && myalloc_map_frame(&zone->map, (void *)(begin - 1)))
		v_err(v, "A1: the map finds a frame below chunk %u", chunk);
	if (!followed && myalloc_map_frame(&zone->map, (void *)(begin + size)))
		v_err(v, "A1: the map finds a frame above chunk %u", chunk);
	if (memcmp(&zone->linear, &zone->map.linear, sizeof(zone->linear)))
		v_err(v, "A1: the map has another linear range than the zone");
}

/* B6 for one chunk. */
static void check_limit(const struct myalloc_zone *zone, u32 chunk, struct myalloc_validation *v)
{
	const struct myalloc_buddy *b = &zone->buddy;
	unsigned int limit = myalloc_chunks_limit(zone->chunks,
						  min(b->nr_frames >> b->chunk_order,
						      zone->nr_fixed),
						  chunk, b->chunk_order, b->top_order);

	if (b->joined && b->joined->limit[chunk] != limit)
		v_err(v, "B6: blocks at chunk %u are limited to order %u, not %u", chunk,
		      b->joined->limit[chunk], limit);
}

/*
 * Lock held. Is this chunk part of a block that begins before it? (If that block may not extend so
 * far, its own chunk was found damaged, unless it has changed since.)
 */
static bool in_larger(const struct myalloc_buddy *b, u32 first)
{
	struct myalloc_block block;

	return !head_at(b, first) && myalloc_buddy_lookup(b, first, &block);
}

/* Lock held. V1 for a chunk. Returns whether it is a hole. */
static bool check_hole(const struct myalloc_zone *zone, u32 chunk, struct myalloc_validation *v)
{
	const struct myalloc_frame *frame = &zone->frames[(size_t)chunk << zone->chunk_order];
	bool hole = !zone->chunks[chunk];
	bool tag = frame->tag == myalloc_frame_tag(MYALLOC_FRAME_HOLE, zone->chunk_order, 0);
	bool bit = zone->elastic && myalloc_tree_test(&zone->elastic->holes, chunk);

	if (hole != tag || hole != bit)
		v_err(v, "V1: chunk %u has %s memory, is %stagged as a hole and %s one", chunk,
		      hole ? "no" : "its", tag ? "" : "not ",
		      bit ? "counts as" : "does not count as");
	return hole;
}

/*
 * Lock held. Check the blocks that begin in one chunk: B1 to B3, B6, Z1, A1, Z6, E1 and V1. Returns
 * false if the walk cannot go on.
 */
static bool check_chunk(const struct myalloc_zone *zone, u32 chunk, struct walk *w,
			struct myalloc_validation *v)
{
	const struct myalloc_buddy *b = &zone->buddy;
	u32 first = chunk << zone->chunk_order, idx, size, i;
	u32 end = min_t(u32, first + BIT(zone->chunk_order), b->nr_frames);
	bool hole = check_hole(zone, chunk, v);

	if (!hole)
		check_borders(zone, chunk, v);
	check_limit(zone, chunk, v);
	w->extent_end = 0;
	w->being_freed = false;
	if (in_larger(b, first))
		return true;
	for (idx = first; idx < end; idx += size) {
		const struct myalloc_frame *frame = &zone->frames[idx];
		bool slab, free;
		u8 type;

		size = check_block(b, idx, &w->buddy, v);
		if (!size)
			return false;
		v->frames += size;
		if (!hole &&
		    (myalloc_map_frame(&zone->map, myalloc_frame_addr(zone, idx)) != frame ||
		     myalloc_map_search(&zone->map, myalloc_frame_addr(zone, idx)) != frame))
			v_err(v, "A1: the map does not find frame %u", idx);
		free = myalloc_buddy_is_free(b, idx, ilog2(size));
		type = READ_ONCE(frame->type);
		slab = type == MYALLOC_FRAME_SLAB || type == MYALLOC_FRAME_NEW ||
		       type == MYALLOC_FRAME_LIMBO;
		if (w->extent_end)
			myalloc_env_point("validate-extent");
		/* Pairs with defer() of block.c. */
		check_extent(zone, idx, free ? 0 : smp_load_acquire(&frame->tag), w, v);
		if (!free)
			check_tag(zone, idx, size, w, v);
		for (i = free ? 0 : 1; i < size && !slab; i++)
			if (zone->frames[idx + i].tag)
				v_err(v, "Z6: frame %u in a %s block has the tag 0x%08x", idx + i,
				      free ? "free" : "page",
				      le32_to_cpu((__force __le32)zone->frames[idx + i].tag));
	}
	return true;
}

/*
 * Lock held. Compare the totals of a walk, since the beginning of which nothing has changed.
 * @deferred and @quarantined are the zone's counts at that time, in frames. B4, Z2, Z3, Z5, Q1, P1,
 * T.
 */
static void check_totals(struct myalloc_zone *zone, const struct walk *w, s64 deferred,
			 s64 quarantined, struct myalloc_validation *v)
{
	u64 sum = w->buddy.free + w->page + w->cached + w->slab + w->deferred + w->quarantined +
		  w->bad + w->holes;
	s64 slab = atomic64_read_acquire(&zone->slab_pages);	/* pairs with defer() of block.c */

	check_counts(&zone->buddy, &w->buddy, v);
	if (sum != zone->buddy.nr_frames)
		v_err(v, "Z2: %llu frames have an owner, %u exist", (unsigned long long)sum,
		      zone->buddy.nr_frames);
	if (w->holes != (u64)zone->nr_holes << zone->chunk_order)
		v_err(v, "V2: %llu frames are in holes, counted %u holes",
		      (unsigned long long)w->holes, zone->nr_holes);
	if (w->bad != (u64)atomic64_read(&zone->nr_bad))
		v_err(v, "P1: %llu frames are bad, counted %lld", (unsigned long long)w->bad,
		      (long long)atomic64_read(&zone->nr_bad));
	/* Not while a block is about to enter or leave quarantine. */
	if (!w->freeing && quarantined == atomic64_read(&zone->nr_quarantined) &&
	    w->quarantined != (u64)quarantined)
		v_err(v, "Q1: %llu frames are in quarantine, counted %lld",
		      (unsigned long long)w->quarantined, (long long)quarantined);
	/* Not while a free is about to be deferred. */
	if (w->deferring || deferred != atomic64_read(&zone->deferred.nr))
		return;
	if (w->slab != (u64)slab)
		v_err(v, "Z3: %llu frames are in slabs, counted %lld", (unsigned long long)w->slab,
		      (long long)slab);
	if (w->deferred != (u64)deferred)
		v_err(v, "Z5: %llu frames are deferred, counted %lld",
		      (unsigned long long)w->deferred, (long long)deferred);
}

static u64 pcp_moves(struct myalloc_zone *zone)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		sum += myalloc_magazines_moves(&zone->pcp[i]);
	return sum;
}

static bool pcp_idle(const struct myalloc_zone *zone)
{
	unsigned int i;

	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		if (!myalloc_magazines_idle(&zone->pcp[i]))
			return false;
	return true;
}

/*
 * Z4. Compares only if the magazines are idle and their moves still are @pcp, the number at a time
 * when they were idle.
 */
static void check_magazines(struct myalloc_zone *zone, const struct walk *w, u64 pcp,
			    struct myalloc_validation *v)
{
	u64 count[MYALLOC_PCP_LISTS];
	unsigned int i;

	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		count[i] = myalloc_magazines_count(&zone->pcp[i]);
	if (!pcp_idle(zone) || pcp != pcp_moves(zone))
		return;
	for (i = 0; i < MYALLOC_PCP_LISTS; i++) {
		unsigned int k = myalloc_pcp_order(i);

		if (w->cached_blocks[k] != count[i])
			v_err(v, "Z4: %llu blocks of order %u are tagged cached, the magazines hold %llu",
			      (unsigned long long)w->cached_blocks[k], k,
			      (unsigned long long)count[i]);
	}
}

/* T1, T2 of all trees of the zone. */
static void check_trees(struct myalloc_zone *zone, struct myalloc_validation *v)
{
	unsigned int k;

	for (k = 0; k <= zone->buddy.top_order; k++)
		check_tree_parts(zone, myalloc_buddy_tree(&zone->buddy, k), k, v);
	if (zone->elastic)
		check_tree_parts(zone, &zone->elastic->holes, zone->chunk_order, v);
}

/* Walk once over all chunks. Returns false if something changed meanwhile. */
static bool walk_zone(struct myalloc_zone *zone, struct myalloc_validation *v)
{
	struct walk w = { 0 };
	unsigned long irq;
	bool whole = true, still, idle = pcp_idle(zone);
	u64 generation, pcp = pcp_moves(zone);
	s64 deferred, quarantined;
	u32 chunk;

	raw_spin_lock_irqsave(&zone->lock, irq);
	generation = zone->generation;
	deferred = atomic64_read(&zone->deferred.nr);
	quarantined = atomic64_read_acquire(&zone->nr_quarantined);
	for (chunk = 0; chunk < zone->nr_chunks && whole; chunk++) {
		whole = check_chunk(zone, chunk, &w, v);
		raw_spin_unlock_irqrestore(&zone->lock, irq);
		cond_resched();
		raw_spin_lock_irqsave(&zone->lock, irq);
	}
	still = generation == zone->generation;
	if (whole && still)
		check_totals(zone, &w, deferred, quarantined, v);
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	if (whole && still && !v->errors)
		check_trees(zone, v);
	if (whole && still && idle)
		check_magazines(zone, &w, pcp, v);
	return still || v->errors;
}

/* --- caches --------------------------------------------------------------------- */

struct cache_walk {
	u64 slabs;
	u64 free;
	u64 live;
	u64 cached;
	u64 deferred;
	u64 deferring;
	u64 moving;
	u64 limbo;
	u32 listed[MYALLOC_SLAB_LISTS];
};

/* Lock held. S2, S6, S7 for one slab. */
static void check_slab(struct myalloc_cache *c, struct myalloc_frame *frame,
		       struct cache_walk *w, struct myalloc_validation *v)
{
	u32 idx = myalloc_frame_idx(c->zone, frame), i, inuse = 0, lowest = c->layout.objects;
	void *slab = myalloc_frame_addr(c->zone, idx);
	const u8 *states = myalloc_slab_states(c, frame, slab);
	const u64 *bits = myalloc_slab_out(c, frame, slab);
	char text[64];

	for (i = 0; i < c->layout.objects; i++) {
		u8 state = READ_ONCE(states[i]);
		bool out = myalloc_out_test(bits, i), taken = state != MYALLOC_SLOT_FREE;

		inuse += out;
		if (!out)
			lowest = min(lowest, i);
		switch (state) {
		case MYALLOC_SLOT_FREE:
			break;
		case MYALLOC_SLOT_CACHED:
			w->cached++;
			break;
		case MYALLOC_SLOT_LIVE:
			w->live++;
			break;
		case MYALLOC_SLOT_DEFERRING:
			w->deferring++;
			fallthrough;
		case MYALLOC_SLOT_DEFERRED:
		case MYALLOC_SLOT_RECOVERING:
			w->deferred++;
			break;
		case MYALLOC_SLOT_MOVING:
			w->moving++;
			break;
		default:
			v_err(v, "S5: cache %s, frame %u, slot %u: state %u", c->name, idx, i,
			      state);
		}
		if (out != taken)
			v_err(v, "S7: cache %s, frame %u, slot %u: state %u, its out bit is %s",
			      c->name, idx, i, state, out ? "set" : "clear");
		if ((state == MYALLOC_SLOT_FREE || state == MYALLOC_SLOT_LIVE) &&
		    /* The user of a live object may write to it. */
		    !data_race(myalloc_debug_check(c, slab, i, state == MYALLOC_SLOT_LIVE, text,
						   sizeof(text))) && READ_ONCE(states[i]) == state)
			v_err(v, "S6: cache %s, frame %u, slot %u: %s", c->name, idx, i, text);
		v->objects++;
	}
	for (; i < DIV_ROUND_UP(c->layout.objects, 64) * 64; i++)
		inuse += myalloc_out_test(bits, i);
	if (inuse != frame->inuse)
		v_err(v, "S2: cache %s, frame %u: %u slots in use, counted %u", c->name, idx,
		      inuse, frame->inuse);
	if (lowest < frame->hint)
		v_err(v, "S2: cache %s, frame %u: slot %u is free, below the hint %u", c->name,
		      idx, lowest, frame->hint);
	w->free += c->layout.objects - inuse;
	w->slabs++;
	v->slabs++;
}

/**
 * struct list_walk - a walk over the lists of slabs of a cache, with the lock dropped in between
 * @list: the list
 * @idx: its next slab
 * @prev: the one before
 * @nr: slabs of it so far
 * @generation: of the cache, when the lock was dropped
 */
struct list_walk {
	unsigned int list;
	u32 idx;
	u32 prev;
	u32 nr;
	u64 generation;
};

/* Lock held. S1: is this slab in the right list, and behind the right one? False if it is none. */
static bool check_listed(const struct myalloc_cache *c, const struct list_walk *at,
			 struct myalloc_validation *v)
{
	const struct myalloc_frame *frame = &c->zone->frames[at->idx];
	u32 inuse, objects = c->layout.objects;
	bool fits;

	if (at->idx >= c->zone->buddy.nr_frames || frame->tag != c->tag)
		return v_err(v, "S1: cache %s: list %u holds frame %u, which is no slab of it",
			     c->name, at->list, at->idx);
	inuse = frame->inuse;
	if (at->list == MYALLOC_SLABS_EMPTY)
		fits = !inuse;
	else if (at->list == MYALLOC_SLABS_FULL)
		fits = inuse == objects;
	else
		fits = inuse && inuse < objects &&
		       inuse * MYALLOC_SLAB_PARTIAL / objects == at->list - 1;
	if (!fits || frame->prev != at->prev)
		v_err(v, "S1: cache %s: frame %u with %u of %u in use is wrong in list %u",
		      c->name, at->idx, inuse, objects, at->list);
	return true;
}

/* Lock held. S1 for some slabs. Returns false at the end of the last list. */
static bool check_list_part(const struct myalloc_cache *c, struct list_walk *at,
			    struct cache_walk *w, struct myalloc_validation *v)
{
	u32 most = SLABS_MOST;

	for (; most && at->idx != MYALLOC_NO_FRAME && at->nr <= c->nr[at->list]; most--) {
		myalloc_env_point("validate-step");
		if (!check_listed(c, at, v))
			return false;
		at->prev = at->idx;
		at->idx = c->zone->frames[at->idx].next;
		at->nr++;
	}
	if (!most)
		return true;
	w->listed[at->list] = at->nr;
	if (at->nr != c->nr[at->list])
		v_err(v, "S1: cache %s: list %u counts %u slabs", c->name, at->list,
		      c->nr[at->list]);
	if (++at->list == MYALLOC_SLAB_LISTS)
		return false;
	at->idx = c->list[at->list];
	at->prev = MYALLOC_NO_FRAME;
	at->nr = 0;
	return true;
}

/* S1: each list holds nr[] slabs that belong there, and its links agree. */
static void check_lists(struct myalloc_cache *c, struct cache_walk *w,
			struct myalloc_validation *v)
{
	u32 disturbed = 0;
	unsigned long irq;
	bool more = true;

	while (more && disturbed < RETRIES) {
		struct list_walk at = { .idx = MYALLOC_NO_FRAME, .prev = MYALLOC_NO_FRAME };

		raw_spin_lock_irqsave(&c->lock, irq);
		at.generation = c->generation;
		at.idx = c->list[0];
		do {
			more = check_list_part(c, &at, w, v);
			raw_spin_unlock_irqrestore(&c->lock, irq);
			cond_resched();
			raw_spin_lock_irqsave(&c->lock, irq);
		} while (more && at.generation == c->generation);
		raw_spin_unlock_irqrestore(&c->lock, irq);
		disturbed += more;
	}
}

static u64 cache_generation(struct myalloc_cache *c)
{
	/* The parts may be read at different times. */
	return myalloc_magazines_moves(&c->mags) + data_race(c->generation);
}

/**
 * myalloc_cache_validate() - check every invariant of a cache
 * @cache: the cache
 * @v: in and out: findings are added
 *
 * Context: task, may sleep.
 * Return: true if all invariants hold.
 */
bool myalloc_cache_validate(struct myalloc_cache *cache, struct myalloc_validation *v)
{
	struct myalloc_zone *zone = cache->zone;
	struct cache_walk w = { 0 };
	bool idle = myalloc_magazines_idle(&cache->mags), still;
	s64 deferred = atomic64_read(&cache->deferred.nr);
	u64 before = v->errors, generation, out, held;
	unsigned long irq;
	unsigned int list;
	u64 listed = 0;
	u32 idx, tag;

	generation = cache_generation(cache);
	for (idx = 0; idx < zone->buddy.nr_frames; idx++) {
		if (!(idx % 1024))
			cond_resched();
		tag = data_race(zone->frames[idx].tag);	/* or state bytes */
		if (tag != cache->tag && tag != cache->limbo_tag)
			continue;
		raw_spin_lock_irqsave(&cache->lock, irq);
		if (zone->frames[idx].tag == cache->tag)
			check_slab(cache, &zone->frames[idx], &w, v);
		else	/* or it has left since, and generation has grown */
			w.limbo++;
		raw_spin_unlock_irqrestore(&cache->lock, irq);
	}
	check_lists(cache, &w, v);
	raw_spin_lock_irqsave(&cache->lock, irq);
	for (list = 0; list < MYALLOC_SLAB_LISTS; list++)
		listed += w.listed[list];
	out = w.slabs * cache->layout.objects - w.free;
	held = myalloc_magazines_count(&cache->mags);
	if (cache->level == MYALLOC_TRUSTING && w.cached > held) {	/* includes live objects */
		w.live += w.cached - held;
		w.cached = held;
	}
	idle &= myalloc_magazines_idle(&cache->mags);
	still = !w.deferring && deferred == atomic64_read(&cache->deferred.nr);
	if (generation == cache_generation(cache)) {
		if (listed != w.slabs)
			v_err(v, "S1: cache %s has %llu slabs, its lists %llu", cache->name,
			      (unsigned long long)w.slabs, (unsigned long long)listed);
		if (listed < cache->set_aside)
			v_err(v, "S8: cache %s has %llu slabs, %u are set aside", cache->name,
			      (unsigned long long)listed, cache->set_aside);
		if (w.limbo != cache->nr_limbo)
			v_err(v, "R2: cache %s has %llu slabs in limbo, counted %u", cache->name,
			      (unsigned long long)w.limbo, cache->nr_limbo);
		if (w.free != cache->free_slots)
			v_err(v, "S3: cache %s: %llu slots free, counted %llu", cache->name,
			      (unsigned long long)w.free, (unsigned long long)cache->free_slots);
		if ((idle && w.cached != held) ||
		    w.live + w.cached + w.deferred + w.moving != out ||
		    (still && w.deferred != (u64)deferred))
			v_err(v, "S4: cache %s: %llu live, %llu cached, %llu deferred of %llu out; magazines hold %llu",
			      cache->name, (unsigned long long)w.live, (unsigned long long)w.cached,
			      (unsigned long long)w.deferred, (unsigned long long)out,
			      (unsigned long long)held);
	}
	raw_spin_unlock_irqrestore(&cache->lock, irq);
	return v->errors == before;
}

static void validate_fronts(struct myalloc_zone *zone, struct myalloc_validation *v)
{
	struct myalloc_front *front;

	mutex_lock(&zone->fronts_mutex);
	list_for_each_entry(front, &zone->fronts, link)
		if (front->kind->validate)
			front->kind->validate(front, v);
	mutex_unlock(&zone->fronts_mutex);
}

static bool validate_cache(struct myalloc_cache *cache, void *v)
{
	myalloc_cache_validate(cache, v);
	return true;
}

/* The zones of contracts, which have no children themselves. */
static void validate_children(struct myalloc_zone *zone, struct myalloc_validation *v)
{
	struct myalloc_validation child;
	struct myalloc_children *children;
	u32 id;

	/* Pairs with children_of() of client/contract.c. */
	children = smp_load_acquire(&zone->children);
	if (!children)
		return;
	mutex_lock(&children->mutex);
	for (id = 0; id < MYALLOC_CHILDREN_MAX; id++) {
		if (IS_ERR_OR_NULL(children->zone[id]))
			continue;
		myalloc_zone_validate(children->zone[id], &child);
		if (child.errors && !v->errors)
			strscpy(v->first, child.first, sizeof(v->first));
		v->errors += child.errors;
		v->frames += child.frames;
		v->slabs += child.slabs;
		v->objects += child.objects;
	}
	mutex_unlock(&children->mutex);
}

/**
 * myalloc_zone_validate() - check every invariant of a zone, its caches, fronts and contracts
 * @zone: the zone
 * @v: out: the result
 *
 * Context: task, may sleep.
 * Return: true if all invariants hold.
 */
bool myalloc_zone_validate(struct myalloc_zone *zone, struct myalloc_validation *v)
{
	unsigned int tries;

	for (tries = 0; tries < RETRIES; tries++) {
		memset(v, 0, sizeof(*v));
		if (walk_zone(zone, v))
			break;
	}
	myalloc_zone_walk_caches(zone, validate_cache, v);
	validate_fronts(zone, v);
	validate_children(zone, v);
	return !v->errors;
}
