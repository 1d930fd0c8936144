// SPDX-License-Identifier: GPL-2.0
/*
 * Arenas: many pieces of memory that are thrown away at once
 *
 * What it is: an arena takes blocks from the zone and cuts pieces off the current block by adding
 * to an address. No piece is freed by itself: a rewind returns to a mark, a reset to the beginning.
 * The blocks stay, so that work which repeats (a frame of a game, a request of a server) asks the
 * zone for nothing after its first rounds: zone_calls of the statistics stands still.
 *
 *	small	[ block 0 ][ block 1 ][ block 2 ][ block 3 ]	blocks of block_pages
 *	         full       full       ^at    ^end unused
 *	large	[ 40 KiB ][ 1 MiB ][ 64 KiB ]			one piece each
 *	         used      ^last_used  unused
 *
 * Lane: what one context cuts pieces off: the current block, a chain of blocks for pieces, a chain
 * of large pieces, a stack of marks. In both chains the used blocks come first, in the order of
 * their use, then those that a rewind has left. A place in a lane is therefore three values
 * (struct myalloc_arena_place), and going back to it is three stores, however much was allocated.
 *
 * A piece that does not fit into the current block begins the next one. Above a quarter of a block
 * (but not below a page) it has whole pages of its own instead, so what is unused at the end of a
 * block is less than that. A request for a large piece takes the next unused large block if it has
 * the pages, and not more than twice as many; work that repeats exactly always finds it there. Else
 * the request looks at MYALLOC_ARENA_LOOK unused ones, and if none suits, the first of them is
 * given back to the zone before a new one is taken: there are never more large blocks than were in
 * use at one time.
 *
 * Marks: a mark is an entry of the lane's stack, and the user has its position and stamp. A rewind
 * takes it and those above it off the stack; a reset takes all. So a mark is stale if its position
 * is not in the stack or has another stamp, and foreign if it names another lane. Stamps begin at
 * the time in ns at which the arena was created and grow by one with each mark, so an arena in the
 * memory of a former one does not know the former one's marks (unless that made more than one mark
 * a ns). What a wrong mark would do is refused and reported; it changes nothing.
 *
 * Per-CPU arenas have MYALLOC_ARENA_LEVELS lanes for each possible CPU: one for tasks, softirqs,
 * hard interrupts and NMIs each. What interrupts an operation works in another lane, so no lane is
 * seen in the middle of a change, and nothing is locked or atomic. Preemption is off during an
 * operation. Where a context interrupts itself in the middle of an operation (a tracer that runs
 * before the kernel has counted the interrupt, an exception in an NMI), it finds the lane busy and
 * is refused, which is counted. A reset of a per-CPU arena only counts the epoch; each lane goes
 * back to its beginning when it is next used. So it takes one store, in any context, while others
 * allocate: such an allocation belongs to before or after the reset.
 *
 * Free memory of an arena is never read or written, except with MYALLOC_POISON (also of the zone):
 * then a rewind fills what it throws away, and an allocation reports it if that was written to
 * meanwhile. KASAN's shadow says the same of any arena (page/shadow.h). In a per-CPU arena that
 * happens when the lane is next used.
 *
 * Metadata lies outside the blocks: one struct myalloc_arena_block each, in a cache of the arena's
 * without magazines. Blocks are extents of one owner, MYALLOC_OWNER_ARENAS, which myalloc_free()
 * and myalloc_pages_free_exact() refuse.
 *
 * Invariants
 *	G1  Each block of each chain is an extent of MYALLOC_OWNER_ARENAS with its number of pages,
 *	    and is in one chain. All of them have arena->pages pages together, at most arena->limit
 *	    (while a block is being taken or given, arena->pages counts it already, or still).
 *	G2  The used blocks are the first of their chain, and sum is the pages up to there.
 *	G3  at lies in the last used small block and end is its end; both are 0 if there is none.
 *	G4  The places of the marks ascend, and none lies behind the present place.
 *	G5  While a lane is busy, only the context that made it busy reads or writes it, except for
 *	    statistics. (An arena without lanes has one user at a time by contract.)
 *
 * Locking: arena->lock is held while links of a chain change, and by validation, which walks over
 * chains of others, at most BLOCKS_MOST blocks at a time. It is innermost, never held by an
 * operation that finds what it needs unused.
 *
 * Bounds: an allocation that fits is 35 instructions of x86-64, of any size, below 90 in a per-CPU
 * arena. Otherwise one step to the next block, or MYALLOC_ARENA_LOOK steps for a large piece, and
 * at most one extent and one object from the zone and one back, with their bounds. Mark, rewind and
 * reset take one step. With poison, or KASAN, a rewind takes as many as it throws bytes away.
 *
 * Cost: an unused arena takes sizeof(struct myalloc_arena) and a cache without magazines, about
 * 2.5 KiB; if it is per CPU, sizeof(struct myalloc_arena_lanes) more for each possible CPU, below
 * 3 KiB. A block costs 24 bytes.
 */
