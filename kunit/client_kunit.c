// SPDX-License-Identifier: GPL-2.0
/* Tests of clients: accounting, quotas, lists of call sites, reports and frees at the end. */
#include "env.h"

#include <kunit/test.h>

#include "client/client.h"
#include "client/makers.h"
#include "client/sites.h"
#include "front/arena.h"
#include "front/heap.h"
#include "front/pool.h"
#include "front/ring.h"
#include "page/extent.h"
#include "slab_fixture.h"

#define PAGES	1024

static struct fixture *zone_with(struct kunit *test, const struct myalloc_zone_ops *ops)
{
	const struct fixture_args args = { .nr_pages = PAGES, .chunk_order = 8, .ops = ops };

	return fixture_zone(test, &args);
}

static noinline struct myalloc_client *client_of(struct fixture *fx,
						 const struct myalloc_client_args *args)
{
	struct myalloc_client *client = myalloc_client_create(fx->zone, args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, client);
	return client;
}

static struct myalloc_client_stats stats_now(struct myalloc_client *client)
{
	struct myalloc_client_extents extents;
	struct myalloc_client_stats stats;

	myalloc_client_extents(client->zone, &extents);
	myalloc_client_stats(client, &extents, &stats);
	return stats;
}

/* I1 */
static void expect_counted(struct kunit *test, struct myalloc_client *client, u64 pages)
{
	struct myalloc_client_stats stats = stats_now(client);

	KUNIT_EXPECT_EQ(test, stats.pages, pages);
	KUNIT_EXPECT_EQ(test, stats.pages, stats.slab_pages + stats.extent_pages +
			stats.front_pages + stats.below_pages);
	KUNIT_EXPECT_GE(test, stats.peak_pages, stats.pages);
}

static void expect_end(struct fixture *fx, struct myalloc_client *client)
{
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(fx->test, myalloc_client_end(client, 0), 0);
}

static void expect_pristine(struct fixture *fx)
{
	myalloc_zone_drain(fx->zone);
	KUNIT_EXPECT_TRUE(fx->test, fixture_pristine(fx));
}

