// SPDX-License-Identifier: GPL-2.0
/*
 * Objects: alloc and free, between users, magazines and slabs
 *
 * What it is: magazines (magazine.c) in front of the slabs of a cache (slab.c, which has the terms
 * and the invariants). The fast paths of the default level are myalloc_cache_alloc() and
 * myalloc_cache_free(); everything that they leave takes the slow paths.
 *
 * Levels: how a free finds out that its slot is LIVE
 *	default	 by a plain load, and a plain store of CACHED. Every second free is found that
 *		 begins after the first has ended. Two that overlap may both be taken, and then that
 *		 one slot may have two users; nothing else is affected.
 *	certain	 by a locked compare-and-exchange of the state: one of two is refused.
 *	trusting not at all: an address at which no slot begins is refused. A state stays CACHED
 *		 until the slot is flushed, so no line of states goes from CPU to CPU with the object.
 *		 A second free is found by the bit, at the flush, when the slot may have two users.
 * A free past the fast path (no room, an interrupt, checks, zeroing, no magazines) always claims its
 * slot by a compare-and-exchange from LIVE to MOVING, before it does anything to it.
 *
 * Caches with red zones, poison or owners have no magazines: every alloc and free goes
 * through the lock and does its checks there. So the fast path does not even ask.
 *
 * Bounds: a refill takes at most a batch of slots; a flush returns at most a batch under one hold of
 * the lock, and harvests at most HARVEST_MOST slabs.
 */
#include "env.h"
#include "base/magazine_loops.h"
#include "object/check.h"
#include "object/limbo.h"
#include "object/object.h"
#include "object/shadow.h"
#include "object/slab.h"
#include "page/drain.h"
#include "page/flags.h"

/* Deferred frees that one operation takes along. */
#define REAP_MOST	2
/*
 * Slabs in limbo that one flush gives back. A slab costs as much as several objects, so fewer if
 * there are many of those; slabs of one or two objects, of which each flush empties as many, are of
 * large ones, and their magazines are small.
 */
#define HARVEST_MOST	4
#define HARVEST_FEW	2
#define FLUSH_MANY	8

/* --- between slabs and magazines ------------------------------------------- */

/*
 * Takes up to @most slots, after adding the new slab at @frame if there is one: as CACHED
 * for a refill, else as MOVING. False if the lock could not be had, which happens only
 * in NMI.
 */
static bool try_take(struct myalloc_cache *c, struct myalloc_frame *frame,
		     struct myalloc_slot *slot_end, u32 most, bool for_refill, u32 *taken)
{
	unsigned long irq;

	if (!myalloc_lock(&c->lock, &irq))
		return false;
	__myalloc_slab_reap(c, REAP_MOST);
	if (frame)
		__myalloc_slab_add(c, frame);
	*taken = __myalloc_slab_take(c, slot_end, most, for_refill ? MYALLOC_SLOT_CACHED : MYALLOC_SLOT_MOVING);
	if (for_refill)
		c->refills += !!*taken;
	else
		c->allocs += *taken;
	raw_spin_unlock_irqrestore(&c->lock, irq);
	return true;
}

/*
 * As try_take(), growing the cache if it must. Returns how many; 0 if the zone has no
 * block, or the lock could not be had.
 */
static u32 take_or_grow(struct myalloc_cache *c, struct myalloc_slot *slot_end, u32 most,
			bool for_refill)
{
	struct myalloc_frame *frame;
	u32 n;

	if (!try_take(c, NULL, slot_end, most, for_refill, &n))
		return 0;
	if (n)
		return n;
	frame = myalloc_slab_make(c);
	if (unlikely(!frame && myalloc_zone_reclaim(c->zone)))
		frame = myalloc_slab_make(c);
	if (!frame)
		return 0;
	if (!try_take(c, frame, slot_end, most, for_refill, &n)) {
		myalloc_slab_drop(c, frame);
		return 0;
	}
	return n;
}

/* Fills the loaded magazine, which is empty. False if it stays empty. */
static bool refill(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu)
{
	u32 batch = c->mags.batch;
	struct myalloc_slot *first = myalloc_magazine_first(cpu->loaded);
	u32 n = take_or_grow(c, first + batch, batch, true);

	if (n < batch)
		memmove(first, first + batch - n, n * sizeof(*first));
	myalloc_magazine_set_count(cpu, n);
	return n;
}

