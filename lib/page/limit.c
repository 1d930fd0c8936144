// SPDX-License-Identifier: GPL-2.0
/*
 * Limits: which requests the zone of a contract serves
 *
 * The zone of a line of a contract (client/contract.c) serves the sizes that the line declares,
 * first fit, as long as no more than M pages are live. Everything that the proof of plan.c does not
 * cover is refused: other sizes, the highest address, particular pages, an alignment above that of
 * the size. Neither pages nor extents of such a zone are in magazines, so each request comes here,
 * and all are counted.
 *
 * Terms
 *	live	allocated, and neither kept for NMI handlers nor, up to E blocks of each CPU,
 *		waiting for the lock in the list of deferred frees. Bad pages are live, and so are
 *		quarantined ones until a look finds them no longer referenced
 *	beyond	a request that would make more than M pages live. It gets NULL, or, by flag, an
 *		extent of the parent zone that has the contract's number; but NULL if it is
 *		lendable, which an extent cannot be
 *	kept	blocks that the stacks of the CPUs hold for NMI handlers
 *
 * Count: one word, limit->count, tells how many pages are live, with and without the lock. (An NMI
 * handler that read the buddy, the stacks and the list of deferred frees one after the other might
 * see both a block that was freed meanwhile and the one that was allocated in its place, and refuse
 * a request within.) Pages are counted before they are taken, and until they are back in the buddy
 * or in the list. So no more than M are ever live, and whatever users request, there are always
 * blocks to fill the stacks with.
 *
 * NMI: a request within that finds the lock taken takes a block from the stack of its CPU by at
 * most E exchanges. Each NMI operation that took from the stack, or whose free was deferred,
 * requests a hard interrupt of its CPU, which completes deferred frees and fills the stack, also
 * while M pages are live: as soon as one is freed, an NMI handler may ask for it. So E allocations
 * and E frees of a CPU succeed from the start of one of these interrupts to the end of the next;
 * models/limit.pml checks that. An NMI on top of an allocation or of the refill finds each word of
 * the stack either taken or not, as the exchange decides.
 *
 * A line of objects serves more than K of them while it has slots, and so may leave none for the
 * stacks. Then a stack stays short of something, limit->starved is set, and the next slot that is
 * freed requests the interrupt, as each free that has to wait does anyway. It fills the stacks of
 * other CPUs too, one each time.
 *
 * Extents: the proof requires that each extent is either allocated or free as a whole. An extent
 * whose free has to wait is therefore one entry of the list (extent.c) and live as a whole, and the
 * hold of the lock that uncharges it gives all of it back.
 *
 * Invariant
 *	F1  Whenever nobody holds the lock, every allocated page belongs to one of these: whole
 *	    blocks and extents of requests, each with all its pages in the low half of the count;
 *	    those of them whose free waits, with all their pages in the high half as well; and
 *	    kept blocks. In a line of extents all pages of the high half count as live.
 * Proof that a request within finds a place: it is charged under the lock, where live pages, with
 * those of the request, are at most M. Without NMI handlers the live ones are all that is
 * allocated (F1), so the state is one that first fit reaches with whole blocks and extents of at
 * most M pages: a free that waits is one that has not been called yet. plan.c proves that N pages
 * suffice for those. With E blocks for each CPU, kept and waiting ones that are not live are at
 * most 2 * P * E, all of one order, and N was planned for so many more. F1 holds at first, and is
 * kept: a request charges before it takes, and gives both up together if it finds nothing; a free
 * uncharges the pages that go back under the same hold; a free that waits adds what it has
 * charged.
 *
 * Bounds: a request takes as long as in every zone, and one more hold of the lock for a count of
 * sites if it is beyond. Before that it looks at POLL_MOST quarantined blocks (all of them if it
 * may wait; none in NMI), two holds each, and tries again if one has come back. The interrupt does
 * 2 * E holds; after a shortage of slots E + 2 more, and a look at all stacks. The
 * compare-and-exchange of the count is repeated only if another CPU has counted something since.
 */
#include "env.h"
#include "page/block.h"
#include "page/drain.h"
#include "page/lend.h"
#include "page/limit.h"
#include "page/shadow.h"
#include "page/zone_report.h"

