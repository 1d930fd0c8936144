// SPDX-License-Identifier: GPL-2.0
/*
 * Wrong frees at every point: an interrupt, an NMI or another CPU repeats a free in progress
 *
 * A search over executions like interleave_test.c, with the frees that it leaves out. A tiny zone
 * with a cache, or with pages, magazines of two and a depot, runs every short sequence of
 * operations that begins with a free. At each point (myalloc_env_point() of lib/, and around each
 * lock) an intrusion is possible: a second free of the same memory, an allocation, a free of other
 * memory, a drain, after which an empty slab may leave; up to a number of intrusions in one
 * execution. An interrupt drains like a request that finds no block, another CPU also like the
 * zone's worker, and the pages of slabs that have left get a user that writes bytes like LIVE.
 * Pages are blocks, extents or lendable blocks.
 *
 * After each execution everything is freed and drained, the statistics must balance, and validation
 * must be clean. During it, only memory that was freed twice may have two users, and every correct
 * free of other memory succeeds; where double frees are detected for certain, exactly one of two
 * frees succeeds and no memory ever has two users.
 *
 * A separate case needs a long history: a magazine of an older epoch.
 */
#include "env.h"
#include "choices.h"
#include "ktap.h"
#include "lock_points.h"
#include "program.h"
#include "object/limbo.h"
#include "page/drain.h"
#include "object/cache.h"
#include "zone/validate.h"

#include <signal.h>

#define LIVE_MOST	64
/* An object of which a page has four, whatever its size. */
#define QUARTER		(PAGE_SIZE / 4 - 24)

static const struct kind {
	const char *name;
	bool pages, exact;
	unsigned int flags;
	u32 extent;		/* pages of each */
} kinds[] = {
	{ "objects", .exact = false },
	{ "objects, certain", .exact = true, .flags = MYALLOC_CERTAIN },
	{ "objects, trusting", .exact = false, .flags = MYALLOC_TRUSTING },
	{ "objects without magazines", .exact = true, .flags = MYALLOC_NO_MAGAZINE },
	{ "objects cleared when freed", .exact = true, .flags = MYALLOC_ZERO_FREE },
	{ "objects, trusting, cleared when freed", .exact = true,
	  .flags = MYALLOC_TRUSTING | MYALLOC_ZERO_FREE },
	{ "objects with checks", .exact = true, .flags = MYALLOC_CHECKS },
	{ "pages", .exact = true, .pages = true },
	{ "extents", .exact = true, .pages = true, .extent = 3 },
	{ "lendable pages", .exact = true, .pages = true, .flags = MYALLOC_LENDABLE },
};

static struct world {
	u32 kind, most, intrusions, depth;
	void *arena;
	struct myalloc_zone *zone;
	struct myalloc_cache *cache;
	void *live[LIVE_MOST];
	u32 nr;
	void *target;		/* being freed by the first free; it has no user any more */
	u32 taken;		/* frees of it that were accepted */
	bool again;		/* it was allocated again meanwhile */
	void *page[4];		/* of a page user, after slabs have left */
	u32 nr_pages;
	void *doubtful[8];	/* freed twice in this execution */
	u32 nr_doubtful;
	bool quiet;
	bool full;
	u64 executions, both;
} w;

static void __noreturn fail(const char *fmt, ...) __printf(1, 2);

static void __noreturn fail(const char *fmt, ...)
{
	va_list args;

	printf("# %s: ", kinds[w.kind].name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n# repeat it: wrong_free_test %s--run %u,%u", w.full ? "--full " : "", w.kind,
	       w.most);
	print_choices();
	printf("\nnot ok %u %s\n", ktap_nr + 1, kinds[w.kind].name);
	fflush(stdout);
	_Exit(1);
}

static void on_signal(int nr)
{
	fail("signal %d", nr);
}

/* --- the world: a new one for each execution, as a wrong free may have damaged it ------- */

static void few_magazines(struct myalloc_magazines *mags, u32 depot)
{
	const struct myalloc_magazines before = *mags;

	myalloc_magazines_fini(mags);
	if (myalloc_magazines_init(mags, 2, 1, depot, NUMA_NO_NODE))
		host_fatal("no magazines");
	if (before.epoch == MYALLOC_EPOCH_NEVER)
		mags->epoch = before.epoch;
	mags->fresh = before.fresh;
	mags->drop = before.drop;
	mags->owner = before.owner;
}

