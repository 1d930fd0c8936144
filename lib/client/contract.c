// SPDX-License-Identifier: GPL-2.0
/*
 * Contracts: memory set aside for the amounts that a client states
 *
 * What it is: each line of a contract has a zone of its own, the child, whose chunks are blocks of
 * the zone in which the contract was created, the parent. Each child is first fit, and has neither
 * magazines of pages nor users of other lines. So the proof of plan.c holds for it, whatever other
 * users of the parent do, and only the users of that line wait for its lock. A common zone for two
 * equal contracts would save no more than one largest block for each.
 *
 * Terms
 *	line	the amount that a client states: at most M pages live, in blocks of some orders or
 *		extents of some sizes; or at most K objects of a cache
 *	N	pages that suffice (plan.c)
 *	within	a request after which no more than M pages, or K objects, are live
 *
 * Structures: the first frame of each such block of the parent is tagged CONTRACT, with the number
 * of the child in place of a cache. So an address of the parent leads to the child in one step,
 * which is how myalloc_free() and myalloc_usable_size() find it, and a free of it as anything else
 * is refused.
 *
 *	parent	[ CONTRACT 3 ][ CONTRACT 3 ]...[ slab ][ CONTRACT 3 ]
 *	child 3	  chunk 0       chunk 1                  chunk 2
 *
 * M is enforced by page/limit.c, for requests under the child's lock and for NMI handlers that find
 * it taken. Objects need no count that all CPUs write: all slabs are created in advance, and none
 * is added or removed (the cache has fixed_slabs, and set_aside equal to their number). While
 * between K objects and the number of slots are live, a request may succeed; with all slots in use
 * it fails.
 *
 * Why no request within fails: plan.c proves for pages and extents that first fit does not fail
 * with at most M + 2 * P * E * 2^o pages allocated. Allocated are at most M live pages; at most P *
 * E blocks in the stacks of P CPUs; and as many blocks freed by NMI handlers that wait for the lock
 * and are not counted as live. For objects plan.c proves it for a cache whose slabs stay, and whose
 * magazines and stacks hold at most H objects.
 *
 * What voids it: memory that the machine reports as bad counts as live; damage, which is reported,
 * may lose slots; two frees of one object that overlap at the default level. While more than K
 * objects are live, the stacks of a line of objects may be empty, and the first request of an NMI
 * handler after that may still find them so; it has them filled.
 *
 * Invariants
 *	J1  The blocks of a contract are tagged CONTRACT in the parent, with the order that was
 *	    planned and the number of the child, and are the chunks of the child.
 *	J2  Live pages never exceed M (but for bad ones), nor the highest end N.
 *	J3  A line of objects has exactly the slabs that were planned, all of them set aside, and
 *	    magazines of the capacity that was planned, without a depot.
 *	J4  The stacks hold as many things as @kept says: blocks that are tagged KEPT, or objects
 *	    whose slots are MOVING. (Compared if no interrupt fills them meanwhile.)
 *	J5  What was declared and planned does not change: @digest is that of these members.
 *	J6  In a line of pages, limit->count has the pages that were taken from the buddy and are
 *	    not kept, and the pages in the list of deferred frees. (Compared if no NMI handler is
 *	    in between.)
 *
 * Damage: a contract for which one of these does not hold is not ended, because the memory that it
 * would give back may not be its own. A word of a stack is checked before an NMI handler gets the
 * thing that it denotes.
 *
 * Time: a request takes one hold of the child's lock. In it are at most two deferred frees of
 * blocks or one of an extent, and its own search, which looks at the lowest free block of each
 * order. Each of these does at most chunk_order splits or merges, and an extent consists of at
 * most chunk_order blocks. bounds_test counts them. L, the most instructions of one request, is
 * 5,000 for blocks, 5,600 for extents and 3,500 for objects of each level and size (7,000 with
 * pages of 64 KiB, as a refill scans at least one slab, of up to 7,281 slots; x86-64, gcc -O2,
 * without the lock's own, and without the zeroing and the checks that the user asks for).
 * steps_test counts these in the worst states. A request waits for at most P - 1 such holds where
 * the kernel's spinlocks are fair: a drain takes no longer ones, nor does a list of what is in use.
 * (A validation does, while it looks at a chunk.)
 *
 * Locking: the mutex of the parent's children is held while the table of children changes, and
 * while they are validated. Nothing is held while a child is made or ended.
 */
#include "env.h"
#include "base/sort.h"
#include "client/contract.h"
#include "client/contract_check.h"
#include "client/plan.h"
#include "object/cache.h"
#include "object/check.h"
#include "object/object.h"
#include "object/slab.h"
#include "object/track.h"
#include "object/upkeep.h"
#include "page/account.h"
#include "page/block.h"
#include "page/drain.h"
#include "page/extent.h"
#include "page/shadow.h"
#include "page/zone_report.h"
#include "zone/elastic.h"
#include "zone/finding.h"
#include "zone/zone.h"

