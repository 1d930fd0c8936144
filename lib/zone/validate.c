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
 * Locking: zone->lock for one chunk or some words of a bitmap (validate_buddy.c) at a time,
 * cache->lock for one slab or some links of a list (validate_cache.c), and no lock on the list of
 * caches while a cache is checked. The list of fronts is locked for one front at a time, and the
 * table of children not at all. So nobody waits for long, except a task that destroys the cache or
 * the contract being checked. The totals are compared while the lock is held once, if generation
 * shows that nothing has changed since the walk began. After RETRIES disturbed walks, only the
 * checks of single chunks count.
 */
#include "env.h"
#include "page/zone_report.h"
#include "zone/front.h"
#include "zone/validate.h"

#define RETRIES	3

/* Counts of a walk over the zone's frames, in frames unless noted. */
struct walk {
	struct myalloc_recount buddy;
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
	bool waits;		/* so they do, and its free is deferred as a whole */
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
		myalloc_finding(v,
				"E1: frame %u: tagged 0x%08x, an extent of %u pages cannot begin like that",
				idx, tag, nr);
		return;
	}
	if (owner && owner < MYALLOC_OWNERS_KINDS && !(READ_ONCE(zone->owners) & BIT_ULL(owner)))
		myalloc_finding(v, "E1: frame %u: an extent of owner %u, which does not exist", idx,
				owner);
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
			myalloc_finding(v,
					"E1: frame %u: tagged 0x%08x, not as a piece of the extent at frame %u",
					idx, tag, w->extent);
	}
	if (piece && !w->being_freed)
		myalloc_finding(v, "E1: frame %u: a piece of no extent", idx);
	w->waits = (zone->limit && (frame.type == MYALLOC_FRAME_DEFERRING ||
				    frame.type == MYALLOC_FRAME_DEFERRED ||
				    frame.type == MYALLOC_FRAME_RECOVERING)) || (piece && w->waits);
	w->being_freed = frame.type == MYALLOC_FRAME_DEFERRING || w->waits ||
			 (piece && w->being_freed);
	if (frame.type == MYALLOC_FRAME_EXTENT)
		begin_extent(zone, idx, myalloc_frame_pages(&frame), myalloc_frame_owner(&frame),
			     tag, w, v);
}

/* Z1, Z2 for one allocated block. */
static void check_tag(const struct myalloc_zone *zone, u32 idx, u32 size, struct walk *w,
		      struct myalloc_validation *v)
{
	const struct myalloc_frame tag = { .tag = READ_ONCE(zone->frames[idx].tag) };
	const struct myalloc_frame *frame = &tag;
	unsigned int order = ilog2(size);
	u8 type = frame->type;

