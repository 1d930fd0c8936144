// SPDX-License-Identifier: GPL-2.0
/*
 * Contracts with real threads: no request within a line fails
 *
 * More threads than simulated CPUs allocate blocks, extents and objects from one contract, free
 * their own and each other's, and allocate and free all other memory of its zone. They are
 * disturbed as in race_test: at the points of lib/ and around every lock a thread yields, sleeps,
 * or is interrupted by a hard interrupt or an NMI that allocates and frees as well. Meanwhile other
 * contracts are created and ended, and everything is validated.
 *
 * Each line has a count of live memory, which grows before a request and shrinks after a free has
 * returned. A thread makes no request that would exceed the line, so every request must succeed;
 * only in NMI it may find the lock taken and the stack of its CPU empty. NMI handlers use one line,
 * and free at once no more than may be deferred. Contents are checked.
 */
#include "env.h"
#include "ktap.h"
#include "lock_points.h"
#include "program.h"
#include "base/pattern.h"
#include "base/random.h"
#include "client/contract.h"
#include "zone/validate.h"

#include <pthread.h>

#define THREADS_MOST	16
#define HOLD_MOST	48	/* allocations that a level of a thread holds */
#define BOXES		8	/* places where threads leave allocations for each other */
#define CHUNK_ORDER	6
#define HANGS_AFTER	600	/* seconds */

static const u32 sizes[] = { 1, 3 };

enum { BLOCKS, EXTENTS, OBJECTS, FOR_NMI, LINES, OTHERS = LINES };

/* All frees of FOR_NMI may be deferred at once: at most two for each of three CPUs. */
static const struct myalloc_contract_line lines[LINES] = {
	[BLOCKS] = { .kind = MYALLOC_CONTRACT_PAGES, .pages = 14, .orders = 0x5 },
	[EXTENTS] = { .kind = MYALLOC_CONTRACT_EXTENTS, .pages = 10, .sizes = sizes,
		      .nr_sizes = ARRAY_SIZE(sizes) },
	[OBJECTS] = { .kind = MYALLOC_CONTRACT_OBJECTS, .count = 48,
		      .cache = { .name = "objects", .object_size = 200 } },
	[FOR_NMI] = { .kind = MYALLOC_CONTRACT_PAGES, .pages = 6, .orders = 0x1, .nmi = 2 },
};

/**
 * struct item - something allocated
 * @addr: where
 * @key: of its pattern
 * @line: its line, or OTHERS: a page of the parent
 * @nr: pages; 1 for an object
 */
struct item {
	void *addr;
	u64 key;
	u32 line;
	u32 nr;
};

enum { TASK, IRQ, NMI, LEVELS };

struct racer {
	pthread_t thread;
	u32 number;
	struct myalloc_random random, schedule;
	struct item *item[LEVELS][HOLD_MOST];
	u32 nr[LEVELS];
	u64 serial;
	bool ending;	/* no more interrupts */
	struct {
		u64 requests, nmi_fails, interrupts, handed, greedy, contracts, refused;
	} counts;
};

static struct {
	struct myalloc_zone *parent;
	struct myalloc_contract *contract;
	s32 live[LINES];
	struct item *box[BOXES];
	u32 cpus, threads;
	u64 seed, ops;
	pthread_barrier_t start;
} race = { .cpus = 3, .threads = 4, .ops = 4000 };

static __thread struct racer *self;

static void __noreturn fail(const char *fmt, ...) __printf(1, 2);
static void __noreturn fail(const char *fmt, ...)
{
	va_list args;

	printf("# seed %llu, thread %d, CPU %u: ", race.seed, self ? (int)self->number : -1,
	       raw_smp_processor_id());
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\nnot ok %u contract\n", ktap_nr + 1);
	fflush(stdout);
	abort();
}

static u32 level(void)
{
	return in_nmi() ? NMI : in_hardirq() ? IRQ : TASK;
}

/* --- allocating and freeing, in any context -------------------------------------------------- */

static size_t bytes_of(const struct item *item)
{
	return item->line == OBJECTS ? lines[OBJECTS].cache.object_size : item->nr * PAGE_SIZE;
}

