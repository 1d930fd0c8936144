// SPDX-License-Identifier: GPL-2.0
/*
 * Objects: alloc and free, between users, magazines and slabs
 *
 * What it is: magazines (magazine.c) in front of the slabs of a cache (slab.c, which defines the
 * terms and invariants). myalloc_cache_alloc() and myalloc_cache_free() contain the fast paths of
 * the default level (fast.h) and call the slow paths for everything else.
 *
 * Levels: how a free establishes that its slot is LIVE
 *	default	 by a plain load, followed by a plain store of CACHED. A second free is always
 *		 found if it begins after the first has ended. Two frees that overlap may both
 *		 succeed, after which that slot may have two users; no other slot and no count is
 *		 affected. When one of them frees it, the slab may leave while the other uses it.
 *	certain	 by a locked compare-and-exchange of the state: one of the two frees is refused.
 *	trusting not at all; only an address at which no slot begins is refused. A state stays
 *		 CACHED until the slot is flushed, so the cache lines of states do not move between
 *		 CPUs with the objects. The out bit reveals a second free at the flush, by which
 *		 time the slot may have two users.
 * A free past the fast path (no room, an interrupt, checks, zeroing, no magazines) always claims
 * its slot by a compare-and-exchange from LIVE to MOVING before it does anything else to it. In a
 * trusting cache the state of a slot in use is CACHED instead of LIVE. A cache that zeroes objects
 * at free is certain, whatever level its creator asks for: a second free that was accepted would
 * zero the memory of the slot's next user.
 *
 * Caches with red zones, poison or owners' records have no magazines: every alloc and free takes
 * the lock and performs its checks there. The fast path therefore need not test for them.
 *
 * Bounds: a refill takes at most a batch of slots. A flush returns at most a batch each time it
 * holds the lock, and harvests at most HARVEST_MOST slabs after each.
 */
#include "env.h"
#include "base/magazine_loops.h"
#include "object/check.h"
#include "object/fast.h"
#include "object/limbo.h"
#include "object/object.h"
#include "object/shadow.h"
#include "object/slab.h"
#include "page/drain.h"
#include "page/flags.h"
#include "page/limit.h"

/* Deferred frees that one operation returns to their slabs. */
#define REAP_MOST	2
/*
 * Slabs that a flush returns from limbo to the zone. A slab costs as much as several objects, so a
 * flush of more than FLUSH_MANY objects returns fewer. Slabs of one or two objects, as many of
 * which each flush empties, belong to large objects, whose magazines are small.
 */
#define HARVEST_MOST	4
#define HARVEST_FEW	2
#define FLUSH_MANY	8

/* --- between slabs and magazines ------------------------------------------- */

/*
 * Take up to @most slots, after adding the new slab at @frame if there is one. The slots become
 * CACHED for a refill, otherwise MOVING. Returns false if the lock is taken, which can happen
 * only in NMI.
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
	*taken = __myalloc_slab_take(c, slot_end, most,
				     for_refill ? MYALLOC_SLOT_CACHED : MYALLOC_SLOT_MOVING);
	if (!for_refill)
		c->allocs += *taken;
	if (unlikely(c->fixed_slabs) && c->zone->limit)
		myalloc_limit_note_unused(c->zone->limit, c->free_slots);
	raw_spin_unlock_irqrestore(&c->lock, irq);
	return true;
}

/*
 * Like try_take(), but add a slab to the cache if it has no free slot. Returns the number of slots;
 * 0 if the zone has no free block, the cache may not grow, or the lock is taken.
 */
