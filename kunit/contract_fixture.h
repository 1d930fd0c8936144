/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the suites of contracts: lines, contracts, how they end. */
#ifndef MYALLOC_KUNIT_CONTRACT_FIXTURE_H
#define MYALLOC_KUNIT_CONTRACT_FIXTURE_H

#include "client/contract.h"
#include "slab_fixture.h"

#define MANY	4096	/* blocks or objects of a test at most */

static inline struct fixture *zone_of(struct kunit *test, myalloc_cache_flags_t checks)
{
	const struct fixture_args args = { .nr_pages = 1024, .chunk_order = 8, .checks = checks };

	return fixture_zone(test, &args);
}

static inline struct myalloc_contract_line pages_line(u32 pages, u32 orders)
{
	return (struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_PAGES, .pages = pages, .orders = orders,
	};
}

static inline struct myalloc_contract_line objects_line(u32 count, u32 size,
							myalloc_cache_flags_t flags)
{
	return (struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_OBJECTS, .count = count,
		.cache = { .name = "objects", .object_size = size, .flags = flags },
	};
}

static inline struct myalloc_contract *contract_of(struct fixture *fx,
						   const struct myalloc_contract_line *lines,
						   u32 nr, unsigned int flags)
{
	struct myalloc_contract_plan *plan = fixture_zalloc(fx->test, sizeof(*plan));
	struct myalloc_contract *c;

	c = myalloc_contract_create(fx->zone, "frob", lines, nr, flags, plan);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, c);
	KUNIT_EXPECT_EQ(fx->test, plan->pages_short, 0);
	KUNIT_EXPECT_EQ(fx->test, plan->blocks_short, 0);
	FIXTURE_EXPECT_VALID(fx);
	return c;
}

/* Valid until the next call. Too large for the stack of a test. */
static inline struct myalloc_contract_stats *line_stats(struct myalloc_contract *c, u32 line)
{
	static struct myalloc_contract_stats stats;

	myalloc_contract_stats(c, line, &stats);
	return &stats;
}

static inline void expect_end(struct fixture *fx, struct myalloc_contract *c)
{
	u32 i;

	for (i = 0; i < c->nr; i++) {
		KUNIT_EXPECT_EQ(fx->test, line_stats(c, i)->failed_within, 0);
		KUNIT_EXPECT_EQ(fx->test, line_stats(c, i)->live, 0);
	}
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(fx->test, myalloc_contract_end(c, 0), 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(fx->test, fixture_pristine(fx));
}

/* Let others take every page. Returns their number. */
static inline u32 take_all(struct fixture *fx, void **pages)
{
	u32 nr = 0;

	do
		KUNIT_ASSERT_LT(fx->test, nr, MANY);
	while ((pages[nr] = myalloc_pages_alloc(fx->zone, 0, MYALLOC_MAY_WAIT)) && ++nr);
	KUNIT_EXPECT_EQ(fx->test, fixture_stats(fx)->free_pages, 0);
	return nr;
}

static inline void give_all(struct fixture *fx, void **pages, u32 nr)
{
	while (nr)
		KUNIT_EXPECT_EQ(fx->test, myalloc_pages_free(fx->zone, pages[--nr], 0), 0);
}

/* Objects of a line that are allocated and freed, on any CPU. */
struct work {
	struct myalloc_cache *cache;
	void **objects;
	u32 nr;
	u32 done;
};

static noinline __maybe_unused void alloc_work(void *arg)
{
	struct work *w = arg;

	for (w->done = 0; w->done < w->nr; w->done++) {
		w->objects[w->done] = myalloc_cache_alloc(w->cache, 0);
		if (!w->objects[w->done])
			break;
	}
}

static inline void free_work(void *arg)
{
	struct work *w = arg;

	for (w->done = 0; w->done < w->nr; w->done++)
		if (myalloc_cache_free(w->cache, w->objects[w->done]))
			break;
}

#endif /* MYALLOC_KUNIT_CONTRACT_FIXTURE_H */
