// SPDX-License-Identifier: GPL-2.0
/*
 * Rings whose consumer is in user space: the consumer's side
 *
 * The consumer has the pages of the ring mapped, twice in a row as here, and two positions: @tail
 * and @oldest of struct myalloc_ring_share. It can write none of them, so nothing that it does can
 * damage the ring; what it asks for is checked. It reads the records from oldest to tail where they
 * lie, up to the first that is BUSY, and then has them released, all at once, by the position where
 * the last of them ends (myalloc_ring_release_to()).
 *
 * Producers store nothing for it when they reserve. A commit or discard publishes the tail if that
 * has grown, and wakes the consumer if it waits; so do the consumer's own calls. A tail that is
 * published covers each record whose commit has returned, and perhaps others that are BUSY.
 *
 * Sleeping: a consumer that has read everything declares that it waits (myalloc_ring_may_sleep(),
 * or a release that leaves nothing to read), and then looks once more; a producer commits, and then
 * looks whether somebody waits:
 *
 *	consumer			producer
 *	waiting = 1			length without BUSY
 *	smp_mb()			smp_mb()
 *	is there a record?		waiting?
 *
 * One of them sees the other's store (models/litmus/ring-wake.litmus), so no wake-up is lost. The
 * producer that changes waiting from 1 to 0 wakes; so while the consumer is at work, or until it
 * comes, there is at most one wake-up. A release that finds a record publishes it, so that one more
 * look of the consumer's own sees it.
 *
 * Invariants
 *	U1  The published tail never goes back, and is at most tail. The published oldest is at
 *	    most oldest.
 *	U2  Between two of the consumer's calls only producers change what is between the published
 *	    positions, and only the length of a record, from BUSY to not BUSY.
 *
 * Because of U2 discarded records stay until the consumer has them released, as others do. So it is
 * woken for them, too: a ring full of them would otherwise stay full.
 *
 * Memory order
 *	commit, discard		the tail is loaded with acquire and published with release: who
 *				acquires it sees the headers below it. The record itself is
 *				ordered by its length, as for other consumers (ring.c).
 *	release_to		store-release of oldest: the consumer's loads of the records come
 *				before the stores to the same bytes. The loads of user space
 *				precede the system call by which it asks for the release.
 *
 * Bounds: publishing takes a step more for each producer that publishes a later tail meanwhile.
 * may_sleep looks at one record, release_to takes a step for each record that it passes.
 *
 * Not for rings that overwrite: the consumer would have to learn of each record that is passed over
 * before its bytes are stored to.
 */
#include "env.h"
#include "front/ring.h"
#include "page/zone_report.h"

#define SLICE	1024	/* records between two calls of cond_resched() */

/*
 * Is there a record that the consumer can read, or pass over? Also true at a damaged header: the
 * consumer must find that, not wait.
 */
static bool readable(struct myalloc_ring *r)
{
	struct myalloc_ring_part *part = r->part;
	u64 pos = part->oldest, tail = smp_load_acquire(&part->tail);	/* with reserve() */
	struct myalloc_ring_header *h = myalloc_ring_at(r, part, pos);
	u32 length;

	if (pos == tail)
		return false;
	length = smp_load_acquire(&h->length);	/* pairs with finish() */
	return !myalloc_ring_sound(r, h, pos, tail, length) || !(length & MYALLOC_RING_BUSY);
}

/**
 * myalloc_ring_may_sleep() - may the consumer in user space sleep until it is woken up?
 * @ring: the ring, one that is shared
 *
 * Context: task, may sleep; only one of the consumer's calls at a time.
 * Return: true if there is nothing to read: the next commit or discard calls @wake. false: there is
 * something, perhaps only discarded records, which the consumer is to release; or the ring is
 * damaged.
 */
bool myalloc_ring_may_sleep(struct myalloc_ring *ring)
{
	struct myalloc_ring_share *share = ring->share;

	WRITE_ONCE(share->waiting, 1);
	smp_mb();	/* @waiting, then the lengths; pairs with tell() of ring.c */
	myalloc_env_point("ring-waiting");
	myalloc_ring_publish(ring, share);
	if (!readable(ring))
		return true;
	WRITE_ONCE(share->waiting, 0);
	/* What is readable may have been reserved since. */
	myalloc_ring_publish(ring, share);
	return false;
}