static u32 take_or_grow(struct myalloc_cache *c, struct myalloc_slot *slot_end, u32 most,
			bool for_refill)
{
	struct myalloc_frame *frame;
	u32 n;

	if (!try_take(c, NULL, slot_end, most, for_refill, &n))
		return 0;
	if (n || unlikely(c->fixed_slabs))
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

/* Fill the loaded magazine, which is empty. Returns false if it stays empty. */
static bool refill(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu)
{
	u32 batch = c->mags.batch;
	struct myalloc_slot *first = myalloc_magazine_first(cpu->loaded);
	u32 n = take_or_grow(c, first + batch, batch, true);

	if (n < batch)
		memmove(first, first + batch - n, n * sizeof(*first));
	if (n)
		myalloc_magazines_note_refill(&c->mags);
	myalloc_magazine_set_count(cpu, n);
	myalloc_env_trace(refill, .zone = c->zone->name, .name = c->name,
			  .order = c->layout.order, .nr = n, .wanted = batch,
			  .node = c->zone->node);
	return n;
}

/**
 * myalloc_cache_flush() - return slots of a magazine to their slabs
 * @cache: the cache
 * @slot: the first slot
 * @nr: number of slots
 *
 * The flush callback of magazine.c. It returns at most a batch each time it holds the lock. Slabs
 * that become empty go to limbo, except for MYALLOC_EMPTY_KEEP of them.
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
		myalloc_env_trace(flush, .zone = c->zone->name, .name = c->name,
				  .order = c->layout.order, .nr = n, .node = c->zone->node);
		myalloc_limbo_harvest(c->zone, n > FLUSH_MANY ? HARVEST_FEW : HARVEST_MOST);
	}
	myalloc_zone_wake(c->zone);
}

static noinline bool more(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu)
{
	return myalloc_magazines_load(&c->mags, cpu) || refill(c, cpu);
}

/* Make room in the loaded magazine, which is full. Returns false only in NMI. */
static noinline bool room(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu)
{
	if (myalloc_magazines_room(&c->mags, cpu))
		return true;
	if (in_nmi())
		return false;
	myalloc_magazines_note_flush(&c->mags);
	WRITE_ONCE(cpu->top, cpu->end - c->mags.batch);
	myalloc_cache_flush(c, cpu->top, c->mags.batch);
	return true;
}

/*
 * Between enter and leave. Make sure that the top of the loaded magazine is CACHED, dropping slots
 * that are not. Returns false if no object is left. A myalloc_ready_fn.
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

/* Between enter and leave. Take an object from the magazines; NULL if there is none. */
static void *take(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu)
{
	struct myalloc_slot *slot;

	if (!ready(cpu, c))
		return NULL;
	slot = cpu->top - 1;
	WRITE_ONCE(*slot->state, myalloc_user_state(c));
	cpu->nr_takes++;
	WRITE_ONCE(cpu->top, slot);
	return slot->addr;
}

/* Take one object of the default or the certain level. A myalloc_take_fn. */
static __always_inline bool take_one(const struct myalloc_slot *slot, void **object, void *arg)
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
 * Between enter and leave. Put an object into the magazines. Returns false in NMI if there is no
 * room, and always if the slab is in limbo. The tag is read while the magazine is of the current
 * epoch: if the slab leaves later, the epoch advances later too, and the slot is looked up again
 * before it is used.
 */
static bool give(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu, void *object,
		 const struct myalloc_place *place)
{
	if (unlikely(cpu->top == cpu->end && !room(c, cpu)))
		return false;
	if (unlikely(READ_ONCE(place->frame->tag) != c->tag))
		return false;
	myalloc_shadow_object_free(c, object);
	fill_slot(cpu->top, object, place->state);
	cpu->nr_gives++;
	WRITE_ONCE(cpu->top, cpu->top + 1);
	return true;
}

/*
 * Free an object of a slab in limbo. Only a second owner, after two overlapping frees, can hold
 * such an object. It is returned under the lock, so that the recount that follows finds it FREE.
 * Returns false if it is not allocated, or in NMI if the lock is taken.
 */
static bool limbo_object_free(struct myalloc_cache *c, const void *object)
{
	u8 from = myalloc_user_state(c);
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
 * Return an object to the slot of the magazine that it was taken from, which still points to its
 * state. A myalloc_give_stale_fn of the default level.
 */
static __always_inline bool give_stale(const struct myalloc_slot *slot, void *object, void *cache)
{
	if (unlikely(slot->addr != object) ||
	    unlikely(!myalloc_fast_claim(cache, slot->state, 0)))
		return false;
	myalloc_shadow_object_free(cache, object);
	return true;
}

/* Give back an object of the default level. A myalloc_give_fn. */
static __always_inline bool give_default(const struct myalloc_magazine_cpu *cpu,
					 struct myalloc_slot *top, void *object, void *cache)
{
	if (unlikely(!myalloc_fast_give(cache, cpu, top, object, 0, false, NULL, 0)))
		return false;
	myalloc_shadow_object_free(cache, object);
	return true;
}

/* --- alloc and free ----------------------------------------------------------- */

/**
 * myalloc_cache_trace_alloc() - record that a user has got an object
 * @cache: the cache
 * @flags: flags of the request
 * @object: its address
 * @caller: code address of the user
 *
 * Context: any.
 */
noinline void myalloc_cache_trace_alloc(struct myalloc_cache *cache, myalloc_flags_t flags,
					const void *object, unsigned long caller)
{
	__myalloc_env_trace(cache_alloc, .name = cache->name, .ptr = object, .call_site = caller,
			    .bytes = cache->layout.object_size, .flags = (__force u32)flags,
			    .node = cache->zone->node);
}

/**
 * myalloc_cache_trace_free() - record that a user frees an object
 * @cache: the cache
 * @object: its address, any value
 * @caller: code address of the user
 *
 * To be called before the free, as myalloc_pages_trace_free().
 *
 * Context: any.
 */
noinline void myalloc_cache_trace_free(struct myalloc_cache *cache, const void *object,
				       unsigned long caller)
{
	__myalloc_env_trace(cache_free, .name = cache->name, .ptr = object, .call_site = caller,
			    .bytes = cache->layout.object_size, .node = cache->zone->node);
}

/* Allocate an object past the magazines. */
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
		myalloc_zone_make_room(c->zone, c->layout.order);
		object = alloc_one(c, caller);
	}
	if (unlikely(!object && c->zone->limit))
		object = c->zone->limit->ops->missed(c->zone->limit, flags, caller);
	if (unlikely(!object)) {
		atomic64_inc(&c->fails);
		myalloc_env_trace(fail, .zone = c->zone->name, .name = c->name,
				  .call_site = caller, .bytes = c->layout.object_size,
				  .order = c->layout.order, .flags = (__force u32)flags,
				  .node = c->zone->node);
	}
	return object;
}

