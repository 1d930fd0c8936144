// SPDX-License-Identifier: GPL-2.0
/*
 * Trace events: every allocation and free of a user is one event, and nothing else is
 *
 * The hook notes all events. Each case does something, and states the events that follow from it.
 * The functions that act as users lie in a section of their own, so that a call site can be told
 * from an address in lib/.
 *
 * The last case takes random steps, and tracks the memory that users hold in two ways: by results,
 * and by events. Both must always be the same.
 */
#include "env.h"
#include "ktap.h"
#include "program.h"
#include "base/random.h"
#include "front/arena.h"
#include "front/heap.h"
#include "front/pool.h"
#include "front/ring.h"
#include "object/cache.h"
#include "page/drain.h"
#include "zone/elastic.h"
#include "zone/nodes.h"
#include "zone/zone.h"

#define CHUNK_ORDER	6
#define CHUNK_BYTES	(PAGE_SIZE << CHUNK_ORDER)
#define CHUNKS		4
#define ARENA_ORDER	(CHUNK_ORDER + 2)
#define NODE		1	/* not what a field that nobody has set holds */
#define NOTES_MOST	4096
#define TEXT_SIZE	64
#define HELD_MOST	256
#define BULK		7

#define USER	noinline __section("trace_users")

extern const char __start_trace_users[], __stop_trace_users[];

struct note {
	const char *event;
	struct myalloc_env_trace t;
	char name[TEXT_SIZE], as[TEXT_SIZE];	/* on the stack of the reporter */
};

static struct note notes[NOTES_MOST];
static u32 nr_notes;
static void *arena, *chunks[CHUNKS];
static struct myalloc_zone *zone;
static bool ok, moves;	/* with refills and flushes */

static void hook(const char *event, const struct myalloc_env_trace *t)
{
	struct note *n;

	if (!moves && (!strcmp(event, "refill") || !strcmp(event, "flush")))
		return;
	n = &notes[nr_notes++ % NOTES_MOST];
	*n = (struct note){ .event = event, .t = *t };
	strscpy(n->name, t->name ?: "-", sizeof(n->name));
	strscpy(n->as, t->as ?: "-", sizeof(n->as));
}

static void listen(void)
{
	nr_notes = 0;
	host_trace_only = NULL;
	WRITE_ONCE(host_trace_hook, hook);
}

static void deafen(void)
{
	WRITE_ONCE(host_trace_hook, NULL);
	host_trace_only = NULL;
}

#define EXPECT(cond) expect(cond, #cond, __LINE__)
static void expect(bool cond, const char *what, int line)
{
	if (cond)
		return;
	ok = false;
	ktap_note("line %d: %s", line, what);
}

/* How many events there were since listen(); NULL: all. */
static u32 count(const char *event)
{
	u32 i, n = 0;

	for (i = 0; i < min_t(u32, nr_notes, NOTES_MOST); i++)
		n += !event || !strcmp(notes[i].event, event);
	return n;
}

/* The n-th event; an empty one if there were fewer. */
static const struct note *note(u32 nr)
{
	static const struct note none = { .event = "(none)" };

	return nr < nr_notes ? &notes[nr] : &none;
}

static bool by_user(const struct note *n)
{
	return n->t.call_site >= (unsigned long)__start_trace_users &&
	       n->t.call_site < (unsigned long)__stop_trace_users;
}

/* The n-th event is @event of this address and size, at the edge of lib/. */
static bool is(u32 nr, const char *event, const void *ptr, unsigned long bytes)
{
	const struct note *n = note(nr);

	if (!strcmp(n->event, event) && n->t.ptr == ptr && n->t.bytes == bytes && by_user(n) &&
	    n->t.node == NODE)
		return true;
	ktap_note("event %u is %s %p, %lu bytes%s, node %d", nr, n->event, n->t.ptr, n->t.bytes,
		  by_user(n) ? "" : ", not by a user", n->t.node);
	return false;
}

static void make_zone(const struct myalloc_chunk_ops *ops)
{
	struct myalloc_zone_args args = {
		.name = "z", .chunks = chunks, .node = NODE, .chunk_order = CHUNK_ORDER,
		.nr_chunks = CHUNKS, .no_worker = true,
	};
	u32 i;

	host_reset();
	arena = host_chunk_alloc(ARENA_ORDER);
	for (i = 0; i < CHUNKS; i++)
		chunks[i] = arena + i * CHUNK_BYTES;
	if (ops) {
		args.nr_chunks = 1;
		args.max_chunks = CHUNKS;
		args.chunk_ops = ops;
		args.span.begin = (unsigned long)arena;
		args.span.end = (unsigned long)arena + CHUNKS * CHUNK_BYTES;
	}
	args.nr_pages = args.nr_chunks << CHUNK_ORDER;
	zone = myalloc_zone_create(&args);
	if (IS_ERR(zone))
		host_fatal("no zone");
}

