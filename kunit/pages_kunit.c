// SPDX-License-Identifier: GPL-2.0
/* Tests of page allocation: placement, bulk, exact sizes, ranges, wrong frees, checks. */
#include "env.h"

#include <kunit/test.h>

#include "page_fixture.h"
#include "zone/zone.h"

/* --- blocks -------------------------------------------------------------------- */

/* Blocks of all orders of the largest chunk: address, size, alignment, and the free remainder. */
static void pages_every_order(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 1024, .chunk_order = 10 };
	struct fixture *fx = fixture_zone(test, &args);
	unsigned int order, pass;

	for (pass = 0; pass < 2; pass++)
		for (order = 0; order <= 10; order++) {
			u8 *addr = alloc_here(fx, order, 0);
			size_t size = PAGE_SIZE << order;

			KUNIT_ASSERT_NOT_NULL(test, addr);
			KUNIT_EXPECT_EQ(test, index_of(fx, addr) & (BIT(order) - 1), 0);
			KUNIT_EXPECT_EQ(test, ((unsigned long)addr -
					       (unsigned long)fx->chunks[0]) % size, 0);
			KUNIT_EXPECT_EQ(test, frame_of(fx, addr)->tag,
					myalloc_frame_tag(MYALLOC_FRAME_PAGE, order, 0));
			KUNIT_EXPECT_TRUE(test, fixture_called_by(frame_of(fx, addr)->caller,
								  alloc_here));
			KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, addr), size);
			addr[0] = 1;
			addr[size - 1] = 1;
			FIXTURE_EXPECT_VALID(fx);
			if (pass)
				KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr), 0);
			else
				KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, order), 0);
			myalloc_zone_drain(fx->zone);
			KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
		}
}

/* Orders above the zone's largest are refused, with any flags. */
static void pages_order_too_large(struct kunit *test)
{
	static const unsigned int orders[] = { 5, 9, 10, 11, 31, 32, 64, 255, UINT_MAX };
	struct fixture *fx = small_zone(test, 0);
	void *addr;
	size_t i;

	fixture_note(fx);
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		KUNIT_EXPECT_NULL(test, alloc_here(fx, orders[i], 0));
		KUNIT_EXPECT_NULL(test, alloc_here(fx, orders[i], MYALLOC_TOPDOWN | MYALLOC_ZERO));
		KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_bulk(fx->zone, orders[i], 0, 1, &addr),
				0);
	}
	KUNIT_EXPECT_TRUE(test, fixture_unchanged(fx));
}

/* MYALLOC_ZERO clears dirty memory to the last byte, and only the requested bytes. */
static void pages_zero(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 64, .chunk_order = 6 };
	struct fixture *fx = fixture_zone(test, &args);
	unsigned int order;
	void *all, *addr;

	for (order = 0; order <= 5; order++) {
		size_t size = PAGE_SIZE << order;

		myalloc_zone_drain(fx->zone);
		all = alloc_here(fx, 6, 0);
		KUNIT_ASSERT_NOT_NULL(test, all);
		memset(all, 0x77, PAGE_SIZE << 6);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, all, 6), 0);
		addr = alloc_here(fx, order, MYALLOC_ZERO);
		KUNIT_ASSERT_PTR_EQ(test, addr, all);
		KUNIT_EXPECT_NULL(test, memchr_inv(addr, 0, size));
		KUNIT_EXPECT_NULL(test, memchr_inv(fixture_touch(addr + size, size), 0x77, size));
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, order), 0);
	}
	myalloc_zone_drain(fx->zone);
	memset(fixture_touch(all, PAGE_SIZE << 6), 0x77, PAGE_SIZE << 6);
	addr = myalloc_pages_alloc_exact(fx->zone, 3, 0, MYALLOC_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, addr);
	KUNIT_EXPECT_NULL(test, memchr_inv(addr, 0, 3 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, *(u8 *)(addr + 3 * PAGE_SIZE), 0x77);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 3), 0);
	memset(fixture_touch(all, PAGE_SIZE << 6), 0x77, PAGE_SIZE << 6);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, all + PAGE_SIZE, 2,
							MYALLOC_ZERO), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(all + PAGE_SIZE, 0, 2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, *(u8 *)(all + PAGE_SIZE - 1), 0x77);
	KUNIT_EXPECT_EQ(test, *(u8 *)(all + 3 * PAGE_SIZE), 0x77);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, all + PAGE_SIZE, 2), 0);
}

