// SPDX-License-Identifier: GPL-2.0
/*
 * Rings: records of any length, read in the order in which they were reserved
 *
 * A producer reserves a record, fills it in where it lies, and commits it or discards it. A
 * consumer peeks at the oldest record, uses it where it lies, and releases it. Nothing is copied,
 * and a record never wraps, because the pages of a ring are mapped twice in a row:
 *
 *	         first mapping          second mapping
 *	[  |rec 7|  rec 8 | free  |rec ][ 6|rec 7| ...
 *	                   ^tail   ^oldest
 *
 * Positions are 64-bit numbers that only grow; a position modulo the size is an offset in the
 * first mapping, where every header lies. A record that begins near the end of the pages ends in
 * the second mapping of their beginning.
 *
 * The header of a record is a word with its length and two flags, BUSY and DISCARDED, in the form
 * of BPF's ring buffer (kernel/bpf/ringbuf.c). As there, records are put in order when they are
 * reserved, not when they are committed; several may be reserved at a time and are committed in
 * any order; a reader waits at the first that is BUSY; two 64-bit positions, not indices, tell a
 * full ring from an empty one. BPF's second word leads from a record back to its ring, and is
 * page offset there; here the caller names the ring, and the word is a mark of the position.
 * BPF also has to look for the oldest busy record, because user space may write the position of
 * its consumer; here no one else can.
 *
 * Modes
 *	ONE		a single producer, which takes no lock. Two reservations that overlap
 *			(an interrupt in the middle of one) are an error that is not detected.
 *	MANY		producers take turns under a raw lock, which they hold for the reservation
 *			alone. In NMI the lock is tried, and a reservation fails if it is held.
 *	OVERWRITE	a part for each possible CPU. A producer uses that of its CPU, under
 *			that part's lock, which another CPU takes only if a task has moved. If there
 *			is no room, the oldest records are passed over, up to one that is BUSY. The
 *			consumer copies, and looks afterwards whether the record was still there.
 *
 * Invariants, whenever no operation is under way
 *	Y1  oldest <= tail <= oldest + size. From oldest to tail records lie back to back; each
 *	    takes its header and length, rounded up to 8 bytes, and is at most size.
 *	Y2  The mark of a header at position p is p / 8 (32 bits of it) xor the ring's seed.
 *	Y3  A record is BUSY from its reservation to its commit or discard, and is neither read nor
 *	    passed over while it is.
 *	Y4  In rings that overwrite, the serial numbers of the records of a part count from 0. Of
 *	    those before the consumer's position each was copied, skipped or counted as lost.
 *
 * Wrong uses: an address leads to one position from oldest to oldest + size. It is a record's if
 * the header there has the mark of that position, which none has that is older, or newer than tail;
 * a commit then needs the flag BUSY. An address inside a record is mistaken for another one if the
 * data before it have the right mark by chance: 2^-32. With several producers, of two commits at
 * once exactly one is accepted. A header with a wrong mark or length, overwritten by the record
 * before it, is damage: the ring is at its end there. It is reported once, nothing more is read,
 * and a reservation that needs the room fails.
 *
 * Memory order, and what it is for (models/ring.pml; models/litmus/ring-*)
 *	reserve		store-release of tail: who acquires it sees the header.
 *			load-acquire of oldest: the consumer's accesses of a record come before
 *			the stores to the same bytes. OVERWRITE: the store of oldest, then a write
 *			barrier, then the stores to those bytes.
 *	commit, discard	store-release of the length (with several producers a
 *			compare-and-exchange with release): who acquires it sees the record.
 *	peek		load-acquire of tail, then of the length.
 *	release		store-release of oldest.
 *	copy		as peek; then the data, a read barrier, and oldest again: if it has passed
 *			the record, what was copied may be of another one.
 *	None of them is a full barrier. A consumer that sleeps and a producer that wakes it up need
 *	their own, such as queue_work() and wait_event() have.
 *
 * Bounds: reserve without overwriting, commit, discard and release take a constant number of
 * steps. A peek passes over each discarded record once. A reservation of n bytes that overwrites
 * passes over at most n / 16 + 2 records: no more fit into the room that it needs. It does so under
 * the lock, PASS_MOST records under one hold of it. Another producer may take the room in between.
 * If a record after those is BUSY or, in NMI, the lock is held by then, the reservation fails, and
 * the records passed over are lost. A copy is tried MYALLOC_RING_TRIES times.
 *
 * The pages are extents of one owner, MYALLOC_OWNER_RINGS, which frees by their address refuse: a
 * stale free of as many pages must not take those of a ring that is read and written.
 *
 * A consumer in user space: ring_share.c. Without one, a commit or discard tests that there is
 * none, and touches nothing of the ring after it has stored the length.
 *
 * Cost: sizeof(struct myalloc_ring) and a pointer and sizeof(struct myalloc_ring_part) for each
 * part, beside the pages and the tables that map them; 8 bytes a record, 16 in rings that
 * overwrite.
 */
