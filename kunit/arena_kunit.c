// SPDX-License-Identifier: GPL-2.0
/* Tests of arenas: pieces, blocks that stay, marks, poison, limits. */
#include "env.h"

#include <kunit/test.h>

#include "arena_fixture.h"
#include "page/extent.h"

/* --- pieces ------------------------------------------------------------------------------- */

/* Sizes and alignments: between two pieces there is no gap except for alignment. */
static void arena_pieces(struct kunit *test)
{
	static const struct { u32 size, align; u32 at; } cases[] = {
		{ 1, 1, 0 }, { 1, 1, 1 }, { 0, 1, 2 }, { 3, 1, 3 }, { 2, 2, 6 }, { 1, 0, 8 },
		{ 24, 8, 16 }, { 1, 64, 64 }, { 100, 4, 68 }, { 0, 0, 168 }, { 5, 256, 256 },
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");
	u8 *first = NULL, *piece;
	u32 i;

	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		piece = piece_of(test, arena, cases[i].size, cases[i].align);
		first = first ?: piece;
		KUNIT_EXPECT_EQ_MSG(test, piece - first, cases[i].at, "case %u", i);
	}
	piece = piece_of(test, arena, 1, PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, piece, first + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->used_bytes, PAGE_SIZE + 1);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->allocs, ARRAY_SIZE(cases) + 1);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, BLOCK);
	/* A piece of exactly the bytes that are left, and one of a byte more. */
	piece = piece_of(test, arena, PAGE_SIZE, PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 5 * PAGE_SIZE, 1), piece + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, arena->lane.at, arena->lane.end);
	KUNIT_EXPECT_EQ(test, length(&arena->lane.small), 1);
	piece_of(test, arena, 1, 1);
	KUNIT_EXPECT_EQ(test, length(&arena->lane.small), 2);
	/* The piece would fit without its alignment. */
	piece_of(test, arena, BLOCK - PAGE_SIZE, 1);
	piece_of(test, arena, PAGE_SIZE - 1, 2);
	KUNIT_EXPECT_EQ(test, length(&arena->lane.small), 3);
	expect_end(fx, arena);
}

/* Wrong alignments are refused and reported; sizes above a chunk are refused. */
static void arena_limits(struct kunit *test)
{
	static const size_t wrong[] = { 3, 12, 2 * PAGE_SIZE, SIZE_MAX };
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");
	char text[100];
	void *piece;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		fixture_log_mark();
		KUNIT_EXPECT_NULL(test, myalloc_arena_alloc(arena, 8, wrong[i]));
		scnprintf(text, sizeof(text),
			  "arena a: an alignment of %zu is not a power of two up to %lu", wrong[i],
			  PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, fixture_log_count(text), 1);
	}
	KUNIT_EXPECT_EQ(test, stats_of(arena)->fails, 0);
	KUNIT_EXPECT_NULL(test, myalloc_arena_alloc(arena, CHUNK + 1, 1));
	KUNIT_EXPECT_NULL(test, myalloc_arena_alloc(arena, SIZE_MAX, 8));
	KUNIT_EXPECT_NULL(test, myalloc_arena_zalloc(arena, SIZE_MAX, 8));
	KUNIT_EXPECT_EQ(test, stats_of(arena)->fails, 3);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->zone_calls, 0);
	piece = piece_of(test, arena, CHUNK, 8);
	memset(piece, 1, CHUNK);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->used_bytes, CHUNK);
	expect_end(fx, arena);
}

/* Zeroed pieces, in memory that was used before. */
static void arena_zero(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");
	u8 *piece;
	u32 i;

	for (i = 0; i < 2; i++) {
		piece = myalloc_arena_zalloc(arena, 1000, 0);
		KUNIT_ASSERT_NOT_NULL(test, piece);
		KUNIT_EXPECT_NULL(test, memchr_inv(piece, 0, 1000));
		memset(piece, 0xff, 1000);
		myalloc_arena_reset(arena);
	}
	/* No bytes are one byte. */
	piece = myalloc_arena_zalloc(arena, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, piece);
	KUNIT_EXPECT_EQ(test, *piece, 0);
	expect_end(fx, arena);
}

/* One frame: pieces of several blocks, and some large ones. */
static void do_frame(struct kunit *test, struct myalloc_arena *arena)
{
	u32 i;

	for (i = 0; i < 40; i++) {
		memset(piece_of(test, arena, 1500, 0), i, 1500);
		if (i % 10 == 0)
			memset(piece_of(test, arena, (1 + i) * PAGE_SIZE, 0), i, PAGE_SIZE);
	}
}

