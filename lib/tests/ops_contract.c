// SPDX-License-Identifier: GPL-2.0
/*
 * Operation streams against a model: contracts, and others that take the rest of their zone
 *
 * The model: for each frame of the zone its holder (nobody, others, the contract, or a request that
 * was served beyond it); for each frame of a line's zone whether it is allocated; for each line a
 * list of its users' allocations. It knows the lines, the number of blocks that a plan takes, and
 * first fit; nothing of limits, stacks or caches.
 *
 * Comparisons after every operation
 *	sound		an allocation lies in a block of its line, is aligned, overlaps no other,
 *			and no more is live than the line states; contents are unchanged when it is
 *			freed; others get no memory of the contract
 *	complete	a request within the line never fails, in NMI neither where the line says
 *			how many may be served there; one of others, or beyond the line and served
 *			by the zone, fails only if no range of frames is free; a contract is
 *			refused only if the zone has too few blocks
 *	placed		pages and extents are where first fit puts them
 *	refused		requests that the line does not declare, and wrong frees: only their counts
 *			change
 *	counted		statistics and model agree; nothing has failed within
 *
 * A request that would be within if no free of an NMI handler were deferred may succeed or be
 * beyond, where deferred frees count as live.
 */
#include "env.h"
#include "ops.h"
#include "base/pattern.h"
#include "client/contract.h"
#include "page/drain.h"

#define CHECK	OPS_CHECK
#define ENDS	24		/* bytes at the ends of each page that are written */
#define ORDERS	4		/* of blocks of others: 0 to 3 */

enum contract_op {
	ALLOC,			/* a: line, b: size */
	FREE,			/* a: line, b: which, and by which call */
	UNDECLARED,
	WRONG_FREE,
	OTHERS_ALLOC,
	OTHERS_FREE,
	/* From here on: task context, may sleep. */
	DRAIN,
	END,
	VALIDATE,
	NR
};

static const struct ops_kind kinds[NR] = {
	[ALLOC] = { "contract-alloc", 300, 1 },
	[FREE] = { "contract-free", 270, 2 },
	[UNDECLARED] = { "undeclared", 10 },
	[WRONG_FREE] = { "contract-bad-free", 20 },
	[OTHERS_ALLOC] = { "others-alloc", 60, 1 },
	[OTHERS_FREE] = { "others-free", 30, 2 },
	[DRAIN] = { "contract-drain", 6 },
	[END] = { "contract-end", 3 },
	[VALIDATE] = { "validate", 1 },
};

static const u32 run_sizes[] = { 1, 3, 6 };

static const struct myalloc_contract_line lines[] = {
	{ .kind = MYALLOC_CONTRACT_PAGES, .pages = 20, .orders = 0xb },
	{ .kind = MYALLOC_CONTRACT_EXTENTS, .pages = 14, .sizes = run_sizes,
	  .nr_sizes = ARRAY_SIZE(run_sizes) },
	{ .kind = MYALLOC_CONTRACT_OBJECTS, .count = 30,
	  .cache = { .name = "plain", .object_size = 200 } },
	{ .kind = MYALLOC_CONTRACT_PAGES, .pages = 10, .orders = 0x2, .nmi = 2 },
	{ .kind = MYALLOC_CONTRACT_OBJECTS, .count = 20, .nmi = 3,
	  .cache = { .name = "nmi", .object_size = 64 } },
};

#define LINES	ARRAY_SIZE(lines)
#define MOST	64	/* most allocations of a line, or of others by order */

/**
 * struct thing - an allocation of a user
 * @addr: its address
 * @key: of the pattern in it
 * @nr: pages, or bytes of an object
 * @beyond: the parent has served it
 */
struct thing {
	u8 *addr;
	u64 key;
	u32 nr;
	bool beyond;
};

/**
 * struct line - the model of a line
 * @thing: allocations of users
 * @nr: how many
 * @live: pages, or objects, without those beyond
 * @most_live: the most that these were
 * @used: pages and extents: for each frame of its zone whether it is allocated
 * @end: the end of the last one that ever was
 * @stats: as they were after the last operation
 */
