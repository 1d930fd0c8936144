// SPDX-License-Identifier: GPL-2.0
/*
 * Operation streams against a model
 *
 * An interpreter of struct op does each operation on a zone and on a plain model, and compares the
 * two. The model is as simple as possible: for each frame whether a page user holds it, for each
 * slab how many of its objects are allocated, for each 8 bytes whether an object covers them, and
 * lists of the allocations. It knows nothing of merging, magazines, lists of slabs or policies.
 *
 * Comparisons
 *	sound		an allocation lies in the zone, is aligned and overlaps no other; its
 *			contents are unchanged when it is freed; memory requested zeroed is zero
 *	complete	an allocation fails only if no aligned extent of frames is free; an exact
 *			one only if no extent of that length is in a chunk. With
 *			MYALLOC_MAY_WAIT, free means: neither held by a user nor in a slab with
 *			an object held by a user. Without, frames that are cached or deferred (by
 *			their tags) do not count either, and this CPU's magazines and the depot
 *			must be empty
 *	placed		topdown and exact allocations, and all of orders without magazines, are
 *			where the policy says
 *	refused		a wrong free returns an error, counts under the right reason, and leaves
 *			the statistics unchanged
 *	counted		statistics and model agree, the invariants hold, and after a drain the free
 *			blocks are the largest that the free frames form
 *
 * A stream is a list of numbers, each taken modulo the number of choices, so that any part of a
 * stream is a valid stream: this makes it possible to shorten a failing one.
 */
#include "env.h"
#include "ops.h"
#include "object/object.h"
#include "base/pattern.h"
#include "object/limbo.h"
#include "page/drain.h"
#include "object/check.h"

#define RECENT		64	/* freed addresses remembered, to free them twice */
#define BULK_MOST	80	/* more than BULK_STEP of lib/ */
#define SMALL		512	/* frames; up to here placement is predicted */
#define CTOR_BYTE	0xc7
#define TOUCH		32	/* bytes at both ends of a page that are written */

static u32 own_at;
u32 *ops_at = &own_at;

static void __noreturn fail_stderr(const char *text)
{
	fprintf(stderr, "operation %u: %s\n", own_at, text);
	abort();
}

void (*ops_fail)(const char *text) __noreturn = fail_stderr;
struct ops_stats ops_stats;

void __noreturn ops_failed(const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ops_fail(text);
}

#define CHECK	OPS_CHECK

/* --- configurations and the model ---------------------------------------------- */

const struct ops_config ops_configs[] = {
	{ .name = "tiny", .share = 40, .cpus = 1, .chunk_order = 4, .chunks = 1, .magazines = -1 },
	{ .name = "odd", .share = 10, .cpus = 2, .chunk_order = 4, .chunks = 0x2d, .nr_pages = 55,
	  .policy = MYALLOC_FIRST_FIT, .magazines = -1,
	  .nr_caches = 1, .cache = { { .size = 500 } } },
	{ .name = "pages", .share = 10, .cpus = 3, .chunk_order = 6, .chunks = 0x5, .magazines = 4, .depot = 2,
	  .nr_caches = 1, .cache = { { .size = 2048, .magazine = 3, .depot = 2 } } },
	{ .name = "flat", .share = 20, .cpus = 2, .chunk_order = 0, .chunks = 0xb7, .magazines = 2, .depot = 1,
	  .nr_caches = 2, .cache = { { .size = 1000, .magazine = 2, .depot = 1 }, { .size = 8 } } },
	{ .name = "zone", .share = 5, .cpus = 2, .chunk_order = 10, .chunks = 0x1b, .nr_pages = 3333,
	  .policy = MYALLOC_FIRST_FIT,
	  .nr_caches = 2, .cache = { { .size = 64 }, { .size = 4096, .align = 4096 } } },
	{ .name = "huge", .share = 7, .cpus = 2, .chunk_order = 10, .chunks = 0xff, .nr_pages = 8 << 10,
	  .magazines = 3, .depot = 2, .simulated = true },
	{ .name = "objects", .share = 10, .cpus = 3, .chunk_order = 5, .chunks = 0x13, .magazines = 4, .depot = 1,
	  .nr_caches = 5, .cache = {
		{ .size = 24, .magazine = 16, .depot = 4 },
		{ .size = 300, .magazine = 4, .depot = 2 },
		{ .size = 1024, .align = 256, .magazine = 8 },
		{ .size = 4096, .align = 4096, .magazine = 1, .depot = 1 },
		{ .size = 700, .flags = MYALLOC_NO_MAGAZINE } } },
	{ .name = "kinds", .share = 7, .cpus = 2, .chunk_order = 5, .chunks = 0x5, .magazines = 3, .depot = 1,
	  .nr_caches = 6, .cache = {
		{ .size = 96, .magazine = 4, .depot = 2, .ctor = true },
		{ .size = 3, .magazine = 5, .depot = 2, .flags = MYALLOC_ZERO_ALLOC },
		{ .size = 200, .magazine = 4, .depot = 1, .flags = MYALLOC_ZERO_FREE },
		{ .size = 56, .magazine = 6, .depot = 1, .flags = MYALLOC_RANDOM },
		{ .size = 9000, .magazine = 2, .depot = 1 },
		{ .size = 32768 } } },
	{ .name = "checks", .share = 7, .cpus = 2, .chunk_order = 5, .chunks = 0x3, .magazines = -1,
	  .nr_caches = 6, .cache = {
		{ .size = 40, .flags = MYALLOC_SANITY },
		{ .size = 41, .flags = MYALLOC_REDZONE },
		{ .size = 5, .flags = MYALLOC_REDZONE | MYALLOC_ZERO_FREE },
		{ .size = 64, .flags = MYALLOC_POISON },
		{ .size = 72, .flags = MYALLOC_OWNER | MYALLOC_SANITY, .ctor = true },
		{ .size = 1500, .flags = MYALLOC_CHECKS, .align = 64 } } },
	{ .name = "zonechecks", .share = 4, .cpus = 2, .chunk_order = 5, .chunks = 0x5, .magazines = 2, .depot = 1,
	  .checks = MYALLOC_CHECKS,
	  .nr_caches = 3, .cache = { { .size = 128 }, { .size = 33, .ctor = true }, { .size = 6000 } } },
	{ .name = "contract", .share = 4, .world = &ops_contract_world,
	  .cpus = 2, .chunk_order = 5, .chunks = 0x37 },
	{ .name = "besteffort", .share = 3, .world = &ops_contract_world,
	  .cpus = 2, .chunk_order = 4, .chunks = 0x7e7f, .checks = MYALLOC_CHECKS, .best_effort = true },
};

const unsigned int ops_nr_configs = ARRAY_SIZE(ops_configs);

const struct ops_config *ops_find_config(const char *name)
{
	unsigned int i;

	for (i = 0; i < ops_nr_configs; i++)
		if (!strcmp(ops_configs[i].name, name))
			return &ops_configs[i];
	return NULL;
}

/**
 * struct live - an allocation of a user
 * @addr: its address
 * @key: key of the pattern in it
 * @nr: frames, or bytes of an object
 */
struct live {
	u8 *addr;
	u64 key;
	u32 nr;
};

struct pool {
	struct live *live;
	u32 nr, room;
};

/* A freed block or object. */
struct recent {
	u8 *addr;
	u8 order;	/* of pages */
	u8 cache;	/* of an object */
};

#define NOT_A_PIECE	0xff

/**
 * struct world - a zone and its model
 * @owned: for each frame: a page user holds it
 * @piece: for each frame: order of the piece of a page user's block that begins here
 * @out: for each frame: allocated objects of the slab that begins here
 * @slab_order: for each frame with @out: order of the slab
 * @covered: for each 8 bytes: an object covers them
 * @avail: scratch, one byte for each frame
 * @pages: blocks of each order
 * @exact: exact and range allocations
 * @objects: objects of each cache
 * @page_frames: number of frames that page users hold
 * @pieces: number of pieces that page users hold, by order
 * @bad: number of wrong frees so far
 * @cache_bad: number of wrong frees of objects, by cache
 */
struct world {
	const struct ops_config *cfg;
	struct myalloc_zone *zone;
	struct myalloc_cache *cache[OPS_CACHES];
	char name[OPS_CACHES][8];
	u8 *arena;
	u32 arena_order;
	u8 *chunk[OPS_CHUNKS];
	u32 nr_chunks, nr_frames;
	u8 *owned, *piece, *slab_order, *avail;
	u32 *out;
	u64 *covered;
	struct pool pages[MYALLOC_NR_ORDERS], exact, objects[OPS_CACHES];
	u64 page_frames, pieces[MYALLOC_NR_ORDERS];
	u64 bad[MYALLOC_NR_BAD], cache_bad[OPS_CACHES];
	struct recent pages_freed[RECENT], objects_freed[RECENT];
	u32 nr_pages_freed, nr_objects_freed;
	u64 serial;
};

static struct world *w;

/**
 * struct run - an operation in progress
 * @op: the operation
 * @left: number of operations after it that may intrude
 * @points: points passed
 * @used: operations that intruded
 * @context: context in which it really runs
 * @disturbed: an operation intruded
 * @outer: the operation it intruded into
 */
