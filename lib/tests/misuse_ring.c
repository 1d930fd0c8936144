// SPDX-License-Identifier: GPL-2.0
/* Misuse of rings. */
#include "misuse.h"
#include "front/ring.h"

static struct myalloc_ring *ring;
static u8 *record;
static size_t size;

static struct myalloc_ring *make_ring(const char *name, enum myalloc_ring_mode mode)
{
	struct myalloc_ring *made = myalloc_ring_create(zone, &(struct myalloc_ring_args){
		.name = name, .size = PAGE_SIZE, .mode = mode });

	EXPECT(!IS_ERR(made), "no ring");
	return made;
}

static u8 *reserve(struct myalloc_ring *from)
{
	u8 *reserved = myalloc_ring_reserve(from, 24);

	EXPECT(reserved, "no room");
	return reserved;
}

/* The use was refused and counted, and the ring goes on as if nothing had happened. */
#define RING_REFUSED(call) do {							\
		s64 __refused = atomic64_read(&ring->refused);			\
		u64 __oldest = ring->part->oldest, __tail = ring->part->tail;	\
										\
		EXPECT((call) == -EINVAL, "a wrong use was accepted");		\
		EXPECT(atomic64_read(&ring->refused) == __refused + 1, "not counted"); \
		EXPECT(ring->part->oldest == __oldest && ring->part->tail == __tail, \
		       "a wrong use moved the ring");				\
		valid();							\
	} while (0)

static void ring_commit_twice(void)
{
	ring = make_ring("q", MYALLOC_RING_MANY);
	record = reserve(ring);
	good(myalloc_ring_commit(ring, record));
	RING_REFUSED(myalloc_ring_commit(ring, record));
	EXPECT(myalloc_ring_peek(ring, &size) == record && size == 24, "the record is gone");
}

static void ring_commit_discarded(void)
{
	ring = make_ring("q", MYALLOC_RING_ONE);
	record = reserve(ring);
	good(myalloc_ring_discard(ring, record));
	RING_REFUSED(myalloc_ring_commit(ring, record));
	EXPECT(!myalloc_ring_peek(ring, &size), "a discarded record was committed");
}

static void ring_commit_released(void)
{
	ring = make_ring("q", MYALLOC_RING_ONE);
	record = reserve(ring);
	good(myalloc_ring_commit(ring, record));
	good(myalloc_ring_release(ring, myalloc_ring_peek(ring, &size)));
	RING_REFUSED(myalloc_ring_commit(ring, record));
}

static void ring_commit_other(void)
{
	struct myalloc_ring *other = make_ring("other", MYALLOC_RING_MANY);

	ring = make_ring("q", MYALLOC_RING_MANY);
	record = reserve(other);
	RING_REFUSED(myalloc_ring_commit(ring, record));
	good(myalloc_ring_commit(other, record));
}

static void ring_commit_object(void)
{
	ring = make_ring("q", MYALLOC_RING_MANY);
	RING_REFUSED(myalloc_ring_commit(ring, object(a)));
}

static void ring_commit_interior(void)
{
	ring = make_ring("q", MYALLOC_RING_MANY);
	record = reserve(ring);
	memset(record, 0, 24);
	RING_REFUSED(myalloc_ring_commit(ring, record + 8));
	RING_REFUSED(myalloc_ring_commit(ring, record + 4));
	good(myalloc_ring_commit(ring, record));
}

static void ring_release_unpeeked(void)
{
	ring = make_ring("q", MYALLOC_RING_MANY);
	record = reserve(ring);
	good(myalloc_ring_commit(ring, record));
	RING_REFUSED(myalloc_ring_release(ring, record));
}

static void ring_release_twice(void)
{
	ring = make_ring("q", MYALLOC_RING_MANY);
	good(myalloc_ring_commit(ring, reserve(ring)));
	good(myalloc_ring_commit(ring, reserve(ring)));
	record = myalloc_ring_peek(ring, &size);
	good(myalloc_ring_release(ring, record));
	RING_REFUSED(myalloc_ring_release(ring, record));
	EXPECT(myalloc_ring_peek(ring, &size), "the second record is gone");
}

