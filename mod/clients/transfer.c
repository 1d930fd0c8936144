// SPDX-License-Identifier: GPL-2.0
/*
 * Example of a contract: a driver of a device that transfers data, on two kinds of memory
 *
 * Each transfer needs a request and a buffer, one page or 64 KiB (two pages where pages have
 * 64 KiB), and cannot wait for them, as in an interrupt; at most 256 transfers are under way. With
 * contract=0 requests come from a mempool on kmalloc() and buffers from the page allocator, as in
 * many drivers. With contract=1 both come from a contract, which states exactly that; nothing else
 * differs.
 *
 * Before the transfers begin, the module fragments both sources: it splits every large free block
 * of the system and keeps every second page, a state that months of uptime lead to, and allocates
 * the rest of myalloc's zone. Half of the system's memory remains free.
 *
 * With failing=1 the kernel's fault injection, if it is built in and set to heed make_it_fail, also
 * applies to the transfers. It does not apply to the preparation, as no module can be loaded while
 * every allocation that may not wait fails.
 *
 * The parameters transfers and failed hold the result.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "myalloc_client.h"

#define UNDER_WAY	256	/* transfers */
#define BUFFER_ORDER	max(get_order(SZ_64K), 1)	/* log2 of pages of a large buffer */
#define REQUEST_BYTES	200
#define POOL_NR		16	/* requests that the mempool keeps */

static bool contract;
module_param(contract, bool, 0444);
MODULE_PARM_DESC(contract, "memory of a contract, not of the kernel (default off)");

static unsigned int transfers = 50000;
module_param(transfers, uint, 0444);
MODULE_PARM_DESC(transfers, "transfers to make (default 50000)");

static unsigned int failed;
module_param(failed, uint, 0444);
MODULE_PARM_DESC(failed, "transfers for which there was no memory (result)");

static bool failing;
module_param(failing, bool, 0444);
MODULE_PARM_DESC(failing, "let the kernel's fault injection fail transfers (default off)");

struct transfer {
	void *request;
	void *buffer;
	unsigned int order;
};

static struct transfer under_way[UNDER_WAY];

/* --- memory of the kernel ------------------------------------------------------------------ */

static mempool_t *pool;

static int __init kernel_begin(void)
{
	pool = mempool_create_kmalloc_pool(POOL_NR, REQUEST_BYTES);
	return pool ? 0 : -ENOMEM;
}

static bool __init kernel_take(struct transfer *t)
{
	t->request = mempool_alloc(pool, GFP_NOWAIT | __GFP_NOWARN);
	if (!t->request)
		return false;
	t->buffer = (void *)__get_free_pages(GFP_ATOMIC | __GFP_NOWARN, t->order);
	if (t->buffer)
		return true;
	mempool_free(t->request, pool);
	return false;
}

static void __init kernel_give(struct transfer *t)
{
	free_pages((unsigned long)t->buffer, t->order);
	mempool_free(t->request, pool);
}

static void __init kernel_end(void)
{
	mempool_destroy(pool);
}

/* --- memory of a contract ------------------------------------------------------------------ */

static struct myalloc_zone *zone, *buffers;
static struct myalloc_contract *agreed;
static struct myalloc_cache *requests;

static int __init contract_begin(void)
{
	const struct myalloc_contract_line lines[] = {
		{
			.kind = MYALLOC_CONTRACT_OBJECTS, .count = UNDER_WAY,
			.cache = { .name = "transfer-request", .object_size = REQUEST_BYTES },
		}, {
			.kind = MYALLOC_CONTRACT_PAGES, .pages = UNDER_WAY << BUFFER_ORDER,
			.orders = BIT(0) | BIT(BUFFER_ORDER),
		},
	};
	struct myalloc_contract_plan *plan = kzalloc(sizeof(*plan), GFP_KERNEL);

	if (!plan)
		return -ENOMEM;
	agreed = myalloc_contract_create(zone, "transfer", lines, ARRAY_SIZE(lines), 0, plan);
	kfree(plan);
	if (IS_ERR(agreed))
		return PTR_ERR(agreed);
	requests = myalloc_contract_cache(agreed, 0);
	buffers = myalloc_contract_zone(agreed, 1);
	return 0;
}

