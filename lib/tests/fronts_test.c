// SPDX-License-Identifier: GPL-2.0
/*
 * Exhaustive search: every short sequence of operations of rings and of arenas
 *
 * A ring of a page, and an arena with blocks of four pages, begin empty. Every sequence of "depth"
 * operations is executed beside a model: for a ring the records in their order, for an arena its
 * pieces, its marks, its blocks and its position. After each operation everything that a user can
 * see is compared: results and refusals, the records that a consumer reads and their order, the
 * content of every live piece, the pages of the arena. Between sequences the front is emptied and
 * keeps its position, so that records lie at every place of a ring, also across its end.
 */
#include "env.h"
#include "ktap.h"
#include "program.h"
#include "front/arena.h"
#include "zone/validate.h"

#define CHUNK_ORDER	4
#define CHUNKS		2
#define DEPTH_MOST	12

static u32 depth = 5;
static u64 nr_ops;

static struct {
	struct myalloc_zone *zone;
	u8 *memory;
	u8 sequence[DEPTH_MOST];
	u32 at;
} w;

static noinline void wrong(const char *what)
{
	char text[4 * DEPTH_MOST + 1];
	u32 i;

	for (i = 0; i <= w.at && i < depth; i++)
		snprintf(text + 3 * i, sizeof(text) - 3 * i, "%2u ", w.sequence[i]);
	host_fatal("%s, at the end of the operations %s", what, text);
}

#define CHECK(ok)	do { if (!(ok)) wrong(#ok); } while (0)

static void make_zone(void)
{
	const size_t bytes = PAGE_SIZE << CHUNK_ORDER;
	void *chunks[CHUNKS];
	const struct myalloc_zone_args args = {
		.name = "fronts", .chunks = chunks, .nr_chunks = CHUNKS,
		.chunk_order = CHUNK_ORDER, .nr_pages = CHUNKS << CHUNK_ORDER,
		.node = NUMA_NO_NODE, .no_magazines = true,
	};
	u32 i;

	w.memory = host_chunk_alloc(CHUNK_ORDER + 2);
	for (i = 0; i < CHUNKS; i++)	/* not adjacent */
		chunks[i] = w.memory + 2 * i * bytes;
	w.zone = myalloc_zone_create(&args);
	if (IS_ERR(w.zone))
		host_fatal("no zone");
}

static void end_zone(void)
{
	struct myalloc_validation v;

	if (!myalloc_zone_validate(w.zone, &v))
		host_fatal("validation: %s", v.first);
	if (myalloc_zone_destroy(w.zone))
		host_fatal("the zone does not end");
	host_chunk_free(w.memory, CHUNK_ORDER + 2);
}

/* Call @fn for each sequence of operations below @nr. */
static void each_sequence(u32 nr, void (*fn)(void))
{
	u32 i;

	memset(w.sequence, 0, sizeof(w.sequence));
	for (;;) {
		fn();
		nr_ops += depth;
		for (i = 0; i < depth && ++w.sequence[i] == nr; i++)
			w.sequence[i] = 0;
		if (i == depth)
			return;
	}
}

/* --- rings -------------------------------------------------------------------------------- */

enum ring_op {
	RESERVE, RESERVE_LONG, COMMIT_OLD, COMMIT_NEW, DISCARD_NEW, PEEK, RELEASE,
	RING_OPS
};

#define RECORD		(PAGE_SIZE / 4 - 8)	/* a quarter, including the header */
#define RECORD_LONG	(PAGE_SIZE / 2)		/* 8 bytes too long beside two others */

enum record_state { BUSY, COMMITTED, DISCARDED };

static struct {
	struct myalloc_ring *ring;
	struct record {
		u64 *at;
		u64 serial;
		size_t size;
		enum record_state state;
	} record[2 * DEPTH_MOST];
	u32 nr;
	u64 serial;
	u64 *peeked;
} r;

static size_t room_of(size_t size)
{
	return ALIGN(8 + size, 8);
}

static void ring_reserve(size_t size)
{
	size_t used = 0;
	u64 *at;
	u32 i;

	for (i = 0; i < r.nr; i++)
		used += room_of(r.record[i].size);
	at = myalloc_ring_reserve(r.ring, size);
	CHECK(!at == (used + room_of(size) > PAGE_SIZE));
	if (!at)
		return;
	memset(at, ++r.serial, size);
	*at = r.serial;
	r.record[r.nr++] = (struct record){ at, r.serial, size, BUSY };
}