static void end_zone(void)
{
	deafen();
	if (myalloc_zone_destroy(zone))
		host_fatal("the zone does not end");
	host_chunk_free(arena, ARENA_ORDER);
}

static struct myalloc_cache *make_cache(const char *name, u32 size, unsigned int flags)
{
	struct myalloc_cache *cache =
		myalloc_cache_create(zone, &(struct myalloc_cache_args) {
			.name = name, .object_size = size, .flags = flags,
			.magazine = flags & MYALLOC_NO_MAGAZINE ? 0 : 8,
		});

	if (IS_ERR(cache))
		host_fatal("no cache");
	return cache;
}

static struct myalloc_heap *make_heap(void)
{
	struct myalloc_heap *heap =
		myalloc_heap_create(zone, &(struct myalloc_heap_args) { .name = "h" });

	if (IS_ERR(heap))
		host_fatal("no heap");
	return heap;
}

/* --- the cases ------------------------------------------------------------------------ */

USER static void test_pages(void)
{
	void *a, *b, *bulk[BULK];
	u32 i;

	a = myalloc_pages_alloc(zone, 1, MYALLOC_ZERO);
	EXPECT(is(0, "page_alloc", a, 2 * PAGE_SIZE));
	EXPECT(note(0)->t.order == 1 && note(0)->t.flags == (__force u32)MYALLOC_ZERO);
	b = myalloc_pages_alloc(zone, 4, MYALLOC_TOPDOWN);
	EXPECT(is(1, "page_alloc", b, 16 * PAGE_SIZE));
	EXPECT(!myalloc_pages_free(zone, a, 1));
	EXPECT(is(2, "page_free", a, 2 * PAGE_SIZE) && note(2)->t.order == 1);
	EXPECT(!myalloc_free(zone, b));
	EXPECT(is(3, "page_free", b, 16 * PAGE_SIZE));
	EXPECT(nr_notes == 4);

	listen();
	a = myalloc_pages_alloc_exact(zone, 5, 0, 0);
	EXPECT(is(0, "page_alloc", a, 5 * PAGE_SIZE) && note(0)->t.order == 3);
	EXPECT(!myalloc_pages_alloc_range(zone, arena + 3 * CHUNK_BYTES, 3, 0));
	EXPECT(is(1, "page_alloc", arena + 3 * CHUNK_BYTES, 3 * PAGE_SIZE));
	EXPECT(myalloc_pages_alloc_range(zone, arena + 3 * CHUNK_BYTES, 3, 0) == -EBUSY);
	EXPECT(!myalloc_pages_free_exact(zone, a, 5));
	EXPECT(is(2, "page_free", a, 5 * PAGE_SIZE) && note(2)->t.order == 3);
	EXPECT(!myalloc_free(zone, arena + 3 * CHUNK_BYTES));
	EXPECT(is(3, "page_free", arena + 3 * CHUNK_BYTES, 3 * PAGE_SIZE));
	EXPECT(nr_notes == 4);

	listen();
	EXPECT(myalloc_pages_alloc_bulk(zone, 0, 0, BULK, bulk) == BULK);
	EXPECT(count("page_alloc") == BULK);
	EXPECT(myalloc_pages_free_bulk(zone, 0, BULK, bulk) == BULK);
	EXPECT(count("page_free") == BULK);
	for (i = 0; i < nr_notes; i++)
		EXPECT(by_user(note(i)));
}

USER static void test_objects(void)
{
	struct myalloc_cache *c = make_cache("objects", 100, 0);
	struct myalloc_prefill prefill;
	void *a, *bulk[BULK];
	u32 i;

	listen();
	a = myalloc_cache_alloc(c, MYALLOC_ZERO);
	EXPECT(is(nr_notes - 1, "cache_alloc", a, 100));
	EXPECT(!strcmp(note(nr_notes - 1)->name, "objects"));
	EXPECT(note(nr_notes - 1)->t.flags == (__force u32)MYALLOC_ZERO);
	listen();
	EXPECT(!myalloc_cache_free(c, a));
	EXPECT(is(0, "cache_free", a, 100) && !strcmp(note(0)->name, "objects"));
	a = myalloc_cache_alloc(c, 0);
	EXPECT(!myalloc_free(zone, a));
	EXPECT(is(2, "cache_free", a, 100));
	EXPECT(nr_notes == 3);

	listen();
	EXPECT(myalloc_cache_alloc_bulk(c, 0, BULK, bulk) == BULK);
	EXPECT(count("cache_alloc") == BULK);
	EXPECT(myalloc_cache_free_bulk(c, BULK, bulk) == BULK);
	EXPECT(count("cache_free") == BULK);
	for (i = 0; i < nr_notes; i++)
		EXPECT(by_user(note(i)));

	/* All objects of a prefill belong to the user, from its beginning to its return. */
	listen();
	EXPECT(!myalloc_cache_prefill(c, 0, BULK, bulk, &prefill));
	EXPECT(count("cache_alloc") == BULK && by_user(note(0)));
	a = myalloc_prefill_alloc(&prefill);
	EXPECT(!myalloc_prefill_return(&prefill));
	EXPECT(count("cache_free") == BULK - 1);
	EXPECT(!myalloc_cache_free(c, a));
	EXPECT(count("cache_free") == BULK);
	myalloc_cache_destroy(c);
	EXPECT(!count("page_alloc") && !count("page_free"));	/* slabs are not the users' */
}

