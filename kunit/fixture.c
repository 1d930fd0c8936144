// SPDX-License-Identifier: GPL-2.0
/*
 * Shared by the suites
 *
 * The portable part comes first, followed by the differences between the host and the kernel. A
 * function that only one of them supports returns false on the other, where the test is skipped.
 */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "object/limbo.h"
#include "page/drain.h"

/* Address of the first simulated chunk; it is never read or written. */
#define SIMULATED_BASE	BIT(30)

/* Order of the largest block of alloc_pages() in every kernel. */
#define MEMORY_ORDER_MAX	10

/* --- zones ------------------------------------------------------------------ */

static u32 fixture_stride(const struct fixture_args *args)
{
	return args->stride ?: 1;
}

/* Number of frames of chunk @nr that belong to the zone. */
static u32 chunk_frames(const struct fixture *fx, u32 nr)
{
	return min_t(u32, fx->args.nr_pages - (nr << fx->args.chunk_order),
		     BIT(fx->args.chunk_order));
}

/* Poison the memory between the chunks and behind the last page. */
static void fence(struct fixture *fx, u32 stride)
{
	unsigned long size = PAGE_SIZE << fx->order, at = 0;
	u32 i;

	for (i = 0; i < fx->args.nr_chunks; i++) {
		unsigned long begin = ((unsigned long)i * stride << fx->args.chunk_order) *
				      PAGE_SIZE;

		if (begin > at)
			myalloc_env_poison((void *)(fx->memory + at), begin - at);
		at = begin + chunk_frames(fx, i) * PAGE_SIZE;
	}
	if (size > at)
		myalloc_env_poison((void *)(fx->memory + at), size - at);
}

/**
 * fixture_prepare() - allocate memory and fill in the arguments of a zone
 * @test: the test, which is skipped if the memory is not available
 * @args: properties of the zone
 *
 * Context: task, may sleep.
 * Return: the fixture, without a zone.
 */
struct fixture *fixture_prepare(struct kunit *test, const struct fixture_args *args)
{
	struct fixture *fx = kunit_kzalloc(test, sizeof(*fx), GFP_KERNEL);
	unsigned long base = SIMULATED_BASE, pages;
	u32 i, stride = fixture_stride(args);

	KUNIT_ASSERT_NOT_NULL(test, fx);
	fx->test = test;
	fx->args.name = "test";
	fx->args.nr_pages = args->nr_pages;
	fx->args.nr_chunks = DIV_ROUND_UP(args->nr_pages, (u32)BIT(args->chunk_order));
	fx->args.chunk_order = args->chunk_order;
	fx->args.node = NUMA_NO_NODE;
	fx->args.checks = args->checks;
	fx->args.policy = args->policy;
	fx->args.no_magazines = args->no_magazines;
	fx->args.no_worker = true;	/* it could run at any moment */
	fx->args.simulated = args->simulated;
	fx->args.ops = args->ops;
	fx->chunks = kunit_kcalloc(test, fx->args.nr_chunks, sizeof(void *), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fx->chunks);
	fx->args.chunks = fx->chunks;

	pages = (unsigned long)((fx->args.nr_chunks - 1) * stride + 1) << args->chunk_order;
	if (!args->simulated) {
		fx->order = pages > 1 ? ilog2(pages - 1) + 1 : 0;
		KUNIT_ASSERT_LE(test, fx->order, MEMORY_ORDER_MAX);
		fx->memory = __get_free_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN, fx->order);
		if (!fx->memory)
			kunit_skip(test, "no block of order %u", fx->order);
		fixture_memory_split(fx->memory, fx->order);
		base = fx->memory;
	}
	for (i = 0; i < fx->args.nr_chunks; i++)
		fx->chunks[i] = (void *)(base + ((unsigned long)i * stride <<
						 args->chunk_order) * PAGE_SIZE);
	if (fx->memory)
		fence(fx, stride);
	fx->next = test->priv;
	test->priv = fx;
	return fx;
}

/**
 * fixture_zone() - create a zone for a test
 * @test: the test
 * @args: properties of the zone
 *
 * Context: task, may sleep.
 * Return: the fixture.
 */