	if (frame->order != order)
		myalloc_finding(v, "Z1: frame %u: tagged as order %u, is of order %u", idx,
				frame->order, order);
	if (frame->cache && (type == MYALLOC_FRAME_PAGE || type == MYALLOC_FRAME_PIECE ||
			     type == MYALLOC_FRAME_CACHED || type == MYALLOC_FRAME_FREEING ||
			     type == MYALLOC_FRAME_LENT || type == MYALLOC_FRAME_QUARANTINE))
		myalloc_finding(v, "Z1: frame %u: a block of pages is tagged with cache %u", idx,
				frame->cache);
	switch (type) {
	case MYALLOC_FRAME_FREEING:
		w->freeing += size;
		fallthrough;
	case MYALLOC_FRAME_PAGE:
	case MYALLOC_FRAME_LENT:
	case MYALLOC_FRAME_EXTENT:
		w->page += size;
		break;
	case MYALLOC_FRAME_PIECE:
		if (w->waits)
			w->deferred += size;
		else
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
			myalloc_finding(v,
					"Z1: frame %u: a chunk of child %u, which does not exist",
					idx, frame->cache);
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
			myalloc_finding(v, "Z1: frame %u: slab of cache %u, which does not exist",
					idx, frame->cache);
		break;
	default:
		myalloc_finding(v, "Z1: frame %u: allocated block of order %u is tagged 0x%02x",
				idx, order, type);
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
		myalloc_finding(v, "A1: the map finds frame %u beside a chunk", idx);
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
		myalloc_finding(v, "A1: the map finds a frame below chunk %u", chunk);
	if (!followed && myalloc_map_frame(&zone->map, (void *)(begin + size)))
		myalloc_finding(v, "A1: the map finds a frame above chunk %u", chunk);
	if (memcmp(&zone->linear, &zone->map.linear, sizeof(zone->linear)))
		myalloc_finding(v, "A1: the map has another linear range than the zone");
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
		myalloc_finding(v, "B6: blocks at chunk %u are limited to order %u, not %u", chunk,
				b->joined->limit[chunk], limit);
}

/*
 * Lock held. Is this chunk part of a block that begins before it? (If that block may not extend so
 * far, its own chunk was found damaged, unless it has changed since.)
 */
static bool in_larger(const struct myalloc_buddy *b, u32 first)
{
	struct myalloc_block block;

	return !myalloc_validate_head(b, first) && myalloc_buddy_lookup(b, first, &block);
}

/* Lock held. V1 for a chunk. Returns whether it is a hole. */
static bool check_hole(const struct myalloc_zone *zone, u32 chunk, struct myalloc_validation *v)
{
	const struct myalloc_frame *frame = &zone->frames[(size_t)chunk << zone->chunk_order];
	bool hole = !zone->chunks[chunk];
	bool tag = READ_ONCE(frame->tag) ==
		   myalloc_frame_tag(MYALLOC_FRAME_HOLE, zone->chunk_order, 0);
	bool bit = zone->elastic && myalloc_tree_test(&zone->elastic->holes, chunk);

	if (hole != tag || hole != bit)
		myalloc_finding(v, "V1: chunk %u has %s memory, is %stagged as a hole and %s one",
				chunk, hole ? "no" : "its", tag ? "" : "not ",
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
	w->waits = false;
	if (in_larger(b, first))
		return true;
	for (idx = first; idx < end; idx += size) {
		const struct myalloc_frame *frame = &zone->frames[idx];
		bool slab, free;
		u8 type;

		size = myalloc_validate_block(b, idx, &w->buddy, v);
		if (!size)
			return false;
		v->frames += size;
		if (!hole &&
		    (myalloc_map_frame(&zone->map, myalloc_frame_addr(zone, idx)) != frame ||
		     myalloc_map_search(&zone->map, myalloc_frame_addr(zone, idx)) != frame))
			myalloc_finding(v, "A1: the map does not find frame %u", idx);
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
		for (i = free ? 0 : 1; i < size && !slab; i++) {
			u32 tag = zone->frames[idx + i].tag;

			if (tag)
				myalloc_finding(v, "Z6: frame %u in a %s block has the tag 0x%08x",
						idx + i, free ? "free" : "page",
						le32_to_cpu((__force __le32)tag));
		}
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

	myalloc_validate_counts(&zone->buddy, &w->buddy, v);
	if (sum != zone->buddy.nr_frames)
		myalloc_finding(v, "Z2: %llu frames have an owner, %u exist",
				(unsigned long long)sum, zone->buddy.nr_frames);
	if (w->holes != (u64)zone->nr_holes << zone->chunk_order)
		myalloc_finding(v, "V2: %llu frames are in holes, counted %u holes",
				(unsigned long long)w->holes, zone->nr_holes);
	if (w->bad != (u64)atomic64_read(&zone->nr_bad))
		myalloc_finding(v, "P1: %llu frames are bad, counted %lld",
				(unsigned long long)w->bad,
				(long long)atomic64_read(&zone->nr_bad));
	/* Not while a block is about to enter or leave quarantine. */
	if (!w->freeing && quarantined == atomic64_read(&zone->nr_quarantined) &&
	    w->quarantined != (u64)quarantined)
		myalloc_finding(v, "Q1: %llu frames are in quarantine, counted %lld",
				(unsigned long long)w->quarantined, (long long)quarantined);
	/* Not while a free is about to be deferred. */
	if (w->deferring || deferred != atomic64_read(&zone->deferred.nr))
		return;
	if (w->slab != (u64)slab)
		myalloc_finding(v, "Z3: %llu frames are in slabs, counted %lld",
				(unsigned long long)w->slab, (long long)slab);
	if (w->deferred != (u64)deferred)
		myalloc_finding(v, "Z5: %llu frames are deferred, counted %lld",
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
			myalloc_finding(v,
					"Z4: %llu blocks of order %u are tagged cached, the magazines hold %llu",
					(unsigned long long)w->cached_blocks[k], k,
					(unsigned long long)count[i]);
	}
}

/* T1, T2 of all trees of the zone. */
static void check_trees(struct myalloc_zone *zone, struct myalloc_validation *v)
{
	unsigned int k;

	for (k = 0; k <= zone->buddy.top_order; k++)
		myalloc_validate_tree(zone, myalloc_buddy_tree(&zone->buddy, k), k, v);
	if (zone->elastic)
		myalloc_validate_tree(zone, &zone->elastic->holes, zone->chunk_order, v);
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

/* --- fronts, contracts, all of it ------------------------------------------------ */

static bool validate_front(struct myalloc_front *front, void *v)
{
	if (front->kind->validate)
		front->kind->validate(front, v);
	return true;
}

static void validate_fronts(struct myalloc_zone *zone, struct myalloc_validation *v)
{
	myalloc_front_walk(zone, NULL, validate_front, v);
}

static bool validate_cache(struct myalloc_cache *cache, void *v)
{
	myalloc_cache_validate(cache, v);
	return true;
}

static void validate_child(struct myalloc_zone *zone, struct myalloc_validation *v)
{
	struct myalloc_validation child;

	myalloc_env_point("validate-child");
	myalloc_zone_validate(zone, &child);
	if (child.errors && !v->errors)
		strscpy(v->first, child.first, sizeof(v->first));
	v->errors += child.errors;
	v->frames += child.frames;
	v->slabs += child.slabs;
	v->objects += child.objects;
}

/* The zones of contracts, which have no children themselves. Nobody waits but who ends one. */
static void validate_children(struct myalloc_zone *zone, struct myalloc_validation *v)
{
	struct myalloc_children *children;
	struct myalloc_zone *child;
	u32 id;

	/* Pairs with children_of() of client/contract.c. */
	children = smp_load_acquire(&zone->children);
	if (!children)
		return;
	for (id = 0; id < MYALLOC_CHILDREN_MAX; id++) {
		if (!READ_ONCE(children->zone[id]))
			continue;
		mutex_lock(&children->visit);
		/* Pairs with set_child() of client/contract.c. */
		child = smp_load_acquire(&children->zone[id]);
		if (!IS_ERR_OR_NULL(child))
			validate_child(child, v);
		mutex_unlock(&children->visit);
		cond_resched();
	}
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
