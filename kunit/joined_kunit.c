// SPDX-License-Identifier: GPL-2.0
/* Tests of joined chunks: blocks above the chunk order, where chunks are adjacent in memory. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "page/block.h"
#include "page/buddy.h"
#include "zone/zone.h"

#define ORDER	2U			/* of a chunk */
#define CHUNK	BIT(ORDER)
#define MOST	16			/* chunks of a layout */

/* Position of each chunk, in chunks; 0 ends the list, so none is at 0. */
struct layout {
	u8 at[MOST + 1];
	unsigned int top;		/* largest order, above that of a chunk */
	u8 limit[MOST];			/* of each chunk, above that of a chunk */
};

static const struct layout layouts[] = {
	/* adjacent and aligned */
	{ { 16, 17, 18, 19 }, 2, { 2, 0, 1, 0 } },
	/* adjacent, from the middle of a larger block on, and two apart */
	{ { 3, 4, 5, 6, 7, 9 }, 2, { 0, 2, 0, 1, 0, 0 } },
	/* two, which are not buddies */
	{ { 3, 4 }, 0, { 0, 0 } },
	/* none adjacent */
	{ { 2, 4, 6, 8 }, 0, { 0, 0, 0, 0 } },
	/* a hole in what would be one block */
	{ { 8, 9, 11, 12, 13, 14, 15 }, 2, { 1, 0, 0, 2, 0, 1, 0 } },
	/* two ranges, aligned differently */
	{ { 8, 9, 10, 11, 13, 14, 15, 16, 17 }, 2, { 2, 0, 1, 0, 0, 1, 0, 1, 0 } },
	/* more than the largest order that the zone asks for: see joined_capped() */
	{ { 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31 }, 4,
	  { 4, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0, 1, 0 } },
};

static struct fixture *prepare(struct kunit *test, const struct layout *l, u32 less,
			       unsigned int order, const struct fixture_args *of)
{
	struct fixture_args args = *of;
	unsigned long base;
	struct fixture *fx;
	u32 i, nr;

	for (nr = 0; l->at[nr]; nr++)
		;
	args.nr_pages = (nr << order) - less;
	args.chunk_order = order;
	args.simulated = true;
	args.no_magazines = true;
	fx = fixture_prepare(test, &args);
	base = (unsigned long)fx->chunks[0];
	for (i = 0; i < nr; i++)
		fx->chunks[i] = (void *)(base + ((unsigned long)l->at[i] << order) * PAGE_SIZE);
	fx->args.max_order = MYALLOC_TOP_ORDER;
	return fx;
}

static struct fixture *make_of(struct kunit *test, const struct layout *l, u32 less,
			       unsigned int order, const struct fixture_args *of)
{
	struct fixture *fx = prepare(test, l, less, order, of);

	fx->zone = myalloc_zone_create(&fx->args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fx->zone);
	fx->zone->reports.burst = U32_MAX;
	FIXTURE_EXPECT_VALID(fx);
	return fx;
}

static struct fixture *make(struct kunit *test, const struct layout *l)
{
	const struct fixture_args args = {};

	return make_of(test, l, 0, ORDER, &args);
}

static u32 idx_of(const struct fixture *fx, const void *addr)
{
	return myalloc_frame_idx(fx->zone, myalloc_map_frame(&fx->zone->map, addr));
}

/* Every layout, with chunks of several sizes: the limits, and the largest blocks. */
static void joined_layouts(struct kunit *test)
{
	static const unsigned int orders[] = { 0, ORDER, 6, 10 };
	const struct fixture_args args = {};
	u32 i, k, c, top;

	for (i = 0; i < ARRAY_SIZE(layouts); i++)
		for (k = 0; k < ARRAY_SIZE(orders); k++) {
			const struct layout *l = &layouts[i];
			struct fixture *fx = make_of(test, l, 0, orders[k], &args);
			const struct myalloc_buddy *b = &fx->zone->buddy;

			top = l->top + orders[k];
			KUNIT_EXPECT_EQ(test, b->top_order, top);
			KUNIT_EXPECT_EQ(test, !!b->joined, !!l->top);
			KUNIT_EXPECT_EQ(test, myalloc_buddy_largest(b), top);
			KUNIT_EXPECT_EQ(test, fx->v.frames, b->nr_frames);
			for (c = 0; b->joined && c < fx->zone->nr_chunks; c++)
				KUNIT_EXPECT_EQ_MSG(test, b->joined->limit[c],
						    l->limit[c] + orders[k], "layout %u, chunk %u",
						    i, c);
			fixture_end(fx);
		}
}