#include "env.h"
#include "front/arena.h"
#include "zone/front.h"
#include "object/cache.h"
#include "object/object.h"
#include "page/account.h"
#include "page/extent.h"
#include "page/shadow.h"
#include "page/zone_report.h"
#include "zone/finding.h"

/* --- chains ------------------------------------------------------------------------------- */

/* Where the link to the first unused block of a chain is. */
static struct myalloc_arena_block **unused(struct myalloc_arena_chain *chain)
{
	return chain->last_used ? &chain->last_used->next : &chain->first;
}

/* The first unused block becomes the last used one. */
static void use_next(struct myalloc_arena_chain *chain)
{
	struct myalloc_arena_block *next = *unused(chain);

	next->sum = next->pages + (chain->last_used ? chain->last_used->sum : 0);
	chain->last_used = next;
}

static size_t bytes_of(const struct myalloc_arena_block *block)
{
	return (size_t)block->pages << PAGE_SHIFT;
}

/* Bytes in use. A reader other than the lane's user may see them in the middle of a change. */
static size_t used_bytes(const struct myalloc_arena_lane *l)
{
	return READ_ONCE(l->at) + READ_ONCE(l->bias);
}

static void set_at(struct myalloc_arena_lane *l, unsigned long at)
{
	const struct myalloc_arena_block *small = l->small.last_used, *large = l->large.last_used;
	unsigned long bias = large ? (size_t)large->sum << PAGE_SHIFT : 0;

	if (small)
		bias += ((size_t)(small->sum - small->pages) << PAGE_SHIFT) - small->base;
	l->end = small ? small->base + bytes_of(small) : 0;
	WRITE_ONCE(l->at, at);
	WRITE_ONCE(l->bias, bias);
}

/* --- memory that nobody may use ----------------------------------------------------------- */

/* Fills and poisons @size bytes; the granule in which they begin may be in use up to there. */
static void hide(const struct myalloc_arena *a, unsigned long from, size_t size)
{
	unsigned long granule = ALIGN_DOWN(from, MYALLOC_ENV_GRANULE);

	if (a->poison)
		myalloc_env_raw_memset((void *)from, MYALLOC_POISON_FREE, size);
	myalloc_env_poison_as((void *)granule, ALIGN(from + size, MYALLOC_ENV_GRANULE) - granule,
			      MYALLOC_ENV_FREE_OBJECT);
	myalloc_env_unpoison((void *)granule, from - granule);
}

/* Makes a piece accessible that is being allocated. */
static __always_inline void show(const u8 *piece, size_t size)
{
	const u8 *granule = PTR_ALIGN_DOWN(piece, MYALLOC_ENV_GRANULE);

	myalloc_env_unpoison(granule, piece + size - granule);
}

/* With poison: reports a new piece that was written to before. */
static noinline void check_poison(const struct myalloc_arena *a, const u8 *piece, size_t size)
{
	const u8 *bad = myalloc_env_raw_memchr_inv(piece, MYALLOC_POISON_FREE, size);

	if (bad)
		myalloc_zone_crit(a->front.zone, "arena %s: memory was written to after it was thrown away: byte %zu of a new piece of %zu is 0x%02x, not 0x%02x",
				  a->front.name, (size_t)(bad - piece), size,
				  myalloc_env_raw_byte(bad), MYALLOC_POISON_FREE);
}

/* Hides what lies between a place and the present one. */
static void hide_from(const struct myalloc_arena *a, const struct myalloc_arena_lane *l,
		      const struct myalloc_arena_place *to)
{
	const struct myalloc_arena_block *b;
	unsigned long from;

	if (l->small.last_used) {
		b = to->block ?: l->small.first;
		from = to->at ?: b->base;
		while (b != l->small.last_used) {
			hide(a, from, b->base + bytes_of(b) - from);
			b = b->next;
			from = b->base;
		}
		hide(a, from, l->at - from);
	}
	for (b = to->large; b != l->large.last_used;) {
		b = b ? b->next : l->large.first;
		hide(a, b->base, bytes_of(b));
	}
}

/* Throws away what lies behind a place. */
static void go_back(const struct myalloc_arena *a, struct myalloc_arena_lane *l,
		    const struct myalloc_arena_place *to)
{
	WRITE_ONCE(l->peak, max(l->peak, used_bytes(l)));
	if (MYALLOC_ENV_SHADOW | a->poison)
		hide_from(a, l, to);
	l->small.last_used = to->block;
	l->large.last_used = to->large;
	set_at(l, to->at);
}