#include "env.h"
#include "zone/front.h"
#include "front/ring.h"
#include "page/account.h"
#include "page/extent.h"
#include "page/zone_report.h"
#include "zone/finding.h"

/* Records that a reservation passes over under one hold of the lock */
#define PASS_MOST	64

static_assert(PAGE_SIZE << MYALLOC_CHUNK_MAX <= MYALLOC_RING_LENGTH,
	      "the length of a record must fit into its header");

/* --- addresses and positions ---------------------------------------------------------- */

static bool overwrites(const struct myalloc_ring *r)
{
	return r->mode == MYALLOC_RING_OVERWRITE;
}

/* Is there anything that keeps the kernel from peeking: the mode, or a consumer in user space? */
static __always_inline bool no_peek(const struct myalloc_ring *r)
{
	return overwrites(r) + !!READ_ONCE(r->share);	/* one branch */
}

/**
 * myalloc_ring_damage() - report once that a ring is damaged
 * @r: the ring
 * @part: its part
 * @pos: a position that should have a header
 *
 * Context: any.
 */
void myalloc_ring_damage(struct myalloc_ring *r, struct myalloc_ring_part *part, u64 pos)
{
	if (READ_ONCE(part->damaged))
		return;
	WRITE_ONCE(part->damaged, true);
	myalloc_zone_crit(r->front.zone, "ring %s is damaged: no header at offset %lu of part %u",
			  r->front.name, (unsigned long)(pos & (r->size - 1)),
			  (u32)(part - r->part));
}

/* Why a commit, discard or release is refused. */
static noinline int refuse(struct myalloc_ring *r, const char *what, const char *why,
			   unsigned long caller)
{
	struct myalloc_report *report;
	unsigned long irq;

	atomic64_inc(&r->refused);
	report = myalloc_report_begin(&r->front.zone->reports, &irq);
	if (!report)
		return -EINVAL;
	myalloc_report_add(report, "bad %s of ring %s: %s; called by ", what, r->front.name, why);
	myalloc_report_symbol(report, caller);
	myalloc_report_end(&r->front.zone->reports, report, irq);
	return -EINVAL;
}

/* The header of a record that may be anything. NULL, and @why, if there is no such record. */
static struct myalloc_ring_header *header_of(struct myalloc_ring *r, const void *record,
					     const char **why)
{
	unsigned long off = (unsigned long)record - r->header - (unsigned long)r->map;
	struct myalloc_ring_header *h;
	struct myalloc_ring_part *part;
	u64 pos;

	*why = "not an address of this ring";
	if (off >= (size_t)r->nr_parts << r->shift)
		return NULL;
	part = &r->part[off >> r->shift];
	h = r->map + off;
	off &= 2 * r->size - 1;
	*why = "no record begins there";
	if (off >= r->size || !IS_ALIGNED(off, MYALLOC_RING_ALIGN))
		return NULL;
	pos = READ_ONCE(part->oldest);
	pos += (off - pos) & (r->size - 1);
	return READ_ONCE(h->mark) == myalloc_ring_mark(r, pos) ? h : NULL;
}

/* --- producers ------------------------------------------------------------------------- */

/* Room for a record at the tail. */
static bool has_room(struct myalloc_ring *r, struct myalloc_ring_part *part, u32 total)
{
	u64 end = part->tail + total;

	if (overwrites(r))
		return end - part->oldest <= r->size;
	if (likely(end - part->seen_oldest <= r->size))
		return true;
	part->seen_oldest = smp_load_acquire(&part->oldest);	/* pairs with release */
	return end - part->seen_oldest <= r->size;
}

