// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks: the buddy system under its lock
 *
 * A buddy system (buddy.c) with a lock, statistics and a descriptor for each frame. It allocates
 * single blocks. For page users, pages.c puts magazines in front of it; for object users, slab.c
 * divides its blocks into objects.
 *
 * The first frame of a block carries a tag: the type of the block, its order and its cache. One
 * comparison of the tag tells a right free from a wrong one. A free of pages claims the block by
 * one compare-and-exchange of the tag, and owns the tag from then on (pages.c).
 *
 * Invariants
 *	Z1  A frame has a type other than NONE if and only if an allocated block begins there; the
 *	    order in its tag is the block's order in the buddy (B1).
 *	Z2  free + cached + page + slab + deferred + quarantined + bad + holes == nr_frames, where
 *	    cached, page, slab, deferred, quarantined, bad and holes are the frames of blocks tagged
 *	    CACHED; PAGE, LENT, FREEING, EXTENT or PIECE; SLAB, NEW or LIMBO; DEFERRED; QUARANTINE
 *	    (lend.c, with Q1); BAD (bad_page.c, with P1); and HOLE (zone/elastic.c).
 *	Z3  slab_pages = frames of blocks tagged SLAB or NEW.
 *	Z4  The magazines and depots hold exactly the blocks tagged CACHED.
 *	Z5  deferred.nr = frames of blocks tagged DEFERRING, DEFERRED or RECOVERING (D1), and in the
 *	    zone of a contract of the pieces behind them.
 *	Z6  The tag of a frame that is not in a slab and does not begin a block is zero.
 *	Z7  The caller of a frame that is not in a slab is that of the page user who last got a
 *	    block that begins there, or 0 if no user has since the frame was last in a slab. With
 *	    MYALLOC_OWNER all frames of a block get its caller, and the stack of its free, when a
 *	    page user frees it (myalloc_pages_note_free()).
 *
 * Deferred frees: in NMI context the lock is only tried. A free that does not get it defers the
 * block; the first word of the block is the list node (deferred.c). Blocks behind a damaged link
 * are found again by their tags when the zone is drained. In the zone of a contract an extent is
 * deferred as a whole, by its first block.
 *
 * Bounds: take and give do a bounded number of steps: those of the buddy, and at most REAP_MOST
 * deferred frees. The lock is a raw spinlock with interrupts off. A drain frees deferred blocks
 * in parts, see deferred.c.
 */
#include "env.h"
#include "page/block.h"
#include "page/limit_types.h"
#include "page/shadow.h"
#include "page/zone_report.h"
#include "page/worker.h"

/* Deferred frees that one operation completes */
#define REAP_MOST	2

/* Time until an elastic zone tries to grow again after the system had no chunk, ms */
#define GROW_AGAIN_MS	1000

/**
 * __myalloc_zone_mark() - set the mark below which an elastic zone is told of its free frames
 * @zone: the zone
 *
 * To be called when its number of frames or its peak has changed.
 *
 * Context: any, zone->lock held.
 */
void __myalloc_zone_mark(struct myalloc_zone *zone)
{
	struct myalloc_elastic *e = zone->elastic;
	u32 present = myalloc_zone_present(zone);

	zone->min_free = max(e->low, present > e->peak ? present - e->peak : 0);
}

/* Lock held. The free frames of an elastic zone have fallen below min_free. */
static noinline void below_mark(struct myalloc_zone *zone)
{
	struct myalloc_elastic *e = zone->elastic;

	e->peak = max(e->peak, myalloc_zone_present(zone) - zone->buddy.nr_free);
	__myalloc_zone_mark(zone);
	if (zone->buddy.nr_free < e->low && zone->nr_holes && !READ_ONCE(e->want)) {
		WRITE_ONCE(e->want, true);
		myalloc_zone_post(zone, e->failed ? GROW_AGAIN_MS : 0);
	}
}

/**
 * __myalloc_zone_account() - update the low-water mark of free frames
 * @zone: the zone
 *
 * To be called after taking frames from the buddy.
 *
 * Context: any, zone->lock held.
 */
