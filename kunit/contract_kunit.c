// SPDX-License-Identifier: GPL-2.0
/* Tests of contracts: what they promise and refuse, their end. */
#include "env.h"

#include <kunit/test.h>

#include "client/client.h"
#include "client/plan.h"
#include "client/sites.h"
#include "client/within.h"
#include "contract_fixture.h"
#include "object/upkeep.h"
#include "page/drain.h"
#include "page/extent.h"
#include "page/lend.h"

/* --- pages ---------------------------------------------------------------------------------- */

static noinline void *alloc_beyond(struct myalloc_zone *zone)
{
	void *addr = myalloc_pages_alloc(zone, 0, 0);

	barrier();
	return addr;
}

/* M is served whatever others do, and not more; by address of the parent, too. */
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

/* Where requests beyond come from: the first few places, and all others. */
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

/* Expect that the last call was refused for that reason, and counted as number @nr. */
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
	/* In pieces. */
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

/* A wrong free of a page of a contract, by its parent. */
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

/* Beyond M the parent serves, by flag, as long as it has something. */
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

	/* Of others nothing is freed, nor as another order. */
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

/* Each of a zone's owners of extents is taken. */
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

/* --- contracts of clients ------------------------------------------------------------------- */

/* A call site: neither inlined nor cloned, nor does it end with the call. */
static noinline __noclone struct myalloc_contract *
contract_for(struct kunit *test, struct myalloc_client *client,
	     const struct myalloc_contract_line *lines, u32 nr, unsigned int flags)
{
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_contract *c;

	c = myalloc_client_contract_create(client, "frob", lines, nr, flags, plan);
	barrier();
	return c;
}

static struct myalloc_client *client_of(struct fixture *fx, const struct myalloc_client_args *args)
{
	struct myalloc_client *client = myalloc_client_create(fx->zone, args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, client);
	return client;
}

/* I1 */
static void expect_counted(struct kunit *test, struct myalloc_client *client, u64 pages)
{
	struct myalloc_client_extents *extents = fixture_zalloc(test, sizeof(*extents));
	struct myalloc_client_stats *stats = fixture_zalloc(test, sizeof(*stats));

	myalloc_client_extents(client->zone, extents);
	myalloc_client_stats(client, extents, stats);
	KUNIT_EXPECT_EQ(test, stats->pages, pages);
	KUNIT_EXPECT_EQ(test, stats->pages, stats->slab_pages + stats->extent_pages +
			stats->front_pages + stats->below_pages);
}

static const struct myalloc_site *site_of(const struct myalloc_sites *sites, const char *what)
{
	u32 i;

	for (i = 0; i < sites->nr; i++)
		if (!strcmp(sites->site[i].what, what))
			return &sites->site[i];
	return NULL;
}

static void expect_site(struct kunit *test, const struct myalloc_sites *sites, const char *what,
			u64 count, u64 bytes, const void *caller)
{
	const struct myalloc_site *site = site_of(sites, what);

	KUNIT_ASSERT_NOT_NULL(test, site);
	KUNIT_EXPECT_EQ(test, site->count, count);
	KUNIT_EXPECT_EQ(test, site->bytes, bytes);
	if (caller)
		KUNIT_EXPECT_TRUE(test, fixture_called_by(site->caller, caller));
	else
		KUNIT_EXPECT_EQ(test, site->caller, 0);
}

