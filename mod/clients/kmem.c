// SPDX-License-Identifier: GPL-2.0
/*
 * A client that was written for kmem_cache and mempool, and an object pool beside it
 *
 * The first part uses the names of linux/slab.h, which myalloc_kmem_compat.h redirects. The others
 * use the other features that its users expect: prefill, frees after a grace period, memory that is
 * typesafe by RCU, a mempool, cleanup at the end of a scope, physical addresses, copies to user
 * space. The last part takes every page of the zone and then lets all CPUs allocate from an object
 * pool in interrupts: none of them may fail.
 *
 * The module loads only if everything was as expected; it leaves nothing behind.
 */
#include <linux/cpu.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#define MYALLOC_KMEM_RENAME
#include "myalloc_kmem_compat.h"

#define NR		20
#define POOL_NR		1024
#define LISTS		256	/* CPUs that take part */

static unsigned int failed;

#define CHECK(cond)								\
	do {									\
		if (!(cond)) {							\
			pr_err("myalloc_kmem: line %d: %s\n", __LINE__, #cond);	\
			failed++;						\
		}								\
	} while (0)

struct item {
	u64 key;
	struct myalloc_rcu head;
};

struct kmem_wide {
	u64 key[3];
} __aligned(64);

static u64 live_objects(struct myalloc_cache *cache)
{
	struct myalloc_cache_stat stat = {};

	myalloc_cache_stat_fill(&stat, cache);
	return stat.live_objects;
}

static void set_key(void *object)
{
	((struct item *)object)->key = 42;
}

/* As any client of kmem_cache. */
static void use_kmem_cache(void)
{
	struct kmem_cache *cache, *made;
	struct item *items[NR], *item;
	unsigned int i;

	cache = kmem_cache_create("kmem-item", sizeof(struct item), 0, SLAB_HWCACHE_ALIGN, NULL);
	CHECK(cache);
	if (!cache)
		return;
	CHECK(!kmem_cache_create("kmem-item", 8, 0, 0, NULL));	/* the name is used */
	item = kmem_cache_zalloc(cache, GFP_KERNEL);
	CHECK(item && !item->key);
	kmem_cache_free(cache, item);
	kmem_cache_free(cache, NULL);
	item = kmem_cache_alloc_node(cache, GFP_ATOMIC, NUMA_NO_NODE);
	CHECK(item);
	if (item)
		myalloc_kmem_cache_free_rcu(cache, item, &item->head);
	CHECK(kmem_cache_alloc_bulk(cache, GFP_KERNEL, NR, (void **)items) == NR);
	for (i = 0; i < NR; i++)
		items[i]->key = i;
	kmem_cache_free_bulk(cache, NR, (void **)items);
	kmem_cache_shrink(cache);
	rcu_barrier();
	CHECK(!live_objects(cache->cache));
	kmem_cache_destroy(cache);
	kmem_cache_destroy(NULL);

	made = kmem_cache_create("kmem-made", sizeof(struct item), 0, SLAB_TYPESAFE_BY_RCU,
				 set_key);
	CHECK(made);
	if (!made)
		return;
	item = kmem_cache_alloc(made, GFP_KERNEL);
	CHECK(item && item->key == 42);
	if (item) {
		rcu_read_lock();
		item->key = 43;
		kmem_cache_free(made, item);
		CHECK(READ_ONCE(item->key) == 43);	/* a reader still sees an item */
		rcu_read_unlock();
	}
	kmem_cache_destroy(made);
}

/* The cache of a structure has its name, size and alignment. */
static void use_kmem_cache_of(void)
{
	struct kmem_cache *cache = KMEM_CACHE(kmem_wide, SLAB_TYPESAFE_BY_RCU);
	struct myalloc_cache_stat stat = {};

	CHECK(cache);
	if (!cache)
		return;
	myalloc_cache_stat_fill(&stat, cache->cache);
	CHECK(!strcmp(stat.name, "kmem_wide"));
	CHECK(stat.object_size == sizeof(struct kmem_wide));
	CHECK(stat.align == __alignof__(struct kmem_wide));
	CHECK(stat.flags & MYALLOC_CACHE_TYPESAFE_RCU);
	kmem_cache_destroy(cache);
}

static void use_mempool(struct myalloc_cache *cache)
{
	mempool_t *mempool = mempool_create(4, myalloc_mempool_alloc, myalloc_mempool_free, cache);
	struct item *item;

	CHECK(mempool);
	if (!mempool)
		return;
	CHECK(live_objects(cache) == 4);
	item = mempool_alloc(mempool, GFP_NOIO);
	CHECK(item);
	mempool_free(item, mempool);
	mempool_destroy(mempool);
	CHECK(!live_objects(cache));
}

static void use_others(struct myalloc_zone *zone, struct myalloc_cache *cache)
{
	size_t size = sizeof(struct item);
	void *objects[NR], *block;
	struct myalloc_prefill prefill;
	struct item *item;

	CHECK(!myalloc_cache_prefill(cache, 0, NR, objects, &prefill));
	item = myalloc_prefill_alloc(&prefill);
	CHECK(item);
	CHECK(!myalloc_prefill_return(&prefill));
	CHECK(live_objects(cache) == 1);
	OPTIMIZER_HIDE_VAR(size);	/* of a constant size no check is made */
	check_object_size(item, size, true);	/* a kernel that refuses the copy stops here */
	check_object_size(item, size, false);
	CHECK(!myalloc_cache_free(cache, item));

	block = myalloc_pages_alloc(zone, 3, 0);
	CHECK(block);
	CHECK(myalloc_pages_phys(block) == page_to_phys(virt_to_page(block)));
	CHECK(!(myalloc_pages_phys(block) & ((PAGE_SIZE << 3) - 1)));
	CHECK(phys_to_virt(myalloc_pages_phys(block) + PAGE_SIZE) == block + PAGE_SIZE);
	CHECK(!myalloc_pages_free(zone, block, 3));
#ifdef MYALLOC_CLEANUP
	{
		CLASS(myalloc_object, kept)(cache, 0);
		CLASS(myalloc_object, freed)(cache, MYALLOC_ZERO);

		CHECK(live_objects(cache) == 2);
		item = myalloc_object_keep(&kept);
	}
	CHECK(live_objects(cache) == 1);
	CHECK(!myalloc_cache_free(cache, item));
#endif
}

/* --- an object pool, with everything else taken ------------------------------------------ */

static struct myalloc_pool *pool;
static void *list[LISTS];	/* objects, linked through their first word */
static atomic_t missed;

/* On each CPU at once, in an interrupt. */
static void take_part(void *part)
{
	unsigned int nr = *(unsigned int *)part, cpu = smp_processor_id();
	void **object;

	for (; cpu < LISTS && nr; nr--) {
		object = myalloc_pool_alloc(pool, 0);
		if (!object) {
			atomic_inc(&missed);
			return;
		}
		*object = list[cpu];
		list[cpu] = object;
	}
}

/* Free the objects that the next CPU has allocated. */
static void free_part(void *unused)
{
	unsigned int cpu = cpumask_next(smp_processor_id(), cpu_online_mask);
	void **object, *next;

	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_online_mask);
	for (object = cpu < LISTS ? list[cpu] : NULL; object; object = next) {
		next = *object;
		if (myalloc_pool_free(pool, object))
			atomic_inc(&missed);
	}
	if (cpu < LISTS)
		list[cpu] = NULL;
}