/* Chunks apart need no metadata for joining; adjacent ones need what the function returns. */
static void joined_cost(struct kunit *test)
{
	const struct fixture_args args = { };
	struct fixture *none = make_of(test, &layouts[3], 0, ORDER, &args);
	struct fixture *fx = make(test, &layouts[0]);

	KUNIT_EXPECT_NULL(test, none->zone->buddy.joined);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(none->zone, ORDER + 1, 0));
	KUNIT_EXPECT_EQ(test, fx->zone->meta_bytes - none->zone->meta_bytes,
			myalloc_buddy_join_size(4 * CHUNK, ORDER, ORDER + 2));
}

/* The zone limits the size of a block, whatever the chunks allow. */
static void joined_capped(struct kunit *test)
{
	const struct fixture_args args = {};
	unsigned int max;

	for (max = 0; max <= ORDER + 5; max++) {
		struct fixture *fx = prepare(test, &layouts[6], 0, ORDER, &args);

		fx->args.max_order = max;
		fx->zone = myalloc_zone_create(&fx->args);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fx->zone);
		FIXTURE_EXPECT_VALID(fx);
		KUNIT_EXPECT_EQ(test, fx->zone->buddy.top_order,
				clamp_t(unsigned int, max, ORDER, ORDER + 4));
		fixture_end(fx);
	}
}

/* A block of several chunks holds all of each; free blocks of several hold none. */
static void joined_held(struct kunit *test)
{
	struct fixture *fx = make(test, &layouts[0]);
	void *block = myalloc_pages_alloc(fx->zone, ORDER + 1, 0);
	u32 c, held = 0;

	KUNIT_ASSERT_NOT_NULL(test, block);
	for (c = 0; c < 4; c++) {
		bool in = fx->chunks[c] >= block &&
			  fx->chunks[c] < block + (PAGE_SIZE << (ORDER + 1));

		KUNIT_EXPECT_EQ(test, myalloc_zone_chunk_held(fx->zone, c), in ? CHUNK : 0);
		held += in;
	}
	KUNIT_EXPECT_EQ(test, held, 2);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, block, ORDER + 1), 0);
	for (c = 0; c < 4; c++)
		KUNIT_EXPECT_EQ(test, myalloc_zone_chunk_held(fx->zone, c), 0);
}

/* A last chunk that is not whole is part of no larger block. */
static void joined_last(struct kunit *test)
{
	const struct fixture_args args = {};
	struct fixture *fx = make_of(test, &layouts[0], 1, ORDER, &args);
	const struct myalloc_buddy *b = &fx->zone->buddy;

	KUNIT_EXPECT_EQ(test, b->top_order, ORDER + 1);
	KUNIT_EXPECT_EQ(test, b->joined->limit[2], ORDER);
	KUNIT_EXPECT_EQ(test, b->joined->limit[3], ORDER);
	KUNIT_EXPECT_EQ(test, b->nr_blocks[ORDER + 1], 1);
	KUNIT_EXPECT_EQ(test, b->nr_blocks[ORDER], 1);
	KUNIT_EXPECT_EQ(test, b->nr_blocks[1], 1);
	KUNIT_EXPECT_EQ(test, b->nr_blocks[0], 1);
}

/* Take everything as single frames and free it in random order: the initial state is restored. */
static void joined_merge(struct kunit *test)
{
	struct myalloc_random random;
	void *page[MOST * CHUNK + 1];	/* the last is NULL */
	u32 i, n, k;

	fixture_random(test, &random);
	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		struct fixture *fx = make(test, &layouts[i]);

		for (n = 0; (page[n] = myalloc_pages_alloc(fx->zone, 0, n % 3 ? 0 :
							   MYALLOC_TOPDOWN)); n++)
			;
		KUNIT_EXPECT_EQ(test, n, fx->args.nr_pages);
		while (n) {
			k = myalloc_random_below(&random, n);
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page[k], 0), 0);
			page[k] = page[--n];
			FIXTURE_EXPECT_VALID(fx);
		}
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
		KUNIT_EXPECT_EQ(test, fx->zone->buddy.nr_merges, fx->zone->buddy.nr_splits);
		fixture_end(fx);
	}
}