struct line {
	struct thing thing[2 * MOST];
	u32 nr, live, most_live;
	u8 used[2 * MOST];
	u32 end;
	struct myalloc_contract_stats stats;
};

/* The holder of a frame of the parent. */
enum { NOBODY, OTHERS, CONTRACT, BEYOND };

static struct contract_world {
	const struct ops_config *cfg;
	struct myalloc_zone *parent;
	u8 *arena, *chunk[OPS_CHUNKS];
	u32 arena_order, nr_chunks, nr_frames;
	u8 holder[OPS_CHUNKS << 5];
	struct myalloc_contract *contract;
	struct myalloc_contract_plan plan;
	struct line line[LINES];
	struct thing others[ORDERS][OPS_CHUNKS << 5];
	u32 nr_others[ORDERS];
	u64 serial;
} *w;

static bool is_pages(u32 i)
{
	return lines[i].kind != MYALLOC_CONTRACT_OBJECTS;
}

static struct myalloc_zone *zone_of(u32 i)
{
	return w->contract->part[i].zone;
}

/* --- addresses and contents -------------------------------------------------------------- */

static u32 frame_of(const u8 *addr)
{
	size_t size = PAGE_SIZE << w->cfg->chunk_order;
	u32 i;

	for (i = 0; i < w->nr_chunks; i++)
		if (addr >= w->chunk[i] && addr < w->chunk[i] + size)
			return (i << w->cfg->chunk_order) + ((addr - w->chunk[i]) >> PAGE_SHIFT);
	return U32_MAX;
}

/* The frame of the zone of a line; U32_MAX if the address is in none of its blocks. */
static u32 place_of(u32 i, const u8 *addr)
{
	const struct myalloc_contract_part *part = &w->contract->part[i];
	size_t size = PAGE_SIZE << part->plan.order;
	u32 k;

	for (k = 0; k < part->nr_blocks; k++)
		if (addr >= (u8 *)part->blocks[k] && addr < (u8 *)part->blocks[k] + size)
			return (k << part->plan.order) +
			       ((addr - (u8 *)part->blocks[k]) >> PAGE_SHIFT);
	return U32_MAX;
}

static void each_end(const struct thing *thing, bool pages,
		     void (*fn)(u8 *mem, size_t size, u64 key))
{
	u32 i;

	if (!pages) {
		fn(thing->addr, thing->nr, thing->key);
		return;
	}
	for (i = 0; i < thing->nr; i++) {
		u8 *page = thing->addr + i * PAGE_SIZE;

		fn(page, ENDS, thing->key + i);
		fn(page + PAGE_SIZE - ENDS, ENDS, ~thing->key - i);
	}
}

static void fill_end(u8 *mem, size_t size, u64 key)
{
	myalloc_pattern_fill(mem, size, key);
}

static void check_end(u8 *mem, size_t size, u64 key)
{
	struct myalloc_damage damage;

	CHECK(myalloc_pattern_check(mem, size, key, &damage),
	      "memory at frame %u changed while it was allocated: offset %zu", frame_of(mem),
	      damage.offset);
}

static void zero_end(u8 *mem, size_t size, u64 key)
{
	CHECK(!memchr_inv(mem, 0, size), "frame %u: was to be zero and is not", frame_of(mem));
}

static struct thing new_thing(void *addr, u32 nr, bool pages, myalloc_flags_t flags)
{
	struct thing thing = { .addr = addr, .nr = nr, .key = myalloc_mix64(++w->serial) };

	if (flags & MYALLOC_ZERO)
		each_end(&thing, pages, zero_end);
	each_end(&thing, pages, fill_end);
	return thing;
}

static void hold(u32 frame, u32 nr, u8 from, u8 to)
{
	for (; nr--; frame++) {
		CHECK(w->holder[frame] == from, "frame %u was held by %u, not %u, before %u got it",
		      frame, w->holder[frame], from, to);
		w->holder[frame] = to;
	}
}

