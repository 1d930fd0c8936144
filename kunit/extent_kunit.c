// SPDX-License-Identifier: GPL-2.0
/* Tests of extents: exact and range allocations, their wrong frees, races, damage, NMI. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"

#define PAGES	32U
#define CHUNK	16U

/* Two adjacent chunks of 16 pages, without magazines. */
static struct fixture *two_chunks(struct kunit *test, unsigned int checks)
{
	const struct fixture_args args = {
		.nr_pages = PAGES, .chunk_order = 4, .no_magazines = true, .checks = checks,
	};

	return fixture_zone(test, &args);
}

static noinline __noclone void *extent(struct fixture *fx, u32 nr)
{
	void *addr = myalloc_pages_alloc_exact(fx->zone, nr, 0, 0);

	KUNIT_ASSERT_NOT_NULL(fx->test, addr);
	return addr;
}

static struct myalloc_frame *frame_of(struct fixture *fx, const void *addr)
{
	return myalloc_map_frame(&fx->zone->map, addr);
}

static const char *holder(struct fixture *fx, const void *addr, char *buf, size_t size)
{
	return fixture_symbol(frame_of(fx, addr)->caller, buf, size);
}

static void refused(struct fixture *fx, int line, int err, enum myalloc_bad bad)
{
	struct kunit *test = fx->test;

	KUNIT_EXPECT_EQ_MSG(test, err, -EINVAL, "line %d", line);
	fx->noted.bad[bad]++;
	fx->noted.bad_frees++;
	KUNIT_EXPECT_EQ_MSG(test, fixture_stats(fx)->bad[bad], fx->noted.bad[bad],
			    "line %d: not counted as \"%s\"", line, myalloc_bad_name(bad));
	KUNIT_EXPECT_TRUE_MSG(test, fixture_unchanged(fx), "line %d: something changed", line);
}

/* Like FIXTURE_EXPECT_REFUSED(), with any text. */
#define REFUSED(fx, call, bad)						\
	do {								\
		struct fixture *__fx = fixture_note(fx);		\
									\
		refused(__fx, __LINE__, call, bad);			\
	} while (0)

/* --- wrong frees ------------------------------------------------------------------------- */

/* Every wrong number of pages, whether a neighbour's pages or free ones follow. */
static void extent_wrong_number(struct kunit *test)
{
	struct fixture *fx = two_chunks(test, MYALLOC_POISON);
	void *mine = extent(fx, 6), *theirs = extent(fx, 1), *last = extent(fx, 1);
	char text[64];
	u32 nr;

	KUNIT_ASSERT_PTR_EQ(test, theirs, mine + 6 * PAGE_SIZE);
	KUNIT_ASSERT_PTR_EQ(test, last, mine + 7 * PAGE_SIZE);
	memset(mine, 0x22, 8 * PAGE_SIZE);
	holder(fx, mine, text, sizeof(text));
	for (nr = 0; nr <= PAGES + 1; nr++) {
		if (nr == 6)
			continue;
		FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free_exact(fx->zone, mine, nr),
				       MYALLOC_BAD_LENGTH,
				       "bad free as %u page%s: allocated with another number of pages; frame 0, 6 pages, held by %s",
				       nr, myalloc_s(nr), text);
	}
	/* The tag counts pages in 16 bits; with a first piece of 1 the numbers do not differ. */
	REFUSED(fx, myalloc_pages_free_exact(fx->zone, mine, 65536 + 6), MYALLOC_BAD_LENGTH);
	REFUSED(fx, myalloc_pages_free_exact(fx->zone, last, 65536 + 1), MYALLOC_BAD_LENGTH);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, 8);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, mine, 6), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, theirs, 1), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, last, 1), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* An extent cannot be freed as a block of any order, whether it has one piece or several. */
