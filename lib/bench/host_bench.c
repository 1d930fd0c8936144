// SPDX-License-Identifier: GPL-2.0
/*
 * The allocator as a native program, beside malloc() of whatever library is loaded
 *
 *	host_bench malloc LAYOUT	malloc() and free(); LD_PRELOAD chooses the library
 *	host_bench myalloc LAYOUT	a cache of this allocator for each size, freed to it
 *	host_bench by-address LAYOUT	the same, freed by address alone
 *	host_bench heap LAYOUT		a heap of this allocator
 *	host_bench zone			blocks straight from zones, see zone_bench()
 *	host_bench threads		one and two threads at one zone, see threads_bench()
 *
 * With each LAYOUT, a small number, the heap begins elsewhere. The first four read commands
 * from standard input, one a line, do a round and answer with the nanoseconds of the thread:
 *
 *	PATTERN SIZE BATCH OPS		pattern: pair, order, reverse, shuffled, churn
 *
 * so that vm/bench/host.py can make several of them take turns. A pattern is one function,
 * inlined for each side with the calls of that side, as in mod/bench/objects.c: each is called
 * as a program calls it, malloc() through the table of a shared library's functions. One
 * thread; -DHOST_FAST: no checks of the host environment, those of the allocator all there.
 */
#include "env.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#include "base/random.h"
#include "front/heap.h"
#include "object/slab.h"
#include "zone/zone.h"

#define SIZES_MAX	16
#define BATCH_MAX	65536
#define ZONE_BYTES	(256UL << 20)
#define SEED		1

typedef void *(*take_fn)(size_t size);
typedef void (*give_fn)(void *object);

static struct myalloc_zone *zone;
static struct myalloc_cache *cache;	/* of the size at work */
static struct myalloc_heap *heap;
static void *object[BATCH_MAX];
static u32 order[BATCH_MAX];

/* Of this thread, so that others of the machine make a round no longer than by the caches' loss. */
static u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* --- sides --------------------------------------------------------------------- */

static void *ours_take(size_t size)
{
	return myalloc_cache_alloc(cache, 0);
}

static void ours_give(void *p)
{
	myalloc_cache_free(cache, p);
}

static void ours_give_by_address(void *p)
{
	myalloc_free(zone, p);
}

static void *heap_take(size_t size)
{
	return myalloc_heap_alloc(heap, size, 0);
}

static void heap_give(void *p)
{
	myalloc_heap_free(heap, p);
}

static void die(const char *what)
{
	fprintf(stderr, "host_bench: %s\n", what);
	exit(1);
}

/* A zone of @bytes, with memory behind it or without, chunks adjacent. */
static struct myalloc_zone *make_zone(u64 bytes, bool simulated, bool no_magazines)
{
	const u64 chunk = (u64)PAGE_SIZE << MYALLOC_CHUNK_MAX;
	struct myalloc_zone_args args = {
		.name = "bench",
		.nr_chunks = bytes / chunk,
		.chunk_order = MYALLOC_CHUNK_MAX,
		.nr_pages = bytes / PAGE_SIZE,
		.node = NUMA_NO_NODE,
		.no_magazines = no_magazines,
		.simulated = simulated,
	};
	void **chunks = calloc(args.nr_chunks, sizeof(*chunks));
	struct myalloc_zone *z;
	u64 base = 1ULL << 44;
	u32 i;

