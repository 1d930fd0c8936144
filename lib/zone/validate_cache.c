// SPDX-License-Identifier: GPL-2.0
/*
 * Validation of a cache: the state bytes and out bits of each slot, the lists of its slabs, and its
 * counts. See validate.c.
 *
 * Locking: cache->lock for one slab, or SLABS_MOST links of a list, at a time. A walk over the
 * lists begins anew if a slab has changed lists; after RETRIES times the lists are not compared.
 */
#include "env.h"
#include "object/check.h"
#include "zone/validate_cache.h"

#define RETRIES	3

/* Most slabs of a list that are looked at under one hold of the cache's lock */
#define SLABS_MOST	256

struct cache_walk {
	u64 slabs;
	u64 free;
	u64 live;
	u64 cached;
	u64 deferred;
	u64 deferring;
	u64 moving;
	u64 limbo;
	u32 listed[MYALLOC_SLAB_LISTS];
};

/* Lock held. S2, S6, S7 for one slab. */
static void check_slab(struct myalloc_cache *c, struct myalloc_frame *frame,
		       struct cache_walk *w, struct myalloc_validation *v)
{
	u32 idx = myalloc_frame_idx(c->zone, frame), i, inuse = 0, lowest = c->layout.objects;
	void *slab = myalloc_frame_addr(c->zone, idx);
	const u8 *states = myalloc_slab_states(c, frame, slab);
	const u64 *bits = myalloc_slab_out(c, frame, slab);
	char text[64];

	for (i = 0; i < c->layout.objects; i++) {
		u8 state = READ_ONCE(states[i]);
		bool out = myalloc_out_test(bits, i), taken = state != MYALLOC_SLOT_FREE;

		inuse += out;
		if (!out)
			lowest = min(lowest, i);
		switch (state) {
		case MYALLOC_SLOT_FREE:
			break;
		case MYALLOC_SLOT_CACHED:
			w->cached++;
			break;
		case MYALLOC_SLOT_LIVE:
			w->live++;
			break;
		case MYALLOC_SLOT_DEFERRING:
			w->deferring++;
			fallthrough;
		case MYALLOC_SLOT_DEFERRED:
		case MYALLOC_SLOT_RECOVERING:
			w->deferred++;
			break;
		case MYALLOC_SLOT_MOVING:
			w->moving++;
			break;
		default:
			myalloc_finding(v, "S5: cache %s, frame %u, slot %u: state %u", c->name,
					idx, i, state);
		}
		if (out != taken)
			myalloc_finding(v,
					"S7: cache %s, frame %u, slot %u: state %u, its out bit is %s",
					c->name, idx, i, state, out ? "set" : "clear");
		if ((state == MYALLOC_SLOT_FREE || state == MYALLOC_SLOT_LIVE) &&
		    /* The user of a live object may write to it. */
		    !data_race(myalloc_debug_check(c, slab, i, state == MYALLOC_SLOT_LIVE, text,
						   sizeof(text))) && READ_ONCE(states[i]) == state)
			myalloc_finding(v, "S6: cache %s, frame %u, slot %u: %s", c->name, idx, i,
					text);
		v->objects++;
	}
	for (; i < DIV_ROUND_UP(c->layout.objects, 64) * 64; i++)
		inuse += myalloc_out_test(bits, i);
	if (inuse != frame->inuse)
		myalloc_finding(v, "S2: cache %s, frame %u: %u slots in use, counted %u", c->name,
				idx, inuse, frame->inuse);
	if (lowest < frame->hint)
		myalloc_finding(v, "S2: cache %s, frame %u: slot %u is free, below the hint %u",
				c->name, idx, lowest, frame->hint);
	w->free += c->layout.objects - inuse;
	w->slabs++;
	v->slabs++;
}

/**
 * struct list_walk - a walk over the lists of slabs of a cache, with the lock dropped in between
 * @list: the list
 * @idx: its next slab
 * @prev: the one before
 * @nr: slabs of it so far
 * @generation: of the cache, when the lock was dropped
 */
struct list_walk {
	unsigned int list;
	u32 idx;
	u32 prev;
	u32 nr;
	u64 generation;
};

/* Lock held. S1: is this slab in the right list, and behind the right one? False if it is none. */
static bool check_listed(const struct myalloc_cache *c, const struct list_walk *at,
			 struct myalloc_validation *v)
{
	const struct myalloc_frame *frame = &c->zone->frames[at->idx];
	u32 inuse, objects = c->layout.objects;
	bool fits;

	if (at->idx >= c->zone->buddy.nr_frames || frame->tag != c->tag)
		return myalloc_finding(v,
				       "S1: cache %s: list %u holds frame %u, which is no slab of it",
				       c->name, at->list, at->idx);
	inuse = frame->inuse;
	if (at->list == MYALLOC_SLABS_EMPTY)
		fits = !inuse;
	else if (at->list == MYALLOC_SLABS_FULL)
		fits = inuse == objects;
	else
		fits = inuse && inuse < objects &&
		       inuse * MYALLOC_SLAB_PARTIAL / objects == at->list - 1;
	if (!fits || frame->prev != at->prev)
		myalloc_finding(v,
				"S1: cache %s: frame %u with %u of %u in use is wrong in list %u",
				c->name, at->idx, inuse, objects, at->list);
	return true;
}

/* Lock held. S1 for some slabs. Returns false at the end of the last list. */
static bool check_list_part(const struct myalloc_cache *c, struct list_walk *at,
			    struct cache_walk *w, struct myalloc_validation *v)
{
	u32 most = SLABS_MOST;