static struct myalloc_cache *cache_of(struct fixture *fx, struct myalloc_client *client,
				      const char *name, myalloc_cache_flags_t flags)
{
	struct myalloc_cache *cache;

	cache = myalloc_cache_create(fx->zone, &(struct myalloc_cache_args){
		.name = name, .object_size = EIGHT_A_SLAB / 2, .flags = flags, .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, cache);
	return cache;
}

/* All memory that a client allocates and frees, of every kind, is accounted. */
static void client_counts(struct kunit *test)
{
	struct fixture *fx = zone_with(test, NULL);
	struct myalloc_client *top = client_of(fx, &(struct myalloc_client_args){ .name = "top" });
	struct myalloc_client *client = client_of(fx, &(struct myalloc_client_args){
		.name = "frob", .owner_name = "module frob", .parent = top });
	struct myalloc_cache *cache = cache_of(fx, client, "requests", 0);
	struct myalloc_arena *arena;
	struct myalloc_heap *heap;
	struct myalloc_ring *ring;
	struct myalloc_pool *pool;
	void *pages, *object, *memory;
	u64 before;

	KUNIT_EXPECT_STREQ(test, client->owner_name, "module frob");
	KUNIT_EXPECT_STREQ(test, top->owner_name, "top");
	pages = myalloc_client_pages_alloc(client, 5, 0, MYALLOC_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	expect_counted(test, client, 5);
	object = myalloc_cache_alloc(cache, 0);
	KUNIT_ASSERT_NOT_NULL(test, object);
	before = 5 + stats_now(client).slab_pages;
	KUNIT_EXPECT_GT(test, before, 5);
	expect_counted(test, client, before);
	expect_counted(test, top, before);
	KUNIT_EXPECT_EQ(test, stats_now(top).below_pages, before);
	KUNIT_EXPECT_EQ(test, stats_now(top).children, 1);
	KUNIT_EXPECT_EQ(test, stats_now(client).parent, top->id);

	heap = myalloc_heap_create(fx->zone, &(struct myalloc_heap_args){
		.name = "heap", .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	memory = myalloc_heap_alloc(heap, 64 * PAGE_SIZE, 0);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	expect_counted(test, client, before + 64);
	KUNIT_EXPECT_PTR_EQ(test, myalloc_heap_realloc(heap, memory, 70 * PAGE_SIZE, 0), memory);
	expect_counted(test, client, before + 70);
	KUNIT_EXPECT_PTR_EQ(test, myalloc_heap_realloc(heap, memory, 20 * PAGE_SIZE, 0), memory);
	expect_counted(test, client, before + 20);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, memory), 0);
	expect_counted(test, client, before);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(heap), 0);

	ring = myalloc_ring_create(fx->zone, &(struct myalloc_ring_args){
		.name = "ring", .size = 4 * PAGE_SIZE, .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ring);
	expect_counted(test, client, before + 4);
	arena = myalloc_arena_create(fx->zone, &(struct myalloc_arena_args){
		.name = "arena", .block_size = 2 * PAGE_SIZE, .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, arena);
	KUNIT_EXPECT_NOT_NULL(test, myalloc_arena_alloc(arena, 8, 8));
	expect_counted(test, client, before + 6);
	KUNIT_EXPECT_EQ(test, stats_now(client).fronts, 2);
	myalloc_arena_destroy(arena);
	KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(ring), 0);
	pool = myalloc_pool_create(fx->zone, &(struct myalloc_pool_args){
		.name = "pool", .object_size = 64, .nr = 100, .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	expect_counted(test, client, before + ((u64)pool->cache->set_aside <<
					       pool->cache->layout.order));
	KUNIT_EXPECT_EQ(test, myalloc_pool_destroy(pool), 0);
	expect_counted(test, client, before);

	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(client, pages, 5), 0);
	expect_counted(test, client, 0);
	KUNIT_EXPECT_EQ(test, stats_now(client).soft_pages, 0);
	KUNIT_EXPECT_EQ(test, stats_now(client).hard_pages, 0);
	KUNIT_EXPECT_EQ(test, stats_now(client).over, 0);
	expect_end(fx, client);
	KUNIT_EXPECT_EQ(test, stats_now(top).children, 0);
	expect_end(fx, top);
	expect_pristine(fx);
}

/* Calls of the callback that the zone's creator has set. */
static u32 told_over, told_refused, told_pages;

static void told(struct myalloc_client *client, u32 pages, bool refused)
{
	told_over += !refused;
	told_refused += refused;
	told_pages = pages;
}

static const struct myalloc_zone_ops tell_ops = { .client_quota = told };
static const struct myalloc_zone_ops silent_ops;

static void client_hard(struct kunit *test)
{
	struct fixture *fx = zone_with(test, &tell_ops);
	struct myalloc_client *top = client_of(fx, &(struct myalloc_client_args){
		.name = "top", .hard_pages = 20 });
	struct myalloc_client *client = client_of(fx, &(struct myalloc_client_args){
		.name = "frob", .parent = top, .hard_pages = 16 });
	struct myalloc_client *other = client_of(fx, &(struct myalloc_client_args){
		.name = "other", .parent = top });
	struct myalloc_cache *cache = cache_of(fx, client, "requests", 0);
	struct myalloc_arena *arena;
	struct myalloc_heap *heap;
	void *pages, *more, *memory;

	told_refused = 0;
	pages = myalloc_client_pages_alloc(client, 16, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_EXPECT_NULL(test, myalloc_client_pages_alloc(client, 1, 0, MYALLOC_MAY_WAIT));
	KUNIT_EXPECT_EQ(test, told_refused, 1);
	KUNIT_EXPECT_EQ(test, told_pages, 1);
	KUNIT_EXPECT_NULL(test, myalloc_cache_alloc(cache, 0));
	KUNIT_EXPECT_GE(test, stats_now(client).refused, 2);
	KUNIT_EXPECT_EQ(test, stats_now(client).hard_pages, 16);

	/* The parent's quota applies as well, and its refusal leaves no charge behind. */
	more = myalloc_client_pages_alloc(other, 4, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, more);
	KUNIT_EXPECT_NULL(test, myalloc_client_pages_alloc(other, 1, 0, 0));
	KUNIT_EXPECT_EQ(test, stats_now(other).refused, 0);
	KUNIT_EXPECT_EQ(test, stats_now(top).refused, 1);
	expect_counted(test, other, 4);
	expect_counted(test, top, 20);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(other, more, 4), 0);

	/* A charge for more pages than the zone has is taken back. */
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(client, pages, 16), 0);
	KUNIT_EXPECT_NULL(test, myalloc_client_pages_alloc(client, 3, 63, 0));
	expect_counted(test, top, 0);

	heap = myalloc_heap_create(fx->zone, &(struct myalloc_heap_args){
		.name = "heap", .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	KUNIT_EXPECT_NULL(test, myalloc_heap_alloc(heap, 17 * PAGE_SIZE, 0));
	memory = myalloc_heap_alloc(heap, 16 * PAGE_SIZE, 0);
	if (memory) {	/* otherwise it is an object */
		KUNIT_EXPECT_NULL(test, myalloc_heap_realloc(heap, memory, 17 * PAGE_SIZE, 0));
		expect_counted(test, client, 16);
		KUNIT_EXPECT_NULL(test, myalloc_heap_alloc(heap, 8, 0));
		KUNIT_EXPECT_EQ(test, myalloc_heap_free(heap, memory), 0);
	}
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(heap), 0);
	KUNIT_EXPECT_TRUE(test, IS_ERR(myalloc_ring_create(fx->zone, &(struct myalloc_ring_args){
		.name = "ring", .size = 32 * PAGE_SIZE, .client = client })));
	arena = myalloc_arena_create(fx->zone, &(struct myalloc_arena_args){
		.name = "arena", .block_size = 12 * PAGE_SIZE, .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, arena);
	KUNIT_EXPECT_NOT_NULL(test, myalloc_arena_alloc(arena, 11 * PAGE_SIZE, 8));
	KUNIT_EXPECT_NULL(test, myalloc_arena_alloc(arena, 11 * PAGE_SIZE, 8));
	expect_counted(test, client, atomic_long_read(&arena->pages));
	myalloc_arena_destroy(arena);
	expect_counted(test, client, 0);

	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	expect_end(fx, other);
	expect_end(fx, client);
	expect_end(fx, top);
	expect_pristine(fx);
}

/* The zone has less than the quota allows. */
static void client_zone_full(struct kunit *test)
{
	struct fixture *fx = zone_with(test, NULL);
	struct myalloc_client *client = client_of(fx, &(struct myalloc_client_args){
		.name = "frob" });
	struct myalloc_cache *cache = cache_of(fx, client, "requests", 0);
	struct myalloc_arena *arena;
	void *chunk[3], *described, **pages;
	u32 i, nr = 0;

	arena = myalloc_arena_create(fx->zone, &(struct myalloc_arena_args){
		.name = "arena", .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, arena);
	described = myalloc_cache_alloc(arena->blocks, 0);
	pages = kunit_kcalloc(test, 256, sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	for (i = 0; i < ARRAY_SIZE(chunk); i++) {
		chunk[i] = myalloc_pages_alloc(fx->zone, 8, 0);
		KUNIT_ASSERT_NOT_NULL(test, chunk[i]);
	}
	while ((pages[nr] = myalloc_pages_alloc_exact(fx->zone, 1, 0, 0)))
		nr++;
	KUNIT_EXPECT_NULL(test, myalloc_cache_alloc(cache, 0));
	KUNIT_EXPECT_NULL(test, myalloc_arena_alloc(arena, 8, 8));
	KUNIT_EXPECT_TRUE(test, IS_ERR(myalloc_ring_create(fx->zone, &(struct myalloc_ring_args){
		.name = "ring", .size = PAGE_SIZE, .client = client })));
	expect_counted(test, client, 0);
	while (nr--)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, pages[nr], 1), 0);
	myalloc_cache_free(arena->blocks, described);
	for (i = 0; i < ARRAY_SIZE(chunk); i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, chunk[i], 8), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, MYALLOC_RELEASE_ALL), 0);
	expect_pristine(fx);
}

static void client_soft(struct kunit *test)
{
	struct fixture *fx = zone_with(test, &tell_ops);
	struct fixture *silent = zone_with(test, &silent_ops);
	const struct myalloc_client_args args = {
		.name = "frob", .soft_pages = 4, .hard_pages = 8,
	};
	struct myalloc_client *client = client_of(fx, &args), *quiet = client_of(silent, &args);
	void *a, *b;

	told_over = 0;
	a = myalloc_client_pages_alloc(client, 4, 0, 0);
	KUNIT_EXPECT_EQ(test, told_over, 0);
	b = myalloc_client_pages_alloc(client, 1, 0, 0);
	KUNIT_EXPECT_NOT_NULL(test, b);
	KUNIT_EXPECT_EQ(test, told_over, 1);
	KUNIT_EXPECT_EQ(test, stats_now(client).over, 1);
	KUNIT_EXPECT_EQ(test, stats_now(client).soft_pages, 4);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(client, b, 1), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(client, a, 4), 0);
	KUNIT_EXPECT_EQ(test, stats_now(client).peak_pages, 5);
	a = myalloc_client_pages_alloc(quiet, 8, 0, 0);
	KUNIT_EXPECT_NOT_NULL(test, a);
	KUNIT_EXPECT_NULL(test, myalloc_client_pages_alloc(quiet, 1, 0, 0));
	KUNIT_EXPECT_EQ(test, stats_now(quiet).over, 1);
	KUNIT_EXPECT_EQ(test, stats_now(quiet).refused, 1);
	KUNIT_EXPECT_EQ(test, told_over, 1);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(quiet, a, 8), 0);
	expect_end(silent, quiet);
	expect_end(fx, client);
	expect_pristine(silent);
	expect_pristine(fx);
}