static void make_world(void)
{
	static void *chunks[4];
	const struct kind *kind = &kinds[w.kind];
	struct myalloc_zone_args args = {
		.name = "z", .chunks = chunks, .node = NUMA_NO_NODE, .no_magazines = true,
		.chunk_order = kind->extent ? 5 : kind->pages ? 3 : 0,
		.nr_chunks = kind->pages ? 1 : 4,
	};
	struct myalloc_cache_args cache_args = {
		.name = "c", .object_size = kind->flags & MYALLOC_CHECKS ? QUARTER - 300 : QUARTER,
		.flags = kind->pages ? 0 : kind->flags,
	};
	u32 i;

	args.nr_pages = args.nr_chunks << args.chunk_order;
	for (i = 0; i < 4; i++)
		chunks[i] = w.arena + 2 * i * PAGE_SIZE;
	w.zone = myalloc_zone_create(&args);
	if (IS_ERR(w.zone))
		host_fatal("no zone");
	w.cache = NULL;
	if (kind->pages) {
		few_magazines(&w.zone->pcp[0], 1);
		return;
	}
	w.cache = myalloc_cache_create(w.zone, &cache_args);
	if (IS_ERR(w.cache))
		host_fatal("no cache");
	if (!(kind->flags & (MYALLOC_CHECKS | MYALLOC_NO_MAGAZINE)))
		few_magazines(&w.cache->mags, 1);
}

static void *get(void)
{
	const struct kind *kind = &kinds[w.kind];

	if (kind->extent)
		return myalloc_pages_alloc_exact(w.zone, kind->extent, 0, 0);
	return kind->pages ? myalloc_pages_alloc(w.zone, 0, kind->flags) :
			     myalloc_cache_alloc(w.cache, 0);
}

static int put(void *addr)
{
	const struct kind *kind = &kinds[w.kind];

	if (kind->extent)
		return myalloc_pages_free_exact(w.zone, addr, kind->extent);
	return kind->pages ? myalloc_pages_free(w.zone, addr, 0) :
			     myalloc_cache_free(w.cache, addr);
}

static bool has_user(const void *addr)
{
	u32 i;

	for (i = 0; i < w.nr; i++)
		if (w.live[i] == addr)
			return true;
	return false;
}

static bool in_doubt(const void *addr)
{
	u32 i;

	for (i = 0; i < w.nr_doubtful; i++)
		if (w.doubtful[i] == addr)
			return true;
	return false;
}

static void doubt(void *addr)
{
	if (in_doubt(addr))
		return;
	if (w.nr_doubtful == ARRAY_SIZE(w.doubtful))
		host_fatal("too much is in doubt");
	w.doubtful[w.nr_doubtful++] = addr;
}

static void do_alloc(void)
{
	void *addr = get();

	if (!addr)
		return;
	if (has_user(addr) && !in_doubt(addr))
		fail("%p was handed out twice", addr);
	/*
	 * One of the frees has freed it, though it may not have returned yet. This is its new user,
	 * and the other free follows; no allocator can tell that from a correct one.
	 */
	if (addr == w.target) {
		w.again = true;
		doubt(addr);
	}
	if (w.nr == LIVE_MOST)
		host_fatal("too much is live");
	w.live[w.nr++] = addr;
}

static void *take_live(u32 i)
{
	void *addr = w.live[i];

	w.nr--;
	memmove(&w.live[i], &w.live[i + 1], (w.nr - i) * sizeof(w.live[0]));
	return addr;
}

/* A correct free that no intrusion repeats. */
static void do_free(void)
{
	void *addr;

	if (!w.nr)
		return;
	addr = take_live(0);
	if (put(addr) && !in_doubt(addr))
		fail("a right free of %p was refused", addr);
}

static void count_taken(int err)
{
	w.taken += !err;
	if (w.taken == 2)
		w.both++;
	if (w.taken > 1 && kinds[w.kind].exact && !w.again)
		fail("two frees of %p were accepted", w.target);
}

/* A free that an intrusion may repeat while it is in progress. */
static void do_target(void)
{
	if (!w.nr || w.target)
		return;
	w.target = take_live(choose(2) ? w.nr - 1 : 0);
	w.taken = 0;
	w.again = false;
	count_taken(put(w.target));
	if (!w.taken && !in_doubt(w.target))
		fail("no free of %p was accepted", w.target);
	w.target = NULL;
}

/*
 * The second free. If the first is complete and an intrusion has allocated the thing again, this
 * would be a correct free of the new allocation.
 */
static void do_second(void)
{
	if (!w.target || has_user(w.target))
		return;
	if (!kinds[w.kind].exact)
		doubt(w.target);
	count_taken(put(w.target));
}

static void do_drain(void)
{
	myalloc_zone_drain(w.zone);
}