static void extent_as_block(struct kunit *test)
{
	struct fixture *fx = two_chunks(test, 0);
	void *several = extent(fx, 5), *one = extent(fx, 8);
	unsigned int order;
	char text[64];

	holder(fx, several, text, sizeof(text));
	for (order = 0; order <= 5; order++) {
		FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, several, order),
				       MYALLOC_BAD_KIND,
				       "bad free as pages of order %u: not what it was allocated as; frame 0, 5 pages, held by %s",
				       order, text);
		FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, one, order),
				       MYALLOC_BAD_KIND,
				       "bad free as pages of order %u: not what it was allocated as; frame 8, 8 pages, held by %s",
				       order, text);
	}
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(fx->zone, 3, 1, &one), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, 13);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, several, 5), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, one, 8), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* A block cannot be freed as an extent, nor two blocks. */
static void extent_is_no_block(struct kunit *test)
{
	struct fixture *fx = two_chunks(test, 0);
	void *mine = myalloc_pages_alloc(fx->zone, 3, 0);
	void *theirs = myalloc_pages_alloc(fx->zone, 2, 0);
	u32 nr;

	KUNIT_ASSERT_PTR_EQ(test, theirs, mine + 8 * PAGE_SIZE);
	for (nr = 0; nr <= PAGES; nr++)
		REFUSED(fx, myalloc_pages_free_exact(fx->zone, mine, nr), MYALLOC_BAD_KIND);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, 12);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, mine, 3), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, theirs, 2), 0);
}

/* Free by a page other than the first, in each way; an extent of 7 at frame 1: 1 + 2 + 4. */
static void extent_interior(struct kunit *test)
{
	struct fixture *fx = two_chunks(test, 0);
	void *first = myalloc_frame_addr(fx->zone, 1);
	struct myalloc_cache *cache;
	char text[64];
	u32 i, nr;

	KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_range(fx->zone, first, 7, 0), 0);
	holder(fx, first, text, sizeof(text));
	for (i = 1; i < 7; i++) {
		void *addr = first + i * PAGE_SIZE;
		unsigned int piece = i < 3 ? 1 : 2, order;

		for (nr = 1; nr <= 8; nr++)
			FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free_exact(fx->zone, addr, nr),
					       MYALLOC_BAD_INTERIOR,
					       "bad free as %u page%s: inside a block, not at its beginning; frame %u, order %u, part of an extent, held by %s",
					       nr, myalloc_s(nr), i < 3 ? 2 : 4, piece, text);
		for (order = 0; order <= 4; order++)
			REFUSED(fx, myalloc_pages_free(fx->zone, addr, order),
				MYALLOC_BAD_INTERIOR);
		REFUSED(fx, myalloc_free(fx->zone, addr), MYALLOC_BAD_INTERIOR);
		KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, addr), 0);
	}
	cache = fixture_cache(fx, "c", 64, 0);
	REFUSED(fx, myalloc_cache_free(cache, first), MYALLOC_BAD_KIND);
	REFUSED(fx, myalloc_cache_free(cache, first + 3 * PAGE_SIZE), MYALLOC_BAD_KIND);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, first, 7), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* By address: the size and the free of each extent that fits into a chunk. */
static void extent_by_address(struct kunit *test)
{
	struct fixture *fx = two_chunks(test, 0);
	char text[64];
	u32 at, nr;

	for (at = CHUNK; at < 2 * CHUNK; at++)
		for (nr = 1; nr <= 2 * CHUNK - at; nr++) {
			void *addr = myalloc_frame_addr(fx->zone, at);

			KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_range(fx->zone, addr, nr, 0), 0);
			FIXTURE_EXPECT_VALID(fx);
			KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, addr), nr * PAGE_SIZE);
			KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, addr + 8), 0);
			FIXTURE_EXPECT_REFUSED(fx, myalloc_free(fx->zone, addr + 8),
					       MYALLOC_BAD_MISALIGNED,
					       "bad free as %u page%s: misaligned: nothing begins at this address; frame %u, %u page%s, held by %s",
					       nr, myalloc_s(nr), at, nr, myalloc_s(nr),
					       holder(fx, addr, text, sizeof(text)));
			KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr), 0);
			REFUSED(fx, myalloc_free(fx->zone, addr), MYALLOC_BAD_FREE);
			KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
		}
}

