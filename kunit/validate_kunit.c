// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of validation: each kind of damage to metadata is found, and reported with the invariant
 * that it violates.
 */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "zone/validate.h"

/*
 * A zone with some of everything: pages of several orders, an extent, a partial, a full and an
 * empty slab of two caches, one with its states in the slab, one in the descriptors.
 */
struct scene {
	struct fixture *fx;
	struct myalloc_zone *zone;
	struct myalloc_buddy *buddy;
	struct myalloc_cache *small;
	struct myalloc_cache *large;
	u32 n;			/* objects in a slab of the small cache */
	void *page[4];
	void *exact;
	void *s[160];
	void *l[12];
};

/* Is the small object live that was allocated as the @i-th? */
static bool small_live(const struct scene *sc, u32 i)
{
	return i < sc->n + 2 || (i >= 3 * sc->n && (i - 3 * sc->n) % 3);
}

static struct scene *make_scene(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 126, .chunk_order = 5, .stride = 2, .no_magazines = true,
	};
	struct scene *sc = kunit_kzalloc(test, sizeof(*sc), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, sc);
	sc->fx = fixture_zone(test, &args);
	sc->zone = sc->fx->zone;
	sc->buddy = &sc->zone->buddy;
	sc->small = fixture_cache(sc->fx, "small", SCALED(100), MYALLOC_NO_MAGAZINE);
	sc->large = fixture_cache(sc->fx, "large", EIGHT_A_SLAB, MYALLOC_NO_MAGAZINE);
	for (i = 0; i < 4; i++)
		sc->page[i] = myalloc_pages_alloc(sc->zone, i, 0);
	sc->exact = myalloc_pages_alloc_exact(sc->zone, 5, 0, 0);
	sc->n = sc->small->layout.objects;
	KUNIT_ASSERT_LE(test, 4 * sc->n, ARRAY_SIZE(sc->s));
	for (i = 0; i < 4 * sc->n; i++)
		sc->s[i] = myalloc_cache_alloc(sc->small, 0);
	for (i = 0; i < 12; i++)
		sc->l[i] = myalloc_cache_alloc(sc->large, 0);
	/* Four slabs of small objects: full, partial, empty, partial. */
	for (i = 0; i < 4 * sc->n; i++)
		if (!small_live(sc, i))
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(sc->small, sc->s[i]), 0);
	FIXTURE_EXPECT_VALID(sc->fx);
	KUNIT_ASSERT_EQ(test, sc->small->nr[MYALLOC_SLABS_EMPTY], 1);
	KUNIT_ASSERT_EQ(test, sc->small->nr[MYALLOC_SLABS_FULL], 1);
	KUNIT_ASSERT_EQ(test, sc->large->nr[MYALLOC_SLABS_FULL], 1);
	return sc;
}

static void end_scene(struct scene *sc)
{
	struct kunit *test = sc->fx->test;
	u32 i;

	FIXTURE_EXPECT_VALID(sc->fx);
	for (i = 0; i < 4 * sc->n; i++)
		if (small_live(sc, i))
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(sc->small, sc->s[i]), 0);
	for (i = 0; i < 12; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(sc->large, sc->l[i]), 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(sc->zone, sc->page[i], i), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(sc->zone, sc->exact, 5), 0);
}

static struct myalloc_frame *frame_of(const struct scene *sc, const void *addr)
{
	return myalloc_map_frame(&sc->zone->map, addr);
}

static u32 idx_of(const struct scene *sc, const void *addr)
{
	return myalloc_frame_idx(sc->zone, frame_of(sc, addr));
}

static struct myalloc_frame *slab_of(const struct scene *sc, const struct myalloc_cache *cache,
				     const void *object)
{
	return &sc->zone->frames[idx_of(sc, object) & ~cache->frame_mask];
}

/* Expect that the damage is found, and that the first finding begins with @invariant. */
static void expect_found(struct scene *sc, const char *invariant, int line)
{
	struct kunit *test = sc->fx->test;

	KUNIT_EXPECT_FALSE_MSG(test, fixture_valid(sc->fx), "line %d", line);
	KUNIT_EXPECT_TRUE_MSG(test, !strncmp(sc->fx->v.first, invariant, strlen(invariant)),
			      "line %d: expected %s, found \"%s\"", line, invariant,
			      sc->fx->v.first);
}

