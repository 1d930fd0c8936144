/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: contracts.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 *
 * A contract declares the most that its owner will hold. It costs pages of the reserve, which are
 * taken at once; in return no request within it fails, whatever other users do.
 */
#ifndef _UAPI_MYALLOC_CONTRACT_H
#define _UAPI_MYALLOC_CONTRACT_H

#define MYALLOC_LINES_MAX	16	/* lines of a contract */
#define MYALLOC_LINE_SIZES_MAX	22	/* sizes of a line of extents */

/* myalloc_line.kind */
#define MYALLOC_LINE_PAGES	0	/* blocks of 2^order pages */
#define MYALLOC_LINE_EXTENTS	1	/* any numbers of pages */
#define MYALLOC_LINE_OBJECTS	2	/* objects of a cache */

/**
 * struct myalloc_line - the most that is held of one kind
 * @kind: MYALLOC_LINE_PAGES, MYALLOC_LINE_EXTENTS or MYALLOC_LINE_OBJECTS
 * @pages: PAGES, EXTENTS: pages that are live at most
 * @orders: PAGES: bit k: blocks of order k are asked for, at most that of a chunk
 * @nr_sizes: EXTENTS: number of @sizes
 * @count: OBJECTS: objects that are live at most
 * @nmi: blocks (of a line with one order) or objects that each CPU keeps for NMI handlers
 * @object_size: OBJECTS: usable bytes in an object
 * @align: OBJECTS: alignment, a power of two up to the page size, or 0
 * @sizes: EXTENTS: the numbers of pages that are asked for, at most a chunk
 *
 * Members that do not belong to the kind are 0.
 */
struct myalloc_line {
	__u32 kind;
	__u32 pages;
	__u32 orders;
	__u32 nr_sizes;
	__u32 count;
	__u32 nmi;
	__u32 object_size;
	__u32 align;
	__u32 sizes[MYALLOC_LINE_SIZES_MAX];
};

/**
 * struct myalloc_line_cost - the cost of one line
 * @needed: pages within which no request of the line fails
 * @set_aside: pages taken from the reserve: @needed in whole blocks
 * @order: log2 of pages of each of these blocks
 * @blocks: number of these blocks
 * @held: OBJECTS: objects that magazines and the stacks for NMIs hold back at most
 * @slabs: OBJECTS: slabs that are made beforehand
 * @objects: OBJECTS: objects in a slab
 * @apart: PAGES, EXTENTS: pages needed if the number of blocks of each order, or of extents of each
 *	size, were known, and each had a line of its own; for extents at most, because it depends on
 *	these numbers. 0 if the line has one order or size
 * @ends: pages needed with the lowest and the highest order or size only; 0 if there are no others
 * @fewer: pages needed with @fewer_orders; 0 if there are none
 * @fewer_orders: PAGES: the orders without the one that saves most. EXTENTS: bit k: the sizes above
 *	2^(k-1) up to 2^k stay, all but those that save most when they are left out together; 0 if
 *	the line has two sizes, or no such group but one
 * @pad: zero
 */
struct myalloc_line_cost {
	__u32 needed;
	__u32 set_aside;
	__u32 order;
	__u32 blocks;
	__u32 held;
	__u32 slabs;
	__u32 objects;
	__u32 apart;
	__u32 ends;
	__u32 fewer;
	__u32 fewer_orders;
	__u32 pad;
};

/* myalloc_contract_make.flags */
#define MYALLOC_CONTRACT_IS_BEST_EFFORT	(1u << 0)	/* pages beyond it: from the zone */
#define MYALLOC_CONTRACT_IS_SHORT	(1u << 1)	/* for tests: each line has a page less */
#define MYALLOC_CONTRACT_IS_FLAGS	0x3u

