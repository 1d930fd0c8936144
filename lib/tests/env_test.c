// SPDX-License-Identifier: GPL-2.0
/* The host environment: its replacements behave like the kernel's functions and detect errors. */
#include <kunit/test.h>

#include <pthread.h>
#include <sched.h>

#define EXPECT_DIES(test, fn, arg, message) \
	KUNIT_EXPECT_TRUE(test, host_dies(fn, arg, message))

/* --- numbers, lists, strings -------------------------------------------------- */

static void test_numbers(struct kunit *test)
{
	static const char sized[roundup_pow_of_two(33)];
	u64 big = 1ULL << 40;
	u32 five = 5;
	size_t n = 3;
	struct {
		u32 nr;
		u64 item[];
	} *flex;

	static_assert(ilog2(4096) == 12);
	static_assert(order_base_2(1) == 0 && order_base_2(5) == 3);
	static_assert(DIV_ROUND_UP(7, 4) == 2);
	static_assert(GENMASK(7, 4) == 0xf0);
	KUNIT_EXPECT_EQ(test, sizeof(sized), 64);
	KUNIT_EXPECT_EQ(test, ilog2(big), 40);
	KUNIT_EXPECT_EQ(test, ilog2(five), 2);
	KUNIT_EXPECT_EQ(test, order_base_2(five), 3);
	KUNIT_EXPECT_EQ(test, roundup_pow_of_two(five), 8);
	KUNIT_EXPECT_EQ(test, rounddown_pow_of_two(five), 4);
	KUNIT_EXPECT_EQ(test, roundup_pow_of_two(n - 2), 1);
	KUNIT_EXPECT_TRUE(test, is_power_of_2(big));
	KUNIT_EXPECT_FALSE(test, is_power_of_2(0));
	KUNIT_EXPECT_EQ(test, __ffs(8), 3);
	KUNIT_EXPECT_EQ(test, __fls(9), 3);
	KUNIT_EXPECT_EQ(test, __ffs64(big), 40);
	KUNIT_EXPECT_EQ(test, ffs(0), 0);
	KUNIT_EXPECT_EQ(test, ffs(8), 4);
	KUNIT_EXPECT_EQ(test, fls(0), 0);
	KUNIT_EXPECT_EQ(test, fls(8), 4);
	KUNIT_EXPECT_EQ(test, fls64(big), 41);
	KUNIT_EXPECT_EQ(test, hweight_long(0xf0f0), 8);
	KUNIT_EXPECT_EQ(test, min_t(int, -1, 1), -1);
	KUNIT_EXPECT_EQ(test, clamp(five, 1u, 3u), 3);
	KUNIT_EXPECT_EQ(test, ALIGN(4097, 4096), 8192);
	KUNIT_EXPECT_EQ(test, ALIGN_DOWN(4097, 4096), 4096);
	KUNIT_EXPECT_EQ(test, get_order(PAGE_SIZE + 1), 1);
	KUNIT_EXPECT_EQ(test, mul_u64_u32_shr(big, 3, 40), 3);
	KUNIT_EXPECT_EQ(test, struct_size(flex, item, n), 8 + 24);
	KUNIT_EXPECT_EQ(test, struct_size(flex, item, SIZE_MAX / 8), SIZE_MAX);
	KUNIT_EXPECT_EQ(test, IS_ENABLED(CONFIG_NOT_HERE), 0);
}

struct item {
	int nr;
	struct list_head link;
	struct llist_node lnode;
};

static void del_twice(void *arg)
{
	struct list_head list, node;

	INIT_LIST_HEAD(&list);
	list_add(&node, &list);
	list_del(&node);
	list_del(&node);
}

static void test_lists(struct kunit *test)
{
	struct item item[4], *pos, *next;
	struct llist_node *first;
	struct llist_head stack;
	struct list_head list;
	int i, sum = 0;

	INIT_LIST_HEAD(&list);
	init_llist_head(&stack);
	KUNIT_EXPECT_TRUE(test, list_empty(&list));
	for (i = 0; i < 4; i++) {
		item[i].nr = i;
		list_add_tail(&item[i].link, &list);
		KUNIT_EXPECT_EQ(test, llist_add(&item[i].lnode, &stack), i == 0);
	}
	i = 0;
	list_for_each_entry(pos, &list, link)
		KUNIT_EXPECT_EQ(test, pos->nr, i++);
	list_move(&item[3].link, &list);
	KUNIT_EXPECT_EQ(test, list_first_entry(&list, struct item, link)->nr, 3);
	list_for_each_entry_safe(pos, next, &list, link)
		list_del_init(&pos->link);
	KUNIT_EXPECT_NULL(test, list_first_entry_or_null(&list, struct item, link));

	first = llist_del_all(&stack);
	KUNIT_EXPECT_TRUE(test, llist_empty(&stack));
	KUNIT_EXPECT_EQ(test, llist_entry(first, struct item, lnode)->nr, 3);
	first = llist_reverse_order(first);
	llist_for_each_entry_safe(pos, next, first, lnode)
		sum = sum * 10 + pos->nr;
	KUNIT_EXPECT_EQ(test, sum, 123);
	EXPECT_DIES(test, del_twice, NULL, "deleted twice");
}