struct run {
	const struct op *op;
	u32 left;
	u32 points;
	u32 used;
	enum op_context context;
	bool disturbed;
	struct run *outer;
};

static struct run *running;

static bool locked(const struct run *run)
{
	return run->context == OP_NMI_ZONE_LOCKED || run->context == OP_NMI_CACHE_LOCKED;
}

/* Frame of an address, U32_MAX if it is in no chunk or behind the last frame. */
static u32 frame_of(const void *addr)
{
	size_t size = PAGE_SIZE << w->cfg->chunk_order;
	u32 i, frame;

	for (i = 0; i < w->nr_chunks; i++) {
		if ((u8 *)addr < w->chunk[i] || (u8 *)addr >= w->chunk[i] + size)
			continue;
		frame = (i << w->cfg->chunk_order) + (((u8 *)addr - w->chunk[i]) >> PAGE_SHIFT);
		return frame < w->nr_frames ? frame : U32_MAX;
	}
	return U32_MAX;
}

static u8 *addr_of(u32 frame)
{
	return w->chunk[frame >> w->cfg->chunk_order] +
	       ((size_t)(frame & (BIT(w->cfg->chunk_order) - 1)) << PAGE_SHIFT);
}

static struct live *pool_add(struct pool *pool, void *addr, u32 nr)
{
	if (pool->nr == pool->room) {
		pool->room = pool->room ? 2 * pool->room : 64;
		pool->live = realloc(pool->live, pool->room * sizeof(*pool->live));
		if (!pool->live)
			host_fatal("out of memory");
	}
	pool->live[pool->nr] = (struct live){
		.addr = addr, .nr = nr, .key = myalloc_mix64(++w->serial),
	};
	return &pool->live[pool->nr++];
}

static struct live pool_remove(struct pool *pool, u32 i)
{
	struct live live = pool->live[i];

	pool->live[i] = pool->live[--pool->nr];
	return live;
}

static u32 nr_block_pages(void)
{
	u32 k, nr = 0;

	for (k = 0; k < MYALLOC_NR_ORDERS; k++)
		nr += w->pages[k].nr;
	return nr;
}

/* The pool and index of the n-th block of all orders. */
static u32 pick_pages(u32 n, u32 *index)
{
	u32 k;

	n %= nr_block_pages();
	for (k = 0; n >= w->pages[k].nr; k++)
		n -= w->pages[k].nr;
	*index = n;
	return k;
}

/* Order of the first piece of a range of frames, as a model would cut it. */
static u32 piece_order(u32 frame, u32 nr)
{
	u32 k = w->cfg->chunk_order;

	while (BIT(k) > nr || frame % BIT(k))
		k--;
	return k;
}

/* --- contents --------------------------------------------------------------------- */

/* Call fn for each part of the pages that is written. */
static void each_part(const struct live *live, void (*fn)(u8 *mem, size_t size, u64 key))
{
	u32 i, step = live->nr > 16 ? live->nr / 8 : 1;

	if (w->cfg->simulated)
		return;
	for (i = 0; i < live->nr; i += step) {
		u8 *page = live->addr + (size_t)i * PAGE_SIZE;

		fn(page, TOUCH, live->key + i);
		fn(page + PAGE_SIZE - TOUCH, TOUCH, ~live->key - i);
	}
}

static void fill_part(u8 *mem, size_t size, u64 key)
{
	myalloc_pattern_fill(mem, size, key);
}

static void check_part(u8 *mem, size_t size, u64 key)
{
	struct myalloc_damage damage;

	CHECK(myalloc_pattern_check(mem, size, key, &damage),
	      "memory at frame %u changed while it was allocated: offset %zu", frame_of(mem),
	      damage.offset);
}

static void zero_part(u8 *mem, size_t size, u64 key)
{
	CHECK(!memchr_inv(mem, 0, size), "frame %u: was to be zero and is not", frame_of(mem));
}

static void each_object_part(const struct live *live, void (*fn)(u8 *mem, size_t size, u64 key))
{
	if (live->nr <= 512) {
		fn(live->addr, live->nr, live->key);
		return;
	}
	fn(live->addr, 128, live->key);
	fn(live->addr + ALIGN_DOWN(live->nr - 128, 8), 128, ~live->key);
}

static void ctor_part(u8 *mem, size_t size, u64 key)
{
	CHECK(!memchr_inv(mem, CTOR_BYTE, size), "an object is not as constructed");
}

static void construct_of(void *object, u32 size)
{
	memset(object, CTOR_BYTE, size);
}

/* A constructor gets the object and nothing else. */
static void ctor96(void *object)
{
	construct_of(object, 96);
}

static void ctor72(void *object)
{
	construct_of(object, 72);
}

static void ctor33(void *object)
{
	construct_of(object, 33);
}

static void (*ctor_for(u32 size))(void *object)
{
	switch (size) {
	case 96:
		return ctor96;
	case 72:
		return ctor72;
	case 33:
		return ctor33;
	}
	host_fatal("no constructor for %u bytes", size);
}

/* --- the model of frames ------------------------------------------------------------ */

static void own(u32 frame, u32 nr)
{
	u32 i, k, at;

	for (i = frame; i < frame + nr; i++) {
		CHECK(!w->owned[i], "frame %u is allocated twice", i);
		w->owned[i] = 1;
	}
	for (at = 0; at < nr; at += BIT(k)) {
		k = piece_order(frame + at, nr - at);
		w->piece[frame + at] = k;
		w->pieces[k]++;
	}
	w->page_frames += nr;
}

static void disown(u32 frame, u32 nr)
{
	u32 at, k;

	for (at = 0; at < nr; at += BIT(k)) {
		k = w->piece[frame + at];
		w->piece[frame + at] = NOT_A_PIECE;
		w->pieces[k]--;
	}
	memset(w->owned + frame, 0, nr);
	w->page_frames -= nr;
}

/* Fill avail[]: frames that no user holds, nor with @tags the implementation's own caches. */
static void find_avail(bool tags)
{
	u32 i, j;

	for (i = 0; i < w->nr_frames; i++)
		w->avail[i] = !w->owned[i];
	for (i = 0; i < w->nr_frames; i++) {
		const struct myalloc_frame *frame = &w->zone->frames[i];

		if (w->out[i])
			memset(w->avail + i, 0, BIT(w->slab_order[i]));
		if (!tags || frame->type < MYALLOC_FRAME_PAGE)
			continue;
		/* The pieces of an extent have types of their own. */
		for (j = i; j < i + BIT(frame->order) && j < w->nr_frames; j++)
			w->avail[j] = 0;
		i = j - 1;	/* descriptors behind the first may hold states */
	}
}

static bool run_at(u32 frame, u32 nr)
{
	return frame + nr <= w->nr_frames && !memchr(w->avail + frame, 0, nr);
}

static bool any_run(u32 order)
{
	u32 i;

	if (order > w->cfg->chunk_order)
		return false;
	for (i = 0; i < w->nr_frames; i += BIT(order))
		if (run_at(i, BIT(order)))
			return true;
	return false;
}

/* Where a range of free frames in one chunk begins, U32_MAX if there is none. */
static u32 find_run(u32 nr, u32 align, bool topdown)
{
	u32 i, order = w->cfg->chunk_order, found = U32_MAX;

	for (i = 0; align <= order && i < w->nr_frames; i += BIT(align))
		if ((topdown || found == U32_MAX) && i >> order == (i + nr - 1) >> order &&
		    run_at(i, nr))
			found = i;
	return found;
}

/*
 * Where a block of @order must come from, U32_MAX if there is none: of the largest ranges that
 * avail[] holds, the smallest sufficient one (lowest, or highest for topdown), or for first fit
 * the lowest of all sufficient ones.
 */
static u32 predict(u32 order, bool topdown)
{
	u32 best = U32_MAX, best_order = MYALLOC_NR_ORDERS, i;
	int k;

	for (k = w->cfg->chunk_order; k >= (int)order; k--) {
		for (i = 0; i < w->nr_frames; i += BIT(k)) {
			if (!run_at(i, BIT(k)))
				continue;
			memset(w->avail + i, 0, BIT(k));
			if (w->cfg->policy == MYALLOC_FIRST_FIT && !topdown) {
				best = min(best, i);
			} else if ((u32)k < best_order || topdown) {
				best = i;
				best_order = k;
			}
		}
	}
	if (best == U32_MAX || !topdown)
		return best;
	return best + BIT(best_order) - BIT(order);
}

static bool predictable(void)
{
	return w->nr_frames <= SMALL && !atomic64_read(&w->zone->deferred.nr);
}

/* --- intrusion points ---------------------------------------------------------------- */

static u32 run_op(const struct op *op, u32 left, struct run *outer);

static bool may_nest(const struct op *op)
{
	return op->kind % OP_NR < OP_CACHE_DRAIN;
}

struct nested {
	const struct op *op;
	u32 left;
	u32 used;
	struct run *outer;
};

static void run_nested(void *arg)
{
	struct nested *nested = arg;

	nested->used = run_op(nested->op, nested->left, nested->outer);
	ops_stats.nested++;
}