/* Another CPU charges between the read and the compare-and-exchange. */
static struct myalloc_client *hook_client;
static void *hook_pages;

static void hook_charge(const char *where)
{
	struct myalloc_client *client = hook_client;

	if (strcmp(where, "account-charge") || !client)
		return;
	hook_client = NULL;
	hook_pages = myalloc_client_pages_alloc(client, 3, 0, 0);
}

static void client_race(struct kunit *test)
{
	struct fixture *fx = zone_with(test, NULL);
	struct myalloc_client *client = client_of(fx, &(struct myalloc_client_args){
		.name = "frob", .hard_pages = 4 });
	void *pages;

	hook_client = client;
	hook_pages = NULL;
	if (!fixture_set_hook(hook_charge)) {
		expect_end(fx, client);
		kunit_skip(test, "without points");
	}
	pages = myalloc_client_pages_alloc(client, 2, 0, 0);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_NULL(test, pages);
	KUNIT_ASSERT_NOT_NULL(test, hook_pages);
	expect_counted(test, client, 3);
	KUNIT_EXPECT_EQ(test, stats_now(client).refused, 1);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(client, hook_pages, 3), 0);
	expect_end(fx, client);
}

static const struct myalloc_site *site_of(const struct myalloc_sites *sites, const char *what)
{
	u32 i;

	for (i = 0; i < sites->nr; i++)
		if (!strcmp(sites->site[i].what, what))
			return &sites->site[i];
	return NULL;
}

static noinline void *pages_here(struct myalloc_client *client, u32 nr)
{
	void *addr = myalloc_client_pages_alloc(client, nr, 0, 0);

	barrier();
	return addr;
}

static noinline __noclone struct myalloc_ring *
ring_here(struct fixture *fx, struct myalloc_client *client)
{
	struct myalloc_ring *ring;

	ring = myalloc_ring_create(fx->zone, &(struct myalloc_ring_args){
		.name = "events", .size = 2 * PAGE_SIZE, .client = client });
	barrier();
	return ring;
}