static void test_strings(struct kunit *test)
{
	char buf[8];

	KUNIT_EXPECT_EQ(test, strscpy(buf, "seven77", sizeof(buf)), 7);
	KUNIT_EXPECT_EQ(test, strscpy(buf, "eighteig", sizeof(buf)), -E2BIG);
	KUNIT_EXPECT_STREQ(test, buf, "eightei");
	KUNIT_EXPECT_EQ(test, scnprintf(buf, sizeof(buf), "%d", 123456789), 7);
	memset(buf, 7, sizeof(buf));
	KUNIT_EXPECT_NULL(test, memchr_inv(buf, 7, sizeof(buf)));
	buf[5] = 0;
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(buf, 7, sizeof(buf)), (void *)&buf[5]);
}

static void test_atomics(struct kunit *test)
{
	atomic64_t a = ATOMIC64_INIT(5);
	u64 word = 1, old = 2;
	s64 expect = 7;

	KUNIT_EXPECT_EQ(test, atomic64_inc_return(&a), 6);
	KUNIT_EXPECT_EQ(test, atomic64_fetch_add(2, &a), 6);
	KUNIT_EXPECT_EQ(test, atomic64_cmpxchg(&a, 8, 9), 8);
	KUNIT_EXPECT_FALSE(test, atomic64_try_cmpxchg_acquire(&a, &expect, 1));
	KUNIT_EXPECT_EQ(test, expect, 9);
	KUNIT_EXPECT_EQ(test, atomic64_xchg(&a, 0), 9);
	KUNIT_EXPECT_FALSE(test, atomic64_inc_not_zero(&a));
	KUNIT_EXPECT_EQ(test, cmpxchg(&word, 1, 3), 1);
	KUNIT_EXPECT_FALSE(test, try_cmpxchg(&word, &old, 4));
	KUNIT_EXPECT_EQ(test, old, 3);
}

/* --- contexts --------------------------------------------------------------------- */

static void underflow(void *arg)
{
	preempt_enable();
}

static void use_cpu_number(void *arg)
{
	host_printk("%u\n", smp_processor_id());
}

static void sleep_here(void *arg)
{
	might_sleep();
}

static void sleep_pinned(void *arg)
{
	preempt_disable();
	cond_resched();
}

static void sleep_irq(void *arg)
{
	host_enter_hardirq();
	might_sleep();
}

static void irq_in_irq(void *arg)
{
	host_enter_hardirq();
	host_enter_hardirq();
}

static void softirq_in_softirq(void *arg)
{
	host_enter_softirq();
	host_enter_softirq();
}

static void irq_outlives_softirq(void *arg)
{
	host_enter_softirq();
	host_enter_hardirq();
	host_exit_softirq();
}

static void irq_leaves_pin(void *arg)
{
	host_enter_hardirq();
	preempt_disable();
	host_exit_hardirq();
}

static void restore_enabled(void *arg)
{
	local_irq_restore(0UL);
}

static void migrate_pinned(void *arg)
{
	preempt_disable();
	host_set_cpu(1);
}

static void run_on_pinned(void *arg)
{
	preempt_disable();
	host_run_on_cpu(0, sleep_pinned, NULL);
}

