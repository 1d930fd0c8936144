// SPDX-License-Identifier: GPL-2.0
/*
 * Checks of objects
 *
 * What it is: the checking levels of a cache, with the letters and patterns of SLUB
 * (Documentation/mm/slab.rst), and the texts of all reports about objects.
 *
 *	F  sanity	the states of a slab are counted at every alloc and free
 *	Z  red zone	the bytes before and after an object hold a pattern, which is checked when
 *			the object is freed, allocated or validated
 *	P  poison	a free object holds a pattern, which is checked when it is allocated or
 *			validated
 *	U  owner	callers of the last alloc and free, with their call stacks
 *
 * A slot with all of them (the owners' records lie at the end of the slab):
 *
 *	[ bb bb .. | object: 6b 6b 6b .. a5 | bb bb .. | link | padding ]	free
 *	[ cc cc .. | object: the user's     | cc cc .. | link | padding ]	live
 *
 * Damage is reported together with the last owner of the object, counted, and repaired, so that it
 * is reported only once.
 *
 * Limits: a write that skips the red zones (8 bytes behind the object, the alignment before it)
 * goes undetected, as does a write after free that the next user has overwritten. Reads are
 * detected only by KASAN (page/shadow.h).
 */
#include "env.h"
#include "object/check.h"
#include "page/zone_report.h"

/**
 * myalloc_track() - find an owner's record
 * @cache: the cache
 * @slab: address of the slab
 * @index: number of the slot
 * @which: MYALLOC_TRACK_ALLOC or MYALLOC_TRACK_FREE
 *
 * Context: any.
 * Return: the record; NULL if the cache has none.
 */
struct myalloc_track *myalloc_track(const struct myalloc_cache *cache, void *slab,
				    u32 index, unsigned int which)
{
	struct myalloc_track *tracks = slab + cache->layout.track_offset;

	return cache->layout.track_offset ?
		&tracks[index * MYALLOC_NR_TRACKS + which] : NULL;
}

/* The report of a second free may read the record while the first free writes it. */
static void set_track(struct myalloc_track *track, unsigned long caller)
{
	if (!track)
		return;
	WRITE_ONCE(track->caller, caller);
	WRITE_ONCE(track->when, myalloc_env_now_ns());
	WRITE_ONCE(track->stack, myalloc_env_stack_save(caller));
	WRITE_ONCE(track->pid, myalloc_env_pid());
}

/* Add "allocated by f+0x1/0x2 pid 7, freed by ..." to a report, as far as known. */
static void describe(const struct myalloc_cache *c, void *slab, u32 index,
		     struct myalloc_report *report)
{
	static const char * const verb[] = { "allocated", "freed" };
	unsigned int which;

	for (which = 0; which < MYALLOC_NR_TRACKS; which++) {
		const struct myalloc_track *track = myalloc_track(c, slab, index, which);
		unsigned long caller = track ? READ_ONCE(track->caller) : 0;

		if (!caller)
			continue;
		myalloc_report_add(report, ", %s by ", verb[which]);
		myalloc_report_symbol(report, caller);
		myalloc_report_add(report, " pid %u", READ_ONCE(track->pid));
	}
}

static void corrupt(struct myalloc_cache *c, void *slab, u32 index, const char *text)
{
	struct myalloc_report *report;
	unsigned long irq;

	atomic64_inc(&c->corruptions);
	atomic64_inc(&c->zone->corruptions);
	report = myalloc_report_begin(&c->zone->reports, &irq);
	if (!report)
		return;
	myalloc_report_add(report, "cache %s, frame %u, slot %u: %s", c->name,
			   myalloc_slab_frame(c, slab), index, text);
	describe(c, slab, index, report);
	myalloc_report_end(&c->zone->reports, report, irq);
}

static void set_redzones(const struct myalloc_cache *c, void *slab, u32 index, u8 pattern)
{
	const struct myalloc_slab_layout *l = &c->layout;
	u8 *object = myalloc_slab_object(c, slab, index);

	myalloc_env_raw_memset(object - l->object_offset, pattern, l->object_offset);
	myalloc_env_raw_memset(object + l->object_size, pattern, l->redzone_end - l->object_size);
}

static void set_poison(const struct myalloc_cache *c, void *slab, u32 index)
{
	u8 *object = myalloc_slab_object(c, slab, index);

	memset(object, MYALLOC_POISON_FREE, c->layout.object_size - 1);
	object[c->layout.object_size - 1] = MYALLOC_POISON_END;
}