/* A CPU that no flow of control on this thread is on; -1 if there is none. */
static int other_cpu(u32 number)
{
	const struct host_self *self;
	u32 i;

	for (i = 0; i < w->cfg->cpus; i++) {
		u32 cpu = (number + i) % w->cfg->cpus;

		for (self = &host_self; self && self->cpu != cpu; self = self->outer)
			;
		if (!self && cpu_online(cpu))
			return cpu;
	}
	return -1;
}

static void come_in(const char *where)
{
	struct run *run = running;
	struct nested nested;
	int cpu;

	/* No intrusion where it would wait for a lock that is held. */
	if (raw_spin_is_locked(&w->zone->lock) || raw_spin_is_locked(&w->zone->limbo.lock))
		return;
	if (!run || !run->op->nest || locked(run) || ++run->points != run->op->nest ||
	    !run->left || !may_nest(run->op + 1))
		return;
	/* An intrusion could make a wrong free right, or wrong for another reason. */
	if (run->op->kind % OP_NR == OP_BAD_FREE)
		return;
	nested = (struct nested){ .op = run->op + 1, .left = run->left - 1, .outer = run };
	cpu = run->op->flags & OP_NEST_CPU || in_nmi() ? other_cpu(nested.op->cpu) : -1;
	if (cpu >= 0)
		host_run_on_cpu(cpu, run_nested, &nested);
	else if (!in_nmi())
		run_nested(&nested);
	else
		return;
	run->used = nested.used;
	run->disturbed = true;
}

/* Switch to the context in which the operation is to run; its object has been chosen. */
static unsigned long begin(struct run *run, struct myalloc_cache *cache)
{
	unsigned long irq = 0;

	run->context = run->op->context % OP_NR_CONTEXTS;
	if (run->context == OP_NMI_CACHE_LOCKED && !cache)
		run->context = OP_NMI;
	/* On another CPU, and where the other one can be preempted, it may be a task. */
	if (run->outer && !preemptible() && run->context <= OP_PREEMPT_OFF)
		run->context = OP_HARDIRQ;
	if (run->context == OP_HARDIRQ && irqs_disabled())
		run->context = OP_NMI;

	switch (run->context) {
	case OP_PREEMPT_OFF:
		preempt_disable();
		break;
	case OP_HARDIRQ:
		host_enter_hardirq();
		break;
	case OP_NMI_ZONE_LOCKED:
		raw_spin_lock_irqsave(&w->zone->lock, irq);
		host_enter_nmi();
		break;
	case OP_NMI_CACHE_LOCKED:
		raw_spin_lock_irqsave(&cache->lock, irq);
		host_enter_nmi();
		break;
	case OP_NMI:
		host_enter_nmi();
		break;
	default:
		break;
	}
	running = run;
	return irq;
}

static void end(struct run *run, struct myalloc_cache *cache, unsigned long irq)
{
	running = run->outer;
	switch (run->context) {
	case OP_PREEMPT_OFF:
		preempt_enable();
		break;
	case OP_HARDIRQ:
		host_exit_hardirq();
		break;
	case OP_NMI_ZONE_LOCKED:
		host_exit_nmi();
		raw_spin_unlock_irqrestore(&w->zone->lock, irq);
		break;
	case OP_NMI_CACHE_LOCKED:
		host_exit_nmi();
		raw_spin_unlock_irqrestore(&cache->lock, irq);
		break;
	case OP_NMI:
		host_exit_nmi();
		break;
	default:
		break;
	}
}

/* The call itself, in the context of the operation. */
#define IN_CONTEXT(run, cache, call) ({			\
	unsigned long __irq = begin(run, cache);	\
	__auto_type __result = (call);			\
	end(run, cache, __irq);				\
	__result; })

/* Flags of an allocation. Only tasks that do not block other operations may wait. */
static myalloc_flags_t alloc_flags(const struct run *run)
{
	const struct op *op = run->op;
	myalloc_flags_t flags = 0;

	if (op->flags & OP_WAIT && op->context % OP_NR_CONTEXTS == OP_TASK && !run->outer)
		flags |= MYALLOC_MAY_WAIT;
	if (op->flags & OP_ZERO)
		flags |= MYALLOC_ZERO;
	if (op->flags & OP_TOPDOWN)
		flags |= MYALLOC_TOPDOWN;
	return flags;
}

/* --- pages -------------------------------------------------------------------------- */

/* Can this CPU take nothing? A CPU without magazines cannot use the depot. */
static bool magazines_empty(const struct myalloc_magazines *mags)
{
	if (!mags->capacity || !per_cpu_ptr(mags->cpu, host_self.cpu)->loaded)
		return true;
	return !myalloc_magazines_count_cpu(mags, host_self.cpu) &&
	       !((u64)atomic64_read(&mags->full) >> 16 & 0xffff);
}

/* An allocation of @order has failed: check that it had to. */
static void justify_pages(const struct run *run, u32 order, myalloc_flags_t flags)
{
	const struct myalloc_magazines *mags = myalloc_zone_pcp(w->zone, order);

	ops_stats.fails++;
	if (run->disturbed || run->context == OP_NMI_ZONE_LOCKED)
		return;
	find_avail(!(flags & MYALLOC_MAY_WAIT));
	CHECK(!any_run(order), "order %u failed, but there is a free range", order);
	if (!run->outer && !(flags & MYALLOC_TOPDOWN))
		CHECK(magazines_empty(mags), "order %u failed with blocks in the magazines", order);
}

static void got_pages(u8 *addr, u32 order, myalloc_flags_t flags)
{
	u32 frame = frame_of(addr);
	struct live *live;

	CHECK(frame != U32_MAX, "order %u: allocated %p, which is not in the zone", order, addr);
	CHECK(!((uintptr_t)addr & ~PAGE_MASK), "allocated %p: no page begins there", addr);
	CHECK(!(frame % BIT(order)), "order %u at frame %u: misaligned", order, frame);
	CHECK(frame + BIT(order) <= w->nr_frames, "order %u at frame %u: beyond the end", order,
	      frame);
	own(frame, BIT(order));
	live = pool_add(&w->pages[order], addr, BIT(order));
	if (flags & MYALLOC_ZERO)
		each_part(live, zero_part);
	each_part(live, fill_part);
	ops_stats.allocs++;
}

/* Remove it from the model before the call, so that no intrusion chooses it too. */
static struct live lose_pages(u32 order, u32 index)
{
	struct live live = pool_remove(&w->pages[order], index);

	each_part(&live, check_part);
	disown(frame_of(live.addr), live.nr);
	w->pages_freed[w->nr_pages_freed++ % RECENT] = (struct recent){
		.addr = live.addr, .order = order,
	};
	ops_stats.frees++;
	return live;
}

static u32 some_order(u32 number)
{
	/* Small orders are more frequent; the largest is above those of the zone. */
	u32 k = number % 4 ? number / 4 % 4 : number / 4 % 12;

	return min_t(u32, k, w->cfg->chunk_order + 1);
}

static void pages_alloc(struct run *run)
{
	u32 order = some_order(run->op->a), expected = U32_MAX;
	myalloc_flags_t flags = alloc_flags(run);
	const struct myalloc_magazines *mags = myalloc_zone_pcp(w->zone, order);
	bool placed = predictable() && (!mags->capacity || flags & MYALLOC_TOPDOWN);
	u8 *addr;

	if (placed) {
		find_avail(true);
		expected = predict(order, flags & MYALLOC_TOPDOWN);
	}
	addr = IN_CONTEXT(run, NULL, myalloc_pages_alloc(w->zone, order, flags));
	if (!addr) {
		justify_pages(run, order, flags);
		return;
	}
	if (placed && !run->disturbed && expected != U32_MAX)
		CHECK(frame_of(addr) == expected, "order %u at frame %u, expected at %u", order,
		      frame_of(addr), expected);
	got_pages(addr, order, flags);
}

static void pages_free(struct run *run)
{
	struct live live;
	u32 order, index;
	int err;

	if (!nr_block_pages())
		return;
	order = pick_pages(run->op->a, &index);
	live = lose_pages(order, index);
	err = IN_CONTEXT(run, NULL, myalloc_pages_free(w->zone, live.addr, order));
	CHECK(!err, "free of order %u at frame %u: %d", order, frame_of(live.addr), err);
}

static void pages_alloc_bulk(struct run *run)
{
	u32 order = some_order(run->op->a), nr = run->op->b % BULK_MOST, n, i;
	myalloc_flags_t flags = alloc_flags(run);
	void *addr[BULK_MOST];

	n = IN_CONTEXT(run, NULL, myalloc_pages_alloc_bulk(w->zone, order, flags, nr, addr));
	CHECK(n <= nr, "bulk of %u gave %u", nr, n);
	for (i = 0; i < n; i++)
		got_pages(addr[i], order, flags);
	if (n < nr)
		justify_pages(run, order, flags);
}

static void pages_free_bulk(struct run *run)
{
	u32 order, index, nr, n, i;
	void *addr[BULK_MOST];

	if (!nr_block_pages())
		return;
	order = pick_pages(run->op->a, &index);
	nr = min_t(u32, run->op->b % BULK_MOST, w->pages[order].nr);
	for (i = 0; i < nr; i++)
		addr[i] = lose_pages(order, (index + i) % w->pages[order].nr).addr;
	n = IN_CONTEXT(run, NULL, myalloc_pages_free_bulk(w->zone, order, nr, addr));
	CHECK(n == nr, "bulk free of %u freed %u", nr, n);
}