static void test_contexts(struct kunit *test)
{
	unsigned long flags;

	KUNIT_EXPECT_TRUE(test, preemptible());
	preempt_disable();
	preempt_disable();
	KUNIT_EXPECT_EQ(test, preempt_count(), 2);
	KUNIT_EXPECT_EQ(test, smp_processor_id(), 0);
	preempt_enable();
	KUNIT_EXPECT_FALSE(test, preemptible());
	local_irq_save(flags);
	KUNIT_EXPECT_TRUE(test, irqs_disabled());
	host_enter_nmi();
	KUNIT_EXPECT_TRUE(test, in_nmi());
	KUNIT_EXPECT_FALSE(test, in_task());
	KUNIT_EXPECT_EQ(test, myalloc_env_pid(), 0);
	KUNIT_EXPECT_EQ(test, myalloc_env_stack_save(0), 0);
	host_exit_nmi();
	KUNIT_EXPECT_TRUE(test, irqs_disabled());
	local_irq_restore(flags);
	preempt_enable();

	host_enter_hardirq();
	KUNIT_EXPECT_TRUE(test, in_hardirq());
	KUNIT_EXPECT_TRUE(test, irqs_disabled());
	KUNIT_EXPECT_EQ(test, interrupt_context_level(), 2);
	host_exit_hardirq();
	KUNIT_EXPECT_TRUE(test, in_task());

	KUNIT_EXPECT_EQ(test, interrupt_context_level(), 0);
	host_enter_softirq();
	KUNIT_EXPECT_TRUE(test, in_serving_softirq() && !in_task() && !preemptible());
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	KUNIT_EXPECT_EQ(test, interrupt_context_level(), 1);
	host_enter_hardirq();
	host_enter_nmi();
	KUNIT_EXPECT_EQ(test, interrupt_context_level(), 3);
	host_exit_nmi();
	host_exit_hardirq();
	host_exit_softirq();
	KUNIT_EXPECT_TRUE(test, preemptible());
	KUNIT_EXPECT_NE(test, myalloc_env_pid(), 0);

	EXPECT_DIES(test, underflow, NULL, "preempt_enable() without");
	EXPECT_DIES(test, use_cpu_number, NULL, "while preemptible");
	EXPECT_DIES(test, sleep_pinned, NULL, "sleeping function");
	EXPECT_DIES(test, sleep_irq, NULL, "in hardirq");
	EXPECT_DIES(test, irq_in_irq, NULL, "while interrupts are off");
	EXPECT_DIES(test, softirq_in_softirq, NULL, "inside a softirq");
	EXPECT_DIES(test, irq_outlives_softirq, NULL, "not the innermost context");
	EXPECT_DIES(test, irq_leaves_pin, NULL, "interrupt returns with preempt 1");
	EXPECT_DIES(test, restore_enabled, NULL, "with interrupts enabled");
	EXPECT_DIES(test, migrate_pinned, NULL, "while not preemptible");
	EXPECT_DIES(test, run_on_pinned, NULL, "nothing else can run on it");
	KUNIT_EXPECT_FALSE(test, host_dies(sleep_here, NULL, "sleeping function"));
	host_log_reset();
}

struct seen {
	unsigned int calls, cpu;
	bool hardirq, irqs_off, task;
};

static void look(void *arg)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->cpu = raw_smp_processor_id();
	seen->hardirq = in_hardirq();
	seen->irqs_off = irqs_disabled();
	seen->task = in_task();
}

static void call_irqs_off(void *arg)
{
	local_irq_disable();
	myalloc_env_call_on_cpu(1, look, arg);
}

static void call_pinned(void *arg)
{
	preempt_disable();
	myalloc_env_call_on_cpu(1, look, arg);
}

static void offline_while_read(void *arg)
{
	myalloc_env_cpus_read_lock();
	host_cpu_set_online(1, false);
}

static void lock_in_callback(void *arg)
{
	host_cpus_change(true);
	myalloc_env_cpus_read_lock();
}

