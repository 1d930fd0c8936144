// SPDX-License-Identifier: GPL-2.0
/* Tests of the zone: chunks, addresses, statistics, deferred frees, creation and destruction. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "zone/zone.h"

#define PAGES_MAX	1100

static void **page_array(struct kunit *test)
{
	return fixture_array(test, PAGES_MAX);
}

/* Find the index of a frame by searching the chunks for its address; -1 if there is none. */
static long index_of(const struct fixture *fx, const void *addr)
{
	u32 i, idx;

	for (i = 0; i < fx->args.nr_chunks; i++) {
		unsigned long off = (unsigned long)addr - (unsigned long)fx->chunks[i];

		idx = (i << fx->args.chunk_order) + (off >> PAGE_SHIFT);
		if ((unsigned long)addr >= (unsigned long)fx->chunks[i] &&
		    off < PAGE_SIZE << fx->args.chunk_order && idx < fx->args.nr_pages)
			return idx;
	}
	return -1;
}

/* --- making ------------------------------------------------------------------ */

/* Expect that @args are refused with a message that contains @text. */
static void refuse(struct kunit *test, struct fixture *fx, const char *text)
{
	unsigned long live = fixture_live_allocs();
	struct myalloc_zone *zone;

	fixture_log_mark();
	zone = myalloc_zone_create(&fx->args);
	KUNIT_EXPECT_TRUE_MSG(test, IS_ERR(zone) && PTR_ERR(zone) == -EINVAL, "%s", text);
	KUNIT_EXPECT_EQ_MSG(test, fixture_log_count(text), 1, "%s", text);
	KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
	if (!IS_ERR_OR_NULL(zone))
		myalloc_zone_destroy(zone);
}

/* Arguments that contradict each other, each with its message. */
static void zone_args(struct kunit *test)
{
	const struct fixture_args good = { .nr_pages = 40, .chunk_order = 4 };
	struct fixture *fx = fixture_prepare(test, &good);
	const struct myalloc_zone_args args = fx->args;
	void *chunk;

	fx->args.chunk_order = 11;
	refuse(test, fx, "test: chunk order 11 is above 10");
	fx->args = args;
	fx->args.nr_pages = 0;
	refuse(test, fx, "test: 0 pages do not fill 3 chunks of 16 pages");
	fx->args.nr_pages = 49;
	refuse(test, fx, "test: 49 pages do not fill 3 chunks of 16 pages");
	fx->args.nr_pages = 32;
	refuse(test, fx, "test: 32 pages do not fill 3 chunks of 16 pages");
	fx->args.nr_pages = 40;
	fx->args.nr_chunks = 0;
	refuse(test, fx, "test: 40 pages do not fill 0 chunks of 16 pages");
	fx->args.nr_chunks = U32_MAX;
	refuse(test, fx, "pages do not fill 4294967295 chunks of 16 pages");
	fx->args = args;

	chunk = fx->chunks[1];
	fx->chunks[1] = fx->chunks[0];
	refuse(test, fx, "test: chunk 1 is not above chunk 0 by a multiple of its size");
	fx->chunks[1] = chunk + PAGE_SIZE;
	refuse(test, fx, "test: chunk 1 is not above chunk 0 by a multiple of its size");
	fx->chunks[1] = fx->chunks[2];
	fx->chunks[2] = chunk;
	refuse(test, fx, "test: chunk 2 is not above chunk 1 by a multiple of its size");
	fx->chunks[2] = fx->chunks[1];
	fx->chunks[1] = chunk;

	fx->args.checks = __MYALLOC_CACHE_FLAG((__force u32)MYALLOC_CHECKS + 1);
	refuse(test, fx, "test: unknown checks or policy");
	fx->args.checks = 0;
	fx->args.policy = MYALLOC_NR_POLICIES;
	refuse(test, fx, "test: unknown checks or policy");
	fx->args = args;
	fx->zone = myalloc_zone_create(&fx->args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fx->zone);
	FIXTURE_EXPECT_VALID(fx);
}

/* Every page of a zone is allocated exactly once, inside its chunks; then all are freed. */
static void check_all_pages(struct fixture *fx, void **pages)
{
	struct kunit *test = fx->test;
	const u32 nr = fx->args.nr_pages;
	u32 n, i;

	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->free_pages, nr);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	for (n = 0; n < nr; n++) {
		pages[n] = myalloc_pages_alloc(fx->zone, 0, 0);
		KUNIT_ASSERT_NOT_NULL(test, pages[n]);
		KUNIT_EXPECT_GE(test, index_of(fx, pages[n]), 0);
		KUNIT_EXPECT_EQ(test, (unsigned long)pages[n] % PAGE_SIZE, 0);
		for (i = 0; i < n; i++)
			KUNIT_EXPECT_PTR_NE(test, pages[n], pages[i]);
		if (!fx->args.simulated)
			memset(pages[n], n, PAGE_SIZE);
	}
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, 0, 0));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, nr);
	KUNIT_EXPECT_EQ(test, fx->stats.page_fails[0], 1);
	FIXTURE_EXPECT_VALID(fx);
	for (n = 0; n < nr; n++) {
		if (!fx->args.simulated) {
			KUNIT_EXPECT_EQ(test, *(u8 *)pages[n], (u8)n);
			KUNIT_EXPECT_EQ(test, ((u8 *)pages[n])[PAGE_SIZE - 1], (u8)n);
		}
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, pages[n], 0), 0);
	}
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	FIXTURE_EXPECT_VALID(fx);
}

/* Zones of 1 to 70 pages in chunks of every size, adjacent and not, can be used completely. */
static void zone_every_size(struct kunit *test)
{
	u32 nr, order, stride, step = fixture_thorough() ? 1 : 23;
	void **pages = page_array(test);

	for (nr = 1; nr <= 70; nr += step)
		for (order = 0; order <= 6; order++)
			for (stride = 1; stride <= 3; stride++) {
				const struct fixture_args args = {
					.nr_pages = nr, .chunk_order = order, .stride = stride,
					.policy = nr % 2,
				};
				struct fixture *fx = fixture_zone(test, &args);

				check_all_pages(fx, pages);
				fixture_end(fx);
			}
}

/* The same with magazines in use, and with a chunk of the largest order. */
static void zone_whole_chunk(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 1024, .chunk_order = 10 };
	struct fixture *fx = fixture_zone(test, &args);

	KUNIT_EXPECT_GT(test, fx->zone->pcp[0].capacity, 0);
	check_all_pages(fx, page_array(test));
}

