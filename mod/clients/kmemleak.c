// SPDX-License-Identifier: GPL-2.0
/*
 * A test client whose kernel memory is referenced only from objects and a page of myalloc, for
 * vm/scenarios/kmemleak.sh: kmemleak must not report it. One block without any reference shows
 * that kmemleak works.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "myalloc_client.h"

#define NR_OBJECTS	32
#define OURS_BYTES	200
#define LOST_BYTES	333

struct holder {
	void *only;
};

static struct myalloc_zone *zone;
static struct myalloc_cache *cache;
static void **page;

static int __init kmemleak_client_init(void)
{
	const struct myalloc_cache_args args = {
		.name = "holders", .object_size = sizeof(struct holder),
	};
	int i;

	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	cache = myalloc_cache_create(zone, &args);
	if (IS_ERR(cache))
		goto err_zone;
	page = myalloc_pages_alloc(zone, 0, MYALLOC_ZERO);
	if (!page)
		goto err_cache;
	for (i = 0; i < NR_OBJECTS; i++) {
		struct holder *holder = myalloc_cache_alloc(cache, MYALLOC_ZERO);

		if (!holder)
			break;
		holder->only = kmalloc(OURS_BYTES, GFP_KERNEL);
		page[i] = holder;
	}
	page[NR_OBJECTS] = kmalloc(OURS_BYTES, GFP_KERNEL);
	if (!kmalloc(LOST_BYTES, GFP_KERNEL))
		pr_err("out of memory\n");
	return 0;

err_cache:
	myalloc_cache_destroy(cache);
err_zone:
	myalloc_zone_put(zone);
	return -ENOMEM;
}

static void __exit kmemleak_client_exit(void)
{
	int i;

	for (i = 0; i < NR_OBJECTS && page[i]; i++) {
		struct holder *holder = page[i];

		kfree(holder->only);
		myalloc_cache_free(cache, holder);
	}
	kfree(page[NR_OBJECTS]);
	myalloc_pages_free(zone, page, 0);
	myalloc_cache_destroy(cache);
	myalloc_zone_put(zone);
}

module_init(kmemleak_client_init);
module_exit(kmemleak_client_exit);

MYALLOC_IMPORT_NS(MYALLOC);
MODULE_DESCRIPTION("Pointers that lie in myalloc's memory only");
MODULE_LICENSE("GPL");
