// SPDX-License-Identifier: GPL-2.0
/* Tests of elastic zones: chunks come and go, and nothing of a chunk stays behind. */
#include "env.h"

#include <kunit/test.h>

#include "client/contract.h"
#include "fixture.h"
#include "page/bad_page.h"
#include "page/block.h"
#include "page/drain.h"
#include "zone/elastic.h"
#include "zone/zone.h"

#define ORDER	6U			/* of a chunk */
#define CHUNK	BIT(ORDER)
#define FIXED	2U
#define MOST	6U
#define SPARE	(MOST - FIXED)
#define GETS_MOST	100U		/* later ones fail, to end an endless loop */

/* The system: the chunks of a fixture that its zone does not have from the beginning. */
static struct {
	struct fixture *fx;
	void *chunk[SPARE];		/* a stack of those that are here */
	u32 nr;
	u32 nr_takes;
	void *odd;			/* take() returns this instead */
	bool greedy;			/* during take(), others take all the rest */
	bool short_of_memory;		/* before each take(), the system takes back free chunks */
	u32 fatal_at;			/* during this take(), the task is killed */
} source;

static void give_chunk(struct myalloc_zone *zone, void *chunk)
{
	if (chunk != source.odd)
		myalloc_env_poison(chunk, PAGE_SIZE << ORDER);
	source.chunk[source.nr++] = chunk;
}

static void *take_chunk(struct myalloc_zone *zone)
{
	void *chunk = source.odd;
	u32 grown;

	source.nr_takes++;
	if (source.short_of_memory)
		myalloc_zone_shrink(zone, U32_MAX);
	if (source.nr_takes == source.fatal_at)
		fixture_set_fatal_signal(true);
	if (source.nr_takes > GETS_MOST)
		return NULL;
	if (chunk)
		return chunk;
	if (!source.nr)
		return NULL;
	chunk = source.chunk[--source.nr];
	myalloc_env_unpoison(chunk, PAGE_SIZE << ORDER);
	if (source.greedy) {
		source.greedy = false;
		myalloc_zone_grow(zone, SPARE - 1, &grown);
	}
	return chunk;
}

static const struct myalloc_chunk_ops chunk_ops = { .take = take_chunk, .give = give_chunk };

/* The memory of all chunks, and the arguments of a zone that begins with the first ones. */
static struct fixture *prepare(struct kunit *test, myalloc_cache_flags_t checks)
{
	const struct fixture_args args = {
		.nr_pages = MOST << ORDER, .chunk_order = ORDER, .checks = checks,
	};
	struct fixture *fx = fixture_prepare(test, &args);
	u32 i;

	fx->args.nr_chunks = FIXED;
	fx->args.nr_pages = FIXED << ORDER;
	fx->args.max_chunks = MOST;
	fx->args.chunk_ops = &chunk_ops;
	fx->args.span.begin = fx->memory;
	fx->args.span.end = fx->memory + (PAGE_SIZE << fx->order);
	memset(&source, 0, sizeof(source));
	source.fx = fx;
	for (i = FIXED; i < MOST; i++)	/* the lowest one is given out last */
		give_chunk(NULL, fx->chunks[i]);
	return fx;
}

static struct fixture *elastic_zone(struct kunit *test, myalloc_cache_flags_t checks)
{
	struct fixture *fx = prepare(test, checks);
	struct myalloc_zone *zone = myalloc_zone_create(&fx->args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, zone);
	zone->reports.burst = U32_MAX;
	fx->zone = zone;
	return fx;
}

static void expect_chunks(struct fixture *fx, u32 nr, int line)
{
	const struct myalloc_zone_stats *stats = fixture_stats(fx);

	fixture_expect_valid(fx, line);
	KUNIT_EXPECT_EQ_MSG(fx->test, stats->nr_pages, (u64)nr << ORDER, "line %d", line);
	KUNIT_EXPECT_EQ_MSG(fx->test, stats->hole_pages, (u64)(MOST - nr) << ORDER, "line %d",
			    line);
	KUNIT_EXPECT_EQ_MSG(fx->test, stats->grown - stats->shrunk, (u64)nr - FIXED, "line %d",
			    line);
	KUNIT_EXPECT_EQ_MSG(fx->test, source.nr, MOST - nr, "line %d", line);
}

#define EXPECT_CHUNKS(fx, nr) expect_chunks(fx, nr, __LINE__)

static void grow(struct fixture *fx, u32 nr)
{
	u32 grown;

	KUNIT_ASSERT_EQ(fx->test, myalloc_zone_grow(fx->zone, nr, &grown), 0);
	KUNIT_ASSERT_EQ(fx->test, grown, nr);
}

