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
 * No metadata lies in or between objects: a free slot has no link, so there is nothing that
 * an overflow or a write after free could damage, and a constructed object stays as it is.
 * The states are what makes every wrong free certain to be found: an address is looked up in
 * the map, its slab by the tag, its slot by a multiplication, its state by an index.
 *
 * Objects come from the fullest of the partial slabs, and in it from the lowest free slot, so
 * that the others drain and can be given back.
 *
 * Invariants
 *	S1  Every slab is in exactly one list: EMPTY if inuse == 0, FULL if inuse == objects,
 *	    else the quarter of inuse / objects. nr[] counts each list.
 *	S2  inuse = slots whose state is not FREE; no slot below hint is FREE.
 *	S3  free_slots = sum of (objects - inuse) over all slabs.
 *	S4  live + cached + deferred + moving = sum of inuse, where cached is what the magazines
 *	    hold and deferred = nr_deferred.
 *	S5  Only who owns a slot writes its state: FREE is owned by cache->lock, CACHED by
 *	    whoever has the magazine, LIVE by the user, DEFERRED by whoever takes it from the
 *	    list. Therefore a plain store of a byte is enough.
 *	S6  With poison, a FREE slot holds the pattern; with red zones, both zones hold the
 *	    pattern of the state.
 *
 * Caches with red zones, poison or owners have no magazines: every alloc and free goes
 * through the lock and does its checks there. So the fast path does not even ask.
 *
 * Deferred frees: as in zone.c. The link is written into the object, or behind it where the
 * object must keep its content (slab_layout.c).
 *
 * Bounds: a refill passes at most MYALLOC_SCAN_MOST states and those of one more slab, eight at
 * a time, and takes at most a batch of slots; a flush returns at most a batch and gives at most
 * RELEASE_MOST empty slabs back to the zone. A new slab is prepared without the lock; its cost
 * is that of one pass over its states and, with a constructor, one call for each slot.
 */
#include "env.h"
#include "slab.h"
#include "slab_debug.h"

/* Of MYALLOC_SCAN_MOST, what passing a slab counts. */
#define SCAN_SLAB	32
/* Deferred frees that one operation takes along. */
#define REAP_MOST	2
/*
 * Empty slabs that one flush gives back; if it emptied more, the next one goes on. A slab costs
 * as much as several objects, so fewer if there are many of those; slabs of one or two objects,
 * of which each flush empties as many, are of large ones, and their magazines are small.
 */
#define RELEASE_MOST	4
#define RELEASE_FEW	2
#define FLUSH_MANY	8

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
	if (c->flags & MYALLOC_CHECKS)
		for (i = 0; i < l->objects; i++)
			myalloc_debug_init_slot(c, slab, i);
	if (c->ctor)
		for (i = 0; i < l->objects; i++)
			c->ctor(myalloc_slab_object(c, slab, i));
	return frame;
}

/* Lock held. The slab becomes part of the cache. */
static void slab_add(struct myalloc_cache *c, struct myalloc_frame *frame)
{
	WRITE_ONCE(frame->type, MYALLOC_FRAME_SLAB);
	slab_link(c, frame, MYALLOC_SLABS_EMPTY);
	c->generation++;
	c->free_slots += c->layout.objects;
}

/* Lock held. Takes an empty slab out of the cache; NULL if there are at most @keep. */
static struct myalloc_frame *slab_remove(struct myalloc_cache *c, u32 keep)
{
	struct myalloc_frame *frame;

	if (likely(c->nr[MYALLOC_SLABS_EMPTY] <= keep))
		return NULL;
	frame = &c->zone->frames[c->list[MYALLOC_SLABS_EMPTY]];
	slab_unlink(c, frame, MYALLOC_SLABS_EMPTY);
	myalloc_magazines_next_era(&c->mags);	/* used slots may point to its states */
	c->generation++;
	c->free_slots -= c->layout.objects;
	WRITE_ONCE(frame->type, MYALLOC_FRAME_NEW);
	return frame;
}

/* No lock held. */
static void slab_release(struct myalloc_cache *c, struct myalloc_frame *frame)
{
	if (c->zone->checks & MYALLOC_POISON)
		memset(myalloc_slab_addr(c, frame), MYALLOC_POISON_FREE,
		       PAGE_SIZE << c->layout.order);
	myalloc_zone_give(c->zone, frame);
}