/* Allocation from the top of the zone downwards bypasses the magazines. */
static void pages_topdown(struct kunit *test)
{
	struct fixture *fx = large_zone(test, 0);
	void *high = alloc_here(fx, 0, MYALLOC_TOPDOWN), *block, *low;

	KUNIT_EXPECT_EQ(test, index_of(fx, high), 1023);
	block = alloc_here(fx, 2, MYALLOC_TOPDOWN);
	KUNIT_EXPECT_EQ(test, index_of(fx, block), 1016);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_hits[0] + fx->stats.page_hits[2], 0);
	KUNIT_EXPECT_EQ(test, fx->stats.cached_pages, 0);
	low = alloc_here(fx, 3, 0);
	KUNIT_EXPECT_EQ(test, index_of(fx, low), 1008);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, low, 3), 0);
	KUNIT_EXPECT_PTR_EQ(test, alloc_here(fx, 3, 0), low);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_hits[3], 1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, low, 3), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, high, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, block, 2), 0);
}

/* Both policies in a zone: best fit takes the small hole, first fit the low one. */
static void pages_policy(struct kunit *test)
{
	enum myalloc_policy policy;

	for (policy = 0; policy < MYALLOC_NR_POLICIES; policy++) {
		const struct fixture_args args = {
			.nr_pages = 64, .chunk_order = 5, .stride = 2, .policy = policy,
			.no_magazines = true,
		};
		struct fixture *fx = fixture_zone(test, &args);
		void *low = myalloc_frame_addr(fx->zone, 8);
		void *high = myalloc_frame_addr(fx->zone, 40), *addr;

		/* Used: 8 to 31 and 40 to 62. Free: orders 3 at 0, 3 at 32, 0 at 63. */
		KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, low, 24, 0), 0);
		KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, high, 23, 0), 0);
		addr = alloc_here(fx, 0, 0);
		KUNIT_EXPECT_EQ(test, index_of(fx, addr), policy == MYALLOC_BEST_FIT ? 63 : 0);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 0), 0);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, low, 24), 0);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, high, 23), 0);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	}
}

/* --- bulk ----------------------------------------------------------------------------- */