/*
 * Passes over the oldest records until there is room, at most PASS_MOST. Returns true if there is
 * still none, and more can be passed over.
 */
static bool pass_over(struct myalloc_ring *r, struct myalloc_ring_part *part, u32 total)
{
	u64 end = part->tail + total, oldest = part->oldest;
	u32 left = PASS_MOST;

	while (end - oldest > r->size && left) {
		struct myalloc_ring_header *h = myalloc_ring_at(r, part, oldest);
		u32 length = READ_ONCE(h->length);

		myalloc_env_step("ring-pass");
		if (unlikely(!myalloc_ring_sound(r, h, oldest, part->tail, length))) {
			myalloc_ring_damage(r, part, oldest);
			return false;
		}
		if (length & MYALLOC_RING_BUSY)
			return false;
		oldest += myalloc_ring_total(r, length);
		left--;
	}
	if (oldest != part->oldest) {
		WRITE_ONCE(part->oldest, oldest);
		/* Before the stores that overwrite; pairs with the smp_rmb() of a copy. */
		smp_wmb();
	}
	return end - oldest > r->size;
}

/* The caller has @part for itself. */
static __always_inline void *reserve(struct myalloc_ring *r, struct myalloc_ring_part *part,
				     u32 length)
{
	u32 total = myalloc_ring_total(r, length);
	struct myalloc_ring_header *h;
	u64 tail = part->tail;

	if (unlikely(!has_room(r, part, total))) {
		WRITE_ONCE(part->full, part->full + 1);
		return NULL;
	}
	h = myalloc_ring_at(r, part, tail);
	WRITE_ONCE(h->mark, myalloc_ring_mark(r, tail));
	WRITE_ONCE(h->length, length | MYALLOC_RING_BUSY);
	if (overwrites(r))
		WRITE_ONCE(h->serial[0], part->records);
	WRITE_ONCE(part->records, part->records + 1);
	myalloc_env_point("ring-reserved");
	smp_store_release(&part->tail, tail + total);	/* pairs with peek and copy_next() */
	return (void *)h + r->header;
}

/* One hold of the lock of a part. @more: out: more records are to be passed over; call it again. */
static void *reserve_locked(struct myalloc_ring *r, struct myalloc_ring_part *part, size_t size,
			    bool *more)
{
	void *record = NULL;
	unsigned long irq;

	*more = false;
	if (unlikely(!myalloc_lock(&part->lock, &irq))) {
		atomic64_inc(&r->nmi_fails);
		return NULL;
	}
	if (overwrites(r))
		*more = pass_over(r, part, myalloc_ring_total(r, size));
	if (likely(!*more))
		record = reserve(r, part, size);
	raw_spin_unlock_irqrestore(&part->lock, irq);
	return record;
}

/**
 * myalloc_ring_reserve() - reserve a record
 * @ring: the ring
 * @size: bytes of the record, any number
 *
 * The record belongs to the caller until myalloc_ring_commit() or myalloc_ring_discard(), and what
 * is reserved after it is not read before. So hold it for a short time. Its content is whatever
 * was there before.
 *
 * Context: any. Calls for a ring of mode MYALLOC_RING_ONE must not overlap, and each must see what
 * the one before it has stored.
 * Return: address of the record, aligned to 8 bytes; NULL if there is no room (in a ring that
 * overwrites: because of a record that is not committed), if @size is above what the ring can hold,
 * or, in NMI, if another producer is interrupted or at work. Each is counted. A reservation that
 * fails in a ring that overwrites may have passed over records, which are lost.
 */
void *myalloc_ring_reserve(struct myalloc_ring *ring, size_t size)
{
	struct myalloc_ring_part *part = ring->part;
	void *record;
	bool more;

	if (unlikely(size > ring->size - ring->header)) {
		atomic64_inc(&ring->too_long);
		return NULL;
	}
	if (ring->mode == MYALLOC_RING_ONE)
		return reserve(ring, part, size);
	if (overwrites(ring))
		part += raw_smp_processor_id();
	do {
		record = reserve_locked(ring, part, size, &more);
	} while (unlikely(more));
	return record;
}

