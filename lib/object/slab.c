// SPDX-License-Identifier: GPL-2.0
/*
 * Slabs
 *
 * What it is: objects of one size, cut from blocks of pages called slabs (Bonwick, "The slab
 * allocator: an object-caching kernel memory allocator", USENIX 1994). This file contains the
 * operations that run under cache->lock; object.c contains the interface for users and the
 * magazines.
 *
 * Terms
 *	slot	place of one object in a slab, with its red zones (slab_layout.c)
 *	state	one byte for each slot that names its owner: FREE (the slab), CACHED (a magazine
 *		or the depot), LIVE (the user), DEFERRED (freed, not yet back in the slab), MOVING
 *		(an alloc or free that bypasses the magazines)
 *	inuse	slots of a slab that are not FREE
 *
 * Structures
 *
 *	user	LIVE     ^ |  myalloc_cache_alloc / free: no lock
 *	magazines CACHED | v
 *	         refill  ^ |  flush: a batch under cache->lock
 *	slabs	FREE     | v
 *		list[EMPTY]  [1/4) [2/4) [3/4) [4/4)  list[FULL]
 *	         grow    ^ |  release: under the zone's lock
 *	zone             | v
 *
 * No metadata lies in or between objects: a free slot contains no link, and a constructed object
 * keeps its content. The map leads from an address to a frame, the tag of the frame to the slab, a
 * multiplication to the slot, and an index to its state.
 *
 * Two facts about a slot
 *	state	belongs to the current owner of the slot, who changes it without a lock.
 *	out bit	is protected by cache->lock: set when the slot leaves its slab, cleared when it
 *		returns. All counts follow these bits, so a user's mistake cannot corrupt a count.
 * The two agree unless two frees of the same slot overlapped. Then two magazines may contain the
 * slot, and two users may get it. The first owner to return the slot clears the bit. The second
 * finds it clear; this is reported and the slot is dropped. A refill may meet a slot whose bit is
 * clear although its state names an owner: it sets the bit and leaves the slot to that owner.
 *
 * Objects are taken from the fullest of the partial slabs, and there from the lowest free slot. The
 * other slabs drain, so that they can be given back.
 *
 * Invariants
 *	S1  Every slab that is not in limbo is in exactly one list: EMPTY if inuse == 0, FULL if
 *	    inuse == objects, else the quarter of inuse / objects. nr[] counts each list.
 *	S2  inuse = number of out bits that are set; no bit below hint is clear.
 *	S3  free_slots = sum of (objects - inuse) over all slabs in lists.
 *	S4  live + cached + deferred + moving = sum of inuse, where cached is the number of slots
 *	    in magazines and deferred = deferred.nr.
 *	S5  Only a slot's current owner writes its state. A FREE slot is owned by the holder of
 *	    cache->lock, a CACHED one by the owner of the magazine, a LIVE one by the user, a
 *	    MOVING one by the alloc or free that bypasses the magazines, and a DEFERRED one by the
 *	    code that takes it off the list. After two overlapping frees a slot has two owners.
 *	S6  With poison, a FREE slot holds the pattern; with red zones, both zones hold the
 *	    pattern of the state.
 *	S7  The state of a slot whose bit is clear is FREE. (Two overlapping frees of a slot may
 *	    break this until its second owner returns it.)
 *	S8  The lists hold at least set_aside slabs.
 *
 * Damage: a write beyond the last object of a slab reaches the out bits first (slab_layout.c).
 * Before a refill uses a slab, it compares their number with inuse, which lies in the descriptor.
 * If the two differ, it sets the slab aside: it sets all bits, so that no more slots are taken from
 * the slab. A write that does not change the number of set bits goes undetected.
 *
 * A slab leaves its cache through limbo.c.
 *
 * Deferred frees: see deferred.c. The link is written into the object, or behind it if the object
 * must keep its content (slab_layout.c).
 *
 * Bounds: a take scans at most MYALLOC_SCAN_MOST units. A new slab is prepared without the lock, at
 * the cost of one pass over its states and, with a constructor, one call for each slot.
 */
#include "env.h"
#include "object/check.h"
#include "object/shadow.h"
#include "object/slab.h"
#include "page/account.h"
#include "page/block.h"
#include "page/lend.h"
#include "page/limit_types.h"
#include "page/zone_report.h"

/* What a slab and each word of its out bits cost of MYALLOC_SCAN_MOST; a unit: ~10 instructions. */
#define SCAN_SLAB	32
#define SCAN_WORD	8