/**
 * myalloc_cache_flush() - slots from a magazine back to their slabs
 * @cache: the cache
 * @slot: the first of them
 * @nr: how many
 *
 * A magazine.c flush. At most a batch under one hold of the lock; the slabs that this makes empty
 * go to limbo, but for MYALLOC_EMPTY_KEEP.
 *
 * Context: any but NMI, preemption off.
 */
void myalloc_cache_flush(void *cache, struct myalloc_slot *slot, u32 nr)
{
	struct myalloc_cache *c = cache;
	unsigned long irq;
	u32 n;

	for (; nr; nr -= n) {
		n = min(nr, c->mags.batch);
		raw_spin_lock_irqsave(&c->lock, irq);
		__myalloc_slab_flush(c, slot + nr - n, n);
		c->flushes++;
		myalloc_limbo_retire(c, MYALLOC_EMPTY_KEEP, n + 1);
		raw_spin_unlock_irqrestore(&c->lock, irq);
		myalloc_limbo_harvest(c->zone, n > FLUSH_MANY ? HARVEST_FEW : HARVEST_MOST);
	}
	myalloc_zone_wake(c->zone);
}

static noinline bool more(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu)
{
	return myalloc_magazines_load(&c->mags, cpu) || refill(c, cpu);
}

/* Makes room in the loaded magazine, which is full. False in NMI if there is none. */
static noinline bool room(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu)
{
	if (myalloc_magazines_room(&c->mags, cpu))
		return true;
	if (in_nmi())
		return false;
	WRITE_ONCE(cpu->top, cpu->end - c->mags.batch);
	myalloc_cache_flush(c, cpu->top, c->mags.batch);
	return true;
}

/*
 * Between enter and leave. Has a good object on top of the loaded magazine, and drops those that
 * are damaged; false if there is none. A myalloc_ready_fn.
 */
static bool ready(struct myalloc_magazine_cpu *cpu, void *cache)
{
	struct myalloc_cache *c = cache;

	while (myalloc_magazine_count(cpu) || more(c, cpu)) {
		if (likely(READ_ONCE(*cpu->top[-1].state) == MYALLOC_SLOT_CACHED))
			return true;
		WRITE_ONCE(cpu->top, cpu->top - 1);
		myalloc_slab_twice(c, cpu->top->addr);
	}
	return false;
}

/* Between enter and leave. One object out of the magazines, NULL if there is none to be had. */
static void *get(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu)
{
	struct myalloc_slot *slot;

	if (!ready(cpu, c))
		return NULL;
	slot = cpu->top - 1;
	WRITE_ONCE(*slot->state, myalloc_user_state(c));
	cpu->nr_gets++;
	WRITE_ONCE(cpu->top, slot);
	return slot->addr;
}

/* A myalloc_get_fn. */
static __always_inline bool get_one(const struct myalloc_slot *slot, void **object,
				    void *arg)
{
	u8 *state = slot->state;

	if (unlikely(data_race(*state) != MYALLOC_SLOT_CACHED))	/* S5 */
		return false;
	*object = slot->addr;
	WRITE_ONCE(*state, MYALLOC_SLOT_LIVE);
	return true;
}

static __always_inline void fill_slot(struct myalloc_slot *slot, void *object, u8 *state)
{
	WRITE_ONCE(*state, MYALLOC_SLOT_CACHED);
	slot->addr = object;
	slot->state = state;
}

/*
 * Between enter and leave. False in NMI if there is no room; also if the slab is on its way out. That
 * is looked at when the magazine is of the present epoch: if the slab leaves later, the epoch grows
 * later, and the slot is looked up again before it is believed.
 */
static bool put(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu, void *object,
		const struct myalloc_place *place)
{
	if (unlikely(cpu->top == cpu->end && !room(c, cpu)))
		return false;
	if (unlikely(READ_ONCE(place->frame->tag) != c->tag))
		return false;
	myalloc_shadow_object_free(c, object);
	fill_slot(cpu->top, object, place->state);
	cpu->nr_puts++;
	WRITE_ONCE(cpu->top, cpu->top + 1);
	return true;
}

/*
 * A slot of a slab that is on its way out, in state @from: only who got a slot that was freed twice
 * at once may have one. It goes back under the lock, and the recount that follows finds nothing
 * in its way. False in NMI if the lock is taken.
 */