/* Both ends, both policies: where a block is placed. */
static void joined_placement(struct kunit *test)
{
	struct fixture_args args = { .policy = MYALLOC_FIRST_FIT };
	struct fixture *fx = make_of(test, &layouts[1], 0, ORDER, &args);
	void *low, *large, *top;

	/* First fit takes the lone chunk at the lowest address, then the block of four. */
	low = myalloc_pages_alloc(fx->zone, ORDER, 0);
	KUNIT_EXPECT_PTR_EQ(test, low, fx->chunks[0]);
	large = myalloc_pages_alloc(fx->zone, ORDER + 1, MYALLOC_TOPDOWN);
	KUNIT_EXPECT_PTR_EQ(test, large, fx->chunks[3]);
	top = myalloc_pages_alloc(fx->zone, 0, 0);
	KUNIT_EXPECT_PTR_EQ(test, top, fx->chunks[1]);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, low, ORDER), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, large), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, top, 0), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* The address of a larger block is aligned to its size in memory. */
static void joined_address(struct kunit *test)
{
	struct fixture *fx = make(test, &layouts[6]);
	unsigned int order;

	for (order = ORDER + 1; order <= ORDER + 4; order++) {
		void *addr = myalloc_pages_alloc(fx->zone, order, 0);

		KUNIT_EXPECT_EQ(test, (unsigned long)addr % (PAGE_SIZE << order), 0);
		KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, addr), PAGE_SIZE << order);
		KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, addr + PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr), 0);
	}
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, ORDER + 5, 0));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_allocs[ORDER + 4], 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_frees[ORDER + 4], 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->largest_order, ORDER + 4);
}

/* Each page of a block of two chunks is memory of its own. */
static void joined_memory(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 4 * CHUNK, .chunk_order = ORDER, .checks = MYALLOC_POISON,
		.no_magazines = true,
	};
	struct fixture *fx = fixture_prepare(test, &args);
	u32 i;
	u8 *p;

	fx->args.max_order = MYALLOC_TOP_ORDER;
	fx->zone = myalloc_zone_create(&fx->args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fx->zone);
	p = myalloc_pages_alloc(fx->zone, ORDER + 2, MYALLOC_ZERO);
	KUNIT_ASSERT_PTR_EQ(test, p, (u8 *)fx->chunks[0]);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, 4 * CHUNK * PAGE_SIZE));
	for (i = 0; i < 4 * CHUNK; i++)
		memset(p + i * PAGE_SIZE, i, PAGE_SIZE);
	for (i = 0; i < 4 * CHUNK; i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(p + i * PAGE_SIZE, i, PAGE_SIZE));
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, p, ORDER + 2), 0);
	p = myalloc_pages_alloc(fx->zone, ORDER + 2, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, p, ORDER + 2), 0);
}

/* Freed in NMI while the lock is held: deferred, and merged later. */
static void joined_deferred(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 4 * CHUNK, .chunk_order = ORDER, .no_magazines = true,
	};
	struct fixture *fx = fixture_prepare(test, &args);
	void *block[2];

	fx->args.max_order = MYALLOC_TOP_ORDER;
	fx->zone = myalloc_zone_create(&fx->args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fx->zone);
	block[0] = myalloc_pages_alloc(fx->zone, ORDER + 1, 0);
	block[1] = myalloc_pages_alloc(fx->zone, ORDER + 1, 0);
	fixture_free_deferred(fx, block, 2, ORDER + 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 4 * CHUNK);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	FIXTURE_EXPECT_VALID(fx);
}