/* By call site, largest first. */
static void client_sites(struct kunit *test)
{
	struct fixture *fx = zone_with(test, NULL);
	struct myalloc_client *client = client_of(fx, &(struct myalloc_client_args){
		.name = "frob", .checks = MYALLOC_OWNER });
	struct myalloc_cache *tracked = cache_of(fx, client, "tracked", 0);
	struct myalloc_cache *plain = cache_of(fx, NULL, "plain", 0);
	struct myalloc_ring *ring;
	const struct myalloc_site *site;
	struct myalloc_sites sites;
	void *objects[3], *pages, *theirs, *other;
	u32 i;

	KUNIT_EXPECT_TRUE(test, tracked->flags & MYALLOC_OWNER);
	for (i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = alloc_here(tracked, 0);
	pages = pages_here(client, 30);
	theirs = myalloc_pages_alloc(fx->zone, 0, 0);
	other = myalloc_cache_alloc(plain, 0);
	ring = ring_here(fx, client);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ring);

	KUNIT_ASSERT_EQ(test, myalloc_sites_collect(&sites, fx->zone, client, 0), 0);
	KUNIT_EXPECT_EQ(test, sites.nr, 3);
	KUNIT_EXPECT_FALSE(test, sites.full);
	KUNIT_EXPECT_STREQ(test, sites.site[0].what, "pages");
	KUNIT_EXPECT_EQ(test, sites.site[0].bytes, 30 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, sites.site[0].count, 1);
	KUNIT_EXPECT_NE(test, sites.site[0].oldest, MYALLOC_SITE_UNKNOWN);
	KUNIT_EXPECT_TRUE(test, fixture_called_by(sites.site[0].caller, pages_here));
	site = site_of(&sites, "tracked");
	KUNIT_ASSERT_NOT_NULL(test, site);
	KUNIT_EXPECT_EQ(test, site->count, 3);
	KUNIT_EXPECT_EQ(test, site->bytes, 3 * tracked->layout.object_size);
	KUNIT_EXPECT_TRUE(test, fixture_called_by(site->caller, alloc_here));
	KUNIT_EXPECT_NE(test, site->oldest, MYALLOC_SITE_UNKNOWN);
	site = site_of(&sites, "ring events");
	KUNIT_ASSERT_NOT_NULL(test, site);
	KUNIT_EXPECT_EQ(test, site->bytes, 2 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, fixture_called_by(site->caller, ring_here));
	KUNIT_EXPECT_EQ(test, site->oldest, ring->front.when);
	myalloc_sites_free(&sites);

	/* The whole zone, without memory that is known to be younger than a day. */
	KUNIT_ASSERT_EQ(test, myalloc_sites_collect(&sites, fx->zone, NULL, 0), 0);
	KUNIT_EXPECT_NOT_NULL(test, site_of(&sites, "tracked"));
	site = site_of(&sites, "plain");
	KUNIT_ASSERT_NOT_NULL(test, site);
	KUNIT_EXPECT_EQ(test, site->caller, 0);
	KUNIT_EXPECT_EQ(test, site->count, 1);
	KUNIT_EXPECT_EQ(test, sites.nr, 5);	/* three callers of pages */
	myalloc_sites_free(&sites);
	/* Memory of no client; the pages of a ring do not name their client. */
	KUNIT_ASSERT_EQ(test, myalloc_sites_collect(&sites, fx->zone, &myalloc_no_client, 0), 0);
	KUNIT_EXPECT_NULL(test, site_of(&sites, "tracked"));
	KUNIT_EXPECT_NOT_NULL(test, site_of(&sites, "plain"));
	KUNIT_EXPECT_EQ(test, sites.nr, 3);
	myalloc_sites_free(&sites);
	KUNIT_ASSERT_EQ(test, myalloc_sites_collect(&sites, fx->zone, client, U64_MAX / 2), 0);
	KUNIT_EXPECT_NULL(test, site_of(&sites, "tracked"));
	KUNIT_EXPECT_NULL(test, site_of(&sites, "pages"));
	KUNIT_EXPECT_EQ(test, sites.nr, 0);
	myalloc_sites_free(&sites);

	KUNIT_EXPECT_EQ(test, myalloc_cache_free(plain, other), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(plain), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, theirs, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(client, pages, 30), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, MYALLOC_RELEASE_ALL), 0);
	expect_pristine(fx);
}

/* In a zone that records call stacks, these take the place of the time. */
static void client_sites_stacks(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 6, .checks = MYALLOC_OWNER };
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_client *client = client_of(fx, &(struct myalloc_client_args){
		.name = "frob" });
	void *pages = myalloc_client_pages_alloc(client, 2, 0, 0);
	struct myalloc_sites sites;

	KUNIT_ASSERT_EQ(test, myalloc_sites_collect(&sites, fx->zone, client, 0), 0);
	KUNIT_ASSERT_EQ(test, sites.nr, 1);
	KUNIT_EXPECT_EQ(test, sites.site[0].oldest, MYALLOC_SITE_UNKNOWN);
	KUNIT_EXPECT_EQ(test, sites.site[0].stack, myalloc_map_frame(&fx->zone->map, pages)->stack);
	myalloc_sites_free(&sites);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(client, pages, 2), 0);
	expect_end(fx, client);
	expect_pristine(fx);
}