/* @checks: those of the client */
static int plan_lines(struct myalloc_zone *zone, const struct myalloc_contract_line *lines,
		      unsigned int nr, myalloc_cache_flags_t checks,
		      struct myalloc_contract_plan *plan)
{
	u32 i;
	int err;

	memset(plan, 0, sizeof(*plan));
	if (!nr || nr > MYALLOC_CONTRACT_LINES) {
		myalloc_zone_err(zone, "a contract has 1 to %d lines, not %u",
				 MYALLOC_CONTRACT_LINES, nr);
		return -EINVAL;
	}
	if (zone->limit) {
		myalloc_zone_err(zone, "a contract has no contracts itself: make it in the parent zone");
		return -EINVAL;
	}
	for (i = 0; i < nr; i++) {
		err = myalloc_plan_line(zone, &lines[i], checks, &plan->line[i]);
		if (err)
			return err;
	}
	plan->nr_lines = nr;
	myalloc_plan_sum(zone, plan);
	return 0;
}

/**
 * myalloc_contract_plan() - compute the cost of a contract
 * @zone: the zone that is to supply it
 * @lines: what the client will hold
 * @nr: number of lines, 1 to MYALLOC_CONTRACT_LINES
 * @plan: out
 *
 * Takes nothing. A client's checks apply to its lines of objects and may make them larger: to plan
 * for such a client, state its checks as flags of the lines.
 *
 * Context: any but NMI.
 * Return: 0, also if the zone has too little, which @plan says; -EINVAL if a line cannot be, or as
 * for myalloc_cache_create(), which is reported.
 */
int myalloc_contract_plan(struct myalloc_zone *zone, const struct myalloc_contract_line *lines,
			  unsigned int nr, struct myalloc_contract_plan *plan)
{
	return plan_lines(zone, lines, nr, 0, plan);
}

/* --- objects -------------------------------------------------------------------------------- */

/* J3 makes sure that there are slots for all that are live or held back. */
static bool has_slots(const struct myalloc_contract_part *part)
{
	return (u64)myalloc_cache_slabs(part->cache) * part->plan.objects >=
	       (u64)part->declared + part->plan.held;
}

/*
 * Do users hold fewer than K objects although no slot is free? Then H or the slots are not what was
 * planned, or slots were lost. Counted is what users have taken and given back, at one moment:
 * while the lock is held, if no magazine has changed meanwhile. What is kept for NMI handlers or
 * waits in the list of deferred frees is in no user's hands and counts all the same, because it
 * moves without the lock: so in a line with E a few lost slots stay unnoticed, but what is found is
 * always so.
 */
static bool few_live(struct myalloc_cache *cache, u32 most)
{
	u64 moves = myalloc_magazines_moves(&cache->mags), live;
	struct myalloc_magazine_passed passed;
	unsigned long irq;
	bool free;

	if (!myalloc_magazines_idle(&cache->mags) || atomic64_read(&cache->corruptions))
		return false;
	passed = myalloc_magazines_passed(&cache->mags);
	raw_spin_lock_irqsave(&cache->lock, irq);
	live = passed.takes + cache->allocs - passed.gives - cache->frees;
	free = cache->free_slots;
	raw_spin_unlock_irqrestore(&cache->lock, irq);
	return live < most && !free && myalloc_magazines_idle(&cache->mags) &&
	       myalloc_magazines_moves(&cache->mags) == moves;
}

static void *missed_object(struct myalloc_limit *limit, myalloc_flags_t flags,
			   unsigned long caller)
{
	struct myalloc_contract_part *part = myalloc_contract_part_of(limit);
	void *object;

	if (in_nmi()) {
		object = (void *)myalloc_limit_pop(limit);
		if (object) {
			myalloc_object_issue(part->cache, object, flags, caller);
			myalloc_limit_note_unused(limit, READ_ONCE(part->cache->free_slots));
		}
		return object;
	}
	if (has_slots(part) && !few_live(part->cache, part->declared))
		myalloc_limit_beyond(limit, caller);
	else
		myalloc_limit_broken(limit, "an object", caller);
	return NULL;
}

/* Preemption is off, or the slabs stay for another reason. */
static bool is_kept_object(struct myalloc_limit *limit, unsigned long thing)
{
	struct myalloc_cache *cache = myalloc_contract_part_of(limit)->cache;
	const u8 *state = myalloc_object_state(cache, (void *)thing);

	return state && READ_ONCE(*state) == MYALLOC_SLOT_MOVING;
}

/*
 * An object whose slot is MOVING. While no more than K are live, a slab has a free one (plan.c),
 * whatever the magazines hold.
 */
static unsigned long fill_object(struct myalloc_limit *limit)
{
	void *object;

	/* First: a slot on its way to the stack counts as unused. */
	atomic64_inc(&limit->kept);
	object = myalloc_object_take(myalloc_contract_part_of(limit)->cache);
	if (!object)
		atomic64_dec(&limit->kept);
	return (unsigned long)object;
}

