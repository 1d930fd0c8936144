// SPDX-License-Identifier: GPL-2.0
/*
 * A test client that runs in non-maskable interrupts (x86)
 *
 * A thread on the CPU that receives NMIs (the first, as Linux programs the APICs) enters one
 * situation after the other and stays in each until an NMI comes, or for STAY_NS: working on
 * pages and objects with a raw lock held and interrupts off; holding the zone's lock; holding the
 * lock of each of two caches. The NMI handler frees what the previous NMI allocated, and
 * allocates again: an object from a magazine, one of a cache without magazines, a page, and a
 * block that needs the zone's lock.
 *
 * With contract=1 all of these come from a contract, each line of which keeps some for NMI
 * handlers. Then no allocation may fail, in any situation and whatever other users do.
 *
 * A test triggers the NMIs through QEMU's monitor. The parameters show the results: seen, refused
 * and freed count, for each situation, NMIs, allocations that failed (which is allowed), and frees
 * (none of which may fail). wrong counts frees that failed and contents that differ from what was
 * written; it must be 0.
 *
 * It takes locks inside zones, which a real client must not do. With leak=1 it also keeps a
 * page when it is unloaded.
 */
#include "env.h"

#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <asm/nmi.h>

#include "myalloc_client.h"
#include "object/cache.h"

#define STAY_NS		(50 * NSEC_PER_MSEC)
#define BLOCK_ORDER	4	/* without magazines, see MYALLOC_PCP_SMALL */
#define LIVE		8	/* of each kind: one for the handler, one for the thread */
#define EACH		8	/* of each kind, to last the handler while interrupts are off */

enum situation { WORKING, ZONE_LOCKED, CACHE_LOCKED, PLAIN_LOCKED, SITUATIONS };

static unsigned long seen[SITUATIONS];
module_param_array(seen, ulong, NULL, 0444);
MODULE_PARM_DESC(seen, "NMIs while working, zone locked, cache locked, plain cache locked");

static unsigned long refused[SITUATIONS];
module_param_array(refused, ulong, NULL, 0444);
MODULE_PARM_DESC(refused, "allocations in them that found nothing");

static unsigned long freed[SITUATIONS];
module_param_array(freed, ulong, NULL, 0444);
MODULE_PARM_DESC(freed, "frees in them");

static unsigned long wrong;
module_param(wrong, ulong, 0444);
MODULE_PARM_DESC(wrong, "frees that failed and contents that had changed");

static bool leak;
module_param(leak, bool, 0444);
MODULE_PARM_DESC(leak, "keep a page for ever, as a client with a bug would (default off)");

static bool contract;
module_param(contract, bool, 0444);
MODULE_PARM_DESC(contract, "memory of a contract, with some for NMIs (default off)");

enum thing { OBJECT, PLAIN_OBJECT, PAGE, BLOCK, THINGS };

static struct myalloc_zone *zone;
static struct myalloc_zone *pages, *blocks;	/* @zone, or zones of the contract's lines */
static struct myalloc_cache *cache, *plain;
static struct myalloc_contract *agreed;
static struct task_struct *thread;
static unsigned int home;
static enum situation situation;
static DEFINE_RAW_SPINLOCK(some_lock);

/* Used by the handler; after its end, by exit. */
static u64 *held[THINGS];
static u64 stamp;

static u64 *get(enum thing thing)
{
	switch (thing) {
	case OBJECT:
		return myalloc_cache_alloc(cache, 0);
	case PLAIN_OBJECT:
		return myalloc_cache_alloc(plain, MYALLOC_ZERO);
	case PAGE:
		return myalloc_pages_alloc(pages, 0, 0);
	default:
		return myalloc_pages_alloc(blocks, BLOCK_ORDER, 0);
	}
}

static int put(enum thing thing, u64 *addr)
{
	switch (thing) {
	case OBJECT:
		return myalloc_cache_free(cache, addr);
	case PLAIN_OBJECT:
		return myalloc_cache_free(plain, addr);
	case PAGE:
		return myalloc_pages_free(pages, addr, 0);
	default:
		return myalloc_pages_free(blocks, addr, BLOCK_ORDER);
	}
}

static void put_held(enum thing thing)
{
	if (!held[thing])
		return;
	wrong += held[thing][0] != ~held[thing][1];
	wrong += !!put(thing, held[thing]);
	held[thing] = NULL;
	freed[situation]++;
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	enum thing thing;

	if (smp_processor_id() != home)
		return NMI_HANDLED;
	for (thing = 0; thing < THINGS; thing++)
		put_held(thing);
	for (thing = 0; thing < THINGS; thing++) {
		u64 *addr = get(thing);

		if (addr) {
			addr[0] = ++stamp;
			addr[1] = ~stamp;
		} else {
			refused[situation]++;
		}
		held[thing] = addr;
	}
	WRITE_ONCE(seen[situation], seen[situation] + 1);
	return NMI_HANDLED;
}