/* --- lists of slabs; cache->lock held ---------------------------------- */

static unsigned int list_for(const struct myalloc_cache *c, u32 inuse)
{
	u32 objects = c->layout.objects;

	static_assert(MYALLOC_SLAB_PARTIAL == 4);
	if (!inuse)
		return MYALLOC_SLABS_EMPTY;
	/* 1 + inuse * 4 / objects, without the division */
	return 1 + (inuse * 4 >= objects) + (inuse * 2 >= objects) +
	       (inuse * 4 >= objects * 3) + (inuse == objects);
}

static void slab_link(struct myalloc_cache *c, struct myalloc_frame *frame, unsigned int list)
{
	struct myalloc_frame *frames = c->zone->frames;
	u32 idx = frame - frames, first = c->list[list];

	frame->next = first;
	frame->prev = MYALLOC_NO_FRAME;
	if (first != MYALLOC_NO_FRAME)
		frames[first].prev = idx;
	c->list[list] = idx;
	c->nr[list]++;
}

static void slab_unlink(struct myalloc_cache *c, struct myalloc_frame *frame,
			unsigned int list)
{
	struct myalloc_frame *frames = c->zone->frames;

	if (frame->prev == MYALLOC_NO_FRAME)
		c->list[list] = frame->next;
	else
		frames[frame->prev].next = frame->next;
	if (frame->next != MYALLOC_NO_FRAME)
		frames[frame->next].prev = frame->prev;
	c->nr[list]--;
}

static void set_inuse(struct myalloc_cache *c, struct myalloc_frame *frame, u32 inuse)
{
	unsigned int from = list_for(c, frame->inuse), to = list_for(c, inuse);

	c->generation++;
	c->free_slots += frame->inuse;
	c->free_slots -= inuse;
	frame->inuse = inuse;
	if (from != to) {
		slab_unlink(c, frame, from);
		slab_link(c, frame, to);
	}
}

/* --- making and giving back slabs ---------------------------------------- */

/**
 * myalloc_slab_make() - allocate and prepare a new slab
 * @c: the cache
 *
 * The slab is in no list yet: see __myalloc_slab_add().
 *
 * Context: any.
 * Return: its first frame, tagged NEW; NULL if the zone has no free block, or the cache's
 * client may have no more.
 */
struct myalloc_frame *myalloc_slab_make(struct myalloc_cache *c)
{
	const struct myalloc_slab_layout *l = &c->layout;
	struct myalloc_frame *frame;
	void *slab;
	u32 i;

	if (unlikely(!myalloc_account_charge(c->client, BIT(l->order))))
		return NULL;
	frame = myalloc_zone_take(c->zone, l->order, 0,
				  myalloc_frame_tag(MYALLOC_FRAME_NEW, l->order, c->id));
	if (unlikely(!frame)) {
		myalloc_account_return(c->client, BIT(l->order));
		return NULL;
	}
	slab = myalloc_slab_addr(c, frame);
	frame->inuse = 0;
	frame->hint = 0;
	/* Needed also for those in the descriptors, where only the tags are known to be 0 (Z6). */
	memset(myalloc_slab_states(c, frame, slab), MYALLOC_SLOT_FREE, l->states);
	memset(myalloc_slab_out(c, frame, slab), 0, myalloc_out_words(c) * sizeof(u64));
	if (c->flags & MYALLOC_CHECKS)
		for (i = 0; i < l->objects; i++)
			myalloc_debug_init_slot(c, slab, i);
	if (c->ctor)
		for (i = 0; i < l->objects; i++)
			c->ctor(myalloc_slab_object(c, slab, i));
	myalloc_shadow_slab_begin(c, slab);
	return frame;
}

/**
 * __myalloc_slab_add() - add a new slab to its cache
 * @c: the cache; its lock is held
 * @frame: first frame of the slab, whose out bits are all clear
 *
 * Context: any.
 */
void __myalloc_slab_add(struct myalloc_cache *c, struct myalloc_frame *frame)
{
	WRITE_ONCE(frame->type, MYALLOC_FRAME_SLAB);
	slab_link(c, frame, MYALLOC_SLABS_EMPTY);
	c->generation++;
	c->free_slots += c->layout.objects;
}

/**
 * __myalloc_slab_retire() - take an empty slab out of a cache
 * @cache: the cache, which has an empty slab; its lock is held
 *
 * Context: any.
 * Return: the slab's first frame, tagged LIMBO, for limbo.c.
 */