static u32 idx_of(struct fixture *fx, const void *addr)
{
	return myalloc_frame_idx(fx->zone, myalloc_map_frame(&fx->zone->map, addr));
}

static void run_worker(struct fixture *fx)
{
	fx->zone->work.fn(&fx->zone->work);
}

static u32 surplus(struct fixture *fx)
{
	return myalloc_zone_surplus(fx->zone);
}

/* --- growing and shrinking ------------------------------------------------------- */

/* A request that may wait makes the zone grow, up to its limit; others fail. */
static void elastic_may_wait(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	void *block[MOST + 1];
	u32 i, k;

	EXPECT_CHUNKS(fx, FIXED);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, ORDER + 1, MYALLOC_MAY_WAIT));
	EXPECT_CHUNKS(fx, FIXED);	/* no chunk would serve that request */
	for (i = 0; i < FIXED; i++)
		KUNIT_ASSERT_NOT_NULL(test, block[i] = myalloc_pages_alloc(fx->zone, ORDER, 0));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, 0, 0));
	for (; i < MOST; i++) {
		block[i] = myalloc_pages_alloc(fx->zone, ORDER, MYALLOC_MAY_WAIT);
		KUNIT_ASSERT_NOT_NULL(test, block[i]);
		memset(block[i], i, PAGE_SIZE << ORDER);
		KUNIT_EXPECT_EQ(test, idx_of(fx, block[i]), i << ORDER);
		EXPECT_CHUNKS(fx, i + 1);
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->peak_pages, (u64)MOST << ORDER);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, ORDER, MYALLOC_MAY_WAIT));
	/* The addresses are in another order than the numbers. */
	KUNIT_EXPECT_TRUE(test, block[FIXED] > block[MOST - 1]);
	for (i = 0; i < MOST; i++)
		for (k = 0; k < CHUNK; k++)
			KUNIT_EXPECT_EQ(test, idx_of(fx, block[i] + k * PAGE_SIZE),
					(i << ORDER) + k);
	for (i = 0; i < MOST; i++)
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, block[i]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, U32_MAX), SPARE);
	EXPECT_CHUNKS(fx, FIXED);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->peak_pages, (u64)MOST << ORDER);
}

/* The bytes of metadata that the zone has counted, without magazines. */
static u64 meta_of(struct fixture *fx)
{
	const struct myalloc_zone *zone = fx->zone;
	u64 bytes = zone->meta_bytes + atomic64_read(&zone->elastic->map_bytes);
	u32 i;

	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		bytes -= myalloc_magazines_bytes(&zone->pcp[i]);
	return bytes - sizeof(*zone->pcp[0].cpu) * num_possible_cpus();
}

/* The size of the metadata is known before there is a zone. */
static void elastic_meta(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	u64 most = myalloc_zone_meta_size(&fx->args);

	KUNIT_EXPECT_LE(test, meta_of(fx), most);
	grow(fx, SPARE);
	KUNIT_EXPECT_LE(test, meta_of(fx), most);
	/* The first chunk decides where pieces of the map begin: one of them may be too many. */
	KUNIT_EXPECT_LE(test, most, meta_of(fx) + (sizeof(u32) << MYALLOC_LEAF_SHIFT) +
			sizeof(u32 *));
}

static u32 nr_salvaged;

static void salvage_one(struct myalloc_zone *zone, void *chunk, u32 pages)
{
	nr_salvaged++;
}

/* Chunks added later are salvaged, too; holes are skipped. */
static void elastic_salvage(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	struct myalloc_salvage s;

	nr_salvaged = 0;
	myalloc_zone_salvage(fx->zone, salvage_one, &s);
	KUNIT_EXPECT_EQ(test, nr_salvaged, FIXED);
	KUNIT_EXPECT_EQ(test, s.pages, FIXED << ORDER);
	KUNIT_EXPECT_EQ(test, s.kept_chunks, 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_chunk_held(fx->zone, MOST - 1), 0);
	grow(fx, 2);
	myalloc_zone_salvage(fx->zone, salvage_one, &s);
	KUNIT_EXPECT_EQ(test, nr_salvaged, FIXED + FIXED + 2);
	KUNIT_EXPECT_EQ(test, s.pages, (FIXED + 2) << ORDER);
}

