/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: the zones of NUMA nodes, if the parameter node names several.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 *
 * Every other command works on one zone: that of the lowest of these nodes, or of the node that
 * MYALLOC_IOC_NODE_USE has chosen for this open file.
 */
#ifndef _UAPI_MYALLOC_NODE_H
#define _UAPI_MYALLOC_NODE_H

/**
 * struct myalloc_node_stat - statistics of a node's zone, with the counters of numastat
 * @size: sizeof(struct myalloc_node_stat) of the caller
 * @nr: in: number of the zone, from 0 by ascending node; -ENOENT if there are not so many
 * @node: out: the node, -1 if memory of the zone may be on any
 * @used: out: 1 if this open file works on that zone, otherwise 0
 * @nr_pages: out: its pages
 * @free_pages: out: its free pages, without those in magazines
 * @hit: out: blocks of it for requests that preferred it
 * @miss: out: blocks of it for requests that preferred another node
 * @foreign: out: requests that preferred it and got a block of another node
 */
struct myalloc_node_stat {
	__u32 size;
	__u32 nr;
	__s32 node;
	__u32 used;
	__u64 nr_pages;
	__u64 free_pages;
	__u64 hit;
	__u64 miss;
	__u64 foreign;
};

/**
 * struct myalloc_node_use - let this open file work on the zone of a node
 * @node: the node; -ENOENT if it has no zone. If there is one zone for all nodes, any will do
 * @pad: zero
 *
 * -EBUSY if the file holds anything, or has a job.
 */
struct myalloc_node_use {
	__s32 node;
	__u32 pad;
};

#define MYALLOC_IOC_NODE_STAT	_IOWR(MYALLOC_IOC, 0xe0, struct myalloc_node_stat)
#define MYALLOC_IOC_NODE_USE	_IOWR(MYALLOC_IOC, 0xe1, struct myalloc_node_use)

#endif /* _UAPI_MYALLOC_NODE_H */