/* From the second frame on, the arena takes no memory from the zone. */
static void arena_steady(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");
	u64 calls, generation, held;
	u32 frame;

	do_frame(test, arena);
	calls = stats_of(arena)->zone_calls;
	held = stats_of(arena)->held_bytes;
	KUNIT_EXPECT_EQ(test, calls, length(&arena->lane.small) + length(&arena->lane.large));
	generation = fx->zone->generation;
	for (frame = 0; frame < 3; frame++) {
		myalloc_arena_reset(arena);
		KUNIT_EXPECT_EQ(test, stats_of(arena)->used_bytes, 0);
		do_frame(test, arena);
	}
	KUNIT_EXPECT_EQ(test, stats_of(arena)->zone_calls, calls);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, held);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->resets, 3);
	KUNIT_EXPECT_EQ(test, fx->zone->generation, generation);
	/* The high-water mark is that of a frame; shrinking does not lower it. */
	KUNIT_EXPECT_EQ(test, stats_of(arena)->peak_bytes, stats_of(arena)->used_bytes);
	KUNIT_EXPECT_EQ(test, myalloc_arena_shrink(arena), 0);
	held = stats_of(arena)->used_bytes;
	KUNIT_EXPECT_GT(test, held, 300000);
	myalloc_arena_reset(arena);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->peak_bytes, held);
	piece_of(test, arena, 1, 1);
	myalloc_arena_reset(arena);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->peak_bytes, held);
	piece_of(test, arena, 1, 1);
	held = stats_of(arena)->held_bytes;
	KUNIT_EXPECT_EQ(test, myalloc_arena_shrink(arena), (held - BLOCK) >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, BLOCK);
	expect_lane(test, &arena->lane);
	do_frame(test, arena);
	expect_end(fx, arena);
}

/* --- large pieces ------------------------------------------------------------------------- */

/* A piece above a quarter of a block that does not fit gets as many pages as it needs. */
static void arena_large(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a"), *small;
	struct myalloc_arena_lane *l = &arena->lane;
	u8 *piece, *large;

	/* Without a block nothing fits. */
	large = piece_of(test, arena, LARGE, 0);
	KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(large));
	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, PAGE_ALIGN(LARGE));
	KUNIT_EXPECT_EQ(test, stats_of(arena)->used_bytes, PAGE_ALIGN(LARGE));
	piece = piece_of(test, arena, LARGE - 1, 0);
	KUNIT_EXPECT_EQ(test, length(&l->small), 1);
	/* This one fits. */
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, LARGE, 1), piece + LARGE - 1);
	KUNIT_EXPECT_EQ(test, length(&l->large), 1);
	/* This one does not, and the next piece is in the same block as before. */
	memset(piece_of(test, arena, BLOCK, 0), 1, BLOCK);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 1, 1), piece + 2 * LARGE - 1);
	KUNIT_EXPECT_EQ(test, length(&l->large), 2);
	KUNIT_EXPECT_EQ(test, length(&l->small), 1);
	expect_lane(test, l);
	/* In blocks of a page, a page is not large. */
	small = arena_with(fx, &(struct myalloc_arena_args){ .name = "s", .block_size = 1 });
	piece_of(test, small, PAGE_SIZE, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, length(&small->lane.small), 1);
	piece_of(test, small, PAGE_SIZE + 1, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, length(&small->lane.large), 1);
	KUNIT_EXPECT_EQ(test, stats_of(small)->block_bytes, PAGE_SIZE);
	myalloc_arena_destroy(small);
	expect_end(fx, arena);
}

/* An unused large block serves a request for half its size or more; for others it is freed. */
static void arena_large_reuse(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");
	struct myalloc_arena_lane *l = &arena->lane;
	u8 *four, *ten;
	u64 calls;

	four = piece_of(test, arena, 4 * PAGE_SIZE, 0);
	ten = piece_of(test, arena, 10 * PAGE_SIZE, 0);
	calls = stats_of(arena)->zone_calls;
	/* In another order. */
	myalloc_arena_reset(arena);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 10 * PAGE_SIZE, 0), ten);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 4 * PAGE_SIZE, 0), four);
	expect_lane(test, l);
	/* The first one has more than twice as many pages. */
	myalloc_arena_reset(arena);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 3 * PAGE_SIZE, 0), four);
	/* Half of it, and one page. */
	myalloc_arena_reset(arena);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 5 * PAGE_SIZE, 0), ten);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 3 * PAGE_SIZE, 0), four);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->zone_calls, calls);
	/* Sizes below half of both, or above both: each request frees the first unused one. */
	myalloc_arena_reset(arena);
	piece_of(test, arena, 11 * PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->zone_calls, calls + 2);
	KUNIT_EXPECT_EQ(test, length(&l->large), 2);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, 15 * PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 3 * PAGE_SIZE, 0), four);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, 15 * PAGE_SIZE);
	myalloc_arena_reset(arena);
	piece_of(test, arena, 20 * PAGE_SIZE, 0);
	piece_of(test, arena, 20 * PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, length(&l->large), 2);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, 40 * PAGE_SIZE);
	expect_end(fx, arena);
}

