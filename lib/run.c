// SPDX-License-Identifier: GPL-2.0
/*
 * Runs: any number of adjacent pages, and particular pages
 *
 * A run is taken from the buddy under the zone's lock and lies in no magazine. The buddy's
 * pieces of it (myalloc_buddy_piece()) are blocks like any other, each with the tag of a
 * user, so what is freed can be checked, and a free that does not get the lock in NMI defers
 * piece by piece.
 */
#include "env.h"
#include "pcp.h"

/* Lock held. Tags the pieces of a run; PAGE to take it, 0 to give it. */
static void tag_run(struct myalloc_zone *zone, u32 idx, u32 nr, bool take,
		    unsigned long caller)
{
	while (nr) {
		unsigned int order = myalloc_buddy_piece(&zone->buddy, idx, nr);
		struct myalloc_frame *frame = &zone->frames[idx];

		if (take) {
			frame->caller = caller;
			zone->allocs[order]++;
		} else {
			zone->frees[order]++;
		}
		WRITE_ONCE(frame->tag, take ? myalloc_user_tag(order) : 0);
		idx += BIT(order);
		nr -= BIT(order);
	}
}

static u32 take_exact(struct myalloc_zone *zone, unsigned int nr_pages,
		      unsigned int align_order, unsigned int flags, unsigned long caller)
{
	unsigned long irq;
	u32 idx;

	if (!myalloc_lock(&zone->lock, &irq)) {
		atomic64_inc(&zone->nmi_fails);
		return MYALLOC_NO_FRAME;
	}
	__myalloc_zone_reap(zone, 1);
	idx = myalloc_buddy_alloc_exact(&zone->buddy, nr_pages, align_order,
					flags & MYALLOC_TOPDOWN);
	if (idx != MYALLOC_NO_FRAME) {
		tag_run(zone, idx, nr_pages, true, caller);
		__myalloc_zone_account(zone);
	} else if (nr_pages && nr_pages <= BIT(zone->buddy.top_order)) {
		zone->fails[fls(nr_pages - 1)]++;
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return idx;
}

/**
 * myalloc_pages_alloc_exact() - allocate a number of pages that is no power of two
 * @zone: the zone
 * @nr_pages: 1 to 2^chunk_order
 * @align_order: log2 of pages that the address is to be a multiple of, counted from
 *	the beginning of its chunk
 * @flags: as for myalloc_pages_alloc()
 *
 * Takes the smallest sufficient block and gives back at once what is not needed. To be
 * freed by myalloc_pages_free_exact() with the same number.
 *
 * Context: as for myalloc_pages_alloc().
 * Return: address of the first page, NULL if the zone has no such block.
 */
void *myalloc_pages_alloc_exact(struct myalloc_zone *zone,
				unsigned int nr_pages, unsigned int align_order,
				unsigned int flags)
{
	u32 idx = take_exact(zone, nr_pages, align_order, flags, _RET_IP_);
	void *addr;

	if (idx == MYALLOC_NO_FRAME) {
		if (!(flags & MYALLOC_MAY_WAIT))
			return NULL;
		myalloc_zone_drain(zone);
		idx = take_exact(zone, nr_pages, align_order, flags, _RET_IP_);
		if (idx == MYALLOC_NO_FRAME)
			return NULL;
	}
	addr = myalloc_frame_addr(zone, idx);
	if ((flags & MYALLOC_ZERO) | zone->checks)
		myalloc_pages_post_alloc(zone, addr, (size_t)nr_pages << PAGE_SHIFT, flags);
	return addr;
}

/**
 * myalloc_pages_alloc_range() - allocate particular pages
 * @zone: the zone
 * @addr: address of the first page
 * @nr_pages: how many; all in one chunk
 * @flags: MYALLOC_ZERO, MYALLOC_MAY_WAIT
 *
 * To be freed by myalloc_pages_free_exact() with the same number.
 *
 * Context: task; with MYALLOC_MAY_WAIT it may sleep. Takes time in proportion to @nr_pages.
 * Return: 0; -EINVAL if that is not a range of pages of one chunk; -EBUSY if one of
 * them is not free (without MYALLOC_MAY_WAIT that includes pages in magazines).
 */
int myalloc_pages_alloc_range(struct myalloc_zone *zone, void *addr,
			      unsigned int nr_pages, unsigned int flags)
{
	const struct myalloc_frame *frame = myalloc_map_frame(&zone->map, addr);
	unsigned long irq;
	u32 idx;
	int err;

	if (!frame || offset_in_page((unsigned long)addr - zone->map.base))
		return -EINVAL;
	idx = myalloc_frame_idx(zone, frame);
	if (!nr_pages || nr_pages > BIT(zone->chunk_order) -
	    (idx & (BIT(zone->chunk_order) - 1)))
		return -EINVAL;
	if (flags & MYALLOC_MAY_WAIT)
		myalloc_zone_drain(zone);
	raw_spin_lock_irqsave(&zone->lock, irq);
	err = myalloc_buddy_alloc_range(&zone->buddy, idx, nr_pages);
	if (!err) {
		tag_run(zone, idx, nr_pages, true, _RET_IP_);
		__myalloc_zone_account(zone);
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	if (!err && ((flags & MYALLOC_ZERO) | zone->checks))
		myalloc_pages_post_alloc(zone, addr, (size_t)nr_pages << PAGE_SHIFT, flags);
	return err;
}

/* Is every piece of the run tagged as allocated? */
static bool good_run(const struct myalloc_zone *zone, u32 idx, u32 nr)
{
	while (nr) {
		unsigned int order = myalloc_buddy_piece(&zone->buddy, idx, nr);

		if (READ_ONCE(zone->frames[idx].tag) != myalloc_user_tag(order))
			return false;
		idx += BIT(order);
		nr -= BIT(order);
	}
	return true;
}

/* Gives the pieces of a run one by one, each now or later. */
static void give_run(struct myalloc_zone *zone, u32 idx, u32 nr)
{
	while (nr) {
		unsigned int order = myalloc_buddy_piece(&zone->buddy, idx, nr);

		myalloc_zone_give(zone, &zone->frames[idx]);
		idx += BIT(order);
		nr -= BIT(order);
	}
}

/**
 * myalloc_pages_free_exact() - free what an exact or range allocation gave
 * @zone: the zone
 * @addr: its address, any value
 * @nr_pages: the number it was allocated with, any value
 *
 * What is recorded is the pieces (myalloc_buddy_piece()), not the number: a smaller number
 * that ends where a piece ends gives back that much and keeps the rest allocated.
 *
 * Context: any.
 * Return: 0; -EINVAL if that is no such allocation: reported, counted, and nothing has
 * changed.
 */
int myalloc_pages_free_exact(struct myalloc_zone *zone, void *addr,
			     unsigned int nr_pages)
{
	const struct myalloc_frame *frame = myalloc_map_frame(&zone->map, addr);
	unsigned long irq;
	char what[24];
	u32 idx;

	scnprintf(what, sizeof(what), "%u pages", nr_pages);
	if (!frame)
		return myalloc_zone_bad_free(zone, addr, MYALLOC_BAD_FOREIGN, what);
	if (offset_in_page((unsigned long)addr - zone->map.base))
		return myalloc_zone_bad_free(zone, addr, MYALLOC_BAD_MISALIGNED, what);
	idx = myalloc_frame_idx(zone, frame);
	if (!nr_pages || nr_pages > BIT(zone->chunk_order) -
	    (idx & (BIT(zone->chunk_order) - 1)))
		return myalloc_zone_bad_free(zone, addr, MYALLOC_BAD_ORDER, what);

	if (unlikely(!good_run(zone, idx, nr_pages)))
		return myalloc_pages_bad_free(zone, addr, what);
	if (unlikely(zone->checks))
		myalloc_pages_pre_free(zone, addr, (size_t)nr_pages << PAGE_SHIFT);
	if (unlikely(!myalloc_lock(&zone->lock, &irq))) {
		give_run(zone, idx, nr_pages);
		return 0;
	}
	/* Another free of the same pages at the same moment was here first. */
	if (unlikely(!good_run(zone, idx, nr_pages))) {
		raw_spin_unlock_irqrestore(&zone->lock, irq);
		return myalloc_pages_bad_free(zone, addr, what);
	}
	tag_run(zone, idx, nr_pages, false, 0);
	myalloc_buddy_free_exact(&zone->buddy, idx, nr_pages);
	zone->generation++;
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return 0;
}