/* Is there a range of free frames, aligned to 2^@order, within a chunk? */
static bool any_run(u32 nr, u32 order)
{
	u32 mask = BIT(w->cfg->chunk_order) - 1, i, k;

	for (i = 0; i + nr <= w->nr_frames; i += BIT(order)) {
		if ((i & mask) + nr > mask + 1)
			continue;
		for (k = 0; k < nr && w->holder[i + k] == NOBODY; k++)
			;
		if (k == nr)
			return true;
	}
	return false;
}

static u32 nr_runs(u32 order)
{
	u32 i, k, nr = 0;

	for (i = 0; i + BIT(order) <= w->nr_frames; i += BIT(order)) {
		for (k = 0; k < BIT(order) && w->holder[i + k] == NOBODY; k++)
			;
		nr += k == BIT(order);
	}
	return nr;
}

/* --- the context of an operation ----------------------------------------------------------- */

/* The lock of a line that is held by the code which an NMI interrupts. */
static raw_spinlock_t *lock_of(u32 i, enum op_context context)
{
	if (context == OP_NMI_ZONE_LOCKED)
		return &zone_of(i)->lock;
	return w->contract->part[i].cache ? &w->contract->part[i].cache->lock : &zone_of(i)->lock;
}

static bool is_locked(enum op_context context)
{
	return context == OP_NMI_ZONE_LOCKED || context == OP_NMI_CACHE_LOCKED;
}

static unsigned long enter(u32 i, enum op_context context)
{
	unsigned long irq = 0;

	switch (context) {
	case OP_PREEMPT_OFF:
		preempt_disable();
		break;
	case OP_HARDIRQ:
		host_enter_hardirq();
		break;
	case OP_NMI_ZONE_LOCKED:
	case OP_NMI_CACHE_LOCKED:
		raw_spin_lock_irqsave(lock_of(i, context), irq);
		host_enter_nmi();
		break;
	case OP_NMI:
		host_enter_nmi();
		break;
	default:
		break;
	}
	return irq;
}

static void leave(u32 i, enum op_context context, unsigned long irq)
{
	switch (context) {
	case OP_PREEMPT_OFF:
		preempt_enable();
		break;
	case OP_HARDIRQ:
		host_exit_hardirq();
		break;
	case OP_NMI_ZONE_LOCKED:
	case OP_NMI_CACHE_LOCKED:
		host_exit_nmi();
		raw_spin_unlock_irqrestore(lock_of(i, context), irq);
		break;
	case OP_NMI:
		host_exit_nmi();
		break;
	default:
		break;
	}
}

static myalloc_flags_t flags_of(const struct op *op)
{
	return (op->flags & OP_ZERO ? MYALLOC_ZERO : 0) |
	       (op->flags & OP_WAIT && op->context == OP_TASK ? MYALLOC_MAY_WAIT : 0);
}

/* --- requests within and beyond ------------------------------------------------------------ */

static u32 waiting(u32 i)
{
	return is_pages(i) ? atomic64_read(&zone_of(i)->deferred.nr) :
			     atomic64_read(&w->contract->part[i].cache->deferred.nr);
}

/* Pages of a request; 1 for an object. */
static u32 size_of(u32 i, u32 number)
{
	u32 k, orders = lines[i].orders;

	if (lines[i].kind == MYALLOC_CONTRACT_EXTENTS)
		return run_sizes[number % ARRAY_SIZE(run_sizes)];
	for (k = number % 4; orders && !(orders & BIT(k)); k = (k + 1) % 4)
		;
	return orders ? BIT(k) : 1;
}

static u32 most_of(u32 i)
{
	return is_pages(i) ? lines[i].pages : lines[i].count;
}

/* Where first fit puts a block or extent; U32_MAX if it has no place. */
static u32 predict(u32 i, u32 nr)
{
	u32 slot = BIT(fls(nr - 1)), at, k;

	for (at = 0; at + slot <= w->plan.line[i].needed; at += slot) {
		for (k = 0; k < slot && !w->line[i].used[at + k]; k++)
			;
		if (k == slot)
			return at;
	}
	return U32_MAX;
}

