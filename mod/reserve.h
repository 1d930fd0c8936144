/* SPDX-License-Identifier: GPL-2.0 */
/* The pages that the module takes from the system. */
#ifndef MYALLOC_RESERVE_H
#define MYALLOC_RESERVE_H

struct myalloc_chunk_ops;
struct myalloc_zone;

/**
 * struct myalloc_reserve - pages taken from the system
 * @chunks: addresses of the chunks, ascending
 * @nr_chunks: number of chunks
 * @chunk_order: log2 of pages in a chunk
 * @max_chunks: chunks that it may have later; 0 if it cannot grow
 * @nr_pages: total pages; if they do not fill the chunks, the last chunk is shorter
 * @node: requested NUMA node, NUMA_NO_NODE for any
 */
struct myalloc_reserve {
	void **chunks;
	u32 nr_chunks;
	u32 chunk_order;
	u32 max_chunks;
	u32 nr_pages;
	int node;
};

int myalloc_reserve_take(struct myalloc_reserve *reserve, const char *asked, u64 mib, u64 max_mib,
			 unsigned int chunk_order, unsigned int max_order, int node);
void myalloc_reserve_release(struct myalloc_reserve *reserve);
void myalloc_reserve_salvage(struct myalloc_reserve *reserve, struct myalloc_zone *zone);

/* Operations that take chunks from the system for a reserve that grows, and give them back. */
extern const struct myalloc_chunk_ops myalloc_reserve_chunk_ops;

#endif /* MYALLOC_RESERVE_H */
