// SPDX-License-Identifier: GPL-2.0
/* Tests of the layout of slabs. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "object/check.h"
#include "object/slab_layout.h"

#define TRACK	(sizeof(struct myalloc_track) * MYALLOC_NR_TRACKS)

/* Properties of the layout that depend on flags. */
static const myalloc_cache_flags_t flag_sets[] = {
	0,
	MYALLOC_REDZONE,
	MYALLOC_POISON,
	MYALLOC_OWNER,
	MYALLOC_REDZONE | MYALLOC_POISON,
	MYALLOC_REDZONE | MYALLOC_OWNER,
	MYALLOC_POISON | MYALLOC_OWNER,
	MYALLOC_CHECKS,
};

struct sweep {
	struct kunit *test;
	struct myalloc_slab_layout l;
	u32 size;
	u32 align;
	myalloc_cache_flags_t flags;
	bool ctor;
	unsigned int max_order;
	u64 layouts;
};

static void expect(const struct sweep *s, bool is_so, const char *what, int line)
{
	KUNIT_EXPECT_TRUE_MSG(s->test, is_so,
			      "line %d: %s; object of %u bytes, align %u, flags %u, ctor %d, max order %u",
			      line, what, s->size, s->align, s->flags, s->ctor, s->max_order);
}

#define EXPECT(s, condition)	expect(s, condition, #condition, __LINE__)

static u32 real_align(const struct sweep *s)
{
	return max_t(u32, s->align, 8);
}

/* Do states and a word of bits fit behind the first descriptor of the slab? */
static bool ends_in_frames(u32 states, unsigned int order)
{
	return states <= 64 &&
	       states + 8 <= ((u32)MYALLOC_FRAME_BYTES << order) - MYALLOC_FRAME_BYTES;
}

/* L1: slots, owners' records, bits and states lie in the slab, one behind the other. */
static void check_places(struct sweep *s)
{
	const struct myalloc_slab_layout *l = &s->l;
	u32 bytes = PAGE_SIZE << l->order, end = l->objects * l->slot_size;

	EXPECT(s, l->order <= min_t(unsigned int, s->max_order, MYALLOC_SLAB_ORDER_MAX));
	EXPECT(s, bytes <= MYALLOC_SLAB_BYTES || l->objects == 1);
	EXPECT(s, l->states <= U16_MAX);
	EXPECT(s, l->objects >= 1);
	EXPECT(s, !!l->track_offset == !!(s->flags & MYALLOC_OWNER));
	if (l->track_offset) {
		EXPECT(s, l->track_offset >= end);
		EXPECT(s, l->track_offset % __alignof__(struct myalloc_track) == 0);
		end = l->track_offset + l->objects * TRACK;
	}
	EXPECT(s, end <= bytes);
	/* One state for each multiple of the slot size, at the end of the slab or in frames. */
	EXPECT(s, l->states == DIV_ROUND_UP(bytes, l->slot_size));
	EXPECT(s, l->states >= l->objects);
	if (l->state_offset) {
		EXPECT(s, !ends_in_frames(l->states, l->order));
		/* An overrun reaches the bits first. */
		EXPECT(s, l->out_offset >= end);
		EXPECT(s, l->out_offset % 8 == 0);
		EXPECT(s, l->state_offset == l->out_offset + DIV_ROUND_UP(l->states, 64) * 8);
		EXPECT(s, l->state_offset + l->states <= bytes);
	} else {
		EXPECT(s, !l->out_offset);
		EXPECT(s, ends_in_frames(l->states, l->order));
	}
}

