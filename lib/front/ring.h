/* SPDX-License-Identifier: GPL-2.0 */
/* A ring as a structure, for those who check it. Users include myalloc.h. */
#ifndef MYALLOC_RING_H
#define MYALLOC_RING_H

#include "zone_types.h"

#define MYALLOC_RING_BUSY	0x80000000u	/* reserved, neither committed nor discarded */
#define MYALLOC_RING_DISCARDED	0x40000000u	/* readers skip it */
#define MYALLOC_RING_LENGTH	0x3fffffffu	/* bytes of a record */

/* Records begin, and end, at multiples of this. */
#define MYALLOC_RING_ALIGN	8u

/**
 * struct myalloc_ring_header - what lies before each record
 * @length: bytes of the record, MYALLOC_RING_BUSY, MYALLOC_RING_DISCARDED
 * @mark: made of the record's position (Y2)
 * @serial: number of the record in its part; only in rings that overwrite
 */
struct myalloc_ring_header {
	u32 length;
	u32 mark;
	u64 serial[];
};

/**
 * struct myalloc_ring_part - a ring for one CPU, or for all; see ring.c
 * @tail: position behind the last record; written by producers
 * @seen_oldest: a value of @oldest that producers have acquired; rings that do not overwrite
 * @records: number of records reserved so far
 * @full: reservations that failed because there was no room
 * @lock: serialises producers, except a single one
 * @oldest: position of the oldest record that is still there; written by the consumer, in rings
 *	that overwrite by producers
 * @seen_tail: a value of @tail that the consumer has acquired
 * @next: position of the next record to be copied; rings that overwrite
 * @expected: serial number of that record
 * @peeked: bytes, with its header, of the record that was peeked and not released; or 0
 * @read: number of records that were released or copied
 * @skipped: number of discarded records that the consumer has passed
 * @lost: number of records that were overwritten before they were copied
 * @damaged: damage was reported
 */
struct myalloc_ring_part {
	u64 tail ____cacheline_aligned_in_smp;
	u64 seen_oldest;
	u64 records;
	u64 full;
	raw_spinlock_t lock;

	u64 oldest ____cacheline_aligned_in_smp;
	u64 seen_tail;
	u64 next;
	u64 expected;
	u64 peeked;
	u64 read;
	u64 skipped;
	u64 lost;
	bool damaged;
};

/**
 * struct myalloc_ring_share - what a ring tells its consumer in user space; see ring_share.c
 * @tail: position up to which the consumer may look for records; never goes back
 * @oldest: the oldest record that was not released
 * @wake: wakes the consumer up; may be called in any context
 * @waiting: 1 if the consumer wants to be woken up by the next commit or discard
 *
 * The caller of myalloc_ring_attach() sets @wake, and the two pointers, which lead to memory that
 * the consumer can only read.
 */
struct myalloc_ring_share {
	u64 *tail;
	u64 *oldest;
	void (*wake)(struct myalloc_ring_share *share);
	u32 waiting;
};

/**
 * struct myalloc_ring - see ring.c for the theory
 * @map: the mapping of all parts; part i begins at 2 * i * @size
 * @size: bytes of a part, a power of two
 * @shift: log2 of twice that
 * @header: bytes of a header
 * @seed: makes the marks of this ring differ from those of others
 * @mode: enum myalloc_ring_mode
 * @nr_parts: number of parts
 * @blocks: address of the pages of each part
 * @share: tells user space; NULL if the ring is not shared
 * @front: its zone and name
 * @nmi_fails: reservations that failed in NMI because the lock was held
 * @too_long: reservations of records that are longer than a part
 * @refused: wrong commits, discards and releases
 * @wakes: number of times that the consumer in user space was woken up
 * @part: the parts
 *
 * The members up to @blocks never change.
 */
