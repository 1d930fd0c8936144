// SPDX-License-Identifier: GPL-2.0
/* Tests of contracts: requests that lines of pages serve, and ones that they refuse. */
#include "env.h"

#include <kunit/test.h>

#include "contract_fixture.h"
#include "page/drain.h"
#include "page/extent.h"

/* --- pages ---------------------------------------------------------------------------------- */

static noinline void *alloc_beyond(struct myalloc_zone *zone)
{
	void *addr = myalloc_pages_alloc(zone, 0, 0);

	barrier();
	return addr;
}

/* Exactly M pages are served, whatever others do; they can also be freed through the parent. */
static void contract_pages(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(64, 0x5);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_zone *zone = myalloc_contract_zone(c, 0);
	void **pages = fixture_array(test, MANY), *block[65];
	u32 others = take_all(fx, pages), i;
	struct myalloc_contract_stats *stats;

	for (i = 0; i < 15; i++)
		block[i] = myalloc_pages_alloc(zone, 2, 0);
	for (; i < 19; i++)
		block[i] = myalloc_pages_alloc(zone, 0, MYALLOC_ZERO);
	for (i = 0; i < 19; i++)
		KUNIT_ASSERT_NOT_NULL(test, block[i]);
	KUNIT_EXPECT_NULL(test, alloc_beyond(zone));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(zone, 2, MYALLOC_MAY_WAIT));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(zone, 0, 0));
	stats = line_stats(c, 0);
	KUNIT_EXPECT_EQ(test, stats->kind, MYALLOC_CONTRACT_PAGES);
	KUNIT_EXPECT_EQ(test, stats->declared, 64);
	KUNIT_EXPECT_EQ(test, stats->live, 64);
	KUNIT_EXPECT_EQ(test, stats->peak, 64);
	KUNIT_EXPECT_EQ(test, stats->needed, c->part[0].plan.needed);
	KUNIT_EXPECT_EQ(test, stats->set_aside, c->part[0].plan.set_aside);
	KUNIT_EXPECT_EQ(test, stats->highest_end, 64);
	KUNIT_EXPECT_EQ(test, stats->beyond, 3);
	KUNIT_EXPECT_EQ(test, stats->best_effort, 0);
	KUNIT_EXPECT_TRUE(test, fixture_called_by(stats->sites[0].caller, alloc_beyond));
	KUNIT_EXPECT_EQ(test, stats->sites[0].count + stats->sites[1].count +
			stats->sites[2].count, 3);
	KUNIT_EXPECT_EQ(test, stats->failed_within, 0);
	FIXTURE_EXPECT_VALID(fx);

	KUNIT_EXPECT_PTR_EQ(test, myalloc_zone_child_at(fx->zone, block[3]), zone);
	KUNIT_EXPECT_NULL(test, myalloc_zone_child_at(fx->zone, pages[0]));
	KUNIT_EXPECT_NULL(test, myalloc_zone_child_at(fx->zone, &stats));
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, block[0]), 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, block[0] + PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, block[16]), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, block[0]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, block[1], 2), 0);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 56);
	for (i = 2; i < 19; i++)
		KUNIT_EXPECT_EQ(test, myalloc_free(i % 2 ? zone : fx->zone, block[i]), 0);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->peak, 64);

	/* Again and again, at the limit. */
	for (i = 0; i < 64; i++)
		block[i] = myalloc_pages_alloc(zone, 0, 0);
	for (i = 0; i < 1000; i++) {
		u32 k = i * 7 % 64;

		KUNIT_ASSERT_EQ(test, myalloc_pages_free(zone, block[k], 0), 0);
		block[k] = myalloc_pages_alloc(zone, 0, 0);
		KUNIT_ASSERT_NOT_NULL(test, block[k]);
	}
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(zone, 0, 64, block), 64);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_bulk(zone, 0, 0, 65, block), 64);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(zone, 0, 64, block), 64);
	give_all(fx, pages, others);
	expect_end(fx, c);
}