/* Write @wrong to @place, expect the finding, and restore the value. */
#define DAMAGE(sc, place, wrong, invariant)			\
	do {							\
		typeof(place) *__place = &(place);		\
		typeof(place) __right = *__place;		\
								\
		*__place = (wrong);				\
		expect_found(sc, invariant, __LINE__);		\
		*__place = __right;				\
	} while (0)

/* --- no damage ---------------------------------------------------------------- */

/* No findings, and everything was checked. */
static void validate_counts(struct kunit *test)
{
	struct scene *sc = make_scene(test);

	KUNIT_EXPECT_TRUE(test, fixture_valid(sc->fx));
	KUNIT_EXPECT_EQ(test, sc->fx->v.errors, 0);
	KUNIT_EXPECT_STREQ(test, sc->fx->v.first, "");
	KUNIT_EXPECT_EQ(test, sc->fx->v.frames, 126);
	KUNIT_EXPECT_EQ(test, sc->fx->v.slabs, 4 + 2);
	KUNIT_EXPECT_EQ(test, sc->fx->v.objects, 4 * sc->n + 2 * 8);
	end_scene(sc);
	myalloc_zone_drain(sc->zone);
	KUNIT_EXPECT_TRUE(test, fixture_valid(sc->fx));
	KUNIT_EXPECT_EQ(test, sc->fx->v.slabs, 0);
}

/* --- the buddy ------------------------------------------------------------------ */

/* T1, T2: an extra summary bit, a missing one, a bit behind the end. */
static void validate_tree(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 5000, .chunk_order = 10, .simulated = true, .no_magazines = true,
	};
	struct scene *sc = kunit_kzalloc(test, sizeof(*sc), GFP_KERNEL);
	struct myalloc_bitmap_tree *tree;
	void *page[3];
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, sc);
	sc->fx = fixture_zone(test, &args);
	page[0] = myalloc_pages_alloc(sc->fx->zone, 0, 0);
	tree = &sc->fx->zone->buddy.free[0];
	/* The free page next to it, the smallest block of the last chunk, is a lone bit. */
	KUNIT_ASSERT_EQ(test, tree->lone, 4993);
	DAMAGE(sc, tree->lone, 4994, "T1: order 0, level 0, word 78: bit 4994 is not alone");
	DAMAGE(sc, tree->lone, MYALLOC_TREE_NONE, "T1: order 0, level 0, word 78");
	DAMAGE(sc, tree->level[2][0], 1, "T1: order 0, level 2, word 0: bit 4993 is not alone");
	for (i = 1; i < ARRAY_SIZE(page); i++)
		page[i] = myalloc_pages_alloc(sc->fx->zone, 0, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(sc->fx->zone, page[0], 0), 0);
	KUNIT_ASSERT_EQ(test, tree->lone, MYALLOC_TREE_NONE);
	KUNIT_ASSERT_EQ(test, tree->nr_levels, 3);
	/* 5000 bits, 79 words, 2 words, 1 word. */
	DAMAGE(sc, tree->level[0][78], tree->level[0][78] | BIT_ULL(8), "T2: order 0");
	DAMAGE(sc, tree->level[1][1], tree->level[1][1] | BIT_ULL(15), "T2: order 0, level 1");
	DAMAGE(sc, tree->level[2][0], tree->level[2][0] | BIT_ULL(2), "T2: order 0, level 2");
	DAMAGE(sc, tree->level[1][0], tree->level[1][0] ^ BIT_ULL(0), "T1: order 0, level 0");
	DAMAGE(sc, tree->level[1][1], tree->level[1][1] ^ BIT_ULL(3), "T1: order 0, level 0");
	DAMAGE(sc, tree->level[2][0], tree->level[2][0] ^ BIT_ULL(0), "T1: order 0, level 1");
	DAMAGE(sc, tree->level[2][0], tree->level[2][0] ^ BIT_ULL(1), "T1: order 0, level 1");
	for (i = 1; i < ARRAY_SIZE(page); i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(sc->fx->zone, page[i], 0), 0);
	FIXTURE_EXPECT_VALID(sc->fx);
}

