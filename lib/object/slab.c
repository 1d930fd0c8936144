// SPDX-License-Identifier: GPL-2.0
/*
 * Slab caches
 *
 * What it is: objects of one size, cut from blocks of pages called slabs (Bonwick, "The
 * slab allocator", USENIX 1994), with magazines in front (magazine.c).
 *
 * Terms
 *	slot	place of one object in a slab, with its red zones (slab_layout.c)
 *	state	one byte that says who has the slot: FREE (its slab), CACHED (a magazine or
 *		the depot), LIVE (the user), DEFERRED (freed, on its way back), MOVING (an
 *		alloc or free past the magazines is at work on it)
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
 * No metadata lies in or between objects: a free slot has no link, and a constructed object stays
 * as it is. An address is looked up in the map, its slab by the tag, its slot by a multiplication,
 * its state by an index.
 *
 * Two facts about a slot
 *	state	belongs to whoever has the slot. Its owner changes it without a lock.
 *	out bit	belongs to cache->lock: set when the slot leaves its slab, cleared when it comes
 *		back. All counts follow the bits, so no mistake of a user reaches a count.
 * The two agree unless a slot was freed twice at the same moment. Then two magazines may hold it,
 * and two users may get it. Whoever brings it back first clears the bit; the second finds it
 * clear, is reported and dropped. A refill that finds a slot whose bit is clear and whose state
 * says that somebody has it, sets the bit and leaves the slot to him.
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
 * Objects come from the fullest of the partial slabs, and in it from the lowest free slot, so
 * that the others drain and can be given back.
 *
 * Invariants
 *	S1  Every slab that is not in limbo is in exactly one list: EMPTY if inuse == 0, FULL if
 *	    inuse == objects, else the quarter of inuse / objects. nr[] counts each list.
 *	S2  inuse = out bits that are set; no bit below hint is clear.
 *	S3  free_slots = sum of (objects - inuse) over all slabs in lists.
 *	S4  live + cached + deferred + moving = sum of inuse, where cached is what the magazines
 *	    hold and deferred = deferred.nr.
 *	S5  Only who owns a slot writes its state: FREE is owned by cache->lock, CACHED by
 *	    whoever has the magazine, LIVE by the user, MOVING by the alloc or free at work, DEFERRED
 *	    by whoever takes it from the list. A slot freed twice at once has two owners.
 *	S6  With poison, a FREE slot holds the pattern; with red zones, both zones hold the
 *	    pattern of the state.
 *	S7  The state of a slot whose bit is clear is FREE. (A slot freed twice at once may break
 *	    this until its second owner brings it back.)
 *
 * Damage: an object that is overrun at the end of its slab reaches the out bits first
 * (slab_layout.c). A refill compares their number with inuse, which lies in the descriptor, before
 * it uses a slab. If they differ, the slab is set aside: its bits are all set, and nothing more is
 * taken from it. It does not see a write that leaves the number of bits the same.
 *
 * A slab leaves its cache by way of limbo: reclaim.c.
 *
 * Caches with red zones, poison or owners have no magazines: every alloc and free goes
 * through the lock and does its checks there. So the fast path does not even ask.
 *
 * Deferred frees: see deferred.c. The link is written into the object, or behind it where the
 * object must keep its content (slab_layout.c).
 *
 * Bounds: a refill passes at most MYALLOC_SCAN_MOST units, and takes at most a batch of slots; a
 * flush returns at most a batch under one hold of the lock, and harvests at most HARVEST_MOST
 * slabs. A new slab is prepared without the lock; its cost is that of one pass over its states and,
 * with a constructor, one call for each slot.
 */
#include "env.h"
#include "page/flags.h"
#include "page/lend.h"
#include "zone/reclaim.h"
#include "object/slab.h"
#include "object/check.h"

/* Of MYALLOC_SCAN_MOST, what passing a slab counts. */
#define SCAN_SLAB	32
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
/* Empty slabs that go to limbo under one hold of the lock. */
#define TRIM_MOST	16