/* A reset reaches the lane. */
static noinline void catch_up(const struct myalloc_arena *a, struct myalloc_arena_lane *l,
			      u64 epoch)
{
	static const struct myalloc_arena_place begin;

	go_back(a, l, &begin);
	l->depth = 0;
	WRITE_ONCE(l->epoch, epoch);
}

/* --- lanes -------------------------------------------------------------------------------- */

/* The lane of this context. What was allocated from it before the last reset is gone. */
static __always_inline struct myalloc_arena_lane *enter_lanes(struct myalloc_arena *a)
{
	struct myalloc_arena_lane *l;
	u64 epoch;

	preempt_disable();
	l = &this_cpu_ptr(a->lanes)->level[interrupt_context_level()];
	if (unlikely(l->busy)) {
		atomic64_inc(&a->busy);
		preempt_enable();
		return NULL;
	}
	WRITE_ONCE(l->busy, true);
	barrier();	/* what interrupts from here on sees it */
	myalloc_env_point("arena-entered");
	epoch = smp_load_acquire(&a->epoch);	/* pairs with myalloc_arena_reset() */
	if (unlikely(l->epoch != epoch))
		catch_up(a, l, epoch);
	return l;
}

/* NULL if this context has interrupted an operation in the same lane. */
static __always_inline struct myalloc_arena_lane *enter(struct myalloc_arena *a)
{
	return likely(!a->lanes) ? &a->lane : enter_lanes(a);
}

static __always_inline void leave(struct myalloc_arena *a, struct myalloc_arena_lane *l)
{
	if (likely(!a->lanes))
		return;
	barrier();
	WRITE_ONCE(l->busy, false);
	preempt_enable();
}

/* Called for each lane of an arena. */
typedef void (*lane_fn)(struct myalloc_arena *a, struct myalloc_arena_lane *l, void *arg);

static void walk_lanes(struct myalloc_arena *a, lane_fn fn, void *arg)
{
	unsigned int cpu, level;

	if (!a->lanes) {
		fn(a, &a->lane, arg);
		return;
	}
	for_each_possible_cpu(cpu)
		for (level = 0; level < MYALLOC_ARENA_LEVELS; level++)
			fn(a, &per_cpu_ptr(a->lanes, cpu)->level[level], arg);
}

/* --- blocks ------------------------------------------------------------------------------- */

/* Gives a block back that is in no chain any more. */
static void give_block(struct myalloc_arena *a, struct myalloc_arena_block *b)
{
	struct myalloc_zone *zone = a->front.zone;

	myalloc_env_unpoison((void *)b->base, bytes_of(b));
	if (a->erase)
		memset((void *)b->base, MYALLOC_POISON_FREE, bytes_of(b));
	myalloc_account_return(a->front.client, b->pages);
	myalloc_extent_free(zone, (void *)b->base, b->pages, MYALLOC_OWNER_ARENAS,
			    _RET_IP_);
	atomic64_inc_return(&a->moves);	/* a full barrier: validate() sees it if it sees the next */
	atomic_long_sub(b->pages, &a->pages);
	myalloc_cache_free_for(a->blocks, b, _RET_IP_);
}

static void *take_pages(struct myalloc_arena *a, u32 pages, unsigned long caller)
{
	struct myalloc_client *client = a->front.client;
	void *base;

	if (!myalloc_account_charge(client, pages))
		return NULL;
	base = myalloc_extent_alloc(a->front.zone, pages, 0, 0, MYALLOC_OWNER_ARENAS, caller);
	if (!base)
		myalloc_account_return(client, pages);
	return base;
}

/* A new block of @pages pages, hidden; NULL if the zone has none. */
static struct myalloc_arena_block *take_block(struct myalloc_arena *a, u32 pages,
					      unsigned long caller)
{
	struct myalloc_arena_block *b = myalloc_cache_alloc_for(a->blocks, 0, caller);
	void *base;

	if (!b)
		return NULL;
	base = take_pages(a, pages, caller);
	if (!base) {
		myalloc_cache_free_for(a->blocks, b, caller);
		return NULL;
	}
	b->base = (unsigned long)base;
	b->pages = pages;
	b->sum = 0;
	hide(a, b->base, bytes_of(b));
	return b;
}

/*
 * Counts pages that are about to be taken; false if that would be more than the limit. Pages that
 * are refused are never counted: another lane may ask for fewer, which fit.
 */
static bool count_pages(struct myalloc_arena *a, u32 pages)
{
	long now = atomic_long_read(&a->pages);

	do {
		myalloc_env_point("arena-count");
		if (now + (long)pages > a->limit)
			return false;
	} while (!atomic_long_try_cmpxchg(&a->pages, &now, now + (long)pages));
	return true;
}

