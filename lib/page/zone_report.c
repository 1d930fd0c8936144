// SPDX-License-Identifier: GPL-2.0
/* Reports of a zone: errors are counted and described in words (report.c) */
#include "env.h"
#include "page/zone_report.h"

/* Does the descriptor of a freed block of this type hold the call stack of its free? */
static bool keeps_stack(u8 type)
{
	return type == MYALLOC_FRAME_NONE || type == MYALLOC_FRAME_CACHED ||
	       type == MYALLOC_FRAME_DEFERRED || type == MYALLOC_FRAME_RECOVERING;
}

/**
 * myalloc_zone_past() - find out who had a page that no user has any more
 * @zone: the zone
 * @idx: index of the page
 * @block: the block that contains it: free, or freed and not yet back in the buddy
 * @past: out: what is known
 *
 * A block that is in a magazine, deferred or in quarantine is whole: its first descriptor tells who
 * had it. In the buddy blocks are split and merged, so only the descriptor of the page itself tells
 * who last had a block that began there. Chunks that were taken from the system are not told of:
 * there may be other memory in their place by now.
 *
 * Context: any.
 * Return: false if nothing is known, or if somebody allocates the page meanwhile.
 */
bool myalloc_zone_past(const struct myalloc_zone *zone, u32 idx,
		       const struct myalloc_block *block, struct myalloc_past *past)
{
	const struct myalloc_frame *frame;
	struct myalloc_frame first;
	struct myalloc_block now;

	past->idx = block->free ? idx : block->idx;
	if (past->idx >> zone->chunk_order >= zone->nr_fixed)
		return false;
	frame = &zone->frames[past->idx];
	/* The tag is read before and after the other members, so that these belong to it. */
	first.tag = smp_load_acquire(&frame->tag);
	past->stack = smp_load_acquire(&frame->stack);		/* after tag */
	past->caller = smp_load_acquire(&frame->caller);	/* before the next */
	myalloc_env_point("zone-past");
	if (!(zone->checks & MYALLOC_OWNER) || !keeps_stack(first.type))
		past->stack = 0;
	/* Where no block begins, a slab may have its states in the descriptor by now. */
	return past->caller && READ_ONCE(frame->tag) == first.tag &&
	       myalloc_buddy_lookup(&zone->buddy, idx, &now) && now.free == block->free;
}

/* @caller: the code address that MYALLOC_REPORT_MARK in the text stands for */
__printf(3, 0)
static void vreport(struct myalloc_zone *zone, unsigned long caller, const char *fmt, va_list args)
{
	unsigned long irq;
	struct myalloc_report *report = myalloc_report_begin(&zone->reports, &irq);

	if (!report)
		return;
	report->caller[report->nr_callers++] = caller;
	myalloc_report_vadd(report, fmt, args);
	myalloc_report_end(&zone->reports, report, irq);
}

/**
 * myalloc_zone_err() - report an error
 * @zone: the zone
 * @fmt: format, without a newline
 *
 * Context: any.
 */
void myalloc_zone_err(struct myalloc_zone *zone, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vreport(zone, 0, fmt, args);
	va_end(args);
}

/**
 * myalloc_zone_crit() - count and report damage
 * @zone: the zone
 * @fmt: format, without a newline
 *
 * Context: any.
 */
void myalloc_zone_crit(struct myalloc_zone *zone, const char *fmt, ...)
{
	va_list args;

	atomic64_inc(&zone->corruptions);
	va_start(args, fmt);
	vreport(zone, 0, fmt, args);
	va_end(args);
}

/**
 * myalloc_site_err() - report an error with a call site
 * @zone: the zone
 * @caller: the call site
 * @fmt: format, without a newline; one of its arguments is MYALLOC_REPORT_MARK, by %c, whose place
 *	the symbol of @caller takes
 *
 * Context: any.
 */
void myalloc_site_err(struct myalloc_zone *zone, unsigned long caller, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vreport(zone, caller, fmt, args);
	va_end(args);
}

/**
 * myalloc_site_crit() - count and report damage with a call site
 * @zone: the zone
 * @caller: the call site
 * @fmt: as for myalloc_site_err()
 *
 * Context: any.
 */
void myalloc_site_crit(struct myalloc_zone *zone, unsigned long caller, const char *fmt, ...)
{
	va_list args;

	atomic64_inc(&zone->corruptions);
	va_start(args, fmt);
	vreport(zone, caller, fmt, args);
	va_end(args);
}

