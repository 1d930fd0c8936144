// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz target: heap, object pool, arena and rings of one zone, against models
 *
 * The first byte chooses properties of the fronts; each following five bytes are one operation: the
 * kind, the context and the CPU, a selector, and a number. Any bytes are a valid stream. All fronts
 * take from one small zone, so an allocation of one may fail because of the others.
 *
 * A model keeps what is live. It checks that
 * - all memory that is live keeps its content, so no two pieces of it overlap,
 * - sizes and alignments are as promised, and zeroed memory reads as zero,
 * - a right free succeeds, and a wrong one is refused and changes nothing,
 * - the pool serves its number of objects outside NMI context, whatever the others hold,
 * - records come out of a ring complete, in their order, and a reservation fails only if it must,
 * - of a ring that overwrites, too, in their order, less those that are counted as lost,
 * - at the end nothing is held, and every page of the zone is free.
 */
#include "fuzz.h"
#include "front/arena.h"
#include "front/heap.h"
#include "front/pool.h"
#include "front/ring.h"
#include "zone/validate.h"

#define OP_BYTES	5
#define OPS_MOST	800
#define VALIDATE_EVERY	32

#define CHUNK_ORDER	5
#define CHUNKS		8
#define CPUS		2
#define BLOCKS		24	/* live blocks of the heap */
#define POOL_NR		6
#define POOL_MOST	16	/* live objects of the pool */
#define POOL_BYTES	200
#define PIECES		64	/* live pieces of the arena */
#define ARENA_BLOCK	(2 * PAGE_SIZE)
#define ARENA_LIMIT	(24 * PAGE_SIZE)
#define RING_BYTES	PAGE_SIZE
#define RECORDS		64
#define OVER_MOST	700	/* bytes of a record in the ring that overwrites */
#define OVER_RECORDS	(OPS_MOST + 1)

const char fuzz_name[] = "fronts";

/* Operations that sleep run in tasks only. */
struct kind {
	const char *name;
	void (*run)(void);
	bool task_only;
};

enum context { TASK, HARDIRQ, NMI, CONTEXTS };

static const char * const contexts[CONTEXTS] = { "task", "hardirq", "nmi" };

struct op {
	const struct kind *kind;
	enum context context;
	u32 cpu;
	u8 flags;	/* bits of the second byte that nothing else uses */
	u8 pick;
	u32 number;
};

/* Live memory, filled with a byte. A block of the heap that is wide is aligned to above a page. */
struct piece {
	u8 *at;
	size_t size;
	u8 byte;
	bool wide;
};

enum record_state { RESERVED, COMMITTED, DISCARDED };

struct record {
	struct piece piece;
	enum record_state state;
};

static struct {
	struct myalloc_zone *zone;
	u8 *memory;
	void *chunk[CHUNKS];	/* two are adjacent, then there is a gap */
	struct myalloc_heap *heap;
	struct myalloc_pool *pool;
	struct myalloc_arena *arena;
	struct myalloc_ring *ring, *over;

	struct piece block[BLOCKS], object[POOL_MOST], piece[PIECES];
	u32 blocks, objects, pieces;
	u32 pool_nr;
	void *freed;		/* the last block that was freed */
	struct {
		struct myalloc_arena_mark mark;
		u32 pieces;
	} mark[MYALLOC_ARENA_MARKS];
	u32 marks;
	struct myalloc_arena_mark stale;
	struct record record[RECORDS];
	u32 records;
	void *read;		/* the last record that was read */
	struct {
		struct record record[OVER_RECORDS];
		u32 nr;		/* of records */
		u32 copied;	/* number of the last one that was copied, plus 1 */
		u32 read;	/* how many were copied */
	} part[CPUS];
	u8 byte;
} w;

#define CHECK(ok)	do { if (!(ok)) wrong(#ok, __LINE__); } while (0)

static struct op now;
static u32 now_at;