static void got_exact(u32 frame, u32 nr, myalloc_flags_t flags)
{
	struct live *live;

	own(frame, nr);
	live = pool_add(&w->exact, addr_of(frame), nr);
	if (flags & MYALLOC_ZERO)
		each_part(live, zero_part);
	each_part(live, fill_part);
	ops_stats.allocs++;
}

static void exact_alloc(struct run *run)
{
	u32 nr = run->op->a % (BIT(w->cfg->chunk_order) + 2);
	u32 align = run->op->b % 8 ? 0 : run->op->b / 8 % (w->cfg->chunk_order + 2);
	u32 order, frame, expected = U32_MAX;
	myalloc_flags_t flags = alloc_flags(run);
	bool placed = predictable();
	u8 *addr;

	if (nr > 8 && run->op->b % 3)
		nr = nr % 8 + 1;
	order = max_t(u32, nr ? fls(nr - 1) : 0, align);
	if (placed && nr && order <= w->cfg->chunk_order) {
		find_avail(true);
		expected = predict(order, flags & MYALLOC_TOPDOWN);
		if (expected == U32_MAX) {
			find_avail(true);
			expected = find_run(nr, align, flags & MYALLOC_TOPDOWN);
		}
	}
	addr = IN_CONTEXT(run, NULL, myalloc_pages_alloc_exact(w->zone, nr, align, flags));
	if (!addr) {
		ops_stats.fails++;
		if (!nr || nr > BIT(w->cfg->chunk_order) || run->disturbed ||
		    run->context == OP_NMI_ZONE_LOCKED)
			return;
		find_avail(!(flags & MYALLOC_MAY_WAIT));
		CHECK(find_run(nr, align, false) == U32_MAX,
		      "%u pages aligned to 2^%u failed, but there is a free range", nr, align);
		return;
	}
	frame = frame_of(addr);
	CHECK(nr && nr <= BIT(w->cfg->chunk_order), "%u pages were allocated", nr);
	CHECK(frame != U32_MAX && frame + nr <= w->nr_frames, "%u pages at %p: not in the zone", nr,
	      addr);
	CHECK(!(frame % BIT(align)), "%u pages aligned to 2^%u at frame %u", nr, align, frame);
	if (!run->disturbed && expected != U32_MAX)
		CHECK(frame == expected, "%u pages at frame %u, expected at %u", nr, frame, expected);
	got_exact(frame, nr, flags);
}

static struct live lose_exact(u32 index)
{
	struct live live = pool_remove(&w->exact, index);

	each_part(&live, check_part);
	disown(frame_of(live.addr), live.nr);
	ops_stats.frees++;
	return live;
}

static void exact_free(struct run *run)
{
	struct live live;
	int err;

	if (!w->exact.nr)
		return;
	live = lose_exact(run->op->a % w->exact.nr);
	err = IN_CONTEXT(run, NULL, myalloc_pages_free_exact(w->zone, live.addr, live.nr));
	CHECK(!err, "free of %u pages at frame %u: %d", live.nr, frame_of(live.addr), err);
}

static void range_alloc(struct run *run)
{
	u32 frame = run->op->a % w->nr_frames, nr = run->op->b % 16;
	u32 left = BIT(w->cfg->chunk_order) - frame % BIT(w->cfg->chunk_order);
	myalloc_flags_t flags = alloc_flags(run);
	int err;

	if (run->outer)
		return;	/* for tasks only */
	if (nr == 15)
		nr = BIT(w->cfg->chunk_order) / 2;
	err = myalloc_pages_alloc_range(w->zone, addr_of(frame), nr, flags);
	if (!nr || nr > left || nr > w->nr_frames - frame) {
		CHECK(err == -EINVAL, "range of %u at frame %u: %d", nr, frame, err);
		return;
	}
	if (err) {
		ops_stats.fails++;
		CHECK(err == -EBUSY, "range of %u at frame %u: %d", nr, frame, err);
		find_avail(!(flags & MYALLOC_MAY_WAIT));
		CHECK(!run_at(frame, nr), "range of %u at frame %u is busy, but it is free", nr, frame);
		return;
	}
	got_exact(frame, nr, flags);
}

/* --- objects ------------------------------------------------------------------------ */

static u32 slab_of(u32 cache, const void *addr)
{
	return frame_of(addr) & ~(BIT(w->cache[cache]->layout.order) - 1);
}

static void cover(const struct live *live, bool set)
{
	u32 frame = frame_of(live->addr);
	size_t first = (size_t)frame * PAGE_SIZE + ((uintptr_t)live->addr & ~PAGE_MASK), i;

	for (i = first / 8; i <= (first + live->nr - 1) / 8; i++) {
		CHECK((w->covered[i / 64] >> i % 64 & 1) != set, "object at frame %u, offset %zu: %s",
		      frame, first % PAGE_SIZE, set ? "overlaps another one" : "was not out");
		w->covered[i / 64] ^= BIT_ULL(i % 64);
	}
}

static bool is_covered(const void *addr)
{
	size_t i = ((size_t)frame_of(addr) * PAGE_SIZE + ((uintptr_t)addr & ~PAGE_MASK)) / 8;

	return w->covered[i / 64] >> i % 64 & 1;
}

static void got_object(u32 cache, u8 *addr, myalloc_flags_t flags)
{
	const struct ops_cache *config = &w->cfg->cache[cache];
	u32 frame = frame_of(addr), slab, i;
	struct live *live;

	CHECK(frame != U32_MAX, "object at %p: not in the zone", addr);
	CHECK(IS_ALIGNED((uintptr_t)addr, max_t(u32, config->align, 8)), "object at %p: misaligned",
	      addr);
	slab = slab_of(cache, addr);
	CHECK(slab == (frame_of(addr + config->size - 1) & ~(BIT(w->cache[cache]->layout.order) - 1)),
	      "object at %p: leaves its slab", addr);
	for (i = 0; i < BIT(w->cache[cache]->layout.order); i++)
		CHECK(!w->owned[slab + i], "object in frame %u, which a page user has", frame);
	live = pool_add(&w->objects[cache], addr, config->size);
	cover(live, true);
	CHECK(!w->out[slab] || w->slab_order[slab] == w->cache[cache]->layout.order,
	      "slab at frame %u changed its order", slab);
	w->out[slab]++;
	w->slab_order[slab] = w->cache[cache]->layout.order;
	if (flags & MYALLOC_ZERO || config->flags & MYALLOC_ZERO_ALLOC)
		each_object_part(live, zero_part);
	if (!config->ctor)
		each_object_part(live, fill_part);
	else if (!(flags & MYALLOC_ZERO))
		each_object_part(live, ctor_part);
	ops_stats.allocs++;
}

static struct live lose_object(u32 cache, u32 index)
{
	struct live live = pool_remove(&w->objects[cache], index);

	each_object_part(&live, w->cfg->cache[cache].ctor ? ctor_part : check_part);
	cover(&live, false);
	w->out[slab_of(cache, live.addr)]--;
	w->objects_freed[w->nr_objects_freed++ % RECENT] = (struct recent){
		.addr = live.addr, .cache = cache,
	};
	ops_stats.frees++;
	return live;
}

/* Also true of a slab in limbo. */
static bool is_slab(u8 type)
{
	return type == MYALLOC_FRAME_SLAB || type == MYALLOC_FRAME_LIMBO;
}

/* Free slots in the slabs of a cache, recounted from the states. */
static u32 free_slots(struct myalloc_cache *cache)
{
	u32 i, j, n = 0;

	for (i = 0; i < w->nr_frames; i++) {
		struct myalloc_frame *frame = &w->zone->frames[i];

		if (frame->type >= MYALLOC_FRAME_PAGE && frame->tag != cache->tag) {
			i += BIT(frame->order) - 1;
			continue;
		}
		if (frame->tag != cache->tag)
			continue;
		for (j = 0; j < cache->layout.objects; j++)
			n += myalloc_slab_states(cache, frame, addr_of(i))[j] == MYALLOC_SLOT_FREE;
		i += BIT(frame->order) - 1;
	}
	return n;
}

static void justify_object(const struct run *run, u32 cache, myalloc_flags_t flags)
{
	struct myalloc_cache *c = w->cache[cache];

	ops_stats.fails++;
	if (run->disturbed || locked(run))
		return;
	find_avail(!(flags & MYALLOC_MAY_WAIT));
	CHECK(!any_run(c->layout.order), "cache %u failed, but there is room for a slab", cache);
	CHECK(!free_slots(c), "cache %u failed with free slots", cache);
	if (!run->outer)
		CHECK(magazines_empty(&c->mags), "cache %u failed with objects in the magazines", cache);
}

/* Caches with a constructor do not permit clearing. */
static myalloc_flags_t object_flags(const struct run *run, u32 cache)
{
	return alloc_flags(run) & ~(w->cfg->cache[cache].ctor ? MYALLOC_ZERO : 0) &
	       ~MYALLOC_TOPDOWN;
}