static void *ask(u32 i, u32 nr, myalloc_flags_t flags)
{
	if (!is_pages(i))
		return myalloc_cache_alloc(w->contract->part[i].cache, flags);
	if (lines[i].kind == MYALLOC_CONTRACT_EXTENTS)
		return myalloc_pages_alloc_exact(zone_of(i), nr, 0, flags);
	return myalloc_pages_alloc(zone_of(i), fls(nr) - 1, flags);
}

static void got_within(u32 i, void *addr, u32 nr, u32 expected, myalloc_flags_t flags)
{
	struct line *line = &w->line[i];
	u32 place = place_of(i, addr), k;

	line->live += nr;
	line->most_live = max(line->most_live, line->live);
	if (!is_pages(i)) {
		u32 size = lines[i].cache.object_size;

		for (k = 0; k < line->nr; k++)
			CHECK(line->thing[k].addr + size <= (u8 *)addr ||
			      (u8 *)addr + size <= line->thing[k].addr,
			      "line %u: an object overlaps another one", i);
		CHECK(!((uintptr_t)addr % 8), "line %u: object at %p", i, addr);
		line->thing[line->nr++] = new_thing(addr, size, false, flags);
		return;
	}
	CHECK(line->live <= lines[i].pages, "line %u: %u pages are live", i, line->live);
	CHECK(!((uintptr_t)addr & ~PAGE_MASK) && !(place % BIT(fls(nr - 1))),
	      "line %u: %u pages at %p, frame %u", i, nr, addr, place);
	CHECK(place + nr <= w->plan.line[i].needed, "line %u: %u pages at frame %u of %u", i, nr,
	      place, w->plan.line[i].needed);
	CHECK(expected == U32_MAX || place == expected, "line %u: %u pages at %u, expected at %u",
	      i, nr, place, expected);
	for (k = 0; k < nr; k++) {
		CHECK(!line->used[place + k], "line %u: frame %u twice", i, place + k);
		line->used[place + k] = 1;
	}
	line->end = max(line->end, place + nr);
	line->thing[line->nr++] = new_thing(addr, nr, true, flags);
}

static void got_beyond(u32 i, void *addr, u32 nr, myalloc_flags_t flags)
{
	u32 frame = frame_of(addr);

	CHECK(w->cfg->best_effort && is_pages(i), "line %u: %p is in no block of it", i, addr);
	CHECK(frame != U32_MAX && !(frame % BIT(fls(nr - 1) * !!lines[i].orders)),
	      "beyond line %u: %u pages at frame %u", i, nr, frame);
	hold(frame, nr, NOBODY, BEYOND);
	w->line[i].thing[w->line[i].nr] = new_thing(addr, nr, true, flags);
	w->line[i].thing[w->line[i].nr++].beyond = true;
}

/* One request, in the context. @served: requests of this NMI that the stack has served. */
static void request(u32 i, u32 nr, const struct op *op, u32 served)
{
	bool locked = is_locked(op->context), nmi = in_nmi(), beyond, within, room;
	const struct myalloc_limit *limit = &w->contract->part[i].limit;
	u32 wait = waiting(i), free_waits, expected = U32_MAX;
	myalloc_flags_t flags = flags_of(op);
	struct line *line = &w->line[i];
	u64 counted, served_beyond;
	void *addr;

	/* This many deferred frees of NMIs do not count as live. */
	free_waits = num_possible_cpus() * lines[i].nmi;
	if (is_pages(i))
		free_waits <<= w->plan.line[i].order;
	free_waits = wait > free_waits ? wait - free_waits : 0;
	beyond = line->live + nr > most_of(i);
	within = line->live + free_waits + nr <= most_of(i) && (!locked || served < lines[i].nmi);
	if (is_pages(i) && !lines[i].nmi && !wait && !beyond)
		expected = predict(i, nr);
	room = is_pages(i) && any_run(nr, lines[i].orders ? fls(nr) - 1 : 0);
	/* Statistics are not available in NMI. */
	counted = atomic64_read(&limit->beyond);
	served_beyond = atomic64_read(&limit->best_effort);
	addr = ask(i, nr, flags);
	counted = atomic64_read(&limit->beyond) - counted;
	served_beyond = atomic64_read(&limit->best_effort) - served_beyond;

	if (addr && place_of(i, addr) != U32_MAX) {
		CHECK(!beyond || !is_pages(i), "line %u: %u pages with %u live were served", i, nr,
		      line->live);
		got_within(i, addr, nr, expected, flags);
		CHECK(!counted, "line %u: counted as beyond", i);
		ops_stats.allocs++;
		return;
	}
	CHECK(!within, "line %u: a request for %u with %u live and %u waiting failed", i, nr,
	      line->live, wait);
	/* In NMI a request within may find the lock taken; requests for objects do not count. */
	CHECK(nmi && !is_pages(i) ? !counted : counted == 1 || (locked && !counted && !beyond),
	      "line %u: counted as beyond %llu times", i, counted);
	CHECK(served_beyond == !!addr, "line %u: a service beyond is not counted", i);
	if (addr)
		got_beyond(i, addr, nr, flags);
	else
		CHECK(!w->cfg->best_effort || !beyond || !room,
		      "beyond line %u: %u pages failed, but there is a free range", i, nr);
	ops_stats.fails += !addr;
	ops_stats.allocs += !!addr;
}