/* L2, and the order within a slot: red zone, object, red zone, link. */
static void check_slot(struct sweep *s)
{
	const struct myalloc_slab_layout *l = &s->l;
	bool red = s->flags & MYALLOC_REDZONE, poison = s->flags & MYALLOC_POISON;
	u32 room = l->slot_size - l->object_offset;

	EXPECT(s, l->object_size == s->size);
	EXPECT(s, l->align == real_align(s));
	EXPECT(s, l->slot_size % real_align(s) == 0 && l->slot_size % 8 == 0);
	EXPECT(s, l->object_offset % real_align(s) == 0);
	EXPECT(s, l->object_offset == (red ? real_align(s) : 0));
	EXPECT(s, red ? l->redzone_end >= s->size + 8 : l->redzone_end == s->size);
	EXPECT(s, l->redzone_end <= room);
	EXPECT(s, l->link_offset % 8 == 0);
	EXPECT(s, l->link_offset + sizeof(void *) <= room);
	/* If the content or a pattern must be kept, the link lies behind it. */
	if (s->ctor || poison)
		EXPECT(s, l->link_offset >= l->redzone_end);
	else if (red)
		EXPECT(s, l->link_offset + sizeof(void *) <= s->size ||
		       l->link_offset >= l->redzone_end);
	EXPECT(s, l->waste == (PAGE_SIZE << l->order) - l->objects * s->size);
}

/* L3 for every slot and for the offsets next to it. */
static void check_index(struct sweep *s)
{
	static const u32 beside[] = { 1, 2, 4, 7 };
	const struct myalloc_slab_layout *l = &s->l;
	u32 i, k, off;

	for (i = 0; i < l->objects; i++) {
		off = i * l->slot_size;
		if (myalloc_slot_index(l, off) != i)
			EXPECT(s, myalloc_slot_index(l, off) == i);
		for (k = 0; k < ARRAY_SIZE(beside); k++)
			if (myalloc_slot_index(l, off + beside[k]) != U32_MAX ||
			    myalloc_slot_index(l, off + l->slot_size - beside[k]) != U32_MAX)
				EXPECT(s, myalloc_slot_index(l, off + beside[k]) == U32_MAX);
	}
	for (off = l->objects * l->slot_size; off < PAGE_SIZE << l->order; off += l->slot_size)
		EXPECT(s, myalloc_slot_index(l, off) == U32_MAX);
	/* An address below the slab wraps around to here. */
	EXPECT(s, myalloc_slot_index(l, -8) == U32_MAX);
	EXPECT(s, myalloc_slot_index(l, -l->slot_size) == U32_MAX);
}

/* The largest order: the order of MYALLOC_SLAB_BYTES, unless one object needs more. */
static unsigned int largest_order(const struct sweep *s, u32 one)
{
	unsigned int order;

	for (order = 0; order < s->max_order; order++)
		if (PAGE_SIZE << order >= MYALLOC_SLAB_BYTES && PAGE_SIZE << order >= one)
			break;
	return order;
}

/* The rule for the order, as slab_layout.c states it. */
static void check_order(struct sweep *s)
{
	const struct myalloc_slab_layout *l = &s->l;
	u32 track = s->flags & MYALLOC_OWNER ? TRACK : 0, best = U32_MAX;
	unsigned int order, most = largest_order(s, l->slot_size + track);
	u64 least = U64_MAX;

	for (order = 0; order <= most; order++) {
		u32 bytes = PAGE_SIZE << order, states = DIV_ROUND_UP(bytes, l->slot_size);
		u32 room = ends_in_frames(states, order) ? bytes :
			   bytes - ALIGN(states, 8) - DIV_ROUND_UP(states, 64) * 8;
		u32 objects = room / (l->slot_size + track);
		u32 wasted = room - objects * (l->slot_size + track);

		if (!objects)
			continue;
		if (objects >= 8 && wasted * 32 <= bytes) {
			best = order;
			break;
		}
		if ((u64)wasted << (MYALLOC_SLAB_ORDER_MAX - order) < least) {
			least = (u64)wasted << (MYALLOC_SLAB_ORDER_MAX - order);
			best = order;
		}
	}
	EXPECT(s, l->order == best);
}

