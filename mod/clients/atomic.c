// SPDX-License-Identifier: GPL-2.0
/*
 * A test client that passes MYALLOC_MAY_WAIT where it may not sleep
 *
 * At load it makes one such request with interrupts off. A debug kernel reports the request. Any
 * other kernel serves it without waiting, if it can detect the context, and the module reports the
 * first. The memory is freed at once.
 */
#include <linux/irqflags.h>
#include <linux/module.h>

#include "myalloc_client.h"

static char *request = "page";
module_param(request, charp, 0444);
MODULE_PARM_DESC(request, "what is requested: page, extent, object, heap (default page)");

static bool served;
module_param(served, bool, 0444);
MODULE_PARM_DESC(served, "whether the request got memory (result)");

static struct myalloc_zone *zone;
static struct myalloc_cache *cache;
static struct myalloc_heap *heap;

static noinline void *myalloc_atomic_request(void)
{
	switch (request[0]) {
	case 'e':
		return myalloc_pages_alloc_exact(zone, 3, 0, MYALLOC_MAY_WAIT);
	case 'o':
		return myalloc_cache_alloc(cache, MYALLOC_MAY_WAIT);
	case 'h':
		return myalloc_heap_alloc(heap, 100, MYALLOC_MAY_WAIT);
	default:
		return myalloc_pages_alloc(zone, 0, MYALLOC_MAY_WAIT);
	}
}

static int __init make(void)
{
	cache = myalloc_cache_create(zone, &(struct myalloc_cache_args){
		.name = "atomic", .object_size = 64 });
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	heap = myalloc_heap_create(zone, &(struct myalloc_heap_args){ .name = "atomic" });
	if (!IS_ERR(heap))
		return 0;
	myalloc_cache_destroy(cache);
	return PTR_ERR(heap);
}

static int __init atomic_client_init(void)
{
	void *got;
	int err;

	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	err = make();
	if (err) {
		myalloc_zone_put(zone);
		return err;
	}
	local_irq_disable();
	got = myalloc_atomic_request();
	local_irq_enable();
	served = got;
	if (got)
		myalloc_free(zone, got);
	return 0;
}

static void __exit atomic_client_exit(void)
{
	myalloc_heap_destroy(heap);
	myalloc_cache_destroy(cache);
	myalloc_zone_put(zone);
}

module_init(atomic_client_init);
module_exit(atomic_client_exit);

MODULE_DESCRIPTION("Test client of myalloc: may not sleep and says it may");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