static bool wants_zero(const struct myalloc_cache *c, myalloc_flags_t flags)
{
	return flags & MYALLOC_ZERO || c->flags & MYALLOC_ZERO_ALLOC;
}

/*
 * Take an object from this CPU's magazine for a request that myalloc_cache_alloc_fast(), which
 * contains the same steps for the default level, leaves to the slow path. NULL leaves it to
 * alloc_rest().
 */
static __always_inline void *take_fast(struct myalloc_cache *c, myalloc_cache_flags_t level)
{
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot *slot;
	void *object = NULL;
	u64 guard;

	if (unlikely(!__myalloc_magazines_begin(&c->mags, &c->mags.inner_epoch, &cpu, &guard)))
		return NULL;
	slot = cpu->top - 1;
	/* The state of the guard slot is never CACHED, and its address is NULL. */
	if (level == MYALLOC_TRUSTING ? likely(!!slot->addr) :
	    likely(data_race(*slot->state) == MYALLOC_SLOT_CACHED)) {	/* S5 */
		if (level != MYALLOC_TRUSTING)
			WRITE_ONCE(*slot->state, MYALLOC_SLOT_LIVE);
		object = slot->addr;
		cpu->nr_takes++;
		WRITE_ONCE(cpu->top, slot);
	}
	myalloc_magazines_end(cpu, guard);
	return object;
}

/* The counterpart of take_fast() for a free. */
static __always_inline bool give_fast(struct myalloc_cache *c, void *object,
				      myalloc_cache_flags_t level)
{
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot *top;
	bool done;
	u64 guard;

	if (unlikely(!__myalloc_magazines_begin(&c->mags, &c->mags.inner_epoch, &cpu, &guard)))
		return false;
	top = cpu->top;
	done = myalloc_fast_give(c, cpu, top, object, level, false, NULL, 0);
	if (likely(done)) {
		cpu->nr_gives++;
		myalloc_shadow_object_free(c, object);
		WRITE_ONCE(cpu->top, top + 1);
	}
	myalloc_magazines_end(cpu, guard);
	return done;
}

/*
 * At the default level only what myalloc_cache_alloc_fast() does not try: memory that is to be
 * zeroed.
 */