/* --- slots; cache->lock held ---------------------------------------------- */

/*
 * The FREE ones of 8 states, as the top bits of their bytes: those of the sum are clear where
 * the byte was 0, and no sum carries into the next byte.
 */
static u64 free_in(const u8 *states, u32 word)
{
	const u64 low = 0x7f7f7f7f7f7f7f7fULL;
	/* Bytes that others own may change meanwhile, a FREE one cannot. */
	u64 w = le64_to_cpu(READ_ONCE(((const __le64 *)states)[word]));

	return ~(((w & low) + low) | w) & ~low;
}

/* The lowest FREE slot at or above @at; a number not below @objects if there is none. */
static u32 next_free(const u8 *states, u32 at, u32 objects)
{
	u64 mask = ~0ULL << at % 8 * 8;
	u32 word;

	for (word = at / 8; word * 8 < objects; word++, mask = ~0ULL) {
		u64 free = free_in(states, word) & mask;

		if (free)
			return word * 8 + __ffs64(free) / 8;
	}
	return objects;
}

static void fill_from_slab(struct myalloc_cache *c, struct myalloc_slot *slot, void *slab,
			   u8 *states, u32 at, u8 state)
{
	WRITE_ONCE(states[at], state);
	slot->addr = myalloc_slab_object(c, slab, at);
	slot->state = &states[at];
}

/* The lowest @most FREE slots of a slab; how many there were. */
static u32 take_lowest(struct myalloc_cache *c, struct myalloc_frame *frame, void *slab,
		       u8 *states, struct myalloc_slot *end, u32 most, u8 state)
{
	u32 objects = c->layout.objects, at = frame->hint, word = at / 8, n = 0;
	u64 free;

	if (at >= objects)
		return 0;
	free = free_in(states, word) & (~0ULL << at % 8 * 8);
	while (n < most) {
		if (!free) {
			if (++word * 8 >= objects)
				break;
			free = free_in(states, word);
			continue;
		}
		at = word * 8 + __ffs64(free) / 8;
		if (at >= objects)
			break;
		free &= free - 1;
		fill_from_slab(c, end - ++n, slab, states, at, state);
		frame->hint = at + 1;
	}
	return n;
}

/* Any @most FREE slots of a slab; how many there were. */
static u32 take_random(struct myalloc_cache *c, void *slab, u8 *states,
		       struct myalloc_slot *end, u32 most, u8 state)
{
	u32 objects = c->layout.objects, n;

	for (n = 0; n < most; n++) {
		u32 at = next_free(states, myalloc_env_random() % objects, objects);

		if (at >= objects)
			at = next_free(states, 0, objects);
		if (at >= objects)
			break;
		fill_from_slab(c, end - n - 1, slab, states, at, state);
	}
	return n;
}

/*
 * Takes up to @most FREE slots of a slab, whose state becomes @state. Slots are filled
 * downwards from @end, so that the lowest is handed out first.
 */
static u32 slab_take(struct myalloc_cache *c, struct myalloc_frame *frame,
		     struct myalloc_slot *end, u32 most, u8 state)
{
	void *slab = myalloc_slab_addr(c, frame);
	u8 *states = myalloc_slab_states(c, frame, slab);
	u32 n, inuse = frame->inuse;

	most = min_t(u32, most, c->layout.objects - inuse);
	n = c->flags & MYALLOC_RANDOM ? take_random(c, slab, states, end, most, state) :
					take_lowest(c, frame, slab, states, end, most, state);
	if (unlikely(n < most)) {
		myalloc_zone_crit(c->zone, "cache %s: slab at frame %u has fewer free slots than it counts",
				  c->name, myalloc_frame_idx(c->zone, frame));
		inuse = c->layout.objects - n;	/* to the full ones, out of the way */
	}
	set_inuse(c, frame, inuse + n);
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
		struct myalloc_frame *frame;
		u32 hint;

		if (c->list[list] == MYALLOC_NO_FRAME) {
			if (list-- == MYALLOC_SLABS_EMPTY)
				break;
			continue;
		}
		frame = &c->zone->frames[c->list[list]];
		hint = frame->hint;
		n += slab_take(c, frame, end - n, most - n, state);
		scan += SCAN_SLAB + (frame->hint - hint);
	}
	return n;
}