/* So do requests for extents and objects. */
static void elastic_may_wait_others(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	struct myalloc_cache *cache = fixture_cache(fx, "c", 64, 0);
	void *fixed = myalloc_pages_alloc(fx->zone, ORDER, 0), *more, *extent, *object;

	more = myalloc_pages_alloc(fx->zone, ORDER, 0);
	extent = myalloc_pages_alloc_exact(fx->zone, CHUNK - 3, 0, MYALLOC_MAY_WAIT);
	KUNIT_ASSERT_NOT_NULL(test, extent);
	EXPECT_CHUNKS(fx, FIXED + 1);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, CHUNK + 1, 0,
							  MYALLOC_MAY_WAIT));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(fx->zone, 0, 0, MYALLOC_MAY_WAIT));
	EXPECT_CHUNKS(fx, FIXED + 1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, extent + (CHUNK - 3) * PAGE_SIZE,
							3, 0), 0);
	object = myalloc_cache_alloc(cache, MYALLOC_MAY_WAIT);
	KUNIT_ASSERT_NOT_NULL(test, object);
	EXPECT_CHUNKS(fx, FIXED + 2);
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, object), 64);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, extent), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, extent + (CHUNK - 3) * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, fixed), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, more), 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, 1), 1);
	EXPECT_CHUNKS(fx, FIXED + 1);
}

/* The last owner in a chunk that can leave is not reported: other memory may be there by now. */
static void elastic_bad_free(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	void *fixed[FIXED], *more;
	u32 i;

	for (i = 0; i < FIXED; i++)
		KUNIT_ASSERT_NOT_NULL(test, fixed[i] = myalloc_pages_alloc(fx->zone, ORDER, 0));
	grow(fx, 1);
	more = myalloc_pages_alloc(fx->zone, ORDER, 0);
	KUNIT_ASSERT_NOT_NULL(test, more);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, more, ORDER), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, more, ORDER), -EINVAL);
	KUNIT_EXPECT_NULL(test, strstr(fixture_without_freer(fx), "last allocated"));
	for (i = 0; i < FIXED; i++) {
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, fixed[i], ORDER), 0);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, fixed[i], ORDER), -EINVAL);
		KUNIT_EXPECT_NOT_NULL(test, strstr(fixture_without_freer(fx), "last allocated"));
	}
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, 1), 1);
}

/* A contract makes the zone grow, unless chunks do not help; chunks that it uses stay. */
static void elastic_contract(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_PAGES, .pages = CHUNK, .orders = BIT(0),
	};
	struct myalloc_contract *c;
	void *fixed[FIXED];
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, plan);
	for (i = 0; i < FIXED; i++)
		KUNIT_ASSERT_NOT_NULL(test, fixed[i] = myalloc_pages_alloc(fx->zone, ORDER, 0));
	c = myalloc_contract_create(fx->zone, "frob", &line, 1, 0, plan);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	EXPECT_CHUNKS(fx, FIXED + 1);
	grow(fx, 1);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, U32_MAX), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, fixed[0], ORDER), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, U32_MAX), 1);
	EXPECT_CHUNKS(fx, FIXED + 1);
	line.pages = (MOST + 1) * CHUNK;
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_contract_create(fx->zone, "too-large", &line, 1, 0,
							      plan)), -ENOSPC);
	EXPECT_CHUNKS(fx, MOST);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, fixed[1], ORDER), 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, U32_MAX), SPARE);
}

/*
 * A contract gives up if the system takes each chunk back before it has the next one, and if the
 * task is killed meanwhile.
 */
static void elastic_contract_ends(struct kunit *test)
{
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_PAGES, .pages = (FIXED + 2) * CHUNK, .orders = BIT(ORDER),
	};
	struct fixture *fx = elastic_zone(test, 0);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));

	KUNIT_ASSERT_NOT_NULL(test, plan);
	WRITE_ONCE(fx->zone->elastic->low, 0);
	source.short_of_memory = true;
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_contract_create(fx->zone, "c", &line, 1, 0, plan)),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, fixture_log_count("1 block of order 6 are short"), 1);
	KUNIT_EXPECT_LE(test, source.nr_takes, fx->zone->nr_chunks);
	EXPECT_CHUNKS(fx, FIXED + 1);
	if (!fixture_set_fatal_signal(false))
		return;		/* this kernel's task must not die */
	source.nr_takes = 0;
	source.fatal_at = 2;
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_contract_create(fx->zone, "c", &line, 1, 0, plan)),
			-EINTR);
	KUNIT_EXPECT_EQ(test, source.nr_takes, 2);
	fixture_set_fatal_signal(false);
	EXPECT_CHUNKS(fx, FIXED + 1);
}