/* What a contract has set aside counts for its client, and no more than its quota is taken. */
static void contract_client(struct kunit *test)
{
	const struct myalloc_contract_line lines[2] = { pages_line(16, 1),
							objects_line(40, 100, 0) };
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_client *top = client_of(fx, &(struct myalloc_client_args){
		.name = "top", .hard_pages = 40 });
	struct myalloc_client *client = client_of(fx, &(struct myalloc_client_args){
		.name = "frob", .parent = top });
	struct myalloc_contract *c = contract_for(test, client, lines, 2,
						  MYALLOC_CONTRACT_BEST_EFFORT);
	void *pages[20];
	u32 i, pages_of;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	pages_of = c->pages;
	KUNIT_EXPECT_EQ(test, pages_of, c->part[0].plan.set_aside + c->part[1].plan.set_aside);
	expect_counted(test, client, pages_of);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = myalloc_pages_alloc(myalloc_contract_zone(c, 0), 0, 0);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
	}
	/* What the parent has served in addition. */
	expect_counted(test, client, pages_of + 4);
	expect_counted(test, top, pages_of + 4);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), -EBUSY);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, pages[i]), 0);
	expect_counted(test, client, pages_of);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), 0);
	expect_counted(test, client, 0);

	/* Without room in the quota of any of them, nothing is taken. */
	c = contract_for(test, client, (struct myalloc_contract_line[]){ pages_line(41, 1) }, 1, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(c), -EDQUOT);
	expect_counted(test, top, 0);
	c = contract_for(test, client, (struct myalloc_contract_line[]){ pages_line(40, 1) }, 1, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(top, 0), 0);
	/* If the zone refuses it, nothing counts either. */
	client = client_of(fx, &(struct myalloc_client_args){ .name = "frob" });
	c = contract_for(test, client, (struct myalloc_contract_line[]){ pages_line(2000, 1) }, 1,
			 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(c), -ENOSPC);
	expect_counted(test, client, 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static noinline __noclone void *pages_here(struct myalloc_zone *zone, unsigned int order)
{
	void *addr = myalloc_pages_alloc(zone, order, 0);

	barrier();
	return addr;
}

/* What is in use within a contract has a call site, and belongs to the client of the contract. */
static void contract_within(struct kunit *test)
{
	const struct myalloc_contract_line lines[3] = {
		pages_line(160, 0x5), objects_line(40, 100, MYALLOC_OWNER),
		objects_line(40, 64, MYALLOC_TRUSTING),
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_client *client = client_of(fx, &(struct myalloc_client_args){
		.name = "frob" });
	struct myalloc_contract *c = contract_for(test, client, lines, 3, 0);
	struct myalloc_sites sites;
	void *block[100], *object[7], *addr;
	struct myalloc_zone *zone;
	u32 i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	zone = myalloc_contract_zone(c, 0);
	/* More than one part of the walk. */
	for (i = 0; i < ARRAY_SIZE(block); i++)
		block[i] = pages_here(zone, i % 50 ? 0 : 2);
	for (i = 0; i < ARRAY_SIZE(object); i++)
		object[i] = i < 5 ? alloc_here(myalloc_contract_cache(c, 1), 0) :
				    myalloc_cache_alloc(myalloc_contract_cache(c, 2), 0);
	/* A magazine of the trusting cache has one more. */
	addr = myalloc_cache_alloc(myalloc_contract_cache(c, 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, addr), 0);
	KUNIT_ASSERT_EQ(test, myalloc_sites_collect(&sites, fx->zone, client, 0), 0);
	expect_site(test, &sites, "within frob.0", 100, 106 * PAGE_SIZE, pages_here);
	expect_site(test, &sites, "within frob.1", 5, 5 * 100, alloc_here);
	expect_site(test, &sites, "within frob.2", 2, 2 * 64, NULL);
	expect_site(test, &sites, "contract frob.0", c->part[0].nr_blocks,
		    c->part[0].plan.set_aside * PAGE_SIZE, contract_for);
	KUNIT_EXPECT_NOT_NULL(test, site_of(&sites, "contract frob.1"));
	KUNIT_EXPECT_EQ(test, sites.nr, 6);
	myalloc_sites_free(&sites);
	KUNIT_ASSERT_EQ(test, myalloc_sites_collect(&sites, fx->zone, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, sites.nr, 6);
	myalloc_sites_free(&sites);
	/* Nothing of it is without a client. */
	KUNIT_ASSERT_EQ(test, myalloc_sites_collect(&sites, fx->zone, &myalloc_no_client, 0), 0);
	KUNIT_EXPECT_EQ(test, sites.nr, 0);
	myalloc_sites_free(&sites);
	for (i = 0; i < ARRAY_SIZE(object); i++)
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, object[i]), 0);
	for (i = 0; i < ARRAY_SIZE(block); i++)
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, block[i]), 0);
	expect_end(fx, c);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), 0);
}

/* A contract ends between two parts of the walk, or is replaced by a smaller one. */
static struct {
	struct kunit *test;
	struct myalloc_contract *c;
	struct fixture *fx;
	u32 seen;
	bool replace;
} passing;