/* The table grows, and reports when it cannot. Each page has a caller of its own. */
static void client_sites_many(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 13312, .chunk_order = 10, .no_magazines = true, .simulated = true };
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_sites sites;
	u64 bytes = 0;
	u32 i;

	for (i = 0; i < 1000; i++)
		KUNIT_ASSERT_NOT_NULL(test, myalloc_extent_alloc(fx->zone, 1, 0, 0, 0, 1 + i));
	KUNIT_ASSERT_EQ(test, myalloc_sites_collect(&sites, fx->zone, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, sites.nr, 1000);
	KUNIT_EXPECT_FALSE(test, sites.full);
	for (i = 0; i < sites.nr; i++) {
		bytes += sites.site[i].bytes;
		KUNIT_EXPECT_EQ(test, sites.site[i].caller, 1 + i);
	}
	KUNIT_EXPECT_EQ(test, bytes, 1000 * PAGE_SIZE);
	myalloc_sites_print(&sites, "zone", "z", 2);
	myalloc_sites_free(&sites);
	for (; i < 13000; i++)
		KUNIT_ASSERT_NOT_NULL(test, myalloc_extent_alloc(fx->zone, 1, 0, 0, 0, 1 + i));
	KUNIT_ASSERT_EQ(test, myalloc_sites_collect(&sites, fx->zone, NULL, 0), 0);
	KUNIT_EXPECT_TRUE(test, sites.full);
	KUNIT_EXPECT_LT(test, sites.nr, 13000);
	myalloc_sites_free(&sites);
	if (fixture_fail_after(1)) {
		KUNIT_EXPECT_EQ(test, myalloc_sites_collect(&sites, fx->zone, NULL, 0), -ENOMEM);
		KUNIT_EXPECT_TRUE(test, fixture_fail_fired());
	}
	myalloc_client_free_extents(fx->zone, 0, false);
	expect_pristine(fx);
}

static void client_busy(struct kunit *test)
{
	struct fixture *fx = zone_with(test, NULL);
	struct myalloc_client *top = client_of(fx, &(struct myalloc_client_args){ .name = "top" });
	struct myalloc_client *client = client_of(fx, &(struct myalloc_client_args){
		.name = "frob", .parent = top, .checks = MYALLOC_OWNER });
	struct myalloc_cache *cache = cache_of(fx, client, "requests", 0);
	struct myalloc_heap *heap;
	void *object, *pages;
	char text[128];

	object = myalloc_cache_alloc(cache, 0);
	KUNIT_ASSERT_NOT_NULL(test, object);
	scnprintf(text, sizeof(text),
		  "client top cannot end: it has 0 caches, 0 fronts, %lu pages, 1 client below it",
		  BIT(cache->layout.order));
	KUNIT_EXPECT_EQ(test, myalloc_client_end(top, 0), -EBUSY);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), text);
	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "cannot be destroyed: client top still exists");
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), -EBUSY);	/* the cache */
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	heap = myalloc_heap_create(fx->zone, &(struct myalloc_heap_args){
		.name = "heap", .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(heap), 0);
	pages = myalloc_client_pages_alloc(client, 1, 0, 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), -EBUSY);
	if (fixture_fail_after(1)) {	/* only the sum is known */
		KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), -EBUSY);
		KUNIT_EXPECT_TRUE(test, fixture_fail_fired());
	}
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "client frob cannot end: it has 0 caches, 0 fronts, 1 page, 0 clients below it");
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, MYALLOC_RELEASE_POISON), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(client, pages, 1), 0);
	expect_end(fx, client);
	expect_end(fx, top);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(NULL, 0), 0);
	expect_pristine(fx);
}

static void make_objects(void *object)
{
	*(u64 *)object = 1;
}

/* How many fill() allocates of each kind; the last kind are objects that keep their content. */
#define FILLED	11
#define POISONED	9

