// SPDX-License-Identifier: GPL-2.0
/*
 * Every failure path: the k-th internal allocation fails, k = 1, 2, ... until none does
 *
 * There are two kinds of operations. Those that create something (zones, caches, heaps, contracts)
 * allocate metadata: for each k they must return -ENOMEM, leave no memory behind and the zone
 * unchanged, and finally succeed. All others must not allocate metadata at all, which makes them
 * callable in any context; this is checked by counting. They allocate only blocks of the zone: to
 * make these fail, the zone is limited to k blocks.
 */
#include "env.h"
#include "ktap.h"
#include "program.h"
#include "client/client.h"
#include "object/limbo.h"
#include "page/drain.h"
#include "zone/validate.h"

#define CHUNK_ORDER	6

static void *chunk[2];
static bool failed;

__printf(1, 2)
static void wrong(const char *fmt, ...)
{
	char text[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ktap_note("%s", text);
	failed = true;
}

#define EXPECT(cond, fmt, ...) \
	do { if (!(cond)) wrong("line %d: " fmt, __LINE__, ##__VA_ARGS__); } while (0)

static struct myalloc_zone_args zone_args(void)
{
	return (struct myalloc_zone_args){
		.name = "z", .chunks = chunk, .nr_chunks = 2, .chunk_order = CHUNK_ORDER,
		.nr_pages = 2 << CHUNK_ORDER, .node = NUMA_NO_NODE,
	};
}

static void validate(struct myalloc_zone *zone)
{
	struct myalloc_validation v;

	EXPECT(myalloc_zone_validate(zone, &v), "%s", v.first);
}

/* --- zones ------------------------------------------------------------------------ */

static void try_zone(const char *name, const struct myalloc_zone_args *args)
{
	struct myalloc_zone *zone;
	unsigned long k;

	failed = false;
	for (k = 1; k < 1000; k++) {
		host_fail_after(k);
		zone = myalloc_zone_create(args);
		if (!host_fail_fired())
			break;
		EXPECT(IS_ERR(zone) && PTR_ERR(zone) == -ENOMEM, "allocation %lu: %ld", k,
		       PTR_ERR(zone));
		EXPECT(!host_live_allocs(), "allocation %lu: %lu were left", k, host_live_allocs());
	}
	host_fail_after(0);
	EXPECT(!IS_ERR(zone), "%ld without failures", PTR_ERR(zone));
	EXPECT(k > 4, "only %lu allocations", k - 1);
	validate(zone);
	EXPECT(!myalloc_zone_destroy(zone), "zone does not end");
	EXPECT(!host_live_allocs(), "%lu allocations left", host_live_allocs());
	ktap_result(!failed, "zone, %s: %lu allocations failed in turn", name, k - 1);
}

static void test_zones(void)
{
	struct myalloc_zone_args args = zone_args();

	try_zone("plain", &args);
	args.no_magazines = true;
	try_zone("without magazines", &args);
	args = zone_args();
	args.checks = MYALLOC_CHECKS;
	try_zone("all checks", &args);
	args = zone_args();
	args.nr_pages -= 5;
	args.policy = MYALLOC_FIRST_FIT;
	try_zone("partial, first fit", &args);
}

/* --- caches ------------------------------------------------------------------------- */

static void ctor(void *object)
{
	memset(object, 1, 100);
}

/*
 * A cache is one allocation, and two more if it begins with magazines. Whether a zone as small as
 * this one has room for them depends on the page size.
 */
static void try_cache(const char *name, const struct myalloc_cache_args *cache_args)
{
	bool may = !(cache_args->flags & (MYALLOC_CHECKS | MYALLOC_NO_MAGAZINE));
	struct myalloc_zone_args args = zone_args();
	struct myalloc_zone *zone = myalloc_zone_create(&args);
	unsigned long k, before = host_live_allocs();
	struct myalloc_zone_stats stats, after;
	struct myalloc_cache_stats of_cache;
	struct myalloc_cache *cache;

	failed = false;
	myalloc_zone_stats(zone, &stats);
	for (k = 1; k < 1000; k++) {
		host_fail_after(k);
		cache = myalloc_cache_create(zone, cache_args);
		if (!host_fail_fired())
			break;
		EXPECT(IS_ERR(cache) && PTR_ERR(cache) == -ENOMEM, "allocation %lu: %ld", k,
		       PTR_ERR(cache));
		EXPECT(host_live_allocs() == before, "allocation %lu: %lu were left", k,
		       host_live_allocs() - before);
		validate(zone);
		myalloc_zone_stats(zone, &after);
		EXPECT(!memcmp(&stats, &after, sizeof(stats)), "the zone's statistics have changed");
	}
	host_fail_after(0);
	EXPECT(!IS_ERR(cache), "%ld without failures", PTR_ERR(cache));
	myalloc_cache_stats(cache, &of_cache);
	/* The cache; its per-CPU part, also if there turns out to be no room; its magazines. */
	EXPECT(k - 1 == (of_cache.magazine ? 3 : may ? 2 : 1),
	       "%lu allocations with magazines of %u", k - 1, of_cache.magazine);
	EXPECT(of_cache.magazine >= cache_args->magazine, "magazines of %u", of_cache.magazine);
	EXPECT(!myalloc_cache_destroy(cache), "cache does not end");
	EXPECT(host_live_allocs() == before, "%lu allocations left", host_live_allocs() - before);
	EXPECT(!myalloc_zone_destroy(zone), "zone does not end");
	ktap_result(!failed, "cache, %s: %lu allocations failed in turn", name, k - 1);
}

static void test_caches(void)
{
	struct myalloc_cache_args args = { .name = "c", .object_size = 100 };

	try_cache("plain", &args);
	args.magazine = 7;
	try_cache("with a magazine size", &args);
	args.ctor = ctor;
	try_cache("with a constructor", &args);
	args = (struct myalloc_cache_args){ .name = "c", .object_size = 100,
					    .flags = MYALLOC_CHECKS };
	try_cache("with checks", &args);
	args.flags = MYALLOC_NO_MAGAZINE;
	try_cache("without magazines", &args);
}

static void try_heap(const char *name, const struct myalloc_heap_args *heap_args)
{
	struct myalloc_zone_args args = zone_args();
	struct myalloc_zone *zone = myalloc_zone_create(&args);
	unsigned long k, before = host_live_allocs();
	struct myalloc_zone_stats stats, after;
	struct myalloc_heap *heap;

	failed = false;
	myalloc_zone_stats(zone, &stats);
	for (k = 1; k < 1000; k++) {
		host_fail_after(k);
		heap = myalloc_heap_create(zone, heap_args);
		if (!host_fail_fired())
			break;
		EXPECT(IS_ERR(heap) && PTR_ERR(heap) == -ENOMEM, "allocation %lu: %ld", k,
		       PTR_ERR(heap));
		EXPECT(host_live_allocs() == before, "allocation %lu: %lu were left", k,
		       host_live_allocs() - before);
		validate(zone);
		myalloc_zone_stats(zone, &after);
		EXPECT(!memcmp(&stats, &after, sizeof(stats)), "the zone's statistics have changed");
		EXPECT(!zone->owners, "a number is left");
	}
	host_fail_after(0);
	EXPECT(!IS_ERR(heap), "%ld without failures", PTR_ERR(heap));
	EXPECT(k > 44, "only %lu allocations", k - 1);
	EXPECT(!myalloc_heap_destroy(heap), "heap does not end");
	EXPECT(host_live_allocs() == before, "%lu allocations left", host_live_allocs() - before);
	EXPECT(!myalloc_zone_destroy(zone), "zone does not end");
	ktap_result(!failed, "heap, %s: %lu allocations failed in turn", name, k - 1);
}

static struct myalloc_arena_args arena_args(myalloc_cache_flags_t flags)
{
	return (struct myalloc_arena_args){
		.name = "a", .block_size = PAGE_SIZE, .percpu = true, .flags = flags,
	};
}

static void test_arenas(void)
{
	struct myalloc_zone_args args = zone_args();
	struct myalloc_zone *zone = myalloc_zone_create(&args);
	struct myalloc_arena_args of_arena = arena_args(0);
	unsigned long k, before = host_live_allocs();
	struct myalloc_frames *frames;

	failed = false;
	for (k = 1; k < 100; k++) {
		host_fail_after(k);
		frames = myalloc_frames_create(zone, &of_arena);
		if (!host_fail_fired())
			break;
		EXPECT(IS_ERR(frames) && PTR_ERR(frames) == -ENOMEM, "allocation %lu: %ld", k,
		       PTR_ERR(frames));
		EXPECT(host_live_allocs() == before, "allocation %lu: %lu were left", k,
		       host_live_allocs() - before);
		validate(zone);
		EXPECT(list_empty(&zone->fronts), "an arena is left");
	}
	host_fail_after(0);
	EXPECT(!IS_ERR(frames), "%ld without failures", PTR_ERR(frames));
	EXPECT(k > 7, "only %lu allocations", k - 1);
	myalloc_frames_destroy(frames);
	EXPECT(host_live_allocs() == before, "%lu allocations left", host_live_allocs() - before);
	EXPECT(!myalloc_zone_destroy(zone), "zone does not end");
	ktap_result(!failed, "frames: %lu allocations failed in turn", k - 1);
}

/* --- contracts ----------------------------------------------------------------------- */

static const u32 extent_sizes[] = { 3, 5 };

static const struct myalloc_contract_line contract_lines[] = {
	{ .kind = MYALLOC_CONTRACT_PAGES, .pages = 12, .orders = 0x5 },
	{ .kind = MYALLOC_CONTRACT_EXTENTS, .pages = 10, .sizes = extent_sizes, .nr_sizes = 2 },
	{ .kind = MYALLOC_CONTRACT_OBJECTS, .count = 20, .nmi = 1,
	  .cache = { .name = "c", .object_size = 100 } },
	{ .kind = MYALLOC_CONTRACT_PAGES, .pages = 4, .orders = 0x2, .nmi = 2 },
};

/* Is the zone unchanged, except for counters that only grow? */
static void check_unchanged(struct myalloc_zone *zone, const struct myalloc_zone_stats *before,
			    unsigned long owners)
{
	struct myalloc_zone_stats after;
	u32 k;

	validate(zone);
	myalloc_zone_stats(zone, &after);
	EXPECT(after.free_pages == before->free_pages && after.nr_caches == before->nr_caches,
	       "%llu pages are free, not %llu", after.free_pages, before->free_pages);
	EXPECT(!memcmp(after.free_blocks, before->free_blocks, sizeof(after.free_blocks)),
	       "the free blocks are others");
	for (k = 0; k < MYALLOC_NR_ORDERS; k++)
		EXPECT(after.page_allocs[k] - after.page_frees[k] ==
		       before->page_allocs[k] - before->page_frees[k],
		       "order %u: %llu allocs, %llu frees", k, after.page_allocs[k],
		       after.page_frees[k]);
	EXPECT(list_empty(&zone->fronts), "a contract is left");
	EXPECT(zone->owners == owners, "a number is left");
	for (k = 0; zone->children && k < MYALLOC_CHILDREN_MAX; k++)
		EXPECT(!zone->children->zone[k], "child %u is left", k);
}

/* Metadata that stays: the table of children, which the first contract makes. */
static unsigned long lasting(const struct myalloc_zone *zone, unsigned long before)
{
	return before + !!zone->children;
}

static void try_contract(const char *name, u32 nr, unsigned int flags)
{
	const struct myalloc_client_args client_args = { .name = "k", .hard_pages = 128 };
	struct myalloc_zone_args args = zone_args();
	struct myalloc_zone *zone = myalloc_zone_create(&args);
	struct myalloc_client *client = myalloc_client_create(zone, &client_args);
	unsigned long k, before = host_live_allocs(), owners = zone->owners;
	struct myalloc_contract_plan plan;
	const struct myalloc_client_extents extents = { };
	struct myalloc_client_stats usage;
	struct myalloc_zone_stats stats;
	struct myalloc_contract *c;

	failed = false;
	myalloc_zone_stats(zone, &stats);
	for (k = 1; k < 1000; k++) {
		host_fail_after(k);
		c = myalloc_client_contract_create(client, "frob", contract_lines, nr, flags,
						   &plan);
		if (!host_fail_fired())
			break;
		EXPECT(IS_ERR(c) && PTR_ERR(c) == -ENOMEM, "allocation %lu: %ld", k, PTR_ERR(c));
		EXPECT(host_live_allocs() == lasting(zone, before), "allocation %lu: %ld were left",
		       k, (long)(host_live_allocs() - lasting(zone, before)));
		myalloc_client_stats(client, &extents, &usage);
		EXPECT(!usage.pages, "%llu pages count for the client", usage.pages);
		check_unchanged(zone, &stats, owners);
	}
	host_fail_after(0);
	EXPECT(!IS_ERR(c), "%ld without failures", PTR_ERR(c));
	EXPECT(k - 1 > 5 * nr, "only %lu allocations", k - 1);
	EXPECT(!myalloc_contract_end(c, 0), "contract does not end");
	EXPECT(host_live_allocs() == before + 1, "%lu allocations left",
	       host_live_allocs() - before - 1);
	check_unchanged(zone, &stats, owners);
	EXPECT(!myalloc_client_end(client, 0), "client does not end");
	EXPECT(!myalloc_zone_destroy(zone), "zone does not end");
	EXPECT(!host_live_allocs(), "%lu allocations left", host_live_allocs());
	ktap_result(!failed, "contract, %s: %lu allocations failed in turn", name, k - 1);
}

/*
 * Others have left k adjacent free pages, k = 0, 1, ...: until k suffices, a contract is refused
 * with the numbers that are short, and changes nothing.
 */
static void test_short_contracts(void)
{
	struct myalloc_zone_args args = zone_args();
	struct myalloc_zone *zone = myalloc_zone_create(&args);
	unsigned long before = host_live_allocs();
	struct myalloc_contract *c = NULL;
	struct myalloc_contract_plan plan;
	struct myalloc_zone_stats stats;
	void *held[2 << CHUNK_ORDER];
	u32 k, nr = 2 << CHUNK_ORDER;

	failed = false;
	EXPECT(myalloc_pages_alloc_bulk(zone, 0, 0, nr, held) == nr, "bulk");
	for (k = 0; k <= nr; k++) {
		EXPECT(!k || !myalloc_pages_free(zone, held[k - 1], 0), "page");
		myalloc_zone_drain(zone);
		myalloc_zone_stats(zone, &stats);
		c = myalloc_contract_create(zone, "frob", contract_lines,
					    ARRAY_SIZE(contract_lines), 0, &plan);
		if (!IS_ERR(c))
			break;
		EXPECT(PTR_ERR(c) == -ENOSPC, "with %u pages: %ld", k, PTR_ERR(c));
		EXPECT(plan.blocks_short, "with %u pages nothing is short", k);
		EXPECT(plan.pages_short == (plan.pages > k ? plan.pages - k : 0),
		       "%u pages of %u short with %u", plan.pages_short, plan.pages, k);
		EXPECT(host_live_allocs() == lasting(zone, before), "%ld allocations left",
		       (long)(host_live_allocs() - lasting(zone, before)));
		check_unchanged(zone, &stats, 0);
	}
	EXPECT(k >= plan.pages && k < nr, "made with %u pages of %u", k, plan.pages);
	EXPECT(!IS_ERR(c) && !myalloc_contract_end(c, 0), "contract does not end");
	EXPECT(myalloc_pages_free_bulk(zone, 0, nr - k, held + k) == nr - k, "free");
	EXPECT(!myalloc_zone_destroy(zone), "zone does not end");
	EXPECT(!host_live_allocs(), "%lu allocations left", host_live_allocs());
	ktap_result(!failed, "contracts with 0 to %u pages of %u", k, plan.pages);
}

static void test_contracts(void)
{
	try_contract("blocks", 1, 0);
	try_contract("blocks and extents, best effort", 2, MYALLOC_CONTRACT_BEST_EFFORT);
	try_contract("objects and NMIs, too", ARRAY_SIZE(contract_lines), 0);
	test_short_contracts();
}

static void test_heaps(void)
{
	struct myalloc_heap_args args = { .name = "h" };

	try_heap("plain", &args);
	args.flags = MYALLOC_CHECKS;
	try_heap("with checks", &args);
}

/* Errors other than lack of memory free everything, too. */
static void test_refusals(void)
{
	struct myalloc_cache_args args = { .name = "c", .object_size = 100 };
	struct myalloc_zone_args z = zone_args();
	struct myalloc_zone *zone = myalloc_zone_create(&z);
	static struct myalloc_cache *cache[MYALLOC_CACHES_MAX];
	unsigned long before;
	char name[16];
	u32 i;

	failed = false;
	cache[1] = myalloc_cache_create(zone, &args);
	before = host_live_allocs();
	EXPECT(PTR_ERR(myalloc_cache_create(zone, &args)) == -EEXIST, "same name twice");
	args.name = "big";
	args.object_size = MYALLOC_MAX_OBJECT + 1;
	EXPECT(PTR_ERR(myalloc_cache_create(zone, &args)) == -EINVAL, "too large");
	args.object_size = 0;
	EXPECT(PTR_ERR(myalloc_cache_create(zone, &args)) == -EINVAL, "no size");
	EXPECT(host_live_allocs() == before, "%lu allocations left", host_live_allocs() - before);

	args.object_size = 100;
	args.flags = MYALLOC_NO_MAGAZINE;
	args.name = name;
	for (i = 2; i < MYALLOC_CACHES_MAX; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		cache[i] = myalloc_cache_create(zone, &args);
		EXPECT(!IS_ERR(cache[i]), "cache %u: %ld", i, PTR_ERR(cache[i]));
	}
	before = host_live_allocs();
	args.name = "onetoomany";
	EXPECT(PTR_ERR(myalloc_cache_create(zone, &args)) == -ENOSPC, "a cache too many");
	EXPECT(host_live_allocs() == before, "%lu allocations left", host_live_allocs() - before);
	EXPECT(myalloc_zone_destroy(zone) == -EBUSY, "zone with caches ended");
	validate(zone);
	for (i = 1; i < MYALLOC_CACHES_MAX; i++)
		EXPECT(!myalloc_cache_destroy(cache[i]), "cache %u does not end", i);
	EXPECT(!myalloc_zone_destroy(zone), "zone does not end");
	EXPECT(!host_live_allocs(), "%lu allocations left", host_live_allocs());
	ktap_result(!failed, "refused caches leave nothing behind");
}

/* --- operations that must not allocate ----------------------------------------------------- */

static struct myalloc_zone *zone;
static struct myalloc_cache *cache;
static struct myalloc_heap *heap;
static struct myalloc_arena *arena;
static struct myalloc_contract *contract;
static void *addr[200];

static void do_page(void)
{
	void *p = myalloc_pages_alloc(zone, 1, MYALLOC_ZERO);

	EXPECT(p && !myalloc_pages_free(zone, p, 1), "page");
}

static void do_page_wait(void)
{
	void *p = myalloc_pages_alloc(zone, CHUNK_ORDER, MYALLOC_MAY_WAIT);

	EXPECT(p && !myalloc_pages_free(zone, p, CHUNK_ORDER), "page");
}

static void do_page_bulk(void)
{
	EXPECT(myalloc_pages_alloc_bulk(zone, 0, 0, 70, addr) == 70, "bulk");
	EXPECT(myalloc_pages_free_bulk(zone, 0, 70, addr) == 70, "bulk");
}

static void do_exact(void)
{
	void *p = myalloc_pages_alloc_exact(zone, 5, 4, MYALLOC_TOPDOWN);

	EXPECT(p && !myalloc_pages_free_exact(zone, p, 5), "exact");
}

static void do_range(void)
{
	void *p = chunk[1] + 3 * PAGE_SIZE;

	EXPECT(!myalloc_pages_alloc_range(zone, p, 9, MYALLOC_MAY_WAIT), "range");
	EXPECT(!myalloc_pages_free_exact(zone, p, 9), "range");
}

static void do_wrong_page(void)
{
	EXPECT(myalloc_pages_free(zone, chunk[0], 2) == -EINVAL, "wrong free");
	EXPECT(myalloc_pages_free_exact(zone, NULL, 2) == -EINVAL, "wrong free");
}

static void do_object(void)
{
	void *p = myalloc_cache_alloc(cache, MYALLOC_ZERO);

	EXPECT(p && myalloc_usable_size(zone, p) && !myalloc_free(zone, p), "object");
}

static void do_object_bulk(void)
{
	EXPECT(myalloc_cache_alloc_bulk(cache, MYALLOC_MAY_WAIT, 200, addr) == 200, "bulk");
	EXPECT(myalloc_cache_free_bulk(cache, 200, addr) == 200, "bulk");
}

static void do_wrong_object(void)
{
	EXPECT(myalloc_cache_free(cache, addr[0]) == -EINVAL, "wrong free");
}

static void do_arena(void)
{
	struct myalloc_arena_mark mark;

	EXPECT(!myalloc_arena_mark(arena, &mark), "mark");
	EXPECT(myalloc_arena_zalloc(arena, 100, 0), "piece");
	EXPECT(myalloc_arena_alloc(arena, 3 * PAGE_SIZE, 0), "large piece");
	EXPECT(!myalloc_arena_rewind(arena, &mark), "rewind");
	EXPECT(myalloc_arena_rewind(arena, &mark) == -EINVAL, "stale mark");
	myalloc_arena_reset(arena);
	EXPECT(myalloc_arena_shrink(arena) == 4, "shrink");
}

static void do_heap(void)
{
	void *p = myalloc_heap_alloc(heap, 100, MYALLOC_ZERO);

	EXPECT(p, "heap");
	p = myalloc_heap_realloc(heap, p, MYALLOC_MAX_OBJECT + 1, MYALLOC_MAY_WAIT);
	EXPECT(p, "pages of a heap");
	p = myalloc_heap_realloc(heap, p, 2 * MYALLOC_MAX_OBJECT, MYALLOC_MAY_WAIT);
	EXPECT(p && myalloc_heap_usable_size(heap, p), "more pages of a heap");
	EXPECT(!myalloc_heap_free(heap, p), "heap");
	EXPECT(myalloc_heap_free(heap, p) == -EINVAL, "wrong free");
	EXPECT(myalloc_heap_alloc_bulk(heap, 50, 0, 60, addr) == 60, "bulk");
	EXPECT(myalloc_heap_free_bulk(heap, 60, addr) == 60, "bulk");
}

static void do_contract(void)
{
	struct myalloc_zone *blocks = myalloc_contract_zone(contract, 0);
	struct myalloc_zone *extents = myalloc_contract_zone(contract, 1);
	struct myalloc_cache *objects = myalloc_contract_cache(contract, 2);
	struct myalloc_contract_plan plan;
	u32 i;

	for (i = 0; i < 3; i++)
		addr[i] = myalloc_pages_alloc(blocks, 2, MYALLOC_MAY_WAIT);
	EXPECT(addr[0] && addr[1] && addr[2], "blocks");
	EXPECT(!myalloc_pages_alloc(blocks, 0, MYALLOC_MAY_WAIT), "a block beyond");
	EXPECT(!myalloc_pages_alloc(blocks, 1, 0), "an order that is not declared");
	EXPECT(myalloc_pages_free_bulk(blocks, 2, 3, addr) == 3, "blocks");
	addr[0] = myalloc_pages_alloc_exact(extents, 5, 0, 0);
	EXPECT(addr[0] && !myalloc_free(zone, addr[0]), "extent");
	EXPECT(myalloc_cache_alloc_bulk(objects, 0, 20, addr) == 20, "objects");
	EXPECT(myalloc_cache_free_bulk(objects, 20, addr) == 20, "objects");
	EXPECT(!myalloc_contract_plan(zone, contract_lines, ARRAY_SIZE(contract_lines), &plan),
	       "plan");
}

static void do_drain(void)
{
	myalloc_cache_drain(cache);
	myalloc_cache_shrink(cache);
	myalloc_zone_drain(zone);
	myalloc_zone_drain_cpu(zone, 1);
}

static void do_look(void)
{
	struct myalloc_zone_stats stats;
	struct myalloc_cache_stats cache_stats;
	char text[80];

	myalloc_zone_stats(zone, &stats);
	myalloc_cache_stats(cache, &cache_stats);
	myalloc_zone_last_report(zone, text, sizeof(text));
	validate(zone);
}

static void do_refused_cache(void)
{
	addr[0] = myalloc_cache_alloc(cache, 0);
	EXPECT(myalloc_cache_destroy(cache) == -EBUSY, "cache with an object out ended");
	EXPECT(!myalloc_cache_free(cache, addr[0]), "object");
}

static void do_refused_heap(void)
{
	addr[0] = myalloc_heap_alloc_aligned(heap, 1, 4096, 0);
	EXPECT(myalloc_heap_destroy(heap) == -EBUSY, "heap with an object out ended");
	EXPECT(!myalloc_heap_free(heap, addr[0]), "heap");
}

static void do_refused_contract(void)
{
	addr[0] = myalloc_cache_alloc(myalloc_contract_cache(contract, 2), 0);
	EXPECT(myalloc_contract_end(contract, 0) == -EBUSY, "contract with an object out ended");
	EXPECT(!myalloc_free(zone, addr[0]), "object");
}

static void do_refused_zone(void)
{
	EXPECT(myalloc_zone_destroy(zone) == -EBUSY, "zone with a cache ended");
}

static void test_others(myalloc_cache_flags_t checks)
{
	static const struct {
		const char *name;
		void (*fn)(void);
		bool lists;	/* lists call sites, in a table if owners are recorded */
	} ops[] = {
		{ "alloc and free of pages", do_page },
		{ "alloc of pages that waits", do_page_wait },
		{ "bulk of pages", do_page_bulk },
		{ "exact sizes", do_exact },
		{ "ranges", do_range },
		{ "wrong frees of pages", do_wrong_page },
		{ "alloc and free of objects", do_object },
		{ "bulk of objects", do_object_bulk },
		{ "wrong frees of objects", do_wrong_object },
		{ "alloc, realloc and free of a heap", do_heap },
		{ "alloc, rewind and reset of an arena", do_arena },
		{ "alloc and free within and beyond a contract, and a plan", do_contract },
		{ "drain and shrink", do_drain },
		{ "statistics and validation", do_look },
		{ "ends of caches that are refused", do_refused_cache, .lists = true },
		{ "ends of heaps that are refused", do_refused_heap, .lists = true },
		{ "ends of contracts that are refused", do_refused_contract, .lists = true },
		{ "ends of zones that are refused", do_refused_zone },
	};
	struct myalloc_cache_args cache_args = { .name = "c", .object_size = 100, .flags = checks };
	struct myalloc_heap_args heap_args = { .name = "h", .flags = checks };
	struct myalloc_arena_args of_arena = arena_args(checks & MYALLOC_POISON);
	struct myalloc_zone_args args = zone_args();
	struct myalloc_contract_plan plan;
	unsigned long before;
	unsigned int i;

	args.checks = checks;
	zone = myalloc_zone_create(&args);
	cache = myalloc_cache_create(zone, &cache_args);
	heap = myalloc_heap_create(zone, &heap_args);
	arena = myalloc_arena_create(zone, &of_arena);
	contract = myalloc_contract_create(zone, "k", contract_lines, ARRAY_SIZE(contract_lines), 0,
					   &plan);
	EXPECT(!IS_ERR(contract), "no contract: %ld", PTR_ERR(contract));
	before = host_live_allocs();
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		unsigned long table = ops[i].lists && checks & MYALLOC_OWNER;

		failed = false;
		host_fail_after(1);
		ops[i].fn();
		EXPECT(host_fail_calls() == table, "%lu allocations", host_fail_calls());
		host_fail_after(0);
		EXPECT(host_live_allocs() == before, "%ld allocations left",
		       (long)(host_live_allocs() - before));
		validate(zone);
		ktap_result(!failed, "%s allocate %s%s", ops[i].name,
			    table ? "no more than a table for the report" : "nothing",
			    checks ? ", with checks" : "");
	}
	host_fail_after(1);
	failed = false;
	EXPECT(!myalloc_contract_end(contract, 0), "contract does not end");
	myalloc_arena_destroy(arena);
	EXPECT(!myalloc_heap_destroy(heap), "heap does not end");
	EXPECT(!myalloc_cache_destroy(cache), "cache does not end");
	EXPECT(!myalloc_zone_destroy(zone), "zone does not end");
	EXPECT(!host_fail_calls(), "%lu allocations", host_fail_calls());
	EXPECT(!host_live_allocs(), "%lu allocations left", host_live_allocs());
	host_fail_after(0);
	ktap_result(!failed, "ends allocate nothing%s", checks ? ", with checks" : "");
}

/* --- the zone has k blocks and no more ------------------------------------------------------ */

/*
 * Bulk allocation when the zone has only k frames for slabs: as many objects as fit are allocated,
 * all of them are usable, and all can be freed.
 */
static void test_blocks(myalloc_cache_flags_t flags)
{
	struct myalloc_cache_args cache_args = { .name = "c", .object_size = 500, .flags = flags };
	struct myalloc_zone_args args = zone_args();
	struct myalloc_cache_stats stats;
	void *held[2 << CHUNK_ORDER];
	unsigned int k, n, nr, full = 0;

	failed = false;
	for (k = 0; k < 64 && !full; k++) {
		zone = myalloc_zone_create(&args);
		cache = myalloc_cache_create(zone, &cache_args);
		nr = myalloc_pages_alloc_bulk(zone, 0, 0, (2 << CHUNK_ORDER) - k, held);
		EXPECT(nr == (2 << CHUNK_ORDER) - k, "%u frames", nr);
		myalloc_zone_drain(zone);	/* returns objects that went to magazines */

		n = myalloc_cache_alloc_bulk(cache, MYALLOC_MAY_WAIT, 200, addr);
		myalloc_cache_stats(cache, &stats);
		full = n == 200;
		EXPECT(full || n == stats.total_objects - stats.cached_objects,
		       "%u objects of %llu", n, stats.total_objects);
		EXPECT(full || (k >> stats.order) >= stats.slabs, "%llu slabs of %u frames",
		       stats.slabs, k);
		EXPECT(full || stats.fails, "no failure was counted");
		validate(zone);
		EXPECT(myalloc_cache_free_bulk(cache, n, addr) == n, "free");
		EXPECT(myalloc_pages_free_bulk(zone, 0, nr, held) == nr, "free");
		EXPECT(!myalloc_cache_destroy(cache), "cache does not end");
		EXPECT(!myalloc_zone_destroy(zone), "zone does not end");
		EXPECT(!host_live_allocs(), "%lu allocations left", host_live_allocs());
	}
	EXPECT(full, "never enough");
	ktap_result(!failed, "objects%s with 0 to %u frames for slabs",
		    flags ? " without magazines" : "", k - 1);
}

int main(int argc, char **argv)
{
	static const struct program_option options[] = { { } };

	program_options(argc, argv,
			"Each internal allocation of each public operation fails in turn.", options);
	host_set_nr_cpus(2);
	chunk[0] = host_chunk_alloc(CHUNK_ORDER + 1);
	chunk[1] = chunk[0] + (PAGE_SIZE << CHUNK_ORDER);
	ktap_plan(4 + 5 + 2 + 4 + 1 + 1 + 2 * 19 + 2);
	test_zones();
	test_caches();
	test_heaps();
	test_contracts();
	test_arenas();
	test_refusals();
	test_others(0);
	test_others(MYALLOC_CHECKS);
	test_blocks(0);
	test_blocks(MYALLOC_NO_MAGAZINE);
	host_chunk_free(chunk[0], CHUNK_ORDER + 1);
	return ktap_end();
}