static void *take_by_level(struct myalloc_cache *c, myalloc_flags_t flags)
{
	if (c->level == MYALLOC_TRUSTING)
		return take_fast(c, MYALLOC_TRUSTING);
	return c->level == MYALLOC_CERTAIN || wants_zero(c, flags) ?
		take_fast(c, MYALLOC_CERTAIN) : NULL;
}

static bool give_by_level(struct myalloc_cache *c, void *object)
{
	if (c->level == MYALLOC_CERTAIN)
		return give_fast(c, object, MYALLOC_CERTAIN);
	return c->level == MYALLOC_TRUSTING && give_fast(c, object, MYALLOC_TRUSTING);
}

/*
 * Allocations for which take_by_level() found no object: a miss, an interrupt, no magazines, a
 * wrong flag.
 */
static noinline void *alloc_rest(struct myalloc_cache *c, myalloc_flags_t flags,
				 unsigned long caller)
{
	struct myalloc_magazine_cpu *cpu;
	void *object = NULL;

	if (unlikely(!myalloc_flags_check(c->zone, &flags, MYALLOC_OBJECT_FLAGS_ALL, caller)))
		return NULL;
	cpu = myalloc_magazines_enter(&c->mags);
	if (cpu) {
		object = take(c, cpu);
		myalloc_magazines_leave(cpu);
	}
	if (!object)
		object = alloc_slabs(c, flags, caller);
	myalloc_shadow_object_alloc(c, object);
	if (object && wants_zero(c, flags))
		memset(object, 0, c->layout.object_size);
	return object;
}

/**
 * myalloc_cache_alloc_slow() - allocate an object past the fast path, without a trace event
 * @c: the cache
 * @flags: as for myalloc_cache_alloc()
 * @caller: code address of the user
 *
 * What the levels and zeroing need saves no registers, unlike the rest: memset() returns the
 * object, so that its call is the last thing.
 *
 * Context: as for myalloc_cache_alloc().
 * Return: as myalloc_cache_alloc().
 */
noinline void *myalloc_cache_alloc_slow(struct myalloc_cache *c, myalloc_flags_t flags,
					unsigned long caller)
{
	void *object = NULL;

	if (likely(!(flags & ~MYALLOC_OBJECT_FLAGS_ALL)))
		object = take_by_level(c, flags);
	if (unlikely(!object))
		return alloc_rest(c, flags, caller);
	myalloc_shadow_object_alloc(c, object);
	return wants_zero(c, flags) ? memset(object, 0, c->layout.object_size) : object;
}

/**
 * myalloc_cache_alloc() - allocate an object
 * @cache: the cache
 * @flags: MYALLOC_ZERO, MYALLOC_MAY_WAIT
 *
 * Context: any. With MYALLOC_MAY_WAIT: task context that may sleep. In NMI it may fail because the
 * interrupted code holds a lock.
 * Return: the object; NULL if the zone has no free block for a slab, or if another flag is set,
 * which is reported.
 */
void *myalloc_cache_alloc(struct myalloc_cache *cache, myalloc_flags_t flags)
{
	void *object;

	if (unlikely(myalloc_env_trace_on(cache_alloc)))
		return myalloc_cache_alloc_traced(cache, flags, _RET_IP_);
	if (likely(myalloc_cache_alloc_fast(cache, flags, &object)))
		return object;
	return myalloc_cache_alloc_slow(cache, flags, _RET_IP_);
}

/**
 * myalloc_cache_alloc_for() - allocate an object on behalf of other code, without a trace event
 * @cache: the cache
 * @flags: as for myalloc_cache_alloc()
 * @caller: code address of the user, which the owner's record names
 *
 * For layers that have an event of their own, such as heaps.
 *
 * Context: as for myalloc_cache_alloc().
 * Return: as myalloc_cache_alloc().
 */
void *myalloc_cache_alloc_for(struct myalloc_cache *cache, myalloc_flags_t flags,
			      unsigned long caller)
{
	void *object;

	if (likely(myalloc_cache_alloc_fast(cache, flags, &object)))
		return object;
	return myalloc_cache_alloc_slow(cache, flags, caller);
}

/**
 * myalloc_cache_alloc_traced() - allocate an object on behalf of other code, with a trace event
 * @cache: the cache
 * @flags: as for myalloc_cache_alloc()
 * @caller: code address of the user
 *
 * Context: as for myalloc_cache_alloc().
 * Return: as myalloc_cache_alloc().
 */
