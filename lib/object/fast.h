/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fast paths of objects at the default level, for the functions that users call: those of
 * caches, and those of heaps, which find the cache first. object.c has the theory and all else.
 */
#ifndef MYALLOC_OBJECT_FAST_H
#define MYALLOC_OBJECT_FAST_H

#include "object/cache_types.h"
#include "object/shadow.h"
#include "page/flags.h"

/*
 * Return the state of an object at @off of the linear range, if a slab of the cache that is in use
 * begins at @first, and the object is in it; otherwise the address of cache->no_object.
 */
static __always_inline u8 *myalloc_fast_state_in(struct myalloc_cache *c,
						 struct myalloc_frame *first, unsigned long off,
						 const void *object)
{
	u64 index;

	if (unlikely(data_race(first->tag) != c->tag))	/* Z1, or another cache's */
		return &c->no_object;
	off &= c->bytes_mask;
	index = off * c->reciprocal;	/* L4 */
	if (unlikely((u32)index >= c->reciprocal))
		return &c->no_object;
	index >>= 32;
	if (c->state_offset)
		return (u8 *)object - off + c->state_offset + index;
	return (u8 *)(first + 1) + index;
}

/* As above, for any address: that of cache->no_object outside the linear range. */
static __always_inline u8 *myalloc_fast_state(struct myalloc_cache *c, const void *object)
{
	unsigned long off = (unsigned long)object - c->linear.base;

	if (unlikely(off >= c->linear.bytes))
		return &c->no_object;
	return myalloc_fast_state_in(c, (void *)c->linear.frames +
				     (off / (PAGE_SIZE / MYALLOC_FRAME_BYTES) & c->head_mask),
				     off, object);
}

/**
 * myalloc_fast_claim() - claim a slot for a free
 * @c: the cache
 * @state: state byte of the slot, or &c->no_object
 * @level: level of the cache, a constant: only the branch for it remains
 *
 * Context: preemption off.
 * Return: true if the slot was live.
 */
static __always_inline bool myalloc_fast_claim(struct myalloc_cache *c, u8 *state,
					       myalloc_cache_flags_t level)
{
	u8 live = MYALLOC_SLOT_LIVE;

	if (level == MYALLOC_TRUSTING)
		return state != &c->no_object;
	if (unlikely(data_race(*state) != MYALLOC_SLOT_LIVE))	/* S5 */
		return false;
	myalloc_env_point("object-checked");
	if (level == MYALLOC_CERTAIN)
		return try_cmpxchg(state, &live, MYALLOC_SLOT_CACHED);
	WRITE_ONCE(*state, MYALLOC_SLOT_CACHED);
	return true;
}

/**
 * myalloc_fast_give() - put an object into the loaded magazine
 * @c: the cache
 * @cpu: the magazines of this CPU
 * @top: slot of the magazine for the object
 * @object: the object, any value
 * @level: level of the cache, a constant
 * @found: a constant: the caller has found @first and @off
 * @first: first frame of the slab that contains the object; its tag is checked again
 * @off: bytes from the beginning of the linear range to the object
 *
 * If the object was taken from this very slot, the slot still points to its state (magazine.c,
 * Stale slots), and there is room.
 *
 * Context: preemption off, within the guard.
 * Return: true; false, which leaves the object to the slow path, if there is no room or a check
 * fails.
 */
static __always_inline bool myalloc_fast_give(struct myalloc_cache *c,
					      const struct myalloc_magazine_cpu *cpu,
					      struct myalloc_slot *top, void *object,
					      myalloc_cache_flags_t level, bool found,
					      struct myalloc_frame *first, unsigned long off)
{
	u8 *state;

	/* NULL would match wiped slots and guards, whose address is NULL. */
	if (level == MYALLOC_TRUSTING && unlikely(!object))
		return false;
	if (likely(top->addr == object))
		return myalloc_fast_claim(c, top->state, level);
	state = found ? myalloc_fast_state_in(c, first, off, object) :
			myalloc_fast_state(c, object);
	if (unlikely(top == cpu->end) || unlikely(!myalloc_fast_claim(c, state, level)))
		return false;
	top->addr = object;
	top->state = state;
	return true;
}

/**
 * myalloc_cache_alloc_fast() - the fast path of an allocation
 * @cache: the cache
 * @flags: flags of the request
 * @object: out: the object
 *
 * The caller's address is not passed: it would be loaded here each time, and only the slow path
 * needs it.
 *
 * Context: any.
 * Return: true; false if the slow path must be taken.
 */
static __always_inline bool myalloc_cache_alloc_fast(struct myalloc_cache *cache,
						     myalloc_flags_t flags, void **object)
{
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot *slot;
	u64 guard;

	myalloc_flags_might_wait(flags);
	if (unlikely(flags & ~MYALLOC_MAY_WAIT) ||
	    unlikely(!myalloc_magazines_begin(&cache->mags, &cpu, &guard)))
		return false;
	slot = cpu->top - 1;
	if (unlikely(data_race(*slot->state) != MYALLOC_SLOT_CACHED)) {	/* S5 */
		myalloc_magazines_end(cpu, guard);
		return false;
	}
	WRITE_ONCE(*slot->state, MYALLOC_SLOT_LIVE);
	*object = slot->addr;
	cpu->nr_takes++;
	WRITE_ONCE(cpu->top, slot);
	myalloc_magazines_end(cpu, guard);
	myalloc_shadow_object_alloc(cache, *object);
	return true;
}

/* See myalloc_cache_free_fast(). The parameters from @found on are as for myalloc_fast_give(). */
static __always_inline bool __myalloc_cache_free_fast(struct myalloc_cache *cache, void *object,
						      bool found, struct myalloc_frame *first,
						      unsigned long off)
{
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot *top;
	u64 guard;

	if (unlikely(!myalloc_magazines_begin(&cache->mags, &cpu, &guard)))
		return false;
	top = cpu->top;
	if (unlikely(!myalloc_fast_give(cache, cpu, top, object, 0, found, first, off))) {
		myalloc_magazines_end(cpu, guard);
		return false;
	}
	cpu->nr_gives++;
	myalloc_shadow_object_free(cache, object);
	WRITE_ONCE(cpu->top, top + 1);
	myalloc_magazines_end(cpu, guard);
	return true;
}

/**
 * myalloc_cache_free_fast() - the fast path of a free
 * @cache: the cache
 * @object: the object, any value
 *
 * Context: any.
 * Return: true; false if the slow path must be taken.
 */
static __always_inline bool myalloc_cache_free_fast(struct myalloc_cache *cache, void *object)
{
	return __myalloc_cache_free_fast(cache, object, false, NULL, 0);
}

/**
 * myalloc_cache_free_found() - the fast path of a free, for a caller that has found the slab
 * @cache: the cache
 * @object: the object, any value
 * @first: first frame of the slab that contains the object
 * @off: bytes from the beginning of the linear range to the object
 *
 * Context: any.
 * Return: true; false if the slow path must be taken.
 */
static __always_inline bool myalloc_cache_free_found(struct myalloc_cache *cache, void *object,
						     struct myalloc_frame *first,
						     unsigned long off)
{
	return __myalloc_cache_free_fast(cache, object, true, first, off);
}

#endif /* MYALLOC_OBJECT_FAST_H */