USER static void test_pool(void)
{
	struct myalloc_pool *pool =
		myalloc_pool_create(zone, &(struct myalloc_pool_args) {
			.name = "pool", .object_size = 64, .nr = 1, .nmi = 1,
			.flags = MYALLOC_POOL_HARD,
		});
	void *held[8 * PAGE_SIZE / 64], *spare;
	u32 nr = 0;

	if (IS_ERR(pool))
		host_fatal("no pool");
	EXPECT(!count("cache_alloc"));	/* the spare has no user yet */
	listen();
	held[0] = myalloc_pool_alloc(pool, 0);
	EXPECT(is(0, "cache_alloc", held[0], 64) && !strcmp(note(0)->name, "pool"));
	deafen();
	while (held[nr])
		held[++nr] = myalloc_pool_alloc(pool, 0);
	listen();
	host_enter_nmi();
	spare = myalloc_pool_alloc(pool, 0);
	host_exit_nmi();
	EXPECT(count("cache_alloc") == 1);
	EXPECT(is(nr_notes - 1, "cache_alloc", spare, 64));
	EXPECT(!myalloc_pool_alloc(pool, 0));
	EXPECT(count("cache_alloc") == 1);
	listen();
	EXPECT(!myalloc_pool_free(pool, spare));
	EXPECT(is(0, "cache_free", spare, 64) && nr_notes == 1);
	deafen();
	while (nr)
		EXPECT(!myalloc_pool_free(pool, held[--nr]));
	listen();
	EXPECT(!myalloc_pool_destroy(pool));
	EXPECT(!count("cache_free"));
}

/* There are no events of the heap's caches. */
static bool only_heap(void)
{
	return count("heap_alloc") + count("heap_free") + count("page_alloc") +
	       count("page_free") == nr_notes;
}