noinline void *myalloc_cache_alloc_traced(struct myalloc_cache *cache, myalloc_flags_t flags,
					  unsigned long caller)
{
	void *object = myalloc_cache_alloc_for(cache, flags, caller);

	if (object)
		myalloc_cache_trace_alloc(cache, flags, object, caller);
	return object;
}

/* Free an object past the magazines; the caller has made its slot MOVING. */
static int free_slabs(struct myalloc_cache *c, void *object, u8 *state, unsigned long caller)
{
	struct myalloc_place place;
	unsigned long irq;
	u32 empty;

	if (c->flags & MYALLOC_CHECKS)
		myalloc_debug_free(c, object, caller);
	if (unlikely(!myalloc_lock(&c->lock, &irq))) {
		myalloc_slab_defer(c, object, state);
		if (c->zone->limit)
			myalloc_limit_kick(c->zone->limit);
		myalloc_zone_wake(c->zone);
		return 0;
	}
	__myalloc_slab_reap(c, REAP_MOST);
	/* A MOVING slot keeps its slab in the cache. */
	if (unlikely(!myalloc_place_find(c, object, &place) ||
		     !__myalloc_slab_give(c, &place, MYALLOC_SLOT_MOVING)))
		myalloc_slab_twice(c, object);
	if (unlikely(c->fixed_slabs))
		myalloc_limit_freed(c->zone->limit);
	c->frees++;
	if (!in_nmi())
		myalloc_limbo_retire(c, MYALLOC_EMPTY_KEEP, 1);
	empty = c->nr[MYALLOC_SLABS_EMPTY] + c->nr_limbo;
	raw_spin_unlock_irqrestore(&c->lock, irq);
	if (!in_nmi())
		myalloc_limbo_harvest(c->zone, 1);
	if (empty)
		myalloc_zone_wake(c->zone);
	return 0;
}

/*
 * Make the slot of a user's object MOVING. Returns false if @object is not an object in use of a
 * slab in use.
 */
static bool claim_slow(struct myalloc_cache *c, const void *object, struct myalloc_place *place)
{
	u8 from = myalloc_user_state(c);
	bool claimed = false;

	preempt_disable();	/* from reading the tag to claiming the slot */
	place->tag = 0;
	if (likely(myalloc_place_find(c, object, place))) {
		myalloc_env_point("object-found");
		claimed = place->tag == c->tag &&
			  likely(try_cmpxchg(place->state, &from, MYALLOC_SLOT_MOVING));
	}
	preempt_enable();
	return claimed;
}

/* Free an object whose slot is MOVING, into a magazine if it can be. */
static int free_claimed(struct myalloc_cache *c, void *object, const struct myalloc_place *place,
			unsigned long caller)
{
	struct myalloc_magazine_cpu *cpu;

	if (c->flags & MYALLOC_ZERO_FREE)
		memset(object, 0, c->layout.object_size);
	cpu = myalloc_magazines_enter(&c->mags);
	if (cpu) {
		bool done = give(c, cpu, object, place);

		myalloc_magazines_leave(cpu);
		if (done)
			return 0;
	}
	return free_slabs(c, object, place->state, caller);
}

/* Other frees: no room, an interrupt, checks, addresses outside the linear range. */
static noinline int free_rest(struct myalloc_cache *c, void *object, unsigned long caller)
{
	struct myalloc_place place;

	if (unlikely(!claim_slow(c, object, &place))) {
		if (place.tag == c->limbo_tag && limbo_object_free(c, object))
			return 0;
		return myalloc_cache_bad_free(c, object, caller);
	}
	return free_claimed(c, object, &place, caller);
}

/**
 * myalloc_cache_free_slow() - free an object past the fast path, without a trace event
 * @c: the cache
 * @object: as for myalloc_cache_free()
 * @caller: code address of the user
 *
 * Context: any.
 * Return: as myalloc_cache_free().
 */
noinline int myalloc_cache_free_slow(struct myalloc_cache *c, void *object, unsigned long caller)
{
	return likely(give_by_level(c, object)) ? 0 : free_rest(c, object, caller);
}

