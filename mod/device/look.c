// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that look at memory: MYALLOC_IOC_CELLS and MYALLOC_IOC_LOOK
 *
 * A picture of a zone is made here and not in the tool, because a zone of 64 GiB may have 16
 * million blocks, of which a terminal shows some thousand cells: the walk is cheap, copying each
 * block out is not.
 *
 * The walk takes no lock. It finds a block by the bits of the buddy, and what it is by the tag of
 * its first frame. Both may change meanwhile, so a wrong neighbour may be counted, but each page is
 * counted once: a block that cannot be found counts as one moving page, and the walk goes on with
 * the next.
 *
 * A block of a contract is the chunk of another zone, in which the walk of a command that asks for
 * one place goes on. Preemption is off meanwhile, so that zone does not end.
 *
 * Addresses never leave the kernel: the answer has numbers of pages and of slots. To ask about an
 * address needs CAP_SYSLOG, because a process could find out by trying where the zone is.
 */
#include "env.h"

#include <linux/capability.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/contract.h"
#include "device/command.h"
#include "device/session.h"
#include "object/cache.h"
#include "object/check.h"
#include "page/zone_report.h"
#include "zone/zone.h"

static_assert(sizeof(struct myalloc_cell) == 80);
static_assert(sizeof(struct myalloc_cells) == 32);
static_assert(sizeof(struct myalloc_who) == 1168);
static_assert(sizeof(struct myalloc_look) == 72 + 32 + 16 + 2 * 1168 + 2 * MYALLOC_NAME_MAX);
static_assert(MYALLOC_CLIENT_NAME <= MYALLOC_NAME_MAX);

#define REST_EVERY	1024	/* blocks between two offers to reschedule */
#define TRIES		8	/* of a block that changes while it is looked at */

static u32 kind_of(u8 type)
{
	switch (type) {
	case MYALLOC_FRAME_PAGE:
	case MYALLOC_FRAME_LENT:
	case MYALLOC_FRAME_EXTENT:
	case MYALLOC_FRAME_PIECE:
		return MYALLOC_IS_PAGES;
	case MYALLOC_FRAME_CACHED:
		return MYALLOC_IS_CACHED;
	case MYALLOC_FRAME_SLAB:
	case MYALLOC_FRAME_NEW:
	case MYALLOC_FRAME_LIMBO:
		return MYALLOC_IS_SLAB;
	case MYALLOC_FRAME_DEFERRED:
	case MYALLOC_FRAME_DEFERRING:
	case MYALLOC_FRAME_RECOVERING:
		return MYALLOC_IS_DEFERRED;
	case MYALLOC_FRAME_QUARANTINE:
		return MYALLOC_IS_QUARANTINED;
	case MYALLOC_FRAME_BAD:
		return MYALLOC_IS_BAD;
	case MYALLOC_FRAME_CONTRACT:
	case MYALLOC_FRAME_KEPT:
		return MYALLOC_IS_CONTRACT;
	case MYALLOC_FRAME_HOLE:
		return MYALLOC_IS_HOLE;
	default:
		return MYALLOC_IS_MOVING;
	}
}

/* --- cells ------------------------------------------------------------------------- */

/* Share of the slots of a slab that are not free, in 1/1000. */
static u32 filled(struct myalloc_zone *zone, struct myalloc_frame *frame)
{
	struct myalloc_cache *cache;
	u32 share = 0;

	preempt_disable();	/* keeps the cache from being freed */
	cache = myalloc_frame_cache(zone, frame);
	if (cache)
		share = min(READ_ONCE(frame->inuse) * 1000u / cache->layout.objects, 1000u);
	preempt_enable();
	return share;
}

/* Count the block at @idx as far as @end. Returns the page after it. */
static u32 count_block(struct myalloc_zone *zone, struct myalloc_cell *cell, u32 idx, u32 end)
{
	struct myalloc_block block;
	struct myalloc_frame *frame;
	u32 next, kind;

	if (!myalloc_buddy_lookup(&zone->buddy, idx, &block)) {
		cell->pages[MYALLOC_IS_MOVING]++;
		return idx + 1;
	}
	next = min_t(u64, (u64)block.idx + BIT(block.order), end);
	if (block.free) {
		cell->pages[MYALLOC_IS_FREE] += next - idx;
		cell->largest = max_t(u32, cell->largest, block.order + 1);
		return next;
	}
	frame = &zone->frames[block.idx];
	kind = kind_of(READ_ONCE(frame->type));
	cell->pages[kind] += next - idx;
	if (kind == MYALLOC_IS_SLAB)
		cell->filled += (u64)(next - idx) * filled(zone, frame);
	return next;
}