/* Any number of blocks of any order: all differ, none is left out, and all can be freed. */
static void pages_bulk(struct kunit *test)
{
	static const unsigned int numbers[] = { 0, 1, 2, 16, 17, 63, 64, 65, 200, 1030 };
	struct fixture *fx = large_zone(test, 0);
	void **pages = page_array(test);
	unsigned int order, i, n, k, all;

	for (order = 0; order <= 4; order++)
		for (i = 0; i < ARRAY_SIZE(numbers); i++) {
			all = min_t(unsigned int, numbers[i], 1024 >> order);
			n = myalloc_pages_alloc_bulk(fx->zone, order,
						     MYALLOC_MAY_WAIT | MYALLOC_ZERO,
						     numbers[i], pages);
			KUNIT_EXPECT_EQ(test, n, all);
			KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, (u64)n << order);
			for (k = 0; k < n; k++) {
				KUNIT_EXPECT_NULL(test, memchr_inv(pages[k], 0, 64));
				memset(pages[k], 0x33, 64);
			}
			KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(fx->zone, order, n, pages),
					n);
			KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, 0);
		}
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, fx->stats.bad_frees, 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* Each wrong address among right ones is refused; the others are freed. */
static void pages_bulk_bad(struct kunit *test)
{
	unsigned int checks;

	for (checks = 0; checks < 2; checks++) {
		struct fixture *fx = large_zone(test, checks ? MYALLOC_POISON : 0);
		void *pages[8], *give[12];

		KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_bulk(fx->zone, 0, 0, 8, pages), 8);
		memcpy(give + 1, pages, 5 * sizeof(pages[0]));
		memcpy(give + 8, pages + 5, 3 * sizeof(pages[0]));
		give[0] = NULL;
		give[6] = pages[2];
		give[7] = pages[7] + 8;
		give[11] = pages[0];
		KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(fx->zone, 0, 12, give), 8);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_frees, 4);
		KUNIT_EXPECT_EQ(test, fx->stats.bad[MYALLOC_BAD_FOREIGN], 1);
		KUNIT_EXPECT_EQ(test, fx->stats.bad[MYALLOC_BAD_FREE], 2);
		KUNIT_EXPECT_EQ(test, fx->stats.bad[MYALLOC_BAD_MISALIGNED], 1);
		KUNIT_EXPECT_EQ(test, fx->stats.page_pages, 0);
		FIXTURE_EXPECT_VALID(fx);
		fixture_end(fx);
	}
}

/* --- exact sizes and ranges --------------------------------------------------------------- */

/* All sizes at all alignments, with and without TOPDOWN. */
static void pages_exact(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 4 * 64, .chunk_order = 6, .stride = 2, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	u32 nr, align, down, step = fixture_thorough() ? 1 : 11;

	for (nr = 1; nr <= 64; nr += step)
		for (align = 0; align <= 6; align++)
			for (down = 0; down < 2; down++) {
				u8 *addr = myalloc_pages_alloc_exact(fx->zone, nr, align,
								     down ? MYALLOC_TOPDOWN : 0);

				KUNIT_ASSERT_NOT_NULL(test, addr);
				KUNIT_EXPECT_EQ(test, index_of(fx, addr) & (BIT(align) - 1), 0);
				KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, nr);
				KUNIT_EXPECT_EQ(test, index_of(fx, addr) / 64, down ? 3 : 0);
				memset(addr, nr, nr * PAGE_SIZE);
				FIXTURE_EXPECT_VALID(fx);
				KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, nr),
						0);
				KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
			}
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, 0, 0, 0));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, 65, 0, 0));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, UINT_MAX, 0, 0));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, 1, 7, 0));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, 1, UINT_MAX, 0));
}

