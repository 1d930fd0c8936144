// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes: the zones of several NUMA nodes as one set
 *
 * What it is: a list of zones, each of which has the memory of one node, and for each node the
 * order in which a request for that node tries them. Zones do not know of the set. A caller that
 * needs a certain zone calls that zone; one that needs a page near a CPU calls the set.
 *
 *	       zone[0]  zone[1]  zone[2]	zones of nodes 0, 1 and 3
 *	order	  0        1        2		of node 0
 *		  1        0        2		of node 1
 *		  2        0        1		of node 2, which has no memory: 3 is the nearest
 *		  2        1        0		of node 3
 *		  0        1        2		of all others
 *
 * Terms
 *	prefers	a request prefers the first zone in the order of its node. As in the kernel that
 *		is another node's zone if the node has none
 *	own	the zone of the node itself. MYALLOC_THISNODE allows no other zone. A zone whose
 *		memory may be on any node is every node's own: its creator did not distinguish
 *		nodes
 *
 * The order is the kernel's at the time when the set is created; the creator passes it
 * (mod/nodes.c). A node that comes online later is one of the others.
 *
 * A request that may wait first asks every zone without waiting, then every zone with it: a page of
 * another node that is free costs less than a drain of all CPUs. alloc_pages() does the same.
 *
 * Statistics are those of numastat, in blocks. A zone counts its blocks already, at no cost to the
 * fast path, so only blocks that did not come from the preferred zone are counted here: hits are
 * the blocks that the zone has allocated to users of pages, less the misses. A request that was
 * made to the zone itself is therefore a hit. An extent counts as the blocks that it consists of. A
 * request that no zone serves counts once, as a failure of the zone that it prefers.
 *
 * Objects, contracts and everything else that is created in a zone have memory of that zone only,
 * so of one node. To create them near a node, ask the set for the zone: myalloc_nodes_zone().
 *
 * An address is looked up in one zone after the other: each look-up is a subtraction and a
 * comparison where the chunks of a zone are adjacent (frame.c), and there are as many zones as
 * nodes.
 *
 * Invariants
 *	C1  No address belongs to two zones of a set.
 *	C2  The order of a node has each zone once, the node's own first, the others by rank.
 *	C3  The sums of misses and foreign over all zones are equal unless a request is under way.
 *
 * Locking: none; nothing changes but the counters.
 */
#include "env.h"
#include "page/flags.h"
#include "page/pages.h"
#include "zone/nodes.h"
#include "zone/zone.h"

/* --- the set ------------------------------------------------------------------------ */

static u16 *row_at(const struct myalloc_nodes *nodes, u32 row)
{
	return nodes->order + (size_t)row * nodes->nr_zones;
}

static u32 rank_of(const struct myalloc_nodes_args *args, u32 node, u32 zone)
{
	return (int)node == args->nodes[zone] ? 0 : 1 + args->rank(node, args->nodes[zone]);
}

/* Insertion keeps the order of zones of equal rank. */
static void fill_row(const struct myalloc_nodes_args *args, u32 node, u16 *row)
{
	u32 i, at;

	for (i = 0; i < args->nr_zones; i++) {
		for (at = i; at && rank_of(args, node, i) < rank_of(args, node, row[at - 1]); at--)
			row[at] = row[at - 1];
		row[at] = i;
	}
}

/**
 * myalloc_nodes_create() - make a set of zones
 * @args: the zones and the distances of their nodes
 *
 * The zones must not be destroyed before the set.
 *
 * Context: task, may sleep.
 * Return: the set; NULL if out of memory.
 */
struct myalloc_nodes *myalloc_nodes_create(const struct myalloc_nodes_args *args)
{
	size_t rows = (size_t)(args->nr_nodes + 1) * args->nr_zones * sizeof(u16);
	struct myalloc_nodes *nodes;
	u32 i;

	nodes = myalloc_env_zalloc(struct_size(nodes, zone, args->nr_zones) + rows, NUMA_NO_NODE);
	if (!nodes)
		return NULL;
	nodes->nr_zones = args->nr_zones;
	nodes->nr_nodes = args->nr_nodes;
	nodes->order = (u16 *)&nodes->zone[args->nr_zones];
	for (i = 0; i < args->nr_zones; i++) {
		nodes->zone[i].zone = args->zones[i];
		nodes->zone[i].node = args->nodes[i];
		row_at(nodes, args->nr_nodes)[i] = i;
	}
	for (i = 0; i < args->nr_nodes; i++)
		fill_row(args, i, row_at(nodes, i));
	return nodes;
}