/* No number of pages reaches into the next chunk, not even a recorded one. */
static void extent_chunk_end(struct kunit *test)
{
	struct fixture *fx = two_chunks(test, 0);
	void *mine = myalloc_frame_addr(fx->zone, CHUNK - 4);
	void *theirs = myalloc_frame_addr(fx->zone, CHUNK);
	struct myalloc_frame *frame = frame_of(fx, mine), *next = frame_of(fx, theirs);
	const u32 right = myalloc_frame_tag(MYALLOC_FRAME_EXTENT, 2, 3);
	u32 nr;

	KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_range(fx->zone, mine, 4, 0), 0);
	KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_range(fx->zone, theirs, 4, 0), 0);
	KUNIT_EXPECT_EQ(test, frame->tag, right);
	for (nr = 5; nr <= CHUNK + 4; nr++)
		REFUSED(fx, myalloc_pages_free_exact(fx->zone, mine, nr), MYALLOC_BAD_LENGTH);
	/* As if one extent lay in both chunks, down to the last tag. */
	frame->tag = myalloc_frame_tag(MYALLOC_FRAME_EXTENT, 2, 7);
	next->tag = myalloc_frame_tag(MYALLOC_FRAME_PIECE, 2, 0);
	fixture_note(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, mine, 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, mine), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, 8);
	KUNIT_EXPECT_EQ(test, fx->stats.corruptions, 0);
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_STREQ(test, fx->v.first,
			   "E1: frame 12: tagged 0x0007028b, an extent of 8 pages cannot begin like that");
	frame->tag = right;
	next->tag = right;
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, mine, 4), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, theirs, 4), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* --- two frees at once ------------------------------------------------------------------- */

static struct {
	struct fixture *fx;
	const char *where;
	void *addr;
	u32 nr;
	u32 calls;
	int err;
	void *page;
} other;

static void free_first(const char *where)
{
	if (strcmp(where, other.where) || other.calls++)
		return;
	other.err = myalloc_pages_free_exact(other.fx->zone, other.addr, other.nr);
	other.page = myalloc_pages_alloc(other.fx->zone, 0, 0);
	if (other.page)
		memset(other.page, 0x22, PAGE_SIZE);
}

/* Two frees have both read a valid tag: the one that claims it frees, the other does nothing. */
static void extent_twice_at_once(struct kunit *test)
{
	struct fixture *fx = two_chunks(test, MYALLOC_POISON);
	void *addr = extent(fx, 7);

	memset(&other, 0, sizeof(other));
	other.fx = fx;
	other.where = "extent-checked";
	other.addr = addr;
	other.nr = 7;
	if (!fixture_set_hook(free_first)) {
		myalloc_pages_free_exact(fx->zone, addr, 7);
		kunit_skip(test, "no hook between the look at the tag and the claim here");
	}
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 7), -EINVAL);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_GE(test, other.calls, 1);
	KUNIT_EXPECT_EQ(test, other.err, 0);
	/* The first page has a new user, which has written to it. */
	KUNIT_EXPECT_PTR_EQ(test, other.page, addr);
	KUNIT_EXPECT_NULL(test, memchr_inv(other.page, 0x22, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, 1);
	KUNIT_EXPECT_EQ(test, fx->stats.bad_frees, 1);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, other.page, 0), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	KUNIT_EXPECT_EQ(test, fx->stats.corruptions, 0);
}

/* --- damage ------------------------------------------------------------------------------ */