static void end_between(const char *where)
{
	struct myalloc_contract *c = passing.c;

	if (strcmp(where, "within-part") || !c)
		return;
	passing.c = NULL;
	KUNIT_EXPECT_EQ(passing.test, myalloc_contract_end(c, MYALLOC_CONTRACT_RELEASE), 0);
	if (passing.replace)
		passing.c = contract_of(passing.fx, (struct myalloc_contract_line[]){
			pages_line(4, 1) }, 1, 0);
}

static bool see_block(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame,
		      void *arg)
{
	passing.seen++;
	return true;
}

static void contract_within_end(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(200, 1);
	const struct myalloc_within within = { .block = see_block };
	struct fixture *fx = zone_of(test, 0);
	u32 i, replace;

	for (replace = 0; replace < 2; replace++) {
		passing.test = test;
		passing.fx = fx;
		passing.seen = 0;
		passing.replace = replace;
		passing.c = contract_of(fx, &line, 1, 0);
		for (i = 0; i < 200; i++)
			pages_here(myalloc_contract_zone(passing.c, 0), 0);
		if (!fixture_set_hook(end_between)) {
			KUNIT_EXPECT_EQ(test, myalloc_contract_end(passing.c,
								   MYALLOC_CONTRACT_RELEASE), 0);
			kunit_skip(test, "without points");
		}
		myalloc_within_walk(fx->zone, &within);
		fixture_set_hook(NULL);
		KUNIT_EXPECT_EQ(test, passing.seen, 64);
		KUNIT_EXPECT_EQ(test, myalloc_contract_end(passing.c, 0), 0);
	}
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static void see_object(struct myalloc_cache *cache, void *object, const struct myalloc_track *track,
		       void *arg)
{
	passing.seen++;
}

static u32 seen_by(struct fixture *fx, const struct myalloc_within *within)
{
	passing.seen = 0;
	myalloc_within_walk(fx->zone, within);
	return passing.seen;
}

static void expect_name(struct fixture *fx, u32 id, const char *name)
{
	char is[MYALLOC_CONTRACT_NAME + 4];

	myalloc_within_name(fx->zone, id, is, sizeof(is));
	KUNIT_EXPECT_STREQ(fx->test, is, name);
}

/* Names of lines; lines of one kind; a line under construction, of which nothing is listed. */
static void contract_within_lines(struct kunit *test)
{
	const struct myalloc_contract_line lines[2] = { pages_line(8, 1),
							objects_line(40, 100, 0) };
	struct fixture *fx = zone_of(test, MYALLOC_OWNER);
	const struct myalloc_site *site;
	struct myalloc_zone *zone;
	struct myalloc_contract *c;
	struct myalloc_sites sites;
	void *page, *object;

	expect_name(fx, 0, "-");
	c = contract_of(fx, lines, 2, 0);
	expect_name(fx, 0, "frob.0");
	expect_name(fx, 1, "frob.1");
	expect_name(fx, 2, "-");
	zone = myalloc_contract_zone(c, 0);
	page = myalloc_pages_alloc(zone, 0, 0);
	object = myalloc_cache_alloc(myalloc_contract_cache(c, 1), 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_NOT_NULL(test, object);
	KUNIT_EXPECT_EQ(test, seen_by(fx, &(struct myalloc_within){ .block = see_block }), 1);
	KUNIT_EXPECT_EQ(test, seen_by(fx, &(struct myalloc_within){ .object = see_object }), 1);
	KUNIT_ASSERT_EQ(test, myalloc_sites_collect(&sites, fx->zone, NULL, 0), 0);
	site = site_of(&sites, "within frob.0");
	KUNIT_ASSERT_NOT_NULL(test, site);
	KUNIT_EXPECT_EQ(test, site->stack, myalloc_map_frame(&zone->map, page)->stack);
	KUNIT_EXPECT_EQ(test, sites.nr, 4);
	myalloc_sites_free(&sites);

	WRITE_ONCE(fx->zone->children->zone[0], ERR_PTR(-EAGAIN));
	expect_name(fx, 0, "-");
	KUNIT_ASSERT_EQ(test, myalloc_sites_collect(&sites, fx->zone, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, sites.nr, 2);
	KUNIT_EXPECT_NULL(test, site_of(&sites, "within frob.0"));
	KUNIT_EXPECT_NULL(test, site_of(&sites, "contract frob.0"));
	myalloc_sites_free(&sites);
	WRITE_ONCE(fx->zone->children->zone[0], zone);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, page), 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, object), 0);
	expect_end(fx, c);
}