/* --- lists of slabs; cache->lock held ---------------------------------- */

static unsigned int list_for(const struct myalloc_cache *c, u32 inuse)
{
	u32 objects = c->layout.objects;

	static_assert(MYALLOC_SLAB_PARTIAL == 4);
	if (!inuse)
		return MYALLOC_SLABS_EMPTY;
	/* inuse * 4 / objects, without the division. */
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

/* A new slab, in no list yet, its first frame tagged NEW. NULL if the zone has no block. */
static struct myalloc_frame *slab_make(struct myalloc_cache *c)
{
	const struct myalloc_slab_layout *l = &c->layout;
	struct myalloc_frame *frame;
	void *slab;
	u32 i;

	frame = myalloc_zone_take(c->zone, l->order, 0,
				  myalloc_frame_tag(MYALLOC_FRAME_NEW, l->order, c->id));
	if (unlikely(!frame))
		return NULL;
	slab = myalloc_slab_addr(c, frame);
	frame->inuse = 0;
	frame->hint = 0;
	/* Also those in the descriptors: of what was there before only the tags are zero (Z7). */
	memset(myalloc_slab_states(c, frame, slab), MYALLOC_SLOT_FREE, l->states);
	memset(myalloc_slab_out(c, frame, slab), 0, myalloc_out_words(c) * sizeof(u64));
	if (c->flags & MYALLOC_CHECKS)
		for (i = 0; i < l->objects; i++)
			myalloc_debug_init_slot(c, slab, i);
	if (c->ctor)
		for (i = 0; i < l->objects; i++)
			c->ctor(myalloc_slab_object(c, slab, i));
	return frame;
}

/* Lock held. The slab, whose bits are all clear, becomes part of the cache. */
static void slab_add(struct myalloc_cache *c, struct myalloc_frame *frame)
{
	WRITE_ONCE(frame->type, MYALLOC_FRAME_SLAB);
	slab_link(c, frame, MYALLOC_SLABS_EMPTY);
	c->generation++;
	c->free_slots += c->layout.objects;
}

/* Lock held. Takes empty slabs above @keep out of the cache, at most @most. */
static void slabs_to_limbo(struct myalloc_cache *c, u32 keep, u32 most)
{
	while (c->nr[MYALLOC_SLABS_EMPTY] > keep && most--) {
		struct myalloc_frame *frame = &c->zone->frames[c->list[MYALLOC_SLABS_EMPTY]];

		slab_unlink(c, frame, MYALLOC_SLABS_EMPTY);
		c->generation++;
		c->free_slots -= c->layout.objects;
		c->nr_limbo++;
		WRITE_ONCE(frame->type, MYALLOC_FRAME_LIMBO);
		myalloc_limbo_add(c->zone, c, frame);
	}
}

/* A slab that never was part of the cache, or is no longer. */
static void slab_release(struct myalloc_cache *c, struct myalloc_frame *frame)
{
	if (c->zone->checks & MYALLOC_POISON)
		memset(myalloc_slab_addr(c, frame), MYALLOC_POISON_FREE,
		       PAGE_SIZE << c->layout.order);
	if (unlikely(c->zone->checks) && !in_nmi() && myalloc_lend_hold_slab(c->zone, frame))
		return;
	myalloc_zone_give(c->zone, frame);
}

/* --- slots; cache->lock held ---------------------------------------------- */

/* The bits of a word that are of slots. */
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

/* The bits do not agree with the count: nothing more is taken from this slab. */
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

static noinline void twice(struct myalloc_cache *c, const void *object)
{
	u32 idx = myalloc_frame_idx(c->zone, myalloc_map_frame(&c->map, object));
	u32 off = ((unsigned long)object - c->map.base) & c->bytes_mask;

	atomic64_inc(&c->corruptions);
	myalloc_zone_crit(c->zone, "cache %s: slot %u of the slab at frame %u was freed twice at once",
			  c->name, off / c->layout.slot_size, idx & ~c->frame_mask);
}

/*
 * Lock held. A slot leaves its slab as @state. False if somebody has it already; then its bit is
 * set all the same, and he brings it back.
 */
static bool take_slot(struct myalloc_cache *c, struct myalloc_slot *slot, void *slab, u8 *states,
		      u32 at, u8 state)
{
	slot->addr = myalloc_slab_object(c, slab, at);
	slot->state = &states[at];
	if (unlikely(READ_ONCE(states[at]) != MYALLOC_SLOT_FREE)) {	/* S7 */
		twice(c, slot->addr);
		return false;
	}
	WRITE_ONCE(states[at], state);
	return true;
}

/*
 * Takes the lowest slots whose bits are clear, at most @most, downwards from @end. Returns how
 * many; *@bits grows by the bits that were set.
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

/* As take_lowest(), but any slots. */
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
 * Takes up to @most free slots of a slab, whose state becomes @state. Slots are filled
 * downwards from @end, so that the lowest is handed out first.
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

/* Takes up to @most slots from the fullest slabs, not more than MYALLOC_SCAN_MOST allows. */
static u32 take(struct myalloc_cache *c, struct myalloc_slot *end, u32 most, u8 state)
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
		scan += SCAN_SLAB + myalloc_out_words(c);
	}
	return n;
}