/* The map finds a contiguous range of addresses, also past chunks of other zones. */
static void zone_map(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 45, .chunk_order = 3, .stride = 3 };
	struct fixture *fx = fixture_zone(test, &args);
	const struct myalloc_zone *zone = fx->zone;
	unsigned long base = (unsigned long)fx->chunks[0], addr, end;
	u32 idx;

	for (idx = 0; idx < 45; idx++) {
		void *page = myalloc_frame_addr(zone, idx);

		KUNIT_EXPECT_EQ(test, index_of(fx, page), idx);
		KUNIT_EXPECT_PTR_EQ(test, myalloc_map_frame(&zone->map, page), &zone->frames[idx]);
		KUNIT_EXPECT_PTR_EQ(test, myalloc_map_frame(&zone->map, page + PAGE_SIZE - 1),
				    &zone->frames[idx]);
		KUNIT_EXPECT_EQ(test, myalloc_frame_idx(zone, &zone->frames[idx]), idx);
	}
	/* Every page from below the first chunk to behind the last one. */
	end = (unsigned long)fx->chunks[5] + 8 * PAGE_SIZE;
	for (addr = base - 20 * PAGE_SIZE; addr < end + 40 * PAGE_SIZE; addr += PAGE_SIZE) {
		bool inside = (long)(addr - base) >= 0 && addr < end &&
			      (addr - base) / PAGE_SIZE % 24 < 8;

		KUNIT_EXPECT_EQ(test, !!myalloc_map_frame(&zone->map, (void *)addr), inside);
	}
	KUNIT_EXPECT_NULL(test, myalloc_map_frame(&zone->map, NULL));
	KUNIT_EXPECT_NULL(test, myalloc_map_frame(&zone->map, (void *)ULONG_MAX));
}

/* Every function that takes an address refuses one outside the chunks, with the right report. */
static void refuse_foreign(struct fixture *fx, struct myalloc_cache *cache, unsigned long at)
{
	struct kunit *test = fx->test;
	void *addr = (void *)at;

	KUNIT_EXPECT_LT(test, index_of(fx, addr), 0);
	KUNIT_EXPECT_NULL(test, myalloc_map_frame(&fx->zone->map, addr));
	KUNIT_EXPECT_NULL(test, myalloc_object_state(cache, addr));
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, addr), 0);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, addr, 0), MYALLOC_BAD_FOREIGN,
			       "bad free as pages of order 0: not memory of this zone");
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free_exact(fx->zone, addr, 1),
			       MYALLOC_BAD_FOREIGN,
			       "bad free as 1 page: not memory of this zone");
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, addr), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr), -EINVAL);
}

/*
 * Chunks 64 GiB apart: the size of metadata depends on the reserve alone. It is 12 bytes for each
 * chunk, a descriptor and the buddy's share for each frame, and the zone itself.
 */
static void zone_map_sparse(struct kunit *test)
{
	const u64 apart = 1ULL << 36, reserve = 16u << 20;
	struct fixture_args args = { .simulated = true, .no_magazines = true };
	static const u32 orders[] = { 0, 3, 10 };
	u32 i, k;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		u64 chunk = (u64)PAGE_SIZE << orders[i], exact;
		struct fixture *near, *far;
		struct myalloc_cache *cache;

		args.nr_pages = reserve >> PAGE_SHIFT;
		args.chunk_order = orders[i];
		args.stride = 1;
		near = fixture_zone(test, &args);
		args.stride = apart / chunk;
		far = fixture_zone(test, &args);
		exact = sizeof(*near->zone) +
			((u64)near->zone->nr_chunks << orders[i]) * MYALLOC_FRAME_BYTES +
			myalloc_buddy_meta_size(args.nr_pages, args.chunk_order) +
			12ULL * near->zone->nr_chunks + 4 +
			sizeof(*near->zone->pcp[0].cpu) * (MYALLOC_PCP_LISTS + 1ULL) *
			num_possible_cpus();
		KUNIT_EXPECT_EQ(test, near->zone->meta_bytes, exact);
		KUNIT_EXPECT_LE(test, far->zone->meta_bytes, exact);
		KUNIT_EXPECT_LE(test, exact, reserve / 100);
		FIXTURE_EXPECT_VALID(far);

		cache = fixture_cache(far, "sparse", 64, MYALLOC_NO_MAGAZINE);
		for (k = 0; k < far->zone->nr_chunks; k += 1 + far->zone->nr_chunks / 7) {
			unsigned long begin = (unsigned long)far->chunks[k];
			void *last = (void *)(begin + chunk - 1);

			KUNIT_EXPECT_PTR_EQ(test, myalloc_map_frame(&far->zone->map, last),
					    &far->zone->frames[((k + 1) << orders[i]) - 1]);
			refuse_foreign(far, cache, begin - PAGE_SIZE);
			refuse_foreign(far, cache, begin + chunk);
			refuse_foreign(far, cache, begin + apart / 2);
			refuse_foreign(far, cache, begin + apart - chunk);
		}
		refuse_foreign(far, cache, 0);
		refuse_foreign(far, cache, ULONG_MAX & PAGE_MASK);
		fixture_end(far);
		fixture_end(near);
	}
}

/* Does the map find @addr where a search of all chunks finds it, in few steps? */
static bool found_right(const struct fixture *fx, unsigned long addr)
{
	const struct myalloc_zone *zone = fx->zone;
	long idx = index_of(fx, (void *)addr);
	const struct myalloc_frame *frame = idx < 0 ? NULL : &zone->frames[idx];

	fixture_steps();
	return myalloc_map_search(&zone->map, (void *)addr) == frame &&
	       myalloc_map_frame(&zone->map, (void *)addr) == frame &&
	       fixture_steps() <= 2 * (ilog2(zone->nr_chunks) + 1U);
}