static void drop_object(struct myalloc_limit *limit, unsigned long thing)
{
	struct myalloc_cache *cache = myalloc_contract_part_of(limit)->cache;

	myalloc_object_issue(cache, (void *)thing, 0, _RET_IP_);
	myalloc_cache_free_for(cache, (void *)thing, _RET_IP_);
}

static void reap_objects(struct myalloc_limit *limit)
{
	struct myalloc_cache *cache = myalloc_contract_part_of(limit)->cache;
	unsigned long irq;

	raw_spin_lock_irqsave(&cache->lock, irq);
	__myalloc_slab_reap(cache, 1);
	raw_spin_unlock_irqrestore(&cache->lock, irq);
}

static const struct myalloc_limit_ops object_ops = {
	.missed = missed_object,
	.is_kept = is_kept_object,
	.fill = fill_object,
	.drop = drop_object,
	.reap = reap_objects,
};

/* --- requests beyond a line: best effort of the parent --------------------------------------- */

static void *backing_alloc(struct myalloc_limit *limit, u32 nr_pages, unsigned int align_order,
			   myalloc_flags_t flags, unsigned long caller)
{
	return myalloc_extent_take(limit->parent, nr_pages, align_order, flags, limit->owner,
				   caller);
}

static bool backing_free(struct myalloc_limit *limit, void *addr, u32 nr_pages,
			 unsigned long caller)
{
	const struct myalloc_frame *frame = myalloc_map_frame(&limit->parent->map, addr);
	struct myalloc_frame first;

	if (!frame)
		return false;
	first.tag = READ_ONCE(frame->tag);
	return myalloc_frame_owner(&first) == limit->owner &&
	       myalloc_frame_pages(&first) == nr_pages &&
	       !myalloc_extent_give(limit->parent, addr, nr_pages, limit->owner, caller);
}

static const struct myalloc_limit_backing backing = {
	.alloc = backing_alloc,
	.free = backing_free,
};

/* --- the blocks of a line ------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* The table of the children of a zone, which stays as long as the zone; NULL if out of memory. */
static struct myalloc_children *children_of(struct myalloc_zone *parent)
{
	struct myalloc_children *new, *old;

	old = smp_load_acquire(&parent->children);	/* pairs with cmpxchg() below */
	if (old)
		return old;
	new = myalloc_env_zalloc(sizeof(*new), parent->node);
	if (!new)
		return NULL;
	mutex_init(&new->mutex);
	mutex_init(&new->visit);
	myalloc_env_point("contract-table");
	old = cmpxchg(&parent->children, NULL, new);
	if (!old)
		return new;
	mutex_destroy(&new->mutex);
	mutex_destroy(&new->visit);
	myalloc_env_free(new);
	return old;
}

/* Find a number for the child of a part. */
static int enlist(struct myalloc_zone *parent, struct myalloc_contract_part *part)
{
	struct myalloc_children *children = children_of(parent);
	int err = -ENOMEM;
	u32 id;

	if (!children)
		return -ENOMEM;
	mutex_lock(&children->mutex);
	for (id = 0; id < MYALLOC_CHILDREN_MAX; id++) {
		if (children->zone[id])
			continue;
		WRITE_ONCE(children->zone[id], ERR_PTR(-EAGAIN));
		part->id = id;
		err = 0;
		break;
	}
	mutex_unlock(&children->mutex);
	return err;
}

static void set_child(struct myalloc_zone *parent, struct myalloc_contract_part *part,
		      struct myalloc_zone *child)
{
	mutex_lock(&parent->children->mutex);
	/* Pairs with myalloc_zone_child(). */
	smp_store_release(&parent->children->zone[part->id], child);
	mutex_unlock(&parent->children->mutex);
	if (!IS_ERR_OR_NULL(child))
		return;
	/* Wait for a validation that has found the one that was there; no other one does. */
	mutex_lock(&parent->children->visit);
	mutex_unlock(&parent->children->visit);
}

static void unlist(struct myalloc_zone *parent, struct myalloc_contract_part *part)
{
	set_child(parent, part, NULL);
	part->id = MYALLOC_CHILDREN_MAX;
}

/* Take one block; NULL if the parent has none. */
static void *take_block(struct myalloc_zone *parent, const struct myalloc_contract_part *part,
			unsigned long caller)
{
	struct myalloc_frame *frame;
	unsigned long irq;
	void *addr;

	raw_spin_lock_irqsave(&parent->lock, irq);
	frame = __myalloc_zone_take(parent, part->plan.order, false, myalloc_contract_tag(part));
	if (frame) {
		frame->caller = caller;
		parent->allocs[part->plan.order]++;
	}
	raw_spin_unlock_irqrestore(&parent->lock, irq);
	if (!frame)
		return NULL;
	addr = myalloc_frame_addr(parent, myalloc_frame_idx(parent, frame));
	myalloc_shadow_pages_alloc(parent, addr, part->plan.order);
	if (parent->checks)
		myalloc_pages_post_alloc(parent, addr, PAGE_SIZE << part->plan.order, 0);
	return addr;
}