/**
 * myalloc_ring_publish() - publish the tail of a ring whose consumer is in user space
 * @ring: the ring
 * @share: state shared with the consumer in user space
 *
 * Context: any.
 */
void myalloc_ring_publish(const struct myalloc_ring *ring, struct myalloc_ring_share *share)
{
	u64 tail = smp_load_acquire(&ring->part->tail);	/* pairs with reserve() */
	u64 told = READ_ONCE(*share->tail);

	myalloc_env_point("ring-tell");
	while (told < tail && !try_cmpxchg_release(share->tail, &told, tail))
		;
}

/* After a commit or discard: see ring_share.c. */
static noinline void tell(struct myalloc_ring *r, struct myalloc_ring_share *share)
{
	myalloc_ring_publish(r, share);
	smp_mb();	/* the length, then @waiting; pairs with myalloc_ring_may_sleep() */
	if (READ_ONCE(share->waiting) && xchg(&share->waiting, 0)) {
		atomic64_inc(&r->wakes);
		share->wake(share);
	}
}

static __always_inline int finish(struct myalloc_ring *r, void *record, u32 flag,
				  const char *what, unsigned long caller)
{
	const char *why;
	struct myalloc_ring_header *h = header_of(r, record, &why);
	/* First, as a ring that is not shared may end when its last record has been read. */
	struct myalloc_ring_share *share = READ_ONCE(r->share);
	u32 length;

	if (unlikely(!h))
		return refuse(r, what, why, caller);
	length = READ_ONCE(h->length);
	if (unlikely(!(length & MYALLOC_RING_BUSY)))
		return refuse(r, what, "committed or discarded before", caller);
	myalloc_env_point("ring-finish");
	if (r->mode == MYALLOC_RING_ONE)
		/* Pairs with peek and copy_next(). */
		smp_store_release(&h->length, (length & MYALLOC_RING_LENGTH) | flag);
	else if (unlikely(!try_cmpxchg_release(&h->length, &length,
					       (length & MYALLOC_RING_LENGTH) | flag)))
		return refuse(r, what, "committed or discarded meanwhile", caller);
	if (unlikely(share))
		tell(r, share);
	return 0;
}

/**
 * myalloc_ring_commit() - pass a record on to the consumer
 * @ring: the ring
 * @record: from myalloc_ring_reserve(), any value; not accessed any more by the caller
 *
 * What the caller has stored in the record is seen by whoever reads it.
 *
 * Context: any, and any CPU: not only where it was reserved.
 * Return: 0; -EINVAL if no reserved record begins there: reported, counted, nothing has changed.
 */
int myalloc_ring_commit(struct myalloc_ring *ring, void *record)
{
	return finish(ring, record, 0, "commit", _RET_IP_);
}

/**
 * myalloc_ring_discard() - give a reserved record up
 * @ring: the ring
 * @record: from myalloc_ring_reserve(), any value; not accessed any more by the caller
 *
 * Its room comes back when the consumer passes it.
 *
 * Context: any, and any CPU.
 * Return: 0; -EINVAL if no reserved record begins there: reported, counted, nothing has changed.
 */
int myalloc_ring_discard(struct myalloc_ring *ring, void *record)
{
	return finish(ring, record, MYALLOC_RING_DISCARDED, "discard", _RET_IP_);
}

/* --- the consumer of a ring that does not overwrite ------------------------------------------ */

/**
 * myalloc_ring_peek() - the oldest record
 * @ring: the ring, not one that overwrites or is shared with user space
 * @size: out: bytes of the record
 *
 * The record belongs to the caller until myalloc_ring_release(). Before that, the next call
 * returns the same one.
 *
 * Context: any. Only one consumer at a time, which sees what the one before it has stored.
 * Return: the record; NULL if there is none, if the oldest one is not committed yet, or if the
 * ring overwrites, is shared with user space or is damaged, which is reported.
 */
