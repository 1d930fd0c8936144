// SPDX-License-Identifier: GPL-2.0
/*
 * Interleavings: an interrupt or another CPU intrudes at every possible point
 *
 * A search over executions (stateless model checking). A tiny zone with a cache of four objects to
 * a slab, or with pages, magazines of two, a depot of two and two CPUs runs every short sequence of
 * operations. At each point (myalloc_env_point() of lib/, and before, after taking and after
 * dropping each lock) an intrusion is possible: a hard interrupt, an NMI or the other CPU, which
 * allocates, frees or validates. Every choice of intrusions is executed, up to a number of
 * intrusions in one execution. An intrusion itself has points at which the next one may happen.
 *
 * An intrusion into the free of a page may free the same page: exactly one of the two must succeed.
 * If the page has been allocated again by then, a late free is a correct free of the new
 * allocation.
 *
 * After each operation everything is validated and compared with the set of allocations; nothing
 * may be allocated twice, every other free must succeed. At the end everything is freed and
 * drained, and the zone must be in its initial state.
 *
 * Blocks and objects of a contract are two more kinds, with a stack of one for NMI handlers on each
 * CPU. There a request fails only if more was live meanwhile than the line states, or in NMI if the
 * stack was empty when the NMI began. After each operation the stacks are full, except as
 * contract.c says for requests beyond a line of objects.
 *
 * A failure is printed as the list of choices that --run repeats: choices.h.
 */
#include "env.h"
#include "choices.h"
#include "ktap.h"
#include "lock_points.h"
#include "program.h"
#include "client/contract.h"
#include "object/cache.h"
#include "object/object.h"
#include "zone/validate.h"

#define LIVE_MOST	32

/* --- the world -------------------------------------------------------------------------- */

enum kind {
	OBJECTS,	/* a cache with magazines */
	CHECKED,	/* a cache with all checks: no magazines */
	PAGES,		/* pages of order 0, with magazines */
	BLOCKS,		/* pages of order 0 of a contract */
	MEMBERS,	/* objects of a contract, with magazines */
	NR_KINDS
};

static const char * const kind_names[] = {
	"objects", "checked objects", "pages", "blocks of a contract", "objects of a contract",
};

/* The lines of the contracts. */
#define BLOCKS_MOST	8u
#define MEMBERS_MOST	16u
#define FOR_NMI		1u

static struct world {
	enum kind kind;
	void *arena;
	struct myalloc_zone *zone;
	struct myalloc_cache *cache;
	struct myalloc_contract *contract;	/* if set, @zone is that of its line */
	struct myalloc_zone *parent;
	void *live[LIVE_MOST];
	u32 nr;
	u32 asked;		/* allocations in progress */
	u32 underway;		/* these, and frees that have not returned */
	u32 high;		/* the most live or in progress during this request */
	bool beyond;		/* more were live than the line states: stacks may be empty */
	u32 intrusions, most;	/* in this execution, and how many are allowed */
	u32 depth;
	void *freeing;		/* pages: a free of it is in progress */
	bool tried, won;	/* an intrusion has freed it too; successfully */
	u32 refused;		/* frees in this world, one of two each time */
	bool quiet;		/* no intrusions now */
	bool all;		/* also choose validation */
	u64 executions, validations;
	u32 longest;
} w;

static void __noreturn fail(const char *fmt, ...) __printf(1, 2);

/* Report the error and how to repeat it. */
static void __noreturn fail(const char *fmt, ...)
{
	va_list args;

	printf("# %s: ", kind_names[w.kind]);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n# repeat it: interleave_test --run %u,%u", w.kind, w.most);
	print_choices();
	printf("\nnot ok %u %s\n", ktap_nr + 1, kind_names[w.kind]);
	fflush(stdout);
	_Exit(1);
}

/* Let both CPUs set up their magazines now, since later executions find them set up. */
static void come(struct myalloc_magazines *mags)
{
	u32 cpu;

	for (cpu = 0; cpu < 2; cpu++) {
		host_set_cpu(cpu);
		myalloc_magazines_leave(myalloc_magazines_enter(mags));
	}
	host_set_cpu(0);
}

static bool is_pages(void)
{
	return w.kind == PAGES || w.kind == BLOCKS;
}

