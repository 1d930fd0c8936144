// SPDX-License-Identifier: GPL-2.0
/*
 * Pages: the user interface of a zone, with per-CPU page magazines
 *
 * Magazines (magazine.c) in front of the blocks (block.c) for the most frequent orders: 0 to 3,
 * and the order of 2 MiB (9 with 4 KiB pages). All other orders bypass the magazines, as do
 * requests for a place (topdown; extent.c) and for a lendable block (lend.c).
 *
 * batch and high mean the same as in mm/page_alloc.c: a miss refills batch blocks at a time under
 * one hold of the zone lock; the number of frames that a zone may cache (the high of all CPUs and
 * of the depot) is a fixed share of its frames. A refill takes the smallest free blocks first, as
 * the buddy does, so holes are filled before a large block is split. A flush need not sort the
 * blocks that it returns, because the state of the buddy is canonical (B3) and does not depend on
 * the order of frees.
 *
 * Frees are certain. A free claims its block by one locked compare-and-exchange of the whole tag:
 * from the user's tag to CACHED in the fast path, to FREEING elsewhere. Of any number of frees of
 * one block, on any CPUs and in any contexts, exactly one wins. The others have changed nothing
 * (poison is written after the claim) and are refused. There is no plain form of the claim,
 * because pages merge: the block that a second free would change need not be the same block any
 * more. The tag does not tell which allocation a free is meant for: a late free that comes after
 * the block was allocated again with the same order is a valid free of the new allocation.
 *
 * A take needs no claim, only plain accesses. A block becomes CACHED by a claim or under the zone
 * lock, and then exactly one slot refers to it, the winner's, which by M1 is in one place. No
 * free claims a block that is CACHED, so only the holder of that slot changes the tag, in a take
 * or a flush. The take compares the whole tag nevertheless: the load costs nothing, and a block
 * with damaged metadata is not allocated.
 *
 * Invariants: Z4 of block.c, and M1 to M3 of magazine.c with "cached" = MYALLOC_FRAME_CACHED.
 *
 * Bounds: take and give are O(1). A miss moves at most a batch of blocks, and fewer if each of them
 * takes many splits or merges (WORK_MOST). So the longest miss costs little more than the usual
 * one.
 *
 * When the zone has no block, magazines may still hold blocks of other orders. A request with
 * MYALLOC_MAY_WAIT drains all of them and tries again. A request without it cannot ask other
 * CPUs; it gives back what this CPU has cached (drain.c), tries again, and fails if that does not
 * help.
 */
#include "env.h"
#include "base/magazine_loops.h"
#include "page/block.h"
#include "page/drain.h"
#include "page/flags.h"
#include "page/lend.h"
#include "page/limit.h"
#include "page/pages.h"
#include "page/shadow.h"
#include "page/zone_report.h"

/*
 * For each list: maximum number of blocks in a magazine and of magazines in the depot, number of
 * blocks moved at a time, and the share of the zone that it may cache, as one in so many frames.
 * All lists together may cache at most three eighths. The share for large blocks is larger,
 * because otherwise a small zone could cache hardly any per CPU.
 */
static const struct {
	u32 capacity;
	u32 depot;
	u32 batch;
	u32 share;
} pcp_defaults[MYALLOC_PCP_LISTS] = {
	{ 64, 16, 16, 16 },
	{ 32, 8, 8, 16 },
	{ 16, 8, 8, 16 },
	{ 16, 8, 8, 16 },
	{ 4, 4, 1, 8 },
};

static_assert(MYALLOC_PCP_HUGE > MYALLOC_PCP_SMALL && MYALLOC_PCP_HUGE <= MYALLOC_TOP_ORDER);

/*
 * Work limit of a refill or a flush: one unit for each block and for each split or merge. The
 * last block may exceed it by its splits or merges, of which there are at most top_order.
 */
#define WORK_MOST	16

/* Computes the shape that the zone's share allows for this number of CPUs. */
static void get_shape(const struct myalloc_zone *zone, unsigned int list, u32 cpus,
		      struct myalloc_magazine_shape *shape)
{
	unsigned int order = myalloc_pcp_order(list);
	u32 share = zone->buddy.nr_frames / pcp_defaults[list].share >> order;
	u32 per_cpu = 2 * cpus;

	memset(shape, 0, sizeof(*shape));
	shape->cpus = cpus;
	if (order > zone->buddy.top_order)
		return;
	shape->capacity = min(pcp_defaults[list].capacity, share / per_cpu);
	if (!shape->capacity)
		return;
	shape->batch = min(pcp_defaults[list].batch, shape->capacity);
	shape->depot = min(pcp_defaults[list].depot, share / shape->capacity - per_cpu);
}

static struct myalloc_frame *slot_frame(const struct myalloc_slot *slot)
{
	return container_of(slot->state, struct myalloc_frame, type);
}

/* Returns the tag of a block in a magazine; compare myalloc_user_tag(). */
static __always_inline u32 cached_tag(unsigned int order)
{
	return myalloc_frame_tag(MYALLOC_FRAME_CACHED, order, 0);
}