/* If the tag of a later piece or the buddy disagrees, nothing is freed, nor in NMI. */
static void extent_damaged(struct kunit *test)
{
	struct fixture *fx = two_chunks(test, 0);
	void *addr = extent(fx, 7);	/* 4 + 2 + 1 */
	struct myalloc_frame *frame = frame_of(fx, addr);
	const u32 right = frame[6].tag;
	u64 *head = &fx->zone->buddy.head[0];
	unsigned long lock_irq, irq;
	int err;

	KUNIT_EXPECT_EQ(test, right, myalloc_frame_tag(MYALLOC_FRAME_PIECE, 0, 0));
	frame[6].tag = myalloc_frame_tag(MYALLOC_FRAME_PAGE, 0, 0);
	fixture_note(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 7), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "extent of 7 pages at frame 0 cannot be freed: a later piece has a wrong tag");
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	raw_spin_lock_irqsave(&fx->zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	err = myalloc_free(fx->zone, addr);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&fx->zone->lock, lock_irq);
	KUNIT_EXPECT_EQ(test, err, -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 2);
	KUNIT_EXPECT_EQ(test, fx->stats.deferred_pages, 0);
	KUNIT_EXPECT_EQ(test, fx->stats.page_pages, 7);
	frame[6].tag = right;
	FIXTURE_EXPECT_VALID(fx);

	*head &= ~BIT_ULL(6);	/* where the last piece begins */
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 7), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "extent of 7 pages at frame 0 cannot be freed: allocated with another order");
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 3);
	KUNIT_EXPECT_EQ(test, fx->stats.bad_frees, 0);
	KUNIT_EXPECT_EQ(test, fx->stats.page_pages, 7);
	*head |= BIT_ULL(6);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 7), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static void expect_z8(struct fixture *fx, struct myalloc_frame *frame, u32 tag, const char *text)
{
	u32 right = frame->tag;

	frame->tag = tag;
	KUNIT_EXPECT_FALSE_MSG(fx->test, fixture_valid(fx), "not found: %s", text);
	KUNIT_EXPECT_STREQ(fx->test, fx->v.first, text);
	frame->tag = right;
	FIXTURE_EXPECT_VALID(fx);
}

/* Validation finds such damage. The zone ends with a partial chunk. */
static void extent_validate(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 27, .chunk_order = 4, .no_magazines = true };
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_frame *frame = fx->zone->frames;
	void *five = extent(fx, 5), *block = myalloc_pages_alloc(fx->zone, 1, 0), *last;

	KUNIT_ASSERT_EQ(test, frame_of(fx, five) - frame, 16);
	KUNIT_ASSERT_EQ(test, frame_of(fx, block) - frame, 22);
	last = myalloc_frame_addr(fx->zone, 26);
	KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_range(fx->zone, last, 1, 0), 0);
	FIXTURE_EXPECT_VALID(fx);
	expect_z8(fx, &frame[16], myalloc_frame_tag(MYALLOC_FRAME_EXTENT, 2, 3),
		  "E1: frame 20: a piece of no extent");
	expect_z8(fx, &frame[16], myalloc_frame_tag(MYALLOC_FRAME_PAGE, 2, 0),
		  "E1: frame 20: a piece of no extent");
	/* One page more, which is free; and a number that the buddy would cut differently. */
	expect_z8(fx, &frame[16], myalloc_frame_tag(MYALLOC_FRAME_EXTENT, 2, 5),
		  "E1: frame 20: tagged 0x0000008c, not as a piece of the extent at frame 16");
	expect_z8(fx, &frame[16], myalloc_frame_tag(MYALLOC_FRAME_EXTENT, 2, 8),
		  "E1: frame 16: tagged 0x0008028b, an extent of 9 pages cannot begin like that");
	expect_z8(fx, &frame[20], myalloc_frame_tag(MYALLOC_FRAME_PAGE, 0, 0),
		  "E1: frame 20: tagged 0x00000081, not as a piece of the extent at frame 16");
	expect_z8(fx, &frame[20], myalloc_frame_tag(MYALLOC_FRAME_PIECE, 0, 1),
		  "E1: frame 20: tagged 0x0001008c, not as a piece of the extent at frame 16");
	expect_z8(fx, &frame[22], myalloc_frame_tag(MYALLOC_FRAME_PIECE, 1, 0),
		  "E1: frame 22: a piece of no extent");
	/* Beyond the last frame of the zone, which ends the last chunk. */
	expect_z8(fx, &frame[26], myalloc_frame_tag(MYALLOC_FRAME_EXTENT, 0, 1),
		  "E1: frame 26: tagged 0x0001008b, an extent of 2 pages cannot begin like that");
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, last, 1), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, block, 1), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, five, 5), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* --- NMI --------------------------------------------------------------------------------- */

