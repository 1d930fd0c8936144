// SPDX-License-Identifier: GPL-2.0
/*
 * Races: threads on simulated CPUs, with a schedule that is disturbed on purpose
 *
 * Each thread runs random operations on one small zone: pages and objects, single and bulk, drains,
 * shrinks, validations, its own caches. It may pass an allocation to another thread, which frees
 * it. At the points of lib/ and around every lock a thread may yield its core, sleep for a moment,
 * or be interrupted by a hard interrupt or an NMI, which also allocates and frees. There are more
 * threads than CPUs, and a thread moves between them.
 *
 * Checks: every allocation is filled with its own pattern, which must be intact when it is freed;
 * every free must succeed; a validation during all of this finds nothing. At the end everything is
 * freed: the statistics balance and the zone is in its initial state. Built with SAN=thread,
 * ThreadSanitizer also finds accesses that are ordered only by luck.
 *
 * In separate parts all threads free the same block, or the same object, at once, many times.
 * Exactly one free must succeed of a block, and of an object of a cache that claims slots on free.
 * In other caches several may succeed, after which that slot may have two users: nothing else is
 * affected, and a drain repairs it. No thread allocates meanwhile, so none gets memory that another
 * is about to free; interrupts free it as well, and one thread drains now and then.
 *
 * The seed repeats every choice of each thread, including the disturbances. The interleaving of the
 * threads still depends on the machine: a seed makes a failure likely, not certain.
 */
#include "env.h"
#include "ktap.h"
#include "lock_points.h"
#include "program.h"
#include "base/pattern.h"
#include "base/random.h"
#include "zone/validate.h"

#include <pthread.h>
#include <sched.h>

#define THREADS_MOST	16
#define HOLD_MOST	64	/* allocations that a level of a thread holds */
#define BOXES		8	/* places where threads leave allocations for each other */
#define BULK_MOST	24
#define CACHES		4
#define HANGS_AFTER	600	/* seconds */

/**
 * struct race_config - the zone that threads race for
 * @name: of the result
 * @checks: of the zone
 * @magazines: capacity of page magazines, 0 for none
 * @cache: properties of its caches
 */
static const struct race_config {
	const char *name;
	myalloc_cache_flags_t checks;
	u32 magazines;
	struct {
		u32 size;
		u32 magazine;
		u32 depot;
		myalloc_cache_flags_t flags;
	} cache[CACHES];
} configs[] = {
	{ .name = "magazines", .magazines = 2, .cache = {
		{ .size = 64, .magazine = 4, .depot = 2 },
		{ .size = 1000, .magazine = 2, .depot = 1 },
		{ .size = 3000, .magazine = 1, .depot = 3 },
		{ .size = 200, .magazine = 3, .depot = 2, .flags = MYALLOC_ZERO_FREE } } },
	{ .name = "no magazines", .cache = {
		{ .size = 64, .flags = MYALLOC_NO_MAGAZINE },
		{ .size = 1000, .flags = MYALLOC_NO_MAGAZINE | MYALLOC_ZERO_ALLOC },
		{ .size = 3000, .flags = MYALLOC_NO_MAGAZINE | MYALLOC_ZERO_FREE },
		{ .size = 24, .flags = MYALLOC_NO_MAGAZINE | MYALLOC_RANDOM } } },
	{ .name = "checks", .magazines = 2, .checks = MYALLOC_POISON | MYALLOC_OWNER, .cache = {
		{ .size = 64, .flags = MYALLOC_SANITY },
		{ .size = 1000, .flags = MYALLOC_CHECKS },
		{ .size = 3000, .flags = MYALLOC_REDZONE },
		{ .size = 200 } } },
	{ .name = "levels", .magazines = 2, .cache = {
		{ .size = 64, .magazine = 4, .depot = 2, .flags = MYALLOC_CERTAIN },
		{ .size = 1000, .magazine = 2, .depot = 1,
		  .flags = MYALLOC_CERTAIN | MYALLOC_RANDOM },
		{ .size = 64, .magazine = 4, .depot = 2, .flags = MYALLOC_TRUSTING },
		{ .size = 1000, .magazine = 2, .depot = 1,
		  .flags = MYALLOC_TRUSTING | MYALLOC_ZERO_ALLOC } } },
};

enum { TASK, IRQ, NMI, LEVELS };