static void count_cell(struct myalloc_zone *zone, struct myalloc_cell *cell, u32 idx, u32 end)
{
	u32 nr = 0;

	memset(cell, 0, sizeof(*cell));
	while (idx < end && !fatal_signal_pending(current)) {
		idx = count_block(zone, cell, idx, end);
		if (!(++nr % REST_EVERY))
			cond_resched();
	}
}

static int do_cells(struct myalloc_session *session, struct myalloc_zone *zone,
		    void __user *user)
{
	struct myalloc_cell __user *to;
	struct myalloc_cells arg;
	struct myalloc_cell cell;
	u64 idx, end, nr = zone->buddy.nr_frames;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (arg.first >= nr || !arg.pages || !arg.count || arg.count > MYALLOC_CELLS_MAX)
		return -EINVAL;
	to = u64_to_user_ptr(arg.cells);
	arg.done = 0;
	for (idx = arg.first; idx < nr && arg.done < arg.count; idx = end) {
		end = arg.pages < nr - idx ? idx + arg.pages : nr;
		count_cell(zone, &cell, idx, end);
		if (fatal_signal_pending(current))
			return -EINTR;
		if (copy_to_user(&to[arg.done], &cell, sizeof(cell)))
			return -EFAULT;
		arg.done++;
		cond_resched();
	}
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}

/* --- one place ----------------------------------------------------------------------- */

/* What is copied under a lock, to be put into words later. @client may have ended by then. */
struct seen {
	struct myalloc_frame frame;
	const struct myalloc_client *client;
	bool known[MYALLOC_NR_TRACKS];
	struct myalloc_track track[MYALLOC_NR_TRACKS];
	bool gone;
	struct myalloc_past past;	/* if @gone */
};

static u32 slot_state(u8 state)
{
	switch (state) {
	case MYALLOC_SLOT_FREE:
		return MYALLOC_SLOT_IS_FREE;
	case MYALLOC_SLOT_CACHED:
		return MYALLOC_SLOT_IS_CACHED;
	case MYALLOC_SLOT_LIVE:
		return MYALLOC_SLOT_IS_LIVE;
	case MYALLOC_SLOT_DEFERRED:
	case MYALLOC_SLOT_DEFERRING:
	case MYALLOC_SLOT_RECOVERING:
		return MYALLOC_SLOT_IS_DEFERRED;
	default:
		return MYALLOC_SLOT_IS_MOVING;
	}
}

/* cache->lock held. */
static void look_at_slot(struct myalloc_look *look, struct seen *seen,
			 struct myalloc_cache *cache, struct myalloc_frame *frame, void *slab)
{
	const struct myalloc_track *track;
	unsigned int which;

	look->state = slot_state(READ_ONCE(myalloc_slab_states(cache, frame, slab)[look->slot]));
	/* A trusting cache tells live from cached at a flush only. */
	if (cache->level == MYALLOC_TRUSTING && look->state == MYALLOC_SLOT_IS_CACHED)
		look->state = MYALLOC_SLOT_IS_LIVE;
	for (which = 0; which < MYALLOC_NR_TRACKS; which++) {
		track = myalloc_track(cache, slab, look->slot, which);
		seen->known[which] = track && track->caller;
		if (seen->known[which])
			seen->track[which] = *track;
	}
}

/*
 * A slab: with @addr the slot that contains it, otherwise the one that look->slot names. Returns
 * -EAGAIN if the slab has gone meanwhile.
 */
static int look_at_slab(struct myalloc_zone *zone, struct myalloc_look *look, struct seen *seen,
			struct myalloc_frame *frame, const void *addr)
{
	struct myalloc_cache *cache;
	unsigned long irq;
	void *slab;
	int err = 0;

	preempt_disable();	/* keeps the cache from being freed */
	cache = myalloc_frame_cache(zone, frame);
	if (!cache) {
		preempt_enable();
		return look->slot == MYALLOC_LOOK_NONE ? 0 : -EINVAL;
	}
	raw_spin_lock_irqsave(&cache->lock, irq);
	if (frame->tag != cache->tag) {
		err = READ_ONCE(frame->type) == MYALLOC_FRAME_LIMBO ? 0 : -EAGAIN;
		look->slot = MYALLOC_LOOK_NONE;
		goto unlock;
	}
	slab = myalloc_slab_addr(cache, frame);
	look->cache = cache->id;
	look->slots = cache->layout.objects;
	look->used = frame->inuse;
	look->object_size = cache->layout.object_size;
	strscpy(look->name, cache->name, sizeof(look->name));
	seen->client = cache->client ?: seen->client;
	if (addr)
		look->slot = myalloc_slab_locate(cache, addr, &slab);
	if (look->slot == MYALLOC_LOOK_NONE)
		goto unlock;
	if (look->slot >= look->slots) {
		err = -EINVAL;
		goto unlock;
	}
	if (addr)
		look->offset = (const char *)addr -
			       (char *)myalloc_slab_object(cache, slab, look->slot);
	look_at_slot(look, seen, cache, frame, slab);
unlock:
	raw_spin_unlock_irqrestore(&cache->lock, irq);
	preempt_enable();
	return err;
}