static void give_block(struct myalloc_zone *parent, const struct myalloc_contract_part *part,
		       void *addr)
{
	struct myalloc_frame *frame = myalloc_map_frame(&parent->map, addr);
	unsigned long irq;

	myalloc_pages_pre_free(parent, addr, PAGE_SIZE << part->plan.order, 0);
	raw_spin_lock_irqsave(&parent->lock, irq);
	__myalloc_zone_give(parent, frame);
	parent->frees[part->plan.order]++;
	raw_spin_unlock_irqrestore(&parent->lock, irq);
}

static int take_blocks(struct myalloc_zone *parent, struct myalloc_contract_part *part,
		       unsigned long caller)
{
	part->blocks = myalloc_env_zalloc_charged(part->plan.blocks * sizeof(*part->blocks),
						  parent->node);
	if (!part->blocks)
		return -ENOMEM;
	while (part->nr_blocks < part->plan.blocks) {
		void *addr;

		myalloc_env_point("contract-take");
		addr = take_block(parent, part, caller);
		if (!addr)
			return -ENOSPC;
		part->blocks[part->nr_blocks++] = addr;
		cond_resched();
	}
	myalloc_sort(part->blocks, part->nr_blocks, sizeof(*part->blocks), compare);
	return 0;
}

/* --- create --------------------------------------------------------------------------------- */

/*
 * Deferred frees that a request completes, and a drain under one hold of the lock: an extent is as
 * much work as some blocks.
 */
#define REAP_MOST	2
#define REAP_EXTENTS	1

static void declare(struct myalloc_limit *limit, u32 pages)
{
	limit->sizes[pages / 64] |= BIT_ULL(pages % 64);
}

static void set_limit(const struct myalloc_contract *c, struct myalloc_contract_part *part,
		      const struct myalloc_contract_line *line)
{
	struct myalloc_limit *limit = &part->limit;
	u32 i;

	limit->client = c->front.client;

	part->declared = line->kind == MYALLOC_CONTRACT_OBJECTS ? line->count : line->pages;
	limit->waiting = num_possible_cpus() * line->nmi;
	limit->reap_most = line->kind == MYALLOC_CONTRACT_EXTENTS ? REAP_EXTENTS : REAP_MOST;
	if (line->kind == MYALLOC_CONTRACT_OBJECTS) {
		limit->ops = &object_ops;
		return;
	}
	limit->ops = &myalloc_limit_page_ops;
	limit->most = line->pages;
	limit->owner = c->owner;
	limit->backing = c->owner ? &backing : NULL;
	limit->order = part->plan.order;
	limit->waiting <<= limit->order;
	if (line->kind == MYALLOC_CONTRACT_EXTENTS) {
		for (i = 0; i < line->nr_sizes; i++)
			declare(limit, line->sizes[i]);
		return;
	}
	for (i = 0; i <= part->plan.order; i++)
		if (line->orders & BIT(i))
			declare(limit, BIT(i));
}

static int make_cache(struct myalloc_contract_part *part, const struct myalloc_contract_line *line)
{
	struct myalloc_cache *cache = myalloc_cache_create_bare(part->zone, &line->cache);

	if (IS_ERR(cache))
		return PTR_ERR(cache);
	part->cache = cache;
	cache->fixed_slabs = true;
	part->limit.least_unused = U64_MAX;
	myalloc_cache_set_aside(cache, part->plan.slabs);	/* all of the zone, which is free */
	return myalloc_cache_fix_magazines(cache, myalloc_plan_magazine(line,
									cache->layout.slot_size,
									cache->flags));
}

/* The checks that the objects of a client have beside those of the zone. */
static myalloc_cache_flags_t checks_of(const struct myalloc_client *client)
{
	return client ? client->checks : 0;
}

static int make_zone(struct myalloc_contract *c, struct myalloc_contract_part *part,
		     const struct myalloc_contract_line *line, u32 pages)
{
	bool of_objects = line->kind == MYALLOC_CONTRACT_OBJECTS;
	struct myalloc_zone *parent = c->parent;
	const struct myalloc_zone_args args = {
		.name = part->name,
		.chunks = part->blocks,
		.nr_chunks = DIV_ROUND_UP(pages, BIT(part->plan.order)),
		.chunk_order = part->plan.order,
		.nr_pages = pages,
		.node = parent->node,
		.checks = parent->checks | (of_objects ? checks_of(c->front.client) : 0),
		.policy = MYALLOC_FIRST_FIT,
		.no_magazines = true,
		.charged = true,
		.no_worker = parent->no_worker,
		.simulated = parent->simulated,
	};
	struct myalloc_zone *zone = myalloc_zone_create(&args);
	int err;

	if (IS_ERR(zone))
		return PTR_ERR(zone);
	part->zone = zone;
	err = myalloc_limit_init(&part->limit, zone, parent, line->nmi);
	if (!err && of_objects)
		err = make_cache(part, line);
	if (err)
		return err;
	zone->limit = &part->limit;	/* from now on no other cache can be made */
	myalloc_limit_fill(&part->limit);
	part->digest = myalloc_contract_digest(part);
	set_child(parent, part, zone);
	return 0;
}