USER static void test_heap(void)
{
	struct myalloc_heap *h = make_heap();
	const size_t large = 9 * PAGE_SIZE;
	void *a, *b, *bulk[BULK];

	listen();
	a = myalloc_heap_alloc(h, 33, MYALLOC_ZERO);
	EXPECT(is(nr_notes - 1, "heap_alloc", a, 40) && !strcmp(note(nr_notes - 1)->name, "h"));
	EXPECT(note(nr_notes - 1)->t.bytes_req == 33);
	EXPECT(note(nr_notes - 1)->t.flags == (__force u32)MYALLOC_ZERO);
	EXPECT(!myalloc_heap_free(h, a));
	EXPECT(is(nr_notes - 1, "heap_free", a, 40) && count("heap_free") == 1);
	EXPECT(only_heap() && !count("page_alloc"));

	listen();	/* pages of a heap have both kinds of events */
	a = myalloc_heap_alloc(h, large - 1, 0);
	EXPECT(is(0, "page_alloc", a, large) && is(1, "heap_alloc", a, large));
	EXPECT(!myalloc_heap_free(h, a));
	EXPECT(is(2, "heap_free", a, large) && is(3, "page_free", a, large));
	a = myalloc_heap_alloc_aligned(h, 100, 2 * PAGE_SIZE, 0);
	EXPECT(is(4, "page_alloc", a, PAGE_SIZE) && is(5, "heap_alloc", a, PAGE_SIZE));
	EXPECT(note(5)->t.bytes_req == 100);
	EXPECT(!myalloc_heap_free(h, a));
	EXPECT(is(6, "heap_free", a, PAGE_SIZE) && is(7, "page_free", a, PAGE_SIZE) && nr_notes == 8);
	a = myalloc_heap_alloc_aligned(h, 33, 64, 0);
	EXPECT(is(nr_notes - 1, "heap_alloc", a, 64) && note(nr_notes - 1)->t.bytes_req == 33);
	listen();
	EXPECT(!myalloc_heap_free_sized(h, a, 64));
	EXPECT(is(0, "heap_free", a, 64) && nr_notes == 1);
	EXPECT(!myalloc_heap_free(h, NULL) && !myalloc_heap_free_sized(h, NULL, 1) &&
	       nr_notes == 1);

	/* A realloc has no event if nothing changes, otherwise a free and an allocation. */
	listen();
	a = myalloc_heap_realloc(h, NULL, 10, 0);
	EXPECT(is(nr_notes - 1, "heap_alloc", a, 16));
	listen();
	EXPECT(myalloc_heap_realloc(h, a, 12, 0) == a && !nr_notes);
	b = myalloc_heap_realloc(h, a, 200, 0);
	EXPECT(count("heap_free") == 1 && count("heap_alloc") == 1 && only_heap());
	EXPECT(is(nr_notes - 2, "heap_free", a, 16) && is(nr_notes - 1, "heap_alloc", b, 224));
	EXPECT(note(nr_notes - 1)->t.bytes_req == 200);
	EXPECT(!myalloc_heap_realloc(h, b, CHUNK_BYTES + 1, 0));
	EXPECT(count("heap_free") == 1 && count("fail") == 1);
	a = myalloc_heap_realloc(h, b, large, 0);
	listen();
	EXPECT(myalloc_heap_realloc(h, a, large + PAGE_SIZE, 0) == a);
	EXPECT(is(0, "page_free", a, large) && is(1, "page_alloc", a, large + PAGE_SIZE));
	EXPECT(is(2, "heap_free", a, large) && is(3, "heap_alloc", a, large + PAGE_SIZE));
	EXPECT(nr_notes == 4);
	deafen();
	a = myalloc_heap_realloc(h, a, 100, 0);
	b = myalloc_heap_realloc(h, NULL, 100, 0);
	EXPECT(!myalloc_heap_free(h, a) && !myalloc_heap_free(h, b));

	listen();
	EXPECT(myalloc_heap_alloc_bulk(h, 50, 0, BULK, bulk) == BULK);
	EXPECT(count("heap_alloc") == BULK && only_heap());
	EXPECT(myalloc_heap_free_bulk(h, BULK, bulk) == BULK);
	EXPECT(count("heap_free") == BULK && only_heap());
	EXPECT(is(nr_notes - 1, "heap_free", bulk[0], 56));
	EXPECT(!myalloc_heap_alloc_bulk(h, CHUNK_BYTES + 1, 0, BULK, bulk));
	EXPECT(count("heap_alloc") == BULK && count("fail") == 1);

	/* With one event enabled there is no other, and none of the heap's caches. */
	listen();
	host_trace_only = "cache_alloc";
	EXPECT(myalloc_heap_alloc_bulk(h, 50, 0, BULK, bulk) == BULK && !nr_notes);
	host_trace_only = "cache_free";
	EXPECT(myalloc_heap_free_bulk(h, BULK, bulk) == BULK && !nr_notes);
	host_trace_only = "page_free";
	a = myalloc_heap_realloc(h, NULL, large, 0);
	EXPECT(myalloc_heap_realloc(h, a, large + PAGE_SIZE, 0) == a);
	EXPECT(is(0, "page_free", a, large) && nr_notes == 1);
	host_trace_only = "page_alloc";
	EXPECT(myalloc_heap_realloc(h, a, large, 0) == a);
	EXPECT(is(1, "page_alloc", a, large) && nr_notes == 2);
	b = myalloc_pages_alloc(zone, 0, 0);
	host_trace_only = "heap_free";
	EXPECT(!myalloc_heap_free(h, a));
	EXPECT(is(nr_notes - 1, "heap_free", a, large));
	EXPECT(!myalloc_pages_free(zone, b, 0));
	EXPECT(!myalloc_heap_destroy(h));
}

USER static void test_arena(void)
{
	struct myalloc_arena *a =
		myalloc_arena_create(zone, &(struct myalloc_arena_args) {
			.name = "a", .block_size = 2 * PAGE_SIZE,
		});
	void *base;

	if (IS_ERR(a))
		host_fatal("no arena");
	listen();
	base = myalloc_arena_alloc(a, 100, 8);
	EXPECT(base && count("page_alloc") == 1 && !count("cache_alloc"));
	EXPECT(note(nr_notes - 1)->t.bytes == 2 * PAGE_SIZE && by_user(note(nr_notes - 1)));
	EXPECT(myalloc_arena_alloc(a, 100, 8) && count("page_alloc") == 1);
	myalloc_arena_destroy(a);
	EXPECT(count("page_free") == 1 && !count("cache_free"));
}