static noinline __noreturn void wrong(const char *what, int line)
{
	host_fatal("operation %u (%s, %s, CPU %u, flags %u, pick %u, number %u), line %d: not %s",
		   now_at, now.kind->name, contexts[now.context], now.cpu, now.flags,
		   now.pick, now.number, line, what);
}

/* --- content ------------------------------------------------------------------------------- */

/* A loop of compares is slow in a fuzzer, which notes the operands of each. */
static bool all_are(const u8 *at, u8 byte, size_t size)
{
	return !size || (at[0] == byte && !memcmp(at, at + 1, size - 1));
}

static struct piece filled(void *at, size_t size)
{
	const struct piece piece = { at, size, ++w.byte };

	memset(at, piece.byte, size);
	return piece;
}

static void check_piece(const struct piece *piece)
{
	CHECK(all_are(piece->at, piece->byte, piece->size));
}

static void check_pieces(const struct piece *piece, u32 nr)
{
	while (nr--)
		check_piece(piece++);
}

static void check_content(void)
{
	u32 i;

	check_pieces(w.block, w.blocks);
	check_pieces(w.object, w.objects);
	check_pieces(w.piece, w.pieces);
	for (i = 0; i < w.records; i++)
		if (w.record[i].state != DISCARDED)
			check_piece(&w.record[i].piece);
}

/* Does one of the pieces begin there? */
static bool begins(const struct piece *piece, u32 nr, const void *at)
{
	for (; nr; nr--, piece++)
		if (piece->at == at)
			return true;
	return false;
}

/* --- heap ---------------------------------------------------------------------------------- */

static myalloc_flags_t zero_flag(void)
{
	return now.flags & 1 ? MYALLOC_ZERO : 0;
}

/* Small sizes are more frequent than whole pages. */
static size_t heap_size(void)
{
	return now.flags & 2 ? now.number * 2 : now.number % 2000;
}

static void heap_got(void *at, size_t size)
{
	if (!at)
		return;
	CHECK(myalloc_heap_usable_size(w.heap, at) >= size);
	CHECK(IS_ALIGNED((unsigned long)at, 8));
	if (now.flags & 1)
		CHECK(all_are(at, 0, size));
	w.block[w.blocks++] = filled(at, size);
}

static void heap_alloc(void)
{
	if (w.blocks < BLOCKS)
		heap_got(myalloc_heap_alloc(w.heap, heap_size(), zero_flag()), heap_size());
}

static void heap_aligned(void)
{
	const size_t align = 1UL << (now.pick % (PAGE_SHIFT + 3));
	void *at;

	if (w.blocks == BLOCKS)
		return;
	at = myalloc_heap_alloc_aligned(w.heap, heap_size(), align, zero_flag());
	CHECK(IS_ALIGNED((unsigned long)at, align));
	heap_got(at, heap_size());
	if (at)
		w.block[w.blocks - 1].wide = align > PAGE_SIZE;
}

static void heap_forget(u32 i)
{
	w.freed = w.block[i].at;
	w.block[i] = w.block[--w.blocks];
}

static void heap_realloc(void)
{
	const size_t size = heap_size();
	struct piece *block, kept;
	void *at;

	if (!w.blocks)
		return;
	block = &w.block[now.pick % w.blocks];
	at = myalloc_heap_realloc(w.heap, block->at, size, 0);
	if (!at)
		return;		/* its content is checked like that of all others */
	kept = (struct piece){ at, min(size, block->size), block->byte };
	check_piece(&kept);
	CHECK(myalloc_heap_usable_size(w.heap, at) >= size);
	*block = filled(at, size);
}

static void heap_free(void)
{
	u32 i;

	if (!w.blocks)
		return;
	i = now.pick % w.blocks;
	check_piece(&w.block[i]);
	CHECK(!myalloc_heap_free(w.heap, w.block[i].at));
	heap_forget(i);
}