/* Only whole free chunks are returned, the highest first, and never a fixed one. */
static void elastic_shrink(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	void *keep, *hole;

	grow(fx, 3);
	EXPECT_CHUNKS(fx, FIXED + 3);
	KUNIT_EXPECT_EQ(test, surplus(fx), 3);
	hole = myalloc_frame_addr(fx->zone, (FIXED + 2) << ORDER);
	keep = myalloc_frame_addr(fx->zone, ((FIXED + 1) << ORDER) + 5);
	KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_range(fx->zone, keep, 1, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, 1), 1);
	KUNIT_EXPECT_NULL(test, myalloc_map_frame(&fx->zone->map, hole));
	EXPECT_CHUNKS(fx, FIXED + 2);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, U32_MAX), 1);
	EXPECT_CHUNKS(fx, FIXED + 1);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, U32_MAX), 0);
	/* The lowest hole is filled first, from wherever the chunk is. */
	grow(fx, 1);
	KUNIT_EXPECT_NE(test, fx->zone->chunks[FIXED], 0UL);
	KUNIT_EXPECT_EQ(test, fx->zone->chunks[FIXED + 2], 0UL);
	EXPECT_CHUNKS(fx, FIXED + 2);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, keep), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, U32_MAX), 2);
	KUNIT_EXPECT_EQ(test, surplus(fx), 0);
	EXPECT_CHUNKS(fx, FIXED);
}

/* A little always stays free. */
static void elastic_shrink_low(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	u32 low = fx->zone->elastic->low, i;
	void *fixed[FIXED];

	KUNIT_EXPECT_EQ(test, low, (FIXED << ORDER) / 16);
	for (i = 0; i < FIXED; i++)
		KUNIT_ASSERT_NOT_NULL(test, fixed[i] = myalloc_pages_alloc(fx->zone, ORDER, 0));
	grow(fx, 2);
	KUNIT_EXPECT_EQ(test, surplus(fx), 1);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, U32_MAX), 1);
	EXPECT_CHUNKS(fx, FIXED + 1);
	for (i = 0; i < FIXED; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, fixed[i], ORDER), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, U32_MAX), 1);
}

/* Addresses in a hole are foreign. */
static void elastic_foreign(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	void *page;

	grow(fx, 1);
	page = myalloc_pages_alloc(fx->zone, 0, MYALLOC_TOPDOWN);
	KUNIT_ASSERT_EQ(test, idx_of(fx, page), ((FIXED + 1) << ORDER) - 1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_ASSERT_EQ(test, myalloc_zone_shrink(fx->zone, 1), 1);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, page, 0), MYALLOC_BAD_FOREIGN,
			       "bad free as pages of order 0: not memory of this zone");
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free_exact(fx->zone, page, 1),
			       MYALLOC_BAD_FOREIGN,
			       "bad free as 1 page: not memory of this zone");
	FIXTURE_EXPECT_REFUSED(fx, myalloc_free(fx->zone, page), MYALLOC_BAD_FOREIGN,
			       "bad free as pages of order 0: not memory of this zone");
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, page), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(fx->zone, page, 1, 0), -EINVAL);
}

static void *late;
static int late_err;

static void free_late(const char *where)
{
	if (!strcmp(where, "elastic-hole") && late)
		late_err = myalloc_pages_free(source.fx->zone, late, 0);
}

/* The same at the moment at which the chunk becomes a hole. */
static void elastic_foreign_now(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);

	grow(fx, 1);
	late = myalloc_frame_addr(fx->zone, FIXED << ORDER);
	late_err = 0;
	if (!fixture_set_hook(free_late)) {
		kunit_skip(test, "no hooks here");
		return;
	}
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, 1), 1);
	fixture_set_hook(NULL);
	late = NULL;
	KUNIT_EXPECT_EQ(test, late_err, -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad[MYALLOC_BAD_FOREIGN], 1);
	EXPECT_CHUNKS(fx, FIXED);
}

/*
 * V3: a magazine has an address of a chunk that was returned, and taken again under another number.
 * A free of that address frees the block that is there now.
 */