/* The first block of the extent that the piece at @idx belongs to; @idx if it is not found. */
static u32 extent_start(struct myalloc_zone *zone, u32 idx)
{
	struct myalloc_block block;
	struct myalloc_frame frame;
	u32 at = idx, steps;

	/* Pieces grow towards the middle of an extent and shrink again. */
	for (steps = 0; at && steps < 2 * MYALLOC_NR_ORDERS; steps++) {
		if (!myalloc_buddy_lookup(&zone->buddy, at - 1, &block) || block.free)
			break;
		at = block.idx;
		frame.tag = READ_ONCE(zone->frames[at].tag);
		if (frame.type == MYALLOC_FRAME_EXTENT)
			return at + myalloc_frame_pages(&frame) > idx ? at : idx;
		if (frame.type != MYALLOC_FRAME_PIECE)
			break;
	}
	return idx;
}

static int look_within(struct myalloc_zone *zone, struct myalloc_zone *child,
		       struct myalloc_look *look, struct seen *seen, u32 idx, const void *addr);

/* Preemption off. */
static int look_at_page(struct myalloc_zone *zone, struct myalloc_look *look, struct seen *seen,
			u32 idx, const void *addr)
{
	struct myalloc_zone *child;
	struct myalloc_frame *frame;
	struct myalloc_block block;
	u32 at;

	if (!myalloc_buddy_lookup(&zone->buddy, idx, &block))
		return -EAGAIN;
	at = block.idx;
	if (!block.free && READ_ONCE(zone->frames[at].type) == MYALLOC_FRAME_PIECE) {
		at = extent_start(zone, at);
		if (at != block.idx && !myalloc_buddy_lookup(&zone->buddy, at, &block))
			return -EAGAIN;
	}
	frame = &zone->frames[at];
	look->first = at;
	look->order = block.order;
	look->pages = BIT(block.order);
	look->offset = ((s64)idx - at) * PAGE_SIZE;
	if (addr)
		look->offset += (unsigned long)addr & ~PAGE_MASK;
	look->kind = MYALLOC_IS_FREE;
	if (block.free) {
		seen->gone = myalloc_zone_past(zone, idx, &block, &seen->past);
		return look->slot == MYALLOC_LOOK_NONE ? 0 : -EINVAL;
	}
	/* The tag is read before and after the other members, so that these belong to it. */
	seen->frame.tag = smp_load_acquire(&frame->tag);
	seen->frame.stack = smp_load_acquire(&frame->stack);	/* after tag */
	seen->frame.caller = smp_load_acquire(&frame->caller);	/* before the next */
	if (READ_ONCE(frame->tag) != seen->frame.tag)
		return -EAGAIN;
	look->kind = kind_of(seen->frame.type);
	child = myalloc_zone_child(zone, &seen->frame);
	if (child)
		return look_within(zone, child, look, seen, idx, addr);
	if (look->kind == MYALLOC_IS_PAGES) {
		look->pages = myalloc_frame_pages(&seen->frame);
		seen->client = myalloc_client_of(zone, myalloc_frame_owner(&seen->frame)) ?:
			       seen->client;
	}
	if (look->kind == MYALLOC_IS_CACHED || look->kind == MYALLOC_IS_DEFERRED ||
	    look->kind == MYALLOC_IS_QUARANTINED)
		seen->gone = myalloc_zone_past(zone, idx, &block, &seen->past);
	if (look->kind == MYALLOC_IS_SLAB)
		return look_at_slab(zone, look, seen, frame, addr);
	return look->slot == MYALLOC_LOOK_NONE ? 0 : -EINVAL;
}

/*
 * The page at @idx is one of @child. A block of it lies within one block of @zone, so its pages
 * have numbers of @zone, too.
 */
static int look_within(struct myalloc_zone *zone, struct myalloc_zone *child,
		       struct myalloc_look *look, struct seen *seen, u32 idx, const void *addr)
{
	const struct myalloc_frame *frame = myalloc_map_frame(&child->map,
							      myalloc_frame_addr(zone, idx));
	u32 within;
	int err;

	strscpy(look->contract, child->name, sizeof(look->contract));
	seen->client = child->limit->client;
	within = frame ? myalloc_frame_idx(child, frame) : U32_MAX;
	if (within >= child->buddy.nr_frames)	/* the rest of its last chunk */
		return look->slot == MYALLOC_LOOK_NONE ? 0 : -EINVAL;
	err = look_at_page(child, look, seen, within, addr);
	look->first += idx - within;
	return err;
}