/* Reclaim without other CPUs: this CPU's magazines, and slabs whose grace period has passed. */
static void do_reclaim(void)
{
	myalloc_zone_reclaim(w.zone);
	if (irqs_disabled() || !w.cache)
		return;
	myalloc_cache_trim(w.cache, 0);
	myalloc_limbo_settle(w.zone);
}

/* Free pages get a user, which writes bytes that look like LIVE. */
static void do_leave(void)
{
	do_second();
	do_reclaim();
	while (w.cache && w.nr_pages < ARRAY_SIZE(w.page)) {
		void *page = myalloc_pages_alloc(w.zone, 0, 0);

		if (!page)
			break;
		memset(page, MYALLOC_SLOT_LIVE, PAGE_SIZE);
		w.page[w.nr_pages++] = page;
	}
}

static void free_pages_of_user(void)
{
	while (w.nr_pages) {
		void *page = w.page[--w.nr_pages];

		if (memchr_inv(page, MYALLOC_SLOT_LIVE, PAGE_SIZE))
			fail("a free changed a page of another user");
		if (myalloc_pages_free(w.zone, page, 0))
			fail("a right free of a page was refused");
	}
}

/* --- intrusions ---------------------------------------------------------------------- */

/*
 * Intrusions up to FREE happen in any context. Without --full the others happen only on another
 * CPU, and as the only intrusion: LEAVE includes a second free. With it, RECLAIM also in
 * interrupts.
 */
enum intrusion { SECOND, ALLOC, FREE, RECLAIM, LEAVE, NR_INTRUSIONS };

static void (* const intrusions[NR_INTRUSIONS])(void) = {
	do_second, do_alloc, do_free, do_reclaim, do_leave
};

static void on_other_cpu(void *arg)
{
	(*(void (* const *)(void))arg)();
}

static bool others_can_run(void)
{
	const struct host_self *self;

	if (raw_spin_is_locked(&w.zone->lock) || raw_spin_is_locked(&w.zone->limbo.lock) ||
	    raw_spin_is_locked(&w.zone->reports.lock) ||
	    (w.cache && raw_spin_is_locked(&w.cache->lock)))
		return false;
	for (self = host_self.outer; self; self = self->outer)
		if (self->cpu == !host_self.cpu && self->pins)
			return false;
	return true;
}

enum context { IN_NMI, IN_IRQ, ON_OTHER_CPU };

/* Number the choices of intrusions: those of one context are consecutive. */
static u32 offer(u8 *offers, u32 nr, enum context context, enum intrusion last)
{
	u32 i;

	for (i = 0; i <= last; i++)
		offers[nr++] = context * NR_INTRUSIONS + i;
	return nr;
}

static void come_in(const char *where)
{
	u8 offers[(ON_OTHER_CPU + 1) * NR_INTRUSIONS];
	u32 nr = 0, what;

	if (w.quiet || w.intrusions == w.most || w.depth == 2)
		return;
	if (!in_nmi())
		nr = offer(offers, nr, IN_NMI, FREE);
	if (!irqs_disabled())
		nr = offer(offers, nr, IN_IRQ, w.full ? RECLAIM : FREE);
	if (others_can_run())
		nr = offer(offers, nr, ON_OTHER_CPU, w.full || w.most == 1 ? LEAVE : FREE);
	what = choose(1 + nr);
	if (!what)
		return;
	what = offers[what - 1];
	w.intrusions++;
	w.depth++;
	switch (what / NR_INTRUSIONS) {
	case IN_NMI:
		host_enter_nmi();
		intrusions[what % NR_INTRUSIONS]();
		host_exit_nmi();
		break;
	case IN_IRQ:
		host_enter_hardirq();
		intrusions[what % NR_INTRUSIONS]();
		host_exit_hardirq();
		break;
	default:
		host_run_on_cpu(!host_self.cpu, on_other_cpu,
				(void *)&intrusions[what % NR_INTRUSIONS]);
		break;
	}
	w.depth--;
}

static void at_lock(const char *where)
{
	come_in(where);
}

/* --- executions ---------------------------------------------------------------------- */

static void (* const operations[])(void) = { do_target, do_alloc, do_free, do_drain };

/* Numbers allocated on each CPU, then numbers freed there. */
static const struct {
	u8 alloc[2];
	u8 free[2];
} beginnings[] = {
	{ { 1, 0 }, { 0, 0 } },	/* one is allocated */
	{ { 3, 0 }, { 1, 0 } },
	{ { 6, 2 }, { 4, 1 } },	/* two full magazines */
	{ { 7, 0 }, { 6, 0 } },	/* and one in the depot */
	{ { 2, 4 }, { 0, 3 } },
};