void *myalloc_ring_peek(struct myalloc_ring *ring, size_t *size)
{
	struct myalloc_ring_part *part = ring->part;
	u64 oldest = part->oldest;

	if (unlikely(no_peek(ring))) {
		refuse(ring, "peek", overwrites(ring) ?
		       "records of a ring that overwrites can only be copied" :
		       "user space reads this ring (myalloc_ring_unshare() ends that)", _RET_IP_);
		return NULL;
	}
	for (;;) {
		struct myalloc_ring_header *h = myalloc_ring_at(ring, part, oldest);
		u32 length;

		if (oldest == part->seen_tail) {
			part->seen_tail = smp_load_acquire(&part->tail);	/* with reserve() */
			if (oldest == part->seen_tail)
				return NULL;
		}
		length = smp_load_acquire(&h->length);	/* pairs with finish() */
		if (unlikely(!myalloc_ring_sound(ring, h, oldest, part->seen_tail, length))) {
			myalloc_ring_damage(ring, part, oldest);
			return NULL;
		}
		if (length & MYALLOC_RING_BUSY)
			return NULL;
		if (likely(!(length & MYALLOC_RING_DISCARDED))) {
			part->peeked = myalloc_ring_total(ring, length);
			*size = length;
			return (void *)h + ring->header;
		}
		oldest += myalloc_ring_total(ring, length);
		WRITE_ONCE(part->skipped, part->skipped + 1);
		smp_store_release(&part->oldest, oldest);	/* pairs with has_room() */
	}
}

/**
 * myalloc_ring_release() - give the room of the oldest record back
 * @ring: the ring
 * @record: from myalloc_ring_peek(), any value; not accessed any more by the caller
 *
 * Context: as for myalloc_ring_peek().
 * Return: 0; -EINVAL if it is not the record that was peeked: reported, counted, nothing has
 * changed.
 */
int myalloc_ring_release(struct myalloc_ring *ring, const void *record)
{
	struct myalloc_ring_part *part = ring->part;
	u64 oldest = part->oldest;

	if (unlikely(!part->peeked))
		return refuse(ring, "release", "no record was peeked", _RET_IP_);
	if (unlikely(record != (void *)myalloc_ring_at(ring, part, oldest) + ring->header))
		return refuse(ring, "release", "not the record that was peeked", _RET_IP_);
	smp_store_release(&part->oldest, oldest + part->peeked);	/* pairs with has_room() */
	part->peeked = 0;
	WRITE_ONCE(part->read, part->read + 1);
	return 0;
}

/* --- the consumer of a ring that overwrites --------------------------------------------------- */

#define MYALLOC_RING_TRIES	4

/* What a try to copy a record has come to, beside its length. */
enum { NONE = -EAGAIN, DAMAGED = -EIO, GONE = -ESTALE, SKIPPED = -ENODATA };

/* Copies what producers may be overwriting, so these are races: each word is loaded once. */
static void copy_words(void *to, const u64 *from, size_t size)
{
	u64 word;

	for (; size >= sizeof(word); size -= sizeof(word)) {
		word = data_race(READ_ONCE(*from++));	/* see still_there() */
		memcpy(to, &word, sizeof(word));
		to += sizeof(word);
	}
	if (size) {
		word = data_race(READ_ONCE(*from));	/* see still_there() */
		memcpy(to, &word, size);
	}
}

/* Is the record at @pos still there, after all that was loaded from it? */
static bool still_there(const struct myalloc_ring_part *part, u64 pos)
{
	myalloc_env_point("ring-copied");
	smp_rmb();	/* pairs with the smp_wmb() of make_room() */
	return READ_ONCE(part->oldest) <= pos;
}