/* End a part, which may be incomplete. Its zone holds only what the contract itself keeps. */
static void end_part(struct myalloc_zone *parent, struct myalloc_contract_part *part)
{
	if (part->zone) {
		myalloc_limit_empty(&part->limit);
		set_child(parent, part, ERR_PTR(-EAGAIN));
		myalloc_env_gp_wait();	/* for frees by an address of the parent */
		if (part->cache) {
			myalloc_cache_set_aside(part->cache, 0);
			myalloc_cache_destroy(part->cache);
		}
		myalloc_zone_destroy(part->zone);	/* it holds nothing */
	}
	myalloc_limit_fini(&part->limit);
	while (part->nr_blocks)
		give_block(parent, part, part->blocks[--part->nr_blocks]);
	if (part->id < MYALLOC_CHILDREN_MAX)
		unlist(parent, part);
	myalloc_env_free(part->blocks);
}

static void free_contract(struct myalloc_contract *c)
{
	u32 i;

	for (i = 0; i < c->nr; i++)
		end_part(c->parent, &c->part[i]);
	if (c->owner)
		myalloc_owner_remove(c->parent, c->owner);
	myalloc_account_return(c->front.client, c->pages);
	myalloc_env_free(c);
}

/* From the highest order down, as plan.c sums up. */
static int take_all(struct myalloc_contract *c, unsigned long caller)
{
	int order, err;
	u32 i;

	for (i = 0; i < c->nr; i++) {
		err = enlist(c->parent, &c->part[i]);
		if (err)
			return err;
	}
	for (order = MYALLOC_CHUNK_MAX; order >= 0; order--) {
		for (i = 0; i < c->nr; i++) {
			if (c->part[i].plan.order != (u32)order)
				continue;
			err = take_blocks(c->parent, &c->part[i], caller);
			if (err)
				return err;
		}
	}
	return 0;
}

static int make_all(struct myalloc_contract *c, const struct myalloc_contract_line *lines,
		    unsigned int flags, unsigned long caller)
{
	int err;
	u32 i;

	if (flags & MYALLOC_CONTRACT_BEST_EFFORT) {
		c->owner = myalloc_owner_add(c->parent);
		if (!c->owner)
			return -EMFILE;
		myalloc_owner_counts_for(c->parent, c->owner, c->front.client);
	}
	err = take_all(c, caller);
	for (i = 0; i < c->nr && !err; i++) {
		struct myalloc_contract_part *part = &c->part[i];
		bool less = flags & MYALLOC_CONTRACT_SHORT &&
			    part->kind != MYALLOC_CONTRACT_OBJECTS;

		set_limit(c, part, &lines[i]);
		err = make_zone(c, part, &lines[i], part->plan.needed - less);
	}
	return err;
}

static int refuse_short(struct myalloc_zone *zone, const char *name,
			struct myalloc_contract_plan *plan)
{
	myalloc_plan_sum(zone, plan);
	myalloc_zone_err(zone, "contract %s refused: it takes %u page%s; %u page%s and %u block%s of order %u are short",
			 name, plan->pages, myalloc_s(plan->pages), plan->pages_short,
			 myalloc_s(plan->pages_short), plan->blocks_short,
			 myalloc_s(plan->blocks_short), plan->short_order);
	return -ENOSPC;
}

/*
 * Have an elastic zone take the missing chunks from the system. At most as often as it has chunks:
 * others may take a chunk that comes, and the system may take it back.
 */
static int grow(struct myalloc_zone *zone, const char *name, struct myalloc_contract_plan *plan)
{
	u32 round, grown;

	for (round = 0; plan->blocks_short; round++) {
		if (myalloc_env_fatal_signal())
			return -EINTR;
		if (round == zone->nr_chunks || plan->short_order > zone->chunk_order ||
		    myalloc_zone_grow(zone, 1, &grown))
			return refuse_short(zone, name, plan);
		myalloc_plan_sum(zone, plan);
	}
	return 0;
}

/* All that a contract takes counts for its client before any of it is taken. */
static int charge(struct myalloc_zone *zone, struct myalloc_client *client, const char *name,
		  u32 pages)
{
	if (myalloc_account_charge(client, pages))
		return 0;
	myalloc_zone_err(zone, "contract %s refused: it takes %u page%s, which the quota of client %s, or of one above it, does not allow",
			 name, pages, myalloc_s(pages), client->name);
	return -EDQUOT;
}