struct fixture *fixture_zone(struct kunit *test, const struct fixture_args *args)
{
	struct fixture *fx = fixture_prepare(test, args);
	struct myalloc_zone *zone = myalloc_zone_create(&fx->args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, zone);
	fx->zone = zone;
	zone->reports.burst = U32_MAX;	/* tests expect every report */
	return fx;
}

/**
 * fixture_end() - destroy a zone; everything must have been freed
 * @fx: the fixture
 *
 * Context: task, may sleep.
 */
void fixture_end(struct fixture *fx)
{
	struct myalloc_zone *zone = fx->zone;
	struct kunit *test = fx->test;
	struct fixture **p;

	if (zone) {
		while (!list_empty(&zone->caches))
			if (myalloc_cache_destroy(list_first_entry(&zone->caches,
								   struct myalloc_cache, link)))
				break;
		KUNIT_EXPECT_EQ_MSG(test, myalloc_zone_destroy(zone), 0, "%s",
				    fixture_report(fx));
	}
	if (fx->memory) {
		myalloc_env_unpoison((void *)fx->memory, PAGE_SIZE << fx->order);
		fixture_memory_put(fx->memory, fx->order);
	}
	for (p = (struct fixture **)&test->priv; *p; p = &(*p)->next)
		if (*p == fx) {
			*p = fx->next;
			break;
		}
	kunit_kfree(test, fx->chunks);
	kunit_kfree(test, fx);
}

/* The exit callback of a suite. */
void fixture_exit(struct kunit *test)
{
	while (test->priv)
		fixture_end(test->priv);
}

/**
 * fixture_cache() - create a cache with default properties
 * @fx: the fixture of its zone
 * @name: its name
 * @object_size: bytes
 * @flags: as for myalloc_cache_create()
 *
 * Context: task, may sleep.
 * Return: the cache.
 */
struct myalloc_cache *fixture_cache(struct fixture *fx, const char *name,
				    unsigned int object_size, myalloc_cache_flags_t flags)
{
	struct myalloc_cache_args args = {
		.name = name, .object_size = object_size, .flags = flags,
	};
	struct myalloc_cache *cache = myalloc_cache_create(fx->zone, &args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, cache);
	return cache;
}

/* Free blocks from an NMI that arrives while the zone's lock is held. */
void fixture_free_deferred(struct fixture *fx, void **blocks, u32 nr, unsigned int order)
{
	unsigned long lock_irq, irq;
	int err = 0;
	u32 i;

	raw_spin_lock_irqsave(&fx->zone->lock, lock_irq);
	irq = fixture_nmi_enter();
	for (i = 0; i < nr; i++)
		err |= myalloc_pages_free(fx->zone, blocks[i], order);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&fx->zone->lock, lock_irq);
	KUNIT_EXPECT_EQ(fx->test, err, 0);
}

/* Allocate zeroed memory of any size for the test; NULL if there is not enough. */
void *fixture_zalloc(struct kunit *test, size_t size)
{
	if (size > (fixture_thorough() ? SIZE_MAX / 2 : 4u << 20))
		return NULL;
	return kunit_kzalloc(test, size, GFP_KERNEL | __GFP_NOWARN);
}

/* Allocate an array of addresses for the test. */
void **fixture_array(struct kunit *test, u32 nr)
{
	void **array = kunit_kcalloc(test, nr, sizeof(*array), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, array);
	return array;
}

/* Seed random numbers for a test and log the seed. */
void fixture_random(struct kunit *test, struct myalloc_random *random)
{
	u64 seed = fixture_seed();

	kunit_info(test, "seed 0x%llx\n", (unsigned long long)seed);
	myalloc_random_init(random, seed, 0);
}

/* --- state and changes ---------------------------------------------------------- */

bool fixture_valid(struct fixture *fx)
{
	return myalloc_zone_validate(fx->zone, &fx->v);
}

/* See FIXTURE_EXPECT_VALID(). */
void fixture_expect_valid(struct fixture *fx, int line)
{
	KUNIT_EXPECT_TRUE_MSG(fx->test, fixture_valid(fx), "line %d: %s", line, fx->v.first);
}

const struct myalloc_zone_stats *fixture_stats(struct fixture *fx)
{
	fixture_print_pass(fx);
	myalloc_zone_stats(fx->zone, &fx->stats);
	return &fx->stats;
}

const char *fixture_report(struct fixture *fx)
{
	fixture_print_pass(fx);
	myalloc_zone_last_report(fx->zone, fx->text, sizeof(fx->text));
	return fx->text;
}