static bool __init contract_take(struct transfer *t)
{
	t->request = myalloc_cache_alloc(requests, 0);
	if (!t->request)
		return false;
	t->buffer = myalloc_pages_alloc(buffers, t->order, 0);
	if (t->buffer)
		return true;
	myalloc_cache_free(requests, t->request);
	return false;
}

static void __init contract_give(struct transfer *t)
{
	myalloc_pages_free(buffers, t->buffer, t->order);
	myalloc_cache_free(requests, t->request);
}

static void __init contract_end(void)
{
	myalloc_contract_end(agreed, 0);
}

/* --- fragmentation -------------------------------------------------------------------------- */

/* Pages of the system and blocks of the zone, linked through their first word. */
static void *taken;
static void *greedy[MYALLOC_NR_ORDERS];

static void __init take_the_rest(void)
{
	void **block;
	unsigned int i;
	int order;

	for (order = MYALLOC_TOP_ORDER; order >= 0; order--) {
		while ((block = myalloc_pages_alloc(zone, order, MYALLOC_MAY_WAIT))) {
			*block = greedy[order];
			greedy[order] = block;
		}
	}
	while ((block = (void *)__get_free_pages(GFP_ATOMIC | __GFP_NOWARN, BUFFER_ORDER))) {
		split_page(virt_to_page(block), BUFFER_ORDER);
		for (i = 0; i < BIT(BUFFER_ORDER); i++, block += PAGE_SIZE / sizeof(*block)) {
			if (i % 2) {
				*block = taken;
				taken = block;
			} else {
				free_page((unsigned long)block);
			}
		}
		cond_resched();
	}
}

static void __init give_the_rest(void)
{
	void **block;
	int order;

	while ((block = taken)) {
		taken = *block;
		free_page((unsigned long)block);
	}
	for (order = 0; order <= MYALLOC_TOP_ORDER; order++) {
		while ((block = greedy[order])) {
			greedy[order] = *block;
			myalloc_pages_free(zone, block, order);
		}
	}
}

/* --- the driver ----------------------------------------------------------------------------- */

static void __init finish(struct transfer *t)
{
	if (!t->request)
		return;
	if (contract)
		contract_give(t);
	else
		kernel_give(t);
	t->request = NULL;
}

/* Three of four transfers are large. */
static void __init transfer_all(void)
{
	struct rnd_state random;
	unsigned int i;

	prandom_seed_state(&random, 1);
	for (i = 0; i < transfers; i++) {
		u32 choice = prandom_u32_state(&random);
		struct transfer *t = &under_way[choice % UNDER_WAY];

		finish(t);
		t->order = choice >> 30 ? BUFFER_ORDER : 0;
		if (!(contract ? contract_take(t) : kernel_take(t))) {
			t->request = NULL;
			failed++;
		}
		cond_resched();
	}
	for (i = 0; i < UNDER_WAY; i++)
		finish(&under_way[i]);
}

/*
 * Set whether fault injection may fail allocations of this task. Returns the previous setting.
 */
static bool __init set_failing(bool on)
{
	bool was = false;

#ifdef CONFIG_FAULT_INJECTION
	was = current->make_it_fail;
	current->make_it_fail = on;
#endif
	return was;
}

static int __init transfer_init(void)
{
	bool was_failing;
	int err;

	if (failing && !IS_ENABLED(CONFIG_FAULT_INJECTION)) {
		pr_err("failing=1 needs a kernel with CONFIG_FAULT_INJECTION\n");
		return -EOPNOTSUPP;
	}
	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	failed = 0;
	err = contract ? contract_begin() : kernel_begin();
	if (!err) {
		take_the_rest();
		was_failing = set_failing(failing);
		transfer_all();
		set_failing(was_failing);
		give_the_rest();
		if (contract)
			contract_end();
		else
			kernel_end();
	}
	myalloc_zone_put(zone);
	return err;
}

static void __exit transfer_exit(void)
{
}

module_init(transfer_init);
module_exit(transfer_exit);
MODULE_DESCRIPTION("Example of a contract of myalloc, and of what happens without one");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