/**
 * myalloc_debug_init_slot() - prepare a slot of a new slab
 * @cache: the cache
 * @slab: address of the slab
 * @index: number of the slot
 *
 * Context: any; the caller owns the slab.
 */
void myalloc_debug_init_slot(struct myalloc_cache *cache, void *slab, u32 index)
{
	unsigned int which;

	if (cache->flags & MYALLOC_REDZONE)
		set_redzones(cache, slab, index, MYALLOC_RED_INACTIVE);
	if (cache->flags & MYALLOC_POISON)
		set_poison(cache, slab, index);
	if (cache->flags & MYALLOC_OWNER)
		for (which = 0; which < MYALLOC_NR_TRACKS; which++)
			memset(myalloc_track(cache, slab, index, which), 0,
			       sizeof(struct myalloc_track));
}

static bool check_bytes(const u8 *from, size_t nr, u8 pattern, const u8 *object,
			const char *what, char *text, size_t size)
{
	const u8 *bad = nr ? myalloc_env_raw_memchr_inv(from, pattern, nr) : NULL;

	if (likely(!bad))
		return true;
	scnprintf(text, size, "%s: byte %ld is 0x%02x, not 0x%02x", what,
		  (long)(bad - object), myalloc_env_raw_byte(bad), pattern);
	return false;
}

/**
 * myalloc_debug_check() - check the red zones and the poison of a slot
 * @cache: the cache
 * @slab: address of the slab
 * @index: number of the slot
 * @live: the slot is in use; otherwise it is FREE
 * @text: out: description of the damage
 * @size: bytes of @text
 *
 * Context: any.
 * Return: true if they are intact, or the cache has neither.
 */
bool myalloc_debug_check(struct myalloc_cache *cache, void *slab, u32 index, bool live,
			 char *text, size_t size)
{
	const struct myalloc_slab_layout *l = &cache->layout;
	u8 red = live ? MYALLOC_RED_ACTIVE : MYALLOC_RED_INACTIVE;
	const u8 *object = myalloc_slab_object(cache, slab, index);

	if (cache->flags & MYALLOC_REDZONE &&
	    (!check_bytes(object - l->object_offset, l->object_offset, red, object,
			  "left red zone overwritten", text, size) ||
	     !check_bytes(object + l->object_size, l->redzone_end - l->object_size, red, object,
			  "right red zone overwritten", text, size)))
		return false;
	if (!live && cache->flags & MYALLOC_POISON &&
	    (!check_bytes(object, l->object_size - 1, MYALLOC_POISON_FREE, object,
			  "written after free", text, size) ||
	     !check_bytes(object + l->object_size - 1, 1, MYALLOC_POISON_END, object,
			  "written after free", text, size)))
		return false;
	return true;
}

/**
 * myalloc_debug_alloc() - check and mark an object before it is handed to a user
 * @cache: the cache
 * @object: the object, whose slot the caller has made MOVING
 * @caller: address of the allocating code
 *
 * Context: any.
 */
void myalloc_debug_alloc(struct myalloc_cache *cache, void *object, unsigned long caller)
{
	char text[64];
	void *slab;
	u32 index = myalloc_slab_locate(cache, object, &slab);

	if (unlikely(!myalloc_debug_check(cache, slab, index, false, text, sizeof(text))))
		corrupt(cache, slab, index, text);
	if (cache->flags & MYALLOC_REDZONE)
		set_redzones(cache, slab, index, MYALLOC_RED_ACTIVE);
	set_track(myalloc_track(cache, slab, index, MYALLOC_TRACK_ALLOC), caller);
}

/**
 * myalloc_debug_free() - check and mark an object that was freed
 * @cache: the cache
 * @object: the object, whose slot the caller has made MOVING
 * @caller: address of the freeing code
 *
 * Context: any.
 */
void myalloc_debug_free(struct myalloc_cache *cache, void *object, unsigned long caller)
{
	char text[64];
	void *slab;
	u32 index = myalloc_slab_locate(cache, object, &slab);

	if (unlikely(!myalloc_debug_check(cache, slab, index, true, text, sizeof(text))))
		corrupt(cache, slab, index, text);
	if (cache->flags & MYALLOC_REDZONE)
		set_redzones(cache, slab, index, MYALLOC_RED_INACTIVE);
	if (cache->flags & MYALLOC_POISON)
		set_poison(cache, slab, index);
	set_track(myalloc_track(cache, slab, index, MYALLOC_TRACK_FREE), caller);
}

