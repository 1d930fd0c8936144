// SPDX-License-Identifier: GPL-2.0
/*
 * Steps: how many instructions a request within a contract takes at most
 *
 * The test traces a copy of itself. Around each measured request the copy asks to be run in single
 * steps, and these are counted. Not counted are the locks and interrupt flags of the host
 * environment, which checks their use; an uncontended spinlock adds one atomic operation.
 *
 * Each request is made in the states in which it does most. bounds_test counts the most splits,
 * merges and deferred frees that are possible, and here all of them occur. The trees of free blocks
 * have four levels, as for up to 16 Mi pages, and each change climbs as many of them as it can.
 *
 * The most of each kind must not exceed L, which lib/DESIGN.md states for gcc on x86-64 with -O2.
 * Other machines and compilers may take twice as many.
 */
#include "env.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>

#include "client/contract.h"
#include "client/plan.h"
#include "ktap.h"
#include "object/slab.h"
#include "page/block.h"
#include "program.h"
#include "zone/zone.h"

/* L, in instructions. */
#if defined(__x86_64__) && !defined(__clang__)
#define L(instructions)	(instructions)
#else
#define L(instructions)	(2 * (instructions))
#endif
#define BLOCKS_MOST	L(5000)
#define EXTENTS_MOST	L(5600)
/* A single slab of 64 KiB may have 7,281 slots, and a refill scans the out bits of all of them. */
#define OBJECTS_MOST	L(PAGE_SHIFT < 16 ? 3500 : 7000)

#define CHUNK_ORDER	MYALLOC_CHUNK_MAX
#define CHUNKS		1024
#define ARENA_ORDER	(CHUNK_ORDER + 10)
#define LIVE		310000u	/* pages, so that order 0 may be anywhere in more than 2^18 */

/* --- instructions -------------------------------------------------------------------------- */

enum { IDLE, COUNTING, PAUSED };

/* Shared by the test and its tracer. */
static struct {
	volatile int state;
	volatile u64 count;
} *shared;

/* Points that the compiler does not move a request across. */
static void set_state(int state)
{
	barrier();
	shared->state = state;
	barrier();
}

static void begin_count(void)
{
	raise(SIGUSR1);
	set_state(COUNTING);
}

static u64 end_count(void)
{
	set_state(IDLE);
	return shared->count;
}

/* The maximum under one hold of the outermost lock, and where that began. */
static u64 most_hold, hold_begin;
static u32 holding;

/* --- not counted: the program is linked with --wrap for these ------------------------------- */

void __real_host_raw_lock(struct host_lock *lock);
bool __real_host_raw_trylock(struct host_lock *lock);
void __real_host_raw_unlock(struct host_lock *lock);
unsigned long __real_host_irq_save(void);
void __real_host_irq_restore(unsigned long flags);
void __real_host_assert_held(struct host_lock *lock, bool held, const char *file, int line);
void __wrap_host_raw_lock(struct host_lock *lock);
bool __wrap_host_raw_trylock(struct host_lock *lock);
void __wrap_host_raw_unlock(struct host_lock *lock);
unsigned long __wrap_host_irq_save(void);
void __wrap_host_irq_restore(unsigned long flags);
void __wrap_host_assert_held(struct host_lock *lock, bool held, const char *file, int line);

static int pause_count(void)
{
	int state = shared->state;

	if (state == COUNTING)
		set_state(PAUSED);
	return state;
}

void __wrap_host_raw_lock(struct host_lock *lock)
{
	int state = pause_count();

	__real_host_raw_lock(lock);
	if (state == COUNTING && !holding++)
		hold_begin = shared->count;
	set_state(state);
}

bool __wrap_host_raw_trylock(struct host_lock *lock)
{
	int state = pause_count();
	bool locked = __real_host_raw_trylock(lock);

	set_state(state);
	return locked;
}

void __wrap_host_raw_unlock(struct host_lock *lock)
{
	int state = pause_count();

	if (state == COUNTING && !--holding)
		most_hold = max(most_hold, shared->count - hold_begin);
	__real_host_raw_unlock(lock);
	set_state(state);
}