	for (; most && at->idx != MYALLOC_NO_FRAME && at->nr <= c->nr[at->list]; most--) {
		myalloc_env_point("validate-step");
		if (!check_listed(c, at, v))
			return false;
		at->prev = at->idx;
		at->idx = c->zone->frames[at->idx].next;
		at->nr++;
	}
	if (!most)
		return true;
	w->listed[at->list] = at->nr;
	if (at->nr != c->nr[at->list])
		myalloc_finding(v, "S1: cache %s: list %u counts %u slabs", c->name, at->list,
				c->nr[at->list]);
	if (++at->list == MYALLOC_SLAB_LISTS)
		return false;
	at->idx = c->list[at->list];
	at->prev = MYALLOC_NO_FRAME;
	at->nr = 0;
	return true;
}

/* S1: each list holds nr[] slabs that belong there, and its links agree. */
static void check_lists(struct myalloc_cache *c, struct cache_walk *w,
			struct myalloc_validation *v)
{
	u32 disturbed = 0;
	unsigned long irq;
	bool more = true;

	while (more && disturbed < RETRIES) {
		struct list_walk at = { .idx = MYALLOC_NO_FRAME, .prev = MYALLOC_NO_FRAME };

		raw_spin_lock_irqsave(&c->lock, irq);
		at.generation = c->generation;
		at.idx = c->list[0];
		do {
			more = check_list_part(c, &at, w, v);
			raw_spin_unlock_irqrestore(&c->lock, irq);
			cond_resched();
			raw_spin_lock_irqsave(&c->lock, irq);
		} while (more && at.generation == c->generation);
		raw_spin_unlock_irqrestore(&c->lock, irq);
		disturbed += more;
	}
}

static u64 cache_generation(struct myalloc_cache *c)
{
	/* The parts may be read at different times. */
	return myalloc_magazines_moves(&c->mags) + data_race(c->generation);
}

/* S2, S5 to S7 for each slab of the cache; counts them and those in limbo. */
static void check_slabs(struct myalloc_cache *c, struct cache_walk *w, struct myalloc_validation *v)
{
	struct myalloc_zone *zone = c->zone;
	unsigned long irq;
	u32 idx, tag;

	for (idx = 0; idx < zone->buddy.nr_frames; idx++) {
		if (!(idx % 1024))
			cond_resched();
		tag = data_race(zone->frames[idx].tag);	/* or state bytes */
		if (tag != c->tag && tag != c->limbo_tag)
			continue;
		raw_spin_lock_irqsave(&c->lock, irq);
		if (zone->frames[idx].tag == c->tag)
			check_slab(c, &zone->frames[idx], w, v);
		else	/* or it has left since, and generation has grown */
			w->limbo++;
		raw_spin_unlock_irqrestore(&c->lock, irq);
	}
}

/* Lock held. R2, S1, S3, S8: the counts of slabs and slots, if nothing has changed meanwhile. */
static void check_cache_counts(const struct myalloc_cache *c, const struct cache_walk *w,
			       struct myalloc_validation *v)
{
	unsigned int list;
	u64 listed = 0;

	for (list = 0; list < MYALLOC_SLAB_LISTS; list++)
		listed += w->listed[list];
	if (listed != w->slabs)
		myalloc_finding(v, "S1: cache %s has %llu slabs, its lists %llu", c->name,
				(unsigned long long)w->slabs, (unsigned long long)listed);
	if (listed < c->set_aside)
		myalloc_finding(v, "S8: cache %s has %llu slabs, %u are set aside", c->name,
				(unsigned long long)listed, c->set_aside);
	if (w->limbo != c->nr_limbo)
		myalloc_finding(v, "R2: cache %s has %llu slabs in limbo, counted %u", c->name,
				(unsigned long long)w->limbo, c->nr_limbo);
	if (w->free != c->free_slots)
		myalloc_finding(v, "S3: cache %s: %llu slots free, counted %llu", c->name,
				(unsigned long long)w->free, (unsigned long long)c->free_slots);
}

/**
 * myalloc_cache_validate() - check every invariant of a cache
 * @cache: the cache
 * @v: in and out: findings are added
 *
 * Context: task, may sleep.
 * Return: true if all invariants hold.
 */
bool myalloc_cache_validate(struct myalloc_cache *cache, struct myalloc_validation *v)
{
	struct cache_walk w = { 0 };
	bool idle = myalloc_magazines_idle(&cache->mags), still;
	s64 deferred = atomic64_read(&cache->deferred.nr);
	u64 before = v->errors, generation = cache_generation(cache), out, held;
	unsigned long irq;

	check_slabs(cache, &w, v);
	check_lists(cache, &w, v);
	raw_spin_lock_irqsave(&cache->lock, irq);
	out = w.slabs * cache->layout.objects - w.free;
	held = myalloc_magazines_count(&cache->mags);
	if (cache->level == MYALLOC_TRUSTING && w.cached > held) {	/* includes live objects */
		w.live += w.cached - held;
		w.cached = held;
	}
	idle &= myalloc_magazines_idle(&cache->mags);
	still = !w.deferring && deferred == atomic64_read(&cache->deferred.nr);
	if (generation == cache_generation(cache)) {
		check_cache_counts(cache, &w, v);
		if ((idle && w.cached != held) ||
		    w.live + w.cached + w.deferred + w.moving != out ||
		    (still && w.deferred != (u64)deferred))
			myalloc_finding(v,
					"S4: cache %s: %llu live, %llu cached, %llu deferred of %llu out; magazines hold %llu",
					cache->name, (unsigned long long)w.live,
					(unsigned long long)w.cached,
					(unsigned long long)w.deferred, (unsigned long long)out,
					(unsigned long long)held);
	}
	raw_spin_unlock_irqrestore(&cache->lock, irq);
	return v->errors == before;
}
