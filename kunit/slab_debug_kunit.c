// SPDX-License-Identifier: GPL-2.0
/* Tests of the checks of objects: red zones, poison, owners, sanity. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "object/check.h"

static struct fixture *small_zone(struct kunit *test, myalloc_cache_flags_t checks)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 4, .stride = 2, .checks = checks,
		.no_magazines = true,
	};

	return fixture_zone(test, &args);
}

static noinline __noclone void *alloc_here(struct myalloc_cache *cache)
{
	void *object = myalloc_cache_alloc(cache, 0);

	barrier();
	return object;
}

static noinline __noclone int free_here(struct myalloc_cache *cache, void *object)
{
	int err = myalloc_cache_free(cache, object);

	barrier();
	return err;
}

static void *slab_of(const struct myalloc_cache *cache, const void *object)
{
	u32 idx = myalloc_frame_idx(cache->zone, myalloc_map_frame(&cache->map, object));

	return myalloc_frame_addr(cache->zone, idx & ~cache->frame_mask);
}

static u32 slot_of(const struct myalloc_cache *cache, const void *object)
{
	return (object - slab_of(cache, object)) / cache->layout.slot_size;
}

static u32 frame_of(const struct myalloc_cache *cache, const void *object)
{
	return myalloc_frame_idx(cache->zone, myalloc_map_frame(&cache->map, object)) &
	       ~cache->frame_mask;
}

/* Expect that one damage was found and reported with this text and its location. */
static void expect_damage(struct fixture *fx, struct myalloc_cache *cache, const void *object,
			  const char *what, const char *owner)
{
	s64 found = atomic64_read(&cache->corruptions);
	struct kunit *test = fx->test;

	scnprintf(fx->expected, sizeof(fx->expected), "cache %s, frame %u, slot %u: %s%s",
		  cache->name, frame_of(cache, object), slot_of(cache, object), what, owner);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), fx->expected);
	KUNIT_EXPECT_EQ(test, fixture_log_count(fx->expected), 1);
	KUNIT_EXPECT_EQ(test, found, 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, fx->noted.corruptions + found);
	atomic64_set(&cache->corruptions, 0);
	fixture_note(fx);
}

/* Validation cites the invariant, and finds nothing after the byte is restored. */
static void expect_invalid(struct fixture *fx, struct myalloc_cache *cache, const void *object,
			   u8 *byte, u8 right, const char *what)
{
	struct kunit *test = fx->test;
	u8 wrong = *byte;

	scnprintf(fx->expected, sizeof(fx->expected), "S6: cache %s, frame %u, slot %u: %s",
		  cache->name, frame_of(cache, object), slot_of(cache, object), what);
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_EQ(test, fx->v.errors, 1);
	KUNIT_EXPECT_STREQ(test, fx->v.first, fx->expected);
	*byte = right;
	FIXTURE_EXPECT_VALID(fx);
	*byte = wrong;
}

/* --- red zones ---------------------------------------------------------------- */