static void heap_free_sized(void)
{
	size_t usable;
	u32 i;

	if (!w.blocks)
		return;
	i = now.pick % w.blocks;
	if (w.block[i].wide)
		return;
	check_piece(&w.block[i]);
	usable = myalloc_heap_usable_size(w.heap, w.block[i].at);
	/* The size names the class, and another class is refused. */
	if (now.flags & 4) {
		CHECK(myalloc_heap_free_sized(w.heap, w.block[i].at,
					      usable + 1 + now.number) == -EINVAL);
		return;
	}
	CHECK(!myalloc_heap_free_sized(w.heap, w.block[i].at, usable));
	heap_forget(i);
}

/* Allocates several, and frees all but those that stay. */
static void heap_bulk(void)
{
	const u32 most = min_t(u32, 8, BLOCKS - w.blocks);
	const size_t size = now.number % 600;
	void *at[8];
	u32 nr, i;

	nr = myalloc_heap_alloc_bulk(w.heap, size, zero_flag(), most, at);
	CHECK(nr <= most);
	for (i = 0; i < nr; i++)
		heap_got(at[i], size);
	if (!(now.flags & 4))
		return;
	CHECK(myalloc_heap_free_bulk(w.heap, nr, at) == nr);
	w.blocks -= nr;
}

/* An address at which nothing of the heap begins. */
static void *heap_not_its(void)
{
	switch (now.pick % 4) {
	case 0:		/* inside of a block */
		return w.blocks ? w.block[now.number % w.blocks].at + 1 + now.number % 7 : NULL;
	case 1:		/* twice */
		return w.freed;
	case 2:		/* of another front */
		return w.objects ? w.object[now.number % w.objects].at :
		       w.pieces ? w.piece[now.number % w.pieces].at : NULL;
	default:	/* anywhere in the zone */
		return w.chunk[now.number % CHUNKS] + now.number * 8 % (PAGE_SIZE << CHUNK_ORDER);
	}
}

static void heap_wrong(void)
{
	void *at = heap_not_its();

	if (!at || begins(w.block, w.blocks, at))
		return;
	CHECK(!myalloc_heap_usable_size(w.heap, at));
	CHECK(myalloc_heap_free(w.heap, at) == -EINVAL);
	CHECK(!myalloc_heap_realloc(w.heap, at, 100, 0));
}

/* --- object pool ----------------------------------------------------------------------------- */

static void pool_alloc(void)
{
	void *at;

	if (w.objects == POOL_MOST)
		return;
	at = myalloc_pool_alloc(w.pool, zero_flag());
	CHECK(at || now.context == NMI || w.objects >= w.pool_nr);
	if (!at)
		return;
	if (now.flags & 1)
		CHECK(all_are(at, 0, POOL_BYTES));
	w.object[w.objects++] = filled(at, POOL_BYTES);
}

static void pool_free(void)
{
	u32 i;

	if (!w.objects)
		return;
	i = now.pick % w.objects;
	check_piece(&w.object[i]);
	if (now.flags & 4)
		CHECK(!myalloc_free(w.zone, w.object[i].at));
	else
		CHECK(!myalloc_pool_free(w.pool, w.object[i].at));
	w.freed = w.object[i].at;
	w.object[i] = w.object[--w.objects];
}

static void pool_wrong(void)
{
	void *at = w.freed;

	if (now.pick % 3 == 1)
		at = w.objects ? w.object[now.number % w.objects].at + 1 + now.number % 7 : NULL;
	else if (now.pick % 3 == 2)
		at = w.blocks ? w.block[now.number % w.blocks].at : NULL;
	if (!at || begins(w.object, w.objects, at))
		return;
	CHECK(myalloc_pool_free(w.pool, at) == -EINVAL);
}

static void pool_resize(void)
{
	const u32 nr = now.number % (POOL_MOST + 1);
	const int err = myalloc_pool_resize(w.pool, nr);

	if (!nr)
		CHECK(err == -EINVAL);
	else
		CHECK(!err || err == -ENOMEM);
	if (!err)
		w.pool_nr = nr;
}

/* --- arena --------------------------------------------------------------------------------- */