static void object_alloc(struct run *run)
{
	u32 cache = run->op->a % w->cfg->nr_caches;
	myalloc_flags_t flags = object_flags(run, cache);
	u8 *addr;

	addr = IN_CONTEXT(run, w->cache[cache], myalloc_cache_alloc(w->cache[cache], flags));
	if (addr)
		got_object(cache, addr, flags);
	else
		justify_object(run, cache, flags);
}

/* Check the content of a freed object, unless its free is still in progress. */
static void check_freed(u32 cache, u8 *addr)
{
	struct myalloc_cache *c = w->cache[cache];
	const u8 *state;

	if (!(w->cfg->cache[cache].flags & MYALLOC_ZERO_FREE) || is_covered(addr))
		return;
	state = myalloc_object_state(c, addr);
	if (state && (*state == MYALLOC_SLOT_FREE || *state == MYALLOC_SLOT_CACHED))
		CHECK(!myalloc_env_raw_memchr_inv(addr, 0, w->cfg->cache[cache].size),
		      "a freed object was not cleared");
}

static void object_free(struct run *run)
{
	u32 cache = run->op->a % w->cfg->nr_caches;
	struct live live;
	int err;

	if (!w->objects[cache].nr)
		return;
	live = lose_object(cache, run->op->b % w->objects[cache].nr);
	err = IN_CONTEXT(run, w->cache[cache], myalloc_cache_free(w->cache[cache], live.addr));
	CHECK(!err, "free of an object of cache %u: %d", cache, err);
	if (!run->disturbed)
		check_freed(cache, live.addr);
}

static void object_alloc_bulk(struct run *run)
{
	u32 cache = run->op->a % w->cfg->nr_caches, nr = run->op->b % BULK_MOST, n, i;
	myalloc_flags_t flags = object_flags(run, cache);
	void *addr[BULK_MOST];

	n = IN_CONTEXT(run, w->cache[cache],
		       myalloc_cache_alloc_bulk(w->cache[cache], flags, nr, addr));
	CHECK(n <= nr, "bulk of %u gave %u", nr, n);
	for (i = 0; i < n; i++)
		got_object(cache, addr[i], flags);
	if (n < nr)
		justify_object(run, cache, flags);
}

static void object_free_bulk(struct run *run)
{
	u32 cache = run->op->a % w->cfg->nr_caches, nr, n, i;
	void *addr[BULK_MOST];

	nr = min_t(u32, run->op->b % BULK_MOST, w->objects[cache].nr);
	for (i = 0; i < nr; i++)
		addr[i] = lose_object(cache, (run->op->b + i) % w->objects[cache].nr).addr;
	n = IN_CONTEXT(run, w->cache[cache],
		       myalloc_cache_free_bulk(w->cache[cache], nr, addr));
	CHECK(n == nr, "bulk free of %u freed %u", nr, n);
	for (i = 0; i < nr && !run->disturbed; i++)
		check_freed(cache, addr[i]);
}

static void any_free(struct run *run)
{
	u32 which = run->op->a % (w->cfg->nr_caches + 2), order, index;
	struct myalloc_cache *cache = NULL;
	struct live live;
	int err;

	if (which < w->cfg->nr_caches) {
		if (!w->objects[which].nr)
			return;
		cache = w->cache[which];
		live = lose_object(which, run->op->b % w->objects[which].nr);
	} else if (which > w->cfg->nr_caches) {
		if (!w->exact.nr)
			return;
		live = lose_exact(run->op->b % w->exact.nr);
	} else {
		if (!nr_block_pages())
			return;
		order = pick_pages(run->op->b, &index);
		live = lose_pages(order, index);
	}
	err = IN_CONTEXT(run, cache, myalloc_free(w->zone, live.addr));
	CHECK(!err, "myalloc_free at frame %u: %d", frame_of(live.addr), err);
}

static void usable(struct run *run)
{
	u32 which = run->op->a % (w->cfg->nr_caches + 2), order, index;
	const struct live *live;
	unsigned long size, right;

	if (which < w->cfg->nr_caches) {
		if (!w->objects[which].nr)
			return;
		live = &w->objects[which].live[run->op->b % w->objects[which].nr];
		right = live->nr;
	} else if (which > w->cfg->nr_caches) {
		if (!w->exact.nr)
			return;
		live = &w->exact.live[run->op->b % w->exact.nr];
		right = live->nr * PAGE_SIZE;
	} else {
		if (!nr_block_pages())
			return;
		order = pick_pages(run->op->b, &index);
		live = &w->pages[order].live[index];
		right = PAGE_SIZE << order;
	}
	size = IN_CONTEXT(run, NULL, myalloc_usable_size(w->zone, live->addr));
	CHECK(size == right, "usable size at frame %u is %lu, not %lu", frame_of(live->addr), size,
	      right);
	size = myalloc_usable_size(w->zone, live->addr + 1 + run->op->b % (right - 1 ?: 1));
	if (right > 1)
		CHECK(!size, "usable size inside of something is %lu", size);
}

/* --- wrong frees ---------------------------------------------------------------------- */

/* Type of the implementation's block at a frame that no page user holds. */
static u8 type_at(u32 frame)
{
	struct myalloc_block block;

	if (!myalloc_buddy_lookup(&w->zone->buddy, frame, &block) || block.free)
		return MYALLOC_FRAME_NONE;
	return w->zone->frames[block.idx].type;
}

struct wrong {
	void *addr;
	u32 order;		/* free as pages of it, */
	u32 exact;		/* or as this many pages, if not U32_MAX, */
	int cache;		/* or as an object, if not -1, */
	bool any;		/* or as either */
	enum myalloc_bad bad;	/* why it is wrong */
};

static bool wrong_live_page(const struct op *op, struct wrong *wrong)
{
	u32 order, index, number = op->b / 8;
	u8 *addr;

	if (!nr_block_pages())
		return false;
	order = pick_pages(op->a, &index);
	addr = w->pages[order].live[index].addr;
	wrong->addr = addr;
	wrong->order = order;
	switch (number % 5) {
	case 0:
		wrong->order = (order + 1 + number / 5 % 14) % 15;
		wrong->bad = MYALLOC_BAD_ORDER;
		return wrong->order != order;
	case 1:
		wrong->addr = addr + ((1 + number / 5 % (BIT(order) - 1 ?: 1)) << PAGE_SHIFT);
		wrong->bad = MYALLOC_BAD_INTERIOR;
		wrong->any = number & 1;
		return order > 0;
	case 2:
		wrong->addr = addr + 1 + number / 5 % (PAGE_SIZE - 1);
		wrong->bad = MYALLOC_BAD_MISALIGNED;
		return true;
	case 3:
		wrong->cache = number % (w->cfg->nr_caches ?: 1);
		wrong->bad = MYALLOC_BAD_KIND;
		return w->cfg->nr_caches;
	default:
		/* Even the right number of pages is wrong: this is a block, not an extent. */
		wrong->exact = number / 5 % 3 ? BIT(order) + number % 5 : 0;
		wrong->bad = MYALLOC_BAD_KIND;
		return true;
	}
}

/* The extent that a frame lies in; NULL if it lies in none. */
static const struct live *extent_at(u32 frame)
{
	u32 i;

	for (i = 0; i < w->exact.nr; i++)
		if (frame - frame_of(w->exact.live[i].addr) < w->exact.live[i].nr)
			return &w->exact.live[i];
	return NULL;
}

static bool wrong_stale_page(const struct op *op, struct wrong *wrong)
{
	const struct recent *recent;
	const struct live *extent;
	u32 frame;

	if (!w->nr_pages_freed)
		return false;
	recent = &w->pages_freed[op->a % min_t(u32, w->nr_pages_freed, RECENT)];
	frame = frame_of(recent->addr);
	wrong->addr = recent->addr;
	wrong->order = recent->order;
	if (!w->owned[frame]) {
		u8 type = type_at(frame);

		wrong->bad = is_slab(type) ? MYALLOC_BAD_KIND : MYALLOC_BAD_FREE;
		return type != MYALLOC_FRAME_NEW;
	}
	extent = extent_at(frame);
	wrong->bad = extent && frame_of(extent->addr) == frame ? MYALLOC_BAD_KIND :
								 MYALLOC_BAD_INTERIOR;
	return extent || w->piece[frame] == NOT_A_PIECE;
}

static bool wrong_object(const struct op *op, struct wrong *wrong)
{
	u32 cache = op->a % (w->cfg->nr_caches ?: 1), number = op->b / 8;
	const struct live *live;

	if (!w->objects[cache].nr)
		return false;
	live = &w->objects[cache].live[op->a % w->objects[cache].nr];
	wrong->addr = live->addr;
	wrong->cache = cache;
	switch (number % 4) {
	case 0:
		wrong->cache = -1;
		wrong->bad = (uintptr_t)live->addr & ~PAGE_MASK ? MYALLOC_BAD_MISALIGNED :
								  MYALLOC_BAD_KIND;
		return true;
	case 1:
		wrong->cache = (cache + 1) % w->cfg->nr_caches;
		wrong->bad = MYALLOC_BAD_CACHE;
		return w->cfg->nr_caches > 1;
	default:
		wrong->addr = live->addr + 1 + number / 4 % (live->nr - 1 ?: 1);
		wrong->bad = MYALLOC_BAD_INTERIOR;
		wrong->any = number & 4;
		return live->nr > 1;
	}
}

