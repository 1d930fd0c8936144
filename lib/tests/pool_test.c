// SPDX-License-Identifier: GPL-2.0
/*
 * Object pools under attack: threads on simulated CPUs hold all guaranteed objects of a pool, while
 * others take everything else
 *
 * Each worker may hold its part of nr. It allocates up to that and frees at random, on changing
 * CPUs, so that magazines everywhere fill up with objects that others need. One thread allocates
 * all pages of the zone and frees them again, shrinks, drains and validates. At the points of lib/
 * and around every lock a thread may yield its core, sleep for a moment, or be interrupted by a
 * hard interrupt or an NMI, which also allocates from the worker's part of nr, and in NMI also
 * within its part of nmi.
 *
 * Checks: no allocation fails, in any context; every object keeps its pattern; every free succeeds;
 * at the end the pool has its set-aside and nothing else.
 *
 * Frees in NMI are deferred if the lock is taken; no more are made than may be (pool.c, The
 * set-aside).
 *
 * The seed repeats every choice of each thread; their interleaving depends on the machine.
 */
#include "env.h"
#include "front/pool.h"
#include "ktap.h"
#include "lock_points.h"
#include "program.h"
#include "base/pattern.h"
#include "base/random.h"
#include "zone/validate.h"

#include <pthread.h>
#include <sched.h>

#define WORKERS_MOST	8
#define PART_MOST	512	/* objects of a worker */
#define NMI_PART	4	/* of them, allocated in NMI and not yet freed */
#define CHUNK_ORDER	6
#define PAGES		(4u << CHUNK_ORDER)
#define HANGS_AFTER	600	/* seconds */

static const struct config {
	const char *name;
	u32 part;	/* objects of each worker */
	u32 size;
	myalloc_cache_flags_t flags;
} configs[] = {
	{ "magazines", 100, 64, 0 },
	{ "magazines, hard", 100, 200, MYALLOC_POOL_HARD },
	{ "few objects", 6, 1000, 0 },
	{ "trusting", 64, 64, MYALLOC_TRUSTING },
	{ "certain, random", 64, 100, MYALLOC_CERTAIN | MYALLOC_RANDOM },
	{ "checks", 12, 100, MYALLOC_CHECKS | MYALLOC_POOL_HARD },
};

struct worker {
	pthread_t thread;
	u32 number;
	struct myalloc_random random, schedule;
	void *object[PART_MOST];
	u32 nr;		/* of object */
	bool busy;	/* object and nr are being changed */
	void *nmi[NMI_PART];
	u32 nr_nmi;
	u32 freeing;	/* one of them is being freed */
	u64 allocs, nmi_allocs, interrupts;
};

static struct {
	const struct config *cfg;
	struct myalloc_zone *zone;
	struct myalloc_pool *pool;
	u32 cpus, workers;
	u64 seed, ops;
	bool done;
} test = { .cpus = 3, .workers = 4, .ops = 6000 };

static __thread struct worker *self;

static void __noreturn fail(const char *fmt, ...) __printf(1, 2);
static void __noreturn fail(const char *fmt, ...)
{
	va_list args;

	printf("# %s, seed %llu, thread %d, CPU %u: ", test.cfg->name, test.seed,
	       self ? (int)self->number : -1, raw_smp_processor_id());
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\nnot ok %u %s\n", ktap_nr + 1, test.cfg->name);
	fflush(stdout);
	abort();
}

/* --- allocating and freeing, in any context ----------------------------------------------- */

static void *get(void)
{
	void *object = myalloc_pool_alloc(test.pool, 0);

	if (!object)
		fail("an allocation in %s failed: %u and %u are held here",
		     in_nmi() ? "NMI" : in_hardirq() ? "an interrupt" : "a task", self->nr,
		     self->nr_nmi);
	myalloc_pattern_fill(object, test.cfg->size, (unsigned long)object + self->number);
	return object;
}

static void put(void *object)
{
	struct myalloc_damage damage;
	int err;

	if (!myalloc_pattern_check(object, test.cfg->size, (unsigned long)object + self->number,
				   &damage))
		fail("an object changed at offset %zu", damage.offset);
	err = myalloc_pool_free(test.pool, object);
	if (err)
		fail("free: %d", err);
}