static void arena_alloc(void)
{
	const size_t align = 1UL << (now.pick % 8);
	size_t size = 1 + (now.flags & 2 ? now.number % (4 * PAGE_SIZE) : now.number % 500);
	u8 *at;

	if (w.pieces == PIECES)
		return;
	/* What is left of a block, if it was the last one, a byte less or more. */
	if (now.flags & 8 && w.pieces) {
		const struct piece *last = &w.piece[w.pieces - 1];

		size = ARENA_BLOCK - (unsigned long)(last->at + last->size) % ARENA_BLOCK +
		       now.number % 3;
		size -= size > 1;
	}
	at = now.flags & 1 ? myalloc_arena_zalloc(w.arena, size, align) :
			     myalloc_arena_alloc(w.arena, size, align);
	if (!at)
		return;
	CHECK(IS_ALIGNED((unsigned long)at, align));
	if (now.flags & 1)
		CHECK(all_are(at, 0, size));
	/* It cannot be freed by itself. */
	if (now.flags & 4)
		CHECK(myalloc_free(w.zone, at) == -EINVAL);
	w.piece[w.pieces++] = filled(at, size);
	CHECK(atomic_long_read(&w.arena->pages) * PAGE_SIZE <= ARENA_LIMIT);
}

static void arena_mark(void)
{
	struct myalloc_arena_mark mark;

	if (w.marks == MYALLOC_ARENA_MARKS) {
		CHECK(myalloc_arena_mark(w.arena, &mark) == -ENOSPC);
		return;
	}
	CHECK(!myalloc_arena_mark(w.arena, &mark));
	w.mark[w.marks].mark = mark;
	w.mark[w.marks++].pieces = w.pieces;
}

/* The mark, and all that were made after it, are stale from now on. */
static bool arena_use_mark(void)
{
	if (!w.marks)
		return false;
	w.marks = now.pick % w.marks;
	w.stale = w.mark[w.marks].mark;
	return true;
}

static void arena_rewind(void)
{
	check_pieces(w.piece, w.pieces);
	if (!arena_use_mark())
		return;
	CHECK(!myalloc_arena_rewind(w.arena, &w.stale));
	w.pieces = w.mark[w.marks].pieces;
}

static void arena_keep(void)
{
	if (arena_use_mark())
		CHECK(!myalloc_arena_keep(w.arena, &w.stale));
}

static void arena_wrong(void)
{
	struct myalloc_arena_mark mark = w.stale;

	if (now.pick % 3 == 1 && w.marks) {
		mark = w.mark[now.number % w.marks].mark;
		mark.depth += 1 + now.number % 20;
	} else if (now.pick % 3 == 2 && w.marks) {
		mark = w.mark[now.number % w.marks].mark;
		mark.lane = (char *)mark.lane + 1 + now.number % 64;
	}
	CHECK(myalloc_arena_rewind(w.arena, &mark) == -EINVAL);
	CHECK(myalloc_arena_keep(w.arena, &mark) == -EINVAL);
}

static void arena_reset(void)
{
	if (w.marks)
		w.stale = w.mark[0].mark;
	myalloc_arena_reset(w.arena);
	w.marks = 0;
	w.pieces = 0;
}

static void arena_shrink(void)
{
	myalloc_arena_shrink(w.arena);
}

/* --- ring ---------------------------------------------------------------------------------- */

static void ring_reserve(void)
{
	const size_t size = now.number % (now.flags & 2 ? RING_BYTES + 100 : 300);
	size_t used = ALIGN(8 + size, 8);
	void *at;
	u32 i;

	if (w.records == RECORDS)
		return;
	for (i = 0; i < w.records; i++)
		used += ALIGN(8 + w.record[i].piece.size, 8);
	at = myalloc_ring_reserve(w.ring, size);
	CHECK(!at == (used > RING_BYTES));
	if (at)
		w.record[w.records++] = (struct record){ filled(at, size), RESERVED };
}

