/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: the zone as a whole: properties, statistics, drain, recount.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 */
#ifndef _UAPI_MYALLOC_ZONE_H
#define _UAPI_MYALLOC_ZONE_H

/**
 * struct myalloc_info - properties that are constant while the module is loaded
 * @size: sizeof(struct myalloc_info) of the caller
 * @page_size: bytes in a page
 * @chunk_order: log2 of pages in one chunk of the reserve
 * @max_order: order of the largest block: above @chunk_order where chunks are adjacent
 * @nr_pages: pages in the reserve
 * @nr_chunks: chunks in the reserve
 * @node: requested NUMA node, -1 for any
 * @checks: MYALLOC_CHECK_* in force for every cache and for pages
 * @meta_bytes: memory used in addition to the reserve: frame descriptors, bitmaps,
 *	address map, page magazines (for that of caches see myalloc_cache_stat)
 * @nr_cpus: possible CPUs
 * @reserved: zero
 * @last_phys: physical address of the last byte of the reserve, as it is now; a device reaches all
 *	of it if its DMA mask is not below
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
	__u64 last_phys;
};

/*
 * struct myalloc_stat - the statistics of the zone at one moment
 * @size: sizeof(struct myalloc_stat) of the caller
 * @max_order: array entries of higher orders are zero
 * @reserved: zero
 *
 * stat_fields.h lists the other members in the order of the struct. The holders of pages add
 * up to nr_pages, except while pages move from one holder to another.
 */
struct myalloc_stat {
	__u32 size;
	__u32 max_order;

	MYALLOC_ZONE_FIELDS_1(MYALLOC_STAT_MEMBER, MYALLOC_STAT_ARRAY)

	__u32 reserved;

	MYALLOC_ZONE_FIELDS_2(MYALLOC_STAT_MEMBER, MYALLOC_STAT_ARRAY)
};

/**
 * struct myalloc_validate - recount the whole zone
 * @errors: out: invariants found broken (0: the structure is sound)
 * @frames: out: frames checked
 * @slabs: out: slabs checked
 * @objects: out: object slots checked
 * @first: out: message of the first finding, with the invariant's number
 */
struct myalloc_validate {
	__u64 errors;
	__u64 frames;
	__u64 slabs;
	__u64 objects;
	char first[160];
};

/**
 * struct myalloc_drain - drain caches and magazines
 * @flags: MYALLOC_DRAIN_*, at least one
 * @pad: zero
 * @pages: out: pages returned to the buddy
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