/* The same in task context. */
static void work(void)
{
	u64 *addr[THINGS];
	enum thing thing;

	for (thing = 0; thing < THINGS; thing++) {
		addr[thing] = get(thing);
		if (addr[thing])
			addr[thing][0] = thing;
	}
	for (thing = 0; thing < THINGS; thing++)
		if (addr[thing]) {
			wrong += addr[thing][0] != thing;
			wrong += !!put(thing, addr[thing]);
		}
}

/* Wait until an NMI comes, or until the time is up. */
static void stay(enum situation where, raw_spinlock_t *lock)
{
	unsigned long before, irq;
	u64 end;

	raw_spin_lock_irqsave(lock, irq);
	before = READ_ONCE(seen[where]);
	WRITE_ONCE(situation, where);
	end = myalloc_env_now_ns() + STAY_NS;
	while (READ_ONCE(seen[where]) == before && myalloc_env_now_ns() < end) {
		if (where == WORKING)
			work();
		cpu_relax();
	}
	WRITE_ONCE(situation, WORKING);
	raw_spin_unlock_irqrestore(lock, irq);
}

static int alternate(void *unused)
{
	while (!kthread_should_stop()) {
		stay(WORKING, &some_lock);
		stay(ZONE_LOCKED, &blocks->lock);
		stay(WORKING, &some_lock);
		stay(CACHE_LOCKED, &cache->lock);
		stay(WORKING, &some_lock);
		stay(PLAIN_LOCKED, &plain->lock);
		schedule_timeout_interruptible(1);
	}
	return 0;
}

static const struct myalloc_cache_args cache_args = {
	.name = "nmi", .object_size = 64,
}, plain_args = {
	.name = "nmi-plain", .object_size = 200, .flags = MYALLOC_NO_MAGAZINE,
};

static int __init make_contract(void)
{
	const struct myalloc_contract_line lines[] = {
		{
			.kind = MYALLOC_CONTRACT_OBJECTS, .count = LIVE, .nmi = EACH,
			.cache = cache_args,
		}, {
			.kind = MYALLOC_CONTRACT_OBJECTS, .count = LIVE, .nmi = EACH,
			.cache = plain_args,
		}, {
			.kind = MYALLOC_CONTRACT_PAGES, .pages = LIVE, .orders = BIT(0),
			.nmi = EACH,
		}, {
			.kind = MYALLOC_CONTRACT_PAGES, .pages = LIVE << BLOCK_ORDER,
			.orders = BIT(BLOCK_ORDER), .nmi = EACH,
		},
	};
	struct myalloc_contract_plan *plan = kzalloc(sizeof(*plan), GFP_KERNEL);

	if (!plan)
		return -ENOMEM;
	agreed = myalloc_contract_create(zone, "nmi", lines, ARRAY_SIZE(lines), 0, plan);
	kfree(plan);
	if (IS_ERR(agreed))
		return PTR_ERR(agreed);
	cache = myalloc_contract_cache(agreed, 0);
	plain = myalloc_contract_cache(agreed, 1);
	pages = myalloc_contract_zone(agreed, 2);
	blocks = myalloc_contract_zone(agreed, 3);
	return 0;
}

static int __init make_caches(void)
{
	if (contract)
		return make_contract();
	pages = zone;
	blocks = zone;
	cache = myalloc_cache_create(zone, &cache_args);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	plain = myalloc_cache_create(zone, &plain_args);
	if (IS_ERR(plain)) {
		myalloc_cache_destroy(cache);
		return PTR_ERR(plain);
	}
	return 0;
}

static void end_caches(void)
{
	if (contract) {
		myalloc_contract_end(agreed, 0);
		return;
	}
	myalloc_cache_destroy(plain);
	myalloc_cache_destroy(cache);
}

static int __init nmi_client_init(void)
{
	int err;

	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	err = make_caches();
	if (err)
		goto err_zone;
	if (leak)
		myalloc_pages_alloc(zone, 0, 0);
	home = cpumask_first(cpu_online_mask);
	thread = kthread_create_on_cpu(alternate, NULL, home, "myalloc_nmi/%u");
	if (IS_ERR(thread)) {
		err = PTR_ERR(thread);
		goto err_caches;
	}
	err = register_nmi_handler(NMI_LOCAL, on_nmi, 0, "myalloc_nmi");
	if (err)
		goto err_thread;
	wake_up_process(thread);
	return 0;

err_thread:
	kthread_stop(thread);
err_caches:
	end_caches();
err_zone:
	myalloc_zone_put(zone);
	return err;
}

static void __exit nmi_client_exit(void)
{
	enum thing thing;

	kthread_stop(thread);
	unregister_nmi_handler(NMI_LOCAL, "myalloc_nmi");
	for (thing = 0; thing < THINGS; thing++)
		put_held(thing);
	end_caches();
	myalloc_zone_put(zone);
}

module_init(nmi_client_init);
module_exit(nmi_client_exit);

MODULE_DESCRIPTION("Test client of myalloc: allocates and frees in NMIs");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