static void ring_end(void)
{
	struct record *record;

	if (!w.records)
		return;
	record = &w.record[now.pick % w.records];
	if (record->state != RESERVED) {
		CHECK(myalloc_ring_commit(w.ring, record->piece.at) == -EINVAL);
	} else if (now.flags & 4) {
		CHECK(!myalloc_ring_discard(w.ring, record->piece.at));
		record->state = DISCARDED;
	} else {
		CHECK(!myalloc_ring_commit(w.ring, record->piece.at));
		record->state = COMMITTED;
	}
}

static void ring_pass(void)
{
	memmove(w.record, w.record + 1, --w.records * sizeof(*w.record));
}

static void ring_read(void)
{
	size_t size = 0;
	void *at = myalloc_ring_peek(w.ring, &size);

	/* It has passed over these. */
	while (w.records && w.record[0].state == DISCARDED)
		ring_pass();
	CHECK(!at == !(w.records && w.record[0].state == COMMITTED));
	if (!at)
		return;
	CHECK(size == w.record[0].piece.size);
	CHECK(all_are(at, w.record[0].piece.byte, size));
	CHECK(myalloc_ring_release(w.ring, at + 1) == -EINVAL);
	CHECK(!myalloc_ring_release(w.ring, at));
	CHECK(myalloc_ring_release(w.ring, at) == -EINVAL);
	w.read = at;
	ring_pass();
}

/* Is it a record that may be committed? */
static bool is_reserved(const void *at)
{
	u32 i;

	for (i = 0; i < w.records; i++)
		if (w.record[i].state == RESERVED && w.record[i].piece.at == at)
			return true;
	return false;
}

static void ring_wrong(void)
{
	u8 *at = w.read;

	if (now.pick % 4 == 1)
		at = w.freed;
	else if (now.pick % 4 > 1 && w.records)
		at = w.record[now.pick / 4 % w.records].piece.at + now.number % 800;
	if (!at || is_reserved(at))
		return;
	CHECK(myalloc_ring_commit(w.ring, at) == -EINVAL);
	CHECK(myalloc_ring_discard(w.ring, at) == -EINVAL);
	CHECK(myalloc_ring_release(w.ring, at) == -EINVAL);
}

/* --- ring that overwrites -------------------------------------------------------------------- */

/* A record holds its number, so that it is known when it is copied. */
static void over_reserve(void)
{
	const size_t size = sizeof(u32) + now.number % (OVER_MOST - sizeof(u32));
	u32 nr = w.part[now.cpu].nr;
	u8 *at = myalloc_ring_reserve(w.over, size);

	if (!at)
		return;
	w.part[now.cpu].record[nr] = (struct record){ filled(at, size), RESERVED };
	memcpy(at, &nr, sizeof(nr));
	w.part[now.cpu].nr++;
	if (now.flags & 8)
		return;		/* over_end() ends it */
	CHECK(!myalloc_ring_commit(w.over, at));
	w.part[now.cpu].record[nr].state = COMMITTED;
}

static struct record *over_reserved(u32 cpu)
{
	u32 i;

	for (i = 0; i < w.part[cpu].nr; i++)
		if (w.part[cpu].record[i].state == RESERVED)
			return &w.part[cpu].record[i];
	return NULL;
}

/* From any CPU. */
static void over_end(void)
{
	struct record *record = over_reserved(now.pick % CPUS);

	if (!record)
		return;
	if (now.flags & 4)
		CHECK(!myalloc_ring_discard(w.over, record->piece.at));
	else
		CHECK(!myalloc_ring_commit(w.over, record->piece.at));
	record->state = now.flags & 4 ? DISCARDED : COMMITTED;
}