static void test_other_cpus(struct kunit *test)
{
	struct seen seen = {};
	unsigned int cpu, n = 0;

	KUNIT_EXPECT_EQ(test, num_possible_cpus(), 4);
	KUNIT_EXPECT_EQ(test, myalloc_env_call_on_cpu(2, look, &seen), 0);
	KUNIT_EXPECT_EQ(test, seen.cpu, 2);
	KUNIT_EXPECT_TRUE(test, seen.hardirq && seen.irqs_off && !seen.task);
	KUNIT_EXPECT_EQ(test, raw_smp_processor_id(), 0);
	KUNIT_EXPECT_EQ(test, myalloc_env_call_on_cpu(0, look, &seen), 0);
	KUNIT_EXPECT_TRUE(test, !seen.hardirq && seen.irqs_off);

	host_cpu_set_online(2, false);
	KUNIT_EXPECT_EQ(test, myalloc_env_call_on_cpu(2, look, &seen), -ENXIO);
	KUNIT_EXPECT_EQ(test, myalloc_env_call_on_cpu(77, look, &seen), -ENXIO);
	KUNIT_EXPECT_EQ(test, seen.calls, 2);
	for_each_online_cpu(cpu)
		n += cpu;
	KUNIT_EXPECT_EQ(test, n, 0 + 1 + 3);
	KUNIT_EXPECT_EQ(test, num_online_cpus(), 3);

	/* Another CPU does its work in the middle of this one's. */
	preempt_disable();
	host_run_on_cpu(1, look, &seen);
	KUNIT_EXPECT_EQ(test, seen.cpu, 1);
	KUNIT_EXPECT_TRUE(test, seen.task && !seen.irqs_off);
	KUNIT_EXPECT_EQ(test, smp_processor_id(), 0);
	preempt_enable();

	EXPECT_DIES(test, call_irqs_off, &seen, "interrupts off");
	EXPECT_DIES(test, call_pinned, &seen, "not preemptible");
	EXPECT_DIES(test, offline_while_read, NULL, "inside cpus_read_lock");
	EXPECT_DIES(test, lock_in_callback, NULL, "cpus_read_lock() in a callback");
}

static unsigned int points;

static void hook(const char *where)
{
	points++;
	host_enter_hardirq();
	myalloc_env_point("nested");
	host_exit_hardirq();
}

static void test_points(struct kunit *test)
{
	points = 0;
	myalloc_env_point("nobody listens");
	host_preempt_point = hook;
	preempt_disable();
	myalloc_env_point("here");
	preempt_enable();
	KUNIT_EXPECT_EQ(test, points, 1);
	host_point_depth = 0;
	myalloc_env_point("none");
	KUNIT_EXPECT_EQ(test, points, 1);
}

/* --- locks -------------------------------------------------------------------------- */

static raw_spinlock_t lock;
static struct mutex mutex;

static void lock_twice(void *arg)
{
	raw_spin_lock(&lock);
	raw_spin_lock(&lock);
}

static void lock_in_interrupt(void *arg)
{
	raw_spin_lock(&lock);
	host_enter_hardirq();
	raw_spin_lock(&lock);
}

static void take_lock(void *arg)
{
	raw_spin_lock(&lock);
}

static void lock_from_other_cpu(void *arg)
{
	raw_spin_lock(&lock);
	host_run_on_cpu(1, take_lock, NULL);
}

static void unlock_free(void *arg)
{
	raw_spin_unlock(&lock);
}

static void assert_free(void *arg)
{
	lockdep_assert_held(&lock);
}

static void assert_held_on_other_cpu(void *arg)
{
	raw_spin_lock(&lock);
	host_run_on_cpu(1, assert_free, NULL);
}

static void assert_not_held(void *arg)
{
	raw_spin_lock(&lock);
	lockdep_assert_not_held(&lock);
}

static void uninitialised(void *arg)
{
	raw_spinlock_t nothing;

	memset(&nothing, 0, sizeof(nothing));
	raw_spin_lock(&nothing);
}

static void wait_in_nmi(void *arg)
{
	host_enter_nmi();
	raw_spin_lock(&lock);
}

static void irq_unsafe(void *arg)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	raw_spin_unlock_irqrestore(&lock, flags);
	host_enter_hardirq();
	raw_spin_lock(&lock);
	raw_spin_unlock(&lock);
	host_exit_hardirq();
	raw_spin_lock(&lock);
}

static void init_held(void *arg)
{
	raw_spin_lock(&lock);
	raw_spin_lock_init(&lock);
}