/* Ranges of any pages of one chunk, and the refused ones. */
static void pages_range(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 28, .chunk_order = 3, .stride = 2 };
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_zone *zone = fx->zone;
	void *chunk = fx->chunks[1];
	u32 at, nr;

	for (at = 0; at < 8; at++)
		for (nr = 1; nr <= 8 - at; nr++) {
			void *addr = chunk + at * PAGE_SIZE;

			KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(zone, addr, nr, 0), 0);
			KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, nr);
			memset(addr, 1, nr * PAGE_SIZE);
			FIXTURE_EXPECT_VALID(fx);
			fixture_note(fx);
			KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(zone, addr, 1, 0), -EBUSY);
			KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(zone, chunk, 8, 0), -EBUSY);
			KUNIT_EXPECT_TRUE(test, fixture_unchanged(fx));
			KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(zone, addr, nr), 0);
			KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
		}
	fixture_note(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(zone, chunk, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(zone, chunk, 9, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(zone, chunk, UINT_MAX, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(zone, chunk + 8, 1, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(zone, chunk + PAGE_SIZE, 8, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(zone, chunk - PAGE_SIZE, 1, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(zone, NULL, 1, 0), -EINVAL);
	/* The last chunk has only four pages. */
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(zone, fx->chunks[3], 5, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(zone, fx->chunks[3] + 4 * PAGE_SIZE, 1, 0),
			-EINVAL);
	KUNIT_EXPECT_TRUE(test, fixture_unchanged(fx));
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(zone, fx->chunks[3], 4, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(zone, fx->chunks[3], 4), 0);
}

/* --- wrong frees ----------------------------------------------------------------------------- */

/* The text of reports about a free block, and about the last owner of a block that began there. */
static const char *free_block(const struct fixture *fx, const void *addr, char *buf, size_t size)
{
	u32 idx = index_of(fx, addr);
	unsigned long caller = fx->zone->frames[idx].caller;
	struct myalloc_block block = { 0 };
	int n;

	KUNIT_EXPECT_TRUE(fx->test, myalloc_buddy_lookup(&fx->zone->buddy, idx, &block));
	n = scnprintf(buf, size, "frame %u, order %u, free", block.idx, block.order);
	if (!caller)
		return buf;
	if (idx != block.idx)
		n += scnprintf(buf + n, size - n, ", frame %u last allocated at ", idx);
	else
		n += scnprintf(buf + n, size - n, ", last allocated at ");
	fixture_symbol(caller, buf + n, size - n);
	return buf;
}

/* Double frees: immediately, from a magazine, from the buddy, inside a larger free block. */
static void pages_bad_twice(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0), *cached;
	void *addr = alloc_here(fx, 0, 0), *inner = alloc_here(fx, 2, 0);
	struct myalloc_frame *frame;
	char where[192];

	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 0), 0);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, addr, 0), MYALLOC_BAD_FREE,
			       "bad free as pages of order 0: already free (double free); %s",
			       free_block(fx, addr, where, sizeof(where)));
	FIXTURE_EXPECT_REFUSED(fx, myalloc_free(fx->zone, addr), MYALLOC_BAD_FREE,
			       "bad free as pages of order 0: already free (double free); %s",
			       free_block(fx, addr, where, sizeof(where)));
	/* Also of a page that another free has claimed but not returned yet. */
	frame = myalloc_map_frame(&fx->zone->map, inner);
	frame->type = MYALLOC_FRAME_FREEING;
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, inner, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_log_count("already free (double free)"), 1);
	frame->type = MYALLOC_FRAME_PAGE;
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, inner, 2), 0);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, inner + PAGE_SIZE, 0),
			       MYALLOC_BAD_FREE,
			       "bad free as pages of order 0: already free (double free); %s",
			       free_block(fx, inner + PAGE_SIZE, where, sizeof(where)));

	cached = large_zone(test, 0);
	addr = alloc_here(cached, 0, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(cached->zone, addr, 0), 0);
	FIXTURE_EXPECT_REFUSED(cached, myalloc_pages_free(cached->zone, addr, 0), MYALLOC_BAD_FREE,
			       "bad free as pages of order 0: already free (double free); %s",
			       free_block(cached, addr, where, sizeof(where)));
	FIXTURE_EXPECT_REFUSED(cached, myalloc_pages_free_exact(cached->zone, addr, 1),
			       MYALLOC_BAD_FREE,
			       "bad free as 1 page: already free (double free); %s",
			       free_block(cached, addr, where, sizeof(where)));
}

/* Foreign: nothing, user memory, beside the chunks, beyond the last page, another zone's. */
static void pages_bad_foreign(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0), *two = small_zone(test, 0);
	void *theirs = alloc_here(two, 0, 0), *foreign[6];
	size_t i;

	foreign[0] = NULL;
	foreign[1] = (void *)0x1000;
	foreign[2] = (void *)ULONG_MAX;
	foreign[3] = fx->chunks[0] + 16 * PAGE_SIZE;
	foreign[4] = fx->chunks[3] + 12 * PAGE_SIZE;
	foreign[5] = theirs;
	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, foreign[i], 0),
				       MYALLOC_BAD_FOREIGN,
				       "bad free as pages of order 0: not memory of this zone");
		FIXTURE_EXPECT_REFUSED(fx, myalloc_free(fx->zone, foreign[i]), MYALLOC_BAD_FOREIGN,
				       "bad free as pages of order 0: not memory of this zone");
		FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free_exact(fx->zone, foreign[i], 3),
				       MYALLOC_BAD_FOREIGN,
				       "bad free as 3 pages: not memory of this zone");
		KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, foreign[i]), 0);
	}
	FIXTURE_EXPECT_VALID(two);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(two->zone, theirs, 0), 0);
}

