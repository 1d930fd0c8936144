// SPDX-License-Identifier: GPL-2.0
/* Tests of the magazines of pages: sizes, refill, flush, drains, races. */
#include "env.h"

#include <kunit/test.h>

#include "page_fixture.h"
#include "object/limbo.h"
#include "page/drain.h"

/* --- magazines ---------------------------------------------------------------------- */

/*
 * The size of magazines: at most a 16th of the frames for each order, an 8th for the largest, none
 * in a small zone.
 */
static void pages_magazine_sizes(struct kunit *test)
{
	static const u32 sizes[] = { 16, 1024, 16384, 131072 };
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		const struct fixture_args args = {
			.nr_pages = sizes[i], .chunk_order = i ? 10 : 4, .simulated = true,
		};
		struct fixture *fx = fixture_zone(test, &args);
		u64 all = 0;

		for (k = 0; k < MYALLOC_PCP_LISTS; k++) {
			const struct myalloc_magazines *mags = &fx->zone->pcp[k];
			u64 most = (u64)mags->nr_magazines * mags->capacity <<
				   myalloc_pcp_order(k);
			u32 share = k == MYALLOC_PCP_LISTS - 1 ? 8 : 16;

			KUNIT_EXPECT_LE(test, most, sizes[i] / share);
			KUNIT_EXPECT_LE(test, mags->batch, mags->capacity);
			KUNIT_EXPECT_EQ(test, !!mags->batch, !!mags->capacity);
			all += most;
		}
		KUNIT_EXPECT_LE(test, all * 8, sizes[i] * 3);
		if (sizes[i] == 16)
			KUNIT_EXPECT_EQ(test, all, 0);
		if (sizes[i] == 131072 && num_possible_cpus() <= 4)
			KUNIT_EXPECT_GE(test, fx->zone->pcp[MYALLOC_PCP_LISTS - 1].capacity, 1);
		fixture_end(fx);
	}
}

/* The page freed last is allocated first. All is served by the magazine once a refill filled it. */
static void pages_magazine_hit(struct kunit *test)
{
	struct fixture *fx = large_zone(test, 0);
	u64 batch = fx->zone->pcp[0].batch;
	void *a = alloc_here(fx, 0, 0), *b = alloc_here(fx, 0, 0);

	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_hits[0], batch == 1 ? 0 : 1);
	KUNIT_EXPECT_EQ(test, fx->stats.page_allocs[0], 2);
	/* The first refill splits a largest block: fewer than a batch. */
	KUNIT_EXPECT_LE(test, fx->stats.cached_pages, batch == 1 ? 0 : batch - 2);
	KUNIT_EXPECT_TRUE(test, batch == 1 || fx->stats.cached_pages);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, b, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, a, 0), 0);
	KUNIT_EXPECT_EQ(test, frame_of(fx, a)->type, MYALLOC_FRAME_CACHED);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_frees[0], 2);
	KUNIT_EXPECT_EQ(test, fx->stats.page_pages, 0);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_PTR_EQ(test, alloc_here(fx, 0, 0), a);
	KUNIT_EXPECT_PTR_EQ(test, alloc_here(fx, 0, 0), b);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_hits[0], batch == 1 ? 2 : 3);
	KUNIT_EXPECT_EQ(test, fx->stats.page_allocs[0], 4);
	KUNIT_EXPECT_TRUE(test, fixture_called_by(frame_of(fx, b)->caller, alloc_here));
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, b, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, a, 0), 0);
}

/* An allocation that fails is neither hit nor miss: a refill that finds no page is not counted. */
static void pages_refill_empty(struct kunit *test)
{
	struct fixture *fx = large_zone(test, 0);
	void **pages = page_array(test);
	u64 hits;
	u32 n;

	/* With magazines of one page, all others are misses. */
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, alloc_here(fx, 0, 0), 0), 0);
	for (n = 0; (pages[n] = alloc_here(fx, 0, 0)); n++)
		;
	KUNIT_EXPECT_EQ(test, n, 1024);
	hits = fixture_stats(fx)->page_hits[0];
	KUNIT_EXPECT_GT(test, hits, 0);
	KUNIT_EXPECT_NULL(test, alloc_here(fx, 0, 0));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_hits[0], hits);
	KUNIT_EXPECT_EQ(test, fx->stats.page_allocs[0], n + 1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(fx->zone, 0, n, pages), n);
}

