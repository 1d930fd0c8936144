// SPDX-License-Identifier: GPL-2.0
/*
 * Extents: any number of adjacent pages, and particular pages
 *
 * An extent is allocated from the buddy under the zone's lock and is never in a magazine. It lies
 * in one chunk and is freed as a whole.
 *
 *	frame	 8           12      14
 *	        [ block of 4 ][ of 2 ][1]	an extent of 7 pages
 *	tag	 EXTENT, 2, 6  PIECE,1 PIECE,0	type, order, pages less 1 and owner
 *
 * The buddy cuts the extent into blocks as by myalloc_buddy_piece(). The first block has type
 * EXTENT and records the number of pages of the extent and the number of its owner, if it has one
 * (a heap); the others have type PIECE (E1). So one comparison of the first tag tells whether an
 * extent of that length and owner begins there, and neither the extent nor one of its pieces is
 * ever mistaken for a block that was allocated by itself.
 *
 * Invariant
 *	E1  An extent of n pages is the blocks that myalloc_buddy_piece() cuts n frames into,
 *	    all in one chunk: the first is tagged EXTENT and records n and the owner, which is 0, a
 *	    number in zone->owners, or that of a kind of fronts; the others are tagged PIECE. No
 *	    other block is tagged PIECE.
 *	    (While an extent is being freed its first block is DEFERRING, and the others are given
 *	    back from the last one on. In the zone of a contract the first block may then be
 *	    DEFERRED or RECOVERING, while all others are still tagged PIECE.)
 *
 * Free: one compare-and-exchange of the first tag, from EXTENT to DEFERRING, claims the extent.
 * Of two concurrent frees one wins; the other finds the tag changed. The winner compares the tags
 * of the pieces, poisons the pages, and gives the pieces back together under the lock. In NMI
 * without the lock it gives them back one by one, from the last to the first, so that the pieces
 * still tagged PIECE always follow a block that is DEFERRING. In the zone of a contract the extent
 * is deferred as a whole, and all its pieces are given back under one hold of the lock: the proof
 * of plan.c holds only if no extent is ever partly free (limit.c). If a tag or the buddy does not
 * agree with the recorded length, the metadata is damaged: the damage is reported and the claim
 * is undone.
 *
 * Completeness: a request fails only if no chunk has a sufficient range of free pages, with the
 * requested alignment, at the moment when the search reaches it. Within a contract's bounds the
 * fast way never fails, so the search does not change where extents are placed.
 *
 * Bounds: an extent has at most 2 * chunk_order pieces. At most one chunk is searched under one
 * hold of the lock (buddy.c: 2^chunk_order / 64 words). A request that fails has searched all
 * chunks that have a block of about half its size, or none if the zone has no such block.
 */
#include "env.h"
#include "page/account.h"
#include "page/block.h"
#include "page/drain.h"
#include "page/extent.h"
#include "page/flags.h"
#include "page/lend.h"
#include "page/limit.h"
#include "page/pages.h"
#include "page/shadow.h"
#include "page/zone_report.h"

/*
 * Can @nr pages from @idx on be an extent: is there at least one, and none beyond the end of the
 * chunk?
 */
static bool in_chunk(const struct myalloc_zone *zone, u32 idx, u32 nr)
{
	return nr && nr <= BIT(zone->chunk_order) - (idx & (BIT(zone->chunk_order) - 1));
}

/* The tag of the first frame of an extent of @nr pages at @idx, of this owner. */
static u32 extent_tag(const struct myalloc_zone *zone, u32 idx, u32 nr, u32 owner)
{
	return myalloc_frame_tag(MYALLOC_FRAME_EXTENT, myalloc_buddy_piece(&zone->buddy, idx, nr),
				 myalloc_extent_mark(nr, owner));
}

/* Returns the tag of the first frame of a later piece. */
static u32 piece_tag(unsigned int order)
{
	return myalloc_frame_tag(MYALLOC_FRAME_PIECE, order, 0);
}