/* One byte beside an object, and the last byte of the zone: to the left or to the right. */
static void check_redzone(struct fixture *fx, unsigned int size, unsigned int align, bool left)
{
	const struct myalloc_cache_args args = {
		.name = "red", .object_size = size, .align = align, .flags = MYALLOC_REDZONE,
	};
	struct myalloc_cache *cache = myalloc_cache_create(fx->zone, &args);
	struct kunit *test = fx->test;
	const struct myalloc_slab_layout *l;
	u8 *o, *again;
	char what[64];
	long at[2];
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	l = &cache->layout;
	at[0] = left ? -1 : (long)l->object_size;
	at[1] = left ? -(long)l->object_offset : (long)l->redzone_end - 1;
	fixture_note(fx);
	for (i = 0; i < 2; i++) {
		scnprintf(what, sizeof(what), "%s red zone overwritten: byte %ld is 0x41, not 0xcc",
			  left ? "left" : "right", at[i]);
		/* Written by the user; found by validation and when the object is freed. */
		o = alloc_here(cache);
		*(u8 *)fixture_touch(&o[at[i]], 1) = 0x41;
		expect_invalid(fx, cache, o, &o[at[i]], MYALLOC_RED_ACTIVE, what);
		KUNIT_EXPECT_EQ(test, free_here(cache, o), 0);
		expect_damage(fx, cache, o, what, "");

		/* Written while the object is free; found by validation and by its allocation. */
		FIXTURE_EXPECT_VALID(fx);
		scnprintf(what, sizeof(what), "%s red zone overwritten: byte %ld is 0x41, not 0xbb",
			  left ? "left" : "right", at[i]);
		*(u8 *)fixture_touch(&o[at[i]], 1) = 0x41;
		expect_invalid(fx, cache, o, &o[at[i]], MYALLOC_RED_INACTIVE, what);
		again = alloc_here(cache);
		KUNIT_EXPECT_PTR_EQ(test, again, o);
		expect_damage(fx, cache, o, what, "");

		/* The damage is repaired. */
		FIXTURE_EXPECT_VALID(fx);
		KUNIT_EXPECT_EQ(test, free_here(cache, again), 0);
		KUNIT_EXPECT_EQ(test, atomic64_read(&cache->corruptions), 0);
	}
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
}

static void debug_redzone(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 4, 7, 8, 9, 60, 64, 100, 1000, 5000 };
	static const unsigned int aligns[] = { 0, 16, 64 };
	struct fixture *fx = small_zone(test, 0);
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (k = 0; k < ARRAY_SIZE(aligns); k++) {
			if (!fixture_thorough() && (i + k) % 3)
				continue;
			check_redzone(fx, sizes[i], aligns[k], false);
			check_redzone(fx, sizes[i], aligns[k], true);
		}
}

/* Every byte of the object may be written, and every byte of the red zones is checked. */
static void debug_redzone_all_bytes(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0);
	struct myalloc_cache *cache = fixture_cache(fx, "red", 20, MYALLOC_REDZONE);
	const struct myalloc_slab_layout *l = &cache->layout;
	u8 *o = alloc_here(cache);
	long at;

	fixture_touch(o - l->object_offset, l->slot_size);
	for (at = -(long)l->object_offset; at < (long)l->redzone_end; at++) {
		bool inside = at >= 0 && at < 20;
		u8 was = o[at];

		o[at] ^= 0x01;
		KUNIT_EXPECT_EQ_MSG(test, fixture_valid(fx), inside, "byte %ld", at);
		o[at] = was;
	}
	KUNIT_EXPECT_EQ(test, free_here(cache, o), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
}

/* The documented limit: a write that skips the red zone goes undetected. */
static void debug_redzone_limit(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0);
	struct myalloc_cache *cache = fixture_cache(fx, "red", 64, MYALLOC_REDZONE);
	u8 *one = alloc_here(cache), *two = alloc_here(cache);

	KUNIT_EXPECT_PTR_EQ(test, two, one + cache->layout.slot_size);
	/* Into the next object. */
	one[cache->layout.slot_size] = 0x41;
	KUNIT_EXPECT_EQ(test, two[0], 0x41);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, free_here(cache, one), 0);
	KUNIT_EXPECT_EQ(test, free_here(cache, two), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
}

/* --- poison --------------------------------------------------------------------- */