/* Follows the records from oldest to @pos, where one of them must end. Changes nothing. */
static int count_records(struct myalloc_ring *r, u64 pos, u64 *read, u64 *skipped)
{
	struct myalloc_ring_part *part = r->part;
	u64 at = part->oldest, tail = smp_load_acquire(&part->tail);	/* with reserve() */

	if (pos - at > tail - at)
		return -EINVAL;
	while (at < pos) {
		struct myalloc_ring_header *h = myalloc_ring_at(r, part, at);
		u32 length = smp_load_acquire(&h->length);	/* pairs with finish() */

		if (!myalloc_ring_sound(r, h, at, tail, length)) {
			myalloc_ring_damage(r, part, at);
			return -EIO;
		}
		if (length & MYALLOC_RING_BUSY)
			return -EINVAL;
		*(length & MYALLOC_RING_DISCARDED ? skipped : read) += 1;
		at += myalloc_ring_total(r, length);
		if ((*read + *skipped) % SLICE == 0)
			cond_resched();
	}
	return at == pos ? 0 : -EINVAL;
}

/**
 * myalloc_ring_release_to() - give the room of all records up to a position back
 * @ring: the ring, one that is shared
 * @pos: where the last of them ends; any value
 *
 * The consumer waits from then on if there is no other record to read, as after
 * myalloc_ring_may_sleep(). If there is one, it is published, and nobody is woken for it: an
 * edge-triggered poller looks once more after each release before it sleeps.
 *
 * Context: task, may sleep; only one of the consumer's calls at a time.
 * Return: 0; -EINVAL if no record ends there, or one before it is neither committed nor discarded;
 * -EIO if the ring is damaged before it, which is reported. After an error nothing is released.
 */
int myalloc_ring_release_to(struct myalloc_ring *ring, u64 pos)
{
	struct myalloc_ring_part *part = ring->part;
	u64 read = 0, skipped = 0;
	int err = count_records(ring, pos, &read, &skipped);

	if (err)
		return err;
	WRITE_ONCE(part->read, part->read + read);
	WRITE_ONCE(part->skipped, part->skipped + skipped);
	smp_store_release(&part->oldest, pos);	/* pairs with has_room() */
	WRITE_ONCE(*ring->share->oldest, pos);
	myalloc_ring_may_sleep(ring);
	return 0;
}

/**
 * myalloc_ring_attach() - share a ring with user space
 * @ring: the ring, in which nothing was reserved yet, and which nobody peeks at
 * @share: how; exists until myalloc_ring_detach()
 *
 * From then on myalloc_ring_peek() is refused: of two consumers each would give room back that the
 * other still reads.
 *
 * Context: any.
 * Return: 0; -EOPNOTSUPP if the ring overwrites; -EBUSY if it is shared, or a record of it is
 * peeked and not released, which is reported.
 */
int myalloc_ring_attach(struct myalloc_ring *ring, struct myalloc_ring_share *share)
{
	if (ring->mode == MYALLOC_RING_OVERWRITE)
		return -EOPNOTSUPP;
	if (ring->part->peeked) {
		myalloc_zone_err(ring->front.zone,
				 "ring %s cannot be shared: a record is peeked, release it first",
				 ring->front.name);
		return -EBUSY;
	}
	*share->tail = ring->part->tail;
	*share->oldest = ring->part->oldest;
	share->waiting = 0;
	return cmpxchg(&ring->share, NULL, share) ? -EBUSY : 0;
}

/**
 * myalloc_ring_detach() - the counterpart of myalloc_ring_attach()
 * @ring: the ring, in which nobody reserves or commits any more
 *
 * Context: any; afterwards @wake is not called any more.
 */
void myalloc_ring_detach(struct myalloc_ring *ring)
{
	WRITE_ONCE(ring->share, NULL);
}