void __myalloc_zone_account(struct myalloc_zone *zone)
{
	zone->generation++;
	if (zone->buddy.nr_free < zone->min_free) {
		zone->min_free = zone->buddy.nr_free;
		if (unlikely(zone->elastic))
			below_mark(zone);
	}
}

/**
 * __myalloc_zone_take() - take a block and tag its first frame
 * @zone: the zone
 * @order: log2 of pages, at most the zone's top order
 * @topdown: take the highest address
 * @tag: tag of the first frame
 *
 * The caller updates the statistics of allocations and failures.
 *
 * Context: any, zone->lock held.
 * Return: the first frame; NULL if there is no free block.
 */
struct myalloc_frame *__myalloc_zone_take(struct myalloc_zone *zone, unsigned int order,
					  bool topdown, u32 tag)
{
	struct myalloc_frame *frame;
	u32 idx;

	lockdep_assert_held(&zone->lock);
	idx = myalloc_buddy_alloc(&zone->buddy, order, topdown);
	if (unlikely(idx == MYALLOC_NO_FRAME))
		return NULL;
	frame = &zone->frames[idx];
	WRITE_ONCE(frame->tag, tag);
	__myalloc_zone_account(zone);
	return frame;
}

/**
 * __myalloc_block_take_bad() - take a bad page out of service
 * @zone: the zone
 * @idx: index of its frame, which is free
 *
 * The frame becomes an allocated block of order 0 that is never freed.
 *
 * Context: any, zone->lock held.
 */
void __myalloc_block_take_bad(struct myalloc_zone *zone, u32 idx)
{
	myalloc_buddy_alloc_range(&zone->buddy, idx, 1);
	zone->frames[idx].caller = 0;
	WRITE_ONCE(zone->frames[idx].tag, myalloc_frame_tag(MYALLOC_FRAME_BAD, 0, 0));
	atomic64_inc(&zone->nr_bad);
	myalloc_limit_taken(zone->limit, 1);
	__myalloc_zone_account(zone);
	myalloc_zone_err(zone, "frame %u is bad memory: taken out", idx);
}

/**
 * __myalloc_zone_given() - take the bad pages among frames that were given back out of service
 * @zone: the zone
 * @idx: the first frame, free
 * @nr: number of frames, all of them free
 *
 * To be called after giving frames back to the buddy (bad_page.c).
 *
 * Context: any, zone->lock held.
 */
void __myalloc_zone_given(struct myalloc_zone *zone, u32 idx, u32 nr)
{
	u32 end = idx + nr;

	if (likely(!zone->bad_seen))
		return;
	for (; idx < end; idx++)
		if (myalloc_frame_is_bad(zone, idx))
			__myalloc_block_take_bad(zone, idx);
}

/**
 * __myalloc_zone_give() - give a block back to the buddy
 * @zone: the zone
 * @frame: its first frame; the tag holds the order
 *
 * The caller updates the statistics. A failure here means damaged metadata; it is reported.
 *
 * Context: any, zone->lock held.
 * Return: MYALLOC_OK, or the reason for which the buddy has refused the block.
 */
enum myalloc_bad __myalloc_zone_give(struct myalloc_zone *zone, struct myalloc_frame *frame)
{
	unsigned int order = READ_ONCE(frame->order);
	enum myalloc_bad bad;

	lockdep_assert_held(&zone->lock);
	bad = myalloc_buddy_free(&zone->buddy, myalloc_frame_idx(zone, frame), order);
	if (unlikely(bad)) {
		myalloc_zone_crit(zone, "frame %u tagged as block of order %u: %s",
				  myalloc_frame_idx(zone, frame), order,
				  myalloc_bad_name(bad));
		return bad;
	}
	WRITE_ONCE(frame->tag, 0);
	zone->generation++;
	myalloc_shadow_block_free(zone, frame, order);
	__myalloc_zone_given(zone, myalloc_frame_idx(zone, frame), BIT(order));
	return MYALLOC_OK;
}

/* --- deferred blocks; lock held: see deferred.h for the names ------------------- */