/**
 * struct item - something allocated
 * @addr: where
 * @key: of its pattern
 * @size: bytes
 * @kind: number of a cache, or CACHES + order, or EXACT
 */
struct item {
	void *addr;
	u64 key;
	u32 size;
	u32 kind;
};

#define PAGES		CACHES
#define EXACT		(CACHES + MYALLOC_NR_ORDERS)

/**
 * struct racer - a thread
 * @number: of it
 * @random: what it does
 * @schedule: how it is disturbed
 * @item: allocations of each level
 * @nr: how many of them
 * @serial: for keys
 * @counts: things done, for the notes
 */
struct racer {
	pthread_t thread;
	u32 number;
	struct myalloc_random random, schedule;
	struct item *item[LEVELS][HOLD_MOST];
	u32 nr[LEVELS];
	u64 serial;
	bool ending;	/* no more interrupts */
	struct {
		u64 allocs, fails, frees, interrupts, handed, sweeps;
	} counts;
};

static struct {
	const struct race_config *cfg;
	struct myalloc_zone *zone;
	struct myalloc_cache *cache[CACHES];
	struct item *box[BOXES];
	u32 cpus, threads;
	u64 seed, ops;
	pthread_barrier_t start;
} race = { .cpus = 3, .threads = 4, .ops = 1500 };

static __thread struct racer *self;

static void __noreturn fail(const char *fmt, ...) __printf(1, 2);
static void __noreturn fail(const char *fmt, ...)
{
	va_list args;

	printf("# %s, seed %llu, thread %d, CPU %u: ", race.cfg->name, race.seed,
	       self ? (int)self->number : -1, raw_smp_processor_id());
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\nnot ok %u %s\n", ktap_nr + 1, race.cfg->name);
	fflush(stdout);
	abort();
}

static u32 level(void)
{
	return in_nmi() ? NMI : in_hardirq() ? IRQ : TASK;
}

/* --- allocating and freeing, in any context ------------------------------------------- */

static u32 bytes_of(u32 kind)
{
	return kind < CACHES ? race.cfg->cache[kind].size : PAGE_SIZE << (kind - PAGES);
}

/* In a large block, bytes at both ends are enough. */
static void each_end(const struct item *item, void (*fn)(void *mem, size_t size, u64 key))
{
	u32 end = min(item->size, 128u);

	fn(item->addr, end, item->key);
	if (item->size >= 512)
		fn(item->addr + item->size - end, end, ~item->key);
}

static void fill_end(void *mem, size_t size, u64 key)
{
	myalloc_pattern_fill(mem, size, key);
}

static void check_end(void *mem, size_t size, u64 key)
{
	struct myalloc_damage damage;

	if (!myalloc_pattern_check(mem, size, key, &damage))
		fail("memory changed while it was allocated: offset %zu reads %llx, not %llx",
		     damage.offset, damage.found, damage.expected);
}

static void keep(void *addr, u32 kind, u32 size)
{
	u32 at = level();
	struct item *item = malloc(sizeof(*item));

	if (!item)
		host_fatal("out of memory");
	*item = (struct item){
		.addr = addr, .kind = kind, .size = size,
		.key = myalloc_pattern_key(self->number + 1, ++self->serial),
	};
	each_end(item, fill_end);
	self->item[at][self->nr[at]++] = item;
	self->counts.allocs++;
}

static struct item *drop(u32 index)
{
	u32 at = level();
	struct item *item = self->item[at][index];

	self->item[at][index] = self->item[at][--self->nr[at]];
	return item;
}

static void alloc_one(struct myalloc_random *random)
{
	u32 kind = myalloc_random_below(random, CACHES + 4);	/* orders 0 to 3 */
	myalloc_flags_t flags = 0;
	void *addr;

	if (self->nr[level()] == HOLD_MOST)
		return;
	if (myalloc_random_one_in(random, 8))
		flags |= MYALLOC_ZERO;
	if (level() == TASK && myalloc_random_one_in(random, 64))
		flags |= MYALLOC_MAY_WAIT;
	addr = kind < CACHES ? myalloc_cache_alloc(race.cache[kind], flags) :
			       myalloc_pages_alloc(race.zone, kind - PAGES, flags);
	if (!addr) {
		self->counts.fails++;
		return;
	}
	if (flags & MYALLOC_ZERO && memchr_inv(addr, 0, min(bytes_of(kind), 256u)))
		fail("memory that was to be zero is not");
	keep(addr, kind, bytes_of(kind));
}