/* B1 to B4, each violated in every way that one field allows. */
static void validate_buddy(struct kunit *test)
{
	struct scene *sc = make_scene(test);
	struct myalloc_buddy *b = sc->buddy;
	u32 idx = idx_of(sc, sc->page[3]), word = idx / 64, bit = idx % 64;

	/* B1: a missing beginning of a block, and one inside another block. */
	DAMAGE(sc, b->head[word], b->head[word] & ~BIT_ULL(bit), "B1:");
	DAMAGE(sc, b->head[0], b->head[0] & ~BIT_ULL(0), "B1: frame 0 belongs to no block");
	DAMAGE(sc, b->head[word], b->head[word] | BIT_ULL(bit + 3), "B1:");
	/* An allocated block cut in two halves is consistent; its tag is not. */
	DAMAGE(sc, b->head[word], b->head[word] | BIT_ULL(bit + 4), "Z1:");
	/* B4: the counts. */
	DAMAGE(sc, b->nr_free, b->nr_free + 1, "B4:");
	DAMAGE(sc, b->nr_blocks[2], b->nr_blocks[2] + 1, "B4:");
	DAMAGE(sc, b->nonempty, b->nonempty ^ BIT(0), "B4: nonempty is wrong for order 0");
	DAMAGE(sc, b->nonempty, b->nonempty | BIT(6), "B4: nonempty has orders above 5");
	end_scene(sc);
}

/* B2 and B3 on a separate buddy system: free bits in wrong places, unmerged halves. */
static void validate_free_bits(struct kunit *test)
{
	struct myalloc_validation *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	struct myalloc_buddy *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	void *meta = fixture_zalloc(test, myalloc_buddy_meta_size(16, 4));

	KUNIT_ASSERT_TRUE(test, v && b && meta);
	myalloc_buddy_init(b, 16, 4, MYALLOC_BEST_FIT, meta);
	KUNIT_EXPECT_EQ(test, myalloc_buddy_alloc(b, 2, false), 0);
	KUNIT_EXPECT_TRUE(test, myalloc_buddy_validate(b, v));

	/* The free bit of a smaller block inside an allocated one, and of a larger one. */
	myalloc_tree_set(&b->free[0], 2);
	KUNIT_EXPECT_FALSE(test, myalloc_buddy_validate(b, v));
	KUNIT_EXPECT_STREQ(test, v->first,
			   "B2: block of order 2 at frame 0 is in the free bits of order 0");
	myalloc_tree_clear(&b->free[0], 2);
	memset(v, 0, sizeof(*v));
	myalloc_tree_set(&b->free[4], 0);
	KUNIT_EXPECT_FALSE(test, myalloc_buddy_validate(b, v));
	KUNIT_EXPECT_STREQ(test, v->first,
			   "B2: block of order 2 at frame 0 is in the free bits of order 4");
	myalloc_tree_clear(&b->free[4], 0);
	memset(v, 0, sizeof(*v));
	/* A free block without its bit cannot be allocated; the counts reveal it. */
	myalloc_tree_clear(&b->free[3], 1);
	KUNIT_EXPECT_FALSE(test, myalloc_buddy_validate(b, v));
	KUNIT_EXPECT_STREQ(test, v->first, "B4: 4 frames are free, counted 12");
	myalloc_tree_set(&b->free[3], 1);
	memset(v, 0, sizeof(*v));
	/* Order 3 at 8 as two of order 2. */
	b->head[0] |= BIT_ULL(12);
	myalloc_tree_clear(&b->free[3], 1);
	myalloc_tree_set(&b->free[2], 2);
	myalloc_tree_set(&b->free[2], 3);
	KUNIT_EXPECT_FALSE(test, myalloc_buddy_validate(b, v));
	KUNIT_EXPECT_STREQ(test, v->first,
			   "B3: both halves of the block of order 3 at frame 8 are free");
}

/* Every flipped bit of the buddy's metadata is found. */
static void validate_every_buddy_bit(struct kunit *test)
{
	struct scene *sc = make_scene(test);
	struct myalloc_buddy *b = sc->buddy;
	u32 bits = myalloc_buddy_meta_size(b->nr_frames, b->top_order) * 8, bit;
	u32 step = fixture_thorough() ? 1 : 7, lost = 0;
	u64 *words = sc->zone->buddy_meta;

	for (bit = 0; bit < bits; bit += step) {
		/* Bits of head behind the last frame are ignored. */
		if (bit >= b->nr_frames && bit < ALIGN(b->nr_frames, 64))
			continue;
		words[bit / 64] ^= BIT_ULL(bit % 64);
		if (fixture_valid(sc->fx) || !strchr("TBZAEPS", sc->fx->v.first[0]) ||
		    sc->fx->v.first[2] != ':') {
			kunit_info(test, "bit %u of %u: \"%s\"\n", bit, bits, sc->fx->v.first);
			lost++;
		}
		words[bit / 64] ^= BIT_ULL(bit % 64);
	}
	KUNIT_EXPECT_EQ(test, lost, 0);
	end_scene(sc);
}