/* Quarantined blocks that a request looks at before it is beyond, if it may not wait */
#define POLL_MOST	16

/* What became of an attempt. */
enum verdict {
	TAKEN,
	BEYOND,
	BROKEN,		/* within the line, and there is no place */
	LOCKED,		/* in NMI, and the lock is taken */
};

/* Pages that are live if limit->count is @count. */
static u32 live(const struct myalloc_limit *limit, u64 count)
{
	u32 taken = lower_32_bits(count), waiting = min(upper_32_bits(count), limit->waiting);

	return taken > waiting ? taken - waiting : 0;
}

/*
 * Counts pages of a request, before they are taken, unless it is beyond. Any context, with and
 * without the lock: all that decides is one word. Fails for nothing else, so a repetition means
 * that another request or free has been counted.
 */
static bool charge(struct myalloc_limit *limit, u32 pages)
{
	s64 count = atomic64_read(&limit->count);
	u32 now, peak = READ_ONCE(limit->peak);

	do {
		if ((u64)live(limit, count) + pages > limit->most)
			return false;
		now = live(limit, count) + pages;
	} while (!atomic64_try_cmpxchg(&limit->count, &count, count + pages));
	while (now > peak && !try_cmpxchg(&limit->peak, &peak, now))
		;
	return true;
}

/**
 * myalloc_limit_note_unused() - note how few slots of a line of objects no user had
 * @limit: the limit of the line
 * @free_slots: free slots of its cache
 *
 * To be called when a user may have got a slot, before frees of others return any.
 *
 * Context: any.
 */
void myalloc_limit_note_unused(struct myalloc_limit *limit, u64 free_slots)
{
	u64 now = free_slots + atomic64_read(&limit->kept), least = READ_ONCE(limit->least_unused);

	while (now < least && !try_cmpxchg(&limit->least_unused, &least, now))
		;
}

static void uncharge(struct myalloc_limit *limit, u32 pages)
{
	atomic64_sub(pages, &limit->count);
}

/**
 * myalloc_limit_live() - pages that are live
 * @limit: the limit of the zone of a line of pages
 *
 * Context: any.
 * Return: their number.
 */
u32 myalloc_limit_live(const struct myalloc_limit *limit)
{
	return live(limit, atomic64_read(&limit->count));
}

/* --- what is refused, and what failed ------------------------------------------------------ */

/**
 * myalloc_limit_refuse() - refuse a request that a contract does not serve
 * @zone: the zone of the contract
 * @nr_pages: pages that were asked for
 * @why: the reason, in words that follow "asked for"
 * @caller: code address of the user
 *
 * Context: any.
 * Return: -EINVAL.
 */
noinline int myalloc_limit_refuse(struct myalloc_zone *zone, u32 nr_pages, const char *why,
				  unsigned long caller)
{
	atomic64_inc(&zone->limit->refused);
	myalloc_site_err(zone, caller, "request for %u page%s from %c refused: a contract does not serve %s",
			 nr_pages, myalloc_s(nr_pages), MYALLOC_REPORT_MARK, why);
	return -EINVAL;
}

/**
 * myalloc_limit_beyond() - count a request that exceeded the line
 * @limit: the limit of its zone
 * @caller: code address of the user
 *
 * Context: any; in NMI the code address is counted only if the lock is free.
 */
void myalloc_limit_beyond(struct myalloc_limit *limit, unsigned long caller)
{
	unsigned long irq;
	u32 i;

	atomic64_inc(&limit->beyond);
	if (!myalloc_lock(&limit->sites_lock, &irq))
		return;
	for (i = 0; i < MYALLOC_CONTRACT_SITES - 1; i++)
		if (!limit->sites[i].count || limit->sites[i].caller == caller)
			break;
	if (i < MYALLOC_CONTRACT_SITES - 1)
		limit->sites[i].caller = caller;
	limit->sites[i].count++;
	raw_spin_unlock_irqrestore(&limit->sites_lock, irq);
}

/**
 * myalloc_limit_broken() - count a request within the line that failed, and report the first
 * @limit: the limit of its zone
 * @what: what was asked for, in words
 * @caller: code address of the user
 *
 * Context: any.
 */
