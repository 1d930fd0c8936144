// SPDX-License-Identifier: GPL-2.0
/*
 * A test client that frees the same thing on two CPUs at the same moment
 *
 * Two threads, on the first two CPUs, meet at a barrier and free the same thing (an object or
 * pages); meet again and allocate; meet again and free the new allocations. With interrupt=1 the
 * second free comes as an inter-processor interrupt on top of the first instead. The second CPU is
 * delayed by a number of cycles that changes from round to round, so that each window between the
 * two is hit. In addition the first thread keeps things with a stamp in each, replaces one of them
 * every round, and now and then fills and empties the cache and keeps blocks of pages: a slot that
 * outlives its slab would then lie in memory of another user.
 *
 * Its parameters count:
 *	both	rounds in which both frees were accepted
 *	none	rounds in which neither was
 *	shared	times a thing that had been freed twice had two users
 *	harmed	times anything else was affected: another thing had two users, a correct free
 *		was refused, a stamp had changed. Must be 0.
 *
 * The rounds run while the module is loaded; afterwards everything is freed, and the statistics
 * of the cache "race" must show no live object. A thing whose two frees were both accepted is in
 * doubt until the next drain, which finds and drops every duplicate.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "myalloc_client.h"

#define KEPT		192	/* stamped things kept at any time */
#define BURST		256	/* things allocated to fill and empty magazines and slabs */
#define BURST_EVERY	16	/* rounds */
#define DRAIN_EVERY	64	/* rounds */
#define DOUBTFUL	(2 * DRAIN_EVERY)
#define SKEWS		64	/* delays of the second CPU */
#define PLACES		4096	/* see struct cover */

static char *kind = "default";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "what is freed: default, certain, trusting, no-magazine, zero-4k, zero-32k, checks, page-0, page-3, exact, lendable, heap, contract-object, contract-page");

static unsigned int rounds = 3000;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "rounds (default 3000)");

static bool interrupt;
module_param(interrupt, bool, 0444);
MODULE_PARM_DESC(interrupt, "the second free is an interrupt on top of the first (default off)");

static unsigned long ran;
module_param(ran, ulong, 0444);
MODULE_PARM_DESC(ran, "rounds that ended");

static unsigned long both;
module_param(both, ulong, 0444);
MODULE_PARM_DESC(both, "rounds in which both frees were accepted");

static unsigned long none;
module_param(none, ulong, 0444);
MODULE_PARM_DESC(none, "rounds in which neither was");

static unsigned long shared;
module_param(shared, ulong, 0444);
MODULE_PARM_DESC(shared, "times a thing that had been freed twice had two users");

static unsigned long harmed;
module_param(harmed, ulong, 0444);
MODULE_PARM_DESC(harmed, "times anything else was affected");

/*
 * A kind of allocation. Pages use @order, exact numbers of pages @nr_pages, blocks of a heap
 * @heap_bytes; all others are objects of a cache with @args. With @contract they come from a
 * contract.
 */
static const struct kind {
	const char *name;
	unsigned int order;
	unsigned int nr_pages;
	unsigned int heap_bytes;
	myalloc_flags_t flags;
	bool contract;
	struct myalloc_cache_args args;
} kinds[] = {
	{ "default", .args = { .object_size = 64 } },
	{ "certain", .args = { .object_size = 64, .flags = MYALLOC_CERTAIN } },
	{ "trusting", .args = { .object_size = 64, .flags = MYALLOC_TRUSTING } },
	{ "no-magazine", .args = { .object_size = 64, .flags = MYALLOC_NO_MAGAZINE } },
	{ "zero-4k", .args = { .object_size = 4096, .flags = MYALLOC_ZERO_FREE } },
	{ "zero-32k", .args = { .object_size = 32768, .flags = MYALLOC_ZERO_FREE } },
	{ "checks", .args = { .object_size = 64, .flags = MYALLOC_CHECKS } },
	{ "page-0", .order = 0 },
	{ "page-3", .order = 3 },
	{ "exact", .nr_pages = 3 },
	{ "lendable", .flags = MYALLOC_LENDABLE },
	{ "heap", .heap_bytes = 200 },
	{ "contract-object", .contract = true, .args = { .object_size = 64 } },
	{ "contract-page", .contract = true },
};