/* Extents and particular pages out of a larger block; the rest is split, and merges again. */
static void joined_extents(struct kunit *test)
{
	struct fixture *fx = make(test, &layouts[1]);
	struct myalloc_buddy *b = &fx->zone->buddy;
	void *all[2], *five, *half;
	u32 at, nr;

	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, CHUNK + 1, 0, 0));
	all[0] = myalloc_pages_alloc(fx->zone, ORDER, 0);
	all[1] = myalloc_pages_alloc(fx->zone, ORDER, 0);
	KUNIT_EXPECT_PTR_EQ(test, all[1], fx->chunks[5]);
	five = myalloc_pages_alloc_exact(fx->zone, 3, 0, 0);
	KUNIT_EXPECT_PTR_EQ(test, five, fx->chunks[1]);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, five, 3), 0);
	/* A chunk is searched when a larger block has become free meanwhile. */
	for (at = 0; at < 6; at++) {
		u32 idx = myalloc_buddy_alloc_exact_in(b, at, 3, 0, false);

		KUNIT_EXPECT_EQ(test, idx, CHUNK);
		KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, idx, 3), MYALLOC_OK);
	}
	/* The same if that is the smallest free block. */
	half = myalloc_pages_alloc(fx->zone, ORDER + 1, 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_exact_in(b, 0, 3, 0, false), 3 * CHUNK);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, 3 * CHUNK, 3), MYALLOC_OK);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, half, ORDER + 1), 0);
	for (at = CHUNK; at < 5 * CHUNK; at++)
		for (nr = 1; nr <= CHUNK - at % CHUNK; nr++) {
			void *addr = myalloc_frame_addr(fx->zone, at);

			KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, addr, nr, 0), 0);
			KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, addr, 1, 0),
					-EBUSY);
			FIXTURE_EXPECT_VALID(fx);
			KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, nr), 0);
			FIXTURE_EXPECT_VALID(fx);
			KUNIT_EXPECT_EQ(test, b->nr_blocks[ORDER + 2], 1);
		}
	for (at = 0; at < 2; at++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, all[at], ORDER), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* The buddy itself may take a range over several chunks. */
static void joined_range(struct kunit *test)
{
	struct fixture *fx = make(test, &layouts[1]);
	struct myalloc_buddy *b = &fx->zone->buddy;
	u32 at, nr;

	for (at = 0; at < 6 * CHUNK; at++)
		for (nr = 1; nr <= 6 * CHUNK - at; nr++) {
			memset(&fx->v, 0, sizeof(fx->v));
			KUNIT_ASSERT_EQ(test, myalloc_buddy_alloc_range(b, at, nr), 0);
			KUNIT_EXPECT_EQ(test, b->nr_free, 6 * CHUNK - nr);
			KUNIT_EXPECT_TRUE_MSG(test, myalloc_buddy_validate(b, &fx->v), "%s",
					      fx->v.first);
			KUNIT_EXPECT_EQ(test, myalloc_buddy_free_exact(b, at, nr), MYALLOC_OK);
			KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
		}
}

/* Is @order refused at @addr for this reason, and nothing changed? */
static void refused(struct fixture *fx, void *addr, unsigned int order, enum myalloc_bad bad)
{
	u64 before = fixture_stats(fx)->bad[bad], free = fx->stats.free_pages;

	KUNIT_EXPECT_EQ(fx->test, myalloc_pages_free(fx->zone, addr, order), -EINVAL);
	KUNIT_EXPECT_EQ(fx->test, fixture_stats(fx)->bad[bad], before + 1);
	KUNIT_EXPECT_EQ(fx->test, fx->stats.free_pages, free);
	FIXTURE_EXPECT_VALID(fx);
}

