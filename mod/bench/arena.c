// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks of arenas: many pieces, discarded all at once
 *
 * A batch is a frame: allocate FRAME pieces, write the first word of each, then discard them all.
 * An arena, also a per-CPU arena, does the last step by a reset; the kernel's allocators, which
 * have no such operation, free each piece. The closest of them is page_frag, which the network
 * stack uses for packet fragments: it cuts pieces off a block in the same way, but counts
 * references. The time is that of one piece, with its share of the reset.
 */
#include "env.h"

#include "bench/run.h"
#include "compat.h"

#define FRAME		1000	/* pieces */

static const u32 sizes[] = { 16, 64, 256, 1024 };

/* Sizes of a mixed frame, in this order; 3 of 4 are below 100 bytes. */
static const u32 mixed[] = { 24, 64, 16, 200, 48, 96, 32, 1000 };

/**
 * struct state - the allocator of a side
 * @arena: arena of myalloc
 * @frag: cache of page_frag
 * @piece: the pieces of a frame
 */
struct state {
	struct myalloc_arena *arena;
	struct page_frag_cache frag;
	void *piece[FRAME];
};

/* --- sides ------------------------------------------------------------------------- */

static __always_inline size_t size_of(const struct bench_work *w, u32 i)
{
	return w->shape->bytes ?: mixed[i % ARRAY_SIZE(mixed)];
}

static void ours_round(struct bench_work *w, u32 ops)
{
	struct state *s = w->private;
	u64 *piece;
	u32 i;

	for (; ops >= FRAME; ops -= FRAME) {
		for (i = 0; i < FRAME; i++) {
			piece = myalloc_arena_alloc(s->arena, size_of(w, i), 8);
			if (unlikely(!piece)) {
				w->fails++;
				continue;
			}
			*piece = i;
		}
		myalloc_arena_reset(s->arena);
	}
}

typedef void *(*take_fn)(struct state *s, size_t size);
typedef void (*give_fn)(void *piece);

static __always_inline void frames(struct bench_work *w, u32 ops, take_fn take, give_fn give)
{
	struct state *s = w->private;
	u32 i, nr;

	for (; ops >= FRAME; ops -= FRAME) {
		for (i = 0, nr = 0; i < FRAME; i++) {
			u64 *piece = take(s, size_of(w, i));

			if (unlikely(!piece)) {
				w->fails++;
				continue;
			}
			*piece = i;
			s->piece[nr++] = piece;
		}
		for (i = 0; i < nr; i++)
			give(s->piece[i]);
	}
}

static __always_inline void *frag_take(struct state *s, size_t size)
{
	return page_frag_alloc(&s->frag, ALIGN(size, 8), GFP_BENCH);
}

static __always_inline void frag_give(void *piece)
{
	page_frag_free(piece);
}

static void frag_round(struct bench_work *w, u32 ops)
{
	frames(w, ops, frag_take, frag_give);
}

static __always_inline void *kmalloc_take(struct state *s, size_t size)
{
	return kmalloc(size, GFP_BENCH);
}

static __always_inline void kmalloc_give(void *piece)
{
	kfree(piece);
}

static void kmalloc_round(struct bench_work *w, u32 ops)
{
	frames(w, ops, kmalloc_take, kmalloc_give);
}

/* --- begin and end ---------------------------------------------------------------------- */

static int theirs_begin(struct bench_work *w)
{
	w->private = myalloc_bench_zalloc(sizeof(struct state));
	return w->private ? 0 : -ENOMEM;
}

static int arena_begin(struct bench_work *w, bool percpu)
{
	const struct myalloc_arena_args args = {
		.name = percpu ? "bench-percpu" : "bench", .percpu = percpu,
	};
	int err = theirs_begin(w);
	struct myalloc_arena *arena;

	if (err)
		return err;
	arena = myalloc_arena_create(w->run->job.zone, &args);
	if (IS_ERR(arena))
		return PTR_ERR(arena);
	((struct state *)w->private)->arena = arena;
	return 0;
}

static int ours_begin(struct bench_work *w)
{
	return arena_begin(w, false);
}

static int percpu_begin(struct bench_work *w)
{
	return arena_begin(w, true);
}

static void end(struct bench_work *w)
{
	struct state *s = w->private;

	if (s) {
		myalloc_arena_destroy(s->arena);
		myalloc_compat_frag_drain(&s->frag);
		myalloc_env_free(s);
	}
	w->private = NULL;
	myalloc_bench_end(w);
}

static const struct bench_side sides[] = {
	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = ours_begin,
	  .round = ours_round, .end = end },
	{ .name = "myalloc-percpu", .flags = MYALLOC_BENCH_ASIDE,
	  .begin = percpu_begin, .round = ours_round, .end = end },
	{ .name = "page_frag", .begin = theirs_begin, .round = frag_round, .end = end },
	{ .name = "kmalloc", .begin = theirs_begin, .round = kmalloc_round, .end = end },
	{ }
};

static void describe(u32 index, struct bench_shape *shape)
{
	shape->batch = FRAME;
	myalloc_bench_sides(shape, sides);
	if (index == ARRAY_SIZE(sizes)) {
		scnprintf(shape->name, sizeof(shape->name), "arena/mixed/frame");
		scnprintf(shape->what, sizeof(shape->what),
			  "%u pieces of 16 to 1000 bytes, thrown away at once", FRAME);
		return;
	}
	shape->bytes = sizes[index];
	scnprintf(shape->name, sizeof(shape->name), "arena/%u/frame", shape->bytes);
	scnprintf(shape->what, sizeof(shape->what), "%u pieces of %u bytes, thrown away at once",
		  FRAME, shape->bytes);
}

const struct bench_family myalloc_bench_arena = {
	.nr = ARRAY_SIZE(sizes) + 1,
	.describe = describe,
};
