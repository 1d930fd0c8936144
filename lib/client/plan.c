// SPDX-License-Identifier: GPL-2.0
/*
 * Plans: how many pages a line of a contract needs so that no request within it fails
 *
 * Terms
 *	M	pages that are live at most: from the call of the allocation to the return of the
 *		free. What waits for a lock or in quarantine is live
 *	o-slot	2^o frames from a multiple of 2^o on
 *	class	of an extent of n pages: o = log2(n), rounded up; of a block, its order
 *	m_i	the least size in class o_i, where o_0 < ... < o_r are the classes of the line; for
 *		blocks, 2^o_i
 *
 * Placement is first fit: a block or extent of class o goes into the lowest o-slot that is wholly
 * free, and an extent gives back the end of its slot. Where the chunks lie does not matter, because
 * only indices are compared. An extent is freed whole.
 *
 * N = X_r pages suffice, where X_-1 = 0 and
 *
 *	W_i	= the least of m_i and s / roundup(s / 2^o_i) for each size s of a higher class:
 *		  an extent of s pages that meets t o_i-slots has at least that many for each
 *	w_i(x)	= the least of W_i and m_j, where j < i is the least number with X_j > x; W_i if
 *		  there is none
 *	a_i	= the largest number of o_i-slots, from 0 on, whose w_i sum up to at most M - m_i
 *	X_i	= max(X_i-1, (a_i + 1) * 2^o_i)
 *
 * Proof, by induction over i: no extent of class o_i ends above X_i. When one of n pages goes into
 * slot number a, each of the a o_i-slots below meets a live extent; choose one for each slot. If it
 * is of class o_i or above, it has at least W_i pages for each of the o_i-slots that it meets.
 * Otherwise it is of a class o_j with j < i. It lies inside this slot, which thus begins below X_j,
 * and has at least m_j pages. So each slot is credited with at least w_i pages, and no page twice:
 * the w_i of the a slots have a sum of at most M - n <= M - m_i, and a <= a_i.
 *
 * For blocks W_i = m_i = 2^o_i, and N - 1 pages do not suffice: in phase i, keep the smallest live
 * block of each o_i-slot, free all others, and allocate blocks of order o_i as long as M allows it;
 * the last one ends at X_i. With all orders from 0 to k, and M a multiple of 2^(k+1), N is
 * M(1 + k/2). No allocator that does not move what it has allocated needs less than
 * M(1 + k/2) - 2^k + 1 (Robson, JACM 1971).
 *
 * Objects: a slab has s slots, at most K objects are live, and magazines and the stacks for NMIs
 * hold back at most H slots. S = roundup((K + H) / s) slabs suffice, if they never leave: a slab is
 * needed only when no slot is free, but all slots that are not free are at most K - 1 + H. With P
 * possible CPUs a magazine holds at most K / 8P objects, two of them to a CPU, and there is no
 * depot; so the magazines hold at most K / 4.
 *
 * For NMIs each CPU has E blocks of order o in a stack, and up to E frees of each CPU may wait for
 * a lock. Both are allocated as far as placement is concerned: M + 2 * P * E * 2^o takes the place
 * of M, and K + 2 * P * E that of K + H.
 *
 * contract_test compares these numbers with a search of all reachable states, and attacks large
 * ones.
 *
 * Cheaper ways to state a line are planned in the same way: for each of them, one more.
 *
 * Bounds: O(r^2) operations, and for n sizes of extents O(n * r); r times that with the cheaper
 * ways. No loop over slots.
 */
#include "env.h"
#include "client/plan.h"
#include "object/cache.h"
#include "object/upkeep.h"
#include "page/zone_report.h"

/* A magazine of each CPU holds at most this part of K. */
#define MAGAZINE_PART	8

/* A class of a line: its order, m, and W as a fraction. */
struct size_class {
	u32 order;
	u32 least;
	u32 num;
	u32 den;
};

/* Slots of 2^@order frames that begin in [@from, @end). */
static u64 slots(u64 from, u64 end, u32 order)
{
	return ((end + BIT(order) - 1) >> order) - ((from + BIT(order) - 1) >> order);
}

/* Compute a_i; X of the @i classes below is known. */
static u64 slots_below(u32 pages, const struct size_class *class, const u64 *x, u32 i)
{
	const struct size_class *c = &class[i];
	u64 rest = (u64)(pages - c->least) * c->den, from = 0, sum = 0;
	u32 j;

	for (j = 0; j < i; j++) {
		u32 weight = min_t(u64, c->num, (u64)class[j].least * c->den);
		u64 nr = slots(from, x[j], c->order), most = div_u64(rest, weight);

		if (nr > most)
			return sum + most;
		sum += nr;
		rest -= nr * weight;
		from = x[j];
	}
	return sum + div_u64(rest, c->num);
}

