/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the suites of arenas: zones, arenas, and the invariants of a lane. */
#ifndef MYALLOC_KUNIT_ARENA_FIXTURE_H
#define MYALLOC_KUNIT_ARENA_FIXTURE_H

#include "fixture.h"
#include "front/arena.h"

#define CHUNK_ORDER	7U
#define CHUNK		(PAGE_SIZE << CHUNK_ORDER)
#define BLOCK		(8 * PAGE_SIZE)
#define LARGE		(BLOCK / 4 + 1)		/* the least to get pages of its own */

static inline struct fixture *zone_of(struct kunit *test, myalloc_cache_flags_t checks)
{
	const struct fixture_args args = {
		.nr_pages = 4U << CHUNK_ORDER, .chunk_order = CHUNK_ORDER, .no_magazines = true,
		.checks = checks,
	};

	return fixture_zone(test, &args);
}

static inline struct myalloc_arena *arena_with(struct fixture *fx,
					       const struct myalloc_arena_args *args)
{
	struct myalloc_arena *arena = myalloc_arena_create(fx->zone, args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, arena);
	return arena;
}

static inline struct myalloc_arena *arena_of(struct fixture *fx, const char *name)
{
	return arena_with(fx, &(struct myalloc_arena_args){ .name = name, .block_size = BLOCK });
}

static const struct myalloc_arena_stats *stats_of(struct myalloc_arena *arena)
{
	static struct myalloc_arena_stats stats;

	myalloc_arena_stats(arena, &stats);
	return &stats;
}

static inline u32 length(const struct myalloc_arena_chain *chain)
{
	const struct myalloc_arena_block *b;
	u32 nr = 0;

	for (b = chain->first; b; b = b->next)
		nr++;
	return nr;
}

/* Check G2, G3, G4 of an unused lane. */
static inline void expect_lane(struct kunit *test, const struct myalloc_arena_lane *l)
{
	const struct myalloc_arena_chain *chains[] = { &l->small, &l->large };
	u32 i, sum[2] = { 0 };

	for (i = 0; i < 2; i++) {
		const struct myalloc_arena_block *b = NULL;

		if (chains[i]->last_used)
			b = chains[i]->first;
		for (; b; b = b == chains[i]->last_used ? NULL : b->next) {
			sum[i] += b->pages;
			KUNIT_EXPECT_EQ(test, b->sum, sum[i]);
		}
		KUNIT_EXPECT_EQ(test, sum[i], chains[i]->last_used ? chains[i]->last_used->sum : 0);
	}
	if (l->small.last_used) {
		const struct myalloc_arena_block *b = l->small.last_used;

		KUNIT_EXPECT_EQ(test, l->end, b->base + ((size_t)b->pages << PAGE_SHIFT));
		KUNIT_EXPECT_TRUE(test, l->at >= b->base && l->at <= l->end);
		KUNIT_EXPECT_EQ(test, l->at + l->bias,
				((size_t)(sum[0] + sum[1]) << PAGE_SHIFT) - (l->end - l->at));
	} else {
		KUNIT_EXPECT_EQ(test, l->at, 0);
		KUNIT_EXPECT_EQ(test, l->end, 0);
		KUNIT_EXPECT_EQ(test, l->bias, (size_t)sum[1] << PAGE_SHIFT);
	}
	KUNIT_EXPECT_LE(test, l->depth, MYALLOC_ARENA_MARKS);
	KUNIT_EXPECT_FALSE(test, l->busy);
}

static inline void expect_end(struct fixture *fx, struct myalloc_arena *arena)
{
	if (!arena->lanes)
		expect_lane(fx->test, &arena->lane);
	FIXTURE_EXPECT_VALID(fx);
	myalloc_arena_destroy(arena);
	KUNIT_EXPECT_EQ(fx->test, fixture_stats(fx)->nr_caches, 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(fx->test, fixture_pristine(fx));
}

static inline void *piece_of(struct kunit *test, struct myalloc_arena *arena, size_t size,
			     size_t align)
{
	void *piece = myalloc_arena_alloc(arena, size, align);

	KUNIT_ASSERT_NOT_NULL(test, piece);
	return piece;
}

static inline struct myalloc_arena_mark mark_of(struct kunit *test, struct myalloc_arena *arena)
{
	struct myalloc_arena_mark mark;

	KUNIT_ASSERT_EQ(test, myalloc_arena_mark(arena, &mark), 0);
	return mark;
}

static inline bool poisoned(const u8 *from, size_t size)
{
	return !myalloc_env_raw_memchr_inv(from, MYALLOC_POISON_FREE, size);
}

#endif /* MYALLOC_KUNIT_ARENA_FIXTURE_H */
