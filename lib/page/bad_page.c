// SPDX-License-Identifier: GPL-2.0
/*
 * Bad pages: memory that the machine has reported as faulty
 *
 * The kernel marks such a page (PageHWPoison) but does not notify its owner. So
 * myalloc_bad_poll() scans the frames, a limited number at a time, continuing where it stopped
 * before. Drains call it, and the zone's worker calls it from time to time. A bad page that is
 *
 *	free		is taken out at once: it becomes an allocated block of order 0 tagged BAD,
 *			and the rest of the block that contained it stays free
 *	in use		gets the tag of a lendable block (lend.c). Its free then takes the slow
 *			path, bypasses the magazines and takes the page out.
 *	elsewhere	(in a magazine, a slab or an extent) is taken out when its block goes back
 *			to the buddy, or by the next scan after that
 *
 * Once the first bad page has been found, every give checks the pages of its block or extent. Until
 * then good memory costs one branch. Between the report and the scan a bad page may be allocated. A
 * bad page is never freed; the owner of the chunks gives it back to the system, which knows that
 * it is bad.
 *
 * Invariant
 *	P1  nr_bad = frames of blocks tagged BAD, all of order 0.
 *
 * Bounds: a poll checks as many pages as its caller asks for, without the lock, and takes the
 * lock once for each bad one. A give in a zone with bad pages checks each page of the block.
 */
#include "env.h"
#include "page/bad_page.h"
#include "page/block.h"
#include "page/lend.h"
#include "page/zone_report.h"

/*
 * Takes a bad frame out if it is free, otherwise marks its block. Returns true if it was taken
 * out.
 */
static bool found(struct myalloc_zone *zone, u32 idx)
{
	struct myalloc_block block = { 0 };
	struct myalloc_frame *first;
	unsigned long irq;
	bool free;
	u32 tag;

	raw_spin_lock_irqsave(&zone->lock, irq);
	WRITE_ONCE(zone->bad_seen, true);
	myalloc_buddy_lookup(&zone->buddy, idx, &block);
	free = block.free;
	if (free) {
		__myalloc_block_take_bad(zone, idx);
	} else {
		first = &zone->frames[block.idx];
		tag = myalloc_user_tag(block.order);
		/* Only if the block is in use and no free has claimed it. */
		try_cmpxchg(&first->tag, &tag, myalloc_lent_tag(block.order));
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return free;
}

/*
 * Has the machine reported this page as bad? A page of a hole belongs to the system; of a chunk
 * that becomes one just now the page still exists.
 */
static bool reported(const struct myalloc_zone *zone, u32 idx)
{
	unsigned long chunk = READ_ONCE(zone->chunks[idx >> zone->chunk_order]);
	u32 in_chunk = idx & (BIT(zone->chunk_order) - 1);

	return chunk && !zone->simulated &&
	       myalloc_env_page_bad((void *)(chunk + ((unsigned long)in_chunk << PAGE_SHIFT)));
}

/**
 * myalloc_bad_poll() - look for pages that the machine has reported as bad
 * @zone: the zone
 * @most: number of frames to check
 *
 * Context: any but NMI.
 * Return: number of pages taken out.
 */
u32 myalloc_bad_poll(struct myalloc_zone *zone, u32 most)
{
	u32 idx = READ_ONCE(zone->bad_cursor), taken = 0;	/* concurrent scans may overlap */

	for (most = min(most, zone->buddy.nr_frames); most; most--) {
		if (unlikely(reported(zone, idx)) &&
		    READ_ONCE(zone->frames[idx].tag) != myalloc_frame_tag(MYALLOC_FRAME_BAD, 0, 0))
			taken += found(zone, idx);
		if (++idx == zone->buddy.nr_frames)
			idx = 0;
	}
	WRITE_ONCE(zone->bad_cursor, idx);
	return taken;
}