/* All contexts of a worker share its part; none uses the list while it is being changed. */
static void step(struct myalloc_random *random)
{
	u32 index;

	if (self->busy)
		return;
	self->busy = true;
	if (self->nr + NMI_PART < test.cfg->part && !myalloc_random_one_in(random, 3)) {
		self->object[self->nr] = get();
		self->nr++;
		self->allocs++;
	} else if (self->nr) {
		index = myalloc_random_below(random, self->nr);
		put(self->object[index]);
		self->object[index] = self->object[--self->nr];
	}
	self->busy = false;
}

static void nmi(struct myalloc_random *random)
{
	s64 waiting = atomic64_read(&test.pool->cache->deferred.nr);

	if (self->nr_nmi + self->freeing < NMI_PART) {
		self->nmi[self->nr_nmi] = get();
		self->nr_nmi++;
		self->nmi_allocs++;
	} else if (self->nr_nmi && waiting + test.workers <= test.pool->nmi) {
		put(self->nmi[self->nr_nmi - 1]);
		self->nr_nmi--;
	}
}

/* --- disturbances -------------------------------------------------------------------------- */

static void disturb(const char *where)
{
	struct timespec moment = { 0 };

	if (!self)
		return;
	switch (myalloc_random_below(&self->schedule, 128)) {
	case 0 ... 5:
		program_nap();
		break;
	case 6:
		moment.tv_nsec = 1000 + myalloc_random_below(&self->schedule, 50000);
		nanosleep(&moment, NULL);
		break;
	case 7 ... 12:
		if (in_nmi())
			break;
		self->interrupts++;
		host_enter_nmi();
		nmi(&self->schedule);
		host_exit_nmi();
		break;
	case 13 ... 15:
		if (irqs_disabled())
			break;
		self->interrupts++;
		host_enter_hardirq();
		step(&self->schedule);
		host_exit_hardirq();
		break;
	}
}

static void at_lock(const char *where)
{
	myalloc_env_point(where);
}

/* --- threads ---------------------------------------------------------------------------------- */

/* Free an object that an NMI left here. NMIs come at points only, so not between two lines here. */
static void free_nmi_object(void)
{
	void *object;

	if (!self->nr_nmi)
		return;
	object = self->nmi[--self->nr_nmi];
	self->freeing = 1;	/* it is live until the free returns */
	put(object);
	self->freeing = 0;
}

static void *work(void *arg)
{
	u64 i;

	self = arg;
	host_set_cpu(self->number % test.cpus);
	for (i = 0; i < test.ops; i++) {
		if (myalloc_random_one_in(&self->random, 50))
			host_set_cpu(myalloc_random_below(&self->random, test.cpus));
		if (myalloc_random_one_in(&self->random, 8))
			free_nmi_object();
		else
			step(&self->random);
	}
	self->busy = true;
	while (self->nr)
		put(self->object[--self->nr]);
	while (self->nr_nmi)
		free_nmi_object();
	self = NULL;
	return NULL;
}

/* Take every free page, in turn with every operation that reclaims memory. */
static void *grab(void *arg)
{
	struct myalloc_random *random = arg;
	struct myalloc_validation v;
	static void *page[PAGES];
	u32 nr = 0;

	host_set_cpu(0);
	while (!READ_ONCE(test.done)) {
		while (nr < PAGES && (page[nr] = myalloc_pages_alloc(test.zone, 0, 0)))
			nr++;
		switch (myalloc_random_below(random, 8)) {
		case 0:
			myalloc_zone_drain(test.zone);
			break;
		case 1:
			myalloc_cache_shrink(test.pool->cache);
			break;
		case 2:
			if (!myalloc_zone_validate(test.zone, &v))
				fail("%s", v.first);
			break;
		case 3:
			while (nr)
				myalloc_pages_free(test.zone, page[--nr], 0);
			break;
		}
		program_nap();
	}
	while (nr)
		myalloc_pages_free(test.zone, page[--nr], 0);
	return NULL;
}

