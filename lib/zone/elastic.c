// SPDX-License-Identifier: GPL-2.0
/*
 * Elastic zones
 *
 * What it is: a zone with a fixed number of chunks, not all of which have memory. The chunks that
 * it was created with are fixed: they stay, and only among them may blocks be larger than a chunk.
 * Each of the others was either taken from the system or is a hole.
 *
 *	chunk	  0    1    2      3    4    5    6    7
 *		[ fixed, adjacent ][  ][hole][  ][hole][hole]
 *	chunks	  a   a+s  a+2s     x    0    y    0    0		addresses, x and y anywhere
 *
 * A hole is a block of the order of a chunk that is allocated, without a user: the buddy does not
 * know of holes, and its state, bounds and statistics of free memory are those of any zone. Growing
 * takes a chunk from the system and frees the lowest hole, shrinking allocates the highest chunk
 * that is entirely free and gives it back. As the buddy prefers low addresses, the highest chunks
 * become free first. Descriptors and the buddy's bitmaps have the size of the largest zone from the
 * beginning and never go away, so that code without the lock may read the descriptor of any frame
 * at any time. The map that leads from an address to its descriptor is described in frame.c.
 *
 * Invariants
 *	V1  A chunk has no address if and only if its frames are one block tagged HOLE, and if and
 *	    only if its bit in holes is set. No fixed chunk is a hole.
 *	V2  nr_holes = bits set in holes = frames of blocks tagged HOLE / 2^chunk_order.
 *	V3  Before a block of a chunk that was taken from the system can be allocated, no slot of a
 *	    page magazine remembers an address in that chunk from an earlier time.
 *
 * V3: a slot of a page magazine remembers the address and the descriptor of the block that was
 * allocated from it last (magazine.c, Stale slots). If a chunk was given back, and the system has
 * handed the same memory out again, the address may belong to another descriptor. Therefore, if
 * any chunk was given back since they were wiped last, growing begins a new epoch of the page
 * magazines and waits for a grace period, after which no CPU uses an older slot. Slots with cached
 * blocks stay valid, because a chunk with a cached block is not free. Slabs need nothing: they have
 * passed through limbo.
 *
 * When a zone grows
 *	- the worker, when fewer than low frames are free in the buddy, or when a request has found
 *	  no block and no chunk is free: until low frames are free
 *	- a request that may wait and was not helped by a drain: one chunk
 *	- a call of myalloc_zone_grow()
 * After the system had no chunk, the worker waits a second before it tries again for the first
 * reason.
 *
 * When it shrinks: the surplus is the number of free frames above low.
 *	- The worker gives half of it back in each half-life: every eighth of that time, 8.3 % of it
 *	  (1 - 2^(-1/8)), at most decay_most chunks. It leaves twice as much as low, so that a zone
 *	  does not grow and shrink in turns.
 *	- myalloc_zone_shrink() gives back the number of frames that it is asked for, at most the
 *	  surplus. The system calls it when it is short of memory.
 * Neither touches allocated memory, nor memory in magazines and slabs.
 *
 * Locking: chunks are taken from the system and given back without any lock or mutex, so the system
 * may call myalloc_zone_shrink() meanwhile, and a request that may not wait for file systems never
 * waits for one that does. The zone is changed under zone->lock, for one chunk at a time, in
 * bounded time.
 *
 * A wrong free can be refused only while its address is foreign: a late free of a block whose chunk
 * was given back and taken again is a valid free of whatever is there, as it is in any zone after
 * the block was allocated again (pages.c).
 *
 * Alternatives: blocks larger than a chunk among chunks taken later would need the limits of
 * buddy.c to change while blocks exist. A zone for each chunk would make every request search
 * through zones.
 */
#include "env.h"
#include "page/block.h"
#include "page/drain.h"
#include "page/shadow.h"
#include "zone/elastic.h"

/* Steps of the decay in a half-life, and the share that each gives back, in 1/1024: 1 - 2^(-1/8) */
#define DECAY_STEPS	8
#define DECAY_SHARE	85

/* One in so many of the fixed frames should be free. */
#define LOW_SHARE	16

/* Chunks that one pass of the worker takes */
#define GROW_MOST	16

static u32 hole_tag(const struct myalloc_zone *zone)
{
	return myalloc_frame_tag(MYALLOC_FRAME_HOLE, zone->chunk_order, 0);
}

static struct myalloc_frame *first_frame(const struct myalloc_zone *zone, u32 chunk)
{
	return &zone->frames[(size_t)chunk << zone->chunk_order];
}