static u32 most_of(u32 line)
{
	return line == OBJECTS ? lines[line].count : lines[line].pages;
}

/* Count a request as live, unless it would be beyond the line. */
static bool reserve(u32 line, u32 nr)
{
	u32 most = line == OTHERS ? U32_MAX : most_of(line);

	if (line == OTHERS ||
	    (u32)__atomic_add_fetch(&race.live[line], nr, __ATOMIC_SEQ_CST) <= most)
		return true;
	__atomic_sub_fetch(&race.live[line], nr, __ATOMIC_SEQ_CST);
	return false;
}

static void unreserve(u32 line, u32 nr)
{
	if (line != OTHERS)
		__atomic_sub_fetch(&race.live[line], nr, __ATOMIC_SEQ_CST);
}

static void *ask(u32 line, u32 nr, myalloc_flags_t flags)
{
	if (line == OTHERS)
		return myalloc_pages_alloc(race.parent, 0, flags);
	if (line == OBJECTS)
		return myalloc_cache_alloc(myalloc_contract_cache(race.contract, line), flags);
	if (line == EXTENTS)
		return myalloc_pages_alloc_exact(myalloc_contract_zone(race.contract, line), nr, 0,
						 flags);
	return myalloc_pages_alloc(myalloc_contract_zone(race.contract, line), fls(nr) - 1, flags);
}

/* --- others -------------------------------------------------------------------------------- */

/* Another contract, as long as there is room for one. */
static void own_contract(void)
{
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_PAGES, .pages = 4, .orders = 0x2,
	};
	struct myalloc_contract_plan plan;
	struct myalloc_contract *c;
	char name[16];
	void *addr[2];

	snprintf(name, sizeof(name), "own-%u", self->number);
	c = myalloc_contract_create(race.parent, name, &line, 1, 0, &plan);
	if (c == ERR_PTR(-ENOSPC)) {
		self->counts.refused++;
		return;
	}
	if (IS_ERR(c))
		fail("no contract: %ld", PTR_ERR(c));
	if (myalloc_pages_alloc_bulk(myalloc_contract_zone(c, 0), 1, 0, 2, addr) != 2)
		fail("an own contract does not serve what it states");
	if (myalloc_free(race.parent, addr[0]))
		fail("a block of an own contract is not freed");
	if (myalloc_contract_end(c, 0) != -EBUSY)
		fail("an own contract ended that holds a block");
	if (myalloc_contract_end(c, MYALLOC_CONTRACT_RELEASE))
		fail("an own contract does not end");
	self->counts.contracts++;
}

/* For a moment others take all memory that is not set aside. */
static void take_all(void)
{
	void *addr[2 << CHUNK_ORDER];
	u32 nr = myalloc_pages_alloc_bulk(race.parent, 0, 0, ARRAY_SIZE(addr), addr);

	self->counts.greedy += !!nr;
	own_contract();
	if (myalloc_pages_free_bulk(race.parent, 0, nr, addr) != nr)
		fail("the pages of others are not freed");
}

static void alloc_one(struct myalloc_random *random)
{
	u32 line = myalloc_random_below(random, LINES + 1), nr = 1;
	myalloc_flags_t flags = myalloc_random_one_in(random, 8) ? MYALLOC_ZERO : 0;
	struct item *item;
	void *addr;

	if (line == OTHERS && level() == TASK && myalloc_random_one_in(random, 4)) {
		take_all();
		return;
	}
	if (level() == NMI)
		line = FOR_NMI;
	if (line == BLOCKS)
		nr = myalloc_random_one_in(random, 2) ? 4 : 1;
	if (line == EXTENTS)
		nr = sizes[myalloc_random_below(random, ARRAY_SIZE(sizes))];
	if (self->nr[level()] == HOLD_MOST || !reserve(line, nr))
		return;
	if (level() == TASK && myalloc_random_one_in(random, 16))
		flags |= MYALLOC_MAY_WAIT;
	addr = ask(line, nr, flags);
	if (!addr) {
		unreserve(line, nr);
		if (line == OTHERS)
			return;
		if (level() != NMI)
			fail("a request for %u of line %u failed", nr, line);
		self->counts.nmi_fails++;
		return;
	}
	item = malloc(sizeof(*item));
	if (!item)
		host_fatal("out of memory");
	*item = (struct item){
		.addr = addr, .line = line, .nr = nr,
		.key = myalloc_pattern_key(self->number + 1, ++self->serial),
	};
	if (flags & MYALLOC_ZERO && memchr_inv(addr, 0, min_t(size_t, bytes_of(item), 256)))
		fail("memory that was to be zero is not");
	myalloc_pattern_fill(addr, min_t(size_t, bytes_of(item), 200), item->key);
	self->item[level()][self->nr[level()]++] = item;
	self->counts.requests += line != OTHERS;
}