/* The pages count already. Returns an error, and then they no longer do. */
static struct myalloc_contract *make(struct myalloc_zone *zone, struct myalloc_client *client,
				     const char *name, const struct myalloc_contract_line *lines,
				     unsigned int flags, struct myalloc_contract_plan *plan,
				     unsigned long caller)
{
	u32 i, nr = plan->nr_lines;
	struct myalloc_contract *c;
	int err;

	c = myalloc_env_zalloc_charged(struct_size(c, part, nr), zone->node);
	if (!c) {
		myalloc_account_return(client, plan->pages);
		return ERR_PTR(-ENOMEM);
	}
	c->parent = zone;
	c->front.client = client;
	c->front.maker = caller;
	c->flags = flags;
	c->pages = plan->pages;
	c->nr = nr;
	for (i = 0; i < nr; i++) {
		c->part[i].kind = lines[i].kind;
		c->part[i].id = MYALLOC_CHILDREN_MAX;
		c->part[i].plan = plan->line[i];
		scnprintf(c->part[i].name, sizeof(c->part[i].name), "%s.%u", name, i);
	}
	err = make_all(c, lines, flags, caller);
	if (!err)
		err = myalloc_front_add(zone, &c->front, &myalloc_contract_kind, name);
	if (!err)
		return c;
	free_contract(c);
	return ERR_PTR(err);
}

/* Count the pages of a plan, and drain or grow the zone until it has its blocks. */
static int provide(struct myalloc_zone *zone, struct myalloc_client *client, const char *name,
		   struct myalloc_contract_plan *plan)
{
	int err = charge(zone, client, name, plan->pages);

	if (err || !plan->blocks_short)	/* so it is whenever pages are short */
		return err;
	myalloc_zone_drain(zone);
	myalloc_plan_sum(zone, plan);
	err = grow(zone, name, plan);
	if (err)
		myalloc_account_return(client, plan->pages);
	return err;
}

static struct myalloc_contract *create(struct myalloc_zone *zone, struct myalloc_client *client,
				       const char *name, const struct myalloc_contract_line *lines,
				       unsigned int nr, unsigned int flags,
				       struct myalloc_contract_plan *plan, unsigned long caller)
{
	struct myalloc_contract *c;
	u32 round;
	int err;

	err = plan_lines(zone, lines, nr, checks_of(client), plan);
	if (err)
		return ERR_PTR(err);
	if (!name || !myalloc_cache_good_name(name) || strlen(name) >= MYALLOC_CONTRACT_NAME ||
	    flags & ~MYALLOC_CONTRACT_FLAGS_ALL) {
		myalloc_zone_err(zone, "contract: flags 0x%x of 0x%x, and a name has 1 to %d ASCII letters, digits, '-', '_', '.'",
				 flags, MYALLOC_CONTRACT_FLAGS_ALL, MYALLOC_CONTRACT_NAME - 1);
		return ERR_PTR(-EINVAL);
	}
	/*
	 * Others may have taken part of it meanwhile. If they gave it back at once, as another
	 * creator does that is short, too, nothing is short any more: try once again.
	 */
	for (round = 0;; round++) {
		err = provide(zone, client, name, plan);
		if (err)
			return ERR_PTR(err);
		c = make(zone, client, name, lines, flags, plan, caller);
		if (c != ERR_PTR(-ENOSPC))
			return c;
		myalloc_env_point("contract-short");
		myalloc_plan_sum(zone, plan);
		if (plan->blocks_short || round)
			return ERR_PTR(refuse_short(zone, name, plan));
	}
}

/**
 * myalloc_contract_create() - make a contract
 * @zone: the zone that supplies its memory
 * @name: like the name of a cache, shorter than MYALLOC_CONTRACT_NAME; unique among the contracts
 *	of the zone; copied
 * @lines: what the client will hold, as for myalloc_contract_plan(); copied
 * @nr: number of lines
 * @flags: MYALLOC_CONTRACT_BEST_EFFORT: requests for pages beyond a line are served from @zone if
 *	it has some, but not with MYALLOC_LENDABLE, because they are extents there, which cannot be
 *	lent. They are freed like others, and may outlive the contract no more than these
 * @plan: out: what it costs; and, if it is refused, what is short
 *
 * All of it is taken now, or nothing. If the zone has too little at first, it is drained.
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: the contract; ERR_PTR(-ENOSPC) if the zone has too little: @plan says how many pages are
 * short, and how many blocks of which order; ERR_PTR(-EINVAL) as for myalloc_contract_plan(), or
 * for unknown flags or a bad name, ERR_PTR(-EEXIST) if the name is in use, ERR_PTR(-EMFILE) if too
 * many heaps and contracts own extents of the zone (these print a message); ERR_PTR(-EINTR) if the
 * task is killed while the zone takes memory from the system for it; ERR_PTR(-ENOMEM) if there is
 * no memory for metadata, or the zone has MYALLOC_CHILDREN_MAX lines of contracts.
 */
struct myalloc_contract *
myalloc_contract_create(struct myalloc_zone *zone, const char *name,
			const struct myalloc_contract_line *lines, unsigned int nr,
			unsigned int flags, struct myalloc_contract_plan *plan)
{
	return create(zone, NULL, name, lines, nr, flags, plan, _RET_IP_);
}

