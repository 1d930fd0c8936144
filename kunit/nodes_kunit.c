// SPDX-License-Identifier: GPL-2.0
/* Tests of sets of zones: the order by distance, strictness, statistics, frees by address. */
#include "env.h"

#include <kunit/test.h>

#include "object/cache.h"
#include "page/drain.h"
#include "slab_fixture.h"
#include "zone/nodes.h"
#include "zone/zone.h"

#define NODES	5U	/* nodes 2 and 4 have no memory */
#define ZONES	3U
#define PAGES	16U	/* of a zone */

static const int node_of[ZONES] = { 0, 1, 3 };

/* Distances between nodes: unrealistic, but different in every row. */
static const u32 distance[NODES][NODES] = {
	{ 10, 30, 40, 20, 50 },
	{ 20, 10, 40, 30, 50 },
	{ 40, 40, 10, 15, 60 },
	{ 25, 25, 20, 10, 60 },
	{ 30, 20, 10, 20, 10 },
};

static u32 rank(int node, int to)
{
	return distance[node][to];
}

static const u16 expected_order[NODES + 1][ZONES] = {
	{ 0, 2, 1 }, { 1, 0, 2 }, { 2, 0, 1 }, { 2, 0, 1 }, { 1, 2, 0 }, { 0, 1, 2 },
};

/* The set of a test, its zones, and the blocks that keep them full. */
static struct stage {
	struct myalloc_nodes *nodes;
	struct fixture *fx[ZONES];
	void *blocks[ZONES][PAGES];
	u32 nr[ZONES];
} stage;

static void set_up(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = PAGES, .chunk_order = 3, .stride = 2, .no_magazines = true,
	};
	struct myalloc_zone *zones[ZONES];
	u32 i;

	memset(&stage, 0, sizeof(stage));
	for (i = 0; i < ZONES; i++) {
		stage.fx[i] = fixture_zone(test, &args);
		zones[i] = stage.fx[i]->zone;
	}
	stage.nodes = myalloc_nodes_create(&(struct myalloc_nodes_args){
		.zones = zones, .nodes = node_of, .nr_zones = ZONES, .nr_nodes = NODES,
		.rank = rank });
	KUNIT_ASSERT_NOT_NULL(test, stage.nodes);
}

/* Take all that the zone has. */
static void fill(struct kunit *test, u32 zone)
{
	while (stage.nr[zone] < PAGES) {
		void *page = myalloc_pages_alloc(stage.fx[zone]->zone, 0, 0);

		KUNIT_ASSERT_NOT_NULL(test, page);
		stage.blocks[zone][stage.nr[zone]++] = page;
	}
}

static void free_one(struct kunit *test, u32 zone)
{
	void *page = stage.blocks[zone][--stage.nr[zone]];

	KUNIT_EXPECT_EQ(test, myalloc_nodes_pages_free(stage.nodes, page, 0), 0);
}

static void tear_down(struct kunit *test)
{
	u32 i;

	for (i = 0; i < ZONES; i++) {
		while (stage.nr[i])
			free_one(test, i);
		FIXTURE_EXPECT_VALID(stage.fx[i]);
		myalloc_zone_drain(stage.fx[i]->zone);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(stage.fx[i]));
	}
	myalloc_nodes_destroy(stage.nodes);
}

static u32 zone_at(void *addr)
{
	struct myalloc_zone *zone = myalloc_nodes_zone_at(stage.nodes, addr);
	u32 i;

	for (i = 0; i < ZONES; i++)
		if (stage.fx[i]->zone == zone)
			break;
	return i;
}

/* A page of @node; expect that it comes from this zone, or with ZONES that there is none. */
static void expect_from(struct kunit *test, int node, myalloc_flags_t flags, u32 zone)
{
	void *page = myalloc_nodes_pages_alloc(stage.nodes, node, 0, flags);

	if (zone == ZONES) {
		KUNIT_EXPECT_NULL(test, page);
		return;
	}
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, zone_at(page), zone);
	KUNIT_EXPECT_EQ(test, myalloc_nodes_pages_free(stage.nodes, page, 0), 0);
}