/* Adds a new block as the first unused one of a chain; false if there is none, or no room. */
static bool grow(struct myalloc_arena *a, struct myalloc_arena_lane *l,
		 struct myalloc_arena_chain *chain, u32 pages, unsigned long caller)
{
	struct myalloc_arena_block *b;
	unsigned long irq;

	if (unlikely(!count_pages(a, pages)))
		return false;
	l->zone_calls++;
	b = take_block(a, pages, caller);
	if (unlikely(!b)) {
		atomic_long_sub(pages, &a->pages);
		return false;
	}
	if (unlikely(!myalloc_lock(&a->lock, &irq))) {	/* an NMI during validation */
		give_block(a, b);
		return false;
	}
	b->next = *unused(chain);
	*unused(chain) = b;
	raw_spin_unlock_irqrestore(&a->lock, irq);
	return true;
}

/*
 * Move a suitable unused large block to the front of the unused ones. If none of the first
 * MYALLOC_ARENA_LOOK suits, free the first, so that blocks of unwanted sizes do not accumulate.
 * False if no suitable block was found.
 */
static bool find_large(struct myalloc_arena *a, struct myalloc_arena_lane *l, u32 pages)
{
	struct myalloc_arena_block **first = unused(&l->large), **at = first, *b;
	bool suits = false;
	unsigned long irq;
	u32 n;

	for (n = 0; n < MYALLOC_ARENA_LOOK && *at; n++, at = &(*at)->next) {
		myalloc_env_step("arena-look");
		suits = (*at)->pages >= pages && (*at)->pages / 2 <= pages;
		if (suits)
			break;
	}
	if (!*first || (suits && at == first))
		return suits;
	if (unlikely(!myalloc_lock(&a->lock, &irq)))	/* an NMI during validation */
		return false;
	if (!suits)
		at = first;
	b = *at;
	*at = b->next;
	a->changes++;
	if (suits) {
		b->next = *first;
		*first = b;
	}
	raw_spin_unlock_irqrestore(&a->lock, irq);
	if (!suits) {
		l->zone_calls++;
		give_block(a, b);
	}
	return suits;
}

/* --- alloc -------------------------------------------------------------------------------- */

/* The next piece of the current block; NULL if it does not fit. @size is not 0. */
static __always_inline void *cut(struct myalloc_arena_lane *l, size_t size, size_t align)
{
	unsigned long at = l->at, left = l->end - at, pad = -at & (align - 1);

	if (unlikely(size > left || pad > left - size))
		return NULL;
	WRITE_ONCE(l->at, at + pad + size);
	return (void *)(at + pad);
}

static noinline void *alloc_slow(struct myalloc_arena *a, struct myalloc_arena_lane *l,
				 size_t size, size_t align, unsigned long caller)
{
	bool large = size > a->large_above;
	struct myalloc_arena_chain *chain = large ? &l->large : &l->small;
	u32 pages = a->block_pages;
	bool found = !large && *unused(chain);

	if (size > PAGE_SIZE << a->front.zone->chunk_order) {
		l->fails++;
		return NULL;
	}
	if (large) {
		pages = DIV_ROUND_UP(size, PAGE_SIZE);
		found = find_large(a, l, pages);
	}
	if (!found && !grow(a, l, chain, pages, caller)) {
		l->fails++;
		return NULL;
	}
	use_next(chain);
	if (large) {
		set_at(l, l->at);
		return (void *)chain->last_used->base;
	}
	set_at(l, chain->last_used->base);
	return cut(l, size, align);
}

static noinline void *bad_align(struct myalloc_arena *a, size_t align)
{
	myalloc_zone_err(a->front.zone, "arena %s: an alignment of %zu is not a power of two up to %lu",
			 a->front.name, align, PAGE_SIZE);
	return NULL;
}

/* A piece that was cut off: counted and made accessible. */
static __always_inline void *hand_out(const struct myalloc_arena *a, struct myalloc_arena_lane *l,
				      void *piece, size_t size)
{
	l->allocs++;
	if (unlikely(a->poison))
		check_poison(a, piece, size);
	show(piece, size);
	return piece;
}

/* For per-CPU arenas, and what does not fit into the current block. */
static noinline void *alloc_in_lane(struct myalloc_arena *a, size_t size, size_t align,
				    unsigned long caller)
{
	struct myalloc_arena_lane *l = enter(a);
	void *piece;

	if (unlikely(!l))
		return NULL;
	piece = cut(l, size, align);
	if (!piece)
		piece = alloc_slow(a, l, size, align, caller);
	if (likely(piece))
		hand_out(a, l, piece, size);
	leave(a, l);
	return piece;
}