/**
 * myalloc_debug_slab() - compare the states of a slab with its count
 * @cache: the cache; its lock is held
 * @frame: first frame of the slab
 * @slab: its address
 *
 * A difference is counted and reported.
 *
 * Context: any.
 */
void myalloc_debug_slab(struct myalloc_cache *cache, struct myalloc_frame *frame, void *slab)
{
	const u8 *states = myalloc_slab_states(cache, frame, slab);
	u32 i, inuse = 0, objects = cache->layout.objects;

	lockdep_assert_held(&cache->lock);
	for (i = 0; i < objects; i++)
		inuse += READ_ONCE(states[i]) != MYALLOC_SLOT_FREE;
	if (likely(inuse == frame->inuse))
		return;
	atomic64_inc(&cache->corruptions);
	myalloc_zone_crit(cache->zone, "cache %s: slab at frame %u counts %u slots in use, %u are",
			  cache->name, myalloc_frame_idx(cache->zone, frame),
			  frame->inuse, inuse);
}

/* Count and report a wrong free of @object, which lies in a slab of @of that begins at @frame. */
static int bad_object_free(struct myalloc_cache *cache, const struct myalloc_cache *of,
			   const void *object, u32 frame, const char *what, unsigned long caller)
{
	struct myalloc_zone *zone = cache->zone;
	struct myalloc_report *report;
	enum myalloc_bad bad;
	unsigned long irq;
	void *slab;
	u32 index = myalloc_slab_locate(of, object, &slab);

	if (of != cache)
		bad = MYALLOC_BAD_CACHE;
	else if (index == U32_MAX)
		bad = MYALLOC_BAD_MISALIGNED;
	else if (myalloc_slab_object(of, slab, index) != object)
		bad = MYALLOC_BAD_INTERIOR;
	else
		bad = MYALLOC_BAD_FREE;
	atomic64_inc(&zone->bad[bad]);
	myalloc_env_trace(bad_free, .zone = zone->name, .ptr = object, .call_site = caller,
			  .bad = myalloc_bad_name(bad), .as = what, .node = zone->node);
	report = myalloc_report_begin(&zone->reports, &irq);
	if (!report)
		return -EINVAL;
	myalloc_report_add(report, "bad free as %s: %s; cache %s, frame %u, slot %d", what,
			   myalloc_bad_name(bad), of->name, frame, (int)index);
	if (index != U32_MAX)
		describe(of, slab, index, report);
	myalloc_report_freed(report, object, caller);
	if (!(of->flags & MYALLOC_OWNER))
		myalloc_report_add(report, "; check U records its owners");
	myalloc_report_end(&zone->reports, report, irq);
	return -EINVAL;
}

/**
 * myalloc_cache_bad_free() - count and report a wrong free of an object
 * @cache: the cache that it was freed to
 * @object: the address
 * @caller: code address of the user that frees it
 *
 * Context: any.
 * Return: -EINVAL.
 */
int myalloc_cache_bad_free(struct myalloc_cache *cache, const void *object, unsigned long caller)
{
	struct myalloc_zone *zone = cache->zone;
	struct myalloc_lookup at;
	enum myalloc_bad bad;
	char what[48];
	int err;

	atomic64_inc(&cache->bad_frees);
	scnprintf(what, sizeof(what), "object of %s", cache->name);
	preempt_disable();	/* keeps the cache from being freed */
	if (!myalloc_lookup(zone, object, &at))
		bad = MYALLOC_BAD_FOREIGN;
	else if (myalloc_frame_is_users(at.first.type) ||
		 at.first.type == MYALLOC_FRAME_CONTRACT)
		bad = MYALLOC_BAD_KIND;
	else
		bad = MYALLOC_BAD_FREE;
	myalloc_env_point("bad-free-cache");
	if (at.cache)
		err = bad_object_free(cache, at.cache, object, myalloc_frame_idx(zone, at.frame),
				      what, caller);
	else
		err = myalloc_zone_bad_free(zone, object, bad, what, caller);
	preempt_enable();
	return err;
}
