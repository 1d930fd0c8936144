/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: arenas, pieces of memory that are discarded all at once.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 */
#ifndef _UAPI_MYALLOC_ARENA_H
#define _UAPI_MYALLOC_ARENA_H

/*
 * struct myalloc_arena_stat - the statistics of one arena at one moment
 * @size: sizeof(struct myalloc_arena_stat) of the caller
 * @how: MYALLOC_BY_ID or MYALLOC_NEXT_ID
 * @name: out: NUL-terminated
 *
 * stat_fields.h lists the other members in the order of the struct; @id is also the input.
 */
struct myalloc_arena_stat {
	__u32 size;
	__u32 how;
	char name[MYALLOC_NAME_MAX];

	MYALLOC_ARENA_FIELDS(MYALLOC_STAT_MEMBER)
};

/* myalloc_arena_test.flags */
#define MYALLOC_ARENA_TEST_PERCPU	(1u << 0)	/* the arenas are per CPU */
#define MYALLOC_ARENA_TEST_POISON	(1u << 1)	/* they poison discarded memory */
#define MYALLOC_ARENA_TEST_FLAGS	3u

/**
 * struct myalloc_arena_test - test two arenas that take turns with random operations
 * @size: sizeof(struct myalloc_arena_test) of the caller
 * @flags: MYALLOC_ARENA_TEST_*
 * @seed: seed of every random choice; 0 chooses one and reports it
 * @ops: operations, 1 to MYALLOC_ARENA_TEST_OPS_MAX
 * @max_bytes: largest size of a piece, 1 to the zone's largest block, or 16 KiB with per-CPU
 *	arenas, which are tested with preemption off; 0: the most, or 128 KiB if that is less
 * @allocs: out: pieces allocated
 * @rewinds: out: rewinds
 * @swaps: out: frames
 * @fails: out: requests that failed for lack of memory
 * @refused: out: stale marks refused
 * @errors: out: pieces whose content had changed or that were not aligned, good marks that were
 *	refused, and stale ones that were not
 * @first: out: message of the first error, or empty
 *
 * The command creates two arenas, allocates pieces of random sizes and alignments, each filled
 * with a pattern that is verified before the piece is discarded, makes marks and uses them in and
 * out of order, and lets the arenas take turns. -EINTR after a signal; then nothing is left either.
 */
struct myalloc_arena_test {
	__u32 size;
	__u32 flags;
	__u64 seed;
	__u64 ops;
	__u64 max_bytes;
	__u64 allocs;
	__u64 rewinds;
	__u64 swaps;
	__u64 fails;
	__u64 refused;
	__u64 errors;
	char first[160];
};

#define MYALLOC_ARENA_TEST_OPS_MAX	100000000ULL

#define MYALLOC_IOC_ARENA_STAT		_IOWR(MYALLOC_IOC, 0x70, struct myalloc_arena_stat)
#define MYALLOC_IOC_ARENA_TEST		_IOWR(MYALLOC_IOC, 0x71, struct myalloc_arena_test)

#endif /* _UAPI_MYALLOC_ARENA_H */