/* Chunks at random distances, close together and far apart: the map finds exactly their pages. */
static void zone_map_layouts(struct kunit *test)
{
	struct myalloc_random random;
	u32 round, i;

	fixture_random(test, &random);
	for (round = 0; round < 40; round++) {
		const struct fixture_args args = {
			.nr_pages = (1 + myalloc_random_below(&random, 90)) << (round % 4),
			.chunk_order = round % 4, .simulated = true, .no_magazines = true,
		};
		struct fixture *fx = fixture_prepare(test, &args);
		unsigned long size = PAGE_SIZE << args.chunk_order, at = BIT(30);
		u32 nr = fx->args.nr_chunks, wrong = 0;

		for (i = 0; i < nr; i++) {
			fx->chunks[i] = (void *)at;
			/* Adjacent, near, far; in some rounds only the last chunk is far. */
			at += size;
			if (round % 5 ? !myalloc_random_below(&random, 4) : i + 2 == nr)
				at += size << myalloc_random_below(&random, 28);
		}
		fx->zone = myalloc_zone_create(&fx->args);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fx->zone);
		fixture_count_steps("map-step");
		for (i = 0; i < nr; i++) {
			unsigned long begin = (unsigned long)fx->chunks[i];

			wrong += !found_right(fx, begin) + !found_right(fx, begin + size - 1) +
				 !found_right(fx, begin - 1) + !found_right(fx, begin + size) +
				 !found_right(fx, begin + myalloc_random_below(&random, 1 << 30));
		}
		fixture_count_steps(NULL);
		KUNIT_EXPECT_EQ(test, wrong, 0);
		FIXTURE_EXPECT_VALID(fx);
		fixture_end(fx);
	}
}

/* The linear range is the longest sequence of adjacent chunks, the first of equally long ones. */
static void zone_linear(struct kunit *test)
{
	/* The eighths of the memory that are chunks; begin and length of the longest sequence. */
	static const struct {
		u8 chunks;
		u8 first;
		u8 nr;
	} cases[] = {
		{ 0x01, 0, 1 }, { 0xff, 0, 8 }, { 0x55, 0, 1 }, { 0x6d, 2, 2 }, { 0xe7, 0, 3 },
		{ 0xeb, 5, 3 }, { 0x81, 0, 1 }, { 0xfd, 2, 6 }, { 0xbf, 0, 6 }, { 0x1a, 3, 2 },
	};
	const struct fixture_args args = { .nr_pages = 64, .chunk_order = 3 };
	struct fixture *fx = fixture_prepare(test, &args);
	void *all[8];
	u32 i, k;

	memcpy(all, fx->chunks, sizeof(all));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fx->args.nr_chunks = 0;
		for (k = 0; k < 8; k++)
			if (cases[i].chunks >> k & 1)
				fx->chunks[fx->args.nr_chunks++] = all[k];
		fx->args.nr_pages = fx->args.nr_chunks * 8 - 1;
		fx->zone = myalloc_zone_create(&fx->args);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fx->zone);
		KUNIT_EXPECT_EQ(test, fx->zone->linear.base, (unsigned long)all[cases[i].first]);
		KUNIT_EXPECT_EQ(test, fx->zone->linear.bytes, cases[i].nr * 8 * PAGE_SIZE);
		KUNIT_EXPECT_PTR_EQ(test, fx->zone->linear.frames,
				    myalloc_map_frame(&fx->zone->map, all[cases[i].first]));
		KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), 0);
		fx->zone = NULL;
	}
}

/* No block extends from one chunk into another, whether the two are adjacent or not. */
static void zone_chunk_borders(struct kunit *test)
{
	void **blocks = page_array(test);
	u32 stride, order, n, i;

	for (stride = 1; stride <= 3; stride++) {
		const struct fixture_args args = {
			.nr_pages = 7 * 16, .chunk_order = 4, .stride = stride,
		};
		struct fixture *fx = fixture_zone(test, &args);

		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->free_blocks[4], 7);
		for (order = 0; order <= 4; order++) {
			for (n = 0; (blocks[n] = myalloc_pages_alloc(fx->zone, order, 0)); n++) {
				long idx = index_of(fx, blocks[n]);

				KUNIT_EXPECT_EQ(test, idx % BIT(order), 0);
				KUNIT_EXPECT_EQ(test, idx / 16, (idx + BIT(order) - 1) / 16);
				memset(blocks[n], 0x11, PAGE_SIZE << order);
			}
			KUNIT_EXPECT_EQ(test, n, 7 * 16 >> order);
			for (i = 0; i < n; i++)
				KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, blocks[i],
									 order), 0);
			myalloc_zone_drain(fx->zone);
		}
		KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, 5, 0));
		fixture_end(fx);
	}
}

/* The highest address of a zone is the last byte of its last page, in chunks adjacent and not. */
static void zone_last(struct kunit *test)
{
	u32 stride, nr, i;

	for (stride = 1; stride <= 3; stride++) {
		for (nr = 1; nr <= 40; nr += 3) {
			const struct fixture_args args = {
				.nr_pages = nr, .chunk_order = 3, .stride = stride,
			};
			struct fixture *fx = fixture_zone(test, &args);
			void *last = myalloc_zone_last(fx->zone);

			KUNIT_EXPECT_PTR_EQ(test, last, myalloc_frame_addr(fx->zone, nr - 1) +
					    PAGE_SIZE - 1);
			for (i = 0; i < nr; i++)
				KUNIT_EXPECT_LE(test, (unsigned long)
						myalloc_frame_addr(fx->zone, i),
						(unsigned long)last);
			fixture_end(fx);
		}
	}
}

/* Each internal allocation fails in turn; nothing is leaked. */
static void zone_no_memory(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 100, .chunk_order = 5 };
	struct fixture *fx = fixture_prepare(test, &args);
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
	/* The zone, chunks, frames, buddy, map and five magazines' per-CPU parts at least. */
	KUNIT_EXPECT_GE(test, k, 11);
	FIXTURE_EXPECT_VALID(fx);
}

/*
 * A zone of 64 MiB with one cache takes at most 0.5 % of it, everything counted; each further cache
 * takes at most 1/4096 for its magazines.
 */