/* Not instrumented, like the next one, because it also reads free memory. */
noinline __no_sanitize_address u8 fixture_byte(const void *addr)
{
	return *(const u8 *)addr;
}

static noinline __no_sanitize_address u64 digest_words(u64 digest, const void *from, size_t size)
{
	const unsigned long *word = from, *end = from + size;

	while (word < end)
		digest = myalloc_mix64(digest ^ *word++);
	return digest;
}

/* Digest of all metadata of the zone and all its memory. */
static u64 digest(const struct fixture *fx)
{
	const struct myalloc_zone *zone = fx->zone;
	u64 sum = 0;
	u32 i;

	sum = digest_words(sum, zone->frames, ((size_t)zone->nr_chunks << zone->chunk_order) *
			   sizeof(*zone->frames));
	sum = digest_words(sum, zone->buddy_meta,
			   myalloc_buddy_meta_size(zone->buddy.nr_frames, zone->buddy.chunk_order));
	for (i = 0; fx->memory && i < zone->nr_chunks; i++)
		sum = digest_words(sum, fx->chunks[i], chunk_frames(fx, i) * PAGE_SIZE);
	return sum;
}

/* Save the state for fixture_unchanged() and fixture_refused(). */
struct fixture *fixture_note(struct fixture *fx)
{
	fixture_print_pass(fx);
	myalloc_zone_stats(fx->zone, &fx->noted);
	fx->digest = digest(fx);
	fixture_log_mark();
	return fx;
}

/* Is every byte the same as at fixture_note()? */
bool fixture_unchanged(struct fixture *fx)
{
	return !memcmp(fixture_stats(fx), &fx->noted, sizeof(fx->noted)) &&
	       digest(fx) == fx->digest && fixture_valid(fx);
}

/*
 * Wait until a grace period has passed for a snapshot taken before the call. One wait is not always
 * enough: the kernel's snapshots count only grace periods that begin later, and an expedited one
 * that joins one under way is counted with it (rcu_poll_gp_seq_start()).
 */
void fixture_gp_wait(void)
{
	u64 moment = myalloc_env_gp_snapshot();

	do
		myalloc_env_gp_wait();
	while (!myalloc_env_gp_passed(moment));
}

/* Let grace periods pass, so that all slabs in limbo may leave; the next operation moves them. */
void fixture_let_pass(struct fixture *fx)
{
	u32 i;

	fixture_interrupts_pass();
	for (i = 0; i < 3; i++) {
		myalloc_limbo_harvest(fx->zone, 0);
		myalloc_env_gp_wait();
		/* Also if the wait was an expedited one. */
		fx->zone->limbo.moment = U64_MAX;
		myalloc_limbo_harvest(fx->zone, U32_MAX);
	}
}

/*
 * A pass of the zone's worker, even if it has been posted for the end of a grace period, before
 * which it would not make one.
 */
void fixture_worker_pass(struct fixture *fx)
{
	fx->zone->settling = false;
	fx->zone->work.fn(&fx->zone->work);
}

/* Is every frame free, in the largest possible blocks? */
bool fixture_pristine(struct fixture *fx)
{
	const struct myalloc_buddy *buddy = &fx->zone->buddy;
	u32 blocks[MYALLOC_NR_ORDERS] = { 0 };
	u32 idx, order;

	for (idx = 0; idx < buddy->nr_frames; idx += BIT(order)) {
		order = myalloc_buddy_piece(buddy, idx, buddy->nr_frames - idx);
		blocks[order]++;
	}
	return buddy->nr_free == buddy->nr_frames &&
	       !memcmp(blocks, buddy->nr_blocks, sizeof(blocks));
}

#define FREER	"; address "

/*
 * Does the last report end as every report of a wrong free must: with the address, the code that
 * frees it, and the task or interrupt in which it runs?
 */