/* Wrong frees of larger blocks, each with its reason. */
static void joined_wrong(struct kunit *test)
{
	struct fixture *fx = make(test, &layouts[1]);
	struct myalloc_buddy *b = &fx->zone->buddy;
	void *addr = myalloc_pages_alloc(fx->zone, ORDER + 2, 0), *high;
	u32 idx = idx_of(fx, addr);

	KUNIT_EXPECT_EQ(test, idx, CHUNK);
	refused(fx, addr, ORDER + 1, MYALLOC_BAD_ORDER);
	refused(fx, addr, MYALLOC_TOP_ORDER + 1, MYALLOC_BAD_ORDER);
	refused(fx, fx->chunks[2], ORDER, MYALLOC_BAD_INTERIOR);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx, ORDER + 1), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx, ORDER + 3), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx, UINT_MAX), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx + CHUNK, ORDER + 1),
			MYALLOC_BAD_INTERIOR);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, U32_MAX, ORDER + 2), MYALLOC_BAD_FOREIGN);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, ORDER + 2), 0);
	refused(fx, addr, ORDER + 2, MYALLOC_BAD_FREE);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx, ORDER + 2), MYALLOC_BAD_FREE);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx + 3 * CHUNK, ORDER), MYALLOC_BAD_FREE);
	/* The second half of a block, with an order that a block there could have. */
	KUNIT_EXPECT_EQ(test, fx->zone->buddy.chunk_order, ORDER);
	addr = myalloc_pages_alloc(fx->zone, ORDER + 2, 0);
	KUNIT_EXPECT_EQ(test, idx_of(fx, addr), CHUNK);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx + 2 * CHUNK, ORDER + 1),
			MYALLOC_BAD_INTERIOR);
	/* An order that fits every chunk. */
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx, ORDER), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, ORDER + 2), 0);
	/* A chunk at which nothing larger may begin. */
	high = myalloc_pages_alloc(fx->zone, ORDER, 0);
	KUNIT_EXPECT_PTR_EQ(test, high, fx->chunks[0]);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 0, ORDER + 1), MYALLOC_BAD_MISALIGNED);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, 0, ORDER + 2), MYALLOC_BAD_MISALIGNED);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc_range(b, 1, 1), -EBUSY);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, high, ORDER), 0);
	/* A block of half the order possible there, freed with the full order. */
	high = myalloc_pages_alloc(fx->zone, ORDER + 1, 0);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx, ORDER + 2), MYALLOC_BAD_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_free(b, idx + CHUNK - 1, ORDER + 2),
			MYALLOC_BAD_INTERIOR);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, high, ORDER + 1), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* --- a model ---------------------------------------------------------------------- */

/* Which frames are free, at their addresses: frames that do not exist are not. */
struct model {
	const struct layout *l;
	u8 free[(MOST * 2 + 2) * CHUNK];
	struct {
		void *addr;
		u32 order;
	} live[64];
};

static bool model_run(const struct model *m, u32 at, u32 nr)
{
	while (nr--)
		if (!m->free[at + nr])
			return false;
	return true;
}

/* Is there an aligned free range of 2^order frames anywhere? */
static bool model_has(const struct model *m, unsigned int order)
{
	u32 at;

	for (at = 0; at + BIT(order) <= ARRAY_SIZE(m->free); at += BIT(order))
		if (model_run(m, at, BIT(order)))
			return true;
	return false;
}

static void model_set(struct model *m, const struct fixture *fx, u32 idx, u32 nr, bool free)
{
	memset(m->free + m->l->at[idx / CHUNK] * CHUNK + idx % CHUNK, free, nr);
	KUNIT_EXPECT_LT(fx->test, idx, fx->args.nr_pages);
}

/*
 * Random operations: a block is found if and only if there is an aligned free range, whatever the
 * chunks are that it lies in, and no two overlap.
 */
static void joined_random(struct kunit *test)
{
	u32 i, step, steps = fixture_thorough() ? 4000 : 300;
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct myalloc_random random;

	KUNIT_ASSERT_NOT_NULL(test, m);
	fixture_random(test, &random);
	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		const struct fixture_args args = { .policy = i % 2 };
		struct fixture *fx = make_of(test, &layouts[i], 0, ORDER, &args);
		u32 n = 0, k, c;

		memset(m->free, 0, sizeof(m->free));
		m->l = &layouts[i];
		for (c = 0; m->l->at[c]; c++)
			model_set(m, fx, c * CHUNK, CHUNK, true);
		for (step = 0; step < steps; step++) {
			u32 order = myalloc_random_below(&random, m->l->top + ORDER + 2), idx;
			bool topdown = myalloc_random_one_in(&random, 3);
			void *addr;

			if (n == ARRAY_SIZE(m->live) || (n && myalloc_random_one_in(&random, 2))) {
				k = myalloc_random_below(&random, n);
				idx = idx_of(fx, m->live[k].addr);
				KUNIT_ASSERT_EQ(test, myalloc_pages_free(fx->zone, m->live[k].addr,
									 m->live[k].order), 0);
				model_set(m, fx, idx, BIT(m->live[k].order), true);
				m->live[k] = m->live[--n];
				continue;
			}
			addr = myalloc_pages_alloc(fx->zone, order, topdown ? MYALLOC_TOPDOWN : 0);
			KUNIT_ASSERT_EQ(test, !!addr, model_has(m, order));
			if (!addr)
				continue;
			idx = idx_of(fx, addr);
			KUNIT_ASSERT_TRUE(test, model_run(m, m->l->at[idx / CHUNK] * CHUNK +
							  idx % CHUNK, BIT(order)));
			model_set(m, fx, idx, BIT(order), false);
			m->live[n].addr = addr;
			m->live[n++].order = order;
			if (!(step % 16))
				FIXTURE_EXPECT_VALID(fx);
		}
		while (n--)
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, m->live[n].addr,
								 m->live[n].order), 0);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
		fixture_end(fx);
	}
}