USER static void test_ring(void)
{
	struct myalloc_ring *r;

	listen();
	r = myalloc_ring_create(zone, &(struct myalloc_ring_args) {
		.name = "r", .size = 2 * PAGE_SIZE,
	});
	if (IS_ERR(r))
		host_fatal("no ring");
	EXPECT(count("page_alloc") == 1 && note(0)->t.bytes == 2 * PAGE_SIZE);
	EXPECT(!myalloc_ring_destroy(r) && count("page_free") == 1);
	EXPECT(nr_notes == 2);
}

/* A request that the parent serves beyond a line is one event, like one that the line serves. */
USER static void test_contract(void)
{
	const struct myalloc_contract_line line[] = {
		{ .kind = MYALLOC_CONTRACT_PAGES, .pages = 2, .orders = 1 },
		{ .kind = MYALLOC_CONTRACT_OBJECTS, .count = 3, .nmi = 1,
		  .cache = { .name = "line", .object_size = 200 } },
	};
	struct myalloc_contract_plan plan;
	struct myalloc_contract *c;
	struct myalloc_zone *child;
	struct myalloc_cache *cache;
	void *held[4], *object;
	u32 i;

	listen();
	c = myalloc_contract_create(zone, "c", line, ARRAY_SIZE(line),
				    MYALLOC_CONTRACT_BEST_EFFORT, &plan);
	if (IS_ERR(c))
		host_fatal("no contract");
	EXPECT(!count("cache_alloc") && !count("cache_free"));
	child = myalloc_contract_zone(c, 0);
	cache = myalloc_contract_cache(c, 1);
	listen();
	for (i = 0; i < 4; i++) {
		held[i] = myalloc_pages_alloc(child, 0, 0);
		EXPECT(held[i] && is(nr_notes - 1, "page_alloc", held[i], PAGE_SIZE));
	}
	EXPECT(count("page_alloc") == 4);
	object = myalloc_cache_alloc(cache, 0);
	EXPECT(is(nr_notes - 1, "cache_alloc", object, 200) && count("cache_alloc") == 1);
	EXPECT(!myalloc_free(zone, object) && count("cache_free") == 1);
	for (i = 0; i < 3; i++)
		EXPECT(!myalloc_pages_free(child, held[i], 0));
	EXPECT(count("page_free") == 3);
	listen();
	EXPECT(!myalloc_contract_end(c, MYALLOC_CONTRACT_RELEASE));
	EXPECT(count("page_free") == 1 && !count("cache_free"));
}

static u32 rank(int from, int to)
{
	return 0;
}

USER static void test_nodes(void)
{
	const int node = NODE;
	struct myalloc_nodes *nodes =
		myalloc_nodes_create(&(struct myalloc_nodes_args) {
			.zones = &zone, .nodes = &node, .nr_zones = 1, .nr_nodes = 1, .rank = rank,
		});
	void *a;

	if (!nodes)
		host_fatal("no nodes");
	listen();
	a = myalloc_nodes_pages_alloc(nodes, NODE, 1, 0);
	EXPECT(is(0, "page_alloc", a, 2 * PAGE_SIZE));
	EXPECT(!myalloc_nodes_pages_free(nodes, a, 1));
	EXPECT(is(1, "page_free", a, 2 * PAGE_SIZE) && nr_notes == 2);
	myalloc_nodes_destroy(nodes);
}

USER static void test_client(void)
{
	struct myalloc_client *c =
		myalloc_client_create(zone, &(struct myalloc_client_args) {
			.name = "c", .hard_pages = 4,
		});
	void *a;

	if (IS_ERR(c))
		host_fatal("no client");
	listen();
	a = myalloc_client_pages_alloc(c, 3, 0, 0);
	EXPECT(is(0, "page_alloc", a, 3 * PAGE_SIZE));
	EXPECT(!myalloc_client_pages_alloc(c, 2, 0, 0));
	EXPECT(is(1, "fail", NULL, 2 * PAGE_SIZE));
	EXPECT(!myalloc_client_pages_free(c, a, 3));
	EXPECT(is(2, "page_free", a, 3 * PAGE_SIZE) && nr_notes == 3);
	EXPECT(!myalloc_client_end(c, 0));
}

/* Take all pages. Returns a list of them. */
static void *take_all(void)
{
	void *list = NULL, **page;

	while ((page = myalloc_pages_alloc(zone, 0, 0))) {
		*page = list;
		list = page;
	}
	return list;
}

static void give_all(void *list)
{
	while (list) {
		void **page = list;

		list = *page;
		myalloc_pages_free(zone, page, 0);
	}
}

