/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: inspection of memory: an overview of a range of pages, and details of one place.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 *
 * Neither command stops or changes anything: no lock is held while pages are inspected, so a page
 * on its way from one holder to another may be reported as either, or as MYALLOC_IS_MOVING.
 */
#ifndef _UAPI_MYALLOC_LOOK_H
#define _UAPI_MYALLOC_LOOK_H

/* Kinds of pages. Further kinds may be added up to MYALLOC_IS_KINDS. */
#define MYALLOC_IS_FREE		0	/* in a free block of the buddy */
#define MYALLOC_IS_CACHED	1	/* in a magazine or depot */
#define MYALLOC_IS_PAGES	2	/* allocated by a page user */
#define MYALLOC_IS_SLAB		3	/* in a slab */
#define MYALLOC_IS_DEFERRED	4	/* freed where the lock could not be taken */
#define MYALLOC_IS_QUARANTINED	5	/* freed while lent to the kernel */
#define MYALLOC_IS_BAD		6	/* reported as bad memory */
#define MYALLOC_IS_MOVING	7	/* between two of these */
#define MYALLOC_IS_CONTRACT	8	/* in the zone of a contract */
#define MYALLOC_IS_HOLE		9	/* a hole in a reserve that may grow: no memory now */
#define MYALLOC_IS_KINDS	16

/**
 * struct myalloc_cell - kinds of the pages in a part of a range
 * @pages: pages of each kind; together those of the cell
 * @filled: for each page of a slab the share of its slab's slots that are in use or in a magazine,
 *	in 1/1000, added up
 * @largest: largest order of a free block that lies in the cell, even in part, plus 1; or 0
 * @pad: zero
 */
struct myalloc_cell {
	__u32 pages[MYALLOC_IS_KINDS];
	__u64 filled;
	__u32 largest;
	__u32 pad;
};

#define MYALLOC_CELLS_MAX	16384	/* in one command */

/**
 * struct myalloc_cells - inspect a range of pages, in parts of equal size
 * @first: first page
 * @pages: pages in each cell, at least 1
 * @count: cells, 1 to MYALLOC_CELLS_MAX
 * @done: out: cells written; fewer than @count if the zone ends before. The last may have fewer
 *	pages
 * @cells: user address of @count struct myalloc_cell
 *
 * -EINVAL if @first is not in the zone. A signal that ends the process ends the command.
 */
struct myalloc_cells {
	__u64 first;
	__u64 pages;
	__u32 count;
	__u32 done;
	__u64 cells;
};

/* myalloc_look.how: meaning of @key */
#define MYALLOC_LOOK_PAGE	0	/* number of a page of the zone; @slot of a slab, or ~0 */
#define MYALLOC_LOOK_ADDRESS	1	/* a kernel address, for those with CAP_SYSLOG: -EPERM */
#define MYALLOC_LOOK_HANDLE	2	/* a handle of any open file, or of those of process @pid */

#define MYALLOC_LOOK_NONE	(~0u)	/* no slot */

/* myalloc_look.state: of a slot */
#define MYALLOC_SLOT_IS_FREE	0	/* in its slab */
#define MYALLOC_SLOT_IS_CACHED	1	/* in a magazine or depot */
#define MYALLOC_SLOT_IS_LIVE	2	/* an object in use */
#define MYALLOC_SLOT_IS_DEFERRED 3	/* freed where the lock could not be taken */
#define MYALLOC_SLOT_IS_MOVING	4	/* between two of these */

/**
 * struct myalloc_who - the last allocation or free of a block or object
 * @age_ns: time since, ~0 if unknown
 * @pid: thread, 0 in an interrupt or if unknown
 * @pad: zero
 * @by: the code, as symbol+offset, empty if unknown
 * @stack: call stack, a line for each frame, empty if unknown
 */
struct myalloc_who {
	__u64 age_ns;
	__u32 pid;
	__u32 pad;
	char by[128];
	char stack[1024];
};

/**
 * struct myalloc_look - details of one place in memory
 * @size: sizeof(struct myalloc_look) of the caller
 * @how: MYALLOC_LOOK_*
 * @key: page, address or handle
 * @pid: with MYALLOC_LOOK_HANDLE: the process that has the file open, 0 for any; out: that process
 * @slot: with MYALLOC_LOOK_PAGE: a slot of the slab, or MYALLOC_LOOK_NONE; out: the slot
 * @first: out: first page of the block or extent
 * @pages: out: its pages
 * @order: out: log2 of the pages of the block; of an extent: that of its first block
 * @kind: out: MYALLOC_IS_*
 * @state: out: MYALLOC_SLOT_IS_* if there is a slot
 * @cache: out: number of the cache of a slab, 0 if it has none
 * @slots: out: slots of the slab
 * @used: out: those in use or in a magazine
 * @object_size: out: usable bytes of an object
 * @offset: out: bytes from the beginning of the object, or of the block, to the address
 * @name: out: of the cache
 * @comm: out: name of process @pid
 * @alloc: out: its allocation; of free pages: the last one
 * @free: out: its last free; objects and free pages only
 * @contract: out: line of a contract that it is in, as its name, a dot and the number of the line;
 *	empty if it is in none. @cache is then one of that line
 * @client: out: the client that it belongs to; empty if it belongs to none, or that is not known.
 *	It is unknown for pages of arenas and rings
 *
 * Memory of a contract is reported as any other: a block or an object of a user, free pages, or
 * MYALLOC_IS_CONTRACT for pages that are set aside and cannot be requested.
 *
 * The caller that allocated a block is always known. Its stack, the free of pages, and all about
 * objects, is recorded only with MYALLOC_CHECK_OWNER. Of a free page that is not in a magazine,
 * @alloc is the last allocation of a block that began there. It is empty if there was none since a
 * slab lay there, and for chunks that an elastic reserve has taken from the system.
 *
 *	not in the zone, or no such slot			-EINVAL
 *	no such handle, or one of a cache			-ENOENT
 *	files of several processes have this handle		-ENOTUNIQ
 *	the place changed all the time				-EAGAIN
 */
struct myalloc_look {
	__u32 size;
	__u32 how;
	__u64 key;
	__u32 pid;
	__u32 slot;
	__u64 first;
	__u32 pages;
	__u32 order;
	__u32 kind;
	__u32 state;
	__u32 cache;
	__u32 slots;
	__u32 used;
	__u32 object_size;
	__s64 offset;
	char name[MYALLOC_NAME_MAX];
	char comm[16];
	struct myalloc_who alloc;
	struct myalloc_who free;
	char contract[MYALLOC_NAME_MAX];
	char client[MYALLOC_NAME_MAX];
};

#define MYALLOC_IOC_CELLS		_IOWR(MYALLOC_IOC, 0x04, struct myalloc_cells)
#define MYALLOC_IOC_LOOK		_IOWR(MYALLOC_IOC, 0x05, struct myalloc_look)

#endif /* _UAPI_MYALLOC_LOOK_H */