static long copy_next(struct myalloc_ring *r, struct myalloc_ring_part *part, void *to, size_t size)
{
	u64 pos = smp_load_acquire(&part->oldest);	/* before tail, so it is not above it */
	u64 tail = smp_load_acquire(&part->tail);	/* pairs with reserve() */
	struct myalloc_ring_header *h;
	bool whole;
	u64 serial;
	u32 length;

	pos = max(pos, part->next);
	if (pos >= tail)
		return NONE;
	h = myalloc_ring_at(r, part, pos);
	length = data_race(smp_load_acquire(&h->length));	/* or data by now; with finish() */
	serial = data_race(READ_ONCE(h->serial[0]));	/* or data by now */
	whole = myalloc_ring_sound(r, h, pos, tail, length);
	if (!still_there(part, pos))
		return GONE;
	if (unlikely(!whole)) {
		myalloc_ring_damage(r, part, pos);
		return DAMAGED;
	}
	if (length & MYALLOC_RING_BUSY)
		return NONE;
	if (!(length & MYALLOC_RING_DISCARDED)) {
		copy_words(to, &h->serial[1], min_t(size_t, length, size));
		if (!still_there(part, pos))
			return GONE;
		WRITE_ONCE(part->read, part->read + 1);
	} else {
		WRITE_ONCE(part->skipped, part->skipped + 1);
	}
	part->next = pos + myalloc_ring_total(r, length);
	WRITE_ONCE(part->lost, part->lost + serial - part->expected);
	part->expected = serial + 1;
	return length & MYALLOC_RING_DISCARDED ? SKIPPED : (long)length;
}

/**
 * myalloc_ring_copy() - copy the oldest record of a CPU that has not been copied
 * @ring: the ring, one that overwrites
 * @cpu: whose records
 * @to: out: the first bytes of the record
 * @size: bytes at @to
 *
 * Records that were overwritten before they were copied are counted in the ring's statistics;
 * with them, those among them that were discarded.
 *
 * Context: any. Only one consumer of a CPU's records at a time, which sees what the one before it
 * has stored; producers go on meanwhile.
 * Return: bytes of the record, also if these are more than @size; -EAGAIN if there is none, the
 * oldest one is not committed yet, or producers overwrote one record after the other before they
 * were copied; -EIO if the ring is damaged, which is reported; -EINVAL if the ring does not
 * overwrite or has no such CPU.
 */
long myalloc_ring_copy(struct myalloc_ring *ring, unsigned int cpu, void *to, size_t size)
{
	unsigned int tries = 0;
	long result;

	if (!overwrites(ring) || cpu >= ring->nr_parts)
		return -EINVAL;
	do {
		result = copy_next(ring, &ring->part[cpu], to, size);
	} while (result == SKIPPED || (result == GONE && ++tries < MYALLOC_RING_TRIES));
	return result == GONE ? -EAGAIN : result;
}

/* --- make and end -------------------------------------------------------------------- */

static int check_args(struct myalloc_zone *zone, const struct myalloc_ring_args *args)
{
	size_t most = PAGE_SIZE << zone->chunk_order;

	if (!args->size || args->size > most) {
		myalloc_zone_err(zone, "a ring of %zu bytes: 1 to %zu are possible", args->size,
				 most);
		return -EINVAL;
	}
	if ((unsigned int)args->mode > MYALLOC_RING_OVERWRITE) {
		myalloc_zone_err(zone, "a ring of mode %u: 0 to %d are possible", args->mode,
				 MYALLOC_RING_OVERWRITE);
		return -EINVAL;
	}
	if (!myalloc_env_can_map_twice()) {
		myalloc_zone_err(zone, "no rings: the caches of this architecture may alias, so pages cannot be mapped twice");
		return -EOPNOTSUPP;
	}
	return 0;
}

/* Y1 and Y2 of a part that others may be using. */
static void validate_part(const struct myalloc_ring *r, const struct myalloc_ring_part *part,
			  struct myalloc_validation *v)
{
	u64 pos = smp_load_acquire(&part->oldest);	/* before tail, so it is not above it */
	u64 tail = smp_load_acquire(&part->tail), oldest;	/* pairs with reserve() */

	if (tail < pos || (s64)(tail - READ_ONCE(part->oldest)) > (s64)r->size)
		myalloc_finding(v, "Y1: ring %s: positions %llu to %llu of part %u",
				r->front.name, pos, tail, (u32)(part - r->part));
	while (pos < tail) {
		const struct myalloc_ring_header *h = myalloc_ring_at(r, part, pos);
		u32 length = data_race(READ_ONCE(h->length));	/* or data by now */
		bool whole = myalloc_ring_sound(r, h, pos, tail, length);

		myalloc_env_point("ring-looked");
		smp_rmb();	/* as in still_there() */
		oldest = READ_ONCE(part->oldest);
		if (oldest > pos) {
			pos = oldest;
		} else if (!whole) {
			myalloc_finding(v, "Y2: ring %s: no header at offset %lu of part %u",
					r->front.name, (unsigned long)(pos & (r->size - 1)),
					(u32)(part - r->part));
			pos = tail;
		} else {
			pos += myalloc_ring_total(r, length);
		}
	}
}