static void check_layout(struct sweep *s)
{
	int err = myalloc_slab_layout(&s->l, s->size, s->align, s->flags, s->ctor, s->max_order);

	s->layouts++;
	if (err == -E2BIG) {
		/* No object fits into the largest permitted slab. */
		u32 bytes = PAGE_SIZE << min_t(unsigned int, s->max_order, MYALLOC_SLAB_ORDER_MAX);

		EXPECT(s, s->size + 2 * real_align(s) + TRACK + 64 > bytes);
		return;
	}
	EXPECT(s, !err);
	if (err)
		return;
	check_places(s);
	check_slot(s);
	check_index(s);
	check_order(s);
}

/* L1, L2, L3 for every size with every alignment, plain. */
static void layout_sizes(struct kunit *test)
{
	struct sweep s = { .test = test, .max_order = 3 };
	u32 step = fixture_thorough() ? 1 : 251, size;

	for (size = 1; size <= MYALLOC_MAX_OBJECT; size += step)
		for (s.align = 0; s.align <= PAGE_SIZE; s.align = s.align ? 2 * s.align : 1) {
			/* Alignments below 8 are equivalent; larger ones change little. */
			if (fixture_thorough() && size % 8 && s.align && s.align != 64)
				continue;
			s.size = size;
			check_layout(&s);
		}
	kunit_info(test, "%llu layouts\n", (unsigned long long)s.layouts);
}

/* The same for every set of checks, with and without constructor. */
static void layout_flags(struct kunit *test)
{
	static const u32 aligns[] = { 0, 1, 16, 64, 256, PAGE_SIZE };
	struct sweep s = { .test = test };
	u32 step = fixture_thorough() ? 1 : 1021, size;
	struct myalloc_random random;
	unsigned int f;

	fixture_random(test, &random);
	for (size = 1; size <= MYALLOC_MAX_OBJECT; size += step)
		for (f = 0; f < ARRAY_SIZE(flag_sets); f++) {
			s.size = size;
			s.flags = flag_sets[f];
			s.align = aligns[myalloc_random_below(&random, ARRAY_SIZE(aligns))];
			s.ctor = myalloc_random_one_in(&random, 2);
			s.max_order = myalloc_random_below(&random, 8);
			check_layout(&s);
		}
	kunit_info(test, "%llu layouts\n", (unsigned long long)s.layouts);
}

/* L3 at every offset below 2^17. */
static void layout_index(struct kunit *test)
{
	u32 round, rounds = fixture_thorough() ? 40 : 3, off, wrong;
	struct sweep s = { .test = test, .max_order = MYALLOC_SLAB_ORDER_MAX };
	struct myalloc_random random;

	fixture_random(test, &random);
	for (round = 0; round < rounds; round++) {
		s.size = 1 + myalloc_random_below(&random, round % 2 ? 500 : MYALLOC_MAX_OBJECT);
		KUNIT_ASSERT_EQ(test, myalloc_slab_layout(&s.l, s.size, 0, 0, false, s.max_order),
				0);
		for (off = 0, wrong = 0; off < 1u << 17; off++) {
			u32 index = off % s.l.slot_size ? U32_MAX : off / s.l.slot_size;

			if (index >= s.l.objects)
				index = U32_MAX;
			wrong += myalloc_slot_index(&s.l, off) != index;
		}
		EXPECT(&s, !wrong);
	}
}

/* L4, from the error of the reciprocal. */
static bool exact(const struct myalloc_slab_layout *l)
{
	u64 error = (u64)l->reciprocal * l->slot_size - BIT_ULL(32);

	return ((PAGE_SIZE << l->order) - 1) * error < BIT_ULL(32);
}

/*
 * exact: the low half of offset * reciprocal is below the reciprocal only for multiples of the slot
 * size, and the high half is the quotient. A free depends on nothing else.
 */