static void make_contract(struct myalloc_zone *parent)
{
	const struct myalloc_contract_line line = w.kind == BLOCKS ?
		(struct myalloc_contract_line){
			.kind = MYALLOC_CONTRACT_PAGES, .pages = BLOCKS_MOST, .orders = 1,
			.nmi = FOR_NMI,
		} : (struct myalloc_contract_line){
			.kind = MYALLOC_CONTRACT_OBJECTS, .count = MEMBERS_MOST, .nmi = FOR_NMI,
			.cache = { .name = "c", .object_size = 1000 },
		};
	struct myalloc_contract_plan plan;

	w.parent = parent;
	w.contract = myalloc_contract_create(parent, "c", &line, 1, 0, &plan);
	if (IS_ERR(w.contract))
		host_fatal("no contract");
	w.zone = w.contract->part[0].zone;
	w.cache = w.contract->part[0].cache;
	if (w.cache && !w.cache->mags.capacity)
		host_fatal("no magazines");
	if (w.cache)
		come(&w.cache->mags);
}

static void make_world(enum kind kind)
{
	static void *chunks[2];
	struct myalloc_zone_args args = {
		.name = "z", .chunks = chunks, .node = NUMA_NO_NODE, .no_magazines = true,
		.nr_chunks = 1,
	};
	struct myalloc_cache_args cache_args = { .name = "c", .object_size = 1000 };

	host_set_nr_cpus(2);
	w.kind = kind;
	if (kind == OBJECTS || kind == CHECKED)
		args.nr_chunks = 2;
	else
		args.chunk_order = kind == PAGES ? 3 : 4;
	args.nr_pages = args.nr_chunks << args.chunk_order;
	w.arena = host_chunk_alloc(4);
	chunks[0] = w.arena;
	chunks[1] = w.arena + 2 * PAGE_SIZE;
	w.zone = myalloc_zone_create(&args);
	if (IS_ERR(w.zone))
		host_fatal("no zone");
	w.cache = NULL;
	w.contract = NULL;
	if (kind == BLOCKS || kind == MEMBERS) {
		make_contract(w.zone);
		return;
	}
	if (kind == PAGES) {
		/* A zone this small would get none. */
		myalloc_magazines_fini(&w.zone->pcp[0]);
		if (myalloc_magazines_init(&w.zone->pcp[0], 2, 1, 2, NUMA_NO_NODE))
			host_fatal("no magazines");
		come(&w.zone->pcp[0]);
		return;
	}
	if (kind == CHECKED) {
		cache_args.object_size = 700;
		cache_args.flags = MYALLOC_CHECKS;
	}
	w.cache = myalloc_cache_create(w.zone, &cache_args);
	if (IS_ERR(w.cache))
		host_fatal("no cache");
	if (kind == CHECKED)
		return;
	myalloc_magazines_fini(&w.cache->mags);
	if (myalloc_magazines_init(&w.cache->mags, 2, 1, 2, NUMA_NO_NODE))
		host_fatal("no magazines");
	w.cache->mags.fresh = myalloc_cache_fresh;
	w.cache->mags.drop = myalloc_cache_drop;
	w.cache->mags.owner = w.cache;
	come(&w.cache->mags);
}

static void end_world(void)
{
	if (w.contract ? myalloc_contract_end(w.contract, 0) || myalloc_zone_destroy(w.parent) :
			 myalloc_cache_destroy(w.cache) || myalloc_zone_destroy(w.zone))
		fail("the world does not end");
	host_chunk_free(w.arena, 4);
}

/* --- the guarantees of a contract --------------------------------------------------------- */

struct promise {
	u32 high;	/* of the request that is interrupted */
	bool nmi;	/* it may find the lock taken and the stack empty */
};

/* @nr requests begin. */
static struct promise begin_request(u32 nr)
{
	struct promise p = { .high = w.high };

	w.asked += nr;
	w.underway += nr;
	w.high = w.nr + w.underway;
	if (w.contract && in_nmi())
		p.nmi = !w.contract->part[0].limit.stack[raw_smp_processor_id() * FOR_NMI];
	return p;
}

