// SPDX-License-Identifier: GPL-2.0
/* Tests of per-CPU arenas: lanes of contexts, interrupts, limits, marks. */
#include "env.h"

#include <kunit/test.h>

#include "arena_fixture.h"

struct use {
	struct kunit *test;
	struct myalloc_arena *arena;
	u32 level;
	u8 *pieces[MYALLOC_ARENA_LEVELS + 1];
	struct myalloc_arena_mark mark;
	int err;
};

static struct myalloc_arena_lane *lane_of(const struct myalloc_arena *arena, unsigned int cpu,
					  unsigned int level)
{
	return &per_cpu_ptr(arena->lanes, cpu)->level[level];
}

static void take_piece(void *arg)
{
	struct use *use = arg;

	use->pieces[use->level] = myalloc_arena_alloc(use->arena, 100, 0);
	if (use->pieces[use->level])
		memset(use->pieces[use->level], use->level, 100);
}

/* Each context has a lane of its own, even in the middle of another context's operation. */
static void arena_contexts(struct kunit *test)
{
	const struct myalloc_arena_args args = {
		.name = "a", .block_size = BLOCK, .percpu = true,
	};
	struct fixture *fx = zone_of(test, 0);
	struct use use = { .test = test, .arena = arena_with(fx, &args) };
	struct myalloc_arena_mark mark;
	u32 level, i;

	for (level = 0; level < MYALLOC_ARENA_LEVELS; level++) {
		struct myalloc_arena_lane *l = lane_of(use.arena, fixture_cpu(0), level);

		use.level = level;
		fixture_in_context(level, take_piece, &use);
		KUNIT_ASSERT_NOT_NULL(test, use.pieces[level]);
		KUNIT_EXPECT_EQ(test, l->allocs, 1);
		expect_lane(test, l);
	}
	for (level = 0; level < MYALLOC_ARENA_LEVELS; level++) {
		struct myalloc_arena_lane *l = lane_of(use.arena, fixture_cpu(0), level), before;

		/* Contexts that interrupt this one are served; this one is refused. */
		WRITE_ONCE(l->busy, true);
		before = *l;
		for (i = 0; i < MYALLOC_ARENA_LEVELS; i++) {
			use.level = i;
			fixture_in_context(i, take_piece, &use);
			KUNIT_EXPECT_EQ(test, !use.pieces[i], i == level);
		}
		KUNIT_EXPECT_TRUE(test, !memcmp(&before, l, sizeof(before)));
		KUNIT_EXPECT_EQ(test, stats_of(use.arena)->busy, level + 1);
		WRITE_ONCE(l->busy, false);
	}
	WRITE_ONCE(lane_of(use.arena, fixture_cpu(0), 0)->busy, true);
	KUNIT_EXPECT_EQ(test, myalloc_arena_mark(use.arena, &mark), -EBUSY);
	KUNIT_EXPECT_EQ(test, myalloc_arena_rewind(use.arena, &mark), -EBUSY);
	WRITE_ONCE(lane_of(use.arena, fixture_cpu(0), 0)->busy, false);
	KUNIT_EXPECT_EQ(test, stats_of(use.arena)->allocs, 4 + 4 * 3);
	KUNIT_EXPECT_EQ(test, stats_of(use.arena)->used_bytes, 4 * 4 * 104 - 4 * 4);
	KUNIT_EXPECT_EQ(test, stats_of(use.arena)->percpu, 1);
	expect_end(fx, use.arena);
}

static struct use interrupting;

/* Interrupts an operation of a task right after it has begun. */
static void interrupt(const char *where)
{
	struct use *use = &interrupting;

	if (strcmp(where, "arena-entered") || use->level)
		return;
	for (use->level = 1; use->level < MYALLOC_ARENA_LEVELS; use->level++)
		if (use->level != 2 || !irqs_disabled())
			fixture_in_context(use->level, take_piece, use);
	/* The task's own lane, as used by a tracer in an interrupt that is not counted yet. */
	use->pieces[MYALLOC_ARENA_LEVELS] = myalloc_arena_alloc(use->arena, 100, 0);
}

/* Interrupts of each kind in the middle of an allocation get pieces of their own. */
static void arena_interrupted(struct kunit *test)
{
	const struct myalloc_arena_args args = {
		.name = "a", .block_size = BLOCK, .percpu = true,
	};
	struct fixture *fx = zone_of(test, 0);
	struct use *use = &interrupting;
	u8 *piece, *again;
	u32 i;

	*use = (struct use){ .test = test, .arena = arena_with(fx, &args) };
	piece = piece_of(test, use->arena, 100, 0);
	if (!fixture_set_hook(interrupt)) {
		expect_end(fx, use->arena);
		kunit_skip(test, "no hook in the middle of an allocation here");
	}
	again = piece_of(test, use->arena, 100, 0);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_PTR_EQ(test, again, piece + 104);
	for (i = 1; i < MYALLOC_ARENA_LEVELS; i++) {
		KUNIT_EXPECT_NOT_NULL(test, use->pieces[i]);
		KUNIT_EXPECT_NULL(test, memchr_inv(use->pieces[i], i, 100));
	}
	KUNIT_EXPECT_NULL(test, use->pieces[MYALLOC_ARENA_LEVELS]);
	KUNIT_EXPECT_EQ(test, stats_of(use->arena)->busy, 1);
	expect_end(fx, use->arena);
}