/* The tag of the first frame of an extent that is claimed. */
static u32 claimed_tag(const struct myalloc_zone *zone, u32 idx, u32 nr)
{
	return myalloc_frame_tag(MYALLOC_FRAME_DEFERRING,
				 myalloc_buddy_piece(&zone->buddy, idx, nr), 0);
}

/* Lock held. Tags the pieces of an extent that was taken, the first one with @tag. */
static void tag_pieces(struct myalloc_zone *zone, u32 idx, u32 nr, u32 tag, unsigned long caller)
{
	while (nr) {
		unsigned int order = myalloc_buddy_piece(&zone->buddy, idx, nr);
		struct myalloc_frame *frame = &zone->frames[idx];

		frame->caller = caller;
		WRITE_ONCE(frame->tag, tag ?: piece_tag(order));
		tag = 0;
		zone->allocs[order]++;
		idx += BIT(order);
		nr -= BIT(order);
	}
}

/* Lock held. Tags the pieces of an extent that was taken for a user. */
static void tag_taken(struct myalloc_zone *zone, u32 idx, u32 nr, u32 owner, unsigned long caller)
{
	tag_pieces(zone, idx, nr, extent_tag(zone, idx, nr, owner), caller);
}

/* Lock held. Clears the tags of the pieces of an extent that was given back to the buddy. */
static void tag_given(struct myalloc_zone *zone, u32 idx, u32 nr)
{
	while (nr) {
		unsigned int order = myalloc_buddy_piece(&zone->buddy, idx, nr);

		WRITE_ONCE(zone->frames[idx].tag, 0);
		zone->frees[order]++;
		idx += BIT(order);
		nr -= BIT(order);
	}
}

/* A request for an extent. */
struct request {
	u32 nr_pages;
	unsigned int align_order;
	bool topdown;
	u32 owner;
	u32 stamp;
	unsigned long caller;
};

/* Lock held. The next step of a search: @step 0 is the fast way, the others search a chunk each. */
static u32 search_step(struct myalloc_zone *zone, const struct request *r, u32 step)
{
	if (!step)
		return myalloc_buddy_alloc_exact(&zone->buddy, r->nr_pages, r->align_order,
						 r->topdown);
	return myalloc_buddy_alloc_exact_in(&zone->buddy,
					    r->topdown ? zone->nr_chunks - step : step - 1,
					    r->nr_pages, r->align_order, r->topdown);
}

/*
 * One step of a search, and all that follows from it, under the lock. Returns the first frame of
 * the extent, or MYALLOC_NO_FRAME, and in @more whether another step may find one.
 */