static void layout_exact(struct kunit *test)
{
	u32 size, off, wrong, step = fixture_thorough() ? 8 * 13 : 8 * 509, checked = 0;
	struct sweep s = { .test = test, .max_order = MYALLOC_SLAB_ORDER_MAX };

	for (size = 8; size <= MYALLOC_MAX_OBJECT; size += step) {
		s.size = size;
		KUNIT_ASSERT_EQ(test, myalloc_slab_layout(&s.l, size, 0, 0, false, s.max_order), 0);
		if (!exact(&s.l))
			continue;
		checked++;
		for (off = 0, wrong = 0; off < PAGE_SIZE << s.l.order; off += 1 + size / 600) {
			u64 product = (u64)off * s.l.reciprocal;

			wrong += ((u32)product < s.l.reciprocal) != !(off % s.l.slot_size);
			wrong += (u32)product < s.l.reciprocal &&
				 product >> 32 != off / s.l.slot_size;
		}
		for (off = 0; off < PAGE_SIZE << s.l.order; off += s.l.slot_size)
			wrong += (u32)((u64)off * s.l.reciprocal) >= s.l.reciprocal;
		EXPECT(&s, !wrong);
	}
	KUNIT_EXPECT_GT(test, checked, 0);
}

/* L4 for every size, alignment and set of flags that affects the slot. */
static void layout_all_exact(struct kunit *test)
{
	static const myalloc_cache_flags_t flags[] = {
		0, MYALLOC_POISON, MYALLOC_REDZONE, MYALLOC_REDZONE | MYALLOC_POISON,
		MYALLOC_CHECKS,
	};
	u32 size, align, inexact = 0, step = fixture_thorough() ? 1 : 61;
	struct myalloc_slab_layout l;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		for (align = 8; align <= PAGE_SIZE; align *= 2)
			for (size = 1; size <= MYALLOC_MAX_OBJECT; size += step)
				inexact += myalloc_slab_layout(&l, size, align, flags[i], false,
							       UINT_MAX) || !exact(&l);
	KUNIT_EXPECT_EQ(test, inexact, 0);
}

/* Sizes whose layout was computed by hand. */
static void layout_known(struct kunit *test)
{
	static const struct {
		u32 page_shift;
		u32 size;
		u32 slot;
		u32 order;
		u32 objects;
		bool in_frames;
	} known[] = {
		/* 512 states and as many bits, so (4096 - 512 - 64) / 8 */
		{ 12, 1, 8, 0, 440, false },
		{ 12, 8, 8, 0, 440, false },
		{ 12, 64, 64, 0, 62, false },
		/* order 0 would waste a 16th */
		{ 12, 256, 256, 1, 31, false },
		/* order 2: 48 bytes in frames for states and bits */
		{ 12, 512, 512, 2, 32, true },
		/* order 1: 16 bytes, and it has 9 states */
		{ 12, 1000, 1000, 1, 8, false },
		{ 12, 1024, 1024, 1, 8, true },
		{ 12, 4096, 4096, 3, 8, true },
		{ 12, 8192, 8192, 1, 1, true },
		{ 12, 32768, 32768, 3, 1, true },
		{ 14, 8, 8, 0, 1760, false },
		{ 14, 64, 64, 0, 251, false },
		{ 14, 256, 256, 0, 63, false },
		{ 14, 1000, 1000, 0, 16, false },
		{ 14, 4096, 4096, 1, 8, true },
		{ 14, 32768, 32768, 1, 1, true },
		{ 16, 8, 8, 0, 7040, false },
		{ 16, 64, 64, 0, 1006, false },
		{ 16, 1000, 1000, 0, 65, false },
		/* 32 states do not fit into the 16 bytes of one descriptor */
		{ 16, 4096, 4096, 1, 31, false },
		/* no order up to that of 128 KiB wastes less than order 0 does */
		{ 16, 9040, 9040, 0, 7, false },
		{ 16, 32768, 32768, 1, 4, true },
	};
	const u32 page = min_t(u32, PAGE_SIZE, MYALLOC_MAX_OBJECT);
	struct myalloc_slab_layout l;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].page_shift != PAGE_SHIFT)
			continue;
		KUNIT_EXPECT_EQ(test, myalloc_slab_layout(&l, known[i].size, 0, 0, false, 3), 0);
		KUNIT_EXPECT_EQ_MSG(test, l.slot_size, known[i].slot, "%u", known[i].size);
		KUNIT_EXPECT_EQ_MSG(test, l.order, known[i].order, "%u", known[i].size);
		KUNIT_EXPECT_EQ_MSG(test, l.objects, known[i].objects, "%u", known[i].size);
		KUNIT_EXPECT_EQ_MSG(test, !l.state_offset, known[i].in_frames, "%u", known[i].size);
	}
	/* Objects of a page, or of half a page of 64 KiB, fill slabs to the last byte. */
	KUNIT_EXPECT_EQ(test, myalloc_slab_layout(&l, page, page, 0, false, 3), 0);
	KUNIT_EXPECT_EQ(test, l.waste, 0);
	/* [ 16 red | 20 object | 4 + 8 red | 8 link | 8 padding ] */
	KUNIT_EXPECT_EQ(test, myalloc_slab_layout(&l, 20, 16, MYALLOC_REDZONE | MYALLOC_POISON,
						  false, 3), 0);
	KUNIT_EXPECT_EQ(test, l.object_offset, 16);
	KUNIT_EXPECT_EQ(test, l.redzone_end, 32);
	KUNIT_EXPECT_EQ(test, l.link_offset, 32);
	KUNIT_EXPECT_EQ(test, l.slot_size, 64);
}