/* One of each, with something allocated. */
static void fill(struct fixture *fx, struct myalloc_client *client, u8 **memory)
{
	struct kunit *test = fx->test;
	struct myalloc_cache *cache;
	struct myalloc_frames *frames;
	struct myalloc_arena *arena;
	struct myalloc_pool *pool;
	struct myalloc_heap *heap;
	struct myalloc_ring *ring;
	unsigned long irq, lock_irq;
	u32 i;

	cache = cache_of(fx, client, "plain", 0);
	memory[0] = myalloc_cache_alloc(cache, 0);
	for (i = 0; i < 99; i++)
		KUNIT_ASSERT_NOT_NULL(test, myalloc_cache_alloc(cache, 0));
	cache = cache_of(fx, client, "trusting", MYALLOC_TRUSTING);
	for (i = 0; i < 40; i++)
		memory[1] = myalloc_cache_alloc(cache, 0);
	myalloc_cache_free(cache, memory[1]);
	memory[1] = myalloc_cache_alloc(cache, 0);
	cache = myalloc_cache_create(fx->zone, &(struct myalloc_cache_args){
		.name = "small", .object_size = 16, .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	for (i = 0; i < 200; i++)
		KUNIT_ASSERT_NOT_NULL(test, myalloc_cache_alloc(cache, 0));
	cache = cache_of(fx, client, "rcu", MYALLOC_TYPESAFE_RCU);
	memory[9] = myalloc_cache_alloc(cache, 0);
	cache = myalloc_cache_create(fx->zone, &(struct myalloc_cache_args){
		.name = "ctor", .object_size = 64, .ctor = make_objects, .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	memory[10] = myalloc_cache_alloc(cache, 0);
	memory[2] = myalloc_client_pages_alloc(client, 3, 0, 0);

	heap = myalloc_heap_create(fx->zone, &(struct myalloc_heap_args){
		.name = "heap", .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	memory[3] = myalloc_heap_alloc(heap, 100, 0);
	memory[4] = myalloc_heap_alloc(heap, 20 * PAGE_SIZE, 0);
	pool = myalloc_pool_create(fx->zone, &(struct myalloc_pool_args){
		.name = "pool", .object_size = 64, .nr = 20, .nmi = 2, .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	memory[5] = myalloc_pool_alloc(pool, 0);
	raw_spin_lock_irqsave(&pool->cache->lock, lock_irq);
	irq = fixture_nmi_enter();
	KUNIT_EXPECT_PTR_EQ(test, myalloc_pool_alloc(pool, 0), pool->spares.object[0]);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&pool->cache->lock, lock_irq);
	ring = myalloc_ring_create(fx->zone, &(struct myalloc_ring_args){
		.name = "ring", .size = PAGE_SIZE, .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ring);
	KUNIT_EXPECT_NOT_NULL(test, myalloc_ring_reserve(ring, 8));
	memory[6] = ring->blocks[0];
	arena = myalloc_arena_create(fx->zone, &(struct myalloc_arena_args){
		.name = "arena", .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, arena);
	memory[7] = myalloc_arena_alloc(arena, 100, 8);
	frames = myalloc_frames_create(fx->zone, &(struct myalloc_arena_args){
		.name = "frames", .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
	memory[8] = myalloc_frames_alloc(frames, 100, 8);
	for (i = 0; i < FILLED; i++) {
		KUNIT_ASSERT_NOT_NULL(test, memory[i]);
		memset(memory[i], 0x11 + i, 16);
	}
}

static void client_release(struct kunit *test)
{
	static const u8 poison[16] = { [0 ... 15] = MYALLOC_POISON_FREE };
	struct fixture *fx = zone_with(test, NULL);
	u32 round, i;

	for (round = 0; round < 2; round++) {
		struct myalloc_client *top = client_of(fx, &(struct myalloc_client_args){
			.name = "top" });
		struct myalloc_client *client = client_of(fx, &(struct myalloc_client_args){
			.name = "frob", .parent = top });
		struct myalloc_client *lowest = client_of(fx, &(struct myalloc_client_args){
			.name = "lowest", .parent = client });
		struct myalloc_client *other = client_of(fx, &(struct myalloc_client_args){
			.name = "other" });
		unsigned int flags = MYALLOC_RELEASE_ALL | (round ? MYALLOC_RELEASE_POISON : 0);
		void *theirs = myalloc_client_pages_alloc(other, 2, 0, 0);
		u8 *memory[FILLED];

		KUNIT_ASSERT_NOT_NULL(test, theirs);
		KUNIT_EXPECT_NOT_NULL(test, myalloc_client_pages_alloc(lowest, 1, 0, 0));
		fill(fx, client, memory);
		KUNIT_EXPECT_EQ(test, myalloc_client_end(top, flags), 0);
		for (i = 0; i < FILLED; i++)
			KUNIT_EXPECT_EQ_MSG(test, !memcmp(fixture_touch(memory[i], 16), poison, 16),
					    round && i < POISONED, "memory %u", i);
		expect_counted(test, other, 2);
		KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(other, theirs, 2), 0);
		expect_end(fx, other);
		expect_pristine(fx);
	}
}

/* Damaged metadata keeps an object, and so the client. */
static void client_release_damaged(struct kunit *test)
{
	struct fixture *fx = zone_with(test, NULL);
	struct myalloc_client *client = client_of(fx, &(struct myalloc_client_args){
		.name = "frob" });
	struct myalloc_cache *cache = cache_of(fx, client, "requests", MYALLOC_NO_MAGAZINE);
	struct myalloc_heap *heap;
	void *object, *memory;
	u8 *state;

	object = myalloc_cache_alloc(cache, 0);
	KUNIT_ASSERT_NOT_NULL(test, object);
	state = myalloc_object_state(cache, object);
	*state = MYALLOC_SLOT_MOVING;
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, MYALLOC_RELEASE_ALL), -EBUSY);
	*state = MYALLOC_SLOT_LIVE;
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	heap = myalloc_heap_create(fx->zone, &(struct myalloc_heap_args){
		.name = "heap", .client = client, .flags = MYALLOC_NO_MAGAZINE });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	memory = myalloc_heap_alloc(heap, 64, 0);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	state = myalloc_object_state(heap->cache[myalloc_heap_class(64)], memory);
	*state = MYALLOC_SLOT_MOVING;
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, MYALLOC_RELEASE_ALL), -EBUSY);
	*state = MYALLOC_SLOT_LIVE;
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, MYALLOC_RELEASE_ALL), 0);
	expect_pristine(fx);
}

/* No other client was created by the code that created c. */
static unsigned long created_at;

static bool is_code(unsigned long caller, const void *owner)
{
	return caller == created_at;
}

static u32 orphan(struct fixture *fx, const void *owner)
{
	return myalloc_client_orphan(fx->zone, &(struct myalloc_leaver){
		.owner = owner, .words = "module frob", .is_code = is_code });
}

/* Caches and fronts that code created without a client and left are reported, even if empty. */
static void client_makers(struct kunit *test)
{
	struct fixture *fx = zone_with(test, NULL);
	struct myalloc_client *client = client_of(fx, &(struct myalloc_client_args){
		.name = "frob" });
	const struct myalloc_leaver frob = { .words = "module frob", .is_code = is_code };
	struct myalloc_cache *other = cache_of(fx, client, "others", 0);
	struct myalloc_cache *cache = cache_of(fx, NULL, "forgotten", 0);
	struct myalloc_heap *heap = myalloc_heap_create(fx->zone, &(struct myalloc_heap_args){
		.name = "web" });
	void *object = myalloc_cache_alloc(cache, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	KUNIT_EXPECT_TRUE(test, fixture_called_by(cache->maker, cache_of));
	created_at = 0;
	KUNIT_EXPECT_EQ(test, myalloc_makers_report(fx->zone, &frob, 2), 0);
	created_at = cache->maker;
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_makers_report(fx->zone, &frob, 2), 1);
	KUNIT_EXPECT_EQ(test, fixture_log_count("cache forgotten is left with 1 object in use"), 1);
	KUNIT_EXPECT_EQ(test, fixture_log_count("module frob: cache forgotten is left"), 1);
	KUNIT_EXPECT_EQ(test, fixture_log_count("others"), 0);
	/* The report does not list the heap's own caches. */
	created_at = heap->front.maker;
	KUNIT_EXPECT_EQ(test, myalloc_makers_report(fx->zone, &frob, 2), 1);
	KUNIT_EXPECT_EQ(test, fixture_log_count("module frob: heap web is left, created at "), 1);
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_makers_report(fx->zone, &frob, 0), 1);
	KUNIT_EXPECT_EQ(test, fixture_log_count("module frob: 1 more caches and others are left"),
			1);
	KUNIT_EXPECT_EQ(test, fixture_log_count("web"), 0);
	KUNIT_EXPECT_EQ(test, myalloc_heap_destroy(heap), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(other), 0);
	expect_end(fx, client);
	expect_pristine(fx);
}

static void client_orphans(struct kunit *test)
{
	const struct myalloc_client_args again = { .name = "a" };
	struct myalloc_client *c;
	struct fixture *fx = zone_with(test, NULL);
	struct myalloc_client *a = client_of(fx, &(struct myalloc_client_args){
		.name = "a", .owner = fx, .owner_name = "module frob" });
	struct myalloc_client *b = client_of(fx, &(struct myalloc_client_args){
		.name = "b", .owner = test });
	void *pages = myalloc_client_pages_alloc(a, 3, 0, 0);

	created_at = 0;
	c = client_of(fx, &(struct myalloc_client_args){ .name = "c" });
	KUNIT_EXPECT_TRUE(test, fixture_called_by(c->caller, client_of));
	KUNIT_EXPECT_EQ(test, orphan(fx, fx), 1);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "client a: module frob is gone and has left 3 pages behind");
	KUNIT_EXPECT_EQ(test, stats_now(a).gone, 1);
	KUNIT_EXPECT_EQ(test, stats_now(b).gone, 0);
	KUNIT_EXPECT_EQ(test, orphan(fx, fx), 0);
	/* A client without an owner belongs to the code that created it. */
	created_at = c->caller;
	KUNIT_EXPECT_EQ(test, stats_now(c).gone, 0);
	KUNIT_EXPECT_EQ(test, orphan(fx, fx), 1);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "client c: module frob is gone and has left 0 pages behind");
	KUNIT_EXPECT_EQ(test, stats_now(c).gone, 1);
	KUNIT_EXPECT_EQ(test, stats_now(b).gone, 0);
	expect_end(fx, c);
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_client_create(fx->zone, &again)), -EEXIST);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(a, pages, 3), 0);
	expect_end(fx, a);
	expect_end(fx, b);
	expect_pristine(fx);
}