USER static void test_fail(void)
{
	struct myalloc_cache *c = make_cache("objects", 100, MYALLOC_NO_MAGAZINE);
	struct myalloc_heap *h = make_heap();
	void *list, *addr;

	deafen();
	list = take_all();
	listen();
	EXPECT(!myalloc_pages_alloc(zone, 2, MYALLOC_ZERO));
	EXPECT(is(0, "fail", NULL, 4 * PAGE_SIZE) && note(0)->t.order == 2);
	EXPECT(!strcmp(note(0)->name, "-") && !strcmp(note(0)->t.zone, "z"));
	EXPECT(note(0)->t.flags == (__force u32)MYALLOC_ZERO);
	EXPECT(!myalloc_pages_alloc(zone, 77, 0));
	EXPECT(is(1, "fail", NULL, 0) && note(1)->t.order == 0);	/* there is no such order */
	EXPECT(!myalloc_pages_alloc_exact(zone, 3, 0, 0));
	EXPECT(is(2, "fail", NULL, 3 * PAGE_SIZE) && note(2)->t.order == 2);
	EXPECT(!myalloc_pages_alloc_exact(zone, 0, 0, 0));
	EXPECT(is(3, "fail", NULL, 0) && note(3)->t.order == 0);
	EXPECT(!myalloc_cache_alloc(c, 0));
	EXPECT(is(4, "fail", NULL, 100) && !strcmp(note(4)->name, "objects"));
	EXPECT(!myalloc_heap_alloc(h, CHUNK_BYTES + 1, 0));
	EXPECT(is(5, "fail", NULL, CHUNK_BYTES + 1) && !strcmp(note(5)->name, "h"));
	EXPECT(!myalloc_heap_alloc(h, PAGE_SIZE * 9, 0));
	EXPECT(is(6, "fail", NULL, PAGE_SIZE * 9));
	EXPECT(nr_notes == 7);	/* and no event for the allocation */
	EXPECT(!myalloc_pages_alloc_bulk(zone, 0, 0, 1, &addr) && count("fail") == 8);
	EXPECT(!myalloc_cache_alloc_bulk(c, 0, 1, &addr) && count("fail") == 9);
	/* A request with an unknown flag does not count as lack of memory. */
	EXPECT(!myalloc_pages_alloc(zone, 0, (__force myalloc_flags_t)0x8000));
	EXPECT(nr_notes == 9);
	deafen();
	give_all(list);
	EXPECT(!myalloc_heap_destroy(h));
	myalloc_cache_destroy(c);
}

USER static void test_magazines(void)
{
	struct myalloc_cache *c = make_cache("objects", 64, 0);
	void *a, *b;
	u32 i, nr = 0;

	moves = true;
	a = myalloc_pages_alloc(zone, 0, 0);
	EXPECT(count("refill") == 1 && !strcmp(note(0)->event, "refill"));
	EXPECT(!strcmp(note(0)->name, "-") && note(0)->t.order == 0);
	EXPECT(note(0)->t.nr && note(0)->t.nr <= note(0)->t.wanted && note(0)->t.node == NODE);
	nr = note(0)->t.nr;
	EXPECT(!myalloc_pages_free(zone, a, 0));
	listen();
	myalloc_zone_drain(zone);
	for (i = 0; i < nr_notes; i++) {
		EXPECT(!strcmp(note(i)->event, "flush") && note(i)->t.order == 0);
		EXPECT(note(i)->t.node == NODE);
		nr -= note(i)->t.nr;
	}
	EXPECT(!nr);	/* all objects refilled were flushed */

	deafen();
	myalloc_cache_free(c, myalloc_cache_alloc(c, 0));	/* makes the slab */
	myalloc_cache_drain(c);
	listen();
	b = myalloc_cache_alloc(c, 0);
	EXPECT(count("refill") == 1 && !strcmp(note(0)->name, "objects"));
	EXPECT(note(0)->t.nr && note(0)->t.nr <= note(0)->t.wanted && note(0)->t.node == NODE);
	nr = note(0)->t.nr;
	EXPECT(!myalloc_cache_free(c, b));
	listen();
	myalloc_cache_drain(c);
	EXPECT(nr_notes && !strcmp(note(0)->name, "objects"));
	for (i = 0; i < nr_notes; i++) {
		EXPECT(!strcmp(note(i)->event, "flush") && note(i)->t.node == NODE);
		nr -= note(i)->t.nr;
	}
	EXPECT(!nr);
	moves = false;
	myalloc_cache_destroy(c);
}