static u8 *deferred_find(void *owner, struct llist_node *node)
{
	struct myalloc_zone *zone = owner;
	struct myalloc_frame *frame = myalloc_map_frame(&zone->map, node);

	if (!frame || offset_in_page((unsigned long)node - zone->map.base))
		return NULL;
	return &frame->type;
}

/*
 * Pages of the block at @idx, and of the pieces of an extent behind it: those that wait with it, as
 * a piece follows another block of its extent (E1).
 */
static u32 with_pieces(const struct myalloc_zone *zone, u32 idx)
{
	u32 end = min_t(u32, (idx | (BIT(zone->chunk_order) - 1)) + 1, zone->buddy.nr_frames);
	struct myalloc_frame frame = { .tag = READ_ONCE(zone->frames[idx].tag) };
	u32 at = idx;

	do {
		at += BIT(frame.order);
		frame.tag = at < end ? READ_ONCE(zone->frames[at].tag) : 0;
	} while (frame.type == MYALLOC_FRAME_PIECE && frame.order <= zone->chunk_order);
	return min(at, end) - idx;
}

/* Gives the blocks of @nr frames back, from the last one on. Returns the pages that went back. */
static u32 give_all(struct myalloc_zone *zone, u32 idx, u32 nr)
{
	u32 given = 0;

	while (nr) {
		u32 pages = BIT(min_t(unsigned int, fls(nr) - 1, __ffs(idx + nr)));

		nr -= pages;
		if (__myalloc_zone_give(zone, &zone->frames[idx + nr]))
			continue;
		zone->frees[ilog2(pages)]++;
		given += pages;
	}
	return given;
}

/* Only the block of a slab has a cache number in its tag. */
static u32 deferred_give(void *owner, struct llist_node *node, u8 *state)
{
	struct myalloc_frame *frame = container_of(state, struct myalloc_frame, type);
	struct myalloc_zone *zone = owner;
	u32 pages = BIT(frame->order), given, idx = myalloc_frame_idx(zone, frame);
	bool page = !frame->cache;

	if (zone->checks & MYALLOC_POISON && !zone->simulated)	/* over the list node */
		memset(node, MYALLOC_POISON_FREE, sizeof(*node));
	if (unlikely(zone->limit) && page) {
		pages = with_pieces(zone, idx);
		given = give_all(zone, idx, pages);
		myalloc_limit_given(zone->limit, given, pages);
	} else if (!__myalloc_zone_give(zone, frame) && page) {
		zone->frees[ilog2(pages)]++;
	}
	return pages;
}

static u32 deferred_states(void *owner, u32 place, u8 **state)
{
	struct myalloc_zone *zone = owner;

	*state = &zone->frames[place].type;
	return 1;
}

static struct llist_node *deferred_node(void *owner, u32 place, u32 nr)
{
	return myalloc_frame_addr(owner, place);
}

static void deferred_damaged(void *owner)
{
	myalloc_zone_crit(owner, "a freed block was written to: its link is damaged");
}

static const struct myalloc_deferred_ops deferred_ops = {
	.deferring = MYALLOC_FRAME_DEFERRING,
	.deferred = MYALLOC_FRAME_DEFERRED,
	.recovering = MYALLOC_FRAME_RECOVERING,
	.find = deferred_find,
	.give = deferred_give,
	.states = deferred_states,
	.node = deferred_node,
	.damaged = deferred_damaged,
};

/**
 * __myalloc_zone_reap() - complete some deferred frees
 * @zone: the zone
 * @most: number of blocks to free at most
 *
 * Context: any, zone->lock held.
 */
void __myalloc_zone_reap(struct myalloc_zone *zone, unsigned int most)
{
	myalloc_deferred_reap(&zone->deferred, &deferred_ops, zone, most);
}

