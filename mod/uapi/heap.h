/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: heaps, memory of any size.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 */
#ifndef _UAPI_MYALLOC_HEAP_H
#define _UAPI_MYALLOC_HEAP_H

/*
 * struct myalloc_heap_stat - the statistics of one heap at one moment
 * @size: sizeof(struct myalloc_heap_stat) of the caller
 * @how: MYALLOC_BY_ID or MYALLOC_NEXT_ID
 * @name: out: NUL-terminated
 *
 * stat_fields.h lists the other members in the order of the struct; @id is also the input. A size
 * class is a cache called NAME-BYTES, whose statistics are those of any cache.
 */
struct myalloc_heap_stat {
	__u32 size;
	__u32 how;
	char name[MYALLOC_NAME_MAX];

	MYALLOC_HEAP_FIELDS(MYALLOC_STAT_MEMBER)
};

/**
 * struct myalloc_heap_test - test heaps with random operations
 * @size: sizeof(struct myalloc_heap_test) of the caller
 * @pad: zero
 * @seed: seed of every random choice; 0 chooses one and reports it
 * @ops: operations, 1 to MYALLOC_HEAP_TEST_OPS_MAX
 * @max_bytes: largest size of a block, 1 to the zone's largest block; 0: 128 KiB or the largest
 *	block of the zone, whichever is smaller
 * @allocs: out: blocks allocated
 * @reallocs: out: blocks that were given another size
 * @frees: out: blocks freed
 * @fails: out: requests that failed for lack of memory
 * @errors: out: blocks whose content had changed, that were not aligned or too small, or whose
 *	free was refused; not 0 also if the heap does not end
 * @first: out: message of the first error, or empty
 *
 * The command creates a heap, allocates, reallocates and frees blocks of random sizes and
 * alignments, each filled with a pattern that is verified before it changes or is freed, and ends
 * the heap. -EINTR after a signal; then nothing is left either.
 */
struct myalloc_heap_test {
	__u32 size;
	__u32 pad;
	__u64 seed;
	__u64 ops;
	__u64 max_bytes;
	__u64 allocs;
	__u64 reallocs;
	__u64 frees;
	__u64 fails;
	__u64 errors;
	char first[160];
};

#define MYALLOC_HEAP_TEST_OPS_MAX	100000000ULL

#define MYALLOC_IOC_HEAP_STAT		_IOWR(MYALLOC_IOC, 0x60, struct myalloc_heap_stat)
#define MYALLOC_IOC_HEAP_TEST		_IOWR(MYALLOC_IOC, 0x61, struct myalloc_heap_test)

#endif /* _UAPI_MYALLOC_HEAP_H */