/* A write after free to any byte is found by validation and by the next allocation. */
static void debug_poison(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 2, 8, 100, 1000 };
	struct fixture *fx = small_zone(test, 0);
	unsigned int i, at, step;
	char what[64];
	u8 *o;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct myalloc_cache *cache = fixture_cache(fx, "poison", sizes[i],
							    MYALLOC_POISON);

		fixture_note(fx);
		step = max(1u, sizes[i] / (fixture_thorough() ? 50 : 5));
		for (at = 0; at < sizes[i]; at = at + step < sizes[i] || at == sizes[i] - 1 ?
						 at + step : sizes[i] - 1) {
			u8 right = at == sizes[i] - 1 ? MYALLOC_POISON_END : MYALLOC_POISON_FREE;

			o = alloc_here(cache);
			memset(o, 0, sizes[i]);
			KUNIT_EXPECT_EQ(test, free_here(cache, o), 0);
			FIXTURE_EXPECT_VALID(fx);
			*(u8 *)fixture_touch(&o[at], 1) = 0x41;
			scnprintf(what, sizeof(what),
				  "written after free: byte %u is 0x41, not 0x%02x", at, right);
			expect_invalid(fx, cache, o, &o[at], right, what);
			KUNIT_EXPECT_PTR_EQ(test, alloc_here(cache), o);
			expect_damage(fx, cache, o, what, "");
			KUNIT_EXPECT_EQ(test, free_here(cache, o), 0);
		}
		FIXTURE_EXPECT_VALID(fx);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
}

/* A write by the previous user of the slab's pages is not a write after free. */
static void debug_poison_new_slab(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0);
	struct myalloc_cache *cache;
	u32 i;

	for (i = 0; i < 4; i++)
		memset(fixture_touch(fx->chunks[i], PAGE_SIZE << 4), 0x41, PAGE_SIZE << 4);
	cache = fixture_cache(fx, "poison", 100, MYALLOC_CHECKS);
	KUNIT_EXPECT_EQ(test, free_here(cache, alloc_here(cache)), 0);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
}

/* The drawing in check.c, byte by byte, for a free and a live object. */
static void debug_picture(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0);
	struct myalloc_cache *cache = fixture_cache(fx, "all", 20, MYALLOC_CHECKS);
	const struct myalloc_slab_layout *l = &cache->layout;
	u8 *o = alloc_here(cache);

	KUNIT_EXPECT_EQ(test, l->object_offset, 8);
	KUNIT_EXPECT_EQ(test, l->redzone_end, 32);
	KUNIT_EXPECT_EQ(test, l->link_offset, 32);
	KUNIT_EXPECT_EQ(test, l->slot_size, 48);
	fixture_touch(o - 8, 48);
	KUNIT_EXPECT_NULL(test, memchr_inv(o - 8, 0xcc, 8));
	KUNIT_EXPECT_NULL(test, memchr_inv(o, 0x6b, 19));
	KUNIT_EXPECT_EQ(test, o[19], 0xa5);
	KUNIT_EXPECT_NULL(test, memchr_inv(o + 20, 0xcc, 12));
	memset(o, 0, 20);
	KUNIT_EXPECT_EQ(test, free_here(cache, o), 0);
	fixture_touch(o - 8, 48);
	KUNIT_EXPECT_NULL(test, memchr_inv(o - 8, 0xbb, 8));
	KUNIT_EXPECT_NULL(test, memchr_inv(o, 0x6b, 19));
	KUNIT_EXPECT_EQ(test, o[19], 0xa5);
	KUNIT_EXPECT_NULL(test, memchr_inv(o + 20, 0xbb, 12));
}

/* --- owners ---------------------------------------------------------------------- */

/* The text ", allocated by ... pid ..., freed by ... pid ..." of reports. */
static const char *owners(const struct myalloc_cache *cache, const void *object, char *buf,
			  size_t size)
{
	const struct myalloc_track *track = myalloc_track(cache, slab_of(cache, object),
							  slot_of(cache, object),
							  MYALLOC_TRACK_ALLOC);
	char symbol[48], other[48];

	fixture_symbol(track[0].caller, symbol, sizeof(symbol));
	fixture_symbol(track[1].caller, other, sizeof(other));
	scnprintf(buf, size, ", allocated by %s pid %u, freed by %s pid %u", symbol, track[0].pid,
		  other, track[1].pid);
	return buf;
}

