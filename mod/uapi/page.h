/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: pages.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 */
#ifndef _UAPI_MYALLOC_PAGE_H
#define _UAPI_MYALLOC_PAGE_H

/* myalloc_page_alloc.flags, myalloc_obj_alloc.flags */
#define MYALLOC_ALLOC_ZERO	(1u << 0)	/* memory reads as zero */
#define MYALLOC_ALLOC_TOPDOWN	(1u << 1)	/* pages only: highest address first */
#define MYALLOC_PAGE_FLAGS	(MYALLOC_ALLOC_ZERO | MYALLOC_ALLOC_TOPDOWN)
#define MYALLOC_OBJ_FLAGS	MYALLOC_ALLOC_ZERO

/**
 * struct myalloc_page_alloc - allocate blocks of pages
 * @order: log2 of pages in each block; ignored and set to 0 if @nr_pages is not 0
 * @nr_pages: exact number of pages (need not be a power of two), at most those of a
 *	chunk, or 0
 * @align_order: log2 of the alignment of the block's address, in pages; at most
 *	the zone's chunk_order. A smaller value than the block's order means that order
 * @flags: MYALLOC_ALLOC_*
 * @count: blocks to allocate, 1 to MYALLOC_BULK_MAX
 * @done: out: blocks allocated
 * @handles: user address of @count __u64
 */
struct myalloc_page_alloc {
	__u32 order;
	__u32 nr_pages;
	__u32 align_order;
	__u32 flags;
	__u32 count;
	__u32 done;
	__u64 handles;
};

/**
 * struct myalloc_free - free pages or objects by handle
 * @handles: user address of @count __u64
 * @count: 1 to MYALLOC_BULK_MAX
 * @done: out: number freed
 */
struct myalloc_free {
	__u64 handles;
	__u32 count;
	__u32 done;
};

#define MYALLOC_IOC_PAGE_ALLOC		_IOWR(MYALLOC_IOC, 0x10, struct myalloc_page_alloc)
#define MYALLOC_IOC_PAGE_FREE		_IOWR(MYALLOC_IOC, 0x11, struct myalloc_free)

#endif /* _UAPI_MYALLOC_PAGE_H */