static void put_who(struct myalloc_who *who, u64 caller, u32 stack)
{
	if (caller)
		myalloc_env_symbol(who->by, sizeof(who->by), caller);
	if (stack)
		myalloc_env_stack_format(stack, who->stack, sizeof(who->stack));
}

static void put_track(struct myalloc_who *who, const struct myalloc_track *track)
{
	u64 now = myalloc_env_now_ns();

	who->age_ns = now - min(track->when, now);
	who->pid = track->pid;
	put_who(who, track->caller, track->stack);
}

/* A walk over the clients that looks for the one of a place. */
struct naming {
	const struct myalloc_client *client;
	struct myalloc_look *look;
};

static bool name_client(struct myalloc_client *client, void *arg)
{
	const struct naming *naming = arg;

	if (client != naming->client)
		return true;
	strscpy(naming->look->client, client->name, sizeof(naming->look->client));
	return false;
}

static void put_seen(struct myalloc_zone *zone, struct myalloc_look *look,
		     const struct seen *seen)
{
	struct naming naming = { seen->client, look };

	if (seen->client)
		myalloc_client_walk(zone, name_client, &naming);
	if (look->kind == MYALLOC_IS_PAGES)
		put_who(&look->alloc, seen->frame.caller,
			zone->checks & MYALLOC_OWNER ? seen->frame.stack : 0);
	if (seen->gone) {
		put_who(&look->alloc, seen->past.caller, 0);
		put_who(&look->free, myalloc_env_stack_first(seen->past.stack), seen->past.stack);
	}
	if (seen->known[MYALLOC_TRACK_ALLOC])
		put_track(&look->alloc, &seen->track[MYALLOC_TRACK_ALLOC]);
	if (seen->known[MYALLOC_TRACK_FREE])
		put_track(&look->free, &seen->track[MYALLOC_TRACK_FREE]);
}

/* Find the page of look->key, and its address if one was named. */
static int find_page(struct myalloc_zone *zone, struct myalloc_look *look, u32 *idx, void **addr)
{
	const struct myalloc_frame *frame;
	int err;

	*addr = NULL;
	switch (look->how) {
	case MYALLOC_LOOK_PAGE:
		*idx = look->key;
		return look->key < zone->buddy.nr_frames ? 0 : -EINVAL;
	case MYALLOC_LOOK_ADDRESS:
		if (!capable(CAP_SYSLOG))
			return -EPERM;
		*addr = (void *)(unsigned long)look->key;
		break;
	case MYALLOC_LOOK_HANDLE:
		err = myalloc_sessions_find(look, addr);
		if (err)
			return err;
		break;
	default:
		return -EINVAL;
	}
	frame = myalloc_map_frame(&zone->map, *addr);
	if (!frame)
		return -EINVAL;
	*idx = myalloc_frame_idx(zone, frame);
	return *idx < zone->buddy.nr_frames ? 0 : -EINVAL;
}

static int look_at(struct myalloc_zone *zone, struct myalloc_look *look)
{
	struct myalloc_look asked = *look;
	struct seen seen;
	void *addr;
	int err, tries;
	u32 idx;

	if (look->how != MYALLOC_LOOK_PAGE && look->slot != MYALLOC_LOOK_NONE)
		return -EINVAL;
	for (tries = 0; tries < TRIES; tries++) {
		memset(look, 0, sizeof(*look));
		memset(&seen, 0, sizeof(seen));
		look->size = asked.size;
		look->how = asked.how;
		look->key = asked.key;
		look->pid = asked.pid;
		look->slot = asked.slot;
		look->alloc.age_ns = U64_MAX;
		look->free.age_ns = U64_MAX;
		err = find_page(zone, look, &idx, &addr);
		preempt_disable();	/* keeps the zone of a contract from being freed */
		if (!err)
			err = look_at_page(zone, look, &seen, idx, addr);
		preempt_enable();
		if (err != -EAGAIN)
			break;
		cond_resched();
	}
	if (!err)
		put_seen(zone, look, &seen);
	return err;
}

static int do_look(struct myalloc_session *session, struct myalloc_zone *zone,
		   void __user *user)
{
	struct myalloc_look *look = myalloc_env_zalloc(sizeof(*look), NUMA_NO_NODE);
	int err;

	if (!look)
		return -ENOMEM;
	err = myalloc_copy_in(look, sizeof(*look), user);
	if (!err)
		err = look_at(zone, look);
	if (!err)
		err = myalloc_copy_out(user, look, sizeof(*look));
	myalloc_env_free(look);
	return err;
}

const struct myalloc_command myalloc_look_commands[] = {
	{ MYALLOC_IOC_CELLS, false, do_cells },
	{ MYALLOC_IOC_LOOK, true, do_look },
	{ }
};