USER static void test_bad_free(void)
{
	struct myalloc_cache *c = make_cache("objects", 64, 0);
	void *a = myalloc_cache_alloc(c, 0), *b = myalloc_pages_alloc(zone, 0, 0);

	listen();
	EXPECT(myalloc_cache_free(c, a + 8) == -EINVAL);
	EXPECT(is(0, "cache_free", a + 8, 64) && !strcmp(note(1)->event, "bad_free"));
	EXPECT(note(1)->t.ptr == a + 8 && by_user(note(1)) && !strcmp(note(1)->t.zone, "z"));
	EXPECT(!strcmp(note(1)->as, "object of objects") && note(1)->t.node == NODE);
	EXPECT(!strcmp(note(1)->t.bad, myalloc_bad_name(MYALLOC_BAD_INTERIOR)));
	EXPECT(myalloc_pages_free(zone, b, 1) == -EINVAL);
	EXPECT(is(2, "page_free", b, 2 * PAGE_SIZE) && !strcmp(note(3)->event, "bad_free"));
	EXPECT(!strcmp(note(3)->as, "pages of order 1") && by_user(note(3)));
	EXPECT(!strcmp(note(3)->t.bad, myalloc_bad_name(MYALLOC_BAD_ORDER)));
	EXPECT(myalloc_pages_free(zone, b, 100) == -EINVAL);	/* an invalid order */
	EXPECT(is(4, "page_free", b, 0) && note(4)->t.order == 0);
	EXPECT(myalloc_pages_free_exact(zone, b, 0) == -EINVAL);
	EXPECT(is(6, "page_free", b, 0) && note(6)->t.order == 0);
	EXPECT(nr_notes == 8 && count("bad_free") == 4);
	deafen();
	EXPECT(!myalloc_cache_free(c, a) && !myalloc_pages_free(zone, b, 0));
	myalloc_cache_destroy(c);
}

/* --- an elastic zone -------------------------------------------------------------------- */

static u32 nr_there = 1;

static void *take_chunk(struct myalloc_zone *z)
{
	return nr_there < CHUNKS ? chunks[nr_there++] : NULL;
}

static void give_chunk(struct myalloc_zone *z, void *chunk)
{
	EXPECT(!strcmp(note(nr_notes - 1)->event, "shrink"));	/* before it is used again */
	EXPECT(note(nr_notes - 1)->t.ptr == chunk);
	nr_there--;
}

static void test_elastic(void)
{
	const struct myalloc_chunk_ops ops = { .take = take_chunk, .give = give_chunk };
	u32 grown, i;

	end_zone();
	make_zone(&ops);
	listen();
	EXPECT(myalloc_zone_grow(zone, CHUNKS, &grown) == -ENOSPC && grown == CHUNKS - 1);
	EXPECT(nr_notes == CHUNKS - 1 && count("grow") == CHUNKS - 1);
	for (i = 0; i < nr_notes; i++) {
		EXPECT(note(i)->t.ptr == chunks[1 + i] && note(i)->t.bytes == CHUNK_BYTES);
		EXPECT(note(i)->t.order == CHUNK_ORDER && note(i)->t.node == NODE);
		EXPECT(!strcmp(note(i)->t.zone, "z"));
	}
	listen();
	EXPECT(myalloc_zone_shrink(zone, CHUNKS) == CHUNKS - 1);
	EXPECT(nr_notes == CHUNKS - 1 && count("shrink") == CHUNKS - 1);
	EXPECT(note(0)->t.bytes == CHUNK_BYTES && note(0)->t.order == CHUNK_ORDER);
	EXPECT(note(0)->t.node == NODE && !strcmp(note(0)->t.zone, "z"));
}

/* --- events compared with results --------------------------------------------------------- */

/* Addresses in use, by results and by events. */
struct held {
	void *at[2 * HELD_MOST];
	u32 nr;
};

enum kind { PAGES, OBJECTS, HEAP, KINDS };

static struct held real[KINDS], said[KINDS];
static u64 nr_said;

static bool hold(struct held *h, void *addr)
{
	if (h->nr == ARRAY_SIZE(h->at))
		return false;
	h->at[h->nr++] = addr;
	return true;
}

static bool unhold(struct held *h, const void *addr)
{
	u32 i;

	for (i = 0; i < h->nr; i++)
		if (h->at[i] == addr) {
			h->at[i] = h->at[--h->nr];
			return true;
		}
	return false;
}

/* Page events of the heap do not count for users. */
static bool heaps_own;

static void follow(const char *event, const struct myalloc_env_trace *t)
{
	static const char *const of[] = { "page", "cache", "heap" };
	void *ptr = (void *)t->ptr;
	u32 kind;

	nr_said++;
	for (kind = 0; kind < KINDS; kind++) {
		size_t len = strlen(of[kind]);

		if (strncmp(event, of[kind], len) || event[len] != '_')
			continue;
		if (kind == PAGES && heaps_own)
			return;
		if (!strcmp(event + len, "_alloc"))
			EXPECT(ptr && hold(&said[kind], ptr));
		else
			EXPECT(unhold(&said[kind], ptr));
	}
}