noinline void myalloc_limit_broken(struct myalloc_limit *limit, const char *what,
				   unsigned long caller)
{
	atomic64_inc(&limit->failed_within);
	if (!xchg(&limit->told, true))
		myalloc_site_crit(limit->zone, caller, "request for %s from %c failed within the contract: this is a bug; further cases are not reported",
				  what, MYALLOC_REPORT_MARK);
}

/* --- allocations --------------------------------------------------------------------------- */

static bool declared(const struct myalloc_limit *limit, u32 nr)
{
	return nr <= BIT(limit->zone->chunk_order) && limit->sizes[nr / 64] >> (nr % 64) & 1;
}

/* Does the proof cover such a request? If not, say why. */
static bool allowed(struct myalloc_zone *zone, const struct myalloc_limit_request *r,
		    myalloc_flags_t flags)
{
	const struct myalloc_limit *limit = zone->limit;

	if (likely(declared(limit, r->nr_pages) && !(flags & MYALLOC_TOPDOWN) &&
		   r->align_order <= (u32)fls(r->nr_pages - 1)))
		return true;
	myalloc_limit_refuse(zone, r->nr_pages, flags & MYALLOC_TOPDOWN ?
			     "the highest address (MYALLOC_TOPDOWN)" :
			     !limit->most ? "pages from a line of objects" :
			     !declared(limit, r->nr_pages) ? "a size that is not declared" :
			     "an alignment above the size that is not declared: declare a larger size",
			     r->caller);
	return false;
}