static u32 take_step(struct myalloc_zone *zone, const struct request *r, u32 step, bool *more)
{
	unsigned long irq;
	u32 idx;

	*more = false;
	if (!myalloc_lock(&zone->lock, &irq)) {
		atomic64_inc(&zone->nmi_fails);
		return MYALLOC_NO_FRAME;
	}
	if (!step)
		__myalloc_zone_reap(zone, 1);
	idx = search_step(zone, r, step);
	if (idx != MYALLOC_NO_FRAME) {
		tag_taken(zone, idx, r->nr_pages, r->owner, r->caller);
		zone->frames[idx].stack = r->stamp;
		__myalloc_zone_account(zone);
	} else {
		*more = step < zone->nr_chunks &&
			myalloc_buddy_may_hold(&zone->buddy, r->nr_pages, r->align_order);
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return idx;
}

/* Tries the fast way, then searches one chunk after the other. The lock is dropped in between. */
static u32 take_exact(struct myalloc_zone *zone, const struct request *r, myalloc_flags_t flags)
{
	bool more;
	u32 idx, step = 0;

	idx = take_step(zone, r, step, &more);
	while (more) {
		myalloc_env_point("extent-search");
		if (flags & MYALLOC_MAY_WAIT)
			cond_resched();
		idx = take_step(zone, r, ++step, &more);
	}
	return idx;
}

/* Lock held. A myalloc_limit_take_fn: the fast way alone. */
static u32 take_limited(struct myalloc_zone *zone, const void *arg)
{
	const struct request *r = arg;
	u32 idx = search_step(zone, r, 0);

	if (idx != MYALLOC_NO_FRAME) {
		tag_taken(zone, idx, r->nr_pages, r->owner, r->caller);
		zone->frames[idx].stack = r->stamp;
	}
	return idx;
}

/* An extent of the zone of a contract. */
static void *alloc_limited(struct myalloc_zone *zone, const struct request *r,
			   myalloc_flags_t flags)
{
	const struct myalloc_limit_request limited = {
		.nr_pages = r->nr_pages,
		.align_order = r->align_order,
		.caller = r->caller,
		.tag = myalloc_frame_tag(MYALLOC_FRAME_EXTENT, fls(r->nr_pages - 1),
					 myalloc_extent_mark(r->nr_pages, r->owner)),
		.stamp = r->stamp,
		.take = take_limited,
		.arg = r,
	};
	void *addr = myalloc_limit_alloc(zone, &limited, flags);

	myalloc_shadow_extent_alloc(zone, addr, r->nr_pages);
	if (addr && (flags & MYALLOC_ZERO || zone->checks))
		myalloc_pages_post_alloc(zone, addr, (size_t)r->nr_pages << PAGE_SHIFT, flags);
	return addr;
}

/* Takes an extent, also from cached memory. Returns its first frame or MYALLOC_NO_FRAME. */
static u32 take(struct myalloc_zone *zone, const struct request *r, myalloc_flags_t flags)
{
	unsigned int order = fls(r->nr_pages - 1);
	u32 idx = take_exact(zone, r, flags);

	if (idx == MYALLOC_NO_FRAME && myalloc_zone_reclaim(zone))
		idx = take_exact(zone, r, flags);
	if (idx == MYALLOC_NO_FRAME && flags & MYALLOC_MAY_WAIT) {
		/* A block of the alignment is aligned like that. */
		myalloc_zone_make_room(zone, max(order, r->align_order));
		idx = take_exact(zone, r, flags);
	}
	if (idx == MYALLOC_NO_FRAME && r->nr_pages && r->nr_pages <= BIT(zone->chunk_order))
		myalloc_zone_count_fail(zone, order);
	return idx;
}

/**
 * myalloc_extent_take() - allocate an extent for another layer
 * @zone: the zone
 * @nr_pages: as for myalloc_pages_alloc_exact()
 * @align_order: the same
 * @flags: the same, already checked
 * @owner: number of the owner, or 0
 * @caller: address of the code that asked
 *
 * Unlike myalloc_extent_alloc() it records no event.
 *
 * Context: as for myalloc_pages_alloc_exact().
 * Return: the same.
 */
void *myalloc_extent_take(struct myalloc_zone *zone, u32 nr_pages, unsigned int align_order,
			  myalloc_flags_t flags, u32 owner, unsigned long caller)
{
	struct myalloc_client *client = myalloc_client_of(zone, owner);
	const struct request request = {
		.nr_pages = nr_pages,
		.align_order = align_order,
		.topdown = flags & MYALLOC_TOPDOWN,
		.owner = owner,
		.stamp = client ? div_u64(myalloc_env_now_ns(), MYALLOC_STAMP_NS) : 0,
		.caller = caller,
	};
	void *addr;
	u32 idx;

	if (!myalloc_account_charge(client, nr_pages))
		return NULL;
	if (unlikely(zone->limit)) {
		addr = alloc_limited(zone, &request, flags);
		if (!addr)
			myalloc_account_return(client, nr_pages);
		return addr;
	}
	idx = take(zone, &request, flags);
	if (idx == MYALLOC_NO_FRAME) {
		myalloc_account_return(client, nr_pages);
		return NULL;
	}
	addr = myalloc_frame_addr(zone, idx);
	myalloc_shadow_extent_alloc(zone, addr, nr_pages);
	if (flags & MYALLOC_ZERO || zone->checks)
		myalloc_pages_post_alloc(zone, addr, (size_t)nr_pages << PAGE_SHIFT, flags);
	return addr;
}

/**
 * myalloc_extent_alloc() - allocate an extent for an owner
 * @zone: the zone
 * @nr_pages: as for myalloc_pages_alloc_exact()
 * @align_order: the same
 * @flags: the same
 * @owner: number of the owner, or 0
 * @caller: address of the code that asked
 *
 * Context: as for myalloc_pages_alloc_exact().
 * Return: the same.
 */
void *myalloc_extent_alloc(struct myalloc_zone *zone, u32 nr_pages, unsigned int align_order,
			   myalloc_flags_t flags, u32 owner, unsigned long caller)
{
	void *addr;

	if (unlikely(!myalloc_flags_check(zone, &flags, MYALLOC_EXTENT_FLAGS_ALL, caller)))
		return NULL;
	addr = myalloc_extent_take(zone, nr_pages, align_order, flags, owner, caller);
	if (unlikely(!addr)) {
		if (myalloc_env_trace_on(fail))
			myalloc_pages_trace_fail(zone, nr_pages, flags, caller);
		return NULL;
	}
	if (unlikely(myalloc_env_trace_on(page_alloc)))
		myalloc_pages_trace_alloc(zone, addr, nr_pages, flags, caller);
	return addr;
}

/**
 * myalloc_pages_alloc_exact() - allocate a number of pages that need not be a power of two
 * @zone: the zone
 * @nr_pages: number of pages, 1 to 2^chunk_order
 * @align_order: log2 of the alignment in pages, counted from the beginning of the chunk; at most
 *	chunk_order
 * @flags: as for myalloc_pages_alloc(), but MYALLOC_LENDABLE is refused: an extent cannot be lent
 *
 * Takes the smallest sufficient block and gives back the unneeded rest at once. If no block is
 * sufficient, takes the lowest (with MYALLOC_TOPDOWN, the highest) sufficient range of free pages
 * in one chunk, whatever blocks it consists of. The extent must be freed as a whole, by
 * myalloc_pages_free_exact() with the same number or by myalloc_free().
 *
 * Context: as for myalloc_pages_alloc(). The second way takes time in proportion to the number of
 * chunks; the lock is held for one chunk at a time (Bounds).
 * Return: address of the first page; NULL if no chunk has that many adjacent free pages with that
 * alignment, or if @flags has an unknown flag, which is reported.
 */
void *myalloc_pages_alloc_exact(struct myalloc_zone *zone,
				unsigned int nr_pages, unsigned int align_order,
				myalloc_flags_t flags)
{
	myalloc_flags_might_wait(flags);
	return myalloc_extent_alloc(zone, nr_pages, align_order, flags, 0, _RET_IP_);
}

/* The first frame of an extent of @nr pages at @addr; MYALLOC_NO_FRAME if there can be none. */
static u32 extent_idx(const struct myalloc_zone *zone, const void *addr, u32 nr)
{
	const struct myalloc_frame *frame = myalloc_map_frame(&zone->map, addr);
	u32 idx;

	if (unlikely(!frame || offset_in_page((unsigned long)addr - zone->map.base)))
		return MYALLOC_NO_FRAME;
	idx = myalloc_frame_idx(zone, frame);
	return likely(in_chunk(zone, idx, nr)) ? idx : MYALLOC_NO_FRAME;
}

/*
 * Looks the address up under the lock: until then an elastic zone may give the chunk back and have
 * memory at another address in its place.
 */
static int take_range(struct myalloc_zone *zone, const void *addr, u32 nr, unsigned long caller)
{
	unsigned long irq;
	int err = -EINVAL;
	u32 idx;

	myalloc_env_point("extent-range");
	raw_spin_lock_irqsave(&zone->lock, irq);
	idx = extent_idx(zone, addr, nr);
	if (likely(idx != MYALLOC_NO_FRAME))
		err = myalloc_buddy_alloc_range(&zone->buddy, idx, nr);
	if (!err) {
		tag_taken(zone, idx, nr, 0, caller);
		__myalloc_zone_account(zone);
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return err;
}

/**
 * myalloc_pages_alloc_range() - allocate particular pages
 * @zone: the zone
 * @addr: address of the first page
 * @nr_pages: number of pages; all must be in one chunk
 * @flags: MYALLOC_ZERO, MYALLOC_MAY_WAIT; MYALLOC_TOPDOWN has no effect
 *
 * The extent must be freed as a whole, by myalloc_pages_free_exact() with the same number or by
 * myalloc_free().
 *
 * Context: task; with MYALLOC_MAY_WAIT it may sleep. Takes time in proportion to @nr_pages.
 * Return: 0; -EINVAL if this is not a range of pages in one chunk, or if @flags has an unknown
 * flag, which is reported; -EBUSY if one of the pages is not free (without MYALLOC_MAY_WAIT, that
 * includes pages in magazines).
 */
int myalloc_pages_alloc_range(struct myalloc_zone *zone, void *addr,
			      unsigned int nr_pages, myalloc_flags_t flags)
{
	int err;

	myalloc_flags_might_wait(flags);
	if (unlikely(!myalloc_flags_check(zone, &flags, MYALLOC_EXTENT_FLAGS_ALL, _RET_IP_)))
		return -EINVAL;
	if (zone->limit)
		return myalloc_limit_refuse(zone, nr_pages, "particular pages", _RET_IP_);
	if (extent_idx(zone, addr, nr_pages) == MYALLOC_NO_FRAME)
		return -EINVAL;
	if (flags & MYALLOC_MAY_WAIT)
		myalloc_zone_drain_request(zone);
	err = take_range(zone, addr, nr_pages, _RET_IP_);
	if (err)
		return err;
	myalloc_shadow_extent_alloc(zone, addr, nr_pages);
	if (flags & MYALLOC_ZERO || zone->checks)
		myalloc_pages_post_alloc(zone, addr, (size_t)nr_pages << PAGE_SHIFT, flags);
	if (myalloc_env_trace_on(page_alloc))
		myalloc_pages_trace_alloc(zone, addr, nr_pages, flags, _RET_IP_);
	return 0;
}

static bool claim_at(struct myalloc_zone *zone, u32 idx, u32 nr, u32 owner)
{
	u32 tag = extent_tag(zone, idx, nr, owner), *at = &zone->frames[idx].tag;

	if (unlikely(READ_ONCE(*at) != tag))
		return false;
	myalloc_env_point("extent-checked");
	return cmpxchg(at, tag, claimed_tag(zone, idx, nr)) == tag;
}

/*
 * Claims the extent of @nr pages at @addr, of this owner; @reach pages must be in one chunk.
 * Returns its first frame; MYALLOC_NO_FRAME if there is none.
 */
static u32 claim(struct myalloc_zone *zone, const void *addr, u32 nr, u32 reach, u32 owner)
{
	u32 idx;

	preempt_disable();	/* so that no other chunk takes the place of this one: V3 */
	idx = extent_idx(zone, addr, reach);
	if (likely(idx != MYALLOC_NO_FRAME) && unlikely(!claim_at(zone, idx, nr, owner)))
		idx = MYALLOC_NO_FRAME;
	preempt_enable();
	return idx;
}

/* Are all pieces but the first tagged as pieces of an extent of @nr pages? */
static bool good_pieces(const struct myalloc_zone *zone, u32 idx, u32 nr)
{
	unsigned int order = myalloc_buddy_piece(&zone->buddy, idx, nr);

	for (;;) {
		idx += BIT(order);
		nr -= BIT(order);
		if (!nr)
			return true;
		order = myalloc_buddy_piece(&zone->buddy, idx, nr);
		if (READ_ONCE(zone->frames[idx].tag) != piece_tag(order))
			return false;
	}
}

/*
 * Gives the pieces of a claimed extent back one by one, each now or deferred, the first one last
 * (E1). With @look, those that have referenced pages go to quarantine. Cutting from the end instead
 * of the beginning yields the same pieces, the fewest aligned blocks.
 */
static void give_pieces(struct myalloc_zone *zone, u32 idx, u32 nr, bool look,
			unsigned long caller)
{
	while (nr) {
		u32 pages = BIT(min_t(unsigned int, fls(nr) - 1, __ffs(idx + nr)));
		struct myalloc_frame *frame = &zone->frames[idx + nr - pages];

		nr -= pages;
		myalloc_env_point("extent-piece");
		if (unlikely(look)) {
			WRITE_ONCE(frame->type, MYALLOC_FRAME_FREEING);
			if (myalloc_lend_hold(zone, frame, false))
				continue;
			myalloc_pages_pre_free(zone, myalloc_frame_addr(zone, idx + nr),
					       (size_t)pages << PAGE_SHIFT, caller);
		}
		myalloc_zone_give(zone, frame);
	}
}

/* Undoes the claim of an extent whose metadata is damaged; it stays allocated. */
static noinline int damaged(struct myalloc_zone *zone, u32 idx, u32 nr, u32 owner,
			    const char *how)
{
	WRITE_ONCE(zone->frames[idx].tag, extent_tag(zone, idx, nr, owner));
	myalloc_zone_crit(zone, "extent of %u page%s at frame %u cannot be freed: %s", nr,
			  myalloc_s(nr), idx, how);
	return -EINVAL;
}

/* Frees an extent whose first frame is claimed. */
static int free_claimed(struct myalloc_zone *zone, u32 idx, u32 nr, u32 owner,
			unsigned long caller)
{
	enum myalloc_bad bad;
	unsigned long irq;

	if (unlikely(!good_pieces(zone, idx, nr)))
		return damaged(zone, idx, nr, owner, "a later piece has a wrong tag");
	if (unlikely(zone->checks)) {
		if (unlikely(myalloc_lend_referenced(zone, idx, nr))) {
			give_pieces(zone, idx, nr, true, caller);
			return 0;
		}
		myalloc_pages_pre_free(zone, myalloc_frame_addr(zone, idx),
				       (size_t)nr << PAGE_SHIFT, caller);
	}
	if (unlikely(!myalloc_lock(&zone->lock, &irq))) {
		if (zone->limit)
			myalloc_zone_defer_extent(zone, &zone->frames[idx], nr);
		else
			give_pieces(zone, idx, nr, false, caller);
		return 0;
	}
	bad = myalloc_buddy_free_exact(&zone->buddy, idx, nr);
	if (likely(!bad)) {
		tag_given(zone, idx, nr);
		myalloc_limit_given(zone->limit, nr, 0);
		myalloc_shadow_extent_free(zone, myalloc_frame_addr(zone, idx), nr);
		__myalloc_zone_given(zone, idx, nr);
		zone->generation++;
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return likely(!bad) ? 0 : damaged(zone, idx, nr, owner, myalloc_bad_name(bad));
}

/**
 * myalloc_extent_give() - free an extent of another layer
 * @zone: the zone
 * @addr: its address, any value
 * @nr_pages: pages that it has, any value
 * @owner: number of its owner, or 0
 * @caller: code address of the user that frees it
 *
 * Of two frees at the same time exactly one succeeds. Unlike myalloc_extent_free() it records no
 * event.
 *
 * Context: any.
 * Return: as for myalloc_pages_free_exact().
 */
int myalloc_extent_give(struct myalloc_zone *zone, void *addr, u32 nr_pages, u32 owner,
			unsigned long caller)
{
	u32 idx = claim(zone, addr, nr_pages, nr_pages, owner);
	char what[24];
	int err;

	if (likely(idx != MYALLOC_NO_FRAME)) {
		err = free_claimed(zone, idx, nr_pages, owner, caller);
		if (likely(!err))
			myalloc_account_return(myalloc_client_of(zone, owner), nr_pages);
		return err;
	}
	if (zone->limit && myalloc_limit_free_beyond(zone, addr, nr_pages, caller)) {
		myalloc_account_return(myalloc_client_of(zone, owner), nr_pages);
		return 0;
	}
	scnprintf(what, sizeof(what), "%u page%s", nr_pages, myalloc_s(nr_pages));
	return myalloc_pages_bad_free(zone, addr, MYALLOC_FRAME_EXTENT, owner, what, caller);
}

/**
 * myalloc_extent_free() - free an extent of an owner
 * @zone: the zone
 * @addr: its address, any value
 * @nr_pages: pages that it has, any value
 * @owner: number of its owner, or 0
 * @caller: code address of the user that frees it
 *
 * Of two frees at the same time exactly one succeeds.
 *
 * Context: any.
 * Return: as for myalloc_pages_free_exact().
 */
int myalloc_extent_free(struct myalloc_zone *zone, void *addr, u32 nr_pages, u32 owner,
			unsigned long caller)
{
	if (unlikely(myalloc_env_trace_on(page_free)))
		myalloc_pages_trace_free(zone, addr, nr_pages, caller);
	return myalloc_extent_give(zone, addr, nr_pages, owner, caller);
}

/**
 * myalloc_pages_free_exact() - free an exact or range allocation
 * @zone: the zone
 * @addr: its address, any value
 * @nr_pages: the number of pages it was allocated with, any value
 *
 * Of two concurrent frees exactly one succeeds.
 *
 * Context: any.
 * Return: 0; -EINVAL if no exact or range allocation of that many pages begins there, or if its
 * metadata is damaged. Both are reported and counted, and the memory stays allocated.
 */
int myalloc_pages_free_exact(struct myalloc_zone *zone, void *addr,
			     unsigned int nr_pages)
{
	return myalloc_extent_free(zone, addr, nr_pages, 0, _RET_IP_);
}

/* Lock held. Cuts a claimed extent anew; false if the pages behind it are not free. */
static bool recut(struct myalloc_zone *zone, u32 idx, u32 nr, u32 to)
{
	if (!myalloc_buddy_alloc_range(&zone->buddy, idx, to))
		return true;
	myalloc_buddy_alloc_range(&zone->buddy, idx, nr);
	return false;
}

/*
 * Lock held. @nr pages from @idx on, at the end of an extent, are free from now on. With checks
 * they become an extent of their own that is claimed: the caller frees it without the lock, because
 * poisoning takes time in proportion to them.
 */
static void give_up(struct myalloc_zone *zone, u32 idx, u32 nr, unsigned long caller)
{
	if (unlikely(zone->checks)) {
		myalloc_buddy_alloc_range(&zone->buddy, idx, nr);
		zone->frames[idx].stack = 0;
		tag_pieces(zone, idx, nr, claimed_tag(zone, idx, nr), caller);
		return;
	}
	myalloc_shadow_extent_free(zone, myalloc_frame_addr(zone, idx), nr);
	__myalloc_zone_given(zone, idx, nr);
}

/* Pages that an extent has more than before. */
static void add(struct myalloc_zone *zone, void *addr, u32 nr, myalloc_flags_t flags)
{
	myalloc_shadow_extent_alloc(zone, addr, nr);
	if (flags & MYALLOC_ZERO || zone->checks)
		myalloc_pages_post_alloc(zone, addr, (size_t)nr << PAGE_SHIFT, flags);
}

/* What remains of a resize once the pages are counted. */
static bool resize(struct myalloc_zone *zone, void *addr, u32 nr, u32 to, myalloc_flags_t flags,
		   u32 owner, unsigned long caller)
{
	enum myalloc_bad bad;
	unsigned long irq;
	bool done = false;
	u32 idx;

	if (zone->limit)
		return false;
	idx = claim(zone, addr, nr, max(nr, to), owner);
	if (idx == MYALLOC_NO_FRAME)
		return false;
	if (unlikely(!good_pieces(zone, idx, nr))) {
		damaged(zone, idx, nr, owner, "a later piece is not tagged as its own");
		return false;
	}
	/* A free of the whole extent reports lent pages. */
	if (unlikely((zone->checks && to < nr &&
		      myalloc_lend_referenced(zone, idx + to, nr - to)) ||
		     !myalloc_lock(&zone->lock, &irq))) {
		WRITE_ONCE(zone->frames[idx].tag, extent_tag(zone, idx, nr, owner));
		return false;
	}
	bad = myalloc_buddy_free_exact(&zone->buddy, idx, nr);
	if (likely(!bad)) {
		tag_given(zone, idx, nr);
		done = recut(zone, idx, nr, to);
		tag_taken(zone, idx, done ? to : nr, owner,
			  done ? caller : zone->frames[idx].caller);
		if (done && to < nr)
			give_up(zone, idx + to, nr - to, caller);
		__myalloc_zone_account(zone);
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	if (unlikely(bad))
		damaged(zone, idx, nr, owner, myalloc_bad_name(bad));
	/* The owner has given it up. */
	if (done && to < nr && unlikely(zone->checks))
		free_claimed(zone, idx + to, nr - to, 0, caller);
	if (done && to > nr)
		add(zone, addr + ((size_t)nr << PAGE_SHIFT), to - nr, flags);
	return done;
}

/**
 * myalloc_extent_resize() - make an extent longer or shorter where it lies
 * @zone: the zone
 * @addr: its address
 * @nr: pages that it has
 * @to: pages that it is to have, at least 1
 * @flags: MYALLOC_ZERO: added pages read as zero
 * @owner: number of its owner, or 0
 * @caller: address of the code that asked, which holds it from then on
 *
 * Pages that are given up are free at once; in a zone with checks they are freed as an extent of
 * their own would be. Pages are added if all of them are free in the buddy and in the same chunk.
 * The extent is claimed as for its free, so that a free at the same time is refused as a double
 * free. Under one hold of the lock it is given back and taken again: nobody else can take it in
 * between, and its memory is not touched.
 *
 * Context: any; in NMI it fails if the lock is held.
 * Return: true; false if it is as before: there are no free pages behind it, there is no such
 * extent, its client's quota does not allow the pages, the zone belongs to a contract, a page that
 * it is to give up is lent (found in zones with checks only), or its metadata is damaged, which is
 * reported.
 */
bool myalloc_extent_resize(struct myalloc_zone *zone, void *addr, u32 nr, u32 to,
			   myalloc_flags_t flags, u32 owner, unsigned long caller)
{
	struct myalloc_client *client = myalloc_client_of(zone, owner);
	u32 more = to > nr ? to - nr : 0;
	bool done;

	if (!myalloc_account_charge(client, more))
		return false;
	done = resize(zone, addr, nr, to, flags, owner, caller);
	if (!done)
		myalloc_account_return(client, more);
	else if (to < nr)
		myalloc_account_return(client, nr - to);
	if (done && myalloc_env_trace_on(page_free))
		myalloc_pages_trace_free(zone, addr, nr, caller);
	if (done && myalloc_env_trace_on(page_alloc))
		myalloc_pages_trace_alloc(zone, addr, to, flags, caller);
	return done;
}

/**
 * myalloc_owner_add() - a number for an owner of extents
 * @zone: the zone
 *
 * Context: any but NMI.
 * Return: 1 to MYALLOC_OWNERS_KINDS - 1; 0 if all are in use.
 */
u32 myalloc_owner_add(struct myalloc_zone *zone)
{
	unsigned long irq;
	u32 owner = 0;
	u64 free;

	raw_spin_lock_irqsave(&zone->lock, irq);
	/* 0 is nobody's number */
	free = ~(zone->owners | 1) & (BIT_ULL(MYALLOC_OWNERS_KINDS) - 1);
	if (free) {
		owner = __ffs64(free);
		WRITE_ONCE(zone->owners, zone->owners | BIT_ULL(owner));
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return owner;
}

/**
 * myalloc_owner_counts_for() - the client of an owner of extents
 * @zone: the zone
 * @owner: number of the owner, who has no extent yet
 * @client: the client for which its extents count, or NULL
 *
 * Context: any.
 */
void myalloc_owner_counts_for(struct myalloc_zone *zone, u32 owner, struct myalloc_client *client)
{
	if (zone->clients)
		WRITE_ONCE(zone->clients->of[owner], client);
}

/**
 * myalloc_owner_remove() - give the number of an owner back
 * @zone: the zone
 * @owner: the number; no extent has it any more
 *
 * Context: any but NMI.
 */
void myalloc_owner_remove(struct myalloc_zone *zone, u32 owner)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->lock, irq);
	WRITE_ONCE(zone->owners, zone->owners & ~BIT_ULL(owner));
	if (zone->clients)
		WRITE_ONCE(zone->clients->of[owner], NULL);
	raw_spin_unlock_irqrestore(&zone->lock, irq);
}