/* Addresses inside a page or a block, and wrong orders. */
static void pages_bad_place(struct kunit *test)
{
	static const unsigned int orders[] = { 0, 1, 3, 4, 5, 10, 11, 32, 63, 64 };
	struct fixture *fx = small_zone(test, 0);
	void *addr = alloc_here(fx, 2, 0);
	char holder[64];
	u32 idx = index_of(fx, addr);
	size_t i;

	KUNIT_EXPECT_TRUE(test, fixture_called_by(frame_of(fx, addr)->caller, alloc_here));
	fixture_symbol(frame_of(fx, addr)->caller, holder, sizeof(holder));
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, addr + 1, 2),
			       MYALLOC_BAD_MISALIGNED,
			       "bad free as pages of order 2: misaligned: nothing begins at this address; frame %u, order 2, held by %s",
			       idx, holder);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, addr + PAGE_SIZE - 8, 2),
			       MYALLOC_BAD_MISALIGNED,
			       "bad free as pages of order 2: misaligned: nothing begins at this address; frame %u, order 2, held by %s",
			       idx, holder);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_free(fx->zone, addr + 8), MYALLOC_BAD_MISALIGNED,
			       "bad free as pages of order 2: misaligned: nothing begins at this address; frame %u, order 2, held by %s",
			       idx, holder);
	for (i = 1; i < 4; i++) {
		FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, addr + i * PAGE_SIZE, 0),
				       MYALLOC_BAD_INTERIOR,
				       "bad free as pages of order 0: inside a block, not at its beginning; frame %u, order 2, held by %s",
				       idx, holder);
		FIXTURE_EXPECT_REFUSED(fx, myalloc_free(fx->zone, addr + i * PAGE_SIZE),
				       MYALLOC_BAD_INTERIOR,
				       "bad free as pages of order 2: inside a block, not at its beginning; frame %u, order 2, held by %s",
				       idx, holder);
		KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, addr + i * PAGE_SIZE), 0);
	}
	for (i = 0; i < ARRAY_SIZE(orders); i++)
		FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, addr, orders[i]),
				       MYALLOC_BAD_ORDER,
				       "bad free as pages of order %u: allocated with another order; frame %u, order 2, held by %s",
				       orders[i], idx, holder);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 2), 0);
}

/* The largest order does not fit into fewer digits. */
static void pages_bad_order_digits(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0);

	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, NULL, UINT_MAX),
			       MYALLOC_BAD_FOREIGN,
			       "bad free as pages of order 4294967295: not memory of this zone");
}