static const struct kind *this_kind;
static struct myalloc_zone *zone;
static struct myalloc_cache *cache;
static struct myalloc_heap *heap;
static struct myalloc_contract *contract;
/* The zone that pages come from: that of the contract, or @zone. */
static struct myalloc_zone *from;
static unsigned int cpus[2];
static struct task_struct *second;
static unsigned long thing_bytes;
static u64 stamp;

/* Only the first thread uses these, except for the values that it passes at the barrier. */
static u64 *kept[KEPT];
static u64 *page[KEPT];
static void *burst[BURST];
static const void *doubtful[DOUBTFUL];
static unsigned int nr_doubtful;

/*
 * Counts the kept things, or pages, in each piece of 2^@shift bytes of memory, by the piece's
 * number modulo PLACES. A piece with count 0 holds no kept thing, so most new allocations need not
 * be compared with all kept things.
 */
static struct cover {
	unsigned int shift;
	u16 count[PLACES];
} things, pages = { .shift = PAGE_SHIFT };

static void *thing;
static void *got[2];
static int result[2];
static unsigned int skew;
static bool quit;
static atomic_t arrived;

static bool of_cache(void)
{
	return this_kind->args.object_size;
}

static void *get(void)
{
	if (of_cache())
		return myalloc_cache_alloc(cache, 0);
	if (heap)
		return myalloc_heap_alloc(heap, this_kind->heap_bytes, 0);
	if (this_kind->nr_pages)
		return myalloc_pages_alloc_exact(from, this_kind->nr_pages, 0, 0);
	return myalloc_pages_alloc(from, this_kind->order, this_kind->flags);
}

static int put(void *addr)
{
	if (of_cache())
		return myalloc_cache_free(cache, addr);
	if (heap)
		return myalloc_heap_free(heap, addr);
	if (this_kind->nr_pages)
		return myalloc_pages_free_exact(from, addr, this_kind->nr_pages);
	return myalloc_pages_free(from, addr, this_kind->order);
}

/* Barrier: both threads leave at the same moment, the @nr-th time. */
static void meet(unsigned int nr)
{
	unsigned int spins = 0;

	atomic_inc_return(&arrived);	/* ordered, as the acquire below is */
	while ((unsigned int)atomic_read_acquire(&arrived) < 2 * nr) {
		cpu_relax();
		if (!(++spins % 4096))
			cond_resched();
	}
}

static void be_late(unsigned int by)
{
	for (by *= 8; by; by--)
		barrier();
}

static void free_in_interrupt(void *unused)
{
	result[1] = put(thing);
}

static void free_second(void)
{
	be_late(skew);
	if (interrupt)
		smp_call_function_single(cpus[0], free_in_interrupt, NULL, true);
	else
		result[1] = put(thing);
}

