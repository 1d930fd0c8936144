// SPDX-License-Identifier: GPL-2.0
/* Damaged metadata: the findings of validation, and operations that encounter the damage. */
#include "misuse.h"
#include "object/check.h"

static void *p, *q;

static void flip_head_off(void)
{
	p = page(4);
	zone->buddy.head[0] &= ~1ULL;
	invalid("B1: frame 0 belongs to no block");
}

static void flip_head_on(void)
{
	p = page(4);
	zone->buddy.head[0] |= 1ULL << 3;
	invalid("B1: block of 3 frames at frame 0");
}

static void flip_free_on(void)
{
	p = page(4);
	myalloc_tree_set(&zone->buddy.free[4], 0);
	invalid("B3: both halves of the block of order 5 at frame 0 are free");
}

static void flip_free_off(void)
{
	myalloc_tree_clear(&zone->buddy.free[CHUNK_ORDER], 1);
	invalid("Z1: frame 256: tagged as order 0, is of order 8");
}

static void flip_free_other_order(void)
{
	p = page(4);
	myalloc_tree_set(&zone->buddy.free[2], 1);
	invalid("B2: block of order 4 at frame 0 is in the free bits of order 2");
}

static void flip_buddies(void)
{
	zone->buddy.head[4] |= 1ULL << 32;	/* frame 288: chunk 1 in two unmerged parts */
	zone->buddy.head[5] |= 1ULL;
	invalid("B2: block of order 5 at frame 256 is in the free bits of order 8");
}

static void flip_unmerged(void)
{
	struct myalloc_buddy *buddy = &zone->buddy;

	buddy->head[6] |= 1;	/* 256 + 128 */
	myalloc_tree_clear(&buddy->free[8], 1);
	myalloc_tree_set(&buddy->free[7], 2);
	myalloc_tree_set(&buddy->free[7], 3);
	invalid("B3: both halves of the block of order 8 at frame 256 are free");
}

static void flip_nr_free(void)
{
	zone->buddy.nr_free ^= 16;
	invalid("B4: 1024 frames are free, counted 1040");
}

static void flip_nr_blocks(void)
{
	zone->buddy.nr_blocks[8] ^= 1;
	invalid("B4: 4 blocks of order 8 are free, counted 5");
}

static void flip_nonempty(void)
{
	zone->buddy.nonempty ^= 1 << 3;
	invalid("B4: nonempty is wrong for order 3");
}

static void flip_nonempty_above(void)
{
	zone->buddy.nonempty |= 1 << 9;
	invalid("B4: nonempty has orders above 8");
}

static void flip_summary(void)
{
	u32 i;

	for (i = 0; i < 3; i++) {
		q = p;
		p = myalloc_pages_alloc(zone, 0, MYALLOC_TOPDOWN);
	}
	good(myalloc_pages_free(zone, q, 0));
	myalloc_zone_drain(zone);
	EXPECT(zone->buddy.free[0].lone == MYALLOC_TREE_NONE, "there is one free page");
	zone->buddy.free[0].level[1][0] ^= 1 << 7;
	invalid("T1: order 0, level 0, word 7: summary differs");
}

static void flip_lone(void)
{
	page(0);
	EXPECT(zone->buddy.free[0].lone == 5, "its buddy is not the only free page");
	zone->buddy.free[0].lone = 7;
	invalid("T1: order 0, level 0, word 0: bit 7 is not alone");
}

static void flip_lone_summary(void)
{
	page(0);
	zone->buddy.free[0].level[1][0] ^= 1 << 7;
	invalid("T1: order 0, level 1, word 0: bit 5 is not alone");
}

static void flip_beyond(void)
{
	nr_pages = NR_PAGES - 10;
	make_world(0, 0);
	zone->buddy.free[0].level[0][15] |= 1ULL << 60;
	invalid("T2: order 0: a bit at or above 1014 is set");
}