/* An exact allocation freed with another number of pages is refused as a whole. */
static void pages_bad_exact(struct kunit *test)
{
	struct fixture *fx = small_zone(test, 0);
	void *addr = myalloc_pages_alloc_exact(fx->zone, 7, 0, 0);	/* 4 + 2 + 1 */
	static const unsigned int wrong[] = { 1, 2, 3, 4, 5, 6, 8, 9, 15, 16, 65536 + 7 };
	char holder[192];
	u32 idx = index_of(fx, addr);
	size_t i;

	fixture_symbol(frame_of(fx, addr)->caller, holder, sizeof(holder));
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free_exact(fx->zone, addr, wrong[i]),
				       MYALLOC_BAD_LENGTH,
				       "bad free as %u page%s: allocated with another number of pages; frame %u, 7 pages, held by %s",
				       wrong[i], myalloc_s(wrong[i]), idx, holder);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free_exact(fx->zone, addr, 0), MYALLOC_BAD_LENGTH,
			       "bad free as 0 pages: allocated with another number of pages; frame %u, 7 pages, held by %s",
			       idx, holder);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free_exact(fx->zone, addr, 17), MYALLOC_BAD_LENGTH,
			       "bad free as 17 pages: allocated with another number of pages; frame %u, 7 pages, held by %s",
			       idx, holder);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free_exact(fx->zone, addr + 64, 7),
			       MYALLOC_BAD_MISALIGNED,
			       "bad free as 7 pages: misaligned: nothing begins at this address; frame %u, 7 pages, held by %s",
			       idx, holder);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free_exact(fx->zone, addr + PAGE_SIZE, 6),
			       MYALLOC_BAD_INTERIOR,
			       "bad free as 6 pages: inside a block, not at its beginning; frame %u, 7 pages, held by %s",
			       idx, holder);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 7), 0);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free_exact(fx->zone, addr, 7), MYALLOC_BAD_FREE,
			       "bad free as 7 pages: already free (double free); %s",
			       free_block(fx, addr, holder, sizeof(holder)));
}

/* Nothing of it is poisoned either, nor deferred from NMI. */
static void pages_bad_exact_untouched(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 32, .chunk_order = 5, .checks = MYALLOC_POISON, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	u8 *addr = myalloc_pages_alloc_exact(fx->zone, 7, 0, 0);
	unsigned long lock_irq, irq;
	int err;

	memset(addr, 0x22, 7 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 5), -EINVAL);
	raw_spin_lock_irqsave(&fx->zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	err = myalloc_pages_free_exact(fx->zone, addr, 5);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&fx->zone->lock, lock_irq);
	KUNIT_EXPECT_EQ(test, err, -EINVAL);
	KUNIT_EXPECT_NULL(test, memchr_inv(addr, 0x22, 7 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 0);
	KUNIT_EXPECT_EQ(test, fx->stats.bad[MYALLOC_BAD_LENGTH], 2);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 7), 0);
}

/* --- checks of pages ------------------------------------------------------------------------- */

/* A write after free is found when the page is allocated, reported with its byte, and repaired. */
static void pages_poison(struct kunit *test)
{
	static const unsigned int at[] = { 0, 1, 2047, PAGE_SIZE - 1, 2 * PAGE_SIZE - 1 };
	const struct fixture_args args = {
		.nr_pages = 32, .chunk_order = 5, .checks = MYALLOC_POISON,
	};
	struct fixture *fx = fixture_zone(test, &args);
	u8 *addr, *again;
	size_t i;

	addr = alloc_here(fx, 5, 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(addr, MYALLOC_POISON_FREE, PAGE_SIZE << 5));
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 5), 0);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		addr = alloc_here(fx, 1, 0);
		memset(addr, 0, 2 * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 1), 0);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, i);
		*(u8 *)fixture_touch(&addr[at[i]], 1) = 0x41;
		again = alloc_here(fx, 1, 0);
		KUNIT_EXPECT_PTR_EQ(test, again, addr);
		scnprintf(fx->expected, sizeof(fx->expected),
			  "free page was written to: frame %u, byte %u is 0x41, not 0x6b",
			  index_of(fx, addr), at[i]);
		KUNIT_EXPECT_STREQ(test, fixture_report(fx), fx->expected);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, i + 1);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, again, 1), 0);
	}
	/* Also by bulk, exact-size and range allocations. */
	*(u8 *)fixture_touch(&addr[5], 1) = 0;
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_bulk(fx->zone, 1, 0, 1, (void **)&again), 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, i + 1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(fx->zone, 1, 1, (void **)&again), 1);
	*(u8 *)fixture_touch(&addr[6], 1) = 0;
	again = myalloc_pages_alloc_exact(fx->zone, 3, 0, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, i + 2);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, again, 3), 0);
	*(u8 *)fixture_touch(&addr[7], 1) = 0;
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, addr, 3, 0), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, i + 3);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 3), 0);
	/* No write since. */
	addr = alloc_here(fx, 5, MYALLOC_ZERO);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, i + 3);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 5), 0);
}