/* --- grow ------------------------------------------------------------------------ */

/* Makes sure of V3 for a chunk that the zone does not have yet. */
static void forget_addresses(struct myalloc_zone *zone)
{
	struct myalloc_elastic *e = zone->elastic;
	unsigned long irq;
	unsigned int i;
	u64 moment;
	bool any;

	raw_spin_lock_irqsave(&zone->lock, irq);
	if (e->stale) {
		e->stale = false;
		for (i = 0; i < MYALLOC_PCP_LISTS; i++)
			myalloc_magazines_next_epoch(&zone->pcp[i]);
		e->moment = myalloc_env_gp_snapshot();
	}
	moment = e->moment;
	any = e->shrunk;
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	if (any && !myalloc_env_gp_passed(moment))
		myalloc_env_gp_wait();
}

/* Makes the lowest hole a free chunk at @addr. Returns false if there is no hole. */
static bool fill_hole(struct myalloc_zone *zone, unsigned long addr)
{
	struct myalloc_elastic *e = zone->elastic;
	unsigned long irq;
	u32 chunk;

	raw_spin_lock_irqsave(&zone->lock, irq);
	chunk = myalloc_tree_first(&e->holes);
	if (chunk != MYALLOC_TREE_NONE) {
		myalloc_tree_clear(&e->holes, chunk);
		WRITE_ONCE(zone->nr_holes, zone->nr_holes - 1);
		e->grown++;
		WRITE_ONCE(e->failed, false);
		WRITE_ONCE(zone->chunks[chunk], addr);
		myalloc_map_set(&zone->map, addr, chunk + 1);
		__myalloc_zone_give(zone, first_frame(zone, chunk));
		__myalloc_zone_mark(zone);
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return chunk != MYALLOC_TREE_NONE;
}

/* Takes one chunk from the system. A zone that is not elastic has no holes. */
static int grow(struct myalloc_zone *zone)
{
	struct myalloc_elastic *e = zone->elastic;
	void *chunk;
	long bytes;

	if (!READ_ONCE(zone->nr_holes))
		return -ENOSPC;
	chunk = e->ops->take(zone);
	bytes = chunk ? myalloc_map_reach(&zone->map, (unsigned long)chunk, zone->node) : -ENOMEM;
	if (bytes < 0) {
		WRITE_ONCE(e->failed, true);
		atomic64_inc(&e->refused);
		if (chunk)
			e->ops->give(zone, chunk);
		return bytes;
	}
	atomic64_add(bytes, &e->map_bytes);
	forget_addresses(zone);
	if (zone->checks & MYALLOC_POISON && !zone->simulated)
		memset(chunk, MYALLOC_POISON_FREE, PAGE_SIZE << zone->chunk_order);
	if (!fill_hole(zone, (unsigned long)chunk)) {
		e->ops->give(zone, chunk);	/* another task has filled the last hole */
		return -ENOSPC;
	}
	myalloc_env_trace(grow, .zone = zone->name, .ptr = chunk,
			  .bytes = PAGE_SIZE << zone->chunk_order, .order = zone->chunk_order,
			  .node = zone->node);
	myalloc_zone_wake(zone);
	return 0;
}

/**
 * myalloc_zone_grow() - take chunks from the system
 * @zone: the zone
 * @chunks: number of chunks
 * @grown: out: number of chunks taken
 *
 * Context: task, may sleep.
 * Return: 0; -ENOSPC if the zone, which need not be elastic, has no hole left; -ENOMEM if the
 * system has no chunk; -ERANGE if it has one only at an address that the zone cannot have. After an
 * error the zone keeps what it was given.
 */
int myalloc_zone_grow(struct myalloc_zone *zone, u32 chunks, u32 *grown)
{
	int err;

	for (*grown = 0; *grown < chunks; ++*grown) {
		err = grow(zone);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/* --- shrink ---------------------------------------------------------------------- */

/*
 * Lock held. Makes the highest free chunk a hole if @keep frames stay free. Returns the address
 * that it had, or 0.
 */
static unsigned long make_hole(struct myalloc_zone *zone, u32 keep)
{
	struct myalloc_buddy *b = &zone->buddy;
	struct myalloc_elastic *e = zone->elastic;
	u32 chunk = myalloc_tree_last(&b->free[b->chunk_order]);
	struct myalloc_frame *frame;
	unsigned long addr;

	if (chunk == MYALLOC_TREE_NONE || chunk < zone->nr_fixed ||
	    b->nr_free < keep + BIT(b->chunk_order))
		return 0;
	/* Before the block is taken, so that it does not count as in use. */
	WRITE_ONCE(zone->nr_holes, zone->nr_holes + 1);
	/* A free block of this order exists, so the buddy takes the last one. */
	frame = __myalloc_zone_take(zone, b->chunk_order, true, hole_tag(zone));
	myalloc_shadow_block_alloc(zone, frame, b->chunk_order);
	myalloc_env_point("elastic-hole");
	addr = zone->chunks[chunk];
	myalloc_map_set(&zone->map, addr, 0);
	WRITE_ONCE(zone->chunks[chunk], 0);
	myalloc_tree_set(&e->holes, chunk);
	e->shrunk++;
	e->stale = true;
	__myalloc_zone_mark(zone);
	return addr;
}

/* Gives one chunk back if @keep frames stay free. */
static bool shrink(struct myalloc_zone *zone, u32 keep)
{
	unsigned long irq, addr;

	raw_spin_lock_irqsave(&zone->lock, irq);
	addr = make_hole(zone, keep);
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	if (!addr)
		return false;
	/* Before the system can pass it on. */
	myalloc_env_trace(shrink, .zone = zone->name, .ptr = (void *)addr,
			  .bytes = PAGE_SIZE << zone->chunk_order, .order = zone->chunk_order,
			  .node = zone->node);
	zone->elastic->ops->give(zone, (void *)addr);
	return true;
}

/**
 * myalloc_zone_surplus() - chunks that the zone could give back at most
 * @zone: the zone, which is elastic
 *
 * Context: any; a snapshot, without a lock.
 * Return: the number of chunks. Fewer can be given back if free memory is scattered.
 */
u32 myalloc_zone_surplus(const struct myalloc_zone *zone)
{
	const struct myalloc_elastic *e = zone->elastic;
	u32 here = zone->nr_chunks - READ_ONCE(zone->nr_holes) - zone->nr_fixed;
	u32 free = data_race(zone->buddy.nr_free);	/* a snapshot */

	return free > e->low ? min(here, (free - e->low) >> zone->chunk_order) : 0;
}

/**
 * myalloc_zone_shrink() - give free chunks back to the system
 * @zone: the zone
 * @chunks: number of chunks
 *
 * Leaves a sixteenth of the fixed chunks' size free. Gives nothing back that is in a magazine or a
 * slab; myalloc_zone_drain() makes these free.
 *
 * Context: task; takes no mutex and allocates nothing, so it can be called while the system
 * reclaims memory.
 * Return: the number of chunks given back.
 */
u32 myalloc_zone_shrink(struct myalloc_zone *zone, u32 chunks)
{
	u32 done;

	for (done = 0; done < chunks && zone->elastic && shrink(zone, zone->elastic->low); done++)
		cond_resched();
	return done;
}

/* Called by the worker only. */
static void decay(struct myalloc_zone *zone)
{
	struct myalloc_elastic *e = zone->elastic;
	u64 step = READ_ONCE(e->half_life_ms) * 1000000ULL / DECAY_STEPS;
	u64 now = myalloc_env_now_ns();
	u32 surplus = myalloc_zone_surplus(zone), nr;

	if (!step || !surplus) {
		e->decay_at = 0;
		e->decay_part = 0;
		return;
	}
	if (!e->decay_at)
		e->decay_at = now;
	for (; surplus && now - e->decay_at >= step; e->decay_at += step) {
		e->decay_part += min(surplus, 1U << 20) * DECAY_SHARE;
		nr = min(e->decay_part / 1024, READ_ONCE(e->decay_most));
		e->decay_part %= 1024;
		for (; nr && shrink(zone, 2 * e->low); nr--, surplus--)
			atomic64_inc(&e->decayed);
		if (nr)		/* the rest of the free memory is scattered, or needed */
			surplus = 0;
	}
	if (!surplus)
		e->decay_at = 0;
}

/**
 * myalloc_zone_set_decay() - set how fast an elastic zone gives back unused memory
 * @zone: the zone; nothing happens if it is not elastic
 * @half_life_ms: time in which half of the surplus is given back, 0 for never
 * @most: chunks given back at most in an eighth of that time
 *
 * Context: any.
 */
void myalloc_zone_set_decay(struct myalloc_zone *zone, u32 half_life_ms, u32 most)
{
	if (!zone->elastic)
		return;
	WRITE_ONCE(zone->elastic->half_life_ms, half_life_ms);
	WRITE_ONCE(zone->elastic->decay_most, most);
	myalloc_zone_post(zone, 0);
}

/* --- operations of the drainer; see base/drainer.h -------------------------------- */

static struct myalloc_zone *zone_of(struct myalloc_drainer *drainer)
{
	return container_of(drainer, struct myalloc_elastic, drainer)->zone;
}

/* Is there no free chunk, so that one more would help a request that a chunk can serve? */
static bool no_chunk(const struct myalloc_zone *zone, unsigned int order)
{
	u32 nonempty = data_race(zone->buddy.nonempty);	/* a snapshot */

	return order <= zone->chunk_order && !(nonempty >> order);
}

/* The worker was posted by the caller. */
static bool reclaim_system(struct myalloc_drainer *drainer, u32 *most)
{
	struct myalloc_zone *zone = zone_of(drainer);

	if (READ_ONCE(zone->nr_holes) && no_chunk(zone, zone->chunk_order))
		WRITE_ONCE(zone->elastic->want, true);
	return false;
}

/* The worker goes on as long as there is a chunk that may become free and decay. */
static bool tend_system(struct myalloc_drainer *drainer)
{
	const struct myalloc_zone *zone = zone_of(drainer);

	return READ_ONCE(zone->elastic->half_life_ms) &&
	       READ_ONCE(zone->nr_holes) < zone->nr_chunks - zone->nr_fixed;
}

static unsigned int settle_system(struct myalloc_drainer *drainer)
{
	struct myalloc_zone *zone = zone_of(drainer);
	struct myalloc_elastic *e = zone->elastic;
	u32 left = GROW_MOST, free;

	if (xchg(&e->want, false))
		do {
			if (grow(zone))
				break;
			free = data_race(zone->buddy.nr_free);	/* a snapshot */
		} while (--left && free < e->low);
	decay(zone);
	return 0;
}

static void room_system(struct myalloc_drainer *drainer, unsigned int order)
{
	struct myalloc_zone *zone = zone_of(drainer);

	if (no_chunk(zone, order))
		grow(zone);
}

static const struct myalloc_drainer_ops drainer_ops = {
	.reclaim = reclaim_system,
	.tend = tend_system,
	.settle = settle_system,
	.room = room_system,
};

/* --- begin and end ---------------------------------------------------------------- */

/**
 * myalloc_elastic_init() - make the chunks of a new zone that are not there holes
 * @zone: the zone, with its buddy and map initialised
 * @args: its arguments
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM if out of memory.
 */
int myalloc_elastic_init(struct myalloc_zone *zone, const struct myalloc_zone_args *args)
{
	size_t size = struct_size(zone->elastic, words, myalloc_tree_words(zone->nr_chunks));
	struct myalloc_elastic *e = myalloc_env_zalloc(size, zone->node);
	u32 chunk;

	if (!e)
		return -ENOMEM;
	zone->meta_bytes += size;
	zone->elastic = e;
	e->zone = zone;
	e->ops = args->chunk_ops;
	myalloc_tree_init(&e->holes, zone->nr_chunks, e->words);
	for (chunk = zone->nr_fixed; chunk < zone->nr_chunks; chunk++) {
		myalloc_buddy_alloc_range(&zone->buddy, chunk << zone->chunk_order,
					  BIT(zone->chunk_order));
		first_frame(zone, chunk)->tag = hole_tag(zone);
		myalloc_tree_set(&e->holes, chunk);
	}
	zone->nr_holes = zone->nr_chunks - zone->nr_fixed;
	e->low = max((zone->nr_fixed << zone->chunk_order) / LOW_SHARE, 1U);
	e->half_life_ms = MYALLOC_DECAY_MS;
	e->decay_most = MYALLOC_DECAY_MOST;
	__myalloc_zone_mark(zone);
	myalloc_drainer_add(zone, &e->drainer, MYALLOC_KIND_SYSTEM, &drainer_ops);
	return 0;
}

/**
 * myalloc_elastic_end() - give all chunks back that were taken from the system
 * @zone: the zone, its worker stopped and nothing allocated; it need not be elastic
 *
 * Context: task, may sleep.
 */
void myalloc_elastic_end(struct myalloc_zone *zone)
{
	u32 chunk;

	for (chunk = zone->nr_fixed; chunk < zone->nr_chunks; chunk++)
		if (zone->chunks[chunk])
			zone->elastic->ops->give(zone, (void *)zone->chunks[chunk]);
}