static void test_raw_locks(struct kunit *test)
{
	unsigned long flags;
	bool got;

	raw_spin_lock_init(&lock);
	raw_spin_lock_irqsave(&lock, flags);
	lockdep_assert_held(&lock);
	KUNIT_EXPECT_TRUE(test, irqs_disabled() && !preemptible());
	KUNIT_EXPECT_TRUE(test, raw_spin_is_locked(&lock));
	KUNIT_EXPECT_EQ(test, host_locks_held(), 1);
	host_enter_nmi();
	got = raw_spin_trylock_irqsave(&lock, flags);
	KUNIT_EXPECT_FALSE(test, got);
	host_exit_nmi();
	flags = 0;
	raw_spin_unlock_irqrestore(&lock, flags);
	KUNIT_EXPECT_TRUE(test, preemptible());
	lockdep_assert_not_held(&lock);
	got = raw_spin_trylock_irqsave(&lock, flags);
	KUNIT_ASSERT_TRUE(test, got);
	raw_spin_unlock_irqrestore(&lock, flags);

	raw_spin_lock_init(&lock);
	EXPECT_DIES(test, lock_twice, NULL, "this context holds it already");
	EXPECT_DIES(test, lock_in_interrupt, NULL, "this context holds it already");
	EXPECT_DIES(test, lock_from_other_cpu, NULL, "held by the interrupted CPU");
	EXPECT_DIES(test, unlock_free, NULL, "unlocked by a context that does not hold it");
	EXPECT_DIES(test, assert_free, NULL, "&lock is not held");
	EXPECT_DIES(test, assert_held_on_other_cpu, NULL, "&lock is not held");
	EXPECT_DIES(test, assert_not_held, NULL, "&lock is held");
	EXPECT_DIES(test, uninitialised, NULL, "never initialised");
	EXPECT_DIES(test, wait_in_nmi, NULL, "waited for in NMI");
	EXPECT_DIES(test, irq_unsafe, NULL, "elsewhere with interrupts enabled");
	EXPECT_DIES(test, init_held, NULL, "initialised while held");
}

static void mutex_pinned(void *arg)
{
	preempt_disable();
	mutex_lock(&mutex);
}

static void mutex_under_raw(void *arg)
{
	raw_spin_lock(&lock);
	mutex_lock(&mutex);
}

static void mutex_twice(void *arg)
{
	mutex_lock(&mutex);
	mutex_lock(&mutex);
}

static void mutex_destroyed_held(void *arg)
{
	mutex_lock(&mutex);
	mutex_destroy(&mutex);
}

static void test_mutex(struct kunit *test)
{
	bool got;

	raw_spin_lock_init(&lock);
	mutex_init(&mutex);
	mutex_lock(&mutex);
	lockdep_assert_held(&mutex);
	KUNIT_EXPECT_TRUE(test, preemptible());
	got = mutex_trylock(&mutex);
	KUNIT_EXPECT_FALSE(test, got);
	mutex_unlock(&mutex);
	EXPECT_DIES(test, mutex_pinned, NULL, "sleeping function");
	EXPECT_DIES(test, mutex_under_raw, NULL, "sleeping function");
	EXPECT_DIES(test, mutex_twice, NULL, "holds it already");
	EXPECT_DIES(test, mutex_destroyed_held, NULL, "destroyed while held");
	mutex_destroy(&mutex);
}

/* --- threads ------------------------------------------------------------------------- */

#define ROUNDS	20000

static struct {
	unsigned long locked;
	unsigned long __percpu *count;
	atomic_t ready;
} shared;

static void *work(void *arg)
{
	unsigned long flags, i;

	host_set_cpu((unsigned long)arg);
	atomic_inc(&shared.ready);
	while (atomic_read(&shared.ready) < 4)
		sched_yield();
	for (i = 0; i < ROUNDS; i++) {
		preempt_disable();
		++*this_cpu_ptr(shared.count);
		preempt_enable();
		raw_spin_lock_irqsave(&lock, flags);
		shared.locked++;
		raw_spin_unlock_irqrestore(&lock, flags);
		if (i % 1000 == 0) {
			mutex_lock(&mutex);
			cond_resched();
			mutex_unlock(&mutex);
		}
	}
	return NULL;
}

/* Four threads on two CPU numbers: without the locks TSan reports, and the sums are wrong. */
static void test_threads(struct kunit *test)
{
	pthread_t thread[4];
	unsigned long i;

	raw_spin_lock_init(&lock);
	mutex_init(&mutex);
	memset(&shared, 0, sizeof(shared));
	shared.count = alloc_percpu(unsigned long);
	KUNIT_ASSERT_NOT_NULL(test, shared.count);
	for (i = 0; i < 4; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&thread[i], NULL, work, (void *)(i % 2)), 0);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	KUNIT_EXPECT_EQ(test, shared.locked, 4 * ROUNDS);
	KUNIT_EXPECT_EQ(test, *per_cpu_ptr(shared.count, 0), 2 * ROUNDS);
	KUNIT_EXPECT_EQ(test, *per_cpu_ptr(shared.count, 1), 2 * ROUNDS);
	KUNIT_EXPECT_EQ(test, *per_cpu_ptr(shared.count, 2), 0);
	free_percpu(shared.count);
}