static void flip_type(void)
{
	p = page(4);
	myalloc_map_frame(&zone->map, p)->type = 0x7f;
	invalid("Z1: frame 0: allocated block of order 4 is tagged 0x7f");
}

static void flip_order(void)
{
	p = page(4);
	myalloc_map_frame(&zone->map, p)->order = 5;
	invalid("Z1: frame 0: tagged as order 5, is of order 4");
}

static void flip_slab_cache(void)
{
	p = object(a);
	myalloc_map_frame(&zone->map, p)->cache = 77;
	invalid("Z1: frame 0: slab of cache 77, which does not exist");
}

static void flip_inner_tag(void)
{
	p = page(4);
	zone->frames[5].order = 1;
	invalid("Z6: frame 5 in a page block has the tag 0x00000100");
}

static void flip_slab_pages(void)
{
	object(a);
	atomic64_inc(&zone->slab_pages);
	invalid("Z3: 1 frames are in slabs, counted 2");
}

static void flip_page_to_cached(void)
{
	p = page(0);
	myalloc_map_frame(&zone->map, p)->type = MYALLOC_FRAME_CACHED;
	invalid("Z4: * blocks of order 0 are tagged cached, the magazines hold *");
}

static void flip_nr_deferred(void)
{
	atomic64_inc(&zone->deferred.nr);
	invalid("Z5: 0 frames are deferred, counted 1");
}

static void flip_map(void)
{
	zone->map.first[1]--;
	invalid("A1: the map does not find frame 256");
}

static void flip_inuse(void)
{
	p = object(a);
	myalloc_map_frame(&zone->map, p)->inuse++;
	invalid("S2: cache a, frame 0: * slots in use, counted *");
}

static void flip_hint(void)
{
	p = object(a);
	myalloc_map_frame(&zone->map, p)->hint += 20;
	invalid("S2: cache a, frame 0: slot * is free, below the hint *");
}

static void flip_state(void)
{
	p = object(a);
	*myalloc_object_state(a, p) = 0x42;
	invalid("S5: cache a, frame 0, slot 0: state 66");
}

static void flip_state_free(void)
{
	p = object(a);
	*myalloc_object_state(a, p) = MYALLOC_SLOT_FREE;
	invalid("S7: cache a, frame 0, slot 0: state 0, its out bit is set");
}

static void flip_state_cached(void)
{
	p = object(a);
	*myalloc_object_state(a, p) = MYALLOC_SLOT_CACHED;
	invalid("S4: cache a: 0 live, * cached, 0 deferred of * out; magazines hold *");
}

static void flip_list(void)
{
	p = object(a);
	a->list[MYALLOC_SLABS_EMPTY] = 5;
	invalid("S1: cache a: list 0 holds frame 5, which is no slab of it");
}

static void flip_list_lost(void)
{
	unsigned int i;

	p = object(a);
	for (i = 0; i < MYALLOC_SLAB_LISTS; i++)
		a->list[i] = MYALLOC_NO_FRAME;
	invalid("S1: cache a: list 1 counts 1 slabs");
}

static void flip_list_count(void)
{
	a->nr[MYALLOC_SLABS_FULL]++;
	invalid("S1: cache a: list 5 counts 1 slabs");
}

static void flip_prev(void)
{
	p = object(a);
	myalloc_map_frame(&zone->map, p)->prev = 3;
	invalid("S1: cache a: frame 0 with * of * in use is wrong in list 1");
}

static void flip_free_slots(void)
{
	p = object(a);
	a->free_slots++;
	invalid("S3: cache a: * slots free, counted *");
}

static void flip_cache_deferred(void)
{
	atomic64_inc(&a->deferred.nr);
	invalid("S4: cache a: 0 live, 0 cached, 0 deferred of 0 out; magazines hold 0");
}

