// SPDX-License-Identifier: GPL-2.0
/*
 * The zones of the module: one for each NUMA node that the parameter node names, or one for all
 *
 * Each has a reserve of its own. The set of them (lib/zone/nodes.c) tries them in the order of the
 * kernel's page allocator. The order is read from the kernel's zonelists, because the functions
 * that build them are not exported; so it includes everything that the kernel considers beside
 * distances (nodes without CPUs, nodes that are near to many).
 */
#include "env.h"

#include <linux/mmzone.h>
#include <linux/nodemask.h>

#include "budget.h"
#include "client/client.h"
#include "client/sites.h"
#include "debugfs/debugfs.h"
#include "nodes.h"
#include "page/lend.h"
#include "params.h"
#include "reserve.h"
#include "zone/nodes.h"
#include "zone/zone.h"

/**
 * struct own - a zone of the module, with its pages
 * @zone: the zone
 * @reserve: its pages
 * @asked: the parameter that requested it, for messages
 * @name: name of the zone
 */
struct own {
	struct myalloc_zone *zone;
	struct myalloc_reserve reserve;
	char asked[40];
	char name[16];
};

static struct own *own;
static u32 nr_own;
static struct myalloc_nodes *nodes;

/* Position of node @to in the page allocator's fallback list of @node. */
static u32 rank(int node, int to)
{
	const struct zonelist *list;
	u32 i;

	if (!node_online(node))
		return 0;
	list = &NODE_DATA(node)->node_zonelists[ZONELIST_FALLBACK];
	for (i = 0; i < ARRAY_SIZE(list->_zonerefs) && list->_zonerefs[i].zone; i++)
		if (zone_to_nid(list->_zonerefs[i].zone) == to)
			break;
	return i;
}

/* The largest number of chunks, at least the current one, whose metadata fits in @left bytes. */
static u32 __init most_chunks(const struct myalloc_zone_args *zone_args, u64 left)
{
	struct myalloc_zone_args args = *zone_args;
	u32 low = args.nr_chunks, high = args.max_chunks;

	while (high - low > 1) {
		args.max_chunks = low + (high - low) / 2;
		if (myalloc_budget_need(myalloc_zone_meta_size(&args)) <= left >> PAGE_SHIFT)
			low = args.max_chunks;
		else
			high = args.max_chunks;
	}
	return low;
}

/*
 * A reserve that may grow has the metadata of its largest size from the beginning, which may be
 * more than the system can spare although the reserve itself is small.
 */
static int __init check_metadata(const struct myalloc_zone_args *args,
				 const struct myalloc_params *params)
{
	struct myalloc_budget budget;
	char what[48];
	s64 mib;
	int err;

	if (!args->max_chunks)
		return 0;
	scnprintf(what, sizeof(what), "max_mb=%lld: metadata", params->max_mb);
	err = myalloc_budget_check(what, myalloc_zone_meta_size(args), &budget);
	if (!err)
		return 0;
	mib = ((u64)most_chunks(args, budget.left) << args->chunk_order) / MYALLOC_BUDGET_MIB_PAGES;
	if (mib > params->reserve_mb)
		pr_err("max_mb=%lld is too large for this machine now; give at most %lld\n",
		       params->max_mb, mib);
	else
		pr_err("max_mb=%lld is too large for this machine now; leave it out\n",
		       params->max_mb);
	return err;
}

static int __init make_zone(struct own *o, const struct myalloc_params *params)
{
	const struct myalloc_reserve *reserve = &o->reserve;
	const struct myalloc_zone_args args = {
		.name = o->name,
		.chunks = reserve->chunks,
		.nr_chunks = reserve->nr_chunks,
		.chunk_order = reserve->chunk_order,
		.max_order = params->max_order,
		.nr_pages = reserve->nr_pages,
		.node = reserve->node,
		.checks = params->checks,
		.policy = params->policy,
		.ops = &myalloc_debugfs_zone_ops,
		.max_chunks = reserve->max_chunks,
		.chunk_ops = &myalloc_reserve_chunk_ops,
		/* All memory that alloc_pages() can return */
		.span = { PAGE_OFFSET, (unsigned long)high_memory },
	};
	struct myalloc_zone *zone;
	char of[24] = "";
	int err = check_metadata(&args, params);

	if (err)
		return err;
	zone = myalloc_zone_create(&args);
	if (IS_ERR(zone)) {
		pr_err("out of memory for the metadata of %u pages\n",
		       reserve->max_chunks ? reserve->max_chunks << reserve->chunk_order :
					     reserve->nr_pages);
		return PTR_ERR(zone);
	}
	o->zone = zone;
	if (params->nr_nodes > 1)
		scnprintf(of, sizeof(of), "node %d: ", reserve->node);
	pr_info("%s%u chunk%s of %lu KiB, the largest block has %lu KiB\n", of,
		reserve->nr_chunks, myalloc_s(reserve->nr_chunks),
		(PAGE_SIZE << zone->chunk_order) / 1024,
		(PAGE_SIZE << zone->buddy.top_order) / 1024);
	if (zone->elastic)
		pr_info("it can grow from %u to %u chunks\n", zone->nr_fixed, zone->nr_chunks);
	return 0;
}