/* The callers of alloc and free are recorded with the time, and reported. */
static void debug_owner(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0);
	struct myalloc_cache *cache = fixture_cache(fx, "owner", 100,
						    MYALLOC_OWNER | MYALLOC_POISON);
	u64 before = myalloc_env_now_ns();
	u8 *o = alloc_here(cache);
	void *slab = slab_of(cache, o);
	struct myalloc_track *alloc = myalloc_track(cache, slab, 0, MYALLOC_TRACK_ALLOC);
	struct myalloc_track *free = myalloc_track(cache, slab, 0, MYALLOC_TRACK_FREE);
	char text[256];

	KUNIT_EXPECT_EQ(test, slot_of(cache, o), 0);
	KUNIT_EXPECT_PTR_EQ(test, free, alloc + 1);
	KUNIT_EXPECT_TRUE(test, fixture_called_by(alloc->caller, alloc_here));
	KUNIT_EXPECT_EQ(test, alloc->pid, myalloc_env_pid());
	KUNIT_EXPECT_GE(test, alloc->when, before);
	KUNIT_EXPECT_LE(test, alloc->when, myalloc_env_now_ns());
	KUNIT_EXPECT_EQ(test, free->caller, 0);
	KUNIT_EXPECT_EQ(test, free_here(cache, o), 0);
	KUNIT_EXPECT_TRUE(test, fixture_called_by(free->caller, free_here));
	KUNIT_EXPECT_GE(test, free->when, alloc->when);
	KUNIT_EXPECT_TRUE(test, fixture_called_by(alloc->caller, alloc_here));

	fixture_note(fx);
	FIXTURE_EXPECT_REFUSED(fx, free_here(cache, o), MYALLOC_BAD_FREE,
			       "bad free as object of owner: already free (double free); cache owner, frame %u, slot 0%s",
			       frame_of(cache, o), owners(cache, o, text, sizeof(text)));
	*(u8 *)fixture_touch(&o[50], 1) = 0;
	fixture_note(fx);
	owners(cache, o, text, sizeof(text));
	KUNIT_EXPECT_PTR_EQ(test, alloc_here(cache), o);
	expect_damage(fx, cache, o, "written after free: byte 50 is 0x00, not 0x6b", text);
	KUNIT_EXPECT_EQ(test, free_here(cache, o), 0);
}

/* If no stack could be saved, the owner is reported without one. */
static void debug_owner_no_stack(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0);
	struct myalloc_cache *cache = fixture_cache(fx, "bare", 64, MYALLOC_OWNER);
	void *o = alloc_here(cache);

	myalloc_track(cache, slab_of(cache, o), 0, MYALLOC_TRACK_ALLOC)->stack = 0;
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), -EBUSY);
	KUNIT_EXPECT_EQ(test, fixture_log_count("still held: 1 object of bare from "), 1);
	KUNIT_EXPECT_EQ(test, free_here(cache, o), 0);
}

static struct myalloc_track *alloc_track(const struct myalloc_cache *cache, const void *object)
{
	return myalloc_track(cache, slab_of(cache, object), slot_of(cache, object),
			     MYALLOC_TRACK_ALLOC);
}

/* How often is a site reported with this many objects, and this age or, if it is -1, any? */
static u32 told(struct fixture *fx, const struct myalloc_cache *cache, const void *object,
		u32 nr, s64 age_s)
{
	char symbol[48], age[24] = "";

	fixture_symbol(alloc_track(cache, object)->caller, symbol, sizeof(symbol));
	if (age_s >= 0)
		scnprintf(age, sizeof(age), "%lld s", (long long)age_s);
	scnprintf(fx->expected, sizeof(fx->expected),
		  "cache %s: still held: %u objects of %s from %s, oldest %s", cache->name, nr,
		  cache->name, symbol, age);
	return fixture_log_count(fx->expected);
}