static void contract_alloc(const struct op *op)
{
	u32 i = op->a % LINES, nr = size_of(i, op->b), k, burst = 1;
	unsigned long irq;

	if (is_locked(op->context))
		burst = 1 + op->b / 4 % (lines[i].nmi + 1);
	if (w->line[i].nr + burst > ARRAY_SIZE(w->line[i].thing))
		return;
	irq = enter(i, op->context);
	for (k = 0; k < burst; k++)
		request(i, nr, op, k);
	leave(i, op->context, irq);
}

/* --- frees --------------------------------------------------------------------------------- */

static struct thing lose(u32 i, u32 number)
{
	struct line *line = &w->line[i];
	struct thing thing = line->thing[number];
	u32 place;

	line->thing[number] = line->thing[--line->nr];
	each_end(&thing, is_pages(i), check_end);
	if (thing.beyond) {
		hold(frame_of(thing.addr), thing.nr, BEYOND, NOBODY);
		return thing;
	}
	line->live -= is_pages(i) ? thing.nr : 1;
	if (is_pages(i)) {
		place = place_of(i, thing.addr);
		memset(line->used + place, 0, thing.nr);
	}
	return thing;
}

/* Free it by the call of its kind, by its address, or by its address through the parent. */
static int give(u32 i, const struct thing *thing, u32 how)
{
	switch (how % 3) {
	case 1:
		return myalloc_free(thing->beyond ? w->parent : zone_of(i), thing->addr);
	case 2:
		return myalloc_free(w->parent, thing->addr);
	}
	if (!is_pages(i))
		return myalloc_cache_free(w->contract->part[i].cache, thing->addr);
	if (lines[i].kind == MYALLOC_CONTRACT_EXTENTS)
		return myalloc_pages_free_exact(zone_of(i), thing->addr, thing->nr);
	return myalloc_pages_free(zone_of(i), thing->addr, fls(thing->nr) - 1);
}

static void contract_free(const struct op *op)
{
	u32 i = op->a % LINES, burst = 1;
	enum op_context context = op->context;
	struct thing thing;
	unsigned long irq;
	int err;

	if (is_locked(context))
		burst = 1 + op->b / 3 % (lines[i].nmi + 1);
	burst = min(burst, w->line[i].nr);
	irq = enter(i, context);
	for (; burst--; ops_stats.frees++) {
		thing = lose(i, op->b % w->line[i].nr);
		err = give(i, &thing, op->b);
		CHECK(!err, "line %u: free of %u at %p: %d", i, thing.nr, thing.addr, err);
	}
	leave(i, context, irq);
}