static __always_inline void *alloc(struct myalloc_arena *a, size_t size, size_t align,
				   unsigned long caller)
{
	void *piece;

	size += !size;
	align = align ?: 8;
	if (unlikely(!is_power_of_2(align) || align > PAGE_SIZE))
		return bad_align(a, align);
	if (likely(!a->lanes)) {
		piece = cut(&a->lane, size, align);
		if (likely(piece))
			return hand_out(a, &a->lane, piece, size);
	}
	return alloc_in_lane(a, size, align, caller);
}

/**
 * myalloc_arena_alloc_for() - allocate a piece for a caller
 * @a: the arena
 * @size: as for myalloc_arena_alloc()
 * @align: the same
 * @caller: code that asks for it
 *
 * Context: as for myalloc_arena_alloc().
 * Return: the same.
 */
void *myalloc_arena_alloc_for(struct myalloc_arena *a, size_t size, size_t align,
			      unsigned long caller)
{
	return alloc(a, size, align, caller);
}

/**
 * myalloc_arena_zalloc_for() - allocate a piece that reads as zero, for a caller
 * @a: the arena
 * @size: as for myalloc_arena_alloc()
 * @align: the same
 * @caller: code that asks for it
 *
 * Context: as for myalloc_arena_alloc().
 * Return: the same.
 */
void *myalloc_arena_zalloc_for(struct myalloc_arena *a, size_t size, size_t align,
			       unsigned long caller)
{
	void *piece = alloc(a, size, align, caller);

	return piece ? memset(piece, 0, size + !size) : NULL;
}

/**
 * myalloc_arena_alloc() - allocate a piece
 * @arena: the arena
 * @size: bytes, any number; 0 as 1
 * @align: alignment in bytes, a power of two up to the page size; 0 for 8
 *
 * The piece lives until a rewind to a mark made before it, or the next reset. Its content is
 * undefined.
 *
 * Context: one user at a time, in any context; per-CPU arenas: any, also while others use them. In
 * NMI it may fail because a lock is held by what was interrupted.
 * Return: the piece; NULL if the arena's limit or the zone has no room, @size is above a chunk of
 * the zone, or @align is wrong, which is reported.
 */
void *myalloc_arena_alloc(struct myalloc_arena *arena, size_t size, size_t align)
{
	return alloc(arena, size, align, _RET_IP_);
}

/**
 * myalloc_arena_zalloc() - allocate a piece that reads as zero
 * @arena: as for myalloc_arena_alloc()
 * @size: the same
 * @align: the same
 *
 * Context: as for myalloc_arena_alloc().
 * Return: the same.
 */
void *myalloc_arena_zalloc(struct myalloc_arena *arena, size_t size, size_t align)
{
	return myalloc_arena_zalloc_for(arena, size, align, _RET_IP_);
}

/* --- marks -------------------------------------------------------------------------------- */

/**
 * myalloc_arena_mark() - remember the present place
 * @arena: the arena
 * @mark: out: the mark; after an error, one that no arena accepts
 *
 * A mark is used once: by myalloc_arena_rewind() or myalloc_arena_keep(), which also take all marks
 * made after it, or by a reset. In a per-CPU arena that must happen in the same context of the same
 * CPU: a task has preemption off from the mark on.
 *
 * Context: as for myalloc_arena_alloc().
 * Return: 0; -ENOSPC if there are MYALLOC_ARENA_MARKS marks; -EBUSY if an operation of the same
 * context and CPU was interrupted.
 */
int myalloc_arena_mark(struct myalloc_arena *arena, struct myalloc_arena_mark *mark)
{
	struct myalloc_arena_lane *l = enter(arena);
	int err = -ENOSPC;

	*mark = (struct myalloc_arena_mark){ };
	if (unlikely(!l))
		return -EBUSY;
	if (likely(l->depth < MYALLOC_ARENA_MARKS)) {
		l->mark[l->depth] = (struct myalloc_arena_place){
			.block = l->small.last_used, .large = l->large.last_used, .at = l->at,
			.stamp = ++l->stamp,
		};
		*mark = (struct myalloc_arena_mark){
			.lane = l, .stamp = l->stamp, .depth = l->depth++,
		};
		err = 0;
	}
	leave(arena, l);
	return err;
}

static noinline int bad_mark(struct myalloc_arena *a, bool foreign)
{
	atomic64_inc(&a->bad_marks);
	if (foreign)
		myalloc_zone_err(a->front.zone, "arena %s: a mark that was not made by this arena, on this CPU and in this context, was refused",
				 a->front.name);
	else
		myalloc_zone_err(a->front.zone, "arena %s: a stale mark was refused: it, or an older one, was used already, or the arena was reset",
				 a->front.name);
	return -EINVAL;
}

