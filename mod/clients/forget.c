// SPDX-License-Identifier: GPL-2.0
/*
 * Example of a client, and of the report about a module that forgets to free
 *
 * It makes a client with a quota, a cache and pages of that client, and allocates some of each. At
 * the end it frees them and ends the client, as every module should. With forget=1 it leaves all of
 * it behind: the report names the lines below. With release=1 it frees nothing by itself, but ends
 * the client with MYALLOC_RELEASE_ALL, for modules that have no list of what they hold.
 *
 * With contract=1 its objects come from a contract of the client, so that allocations cannot fail.
 * The contract also declares one page; the module requests a second one, which is refused.
 *
 * With alone=1 it has no client, and leaves one block of pages, a cache with an object, and a heap.
 */
#include <linux/module.h>

#include "myalloc_client.h"

static unsigned int objects = 312;
module_param(objects, uint, 0444);
MODULE_PARM_DESC(objects, "requests that are allocated, at most 1000 (default 312)");

static unsigned int hard_pages = 256;
module_param(hard_pages, uint, 0444);
MODULE_PARM_DESC(hard_pages, "pages that the client may hold (default 256)");

static bool forget;
module_param(forget, bool, 0444);
MODULE_PARM_DESC(forget, "leave everything behind (default off)");

static bool release;
module_param(release, bool, 0444);
MODULE_PARM_DESC(release, "let the end of the client free everything (default off)");

static bool anonymous;
module_param(anonymous, bool, 0444);
MODULE_PARM_DESC(anonymous, "the client does not say whose it is (default off)");

static bool contract;
module_param(contract, bool, 0444);
MODULE_PARM_DESC(contract, "objects of a contract (default off)");

static bool alone;
module_param(alone, bool, 0444);
MODULE_PARM_DESC(alone, "no client, and pages, a cache and a heap that stay (default off)");

#define PAGES	5

static struct myalloc_zone *zone;
static struct myalloc_client *client;
static struct myalloc_cache *requests;
static struct myalloc_contract *promise;
static void *request[1000];
static void *pages;
static void *stated;

static noinline int ask_for_more(void)
{
	struct myalloc_zone *line = myalloc_contract_zone(promise, 1);
	void *more;

	stated = myalloc_pages_alloc(line, 0, 0);
	more = myalloc_pages_alloc(line, 0, 0);
	if (!more)
		return 0;
	pr_err("myalloc_forget: more than was stated\n");
	myalloc_free(line, more);
	return -EINVAL;
}

static noinline int frob_start(void)
{
	unsigned int i;

	pages = myalloc_client_pages_alloc(client, PAGES, 0, MYALLOC_ZERO | MYALLOC_MAY_WAIT);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < objects; i++) {
		request[i] = myalloc_cache_alloc(requests, MYALLOC_MAY_WAIT);
		if (!request[i])
			return -ENOMEM;
	}
	return promise ? ask_for_more() : 0;
}

static void frob_stop(void)
{
	unsigned int i;

	if (forget)
		return;
	if (!release) {
		for (i = 0; i < ARRAY_SIZE(request) && request[i]; i++)
			myalloc_cache_free(requests, request[i]);
		if (stated)
			myalloc_free(zone, stated);
		if (!IS_ERR_OR_NULL(promise))
			myalloc_contract_end(promise, 0);
		else if (!IS_ERR_OR_NULL(requests))
			myalloc_cache_destroy(requests);
		if (pages)
			myalloc_client_pages_free(client, pages, PAGES);
	}
	myalloc_client_end(client, release ? MYALLOC_RELEASE_ALL : 0);
}

static noinline int make_cache(void)
{
	const struct myalloc_cache_args args = {
		.name = "frob-request", .object_size = 200, .client = client,
	};
	const struct myalloc_contract_line lines[] = {
		{ .kind = MYALLOC_CONTRACT_OBJECTS, .count = objects, .cache = {
			.name = "frob-request", .object_size = 200 } },
		{ .kind = MYALLOC_CONTRACT_PAGES, .pages = 1, .orders = 1 },
	};
	static struct myalloc_contract_plan plan;

	if (!contract) {
		requests = myalloc_cache_create(zone, &args);
		return PTR_ERR_OR_ZERO(requests);
	}
	promise = myalloc_client_contract_create(client, "frob", lines, 2, 0, &plan);
	if (IS_ERR(promise))
		return PTR_ERR(promise);
	requests = myalloc_contract_cache(promise, 0);
	return 0;
}

static int start(void)
{
	const struct myalloc_client_args args = {
		.name = "frob",
		.owner = anonymous ? NULL : THIS_MODULE,
		.owner_name = anonymous ? NULL : "module myalloc_forget",
		.soft_pages = hard_pages / 2,
		.hard_pages = hard_pages,
		.checks = MYALLOC_OWNER,
	};

	int err;

	client = myalloc_client_create(zone, &args);
	if (IS_ERR(client))
		return PTR_ERR(client);
	err = make_cache();
	return err ?: frob_start();
}

static noinline void leave_caches(void)
{
	struct myalloc_cache *cache = myalloc_cache_create(zone, &(struct myalloc_cache_args){
		.name = "forgotten", .object_size = 100 });
	struct myalloc_heap *heap = myalloc_heap_create(zone, &(struct myalloc_heap_args){
		.name = "forgotten" });

	if (!IS_ERR(cache))
		request[0] = myalloc_cache_alloc(cache, MYALLOC_MAY_WAIT);
	if (IS_ERR(heap))
		pr_err("myalloc_forget: no heap\n");
}

static int __init forget_init(void)
{
	int err;

	if (objects > ARRAY_SIZE(request)) {
		pr_err("myalloc_forget: objects=%u is too many; give at most %zu\n", objects,
		       ARRAY_SIZE(request));
		return -EINVAL;
	}
	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	if (alone) {
		pages = myalloc_pages_alloc(zone, 2, MYALLOC_MAY_WAIT);
		leave_caches();
		return 0;
	}
	err = start();
	if (err) {
		if (!IS_ERR(client))
			frob_stop();
		myalloc_zone_put(zone);
	}
	return err;
}

static void __exit forget_exit(void)
{
	if (!alone)
		frob_stop();
	myalloc_zone_put(zone);
}

module_init(forget_init);
module_exit(forget_exit);

MODULE_DESCRIPTION("Example of a client of myalloc that may forget to free");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
