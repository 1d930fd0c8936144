/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: object pools.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 */
#ifndef _UAPI_MYALLOC_POOL_H
#define _UAPI_MYALLOC_POOL_H

/* myalloc_pool_stat.flags and myalloc_pool_test.flags beside those of a cache */
#define MYALLOC_POOL_IS_HARD	(1u << 16)	/* allocates only from the pages set aside */

/*
 * struct myalloc_pool_stat - the statistics of one object pool at one moment
 * @size: sizeof(struct myalloc_pool_stat) of the caller
 * @how: MYALLOC_BY_ID or MYALLOC_NEXT_ID
 * @name: out: NUL-terminated; also the name of its cache
 *
 * stat_fields.h lists the other members in the order of the struct; @id is also the input.
 */
struct myalloc_pool_stat {
	__u32 size;
	__u32 how;
	char name[MYALLOC_NAME_MAX];

	MYALLOC_POOL_FIELDS(MYALLOC_STAT_MEMBER)
};

/**
 * struct myalloc_pool_test - test an object pool with random operations
 * @size: sizeof(struct myalloc_pool_test) of the caller
 * @flags: MYALLOC_POOL_IS_HARD or 0
 * @seed: seed of every random choice; 0 chooses one and reports it
 * @ops: operations, about; 1 to MYALLOC_POOL_TEST_OPS_MAX
 * @nr: objects that the pool is made for, 1 to MYALLOC_POOL_TEST_NR_MAX; 0: 256
 * @object_size: bytes in an object, 16 to MYALLOC_OBJECT_MAX; 0: 64
 * @allocs: out: objects allocated
 * @frees: out: objects freed
 * @beyond: out: of @allocs, those made while @nr or more objects were live
 * @refused: out: allocations that failed while @nr or more objects were live
 * @resizes: out: how often the pool was given another size
 * @errors: out: allocations that failed while fewer objects were live, objects whose content had
 *	changed, frees that were refused; not 0 also if the pool does not end
 * @first: out: message of the first error, or empty
 *
 * The command creates a pool, allocates and frees its objects on random CPUs in interrupts, each
 * filled with a pattern that is verified before it is freed, resizes the pool, and destroys it.
 * -ENOMEM if the zone does not have so much. -EINTR after a signal; then nothing is left either.
 */
struct myalloc_pool_test {
	__u32 size;
	__u32 flags;
	__u64 seed;
	__u64 ops;
	__u32 nr;
	__u32 object_size;
	__u64 allocs;
	__u64 frees;
	__u64 beyond;
	__u64 refused;
	__u64 resizes;
	__u64 errors;
	char first[160];
};

#define MYALLOC_POOL_TEST_OPS_MAX	100000000ULL
#define MYALLOC_POOL_TEST_NR_MAX	65536

#define MYALLOC_IOC_POOL_STAT		_IOWR(MYALLOC_IOC, 0x90, struct myalloc_pool_stat)
#define MYALLOC_IOC_POOL_TEST		_IOWR(MYALLOC_IOC, 0x91, struct myalloc_pool_test)

#endif /* _UAPI_MYALLOC_POOL_H */