/* Takes a mark and those after it off the stack, and goes back there if @back. */
static int use_mark(struct myalloc_arena *a, const struct myalloc_arena_mark *mark, bool back)
{
	struct myalloc_arena_lane *l = enter(a);
	bool foreign, good;

	if (unlikely(!l))
		return -EBUSY;
	foreign = mark->lane != l;
	good = !foreign && mark->depth < l->depth && l->mark[mark->depth].stamp == mark->stamp;
	if (likely(good)) {
		l->depth = mark->depth;
		if (back) {
			go_back(a, l, &l->mark[mark->depth]);
			l->rewinds++;
		}
	}
	leave(a, l);
	return likely(good) ? 0 : bad_mark(a, foreign);
}

/**
 * myalloc_arena_rewind() - throw away what was allocated after a mark
 * @arena: the arena
 * @mark: the mark, any value; it and those made after it are stale from now on
 *
 * Context: as for myalloc_arena_alloc().
 * Return: 0; -EINVAL if the mark is stale, or of another arena, CPU or context: reported, counted,
 * and nothing has changed; -EBUSY as for myalloc_arena_mark().
 */
int myalloc_arena_rewind(struct myalloc_arena *arena, const struct myalloc_arena_mark *mark)
{
	return use_mark(arena, mark, true);
}

/**
 * myalloc_arena_keep() - give a mark up, and keep what was allocated after it
 * @arena: the arena
 * @mark: the mark, any value; it and those made after it are stale from now on
 *
 * Context: as for myalloc_arena_alloc().
 * Return: as for myalloc_arena_rewind().
 */
int myalloc_arena_keep(struct myalloc_arena *arena, const struct myalloc_arena_mark *mark)
{
	return use_mark(arena, mark, false);
}

/**
 * myalloc_arena_reset() - throw everything away
 * @arena: the arena; its blocks stay
 *
 * All marks are stale from now on. In a per-CPU arena others may allocate meanwhile, and what they
 * get belongs to before or after the reset; one reset at a time.
 *
 * Context: as for myalloc_arena_alloc().
 */
void myalloc_arena_reset(struct myalloc_arena *arena)
{
	/* Pairs with enter_lanes(): accesses to what is thrown away come before. */
	smp_store_release(&arena->epoch, arena->epoch + 1);
	if (!arena->lanes)
		catch_up(arena, &arena->lane, arena->epoch);
}

/* --- statistics and validation ------------------------------------------------------------ */

static void add_stats(struct myalloc_arena *a, struct myalloc_arena_lane *l, void *arg)
{
	struct myalloc_arena_stats *stats = arg;
	size_t used = min_t(size_t, used_bytes(l), stats->held_bytes);

	/* A lane that has not seen the last reset has nothing in use. */
	if (READ_ONCE(l->epoch) == READ_ONCE(a->epoch))
		stats->used_bytes += used;
	stats->peak_bytes += max(used, READ_ONCE(l->peak));
	stats->allocs += data_race(l->allocs);	/* approximate */
	stats->fails += data_race(l->fails);	/* approximate */
	stats->zone_calls += data_race(l->zone_calls);	/* approximate */
	stats->rewinds += data_race(l->rewinds);	/* approximate */
}

/**
 * myalloc_arena_stats() - read the statistics of an arena
 * @arena: the arena
 * @stats: out
 *
 * While others use the arena the numbers need not agree with each other.
 *
 * Context: any.
 */
void myalloc_arena_stats(struct myalloc_arena *arena, struct myalloc_arena_stats *stats)
{
	*stats = (struct myalloc_arena_stats){
		.block_bytes = (u64)arena->block_pages << PAGE_SHIFT,
		.limit_bytes = arena->limit == LONG_MAX ? 0 : (u64)arena->limit << PAGE_SHIFT,
		.held_bytes = (u64)atomic_long_read(&arena->pages) << PAGE_SHIFT,
		.resets = READ_ONCE(arena->epoch),
		.busy = atomic64_read(&arena->busy),
		.bad_marks = atomic64_read(&arena->bad_marks),
		.id = arena->front.id,
		.percpu = !!arena->lanes,
		.poison = arena->poison,
	};
	walk_lanes(arena, add_stats, stats);
}

/* Blocks that a validation looks at under one hold of the lock. */
#define BLOCKS_MOST	256

/* A validation of an arena, and the pages that it has found. */
struct check {
	struct myalloc_validation *v;
	u64 pages;
};

/* Lock held, and released for a moment. False if blocks have left their places meanwhile. */
static bool let_others(struct myalloc_arena *a, unsigned long *irq)
	__must_hold(&a->lock)
{
	u64 changes = a->changes;

	raw_spin_unlock_irqrestore(&a->lock, *irq);
	myalloc_env_point("arena-part");
	raw_spin_lock_irqsave(&a->lock, *irq);
	return a->changes == changes;
}