/* Gives a slot back to its slab, which the caller found at @state. */
static void give(struct myalloc_cache *c, void *object, u8 *state)
{
	struct myalloc_frame *frame = myalloc_map_frame(&c->map, object);
	u32 index;
	void *slab;

	/* To the beginning of the slab; chunks are aligned to more than a slab. */
	slab = (char *)object - (((unsigned long)object - c->map.base) & c->bytes_mask);
	frame -= myalloc_frame_idx(c->zone, frame) & c->frame_mask;
	index = state - myalloc_slab_states(c, frame, slab);
	WRITE_ONCE(*state, MYALLOC_SLOT_FREE);
	if (index < frame->hint)
		frame->hint = index;
	set_inuse(c, frame, frame->inuse - 1);
	if (unlikely(c->flags & MYALLOC_SANITY))
		myalloc_debug_slab(c, frame, slab);
}

/* Frees at most @most deferred objects. */
static void reap(struct myalloc_cache *c, unsigned int most)
{
	if (likely(!c->deferred_chain && llist_empty(&c->deferred)))
		return;
	for (; most; most--) {
		struct llist_node *node;
		void *object;
		u8 *state, found = MYALLOC_SLOT_FREE;

		if (!c->deferred_chain)
			c->deferred_chain = llist_del_all(&c->deferred);
		node = c->deferred_chain;
		if (!node)
			return;
		object = (char *)node - c->layout.link_offset;
		state = myalloc_object_state(c, object);
		if (likely(state))
			found = smp_load_acquire(state);	/* pairs with free_slabs() */
		if (unlikely(found == MYALLOC_SLOT_DEFERRING))
			return;
		if (unlikely(found != MYALLOC_SLOT_DEFERRED)) {
			atomic64_inc(&c->corruptions);
			myalloc_zone_crit(c->zone, "cache %s: a freed object was written to: its link is damaged",
					  c->name);
			c->deferred_chain = NULL;
			return;
		}
		c->deferred_chain = READ_ONCE(node->next);
		if (c->flags & MYALLOC_ZERO_FREE)
			memset(node, 0, sizeof(*node));
		atomic64_dec(&c->nr_deferred);
		c->frees++;
		give(c, object, state);
	}
}