/*
 * A cache that cannot be destroyed reports the owners of its objects: a line for each call site
 * with their number and the age of the oldest, at most eight lines.
 */
static void debug_owner_destroy(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0);
	struct myalloc_cache *cache = fixture_cache(fx, "held", 64, MYALLOC_OWNER);
	u32 i, found = 0;
	void *o[20];
	s64 age;

	for (i = 0; i < 20; i++)
		o[i] = alloc_here(cache);
	for (i = 0; i < 4; i++)		/* these have another owner */
		alloc_track(cache, o[i])->caller += 1;
	alloc_track(cache, o[7])->when = 0;
	age = div_u64(myalloc_env_now_ns(), MYALLOC_STAMP_NS);
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), -EBUSY);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "cache held cannot be destroyed: 20 objects are still allocated");
	KUNIT_EXPECT_EQ(test, fixture_log_count("cache held: still held: "), 2);
	KUNIT_EXPECT_EQ(test, told(fx, cache, o[0], 4, -1), 1);
	for (; age <= (s64)div_u64(myalloc_env_now_ns(), MYALLOC_STAMP_NS); age++)
		found += told(fx, cache, o[7], 16, age);
	KUNIT_EXPECT_EQ(test, found, 1);

	for (i = 0; i < 20; i++)
		alloc_track(cache, o[i])->caller = 1 + min(i, 9u);
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), -EBUSY);
	KUNIT_EXPECT_EQ(test, fixture_log_count("cache held: still held: "), 9);
	KUNIT_EXPECT_EQ(test, fixture_log_count("still held: 11 objects of held from "), 1);
	KUNIT_EXPECT_EQ(test, fixture_log_count("128 bytes from 2 other call sites"), 1);

	if (fixture_fail_after(1)) {	/* then their addresses are listed */
		fixture_log_mark();
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), -EBUSY);
		KUNIT_EXPECT_TRUE(test, fixture_fail_fired());
		KUNIT_EXPECT_EQ(test, fixture_log_count("cache held: still held: "), 0);
		KUNIT_EXPECT_EQ(test, fixture_log_count("still allocated: frame "), 8);
	}
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, free_here(cache, o[i]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
}

struct seen {
	struct kunit *test;
	bool tracked;
	u32 nr;
};

static void see_live(struct myalloc_cache *cache, void *object, const struct myalloc_track *track,
		     void *arg)
{
	struct seen *seen = arg;

	KUNIT_EXPECT_EQ(seen->test, *myalloc_object_state(cache, object), MYALLOC_SLOT_LIVE);
	KUNIT_EXPECT_EQ(seen->test, !!track, seen->tracked);
	if (track)
		KUNIT_EXPECT_TRUE(seen->test, fixture_called_by(track->caller, alloc_here));
	seen->nr++;
}

/* The walk visits each live object, with its record if there is one. */
static void debug_walk_live(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0);
	struct seen seen = { .test = test };
	unsigned int owners;
	void *o[100];
	u32 i;

	for (owners = 0; owners < 2; owners++) {
		struct myalloc_cache *cache = fixture_cache(fx, "walk", 200,
							    owners ? MYALLOC_OWNER : 0);

		for (i = 0; i < 100; i++)
			o[i] = alloc_here(cache);
		for (i = 0; i < 100; i += 3)
			KUNIT_EXPECT_EQ(test, free_here(cache, o[i]), 0);
		seen.tracked = owners;
		seen.nr = 0;
		myalloc_cache_walk_live(cache, see_live, &seen);
		KUNIT_EXPECT_EQ(test, seen.nr, 66);
		for (i = 0; i < 100; i++)
			if (i % 3)
				KUNIT_EXPECT_EQ(test, free_here(cache, o[i]), 0);
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	}
}

/* --- sanity ----------------------------------------------------------------------- */

