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

/*
 * mmap() of the device maps a block of pages: the offset is the handle times the page size, and
 * the length at most that of the block, whose beginning is mapped. The first mapping zeroes the
 * block. MAP_SHARED only; neither executable nor in parts: munmap() and mprotect() take the whole
 * mapping. MYALLOC_IOC_PAGE_FREE of a block with mappings fails with -EBUSY. A mapping keeps the
 * session alive: its resources are freed when the last mapping is gone and the file is closed.
 *
 *	not MAP_SHARED, more than the block			-EINVAL
 *	PROT_EXEC						-EPERM
 *	no such block						-ENOENT
 *	more than RLIMIT_MEMLOCK with pinned and locked memory,
 *	without CAP_IPC_LOCK					-ENOMEM
 *
 * The address that mmap() chooses may be a multiple of a page only. To have 2 MiB mapped at once,
 * reserve 2 MiB more than the length with PROT_NONE, and map the block with MAP_FIXED at the first
 * multiple of 2 MiB in that.
 *
 * get_user_pages() on such memory fails: it cannot be used for direct I/O. It is not charged to a
 * memory cgroup.
 */

/**
 * struct myalloc_page_map - how a block is mapped
 * @handle: the block
 * @pages: out: its pages
 * @maps: out: mappings that exist, of all processes
 * @granule_pages: out: pages mapped at once where the address is a multiple of their size: 2 MiB
 *	if the kernel can do that, otherwise 1
 * @large: out: times that 2 MiB were mapped at once
 */
struct myalloc_page_map {
	__u64 handle;
	__u32 pages;
	__u32 maps;
	__u32 granule_pages;
	__u32 large;
};

#define MYALLOC_IOC_PAGE_ALLOC		_IOWR(MYALLOC_IOC, 0x10, struct myalloc_page_alloc)
#define MYALLOC_IOC_PAGE_FREE		_IOWR(MYALLOC_IOC, 0x11, struct myalloc_free)
#define MYALLOC_IOC_PAGE_MAP		_IOWR(MYALLOC_IOC, 0xa0, struct myalloc_page_map)

#endif /* _UAPI_MYALLOC_PAGE_H */