static noinline void not_cached(struct myalloc_zone *zone, const struct myalloc_slot *slot)
{
	myalloc_zone_crit(zone, "a cached block at frame %u is not cached: its descriptor is damaged",
			  myalloc_frame_idx(zone, slot_frame(slot)));
}

/* Lock held. Returns the number of splits and merges since the zone was created. */
static u64 buddy_work(const struct myalloc_zone *zone)
{
	return zone->buddy.nr_splits + zone->buddy.nr_merges;
}

/* Returns at most @most blocks from below @end to the zone; returns their number. */
static u32 flush_some(struct myalloc_zone *zone, const struct myalloc_slot *end, u32 most)
{
	unsigned int order = slot_frame(end - 1)->order;
	unsigned long irq;
	u64 last;
	u32 n;

	raw_spin_lock_irqsave(&zone->lock, irq);
	last = buddy_work(zone) + WORK_MOST;
	for (n = 0; n < most && buddy_work(zone) + n < last; n++) {
		const struct myalloc_slot *slot = end - 1 - n;

		if (unlikely(*slot->state != MYALLOC_FRAME_CACHED))
			not_cached(zone, slot);
		else
			__myalloc_zone_give(zone, slot_frame(slot));
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	myalloc_env_trace(flush, .zone = zone->name, .order = order, .nr = n, .node = zone->node);
	return n;
}

/* Returns blocks from a magazine to the zone: a myalloc_flush_fn. */
static void flush(void *zone, struct myalloc_slot *slot, u32 nr)
{
	while (nr)
		nr -= flush_some(zone, slot + nr, nr);
}

/* Fills the loaded magazine, which is empty, from the zone. Returns false if it stays empty. */
static bool refill(struct myalloc_zone *zone, struct myalloc_magazines *mags,
		   struct myalloc_magazine_cpu *cpu, unsigned int order)
{
	struct myalloc_slot *first = myalloc_magazine_first(cpu->loaded);
	struct myalloc_slot *slot = first + mags->batch;
	unsigned long irq;
	u64 last;
	u32 n;

	if (!myalloc_lock(&zone->lock, &irq))
		return false;
	__myalloc_zone_reap(zone, 1);
	last = buddy_work(zone) + WORK_MOST;
	for (n = 0; n < mags->batch && buddy_work(zone) + n < last; n++) {
		struct myalloc_frame *frame =
			__myalloc_zone_take(zone, order, false, cached_tag(order));

		if (!frame)
			break;
		/* The lowest address ends up on top. */
		slot--;
		slot->addr = myalloc_frame_addr(zone, myalloc_frame_idx(zone, frame));
		slot->state = &frame->type;
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	if (unlikely(n < mags->batch))
		memmove(first, slot, n * sizeof(*first));
	if (n)
		myalloc_magazines_note_refill(mags);
	myalloc_magazine_set_count(cpu, n);
	myalloc_env_trace(refill, .zone = zone->name, .order = order, .nr = n,
			  .wanted = mags->batch, .node = zone->node);
	return n;
}

static noinline bool more(struct myalloc_zone *zone, struct myalloc_magazines *mags,
			  struct myalloc_magazine_cpu *cpu, unsigned int order)
{
	return myalloc_magazines_load(mags, cpu) || refill(zone, mags, cpu, order);
}

/*
 * Makes room in the loaded magazine, which is full. Returns false if, in NMI, the depot has no
 * room.
 */
static noinline bool room(struct myalloc_zone *zone, struct myalloc_magazines *mags,
			  struct myalloc_magazine_cpu *cpu)
{
	if (myalloc_magazines_room(mags, cpu))
		return true;
	if (in_nmi())
		return false;
	myalloc_magazines_note_flush(mags);
	WRITE_ONCE(cpu->top, cpu->end - flush_some(zone, cpu->end, mags->batch));
	return true;
}

/* Arguments of the functions below; constants and registers once these are inlined */
struct request {
	struct myalloc_zone *zone;
	struct myalloc_magazines *mags;
	unsigned int order;
	unsigned long caller;
};

/* Allocates the block in a slot if its tag is valid. A concurrent claim may read the tag. */
static __always_inline bool take_slot(const struct myalloc_slot *slot, unsigned int order,
				      void **addr, unsigned long caller)
{
	struct myalloc_frame *frame = slot_frame(slot);

	/* Nobody else writes the tag of a CACHED block. */
	if (unlikely(data_race(frame->tag) != cached_tag(order)))
		return false;
	*addr = slot->addr;
	frame->caller = caller;
	WRITE_ONCE(frame->tag, myalloc_user_tag(order));
	return true;
}

/* A myalloc_take_fn. */
static __always_inline bool take_one(const struct myalloc_slot *slot, void **addr, void *arg)
{
	const struct request *r = arg;

	return take_slot(slot, r->order, addr, r->caller);
}

/*
 * Between enter and leave. Makes sure that a valid block is on top of the loaded magazine, and
 * drops damaged ones; returns false if there is none. A myalloc_ready_fn.
 */
static bool ready(struct myalloc_magazine_cpu *cpu, void *arg)
{
	const struct request *r = arg;

	while (myalloc_magazine_count(cpu) || more(r->zone, r->mags, cpu, r->order)) {
		const struct myalloc_slot *slot = cpu->top - 1;

		/* as in take_slot() */
		if (likely(data_race(slot_frame(slot)->tag) == cached_tag(r->order)))
			return true;
		WRITE_ONCE(cpu->top, cpu->top - 1);
		not_cached(r->zone, slot);
	}
	return false;
}

/* Between enter and leave. Takes one block out of the magazines; NULL if there is none. */
static void *take(struct myalloc_magazine_cpu *cpu, struct request *r)
{
	void *addr = NULL;

	if (ready(cpu, r))
		myalloc_take_top(cpu, 1, &addr, take_one, r);
	return addr;
}

/* --- events --------------------------------------------------------------------- */

/* Pages of any order that a user names; 0 if there is none of that order. */
static u32 pages_of(unsigned int order)
{
	return order <= MYALLOC_TOP_ORDER ? BIT(order) : 0;
}

static unsigned int order_of(u32 nr_pages)
{
	return nr_pages ? fls(nr_pages - 1) : 0;
}

/**
 * myalloc_pages_trace_alloc() - record that a user has got pages
 * @zone: the zone
 * @addr: address of the block or extent
 * @nr_pages: number of pages
 * @flags: flags of the request
 * @caller: code address of the user
 *
 * Context: any.
 */
noinline void myalloc_pages_trace_alloc(const struct myalloc_zone *zone, const void *addr,
					u32 nr_pages, myalloc_flags_t flags,
					unsigned long caller)
{
	__myalloc_env_trace(page_alloc, .ptr = addr, .call_site = caller,
			    .bytes = (unsigned long)nr_pages << PAGE_SHIFT,
			    .order = order_of(nr_pages), .flags = (__force u32)flags,
			    .node = zone->node);
}

/**
 * myalloc_pages_trace_free() - record that a user frees pages
 * @zone: the zone
 * @addr: the address that is freed, any value
 * @nr_pages: number of pages that are freed there, any value
 * @caller: code address of the user
 *
 * To be called before the free, because afterwards another CPU may have allocated the memory again.
 *
 * Context: any.
 */
noinline void myalloc_pages_trace_free(const struct myalloc_zone *zone, const void *addr,
				       u32 nr_pages, unsigned long caller)
{
	__myalloc_env_trace(page_free, .ptr = addr, .call_site = caller,
			    .bytes = (unsigned long)nr_pages << PAGE_SHIFT,
			    .order = order_of(nr_pages), .node = zone->node);
}

/**
 * myalloc_pages_trace_fail() - record that a user has got no pages
 * @zone: the zone
 * @nr_pages: number of pages that were asked for, any value
 * @flags: flags of the request
 * @caller: code address of the user
 *
 * Context: any.
 */
noinline void myalloc_pages_trace_fail(const struct myalloc_zone *zone, u32 nr_pages,
				       myalloc_flags_t flags, unsigned long caller)
{
	__myalloc_env_trace(fail, .zone = zone->name, .call_site = caller,
			    .bytes = (unsigned long)nr_pages << PAGE_SHIFT,
			    .order = order_of(nr_pages), .flags = (__force u32)flags,
			    .node = zone->node);
}

/* --- alloc and free -------------------------------------------------------------- */

static void *alloc_zone(struct myalloc_zone *zone, unsigned int order,
			myalloc_flags_t flags, unsigned long caller)
{
	u32 tag = flags & MYALLOC_LENDABLE ? myalloc_lent_tag(order) : myalloc_user_tag(order);
	struct myalloc_frame *frame;

	if (unlikely(zone->limit))
		return myalloc_limit_block(zone, order, flags, tag, caller);
	frame = myalloc_zone_take(zone, order, flags, tag);
	if (unlikely(!frame) && order <= zone->buddy.top_order && myalloc_zone_reclaim(zone))
		frame = myalloc_zone_take(zone, order, flags, tag);
	if (unlikely(!frame)) {
		if (!(flags & MYALLOC_MAY_WAIT))
			return NULL;
		myalloc_zone_make_room(zone, order);
		frame = myalloc_zone_take(zone, order, flags, tag);
		if (!frame)
			return NULL;
	}
	frame->caller = caller;
	return myalloc_frame_addr(zone, myalloc_frame_idx(zone, frame));
}

/**
 * myalloc_pages_failed() - count and record a request for a block that has failed
 * @zone: the zone
 * @order: log2 of pages, any value
 * @flags: flags of the request, already checked
 * @caller: address of the code that asked
 *
 * Context: any.
 */
noinline void myalloc_pages_failed(struct myalloc_zone *zone, unsigned int order,
				   myalloc_flags_t flags, unsigned long caller)
{
	if (!zone->limit)
		myalloc_zone_count_fail(zone, order);
	if (myalloc_env_trace_on(fail))
		myalloc_pages_trace_fail(zone, pages_of(order), flags, caller);
}

/* All that the fast path does not handle: a miss, an interrupt, checks, unusual requests. */
static noinline void *alloc_slow(struct myalloc_zone *zone, unsigned int order,
				 myalloc_flags_t flags, unsigned long caller, bool quiet)
{
	struct request r = { zone, myalloc_zone_pcp(zone, order), order, caller };
	void *addr = NULL;

	if (unlikely(!myalloc_flags_check(zone, &flags, MYALLOC_PAGES_FLAGS_ALL, caller)))
		return NULL;
	if (!(flags & (MYALLOC_TOPDOWN | MYALLOC_LENDABLE))) {
		struct myalloc_magazine_cpu *cpu = myalloc_magazines_enter(r.mags);

		if (cpu) {
			addr = take(cpu, &r);
			myalloc_magazines_leave(cpu);
		}
	}
	if (!addr)
		addr = alloc_zone(zone, order, flags, caller);
	if (unlikely(!addr) && !quiet)
		myalloc_pages_failed(zone, order, flags, caller);
	myalloc_shadow_pages_alloc(zone, addr, order);
	if (addr && (flags & MYALLOC_ZERO || zone->checks))
		myalloc_pages_post_alloc(zone, addr, PAGE_SIZE << order, flags);
	return addr;
}

/* @quiet: whoever asks makes a request that has failed known. */
static __always_inline void *alloc_for(struct myalloc_zone *zone, unsigned int order,
				       myalloc_flags_t flags, unsigned long caller, bool quiet)
{
	struct myalloc_magazines *mags = myalloc_zone_pcp(zone, order);
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot *slot;
	void *addr;
	u64 guard;

	myalloc_flags_might_wait(flags);
	if (unlikely(flags & ~MYALLOC_MAY_WAIT) ||
	    unlikely(!myalloc_magazines_begin(mags, &cpu, &guard)))
		return alloc_slow(zone, order, flags, caller, quiet);
	slot = cpu->top - 1;
	if (unlikely(!take_slot(slot, order, &addr, caller))) {
		myalloc_magazines_end(cpu, guard);
		return alloc_slow(zone, order, flags, caller, quiet);
	}
	cpu->nr_takes++;
	WRITE_ONCE(cpu->top, slot);
	myalloc_magazines_end(cpu, guard);
	myalloc_shadow_pages_alloc(zone, addr, order);
	return addr;
}

static noinline void *alloc_traced(struct myalloc_zone *zone, unsigned int order,
				   myalloc_flags_t flags, unsigned long caller, bool quiet)
{
	void *addr = alloc_for(zone, order, flags, caller, quiet);

	if (addr)
		myalloc_pages_trace_alloc(zone, addr, BIT(order), flags, caller);
	return addr;
}

/* One after the other: a traced request need not be fast. */
static noinline unsigned int alloc_bulk_traced(struct myalloc_zone *zone, unsigned int order,
					       myalloc_flags_t flags, unsigned int nr,
					       void **addrs, unsigned long caller)
{
	unsigned int n;

	for (n = 0; n < nr; n++) {
		addrs[n] = alloc_traced(zone, order, flags, caller, false);
		if (!addrs[n])
			break;
	}
	return n;
}

/**
 * myalloc_pages_alloc() - allocate a block of pages
 * @zone: the zone
 * @order: log2 of pages, at most the zone's largest order; above its chunk order where chunks are
 *	adjacent
 * @flags: MYALLOC_ZERO, MYALLOC_TOPDOWN, MYALLOC_MAY_WAIT, MYALLOC_LENDABLE
 *
 * Context: any. With MYALLOC_MAY_WAIT: task, may sleep. In NMI it may fail because the
 * interrupted code holds the lock.
 * Return: address of the block, aligned to its size counted from the beginning of the chunk (in
 * memory if it is larger than a chunk); NULL if the zone has no such block, or if @flags has an
 * unknown flag, which is reported.
 */
void *myalloc_pages_alloc(struct myalloc_zone *zone, unsigned int order,
			  myalloc_flags_t flags)
{
	if (unlikely(myalloc_env_trace_on(page_alloc)))
		return alloc_traced(zone, order, flags, _RET_IP_, false);
	return alloc_for(zone, order, flags, _RET_IP_, false);
}

/**
 * myalloc_pages_alloc_for() - allocate a block of pages on behalf of other code
 * @zone: the zone
 * @order: log2 of pages
 * @flags: as for myalloc_pages_alloc()
 * @caller: code address of the user, which the block's descriptor and the trace event name
 *
 * Context: as for myalloc_pages_alloc().
 * Return: as myalloc_pages_alloc().
 */
void *myalloc_pages_alloc_for(struct myalloc_zone *zone, unsigned int order,
			      myalloc_flags_t flags, unsigned long caller)
{
	if (unlikely(myalloc_env_trace_on(page_alloc)))
		return alloc_traced(zone, order, flags, caller, false);
	return alloc_for(zone, order, flags, caller, false);
}

/**
 * myalloc_pages_try_for() - myalloc_pages_alloc_for(), as one of several attempts at a request
 * @zone: the zone
 * @order: log2 of pages
 * @flags: as for myalloc_pages_alloc()
 * @caller: code address of the user
 *
 * An attempt that fails is neither counted nor recorded. If all do: myalloc_pages_failed().
 *
 * Context: as for myalloc_pages_alloc().
 * Return: as myalloc_pages_alloc().
 */
void *myalloc_pages_try_for(struct myalloc_zone *zone, unsigned int order,
			    myalloc_flags_t flags, unsigned long caller)
{
	if (unlikely(myalloc_env_trace_on(page_alloc)))
		return alloc_traced(zone, order, flags, caller, true);
	return alloc_for(zone, order, flags, caller, true);
}

/**
 * myalloc_pages_bad_free() - find out why a free of pages is wrong, and report it
 * @zone: the zone
 * @addr: the address passed to the free, any value
 * @as: the kind of memory that the caller took it for: MYALLOC_FRAME_PAGE or MYALLOC_FRAME_EXTENT
 * @owner: number of the owner that an extent was freed for
 * @what: the same in words
 * @caller: code address of the user that frees it
 *
 * Context: any.
 * Return: -EINVAL.
 */
noinline int myalloc_pages_bad_free(struct myalloc_zone *zone, const void *addr,
				    enum myalloc_frame_type as, u32 owner, const char *what,
				    unsigned long caller)
{
	const struct myalloc_frame *frame = myalloc_map_frame(&zone->map, addr);
	enum myalloc_bad bad = MYALLOC_BAD_FOREIGN;
	struct myalloc_block block;

	if (myalloc_zone_block(zone, addr, &block)) {
		struct myalloc_frame first = { .tag = READ_ONCE(zone->frames[block.idx].tag) };

		if (offset_in_page((unsigned long)addr - zone->map.base))
			bad = MYALLOC_BAD_MISALIGNED;
		else if (block.free || first.type == MYALLOC_FRAME_CACHED ||
			 first.type == MYALLOC_FRAME_KEPT ||
			 first.type == MYALLOC_FRAME_FREEING ||
			 first.type == MYALLOC_FRAME_QUARANTINE ||
			 first.type == MYALLOC_FRAME_BAD ||
			 first.type == MYALLOC_FRAME_DEFERRED ||
			 first.type == MYALLOC_FRAME_DEFERRING ||
			 first.type == MYALLOC_FRAME_RECOVERING)
			bad = MYALLOC_BAD_FREE;
		else if (first.type == MYALLOC_FRAME_HOLE)	/* since a moment ago */
			bad = MYALLOC_BAD_FOREIGN;
		else if (!myalloc_frame_is_users(first.type))
			bad = MYALLOC_BAD_KIND;
		else if (&zone->frames[block.idx] != frame || first.type == MYALLOC_FRAME_PIECE)
			bad = MYALLOC_BAD_INTERIOR;
		else if ((first.type == MYALLOC_FRAME_EXTENT) != (as == MYALLOC_FRAME_EXTENT) ||
			 myalloc_frame_owner(&first) != owner)
			bad = MYALLOC_BAD_KIND;
		else
			bad = as == MYALLOC_FRAME_PAGE ? MYALLOC_BAD_ORDER : MYALLOC_BAD_LENGTH;
	}
	return myalloc_zone_bad_free(zone, addr, bad, what, caller);
}

static noinline int bad_order_free(struct myalloc_zone *zone, const void *addr,
				   unsigned int order, unsigned long caller)
{
	char what[32];

	scnprintf(what, sizeof(what), "pages of order %u", order);
	return myalloc_pages_bad_free(zone, addr, MYALLOC_FRAME_PAGE, 0, what, caller);
}

/*
 * Claims the user's block of this order at @addr for the slow path; sets @lent if it is lendable.
 */
static bool claim(struct myalloc_zone *zone, const void *addr, unsigned int order,
		  struct myalloc_frame **frame, bool *lent)
{
	bool won = false;

	if (order > MYALLOC_TOP_ORDER || offset_in_page((unsigned long)addr - zone->map.base))
		return false;
	preempt_disable();	/* so that no other chunk takes the place of this one: V3 */
	*frame = myalloc_map_frame(&zone->map, addr);
	if (*frame) {
		*lent = READ_ONCE((*frame)->type) == MYALLOC_FRAME_LENT;
		myalloc_env_point("page-found");
		won = myalloc_pages_claim(*frame, order, *lent ? myalloc_lent_tag(order) :
								 myalloc_user_tag(order));
	}
	preempt_enable();
	return won;
}

/* Claims a user's block of this order for the loaded magazine. */
static __always_inline bool claim_cached(struct myalloc_frame *frame, unsigned int order)
{
	u32 tag = myalloc_user_tag(order);

	myalloc_env_point("page-checked");
	return try_cmpxchg(&frame->tag, &tag, cached_tag(order));
}

static __always_inline void fill_slot(struct myalloc_slot *slot, void *addr,
				      struct myalloc_frame *frame)
{
	slot->addr = addr;
	slot->state = &frame->type;
}

/*
 * Between enter and leave. Puts a claimed block into the loaded magazine. Returns false if there
 * is no room.
 */
static bool give(struct myalloc_zone *zone, struct myalloc_magazines *mags,
		 struct myalloc_magazine_cpu *cpu, void *addr, struct myalloc_frame *frame)
{
	if (unlikely(cpu->top == cpu->end && !room(zone, mags, cpu)))
		return false;
	WRITE_ONCE(frame->type, MYALLOC_FRAME_CACHED);
	fill_slot(cpu->top, addr, frame);
	myalloc_shadow_block_free(zone, frame, frame->order);
	cpu->nr_gives++;
	WRITE_ONCE(cpu->top, cpu->top + 1);
	return true;
}

/*
 * Puts a block back into the slot that it was allocated from, which still holds the address of
 * its descriptor: descriptors never go away, and before a chunk takes the place of another one the
 * slots are wiped (zone/elastic.c). A myalloc_give_stale_fn.
 */
static __always_inline bool give_stale(const struct myalloc_slot *slot, void *addr, void *arg)
{
	const struct request *r = arg;

	if (unlikely(slot->addr != addr) || unlikely(!claim_cached(slot_frame(slot), r->order)))
		return false;
	myalloc_shadow_pages_free(r->zone, addr, r->order);
	return true;
}

/*
 * Puts a block into the slot at @top of the loaded magazine if there is room and the free is
 * valid; if it returns false, free_slow() handles the free. If the block was allocated from this
 * slot, the slot still holds the address of its descriptor (magazine.c, Stale slots; descriptors
 * never go away), and there is room.
 */
static __always_inline bool fast_give(const struct myalloc_magazine_cpu *cpu,
				      struct myalloc_slot *top, void *addr, void *arg)
{
	const struct request *r = arg;
	const struct myalloc_zone *zone = r->zone;
	unsigned int order = r->order;
	unsigned long off = (unsigned long)addr - zone->linear.base;
	struct myalloc_frame *frame;

	if (likely(top->addr == addr))
		return claim_cached(slot_frame(top), order);
	if (unlikely(off >= zone->linear.bytes || offset_in_page(off)))
		return false;
	frame = zone->linear.frames + (off >> PAGE_SHIFT);
	if (unlikely(top == cpu->end || !claim_cached(frame, order)))
		return false;
	fill_slot(top, addr, frame);
	return true;
}

/* A myalloc_give_fn. */
static __always_inline bool put_one(const struct myalloc_magazine_cpu *cpu,
				    struct myalloc_slot *top, void *addr, void *arg)
{
	const struct request *r = arg;

	if (unlikely(!fast_give(cpu, top, addr, arg)))
		return false;
	myalloc_shadow_pages_free(r->zone, addr, r->order);
	return true;
}

/* All that the fast path does not handle: no room, an interrupt, checks, other orders. */
static noinline int free_slow(struct myalloc_zone *zone, void *addr, unsigned int order,
			      unsigned long caller)
{
	struct myalloc_magazines *mags = myalloc_zone_pcp(zone, order);
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_frame *frame;
	bool lent;

	if (unlikely(!claim(zone, addr, order, &frame, &lent)))
		return zone->limit &&
		       myalloc_limit_free_beyond(zone, addr, pages_of(order), caller) ?
			0 : bad_order_free(zone, addr, order, caller);
	if (unlikely((lent || zone->checks) && myalloc_lend_hold(zone, frame, lent)))
		return 0;
	if (unlikely(zone->checks))
		myalloc_pages_pre_free(zone, addr, PAGE_SIZE << order, caller);
	cpu = lent ? NULL : myalloc_magazines_enter(mags);
	if (cpu) {
		bool done = give(zone, mags, cpu, addr, frame);

		myalloc_magazines_leave(cpu);
		if (done)
			return 0;
	}
	myalloc_zone_give(zone, frame);
	return 0;
}

static __always_inline int free_for(struct myalloc_zone *zone, void *addr, unsigned int order,
				    unsigned long caller)
{
	struct request r = { zone, myalloc_zone_pcp(zone, order), order, 0 };
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot *top;
	u64 guard;

	if (unlikely(!myalloc_magazines_begin(r.mags, &cpu, &guard)))
		return free_slow(zone, addr, order, caller);
	top = cpu->top;
	if (unlikely(!fast_give(cpu, top, addr, &r))) {
		myalloc_magazines_end(cpu, guard);
		return free_slow(zone, addr, order, caller);
	}
	cpu->nr_gives++;
	myalloc_shadow_pages_free(zone, addr, order);
	WRITE_ONCE(cpu->top, top + 1);
	myalloc_magazines_end(cpu, guard);
	return 0;
}

static noinline int free_traced(struct myalloc_zone *zone, void *addr, unsigned int order,
				unsigned long caller)
{
	myalloc_pages_trace_free(zone, addr, pages_of(order), caller);
	return free_for(zone, addr, order, caller);
}

static noinline unsigned int free_bulk_traced(struct myalloc_zone *zone, unsigned int order,
					      unsigned int nr, void **addrs, unsigned long caller)
{
	unsigned int freed = 0;

	while (nr--)
		freed += !free_traced(zone, addrs[nr], order, caller);
	return freed;
}

/**
 * myalloc_pages_free() - free a block of pages
 * @zone: the zone
 * @addr: its address, any value
 * @order: the order it was allocated with, any value
 *
 * Context: any.
 * Return: 0; -EINVAL if no block of that order that is allocated to a page user begins there.
 * This is reported and counted, and nothing has changed.
 */
int myalloc_pages_free(struct myalloc_zone *zone, void *addr, unsigned int order)
{
	if (unlikely(myalloc_env_trace_on(page_free)))
		return free_traced(zone, addr, order, _RET_IP_);
	return free_for(zone, addr, order, _RET_IP_);
}

/**
 * myalloc_pages_free_for() - free a block of pages on behalf of other code
 * @zone: the zone
 * @addr: as for myalloc_pages_free()
 * @order: log2 of pages
 * @caller: code address of the user, which a report and the trace event name
 *
 * Context: any.
 * Return: as myalloc_pages_free().
 */
int myalloc_pages_free_for(struct myalloc_zone *zone, void *addr, unsigned int order,
			   unsigned long caller)
{
	if (unlikely(myalloc_env_trace_on(page_free)))
		return free_traced(zone, addr, order, caller);
	return free_for(zone, addr, order, caller);
}

/**
 * myalloc_pages_alloc_bulk() - allocate several blocks of one order
 * @zone: the zone
 * @order: log2 of pages
 * @flags: as for myalloc_pages_alloc()
 * @nr: number of blocks
 * @addrs: out: their addresses
 *
 * Context: as for myalloc_pages_alloc().
 * Return: the number of blocks allocated; less than @nr if the zone has no more, 0 if @flags has
 * an unknown flag, which is reported.
 */
unsigned int myalloc_pages_alloc_bulk(struct myalloc_zone *zone,
				      unsigned int order, myalloc_flags_t flags,
				      unsigned int nr, void **addrs)
{
	struct request slow = { zone, myalloc_zone_pcp(zone, order), order, _RET_IP_ }, r = slow;
	unsigned int n = 0, i;

	if (unlikely(myalloc_env_trace_on(page_alloc)))
		return alloc_bulk_traced(zone, order, flags, nr, addrs, _RET_IP_);
	myalloc_flags_might_wait(flags);
	if (unlikely(!myalloc_flags_check(zone, &flags, MYALLOC_PAGES_FLAGS_ALL, _RET_IP_)))
		return 0;
	if (!(flags & (MYALLOC_TOPDOWN | MYALLOC_LENDABLE)))
		n = myalloc_take_bulk(slow.mags, nr, addrs, take_one, &r, ready, &slow);
	for (; n < nr; n++) {
		addrs[n] = alloc_zone(zone, order, flags, _RET_IP_);
		if (!addrs[n]) {
			myalloc_pages_failed(zone, order, flags, _RET_IP_);
			break;
		}
	}
	for (i = 0; i < n; i++)
		myalloc_shadow_pages_alloc(zone, addrs[i], order);
	if (unlikely(flags & MYALLOC_ZERO || zone->checks))
		for (i = 0; i < n; i++)
			myalloc_pages_post_alloc(zone, addrs[i], PAGE_SIZE << order, flags);
	return n;
}

/* A myalloc_ready_fn of frees. */
static bool has_room(struct myalloc_magazine_cpu *cpu, void *arg)
{
	const struct request *r = arg;

	return room(r->zone, r->mags, cpu);
}

/**
 * myalloc_pages_free_bulk() - free several blocks of one order
 * @zone: the zone
 * @order: log2 of pages
 * @nr: number of blocks
 * @addrs: their addresses, any values
 *
 * Frees the blocks from the end of @addrs on, so that blocks from one bulk allocation can be
 * freed in the fastest way (magazine.c, Stale slots). Each wrong free is treated as by
 * myalloc_pages_free().
 *
 * Context: any.
 * Return: the number of blocks freed; @nr if no free was wrong.
 */
unsigned int myalloc_pages_free_bulk(struct myalloc_zone *zone,
				     unsigned int order, unsigned int nr,
				     void **addrs)
{
	struct request slow = { zone, myalloc_zone_pcp(zone, order), order, 0 }, r = slow;
	unsigned int left = nr, freed = 0;

	if (unlikely(myalloc_env_trace_on(page_free)))
		return free_bulk_traced(zone, order, nr, addrs, _RET_IP_);
	while (left) {
		unsigned int n = myalloc_give_bulk(slow.mags, min(left, MYALLOC_BULK_STEP),
						  addrs + left, give_stale, put_one, &r, has_room,
						  &slow);

		left -= n;
		freed += n;
		if (unlikely(left && n < MYALLOC_BULK_STEP))
			freed += !free_slow(zone, addrs[--left], order, _RET_IP_);
	}
	return freed;
}

/* --- operations of the drainer of page magazines; see base/drainer.h --------------------- */

static struct myalloc_zone *zone_of(struct myalloc_drainer *drainer)
{
	return container_of(drainer, struct myalloc_zone, pages);
}

static bool reclaim_pages(struct myalloc_drainer *drainer, u32 *most)
{
	struct myalloc_zone *zone = zone_of(drainer);
	unsigned int i;
	u32 used = 0;

	preempt_disable();
	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		used += myalloc_stock_reclaim(&zone->stock[i], most);
	preempt_enable();
	return used;
}

/*
 * caches_mutex held. Drains the depots if the page magazines were not used since the last run.
 * Returns whether anything is cached.
 */
static bool tend_pages(struct myalloc_drainer *drainer)
{
	struct myalloc_zone *zone = zone_of(drainer);
	bool any = false;
	unsigned int i;
	u64 moves = 0;

	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		moves += myalloc_magazines_moves(&zone->pcp[i]);
	for (i = 0; i < MYALLOC_PCP_LISTS; i++) {
		if (moves == zone->seen_pages)
			myalloc_magazines_drain_depot(&zone->pcp[i], flush, zone);
		any |= myalloc_magazines_count(&zone->pcp[i]) || READ_ONCE(zone->pcp[i].wanted);
		WRITE_ONCE(zone->pcp[i].wanted, false);	/* CPUs may ask again */
	}
	zone->seen_pages = 0;
	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		zone->seen_pages += myalloc_magazines_moves(&zone->pcp[i]);
	return any;
}

/* A CPU has found no magazines. Context: any, preemption off. */
static void missed(void *zone)
{
	myalloc_zone_want_magazines(zone);
}

/* A CPU uses magazines that were unused. Context: any, preemption off. */
static void used(void *zone)
{
	myalloc_zone_use(zone);
}

static void renew_pages(struct myalloc_drainer *drainer)
{
	struct myalloc_zone *zone = zone_of(drainer);
	unsigned long irq;
	unsigned int i;

	raw_spin_lock_irqsave(&zone->lock, irq);
	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		myalloc_magazines_next_epoch(&zone->pcp[i]);
	raw_spin_unlock_irqrestore(&zone->lock, irq);
}

/* Makes magazines for more CPUs, unless the share is too small for that many. */
static void serve_list(struct myalloc_zone *zone, unsigned int list)
{
	struct myalloc_magazines *mags = &zone->pcp[list];
	size_t others = zone->meta_bytes - myalloc_magazines_bytes(mags);
	struct myalloc_magazine_shape shape;
	unsigned long irq;

	if (!myalloc_magazines_places_left(mags)) {
		get_shape(zone, list, myalloc_magazines_more_places(mags), &shape);
		if (!shape.capacity ||
		    myalloc_magazines_remake(mags, &shape, zone->node, flush, zone))
			return;
		raw_spin_lock_irqsave(&zone->lock, irq);	/* keeps the age constant */
		if (!zone->checks)
			WRITE_ONCE(mags->epoch, mags->age);
		raw_spin_unlock_irqrestore(&zone->lock, irq);
		WRITE_ONCE(zone->meta_bytes, others + myalloc_magazines_bytes(mags));
	}
	WRITE_ONCE(mags->wanted, false);
}

static void serve_pages(struct myalloc_drainer *drainer)
{
	struct myalloc_zone *zone = zone_of(drainer);
	unsigned int i;

	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		if (READ_ONCE(zone->pcp[i].wanted))
			serve_list(zone, i);
}

static const struct myalloc_drainer_ops drainer_ops = {
	.reclaim = reclaim_pages,
	.tend = tend_pages,
	.renew = renew_pages,
	.serve = serve_pages,
};

/**
 * myalloc_pcp_init() - create the page magazines of a zone
 * @zone: the zone, with its buddy initialised
 * @none: create all lists without capacity
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM if out of memory, then myalloc_pcp_fini() frees what was allocated.
 */
int myalloc_pcp_init(struct myalloc_zone *zone, bool none)
{
	unsigned int i;
	int err;

	myalloc_drainer_add(zone, &zone->pages, MYALLOC_KIND_PAGES, &drainer_ops);
	for (i = 0; i < MYALLOC_PCP_LISTS; i++) {
		struct myalloc_magazine_shape shape = { 0 };

		if (!none)
			get_shape(zone, i, min(num_online_cpus(), MYALLOC_FIRST_PLACES), &shape);
		err = myalloc_magazines_make(&zone->pcp[i], &shape, NULL, zone->node);
		if (err)
			return err;
		if (zone->checks)	/* the slow path does the checks */
			zone->pcp[i].epoch = MYALLOC_EPOCH_NEVER;
		if (shape.capacity)	/* with 0 now, more CPUs cannot get any either */
			zone->pcp[i].missed = missed;
		zone->pcp[i].used = used;
		zone->pcp[i].owner = zone;
		zone->meta_bytes += myalloc_magazines_bytes(&zone->pcp[i]);
		zone->stock[i].mags = &zone->pcp[i];
		zone->stock[i].flush = flush;
		zone->stock[i].owner = zone;
		list_add_tail(&zone->stock[i].link, &zone->pages.stocks);
	}
	zone->meta_bytes += sizeof(*zone->pcp[i].cpu) * num_possible_cpus();
	return myalloc_magazines_init(&zone->pcp[i], 0, 0, 0, zone->node);
}

/**
 * myalloc_pcp_fini() - free the page magazines of a zone
 * @zone: the zone, drained
 *
 * Context: task, may sleep.
 */
void myalloc_pcp_fini(struct myalloc_zone *zone)
{
	unsigned int i;

	for (i = 0; i <= MYALLOC_PCP_LISTS; i++)
		myalloc_magazines_fini(&zone->pcp[i]);
}
