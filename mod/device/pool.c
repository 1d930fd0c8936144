// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about object pools: statistics, and a test with random operations
 *
 * The test runs in the kernel, as user space can neither read nor write the memory of a zone. Each
 * object has a pattern of its own (pattern.c), which is verified before it is freed. The operations
 * run on random CPUs, in interrupts, so that magazines on all of them hold objects back.
 */
#include "env.h"

#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "base/pattern.h"
#include "base/random.h"
#include "device/command.h"
#include "front/pool.h"
#include "stat.h"

static_assert(sizeof(struct myalloc_pool_stat) == 40 + 8 + 6 * 4 + 14 * 8);
static_assert(sizeof(struct myalloc_pool_test) == 80 + 160);
static_assert(MYALLOC_POOL_IS_HARD == (__force u32)MYALLOC_POOL_HARD);

#define NR		256	/* objects, by default */
#define OBJECT_SIZE	64	/* bytes */
#define STEP		16	/* operations at most with interrupts off */

/**
 * struct test - a test that runs
 * @pool: the pool
 * @arg: parameters and result
 * @random: for every choice
 * @identity: number of the last pattern
 * @nr: objects that @pool is made for at present
 * @live: objects in @object
 * @most: objects that @object has room for
 * @object: the live objects; each begins with the key of the pattern that follows
 */
struct test {
	struct myalloc_pool *pool;
	struct myalloc_pool_test *arg;
	struct myalloc_random random;
	u64 identity;
	u32 nr;
	u32 live;
	u32 most;
	u64 *object[];
};

static void get(struct test *t)
{
	bool within = t->live < t->nr;
	u64 *object;

	if (t->live == t->most)
		return;
	object = myalloc_pool_alloc(t->pool, 0);
	if (!object) {
		if (within)
			myalloc_test_wrong(t,
					   "an allocation failed while %u of %u objects were live",
					   t->live, t->nr);
		t->arg->refused += !within;
		return;
	}
	t->arg->allocs++;
	t->arg->beyond += !within;
	*object = myalloc_pattern_key(t->arg->seed, ++t->identity);
	myalloc_pattern_fill(object + 1, t->arg->object_size - sizeof(u64), *object);
	t->object[t->live++] = object;
}

static void put(struct test *t, u32 index)
{
	u64 *object = t->object[index];
	struct myalloc_damage damage = {};
	int err;

	if (!myalloc_pattern_check(object + 1, t->arg->object_size - sizeof(u64), *object, &damage))
		myalloc_test_wrong(t, "byte %zu of an object: found 0x%016llx, not 0x%016llx",
				   damage.offset + sizeof(u64), damage.found, damage.expected);
	err = myalloc_pool_free(t->pool, object);
	if (err)
		myalloc_test_wrong(t, "the free of an object returned %d", err);
	t->arg->frees++;
	t->object[index] = t->object[--t->live];
}

/* A resize may fail, because the zone has other users. */
static void resize(struct test *t)
{
	u32 nr = 1 + myalloc_random_below(&t->random, t->arg->nr);

	if (myalloc_pool_resize(t->pool, nr))
		return;
	t->arg->resizes++;
	t->nr = nr;
}

/* On some CPU, with interrupts off. */
static void step(void *arg)
{
	struct test *t = arg;
	u32 n = 1 + myalloc_random_below(&t->random, STEP);

	while (n--) {
		if (myalloc_random_below(&t->random, t->most) >= t->live)
			get(t);
		else
			put(t, myalloc_random_below(&t->random, t->live));
	}
}

static int operate(struct test *t)
{
	int cpu = 0;
	u64 i;

	for (i = 0; i < t->arg->ops; i += STEP) {
		if (myalloc_random_one_in(&t->random, 20000 / STEP))
			resize(t);
		if (myalloc_random_one_in(&t->random, 8))
			cpu = myalloc_random_below(&t->random, nr_cpu_ids);
		/* Skip a CPU that is offline. */
		if (myalloc_env_call_on_cpu(cpu, step, t))
			cpu = 0;
		cond_resched();
		if (signal_pending(current))
			return -EINTR;
	}
	return 0;
}

static int run_in_zone(struct test *t, struct myalloc_zone *zone)
{
	static atomic_t number = ATOMIC_INIT(0);
	char name[MYALLOC_CACHE_NAME];
	const struct myalloc_pool_args args = {
		.name = name, .object_size = t->arg->object_size, .nr = t->nr,
		.flags = t->arg->flags ? MYALLOC_POOL_HARD : 0,
	};
	int err;

	scnprintf(name, sizeof(name), "test-pool-%u", (u32)atomic_inc_return(&number));
	t->pool = myalloc_pool_create(zone, &args);
	if (IS_ERR(t->pool))
		return PTR_ERR(t->pool);
	err = operate(t);
	while (t->live) {
		put(t, t->live - 1);
		cond_resched();
	}
	if (myalloc_pool_destroy(t->pool))
		myalloc_test_wrong(t, "the pool has objects that the test does not know");
	return err;
}

/* More objects than the pool is made for may be live. */
static u32 most_objects(const struct myalloc_pool_test *arg)
{
	return arg->nr + arg->nr / 2 + 1;
}

static ssize_t check_test(void *user, const struct myalloc_zone *zone)
{
	struct myalloc_pool_test *arg = user;

	if (arg->flags & ~MYALLOC_POOL_IS_HARD || !arg->ops ||
	    arg->ops > MYALLOC_POOL_TEST_OPS_MAX || arg->nr > MYALLOC_POOL_TEST_NR_MAX ||
	    arg->object_size > MYALLOC_OBJECT_MAX ||
	    (arg->object_size && arg->object_size < 2 * sizeof(u64)))
		return -EINVAL;
	arg->nr = arg->nr ?: NR;
	arg->object_size = arg->object_size ?: OBJECT_SIZE;
	return struct_size((struct test *)NULL, object, most_objects(arg));
}

static int run_test(void *state, void *arg, struct myalloc_zone *zone)
{
	struct test *t = state;

	t->arg = arg;
	t->nr = t->arg->nr;
	t->most = most_objects(t->arg);
	myalloc_random_init(&t->random, t->arg->seed, 0);
	return run_in_zone(t, zone);
}

static const struct myalloc_front_test test = {
	.bytes = sizeof(struct myalloc_pool_test),
	.check = check_test,
	.run = run_test,
};

const struct myalloc_command myalloc_pool_commands[] = {
	{ MYALLOC_IOC_POOL_STAT, true, .view = &myalloc_pool_view },
	{ MYALLOC_IOC_POOL_TEST, true, .test = &test },
	{ }
};