static bool wrong_stale_object(const struct op *op, struct wrong *wrong)
{
	const struct recent *recent;
	struct myalloc_frame *first;
	struct myalloc_block block;
	u32 frame;

	if (!w->nr_objects_freed)
		return false;
	recent = &w->objects_freed[op->a % min_t(u32, w->nr_objects_freed, RECENT)];
	frame = frame_of(recent->addr);
	wrong->addr = recent->addr;
	wrong->cache = recent->cache;
	if (w->owned[frame]) {
		wrong->bad = MYALLOC_BAD_KIND;
		return true;
	}
	if (is_covered(recent->addr) ||
	    !myalloc_buddy_lookup(&w->zone->buddy, frame, &block))
		return false;
	first = &w->zone->frames[block.idx];
	wrong->bad = MYALLOC_BAD_FREE;
	if (!block.free && is_slab(first->type) &&
	    first->cache != w->cache[recent->cache]->id)
		wrong->bad = MYALLOC_BAD_CACHE;
	return true;
}

static bool wrong_foreign(const struct op *op, struct wrong *wrong)
{
	u32 number = op->b / 8;

	wrong->bad = MYALLOC_BAD_FOREIGN;
	if (op->a & 1 && w->cfg->nr_caches)
		wrong->cache = number % w->cfg->nr_caches;
	wrong->any = op->a & 2;
	wrong->order = op->a >> 2 & 15;
	switch (number % 5) {
	case 0:
		wrong->addr = NULL;
		return true;
	case 1:
		wrong->addr = (void *)&number;
		return true;
	case 2:
		wrong->addr = w->chunk[0] - 1 - number % PAGE_SIZE;
		return true;
	case 3:
		wrong->addr = w->chunk[w->nr_chunks - 1] + (PAGE_SIZE << w->cfg->chunk_order) +
			      number % PAGE_SIZE;
		return true;
	default:
		/* Behind the last frame, or in a gap. */
		wrong->addr = w->arena + (((size_t)op->a * PAGE_SIZE) &
					  ((PAGE_SIZE << w->arena_order) - 1));
		return frame_of(wrong->addr) == U32_MAX;
	}
}

static bool wrong_exact(const struct op *op, struct wrong *wrong)
{
	u32 frame, number = op->b / 64;
	const struct live *live;

	if (!w->exact.nr)
		return false;
	live = &w->exact.live[op->a % w->exact.nr];
	frame = frame_of(live->addr);
	wrong->bad = MYALLOC_BAD_LENGTH;
	wrong->addr = live->addr;
	switch (op->b / 8 % 8) {
	case 0:
		wrong->exact = 0;
		return true;
	case 1:
		wrong->exact = BIT(w->cfg->chunk_order) + 1 + number;
		return true;
	case 2:
		wrong->exact = live->nr;
		wrong->addr = live->addr + 8;
		wrong->bad = MYALLOC_BAD_MISALIGNED;
		return true;
	case 3:
		wrong->order = w->piece[frame];
		wrong->bad = MYALLOC_BAD_KIND;
		return true;
	case 4:
		/* By a page that is not the first. */
		wrong->addr = addr_of(frame + 1 + number % (live->nr - 1 ?: 1));
		wrong->exact = live->nr - 1;
		wrong->any = number & 1;
		wrong->bad = MYALLOC_BAD_INTERIOR;
		return live->nr > 1;
	case 5:
		/* 65536 more: as much as the number in the tag can count. */
		wrong->exact = live->nr + BIT(16);
		return true;
	default:
		/* Any other number: fewer pages, or pages behind the extent as well. */
		wrong->exact = 1 + number % BIT(w->cfg->chunk_order);
		return wrong->exact != live->nr;
	}
}

static int do_wrong(const struct wrong *wrong)
{
	if (wrong->any)
		return myalloc_free(w->zone, wrong->addr);
	if (wrong->exact != U32_MAX)
		return myalloc_pages_free_exact(w->zone, wrong->addr, wrong->exact);
	if (wrong->cache >= 0)
		return myalloc_cache_free(w->cache[wrong->cache], wrong->addr);
	return myalloc_pages_free(w->zone, wrong->addr, wrong->order);
}

static void bad_free(struct run *run)
{
	static bool (* const choose[])(const struct op *op, struct wrong *wrong) = {
		wrong_live_page, wrong_stale_page, wrong_object, wrong_stale_object, wrong_foreign,
		wrong_exact, wrong_live_page, wrong_object,
	};
	struct wrong wrong = { .exact = U32_MAX, .cache = -1 };
	struct myalloc_zone_stats before, after;
	int err;

	if (!choose[run->op->b % 8](run->op, &wrong))
		return;
	/* The interrupted operation may be about to free or allocate the same memory. */
	if (run->outer)
		return;
	myalloc_zone_stats(w->zone, &before);
	err = IN_CONTEXT(run, NULL, do_wrong(&wrong));
	CHECK(err == -EINVAL, "wrong free (%s) returned %d", myalloc_bad_name(wrong.bad), err);
	w->bad[wrong.bad]++;
	ops_stats.bad_frees++;
	if (wrong.cache >= 0 && !wrong.any && wrong.exact == U32_MAX)
		w->cache_bad[wrong.cache]++;
	else if (wrong.any && choose[run->op->b % 8] == wrong_object && wrong.cache >= 0)
		w->cache_bad[wrong.cache]++;	/* myalloc_free() finds the cache itself */
	myalloc_zone_stats(w->zone, &after);
	CHECK(after.bad[wrong.bad] == before.bad[wrong.bad] + 1,
	      "wrong free was not counted as \"%s\"", myalloc_bad_name(wrong.bad));
	after.bad_frees--;
	after.bad[wrong.bad]--;
	CHECK(!memcmp(&before, &after, sizeof(before)), "wrong free (%s) changed the statistics",
	      myalloc_bad_name(wrong.bad));
}

/* --- the whole ------------------------------------------------------------------------- */

static void check_blocks(const struct myalloc_zone_stats *stats)
{
	u32 i, n;
	int k;

	for (k = w->cfg->chunk_order; k >= 0; k--) {
		for (i = n = 0; i < w->nr_frames; i += BIT(k))
			if (run_at(i, BIT(k))) {
				memset(w->avail + i, 0, BIT(k));
				n++;
			}
		CHECK(stats->free_blocks[k] == n, "%llu free blocks of order %d, the free frames form %u",
		      stats->free_blocks[k], k, n);
	}
}

static void check_cache(u32 i)
{
	struct myalloc_cache_stats b;

	myalloc_cache_stats(w->cache[i], &b);
	CHECK(b.live_objects == w->objects[i].nr, "cache %u: %llu objects live, %u are", i,
	      b.live_objects, w->objects[i].nr);
	CHECK(b.allocs - b.frees == w->objects[i].nr + b.deferred_objects,
	      "cache %u: %llu allocs - %llu frees, %u live, %llu deferred", i, b.allocs, b.frees,
	      w->objects[i].nr, b.deferred_objects);
	CHECK(b.bad_frees == w->cache_bad[i], "cache %u: %llu wrong frees, there were %llu", i,
	      b.bad_frees, w->cache_bad[i]);
	CHECK(!b.corruptions, "cache %u: corrupt", i);
	CHECK(b.alloc_hits + b.refills <= b.allocs, "cache %u: %llu hits, %llu refills, %llu allocs",
	      i, b.alloc_hits, b.refills, b.allocs);
	CHECK(b.free_hits <= b.frees, "cache %u: more hits than frees", i);
}

static void validate(void)
{
	struct myalloc_zone_stats stats;
	struct myalloc_validation v;
	u32 k, i, seen = 0;

	CHECK(myalloc_zone_validate(w->zone, &v), "%llu invariants broken: %s", v.errors, v.first);
	CHECK(v.frames == w->nr_frames, "validation saw %llu frames of %u", v.frames, w->nr_frames);
	myalloc_zone_stats(w->zone, &stats);
	CHECK(stats.page_pages == w->page_frames, "%llu pages with users, %llu are",
	      stats.page_pages, w->page_frames);
	for (k = 0; k <= w->cfg->chunk_order; k++)
		CHECK(stats.page_allocs[k] - stats.page_frees[k] == w->pieces[k] ||
		      stats.deferred_pages, "order %u: %llu allocs - %llu frees, %llu blocks out", k,
		      stats.page_allocs[k], stats.page_frees[k], w->pieces[k]);
	for (k = 0; k < MYALLOC_NR_BAD; k++)
		CHECK(stats.bad[k] == w->bad[k], "%llu wrong frees (%s), there were %llu", stats.bad[k],
		      myalloc_bad_name(k), w->bad[k]);
	CHECK(!stats.corruptions, "corruptions counted");
	CHECK(stats.nr_caches == w->cfg->nr_caches, "%llu caches", stats.nr_caches);
	CHECK(stats.peak_pages >= w->nr_frames - stats.free_pages, "peak below what is out");
	find_avail(true);
	for (i = 0; i < w->nr_frames; i++)
		seen += w->avail[i];
	CHECK(stats.free_pages == seen, "%llu pages free, %u frames are", stats.free_pages, seen);
	check_blocks(&stats);
	for (i = 0; i < w->cfg->nr_caches; i++)
		check_cache(i);
	ops_stats.validations++;
}