struct myalloc_frame *__myalloc_slab_retire(struct myalloc_cache *cache)
{
	struct myalloc_frame *frame = &cache->zone->frames[cache->list[MYALLOC_SLABS_EMPTY]];

	slab_unlink(cache, frame, MYALLOC_SLABS_EMPTY);
	cache->generation++;
	cache->free_slots -= cache->layout.objects;
	WRITE_ONCE(cache->nr_limbo, cache->nr_limbo + 1);
	WRITE_ONCE(frame->type, MYALLOC_FRAME_LIMBO);
	return frame;
}

/*
 * The descriptors hold links and states where page users have their callers. A report of a wrong
 * free of these pages must not read them as such (Z7).
 */
static void forget_callers(struct myalloc_frame *frame, unsigned int order)
{
	u32 i;

	for (i = 0; i < BIT(order); i++)
		WRITE_ONCE(frame[i].caller, 0);
}

/**
 * myalloc_slab_drop() - return a slab to the zone
 * @c: the cache, in none of whose lists the slab is
 * @frame: first frame of the slab
 *
 * With checks, a slab whose pages are still referenced goes to quarantine instead.
 *
 * Context: any.
 */
void myalloc_slab_drop(struct myalloc_cache *c, struct myalloc_frame *frame)
{
	myalloc_account_return(c->client, BIT(c->layout.order));
	myalloc_shadow_slab_end(c, myalloc_slab_addr(c, frame));
	forget_callers(frame, c->layout.order);
	if (c->zone->checks & MYALLOC_POISON)
		memset(myalloc_slab_addr(c, frame), MYALLOC_POISON_FREE,
		       PAGE_SIZE << c->layout.order);
	if (unlikely(c->zone->checks) && !in_nmi() && myalloc_lend_hold_slab(c->zone, frame))
		return;
	myalloc_zone_give(c->zone, frame);
}

/* --- slots; cache->lock held ---------------------------------------------- */

/* Mask of the bits of a word that belong to slots. */
static u64 valid_bits(const struct myalloc_cache *c, u32 word)
{
	u32 left = c->layout.objects - word * 64;

	return left < 64 ? BIT_ULL(left) - 1 : ~0ULL;
}

static u32 count_out(const struct myalloc_cache *c, const u64 *out)
{
	u32 word, n = 0, words = myalloc_out_words(c);

	for (word = 0; word < words; word++)
		n += hweight64(out[word]);
	return n;
}

/* Set a slab aside whose out bits disagree with inuse: no more slots are taken from it. */
static noinline void set_aside(struct myalloc_cache *c, struct myalloc_frame *frame, u64 *out)
{
	u32 word, words = myalloc_out_words(c), n = count_out(c, out);

	atomic64_inc(&c->corruptions);
	myalloc_zone_crit(c->zone, "cache %s: slab at frame %u counts %u slots out, its bits say %u: overrun at its end?",
			  c->name, myalloc_frame_idx(c->zone, frame), frame->inuse, n);
	for (word = 0; word < words; word++)
		out[word] = valid_bits(c, word);
	frame->hint = c->layout.objects;
	set_inuse(c, frame, c->layout.objects);
}

/**
 * myalloc_slab_twice() - count and report overlapping frees of a slot
 * @c: the cache
 * @object: an address in the slot
 *
 * Context: any.
 */
noinline void myalloc_slab_twice(struct myalloc_cache *c, const void *object)
{
	const struct myalloc_frame *frame = myalloc_map_frame(&c->map, object);
	u32 off = ((unsigned long)object - c->map.base) & c->bytes_mask, idx;

	atomic64_inc(&c->corruptions);
	if (!frame) {	/* its chunk has gone back to the system */
		myalloc_zone_crit(c->zone, "cache %s: an object of a slab that has gone was freed twice at once",
				  c->name);
		return;
	}
	idx = myalloc_frame_idx(c->zone, frame);
	myalloc_zone_crit(c->zone, "cache %s: slot %u of the slab at frame %u was freed twice at once",
			  c->name, off / c->layout.slot_size, idx & ~c->frame_mask);
}

/*
 * Lock held. Take a slot from its slab and make its state @state. Returns false if the slot already
 * has another owner; its bit is set all the same, and that owner will return it.
 */