/* Lock held. What follows a part is not looked at if blocks leave their places at that moment. */
static void validate_chain(struct myalloc_arena *a, const struct myalloc_arena_chain *chain,
			   struct check *check, unsigned long *irq)
{
	const struct myalloc_zone *zone = a->front.zone;
	const struct myalloc_arena_block *b;
	u32 nr = 0;

	for (b = chain->first; b; b = b->next) {
		const struct myalloc_frame *frame;

		if (nr++ == BLOCKS_MOST) {
			if (!let_others(a, irq))
				return;
			nr = 1;
		}
		myalloc_env_point("validate-step");
		frame = myalloc_map_frame(&zone->map, (void *)b->base);
		check->pages += b->pages;
		if (!frame || myalloc_frame_pages(frame) != b->pages ||
		    myalloc_frame_owner(frame) != MYALLOC_OWNER_ARENAS)
			myalloc_finding(check->v,
					"G1: arena %s: no extent of %u pages is at its block",
					a->front.name, b->pages);
	}
}

static void validate_lane(struct myalloc_arena *a, struct myalloc_arena_lane *l, void *arg)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&a->lock, irq);
	validate_chain(a, &l->small, arg, &irq);
	let_others(a, &irq);
	validate_chain(a, &l->large, arg, &irq);
	raw_spin_unlock_irqrestore(&a->lock, irq);
}

/* G1. The rest changes while others use the arena. */
static void validate(struct myalloc_front *front, struct myalloc_validation *v)
{
	struct myalloc_arena *a = myalloc_arena_of(front);
	struct check check = { .v = v };
	s64 moves = atomic64_read(&a->moves);
	long pages;

	walk_lanes(a, validate_lane, &check);
	myalloc_env_point("arena-counted");
	pages = atomic_long_read(&a->pages);
	smp_rmb();	/* as in give_block() */
	if (check.pages > (u64)pages && moves == atomic64_read(&a->moves))
		myalloc_finding(v, "G1: arena %s has blocks of %llu pages and counts %ld",
				front->name, (unsigned long long)check.pages, pages);
}

static u64 pages(struct myalloc_front *front)
{
	return atomic_long_read(&myalloc_arena_of(front)->pages);
}

/**
 * myalloc_arena_destroy_pair() - destroy two arenas that take turns
 * @frames: the two arenas
 *
 * Context: as for myalloc_arena_destroy().
 */
void myalloc_arena_destroy_pair(struct myalloc_frames *frames)
{
	myalloc_arena_destroy(frames->arena[0]);
	myalloc_arena_destroy(frames->arena[1]);
	myalloc_env_free(frames);
}

/* An arena that takes turns with another one goes together with it. */
static int release(struct myalloc_front *front, bool poison)
{
	struct myalloc_arena *a = myalloc_arena_of(front);

	a->erase = poison;
	if (a->frames) {
		a->frames->arena[0]->erase = poison;
		a->frames->arena[1]->erase = poison;
		myalloc_arena_destroy_pair(a->frames);
	} else {
		myalloc_arena_destroy(a);
	}
	return 0;
}

const struct myalloc_front_kind myalloc_arena_kind = {
	.name = "arena",
	.name_size = MYALLOC_ARENA_NAME,
	.validate = validate,
	.pages = pages,
	.release = release,
};

/* --- create and destroy ------------------------------------------------------------------- */

static int check_args(const struct myalloc_arena *a, const struct myalloc_arena_args *args)
{
	struct myalloc_zone *zone = a->front.zone;
	size_t most = PAGE_SIZE << zone->chunk_order;

	if (args->flags & ~MYALLOC_ARENA_FLAGS_ALL)
		myalloc_zone_err(zone, "arena %s: unknown flags 0x%x", args->name,
				 (__force u32)(args->flags & ~MYALLOC_ARENA_FLAGS_ALL));
	else if (args->block_size > most)
		myalloc_zone_err(zone, "arena %s: a block of %zu bytes is larger than a chunk, which has %zu",
				 args->name, args->block_size, most);
	else if (a->limit < a->block_pages)
		myalloc_zone_err(zone, "arena %s: the limit of %zu bytes is less than a block of %u pages",
				 args->name, args->limit, a->block_pages);
	else
		return 0;
	return -EINVAL;
}

/* Creates the cache of the descriptions of blocks. */
static int add_cache(struct myalloc_arena *a)
{
	char name[MYALLOC_CACHE_NAME];
	const struct myalloc_cache_args args = {
		.name = name,
		.object_size = sizeof(struct myalloc_arena_block),
		.flags = MYALLOC_NO_MAGAZINE,
	};

	scnprintf(name, sizeof(name), "%s-blocks", a->front.name);
	a->blocks = myalloc_cache_create(a->front.zone, &args);
	return PTR_ERR_OR_ZERO(a->blocks);
}