	if (!chunks)
		die("no memory");
	if (!simulated) {
		void *memory = mmap(NULL, bytes + chunk, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (memory == MAP_FAILED)
			die("no memory");
		base = ((u64)(unsigned long)memory + chunk - 1) & ~(chunk - 1);
	}
	for (i = 0; i < args.nr_chunks; i++)
		chunks[i] = (void *)(unsigned long)(base + i * chunk);
	args.chunks = chunks;
	z = myalloc_zone_create(&args);
	free(chunks);
	if (IS_ERR(z))
		die("the zone cannot be made");
	return z;
}

static void use_size(u32 size)
{
	static struct {
		u32 size;
		struct myalloc_cache *cache;
	} known[SIZES_MAX];
	struct myalloc_cache_args args = { .object_size = size };
	char name[MYALLOC_CACHE_NAME];
	u32 i;

	for (i = 0; i < SIZES_MAX && known[i].cache; i++)
		if (known[i].size == size)
			break;
	if (i == SIZES_MAX)
		die("too many sizes");
	if (!known[i].cache) {
		snprintf(name, sizeof(name), "size-%u", size);
		args.name = name;
		known[i].size = size;
		known[i].cache = myalloc_cache_create(zone, &args);
		if (IS_ERR(known[i].cache))
			die("the cache cannot be made");
	}
	cache = known[i].cache;
}

static void make_heap(void)
{
	static const struct myalloc_heap_args args = { .name = "heap" };

	heap = myalloc_heap_create(zone, &args);
	if (IS_ERR(heap))
		die("the heap cannot be made");
}

/* A class that is used has magazines: the worker sees that it is, and makes them. */
static void use_class(size_t size)
{
	void *p;
	u32 i;

	if (size > heap->max_object || heap->cache[myalloc_heap_class(size)]->mags.capacity)
		return;
	for (i = 0; i < 1000; i++) {
		p = heap_take(size);
		heap_give(p);
	}
	zone->work.fn(&zone->work);
}

/* --- patterns ----------------------------------------------------------------------- */

static __always_inline void pair(take_fn take, give_fn give, size_t size, u64 ops)
{
	for (; ops; ops--) {
		void *p = take(size);

		/* Keeps the two calls from being seen as one that does nothing. */
		__asm__ __volatile__("" : "+r"(p) : : "memory");
		give(p);
	}
}

static __always_inline void batches(take_fn take, give_fn give, size_t size, u32 batch, u64 ops)
{
	u32 i;

	for (; ops >= batch; ops -= batch) {
		for (i = 0; i < batch; i++)
			object[i] = take(size);
		for (i = 0; i < batch; i++)
			give(object[order[i]]);
	}
}

/* One of @batch live objects is replaced, at places that repeat after BATCH_MAX steps. */
static __always_inline void churn(take_fn take, give_fn give, size_t size, u64 ops)
{
	u32 at = 0;

	for (; ops; ops--) {
		void **slot = &object[order[at]];

		at = (at + 1) % BATCH_MAX;
		give(*slot);
		*slot = take(size);
	}
}

static void shuffle(struct myalloc_random *random, u32 *number, u32 nr)
{
	for (; nr > 1; nr--) {
		u32 with = myalloc_random_below(random, nr), last = number[nr - 1];

		number[nr - 1] = number[with];
		number[with] = last;
	}
}

static void make_order(const char *pattern, u32 batch)
{
	struct myalloc_random random;
	u32 i;

	myalloc_random_init(&random, SEED, batch);
	if (!strcmp(pattern, "churn")) {
		for (i = 0; i < BATCH_MAX; i++)
			order[i] = myalloc_random_below(&random, batch);
		return;
	}
	for (i = 0; i < batch; i++)
		order[i] = strcmp(pattern, "reverse") ? i : batch - 1 - i;
	if (!strcmp(pattern, "shuffled"))
		shuffle(&random, order, batch);
}

static __always_inline u64 timed_round(take_fn take, give_fn give, const char *pattern, size_t size,
				       u32 batch, u64 ops)
{
	u64 start;
	u32 i;

	make_order(pattern, batch);
	if (!strcmp(pattern, "pair")) {
		start = now();
		pair(take, give, size, ops);
		return now() - start;
	}
	if (strcmp(pattern, "churn")) {
		start = now();
		batches(take, give, size, batch, ops);
		return now() - start;
	}
	for (i = 0; i < batch; i++)
		object[i] = take(size);
	start = now();
	churn(take, give, size, ops);
	start = now() - start;
	for (i = 0; i < batch; i++)
		give(object[i]);
	return start;
}

static __always_inline void serve(take_fn take, give_fn give)
{
	unsigned int size, batch;
	unsigned long long ops;
	char pattern[16];

	while (scanf("%15s %u %u %llu", pattern, &size, &batch, &ops) == 4) {
		if (!batch || batch > BATCH_MAX)
			die("batch out of range");
		if (take == ours_take)
			use_size(size);
		else if (take == heap_take)
			use_class(size);
		ops = timed_round(take, give, pattern, size, batch, ops);
		printf("%llu\n", ops);
		fflush(stdout);
	}
}

/* --- zones ------------------------------------------------------------------------------ */

#define ROUNDS	7

/* All blocks of an order taken, then given back in the same or in random order. */
static void zone_fill(struct myalloc_zone *z, const char *name, u32 block_order, bool random_order)
{
	u32 nr = z->buddy.nr_frames >> block_order, round, i, n;
	void **block = calloc(nr, sizeof(*block)), **next = calloc(nr, sizeof(*next));
	u32 *turn = calloc(nr, sizeof(*turn));
	struct myalloc_random random;
	u64 alloc, give;

	if (!block || !next || !turn)
		die("no memory");
	myalloc_random_init(&random, SEED, block_order);
	for (i = 0; i < nr; i++)
		turn[i] = i;
	if (random_order)
		shuffle(&random, turn, nr);
	for (round = 0; round < ROUNDS; round++) {
		alloc = now();
		for (n = 0; n < nr; n++) {
			block[n] = myalloc_pages_alloc(z, block_order, 0);
			if (!block[n])
				break;
		}
		alloc = now() - alloc;
		if (n < nr)
			die("the zone has fewer blocks than it should");
		/* Not on the clock: to read @block in random order costs as much as the frees. */
		for (i = 0; i < nr; i++)
			next[i] = block[turn[i]];
		give = now();
		for (i = 0; i < nr; i++)
			myalloc_pages_free(z, next[i], block_order);
		give = now() - give;
		if (!round)
			continue;
		printf("zone/%s/order-%u/alloc %llu %u\n", name, block_order,
		       (unsigned long long)alloc, nr);
		printf("zone/%s/order-%u/free%s %llu %u\n", name, block_order,
		       random_order ? "-shuffled" : "", (unsigned long long)give, nr);
		fflush(stdout);
	}
	free(block);
	free(next);
	free(turn);
}

#define LIVE	4096
#define STEPS	262144

/*
 * A zone half full of single pages, of which every second is free; then LIVE further ones
 * replaced at random. That is as much work in a zone of any size.
 */
static void zone_churn(struct myalloc_zone *z, const char *name)
{
	u32 nr = z->buddy.nr_frames / 2, round, i, k;
	struct myalloc_random random;
	void **block = calloc(nr, sizeof(*block)), **live = calloc(LIVE, sizeof(*live));
	u64 start;

	if (!block || !live)
		die("no memory");
	for (i = 0; i < nr; i++)
		block[i] = myalloc_pages_alloc(z, 0, 0);
	for (i = 0; i < nr; i += 2)
		myalloc_pages_free(z, block[i], 0);
	for (k = 0; k < LIVE; k++)
		live[k] = myalloc_pages_alloc(z, 0, 0);
	myalloc_random_init(&random, SEED, 0);
	for (round = 0; round < ROUNDS; round++) {
		start = now();
		for (i = 0; i < STEPS; i++) {
			void **slot = &live[myalloc_random_below(&random, LIVE)];

			myalloc_pages_free(z, *slot, 0);
			*slot = myalloc_pages_alloc(z, 0, 0);
		}
		start = now() - start;
		if (round)
			printf("zone/%s/churn %llu %u\n", name, (unsigned long long)start, STEPS);
		fflush(stdout);
	}
	free(block);
	free(live);
}

/* Without magazines, so that every operation takes the zone's lock and works on the buddy. */
static void zone_bench(void)
{
	static const struct {
		const char *name;
		u64 bytes;
		bool fill;
	} zones[] = {
		{ "64M", 64ULL << 20, false },
		{ "1G", 1ULL << 30, true },
		{ "256G", 256ULL << 30, false },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(zones); i++) {
		struct myalloc_zone *z = make_zone(zones[i].bytes, true, true);

		if (zones[i].fill) {
			zone_fill(z, zones[i].name, 0, false);
			zone_fill(z, zones[i].name, 0, true);
			zone_fill(z, zones[i].name, 9, false);
		}
		zone_churn(z, zones[i].name);
		/* What it holds ends with the program. */
	}
}

/* --- threads ---------------------------------------------------------------------------- */

#define THREADS_MOST	2
#define THREAD_STEPS	1000000		/* so many that they do not only begin and end */

struct turn {
	struct myalloc_zone *zone;
	pthread_barrier_t *begin;
	u32 cpu;
	u64 began, ended;
};

static u64 wall(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Runs on the @nr-th CPU of those that the program may use. */
static void pin(u32 nr)
{
	cpu_set_t set, one;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set))
		die("no CPU");
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && !nr--)
			break;
	if (cpu == CPU_SETSIZE)
		die("this machine has too few CPUs");
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("the CPU cannot be chosen");
}