/* The oldest or newest record that is BUSY; NULL if there is none. */
static struct record *ring_busy(bool newest)
{
	u32 i;

	for (i = 0; i < r.nr; i++) {
		struct record *record = &r.record[newest ? r.nr - 1 - i : i];

		if (record->state == BUSY)
			return record;
	}
	return NULL;
}

static void ring_end(bool newest, bool discard)
{
	struct record *record = ring_busy(newest);

	if (!record)
		return;
	if (discard)
		CHECK(!myalloc_ring_discard(r.ring, record->at));
	else
		CHECK(!myalloc_ring_commit(r.ring, record->at));
	record->state = discard ? DISCARDED : COMMITTED;
}

static void ring_forget(void)
{
	memmove(r.record, r.record + 1, --r.nr * sizeof(*r.record));
}

/* The consumer passes over discarded records, and waits at a BUSY one. */
static void ring_peek(void)
{
	size_t size = 0;
	u64 *at = myalloc_ring_peek(r.ring, &size);

	while (r.nr && r.record[0].state == DISCARDED)
		ring_forget();
	CHECK(!at == !(r.nr && r.record[0].state == COMMITTED));
	r.peeked = at;
	if (!at)
		return;
	CHECK(size == r.record[0].size);
	CHECK(*at == r.record[0].serial);
	CHECK(!memchr_inv(at + 1, (u8)r.record[0].serial, size - sizeof(*at)));
}

static void ring_release(void)
{
	if (!r.peeked)
		return;
	CHECK(!myalloc_ring_release(r.ring, r.peeked));
	r.peeked = NULL;
	ring_forget();
}

static void ring_sequence(void)
{
	for (w.at = 0; w.at < depth; w.at++) {
		switch (w.sequence[w.at]) {
		case RESERVE:
			ring_reserve(RECORD);
			break;
		case RESERVE_LONG:
			ring_reserve(RECORD_LONG);
			break;
		case COMMIT_OLD:
			ring_end(false, false);
			break;
		case COMMIT_NEW:
			ring_end(true, false);
			break;
		case DISCARD_NEW:
			ring_end(true, true);
			break;
		case PEEK:
			ring_peek();
			break;
		case RELEASE:
			ring_release();
			break;
		}
	}
	while (ring_busy(false))
		ring_end(false, false);
	do {
		ring_peek();
		ring_release();
	} while (r.nr);
}

static void ring_search(enum myalloc_ring_mode mode, const char *name)
{
	const struct myalloc_ring_args args = { .name = "r", .size = PAGE_SIZE, .mode = mode };

	make_zone();
	memset(&r, 0, sizeof(r));
	r.ring = myalloc_ring_create(w.zone, &args);
	if (IS_ERR(r.ring))
		host_fatal("no ring");
	each_sequence(RING_OPS, ring_sequence);
	if (myalloc_ring_destroy(r.ring))
		host_fatal("the ring does not end");
	end_zone();
	ktap_result(true, "ring, %s: sequences of %u operations", name, depth);
}

/* --- arenas -------------------------------------------------------------------------------- */

enum arena_op {
	SMALL, MEDIUM, LARGE, MARK, REWIND, REWIND_FIRST, KEEP, RESET, SHRINK,
	ARENA_OPS
};

#define BLOCK		(4 * PAGE_SIZE)
#define LIMIT		(7 * PAGE_SIZE)		/* a block and large pieces */
#define ALIGNMENT	16u
#define PIECE_SMALL	24u
#define PIECE_MEDIUM	PAGE_SIZE		/* a quarter of a block */
#define PIECE_LARGE	(PAGE_SIZE + 8)		/* pages of its own, if it does not fit */

/* Small blocks begun, bytes cut off the last one, large pieces. */
struct place {
	u32 blocks;
	size_t off;
	u32 large;
};

static struct {
	struct myalloc_arena *arena;
	struct place now;
	u32 blocks, large;	/* of the arena */
	struct piece {
		u8 *at;
		size_t size;
		u8 byte;
	} piece[DEPTH_MOST];
	u32 nr;
	struct {
		struct myalloc_arena_mark mark;
		struct place place;
		u32 nr;
	} mark[DEPTH_MOST];
	u32 nr_marks;
	u8 byte;
} a;

static size_t arena_bytes(u32 blocks, u32 large)
{
	return blocks * BLOCK + large * PAGE_ALIGN(PIECE_LARGE);
}