static void expect_stats(struct kunit *test, u32 zone, u64 hit, u64 miss, u64 foreign)
{
	struct myalloc_node_stats stats;

	KUNIT_ASSERT_EQ(test, myalloc_nodes_stats(stage.nodes, zone, &stats), 0);
	KUNIT_EXPECT_EQ(test, stats.node, node_of[zone]);
	KUNIT_EXPECT_EQ(test, stats.nr_pages, PAGES);
	KUNIT_EXPECT_EQ(test, stats.free_pages, fixture_stats(stage.fx[zone])->free_pages);
	KUNIT_EXPECT_EQ_MSG(test, stats.hit, hit, "hit of zone %u", zone);
	KUNIT_EXPECT_EQ_MSG(test, stats.miss, miss, "miss of zone %u", zone);
	KUNIT_EXPECT_EQ_MSG(test, stats.foreign, foreign, "foreign of zone %u", zone);
}

/* C2 */
static void nodes_order(struct kunit *test)
{
	u32 node, i;

	set_up(test);
	for (node = 0; node <= NODES; node++)
		for (i = 0; i < ZONES; i++)
			KUNIT_EXPECT_EQ_MSG(test, myalloc_nodes_order(stage.nodes, node)[i],
					    expected_order[node][i], "node %u, zone %u", node, i);
	tear_down(test);
}

static void nodes_zone(struct kunit *test)
{
	struct myalloc_zone *zone[ZONES];
	int node;

	set_up(test);
	for (node = 0; node < (int)ZONES; node++)
		zone[node] = stage.fx[node]->zone;
	for (node = 0; node < (int)NODES; node++) {
		bool own = node == 0 || node == 1 || node == 3;
		struct myalloc_zone *first = zone[expected_order[node][0]];

		KUNIT_EXPECT_PTR_EQ(test, myalloc_nodes_zone(stage.nodes, node, 0), first);
		KUNIT_EXPECT_PTR_EQ(test, own ? first : NULL,
				    myalloc_nodes_zone(stage.nodes, node, MYALLOC_THISNODE));
	}
	/* not a node at all */
	KUNIT_EXPECT_PTR_EQ(test, myalloc_nodes_zone(stage.nodes, NODES, 0), zone[0]);
	KUNIT_EXPECT_PTR_EQ(test, myalloc_nodes_zone(stage.nodes, -7, 0), zone[0]);
	KUNIT_EXPECT_NULL(test, myalloc_nodes_zone(stage.nodes, NODES, MYALLOC_THISNODE));
	KUNIT_EXPECT_NULL(test, myalloc_nodes_zone(stage.nodes, -7, MYALLOC_THISNODE));
	tear_down(test);
}

/* Each zone in turn becomes full: the next one in the order serves, and is counted. C3 */
static void nodes_fall_back(struct kunit *test)
{
	set_up(test);
	expect_from(test, 1, 0, 1);
	expect_stats(test, 1, 1, 0, 0);
	fill(test, 1);
	expect_from(test, 1, 0, 0);
	expect_stats(test, 0, 0, 1, 0);
	expect_stats(test, 1, 1 + PAGES, 0, 1);
	fill(test, 0);
	expect_from(test, 1, 0, 2);
	expect_from(test, 0, 0, 2);
	expect_stats(test, 0, PAGES, 1, 1);
	expect_stats(test, 1, 1 + PAGES, 0, 2);
	expect_stats(test, 2, 0, 2, 0);
	fill(test, 2);
	expect_from(test, 1, 0, ZONES);
	expect_from(test, 1, MYALLOC_MAY_WAIT, ZONES);
	/* A failed request is neither a miss nor foreign. */
	expect_stats(test, 1, 1 + PAGES, 0, 2);
	expect_stats(test, 2, PAGES, 2, 0);
	tear_down(test);
}

static void expect_fails(struct kunit *test, u64 first, u64 second, u64 third)
{
	const u64 fails[ZONES] = { first, second, third };
	u32 i;

	for (i = 0; i < ZONES; i++)
		KUNIT_EXPECT_EQ_MSG(test, fixture_stats(stage.fx[i])->page_fails[0], fails[i],
				    "zone %u", i);
}