/* The release of a client ends its contracts, with all that is in use within and beyond them. */
static void contract_client_release(struct kunit *test)
{
	const struct myalloc_contract_line lines[2] = { pages_line(8, 1),
							objects_line(40, 100, 0) };
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_client *client;
	struct myalloc_contract *c;
	struct myalloc_zone *zone;
	void *page[10], *object;
	u32 i, poison;

	for (poison = 0; poison < 2; poison++) {
		client = client_of(fx, &(struct myalloc_client_args){ .name = "frob" });
		c = contract_for(test, client, lines, 2, MYALLOC_CONTRACT_BEST_EFFORT);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
		zone = myalloc_contract_zone(c, 0);
		for (i = 0; i < ARRAY_SIZE(page); i++) {
			page[i] = myalloc_pages_alloc(zone, 0, i ? 0 : MYALLOC_LENDABLE);
			KUNIT_ASSERT_NOT_NULL(test, page[i]);
			memset(page[i], 0x11, PAGE_SIZE);
		}
		object = myalloc_cache_alloc(myalloc_contract_cache(c, 1), MYALLOC_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, object);
		/* Lent to the kernel, it cannot end. */
		fixture_set_referenced(page[0], true);
		KUNIT_EXPECT_EQ(test, myalloc_client_end(client, MYALLOC_RELEASE_ALL |
					(poison ? MYALLOC_RELEASE_POISON : 0)), -EBUSY);
		for (i = 1; i < ARRAY_SIZE(page); i++)
			KUNIT_EXPECT_EQ(test, fixture_byte(page[i]),
					poison ? MYALLOC_POISON_FREE : 0x11);
		KUNIT_EXPECT_EQ(test, fixture_byte(page[0]), 0x11);
		KUNIT_EXPECT_EQ(test, fixture_byte(object), poison ? MYALLOC_POISON_FREE : 0);
		fixture_set_referenced(page[0], false);
		KUNIT_EXPECT_EQ(test, myalloc_client_end(client, MYALLOC_RELEASE_ALL), 0);
		myalloc_zone_drain(fx->zone);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	}
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
	/* No longer lent, it is not live for the next request, also of one that may not wait. */
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
	/* An allocation completes some of them first. */
	page[0] = myalloc_pages_alloc(zone, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, page[0]);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, 2);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[0], 0), 0);
	myalloc_zone_drain(zone);
	expect_end(fx, c);
}

/* Bad memory is live, and may make more than M pages so. */
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

/* With a page less than planned, a request within fails: it is counted, and reported once. */
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

/* Somebody else takes all pages, and gives them back when the contract gives up its own. */
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

/* Who was refused because of what another creator gave back at once tries again, once. */
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

/* --- objects -------------------------------------------------------------------------------- */

/* K objects for each CPU in turn, while the magazines of all others are full. */
static void promise(struct kunit *test, u32 size, u32 count, myalloc_cache_flags_t flags)
{
	const struct myalloc_contract_line line = objects_line(count, size, flags);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_cache *cache = myalloc_contract_cache(c, 0);
	void **objects = fixture_array(test, MANY), **pages = fixture_array(test, MANY);
	struct work w = { .cache = cache, .objects = objects };
	u32 others = take_all(fx, pages), slots, each = 2 * cache->mags.capacity, cpu;
	struct myalloc_contract_stats *stats;

	slots = c->part[0].plan.slabs * c->part[0].plan.objects;
	KUNIT_EXPECT_EQ(test, each * num_possible_cpus(), c->part[0].plan.held);
	for (cpu = 0; cpu < fixture_nr_cpus(); cpu++) {
		u32 k;

		for (k = 0; k < fixture_nr_cpus(); k++) {
			w.nr = each;
			alloc_work(&w);
			myalloc_cache_drain(cache);
			fixture_on_cpu(k, free_work, &w);
		}
		w.nr = count;
		fixture_on_cpu(cpu, alloc_work, &w);
		KUNIT_ASSERT_EQ_MSG(test, w.done, count, "size %u, CPU %u", size, cpu);
		KUNIT_EXPECT_EQ(test, line_stats(c, 0)->live, count);
		fixture_on_cpu(cpu + 1, free_work, &w);
		KUNIT_ASSERT_EQ(test, w.done, count);
	}
	/* Beyond the slots nothing; all slabs stay, whoever wants memory. */
	myalloc_cache_drain(cache);
	w.nr = slots + 1;
	alloc_work(&w);
	stats = line_stats(c, 0);
	KUNIT_EXPECT_EQ(test, w.done, slots);
	KUNIT_EXPECT_EQ(test, stats->kind, MYALLOC_CONTRACT_OBJECTS);
	KUNIT_EXPECT_EQ(test, stats->declared, count);
	KUNIT_EXPECT_EQ(test, stats->live, slots);
	KUNIT_EXPECT_EQ(test, stats->beyond, 1);
	KUNIT_EXPECT_EQ(test, stats->sites[0].count, 1);
	KUNIT_EXPECT_GE(test, stats->peak, count);
	KUNIT_EXPECT_EQ(test, stats->failed_within, 0);
	w.nr = slots;
	free_work(&w);
	KUNIT_EXPECT_EQ(test, myalloc_cache_shrink(cache), 0);
	myalloc_zone_drain(c->part[0].zone);
	KUNIT_EXPECT_EQ(test, myalloc_cache_slabs(cache), c->part[0].plan.slabs);
	objects[0] = myalloc_cache_alloc(cache, 0);
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(fx->zone, objects[0]), size);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, objects[0]), 0);
	give_all(fx, pages, others);
	expect_end(fx, c);
	fixture_end(fx);
	kunit_kfree(test, objects);
	kunit_kfree(test, pages);
}