/**
 * struct myalloc_contract_make - plan or create a contract
 * @size: sizeof(struct myalloc_contract_make) of the caller
 * @flags: MYALLOC_CONTRACT_IS_*
 * @name: NUL-terminated: 1 to 25 ASCII letters, digits, '-', '_', '.'; PLAN: may be empty
 * @lines: address of @nr_lines structs myalloc_line
 * @costs: address of @nr_lines structs myalloc_line_cost to be filled in; or 0
 * @nr_lines: 1 to MYALLOC_LINES_MAX
 * @pages: out: pages of the reserve that all lines take
 * @largest_order: out: order of the largest blocks that they are taken in
 * @pages_short: out: pages that the zone has too few of, 0 if it has enough
 * @blocks_short: out: blocks of @short_order that the zone has too few of, 0 if it has enough
 * @short_order: out: the highest order of which there are too few
 * @handle: out, CREATE: handle of the contract
 * @id: out, CREATE: its number, for MYALLOC_IOC_CONTRACT_STAT
 * @reason: out: why it is refused, as a message; or empty. Written with -EINVAL, -EEXIST, -ENOSPC
 *	and -EDQUOT as well
 *
 * PLAN takes no pages, and returns 0 also if the zone has too few. CREATE takes all or none:
 * -ENOSPC if the zone has too little, -EDQUOT if the file may not hold so much, -EEXIST if the name
 * is used. The contract ends with the file.
 */
struct myalloc_contract_make {
	__u32 size;
	__u32 flags;
	char name[MYALLOC_NAME_MAX];
	__u64 lines;
	__u64 costs;
	__u32 nr_lines;
	__u32 pages;
	__u32 largest_order;
	__u32 pages_short;
	__u32 blocks_short;
	__u32 short_order;
	__u64 handle;
	__u64 id;
	char reason[160];
};

/**
 * struct myalloc_contract_finish - end a contract
 * @handle: handle of the contract; or 0, and
 * @id: its number. It may be that of another open file; a contract of a module is refused: -EPERM
 */
struct myalloc_contract_finish {
	__u64 handle;
	__u64 id;
};

/*
 * struct myalloc_contract_stat - the statistics of one line of a contract at one moment
 * @size: sizeof(struct myalloc_contract_stat) of the caller
 * @how: MYALLOC_BY_ID or MYALLOC_NEXT_ID
 * @name: out: name of the contract, a dot, and the number of the line
 *
 * stat_fields.h lists the other members in the order of the struct; @id, the number of the contract
 * times MYALLOC_LINES_MAX and the number of the line, is also the input.
 */
struct myalloc_contract_stat {
	__u32 size;
	__u32 how;
	char name[MYALLOC_NAME_MAX];

	MYALLOC_CONTRACT_FIELDS(MYALLOC_STAT_MEMBER)
};

#define MYALLOC_BEYOND_SITES_MAX	8	/* call sites of a line */

/**
 * struct myalloc_beyond_site - how often one call site asked for more than was declared
 * @caller: the call site, as symbol+offset/size; empty for all that are not listed by themselves
 * @count: its requests
 */
struct myalloc_beyond_site {
	char caller[88];
	__u64 count;
};

/**
 * struct myalloc_contract_sites - where requests beyond a line of a contract came from
 * @size: sizeof(struct myalloc_contract_sites) of the caller
 * @nr: out: call sites in @site
 * @id: number of the line, as in struct myalloc_contract_stat
 * @site: out: call sites, in the order in which they came first
 *
 * -ENOENT if there is no such line.
 */
struct myalloc_contract_sites {
	__u32 size;
	__u32 nr;
	__u64 id;
	struct myalloc_beyond_site site[MYALLOC_BEYOND_SITES_MAX];
};

/* myalloc_contract_test.adversary */
#define MYALLOC_ADVERSARY_ROBSON	0	/* the worst possible order of requests */
#define MYALLOC_ADVERSARY_RANDOM	1

#define MYALLOC_CONTRACT_TEST_REQUESTS_MAX	1000000000000ULL
#define MYALLOC_CONTRACT_TEST_OTHERS_MAX	64
#define MYALLOC_CONTRACT_TEST_PAGES_MAX		(1u << 20)