static void zone_metadata_share(struct kunit *test)
{
	static const unsigned int sizes[] = { 64, 8, 192, 1024, 4096, 32768 };
	const struct fixture_args args = {
		.nr_pages = 16384, .chunk_order = 10, .stride = 2, .simulated = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	u64 whole = (u64)args.nr_pages << PAGE_SHIFT, bytes = fx->zone->meta_bytes;
	struct myalloc_cache_stats stats;
	struct myalloc_cache *cache;
	char name[16];
	int i;

	for (i = 0; i < 16; i++) {
		scnprintf(name, sizeof(name), "cache-%d", i);
		cache = fixture_cache(fx, name, sizes[i % ARRAY_SIZE(sizes)], 0);
		myalloc_cache_stats(cache, &stats);
		KUNIT_EXPECT_LE(test, stats.meta_bytes, whole / 4096 + sizeof(*cache) +
				sizeof(*cache->mags.cpu) * num_possible_cpus());
		bytes += stats.meta_bytes;
		if (!i)
			KUNIT_EXPECT_LE(test, bytes, whole / 200);
	}
	kunit_info(test, "%llu of 100000 with 16 caches and %u CPUs\n",
		   (unsigned long long)div_u64(bytes * 100000, whole), num_possible_cpus());
}

/* --- destruction ------------------------------------------------------------------ */

static noinline __noclone void *alloc_for_report(struct fixture *fx, unsigned int order)
{
	void *addr = myalloc_pages_alloc(fx->zone, order, 0);

	barrier();
	return addr;
}

/* A zone with pages in use is not destroyed, and reports their owner. */
static void zone_destroy_busy(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 40, .chunk_order = 4 };
	struct fixture *fx = fixture_zone(test, &args);
	void *addr = alloc_for_report(fx, 2);
	unsigned long caller;
	char symbol[64];
	long idx;

	KUNIT_ASSERT_NOT_NULL(test, addr);
	idx = index_of(fx, addr);
	caller = fx->zone->frames[idx].caller;
	KUNIT_EXPECT_TRUE(test, fixture_called_by(caller, alloc_for_report));
	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	scnprintf(fx->expected, sizeof(fx->expected),
		  "cannot be destroyed: 4 pages in use, first: frame %ld, 4 pages, held by %s", idx,
		  fixture_symbol(caller, symbol, sizeof(symbol)));
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), fx->expected);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 2), 0);
}

/* A block in use with a damaged tag: the zone is not destroyed, but cannot report the owner. */
static void zone_destroy_unknown(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 40, .chunk_order = 4, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void *addr = myalloc_pages_alloc(fx->zone, 0, 0);
	struct myalloc_frame *frame = &fx->zone->frames[index_of(fx, addr)];

	frame->type = MYALLOC_FRAME_NONE;
	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "cannot be destroyed: 1 page in use, owner unknown");
	frame->type = MYALLOC_FRAME_PAGE;
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 0), 0);
}

/* An abandoned zone does no more work of its own, and has printed its reports. */
static void zone_abandon(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 40, .chunk_order = 4 };
	struct fixture *fx = fixture_zone(test, &args);
	void *addr = myalloc_pages_alloc(fx->zone, 0, 0);
	unsigned long irq;

	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	fx->zone->no_worker = false;
	fixture_log_mark();
	raw_spin_lock_irqsave(&fx->zone->lock, irq);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr + 1, 0), -EINVAL);
	raw_spin_unlock_irqrestore(&fx->zone->lock, irq);
	myalloc_zone_abandon(fx->zone);
	KUNIT_EXPECT_TRUE(test, fx->zone->no_worker);
	KUNIT_EXPECT_EQ(test, fixture_log_count("bad free as pages of order 0"), 1);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 0), 0);
}

/* The chunks that a zone has returned, as bits. */
static u32 salvaged;

static void salvage_one(struct myalloc_zone *zone, void *chunk, u32 pages)
{
	u32 i;

	memset(chunk, 0x77, (size_t)pages << PAGE_SHIFT);	/* the next owner's */
	for (i = 0; i < zone->nr_chunks; i++)
		if (zone->chunks[i] == (unsigned long)chunk)
			salvaged |= BIT(i);
}

static void expect_salvage(struct fixture *fx, u32 chunks, const struct myalloc_salvage *expected,
			   int line)
{
	struct myalloc_salvage s;

	salvaged = 0;
	myalloc_zone_salvage(fx->zone, salvage_one, &s);
	KUNIT_EXPECT_EQ_MSG(fx->test, salvaged, chunks, "line %d", line);
	KUNIT_EXPECT_EQ_MSG(fx->test, s.pages, expected->pages, "line %d", line);
	KUNIT_EXPECT_EQ_MSG(fx->test, s.kept_chunks, expected->kept_chunks, "line %d", line);
	KUNIT_EXPECT_EQ_MSG(fx->test, s.kept_pages, expected->kept_pages, "line %d", line);
	KUNIT_EXPECT_EQ_MSG(fx->test, s.held_pages, expected->held_pages, "line %d", line);
}

#define EXPECT_SALVAGE(fx, chunks, ...) \
	expect_salvage(fx, chunks, &(struct myalloc_salvage){ __VA_ARGS__ }, __LINE__)

/* Two chunks of 16 pages and one of 8: memory in use keeps its chunk, and no other. */
static void zone_salvage(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 40, .chunk_order = 4, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_zone *zone = fx->zone;
	void *page[40], *block;
	u64 head;
	u32 i;

	EXPECT_SALVAGE(fx, 7, .pages = 40);
	for (i = 0; i < 40; i++)
		KUNIT_ASSERT_NOT_NULL(test, page[i] = myalloc_pages_alloc(zone, 0, 0));
	EXPECT_SALVAGE(fx, 0, .kept_chunks = 3, .kept_pages = 40, .held_pages = 40);
	for (i = 0; i < 40; i++)
		if (index_of(fx, page[i]) != 17 && index_of(fx, page[i]) != 39)
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[i], 0), 0);
	EXPECT_SALVAGE(fx, 1, .pages = 16, .kept_chunks = 2, .kept_pages = 24, .held_pages = 2);
	for (i = 0; i < 40; i++)
		if (index_of(fx, page[i]) == 17 || index_of(fx, page[i]) == 39)
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[i], 0), 0);
	KUNIT_ASSERT_NOT_NULL(test, block = myalloc_pages_alloc(zone, 4, 0));
	KUNIT_EXPECT_EQ(test, myalloc_zone_chunk_held(zone, index_of(fx, block) / 16), 16);
	KUNIT_EXPECT_EQ(test, myalloc_zone_chunk_held(zone, 1 - index_of(fx, block) / 16), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, block, 4), 0);

	/* A bad page has no user; memory without a known block may have one. */
	KUNIT_ASSERT_NOT_NULL(test, block = myalloc_pages_alloc(zone, 0, 0));
	i = index_of(fx, block);
	KUNIT_EXPECT_EQ(test, myalloc_zone_chunk_held(zone, i / 16), 1);
	zone->frames[i].type = MYALLOC_FRAME_BAD;
	KUNIT_EXPECT_EQ(test, myalloc_zone_chunk_held(zone, i / 16), 0);
	zone->frames[i].type = MYALLOC_FRAME_PAGE;
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, block, 0), 0);
	head = zone->buddy.head[0];
	zone->buddy.head[0] = 0;
	KUNIT_EXPECT_EQ(test, myalloc_zone_chunk_held(zone, 0), 16);
	zone->buddy.head[0] = head;
	FIXTURE_EXPECT_VALID(fx);
}