static void use_pool(struct myalloc_zone *zone)
{
	const struct myalloc_pool_args args = {
		.name = "kmem-pool", .object_size = 100, .nr = POOL_NR, .nmi = 4,
		.flags = MYALLOC_POOL_HARD,
	};
	void **block, *taken[MYALLOC_NR_ORDERS] = {};
	unsigned int part, round;
	int order;

	pool = myalloc_pool_create(zone, &args);
	CHECK(!IS_ERR(pool));
	if (IS_ERR(pool))
		return;
	for (order = MYALLOC_TOP_ORDER; order >= 0; order--) {
		while ((block = myalloc_pages_alloc(zone, order, MYALLOC_MAY_WAIT))) {
			*block = taken[order];
			taken[order] = block;
		}
	}
	cpus_read_lock();
	part = POOL_NR / num_online_cpus();
	for (round = 0; round < 200; round++) {
		on_each_cpu(take_part, &part, true);
		on_each_cpu(free_part, NULL, true);
	}
	cpus_read_unlock();
	CHECK(!atomic_read(&missed));
	for (order = 0; order <= MYALLOC_TOP_ORDER; order++) {
		while ((block = taken[order])) {
			taken[order] = *block;
			CHECK(!myalloc_pages_free(zone, block, order));
		}
	}
	CHECK(!myalloc_pool_resize(pool, POOL_NR / 2));
	CHECK(!myalloc_pool_destroy(pool));
}

static int __init kmem_init(void)
{
	const struct myalloc_cache_args args = {
		.name = "kmem-other", .object_size = sizeof(struct item),
	};
	struct myalloc_zone *zone = myalloc_zone_get();
	struct myalloc_cache *cache;

	if (!zone)
		return -ENODEV;
	use_kmem_cache();
	use_kmem_cache_of();
	cache = myalloc_cache_create(zone, &args);
	CHECK(!IS_ERR(cache));
	if (!IS_ERR(cache)) {
		use_mempool(cache);
		use_others(zone, cache);
		CHECK(!myalloc_cache_destroy(cache));
	}
	use_pool(zone);
	myalloc_zone_put(zone);
	return failed ? -EINVAL : 0;
}

static void __exit kmem_exit(void)
{
}

module_init(kmem_init);
module_exit(kmem_exit);
MODULE_DESCRIPTION("Client of myalloc that was written for kmem_cache and mempool");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