/**
 * myalloc_cache_free() - free an object
 * @cache: the cache it was allocated from
 * @object: its address; any value is safe
 *
 * Context: any.
 * Return: 0; -EINVAL if no allocated object of this cache begins at @object. The wrong free is
 * reported and counted, and changes nothing.
 */
int myalloc_cache_free(struct myalloc_cache *cache, void *object)
{
	if (unlikely(myalloc_env_trace_on(cache_free)))
		return myalloc_cache_free_traced(cache, object, _RET_IP_);
	return likely(myalloc_cache_free_fast(cache, object)) ? 0 :
		myalloc_cache_free_slow(cache, object, _RET_IP_);
}

/**
 * myalloc_cache_free_for() - free an object on behalf of other code, without a trace event
 * @cache: the cache
 * @object: as for myalloc_cache_free()
 * @caller: code address of the user, which the owner's record names
 *
 * Context: any.
 * Return: as myalloc_cache_free().
 */
int myalloc_cache_free_for(struct myalloc_cache *cache, void *object, unsigned long caller)
{
	return likely(myalloc_cache_free_fast(cache, object)) ? 0 :
		myalloc_cache_free_slow(cache, object, caller);
}

/**
 * myalloc_cache_free_traced() - free an object on behalf of other code, with a trace event
 * @cache: the cache
 * @object: as for myalloc_cache_free()
 * @caller: code address of the user
 *
 * Context: any.
 * Return: as myalloc_cache_free().
 */
noinline int myalloc_cache_free_traced(struct myalloc_cache *cache, void *object,
				       unsigned long caller)
{
	myalloc_cache_trace_free(cache, object, caller);
	return myalloc_cache_free_for(cache, object, caller);
}

/**
 * myalloc_object_claim() - begin a free that others may wait for
 * @c: the cache
 * @object: its address; any value is safe
 * @caller: code address of the user
 *
 * From then on the object is its user's no more, and another free of it is refused. Its content
 * stays, for those who still read it, until myalloc_object_free_claimed().
 *
 * Context: any.
 * Return: 0; -EINVAL as for myalloc_cache_free().
 */
int myalloc_object_claim(struct myalloc_cache *c, void *object, unsigned long caller)
{
	struct myalloc_place place;

	return likely(claim_slow(c, object, &place)) ? 0 :
		myalloc_cache_bad_free(c, object, caller);
}

/**
 * myalloc_object_free_claimed() - the end of a free that has begun by myalloc_object_claim()
 * @c: the cache
 * @object: the object
 * @caller: code address, for the owner's record
 *
 * Context: any.
 */
void myalloc_object_free_claimed(struct myalloc_cache *c, void *object, unsigned long caller)
{
	struct myalloc_place place;

	if (myalloc_place_find(c, object, &place))	/* a MOVING slot keeps its slab */
		free_claimed(c, object, &place, caller);
}

/**
 * myalloc_object_withdraw() - take an object back from its user without freeing its slot
 * @c: the cache
 * @object: its address; any value is safe
 * @caller: code address of the user
 *
 * The object's slot stays out of its slab and belongs to the caller, in the state MOVING.
 *
 * Context: any.
 * Return: 0; -EINVAL as for myalloc_cache_free().
 */
int myalloc_object_withdraw(struct myalloc_cache *c, void *object, unsigned long caller)
{
	int err = myalloc_object_claim(c, object, caller);

	if (unlikely(err))
		return err;
	if (c->flags & MYALLOC_ZERO_FREE)
		memset(object, 0, c->layout.object_size);
	if (c->flags & MYALLOC_CHECKS)
		myalloc_debug_free(c, object, caller);
	myalloc_shadow_object_free(c, object);
	return 0;
}

/**
 * myalloc_object_take() - take a free object of a slab that the cache has, for no user yet
 * @c: the cache
 *
 * The object is as one of myalloc_object_withdraw(). Nothing is counted as a failure if there is
 * none.
 *
 * Context: any.
 * Return: the object; NULL if no slab has a free one, or in NMI if the lock is taken.
 */
void *myalloc_object_take(struct myalloc_cache *c)
{
	struct myalloc_slot slot;
	u32 taken;

	return try_take(c, NULL, &slot + 1, 1, false, &taken) && taken ? slot.addr : NULL;
}