/* A particular page, which can then be freed like a block. */
static int take_page(struct fixture *fx, u32 idx)
{
	int err = myalloc_pages_alloc_range(fx->zone, myalloc_frame_addr(fx->zone, idx), 1, 0);

	if (!err)
		fx->zone->frames[idx].tag = myalloc_frame_tag(MYALLOC_FRAME_PAGE, 0, 0);
	return err;
}

/* Freed like a block, through the magazines. */
static int give_page(struct fixture *fx, u32 idx)
{
	return myalloc_pages_free(fx->zone, myalloc_frame_addr(fx->zone, idx), 0);
}

#define FLUSH_CHUNKS	33

static void free_last_pages(void *arg)
{
	struct fixture *fx = arg;
	u32 i;

	for (i = 0; i < FLUSH_CHUNKS; i++)
		KUNIT_EXPECT_EQ(fx->test, give_page(fx, i << 10), 0);
}

/*
 * Each of these pages completes a chunk, with ten merges. A flush of sixteen of them would take ten
 * times as long as one of others, so it ends after the second page.
 */
static void pages_flush_bounded(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = (FLUSH_CHUNKS + 1) << 10, .chunk_order = 10, .simulated = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_magazines *mags = &fx->zone->pcp[0];
	u32 i;

	myalloc_magazines_fini(mags);
	KUNIT_ASSERT_EQ(test, myalloc_magazines_init(mags, 16, 16, 0, NUMA_NO_NODE), 0);
	for (i = 0; i < FLUSH_CHUNKS; i++)
		KUNIT_ASSERT_EQ(test, take_page(fx, i << 10), 0);
	fixture_on_cpu(0, free_last_pages, fx);
	/* Two magazines are full, and the flush has made room for the last page. */
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->cached_pages, FLUSH_CHUNKS - 2);
	KUNIT_EXPECT_EQ(test, atomic64_read(&mags->flushes), 1);
	KUNIT_EXPECT_EQ(test, fx->stats.merges, 20);
	FIXTURE_EXPECT_VALID(fx);
}

/* A refill takes the lowest addresses, filling holes first, and allocates the lowest first. */
static void pages_magazine_refill(struct kunit *test)
{
	struct fixture *fx = large_zone(test, 0);
	u32 batch = fx->zone->pcp[0].batch, i;
	void **pages = page_array(test);

	if (batch < 4)
		kunit_skip(test, "batches of less than four");
	/* Up to 800, all pages except 700 and 704 are in use. */
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, fx->chunks[0], 801, 0), 0);
	myalloc_pages_free_exact(fx->zone, fx->chunks[0], 801);
	for (i = 0; i <= 800; i++)
		if (i != 700 && i != 704)
			KUNIT_EXPECT_EQ(test, take_page(fx, i), 0);
	/* A split or two may count like blocks of the batch. */
	pages[0] = alloc_here(fx, 0, 0);
	KUNIT_EXPECT_LT(test, fixture_stats(fx)->cached_pages, batch);
	batch = fx->stats.cached_pages + 1;
	KUNIT_ASSERT_GE(test, batch, 4);
	for (i = 1; i < batch; i++)
		pages[i] = alloc_here(fx, 0, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->cached_pages, 0);
	KUNIT_EXPECT_EQ(test, index_of(fx, pages[0]), 700);
	KUNIT_EXPECT_EQ(test, index_of(fx, pages[1]), 704);
	for (i = 2; i < batch; i++)
		KUNIT_EXPECT_EQ(test, index_of(fx, pages[i]), 801 + i - 2);
	for (i = 0; i < batch; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, pages[i], 0), 0);
	for (i = 0; i <= 800; i++)
		if (i != 700 && i != 704)
			KUNIT_EXPECT_EQ(test, give_page(fx, i), 0);
}