struct myalloc_ring {
	void *map;
	size_t size;
	u32 shift;
	u32 header;
	u32 seed;
	enum myalloc_ring_mode mode;
	u32 nr_parts;
	void **blocks;
	struct myalloc_ring_share *share;
	struct myalloc_front front;
	atomic64_t nmi_fails;
	atomic64_t too_long;
	atomic64_t refused;
	atomic64_t wakes;
	struct myalloc_ring_part part[];
};

/*
 * Statistics of a ring, the sums of all its parts. The members are documented in
 * uapi/stat_fields.h, by the same names.
 */
struct myalloc_ring_stats {
	u64 id;
	u32 mode;
	u32 parts;
	u64 part_bytes;
	u64 used_bytes;
	u64 records;
	u64 read;
	u64 skipped;
	u64 lost;
	u64 full;
	u64 too_long;
	u64 nmi_fails;
	u64 refused;
	u64 shared;
	u64 wakes;
};

/* For walks over the fronts of a zone. */
extern const struct myalloc_front_kind myalloc_ring_kind;

/**
 * myalloc_ring_of() - the ring that a front is part of
 * @front: the front, of the kind myalloc_ring_kind
 *
 * Context: any.
 * Return: the ring.
 */
static inline struct myalloc_ring *myalloc_ring_of(struct myalloc_front *front)
{
	return container_of(front, struct myalloc_ring, front);
}

void myalloc_ring_stats(struct myalloc_ring *ring, struct myalloc_ring_stats *stats);
void myalloc_ring_publish(const struct myalloc_ring *ring, struct myalloc_ring_share *share);
void myalloc_ring_damage(struct myalloc_ring *r, struct myalloc_ring_part *part, u64 pos);

/* Rings whose consumer is in user space: ring_share.c. */
int myalloc_ring_attach(struct myalloc_ring *ring, struct myalloc_ring_share *share);
void myalloc_ring_detach(struct myalloc_ring *ring);
bool myalloc_ring_may_sleep(struct myalloc_ring *ring);
int myalloc_ring_release_to(struct myalloc_ring *ring, u64 pos);

/**
 * myalloc_ring_mark() - the mark of a header
 * @ring: the ring
 * @pos: position of the header
 *
 * Context: any.
 * Return: the mark that the header has if it is valid.
 */
static inline u32 myalloc_ring_mark(const struct myalloc_ring *ring, u64 pos)
{
	return (u32)(pos / MYALLOC_RING_ALIGN) ^ ring->seed;
}

/**
 * myalloc_ring_total() - the size of a record with its header
 * @ring: the ring
 * @length: the length in the header, with or without its flags
 *
 * Context: any.
 * Return: bytes.
 */
static inline u32 myalloc_ring_total(const struct myalloc_ring *ring, u32 length)
{
	return ALIGN(ring->header + (length & MYALLOC_RING_LENGTH), MYALLOC_RING_ALIGN);
}

/**
 * myalloc_ring_at() - the header at a position
 * @ring: the ring
 * @part: a part of it
 * @pos: the position
 *
 * Context: any.
 * Return: the header.
 */
static inline struct myalloc_ring_header *
myalloc_ring_at(const struct myalloc_ring *ring, const struct myalloc_ring_part *part, u64 pos)
{
	return ring->map + ((size_t)(part - ring->part) << ring->shift) + (pos & (ring->size - 1));
}

/**
 * myalloc_ring_sound() - does a header agree with the invariants Y1 and Y2?
 * @ring: the ring
 * @h: the header
 * @pos: its position
 * @tail: the tail of its part
 * @length: the length that was read from it
 *
 * Context: any.
 * Return: true if it does.
 */
static inline bool myalloc_ring_sound(const struct myalloc_ring *ring,
				      const struct myalloc_ring_header *h, u64 pos, u64 tail,
				      u32 length)
{
	/* What was a header may be data by now, which its user stores as he likes. */
	return data_race(READ_ONCE(h->mark)) == myalloc_ring_mark(ring, pos) &&
	       myalloc_ring_total(ring, length) <= tail - pos;
}

#endif /* MYALLOC_RING_H */