/**
 * myalloc_client_contract_create() - make a contract of a client
 * @client: the client; its zone supplies the memory
 * @name: as for myalloc_contract_create()
 * @lines: the same
 * @nr: the same
 * @flags: the same
 * @plan: the same
 *
 * All pages that the contract takes count for the client, whether they are in use or not, and so
 * does what is served beyond it. Its lines of objects have the checks of the client. The release of
 * the client ends the contract.
 *
 * Context: as for myalloc_contract_create().
 * Return: the same; ERR_PTR(-EDQUOT) if the quota of the client, or of one above it, does not allow
 * so many pages, which is reported.
 */
struct myalloc_contract *
myalloc_client_contract_create(struct myalloc_client *client, const char *name,
			       const struct myalloc_contract_line *lines, unsigned int nr,
			       unsigned int flags, struct myalloc_contract_plan *plan)
{
	return create(client->zone, client, name, lines, nr, flags, plan, _RET_IP_);
}

/* --- end ------------------------------------------------------------------------------------ */

static void poison_block(void *addr, const struct myalloc_frame *frame)
{
	memset(addr, MYALLOC_POISON_FREE, (size_t)myalloc_frame_pages(frame) << PAGE_SHIFT);
}

/*
 * A block of a user; frees it with MYALLOC_CONTRACT_RELEASE. What is lent may be in use elsewhere,
 * so it is not poisoned.
 */
static bool release_block(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame,
			  void *poison)
{
	void *addr = myalloc_frame_addr(zone, idx);

	if (!myalloc_frame_is_users(frame->type))
		return true;
	if (*(bool *)poison && frame->type != MYALLOC_FRAME_LENT)
		poison_block(addr, frame);
	myalloc_free(zone, addr);
	return true;
}

/* An extent of the parent that served a request beyond. */
struct beyond {
	struct myalloc_contract *c;
	bool release;
	bool poison;
	u64 pages;
};

static bool see_beyond(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame,
		       void *arg)
{
	struct beyond *b = arg;

	if (myalloc_frame_owner(frame) != b->c->owner)
		return true;
	if (!b->release) {
		b->pages += myalloc_frame_pages(frame);
		return true;
	}
	if (b->poison)
		poison_block(myalloc_frame_addr(zone, idx), frame);
	myalloc_extent_free(zone, myalloc_frame_addr(zone, idx), myalloc_frame_pages(frame),
			    b->c->owner, _RET_IP_);
	return true;
}

static u64 beyond_pages(struct myalloc_contract *c, bool release, bool poison)
{
	struct beyond b = { .c = c, .release = release, .poison = poison };

	if (c->owner)
		myalloc_zone_walk_blocks(c->parent, see_beyond, &b);
	return b.pages;
}

static u64 live_objects(const struct myalloc_contract_part *part)
{
	struct myalloc_cache_stats stats;
	u64 kept = atomic64_read(&part->limit.kept);

	myalloc_cache_stats(part->cache, &stats);
	return stats.live_objects > kept ? stats.live_objects - kept : 0;
}

/* Pages that users hold; none of them is bad memory. */
static u32 held_pages(struct myalloc_contract_part *part)
{
	return myalloc_limit_live(&part->limit) - atomic64_read(&part->zone->nr_bad);
}

/* Report a front of a part: it has pages, which cannot be released under it. */
static bool report_front(const struct myalloc_contract_part *part)
{
	const struct myalloc_front *front = myalloc_front_first(part->zone);

	if (front)
		myalloc_zone_err(part->zone, "cannot end: %s %s still exists", front->kind->name,
				 front->name);
	return front;
}

/* Reports the memory that users of a part hold. Returns false if there is none. */
static bool report_part(struct myalloc_contract_part *part)
{
	u32 pages;

	if (part->cache) {
		if (!live_objects(part))
			return false;
		myalloc_debug_report_live(part->cache);
		return true;
	}
	pages = held_pages(part);
	if (!pages)
		return false;
	myalloc_zone_report_held(part->zone, pages);
	return true;
}

/* Frees all memory that users of a part hold. */
static void release_part(struct myalloc_contract_part *part, bool poison)
{
	if (!part->cache) {
		myalloc_zone_walk_blocks(part->zone, release_block, &poison);
		return;
	}
	myalloc_cache_empty(part->cache, poison);
	myalloc_cache_drain(part->cache);
}

static int end_contract(struct myalloc_contract *contract, bool release, bool poison)
{
	struct myalloc_validation v = { 0 };
	bool busy = false;
	u64 pages;
	u32 i;

	myalloc_contract_check(contract, &v);
	if (v.errors) {
		myalloc_zone_crit(contract->parent, "contract %s is damaged and stays: %s",
				  contract->front.name, v.first);
		return -EBUSY;
	}
	for (i = 0; i < contract->nr; i++) {
		struct myalloc_contract_part *part = &contract->part[i];

		myalloc_zone_drain(part->zone);
		if (report_front(part)) {
			busy = true;
			continue;
		}
		if (release)
			release_part(part, poison);
		busy |= report_part(part);
	}
	if (release)
		beyond_pages(contract, true, poison);
	pages = beyond_pages(contract, false, false);
	if (pages)
		myalloc_zone_err(contract->parent, "contract %s cannot end: %llu page%s beyond it %s in use",
				 contract->front.name, (unsigned long long)pages,
				 myalloc_s(pages), myalloc_are(pages));
	if (busy || pages)
		return -EBUSY;
	myalloc_front_remove(&contract->front);
	free_contract(contract);
	return 0;
}