/* --- damage ----------------------------------------------------------------------- */

/* Every flipped bit of trees and limits is found, with blocks of every kind in use. */
static void joined_every_bit(struct kunit *test)
{
	struct fixture *fx = make(test, &layouts[6]);
	struct myalloc_buddy *b = &fx->zone->buddy;
	u32 step = fixture_thorough() ? 1 : 3, lost = 0, bit, bits;
	size_t from = ALIGN(offsetof(struct myalloc_joined, limit) + 16, sizeof(u64));
	void *block[4] = {
		myalloc_pages_alloc(fx->zone, ORDER + 2, 0),
		myalloc_pages_alloc(fx->zone, 0, 0),
		myalloc_pages_alloc(fx->zone, ORDER + 1, 0),
		myalloc_pages_alloc(fx->zone, ORDER, 0),
	};
	static const u32 orders[] = { ORDER + 2, 0, ORDER + 1, ORDER };
	u8 *bytes = (u8 *)b->joined;

	FIXTURE_EXPECT_VALID(fx);
	bits = myalloc_buddy_join_size(16 * CHUNK, ORDER, ORDER + 4) * 8;
	for (bit = offsetof(struct myalloc_joined, limit) * 8; bit < bits; bit += step) {
		if (bit / 8 >= offsetof(struct myalloc_joined, limit) + 16 && bit / 8 < from)
			continue;
		bytes[bit / 8] ^= BIT(bit % 8);
		if (fixture_valid(fx) || !strchr("TBZ", fx->v.first[0])) {
			kunit_info(test, "bit %u of %u: \"%s\"\n", bit, bits, fx->v.first);
			lost++;
		}
		bytes[bit / 8] ^= BIT(bit % 8);
	}
	/* The marks where blocks begin. */
	for (bit = 0; bit < 16 * CHUNK; bit++) {
		b->head[bit / 64] ^= BIT_ULL(bit % 64);
		if (fixture_valid(fx)) {
			kunit_info(test, "head of frame %u\n", bit);
			lost++;
		}
		b->head[bit / 64] ^= BIT_ULL(bit % 64);
	}
	KUNIT_EXPECT_EQ(test, lost, 0);
	for (bit = 0; bit < 4; bit++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, block[bit], orders[bit]), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static void damaged(struct kunit *test, struct fixture *fx, const char *text)
{
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_STREQ(test, fx->v.first, text);
}

/* B1, B3, B6 in words. */
static void joined_damaged(struct kunit *test)
{
	struct fixture *fx = make(test, &layouts[1]);
	struct myalloc_buddy *b = &fx->zone->buddy;
	struct myalloc_bitmap_tree *four = myalloc_buddy_tree(b, ORDER + 2);
	struct myalloc_bitmap_tree *two = myalloc_buddy_tree(b, ORDER + 1);
	void *alone, *half, *two_pages;
	u32 idx;

	b->joined->limit[3] = ORDER;
	damaged(test, fx, "B6: blocks at chunk 3 are limited to order 2, not 3");
	b->joined->limit[3] = ORDER + 1;
	FIXTURE_EXPECT_VALID(fx);

	/* Two halves that should be one. */
	b->head[0] |= BIT_ULL(3 * CHUNK);
	myalloc_tree_clear(four, 1);
	myalloc_tree_set(two, 1);
	myalloc_tree_set(two, 3);
	damaged(test, fx, "B3: both halves of the block of order 4 at frame 4 are free");
	myalloc_tree_clear(two, 1);
	myalloc_tree_clear(two, 3);
	myalloc_tree_set(four, 1);
	b->head[0] &= ~BIT_ULL(3 * CHUNK);
	FIXTURE_EXPECT_VALID(fx);

	/* The block begins one chunk too early. */
	b->head[0] &= ~BIT_ULL(CHUNK);
	b->head[0] |= BIT_ULL(4 * CHUNK);
	damaged(test, fx, "B1: block of 16 frames at frame 0");
	b->head[0] |= BIT_ULL(CHUNK);
	b->head[0] &= ~BIT_ULL(4 * CHUNK);
	FIXTURE_EXPECT_VALID(fx);

	/* A block as large as two chunks that begins inside one. */
	alone = myalloc_pages_alloc(fx->zone, ORDER, 0);
	half = myalloc_pages_alloc(fx->zone, ORDER, 0);
	two_pages = myalloc_pages_alloc(fx->zone, ORDER - 1, 0);
	KUNIT_EXPECT_PTR_EQ(test, two_pages, fx->chunks[1]);
	idx = idx_of(fx, two_pages);
	b->head[0] ^= BIT_ULL(idx + 4) | BIT_ULL(idx + 8) | BIT_ULL(idx + 10);
	damaged(test, fx, "B1: block of 8 frames at frame 6");
	b->head[0] ^= BIT_ULL(idx + 4) | BIT_ULL(idx + 8) | BIT_ULL(idx + 10);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, alone, ORDER), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, half, ORDER), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, two_pages, ORDER - 1), 0);
}

