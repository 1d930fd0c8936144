// SPDX-License-Identifier: GPL-2.0
/*
 * Bad pages: memory that the machine has reported as broken
 *
 * What it is: the kernel marks such a page (PageHWPoison) and tells nobody who holds it. So
 * myalloc_bad_poll() walks over the frames, some at a time, from where it stopped before; drains
 * call it, and the zone's maker from time to time. What it finds
 *
 *	free		is taken out at once: it becomes an allocated block of order 0 tagged BAD,
 *			and the rest of the block that it lay in stays free
 *	with a user	gets the tag of a block that may be lent (lend.c): its free then takes the
 *			slow path, past the magazines, and takes the page out
 *	elsewhere	(a magazine, a slab, a run) is taken out when its block goes back to the
 *			buddy, or by the next walk after that
 *
 * For that, gives look at the pages of their blocks from the first bad page on, and not before:
 * a machine whose memory is good pays one branch. Between the report and the walk a bad page may
 * be handed out. A bad page is never freed; who owns the chunks gives it back to the system,
 * which knows what it is.
 *
 * Invariant
 *	P1  nr_bad = frames of blocks tagged BAD, all of order 0.
 *
 * Bounds: a poll looks at as many pages as it is told to, without the lock; it takes the lock
 * for each bad one. A give in a zone with bad pages looks at each page of the block.
 */
#include "env.h"
#include "page/bad_page.h"
#include "page/block.h"
#include "page/lend.h"
#include "page/zone_report.h"

/* A bad frame: taken out if it is free, else watched. True if it was taken out. */
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
		/* If it is a user's, and not about to be freed. */
		try_cmpxchg(&first->tag, &tag, myalloc_lent_tag(block.order));
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return free;
}

/**
 * myalloc_bad_poll() - look for pages that the machine has reported as bad
 * @zone: the zone
 * @most: frames to look at
 *
 * Context: any but NMI.
 * Return: how many were taken out.
 */
u32 myalloc_bad_poll(struct myalloc_zone *zone, u32 most)
{
	u32 idx = READ_ONCE(zone->bad_cursor), taken = 0;	/* two who walk may share a part */

	for (most = min(most, zone->buddy.nr_frames); most; most--) {
		if (unlikely(myalloc_frame_is_bad(zone, idx)) &&
		    READ_ONCE(zone->frames[idx].tag) != myalloc_frame_tag(MYALLOC_FRAME_BAD, 0, 0))
			taken += found(zone, idx);
		if (++idx == zone->buddy.nr_frames)
			idx = 0;
	}
	WRITE_ONCE(zone->bad_cursor, idx);
	return taken;
}