/* A lent page keeps its chunk while it is in quarantine. */
static void zone_salvage_lent(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 32, .chunk_order = 4, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void *lent = myalloc_pages_alloc(fx->zone, 1, MYALLOC_LENDABLE);
	u32 chunk;

	KUNIT_ASSERT_NOT_NULL(test, lent);
	chunk = index_of(fx, lent) / 16;
	fixture_set_referenced(lent, true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, lent, 1), 0);
	EXPECT_SALVAGE(fx, BIT(1 - chunk), .pages = 16, .kept_chunks = 1, .kept_pages = 16,
		       .held_pages = 2);
	fixture_set_referenced(lent, false);
	myalloc_zone_drain(fx->zone);
	EXPECT_SALVAGE(fx, 3, .pages = 32);
}

/* A block whose tag has become that of a larger order stays in place, and is not counted. */
static void zone_give_damaged(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 40, .chunk_order = 4, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_frame *frame;

	frame = myalloc_zone_take(fx->zone, 1, 0, myalloc_frame_tag(MYALLOC_FRAME_PAGE, 1, 0));
	KUNIT_ASSERT_NOT_NULL(test, frame);
	frame->tag = myalloc_frame_tag(MYALLOC_FRAME_FREEING, 2, 0);
	myalloc_zone_give(fx->zone, frame);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	KUNIT_EXPECT_EQ(test, fx->zone->frees[2], 0);
	KUNIT_EXPECT_EQ(test, fx->zone->buddy.nr_free, 38);
	KUNIT_EXPECT_EQ(test, frame->tag, myalloc_frame_tag(MYALLOC_FRAME_FREEING, 2, 0));
	frame->tag = myalloc_frame_tag(MYALLOC_FRAME_FREEING, 1, 0);
	myalloc_zone_give(fx->zone, frame);
	KUNIT_EXPECT_EQ(test, fx->zone->frees[1], 1);
	KUNIT_EXPECT_EQ(test, fx->zone->buddy.nr_free, 40);
	FIXTURE_EXPECT_VALID(fx);
}

/* A zone with a cache is not destroyed. */
static void zone_destroy_cache(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 40, .chunk_order = 4 };
	struct fixture *fx = fixture_zone(test, &args);

	fixture_cache(fx, "left-over", 64, 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "cannot be destroyed: cache left-over still exists");
	FIXTURE_EXPECT_VALID(fx);
}

/* Pages in the magazines of any CPU do not prevent destruction. */
static void alloc_and_free(void *arg)
{
	struct fixture *fx = arg;
	void *addr = myalloc_pages_alloc(fx->zone, 0, 0);

	KUNIT_EXPECT_NOT_NULL(fx->test, addr);
	KUNIT_EXPECT_EQ(fx->test, myalloc_pages_free(fx->zone, addr, 0), 0);
}

static void zone_destroy_cached(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 1024, .chunk_order = 10 };
	struct fixture *fx = fixture_zone(test, &args);
	unsigned int i;

	for (i = 0; i < fixture_nr_cpus(); i++)
		fixture_on_cpu(i, alloc_and_free, fx);
	KUNIT_EXPECT_GE(test, fixture_stats(fx)->cached_pages, fixture_nr_cpus());
	fixture_end(fx);
}

/* --- statistics ------------------------------------------------------------------------- */

/* A new zone's statistics. */
static void zone_books_new(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 45, .chunk_order = 4 };
	struct fixture *fx = fixture_zone(test, &args);
	const struct myalloc_zone_stats *b = fixture_stats(fx);
	static const u64 blocks[MYALLOC_NR_ORDERS] = { [0] = 1, [2] = 1, [3] = 1, [4] = 2 };

	KUNIT_EXPECT_EQ(test, b->nr_pages, 45);
	KUNIT_EXPECT_EQ(test, b->free_pages, 45);
	KUNIT_EXPECT_EQ(test, b->cached_pages + b->page_pages + b->slab_pages + b->deferred_pages,
			0);
	KUNIT_EXPECT_EQ(test, memcmp(b->free_blocks, blocks, sizeof(blocks)), 0);
	KUNIT_EXPECT_EQ(test, b->largest_order, 4);
	KUNIT_EXPECT_EQ(test, b->peak_pages, 0);
	KUNIT_EXPECT_EQ(test, b->bad_frees + b->corruptions + b->nmi_fails + b->drains +
			b->deferred_frees + b->nr_caches, 0);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), "");
}

/* The effect of each operation on the statistics. */
static void zone_books_steps(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 6, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	const struct myalloc_zone_stats *b = &fx->stats;
	void *a, *c, *d;

	a = myalloc_pages_alloc(fx->zone, 3, 0);
	c = myalloc_pages_alloc(fx->zone, 0, MYALLOC_TOPDOWN);
	d = myalloc_pages_alloc_exact(fx->zone, 5, 0, 0);
	fixture_stats(fx);
	KUNIT_EXPECT_EQ(test, b->free_pages, 64 - 8 - 1 - 5);
	KUNIT_EXPECT_EQ(test, b->page_pages, 8 + 1 + 5);
	KUNIT_EXPECT_EQ(test, b->peak_pages, 8 + 1 + 5);
	KUNIT_EXPECT_EQ(test, b->page_allocs[3], 1);
	KUNIT_EXPECT_EQ(test, b->page_allocs[0], 2);
	KUNIT_EXPECT_EQ(test, b->page_allocs[2], 1);
	KUNIT_EXPECT_EQ(test, b->page_hits[0] + b->page_hits[3], 0);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, 6, 0));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, 7, 0));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, 51, 0, 0));
	fixture_stats(fx);
	KUNIT_EXPECT_EQ(test, b->page_fails[6], 2);
	KUNIT_EXPECT_EQ(test, b->page_fails[7], 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, a, 3), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, c, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, d, 5), 0);
	fixture_stats(fx);
	KUNIT_EXPECT_EQ(test, b->page_frees[3], 1);
	KUNIT_EXPECT_EQ(test, b->page_frees[0], 2);
	KUNIT_EXPECT_EQ(test, b->page_frees[2], 1);
	KUNIT_EXPECT_EQ(test, b->free_pages, 64);
	KUNIT_EXPECT_EQ(test, b->peak_pages, 8 + 1 + 5);
	KUNIT_EXPECT_EQ(test, b->splits, b->merges);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->drains, 1);
}