static void contract_objects(struct kunit *test)
{
	u32 eighth = 8 * num_possible_cpus();

	promise(test, 64, 1, 0);
	promise(test, 64, eighth - 1, 0);
	promise(test, 64, eighth, 0);
	promise(test, 200, 5 * eighth, 0);
	promise(test, 1000, 300, MYALLOC_TRUSTING);
	promise(test, 100, 300, MYALLOC_CERTAIN | MYALLOC_RANDOM);
	promise(test, 100, 300, MYALLOC_CHECKS);
	promise(test, 5000, 30, MYALLOC_ZERO_FREE);
	promise(test, MYALLOC_MAX_OBJECT, 3, 0);
}

/* A slab or slot that is missing is noticed by the first request that finds no slot. */
static void contract_slots(struct kunit *test)
{
	const struct myalloc_contract_line line = objects_line(300, 500, MYALLOC_NO_MAGAZINE);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	u32 slots = c->part[0].plan.slabs * c->part[0].plan.objects;
	struct work w = {
		.cache = myalloc_contract_cache(c, 0),
		.objects = fixture_array(test, MANY),
		.nr = slots,
	};

	alloc_work(&w);
	KUNIT_ASSERT_EQ(test, w.done, slots);
	c->part[0].declared = slots + 1;
	KUNIT_EXPECT_NULL(test, myalloc_cache_alloc(w.cache, 0));
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->failed_within, 1);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 0);
	c->part[0].declared = 300;
	/* Freed are all but K, and then one more, and their slots are lost. */
	KUNIT_ASSERT_GE(test, slots, 300);
	w.cache->frees += slots - 300;
	KUNIT_EXPECT_NULL(test, myalloc_cache_alloc(w.cache, 0));
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->failed_within, 1);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 1);
	w.cache->frees++;
	KUNIT_EXPECT_NULL(test, myalloc_cache_alloc(w.cache, 0));
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->failed_within, 2);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 1);
	/* Damage that was found voids the contract. */
	atomic64_inc(&w.cache->corruptions);
	KUNIT_EXPECT_NULL(test, myalloc_cache_alloc(w.cache, 0));
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->failed_within, 2);
	KUNIT_EXPECT_EQ(test, line_stats(c, 0)->beyond, 2);
	atomic64_dec(&w.cache->corruptions);
	w.cache->frees -= slots - 299;
	free_work(&w);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* The magazines are those of the plan: larger ones would hold more than its slabs have for them. */
static void contract_magazines(struct kunit *test)
{
	const struct myalloc_contract_line line = objects_line(300, 64, 0);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_cache *cache = myalloc_contract_cache(c, 0);
	u32 capacity = cache->mags.capacity;

	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_cache_resize(cache, capacity + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_cache_resize(cache, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_log_count("its magazines stay as the contract was planned"),
			2);
	KUNIT_EXPECT_EQ(test, cache->mags.capacity, capacity);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_ASSERT_EQ(test, myalloc_cache_fix_magazines(cache, capacity + 1), 0);
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(fx->v.first, "J3: frob.0: magazines "), "%s",
				  fx->v.first);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), -EBUSY);
	KUNIT_ASSERT_EQ(test, myalloc_cache_fix_magazines(cache, capacity), 0);
	cache->mags.depot++;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(fx->v.first, "J3: frob.0: magazines "), "%s",
				  fx->v.first);
	cache->mags.depot--;
	expect_end(fx, c);
}