/* A request looks at a bounded number of unused blocks. */
static void arena_bounds(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");
	u32 i;

	for (i = 0; i < 2 * MYALLOC_ARENA_LOOK; i++)
		piece_of(test, arena, 3 * PAGE_SIZE, 0);
	piece_of(test, arena, 20 * PAGE_SIZE, 0);
	myalloc_arena_reset(arena);
	if (!fixture_count_steps("arena-look")) {
		myalloc_arena_destroy(arena);
		kunit_skip(test, "no steps to be counted here");
	}
	piece_of(test, arena, 3 * PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, fixture_steps(), 1);
	piece_of(test, arena, 20 * PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, fixture_steps(), MYALLOC_ARENA_LOOK);
	KUNIT_EXPECT_EQ(test, length(&arena->lane.large), 2 * MYALLOC_ARENA_LOOK + 1);
	fixture_count_steps(NULL);
	expect_end(fx, arena);
}

/* --- marks -------------------------------------------------------------------------------- */

/* A rewind returns exactly, across blocks and large pieces, and takes inner marks along. */
static void arena_marks(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");
	struct myalloc_arena_mark begin, outer, inner;
	u8 *first, *after, *large;
	u64 used;

	begin = mark_of(test, arena);
	first = piece_of(test, arena, 100, 0);
	outer = mark_of(test, arena);
	after = piece_of(test, arena, 10, 1);
	KUNIT_EXPECT_EQ(test, myalloc_arena_rewind(arena, &outer), 0);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 10, 1), after);

	outer = mark_of(test, arena);
	used = stats_of(arena)->used_bytes;
	large = piece_of(test, arena, BLOCK + 1, 1);
	do_frame(test, arena);
	inner = mark_of(test, arena);
	do_frame(test, arena);
	KUNIT_EXPECT_EQ(test, arena->lane.depth, 3);
	KUNIT_EXPECT_EQ(test, myalloc_arena_rewind(arena, &inner), 0);
	KUNIT_EXPECT_EQ(test, arena->lane.depth, 2);
	expect_lane(test, &arena->lane);
	inner = mark_of(test, arena);
	KUNIT_EXPECT_EQ(test, myalloc_arena_rewind(arena, &outer), 0);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->used_bytes, used);
	KUNIT_EXPECT_EQ(test, arena->lane.depth, 1);
	expect_lane(test, &arena->lane);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, BLOCK + 1, 1), large);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 1, 1), after + 10);

	/* Pieces allocated after a mark stay when the mark is given up. */
	outer = mark_of(test, arena);
	inner = mark_of(test, arena);
	after = piece_of(test, arena, 1, 1);
	KUNIT_EXPECT_EQ(test, myalloc_arena_keep(arena, &outer), 0);
	KUNIT_EXPECT_EQ(test, arena->lane.depth, 1);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 1, 1), after + 1);
	KUNIT_EXPECT_EQ(test, myalloc_arena_rewind(arena, &begin), 0);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->used_bytes, 0);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->rewinds, 4);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->bad_marks, 0);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 100, 0), first);
	expect_end(fx, arena);
}

/* Marks in a stack of its full depth, and one more. */
static void arena_marks_deep(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");
	struct myalloc_arena_mark marks[MYALLOC_ARENA_MARKS], more;
	u8 *pieces[MYALLOC_ARENA_MARKS];
	u32 i;

	for (i = 0; i < MYALLOC_ARENA_MARKS; i++) {
		marks[i] = mark_of(test, arena);
		pieces[i] = piece_of(test, arena, 1, 1);
	}
	KUNIT_EXPECT_EQ(test, myalloc_arena_mark(arena, &more), -ENOSPC);
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_arena_rewind(arena, &more), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_log_count("was not made by this arena"), 1);
	while (i--) {
		KUNIT_EXPECT_EQ(test, myalloc_arena_rewind(arena, &marks[i]), 0);
		KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 1, 1), pieces[i]);
	}
	expect_end(fx, arena);
}