/* Requests that the line does not declare. */
static void undeclared(const struct op *op)
{
	struct myalloc_contract_stats before, after;
	u32 i = op->a % LINES;
	struct myalloc_zone *zone = zone_of(i);
	bool refused = true;

	myalloc_contract_stats(w->contract, i, &before);
	switch (op->b % 4) {
	case 0:
		refused = !myalloc_pages_alloc(zone, 2, 0);
		break;
	case 1:
		refused = !myalloc_pages_alloc_exact(zone, 1 + op->b / 4 % 6, 0, MYALLOC_TOPDOWN);
		break;
	case 2:
		refused = !myalloc_pages_alloc_exact(zone, 1, 1, 0);
		break;
	case 3:
		refused = myalloc_pages_alloc_range(zone, w->contract->part[i].blocks[0], 1, 0);
		break;
	}
	CHECK(refused, "line %u serves what it does not declare", i);
	myalloc_contract_stats(w->contract, i, &after);
	CHECK(after.refused == before.refused + 1, "line %u: %llu refused, not one more", i,
	      after.refused);
}

static void wrong_free(const struct op *op)
{
	u32 i = op->a % LINES, place, nr;
	struct line *line = &w->line[i];
	struct thing thing;
	u8 *addr;
	int err;

	place = op->b / 4 % w->plan.line[i].needed;
	addr = (u8 *)w->contract->part[i].blocks[place >> w->plan.line[i].order] +
	       ((place & (BIT(w->plan.line[i].order) - 1)) << PAGE_SHIFT);
	if (is_pages(i) && !line->used[place] && op->b & 1) {
		/* The frame is free, deferred, or kept for NMI handlers. */
		err = myalloc_free(op->b & 2 ? w->parent : zone_of(i), addr);
		CHECK(err == -EINVAL, "line %u: frame %u is not allocated; free: %d", i, place,
		      err);
		ops_stats.bad_frees++;
		return;
	}
	if (!line->nr)
		return;
	thing = line->thing[op->b / 4 % line->nr];
	nr = is_pages(i) ? thing.nr + 1 : thing.nr;
	if (op->b & 1)
		err = myalloc_free(op->b & 2 || thing.beyond ? w->parent : zone_of(i),
				   thing.addr + 8);
	else
		err = myalloc_pages_free_exact(zone_of(i), thing.addr, nr);
	CHECK(err == -EINVAL, "line %u: wrong free of %u at %p: %d", i, thing.nr, thing.addr, err);
	ops_stats.bad_frees++;
}

/* --- others -------------------------------------------------------------------------------- */

static void others_alloc(const struct op *op)
{
	u32 order = op->a % ORDERS;
	void *addr = myalloc_pages_alloc(w->parent, order, flags_of(op));

	if (!addr) {
		CHECK(!any_run(BIT(order), order), "order %u failed, but there is a free range",
		      order);
		ops_stats.fails++;
		return;
	}
	hold(frame_of(addr), BIT(order), NOBODY, OTHERS);
	w->others[order][w->nr_others[order]++] = new_thing(addr, BIT(order), true, flags_of(op));
	ops_stats.allocs++;
}

static void others_free_one(u32 order, u32 number)
{
	struct thing thing = w->others[order][number];
	int err;

	w->others[order][number] = w->others[order][--w->nr_others[order]];
	each_end(&thing, true, check_end);
	hold(frame_of(thing.addr), thing.nr, OTHERS, NOBODY);
	err = myalloc_pages_free(w->parent, thing.addr, order);
	CHECK(!err, "free of others at frame %u: %d", frame_of(thing.addr), err);
	ops_stats.frees++;
}

static void others_free(const struct op *op)
{
	u32 order = op->a % ORDERS;

	if (w->nr_others[order])
		others_free_one(order, op->b % w->nr_others[order]);
}

/* --- create and end ------------------------------------------------------------------------ */

