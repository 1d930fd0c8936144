// SPDX-License-Identifier: GPL-2.0
/*
 * An example of memory near the CPU that uses it: pages, and a cache for each node
 *
 * A zone has memory of one NUMA node. myalloc_nodes_pages_alloc() allocates a page from the zone of
 * the requested node or, unless MYALLOC_THISNODE forbids it, from the next nearest. A cache belongs
 * to one zone. A driver that wants objects near each CPU makes a cache for each zone and uses that
 * of the CPU's node; the set knows the nearest zone where a node has none. An object is freed by
 * its address alone, on any CPU.
 *
 * The parameters select the memory that is allocated at load; it is freed at unload. The parameter
 * got shows the nodes that it came from. vm/scenarios/numa.sh is its test.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "../myalloc_client.h"

static int node = NUMA_NO_NODE;
module_param(node, int, 0444);
MODULE_PARM_DESC(node, "node near which pages are taken, -1: that of the CPU (default -1)");

static unsigned int pages;
module_param(pages, uint, 0444);
MODULE_PARM_DESC(pages, "pages to take (default 0)");

static bool strict;
module_param(strict, bool, 0444);
MODULE_PARM_DESC(strict, "take them from no other node (default N)");

static char got[512];
module_param_string(got, got, sizeof(got), 0444);
MODULE_PARM_DESC(got, "pages taken, as NODE:PAGES of each node; and the node of an object");

static struct myalloc_nodes *nodes;
static struct myalloc_cache **caches;	/* of each node; NULL if it has no zone */
static void **taken;
static unsigned int nr_taken;
static void *object;

/* A cache for the zone of each node. */
static int __init make_caches(void)
{
	struct myalloc_cache_args args = { .object_size = 64 };
	struct myalloc_zone *zone;
	char name[MYALLOC_CACHE_NAME];
	int n;

	for_each_online_node(n) {
		zone = myalloc_nodes_zone(nodes, n, MYALLOC_THISNODE);
		if (!zone)
			continue;
		scnprintf(name, sizeof(name), "near-%d", n);
		args.name = name;
		caches[n] = myalloc_cache_create(zone, &args);
		if (IS_ERR(caches[n]))
			return PTR_ERR(caches[n]);
	}
	return 0;
}

/* The cache for this CPU: that of its node or, if that has no zone, of the nearest. */
static struct myalloc_cache * __init cache_here(void)
{
	struct myalloc_zone_info info;

	myalloc_zone_info(myalloc_nodes_zone(nodes, NUMA_NO_NODE, 0), &info);
	return caches[info.node == NUMA_NO_NODE ? numa_node_id() : info.node];
}

static void take_pages(void)
{
	while (nr_taken < pages) {
		taken[nr_taken] = myalloc_nodes_pages_alloc(nodes, node, 0,
							    strict ? MYALLOC_THISNODE : 0);
		if (!taken[nr_taken])
			break;
		nr_taken++;
	}
}

static void __init tell(void)
{
	unsigned int i, nr, len = 0;
	int n;

	for_each_online_node(n) {
		for (i = 0, nr = 0; i < nr_taken; i++)
			nr += page_to_nid(virt_to_page(taken[i])) == n;
		len += scnprintf(got + len, sizeof(got) - len, "%d:%u ", n, nr);
	}
	scnprintf(got + len, sizeof(got) - len, "object:%d",
		  page_to_nid(virt_to_page(object)));
}

static void give_back(void)
{
	int n;

	while (nr_taken)
		myalloc_nodes_pages_free(nodes, taken[--nr_taken], 0);
	if (object)
		myalloc_nodes_free(nodes, object);
	for (n = 0; caches && n < nr_node_ids; n++)
		if (!IS_ERR_OR_NULL(caches[n]))
			myalloc_cache_destroy(caches[n]);
	kfree(caches);
	kvfree(taken);
	myalloc_nodes_put(nodes);
}

static int __init near_init(void)
{
	int err = -ENOMEM;

	nodes = myalloc_nodes_get();
	if (!nodes)
		return -ENODEV;
	caches = kcalloc(nr_node_ids, sizeof(*caches), GFP_KERNEL);
	taken = kvcalloc(pages + 1, sizeof(*taken), GFP_KERNEL);
	if (caches && taken)
		err = make_caches();
	if (!err) {
		object = myalloc_cache_alloc(cache_here(), 0);
		err = object ? 0 : -ENOMEM;
	}
	if (err) {
		give_back();
		return err;
	}
	take_pages();
	tell();
	return 0;
}

static void __exit near_exit(void)
{
	give_back();
}

module_init(near_init);
module_exit(near_exit);
MODULE_DESCRIPTION("Example of myalloc: memory near the CPU");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