/* @n of @nr requests were served: check that no other one had to be. */
static void end_request(const struct promise *p, u32 nr, u32 n)
{
	u32 most = w.kind == BLOCKS ? BLOCKS_MOST : MEMBERS_MOST;

	if (w.contract && n < nr && w.high <= most && !p->nmi)
		fail("a request failed while no more than %u of %u were live", w.high, most);
	w.beyond |= w.kind == MEMBERS && w.high > most;
	w.asked -= nr;
	w.underway -= nr;
	w.high = w.asked ? max(w.high, p->high) : 0;
}

static void add_live(void *addr)
{
	u32 i;

	if (!addr)
		return;
	for (i = 0; i < w.nr; i++)
		if (w.live[i] == addr)
			fail("%p was handed out twice", addr);
	if (w.nr == LIVE_MOST)
		host_fatal("too much is live");
	memset(addr, 0x5a, is_pages() ? 64 : w.cache->layout.object_size);
	w.live[w.nr++] = addr;
}

static void alloc(myalloc_flags_t flags)
{
	struct promise promise = begin_request(1);
	void *addr = is_pages() ? myalloc_pages_alloc(w.zone, 0, flags) :
				  myalloc_cache_alloc(w.cache, flags);

	end_request(&promise, 1, !!addr);
	add_live(addr);
}

static void do_alloc(void)
{
	alloc(0);
}

static int find_live(const void *addr)
{
	int i = w.nr;

	while (i-- && w.live[i] != addr)
		;
	return i;
}

static void forget_live(u32 i)
{
	w.nr--;
	memmove(&w.live[i], &w.live[i + 1], (w.nr - i) * sizeof(w.live[0]));
}

/* A second free of the page that is being freed. */
static void do_free_same(void)
{
	w.tried = true;
	w.won = !myalloc_pages_free(w.zone, w.freeing, 0);
	w.refused += !w.won;
}

/* One of the two frees of @addr must succeed; both only if it was allocated in between. */
static bool fair(void *addr, bool taken)
{
	int again = find_live(addr);

	w.freeing = NULL;
	w.refused += !taken;
	if (taken != w.won)
		return true;
	if (!taken || again < 0)
		return false;
	forget_live(again);
	return true;
}

/* Begin a free of a page that an intrusion may free too; false for nested frees. */
static bool begin_freeing(void *addr)
{
	if (!is_pages() || w.freeing)
		return false;
	w.freeing = addr;
	w.tried = false;
	w.won = false;
	return true;
}

static void free_at(u32 i)
{
	bool first;
	void *addr;
	int err;

	if (i >= w.nr)
		return;
	addr = w.live[i];
	forget_live(i);
	if (memchr_inv(addr, 0x5a, 64))
		fail("%p was written to while it was allocated", addr);
	first = begin_freeing(addr);
	w.underway++;
	err = is_pages() ? myalloc_pages_free(w.zone, addr, 0) : myalloc_cache_free(w.cache, addr);
	w.underway--;
	if (first ? !fair(addr, !err) : err)
		fail("free of %p: %d", addr, err);
}

static void do_free_first(void)
{
	free_at(0);
}

static void do_free_last(void)
{
	free_at(w.nr - 1);
}

static void do_alloc_bulk(void)
{
	struct promise promise = begin_request(3);
	void *addr[3];
	u32 n, i;

	n = is_pages() ? myalloc_pages_alloc_bulk(w.zone, 0, 0, 3, addr) :
			 myalloc_cache_alloc_bulk(w.cache, 0, 3, addr);
	end_request(&promise, 3, n);
	for (i = 0; i < n; i++)
		add_live(addr[i]);
}

static void do_free_bulk(void)
{
	u32 n = min(w.nr, 3u), freed;
	void *addr[3];
	bool first;

	memcpy(addr, w.live, n * sizeof(addr[0]));
	w.nr -= n;
	memmove(w.live, w.live + n, w.nr * sizeof(w.live[0]));
	first = n && begin_freeing(addr[n - 1]);
	w.underway += n;
	freed = is_pages() ? myalloc_pages_free_bulk(w.zone, 0, n, addr) :
			     myalloc_cache_free_bulk(w.cache, n, addr);
	w.underway -= n;
	if (first ? freed + 1 < n || !fair(addr[n - 1], freed == n) : freed != n)
		fail("bulk free of %u freed %u", n, freed);
}