static void free_item(struct item *item)
{
	int err;

	each_end(item, check_end);
	if (item->kind == EXACT)
		err = myalloc_pages_free_exact(race.zone, item->addr, item->size / PAGE_SIZE);
	else if (item->kind >= PAGES)
		err = myalloc_pages_free(race.zone, item->addr, item->kind - PAGES);
	else
		err = myalloc_cache_free(race.cache[item->kind], item->addr);
	if (err)
		fail("free of %p of kind %u: %d", item->addr, item->kind, err);
	self->counts.frees++;
	free(item);
}

static void free_one(struct myalloc_random *random)
{
	if (self->nr[level()])
		free_item(drop(myalloc_random_below(random, self->nr[level()])));
}

/* --- disturbances ---------------------------------------------------------------------- */

static void interrupt(struct myalloc_random *random)
{
	u32 n = 1 + myalloc_random_below(random, 3);

	self->counts.interrupts++;
	while (n--) {
		if (myalloc_random_below(random, HOLD_MOST / 4) >= self->nr[level()])
			alloc_one(random);
		else
			free_one(random);
	}
}

static void disturb(const char *where)
{
	struct timespec moment = { 0 };

	if (!self || self->ending)
		return;
	switch (myalloc_random_below(&self->schedule, 128)) {
	case 0 ... 5:
		program_nap();
		break;
	case 6:
		moment.tv_nsec = 1000 + myalloc_random_below(&self->schedule, 50000);
		nanosleep(&moment, NULL);
		break;
	case 7 ... 9:
		if (in_nmi())
			break;
		host_enter_nmi();
		interrupt(&self->schedule);
		host_exit_nmi();
		break;
	case 10 ... 12:
		if (irqs_disabled())
			break;
		host_enter_hardirq();
		interrupt(&self->schedule);
		host_exit_hardirq();
		break;
	}
}

static void at_lock(const char *where)
{
	myalloc_env_point(where);
}

/* --- threads ----------------------------------------------------------------------------- */

static void alloc_bulk(void)
{
	u32 kind = myalloc_random_below(&self->random, CACHES + 2);
	u32 nr = 1 + myalloc_random_below(&self->random, BULK_MOST), i;
	void *addr[BULK_MOST];

	nr = min(nr, HOLD_MOST - self->nr[TASK]);
	nr = kind < CACHES ? myalloc_cache_alloc_bulk(race.cache[kind], 0, nr, addr) :
			     myalloc_pages_alloc_bulk(race.zone, kind - PAGES, 0, nr, addr);
	for (i = 0; i < nr; i++)
		keep(addr[i], kind, bytes_of(kind));
}

static void free_bulk(void)
{
	u32 kind = myalloc_random_below(&self->random, CACHES + 2), nr = 0, i, freed;
	void *addr[BULK_MOST];

	for (i = self->nr[TASK]; i-- && nr < BULK_MOST; ) {
		struct item *item = self->item[TASK][i];

		if (item->kind != kind)
			continue;
		each_end(item, check_end);
		addr[nr++] = item->addr;
		free(drop(i));
	}
	freed = kind < CACHES ? myalloc_cache_free_bulk(race.cache[kind], nr, addr) :
				myalloc_pages_free_bulk(race.zone, kind - PAGES, nr, addr);
	if (freed != nr)
		fail("bulk free of %u of kind %u freed %u", nr, kind, freed);
	self->counts.frees += nr;
}

static void alloc_exact(void)
{
	u32 nr = 1 + myalloc_random_below(&self->random, 7);
	void *addr;

	if (self->nr[TASK] == HOLD_MOST)
		return;
	addr = myalloc_pages_alloc_exact(race.zone, nr, 0, 0);
	if (addr)
		keep(addr, EXACT, nr * PAGE_SIZE);
}

/* Leave an allocation in a box, and take the one that is there. */
static void hand_over(void)
{
	struct item **box = &race.box[myalloc_random_below(&self->random, BOXES)], *item = NULL;

	if (self->nr[TASK])
		item = drop(myalloc_random_below(&self->random, self->nr[TASK]));
	item = __atomic_exchange_n(box, item, __ATOMIC_ACQ_REL);
	if (!item)
		return;
	self->counts.handed++;
	free_item(item);
}