/* However many blocks are freed, no more are cached than the magazines hold. */
static void pages_magazine_high(struct kunit *test)
{
	struct fixture *fx = large_zone(test, 0);
	void **pages = page_array(test);
	unsigned int order;
	u32 n, i;

	for (order = 0; order <= 3; order++) {
		const struct myalloc_magazines *mags = &fx->zone->pcp[order];
		u64 most = (u64)mags->capacity * (mags->depot + 2);

		for (n = 0; (pages[n] = alloc_here(fx, order, 0)); n++)
			;
		KUNIT_EXPECT_EQ(test, n, 1024 >> order);
		for (i = 0; i < n; i++)
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, pages[i], order), 0);
		KUNIT_EXPECT_LE(test, fixture_stats(fx)->cached_blocks[order], most);
		KUNIT_EXPECT_GE(test, fx->stats.cached_blocks[order] + mags->batch, most);
		FIXTURE_EXPECT_VALID(fx);
		KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), fx->stats.cached_pages);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	}
}

/* The order of 2 MiB has magazines where the zone is large enough. */
static void pages_magazine_huge(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 131072, .chunk_order = 10, .simulated = true,
	};
	const unsigned int huge = 21 - PAGE_SHIFT;
	struct fixture *fx = fixture_zone(test, &args);
	void *addr;

	if (!fx->zone->pcp[MYALLOC_PCP_LISTS - 1].capacity)
		kunit_skip(test, "too many CPUs for magazines of huge pages here");
	addr = alloc_here(fx, huge, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_hits[huge], 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, huge), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->cached_blocks[huge], 1);
	KUNIT_EXPECT_EQ(test, fx->stats.cached_pages, BIT(huge));
	KUNIT_EXPECT_PTR_EQ(test, alloc_here(fx, huge, 0), addr);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_hits[huge], 1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, huge), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(fx->zone), BIT(huge));
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

struct on_cpu {
	struct fixture *fx;
	void **pages;
	u32 nr;
	unsigned int order;
	unsigned int failed;
};

static void free_there(void *arg)
{
	struct on_cpu *job = arg;
	u32 i;

	for (i = 0; i < job->nr; i++)
		job->failed += !!myalloc_pages_free(job->fx->zone, job->pages[i], job->order);
}

/* A CPU gets the blocks cached by another one only with MAY_WAIT, but then all of them. */
static void pages_may_wait(struct kunit *test)
{
	struct fixture *fx = large_zone(test, 0);
	struct on_cpu job = { .fx = fx, .pages = page_array(test), .nr = 1024 };
	void *addr;
	u32 i;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	for (i = 0; i < 1024; i++)
		job.pages[i] = alloc_here(fx, 0, 0);
	fixture_on_cpu(1, free_there, &job);
	KUNIT_EXPECT_EQ(test, job.failed, 0);
	KUNIT_EXPECT_GT(test, fixture_stats(fx)->cached_pages, 0);
	KUNIT_EXPECT_NULL(test, alloc_here(fx, 10, 0));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, 1023, 0, 0));
	addr = alloc_here(fx, 10, MYALLOC_MAY_WAIT);
	KUNIT_EXPECT_PTR_EQ(test, addr, fx->chunks[0]);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->drains, 1);
	KUNIT_EXPECT_NULL(test, alloc_here(fx, 0, MYALLOC_MAY_WAIT));
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, addr, 10), 0);

	/* The same for an exact size and for a range. */
	for (i = 0; i < 1024; i++)
		job.pages[i] = alloc_here(fx, 0, 0);
	fixture_on_cpu(1, free_there, &job);
	addr = myalloc_pages_alloc_exact(fx->zone, 1023, 0, MYALLOC_MAY_WAIT);
	KUNIT_EXPECT_PTR_EQ(test, addr, fx->chunks[0]);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, addr, 1023), 0);
	for (i = 0; i < 1024; i++)
		job.pages[i] = alloc_here(fx, 0, 0);
	fixture_on_cpu(1, free_there, &job);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, fx->chunks[0], 1024, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, fx->chunks[0], 1024,
							MYALLOC_MAY_WAIT), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, fx->chunks[0], 1024), 0);
}