struct seen {
	struct kunit *test;
	u32 nr;
	u32 stop;
	u64 frames;
};

static bool see_block(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame,
		      void *arg)
{
	struct seen *seen = arg;

	KUNIT_EXPECT_EQ(seen->test, frame->type, MYALLOC_FRAME_PAGE);
	KUNIT_EXPECT_EQ(seen->test, frame->tag, zone->frames[idx].tag);
	seen->nr++;
	seen->frames += BIT(frame->order);
	return seen->nr != seen->stop;
}

/* The walk visits each block in use once, and ends when told to. */
static void zone_walk(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 100, .chunk_order = 5, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	struct seen seen = { .test = test };
	void *block[6];
	u32 i;

	myalloc_zone_walk_blocks(fx->zone, see_block, &seen);
	KUNIT_EXPECT_EQ(test, seen.nr, 0);
	for (i = 0; i < 6; i++)
		block[i] = myalloc_pages_alloc(fx->zone, i % 5, 0);
	myalloc_zone_walk_blocks(fx->zone, see_block, &seen);
	KUNIT_EXPECT_EQ(test, seen.nr, 6);
	KUNIT_EXPECT_EQ(test, seen.frames, 1 + 2 + 4 + 8 + 16 + 1);
	seen.nr = 0;
	seen.stop = 2;
	myalloc_zone_walk_blocks(fx->zone, see_block, &seen);
	KUNIT_EXPECT_EQ(test, seen.nr, 2);
	/* A block with an impossible order is not visited. */
	seen.nr = 0;
	seen.stop = 0;
	fx->zone->frames[index_of(fx, block[0])].order = 6;
	myalloc_zone_walk_blocks(fx->zone, see_block, &seen);
	KUNIT_EXPECT_EQ(test, seen.nr, 5);
	fx->zone->frames[index_of(fx, block[0])].order = 0;
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, block[i], i % 5), 0);
}

/* --- the report ---------------------------------------------------------------------- */

/* The last report is kept, and cut to the reader's buffer. */
static void zone_report(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 16, .chunk_order = 4 };
	struct fixture *fx = fixture_zone(test, &args);
	char little[9];

	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, NULL, 0), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fixture_without_freer(fx),
			   "bad free as pages of order 0: not memory of this zone");
	myalloc_zone_last_report(fx->zone, little, sizeof(little));
	KUNIT_EXPECT_STREQ(test, little, "bad free");
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, fx->chunks[0], 1), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fixture_without_freer(fx),
			   "bad free as pages of order 1: already free (double free); frame 0, order 4, free");
}

/* A report from an NMI that interrupts a reader or writer of a report is suppressed. */
static void zone_report_locked(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 16, .chunk_order = 4 };
	struct fixture *fx = fixture_zone(test, &args);
	unsigned long lock_irq, irq;
	int err;

	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, NULL, 0), -EINVAL);
	fixture_log_mark();
	raw_spin_lock_irqsave(&fx->zone->reports.lock, lock_irq);
	irq = fixture_nmi_enter();
	err = myalloc_pages_free(fx->zone, NULL, 1);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&fx->zone->reports.lock, lock_irq);
	KUNIT_EXPECT_EQ(test, err, -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_log_count("bad free"), 0);
	KUNIT_EXPECT_STREQ(test, fixture_without_freer(fx),
			   "bad free as pages of order 0: not memory of this zone");
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_frees, 2);
	KUNIT_EXPECT_EQ(test, fx->stats.reports_suppressed, 1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, NULL, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_log_count("test: 1 report suppressed"), 1);
}

/* A different text for each kind. */
static void zone_bad_names(struct kunit *test)
{
	unsigned int i, k;

	for (i = 0; i < MYALLOC_NR_BAD; i++) {
		KUNIT_EXPECT_GT(test, strlen(myalloc_bad_name(i)), 5);
		for (k = 0; k < i; k++)
			KUNIT_EXPECT_STRNEQ(test, myalloc_bad_name(i), myalloc_bad_name(k));
	}
	KUNIT_EXPECT_STREQ(test, myalloc_bad_name(MYALLOC_NR_BAD), "unknown");
}

/* --- from NMI, with the lock held --------------------------------------------------------- */

/* As if an NMI arrived while this CPU holds the lock. */
struct nmi {
	unsigned long lock_irq;
	unsigned long irq;
};

static void nmi_begin(struct fixture *fx, struct nmi *nmi)
{
	raw_spin_lock_irqsave(&fx->zone->lock, nmi->lock_irq);
	nmi->irq = fixture_nmi_enter();
}

static void nmi_end(struct fixture *fx, const struct nmi *nmi)
{
	fixture_nmi_exit(nmi->irq);
	raw_spin_unlock_irqrestore(&fx->zone->lock, nmi->lock_irq);
}

/* An allocation fails and is counted as such; nothing else is. */
static void zone_nmi_alloc(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 6, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void *block, *exact, *free;
	unsigned long irq;
	struct nmi nmi;

	nmi_begin(fx, &nmi);
	block = myalloc_pages_alloc(fx->zone, 0, 0);
	exact = myalloc_pages_alloc_exact(fx->zone, 3, 0, 0);
	nmi_end(fx, &nmi);
	KUNIT_EXPECT_NULL(test, block);
	KUNIT_EXPECT_NULL(test, exact);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nmi_fails, 2);
	KUNIT_EXPECT_EQ(test, fx->stats.page_fails[0] + fx->stats.page_fails[2], 0);
	/* If the lock is free, it succeeds as usual. */
	irq = fixture_nmi_enter();
	free = myalloc_pages_alloc(fx->zone, 0, 0);
	fixture_nmi_exit(irq);
	KUNIT_EXPECT_NOT_NULL(test, free);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nmi_fails, 2);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, free, 0), 0);
}