static void validate(struct myalloc_front *front, struct myalloc_validation *v)
{
	const struct myalloc_ring *r = container_of(front, struct myalloc_ring, front);
	u32 i;

	for (i = 0; i < r->nr_parts; i++)
		validate_part(r, &r->part[i], v);
}

static void free_ring(struct myalloc_ring *r);

static u64 pages(struct myalloc_front *front)
{
	struct myalloc_ring *r = myalloc_ring_of(front);

	return (u64)r->nr_parts * (r->size >> PAGE_SHIFT);
}

/* What user space can see must not become memory of somebody else. */
static bool is_shared(const struct myalloc_ring *r)
{
	if (!r->share)
		return false;
	myalloc_zone_err(r->front.zone, "ring %s cannot be destroyed: it is shared with user space",
			 r->front.name);
	return true;
}

/* Records that are reserved or peeked do not keep it. */
static int release(struct myalloc_front *front, bool poison)
{
	struct myalloc_ring *r = myalloc_ring_of(front);
	u32 i;

	if (is_shared(r))
		return -EBUSY;
	for (i = 0; poison && i < r->nr_parts; i++)
		memset(r->blocks[i], MYALLOC_POISON_FREE, r->size);
	free_ring(r);
	return 0;
}

const struct myalloc_front_kind myalloc_ring_kind = {
	.name = "ring",
	.name_size = MYALLOC_RING_NAME,
	.validate = validate,
	.pages = pages,
	.release = release,
};

/**
 * myalloc_ring_stats() - read the statistics of a ring
 * @ring: the ring
 * @stats: out
 *
 * Others may use the ring: each number is one that was right at some moment.
 *
 * Context: any.
 */
void myalloc_ring_stats(struct myalloc_ring *ring, struct myalloc_ring_stats *stats)
{
	const struct myalloc_ring_part *part;

	*stats = (struct myalloc_ring_stats){
		.id = ring->front.id,
		.mode = ring->mode,
		.parts = ring->nr_parts,
		.part_bytes = ring->size,
		.too_long = atomic64_read(&ring->too_long),
		.nmi_fails = atomic64_read(&ring->nmi_fails),
		.refused = atomic64_read(&ring->refused),
		.shared = !!READ_ONCE(ring->share),
		.wakes = atomic64_read(&ring->wakes),
	};
	for (part = ring->part; part < ring->part + ring->nr_parts; part++) {
		u64 oldest = READ_ONCE(part->oldest);

		stats->used_bytes += READ_ONCE(part->tail) - oldest;
		stats->records += READ_ONCE(part->records);
		stats->read += READ_ONCE(part->read);
		stats->skipped += READ_ONCE(part->skipped);
		stats->lost += READ_ONCE(part->lost);
		stats->full += READ_ONCE(part->full);
	}
}

static void free_ring(struct myalloc_ring *r)
{
	u32 i;

	myalloc_front_remove(&r->front);
	if (r->map)
		myalloc_env_unmap_twice(r->map, r->blocks, r->nr_parts, r->size);
	for (i = 0; r->blocks && i < r->nr_parts && r->blocks[i]; i++) {
		myalloc_account_return(r->front.client, r->size >> PAGE_SHIFT);
		myalloc_extent_free(r->front.zone, r->blocks[i], r->size >> PAGE_SHIFT,
				    MYALLOC_OWNER_RINGS, _RET_IP_);
	}
	myalloc_env_free(r->blocks);
	myalloc_env_free(r);
}