/* A request that no zone serves counts as one failure, in the zone it prefers. */
static void nodes_fails(struct kunit *test)
{
	set_up(test);
	fill(test, 1);
	fill(test, 0);
	expect_from(test, 1, 0, 2);
	expect_from(test, 1, MYALLOC_MAY_WAIT, 2);
	expect_fails(test, 0, 0, 0);
	fill(test, 2);
	expect_from(test, 1, 0, ZONES);
	expect_fails(test, 0, 1, 0);
	expect_from(test, 1, MYALLOC_MAY_WAIT, ZONES);
	expect_fails(test, 0, 2, 0);
	expect_from(test, 3, MYALLOC_THISNODE | MYALLOC_MAY_WAIT, ZONES);
	expect_fails(test, 0, 2, 1);
	/* A request with an unknown flag does not count as lack of memory. */
	KUNIT_EXPECT_NULL(test, myalloc_nodes_pages_alloc(stage.nodes, 1, 0,
							  (__force myalloc_flags_t)0x8000));
	expect_fails(test, 0, 2, 1);
	tear_down(test);
}

static void nodes_strict(struct kunit *test)
{
	set_up(test);
	expect_from(test, 3, MYALLOC_THISNODE, 2);
	fill(test, 2);
	expect_from(test, 3, MYALLOC_THISNODE, ZONES);
	expect_from(test, 3, MYALLOC_THISNODE | MYALLOC_MAY_WAIT, ZONES);
	expect_from(test, 3, 0, 0);
	expect_stats(test, 2, 1 + PAGES, 0, 1);
	tear_down(test);
}

/* A node without memory prefers the nearest zone, and has none of its own. */
static void nodes_no_memory(struct kunit *test)
{
	set_up(test);
	expect_from(test, 4, 0, 1);
	expect_stats(test, 1, 1, 0, 0);
	expect_from(test, 4, MYALLOC_THISNODE, ZONES);
	fill(test, 1);
	expect_from(test, 4, 0, 2);
	expect_stats(test, 1, 1 + PAGES, 0, 1);
	expect_from(test, NODES + 9, 0, 0);
	expect_from(test, NODES + 9, MYALLOC_THISNODE, ZONES);
	tear_down(test);
}

/* Requests for the CPU's own node. */
static void local(void *arg)
{
	struct kunit *test = arg;
	struct myalloc_zone *near = myalloc_nodes_zone(stage.nodes, numa_node_id(), 0);
	void *page = myalloc_nodes_pages_alloc(stage.nodes, NUMA_NO_NODE, 0, 0);

	KUNIT_EXPECT_PTR_EQ(test, myalloc_nodes_zone(stage.nodes, NUMA_NO_NODE, 0), near);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_PTR_EQ(test, myalloc_nodes_zone_at(stage.nodes, page), near);
	KUNIT_EXPECT_EQ(test, myalloc_nodes_pages_free(stage.nodes, page, 0), 0);
}

static void nodes_local(struct kunit *test)
{
	set_up(test);
	fixture_on_cpu(0, local, test);
	fixture_on_cpu(1, local, test);
	tear_down(test);
}

/* Frees a page of zone 1, which stays in the magazine of this CPU. */
static void free_there(void *arg)
{
	free_one(arg, 1);
}

/* Free pages of another node are used before the magazines of other CPUs are drained. */
static void nodes_wait(struct kunit *test)
{
	struct myalloc_magazines *mags;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	set_up(test);
	mags = &stage.fx[1]->zone->pcp[0];
	myalloc_magazines_fini(mags);
	KUNIT_ASSERT_EQ(test, myalloc_magazines_init(mags, 2, 1, 0, NUMA_NO_NODE), 0);
	fill(test, 1);
	fill(test, 2);
	fixture_on_cpu(1, free_there, test);
	KUNIT_ASSERT_EQ(test, myalloc_magazines_count(mags), 1);
	expect_from(test, 1, MYALLOC_MAY_WAIT, 0);
	expect_stats(test, 0, 0, 1, 0);
	fill(test, 0);
	expect_from(test, 1, 0, ZONES);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(mags), 1);
	expect_from(test, 1, MYALLOC_MAY_WAIT, 1);	/* its own: a hit */
	expect_stats(test, 1, 1 + PAGES, 0, 1);
	fill(test, 1);
	fixture_on_cpu(1, free_there, test);
	expect_from(test, 3, MYALLOC_MAY_WAIT, 1);	/* another's: a miss */
	expect_stats(test, 1, 2 + PAGES, 1, 1);
	expect_stats(test, 2, PAGES, 0, 1);
	tear_down(test);
}