static void validate(void)
{
	struct myalloc_validation v;

	if (!myalloc_zone_validate(race.zone, &v))
		fail("%llu invariants broken: %s", v.errors, v.first);
}

static void own_cache(void)
{
	char name[16];
	struct myalloc_cache_args args = { .name = name, .object_size = 500, .magazine = 2 };
	struct myalloc_cache *cache;
	void *object;

	snprintf(name, sizeof(name), "own-%u", self->number);
	cache = myalloc_cache_create(race.zone, &args);
	if (IS_ERR(cache))
		fail("no cache: %ld", PTR_ERR(cache));
	object = myalloc_cache_alloc(cache, 0);
	if (object) {
		memset(object, 0x5a, 500);
		if (myalloc_cache_free(cache, object))
			fail("an object of an own cache cannot be freed");
	}
	if (myalloc_cache_destroy(cache))
		fail("an own cache does not end");
}

/* Rarely everything at once. */
static void sweep(void)
{
	self->counts.sweeps++;
	switch (myalloc_random_below(&self->random, 5)) {
	case 0:
		myalloc_zone_drain(race.zone);
		break;
	case 1:
		myalloc_cache_drain(race.cache[myalloc_random_below(&self->random, CACHES)]);
		break;
	case 2:
		myalloc_cache_shrink(race.cache[myalloc_random_below(&self->random, CACHES)]);
		break;
	case 3:
		validate();
		break;
	case 4:
		own_cache();
		break;
	}
}

static void operate(void)
{
	switch (myalloc_random_below(&self->random, 64)) {
	case 0 ... 23:
		alloc_one(&self->random);
		break;
	case 24 ... 47:
		free_one(&self->random);
		break;
	case 48 ... 50:
		alloc_bulk();
		break;
	case 51 ... 53:
		free_bulk();
		break;
	case 54:
		alloc_exact();
		break;
	case 55 ... 59:
		hand_over();
		break;
	case 60 ... 62:
		host_set_cpu(myalloc_random_below(&self->random, race.cpus));
		break;
	case 63:
		if (myalloc_random_one_in(&self->random, 4))
			sweep();
		break;
	}
}

static void *run(void *arg)
{
	u64 op;

	self = arg;
	host_set_cpu(self->number % race.cpus);
	pthread_barrier_wait(&race.start);
	for (op = 0; op < race.ops; op++)
		operate();
	self->ending = true;
	while (self->nr[TASK])
		free_one(&self->random);
	host_enter_hardirq();
	while (self->nr[IRQ])
		free_one(&self->random);
	host_exit_hardirq();
	host_enter_nmi();
	while (self->nr[NMI])
		free_one(&self->random);
	host_exit_nmi();
	return NULL;
}

/* --- the zone, and its end ------------------------------------------------------------------ */

#define CHUNK_ORDER	6

/* Replace the zone's default magazines; the epoch says whether there may be a fast path. */
static void make_magazines(struct myalloc_magazines *mags, u32 capacity, u32 depot)
{
	const struct myalloc_magazines before = *mags;
	u64 epoch = mags->epoch;

	myalloc_magazines_fini(mags);
	if (myalloc_magazines_init(mags, capacity, DIV_ROUND_UP(capacity, 2), depot, NUMA_NO_NODE))
		host_fatal("no magazines");
	mags->epoch = epoch;
	mags->fresh = before.fresh;
	mags->drop = before.drop;
	mags->owner = before.owner;
}

static void make_zone(void *arena)
{
	void *chunks[2] = { arena, arena + 2 * (PAGE_SIZE << CHUNK_ORDER) };
	struct myalloc_zone_args args = {
		.name = "race", .chunks = chunks, .nr_chunks = 2, .chunk_order = CHUNK_ORDER,
		.nr_pages = 2 << CHUNK_ORDER, .node = NUMA_NO_NODE, .checks = race.cfg->checks,
		.no_magazines = true,
	};
	static const char * const names[CACHES] = { "c0", "c1", "c2", "c3" };
	u32 i;

	race.zone = myalloc_zone_create(&args);
	if (IS_ERR(race.zone))
		host_fatal("no zone");
	for (i = 0; i < 2 && race.cfg->magazines; i++)
		make_magazines(&race.zone->pcp[i], race.cfg->magazines, 2);
	for (i = 0; i < CACHES; i++) {
		struct myalloc_cache_args cache = {
			.name = names[i], .object_size = race.cfg->cache[i].size,
			.flags = race.cfg->cache[i].flags,
		};
		race.cache[i] = myalloc_cache_create(race.zone, &cache);
		if (IS_ERR(race.cache[i]))
			host_fatal("no cache");
		if (race.cfg->cache[i].magazine)
			make_magazines(&race.cache[i]->mags, race.cfg->cache[i].magazine,
				       race.cfg->cache[i].depot);
	}
}

