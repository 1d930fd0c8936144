// SPDX-License-Identifier: GPL-2.0
/*
 * The smallest module that uses myalloc, in a directory of its own: README.md prints it, and
 * says how to build it. mod/clients/example.c is a larger one.
 */
#include <linux/module.h>
#include "myalloc_client.h"

struct frob_request {
	u64 number;
	void *buffer;
};

static struct myalloc_zone *zone;
static struct myalloc_cache *cache;

static int __init frob_init(void)
{
	const struct myalloc_cache_args args = {
		.name = "frob-request",
		.object_size = sizeof(struct frob_request),
	};
	struct frob_request *request;

	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	cache = myalloc_cache_create(zone, &args);
	if (IS_ERR(cache)) {
		myalloc_zone_put(zone);
		return PTR_ERR(cache);
	}

	request = myalloc_cache_alloc(cache, 0);	/* in any context; NULL if there is none */
	if (request) {
		request->buffer = myalloc_pages_alloc(zone, 3, 0);	/* 2^3 pages, likewise */
		if (request->buffer)
			myalloc_pages_free(zone, request->buffer, 3);
		myalloc_cache_free(cache, request);
	}
	return 0;
}

static void __exit frob_exit(void)
{
	myalloc_cache_destroy(cache);
	myalloc_zone_put(zone);
}

module_init(frob_init);
module_exit(frob_exit);
MODULE_DESCRIPTION("Smallest client of myalloc");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