static int be_second(void *unused)
{
	unsigned int nr = 0;

	for (;;) {
		meet(++nr);
		if (READ_ONCE(quit))
			break;
		free_second();
		meet(++nr);
		got[1] = get();
		meet(++nr);	/* the first checks both allocations */
		meet(++nr);
		if (got[1])
			result[1] = put(got[1]);
		meet(++nr);
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* --- things that must not be affected -------------------------------------- */

static bool in_doubt(const void *addr)
{
	unsigned int i;

	for (i = 0; i < nr_doubtful; i++)
		if (doubtful[i] == addr)
			return true;
	return false;
}

static void doubt(const void *addr)
{
	if (!in_doubt(addr))
		doubtful[nr_doubtful++] = addr;
}

static void harm(const char *what, const void *addr)
{
	if (!harmed++)
		pr_err("myalloc_race: %s: round %lu: %s: %p\n", kind, ran, what, addr);
}

static void two_users(const void *addr)
{
	if (in_doubt(addr))
		shared++;
	else
		harm("has two users and was not freed twice", addr);
}

static bool overlap(const void *a, unsigned long bytes_a, const void *b, unsigned long bytes_b)
{
	return b && a < b + bytes_b && b < a + bytes_a;
}

/* Add @by to the count of each piece that @addr spans; true if one was not 0. */
static bool cover(struct cover *c, const void *addr, unsigned long bytes, int by)
{
	unsigned long at = (unsigned long)addr >> c->shift;
	unsigned long last = ((unsigned long)addr + bytes - 1) >> c->shift;
	bool was = false;

	for (; at <= last; at++) {
		was |= c->count[at % PLACES];
		c->count[at % PLACES] += by;
	}
	return was;
}

static void keep(u64 **where, struct cover *c, u64 *new, unsigned long bytes)
{
	if (*where)
		cover(c, *where, bytes, -1);
	if (new)
		cover(c, new, bytes, 1);
	*where = new;
}

/* Check that the new allocation does not overlap a kept one. */
static void look_for(const void *addr, unsigned long bytes)
{
	unsigned int i;

	if (!addr || !(cover(&things, addr, bytes, 0) | cover(&pages, addr, bytes, 0)))
		return;
	for (i = 0; i < KEPT; i++)
		if (overlap(addr, bytes, kept[i], thing_bytes) ||
		    overlap(addr, bytes, page[i], PAGE_SIZE))
			two_users(addr);
}

static void write_stamp(u64 *addr)
{
	if (!addr)
		return;
	addr[0] = ++stamp;
	addr[1] = ~stamp;
}

/* Skip a thing in doubt: it may be free again, and KASAN would report the access. */
static void check_stamp(const u64 *addr)
{
	if (!in_doubt(addr) && addr[0] != ~addr[1])
		harm("was overwritten", addr);
}

static void put_right(void *addr)
{
	if (put(addr) && !in_doubt(addr))
		harm("a right free was refused", addr);
}

static void *get_new(void)
{
	void *addr = get();

	look_for(addr, thing_bytes);
	return addr;
}

static void replace_kept(unsigned int i)
{
	u64 *new;

	if (kept[i]) {
		check_stamp(kept[i]);
		put_right(kept[i]);
		keep(&kept[i], &things, NULL, thing_bytes);
	}
	new = get_new();
	if (!in_doubt(new))
		write_stamp(new);
	keep(&kept[i], &things, new, thing_bytes);
}

/* Allocate pages where a slab used to be. */
static void replace_page(unsigned int i)
{
	u64 *new;

	if (page[i]) {
		if (page[i][0] != ~page[i][1])
			harm("a page was overwritten", page[i]);
		if (myalloc_pages_free(zone, page[i], 0))
			harm("a right free of a page was refused", page[i]);
		keep(&page[i], &pages, NULL, PAGE_SIZE);
	}
	new = myalloc_pages_alloc(zone, 0, 0);
	look_for(new, PAGE_SIZE);
	write_stamp(new);
	keep(&page[i], &pages, new, PAGE_SIZE);
}

static void fill_and_empty(void)
{
	unsigned int i, n = 0;

	while (n < BURST && (burst[n] = get_new()))
		n++;
	for (i = 0; i < n; i++)
		put_right(burst[i]);
}

static void put_kept(void)
{
	unsigned int i;

	for (i = 0; i < KEPT; i++) {
		if (kept[i]) {
			check_stamp(kept[i]);
			put_right(kept[i]);
		}
		keep(&kept[i], &things, NULL, thing_bytes);
	}
}

static void put_pages(void)
{
	unsigned int i;

	for (i = 0; i < KEPT; i++) {
		if (page[i] && (page[i][0] != ~page[i][1] ||
				myalloc_pages_free(zone, page[i], 0)))
			harm("a page was overwritten or refused", page[i]);
		keep(&page[i], &pages, NULL, PAGE_SIZE);
	}
}

/* After a drain no slot is in two places, so nothing is in doubt. */
static void drain(void)
{
	put_kept();
	if (cache)
		myalloc_cache_shrink(cache);
	myalloc_zone_drain(zone);
	nr_doubtful = 0;
}

/* --- rounds -------------------------------------------------------------------- */

static void race(unsigned int *nr)
{
	thing = get_new();
	if (!thing)
		return;
	skew = ran % SKEWS;
	result[0] = -EAGAIN;
	result[1] = -EAGAIN;
	meet(++*nr);
	be_late(interrupt ? 0 : SKEWS / 4);
	result[0] = put(thing);
	meet(++*nr);
	got[0] = get();
	meet(++*nr);
	both += !result[0] && !result[1];
	none += result[0] && result[1];
	if (!result[0] && !result[1])
		doubt(thing);
	look_for(got[0], thing_bytes);
	look_for(got[1], thing_bytes);
	if (got[0] && got[0] == got[1]) {
		two_users(got[0]);
		got[1] = NULL;
	}
	result[1] = 0;
	meet(++*nr);
	if (got[0])
		put_right(got[0]);
	meet(++*nr);
	if (result[1] && !in_doubt(got[1]))
		harm("a right free was refused on the other CPU", got[1]);
}

static void run(void)
{
	unsigned int nr = 0;

	while (ran < rounds && !signal_pending(current)) {
		race(&nr);
		replace_kept(ran % KEPT);
		replace_page(ran * 7 % KEPT);
		if (ran % BURST_EVERY == 0)
			fill_and_empty();
		if (ran % DRAIN_EVERY == DRAIN_EVERY - 1)
			drain();
		ran++;
		cond_resched();
	}
	WRITE_ONCE(quit, true);
	meet(++nr);
	drain();
	put_pages();
	myalloc_zone_drain(zone);
}

static unsigned long __init size_of_thing(void)
{
	if (of_cache())
		return this_kind->args.object_size;
	if (this_kind->heap_bytes)
		return this_kind->heap_bytes;
	return this_kind->nr_pages ? this_kind->nr_pages * PAGE_SIZE :
				     PAGE_SIZE << this_kind->order;
}

/* A contract for all that the two threads hold. */
static int __init make_contract(void)
{
	static struct myalloc_contract_plan plan;
	struct myalloc_contract_line line = { .cache = this_kind->args };

	line.cache.name = "race";
	if (of_cache()) {
		line.kind = MYALLOC_CONTRACT_OBJECTS;
		line.count = KEPT + BURST + 4;
	} else {
		line.kind = MYALLOC_CONTRACT_PAGES;
		line.orders = BIT(this_kind->order);
		line.pages = (KEPT + BURST + 4) << this_kind->order;
	}
	contract = myalloc_contract_create(zone, "race", &line, 1, 0, &plan);
	if (IS_ERR(contract))
		return PTR_ERR(contract);
	if (of_cache())
		cache = myalloc_contract_cache(contract, 0);
	else
		from = myalloc_contract_zone(contract, 0);
	return 0;
}

static int __init make_front(void)
{
	struct myalloc_cache_args args = this_kind->args;

	from = zone;
	thing_bytes = size_of_thing();
	things.shift = ilog2(thing_bytes);
	if (this_kind->contract)
		return make_contract();
	if (this_kind->heap_bytes) {
		heap = myalloc_heap_create(zone, &(struct myalloc_heap_args){ .name = "race" });
		return PTR_ERR_OR_ZERO(heap);
	}
	if (!of_cache())
		return 0;
	args.name = "race";
	cache = myalloc_cache_create(zone, &args);
	return PTR_ERR_OR_ZERO(cache);
}

/* Everything was freed, so an object that is still in use has been harmed. */
static void end_front(void)
{
	if (contract) {
		cache = NULL;
		if (myalloc_contract_end(contract, 0)) {
			harm("something within the contract is in use", contract);
			myalloc_contract_end(contract, MYALLOC_CONTRACT_RELEASE);
		}
	}
	if (heap && myalloc_heap_destroy(heap))
		harm("a block of the heap is in use", heap);
}

static int __init find_kind(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, kind))
			this_kind = &kinds[i];
	if (this_kind)
		return 0;
	pr_err("myalloc_race: no kind '%s'; see modinfo\n", kind);
	return -EINVAL;
}