unsigned long __wrap_host_irq_save(void)
{
	int state = pause_count();
	unsigned long flags = __real_host_irq_save();

	set_state(state);
	return flags;
}

void __wrap_host_irq_restore(unsigned long flags)
{
	int state = pause_count();

	__real_host_irq_restore(flags);
	set_state(state);
}

void __wrap_host_assert_held(struct host_lock *lock, bool held, const char *file, int line)
{
	int state = pause_count();

	__real_host_assert_held(lock, held, file, line);
	set_state(state);
}

/* --- the tracer ---------------------------------------------------------------------------- */

/* Run the traced copy on, with a signal or without. False if it has ended; @status is that of it. */
static bool go_on(pid_t pid, int request, int signal, int *status)
{
	if (ptrace(request, pid, NULL, signal))
		host_fatal("ptrace: %s", strerror(errno));
	*status = program_wait(pid);
	return WIFSTOPPED(*status);
}

/* Count until the copy says that the request has ended. */
static bool count_steps(pid_t pid, int *status)
{
	shared->count = 0;
	while (shared->state == IDLE)
		if (!go_on(pid, PTRACE_SINGLESTEP, 0, status))
			return false;
	while (shared->state != IDLE) {
		shared->count += shared->state == COUNTING;
		if (!go_on(pid, PTRACE_SINGLESTEP, 0, status))
			return false;
	}
	return true;
}

/* The exit status of the traced copy. */
static int trace(pid_t pid)
{
	int status = program_wait(pid), signal = 0;

	while (WIFSTOPPED(status)) {
		if (!go_on(pid, PTRACE_CONT, signal, &status))
			break;
		signal = WSTOPSIG(status);
		if (signal != SIGUSR1)
			continue;
		signal = 0;
		if (!count_steps(pid, &status))
			break;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* --- contracts with sparse memory, allocated when it is written to --------------------------- */

static struct myalloc_contract *contract;
static struct myalloc_zone *parent_zone, *child;
static void *arena, *chunks[CHUNKS];

static void begin_contract(const struct myalloc_contract_line *line)
{
	struct myalloc_zone_args args = {
		.name = "parent", .chunks = chunks, .nr_chunks = CHUNKS,
		.chunk_order = CHUNK_ORDER, .nr_pages = CHUNKS << CHUNK_ORDER,
		.node = NUMA_NO_NODE, .no_magazines = true,
	};
	struct myalloc_contract_plan plan;
	u32 i;

	host_reset();
	arena = host_chunk_alloc(ARENA_ORDER);
	for (i = 0; i < CHUNKS; i++)
		chunks[i] = arena + i * (PAGE_SIZE << CHUNK_ORDER);
	parent_zone = myalloc_zone_create(&args);
	if (IS_ERR(parent_zone))
		host_fatal("no zone");
	contract = myalloc_contract_create(parent_zone, "c", line, 1, 0, &plan);
	if (IS_ERR(contract))
		host_fatal("no contract");
	child = myalloc_contract_zone(contract, 0);
}

static void end_contract(void)
{
	if (myalloc_contract_end(contract, MYALLOC_CONTRACT_RELEASE) ||
	    myalloc_zone_destroy(parent_zone))
		host_fatal("the contract does not end");
	host_chunk_free(arena, ARENA_ORDER);
}

/* The maximum of one kind of request, and the state in which it occurred. */
struct most {
	u64 steps;
	u32 deferred;
	u32 state;
};

static void note_most(struct most *most, u64 steps, u32 deferred, u32 state)
{
	if (steps <= most->steps)
		return;
	most->steps = steps;
	most->deferred = deferred;
	most->state = state;
}

static void judge(const struct most *most, u64 bound, const char *what)
{
	ktap_result(most->steps && most->steps <= bound,
		    "%s takes %llu instructions at most, of %llu: after %u deferred frees, in state %u",
		    what, most->steps, bound, most->deferred, most->state);
}

/* --- blocks and extents -------------------------------------------------------------------- */

#define PIECES	4	/* chunks with an allocation each, the last of which stays */

/*
 * These chunks: for the low orders they are in words of their own at three of four levels. Of
 * several choices that were tried these take most.
 */
static const u32 places[][PIECES] = { { 0, 70, 290, 270 }, { 0, 290, 150, 100 } };

static void *thing[PIECES];

static void *take(u32 pages)
{
	void *addr = is_power_of_2(pages) ? myalloc_pages_alloc(child, fls(pages) - 1, 0) :
					    myalloc_pages_alloc_exact(child, pages, 0, 0);

	if (!addr)
		host_fatal("%u pages of %u are not there", pages, LIVE);
	return addr;
}

static void give(void *addr)
{
	if (myalloc_free(child, addr))
		host_fatal("a free is refused");
}

/*
 * Chunk @place[i] has one allocation, of @pages, or of @waits for the first @deferred ones. A chunk
 * less one page is a free block of each order, and 1023 pages are a block of each. The chunks are
 * filled from the lowest on, because first fit uses the lowest first.
 */
static void prepare(u32 pages, u32 deferred, u32 waits, const u32 *place)
{
	static void *rest[LIVE];
	u32 nr = 0, end = 0, i, at, left;

	for (i = 0; i < PIECES; i++)
		end = max(end, place[i] + 1);
	for (at = 0; at < end; at++) {
		for (i = 0; i < PIECES && place[i] != at; i++)
			;
		left = i >= PIECES ? 1 : i < deferred ? waits : pages;
		if (i < PIECES)
			thing[i] = take(left);
		else
			rest[nr++] = take(left);
		for (left = BIT(CHUNK_ORDER) - left; left; left--)
			rest[nr++] = take(1);
	}
	while (nr)
		give(rest[--nr]);
}

/* Free in an NMI that finds the lock taken, so that the frees are deferred. */
static void defer(u32 nr)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&child->lock, irq);
	host_enter_nmi();
	while (nr--) {		/* the last one is reaped first */
		give(thing[nr]);
		thing[nr] = NULL;
	}
	host_exit_nmi();
	raw_spin_unlock_irqrestore(&child->lock, irq);
}