static void expect_refused(struct fixture *fx, int line, struct myalloc_arena *arena,
			   struct myalloc_arena_mark mark, const char *text)
{
	struct kunit *test = fx->test;
	struct myalloc_arena_lane before = arena->lane;
	u64 refused = stats_of(arena)->bad_marks;

	fixture_note(fx);
	KUNIT_EXPECT_EQ_MSG(test, myalloc_arena_rewind(arena, &mark), -EINVAL, "line %d", line);
	KUNIT_EXPECT_EQ_MSG(test, fixture_log_count(text), 1, "line %d", line);
	KUNIT_EXPECT_EQ_MSG(test, myalloc_arena_keep(arena, &mark), -EINVAL, "line %d", line);
	KUNIT_EXPECT_EQ_MSG(test, stats_of(arena)->bad_marks, refused + 2, "line %d", line);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(&before, &arena->lane, sizeof(before)), 0, "line %d",
			    line);
	KUNIT_EXPECT_TRUE_MSG(test, fixture_unchanged(fx), "line %d", line);
}

#define STALE(mark)	expect_refused(fx, __LINE__, arena, mark, \
				       "arena a: a stale mark was refused")
#define FOREIGN(mark)	expect_refused(fx, __LINE__, arena, mark, \
				       "arena a: a mark that was not made by this arena")

/* A wrong mark is refused and changes nothing. */
static void arena_bad_marks(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a"), *other = arena_of(fx, "b");
	struct myalloc_arena_mark a, b, c;

	do_frame(test, arena);
	FOREIGN(((struct myalloc_arena_mark){ }));
	FOREIGN(mark_of(test, other));
	a = mark_of(test, arena);
	/* The mark was used, and another one has its place, or none has. */
	KUNIT_EXPECT_EQ(test, myalloc_arena_rewind(arena, &a), 0);
	STALE(a);
	b = mark_of(test, arena);
	STALE(a);
	/* An outer mark was used. */
	c = mark_of(test, arena);
	piece_of(test, arena, 1, 1);
	KUNIT_EXPECT_EQ(test, myalloc_arena_rewind(arena, &b), 0);
	STALE(c);
	mark_of(test, arena);
	mark_of(test, arena);
	STALE(b);
	STALE(c);
	/* An outer mark was given up. */
	c = mark_of(test, arena);
	b = mark_of(test, arena);
	KUNIT_EXPECT_EQ(test, myalloc_arena_keep(arena, &c), 0);
	STALE(b);
	STALE(c);
	/* The arena was reset. */
	a = mark_of(test, arena);
	myalloc_arena_reset(arena);
	STALE(a);
	mark_of(test, arena);
	STALE(a);
	/* Values that no arena has returned. */
	a = mark_of(test, arena);
	a.depth = U32_MAX;
	STALE(a);
	a.depth = MYALLOC_ARENA_MARKS;
	STALE(a);
	myalloc_arena_destroy(other);
	/* The mark of an earlier arena at the same address. */
	a = mark_of(test, arena);
	myalloc_arena_destroy(arena);
	arena = arena_of(fx, "a");
	b = mark_of(test, arena);
	KUNIT_EXPECT_GT(test, b.stamp, a.stamp);
	a.lane = &arena->lane;
	STALE(a);
	expect_end(fx, arena);
}

/* --- memory after a rewind or reset -------------------------------------------------------- */