/* Arguments that allow no layout. */
static void layout_refused(struct kunit *test)
{
	static const u32 aligns[] = {
		3, 5, 6, 7, 12, PAGE_SIZE - 1, PAGE_SIZE + 1, 3 * PAGE_SIZE / 2, 2 * PAGE_SIZE,
		U32_MAX,
	};
	/* An object of a page, or the largest one with a page of its own. */
	const u32 page = min_t(u32, PAGE_SIZE, MYALLOC_MAX_OBJECT);
	const u32 align = page < PAGE_SIZE ? PAGE_SIZE : 0;
	struct myalloc_slab_layout l;
	size_t i;

	KUNIT_EXPECT_EQ(test, myalloc_slab_layout(&l, 0, 0, 0, false, 3), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_slab_layout(&l, MYALLOC_MAX_OBJECT + 1, 0, 0, false, 10),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_slab_layout(&l, U32_MAX, 0, 0, false, 10), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(aligns); i++)
		KUNIT_EXPECT_EQ_MSG(test, myalloc_slab_layout(&l, 64, aligns[i], 0, false, 3),
				    -EINVAL, "align %u", aligns[i]);
	KUNIT_EXPECT_EQ(test, myalloc_slab_layout(&l, page + !align, align, 0, false, 0), -E2BIG);
	KUNIT_EXPECT_EQ(test, myalloc_slab_layout(&l, page, align, MYALLOC_REDZONE, false, 0),
			-E2BIG);
	KUNIT_EXPECT_EQ(test, myalloc_slab_layout(&l, page, align, 0, false, 0), -E2BIG);
	if (page == PAGE_SIZE)
		KUNIT_EXPECT_EQ(test, myalloc_slab_layout(&l, page - 15, 0, 0, false, 0), -E2BIG);
	KUNIT_EXPECT_EQ(test, myalloc_slab_layout(&l, page - 16, 0, 0, false, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_slab_layout(&l, MYALLOC_MAX_OBJECT, PAGE_SIZE,
						  MYALLOC_CHECKS, true, UINT_MAX), 0);
}

static struct kunit_case slab_layout_cases[] = {
	KUNIT_CASE(layout_sizes),
	KUNIT_CASE(layout_flags),
	KUNIT_CASE(layout_index),
	KUNIT_CASE(layout_exact),
	KUNIT_CASE(layout_all_exact),
	KUNIT_CASE(layout_known),
	KUNIT_CASE(layout_refused),
	{}
};

static struct kunit_suite slab_layout_suite = {
	.name = "myalloc_slab_layout",
	.test_cases = slab_layout_cases,
};

kunit_test_suite(slab_layout_suite);
