/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: the zone as a whole: what it is, its statistics, drain, recount.
 * Include myalloc.h, which has the rules for all.
 */
#ifndef _UAPI_MYALLOC_ZONE_H
#define _UAPI_MYALLOC_ZONE_H

/**
 * struct myalloc_info - what does not change while the module is loaded
 * @size: sizeof(struct myalloc_info) of the caller
 * @page_size: bytes in a page
 * @chunk_order: log2 of pages in one chunk of the reserve
 * @max_order: order of the largest block
 * @nr_pages: pages in the reserve
 * @nr_chunks: chunks in the reserve
 * @node: NUMA node asked for, -1 for any
 * @checks: MYALLOC_CHECK_* in force for every cache and for pages
 * @meta_bytes: memory held beside the reserve: frame descriptors, bitmaps,
 *	address map, page magazines (caches add their own, see myalloc_cache_stat)
 * @nr_cpus: possible CPUs
 * @reserved: zero
 */
struct myalloc_info {
	__u32 size;
	__u32 page_size;
	__u32 chunk_order;
	__u32 max_order;
	__u64 nr_pages;
	__u64 nr_chunks;
	__s32 node;
	__u32 checks;
	__u64 meta_bytes;
	__u32 nr_cpus;
	__u32 reserved;
};

/**
 * struct myalloc_stat - the zone's books, one moment
 * @size: sizeof(struct myalloc_stat) of the caller
 * @max_order: orders above this are zero in the arrays
 * @nr_pages: capacity = @free_pages + @cached_pages + @page_pages + @slab_pages
 *	+ @deferred_pages + @quarantined_pages + @bad_pages when nothing is in flight
 * @free_pages: in free blocks of the buddy
 * @cached_pages: in per-CPU magazines and their depots
 * @page_pages: held by page users
 * @slab_pages: held by slabs
 * @deferred_pages: freed where the lock could not be had, not yet back
 * @free_blocks: free blocks of each order in the buddy
 * @cached_blocks: blocks of each order in magazines and depots
 * @unusable: unusable free space index of each order, in 1/1000, as in
 *	mm/vmstat.c: the share of free memory that no block of that order can use
 * @extfrag: fragmentation index of each order, in 1/1000, -1000 where a block
 *	of the order is free
 * @largest_order: order of the largest free block, -1 if none
 * @reserved: zero
 * @page_allocs: blocks handed to page users, by order
 * @page_frees: blocks that came back from page users, by order
 * @page_fails: page allocations that failed, by order
 * @page_hits: of @page_allocs, served from a magazine
 * @nmi_fails: allocations that failed because the lock was held below an NMI
 * @splits: blocks split in two
 * @merges: pairs of blocks merged
 * @bad_frees: wrong frees refused, all causes
 * @corruptions: red zone, poison and metadata damage found
 * @deferred_frees: frees that went through the deferred list
 * @drains: times the per-CPU magazines were drained
 * @peak_pages: most pages out of the buddy at once
 * @nr_caches: caches in existence
 * @reports_suppressed: wrong frees and damage counted above but not printed in the kernel's log
 * @quarantined_pages: freed while lent to the kernel, which has references to them still
 * @quarantines: blocks that ever were such
 * @bad_pages: reported as bad by the machine, and never handed out again
 */
struct myalloc_stat {
	__u32 size;
	__u32 max_order;
	__u64 nr_pages;
	__u64 free_pages;
	__u64 cached_pages;
	__u64 page_pages;
	__u64 slab_pages;
	__u64 deferred_pages;
	__u64 free_blocks[MYALLOC_ORDERS];
	__u64 cached_blocks[MYALLOC_ORDERS];
	__s32 unusable[MYALLOC_ORDERS];
	__s32 extfrag[MYALLOC_ORDERS];
	__s32 largest_order;
	__u32 reserved;
	__u64 page_allocs[MYALLOC_ORDERS];
	__u64 page_frees[MYALLOC_ORDERS];
	__u64 page_fails[MYALLOC_ORDERS];
	__u64 page_hits[MYALLOC_ORDERS];
	__u64 nmi_fails;
	__u64 splits;
	__u64 merges;
	__u64 bad_frees;
	__u64 corruptions;
	__u64 deferred_frees;
	__u64 drains;
	__u64 peak_pages;
	__u64 nr_caches;
	__u64 reports_suppressed;
	__u64 quarantined_pages;
	__u64 quarantines;
	__u64 bad_pages;
};

/**
 * struct myalloc_validate - recount everything from the ground
 * @errors: out: invariants found broken (0: the structure is sound)
 * @frames: out: frames looked at
 * @slabs: out: slabs looked at
 * @objects: out: object slots looked at
 * @first: out: the first finding in words, with the invariant's number
 */
struct myalloc_validate {
	__u64 errors;
	__u64 frames;
	__u64 slabs;
	__u64 objects;
	char first[160];
};

/**
 * struct myalloc_drain - give back what caches and magazines hold
 * @flags: MYALLOC_DRAIN_*, at least one
 * @pad: zero
 * @pages: out: pages that went back to the buddy
 */
struct myalloc_drain {
	__u32 flags;
	__u32 pad;
	__u64 pages;
};

#define MYALLOC_DRAIN_PAGES	(1u << 0)	/* per-CPU page magazines */
#define MYALLOC_DRAIN_OBJECTS	(1u << 1)	/* every cache's magazines, then its empty slabs */
#define MYALLOC_DRAIN_FLAGS	(MYALLOC_DRAIN_PAGES | MYALLOC_DRAIN_OBJECTS)

#define MYALLOC_IOC_INFO		_IOWR(MYALLOC_IOC, 0x00, struct myalloc_info)
#define MYALLOC_IOC_STAT		_IOWR(MYALLOC_IOC, 0x01, struct myalloc_stat)
#define MYALLOC_IOC_VALIDATE		_IOWR(MYALLOC_IOC, 0x02, struct myalloc_validate)
#define MYALLOC_IOC_DRAIN		_IOWR(MYALLOC_IOC, 0x03, struct myalloc_drain)

#endif /* _UAPI_MYALLOC_ZONE_H */