static void elastic_stale(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	void **pages = fixture_zalloc(test, 2 * CHUNK * sizeof(*pages));
	struct myalloc_zone *zone = fx->zone;
	void *fixed[FIXED], *keep, *page, *stale;
	u32 i, other;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_GT(test, zone->pcp[0].capacity, 0);
	for (i = 0; i < FIXED; i++)
		KUNIT_ASSERT_NOT_NULL(test, fixed[i] = myalloc_pages_alloc(zone, ORDER, 0));
	grow(fx, 2);
	keep = myalloc_pages_alloc(zone, ORDER, 0);
	KUNIT_ASSERT_EQ(test, idx_of(fx, keep), FIXED << ORDER);
	page = myalloc_pages_alloc(zone, 0, 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, keep, ORDER), 0);
	myalloc_zone_drain(zone);
	preempt_disable();
	stale = this_cpu_ptr(zone->pcp[0].cpu)->top->addr;
	preempt_enable();
	if (!stale || idx_of(fx, stale) >> ORDER != FIXED + 1) {
		for (i = 0; i < FIXED; i++)
			myalloc_pages_free(zone, fixed[i], ORDER);
		kunit_skip(test, "another CPU has the address");
		return;
	}
	grow(fx, 1);	/* so that both can go */
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(zone, 3), 2);
	/* The lowest one stays; the other comes back as another number, behind another one. */
	KUNIT_ASSERT_NULL(test, myalloc_map_frame(&zone->map, stale));
	swap(source.chunk[source.nr - 1], source.chunk[source.nr - 2]);
	grow(fx, 2);
	KUNIT_ASSERT_EQ(test, idx_of(fx, stale) >> ORDER, FIXED + 2);
	other = (FIXED + 1) << ORDER;
	for (i = 0; i < 2 * CHUNK; i++)
		pages[i] = myalloc_pages_alloc(zone, 0, MYALLOC_TOPDOWN);
	KUNIT_EXPECT_EQ(test, idx_of(fx, pages[2 * CHUNK - 1]), other);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, stale, 0), 0);
	KUNIT_EXPECT_NE(test, myalloc_map_frame(&zone->map, stale)->type, MYALLOC_FRAME_PAGE);
	FIXTURE_EXPECT_VALID(fx);
	for (i = 0; i < 2 * CHUNK; i++)
		if (pages[i] != stale)
			KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, pages[i], 0), 0);
	for (i = 0; i < FIXED; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, fixed[i], ORDER), 0);
	kunit_kfree(test, pages);
}

/* --- the system has no chunk, or an unusable one ------------------------------------------ */

static void elastic_refused(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	void *none[SPARE];
	u32 grown;

	memcpy(none, source.chunk, sizeof(none));
	source.nr = 0;
	KUNIT_EXPECT_EQ(test, myalloc_zone_grow(fx->zone, 1, &grown), -ENOMEM);
	KUNIT_EXPECT_EQ(test, grown, 0);
	source.nr = 1;
	KUNIT_EXPECT_EQ(test, myalloc_zone_grow(fx->zone, 2, &grown), -ENOMEM);
	KUNIT_EXPECT_EQ(test, grown, 1);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, 1), 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->grow_fails, 2);
	memcpy(source.chunk, none, sizeof(none));
	source.nr = SPARE;
	EXPECT_CHUNKS(fx, FIXED);
	KUNIT_EXPECT_EQ(test, myalloc_zone_grow(fx->zone, SPARE + 1, &grown), -ENOSPC);
	KUNIT_EXPECT_EQ(test, grown, SPARE);
	EXPECT_CHUNKS(fx, MOST);
}

/* A chunk at an unusable address is returned at once. */
static void elastic_odd(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	const unsigned long odd[] = {
		fx->memory - (PAGE_SIZE << ORDER), fx->memory + PAGE_SIZE,
		fx->memory + (PAGE_SIZE << ORDER << MYALLOC_LEAF_SHIFT),
	};
	u32 grown, nr = source.nr, i;

	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		source.odd = (void *)odd[i];
		source.nr = 0;
		KUNIT_EXPECT_EQ(test, myalloc_zone_grow(fx->zone, 1, &grown), -ERANGE);
		KUNIT_EXPECT_EQ(test, source.nr, 1);
		KUNIT_EXPECT_PTR_EQ(test, source.chunk[0], source.odd);
	}
	source.odd = NULL;
	source.chunk[0] = fx->chunks[FIXED];
	source.nr = nr;
	EXPECT_CHUNKS(fx, FIXED);
}

/* Others fill the last holes while this task gets a chunk, which it returns. */
static void elastic_greedy(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	u32 grown;

	fx->zone->nr_chunks--;		/* as if there were a hole less than chunks */
	fx->zone->nr_holes--;
	myalloc_tree_clear(&fx->zone->elastic->holes, MOST - 1);
	source.greedy = true;
	KUNIT_EXPECT_EQ(test, myalloc_zone_grow(fx->zone, 1, &grown), -ENOSPC);
	KUNIT_EXPECT_EQ(test, grown, 0);
	KUNIT_EXPECT_EQ(test, source.nr, 1);
	KUNIT_EXPECT_EQ(test, fx->zone->nr_holes, 0);
	fx->zone->nr_chunks++;
	fx->zone->nr_holes++;
	myalloc_tree_set(&fx->zone->elastic->holes, MOST - 1);
	EXPECT_CHUNKS(fx, MOST - 1);
}