/* --- the zone ---------------------------------------------------------------------- */

/* Z1, Z2, Z3, Z5, A1, Z6. */
static void validate_zone(struct kunit *test)
{
	struct scene *sc = make_scene(test);
	struct myalloc_frame *page = frame_of(sc, sc->page[2]), *free;
	struct myalloc_frame *slab = slab_of(sc, sc->small, sc->s[0]);
	struct myalloc_map *map = &sc->zone->map;
	u32 idx = myalloc_tree_first(&sc->buddy->free[__ffs(sc->buddy->nonempty)])
		  << __ffs(sc->buddy->nonempty);

	free = &sc->zone->frames[idx];
	DAMAGE(sc, page->order, 1, "Z1:");
	DAMAGE(sc, page->type, MYALLOC_FRAME_NONE, "Z1:");
	DAMAGE(sc, page->type, 0x77, "Z1:");
	DAMAGE(sc, page->cache, 1, "Z1:");
	DAMAGE(sc, slab->order, 3, "Z1:");
	DAMAGE(sc, slab->cache, 0, "Z1:");
	DAMAGE(sc, slab->cache, 900, "Z1:");
	DAMAGE(sc, slab->cache, 0xffff, "Z1:");
	DAMAGE(sc, page->type, MYALLOC_FRAME_CACHED, "Z4:");
	DAMAGE(sc, page->type, MYALLOC_FRAME_DEFERRED, "Z5:");
	DAMAGE(sc, free->type, MYALLOC_FRAME_PAGE, "Z6:");
	DAMAGE(sc, free->order, 1, "Z6:");
	DAMAGE(sc, page[1].tag, 0x80, "Z6:");
	DAMAGE(sc, page[3].tag, 0x80, "Z6:");
	DAMAGE(sc, sc->zone->slab_pages.counter, sc->zone->slab_pages.counter + 1, "Z3:");
	DAMAGE(sc, sc->zone->deferred.nr.counter, 1, "Z5:");
	DAMAGE(sc, map->first[1], map->first[1] + 1, "A1:");
	DAMAGE(sc, map->first[1], 0, "A1:");
	DAMAGE(sc, map->base, map->base + PAGE_SIZE, "A1:");
	DAMAGE(sc, map->shift, map->shift + 1, "A1:");
	DAMAGE(sc, map->linear.bytes, map->linear.bytes + 1, "A1:");
	DAMAGE(sc, sc->zone->linear.bytes, sc->zone->linear.bytes - PAGE_SIZE, "A1:");
	end_scene(sc);
}

/* Z4: the blocks in magazines and the blocks tagged so. */
static void validate_magazines(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 1024, .chunk_order = 10 };
	struct scene *sc = kunit_kzalloc(test, sizeof(*sc), GFP_KERNEL);
	struct myalloc_magazine_cpu *cpu;
	struct myalloc_frame *frame;
	void *page, *other;

	KUNIT_ASSERT_NOT_NULL(test, sc);
	sc->fx = fixture_zone(test, &args);
	if (sc->fx->zone->pcp[0].capacity < 2)
		kunit_skip(test, "too many CPUs for magazines in a zone of 4 MiB");
	page = myalloc_pages_alloc(sc->fx->zone, 0, 0);
	other = myalloc_pages_alloc(sc->fx->zone, 0, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(sc->fx->zone, page, 0), 0);
	frame = myalloc_map_frame(&sc->fx->zone->map, page);
	DAMAGE(sc, frame->type, MYALLOC_FRAME_PAGE, "Z4:");
	frame = myalloc_map_frame(&sc->fx->zone->map, other);
	DAMAGE(sc, frame->type, MYALLOC_FRAME_CACHED, "Z4:");
	frame = myalloc_map_frame(&sc->fx->zone->map, page);
	DAMAGE(sc, frame->cache, 1, "Z1:");
	cpu = per_cpu_ptr(sc->fx->zone->pcp[0].cpu, fixture_cpu(0));
	DAMAGE(sc, cpu->top, cpu->top - 1, "Z4:");
	/* While an operation on magazines is in progress, their content is not compared. */
	cpu->top--;
	cpu->guard = MYALLOC_EPOCH_BUSY;
	FIXTURE_EXPECT_VALID(sc->fx);
	cpu->guard = cpu->epoch;
	KUNIT_EXPECT_FALSE(test, fixture_valid(sc->fx));
	cpu->top++;
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(sc->fx->zone, other, 0), 0);
	FIXTURE_EXPECT_VALID(sc->fx);
}