/* --- memory -------------------------------------------------------------------------- */

static void free_unknown(void *arg)
{
	int x = 0;

	myalloc_env_free(&x);
}

static void free_twice(void *arg)
{
	void *p = myalloc_env_zalloc(10, NUMA_NO_NODE);

	myalloc_env_free(p);
	myalloc_env_free(p);
}

static void alloc_pinned(void *arg)
{
	preempt_disable();
	myalloc_env_zalloc(10, NUMA_NO_NODE);
}

static void touch_behind(void *arg)
{
	WRITE_ONCE(*(volatile char *)arg, 1);
}

static void percpu_unpinned(void *arg)
{
	host_printk("%p", this_cpu_ptr((char __percpu *)arg));
}

static void test_memory(struct kunit *test)
{
	static const size_t sizes[] = { 1, 63, 4096, 100000, (8 << 20) + 5, 64UL << 30 };
	u64 __percpu *counter, __percpu *other;
	unsigned int i;
	char *p;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = myalloc_env_zalloc(sizes[i], NUMA_NO_NODE);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p, L1_CACHE_BYTES));
		KUNIT_EXPECT_EQ(test, p[0] | p[sizes[i] / 2] | p[sizes[i] - 1], 0);
		KUNIT_EXPECT_EQ(test, host_live_bytes(), sizes[i]);
#ifdef HOST_ASAN
		EXPECT_DIES(test, touch_behind, p + sizes[i], "AddressSanitizer");
#endif
		myalloc_env_free(p);
		KUNIT_EXPECT_EQ(test, host_live_allocs(), 0);
	}
	myalloc_env_free(NULL);
	EXPECT_DIES(test, free_unknown, NULL, "not metadata in use");
	EXPECT_DIES(test, free_twice, NULL, "not metadata in use");
	EXPECT_DIES(test, alloc_pinned, NULL, "sleeping function");

	counter = alloc_percpu(u64);
	other = __alloc_percpu(200, 4096);
	KUNIT_ASSERT_NOT_NULL(test, counter);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)other, 4096));
	for_each_possible_cpu(i)
		*per_cpu_ptr(counter, i) = i;
	host_set_cpu(3);
	preempt_disable();
	KUNIT_EXPECT_EQ(test, *this_cpu_ptr(counter), 3);
	preempt_enable();
	EXPECT_DIES(test, percpu_unpinned, counter, "this_cpu_ptr() while preemptible");
#ifdef HOST_ASAN
	EXPECT_DIES(test, touch_behind, per_cpu_ptr(counter, 2) + 1, "AddressSanitizer");
#endif
	EXPECT_DIES(test, touch_behind, per_cpu_ptr(counter, 4), "");
	free_percpu(counter);
#ifdef HOST_ASAN
	EXPECT_DIES(test, touch_behind, per_cpu_ptr(counter, 2), "AddressSanitizer");
#endif
	free_percpu(other);
	counter = alloc_percpu(u64);
	for_each_possible_cpu(i)
		KUNIT_EXPECT_EQ(test, *per_cpu_ptr(counter, i), 0);
	free_percpu(counter);
}

static void test_chunks(struct kunit *test)
{
	unsigned int order;
	char *chunk;

	for (order = 0; order <= 10; order++) {
		chunk = host_chunk_alloc(order);
		KUNIT_ASSERT_NOT_NULL(test, chunk);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)chunk, PAGE_SIZE << order));
		memset(chunk, 1, PAGE_SIZE << order);
		myalloc_env_poison(chunk, PAGE_SIZE);
#ifdef HOST_ASAN
		if (order == 0)
			EXPECT_DIES(test, touch_behind, chunk + 5, "AddressSanitizer");
#endif
		KUNIT_EXPECT_EQ(test, host_live_chunks(), 1);
		host_chunk_free(chunk, order);
	}
	KUNIT_EXPECT_EQ(test, host_live_allocs(), 0);
}

static void reference_many(void *arg)
{
	unsigned long i;

	for (i = 0; i < 1000; i++)
		host_page_set_referenced((void *)(i * PAGE_SIZE), true);
}