/* Arguments that make no elastic zone. */
static void elastic_args(struct kunit *test)
{
	struct fixture *fx = prepare(test, 0);
	const struct myalloc_zone_args good = fx->args;
	struct myalloc_zone_args bad[7];
	u32 i, grown;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].max_chunks = FIXED;
	bad[1].chunk_ops = NULL;
	bad[2].nr_pages--;
	bad[3].max_chunks = U32_MAX;
	bad[4].span.end = bad[4].span.begin;
	bad[5].span.begin += PAGE_SIZE << ORDER;	/* behind the first chunk */
	bad[6].span.end = bad[6].span.begin + 1;
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_zone_create(&bad[i])), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_zone_create(&bad[5])), -ERANGE);
	fx->zone = myalloc_zone_create(&bad[6]);	/* a leaf covers more */
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fx->zone);
	grow(fx, SPARE);
	EXPECT_CHUNKS(fx, MOST);
	fixture_end(fx);

	/* Others do not grow. */
	fx = fixture_zone(test, &(struct fixture_args){ .nr_pages = 4, .chunk_order = 1 });
	KUNIT_EXPECT_EQ(test, myalloc_zone_grow(fx->zone, 1, &grown), -ENOSPC);
	KUNIT_EXPECT_EQ(test, myalloc_zone_grow(fx->zone, 0, &grown), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, 1), 0);
	myalloc_zone_set_decay(fx->zone, 1, 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->hole_pages, 0);
}

/* --- the worker ------------------------------------------------------------------------ */

/* When little is left, the worker grows the zone; if the system has none, later again. */
static void elastic_low(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	struct myalloc_elastic *e = fx->zone->elastic;
	u32 nr = FIXED << ORDER, i, k, had = source.nr;
	void *pages[FIXED << ORDER];

	for (i = 0; i < nr - e->low; i++)
		KUNIT_ASSERT_NOT_NULL(test, pages[i] = myalloc_pages_alloc(fx->zone, 0,
									   MYALLOC_TOPDOWN));
	KUNIT_EXPECT_FALSE(test, e->want);
	pages[i++] = myalloc_pages_alloc(fx->zone, 0, MYALLOC_TOPDOWN);
	KUNIT_EXPECT_TRUE(test, e->want);
	source.nr = 0;
	run_worker(fx);
	KUNIT_EXPECT_FALSE(test, e->want);
	KUNIT_EXPECT_TRUE(test, e->failed);
	pages[i++] = myalloc_pages_alloc(fx->zone, 0, MYALLOC_TOPDOWN);
	KUNIT_EXPECT_TRUE(test, e->want);
	pages[i++] = myalloc_pages_alloc(fx->zone, 0, MYALLOC_TOPDOWN);
	source.nr = had;
	run_worker(fx);
	KUNIT_EXPECT_FALSE(test, e->failed);
	EXPECT_CHUNKS(fx, FIXED + 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->peak_pages, i);
	for (k = 0; k < i; k++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, pages[k], 0), 0);
}

/* It also grows the zone after a request that failed but that a new chunk could serve. */
static void elastic_reclaim(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	struct myalloc_elastic *e = fx->zone->elastic;
	void *a = myalloc_pages_alloc(fx->zone, 0, 0), *b;

	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, MYALLOC_TOP_ORDER, 0));
	KUNIT_EXPECT_FALSE(test, e->want);
	myalloc_zone_reclaim(fx->zone);
	KUNIT_EXPECT_FALSE(test, e->want);
	b = myalloc_pages_alloc(fx->zone, ORDER, 0);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(fx->zone, ORDER, 0));
	KUNIT_EXPECT_TRUE(test, e->want);
	run_worker(fx);
	EXPECT_CHUNKS(fx, FIXED + 1);
	grow(fx, SPARE - 1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, a, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, b, ORDER), 0);
}