static void ring_release_next(void)
{
	u8 *next;

	ring = make_ring("q", MYALLOC_RING_MANY);
	good(myalloc_ring_commit(ring, reserve(ring)));
	next = reserve(ring);
	good(myalloc_ring_commit(ring, next));
	record = myalloc_ring_peek(ring, &size);
	RING_REFUSED(myalloc_ring_release(ring, next));
	good(myalloc_ring_release(ring, record));
}

static void ring_peek_overwriting(void)
{
	ring = make_ring("q", MYALLOC_RING_OVERWRITE);
	good(myalloc_ring_commit(ring, reserve(ring)));
	RING_REFUSED(myalloc_ring_peek(ring, &size) ? 0 : -EINVAL);
}

static void ring_overrun(void)
{
	ring = make_ring("q", MYALLOC_RING_ONE);
	record = reserve(ring);
	good(myalloc_ring_commit(ring, reserve(ring)));
	memset(record, 'x', 25);
	good(myalloc_ring_commit(ring, record));
	good(myalloc_ring_release(ring, myalloc_ring_peek(ring, &size)));
	EXPECT(!myalloc_ring_peek(ring, &size), "a damaged record was read");
	corrupt(1);
}

static void ring_freed_as_memory(void)
{
	ring = make_ring("q", MYALLOC_RING_ONE);
	record = reserve(ring);
	REFUSED(myalloc_free(zone, record), FOREIGN);
}

/* The previous user of the pages cannot free them while the ring has them. */
static void ring_pages_freed(void)
{
	struct myalloc_client *client =
		myalloc_client_create(zone, &(struct myalloc_client_args){ .name = "c" });
	u8 *stale = exact(4);

	EXPECT(!IS_ERR(client), "no client");
	good(myalloc_pages_free_exact(zone, stale, 4));
	ring = myalloc_ring_create(zone, &(struct myalloc_ring_args){
		.name = "q", .size = 4 * PAGE_SIZE, .mode = MYALLOC_RING_ONE, .client = client });
	EXPECT(!IS_ERR(ring) && ring->blocks[0] == stale, "other pages");
	record = reserve(ring);
	REFUSED(myalloc_pages_free_exact(zone, stale, 4), KIND);
	REFUSED(myalloc_free(zone, stale), KIND);
	REFUSED(myalloc_pages_free(zone, stale, 2), KIND);
	REFUSED(myalloc_client_pages_free(client, stale, 4), KIND);
	EXPECT(!myalloc_usable_size(zone, stale), "a ring's pages have a size");
	good(myalloc_ring_commit(ring, record));
	good(myalloc_ring_release(ring, myalloc_ring_peek(ring, &size)));
	good(myalloc_ring_destroy(ring));
	good(myalloc_client_end(client, 0));
	valid();
}

static void ring_ends_in_use(void)
{
	ring = make_ring("q", MYALLOC_RING_ONE);
	record = reserve(ring);
	EXPECT(myalloc_ring_destroy(ring) == -EBUSY, "a ring in use ended");
	good(myalloc_ring_commit(ring, record));
	record = myalloc_ring_peek(ring, &size);
	EXPECT(myalloc_ring_destroy(ring) == -EBUSY, "a ring in use ended");
	good(myalloc_ring_release(ring, record));
	good(myalloc_ring_destroy(ring));
	valid();
}

static void not_woken(struct myalloc_ring_share *share)
{
}

static u64 tail, oldest;
static struct myalloc_ring_share share = {
	.tail = &tail, .oldest = &oldest, .wake = not_woken,
};

/* A shared ring cannot be destroyed, and a release that names a wrong position changes nothing. */
static void ring_ends_shared(void)
{
	ring = make_ring("q", MYALLOC_RING_MANY);
	good(myalloc_ring_attach(ring, &share));
	EXPECT(myalloc_ring_destroy(ring) == -EBUSY, "a ring that is shared ended");
	EXPECT(myalloc_ring_attach(ring, &share) == -EBUSY, "a ring is shared twice");
	record = reserve(ring);
	EXPECT(myalloc_ring_release_to(ring, 32) == -EINVAL, "a reserved record was released");
	good(myalloc_ring_commit(ring, record));
	EXPECT(myalloc_ring_release_to(ring, 24) == -EINVAL, "a part of a record was released");
	EXPECT(myalloc_ring_release_to(ring, 64) == -EINVAL, "more than the ring has was released");
	EXPECT(!oldest && tail == 32, "a wrong use moved the ring");
	good(myalloc_ring_release_to(ring, 32));
	myalloc_ring_detach(ring);
	good(myalloc_ring_destroy(ring));
	valid();
}