/* Each extent of a chunk, freed in NMI without the lock, is deferred as a whole and returned. */
static void extent_nmi(struct kunit *test)
{
	struct fixture *fx = two_chunks(test, 0);
	unsigned long lock_irq, irq;
	u32 at, nr, n = 0;
	int err, twice;

	for (at = 0; at < CHUNK; at++)
		for (nr = 1; nr <= CHUNK - at; nr++) {
			void *addr = myalloc_frame_addr(fx->zone, at);

			KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_range(fx->zone, addr, nr, 0), 0);
			raw_spin_lock_irqsave(&fx->zone->lock, lock_irq);
			irq = fixture_nmi_enter();
			err = myalloc_pages_free_exact(fx->zone, addr, nr);
			twice = myalloc_pages_free_exact(fx->zone, addr, nr);
			fixture_nmi_exit(irq);
			raw_spin_unlock_irqrestore(&fx->zone->lock, lock_irq);
			KUNIT_EXPECT_EQ(test, err, 0);
			KUNIT_EXPECT_EQ(test, twice, -EINVAL);
			KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_FREE], ++n);
			KUNIT_EXPECT_EQ(test, fx->stats.deferred_pages, nr);
			KUNIT_EXPECT_EQ(test, fx->stats.page_pages, 0);
			FIXTURE_EXPECT_VALID(fx);
			myalloc_zone_drain(fx->zone);
			KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
		}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
}

static void look(void *arg)
{
	struct fixture *fx = other.fx;

	KUNIT_EXPECT_EQ(fx->test, myalloc_pages_free_exact(fx->zone, other.addr, other.nr),
			-EINVAL);
	KUNIT_EXPECT_EQ(fx->test, myalloc_pages_free(fx->zone, other.addr + 6 * PAGE_SIZE, 0),
			-EINVAL);
	FIXTURE_EXPECT_VALID(fx);
	if (other.calls > 2)
		myalloc_zone_drain(fx->zone);
	FIXTURE_EXPECT_VALID(fx);
}

/* Before each piece: the holder drops the lock, and another CPU validates and drains. */
static void look_there(const char *where)
{
	if (strcmp(where, other.where))
		return;
	other.calls++;
	raw_spin_unlock(&other.fx->zone->lock);
	fixture_on_cpu(1, look, NULL);
	while (!raw_spin_trylock(&other.fx->zone->lock))
		;
}

/* An extent with some deferred and some returned pieces violates no invariant. */
static void extent_nmi_half(struct kunit *test)
{
	struct fixture *fx = two_chunks(test, 0);
	void *addr = extent(fx, 15);	/* 8 + 4 + 2 + 1 */
	unsigned long lock_irq, irq;
	int err;

	memset(&other, 0, sizeof(other));
	other.fx = fx;
	other.where = "extent-piece";
	other.addr = addr;
	other.nr = 15;
	if (!fixture_set_hook(look_there)) {
		myalloc_pages_free_exact(fx->zone, addr, 15);
		kunit_skip(test, "no hook between the pieces here");
	}
	raw_spin_lock_irqsave(&fx->zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	err = myalloc_pages_free_exact(fx->zone, addr, 15);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&fx->zone->lock, lock_irq);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, other.calls, 4);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static void free_there(const char *where)
{
	unsigned long irq;

	if (strcmp(where, other.where) || ++other.calls != other.nr)
		return;
	irq = fixture_nmi_enter();
	other.err = myalloc_pages_free_exact(other.fx->zone, other.addr, 15);
	fixture_nmi_exit(irq);
}

/* Neither does one freed while validation, which holds the lock, is at any of its pieces. */
static void extent_nmi_validated(struct kunit *test)
{
	struct fixture *fx = two_chunks(test, 0);
	u32 when;

	for (when = 1; when <= 3; when++) {
		memset(&other, 0, sizeof(other));
		other.fx = fx;
		other.where = "validate-extent";
		other.addr = extent(fx, 15);
		other.nr = when;
		if (!fixture_set_hook(free_there)) {
			myalloc_pages_free_exact(fx->zone, other.addr, 15);
			kunit_skip(test, "no hook in validation here");
		}
		FIXTURE_EXPECT_VALID(fx);
		fixture_set_hook(NULL);
		KUNIT_EXPECT_GE(test, other.calls, when);
		KUNIT_EXPECT_EQ(test, other.err, 0);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 15);
		myalloc_zone_drain(fx->zone);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
}

/* --- the search -------------------------------------------------------------------------- */

