// SPDX-License-Identifier: GPL-2.0
/*
 * Two arenas that take turns: memory for a loop
 *
 * Pieces come from the current arena. The swap at the end of a frame resets the other one and makes
 * it current, so what a frame has allocated lives until the next frame ends. With per-CPU arenas
 * others may allocate during a swap. They read once which arena is current, and get a piece of this
 * frame or of the next one.
 */
#include "env.h"
#include "front/arena.h"

/**
 * myalloc_frames_create() - create two arenas that take turns
 * @zone: as for myalloc_arena_create()
 * @args: of each; they are called "<name>-0" and "<name>-1", so the name is two bytes shorter
 *
 * Context: as for myalloc_arena_create().
 * Return: the same.
 */
struct myalloc_frames *myalloc_frames_create(struct myalloc_zone *zone,
					     const struct myalloc_arena_args *args)
{
	struct myalloc_frames *f = myalloc_env_zalloc_charged(sizeof(*f), zone->node);
	struct myalloc_arena_args each = *args;
	char name[MYALLOC_CACHE_NAME];
	u32 i;

	if (!f)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < ARRAY_SIZE(f->arena); i++) {
		struct myalloc_arena *arena;

		if (args->name && *args->name) {
			scnprintf(name, sizeof(name), "%s-%u", args->name, i);
			each.name = name;
		}
		arena = myalloc_arena_create(zone, &each);
		if (IS_ERR(arena)) {
			myalloc_frames_destroy(f);
			return ERR_CAST(arena);
		}
		arena->front.maker = _RET_IP_;
		f->arena[i] = arena;
	}
	f->arena[0]->frames = f;
	f->arena[1]->frames = f;
	f->now = f->arena[0];
	return f;
}

/**
 * myalloc_frames_destroy() - destroy both arenas
 * @frames: from myalloc_frames_create(); NULL is allowed
 *
 * Context: as for myalloc_arena_destroy().
 */
void myalloc_frames_destroy(struct myalloc_frames *frames)
{
	if (frames)
		myalloc_arena_destroy_pair(frames);
}

/**
 * myalloc_frames_now() - the arena of the present frame
 * @frames: the two arenas
 *
 * For everything that is done with an arena but a reset.
 *
 * Context: any.
 * Return: the arena.
 */
struct myalloc_arena *myalloc_frames_now(struct myalloc_frames *frames)
{
	return smp_load_acquire(&frames->now);	/* pairs with myalloc_frames_swap() */
}

/**
 * myalloc_frames_alloc() - allocate a piece that lives until the next frame ends
 * @frames: the two arenas
 * @size: as for myalloc_arena_alloc()
 * @align: the same
 *
 * Context: as for myalloc_arena_alloc(), of the arena of the present frame.
 * Return: the same.
 */
void *myalloc_frames_alloc(struct myalloc_frames *frames, size_t size, size_t align)
{
	return myalloc_arena_alloc_for(myalloc_frames_now(frames), size, align, _RET_IP_);
}

/**
 * myalloc_frames_zalloc() - allocate a piece that reads as zero and lives until the next frame ends
 * @frames: the two arenas
 * @size: as for myalloc_arena_alloc()
 * @align: the same
 *
 * Context: as for myalloc_frames_alloc().
 * Return: the same.
 */
void *myalloc_frames_zalloc(struct myalloc_frames *frames, size_t size, size_t align)
{
	return myalloc_arena_zalloc_for(myalloc_frames_now(frames), size, align, _RET_IP_);
}

/**
 * myalloc_frames_swap() - end a frame
 * @frames: the two arenas
 *
 * Throws away what the frame before this one has allocated, and begins the next frame. With
 * per-CPU arenas others may allocate meanwhile; what they get belongs to this frame or the next
 * one, and lives until the frame after it ends.
 *
 * Context: as for myalloc_arena_reset().
 */
void myalloc_frames_swap(struct myalloc_frames *frames)
{
	struct myalloc_arena *next = frames->arena[frames->now == frames->arena[0]];

	myalloc_arena_reset(next);
	/* Pairs with myalloc_frames_now(): an allocation after the swap sees the reset. */
	smp_store_release(&frames->now, next);
}