/* Does exactly one of several overlapping frees of an object succeed? */
static bool claims(const struct myalloc_cache *cache)
{
	return cache->flags & (MYALLOC_CERTAIN | MYALLOC_NO_MAGAZINE | MYALLOC_ZERO_FREE |
			       MYALLOC_CHECKS);
}

/* @doubles: objects have been freed several times at once. */
static void check_stats(bool doubles)
{
	struct myalloc_zone_stats stats;
	struct myalloc_cache_stats cache;
	bool equal;
	u32 i;

	for (i = 0; i < CACHES; i++) {
		myalloc_cache_drain(race.cache[i]);
		myalloc_cache_stats(race.cache[i], &cache);
		equal = cache.allocs == cache.frees || (doubles && !claims(race.cache[i]));
		if (cache.live_objects || cache.cached_objects || cache.deferred_objects ||
		    !equal || cache.bad_frees || cache.corruptions)
			fail("cache %u: %llu + %llu + %llu out, %llu - %llu, wrong %llu, bad %llu",
			     i, cache.live_objects, cache.cached_objects, cache.deferred_objects,
			     cache.allocs, cache.frees, cache.bad_frees, cache.corruptions);
	}
	myalloc_zone_drain(race.zone);
	validate();
	myalloc_zone_stats(race.zone, &stats);
	if (stats.free_pages != stats.nr_pages || stats.cached_pages || stats.deferred_pages ||
	    stats.slab_pages || stats.page_pages)
		fail("of %llu pages %llu are free, %llu cached, %llu deferred, %llu in slabs",
		     stats.nr_pages, stats.free_pages, stats.cached_pages, stats.deferred_pages,
		     stats.slab_pages);
	if (stats.bad_frees || stats.corruptions)
		fail("%llu wrong frees, %llu corruptions", stats.bad_frees, stats.corruptions);
	for (i = 0; i <= CHUNK_ORDER; i++)
		if (stats.page_allocs[i] != stats.page_frees[i])
			fail("order %u: %llu allocs, %llu frees", i, stats.page_allocs[i],
			     stats.page_frees[i]);
	ktap_note("%s: %llu deferred frees of pages, %llu drains, %llu NMIs found a lock held",
		  race.cfg->name, stats.deferred_frees, stats.drains, stats.nmi_fails);
}

static void test_config(const struct race_config *cfg)
{
	struct racer *racer = calloc(race.threads, sizeof(*racer)), last = { .number = 99 };
	u64 allocs = 0, fails = 0, interrupts = 0, handed = 0, sweeps = 0;
	void *arena = host_chunk_alloc(CHUNK_ORDER + 2);
	u32 i;

	race.cfg = cfg;
	make_zone(arena);
	pthread_barrier_init(&race.start, NULL, race.threads);
	host_point_depth = 2;
	WRITE_ONCE(host_preempt_point, disturb);
	for (i = 0; i < race.threads; i++) {
		racer[i].number = i;
		myalloc_random_init(&racer[i].random, race.seed, 2 * i);
		myalloc_random_init(&racer[i].schedule, race.seed, 2 * i + 1);
		if (pthread_create(&racer[i].thread, NULL, run, &racer[i]))
			host_fatal("no thread");
	}
	for (i = 0; i < race.threads; i++) {
		pthread_join(racer[i].thread, NULL);
		allocs += racer[i].counts.allocs;
		fails += racer[i].counts.fails;
		interrupts += racer[i].counts.interrupts;
		handed += racer[i].counts.handed;
		sweeps += racer[i].counts.sweeps;
	}
	WRITE_ONCE(host_preempt_point, NULL);
	self = &last;
	for (i = 0; i < BOXES; i++)
		if (race.box[i])
			free_item(race.box[i]);
	memset(race.box, 0, sizeof(race.box));
	self = NULL;
	check_stats(false);
	for (i = 0; i < CACHES; i++)
		if (myalloc_cache_destroy(race.cache[i]))
			fail("cache %u does not end", i);
	if (myalloc_zone_destroy(race.zone))
		fail("the zone does not end");
	pthread_barrier_destroy(&race.start);
	host_chunk_free(arena, CHUNK_ORDER + 2);
	free(racer);
	ktap_result(!host_live_allocs() && !host_check_clean() && allocs && interrupts && handed,
		    "%s: %llu allocations, %llu failed, %llu interrupts, %llu frees by another thread, %llu drains and validations",
		    cfg->name, allocs, fails, interrupts, handed, sweeps);
}