static noinline void not_cached(struct myalloc_cache *c)
{
	atomic64_inc(&c->corruptions);
	myalloc_zone_crit(c->zone, "cache %s: a cached object is not cached: freed twice at once?",
			  c->name);
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

/* A magazine.c flush: @nr slots back to their slabs, a few empty slabs back to the zone. */
static void flush(void *owner, struct myalloc_slot *slot, u32 nr)
{
	struct myalloc_frame *empty[RELEASE_MOST];
	u32 most = nr > FLUSH_MANY ? RELEASE_FEW : RELEASE_MOST, i;
	struct myalloc_cache *c = owner;
	unsigned long irq;

	if (!nr)
		return;
	raw_spin_lock_irqsave(&c->lock, irq);
	while (nr--) {
		if (unlikely(READ_ONCE(*slot[nr].state) != MYALLOC_SLOT_CACHED)) {
			not_cached(c);
			continue;
		}
		give(c, slot[nr].addr, slot[nr].state);
	}
	c->flushes++;
	for (i = 0; i < most; i++) {
		empty[i] = slab_remove(c, MYALLOC_EMPTY_KEEP);
		if (!empty[i])
			break;
	}
	raw_spin_unlock_irqrestore(&c->lock, irq);
	while (i--)
		slab_release(c, empty[i]);
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
	flush(c, cpu->top, c->mags.batch);
	return true;
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
		not_cached(c);
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
	WRITE_ONCE(*slot->state, MYALLOC_SLOT_LIVE);
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

/* Between enter and leave. False in NMI if there is no room. */
static bool put(struct myalloc_cache *c, struct myalloc_magazine_cpu *cpu, void *object,
		u8 *state)
{
	if (unlikely(cpu->top == cpu->end && !room(c, cpu)))
		return false;
	fill_slot(cpu->top, object, state);
	cpu->nr_puts++;
	WRITE_ONCE(cpu->top, cpu->top + 1);
	return true;
}

/*
 * myalloc_object_state(), for what is in the window and may take the fast path; for
 * everything else the state of nothing.
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

/* Back into the slot that it was handed out from, which still says where its state is. */
static __always_inline bool put_used(const struct myalloc_slot *slot, const void *object)
{
	u8 *state = slot->state;

	if (unlikely(slot->addr != object || data_race(*state) != MYALLOC_SLOT_LIVE))	/* S5 */
		return false;
	myalloc_env_point("object-checked");
	WRITE_ONCE(*state, MYALLOC_SLOT_CACHED);
	return true;
}

/*
 * Into the slot at @top of the loaded magazine, if there is room and all is as it should be:
 * false leaves it to free_slow(). If the object was handed out from there, the slot still says
 * where its state is (magazine.c, Used slots), and there is room.
 */
static __always_inline bool fast_put(struct myalloc_cache *c,
				     const struct myalloc_magazine_cpu *cpu,
				     struct myalloc_slot *top, void *object)
{
	u8 *state;

	if (likely(top->addr == object))
		return put_used(top, object);
	state = fast_state(c, object);
	if (unlikely(data_race(*state) != MYALLOC_SLOT_LIVE || top == cpu->end))	/* S5 */
		return false;
	myalloc_env_point("object-checked");
	fill_slot(top, object, state);
	return true;
}

static __always_inline u32 put_four(const struct myalloc_slot *top, void **end)
{
	if (!put_used(top, end[-1]))
		return 0;
	if (!put_used(top + 1, end[-2]))
		return 1;
	if (!put_used(top + 2, end[-3]))
		return 2;
	return put_used(top + 3, end[-4]) ? 4 : 3;
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
		n = put_four(top, objects + left);
	for (; left && fast_put(c, cpu, top, objects[left - 1]); left--)
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
	WRITE_ONCE(*slot.state, MYALLOC_SLOT_LIVE);
	return slot.addr;
}

static void *alloc_slabs(struct myalloc_cache *c, unsigned int flags, unsigned long caller)
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

static bool wants_zero(const struct myalloc_cache *c, unsigned int flags)
{
	return flags & MYALLOC_ZERO || c->flags & MYALLOC_ZERO_ALLOC;
}

/* Everything that the fast path leaves: a miss, an interrupt, no magazines, zeroing. */
static noinline void *alloc_slow(struct myalloc_cache *c, unsigned int flags,
				 unsigned long caller)
{
	struct myalloc_magazine_cpu *cpu = myalloc_magazines_enter(&c->mags);
	void *object = NULL;

	if (cpu) {
		object = get(c, cpu);
		myalloc_magazines_leave(cpu);
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
 * Return: the object; NULL if the zone has no block for a slab.
 */
void *myalloc_cache_alloc(struct myalloc_cache *cache, unsigned int flags)
{
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_slot *slot;
	void *object;
	u64 guard;

	if (unlikely(flags & MYALLOC_ZERO) ||
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

/* Past the magazines; the caller has seen that the object is LIVE. */
static int free_slabs(struct myalloc_cache *c, void *object, u8 *state, unsigned long caller)
{
	struct myalloc_frame *frame = NULL;
	unsigned long irq;

	WRITE_ONCE(*state, MYALLOC_SLOT_MOVING);
	if (c->flags & MYALLOC_CHECKS)
		myalloc_debug_free(c, object, caller);
	if (unlikely(!myalloc_lock(&c->lock, &irq))) {
		/* These steps: see zone.c, Deferred frees. */
		WRITE_ONCE(*state, MYALLOC_SLOT_DEFERRING);
		atomic64_inc(&c->nr_deferred);
		myalloc_env_point("slab-defer");
		llist_add((struct llist_node *)((char *)object + c->layout.link_offset),
			  &c->deferred);
		myalloc_env_point("slab-deferred");
		smp_store_release(state, MYALLOC_SLOT_DEFERRED); /* pairs with reap() */
		return 0;
	}
	/* Another free of the same object at the same moment was here first. */
	if (unlikely(READ_ONCE(*state) != MYALLOC_SLOT_MOVING)) {
		raw_spin_unlock_irqrestore(&c->lock, irq);
		return myalloc_cache_bad_free(c, object);
	}
	reap(c, REAP_MOST);
	give(c, object, state);
	c->frees++;
	if (!in_nmi())
		frame = slab_remove(c, MYALLOC_EMPTY_KEEP);
	raw_spin_unlock_irqrestore(&c->lock, irq);
	if (frame)
		slab_release(c, frame);
	return 0;
}

/* Everything that the fast path leaves: no room, an interrupt, checks, outside the window. */
static noinline int free_slow(struct myalloc_cache *c, void *object, unsigned long caller)
{
	u8 *state = myalloc_object_state(c, object);
	struct myalloc_magazine_cpu *cpu;

	if (unlikely(!state || READ_ONCE(*state) != MYALLOC_SLOT_LIVE))
		return myalloc_cache_bad_free(c, object);
	if (c->flags & MYALLOC_ZERO_FREE)
		memset(object, 0, c->layout.object_size);
	cpu = myalloc_magazines_enter(&c->mags);
	if (cpu) {
		bool done = put(c, cpu, object, state);

		myalloc_magazines_leave(cpu);
		if (done)
			return 0;
	}
	return free_slabs(c, object, state, caller);
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
	if (unlikely(!fast_put(cache, cpu, top, object))) {
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
				      unsigned int flags, unsigned int nr,
				      void **objects)
{
	unsigned int n = 0, i;

	while (n < nr) {
		struct myalloc_magazine_cpu *cpu = myalloc_magazines_enter(&cache->mags);
		unsigned int end = min(nr, n + BULK_STEP);

		if (unlikely(!cpu))
			break;
		do
			n += get_run(cpu, end - n, objects + n);
		while (n < end && ready(cache, cpu));
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
	/* Used slots of another magazine may be of an older era. */
	while (likely(cpu->era == READ_ONCE(c->mags.era))) {
		n += put_run(c, cpu, most - n, end - most);
		if (n == most || cpu->top != cpu->end || !room(c, cpu))
			break;
	}
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

	*cache = NULL;
	if (!frame || !myalloc_buddy_lookup(&zone->buddy, myalloc_frame_idx(zone, frame), &block))
		return NULL;
	frame = &zone->frames[block.idx];
	if (READ_ONCE(frame->type) == MYALLOC_FRAME_SLAB && frame->cache < MYALLOC_CACHES_MAX)
		*cache = READ_ONCE(zone->cache_by_id[frame->cache]);
	return frame;
}

/**
 * myalloc_free() - free a block of pages or an object, whichever it is
 * @zone: the zone
 * @addr: its address, any value but that of an exact or range allocation
 *
 * Context: any.
 * Return: 0; -EINVAL if nothing that is allocated begins there: reported, counted, and
 * nothing has changed.
 */
int myalloc_free(struct myalloc_zone *zone, void *addr)
{
	struct myalloc_cache *cache;
	struct myalloc_frame *frame = find(zone, addr, &cache);

	if (cache)
		return myalloc_cache_free(cache, addr);
	return myalloc_pages_free(zone, addr, frame ? frame->order : 0);
}

/**
 * myalloc_usable_size() - bytes that may be used at an address
 * @zone: the zone
 * @addr: of a block of pages or an object
 *
 * Context: any.
 * Return: bytes; 0 if nothing that is allocated begins there.
 */
unsigned long myalloc_usable_size(struct myalloc_zone *zone, const void *addr)
{
	struct myalloc_cache *cache;
	struct myalloc_frame *frame = find(zone, addr, &cache);
	const u8 *state;

	if (cache) {
		state = myalloc_object_state(cache, addr);
		return state && READ_ONCE(*state) == MYALLOC_SLOT_LIVE ?
			cache->layout.object_size : 0;
	}
	if (!frame || READ_ONCE(frame->type) != MYALLOC_FRAME_PAGE ||
	    myalloc_frame_addr(zone, myalloc_frame_idx(zone, frame)) != addr)
		return 0;
	return PAGE_SIZE << frame->order;
}

/* --- the whole cache ------------------------------------------------------------ */

/* Lock held. Marks what is deferred. */
static void mark_deferred(struct myalloc_cache *c)
{
	unsigned int list;
	u32 idx, i;

	for (list = 1; list < MYALLOC_SLAB_LISTS; list++) {
		for (idx = c->list[list]; idx != MYALLOC_NO_FRAME; ) {
			struct myalloc_frame *frame = &c->zone->frames[idx];
			u8 *states = myalloc_slab_states(c, frame, myalloc_slab_addr(c, frame));

			idx = frame->next;
			for (i = 0; i < c->layout.objects; i++)
				/* Pairs with free_slabs(). */
				if (smp_load_acquire(&states[i]) == MYALLOC_SLOT_DEFERRED)
					WRITE_ONCE(states[i], MYALLOC_SLOT_RECOVERING);
		}
	}
}

/* Lock held. The deferred objects that a damaged link has cut off, found by their states. */
static void recover_deferred(struct myalloc_cache *c)
{
	unsigned int list;
	u32 idx, next, i;

	mark_deferred(c);
	myalloc_env_point("slab-recover");
	c->deferred_chain = NULL;
	llist_del_all(&c->deferred);
	myalloc_env_point("slab-recovering");
	for (list = 1; list < MYALLOC_SLAB_LISTS; list++) {
		for (idx = c->list[list]; idx != MYALLOC_NO_FRAME; idx = next) {
			struct myalloc_frame *frame = &c->zone->frames[idx];
			void *slab = myalloc_slab_addr(c, frame);
			u8 *states = myalloc_slab_states(c, frame, slab);
			void *object;

			next = frame->next;	/* give() may move the slab */
			for (i = 0; i < c->layout.objects; i++) {
				if (READ_ONCE(states[i]) != MYALLOC_SLOT_RECOVERING)
					continue;
				object = myalloc_slab_object(c, slab, i);
				if (c->flags & MYALLOC_ZERO_FREE)
					memset(object, 0, c->layout.object_size);
				atomic64_dec(&c->nr_deferred);
				c->frees++;
				give(c, object, &states[i]);
			}
		}
	}
}

/* Magazines and deferred frees back to the slabs; cpus_read_lock held. */
static void drain(struct myalloc_cache *c)
{
	unsigned long irq;

	myalloc_magazines_drain(&c->mags, flush, c);
	raw_spin_lock_irqsave(&c->lock, irq);
	while (c->deferred_chain || !llist_empty(&c->deferred)) {
		s64 nr = atomic64_read(&c->nr_deferred);

		reap(c, 64);
		if (unlikely(nr == atomic64_read(&c->nr_deferred)))
			break;	/* one that is DEFERRING, or has a damaged state, is in the way */
		raw_spin_unlock_irqrestore(&c->lock, irq);
		cond_resched();
		raw_spin_lock_irqsave(&c->lock, irq);
	}
	if (unlikely(atomic64_read(&c->nr_deferred)))
		recover_deferred(c);
	raw_spin_unlock_irqrestore(&c->lock, irq);
}

/**
 * myalloc_cache_drain() - magazines and deferred frees back to the slabs
 * @cache: the cache
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: objects that went back.
 */
unsigned long myalloc_cache_drain(struct myalloc_cache *cache)
{
	u64 before = data_race(cache->free_slots), after;	/* a sum of moments */

	myalloc_env_cpus_read_lock();
	drain(cache);
	myalloc_env_cpus_read_unlock();
	after = data_race(cache->free_slots);	/* a sum of moments */
	return after > before ? after - before : 0;
}

/* Drains, and gives empty slabs back to the zone; cpus_read_lock held. */
static unsigned long shrink(struct myalloc_cache *c)
{
	u32 before = myalloc_cache_slabs(c), after;
	struct myalloc_frame *frame;
	unsigned long irq;

	drain(c);
	do {
		raw_spin_lock_irqsave(&c->lock, irq);
		frame = slab_remove(c, 0);
		raw_spin_unlock_irqrestore(&c->lock, irq);
		if (frame)
			slab_release(c, frame);
		cond_resched();
	} while (frame);
	after = myalloc_cache_slabs(c);
	return after < before ? (unsigned long)(before - after) << c->layout.order : 0;
}

/**
 * myalloc_cache_shrink() - drain, and empty slabs back to the zone
 * @cache: the cache
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: pages that went back.
 */
unsigned long myalloc_cache_shrink(struct myalloc_cache *cache)
{
	unsigned long pages;

	myalloc_env_cpus_read_lock();
	pages = shrink(cache);
	myalloc_env_cpus_read_unlock();
	return pages;
}

/* Shrinks every cache of a zone; cpus_read_lock held. Context: task, may sleep. */
void myalloc_zone_drain_caches(struct myalloc_zone *zone)
{
	struct myalloc_cache *cache;

	mutex_lock(&zone->caches_mutex);
	list_for_each_entry(cache, &zone->caches, link)
		shrink(cache);
	mutex_unlock(&zone->caches_mutex);
}

/* Magazines of a CPU that is gone back to the slabs. Context: task. */
void myalloc_cache_drain_cpu(struct myalloc_cache *cache, int cpu)
{
	myalloc_magazines_drain_cpu(&cache->mags, cpu, flush, cache);
}