/* C1: every address of a zone leads to it, an address outside of all zones to none. */
static void nodes_addresses(struct kunit *test)
{
	struct myalloc_cache *cache;
	void *object, *page;
	u32 i, k;

	set_up(test);
	for (i = 0; i < ZONES; i++)
		for (k = 0; k < stage.fx[i]->args.nr_chunks; k++) {
			char *chunk = stage.fx[i]->chunks[k];

			KUNIT_EXPECT_EQ(test, zone_at(chunk), i);
			KUNIT_EXPECT_EQ(test, zone_at(chunk + (PAGE_SIZE << 3) - 1), i);
			KUNIT_EXPECT_EQ(test, zone_at(chunk - 1), ZONES);
		}
	KUNIT_EXPECT_NULL(test, myalloc_nodes_zone_at(stage.nodes, NULL));
	cache = fixture_cache(stage.fx[2], "c", 64, 0);
	object = myalloc_cache_alloc(cache, 0);
	KUNIT_ASSERT_NOT_NULL(test, object);
	KUNIT_EXPECT_EQ(test, zone_at(object), 2);
	KUNIT_EXPECT_EQ(test, myalloc_nodes_free(stage.nodes, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	page = myalloc_pages_alloc_exact(stage.fx[1]->zone, 3, 0, 0);
	KUNIT_EXPECT_EQ(test, myalloc_nodes_free(stage.nodes, page), 0);
	tear_down(test);
}

/* The zone that has the address refuses a wrong free; the first one, if none has it. */
static void nodes_wrong_free(struct kunit *test)
{
	struct myalloc_nodes *nodes;
	char name[128];
	void *page;

	set_up(test);
	nodes = stage.nodes;
	page = myalloc_nodes_pages_alloc(nodes, 3, 1, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	FIXTURE_EXPECT_REFUSED(stage.fx[2], myalloc_nodes_pages_free(nodes, page, 0),
			       MYALLOC_BAD_ORDER,
			       "bad free as pages of order 0: allocated with another order; frame 0, order 1, held by %s",
			       fixture_symbol(stage.fx[2]->zone->frames[0].caller, name,
					      sizeof(name)));
	KUNIT_EXPECT_TRUE(test, fixture_called_by(stage.fx[2]->zone->frames[0].caller,
						  nodes_wrong_free));
	KUNIT_EXPECT_EQ(test, myalloc_nodes_pages_free(nodes, page, 1), 0);
	FIXTURE_EXPECT_REFUSED(stage.fx[0], myalloc_nodes_pages_free(nodes, test, 0),
			       MYALLOC_BAD_FOREIGN,
			       "bad free as pages of order 0: not memory of this zone");
	FIXTURE_EXPECT_REFUSED(stage.fx[0], myalloc_nodes_free(nodes, NULL),
			       MYALLOC_BAD_FOREIGN,
			       "bad free as pages of order 0: not memory of this zone");
	tear_down(test);
}

/* An unknown flag is refused, and reported once. */
static void nodes_flags(struct kunit *test)
{
	set_up(test);
	fixture_log_mark();
	expect_from(test, 0, __MYALLOC_FLAG(0x80u), ZONES);
	expect_from(test, 0, __MYALLOC_FLAG(0x80u) | MYALLOC_MAY_WAIT, ZONES);
	KUNIT_EXPECT_EQ(test, fixture_log_count("unknown flags 0x80"), 2);
	expect_from(test, 0, __MYALLOC_FLAG(0x80u) | MYALLOC_THISNODE, ZONES);
	KUNIT_EXPECT_EQ(test, fixture_log_count("unknown flags 0x80"), 3);
	/* A single zone refuses the flag for sets. */
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(stage.fx[0]->zone, 0, MYALLOC_THISNODE));
	KUNIT_EXPECT_EQ(test, fixture_log_count("unknown flags 0x10,"), 1);
	tear_down(test);
}

/* A zone with memory of any node counts as every node's own. */
static void nodes_one(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = PAGES, .chunk_order = 3, .no_magazines = true,
	};
	struct fixture *fx = fixture_zone(test, &args);
	static const int any = NUMA_NO_NODE;
	struct myalloc_node_stats stats;
	struct myalloc_nodes *nodes;
	void *page;
	int node;

	nodes = myalloc_nodes_create(&(struct myalloc_nodes_args){
		.zones = &fx->zone, .nodes = &any, .nr_zones = 1, .nr_nodes = 2, .rank = rank });
	KUNIT_ASSERT_NOT_NULL(test, nodes);
	for (node = -2; node < 4; node++) {
		KUNIT_EXPECT_PTR_EQ(test, fx->zone,
				    myalloc_nodes_zone(nodes, node, MYALLOC_THISNODE));
		page = myalloc_nodes_pages_alloc(nodes, node, 0, MYALLOC_THISNODE);
		KUNIT_ASSERT_NOT_NULL(test, page);
		KUNIT_EXPECT_EQ(test, myalloc_nodes_free(nodes, page), 0);
	}
	KUNIT_EXPECT_NULL(test, myalloc_nodes_pages_alloc(nodes, 0, 9, MYALLOC_MAY_WAIT));
	KUNIT_EXPECT_EQ(test, myalloc_nodes_stats(nodes, 0, &stats), 0);
	KUNIT_EXPECT_EQ(test, stats.node, NUMA_NO_NODE);
	KUNIT_EXPECT_EQ(test, stats.hit, 6);
	KUNIT_EXPECT_EQ(test, stats.miss + stats.foreign, 0);
	KUNIT_EXPECT_EQ(test, myalloc_nodes_stats(nodes, 1, &stats), -ENOENT);
	myalloc_nodes_destroy(nodes);
}

static void nodes_no_memory_for_it(struct kunit *test)
{
	struct myalloc_node_stats stats;
	struct myalloc_zone *zones[ZONES];
	u32 i;

	set_up(test);
	for (i = 0; i < ZONES; i++)
		zones[i] = stage.fx[i]->zone;
	if (fixture_fail_after(1)) {
		KUNIT_EXPECT_NULL(test, myalloc_nodes_create(&(struct myalloc_nodes_args){
			.zones = zones, .nodes = node_of, .nr_zones = ZONES, .nr_nodes = NODES,
			.rank = rank }));
		KUNIT_EXPECT_TRUE(test, fixture_fail_fired());
		fixture_fail_after(1);
		KUNIT_EXPECT_EQ(test, myalloc_nodes_stats(stage.nodes, 0, &stats), -ENOMEM);
		KUNIT_EXPECT_TRUE(test, fixture_fail_fired());
	}
	myalloc_nodes_destroy(NULL);
	tear_down(test);
}

static struct kunit_case nodes_cases[] = {
	KUNIT_CASE(nodes_order),
	KUNIT_CASE(nodes_zone),
	KUNIT_CASE(nodes_fall_back),
	KUNIT_CASE(nodes_fails),
	KUNIT_CASE(nodes_strict),
	KUNIT_CASE(nodes_no_memory),
	KUNIT_CASE(nodes_local),
	KUNIT_CASE(nodes_wait),
	KUNIT_CASE(nodes_addresses),
	KUNIT_CASE(nodes_wrong_free),
	KUNIT_CASE(nodes_flags),
	KUNIT_CASE(nodes_one),
	KUNIT_CASE(nodes_no_memory_for_it),
	{}
};

static struct kunit_suite nodes_suite = {
	.name = "myalloc_nodes",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = nodes_cases,
};

kunit_test_suites(&nodes_suite);
