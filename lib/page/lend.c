// SPDX-License-Identifier: GPL-2.0
/*
 * Lent blocks: pages that the kernel may take references to
 *
 * What it is: a driver puts pages into an skb, a bio, a pipe or a process's page table. Each of
 * these holds a reference to the page until it is done, and nobody is told when that is. So a
 * block that its user frees may still be read or written by others. The user says at the
 * allocation that this may happen (MYALLOC_LENDABLE).
 *
 * Terms
 *	lent		tagged LENT: allocated as lendable, whether or not it is lent now
 *	referenced	a page of the block has a reference besides the zone's own. Each page has
 *			its own count, because the chunks are split (mod/reserve.c).
 *	quarantine	blocks that were freed while referenced. They belong to no user, are not
 *			written to, and are handed out only when they are referenced no more.
 *
 * A lent block passes no magazine: it comes from the zone, and its free takes the slow path,
 * because its tag is not the one that the fast path claims. The free claims the block (pcp.c)
 * and then looks at its pages: if one is referenced, the block goes to quarantine. After the
 * claim its user may not lend it any more, so references only go away. (The kernel's own
 * short-lived ones, as of a scan of memory by physical address, do no more than to delay a
 * block.) The free of a lent block looks at POLL_MOST quarantined ones along with it, a drain
 * and the zone's maker by myalloc_quarantine_poll() at all.
 *
 * Blocks that are not lendable, and objects, may not be lent: a free into a magazine does not
 * look at pages. A zone with checks looks at every free of pages and every slab that goes back;
 * what is referenced is reported and goes to quarantine.
 *
 * Structures: two chains of descriptors, linked by index + 1 in the stack word; the caller word
 * still says who had allocated the block.
 *
 *	quarantine_new	who quarantines pushes here, without a lock, in any context
 *	quarantine	who polls pops here, under the zone lock; when it is empty it takes the
 *			whole of quarantine_new
 *
 * A block that is still referenced goes back to quarantine_new, and one poll takes that chain
 * once: so each poll looks at each block at most once, and all get their turn.
 *
 * Invariant
 *	Q1  nr_quarantined = frames of blocks tagged QUARANTINE. It grows before the tag is set,
 *	    while the block is FREEING, and shrinks after the block is FREEING again; validation
 *	    compares if no block is FREEING and the number stands still.
 *
 * Bounds: a poll of n blocks looks at n * 2^order pages at most, without a lock, and takes the
 * lock twice for each.
 */
#include "env.h"
#include "page/lend.h"
#include "page/zone_report.h"

/* Quarantined blocks that the free of a lent one looks at. */
#define POLL_MOST	2

/* Is a page of the block referenced by anybody else? There are no pages if it is simulated. */
static bool referenced(const struct myalloc_zone *zone, const struct myalloc_frame *frame)
{
	u32 idx = myalloc_frame_idx(zone, frame), end = idx + BIT(frame->order);

	if (zone->simulated)
		return false;
	for (; idx < end; idx++)
		if (myalloc_env_page_referenced(myalloc_frame_addr(zone, idx)))
			return true;
	smp_rmb();	/* what the last one who had a reference did comes before what we do */
	return false;
}

/* A block that is the caller's becomes one of the quarantine's. */
static void push(struct myalloc_zone *zone, struct myalloc_frame *frame)
{
	u32 old = READ_ONCE(zone->quarantine_new);

	do {
		WRITE_ONCE(frame->stack, old);
		myalloc_env_point("quarantine-push");
	} while (!try_cmpxchg(&zone->quarantine_new, &old, myalloc_frame_idx(zone, frame) + 1));
}

/* The next block to look at, which is the caller's then; NULL if this round has no more. */
static struct myalloc_frame *pop(struct myalloc_zone *zone, bool *taken)
{
	struct myalloc_frame *frame = NULL;
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->lock, irq);
	if (!zone->quarantine && !*taken) {
		zone->quarantine = xchg(&zone->quarantine_new, 0);
		*taken = true;
	}
	if (zone->quarantine) {
		frame = &zone->frames[zone->quarantine - 1];
		zone->quarantine = READ_ONCE(frame->stack);
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return frame;
}

/* From the quarantine to the zone; @clean: nobody else can see the memory. */
static void release(struct myalloc_zone *zone, struct myalloc_frame *frame, bool clean)
{
	u32 idx = myalloc_frame_idx(zone, frame);

	WRITE_ONCE(frame->type, MYALLOC_FRAME_FREEING);	/* Q1: first */
	atomic64_fetch_sub_release(BIT(frame->order), &zone->nr_quarantined);
	if (clean)
		myalloc_pages_pre_free(zone, myalloc_frame_addr(zone, idx),
				       PAGE_SIZE << frame->order);
	myalloc_zone_give(zone, frame);
}