/* A free is deferred: it is in the statistics, validation finds it, and it is reaped in twos. */
static void zone_nmi_free(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 6, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	const struct myalloc_zone_stats *b = &fx->stats;
	void *blocks[7], *other;
	u32 i;

	for (i = 0; i < 7; i++)
		blocks[i] = myalloc_pages_alloc(fx->zone, 1, 0);
	fixture_free_deferred(fx, blocks, 7, 1);
	fixture_stats(fx);
	KUNIT_EXPECT_EQ(test, b->deferred_pages, 14);
	KUNIT_EXPECT_EQ(test, b->deferred_frees, 7);
	KUNIT_EXPECT_EQ(test, b->page_pages, 0);
	KUNIT_EXPECT_EQ(test, b->page_frees[1], 0);
	KUNIT_EXPECT_EQ(test, b->free_pages, 50);
	FIXTURE_EXPECT_VALID(fx);
	/* A deferred block counts as free for a second free. */
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, blocks[3], 1), -EINVAL);
	KUNIT_EXPECT_NOT_NULL(test, strstr(fixture_without_freer(fx),
					   "; frame 6, order 1, free, last allocated at "));

	other = myalloc_pages_alloc(fx->zone, 0, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 10);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, other, 0), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 6);
	KUNIT_EXPECT_EQ(test, b->page_frees[1], 4);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 6);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 0);
	KUNIT_EXPECT_EQ(test, b->page_frees[1], 7);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	KUNIT_EXPECT_EQ(test, b->corruptions, 0);
}

/* Blocks of all orders and the pieces of an exact allocation are deferred alike. */
static void zone_nmi_free_orders(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 128, .chunk_order = 6, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void *block, *exact;
	unsigned int order;
	struct nmi nmi;
	int err;

	for (order = 0; order <= 6; order++) {
		block = myalloc_pages_alloc(fx->zone, order, 0);
		KUNIT_ASSERT_NOT_NULL(test, block);
		fixture_free_deferred(fx, &block, 1, order);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, BIT(order));
		FIXTURE_EXPECT_VALID(fx);
		myalloc_zone_drain(fx->zone);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_frees[order], 1);
	}
	exact = myalloc_pages_alloc_exact(fx->zone, 11, 0, 0);
	nmi_begin(fx, &nmi);
	err = myalloc_pages_free_exact(fx->zone, exact, 11);
	nmi_end(fx, &nmi);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 11);
	FIXTURE_EXPECT_VALID(fx);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_frees[3], 2);
	KUNIT_EXPECT_EQ(test, fx->stats.corruptions, 0);
}

/* With poison, the link of a deferred free is not mistaken for a write after free. */
static void zone_nmi_free_poison(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 6, .no_magazines = true, .checks = MYALLOC_POISON,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void *blocks[2], *again;

	blocks[0] = myalloc_pages_alloc(fx->zone, 0, 0);
	blocks[1] = myalloc_pages_alloc(fx->zone, 0, 0);
	fixture_free_deferred(fx, blocks, 2, 0);
	myalloc_zone_drain(fx->zone);
	again = myalloc_pages_alloc(fx->zone, 6, 0);
	KUNIT_EXPECT_NOT_NULL(test, again);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, again, 6), 0);
}

/* As if the deferring CPU were between its last two steps: all others see a free block. */
static void zone_nmi_free_half(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 6, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void *block = myalloc_pages_alloc(fx->zone, 1, 0), *other;
	struct myalloc_frame *frame = myalloc_map_frame(&fx->zone->map, block);
	char who[MYALLOC_ENV_SYMBOL];

	fixture_free_deferred(fx, &block, 1, 1);
	KUNIT_EXPECT_EQ(test, frame->type, MYALLOC_FRAME_DEFERRED);
	frame->type = MYALLOC_FRAME_DEFERRING;
	FIXTURE_EXPECT_VALID(fx);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, block, 1), MYALLOC_BAD_FREE,
			       "bad free as pages of order 1: already free (double free); frame 0, order 1, free, last allocated at %s",
			       fixture_symbol(frame->caller, who, sizeof(who)));
	frame->type = MYALLOC_FRAME_RECOVERING;	/* possible only under the lock */
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, block, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_FREE], 2);
	frame->type = MYALLOC_FRAME_DEFERRING;
	/* A reaper that finds the block in the list leaves it there. */
	other = myalloc_pages_alloc(fx->zone, 0, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 2);
	KUNIT_EXPECT_EQ(test, fx->stats.page_frees[1], 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 2);
	frame->type = MYALLOC_FRAME_DEFERRED;
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 2);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 0);
	KUNIT_EXPECT_EQ(test, fx->stats.page_frees[1], 1);
	KUNIT_EXPECT_EQ(test, fx->stats.corruptions, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, other, 0), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* A deferred block with an overwritten order is not freed as another block. */
static void zone_nmi_order_damaged(struct kunit *test)
{
	const char *report = "frame 0 tagged as block of order 0: allocated with another order";
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 6, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void *block = myalloc_pages_alloc(fx->zone, 1, 0);
	struct myalloc_frame *frame = myalloc_map_frame(&fx->zone->map, block);

	fixture_free_deferred(fx, &block, 1, 1);
	frame->order = 0;
	fixture_log_mark();
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_EQ(test, fixture_log_count(report), fixture_stats(fx)->corruptions);
	KUNIT_EXPECT_GT(test, fx->stats.corruptions, 0);
	KUNIT_EXPECT_EQ(test, fx->stats.free_pages, 62);
	KUNIT_EXPECT_EQ(test, fx->stats.page_frees[0] + fx->stats.page_frees[1], 0);
	frame->tag = myalloc_frame_tag(MYALLOC_FRAME_PAGE, 1, 0);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, block, 1), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* In a simulated zone nothing is poisoned, cleared or linked through the addresses. */
static void zone_simulated_checks(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 6, .no_magazines = true, .simulated = true,
		.checks = MYALLOC_POISON | MYALLOC_OWNER,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void *block = myalloc_pages_alloc(fx->zone, 2, MYALLOC_ZERO);
	void *other = myalloc_pages_alloc(fx->zone, 3, 0);

	KUNIT_EXPECT_NOT_NULL(test, block);
	KUNIT_EXPECT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, other, 3), 0);
	fixture_free_deferred(fx, &block, 1, 2);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 4);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 4);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
}