static void do_drain(void)
{
	myalloc_zone_drain(w.zone);
}

static void do_alloc_wait(void)
{
	alloc(MYALLOC_MAY_WAIT);
}

static void do_validate(void)
{
	struct myalloc_validation v;

	w.validations++;
	if (!myalloc_zone_validate(w.zone, &v))
		fail("validation: %s", v.first);
}

/* --- intrusions ----------------------------------------------------------------------------- */

static void other_cpu_alloc(void *arg)
{
	do_alloc();
}

static void other_cpu_free(void *arg)
{
	do_free_first();
}

static void other_cpu_free_same(void *arg)
{
	do_free_same();
}

static void other_cpu_validate(void *arg)
{
	do_validate();
}

enum intrusion {
	NOTHING,
	NMI_ALLOC,
	NMI_FREE,
	NMI_FREE_SAME,
	IRQ_ALLOC,
	IRQ_FREE,
	CPU_ALLOC,
	CPU_FREE,
	CPU_FREE_SAME,
	CPU_VALIDATE,
};

/* False if another CPU would wait for a lock of a flow that is suspended meanwhile. */
static bool others_can_run(void)
{
	const struct host_self *self;

	if (raw_spin_is_locked(&w.zone->lock) || raw_spin_is_locked(&w.zone->limbo.lock) ||
	    raw_spin_is_locked(&w.zone->reports.lock) ||
	    (w.contract && raw_spin_is_locked(&w.contract->part[0].limit.sites_lock)) ||
	    (w.cache && raw_spin_is_locked(&w.cache->lock)))
		return false;
	for (self = host_self.outer; self; self = self->outer)
		if (self->cpu == !host_self.cpu && self->pins)
			return false;
	return true;
}

static bool can_validate(void)
{
	return w.all && !mutex_is_locked(&w.zone->caches_mutex);
}

static void come_in(const char *where)
{
	/* A freed block is in the zone at once: another request may be about to return it. */
	bool same = w.freeing && !w.tried && find_live(w.freeing) < 0 && !(w.contract && w.asked);
	enum intrusion allowed[CPU_VALIDATE + 1];
	u32 n = 0;

	if (w.quiet || w.intrusions == w.most || w.depth == 2)
		return;
	allowed[n++] = NOTHING;
	if (!in_nmi()) {
		allowed[n++] = NMI_ALLOC;
		if (w.nr)
			allowed[n++] = NMI_FREE;
		if (same)
			allowed[n++] = NMI_FREE_SAME;
	}
	if (!irqs_disabled()) {
		allowed[n++] = IRQ_ALLOC;
		if (w.nr)
			allowed[n++] = IRQ_FREE;
	}
	if (others_can_run()) {
		allowed[n++] = CPU_ALLOC;
		if (w.nr)
			allowed[n++] = CPU_FREE;
		if (same)
			allowed[n++] = CPU_FREE_SAME;
		if (can_validate())
			allowed[n++] = CPU_VALIDATE;
	}
	n = choose(n);
	if (!n)
		return;
	w.intrusions++;
	w.depth++;
	switch (allowed[n]) {
	case NMI_ALLOC:
		host_enter_nmi();
		do_alloc();
		host_exit_nmi();
		break;
	case NMI_FREE:
		host_enter_nmi();
		do_free_first();
		host_exit_nmi();
		break;
	case NMI_FREE_SAME:
		host_enter_nmi();
		do_free_same();
		host_exit_nmi();
		break;
	case IRQ_ALLOC:
		host_enter_hardirq();
		do_alloc();
		host_exit_hardirq();
		break;
	case IRQ_FREE:
		host_enter_hardirq();
		do_free_first();
		host_exit_hardirq();
		break;
	case CPU_ALLOC:
		host_run_on_cpu(!host_self.cpu, other_cpu_alloc, NULL);
		break;
	case CPU_FREE:
		host_run_on_cpu(!host_self.cpu, other_cpu_free, NULL);
		break;
	case CPU_FREE_SAME:
		host_run_on_cpu(!host_self.cpu, other_cpu_free_same, NULL);
		break;
	case CPU_VALIDATE:
		host_run_on_cpu(!host_self.cpu, other_cpu_validate, NULL);
		break;
	default:
		break;
	}
	w.depth--;
}