/* Reads after a rewind, a reset, a swap find poison. */
static void arena_poison(struct kunit *test)
{
	const struct myalloc_arena_args args = {
		.name = "a", .block_size = BLOCK, .flags = MYALLOC_POISON,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_with(fx, &args);
	struct myalloc_arena_mark mark;
	u8 *kept, *gone, *large, *next, *second;

	kept = piece_of(test, arena, 13, 1);
	memset(kept, 1, 13);
	mark = mark_of(test, arena);
	gone = piece_of(test, arena, 100, 1);
	KUNIT_EXPECT_TRUE(test, poisoned(gone, 100));
	memset(gone, 2, 100);
	large = piece_of(test, arena, BLOCK, 8);
	memset(large, 3, BLOCK);
	second = piece_of(test, arena, 2 * BLOCK, 8);
	memset(second, 3, 2 * BLOCK);
	next = piece_of(test, arena, BLOCK / 4, 1);
	memset(next, 3, BLOCK / 4);
	while (length(&arena->lane.small) < 3) {
		next = piece_of(test, arena, BLOCK / 4, 1);
		memset(next, 4, BLOCK / 4);
	}
	KUNIT_EXPECT_EQ(test, myalloc_arena_rewind(arena, &mark), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(kept, 1, 13));
	KUNIT_EXPECT_TRUE(test, poisoned(gone, BLOCK - 13));
	KUNIT_EXPECT_TRUE(test, poisoned(large, BLOCK));
	KUNIT_EXPECT_TRUE(test, poisoned(second, 2 * BLOCK));
	KUNIT_EXPECT_TRUE(test, poisoned(next, BLOCK));
	if (MYALLOC_ENV_SHADOW) {
		KUNIT_EXPECT_FALSE(test, myalloc_env_is_poisoned(kept + 12));
		KUNIT_EXPECT_TRUE(test, myalloc_env_is_poisoned(gone));
		KUNIT_EXPECT_TRUE(test, myalloc_env_is_poisoned(gone + 99));
		KUNIT_EXPECT_TRUE(test, myalloc_env_is_poisoned(large));
		KUNIT_EXPECT_TRUE(test, myalloc_env_is_poisoned(next + 100));
	}
	/* Allocated again, the same memory is accessible. */
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 100, 1), gone);
	memset(gone, 5, 100);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, BLOCK, 1), large);
	memset(large, 5, BLOCK);
	myalloc_arena_reset(arena);
	KUNIT_EXPECT_TRUE(test, poisoned(kept, BLOCK));
	KUNIT_EXPECT_TRUE(test, poisoned(large, BLOCK));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
	expect_end(fx, arena);
}

/* A write after a rewind is reported by the allocation that finds it, once. */
static void arena_poison_written(struct kunit *test)
{
	struct fixture *fx = zone_of(test, MYALLOC_POISON);
	struct myalloc_arena *arena = arena_of(fx, "a");
	u8 *piece = piece_of(test, arena, 100, 0);

	KUNIT_EXPECT_TRUE(test, arena->poison);
	myalloc_arena_reset(arena);
	*(u8 *)fixture_touch(piece + 90, 1) = 7;
	fixture_log_mark();
	piece_of(test, arena, 90, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
	piece_of(test, arena, 10, 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	KUNIT_EXPECT_EQ(test, fixture_log_count("byte 0 of a new piece of 10 is 0x07, not 0x6b"),
			1);
	myalloc_arena_reset(arena);
	piece_of(test, arena, 100, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	expect_end(fx, arena);
}

/* Without the flag nothing is written; only a sanitizer's shadow marks the free memory. */
static void arena_shadow(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");
	u8 *piece = piece_of(test, arena, 100, 0);
	struct myalloc_arena_mark mark = mark_of(test, arena);
	u8 *gone = piece_of(test, arena, 10, 1), *behind;

	memset(gone, 1, 10);
	KUNIT_EXPECT_EQ(test, myalloc_arena_rewind(arena, &mark), 0);
	KUNIT_EXPECT_NULL(test, myalloc_env_raw_memchr_inv(gone, 1, 10));
	if (!MYALLOC_ENV_SHADOW) {
		expect_end(fx, arena);
		return;
	}
	KUNIT_EXPECT_FALSE(test, myalloc_env_is_poisoned(piece + 99));
	KUNIT_EXPECT_TRUE(test, myalloc_env_is_poisoned(piece + 100));
	gone = piece_of(test, arena, 3, 1);
	KUNIT_EXPECT_PTR_EQ(test, gone, piece + 100);
	KUNIT_EXPECT_FALSE(test, myalloc_env_is_poisoned(gone + 2));
	KUNIT_EXPECT_TRUE(test, myalloc_env_is_poisoned(gone + 3));
	/* The unused end of a block, and of the pages of a large piece. */
	behind = piece_of(test, arena, BLOCK + 1, 0) + BLOCK;
	KUNIT_EXPECT_FALSE(test, myalloc_env_is_poisoned(behind));
	KUNIT_EXPECT_TRUE(test, myalloc_env_is_poisoned(behind + 1));
	KUNIT_EXPECT_TRUE(test, myalloc_env_is_poisoned(piece + BLOCK - 1));
	expect_end(fx, arena);
}

/* --- no memory ---------------------------------------------------------------------------- */

/* At its limit an arena refuses new blocks, changes nothing, and still serves from its own. */
static void arena_limit(struct kunit *test)
{
	const struct myalloc_arena_args args = {
		.name = "a", .block_size = BLOCK, .limit = 2 * BLOCK + PAGE_SIZE + 1,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_with(fx, &args);
	struct myalloc_arena_lane before;

	KUNIT_EXPECT_EQ(test, stats_of(arena)->limit_bytes, 2 * BLOCK + PAGE_SIZE);
	while (myalloc_arena_alloc(arena, 1000, 0))
		;
	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, 2 * BLOCK);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->fails, 1);
	before = arena->lane;
	KUNIT_EXPECT_NULL(test, myalloc_arena_alloc(arena, 1000, 0));
	KUNIT_EXPECT_NULL(test, myalloc_arena_alloc(arena, 3 * PAGE_SIZE, 0));
	before.fails += 2;
	KUNIT_EXPECT_TRUE(test, !memcmp(&before, &arena->lane, sizeof(before)));
	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, 2 * BLOCK);
	myalloc_arena_reset(arena);
	KUNIT_EXPECT_NOT_NULL(test, myalloc_arena_alloc(arena, 1000, 0));
	KUNIT_EXPECT_EQ(test, stats_of(arena)->zone_calls, 2);
	expect_end(fx, arena);
}

/* The zone has no memory for a block, or for its description. */
static void arena_zone_full(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");
	void *chunks[4];
	u32 i, nr;

	for (nr = 0; nr < 3; nr++)
		chunks[nr] = myalloc_pages_alloc(fx->zone, CHUNK_ORDER, 0);
	chunks[nr] = myalloc_pages_alloc_exact(fx->zone, BIT(CHUNK_ORDER) - 4, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, chunks[nr]);
	KUNIT_EXPECT_NULL(test, myalloc_arena_alloc(arena, 1, 1));
	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, 0);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->fails, 1);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, chunks[nr]), 0);
	myalloc_zone_drain(fx->zone);
	chunks[nr] = myalloc_pages_alloc_exact(fx->zone, BIT(CHUNK_ORDER), 0, 0);
	if (chunks[nr]) {
		KUNIT_EXPECT_NULL(test, myalloc_arena_alloc(arena, 1, 1));
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, chunks[nr]), 0);
	}
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_NOT_NULL(test, myalloc_arena_alloc(arena, 1, 1));
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, chunks[i]), 0);
	expect_end(fx, arena);
}