static enum verdict attempt(struct myalloc_zone *zone, const struct myalloc_limit_request *r,
			    u32 *idx)
{
	struct myalloc_limit *limit = zone->limit;
	enum verdict verdict = BEYOND;
	unsigned long irq;

	if (!myalloc_lock(&zone->lock, &irq))
		return LOCKED;
	__myalloc_zone_reap(zone, limit->reap_most);
	if (charge(limit, r->nr_pages)) {
		*idx = r->take(zone, r->arg);
		verdict = *idx == MYALLOC_NO_FRAME ? BROKEN : TAKEN;
	}
	if (verdict == TAKEN) {
		__myalloc_zone_account(zone);
		limit->highest_end = max(limit->highest_end, *idx + r->nr_pages);
	} else if (verdict == BROKEN) {
		uncharge(limit, r->nr_pages);
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return verdict;
}

/* Others serve a request beyond the line, if the contract says so and they can. */
static void *best_effort(struct myalloc_limit *limit, const struct myalloc_limit_request *r,
			 myalloc_flags_t flags)
{
	void *addr;

	myalloc_limit_beyond(limit, r->caller);
	if (!limit->backing || flags & MYALLOC_LENDABLE)
		return NULL;
	addr = limit->backing->alloc(limit, r->nr_pages, r->align_order, flags, r->caller);
	if (addr)
		atomic64_inc(&limit->best_effort);
	return addr;
}

/*
 * In NMI without the lock; the pages are counted. All blocks of the stack have the one size that is
 * declared.
 */
static void *from_stack(struct myalloc_zone *zone, const struct myalloc_limit_request *r)
{
	u32 idx = myalloc_limit_pop(zone->limit);
	struct myalloc_frame *frame;

	if (!idx) {
		uncharge(zone->limit, r->nr_pages);
		atomic64_inc(&zone->nmi_fails);
		return NULL;
	}
	frame = &zone->frames[idx - 1];
	frame->caller = r->caller;
	frame->stack = r->stamp;
	WRITE_ONCE(frame->tag, r->tag);
	return myalloc_frame_addr(zone, idx - 1);
}

/* A request would be beyond: look whether the quarantine gives pages back. */
static bool comes_back(struct myalloc_zone *zone, myalloc_flags_t flags)
{
	if (flags & MYALLOC_MAY_WAIT) {
		myalloc_zone_drain_request(zone);
		return true;
	}
	return !in_nmi() && myalloc_quarantine_poll(zone, POLL_MOST);
}

/**
 * myalloc_limit_alloc() - allocate pages of the zone of a contract
 * @zone: the zone
 * @request: what is asked for
 * @flags: flags of the request, already checked
 *
 * Context: as for myalloc_pages_alloc().
 * Return: the address; NULL if the request is not declared, which is reported, or beyond the line,
 * or in NMI if the lock is taken and the stack empty.
 */
void *myalloc_limit_alloc(struct myalloc_zone *zone, const struct myalloc_limit_request *request,
			  myalloc_flags_t flags)
{
	struct myalloc_limit *limit = zone->limit;
	enum verdict verdict;
	char what[24];
	u32 idx;

	if (unlikely(!allowed(zone, request, flags)))
		return NULL;
	verdict = attempt(zone, request, &idx);
	if (unlikely(verdict == BEYOND) && comes_back(zone, flags))
		verdict = attempt(zone, request, &idx);
	if (likely(verdict == TAKEN))
		return myalloc_frame_addr(zone, idx);
	if (verdict == LOCKED && charge(limit, request->nr_pages))
		return from_stack(zone, request);
	if (verdict == BEYOND || verdict == LOCKED)
		return best_effort(limit, request, flags);
	scnprintf(what, sizeof(what), "%u page%s", request->nr_pages,
		  myalloc_s(request->nr_pages));
	myalloc_limit_broken(limit, what, request->caller);
	return NULL;
}

struct block {
	unsigned int order;
	u32 tag;
	unsigned long caller;
};

/* Lock held. A take function of struct myalloc_limit_request. */
static u32 take_block(struct myalloc_zone *zone, const void *arg)
{
	const struct block *block = arg;
	struct myalloc_frame *frame = __myalloc_zone_take(zone, block->order, false, block->tag);

	if (!frame)
		return MYALLOC_NO_FRAME;
	frame->caller = block->caller;
	zone->allocs[block->order]++;
	return myalloc_frame_idx(zone, frame);
}

/**
 * myalloc_limit_block() - allocate a block of the zone of a contract
 * @zone: the zone
 * @order: log2 of pages, any value
 * @flags: flags of the request, already checked
 * @tag: tag of its first frame
 * @caller: code address of the user
 *
 * Context: as for myalloc_pages_alloc().
 * Return: as for myalloc_limit_alloc().
 */
void *myalloc_limit_block(struct myalloc_zone *zone, unsigned int order, myalloc_flags_t flags,
			  u32 tag, unsigned long caller)
{
	const struct block block = { order, tag, caller };
	const struct myalloc_limit_request request = {
		.nr_pages = order <= MYALLOC_TOP_ORDER ? BIT(order) : 0,
		.align_order = order,
		.caller = caller,
		.tag = tag,
		.take = take_block,
		.arg = &block,
	};

	return myalloc_limit_alloc(zone, &request, flags);
}

/**
 * myalloc_limit_free_beyond() - free pages that a request beyond the line got
 * @zone: the zone of the contract, to which @addr does not belong
 * @addr: any value
 * @nr_pages: pages that it is freed as
 * @caller: code address of the user that frees it
 *
 * Context: any.
 * Return: true if they were freed; false if they are no such pages.
 */
bool myalloc_limit_free_beyond(struct myalloc_zone *zone, void *addr, u32 nr_pages,
			       unsigned long caller)
{
	struct myalloc_limit *limit = zone->limit;

	return limit->backing && limit->backing->free(limit, addr, nr_pages, caller);
}

/* --- stacks for NMI handlers --------------------------------------------------------------- */

/* The stack of a CPU. */
static unsigned long *stack_of(const struct myalloc_limit *limit, u32 cpu)
{
	return limit->stack + (size_t)cpu * limit->each;
}

/*
 * An entry of a stack is corrupt: drop it. The block or object it named is lost and counts as
 * live.
 */
static noinline void lose_word(struct myalloc_limit *limit, unsigned long thing)
{
	atomic64_dec(&limit->kept);
	myalloc_limit_taken(limit, BIT(limit->order));
	myalloc_zone_crit(limit->zone, "the stack for NMI handlers of CPU %u holds 0x%lx, which is not kept there: damaged, it is dropped",
			  smp_processor_id(), thing);
}

/**
 * myalloc_limit_pop() - take a thing from the stack of this CPU
 * @limit: the limit
 *
 * Context: NMI.
 * Return: the thing; 0 if there is none, which is counted.
 */
unsigned long myalloc_limit_pop(struct myalloc_limit *limit)
{
	unsigned long *stack, thing = 0;
	u32 i;

	if (limit->each) {
		stack = stack_of(limit, smp_processor_id());
		for (i = 0; i < limit->each && !thing; i++) {
			if (READ_ONCE(stack[i]))
				thing = xchg(&stack[i], 0);
			if (unlikely(thing && !limit->ops->is_kept(limit, thing))) {
				lose_word(limit, thing);
				thing = 0;
			}
		}
		myalloc_limit_kick(limit);
	}
	if (!thing) {
		atomic64_inc(&limit->nmi_misses);
		return 0;
	}
	atomic64_dec(&limit->kept);
	atomic64_inc(&limit->nmi_allocs);
	return thing;
}

/* A thing for a stack. If there is none, the next that is freed requests the interrupt. */
static unsigned long find_thing(struct myalloc_limit *limit)
{
	unsigned long thing = limit->ops->fill(limit);

	if (likely(thing))
		return thing;
	/*
	 * Look again under the lock: a free before the first look may have ended before the flag
	 * was set, and one after the second look sees it.
	 */
	WRITE_ONCE(limit->starved, true);
	return limit->ops->fill(limit);
}

/*
 * Fill the empty words of the stack of a CPU. Two may do so at once. Returns false if there was
 * nothing to fill one with.
 */
static bool fill(struct myalloc_limit *limit, u32 cpu)
{
	unsigned long *stack = stack_of(limit, cpu), thing;
	u32 i;

	for (i = 0; i < limit->each; i++) {
		if (READ_ONCE(stack[i]))
			continue;
		thing = find_thing(limit);
		if (!thing)
			return false;
		myalloc_env_point("stack-word");
		if (cmpxchg(&stack[i], 0, thing)) {
			limit->ops->drop(limit, thing);
			atomic64_dec(&limit->kept);
		}
	}
	return true;
}

static bool is_short(const struct myalloc_limit *limit, u32 cpu)
{
	const unsigned long *stack = stack_of(limit, cpu);
	u32 i;

	for (i = 0; i < limit->each; i++)
		if (!READ_ONCE(stack[i]))
			return true;
	return false;
}

/* Fill the stack of one CPU that is short of something, and have the next one filled. */
static void fill_starved(struct myalloc_limit *limit)
{
	u32 cpu;

	for_each_possible_cpu(cpu) {
		if (!is_short(limit, cpu))
			continue;
		if (fill(limit, cpu)) {
			WRITE_ONCE(limit->starved, true);
			myalloc_limit_kick(limit);
		}
		break;
	}
}

static void refill(struct myalloc_env_kick *kick)
{
	struct myalloc_limit *limit = container_of(kick, struct myalloc_limit_refill, kick)->limit;
	bool starved;
	u32 i;

	if (READ_ONCE(limit->closed))
		return;
	for (i = 0; i < limit->each; i++)
		limit->ops->reap(limit);
	starved = READ_ONCE(limit->starved);
	if (unlikely(starved)) {
		WRITE_ONCE(limit->starved, false);
		smp_mb();	/* before the stacks are read: pairs with xchg() of a pop */
	}
	if (fill(limit, smp_processor_id()) && unlikely(starved))
		fill_starved(limit);
	atomic64_inc(&limit->refills);
}

/**
 * myalloc_limit_init() - initialise the limit of a zone
 * @limit: the limit, zeroed
 * @zone: the zone
 * @parent: the zone that its chunks come from
 * @each: things that each CPU has for NMI handlers
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM.
 */
int myalloc_limit_init(struct myalloc_limit *limit, struct myalloc_zone *zone,
		       struct myalloc_zone *parent, u32 each)
{
	int cpu;

	limit->zone = zone;
	limit->parent = parent;
	raw_spin_lock_init(&limit->sites_lock);
	if (!each)
		return 0;
	limit->stack = myalloc_env_zalloc_charged(nr_cpu_ids * each * sizeof(*limit->stack),
						  parent->node);
	limit->refill = myalloc_env_zalloc_charged(nr_cpu_ids * sizeof(*limit->refill),
						   parent->node);
	if (!limit->stack || !limit->refill)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		limit->refill[cpu].limit = limit;
		myalloc_env_kick_init(&limit->refill[cpu].kick, refill);
	}
	limit->each = each;
	return 0;
}

