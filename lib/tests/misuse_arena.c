// SPDX-License-Identifier: GPL-2.0
/* Misuse of arenas. */
#include "misuse.h"
#include "front/arena.h"

static struct myalloc_arena *ring, *other;
static struct myalloc_frames *frames;
static struct myalloc_arena_mark m, inner;
static u8 *p, *q;

static struct myalloc_arena *make_arena(const char *name)
{
	struct myalloc_arena *arena =
		myalloc_arena_create(zone, &(struct myalloc_arena_args){ .name = name });

	EXPECT(!IS_ERR(arena), "no arena");
	return arena;
}

static void make_arenas(void)
{
	ring = make_arena("ring");
	other = make_arena("other");
}

static void make_frames(myalloc_cache_flags_t flags)
{
	frames = myalloc_frames_create(zone, &(struct myalloc_arena_args){
		.name = "f", .flags = flags,
	});
	EXPECT(!IS_ERR(frames), "no frames");
}

static u8 *piece(struct myalloc_arena *arena, size_t size)
{
	u8 *addr = myalloc_arena_alloc(arena, size, 0);

	EXPECT(addr, "no memory");
	return addr;
}

static void arena_freed(void)
{
	make_arenas();
	p = piece(ring, 64);
	q = piece(ring, 64);
	REFUSED(myalloc_free(zone, p), KIND);
	REFUSED(myalloc_pages_free_exact(zone, p, MYALLOC_ARENA_BLOCK / PAGE_SIZE), KIND);
	REFUSED(myalloc_pages_free(zone, p, 0), KIND);
	REFUSED(myalloc_free(zone, q), MISALIGNED);
	EXPECT(!myalloc_usable_size(zone, p), "a block of an arena has a size");
	valid();
}

static void arena_mark_foreign(void)
{
	make_arenas();
	good(myalloc_arena_mark(other, &m));
	EXPECT(myalloc_arena_rewind(ring, &m) == -EINVAL, "another arena's mark was used");
	EXPECT(myalloc_arena_keep(ring, &m) == -EINVAL, "another arena's mark was used");
	good(myalloc_arena_rewind(other, &m));
}

static void arena_mark_twice(void)
{
	make_arenas();
	good(myalloc_arena_mark(ring, &m));
	p = piece(ring, 8);
	good(myalloc_arena_rewind(ring, &m));
	q = piece(ring, 8);
	EXPECT(myalloc_arena_rewind(ring, &m) == -EINVAL, "a mark was used twice");
	EXPECT(p == q && piece(ring, 8) == q + 8, "something was thrown away");
}

static void arena_mark_inner(void)
{
	make_arenas();
	good(myalloc_arena_mark(ring, &m));
	good(myalloc_arena_mark(ring, &inner));
	good(myalloc_arena_rewind(ring, &m));
	EXPECT(myalloc_arena_rewind(ring, &inner) == -EINVAL, "a stale mark was used");
}

static void arena_mark_before_reset(void)
{
	make_arenas();
	good(myalloc_arena_mark(ring, &m));
	myalloc_arena_reset(ring);
	EXPECT(myalloc_arena_rewind(ring, &m) == -EINVAL, "a stale mark was used");
}

static void rewind_irq(void)
{
	EXPECT(myalloc_arena_rewind(ring, &m) == -EINVAL, "a task's mark was used");
}

static void arena_mark_context(void)
{
	ring = myalloc_arena_create(zone, &(struct myalloc_arena_args){
		.name = "ring", .percpu = true,
	});
	EXPECT(!IS_ERR(ring), "no arena");
	good(myalloc_arena_mark(ring, &m));
	in_irq(rewind_irq);
	good(myalloc_arena_rewind(ring, &m));
}

static void arena_align(void)
{
	make_arenas();
	EXPECT(!myalloc_arena_alloc(ring, 8, 24), "an odd alignment was accepted");
}