/* In an NMI during validation, operations that need the lock fail and lose nothing. */
static void arena_nmi(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");
	unsigned long flags, irq;
	void *small, *large;

	piece_of(test, arena, 3 * PAGE_SIZE, 0);
	piece_of(test, arena, 9 * PAGE_SIZE, 0);
	myalloc_arena_reset(arena);
	raw_spin_lock_irqsave(&arena->lock, flags);
	irq = fixture_nmi_enter();
	small = myalloc_arena_alloc(arena, 1, 1);
	large = myalloc_arena_alloc(arena, 9 * PAGE_SIZE, 0);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&arena->lock, flags);
	KUNIT_EXPECT_NULL(test, small);
	KUNIT_EXPECT_NULL(test, large);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, 12 * PAGE_SIZE);
	irq = fixture_nmi_enter();
	small = myalloc_arena_alloc(arena, 1, 1);
	large = myalloc_arena_alloc(arena, 9 * PAGE_SIZE, 0);
	fixture_nmi_exit(irq);
	KUNIT_EXPECT_NOT_NULL(test, small);
	KUNIT_EXPECT_NOT_NULL(test, large);
	expect_end(fx, arena);
}

/* --- create, destroy, validate ------------------------------------------------------------ */

static void arena_args(struct kunit *test)
{
	static const struct {
		struct myalloc_arena_args args;
		const char *text;
	} cases[] = {
		{ { .name = NULL }, "the name of a new arena must have 1 to 24" },
		{ { .name = "25-characters-are-no-name" }, "the name of a new arena" },
		{ { .name = "a", .flags = MYALLOC_REDZONE }, "arena a: unknown flags 0x2" },
		{ { .name = "a", .block_size = CHUNK + 1 }, "is larger than a chunk" },
		{ { .name = "a", .block_size = BLOCK, .limit = BLOCK - 1 },
		  "bytes is less than a block of 8 pages" },
	};
	struct myalloc_arena_args args = {
		.name = "24-characters-just-fit-i", .block_size = BLOCK, .limit = BLOCK,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_with(fx, &args);
	unsigned long live = fixture_live_allocs();
	u32 i;

	KUNIT_EXPECT_STREQ(test, arena->blocks->name, "24-characters-just-fit-i-blocks");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fixture_log_mark();
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(myalloc_arena_create(fx->zone, &cases[i].args)),
				    -EINVAL, "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, fixture_log_count(cases[i].text), 1, "case %u", i);
		KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
	}
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_arena_create(fx->zone, &args)), -EEXIST);
	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	myalloc_arena_destroy(NULL);
	expect_end(fx, arena);
	/* Defaults: 64 KiB, no limit. */
	arena = arena_with(fx, &(struct myalloc_arena_args){ .name = "d" });
	KUNIT_EXPECT_EQ(test, stats_of(arena)->block_bytes, MYALLOC_ARENA_BLOCK);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->limit_bytes, 0);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->percpu, 0);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->poison, 0);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->id, arena->front.id);
	expect_end(fx, arena);
}