/* --- end, validation, faults ---------------------------------------------------------------- */

/* A ring has pages of a contract, and must end first. */
static void expect_busy_ring(struct fixture *fx, struct myalloc_contract *c)
{
	const struct myalloc_ring_args args = {
		.name = "r", .size = 4 * PAGE_SIZE, .mode = MYALLOC_RING_MANY,
	};
	struct myalloc_zone *zone = myalloc_contract_zone(c, 0);
	struct myalloc_ring *ring = myalloc_ring_create(zone, &args);

	if (IS_ERR(ring))	/* pages cannot be mapped twice here */
		return;
	KUNIT_EXPECT_EQ(fx->test, myalloc_contract_end(c, MYALLOC_CONTRACT_RELEASE), -EBUSY);
	myalloc_zone_last_report(zone, fx->text, sizeof(fx->text));
	KUNIT_EXPECT_NOT_NULL_MSG(fx->test, strstr(fx->text, "cannot end: ring r still exists"),
				  "%s", fx->text);
	KUNIT_EXPECT_EQ(fx->test, myalloc_ring_destroy(ring), 0);
}

static void contract_busy(struct kunit *test)
{
	static const u32 sizes[] = { 3 };
	const struct myalloc_contract_line lines[] = {
		pages_line(64, 0x5), objects_line(30, 100, 0),
		{ .kind = MYALLOC_CONTRACT_EXTENTS, .pages = 9, .sizes = sizes, .nr_sizes = 1 },
		objects_line(30, 100, MYALLOC_TRUSTING),
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, lines, 4, 0);
	struct myalloc_zone *zone = myalloc_contract_zone(c, 0);
	void *page = myalloc_pages_alloc(zone, 2, 0);

	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "cannot be destroyed: contract frob still exists");
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), -EBUSY);
	myalloc_zone_last_report(zone, fx->text, sizeof(fx->text));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(fx->text, "4 pages in use, first: frame 0, "), "%s",
				  fx->text);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page, 2), 0);
	KUNIT_EXPECT_NOT_NULL(test, myalloc_cache_alloc(myalloc_contract_cache(c, 1), 0));
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, myalloc_cache_alloc(myalloc_contract_cache(c, 1), 0));
	KUNIT_EXPECT_NOT_NULL(test, myalloc_cache_alloc(myalloc_contract_cache(c, 3), 0));
	KUNIT_EXPECT_NOT_NULL(test, myalloc_pages_alloc(zone, 2, 0));
	KUNIT_EXPECT_NOT_NULL(test, myalloc_pages_alloc(zone, 0, 0));
	page = myalloc_pages_alloc_exact(myalloc_contract_zone(c, 2), 3, 0, 0);
	KUNIT_EXPECT_NOT_NULL(test, page);
	expect_busy_ring(fx, c);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, MYALLOC_CONTRACT_RELEASE), 0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* Expect that validation finds this, and nothing once it is as before. */
#define DAMAGE(fx, what, value, text)						\
	do {									\
		struct fixture *__fx = (fx);					\
		typeof(what) *__what = &(what), __was = *__what;		\
										\
		*__what = (value);						\
		KUNIT_EXPECT_FALSE(__fx->test, fixture_valid(__fx));		\
		KUNIT_EXPECT_NOT_NULL_MSG(__fx->test, strstr(__fx->v.first, text), \
					  "%s", __fx->v.first);			\
		*__what = __was;						\
		FIXTURE_EXPECT_VALID(__fx);					\
	} while (0)

static struct myalloc_contract *hooked;
static unsigned int hooked_calls;

static void hook_refill(const char *where)
{
	if (!strcmp(where, "contract-stacks"))
		atomic64_inc(&hooked->part[0].limit.refills);
}

/* An NMI handler that ends after the first look. */
static void hook_nmi(const char *where)
{
	if (!strcmp(where, "contract-count"))
		atomic64_inc(&hooked->part[0].limit.nmi_misses);
}