/* Call sites of requests beyond: the first few have a count each, all others one in common. */
static void contract_sites(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(1, 1);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_contract_stats *stats;
	unsigned long lock_irq, irq;
	u32 i;

	for (i = 0; i < 20; i++)
		myalloc_limit_beyond(&c->part[0].limit, 100 + i % 10);
	/* In NMI the place is not counted if the lock is taken. */
	raw_spin_lock_irqsave(&c->part[0].limit.sites_lock, lock_irq);
	irq = fixture_nmi_enter();
	myalloc_limit_beyond(&c->part[0].limit, 100);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&c->part[0].limit.sites_lock, lock_irq);
	stats = line_stats(c, 0);
	for (i = 0; i < MYALLOC_CONTRACT_SITES - 1; i++) {
		KUNIT_EXPECT_EQ(test, stats->sites[i].caller, 100 + i);
		KUNIT_EXPECT_EQ(test, stats->sites[i].count, 2);
	}
	KUNIT_EXPECT_EQ(test, stats->sites[i].caller, 0);
	KUNIT_EXPECT_EQ(test, stats->sites[i].count, 6);
	KUNIT_EXPECT_EQ(test, stats->beyond, 21);
	expect_end(fx, c);
}

/* Expect that the last call was refused for the reason @why, as the @nr-th one counted. */
static void expect_refused(struct fixture *fx, struct myalloc_contract *c, u32 nr, bool refused,
			   const char *why)
{
	KUNIT_EXPECT_TRUE_MSG(fx->test, refused, "%s", why);
	KUNIT_EXPECT_EQ_MSG(fx->test, line_stats(c, 0)->refused, nr, "%s", why);
	myalloc_zone_last_report(c->part[0].zone, fx->text, sizeof(fx->text));
	KUNIT_EXPECT_NOT_NULL_MSG(fx->test, strstr(fx->text, why), "%s", fx->text);
}

static void contract_refuses_pages(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(64, 0x5);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_zone *zone = myalloc_contract_zone(c, 0);
	const struct myalloc_cache_args args = { .name = "c", .object_size = 8 };
	void *addr;

	expect_refused(fx, c, 1, !myalloc_pages_alloc(zone, 1, 0), "size that is not declared");
	expect_refused(fx, c, 2, !myalloc_pages_alloc(zone, 3, 0), "size that is not declared");
	expect_refused(fx, c, 3, !myalloc_pages_alloc(zone, 77, 0), "size that is not declared");
	expect_refused(fx, c, 4, !myalloc_pages_alloc_exact(zone, 3, 0, 0),
		       "size that is not declared");
	expect_refused(fx, c, 5, !myalloc_pages_alloc_exact(zone, 0, 0, 0),
		       "size that is not declared");
	expect_refused(fx, c, 6, !myalloc_pages_alloc_exact(zone, 1, 1, 0),
		       "alignment above the size");
	expect_refused(fx, c, 7, !myalloc_pages_alloc(zone, 2, MYALLOC_TOPDOWN),
		       "the highest address");
	expect_refused(fx, c, 8, !myalloc_pages_alloc_exact(zone, 4, 0, MYALLOC_TOPDOWN),
		       "the highest address");
	addr = (void *)zone->chunks[0];
	expect_refused(fx, c, 9, myalloc_pages_alloc_range(zone, addr, 4, 0) == -EINVAL,
		       "particular pages");
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_cache_create(zone, &args)), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_log_count("state a line of objects"), 1);
	addr = myalloc_pages_alloc_exact(zone, 4, 2, 0);
	KUNIT_ASSERT_NOT_NULL(test, addr);
	KUNIT_EXPECT_FALSE(test, myalloc_extent_resize(zone, addr, 4, 3, 0, 0, 1));
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(zone, addr, 4), 0);
	expect_end(fx, c);
}

static void contract_refuses_extents(struct kunit *test)
{
	static const u32 sizes[] = { 5, 16 };
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_EXTENTS, .pages = 64, .sizes = sizes, .nr_sizes = 2,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_zone *zone = myalloc_contract_zone(c, 0);
	void *addr;

	expect_refused(fx, c, 1, !myalloc_pages_alloc_exact(zone, 4, 0, 0),
		       "size that is not declared");
	expect_refused(fx, c, 2, !myalloc_pages_alloc_exact(zone, 5, 4, 0),
		       "alignment above the size");
	addr = myalloc_pages_alloc_exact(zone, 5, 3, 0);
	KUNIT_ASSERT_NOT_NULL(test, addr);
	FIXTURE_EXPECT_VALID(fx);
	/* Freed in pieces. */
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(zone, addr, 4), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, addr, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, addr + 4 * PAGE_SIZE, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr + PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 5);
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, addr), 5 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr), 0);
	addr = myalloc_pages_alloc(zone, 4, 0);
	KUNIT_ASSERT_NOT_NULL(test, addr);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, addr, 4), 0);
	expect_end(fx, c);
}