/* The cost of an unused arena, as arena.c states it. */
static void arena_cost(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");

	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->free_pages, fx->args.nr_pages);
	/* Locks are larger where the kernel checks them. */
	if (sizeof(raw_spinlock_t) <= 4 || fixture_thorough())
		KUNIT_EXPECT_LE(test, sizeof(*arena) + sizeof(*arena->blocks), 2560);
	KUNIT_EXPECT_LE(test, sizeof(struct myalloc_arena_lanes), 3072);
	KUNIT_EXPECT_EQ(test, sizeof(struct myalloc_arena_block), 24);
	/* An allocation that fits finds everything in one line of the lane. */
	KUNIT_EXPECT_LE(test, offsetofend(struct myalloc_arena_lane, busy), L1_CACHE_BYTES);
	expect_end(fx, arena);
}

/* A block of an arena cannot be freed by its address. */
static void arena_free_refused(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");
	void *piece = piece_of(test, arena, 1, 1);

	fixture_note(fx);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, piece), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, piece, 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_KIND], 2);
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, piece), 0);
	KUNIT_EXPECT_PTR_EQ(test, piece_of(test, arena, 1, 1), piece + 1);
	expect_end(fx, arena);
}

/* Validation finds an entry that is not a block, and a wrong count. */
static void arena_validate(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");
	struct myalloc_arena_block *b;
	unsigned long base;
	void *other;

	piece_of(test, arena, 1, 1);
	FIXTURE_EXPECT_VALID(fx);
	b = arena->lane.small.first;
	b->pages = 7;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_STREQ(test, fx->v.first, "G1: arena a: no extent of 7 pages is at its block");
	b->pages = 8;
	base = b->base;
	b->base = (unsigned long)&base;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	other = myalloc_pages_alloc_exact(fx->zone, 8, 0, 0);
	b->base = (unsigned long)other;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_EQ(test, fx->v.errors, 1);
	b->base = base;
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, other), 0);
	atomic_long_dec(&arena->pages);
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_STREQ(test, fx->v.first, "G1: arena a has blocks of 8 pages and counts 7");
	atomic_long_inc(&arena->pages);
	expect_end(fx, arena);
}

static struct myalloc_arena *counted;

static void give_back(const char *where)
{
	if (!strcmp(where, "arena-counted"))
		myalloc_arena_shrink(counted);
}

/* A block freed after it was counted is not a finding. */
static void arena_validate_shrink(struct kunit *test)
{
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_of(fx, "a");

	counted = arena;
	piece_of(test, arena, 1, 1);
	myalloc_arena_reset(arena);
	if (!fixture_set_hook(give_back)) {
		expect_end(fx, arena);
		kunit_skip(test, "no hook in the middle of a validation here");
	}
	FIXTURE_EXPECT_VALID(fx);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, 0);
	expect_end(fx, arena);
}

static void give_back_in_parts(const char *where)
{
	if (!strcmp(where, "arena-part"))
		myalloc_arena_shrink(counted);
}

/* Validation does not look at blocks that are freed between two of its parts. */
static void arena_validate_parts(struct kunit *test)
{
	const struct myalloc_arena_args args = { .name = "a", .block_size = PAGE_SIZE };
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_with(fx, &args);
	u32 i;

	counted = arena;
	for (i = 0; i < 300; i++)
		piece_of(test, arena, PAGE_SIZE / 2 + 1, 1);
	FIXTURE_EXPECT_VALID(fx);
	myalloc_arena_reset(arena);
	if (!fixture_set_hook(give_back_in_parts)) {
		expect_end(fx, arena);
		kunit_skip(test, "no hook in the middle of a validation here");
	}
	FIXTURE_EXPECT_VALID(fx);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, stats_of(arena)->held_bytes, 0);
	expect_end(fx, arena);
}