/* If a contract is refused, the blocks reported as short must be short in the model. */
static void justify_refusal(long err)
{
	u32 order = w->plan.short_order, i;
	u64 need = 0;

	CHECK(err == -ENOSPC && w->plan.blocks_short, "no contract: %ld, %u blocks short", err,
	      w->plan.blocks_short);
	for (i = 0; i < LINES; i++)
		if (w->plan.line[i].order >= order)
			need += (u64)w->plan.line[i].blocks << (w->plan.line[i].order - order);
	CHECK(need == nr_runs(order) + w->plan.blocks_short,
	      "%llu blocks of order %u are needed and %u are free, but %u are short", need, order,
	      nr_runs(order), w->plan.blocks_short);
	ops_stats.fails++;
}

static void make_contract(void)
{
	u32 i, k;

	w->contract = myalloc_contract_create(w->parent, "oracle", lines, LINES,
					      w->cfg->best_effort ? MYALLOC_CONTRACT_BEST_EFFORT :
								    0, &w->plan);
	if (IS_ERR(w->contract)) {
		justify_refusal(PTR_ERR(w->contract));
		w->contract = NULL;
		return;
	}
	memset(w->line, 0, sizeof(w->line));
	for (i = 0; i < LINES; i++) {
		const struct myalloc_contract_part *part = &w->contract->part[i];

		CHECK(part->nr_blocks == w->plan.line[i].blocks, "line %u: %u blocks", i,
		      part->nr_blocks);
		CHECK(w->plan.line[i].needed <= ARRAY_SIZE(w->line[i].used), "line %u is large", i);
		for (k = 0; k < part->nr_blocks; k++)
			hold(frame_of(part->blocks[k]), BIT(part->plan.order), NOBODY, CONTRACT);
	}
}

static void end_contract(bool release)
{
	unsigned int flags = release ? MYALLOC_CONTRACT_RELEASE : 0;
	u32 i, live = 0, frame;
	int err;

	for (i = 0; i < LINES; i++)
		live += w->line[i].nr;
	err = myalloc_contract_end(w->contract, flags);
	if (live && !release) {
		CHECK(err == -EBUSY, "a contract of which %u are held ended: %d", live, err);
		return;
	}
	CHECK(!err, "the contract does not end: %d", err);
	w->contract = NULL;
	memset(w->line, 0, sizeof(w->line));
	for (frame = 0; frame < w->nr_frames; frame++)
		if (w->holder[frame] != OTHERS)
			w->holder[frame] = NOBODY;
}

/* --- the whole ----------------------------------------------------------------------------- */

static void check_line(u32 i)
{
	struct line *line = &w->line[i];
	struct myalloc_contract_stats s;
	u32 wait = waiting(i);

	myalloc_contract_stats(w->contract, i, &s);
	CHECK(!s.failed_within, "line %u: a request within has failed", i);
	CHECK(s.live >= line->live && s.live <= line->live + wait,
	      "line %u: %llu live, %u are, and %u wait", i, s.live, line->live, wait);
	CHECK(s.peak >= line->most_live, "line %u: peak %llu, there were %u", i, s.peak,
	      line->most_live);
	CHECK(!is_pages(i) || s.peak <= lines[i].pages, "line %u: peak %llu", i, s.peak);
	CHECK(!is_pages(i) || lines[i].nmi || s.highest_end == line->end,
	      "line %u: highest end %llu, there was %u", i, s.highest_end, line->end);
	CHECK(s.highest_end <= s.needed, "line %u: highest end %llu of %llu", i, s.highest_end,
	      s.needed);
	CHECK(s.beyond >= line->stats.beyond && s.refused >= line->stats.refused &&
	      s.best_effort >= line->stats.best_effort && s.refills >= line->stats.refills &&
	      s.nmi_allocs >= line->stats.nmi_allocs, "line %u: a count went back", i);
	line->stats = s;
}

static void compare(void)
{
	struct myalloc_zone_stats stats;
	u32 i, frames = 0;

	for (i = 0; w->contract && i < LINES; i++)
		check_line(i);
	for (i = 0; i < w->nr_frames; i++)
		frames += w->holder[i] == NOBODY;
	myalloc_zone_stats(w->parent, &stats);
	CHECK(stats.free_pages + stats.deferred_pages == frames,
	      "%llu pages of the parent are free, %u are", stats.free_pages, frames);
}

