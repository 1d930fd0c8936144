// SPDX-License-Identifier: GPL-2.0
/*
 * Lendable blocks: pages that the kernel may take references to
 *
 * A driver puts pages into an skb, a bio, a pipe or the page table of a process. Each of these
 * holds a reference to the page until it is done, and nobody is notified when that happens. So
 * after its user has freed a block, others may still read or write it. The user must say at the
 * allocation that this may happen (MYALLOC_LENDABLE).
 *
 * Terms
 *	lent		tagged LENT: allocated as lendable, whether or not it is referenced now
 *	referenced	a page of the block has a reference besides the zone's own. Each page has
 *			its own reference count, because the chunks are split (mod/reserve.c).
 *	quarantine	blocks that were freed while referenced. They belong to no user, are not
 *			written to, and are allocated again only when they are no longer
 *			referenced.
 *
 * A lent block is never in a magazine: it is allocated from the zone, and its free takes the slow
 * path, because its tag is not the one that the fast path claims. The free claims the block
 * (pages.c) and then checks its pages: if one is referenced, the block goes to quarantine. After
 * the claim the user may not lend the block any more, so references can only go away.
 * (Short-lived references that the kernel itself takes, for instance when it scans memory by
 * physical address, can only delay a block.) The free of a lent block also checks POLL_MOST
 * quarantined blocks. A drain checks all of them, and the zone's worker some, by
 * myalloc_quarantine_poll().
 *
 * Blocks that are not lendable, extents and objects must not be lent: a free into a magazine does
 * not check pages. A zone with checks does so at every free of pages and for every slab that is
 * given back; a referenced page is reported, and its block goes to quarantine, of an extent the
 * pieces that have such pages.
 *
 * Structures: two chains of descriptors, linked by index + 1 in the stack word. The caller word
 * still names the code that allocated the block.
 *
 *	quarantine_new	Blocks are pushed here without a lock, in any context.
 *	quarantine	A poll pops blocks from here under the zone lock; when it is empty, the
 *			poll moves the whole of quarantine_new here.
 *
 * A block that is still referenced goes back to quarantine_new, and a poll moves that chain only
 * once. So each poll checks each block at most once, and every block gets its turn.
 *
 * Invariant
 *	Q1  nr_quarantined = frames of blocks tagged QUARANTINE. It grows before the tag is set,
 *	    while the block is FREEING, and shrinks after the block is FREEING again; validation
 *	    compares only if no block is FREEING and the number does not change meanwhile.
 *
 * Bounds: a poll of n blocks checks at most n * 2^order pages, without a lock, and takes the lock
 * twice for each block.
 */
#include "env.h"
#include "page/lend.h"
#include "page/zone_report.h"

/* Quarantined blocks that the free of a lent block checks */
#define POLL_MOST	2

/**
 * myalloc_lend_referenced() - does any of these pages have references besides the zone's own?
 * @zone: the zone; a simulated one has no pages
 * @idx: frame of the first page
 * @nr: number of pages, which the caller owns
 *
 * Context: any.
 * Return: true if one has.
 */
bool myalloc_lend_referenced(const struct myalloc_zone *zone, u32 idx, u32 nr)
{
	u32 end = idx + nr;

	if (zone->simulated)
		return false;
	for (; idx < end; idx++)
		if (myalloc_env_page_referenced(myalloc_frame_addr(zone, idx)))
			return true;
	smp_rmb();	/* the last reference holder's accesses come before ours */
	return false;
}

static bool referenced(const struct myalloc_zone *zone, const struct myalloc_frame *frame)
{
	return myalloc_lend_referenced(zone, myalloc_frame_idx(zone, frame),
				       BIT(READ_ONCE(frame->order)));
}

/* Hands a block that the caller owns to the quarantine. */
static void push_new(struct myalloc_zone *zone, struct myalloc_frame *frame)
{
	u32 old = READ_ONCE(zone->quarantine_new);

	do {
		WRITE_ONCE(frame->stack, old);
		myalloc_env_point("quarantine-push");
	} while (!try_cmpxchg(&zone->quarantine_new, &old, myalloc_frame_idx(zone, frame) + 1));
}