static void over_copy(void)
{
	const u32 cpu = now.pick % CPUS;
	const struct myalloc_ring_part *part = &w.over->part[cpu];
	const u32 newest = w.part[cpu].nr - 1;
	struct record *record;
	u8 copy[OVER_MOST];
	long size;
	u32 nr;

	size = myalloc_ring_copy(w.over, cpu, copy, sizeof(copy));
	if (size == -EAGAIN) {
		/* The newest record cannot have been overwritten. */
		CHECK(!w.part[cpu].nr || over_reserved(cpu) || w.part[cpu].copied > newest ||
		      w.part[cpu].record[newest].state == DISCARDED);
		return;
	}
	memcpy(&nr, copy, sizeof(nr));
	CHECK(nr >= w.part[cpu].copied && nr < w.part[cpu].nr);
	record = &w.part[cpu].record[nr];
	CHECK(record->state == COMMITTED);
	CHECK(size == record->piece.size);
	CHECK(all_are(copy + sizeof(nr), record->piece.byte, size - sizeof(nr)));
	CHECK(part->read == ++w.part[cpu].read);
	CHECK(part->read + part->skipped + part->lost == nr + 1);
	w.part[cpu].copied = nr + 1;
}

/* --- the world ------------------------------------------------------------------------------- */

static void drain(void)
{
	myalloc_zone_drain(w.zone);
}

static const struct kind kinds[] = {
	{ "heap-alloc", heap_alloc },
	{ "heap-alloc-aligned", heap_aligned },
	{ "heap-realloc", heap_realloc },
	{ "heap-free", heap_free },
	{ "heap-free-sized", heap_free_sized },
	{ "heap-bulk", heap_bulk },
	{ "heap-free-wrong", heap_wrong },
	{ "pool-alloc", pool_alloc },
	{ "pool-free", pool_free },
	{ "pool-free-wrong", pool_wrong },
	{ "pool-resize", pool_resize, true },
	{ "arena-alloc", arena_alloc },
	{ "arena-mark", arena_mark },
	{ "arena-rewind", arena_rewind },
	{ "arena-keep", arena_keep },
	{ "arena-rewind-wrong", arena_wrong },
	{ "arena-reset", arena_reset },
	{ "arena-shrink", arena_shrink, true },
	{ "ring-reserve", ring_reserve },
	{ "ring-commit-or-discard", ring_end },
	{ "ring-read", ring_read },
	{ "ring-commit-wrong", ring_wrong },
	{ "overwriting-reserve", over_reserve },
	{ "overwriting-commit-or-discard", over_end },
	{ "overwriting-copy", over_copy },
	{ "drain", drain, true },
};

static const struct kind ending = { "end" };

static void run_op(void)
{
	host_set_cpu(now.cpu);
	if (now.context == HARDIRQ)
		host_enter_hardirq();
	else if (now.context == NMI)
		host_enter_nmi();
	now.kind->run();
	if (now.context == HARDIRQ)
		host_exit_hardirq();
	else if (now.context == NMI)
		host_exit_nmi();
}

static void begin(u8 properties)
{
	static const myalloc_cache_flags_t heap_flags[] = {
		0, MYALLOC_CERTAIN, MYALLOC_CHECKS, MYALLOC_RANDOM,
	};
	const struct myalloc_zone_args zone_args = {
		.name = "fronts", .chunks = w.chunk, .nr_chunks = CHUNKS,
		.chunk_order = CHUNK_ORDER, .nr_pages = CHUNKS << CHUNK_ORDER,
		.node = NUMA_NO_NODE, .no_magazines = properties & 0x80,
	};
	u32 i;

	host_reset();
	host_set_nr_cpus(CPUS);
	memset(&w, 0, sizeof(w));
	w.memory = host_chunk_alloc(CHUNK_ORDER + ilog2(2 * CHUNKS));
	for (i = 0; i < CHUNKS; i++)
		w.chunk[i] = w.memory + ((i + i / 2) * PAGE_SIZE << CHUNK_ORDER);
	w.zone = myalloc_zone_create(&zone_args);
	if (IS_ERR(w.zone))
		host_fatal("no zone");
	w.heap = myalloc_heap_create(w.zone, &(struct myalloc_heap_args){
		.name = "h", .flags = heap_flags[properties & 3] });
	w.pool_nr = POOL_NR;
	w.pool = myalloc_pool_create(w.zone, &(struct myalloc_pool_args){
		.name = "p", .object_size = POOL_BYTES, .nr = POOL_NR,
		.flags = properties & 4 ? MYALLOC_POOL_HARD : 0 });
	w.arena = myalloc_arena_create(w.zone, &(struct myalloc_arena_args){
		.name = "a", .block_size = ARENA_BLOCK, .limit = ARENA_LIMIT,
		.flags = properties & 8 ? MYALLOC_POISON : 0 });
	w.ring = myalloc_ring_create(w.zone, &(struct myalloc_ring_args){
		.name = "r", .size = RING_BYTES,
		.mode = properties & 16 ? MYALLOC_RING_MANY : MYALLOC_RING_ONE });
	w.over = myalloc_ring_create(w.zone, &(struct myalloc_ring_args){
		.name = "o", .size = RING_BYTES, .mode = MYALLOC_RING_OVERWRITE });
	if (IS_ERR(w.heap) || IS_ERR(w.pool) || IS_ERR(w.arena) || IS_ERR(w.ring) ||
	    IS_ERR(w.over))
		host_fatal("a front cannot be made");
}