/**
 * myalloc_limit_fill() - fill the stacks of all CPUs
 * @limit: the limit, complete
 *
 * Context: task.
 */
void myalloc_limit_fill(struct myalloc_limit *limit)
{
	int cpu;

	if (!limit->stack)
		return;
	for_each_possible_cpu(cpu)
		fill(limit, cpu);
}

/**
 * myalloc_limit_sync() - wait until no CPU fills its stack
 * @limit: the limit
 *
 * Context: task, may sleep.
 */
void myalloc_limit_sync(struct myalloc_limit *limit)
{
	int cpu;

	if (!limit->each)
		return;
	for_each_possible_cpu(cpu)
		myalloc_env_kick_sync(&limit->refill[cpu].kick);
}

/**
 * myalloc_limit_empty() - empty the stacks of all CPUs, and let nothing fill them again
 * @limit: the limit, which NMI handlers no longer use
 *
 * Context: task, may sleep.
 */
void myalloc_limit_empty(struct myalloc_limit *limit)
{
	u32 i;

	WRITE_ONCE(limit->closed, true);
	smp_mb();	/* interrupts under way are waited for, later ones see it */
	myalloc_limit_sync(limit);
	for (i = 0; limit->stack && i < nr_cpu_ids * limit->each; i++) {
		if (!limit->stack[i])
			continue;
		limit->ops->drop(limit, limit->stack[i]);
		limit->stack[i] = 0;
		atomic64_dec(&limit->kept);
	}
}