/* Out of memory at each step, including the metadata of joined chunks. */
static void joined_no_memory(struct kunit *test)
{
	const struct fixture_args args = {};
	struct fixture *fx = prepare(test, &layouts[0], 0, ORDER, &args);
	unsigned long live = fixture_live_allocs();
	struct myalloc_zone *zone;
	unsigned int k;

	if (!fixture_fail_after(0))
		kunit_skip(test, "failures cannot be injected here");
	for (k = 1; ; k++) {
		fixture_fail_after(k);
		zone = myalloc_zone_create(&fx->args);
		if (!fixture_fail_fired())
			break;
		KUNIT_EXPECT_TRUE(test, IS_ERR(zone) && PTR_ERR(zone) == -ENOMEM);
		KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
	}
	fixture_fail_after(0);
	fx->zone = zone;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, zone);
	KUNIT_EXPECT_EQ(test, zone->buddy.top_order, ORDER + 2);
}

/* A largest order that is too large is refused. */
static void joined_refused(struct kunit *test)
{
	const struct fixture_args args = {};
	struct fixture *fx = prepare(test, &layouts[0], 0, ORDER, &args);
	struct myalloc_zone *zone;

	fx->args.max_order = MYALLOC_TOP_ORDER + 1;
	fixture_log_mark();
	zone = myalloc_zone_create(&fx->args);
	KUNIT_EXPECT_TRUE(test, IS_ERR(zone) && PTR_ERR(zone) == -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_log_count("largest order 15 above 14"), 1);
}

static struct kunit_case joined_cases[] = {
	KUNIT_CASE(joined_layouts),
	KUNIT_CASE(joined_cost),
	KUNIT_CASE(joined_capped),
	KUNIT_CASE(joined_held),
	KUNIT_CASE(joined_last),
	KUNIT_CASE(joined_merge),
	KUNIT_CASE(joined_placement),
	KUNIT_CASE(joined_address),
	KUNIT_CASE(joined_memory),
	KUNIT_CASE(joined_deferred),
	KUNIT_CASE(joined_extents),
	KUNIT_CASE(joined_range),
	KUNIT_CASE(joined_wrong),
	KUNIT_CASE(joined_random),
	KUNIT_CASE(joined_every_bit),
	KUNIT_CASE(joined_damaged),
	KUNIT_CASE(joined_no_memory),
	KUNIT_CASE(joined_refused),
	{}
};

static struct kunit_suite joined_suite = {
	.name = "myalloc_joined",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = joined_cases,
};

kunit_test_suite(joined_suite);