/* A drain of an offline CPU empties its magazines, and only those. */
static void pages_drain_cpu(struct kunit *test)
{
	struct fixture *fx = large_zone(test, 0);
	struct on_cpu job = { .fx = fx, .pages = page_array(test), .nr = 1 };
	u64 cached;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	job.pages[0] = alloc_here(fx, 0, 0);
	cached = fixture_stats(fx)->cached_pages;
	fixture_on_cpu(1, free_there, &job);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->cached_pages, cached + 1);
	myalloc_zone_drain_cpu(fx->zone, fixture_cpu(1));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->cached_pages, cached);
	FIXTURE_EXPECT_VALID(fx);
	myalloc_zone_drain_cpu(fx->zone, fixture_cpu(0));
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* Requests in the middle of an operation on the magazines bypass them. */
static void pages_busy(struct kunit *test)
{
	struct fixture *fx = large_zone(test, 0);
	void *before = alloc_here(fx, 0, 0), *addr, *bulk[3];
	struct myalloc_magazine_cpu *cpu;
	u64 hits = fixture_stats(fx)->page_hits[0], cached = fx->stats.cached_pages;
	unsigned int nr, freed;
	int err, err2;

	cpu = myalloc_magazines_enter(&fx->zone->pcp[0]);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	addr = alloc_here(fx, 0, 0);
	nr = myalloc_pages_alloc_bulk(fx->zone, 0, 0, 3, bulk);
	err = myalloc_pages_free(fx->zone, addr, 0);
	err2 = myalloc_pages_free(fx->zone, before, 0);
	freed = myalloc_pages_free_bulk(fx->zone, 0, nr, bulk);
	myalloc_magazines_leave(cpu);
	KUNIT_EXPECT_NOT_NULL(test, addr);
	KUNIT_EXPECT_EQ(test, nr, 3);
	KUNIT_EXPECT_EQ(test, freed, 3);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, err2, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_hits[0], hits);
	KUNIT_EXPECT_EQ(test, fx->stats.page_allocs[0], 5);
	KUNIT_EXPECT_EQ(test, fx->stats.page_frees[0], 5);
	KUNIT_EXPECT_EQ(test, fx->stats.cached_pages, cached);
	FIXTURE_EXPECT_VALID(fx);
}

static struct fixture *hooked;
static void *hook_page;
static unsigned int hook_calls;

/* An interrupt that allocates and frees at every point of the fast path. */
static void hook_alloc_free(const char *where)
{
	unsigned long irq;
	void *addr;

	if (strncmp(where, "magazine-", 9))
		return;
	irq = fixture_nmi_enter();
	addr = myalloc_pages_alloc(hooked->zone, 0, 0);
	if (addr)
		KUNIT_EXPECT_EQ(hooked->test, myalloc_pages_free(hooked->zone, addr, 0), 0);
	hook_calls++;
	fixture_nmi_exit(irq);
}

/* With an interrupt anywhere in alloc and free, nothing is lost and no page gets two users. */
static void pages_interrupted(struct kunit *test)
{
	struct fixture *fx = large_zone(test, 0);
	void **pages = page_array(test);
	u32 i, k;

	hooked = fx;
	hook_calls = 0;
	if (!fixture_set_hook(hook_alloc_free))
		kunit_skip(test, "no hook in the fast path here");
	for (i = 0; i < 100; i++) {
		pages[i] = alloc_here(fx, 0, 0);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
		for (k = 0; k < i; k++)
			KUNIT_EXPECT_PTR_NE(test, pages[i], pages[k]);
	}
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, pages[i], 0), 0);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_GE(test, hook_calls, 600);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, 0);
	KUNIT_EXPECT_EQ(test, fx->stats.bad_frees + fx->stats.corruptions, 0);
	FIXTURE_EXPECT_VALID(fx);
}

/*
 * A second free of the page that is about to be claimed the @hook_at-th time: from NMI, or on
 * another CPU, which may then allocate the memory again as part of a larger block.
 */