/* Allocate every page of each chunk, then free those that @give_page selects. */
static struct fixture *with_holes(struct kunit *test, bool (*give_page)(u32 idx))
{
	const struct fixture_args args = {
		.nr_pages = 256, .chunk_order = 6, .no_magazines = true, .simulated = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	u32 idx;

	for (idx = 0; idx < 256; idx++)
		KUNIT_ASSERT_NOT_NULL(test, myalloc_pages_alloc(fx->zone, 0, 0));
	for (idx = 0; idx < 256; idx++)
		if (give_page(idx))
			KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone,
							   myalloc_frame_addr(fx->zone, idx)), 0);
	FIXTURE_EXPECT_VALID(fx);
	return fx;
}

static void free_rest(struct fixture *fx, bool (*give_page)(u32 idx))
{
	u32 idx;

	for (idx = 0; idx < 256; idx++)
		if (!give_page(idx))
			KUNIT_EXPECT_EQ(fx->test,
					myalloc_free(fx->zone, myalloc_frame_addr(fx->zone, idx)),
					0);
	KUNIT_EXPECT_TRUE(fx->test, fixture_pristine(fx));
}

static bool pairs(u32 idx)
{
	return idx % 16 < 2;
}

static bool three_to_seven(u32 idx)
{
	return idx % 64 >= 3 && idx % 64 <= 7;
}

/* A request finds free pages of the alignment it asks for, whichever blocks they form. */
static void extent_holes(struct kunit *test)
{
	struct fixture *fx = with_holes(test, pairs);
	void *addr[16];
	u32 i;

	for (i = 0; i < 16; i++) {
		/* Alternately the lowest and the highest. */
		u32 idx = i % 2 ? 16 * (15 - i / 2) : 16 * (i / 2);

		addr[i] = myalloc_pages_alloc_exact(fx->zone, 2, 4, i % 2 ? MYALLOC_TOPDOWN : 0);
		KUNIT_ASSERT_PTR_EQ(test, addr[i], myalloc_frame_addr(fx->zone, idx));
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->free_pages, 0);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, 2, 4, MYALLOC_MAY_WAIT));
	/* It was tried twice. */
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_fails[1], 1);
	FIXTURE_EXPECT_VALID(fx);
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr[i], 2), 0);
	free_rest(fx, pairs);

	fx = with_holes(test, three_to_seven);
	for (i = 0; i < 4; i++) {
		addr[i] = myalloc_pages_alloc_exact(fx->zone, 5, 0, i == 3 ? MYALLOC_MAY_WAIT : 0);
		KUNIT_ASSERT_PTR_EQ(test, addr[i], myalloc_frame_addr(fx->zone, 64 * i + 3));
	}
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, 1, 0, 0));
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr[i]), 0);
	free_rest(fx, three_to_seven);
}

static struct {
	struct fixture *fx;
	u32 chunks;
	u32 words;
	u32 most;
	u32 held;
	u32 then;	/* run the hook there */
	void (*what)(void);
} steps;

static void count_steps(const char *where)
{
	if (!strcmp(where, "buddy-word"))
		steps.words++;
	steps.most = max(steps.most, steps.words);
	if (strcmp(where, "extent-search"))
		return;
	steps.words = 0;
	if (raw_spin_trylock(&steps.fx->zone->lock))
		raw_spin_unlock(&steps.fx->zone->lock);
	else
		steps.held++;
	if (++steps.chunks == steps.then)
		steps.what();
}

static bool begin_steps(struct fixture *fx, u32 then, void (*what)(void))
{
	memset(&steps, 0, sizeof(steps));
	steps.fx = fx;
	steps.then = then;
	steps.what = what;
	return fixture_set_hook(count_steps);
}

