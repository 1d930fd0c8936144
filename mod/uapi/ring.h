/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: rings, records of any length in order.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 */
#ifndef _UAPI_MYALLOC_RING_H
#define _UAPI_MYALLOC_RING_H

/* myalloc_ring_stat.mode, myalloc_ring_test.mode */
#define MYALLOC_RING_MODE_ONE		0	/* one producer, without a lock */
#define MYALLOC_RING_MODE_MANY		1	/* several producers, under a lock */
#define MYALLOC_RING_MODE_OVERWRITE	2	/* a part for each CPU; overwrites the oldest */
#define MYALLOC_RING_MODES		3

/*
 * struct myalloc_ring_stat - the statistics of one ring at one moment
 * @size: sizeof(struct myalloc_ring_stat) of the caller
 * @how: MYALLOC_BY_ID or MYALLOC_NEXT_ID
 * @name: out: NUL-terminated
 *
 * stat_fields.h lists the other members in the order of the struct; @id is also the input.
 */
struct myalloc_ring_stat {
	__u32 size;
	__u32 how;
	char name[MYALLOC_NAME_MAX];

	MYALLOC_RING_FIELDS(MYALLOC_STAT_MEMBER)
};

/**
 * struct myalloc_ring_test - test rings with random operations
 * @size: sizeof(struct myalloc_ring_test) of the caller
 * @mode: MYALLOC_RING_MODE_*
 * @seed: seed of every random choice; 0 chooses one and reports it
 * @ops: operations, 1 to MYALLOC_RING_TEST_OPS_MAX
 * @ring_bytes: bytes of a part of the ring, at most the zone's largest block; 0 for a page
 * @records: out: records committed
 * @discarded: out: records discarded
 * @read: out: records read
 * @lost: out: records overwritten before they were read
 * @full: out: reservations that failed because there was no room
 * @errors: out: records that were not as they were written or not in order, refused commits and
 *	releases, and records that are missing at the end
 * @first: out: the first error in words, or empty
 *
 * The command creates a ring, reserves records of random lengths, fills each with a pattern,
 * commits or discards them in random order, reads and verifies them, and ends the ring.
 * -EOPNOTSUPP if this machine has no rings; -EINTR after a signal; then nothing is left either.
 */
struct myalloc_ring_test {
	__u32 size;
	__u32 mode;
	__u64 seed;
	__u64 ops;
	__u64 ring_bytes;
	__u64 records;
	__u64 discarded;
	__u64 read;
	__u64 lost;
	__u64 full;
	__u64 errors;
	char first[160];
};

#define MYALLOC_RING_TEST_OPS_MAX	100000000ULL

#define MYALLOC_IOC_RING_STAT		_IOWR(MYALLOC_IOC, 0x80, struct myalloc_ring_stat)
#define MYALLOC_IOC_RING_TEST		_IOWR(MYALLOC_IOC, 0x81, struct myalloc_ring_test)

#endif /* _UAPI_MYALLOC_RING_H */