/* N of @nr classes, ascending; U32_MAX if it is larger. */
static u32 needed(u32 pages, const struct size_class *class, u32 nr)
{
	u64 x[MYALLOC_NR_ORDERS], below = 0;
	u32 i;

	for (i = 0; i < nr; i++) {
		u64 end = (slots_below(pages, class, x, i) + 1) << class[i].order;

		x[i] = max(below, end);
		below = x[i];
	}
	return min_t(u64, below, U32_MAX);
}

/**
 * myalloc_plan_blocks() - pages within which no request for a block fails
 * @pages: pages that are live at most
 * @orders: bit k: blocks of 2^k pages are asked for; k is at most MYALLOC_TOP_ORDER. Those of more
 *	than @pages do not count
 *
 * Context: any.
 * Return: the number of pages, the least that suffices; U32_MAX if that is larger.
 */
u32 myalloc_plan_blocks(u32 pages, u32 orders)
{
	struct size_class class[MYALLOC_NR_ORDERS];
	u32 order, nr = 0;

	for (order = 0; order < MYALLOC_NR_ORDERS; order++) {
		u32 size = BIT(order);

		if (orders & size && size <= pages)
			class[nr++] = (struct size_class){ order, size, size, 1 };
	}
	return needed(pages, class, nr);
}

/* The class of an extent, as a bit. */
static u32 class_bit(u32 size)
{
	return BIT(fls(size - 1));
}

/* Lower W of class @c for extents of @size pages, which belong to a higher class. */
static void lower_weight(struct size_class *c, u32 size)
{
	u32 met = DIV_ROUND_UP(size, BIT(c->order));

	if ((u64)size * c->den < (u64)c->num * met) {
		c->num = size;
		c->den = met;
	}
}

/* Of those sizes whose class is in @classes. */
static u32 extents(u32 pages, const u32 *sizes, u32 nr_sizes, u32 classes)
{
	struct size_class class[MYALLOC_NR_ORDERS];
	u32 least[MYALLOC_NR_ORDERS] = { 0 }, order, nr = 0, i, k;

	for (i = 0; i < nr_sizes; i++) {
		order = fls(sizes[i] - 1);
		if (sizes[i] > pages || !(classes & BIT(order)))
			continue;
		if (!least[order] || sizes[i] < least[order])
			least[order] = sizes[i];
	}
	for (order = 0; order < MYALLOC_NR_ORDERS; order++)
		if (least[order])
			class[nr++] = (struct size_class){ order, least[order], least[order], 1 };
	for (i = 0; i < nr_sizes; i++) {
		if (sizes[i] > pages || !(classes & class_bit(sizes[i])))
			continue;
		for (k = 0; k < nr; k++)
			if (class[k].order < (u32)fls(sizes[i] - 1))
				lower_weight(&class[k], sizes[i]);
	}
	return needed(pages, class, nr);
}

/**
 * myalloc_plan_extents() - pages within which no request for an extent fails
 * @pages: pages that are live at most
 * @sizes: numbers of pages that are asked for, each from 1 to 2^MYALLOC_CHUNK_MAX. Those above
 *	@pages do not count
 * @nr_sizes: how many
 *
 * Context: any.
 * Return: the number of pages; U32_MAX if that is larger.
 */
u32 myalloc_plan_extents(u32 pages, const u32 *sizes, u32 nr_sizes)
{
	return extents(pages, sizes, nr_sizes, U32_MAX);
}

/* --- lines --------------------------------------------------------------------------- */

/* For NMIs: what all CPUs together have in their stacks and waiting for a lock. */
static u64 for_nmi(const struct myalloc_contract_line *line)
{
	return 2ULL * num_possible_cpus() * line->nmi;
}

/* Say that a line cannot be, and why. */
__printf(2, 3)
static int refuse(struct myalloc_zone *zone, const char *fmt, ...)
{
	char text[160];
	va_list args;

	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	myalloc_zone_err(zone, "contract: %s", text);
	return -EINVAL;
}

/* The other ways to state a line of blocks; @pages: as below. */
static void cheaper(u32 pages, u32 orders, struct myalloc_contract_line_plan *plan)
{
	u32 low = orders & -orders, high = BIT(fls(orders) - 1), rest, most = U32_MAX;

	if (low == high)
		return;
	plan->apart = pages;
	rest = orders & ~low & ~high;
	if (!rest)
		return;
	plan->ends = myalloc_plan_blocks(pages, low | high);
	/* The highest stays: a request is rounded up to another order. */
	for (rest |= low; rest; rest &= rest - 1) {
		u32 fewer = orders & ~(rest & -rest), nr = myalloc_plan_blocks(pages, fewer);

		if (nr < most) {
			most = nr;
			plan->fewer = nr;
			plan->fewer_orders = fewer;
		}
	}
}