/* Every flipped bit of the tag of every frame is found. */
static void validate_every_tag_bit(struct kunit *test)
{
	struct scene *sc = make_scene(test);
	u32 idx, bit, lost = 0, step = fixture_thorough() ? 1 : 5;

	for (idx = 0; idx < 126; idx++) {
		struct myalloc_frame *frame = &sc->zone->frames[idx];
		struct myalloc_block block;

		KUNIT_ASSERT_TRUE(test, myalloc_buddy_lookup(sc->buddy, idx, &block));
		/* Behind the first frame of a slab the descriptors hold states. */
		if (block.idx != idx &&
		    sc->zone->frames[block.idx].type == MYALLOC_FRAME_SLAB)
			continue;
		for (bit = idx % step; bit < 32; bit += step) {
			frame->tag ^= BIT(bit);
			if (fixture_valid(sc->fx) && !lost++)
				kunit_info(test, "frame %u, tag 0x%08lx, bit %u\n", idx,
					   (unsigned long)frame->tag ^ BIT(bit), bit);
			frame->tag ^= BIT(bit);
		}
	}
	KUNIT_EXPECT_EQ(test, lost, 0);
	end_scene(sc);
}

/* --- caches ----------------------------------------------------------------------------- */

/* S1: lists and their links. */
static void validate_lists(struct kunit *test)
{
	struct scene *sc = make_scene(test);
	struct myalloc_cache *c = sc->small;
	struct myalloc_frame *full = slab_of(sc, c, sc->s[0]), *part = slab_of(sc, c, sc->s[sc->n]);
	struct myalloc_frame *other = slab_of(sc, c, sc->s[3 * sc->n + 1]);
	u32 empty = c->list[MYALLOC_SLABS_EMPTY];
	unsigned int list;

	/* The other three are alone in their lists. */
	DAMAGE(sc, full->next, myalloc_frame_idx(sc->zone, part), "S1:");
	DAMAGE(sc, full->next, 0, "S1:");
	DAMAGE(sc, full->next, 125, "S1:");
	DAMAGE(sc, full->next, 0x1000000, "S1:");
	DAMAGE(sc, full->next, myalloc_frame_idx(sc->zone, full), "S1:");
	DAMAGE(sc, full->prev, 0, "S1:");
	DAMAGE(sc, part->prev, myalloc_frame_idx(sc->zone, other), "S1:");
	DAMAGE(sc, c->list[MYALLOC_SLABS_EMPTY], MYALLOC_NO_FRAME, "S1:");
	DAMAGE(sc, c->list[MYALLOC_SLABS_FULL], empty, "S1:");
	DAMAGE(sc, c->list[MYALLOC_SLABS_FULL], idx_of(sc, sc->page[0]), "S1:");
	for (list = 0; list < MYALLOC_SLAB_LISTS; list++) {
		DAMAGE(sc, c->nr[list], c->nr[list] + 1, "S1:");
		DAMAGE(sc, c->nr[list], c->nr[list] - 1, "S1:");
	}
	end_scene(sc);
}