/* The lock is dropped between two chunks, and a chunk costs one step for 64 pages. */
static void extent_search_bounded(struct kunit *test)
{
	struct fixture *fx = with_holes(test, three_to_seven);
	void *addr;

	if (!begin_steps(fx, 0, NULL)) {
		free_rest(fx, three_to_seven);
		kunit_skip(test, "steps are not counted here");
	}
	/* 6 pages need a free block of two; each chunk has one of four. */
	addr = myalloc_pages_alloc_exact(fx->zone, 6, 0, 0);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_NULL(test, addr);
	KUNIT_EXPECT_EQ(test, steps.chunks, 4);
	KUNIT_EXPECT_EQ(test, steps.held, 0);
	KUNIT_EXPECT_EQ(test, steps.most, 1);
	/* 15 pages need one of eight; no chunk has one, so none is searched. */
	begin_steps(fx, 0, NULL);
	addr = myalloc_pages_alloc_exact(fx->zone, 15, 0, 0);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_NULL(test, addr);
	KUNIT_EXPECT_EQ(test, steps.chunks + steps.most, 0);
	free_rest(fx, three_to_seven);
}

static void lock_zone(void)
{
	if (!raw_spin_trylock(&steps.fx->zone->lock))
		steps.held++;
}

/* A request that succeeds after reclaim does not count as failed. */
static void extent_fails(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 4 * 64, .chunk_order = 6 };
	struct fixture *fx = fixture_zone(test, &args);
	const struct myalloc_zone_stats *stats;
	void **page = fixture_array(test, args.nr_pages + 1);
	void *addr;
	u32 i, n = 0;

	while ((page[n] = myalloc_pages_alloc(fx->zone, 0, MYALLOC_MAY_WAIT)))
		n++;
	KUNIT_ASSERT_EQ(test, n, args.nr_pages);
	stats = fixture_stats(fx);
	KUNIT_EXPECT_EQ(test, stats->page_fails[0], 1);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, 0, 0));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_fails[0], 2);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page[i], 0), 0);
	KUNIT_EXPECT_GT(test, fixture_stats(fx)->cached_pages, 0);
	/* Each chunk has pages that are in magazines. */
	for (i = 0; i < 4; i++) {
		page[i] = myalloc_pages_alloc_exact(fx->zone, 64, 0, MYALLOC_MAY_WAIT);
		KUNIT_EXPECT_NOT_NULL(test, page[i]);
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_fails[6], 0);
	addr = myalloc_pages_alloc_exact(fx->zone, 33, 0, MYALLOC_MAY_WAIT);
	KUNIT_EXPECT_NULL(test, addr);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_fails[6], 1);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, page[i], 64), 0);
	FIXTURE_EXPECT_VALID(fx);
}

/* In NMI, a search ends if the lock is taken meanwhile. */
static void extent_search_nmi(struct kunit *test)
{
	struct fixture *fx = with_holes(test, three_to_seven);
	unsigned long irq;
	void *addr;

	if (!begin_steps(fx, 2, lock_zone)) {
		free_rest(fx, three_to_seven);
		kunit_skip(test, "no hook in the search here");
	}
	irq = fixture_nmi_enter();
	addr = myalloc_pages_alloc_exact(fx->zone, 6, 0, 0);
	fixture_set_hook(NULL);
	raw_spin_unlock(&fx->zone->lock);
	fixture_nmi_exit(irq);
	KUNIT_EXPECT_NULL(test, addr);
	KUNIT_EXPECT_EQ(test, steps.chunks, 2);
	KUNIT_EXPECT_EQ(test, steps.held, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nmi_fails, 1);
	KUNIT_EXPECT_EQ(test, fx->stats.page_fails[3], 0);
	irq = fixture_nmi_enter();
	addr = myalloc_pages_alloc_exact(fx->zone, 5, 0, 0);
	fixture_nmi_exit(irq);
	KUNIT_EXPECT_PTR_EQ(test, addr, myalloc_frame_addr(fx->zone, 3));
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr), 0);
	free_rest(fx, three_to_seven);
}

static void take_four(void)
{
	u32 i;

	for (i = 0; i < 4; i++)
		other.page = myalloc_pages_alloc(steps.fx->zone, 2, 0);
}

