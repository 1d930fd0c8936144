/* SPDX-License-Identifier: GPL-2.0 */
/* Module parameters. */
#ifndef MYALLOC_PARAMS_H
#define MYALLOC_PARAMS_H

#include "page/buddy.h"

/**
 * struct myalloc_share - memory of one NUMA node
 * @node: the node, NUMA_NO_NODE for any
 * @mb: MiB of it
 */
struct myalloc_share {
	int node;
	s64 mb;
};

/**
 * struct myalloc_params - values of the module parameters
 * @reserve_mb: size of the reserve in MiB
 * @max_mb: size up to which it may grow, in MiB; more than @reserve_mb only with one zone
 * @nodes: the zones to be made, by ascending node; freed with the code that runs at load
 * @nr_nodes: number of @nodes
 * @chunk_order: log2 of pages in a chunk
 * @max_order: largest order of a block where chunks are adjacent
 * @session_quota: percent of the reserve that one open file may hold
 * @checks: checks of pages and every cache
 * @policy: where a new block is placed
 */
struct myalloc_params {
	s64 reserve_mb;
	s64 max_mb;
	const struct myalloc_share *nodes;
	u32 nr_nodes;
	s64 chunk_order;
	s64 max_order;
	s64 session_quota;
	myalloc_cache_flags_t checks;
	enum myalloc_policy policy;
};

int myalloc_params_read(struct myalloc_params *params);

#endif /* MYALLOC_PARAMS_H */
