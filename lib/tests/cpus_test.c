// SPDX-License-Identifier: GPL-2.0
/*
 * Many CPUs and much memory: metadata, magazines and the cost of a drain with 2, 64 and 512 CPUs
 *
 * For zones of two sizes, with one cache and with the maximum number of caches: after creation,
 * after every CPU has used one cache, and after every CPU has used every cache. Prints the figures,
 * and checks that the allocator keeps to the shares of the zone that it promises (cache.c,
 * pages.c).
 *
 * With --figures it checks nothing, but measures zones of up to 1 TiB (vm/bench.sh scale).
 */
#include "env.h"
#include "ktap.h"
#include "object/cache.h"
#include "page/drain.h"
#include "program.h"
#include "zone/validate.h"
#include "zone/zone.h"

#define CHUNK_ORDER	10
#define CACHES_MOST	(MYALLOC_CACHES_MAX - 1)
/* DRAIN_MOST of drain.c. */
#define DRAIN_MOST	256

static struct myalloc_zone *zone;
static struct myalloc_cache *cache[CACHES_MOST];
static u32 nr_caches;
static u32 calls[NR_CPUS];

int __real_myalloc_env_call_on_cpu(int cpu, void (*fn)(void *arg), void *arg);
int __wrap_myalloc_env_call_on_cpu(int cpu, void (*fn)(void *arg), void *arg);

int __wrap_myalloc_env_call_on_cpu(int cpu, void (*fn)(void *arg), void *arg)
{
	calls[cpu]++;
	return __real_myalloc_env_call_on_cpu(cpu, fn, arg);
}

/* --- the zone ----------------------------------------------------------------------------- */

#define SPREAD		(1ULL << 36)	/* bytes between chunks, where they are far from each other */

static struct {
	void *arena, **chunks;
	u32 order;
} memory;

/* Chunks next to each other; or far apart, without memory behind them. */
static struct myalloc_zone_args take_memory(u32 order, bool spread)
{
	u32 i, nr = 1u << (order - CHUNK_ORDER);

	memory.order = order;
	memory.arena = spread ? NULL : host_chunk_alloc(order);
	memory.chunks = calloc(nr, sizeof(*memory.chunks));
	for (i = 0; i < nr; i++)
		memory.chunks[i] = spread ? (void *)(unsigned long)((i + 1) * SPREAD) :
					    memory.arena + i * (PAGE_SIZE << CHUNK_ORDER);
	return (struct myalloc_zone_args){
		.name = "z", .chunks = memory.chunks, .nr_chunks = nr, .chunk_order = CHUNK_ORDER,
		.nr_pages = 1u << order, .node = NUMA_NO_NODE, .simulated = spread,
	};
}

static void make_zone(const struct myalloc_zone_args *args)
{
	zone = myalloc_zone_create(args);
	if (IS_ERR(zone))
		host_fatal("no zone");
	nr_caches = 0;
}

static void end_caches(void)
{
	u32 i;

	for (i = 0; i < nr_caches; i++)
		if (myalloc_cache_destroy(cache[i]))
			host_fatal("a cache does not end");
}

static void end_zone(void)
{
	if (myalloc_zone_destroy(zone))
		host_fatal("the zone does not end");
}

static void give_memory(void)
{
	host_chunk_free(memory.arena, memory.order);	/* NULL is allowed */
	free(memory.chunks);
}

static void make_caches(u32 nr)
{
	static const u32 sizes[] = { 64, 256, 8, 1024, 192, 4096, 32, 512 };
	char name[16];
	u32 i;

	for (i = 0; i < nr; i++) {
		const struct myalloc_cache_args args = {
			.name = name, .object_size = sizes[i % ARRAY_SIZE(sizes)],
		};

		snprintf(name, sizeof(name), "c%u", i);
		cache[i] = myalloc_cache_create(zone, &args);
		if (IS_ERR(cache[i]))
			host_fatal("no cache %u", i);
	}
	nr_caches = nr;
}

/* Each CPU allocates an object of some caches, and pages of each order, and frees them. */
static void use(u32 from, u32 to)
{
	u32 i, cpu;

	for (cpu = 0; cpu < num_possible_cpus(); cpu++) {
		host_set_cpu(cpu);
		for (i = 0; i < MYALLOC_PCP_LISTS; i++) {
			unsigned int order = myalloc_pcp_order(i);
			void *page = myalloc_pages_alloc(zone, order, 0);

			if (page && myalloc_pages_free(zone, page, order))
				host_fatal("a right free of pages is refused");
		}
		for (i = from; i < to; i++) {
			void *object = myalloc_cache_alloc(cache[i], 0);

			if (object && myalloc_cache_free(cache[i], object))
				host_fatal("a right free is refused");
		}
	}
	host_set_cpu(0);
}

/* Run until every CPU has magazines, or the shares are used up. */
static void come(u32 from, u32 to)
{
	u32 round;

	use(from, to);
	for (round = 0; zone->want_magazines && round < 12; round++) {
		zone->work.fn(&zone->work);
		use(from, to);
	}
}