static void validate_one(struct myalloc_zone *zone)
{
	struct myalloc_validation v;

	CHECK(myalloc_zone_validate(zone, &v), "%llu invariants of %s broken: %s", v.errors,
	      zone->name, v.first);
}

static void validate(void)
{
	u32 i;

	validate_one(w->parent);
	for (i = 0; w->contract && i < LINES; i++)
		validate_one(zone_of(i));
	ops_stats.validations++;
}

static void drain(const struct op *op)
{
	u32 i = op->b % LINES;

	if (!w->contract || op->a & 1) {
		myalloc_zone_drain(w->parent);
		return;
	}
	myalloc_zone_drain(zone_of(i));
	CHECK(!waiting(i), "line %u: %u wait after a drain", i, waiting(i));
	CHECK(w->contract->part[i].plan.slabs ==
	      (is_pages(i) ? 0 : myalloc_cache_slabs(w->contract->part[i].cache)),
	      "line %u: slabs have come or gone", i);
}

static void run_op(const struct op *given)
{
	struct op op = *given;

	op.context %= OP_NR_CONTEXTS;
	host_set_cpu(op.cpu % w->cfg->cpus);
	switch (op.kind % NR) {
	case ALLOC:
		if (w->contract)
			contract_alloc(&op);
		break;
	case FREE:
		if (w->contract)
			contract_free(&op);
		break;
	case UNDECLARED:
		if (w->contract)
			undeclared(&op);
		break;
	case WRONG_FREE:
		if (w->contract)
			wrong_free(&op);
		break;
	case OTHERS_ALLOC:
		others_alloc(&op);
		break;
	case OTHERS_FREE:
		others_free(&op);
		break;
	case DRAIN:
		drain(&op);
		break;
	case END:
		if (w->contract)
			end_contract(op.a & 1);
		if (!w->contract)
			make_contract();
		break;
	case VALIDATE:
		validate();
		break;
	}
}

static void make_world(const struct ops_config *config)
{
	struct myalloc_zone_args args = {
		.name = "ops", .chunk_order = config->chunk_order, .node = NUMA_NO_NODE,
		.checks = config->checks, .no_magazines = true,
	};
	u32 i, span = fls(config->chunks);

	host_set_nr_cpus(config->cpus);
	host_set_seed(1);
	w = calloc(1, sizeof(*w));
	w->cfg = config;
	w->arena_order = config->chunk_order + fls(span - 1);
	w->arena = host_chunk_alloc(w->arena_order);
	if (!w->arena)
		host_fatal("no memory");
	for (i = 0; i < span; i++)
		if (config->chunks >> i & 1)
			w->chunk[w->nr_chunks++] = w->arena +
						   (i * PAGE_SIZE << config->chunk_order);
	w->nr_frames = w->nr_chunks << config->chunk_order;
	args.chunks = (void *const *)w->chunk;
	args.nr_chunks = w->nr_chunks;
	args.nr_pages = w->nr_frames;
	w->parent = myalloc_zone_create(&args);
	CHECK(!IS_ERR(w->parent), "no zone: %ld", PTR_ERR(w->parent));
	make_contract();
	CHECK(w->contract, "the zone is too small for the contract");
}

static void end_world(void)
{
	u32 order;

	if (w->contract)
		end_contract(true);
	for (order = 0; order < ORDERS; order++)
		while (w->nr_others[order])
			others_free_one(order, 0);
	CHECK(!myalloc_zone_destroy(w->parent), "zone does not end");
	host_chunk_free(w->arena, w->arena_order);
	free(w);
	w = NULL;
}

static void run(const struct ops_config *config, const struct op *ops, u32 nr, u32 validate_every)
{
	u32 i;

	make_world(config);
	for (i = 0; i < nr; i++) {
		*ops_at = i;
		run_op(&ops[i]);
		compare();
		if (validate_every && !(i % validate_every))
			validate();
	}
	*ops_at = nr;
	validate();
	host_set_cpu(0);
	end_world();
}

const struct ops_world ops_contract_world = {
	.kinds = kinds, .nr = NR, .sleeping = DRAIN, .run = run,
};