/* Discarded records, which a peek would pass over, also stay for the consumer in user space. */
static void ring_peek_shared(void)
{
	ring = make_ring("q", MYALLOC_RING_MANY);
	good(myalloc_ring_attach(ring, &share));
	good(myalloc_ring_discard(ring, reserve(ring)));
	record = reserve(ring);
	good(myalloc_ring_commit(ring, record));
	RING_REFUSED(myalloc_ring_peek(ring, &size) ? 0 : -EINVAL);
	RING_REFUSED(myalloc_ring_release(ring, record));
	EXPECT(!oldest && tail == 64, "a wrong use moved the ring");
	good(myalloc_ring_release_to(ring, 32));
	myalloc_ring_detach(ring);
	EXPECT(myalloc_ring_peek(ring, &size) == record, "the record is gone");
}

static void ring_share_peeked(void)
{
	ring = make_ring("q", MYALLOC_RING_ONE);
	good(myalloc_ring_commit(ring, reserve(ring)));
	record = myalloc_ring_peek(ring, &size);
	EXPECT(myalloc_ring_attach(ring, &share) == -EBUSY, "shared under a consumer");
	good(myalloc_ring_release(ring, record));
	good(myalloc_ring_attach(ring, &share));
	myalloc_ring_detach(ring);
	good(myalloc_ring_destroy(ring));
	valid();
}

const struct misuse misuse_ring[] = {
	CASE(ring_commit_twice,
	     "bad commit of ring q: committed or discarded before; called by *"),
	CASE(ring_commit_discarded,
	     "bad commit of ring q: committed or discarded before; called by *"),
	CASE(ring_commit_released,
	     "bad commit of ring q: no record begins there; called by *"),
	CASE(ring_commit_other,
	     "bad commit of ring q: not an address of this ring; called by *"),
	CASE(ring_commit_object,
	     "bad commit of ring q: not an address of this ring; called by *"),
	CASE(ring_commit_interior,
	     "bad commit of ring q: no record begins there; called by *\n"
	     "bad commit of ring q: no record begins there; called by *"),
	CASE(ring_release_unpeeked,
	     "bad release of ring q: no record was peeked; called by *"),
	CASE(ring_release_twice,
	     "bad release of ring q: no record was peeked; called by *"),
	CASE(ring_release_next,
	     "bad release of ring q: not the record that was peeked; called by *"),
	CASE(ring_peek_overwriting,
	     "bad peek of ring q: records of a ring that overwrites can only be copied; called by *"),
	CASE(ring_overrun,
	     "ring q is damaged: no header at offset 32 of part 0"),
	CASE(ring_freed_as_memory,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(ring_pages_freed,
	     "bad free as 4 pages: not what it was allocated as; frame *, 4 pages, part of a ring, held by *\n"
	     "bad free as 4 pages: not what it was allocated as; frame *, 4 pages, part of a ring, held by *\n"
	     "bad free as pages of order 2: not what it was allocated as; frame *, 4 pages, part of a ring, held by *\n"
	     "bad free as 4 pages: not what it was allocated as; frame *, 4 pages, part of a ring, held by *"),
	CASE(ring_ends_in_use,
	     "ring q cannot be destroyed: 1 record is reserved, 0 peeked\n"
	     "ring q cannot be destroyed: 0 records are reserved, 1 peeked"),
	CASE(ring_ends_shared,
	     "ring q cannot be destroyed: it is shared with user space"),
	CASE(ring_peek_shared,
	     "bad peek of ring q: user space reads this ring (myalloc_ring_unshare() ends that); called by *\n"
	     "bad release of ring q: no record was peeked; called by *"),
	CASE(ring_share_peeked,
	     "ring q cannot be shared: a record is peeked, release it first"),
	{ }
};