static void test_page_references(struct kunit *test)
{
	char *chunk = host_chunk_alloc(2);
	unsigned int i;

	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_FALSE(test, myalloc_env_page_referenced(chunk + i * PAGE_SIZE));
	host_page_set_referenced(chunk + PAGE_SIZE, true);
	host_page_set_referenced(chunk + PAGE_SIZE, true);
	host_page_set_referenced(chunk + 3 * PAGE_SIZE, true);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, myalloc_env_page_referenced(chunk + i * PAGE_SIZE), i & 1);
	host_page_set_referenced(chunk + PAGE_SIZE, false);
	host_page_set_referenced(chunk + PAGE_SIZE, false);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, myalloc_env_page_referenced(chunk + i * PAGE_SIZE), i == 3);
	host_page_set_referenced(chunk + 3 * PAGE_SIZE, false);
	host_chunk_free(chunk, 2);
	EXPECT_DIES(test, reference_many, NULL, "more than 64 pages");
}

static void unmap_foreign(void *arg)
{
	myalloc_env_unmap_twice(&arg, NULL, 0, 0);
}

static void unmap_half(void *arg)
{
	myalloc_env_unmap_twice(arg, NULL, 1, PAGE_SIZE);
}

/* Three places for the same bytes; they stay when two are gone. */
static void test_map_twice(struct kunit *test)
{
	const size_t size = 2 * PAGE_SIZE;
	u8 *chunk = host_chunk_alloc(3), *map;
	void *blocks[2] = { chunk + 3 * PAGE_SIZE, chunk };
	u32 i;

	memset(chunk, 7, 8 * PAGE_SIZE);
	host_fail_after(1);
	KUNIT_EXPECT_NULL(test, myalloc_env_map_twice(blocks, 2, size));
	host_fail_after(0);
	map = myalloc_env_map_twice(blocks, 2, size);
	KUNIT_ASSERT_NOT_NULL(test, map);
	KUNIT_EXPECT_EQ(test, host_live_allocs(), 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(map, 7, 4 * size));
	for (i = 0; i < 2; i++) {
		u8 *block = blocks[i], *first = map + 2 * i * size;

		first[1] = 10 + i;
		block[size - 1] = 20 + i;
		first[size + 2] = 30 + i;
		KUNIT_EXPECT_EQ(test, block[1], 10 + i);
		KUNIT_EXPECT_EQ(test, first[size + 1], 10 + i);
		KUNIT_EXPECT_EQ(test, first[size - 1], 20 + i);
		KUNIT_EXPECT_EQ(test, first[2 * size - 1], 20 + i);
		KUNIT_EXPECT_EQ(test, block[2], 30 + i);
	}
	EXPECT_DIES(test, unmap_foreign, NULL, "not a mapping in use");
	EXPECT_DIES(test, unmap_half, map, "with another size");
	myalloc_env_unmap_twice(map, blocks, 2, size);
	KUNIT_EXPECT_EQ(test, host_live_allocs(), 0);
	KUNIT_EXPECT_EQ(test, chunk[1], 11);
	KUNIT_EXPECT_EQ(test, chunk[3 * PAGE_SIZE + size - 1], 20);
	KUNIT_EXPECT_NULL(test, memchr_inv(chunk + 5 * PAGE_SIZE, 7, 3 * PAGE_SIZE));
	host_chunk_free(chunk, 3);

	KUNIT_EXPECT_TRUE(test, myalloc_env_can_map_twice());
	host_set_aliasing(true);
	KUNIT_EXPECT_FALSE(test, myalloc_env_can_map_twice());
	host_reset();
	KUNIT_EXPECT_TRUE(test, myalloc_env_can_map_twice());
}

static void test_failures(struct kunit *test)
{
	void *p[3];
	int i;

	host_fail_after(2);
	for (i = 0; i < 3; i++)
		p[i] = i == 1 ? myalloc_env_alloc_percpu(8, 8) :
				myalloc_env_zalloc(8, NUMA_NO_NODE);
	KUNIT_EXPECT_NOT_NULL(test, p[0]);
	KUNIT_EXPECT_NULL(test, p[1]);
	KUNIT_EXPECT_NOT_NULL(test, p[2]);
	KUNIT_EXPECT_EQ(test, host_fail_calls(), 3);
	KUNIT_EXPECT_TRUE(test, host_fail_fired());
	myalloc_env_free(p[0]);
	myalloc_env_free(p[2]);
}

/* --- the rest --------------------------------------------------------------------------- */