/* Returns the next block to check, which the caller then owns; NULL if this round has no more. */
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

/* Gives a quarantined block back to the zone; @clean: nobody else can access the memory. */
static void release(struct myalloc_zone *zone, struct myalloc_frame *frame, bool clean)
{
	u32 idx = myalloc_frame_idx(zone, frame);

	WRITE_ONCE(frame->type, MYALLOC_FRAME_FREEING);	/* Q1: first */
	atomic64_fetch_sub_release(BIT(frame->order), &zone->nr_quarantined);
	/* Who freed it is not known any more: the link has taken the place of the call stack. */
	if (clean)
		myalloc_pages_pre_free(zone, myalloc_frame_addr(zone, idx),
				       PAGE_SIZE << frame->order, 0);
	else
		myalloc_pages_note_free(zone, frame, BIT(frame->order), 0);
	myalloc_zone_give(zone, frame);
}

/* Puts a block tagged FREEING into quarantine. */
static void to_quarantine(struct myalloc_zone *zone, struct myalloc_frame *frame)
{
	atomic64_inc(&zone->quarantines);
	atomic64_add(BIT(frame->order), &zone->nr_quarantined);
	myalloc_env_point("quarantine-counted");
	smp_store_release(&frame->type, MYALLOC_FRAME_QUARANTINE);	/* Q1: last */
	push_new(zone, frame);
}

/**
 * myalloc_lend_hold() - quarantine a freed block if its pages are still referenced
 * @zone: the zone
 * @frame: its first frame, claimed (FREEING)
 * @lent: whether it was allocated as lendable; if not, references are damage and are reported
 *
 * If @lent, also checks some blocks that are in quarantine already.
 *
 * Context: any.
 * Return: true if the block is in quarantine now and no longer belongs to the caller.
 */
bool myalloc_lend_hold(struct myalloc_zone *zone, struct myalloc_frame *frame, bool lent)
{
	if (lent && !in_nmi())
		myalloc_quarantine_poll(zone, POLL_MOST);
	if (likely(!referenced(zone, frame)))
		return false;
	if (!lent)
		myalloc_site_crit(zone, frame->caller, "frame %u, order %u, was freed while lent, and is not lendable; allocated by %c",
				  myalloc_frame_idx(zone, frame), frame->order,
				  MYALLOC_REPORT_MARK);
	to_quarantine(zone, frame);
	return true;
}

/**
 * myalloc_lend_hold_slab() - quarantine a slab if its pages are referenced
 * @zone: the zone
 * @frame: its first frame, tagged NEW, owned by the caller
 *
 * Reports the slab if it is quarantined.
 *
 * Context: any but NMI.
 * Return: true if the slab is in quarantine now and no longer belongs to the caller.
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
	to_quarantine(zone, frame);
	return true;
}

/**
 * myalloc_quarantine_poll() - free quarantined blocks that are no longer referenced
 * @zone: the zone
 * @most: number of blocks to check, each at most once
 *
 * A drain does not find the block that is being checked. So the worker, like drains, holds
 * caches_mutex.
 *
 * Context: any but NMI.
 * Return: the number of blocks freed.
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
			push_new(zone, frame);
		} else {
			myalloc_env_point("quarantine-unused");
			release(zone, frame, true);
			freed++;
		}
	}
	return freed;
}

/**
 * myalloc_quarantine_drain() - free all quarantined blocks that are no longer referenced
 * @zone: the zone
 *
 * Context: task, may sleep.
 */
void myalloc_quarantine_drain(struct myalloc_zone *zone)
{
	/* There are at most this many blocks, and each round checks them in turn. */
	s64 left = atomic64_read(&zone->nr_quarantined);

	for (; left > 0; left -= 64) {
		myalloc_quarantine_poll(zone, 64);
		cond_resched();
	}
}

/**
 * myalloc_quarantine_abandon() - release all quarantined blocks before the zone is destroyed
 * @zone: the zone, no longer in use
 *
 * Counts the blocks as free without writing to them. The zone's maker then drops the zone's own
 * reference to each page; pages with further references go back to the system when the last of
 * these is dropped.
 *
 * Context: task, may sleep.
 * Return: the number of pages in blocks that are still referenced.
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