static void at_lock(const char *where)
{
	come_in(where);
}

/* --- executions -------------------------------------------------------------------------------- */

static void (* const operations[])(void) = {
	do_alloc, do_free_first, do_free_last, do_alloc_bulk, do_free_bulk, do_drain, do_alloc_wait,
};

/* Initial states: numbers allocated on each CPU, then numbers freed. */
static const struct {
	u8 alloc[2];
	u8 free[2];
} beginnings[] = {
	{ { 0, 0 }, { 0, 0 } },
	{ { 2, 1 }, { 1, 0 } },
	{ { 6, 0 }, { 4, 0 } },	/* two full magazines */
	{ { 6, 2 }, { 4, 4 } },	/* and full ones of the other CPU */
	{ { 7, 1 }, { 6, 0 } },	/* and one in the depot */
	{ { 4, 4 }, { 0, 0 } },	/* everything is allocated */
	{ { 0, 6 }, { 0, 5 } },
};

static void repeat(u32 cpu, u32 nr, void (*fn)(void))
{
	host_set_cpu(cpu);
	while (nr--)
		fn();
}

static void check_contract(void)
{
	u32 kept = atomic64_read(&w.contract->part[0].limit.kept);
	struct myalloc_contract_stats stats;
	struct myalloc_validation v;

	if (!myalloc_zone_validate(w.parent, &v))
		fail("validation of the parent: %s", v.first);
	myalloc_contract_stats(w.contract, 0, &stats);
	if (stats.live != w.nr || stats.failed_within)
		fail("%llu are live, not %u; %llu requests failed within", stats.live, w.nr,
		     stats.failed_within);
	if (!w.beyond && kept != 2 * FOR_NMI)
		fail("%u are kept for NMI handlers, not %u", kept, 2 * FOR_NMI);
}

/* The first request of an NMI handler causes its stack to be filled. */
static void fill_stacks(void)
{
	unsigned long irq;
	void *addr;
	u32 cpu;

	for (cpu = 0; cpu < 2; cpu++) {
		host_set_cpu(cpu);
		raw_spin_lock_irqsave(&w.cache->lock, irq);
		host_enter_nmi();
		addr = myalloc_cache_alloc(w.cache, 0);
		host_exit_nmi();
		raw_spin_unlock_irqrestore(&w.cache->lock, irq);
		if (addr && myalloc_cache_free(w.cache, addr))
			fail("free of %p in a stack", addr);
	}
	myalloc_zone_drain(w.zone);
	w.beyond = false;
}

static void check_quiet(void)
{
	struct myalloc_cache_stats cache;
	struct myalloc_zone_stats zone;

	w.quiet = true;
	do_validate();
	myalloc_zone_stats(w.zone, &zone);
	if (zone.corruptions || zone.bad_frees != w.refused)
		fail("%llu corruptions, %llu wrong frees, not %u", zone.corruptions,
		     zone.bad_frees, w.refused);
	if (w.contract) {
		check_contract();
	} else if (w.kind == PAGES) {
		if (zone.page_pages != w.nr)
			fail("%llu pages are out, %u are", zone.page_pages, w.nr);
	} else {
		myalloc_cache_stats(w.cache, &cache);
		if (cache.live_objects != w.nr || cache.corruptions)
			fail("%llu objects are out, %u are", cache.live_objects, w.nr);
	}
	w.quiet = false;
}

/* Clear stale slots that earlier executions left, which would lead to other paths. */
static void forget(struct myalloc_magazines *m)
{
	u32 i, k;
	int cpu;

	m->epoch = MYALLOC_EPOCH_FIRST;
	m->inner_epoch = MYALLOC_EPOCH_FIRST;
	m->age = MYALLOC_EPOCH_FIRST;
	for (i = 0; i < m->nr_magazines; i++) {
		struct myalloc_magazine *mag = m->pool + (size_t)i * m->stride;

		mag->epoch = m->epoch;
		for (k = 1; k <= m->capacity; k++)
			mag->slot[k].addr = NULL;
	}
	for_each_possible_cpu(cpu) {
		struct myalloc_magazine_cpu *c = per_cpu_ptr(m->cpu, cpu);

		if (!c->loaded)
			continue;
		c->epoch = m->epoch;
		c->guard = m->epoch;
	}
}