/* Replaces one of LIVE single pages at random, THREAD_STEPS times. */
static void *turn_thread(void *data)
{
	struct turn *turn = data;
	struct myalloc_random random;
	void **live = calloc(LIVE, sizeof(*live));
	u32 i;

	if (!live)
		die("no memory");
	pin(turn->cpu);
	host_set_cpu(turn->cpu);
	myalloc_random_init(&random, SEED, turn->cpu);
	for (i = 0; i < LIVE; i++)
		live[i] = myalloc_pages_alloc(turn->zone, 0, 0);
	pthread_barrier_wait(turn->begin);
	turn->began = wall();
	for (i = 0; i < THREAD_STEPS; i++) {
		void **slot = &live[myalloc_random_below(&random, LIVE)];

		myalloc_pages_free(turn->zone, *slot, 0);
		*slot = myalloc_pages_alloc(turn->zone, 0, 0);
	}
	turn->ended = wall();
	for (i = 0; i < LIVE; i++)
		myalloc_pages_free(turn->zone, live[i], 0);
	free(live);
	return NULL;
}

/* Each thread uses one of the zones. Returns the time from the first begin to the last end. */
static u64 threads_round(struct myalloc_zone * const *zones, u32 nr)
{
	struct turn turn[THREADS_MOST];
	pthread_t thread[THREADS_MOST];
	pthread_barrier_t begin;
	u64 began = U64_MAX, ended = 0;
	u32 i;

	pthread_barrier_init(&begin, NULL, nr);
	for (i = 0; i < nr; i++) {
		turn[i] = (struct turn){ .zone = zones[i], .begin = &begin, .cpu = i };
		if (pthread_create(&thread[i], NULL, turn_thread, &turn[i]))
			die("no thread");
	}
	for (i = 0; i < nr; i++) {
		pthread_join(thread[i], NULL);
		began = min(began, turn[i].began);
		ended = max(ended, turn[i].ended);
	}
	pthread_barrier_destroy(&begin);
	return ended - began;
}