/**
 * myalloc_object_issue() - give a withdrawn object to a user
 * @c: the cache
 * @object: an object of myalloc_object_withdraw() or myalloc_object_take(), which the caller owns
 * @flags: flags of the request, already checked
 * @caller: code address of the user
 *
 * Context: any.
 */
void myalloc_object_issue(struct myalloc_cache *c, void *object, myalloc_flags_t flags,
			  unsigned long caller)
{
	u8 *state = myalloc_object_state(c, object);	/* a MOVING slot keeps its slab */

	if (c->flags & MYALLOC_CHECKS)
		myalloc_debug_alloc(c, object, caller);
	WRITE_ONCE(*state, myalloc_user_state(c));
	myalloc_shadow_object_alloc(c, object);
	if (wants_zero(c, flags))
		memset(object, 0, c->layout.object_size);
}

/* Like take_one(), but leave the state CACHED, as a trusting cache does. */
static __always_inline bool take_trusted(const struct myalloc_slot *slot, void **object, void *arg)
{
	if (unlikely(data_race(*slot->state) != MYALLOC_SLOT_CACHED))	/* S5 */
		return false;
	*object = slot->addr;
	return true;
}

/* One after the other: a traced request need not be fast. */
static noinline unsigned int alloc_bulk_traced(struct myalloc_cache *c, myalloc_flags_t flags,
					       unsigned int nr, void **objects,
					       unsigned long caller)
{
	unsigned int n;

	for (n = 0; n < nr; n++) {
		objects[n] = myalloc_cache_alloc_traced(c, flags, caller);
		if (!objects[n])
			break;
	}
	return n;
}

/**
 * myalloc_cache_alloc_bulk() - allocate several objects
 * @cache: the cache
 * @flags: as for myalloc_cache_alloc()
 * @nr: number of objects
 * @objects: out: their addresses
 *
 * Context: as for myalloc_cache_alloc().
 * Return: number of objects allocated; fewer than @nr if the zone is exhausted, 0 for an unknown
 * flag, which is reported.
 */