static unsigned int hook_at, hook_won;
static bool hook_nmi, hook_again;
static u8 *hook_got;

static void free_hooked(void *arg)
{
	hook_won += !myalloc_pages_free(hooked->zone, hook_page, 0);
	if (!hook_again)
		return;
	hook_got = myalloc_pages_alloc(hooked->zone, 4, 0);
	if (hook_got)
		memset(hook_got, 0x22, PAGE_SIZE << 4);
}

static void hook_free(const char *where)
{
	unsigned long irq;

	if (strcmp(where, "page-checked") || hook_calls++ != hook_at)
		return;
	if (!hook_nmi) {
		fixture_on_cpu(1, free_hooked, NULL);
		return;
	}
	irq = fixture_nmi_enter();
	free_hooked(NULL);
	fixture_nmi_exit(irq);
}

/* A bulk free of @nr pages, with another free of one of them in between: which one succeeds? */
static void race(struct fixture *fx, unsigned int nr, void **pages, unsigned int at)
{
	struct kunit *test = fx->test;

	hooked = fx;
	hook_page = pages[nr - 1 - at];
	hook_at = at;
	hook_calls = 0;
	hook_won = 0;
	fixture_set_hook(hook_free);
	if (nr == 1)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, pages[0], 0), -EINVAL);
	else
		KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(fx->zone, 0, nr, pages), nr - 1);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, hook_won, 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_frees, 1);
	KUNIT_EXPECT_EQ(test, fx->stats.bad[MYALLOC_BAD_FREE], 1);
	KUNIT_EXPECT_EQ(test, fx->stats.corruptions, 0);
	KUNIT_EXPECT_EQ(test, fx->stats.page_pages, 0);
	FIXTURE_EXPECT_VALID(fx);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
	fixture_end(fx);
}

#define RACE_NR	7

/*
 * Of two overlapping frees of the same page, one is refused and changes nothing: into the slot it
 * came from and into another one, alone and in bulk, past the magazines, with poison.
 */
static void pages_free_race(struct kunit *test)
{
	static const unsigned int checks[] = { 0, MYALLOC_POISON };
	void *pages[RACE_NR], *other;
	unsigned int nr, at, i;
	struct fixture *fx;

	if (!fixture_set_hook(NULL))
		kunit_skip(test, "no hook in the fast path here");
	for (i = 0; i < 2 * ARRAY_SIZE(checks); i++) {
		hook_nmi = i & 1;
		for (nr = 1; nr <= RACE_NR; nr += 3)
			for (at = 0; at < nr; at++) {
				fx = large_zone(test, checks[i / 2]);
				KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_bulk(fx->zone, 0, 0, nr,
									       pages), nr);
				race(fx, nr, pages, at);
			}
		/* The page allocated last is freed first. */
		fx = large_zone(test, checks[i / 2]);
		pages[0] = alloc_here(fx, 0, 0);
		other = alloc_here(fx, 0, 0);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, other, 0), 0);
		race(fx, 1, pages, 0);
	}
}

/* The later free finds the memory in another block in use, and leaves that alone. */
static void pages_free_race_merged(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 16, .chunk_order = 4, .checks = MYALLOC_POISON, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);

	hooked = fx;
	hook_page = alloc_here(fx, 0, 0);
	hook_at = 0;
	hook_calls = 0;
	hook_won = 0;
	hook_nmi = false;
	if (!fixture_set_hook(hook_free)) {
		myalloc_pages_free(fx->zone, hook_page, 0);
		kunit_skip(test, "no hook in the fast path here");
	}
	hook_again = true;
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, hook_page, 0), -EINVAL);
	hook_again = false;
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, hook_won, 1);
	KUNIT_ASSERT_PTR_EQ(test, hook_got, hook_page);
	KUNIT_EXPECT_NULL(test, memchr_inv(hook_got, 0x22, PAGE_SIZE << 4));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_ORDER], 1);
	KUNIT_EXPECT_EQ(test, fx->stats.bad_frees, 1);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, hook_got, 4), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* A block in a magazine with a wrong tag is reported and left alone, by alloc and by drain. */