/* Each CPU allocates more of the first cache than its magazines hold, until these have grown. */
static void use_often(void)
{
	void *object[160];
	u32 round, cpu, nr;

	for (round = 0; round < 3; round++) {
		for (cpu = 0; cpu < num_possible_cpus(); cpu++) {
			host_set_cpu(cpu);
			nr = myalloc_cache_alloc_bulk(cache[0], 0, ARRAY_SIZE(object), object);
			if (myalloc_cache_free_bulk(cache[0], nr, object) != nr)
				host_fatal("a right free is refused");
		}
		host_set_cpu(0);
		zone->work.fn(&zone->work);
	}
	come(0, 1);
}

static u64 on_cpu(int cpu)
{
	u64 nr = 0;
	u32 i;

	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		nr += myalloc_magazines_count_cpu(&zone->pcp[i], cpu);
	for (i = 0; i < nr_caches; i++)
		nr += myalloc_magazines_count_cpu(&cache[i]->mags, cpu);
	return nr;
}

/* Highest number of calls of one CPU; *@good is set if no CPU was called too often. */
static u32 drain(bool *good)
{
	u64 had[NR_CPUS];
	u32 cpu, most = 0;

	memset(calls, 0, sizeof(calls));
	for (cpu = 0; cpu < num_possible_cpus(); cpu++)
		had[cpu] = on_cpu(cpu);
	myalloc_zone_drain(zone);
	for (cpu = 0; cpu < num_possible_cpus(); cpu++) {
		u64 passed = had[cpu] + MYALLOC_PCP_LISTS + nr_caches;

		*good &= had[cpu] ? calls[cpu] <= 1 + 2 * passed / DRAIN_MOST : !calls[cpu];
		most = max(most, calls[cpu]);
	}
	return most;
}

struct figures {
	u64 zone_meta, caches_meta, mags_meta;
	u64 pages, objects;
	u32 served;	/* caches with magazines */
	u32 places;	/* CPUs that the first cache has magazines for */
	u32 capacity;	/* number of objects in these magazines */
};

static void look(struct figures *f)
{
	struct myalloc_cache_stats stats;
	u32 i;

	memset(f, 0, sizeof(*f));
	f->zone_meta = zone->meta_bytes;
	for (i = 0; i < nr_caches; i++) {
		myalloc_cache_stats(cache[i], &stats);
		f->caches_meta += stats.meta_bytes;
		f->mags_meta += stats.meta_bytes - sizeof(*cache[i]);
		f->objects += (u64)cache[i]->mags.nr_magazines * cache[i]->mags.capacity *
			      stats.slot_size;
		f->served += !!cache[i]->mags.capacity;
	}
	f->places = cache[0]->mags.places;
	f->capacity = cache[0]->mags.capacity;
	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		f->pages += (u64)zone->pcp[i].nr_magazines * zone->pcp[i].capacity <<
			    myalloc_pcp_order(i);
}

static void case_of(u32 cpus, u32 order, u32 nr)
{
	static const char * const states[] = { "made", "one used by all CPUs", "all used by all" };
	u64 bytes = PAGE_SIZE << order;
	u32 s, most[ARRAY_SIZE(states)] = {};
	bool meta = true, room = true, good = true, all = false;
	struct myalloc_zone_args args;

	host_reset();
	host_set_nr_cpus(cpus);
	args = take_memory(order, false);
	make_zone(&args);
	make_caches(nr);
	for (s = 0; s < ARRAY_SIZE(states); s++) {
		struct figures f;

		if (s == 1) {
			come(0, 1);
			use_often();
		}
		if (s == 2)
			come(0, nr);
		look(&f);
		if (s == 1)
			all = f.places == cpus && f.capacity == 64;
		meta &= f.mags_meta <= bytes / 64 && f.mags_meta == zone->magazine_meta;
		room &= f.objects <= bytes / 8 && f.objects == zone->magazine_room &&
			f.pages << PAGE_SHIFT <= bytes * 3 / 8;
		if (s)
			most[s] = drain(&good);
		ktap_note("pages in a magazine, by list: %u %u %u %u %u; CPUs: %u %u %u %u %u",
			  zone->pcp[0].capacity, zone->pcp[1].capacity, zone->pcp[2].capacity,
			  zone->pcp[3].capacity, zone->pcp[4].capacity, zone->pcp[0].places,
			  zone->pcp[1].places, zone->pcp[2].places, zone->pcp[3].places,
			  zone->pcp[4].places);
		ktap_note("%3u CPUs, %4llu MiB, %4u caches, %-20s: zone %7llu, caches %8llu (%4u with magazines; first: %3u objects, %3u CPUs), C = %llu + %llu of 1000, %u calls a CPU",
			  cpus, bytes >> 20, nr, states[s], f.zone_meta, f.caches_meta, f.served,
			  f.capacity, f.places, (f.pages << PAGE_SHIFT) * 1000 / bytes,
			  f.objects * 1000 / bytes, most[s]);
	}
	ktap_result(meta, "%u CPUs, %llu MiB, %u caches: their magazines take at most 1/64",
		    cpus, bytes >> 20, nr);
	ktap_result(room, "%u CPUs, %llu MiB, %u caches: and hold at most 1/8, those of pages 3/8",
		    cpus, bytes >> 20, nr);
	/* 64 MiB has room for 16 in those of 512 CPUs. */
	ktap_result(all || (cpus == 512 && order == 14),
		    "%u CPUs, %llu MiB, %u caches: one that all CPUs use often has 64 objects in each magazine",
		    cpus, bytes >> 20, nr);
	ktap_result(good && most[1] == 1,
		    "%u CPUs, %llu MiB, %u caches: a drain calls a CPU once for one of them, %u times for all",
		    cpus, bytes >> 20, nr, most[2]);
	end_caches();
	end_zone();
	give_memory();
}