/* States that disagree with the count are found by the next alloc or free. */
static void debug_sanity(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0);
	struct myalloc_cache *cache = fixture_cache(fx, "sane", 1000, MYALLOC_SANITY);
	void *o = alloc_here(cache), *two;
	u8 *state = myalloc_object_state(cache, o + 5 * cache->layout.slot_size);

	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
	*state = MYALLOC_SLOT_LIVE;
	two = alloc_here(cache);
	scnprintf(fx->expected, sizeof(fx->expected),
		  "cache sane: slab at frame %u counts 2 slots in use, 3 are", frame_of(cache, o));
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), fx->expected);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	KUNIT_EXPECT_EQ(test, free_here(cache, two), 0);
	scnprintf(fx->expected, sizeof(fx->expected),
		  "cache sane: slab at frame %u counts 1 slots in use, 2 are", frame_of(cache, o));
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), fx->expected);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 2);
	*state = MYALLOC_SLOT_FREE;
	KUNIT_EXPECT_EQ(test, free_here(cache, o), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 2);
	FIXTURE_EXPECT_VALID(fx);
}

/*
 * A slab that counts more free slots than it has is reported and not searched forever. The next
 * objects come from another slab, and the cache does not grow with each of them.
 */
static void debug_inuse_too_low(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0);
	struct myalloc_cache *cache = fixture_cache(fx, "count", EIGHT_A_SLAB,
						    MYALLOC_NO_MAGAZINE);
	void *o[7], *more[4];
	u64 pages;
	u8 *state;
	u32 i;

	for (i = 0; i < 7; i++)
		o[i] = alloc_here(cache);
	pages = fixture_stats(fx)->slab_pages;
	/* The state of the last free slot is not FREE. */
	state = myalloc_object_state(cache, o[6] + cache->layout.slot_size);
	*state = MYALLOC_SLOT_LIVE;
	for (i = 0; i < 4; i++) {
		more[i] = alloc_here(cache);
		KUNIT_EXPECT_NOT_NULL(test, more[i]);
	}
	scnprintf(fx->expected, sizeof(fx->expected),
		  "cache count: slot 7 of the slab at frame %u was freed twice at once",
		  frame_of(cache, o[0]));
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), fx->expected);
	KUNIT_EXPECT_GE(test, fixture_stats(fx)->corruptions, 1);
	KUNIT_EXPECT_LE(test, fx->stats.slab_pages, 2 * pages);
	/* From now on the slot counts as live, and may be freed. */
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, free_here(cache, o[6] + cache->layout.slot_size), 0);
	for (i = 0; i < 4; i++)
		if (more[i])
			KUNIT_EXPECT_EQ(test, free_here(cache, more[i]), 0);
	for (i = 0; i < 7; i++)
		KUNIT_EXPECT_EQ(test, free_here(cache, o[i]), 0);
}

/* --- all together -------------------------------------------------------------------- */

/* Use a cache of this kind completely, a few times. */
static void use(struct fixture *fx, unsigned int size, myalloc_cache_flags_t flags)
{
	struct myalloc_cache *cache = fixture_cache(fx, "quiet", size, flags);
	struct kunit *test = fx->test;
	unsigned int round, n;
	void *o[24];

	for (round = 0; round < 3; round++) {
		for (n = 0; n < 24; n++) {
			o[n] = alloc_here(cache);
			KUNIT_ASSERT_NOT_NULL(test, o[n]);
			if (flags & MYALLOC_ZERO_ALLOC)
				KUNIT_EXPECT_NULL(test, memchr_inv(o[n], 0, size));
			memset(o[n], 0xff, size);
		}
		FIXTURE_EXPECT_VALID(fx);
		for (n = 0; n < 24; n++)
			KUNIT_EXPECT_EQ(test, free_here(cache, o[(n * 7 + round) % 24]), 0);
		FIXTURE_EXPECT_VALID(fx);
	}
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
}