static void end_things(void)
{
	u32 i;

	for (i = 0; i < PIECES; i++) {
		if (thing[i])
			give(thing[i]);
		thing[i] = NULL;
	}
	myalloc_zone_drain(child);
}

/* A request for @pages, and a free of as many, after @deferred deferred frees of @waits pages. */
static void measure(u32 pages, u32 deferred, u32 waits, u32 at, struct most *alloc,
		    struct most *free)
{
	void *addr;

	prepare(pages, deferred, waits, places[at]);
	defer(deferred);
	begin_count();
	addr = take(pages);
	note_most(alloc, end_count(), deferred, at);
	give(addr);
	end_things();

	prepare(pages, deferred, waits, places[at]);
	if (deferred == PIECES - 2) {	/* no other allocation is left */
		give(thing[PIECES - 1]);
		thing[PIECES - 1] = NULL;
	}
	defer(deferred);
	begin_count();
	give(thing[deferred]);
	note_most(free, end_count(), deferred, at);
	thing[deferred] = NULL;
	end_things();
}

#define DRAINED	20	/* allocations, more than a hold may free */
#define LOST	3	/* ones with damaged links, more than a hold may free */

/* A drain holds the lock no longer than a request does. */
static void measure_drain(u32 pages, bool lost, u64 bound, const char *what)
{
	static void *rest[DRAINED][BIT(CHUNK_ORDER)];
	u32 i, j, nr = BIT(CHUNK_ORDER) - pages + 1, things = lost ? LOST : DRAINED;
	unsigned long irq;

	for (i = 0; i < things; i++)
		for (j = 0; j < nr; j++)
			rest[i][j] = take(j ? 1 : pages);
	for (i = 0; i < things; i++)
		for (j = 1; j < nr; j++)
			give(rest[i][j]);
	raw_spin_lock_irqsave(&child->lock, irq);
	host_enter_nmi();
	for (i = 0; i < things; i++)
		give(rest[i][0]);
	host_exit_nmi();
	raw_spin_unlock_irqrestore(&child->lock, irq);
	if (lost)	/* each is found by its tag */
		llist_del_all(&child->deferred.list);
	most_hold = 0;
	begin_count();
	myalloc_zone_reap_all(child);
	end_count();
	ktap_result(most_hold && most_hold <= bound && !atomic64_read(&child->deferred.nr),
		    "a drain of %s takes %llu instructions at most in one hold, of %llu", what,
		    most_hold, bound);
}