bool fixture_names_freer(struct fixture *fx)
{
	const char *at = strstr(fixture_report(fx), FREER), *end;
	char who[MYALLOC_ENV_WHO], *in;

	myalloc_env_who(who, sizeof(who));
	in = strstr(who, ") in ");	/* the context may have been another */
	if (!at || !in)
		return false;
	in[5] = '\0';
	at = strstr(at, ", freed now by ");
	end = at ? strstr(at, who) : NULL;
	if (!end || end - at < 18)
		return false;
	end += strlen(who);	/* cut to "... in " */
	at = end + strcspn(end, ";");
	if (*at && strcmp(at, "; check U records its owners"))
		return false;
	return !strncmp(end, "a task", 6) || !strncmp(end, "a hard interrupt", 16) ||
	       !strncmp(end, "a soft interrupt", 16) || !strncmp(end, "an NMI", 6);
}

/* The last report without that end. */
const char *fixture_without_freer(struct fixture *fx)
{
	char *at;

	fixture_report(fx);
	at = strstr(fx->text, FREER);
	if (at)
		*at = '\0';
	return fx->text;
}

/* After a wrong free; see FIXTURE_EXPECT_REFUSED(). */
void fixture_refused(struct fixture *fx, int line, int err, enum myalloc_bad bad,
		     const char *fmt, ...)
{
	struct kunit *test = fx->test;
	va_list args;

	va_start(args, fmt);
	vscnprintf(fx->expected, sizeof(fx->expected), fmt, args);
	va_end(args);
	KUNIT_EXPECT_EQ_MSG(test, err, -EINVAL, "line %d", line);
	KUNIT_EXPECT_TRUE_MSG(test, fixture_names_freer(fx), "line %d: %s", line, fx->text);
	KUNIT_EXPECT_STREQ_MSG(test, fixture_without_freer(fx), fx->expected, "line %d", line);
	KUNIT_EXPECT_EQ_MSG(test, fixture_log_count(fx->expected), 1, "line %d", line);
	fx->noted.bad[bad]++;
	fx->noted.bad_frees++;
	KUNIT_EXPECT_EQ_MSG(test, fixture_stats(fx)->bad[bad], fx->noted.bad[bad],
			    "line %d: not counted as \"%s\"", line, myalloc_bad_name(bad));
	KUNIT_EXPECT_TRUE_MSG(test, fixture_unchanged(fx), "line %d: something changed: %s", line,
			      fx->v.first);
}

/* Format a code address as reports do. */
const char *fixture_symbol(unsigned long caller, char *buf, size_t size)
{
	myalloc_env_symbol(buf, size, caller);
	return buf;
}

/* Is this a return address in @fn, which is shorter than 1 KiB? */
bool fixture_called_by(unsigned long caller, const void *fn)
{
	return caller > (unsigned long)fn && caller - (unsigned long)fn < 1024;
}

static const char *counted;
static unsigned long steps;

static void count_step(const char *where)
{
	steps += !strcmp(where, counted);
}

/* Count how often myalloc_env_step() names @where, NULL to stop; false if not supported. */
bool fixture_count_steps(const char *where)
{
	counted = where;
	steps = 0;
	return fixture_set_step_hook(where ? count_step : NULL);
}

/* Return the steps since the last call. */
unsigned long fixture_steps(void)
{
	unsigned long nr = steps;

	steps = 0;
	return nr;
}

#ifdef __KERNEL__

/* --- in the kernel ----------------------------------------------------------------- */

#include <linux/irq_work.h>
#include <linux/kmsg_dump.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include "compat.h"

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Tests of myalloc");
MYALLOC_IMPORT_NS(MYALLOC);
MYALLOC_IMPORT_NS(MYALLOC_INTERNAL);
MYALLOC_IMPORT_NS(MYALLOC_JOB);

static unsigned long long param_seed;
module_param_named(seed, param_seed, ullong, 0444);
MODULE_PARM_DESC(seed, "of random tests, as they print it (default 0: another for each)");

u64 fixture_seed(void)
{
	return param_seed ?: myalloc_env_seed();
}

/* A test stays on one CPU, so that it uses that CPU's magazines. */
int fixture_init(struct kunit *test)
{
	return set_cpus_allowed_ptr(current, cpumask_of(fixture_cpu(0)));
}

unsigned int fixture_nr_cpus(void)
{
	return num_online_cpus();
}

/* Return the number of the @nr-th online CPU, counting round and round. */
int fixture_cpu(unsigned int nr)
{
	unsigned int cpu;

	nr %= num_online_cpus();
	for_each_online_cpu(cpu)
		if (!nr--)
			return cpu;
	return 0;
}