static void validate(void)
{
	struct myalloc_validation v;

	check_content();
	host_set_cpu(0);
	if (!myalloc_zone_validate(w.zone, &v))
		host_fatal("operation %u, validation: %s", now_at, v.first);
}

static void end(void)
{
	struct record *record;
	u32 i;

	now = (struct op){ .kind = &ending };
	while (w.blocks)
		CHECK(!myalloc_heap_free(w.heap, w.block[--w.blocks].at));
	while (w.objects)
		CHECK(!myalloc_pool_free(w.pool, w.object[--w.objects].at));
	for (i = 0; i < w.records; i++)
		if (w.record[i].state == RESERVED)
			CHECK(!myalloc_ring_discard(w.ring, w.record[i].piece.at));
	for (i = 0; i < CPUS; i++)
		while ((record = over_reserved(i))) {
			CHECK(!myalloc_ring_commit(w.over, record->piece.at));
			record->state = COMMITTED;
		}
	validate();
	CHECK(!myalloc_heap_destroy(w.heap));
	CHECK(!myalloc_pool_destroy(w.pool));
	myalloc_arena_destroy(w.arena);
	CHECK(!myalloc_ring_destroy(w.ring));
	CHECK(!myalloc_ring_destroy(w.over));
	CHECK(!myalloc_zone_destroy(w.zone));
	host_chunk_free(w.memory, CHUNK_ORDER + ilog2(2 * CHUNKS));
	if (host_live_allocs() || host_live_chunks())
		host_fatal("memory was not given back");
	if (host_check_clean())
		host_fatal("%s", host_check_clean());
}

static struct op decode(const u8 *data)
{
	struct op op = {
		.kind = &kinds[data[0] % ARRAY_SIZE(kinds)],
		.context = (data[1] & 3) % CONTEXTS,
		.cpu = data[1] >> 2 & 1,
		.flags = data[1] >> 3,
		.pick = data[2],
		.number = data[3] | data[4] << 8,
	};

	if (op.kind->task_only)
		op.context = TASK;
	return op;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (!size)
		return 0;
	begin(data[0]);
	for (now_at = 0, data++, size--; size >= OP_BYTES && now_at < OPS_MOST;
	     now_at++, data += OP_BYTES, size -= OP_BYTES) {
		now = decode(data);
		run_op();
		if (now_at % VALIDATE_EVERY == VALIDATE_EVERY - 1)
			validate();
	}
	end();
	return 0;
}

void fuzz_explain(const u8 *data, size_t size)
{
	u32 at = 0;

	if (!size)
		return;
	printf("properties %#x\n", data[0]);
	for (data++, size--; size >= OP_BYTES && at < OPS_MOST;
	     at++, data += OP_BYTES, size -= OP_BYTES) {
		const struct op op = decode(data);

		printf("%u: %s in %s on CPU %u, flags %u, pick %u, number %u\n", at,
		       op.kind->name, contexts[op.context], op.cpu, op.flags, op.pick,
		       op.number);
	}
}