/* S2 to S5: states, counts, hint. */
static void validate_slabs(struct kunit *test)
{
	struct scene *sc = make_scene(test);
	struct myalloc_cache *c;
	u32 i;

	for (i = 0; i < 2; i++) {
		/* A live object of a partial slab, and a free slot of it. */
		void *object = i ? sc->l[9] : sc->s[3 * sc->n + 1], *free;
		struct myalloc_frame *slab;
		u8 *live_state, *free_state;

		c = i ? sc->large : sc->small;
		free = i ? sc->l[11] + EIGHT_A_SLAB : sc->s[3 * sc->n];
		slab = slab_of(sc, c, object);
		live_state = myalloc_object_state(c, object);
		free_state = myalloc_object_state(c, free);
		KUNIT_ASSERT_EQ(test, *live_state, MYALLOC_SLOT_LIVE);
		KUNIT_ASSERT_EQ(test, *free_state, MYALLOC_SLOT_FREE);
		DAMAGE(sc, *live_state, MYALLOC_SLOT_FREE, "S7:");
		DAMAGE(sc, *live_state, MYALLOC_SLOT_CACHED, "S4:");
		DAMAGE(sc, *live_state, MYALLOC_SLOT_DEFERRED, "S4:");
		DAMAGE(sc, *live_state, MYALLOC_SLOT_RECOVERING, "S4:");
		DAMAGE(sc, *live_state, MYALLOC_SLOT_RECOVERING + 1, "S5:");
		/* An alloc or free past the magazines may own any object in use. */
		*live_state = MYALLOC_SLOT_MOVING;
		FIXTURE_EXPECT_VALID(sc->fx);
		*live_state = MYALLOC_SLOT_LIVE;
		DAMAGE(sc, *live_state, 0x82, "S5:");
		DAMAGE(sc, *free_state, MYALLOC_SLOT_LIVE, "S7:");
		DAMAGE(sc, *free_state, MYALLOC_SLOT_CACHED, "S7:");
		DAMAGE(sc, *free_state, 0x80, "S5:");
		DAMAGE(sc, slab->inuse, slab->inuse + 1, "S2:");
		DAMAGE(sc, slab->inuse, slab->inuse - 1, "S2:");
		DAMAGE(sc, slab->inuse, 0, "S2:");
		DAMAGE(sc, slab->hint, c->layout.objects, "S2:");
		DAMAGE(sc, c->free_slots, c->free_slots + 1, "S3:");
		DAMAGE(sc, c->nr_limbo, 1, "R2:");
		DAMAGE(sc, c->deferred.nr.counter, 1, "S4:");
	}
	end_scene(sc);
}

/* S4 with magazines. */
static void validate_cached(struct kunit *test)
{
	const struct myalloc_cache_args args = {
		.name = "mags", .object_size = 100, .magazine = 4,
	};
	struct scene *sc = make_scene(test);
	struct myalloc_cache *c = myalloc_cache_create(sc->zone, &args);
	struct myalloc_magazine_cpu *cpu;
	void *object;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	object = myalloc_cache_alloc(c, 0);
	cpu = per_cpu_ptr(c->mags.cpu, fixture_cpu(0));
	KUNIT_EXPECT_EQ(test, myalloc_magazine_count(cpu), 3);
	FIXTURE_EXPECT_VALID(sc->fx);
	DAMAGE(sc, cpu->top, cpu->top - 1, "S4:");
	cpu->top--;
	cpu->guard = MYALLOC_EPOCH_BUSY;
	FIXTURE_EXPECT_VALID(sc->fx);
	cpu->guard = cpu->epoch;
	KUNIT_EXPECT_FALSE(test, fixture_valid(sc->fx));
	cpu->top++;
	DAMAGE(sc, *myalloc_magazine_first(cpu->loaded)->state, MYALLOC_SLOT_LIVE, "S4:");
	DAMAGE(sc, *myalloc_magazine_first(cpu->loaded)->state, MYALLOC_SLOT_FREE, "S7:");
	DAMAGE(sc, *myalloc_object_state(c, object), MYALLOC_SLOT_CACHED, "S4:");
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(c, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(c), 0);
	end_scene(sc);
}

/* Flip one bit of a slab's first descriptor or states; is it found? */
static bool flip_found(struct scene *sc, u8 *byte, u32 bit)
{
	bool found;

	*byte ^= BIT(bit);
	found = !fixture_valid(sc->fx);
	*byte ^= BIT(bit);
	return found;
}