static void drain_line(const struct myalloc_contract_line *line, u32 pages, bool lost, u64 bound,
		       const char *what)
{
	struct myalloc_contract_line few = *line;

	few.pages = ((lost ? LOST : DRAINED) + 1) << CHUNK_ORDER;
	begin_contract(&few);
	measure_drain(pages, lost, bound, what);
	end_contract();
}

static void drains(void)
{
	static const u32 sizes[] = { 1, 1023 };
	const struct myalloc_contract_line blocks = {
		.kind = MYALLOC_CONTRACT_PAGES, .orders = 0x1,
	}, extents = {
		.kind = MYALLOC_CONTRACT_EXTENTS, .sizes = sizes, .nr_sizes = ARRAY_SIZE(sizes),
	};

	drain_line(&blocks, 1, false, BLOCKS_MOST, "blocks");
	drain_line(&blocks, 1, true, BLOCKS_MOST, "blocks whose links are damaged");
	drain_line(&extents, 1023, false, EXTENTS_MOST, "extents");
	drain_line(&extents, 1023, true, EXTENTS_MOST, "extents whose links are damaged");
}

static void blocks(void)
{
	struct most alloc = { 0 }, free = { 0 };
	u32 deferred, at;

	begin_contract(&(struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_PAGES, .pages = LIVE, .orders = 0x401 });
	for (at = 0; at < ARRAY_SIZE(places); at++)
		for (deferred = 1; deferred < PIECES; deferred++)
			measure(1, deferred, 1, at, &alloc, &free);
	end_contract();
	judge(&alloc, BLOCKS_MOST, "an allocation of a block");
	judge(&free, BLOCKS_MOST, "a free of a block");
}

static void extents(void)
{
	static const u32 sizes[] = { 1, 513, 1023, 1024 };
	struct most alloc = { 0 }, free = { 0 };
	u32 i, deferred, at;

	begin_contract(&(struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_EXTENTS, .pages = LIVE, .sizes = sizes,
		.nr_sizes = ARRAY_SIZE(sizes) });
	for (i = 1; i < 3; i++) {
		for (at = 0; at < ARRAY_SIZE(places); at++) {
			for (deferred = 1; deferred < PIECES; deferred += 2) {
				measure(sizes[i], deferred, 1, at, &alloc, &free);
				measure(sizes[i], deferred, sizes[i], at, &alloc, &free);
			}
		}
	}
	end_contract();
	judge(&alloc, EXTENTS_MOST, "an allocation of an extent");
	judge(&free, EXTENTS_MOST, "a free of an extent");
}

/* --- objects ------------------------------------------------------------------------------- */

#define OBJECTS		32768u	/* at most */
#define MEASURED	200u	/* requests in a row: refills and flushes are among them */

static struct myalloc_cache *cache;
static void *object[OBJECTS];
static u32 nr_objects;

/* All objects are live except one in each slab, and none is in a magazine. */
static void make_holes(void)
{
	u32 i;

	for (i = 0; i < nr_objects; i++)
		if (!object[i])
			object[i] = myalloc_cache_alloc(cache, 0);
	myalloc_cache_drain(cache);
	for (i = 0; i < nr_objects; i += cache->layout.objects) {
		myalloc_cache_free(cache, object[i]);
		object[i] = NULL;
	}
	myalloc_cache_drain(cache);
}

static void defer_objects(u32 nr)
{
	unsigned long irq;
	u32 i;

	raw_spin_lock_irqsave(&cache->lock, irq);
	host_enter_nmi();
	for (i = 1; nr; i += cache->layout.objects, nr--) {
		myalloc_cache_free(cache, object[i]);
		object[i] = NULL;
	}
	host_exit_nmi();
	raw_spin_unlock_irqrestore(&cache->lock, irq);
}