static void zone_drain(struct run *run)
{
	struct myalloc_zone_stats before, after;
	unsigned long pages;
	u32 i, frames = 0;

	myalloc_zone_stats(w->zone, &before);
	running = run;
	pages = myalloc_zone_drain(w->zone);
	running = NULL;
	if (run->disturbed)
		return;
	myalloc_zone_stats(w->zone, &after);
	CHECK(after.free_pages - before.free_pages == pages, "drain said %lu, gave %llu", pages,
	      after.free_pages - before.free_pages);
	CHECK(!after.cached_pages && !after.deferred_pages, "drained: %llu cached, %llu deferred",
	      after.cached_pages, after.deferred_pages);
	CHECK(after.drains == before.drains + 1, "drain was not counted");
	find_avail(false);
	for (i = 0; i < w->nr_frames; i++)
		frames += w->avail[i];
	CHECK(after.free_pages == frames, "drained: %llu pages free, %u could be", after.free_pages,
	      frames);
	check_blocks(&after);
}

static void cache_drain(struct run *run, bool shrink)
{
	u32 cache = run->op->a % w->cfg->nr_caches;
	struct myalloc_cache_stats before, after;
	struct myalloc_cache *c = w->cache[cache];
	unsigned long n;

	myalloc_cache_stats(c, &before);
	running = run;
	n = shrink ? myalloc_cache_shrink(c) : myalloc_cache_drain(c);
	running = NULL;
	if (run->disturbed)
		return;
	myalloc_cache_stats(c, &after);
	CHECK(!after.cached_objects && !after.deferred_objects, "drained: %llu cached, %llu deferred",
	      after.cached_objects, after.deferred_objects);
	if (shrink)
		CHECK(!after.slabs_empty, "shrunk: %llu empty slabs", after.slabs_empty);
	else if (after.slabs == before.slabs)	/* a flush may free an empty slab */
		CHECK(n == before.cached_objects + before.deferred_objects,
		      "drain said %lu, %llu were cached", n,
		      before.cached_objects + before.deferred_objects);
	if (shrink)
		CHECK(n <= (before.slabs - after.slabs) << after.order, "shrink said %lu", n);
}

static void make_cache(u32 i)
{
	const struct ops_cache *config = &w->cfg->cache[i];
	struct myalloc_cache_args args = {
		.name = w->name[i], .object_size = config->size, .align = config->align,
		.flags = config->flags, .magazine = config->magazine,
		.ctor = config->ctor ? ctor_for(config->size) : NULL,
	};
	struct myalloc_cache *c;
	u64 epoch;

	snprintf(w->name[i], sizeof(w->name[i]), "c%u", i);
	c = myalloc_cache_create(w->zone, &args);
	CHECK(!IS_ERR(c), "cache %u: %ld", i, PTR_ERR(c));
	w->cache[i] = c;
	w->cache_bad[i] = 0;
	if (!config->depot)
		return;
	/* A zone this small would get no depot. */
	epoch = c->mags.epoch;
	myalloc_magazines_fini(&c->mags);
	CHECK(!myalloc_magazines_init(&c->mags, config->magazine, DIV_ROUND_UP(config->magazine, 2),
				      config->depot, NUMA_NO_NODE), "no magazines");
	c->mags.epoch = epoch;
	c->mags.fresh = myalloc_cache_fresh;
	c->mags.drop = myalloc_cache_drop;
	c->mags.owner = c;
}

static void cache_renew(struct run *run)
{
	u32 i = run->op->a % w->cfg->nr_caches;
	struct myalloc_cache *c = w->cache[i];
	int err = myalloc_cache_destroy(c);

	if (w->objects[i].nr) {
		CHECK(err == -EBUSY, "cache with %u live objects ended: %d", w->objects[i].nr, err);
		return;
	}
	CHECK(!err, "cache did not end: %d", err);
	make_cache(i);
}

static void cpu_offline(struct run *run)
{
	u32 cpu = run->op->a % w->cfg->cpus;

	if (!cpu_online(cpu)) {
		host_cpu_set_online(cpu, true);
		return;
	}
	if (num_online_cpus() == 1)
		return;
	host_cpu_set_online(cpu, false);
	myalloc_zone_drain_cpu(w->zone, cpu);
}

static u32 online_cpu(u32 number)
{
	while (!cpu_online(number % w->cfg->cpus))
		number++;
	return number % w->cfg->cpus;
}

/* Returns the number of operations executed: this one and its intrusions. */
static u32 run_op(const struct op *op, u32 left, struct run *outer)
{
	struct run run = { .op = op, .left = left, .outer = outer };
	u8 kind = op->kind % OP_NR;

	if (!w->cfg->nr_caches &&
	    ((kind >= OP_OBJECT_ALLOC && kind <= OP_OBJECT_FREE_BULK) ||
	     (kind >= OP_CACHE_DRAIN && kind <= OP_CACHE_RENEW)))
		return 1;
	if (!outer)
		host_set_cpu(online_cpu(op->cpu));
	switch (kind) {
	case OP_PAGES_ALLOC:
		pages_alloc(&run);
		break;
	case OP_PAGES_FREE:
		pages_free(&run);
		break;
	case OP_PAGES_ALLOC_BULK:
		pages_alloc_bulk(&run);
		break;
	case OP_PAGES_FREE_BULK:
		pages_free_bulk(&run);
		break;
	case OP_EXACT_ALLOC:
		exact_alloc(&run);
		break;
	case OP_EXACT_FREE:
		exact_free(&run);
		break;
	case OP_RANGE_ALLOC:
		range_alloc(&run);
		break;
	case OP_OBJECT_ALLOC:
		object_alloc(&run);
		break;
	case OP_OBJECT_FREE:
		object_free(&run);
		break;
	case OP_OBJECT_ALLOC_BULK:
		object_alloc_bulk(&run);
		break;
	case OP_OBJECT_FREE_BULK:
		object_free_bulk(&run);
		break;
	case OP_ANY_FREE:
		any_free(&run);
		break;
	case OP_USABLE:
		usable(&run);
		break;
	case OP_BAD_FREE:
		bad_free(&run);
		break;
	case OP_CACHE_DRAIN:
		cache_drain(&run, false);
		break;
	case OP_CACHE_SHRINK:
		cache_drain(&run, true);
		break;
	case OP_CACHE_RENEW:
		cache_renew(&run);
		break;
	case OP_ZONE_DRAIN:
		zone_drain(&run);
		break;
	case OP_CPU_OFFLINE:
		cpu_offline(&run);
		break;
	case OP_VALIDATE:
		validate();
		break;
	}
	return 1 + run.used;
}

static void make_magazines(void)
{
	u32 i;

	for (i = 0; i < MYALLOC_PCP_LISTS && w->cfg->magazines > 0; i++) {
		u32 order = myalloc_pcp_order(i), capacity = w->cfg->magazines;
		u64 epoch = w->zone->pcp[i].epoch;

		if (order > w->cfg->chunk_order)
			continue;
		myalloc_magazines_fini(&w->zone->pcp[i]);
		CHECK(!myalloc_magazines_init(&w->zone->pcp[i], capacity, DIV_ROUND_UP(capacity, 2),
					      w->cfg->depot, NUMA_NO_NODE), "no magazines");
		w->zone->pcp[i].epoch = epoch;
	}
}

static void make_world(const struct ops_config *config)
{
	struct myalloc_zone_args args = {
		.name = "ops", .chunks = NULL, .chunk_order = config->chunk_order,
		.node = NUMA_NO_NODE, .checks = config->checks, .policy = config->policy,
		.no_magazines = config->magazines < 0, .simulated = config->simulated,
	};
	u32 i, span = fls(config->chunks);

	host_set_nr_cpus(config->cpus);
	host_set_seed(1);
	w = calloc(1, sizeof(*w));
	w->cfg = config;
	w->arena_order = config->chunk_order + fls(span - 1);
	w->arena = config->simulated ? (u8 *)(1UL << 45) : host_chunk_alloc(w->arena_order);
	if (!w->arena)
		host_fatal("no memory");
	for (i = 0; i < span; i++)
		if (config->chunks >> i & 1)
			w->chunk[w->nr_chunks++] = w->arena + (i * PAGE_SIZE << config->chunk_order);
		else
			myalloc_env_poison(w->arena + (i * PAGE_SIZE << config->chunk_order),
					   PAGE_SIZE << config->chunk_order);
	w->nr_frames = config->nr_pages ?: w->nr_chunks << config->chunk_order;
	w->owned = calloc(w->nr_frames, 4);
	w->piece = w->owned + w->nr_frames;
	w->slab_order = w->piece + w->nr_frames;
	w->avail = w->slab_order + w->nr_frames;
	memset(w->piece, NOT_A_PIECE, w->nr_frames);
	w->out = calloc(w->nr_frames, sizeof(*w->out));
	w->covered = calloc(w->nr_frames, PAGE_SIZE / 64);

	args.chunks = (void *const *)w->chunk;
	args.nr_chunks = w->nr_chunks;
	args.nr_pages = w->nr_frames;
	w->zone = myalloc_zone_create(&args);
	CHECK(!IS_ERR(w->zone), "no zone: %ld", PTR_ERR(w->zone));
	make_magazines();
	for (i = 0; i < config->nr_caches; i++)
		make_cache(i);
}