/**
 * myalloc_nodes_destroy() - end a set; the zones stay
 * @nodes: the set, or NULL
 *
 * Context: task, may sleep.
 */
void myalloc_nodes_destroy(struct myalloc_nodes *nodes)
{
	myalloc_env_free(nodes);
}

/**
 * myalloc_nodes_order() - the order in which requests of a node try the zones
 * @nodes: the set
 * @node: any number
 *
 * Context: any.
 * Return: an array with the number of each zone, the preferred one first.
 */
const u16 *myalloc_nodes_order(const struct myalloc_nodes *nodes, int node)
{
	return row_at(nodes, min_t(u32, node, nodes->nr_nodes));
}

/* The number of the node that is meant. */
static int node_of(int node)
{
	return node == NUMA_NO_NODE ? numa_node_id() : node;
}

/* Is this zone the node's own? */
static bool is_own(const struct myalloc_node_zone *zone, int node)
{
	return zone->node == node || zone->node == NUMA_NO_NODE;
}

/**
 * myalloc_nodes_zone() - the zone for a node
 * @nodes: the set
 * @node: number of a node; NUMA_NO_NODE: that of the CPU at this moment
 * @flags: MYALLOC_THISNODE: only the node's own zone; or 0
 *
 * Caches, heaps, contracts and all else that is made of this zone then have memory of its node.
 *
 * Context: any.
 * Return: the node's own zone. If it has none: NULL with MYALLOC_THISNODE, else the nearest zone.
 */
struct myalloc_zone *myalloc_nodes_zone(struct myalloc_nodes *nodes, int node,
					myalloc_flags_t flags)
{
	const struct myalloc_node_zone *first;

	node = node_of(node);
	first = &nodes->zone[myalloc_nodes_order(nodes, node)[0]];
	return flags & MYALLOC_THISNODE && !is_own(first, node) ? NULL : first->zone;
}

/* --- pages ------------------------------------------------------------------------ */

/* Asks the zones of a row from index @from on. Returns the index of what served, or nr_zones. */
static u32 ask(struct myalloc_nodes *nodes, const u16 *row, u32 from, unsigned int order,
	       myalloc_flags_t flags, unsigned long caller, void **addr)
{
	u32 i;

	for (i = from; i < nodes->nr_zones; i++) {
		*addr = myalloc_pages_try_for(nodes->zone[row[i]].zone, order, flags, caller);
		if (*addr)
			break;
	}
	return i;
}

/* The preferred zone could not serve the request without waiting. */
static noinline void *alloc_far(struct myalloc_nodes *nodes, const u16 *row, unsigned int order,
				myalloc_flags_t flags, unsigned long caller)
{
	void *addr = NULL;
	u32 i;

	if (flags & ~MYALLOC_PAGES_FLAGS_ALL)	/* the preferred zone has reported that */
		return NULL;
	i = ask(nodes, row, 1, order, flags & ~MYALLOC_MAY_WAIT, caller, &addr);
	if (!addr && flags & MYALLOC_MAY_WAIT)
		i = ask(nodes, row, 0, order, flags, caller, &addr);
	if (!addr)
		myalloc_pages_failed(nodes->zone[row[0]].zone, order, flags, caller);
	if (addr && i) {
		atomic64_inc(&nodes->zone[row[i]].misses);
		atomic64_inc(&nodes->zone[row[0]].foreign);
	}
	return addr;
}

/**
 * myalloc_nodes_pages_alloc() - allocate a block of pages near a node
 * @nodes: the set
 * @node: number of a node; NUMA_NO_NODE: that of the CPU at this moment
 * @order: log2 of pages
 * @flags: those of myalloc_pages_alloc(), and MYALLOC_THISNODE: only from the node's own zone
 *
 * The zones are tried in the kernel's order for the node, the nearest first.
 *
 * Context: any. With MYALLOC_MAY_WAIT: task, may sleep.
 * Return: address of the block; NULL if none of the zones has one, or if @flags has an unknown
 * flag, which is reported.
 */
