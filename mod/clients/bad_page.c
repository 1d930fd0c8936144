// SPDX-License-Identifier: GPL-2.0
/*
 * A test client whose pages a test reports as bad memory, for vm/scenarios/bad_page.sh
 *
 * It prepares a free block that is drained, a free page in a magazine, an allocated page and an
 * allocated object, and publishes their physical addresses. Writing 1 to the parameter @release
 * frees the page and the object. This and every further write of 1 allocates all pages of the zone
 * and counts them: @handed_out, and of those @bad.
 */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "myalloc_client.h"

#define FREE_ORDER	4
#define OBJECT_SIZE	256

static unsigned long long free_phys, cached_phys, page_phys, object_phys;
module_param(free_phys, ullong, 0400);
MODULE_PARM_DESC(free_phys, "physical address of a page in a free block");
module_param(cached_phys, ullong, 0400);
MODULE_PARM_DESC(cached_phys, "... of a page in a magazine");
module_param(page_phys, ullong, 0400);
MODULE_PARM_DESC(page_phys, "... of a page in use");
module_param(object_phys, ullong, 0400);
MODULE_PARM_DESC(object_phys, "... of an object in use");

static unsigned long handed_out, bad;
module_param(handed_out, ulong, 0444);
MODULE_PARM_DESC(handed_out, "pages that could be allocated");
module_param(bad, ulong, 0444);
MODULE_PARM_DESC(bad, "of these, the bad ones");

static struct myalloc_zone *zone;
static struct myalloc_cache *cache;
static void *page, *object;

static int put_page_and_object(void)
{
	int err = 0;

	if (page)
		err = myalloc_pages_free(zone, page, 0);
	page = NULL;
	if (object)
		err = myalloc_cache_free(cache, object) ?: err;
	object = NULL;
	myalloc_cache_shrink(cache);
	myalloc_zone_drain(zone);
	return err;
}

/* Allocate every page; each stores the address of the previous one. */
static int allocate_all(void)
{
	void **addr, **last = NULL;
	int err = 0;

	handed_out = 0;
	bad = 0;
	while ((addr = myalloc_pages_alloc(zone, 0, MYALLOC_MAY_WAIT))) {
		handed_out++;
		bad += PageHWPoison(virt_to_page(addr));
		*addr = last;
		last = addr;
	}
	while (last) {
		addr = last;
		last = *addr;
		err = myalloc_pages_free(zone, addr, 0) ?: err;
	}
	return err;
}

static int release_set(const char *val, const struct kernel_param *kp)
{
	return zone ? put_page_and_object() ?: allocate_all() : -EINVAL;
}

static const struct kernel_param_ops release_ops = { .set = release_set };
module_param_cb(release, &release_ops, NULL, 0200);
MODULE_PARM_DESC(release, "write 1: free the page and the object, then count what can be allocated");

static int __init bad_client_init(void)
{
	const struct myalloc_cache_args args = { .name = "bad", .object_size = OBJECT_SIZE };
	void *block, *cached;
	int err = -ENOMEM;

	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	cache = myalloc_cache_create(zone, &args);
	if (IS_ERR(cache)) {
		err = PTR_ERR(cache);
		goto err_zone;
	}
	page = myalloc_pages_alloc(zone, 0, 0);
	object = myalloc_cache_alloc(cache, 0);
	block = myalloc_pages_alloc(zone, FREE_ORDER, 0);
	if (!page || !object || !block)
		goto err_objects;
	free_phys = virt_to_phys(block + 3 * PAGE_SIZE);
	page_phys = virt_to_phys(page);
	object_phys = virt_to_phys(object) & PAGE_MASK;
	err = myalloc_pages_free(zone, block, FREE_ORDER);
	if (err)
		goto err_objects;
	myalloc_zone_drain(zone);
	err = -ENOMEM;
	cached = myalloc_pages_alloc(zone, 0, 0);
	if (!cached)
		goto err_objects;
	cached_phys = virt_to_phys(cached);
	err = myalloc_pages_free(zone, cached, 0);
	if (err)
		goto err_objects;
	return 0;

err_objects:
	put_page_and_object();
	myalloc_cache_destroy(cache);
err_zone:
	myalloc_zone_put(zone);
	return err;
}

static void __exit bad_client_exit(void)
{
	put_page_and_object();
	myalloc_cache_destroy(cache);
	myalloc_zone_put(zone);
}

module_init(bad_client_init);
module_exit(bad_client_exit);

MYALLOC_IMPORT_NS(MYALLOC);
MODULE_DESCRIPTION("Test client of myalloc: pages that the machine reports as bad");
MODULE_LICENSE("GPL");