static void repeat(u32 cpu, u32 nr, void (*fn)(void))
{
	host_set_cpu(cpu);
	while (nr--)
		fn();
}

/* Everything is freed: check that nothing is left. */
static void check_end(void)
{
	struct myalloc_cache_stats cache;
	struct myalloc_zone_stats zone;
	struct myalloc_validation v;

	w.quiet = true;
	host_set_cpu(0);
	free_pages_of_user();
	while (w.nr)
		do_free();
	do_drain();
	do_drain();	/* returns slots that the first drain has found free */
	if (!myalloc_zone_validate(w.zone, &v))
		fail("validation: %s", v.first);
	if (w.cache) {
		myalloc_cache_stats(w.cache, &cache);
		if (cache.live_objects || cache.cached_objects || cache.deferred_objects)
			fail("%llu live, %llu cached, %llu deferred objects are left",
			     cache.live_objects, cache.cached_objects, cache.deferred_objects);
		if (myalloc_cache_destroy(w.cache))
			fail("the cache does not end");
	}
	myalloc_zone_stats(w.zone, &zone);
	if (zone.free_pages != zone.nr_pages)
		fail("%llu of %llu pages came back", zone.free_pages, zone.nr_pages);
	if (myalloc_zone_destroy(w.zone))
		fail("the zone does not end");
}

static void execute(u32 steps)
{
	u32 begin, cpu;

	w.quiet = true;
	w.intrusions = 0;
	w.depth = 0;
	w.nr_doubtful = 0;
	w.nr_pages = 0;
	w.target = NULL;
	make_world();
	begin = choose(ARRAY_SIZE(beginnings));
	for (cpu = 0; cpu < 2; cpu++)
		repeat(cpu, beginnings[begin].alloc[cpu], do_alloc);
	for (cpu = 0; cpu < 2; cpu++)
		repeat(cpu, beginnings[begin].free[cpu], do_free);
	w.quiet = false;

	host_set_cpu(0);
	do_target();
	while (--steps)
		operations[choose(ARRAY_SIZE(operations))]();
	check_end();
	w.executions++;
}

static void begin_kind(u32 kind, u32 most)
{
	host_reset();
	w.kind = kind;
	w.most = most;
	w.executions = 0;
	w.both = 0;
	w.arena = host_chunk_alloc(5);
	host_preempt_point = come_in;
	host_point_depth = 3;
}

static void search(u32 kind, u32 most, u32 steps)
{
	begin_kind(kind, most);
	memset(&tree, 0, sizeof(tree));
	do {
		tree.at = 0;
		execute(steps);
	} while (next_execution());
	host_preempt_point = NULL;
	host_chunk_free(w.arena, 5);
	ktap_result(!host_live_allocs(),
		    "%s: %u operations, %u intrusions: %llu executions, in %llu two frees were accepted%s",
		    kinds[kind].name, steps, most, w.executions, w.both,
		    kinds[kind].exact ? ", each as the thing had been handed out in between" : "");
}

/* --- a magazine of an older epoch, loaded between the read of the guard and BUSY ---------- */

#define OLD_CHUNKS	6	/* of a page each */
#define OLD_OBJECTS	16	/* four slabs of four */

static void *old[OLD_OBJECTS];
static bool came;

static void free_in_interrupt(const char *where)
{
	if (came || strcmp(where, "magazine-not-busy"))
		return;
	came = true;
	host_enter_hardirq();
	if (myalloc_cache_free(w.cache, old[2]))
		fail("a right free in an interrupt was refused");
	host_exit_hardirq();
}

/* Return the objects from @from on to their slabs. */
static void free_on_cpu_1(u32 from, u32 to)
{
	host_set_cpu(1);
	for (; from < to; from++)
		if (myalloc_cache_free(w.cache, old[from]))
			fail("a right free on CPU 1 was refused");
	host_set_cpu(0);
	myalloc_zone_drain_cpu(w.zone, 1);
}

static void make_old_world(void)
{
	static void *chunks[OLD_CHUNKS];
	struct myalloc_zone_args args = {
		.name = "z", .chunks = chunks, .node = NUMA_NO_NODE, .no_magazines = true,
		.nr_chunks = OLD_CHUNKS, .nr_pages = OLD_CHUNKS,
	};
	const struct myalloc_cache_args cache_args = { .name = "c", .object_size = QUARTER };
	u32 i;

	host_reset();
	w.arena = host_chunk_alloc(4);
	for (i = 0; i < OLD_CHUNKS; i++)
		chunks[i] = w.arena + 2 * i * PAGE_SIZE;
	w.zone = myalloc_zone_create(&args);
	if (IS_ERR(w.zone))
		host_fatal("no zone");
	w.cache = myalloc_cache_create(w.zone, &cache_args);
	if (IS_ERR(w.cache))
		host_fatal("no cache");
	few_magazines(&w.cache->mags, 0);
	host_set_cpu(0);
	for (i = 0; i < OLD_OBJECTS; i++)
		old[i] = get();
}