static void contract_refuses_objects(struct kunit *test)
{
	const struct myalloc_contract_line line = objects_line(10, 64, 0);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_zone *zone = c->part[0].zone;

	KUNIT_EXPECT_NULL(test, myalloc_contract_zone(c, 0));
	expect_refused(fx, c, 1, !myalloc_pages_alloc(zone, 0, 0), "pages from a line of objects");
	expect_end(fx, c);
}

/* A wrong free of a page of a contract through its parent. */
static void contract_wrong_frees(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(64, 0x4);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_zone *zone = myalloc_contract_zone(c, 0);
	void *addr = myalloc_pages_alloc(zone, 2, 0);
	struct myalloc_cache *cache = fixture_cache(fx, "c", 64, 0);

	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free(fx->zone, addr, 2), MYALLOC_BAD_KIND,
			       "bad free as pages of order 2: %s; frame 0, order 2, of contract line frob.0",
			       myalloc_bad_name(MYALLOC_BAD_KIND));
	FIXTURE_EXPECT_REFUSED(fx, myalloc_pages_free_exact(fx->zone, addr, 4), MYALLOC_BAD_KIND,
			       "bad free as 4 pages: %s; frame 0, order 2, of contract line frob.0",
			       myalloc_bad_name(MYALLOC_BAD_KIND));
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(cache, addr), MYALLOC_BAD_KIND,
			       "bad free as object of c: %s; frame 0, order 2, of contract line frob.0",
			       myalloc_bad_name(MYALLOC_BAD_KIND));
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	expect_end(fx, c);
}

/* With the flag, requests beyond M are served by the parent while it has free blocks. */
static void contract_best_effort(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(8, 0x5);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, MYALLOC_CONTRACT_BEST_EFFORT);
	struct myalloc_zone *zone = myalloc_contract_zone(c, 0);
	void **pages = fixture_array(test, MANY), *block[4], *other;
	u32 i, others;

	for (i = 0; i < 4; i++) {
		block[i] = myalloc_pages_alloc(zone, 2, MYALLOC_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, block[i]);
		memset(block[i], 0x11, 4 * PAGE_SIZE);
	}
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 2);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->best_effort, 2);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 8);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(zone, 2, MYALLOC_LENDABLE));
	others = take_all(fx, pages);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(zone, 2, 0));
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 4);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->best_effort, 2);
	FIXTURE_EXPECT_VALID(fx);

	/* Other users' blocks are not freed, nor a block with a wrong order. */
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, pages[0], 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, block[3], 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, block[3] + PAGE_SIZE, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, &i, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, block[0], 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, block[1], 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), -EBUSY);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "contract frob cannot end: 8 pages beyond it are in use");
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, block[2], 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, block[3]), 0);
	give_all(fx, pages, others);
	for (i = 0; i < 2; i++)
		block[i] = myalloc_pages_alloc(zone, 2, 0);
	other = myalloc_pages_alloc_exact(zone, 4, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(zone, other, 3), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(zone, other, 4), 0);
	other = myalloc_pages_alloc_exact(zone, 4, 0, 0);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, MYALLOC_CONTRACT_RELEASE), 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* All owner numbers of the zone are in use. */