static bool limbo_slot_free(struct myalloc_cache *c, const void *object, u8 from)
{
	struct myalloc_place place;
	unsigned long irq;
	bool done;

	if (!myalloc_lock(&c->lock, &irq))
		return false;
	done = myalloc_place_find(c, object, &place) && place.tag == c->limbo_tag &&
	       try_cmpxchg(place.state, &from, MYALLOC_SLOT_FREE);
	if (done) {
		myalloc_shadow_slot_free(c, object);
		myalloc_slab_twice(c, object);
	}
	raw_spin_unlock_irqrestore(&c->lock, irq);
	return done;
}

/*
 * The state of an object in the linear range whose slab is in use; for everything else that of no
 * object.
 */
static __always_inline u8 *fast_state(struct myalloc_cache *c, const void *object)
{
	unsigned long off = (unsigned long)object - c->linear.base;
	struct myalloc_frame *frame;
	u64 index;

	if (unlikely(off >= c->linear.bytes))
		return &c->nothing;
	frame = (void *)c->linear.frames +
		(off / (PAGE_SIZE / MYALLOC_FRAME_BYTES) & c->head_mask);
	if (unlikely(data_race(frame->tag) != c->tag))	/* Z1, or of another */
		return &c->nothing;
	off &= c->bytes_mask;
	index = off * c->reciprocal;	/* L4 */
	if (unlikely((u32)index >= c->reciprocal))
		return &c->nothing;
	index >>= 32;
	if (c->state_offset)
		return (u8 *)object - off + c->state_offset + index;
	return (u8 *)(frame + 1) + index;
}

/* What a free with the given @level, a constant, needs to see and do. */
static __always_inline bool claim(struct myalloc_cache *c, u8 *state, myalloc_cache_flags_t level)
{
	u8 live = MYALLOC_SLOT_LIVE;

	if (level == MYALLOC_TRUSTING)
		return state != &c->nothing;
	if (unlikely(data_race(*state) != MYALLOC_SLOT_LIVE))	/* S5 */
		return false;
	myalloc_env_point("object-checked");
	if (level == MYALLOC_CERTAIN)
		return try_cmpxchg(state, &live, MYALLOC_SLOT_CACHED);
	WRITE_ONCE(*state, MYALLOC_SLOT_CACHED);
	return true;
}

/*
 * Back into the slot that it was handed out from, which still says where its state is. A
 * myalloc_put_stale_fn, of the default level.
 */
static __always_inline bool put_stale(const struct myalloc_slot *slot, void *object,
				     void *cache)
{
	if (unlikely(slot->addr != object) || unlikely(!claim(cache, slot->state, 0)))
		return false;
	myalloc_shadow_object_free(cache, object);
	return true;
}

/*
 * Into the slot at @top of the loaded magazine, if there is room and all is as it should be:
 * false leaves it to free_slow(). If the object was handed out from there, the slot still says
 * where its state is (magazine.c, Stale slots), and there is room.
 */
static __always_inline bool fast_put(struct myalloc_cache *c,
				     const struct myalloc_magazine_cpu *cpu,
				     struct myalloc_slot *top, void *object, myalloc_cache_flags_t level)
{
	u8 *state;

	/* Slots that were wiped, and guards, have no address. */
	if (level == MYALLOC_TRUSTING && unlikely(!object))
		return false;
	if (likely(top->addr == object))
		return claim(c, top->state, level);
	state = fast_state(c, object);
	if (unlikely(top == cpu->end) || unlikely(!claim(c, state, level)))
		return false;
	top->addr = object;
	top->state = state;
	return true;
}

/* A myalloc_put_fn, of the default level. */
static __always_inline bool put_default(const struct myalloc_magazine_cpu *cpu,
					struct myalloc_slot *top, void *object, void *cache)
{
	if (unlikely(!fast_put(cache, cpu, top, object, 0)))
		return false;
	myalloc_shadow_object_free(cache, object);
	return true;
}

/* --- alloc and free ----------------------------------------------------------- */

/* One object past the magazines. */
static void *alloc_one(struct myalloc_cache *c, unsigned long caller)
{
	struct myalloc_slot slot;

	if (!take_or_grow(c, &slot + 1, 1, false))
		return NULL;
	if (c->flags & MYALLOC_CHECKS)
		myalloc_debug_alloc(c, slot.addr, caller);
	WRITE_ONCE(*slot.state, myalloc_user_state(c));
	return slot.addr;
}

static void *alloc_slabs(struct myalloc_cache *c, myalloc_flags_t flags, unsigned long caller)
{
	void *object = alloc_one(c, caller);

	if (unlikely(!object && flags & MYALLOC_MAY_WAIT)) {
		myalloc_zone_drain(c->zone);
		object = alloc_one(c, caller);
	}
	if (unlikely(!object))
		atomic64_inc(&c->fails);
	return object;
}