static bool take_slot(struct myalloc_cache *c, struct myalloc_slot *slot, void *slab, u8 *states,
		      u32 at, u8 state)
{
	slot->addr = myalloc_slab_object(c, slab, at);
	slot->state = &states[at];
	if (unlikely(READ_ONCE(states[at]) != MYALLOC_SLOT_FREE)) {	/* S7 */
		myalloc_slab_twice(c, slot->addr);
		return false;
	}
	WRITE_ONCE(states[at], state);
	return true;
}

/*
 * Take up to @most slots, those with the lowest clear bits, and store them downwards from @end.
 * Returns the number taken; adds the number of bits that were set to *@bits.
 */
static u32 take_lowest(struct myalloc_cache *c, struct myalloc_frame *frame, void *slab,
		       struct myalloc_slot *end, u32 most, u8 state, u32 *bits)
{
	u8 *states = myalloc_slab_states(c, frame, slab);
	u64 *out = myalloc_slab_out(c, frame, slab);
	u32 word = frame->hint / 64, words = myalloc_out_words(c), n = 0;

	for (; n < most && word < words; word++) {
		u64 free = ~out[word] & valid_bits(c, word), set = 0;

		for (; n < most && free; free &= free - 1) {
			u32 at = word * 64 + __ffs64(free);

			set |= free & -free;
			++*bits;
			n += take_slot(c, end - n - 1, slab, states, at, state);
			frame->hint = at + 1;
		}
		out[word] |= set;
	}
	return n;
}

/* Like take_lowest(), but take random slots. */
static u32 take_random(struct myalloc_cache *c, struct myalloc_frame *frame, void *slab,
		       struct myalloc_slot *end, u32 most, u8 state, u32 *bits)
{
	u8 *states = myalloc_slab_states(c, frame, slab);
	u64 *out = myalloc_slab_out(c, frame, slab);
	u32 words = myalloc_out_words(c), left = c->layout.objects - frame->inuse, n = 0;

	for (most = min(most, left); n < most && *bits < left; ++*bits) {
		u32 at = myalloc_env_random() % c->layout.objects, word = at / 64;
		u64 free = ~out[word] & valid_bits(c, word) & ~0ULL << at % 64;

		while (!free) {
			word = word + 1 < words ? word + 1 : 0;
			free = ~out[word] & valid_bits(c, word);
		}
		out[word] |= free & -free;
		n += take_slot(c, end - n - 1, slab, states, word * 64 + __ffs64(free), state);
	}
	return n;
}

/*
 * Take up to @most free slots of a slab and make their state @state. They are stored downwards from
 * @end, so that the lowest one is allocated first.
 */
static u32 slab_take(struct myalloc_cache *c, struct myalloc_frame *frame,
		     struct myalloc_slot *end, u32 most, u8 state)
{
	void *slab = myalloc_slab_addr(c, frame);
	u64 *out = myalloc_slab_out(c, frame, slab);
	u32 n, bits = 0;

	if (unlikely(count_out(c, out) != frame->inuse)) {
		set_aside(c, frame, out);
		return 0;
	}
	n = c->flags & MYALLOC_RANDOM ? take_random(c, frame, slab, end, most, state, &bits) :
					take_lowest(c, frame, slab, end, most, state, &bits);
	set_inuse(c, frame, frame->inuse + bits);
	if (unlikely(c->flags & MYALLOC_SANITY))
		myalloc_debug_slab(c, frame, slab);
	return n;
}

/**
 * __myalloc_slab_take() - take free slots from the fullest slabs
 * @c: the cache; its lock is held
 * @end: slots are stored downwards from here, so that the lowest one is allocated first
 * @most: maximum number of slots
 * @state: new state of the slots
 *
 * Context: any.
 * Return: number of slots taken, limited also by MYALLOC_SCAN_MOST.
 */
u32 __myalloc_slab_take(struct myalloc_cache *c, struct myalloc_slot *end, u32 most,
			u8 state)
{
	unsigned int list = MYALLOC_SLAB_PARTIAL, scan = 0;
	u32 n = 0;

	while (n < most && scan < MYALLOC_SCAN_MOST) {
		if (c->list[list] == MYALLOC_NO_FRAME) {
			if (list-- == MYALLOC_SLABS_EMPTY)
				break;
			continue;
		}
		n += slab_take(c, &c->zone->frames[c->list[list]], end - n, most - n, state);
		scan += SCAN_SLAB + SCAN_WORD * myalloc_out_words(c);
	}
	return n;
}