static void contract_owners(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(8, 1);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_contract *c;

	fx->zone->owners = ~0ULL;
	c = myalloc_contract_create(fx->zone, "c", &line, 1, MYALLOC_CONTRACT_BEST_EFFORT, plan);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(c), -EMFILE);
	fx->zone->owners = 0;
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* Quarantined and deferred pages are live. */
static void contract_not_back(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(3, 1);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_zone *zone = myalloc_contract_zone(c, 0);
	void *lent = myalloc_pages_alloc(zone, 0, MYALLOC_LENDABLE), *page[3], *again;
	unsigned long lock_irq, irq;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, lent);
	fixture_set_referenced(lent, true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, lent, 0), 0);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 1);
	for (i = 0; i < 2; i++)
		page[i] = myalloc_pages_alloc(zone, 0, 0);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(zone, 0, MYALLOC_MAY_WAIT));
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, MYALLOC_CONTRACT_RELEASE), -EBUSY);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 1);
	for (i = 0; i < 2; i++)
		page[i] = myalloc_pages_alloc(zone, 0, 0);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(zone, 0, 0));
	/* Once unreferenced, it is not live for the next request, even if that may not wait. */
	fixture_set_referenced(lent, false);
	page[2] = myalloc_pages_alloc(zone, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, page[2]);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[2], 0), 0);
	lent = myalloc_pages_alloc(zone, 0, MYALLOC_LENDABLE);
	KUNIT_ASSERT_NOT_NULL(test, lent);
	fixture_set_referenced(lent, true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, lent, 0), 0);
	fixture_set_referenced(lent, false);
	page[2] = myalloc_pages_alloc(zone, 0, MYALLOC_MAY_WAIT);
	KUNIT_ASSERT_NOT_NULL(test, page[2]);

	raw_spin_lock_irqsave(&zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	again = myalloc_pages_alloc(zone, 0, 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[i], 0), 0);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&zone->lock, lock_irq);
	KUNIT_EXPECT_NULL(test, again);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 3);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->nmi_misses, 0);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 3);
	/* An allocation completes some deferred frees first. */
	page[0] = myalloc_pages_alloc(zone, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, page[0]);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 2);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[0], 0), 0);
	myalloc_zone_drain(zone);
	expect_end(fx, c);
}

/* Bad memory counts as live, so more than M pages may be live. */
static void contract_bad_page(struct kunit *test)
{
	struct myalloc_contract_line line = pages_line(3, 1);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c;
	struct myalloc_zone *zone;
	void *page[3], *bad;
	u32 i;

	if (!fixture_set_bad(NULL, false))
		kunit_skip(test, "no page can be made bad here");
	line.nmi = 1;
	c = contract_of(fx, &line, 1, 0);
	zone = myalloc_contract_zone(c, 0);
	for (i = 0; i < 3; i++)
		page[i] = myalloc_pages_alloc(zone, 0, 0);
	bad = myalloc_frame_addr(zone, zone->buddy.nr_frames - 1);
	fixture_set_bad(bad, true);
	myalloc_zone_drain(zone);
	KUNIT_EXPECT_EQ(test, atomic64_read(&zone->nr_bad), 1);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 4);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->peak, 3);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[2], 0), 0);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(zone, 0, 0));
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(zone, 0, 2, page), 2);
	FIXTURE_EXPECT_VALID(fx);
	fixture_set_bad(bad, false);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), 0);
}

/* With a page less than planned, a request within fails, is counted, and is reported once. */
static void contract_one_less(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(12, 0x1);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, MYALLOC_CONTRACT_SHORT);
	struct myalloc_zone *zone = myalloc_contract_zone(c, 0);
	void *block[12];
	u32 i;

	for (i = 0; i < 11; i++)
		block[i] = myalloc_pages_alloc(zone, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, block[10]);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(zone, 0, 0));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(zone, 1, 0, MYALLOC_MAY_WAIT));
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->failed_within, 2);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 0);
	myalloc_zone_last_report(zone, fx->text, sizeof(fx->text));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(fx->text, "request for 1 page from "), "%s",
				  fx->text);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(fx->text, "failed within the contract: this is a"),
				  "%s", fx->text);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(zone, 0, 11, block), 11);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static struct {
	struct fixture *fx;
	void **pages;
	u32 nr;
	u32 races;
} racer;

/* Another user takes all pages, and frees them when the contract gives up its own. */
static void race(const char *where)
{
	if (!strcmp(where, "contract-take") && racer.races && !racer.nr) {
		racer.races--;
		racer.nr = take_all(racer.fx, racer.pages);
	} else if (!strcmp(where, "contract-short")) {
		give_all(racer.fx, racer.pages, racer.nr);
		racer.nr = 0;
	}
}