static bool agree(void)
{
	u32 kind, i;

	for (kind = 0; kind < KINDS; kind++) {
		struct held copy = said[kind];

		if (real[kind].nr != said[kind].nr)
			return false;
		for (i = 0; i < real[kind].nr; i++)
			if (!unhold(&copy, real[kind].at[i]))
				return false;
	}
	return true;
}

static u32 pick(struct myalloc_random *r, u32 below)
{
	return myalloc_random_below(r, below);
}

static void step(struct myalloc_random *r, struct myalloc_cache *c, struct myalloc_heap *h)
{
	enum kind kind = pick(r, KINDS);
	struct held *held = &real[kind];
	void *bulk[BULK], *addr;
	u32 n = 1 + pick(r, BULK), i;

	heaps_own = kind == HEAP;
	if (pick(r, 2) && held->nr + n <= HELD_MOST) {
		bool many = pick(r, 2);
		size_t size = 1 + pick(r, pick(r, 8) ? 300 : 3 * PAGE_SIZE);

		n = many ? n : 1;
		if (kind == PAGES)
			n = many ? myalloc_pages_alloc_bulk(zone, 0, 0, n, bulk) :
				!!(bulk[0] = myalloc_pages_alloc(zone, 0, 0));
		else if (kind == OBJECTS)
			n = many ? myalloc_cache_alloc_bulk(c, 0, n, bulk) :
				!!(bulk[0] = myalloc_cache_alloc(c, 0));
		else
			n = many ? myalloc_heap_alloc_bulk(h, size, 0, n, bulk) :
				!!(bulk[0] = myalloc_heap_alloc(h, size, 0));
		for (i = 0; i < n; i++)
			hold(held, bulk[i]);
	} else if (held->nr) {
		n = pick(r, 2) ? 1 : min(n, held->nr);
		for (i = 0; i < n; i++) {
			bulk[i] = held->at[pick(r, held->nr)];
			unhold(held, bulk[i]);
		}
		addr = bulk[0];
		if (kind == PAGES)
			n == 1 ? myalloc_pages_free(zone, addr, 0) :
				(int)myalloc_pages_free_bulk(zone, 0, n, bulk);
		else if (kind == OBJECTS)
			n > 1 ? (int)myalloc_cache_free_bulk(c, n, bulk) :
				pick(r, 2) ? myalloc_cache_free(c, addr) : myalloc_free(zone, addr);
		else if (n > 1)
			myalloc_heap_free_bulk(h, n, bulk);
		else if (pick(r, 2) || held->nr == HELD_MOST)
			myalloc_heap_free(h, addr);
		else
			hold(held, myalloc_heap_realloc(h, addr, 1 + pick(r, 2 * PAGE_SIZE), 0) ?:
				  addr);
	}
}

static u64 seed;
static u32 steps = 20000;

static void test_random(void)
{
	struct myalloc_cache *c = make_cache("objects", 64, 0);
	struct myalloc_heap *h = make_heap();
	struct myalloc_random r;
	u32 i, kind;

	ktap_note("seed %llu", (unsigned long long)seed);
	myalloc_random_init(&r, seed, 0);
	WRITE_ONCE(host_trace_hook, follow);
	for (i = 0; i < steps && ok; i++) {
		step(&r, c, h);
		EXPECT(agree());
	}
	for (kind = 0; kind < KINDS; kind++) {
		heaps_own = kind == HEAP;
		while (real[kind].nr) {
			void *addr = real[kind].at[--real[kind].nr];

			kind == HEAP ? myalloc_heap_free(h, addr) : myalloc_free(zone, addr);
		}
	}
	EXPECT(agree());
	EXPECT(nr_said > steps);
	deafen();
	EXPECT(!myalloc_heap_destroy(h));
	myalloc_cache_destroy(c);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "pages", test_pages },
		{ "objects", test_objects },
		{ "object pools", test_pool },
		{ "heaps", test_heap },
		{ "arenas", test_arena },
		{ "rings", test_ring },
		{ "contracts", test_contract },
		{ "clients", test_client },
		{ "sets of zones", test_nodes },
		{ "failures", test_fail },
		{ "magazines", test_magazines },
		{ "wrong frees", test_bad_free },
		{ "elastic zones", test_elastic },
		{ "events tell what is held", test_random },
	};
	const struct program_option options[] = {
		{ "seed", PROGRAM_U64, &seed, "repeat a run" },
		{ "steps", PROGRAM_U32, &steps, "random steps" },
		{ }
	};
	u32 i;

	seed = program_seed();
	program_options(argc, argv,
			"Trace events: each allocation and free of a user is recorded once.",
			options);
	ktap_plan(ARRAY_SIZE(cases));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ok = true;
		make_zone(NULL);
		listen();
		cases[i].run();
		end_zone();
		ktap_result(ok, "%s", cases[i].name);
	}
	return ktap_end();
}