/*
 * Gives a slot back to its slab, which the caller owns in state @from. False if it was freed twice
 * at once: then its slab has it already, or somebody else does.
 */
static bool give(struct myalloc_cache *c, const struct myalloc_place *p, u8 from)
{
	struct myalloc_frame *frame = p->frame;
	u64 *out = myalloc_slab_out(c, frame, p->slab), bit = BIT_ULL(p->index % 64);

	/* Not a plain store: another who has the slot may make it LIVE at this moment. */
	if (unlikely(!try_cmpxchg(p->state, &from, MYALLOC_SLOT_FREE)))
		return false;
	if (unlikely(!(out[p->index / 64] & bit))) {
		if (p->tag == c->tag && count_out(c, out) != frame->inuse)
			set_aside(c, frame, out);
		return false;
	}
	out[p->index / 64] &= ~bit;
	if (p->index < frame->hint)
		frame->hint = p->index;
	set_inuse(c, frame, frame->inuse - 1);
	if (unlikely(c->flags & MYALLOC_SANITY))
		myalloc_debug_slab(c, frame, p->slab);
	return true;
}

/* --- deferred objects; lock held: see deferred.h for the names ------------------ */

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
	myalloc_place_find(c, object, &place);	/* as deferred_find() did */
	give(c, &place, READ_ONCE(*state));
	return 1;
}

