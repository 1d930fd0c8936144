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
 * @first: out: message of the first error, or empty
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

/*
 * Rings in user space
 *
 * A ring that its module shares, or one of the caller's own, is read through a file descriptor. The
 * holder of the descriptor is its consumer; one file at a time can have the ring open.
 *
 *	fd		from MYALLOC_IOC_RING_OPEN or MYALLOC_IOC_RING_CREATE
 *	mmap(fd)	offset 0, the whole of @map_bytes, MAP_SHARED, PROT_READ alone: a page with
 *			struct myalloc_ring_control, then the bytes of the ring, twice in a row, so
 *			that no record wraps
 *	read a record	load @tail of the control page with acquire. At position p, from @oldest to
 *			there, lies a struct myalloc_ring_record: at offset p modulo @data_bytes
 *			behind the control page. Load its length with acquire. If it has
 *			MYALLOC_RECORD_BUSY, stop. The next one is at p plus the sum of
 *			@header_bytes and the length, rounded up to a multiple of 8; skip those that
 *			have MYALLOC_RECORD_DISCARDED
 *	release		MYALLOC_IOC_RING_RELEASE with the position behind the last record that was
 *			read: producers use that room again
 *	wait		when everything that could be read was released: poll(), select(), epoll,
 *			also edge-triggered, provided that no record is found after the release, not
 *			even discarded records. POLLIN: the oldest record can be read, or was
 *			discarded; if all were, release them without reading any
 *
 * The mapping shows the data of producers also before they commit it. Other mappings are refused:
 * MAP_PRIVATE, a part of it or another size (-EINVAL), writing (-EACCES), code (-EPERM). So are
 * munmap() and mprotect() of a part, and mprotect() that allows writing. The pages are counted, and
 * limited, as those of MYALLOC_IOC_PAGE_MAP are. While the descriptor or a mapping exists, the ring
 * does, and a module whose ring it is cannot be unloaded. A child of fork() has the same descriptor
 * and a mapping of its own; the two must agree who reads.
 */

/* struct myalloc_ring_record.length */
#define MYALLOC_RECORD_BUSY		0x80000000u	/* not committed yet */
#define MYALLOC_RECORD_DISCARDED	0x40000000u	/* to be skipped */
#define MYALLOC_RECORD_LENGTH		0x3fffffffu	/* bytes */
#define MYALLOC_RECORD_ALIGN		8u

/**
 * struct myalloc_ring_record - the header before each record
 * @length: bytes of the record, MYALLOC_RECORD_BUSY, MYALLOC_RECORD_DISCARDED
 * @mark: differs from record to record
 */
struct myalloc_ring_record {
	__u32 length;
	__u32 mark;
};

/**
 * struct myalloc_ring_control - the first page of a mapping
 * @data_bytes: bytes of the ring, a power of two
 * @header_bytes: bytes before each record
 * @pad: zero
 * @pad2: zero; @tail has a cache line of its own
 * @tail: records can be read up to here
 * @pad3: zero; @oldest has a cache line of its own
 * @oldest: position of the oldest record that was not released
 */
struct myalloc_ring_control {
	__u64 data_bytes;
	__u32 header_bytes;
	__u32 pad;
	__u64 pad2[14];
	__u64 tail;
	__u64 pad3[15];
	__u64 oldest;
};

/**
 * struct myalloc_ring_file - make a ring or open one that is shared, and get a descriptor
 * @size: sizeof(struct myalloc_ring_file) of the caller, at least that of its first version
 * @mode: create: MYALLOC_RING_MODE_ONE or MYALLOC_RING_MODE_MANY; out: of the ring
 * @bytes: create: bytes of the ring, at most the zone's largest block; rounded up to a power of two
 *	of pages; out: that
 * @id: open: number of the ring, see MYALLOC_IOC_RING_STAT; out: of the ring
 * @map_bytes: out: bytes of a mapping
 * @fd: out: the descriptor, with FD_CLOEXEC
 * @pad: 0
 * @name: create: NUL-terminated, of letters, digits, '-', '_' and '.', not used by another ring
 *
 * A ring that is created ends with its descriptor and the mappings of it, and counts for the
 * quota of the file that it was created by. -EOPNOTSUPP if this machine has no rings. -ENOENT if
 * there is no ring with the number, or it is not shared; -EBUSY if a file has it open.
 */
struct myalloc_ring_file {
	__u32 size;
	__u32 mode;
	__u64 bytes;
	__u64 id;
	__u64 map_bytes;
	__s32 fd;
	__u32 pad;
	char name[MYALLOC_NAME_MAX];
};

/**
 * struct myalloc_ring_release - release records; on the descriptor of a ring
 * @position: where the last of them ends
 *
 * -EINVAL if no record ends there, or one before it is BUSY; -EIO if the ring is damaged. Nothing
 * is released then.
 */
struct myalloc_ring_release {
	__u64 position;
};

/**
 * struct myalloc_ring_produce - have the kernel produce records; on the descriptor of a ring
 * @flags: MYALLOC_RING_FROM_IRQ: in an interrupt handler
 * @pad: 0
 * @seed: of the content
 * @first: number of the first record
 * @count: records, 1 to MYALLOC_BULK_MAX
 * @done: out: how many were committed or discarded
 *
 * For tests, in a ring that was created by a file; -EPERM for that of a module. The words of record
 * n are n, x + 1, x + 2 and so on, where x is (n ^ seed) * 0x9e3779b97f4a7c15; it has 8 bytes and
 * x >> 56 more, so its last word may be incomplete. It is discarded if (x >> 52 & 15) is 0.
 * -EAGAIN if the ring is full, -EINTR after a signal, each after @done records.
 */
struct myalloc_ring_produce {
	__u32 flags;
	__u32 pad;
	__u64 seed;
	__u64 first;
	__u64 count;
	__u64 done;
};

#define MYALLOC_RING_FROM_IRQ		(1u << 0)
#define MYALLOC_RING_PRODUCE_FLAGS	1u

#define MYALLOC_IOC_RING_STAT		_IOWR(MYALLOC_IOC, 0x80, struct myalloc_ring_stat)
#define MYALLOC_IOC_RING_TEST		_IOWR(MYALLOC_IOC, 0x81, struct myalloc_ring_test)
#define MYALLOC_IOC_RING_CREATE		_IOWR(MYALLOC_IOC, 0x82, struct myalloc_ring_file)
#define MYALLOC_IOC_RING_OPEN		_IOWR(MYALLOC_IOC, 0x83, struct myalloc_ring_file)
/* These are commands of the ring's descriptor. */
#define MYALLOC_IOC_RING_RELEASE	_IOW(MYALLOC_IOC, 0x84, struct myalloc_ring_release)
#define MYALLOC_IOC_RING_PRODUCE	_IOWR(MYALLOC_IOC, 0x85, struct myalloc_ring_produce)

#endif /* _UAPI_MYALLOC_RING_H */