/*
 * What a second thread on a second CPU adds where both want single pages of one zone: straight
 * from it, so that they take turns on its lock, and through the magazines of their CPUs. With a
 * zone for each they share nothing, which shows what the machine can do.
 */
static void threads_bench(void)
{
	struct myalloc_zone *bare = make_zone(64ULL << 20, true, true);
	struct myalloc_zone *cached = make_zone(64ULL << 20, true, false);
	const struct {
		const char *name;
		struct myalloc_zone *zone[THREADS_MOST];
	} kinds[] = {
		{ "straight", { bare, bare } },
		{ "straight-apart", { bare, make_zone(64ULL << 20, true, true) } },
		{ "magazines", { cached, cached } },
		{ "magazines-apart", { cached, make_zone(64ULL << 20, true, false) } },
	};
	u32 round, nr, i;
	u64 ns;

	for (round = 0; round < ROUNDS; round++)
		for (nr = 1; nr <= THREADS_MOST; nr++)
			for (i = 0; i < ARRAY_SIZE(kinds); i++) {
				ns = threads_round(kinds[i].zone, nr);
				if (round)
					printf("zone/64M/%s/threads-%u %llu %u\n", kinds[i].name,
					       nr, (unsigned long long)ns, nr * THREAD_STEPS);
			}
}

/* Moves what is allocated from now on by other than a power of two. */
static void move_heap(const char *layout)
{
	static void *never_freed;

	never_freed = malloc(1 + strtoul(layout, NULL, 10) * 832);
	if (!never_freed)
		die("no memory");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 2 && !strcmp(what, "zone")) {
		zone_bench();
		return 0;
	}
	if (argc == 2 && !strcmp(what, "threads")) {
		threads_bench();
		return 0;
	}
	if (argc == 3)
		move_heap(argv[2]);
	if (argc == 3 && !strcmp(what, "malloc")) {
		serve(malloc, free);
	} else if (argc == 3 && !strcmp(what, "myalloc")) {
		zone = make_zone(ZONE_BYTES, false, false);
		serve(ours_take, ours_give);
	} else if (argc == 3 && !strcmp(what, "by-address")) {
		zone = make_zone(ZONE_BYTES, false, false);
		serve(ours_take, ours_give_by_address);
	} else if (argc == 3 && !strcmp(what, "heap")) {
		zone = make_zone(ZONE_BYTES, false, false);
		make_heap();
		serve(heap_take, heap_give);
	} else {
		die("usage: host_bench malloc|myalloc|by-address|heap LAYOUT, or zone|threads");
	}
	return 0;
}