/**
 * __myalloc_slab_give() - return a slot to its slab
 * @c: the cache; its lock is held
 * @p: the slot
 * @from: its present state, which makes the caller its owner
 *
 * Context: any.
 * Return: true on success; false after two overlapping frees, if the slot is already back in its
 * slab or has another owner, or if the slab's out bits turn out to be damaged.
 */
bool __myalloc_slab_give(struct myalloc_cache *c, const struct myalloc_place *p, u8 from)
{
	struct myalloc_frame *frame = p->frame;
	u64 *out = myalloc_slab_out(c, frame, p->slab), bit = BIT_ULL(p->index % 64);

	/* Not a plain store: a second owner may be making the slot LIVE at this moment. */
	if (unlikely(!try_cmpxchg(p->state, &from, MYALLOC_SLOT_FREE)))
		return false;
	if (unlikely(!(out[p->index / 64] & bit))) {
		if (p->tag == c->tag && count_out(c, out) != frame->inuse)
			set_aside(c, frame, out);
		return false;
	}
	myalloc_shadow_slot_free(c, myalloc_slab_object(c, p->slab, p->index));
	out[p->index / 64] &= ~bit;
	if (p->index < frame->hint)
		frame->hint = p->index;
	set_inuse(c, frame, frame->inuse - 1);
	if (unlikely(c->flags & MYALLOC_SANITY))
		myalloc_debug_slab(c, frame, p->slab);
	return true;
}

/* --- deferred objects; lock held; deferred.h explains the callbacks ------------- */

static u8 *deferred_find(void *owner, struct llist_node *node)
{
	struct myalloc_cache *c = owner;
	struct myalloc_place place;

	return myalloc_place_find(c, (char *)node - c->layout.link_offset, &place) ?
		place.state : NULL;
}

static u32 deferred_give(void *owner, struct llist_node *node, u8 *state)
{
	struct myalloc_cache *c = owner;
	void *object = (char *)node - c->layout.link_offset;
	struct myalloc_place place;

	if (c->flags & MYALLOC_ZERO_FREE) {
		if (READ_ONCE(*state) == MYALLOC_SLOT_RECOVERING)
			memset(object, 0, c->layout.object_size);
		memset(node, 0, sizeof(*node));
	}
	c->frees++;
	myalloc_place_find(c, object, &place);	/* succeeds, as it did in deferred_find() */
	__myalloc_slab_give(c, &place, READ_ONCE(*state));
	return 1;
}

static u32 deferred_states(void *owner, u32 place, u8 **state)
{
	struct myalloc_cache *c = owner;
	struct myalloc_frame *frame = &c->zone->frames[place];

	if (data_race(frame->tag) != c->tag)	/* may be state bytes of another slab */
		return 0;
	*state = myalloc_slab_states(c, frame, myalloc_slab_addr(c, frame));
	return c->layout.objects;
}

static struct llist_node *deferred_node(void *owner, u32 place, u32 nr)
{
	struct myalloc_cache *c = owner;
	void *slab = myalloc_slab_addr(c, &c->zone->frames[place]);

	return (struct llist_node *)((char *)myalloc_slab_object(c, slab, nr) +
				     c->layout.link_offset);
}

static void deferred_damaged(void *owner)
{
	struct myalloc_cache *c = owner;

	atomic64_inc(&c->corruptions);
	myalloc_zone_crit(c->zone, "cache %s: a freed object was written to: its link is damaged",
			  c->name);
}

static const struct myalloc_deferred_ops deferred_ops = {
	.deferring = MYALLOC_SLOT_DEFERRING,
	.deferred = MYALLOC_SLOT_DEFERRED,
	.recovering = MYALLOC_SLOT_RECOVERING,
	.find = deferred_find,
	.give = deferred_give,
	.states = deferred_states,
	.node = deferred_node,
	.damaged = deferred_damaged,
	.may_lose = true,
};

/**
 * __myalloc_slab_reap() - return some deferred frees to their slabs
 * @cache: the cache; its lock is held
 * @most: maximum number of objects
 *
 * Context: any.
 */
void __myalloc_slab_reap(struct myalloc_cache *cache, unsigned int most)
{
	myalloc_deferred_reap(&cache->deferred, &deferred_ops, cache, most);
}

/**
 * myalloc_slab_defer() - leave a free to the next holder of the lock
 * @cache: the cache
 * @object: the object
 * @state: state byte of its slot, which the caller owns
 *
 * Context: any.
 */