/* An interrupt that is under way the first time, and has ended the second time. */
static void hook_under_way(const char *where)
{
	if (!strcmp(where, "contract-stacks") && ++hooked_calls == 2)
		atomic64_dec(&hooked->part[0].limit.kept);
}

static void contract_validate(struct kunit *test)
{
	struct myalloc_contract_line lines[] = {
		pages_line(64, 0x4), objects_line(30, 100, 0),
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_frame *frames = fx->zone->frames;
	struct myalloc_contract_part *part;
	struct myalloc_contract *c;
	unsigned long kept;

	lines[0].nmi = 2;
	lines[1].nmi = 2;
	c = contract_of(fx, lines, 2, 0);
	part = c->part;
	KUNIT_ASSERT_EQ(test, frames[0].type, MYALLOC_FRAME_CONTRACT);
	DAMAGE(fx, frames[0].cache, 1023, "Z1: frame 0: a chunk of child 1023, which does");
	DAMAGE(fx, frames[0].cache, 1024, "Z1: frame 0: a chunk of child 1024, which does");
	DAMAGE(fx, frames[0].cache, frames[0].cache ^ 1,
	       "J1: frob.0: chunk 0 is not one of its blocks");
	DAMAGE(fx, part[0].blocks[1], part[0].blocks[0],
	       "J1: frob.0: chunk 1 is not one of its blocks");
	DAMAGE(fx, part[0].blocks[1], NULL, "J1: frob.0: chunk 1 is not one of its blocks");
	DAMAGE(fx, fx->zone->children->zone[part[0].id], part[1].zone,
	       "J1: frob.0: child 0 of its parent is another zone");
	DAMAGE(fx, part[0].limit.peak, 65, "J2: frob.0: 65 pages were live of 64");
	DAMAGE(fx, part[0].limit.count.counter, 65, "J2: frob.0: 65 pages were live of 64");
	DAMAGE(fx, part[0].limit.count.counter, 4, "J6: frob.0: counted are 4 pages taken, 0 ");
	DAMAGE(fx, part[0].limit.count.counter, 4ULL << 32,
	       "J6: frob.0: counted are 0 pages taken, 4 waiting, not 0 and 0");
	DAMAGE(fx, part[0].limit.highest_end, part[0].plan.needed + 1, "J2: frob.0: ");
	DAMAGE(fx, part[1].plan.slabs, part[1].plan.slabs - 1, "J5: frob.1: ");
	DAMAGE(fx, part[1].cache->set_aside, part[1].plan.slabs - 1, "J3: frob.1: ");
	kept = part[0].limit.stack[0];
	DAMAGE(fx, part[0].limit.stack[0], 0, "J4: frob.0: ");
	DAMAGE(fx, part[0].zone->frames[kept - 1].type, MYALLOC_FRAME_PAGE, "J4: frob.0: ");
	DAMAGE(fx, part[0].limit.stack[0], 1ul << 40, "J4: frob.0: ");
	kept = part[1].limit.stack[0];
	DAMAGE(fx, part[1].limit.stack[0], kept + 1, "J4: frob.1: ");
	DAMAGE(fx, *myalloc_object_state(part[1].cache, (void *)kept), MYALLOC_SLOT_LIVE,
	       "J4: frob.1: ");
	kept = part[0].limit.stack[0];
	DAMAGE(fx, part[0].zone->limit, &part[1].limit, "J5: frob.0: ");
	DAMAGE(fx, part[0].zone->buddy.nr_free, 0, "J6: frob.0: ");
	DAMAGE(fx, part[0].zone->nr_bad.counter, 1, "P1: ");
	hooked = c;
	/* Not while an NMI handler is in between. */
	if (fixture_set_hook(hook_nmi)) {
		atomic64_inc(&part[0].limit.count);
		FIXTURE_EXPECT_VALID(fx);
		atomic64_dec(&part[0].limit.count);
	}
	/* Not while somebody fills it. */
	part[0].limit.stack[0] = 0;
	if (fixture_set_hook(hook_refill))
		FIXTURE_EXPECT_VALID(fx);
	hooked_calls = 0;
	if (fixture_set_hook(hook_under_way)) {
		FIXTURE_EXPECT_VALID(fx);
		atomic64_inc(&part[0].limit.kept);
	}
	fixture_set_hook(NULL);
	part[0].limit.stack[0] = kept;
	expect_end(fx, c);
}

/* Each allocation of metadata fails once. */
static void contract_fault(struct kunit *test)
{
	const u32 sizes[] = { 3 };
	struct myalloc_contract_line lines[] = {
		pages_line(64, 0x4), objects_line(2000, 16, 0),
		{ .kind = MYALLOC_CONTRACT_EXTENTS, .pages = 9, .sizes = sizes, .nr_sizes = 1 },
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_contract *c;
	unsigned long k;

	lines[0].nmi = 2;
	lines[1].nmi = 2;
	for (k = 1; fixture_fail_after(k); k++) {
		c = myalloc_contract_create(fx->zone, "c", lines, 3, 0, plan);
		if (!fixture_fail_fired()) {
			fixture_fail_after(0);
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
			KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), 0);
			break;
		}
		KUNIT_ASSERT_EQ_MSG(test, PTR_ERR_OR_ZERO(c), -ENOMEM, "allocation %lu", k);
		FIXTURE_EXPECT_VALID(fx);
	}
	fixture_fail_after(0);
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* All numbers of children are in use. */
static void contract_children(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(1, 1);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_zone **child = fx->zone->children->zone;
	u32 i;

	for (i = 0; i < MYALLOC_CHILDREN_MAX; i++)
		if (!child[i])
			child[i] = ERR_PTR(-EAGAIN);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(myalloc_contract_create(fx->zone, "d", &line, 1, 0,
								      plan)), -ENOMEM);
	for (i = 0; i < MYALLOC_CHILDREN_MAX; i++)
		if (IS_ERR(child[i]))
			child[i] = NULL;
	expect_end(fx, c);
}