/* Expect that something left by module frob has the name "a", and that the report says @text. */
static void expect_in_the_way(struct fixture *fx, const char *text, int line)
{
	const struct myalloc_client_args again = { .name = "a" };

	KUNIT_EXPECT_EQ_MSG(fx->test, PTR_ERR(myalloc_client_create(fx->zone, &again)), -EEXIST,
			    "line %d", line);
	KUNIT_EXPECT_STREQ_MSG(fx->test, fixture_report(fx), text, "line %d", line);
}

#define TAKEN "client a: the name is already used by a client of module frob, which is gone"

/* The report about a cache's name that is in use says whose cache has it. */
static void client_cache_in_the_way(struct kunit *test)
{
	struct fixture *fx = zone_with(test, NULL);
	struct myalloc_client *a = client_of(fx, &(struct myalloc_client_args){
		.name = "a", .owner = fx, .owner_name = "module frob" });
	struct myalloc_cache *cache = cache_of(fx, a, "requests", 0);

	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_cache_create(fx->zone, &(struct myalloc_cache_args){
		.name = "requests", .object_size = 8 })), -EEXIST);
	KUNIT_EXPECT_NOT_NULL(test, strstr(fixture_report(fx),
					   " for client a of module frob, with 0 objects in use"));
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(a, 0), 0);
}

/* A name in use is reported with what has it, a limited number of times. */
static void client_in_the_way(struct kunit *test)
{
	const struct myalloc_client_args again = { .name = "a" };
	struct fixture *fx = zone_with(test, NULL);
	struct myalloc_client *a = client_of(fx, &(struct myalloc_client_args){
		.name = "a", .owner = fx, .owner_name = "module frob" });
	struct myalloc_cache *cache;
	char symbol[MYALLOC_ENV_SYMBOL];
	char text[MYALLOC_REPORT_SIZE];
	void *pages, *object, *third, *others;

	KUNIT_EXPECT_EQ(test, orphan(fx, fx), 1);
	others = myalloc_pages_alloc(fx->zone, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, others);
	expect_in_the_way(fx, TAKEN, __LINE__);	/* pages of no client are not listed */
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, others, 0), 0);

	cache = cache_of(fx, a, "requests", 0);
	object = myalloc_cache_alloc(cache, 0);
	KUNIT_ASSERT_NOT_NULL(test, object);
	expect_in_the_way(fx, TAKEN
			  " and has 1 object of requests left, allocated at a call site that is not recorded",
			  __LINE__);
	pages = myalloc_client_pages_alloc(a, 3, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	fixture_symbol(myalloc_map_frame(&fx->zone->map, pages)->caller, symbol, sizeof(symbol));
	scnprintf(text, sizeof(text),
		  TAKEN " and has 3 pages left, allocated at %s, and more from 1 other call site",
		  symbol);
	expect_in_the_way(fx, text, __LINE__);
	third = myalloc_client_pages_alloc(a, 1, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, third);
	scnprintf(text, sizeof(text),
		  TAKEN " and has 3 pages left, allocated at %s, and more from 2 other call sites",
		  symbol);
	expect_in_the_way(fx, text, __LINE__);

	fixture_log_mark();
	if (fixture_fail_after(2)) {	/* the client exists, but the list fails */
		KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_client_create(fx->zone, &again)), -EEXIST);
		KUNIT_EXPECT_TRUE(test, fixture_fail_fired());
		KUNIT_EXPECT_STREQ(test, fixture_report(fx), TAKEN);
	}
	fixture_set_ratelimit(true);
	fx->zone->reports.burst = 0;
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_client_create(fx->zone, &again)), -EEXIST);
	KUNIT_EXPECT_EQ(test, fixture_log_count("already used"), 0);
	fx->zone->reports.burst = U32_MAX;
	fixture_set_ratelimit(false);

	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(a, third, 1), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(a, pages, 3), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	expect_end(fx, a);
	expect_pristine(fx);
}