void myalloc_slab_defer(struct myalloc_cache *cache, void *object, u8 *state)
{
	struct myalloc_limit *limit = cache->zone->limit;

	myalloc_defer_begin(&cache->deferred, &deferred_ops, state, 1);
	if (unlikely(limit) && atomic64_read(&cache->deferred.nr) > limit->waiting)
		atomic64_inc(&limit->nmi_frees_beyond);
	myalloc_shadow_link((char *)object + cache->layout.link_offset);
	myalloc_env_point("slab-defer");
	myalloc_defer_end(&cache->deferred, &deferred_ops, state,
			  (struct llist_node *)((char *)object + cache->layout.link_offset));
}

/* Lock held. Return a slot of a magazine to its slab. */
static void flush_one(struct myalloc_cache *c, const struct myalloc_slot *slot)
{
	struct myalloc_place place;

	/* By address: the state pointer is valid only while the slab is there (limbo.c). */
	if (unlikely(!myalloc_place_find(c, slot->addr, &place) ||
		     !__myalloc_slab_give(c, &place, MYALLOC_SLOT_CACHED)))
		myalloc_slab_twice(c, slot->addr);
}

/**
 * __myalloc_slab_flush() - return slots of a magazine to their slabs
 * @cache: the cache; its lock is held
 * @slot: the first slot
 * @nr: number of slots
 *
 * Context: any.
 */
void __myalloc_slab_flush(struct myalloc_cache *cache, const struct myalloc_slot *slot, u32 nr)
{
	while (nr--)
		flush_one(cache, &slot[nr]);
	if (unlikely(cache->fixed_slabs))
		myalloc_limit_freed(cache->zone->limit);
}

/**
 * myalloc_cache_reap() - return all deferred frees to their slabs
 * @cache: the cache
 *
 * Context: task, may sleep.
 */
void myalloc_cache_reap(struct myalloc_cache *cache)
{
	myalloc_deferred_drain(&cache->deferred, &deferred_ops, cache, &cache->lock,
			       myalloc_limit_reap(cache->zone->limit, MYALLOC_DRAIN_MOST));
}

static_assert(!MYALLOC_SLOT_FREE);

/* Lock held. Set the out bits of slots whose state names an owner; returns the number of them. */
static u32 recount(struct myalloc_cache *c, struct myalloc_frame *frame)
{
	void *slab = myalloc_slab_addr(c, frame);
	const u8 *states = myalloc_slab_states(c, frame, slab);
	u64 *out = myalloc_slab_out(c, frame, slab);
	u32 i, n = 0;

	/* Eight states at a time; those behind the last slot belong to no slot and stay FREE. */
	for (i = 0; i < c->layout.objects; i++) {
		if (!(i % 8) && i + 8 <= c->layout.states &&
		    !READ_ONCE(*(const u64 *)(states + i))) {
			i += 7;
			continue;
		}
		if (likely(READ_ONCE(states[i]) == MYALLOC_SLOT_FREE))
			continue;
		myalloc_slab_twice(c, myalloc_slab_object(c, slab, i));
		out[i / 64] |= BIT_ULL(i % 64);
		n++;
	}
	return n;
}

/**
 * myalloc_cache_release() - return a slab from limbo to the zone
 * @c: its cache
 * @frame: its first frame, which the caller took out of limbo after a grace period
 *
 * If one of its slots has an owner, the slab becomes a slab in use again. The cache may be freed as
 * soon as its lock is released, so the zone's lock is taken while the cache's is held.
 *
 * Context: any but NMI.
 * Return: pages returned to the zone.
 */
u32 myalloc_cache_release(struct myalloc_cache *c, struct myalloc_frame *frame)
{
	unsigned int order = c->layout.order;
	unsigned long irq;
	u32 inuse;

	raw_spin_lock_irqsave(&c->lock, irq);
	inuse = recount(c, frame);
	/* Pairs with myalloc_limbo_finish(). */
	smp_store_release(&c->nr_limbo, c->nr_limbo - 1);
	c->generation++;
	if (unlikely(inuse)) {
		frame->inuse = 0;
		frame->hint = 0;
		__myalloc_slab_add(c, frame);
		set_inuse(c, frame, inuse);
	} else {
		WRITE_ONCE(frame->type, MYALLOC_FRAME_NEW);
		myalloc_slab_drop(c, frame);
	}
	raw_spin_unlock_irqrestore(&c->lock, irq);	/* the last use of the cache */
	return inuse ? 0 : BIT(order);
}