/* --- all free the same block ---------------------------------------------------------------- */

#define SAME_ROUNDS	300	/* of each order */

static struct {
	void *block;
	u32 won;
} same;

/* No interrupts: they would allocate. */
static void disturb_order(const char *where)
{
	if (self && myalloc_random_below(&self->schedule, 16) < 5)
		program_nap();
}

static void *run_same(void *arg)
{
	unsigned int order;
	u32 round;

	self = arg;
	host_set_cpu(self->number % race.cpus);
	for (round = 0; round < 4 * SAME_ROUNDS; round++) {
		order = round / SAME_ROUNDS;
		if (!self->number) {
			same.block = myalloc_pages_alloc(race.zone, order, 0);
			same.won = 0;
			if (!same.block)
				fail("no block of order %u", order);
			memset(same.block, 0x33, PAGE_SIZE << order);
		}
		pthread_barrier_wait(&race.start);
		if (!myalloc_pages_free(race.zone, same.block, order))
			__atomic_fetch_add(&same.won, 1, __ATOMIC_RELAXED);
		pthread_barrier_wait(&race.start);
		if (!self->number && same.won != 1)
			fail("%u frees of one block of order %u were taken", same.won, order);
	}
	return NULL;
}

/* The number of refused frees is known; everything else must be as after any other work. */
static void forget_wrong_frees(void)
{
	u32 i;

	for (i = 0; i < MYALLOC_NR_BAD; i++)
		atomic64_set(&race.zone->bad[i], 0);
	atomic64_set(&race.zone->corruptions, 0);
	for (i = 0; i < CACHES; i++) {
		atomic64_set(&race.cache[i]->bad_frees, 0);
		atomic64_set(&race.cache[i]->corruptions, 0);
	}
}

/* Run @fn in all threads at once, on a new zone, which is left to the caller. */
static void *begin_same(const struct race_config *cfg, void *(*fn)(void *),
			void (*disturbance)(const char *))
{
	struct racer *racer = calloc(race.threads, sizeof(*racer));
	void *arena = host_chunk_alloc(CHUNK_ORDER + 2);
	u32 i;

	race.cfg = cfg;
	make_zone(arena);
	pthread_barrier_init(&race.start, NULL, race.threads);
	WRITE_ONCE(host_preempt_point, disturbance);
	for (i = 0; i < race.threads; i++) {
		racer[i].number = i;
		myalloc_random_init(&racer[i].schedule, race.seed, i);
		if (pthread_create(&racer[i].thread, NULL, fn, &racer[i]))
			host_fatal("no thread");
	}
	for (i = 0; i < race.threads; i++)
		pthread_join(racer[i].thread, NULL);
	WRITE_ONCE(host_preempt_point, NULL);
	free(racer);
	return arena;
}

static bool end_same(void *arena)
{
	u32 i;

	forget_wrong_frees();
	check_stats(true);
	for (i = 0; i < CACHES; i++)
		if (myalloc_cache_destroy(race.cache[i]))
			fail("cache %u does not end", i);
	if (myalloc_zone_destroy(race.zone))
		fail("the zone does not end");
	pthread_barrier_destroy(&race.start);
	host_chunk_free(arena, CHUNK_ORDER + 2);
	return !host_live_allocs() && !host_check_clean();
}