/* Allocates and maps the pages of all parts. */
static int get_pages(struct myalloc_ring *r, unsigned long caller)
{
	u32 i, nr = r->size >> PAGE_SHIFT;

	r->blocks = myalloc_env_zalloc_charged(r->nr_parts * sizeof(*r->blocks),
					       r->front.zone->node);
	if (!r->blocks)
		return -ENOMEM;
	for (i = 0; i < r->nr_parts; i++) {
		if (!myalloc_account_charge(r->front.client, nr))
			return -ENOMEM;
		r->blocks[i] = myalloc_extent_alloc(r->front.zone, nr, 0,
						    MYALLOC_ZERO | MYALLOC_MAY_WAIT,
						    MYALLOC_OWNER_RINGS, caller);
		if (!r->blocks[i]) {
			myalloc_account_return(r->front.client, nr);
			return -ENOMEM;
		}
	}
	r->map = myalloc_env_map_twice(r->blocks, r->nr_parts, r->size);
	return r->map ? 0 : -ENOMEM;
}

/**
 * myalloc_ring_create() - make a ring
 * @zone: where its pages come from
 * @args: parameters
 *
 * A ring that overwrites has a part of @args->size for each possible CPU.
 *
 * Context: task, may sleep.
 * Return: the ring; ERR_PTR(-EINVAL) if the arguments are out of range, -EEXIST if a ring of the
 * zone has the name, -EOPNOTSUPP if the caches of this architecture may alias (a sentence was
 * printed for each), -ENOMEM.
 */
struct myalloc_ring *myalloc_ring_create(struct myalloc_zone *zone,
					 const struct myalloc_ring_args *args)
{
	bool overwrite = args->mode == MYALLOC_RING_OVERWRITE;
	u32 i, parts = overwrite ? nr_cpu_ids : 1;
	struct myalloc_ring *r;
	int err;

	err = check_args(zone, args);
	if (err)
		return ERR_PTR(err);
	r = myalloc_env_zalloc_charged(struct_size(r, part, parts), zone->node);
	if (!r)
		return ERR_PTR(-ENOMEM);
	r->mode = args->mode;
	r->nr_parts = parts;
	r->size = PAGE_SIZE << get_order(args->size);
	r->shift = ilog2(r->size) + 1;
	r->header = sizeof(struct myalloc_ring_header) + (overwrite ? sizeof(u64) : 0);
	r->seed = myalloc_env_random();
	for (i = 0; i < parts; i++)
		raw_spin_lock_init(&r->part[i].lock);
	r->front.client = args->client;
	r->front.maker = _RET_IP_;
	err = myalloc_front_add(zone, &r->front, &myalloc_ring_kind, args->name);
	if (err) {
		myalloc_env_free(r);
		return ERR_PTR(err);
	}
	err = get_pages(r, _RET_IP_);
	if (err) {
		free_ring(r);
		return ERR_PTR(err);
	}
	return r;
}

/* Records of a part that are reserved. A header that is damaged ends the count. */
static u32 count_busy(const struct myalloc_ring *r, const struct myalloc_ring_part *part)
{
	u64 pos = part->oldest;
	u32 nr = 0;

	while (pos != part->tail) {
		const struct myalloc_ring_header *h = myalloc_ring_at(r, part, pos);

		if (!myalloc_ring_sound(r, h, pos, part->tail, h->length))
			break;
		nr += !!(h->length & MYALLOC_RING_BUSY);
		pos += myalloc_ring_total(r, h->length);
	}
	return nr;
}

/**
 * myalloc_ring_destroy() - end a ring
 * @ring: the ring, which nobody uses any more; NULL is allowed
 *
 * Records that were not read are gone.
 *
 * Context: task, may sleep.
 * Return: 0; -EBUSY if a record is reserved, or peeked and not released, or if the ring is shared
 * with user space, which is reported, and the ring stays as it is.
 */
int myalloc_ring_destroy(struct myalloc_ring *ring)
{
	u32 i, busy = 0;

	if (!ring)
		return 0;
	if (is_shared(ring))
		return -EBUSY;
	for (i = 0; i < ring->nr_parts; i++)
		busy += count_busy(ring, &ring->part[i]);
	if (busy || ring->part->peeked) {
		myalloc_zone_err(ring->front.zone,
				 "ring %s cannot be destroyed: %u record%s %s reserved, %u peeked",
				 ring->front.name, busy, myalloc_s(busy), myalloc_are(busy),
				 (u32)!!ring->part->peeked);
		return -EBUSY;
	}
	free_ring(ring);
	return 0;
}