static bool first_only(struct myalloc_client *client, void *arg)
{
	*(struct myalloc_client **)arg = client;
	return false;
}

static void client_args(struct kunit *test)
{
	struct fixture *fx = zone_with(test, NULL), *fx2 = zone_with(test, NULL);
	struct myalloc_client_args bad[] = {
		{ .name = NULL },
		{ .name = "a b" },
		{ .name = "frob", .checks = MYALLOC_RANDOM },
		{ .name = "frob", .soft_pages = 3, .hard_pages = 2 },
		{ .name = "frob" },
	};
	struct myalloc_client *chain[MYALLOC_CLIENT_DEPTH], *first, *far;
	struct myalloc_client_args args = { .name = "far" };
	struct myalloc_client *many[MYALLOC_OWNERS_KINDS];
	char name[16];
	u32 i;

	myalloc_client_walk(fx2->zone, first_only, NULL);
	for (i = 1; i <= 2 && fixture_fail_after(i); i++) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_client_create(fx2->zone, &args)), -ENOMEM);
		KUNIT_EXPECT_TRUE(test, fixture_fail_fired());
	}
	far = client_of(fx2, &args);
	bad[4].parent = far;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_client_create(fx->zone, &bad[i])), -EINVAL);
	for (i = 0; i < MYALLOC_CLIENT_DEPTH; i++) {
		scnprintf(name, sizeof(name), "c%u", i);
		args.name = name;
		chain[i] = client_of(fx, &args);
		KUNIT_EXPECT_EQ(test, chain[i]->depth, i);
		args.parent = chain[i];
	}
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_client_create(fx->zone, &args)), -EINVAL);
	args.parent = NULL;
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_client_create(fx->zone, &args)), -EEXIST);
	myalloc_client_walk(fx->zone, first_only, &first);
	KUNIT_EXPECT_PTR_EQ(test, first, chain[0]);
	/* Nothing can be created for a client of another zone. */
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_cache_create(fx->zone, &(struct myalloc_cache_args){
		.name = "cache", .object_size = 8, .client = far })), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_heap_create(fx->zone, &(struct myalloc_heap_args){
		.name = "heap", .client = far })), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(chain[0], MYALLOC_RELEASE_ALL), 0);
	for (i = 1; i < MYALLOC_OWNERS_KINDS; i++) {
		scnprintf(name, sizeof(name), "c%u", i);
		many[i] = client_of(fx, &args);
	}
	args.name = "more";
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_client_create(fx->zone, &args)), -ENOSPC);
	while (--i)
		expect_end(fx, many[i]);
	if (fixture_fail_after(1)) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_client_create(fx->zone, &args)), -ENOMEM);
		KUNIT_EXPECT_TRUE(test, fixture_fail_fired());
	}
	expect_end(fx2, far);
	expect_pristine(fx);
}

static void client_wrong_frees(struct kunit *test)
{
	struct fixture *fx = zone_with(test, NULL);
	struct myalloc_client *a = client_of(fx, &(struct myalloc_client_args){ .name = "a" });
	struct myalloc_client *b = client_of(fx, &(struct myalloc_client_args){ .name = "b" });
	void *pages = myalloc_client_pages_alloc(a, 4, 0, 0);

	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(b, pages, 4), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(a, pages, 3), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(fx->zone, pages, 4), -EINVAL);
	expect_counted(test, a, 4);
	expect_counted(test, b, 0);
	KUNIT_EXPECT_EQ(test, myalloc_free(fx->zone, pages), 0);
	expect_counted(test, a, 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(a, pages, 4), -EINVAL);
	expect_counted(test, a, 0);
	expect_end(fx, a);
	expect_end(fx, b);
	expect_pristine(fx);
}

static struct kunit_case client_cases[] = {
	KUNIT_CASE(client_counts),
	KUNIT_CASE(client_hard),
	KUNIT_CASE(client_zone_full),
	KUNIT_CASE(client_soft),
	KUNIT_CASE(client_race),
	KUNIT_CASE(client_sites),
	KUNIT_CASE(client_sites_stacks),
	KUNIT_CASE(client_sites_many),
	KUNIT_CASE(client_busy),
	KUNIT_CASE(client_release),
	KUNIT_CASE(client_release_damaged),
	KUNIT_CASE(client_makers),
	KUNIT_CASE(client_orphans),
	KUNIT_CASE(client_in_the_way),
	KUNIT_CASE(client_cache_in_the_way),
	KUNIT_CASE(client_args),
	KUNIT_CASE(client_wrong_frees),
	{}
};

static struct kunit_suite client_suite = {
	.name = "myalloc_client",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = client_cases,
};

kunit_test_suite(client_suite);