/*
 * Pages that lines of one size each need at most, whatever part of @pages each of them states. One
 * of n extents of s pages needs n slots of their class, so the size for which a slot is most for a
 * page needs most; and the sum is made of slots of the lowest class.
 */
static u32 apart_extents(u32 pages, const u32 *sizes, u32 nr_sizes)
{
	u32 least = U32_MAX, i;
	u64 most = 0;

	for (i = 0; i < nr_sizes; i++) {
		least = min(least, class_bit(sizes[i]));
		most = max(most, div_u64((u64)pages * class_bit(sizes[i]), sizes[i]));
	}
	return min_t(u64, most & ~(u64)(least - 1), U32_MAX);
}

/*
 * The other ways to state a line of extents. What is left out is rounded up to a size that stays,
 * so the sizes of a class stay or go together, and the highest class stays.
 */
static void cheaper_extents(const struct myalloc_contract_line *line,
			    struct myalloc_contract_line_plan *plan)
{
	u32 ends[2] = { line->sizes[0], line->sizes[0] }, classes = 0, rest, most = U32_MAX, i;
	bool others = false;

	for (i = 0; i < line->nr_sizes; i++) {
		ends[0] = min(ends[0], line->sizes[i]);
		ends[1] = max(ends[1], line->sizes[i]);
		classes |= class_bit(line->sizes[i]);
	}
	if (ends[0] == ends[1])
		return;
	plan->apart = apart_extents(line->pages, line->sizes, line->nr_sizes);
	for (i = 0; i < line->nr_sizes; i++)
		others |= line->sizes[i] != ends[0] && line->sizes[i] != ends[1];
	if (!others)
		return;
	plan->ends = extents(line->pages, ends, ARRAY_SIZE(ends), U32_MAX);
	for (rest = classes & ~class_bit(ends[1]); rest; rest &= rest - 1) {
		u32 fewer = classes & ~(rest & -rest);
		u32 nr = extents(line->pages, line->sizes, line->nr_sizes, fewer);

		if (nr < most) {
			most = nr;
			plan->fewer = nr;
			plan->fewer_orders = fewer;
		}
	}
}

/* In whole blocks of the order, which is that of the largest request. */
static void whole_blocks(struct myalloc_contract_line_plan *plan)
{
	u64 blocks = DIV_ROUND_UP_ULL(plan->needed, BIT(plan->order));

	plan->blocks = blocks;
	plan->set_aside = min_t(u64, blocks << plan->order, U32_MAX);
}

static int plan_blocks(struct myalloc_zone *zone, const struct myalloc_contract_line *line,
		       struct myalloc_contract_line_plan *plan)
{
	u32 high = fls(line->orders) - 1;
	u64 pages;

	if (!line->orders || line->orders >> zone->chunk_order > 1)
		return refuse(zone, "orders 0x%x: a line states at least one, and none above %u",
			      line->orders, zone->chunk_order);
	if (line->pages < BIT(high))
		return refuse(zone, "%u pages do not hold one block of order %u", line->pages,
			      high);
	if (line->nmi && !is_power_of_2(line->orders))
		return refuse(zone, "orders 0x%x: a line with blocks for NMIs states one order",
			      line->orders);
	pages = line->pages + (for_nmi(line) << high);
	if (pages > U32_MAX)
		return refuse(zone, "%llu pages with those for NMIs are more than %u",
			      (unsigned long long)pages, U32_MAX);
	plan->needed = myalloc_plan_blocks(pages, line->orders);
	plan->order = high;
	cheaper(line->pages, line->orders, plan);
	whole_blocks(plan);
	return 0;
}

static int plan_extents(struct myalloc_zone *zone, const struct myalloc_contract_line *line,
			struct myalloc_contract_line_plan *plan)
{
	u32 most = BIT(zone->chunk_order), largest = 0, i;

	if (!line->nr_sizes || line->nr_sizes > most)
		return refuse(zone, "%u sizes: a line of extents states 1 to %u", line->nr_sizes,
			      most);
	for (i = 0; i < line->nr_sizes; i++) {
		if (!line->sizes[i] || line->sizes[i] > most)
			return refuse(zone, "an extent has 1 to %u pages, a chunk, not %u", most,
				      line->sizes[i]);
		largest = max(largest, line->sizes[i]);
	}
	if (line->pages < largest)
		return refuse(zone, "%u pages do not hold one extent of %u", line->pages, largest);
	if (line->nmi)
		return refuse(zone, "a line of extents has none for NMIs: state a line of blocks");
	plan->needed = myalloc_plan_extents(line->pages, line->sizes, line->nr_sizes);
	plan->order = fls(largest - 1);
	cheaper_extents(line, plan);
	whole_blocks(plan);
	return 0;
}