static int __init make_own(struct own *o, const struct myalloc_params *params, u32 nr)
{
	const struct myalloc_share *share = &params->nodes[nr];
	int err;

	if (params->nr_nodes == 1) {
		strscpy(o->name, "zone", sizeof(o->name));
		scnprintf(o->asked, sizeof(o->asked), "reserve_mb=%lld", share->mb);
	} else {
		scnprintf(o->name, sizeof(o->name), "node%d", share->node);
		scnprintf(o->asked, sizeof(o->asked), "node=%d:%lld", share->node, share->mb);
	}
	err = myalloc_reserve_take(&o->reserve, o->asked, share->mb,
				   params->nr_nodes == 1 ? params->max_mb : share->mb,
				   params->chunk_order, params->max_order, share->node);
	if (err)
		return err;
	err = make_zone(o, params);
	if (err)
		myalloc_reserve_release(&o->reserve);
	return err;
}

static int __init make_set(void)
{
	struct myalloc_nodes_args args = {
		.nr_zones = nr_own, .nr_nodes = nr_node_ids, .rank = rank,
	};
	struct myalloc_zone **zones = myalloc_env_zalloc(nr_own * sizeof(*zones), NUMA_NO_NODE);
	int *numbers = myalloc_env_zalloc(nr_own * sizeof(*numbers), NUMA_NO_NODE);
	u32 i;

	for (i = 0; zones && numbers && i < nr_own; i++) {
		zones[i] = own[i].zone;
		numbers[i] = own[i].reserve.node;
	}
	args.zones = zones;
	args.nodes = numbers;
	if (zones && numbers)
		nodes = myalloc_nodes_create(&args);
	myalloc_env_free(zones);
	myalloc_env_free(numbers);
	if (nodes)
		return 0;
	pr_err("out of memory for the list of %u zones\n", nr_own);
	return -ENOMEM;
}

/**
 * myalloc_nodes_begin() - take the pages of all nodes, make their zones and the set of these
 * @params: parameters of the module
 *
 * Context: task, may sleep, while the module is loaded.
 * Return: the set, or an error pointer after a message was printed, and then nothing is held.
 */
struct myalloc_nodes * __init myalloc_nodes_begin(const struct myalloc_params *params)
{
	int err = 0;

	own = myalloc_env_zalloc(params->nr_nodes * sizeof(*own), NUMA_NO_NODE);
	if (!own) {
		pr_err("out of memory for the list of %u zones\n", params->nr_nodes);
		return ERR_PTR(-ENOMEM);
	}
	while (!err && nr_own < params->nr_nodes) {
		err = make_own(&own[nr_own], params, nr_own);
		nr_own += !err;
	}
	if (!err)
		err = make_set();
	if (!err)
		return nodes;
	while (nr_own) {
		nr_own--;
		myalloc_zone_destroy(own[nr_own].zone);
		myalloc_reserve_release(&own[nr_own].reserve);
	}
	myalloc_env_free(own);
	return ERR_PTR(err);
}

/* Pages still lent return to the system by themselves once our references are dropped. */
static void end_lending(struct myalloc_zone *zone)
{
	u32 lent = myalloc_quarantine_abandon(zone);

	if (lent)
		pr_info("%u page%s %s still lent to the kernel, until it drops its references\n",
			lent, myalloc_s(lent), myalloc_are(lent));
}

/* Report memory that was not freed, by call site. */
static void report_left(struct myalloc_zone *zone)
{
	struct myalloc_sites sites;

	if (myalloc_sites_collect(&sites, zone, NULL, 0))
		return;
	myalloc_sites_print(&sites, "unload of", KBUILD_MODNAME, MYALLOC_CLIENT_SITES);
	myalloc_sites_free(&sites);
}

/**
 * myalloc_nodes_end() - end the set and its zones, and give their pages back
 *
 * Chunks with memory in use stay allocated, and are reported.
 *
 * Context: task, may sleep.
 */
void myalloc_nodes_end(void)
{
	u32 i;

	myalloc_nodes_destroy(nodes);
	for (i = 0; i < nr_own; i++) {
		end_lending(own[i].zone);
		/* Leak the chunks with memory in use rather than free pages in use. */
		if (myalloc_zone_destroy(own[i].zone)) {
			report_left(own[i].zone);
			myalloc_zone_abandon(own[i].zone);
			myalloc_reserve_salvage(&own[i].reserve, own[i].zone);
		} else {
			myalloc_reserve_release(&own[i].reserve);
		}
	}
	myalloc_env_free(own);
}