static void test_same(const struct race_config *cfg)
{
	void *arena = begin_same(cfg, run_same, disturb_order);
	struct myalloc_zone_stats stats;

	myalloc_zone_stats(race.zone, &stats);
	if (stats.bad_frees != (race.threads - 1) * 4 * SAME_ROUNDS || stats.corruptions)
		fail("%llu frees were refused, %llu corruptions", stats.bad_frees,
		     stats.corruptions);
	ktap_result(end_same(arena),
		    "%s: %u threads free the same %u blocks: each was freed once", cfg->name,
		    race.threads, 4 * SAME_ROUNDS);
}

/* --- all free the same object ---------------------------------------------------------------- */

#define OBJECT_ROUNDS	160	/* of each cache */
#define SETTLE_ROUNDS	8	/* rounds until a drain, after which no slot is in doubt */
#define OTHERS		12	/* objects that are not freed meanwhile */

/**
 * struct shared_object - the object that the threads race for
 * @cache: its cache
 * @object: freed by all
 * @beside: allocated with it, and not freed by the others
 * @other: not freed before the last round
 * @doubtful: slots that two frees gave back, and which may have two users until the next drain
 * @nr_doubtful: how many of them
 * @won: successful frees of @object in this round
 * @doubles: rounds in which that was more than one
 * @lost: frees that were refused, in all rounds
 */
static struct shared_object {
	struct myalloc_cache *cache;
	void *object, *beside;
	void *other[OTHERS];
	void *doubtful[SETTLE_ROUNDS];
	u32 nr_doubtful, won, doubles;
	u64 lost;
} shared;

static __thread bool freeing;	/* interrupts may free the object too */

static void free_shared(void)
{
	if (!myalloc_cache_free(shared.cache, shared.object))
		__atomic_fetch_add(&shared.won, 1, __ATOMIC_RELAXED);
	else
		__atomic_fetch_add(&shared.lost, 1, __ATOMIC_RELAXED);
}

static void disturb_objects(const char *where)
{
	if (!self)
		return;
	switch (myalloc_random_below(&self->schedule, 64)) {
	case 0 ... 15:
		program_nap();
		break;
	case 16:
		if (!freeing || in_nmi())
			break;
		host_enter_nmi();
		free_shared();
		host_exit_nmi();
		break;
	case 17 ... 18:
		if (!freeing || irqs_disabled())
			break;
		host_enter_hardirq();
		free_shared();
		host_exit_hardirq();
		break;
	}
}

static bool in_doubt(const void *object)
{
	u32 i;

	for (i = 0; i < shared.nr_doubtful; i++)
		if (shared.doubtful[i] == object)
			return true;
	return false;
}

/* All users of an object write the same content, so only an error changes it. */
static u64 key_of(const void *object)
{
	return myalloc_pattern_key(1, (unsigned long)object);
}

static void *new_object(void)
{
	void *object = myalloc_cache_alloc(shared.cache, 0);
	u32 i;

	if (!object)
		fail("no object of cache %s", shared.cache->name);
	for (i = 0; i < OTHERS; i++)
		if (shared.other[i] == object)
			fail("an object that nobody freed was handed out again");
	fill_end(object, shared.cache->layout.object_size, key_of(object));
	return object;
}

static void check_object(void *object)
{
	check_end(object, shared.cache->layout.object_size, key_of(object));
}

static void begin_round(u32 round)
{
	u32 i;

	if (!(round % OBJECT_ROUNDS)) {
		shared.cache = race.cache[round / OBJECT_ROUNDS];
		memset(shared.other, 0, sizeof(shared.other));
		for (i = 0; i < OTHERS; i++)
			shared.other[i] = new_object();
	}
	shared.object = new_object();
	shared.beside = new_object();
	if (shared.object == shared.beside && !in_doubt(shared.object))
		fail("an object was handed out twice");
	shared.won = 0;
}

/* After a drain nothing is in doubt, and exactly the other objects are live. */
static void settle(void)
{
	struct myalloc_cache_stats stats;

	myalloc_cache_drain(shared.cache);
	myalloc_cache_stats(shared.cache, &stats);
	if (stats.live_objects != OTHERS || stats.cached_objects || stats.deferred_objects)
		fail("cache %s: %llu objects live, %llu cached, %llu deferred, and not %u live",
		     stats.name, stats.live_objects, stats.cached_objects, stats.deferred_objects,
		     OTHERS);
	validate();
	shared.nr_doubtful = 0;
}