static bool wants_zero(const struct myalloc_cache *c, myalloc_flags_t flags)
{
	return flags & MYALLOC_ZERO || c->flags & MYALLOC_ZERO_ALLOC;
}

/*
 * Out of the magazine of this CPU, in a cache that is not of the default level; those that are take
 * the same steps in myalloc_cache_alloc(). NULL leaves it to alloc_slow().
 */
static __always_inline void *get_fast(struct myalloc_cache *c, myalloc_cache_flags_t level)
{
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot *slot;
	void *object = NULL;
	u64 guard;

	if (unlikely(!__myalloc_magazines_begin(&c->mags, &c->mags.inner_epoch, &cpu, &guard)))
		return NULL;
	slot = cpu->top - 1;
	if (level == MYALLOC_TRUSTING ? likely(myalloc_magazine_count(cpu)) :
	    likely(data_race(*slot->state) == MYALLOC_SLOT_CACHED)) {	/* S5 */
		if (level != MYALLOC_TRUSTING)
			WRITE_ONCE(*slot->state, MYALLOC_SLOT_LIVE);
		object = slot->addr;
		cpu->nr_gets++;
		WRITE_ONCE(cpu->top, slot);
	}
	myalloc_magazines_end(cpu, guard);
	return object;
}

/* As get_fast(), of a free. */
static __always_inline bool put_fast(struct myalloc_cache *c, void *object, myalloc_cache_flags_t level)
{
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot *top;
	bool done;
	u64 guard;

	if (unlikely(!__myalloc_magazines_begin(&c->mags, &c->mags.inner_epoch, &cpu, &guard)))
		return false;
	top = cpu->top;
	done = fast_put(c, cpu, top, object, level);
	if (likely(done)) {
		cpu->nr_puts++;
		myalloc_shadow_object_free(c, object);
		WRITE_ONCE(cpu->top, top + 1);
	}
	myalloc_magazines_end(cpu, guard);
	return done;
}

static void *get_by_level(struct myalloc_cache *c)
{
	if (c->level == MYALLOC_CERTAIN)
		return get_fast(c, MYALLOC_CERTAIN);
	return c->level == MYALLOC_TRUSTING ? get_fast(c, MYALLOC_TRUSTING) : NULL;
}

static bool put_by_level(struct myalloc_cache *c, void *object)
{
	if (c->level == MYALLOC_CERTAIN)
		return put_fast(c, object, MYALLOC_CERTAIN);
	return c->level == MYALLOC_TRUSTING && put_fast(c, object, MYALLOC_TRUSTING);
}

/* Everything that the fast path leaves: a miss, an interrupt, no magazines, zeroing, levels. */
static noinline void *alloc_slow(struct myalloc_cache *c, myalloc_flags_t flags,
				 unsigned long caller)
{
	struct myalloc_magazine_cpu *cpu;
	void *object;

	if (unlikely(!myalloc_flags_check(c->zone, &flags, MYALLOC_OBJECT_FLAGS_ALL, caller)))
		return NULL;
	object = get_by_level(c);
	if (!object) {
		cpu = myalloc_magazines_enter(&c->mags);
		if (cpu) {
			object = get(c, cpu);
			myalloc_magazines_leave(cpu);
		}
	}
	if (!object)
		object = alloc_slabs(c, flags, caller);
	myalloc_shadow_object_alloc(c, object);
	if (object && wants_zero(c, flags))
		memset(object, 0, c->layout.object_size);
	return object;
}

static __always_inline void *alloc_fast(struct myalloc_cache *cache, myalloc_flags_t flags,
					unsigned long caller)
{
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot *slot;
	void *object;
	u64 guard;

	myalloc_flags_might_wait(flags);
	if (unlikely(flags & ~MYALLOC_MAY_WAIT) ||
	    unlikely(!myalloc_magazines_begin(&cache->mags, &cpu, &guard)))
		return alloc_slow(cache, flags, caller);
	slot = cpu->top - 1;
	if (unlikely(data_race(*slot->state) != MYALLOC_SLOT_CACHED)) {	/* S5 */
		myalloc_magazines_end(cpu, guard);
		return alloc_slow(cache, flags, caller);
	}
	WRITE_ONCE(*slot->state, MYALLOC_SLOT_LIVE);
	object = slot->addr;
	cpu->nr_gets++;
	WRITE_ONCE(cpu->top, slot);
	myalloc_magazines_end(cpu, guard);
	myalloc_shadow_object_alloc(cache, object);
	return object;
}