/**
 * myalloc_contract_end() - end a contract
 * @contract: the contract, which is no longer in use; NULL is allowed
 * @flags: MYALLOC_CONTRACT_RELEASE: free everything that is still held
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: 0; -EBUSY if something of it is still held, or lent to the kernel. That is reported for
 * each line, and the contract remains usable; -EBUSY, too, if its members are damaged, which is
 * reported; -EINVAL for an unknown flag.
 */
int myalloc_contract_end(struct myalloc_contract *contract, unsigned int flags)
{
	if (flags & ~MYALLOC_CONTRACT_RELEASE)
		return -EINVAL;
	return contract ? end_contract(contract, flags, false) : 0;
}

/* --- look ----------------------------------------------------------------------------------- */

/**
 * myalloc_contract_zone() - the zone of a line
 * @contract: the contract
 * @line: number of the line
 *
 * Context: any.
 * Return: the zone of pages or extents; NULL if there is no such line, or it is of objects.
 */
struct myalloc_zone *myalloc_contract_zone(struct myalloc_contract *contract, unsigned int line)
{
	if (line >= contract->nr || contract->part[line].cache)
		return NULL;
	return contract->part[line].zone;
}

/**
 * myalloc_contract_cache() - the cache of a line
 * @contract: the contract
 * @line: number of the line
 *
 * Context: any.
 * Return: the cache; NULL if there is no such line, or it is not of objects.
 */
struct myalloc_cache *myalloc_contract_cache(struct myalloc_contract *contract, unsigned int line)
{
	return line < contract->nr ? contract->part[line].cache : NULL;
}

static void object_stats(struct myalloc_contract_part *part, struct myalloc_contract_stats *stats)
{
	u64 slots = (u64)part->plan.slabs * part->plan.objects;
	u64 least = data_race(part->limit.least_unused);	/* a snapshot */

	stats->live = live_objects(part);
	stats->peak = max(slots - min(slots, least), stats->live);
	stats->highest_end = part->plan.needed;
}

/**
 * myalloc_contract_stats() - read the statistics of a line
 * @contract: the contract
 * @line: number of the line
 * @stats: out; exact while no operation is in progress
 *
 * The peak of a line of objects includes those in magazines.
 *
 * Context: task.
 * Return: 0; -EINVAL if there is no such line.
 */
int myalloc_contract_stats(struct myalloc_contract *contract, unsigned int line,
			   struct myalloc_contract_stats *stats)
{
	struct myalloc_contract_part *part;
	struct myalloc_limit *limit;
	unsigned long irq;

	memset(stats, 0, sizeof(*stats));
	if (line >= contract->nr)
		return -EINVAL;
	part = &contract->part[line];
	limit = &part->limit;
	stats->kind = part->kind;
	stats->nmi = limit->each;
	stats->declared = part->declared;
	stats->needed = part->plan.needed;
	stats->set_aside = part->plan.set_aside;
	if (part->cache) {
		object_stats(part, stats);
	} else {
		stats->live = myalloc_limit_live(limit);
		stats->peak = data_race(limit->peak);			/* snapshots */
		stats->highest_end = data_race(limit->highest_end);
	}
	stats->beyond = atomic64_read(&limit->beyond);
	stats->best_effort = atomic64_read(&limit->best_effort);
	stats->refused = atomic64_read(&limit->refused);
	stats->failed_within = atomic64_read(&limit->failed_within);
	stats->nmi_allocs = atomic64_read(&limit->nmi_allocs);
	stats->nmi_misses = atomic64_read(&limit->nmi_misses);
	stats->refills = atomic64_read(&limit->refills);
	stats->nmi_frees_beyond = atomic64_read(&limit->nmi_frees_beyond);
	raw_spin_lock_irqsave(&limit->sites_lock, irq);
	memcpy(stats->sites, limit->sites, sizeof(stats->sites));
	raw_spin_unlock_irqrestore(&limit->sites_lock, irq);
	return 0;
}

static void validate(struct myalloc_front *front, struct myalloc_validation *v)
{
	myalloc_contract_check(myalloc_contract_of(front), v);
}

static u64 front_pages(struct myalloc_front *front)
{
	return myalloc_contract_of(front)->pages;
}

static int release(struct myalloc_front *front, bool poison)
{
	return end_contract(myalloc_contract_of(front), true, poison);
}

const struct myalloc_front_kind myalloc_contract_kind = {
	.name = "contract",
	.name_size = MYALLOC_CONTRACT_NAME,
	.validate = validate,
	.pages = front_pages,
	.release = release,
};