/**
 * myalloc_limit_fini() - free the memory of a limit
 * @limit: the limit, its stacks empty
 *
 * Context: task, may sleep.
 */
void myalloc_limit_fini(struct myalloc_limit *limit)
{
	myalloc_limit_sync(limit);	/* frees may have requested interrupts since */
	myalloc_env_free(limit->refill);
	myalloc_env_free(limit->stack);
}

static bool is_kept_page(struct myalloc_limit *limit, unsigned long thing)
{
	return thing <= limit->zone->buddy.nr_frames &&
	       READ_ONCE(limit->zone->frames[thing - 1].tag) ==
	       myalloc_frame_tag(MYALLOC_FRAME_KEPT, limit->order, 0);
}

/* Index + 1 of a block that is KEPT. */
static unsigned long fill_page(struct myalloc_limit *limit)
{
	struct myalloc_zone *zone = limit->zone;
	struct myalloc_frame *frame;
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->lock, irq);
	frame = __myalloc_zone_take(zone, limit->order, false,
				    myalloc_frame_tag(MYALLOC_FRAME_KEPT, limit->order, 0));
	if (frame) {
		u32 end = myalloc_frame_idx(zone, frame) + BIT(limit->order);

		limit->highest_end = max(limit->highest_end, end);
		zone->allocs[limit->order]++;
		atomic64_inc(&limit->kept);
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return frame ? myalloc_frame_idx(zone, frame) + 1 : 0;
}

/* No user has had it, so it is not counted as given. */
static void drop_page(struct myalloc_limit *limit, unsigned long thing)
{
	struct myalloc_zone *zone = limit->zone;
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->lock, irq);
	if (!__myalloc_zone_give(zone, &zone->frames[thing - 1]))
		zone->frees[limit->order]++;
	raw_spin_unlock_irqrestore(&zone->lock, irq);
}

static void reap_pages(struct myalloc_limit *limit)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&limit->zone->lock, irq);
	__myalloc_zone_reap(limit->zone, 1);
	raw_spin_unlock_irqrestore(&limit->zone->lock, irq);
}

/* Of lines of pages and extents. */
const struct myalloc_limit_ops myalloc_limit_page_ops = {
	.is_kept = is_kept_page,
	.fill = fill_page,
	.drop = drop_page,
	.reap = reap_pages,
};