/* Unused chunks are returned, half of them in each half-life. */
static void elastic_decay(struct kunit *test)
{
	const u64 step = 1000 * 1000000000ULL;	/* longer than the test takes */
	struct fixture *fx = elastic_zone(test, 0);
	struct myalloc_elastic *e = fx->zone->elastic;
	u32 steps;
	void *top, *middle, *low;

	grow(fx, SPARE);
	myalloc_zone_set_decay(fx->zone, 0, 1);
	run_worker(fx);
	KUNIT_EXPECT_EQ(test, e->decay_at, 0);
	myalloc_zone_set_decay(fx->zone, 8 * 1000 * 1000, 16);
	run_worker(fx);
	KUNIT_EXPECT_NE(test, e->decay_at, 0);
	EXPECT_CHUNKS(fx, MOST);
	for (steps = 0; surplus(fx) > SPARE / 2; steps++) {
		e->decay_at -= step;
		run_worker(fx);
		KUNIT_ASSERT_LT(test, steps, 20);
	}
	KUNIT_EXPECT_GE(test, steps, 6);
	KUNIT_EXPECT_LE(test, steps, 10);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->decayed, SPARE / 2);
	EXPECT_CHUNKS(fx, FIXED + SPARE / 2);
	/* A bounded number at a time. */
	grow(fx, SPARE / 2);
	myalloc_zone_set_decay(fx->zone, 8 * 1000 * 1000, 1);
	e->decay_part = 4000;
	e->decay_at -= step;
	run_worker(fx);
	EXPECT_CHUNKS(fx, MOST - 1);
	/* Scattered free pages return no chunk, and are not made up for later. */
	top = (void *)fx->zone->chunks[MOST - 2];
	middle = (void *)fx->zone->chunks[MOST - 3];
	low = (void *)fx->zone->chunks[MOST - 4];
	KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_range(fx->zone, top, 1, 0), 0);
	KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_range(fx->zone, middle, 1, 0), 0);
	KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_range(fx->zone, low, 1, 0), 0);
	e->decay_at -= 100 * step;
	run_worker(fx);
	EXPECT_CHUNKS(fx, MOST - 1);
	KUNIT_EXPECT_EQ(test, e->decay_at, 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, top), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, middle), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, low), 0);
	/* After a long time all unused chunks are returned. */
	run_worker(fx);
	e->decay_at -= 100 * step;
	run_worker(fx);
	EXPECT_CHUNKS(fx, FIXED);
}

/* --- holes in the rest of the zone -------------------------------------------------------- */

static bool count(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame, void *nr)
{
	++*(u32 *)nr;
	return true;
}

/* Holes count as no blocks; a new chunk is poisoned, and checked like any other. */
static void elastic_checks(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, MYALLOC_CHECKS);
	void *block;
	u32 nr = 0;

	myalloc_zone_walk_blocks(fx->zone, count, &nr);
	KUNIT_EXPECT_EQ(test, nr, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->page_pages, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->unusable[ORDER], 0);
	myalloc_bad_poll(fx->zone, U32_MAX);
	grow(fx, 1);
	block = (void *)fx->zone->chunks[FIXED];
	KUNIT_ASSERT_EQ(test, myalloc_pages_alloc_range(fx->zone, block, CHUNK, 0), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, block), 0);
	EXPECT_CHUNKS(fx, FIXED + 1);
}

/* A new chunk may happen to be adjacent to another; no block spans both. */
static void elastic_joined(struct kunit *test)
{
	struct fixture *fx = prepare(test, 0);
	struct myalloc_zone *zone;
	u32 i;

	fx->args.max_order = ORDER + 1;
	for (i = 0; i < SPARE / 2; i++)	/* in order of address */
		swap(source.chunk[i], source.chunk[SPARE - 1 - i]);
	zone = myalloc_zone_create(&fx->args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, zone);
	fx->zone = zone;
	grow(fx, SPARE);
	EXPECT_CHUNKS(fx, MOST);
	KUNIT_EXPECT_EQ(test, zone->chunks[FIXED + 1] - zone->chunks[FIXED], PAGE_SIZE << ORDER);
	KUNIT_EXPECT_EQ(test, zone->buddy.nr_blocks[ORDER], zone->buddy.top_order == ORDER ?
			MOST : SPARE);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(zone, U32_MAX), SPARE);
	EXPECT_CHUNKS(fx, FIXED);
}

static void expect_found(struct fixture *fx, const char *invariant, int line)
{
	KUNIT_EXPECT_FALSE_MSG(fx->test, fixture_valid(fx), "line %d", line);
	KUNIT_EXPECT_TRUE_MSG(fx->test, !strncmp(fx->v.first, invariant, strlen(invariant)),
			      "line %d: %s", line, fx->v.first);
}

#define DAMAGE(fx, place, wrong, invariant)			\
	do {							\
		typeof(place) *__place = &(place);		\
		typeof(place) __right = *__place;		\
								\
		*__place = (wrong);				\
		expect_found(fx, invariant, __LINE__);		\
		*__place = __right;				\
	} while (0)