static void arena_write_thrown_away(void)
{
	make_frames(0);
	p = myalloc_frames_alloc(frames, 100, 0);
	myalloc_frames_swap(frames);
	myalloc_frames_swap(frames);
	*(u8 *)host_touch(p + 7, 1) = 1;
	EXPECT(myalloc_frames_alloc(frames, 100, 0) == p, "other memory");
	corrupt(1);
}

static void arena_read_thrown_away(void)
{
	make_frames(MYALLOC_POISON);
	p = myalloc_frames_alloc(frames, 100, 0);
	memset(p, 1, 100);
	myalloc_frames_swap(frames);
	EXPECT(p[99] == 1, "gone before the next frame ends");
	myalloc_frames_swap(frames);
	EXPECT(!myalloc_env_raw_memchr_inv(p, MYALLOC_POISON_FREE, 100), "not poisoned");
}

static void arena_zone_ends(void)
{
	make_arenas();
	EXPECT(myalloc_zone_destroy(zone) == -EBUSY, "a zone with an arena ended");
	myalloc_arena_destroy(ring);
	EXPECT(myalloc_zone_destroy(zone) == -EBUSY, "a zone with an arena ended");
	valid();
}

#ifdef HOST_ASAN

#define REPORT	"AddressSanitizer: use-after-poison"

static void read_p(void *arg)
{
	(void)*(volatile u8 *)p;
}

static void read_rewound(void)
{
	make_arenas();
	piece(ring, 8);
	good(myalloc_arena_mark(ring, &m));
	p = piece(ring, 8);
	good(myalloc_arena_rewind(ring, &m));
	EXPECT(host_dies(read_p, NULL, REPORT), "not reported");
	host_log_reset();
}

static void read_swapped(void)
{
	make_frames(0);
	p = myalloc_frames_alloc(frames, 8, 0);
	myalloc_frames_swap(frames);
	EXPECT(!host_dies(read_p, NULL, REPORT), "reported before the next frame ends");
	myalloc_frames_swap(frames);
	EXPECT(host_dies(read_p, NULL, REPORT), "not reported");
	host_log_reset();
}

static void read_behind(void)
{
	make_arenas();
	p = piece(ring, 13) + 13;
	EXPECT(host_dies(read_p, NULL, REPORT), "not reported");
	host_log_reset();
}

#endif

#define STALE	"arena ring: a stale mark was refused: it, or an older one, was used already, or the arena was reset"
#define FOREIGN	"arena ring: a mark that was not made by this arena, on this CPU and in this context, was refused"

const struct misuse misuse_arena[] = {
	CASE(arena_freed,
	     "bad free as * page*: not what it was allocated as; frame *, * page*, part of an arena, held by *\n"
	     "bad free as * page*: not what it was allocated as; frame *, * page*, part of an arena, held by *\n"
	     "bad free as pages of order 0: not what it was allocated as; frame *, * page*, part of an arena, held by *\n"
	     "bad free as * page*: misaligned: nothing begins at this address; frame *, * page*, part of an arena, held by *"),
	CASE(arena_mark_foreign, FOREIGN "\n" FOREIGN),
	CASE(arena_mark_twice, STALE),
	CASE(arena_mark_inner, STALE),
	CASE(arena_mark_before_reset, STALE),
	CASE(arena_mark_context, FOREIGN),
	CASE(arena_align,
	     "arena ring: an alignment of 24 is not a power of two up to *"),
	CASE_ZONE(MYALLOC_POISON, arena_write_thrown_away,
		  "arena f-0: memory was written to after it was thrown away: byte 7 of a new piece of 100 is 0x01, not 0x6b"),
	CASE(arena_read_thrown_away, ""),
	CASE(arena_zone_ends,
	     "cannot be destroyed: arena ring still exists\n"
	     "cannot be destroyed: arena other still exists"),
#ifdef HOST_ASAN
	CASE(read_rewound, ""),
	CASE(read_swapped, ""),
	CASE(read_behind, ""),
#endif
	{ }
};