static struct item *drop(u32 index)
{
	struct item *item = self->item[level()][index];

	self->item[level()][index] = self->item[level()][--self->nr[level()]];
	return item;
}

static void free_item(struct item *item)
{
	struct myalloc_damage damage;
	int err;

	if (!myalloc_pattern_check(item->addr, min_t(size_t, bytes_of(item), 200), item->key,
				   &damage))
		fail("memory of line %u changed while it was allocated: offset %zu", item->line,
		     damage.offset);
	if (item->key & 1)	/* the parent finds the line by the address */
		err = myalloc_free(race.parent, item->addr);
	else if (item->line == OTHERS)
		err = myalloc_pages_free(race.parent, item->addr, 0);
	else if (item->line == OBJECTS)
		err = myalloc_cache_free(myalloc_contract_cache(race.contract, OBJECTS),
					 item->addr);
	else if (item->line == EXTENTS)
		err = myalloc_pages_free_exact(myalloc_contract_zone(race.contract, EXTENTS),
					       item->addr, item->nr);
	else
		err = myalloc_pages_free(myalloc_contract_zone(race.contract, item->line),
					 item->addr, fls(item->nr) - 1);
	if (err)
		fail("free of %p of line %u: %d", item->addr, item->line, err);
	unreserve(item->line, item->nr);
	free(item);
}

static void free_one(struct myalloc_random *random)
{
	if (self->nr[level()])
		free_item(drop(myalloc_random_below(random, self->nr[level()])));
}

/* --- disturbances ---------------------------------------------------------------------------- */