/* --- figures ---------------------------------------------------------------------------- */

#define FIGURES_CACHES	100

static u64 now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

static bool count_block(struct myalloc_zone *z, u32 idx, const struct myalloc_frame *frame,
			void *arg)
{
	++*(u64 *)arg;
	return true;
}

/* The cost of a file of statistics, one of owners, and a validation while nothing is in use. */
static void print_walks(void)
{
	struct myalloc_validation v;
	struct myalloc_zone_stats stats;
	u64 began = now_us(), read, walked, blocks = 0;

	myalloc_zone_stats(zone, &stats);
	read = now_us();
	myalloc_zone_walk_blocks(zone, count_block, &blocks);
	walked = now_us();
	if (!myalloc_zone_validate(zone, &v))
		host_fatal("%s", v.first);
	printf("\"stats_us\": %llu, \"walk_us\": %llu, \"validate_us\": %llu, ",
	       (unsigned long long)(read - began), (unsigned long long)(walked - read),
	       (unsigned long long)(now_us() - walked));
}

/* Caches that every CPU has used. */
static void print_use(u64 bytes)
{
	struct myalloc_cache_stats stats;
	struct figures f;
	bool good = true;

	make_caches(FIGURES_CACHES);
	come(0, 1);
	use_often();
	myalloc_cache_stats(cache[0], &stats);
	come(0, nr_caches);
	look(&f);
	printf("\"cache_bytes\": %llu, \"magazine_objects\": %u, \"out_of_reach\": %.4f, \"drain_calls\": %u, ",
	       (unsigned long long)stats.meta_bytes, f.capacity,
	       ((double)(f.pages << PAGE_SHIFT) + f.objects) / bytes, drain(&good));
}

static void print_figures(u32 cpus, u32 order, bool spread)
{
	u64 bytes = (u64)PAGE_SIZE << order, began;
	struct myalloc_zone_args args;

	host_reset();
	host_set_nr_cpus(cpus);
	args = take_memory(order, spread);
	began = now_us();
	make_zone(&args);
	printf("{\"cpus\": %u, \"mib\": %llu, \"spread\": %s, \"load_us\": %llu, \"zone_bytes\": %llu, ",
	       cpus, (unsigned long long)bytes >> 20, spread ? "true" : "false",
	       (unsigned long long)(now_us() - began), (unsigned long long)zone->meta_bytes);
	if (!spread)
		print_use(bytes);
	print_walks();
	end_caches();
	began = now_us();
	end_zone();
	printf("\"unload_us\": %llu}\n", (unsigned long long)(now_us() - began));
	fflush(stdout);
	give_memory();
}

static void figures(void)
{
	static const u32 cpus[] = { 2, 64, 512 }, orders[] = { 14, 18, 24 };
	u32 c, o;

	for (o = 0; o < ARRAY_SIZE(orders); o++)
		for (c = 0; c < ARRAY_SIZE(cpus); c++)
			print_figures(cpus[c], orders[o], false);
	print_figures(2, 28, false);
	print_figures(2, 14, true);
}

int main(int argc, char **argv)
{
	static const u32 cpus[] = { 2, 64, 512 }, orders[] = { 14, 18 };
	static const u32 nr[] = { 1, 100, CACHES_MOST };
	bool only_figures = false;
	const struct program_option options[] = {
		{ "figures", PROGRAM_FLAG, &only_figures,
		  "measure zones of up to 1 TiB, and print JSON; takes 5 GiB of memory" },
		{ }
	};
	u32 c, o, n;

	program_options(argc, argv, "What many CPUs and much memory cost.", options);
	if (only_figures) {
		figures();
		return 0;
	}
	ktap_plan(4 * ARRAY_SIZE(cpus) * ARRAY_SIZE(orders) * ARRAY_SIZE(nr));
	for (c = 0; c < ARRAY_SIZE(cpus); c++)
		for (o = 0; o < ARRAY_SIZE(orders); o++)
			for (n = 0; n < ARRAY_SIZE(nr); n++)
				case_of(cpus[c], orders[o], nr[n]);
	return ktap_end();
}