static void test_log(struct kunit *test)
{
	int i;

	pr_err("one %d\n", 1);
	pr_debug("not seen\n");
	KUNIT_EXPECT_STREQ(test, host_log_text(), "myalloc: one 1\n");
	KUNIT_EXPECT_TRUE(test, host_log_contains("one"));
	KUNIT_EXPECT_TRUE(test, WARN_ON_ONCE(1 + 1 == 2));
	KUNIT_EXPECT_FALSE(test, WARN(false, "never"));
	KUNIT_EXPECT_TRUE(test, host_log_contains("WARNING: at "));
	KUNIT_EXPECT_EQ(test, host_warn_count(), 1);
	host_expect_warns(1);
	for (i = 0; i < 50000; i++)
		pr_info("line %d\n", i);
	KUNIT_EXPECT_TRUE(test, host_log_contains("line 49999\n"));
	KUNIT_EXPECT_FALSE(test, host_log_contains("line 0\n"));
	host_log_reset();
	KUNIT_EXPECT_STREQ(test, host_log_text(), "");
}

static noinline u32 save_from_here(void)
{
	u32 handle = myalloc_env_stack_save(0);

	barrier();
	return handle;
}

static noinline u32 save_from_caller(void)
{
	u32 handle = myalloc_env_stack_save(_RET_IP_);

	barrier();
	return handle;
}

u32 the_user(void);	/* not static: its name is known */

noinline u32 the_user(void)
{
	u32 handle = save_from_caller();

	barrier();
	return handle;
}

/* A call stack begins at the frame that was asked for, above the allocator's own. */
static void test_stack_of_caller(struct kunit *test)
{
	char text[2000];

	KUNIT_EXPECT_GT(test, myalloc_env_stack_format(the_user(), text, sizeof(text)), 0);
	KUNIT_EXPECT_EQ(test, strncmp(text, " the_user+0x", 12), 0);
}

static void test_callers(struct kunit *test)
{
	char text[2000], one[100];
	volatile int times = 2;
	u32 handle[2], other;
	int i;

	for (i = 0; i < times; i++)
		handle[i] = save_from_here();
	other = save_from_here();
	KUNIT_EXPECT_NE(test, handle[0], 0);
	KUNIT_EXPECT_EQ(test, handle[0], handle[1]);
	KUNIT_EXPECT_NE(test, handle[0], other);
	KUNIT_EXPECT_GT(test, myalloc_env_stack_format(handle[0], text, sizeof(text)), 0);
	KUNIT_EXPECT_TRUE(test, strstr(text, "kunit_main") != NULL);
	KUNIT_EXPECT_EQ(test, myalloc_env_stack_format(0, text, sizeof(text)), 0);
	KUNIT_EXPECT_STREQ(test, text, "");
	KUNIT_EXPECT_EQ(test, myalloc_env_stack_format(other, text, 10), 9);
	myalloc_env_symbol(one, sizeof(one), (unsigned long)myalloc_env_symbol);
	KUNIT_EXPECT_STREQ(test, one, "myalloc_env_symbol+0x0");
}

static void test_time_and_chance(struct kunit *test)
{
	u64 now = myalloc_env_now_ns();
	u32 a, b;

	KUNIT_EXPECT_GE(test, myalloc_env_now_ns(), now);
	host_set_clock(1000);
	KUNIT_EXPECT_EQ(test, myalloc_env_now_ns(), 1000);
	host_set_seed(42);
	a = myalloc_env_random();
	b = myalloc_env_random();
	KUNIT_EXPECT_NE(test, a, b);
	host_set_seed(42);
	KUNIT_EXPECT_EQ(test, myalloc_env_random(), a);
}

static struct kunit_case env_cases[] = {
	KUNIT_CASE(test_numbers),
	KUNIT_CASE(test_lists),
	KUNIT_CASE(test_strings),
	KUNIT_CASE(test_atomics),
	KUNIT_CASE(test_contexts),
	KUNIT_CASE(test_other_cpus),
	KUNIT_CASE(test_points),
	KUNIT_CASE(test_raw_locks),
	KUNIT_CASE(test_mutex),
	KUNIT_CASE(test_threads),
	KUNIT_CASE(test_memory),
	KUNIT_CASE(test_chunks),
	KUNIT_CASE(test_page_references),
	KUNIT_CASE(test_map_twice),
	KUNIT_CASE(test_failures),
	KUNIT_CASE(test_log),
	KUNIT_CASE(test_stack_of_caller),
	KUNIT_CASE(test_callers),
	KUNIT_CASE(test_time_and_chance),
	{}
};

static struct kunit_suite env_suite = {
	.name = "host_env",
	.test_cases = env_cases,
};

kunit_test_suite(env_suite);

MODULE_LICENSE("GPL");