static void end_world(void)
{
	struct live live;
	u32 i;
	int k;

	for (i = 0; i < w->cfg->cpus; i++)
		host_cpu_set_online(i, true);
	if (nr_block_pages() + w->exact.nr)
		CHECK(myalloc_zone_destroy(w->zone) == -EBUSY, "zone with pages out ended");
	for (i = 0; i < w->cfg->nr_caches; i++) {
		while (w->objects[i].nr) {
			live = lose_object(i, w->objects[i].nr - 1);
			CHECK(!myalloc_cache_free(w->cache[i], live.addr), "last free failed");
		}
		CHECK(!myalloc_cache_destroy(w->cache[i]), "cache %u does not end", i);
	}
	for (k = 0; k < MYALLOC_NR_ORDERS; k++)
		while (w->pages[k].nr) {
			live = lose_pages(k, w->pages[k].nr - 1);
			CHECK(!myalloc_pages_free(w->zone, live.addr, k), "last free failed");
		}
	while (w->exact.nr) {
		live = lose_exact(w->exact.nr - 1);
		CHECK(!myalloc_free(w->zone, live.addr), "last free failed");
	}
	CHECK(!myalloc_zone_destroy(w->zone), "zone does not end");

	for (k = 0; k < MYALLOC_NR_ORDERS; k++)
		free(w->pages[k].live);
	for (i = 0; i < OPS_CACHES; i++)
		free(w->objects[i].live);
	free(w->exact.live);
	if (!w->cfg->simulated)
		host_chunk_free(w->arena, w->arena_order);
	free(w->owned);
	free(w->out);
	free(w->covered);
	free(w);
	w = NULL;
}

static void run_zone(const struct ops_config *config, const struct op *ops, u32 nr,
		     u32 validate_every)
{
	u32 i, done = 0;

	make_world(config);
	host_preempt_point = come_in;
	host_point_depth = 2;
	for (i = 0; i < nr; i += done) {
		*ops_at = i;
		done = run_op(&ops[i], nr - i - 1, NULL);
		if (validate_every && i / validate_every != (i + done) / validate_every)
			validate();
	}
	*ops_at = nr;
	validate();
	host_preempt_point = NULL;
	host_set_cpu(online_cpu(0));
	end_world();
}

/* --- making and writing streams --------------------------------------------------------- */

static const struct ops_kind zone_kinds[OP_NR] = {
	[OP_PAGES_ALLOC] = { "pages-alloc", 200, 1 },
	[OP_PAGES_FREE] = { "pages-free", 200, 2 },
	[OP_PAGES_ALLOC_BULK] = { "pages-alloc-bulk", 10 },
	[OP_PAGES_FREE_BULK] = { "pages-free-bulk", 10 },
	[OP_EXACT_ALLOC] = { "exact-alloc", 40, 1 },
	[OP_EXACT_FREE] = { "exact-free", 40, 2 },
	[OP_RANGE_ALLOC] = { "range-alloc", 20, 1 },
	[OP_OBJECT_ALLOC] = { "object-alloc", 300, 1 },
	[OP_OBJECT_FREE] = { "object-free", 300, 2 },
	[OP_OBJECT_ALLOC_BULK] = { "object-alloc-bulk", 15 },
	[OP_OBJECT_FREE_BULK] = { "object-free-bulk", 15 },
	[OP_ANY_FREE] = { "any-free", 20 },
	[OP_USABLE] = { "usable", 10 },
	[OP_BAD_FREE] = { "bad-free", 30 },
	[OP_CACHE_DRAIN] = { "cache-drain", 2 },
	[OP_CACHE_SHRINK] = { "cache-shrink", 2 },
	[OP_CACHE_RENEW] = { "cache-renew", 1 },
	[OP_ZONE_DRAIN] = { "zone-drain", 2 },
	[OP_CPU_OFFLINE] = { "cpu-offline", 2 },
	[OP_VALIDATE] = { "validate", 1 },
};

static const struct ops_world zone_world = {
	.kinds = zone_kinds, .nr = OP_NR, .sleeping = OP_CACHE_DRAIN, .run = run_zone,
};

static const struct ops_world *world_of(const struct ops_config *config)
{
	return config->world ?: &zone_world;
}

/**
 * ops_run() - run a stream on a new zone, and end it
 * @config: what the zone is to be
 * @ops: the stream
 * @nr: operations in it
 * @validate_every: so many operations between two validations of everything
 */
void ops_run(const struct ops_config *config, const struct op *ops, u32 nr, u32 validate_every)
{
	*ops_at = 0;
	host_reset();
	world_of(config)->run(config, ops, nr, validate_every);
	CHECK(!host_live_allocs() && !host_live_chunks(), "memory was not given back");
	CHECK(!host_check_clean(), "%s", host_check_clean());
}

static const char * const contexts[OP_NR_CONTEXTS] = {
	[OP_TASK] = "task",
	[OP_PREEMPT_OFF] = "preempt-off",
	[OP_HARDIRQ] = "hardirq",
	[OP_NMI] = "nmi",
	[OP_NMI_ZONE_LOCKED] = "nmi-zone-locked",
	[OP_NMI_CACHE_LOCKED] = "nmi-cache-locked",
};

/* Phases of growth and shrinking, so that full and empty zones are both visited. */
#define PHASE	400

void ops_generate(const struct ops_config *config, struct myalloc_random *random, struct op *ops,
		  u32 nr)
{
	static const u32 where[OP_NR_CONTEXTS] = { 70, 5, 10, 5, 5, 5 };
	const struct ops_world *world = world_of(config);
	struct myalloc_choice kind[3], sleeping, context;
	u32 weight[OPS_KINDS], i, bias, k, phase = 0;

	/* In two steps, as there are more kinds than a choice can have. */
	for (bias = 0; bias < ARRAY_SIZE(kind); bias++) {
		for (k = 0; k < world->nr; k++)
			weight[k] = world->kinds[k].weight <<
				    (bias && world->kinds[k].bias == bias);
		myalloc_choice_init(&kind[bias], weight, world->sleeping);
	}
	myalloc_choice_init(&sleeping, weight + world->sleeping, world->nr - world->sleeping);
	myalloc_choice_init(&context, where, OP_NR_CONTEXTS);
	for (i = 0; i < nr; i++) {
		struct op *op = &ops[i];

		if (!(i % PHASE))
			phase = myalloc_random_below(random, ARRAY_SIZE(kind));
		if (myalloc_random_one_in(random, 120))
			op->kind = world->sleeping + myalloc_choose(&sleeping, random);
		else
			op->kind = myalloc_choose(&kind[phase], random);
		op->context = myalloc_choose(&context, random);
		op->cpu = myalloc_random_next(random);
		op->flags = (myalloc_random_one_in(random, 8) ? OP_WAIT : 0) |
			    (myalloc_random_one_in(random, 8) ? OP_ZERO : 0) |
			    (myalloc_random_one_in(random, 8) ? OP_TOPDOWN : 0) |
			    (myalloc_random_one_in(random, 2) ? OP_NEST_CPU : 0);
		op->nest = myalloc_random_one_in(random, 6) ? 1 + myalloc_random_below(random, 4) : 0;
		op->a = myalloc_random_next(random);
		op->b = myalloc_random_next(random);
	}
}

/* "object-alloc task cpu 1 flags 3 nest 0 a 17 b 5" */
int ops_format(const struct ops_config *config, const struct op *op, char *buf, size_t size)
{
	const struct ops_world *world = world_of(config);

	return scnprintf(buf, size, "%s %s cpu %u flags %u nest %u a %u b %u",
			 world->kinds[op->kind % world->nr].name,
			 contexts[op->context % OP_NR_CONTEXTS], op->cpu, op->flags, op->nest, op->a, op->b);
}

bool ops_parse(const struct ops_config *config, const char *text, struct op *op)
{
	const struct ops_world *world = world_of(config);
	unsigned int cpu, flags, nest, a, b, k;
	char kind[32], context[32];

	if (sscanf(text, "%31s %31s cpu %u flags %u nest %u a %u b %u", kind, context, &cpu, &flags,
		   &nest, &a, &b) != 7)
		return false;
	*op = (struct op){ .kind = world->nr, .context = OP_NR_CONTEXTS, .cpu = cpu, .flags = flags,
			   .nest = nest, .a = a, .b = b };
	for (k = 0; k < world->nr; k++)
		if (!strcmp(kind, world->kinds[k].name))
			op->kind = k;
	for (k = 0; k < OP_NR_CONTEXTS; k++)
		if (!strcmp(context, contexts[k]))
			op->context = k;
	return op->kind < world->nr && op->context < OP_NR_CONTEXTS;
}