static u32 deferred_states(void *owner, u32 place, u8 **state)
{
	struct myalloc_cache *c = owner;
	struct myalloc_frame *frame = &c->zone->frames[place];

	if (data_race(frame->tag) != c->tag)	/* or states of a slab */
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

/* Frees at most @most deferred objects. */
static void reap(struct myalloc_cache *c, unsigned int most)
{
	myalloc_deferred_reap(&c->deferred, &deferred_ops, c, most);
}

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
	reap(c, REAP_MOST);
	if (frame)
		slab_add(c, frame);
	*taken = take(c, slot_end, most, for_refill ? MYALLOC_SLOT_CACHED : MYALLOC_SLOT_MOVING);
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
	frame = slab_make(c);
	if (unlikely(!frame && myalloc_zone_reclaim(c->zone)))
		frame = slab_make(c);
	if (!frame)
		return 0;
	if (!try_take(c, frame, slot_end, most, for_refill, &n)) {
		slab_release(c, frame);
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

/* Lock held. A slot from a magazine back to its slab. */
static void flush_one(struct myalloc_cache *c, const struct myalloc_slot *slot)
{
	struct myalloc_place place;

	/* By its address: the state is believed only where the slab still is (reclaim.c). */
	if (unlikely(!myalloc_place_find(c, slot->addr, &place) ||
		     !give(c, &place, MYALLOC_SLOT_CACHED)))
		twice(c, slot->addr);
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
	u32 n, i;

	for (; nr; nr -= n) {
		n = min(nr, c->mags.batch);
		raw_spin_lock_irqsave(&c->lock, irq);
		for (i = 0; i < n; i++)
			flush_one(c, &slot[nr - 1 - i]);
		c->flushes++;
		slabs_to_limbo(c, MYALLOC_EMPTY_KEEP, n + 1);
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

/* The state of a slot that a user has. */
static u8 user_state(const struct myalloc_cache *c)
{
	return c->level == MYALLOC_TRUSTING ? MYALLOC_SLOT_CACHED : MYALLOC_SLOT_LIVE;
}

/*
 * Between enter and leave. Has a good object on top of the loaded magazine, after those that
 * are damaged; false if there is none to be had.
 */
static bool ready(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu)
{
	while (myalloc_magazine_count(cpu) || more(c, cpu)) {
		if (likely(READ_ONCE(*cpu->top[-1].state) == MYALLOC_SLOT_CACHED))
			return true;
		WRITE_ONCE(cpu->top, cpu->top - 1);
		twice(c, cpu->top->addr);
	}
	return false;
}

/* Between enter and leave. One object out of the magazines, NULL if there is none to be had. */
static void *get(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu)
{
	struct myalloc_slot *slot;

	if (!ready(c, cpu))
		return NULL;
	slot = cpu->top - 1;
	WRITE_ONCE(*slot->state, user_state(c));
	cpu->nr_gets++;
	WRITE_ONCE(cpu->top, slot);
	return slot->addr;
}

static __always_inline bool get_one(const struct myalloc_slot *slot, void **object)
{
	u8 *state = slot->state;

	if (unlikely(data_race(*state) != MYALLOC_SLOT_CACHED))	/* S5 */
		return false;
	*object = slot->addr;
	WRITE_ONCE(*state, MYALLOC_SLOT_LIVE);
	return true;
}

/* A loop over fours takes a quarter fewer instructions than one over single objects. */
static __always_inline u32 get_four(const struct myalloc_slot *end, void **objects)
{
	if (!get_one(end - 1, objects))
		return 0;
	if (!get_one(end - 2, objects + 1))
		return 1;
	if (!get_one(end - 3, objects + 2))
		return 2;
	return get_one(end - 4, objects + 3) ? 4 : 3;
}

/* As many as are filled, at most @most, and then of those before one that is damaged. */
static __always_inline u32 get_run(struct myalloc_magazine_cpu *cpu, u32 most, void **objects)
{
	struct myalloc_slot *top = cpu->top;
	u32 left = most, n = 4;

	for (; left >= 4 && n == 4; left -= n, top -= n, objects += n)
		n = get_four(top, objects);
	for (; left && get_one(top - 1, objects); left--, objects++)
		top--;
	cpu->nr_gets += most - left;
	WRITE_ONCE(cpu->top, top);
	return most - left;
}

static __always_inline void fill_slot(struct myalloc_slot *slot, void *object, u8 *state)
{
	WRITE_ONCE(*state, MYALLOC_SLOT_CACHED);
	slot->addr = object;
	slot->state = state;
}

/*
 * Between enter and leave. False in NMI if there is no room; also if the slab is on its way out. That
 * is looked at when the magazine is of the present era: if the slab leaves later, the era grows
 * later, and the slot is looked up again before it is believed.
 */
static bool put(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu, void *object,
		const struct myalloc_place *place)
{
	if (unlikely(cpu->top == cpu->end && !room(c, cpu)))
		return false;
	if (unlikely(READ_ONCE(place->frame->tag) != c->tag))
		return false;
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
	if (done)
		twice(c, object);
	raw_spin_unlock_irqrestore(&c->lock, irq);
	return done;
}

/*
 * The state of an object in the window whose slab is in use; for everything else that of no
 * object.
 */
static __always_inline u8 *fast_state(struct myalloc_cache *c, const void *object)
{
	unsigned long off = (unsigned long)object - c->window.base;
	struct myalloc_frame *frame;
	u64 index;

	if (unlikely(off >= c->window.bytes))
		return &c->nothing;
	frame = (void *)c->window.frames +
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

/* Back into the slot that it was handed out from, which still says where its state is. */
static __always_inline bool put_used(struct myalloc_cache *c, const struct myalloc_slot *slot,
				     const void *object, myalloc_cache_flags_t level)
{
	return likely(slot->addr == object) && claim(c, slot->state, level);
}

/*
 * Into the slot at @top of the loaded magazine, if there is room and all is as it should be:
 * false leaves it to free_slow(). If the object was handed out from there, the slot still says
 * where its state is (magazine.c, Used slots), and there is room.
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

static __always_inline u32 put_four(struct myalloc_cache *c, const struct myalloc_slot *top,
				    void **end)
{
	if (!put_used(c, top, end[-1], 0))
		return 0;
	if (!put_used(c, top + 1, end[-2], 0))
		return 1;
	if (!put_used(c, top + 2, end[-3], 0))
		return 2;
	return put_used(c, top + 3, end[-4], 0) ? 4 : 3;
}

/*
 * Puts objects from the end of @objects, as an allocation in bulk has filled it, into the
 * loaded magazine until it is full or one is not as it should be. Returns how many.
 */
static __always_inline u32 put_run(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu,
				   u32 nr, void **objects)
{
	struct myalloc_slot *top = cpu->top;
	u32 left = nr, n = 4;

	for (; left >= 4 && n == 4; left -= n, top += n)
		n = put_four(c, top, objects + left);
	for (; left && fast_put(c, cpu, top, objects[left - 1], 0); left--)
		top++;
	cpu->nr_puts += nr - left;
	WRITE_ONCE(cpu->top, top);
	return nr - left;
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
	WRITE_ONCE(*slot.state, user_state(c));
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

	if (unlikely(!__myalloc_magazines_begin(&c->mags, &c->mags.age, &cpu, &guard)))
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

	if (unlikely(!__myalloc_magazines_begin(&c->mags, &c->mags.age, &cpu, &guard)))
		return false;
	top = cpu->top;
	done = fast_put(c, cpu, top, object, level);
	if (likely(done)) {
		cpu->nr_puts++;
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
	if (object && wants_zero(c, flags))
		memset(object, 0, c->layout.object_size);
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
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot *slot;
	void *object;
	u64 guard;

	myalloc_flags_might_wait(flags);
	if (unlikely(flags & ~MYALLOC_MAY_WAIT) ||
	    unlikely(!myalloc_magazines_begin(&cache->mags, &cpu, &guard)))
		return alloc_slow(cache, flags, _RET_IP_);
	slot = cpu->top - 1;
	if (unlikely(data_race(*slot->state) != MYALLOC_SLOT_CACHED)) {	/* S5 */
		myalloc_magazines_end(cpu, guard);
		return alloc_slow(cache, flags, _RET_IP_);
	}
	WRITE_ONCE(*slot->state, MYALLOC_SLOT_LIVE);
	object = slot->addr;
	cpu->nr_gets++;
	WRITE_ONCE(cpu->top, slot);
	myalloc_magazines_end(cpu, guard);
	return object;
}

/* Past the magazines; the caller has made the slot MOVING. */
static int free_slabs(struct myalloc_cache *c, void *object, u8 *state, unsigned long caller)
{
	struct myalloc_place place;
	unsigned long irq;

	if (c->flags & MYALLOC_CHECKS)
		myalloc_debug_free(c, object, caller);
	if (unlikely(!myalloc_lock(&c->lock, &irq))) {
		myalloc_defer_begin(&c->deferred, &deferred_ops, state, 1);
		myalloc_env_point("slab-defer");
		myalloc_defer_end(&c->deferred, &deferred_ops, state,
				  (struct llist_node *)((char *)object + c->layout.link_offset));
		return 0;
	}
	reap(c, REAP_MOST);
	/* A slot that is MOVING keeps its slab here. */
	if (unlikely(!myalloc_place_find(c, object, &place) ||
		     !give(c, &place, MYALLOC_SLOT_MOVING)))
		twice(c, object);
	c->frees++;
	if (!in_nmi())
		slabs_to_limbo(c, MYALLOC_EMPTY_KEEP, 1);
	raw_spin_unlock_irqrestore(&c->lock, irq);
	if (!in_nmi())
		myalloc_limbo_harvest(c->zone, 1);
	return 0;
}

/* Makes the slot of a user's object MOVING. False if it is not one of a slab in use. */
static bool claim_slow(struct myalloc_cache *c, const void *object, struct myalloc_place *place)
{
	u8 from = user_state(c);
	bool claimed = false;

	preempt_disable();	/* from the look at the tag to the claim */
	place->tag = 0;
	if (likely(myalloc_place_find(c, object, place))) {
		myalloc_env_point("object-found");
		claimed = place->tag == c->tag && likely(READ_ONCE(*place->state) == from) &&
			  likely(try_cmpxchg(place->state, &from, MYALLOC_SLOT_MOVING));
	}
	preempt_enable();
	return claimed;
}

/* Everything that the fast path leaves: no room, an interrupt, checks, levels, outside the window. */
static noinline int free_slow(struct myalloc_cache *c, void *object, unsigned long caller)
{
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_place place;

	if (put_by_level(c, object))
		return 0;
	if (unlikely(!claim_slow(c, object, &place))) {
		if (place.tag == c->limbo_tag && limbo_slot_free(c, object, user_state(c)))
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
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot *top;
	u64 guard;

	if (unlikely(!myalloc_magazines_begin(&cache->mags, &cpu, &guard)))
		return free_slow(cache, object, _RET_IP_);
	top = cpu->top;
	if (unlikely(!fast_put(cache, cpu, top, object, 0))) {
		myalloc_magazines_end(cpu, guard);
		return free_slow(cache, object, _RET_IP_);
	}
	cpu->nr_puts++;
	WRITE_ONCE(cpu->top, top + 1);
	myalloc_magazines_end(cpu, guard);
	return 0;
}

/* Objects that a bulk operation moves with preemption off. */
#define BULK_STEP	64U

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
	unsigned int n = 0, i;

	myalloc_flags_might_wait(flags);
	if (unlikely(!myalloc_flags_check(cache->zone, &flags, MYALLOC_OBJECT_FLAGS_ALL,
					  _RET_IP_)))
		return 0;
	while (n < nr) {
		struct myalloc_magazine_cpu *cpu = myalloc_magazines_enter(&cache->mags);
		unsigned int end = min(nr, n + BULK_STEP);

		if (unlikely(!cpu))
			break;
		do {
			if (unlikely(cache->level == MYALLOC_TRUSTING))
				n += !!(objects[n] = get(cache, cpu));
			else
				n += get_run(cpu, end - n, objects + n);
		} while (n < end && ready(cache, cpu));
		myalloc_magazines_leave(cpu);
		if (unlikely(n < end))
			break;
	}
	for (; n < nr; n++) {
		objects[n] = alloc_slabs(cache, flags, _RET_IP_);
		if (!objects[n])
			break;
	}
	if (unlikely(wants_zero(cache, flags)))
		for (i = 0; i < n; i++)
			memset(objects[i], 0, cache->layout.object_size);
	return n;
}

/*
 * Up to @most objects from below @end into the magazines; how many. Fewer if one of them is not
 * as it should be, there is no room, or the cache wants every free to take the slow path.
 */
static u32 put_bulk(struct myalloc_cache *c, u32 most, void **end)
{
	struct myalloc_magazine_cpu *cpu;
	u32 n = 0;

	if (unlikely(READ_ONCE(c->mags.era) == MYALLOC_ERA_NEVER))
		return 0;
	cpu = myalloc_magazines_enter(&c->mags);
	if (unlikely(!cpu))
		return 0;
	do
		n += put_run(c, cpu, most - n, end - most);
	while (n < most && cpu->top == cpu->end && room(c, cpu));
	myalloc_magazines_leave(cpu);
	return n;
}

/**
 * myalloc_cache_free_bulk() - free several objects
 * @cache: the cache they were allocated from
 * @nr: how many
 * @objects: their addresses, any values
 *
 * They go back from the end of @objects on, so that what an allocation in bulk has filled is
 * taken back the quick way (magazine.c, Used slots). Each wrong one is treated as by
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
		unsigned int n = put_bulk(cache, min(left, BULK_STEP), objects + left);

		left -= n;
		freed += n;
		if (unlikely(left && n < BULK_STEP))
			freed += !free_slow(cache, objects[--left], _RET_IP_);
	}
	return freed;
}

/* The block or slab that contains @addr; NULL if none is in use there. */
static struct myalloc_frame *find(struct myalloc_zone *zone, const void *addr,
				  struct myalloc_cache **cache)
{
	struct myalloc_frame *frame = myalloc_map_frame(&zone->map, addr);
	struct myalloc_block block;
	u8 type;

	*cache = NULL;
	if (!frame || !myalloc_buddy_lookup(&zone->buddy, myalloc_frame_idx(zone, frame), &block))
		return NULL;
	frame = &zone->frames[block.idx];
	type = READ_ONCE(frame->type);
	if ((type == MYALLOC_FRAME_SLAB || type == MYALLOC_FRAME_LIMBO) &&
	    frame->cache < MYALLOC_CACHES_MAX)
		*cache = READ_ONCE(zone->cache_by_id[frame->cache]);
	return frame;
}

/**
 * myalloc_free() - free a block of pages, an extent or an object, whichever it is
 * @zone: the zone
 * @addr: its address, any value
 *
 * Context: any.
 * Return: 0; -EINVAL if nothing that is allocated begins there: reported, counted, and
 * nothing has changed.
 */
int myalloc_free(struct myalloc_zone *zone, void *addr)
{
	struct myalloc_cache *cache;
	struct myalloc_frame *frame, first = { .tag = 0 };
	int err;

	preempt_disable();	/* the cache may be destroyed, but is not freed meanwhile */
	frame = find(zone, addr, &cache);
	if (frame)
		first.tag = READ_ONCE(frame->tag);
	if (cache)
		err = myalloc_cache_free(cache, addr);
	else if (first.type == MYALLOC_FRAME_EXTENT)
		err = myalloc_pages_free_exact(zone, addr, myalloc_frame_pages(&first));
	else
		err = myalloc_pages_free(zone, addr, first.order);
	preempt_enable();
	return err;
}

/**
 * myalloc_usable_size() - bytes that may be used at an address
 * @zone: the zone
 * @addr: of a block of pages, an extent or an object
 *
 * Context: any.
 * Return: bytes; 0 if nothing that is allocated begins there.
 */
unsigned long myalloc_usable_size(struct myalloc_zone *zone, const void *addr)
{
	struct myalloc_cache *cache;
	struct myalloc_frame *frame, first = { .tag = 0 };
	unsigned long size = 0;
	const u8 *state;

	preempt_disable();	/* as above */
	frame = find(zone, addr, &cache);
	if (cache) {
		state = myalloc_object_state(cache, addr);
		if (state && READ_ONCE(*state) == user_state(cache))
			size = cache->layout.object_size;
	} else if (frame && myalloc_frame_addr(zone, myalloc_frame_idx(zone, frame)) == addr) {
		first.tag = READ_ONCE(frame->tag);
	}
	if (first.type == MYALLOC_FRAME_PAGE || first.type == MYALLOC_FRAME_LENT ||
	    first.type == MYALLOC_FRAME_EXTENT)
		size = (unsigned long)myalloc_frame_pages(&first) << PAGE_SHIFT;
	preempt_enable();
	return size;
}

/* --- the whole cache ------------------------------------------------------------ */

/**
 * myalloc_cache_reap() - all deferred frees back to their slabs
 * @cache: the cache
 *
 * Context: task, may sleep.
 */
void myalloc_cache_reap(struct myalloc_cache *cache)
{
	myalloc_deferred_drain(&cache->deferred, &deferred_ops, cache, &cache->lock);
}

/* --- the way out; see reclaim.c ------------------------------------------------- */

/**
 * myalloc_cache_trim() - empty slabs to limbo
 * @cache: the cache
 * @keep: how many stay
 *
 * Context: task, may sleep.
 */
void myalloc_cache_trim(struct myalloc_cache *cache, u32 keep)
{
	unsigned long irq;
	bool more;

	do {
		raw_spin_lock_irqsave(&cache->lock, irq);
		slabs_to_limbo(cache, keep, TRIM_MOST);
		more = cache->nr[MYALLOC_SLABS_EMPTY] > keep;
		raw_spin_unlock_irqrestore(&cache->lock, irq);
		cond_resched();
	} while (more);
}

static_assert(!MYALLOC_SLOT_FREE);

/* Lock held. Slots whose state is not FREE are somebody's, and their bits say so from now on. */
static u32 recount(struct myalloc_cache *c, struct myalloc_frame *frame)
{
	void *slab = myalloc_slab_addr(c, frame);
	const u8 *states = myalloc_slab_states(c, frame, slab);
	u64 *out = myalloc_slab_out(c, frame, slab);
	u32 i, n = 0;

	/* Eight states at a time; behind the last one lie those of no slot, which are FREE. */
	for (i = 0; i < c->layout.objects; i++) {
		if (!(i % 8) && i + 8 <= c->layout.states &&
		    !READ_ONCE(*(const u64 *)(states + i))) {
			i += 7;
			continue;
		}
		if (likely(READ_ONCE(states[i]) == MYALLOC_SLOT_FREE))
			continue;
		twice(c, myalloc_slab_object(c, slab, i));
		out[i / 64] |= BIT_ULL(i % 64);
		n++;
	}
	return n;
}

/**
 * myalloc_cache_release() - a slab from limbo back to the zone
 * @cache: its cache
 * @frame: its first frame, taken out of limbo by the caller after a grace period
 *
 * If somebody has a slot of it, it becomes a slab in use again. The cache may end as soon as its
 * lock is let go, so the zone's lock is taken inside it.
 *
 * Context: any but NMI.
 * Return: pages that went back to the zone.
 */
u32 myalloc_cache_release(struct myalloc_cache *cache, struct myalloc_frame *frame)
{
	struct myalloc_cache *c = cache;
	unsigned int order = c->layout.order;
	unsigned long irq;
	u32 inuse;

	raw_spin_lock_irqsave(&c->lock, irq);
	inuse = recount(c, frame);
	c->nr_limbo--;
	c->generation++;
	if (unlikely(inuse)) {
		frame->inuse = 0;
		frame->hint = 0;
		slab_add(c, frame);
		set_inuse(c, frame, inuse);
	} else {
		WRITE_ONCE(frame->type, MYALLOC_FRAME_NEW);
		slab_release(c, frame);
	}
	raw_spin_unlock_irqrestore(&c->lock, irq);	/* the last use of the cache */
	return inuse ? 0 : BIT(order);
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
		twice(c, slot->addr);
		return false;
	}
	if (likely(place.tag == c->tag && READ_ONCE(*place.state) == MYALLOC_SLOT_CACHED))
		return true;
	if (place.tag == c->tag || !limbo_slot_free(c, slot->addr, MYALLOC_SLOT_CACHED))
		twice(c, slot->addr);
	return false;
}