/**
 * myalloc_zone_take() - take a block
 * @zone: the zone
 * @order: log2 of pages, any value
 * @flags: MYALLOC_TOPDOWN or 0; other flags are ignored
 * @tag: tag of the first frame: PAGE or LENT with the order, or NEW with order and cache
 *
 * The caller may try a failed request again, so it counts the failure: myalloc_zone_count_fail().
 *
 * Context: any; in NMI it fails if the lock is held.
 * Return: the first frame; NULL if there is no free block.
 */
struct myalloc_frame *myalloc_zone_take(struct myalloc_zone *zone, unsigned int order,
					myalloc_flags_t flags, u32 tag)
{
	const struct myalloc_frame of = { .tag = tag };
	struct myalloc_frame *frame;
	unsigned long irq;

	if (unlikely(order > zone->buddy.top_order))
		return NULL;
	if (!myalloc_lock(&zone->lock, &irq)) {
		atomic64_inc(&zone->nmi_fails);
		return NULL;
	}
	__myalloc_zone_reap(zone, REAP_MOST);
	frame = __myalloc_zone_take(zone, order, flags & MYALLOC_TOPDOWN, tag);
	if (frame && !of.cache)
		zone->allocs[order]++;
	else if (frame)
		atomic64_add(BIT(order), &zone->slab_pages);
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	myalloc_shadow_block_alloc(zone, frame, order);
	return frame;
}

/**
 * myalloc_zone_count_fail() - count a request of a page user that has failed at last
 * @zone: the zone
 * @order: log2 of its pages, any value; above the largest order nothing is counted
 *
 * One that failed in NMI because the lock is held is among @nmi_fails, and is not counted here.
 *
 * Context: any.
 */
void myalloc_zone_count_fail(struct myalloc_zone *zone, unsigned int order)
{
	unsigned long irq;

	if (order > zone->buddy.top_order || !myalloc_lock(&zone->lock, &irq))
		return;
	zone->fails[order]++;
	raw_spin_unlock_irqrestore(&zone->lock, irq);
}

/* Defers the free of a block, or of an extent that begins with it, to the next lock holder. */
static void defer(struct myalloc_zone *zone, struct myalloc_frame *frame, u32 pages, bool page)
{
	void *node = myalloc_frame_addr(zone, myalloc_frame_idx(zone, frame));

	myalloc_limit_waits(zone->limit, pages);
	myalloc_defer_begin(&zone->deferred, &deferred_ops, &frame->type, pages);
	atomic64_inc(&zone->deferred_frees);
	if (!page)			/* pairs with check_totals() of validate.c */
		atomic64_fetch_sub_release(pages, &zone->slab_pages);
	myalloc_env_point("zone-deferring");
	myalloc_defer_end(&zone->deferred, &deferred_ops, &frame->type,
			  zone->simulated ? NULL : node);
	if (zone->limit)
		myalloc_limit_kick(zone->limit);
	myalloc_zone_wake(zone);
}

/**
 * myalloc_zone_give() - give a block back
 * @zone: the zone
 * @frame: its first frame, owned by the caller: tagged FREEING (pages.h), PIECE, SLAB or NEW, or
 *	DEFERRING without a cache
 *
 * Context: any; in NMI, if the lock is held, the free is deferred.
 */
