// SPDX-License-Identifier: GPL-2.0
/* Tests of contracts of clients: quotas, call sites, release. */
#include "env.h"

#include <kunit/test.h>

#include "client/client.h"
#include "client/sites.h"
#include "client/within.h"
#include "contract_fixture.h"
#include "page/drain.h"

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

/* The set-aside of a contract is charged to its client, within the client's quota. */
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
	/* The blocks that the parent has served beyond the line. */
	expect_counted(test, client, pages_of + 4);
	expect_counted(test, top, pages_of + 4);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), -EBUSY);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, pages[i]), 0);
	expect_counted(test, client, pages_of);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), 0);
	expect_counted(test, client, 0);

	/* If the quota of either one is too small, nothing is taken. */
	c = contract_for(test, client, (struct myalloc_contract_line[]){ pages_line(41, 1) }, 1, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(c), -EDQUOT);
	expect_counted(test, top, 0);
	c = contract_for(test, client, (struct myalloc_contract_line[]){ pages_line(40, 1) }, 1, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(c, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(top, 0), 0);
	/* If the zone refuses it, nothing is charged either. */
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

/* Memory in use within a contract has a call site, and belongs to the contract's client. */
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
	/* More blocks than one part of the walk covers. */
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
	/* All of it belongs to a client. */
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

/* The objects of a contract have the checks of its client, and the plan counts them. */
static void contract_client_checks(struct kunit *test)
{
	const struct myalloc_contract_line lines[3] = {
		pages_line(4, 1), objects_line(100, 40, 0),
		objects_line(4, 40, MYALLOC_TYPESAFE_RCU),
	};
	const myalloc_cache_flags_t checks = MYALLOC_CHECKS;
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_client *client = client_of(fx, &(struct myalloc_client_args){
		.name = "frob", .checks = checks });
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_contract *c = contract_for(test, client, lines, 3, 0);
	struct myalloc_sites sites;
	void *object[100];
	u32 i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	KUNIT_EXPECT_EQ(test, myalloc_contract_cache(c, 1)->flags & checks, checks);
	KUNIT_EXPECT_EQ(test, myalloc_contract_cache(c, 2)->flags & checks,
			checks & ~MYALLOC_POISON);
	KUNIT_EXPECT_EQ(test, myalloc_contract_zone(c, 0)->checks, 0);
	/* All declared objects can be allocated, in slots with room for the checks. */
	for (i = 0; i < ARRAY_SIZE(object); i++) {
		object[i] = alloc_here(myalloc_contract_cache(c, 1), 0);
		KUNIT_ASSERT_NOT_NULL(test, object[i]);
	}
	KUNIT_ASSERT_EQ(test, myalloc_sites_collect(&sites, fx->zone, client, 0), 0);
	expect_site(test, &sites, "within frob.1", 100, 100 * 40, alloc_here);
	KUNIT_EXPECT_NE(test, site_of(&sites, "within frob.1")->oldest, MYALLOC_SITE_UNKNOWN);
	myalloc_sites_free(&sites);
	for (i = 0; i < ARRAY_SIZE(object); i++)
		KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, object[i]), 0);
	/* A plan for such a client states the checks as flags. */
	KUNIT_EXPECT_EQ(test, myalloc_contract_plan(fx->zone, (struct myalloc_contract_line[]){
		objects_line(100, 40, checks) }, 1, plan), 0);
	KUNIT_EXPECT_EQ(test, plan->line[0].set_aside, c->part[1].plan.set_aside);
	KUNIT_EXPECT_EQ(test, myalloc_contract_plan(fx->zone, &lines[1], 1, plan), 0);
	KUNIT_EXPECT_GT(test, plan->line[0].objects, c->part[1].plan.objects);
	FIXTURE_EXPECT_VALID(fx);
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

/* Names of lines; lines of one kind; a line under construction, which is not listed. */
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

/* The release of a client ends its contracts, and frees what is in use within and beyond them. */
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

static struct kunit_case contract_client_cases[] = {
	KUNIT_CASE(contract_client),
	KUNIT_CASE(contract_within),
	KUNIT_CASE(contract_client_checks),
	KUNIT_CASE(contract_within_end),
	KUNIT_CASE(contract_within_lines),
	KUNIT_CASE(contract_client_release),
	{}
};

static struct kunit_suite contract_client_suite = {
	.name = "myalloc_contract_client",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = contract_client_cases,
};

kunit_test_suite(contract_client_suite);