/* Validation finds disagreements. */
static void elastic_validate(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	struct myalloc_zone *zone = fx->zone;
	u32 *leaf;

	grow(fx, 1);
	leaf = zone->map.leaves[0];
	DAMAGE(fx, zone->nr_holes, zone->nr_holes - 1, "V2:");
	DAMAGE(fx, zone->elastic->holes.level[0][0], 0, "V1:");
	DAMAGE(fx, zone->frames[MOST / 2 * CHUNK + CHUNK].tag, 0, "V1:");
	DAMAGE(fx, zone->chunks[MOST - 1], zone->chunks[0], "V1:");
	DAMAGE(fx, leaf[0], 0, "A1:");
	DAMAGE(fx, leaf[0], 2, "A1:");
	DAMAGE(fx, leaf[2], FIXED + 2, "A1:");
	DAMAGE(fx, leaf[2], 1, "A1:");
	EXPECT_CHUNKS(fx, FIXED + 1);
}

/* The k-th allocation inside fails: of the zone, and of a leaf later. */
static void elastic_no_memory(struct kunit *test)
{
	struct fixture *fx = prepare(test, 0);
	unsigned long k;
	u32 grown;
	int err;

	if (!fixture_fail_after(0)) {
		kunit_skip(test, "no allocation can be made to fail here");
		return;
	}
	for (k = 1;; k++) {
		fixture_fail_after(k);
		fx->zone = myalloc_zone_create(&fx->args);
		if (!IS_ERR(fx->zone))
			break;
		KUNIT_EXPECT_EQ(test, PTR_ERR(fx->zone), -ENOMEM);
		fx->zone = NULL;
	}
	fixture_fail_after(0);
	KUNIT_EXPECT_GT(test, k, 6);
	/* Another leaf, as if the span were larger. */
	myalloc_env_free(fx->zone->map.leaves[0]);
	fx->zone->map.leaves[0] = NULL;
	fixture_fail_after(1);
	err = myalloc_zone_grow(fx->zone, 1, &grown);
	fixture_fail_after(0);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_EQ(test, source.nr, SPARE);
	grow(fx, 1);
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&fx->zone->elastic->map_bytes),
			sizeof(u32) << MYALLOC_LEAF_SHIFT);
	myalloc_map_set(&fx->zone->map, fx->zone->chunks[0], 1);
	myalloc_map_set(&fx->zone->map, fx->zone->chunks[1], 2);
	EXPECT_CHUNKS(fx, FIXED + 1);
}

/* An extent that must be aligned needs a block of that alignment, not one of its pages. */
static void elastic_aligned(struct kunit *test)
{
	struct fixture *fx = elastic_zone(test, 0);
	void *block[FIXED], *addr;
	u32 i;

	block[0] = myalloc_pages_alloc_exact(fx->zone, CHUNK - 2, 0, 0);
	for (i = 1; i < FIXED; i++)
		block[i] = myalloc_pages_alloc(fx->zone, ORDER, 0);
	addr = myalloc_pages_alloc_exact(fx->zone, 2, 4, MYALLOC_MAY_WAIT);
	KUNIT_ASSERT_NOT_NULL(test, addr);
	KUNIT_EXPECT_EQ(test, idx_of(fx, addr) % 16, 0);
	EXPECT_CHUNKS(fx, FIXED + 1);
	KUNIT_EXPECT_EQ(test, fx->stats.page_fails[1], 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr), 0);
	for (i = 0; i < FIXED; i++)
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, block[i]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_shrink(fx->zone, U32_MAX), 1);
	EXPECT_CHUNKS(fx, FIXED);
}

static struct kunit_case elastic_cases[] = {
	KUNIT_CASE(elastic_may_wait),
	KUNIT_CASE(elastic_meta),
	KUNIT_CASE(elastic_aligned),
	KUNIT_CASE(elastic_salvage),
	KUNIT_CASE(elastic_may_wait_others),
	KUNIT_CASE(elastic_bad_free),
	KUNIT_CASE(elastic_contract),
	KUNIT_CASE(elastic_contract_ends),
	KUNIT_CASE(elastic_shrink),
	KUNIT_CASE(elastic_shrink_low),
	KUNIT_CASE(elastic_foreign),
	KUNIT_CASE(elastic_foreign_now),
	KUNIT_CASE(elastic_stale),
	KUNIT_CASE(elastic_refused),
	KUNIT_CASE(elastic_odd),
	KUNIT_CASE(elastic_greedy),
	KUNIT_CASE(elastic_args),
	KUNIT_CASE(elastic_low),
	KUNIT_CASE(elastic_reclaim),
	KUNIT_CASE(elastic_decay),
	KUNIT_CASE(elastic_checks),
	KUNIT_CASE(elastic_joined),
	KUNIT_CASE(elastic_validate),
	KUNIT_CASE(elastic_no_memory),
	{}
};

static struct kunit_suite elastic_suite = {
	.name = "myalloc_elastic",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = elastic_cases,
};

kunit_test_suites(&elastic_suite);