static void pages_cached_damaged(struct kunit *test)
{
	struct fixture *fx = large_zone(test, 0);
	void *a = alloc_here(fx, 0, 0), *b = alloc_here(fx, 0, 0), *got;

	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, b, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, a, 0), 0);
	frame_of(fx, a)->type = MYALLOC_FRAME_PAGE;
	got = alloc_here(fx, 0, 0);
	KUNIT_EXPECT_PTR_EQ(test, got, b);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "a cached block at frame 0 is not cached: its descriptor is damaged");
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, got, 0), 0);
	/* The drain finds the other block. */
	frame_of(fx, b)->type = MYALLOC_FRAME_PAGE;
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "a cached block at frame 1 is not cached: its descriptor is damaged");
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 2);
	KUNIT_EXPECT_EQ(test, fx->stats.page_pages, 2);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, a, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, b, 0), 0);
}

/* A block with a wrong order in its tag is not allocated either. */
static void pages_cached_order_damaged(struct kunit *test)
{
	struct fixture *fx = large_zone(test, 0);
	void *a = alloc_here(fx, 0, 0), *got;

	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, a, 0), 0);
	frame_of(fx, a)->order = 1;
	got = alloc_here(fx, 0, 0);
	KUNIT_EXPECT_PTR_NE(test, got, a);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "a cached block at frame 0 is not cached: its descriptor is damaged");
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	frame_of(fx, a)->tag = myalloc_frame_tag(MYALLOC_FRAME_PAGE, 0, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, a, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, got, 0), 0);
}

/* In NMI with the lock held, magazines work until they are full; then frees are deferred. */
static void pages_nmi(struct kunit *test)
{
	struct fixture *fx = large_zone(test, 0);
	void **pages = page_array(test);
	unsigned long lock_irq, irq;
	unsigned int failed = 0;
	void *hit, *miss;
	u32 i, nr;
	int err;

	nr = fx->zone->pcp[0].capacity * fx->zone->pcp[0].nr_magazines + 10;
	for (i = 0; i < nr; i++)
		pages[i] = alloc_here(fx, 0, 0);
	hit = alloc_here(fx, 1, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, hit, 1), 0);

	raw_spin_lock_irqsave(&fx->zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	hit = myalloc_pages_alloc(fx->zone, 1, 0);
	err = myalloc_pages_free(fx->zone, hit, 1);
	miss = myalloc_pages_alloc(fx->zone, 3, 0);
	for (i = 0; i < nr; i++)
		failed += !!myalloc_pages_free(fx->zone, pages[i], 0);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&fx->zone->lock, lock_irq);

	KUNIT_EXPECT_NOT_NULL(test, hit);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_NULL(test, miss);
	KUNIT_EXPECT_EQ(test, failed, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nmi_fails, 1);
	KUNIT_EXPECT_GE(test, fx->stats.deferred_pages, 10);
	FIXTURE_EXPECT_VALID(fx);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
}

static struct kunit_case pcp_cases[] = {
	KUNIT_CASE(pages_magazine_sizes),
	KUNIT_CASE(pages_magazine_hit),
	KUNIT_CASE(pages_refill_empty),
	KUNIT_CASE(pages_flush_bounded),
	KUNIT_CASE(pages_magazine_refill),
	KUNIT_CASE(pages_magazine_high),
	KUNIT_CASE(pages_magazine_huge),
	KUNIT_CASE(pages_may_wait),
	KUNIT_CASE(pages_drain_cpu),
	KUNIT_CASE(pages_busy),
	KUNIT_CASE(pages_interrupted),
	KUNIT_CASE(pages_free_race),
	KUNIT_CASE(pages_free_race_merged),
	KUNIT_CASE(pages_cached_damaged),
	KUNIT_CASE(pages_cached_order_damaged),
	KUNIT_CASE(pages_nmi),
	{}
};

static struct kunit_suite pcp_suite = {
	.name = "myalloc_pcp",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = pcp_cases,
};

kunit_test_suite(pcp_suite);