/**
 * struct myalloc_contract_test - start a test of a contract
 * @size: sizeof(struct myalloc_contract_test) of the caller
 * @adversary: MYALLOC_ADVERSARY_ROBSON or MYALLOC_ADVERSARY_RANDOM
 * @seed: seed of every random choice; 0 chooses one and reports it
 * @requests: allocations after which it ends, 1 to MYALLOC_CONTRACT_TEST_REQUESTS_MAX
 * @pages: pages that are live at most, up to MYALLOC_CONTRACT_TEST_PAGES_MAX
 * @orders: bit k: blocks of order k are asked for
 * @others: threads that meanwhile exhaust the rest of the zone
 * @flags: 0, or MYALLOC_CONTRACT_IS_SHORT: with a page less than needed
 * @id: out: number of the job
 *
 * The test makes a contract of one line of pages and allocates and frees within it. -ENOSPC if the
 * zone has too little. See myalloc_contract_test_result.
 */
struct myalloc_contract_test {
	__u32 size;
	__u32 adversary;
	__u64 seed;
	__u64 requests;
	__u32 pages;
	__u32 orders;
	__u32 others;
	__u32 flags;
	__u64 id;
};

/**
 * struct myalloc_contract_progress - one record of read() while a test of a contract runs
 * @id: number of the job
 * @state: enum myalloc_stress_state
 * @pad: zero
 * @elapsed_ms: time since the start
 * @requests: requests so far
 * @total: requests asked for
 * @failures: requests within the contract that failed so far
 * @highest_end: pages up to the end of the highest block ever allocated
 * @set_aside: pages of the contract
 * @others_pages: pages that the other threads hold
 * @others_fails: requests of the other threads that failed so far
 */
struct myalloc_contract_progress {
	__u64 id;
	__u32 state;
	__u32 pad;
	__u64 elapsed_ms;
	__u64 requests;
	__u64 total;
	__u64 failures;
	__u64 highest_end;
	__u64 set_aside;
	__u64 others_pages;
	__u64 others_fails;
};

/**
 * struct myalloc_contract_test_result - result of a test of a contract
 * @size: sizeof(struct myalloc_contract_test_result) of the caller
 * @state: enum myalloc_stress_state
 * @id: number of the job
 * @seed: seed in use
 * @elapsed_ms: wall time
 * @requests: requests made
 * @failures: requests within the contract that failed
 * @failed_within: the same, as the contract counts them
 * @errors: blocks whose content had changed, frees that were refused
 * @declared: pages that are live at most
 * @needed: pages that suffice
 * @set_aside: pages of the contract
 * @highest_end: pages up to the end of the highest block ever allocated
 * @peak: most pages that were live
 * @others_peak: most pages that the other threads held
 * @others_fails: requests of the other threads that failed
 * @first: message of the first failure or error, or empty
 */
struct myalloc_contract_test_result {
	__u32 size;
	__u32 state;
	__u64 id;
	__u64 seed;
	__u64 elapsed_ms;
	__u64 requests;
	__u64 failures;
	__u64 failed_within;
	__u64 errors;
	__u64 declared;
	__u64 needed;
	__u64 set_aside;
	__u64 highest_end;
	__u64 peak;
	__u64 others_peak;
	__u64 others_fails;
	char first[160];
};

#define MYALLOC_IOC_CONTRACT_PLAN	_IOWR(MYALLOC_IOC, 0xc0, struct myalloc_contract_make)
#define MYALLOC_IOC_CONTRACT_CREATE	_IOWR(MYALLOC_IOC, 0xc1, struct myalloc_contract_make)
#define MYALLOC_IOC_CONTRACT_END	_IOWR(MYALLOC_IOC, 0xc2, struct myalloc_contract_finish)
#define MYALLOC_IOC_CONTRACT_STAT	_IOWR(MYALLOC_IOC, 0xc3, struct myalloc_contract_stat)
#define MYALLOC_IOC_CONTRACT_SITES	_IOWR(MYALLOC_IOC, 0xc4, struct myalloc_contract_sites)
/* A job, see stress.h. */
#define MYALLOC_IOC_CONTRACT_TEST	_IOWR(MYALLOC_IOC, 0xc8, struct myalloc_contract_test)
#define MYALLOC_IOC_CONTRACT_TESTED	\
	_IOWR(MYALLOC_IOC, 0xc9, struct myalloc_contract_test_result)
#define MYALLOC_IOC_CONTRACT_CANCEL	_IO(MYALLOC_IOC, 0xca)

#endif /* _UAPI_MYALLOC_CONTRACT_H */