static void interrupt(struct myalloc_random *random)
{
	u32 n = 1 + myalloc_random_below(random, 3);

	self->counts.interrupts++;
	while (n--) {
		if (myalloc_random_below(random, 8) >= self->nr[level()])
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
	case 7 ... 10:
		if (in_nmi())
			break;
		host_enter_nmi();
		interrupt(&self->schedule);
		host_exit_nmi();
		break;
	case 11 ... 13:
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

/* --- threads --------------------------------------------------------------------------------- */

/* Leave an allocation in a box, and free the one that was there. */
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

	if (!myalloc_zone_validate(race.parent, &v))
		fail("%llu invariants broken: %s", v.errors, v.first);
}

static void sweep(void)
{
	switch (myalloc_random_below(&self->random, 4)) {
	case 0:
		myalloc_zone_drain(race.parent);
		break;
	case 1:
		myalloc_zone_drain(race.contract->part[myalloc_random_below(&self->random,
									    LINES)].zone);
		break;
	case 2:
		validate();
		break;
	case 3:
		own_contract();
		break;
	}
}

static void operate(void)
{
	switch (myalloc_random_below(&self->random, 64)) {
	case 0 ... 27:
		alloc_one(&self->random);
		break;
	case 28 ... 53:
		free_one(&self->random);
		break;
	case 54 ... 59:
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

/* --- the zone, and its end ------------------------------------------------------------------- */

static void make_zone(void *arena)
{
	void *chunks[2] = { arena, arena + 2 * (PAGE_SIZE << CHUNK_ORDER) };
	const struct myalloc_zone_args args = {
		.name = "race", .chunks = chunks, .nr_chunks = 2, .chunk_order = CHUNK_ORDER,
		.nr_pages = 2 << CHUNK_ORDER, .node = NUMA_NO_NODE, .no_magazines = true,
	};
	struct myalloc_contract_plan plan;

	race.parent = myalloc_zone_create(&args);
	if (IS_ERR(race.parent))
		host_fatal("no zone");
	race.contract = myalloc_contract_create(race.parent, "race", lines, LINES, 0, &plan);
	if (IS_ERR(race.contract))
		host_fatal("no contract");
}

static void check_end(void)
{
	struct myalloc_contract_stats stats;
	struct myalloc_zone_stats zone;
	u32 i;

	for (i = 0; i < LINES; i++) {
		myalloc_zone_drain(race.contract->part[i].zone);
		myalloc_contract_stats(race.contract, i, &stats);
		if (stats.failed_within || stats.beyond || stats.nmi_frees_beyond || stats.live)
			fail("line %u: %llu failed within, %llu beyond, %llu frees beyond, %llu live",
			     i, stats.failed_within, stats.beyond, stats.nmi_frees_beyond,
			     stats.live);
		if (i != OBJECTS && stats.peak > most_of(i))
			fail("line %u: %llu were live", i, stats.peak);
		ktap_note("line %u: peak %llu of %u, highest end %llu of %llu, %llu from stacks, %llu refills",
			  i, stats.peak, most_of(i), stats.highest_end, stats.needed,
			  stats.nmi_allocs, stats.refills);
	}
	validate();
	if (myalloc_contract_end(race.contract, 0))
		fail("the contract does not end");
	myalloc_zone_drain(race.parent);
	validate();
	myalloc_zone_stats(race.parent, &zone);
	if (zone.free_pages != zone.nr_pages || zone.bad_frees || zone.corruptions)
		fail("of %llu pages %llu are free, %llu wrong frees, %llu corruptions",
		     zone.nr_pages, zone.free_pages, zone.bad_frees, zone.corruptions);
	if (myalloc_zone_destroy(race.parent))
		fail("the zone does not end");
}

static void test_contract(void)
{
	struct racer *racer = calloc(race.threads, sizeof(*racer)), last = { .number = 99 };
	void *arena = host_chunk_alloc(CHUNK_ORDER + 2);
	u64 requests = 0, nmi_fails = 0, interrupts = 0, handed = 0, greedy = 0;
	u64 contracts = 0, refused = 0;
	u32 i;

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
		requests += racer[i].counts.requests;
		nmi_fails += racer[i].counts.nmi_fails;
		interrupts += racer[i].counts.interrupts;
		handed += racer[i].counts.handed;
		greedy += racer[i].counts.greedy;
		contracts += racer[i].counts.contracts;
		refused += racer[i].counts.refused;
	}
	WRITE_ONCE(host_preempt_point, NULL);
	self = &last;
	for (i = 0; i < BOXES; i++)
		if (race.box[i])
			free_item(race.box[i]);
	self = NULL;
	check_end();
	pthread_barrier_destroy(&race.start);
	host_chunk_free(arena, CHUNK_ORDER + 2);
	free(racer);
	ktap_note("%llu interrupts, %llu frees by another thread, others took all %llu times, %llu contracts came and went, %llu were refused",
		  interrupts, handed, greedy, contracts, refused);
	ktap_result(!host_live_allocs() && !host_check_clean() && requests && interrupts && handed &&
		    greedy && contracts && refused,
		    "%llu requests within a contract, none failed but %llu in NMI", requests,
		    nmi_fails);
}

int main(int argc, char **argv)
{
	const struct program_option options[] = {
		{ "seed", PROGRAM_U64, &race.seed, "repeat the choices of a run" },
		{ "ops", PROGRAM_U64, &race.ops, "operations of each thread" },
		{ "threads", PROGRAM_U32, &race.threads, "threads, at most 16" },
		{ "cpus", PROGRAM_U32, &race.cpus, "simulated CPUs, 3 to 8" },
		{ }
	};

	race.seed = program_seed();
	program_options(argc, argv, "Threads that hold a contract to its word, with interrupts.",
			options);
	race.threads = clamp_t(u32, race.threads, 1, THREADS_MOST);
	race.cpus = clamp_t(u32, race.cpus, 3, 8);
	alarm(HANGS_AFTER);
	host_set_nr_cpus(race.cpus);
	ktap_plan(1);
	ktap_note("seed %llu, %u threads on %u CPUs, %llu operations each", race.seed, race.threads,
		  race.cpus, race.ops);
	test_contract();
	return ktap_end();
}
