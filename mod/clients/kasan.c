// SPDX-License-Identifier: GPL-2.0
/*
 * A test client that makes one access that KASAN must report, for vm/scenarios/kasan.sh
 *
 * The parameter @access selects it. The function myalloc_kasan_access(), which the report
 * names, makes the access once, while the module is loaded.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/string.h>

#include "myalloc_client.h"

static char *access = "within";
module_param(access, charp, 0444);
MODULE_PARM_DESC(access, "which access: see accesses[] in the source");

enum thing { OBJECT, BLOCK, EXTENT };

/* @freed: the access follows the free. @next: the next object is allocated. */
static const struct access {
	const char *name;
	enum thing thing;
	unsigned int bytes;
	myalloc_cache_flags_t flags;
	long at;
	bool freed;
	bool next;
} accesses[] = {
	{ "within", OBJECT, 64, 0, 63, false, true },
	{ "object-freed", OBJECT, 64, 0, 0, true, false },
	{ "object-freed-no-magazine", OBJECT, 64, MYALLOC_NO_MAGAZINE, 63, true, false },
	{ "object-freed-zeroed", OBJECT, 700, MYALLOC_ZERO_FREE, 699, true, false },
	{ "object-over-by-one", OBJECT, 64, MYALLOC_REDZONE, 64, false, true },
	{ "object-over-by-one-odd", OBJECT, 13, 0, 13, false, true },
	{ "object-over-into-free", OBJECT, 64, 0, 64, false, false },
	{ "object-under-by-one", OBJECT, 64, MYALLOC_REDZONE, -1, false, true },
	{ "block-freed", BLOCK, PAGE_SIZE, 0, 0, true, false },
	{ "block-freed-end", BLOCK, PAGE_SIZE << 3, 0, (PAGE_SIZE << 3) - 1, true, false },
	{ "block-over-by-one", BLOCK, PAGE_SIZE << 4, 0, PAGE_SIZE << 4, false, false },
	{ "extent-freed", EXTENT, 5 * PAGE_SIZE, 0, 5 * PAGE_SIZE - 1, true, false },
	{ "extent-over-by-one", EXTENT, 5 * PAGE_SIZE, 0, 5 * PAGE_SIZE, false, false },
};

static struct myalloc_zone *zone;
static struct myalloc_cache *cache;

static noinline void myalloc_kasan_access(const u8 *addr)
{
	(void)READ_ONCE(*addr);
}

static void *get(const struct access *a)
{
	switch (a->thing) {
	case OBJECT:
		return myalloc_cache_alloc(cache, 0);
	case BLOCK:
		return myalloc_pages_alloc(zone, get_order(a->bytes), 0);
	case EXTENT:
		return myalloc_pages_alloc_exact(zone, a->bytes >> PAGE_SHIFT, 0, 0);
	}
	return NULL;
}

static int put(const struct access *a, void *addr)
{
	switch (a->thing) {
	case OBJECT:
		return myalloc_cache_free(cache, addr);
	case BLOCK:
		return myalloc_pages_free(zone, addr, get_order(a->bytes));
	case EXTENT:
		return myalloc_pages_free_exact(zone, addr, a->bytes >> PAGE_SHIFT);
	}
	return -EINVAL;
}

/* An object gets two neighbours: the first two slots of a new slab. */
static int make_access(const struct access *a)
{
	u8 *first = get(a), *second = a->thing == OBJECT ? get(a) : NULL;
	const u8 *at;
	int err = 0;

	if (!first || (a->thing == OBJECT && !second)) {
		err = -ENOMEM;
		goto out;
	}
	if (second && second < first)
		swap(first, second);
	at = (a->at < 0 ? second : first) + a->at;
	if (second && !a->next) {
		err = put(a, second);
		second = NULL;
	}
	if (!err && a->freed) {
		err = put(a, first);
		first = NULL;
	}
	if (!err)
		myalloc_kasan_access(at);
out:
	if (second)
		err = put(a, second) ?: err;
	if (first)
		err = put(a, first) ?: err;
	return err;
}

static int __init kasan_client_init(void)
{
	const struct access *a = NULL;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(accesses); i++)
		if (!strcmp(accesses[i].name, access))
			a = &accesses[i];
	if (!a) {
		pr_err("myalloc_kasan: no access '%s'; see modinfo\n", access);
		return -EINVAL;
	}
	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	if (a->thing == OBJECT) {
		const struct myalloc_cache_args args = {
			.name = "kasan", .object_size = a->bytes, .flags = a->flags,
		};

		cache = myalloc_cache_create(zone, &args);
		if (IS_ERR(cache)) {
			err = PTR_ERR(cache);
			goto err_zone;
		}
	}
	err = make_access(a);
	if (err)
		goto err_cache;
	return 0;

err_cache:
	if (cache)
		myalloc_cache_destroy(cache);
err_zone:
	myalloc_zone_put(zone);
	return err;
}

static void __exit kasan_client_exit(void)
{
	if (cache)
		myalloc_cache_destroy(cache);
	myalloc_zone_put(zone);
}

module_init(kasan_client_init);
module_exit(kasan_client_exit);

MYALLOC_IMPORT_NS(MYALLOC);
MODULE_DESCRIPTION("Test client of myalloc: accesses that KASAN reports");
MODULE_LICENSE("GPL");