static noinline __noclone int free_here(struct fixture *fx, void *addr, unsigned int order)
{
	int err = myalloc_pages_free(fx->zone, addr, order);

	barrier();
	return err;
}

/* The owner of a block: always the caller, with MYALLOC_OWNER also the call stack. */
static void pages_owner(struct kunit *test)
{
	struct fixture *fx = small_zone(test, MYALLOC_OWNER), *plain = small_zone(test, 0);
	void *addr = alloc_here(fx, 1, 0), *without = alloc_here(plain, 1, 0);
	char *stack = kunit_kzalloc(test, 2048, GFP_KERNEL);
	u32 handle = frame_of(fx, addr)->stack;
	unsigned long freed;

	KUNIT_ASSERT_NOT_NULL(test, stack);
	KUNIT_EXPECT_TRUE(test, fixture_called_by(frame_of(fx, addr)->caller, alloc_here));
	KUNIT_EXPECT_TRUE(test, fixture_called_by(frame_of(plain, without)->caller, alloc_here));
	KUNIT_EXPECT_EQ(test, frame_of(plain, without)->stack, 0);
	if (handle)
		KUNIT_EXPECT_GT(test, myalloc_env_stack_format(handle, stack, 2048), 20);
	else if (!myalloc_env_stack_init())
		KUNIT_FAIL(test, "no stack was saved");
	KUNIT_EXPECT_EQ(test, free_here(fx, addr, 1), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(plain->zone, without, 1), 0);
	/* Its free takes the place of its allocation, on each of its pages. */
	freed = myalloc_env_stack_first(frame_of(fx, addr)->stack);
	KUNIT_EXPECT_EQ(test, !freed, !handle);
	KUNIT_EXPECT_EQ(test, frame_of(fx, addr + PAGE_SIZE)->stack, frame_of(fx, addr)->stack);
	KUNIT_EXPECT_EQ(test, frame_of(fx, addr + PAGE_SIZE)->caller, frame_of(fx, addr)->caller);
	if (freed)
		KUNIT_EXPECT_TRUE(test, fixture_called_by(freed, free_here));
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 1), -EINVAL);
	free_block(fx, addr, stack, 1024);
	if (freed) {
		scnprintf(stack + strlen(stack), 256, ", freed at ");
		fixture_symbol(freed, stack + strlen(stack), 256);
	}
	KUNIT_EXPECT_NOT_NULL(test, strstr(fixture_without_freer(fx), stack));
}

/* --- random work ------------------------------------------------------------------------ */

#define LIVE_MAX	300

struct live {
	void *addr;
	u32 nr;		/* for an exact allocation, else 0 */
	u8 order;
	u8 fill;
};

struct random_work {
	struct fixture *fx;
	struct myalloc_random random;
	struct live live[LIVE_MAX];
	u32 nr;
	u32 steps;
	u64 pages;
};

static void work_alloc(struct random_work *w)
{
	struct live *live = &w->live[w->nr];
	myalloc_flags_t flags = myalloc_random_one_in(&w->random, 8) ? MYALLOC_TOPDOWN : 0;
	size_t size;

	live->nr = 0;
	live->order = 0;
	if (myalloc_random_one_in(&w->random, 5)) {
		live->nr = 1 + myalloc_random_below(&w->random, 20);
		live->addr = myalloc_pages_alloc_exact(w->fx->zone, live->nr, 0, flags);
		size = live->nr * PAGE_SIZE;
	} else {
		live->order = __ffs(myalloc_random_next(&w->random) | BIT(5));
		live->addr = myalloc_pages_alloc(w->fx->zone, live->order, flags);
		size = PAGE_SIZE << live->order;
	}
	if (!live->addr)
		return;
	live->fill = myalloc_random_next(&w->random);
	((u8 *)live->addr)[0] = live->fill;
	((u8 *)live->addr)[size - 1] = live->fill;
	w->pages += size / PAGE_SIZE;
	w->nr++;
}