/**
 * myalloc_zone_last_report() - copy the text of the last report
 * @zone: the zone
 * @buf: out: NUL-terminated, empty if there was no report
 * @size: bytes in @buf
 *
 * Context: any but NMI.
 */
void myalloc_zone_last_report(struct myalloc_zone *zone, char *buf, size_t size)
{
	myalloc_report_last(&zone->reports, buf, size);
}

static const char *child_name(const struct myalloc_zone *zone, const struct myalloc_frame *frame)
{
	const struct myalloc_zone *child = myalloc_zone_child(zone, frame);

	return child ? child->name : "(none)";
}

/* Names who last had a page that is free, as far as that is known. */
static void add_past(struct myalloc_zone *zone, struct myalloc_report *report, const void *addr,
		     const struct myalloc_block *block)
{
	u32 idx = myalloc_frame_idx(zone, myalloc_map_frame(&zone->map, addr));
	struct myalloc_past past;
	unsigned long freed;

	if (!myalloc_zone_past(zone, idx, block, &past))
		return;
	myalloc_report_add(report, ", ");
	if (past.idx != block->idx)
		myalloc_report_add(report, "frame %u ", past.idx);
	myalloc_report_add(report, "last allocated at ");
	myalloc_report_symbol(report, past.caller);
	freed = myalloc_env_stack_first(past.stack);
	if (!freed)
		return;
	myalloc_report_add(report, ", freed at ");
	myalloc_report_symbol(report, freed);
}

/* Describes the block that contains the address, as its tag says. */
static void add_block(struct myalloc_zone *zone, struct myalloc_report *report, const void *addr,
		      const struct myalloc_block *block)
{
	const struct myalloc_frame *frame = &zone->frames[block->idx];
	const char *kind = myalloc_owner_kind(myalloc_frame_owner(frame));
	u8 type = READ_ONCE(frame->type);

	if (type == MYALLOC_FRAME_EXTENT)
		myalloc_report_add(report, "; frame %u, %u page%s, ", block->idx,
				   myalloc_frame_pages(frame),
				   myalloc_s(myalloc_frame_pages(frame)));
	else
		myalloc_report_add(report, "; frame %u, order %u, ", block->idx, block->order);
	switch (type) {
	case MYALLOC_FRAME_PIECE:
		myalloc_report_add(report, "part of an extent, ");
		fallthrough;
	case MYALLOC_FRAME_EXTENT:
	case MYALLOC_FRAME_LENT:
	case MYALLOC_FRAME_PAGE:
		if (kind)
			myalloc_report_add(report, "part of %s, ", kind);
		myalloc_report_add(report, "held by ");
		myalloc_report_symbol(report, READ_ONCE(frame->caller));
		break;
	case MYALLOC_FRAME_SLAB:
		myalloc_report_add(report, "a slab");
		break;
	case MYALLOC_FRAME_CONTRACT:
		myalloc_report_add(report, "of contract line %s", child_name(zone, frame));
		break;
	case MYALLOC_FRAME_KEPT:
		myalloc_report_add(report, "kept for NMI handlers");
		break;
	default:
		myalloc_report_add(report, "free");
		add_past(zone, report, addr, block);
	}
}

/**
 * myalloc_zone_bad_free() - count and report a wrong free
 * @zone: the zone
 * @addr: the address passed to the free
 * @bad: the reason for refusing it
 * @what: the kind of memory that the caller took it for, in words
 * @caller: code address of the user that frees it
 *
 * Names the block that contains the address and the code that allocated it, also if the block is
 * free by now and that is still known (myalloc_zone_past()). The block is read without the lock: if
 * it is freed concurrently, the details may be out of date.
 *
 * Context: any.
 * Return: -EINVAL.
 */
int myalloc_zone_bad_free(struct myalloc_zone *zone, const void *addr,
			  enum myalloc_bad bad, const char *what, unsigned long caller)
{
	struct myalloc_report *report;
	struct myalloc_block block;
	unsigned long irq;

	atomic64_inc(&zone->bad[bad]);
	myalloc_env_trace(bad_free, .zone = zone->name, .ptr = addr, .call_site = caller,
			  .bad = myalloc_bad_name(bad), .as = what, .node = zone->node);
	report = myalloc_report_begin(&zone->reports, &irq);
	if (!report)
		return -EINVAL;
	myalloc_report_add(report, "bad free as %s: %s", what, myalloc_bad_name(bad));
	if (myalloc_zone_block(zone, addr, &block))
		add_block(zone, report, addr, &block);
	myalloc_report_freed(report, addr, caller);
	myalloc_report_end(&zone->reports, report, irq);
	return -EINVAL;
}