unsigned int myalloc_cache_alloc_bulk(struct myalloc_cache *cache,
				      myalloc_flags_t flags, unsigned int nr,
				      void **objects)
{
	unsigned int n, i;

	if (unlikely(myalloc_env_trace_on(cache_alloc)))
		return alloc_bulk_traced(cache, flags, nr, objects, _RET_IP_);
	myalloc_flags_might_wait(flags);
	if (unlikely(!myalloc_flags_check(cache->zone, &flags, MYALLOC_OBJECT_FLAGS_ALL,
					  _RET_IP_)))
		return 0;
	if (likely(cache->level != MYALLOC_TRUSTING))
		n = myalloc_take_bulk(&cache->mags, nr, objects, take_one, NULL, ready, cache);
	else
		n = myalloc_take_bulk(&cache->mags, nr, objects, take_trusted, NULL, ready, cache);
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

/**
 * myalloc_cache_prefill() - allocate objects that the next allocations cannot miss
 * @cache: the cache
 * @flags: as for myalloc_cache_alloc()
 * @nr: number of objects
 * @objects: array for them, which stays in use until the prefill is returned or used up
 * @prefill: out: for myalloc_prefill_alloc() and myalloc_prefill_return()
 *
 * Context: as for myalloc_cache_alloc().
 * Return: 0; -ENOMEM if not all of them can be allocated, or an unknown flag is set, which is
 * reported. Then none is allocated, and @prefill is empty.
 */
int myalloc_cache_prefill(struct myalloc_cache *cache, myalloc_flags_t flags, unsigned int nr,
			  void **objects, struct myalloc_prefill *prefill)
{
	prefill->cache = cache;
	prefill->objects = objects;
	prefill->nr = unlikely(myalloc_env_trace_on(cache_alloc)) ?
		alloc_bulk_traced(cache, flags, nr, objects, _RET_IP_) :
		myalloc_cache_alloc_bulk(cache, flags, nr, objects);
	if (prefill->nr == nr)
		return 0;
	myalloc_prefill_return(prefill);
	return -ENOMEM;
}

/* Make room for a free. A myalloc_ready_fn. */
static bool has_room(struct myalloc_magazine_cpu *cpu, void *cache)
{
	return room(cache, cpu);
}

static noinline unsigned int free_bulk_traced(struct myalloc_cache *c, unsigned int nr,
					      void **objects, unsigned long caller)
{
	unsigned int freed = 0;

	while (nr--)
		freed += !myalloc_cache_free_traced(c, objects[nr], caller);
	return freed;
}

/**
 * myalloc_cache_free_bulk() - free several objects
 * @cache: the cache they were allocated from
 * @nr: number of objects
 * @objects: their addresses; any values are safe
 *
 * The objects are freed from the end of @objects, so that those of a bulk allocation return by the
 * short path (magazine.c, Stale slots). Each wrong address is treated as by myalloc_cache_free().
 *
 * Context: any.
 * Return: number of objects freed; @nr if all addresses were right.
 */
unsigned int myalloc_cache_free_bulk(struct myalloc_cache *cache,
				     unsigned int nr, void **objects)
{
	unsigned int left = nr, freed = 0;

	if (unlikely(myalloc_env_trace_on(cache_free)))
		return free_bulk_traced(cache, nr, objects, _RET_IP_);
	while (left) {
		unsigned int n = myalloc_give_bulk(&cache->mags, min(left, MYALLOC_BULK_STEP),
						  objects + left, give_stale, give_default, cache,
						  has_room, cache);

		left -= n;
		freed += n;
		if (unlikely(left && n < MYALLOC_BULK_STEP))
			freed += !myalloc_cache_free_slow(cache, objects[--left],
							  _RET_IP_);
	}
	return freed;
}

/**
 * myalloc_prefill_return() - free the objects of a prefill that were not taken
 * @prefill: from myalloc_cache_prefill()
 *
 * Context: any.
 * Return: 0; -EINVAL if one of them was freed although it was never taken. That is reported.
 */
int myalloc_prefill_return(struct myalloc_prefill *prefill)
{
	unsigned int nr = prefill->nr;

	prefill->nr = 0;
	return myalloc_cache_free_bulk(prefill->cache, nr, prefill->objects) == nr ? 0 : -EINVAL;
}

static bool find_slot(struct myalloc_cache *c, const struct myalloc_slot *slot,
		      struct myalloc_place *place)
{
	return likely(myalloc_place_find(c, slot->addr, place)) && place->state == slot->state;
}

/**
 * myalloc_cache_fresh() - check a slot in a magazine of an older epoch
 * @cache: the cache
 * @slot: the slot in the magazine
 *
 * The check callback of magazine.c. A slot can be in a magazine while its slab leaves only after
 * two overlapping frees.
 *
 * Context: any, preemption off.
 * Return: true if the slot is CACHED and belongs to a slab in use, as the magazine says.
 */
bool myalloc_cache_fresh(void *cache, const struct myalloc_slot *slot)
{
	struct myalloc_cache *c = cache;
	struct myalloc_place place;

	return find_slot(c, slot, &place) && place.tag == c->tag &&
	       READ_ONCE(*place.state) == MYALLOC_SLOT_CACHED;
}

/**
 * myalloc_cache_drop() - take back a slot that a magazine must drop
 * @cache: the cache
 * @slot: the slot in the magazine
 *
 * The drop callback of magazine.c, which reports the slot. That of a slab in limbo becomes free, so
 * that the recount that follows finds it so.
 *
 * Context: any but NMI, preemption off.
 * Return: true; false if the recount has found the slot, and the slab is in use again: then the
 * slot stays in the magazine.
 */
bool myalloc_cache_drop(void *cache, const struct myalloc_slot *slot)
{
	struct myalloc_cache *c = cache;
	u8 cached = MYALLOC_SLOT_CACHED;
	struct myalloc_place place;
	unsigned long irq;
	bool back;

	raw_spin_lock_irqsave(&c->lock, irq);
	back = myalloc_cache_fresh(c, slot);
	if (!back) {
		if (find_slot(c, slot, &place) && place.tag == c->limbo_tag &&
		    try_cmpxchg(place.state, &cached, MYALLOC_SLOT_FREE))
			myalloc_shadow_slot_free(c, slot->addr);
		myalloc_slab_twice(c, slot->addr);
	}
	raw_spin_unlock_irqrestore(&c->lock, irq);
	return !back;
}