/* A block tagged FREEING to the quarantine. */
static void quarantine(struct myalloc_zone *zone, struct myalloc_frame *frame)
{
	atomic64_inc(&zone->quarantines);
	atomic64_add(BIT(frame->order), &zone->nr_quarantined);
	myalloc_env_point("quarantine-counted");
	smp_store_release(&frame->type, MYALLOC_FRAME_QUARANTINE);	/* Q1: last */
	push(zone, frame);
}

/**
 * myalloc_lend_hold() - keep a freed block if somebody still has references to it
 * @zone: the zone
 * @frame: its first frame, claimed (FREEING)
 * @lent: it was allocated as lendable; otherwise references are damage, and reported
 *
 * Looks also at some of those kept before, if @lent.
 *
 * Context: any.
 * Return: true if it is in quarantine now, and no longer the caller's.
 */
bool myalloc_lend_hold(struct myalloc_zone *zone, struct myalloc_frame *frame, bool lent)
{
	char owner[64];

	if (lent && !in_nmi())
		myalloc_quarantine_poll(zone, POLL_MOST);
	if (likely(!referenced(zone, frame)))
		return false;
	if (!lent) {
		myalloc_env_symbol(owner, sizeof(owner), frame->caller);
		myalloc_zone_crit(zone, "frame %u, order %u, was freed while lent, and is not lendable; allocated by %s",
				  myalloc_frame_idx(zone, frame), frame->order, owner);
	}
	quarantine(zone, frame);
	return true;
}

/**
 * myalloc_lend_hold_slab() - keep a slab if somebody has references to its pages
 * @zone: the zone
 * @frame: its first frame, tagged NEW, the caller's
 *
 * Context: any but NMI.
 * Return: true if it is in quarantine now, and no longer the caller's; reported.
 */
bool myalloc_lend_hold_slab(struct myalloc_zone *zone, struct myalloc_frame *frame)
{
	unsigned long irq;

	if (likely(!referenced(zone, frame)))
		return false;
	myalloc_zone_crit(zone, "frame %u, order %u: an object of cache %u was freed while lent, and objects are not lendable",
			  myalloc_frame_idx(zone, frame), frame->order, frame->cache);
	raw_spin_lock_irqsave(&zone->lock, irq);
	atomic64_sub(BIT(frame->order), &zone->slab_pages);	/* with the tag: Z3 */
	WRITE_ONCE(frame->tag, myalloc_frame_tag(MYALLOC_FRAME_FREEING, frame->order, 0));
	frame->caller = 0;
	zone->generation++;
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	quarantine(zone, frame);
	return true;
}

/**
 * myalloc_quarantine_poll() - free quarantined blocks that are referenced no more
 * @zone: the zone
 * @most: blocks to look at, each at most once
 *
 * Context: any but NMI.
 * Return: how many were freed.
 */
u32 myalloc_quarantine_poll(struct myalloc_zone *zone, u32 most)
{
	struct myalloc_frame *frame;
	bool taken = false;
	u32 freed = 0;

	if (likely(!atomic64_read(&zone->nr_quarantined)))
		return 0;
	for (; most; most--) {
		frame = pop(zone, &taken);
		if (!frame)
			break;
		if (referenced(zone, frame)) {
			push(zone, frame);
		} else {
			release(zone, frame, true);
			freed++;
		}
	}
	return freed;
}

/**
 * myalloc_quarantine_drain() - free every quarantined block that is referenced no more
 * @zone: the zone
 *
 * Context: task, may sleep.
 */
void myalloc_quarantine_drain(struct myalloc_zone *zone)
{
	/* At most this many blocks; those of a round are in turn looked at. */
	s64 left = atomic64_read(&zone->nr_quarantined);

	for (; left > 0; left -= 64) {
		myalloc_quarantine_poll(zone, 64);
		cond_resched();
	}
}

/**
 * myalloc_quarantine_abandon() - count quarantined blocks as free, for the end of a zone
 * @zone: the zone, which nobody uses any more
 *
 * For a zone whose maker then drops the zone's own reference to each page: what others still
 * have references to goes back to the system when the last of them goes. Nothing is written.
 *
 * Context: task.
 * Return: pages that are still referenced.
 */
u32 myalloc_quarantine_abandon(struct myalloc_zone *zone)
{
	struct myalloc_frame *frame;
	bool taken;
	u32 pages;

	myalloc_quarantine_drain(zone);
	pages = atomic64_read(&zone->nr_quarantined);
	zone->abandoned = true;
	while (taken = false, (frame = pop(zone, &taken)))
		release(zone, frame, false);
	return pages;
}