/* What comes while a child is validated: another contract is made. */
static struct {
	struct fixture *fx;
	struct myalloc_contract_plan *plan;
	struct myalloc_contract *other;
	u32 points;
	int err;
} visit;

static void make_another(const char *where)
{
	const struct myalloc_contract_line line = pages_line(1, 1);
	struct myalloc_children *children = visit.fx->zone->children;

	if (strcmp(where, "validate-child") || visit.points++)
		return;
	/* Only the end of a contract waits. */
	visit.err = mutex_trylock(&children->visit) ? -EPERM : 0;
	if (!visit.err && !mutex_trylock(&children->mutex))
		visit.err = -EBUSY;
	if (visit.err)
		return;
	mutex_unlock(&children->mutex);
	visit.other = myalloc_contract_create(visit.fx->zone, "another", &line, 1, 0, visit.plan);
	visit.err = PTR_ERR_OR_ZERO(visit.other);
}

/* A contract can be made in the middle of the validation of another one. */
static void contract_validate_waits(struct kunit *test)
{
	const struct myalloc_contract_line line = pages_line(8, 1);
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_contract *c = contract_of(fx, &line, 1, 0);

	visit.fx = fx;
	visit.plan = fixture_zalloc(test, sizeof(*visit.plan));
	visit.points = 0;
	if (fixture_set_hook(make_another)) {
		FIXTURE_EXPECT_VALID(fx);
		fixture_set_hook(NULL);
		KUNIT_EXPECT_EQ(test, visit.err, 0);
		KUNIT_EXPECT_EQ(test, visit.points, 2);
		FIXTURE_EXPECT_VALID(fx);
		if (!visit.err)
			KUNIT_EXPECT_EQ(test, myalloc_contract_end(visit.other, 0), 0);
	}
	expect_end(fx, c);
}

/* Random requests within, of two contracts, while others take what they get. */
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
	KUNIT_CASE(contract_client),
	KUNIT_CASE(contract_within),
	KUNIT_CASE(contract_within_end),
	KUNIT_CASE(contract_within_lines),
	KUNIT_CASE(contract_client_release),
	KUNIT_CASE(contract_not_back),
	KUNIT_CASE(contract_bad_page),
	KUNIT_CASE(contract_one_less),
	KUNIT_CASE(contract_race),
	KUNIT_CASE(contract_objects),
	KUNIT_CASE(contract_slots),
	KUNIT_CASE(contract_magazines),
	KUNIT_CASE(contract_busy),
	KUNIT_CASE(contract_validate),
	KUNIT_CASE(contract_fault),
	KUNIT_CASE(contract_children),
	KUNIT_CASE(contract_validate_waits),
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