/* --- a model ------------------------------------------------------------------------------ */

#define MODEL_PIECES	400

/* Pieces of random sizes with contents, and marks, compared with a plain list of both. */
static void arena_random(struct kunit *test)
{
	const struct myalloc_arena_args args = {
		.name = "a", .block_size = BLOCK, .limit = 2 * CHUNK,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_arena *arena = arena_with(fx, &args);
	struct { u8 *addr; size_t size; u8 byte; } *p;
	struct { struct myalloc_arena_mark mark; u32 nr; } marks[MYALLOC_ARENA_MARKS];
	struct myalloc_random random;
	u32 nr = 0, depth = 0, n, i, k;
	u64 fails = 0;

	fixture_random(test, &random);
	p = kunit_kcalloc(test, MODEL_PIECES, sizeof(*p), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	for (n = 0; n < (fixture_thorough() ? 20000 : 4000); n++) {
		size_t align = BIT(myalloc_random_below(&random, 8));
		u8 *addr;

		switch (myalloc_random_below(&random, 20)) {
		case 0:
			if (depth == MYALLOC_ARENA_MARKS)
				break;
			KUNIT_ASSERT_EQ(test, myalloc_arena_mark(arena, &marks[depth].mark), 0);
			marks[depth++].nr = nr;
			break;
		case 1:
			if (!depth)
				break;
			depth = myalloc_random_below(&random, depth);
			KUNIT_ASSERT_EQ(test, myalloc_arena_rewind(arena, &marks[depth].mark), 0);
			nr = marks[depth].nr;
			break;
		case 2:
			if (myalloc_random_below(&random, 20))
				break;
			myalloc_arena_reset(arena);
			myalloc_arena_shrink(arena);
			nr = 0;
			depth = 0;
			break;
		default:
			if (nr == MODEL_PIECES)
				break;
			p[nr].size = myalloc_random_below(&random,
							  2u << myalloc_random_below(&random, 15));
			addr = myalloc_arena_alloc(arena, p[nr].size, align);
			if (!addr) {
				fails++;
				break;
			}
			KUNIT_ASSERT_TRUE(test, IS_ALIGNED((unsigned long)addr, align));
			p[nr].addr = addr;
			p[nr].byte = n;
			memset(addr, p[nr].byte, p[nr].size);
			nr++;
		}
		if (n % 100)
			continue;
		for (i = 0; i < nr; i++) {
			KUNIT_ASSERT_NULL(test, memchr_inv(p[i].addr, p[i].byte, p[i].size));
			for (k = 0; k < i; k++)
				KUNIT_ASSERT_TRUE(test, p[i].addr >= p[k].addr + p[k].size ||
						  p[k].addr >= p[i].addr + p[i].size);
		}
		expect_lane(test, &arena->lane);
		FIXTURE_EXPECT_VALID(fx);
	}
	KUNIT_EXPECT_EQ(test, stats_of(arena)->fails, fails);
	expect_end(fx, arena);
}

static struct kunit_case arena_cases[] = {
	KUNIT_CASE(arena_pieces),
	KUNIT_CASE(arena_limits),
	KUNIT_CASE(arena_zero),
	KUNIT_CASE(arena_steady),
	KUNIT_CASE(arena_large),
	KUNIT_CASE(arena_large_reuse),
	KUNIT_CASE(arena_bounds),
	KUNIT_CASE(arena_marks),
	KUNIT_CASE(arena_marks_deep),
	KUNIT_CASE(arena_bad_marks),
	KUNIT_CASE(arena_poison),
	KUNIT_CASE(arena_poison_written),
	KUNIT_CASE(arena_shadow),
	KUNIT_CASE(arena_limit),
	KUNIT_CASE(arena_zone_full),
	KUNIT_CASE(arena_nmi),
	KUNIT_CASE(arena_args),
	KUNIT_CASE(arena_cost),
	KUNIT_CASE(arena_free_refused),
	KUNIT_CASE(arena_validate),
	KUNIT_CASE(arena_validate_shrink),
	KUNIT_CASE(arena_validate_parts),
	KUNIT_CASE(arena_random),
	{}
};

static struct kunit_suite arena_suite = {
	.name = "myalloc_arena",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = arena_cases,
};

kunit_test_suite(arena_suite);