static void execute(u32 steps)
{
	u32 begin, cpu, scale = w.kind == MEMBERS ? MEMBERS_MOST / BLOCKS_MOST : 1;
	struct myalloc_zone_stats stats;

	w.quiet = true;
	w.freeing = NULL;
	w.intrusions = 0;
	w.depth = 0;
	if (w.kind != BLOCKS)
		forget(w.kind == PAGES ? &w.zone->pcp[0] : &w.cache->mags);
	begin = choose(ARRAY_SIZE(beginnings));
	for (cpu = 0; cpu < 2; cpu++)
		repeat(cpu, scale * beginnings[begin].alloc[cpu], do_alloc);
	for (cpu = 0; cpu < 2; cpu++)
		repeat(cpu, scale * beginnings[begin].free[cpu], do_free_first);
	w.quiet = false;

	host_set_cpu(0);
	while (steps--) {
		operations[choose(ARRAY_SIZE(operations))]();
		check_quiet();
	}
	w.longest = max(w.longest, tree.at);

	w.quiet = true;
	while (w.nr)
		do_free_last();
	myalloc_zone_drain(w.zone);
	if (w.contract) {
		if (w.beyond)
			fill_stacks();
		check_contract();
		w.executions++;
		return;
	}
	myalloc_zone_stats(w.zone, &stats);
	if (stats.free_pages != stats.nr_pages)
		fail("%llu of %llu pages came back", stats.free_pages, stats.nr_pages);
	w.executions++;
}

static void search(enum kind kind, u32 most, u32 steps)
{
	host_reset();
	w.refused = 0;
	make_world(kind);
	host_preempt_point = come_in;
	host_point_depth = 3;
	w.most = most;
	w.executions = 0;
	w.validations = 0;
	w.longest = 0;
	memset(&tree, 0, sizeof(tree));
	do {
		tree.at = 0;
		execute(steps);
	} while (next_execution());
	host_preempt_point = NULL;
	end_world();
	ktap_result(!host_live_allocs() && !host_check_clean(),
		    "%s: %u operations, %u intrusions: %llu executions of up to %u choices, %llu validations",
		    kind_names[kind], steps, most, w.executions, w.longest, w.validations);
}

static int replay(const char *list)
{
	u32 kind = strtoul(list, (char **)&list, 10), most = 0, steps;

	if (*list == ',')
		most = strtoul(list + 1, (char **)&list, 10);
	read_choices(list);
	make_world(kind % NR_KINDS);
	host_preempt_point = come_in;
	host_point_depth = 3;
	host_log_echo(true);
	w.most = most;
	ktap_plan(1);
	for (steps = 1; steps < 5; steps++) {
		tree.at = 0;
		execute(steps);
	}
	ktap_result(true, "no failure");
	return ktap_end();
}

int main(int argc, char **argv)
{
	u32 kind, only = NR_KINDS;
	const char *list = NULL;
	bool full = false;
	const struct program_option options[] = {
		{ "full", PROGRAM_FLAG, &full, "more operations and intrusions (about 10 minutes)" },
		{ "validate", PROGRAM_FLAG, &w.all, "the other CPU validates, too" },
		{ "kind", PROGRAM_U32, &only, "only one kind: 0 to 4, in the order of the results" },
		{ "run", PROGRAM_STRING, &list, "repeat one execution, as a failure prints it" },
		{ }
	};

	program_options(argc, argv,
			"Interrupts, NMIs and another CPU at every point of short sequences.",
			options);
	if (list)
		return replay(list);
	ktap_plan((only < NR_KINDS ? 1 : NR_KINDS) * (full ? 4 : 2));
	for (kind = 0; kind < NR_KINDS; kind++) {
		if (only < NR_KINDS && only != kind)
			continue;
		search(kind, 1, 2);
		search(kind, 2, 1);
		if (full) {
			search(kind, 1, 3);
			search(kind, 2, 2);
		}
	}
	return ktap_end();
}