/* Pieces keep their content, so none lies in another. */
static void arena_check(void)
{
	u32 i;

	for (i = 0; i < a.nr; i++)
		CHECK(!memchr_inv(a.piece[i].at, a.piece[i].byte, a.piece[i].size));
	CHECK(atomic_long_read(&a.arena->pages) * PAGE_SIZE == arena_bytes(a.blocks, a.large));
}

/* The arena's place after one more piece: its own blocks are used before a new one is taken. */
static struct place place_after(size_t size)
{
	struct place to = a.now;

	if (to.blocks && ALIGN(to.off, ALIGNMENT) + size <= BLOCK) {
		to.off = ALIGN(to.off, ALIGNMENT) + size;
	} else if (size == PIECE_LARGE) {
		to.large++;
	} else {
		to.blocks++;
		to.off = size;
	}
	return to;
}

static void arena_alloc(size_t size)
{
	u8 *at = myalloc_arena_alloc(a.arena, size, ALIGNMENT);
	const struct place to = place_after(size);
	u32 blocks = max(a.blocks, to.blocks), large = max(a.large, to.large);

	CHECK(!at == (arena_bytes(blocks, large) > LIMIT));
	if (!at)
		return;
	a.now = to;
	a.blocks = blocks;
	a.large = large;
	CHECK(IS_ALIGNED((unsigned long)at, ALIGNMENT));
	memset(at, ++a.byte, size);
	a.piece[a.nr++] = (struct piece){ at, size, a.byte };
}

static void arena_shrink(void)
{
	myalloc_arena_shrink(a.arena);
	a.blocks = a.now.blocks;
	a.large = a.now.large;
}

static void arena_rewind(u32 to)
{
	if (to >= a.nr_marks)
		return;
	CHECK(!myalloc_arena_rewind(a.arena, &a.mark[to].mark));
	a.nr_marks = to;
	a.nr = a.mark[to].nr;
	a.now = a.mark[to].place;
}

static void arena_reset(void)
{
	myalloc_arena_reset(a.arena);
	a.nr = 0;
	a.nr_marks = 0;
	a.now = (struct place){};
}

static void arena_sequence(void)
{
	for (w.at = 0; w.at < depth; w.at++) {
		switch (w.sequence[w.at]) {
		case SMALL:
			arena_alloc(PIECE_SMALL);
			break;
		case MEDIUM:
			arena_alloc(PIECE_MEDIUM);
			break;
		case LARGE:
			arena_alloc(PIECE_LARGE);
			break;
		case MARK:
			CHECK(!myalloc_arena_mark(a.arena, &a.mark[a.nr_marks].mark));
			a.mark[a.nr_marks].place = a.now;
			a.mark[a.nr_marks++].nr = a.nr;
			break;
		case REWIND:
			arena_rewind(a.nr_marks - 1);
			break;
		case REWIND_FIRST:
			arena_rewind(0);
			break;
		case KEEP:
			if (a.nr_marks) {
				a.nr_marks--;
				CHECK(!myalloc_arena_keep(a.arena, &a.mark[a.nr_marks].mark));
			}
			break;
		case RESET:
			arena_reset();
			break;
		case SHRINK:
			arena_shrink();
			break;
		}
		arena_check();
	}
	arena_reset();
	arena_shrink();
}

static void arena_search(void)
{
	const struct myalloc_arena_args args = { .name = "a", .block_size = BLOCK, .limit = LIMIT };

	make_zone();
	memset(&a, 0, sizeof(a));
	a.arena = myalloc_arena_create(w.zone, &args);
	if (IS_ERR(a.arena))
		host_fatal("no arena");
	each_sequence(ARENA_OPS, arena_sequence);
	myalloc_arena_destroy(a.arena);
	end_zone();
	ktap_result(true, "arena: sequences of %u operations", depth);
}

int main(int argc, char **argv)
{
	const struct program_option options[] = {
		{ "depth", PROGRAM_U32, &depth, "operations in a sequence, up to 12" },
		{ }
	};

	program_options(argc, argv, "Every short sequence of operations of rings and arenas.",
			options);
	if (!depth || depth > DEPTH_MOST)
		host_fatal("the depth is 1 to %u, not %u", DEPTH_MOST, depth);
	host_set_nr_cpus(1);
	ktap_plan(3);
	ring_search(MYALLOC_RING_ONE, "one producer");
	ring_search(MYALLOC_RING_MANY, "several producers");
	arena_search();
	ktap_note("%llu operations", nr_ops);
	return ktap_end();
}