void *myalloc_nodes_pages_alloc(struct myalloc_nodes *nodes, int node, unsigned int order,
				myalloc_flags_t flags)
{
	struct myalloc_node_zone *first;
	const u16 *row;
	void *addr;

	myalloc_flags_might_wait(flags);
	node = node_of(node);
	row = myalloc_nodes_order(nodes, node);
	first = &nodes->zone[row[0]];
	if (flags & MYALLOC_THISNODE) {
		if (!is_own(first, node))
			return NULL;
		return myalloc_pages_alloc_for(first->zone, order, flags & ~MYALLOC_THISNODE,
					       _RET_IP_);
	}
	addr = myalloc_pages_try_for(first->zone, order, flags & ~MYALLOC_MAY_WAIT, _RET_IP_);
	if (likely(addr))
		return addr;
	return alloc_far(nodes, row, order, flags, _RET_IP_);
}

/* --- addresses ---------------------------------------------------------------------- */

/**
 * myalloc_nodes_zone_at() - the zone that an address belongs to
 * @nodes: the set
 * @addr: any value
 *
 * Context: any.
 * Return: the zone; NULL if it belongs to none of them.
 */
struct myalloc_zone *myalloc_nodes_zone_at(struct myalloc_nodes *nodes, const void *addr)
{
	u32 i;

	for (i = 0; i < nodes->nr_zones; i++)
		if (myalloc_map_frame(&nodes->zone[i].zone->map, addr))
			return nodes->zone[i].zone;
	return NULL;
}

/* The first zone reports wrong frees of addresses that belong to no zone. */
static struct myalloc_zone *zone_for(struct myalloc_nodes *nodes, const void *addr)
{
	return myalloc_nodes_zone_at(nodes, addr) ?: nodes->zone[0].zone;
}

/**
 * myalloc_nodes_pages_free() - free a block of pages
 * @nodes: the set
 * @addr: its address, any value
 * @order: the order it was allocated with, any value
 *
 * Context: any.
 * Return: as of myalloc_pages_free().
 */
int myalloc_nodes_pages_free(struct myalloc_nodes *nodes, void *addr, unsigned int order)
{
	return myalloc_pages_free_for(zone_for(nodes, addr), addr, order, _RET_IP_);
}

/**
 * myalloc_nodes_free() - free a block of pages, an extent or an object of any of the zones
 * @nodes: the set
 * @addr: its address; any value is safe
 *
 * Context: any.
 * Return: as of myalloc_free().
 */
int myalloc_nodes_free(struct myalloc_nodes *nodes, void *addr)
{
	return myalloc_free_for(zone_for(nodes, addr), addr, _RET_IP_);
}

/* --- statistics ---------------------------------------------------------------------- */

/**
 * myalloc_nodes_stats() - read the statistics of a zone as one of a set
 * @nodes: the set
 * @nr: number of the zone, from 0 in the order of their nodes
 * @stats: out; exact while no operation is in progress
 *
 * Context: task, may sleep.
 * Return: 0; -ENOENT if there are not so many zones; -ENOMEM.
 */
int myalloc_nodes_stats(struct myalloc_nodes *nodes, u32 nr, struct myalloc_node_stats *stats)
{
	struct myalloc_zone_stats *of;
	struct myalloc_node_zone *z;
	unsigned int k;

	memset(stats, 0, sizeof(*stats));
	if (nr >= nodes->nr_zones)
		return -ENOENT;
	of = myalloc_env_zalloc(sizeof(*of), NUMA_NO_NODE);
	if (!of)
		return -ENOMEM;
	z = &nodes->zone[nr];
	stats->node = z->node;
	stats->miss = atomic64_read(&z->misses);
	stats->foreign = atomic64_read(&z->foreign);
	myalloc_zone_stats(z->zone, of);	/* after the misses: the zone counts them first */
	for (k = 0; k < MYALLOC_NR_ORDERS; k++)
		stats->hit += of->page_allocs[k];
	stats->hit -= min(stats->hit, stats->miss);
	stats->nr_pages = of->nr_pages;
	stats->free_pages = of->free_pages;
	myalloc_env_free(of);
	return 0;
}