/* Interrupts a task that is about to compare with the limit. */
static void interrupt_count(const char *where)
{
	struct use *use = &interrupting;

	if (strcmp(where, "arena-count") || use->level)
		return;
	use->level = 2;
	fixture_in_context(use->level, take_piece, use);
}

/* At the limit a request that fits succeeds, even while another one is being refused. */
static void arena_limit_race(struct kunit *test)
{
	const struct myalloc_arena_args args = {
		.name = "a", .block_size = BLOCK, .limit = 2 * BLOCK, .percpu = true,
	};
	struct fixture *fx = zone_of(test, 0);
	struct use *use = &interrupting;
	u32 i;

	if (!fixture_set_hook(NULL)) {
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
		kunit_skip(test, "no hook in the middle of an allocation here");
	}
	/* One large piece never fits, another not after an interrupt has taken a block. */
	for (i = 0; i < 2; i++) {
		*use = (struct use){ .test = test, .arena = arena_with(fx, &args) };
		fixture_set_hook(interrupt_count);
		KUNIT_EXPECT_NULL(test, myalloc_arena_alloc(use->arena, (3 - i) * BLOCK, 0));
		fixture_set_hook(NULL);
		KUNIT_EXPECT_NOT_NULL(test, use->pieces[2]);
		KUNIT_EXPECT_EQ(test, stats_of(use->arena)->held_bytes, BLOCK);
		KUNIT_EXPECT_EQ(test, stats_of(use->arena)->fails, 1);
		expect_end(fx, use->arena);
	}
}

static void mark_here(void *arg)
{
	struct use *use = arg;

	use->err = myalloc_arena_mark(use->arena, &use->mark);
	take_piece(use);
}

static void rewind_here(void *arg)
{
	struct use *use = arg;

	use->err = myalloc_arena_rewind(use->arena, &use->mark);
}

/* Marks belong to a CPU and a context; a reset takes effect at the next use of each lane. */
static void arena_percpu_marks(struct kunit *test)
{
	const struct myalloc_arena_args args = {
		.name = "a", .block_size = BLOCK, .percpu = true, .flags = MYALLOC_POISON,
	};
	struct fixture *fx = zone_of(test, 0);
	struct use use = { .test = test, .arena = arena_with(fx, &args) };
	u8 *first;
	u64 calls;

	fixture_in_context(2, mark_here, &use);
	KUNIT_EXPECT_EQ(test, use.err, 0);
	first = use.pieces[0];
	KUNIT_ASSERT_NOT_NULL(test, first);
	rewind_here(&use);
	KUNIT_EXPECT_EQ(test, use.err, -EINVAL);
	if (fixture_nr_cpus() > 1) {
		fixture_on_cpu(1, rewind_here, &use);
		KUNIT_EXPECT_EQ(test, use.err, -EINVAL);
		fixture_on_cpu(1, take_piece, &use);
		KUNIT_EXPECT_NOT_NULL(test, use.pieces[0]);
	}
	KUNIT_EXPECT_EQ(test, stats_of(use.arena)->rewinds, 0);
	fixture_in_context(2, rewind_here, &use);
	KUNIT_EXPECT_EQ(test, use.err, 0);
	fixture_in_context(2, mark_here, &use);
	KUNIT_EXPECT_PTR_EQ(test, use.pieces[0], first);

	calls = stats_of(use.arena)->zone_calls;
	myalloc_arena_reset(use.arena);
	KUNIT_EXPECT_EQ(test, stats_of(use.arena)->used_bytes, 0);
	KUNIT_EXPECT_GT(test, stats_of(use.arena)->peak_bytes, 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(first, 0, 100));
	fixture_in_context(2, rewind_here, &use);
	KUNIT_EXPECT_EQ(test, use.err, -EINVAL);
	KUNIT_EXPECT_TRUE(test, poisoned(first, 100));
	fixture_in_context(2, take_piece, &use);
	KUNIT_EXPECT_PTR_EQ(test, use.pieces[0], first);
	KUNIT_EXPECT_EQ(test, stats_of(use.arena)->zone_calls, calls);
	/* Unused lanes are freed too. */
	myalloc_arena_reset(use.arena);
	KUNIT_EXPECT_EQ(test, myalloc_arena_shrink(use.arena) << PAGE_SHIFT, calls * BLOCK);
	KUNIT_EXPECT_EQ(test, stats_of(use.arena)->held_bytes, 0);
	expect_end(fx, use.arena);
}

static struct kunit_case arena_percpu_cases[] = {
	KUNIT_CASE(arena_limit_race),
	KUNIT_CASE(arena_contexts),
	KUNIT_CASE(arena_interrupted),
	KUNIT_CASE(arena_percpu_marks),
	{}
};

static struct kunit_suite arena_percpu_suite = {
	.name = "myalloc_arena_percpu",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = arena_percpu_cases,
};

kunit_test_suite(arena_percpu_suite);