static int __init start_second(void)
{
	second = kthread_create_on_cpu(be_second, NULL, cpus[1], "myalloc_race/%u");
	if (IS_ERR(second))
		return PTR_ERR(second);
	wake_up_process(second);
	return 0;
}

static int __init race_client_init(void)
{
	int err = find_kind();

	if (err)
		return err;
	cpus[0] = cpumask_first(cpu_online_mask);
	cpus[1] = cpumask_next(cpus[0], cpu_online_mask);
	if (cpus[1] >= nr_cpu_ids) {
		pr_err("myalloc_race: 2 CPUs are needed, 1 is online\n");
		return -ENODEV;
	}
	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	err = make_front();
	if (err)
		goto err_zone;
	err = set_cpus_allowed_ptr(current, cpumask_of(cpus[0]));
	if (err)
		goto err_cache;
	err = start_second();
	if (err)
		goto err_cache;
	run();
	end_front();
	kthread_stop(second);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	return 0;

err_cache:
	end_front();
	myalloc_cache_destroy(cache);
err_zone:
	myalloc_zone_put(zone);
	return err;
}

static void __exit race_client_exit(void)
{
	myalloc_cache_destroy(cache);
	myalloc_zone_put(zone);
}

module_init(race_client_init);
module_exit(race_client_exit);

MODULE_DESCRIPTION("Test client of myalloc: frees the same thing on two CPUs at once");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