/*
 * On CPU 0 the loaded magazine is full, and the previous one, which is empty, has old[4] in its
 * upper slot. The slab of old[4] is freed; its page gets a user, which writes a byte like LIVE.
 * Then old[4] is freed again, and an interrupt loads the previous magazine; or a bulk free has
 * loaded it itself.
 */
static void old_magazine(bool bulk)
{
	void *page[OLD_CHUNKS], *stale, *both[2];
	u32 i, nr = 0, found = OLD_CHUNKS;
	int err;

	w.kind = 0;
	make_old_world();
	stale = old[4];
	free_on_cpu_1(5, OLD_OBJECTS);
	for (i = 0; i < 3; i++)
		put(old[i]);
	put(stale);
	for (i = 0; i < 3; i++)
		old[1] = get();		/* stale, old[2], old[1] */
	put(old[1]);
	free_on_cpu_1(4, 5);
	put(get());			/* the loaded magazine is of the current epoch */
	while (nr < OLD_CHUNKS && (page[nr] = myalloc_pages_alloc(w.zone, 0, 0))) {
		if (page[nr] == (void *)((unsigned long)stale & ~(PAGE_SIZE - 1)))
			found = nr;
		nr++;
	}
	if (found == OLD_CHUNKS) {
		myalloc_zone_drain(w.zone);
		page[nr] = myalloc_pages_alloc(w.zone, 0, 0);
		found = nr++;
	}
	memset(page[found], MYALLOC_SLOT_LIVE, PAGE_SIZE);
	both[0] = stale;
	both[1] = old[2];
	came = false;
	if (bulk) {
		err = myalloc_cache_free_bulk(w.cache, 2, both) == 1 ? -EINVAL : 0;
	} else {
		host_preempt_point = free_in_interrupt;
		host_point_depth = 1;
		err = put(stale);
		host_preempt_point = NULL;
	}
	ktap_result((bulk || came) && err == -EINVAL &&
		    !memchr_inv(page[found], MYALLOC_SLOT_LIVE, PAGE_SIZE),
		    "an older magazine, loaded %s, is not believed",
		    bulk ? "by a free in bulk" : "after the look at the guard");
	while (nr)
		myalloc_pages_free(w.zone, page[--nr], 0);
	put(old[3]);
	if (err && (myalloc_cache_destroy(w.cache) || myalloc_zone_destroy(w.zone)))
		fail("the world of the older magazine does not end");
	host_chunk_free(w.arena, 4);
}

static int replay(const char *list)
{
	u32 kind = strtoul(list, (char **)&list, 10) % ARRAY_SIZE(kinds), most = 0, steps;

	if (*list == ',')
		most = strtoul(list + 1, (char **)&list, 10);
	read_choices(list);
	begin_kind(kind, most);
	host_log_echo(true);
	ktap_plan(1);
	for (steps = 1; steps < 4; steps++) {
		tree.at = 0;
		execute(steps);
	}
	ktap_result(true, "no failure");
	return ktap_end();
}

int main(int argc, char **argv)
{
	const char *list = NULL;
	u32 kind, only = ARRAY_SIZE(kinds), first = 0, last = ARRAY_SIZE(kinds) - 1;
	const struct program_option options[] = {
		{ "full", PROGRAM_FLAG, &w.full, "more operations and intrusions" },
		{ "kind", PROGRAM_U32, &only, "this kind only; one that does not exist: all" },
		{ "run", PROGRAM_STRING, &list, "repeat one execution, as a failure prints it" },
		{ }
	};

	host_set_nr_cpus(2);
	signal(SIGSEGV, on_signal);
	signal(SIGABRT, on_signal);
	program_options(argc, argv,
			"A second free of the same thing at every point of short sequences.",
			options);
	if (list)
		return replay(list);
	if (only < ARRAY_SIZE(kinds)) {
		first = only;
		last = only;
	}
	ktap_plan((last - first + 1) * (w.full ? 4 : 2) + 2 * !first);
	if (!first) {
		old_magazine(true);
		old_magazine(false);
	}
	for (kind = first; kind <= last; kind++) {
		search(kind, 1, 2);
		search(kind, 2, 1);
		if (w.full) {
			search(kind, 1, 3);
			search(kind, 2, 2);
		}
	}
	return ktap_end();
}
