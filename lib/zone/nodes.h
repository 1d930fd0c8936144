/* SPDX-License-Identifier: GPL-2.0 */
/* The zones of several NUMA nodes as one set. Users include myalloc.h. See nodes.c. */
#ifndef MYALLOC_NODES_H
#define MYALLOC_NODES_H

#include "zone_types.h"

/**
 * struct myalloc_node_zone - a zone of a set
 * @zone: the zone
 * @node: the node that its memory is on; NUMA_NO_NODE: its memory may be on any node
 * @misses: blocks of it for requests that preferred another zone
 * @foreign: requests that preferred it and got a block of another zone
 */
struct myalloc_node_zone {
	struct myalloc_zone *zone;
	int node;
	atomic64_t misses;
	atomic64_t foreign;
};

/**
 * struct myalloc_nodes - a set of zones, one for each node
 * @nr_zones: number of zones
 * @nr_nodes: nodes have the numbers from 0 to @nr_nodes - 1
 * @order: for each node, and then for all others, the numbers of the zones in the order in which
 *	requests try them
 * @zone: the zones, by ascending node
 */
struct myalloc_nodes {
	u32 nr_zones;
	u32 nr_nodes;
	u16 *order;
	struct myalloc_node_zone zone[];
};

#define MYALLOC_NODES_MAX	1024	/* zones of a set; the kernel has at most as many nodes */

/**
 * struct myalloc_nodes_args - properties of a new set
 * @zones: the zones; they share no address
 * @nodes: the node of each of them, ascending; NUMA_NO_NODE if it is the only one and its memory
 *	may be on any node
 * @nr_zones: their number, 1 to MYALLOC_NODES_MAX
 * @nr_nodes: number of nodes, more than the highest of @nodes
 * @rank: how far memory of the node @to is from @node: the zone of the lowest rank is tried first,
 *	of equal ones that of the lower node. A node is the nearest to itself, whatever it says
 */
struct myalloc_nodes_args {
	struct myalloc_zone *const *zones;
	const int *nodes;
	u32 nr_zones;
	u32 nr_nodes;
	u32 (*rank)(int node, int to);
};

struct myalloc_nodes *myalloc_nodes_create(const struct myalloc_nodes_args *args);
void myalloc_nodes_destroy(struct myalloc_nodes *nodes);
const u16 *myalloc_nodes_order(const struct myalloc_nodes *nodes, int node);

/**
 * struct myalloc_node_stats - statistics of a zone as one of a set, as numastat has them
 * @node: its node, or NUMA_NO_NODE
 * @nr_pages: its pages
 * @free_pages: those that are free and in no magazine
 * @hit: blocks of it for requests that preferred it
 * @miss: blocks of it for requests that preferred another zone
 * @foreign: requests that preferred it and got a block of another zone
 */
struct myalloc_node_stats {
	int node;
	u64 nr_pages;
	u64 free_pages;
	u64 hit;
	u64 miss;
	u64 foreign;
};

int myalloc_nodes_stats(struct myalloc_nodes *nodes, u32 nr, struct myalloc_node_stats *stats);

#endif /* MYALLOC_NODES_H */