/* Every flipped bit of the states, inuse and links of every slab is found. */
static void validate_every_slab_bit(struct kunit *test)
{
	struct scene *sc = make_scene(test);
	u32 idx, i, lost = 0, step = fixture_thorough() ? 1 : 5;

	for (idx = 0; idx < 126; idx++) {
		struct myalloc_frame *frame = &sc->zone->frames[idx];
		struct myalloc_cache *c;
		u8 *states, *out;

		if (frame->type != MYALLOC_FRAME_SLAB)
			continue;
		c = sc->zone->cache_by_id[frame->cache];
		states = myalloc_slab_states(c, frame, myalloc_frame_addr(sc->zone, idx));
		for (i = idx % step; i < c->layout.objects * 8; i += step)
			lost += !flip_found(sc, &states[i / 8], i % 8);
		out = (u8 *)myalloc_slab_out(c, frame, myalloc_frame_addr(sc->zone, idx));
		for (i = idx % step; i < myalloc_out_words(c) * 64; i += step)
			lost += !flip_found(sc, out + i / 8, i % 8);
		for (i = idx % step; i < 16; i += step)
			lost += !flip_found(sc, (u8 *)&frame->inuse + i / 8, i % 8);
		for (i = idx % step; i < 32; i += step) {
			lost += !flip_found(sc, (u8 *)&frame->next + i / 8, i % 8);
			lost += !flip_found(sc, (u8 *)&frame->prev + i / 8, i % 8);
		}
		/* A hint that is too low only costs time; one above a free slot loses the slot. */
		for (i = 0; i < 16; i++) {
			u16 hint = frame->hint ^ BIT(i);
			u32 lowest = 0;
			bool matters;

			while (lowest < c->layout.objects &&
			       states[lowest] != MYALLOC_SLOT_FREE)
				lowest++;
			matters = hint > lowest;
			lost += flip_found(sc, (u8 *)&frame->hint + i / 8, i % 8) != matters;
		}
	}
	KUNIT_EXPECT_EQ(test, lost, 0);
	end_scene(sc);
}

/* --- the findings ---------------------------------------------------------------------------- */

/* Of several findings the first is kept and all are counted; the next validation starts anew. */
static void validate_several(struct kunit *test)
{
	struct scene *sc = make_scene(test);
	u32 nr_free = sc->buddy->nr_free;

	sc->buddy->nr_free++;
	sc->small->free_slots++;
	sc->zone->deferred.nr.counter++;
	KUNIT_EXPECT_FALSE(test, fixture_valid(sc->fx));
	KUNIT_EXPECT_EQ(test, sc->fx->v.errors, 3);
	scnprintf(sc->fx->expected, sizeof(sc->fx->expected), "B4: %u frames are free, counted %u",
		  nr_free, nr_free + 1);
	KUNIT_EXPECT_STREQ(test, sc->fx->v.first, sc->fx->expected);
	sc->buddy->nr_free--;
	sc->small->free_slots--;
	sc->zone->deferred.nr.counter--;
	KUNIT_EXPECT_TRUE(test, fixture_valid(sc->fx));
	end_scene(sc);
}

/* The documented limit: damage that is consistent in itself is a leak, not a finding. */
static void validate_limit(struct kunit *test)
{
	struct scene *sc = make_scene(test);
	void *leaked = myalloc_pages_alloc(sc->zone, 0, 0);

	KUNIT_EXPECT_NOT_NULL(test, leaked);
	KUNIT_EXPECT_TRUE(test, fixture_valid(sc->fx));
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(sc->zone, leaked, 0), 0);
	end_scene(sc);
}

/* A slab deferred in NMI is counted as deferred before it is no longer counted as a slab. */
static void validate_deferring(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 6, .simulated = true, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_frame *frame =
		myalloc_zone_take(fx->zone, 0, 0, myalloc_frame_tag(MYALLOC_FRAME_NEW, 0, 1));

	KUNIT_ASSERT_NOT_NULL(test, frame);
	/* The steps of defer() in block.c. */
	atomic64_inc(&fx->zone->deferred.nr);
	frame->type = MYALLOC_FRAME_DEFERRING;
	FIXTURE_EXPECT_VALID(fx);
	atomic64_dec(&fx->zone->slab_pages);
	FIXTURE_EXPECT_VALID(fx);
	frame->type = MYALLOC_FRAME_DEFERRED;
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 1);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static struct kunit_case validate_cases[] = {
	KUNIT_CASE(validate_counts),
	KUNIT_CASE(validate_tree),
	KUNIT_CASE(validate_buddy),
	KUNIT_CASE(validate_free_bits),
	KUNIT_CASE(validate_every_buddy_bit),
	KUNIT_CASE(validate_zone),
	KUNIT_CASE(validate_magazines),
	KUNIT_CASE(validate_every_tag_bit),
	KUNIT_CASE(validate_lists),
	KUNIT_CASE(validate_slabs),
	KUNIT_CASE(validate_cached),
	KUNIT_CASE(validate_every_slab_bit),
	KUNIT_CASE(validate_several),
	KUNIT_CASE(validate_limit),
	KUNIT_CASE(validate_deferring),
	{}
};

static struct kunit_suite validate_suite = {
	.name = "myalloc_validate",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = validate_cases,
};

kunit_test_suite(validate_suite);