static void test_config(const struct config *cfg)
{
	struct worker *worker = calloc(test.workers, sizeof(*worker));
	void *arena = host_chunk_alloc(CHUNK_ORDER + 2), *chunk[4];
	struct myalloc_zone_args args = {
		.name = "pool", .chunks = chunk, .nr_chunks = 4, .chunk_order = CHUNK_ORDER,
		.nr_pages = PAGES, .node = NUMA_NO_NODE, .no_worker = true,
	};
	struct myalloc_pool_args pool_args = {
		.name = "pool", .object_size = cfg->size, .nr = cfg->part * test.workers,
		.nmi = NMI_PART * test.workers, .flags = cfg->flags,
	};
	u64 allocs = 0, nmi_allocs = 0, interrupts = 0;
	struct myalloc_random random;
	struct myalloc_pool_stats stats;
	pthread_t grabber;
	bool good;
	u32 i;

	for (i = 0; i < 4; i++)
		chunk[i] = arena + i * (PAGE_SIZE << CHUNK_ORDER);
	test.cfg = cfg;
	test.done = false;
	test.zone = myalloc_zone_create(&args);
	if (IS_ERR(test.zone))
		host_fatal("no zone");
	test.pool = myalloc_pool_create(test.zone, &pool_args);
	if (IS_ERR(test.pool))
		host_fatal("no pool");
	host_point_depth = 2;
	WRITE_ONCE(host_preempt_point, disturb);
	myalloc_random_init(&random, test.seed, 2 * test.workers);
	if (pthread_create(&grabber, NULL, grab, &random))
		host_fatal("no thread");
	for (i = 0; i < test.workers; i++) {
		worker[i].number = i;
		myalloc_random_init(&worker[i].random, test.seed, 2 * i);
		myalloc_random_init(&worker[i].schedule, test.seed, 2 * i + 1);
		if (pthread_create(&worker[i].thread, NULL, work, &worker[i]))
			host_fatal("no thread");
	}
	for (i = 0; i < test.workers; i++) {
		pthread_join(worker[i].thread, NULL);
		allocs += worker[i].allocs;
		nmi_allocs += worker[i].nmi_allocs;
		interrupts += worker[i].interrupts;
	}
	WRITE_ONCE(test.done, true);
	pthread_join(grabber, NULL);
	WRITE_ONCE(host_preempt_point, NULL);
	myalloc_zone_drain(test.zone);
	myalloc_pool_stats(test.pool, &stats);
	good = !stats.live_objects && !stats.cached_objects && !stats.deferred_objects &&
	       !stats.fails && !stats.bad_frees && stats.spares == stats.nmi &&
	       stats.slabs == stats.slabs_set_aside && stats.allocs == stats.frees;
	if (myalloc_pool_destroy(test.pool) || myalloc_zone_destroy(test.zone))
		fail("the pool or the zone does not end");
	host_chunk_free(arena, CHUNK_ORDER + 2);
	free(worker);
	ktap_result(good && !host_live_allocs() && !host_check_clean() && allocs && nmi_allocs,
		    "%s: %llu allocations, %llu in NMI (%llu by a spare), %llu interrupts: none failed",
		    cfg->name, allocs, nmi_allocs, stats.spare_allocs, interrupts);
}

int main(int argc, char **argv)
{
	const struct program_option options[] = {
		{ "seed", PROGRAM_U64, &test.seed, "repeat the choices of a run" },
		{ "ops", PROGRAM_U64, &test.ops, "operations of each thread" },
		{ "threads", PROGRAM_U32, &test.workers, "threads, at most 8" },
		{ "cpus", PROGRAM_U32, &test.cpus, "simulated CPUs, at most 8" },
		{ }
	};
	u32 i;

	test.seed = program_seed();
	program_options(argc, argv,
			"Threads that hold all that an object pool promises, while others take the rest.",
			options);
	test.workers = clamp_t(u32, test.workers, 1, WORKERS_MOST);
	test.cpus = clamp_t(u32, test.cpus, 1, 8);
	alarm(HANGS_AFTER);
	host_set_nr_cpus(test.cpus);
	ktap_plan(ARRAY_SIZE(configs));
	ktap_note("seed %llu, %u threads on %u CPUs, %llu operations each", test.seed,
		  test.workers, test.cpus, test.ops);
	for (i = 0; i < ARRAY_SIZE(configs); i++)
		test_config(&configs[i]);
	return ktap_end();
}