static void work_free(struct random_work *w, u32 i)
{
	struct live *live = &w->live[i];
	size_t size = live->nr ? live->nr * PAGE_SIZE : PAGE_SIZE << live->order;
	struct kunit *test = w->fx->test;

	KUNIT_EXPECT_EQ(test, ((u8 *)live->addr)[0], live->fill);
	KUNIT_EXPECT_EQ(test, ((u8 *)live->addr)[size - 1], live->fill);
	if (live->nr)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(w->fx->zone, live->addr, live->nr),
				0);
	else
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(w->fx->zone, live->addr, live->order), 0);
	w->pages -= size / PAGE_SIZE;
	*live = w->live[--w->nr];
}

static void work_here(void *arg)
{
	struct random_work *w = arg;
	u32 i;

	for (i = 0; i < w->steps; i++)
		if (w->nr < LIVE_MAX && myalloc_random_below(&w->random, 9) < 5)
			work_alloc(w);
		else if (w->nr)
			work_free(w, myalloc_random_below(&w->random, w->nr));
}

/* Several CPUs at random work: the statistics agree with the model and with a recount. */
static void pages_random(struct kunit *test)
{
	u32 turn, turns = fixture_thorough() ? 60 : 8, policy;
	struct random_work *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	fixture_random(test, &w->random);
	for (policy = 0; policy < MYALLOC_NR_POLICIES; policy++) {
		const struct fixture_args args = {
			.nr_pages = 480 - policy, .chunk_order = 5, .stride = 2, .policy = policy,
			.checks = policy ? 0 : MYALLOC_POISON,
		};
		const struct myalloc_zone_stats *b;

		w->fx = fixture_zone(test, &args);
		b = &w->fx->stats;
		w->steps = 100;
		for (turn = 0; turn < turns; turn++) {
			fixture_on_cpu(turn, work_here, w);
			fixture_stats(w->fx);
			KUNIT_EXPECT_EQ(test, b->page_pages, w->pages);
			KUNIT_EXPECT_EQ(test, b->free_pages + b->cached_pages + w->pages,
					args.nr_pages);
			FIXTURE_EXPECT_VALID(w->fx);
		}
		while (w->nr)
			work_free(w, 0);
		myalloc_zone_drain(w->fx->zone);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(w->fx));
		KUNIT_EXPECT_EQ(test, fixture_stats(w->fx)->bad_frees + b->corruptions, 0);
		KUNIT_EXPECT_EQ(test, memcmp(b->page_allocs, b->page_frees,
					     sizeof(b->page_allocs)), 0);
	}
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE(pages_every_order),
	KUNIT_CASE(pages_order_too_large),
	KUNIT_CASE(pages_zero),
	KUNIT_CASE(pages_topdown),
	KUNIT_CASE(pages_policy),
	KUNIT_CASE(pages_bulk),
	KUNIT_CASE(pages_bulk_bad),
	KUNIT_CASE(pages_exact),
	KUNIT_CASE(pages_range),
	KUNIT_CASE(pages_bad_twice),
	KUNIT_CASE(pages_bad_foreign),
	KUNIT_CASE(pages_bad_place),
	KUNIT_CASE(pages_bad_order_digits),
	KUNIT_CASE(pages_bad_exact),
	KUNIT_CASE(pages_bad_exact_untouched),
	KUNIT_CASE(pages_poison),
	KUNIT_CASE(pages_owner),
	KUNIT_CASE(pages_random),
	{}
};

static struct kunit_suite pages_suite = {
	.name = "myalloc_pages",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = pages_cases,
};

kunit_test_suite(pages_suite);