/* Every set of checks, sizes and properties in normal use: no false alarm. */
static void debug_no_false_alarm(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 8, 33, 100, 512, 3000 };
	static const myalloc_cache_flags_t more[] = {
		0, MYALLOC_ZERO_ALLOC, MYALLOC_ZERO_FREE, MYALLOC_RANDOM, MYALLOC_ZERO_FREE |
		MYALLOC_ZERO_ALLOC | MYALLOC_RANDOM,
	};
	struct fixture *fx = small_zone(test, 0);
	unsigned int checks, i, k;

	for (checks = 0; checks <= (__force u32)MYALLOC_CHECKS; checks++)
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			for (k = 0; k < ARRAY_SIZE(more); k++)
				if (fixture_thorough() || (checks + i + k) % 7 == 0)
					use(fx, sizes[i], __MYALLOC_CACHE_FLAG(checks) | more[k]);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions + fx->stats.bad_frees, 0);
}

static void fill_ab(void *object)
{
	memset(object, 0xab, 40);
}

/* The checks of a zone apply to each of its caches; a constructor overrides poison. */
static void debug_zone_checks(struct kunit *test)
{
	const struct myalloc_cache_args args = {
		.name = "ctor", .object_size = 40, .ctor = fill_ab,
	};
	struct fixture *fx = small_zone(test, MYALLOC_CHECKS);
	struct myalloc_cache *plain = fixture_cache(fx, "plain", 40, 0), *ctor;
	u8 *o = alloc_here(plain);

	KUNIT_EXPECT_TRUE(test, plain->flags == MYALLOC_CHECKS);
	KUNIT_EXPECT_EQ(test, plain->mags.capacity, 0);
	KUNIT_EXPECT_EQ(test, o[0], MYALLOC_POISON_FREE);
	KUNIT_EXPECT_EQ(test, *(u8 *)fixture_touch(&o[40], 1), MYALLOC_RED_ACTIVE);
	KUNIT_EXPECT_EQ(test, free_here(plain, o), 0);

	ctor = myalloc_cache_create(fx->zone, &args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctor);
	KUNIT_EXPECT_TRUE(test, ctor->flags == (MYALLOC_CHECKS & ~MYALLOC_POISON));
	o = alloc_here(ctor);
	KUNIT_EXPECT_NULL(test, memchr_inv(o, 0xab, 40));
	KUNIT_EXPECT_EQ(test, *(u8 *)fixture_touch(&o[40], 1), MYALLOC_RED_ACTIVE);
	KUNIT_EXPECT_EQ(test, free_here(ctor, o), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(fixture_touch(o, 40), 0xab, 40));
	FIXTURE_EXPECT_VALID(fx);
	/* Slabs return to a zone with poison as poisoned free pages. */
	myalloc_zone_drain(fx->zone);
	o = myalloc_pages_alloc(fx->zone, 4, 0);
	KUNIT_EXPECT_NOT_NULL(test, o);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, o, 4), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
}

static struct kunit_case slab_debug_cases[] = {
	KUNIT_CASE(debug_redzone),
	KUNIT_CASE(debug_redzone_all_bytes),
	KUNIT_CASE(debug_redzone_limit),
	KUNIT_CASE(debug_poison),
	KUNIT_CASE(debug_poison_new_slab),
	KUNIT_CASE(debug_picture),
	KUNIT_CASE(debug_owner),
	KUNIT_CASE(debug_owner_no_stack),
	KUNIT_CASE(debug_owner_destroy),
	KUNIT_CASE(debug_walk_live),
	KUNIT_CASE(debug_sanity),
	KUNIT_CASE(debug_inuse_too_low),
	KUNIT_CASE(debug_no_false_alarm),
	KUNIT_CASE(debug_zone_checks),
	{}
};

static struct kunit_suite slab_debug_suite = {
	.name = "myalloc_slab_debug",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = slab_debug_cases,
};

kunit_test_suite(slab_debug_suite);