/* Damage that operations themselves detect. */
static void flip_then_free_page(void)
{
	p = page(4);
	myalloc_map_frame(&zone->map, p)->order = 3;
	REFUSED(myalloc_pages_free(zone, p, 4), ORDER);
	REFUSED(myalloc_pages_free(zone, p, 4), ORDER);	/* and again */
}

static void flip_head_then_free_page(void)
{
	p = page(4);
	zone->buddy.head[0] |= 1ULL << 8;	/* the block looks like one of order 3 */
	myalloc_pages_free(zone, p, 4);
	corrupt(1);
}

static void flip_state_then_free(void)
{
	p = object(a);
	*myalloc_object_state(a, p) = 0x42;
	before();
	refused(myalloc_cache_free(a, p), MYALLOC_BAD_FREE);
}

/* With F every use of the slab checks its count. */
static void flip_state_then_use(void)
{
	p = object(a);
	q = object(a);
	*myalloc_object_state(a, p) = MYALLOC_SLOT_FREE;
	good(myalloc_cache_free(a, q));
	corrupt(1);
}

/* A slab whose in-use count is too low must not keep the cache from serving. */
static void flip_inuse_then_use(void)
{
	u32 most = a->layout.objects - 2;
	static void *objects[8192];

	p = object(a);
	EXPECT(myalloc_cache_alloc_bulk(a, 0, most, objects) == most, "no objects");
	myalloc_map_frame(&zone->map, p)->inuse -= 5;
	EXPECT(myalloc_cache_alloc_bulk(a, 0, 80, objects) == 80, "the cache serves no more");
}

const struct misuse misuse_metadata[] = {
	CASE(flip_head_off, ""),
	CASE(flip_head_on, ""),
	CASE(flip_free_on, ""),
	CASE(flip_free_off, ""),
	CASE(flip_free_other_order, ""),
	CASE(flip_buddies, ""),
	CASE(flip_unmerged, ""),
	CASE(flip_nr_free, ""),
	CASE(flip_nr_blocks, ""),
	CASE(flip_nonempty, ""),
	CASE(flip_nonempty_above, ""),
	CASE(flip_summary, ""),
	CASE(flip_lone, ""),
	CASE(flip_lone_summary, ""),
	CASE(flip_beyond, ""),
	CASE(flip_type, ""),
	CASE(flip_order, ""),
	CASE(flip_slab_cache, ""),
	CASE(flip_inner_tag, ""),
	CASE(flip_slab_pages, ""),
	CASE(flip_page_to_cached, ""),
	CASE(flip_nr_deferred, ""),
	CASE(flip_map, ""),
	CASE(flip_inuse, ""),
	CASE(flip_hint, ""),
	CASE_WITH(MYALLOC_NO_MAGAZINE, flip_state, ""),
	CASE_WITH(MYALLOC_NO_MAGAZINE, flip_state_free, ""),
	CASE(flip_state_cached, ""),
	CASE(flip_list, ""),
	CASE(flip_list_lost, ""),
	CASE(flip_list_count, ""),
	CASE(flip_prev, ""),
	CASE(flip_free_slots, ""),
	CASE(flip_cache_deferred, ""),
	CASE(flip_then_free_page,
	     "bad free as pages of order 4: allocated with another order; frame 0, order 4, held by *\n"
	     "bad free as pages of order 4: allocated with another order; frame 0, order 4, held by *"),
	CASE(flip_head_then_free_page,
	     "frame 0 tagged as block of order 4: allocated with another order"),
	CASE(flip_state_then_free,
	     "bad free as object of a: already free (double free); cache a, frame 0, slot 0"),
	CASE_WITH(MYALLOC_SANITY, flip_state_then_use,
	     "cache a: slab at frame 0 counts 1 slots in use, 0 are"),
	CASE_WITH(MYALLOC_NO_MAGAZINE, flip_inuse_then_use,
	     "cache a: slab at frame 0 counts * slots out, its bits say *: overrun at its end?"),
	{ }
};