/* Run @fn as a task of the @nr-th CPU. */
void fixture_on_cpu(unsigned int nr, void (*fn)(void *arg), void *arg)
{
	set_cpus_allowed_ptr(current, cpumask_of(fixture_cpu(nr)));
	fn(arg);
	set_cpus_allowed_ptr(current, cpumask_of(fixture_cpu(0)));
}

static DEFINE_PER_CPU(struct irq_work, asked);

static void nothing(struct irq_work *work)
{
}

static void ask(void *unused)
{
	init_irq_work(this_cpu_ptr(&asked), nothing);
	irq_work_queue(this_cpu_ptr(&asked));
}

static bool interrupts_wait(void)
{
	return !arch_irq_work_has_interrupt() && !irqs_disabled() && in_task() &&
	       (!IS_ENABLED(CONFIG_PREEMPT_COUNT) || preemptible());
}

/*
 * Wait until all irq_work that was queued before has run. Only where it waits for the next tick, as
 * in user mode Linux, and only in a task that may sleep. A tick runs its works in reverse order, so
 * it takes a second round to come after all of them.
 */
void fixture_interrupts_pass(void)
{
	unsigned int cpu, round;

	if (!interrupts_wait())
		return;
	for (round = 0; round < 2; round++) {
		on_each_cpu(ask, NULL, true);
		for_each_online_cpu(cpu)
			irq_work_sync(per_cpu_ptr(&asked, cpu));
	}
}

/* Likewise, wait for the irq_work that prints the zone's reports. */
void fixture_print_pass(struct fixture *fx)
{
	if (interrupts_wait())
		myalloc_env_print_sync(&fx->zone->reports.print);
}

/* Make in_nmi() return true, without a real NMI. Returns the previous state of interrupts. */
unsigned long fixture_nmi_enter(void)
{
	unsigned long irq;

	local_irq_save(irq);
	preempt_count_add(NMI_OFFSET);
	return irq;
}

void fixture_nmi_exit(unsigned long irq)
{
	preempt_count_sub(NMI_OFFSET);
	local_irq_restore(irq);
}

/* Run @fn so that interrupt_context_level() is @level, without a real interrupt. */
void fixture_in_context(unsigned int level, void (*fn)(void *arg), void *arg)
{
	static const unsigned int offset[] = { 0, SOFTIRQ_OFFSET, HARDIRQ_OFFSET, NMI_OFFSET };
	unsigned long irq;

	local_irq_save(irq);
	__preempt_count_add(offset[level]);
	fn(arg);
	__preempt_count_sub(offset[level]);
	local_irq_restore(irq);
}

bool fixture_set_hook(void (*hook)(const char *where))
{
	return false;
}

bool fixture_set_step_hook(void (*hook)(const char *where))
{
	return false;
}

/* Always enabled here, except for zones of fixtures. */
void fixture_set_ratelimit(bool on)
{
}

bool fixture_set_online(unsigned int nr, bool online)
{
	return false;
}

/* As in the reserve, each page has a reference count of its own. */
void fixture_memory_split(unsigned long memory, unsigned int order)
{
	split_page(virt_to_page((void *)memory), order);
}

void fixture_memory_put(unsigned long memory, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < BIT(order); i++)
		free_page(memory + i * PAGE_SIZE);
}

/* Take a reference to the page as another user would, or drop it. */
void fixture_set_referenced(const void *addr, bool referenced)
{
	if (referenced)
		get_page(virt_to_page(addr));
	else
		put_page(virt_to_page(addr));
}

/* Only natively: the page would remain marked, and the system would never use it again. */
bool fixture_set_bad(const void *addr, bool bad)
{
	return false;
}

bool fixture_set_aliasing(bool on)
{
	return false;
}

/* Only natively: here the task that runs the tests would die. */
bool fixture_set_fatal_signal(bool on)
{
	return false;
}

bool fixture_fail_after(unsigned long k)
{
	return false;
}

bool fixture_fail_fired(void)
{
	return false;
}

/* Nothing can be set here; returns whether this kernel checks where code sleeps. */
bool fixture_unchecked_wait(bool on)
{
	return !IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP);
}

/* In the kernel, kmemleak checks for leaks. */
unsigned long fixture_live_allocs(void)
{
	return 0;
}