static void end_round(u32 round)
{
	bool doubtful = in_doubt(shared.object);
	u32 i;

	if (!shared.won && !doubtful)
		fail("cache %s: no free of a live object was taken", shared.cache->name);
	if (shared.won > 1 && claims(shared.cache))
		fail("cache %s: %u frees of one object were taken", shared.cache->name, shared.won);
	if (shared.won > 1) {
		shared.doubles++;
		if (!doubtful)
			shared.doubtful[shared.nr_doubtful++] = shared.object;
	}
	if (shared.beside != shared.object) {
		/* A slot in doubt may have been flushed from another magazine, and is free then. */
		if (!in_doubt(shared.beside))
			check_object(shared.beside);
		if (myalloc_cache_free(shared.cache, shared.beside) && !in_doubt(shared.beside))
			fail("cache %s: a right free was refused", shared.cache->name);
	}
	if (round % SETTLE_ROUNDS == SETTLE_ROUNDS - 1)
		settle();
	if (round % OBJECT_ROUNDS != OBJECT_ROUNDS - 1)
		return;
	for (i = 0; i < OTHERS; i++) {
		check_object(shared.other[i]);
		if (myalloc_cache_free(shared.cache, shared.other[i]))
			fail("cache %s: a right free was refused", shared.cache->name);
	}
}

/* Does the sanitizer mark free objects? When one of two users frees a slot, it tells the other. */
#ifdef HOST_ASAN
static const bool marked = true;
#else
static const bool marked;
#endif

static void *run_same_object(void *arg)
{
	u32 round;

	self = arg;
	host_set_cpu(self->number % race.cpus);
	for (round = 0; round < CACHES * OBJECT_ROUNDS; round++) {
		if (marked && !claims(race.cache[round / OBJECT_ROUNDS]))
			continue;
		if (!self->number)
			begin_round(round);
		pthread_barrier_wait(&race.start);
		freeing = true;
		if (self->number != 1 || round % 4)
			free_shared();
		else if (round % 8)
			myalloc_cache_shrink(shared.cache);
		else
			myalloc_cache_drain(shared.cache);
		freeing = false;
		pthread_barrier_wait(&race.start);
		if (!self->number)
			end_round(round);
	}
	return NULL;
}

static void test_same_object(const struct race_config *cfg)
{
	struct myalloc_zone_stats stats;
	void *arena;

	memset(&shared, 0, sizeof(shared));
	arena = begin_same(cfg, run_same_object, disturb_objects);
	myalloc_zone_stats(race.zone, &stats);
	if (stats.bad_frees < shared.lost)
		fail("%llu frees were refused, %llu counted", shared.lost, stats.bad_frees);
	ktap_result(end_same(arena) && shared.lost,
		    "%s: %u threads and interrupts free the same %u objects: %u times two frees were taken, and only that slot was affected",
		    cfg->name, race.threads, CACHES * OBJECT_ROUNDS, shared.doubles);
}

/* --- the program --------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
	const struct program_option options[] = {
		{ "seed", PROGRAM_U64, &race.seed, "repeat the choices of a run" },
		{ "ops", PROGRAM_U64, &race.ops, "operations of each thread on each zone" },
		{ "threads", PROGRAM_U32, &race.threads, "threads, at most 16" },
		{ "cpus", PROGRAM_U32, &race.cpus, "simulated CPUs, at most 8" },
		{ }
	};
	u32 i;

	race.seed = program_seed();
	program_options(argc, argv,
			"Threads that allocate and free, with interrupts and a disturbed schedule.",
			options);
	race.threads = clamp_t(u32, race.threads, 1, THREADS_MOST);
	race.cpus = clamp_t(u32, race.cpus, 1, 8);
	alarm(HANGS_AFTER);
	host_set_nr_cpus(race.cpus);
	ktap_plan(3 * ARRAY_SIZE(configs));
	ktap_note("seed %llu, %u threads on %u CPUs, %llu operations each", race.seed, race.threads,
		  race.cpus, race.ops);
	for (i = 0; i < ARRAY_SIZE(configs); i++)
		test_config(&configs[i]);
	for (i = 0; i < ARRAY_SIZE(configs); i++)
		test_same(&configs[i]);
	for (i = 0; i < ARRAY_SIZE(configs); i++)
		test_same_object(&configs[i]);
	return ktap_end();
}