void myalloc_zone_give(struct myalloc_zone *zone, struct myalloc_frame *frame)
{
	unsigned int order = READ_ONCE(frame->order);
	bool page = !READ_ONCE(frame->cache);	/* as in deferred_give() */
	unsigned long irq;

	if (!myalloc_lock(&zone->lock, &irq)) {
		defer(zone, frame, BIT(order), page);
		return;
	}
	__myalloc_zone_reap(zone, myalloc_limit_reap(zone->limit, REAP_MOST));
	if (!page)	/* with the tag, under the lock: Z3 */
		atomic64_sub(BIT(order), &zone->slab_pages);
	if (!__myalloc_zone_give(zone, frame)) {
		if (page)
			zone->frees[order]++;
		myalloc_limit_given(zone->limit, BIT(order), 0);
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
}

/**
 * myalloc_zone_defer_extent() - leave a whole extent of a contract to the next holder of the lock
 * @zone: the zone of the contract
 * @frame: its first frame, claimed (DEFERRING); the other pieces are tagged PIECE
 * @pages: its length
 *
 * All pieces go back under one hold of the lock.
 *
 * Context: NMI.
 */
void myalloc_zone_defer_extent(struct myalloc_zone *zone, struct myalloc_frame *frame, u32 pages)
{
	defer(zone, frame, pages, true);
}

/**
 * myalloc_zone_reap_all() - complete all deferred frees
 * @zone: the zone
 *
 * Context: task, may sleep.
 */
void myalloc_zone_reap_all(struct myalloc_zone *zone)
{
	myalloc_deferred_drain(&zone->deferred, &deferred_ops, zone, &zone->lock,
			       myalloc_limit_reap(zone->limit, MYALLOC_DRAIN_MOST));
}

/* --- work that only some zones and requests need ------------------------------------ */

static void check_poison(struct myalloc_zone *zone, const struct myalloc_frame *frame,
			 const u8 *addr, size_t size)
{
	const u8 *bad = memchr_inv(addr, MYALLOC_POISON_FREE, size);

	if (unlikely(bad))
		myalloc_zone_crit(zone, "free page was written to: frame %u, byte %lu is 0x%02x, not 0x%02x",
				  myalloc_frame_idx(zone, frame), (unsigned long)(bad - addr),
				  *bad, MYALLOC_POISON_FREE);
}

/**
 * myalloc_pages_post_alloc() - the part of an allocation that only some requests and zones need
 * @zone: the zone
 * @addr: address of the allocated pages
 * @size: bytes
 * @flags: MYALLOC_ZERO or not
 *
 * Records the call stack with MYALLOC_OWNER, checks that free memory was not written to with
 * MYALLOC_POISON, and zeroes the memory with MYALLOC_ZERO.
 *
 * Context: any.
 */
noinline void myalloc_pages_post_alloc(struct myalloc_zone *zone, void *addr, size_t size,
				       myalloc_flags_t flags)
{
	struct myalloc_frame *frame = myalloc_map_frame(&zone->map, addr);

	if (unlikely(!frame))	/* beyond a contract: the parent has done it */
		return;
	if (zone->checks & MYALLOC_OWNER)
		frame->stack = myalloc_env_stack_save(frame->caller);
	if (zone->simulated)
		return;
	if (zone->checks & MYALLOC_POISON)
		check_poison(zone, frame, addr, size);
	if (flags & MYALLOC_ZERO)
		memset(addr, 0, size);
}

/**
 * myalloc_pages_note_free() - record who allocated and who frees pages, for reports of wrong frees
 * @zone: the zone; does nothing without MYALLOC_OWNER
 * @first: descriptor of the first page; the caller has claimed all of them
 * @nr: number of pages
 * @caller: code address of the user that frees them; 0 if it is not known
 *
 * Context: any.
 */
void myalloc_pages_note_free(struct myalloc_zone *zone, struct myalloc_frame *first, u32 nr,
			     unsigned long caller)
{
	u32 stack, i;

	if (!(zone->checks & MYALLOC_OWNER))
		return;
	stack = caller ? myalloc_env_stack_save(caller) : 0;
	for (i = 0; i < nr; i++) {
		WRITE_ONCE(first[i].stack, stack);
		WRITE_ONCE(first[i].caller, first->caller);
	}
}

/**
 * myalloc_pages_pre_free() - the part of a free that only zones with checks need
 * @zone: the zone
 * @addr: address of the pages
 * @size: bytes
 * @caller: as for myalloc_pages_note_free()
 *
 * Records who frees with MYALLOC_OWNER, and poisons the pages with MYALLOC_POISON.
 *
 * Context: any.
 */
void myalloc_pages_pre_free(struct myalloc_zone *zone, void *addr, size_t size,
			    unsigned long caller)
{
	myalloc_pages_note_free(zone, myalloc_map_frame(&zone->map, addr), size >> PAGE_SHIFT,
				caller);
	if (zone->checks & MYALLOC_POISON && !zone->simulated)
		memset(addr, MYALLOC_POISON_FREE, size);
}