/* An emulated machine with KASAN is slow, so samples suffice. */
bool fixture_thorough(void)
{
	return false;
}

/* Position in the kernel's log. Tests run one at a time. */
static struct kmsg_dump_iter mark;

void fixture_log_mark(void)
{
	kmsg_dump_rewind(&mark);
	mark.cur_seq = mark.next_seq;
}

static unsigned int lines_with(const char *needle)
{
	struct kmsg_dump_iter iter;
	static char line[1024];	/* the longest record is shorter */
	unsigned int count = 0;
	size_t len;

	kmsg_dump_rewind(&iter);
	iter.cur_seq = mark.cur_seq;
	while (kmsg_dump_get_line(&iter, false, line, sizeof(line) - 1, &len)) {
		line[len] = '\0';
		count += !!strstr(line, needle);
	}
	return count;
}

/* Count the lines since the mark with @needle; if there are none, again after irq_work has run. */
unsigned int fixture_log_count(const char *needle)
{
	unsigned int count = lines_with(needle);

	if (count || !interrupts_wait())
		return count;
	fixture_interrupts_pass();
	return lines_with(needle);
}

#else

/* --- on the host ------------------------------------------------------------------- */

int fixture_init(struct kunit *test)
{
	return 0;
}

/* Set by the runner from MYALLOC_SEED or --seed. */
u64 fixture_seed(void)
{
	return myalloc_env_seed();
}

unsigned int fixture_nr_cpus(void)
{
	return num_online_cpus();
}

int fixture_cpu(unsigned int nr)
{
	return nr % num_possible_cpus();
}

void fixture_on_cpu(unsigned int nr, void (*fn)(void *arg), void *arg)
{
	host_run_on_cpu(fixture_cpu(nr), fn, arg);
}

/* The host runs deferred work at once. */
void fixture_interrupts_pass(void)
{
}

void fixture_print_pass(struct fixture *fx)
{
}

unsigned long fixture_nmi_enter(void)
{
	host_enter_nmi();
	return 0;
}

void fixture_nmi_exit(unsigned long irq)
{
	host_exit_nmi();
}

void fixture_in_context(unsigned int level, void (*fn)(void *arg), void *arg)
{
	static void (*const enter[])(void) = {
		host_preempt_disable, host_enter_softirq, host_enter_hardirq, host_enter_nmi,
	};
	static void (*const exit[])(void) = {
		host_preempt_enable, host_exit_softirq, host_exit_hardirq, host_exit_nmi,
	};

	enter[level]();
	fn(arg);
	exit[level]();
}

bool fixture_set_hook(void (*hook)(const char *where))
{
	WRITE_ONCE(host_preempt_point, hook);
	return true;
}

bool fixture_set_step_hook(void (*hook)(const char *where))
{
	WRITE_ONCE(host_step_hook, hook);
	return true;
}

void fixture_set_ratelimit(bool on)
{
	host_set_ratelimit(on);
}

bool fixture_set_online(unsigned int nr, bool online)
{
	host_cpu_set_online(fixture_cpu(nr), online);
	return true;
}

bool fixture_fail_after(unsigned long k)
{
	host_fail_after(k);
	return true;
}

void fixture_memory_split(unsigned long memory, unsigned int order)
{
}

void fixture_memory_put(unsigned long memory, unsigned int order)
{
	free_pages(memory, order);
}

void fixture_set_referenced(const void *addr, bool referenced)
{
	host_page_set_referenced(addr, referenced);
}

bool fixture_set_bad(const void *addr, bool bad)
{
	host_page_set_bad(addr, bad);
	return true;
}

/* Behave like an architecture whose caches alias; false if not supported. */
bool fixture_set_aliasing(bool on)
{
	host_set_aliasing(on);
	return true;
}

bool fixture_set_fatal_signal(bool on)
{
	host_set_fatal_signal(on);
	return true;
}

bool fixture_fail_fired(void)
{
	return host_fail_fired();
}

bool fixture_unchecked_wait(bool on)
{
	host_unchecked_wait(on);
	return true;
}

unsigned long fixture_live_allocs(void)
{
	return host_live_allocs();
}

bool fixture_thorough(void)
{
	return true;
}

void fixture_log_mark(void)
{
	host_log_reset();
}

unsigned int fixture_log_count(const char *needle)
{
	return host_log_count(needle);
}

#endif