/* A creator refused because of pages that another one returned at once retries, once. */
static void contract_race(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(64, 0x1);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_contract *c;
	u32 races;

	racer.fx = fx;
	racer.pages = fixture_array(test, MANY);
	for (races = 1; races <= 2; races++) {
		racer.races = races;
		racer.nr = 0;
		if (!fixture_set_hook(race))
			kunit_skip(test, "without points");
		c = myalloc_contract_create(fx->zone, "frob", &line, 1, 0, plan);
		fixture_set_hook(NULL);
		KUNIT_EXPECT_EQ(test, racer.races, 0);
		KUNIT_EXPECT_EQ(test, racer.nr, 0);
		if (races == 1) {
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
			expect_end(fx, c);
		} else {
			KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(c), -ENOSPC);
		}
	}
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* Random requests within two contracts, while others take all free memory. */
static void contract_random(struct kunit *test)
{
	static const u32 sizes[] = { 1, 2, 3, 5, 8, 13, 21 };
	const struct myalloc_contract_line lines[] = {
		pages_line(50, 0x1f), objects_line(100, 300, 0),
		{ .kind = MYALLOC_CONTRACT_EXTENTS, .pages = 60, .sizes = sizes, .nr_sizes = 7 },
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, lines, 3, 0);
	struct { void *addr; u32 nr; } *held = fixture_zalloc(test, 256 * sizeof(*held));
	struct myalloc_random random;
	void **pages = fixture_array(test, MANY);
	u32 others, live[3] = { 0 }, nr = 0, round, i;

	fixture_random(test, &random);
	others = take_all(fx, pages);
	for (round = 0; round < (fixture_thorough() ? 20000 : 3000); round++) {
		u32 line = myalloc_random_below(&random, 3), want = 1;

		if (line == 0)
			want = BIT(myalloc_random_below(&random, 5));
		else if (line == 2)
			want = sizes[myalloc_random_below(&random, 7)];
		if (nr < 250 && live[line] + want <= (line == 1 ? 100 : lines[line].pages)) {
			held[nr].addr = line == 1 ?
				myalloc_cache_alloc(myalloc_contract_cache(c, 1), 0) :
				line ? myalloc_pages_alloc_exact(myalloc_contract_zone(c, 2), want,
								 0, 0) :
				myalloc_pages_alloc(myalloc_contract_zone(c, 0), fls(want) - 1, 0);
			KUNIT_ASSERT_NOT_NULL_MSG(test, held[nr].addr, "line %u, %u", line, want);
			held[nr++].nr = line << 16 | want;
			live[line] += want;
			continue;
		}
		i = myalloc_random_below(&random, nr);
		live[held[i].nr >> 16] -= held[i].nr & 0xffff;
		KUNIT_ASSERT_EQ(test, myalloc_free(fx->zone, held[i].addr), 0);
		held[i] = held[--nr];
	}
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, live[0]);
	KUNIT_EXPECT_EQ(test, line_stats(c, 1)->live, live[1]);
	KUNIT_EXPECT_EQ(test, line_stats(c, 2)->live, live[2]);
	FIXTURE_EXPECT_VALID(fx);
	while (nr)
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, held[--nr].addr), 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, line_stats(c, i)->beyond, 0);
	give_all(fx, pages, others);
	expect_end(fx, c);
}

static struct kunit_case contract_cases[] = {
	KUNIT_CASE(contract_pages),
	KUNIT_CASE(contract_sites),
	KUNIT_CASE(contract_refuses_pages),
	KUNIT_CASE(contract_refuses_extents),
	KUNIT_CASE(contract_refuses_objects),
	KUNIT_CASE(contract_wrong_frees),
	KUNIT_CASE(contract_best_effort),
	KUNIT_CASE(contract_owners),
	KUNIT_CASE(contract_not_back),
	KUNIT_CASE(contract_bad_page),
	KUNIT_CASE(contract_one_less),
	KUNIT_CASE(contract_race),
	KUNIT_CASE(contract_random),
	{}
};

static struct kunit_suite contract_suite = {
	.name = "myalloc_contract",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = contract_cases,
};

kunit_test_suite(contract_suite);