/* A search does not return frames that others take before it reaches them. */
static void extent_search_taken(struct kunit *test)
{
	struct fixture *fx = with_holes(test, three_to_seven);
	void *addr;
	u32 i;

	if (!begin_steps(fx, 1, take_four)) {
		free_rest(fx, three_to_seven);
		kunit_skip(test, "no hook in the search here");
	}
	addr = myalloc_pages_alloc_exact(fx->zone, 5, 0, 0);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_NULL(test, addr);
	KUNIT_EXPECT_PTR_EQ(test, other.page, myalloc_frame_addr(fx->zone, 3 * 64 + 4));
	KUNIT_EXPECT_EQ(test, steps.chunks, 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_fails[3], 1);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone,
						   myalloc_frame_addr(fx->zone, i * 64 + 4)), 0);
	free_rest(fx, three_to_seven);
}

/* --- owners ------------------------------------------------------------------------------ */

struct seen {
	u32 nr;
	u32 idx[4];
	u32 pages[4];
};

static bool see(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame, void *arg)
{
	struct seen *seen = arg;

	if (seen->nr == ARRAY_SIZE(seen->idx))
		return false;
	seen->idx[seen->nr] = idx;
	seen->pages[seen->nr++] = myalloc_frame_pages(frame);
	return true;
}

/* A walk shows an extent once, with all its pages; a zone with an extent is not destroyed. */
static void extent_shown(struct kunit *test)
{
	struct fixture *fx = two_chunks(test, 0);
	void *seven = extent(fx, 7), *block = myalloc_pages_alloc(fx->zone, 3, 0);
	void *two = extent(fx, 2);
	struct seen seen = { 0 };
	char text[64];

	myalloc_zone_walk_blocks(fx->zone, see, &seen);
	KUNIT_EXPECT_EQ(test, seen.nr, 3);
	KUNIT_EXPECT_EQ(test, seen.idx[0], 0);
	KUNIT_EXPECT_EQ(test, seen.pages[0], 7);
	KUNIT_EXPECT_EQ(test, seen.idx[1], 8);
	KUNIT_EXPECT_EQ(test, seen.pages[1], 8);
	KUNIT_EXPECT_EQ(test, seen.idx[2], 16);
	KUNIT_EXPECT_EQ(test, seen.pages[2], 2);
	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	scnprintf(fx->expected, sizeof(fx->expected),
		  "cannot be destroyed: 17 pages in use, first: frame 0, 7 pages, held by %s",
		  holder(fx, seven, text, sizeof(text)));
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), fx->expected);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, seven), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, block), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, two), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* An extent whose free is refused keeps its content, even if frees poison. */
static void extent_damaged_kept(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 4, .no_magazines = true, .checks = MYALLOC_POISON,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void *addr = myalloc_pages_alloc_exact(fx->zone, 7, 0, 0);
	struct myalloc_frame *piece;
	u32 tag;

	KUNIT_ASSERT_NOT_NULL(test, addr);
	memset(addr, 0x11, 7 * PAGE_SIZE);
	piece = myalloc_map_frame(&fx->zone->map, addr + 4 * PAGE_SIZE);
	tag = piece->tag;
	piece->tag = tag ^ 1;
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 7), -EINVAL);
	piece->tag = tag;
	KUNIT_EXPECT_NULL(test, memchr_inv(addr, 0x11, 7 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 7), 0);
}

static struct kunit_case extent_cases[] = {
	KUNIT_CASE(extent_damaged_kept),
	KUNIT_CASE(extent_wrong_number),
	KUNIT_CASE(extent_as_block),
	KUNIT_CASE(extent_is_no_block),
	KUNIT_CASE(extent_interior),
	KUNIT_CASE(extent_by_address),
	KUNIT_CASE(extent_chunk_end),
	KUNIT_CASE(extent_twice_at_once),
	KUNIT_CASE(extent_damaged),
	KUNIT_CASE(extent_validate),
	KUNIT_CASE(extent_nmi),
	KUNIT_CASE(extent_nmi_half),
	KUNIT_CASE(extent_nmi_validated),
	KUNIT_CASE(extent_holes),
	KUNIT_CASE(extent_fails),
	KUNIT_CASE(extent_search_bounded),
	KUNIT_CASE(extent_search_nmi),
	KUNIT_CASE(extent_search_taken),
	KUNIT_CASE(extent_shown),
	{}
};

static struct kunit_suite extent_suite = {
	.name = "myalloc_extent",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = extent_cases,
};

kunit_test_suite(extent_suite);