/* An overwritten link is detected and not followed; the blocks behind it are recovered. */
static void zone_nmi_link_damaged(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 4, .stride = 2, .no_magazines = true,
	};
	unsigned long wrong[6], i, k;

	for (k = 0; k < ARRAY_SIZE(wrong); k++) {
		struct fixture *fx = fixture_zone(test, &args);
		void *blocks[8], *other;

		for (i = 0; i < 8; i++)
			blocks[i] = myalloc_pages_alloc(fx->zone, 0, 0);
		/* Foreign, odd, a free page, a page in use, a gap, the end of the chain. */
		wrong[0] = 0x41414141;
		wrong[1] = (unsigned long)blocks[0] + 1;
		wrong[2] = (unsigned long)fx->chunks[3];
		wrong[3] = (unsigned long)blocks[7];
		wrong[4] = (unsigned long)fx->chunks[0] + 16 * PAGE_SIZE;
		wrong[5] = 0;
		fixture_free_deferred(fx, blocks, 6, 0);
		/* The list is a stack: blocks[5] is found first, then blocks[4]. */
		*(unsigned long *)blocks[4] = wrong[k];
		other = myalloc_pages_alloc(fx->zone, 2, 0);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, other, 2), 0);
		if (k < 5) {
			KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
			KUNIT_EXPECT_STREQ(test, fixture_report(fx),
					   "a freed block was written to: its link is damaged");
		}
		myalloc_zone_drain(fx->zone);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->deferred_pages, 0);
		KUNIT_EXPECT_EQ(test, fx->stats.page_pages, 2);
		KUNIT_EXPECT_EQ(test, fx->stats.page_frees[0], 6);
		FIXTURE_EXPECT_VALID(fx);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, blocks[6], 0), 0);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, blocks[7], 0), 0);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
		fixture_end(fx);
	}
}

static struct fixture *drained;
static unsigned int hook_calls;

static void drain_there(void *arg)
{
	myalloc_zone_drain(drained->zone);
}

/* The holder drops the lock, and another CPU drains the zone. */
static void hook_drain(const char *where)
{
	if (strcmp(where, "zone-deferring") || hook_calls++)
		return;
	raw_spin_unlock(&drained->zone->lock);
	fixture_on_cpu(1, drain_there, NULL);
	while (!raw_spin_trylock(&drained->zone->lock))
		;
}

static void *twice;
static int twice_err;

static void hook_free_again(const char *where)
{
	if (!strcmp(where, "zone-deferring") && !hook_calls++)
		twice_err = myalloc_pages_free(drained->zone, twice, 0);
}

/* A block that is about to be deferred counts as free for a second free. */
static void zone_nmi_free_twice(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 6, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);

	twice = myalloc_pages_alloc(fx->zone, 0, 0);
	drained = fx;
	hook_calls = 0;
	if (!fixture_set_hook(hook_free_again)) {
		myalloc_pages_free(fx->zone, twice, 0);
		kunit_skip(test, "no hook in deferred frees here");
	}
	fixture_free_deferred(fx, &twice, 1, 0);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, hook_calls, 1);
	KUNIT_EXPECT_EQ(test, twice_err, -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_FREE], 1);
	KUNIT_EXPECT_EQ(test, fx->stats.deferred_pages, 1);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), 1);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	FIXTURE_EXPECT_VALID(fx);
}

/* A drain during a deferred free does not take a block that is not in the list yet. */
static void zone_nmi_free_drained(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 6, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	void *block = myalloc_pages_alloc(fx->zone, 0, 0), *other;

	drained = fx;
	hook_calls = 0;
	if (!fixture_set_hook(hook_drain)) {
		myalloc_pages_free(fx->zone, block, 0);
		kunit_skip(test, "no hook in deferred frees here");
	}
	fixture_free_deferred(fx, &block, 1, 0);
	fixture_set_hook(NULL);
	if (!hook_calls)
		kunit_skip(test, "there is no point zone-defer before the list is touched");
	other = myalloc_pages_alloc(fx->zone, 0, 0);
	KUNIT_EXPECT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, other, 0), 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
	KUNIT_EXPECT_EQ(test, fx->stats.deferred_pages, 0);
	KUNIT_EXPECT_EQ(test, fx->stats.page_frees[0], 2);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	FIXTURE_EXPECT_VALID(fx);
}

static struct kunit_case zone_cases[] = {
	KUNIT_CASE(zone_args),
	KUNIT_CASE(zone_every_size),
	KUNIT_CASE(zone_whole_chunk),
	KUNIT_CASE(zone_map),
	KUNIT_CASE(zone_map_sparse),
	KUNIT_CASE(zone_map_layouts),
	KUNIT_CASE(zone_linear),
	KUNIT_CASE(zone_chunk_borders),
	KUNIT_CASE(zone_last),
	KUNIT_CASE(zone_no_memory),
	KUNIT_CASE(zone_metadata_share),
	KUNIT_CASE(zone_destroy_busy),
	KUNIT_CASE(zone_destroy_unknown),
	KUNIT_CASE(zone_abandon),
	KUNIT_CASE(zone_salvage),
	KUNIT_CASE(zone_salvage_lent),
	KUNIT_CASE(zone_give_damaged),
	KUNIT_CASE(zone_destroy_cache),
	KUNIT_CASE(zone_destroy_cached),
	KUNIT_CASE(zone_books_new),
	KUNIT_CASE(zone_books_steps),
	KUNIT_CASE(zone_walk),
	KUNIT_CASE(zone_report),
	KUNIT_CASE(zone_report_locked),
	KUNIT_CASE(zone_bad_names),
	KUNIT_CASE(zone_nmi_alloc),
	KUNIT_CASE(zone_nmi_free),
	KUNIT_CASE(zone_nmi_free_orders),
	KUNIT_CASE(zone_nmi_free_poison),
	KUNIT_CASE(zone_nmi_free_half),
	KUNIT_CASE(zone_nmi_order_damaged),
	KUNIT_CASE(zone_simulated_checks),
	KUNIT_CASE(zone_nmi_link_damaged),
	KUNIT_CASE(zone_nmi_free_twice),
	KUNIT_CASE(zone_nmi_free_drained),
	{}
};

static struct kunit_suite zone_suite = {
	.name = "myalloc_zone",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = zone_cases,
};

kunit_test_suite(zone_suite);