/**
 * myalloc_cache_alloc() - allocate an object
 * @cache: the cache
 * @flags: MYALLOC_ZERO, MYALLOC_MAY_WAIT
 *
 * Context: any. With MYALLOC_MAY_WAIT: task context that may sleep. In NMI it may fail
 * because a lock is held by what was interrupted.
 * Return: the object; NULL if the zone has no block for a slab, or there is another flag:
 * reported.
 */
void *myalloc_cache_alloc(struct myalloc_cache *cache, myalloc_flags_t flags)
{
	return alloc_fast(cache, flags, _RET_IP_);
}

/* The same on behalf of the code at @caller, which the owner's record names. */
void *myalloc_cache_alloc_for(struct myalloc_cache *cache, myalloc_flags_t flags,
			      unsigned long caller)
{
	return alloc_fast(cache, flags, caller);
}

/* Past the magazines; the caller has made the slot MOVING. */
static int free_slabs(struct myalloc_cache *c, void *object, u8 *state, unsigned long caller)
{
	struct myalloc_place place;
	unsigned long irq;

	if (c->flags & MYALLOC_CHECKS)
		myalloc_debug_free(c, object, caller);
	if (unlikely(!myalloc_lock(&c->lock, &irq))) {
		myalloc_slab_defer(c, object, state);
		return 0;
	}
	__myalloc_slab_reap(c, REAP_MOST);
	/* A slot that is MOVING keeps its slab here. */
	if (unlikely(!myalloc_place_find(c, object, &place) ||
		     !__myalloc_slab_give(c, &place, MYALLOC_SLOT_MOVING)))
		myalloc_slab_twice(c, object);
	c->frees++;
	if (!in_nmi())
		myalloc_limbo_retire(c, MYALLOC_EMPTY_KEEP, 1);
	raw_spin_unlock_irqrestore(&c->lock, irq);
	if (!in_nmi())
		myalloc_limbo_harvest(c->zone, 1);
	return 0;
}

/* Makes the slot of a user's object MOVING. False if it is not one of a slab in use. */
static bool claim_slow(struct myalloc_cache *c, const void *object, struct myalloc_place *place)
{
	u8 from = myalloc_user_state(c);
	bool claimed = false;

	preempt_disable();	/* from the look at the tag to the claim */
	place->tag = 0;
	if (likely(myalloc_place_find(c, object, place))) {
		myalloc_env_point("object-found");
		claimed = place->tag == c->tag &&
			  likely(try_cmpxchg(place->state, &from, MYALLOC_SLOT_MOVING));
	}
	preempt_enable();
	return claimed;
}

/* Everything that the fast path leaves: no room, an interrupt, checks, levels, outside the linear range. */
static noinline int free_slow(struct myalloc_cache *c, void *object, unsigned long caller)
{
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_place place;

	if (put_by_level(c, object))
		return 0;
	if (unlikely(!claim_slow(c, object, &place))) {
		if (place.tag == c->limbo_tag && limbo_slot_free(c, object, myalloc_user_state(c)))
			return 0;
		return myalloc_cache_bad_free(c, object);
	}
	if (c->flags & MYALLOC_ZERO_FREE)
		memset(object, 0, c->layout.object_size);
	cpu = myalloc_magazines_enter(&c->mags);
	if (cpu) {
		bool done = put(c, cpu, object, &place);

		myalloc_magazines_leave(cpu);
		if (done)
			return 0;
	}
	return free_slabs(c, object, place.state, caller);
}

static __always_inline int free_fast(struct myalloc_cache *cache, void *object,
				     unsigned long caller)
{
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot *top;
	u64 guard;

	if (unlikely(!myalloc_magazines_begin(&cache->mags, &cpu, &guard)))
		return free_slow(cache, object, caller);
	top = cpu->top;
	if (unlikely(!fast_put(cache, cpu, top, object, 0))) {
		myalloc_magazines_end(cpu, guard);
		return free_slow(cache, object, caller);
	}
	cpu->nr_puts++;
	myalloc_shadow_object_free(cache, object);
	WRITE_ONCE(cpu->top, top + 1);
	myalloc_magazines_end(cpu, guard);
	return 0;
}