static void measure_objects(u32 deferred, struct most *alloc, struct most *free)
{
	u32 i, at = 0;

	make_holes();
	defer_objects(deferred);
	for (i = 0; i < MEASURED; i++) {
		while (at < nr_objects && object[at])
			at++;
		if (at == nr_objects)
			break;
		begin_count();
		object[at] = myalloc_cache_alloc(cache, 0);
		note_most(alloc, end_count(), deferred, i);
	}
	make_holes();
	defer_objects(deferred);
	/* One object of each slab, so that a flush finds each in another slab. */
	for (i = 0, at = 2; i < MEASURED; i++) {
		begin_count();
		myalloc_cache_free(cache, object[at]);
		note_most(free, end_count(), deferred, i);
		object[at] = NULL;
		at += cache->layout.objects;
		if (at >= nr_objects)
			at = at % cache->layout.objects + 1;
	}
}

static void begin_objects(u32 count, u32 size, myalloc_cache_flags_t flags)
{
	begin_contract(&(struct myalloc_contract_line){
		.kind = MYALLOC_CONTRACT_OBJECTS, .count = count,
		.cache = { .name = "o", .object_size = size, .flags = flags } });
	cache = myalloc_contract_cache(contract, 0);
	nr_objects = count;
}

static void end_objects(void)
{
	u32 i;

	for (i = 0; i < nr_objects; i++)
		if (object[i])
			myalloc_cache_free(cache, object[i]);
	end_contract();
	memset(object, 0, sizeof(object));
}

static void objects(u32 count, u32 size, myalloc_cache_flags_t flags, const char *what)
{
	struct most alloc = { 0 }, free = { 0 };
	char text[64];
	u32 deferred;

	begin_objects(count, size, flags);
	for (deferred = 0; deferred < PIECES; deferred += 1 + !!flags)
		measure_objects(deferred, &alloc, &free);
	end_objects();
	snprintf(text, sizeof(text), "an allocation of %s", what);
	judge(&alloc, OBJECTS_MOST, text);
	snprintf(text, sizeof(text), "a free of %s", what);
	judge(&free, OBJECTS_MOST, text);
}

static void drain_objects(void)
{
	begin_objects(512, 500, MYALLOC_NO_MAGAZINE);
	make_holes();
	defer_objects(2 * DRAINED);
	most_hold = 0;
	begin_count();
	myalloc_cache_reap(cache);
	end_count();
	ktap_result(most_hold && most_hold <= OBJECTS_MOST,
		    "a drain of objects takes %llu instructions at most in one hold, of %llu",
		    most_hold, (u64)OBJECTS_MOST);
	end_objects();
}

static void run(void)
{
	ktap_plan(PAGE_SHIFT == 12 ? 27 : 15);
	blocks();
	extents();
	drains();
	objects(512, 500, 0, "an object");
	objects(8192, 64, 0, "a small object");
	objects(OBJECTS, 8, 0, "a tiny object");
	if (PAGE_SHIFT == 12) {		/* elsewhere they differ as little */
		objects(512, 500, MYALLOC_CERTAIN, "a certain object");
		objects(512, 500, MYALLOC_TRUSTING, "a trusting object");
		objects(512, 500, MYALLOC_RANDOM, "an object in random order");
		objects(512, 500, MYALLOC_NO_MAGAZINE, "an object without magazines");
		objects(8192, 64, MYALLOC_TRUSTING, "a small trusting object");
		objects(OBJECTS, 8, MYALLOC_RANDOM, "a tiny object in random order");
	}
	drain_objects();
}

int main(int argc, char **argv)
{
	const struct program_option options[] = { { } };
	pid_t pid;

	program_options(argc, argv, "How many instructions a request within a contract takes.",
			options);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		host_fatal("no memory to share");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		host_fatal("fork: %s", strerror(errno));
	if (!pid) {
		/* Skipped if tracing is not permitted, or not supported by an emulator. */
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			return 77;
		raise(SIGSTOP);
		run();
		return ktap_end();
	}
	return trace(pid);
}