/**
 * myalloc_plan_magazine() - objects in a magazine of a line of objects
 * @line: the line
 * @slot_size: bytes of a slot of its slabs
 * @flags: those of the cache that are in force
 *
 * Context: any.
 * Return: at most K / 8P for P possible CPUs; 0 for no magazines.
 */
u32 myalloc_plan_magazine(const struct myalloc_contract_line *line, u32 slot_size,
			  myalloc_cache_flags_t flags)
{
	return min(myalloc_default_magazine(slot_size, flags),
		   line->count / (MAGAZINE_PART * num_possible_cpus()));
}

static int plan_objects(struct myalloc_zone *zone, const struct myalloc_contract_line *line,
			myalloc_cache_flags_t checks, struct myalloc_contract_line_plan *plan)
{
	struct myalloc_slab_layout layout;
	myalloc_cache_flags_t flags;
	u64 held, slabs;
	int err;

	if (!line->count)
		return refuse(zone, "a line of objects states at least 1");
	if (line->cache.magazine)
		return refuse(zone, "magazines follow from the number of objects: state 0, not %u",
			      line->cache.magazine);
	if (line->cache.client)
		return refuse(zone, "objects of a contract belong to no client: state NULL, not %s",
			      line->cache.client->name);
	err = myalloc_cache_lay_out(zone, &line->cache, checks, &layout, &flags);
	if (err)
		return err;
	held = 2ULL * num_possible_cpus() * myalloc_plan_magazine(line, layout.slot_size, flags) +
	       for_nmi(line);
	slabs = DIV_ROUND_UP_ULL(line->count + held, layout.objects);
	plan->needed = min_t(u64, slabs << layout.order, U32_MAX);
	plan->order = layout.order;
	plan->held = held;
	plan->slabs = slabs;
	plan->objects = layout.objects;
	whole_blocks(plan);
	return 0;
}

/**
 * myalloc_plan_line() - compute the cost of one line of a contract
 * @zone: the zone that is to supply it
 * @line: the line
 * @checks: those of the client, which a line of objects has beside the zone's
 * @plan: out
 *
 * Context: any but NMI.
 * Return: 0; -EINVAL, or an error of a new cache with such arguments, if the line cannot be, which
 * is reported.
 */
int myalloc_plan_line(struct myalloc_zone *zone, const struct myalloc_contract_line *line,
		      myalloc_cache_flags_t checks, struct myalloc_contract_line_plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	if (line->nmi > MYALLOC_CONTRACT_NMI_MAX)
		return refuse(zone, "%u for NMIs: a CPU has at most %d", line->nmi,
			      MYALLOC_CONTRACT_NMI_MAX);
	switch (line->kind) {
	case MYALLOC_CONTRACT_PAGES:
		return plan_blocks(zone, line, plan);
	case MYALLOC_CONTRACT_EXTENTS:
		return plan_extents(zone, line, plan);
	case MYALLOC_CONTRACT_OBJECTS:
		return plan_objects(zone, line, checks, plan);
	default:
		return refuse(zone, "a line is of pages, extents or objects (0, 1, 2), not %u",
			      line->kind);
	}
}

/**
 * myalloc_plan_sum() - sum up the lines of a plan, and compare with the free memory of a zone
 * @zone: the zone
 * @plan: in: the lines; out: the other members
 *
 * Lines are served from the highest order down, so that a block of a higher order is split only if
 * it is not needed whole.
 *
 * Context: any but NMI.
 */
void myalloc_plan_sum(struct myalloc_zone *zone, struct myalloc_contract_plan *plan)
{
	u64 need[MYALLOC_NR_ORDERS] = { 0 }, sum = 0, have = 0;
	unsigned long irq;
	u32 free, i;
	int k;

	plan->largest_order = 0;
	plan->blocks_short = 0;
	plan->short_order = 0;
	for (i = 0; i < plan->nr_lines; i++) {
		need[plan->line[i].order] += plan->line[i].blocks;
		sum += plan->line[i].set_aside;
		plan->largest_order = max(plan->largest_order, plan->line[i].order);
	}
	raw_spin_lock_irqsave(&zone->lock, irq);
	free = zone->buddy.nr_free;
	for (k = zone->buddy.top_order; k >= 0; k--) {
		have = 2 * have + zone->buddy.nr_blocks[k];
		if (need[k] <= have) {
			have -= need[k];
			continue;
		}
		if (!plan->blocks_short) {
			plan->blocks_short = min_t(u64, need[k] - have, U32_MAX);
			plan->short_order = k;
		}
		have = 0;
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	plan->pages = min_t(u64, sum, U32_MAX);
	plan->pages_short = sum > free ? min_t(u64, sum - free, U32_MAX) : 0;
}