static void init_lane(struct myalloc_arena *a, struct myalloc_arena_lane *l, void *now)
{
	l->stamp = *(u64 *)now;
}

static void free_lane(struct myalloc_arena *a, struct myalloc_arena_lane *l, void *arg)
{
	struct myalloc_arena_chain *chains[] = { &l->small, &l->large };
	struct myalloc_arena_block *b, *next;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(chains); i++) {
		for (b = chains[i]->first; b; b = next) {
			next = b->next;
			give_block(a, b);
		}
	}
}

/**
 * myalloc_arena_create() - create an arena
 * @zone: where its blocks come from
 * @args: its properties
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 * Return: the arena, without blocks; ERR_PTR(-EINVAL) if the arguments are out of range or
 * contradict each other, -EEXIST if another arena of the zone has the name or a cache is called
 * "<name>-blocks", -ENOSPC if the zone has too many caches (a message was printed for each),
 * -ENOMEM.
 */
struct myalloc_arena *myalloc_arena_create(struct myalloc_zone *zone,
					   const struct myalloc_arena_args *args)
{
	struct myalloc_arena *a = myalloc_env_zalloc_charged(sizeof(*a), zone->node);
	size_t block = args->block_size ?: MYALLOC_ARENA_BLOCK;
	u64 now = myalloc_env_now_ns();
	int err = -ENOMEM;

	if (!a)
		return ERR_PTR(err);
	a->block_pages = min_t(size_t, DIV_ROUND_UP(block, PAGE_SIZE), BIT(zone->chunk_order));
	a->large_above = max(((size_t)a->block_pages << PAGE_SHIFT) / 4, (size_t)PAGE_SIZE);
	a->limit = args->limit ? args->limit >> PAGE_SHIFT : LONG_MAX;
	a->poison = (args->flags | zone->checks) & MYALLOC_POISON;
	raw_spin_lock_init(&a->lock);
	if (args->percpu) {
		a->lanes = myalloc_env_alloc_percpu(sizeof(*a->lanes), __alignof__(*a->lanes));
		if (!a->lanes)
			goto err_free;
	}
	walk_lanes(a, init_lane, &now);
	a->front.client = args->client;
	a->front.maker = _RET_IP_;
	err = myalloc_front_add(zone, &a->front, &myalloc_arena_kind, args->name);
	if (err)
		goto err_lanes;
	err = check_args(a, args);
	if (!err)
		err = add_cache(a);
	if (!err)
		return a;
	myalloc_front_remove(&a->front);
err_lanes:
	myalloc_env_free_percpu(a->lanes);
err_free:
	myalloc_env_free(a);
	return ERR_PTR(err);
}

/**
 * myalloc_arena_destroy() - destroy an arena, with everything that was allocated from it
 * @arena: the arena, which nobody uses any more; NULL is allowed
 *
 * Context: task, may sleep; not from CPU hotplug callbacks.
 */
void myalloc_arena_destroy(struct myalloc_arena *arena)
{
	if (!arena)
		return;
	myalloc_front_remove(&arena->front);
	walk_lanes(arena, free_lane, NULL);
	myalloc_cache_destroy(arena->blocks);
	myalloc_env_free_percpu(arena->lanes);
	myalloc_env_free(arena);
}

static void shrink_chain(struct myalloc_arena *a, struct myalloc_arena_chain *chain,
			 unsigned long *pages)
{
	struct myalloc_arena_block *b, *next;
	unsigned long irq;

	raw_spin_lock_irqsave(&a->lock, irq);
	next = *unused(chain);
	*unused(chain) = NULL;
	a->changes++;
	raw_spin_unlock_irqrestore(&a->lock, irq);
	while (next) {
		b = next;
		next = b->next;
		*pages += b->pages;
		give_block(a, b);
	}
}

static void shrink_lane(struct myalloc_arena *a, struct myalloc_arena_lane *l, void *pages)
{
	if (l->epoch != a->epoch)
		catch_up(a, l, a->epoch);
	shrink_chain(a, &l->small, pages);
	shrink_chain(a, &l->large, pages);
}

/**
 * myalloc_arena_shrink() - give unused blocks back to the zone
 * @arena: the arena, which nobody uses meanwhile
 *
 * Context: task.
 * Return: number of pages given back.
 */
unsigned long myalloc_arena_shrink(struct myalloc_arena *arena)
{
	unsigned long pages = 0;

	walk_lanes(arena, shrink_lane, &pages);
	return pages;
}