/**
 * myalloc_cache_free() - free an object
 * @cache: the cache it was allocated from
 * @object: its address, any value
 *
 * Context: any.
 * Return: 0; -EINVAL if that is not an object that is allocated from this cache: reported,
 * counted, and nothing has changed.
 */
int myalloc_cache_free(struct myalloc_cache *cache, void *object)
{
	return free_fast(cache, object, _RET_IP_);
}

/* The same on behalf of the code at @caller, which the owner's record names. */
int myalloc_cache_free_for(struct myalloc_cache *cache, void *object, unsigned long caller)
{
	return free_fast(cache, object, caller);
}

/* As get_one(), where the state of a user's object is that of one in a magazine. */
static __always_inline bool get_trusted(const struct myalloc_slot *slot, void **object,
					void *arg)
{
	if (unlikely(data_race(*slot->state) != MYALLOC_SLOT_CACHED))
		return false;
	*object = slot->addr;
	return true;
}

/**
 * myalloc_cache_alloc_bulk() - allocate several objects
 * @cache: the cache
 * @flags: as for myalloc_cache_alloc()
 * @nr: how many
 * @objects: out: their addresses
 *
 * Context: as for myalloc_cache_alloc().
 * Return: how many were allocated; fewer than @nr if the zone has no more.
 */
unsigned int myalloc_cache_alloc_bulk(struct myalloc_cache *cache,
				      myalloc_flags_t flags, unsigned int nr,
				      void **objects)
{
	unsigned int n, i;

	myalloc_flags_might_wait(flags);
	if (unlikely(!myalloc_flags_check(cache->zone, &flags, MYALLOC_OBJECT_FLAGS_ALL,
					  _RET_IP_)))
		return 0;
	if (likely(cache->level != MYALLOC_TRUSTING))
		n = myalloc_get_bulk(&cache->mags, nr, objects, get_one, NULL, ready, cache);
	else
		n = myalloc_get_bulk(&cache->mags, nr, objects, get_trusted, NULL, ready, cache);
	for (; n < nr; n++) {
		objects[n] = alloc_slabs(cache, flags, _RET_IP_);
		if (!objects[n])
			break;
	}
	myalloc_shadow_objects_alloc(cache, n, objects);
	if (unlikely(wants_zero(cache, flags)))
		for (i = 0; i < n; i++)
			memset(objects[i], 0, cache->layout.object_size);
	return n;
}

/* A myalloc_ready_fn of frees. */
static bool has_room(struct myalloc_magazine_cpu *cpu, void *cache)
{
	return room(cache, cpu);
}

/**
 * myalloc_cache_free_bulk() - free several objects
 * @cache: the cache they were allocated from
 * @nr: how many
 * @objects: their addresses, any values
 *
 * They go back from the end of @objects on, so that what an allocation in bulk has filled is
 * taken back the quick way (magazine.c, Stale slots). Each wrong one is treated as by
 * myalloc_cache_free().
 *
 * Context: any.
 * Return: how many were freed; @nr if none was wrong.
 */
unsigned int myalloc_cache_free_bulk(struct myalloc_cache *cache,
				     unsigned int nr, void **objects)
{
	unsigned int left = nr, freed = 0;

	while (left) {
		unsigned int n = myalloc_put_bulk(&cache->mags, min(left, MYALLOC_BULK_STEP),
						  objects + left, put_stale, put_default, cache,
						  has_room, cache);

		left -= n;
		freed += n;
		if (unlikely(left && n < MYALLOC_BULK_STEP))
			freed += !free_slow(cache, objects[--left], _RET_IP_);
	}
	return freed;
}

/**
 * myalloc_cache_fresh() - is an object of an older epoch still what its slot says?
 * @cache: the cache
 * @slot: of a magazine
 *
 * A magazine.c check. Only a slot that was freed twice at once can be in a magazine while its slab
 * leaves.
 *
 * Context: any, preemption off.
 */
bool myalloc_cache_fresh(void *cache, const struct myalloc_slot *slot)
{
	struct myalloc_cache *c = cache;
	struct myalloc_place place;

	if (unlikely(!myalloc_place_find(c, slot->addr, &place) || place.state != slot->state)) {
		myalloc_slab_twice(c, slot->addr);
		return false;
	}
	if (likely(place.tag == c->tag && READ_ONCE(*place.state) == MYALLOC_SLOT_CACHED))
		return true;
	if (place.tag == c->tag || !limbo_slot_free(c, slot->addr, MYALLOC_SLOT_CACHED))
		myalloc_slab_twice(c, slot->addr);
	return false;
}
